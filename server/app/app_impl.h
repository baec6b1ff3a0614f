#ifndef SERVER_APP_APP_IMPL_H
#define SERVER_APP_APP_IMPL_H
/* app_impl: what the files of server/app share; nobody else includes it. */
#include <pthread.h>

#include "base/embed.h"
#include "server/app/app.h"
#include "server/app/enrol.h"
#include "server/app/hints.h"
#include "server/app/rate.h"
#include "server/core/centre.h"
#include "server/evidence/upload.h"
#include "server/net/net.h"
#include "server/project/printed.h"
#include "server/roster/define.h"
#include "server/roster/answer.h"

enum { LISTEN_DEVICES, LISTEN_CONSOLE, LISTEN_PUBLIC, LISTENERS };
enum { ROUTES_MAX = 64, WORKERS_MAX = 512, QUEUE_MAX = 4096 };
/* Entries behind the log from which on lists are said to be catching up. */
enum { CATCHING_UP = 10000 };
/* Entries behind the feed that are looked through for one record that somebody
 * opens: 0.1 s. */
enum { RECORD_TAIL_MAX = 65536 };

/* A worker has its own readers, so that none waits for another. */
struct worker {
	struct app *app;
	pthread_t thread;
	bool running;
	struct answer *answer;
	struct feed_reader *feed;
	struct centre_reader *reader;
	struct project_reader *project;
	struct fold *fold;
	struct domain *domain; /* by which it reads and judges */
	struct printed *printed;
	struct buf body; /* of the answer under way */
};

/* Work on a request; must answer it. */
typedef void (*work_fn)(struct worker *w, struct request *rq);

struct app_route {
	struct app *app;
	work_fn work;
};

struct app {
	struct app_config cfg;
	struct centre *centre;
	struct roster *roster;
	struct feed *feed;
	struct feed_reader *feed_reader; /* of the projector */
	struct define *define; /* kinds and rules as the log has them … */
	struct domain *domain; /* … now; changed by the projector, under lock */
	struct project *project;
	struct enrol *enrol;
	struct evidence *evidence;
	struct contacts *contacts; /* last contact of each device */
	struct hints *board;       /* what is not in the log yet */
	struct tls_conf *tls[LISTENERS];
	struct net *net;
	char devices_at[CONFIG_TEXT_MAX + 1];

	/* Papers (check.c). */
	struct rate *rate;
	char court_name[DESCRIPTOR_NAME_MAX + 1];
	unsigned checking; /* asked for at this moment */

	struct route route[ROUTES_MAX];
	struct app_route app_route[ROUTES_MAX];
	size_t route_count;

	/* Requests that wait for a worker. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queued {
		struct request *rq;
		work_fn work;
	} queue[QUEUE_MAX];
	size_t queue_first, queue_count;
	bool stopping;
	struct worker *worker;
	size_t worker_count;

	/*
	 * Two followers: the feed behind the log, and the projections behind
	 * the feed.  Nobody waits for them, not even the start: what they do
	 * not know yet is said to be so.
	 */
	pthread_t feeder, projector;
	bool feeding, projecting;
	pthread_mutex_t follow_lock;
	pthread_cond_t follow_wake; /* of both */
	uint64_t follow_to;         /* the log's size */

	/* Counters, for /metrics. */
	uint64_t syncs, entries_up, entries_down, hints;
	uint64_t started_ms;
};

/* ---- app_work.c */
MUST_CHECK enum status work_start(struct app *a);
void work_stop(struct app *a);
/* Entries of the log that the projections do not know yet. */
uint64_t work_behind(const struct app *a);
/* On the projector's thread: take over kinds and rules where the log has others
 * than a->domain. */
MUST_CHECK enum status work_domain(struct app *a);
/* The net handler of every route that needs a worker. */
void work_handle(struct request *rq, void *app_route);

/* ---- app_routes.c */
void routes_make(struct app *a);
struct route *routes_add(struct app *a, const char *method, const char *pattern,
    unsigned listeners, work_fn work);
/* ---- contacts.c: when each device was last heard of */
MUST_CHECK enum status contacts_new(struct contacts **out);
void contacts_free(struct contacts *c);
struct contact {
	char dev[DEV_LEN + 1]; /* "" free */
	uint64_t at_ms;        /* 0: not since the start */
	bool has_clock;
	int64_t clock_offset_ms; /* our clock minus the device's */
};
/* `clock_ms`: what the device said its clock shows, if it did. */
void contacts_note(struct contacts *c, const char *dev, uint64_t now_ms,
    bool has_clock, uint64_t clock_ms);
void contacts_of(struct contacts *c, const char *dev, struct contact *out);

/* ---- check.c: is this paper what the court holds? */
MUST_CHECK enum status check_open(struct app *a);
void check_routes(struct app *a);

/* ---- api.c: the read API and metrics */
void api_routes(struct app *a);
/* Whether whoever asks on the console holds a token, of any role; if not, it
 * was answered. */
MUST_CHECK bool api_may_look(struct worker *w, struct request *rq);
void work_metrics(struct worker *w, struct request *rq); /* metrics.c */
/* Answer for a failure inside. */
void app_fail(struct worker *w, struct request *rq, enum status st);

/* ---- tus.c: files of devices */
void tus_routes(struct app *a);

/* ---- app_log.c */
void app_say(struct app *a, enum app_level level, const char *event,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void app_net_log(void *app, const struct net_log *line);

/* The reader of QR codes (cmake/qr.cmake): ends with a name of NULL; empty
 * where the program was built without one. */
extern const struct embedded_file qr_files[];

#endif
