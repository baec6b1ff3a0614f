#include "server/net/addrs.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	uint8_t key[ADDR_KEY_LEN];
	unsigned count; /* 0: free */
};

/* Open addressing with linear steps; never more than half full. */
struct addrs {
	pthread_mutex_t lock;
	uint8_t seed[crypto_shorthash_KEYBYTES];
	size_t used, max;
	size_t mask;
	struct slot *slot;
};

enum status
addrs_new(struct addrs **out, const struct port *port, size_t max)
{
	struct addrs *a = calloc(1, sizeof(*a));
	size_t size = 16;

	if (a == NULL)
		return ST_NOMEM;
	while (size < 2 * max)
		size *= 2;
	a->slot = calloc(size, sizeof(*a->slot));
	if (a->slot == NULL || pthread_mutex_init(&a->lock, NULL) != 0) {
		free(a->slot);
		free(a);
		return ST_NOMEM;
	}
	a->mask = size - 1;
	a->max = max;
	port_random(port, a->seed, sizeof(a->seed));
	*out = a;
	return ST_OK;
}

void
addrs_free(struct addrs *a)
{
	if (a == NULL)
		return;
	(void)pthread_mutex_destroy(&a->lock);
	free(a->slot);
	free(a);
}

static size_t
home_of(const struct addrs *a, const uint8_t *key)
{
	uint8_t hash[crypto_shorthash_BYTES];

	(void)crypto_shorthash(hash, key, ADDR_KEY_LEN, a->seed);
	return (size_t)be64_get(hash) & a->mask;
}

/* The place of that key, or the free one where it would go. */
static size_t
place_of(const struct addrs *a, const uint8_t *key)
{
	size_t i = home_of(a, key);

	while (a->slot[i].count > 0 &&
	       memcmp(a->slot[i].key, key, ADDR_KEY_LEN) != 0)
		i = (i + 1) & a->mask;
	return i;
}

bool
addrs_enter(
    struct addrs *a, const uint8_t key[ADDR_KEY_LEN], unsigned per_addr_max)
{
	struct slot *s;
	bool taken;

	(void)pthread_mutex_lock(&a->lock);
	s = &a->slot[place_of(a, key)];
	taken = s->count < per_addr_max && (s->count > 0 || a->used < a->max);
	if (taken) {
		if (s->count == 0) {
			memcpy(s->key, key, ADDR_KEY_LEN);
			a->used++;
		}
		s->count++;
	}
	(void)pthread_mutex_unlock(&a->lock);
	return taken;
}

/* Close the gap at `i`: whoever stepped over it must still be found. */
static void
remove_at(struct addrs *a, size_t i)
{
	size_t j = i;

	for (;;) {
		size_t home;

		j = (j + 1) & a->mask;
		if (a->slot[j].count == 0)
			break;
		home = home_of(a, a->slot[j].key);
		/* Is `home` cyclically behind i, up to j?  Then j may stay. */
		if (((j - home) & a->mask) < ((j - i) & a->mask))
			continue;
		a->slot[i] = a->slot[j];
		i = j;
	}
	a->slot[i].count = 0;
	a->used--;
}

void
addrs_leave(struct addrs *a, const uint8_t key[ADDR_KEY_LEN])
{
	size_t i;

	(void)pthread_mutex_lock(&a->lock);
	i = place_of(a, key);
	assert(a->slot[i].count > 0);
	if (a->slot[i].count > 1)
		a->slot[i].count--;
	else
		remove_at(a, i);
	(void)pthread_mutex_unlock(&a->lock);
}

void
addrs_key(uint8_t key[ADDR_KEY_LEN], char text[ADDR_TEXT_LEN],
    const struct sockaddr *sa)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(key, 0, ADDR_KEY_LEN);
	text[0] = '\0';
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		memcpy(key, mapped, sizeof(mapped));
		memcpy(key + 12, &v4.sin_addr, 4);
		(void)inet_ntop(AF_INET, key + 12, text, ADDR_TEXT_LEN);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		memcpy(key, &v6.sin6_addr, ADDR_KEY_LEN);
		if (memcmp(key, mapped, sizeof(mapped)) == 0) {
			(void)inet_ntop(AF_INET, key + 12, text, ADDR_TEXT_LEN);
			return;
		}
		(void)inet_ntop(AF_INET6, key, text, ADDR_TEXT_LEN);
		memset(key + 8, 0, 8);
	}
}
