#ifndef SERVER_APP_TUS_H
#define SERVER_APP_TUS_H
/* tus: what tus.c and tus_head.c share; nobody else includes it. */
#include "server/app/app_impl.h"

#define TUS_VERSION "1.0.0"

struct tus {
	struct app *app;
	struct upload_run *run;
	struct upload_ask ask;
	bool begun; /* what is to become of it was looked at */
};

/* ---- tus.c */
void tus_error(struct request *rq, unsigned status, const char *word,
    const char *en, const char *zh, unsigned retry_after_s);
void tus_not_found(struct request *rq);

/* ---- tus_head.c: what a request asks for, by its head alone.  False: it was
 * answered. */
bool tus_read(struct tus *t, struct request *rq);

#endif
