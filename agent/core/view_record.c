/* view_record: one record's entries, folded and shown. */
#include <stdlib.h>
#include <string.h>

#include "agent/core/view_impl.h"
#include "base/enc.h"
#include "entry/merge.h"

enum { RECORD_BYTES_MAX = 256 << 20 };

void
view_loaded_free(struct view_loaded *l)
{
	merge_free(l->merge);
	buf_wipe(&l->bytes);
	free(l->row);
}

static enum status
take_row(struct view_loaded *l, const struct db_stmt *s)
{
	struct view_row *r;
	enum status st;

	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 16 : l->cap * 2;
		struct view_row *bigger =
		    realloc(l->row, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		l->row = bigger;
		l->cap = cap;
	}
	r = &l->row[l->count];
	st = db_copy(s, 0, r->id, ID_LEN);
	if (st != ST_OK)
		return st;
	r->flags = (unsigned)db_i64(s, 1);
	r->place = db_is_null(s, 2) ? VIEW_NO_PLACE : db_u64(s, 2);
	r->off = l->bytes.len;
	buf_bytes(&l->bytes, db_bytes(s, 3));
	r->len = l->bytes.len - r->off;
	l->count++;
	return l->bytes.err;
}

static enum status
read_rows(struct view *v, int64_t record, struct view_loaded *l)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT id, flags, place, bytes FROM entry WHERE record = ?1");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, record);
	while ((st = db_next(s)) == ST_OK) {
		st = take_row(l, s);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

unsigned
view_merge_flags(const struct view_loaded *l, size_t i)
{
	unsigned flags = 0;

	if (l->row[i].flags & VIEW_SERVER)
		flags |= MERGE_SERVER;
	if (l->row[i].flags & VIEW_BARE)
		flags |= MERGE_BARE;
	return flags;
}

struct bytes
view_row_raw(const struct view_loaded *l, size_t i)
{
	return bytes_of(l->bytes.p + l->row[i].off, l->row[i].len);
}

static enum status
fold(struct view_loaded *l)
{
	enum status st = merge_new(&l->merge);

	for (size_t i = 0; st == ST_OK && i < l->count; i++) {
		st = merge_add(l->merge, l->row[i].id, view_row_raw(l, i),
		    view_merge_flags(l, i));
	}
	return st == ST_OK ? merge_run(l->merge) : st;
}

/* Load and fold; on ST_OK the caller frees. */
enum status
view_load(struct view *v, const char *rec, struct view_loaded *l)
{
	struct db_stmt *s;
	int64_t record = 0;
	enum status st;

	memset(l, 0, sizeof(*l));
	buf_init(&l->bytes, RECORD_BYTES_MAX);
	st = db_query(&s, v->db, "SELECT n, kind FROM record WHERE rec = ?1");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(rec));
	st = db_next(s);
	if (st == ST_OK) {
		struct bytes kind = db_bytes(s, 1);

		record = db_i64(s, 0);
		if (kind.len < sizeof(l->kind) && kind.len > 0)
			memcpy(l->kind, kind.p, kind.len);
	}
	db_done(s);
	if (st == ST_OK)
		st = read_rows(v, record, l);
	if (st == ST_OK)
		st = fold(l);
	if (st != ST_OK)
		view_loaded_free(l);
	return st;
}

enum status
view_state(struct view *v, const char *rec, struct buf *out)
{
	struct view_loaded l;
	enum status st = view_load(v, rec, &l);

	if (st != ST_OK)
		return st;
	st = merge_state(l.merge, out);
	view_loaded_free(&l);
	return st;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, ID_LEN);
}

/* The latest AFTER_COUNT_MAX of more heads than that: the rest stay concurrent
 * with the next entry, so that nothing of theirs is taken for settled. */
static void
latest_heads(const struct merge *m, const uint8_t (*heads)[ID_LEN],
    size_t count, uint8_t after[AFTER_COUNT_MAX][ID_LEN])
{
	size_t n = 0, taken = 0;
	const uint8_t(*order)[ID_LEN] = merge_order(m, &n);

	while (n > 0 && taken < AFTER_COUNT_MAX) {
		n--;
		if (bsearch(order[n], heads, count, ID_LEN, by_id) != NULL)
			memcpy(after[taken++], order[n], ID_LEN);
	}
	qsort(after, taken, ID_LEN, by_id);
}

enum status
view_heads(struct view *v, const char *rec, struct view_heads *out)
{
	const uint8_t(*heads)[ID_LEN];
	struct view_loaded l;
	size_t n = 0;
	enum status st = view_load(v, rec, &l);

	if (st != ST_OK)
		return st;
	heads = merge_heads(l.merge, &n);
	out->partial = n > AFTER_COUNT_MAX;
	out->count = out->partial ? AFTER_COUNT_MAX : n;
	if (out->partial)
		latest_heads(l.merge, heads, n, out->after);
	else if (n > 0)
		memcpy(out->after, heads, n * ID_LEN);
	memcpy(out->kind, l.kind, sizeof(l.kind));
	view_loaded_free(&l);
	return ST_OK;
}

enum status
view_shown(struct view *v, const char *rec, struct bytes kind,
    const struct bytes *parts, size_t part_count, uint8_t out[HASH_LEN])
{
	struct view_loaded l;
	enum status st = view_load(v, rec, &l);

	if (st != ST_OK)
		return st;
	st = merge_shown(l.merge, kind, parts, part_count, out);
	view_loaded_free(&l);
	return st;
}

/* ---- history */

static size_t
row_of(const struct view_loaded *l, const uint8_t id[ID_LEN])
{
	for (size_t i = 0; i < l->count; i++) {
		if (memcmp(l->row[i].id, id, ID_LEN) == 0)
			return i;
	}
	return l->count;
}

/* A place that we know, or an own entry below a receipt: its place in the log
 * is proved, its number may not have been told. */
bool
view_in_log(const struct view *v, unsigned flags, uint64_t place)
{
	if (place != VIEW_NO_PLACE)
		return true;
	for (size_t i = 0; (flags & VIEW_OWN) != 0 && i < v->ack_count; i++) {
		if (memcmp(v->ack[i].chain, v->entry.chain, CHAIN_LEN) == 0)
			return v->entry.seq <= v->ack[i].seq;
	}
	return false;
}

/* v->entry is that row, parsed. */
static void
put_entry(const struct view *v, const struct view_loaded *l, size_t i,
    struct buf *out)
{
	struct bytes raw = view_row_raw(l, i);
	const uint8_t *lf = memchr(raw.p, '\n', raw.len);
	size_t head = lf == NULL ? raw.len : (size_t)(lf - raw.p);

	buf_str(out, "{\"bare\":");
	buf_str(out, (l->row[i].flags & VIEW_BARE) != 0 ? "true" : "false");
	buf_str(out, ",\"body\":");
	if (lf == NULL)
		buf_str(out, "null");
	else
		buf_add(out, lf + 1, raw.len - head - 1);
	buf_str(out, ",\"head\":");
	buf_add(out, raw.p, head);
	buf_str(out, ",\"id\":");
	json_put_hex(out, bytes_of(l->row[i].id, ID_LEN));
	buf_str(out, ",\"in_log\":");
	buf_str(out, view_in_log(v, l->row[i].flags, l->row[i].place)
			 ? "true"
			 : "false");
	buf_str(out, ",\"own\":");
	buf_str(out, (l->row[i].flags & VIEW_OWN) != 0 ? "true" : "false");
	buf_str(out, ",\"place\":");
	if (l->row[i].place == VIEW_NO_PLACE)
		buf_str(out, "null");
	else
		json_put_int(out, (int64_t)l->row[i].place);
	buf_u8(out, '}');
}

enum status
view_history(struct view *v, const char *rec, struct buf *out)
{
	const uint8_t(*order)[ID_LEN];
	struct view_loaded l;
	size_t n = 0;
	enum status st = view_load(v, rec, &l);

	if (st != ST_OK)
		return st;
	order = merge_order(l.merge, &n);
	buf_u8(out, '[');
	for (size_t i = 0; i < n; i++) {
		size_t at = row_of(&l, order[i]);

		/* A malformed line is no JSON that we could print. */
		if (at == l.count ||
		    entry_parse(&v->entry, view_row_raw(&l, at)) != ST_OK)
			continue;
		if (out->p[out->len - 1] != '[')
			buf_u8(out, ',');
		put_entry(v, &l, at, out);
	}
	buf_u8(out, ']');
	view_loaded_free(&l);
	return out->err;
}
