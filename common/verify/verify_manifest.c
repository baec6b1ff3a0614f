/* verify_manifest: what exports said that a record was, counted again. */
#include <stdlib.h>
#include <string.h>

#include "verify/verify_impl.h"

static int
by_rec(const void *a, const void *b)
{
	const struct vmanifest *x = a, *y = b;
	int n = strcmp(x->rec, y->rec);

	if (n != 0)
		return n;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* The last word that the log had on an id at a size: was it `hold`? */
static bool
held_at(const struct verify *v, const uint8_t *id, uint64_t size)
{
	size_t lo = 0, hi = v->hold_count;
	bool held = false;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(v->hold[mid].id, id, ID_LEN) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < v->hold_count && memcmp(v->hold[lo].id, id, ID_LEN) == 0 &&
	       v->hold[lo].place < size;
	     lo++)
		held = !v->hold[lo].admit;
	return held;
}

static void
count_in(struct verify *v, struct bytes rec, uint64_t place,
    const uint8_t link[HASH_LEN], bool bare)
{
	uint8_t leaf[HASH_LEN];
	char text[REC_LEN + 1];
	size_t lo = 0, hi = v->manifest_count;

	if (rec.len != REC_LEN)
		return;
	memcpy(text, rec.p, REC_LEN);
	text[REC_LEN] = '\0';
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(v->manifest[mid].rec, text) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == v->manifest_count || strcmp(v->manifest[lo].rec, text) != 0)
		return;
	merkle_leaf(leaf, bytes_of(link, ID_LEN));
	for (; lo < v->manifest_count && strcmp(v->manifest[lo].rec, text) == 0;
	     lo++) {
		struct vmanifest *m = &v->manifest[lo];

		if (place >= m->size)
			continue;
		frontier_add(&m->f, leaf);
		m->got_bare += bare;
		m->got_held += held_at(v, link, m->size);
	}
}

/* Heads name their record; where nothing in the line is escaped it stands as
 * it is, and the line need not be read. */
static enum status
rec_of(struct verify *v, struct bytes bytes, uint64_t flags, struct bytes *rec)
{
	static const char name[] = "\"rec\":\"";
	const uint8_t *lf = memchr(bytes.p, '\n', bytes.len), *at;
	size_t len = lf == NULL ? bytes.len : (size_t)(lf - bytes.p);
	enum status st;

	*rec = bytes_of(NULL, 0);
	if ((flags & ROW_MALFORMED) == 0 &&
	    memchr(bytes.p, '\\', len) == NULL) {
		for (at = bytes.p; (at = memchr(at, '"',
					len - (size_t)(at - bytes.p))) != NULL;
		     at++) {
			size_t left = len - (size_t)(at - bytes.p);

			if (left < sizeof(name) - 1 + REC_LEN)
				return ST_OK;
			if (memcmp(at, name, sizeof(name) - 1) == 0) {
				*rec = bytes_of(at + sizeof(name) - 1, REC_LEN);
				return ST_OK;
			}
		}
		return ST_OK;
	}
	st = entry_parse(&v->e, bytes);
	if (st == ST_INVALID)
		st = ST_OK;
	if (st == ST_OK && path_is_rec(v->e.rec))
		*rec = v->e.rec;
	return st;
}

static enum status
count_all(struct verify *v, uint64_t below)
{
	uint8_t link[HASH_LEN];
	struct db_stmt *s;
	struct bytes rec;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT place, flags, link, bytes FROM entries WHERE place < ?1"
	    " ORDER BY place");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, below);
	while ((st = db_next(s)) == ST_OK) {
		uint64_t flags = db_u64(s, 1);
		struct bytes bytes = db_bytes(s, 3);

		if ((flags & ROW_LOST) != 0 || bytes.len == 0)
			continue;
		st = db_copy(s, 2, link, HASH_LEN);
		if (st == ST_OK)
			st = rec_of(v, bytes, flags, &rec);
		if (st != ST_OK)
			break;
		count_in(
		    v, rec, db_u64(s, 0), link, (flags & ROW_MALFORMED) != 0);
	}
	db_done(s);
	return st == ST_ABSENT || st == ST_CORRUPT ? ST_OK : st;
}

enum status
verify_manifests(struct verify *v)
{
	uint64_t below = 0;
	enum status st;

	if (v->manifest_count == 0)
		return ST_OK;
	qsort(v->manifest, v->manifest_count, sizeof(*v->manifest), by_rec);
	for (size_t i = 0; i < v->manifest_count; i++) {
		frontier_init(&v->manifest[i].f);
		if (v->manifest[i].size > below)
			below = v->manifest[i].size;
	}
	st = count_all(v, below);
	for (size_t i = 0; i < v->manifest_count && st == ST_OK; i++) {
		const struct vmanifest *m = &v->manifest[i];
		uint8_t root[HASH_LEN];

		frontier_root(&m->f, root);
		if (m->f.size == m->count && m->got_held == m->held &&
		    m->got_bare == m->bare &&
		    memcmp(root, m->root, HASH_LEN) == 0)
			continue;
		verify_say_at(v, VERIFY_MANIFEST, m->place, m->c, m->seq,
		    "虚假的导出清单：它不是这份记录当时的全部条目。",
		    "A false manifest: not all entries that the record had "
		    "below its size.");
	}
	return st;
}
