/* export_pick: what of the whole log belongs into one record's bundle. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "server/core/export_inner.h"
#include "tlog/merkle.h"

void
pick_init(struct pick *p, struct centre *c, const char *rec)
{
	memset(p, 0, sizeof(*p));
	p->c = c;
	p->rec = rec;
	entry_init(&p->e);
}

void
pick_free(struct pick *p)
{
	free(p->item);
	free(p->seen);
	free(p->device);
	free(p->word);
	erasures_free(p->orders);
	free(p->later);
	entry_free(&p->e);
	memset(p, 0, sizeof(*p));
}

/* Room for one more of `size` bytes in *array. */
static enum status
room(void *array, size_t *cap, size_t count, size_t size)
{
	void **at = array, *grown;
	size_t want = *cap == 0 ? 64 : *cap * 2;

	if (count < *cap)
		return ST_OK;
	grown = realloc(*at, want * size);
	if (grown == NULL)
		return ST_NOMEM;
	*at = grown;
	*cap = want;
	return ST_OK;
}

/* `word` stands in the head line, or might stand there escaped. */
static bool
may_name(struct bytes line, const char *word)
{
	size_t len = strlen(word);

	if (memchr(line.p, '\\', line.len) != NULL)
		return true;
	for (const uint8_t *at = line.p;
	     (at = memchr(at, word[0], line.len - (size_t)(at - line.p))) !=
	     NULL;
	     at++) {
		if (line.len - (size_t)(at - line.p) < len)
			return false;
		if (memcmp(at, word, len) == 0)
			return true;
	}
	return false;
}

static struct bytes
head_line(struct bytes raw)
{
	const uint8_t *lf = raw.len == 0 ? NULL : memchr(raw.p, '\n', raw.len);

	return bytes_of(raw.p, lf == NULL ? raw.len : (size_t)(lf - raw.p));
}

enum status
pick_bytes(struct entry *e, struct bytes raw, bool withheld, struct bytes *out,
    bool *lacking)
{
	enum status st = entry_parse(e, raw);
	uint8_t hash[HASH_LEN];
	bool keep = st == ST_OK && !withheld && raw.len > e->head_line.len;

	if (st != ST_OK && st != ST_INVALID)
		return st;
	if (keep) {
		sha256(hash, e->body_line);
		keep = memcmp(hash, e->body_hash, HASH_LEN) == 0;
	}
	*out = keep ? raw : e->head_line;
	*lacking = st == ST_OK && !keep && !withheld;
	return ST_OK;
}

/* ---- one entry */

static enum status
add(struct pick *p, const struct centre_entry *ce, struct picked **out)
{
	enum status st = room(&p->item, &p->cap, p->count, sizeof(*p->item));

	if (st != ST_OK)
		return st;
	*out = &p->item[p->count++];
	memset(*out, 0, sizeof(**out));
	(*out)->place = ce->place;
	memcpy((*out)->id, ce->link, ID_LEN);
	memcpy((*out)->chain, ce->chain, CHAIN_LEN);
	return ST_OK;
}

static enum status
note_words(struct pick *p)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < p->e.on_count && st == ST_OK; i++) {
		st = room(
		    &p->word, &p->word_cap, p->word_count, sizeof(*p->word));
		if (st != ST_OK)
			break;
		p->word[p->word_count].admit = p->e.verb == DO_ADMIT;
		if (hex_decode(p->word[p->word_count].id, ID_LEN, p->e.on[i]) ==
		    ST_OK)
			p->word_count++;
	}
	return st;
}

static enum status
of_record(struct pick *p, const struct centre_entry *ce)
{
	struct picked *x;
	struct bytes bytes;
	enum status st = entry_parse(&p->e, ce->bytes);

	if (st != ST_OK && st != ST_INVALID)
		return st;
	if (!path_is_rec(p->e.rec) || !bytes_eq_str(p->e.rec, p->rec))
		return ST_OK;
	st = add(p, ce, &x);
	if (st != ST_OK)
		return st;
	x->record = true;
	x->bare = (ce->flags & STORE_MALFORMED) != 0;
	p->entries++;
	p->bare += x->bare;
	if (!x->bare && (ce->flags & STORE_SERVER) != 0 &&
	    (p->e.verb == DO_HOLD || p->e.verb == DO_ADMIT))
		st = note_words(p);
	if (!x->bare && st == ST_OK && p->e.has_seen && p->e.seen_size > 0) {
		st = room(
		    &p->seen, &p->seen_cap, p->seen_count, sizeof(*p->seen));
		if (st == ST_OK)
			p->seen[p->seen_count++] = p->e.seen_size;
	}
	if (st == ST_OK && !x->bare) {
		st = pick_bytes(&p->e, ce->bytes, false, &bytes, &x->lacking);
		p->lacking += x->lacking;
	}
	return st;
}

static enum status
note_device(struct pick *p)
{
	struct pick_device *d;
	enum status st;

	st = room(
	    &p->device, &p->device_cap, p->device_count, sizeof(*p->device));
	if (st != ST_OK)
		return st;
	d = &p->device[p->device_count];
	for (size_t i = 0; i < p->e.on_count; i++) {
		if (!bytes_eq_str(p->e.on[i], "key") ||
		    json_hex(&p->e.body, entry_value(&p->e, i), d->key,
			PUBKEY_LEN) != ST_OK)
			continue;
		memset(d->rec, 0, sizeof(d->rec));
		memcpy(d->rec, p->e.rec.p, REC_LEN);
		d->wrote = false;
		p->device_count++;
		break;
	}
	return ST_OK;
}

/* Descriptors, restores, and what might turn out to be of a device that wrote
 * in the record. */
static enum status
of_court(struct pick *p, const struct centre_entry *ce)
{
	struct picked *x;
	bool device;
	enum status st = entry_parse(&p->e, ce->bytes);

	if (st == ST_INVALID)
		return ST_OK;
	if (st != ST_OK || p->e.body_is != ENTRY_BODY_WHOLE)
		return st;
	device = bytes_eq_str(p->e.kind, "device@1") &&
		 (p->e.verb == DO_OPEN || p->e.verb == DO_ADVANCE);
	if (!device && (p->e.verb != DO_OPEN ||
			   (!bytes_eq_str(p->e.kind, "descriptor@1") &&
			       !bytes_eq_str(p->e.kind, "restored@1"))))
		return ST_OK;
	/* A device's record itself may be what is exported. */
	if (p->count > 0 && p->item[p->count - 1].place == ce->place) {
		x = &p->item[p->count - 1];
	} else {
		st = add(p, ce, &x);
		if (st != ST_OK)
			return st;
	}
	x->context = true;
	if (device)
		memcpy(x->device, p->e.rec.p, REC_LEN);
	return device && p->e.verb == DO_OPEN ? note_device(p) : ST_OK;
}

/* An order to erase: bodies that lack for it lack lawfully. */
static enum status
of_erasing(struct pick *p, const struct centre_entry *ce)
{
	enum status st = entry_parse(&p->e, ce->bytes);

	if (st == ST_OK && p->orders == NULL)
		st = erasures_new(&p->orders);
	if (st == ST_OK)
		st = erasures_take(p->orders, &p->e, ce->link, ce->place, NULL);
	return st == ST_INVALID ? ST_OK : st;
}

/* A place that was lost when the record was counted, and is not now. */
static enum status
of_filling(struct pick *p, const struct centre_entry *ce)
{
	enum status st = entry_parse(&p->e, ce->bytes);
	const struct json_node *n;

	if (st == ST_INVALID || (st == ST_OK && p->e.on_count != 3))
		return ST_OK;
	if (st != ST_OK || !bytes_eq_str(p->e.on[0], "place") ||
	    p->e.body_is != ENTRY_BODY_WHOLE ||
	    !json_is(&p->e.body, entry_value(&p->e, 2), "lost"))
		return st;
	n = &p->e.body.node[entry_value(&p->e, 0)];
	st = room(&p->later, &p->later_cap, p->later_count, sizeof(*p->later));
	if (st == ST_OK && n->type == JSON_INT && n->num >= 0)
		p->later[p->later_count++] = (uint64_t)n->num;
	return st;
}

static enum status
one(struct pick *p, const struct centre_entry *ce)
{
	struct bytes line = head_line(ce->bytes);
	enum status st = ST_OK;

	if ((ce->flags & STORE_LOST) != 0)
		return ST_OK;
	if (ce->place < p->size && may_name(line, p->rec))
		st = of_record(p, ce);
	if (st == ST_OK && (ce->flags & STORE_SERVER) != 0 &&
	    (ce->flags & STORE_MALFORMED) == 0 &&
	    (may_name(line, "\"device@1\"") ||
		may_name(line, "\"descriptor@1\"") ||
		may_name(line, "\"restored@1\"")))
		st = of_court(p, ce);
	if (st == ST_OK && (ce->flags & STORE_SERVER) != 0 &&
	    may_name(line, "\"" ERASE_KIND "\""))
		st = of_erasing(p, ce);
	if (st == ST_OK && (ce->flags & STORE_SERVER) != 0 &&
	    ce->place >= p->size && may_name(line, "\"filled@1\""))
		st = of_filling(p, ce);
	return st;
}

/* ---- what is left when all is read */

/* Whose keys signed entries of the record? */
static enum status
mark_devices(struct pick *p)
{
	const struct picked *before = NULL;
	struct centre_chain ch;
	enum status st;

	for (size_t i = 0; i < p->count; i++) {
		const struct picked *x = &p->item[i];

		if (!x->record ||
		    (before != NULL &&
			memcmp(before->chain, x->chain, CHAIN_LEN) == 0))
			continue;
		before = x;
		st = centre_chain(p->c, x->chain, &ch);
		if (st != ST_OK)
			return st == ST_ABSENT ? ST_CORRUPT : st;
		for (size_t d = 0; d < p->device_count; d++)
			if (memcmp(ch.key, p->device[d].key, PUBKEY_LEN) == 0)
				p->device[d].wrote = true;
	}
	return ST_OK;
}

static bool
wrote(const struct pick *p, const char *rec)
{
	for (size_t d = 0; d < p->device_count; d++)
		if (p->device[d].wrote && strcmp(p->device[d].rec, rec) == 0)
			return true;
	return false;
}

/* What came later is of the record now, and was not when it was counted. */
static void
forget_later(struct pick *p)
{
	for (size_t k = 0; k < p->later_count; k++) {
		for (size_t i = 0; i < p->count; i++) {
			struct picked *x = &p->item[i];

			if (!x->record || x->place != p->later[k])
				continue;
			x->record = false;
			p->entries--;
			p->bare -= x->bare;
			p->lacking -= x->lacking;
		}
	}
}

/* Drop what is of devices that have no part in the record. */
static void
sift(struct pick *p)
{
	size_t keep = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct picked *x = &p->item[i];

		/* A device's record that is itself exported is context all
		 * the same: a reader cannot tell it from the rest. */
		if (x->context && x->device[0] != '\0')
			x->context = x->record || (x->place < p->size &&
						      wrote(p, x->device));
		p->context += x->context && x->place < p->size;
		if (x->record || x->context)
			p->item[keep++] = *x;
	}
	p->count = keep;
}

static void
mark_held(struct pick *p)
{
	for (size_t w = 0; w < p->word_count; w++)
		for (size_t i = 0; i < p->count; i++)
			if (p->item[i].record &&
			    memcmp(p->item[i].id, p->word[w].id, ID_LEN) == 0)
				p->item[i].held = !p->word[w].admit;
	for (size_t i = 0; i < p->count; i++)
		p->held += p->item[i].held;
}

enum status
pick_run(struct pick *p, uint64_t to)
{
	struct centre_reader *r;
	struct centre_scan *sc;
	struct centre_entry ce;
	enum status st = centre_reader_open(&r, p->c);

	if (st != ST_OK)
		return st;
	st = centre_scan_open(&sc, r, 0, to);
	if (st == ST_OK) {
		while ((st = centre_scan_next(sc, &ce)) == ST_OK) {
			st = one(p, &ce);
			if (st != ST_OK)
				break;
		}
		centre_scan_close(sc);
	}
	centre_reader_close(r);
	if (st != ST_ABSENT)
		return st == ST_OK ? ST_CORRUPT : st;
	forget_later(p);
	st = mark_devices(p);
	if (st != ST_OK)
		return st;
	sift(p);
	mark_held(p);
	return ST_OK;
}

void
pick_roots(
    const struct pick *p, uint8_t record[HASH_LEN], uint8_t context[HASH_LEN])
{
	struct frontier f[2];
	uint8_t leaf[HASH_LEN];

	frontier_init(&f[0]);
	frontier_init(&f[1]);
	for (size_t i = 0; i < p->count; i++) {
		const struct picked *x = &p->item[i];

		merkle_leaf(leaf, bytes_of(x->id, ID_LEN));
		if (x->record)
			frontier_add(&f[0], leaf);
		if (x->context && x->place < p->size)
			frontier_add(&f[1], leaf);
	}
	frontier_root(&f[0], record);
	frontier_root(&f[1], context);
}
