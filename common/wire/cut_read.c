#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "entry/chain.h"
#include "wire/cut.h"

void
cut_reader_init(struct cut_reader *r)
{
	*r = (struct cut_reader){ .err = ST_OK };
	cut_run_init(&r->run);
}

void
cut_reader_free(struct cut_reader *r)
{
	cut_run_free(&r->run);
	free(r->hole);
	cut_reader_init(r);
}

void
cut_reader_reset(struct cut_reader *r)
{
	r->total = 0;
	r->hole_count = 0;
	r->count_max = 0;
	r->err = ST_OK;
	r->why = NULL;
}

enum status
cut_read_begin(struct cut_reader *r, const char *court, size_t count)
{
	enum status st = cut_run_begin(&r->run, court, count);

	if (st != ST_OK) {
		r->why = "out of memory";
		return st;
	}
	if (count > r->count_max)
		r->count_max = (uint32_t)count;
	return ST_OK;
}

static bool
fail(struct cut_reader *r, enum status st, const char *why)
{
	if (r->err == ST_OK) {
		r->err = st;
		r->why = why;
	}
	return false;
}

/* Make room for n more bytes of the entry. */
static bool
need(struct cut_reader *r, size_t n)
{
	size_t used = (size_t)(r->p - r->start), room;
	uint8_t *start;

	if (n <= (size_t)(r->end - r->p))
		return true;
	/* Room may lie beyond the limit; check_entry() looks at the end. */
	if (used > ENTRY_BYTES_MAX || n > ENTRY_BYTES_MAX + CUT_TEXT_MAX)
		return fail(r, ST_LIMIT, "entry: too long");
	start = arena_grow(r->arena, used, n, &room);
	if (start == NULL)
		return fail(r, ST_NOMEM, "out of memory");
	r->start = start;
	r->p = start + used;
	r->end = start + room;
	return true;
}

static bool
add_hole(struct cut_reader *r, uint32_t what)
{
	struct cut_hole *hole;
	uint32_t cap;

	if (r->hole_count == r->hole_cap) {
		cap = r->hole_cap == 0 ? 256 : 2 * r->hole_cap;
		hole = realloc(r->hole, cap * sizeof(*hole));
		if (hole == NULL)
			return fail(r, ST_NOMEM, "out of memory");
		r->hole = hole;
		r->hole_cap = cap;
	}
	r->hole[r->hole_count++] =
	    (struct cut_hole){ (uint32_t)(r->p - r->start), what };
	return true;
}

/* Sixteen or 32 bytes of raw. */
static const uint8_t *
take_raw(struct cut_reader *r, size_t len)
{
	struct bytes b = reader_take(r->raw, len);

	if (b.len != len) {
		(void)fail(r, ST_INVALID, "entry: no more binary values");
		return NULL;
	}
	return b.p;
}

static bool
take_ctl(struct cut_reader *r, uint64_t *out)
{
	*out = reader_varint(r->ctl);
	if (r->ctl->bad)
		return fail(r, ST_INVALID, "entry: no more numbers");
	return true;
}

static bool
read_place(struct cut_reader *r)
{
	r->p += cut_place(r->p, r->entry.chain, r->entry.seq);
	return true;
}

/* A text around 2 * len hex digits that are filled in later. */
static bool
put_hole(struct cut_reader *r, uint32_t what, size_t from, size_t len)
{
	r->p += from;
	if (!add_hole(r, what))
		return false;
	memset(r->p, '0', 2 * len);
	r->p += len * 2;
	return true;
}

static bool
read_body(struct cut_reader *r)
{
	if ((r->entry.used & 1u << CUT_LF) != 0)
		return fail(r, ST_INVALID, "entry: body line with its hash");
	memcpy(r->p, "\"body\":\"", 8);
	if (!put_hole(r, CUT_HOLE_BODY, 8, HASH_LEN))
		return false;
	*r->p++ = '"';
	return true;
}

static bool
read_after(struct cut_reader *r)
{
	uint32_t last = CUT_NONE;

	if (r->entry.rec != CUT_NONE)
		last = r->run.rec[r->entry.rec].last;
	if (last == CUT_NONE)
		return fail(r, ST_INVALID, "entry: after nothing");
	memcpy(r->p, "\"after\":[\"", 10);
	if (!put_hole(r, last, 10, ID_LEN))
		return false;
	*r->p++ = '"';
	*r->p++ = ']';
	return true;
}

static bool
read_salt(struct cut_reader *r)
{
	const uint8_t *salt = take_raw(r, SALT_LEN);

	if (salt == NULL)
		return false;
	r->p += cut_named_hex(r->p, "salt", salt, SALT_LEN);
	return true;
}

static bool
read_boot(struct cut_reader *r)
{
	if (!r->run.has_boot)
		return fail(r, ST_INVALID, "entry: no boot before it");
	r->p += cut_named_hex(r->p, "boot", r->run.boot, BOOT_LEN);
	return true;
}

static bool
read_boot_new(struct cut_reader *r)
{
	const uint8_t *boot = take_raw(r, BOOT_LEN);

	if (boot == NULL)
		return false;
	memcpy(r->run.boot, boot, BOOT_LEN);
	r->run.has_boot = true;
	return read_boot(r);
}

static bool
put_rec(struct cut_reader *r, uint32_t rec)
{
	cut_rec_take(&r->run, &r->entry, rec);
	r->p += cut_rec(r->p, r->run.rec[rec].id);
	return true;
}

static bool
read_rec(struct cut_reader *r)
{
	if (r->run.rec_now == CUT_NONE)
		return fail(r, ST_INVALID, "entry: no record before it");
	return put_rec(r, r->run.rec_now);
}

static bool
read_rec_known(struct cut_reader *r)
{
	uint64_t k;

	if (!take_ctl(r, &k))
		return false;
	if (k >= r->run.rec_count)
		return fail(r, ST_INVALID, "entry: no such record before it");
	return put_rec(r, (uint32_t)k);
}

static bool
read_rec_new(struct cut_reader *r)
{
	const uint8_t *id = take_raw(r, ID_LEN);
	bool added;

	if (id == NULL)
		return false;
	added = cut_rec_add(&r->run, id);
	assert(added); /* one record an entry */
	return put_rec(r, r->run.rec_count - 1);
}

static bool
read_uuid(struct cut_reader *r)
{
	const uint8_t *id = take_raw(r, ID_LEN);

	if (id == NULL)
		return false;
	r->p += cut_uuid(r->p, id);
	return true;
}

static bool
read_hex16(struct cut_reader *r)
{
	const uint8_t *p = take_raw(r, ID_LEN);

	if (p == NULL)
		return false;
	r->p += cut_hex(r->p, p, ID_LEN);
	return true;
}

static bool
read_hex32(struct cut_reader *r)
{
	const uint8_t *p = take_raw(r, HASH_LEN);

	if (p == NULL)
		return false;
	r->p += cut_hex(r->p, p, HASH_LEN);
	return true;
}

static bool
read_id(struct cut_reader *r)
{
	uint64_t k;

	if (!take_ctl(r, &k))
		return false;
	if (k > r->run.index)
		return fail(r, ST_INVALID, "entry: no entry so far before it");
	return put_hole(
	    r, k == 0 ? CUT_HOLE_PREV : r->run.index - (uint32_t)k, 0, ID_LEN);
}

static bool
read_lf(struct cut_reader *r)
{
	*r->p++ = '\n';
	return true;
}

/* The wall of the entry at hand, from ctl unless it was read already. */
static bool
take_wall(struct cut_reader *r)
{
	uint64_t step, wall;

	if (r->entry.has_wall)
		return true;
	if (!take_ctl(r, &step))
		return false;
	wall = r->run.wall + unzigzag(step);
	if (wall > CUT_INT_MAX)
		return fail(r, ST_INVALID, "entry: wall out of range");
	cut_wall_take(&r->run, &r->entry, wall);
	return true;
}

static bool
read_at(struct cut_reader *r)
{
	uint64_t step, before;
	int64_t offset;
	size_t n;

	if (!take_wall(r) || !take_ctl(r, &step) || !take_ctl(r, &before))
		return false;
	offset = (int64_t)((uint64_t)r->run.offset + unzigzag(step));
	n = cut_at(&r->run, r->p, r->entry.wall - unzigzag(before), offset);
	if (n == 0)
		return fail(r, ST_INVALID, "entry: at out of range");
	r->run.offset = (int)offset;
	r->p += n;
	return true;
}

static bool
read_wall(struct cut_reader *r)
{
	if (!take_wall(r))
		return false;
	r->p += cut_named_uint(r->p, "wall", r->entry.wall);
	return true;
}

static bool
read_mono(struct cut_reader *r)
{
	uint64_t step, mono;

	if (!take_ctl(r, &step))
		return false;
	mono = cut_mono_expect(&r->run, &r->entry) + unzigzag(step);
	if (mono > CUT_INT_MAX)
		return fail(r, ST_INVALID, "entry: mono out of range");
	r->run.mono = mono;
	r->run.has_mono = true;
	r->p += cut_named_uint(r->p, "mono", mono);
	return true;
}

static bool
read_court(struct cut_reader *r)
{
	memcpy(r->p, r->run.court, r->run.court_len);
	r->p += r->run.court_len;
	return true;
}

/* Each has CUT_TEXT_MAX bytes of room. */
typedef bool (*cut_read_fn)(struct cut_reader *r);
static const cut_read_fn cut_read_byte[CUT_COUNT] = {
	[CUT_PLACE] = read_place,
	[CUT_BODY] = read_body,
	[CUT_AFTER] = read_after,
	[CUT_SALT] = read_salt,
	[CUT_BOOT] = read_boot,
	[CUT_REC] = read_rec,
	[CUT_UUID] = read_uuid,
	[CUT_HEX16] = read_hex16,
	[CUT_ID] = read_id,
	[CUT_LF] = read_lf,
	[CUT_HEX32] = read_hex32,
	[CUT_AT] = read_at,
	[CUT_REC_KNOWN] = read_rec_known,
	[CUT_WALL] = read_wall,
	[CUT_MONO] = read_mono,
	[CUT_COURT] = read_court,
	[CUT_REC_NEW] = read_rec_new,
	[CUT_BOOT_NEW] = read_boot_new,
};

_Static_assert(CUT_TEXT_MAX >= CUT_COURT_MAX + 32, "room for the court");

/* Bytes at the front of p[len] that stand for themselves. */
static size_t
literal_len(const uint8_t *p, size_t len)
{
	size_t n = 0;
	uint64_t x;

	/* Eight at a time: a byte below 0x20 borrows into its top bit.  It may
	 * borrow from the next byte too, which the loop below looks at. */
	while (len - n >= 8) {
		memcpy(&x, p + n, 8);
		if (((x - UINT64_C(0x2020202020202020)) & ~x &
			UINT64_C(0x8080808080808080)) != 0)
			break;
		n += 8;
	}
	while (n < len && p[n] >= 0x20)
		n++;
	return n;
}

/* Text up to CUT_END, put back. */
static bool
read_text(struct cut_reader *r)
{
	struct reader *text = r->text;

	for (;;) {
		size_t n = literal_len(text->p, text->left);
		uint8_t c;

		if (!need(r, n + CUT_TEXT_MAX))
			return false;
		if (n > 0)
			memcpy(r->p, reader_take(text, n).p, n);
		r->p += n;
		c = reader_u8(text);
		if (text->bad)
			return fail(r, ST_INVALID, "entry: text ends in it");
		if (c == CUT_END)
			return true;
		if (c >= CUT_COUNT)
			return fail(r, ST_INVALID, "entry: unknown byte");
		if (!cut_use(&r->entry, (enum cut_byte)c))
			return fail(r, ST_INVALID, "entry: a member twice");
		if (!cut_read_byte[c](r))
			return false;
	}
}

static bool
read_verbatim(struct cut_reader *r)
{
	uint64_t len;
	struct bytes b;

	if (!take_ctl(r, &len))
		return false;
	if (len > ENTRY_BYTES_MAX)
		return fail(r, ST_LIMIT, "entry: too long");
	b = reader_take(r->text, (size_t)len);
	if (r->text->bad)
		return fail(r, ST_INVALID, "entry: text ends in it");
	if (!need(r, b.len))
		return false;
	if (b.len > 0)
		memcpy(r->p, b.p, b.len);
	r->p += b.len;
	return true;
}

static bool
read_form(struct cut_reader *r, struct wire_entry *out)
{
	uint8_t form = r->text->left > 0 ? r->text->p[0] : CUT_END;
	bool lf;

	out->form = WIRE_WHOLE;
	if (form >= CUT_HEAD && form <= CUT_HEAD_VERBATIM)
		(void)reader_u8(r->text);
	switch (form) {
	case CUT_LOST:
		out->form = WIRE_LOST;
		reader_copy(r->raw, out->digest, HASH_LEN);
		return !r->raw->bad ||
		       fail(r, ST_INVALID, "entry: no more binary values");
	case CUT_VERBATIM:
		return read_verbatim(r);
	case CUT_HEAD_VERBATIM:
		out->form = WIRE_HEAD;
		return read_verbatim(r);
	case CUT_HEAD:
		out->form = WIRE_HEAD;
		break;
	default:
		break;
	}
	if (!read_text(r))
		return false;
	lf = (r->entry.used & 1u << CUT_LF) != 0;
	if (lf != (form != CUT_HEAD))
		return fail(r, ST_INVALID, "entry: form and lines differ");
	if (!lf && (r->entry.used & 1u << CUT_BODY) != 0)
		return fail(r, ST_INVALID, "entry: hash of no body");
	return true;
}

/* What can be said only of the finished entry. */
static bool
check_entry(struct cut_reader *r, const struct wire_entry *out, size_t len)
{
	if (out->form == WIRE_LOST)
		return true;
	if (len == 0)
		return fail(r, ST_INVALID, "entry: empty");
	if (len > ENTRY_BYTES_MAX)
		return fail(r, ST_LIMIT, "entry: too long");
	if (len > FRAME_BYTES_MAX - r->total)
		return fail(r, ST_LIMIT, "frame: too many bytes of entries");
	if (out->form == WIRE_HEAD && memchr(r->start, '\n', len) != NULL)
		return fail(r, ST_INVALID, "entry: form and lines differ");
	r->total += len;
	return true;
}

enum status
cut_read(struct cut_reader *r, const uint8_t chain[CHAIN_LEN], uint64_t seq,
    struct wire_entry *out, struct cut_sealed *sealed)
{
	size_t len, room;

	assert(r->err == ST_OK);
	r->entry =
	    (struct cut_entry){ .chain = chain, .seq = seq, .rec = CUT_NONE };
	r->start = arena_open(r->arena, 1024, &room);
	if (r->start == NULL) {
		(void)fail(r, ST_NOMEM, "out of memory");
		return r->err;
	}
	r->p = r->start;
	r->end = r->start + room;
	(void)read_form(r, out);
	len = (size_t)(r->p - r->start);
	arena_close(r->arena, len);
	if (r->err != ST_OK || !check_entry(r, out, len))
		return r->err;
	*sealed = (struct cut_sealed){ r->start, (uint32_t)len, r->hole_count };
	cut_entry_end(&r->run, &r->entry);
	return ST_OK;
}

uint32_t
cut_open(const struct cut_reader *r, const struct cut_sealed *sealed,
    uint32_t hole, uint8_t (*id)[ID_LEN], uint32_t index, uint64_t seq,
    const uint8_t prev[HASH_LEN], struct wire_entry *out)
{
	uint8_t *p = sealed->p, hash[HASH_LEN];
	const uint8_t *lf;
	size_t head;

	for (uint32_t i = hole; i < sealed->hole_end; i++) {
		const struct cut_hole *h = &r->hole[i];

		if (h->what != CUT_HOLE_BODY)
			(void)cut_hex(p + h->at,
			    h->what == CUT_HOLE_PREV ? prev : id[h->what],
			    ID_LEN);
	}
	if (out->form != WIRE_LOST) {
		lf = memchr(p, '\n', sealed->len);
		head = lf == NULL ? sealed->len : (size_t)(lf - p);
		/* The body rests on ids, the head on the body. */
		for (uint32_t i = hole; i < sealed->hole_end; i++) {
			if (r->hole[i].what != CUT_HOLE_BODY)
				continue;
			sha256(hash,
			    bytes_of(p + head + 1, sealed->len - head - 1));
			(void)cut_hex(p + r->hole[i].at, hash, HASH_LEN);
		}
		sha256(out->digest, bytes_of(p, head));
		out->raw = bytes_of(p, sealed->len);
	}
	chain_link(out->link, prev, seq, out->digest);
	memcpy(id[index], out->link, ID_LEN);
	return sealed->hole_end;
}
