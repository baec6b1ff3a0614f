#include "wire/frame.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

enum {
	/* Work buffers beyond this are given back after a message. */
	KEEP_BYTES = 256 << 10,
	/* zstd's worst case is a little more than what goes in. */
	PACK_SLACK = 64 << 10,
};

enum status
wire_codec_new(struct wire_codec **out)
{
	struct wire_codec *c = calloc(1, sizeof(*c));
	enum status st;

	if (c == NULL)
		return ST_NOMEM;
	st = zdict_new(&c->z);
	if (st != ST_OK) {
		free(c);
		return st;
	}
	buf_init(&c->ctl, FRAME_BYTES_MAX);
	buf_init(&c->text, FRAME_BYTES_MAX);
	buf_init(&c->raw, FRAME_WIRE_BYTES_MAX);
	buf_init(&c->plain, FRAME_BYTES_MAX);
	buf_init(&c->packed, FRAME_BYTES_MAX + PACK_SLACK);
	cut_writer_init(&c->cut);
	c->cut.ctl = &c->ctl;
	c->cut.text = &c->text;
	c->cut.raw = &c->raw;
	*out = c;
	return ST_OK;
}

void
wire_codec_free(struct wire_codec *c)
{
	if (c == NULL)
		return;
	zdict_free(c->z);
	buf_wipe(&c->ctl);
	buf_wipe(&c->text);
	buf_wipe(&c->raw);
	buf_wipe(&c->plain);
	buf_wipe(&c->packed);
	cut_writer_free(&c->cut);
	free(c);
}

uint32_t
wire_dict_newest(const struct wire_codec *c)
{
	return zdict_newest(c->z);
}

static void
empty(struct buf *b)
{
	if (b->cap > KEEP_BYTES)
		buf_wipe(b);
	else if (b->len > 0)
		sodium_memzero(b->p, b->len);
	buf_reset(b);
}

void
frame_begin(struct wire_codec *c)
{
	empty(&c->ctl);
	empty(&c->text);
	empty(&c->raw);
	empty(&c->plain);
	empty(&c->packed);
	c->cut.total = 0;
}

/* The first failure of the streams. */
static enum status
streams_err(const struct wire_codec *c)
{
	if (c->ctl.err != ST_OK)
		return c->ctl.err;
	if (c->text.err != ST_OK)
		return c->text.err;
	return c->raw.err;
}

enum status
frame_pack(struct wire_codec *c, uint32_t dict, enum zdict_effort effort,
    struct buf *out)
{
	size_t before = out->len;
	enum status st = streams_err(c);

	assert(out->err == ST_OK);
	buf_sized(&c->plain, buf_view(&c->ctl));
	buf_bytes(&c->plain, buf_view(&c->text));
	if (st == ST_OK)
		st = c->plain.err;
	if (st == ST_OK)
		st = zdict_pack(
		    c->z, dict, effort, buf_view(&c->plain), &c->packed);
	if (st == ST_OK) {
		buf_u8(out, FRAME_VERSION);
		buf_sized(out, buf_view(&c->packed));
		buf_bytes(out, buf_view(&c->raw));
		st = out->err;
	}
	if (st == ST_OK && out->len - before > FRAME_WIRE_BYTES_MAX)
		st = ST_LIMIT;
	if (st != ST_OK) {
		out->len = before;
		out->err = ST_OK;
	}
	frame_begin(c);
	return st;
}

enum status
frame_unpack(struct wire_codec *c, struct bytes in, struct buf *plain,
    struct frame *out, const char **why)
{
	struct reader r, text;
	struct bytes z, ctl;
	uint8_t version;
	enum status st;

	empty(plain);
	*why = "frame: too large";
	if (in.len > FRAME_WIRE_BYTES_MAX)
		return ST_LIMIT;
	reader_init(&r, in);
	version = reader_u8(&r);
	*why = "frame: unknown version";
	if (version > FRAME_VERSION)
		return ST_NEWER;
	z = reader_sized(&r, FRAME_WIRE_BYTES_MAX);
	*why = "frame: cut short";
	if (r.bad || version != FRAME_VERSION)
		return ST_INVALID;
	st = zdict_unpack(c->z, z, plain, &out->dict, why);
	if (st != ST_OK)
		return st;
	reader_init(&text, buf_view(plain));
	ctl = reader_sized(&text, FRAME_BYTES_MAX);
	*why = "frame: cut short";
	if (text.bad)
		return ST_INVALID;
	reader_init(&out->ctl, ctl);
	out->text = text;
	out->raw = r;
	return ST_OK;
}

enum status
frame_section(struct frame *f, uint64_t *tag, uint64_t tag_max, bool *more,
    const char **why)
{
	uint64_t next;

	if (f->ctl.left == 0) {
		*why = "frame: bytes left over";
		if (f->text.left > 0 || f->raw.left > 0)
			return ST_INVALID;
		*more = false;
		return ST_OK;
	}
	next = reader_varint(&f->ctl);
	*why = "frame: sections out of order";
	if (f->ctl.bad || next <= *tag)
		return ST_INVALID;
	*why = "frame: unknown section";
	if (next > tag_max)
		return ST_NEWER;
	*tag = next;
	*more = true;
	return ST_OK;
}

bool
frame_bad(const struct frame *f)
{
	return f->ctl.bad || f->text.bad || f->raw.bad;
}

enum status
frame_count(struct frame *f, size_t max, size_t *out, const char **why)
{
	uint64_t n = reader_varint(&f->ctl);

	*why = "frame: cut short";
	if (f->ctl.bad)
		return ST_INVALID;
	*why = "frame: a count over its limit";
	if (n > max)
		return ST_LIMIT;
	*why = "frame: fewer things than stated";
	if (n > f->ctl.left + f->text.left + f->raw.left)
		return ST_INVALID;
	*out = (size_t)n;
	return ST_OK;
}
