#ifndef SERVER_APP_ENROL_IMPL_H
#define SERVER_APP_ENROL_IMPL_H
/* enrol_impl: what enrol.c, enrol_join.c and enrol_renew.c share; nobody else
 * includes it. */
#include <pthread.h>

#include "entry/entry.h"
#include "entry/json.h"
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

/* The member `name` of a request, hex of exactly `len` bytes. */
MUST_CHECK bool enrol_read_hex(
    const struct json *j, const char *name, uint8_t *out, size_t len);

/* The member "csr", base64: into csr[X509_CSR_DER_MAX], once its own signature
 * holds; `key` is the SHA-256 of the key in it. */
MUST_CHECK enum status enrol_read_csr(
    const struct json *j, uint8_t *csr, size_t *csr_len, uint8_t key[HASH_LEN]);

/* A certificate of cfg.cert_days from now, for that device and key. */
MUST_CHECK enum status enrol_issue(
    struct enrol *e, const char *dev, struct bytes csr, struct buf *cert);

#endif
