#ifndef SERVER_APP_CONFIG_H
#define SERVER_APP_CONFIG_H
/*
 * config: the server's options, one table for file, environment and flags.
 *
 * A value is looked for in this order, the later wins: the default, the file
 * DIR/daybreak.json (one JSON object), the environment (DAYBREAK_<NAME>, upper
 * case), the flag (--<name>, '_' as '-').  docs/OPERATIONS.md lists them; the
 * help text is made from the same table.
 */
#include "base/port.h"

enum { CONFIG_TEXT_MAX = 255, CONFIG_WORDS_MAX = 512 };

struct config {
	char listen[CONFIG_TEXT_MAX + 1]; /* devices */
	char console[CONFIG_TEXT_MAX + 1];
	char public_listen[CONFIG_TEXT_MAX + 1];
	char public_proxy[CONFIG_TEXT_MAX + 1]; /* its address; "" none */
	char devices_at[CONFIG_TEXT_MAX + 1];   /* what devices are told; "" =
						   the descriptor's */
	char names[CONFIG_TEXT_MAX + 1];        /* more names for the server's
						   certificate, ',' between */
	int64_t threads; /* network threads; 0: one a core, at most 4 */
	int64_t workers; /* requests under way at once */
	int64_t cert_days;
	int64_t public_hour; /* when the public tree moves on, local time */
	int64_t utc_offset_min;
	int64_t stop_grace_ms;
	int64_t conns_max;
	int64_t evidence_max_bytes; /* of one file */
	int64_t evidence_free_min;  /* bytes that stay free on the disk */
	int64_t evidence_quota, evidence_deliver_quota; /* bytes */
	int64_t evidence_expire_s;
	int64_t evidence_threads; /* for disk and hashing */
};

/* One option. */
struct config_option {
	const char *name;
	bool number;
	size_t at; /* in struct config */
	const char *text;
	int64_t def, min, max;
	const char *zh, *help; /* what it is, in both languages */
};
extern const struct config_option config_options[];

/* Defaults, then the file (absent is fine), then the environment.
 * ST_INVALID with words in `why`. */
MUST_CHECK enum status config_load(struct config *c, const struct port *p,
    const char *dir, char why[CONFIG_WORDS_MAX]);

/* One flag; ST_ABSENT: no such option; ST_INVALID with words. */
MUST_CHECK enum status config_flag(struct config *c, const char *name,
    const char *value, char why[CONFIG_WORDS_MAX]);

/* "host:port" into its parts; port 0 is allowed. */
MUST_CHECK enum status config_address(
    const char *text, char host[CONFIG_TEXT_MAX + 1], uint16_t *port);

#endif
