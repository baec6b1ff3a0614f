#ifndef SERVER_APP_APP_H
#define SERVER_APP_APP_H
/*
 * app: the daemon: centre, roster, feed and projections behind three
 * listeners.
 *
 * Network threads read requests and hand them to workers, which may wait for
 * disk and commits; one thread commits, one follows the log for feed and
 * projections.  app_stop loses nothing: what was acknowledged is durable, what
 * was not is sent again.
 */
#include "server/app/config.h"

struct app;

enum app_level { APP_DEBUG, APP_INFO, APP_WARN, APP_ERROR };
/* One structured line: a JSON object without line break.  Any thread. */
typedef void (*app_log_fn)(void *arg, enum app_level level, const char *line);

struct app_config {
	const char *dir;
	const struct port *port;
	struct config options;
	app_log_fn log;
	void *log_arg;
};

enum { APP_ERRMSG_LEN = 512 };

/* Open the court in `dir` and serve.  Words in errmsg on failure. */
MUST_CHECK enum status app_start(
    struct app **out, const struct app_config *c, char errmsg[APP_ERRMSG_LEN]);

/* Ports that the listeners really have. */
struct app_ports {
	uint16_t devices, console, public_port;
};
void app_ports(const struct app *a, struct app_ports *out);

/* Stop within the configured grace, and free. */
void app_stop(struct app *a);

#endif
