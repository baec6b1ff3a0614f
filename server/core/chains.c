#include "server/core/chains.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_MIN = 64 };

/* One chain.  count 0: staged once, never committed. */
struct row {
	struct chain_view *staged; /* owned; the committer's, or NULL */
	uint64_t no;
	uint8_t id[CHAIN_LEN];
	uint8_t key[PUBKEY_LEN];
	uint32_t count;
	struct chain_branch *branch; /* owned; count of them */
};

/* One device key. */
struct key_row {
	uint8_t key[PUBKEY_LEN];
	uint32_t count; /* chains */
	bool held;
	bool staged_held;
	uint64_t day, bytes; /* delivered that day */
};

/* Open addressing over pointers to rows that begin, at `off`, with the bytes
 * that name them.  Nothing is ever taken out. */
struct table {
	void **slot;
	size_t cap, count;
	size_t off, len;
};

struct chains {
	pthread_mutex_t lock;
	uint8_t seed[crypto_shorthash_KEYBYTES];
	struct table by_id, by_key;
	struct row **by_no; /* owned array of rows of by_id; index no - 1 */
	uint64_t by_no_count, by_no_cap;
	struct row **stage; /* rows with a staged copy */
	size_t stage_count, stage_cap;
	uint64_t next_no; /* staged */
	bool stage_holds; /* some key has a staged hold */
};

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
	wider.cap = t->cap == 0 ? TABLE_MIN : t->cap * 2;
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

static struct key_row *
key_find(struct chains *ch, const uint8_t *key)
{
	return table_find(ch, &ch->by_key, key);
}

static struct key_row *
key_make(struct chains *ch, const uint8_t *key)
{
	struct key_row *k = key_find(ch, key);

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

static enum status
by_no_room(struct chains *ch, uint64_t no)
{
	uint64_t cap = ch->by_no_cap == 0 ? TABLE_MIN : ch->by_no_cap;
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

static struct row *
row_make(struct chains *ch, const uint8_t *id, const uint8_t *key)
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
	r = row_make(ch, c->id, c->key);
	k = key_make(ch, c->key);
	if (r == NULL || k == NULL || by_no_room(ch, c->no) != ST_OK)
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

static void
view_of(const struct row *r, struct chain_view *out)
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
		view_of(r, out);
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
		view_of(ch->by_no[n], out);
	(void)pthread_mutex_unlock(&ch->lock);
	return found;
}

void
chains_key(struct chains *ch, const uint8_t key[PUBKEY_LEN], uint32_t *count,
    bool *held)
{
	const struct key_row *k;

	(void)pthread_mutex_lock(&ch->lock);
	k = key_find(ch, key);
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
	k = key_make(ch, key);
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

/* ---- writing */

static struct chain_view *
stage_copy(struct chains *ch, struct row *r)
{
	struct chain_view *v;
	struct row **p;

	if (ch->stage_count == ch->stage_cap) {
		size_t cap = ch->stage_cap == 0 ? TABLE_MIN : ch->stage_cap * 2;

		p = realloc(ch->stage, cap * sizeof(struct row *));
		if (p == NULL)
			return NULL;
		ch->stage = p;
		ch->stage_cap = cap;
	}
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return NULL;
	view_of(r, v);
	r->staged = v;
	ch->stage[ch->stage_count++] = r;
	return v;
}

struct chain_view *
chains_stage(struct chains *ch, const uint8_t id[CHAIN_LEN],
    const uint8_t key[PUBKEY_LEN])
{
	struct chain_view *v = NULL;
	struct row *r;

	(void)pthread_mutex_lock(&ch->lock);
	r = row_make(ch, id, key);
	if (r != NULL && r->count == 0 && r->staged == NULL)
		memcpy(r->key, key, PUBKEY_LEN); /* left by a rollback */
	if (r != NULL)
		v = r->staged != NULL ? r->staged : stage_copy(ch, r);
	(void)pthread_mutex_unlock(&ch->lock);
	return v;
}

void
chains_begin(
    struct chains *ch, struct chain_view *v, const uint8_t link0[HASH_LEN])
{
	assert(v->count == 0);
	v->no = ch->next_no++;
	v->count = 1;
	v->dirty = 1;
	memcpy(v->branch[0].base_link, link0, HASH_LEN);
	memcpy(v->branch[0].last_link, link0, HASH_LEN);
}

bool
chains_staged_held(struct chains *ch, const uint8_t key[PUBKEY_LEN])
{
	const struct key_row *k;
	bool held;

	(void)pthread_mutex_lock(&ch->lock);
	k = key_find(ch, key);
	held = k != NULL && (k->held || k->staged_held);
	(void)pthread_mutex_unlock(&ch->lock);
	return held;
}

enum status
chains_stage_hold(struct chains *ch, const uint8_t key[PUBKEY_LEN])
{
	struct key_row *k;

	(void)pthread_mutex_lock(&ch->lock);
	k = key_make(ch, key);
	if (k != NULL)
		k->staged_held = ch->stage_holds = true;
	(void)pthread_mutex_unlock(&ch->lock);
	return k == NULL ? ST_NOMEM : ST_OK;
}

static enum status
put_branch(const struct chain_view *v, uint32_t n, struct store *s)
{
	const struct chain_branch *b = &v->branch[n];
	struct store_chain c = { .no = v->no, .branch = n };

	memcpy(c.id, v->id, CHAIN_LEN);
	memcpy(c.key, v->key, PUBKEY_LEN);
	c.parent = b->parent;
	c.base_seq = b->base_seq;
	memcpy(c.base_link, b->base_link, HASH_LEN);
	c.last_seq = b->last_seq;
	memcpy(c.last_link, b->last_link, HASH_LEN);
	c.last_place = b->last_place;
	c.status = b->status;
	return store_put_chain(s, &c);
}

enum status
chains_put(struct chains *ch, struct store *s)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < ch->stage_count && st == ST_OK; i++) {
		const struct chain_view *v = ch->stage[i]->staged;

		for (uint32_t b = 0; b < v->count && st == ST_OK; b++)
			if ((v->dirty >> b & 1) != 0)
				st = put_branch(v, b, s);
	}
	return st;
}

/* Everything that publishing needs must be there before the transaction
 * commits, for it must not fail afterwards. */
static enum status
publish_room(struct chains *ch)
{
	for (size_t i = 0; i < ch->stage_count; i++) {
		struct row *r = ch->stage[i];
		struct chain_branch *b;

		if (r->staged->count == 0)
			continue;
		if (r->count == 0 &&
		    (key_make(ch, r->key) == NULL ||
			by_no_room(ch, r->staged->no) != ST_OK))
			return ST_NOMEM;
		b = realloc(r->branch, r->staged->count * sizeof(*b));
		if (b == NULL)
			return ST_NOMEM;
		r->branch = b;
	}
	return ST_OK;
}

enum status
chains_ready(struct chains *ch)
{
	enum status st;

	(void)pthread_mutex_lock(&ch->lock);
	st = publish_room(ch);
	(void)pthread_mutex_unlock(&ch->lock);
	return st;
}

static void
publish_row(struct chains *ch, struct row *r)
{
	const struct chain_view *v = r->staged;

	if (v->count == 0)
		return; /* looked at, never begun */
	if (r->count == 0) {
		struct key_row *k = key_find(ch, r->key);

		assert(k != NULL && v->no <= ch->by_no_cap);
		k->count++;
		r->no = v->no;
		ch->by_no[v->no - 1] = r;
		if (ch->by_no_count < v->no)
			ch->by_no_count = v->no;
	}
	memcpy(r->branch, v->branch, v->count * sizeof(*r->branch));
	r->count = v->count;
}

static void
stage_end(struct chains *ch, bool publish)
{
	(void)pthread_mutex_lock(&ch->lock);
	for (size_t i = 0; i < ch->stage_count; i++) {
		struct row *r = ch->stage[i];

		if (publish)
			publish_row(ch, r);
		free(r->staged);
		r->staged = NULL;
	}
	ch->stage_count = 0;
	ch->next_no = ch->by_no_count + 1;
	for (size_t i = 0; ch->stage_holds && i < ch->by_key.cap; i++) {
		struct key_row *k = ch->by_key.slot[i];

		if (k == NULL || !k->staged_held)
			continue;
		k->held = k->held || publish;
		k->staged_held = false;
	}
	ch->stage_holds = false;
	(void)pthread_mutex_unlock(&ch->lock);
}

void
chains_publish(struct chains *ch)
{
	stage_end(ch, true);
}

void
chains_rollback(struct chains *ch)
{
	stage_end(ch, false);
}
