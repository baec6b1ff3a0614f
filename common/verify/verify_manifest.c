/* verify_manifest: what exports said that a record was, counted again. */
#include <inttypes.h>
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
bool
verify_held_at(const struct verify *v, const uint8_t *id, uint64_t size)
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

/* ---- context: enrolments and revocations of those who wrote */

enum status
verify_note_context(struct verify *v, const struct vrow *row, bool device)
{
	struct vcontext *x;
	enum status st;

	/* Of an entry without its body no manifest knows more than we do. */
	if (v->e.body_is != ENTRY_BODY_WHOLE)
		return ST_OK;
	st = verify_room(
	    &v->context, &v->context_cap, v->context_count, sizeof(*x));
	if (st != ST_OK)
		return st;
	x = &v->context[v->context_count++];
	memset(x, 0, sizeof(*x));
	x->place = row->place;
	memcpy(x->id, row->link, ID_LEN);
	if (device)
		memcpy(x->rec, v->e.rec.p, REC_LEN);
	x->has_key = device && v->e.verb == DO_OPEN &&
		     verify_hash(&v->e, "key", x->key, PUBKEY_LEN);
	return ST_OK;
}

static bool
has_key(const struct vmanifest *m, const uint8_t *key)
{
	for (size_t i = 0; i < m->key_count; i++)
		if (memcmp(m->key[i], key, PUBKEY_LEN) == 0)
			return true;
	return false;
}

static bool
among(const char *const *recs, size_t count, const char *rec)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(recs[i], rec) == 0)
			return true;
	return false;
}

static enum status
context_true(const struct verify *v, const struct vmanifest *m, bool *yes)
{
	/* Records of devices whose keys wrote: few of many. */
	const char **recs = calloc(v->context_count + 1, sizeof(const char *));
	struct frontier f;
	uint8_t leaf[HASH_LEN], root[HASH_LEN];
	size_t count = 0;

	if (recs == NULL)
		return ST_NOMEM;
	/* A device's own record, if that is what was exported, is context
	 * whoever wrote. */
	recs[count++] = m->rec;
	for (size_t i = 0; i < v->context_count; i++)
		if (v->context[i].has_key && has_key(m, v->context[i].key) &&
		    !among(recs, count, v->context[i].rec))
			recs[count++] = v->context[i].rec;
	frontier_init(&f);
	for (size_t i = 0; i < v->context_count; i++) {
		const struct vcontext *x = &v->context[i];

		if (x->place >= m->size ||
		    (x->rec[0] != '\0' && !among(recs, count, x->rec)))
			continue;
		merkle_leaf(leaf, bytes_of(x->id, ID_LEN));
		frontier_add(&f, leaf);
	}
	frontier_root(&f, root);
	*yes = f.size == m->context &&
	       memcmp(root, m->context_root, HASH_LEN) == 0;
	free(recs);
	return ST_OK;
}

/* ---- the record */

static enum status
note_key(struct vmanifest *m, const struct vchain *c)
{
	enum status st;

	if (c == NULL || has_key(m, c->key))
		return ST_OK;
	st = verify_room(&m->key, &m->key_cap, m->key_count, PUBKEY_LEN);
	if (st == ST_OK)
		memcpy(m->key[m->key_count++], c->key, PUBKEY_LEN);
	return st;
}

static enum status
count_in(struct verify *v, struct bytes rec, const struct vrow *row, bool bare)
{
	const struct vchain *c;
	uint64_t place = row->place;
	const uint8_t *link = row->link;
	enum status st = ST_OK;

	uint8_t leaf[HASH_LEN];
	char text[REC_LEN + 1];
	size_t lo = 0, hi = v->manifest_count;

	if (rec.len != REC_LEN)
		return ST_OK;
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
		return ST_OK;
	c = verify_chain_of(v, row->no, row->branch);
	merkle_leaf(leaf, bytes_of(link, ID_LEN));
	for (; lo < v->manifest_count && st == ST_OK &&
	       strcmp(v->manifest[lo].rec, text) == 0;
	     lo++) {
		struct vmanifest *m = &v->manifest[lo];

		if (place >= m->size)
			continue;
		if (verify_lacked_at(v, place, m->size)) {
			m->later++;
			continue;
		}
		frontier_add(&m->f, leaf);
		m->got_bare += bare;
		m->got_held += verify_held_at(v, link, m->size);
		st = note_key(m, c);
	}
	return st;
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
	struct vrow row;
	struct db_stmt *s;
	struct bytes rec;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT place, flags, link, bytes, chain, branch FROM entries"
	    " WHERE place < ?1"
	    " ORDER BY place");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, below);
	while ((st = db_next(s)) == ST_OK) {
		uint64_t flags = db_u64(s, 1);
		struct bytes bytes = db_bytes(s, 3);

		if ((flags & ROW_LOST) != 0 || bytes.len == 0)
			continue;
		row.place = db_u64(s, 0);
		row.no = db_u64(s, 4);
		row.branch = (uint32_t)db_u64(s, 5);
		st = db_copy(s, 2, row.link, HASH_LEN);
		if (st == ST_OK)
			st = rec_of(v, bytes, flags, &rec);
		if (st == ST_OK)
			st = count_in(
			    v, rec, &row, (flags & ROW_MALFORMED) != 0);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT || st == ST_CORRUPT ? ST_OK : st;
}

static enum status
judge(struct verify *v, const struct vmanifest *m)
{
	uint8_t root[HASH_LEN];
	bool context = true;
	enum status st = ST_OK;

	frontier_root(&m->f, root);
	if (m->f.size != m->count || m->got_held != m->held ||
	    m->got_bare != m->bare || memcmp(root, m->root, HASH_LEN) != 0) {
		verify_say_at(v, VERIFY_MANIFEST, m->place, m->c, m->seq,
		    "虚假的导出清单：它不是这份记录当时的全部条目。",
		    "A false manifest: not all entries that the record had "
		    "below its size.");
		return ST_OK;
	}
	if (m->later > 0) {
		struct verify_finding *f = verify_say(v->r, VERIFY_FILLED,
		    "清单没有列入当时丢失、此后补来的条目，日志中有记载。",
		    "The manifest does not count entries that were lost then "
		    "and came later, by the log's own word.");

		f->has_place = true;
		f->place = m->place;
		verify_data(f, "%" PRIu64, m->later);
	}
	if (m->has_context)
		st = context_true(v, m, &context);
	if (!context)
		verify_say_at(v, VERIFY_MANIFEST, m->place, m->c, m->seq,
		    "虚假的导出清单：旁证不是当时的全部入网、吊销和描述文件条"
		    "目。",
		    "A false manifest: its context is not all the enrolments, "
		    "revocations and descriptors below its size.");
	return st;
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
	for (size_t i = 0; i < v->manifest_count && st == ST_OK; i++)
		st = judge(v, &v->manifest[i]);
	return st;
}
