/*
 * hints: stage pings and calls for help that were sent ahead of their turn,
 * shown as "not yet in the log" until their place is.
 *
 * In memory alone: what a hint says comes again with the next sync, and with
 * its entry, so that a restart loses nothing that counts.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/chain.h"
#include "entry/json.h"
#include "server/app/hints.h"

enum { HINTS_KEPT = 4096, HINT_LIFE_MS = 24 * 3600 * 1000 };

struct hint {
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	uint8_t link[HASH_LEN];
	char dev[DEV_LEN + 1];
	char person[ROSTER_NAME_MAX + 1], name[ROSTER_NAME_MAX + 1];
	char team[ROSTER_NAME_MAX + 1];
	uint64_t received_ms;
	size_t len;
	uint8_t raw[HINT_RAW_MAX];
};

struct hints {
	struct centre *centre;     /* borrowed */
	const struct kinds *kinds; /* borrowed */
	pthread_mutex_t lock;
	struct hint *slot[HINTS_KEPT]; /* oldest first */
	size_t count;
};

enum status
hints_new(struct hints **out, struct centre *c, const struct kinds *ks)
{
	struct hints *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return ST_NOMEM;
	if (pthread_mutex_init(&h->lock, NULL) != 0) {
		free(h);
		return ST_NOMEM;
	}
	h->centre = c;
	h->kinds = ks;
	*out = h;
	return ST_OK;
}

void
hints_free(struct hints *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->count; i++)
		free(h->slot[i]);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

static bool
is_known(const struct hints *h, const struct hint *n)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct hint *k = h->slot[i];

		if (k->seq == n->seq &&
		    memcmp(k->chain, n->chain, CHAIN_LEN) == 0 &&
		    memcmp(k->link, n->link, HASH_LEN) == 0)
			return true;
	}
	return false;
}

void
hints_kinds(struct hints *h, const struct kinds *ks)
{
	(void)pthread_mutex_lock(&h->lock);
	h->kinds = ks;
	(void)pthread_mutex_unlock(&h->lock);
}

/* Only kinds that are said to be small go ahead of the rest. */
static bool
is_small(struct hints *h, struct bytes raw)
{
	const struct kind *k;
	bool small = false;
	struct entry e;

	entry_init(&e);
	if (entry_parse(&e, raw) == ST_OK && e.body_is == ENTRY_BODY_WHOLE) {
		(void)pthread_mutex_lock(&h->lock);
		k = kinds_find(h->kinds, e.kind);
		small = k != NULL && k->small;
		(void)pthread_mutex_unlock(&h->lock);
	}
	entry_free(&e);
	return small;
}

static void
drop(struct hints *h, size_t i)
{
	free(h->slot[i]);
	h->count--;
	memmove(
	    &h->slot[i], &h->slot[i + 1], (h->count - i) * sizeof(h->slot[0]));
}

bool
hints_take(struct hints *h, const struct roster_device *d,
    const struct wire_hint *w, uint64_t now_ms)
{
	uint8_t digest[HASH_LEN];
	struct hint *n;
	bool is_new;

	if (w->entry.raw.len > HINT_RAW_MAX || !is_small(h, w->entry.raw))
		return false;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return false; /* its entry comes all the same */
	memcpy(n->chain, w->chain, CHAIN_LEN);
	n->seq = w->seq;
	entry_digest(digest, w->entry.raw);
	chain_link(n->link, w->prev, w->seq, digest);
	memcpy(n->dev, d->dev, sizeof(n->dev));
	memcpy(n->person, d->person, sizeof(n->person));
	memcpy(n->name, d->name, sizeof(n->name));
	memcpy(n->team, d->team, sizeof(n->team));
	n->received_ms = now_ms;
	n->len = w->entry.raw.len;
	memcpy(n->raw, w->entry.raw.p, n->len);
	(void)pthread_mutex_lock(&h->lock);
	is_new = !is_known(h, n);
	if (is_new) {
		if (h->count == HINTS_KEPT)
			drop(h, 0);
		h->slot[h->count++] = n;
	}
	(void)pthread_mutex_unlock(&h->lock);
	if (!is_new)
		free(n);
	return is_new;
}

/* Its place is in the log by now, or nobody waits for it any more. */
static bool
is_over(const struct hints *h, const struct hint *n, uint64_t now_ms)
{
	struct centre_chain c;

	if (now_ms > n->received_ms + HINT_LIFE_MS)
		return true;
	return centre_chain(h->centre, n->chain, &c) == ST_OK &&
	       c.last_seq >= n->seq;
}

static void
put_text(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	json_put_str(b, value);
}

static void
put_hint(const struct hint *n, int offset_min, struct buf *b)
{
	const uint8_t *lf = memchr(n->raw, '\n', n->len);
	size_t head = lf == NULL ? n->len : (size_t)(lf - n->raw);
	char at[32];

	buf_str(b, "{\"body\":");
	if (lf == NULL)
		buf_str(b, "null");
	else
		buf_add(b, lf + 1, n->len - head - 1);
	buf_str(b, ",\"chain\":");
	json_put_hex(b, bytes_of(n->chain, CHAIN_LEN));
	put_text(b, "dev", n->dev);
	buf_str(b, ",\"head\":");
	buf_add(b, n->raw, head);
	buf_str(b, ",\"id\":");
	json_put_hex(b, bytes_of(n->link, ID_LEN));
	buf_str(b, ",\"in_log\":false");
	put_text(b, "name", n->name);
	put_text(b, "person", n->person);
	at_format(at, n->received_ms, offset_min);
	put_text(b, "received", at);
	buf_printf(b, ",\"seq\":%llu", (unsigned long long)n->seq);
	put_text(b, "team", n->team);
	buf_u8(b, '}');
}

size_t
hints_put(struct hints *h, const char *team, uint64_t now_ms, int offset_min,
    struct buf *out)
{
	size_t n = 0, i = 0;

	(void)pthread_mutex_lock(&h->lock);
	while (i < h->count) {
		if (is_over(h, h->slot[i], now_ms)) {
			drop(h, i);
			continue;
		}
		if (out != NULL &&
		    (team[0] == '\0' || strcmp(team, h->slot[i]->team) == 0)) {
			if (n > 0)
				buf_u8(out, ',');
			put_hint(h->slot[i], offset_min, out);
			n++;
		} else if (out == NULL) {
			n++;
		}
		i++;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return n;
}
