#include "server/app/rate.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LEN = 16, WINDOW = 8 };

/* Asked so often that the bucket is empty until `full_ms` is near: the moment
 * at which it is full again says all. */
struct slot {
	uint8_t key[KEY_LEN];
	uint64_t full_ms; /* monotonic; 0: free */
};

struct rate {
	struct rate_config cfg;
	pthread_mutex_t lock;
	uint8_t secret[crypto_shorthash_KEYBYTES];
	struct slot *slot; /* owned */
};

enum status
rate_new(struct rate **out, const struct rate_config *c)
{
	struct rate *r = calloc(1, sizeof(*r));

	assert(c->burst > 0 && c->step_ms > 0 && c->slots >= WINDOW &&
	       (c->slots & (c->slots - 1)) == 0);
	if (r == NULL)
		return ST_NOMEM;
	r->cfg = *c;
	r->slot = calloc(c->slots, sizeof(*r->slot));
	if (r->slot == NULL || pthread_mutex_init(&r->lock, NULL) != 0) {
		free(r->slot);
		free(r);
		return ST_NOMEM;
	}
	port_random(c->port, r->secret, sizeof(r->secret));
	*out = r;
	return ST_OK;
}

void
rate_free(struct rate *r)
{
	if (r == NULL)
		return;
	(void)pthread_mutex_destroy(&r->lock);
	free(r->slot);
	free(r);
}

static void
key_of(uint8_t key[KEY_LEN], const char *addr)
{
	struct in6_addr v6;
	struct in_addr v4;

	memset(key, 0, KEY_LEN);
	if (inet_pton(AF_INET, addr, &v4) == 1) {
		key[10] = key[11] = 0xff;
		memcpy(key + 12, &v4, sizeof(v4));
	} else if (inet_pton(AF_INET6, addr, &v6) == 1) {
		memcpy(key, &v6, 8);
	}
}

/* The slot of this key; else a free one; else that of who asked least. */
static struct slot *
find(struct rate *r, const uint8_t key[KEY_LEN], uint64_t now)
{
	uint8_t hash[crypto_shorthash_BYTES];
	struct slot *best = NULL;
	uint32_t at;

	(void)crypto_shorthash(hash, key, KEY_LEN, r->secret);
	memcpy(&at, hash, sizeof(at));
	for (uint32_t i = 0; i < WINDOW; i++) {
		struct slot *s = &r->slot[(at + i) & (r->cfg.slots - 1)];

		if (s->full_ms > now && memcmp(s->key, key, KEY_LEN) == 0)
			return s;
		if (best == NULL || s->full_ms < best->full_ms)
			best = s;
	}
	memcpy(best->key, key, KEY_LEN);
	best->full_ms = now;
	return best;
}

bool
rate_take(struct rate *r, const char *addr, unsigned *wait_s)
{
	uint64_t now = port_mono_ms(r->cfg.port) + 1, owed, over;
	uint64_t whole = (uint64_t)r->cfg.burst * r->cfg.step_ms;
	uint8_t key[KEY_LEN];
	struct slot *s;
	bool may;

	key_of(key, addr);
	(void)pthread_mutex_lock(&r->lock);
	s = find(r, key, now);
	owed = s->full_ms - now;
	may = owed + r->cfg.step_ms <= whole;
	if (may)
		s->full_ms += r->cfg.step_ms;
	over = may ? 0 : owed + r->cfg.step_ms - whole;
	(void)pthread_mutex_unlock(&r->lock);
	*wait_s = (unsigned)((over + 999) / 1000);
	return may;
}
