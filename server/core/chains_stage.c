/* chains_stage: the committer's copies, until its transaction has gone. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/chains_inner.h"

static struct chain_view *
stage_copy(struct chains *ch, struct row *r)
{
	struct chain_view *v;
	struct row **p;

	if (ch->stage_count == ch->stage_cap) {
		size_t cap =
		    ch->stage_cap == 0 ? CHAINS_TABLE_MIN : ch->stage_cap * 2;

		p = realloc(ch->stage, cap * sizeof(struct row *));
		if (p == NULL)
			return NULL;
		ch->stage = p;
		ch->stage_cap = cap;
	}
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return NULL;
	chains_view_of(r, v);
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
	r = chains_row_make(ch, id, key);
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
	k = chains_key_find(ch, key);
	held = k != NULL && (k->held || k->staged_held);
	(void)pthread_mutex_unlock(&ch->lock);
	return held;
}

enum status
chains_stage_hold(struct chains *ch, const uint8_t key[PUBKEY_LEN])
{
	struct key_row *k;

	(void)pthread_mutex_lock(&ch->lock);
	k = chains_key_make(ch, key);
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
		    (chains_key_make(ch, r->key) == NULL ||
			chains_no_room(ch, r->staged->no) != ST_OK))
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
		struct key_row *k = chains_key_find(ch, r->key);

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
