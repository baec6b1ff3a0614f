#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "entry/chain.h"
#include "entry/entry.h"
#include "wire/cut.h"

void
cut_writer_init(struct cut_writer *w)
{
	*w = (struct cut_writer){ 0 };
	cut_run_init(&w->run);
}

void
cut_writer_free(struct cut_writer *w)
{
	cut_run_free(&w->run);
	free(w->id);
	*w = (struct cut_writer){ 0 };
}

enum status
cut_write_begin(struct cut_writer *w, const char *court, size_t count)
{
	uint8_t(*id)[ID_LEN];

	if (count > w->id_cap) {
		id = realloc(w->id, count * ID_LEN);
		if (id == NULL)
			return ST_NOMEM;
		w->id = id;
		w->id_cap = count;
	}
	return cut_run_begin(&w->run, court, count);
}

static void
write_line(struct cut_line *l)
{
	struct buf *text = l->w->text;
	size_t from = 0, i = 0;

	while (i < l->src.len) {
		enum cut_byte b = CUT_END;
		size_t n = cut_try(l, i, &b);

		if (n == 0) {
			if (l->src.p[i] == '\n')
				(void)cut_use(&l->e, CUT_LF);
			i++;
			continue;
		}
		buf_add(text, l->src.p + from, i - from);
		buf_u8(text, (uint8_t)b);
		i += n;
		from = i;
	}
	buf_add(text, l->src.p + from, i - from);
	buf_u8(text, CUT_END);
}

/* Bytes below 0x20 that the entry itself holds, and LFs among them. */
static void
count_low(struct bytes in, size_t *low, size_t *lf)
{
	*low = 0;
	*lf = 0;
	for (size_t i = 0; i < in.len; i++) {
		*low += in.p[i] < 0x20;
		*lf += in.p[i] == '\n';
	}
}

static void
write_verbatim(struct cut_writer *w, enum cut_byte form, struct bytes in)
{
	buf_u8(w->text, (uint8_t)form);
	buf_varint(w->ctl, in.len);
	buf_bytes(w->text, in);
}

static enum status
write_bytes(struct cut_line *l, enum wire_form form, uint8_t digest[HASH_LEN])
{
	struct cut_writer *w = l->w;
	struct bytes in = l->src;
	const uint8_t *lf_at;
	size_t low, lf, head;

	if (in.len == 0 || in.len > ENTRY_BYTES_MAX)
		return ST_INVALID;
	if (in.len > FRAME_BYTES_MAX - w->total)
		return ST_LIMIT;
	w->total += in.len;
	count_low(in, &low, &lf);
	if (form == WIRE_HEAD && lf > 0)
		return ST_INVALID;
	lf_at = memchr(in.p, '\n', in.len);
	head = lf_at == NULL ? in.len : (size_t)(lf_at - in.p);
	sha256(digest, bytes_of(in.p, head));
	if (form == WIRE_HEAD && low > 0) {
		write_verbatim(w, CUT_HEAD_VERBATIM, in);
	} else if (form == WIRE_HEAD) {
		buf_u8(w->text, CUT_HEAD);
		write_line(l);
	} else if (low != 1 || lf != 1) {
		write_verbatim(w, CUT_VERBATIM, in);
	} else {
		l->has_body = true;
		sha256(l->body, bytes_of(in.p + head + 1, in.len - head - 1));
		write_line(l);
	}
	return ST_OK;
}

enum status
cut_write(struct cut_writer *w, const uint8_t chain[CHAIN_LEN], uint64_t seq,
    const uint8_t prev[HASH_LEN], const struct wire_entry *in,
    uint8_t link[HASH_LEN])
{
	struct cut_line l = { .w = w,
		.e = { .chain = chain, .seq = seq, .rec = CUT_NONE },
		.src = in->raw };
	uint8_t digest[HASH_LEN];
	enum status st;

	assert(w->run.index < w->id_cap);
	if (seq == 0 || seq > CUT_INT_MAX)
		return ST_INVALID;
	w->prev = prev;
	if (in->form == WIRE_LOST) {
		memcpy(digest, in->digest, HASH_LEN);
		buf_u8(w->text, CUT_LOST);
		buf_add(w->raw, digest, HASH_LEN);
	} else {
		st = write_bytes(&l, in->form, digest);
		if (st != ST_OK)
			return st;
	}
	chain_link(link, prev, seq, digest);
	memcpy(w->id[w->run.index], link, ID_LEN);
	cut_entry_end(&w->run, &l.e);
	return ST_OK;
}
