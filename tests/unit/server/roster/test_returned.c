/*
 * What handhelds hold of a log that ended comes back by its proofs: colleagues'
 * entries, and what the old centre said against somebody.  And nothing else
 * does.
 */
#include <sys/stat.h>

#include "agent/core/agent_impl.h"
#include "entry/chain.h"
#include "server/core/centre_inner.h"
#include "server/core/export.h"
#include "server/core/restore.h"
#include "server/project/fold.h"
#include "server/roster/returned.h"
#include "support/bureau.h"
#include "support/court_audit.h"
#include "support/court_verify.h"

enum { RECS = 4 };

struct world {
	struct bureau b;
	struct agent *lost, *mate; /* of one team; the first is lost */
	char rec[RECS][REC_LEN + 1];
	char backup[300], dir[300];
	unsigned restores;
};

static void
back_up(struct world *w)
{
	struct store_reader *r;

	(void)snprintf(w->backup, sizeof(w->backup), "%s/backup%u.db",
	    w->b.ct.dir.path, w->restores);
	EXPECT_OK(store_reader_open(&r, centre_store(w->b.ct.c)));
	EXPECT_OK(store_backup(r, w->backup));
	store_reader_close(r);
}

/* The centre is gone, and comes back from its backup. */
static void
restore(struct world *w)
{
	struct restore_given g = { .from = w->backup,
		.keys = w->b.ct.cfg.dir,
		.root_secret = w->b.ct.keys.root_secret,
		.port = w->b.ct.cfg.port,
		.even_living = true };
	struct restore_done done;
	char why[CENTRE_ERRMSG_LEN] = "";
	static char dir[4][300]; /* the court's config borrows it */

	bureau_close(&w->b);
	(void)snprintf(
	    dir[w->restores], 300, "%s/new%u", w->b.ct.dir.path, w->restores);
	g.dir = dir[w->restores++];
	expect_status(
	    centre_restore(&done, &g, why), ST_OK, why, __FILE__, __LINE__);
	w->b.ct.cfg.dir = g.dir;
	court_open(&w->b.ct);
	bureau_open(&w->b);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -1;
	bureau_make(&w->b);
	w->lost = bureau_join(&w->b, 0, "p001", "jia");
	w->mate = bureau_join(&w->b, 1, "p002", "jia");
	(void)bureau_join(&w->b, 2, "p003", "yi");
	bureau_sync(&w->b, 0);
	bureau_record(w->lost, "search", "target", "[\"before\"]", w->rec[0]);
	bureau_sync(&w->b, 0);
	back_up(w);
	for (int i = 1; i < RECS; i++) {
		bureau_record(
		    w->lost, "search", "target", "[\"after\"]", w->rec[i]);
		EXPECT_OK(bureau_note(w->lost, w->rec[0], "[\"a note\"]"));
		bureau_sync(&w->b, 0);
		bureau_sync(&w->b, 1);
	}
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	bureau_end(&w->b);
	free(w);
	return 0;
}

/* ---- looking */

static struct verify_report
audit(struct world *w)
{
	struct verify_given given = { .key = *centre_log_key(w->b.ct.c) };
	char path[400], why[VERIFY_ERRMSG_LEN];
	struct verify_report r;

	(void)snprintf(path, sizeof(path), "%s/store.db", w->b.ct.cfg.dir);
	verify_report_init(&r);
	EXPECT_OK(verify_store(&r, path, &given, why));
	for (size_t i = 0; i < r.finding_count; i++)
		fprintf(stderr, "  %s: place %llu seq %llu: %s %s\n",
		    verify_word(r.finding[i].what),
		    (unsigned long long)r.finding[i].place,
		    (unsigned long long)r.finding[i].seq, r.finding[i].en,
		    r.finding[i].data);
	return r;
}

static size_t
findings_of(const struct verify_report *r, enum verify_what what)
{
	size_t n = 0;

	for (size_t i = 0; i < r->finding_count; i++)
		n += r->finding[i].what == what;
	return n;
}

/* Everything is sound, and so many entries stand on the old log's word. */
static void
sound(struct world *w, uint64_t returned, size_t told)
{
	struct verify_report r = audit(w);

	EXPECT(r.damage == 0);
	EXPECT(r.returned == returned);
	EXPECT(findings_of(&r, VERIFY_RETURNED) == told);
	verify_report_free(&r);
	court_verify(&w->b.ct);
}

/* Kinds of the entries of this centre's chains, newest log. */
static size_t
count_of(struct world *w, const char *kind, enum verb verb)
{
	struct centre_reader *r;
	struct centre_entry ce;
	struct entry e;
	size_t n = 0;

	entry_init(&e);
	EXPECT_OK(centre_reader_open(&r, w->b.ct.c));
	for (uint64_t p = 0; p < court_size(&w->b.ct); p++) {
		EXPECT_OK(centre_entry(r, p, &ce));
		if ((ce.flags & STORE_SERVER) != 0 &&
		    entry_parse(&e, ce.bytes) == ST_OK)
			n += bytes_eq_str(e.kind, kind) && e.verb == verb;
	}
	centre_reader_close(r);
	entry_free(&e);
	return n;
}

struct looking {
	const char *sort;
	bool found;
};

static enum status
look(void *arg, const struct store_alarm *a)
{
	struct looking *l = arg;

	l->found = l->found || bytes_eq_str(a->sort, l->sort);
	return ST_OK;
}

/* State bytes as the centre has them. */
static void
state_of(struct world *w, const char *rec, struct buf *out)
{
	struct fold_config fc = { .reader = w->b.reader,
		.feed = feed_inside(w->b.feed),
		.utc_offset_min = 480 };
	struct bytes is;
	struct fold *f;

	fc.kinds = agent_kinds(w->mate);
	fc.rules = w->mate->rules;
	EXPECT_OK(fold_new(&f, &fc));
	EXPECT_OK(fold_load(f, rec, port_wall_ms(w->b.ct.cfg.port)));
	is = fold_state_bytes(f);
	buf_reset(out);
	buf_bytes(out, is);
	fold_free(f);
}

static bool
alarmed(struct world *w, const char *sort)
{
	struct looking l = { .sort = sort };
	struct store_reader *r;

	EXPECT_OK(store_reader_open(&r, centre_store(w->b.ct.c)));
	EXPECT_OK(store_alarms(r, 0, look, &l));
	store_reader_close(r);
	return l.found;
}

/* ---- colleagues */

/* Would catch what was acknowledged being lost with the one handheld that wrote
 * it, a return that doubles, or one that no auditor can tell from a forgery. */
static void
test_returned_entries_of_a_lost_handheld_stand_again(void **state)
{
	struct world *w = *state;
	struct buf before, after;
	uint64_t size;

	buf_init(&before, 1 << 20);
	buf_init(&after, 1 << 20);
	EXPECT_OK(bureau_state(w->mate, w->rec[0], &before));
	restore(w);
	bureau_sync(&w->b, 1);
	/* Three records and three notes, in one run. */
	sound(w, 6, 1);
	EXPECT(count_of(w, "hole@1", DO_OPEN) == 0);
	EXPECT_OK(bureau_state(w->mate, w->rec[0], &after));
	EXPECT_BYTES(buf_view(&after), buf_view(&before));
	/* Who comes later brings nothing new, and hears of all of it. */
	size = court_size(&w->b.ct);
	bureau_sync(&w->b, 1);
	bureau_sync(&w->b, 2);
	EXPECT(court_size(&w->b.ct) == size);
	EXPECT(!alarmed(w, "returned_false"));
	buf_free(&before);
	buf_free(&after);
}

/* Would catch entries that stand twice once their own device comes after all,
 * or a device that cannot go on behind what others brought. */
static void
test_returned_entries_are_the_devices_own_when_it_comes(void **state)
{
	struct world *w = *state;
	char rec[REC_LEN + 1];

	restore(w);
	bureau_sync(&w->b, 1);
	sound(w, 6, 1);
	bureau_sync(&w->b, 0);
	sound(w, 6, 1);
	bureau_record(w->lost, "search", "target", "[\"again\"]", rec);
	bureau_sync(&w->b, 0);
	bureau_sync(&w->b, 1);
	sound(w, 6, 0); /* its signature covers them now */
	EXPECT(!alarmed(w, "fork"));
}

/* Its officer goes to another team and writes there, and in between on a record
 * of the old team: each team holds every other entry of its chain. */
static void
write_for_two_teams(struct world *w, char rec[REC_LEN + 1])
{
	bureau_move(&w->b, "p001", "yi");
	bureau_sync(&w->b, 0);
	for (int i = 0; i < 2; i++) {
		EXPECT_OK(bureau_note(w->lost, w->rec[0], "[\"for jia\"]"));
		bureau_record(w->lost, "search", "target", "[\"for yi\"]", rec);
		EXPECT_OK(bureau_note(w->lost, rec, "[\"and more\"]"));
	}
	EXPECT_OK(bureau_note(w->lost, w->rec[0], "[\"the last\"]"));
	bureau_sync(&w->b, 0);
	bureau_sync(&w->b, 1);
	bureau_sync(&w->b, 2);
}

/* Would catch entries that are left out because others between them are with
 * somebody else. */
static void
test_returned_entries_fit_into_holes(void **state)
{
	struct world *w = *state;
	struct buf before, after;
	char rec[REC_LEN + 1];
	struct verify_report r;
	uint64_t written;

	buf_init(&before, 1 << 20);
	buf_init(&after, 1 << 20);
	write_for_two_teams(w, rec);
	EXPECT_OK(bureau_state(w->b.hand[2].a, rec, &before));
	restore(w);
	bureau_sync(&w->b, 1);
	EXPECT(count_of(w, "hole@1", DO_OPEN) == 2);
	sound(w, 6 + 3, 1);
	bureau_sync(&w->b, 2);
	EXPECT(count_of(w, "hole@1", DO_OPEN) == 2);
	sound(w, 6 + 3 + 4, 1);
	EXPECT_OK(bureau_state(w->b.hand[2].a, rec, &after));
	EXPECT_BYTES(buf_view(&after), buf_view(&before));
	r = audit(w);
	written = r.device_entries;
	verify_report_free(&r);
	bureau_sync(&w->b, 0);
	r = audit(w);
	EXPECT(r.device_entries == written);
	verify_report_free(&r);
	EXPECT(!alarmed(w, "fork"));
	buf_free(&before);
	buf_free(&after);
}

/* Would catch a device that is told that all is there, while what only it has
 * lacks; or that is asked for ever. */
static void
test_returned_holes_are_filled_by_their_device(void **state)
{
	struct world *w = *state;
	struct agent_sync_result r;
	char rec[REC_LEN + 1];
	struct buf b;

	buf_init(&b, 1 << 20);
	write_for_two_teams(w, rec);
	restore(w);
	bureau_sync(&w->b, 1);
	EXPECT(count_of(w, "hole@1", DO_OPEN) == 2);
	bureau_sync(&w->b, 0);
	sound(w, 6 + 3, 1);
	EXPECT_OK(agent_sync(w->lost, &r));
	EXPECT(!r.more && r.sent == 0);
	bureau_sync(&w->b, 2);
	EXPECT_OK(bureau_state(w->b.hand[2].a, rec, &b));
	sound(w, 6 + 3, 1);
	EXPECT(!alarmed(w, "fork"));
	buf_free(&b);
}

/* Would catch a bundle that nobody can check, or that is called damaged, since
 * a piece of it has no signature; and one whose proof can be changed unseen. */
static void
test_returned_bundle_is_proved_by_the_old_log(void **state)
{
	struct world *w = *state;
	struct export_what what = { .rec = w->rec[1], .by = "7001" };
	struct verify_given given;
	struct verify_report r;
	struct export_done done;
	struct export_why why;
	char words[VERIFY_ERRMSG_LEN];
	uint64_t place;
	struct buf file;
	size_t at = 0, wrong = 0;

	restore(w);
	bureau_sync(&w->b, 1);
	memset(&given, 0, sizeof(given));
	given.key = *centre_log_key(w->b.ct.c);
	buf_init(&file, 4 << 20);
	EXPECT_OK(export_manifest(w->b.ct.c, &what, &place, &why));
	EXPECT_OK(export_bundle(w->b.ct.c, place, NULL, 0, &file, &done, &why));
	verify_report_init(&r);
	EXPECT_OK(verify_bundle(&r, buf_view(&file), &given, words));
	for (size_t k = 0; k < r.finding_count; k++)
		fprintf(stderr, "  %s: %s %s\n", verify_word(r.finding[k].what),
		    r.finding[k].en, r.finding[k].data);
	EXPECT(r.damage == 0 && r.returned > 0);
	EXPECT(findings_of(&r, VERIFY_RETURNED) == 1);
	verify_report_free(&r);
	/* Every byte of it is bound, the old note and its path too. */
	for (at = 0; at < file.len; at += 7) {
		enum status st;

		file.p[at] ^= 1;
		verify_report_init(&r);
		st = verify_bundle(&r, buf_view(&file), &given, words);
		wrong += st == ST_OK && r.damage == 0;
		verify_report_free(&r);
		file.p[at] ^= 1;
	}
	EXPECT(wrong == 0);
	buf_free(&file);
}

/* ---- the old centre's words */

/* Would catch a revocation that a restore forgets, or one that waits until
 * somebody reads an alarm. */
static void
test_returned_revocation_takes_effect_at_once(void **state)
{
	struct world *w = *state;
	struct roster_device d;
	struct agent_sync_result r;
	char dev[DEV_LEN + 1], rec[REC_LEN + 1];

	chain_dev(dev, log_public_key(w->lost->log));
	EXPECT_OK(roster_revoke(w->b.roster, dev, "lost", "in a car", "chief"));
	bureau_follow(&w->b);
	bureau_sync(&w->b, 1);
	restore(w);
	EXPECT_OK(roster_device_by_dev(w->b.roster, dev, &d));
	EXPECT(d.standing[0] == '\0');
	bureau_sync(&w->b, 1);
	EXPECT_OK(roster_device_by_dev(w->b.roster, dev, &d));
	EXPECT(strcmp(d.standing, "lost") == 0);
	EXPECT(!alarmed(w, RETURNED_ALARM));
	EXPECT(count_of(w, "device@1", DO_ADVANCE) == 1);
	/* What it wrote before came back too, and is held. */
	sound(w, 6, 1);
	/* Others tell the same; it is said once. */
	bureau_sync(&w->b, 2);
	EXPECT(count_of(w, "device@1", DO_ADVANCE) == 1);
	bureau_record(w->lost, "search", "target", "[\"a thief's\"]", rec);
	EXPECT_OK(agent_sync(w->lost, &r));
	sound(w, 6, 0);
}

/* Would catch an entry that is held, and counts again after a restore; or
 * screens that go on showing a word of a log that is no more. */
static void
test_returned_hold_takes_effect_at_once(void **state)
{
	struct world *w = *state;
	struct buf here, there;
	char dev[DEV_LEN + 1];

	buf_init(&here, 1 << 20);
	buf_init(&there, 1 << 20);
	/* Held as what a revoked device brings; and it is told to its team. */
	chain_dev(dev, log_public_key(w->lost->log));
	EXPECT_OK(roster_revoke(w->b.roster, dev, "lost", "in a car", "chief"));
	bureau_follow(&w->b);
	EXPECT_OK(bureau_note(w->lost, w->rec[0], "[\"held\"]"));
	bureau_sync(&w->b, 0);
	bureau_sync(&w->b, 1);
	EXPECT(count_of(w, "search@1", DO_HOLD) == 1);
	restore(w);
	bureau_sync(&w->b, 1);
	EXPECT(count_of(w, "search@1", DO_HOLD) > 0);
	bureau_sync(&w->b, 1);
	sound(w, 7, 1);
	EXPECT_OK(bureau_state(w->mate, w->rec[0], &here));
	bureau_restart(&w->b, 1);
	w->mate = w->b.hand[1].a;
	EXPECT_OK(bureau_state(w->mate, w->rec[0], &there));
	EXPECT_BYTES(buf_view(&here), buf_view(&there));
	state_of(w, w->rec[0], &there);
	EXPECT_BYTES(buf_view(&here), buf_view(&there));
	buf_free(&here);
	buf_free(&there);
}

/* Would catch a person, a role or an enrolment that comes into force because a
 * handheld says so. */
static void
test_returned_people_are_evidence_and_nothing_else(void **state)
{
	struct world *w = *state;
	struct roster_person p;
	struct verify_report r;

	bureau_move(&w->b, "p002", "yi");
	bureau_sync(&w->b, 1);
	restore(w);
	bureau_sync(&w->b, 1);
	EXPECT_OK(roster_person(w->b.roster, "p002", &p));
	EXPECT(strcmp(p.team, "jia") == 0);
	EXPECT(count_of(w, "returned@1", DO_OPEN) > 0);
	r = audit(w);
	EXPECT(r.damage == 0 && r.evidence > 0);
	verify_report_free(&r);
}

/* ---- forgeries */

enum forgery { CHANGED, PROOF, NOTE, PLACE, FORGERIES };

struct forger {
	struct agent_uplink honest;
	struct wire_codec *codec;
	struct sync_msg *msg;
	enum forgery how;
	struct wire_proved *extra; /* a part that is sent along, or NULL */
	bool done;
};

/* One leaf's entry, with one letter of a value changed. */
static void
change(struct wire_leaf *l, struct buf *bytes)
{
	buf_bytes(bytes, l->entry.raw);
	bytes->p[bytes->len - 4] ^= 1;
	l->entry.raw = buf_view(bytes);
	/* The body is not hashed into the link: the head is. */
	bytes->p[20] ^= 1;
}

static void
forge(struct forger *f, struct sync_up *up, struct buf *bytes)
{
	struct wire_proved *p = &up->proved[0];
	struct wire_leaf *l = p->leaf;

	while (!l->has_entry)
		l++;
	f->done = true;
	switch (f->how) {
	case CHANGED:
		change(l, bytes);
		break;
	case PROOF:
		buf_bytes(bytes, p->proof);
		EXPECT(bytes->len > 0);
		bytes->p[0] ^= 1;
		p->proof = buf_view(bytes);
		break;
	case NOTE:
		buf_bytes(bytes, p->note);
		bytes->p[bytes->len - 10] =
		    bytes->p[bytes->len - 10] == 'A' ? 'B' : 'A';
		p->note = buf_view(bytes);
		break;
	default:
		p->leaf[p->count - 1].place++;
		break;
	}
}

static enum status
forging(void *arg, enum agent_service what, const char *address,
    struct bytes ca, struct bytes cert, struct bytes key, struct bytes body,
    struct agent_reply *out)
{
	struct forger *f = arg;
	const struct sync_up *up;
	struct sync_up twisted;
	struct buf wire, bytes;
	const char *why;
	uint32_t dict;
	enum status st;

	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	buf_init(&bytes, 1 << 20);
	if (what == SERVICE_SYNC) {
		EXPECT_OK(sync_up_decode(
		    f->codec, f->msg, "xz0302", body, &up, &dict, &why));
		twisted = *up;
		if (f->extra != NULL && up->piece_count == 0) {
			twisted.proved = f->extra;
			twisted.proved_count = 1;
			f->done = true;
		} else if (up->proved_count > 0 && up->piece_count == 0) {
			forge(f, &twisted, &bytes);
		}
		if (up->piece_count == 0) {
			EXPECT_OK(sync_up_encode(
			    f->codec, dict, "xz0302", &twisted, &wire));
			body = buf_view(&wire);
		}
	}
	st = f->honest.exchange(
	    f->honest.arg, what, address, ca, cert, key, body, out);
	buf_free(&wire);
	buf_free(&bytes);
	return st;
}

static void
forger_make(struct forger *f, struct world *w)
{
	memset(f, 0, sizeof(*f));
	f->honest = w->b.hand[1].uplink;
	EXPECT_OK(wire_codec_new(&f->codec));
	EXPECT_OK(sync_msg_new(&f->msg));
	w->b.hand[1].uplink.arg = f;
	w->b.hand[1].uplink.exchange = forging;
}

static void
forger_end(struct forger *f)
{
	wire_codec_free(f->codec);
	sync_msg_free(f->msg);
}

/* Would catch an entry that comes into the log on a handheld's word. */
static void
test_returned_forgeries_are_refused_and_told(void **state)
{
	(void)state;
	for (enum forgery how = 0; how < FORGERIES; how++) {
		void *made = NULL;
		struct world *w;
		struct forger f;

		EXPECT(setup(&made) == 0);
		w = made;
		forger_make(&f, w);
		f.how = how;
		restore(w);
		bureau_sync(&w->b, 1);
		EXPECT(f.done);
		EXPECT(alarmed(w, "returned_false"));
		{
			struct verify_report r = audit(w);

			/* Of several parts only the one that was touched. */
			EXPECT(r.damage == 0 && r.returned < 6);
			verify_report_free(&r);
		}
		/* Its own handheld is not hindered by any of it. */
		bureau_sync(&w->b, 0);
		court_verify(&w->b.ct);
		forger_end(&f);
		EXPECT(teardown(&made) == 0);
	}
}

/* The record on which a device is enrolled. */
static void
record_of(struct world *w, const char *dev, char rec[REC_LEN + 1])
{
	struct centre_reader *r;
	struct centre_entry ce;
	struct entry e;

	rec[0] = '\0';
	entry_init(&e);
	EXPECT_OK(centre_reader_open(&r, w->b.ct.c));
	for (uint64_t p = 0; p < court_size(&w->b.ct); p++) {
		EXPECT_OK(centre_entry(r, p, &ce));
		if (entry_parse(&e, ce.bytes) == ST_OK &&
		    bytes_eq_str(e.kind, "device@1") && e.verb == DO_OPEN &&
		    json_is(&e.body, entry_value(&e, 0), dev)) {
			memcpy(rec, e.rec.p, REC_LEN);
			rec[REC_LEN] = '\0';
		}
	}
	EXPECT(rec[0] != '\0');
	centre_reader_close(r);
	entry_free(&e);
}

static uint64_t
place_of(struct world *w, const uint8_t link[HASH_LEN])
{
	struct centre_reader *r;
	struct centre_entry ce;
	uint64_t at = UINT64_MAX;

	EXPECT_OK(centre_reader_open(&r, w->b.ct.c));
	for (uint64_t p = 0; p < court_size(&w->b.ct); p++) {
		EXPECT_OK(centre_entry(r, p, &ce));
		if (memcmp(ce.link, link, HASH_LEN) == 0)
			at = p;
	}
	centre_reader_close(r);
	EXPECT(at != UINT64_MAX);
	return at;
}

/* Would catch a revocation that a hostile handheld made up: it can put what it
 * likes into the old log, in its own chain, and claim that it is the centre's.
 */
static void
test_returned_word_is_the_centres_only_by_its_signature(void **state)
{
	static const struct bytes on[] = { { (const uint8_t *)"lost", 4 } };
	struct world *w = *state;
	struct entry_new n = { .court = "xz0302",
		.kind = "device@1",
		.by = "chief",
		.at = "2026-11-29T05:00:00.000Z",
		.verb = DO_ADVANCE,
		.on = on,
		.on_count = 1,
		.data = bytes_str("[null]"),
		.reason = bytes_str("made up") };
	char dev[DEV_LEN + 1], rec[REC_LEN + 1];
	struct wire_leaf leaf = { .has_entry = true, .has_sig = true };
	struct roster_device d;
	struct wire_proved part = { .leaf = &leaf, .count = 1 };
	struct checkpoint cp;
	struct log_head h;
	struct forger f;
	struct buf raw, note, proof;
	const char *why;

	/* Of the mate's own chain: a head that says the centre's. */
	chain_dev(dev, log_public_key(w->b.hand[2].a->log));
	record_of(w, dev, rec);
	EXPECT_OK(log_head(w->mate->log, &h));
	memcpy(n.chain, serverchain_id(w->b.ct.c->sc), CHAIN_LEN);
	n.seq = 400;
	n.rec = rec;
	while (h.seq + 1 < n.seq) {
		bureau_record(
		    w->mate, "search", "target", "[\"padding\"]", rec);
		EXPECT_OK(log_head(w->mate->log, &h));
	}
	record_of(w, dev, rec);
	buf_init(&raw, 1 << 16);
	EXPECT_OK(entry_write(&n, &raw, &why));
	memcpy(leaf.prev, h.link, HASH_LEN);
	EXPECT_OK(log_append(w->mate->log, n.seq, buf_view(&raw), leaf.link));
	memcpy(leaf.chain, n.chain, CHAIN_LEN);
	leaf.seq = n.seq;
	leaf.entry.raw = buf_view(&raw);
	EXPECT_OK(log_head(w->mate->log, &h));
	memcpy(leaf.sig, h.sig, SIG_LEN); /* its own, the only one it has */
	bureau_sync(&w->b, 1);
	leaf.place = place_of(w, leaf.link);
	buf_init(&note, NOTE_BYTES_MAX);
	buf_init(&proof, 1 << 16);
	EXPECT_OK(centre_checkpoint(w->b.ct.c, &note, &cp));
	EXPECT_OK(
	    tlog_many(centre_tlog(w->b.ct.c), &leaf.place, 1, cp.size, &proof));
	part.note = buf_view(&note);
	part.proof = buf_view(&proof);
	restore(w);
	bureau_sync(&w->b, 1);
	forger_make(&f, w);
	f.extra = &part;
	bureau_sync(&w->b, 1);
	EXPECT(f.done && !alarmed(w, "returned_false"));
	EXPECT(alarmed(w, RETURNED_ALARM)); /* somebody looks into it */
	EXPECT_OK(roster_device_by_dev(w->b.roster, dev, &d));
	EXPECT(d.standing[0] == '\0');
	EXPECT(count_of(w, "device@1", DO_ADVANCE) == 0);
	forger_end(&f);
	buf_free(&raw);
	buf_free(&note);
	buf_free(&proof);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_returned_entries_of_a_lost_handheld_stand_again, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_returned_entries_are_the_devices_own_when_it_comes,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_returned_entries_fit_into_holes, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_returned_holes_are_filled_by_their_device, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_returned_bundle_is_proved_by_the_old_log, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_returned_hold_takes_effect_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_returned_revocation_takes_effect_at_once, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_returned_people_are_evidence_and_nothing_else, setup,
		    teardown),
		cmocka_unit_test(test_returned_forgeries_are_refused_and_told),
		cmocka_unit_test_setup_teardown(
		    test_returned_word_is_the_centres_only_by_its_signature,
		    setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
