#ifndef SERVER_APP_API_IMPL_H
#define SERVER_APP_API_IMPL_H
/* api_impl: what the files of the read API share; nobody else includes it. */
#include "server/app/app_impl.h"

enum { API_TEXT_MAX = 255, API_WHO_MAX = ROSTER_NAME_MAX + 1 };

/* ---- api_who.c */

enum right { RIGHT_ANY, RIGHT_RECORDS };

/* True if the bearer may; else the request was answered. */
bool api_may(struct worker *w, struct request *rq, enum right right);
/* The same, and who it is, as the log names readers: the person whose token it
 * is; else "role#" and the first eight digits of the token's SHA-256. */
bool api_may_who(struct worker *w, struct request *rq, enum right right,
    char who[API_WHO_MAX]);
/* The supervisor whose own token it is; else the request was answered. */
bool api_person(
    struct worker *w, struct request *rq, char person[ROSTER_NAME_MAX + 1]);
/* Answer with w->body, which no cache may keep, or for `st` or the buffer's own
 * failure. */
void api_send_json(struct worker *w, struct request *rq, enum status st);
/*
 * The query's parameters.  One that is there and cannot be read is never
 * passed over, nor one that nobody asked for, nor one that stands there twice:
 * a list that seems filtered and is not would mislead.  Read all, then ask
 * api_query_ok.
 */
enum { API_PARAMETERS_MAX = 16, API_LIMIT_MAX = 1000 };
struct api_query {
	struct request *rq;
	const char *bad; /* the first that cannot be read */
	const char *asked[API_PARAMETERS_MAX];
	size_t asked_count;
};
const char *api_text(
    struct api_query *q, const char *name, char out[API_TEXT_MAX + 1]);
uint64_t api_number(struct api_query *q, const char *name); /* 0: absent */
/* `limit`, 1 to API_LIMIT_MAX; 0: absent. */
uint64_t api_limit(struct api_query *q);
uint64_t api_time(struct api_query *q, const char *name); /* 0: absent */
bool api_flag(struct api_query *q, const char *name);     /* "1" */
/* `value` is "" or one of `words`. */
void api_one_of(struct api_query *q, const char *name, const char *value,
    const char *const *words);
/* False: the request was answered with 400. */
bool api_query_ok(struct api_query *q);

/* ,"name":"value" */
void api_put_text(struct buf *b, const char *name, const char *value);

/* ---- api_centre.c */
void api_devices(struct worker *w, struct request *rq);
void api_tlog(struct worker *w, struct request *rq);
void api_alarms(struct worker *w, struct request *rq);
void api_summary(struct worker *w, struct request *rq);
void api_hints(struct worker *w, struct request *rq);

/* ---- api_evidence.c */
void api_evidence(struct worker *w, struct request *rq);
/* Answer that files are not known yet, since the log is being read. */
void api_catching_up(struct request *rq);
/* ---- api_custody.c */
void api_custody(struct worker *w, struct request *rq);
/* ---- api_evidence.c */
/* Of the record that w->fold holds: an array. */
void api_put_attachments(struct worker *w, struct buf *b);
/* ---- api_finding.c */
enum { API_FINDING_BODY_MAX = 16384 };
void api_finding(struct worker *w, struct request *rq);

/* ---- api_print.c */
void api_print(struct worker *w, struct request *rq);

/* ---- api_held.c */
void api_held(struct worker *w, struct request *rq);

#endif
