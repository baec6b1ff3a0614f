#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
	r->err = ST_OK;
	r->why = NULL;
}

enum status
cut_read_begin(struct cut_reader *r, const char *court, size_t count)
{
	enum status st = cut_run_begin(&r->run, court, count);

	if (st != ST_OK)
		r->why = "out of memory";
	return st;
}

bool
cut_fail(struct cut_reader *r, enum status st, const char *why)
{
	if (r->err == ST_OK) {
		r->err = st;
		r->why = why;
	}
	return false;
}

bool
cut_take_ctl(struct cut_reader *r, uint64_t *out)
{
	*out = reader_varint(r->ctl);
	if (r->ctl->bad)
		return cut_fail(r, ST_INVALID, "entry: no more numbers");
	return true;
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
		return cut_fail(r, ST_LIMIT, "entry: too long");
	start = arena_grow(r->arena, used, n, &room);
	if (start == NULL)
		return cut_fail(r, ST_NOMEM, "out of memory");
	r->start = start;
	r->p = start + used;
	r->end = start + room;
	return true;
}

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
			return cut_fail(
			    r, ST_INVALID, "entry: text ends in it");
		if (c == CUT_END)
			return true;
		if (c >= CUT_COUNT)
			return cut_fail(r, ST_INVALID, "entry: unknown byte");
		if (!cut_use(&r->entry, (enum cut_byte)c))
			return cut_fail(r, ST_INVALID, "entry: a member twice");
		if (!cut_put_back(r, (enum cut_byte)c))
			return false;
	}
}

static bool
read_verbatim(struct cut_reader *r)
{
	uint64_t len;
	struct bytes b;

	if (!cut_take_ctl(r, &len))
		return false;
	if (len > ENTRY_BYTES_MAX)
		return cut_fail(r, ST_LIMIT, "entry: too long");
	b = reader_take(r->text, (size_t)len);
	if (r->text->bad)
		return cut_fail(r, ST_INVALID, "entry: text ends in it");
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
		       cut_fail(r, ST_INVALID, "entry: no more binary values");
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
		return cut_fail(r, ST_INVALID, "entry: form and lines differ");
	if (!lf && (r->entry.used & 1u << CUT_BODY) != 0)
		return cut_fail(r, ST_INVALID, "entry: hash of no body");
	return true;
}

/* What can be said only of the finished entry. */
static bool
check_entry(struct cut_reader *r, const struct wire_entry *out, size_t len)
{
	if (out->form == WIRE_LOST)
		return true;
	if (len == 0)
		return cut_fail(r, ST_INVALID, "entry: empty");
	if (len > ENTRY_BYTES_MAX)
		return cut_fail(r, ST_LIMIT, "entry: too long");
	if (len > FRAME_BYTES_MAX - r->total)
		return cut_fail(
		    r, ST_LIMIT, "frame: too many bytes of entries");
	if (out->form == WIRE_HEAD && memchr(r->start, '\n', len) != NULL)
		return cut_fail(r, ST_INVALID, "entry: form and lines differ");
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
		(void)cut_fail(r, ST_NOMEM, "out of memory");
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
