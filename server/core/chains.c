#include "server/core/chains.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/chains_inner.h"

/* ---- tables */

static uint64_t
name_hash(const struct chains *ch, const uint8_t *name, size_t len)
{
	uint8_t h[crypto_shorthash_BYTES];

	(void)crypto_shorthash(h, name, len, ch->seed);
	return be64_get(h);
}

static const uint8_t *
name_of(const struct table *t, const void *row)
{
	return (const uint8_t *)row + t->off;
}

static void **
table_slot(const struct chains *ch, const struct table *t, const uint8_t *name)
{
	size_t i = (size_t)name_hash(ch, name, t->len) & (t->cap - 1);

	while (t->slot[i] != NULL &&
	       memcmp(name_of(t, t->slot[i]), name, t->len) != 0)
		i = (i + 1) & (t->cap - 1);
	return &t->slot[i];
}

static void *
table_find(const struct chains *ch, const struct table *t, const uint8_t *name)
{
	return t->cap == 0 ? NULL : *table_slot(ch, t, name);
}

/* Room for one more; at most half full, so that probing ends soon. */
static enum status
table_room(const struct chains *ch, struct table *t)
{
	struct table wider = *t;

	if (t->count * 2 < t->cap)
		return ST_OK;
	wider.cap = t->cap == 0 ? CHAINS_TABLE_MIN : t->cap * 2;
	wider.slot = calloc(wider.cap, sizeof(*wider.slot));
	if (wider.slot == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slot[i] != NULL)
			*table_slot(ch, &wider, name_of(t, t->slot[i])) =
			    t->slot[i];
	free(t->slot);
	*t = wider;
	return ST_OK;
}

static void
table_put(const struct chains *ch, struct table *t, void *row)
{
	*table_slot(ch, t, name_of(t, row)) = row;
	t->count++;
}

struct key_row *
chains_key_find(struct chains *ch, const uint8_t *key)
{
	return table_find(ch, &ch->by_key, key);
}

struct key_row *
chains_key_make(struct chains *ch, const uint8_t *key)
{
	struct key_row *k = chains_key_find(ch, key);

	if (k != NULL)
		return k;
	if (table_room(ch, &ch->by_key) != ST_OK)
		return NULL;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return NULL;
	memcpy(k->key, key, PUBKEY_LEN);
	table_put(ch, &ch->by_key, k);
	return k;
}

enum status
chains_no_room(struct chains *ch, uint64_t no)
{
	uint64_t cap = ch->by_no_cap == 0 ? CHAINS_TABLE_MIN : ch->by_no_cap;
	struct row **p;

	while (cap < no)
		cap *= 2;
	if (cap == ch->by_no_cap)
		return ST_OK;
	p = realloc(ch->by_no, (size_t)cap * sizeof(struct row *));
	if (p == NULL)
		return ST_NOMEM;
	ch->by_no = p;
	ch->by_no_cap = cap;
	return ST_OK;
}

static void
row_free(struct row *r)
{
	free(r->staged);
	free(r->branch);
	free(r);
}

struct row *
chains_row_make(struct chains *ch, const uint8_t *id, const uint8_t *key)
{
	struct row *r = table_find(ch, &ch->by_id, id);

	if (r != NULL)
		return r;
	if (table_room(ch, &ch->by_id) != ST_OK)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	memcpy(r->id, id, CHAIN_LEN);
	memcpy(r->key, key, PUBKEY_LEN);
	table_put(ch, &ch->by_id, r);
	return r;
}

/* ---- life */

static void
contents_free(struct chains *ch)
{
	for (size_t i = 0; i < ch->by_id.cap; i++)
		if (ch->by_id.slot[i] != NULL)
			row_free(ch->by_id.slot[i]);
	for (size_t i = 0; i < ch->by_key.cap; i++)
		free(ch->by_key.slot[i]);
	free(ch->by_id.slot);
	free(ch->by_key.slot);
	free(ch->by_no);
}

static void
contents_init(struct chains *ch)
{
	ch->by_id =
	    (struct table){ .off = offsetof(struct row, id), .len = CHAIN_LEN };
	ch->by_key = (struct table){ .off = offsetof(struct key_row, key),
		.len = PUBKEY_LEN };
	ch->by_no = NULL;
	ch->by_no_count = ch->by_no_cap = 0;
	ch->next_no = 1;
}

enum status
chains_new(struct chains **out, const struct port *port)
{
	struct chains *ch = calloc(1, sizeof(*ch));

	if (ch == NULL)
		return ST_NOMEM;
	if (pthread_mutex_init(&ch->lock, NULL) != 0) {
		free(ch);
		return ST_NOMEM;
	}
	contents_init(ch);
	port_random(port, ch->seed, sizeof(ch->seed));
	*out = ch;
	return ST_OK;
}

void
chains_free(struct chains *ch)
{
	if (ch == NULL)
		return;
	contents_free(ch);
	free(ch->stage);
	(void)pthread_mutex_destroy(&ch->lock);
	free(ch);
}

/* Branch rows of one chain come one behind the other, from 0. */
static enum status
load_row(void *arg, const struct store_chain *c)
{
	struct chains *ch = arg;
	struct chain_branch *b;
	struct key_row *k;
	struct row *r;

	if (c->no == 0 || c->no > ch->by_no_count + 1 ||
	    c->branch >= CHAIN_BRANCHES_MAX)
		return ST_CORRUPT;
	r = chains_row_make(ch, c->id, c->key);
	k = chains_key_make(ch, c->key);
	if (r == NULL || k == NULL || chains_no_room(ch, c->no) != ST_OK)
		return ST_NOMEM;
	if (r->count != c->branch || (r->count > 0 && r->no != c->no) ||
	    memcmp(r->key, c->key, PUBKEY_LEN) != 0)
		return ST_CORRUPT;
	b = realloc(r->branch, (r->count + 1) * sizeof(*b));
	if (b == NULL)
		return ST_NOMEM;
	r->branch = b;
	b += r->count++;
	b->parent = c->parent;
	b->status = c->status;
	b->base_seq = c->base_seq;
	memcpy(b->base_link, c->base_link, HASH_LEN);
	b->last_seq = c->last_seq;
	memcpy(b->last_link, c->last_link, HASH_LEN);
	b->last_place = c->last_place;
	if (c->branch == 0) {
		if (c->no != ch->by_no_count + 1)
			return ST_CORRUPT;
		r->no = c->no;
		ch->by_no[ch->by_no_count++] = r;
		k->count++;
	} else {
		k->held = true;
	}
	return ST_OK;
}

enum status
chains_load(struct chains *ch, struct store_reader *r)
{
	struct chains fresh;
	enum status st;

	assert(ch->stage_count == 0);
	memset(&fresh, 0, sizeof(fresh));
	memcpy(fresh.seed, ch->seed, sizeof(fresh.seed));
	contents_init(&fresh);
	st = store_chains(r, load_row, &fresh);
	if (st != ST_OK) {
		contents_free(&fresh);
		return st;
	}
	(void)pthread_mutex_lock(&ch->lock);
	contents_free(ch);
	ch->by_id = fresh.by_id;
	ch->by_key = fresh.by_key;
	ch->by_no = fresh.by_no;
	ch->by_no_count = fresh.by_no_count;
	ch->by_no_cap = fresh.by_no_cap;
	ch->next_no = fresh.by_no_count + 1;
	(void)pthread_mutex_unlock(&ch->lock);
	return ST_OK;
}

/* ---- reading */

void
chains_view_of(const struct row *r, struct chain_view *out)
{
	out->no = r->no;
	memcpy(out->id, r->id, CHAIN_LEN);
	memcpy(out->key, r->key, PUBKEY_LEN);
	out->count = r->count;
	out->dirty = 0;
	if (r->count > 0)
		memcpy(out->branch, r->branch,
		    r->count * sizeof(struct chain_branch));
}

bool
chains_get(
    struct chains *ch, const uint8_t id[CHAIN_LEN], struct chain_view *out)
{
	struct row *r;
	bool found;

	(void)pthread_mutex_lock(&ch->lock);
	r = table_find(ch, &ch->by_id, id);
	found = r != NULL && r->count > 0;
	if (found)
		chains_view_of(r, out);
	(void)pthread_mutex_unlock(&ch->lock);
	return found;
}

bool
chains_id(struct chains *ch, uint64_t no, uint8_t out[CHAIN_LEN])
{
	bool found;

	(void)pthread_mutex_lock(&ch->lock);
	found = no >= 1 && no <= ch->by_no_count;
	if (found)
		memcpy(out, ch->by_no[no - 1]->id, CHAIN_LEN);
	(void)pthread_mutex_unlock(&ch->lock);
	return found;
}

bool
chains_at(struct chains *ch, uint64_t n, struct chain_view *out)
{
	bool found;

	(void)pthread_mutex_lock(&ch->lock);
	found = n < ch->by_no_count;
	if (found)
		chains_view_of(ch->by_no[n], out);
	(void)pthread_mutex_unlock(&ch->lock);
	return found;
}

void
chains_key(struct chains *ch, const uint8_t key[PUBKEY_LEN], uint32_t *count,
    bool *held)
{
	const struct key_row *k;

	(void)pthread_mutex_lock(&ch->lock);
	k = chains_key_find(ch, key);
	*count = k == NULL ? 0 : k->count;
	*held = k != NULL && k->held;
	(void)pthread_mutex_unlock(&ch->lock);
}

bool
chains_quota(struct chains *ch, const uint8_t key[PUBKEY_LEN], uint64_t day,
    uint64_t bytes, uint64_t max)
{
	struct key_row *k;
	bool ok = false;

	(void)pthread_mutex_lock(&ch->lock);
	k = chains_key_make(ch, key);
	if (k != NULL) {
		if (k->day != day) {
			k->day = day;
			k->bytes = 0;
		}
		ok = bytes <= max && k->bytes <= max - bytes;
		if (ok)
			k->bytes += bytes;
	}
	(void)pthread_mutex_unlock(&ch->lock);
	return ok;
}
