#include "support/wire_make.h"

#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "entry/chain.h"
#include "entry/entry.h"
#include "support/expect.h"

void
made_init(struct wire_made *x, uint64_t seed)
{
	memset(x, 0, sizeof(*x));
	morning_init(&x->m, seed, MORNING_MEASURE);
}

void
made_free(struct wire_made *x)
{
	for (size_t i = 0; i < x->block_count; i++)
		free(x->block[i]);
	x->block_count = 0;
}

void *
made_take(struct wire_made *x, size_t count, size_t size)
{
	void *p = calloc(count + 1, size);

	EXPECT(p != NULL && x->block_count < MADE_BLOCKS_MAX);
	x->block[x->block_count++] = p;
	return p;
}

static struct bytes
keep(struct wire_made *x, struct buf *b)
{
	uint8_t *p = made_take(x, b->len, 1);
	struct bytes out = { p, b->len };

	EXPECT(b->err == ST_OK && b->len > 0);
	memcpy(p, b->p, b->len);
	buf_free(b);
	return out;
}

static uint64_t
draw(struct wire_made *x, uint64_t below)
{
	return morning_rand(&x->m, below);
}

/* A number of few digits or of many. */
static uint64_t
draw_number(struct wire_made *x)
{
	uint64_t bits = 1 + draw(x, 53);

	return draw(x, UINT64_C(1) << bits);
}

/*
 * Scraps of heads in any order and number: what is substituted where it does
 * not belong, twice, half, or with numbers and ids that are not the entry's.
 */
static void
put_scrap(struct wire_made *x, struct buf *out)
{
	static const char *const scrap[] = { "{\"v\":1,\"court\":\"xz\",",
		"{\"v\":1,\"court\":\"", "\"chain\":\"",
		"\"seq\":", "\"body\":\"", "\"after\":[\"", "\"]",
		"\"salt\":\"", "\"boot\":\"", "\"rec\":\"",
		"\"wall\":", "\"mono\":", "\"at\":\"", "\"", ",", "}",
		"\"at\":\"2026-03-01T05:00:00+08:00\"",
		"\"at\":\"1970-01-01T00:00:00Z\"",
		"\"at\":\"9998-12-31T23:59:59.999-23:59\"",
		"\"at\":\"2026-03-01T05:00:00.1Z\"",
		"\"at\":\"2026-02-30T05:00:00Z\"", "\"wall\":007",
		"\"wall\":9007199254740992", "\"mono\":99999999999999999999",
		"搜查", "\x7f\xff\x80" };
	uint8_t raw[HASH_LEN];
	uint64_t what = draw(x, 36);

	if (what < sizeof(scrap) / sizeof(scrap[0])) {
		buf_str(out, scrap[what]);
		return;
	}
	morning_bytes(&x->m, raw, sizeof(raw));
	switch (what) {
	case 26:
	case 27:
		buf_hex(out, bytes_of(raw, ID_LEN));
		break;
	case 28:
		buf_hex(out, bytes_of(raw, HASH_LEN));
		break;
	case 29:
		buf_hex(out, bytes_of(x->m.chain, CHAIN_LEN));
		break;
	case 30:
		buf_hex(out, bytes_of(x->m.boot, BOOT_LEN));
		break;
	case 31:
		buf_hex(out, bytes_of(x->m.link, ID_LEN));
		break;
	case 32:
		buf_str(out, "01890a5d-ac96-774b-bcce-b302099a8057");
		break;
	case 33:
		if (x->m.record_count > 0)
			buf_str(out, x->m.record[0].rec);
		break;
	default:
		buf_printf(out, "%llu", (unsigned long long)draw_number(x));
	}
}

static void
put_soup(struct wire_made *x, struct buf *out)
{
	uint64_t n = 1 + draw(x, 20), lf = draw(x, n + 1);

	for (uint64_t i = 0; i < n; i++) {
		put_scrap(x, out);
		if (i == lf)
			buf_u8(out, '\n');
	}
	if (out->len == 0)
		buf_u8(out, '\n');
}

/* Bytes changed, dropped or put in. */
static void
spoil(struct wire_made *x, struct buf *b)
{
	size_t at = draw(x, b->len);

	switch (draw(x, 4)) {
	case 0:
		b->p[at] = (uint8_t)draw(x, 256);
		break;
	case 1:
		b->p[at] = (uint8_t)draw(x, 32);
		break;
	case 2:
		b->len = at + 1;
		break;
	default:
		buf_u8(b, (uint8_t)draw(x, 256));
	}
}

void
made_entry(struct wire_made *x, enum made_style style, struct wire_entry *out)
{
	uint64_t what = style == MADE_DAY ? 99 : draw(x, 16);
	struct buf b;

	buf_init(&b, 2 * ENTRY_BYTES_MAX);
	*out = (struct wire_entry){ .form = WIRE_WHOLE };
	if (what == 0) {
		out->form = WIRE_LOST;
		morning_bytes(&x->m, out->digest, HASH_LEN);
		return;
	}
	if (what == 1) {
		uint8_t *p = buf_extend(&b, 1 + draw(x, 200));

		EXPECT(p != NULL);
		morning_bytes(&x->m, p, b.len);
	} else if (what < 5) {
		put_soup(x, &b);
	} else {
		morning_next(&x->m, &b);
		if (what < 8)
			spoil(x, &b);
	}
	if (what == 4 || what == 7 || what == 8) {
		const uint8_t *lf = memchr(b.p, '\n', b.len);

		if (lf != NULL && lf != b.p) {
			out->form = WIRE_HEAD;
			b.len = (size_t)(lf - b.p);
		}
	}
	out->raw = keep(x, &b);
}

void
made_link(uint8_t out[HASH_LEN], const uint8_t prev[HASH_LEN], uint64_t seq,
    const struct wire_entry *e)
{
	uint8_t digest[HASH_LEN];

	memcpy(digest, e->digest, HASH_LEN);
	if (e->form != WIRE_LOST)
		entry_digest(digest, e->raw);
	chain_link(out, prev, seq, digest);
}

void
made_piece(struct wire_made *x, enum made_style style, size_t count,
    struct wire_piece *out)
{
	*out = (struct wire_piece){ .first = x->m.seq + 1,
		.entry = made_take(x, count, sizeof(*out->entry)),
		.count = count };
	memcpy(out->chain, x->m.chain, CHAIN_LEN);
	memcpy(out->base, x->m.link, HASH_LEN);
	out->has_base = draw(x, 4) == 0;
	out->hole = out->has_base && draw(x, 2) == 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t link[HASH_LEN];

		memcpy(link, x->m.link, HASH_LEN);
		made_entry(x, style, &out->entry[i]);
		/* Whatever it is, it has its place and the day goes on. */
		x->m.seq = out->first + i;
		made_link(x->m.link, link, x->m.seq, &out->entry[i]);
	}
	morning_bytes(&x->m, out->sig, SIG_LEN);
}

static void
made_note(struct wire_made *x, struct bytes *out)
{
	struct buf b;
	uint8_t root[HASH_LEN];

	buf_init(&b, 4096);
	morning_bytes(&x->m, root, sizeof(root));
	buf_printf(&b, "xz-gulou.daybreak/log\n%d\n", (int)draw(x, 5000000));
	buf_hex(&b, bytes_of(root, HASH_LEN));
	buf_str(&b, "\n\n\xe2\x80\x94 xz-gulou.daybreak/log AAAA\n");
	*out = keep(x, &b);
}

/* What an ended log proved: entries of all sorts, and links between. */
static void
made_proved(struct wire_made *x, enum made_style style)
{
	struct sync_up *up = &x->up;

	up->proved_count = 1 + draw(x, 3);
	up->proved = made_take(x, up->proved_count, sizeof(*up->proved));
	for (size_t i = 0; i < up->proved_count; i++) {
		struct wire_proved *p = &up->proved[i];
		uint8_t *proof = made_take(x, 3, HASH_LEN);

		made_note(x, &p->note);
		p->count = 1 + draw(x, 6);
		p->leaf = made_take(x, p->count, sizeof(*p->leaf));
		for (size_t k = 0; k < p->count; k++) {
			struct wire_leaf *l = &p->leaf[k];

			l->place = draw_number(x);
			l->has_entry = draw(x, 3) > 0;
			if (!l->has_entry) {
				morning_bytes(&x->m, l->link, HASH_LEN);
				continue;
			}
			l->seq = 1 + draw_number(x);
			morning_bytes(&x->m, l->chain, CHAIN_LEN);
			morning_bytes(&x->m, l->prev, HASH_LEN);
			made_entry(x, style, &l->entry);
			made_link(l->link, l->prev, l->seq, &l->entry);
			l->has_sig = draw(x, 2) == 0;
			if (l->has_sig)
				morning_bytes(&x->m, l->sig, SIG_LEN);
		}
		p->proof = bytes_of(proof, (size_t)draw(x, 4) * HASH_LEN);
		morning_bytes(&x->m, proof, p->proof.len);
	}
}

void
made_up(struct wire_made *x, enum made_style style)
{
	struct sync_up *up = &x->up;
	uint8_t link[HASH_LEN];

	up->piece_count = draw(x, 4);
	up->piece = made_take(x, up->piece_count, sizeof(*up->piece));
	for (size_t i = 0; i < up->piece_count; i++) {
		if (draw(x, 2) == 0) {
			morning_bytes(&x->m, x->m.chain, CHAIN_LEN);
			x->m.seq = draw_number(x) / 2;
		}
		made_piece(x, style, 1 + draw(x, 12), &up->piece[i]);
		x->m.seq += draw(x, 3);
	}
	up->hint_count = draw(x, 8) == 0 ? 1 + draw(x, 3) : 0;
	up->hint = made_take(x, up->hint_count, sizeof(*up->hint));
	for (size_t i = 0; i < up->hint_count; i++) {
		struct wire_hint *h = &up->hint[i];

		memcpy(h->prev, x->m.link, HASH_LEN);
		memcpy(h->chain, x->m.chain, CHAIN_LEN);
		h->seq = x->m.seq + 1;
		made_entry(x, style, &h->entry);
		made_link(link, h->prev, h->seq, &h->entry);
		x->m.seq = h->seq;
		memcpy(x->m.link, link, HASH_LEN);
		morning_bytes(&x->m, h->sig, SIG_LEN);
	}
	up->cursor_count = draw(x, 4);
	up->cursor = made_take(x, up->cursor_count, sizeof(*up->cursor));
	for (size_t i = 0; i < up->cursor_count; i++) {
		morning_bytes(&x->m, up->cursor[i].scope, ID_LEN);
		up->cursor[i].place = draw_number(x);
		up->cursor[i].sub = draw_number(x);
	}
	up->has_checkpoint = draw(x, 2) == 0;
	if (up->has_checkpoint) {
		up->size = draw_number(x);
		morning_bytes(&x->m, up->root16, ID_LEN);
	}
	/* Drawn from what is there: the rest stays as it was drawn before. */
	up->has_clock = up->cursor_count > 1;
	up->clock_ms = up->has_clock ? x->m.wall : 0;
	if (draw(x, 8) == 0)
		made_note(x, &up->note);
	up->returned_count = draw(x, 8) == 0 ? 1 + draw(x, 5) : 0;
	up->returned = made_take(x, up->returned_count, sizeof(*up->returned));
	for (size_t i = 0; i < up->returned_count; i++) {
		struct wire_returned *e = &up->returned[i];

		e->place = draw_number(x);
		e->seq = 1 + draw_number(x);
		morning_bytes(&x->m, e->chain, CHAIN_LEN);
		morning_bytes(&x->m, e->prev, HASH_LEN);
		made_entry(x, style, &e->entry);
		morning_bytes(&x->m, e->sig, SIG_LEN);
	}
	up->has_key = draw(x, 4) == 0;
	if (up->has_key)
		morning_bytes(&x->m, up->key, PUBKEY_LEN);
	if (up->returned_count > 0)
		made_proved(x, style);
}

static void
made_proof(struct wire_made *x, struct merkle_proof *p)
{
	p->count = draw(x, MERKLE_PROOF_MAX + 1);
	morning_bytes(&x->m, p->hash, p->count * HASH_LEN);
}

static void
made_part(struct wire_made *x, enum made_style style, struct wire_part *p)
{
	uint64_t place = draw_number(x);
	uint8_t *proof;

	morning_bytes(&x->m, p->scope, ID_LEN);
	p->place = draw_number(x);
	p->sub = draw(x, 3);
	p->more = draw(x, 2) == 0;
	p->count = draw(x, 12);
	p->entry = made_take(x, p->count, sizeof(*p->entry));
	for (size_t i = 0; i < p->count; i++) {
		struct wire_stream_entry *e = &p->entry[i];

		if (draw(x, 4) == 0) {
			morning_bytes(&x->m, x->m.chain, CHAIN_LEN);
			x->m.seq = draw_number(x) / 2;
		}
		x->m.seq += draw(x, 5) == 0;
		place += draw(x, 5) == 0 ? draw(x, 100) - 50 : 1;
		e->place = place;
		e->flags = (draw(x, 4) == 0 ? STREAM_BARE : 0u) |
			   (draw(x, 4) == 0 ? STREAM_SERVER : 0u);
		/* From what is there, so that nothing else changes. */
		if ((e->flags & STREAM_SERVER) != 0 && place % 2 == 0) {
			e->flags |= STREAM_SIGNED;
			memset(e->sig, (int)(place & 0xff), SIG_LEN);
		}
		memcpy(e->chain, x->m.chain, CHAIN_LEN);
		memcpy(e->prev, x->m.link, HASH_LEN);
		e->seq = x->m.seq + 1;
		made_entry(x, style, &e->entry);
		x->m.seq = e->seq;
		made_link(x->m.link, e->prev, e->seq, &e->entry);
	}
	proof = made_take(x, 12, HASH_LEN);
	p->proof = (struct bytes){ proof, draw(x, 12) * HASH_LEN };
	morning_bytes(&x->m, proof, p->proof.len);
}

void
made_down(struct wire_made *x, enum made_style style)
{
	struct sync_down *down = &x->down;

	down->ack_count = draw(x, 4);
	down->ack = made_take(x, down->ack_count, sizeof(*down->ack));
	for (size_t i = 0; i < down->ack_count; i++) {
		morning_bytes(&x->m, down->ack[i].chain, CHAIN_LEN);
		down->ack[i].status = (enum ack_status)draw(x, ACK_CLOSED + 1);
		down->ack[i].seq = draw_number(x);
	}
	if (draw(x, 2) == 0) {
		made_note(x, &down->note);
		made_proof(x, &down->consistency);
	}
	down->receipt_count = draw(x, 3);
	down->receipt =
	    made_take(x, down->receipt_count, sizeof(*down->receipt));
	for (size_t i = 0; i < down->receipt_count; i++) {
		struct wire_receipt *r = &down->receipt[i];

		morning_bytes(&x->m, r->chain, CHAIN_LEN);
		r->seq = 1 + draw_number(x);
		r->place = draw_number(x);
		made_proof(x, &r->proof);
	}
	down->part_count = draw(x, 4);
	down->part = made_take(x, down->part_count, sizeof(*down->part));
	for (size_t i = 0; i < down->part_count; i++)
		made_part(x, style, &down->part[i]);
	down->has_time = draw(x, 2) == 0;
	down->time_ms = down->has_time ? draw_number(x) : 0;
	down->want = (unsigned)draw(x, 8);
	if ((down->want & WANT_RETURNED) != 0)
		down->kept = draw_number(x);
	down->has_hints = draw(x, 4) == 0;
	down->hints_taken = down->has_hints ? draw(x, 40) : 0;
}

void
made_open(
    struct sync_msg *msg, const struct sync_up *got, const struct sync_up *was)
{
	EXPECT(got->piece_count == was->piece_count);
	for (size_t i = 0; i < got->piece_count; i++) {
		EXPECT(got->piece[i].sealed);
		sync_piece_open(msg, i, was->piece[i].base);
		EXPECT(!got->piece[i].sealed);
	}
}

static void
same(const void *got, const void *was, size_t len)
{
	EXPECT_BYTES(bytes_of(got, len), bytes_of(was, len));
}

static void
entry_same(const struct wire_entry *got, const struct wire_entry *was,
    uint64_t seq, const uint8_t prev[HASH_LEN])
{
	uint8_t digest[HASH_LEN], link[HASH_LEN];

	EXPECT(got->form == was->form);
	EXPECT_BYTES(got->raw, was->raw);
	memcpy(digest, was->digest, HASH_LEN);
	if (was->form != WIRE_LOST)
		entry_digest(digest, was->raw);
	same(got->digest, digest, HASH_LEN);
	chain_link(link, prev, seq, digest);
	same(got->link, link, HASH_LEN);
}

static void
piece_same(const struct wire_piece *got, const struct wire_piece *was)
{
	const uint8_t *prev = was->base;

	same(got->chain, was->chain, CHAIN_LEN);
	EXPECT(got->first == was->first);
	EXPECT(got->has_base == was->has_base && got->hole == was->hole);
	same(got->base, was->base, HASH_LEN);
	EXPECT(got->count == was->count);
	for (size_t i = 0; i < got->count; i++) {
		entry_same(
		    &got->entry[i], &was->entry[i], was->first + i, prev);
		prev = got->entry[i].link;
	}
	same(got->sig, was->sig, SIG_LEN);
}

static void
proved_same(const struct wire_proved *got, const struct wire_proved *was)
{
	EXPECT_BYTES(got->note, was->note);
	EXPECT_BYTES(got->proof, was->proof);
	EXPECT(got->count == was->count);
	for (size_t i = 0; i < got->count; i++) {
		const struct wire_leaf *g = &got->leaf[i];
		const struct wire_leaf *w = &was->leaf[i];

		EXPECT(g->place == w->place && g->has_entry == w->has_entry);
		EXPECT(g->has_sig == w->has_sig && g->seq == w->seq);
		same(g->link, w->link, HASH_LEN);
		same(g->chain, w->chain, CHAIN_LEN);
		same(g->prev, w->prev, HASH_LEN);
		same(g->sig, w->sig, SIG_LEN);
		if (w->has_entry)
			entry_same(&g->entry, &w->entry, w->seq, w->prev);
	}
}

void
made_up_same(const struct sync_up *got, const struct sync_up *was)
{
	EXPECT(got->piece_count == was->piece_count);
	for (size_t i = 0; i < got->piece_count; i++)
		piece_same(&got->piece[i], &was->piece[i]);
	EXPECT(got->hint_count == was->hint_count);
	for (size_t i = 0; i < got->hint_count; i++) {
		const struct wire_hint *g = &got->hint[i], *w = &was->hint[i];

		same(g->chain, w->chain, CHAIN_LEN);
		EXPECT(g->seq == w->seq);
		same(g->prev, w->prev, HASH_LEN);
		entry_same(&g->entry, &w->entry, w->seq, w->prev);
		same(g->sig, w->sig, SIG_LEN);
	}
	EXPECT(got->cursor_count == was->cursor_count);
	for (size_t i = 0; i < got->cursor_count; i++) {
		same(got->cursor[i].scope, was->cursor[i].scope, ID_LEN);
		EXPECT(got->cursor[i].place == was->cursor[i].place);
		EXPECT(got->cursor[i].sub == was->cursor[i].sub);
	}
	EXPECT(got->has_clock == was->has_clock);
	EXPECT(got->clock_ms == was->clock_ms);
	EXPECT(got->has_checkpoint == was->has_checkpoint);
	EXPECT(got->size == was->size);
	same(got->root16, was->root16, ID_LEN);
	EXPECT_BYTES(got->note, was->note);
	EXPECT(got->returned_count == was->returned_count);
	for (size_t i = 0; i < got->returned_count; i++) {
		const struct wire_returned *g = &got->returned[i];
		const struct wire_returned *w = &was->returned[i];

		EXPECT(g->place == w->place && g->seq == w->seq);
		same(g->chain, w->chain, CHAIN_LEN);
		same(g->prev, w->prev, HASH_LEN);
		entry_same(&g->entry, &w->entry, w->seq, w->prev);
		same(g->sig, w->sig, SIG_LEN);
	}
	EXPECT(got->has_key == was->has_key);
	same(got->key, was->key, PUBKEY_LEN);
	EXPECT(got->proved_count == was->proved_count);
	for (size_t i = 0; i < got->proved_count; i++)
		proved_same(&got->proved[i], &was->proved[i]);
}

static void
proof_same(const struct merkle_proof *got, const struct merkle_proof *was)
{
	EXPECT(got->count == was->count);
	same(got->hash, was->hash, was->count * HASH_LEN);
}

static void
part_same(const struct wire_part *got, const struct wire_part *was)
{
	same(got->scope, was->scope, ID_LEN);
	EXPECT(got->place == was->place && got->sub == was->sub);
	EXPECT(got->more == was->more && got->count == was->count);
	for (size_t i = 0; i < got->count; i++) {
		const struct wire_stream_entry *g = &got->entry[i];
		const struct wire_stream_entry *w = &was->entry[i];

		EXPECT(g->place == w->place && g->flags == w->flags);
		EXPECT(g->seq == w->seq);
		same(g->chain, w->chain, CHAIN_LEN);
		same(g->prev, w->prev, HASH_LEN);
		same(g->sig, w->sig, SIG_LEN);
		entry_same(&g->entry, &w->entry, w->seq, w->prev);
	}
	EXPECT_BYTES(got->proof, was->proof);
}

void
made_down_same(const struct sync_down *got, const struct sync_down *was)
{
	EXPECT(got->ack_count == was->ack_count);
	for (size_t i = 0; i < got->ack_count; i++) {
		same(got->ack[i].chain, was->ack[i].chain, CHAIN_LEN);
		EXPECT(got->ack[i].status == was->ack[i].status);
		EXPECT(got->ack[i].seq == was->ack[i].seq);
	}
	EXPECT_BYTES(got->note, was->note);
	proof_same(&got->consistency, &was->consistency);
	EXPECT(got->receipt_count == was->receipt_count);
	for (size_t i = 0; i < got->receipt_count; i++) {
		const struct wire_receipt *g = &got->receipt[i];
		const struct wire_receipt *w = &was->receipt[i];

		same(g->chain, w->chain, CHAIN_LEN);
		EXPECT(g->seq == w->seq && g->place == w->place);
		proof_same(&g->proof, &w->proof);
	}
	EXPECT(got->part_count == was->part_count);
	for (size_t i = 0; i < got->part_count; i++)
		part_same(&got->part[i], &was->part[i]);
	EXPECT(got->has_time == was->has_time);
	EXPECT(got->time_ms == was->time_ms);
	EXPECT(got->want == was->want && got->kept == was->kept);
	EXPECT(got->has_hints == was->has_hints);
	EXPECT(got->hints_taken == was->hints_taken);
}
