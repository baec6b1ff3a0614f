#include "agent/log/lock.h"

#include <sodium.h>
#include <string.h>

#include "crypt/secret.h"

enum { KEY = crypto_generichash_KEYBYTES, MAC = crypto_generichash_BYTES };

/* Memory of secret_new. */
struct lock {
	enum lock_state state;
	struct lock_config conf;
	uint64_t touched_ms;
	bool has_pin;
	unsigned wrong;   /* in a row */
	uint8_t key[KEY]; /* new for each PIN */
	uint8_t mac[MAC]; /* BLAKE2b of the PIN under `key` */
};

enum status
lock_new(struct lock **out, const struct lock_config *c)
{
	struct lock *k = secret_new(sizeof(*k));

	if (k == NULL)
		return ST_NOMEM;
	k->state = LOCK_FULL;
	k->conf = *c;
	*out = k;
	return ST_OK;
}

void
lock_free(struct lock *k)
{
	secret_free(k);
}

enum lock_state
lock_state(const struct lock *k)
{
	return k->state;
}

void
lock_unlocked(struct lock *k, uint64_t now_ms)
{
	k->state = LOCK_OPEN;
	k->wrong = 0;
	k->touched_ms = now_ms;
}

void
lock_full(struct lock *k)
{
	k->state = LOCK_FULL;
	k->has_pin = false;
	k->wrong = 0;
	sodium_memzero(k->key, sizeof(k->key));
	sodium_memzero(k->mac, sizeof(k->mac));
}

static void
pin_mac(uint8_t out[MAC], const uint8_t key[KEY], struct bytes pin)
{
	(void)crypto_generichash(out, MAC, pin.p, pin.len, key, KEY);
}

enum status
lock_pin_set(struct lock *k, struct bytes pin, const struct port *port)
{
	if (k->state != LOCK_OPEN)
		return ST_LOCKED;
	if (pin.len < LOCK_PIN_MIN)
		return ST_INVALID;
	if (pin.len > LOCK_PIN_MAX)
		return ST_LIMIT;
	port_random(port, k->key, sizeof(k->key));
	pin_mac(k->mac, k->key, pin);
	k->has_pin = true;
	k->wrong = 0;
	return ST_OK;
}

enum lock_state
lock_screen(struct lock *k)
{
	if (k->state == LOCK_OPEN && k->has_pin)
		k->state = LOCK_SCREEN;
	else if (k->state == LOCK_OPEN)
		lock_full(k);
	return k->state;
}

enum status
lock_screen_unlock(
    struct lock *k, struct bytes pin, uint64_t now_ms, unsigned *left)
{
	uint8_t mac[MAC];
	bool right;

	if (k->state == LOCK_OPEN)
		return ST_OK;
	if (k->state == LOCK_FULL)
		return ST_LOCKED;
	pin_mac(mac, k->key, pin);
	right = sodium_memcmp(mac, k->mac, MAC) == 0;
	sodium_memzero(mac, sizeof(mac));
	if (right) {
		lock_unlocked(k, now_ms);
		return ST_OK;
	}
	k->wrong++;
	if (k->wrong >= LOCK_TRIES) {
		lock_full(k);
		*left = 0;
		return ST_LOCKED;
	}
	*left = LOCK_TRIES - k->wrong;
	return ST_DENIED;
}

void
lock_touch(struct lock *k, uint64_t now_ms)
{
	if (k->state == LOCK_OPEN)
		k->touched_ms = now_ms;
}

enum lock_state
lock_tick(struct lock *k, uint64_t now_ms)
{
	uint64_t idle = now_ms > k->touched_ms ? now_ms - k->touched_ms : 0;

	if (k->state == LOCK_FULL)
		return LOCK_FULL;
	if (k->conf.full_idle_ms > 0 && idle >= k->conf.full_idle_ms)
		lock_full(k);
	else if (k->conf.screen_idle_ms > 0 && idle >= k->conf.screen_idle_ms)
		(void)lock_screen(k);
	return k->state;
}
