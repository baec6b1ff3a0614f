/*
 * From a handheld's request to a place in the log: every row of the table in
 * DESIGN.md, section 7, met on purpose.
 */
#include <stdio.h>
#include <stdlib.h>

#include "entry/chain.h"
#include "entry/merge.h"
#include "server/core/chains.h"
#include "support/court.h"
#include "support/court_verify.h"

static int
setup(void **state)
{
	struct court *ct = calloc(1, sizeof(*ct));

	if (ct == NULL)
		return -1;
	court_make(ct);
	*state = ct;
	return 0;
}

static int
teardown(void **state)
{
	struct court *ct = *state;

	court_end(ct);
	free(ct);
	return 0;
}

static void
entry_at(struct court *ct, uint64_t place, struct centre_entry *out,
    struct buf *bytes)
{
	struct centre_reader *r;

	EXPECT_OK(centre_reader_open(&r, ct->c));
	EXPECT_OK(centre_entry(r, place, out));
	buf_reset(bytes);
	buf_bytes(bytes, out->bytes);
	out->bytes = buf_view(bytes);
	centre_reader_close(r);
}

/* The last entry that stands before the end and is of that verb. */
static bool
find_verb(struct court *ct, enum verb verb, const char *kind,
    struct centre_entry *out, struct buf *bytes)
{
	struct entry p;
	bool found = false;

	entry_init(&p);
	for (uint64_t place = court_size(ct); place-- > 0 && !found;) {
		entry_at(ct, place, out, bytes);
		found = (out->flags & STORE_LOST) == 0 &&
			entry_parse(&p, out->bytes) == ST_OK &&
			p.verb == verb &&
			(kind == NULL || bytes_eq_str(p.kind, kind));
	}
	entry_free(&p);
	return found;
}

static uint64_t alarms(struct court *ct);

/* A court whose log does not begin with its descriptor, or that is made over
 * another. */
static void
test_centre_begins_with_its_descriptor(void **state)
{
	struct court *ct = *state;
	struct centre_init what = { .dir = ct->dir.path,
		.code = "other",
		.name = "other",
		.port = &ct->clock.port };
	struct centre_keys keys;
	char errmsg[CENTRE_ERRMSG_LEN];
	struct centre_entry e;
	struct entry p;
	struct buf b, file;

	buf_init(&b, ENTRY_BYTES_MAX);
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	entry_init(&p);
	EXPECT(court_size(ct) == 2);
	entry_at(ct, 0, &e, &b);
	EXPECT(e.seq == 1 && e.flags == STORE_SERVER && e.commit == 1);
	EXPECT_OK(entry_parse(&p, e.bytes));
	EXPECT(bytes_eq_str(p.kind, "descriptor@1"));
	EXPECT(p.body_is == ENTRY_BODY_WHOLE);
	EXPECT_OK(centre_descriptor(ct->c, &file));
	EXPECT(json_is(&p.body, entry_value(&p, 2), buf_cstr(&file)));
	EXPECT_ST(centre_init(&what, &keys, errmsg), ST_CONFLICT);
	EXPECT(errmsg[0] != '\0');
	court_verify(ct);
	entry_free(&p);
	buf_free(&b);
	buf_free(&file);
}

/* An entry that is not stored as it was signed, or an ack for another. */
static void
test_ingest_takes_pieces_and_proves_them(void **state)
{
	struct court *ct = *state;
	struct handheld h;
	struct ingest_ack ack;
	struct centre_entry e;
	struct checkpoint cp;
	struct merkle_proof proof;
	uint8_t leaf[HASH_LEN];
	struct buf b, note;

	buf_init(&b, ENTRY_BYTES_MAX);
	buf_init(&note, NOTE_BYTES_MAX);
	court_handheld(ct, &h, 1);
	handheld_write(&h, 70);
	ack = court_send(ct, &h, 1, 50);
	EXPECT(ack.status == ACK_TAKEN && ack.seq == 50 && ack.has_place);
	EXPECT(memcmp(ack.link, handheld_link(&h, 50), HASH_LEN) == 0);
	EXPECT(ack.place == 2 + 49);
	for (uint64_t i = 1; i <= 50; i++) {
		entry_at(ct, 1 + i, &e, &b);
		EXPECT(e.seq == i && e.flags == 0 && e.branch == 0);
		EXPECT_BYTES(e.bytes, h.entry[i - 1].raw);
		EXPECT(memcmp(e.chain, h.chain, CHAIN_LEN) == 0);
	}
	ack = court_send(ct, &h, 51, 70);
	EXPECT(ack.status == ACK_TAKEN && ack.seq == 70);
	EXPECT_OK(centre_checkpoint(ct->c, &note, &cp));
	EXPECT_OK(checkpoint_open(&cp, buf_view(&note), centre_log_key(ct->c)));
	EXPECT(cp.size == court_size(ct));
	EXPECT_OK(
	    tlog_inclusion(centre_tlog(ct->c), ack.place, cp.size, &proof));
	merkle_leaf(leaf, bytes_of(ack.link, HASH_LEN));
	EXPECT_OK(
	    merkle_check_inclusion(&proof, ack.place, cp.size, leaf, cp.root));
	court_verify(ct);
	handheld_free(&h);
	buf_free(&b);
	buf_free(&note);
}

/* Repeats that get new places, or another answer than the first. */
static void
test_ingest_repeats_get_the_same_answer(void **state)
{
	struct court *ct = *state;
	struct handheld h;
	struct ingest_ack a, b;
	uint64_t size;

	court_handheld(ct, &h, 2);
	handheld_write(&h, 30);
	a = court_send(ct, &h, 1, 20);
	size = court_size(ct);
	b = court_send(ct, &h, 1, 20);
	EXPECT(court_size(ct) == size);
	EXPECT(b.status == a.status && b.seq == a.seq && b.place == a.place);
	EXPECT(memcmp(a.link, b.link, HASH_LEN) == 0);
	b = court_send(ct, &h, 5, 9);
	EXPECT(b.status == ACK_TAKEN && b.seq == 9);
	EXPECT(court_size(ct) == size);
	/* Half of it known, half of it new. */
	b = court_send(ct, &h, 11, 30);
	EXPECT(b.status == ACK_TAKEN && b.seq == 30);
	EXPECT(court_size(ct) == size + 10 + 1);
	court_verify(ct);
	handheld_free(&h);
}

/* A gap that is papered over, or an answer that does not lead back. */
static void
test_ingest_gap_says_where_to_go_back(void **state)
{
	struct court *ct = *state;
	struct handheld h;
	struct ingest_ack a;
	uint64_t size;

	court_handheld(ct, &h, 3);
	handheld_write(&h, 40);
	size = court_size(ct);
	a = court_send(ct, &h, 5, 9);
	EXPECT(a.status == ACK_GAP && a.seq == 0 && !a.has_place);
	(void)court_send(ct, &h, 1, 10);
	a = court_send(ct, &h, 20, 30);
	EXPECT(a.status == ACK_GAP && a.seq == 10 && !a.has_place);
	EXPECT(court_size(ct) == size + 11);
	a = court_send(ct, &h, a.seq + 1, 30);
	EXPECT(a.status == ACK_TAKEN && a.seq == 30);
	handheld_free(&h);
}

/* Several pieces of several chains in one request, one of them bad: the bad
 * one spoils what stands behind it in its chain, and nothing else. */
static void
test_ingest_one_bad_piece_spoils_no_other(void **state)
{
	struct court *ct = *state;
	struct handheld h;
	struct ingest_device dev;
	struct wire_piece *p;
	const struct ingest_ack *ack;
	size_t count;

	court_handheld(ct, &h, 4);
	handheld_write(&h, 60);
	dev = court_device(&h);
	(void)hand_piece(&ct->rq, &h, 1, 10);
	p = hand_piece(&ct->rq, &h, 11, 20);
	p->sig[5] ^= 1;
	(void)hand_piece(&ct->rq, &h, 21, 30);
	EXPECT_OK(court_send_as(ct, &dev));
	ack = ingest_acks(ct->in, &count);
	EXPECT(count == 1 && ack[0].status == ACK_REFUSED);
	EXPECT(ack[0].seq == 10 && ack[0].has_place);
	EXPECT(memcmp(ack[0].link, handheld_link(&h, 10), HASH_LEN) == 0);
	/* The whole rest in order, in many pieces. */
	for (uint64_t i = 11; i <= 60; i += 5)
		(void)hand_piece(&ct->rq, &h, i, i + 4);
	EXPECT_OK(court_send_as(ct, &dev));
	ack = ingest_acks(ct->in, &count);
	EXPECT(count == 1 && ack[0].status == ACK_TAKEN && ack[0].seq == 60);
	court_verify(ct);
	handheld_free(&h);
}

static enum status
count_attempt(void *arg, const struct store_attempt *a)
{
	uint64_t *n = arg;

	*n += a->count;
	return ST_OK;
}

static uint64_t
attempts(struct court *ct)
{
	struct store_reader *r;
	uint64_t n = 0;

	EXPECT_OK(centre_flush(ct->c));
	EXPECT_OK(store_reader_open(&r, centre_store(ct->c)));
	EXPECT_OK(store_attempts(r, 100, count_attempt, &n));
	store_reader_close(r);
	return n;
}

/* Somebody else's chain, a signature by another key: refused and remembered. */
static void
test_ingest_refuses_what_is_not_signed(void **state)
{
	struct court *ct = *state;
	struct handheld h, thief;
	struct ingest_device dev;
	const struct ingest_ack *ack;
	size_t count;
	uint64_t size;

	court_handheld(ct, &h, 5);
	court_handheld(ct, &thief, 6);
	handheld_write(&h, 10);
	dev = court_device(&thief);
	size = court_size(ct);
	/* A new chain under a key that did not sign it. */
	(void)hand_piece(&ct->rq, &h, 1, 5);
	EXPECT_OK(court_send_as(ct, &dev));
	ack = ingest_acks(ct->in, &count);
	EXPECT(ack[0].status == ACK_REFUSED && !ack[0].has_place);
	EXPECT(court_size(ct) == size);
	(void)court_send(ct, &h, 1, 5);
	/* A chain that is somebody else's. */
	(void)hand_piece(&ct->rq, &h, 6, 10);
	EXPECT_OK(court_send_as(ct, &dev));
	ack = ingest_acks(ct->in, &count);
	EXPECT(ack[0].status == ACK_CLOSED && !ack[0].has_place);
	EXPECT(attempts(ct) == 2);
	handheld_free(&h);
	handheld_free(&thief);
}

static enum status
count_alarm(void *arg, const struct store_alarm *a)
{
	uint64_t *n = arg;

	*n += bytes_eq_str(a->sort, "fork");
	return ST_OK;
}

static uint64_t
alarms(struct court *ct)
{
	struct store_reader *r;
	uint64_t n = 0;

	EXPECT_OK(store_reader_open(&r, centre_store(ct->c)));
	EXPECT_OK(store_alarms(r, 0, count_alarm, &n));
	store_reader_close(r);
	return n;
}

/* A copied handheld: both branches get places, the later one is held with a
 * `hold` in each record, and so is everything further from that key. */
static void
test_ingest_fork_keeps_both_and_holds_the_later(void **state)
{
	struct court *ct = *state;
	struct handheld a, b;
	struct ingest_ack ack;
	struct centre_entry e;
	struct centre_chain chain;
	struct entry p;
	struct buf bytes;
	uint64_t size;

	buf_init(&bytes, ENTRY_BYTES_MAX);
	entry_init(&p);
	court_handheld(ct, &a, 7);
	handheld_write(&a, 10);
	handheld_copy(&b, &a);
	handheld_write(&a, 10);
	handheld_write(&b, 6);
	(void)court_send(ct, &a, 1, 20);
	EXPECT(alarms(ct) == 0);
	size = court_size(ct);
	ack = court_send(ct, &b, 9, 16); /* two that are known, six others */
	EXPECT(ack.status == ACK_HELD && ack.seq == 16 && ack.has_place);
	EXPECT(memcmp(ack.link, handheld_link(&b, 16), HASH_LEN) == 0);
	EXPECT(alarms(ct) == 1);
	entry_at(ct, size, &e, &bytes);
	EXPECT(e.branch == 1 && e.seq == 11 && e.flags == STORE_HELD);
	EXPECT_BYTES(e.bytes, b.entry[10].raw);
	EXPECT(memcmp(e.prev, handheld_link(&a, 10), HASH_LEN) == 0);
	EXPECT(find_verb(ct, DO_HOLD, "search@1", &e, &bytes));
	EXPECT(e.place >= size + 6 && e.flags == STORE_SERVER);

	/* Further entries of either: taken, placed, held. */
	handheld_write(&a, 5);
	handheld_write(&b, 5);
	ack = court_send(ct, &b, 17, 21);
	EXPECT(ack.status == ACK_HELD && ack.seq == 21);
	ack = court_send(ct, &a, 21, 25);
	EXPECT(ack.status == ACK_HELD && ack.seq == 25);
	EXPECT(alarms(ct) == 1);
	/* Repeats of each branch are told as the first time. */
	ack = court_send(ct, &b, 9, 16);
	EXPECT(ack.status == ACK_HELD && ack.seq == 16);
	ack = court_send(ct, &a, 11, 20);
	EXPECT(ack.status == ACK_TAKEN && ack.seq == 20);
	/* On another chain of that key, likewise. */
	handheld_new_chain(&a);
	handheld_write(&a, 3);
	ack = court_send(ct, &a, 1, 3);
	EXPECT(ack.status == ACK_HELD && ack.seq == 3);
	EXPECT_OK(centre_chain(ct->c, b.chain, &chain));
	EXPECT(chain.held && chain.branches == 2);
	court_verify(ct);

	/* And all of that is known after a restart. */
	court_close(ct);
	court_open(ct);
	handheld_write(&a, 1);
	ack = court_send(ct, &a, 4, 4);
	EXPECT(ack.status == ACK_HELD);
	court_verify(ct);
	handheld_free(&a);
	handheld_free(&b);
	entry_free(&p);
	buf_free(&bytes);
}

/* A handheld whose chain left ours long ago and knows no place that we share:
 * it states its base, and is led back by halves until the fork is found. */
static void
test_ingest_leads_a_diverged_agent_back(void **state)
{
	struct court *ct = *state;
	struct handheld a, b;
	struct ingest_ack ack;
	struct wire_piece *p;
	struct ingest_device dev;
	const struct ingest_ack *acks;
	uint64_t from = 101;
	size_t count, rounds = 0;

	court_handheld(ct, &a, 8);
	handheld_write(&a, 13);
	handheld_copy(&b, &a);
	handheld_write(&a, 107);
	handheld_write(&b, 107);
	dev = court_device(&b);
	(void)court_send(ct, &a, 1, 120);
	/* Without a stated base it looks like a bad signature. */
	ack = court_send(ct, &b, 101, 120);
	EXPECT(ack.status == ACK_REFUSED);
	do {
		EXPECT(++rounds < 10);
		p = hand_piece(&ct->rq, &b, from, 120);
		p->has_base = true;
		EXPECT_OK(court_send_as(ct, &dev));
		acks = ingest_acks(ct->in, &count);
		EXPECT(count == 1);
		ack = acks[0];
		EXPECT(ack.status == ACK_GAP || ack.status == ACK_HELD);
		EXPECT(ack.status != ACK_GAP || ack.seq < from - 1);
		from = ack.seq + 1;
	} while (ack.status == ACK_GAP);
	EXPECT(ack.seq == 120 && alarms(ct) == 1);
	court_verify(ct);
	handheld_free(&a);
	handheld_free(&b);
}

/* More branches than we keep: refused in words, nothing else harmed. */
static void
test_ingest_branches_are_bounded(void **state)
{
	struct court *ct = *state;
	struct handheld a, b;
	struct ingest_ack ack;

	court_handheld(ct, &a, 9);
	handheld_write(&a, 5);
	(void)court_send(ct, &a, 1, 5);
	for (int i = 0; i < CHAIN_BRANCHES_MAX; i++) {
		handheld_copy(&b, &a);
		b.rng += (uint64_t)i * 1000 + 3;
		handheld_cut(&b, 4); /* rolled back by one */
		handheld_write(&b, 2);
		ack = court_send(ct, &b, 5, 6);
		EXPECT(ack.status ==
		       (i < CHAIN_BRANCHES_MAX - 1 ? ACK_HELD : ACK_CLOSED));
		handheld_free(&b);
	}
	handheld_write(&a, 1);
	ack = court_send(ct, &a, 6, 6);
	EXPECT(ack.status == ACK_HELD && ack.seq == 6);
	court_verify(ct);
	handheld_free(&a);
}

/* A malformed entry that blocks the queue, is lost, or leaves a hole. */
static void
test_ingest_malformed_gets_its_place(void **state)
{
	struct court *ct = *state;
	struct handheld h, other;
	struct ingest_ack ack;
	struct store_reader *r;
	struct centre_entry e;
	struct buf b;
	uint64_t at;

	buf_init(&b, ENTRY_BYTES_MAX);
	court_handheld(ct, &h, 10);
	court_handheld(ct, &other, 11);
	handheld_write(&h, 2);
	handheld_write(&other, 3);
	handheld_write_raw(&h, bytes_str("no json at all"));
	handheld_write_raw(&h, other.entry[2].raw); /* of another chain */
	handheld_write_raw(&h, bytes_str("{\"v\":1}\n{\"salt\":\"\"}"));
	handheld_write(&h, 2);
	at = court_size(ct);
	ack = court_send(ct, &h, 1, 7);
	EXPECT(ack.status == ACK_TAKEN && ack.seq == 7);
	EXPECT_OK(store_reader_open(&r, centre_store(ct->c)));
	for (uint64_t i = 0; i < 7; i++) {
		bool bad = i >= 2 && i <= 4;

		entry_at(ct, at + i, &e, &b);
		EXPECT_BYTES(e.bytes, h.entry[i].raw);
		EXPECT(((e.flags & STORE_MALFORMED) != 0) == bad);
		buf_reset(&b);
		EXPECT_ST(store_why(r, at + i, &b), bad ? ST_OK : ST_ABSENT);
		EXPECT((b.len > 0) == bad);
	}
	store_reader_close(r);
	court_verify(ct);
	handheld_free(&h);
	handheld_free(&other);
	buf_free(&b);
}

/* A lost entry keeps its place, and is filled when its bytes turn up; one
 * whose body was withheld likewise. */
static void
test_ingest_lost_is_filled_later(void **state)
{
	struct court *ct = *state;
	struct handheld h;
	struct ingest_ack ack;
	struct centre_entry e;
	struct store_reader *r;
	struct buf b;
	uint64_t at, size, no = 0, place;

	buf_init(&b, ENTRY_BYTES_MAX);
	court_handheld(ct, &h, 12);
	handheld_write(&h, 6);
	h.entry[2].form = WIRE_LOST;
	h.entry[3].form = WIRE_HEAD;
	at = court_size(ct);
	ack = court_send(ct, &h, 1, 6);
	EXPECT(ack.status == ACK_TAKEN && ack.seq == 6);
	entry_at(ct, at + 2, &e, &b);
	EXPECT(e.flags == STORE_LOST && e.bytes.len == HASH_LEN);
	entry_at(ct, at + 3, &e, &b);
	EXPECT(e.flags == STORE_BLIND);
	court_verify(ct);

	size = court_size(ct);
	h.entry[2].form = WIRE_HEAD;
	(void)court_send(ct, &h, 3, 3);
	entry_at(ct, at + 2, &e, &b);
	EXPECT(e.flags == STORE_BLIND);
	h.entry[2].form = h.entry[3].form = WIRE_WHOLE;
	ack = court_send(ct, &h, 2, 5);
	EXPECT(ack.status == ACK_TAKEN && ack.seq == 5);
	/* Each is said in the log, with its commit: one, then two. */
	EXPECT(court_size(ct) == size + 2 + 3);
	EXPECT(find_verb(ct, DO_OPEN, "filled@1", &e, &b));
	for (uint64_t i = 2; i <= 3; i++) {
		entry_at(ct, at + i, &e, &b);
		EXPECT(e.flags == 0);
		EXPECT_BYTES(e.bytes, h.entry[i].raw);
	}
	/* What comes lost again takes nothing away. */
	h.entry[2].form = WIRE_LOST;
	(void)court_send(ct, &h, 3, 3);
	entry_at(ct, at + 2, &e, &b);
	EXPECT(e.flags == 0);
	EXPECT_OK(store_reader_open(&r, centre_store(ct->c)));
	EXPECT_OK(store_next_fill(r, &no, &place));
	EXPECT(place == at + 2);
	EXPECT_OK(store_next_fill(r, &no, &place));
	EXPECT_OK(store_next_fill(r, &no, &place));
	EXPECT_ST(store_next_fill(r, &no, &place), ST_ABSENT);
	store_reader_close(r);
	court_verify(ct);
	handheld_free(&h);
	buf_free(&b);
}

/* Places that are gone for good: the chain goes on over the hole, the log says
 * so, and what turns up later fills it whole. */
static void
test_ingest_hole_is_logged_and_filled(void **state)
{
	struct court *ct = *state;
	struct handheld h;
	struct ingest_ack ack;
	struct ingest_device dev;
	struct wire_piece *p;
	const struct ingest_ack *acks;
	struct centre_entry e;
	struct entry parse;
	struct buf b;
	size_t count;
	uint64_t size;

	buf_init(&b, ENTRY_BYTES_MAX);
	entry_init(&parse);
	court_handheld(ct, &h, 13);
	handheld_write(&h, 40);
	dev = court_device(&h);
	(void)court_send(ct, &h, 1, 10);
	p = hand_piece(&ct->rq, &h, 21, 30);
	p->has_base = p->hole = true;
	EXPECT_OK(court_send_as(ct, &dev));
	acks = ingest_acks(ct->in, &count);
	EXPECT(acks[0].status == ACK_TAKEN && acks[0].seq == 30);
	EXPECT(find_verb(ct, DO_OPEN, "hole@1", &e, &b));
	EXPECT_OK(entry_parse(&parse, e.bytes));
	EXPECT(json_is(&parse.body, entry_value(&parse, 0), h.dev));
	EXPECT(parse.body.node[entry_value(&parse, 2)].num == 11);
	EXPECT(parse.body.node[entry_value(&parse, 3)].num == 20);
	court_verify(ct);
	/* Its answer was lost: it comes again, on a base that is not here. */
	size = court_size(ct);
	p = hand_piece(&ct->rq, &h, 21, 30);
	p->has_base = p->hole = true;
	EXPECT_OK(court_send_as(ct, &dev));
	acks = ingest_acks(ct->in, &count);
	EXPECT(acks[0].status == ACK_TAKEN && acks[0].seq == 30);
	EXPECT(court_size(ct) == size);
	ack = court_send(ct, &h, 31, 40);
	EXPECT(ack.status == ACK_TAKEN && ack.seq == 40);

	/* A part of it proves nothing yet. */
	size = court_size(ct);
	ack = court_send(ct, &h, 11, 15);
	EXPECT(ack.status == ACK_GAP && court_size(ct) == size);
	ack = court_send(ct, &h, 11, 20);
	EXPECT(ack.status == ACK_TAKEN && ack.seq == 20);
	EXPECT(court_size(ct) == size + 11);
	ack = court_send(ct, &h, 1, 40);
	EXPECT(ack.status == ACK_TAKEN && ack.seq == 40);
	EXPECT(court_size(ct) == size + 11);
	EXPECT(alarms(ct) == 0);
	court_verify(ct);
	handheld_free(&h);
	entry_free(&parse);
	buf_free(&b);
}

/* What a revoked device delivers is placed and held, up to a quota. */
static void
test_ingest_deliver_is_held_and_bounded(void **state)
{
	struct court *ct = *state;
	struct handheld h;
	struct ingest_device dev;
	const struct ingest_ack *acks;
	struct centre_entry e;
	struct buf b;
	size_t count;

	buf_init(&b, ENTRY_BYTES_MAX);
	court_handheld(ct, &h, 14);
	handheld_write(&h, 10);
	dev = court_device(&h);
	dev.held = "revoked: lost";
	dev.quota = true;
	dev.quota_bytes = 100000;
	(void)hand_piece(&ct->rq, &h, 1, 5);
	EXPECT_OK(court_send_as(ct, &dev));
	acks = ingest_acks(ct->in, &count);
	EXPECT(acks[0].status == ACK_HELD && acks[0].seq == 5);
	EXPECT(find_verb(ct, DO_HOLD, NULL, &e, &b));
	EXPECT(alarms(ct) == 0);
	h.text_len = 1000;
	handheld_write(&h, 95);
	for (uint64_t i = 6; i + 9 <= 105; i += 10) {
		(void)hand_piece(&ct->rq, &h, i, i + 9);
		EXPECT_OK(court_send_as(ct, &dev));
		acks = ingest_acks(ct->in, &count);
		if (acks[0].status != ACK_HELD)
			break;
	}
	EXPECT(acks[0].status == ACK_QUOTA && !acks[0].has_place);
	EXPECT(acks[0].seq > 50 && acks[0].seq < 95);
	/* The next day there is room again. */
	ct->clock.wall_shift_ms += 24 * 60 * 60 * 1000;
	(void)hand_piece(&ct->rq, &h, acks[0].seq + 1, acks[0].seq + 10);
	EXPECT_OK(court_send_as(ct, &dev));
	acks = ingest_acks(ct->in, &count);
	EXPECT(acks[0].status == ACK_HELD);
	handheld_free(&h);
	buf_free(&b);
}

/* A centre that goes on over a checkpoint it does not lead to. */
static void
test_ingest_split_view_stops_the_log(void **state)
{
	struct court *ct = *state;
	struct handheld h;
	struct checkpoint cp;
	struct buf note;
	struct commit_job job = { 0 };
	uint8_t root[HASH_LEN];

	buf_init(&note, NOTE_BYTES_MAX);
	court_handheld(ct, &h, 15);
	handheld_write(&h, 20);
	(void)court_send(ct, &h, 1, 10);
	EXPECT_OK(centre_checkpoint(ct->c, &note, &cp));
	EXPECT_OK(ingest_checkpoint(ct->c, cp.size, cp.root));
	EXPECT_OK(tlog_root(centre_tlog(ct->c), 5, root));
	EXPECT_OK(ingest_checkpoint(ct->c, 5, root));
	root[0] ^= 1;
	EXPECT_ST(ingest_checkpoint(ct->c, 5, root), ST_CONFLICT);
	EXPECT_ST(ingest_checkpoint(ct->c, cp.size + 1, root), ST_CONFLICT);
	EXPECT_OK(ingest_note(ct->c, h.dev, buf_view(&note)));
	EXPECT_OK(ingest_note(ct->c, h.dev, bytes_str("no note")));
	EXPECT(!centre_halted(ct->c));

	/* The store goes back to an old backup; the agent's note is of ours,
	 * and larger. */
	{
		struct store_reader *r;
		const char *old = tmpdir_file(&ct->dir, "old.db");

		EXPECT_OK(store_reader_open(&r, centre_store(ct->c)));
		EXPECT_OK(store_backup(r, old));
		store_reader_close(r);
		(void)court_send(ct, &h, 11, 20);
		buf_reset(&note);
		EXPECT_OK(centre_checkpoint(ct->c, &note, &cp));
		court_close(ct);
		EXPECT(rename(old, tmpdir_file(&ct->dir, "store.db")) == 0);
		court_open(ct);
	}
	EXPECT_ST(ingest_checkpoint(ct->c, cp.size, cp.root), ST_CONFLICT);
	EXPECT_ST(ingest_note(ct->c, h.dev, buf_view(&note)), ST_LOCKED);
	EXPECT(centre_halted(ct->c));
	EXPECT_ST(committer_wait(centre_committer(ct->c), &job), ST_LOCKED);
	(void)hand_piece(&ct->rq, &h, 11, 20);
	{
		struct ingest_device dev = court_device(&h);

		EXPECT_ST(court_send_as(ct, &dev), ST_LOCKED);
	}
	court_close(ct);
	court_open(ct); /* and stays so */
	EXPECT(centre_halted(ct->c));
	handheld_free(&h);
	buf_free(&note);
}

/* Hints that are logged already, forged, or somebody else's. */
static void
test_ingest_hints(void **state)
{
	struct court *ct = *state;
	struct handheld h, other;
	struct ingest_device dev;
	struct wire_hint hint = { .seq = 5 };

	court_handheld(ct, &h, 16);
	court_handheld(ct, &other, 17);
	handheld_write(&h, 8);
	dev = court_device(&h);
	memcpy(hint.chain, h.chain, CHAIN_LEN);
	memcpy(hint.prev, handheld_link(&h, 4), HASH_LEN);
	hint.entry.raw = h.entry[4].raw;
	memcpy(hint.sig, h.entry[4].sig, SIG_LEN);
	EXPECT_OK(ingest_hint(ct->in, &dev, &hint));
	hint.sig[0] ^= 1;
	EXPECT_ST(ingest_hint(ct->in, &dev, &hint), ST_DENIED);
	hint.sig[0] ^= 1;
	(void)court_send(ct, &h, 1, 4);
	EXPECT_OK(ingest_hint(ct->in, &dev, &hint));
	dev = court_device(&other);
	EXPECT_ST(ingest_hint(ct->in, &dev, &hint), ST_DENIED);
	dev = court_device(&h);
	(void)court_send(ct, &h, 5, 5);
	EXPECT_ST(ingest_hint(ct->in, &dev, &hint), ST_CONFLICT);
	handheld_free(&h);
	handheld_free(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_centre_begins_with_its_descriptor),
		T(test_ingest_takes_pieces_and_proves_them),
		T(test_ingest_repeats_get_the_same_answer),
		T(test_ingest_gap_says_where_to_go_back),
		T(test_ingest_one_bad_piece_spoils_no_other),
		T(test_ingest_refuses_what_is_not_signed),
		T(test_ingest_fork_keeps_both_and_holds_the_later),
		T(test_ingest_leads_a_diverged_agent_back),
		T(test_ingest_branches_are_bounded),
		T(test_ingest_malformed_gets_its_place),
		T(test_ingest_lost_is_filled_later),
		T(test_ingest_hole_is_logged_and_filled),
		T(test_ingest_deliver_is_held_and_bounded),
		T(test_ingest_split_view_stops_the_log),
		T(test_ingest_hints),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
