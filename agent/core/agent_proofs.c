/*
 * agent_proofs: what proved what others wrote, kept until the centre has it
 * safe, and handed in if its log ends before (docs/PROTOCOL.md, section 9).
 *
 * A row for each part of a stream, numbered, in settings of the sealed log. The
 * oldest go where there is no room; losing one costs what only a restore would
 * have brought back.  What is handed in goes with the answer to the request
 * that brought it, so a crash in between brings it twice, and never loses it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "entry/chain.h"

enum {
	VERSION = 1,
	ROWS_MAX = 4096,
	ROWS_BYTES_MAX = 16 << 20,
	REQUEST_LEAVES = 2000,
	REQUEST_BYTES = 512 << 10,
	SCAN_MAX = 256, /* rows looked at for one request */
	PASS_SIGNED = 0,
	PASS_ALL = 1
};

#define CONF_PARTS "parts"
#define CONF_RETURN "return"

struct ring {
	uint64_t first, next, bytes;
};

/* How far parts below `end` were handed in. */
struct way {
	uint64_t kept, end, at;
	uint8_t pass;
};

static const char *
row_name(char out[32], uint64_t n)
{
	(void)snprintf(out, 32, "part/%" PRIu64, n);
	return out;
}

static enum status
numbers_get(struct agent *a, const char *name, uint64_t *n, size_t count)
{
	struct buf b;
	enum status st;

	buf_init(&b, 256);
	st = log_conf_get(a->log, name, &b);
	if (st == ST_OK && (b.len != 1 + 8 * count || b.p[0] != VERSION))
		st = ST_ABSENT; /* nothing to go by: begin anew */
	for (size_t i = 0; st == ST_OK && i < count; i++)
		n[i] = be64_get(b.p + 1 + 8 * i);
	buf_free(&b);
	return st;
}

static enum status
numbers_put(struct agent *a, const char *name, const uint64_t *n, size_t count)
{
	uint8_t bytes[1 + 8 * 4];

	bytes[0] = VERSION;
	for (size_t i = 0; i < count; i++)
		be64_put(bytes + 1 + 8 * i, n[i]);
	return log_conf_put(a->log, name, bytes_of(bytes, 1 + 8 * count));
}

static enum status
ring_get(struct agent *a, struct ring *r)
{
	uint64_t n[3] = { 0 };
	enum status st = numbers_get(a, CONF_PARTS, n, 3);

	*r = (struct ring){ n[0], n[1], n[2] };
	return st == ST_ABSENT || st == ST_CORRUPT ? ST_OK : st;
}

static enum status
ring_put(struct agent *a, const struct ring *r)
{
	const uint64_t n[3] = { r->first, r->next, r->bytes };

	return numbers_put(a, CONF_PARTS, n, 3);
}

static enum status
way_get(struct agent *a, struct way *w)
{
	uint64_t n[4] = { 0 };
	enum status st = numbers_get(a, CONF_RETURN, n, 4);

	*w = (struct way){ n[0], n[1], n[2], (uint8_t)n[3] };
	return st == ST_CORRUPT ? ST_ABSENT : st;
}

static enum status
way_put(struct agent *a, const struct way *w)
{
	const uint64_t n[4] = { w->kept, w->end, w->at, w->pass };

	return numbers_put(a, CONF_RETURN, n, 4);
}

/* ---- keeping */

enum status
agent_proof_write(struct agent *a, const struct wire_part *p, struct bytes note,
    struct buf *out)
{
	size_t fixed = 1 + 10 + note.len + 10 + p->proof.len;
	struct buf row;

	if (p->count == 0 || p->entry[p->count - 1].place < a->kept)
		return ST_OK;
	buf_init(&row, fixed + p->count * (8 + HASH_LEN + 1 + SIG_LEN));
	buf_u8(&row, VERSION);
	buf_sized(&row, note);
	buf_varint(&row, p->count);
	for (size_t i = 0; i < p->count; i++) {
		const struct wire_stream_entry *e = &p->entry[i];
		bool is_signed = (e->flags & STREAM_SIGNED) != 0;

		buf_u64(&row, e->place);
		buf_add(&row, e->entry.link, HASH_LEN);
		buf_u8(&row, is_signed);
		if (is_signed)
			buf_add(&row, e->sig, SIG_LEN);
	}
	buf_bytes(&row, p->proof);
	buf_sized(out, buf_view(&row));
	if (row.err != ST_OK)
		out->err = row.err;
	buf_free(&row);
	return out->err;
}

static enum status
row_drop(struct agent *a, struct ring *r)
{
	char name[32];
	struct buf b;
	enum status st;

	row_name(name, r->first++);
	buf_init(&b, LOG_CONF_MAX);
	st = log_conf_get(a->log, name, &b);
	if (st == ST_OK)
		r->bytes -= b.len < r->bytes ? b.len : r->bytes;
	buf_free(&b);
	if (st == ST_OK || st == ST_CORRUPT)
		st = log_conf_drop(a->log, name);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
agent_proof_keep(struct agent *a, struct bytes proved)
{
	struct reader r;
	struct ring ring;
	char name[32];
	enum status st;

	if (proved.len == 0)
		return ST_OK;
	st = ring_get(a, &ring);
	reader_init(&r, proved);
	while (st == ST_OK && r.left > 0) {
		struct bytes row = reader_sized(&r, AGENT_PENDING_MAX);

		if (r.bad)
			return ST_CORRUPT;
		st = log_conf_put(a->log, row_name(name, ring.next), row);
		ring.next++;
		ring.bytes += row.len;
		while (st == ST_OK && ring.next - ring.first > 1 &&
		       (ring.next - ring.first > ROWS_MAX ||
			   ring.bytes > ROWS_BYTES_MAX))
			st = row_drop(a, &ring);
	}
	return st == ST_OK ? ring_put(a, &ring) : st;
}

/* ---- reading a row */

struct row {
	struct bytes note, hashes;
	struct reader leaves;
	uint64_t count;
};

static enum status
row_read(struct row *out, struct bytes in)
{
	struct reader r;
	struct reader skip;

	reader_init(&r, in);
	if (reader_u8(&r) != VERSION)
		return ST_CORRUPT;
	out->note = reader_sized(&r, NOTE_BYTES_MAX);
	out->count = reader_varint(&r);
	if (r.bad || out->count == 0 || out->count > ANSWER_ENTRIES_MAX)
		return ST_CORRUPT;
	out->leaves = skip = r;
	for (uint64_t i = 0; i < out->count && !skip.bad; i++) {
		(void)reader_take(&skip, 8 + HASH_LEN);
		if (reader_u8(&skip) != 0)
			(void)reader_take(&skip, SIG_LEN);
	}
	out->hashes = reader_take(&skip, skip.left);
	return skip.bad || out->hashes.len % HASH_LEN != 0 ? ST_CORRUPT : ST_OK;
}

/* The place of its last leaf. */
static uint64_t
row_last(const struct row *w)
{
	struct reader r = w->leaves;
	uint64_t place = 0;

	for (uint64_t i = 0; i < w->count; i++) {
		place = reader_u64(&r);
		(void)reader_take(&r, HASH_LEN);
		if (reader_u8(&r) != 0)
			(void)reader_take(&r, SIG_LEN);
	}
	return place;
}

enum status
agent_proof_tidy(struct agent *a)
{
	struct ring ring;
	struct way way;
	struct row row;
	char name[32];
	struct buf b;
	uint64_t had;
	enum status st = ring_get(a, &ring);

	/* What is to be handed in is of another log's places. */
	if (st == ST_OK && way_get(a, &way) == ST_OK)
		return ST_OK;
	buf_init(&b, LOG_CONF_MAX);
	had = ring.first;
	while (st == ST_OK && ring.first < ring.next) {
		buf_reset(&b);
		st = log_conf_get(a->log, row_name(name, ring.first), &b);
		if (st == ST_OK && row_read(&row, buf_view(&b)) == ST_OK &&
		    row_last(&row) >= a->kept)
			break;
		if (st == ST_OK || st == ST_ABSENT || st == ST_CORRUPT)
			st = row_drop(a, &ring);
	}
	buf_free(&b);
	return st == ST_OK && ring.first != had ? ring_put(a, &ring) : st;
}

/* ---- handing in */

enum status
agent_hand_in(struct agent *a, uint64_t kept)
{
	struct ring ring;
	struct way was, way = { .kept = kept };
	enum status st = ring_get(a, &ring);

	if (st != ST_OK || ring.first == ring.next)
		return st;
	/* One was under way: its places are of yet another log. */
	if (way_get(a, &was) == ST_OK)
		way.kept = 0;
	way.end = ring.next;
	way.at = ring.first;
	return way_put(a, &way);
}

bool
agent_handing_in(struct agent *a)
{
	struct way way;

	return way_get(a, &way) == ST_OK;
}

void
agent_handing_init(struct handing *h)
{
	memset(h, 0, sizeof(*h));
	buf_init(&h->bytes, 16 << 20);
}

void
agent_handing_free(struct handing *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->part[i].leaf);
	h->count = 0;
	buf_wipe(&h->bytes);
}

/* A leaf as it is sent: as an entry where it is one that counts, and we have
 * it.  Its bytes go into h->bytes; `raw` gets its pointer later. */
static enum status
take_leaf(struct agent *a, struct handing *h, const struct way *way,
    struct reader *r, struct wire_leaf *l, size_t *entries)
{
	struct log_foreign f;
	bool is_signed;
	enum status st;

	memset(l, 0, sizeof(*l));
	l->place = reader_u64(r);
	reader_copy(r, l->link, HASH_LEN);
	is_signed = reader_u8(r) != 0;
	if (is_signed)
		reader_copy(r, l->sig, SIG_LEN);
	if (l->place < way->kept || (way->pass == PASS_SIGNED && !is_signed))
		return ST_OK;
	memset(&f, 0, sizeof(f));
	st = log_foreign_get(a->log, l->link, &f, &h->bytes);
	if (st == ST_ABSENT || st == ST_CORRUPT)
		return ST_OK; /* an own one, one of a scope we left … */
	if (st != ST_OK || f.raw.len == 0)
		return st;
	l->has_entry = true;
	l->has_sig = is_signed;
	memcpy(l->chain, f.chain, CHAIN_LEN);
	l->seq = f.seq;
	memcpy(l->prev, f.prev, HASH_LEN);
	l->entry.raw.len = f.raw.len;
	++*entries;
	return ST_OK;
}

/* One row becomes a part, if there is an entry to be sent. */
static enum status
take_row(struct agent *a, struct handing *h, const struct way *way,
    struct bytes in, size_t *leaves)
{
	struct wire_proved *p = &h->part[h->count];
	size_t entries = 0, start = h->bytes.len;
	struct row row;
	enum status st = row_read(&row, in);

	if (st != ST_OK)
		return ST_OK; /* it rotted */
	p->leaf = calloc(row.count, sizeof(*p->leaf));
	if (p->leaf == NULL)
		return ST_NOMEM;
	p->count = (size_t)row.count;
	p->note.len = row.note.len;
	p->proof.len = row.hashes.len;
	buf_bytes(&h->bytes, row.note);
	buf_bytes(&h->bytes, row.hashes);
	for (size_t i = 0; i < p->count && st == ST_OK; i++)
		st = take_leaf(a, h, way, &row.leaves, &p->leaf[i], &entries);
	if (st == ST_OK && entries > 0) {
		h->count++;
		*leaves += p->count;
		return h->bytes.err;
	}
	free(p->leaf);
	memset(p, 0, sizeof(*p));
	h->bytes.len = start;
	return st;
}

/* The bytes stand still: lengths become ranges, in the order they went in. */
static void
set_ranges(struct handing *h)
{
	const uint8_t *at = h->bytes.p;

	for (size_t i = 0; i < h->count; i++) {
		struct wire_proved *p = &h->part[i];

		p->note.p = at;
		at += p->note.len;
		p->proof.p = at;
		at += p->proof.len;
		for (size_t k = 0; k < p->count; k++) {
			struct wire_entry *e = &p->leaf[k].entry;

			if (!p->leaf[k].has_entry)
				continue;
			e->raw.p = at;
			at += e->raw.len;
			e->form = memchr(e->raw.p, '\n', e->raw.len) == NULL
				      ? WIRE_HEAD
				      : WIRE_WHOLE;
		}
	}
}

enum status
agent_handing_load(struct agent *a, struct handing *h)
{
	size_t leaves = 0, scanned = 0;
	struct way way;
	char name[32];
	struct buf b;
	enum status st = way_get(a, &way);

	if (st != ST_OK)
		return st == ST_ABSENT ? ST_OK : st;
	h->any = true;
	buf_init(&b, LOG_CONF_MAX);
	while (way.at < way.end && h->count < PROVED_MAX &&
	       leaves < REQUEST_LEAVES && h->bytes.len < REQUEST_BYTES &&
	       scanned++ < SCAN_MAX) {
		buf_reset(&b);
		st = log_conf_get(a->log, row_name(name, way.at), &b);
		if (st == ST_OK)
			st = take_row(a, h, &way, buf_view(&b), &leaves);
		if (st == ST_ABSENT || st == ST_CORRUPT)
			st = ST_OK;
		if (st != ST_OK)
			break;
		way.at++;
	}
	buf_wipe(&b);
	h->at = way.at;
	h->pass = way.pass;
	set_ranges(h);
	return st;
}

enum status
agent_handing_done(struct agent *a, const struct handing *h, bool *more)
{
	struct way way;
	struct ring ring;
	enum status st;

	*more = false;
	if (!h->any)
		return ST_OK;
	st = way_get(a, &way);
	if (st == ST_OK)
		st = ring_get(a, &ring);
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_OK : st;
	way.at = h->at;
	if (way.at >= way.end && way.pass == PASS_SIGNED) {
		way.pass = PASS_ALL;
		way.at = ring.first;
	}
	st = log_batch_begin(a->log);
	if (st != ST_OK)
		return st;
	while (st == ST_OK && way.pass == PASS_ALL && ring.first < way.at)
		st = row_drop(a, &ring);
	if (st == ST_OK)
		st = ring_put(a, &ring);
	*more = way.at < way.end;
	if (st == ST_OK)
		st = *more ? way_put(a, &way)
			   : log_conf_drop(a->log, CONF_RETURN);
	if (st == ST_OK)
		st = log_batch_commit(a->log);
	if (st != ST_OK)
		log_batch_rollback(a->log);
	return st;
}
