/*
 * The verdict on a head is the same with any body; what is read whole can be
 * written again and says the same; nothing of one entry shows in the next.
 * So that bodies are reached at all, the input is run once as it is and once
 * with the body's true digest in the place of the one that the head names.
 */
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/entry.h"
#include "fuzz/fuzz.h"

static struct entry a, b, c;
static struct buf patched, out, court, kind, by, when, rec, reason;

static const char *
cstr(struct buf *to, struct bytes from)
{
	const char *s;

	buf_reset(to);
	buf_bytes(to, from);
	s = buf_cstr(to);
	CHECK(s != NULL && strlen(s) == from.len);
	return s;
}

static void
check_same(const struct entry *x, const struct entry *y)
{
	CHECK(bytes_eq(x->court, y->court) && bytes_eq(x->kind, y->kind));
	CHECK(bytes_eq(x->by, y->by) && bytes_eq(x->at, y->at));
	CHECK(bytes_eq(x->rec, y->rec) && x->seq == y->seq);
	CHECK(memcmp(x->chain, y->chain, CHAIN_LEN) == 0);
	CHECK(x->verb == y->verb && x->wall == y->wall && x->mono == y->mono);
	CHECK(memcmp(x->boot, y->boot, BOOT_LEN) == 0);
	CHECK(x->on_count == y->on_count && x->after_count == y->after_count);
	for (size_t i = 0; i < x->on_count; i++)
		CHECK(bytes_eq(x->on[i], y->on[i]));
	for (size_t i = 0; i < x->after_count; i++)
		CHECK(memcmp(x->after[i], y->after[i], ID_LEN) == 0);
	CHECK(x->has_seen == y->has_seen && x->seen_size == y->seen_size);
	CHECK(memcmp(x->seen_root, y->seen_root, ID_LEN) == 0);
	CHECK(strcmp(x->dev, y->dev) == 0 && x->has_old == y->has_old);
	CHECK(memcmp(x->old_chain, y->old_chain, CHAIN_LEN) == 0);
	CHECK(memcmp(x->old_link, y->old_link, HASH_LEN) == 0);
	CHECK(x->old_seq == y->old_seq && x->v == y->v);
}

/* Write a whole entry again from what was read. */
static void
check_written_again(const struct entry *e)
{
	struct entry_new n = {
		.court = cstr(&court, e->court),
		.seq = e->seq,
		.rec = cstr(&rec, e->rec),
		.kind = cstr(&kind, e->kind),
		.by = cstr(&by, e->by),
		.at = cstr(&when, e->at),
		.verb = e->verb,
		.on = e->on,
		.on_count = e->on_count,
		.wall = e->wall,
		.mono = e->mono,
		.after = (const uint8_t(*)[ID_LEN])e->after,
		.after_count = e->after_count,
		.has_seen = e->has_seen,
		.seen_size = e->seen_size,
		.dev = e->dev[0] != '\0' ? e->dev : NULL,
		.has_old = e->has_old,
		.old_seq = e->old_seq,
		.data = json_raw(&e->body, e->data),
	};
	const char *why = NULL;

	memcpy(n.chain, e->chain, CHAIN_LEN);
	memcpy(n.boot, e->boot, BOOT_LEN);
	memcpy(n.seen_root, e->seen_root, ID_LEN);
	memcpy(n.old_chain, e->old_chain, CHAIN_LEN);
	memcpy(n.old_link, e->old_link, HASH_LEN);
	CHECK(json_hex(&e->body, json_get(&e->body, 0, "salt"), n.salt,
		  SALT_LEN) == ST_OK);
	buf_reset(&reason);
	if (e->reason != 0)
		json_text(&e->body, e->reason, &reason);
	n.reason = buf_view(&reason);
	if (e->more != 0)
		n.more = json_raw(&e->body, e->more);
	buf_reset(&out);
	/* Nothing is written longer than it can have been read. */
	CHECK(entry_write(&n, &out, &why) == ST_OK);
	CHECK(out.len <= e->raw.len);
	CHECK(entry_parse(&c, buf_view(&out)) == ST_OK);
	CHECK(c.body_is == ENTRY_BODY_WHOLE);
	check_same(e, &c);
	CHECK(bytes_eq(json_raw(&c.body, c.data), n.data));
}

static void
check_entry(struct bytes raw)
{
	enum status whole, head;
	int64_t ms;
	int offset;
	char text[32];

	whole = entry_parse(&a, raw);
	CHECK(whole == ST_OK || (whole == ST_INVALID && a.why != NULL));
	CHECK(a.head_line.len <= raw.len);
	CHECK(whole == ST_OK || a.body_is == ENTRY_BODY_BLIND);
	CHECK((a.body_is == ENTRY_BODY_WHOLE) ==
	      (whole == ST_OK && a.body_why == NULL));
	head = entry_parse(&b, a.head_line);
	CHECK(head == whole && b.body_is == ENTRY_BODY_BLIND);
	CHECK(a.why == b.why && a.causal == b.causal);
	check_same(&a, &b);
	if (whole != ST_OK)
		return;
	CHECK(a.causal && a.verb != DO_NONE && a.v == 1);
	CHECK(at_parse(&ms, &offset, a.at) == ST_OK);
	if (ms >= 0) {
		int64_t again;

		at_format(text, (uint64_t)ms, offset);
		CHECK(at_parse(&again, &offset, bytes_str(text)) == ST_OK);
		CHECK(again <= ms && ms - again < 86400000);
	}
	if (a.body_is != ENTRY_BODY_WHOLE)
		return;
	for (size_t i = 0; i < a.on_count; i++)
		CHECK(a.body.node[entry_value(&a, i)].type < JSON_ARRAY);
	check_written_again(&a);
}

/* Put the body's digest where the head names one. */
static void
patch(struct bytes raw)
{
	static const char name[] = "\"body\":\"";
	const uint8_t *lf, *at;
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	size_t head;

	lf = raw.len > 0 ? memchr(raw.p, '\n', raw.len) : NULL;
	if (lf == NULL)
		return;
	head = (size_t)(lf - raw.p);
	at = memmem(raw.p, head, name, sizeof(name) - 1);
	if (at == NULL || (size_t)(lf - at) < sizeof(name) - 1 + 2 * HASH_LEN)
		return;
	sha256(hash, bytes_of(lf + 1, raw.len - head - 1));
	hex_encode(hex, bytes_of(hash, HASH_LEN));
	buf_reset(&patched);
	buf_bytes(&patched, raw);
	memcpy(patched.p + (at - raw.p) + sizeof(name) - 1, hex, 2 * HASH_LEN);
	check_entry(buf_view(&patched));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	struct buf *all[] = { &patched, &out, &court, &kind, &by, &when, &rec,
		&reason };

	if (patched.max == 0) {
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			buf_init(all[i], 32 << 20);
		entry_init(&a);
		entry_init(&b);
		entry_init(&c);
	}
	check_entry(in);
	patch(in);
	return 0;
}
