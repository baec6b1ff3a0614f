/* A stranger who is handed a bundle that lies, and does not say where. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/port.h"
#include "base/sha.h"
#include "support/expect.h"
#include "support/made_bundle.h"
#include "support/tmpdir.h"
#include "verify/bundle.h"
#include "verify/verify.h"

/*
 * One morning.  Places: 0 descriptor, 1 commit; 2, 3 enrolments of a and b, 4
 * commit; 5-9 a 1-5, 10-14 b 1-5, 15 commit; 16-20 b 6-10, 21-25 a 6-10, 26
 * commit.  Then the manifest, and its commit: of a's record, unless a test
 * says that both wrote in it.
 */
struct world {
	struct tmpdir dir;
	struct made m;
	struct made_chain a, b;
	struct buf early, late, receipt; /* notes at 16, at the end; place 7 */
	struct made_bundle mb;
	struct bundle edit;
	struct buf edited;
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
	buf_init(&w->early, NOTE_BYTES_MAX);
	buf_init(&w->late, NOTE_BYTES_MAX);
	buf_init(&w->receipt, 1 << 16);
	buf_init(&w->mb.file, BUNDLE_BYTES_MAX);
	buf_init(&w->edited, BUNDLE_BYTES_MAX);
	made_store_open(&w->m, tmpdir_file(&w->dir, "store.db"), 7);
	w->given.key = w->m.log;
	w->given.anchor = w->anchor;
	made_store_device(&w->m, &w->a);
	made_store_device(&w->m, &w->b);
	made_store_enrol(&w->m, &w->a);
	made_store_enrol(&w->m, &w->b);
	made_store_commit(&w->m);
	made_store_piece(&w->m, &w->a, 5);
	made_store_piece(&w->m, &w->b, 5);
	made_store_commit(&w->m);
	made_store_note(&w->m, &w->early);
	made_store_piece(&w->m, &w->b, 5);
	made_store_piece(&w->m, &w->a, 5);
	made_store_commit(&w->m);
	verify_report_init(&w->r);
}

/* From here on b writes in a's record, having seen what a has. */
static void
world_share(struct world *w)
{
	memcpy(w->b.rec, w->a.rec, sizeof(w->b.rec));
	memcpy(w->b.last_id, w->a.last_id, ID_LEN);
}

static void
world_export(struct world *w)
{
	made_bundle_make(&w->m, &w->a, &w->mb);
	made_store_note(&w->m, &w->late);
	made_store_receipt(&w->m, 7, &w->receipt);
}

static void
world_make(struct world *w)
{
	world_begin(w);
	world_export(w);
}

static void
world_free(struct world *w)
{
	verify_report_free(&w->r);
	bundle_free(&w->edit);
	buf_free(&w->early);
	buf_free(&w->late);
	buf_free(&w->receipt);
	buf_free(&w->mb.file);
	buf_free(&w->edited);
	made_store_close(&w->m);
	tmpdir_remove(&w->dir);
}

static void
anchor(struct world *w, const char *name, const struct buf *file)
{
	struct verify_anchor *a = &w->anchor[w->given.anchor_count++];

	a->name = name;
	a->file = buf_view(file);
}

/* For the corpus of fuzz_bundle: DAYBREAK_CORPUS names a folder. */
static void
put_corpus(struct bytes file)
{
	static unsigned no;
	const char *dir = getenv("DAYBREAK_CORPUS");
	char path[512];

	if (dir == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/made-%03u", dir, no++);
	EXPECT_OK(port_write_file(port_system(), path, file, false));
}

/* The bundle, opened to be changed; it borrows from the file. */
static struct bundle *
open_edit(struct world *w)
{
	bundle_free(&w->edit);
	bundle_init(&w->edit);
	EXPECT_OK(bundle_read(&w->edit, buf_view(&w->mb.file)));
	return &w->edit;
}

static void
close_edit(struct world *w)
{
	buf_reset(&w->edited);
	EXPECT_OK(bundle_write(&w->edit, &w->edited));
	put_corpus(buf_view(&w->edited));
}

/* Index of the run that holds a place; its step. */
static struct bundle_run *
run_at(struct bundle *b, uint64_t place, struct bundle_step **step)
{
	static struct bundle_step none;

	/* The compiler does not know that fail_msg never comes back. */
	if (step != NULL)
		*step = &none;
	for (size_t i = 0; i < b->run_count; i++) {
		struct bundle_run *r = &b->run[i];

		if (place < r->place || place - r->place >= r->step_count)
			continue;
		if (step != NULL)
			*step = &b->step[r->step + (size_t)(place - r->place)];
		return r;
	}
	fail_msg("no run holds %" PRIu64, place);
	return NULL;
}

static void
drop_run(struct bundle *b, struct bundle_run *r)
{
	size_t i = (size_t)(r - b->run);

	memmove(
	    &b->run[i], &b->run[i + 1], (b->run_count - i - 1) * sizeof(*r));
	b->run_count--;
}

static void
audit_bytes(struct world *w, struct bytes file)
{
	enum status st;

	verify_report_free(&w->r);
	verify_report_init(&w->r);
	st = verify_bundle(&w->r, file, &w->given, w->errmsg);
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

static void
audit(struct world *w)
{
	put_corpus(buf_view(&w->mb.file));
	audit_bytes(w, buf_view(&w->mb.file));
}

static void
show_found(const struct world *w)
{
	for (size_t i = 0; i < w->r.finding_count; i++)
		print_message("found %s at %" PRIu64 ": %s %s\n",
		    verify_word(w->r.finding[i].what), w->r.finding[i].place,
		    w->r.finding[i].en, w->r.finding[i].data);
}

static void
good(struct world *w)
{
	if (w->r.damage > 0)
		show_found(w);
	EXPECT(w->r.damage == 0);
}

static const struct verify_finding *
find(struct world *w, enum verify_what what, uint64_t place)
{
	for (size_t i = 0; i < w->r.finding_count; i++) {
		const struct verify_finding *f = &w->r.finding[i];

		if (f->what == what && (place == UINT64_MAX ||
					   (f->has_place && f->place == place)))
			return f;
	}
	show_found(w);
	fail_msg("%s at %" PRIu64 " not named", verify_word(what), place);
	return NULL;
}

/* The verdict is damage, and this is among what is named. */
static const struct verify_finding *
named_in(
    struct world *w, struct bytes file, enum verify_what what, uint64_t place)
{
	audit_bytes(w, file);
	EXPECT(verify_verdict_of(&w->r) == VERIFY_DAMAGED);
	return find(w, what, place);
}

static const struct verify_finding *
named(struct world *w, enum verify_what what, uint64_t place)
{
	return named_in(w, buf_view(&w->mb.file), what, place);
}

static const struct verify_finding *
named_edited(struct world *w, enum verify_what what, uint64_t place)
{
	close_edit(w);
	return named_in(w, buf_view(&w->edited), what, place);
}

/* ---- a good bundle */

/* Catches a bundle that is called proved by an anchor that ends before the
 * court stated what the record is, or by nothing. */
static void
a_good_bundle_is_proved_only_past_its_manifest(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	audit(&w);
	good(&w);
	EXPECT(w.r.notes == 0 && w.r.bundle);
	EXPECT(verify_verdict_of(&w.r) == VERIFY_NOT_ANCHORED);
	EXPECT(w.r.count == 10 && w.r.manifest_place == 27);
	EXPECT(w.r.size == 29 && w.r.conflicts == 0);
	assert_string_equal(w.r.kind, "search@1");
	assert_string_equal(w.r.rec, w.a.rec);
	anchor(&w, "early", &w.early);
	audit(&w);
	good(&w);
	EXPECT(w.r.proved == 16 && w.r.covered == 5);
	EXPECT(verify_verdict_of(&w.r) == VERIFY_NOT_ANCHORED);
	anchor(&w, "receipt", &w.receipt);
	audit(&w);
	good(&w);
	EXPECT(w.r.proved == 29 && w.r.covered == 10);
	EXPECT(verify_verdict_of(&w.r) == VERIFY_PROVED);
	EXPECT(w.r.by_count == 2);
	world_free(&w);
}

/* Catches an export that cannot reach a receipt which somebody got later. */
static void
a_bundle_written_again_reaches_a_later_anchor(void **state)
{
	struct buf later;
	struct world w;

	(void)state;
	world_make(&w);
	made_store_piece(&w.m, &w.b, 3);
	made_store_commit(&w.m);
	buf_init(&later, 1 << 16);
	made_store_receipt(&w.m, 30, &later); /* size 33 */
	anchor(&w, "later", &later);
	audit(&w);
	good(&w);
	(void)find(&w, VERIFY_APART, UINT64_MAX);
	EXPECT(verify_verdict_of(&w.r) == VERIFY_NOT_ANCHORED);
	made_store_piece(&w.m, &w.b, 3);
	made_store_commit(&w.m);
	made_bundle_again(&w.m, &w.a, &w.mb);
	audit(&w);
	good(&w);
	EXPECT(verify_verdict_of(&w.r) == VERIFY_NOT_ANCHORED);
	w.mb.size[w.mb.size_count++] = 33;
	made_bundle_again(&w.m, &w.a, &w.mb);
	audit(&w);
	good(&w);
	EXPECT(w.r.proved == 33 && w.r.size == 37);
	EXPECT(verify_verdict_of(&w.r) == VERIFY_PROVED);
	buf_free(&later);
	world_free(&w);
}

static void
another_key_or_court_is_named(void **state)
{
	struct world w;
	struct note_key right;
	uint8_t key[PUBKEY_LEN] = { 1 };

	(void)state;
	world_make(&w);
	right = w.given.key;
	EXPECT_OK(note_key_make(&w.given.key, right.name, NOTE_ED25519, key));
	(void)named(&w, VERIFY_RECEIPT, UINT64_MAX);
	w.given.key = right;
	w.given.descriptor = bytes_str("{}\n");
	(void)named(&w, VERIFY_DESCRIPTOR, UINT64_MAX);
	world_free(&w);
}

/* ---- the twelve */

/* Catches an entry whose bytes are taken as the file gives them. */
static void
a_changed_byte_is_named_with_its_place(void **state)
{
	struct world w;
	struct bundle_step *s;
	uint8_t copy[ENTRY_BYTES_MAX];

	(void)state;
	world_make(&w);
	for (int body = 0; body < 2; body++) {
		(void)run_at(open_edit(&w), 7, &s);
		memcpy(copy, s->entry.p, s->entry.len);
		copy[body ? s->entry.len - 5 : 40] ^= 1;
		s->entry.p = copy;
		(void)named_edited(&w, VERIFY_CHANGED, 7);
		/* One byte is one place. */
		for (size_t i = 0; i < w.r.finding_count; i++)
			EXPECT(w.r.finding[i].place == 7);
	}
	world_free(&w);
}

/* Every length: what is cut off is never taken for a smaller bundle. */
static void
a_dropped_tail_is_named_at_each_length(void **state)
{
	struct bundle *b;
	struct bytes file;
	struct world w;

	(void)state;
	world_make(&w);
	file = buf_view(&w.mb.file);
	for (size_t n = 0; n < file.len; n++) {
		struct bytes cut = bytes_of(file.p, n);

		if (n < 18) {
			EXPECT_ST(verify_bundle(&w.r, cut, &w.given, w.errmsg),
			    ST_INVALID);
			continue;
		}
		(void)named_in(&w, cut, VERIFY_TAIL, UINT64_MAX);
	}
	/* Its last piece taken out, all else left. */
	b = open_edit(&w);
	drop_run(b, run_at(b, 21, NULL));
	(void)named_edited(&w, VERIFY_TAIL, UINT64_MAX);
	world_free(&w);
}

static void
a_removed_middle_is_named(void **state)
{
	struct bundle_step *s;
	struct bundle *b;
	struct world w;

	(void)state;
	world_make(&w);
	b = open_edit(&w);
	drop_run(b, run_at(b, 5, NULL));
	(void)named_edited(&w, VERIFY_GAP, UINT64_MAX);
	/* Its digest put in its place: chain and tree still hold. */
	(void)run_at(open_edit(&w), 7, &s);
	entry_digest(s->digest, s->entry);
	s->entry.len = 0;
	EXPECT(strstr(named_edited(&w, VERIFY_GAP, 7)->data, "digest"));
	EXPECT(w.r.damage == 1);
	world_free(&w);
}

static void
a_reordering_is_named(void **state)
{
	struct bundle_run *r[2], x;
	struct bundle *b;
	struct world w;

	(void)state;
	world_make(&w);
	/* Two pieces change places in the file. */
	b = open_edit(&w);
	r[0] = run_at(b, 5, NULL);
	r[1] = run_at(b, 21, NULL);
	x = *r[0];
	*r[0] = *r[1];
	*r[1] = x;
	(void)named_edited(&w, VERIFY_ORDER, UINT64_MAX);
	/* And say that they stand there. */
	r[0]->place = 5;
	r[1]->place = 21;
	(void)named_edited(&w, VERIFY_ORDER, 5);
	/* Two ids in the list. */
	b = open_edit(&w);
	{
		uint8_t ids[160];

		EXPECT(b->ids.len == sizeof(ids));
		memcpy(ids, b->ids.p, sizeof(ids));
		memcpy(ids, b->ids.p + 16, 16);
		memcpy(ids + 16, b->ids.p, 16);
		b->ids.p = ids;
		(void)named_edited(&w, VERIFY_MANIFEST, 27);
	}
	world_free(&w);
}

/* Catches an auditor who asks the tree alone: the court grows it. */
static void
a_rebuilt_chain_is_named(void **state)
{
	struct made_chain forger;
	struct world w;

	(void)state;
	world_begin(&w);
	forger = w.a;
	forger.secret[0] ^= 1; /* not the device's key */
	made_store_entry(&w.m, &w.a, DO_SET, "place/note", "[\"forged\"]");
	made_store_line_by(&w.m, &w.a, w.a.seq, &forger);
	made_store_commit(&w.m);
	world_export(&w);
	EXPECT(named(&w, VERIFY_REBUILT, 27)->seq == 11);
	EXPECT(w.r.damage == 1);
	world_free(&w);
}

static void
a_swapped_device_is_named(void **state)
{
	struct made_chain ghost;
	struct bundle *b;
	struct world w;

	(void)state;
	world_make(&w);
	/* b's key over a's entries: of another's device. */
	b = open_edit(&w);
	memcpy(run_at(b, 5, NULL)->key, w.b.key, PUBKEY_LEN);
	(void)named_edited(&w, VERIFY_DEVICE, 5);
	world_free(&w);
	/* A device that nobody enrolled, with a chain that is right. */
	world_begin(&w);
	made_store_device(&w.m, &ghost);
	memcpy(ghost.rec, w.a.rec, sizeof(ghost.rec));
	made_store_piece(&w.m, &ghost, 1); /* 27 */
	made_store_commit(&w.m);
	world_export(&w);
	(void)named(&w, VERIFY_DEVICE, 27);
	world_free(&w);
}

static void
an_entry_after_revocation_is_named_unless_held(void **state)
{
	struct world w;

	(void)state;
	for (int hold = 0; hold < 2; hold++) {
		world_begin(&w);
		made_store_revoke(&w.m, &w.a, "lost");
		made_store_commit(&w.m); /* 27, 28 */
		made_store_piece(&w.m, &w.a, 1);
		if (hold)
			made_store_hold(&w.m, &w.a);
		made_store_commit(&w.m);
		w.mb.held = hold ? 1 : 0;
		world_export(&w);
		if (hold) {
			audit(&w);
			good(&w);
			EXPECT(w.r.held == 1);
		} else {
			EXPECT(named(&w, VERIFY_REVOKED, 29)->seq == 11);
		}
		world_free(&w);
	}
	/* Whoever passes it on takes the revocation out. */
	world_begin(&w);
	made_store_revoke(&w.m, &w.a, "lost");
	made_store_commit(&w.m);
	made_store_piece(&w.m, &w.a, 1);
	made_store_commit(&w.m);
	world_export(&w);
	(void)named(&w, VERIFY_REVOKED, 29);
	{
		struct bundle *b = open_edit(&w);
		struct bundle_step *s;
		struct bundle_run *r = run_at(b, 27, &s);

		EXPECT(r->step_count == 2);
		entry_digest(s->digest, s->entry);
		s->entry.len = 0;
	}
	(void)named_edited(&w, VERIFY_MANIFEST, 31);
	world_free(&w);
}

static void
a_forged_proof_or_anchor_is_named(void **state)
{
	struct bundle *b;
	struct world w;
	struct buf other;
	uint8_t hash[HASH_LEN * 64];
	char *p;

	(void)state;
	world_make(&w);
	/* The proof in the file. */
	b = open_edit(&w);
	EXPECT(b->proof.len > 0 && b->proof.len <= sizeof(hash));
	memcpy(hash, b->proof.p, b->proof.len);
	hash[3] ^= 4;
	b->proof.p = hash;
	(void)named_edited(&w, VERIFY_RECEIPT, UINT64_MAX);
	/* Its checkpoint: of the same log, and an older tree. */
	b = open_edit(&w);
	b->note = buf_view(&w.early);
	(void)named_edited(&w, VERIFY_RECEIPT, UINT64_MAX);
	/* A receipt of the right tree with a path of another place. */
	buf_init(&other, 1 << 16);
	made_store_receipt(&w.m, 8, &other);
	p = strstr((char *)other.p, "index 8\n");
	EXPECT(p != NULL);
	p[6] = '9';
	anchor(&w, "receipt", &other);
	(void)named(&w, VERIFY_RECEIPT, 9);
	/* Signed by nobody. */
	p = strstr((char *)other.p, "\n29\n");
	EXPECT(p != NULL);
	p[1] = '3';
	(void)named(&w, VERIFY_RECEIPT, UINT64_MAX);
	EXPECT(w.r.damage == 1);
	/* By a key that no descriptor names. */
	{
		struct checkpoint cp = { .origin = "elsewhere/log", .size = 9 };
		uint8_t pub[PUBKEY_LEN], secret[64], seed[32] = { 5 };
		struct note_key key;

		EXPECT(crypto_sign_seed_keypair(pub, secret, seed) == 0);
		EXPECT_OK(note_key_make(&key, cp.origin, NOTE_ED25519, pub));
		buf_reset(&other);
		EXPECT_OK(checkpoint_sign(&cp, &key, secret, &other));
		w.anchor[0].file = buf_view(&other);
		(void)named(&w, VERIFY_RECEIPT, UINT64_MAX);
		EXPECT(w.r.damage == 1);
	}
	buf_free(&other);
	world_free(&w);
}

static void
a_split_view_is_named(void **state)
{
	uint8_t root[HASH_LEN] = { 9 };
	struct buf other;
	struct world w;

	(void)state;
	for (uint64_t size = 16; size <= 29; size += 13) {
		world_make(&w);
		buf_init(&other, NOTE_BYTES_MAX);
		made_store_note_of(&w.m, size, root, &other);
		anchor(&w, "other", &other);
		(void)named(&w, VERIFY_SPLIT, size - 1);
		buf_free(&other);
		world_free(&w);
	}
}

/* The court logs an entry a second time, signature and all. */
static void
a_replay_is_named(void **state)
{
	struct made_chain was;
	struct bundle *b;
	struct bundle_run *r;
	struct world w;

	(void)state;
	world_begin(&w);
	was = w.a;
	made_store_piece(&w.m, &w.a, 1); /* 27 */
	made_store_commit(&w.m);
	EXPECT_OK(db_exec(w.m.db, "DROP INDEX IF EXISTS entries_at"));
	EXPECT_OK(db_exec(w.m.db,
	    "CREATE TEMP TABLE again AS SELECT bytes FROM entries"
	    " WHERE place = 27"));
	{
		struct made_chain now = w.a;
		struct buf raw;
		struct db_stmt *s;

		buf_init(&raw, ENTRY_BYTES_MAX);
		EXPECT_OK(db_query(&s, w.m.db, "SELECT bytes FROM again"));
		EXPECT_OK(db_next(s));
		buf_bytes(&raw, db_bytes(s, 0));
		db_done(s);
		w.a = was;
		made_store_raw(&w.m, &w.a, buf_view(&raw)); /* 29 */
		EXPECT(memcmp(w.a.link, now.link, HASH_LEN) == 0);
		made_store_line(&w.m, &w.a, w.a.seq);
		made_store_commit(&w.m);
		buf_free(&raw);
	}
	world_export(&w);
	(void)named(&w, VERIFY_REPLAY, 29);
	world_free(&w);
	/* In the file alone. */
	world_make(&w);
	b = open_edit(&w);
	r = bundle_add_run(b);
	*r = *run_at(b, 21, NULL);
	(void)named_edited(&w, VERIFY_REPLAY, UINT64_MAX);
	world_free(&w);
}

/* What an audit of the whole store says of it: damage, once, there. */
static bool
store_names(struct world *w, enum verify_what what, uint64_t place)
{
	struct verify_report r;
	bool found;

	made_store_shut(&w->m);
	w->given.anchor_count = 0;
	verify_report_init(&r);
	EXPECT_OK(verify_store(
	    &r, tmpdir_file(&w->dir, "store.db"), &w->given, w->errmsg));
	for (size_t i = 0; i < r.finding_count; i++)
		print_message("store: %s at %" PRIu64 ": %s\n",
		    verify_word(r.finding[i].what), r.finding[i].place,
		    r.finding[i].en);
	found = r.damage == 1 && r.finding[0].what == what &&
		r.finding[0].place == place;
	verify_report_free(&r);
	return found;
}

static void
a_false_manifest_is_named(void **state)
{
	struct world w;

	(void)state;
	/* It leaves out an entry that the file has. */
	world_begin(&w);
	w.mb.hide[w.mb.hide_count++] = 24;
	made_bundle_make(&w.m, &w.a, &w.mb);
	w.mb.hide_count = 0;
	made_bundle_again(&w.m, &w.a, &w.mb);
	(void)named(&w, VERIFY_MANIFEST, UINT64_MAX);
	world_free(&w);
	/* It counts wrongly. */
	for (int held = 0; held < 2; held++) {
		world_begin(&w);
		w.mb.held_off = held;
		w.mb.bare_off = !held;
		world_export(&w);
		(void)named(&w, VERIFY_MANIFEST, 27);
		EXPECT(w.r.damage == 1);
		world_free(&w);
	}
	/* It states a context without the revocation. */
	world_begin(&w);
	made_store_revoke(&w.m, &w.a, "lost"); /* 27 */
	made_store_commit(&w.m);
	w.mb.hide[w.mb.hide_count++] = 27;
	world_export(&w);
	audit(&w);
	good(&w); /* no bundle can prove that either: the store tells */
	EXPECT(store_names(&w, VERIFY_MANIFEST, 29));
	world_free(&w);
	/* It leaves one out that the file does not have either: no bundle can
	 * prove that, but whoever knew of it tells. */
	world_begin(&w);
	w.mb.hide[w.mb.hide_count++] = 24;
	world_export(&w);
	audit(&w);
	good(&w);
	EXPECT(find(&w, VERIFY_MISSING, 24) != NULL);
	EXPECT(w.r.notes == 1);
	EXPECT(store_names(&w, VERIFY_MANIFEST, 27));
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
	world_export(&w);
	w.given.media = media_of;
	w.given.media_arg = &f;
	audit(&w);
	good(&w);
	EXPECT(w.r.media == 1 && w.r.acts == 1);
	sha256(f.holds, bytes_str("another film"));
	(void)named(&w, VERIFY_MEDIA, 27);
	buf_free(&data);
	world_free(&w);
}

/* ---- bodies */

/* Catches a body that is taken out and not said to be. */
static void
a_withheld_body_is_shown_with_its_reason(void **state)
{
	struct bundle_step *s;
	struct world w;

	(void)state;
	world_begin(&w);
	w.mb.withhold[0] = 25;
	w.mb.reason[0] = "住址";
	w.mb.withhold_count = 1;
	world_export(&w);
	audit(&w);
	good(&w);
	EXPECT(w.r.withheld == 1 && w.r.count == 10);
	assert_string_equal(find(&w, VERIFY_WITHHELD, 25)->data, "住址");
	EXPECT(strstr(w.r.state, "{\"withheld\":\"") != NULL);
	world_free(&w);
	/* The court says nothing of it. */
	world_begin(&w);
	w.mb.withhold[0] = 25;
	w.mb.withhold_count = 1;
	world_export(&w);
	(void)named(&w, VERIFY_CHANGED, 25);
	/* Whoever passed it on took another one. */
	world_free(&w);
	world_make(&w);
	(void)run_at(open_edit(&w), 7, &s);
	s->entry.len =
	    (size_t)((const uint8_t *)memchr(s->entry.p, '\n', s->entry.len) -
		     s->entry.p);
	(void)named_edited(&w, VERIFY_CHANGED, 7);
	world_free(&w);
}

/* ---- forks and several devices */

static void
two_devices_on_one_record_conflict_and_are_proved(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	world_share(&w);
	w.b.rec_count = 1;
	made_store_piece(&w.m, &w.b, 1);
	made_store_piece(&w.m, &w.a, 1);
	made_store_commit(&w.m);
	world_export(&w);
	audit(&w);
	good(&w);
	EXPECT(w.r.count == 12 && w.r.devices == 2 && w.r.conflicts == 1);
	world_free(&w);
}

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
		made_store_piece(&w.m, &copy, 1); /* 29 */
		if (hold)
			made_store_hold(&w.m, &copy);
		made_store_commit(&w.m);
		w.mb.held = hold ? 1 : 0;
		world_export(&w);
		if (hold) {
			audit(&w);
			good(&w);
			EXPECT(w.r.forks == 1 && w.r.held == 1);
			EXPECT(w.r.conflicts == 0);
		} else {
			EXPECT(named(&w, VERIFY_HOLD, 29)->seq == 11);
		}
		world_free(&w);
	}
}

/* ---- bytes */

static bool
pass(struct world *w, struct bytes file)
{
	enum status st;

	verify_report_free(&w->r);
	verify_report_init(&w->r);
	st = verify_bundle(&w->r, file, &w->given, w->errmsg);
	return st == ST_OK && verify_verdict_of(&w->r) != VERIFY_DAMAGED;
}

/* One bit, anywhere: no byte of a bundle is free.  DAYBREAK_ALL_FLIPS=1 tries
 * all eight of each byte. */
static void
no_bit_of_a_bundle_is_free(void **state)
{
	int all = getenv("DAYBREAK_ALL_FLIPS") != NULL;
	struct world w;
	uint8_t *copy;
	size_t len;

	(void)state;
	memset(&w, 0, sizeof(w));
	world_begin(&w);
	w.mb.withhold[0] = 25;
	w.mb.reason[0] = "住址";
	w.mb.withhold_count = 1;
	w.mb.size[w.mb.size_count++] = 14; /* a mark */
	world_export(&w);
	anchor(&w, "late", &w.late);
	len = w.mb.file.len;
	copy = malloc(len);
	EXPECT(copy != NULL);
	memcpy(copy, w.mb.file.p, len);
	EXPECT(pass(&w, bytes_of(copy, len)));
	for (size_t i = 0; i < len; i++) {
		for (unsigned bit = all ? 0 : i % 8; bit < 8; bit++) {
			copy[i] ^= (uint8_t)(1u << bit);
			if (pass(&w, bytes_of(copy, len)))
				fail_msg("byte %zu, bit %u is free", i, bit);
			copy[i] ^= (uint8_t)(1u << bit);
			if (!all)
				break;
		}
	}
	print_message("%zu bytes\n", len);
	free(copy);
	world_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_good_bundle_is_proved_only_past_its_manifest),
		cmocka_unit_test(a_bundle_written_again_reaches_a_later_anchor),
		cmocka_unit_test(another_key_or_court_is_named),
		cmocka_unit_test(a_changed_byte_is_named_with_its_place),
		cmocka_unit_test(a_dropped_tail_is_named_at_each_length),
		cmocka_unit_test(a_removed_middle_is_named),
		cmocka_unit_test(a_reordering_is_named),
		cmocka_unit_test(a_rebuilt_chain_is_named),
		cmocka_unit_test(a_swapped_device_is_named),
		cmocka_unit_test(
		    an_entry_after_revocation_is_named_unless_held),
		cmocka_unit_test(a_forged_proof_or_anchor_is_named),
		cmocka_unit_test(a_split_view_is_named),
		cmocka_unit_test(a_replay_is_named),
		cmocka_unit_test(a_false_manifest_is_named),
		cmocka_unit_test(swapped_media_are_named),
		cmocka_unit_test(a_withheld_body_is_shown_with_its_reason),
		cmocka_unit_test(
		    two_devices_on_one_record_conflict_and_are_proved),
		cmocka_unit_test(a_fork_must_be_held),
		cmocka_unit_test(no_bit_of_a_bundle_is_free),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
