/* ingest_proved: what a log that ended had proved, made ready to be committed
 * (docs/PROTOCOL.md, section 9). */
#include <stdlib.h>
#include <string.h>

#include "entry/chain.h"
#include "server/core/centre_inner.h"
#include "server/core/ingest_inner.h"

void
ingest_proved_reset(struct ingest *in)
{
	for (size_t i = 0; i < in->part_count; i++) {
		free(in->part[i].place);
		free(in->part[i].leaf);
	}
	in->part_count = in->word_count = in->other_count = 0;
}

void
ingest_proved_free(struct ingest *in)
{
	ingest_proved_reset(in);
	free(in->part);
	free(in->word);
	free(in->other);
}

/* Room for one more of `size`. */
static enum status
grow(void *array, size_t *cap, size_t count, size_t size)
{
	void **p = array;
	size_t want = *cap == 0 ? 8 : *cap * 2;
	void *grown;

	if (count < *cap)
		return ST_OK;
	grown = realloc(*p, want * size);
	if (grown == NULL)
		return ST_NOMEM;
	*p = grown;
	*cap = want;
	return ST_OK;
}

enum status
ingest_proved(
    struct ingest *in, const struct wire_proved *w, size_t *no, uint64_t *kept)
{
	struct ingest_part p = { .w = w };
	enum status st =
	    grow(&in->part, &in->part_cap, in->part_count, sizeof(p));

	if (st != ST_OK)
		return st;
	if (!centre_ended_note(in->c, w->note, &p.cp, kept))
		return ST_DENIED;
	p.place = calloc(w->count, sizeof(*p.place));
	p.leaf = calloc(w->count, HASH_LEN);
	st = p.place == NULL || p.leaf == NULL ? ST_NOMEM : ST_OK;
	for (size_t i = 0; st == ST_OK && i < w->count; i++) {
		p.place[i] = w->leaf[i].place;
		merkle_leaf(p.leaf[i], bytes_of(w->leaf[i].link, HASH_LEN));
	}
	if (st == ST_OK)
		st = merkle_check_many(w->proof, p.place,
		    (const uint8_t(*)[HASH_LEN])p.leaf, w->count, p.cp.size,
		    p.cp.root);
	if (st != ST_OK) {
		free(p.place);
		free(p.leaf);
		return st;
	}
	*no = in->part_count;
	in->part[in->part_count++] = p;
	return ST_OK;
}

/* The number of that device among the others of this request, from 1. */
static enum status
other(struct ingest *in, const struct ingest_device *dev, size_t *no)
{
	size_t i = 0;
	enum status st;

	while (i < in->other_count &&
	       memcmp(in->other[i].key, dev->key, PUBKEY_LEN) != 0)
		i++;
	*no = i + 1;
	if (i < in->other_count)
		return ST_OK;
	st = grow(&in->other, &in->other_cap, i, sizeof(*dev));
	if (st == ST_OK)
		in->other[in->other_count++] = *dev;
	return st;
}

enum status
ingest_proved_run(struct ingest *in, size_t no, const struct ingest_device *dev,
    const uint32_t *leaf, size_t count)
{
	const struct wire_leaf *all = in->part[no].w->leaf;
	const struct wire_leaf *first = &all[leaf[0]];
	struct ingest_piece *p;
	enum status st = ingest_room(in, 1, count);

	if (st != ST_OK)
		return st;
	p = &in->piece[in->piece_count];
	memset(p, 0, sizeof(*p));
	st = other(in, dev, &p->dev);
	if (st != ST_OK)
		return st;
	memcpy(p->chain, first->chain, CHAIN_LEN);
	p->first = first->seq;
	p->count = count;
	memcpy(p->base, first->prev, HASH_LEN);
	chain_link0(p->link0, in->c->court_id, dev->key, p->chain);
	p->at = in->entry_count;
	p->ack = SIZE_MAX;
	p->proved = no + 1;
	for (size_t i = 0; i < count && st == ST_OK; i++) {
		st = ingest_read(in, p, i, &all[leaf[i]].entry);
		in->entry[p->at + i].leaf_no = leaf[i];
		in->bytes += in->entry[p->at + i].bytes.len;
	}
	if (st != ST_OK)
		return st;
	in->entry_count += count;
	in->piece_count++;
	return ST_OK;
}

enum status
ingest_proved_word(struct ingest *in, size_t no, size_t leaf, const char *dev,
    enum ingest_repeat repeat, const uint8_t *after)
{
	struct ingest_word *w;
	enum status st =
	    grow(&in->word, &in->word_cap, in->word_count, sizeof(*w));

	if (st != ST_OK)
		return st;
	w = &in->word[in->word_count++];
	memset(w, 0, sizeof(*w));
	w->repeat = repeat;
	w->part = no;
	w->leaf = leaf;
	memcpy(w->dev, dev, strlen(dev) + 1);
	if (after != NULL)
		memcpy(w->after, after, ID_LEN);
	return ST_OK;
}
