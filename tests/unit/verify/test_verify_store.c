/* An auditor who is shown a store that lies, and does not say where. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "support/expect.h"
#include "support/made_store.h"
#include "support/tmpdir.h"
#include "verify/verify.h"

/*
 * One morning.  Places: 0 descriptor, 1 commit; 2, 3 enrolments of a and b, 4
 * commit; 5-9 a 1-5, 10-14 b 1-5, 15 commit; 16-20 b 6-10, 21-25 a 6-10, 26
 * commit.
 */
struct world {
	struct tmpdir dir;
	char path[512];
	struct made m;
	struct made_chain a, b;
	char vkey[NOTE_VKEY_MAX + 1];
	struct note_key key;
	struct buf note[3]; /* checkpoints at 16, at 27, and a spare */
	struct buf receipt; /* of place 7, at 16 */
	struct verify_report r;
	struct verify_given given;
	struct verify_anchor anchor[4];
	char errmsg[VERIFY_ERRMSG_LEN];
};

static void
world_begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	tmpdir_make(&w->dir);
	(void)snprintf(
	    w->path, sizeof(w->path), "%s", tmpdir_file(&w->dir, "store.db"));
	for (size_t i = 0; i < 3; i++)
		buf_init(&w->note[i], NOTE_BYTES_MAX);
	buf_init(&w->receipt, 1 << 16);
	made_store_open(&w->m, w->path, 7);
	w->key = w->m.log;
	made_store_device(&w->m, &w->a);
	made_store_device(&w->m, &w->b);
	made_store_enrol(&w->m, &w->a);
	made_store_enrol(&w->m, &w->b);
	made_store_commit(&w->m);
	made_store_piece(&w->m, &w->a, 5);
	made_store_piece(&w->m, &w->b, 5);
	made_store_commit(&w->m);
	made_store_note(&w->m, &w->note[0]);
	made_store_receipt(&w->m, 7, &w->receipt);
	made_store_piece(&w->m, &w->b, 5);
	made_store_piece(&w->m, &w->a, 5);
	made_store_commit(&w->m);
}

static void
world_end(struct world *w)
{
	made_store_note(&w->m, &w->note[1]);
	made_store_close(&w->m);
	w->given.key = w->key;
	w->given.anchor = w->anchor;
	verify_report_init(&w->r);
}

static void
world_make(struct world *w)
{
	world_begin(w);
	world_end(w);
}

static void
world_free(struct world *w)
{
	verify_report_free(&w->r);
	for (size_t i = 0; i < 3; i++)
		buf_free(&w->note[i]);
	buf_free(&w->receipt);
	tmpdir_remove(&w->dir);
}

static void
anchor(struct world *w, const char *name, const struct buf *file)
{
	struct verify_anchor *a = &w->anchor[w->given.anchor_count++];

	a->name = name;
	a->file = buf_view(file);
}

/* What a cheat does with the file. */
static void
tamper(struct world *w, const char *sql)
{
	struct db_config dc = { .path = w->path };
	struct db *d;

	EXPECT_OK(db_open(&d, &dc));
	EXPECT_OK(db_exec(d, sql));
	db_close(d);
}

static void
audit(struct world *w)
{
	enum status st;

	verify_report_free(&w->r);
	st = verify_store(&w->r, w->path, &w->given, w->errmsg);
	if (st != ST_OK)
		print_message("%s\n", w->errmsg);
	EXPECT_OK(st);
	if (getenv("AUDIT_SHOW") != NULL) {
		struct buf b;

		buf_init(&b, 1 << 20);
		verify_report_text(&w->r, bytes_str(""), &b);
		print_message("%s", buf_cstr(&b));
		buf_free(&b);
	}
}

/* The verdict is damage, and this is among what is named. */
static const struct verify_finding *
named(struct world *w, enum verify_what what, uint64_t place)
{
	audit(w);
	EXPECT(verify_verdict_of(&w->r) == VERIFY_DAMAGED);
	for (size_t i = 0; i < w->r.finding_count; i++) {
		const struct verify_finding *f = &w->r.finding[i];

		if (f->what == what && f->has_place && f->place == place)
			return f;
	}
	for (size_t i = 0; i < w->r.finding_count; i++)
		print_message("found %s at %" PRIu64 ": %s\n",
		    verify_word(w->r.finding[i].what), w->r.finding[i].place,
		    w->r.finding[i].en);
	fail_msg("%s at %" PRIu64 " not named", verify_word(what), place);
	return NULL;
}

static void
named_in(struct world *w, enum verify_what what, uint64_t place,
    const struct made_chain *c, uint64_t seq)
{
	const struct verify_finding *f = named(w, what, place);

	EXPECT(f->has_chain);
	EXPECT(memcmp(f->chain, c->id, CHAIN_LEN) == 0);
	EXPECT(f->seq == seq);
	assert_string_equal(f->dev, c->dev);
}

/* ---- a good store */

static void
a_good_store_is_proved_as_far_as_its_anchors(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	audit(&w);
	EXPECT(w.r.damage == 0 && w.r.notes == 0);
	EXPECT(verify_verdict_of(&w.r) == VERIFY_NOT_ANCHORED);
	EXPECT(w.r.size == 27 && w.r.device_entries == 20);
	EXPECT(w.r.commits == 4 && w.r.pieces == 4 && w.r.devices == 2);
	EXPECT(w.r.signatures == 3); /* a, b, and the court's own chain */
	anchor(&w, "note", &w.note[0]);
	audit(&w);
	EXPECT(verify_verdict_of(&w.r) == VERIFY_PROVED && w.r.proved == 16);
	anchor(&w, "receipt", &w.receipt);
	anchor(&w, "note", &w.note[1]);
	w.given.all = true;
	audit(&w);
	EXPECT(verify_verdict_of(&w.r) == VERIFY_PROVED && w.r.proved == 27);
	EXPECT(w.r.by_count == 3);
	EXPECT(w.r.signatures > 3);
	world_free(&w);
}

static void
a_court_of_another_key_or_descriptor_is_named(void **state)
{
	struct world w;
	struct buf other;
	uint8_t key[PUBKEY_LEN] = { 1 };

	(void)state;
	world_make(&w);
	EXPECT_OK(note_key_make(&w.given.key, w.key.name, NOTE_ED25519, key));
	audit(&w);
	EXPECT(w.r.damage == 1);
	EXPECT(w.r.finding[0].what == VERIFY_DESCRIPTOR);
	w.given.key = w.key;
	buf_init(&other, 64);
	buf_str(&other, "{}\n");
	w.given.descriptor = buf_view(&other);
	audit(&w);
	EXPECT(w.r.damage == 1);
	EXPECT(w.r.finding[0].what == VERIFY_DESCRIPTOR);
	buf_free(&other);
	world_free(&w);
}

/* ---- the twelve */

static void
a_changed_byte_is_named(void **state)
{
	static const char *const at[] = { "20", "400" }; /* head, body */
	char sql[256];
	struct world w;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		world_make(&w);
		(void)snprintf(sql, sizeof(sql),
		    "UPDATE entries SET bytes = CAST(substr(bytes, 1, %s) ||"
		    " x'5a' || substr(bytes, %s + 2) AS BLOB) WHERE place = 7",
		    at[i], at[i]);
		tamper(&w, sql);
		named_in(&w, VERIFY_CHANGED, 7, &w.a, 3);
		/* One byte is one place. */
		for (size_t k = 0; k < w.r.finding_count; k++)
			EXPECT(w.r.finding[k].place == 7);
		world_free(&w);
	}
	/* The link that the row states, too. */
	world_make(&w);
	tamper(&w, "UPDATE entries SET link = zeroblob(32) WHERE place = 7");
	named_in(&w, VERIFY_CHANGED, 7, &w.a, 3);
	world_free(&w);
}

/* Every byte of an entry counts, wherever it stands. */
static void
no_byte_of_an_entry_is_free(void **state)
{
	struct world w;
	char sql[256];

	(void)state;
	world_make(&w);
	for (int at = 0; at < 700; at += 13) {
		(void)snprintf(sql, sizeof(sql),
		    "UPDATE entries SET bytes = CAST(substr(bytes, 1, %d) ||"
		    " char(unicode(CAST(substr(bytes, %d, 1) AS TEXT)) + 1) ||"
		    " substr(bytes, %d) AS BLOB) WHERE place = 12"
		    " AND length(bytes) > %d"
		    " AND unicode(CAST(substr(bytes, %d, 1) AS TEXT)) < 126",
		    at, at + 1, at + 2, at + 1, at + 1);
		tamper(&w, "DROP TABLE IF EXISTS keep; CREATE TABLE keep AS"
			   " SELECT bytes FROM entries WHERE place = 12");
		tamper(&w, sql);
		audit(&w);
		tamper(&w,
		    "CREATE TEMP TABLE t AS SELECT e.bytes <> k.bytes AS d"
		    " FROM entries e, keep k WHERE e.place = 12;"
		    "CREATE TABLE IF NOT EXISTS did(n INTEGER);"
		    "DELETE FROM did; INSERT INTO did SELECT d FROM t");
		{
			struct db_config dc = { .path = w.path,
				.readonly = true };
			int64_t changed = 0;
			struct db *d;

			EXPECT_OK(db_open(&d, &dc));
			EXPECT_OK(db_scalar(&changed, d, "SELECT n FROM did"));
			db_close(d);
			EXPECT((w.r.damage > 0) == (changed == 1));
		}
		tamper(&w, "UPDATE entries SET bytes = (SELECT bytes FROM keep)"
			   " WHERE place = 12");
	}
	audit(&w);
	EXPECT(w.r.damage == 0);
	world_free(&w);
}

static void
a_dropped_tail_is_named(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	tamper(&w, "DELETE FROM entries WHERE place > 20");
	named(&w, VERIFY_TAIL, 21);
	world_free(&w);
	/* All of it made to fit: only an anchor tells. */
	world_begin(&w);
	made_store_note(&w.m, &w.note[2]);
	world_end(&w);
	tamper(&w, "DELETE FROM entries WHERE place > 15;"
		   "DELETE FROM commits WHERE place > 15;"
		   "DELETE FROM pieces WHERE place > 15;"
		   "UPDATE chains SET (last_seq, last_link, last_place) ="
		   " (SELECT seq, link, place FROM entries e WHERE e.chain = no"
		   "  ORDER BY place DESC LIMIT 1);");
	audit(&w);
	EXPECT(w.r.damage == 1); /* the head row, which has no more to say */
	anchor(&w, "note", &w.note[2]);
	named(&w, VERIFY_TAIL, 16);
	EXPECT(w.r.damage == 2);
	world_free(&w);
}

static void
a_removed_middle_is_named(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	tamper(&w, "DELETE FROM entries WHERE place = 12");
	named(&w, VERIFY_GAP, 12);
	world_free(&w);
	/* The places after it moved down over the gap. */
	world_make(&w);
	tamper(&w, "DELETE FROM entries WHERE place = 12;"
		   "UPDATE entries SET place = place - 1 WHERE place > 12;"
		   "UPDATE commits SET place = place - 1 WHERE place > 12;"
		   "UPDATE pieces SET place = place - 1 WHERE place > 12;"
		   "UPDATE head SET size = size - 1");
	named_in(&w, VERIFY_GAP, 12, &w.b, 3);
	world_free(&w);
}

static void
a_reordering_is_named(void **state)
{
	static const char swap[] =
	    "UPDATE entries SET place = 1000 WHERE place = %d;"
	    "UPDATE entries SET place = %d WHERE place = %d;"
	    "UPDATE entries SET place = %d WHERE place = 1000;"
	    "UPDATE entries SET prev = NULL WHERE place IN (%d, %d) AND 0";
	char sql[512];
	struct world w;

	(void)state;
	world_make(&w);
	(void)snprintf(sql, sizeof(sql), swap, 9, 9, 10, 10, 9, 10);
	tamper(&w, sql);
	(void)named(&w, VERIFY_ORDER, 9);
	world_free(&w);
	world_make(&w);
	(void)snprintf(sql, sizeof(sql), swap, 6, 6, 7, 7, 6, 7);
	tamper(&w, sql);
	named_in(&w, VERIFY_ORDER, 6, &w.a, 3);
	world_free(&w);
}

/* The court writes a device's chain anew from its third entry on. */
static void
a_rebuilt_chain_is_named(void **state)
{
	struct world w;
	struct made_chain forger;
	uint64_t first;

	(void)state;
	world_begin(&w);
	forger = w.a;
	forger.secret[0] ^= 1; /* not the device's key */
	first = w.a.seq + 1;
	made_store_entry(&w.m, &w.a, DO_SET, "place/note", "[\"forged\"]");
	made_store_line_by(&w.m, &w.a, first, &forger);
	made_store_commit(&w.m);
	world_end(&w);
	named_in(&w, VERIFY_REBUILT, 27, &w.a, 11);
	world_free(&w);
	/* Links computed anew over other bytes, the signature left. */
	world_begin(&w);
	made_store_entry(&w.m, &w.a, DO_SET, "place/note", "[\"first\"]");
	made_store_line(&w.m, &w.a, w.a.seq);
	w.m.lines.p[48] ^= 1; /* the link that was signed was another */
	made_store_commit(&w.m);
	world_end(&w);
	named_in(&w, VERIFY_REBUILT, 27, &w.a, 11);
	world_free(&w);
}

static void
a_swapped_device_is_named(void **state)
{
	struct made_chain ghost;
	struct world w;

	(void)state;
	/* Another key in the chain's row. */
	world_make(&w);
	tamper(&w,
	    "UPDATE chains SET key = (SELECT key FROM chains WHERE no = 3)"
	    " WHERE no = 2");
	EXPECT(named(&w, VERIFY_DEVICE, 5)->seq == 1);
	world_free(&w);
	/* A device that nobody enrolled, with a chain that is right. */
	world_begin(&w);
	made_store_device(&w.m, &ghost);
	made_store_piece(&w.m, &ghost, 2);
	made_store_commit(&w.m);
	world_end(&w);
	named_in(&w, VERIFY_DEVICE, 27, &ghost, 1);
	world_free(&w);
}

static void
an_entry_after_revocation_is_named_unless_held(void **state)
{
	struct world w;

	(void)state;
	for (int hold = 0; hold < 2; hold++) {
		world_begin(&w);
		made_store_revoke(&w.m, &w.b, "lost");
		made_store_commit(&w.m); /* 27, 28 */
		w.m.flags = hold ? 2 : 0;
		made_store_piece(&w.m, &w.b, 1);
		w.m.flags = 0;
		if (hold)
			made_store_hold(&w.m, &w.b);
		made_store_commit(&w.m);
		world_end(&w);
		if (hold) {
			audit(&w);
			EXPECT(w.r.damage == 0 && w.r.held == 1);
		} else {
			named_in(&w, VERIFY_REVOKED, 29, &w.b, 11);
		}
		world_free(&w);
	}
	/* Held, says the row; the log says nothing. */
	world_make(&w);
	tamper(&w, "UPDATE entries SET flags = 2 WHERE place = 6");
	named_in(&w, VERIFY_HOLD, 6, &w.a, 2);
	world_free(&w);
}

static void
a_forged_receipt_is_named(void **state)
{
	struct world w;
	struct buf other;
	char *p;

	(void)state;
	/* Of the right tree, with a path that is not of its place. */
	world_begin(&w);
	buf_init(&other, 1 << 16);
	made_store_receipt(&w.m, 8, &other);
	world_end(&w);
	p = strstr((char *)other.p, "index 8\n");
	EXPECT(p != NULL);
	p[6] = '9';
	anchor(&w, "receipt", &other);
	named(&w, VERIFY_RECEIPT, 9);
	/* Signed by nobody: another byte in the signed text. */
	p = strstr((char *)other.p, "\n27\n");
	EXPECT(p != NULL);
	p[1] = '3';
	audit(&w);
	EXPECT(w.r.damage == 1 && w.r.finding[0].what == VERIFY_RECEIPT);
	buf_free(&other);
	world_free(&w);
}

static void
a_split_view_is_named(void **state)
{
	uint8_t root[HASH_LEN] = { 9 };
	struct world w;

	(void)state;
	world_begin(&w);
	made_store_note_of(&w.m, 16, root, &w.note[2]);
	world_end(&w);
	anchor(&w, "other", &w.note[2]);
	named(&w, VERIFY_SPLIT, 15);
	EXPECT(strstr(w.r.finding[0].data, "other") != NULL);
	/* Both notes, where both are there. */
	anchor(&w, "ours", &w.note[0]);
	audit(&w);
	EXPECT(w.r.finding[0].what == VERIFY_SPLIT);
	EXPECT(strstr(w.r.finding[0].data, "other | ours") != NULL);
	world_free(&w);
}

/* The log gave a receipt for an entry, and shows another in its place. */
static void
a_receipt_for_another_entry_is_named_with_its_place(void **state)
{
	struct world w, x;
	struct made_chain c;

	(void)state;
	world_begin(&w);
	memset(&x, 0, sizeof(x));
	tmpdir_make(&x.dir);
	buf_init(&x.receipt, 1 << 16);
	/* The same keys; the morning ends otherwise. */
	made_store_open(&x.m, tmpdir_file(&x.dir, "store.db"), 7);
	made_store_device(&x.m, &x.a);
	made_store_device(&x.m, &x.b);
	made_store_enrol(&x.m, &x.a);
	made_store_enrol(&x.m, &x.b);
	made_store_commit(&x.m);
	made_store_piece(&x.m, &x.b, 10);
	made_store_commit(&x.m);
	made_store_receipt(&x.m, 5, &x.receipt);
	c = x.a;
	(void)c;
	made_store_close(&x.m);
	world_end(&w);
	anchor(&w, "receipt", &x.receipt);
	named(&w, VERIFY_SPLIT, 5);
	buf_free(&x.receipt);
	tmpdir_remove(&x.dir);
	world_free(&w);
}

static void
a_replay_is_named(void **state)
{
	struct made_chain again;
	struct world w;

	(void)state;
	world_begin(&w);
	again = w.b;
	/* The same entry gets a second place. */
	EXPECT_OK(
	    db_exec(w.m.db, "UPDATE entries SET seq = seq WHERE place = 20"));
	world_end(&w);
	tamper(&w, "INSERT INTO entries SELECT 27, chain, seq, branch, flags,"
		   " (SELECT link FROM entries WHERE place = 19), link, bytes"
		   " FROM entries WHERE place = 20;"
		   "UPDATE head SET size = 28");
	named_in(&w, VERIFY_REPLAY, 27, &again, 10);
	world_free(&w);
}

static void
a_false_manifest_is_named(void **state)
{
	const uint64_t all[] = { 5, 6, 7, 8, 9, 21, 22, 23, 24, 25 };
	struct world w;

	(void)state;
	world_begin(&w);
	made_store_manifest(&w.m, &w.a, all, 10, 0); /* 27: true */
	made_store_manifest(&w.m, &w.a, all, 9, 0);  /* 28: one left out */
	made_store_manifest(&w.m, &w.a, all, 10, 1); /* 29: another count */
	made_store_commit(&w.m);
	world_end(&w);
	named(&w, VERIFY_MANIFEST, 28);
	named(&w, VERIFY_MANIFEST, 29);
	EXPECT(w.r.damage == 2);
	world_free(&w);
}

struct files {
	uint8_t name[HASH_LEN], holds[HASH_LEN];
};

static enum status
media_of(void *arg, const uint8_t sha[HASH_LEN], uint8_t got[HASH_LEN])
{
	const struct files *f = arg;

	if (memcmp(f->name, sha, HASH_LEN) != 0)
		return ST_ABSENT;
	memcpy(got, f->holds, HASH_LEN);
	return ST_OK;
}

static void
swapped_media_are_named(void **state)
{
	struct files f;
	struct world w;
	struct buf data;

	(void)state;
	sha256(f.name, bytes_str("a film"));
	memcpy(f.holds, f.name, HASH_LEN);
	buf_init(&data, 256);
	buf_str(&data, "[\"");
	buf_hex(&data, bytes_of(f.name, HASH_LEN));
	buf_str(&data, "\"]");
	world_begin(&w);
	made_store_entry(&w.m, &w.a, DO_ATTACH, "", buf_cstr(&data));
	made_store_line(&w.m, &w.a, w.a.seq);
	made_store_commit(&w.m);
	world_end(&w);
	w.given.media = media_of;
	w.given.media_arg = &f;
	audit(&w);
	EXPECT(w.r.damage == 0 && w.r.media == 1);
	sha256(f.holds, bytes_str("another film"));
	named_in(&w, VERIFY_MEDIA, 27, &w.a, 11);
	buf_free(&data);
	world_free(&w);
}

/* ---- what else a court could try */

static void
a_fork_must_be_held(void **state)
{
	struct made_chain copy;
	struct world w;

	(void)state;
	for (int hold = 0; hold < 2; hold++) {
		world_begin(&w);
		made_store_fork(&w.m, &copy, &w.a);
		made_store_piece(&w.m, &w.a, 1); /* 27 */
		made_store_commit(&w.m);
		w.m.flags = hold ? 2 : 0;
		made_store_piece(&w.m, &copy, 1); /* 29 */
		w.m.flags = 0;
		if (hold)
			made_store_hold(&w.m, &copy);
		made_store_commit(&w.m);
		world_end(&w);
		if (hold) {
			audit(&w);
			EXPECT(w.r.damage == 0 && w.r.forks == 1);
		} else {
			named_in(&w, VERIFY_HOLD, 29, &copy, 11);
		}
		world_free(&w);
	}
}

static void
commits_and_rows_that_lie_are_named(void **state)
{
	static const struct {
		const char *sql;
		enum verify_what what;
		uint64_t place;
	} lies[] = {
		{ "UPDATE commits SET wall = wall + 1 WHERE place = 15",
		    VERIFY_ROW, 15 },
		{ "UPDATE commits SET sig = zeroblob(64) WHERE place = 26",
		    VERIFY_REBUILT, 26 },
		{ "UPDATE pieces SET line = zeroblob(144) WHERE place = 15"
		  " AND idx = 1",
		    VERIFY_COMMIT, 15 },
		{ "DELETE FROM pieces WHERE place = 26", VERIFY_COMMIT, 26 },
		{ "UPDATE entries SET flags = 1 WHERE place = 8", VERIFY_ROW,
		    8 },
		{ "UPDATE entries SET flags = 0 WHERE place = 2", VERIFY_ROW,
		    2 },
		{ "UPDATE chains SET last_seq = 11 WHERE no = 2", VERIFY_TAIL,
		    25 },
		{ "UPDATE head SET root = zeroblob(32)", VERIFY_ROW, 27 },
		{ "UPDATE entries SET bytes = CAST(substr(bytes, 1,"
		  " instr(bytes, x'0a') - 1) AS BLOB) WHERE place = 8",
		    VERIFY_CHANGED, 8 },
		{ "UPDATE entries SET bytes = CAST(substr(bytes, 1,"
		  " instr(bytes, x'0a') - 1) AS BLOB), flags = 40"
		  " WHERE place = 8",
		    VERIFY_CHANGED, 8 },
		{ "UPDATE entries SET prev = zeroblob(32) WHERE place = 8",
		    VERIFY_ORDER, 8 },
		{ "UPDATE entries SET bytes = x'7b7d' WHERE place = 0",
		    VERIFY_DESCRIPTOR, 0 },
		{ "UPDATE entries SET chain = 99 WHERE place = 8", VERIFY_ROW,
		    8 },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		world_make(&w);
		tamper(&w, lies[i].sql);
		named(&w, lies[i].what, lies[i].place);
		world_free(&w);
	}
}

static void
what_is_no_store_is_not_read(void **state)
{
	struct world w;
	struct buf junk;

	(void)state;
	world_make(&w);
	buf_init(&junk, 64);
	buf_str(&junk, "no note at all\n");
	anchor(&w, "junk", &junk);
	EXPECT_ST(verify_store(&w.r, w.path, &w.given, w.errmsg), ST_INVALID);
	EXPECT(strstr(w.errmsg, "junk") != NULL);
	w.given.anchor_count = 0;
	verify_report_free(&w.r);
	EXPECT_ST(
	    verify_store(&w.r, tmpdir_file(&w.dir, "none"), &w.given, w.errmsg),
	    ST_ABSENT);
	verify_report_free(&w.r);
	tamper(&w, "PRAGMA application_id = 5");
	EXPECT_ST(verify_store(&w.r, w.path, &w.given, w.errmsg), ST_INVALID);
	buf_free(&junk);
	world_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_store_is_proved_as_far_as_its_anchors),
		cmocka_unit_test(a_court_of_another_key_or_descriptor_is_named),
		cmocka_unit_test(a_changed_byte_is_named),
		cmocka_unit_test(no_byte_of_an_entry_is_free),
		cmocka_unit_test(a_dropped_tail_is_named),
		cmocka_unit_test(a_removed_middle_is_named),
		cmocka_unit_test(a_reordering_is_named),
		cmocka_unit_test(a_rebuilt_chain_is_named),
		cmocka_unit_test(a_swapped_device_is_named),
		cmocka_unit_test(
		    an_entry_after_revocation_is_named_unless_held),
		cmocka_unit_test(a_forged_receipt_is_named),
		cmocka_unit_test(a_split_view_is_named),
		cmocka_unit_test(
		    a_receipt_for_another_entry_is_named_with_its_place),
		cmocka_unit_test(a_replay_is_named),
		cmocka_unit_test(a_false_manifest_is_named),
		cmocka_unit_test(swapped_media_are_named),
		cmocka_unit_test(a_fork_must_be_held),
		cmocka_unit_test(commits_and_rows_that_lie_are_named),
		cmocka_unit_test(what_is_no_store_is_not_read),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
