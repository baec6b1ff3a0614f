#include "wire/msg.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_BYTES = 256 << 10 };

enum status
sync_msg_new(struct sync_msg **out)
{
	struct sync_msg *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return ST_NOMEM;
	arena_init(&m->arena);
	buf_init(&m->plain, FRAME_BYTES_MAX);
	cut_reader_init(&m->cut);
	*out = m;
	return ST_OK;
}

void
sync_msg_free(struct sync_msg *m)
{
	if (m == NULL)
		return;
	arena_free(&m->arena);
	buf_wipe(&m->plain);
	cut_reader_free(&m->cut);
	free(m->id);
	free(m);
}

enum status
msg_begin(struct msg_reader *r, struct wire_codec *c, struct sync_msg *m,
    const char *court, struct bytes in)
{
	enum status st;

	arena_reset(&m->arena);
	cut_reader_reset(&m->cut);
	m->piece = NULL;
	m->up = (struct sync_up){ 0 };
	m->down = (struct sync_down){ 0 };
	*r = (struct msg_reader){ .m = m, .court = court };
	st = frame_unpack(c, in, &m->plain, &r->f, &r->why);
	if (st != ST_OK)
		return st;
	m->cut.ctl = &r->f.ctl;
	m->cut.text = &r->f.text;
	m->cut.raw = &r->f.raw;
	m->cut.arena = &m->arena;
	return ST_OK;
}

enum status
msg_take(struct msg_reader *r, size_t count, size_t size, void *out)
{
	void *p = arena_take(&r->m->arena, count, size);

	if (p == NULL) {
		r->why = "out of memory";
		return ST_NOMEM;
	}
	memcpy(out, &p, sizeof(p));
	return ST_OK;
}

enum status
msg_run(struct msg_reader *r, size_t count)
{
	struct sync_msg *m = r->m;
	uint8_t(*id)[ID_LEN];
	enum status st;

	if (count > m->id_cap) {
		r->why = "out of memory";
		id = realloc(m->id, count * ID_LEN);
		if (id == NULL)
			return ST_NOMEM;
		m->id = id;
		m->id_cap = count;
	}
	st = cut_read_begin(&m->cut, r->court, count);
	if (st != ST_OK)
		r->why = m->cut.why;
	return st;
}

enum status
msg_check(struct msg_reader *r)
{
	if (!frame_bad(&r->f))
		return ST_OK;
	r->why = "frame: cut short";
	return ST_INVALID;
}

enum status
msg_seq(struct msg_reader *r, uint64_t *out)
{
	uint64_t seq = reader_varint(&r->f.ctl);

	r->why = "frame: no place in a chain";
	if (seq == 0 || seq > CUT_INT_MAX)
		return ST_INVALID;
	*out = seq;
	return ST_OK;
}

enum status
msg_single(struct msg_reader *r, const uint8_t chain[CHAIN_LEN], uint64_t seq,
    const uint8_t prev[HASH_LEN], struct wire_entry *out)
{
	struct cut_reader *cut = &r->m->cut;
	uint32_t hole = cut->hole_count;
	struct cut_sealed sealed;
	enum status st = msg_run(r, 1);

	if (st != ST_OK)
		return st;
	st = cut_read(cut, chain, seq, out, &sealed);
	if (st != ST_OK) {
		r->why = cut->why;
		return st;
	}
	(void)cut_open(cut, &sealed, hole, r->m->id, 0, seq, prev, out);
	return ST_OK;
}

enum status
msg_note(struct msg_reader *r, struct bytes *out)
{
	uint64_t len = reader_varint(&r->f.ctl);

	r->why = "frame: no note";
	if (len == 0 || len > r->f.text.left)
		return ST_INVALID;
	*out = reader_take(&r->f.text, (size_t)len);
	return ST_OK;
}

enum status
msg_proof(struct msg_reader *r, struct merkle_proof *out)
{
	enum status st =
	    frame_count(&r->f, MERKLE_PROOF_MAX, &out->count, &r->why);

	for (size_t i = 0; st == ST_OK && i < out->count; i++)
		reader_copy(&r->f.raw, out->hash[i], HASH_LEN);
	return st == ST_OK ? msg_check(r) : st;
}

enum status
msg_hashes(struct msg_reader *r, struct bytes *out)
{
	size_t count, len;
	uint8_t *p = NULL;
	enum status st = frame_count(
	    &r->f, FRAME_WIRE_BYTES_MAX / HASH_LEN, &count, &r->why);

	if (st != ST_OK)
		return st;
	len = count * HASH_LEN;
	r->why = "frame: cut short";
	if (len > r->f.raw.left)
		return ST_INVALID;
	st = msg_take(r, len, 1, &p);
	if (st != ST_OK)
		return st;
	reader_copy(&r->f.raw, p, len);
	*out = bytes_of(p, len);
	return ST_OK;
}
