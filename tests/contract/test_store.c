/*
 * What every implementation of server/store/store.h must do.  One table of
 * openers; each test runs against each of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "server/store/store.h"
#include "support/expect.h"
#include "support/tmpdir.h"

typedef enum status (*opener)(struct store **out, const char *path, bool make);

static enum status
open_sqlite(struct store **out, const char *path, bool make)
{
	struct store_config c = { .path = path, .create = make };

	return store_sqlite_open(out, &c);
}

static const opener openers[] = { open_sqlite };
enum { OPENERS = sizeof(openers) / sizeof(openers[0]) };

struct fixture {
	struct tmpdir dir;
	const char *path;
	struct store *s;
	struct store_reader *r;
};

static void
setup(struct fixture *f, opener open)
{
	tmpdir_make(&f->dir);
	f->path = tmpdir_file(&f->dir, "store.db");
	EXPECT_OK(open(&f->s, f->path, true));
	EXPECT_OK(store_reader_open(&f->r, f->s));
}

static void
teardown(struct fixture *f)
{
	store_reader_close(f->r);
	store_close(f->s);
	tmpdir_remove(&f->dir);
}

static void
each(void (*test)(struct fixture *f))
{
	for (size_t i = 0; i < OPENERS; i++) {
		struct fixture f;

		setup(&f, openers[i]);
		test(&f);
		teardown(&f);
	}
}

static void
link_of(uint8_t out[HASH_LEN], uint64_t place)
{
	uint8_t n[8];

	be64_put(n, place);
	sha256(out, bytes_of(n, sizeof(n)));
}

static char texts[8][16];

static struct bytes
text_of(uint64_t place)
{
	char *p = texts[place % 8];

	(void)snprintf(
	    p, sizeof(texts[0]), "entry %llu", (unsigned long long)place);
	return bytes_str(p);
}

/* An entry at `place` of chain `chain`; with_prev as at a piece's start. */
static struct store_entry
entry_of(uint64_t place, uint64_t chain, uint64_t seq, bool with_prev)
{
	struct store_entry e = { .place = place, .chain = chain, .seq = seq };

	e.has_prev = with_prev;
	if (with_prev)
		memset(e.prev, 0xbb, HASH_LEN);
	link_of(e.link, place);
	e.bytes = text_of(place);
	return e;
}

static void
put_run(struct fixture *f, uint64_t from, size_t count, uint64_t chain)
{
	for (uint64_t i = 0; i < count; i++) {
		struct store_entry e = entry_of(from + i, chain, i + 1, i == 0);

		EXPECT_OK(store_put_entry(f->s, &e, NULL));
	}
}

static struct frontier
frontier_of(uint64_t size)
{
	struct frontier fr;
	uint8_t link[HASH_LEN], leaf[HASH_LEN];

	frontier_init(&fr);
	for (uint64_t i = 0; i < size; i++) {
		link_of(link, i);
		merkle_leaf(leaf, bytes_of(link, HASH_LEN));
		frontier_add(&fr, leaf);
	}
	return fr;
}

static void
begin(struct fixture *f, uint64_t want_size)
{
	struct store_head h;

	EXPECT_OK(store_begin(f->s, &h));
	EXPECT(h.size == want_size);
}

static void
commit_run(struct fixture *f, uint64_t from, size_t count, uint64_t chain)
{
	struct frontier fr = frontier_of(from + count);

	begin(f, from);
	put_run(f, from, count, chain);
	EXPECT_OK(store_put_head(f->s, &fr));
	EXPECT_OK(store_commit(f->s));
}

/* An empty store that pretends to have a head. */
static void
empty_store(struct fixture *f)
{
	struct store_head h;
	struct store_entry e;
	struct frontier fr;
	uint8_t want[HASH_LEN];
	struct buf b;

	sha256(want, bytes_of(NULL, 0));
	EXPECT_OK(store_head(f->r, &h));
	EXPECT(h.size == 0);
	EXPECT_BYTES(bytes_of(h.root, HASH_LEN), bytes_of(want, HASH_LEN));
	EXPECT_OK(store_frontier(f->r, &fr));
	EXPECT(fr.size == 0);
	EXPECT_ST(store_entry(f->r, 0, &e), ST_ABSENT);
	buf_init(&b, 100);
	EXPECT_ST(store_meta(f->r, "x", &b), ST_ABSENT);
	EXPECT_ST(store_tile(f->r, 0, 0, &b), ST_ABSENT);
	EXPECT(b.len == 0);
}

static void
test_store_empty(void **state)
{
	(void)state;
	each(empty_store);
}

/* Rows that come back otherwise than they went in. */
static void
rows_come_back(struct fixture *f)
{
	struct store_entry e;
	struct store_head h;
	struct frontier fr, got;
	uint8_t link[HASH_LEN];

	commit_run(f, 0, 5, 7);
	EXPECT_OK(store_head(f->r, &h));
	fr = frontier_of(5);
	frontier_root(&fr, link);
	EXPECT(h.size == 5);
	EXPECT_BYTES(bytes_of(h.root, HASH_LEN), bytes_of(link, HASH_LEN));
	EXPECT_OK(store_frontier(f->r, &got));
	EXPECT(memcmp(&got, &fr, 8 + 2 * HASH_LEN) == 0);

	EXPECT_OK(store_entry(f->r, 0, &e));
	memset(link, 0xbb, HASH_LEN);
	EXPECT(e.has_prev);
	EXPECT_BYTES(bytes_of(e.prev, HASH_LEN), bytes_of(link, HASH_LEN));
	EXPECT_OK(store_entry(f->r, 3, &e));
	EXPECT(e.place == 3 && e.chain == 7 && e.seq == 4 && e.branch == 0);
	EXPECT_BYTES(e.bytes, text_of(3));
	link_of(link, 2);
	EXPECT(e.has_prev);
	EXPECT_BYTES(bytes_of(e.prev, HASH_LEN), bytes_of(link, HASH_LEN));
	EXPECT_ST(store_entry(f->r, 5, &e), ST_ABSENT);
	EXPECT_OK(store_entry_alone(f->r, 3, &e));
	EXPECT(e.place == 3 && e.seq == 4);
	EXPECT_BYTES(e.bytes, text_of(3));
	EXPECT_ST(store_entry_alone(f->r, 5, &e), ST_ABSENT);
	EXPECT_OK(store_entry_head(f->r, 4, &e));
	EXPECT(e.seq == 5 && e.bytes.len == 0);
	EXPECT_OK(store_find(f->r, 7, 2, 0, &e));
	EXPECT(e.place == 1);
	EXPECT_ST(store_find(f->r, 7, 2, 1, &e), ST_ABSENT);
	EXPECT_ST(store_find(f->r, 8, 2, 0, &e), ST_ABSENT);
	EXPECT_OK(store_find_next(f->r, 7, 0, 0, &e));
	EXPECT(e.seq == 1);
	EXPECT_ST(store_find_next(f->r, 7, 6, 0, &e), ST_ABSENT);
}

static void
test_store_rows_come_back(void **state)
{
	(void)state;
	each(rows_come_back);
}

/* A held reader that sees what came later, one that does not once it is
 * released, or one that is in the writer's way. */
static void
held_reader_sees_one_state(struct fixture *f)
{
	struct store_entry e;
	struct store_head h;

	store_release(f->r); /* nothing is held: nothing happens */
	commit_run(f, 0, 5, 7);
	EXPECT_OK(store_hold(f->r));
	EXPECT_OK(store_head(f->r, &h));
	EXPECT(h.size == 5);
	commit_run(f, 5, 5, 8);
	EXPECT_OK(store_head(f->r, &h));
	EXPECT(h.size == 5);
	EXPECT_OK(store_entry(f->r, 4, &e));
	EXPECT_BYTES(e.bytes, text_of(4));
	EXPECT_ST(store_entry(f->r, 5, &e), ST_ABSENT);
	store_release(f->r);
	EXPECT_OK(store_head(f->r, &h));
	EXPECT(h.size == 10);
	EXPECT_OK(store_entry(f->r, 5, &e));
}

static void
test_store_held_reader_sees_one_state(void **state)
{
	(void)state;
	each(held_reader_sees_one_state);
}

/* Anything of a transaction that was rolled back. */
static void
rollback_leaves_nothing(struct fixture *f)
{
	struct store_entry e = entry_of(0, 1, 1, true);
	struct store_head h;
	struct frontier fr = frontier_of(1);

	begin(f, 0);
	EXPECT_OK(store_put_entry(f->s, &e, NULL));
	EXPECT_OK(store_put_head(f->s, &fr));
	EXPECT_OK(store_head(store_inside(f->s), &h));
	EXPECT(h.size == 1); /* the writer sees its own */
	EXPECT_OK(store_head(f->r, &h));
	EXPECT(h.size == 0); /* a reader does not */
	store_rollback(f->s);
	EXPECT_ST(store_entry(f->r, 0, &e), ST_ABSENT);
	commit_run(f, 0, 1, 1);
}

static void
test_store_rollback_leaves_nothing(void **state)
{
	(void)state;
	each(rollback_leaves_nothing);
}

/* A place, or a place in a chain, that is given twice. */
static void
places_are_taken_once(struct fixture *f)
{
	struct store_entry e;

	commit_run(f, 0, 2, 1);
	begin(f, 2);
	e = entry_of(1, 1, 3, true);
	EXPECT_ST(store_put_entry(f->s, &e, NULL), ST_CONFLICT);
	EXPECT(store_errmsg(f->s)[0] != '\0');
	store_rollback(f->s);
	begin(f, 2);
	e = entry_of(2, 1, 2, true);
	EXPECT_ST(store_put_entry(f->s, &e, NULL), ST_CONFLICT);
	store_rollback(f->s);
	/* On another branch the same place in the chain is free. */
	begin(f, 2);
	e.branch = 1;
	EXPECT_OK(store_put_entry(f->s, &e, NULL));
	store_rollback(f->s);
}

static void
test_store_places_are_taken_once(void **state)
{
	(void)state;
	each(places_are_taken_once);
}

/* Scans that lose or repeat a row, above all where one run ends. */
static void
scan_gives_all(struct fixture *f)
{
	struct store_scan *sc;
	struct store_entry e;
	uint8_t link[HASH_LEN];
	uint64_t n = 0;

	commit_run(f, 0, 600, 1);
	commit_run(f, 600, 400, 2);
	EXPECT_OK(store_scan_open(&sc, f->r, 1, 999));
	while (store_scan_next(sc, &e) == ST_OK) {
		n++;
		EXPECT(e.place == n);
		EXPECT_BYTES(e.bytes, text_of(n));
		link_of(link, n - 1);
		if (n == 600)
			memset(link, 0xbb, HASH_LEN);
		EXPECT(memcmp(e.prev, link, HASH_LEN) == 0);
	}
	store_scan_close(sc);
	EXPECT(n == 998);
	EXPECT_OK(store_scan_open(&sc, f->r, 990, 5000));
	for (n = 990; store_scan_next(sc, &e) == ST_OK; n++)
		EXPECT(e.place == n);
	EXPECT(n == 1000);
	store_scan_close(sc);
	EXPECT_OK(store_scan_open(&sc, f->r, 5, 5));
	EXPECT_ST(store_scan_next(sc, &e), ST_ABSENT);
	store_scan_close(sc);
}

static void
test_store_scan_gives_all(void **state)
{
	(void)state;
	each(scan_gives_all);
}

static enum status
count_chain(void *arg, const struct store_chain *c)
{
	struct store_chain *all = arg;
	size_t n = (size_t)all[0].no;

	all[++n] = *c;
	all[0].no = n;
	return ST_OK;
}

/* Chains, commits, lines and tiles that come back otherwise. */
static void
other_rows_come_back(struct fixture *f)
{
	static uint8_t tile[256][HASH_LEN];
	struct store_chain c = { .no = 3, .last_seq = 5, .last_place = 9 };
	struct store_chain all[4] = { 0 };
	struct store_commit cm = {
		.place = 9, .first = 4, .wall = 1000, .pieces = 2
	};
	uint8_t line[PIECE_LINE_LEN];
	uint8_t links[3][HASH_LEN], link[HASH_LEN];
	struct buf b;

	buf_init(&b, 1 << 20);
	memset(c.id, 1, CHAIN_LEN);
	memset(c.key, 2, PUBKEY_LEN);
	memset(c.last_link, 3, HASH_LEN);
	memset(cm.sig, 4, SIG_LEN);
	memset(tile, 5, sizeof(tile));
	begin(f, 0);
	EXPECT_OK(store_put_chain(f->s, &c));
	c.last_seq = 6;
	EXPECT_OK(store_put_chain(f->s, &c));
	c.branch = 1;
	c.status = STORE_CHAIN_HELD;
	EXPECT_OK(store_put_chain(f->s, &c));
	EXPECT_OK(store_put_commit(f->s, &cm));
	for (uint64_t i = 0; i < 2; i++) {
		memset(line, (int)(0x60 + i), sizeof(line));
		EXPECT_OK(store_put_piece(f->s, 9, i, line));
	}
	EXPECT_OK(store_put_tile(f->s, 1, 0, (const uint8_t(*)[HASH_LEN])tile));
	EXPECT_OK(store_put_tile(f->s, 1, 0,
	    (const uint8_t(*)[HASH_LEN])tile)); /* repeats are fine */
	put_run(f, 0, 3, 1);
	EXPECT_OK(store_commit(f->s));

	EXPECT_OK(store_chains(f->r, count_chain, all));
	EXPECT(all[0].no == 2);
	EXPECT(all[1].branch == 0 && all[1].last_seq == 6);
	EXPECT(all[2].branch == 1 && all[2].status == STORE_CHAIN_HELD);
	EXPECT(memcmp(all[2].id, c.id, CHAIN_LEN) == 0);
	EXPECT(memcmp(all[2].key, c.key, PUBKEY_LEN) == 0);
	EXPECT(memcmp(all[2].last_link, c.last_link, HASH_LEN) == 0);

	memset(&cm, 0, sizeof(cm));
	EXPECT_OK(store_commit_of(f->r, 5, &cm));
	EXPECT(cm.place == 9 && cm.first == 4 && cm.pieces == 2);
	EXPECT(cm.sig[63] == 4 && cm.wall == 1000);
	EXPECT_ST(store_commit_of(f->r, 10, &cm), ST_ABSENT);
	EXPECT_OK(store_commit_later(f->r, 0, 999, &cm));
	EXPECT_ST(store_commit_later(f->r, 0, 1000, &cm), ST_ABSENT);
	EXPECT_ST(store_commit_later(f->r, 10, 0, &cm), ST_ABSENT);
	EXPECT_OK(store_pieces(f->r, 9, &b));
	EXPECT(b.len == 2 * PIECE_LINE_LEN);
	EXPECT(b.p[0] == 0x60 && b.p[PIECE_LINE_LEN] == 0x61);
	buf_reset(&b);
	EXPECT_OK(store_tile(f->r, 1, 0, &b));
	EXPECT_BYTES(buf_view(&b), bytes_of(tile, sizeof(tile)));
	EXPECT_ST(store_tile(f->r, 0, 0, &b), ST_ABSENT);
	EXPECT_OK(store_links(f->r, 0, 3, links));
	link_of(link, 2);
	EXPECT(memcmp(links[2], link, HASH_LEN) == 0);
	EXPECT_ST(store_links(f->r, 1, 3, links), ST_ABSENT);
	buf_free(&b);
}

static void
test_store_other_rows_come_back(void **state)
{
	(void)state;
	each(other_rows_come_back);
}

/* A lost entry that stays lost, an erased one that comes back. */
static void
fill_and_erase(struct fixture *f)
{
	struct store_entry e = entry_of(0, 1, 1, true), got;
	uint64_t no = 0, place = 99;
	struct buf b;

	buf_init(&b, 100);
	e.flags = STORE_LOST;
	begin(f, 0);
	EXPECT_OK(store_put_entry(f->s, &e, NULL));
	e = entry_of(1, 1, 2, false);
	e.flags = STORE_MALFORMED;
	EXPECT_OK(store_put_entry(f->s, &e, "no such verb"));
	EXPECT_OK(store_commit(f->s));
	EXPECT_OK(store_why(f->r, 1, &b));
	EXPECT(bytes_eq_str(buf_view(&b), "no such verb"));
	EXPECT_ST(store_why(f->r, 0, &b), ST_ABSENT);
	EXPECT_ST(store_next_fill(f->r, &no, &place), ST_ABSENT);

	begin(f, 0);
	EXPECT_OK(store_fill(f->s, 0, 0, bytes_str("head\nbody"), NULL));
	EXPECT_OK(store_commit(f->s));
	EXPECT_OK(store_entry(f->r, 0, &got));
	EXPECT(got.flags == 0);
	EXPECT_BYTES(got.bytes, bytes_str("head\nbody"));
	EXPECT_OK(store_next_fill(f->r, &no, &place));
	EXPECT(no == 1 && place == 0);
	EXPECT_ST(store_next_fill(f->r, &no, &place), ST_ABSENT);

	begin(f, 0);
	EXPECT_OK(store_erase(f->s, 0));
	EXPECT_OK(store_commit(f->s));
	EXPECT_OK(store_entry(f->r, 0, &got));
	EXPECT(got.flags == (STORE_BLIND | STORE_ERASED));
	EXPECT_BYTES(got.bytes, bytes_str("head"));
	begin(f, 0);
	EXPECT_ST(
	    store_fill(f->s, 0, 0, bytes_str("head\nbody"), NULL), ST_DENIED);
	store_rollback(f->s);
	EXPECT_OK(store_next_fill(f->r, &no, &place));
	EXPECT(no == 2);
	buf_free(&b);
}

static void
test_store_fill_and_erase(void **state)
{
	(void)state;
	each(fill_and_erase);
}

struct seen {
	uint64_t count, n, no;
	char sort[32];
};

static enum status
see_alarm(void *arg, const struct store_alarm *a)
{
	struct seen *s = arg;

	s->count++;
	s->no = a->no;
	memcpy(s->sort, a->sort.p, a->sort.len);
	return ST_OK;
}

static enum status
see_attempt(void *arg, const struct store_attempt *a)
{
	struct seen *s = arg;

	if (s->count++ == 0)
		s->n = a->count;
	return ST_OK;
}

static enum status
see_doc(void *arg, const struct store_doc *d)
{
	struct seen *s = arg;

	s->count++;
	s->n = d->until;
	return ST_OK;
}

/* Codes that are forgotten, attempts that fill the disk. */
static void
small_rows(struct fixture *f)
{
	struct store_alarm a = { .wall = 5,
		.sort = bytes_str("fork"),
		.dev = bytes_str("abc"),
		.doc = bytes_str("{}") };
	struct store_attempt at = { .sort = bytes_str("bad_signature"),
		.first_wall = 1,
		.last_wall = 1,
		.count = 1,
		.doc = bytes_str("{}") };
	struct store_doc d = { .sort = bytes_str("code"),
		.key = bytes_str("k"),
		.until = 7,
		.doc = bytes_str("{}") };
	struct seen seen = { 0 };
	char subject[32];

	begin(f, 0);
	EXPECT_OK(store_put_alarm(f->s, &a));
	EXPECT_OK(store_put_alarm(f->s, &a));
	for (int i = 0; i < STORE_ATTEMPTS_MAX + 10; i++) {
		(void)snprintf(subject, sizeof(subject), "%d", i);
		at.subject = bytes_str(subject);
		at.last_wall = (uint64_t)i;
		EXPECT_OK(store_put_attempt(f->s, &at));
	}
	at.last_wall = 1u << 20;
	at.count = 3;
	EXPECT_OK(store_put_attempt(f->s, &at));
	EXPECT_OK(store_put_doc(f->s, &d));
	d.until = 8;
	EXPECT_OK(store_put_doc(f->s, &d));
	EXPECT_OK(store_put_meta(f->s, "m", bytes_str("one")));
	EXPECT_OK(store_put_meta(f->s, "m", bytes_str("two")));
	EXPECT_OK(store_commit(f->s));

	EXPECT_OK(store_alarms(f->r, 1, see_alarm, &seen));
	EXPECT(seen.count == 1 && seen.no == 2);
	EXPECT(strcmp(seen.sort, "fork") == 0);
	memset(&seen, 0, sizeof(seen));
	EXPECT_OK(store_attempts(f->r, 1u << 20, see_attempt, &seen));
	EXPECT(seen.count == STORE_ATTEMPTS_MAX && seen.n == 4);
	memset(&seen, 0, sizeof(seen));
	EXPECT_OK(store_doc(f->r, "code", bytes_str("k"), see_doc, &seen));
	EXPECT(seen.n == 8);
	EXPECT_ST(store_doc(f->r, "token", bytes_str("k"), see_doc, &seen),
	    ST_ABSENT);
	EXPECT_OK(store_docs(f->r, "code", see_doc, &seen));
	EXPECT(seen.count == 2);
	begin(f, 0);
	EXPECT_OK(store_remove_doc(f->s, "code", bytes_str("k")));
	EXPECT_OK(store_commit(f->s));
	EXPECT_ST(
	    store_doc(f->r, "code", bytes_str("k"), see_doc, &seen), ST_ABSENT);
}

static void
test_store_small_rows(void **state)
{
	(void)state;
	each(small_rows);
}

/* A store made over another, or opened where there is none; a second writer
 * that does not see the first; a backup that is not the same. */
static void
test_store_opening_and_backup(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPENERS; i++) {
		struct fixture f;
		struct store *other;
		struct store_reader *r;
		struct store_head h;
		struct store_entry e;
		struct buf why;
		const char *copy;

		setup(&f, openers[i]);
		EXPECT_ST(openers[i](&other, f.path, true), ST_CONFLICT);
		EXPECT_ST(
		    openers[i](&other, tmpdir_file(&f.dir, "none.db"), false),
		    ST_ABSENT);
		commit_run(&f, 0, 300, 1);
		EXPECT_OK(openers[i](&other, f.path, false));
		EXPECT_OK(store_begin(other, &h));
		EXPECT(h.size == 300);
		e = entry_of(300, 2, 1, true);
		EXPECT_OK(store_put_entry(other, &e, NULL));
		EXPECT_OK(store_commit(other));
		store_close(other);
		EXPECT_OK(store_entry(f.r, 300, &e));

		copy = tmpdir_file(&f.dir, "copy.db");
		EXPECT_OK(store_backup(f.r, copy));
		EXPECT_ST(store_backup(f.r, copy), ST_CONFLICT);
		EXPECT_OK(openers[i](&other, copy, false));
		EXPECT_OK(store_reader_open(&r, other));
		EXPECT_OK(store_entry(r, 300, &e));
		EXPECT_BYTES(e.bytes, text_of(300));
		buf_init(&why, 1000);
		EXPECT_OK(store_check(r, &why));
		buf_free(&why);
		store_reader_close(r);
		store_close(other);
		teardown(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_empty),
		cmocka_unit_test(test_store_rows_come_back),
		cmocka_unit_test(test_store_held_reader_sees_one_state),
		cmocka_unit_test(test_store_rollback_leaves_nothing),
		cmocka_unit_test(test_store_places_are_taken_once),
		cmocka_unit_test(test_store_scan_gives_all),
		cmocka_unit_test(test_store_other_rows_come_back),
		cmocka_unit_test(test_store_fill_and_erase),
		cmocka_unit_test(test_store_small_rows),
		cmocka_unit_test(test_store_opening_and_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
