/*
 * The committer: server entries, jobs that refuse, other processes, and many
 * threads at once (run under ThreadSanitizer too).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

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
	court_end(*state);
	free(*state);
	return 0;
}

static struct server_entry
person_entry(const struct bytes *on)
{
	return (struct server_entry){ .kind = "person@1",
		.verb = DO_OPEN,
		.on = on,
		.on_count = 2,
		.data = bytes_str("[\"p1\",\"name\"]"),
		.by = "admin-1" };
}

/* An entry of the server's chain that is not named, placed or chained as its
 * asker was told. */
static void
test_committer_server_entries_are_named(void **state)
{
	struct court *ct = *state;
	const struct bytes on[] = { bytes_str("id"), bytes_str("name") };
	struct server_entry e[3] = { person_entry(on), person_entry(on),
		person_entry(on) };
	struct commit_job job = { .entry = e, .entry_count = 3 };
	struct centre_reader *r;
	struct centre_entry got;
	struct entry p;

	centre_new_rec(ct->c, e[1].rec);
	memcpy(e[2].rec, e[1].rec, sizeof(e[2].rec));
	e[2].verb = DO_SET;
	e[2].chained = true;
	EXPECT_OK(committer_wait(centre_committer(ct->c), &job));
	EXPECT(court_size(ct) == 2 + 3 + 1);
	EXPECT(e[0].rec[0] != '\0' && strcmp(e[0].rec, e[1].rec) != 0);
	entry_init(&p);
	EXPECT_OK(centre_reader_open(&r, ct->c));
	for (int i = 0; i < 3; i++) {
		EXPECT(e[i].place == 2u + (unsigned)i);
		EXPECT_OK(centre_entry(r, e[i].place, &got));
		EXPECT(memcmp(got.link, e[i].id, ID_LEN) == 0);
		EXPECT_OK(entry_parse(&p, got.bytes));
		EXPECT(p.body_is == ENTRY_BODY_WHOLE);
		EXPECT(bytes_eq_str(p.rec, e[i].rec));
		EXPECT(bytes_eq_str(p.by, "admin-1"));
		EXPECT(p.after_count == (i == 2 ? 1u : 0u));
	}
	EXPECT(memcmp(p.after[0], e[1].id, ID_LEN) == 0);
	centre_reader_close(r);
	entry_free(&p);
	court_verify(ct);
}

static enum status
say_no(void *arg, struct store *s)
{
	(void)s;
	++*(int *)arg;
	return ST_DENIED;
}

static void
note_status(void *arg, enum status st)
{
	*(enum status *)arg = st;
}

/* One job that refuses, or cannot be written, must not harm the others of the
 * same commit. */
static void
test_committer_a_refused_job_harms_no_other(void **state)
{
	struct court *ct = *state;
	const struct bytes on[] = { bytes_str("id"), bytes_str("name") };
	const struct bytes bad_on[] = { bytes_str("NOT A PATH"),
		bytes_str("name") };
	struct server_entry a = person_entry(on), b = person_entry(on);
	struct server_entry c = person_entry(bad_on), d = person_entry(on);
	enum status sa = ST_IO, sc = ST_IO, sd = ST_IO;
	int asked = 0;
	struct commit_job ja = {
		.entry = &a, .entry_count = 1, .done = note_status, .arg = &sa
	};
	struct commit_job jb = {
		.entry = &b, .entry_count = 1, .check = say_no, .arg = &asked
	};
	struct commit_job jc = {
		.entry = &c, .entry_count = 1, .done = note_status, .arg = &sc
	};
	struct commit_job jd = {
		.entry = &d, .entry_count = 1, .done = note_status, .arg = &sd
	};
	struct committer *cm = centre_committer(ct->c);
	char words[CENTRE_ERRMSG_LEN];

	committer_submit(cm, &ja);
	committer_submit(cm, &jb);
	committer_submit(cm, &jc);
	committer_submit(cm, &jd);
	committer_run(cm);
	EXPECT(asked == 1 && jb.st == ST_DENIED);
	EXPECT(sa == ST_OK && sc == ST_INVALID && sd == ST_OK);
	EXPECT(d.place == a.place + 1);
	EXPECT(court_size(ct) == 2 + 2 + 1);
	centre_errmsg(ct->c, words);
	EXPECT(strstr(words, "person@1") != NULL);
	court_verify(ct);
}

/* Two processes on one store: each takes in what the other did. */
static void
test_committer_follows_other_processes(void **state)
{
	struct court *ct = *state;
	const struct bytes on[] = { bytes_str("id"), bytes_str("name") };
	struct court other = { .dir = ct->dir, .cfg = ct->cfg };
	struct handheld h;
	struct ingest_ack a;

	clock_port_init(&other.clock);
	other.cfg.port = &other.clock.port;
	hand_request_init(&other.rq);
	court_open(&other);
	court_handheld(ct, &h, 1);
	handheld_write(&h, 700);
	a = court_send(ct, &h, 1, 300);
	EXPECT(a.status == ACK_TAKEN);
	a = court_send(&other, &h, 301, 600); /* knows nothing of the first */
	EXPECT(a.status == ACK_GAP);
	centre_poll(other.c);
	committer_run(centre_committer(other.c));
	EXPECT(court_size(&other) == court_size(ct));
	a = court_send(&other, &h, 301, 600);
	EXPECT(a.status == ACK_TAKEN && a.seq == 600);
	for (int i = 0; i < 4; i++) {
		struct server_entry e = person_entry(on);
		struct commit_job job = { .entry = &e, .entry_count = 1 };
		struct court *who = i % 2 == 0 ? ct : &other;

		EXPECT_OK(committer_wait(centre_committer(who->c), &job));
	}
	a = court_send(ct, &h, 601, 700);
	EXPECT(a.status == ACK_TAKEN);
	court_verify(ct);
	centre_poll(other.c);
	committer_run(centre_committer(other.c));
	court_verify(&other);
	court_close(&other);
	hand_request_free(&other.rq);
	handheld_free(&h);
}

static void
see_size(void *arg, uint64_t size)
{
	uint64_t *seen = arg;

	EXPECT(size >= *seen);
	*seen = size;
}

static const char *
revoked(void *arg, const uint8_t key[PUBKEY_LEN])
{
	return memcmp(arg, key, PUBKEY_LEN) == 0 ? "revoked: seized" : NULL;
}

/* Observers that are not told, or told late; a revocation that comes between
 * the look at a request and its commit. */
static void
test_committer_observers_and_standing(void **state)
{
	struct court *ct = *state;
	struct ingest_device dev;
	struct commit_job job = { .ingest = ct->in };
	const struct ingest_ack *acks;
	struct handheld h;
	uint64_t seen = 0;
	size_t count;

	centre_observe(ct->c, see_size, &seen);
	EXPECT(seen == 2);
	court_handheld(ct, &h, 1);
	handheld_write(&h, 20);
	(void)court_send(ct, &h, 1, 10);
	EXPECT(seen == court_size(ct));
	dev = court_device(&h);
	(void)hand_piece(&ct->rq, &h, 11, 20);
	hand_sent(&ct->rq);
	hand_request_reset(&ct->rq);
	EXPECT_OK(ingest_prepare(ct->in, &dev, ct->rq.msg, ct->rq.up));
	centre_set_standing(ct->c, revoked, h.key);
	EXPECT_OK(committer_wait(centre_committer(ct->c), &job));
	acks = ingest_acks(ct->in, &count);
	EXPECT(count == 1 && acks[0].status == ACK_HELD);
	court_verify(ct);
	handheld_free(&h);
}

/* The public tree that shows what came after its hour. */
static void
test_centre_public_tree_waits_for_its_hour(void **state)
{
	struct court *ct = *state;
	const int64_t day = 24 * 60 * 60 * 1000;
	struct checkpoint cp;
	struct buf note;
	struct handheld h;
	uint64_t now, hour, size;

	buf_init(&note, NOTE_BYTES_MAX);
	court_handheld(ct, &h, 1);
	handheld_write(&h, 30);
	/* To an hour after the opening hour of the next day: 18:00 +08:00. */
	now = port_wall_ms(&ct->clock.port);
	hour = 10 * 60 * 60 * 1000;
	ct->clock.wall_shift_ms +=
	    (int64_t)(day - (int64_t)(now % (uint64_t)day) + (int64_t)hour +
		      3600000);
	EXPECT_OK(centre_public(ct->c, NULL, &cp));
	size = court_size(ct);
	EXPECT(cp.size == size);
	(void)court_send(ct, &h, 1, 10);
	EXPECT_OK(centre_public(ct->c, &note, &cp));
	EXPECT(cp.size == size);
	EXPECT_OK(checkpoint_open(&cp, buf_view(&note), centre_log_key(ct->c)));
	EXPECT(cp.size == size);
	ct->clock.wall_shift_ms += day - 2 * 3600000;
	(void)court_send(ct, &h, 11, 20);
	EXPECT_OK(centre_public(ct->c, NULL, &cp));
	EXPECT(cp.size == size);
	ct->clock.wall_shift_ms += 3600000 + 1000;
	EXPECT_OK(centre_public(ct->c, NULL, &cp));
	EXPECT(cp.size == court_size(ct));
	(void)court_send(ct, &h, 21, 30);
	EXPECT_OK(centre_public(ct->c, NULL, &cp));
	EXPECT(cp.size < court_size(ct));
	/* A clock that runs back takes nothing back, and shows nothing new. */
	size = cp.size;
	ct->clock.wall_shift_ms -= 3 * day;
	EXPECT_OK(centre_public(ct->c, NULL, &cp));
	EXPECT(cp.size == size);
	handheld_free(&h);
	buf_free(&note);
}

/* ---- threads */

enum { SENDERS = 3, READERS = 2, PIECES = 25, PIECE = 20 };

struct crowd {
	struct court *ct;
	struct handheld h[SENDERS];
	_Atomic int senders_left;
	_Atomic uint64_t proofs;
};

struct one {
	struct crowd *crowd;
	int i;
};

static void *
sender(void *arg)
{
	const struct one *me = arg;
	struct crowd *cr = me->crowd;
	struct handheld *h = &cr->h[me->i];
	struct court mine = { .c = cr->ct->c };

	hand_request_init(&mine.rq);
	EXPECT_OK(ingest_new(&mine.in, mine.c));
	for (uint64_t k = 0; k < PIECES; k++) {
		struct ingest_ack a =
		    court_send(&mine, h, k * PIECE + 1, (k + 1) * PIECE);

		EXPECT(a.status == ACK_TAKEN && a.seq == (k + 1) * PIECE);
		if (k % 8 == 3)
			EXPECT_OK(centre_alarm(mine.c, "test", h->dev, "{}"));
	}
	ingest_free(mine.in);
	hand_request_free(&mine.rq);
	cr->senders_left--;
	return NULL;
}

static void *
reader(void *arg)
{
	const struct one *me = arg;
	struct crowd *cr = me->crowd;
	struct centre *c = cr->ct->c;
	struct centre_reader *r;
	uint64_t old = 0;
	uint8_t old_root[HASH_LEN] = { 0 };

	EXPECT_OK(centre_reader_open(&r, c));
	while (cr->senders_left > 0) {
		struct checkpoint cp;
		struct centre_entry e;
		struct merkle_proof p;
		uint8_t leaf[HASH_LEN];

		EXPECT_OK(centre_checkpoint(c, NULL, &cp));
		EXPECT_OK(tlog_consistency(centre_tlog(c), old, cp.size, &p));
		EXPECT_OK(merkle_check_consistency(
		    &p, old, old_root, cp.size, cp.root));
		EXPECT_OK(centre_entry(r, cp.size / 2, &e));
		merkle_leaf(leaf, bytes_of(e.link, HASH_LEN));
		EXPECT_OK(
		    tlog_inclusion(centre_tlog(c), cp.size / 2, cp.size, &p));
		EXPECT_OK(merkle_check_inclusion(
		    &p, cp.size / 2, cp.size, leaf, cp.root));
		old = cp.size;
		memcpy(old_root, cp.root, HASH_LEN);
		cr->proofs++;
	}
	centre_reader_close(r);
	return NULL;
}

static void
test_committer_many_threads(void **state)
{
	struct court *ct = *state;
	struct crowd *cr = calloc(1, sizeof(*cr));
	pthread_t thread[SENDERS + READERS];
	struct one one[SENDERS + READERS];
	struct committer_counters n;

	EXPECT(cr != NULL);
	cr->ct = ct;
	cr->senders_left = SENDERS;
	for (int i = 0; i < SENDERS; i++) {
		court_handheld(ct, &cr->h[i], 100 + (uint64_t)i);
		handheld_write(&cr->h[i], PIECES * PIECE);
	}
	EXPECT_OK(committer_start(centre_committer(ct->c)));
	for (int i = 0; i < SENDERS + READERS; i++) {
		one[i] = (struct one){ cr, i };
		EXPECT(pthread_create(&thread[i], NULL,
			   i < SENDERS ? sender : reader, &one[i]) == 0);
	}
	for (int i = 0; i < SENDERS + READERS; i++)
		EXPECT(pthread_join(thread[i], NULL) == 0);
	committer_stop(centre_committer(ct->c));
	committer_counters(centre_committer(ct->c), &n);
	EXPECT(n.pieces == SENDERS * PIECES && n.failures == 0);
	EXPECT(n.waiting == 0 && cr->proofs > 0);
	court_verify(ct);
	for (int i = 0; i < SENDERS; i++)
		handheld_free(&cr->h[i]);
	free(cr);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_committer_server_entries_are_named),
		T(test_committer_a_refused_job_harms_no_other),
		T(test_committer_follows_other_processes),
		T(test_committer_observers_and_standing),
		T(test_centre_public_tree_waits_for_its_hour),
		T(test_committer_many_threads),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
