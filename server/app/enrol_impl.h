#ifndef SERVER_APP_ENROL_IMPL_H
#define SERVER_APP_ENROL_IMPL_H
/* enrol_impl: what enrol.c and enrol_join.c share; nobody else includes it. */
#include <pthread.h>

#include "entry/entry.h"
#include "server/app/enrol.h"
#include "server/ca/ca.h"
#include "server/core/centre.h"
#include "tlog/descriptor.h"

enum { CHALLENGES_MAX = 4096, CHALLENGE_LIFE_MS = 600000 };

struct enrol {
	struct enrol_config cfg;
	pthread_mutex_t lock; /* over the challenges */
	struct challenge {
		char dev[DEV_LEN + 1]; /* "" free */
		uint8_t nonce[32];
		uint64_t until_ms;
	} challenge[CHALLENGES_MAX];
};

/* Fill an error answer; gives the buffer's error. */
enum status enrol_say(struct enrol_reply *out, unsigned status,
    const char *word, const char *en, const char *zh);
enum status enrol_bad(struct enrol_reply *out);

#endif
