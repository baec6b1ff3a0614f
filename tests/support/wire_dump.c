#include "support/wire_dump.h"

#include "support/expect.h"

static void
put_hex(struct buf *out, const char *name, const void *p, size_t len)
{
	buf_printf(out, " %s ", name);
	buf_hex(out, bytes_of(p, len));
}

static void
put_number(struct buf *out, const char *name, uint64_t v)
{
	buf_printf(out, " %s %llu", name, (unsigned long long)v);
}

static void
put_line(struct buf *out, const char *name)
{
	buf_printf(out, "%s", name);
}

static void
end(struct buf *out)
{
	buf_u8(out, '\n');
}

/* Printable text as it is, with what is not in hex. */
static void
put_text(struct buf *out, struct bytes in)
{
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.p[i];

		if (c < 0x20 || c == '\\' || c >= 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_u8(out, c);
	}
}

static void
put_entry(struct buf *out, const struct wire_entry *e)
{
	static const char *const form[] = { "whole", "head", "lost" };

	buf_printf(out, "  %s", form[e->form]);
	put_hex(out, "digest", e->digest, HASH_LEN);
	put_hex(out, "link", e->link, HASH_LEN);
	put_number(out, "bytes", e->raw.len);
	end(out);
	if (e->raw.len > 0) {
		put_line(out, "    ");
		put_text(out, e->raw);
		end(out);
	}
}

static void
put_proof(struct buf *out, const char *name, const uint8_t *p, size_t len)
{
	put_line(out, name);
	for (size_t i = 0; i < len; i += HASH_LEN)
		put_hex(out, "hash", p + i, HASH_LEN);
	end(out);
}

static void
put_note(struct buf *out, struct bytes note)
{
	put_line(out, "note ");
	put_text(out, note);
	end(out);
}

static void
put_place(struct buf *out, const uint8_t chain[CHAIN_LEN], uint64_t seq)
{
	put_hex(out, "chain", chain, CHAIN_LEN);
	put_number(out, "seq", seq);
}

static void
put_proved(struct buf *out, const struct wire_proved *p)
{
	put_line(out, "proved");
	put_number(out, "leaves", p->count);
	put_hex(out, "proof", p->proof.p, p->proof.len);
	end(out);
	put_note(out, p->note);
	for (size_t i = 0; i < p->count; i++) {
		const struct wire_leaf *l = &p->leaf[i];

		put_line(out, "leaf");
		put_number(out, "place", l->place);
		put_hex(out, "link", l->link, HASH_LEN);
		if (l->has_entry) {
			put_place(out, l->chain, l->seq);
			put_hex(out, "prev", l->prev, HASH_LEN);
		}
		if (l->has_sig)
			put_hex(out, "sig", l->sig, SIG_LEN);
		end(out);
		if (l->has_entry)
			put_entry(out, &l->entry);
	}
}

void
wire_dump_up(const struct sync_up *up, struct buf *out)
{
	for (size_t i = 0; i < up->piece_count; i++) {
		const struct wire_piece *p = &up->piece[i];

		EXPECT(!p->sealed);
		put_line(out, "piece");
		put_place(out, p->chain, p->first);
		put_number(out, "stated", p->has_base);
		put_number(out, "hole", p->hole);
		put_hex(out, "base", p->base, HASH_LEN);
		put_hex(out, "sig", p->sig, SIG_LEN);
		end(out);
		for (size_t j = 0; j < p->count; j++)
			put_entry(out, &p->entry[j]);
	}
	for (size_t i = 0; i < up->hint_count; i++) {
		const struct wire_hint *h = &up->hint[i];

		put_line(out, "hint");
		put_place(out, h->chain, h->seq);
		put_hex(out, "prev", h->prev, HASH_LEN);
		put_hex(out, "sig", h->sig, SIG_LEN);
		end(out);
		put_entry(out, &h->entry);
	}
	if (up->has_checkpoint) {
		put_line(out, "checkpoint");
		put_number(out, "size", up->size);
		put_hex(out, "root", up->root16, ID_LEN);
		end(out);
	}
	if (up->has_clock) {
		put_line(out, "clock");
		put_number(out, "ms", up->clock_ms);
		end(out);
	}
	if (up->note.len > 0)
		put_note(out, up->note);
	for (size_t i = 0; i < up->cursor_count; i++) {
		put_line(out, "cursor");
		put_hex(out, "scope", up->cursor[i].scope, ID_LEN);
		put_number(out, "place", up->cursor[i].place);
		put_number(out, "sub", up->cursor[i].sub);
		end(out);
	}
	for (size_t i = 0; i < up->returned_count; i++) {
		const struct wire_returned *e = &up->returned[i];

		put_line(out, "returned");
		put_number(out, "place", e->place);
		put_place(out, e->chain, e->seq);
		put_hex(out, "prev", e->prev, HASH_LEN);
		put_hex(out, "sig", e->sig, SIG_LEN);
		end(out);
		put_entry(out, &e->entry);
	}
	for (size_t i = 0; i < up->proved_count; i++)
		put_proved(out, &up->proved[i]);
}

static void
put_part(struct buf *out, const struct wire_part *p)
{
	put_line(out, "part");
	put_hex(out, "scope", p->scope, ID_LEN);
	put_number(out, "place", p->place);
	put_number(out, "sub", p->sub);
	put_number(out, "more", p->more);
	end(out);
	for (size_t i = 0; i < p->count; i++) {
		const struct wire_stream_entry *e = &p->entry[i];

		put_line(out, " entry");
		put_number(out, "place", e->place);
		put_number(out, "flags", e->flags);
		put_place(out, e->chain, e->seq);
		put_hex(out, "prev", e->prev, HASH_LEN);
		end(out);
		put_entry(out, &e->entry);
	}
	put_proof(out, " proof", p->proof.p, p->proof.len);
}

void
wire_dump_down(const struct sync_down *down, struct buf *out)
{
	for (size_t i = 0; i < down->ack_count; i++) {
		put_line(out, "ack");
		put_place(out, down->ack[i].chain, down->ack[i].seq);
		put_number(out, "status", down->ack[i].status);
		end(out);
	}
	if (down->note.len > 0) {
		put_note(out, down->note);
		put_proof(out, "consistency", down->consistency.hash[0],
		    down->consistency.count * HASH_LEN);
	}
	for (size_t i = 0; i < down->receipt_count; i++) {
		const struct wire_receipt *r = &down->receipt[i];

		put_line(out, "receipt");
		put_place(out, r->chain, r->seq);
		put_number(out, "place", r->place);
		end(out);
		put_proof(out, " inclusion", r->proof.hash[0],
		    r->proof.count * HASH_LEN);
	}
	for (size_t i = 0; i < down->part_count; i++)
		put_part(out, &down->part[i]);
	if (down->has_time) {
		put_line(out, "time");
		put_number(out, "ms", down->time_ms);
		end(out);
	}
	if (down->want != 0) {
		put_line(out, "want");
		put_number(out, "bits", down->want);
		put_number(out, "kept", down->kept);
		end(out);
	}
	if (down->has_hints) {
		put_line(out, "hints");
		put_number(out, "taken", down->hints_taken);
		end(out);
	}
}
