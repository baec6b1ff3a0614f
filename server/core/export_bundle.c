/* export_bundle: the file, for a manifest that is in the log. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/core/export_inner.h"
#include "verify/bundle.h"
#include "wire/arena.h"

struct writer {
	struct centre *c;
	struct centre_reader *r;
	struct store_reader *s; /* of r */
	struct pick p;
	struct entry manifest;
	struct buf manifest_bytes;
	uint64_t place; /* of the manifest */
	char rec[REC_LEN + 1];
	struct checkpoint cp;
	struct buf note, lines, proof;
	uint64_t end; /* place of the commit at hand */
	struct bundle b;
	struct arena mem; /* entries, paths */
	struct export_done *done;
};

static bool
keep(struct writer *w, struct bytes in, struct bytes *out)
{
	uint8_t *p = arena_take(&w->mem, in.len == 0 ? 1 : in.len, 1);

	if (p == NULL)
		return false;
	if (in.len > 0)
		memcpy(p, in.p, in.len);
	*out = bytes_of(p, in.len);
	return true;
}

/* ---- the manifest, read back */

static uint32_t
value(const struct entry *e, const char *name)
{
	for (size_t i = 0; i < e->on_count; i++)
		if (bytes_eq_str(e->on[i], name))
			return entry_value(e, i);
	return 0;
}

static enum status
read_manifest(struct writer *w, struct export_why *why)
{
	struct entry *e = &w->manifest;
	struct centre_entry ce;
	uint32_t rec, size;
	enum status st = centre_entry(w->r, w->place, &ce);

	if (st == ST_OK) {
		buf_bytes(&w->manifest_bytes, ce.bytes);
		st = w->manifest_bytes.err;
	}
	if (st == ST_OK)
		st = entry_parse(e, buf_view(&w->manifest_bytes));
	if (st == ST_OK && (e->body_is != ENTRY_BODY_WHOLE ||
			       !bytes_eq_str(e->kind, "manifest@1") ||
			       (ce.flags & STORE_SERVER) == 0))
		st = ST_INVALID;
	if (st == ST_ABSENT || st == ST_INVALID)
		return export_refuse(why, ST_ABSENT, "那个位置不是导出清单",
		    "there is no manifest at place %llu",
		    (unsigned long long)w->place);
	if (st != ST_OK)
		return st;
	rec = value(e, "record");
	size = value(e, "size");
	if (rec == 0 || size == 0 || value(e, "context") == 0 ||
	    json_raw(&e->body, rec).len != REC_LEN ||
	    e->body.node[size].type != JSON_INT)
		return export_refuse(why, ST_ABSENT, "清单读不出",
		    "the manifest at place %llu is of another version",
		    (unsigned long long)w->place);
	memcpy(w->rec, json_raw(&e->body, rec).p, REC_LEN);
	w->p.size = (uint64_t)e->body.node[size].num;
	return ST_OK;
}

static bool
is_withheld(const struct writer *w, const uint8_t *id)
{
	const struct json *j = &w->manifest.body;
	char hex[2 * ID_LEN + 1];
	uint32_t list;

	if (w->manifest.more == 0)
		return false;
	list = json_get_typed(j, w->manifest.more, "withheld", JSON_OBJECT);
	hex_encode(hex, bytes_of(id, ID_LEN));
	return list != 0 && json_get(j, list, hex) != 0;
}

/* A lost entry that was filled since is of the record now, and was not when the
 * court said what the record is: that file would fail its audit. */
static enum status
same_as_logged(struct writer *w, struct export_why *why)
{
	static const char *const names[] = { "root", "context_root" };
	const struct entry *e = &w->manifest;
	uint8_t now[2][HASH_LEN], was[HASH_LEN];

	pick_roots(&w->p, now[0], now[1]);
	for (size_t i = 0; i < 2; i++) {
		uint32_t n = value(e, names[i]);

		if (n == 0 || json_hex(&e->body, n, was, HASH_LEN) != ST_OK ||
		    memcmp(was, now[i], HASH_LEN) != 0)
			return export_refuse(why, ST_CONFLICT,
			    "这份清单之后补来了丢失的条目：请重新导出",
			    "a lost entry came in since this manifest was "
			    "logged: export the record anew");
	}
	/* Nor could it say why a body is not there that stood there then. */
	for (size_t i = 0; w->p.orders != NULL && i < w->p.count; i++) {
		const struct picked *x = &w->p.item[i];

		if (x->record && erasures_has(w->p.orders, x->id, NULL) &&
		    !is_withheld(w, x->id))
			return export_refuse(why, ST_CONFLICT,
			    "这份清单之后有正文依命令抹去：请重新导出",
			    "a body was erased by order since this manifest "
			    "was logged: export the record anew");
	}
	return ST_OK;
}

/* ---- runs */

/* The first item at or above a place. */
static size_t
item_from(const struct writer *w, uint64_t place)
{
	size_t lo = 0, hi = w->p.count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->p.item[mid].place < place)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct picked *
wanted(const struct writer *w, uint64_t place)
{
	size_t i = item_from(w, place);

	return i < w->p.count && w->p.item[i].place == place ? &w->p.item[i]
							     : NULL;
}

/* The least place at or above `from` that is wanted; UINT64_MAX. */
static uint64_t
next_wanted(const struct writer *w, uint64_t from)
{
	uint64_t least = w->place >= from ? w->place : UINT64_MAX;
	size_t i = item_from(w, from);

	return i < w->p.count && w->p.item[i].place < least ? w->p.item[i].place
							    : least;
}

static enum status
put_step(struct writer *w, const struct store_entry *e, bool last)
{
	const struct picked *x = wanted(w, e->place);
	struct bundle_step *s = bundle_add_step(&w->b);
	struct bytes bytes;
	bool lacking, withheld;
	enum status st;

	if (s == NULL)
		return ST_LIMIT;
	if (x == NULL && e->place != w->place && !last) {
		if ((e->flags & STORE_LOST) == 0)
			entry_digest(s->digest, e->bytes);
		else if (e->bytes.len == HASH_LEN)
			memcpy(s->digest, e->bytes.p, HASH_LEN);
		else
			return ST_CORRUPT;
		return ST_OK;
	}
	withheld = x != NULL && x->record && is_withheld(w, x->id);
	st = pick_bytes(&w->p.e, e->bytes, withheld, &bytes, &lacking);
	if (st != ST_OK)
		return st;
	/* Of a malformed entry the head alone (FORMAT.md). */
	if (x != NULL && x->bare)
		bytes = w->p.e.head_line;
	w->done->withheld += withheld;
	w->done->lacking += lacking;
	return keep(w, bytes, &s->entry) ? ST_OK : ST_NOMEM;
}

/* Places from … to, of one chain, as the next run. */
static enum status
put_run(struct writer *w, uint64_t from, uint64_t to, enum bundle_form form,
    struct bundle_run **out)
{
	struct bundle_run *r = bundle_add_run(&w->b);
	struct centre_entry ce;
	struct centre_chain ch;
	struct store_entry e;
	enum status st;

	if (r == NULL)
		return ST_LIMIT;
	r->form = form;
	r->place = from;
	r->step = w->b.step_count;
	st = centre_entry(w->r, from, &ce);
	if (st == ST_OK) {
		r->seq = ce.seq;
		memcpy(r->chain, ce.chain, CHAIN_LEN);
		memcpy(r->base, ce.prev, HASH_LEN);
		st = centre_chain(w->c, ce.chain, &ch);
	}
	if (st == ST_OK)
		memcpy(r->key, ch.key, PUBKEY_LEN);
	for (uint64_t p = from; p <= to && st == ST_OK; p++) {
		st = store_entry(w->s, p, &e);
		if (st == ST_OK)
			st = put_step(w, &e, form == BUNDLE_OWN && p == to);
	}
	r->step_count = w->b.step_count - r->step;
	*out = r;
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

/* One piece, if anything of it is wanted; *at moves behind it. */
static enum status
put_piece(struct writer *w, uint64_t index, uint64_t *at)
{
	const uint8_t *line = w->lines.p + index * BUNDLE_LINE_LEN;
	uint64_t first = be64_get(line + 32), last = be64_get(line + 40);
	uint64_t begin = *at, from = next_wanted(w, begin);
	struct bundle_run *r;
	enum status st;

	if (first == 0 || last < first)
		return ST_CORRUPT;
	*at += last - first + 1;
	if (from >= *at)
		return ST_OK;
	st = put_run(w, from, *at - 1, BUNDLE_PIECE, &r);
	if (st != ST_OK)
		return st;
	memcpy(r->salt, line, BUNDLE_LINE_SALT);
	r->first = first;
	memcpy(r->sig, line + 80, SIG_LEN);
	st = export_line_path(buf_view(&w->lines), index, &w->mem, r);
	return st == ST_OK ? export_old_proof(w->s, line, w->end, &w->mem, r)
			   : st;
}

/* All that is wanted of one commit, and its end. */
static enum status
put_commit(struct writer *w, const struct store_commit *cm)
{
	uint64_t at = cm->first, from;
	struct bundle_run *r;
	enum status st;

	buf_reset(&w->lines);
	w->end = cm->place;
	st = store_pieces(w->s, cm->place, &w->lines);
	for (uint64_t i = 0; st == ST_OK && i < cm->pieces; i++)
		st = w->lines.len == cm->pieces * BUNDLE_LINE_LEN
			 ? put_piece(w, i, &at)
			 : ST_CORRUPT;
	if (st != ST_OK)
		return st;
	from = next_wanted(w, at);
	st = put_run(
	    w, from < cm->place ? from : cm->place, cm->place, BUNDLE_OWN, &r);
	if (st == ST_OK)
		memcpy(r->sig, cm->sig, SIG_LEN);
	return st;
}

static enum status
put_runs(struct writer *w)
{
	struct store_commit cm;
	uint64_t from = 0;
	enum status st = ST_OK;

	while (st == ST_OK && (from = next_wanted(w, from)) != UINT64_MAX) {
		st = store_commit_of(w->s, from, &cm);
		if (st == ST_OK)
			st = put_commit(w, &cm);
		from = cm.place + 1;
	}
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

/* ---- ids, marks, proof */

static enum status
put_ids(struct writer *w)
{
	uint8_t *ids = arena_take(&w->mem, w->p.count + 1, ID_LEN);
	size_t n = 0;

	if (ids == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < w->p.count; i++)
		if (w->p.item[i].record)
			memcpy(ids + ID_LEN * n++, w->p.item[i].id, ID_LEN);
	w->b.ids = bytes_of(ids, n * ID_LEN);
	return ST_OK;
}

static int
u64_cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool
in_run(const struct writer *w, uint64_t place)
{
	for (size_t i = 0; i < w->b.run_count; i++)
		if (place >= w->b.run[i].place &&
		    place - w->b.run[i].place < w->b.run[i].step_count)
			return true;
	return false;
}

/* The last leaf of each tree that somebody holds the root of. */
static enum status
put_marks(struct writer *w, uint64_t *size, size_t count)
{
	struct store_entry e;
	enum status st = ST_OK;

	if (count > 0)
		qsort(size, count, sizeof(*size), u64_cmp);
	for (size_t i = 0; i < count && st == ST_OK; i++) {
		struct bundle_mark *m;

		if (size[i] == 0 || size[i] > w->cp.size ||
		    (i > 0 && size[i] == size[i - 1]) || in_run(w, size[i] - 1))
			continue;
		m = bundle_add_mark(&w->b);
		if (m == NULL)
			return ST_LIMIT;
		m->place = size[i] - 1;
		st = store_entry_head(w->s, m->place, &e);
		memcpy(m->link, e.link, HASH_LEN);
	}
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

static enum status
marks(struct writer *w, const uint64_t *sizes, size_t count)
{
	size_t n = count + w->p.seen_count;
	uint64_t *all = calloc(n + 1, sizeof(*all));
	enum status st;

	if (all == NULL)
		return ST_NOMEM;
	if (count > 0)
		memcpy(all, sizes, count * sizeof(*all));
	if (w->p.seen_count > 0)
		memcpy(all + count, w->p.seen, w->p.seen_count * sizeof(*all));
	st = put_marks(w, all, n);
	free(all);
	return st;
}

static enum status
put_proof(struct writer *w)
{
	size_t n = 0, m = 0;
	uint64_t *place =
	    calloc(w->b.step_count + w->b.mark_count, sizeof(*place));
	enum status st;

	if (place == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < w->b.run_count; i++) {
		const struct bundle_run *r = &w->b.run[i];

		while (m < w->b.mark_count && w->b.mark[m].place < r->place)
			place[n++] = w->b.mark[m++].place;
		for (size_t k = 0; k < r->step_count; k++)
			place[n++] = r->place + k;
	}
	while (m < w->b.mark_count)
		place[n++] = w->b.mark[m++].place;
	st = tlog_many(centre_tlog(w->c), place, n, w->cp.size, &w->proof);
	free(place);
	w->b.proof = buf_view(&w->proof);
	return st;
}

/* ---- all of it */

static enum status
write_all(struct writer *w, const uint64_t *sizes, size_t count,
    struct buf *out, struct export_why *why)
{
	enum status st;

	for (size_t i = 0; i < count; i++)
		if (sizes[i] > w->cp.size)
			return export_refuse(why, ST_INVALID,
			    "凭据的树比本日志还大：请先查明",
			    "an anchor of size %llu is larger than this log "
			    "(%llu): find out why first",
			    (unsigned long long)sizes[i],
			    (unsigned long long)w->cp.size);
	st = read_manifest(w, why);
	if (st != ST_OK)
		return st;
	w->p.rec = w->rec;
	st = pick_run(&w->p, w->cp.size);
	if (st == ST_OK)
		st = same_as_logged(w, why);
	if (st == ST_OK)
		st = put_runs(w);
	if (st == ST_OK)
		st = put_ids(w);
	if (st == ST_OK)
		st = marks(w, sizes, count);
	if (st == ST_OK)
		st = put_proof(w);
	if (st != ST_OK)
		return st;
	w->b.note = buf_view(&w->note);
	w->b.manifest = w->place;
	memcpy(w->done->rec, w->rec, sizeof(w->rec));
	w->done->manifest = w->place;
	w->done->size = w->cp.size;
	w->done->entries = w->p.entries;
	w->done->held = w->p.held;
	w->done->bare = w->p.bare;
	return bundle_write(&w->b, out);
}

enum status
export_bundle(struct centre *c, uint64_t place, const uint64_t *sizes,
    size_t size_count, struct buf *out, struct export_done *done,
    struct export_why *why)
{
	struct writer w = { .c = c, .place = place, .done = done };
	enum status st;

	memset(done, 0, sizeof(*done));
	pick_init(&w.p, c, "");
	entry_init(&w.manifest);
	buf_init(&w.manifest_bytes, ENTRY_BYTES_MAX);
	buf_init(&w.note, NOTE_BYTES_MAX);
	buf_init(&w.lines, BUNDLE_BYTES_MAX);
	buf_init(&w.proof, BUNDLE_BYTES_MAX);
	bundle_init(&w.b);
	arena_init(&w.mem);
	centre_poll(c);
	st = centre_checkpoint(c, &w.note, &w.cp);
	if (st == ST_OK)
		st = centre_reader_open(&w.r, c);
	if (st == ST_OK) {
		w.s = centre_reader_store(w.r);
		st = write_all(&w, sizes, size_count, out, why);
	}
	if (st == ST_LIMIT)
		st = export_refuse(why, ST_LIMIT, "记录太大，一个导出件装不下",
		    "the record is larger than one bundle holds");
	centre_reader_close(w.r);
	arena_free(&w.mem);
	bundle_free(&w.b);
	buf_free(&w.proof);
	buf_free(&w.lines);
	buf_free(&w.note);
	buf_free(&w.manifest_bytes);
	entry_free(&w.manifest);
	pick_free(&w.p);
	return st;
}
