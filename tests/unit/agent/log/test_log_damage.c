#include "support/expect.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chainfile/vault.h"
#include "db/db.h"
#include "entry/chain.h"
#include "support/log_case.h"

enum { PAGE = 4096 };

struct damage {
	struct log_case c;
	uint8_t pub[32], priv[32]; /* the court's recovery key */
};

static int
start(void **state)
{
	struct damage *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -1;
	case_init(&t->c);
	crypto_box_keypair(t->pub, t->priv);
	if (case_create(&t->c) != ST_OK ||
	    log_recovery_set(t->c.l, t->pub) != ST_OK)
		return -1;
	*state = t;
	return 0;
}

static int
finish(void **state)
{
	struct damage *t = *state;

	case_free(&t->c);
	free(t);
	return 0;
}

/* The closed file, opened beneath the log. */
static struct chainfile *
beneath(struct damage *t)
{
	struct chainfile_config fc = {
		.path = CASE_PATH, .vfs = t->c.config.vfs, .port = port_system()
	};
	struct chainfile *f = NULL;

	case_close(&t->c);
	EXPECT_OK(chainfile_open(&f, &fc));
	EXPECT_OK(chainfile_recover(f, t->priv));
	return f;
}

static void
run(struct chainfile *f, const char *sql)
{
	EXPECT_OK(db_exec(chainfile_db(f), sql));
}

/* A column of a row, copied. */
static size_t
get(struct chainfile *f, const char *sql, uint8_t *out, size_t max)
{
	struct db_stmt *s;
	struct bytes b;
	size_t len;

	EXPECT_OK(db_query(&s, chainfile_db(f), sql));
	EXPECT_OK(db_next(s));
	b = db_bytes(s, 0);
	EXPECT(b.len > 0 && b.len <= max);
	memcpy(out, b.p, b.len);
	len = b.len;
	db_done(s);
	return len;
}

static void
set(struct chainfile *f, const char *sql, struct bytes v)
{
	struct db_stmt *s;

	EXPECT_OK(db_query(&s, chainfile_db(f), sql));
	db_bind_bytes(s, 1, v);
	EXPECT_OK(db_run(s));
}

struct tally {
	uint64_t whole, wrong, lost, hole;
	uint64_t lost_at;
	unsigned damage;
	uint8_t lost_digest[HASH_LEN];
};

static enum status
tally(void *arg, const struct chainfile_entry *e)
{
	struct tally *t = arg;
	struct buf b;

	t->damage |= e->damage;
	t->hole += e->is == CHAINFILE_HOLE;
	if (e->is == CHAINFILE_LOST) {
		t->lost++;
		t->lost_at = e->seq;
		memcpy(t->lost_digest, e->digest, HASH_LEN);
	}
	if (e->is == CHAINFILE_WHOLE) {
		t->whole++;
		buf_init(&b, ENTRY_BYTES_MAX);
		t->wrong +=
		    !bytes_eq(e->raw, case_entry(&b, e->seq, e->raw.len));
		buf_free(&b);
	}
	return ST_OK;
}

static struct tally
walk(struct chainfile *f, struct chainfile_found *found)
{
	struct tally t = { 0 };

	EXPECT_OK(chainfile_walk(f, 1, 1, UINT64_MAX, tally, &t, found));
	EXPECT(t.wrong == 0);
	return t;
}

/* Catches a flipped bit that goes unseen, or that takes more than its own row
 * with it: every byte of a sealed row, one bit each. */
static void
test_flip_in_a_sealed_row_loses_that_row_only(void **state)
{
	struct damage *t = *state;
	struct chainfile_found found;
	uint8_t row[2000], link[HASH_LEN];
	struct chainfile *f;
	struct buf b;
	size_t len;

	buf_init(&b, ENTRY_BYTES_MAX);
	EXPECT_OK(log_append(t->c.l, 1, case_entry(&b, 1, 240), link));
	EXPECT_OK(log_append(t->c.l, 2, case_entry(&b, 2, 240), link));
	EXPECT_OK(log_append(t->c.l, 3, case_entry(&b, 3, 240), link));
	f = beneath(t);
	len = get(
	    f, "SELECT sealed FROM entry_1 WHERE seq = 2", row, sizeof(row));
	for (size_t i = 0; i < len; i++) {
		struct tally got;

		row[i] ^= (uint8_t)(1u << (i % 8));
		set(f, "UPDATE entry_1 SET sealed = ?1 WHERE seq = 2",
		    bytes_of(row, len));
		got = walk(f, &found);
		EXPECT(got.whole == 2 && got.lost == 1 && got.lost_at == 2);
		EXPECT(found.head_ok && found.lost == 1 && found.known == 3);
		row[i] ^= (uint8_t)(1u << (i % 8));
	}
	for (size_t cut = 0; cut < len; cut += 7) {
		set(f, "UPDATE entry_1 SET sealed = ?1 WHERE seq = 2",
		    bytes_of(row, cut));
		EXPECT(walk(f, &found).lost == 1 && found.head_ok);
	}
	chainfile_close(f);
	buf_free(&b);
}

/* Catches a spine that is believed whatever it says: a flipped bit in any of
 * it costs nothing, and is mended by the next replay. */
static void
test_flip_in_the_spine_costs_nothing(void **state)
{
	static const struct {
		const char *get, *set;
		size_t len;
	} col[] = {
		{ "SELECT digest FROM spine_1 WHERE seq = 2",
		    "UPDATE spine_1 SET digest = ?1 WHERE seq = 2", HASH_LEN },
		{ "SELECT link FROM spine_1 WHERE seq = 2",
		    "UPDATE spine_1 SET link = ?1 WHERE seq = 2", HASH_LEN },
		{ "SELECT sig FROM spine_1 WHERE seq = 2",
		    "UPDATE spine_1 SET sig = ?1 WHERE seq = 2", SIG_LEN },
	};
	struct damage *t = *state;
	struct chainfile_found found;
	struct case_seen seen;
	uint8_t v[SIG_LEN];
	struct chainfile *f;

	case_fill(&t->c, 3);
	f = beneath(t);
	for (size_t k = 0; k < 3; k++) {
		EXPECT(get(f, col[k].get, v, sizeof(v)) == col[k].len);
		for (size_t i = 0; i < col[k].len; i++) {
			struct tally got;

			v[i] ^= 0x10;
			set(f, col[k].set, bytes_of(v, col[k].len));
			got = walk(f, &found);
			EXPECT(got.whole == 3 && found.mended == 1);
			EXPECT(got.damage == CHAINFILE_BAD_SPINE);
			EXPECT(found.head_ok);
			v[i] ^= 0x10;
		}
		v[0] ^= 1;
		set(f, col[k].set, bytes_of(v, col[k].len));
	}
	chainfile_close(f);
	case_again(&t->c);
	EXPECT_OK(case_replay(&t->c, &seen));
	EXPECT(seen.whole == 3 && seen.found.mended == 1);
	EXPECT_OK(case_replay(&t->c, &seen));
	EXPECT(seen.whole == 3 && seen.found.mended == 0);
	EXPECT_OK(log_check(t->c.l, &seen.found));
}

/* Catches a row that opens in another's place. */
static void
test_rows_cannot_change_places(void **state)
{
	struct damage *t = *state;
	struct chainfile_found found;
	uint8_t row[2000];
	struct chainfile *f;
	struct tally got;
	size_t len;

	case_fill(&t->c, 5);
	EXPECT_OK(log_chain_new(t->c.l, t->c.court));
	case_fill(&t->c, 5);
	f = beneath(t);
	len = get(
	    f, "SELECT sealed FROM entry_1 WHERE seq = 3", row, sizeof(row));
	set(f, "UPDATE entry_1 SET sealed = ?1 WHERE seq = 4",
	    bytes_of(row, len));
	got = walk(f, &found);
	EXPECT(got.whole == 4 && got.lost == 1 && got.lost_at == 4);
	/* The same place of another chain of the same device. */
	len = get(
	    f, "SELECT sealed FROM entry_2 WHERE seq = 2", row, sizeof(row));
	set(f, "UPDATE entry_1 SET sealed = ?1 WHERE seq = 2",
	    bytes_of(row, len));
	got = walk(f, &found);
	EXPECT(got.whole == 3 && got.lost == 2 && found.head_ok);
	chainfile_close(f);
}

/* Catches a row of a forked copy's history, sealed with the right key for the
 * right place, that is taken for this one's. */
static void
test_row_of_another_history_is_refused(void **state)
{
	struct damage *t = *state;
	struct chainfile_found found;
	struct log_case copy;
	struct damage other = *t;
	uint8_t row[2000], link[HASH_LEN];
	struct chainfile *f;
	struct tally got;
	size_t len;

	case_fill(&t->c, 3);
	case_on(&copy, &t->c, fault_disk_after(t->c.disk, FAULT_KEEP, 0));
	case_fill(&t->c, 6);
	EXPECT_OK(case_open(&copy));
	EXPECT_OK(case_unlock(&copy));
	EXPECT_OK(log_append(copy.l, 4, bytes_str("fork\nbody"), link));
	EXPECT_OK(log_append(copy.l, 5, bytes_str("fork\nmore"), link));
	other.c = copy;
	f = beneath(&other);
	len = get(
	    f, "SELECT sealed FROM entry_1 WHERE seq = 5", row, sizeof(row));
	chainfile_close(f);
	f = beneath(t);
	set(f, "UPDATE entry_1 SET sealed = ?1 WHERE seq = 5",
	    bytes_of(row, len));
	got = walk(f, &found);
	EXPECT(got.whole == 5 && got.lost == 1 && got.lost_at == 5);
	EXPECT(got.damage & CHAINFILE_STRANGE_ROW);
	EXPECT(found.head_ok);
	chainfile_close(f);
	case_free(&other.c);
}

/* Catches a chain that ends at the first missing row, and damage told as less
 * or more than it is. */
static void
test_missing_rows_are_told_and_stepped_over(void **state)
{
	struct damage *t = *state;
	struct chainfile_found found;
	struct chainfile *f;
	struct tally got;

	case_fill(&t->c, 12);
	f = beneath(t);
	run(f, "DELETE FROM spine_1 WHERE seq IN (2, 3)");
	got = walk(f, &found);
	EXPECT(got.whole == 12 && found.mended == 2 && found.head_ok);
	EXPECT(got.damage == CHAINFILE_NO_SPINE);
	run(f, "DELETE FROM entry_1 WHERE seq IN (5, 6)");
	got = walk(f, &found);
	EXPECT(got.whole == 10 && found.lost == 2 && found.head_ok);
	/* Both halves of 8 and 9 gone: a hole, and the chain goes on, since
	 * 10 names link(9). */
	run(f, "DELETE FROM entry_1 WHERE seq IN (8, 9);"
	       "DELETE FROM spine_1 WHERE seq IN (8, 9)");
	got = walk(f, &found);
	EXPECT(got.whole == 8 && found.lost == 2 && found.holes == 2);
	EXPECT(found.head_ok && found.last == 12);
	/* The last one's row: its digest and signature still end the chain. */
	run(f, "DELETE FROM entry_1 WHERE seq = 12");
	got = walk(f, &found);
	EXPECT(found.lost == 3 && found.head_ok && found.last == 12);
	chainfile_close(f);
	case_again(&t->c);
	case_fill(&t->c, 14);
}

/* Catches an end that cannot be trusted and is built on all the same, and a
 * chain that can then never be left. */
static void
test_broken_end_asks_for_a_new_chain(void **state)
{
	struct damage *t = *state;
	struct case_seen seen;
	struct log_head h, old;
	struct chainfile *f;

	case_fill(&t->c, 6);
	EXPECT_OK(log_head(t->c.l, &old));
	f = beneath(t);
	run(f, "DELETE FROM entry_1 WHERE seq = 6;"
	       "UPDATE spine_1 SET link = digest WHERE seq = 6;"
	       "UPDATE spine_1 SET digest = link WHERE seq = 6");
	chainfile_close(f);
	EXPECT_OK(case_open(&t->c));
	EXPECT_OK(case_unlock(&t->c));
	EXPECT_OK(case_replay(&t->c, &seen));
	EXPECT(seen.whole == 5);
	if (!seen.found.broken) {
		/* The end is the last place that proves itself. */
		EXPECT_OK(log_head(t->c.l, &h));
		EXPECT(h.seq == 6 || h.seq == 5);
	} else {
		EXPECT_ST(case_append(&t->c, 7), ST_CORRUPT);
	}
	EXPECT_OK(log_chain_new(t->c.l, t->c.court));
	EXPECT_OK(log_head(t->c.l, &h));
	EXPECT(h.number == 2 && h.has_old && h.old_seq >= 5);
	case_fill(&t->c, 3);
	case_again(&t->c);
	EXPECT_OK(case_replay(&t->c, &seen));
	EXPECT(seen.whole == 8 && !seen.found.broken);
}

/* Catches newest entries cut off that nobody notices: the file alone cannot
 * show it, comparing with the centre must. */
static void
test_cut_tail_is_seen_by_comparing(void **state)
{
	struct damage *t = *state;
	struct chainfile_found found;
	enum log_compare how;
	struct chainfile *f;
	struct log_head h;

	case_fill(&t->c, 8);
	EXPECT_OK(log_head(t->c.l, &h));
	f = beneath(t);
	run(f, "DELETE FROM entry_1 WHERE seq > 5;"
	       "DELETE FROM spine_1 WHERE seq > 5");
	(void)walk(f, &found);
	EXPECT(found.head_ok && found.last == 5);
	chainfile_close(f);
	EXPECT_OK(case_open(&t->c));
	EXPECT_OK(log_compare(t->c.l, h.chain, h.seq, h.link, &how));
	EXPECT(how == LOG_BEHIND);
}

/* Catches bytes that are not the lost ones put in their place. */
static void
test_lost_place_is_filled_by_its_own_bytes_only(void **state)
{
	struct damage *t = *state;
	struct case_seen seen;
	struct chainfile *f;
	struct log_head h;
	struct buf b;

	buf_init(&b, ENTRY_BYTES_MAX);
	case_fill(&t->c, 6);
	EXPECT_OK(log_head(t->c.l, &h));
	f = beneath(t);
	run(f, "DELETE FROM entry_1 WHERE seq = 4");
	chainfile_close(f);
	case_again(&t->c);
	EXPECT_OK(case_replay(&t->c, &seen));
	EXPECT(seen.lost == 1 && seen.first_lost == 4);
	EXPECT_ST(
	    log_fill(t->c.l, h.chain, 4, case_entry(&b, 5, 700)), ST_CONFLICT);
	EXPECT_ST(
	    log_fill(t->c.l, h.chain, 3, case_entry(&b, 3, 700)), ST_ABSENT);
	EXPECT_ST(
	    log_fill(t->c.l, h.chain, 7, case_entry(&b, 7, 700)), ST_ABSENT);
	EXPECT_OK(log_fill(t->c.l, h.chain, 4, case_entry(&b, 4, 700)));
	case_again(&t->c);
	EXPECT_OK(case_replay(&t->c, &seen));
	EXPECT(seen.whole == 6 && seen.damaged == 0 && seen.wrong == 0);
	buf_free(&b);
}

/* Catches a slot slipped into the file that is given the next keys. */
static void
test_slipped_in_slot_gets_no_keys(void **state)
{
	struct damage *t = *state;
	struct keyslot_keys bogus = { .data_id = 1 }, got;
	uint8_t pub[32], priv[32];
	struct keyslot s;
	struct chainfile *f;
	struct buf b;

	crypto_box_keypair(pub, priv);
	EXPECT_OK(log_officer_add(
	    t->c.l, bytes_str("second"), bytes_str("another passphrase")));
	case_fill(&t->c, 2);
	f = beneath(t);
	buf_init(&b, KEYSLOT_BYTES_MAX);
	EXPECT_OK(keyslot_recovery(&b, 9, pub, &bogus, port_system()));
	EXPECT_OK(db_begin(chainfile_db(f)));
	EXPECT_OK(chainfile_slot_put(f, 9, buf_view(&b)));
	EXPECT_OK(db_commit(chainfile_db(f)));
	chainfile_close(f);
	case_again(&t->c);
	EXPECT_OK(log_officer_remove(t->c.l, bytes_str("second")));
	f = beneath(t);
	buf_reset(&b);
	EXPECT_OK(chainfile_slot_get(f, 9, &b));
	EXPECT_OK(keyslot_read(&s, buf_view(&b)));
	EXPECT_OK(keyslot_open_recovery(&got, &s, priv));
	EXPECT(got.data_id == 1 && sodium_is_zero(got.data, 32));
	chainfile_close(f);
	buf_free(&b);
}

/* Catches a removed officer's slot, put back from an old copy, that opens. */
static void
test_old_slot_put_back_does_not_open(void **state)
{
	struct damage *t = *state;
	struct bytes second = bytes_str("second");
	struct bytes phrase = bytes_str("another passphrase");
	struct chainfile *f;
	struct buf b;

	EXPECT_OK(log_officer_add(t->c.l, second, phrase));
	f = beneath(t);
	buf_init(&b, KEYSLOT_BYTES_MAX);
	EXPECT_OK(chainfile_slot_get(f, 3, &b));
	chainfile_close(f);
	case_again(&t->c);
	EXPECT_OK(log_officer_remove(t->c.l, second));
	f = beneath(t);
	EXPECT_OK(db_begin(chainfile_db(f)));
	EXPECT_OK(chainfile_slot_put(f, 3, buf_view(&b)));
	EXPECT_OK(db_commit(chainfile_db(f)));
	chainfile_close(f);
	EXPECT_OK(case_open(&t->c));
	EXPECT_ST(log_unlock(t->c.l, second, phrase), ST_CORRUPT);
	EXPECT(!log_is_unlocked(t->c.l));
	EXPECT_OK(case_unlock(&t->c));
	buf_free(&b);
}

/* Everything can be written, at the latest at the second try. */
static void
check_writes(struct log_case *c)
{
	struct log_foreign f = {
		.seq = 9, .place = 77, .raw = bytes_str("other\nbody")
	};
	struct log_receipt r = {
		.seq = 2, .place = 3, .size = 4, .bytes = bytes_str("proof")
	};
	struct log_cursor cur = { .place = 5 };
	enum status st[6];
	struct log_head h;

	EXPECT_OK(log_chain(c->l, 1, &h));
	memcpy(r.chain, h.chain, CHAIN_LEN);
	for (int round = 0; round < 2; round++) {
		st[0] = log_foreign_add(c->l, &f, NULL, NULL);
		st[1] = log_receipt_put(c->l, &r);
		st[2] = log_cursor_put(c->l, &cur);
		st[3] = log_conf_put(c->l, "x", bytes_str("y"));
		st[4] = log_bad_put(c->l, "why", bytes_str("z"));
		st[5] = log_public_put(c->l, "p", bytes_str("q"));
	}
	for (int i = 0; i < 6; i++)
		EXPECT_OK(st[i]);
	EXPECT_OK(log_officer_add(
	    c->l, bytes_str("third"), bytes_str("third passphrase")));
}

static enum status
count_all(void *arg, const struct log_receipt *r)
{
	(void)r;
	++*(unsigned *)arg;
	return ST_OK;
}

/* Rows in every table. */
static void
fill_tables(struct log_case *c)
{
	struct log_foreign f = { .raw = bytes_str("other\nbody") };
	struct log_cursor cur = { .place = 5 };
	static uint8_t big[6000];
	struct log_receipt r = {
		.place = 3, .size = 4, .bytes = bytes_of(big, 300)
	};
	struct log_head h;
	char name[16];

	EXPECT_OK(log_head(c->l, &h));
	memcpy(r.chain, h.chain, CHAIN_LEN);
	EXPECT_OK(log_batch_begin(c->l));
	for (unsigned i = 1; i <= 60; i++) {
		f.seq = f.place = r.seq = i;
		cur.scope[0] = (uint8_t)i;
		(void)snprintf(name, sizeof(name), "n%u", i);
		EXPECT_OK(log_foreign_add(c->l, &f, NULL, NULL));
		EXPECT_OK(log_receipt_put(c->l, &r));
		EXPECT_OK(log_cursor_put(c->l, &cur));
		EXPECT_OK(log_conf_put(
		    c->l, name, bytes_of(big, i == 30 ? sizeof(big) : i)));
		EXPECT_OK(log_bad_put(c->l, "why", bytes_str("z")));
		EXPECT_OK(log_public_put(c->l, name, bytes_str("q")));
	}
	EXPECT_OK(log_batch_commit(c->l));
}

/* How many pages (three kinds of damage each) cost more than a page holds: the
 * roots, which name all others. */
struct toll {
	unsigned entries, others, receipts;
};

/* What is left of a file in which one page was spoiled. */
static void
check_torn(struct log_case *c, uint64_t total, size_t page, struct toll *toll)
{
	uint64_t left;

	struct case_seen seen;
	unsigned receipts = 0;
	struct log_head h;
	enum status st = case_open(c);

	/* Page 1 names all tables; without it there is no database. */
	if (st != ST_OK) {
		EXPECT(page == 0 && (st == ST_CORRUPT || st == ST_CONFLICT ||
					st == ST_NEWER || st == ST_INVALID ||
					st == ST_ABSENT));
		return;
	}
	EXPECT_OK(case_unlock(c));
	EXPECT_OK(case_replay(c, &seen));
	EXPECT(seen.wrong == 0);
	EXPECT(seen.whole + seen.lost + seen.hole <= total);
	/* Four kilobytes hold five of these entries. */
	toll->entries += seen.whole < total - 6;
	left = seen.whole;
	EXPECT_OK(log_head(c->l, &h));
	st = case_append(c, h.seq + 1);
	if (st == ST_CORRUPT) {
		EXPECT_OK(log_chain_new(c->l, c->court));
		EXPECT_OK(case_append(c, 1));
	} else {
		EXPECT_OK(st);
	}
	check_writes(c);
	case_again(c);
	EXPECT_OK(case_replay(c, &seen));
	EXPECT(seen.wrong == 0 && seen.whole == left + 1);
	/* Half of the rows do not fit into one page. */
	toll->others += seen.others < 30;
	EXPECT_OK(log_receipt_each(c->l, count_all, &receipts));
	toll->receipts += receipts < 30;
}

/* Catches a torn page, any of the file, that costs more than what stood on it:
 * the keys, the other entries, or the ability to go on writing. */
static void
test_any_torn_page_leaves_the_rest(void **state)
{
	enum { TOTAL = 60 };
	struct damage *t = *state;
	static uint8_t junk[PAGE];
	struct toll toll = { 0 };
	size_t pages;

	case_fill(&t->c, TOTAL);
	fill_tables(&t->c);
	case_close(&t->c);
	pages = fault_disk_file(t->c.disk, CASE_PATH).len / PAGE;
	EXPECT(pages > 15);
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (uint8_t)(i * 31 + 7);
	for (size_t p = 0; p < pages; p++) {
		for (int how = 0; how < 3; how++) {
			struct fault_disk *d =
			    fault_disk_after(t->c.disk, FAULT_KEEP, 0);
			size_t from = how == 2 ? PAGE / 2 : 0;
			struct log_case copy;

			for (size_t i = from; i < PAGE; i++)
				fault_disk_flip(d, CASE_PATH, p * PAGE + i,
				    how == 0 ? junk[i]
					     : fault_disk_file(d, CASE_PATH)
						   .p[p * PAGE + i]);
			case_on(&copy, &t->c, d);
			check_torn(&copy, TOTAL, p, &toll);
			case_free(&copy);
		}
	}
	EXPECT(toll.entries <= 3 && toll.others <= 3 && toll.receipts <= 3);
}

/* Catches a flipped bit anywhere in the file that crashes, hangs, or lets
 * wrong words through. */
static void
test_any_flipped_bit_is_survived(void **state)
{
	enum { TOTAL = 40, TRIES = 400 };
	struct damage *t = *state;
	uint64_t random = 20240607, opened = 0;
	size_t len;

	case_fill(&t->c, TOTAL);
	case_close(&t->c);
	len = fault_disk_file(t->c.disk, CASE_PATH).len;
	for (int i = 0; i < TRIES; i++) {
		struct fault_disk *d =
		    fault_disk_after(t->c.disk, FAULT_KEEP, 0);
		struct case_seen seen;
		struct log_case copy;

		random = random * 6364136223846793005u + 1442695040888963407u;
		fault_disk_flip(d, CASE_PATH, (size_t)(random >> 20) % len,
		    (uint8_t)(1u << (random >> 13) % 8));
		case_on(&copy, &t->c, d);
		if (case_open(&copy) == ST_OK && case_unlock(&copy) == ST_OK) {
			opened++;
			EXPECT_OK(case_replay(&copy, &seen));
			EXPECT(seen.wrong == 0);
			EXPECT(seen.whole + seen.lost + seen.hole <= TOTAL);
			EXPECT(seen.whole >= TOTAL - 30);
		}
		case_free(&copy);
	}
	EXPECT(opened > TRIES * 9 / 10);
}

int
main(void)
{
#define AT(f) cmocka_unit_test_setup_teardown(f, start, finish)
	const struct CMUnitTest tests[] = {
		AT(test_flip_in_a_sealed_row_loses_that_row_only),
		AT(test_flip_in_the_spine_costs_nothing),
		AT(test_rows_cannot_change_places),
		AT(test_row_of_another_history_is_refused),
		AT(test_missing_rows_are_told_and_stepped_over),
		AT(test_broken_end_asks_for_a_new_chain),
		AT(test_cut_tail_is_seen_by_comparing),
		AT(test_lost_place_is_filled_by_its_own_bytes_only),
		AT(test_slipped_in_slot_gets_no_keys),
		AT(test_old_slot_put_back_does_not_open),
		AT(test_any_torn_page_leaves_the_rest),
		AT(test_any_flipped_bit_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
