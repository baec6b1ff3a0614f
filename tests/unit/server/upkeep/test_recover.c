/*
 * A broken or found handheld's file comes into the log by its own signatures:
 * whole where it is whole, marked where it is not, once however often.
 */
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/log/log.h"
#include "db/db.h"
#include "entry/chain.h"
#include "entry/entry.h"
#include "server/roster/feed.h"
#include "server/upkeep/holds.h"
#include "server/upkeep/recover.h"
#include "support/court_audit.h"
#include "support/court_verify.h"

enum { RECORDS = 3, PAGE = 4096 };

struct found {
	struct court ct;
	struct roster *roster;
	struct log *l;
	const char *path;
	char dev[DEV_LEN + 1];
	char rec[RECORDS][REC_LEN + 1];
	uint8_t last[RECORDS][ID_LEN];
	bool opened[RECORDS];
	struct recovered done;
	char errmsg[RECOVER_ERRMSG_LEN];
	char path_at[TMPDIR_MAX + 16];
};

static void
open_roster(struct found *t)
{
	EXPECT_OK(roster_open(&t->roster, t->ct.c));
}

static void
make_log(struct found *t, bool recovery)
{
	struct log_config lc = { .path = t->path,
		.port = port_system(),
		.kdf = { .mem_kib = 8, .passes = 1, .weak_for_tests = true },
		.no_reserve = true };
	uint8_t pub[32];

	EXPECT_OK(log_create(
	    &t->l, &lc, bytes_str("p001"), bytes_str("correct horse battery")));
	(void)crypto_scalarmult_base(pub, t->ct.keys.recovery_secret);
	if (recovery)
		EXPECT_OK(log_recovery_set(t->l, pub));
	EXPECT_OK(log_chain_new(t->l, centre_court_id(t->ct.c)));
	chain_dev(t->dev, log_public_key(t->l));
}

static void
enrol(struct found *t)
{
	struct roster_enrol e = { .person = "p001",
		.name = "\xe5\xbc\xa0\xe4\xbc\x9f",
		.role = "judge",
		.team = "A",
		.from_ms = 1,
		.until_ms = UINT32_MAX,
		.code = "00" };
	uint64_t place;

	memcpy(e.key, log_public_key(t->l), PUBKEY_LEN);
	EXPECT_OK(roster_enrol(t->roster, &e, &place));
}

static int
start(void **state)
{
	struct found *t = calloc(1, sizeof(*t));
	uint8_t rnd[10] = { 0 };

	if (t == NULL)
		return -1;
	court_make(&t->ct);
	open_roster(t);
	(void)snprintf(
	    t->path_at, sizeof(t->path_at), "%s/log.db", t->ct.dir.path);
	t->path = t->path_at;
	for (size_t i = 0; i < RECORDS; i++) {
		rnd[0] = (uint8_t)i;
		rec_new(t->rec[i], 1764201600000, rnd);
	}
	make_log(t, true);
	enrol(t);
	*state = t;
	return 0;
}

static int
finish(void **state)
{
	struct found *t = *state;

	log_close(t->l);
	ingest_free(t->ct.in);
	t->ct.in = NULL;
	centre_close(t->ct.c);
	roster_close(t->roster);
	hand_request_free(&t->ct.rq);
	tmpdir_remove(&t->ct.dir);
	free(t);
	return 0;
}

/* `count` entries more, over the records in turn. */
static void
write_entries(struct found *t, uint64_t count, const char *word)
{
	for (uint64_t i = 0; i < count; i++) {
		struct bytes on[] = { bytes_str("target") };
		struct entry_new n = { .court = centre_court(t->ct.c),
			.kind = "search@1",
			.by = "p001",
			.at = "2026-11-24T05:10:00+08:00",
			.on = on,
			.on_count = 1,
			.wall = 1764201600000 + i };
		uint8_t link[HASH_LEN];
		struct log_head h;
		const char *why;
		struct buf raw;
		char data[64];
		size_t r;

		EXPECT_OK(log_head(t->l, &h));
		r = (size_t)(h.seq % RECORDS);
		(void)snprintf(
		    data, sizeof(data), "[\"%s %u\"]", word, (unsigned)h.seq);
		memcpy(n.chain, h.chain, CHAIN_LEN);
		n.seq = h.seq + 1;
		n.dev = n.seq == 1 ? t->dev : NULL;
		n.rec = t->rec[r];
		n.verb = t->opened[r] ? DO_SET : DO_OPEN;
		n.after = (const uint8_t(*)[ID_LEN]) & t->last[r];
		n.after_count = t->opened[r];
		randombytes_buf(n.salt, sizeof(n.salt));
		n.data = bytes_str(data);
		buf_init(&raw, ENTRY_BYTES_MAX);
		EXPECT_OK(entry_write(&n, &raw, &why));
		EXPECT_OK(log_append(t->l, n.seq, buf_view(&raw), link));
		buf_free(&raw);
		memcpy(t->last[r], link, ID_LEN);
		t->opened[r] = true;
	}
}

static enum status
recover(struct found *t, const char *file, const char *reason)
{
	struct recover_config cfg = { .centre = t->ct.c,
		.roster = t->roster,
		.file = file,
		.key = t->ct.keys.recovery_secret,
		.reason = reason,
		.work = tmpdir_file(&t->ct.dir, "work") };

	return recover_file(&cfg, &t->done, t->errmsg);
}

static void
close_log(struct found *t)
{
	log_close(t->l);
	t->l = NULL;
}

struct count {
	uint64_t rows;
	struct holds_row row[300];
};

static enum status
count_row(void *arg, const struct holds_row *row)
{
	struct count *n = arg;

	EXPECT(n->rows < 300);
	n->row[n->rows++] = *row;
	return ST_OK;
}

/* What is held now; *h is for holds_put, and closed by close_holds. */
static struct count *
held_now(struct found *t, struct holds *h, struct feed **feed)
{
	static const uint8_t none[ID_LEN];
	struct feed_config fc = { .centre = t->ct.c, .roster = t->roster };
	struct count *n = calloc(1, sizeof(*n));
	uint64_t done;

	EXPECT(n != NULL);
	EXPECT_OK(feed_open(feed, &fc));
	EXPECT_OK(feed_follow(*feed, 0, &done));
	h->centre = t->ct.c;
	h->feed = feed_inside(*feed);
	EXPECT_OK(centre_reader_open(&h->reader, t->ct.c));
	EXPECT_OK(holds_each(h, 0, none, 10000, count_row, n));
	return n;
}

static uint64_t
count_held(struct found *t)
{
	struct holds h;
	struct feed *feed;
	struct count *n = held_now(t, &h, &feed);
	uint64_t rows = n->rows;

	centre_reader_close(h.reader);
	feed_close(feed);
	free(n);
	return rows;
}

/* Entries of the log of that kind. */
static uint64_t
count_kind(struct found *t, const char *kind)
{
	struct centre_reader *r;
	struct centre_scan *sc;
	struct centre_entry e;
	struct entry p;
	uint64_t n = 0;

	entry_init(&p);
	EXPECT_OK(centre_reader_open(&r, t->ct.c));
	EXPECT_OK(centre_scan_open(&sc, r, 0, UINT64_MAX));
	while (centre_scan_next(sc, &e) == ST_OK) {
		if ((e.flags & STORE_LOST) != 0)
			continue;
		if (entry_parse(&p, e.bytes) == ST_OK && p.verb != DO_HOLD &&
		    p.verb != DO_ADMIT && bytes_eq_str(p.kind, kind))
			n++;
	}
	centre_scan_close(sc);
	centre_reader_close(r);
	entry_free(&p);
	return n;
}

/* Catches a file that comes in doubled, held though it was only broken, or
 * unknown to the auditor. */
static void
test_recover_replaced_merges_once(void **state)
{
	struct found *t = *state;
	uint64_t size;

	write_entries(t, 600, "a");
	close_log(t);
	EXPECT_OK(roster_revoke(t->roster, t->dev, "replaced", "broken", NULL));
	EXPECT_OK(recover(t, t->path, "replaced"));
	EXPECT(t->done.entries == 600 && t->done.held == 0);
	EXPECT(t->done.lost == 0 && t->done.holes == 0 && !t->done.uncertain);
	EXPECT(count_kind(t, "search@1") == 600 && count_held(t) == 0);
	EXPECT(count_kind(t, "recovered@1") > 0);
	size = court_size(&t->ct);
	EXPECT_OK(recover(t, t->path, "replaced"));
	EXPECT(t->done.entries == 600 && t->done.added == 0);
	EXPECT(court_size(&t->ct) == size);
	court_verify(&t->ct);
	court_audit(&t->ct);
	EXPECT(access(tmpdir_file(&t->ct.dir, "work"), F_OK) != 0);
}

/* Catches what a thief may have written merging by itself, and a branch that
 * cannot be let in afterwards. */
static void
test_recover_seized_is_held_until_admitted(void **state)
{
	struct found *t = *state;
	struct holds h;
	struct feed *feed;
	struct count *n;

	write_entries(t, 50, "a");
	close_log(t);
	EXPECT_OK(roster_revoke(t->roster, t->dev, "seized", "raid", NULL));
	EXPECT_OK(recover(t, t->path, "seized"));
	EXPECT(t->done.held > 0);
	court_audit(&t->ct);
	n = held_now(t, &h, &feed);
	EXPECT(n->rows == 50);
	EXPECT(strcmp(n->row[0].reason, "recovered: seized") == 0);
	EXPECT(strcmp(n->row[0].dev, t->dev) == 0);
	/* Some of it; then held again; then all. */
	EXPECT_OK(holds_put(&h, DO_ADMIT, n->row, 20, "looked at", "sup"));
	EXPECT(count_held(t) == 30);
	EXPECT_OK(holds_put(&h, DO_HOLD, n->row, 5, "not yet", "sup"));
	EXPECT(count_held(t) == 35);
	EXPECT_OK(holds_put(&h, DO_ADMIT, n->row, 50, "all of it", "sup"));
	EXPECT(count_held(t) == 0);
	centre_reader_close(h.reader);
	feed_close(feed);
	free(n);
	court_verify(&t->ct);
	court_audit(&t->ct);
}

/* Catches a doubt that a replacement makes forgotten, and a lost handheld that
 * merges because somebody chose another word. */
static void
test_recover_keeps_to_the_standing(void **state)
{
	struct found *t = *state;
	uint64_t size;

	write_entries(t, 5, "a");
	close_log(t);
	size = court_size(&t->ct);
	EXPECT_ST(recover(t, t->path, "lost"), ST_DENIED); /* trusted yet */
	EXPECT_ST(recover(t, t->path, "found"), ST_INVALID);
	EXPECT(court_size(&t->ct) == size);
	EXPECT_OK(roster_revoke(t->roster, t->dev, "lost", "bus", NULL));
	EXPECT_OK(roster_revoke(t->roster, t->dev, "replaced", "new", NULL));
	EXPECT_ST(recover(t, t->path, "replaced"), ST_DENIED);
	EXPECT(t->errmsg[0] != '\0');
	EXPECT_OK(recover(t, t->path, "lost"));
	EXPECT(t->done.held > 0 && count_held(t) == 5);
	court_audit(&t->ct);
}

/* Catches a key that opens what it must not, and a file that is none. */
static void
test_recover_says_what_is_wrong(void **state)
{
	struct found *t = *state;
	struct recover_config cfg = { .centre = t->ct.c,
		.roster = t->roster,
		.file = t->path,
		.reason = "replaced",
		.work = tmpdir_file(&t->ct.dir, "work") };
	uint8_t other[32];

	write_entries(t, 5, "a");
	close_log(t);
	randombytes_buf(other, sizeof(other));
	cfg.key = other;
	EXPECT_ST(recover_file(&cfg, &t->done, t->errmsg), ST_DENIED);
	EXPECT_ST(
	    recover(t, tmpdir_file(&t->ct.dir, "none"), "replaced"), ST_ABSENT);
	EXPECT_ST(recover(t, tmpdir_file(&t->ct.dir, "keys"), "replaced"),
	    ST_INVALID);
	EXPECT_ST(recover(t, tmpdir_file(&t->ct.dir, "store.db"), "replaced"),
	    ST_CONFLICT);
	EXPECT_ST(recover(t, tmpdir_file(&t->ct.dir, "keys/log"), "replaced"),
	    ST_CORRUPT);
	EXPECT(access(tmpdir_file(&t->ct.dir, "work"), F_OK) != 0);
}

static void
spoil(const struct found *t, const char *sql)
{
	struct db_config dc = { .path = t->path, .busy_ms = 1000 };
	struct db *d;

	EXPECT_OK(db_open(&d, &dc));
	EXPECT_OK(db_exec(d, sql));
	db_close(d);
}

/* Catches a rotten row that stops the rest, one that is not marked, and a hole
 * that is told twice. */
static void
test_recover_marks_what_is_lost(void **state)
{
	struct found *t = *state;
	uint64_t size;

	write_entries(t, 300, "a");
	close_log(t);
	spoil(t, "DELETE FROM entry_1 WHERE seq IN (10, 11, 250);"
		 "DELETE FROM entry_1 WHERE seq BETWEEN 100 AND 103;"
		 "DELETE FROM spine_1 WHERE seq BETWEEN 99 AND 103");
	EXPECT_OK(recover(t, t->path, "replaced"));
	EXPECT(t->done.lost == 3 && t->done.holes == 4);
	EXPECT(t->done.entries == 296);
	EXPECT(count_kind(t, "hole@1") == 1);
	EXPECT(count_kind(t, "search@1") == 293);
	size = court_size(&t->ct);
	EXPECT_OK(recover(t, t->path, "replaced"));
	EXPECT(t->done.added == 0 && court_size(&t->ct) == size);
	court_verify(&t->ct);
	court_audit(&t->ct);
}

/* Pages of the file overwritten one by one: whatever is left comes in, the log
 * stays sound, and the sound file fills in the rest. */
static void
test_recover_through_torn_pages(void **state)
{
	struct found *t = *state;
	char torn[TMPDIR_MAX + 16];
	struct buf file;
	uint64_t opened = 0;
	uint8_t junk[PAGE];

	(void)snprintf(torn, sizeof(torn), "%s/torn.db", t->ct.dir.path);
	write_entries(t, 150, "a");
	close_log(t);
	buf_init(&file, 64 << 20);
	EXPECT_OK(port_read_file(port_system(), t->path, &file));
	EXPECT(file.len % PAGE == 0 && file.len > 30 * PAGE);
	for (size_t at = PAGE; at < file.len; at += PAGE) {
		uint8_t was[PAGE];
		enum status st;

		memcpy(was, file.p + at, PAGE);
		randombytes_buf(junk, PAGE);
		memcpy(file.p + at, junk, PAGE);
		EXPECT_OK(port_write_file(
		    port_system(), torn, buf_view(&file), true));
		memcpy(file.p + at, was, PAGE);
		st = recover(t, torn, "replaced");
		if (st != ST_OK && st != ST_CORRUPT)
			fprintf(stderr, "page %zu: %s: %s\n", at / PAGE,
			    status_name(st), t->errmsg);
		EXPECT(st == ST_OK || st == ST_CORRUPT);
		opened += st == ST_OK;
	}
	EXPECT(opened * PAGE > file.len / 2);
	court_audit(&t->ct);
	EXPECT_OK(recover(t, t->path, "replaced"));
	EXPECT(count_kind(t, "search@1") == 150 && count_held(t) == 0);
	court_verify(&t->ct);
	court_audit(&t->ct);
	buf_free(&file);
}

/* Catches a copied handheld whose second history overwrites the first, or
 * merges. */
static void
test_recover_of_a_fork_is_held(void **state)
{
	struct found *t = *state;
	char copy[TMPDIR_MAX + 16];
	struct log_config lc = {
		.path = t->path, .port = port_system(), .no_reserve = true
	};
	struct buf file;

	(void)snprintf(copy, sizeof(copy), "%s/copy.db", t->ct.dir.path);
	write_entries(t, 30, "a");
	close_log(t);
	buf_init(&file, 64 << 20);
	EXPECT_OK(port_read_file(port_system(), t->path, &file));
	EXPECT_OK(port_write_file(port_system(), copy, buf_view(&file), true));
	buf_free(&file);
	for (int i = 0; i < 2; i++) {
		lc.path = i == 0 ? t->path : copy;
		EXPECT_OK(log_open(&t->l, &lc));
		EXPECT_OK(log_unlock(t->l, bytes_str("p001"),
		    bytes_str("correct horse battery")));
		write_entries(t, 20, i == 0 ? "b" : "c");
		close_log(t);
	}
	EXPECT_OK(recover(t, t->path, "replaced"));
	EXPECT(t->done.held == 0);
	EXPECT_OK(recover(t, copy, "replaced"));
	EXPECT(t->done.held > 0);
	EXPECT(count_held(t) == 20);
	EXPECT(count_kind(t, "search@1") == 70);
	EXPECT_OK(recover(t, copy, "replaced"));
	EXPECT(t->done.added == 0 && count_held(t) == 20);
	court_verify(&t->ct);
	court_audit(&t->ct);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_recover_replaced_merges_once, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_recover_seized_is_held_until_admitted, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_recover_keeps_to_the_standing, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_recover_says_what_is_wrong, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_recover_marks_what_is_lost, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_recover_through_torn_pages, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_recover_of_a_fork_is_held, start, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
