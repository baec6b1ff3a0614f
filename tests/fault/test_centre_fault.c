/*
 * The centre on a disk that fails at every place in turn, is full, or loses
 * power: nothing acknowledged is lost, nothing is half applied, and the same
 * request succeeds when it is sent again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/court.h"
#include "support/court_verify.h"
#include "support/fault_vfs.h"

enum { BEFORE = 20, ENTRIES = 60 };

/* A court whose store stands on a fault disk; its keys on a real one. */
struct trial {
	struct court ct;
	struct fault_disk *base; /* as it was before the trial */
	struct fault_disk *disk;
	struct handheld h, copy;
	struct hand_request rq2;
};

static void
court_make_on(struct court *ct, struct fault_disk *d)
{
	struct centre_init what = { .code = "xz0302", .name = "court" };
	char errmsg[CENTRE_ERRMSG_LEN] = "";

	memset(ct, 0, sizeof(*ct));
	tmpdir_make(&ct->dir);
	clock_port_init(&ct->clock);
	what.dir = ct->dir.path;
	what.port = &ct->clock.port;
	what.vfs = fault_disk_name(d);
	EXPECT_OK(centre_init(&what, &ct->keys, errmsg));
	ct->cfg.dir = ct->dir.path;
	ct->cfg.port = &ct->clock.port;
	ct->cfg.vfs = what.vfs;
	hand_request_init(&ct->rq);
	court_open(ct);
}

/* BEFORE entries are in; what is sent in a trial is a fork of their tail, so
 * that pieces, branches, holds and alarms all come into it. */
static int
setup(void **state)
{
	struct trial *t = calloc(1, sizeof(*t));
	struct fault_disk *d = fault_disk_new();

	if (t == NULL)
		return -1;
	court_make_on(&t->ct, d);
	hand_request_init(&t->rq2);
	court_handheld(&t->ct, &t->h, 1);
	handheld_write(&t->h, BEFORE - 2);
	handheld_copy(&t->copy, &t->h);
	handheld_write(&t->h, ENTRIES - BEFORE + 2);
	handheld_write(&t->copy, 10);
	EXPECT(court_send(&t->ct, &t->h, 1, BEFORE).status == ACK_TAKEN);
	court_close(&t->ct);
	t->base = fault_disk_after(d, FAULT_KEEP, 0);
	fault_disk_free(d);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct trial *t = *state;

	hand_request_free(&t->ct.rq);
	hand_request_free(&t->rq2);
	handheld_free(&t->h);
	handheld_free(&t->copy);
	tmpdir_remove(&t->ct.dir);
	fault_disk_free(t->base);
	free(t);
	return 0;
}

static void
begin(struct trial *t)
{
	t->disk = fault_disk_after(t->base, FAULT_KEEP, 0);
	t->ct.cfg.vfs = fault_disk_name(t->disk);
	court_open(&t->ct);
}

static void
end(struct trial *t)
{
	court_close(&t->ct);
	fault_disk_free(t->disk);
}

static void
done(void *arg, enum status st)
{
	enum status *out = arg;

	*out = st;
}

/* Forty entries of one branch and ten of the other, in two requests and one
 * transaction. */
static enum status
send_all(struct trial *t)
{
	struct ingest_device dev = court_device(&t->h);
	struct committer *cm = centre_committer(t->ct.c);
	enum status st, st1 = ST_CONFLICT, st2 = ST_CONFLICT;
	struct commit_job job1 = { .done = done, .arg = &st1 };
	struct commit_job job2 = { .done = done, .arg = &st2 };
	struct ingest *in2;

	(void)hand_piece(&t->ct.rq, &t->h, BEFORE - 5, ENTRIES);
	hand_sent(&t->ct.rq);
	hand_request_reset(&t->ct.rq);
	(void)hand_piece(&t->rq2, &t->copy, BEFORE - 3, t->copy.count);
	hand_sent(&t->rq2);
	hand_request_reset(&t->rq2);
	EXPECT_OK(ingest_new(&in2, t->ct.c));
	st = ingest_prepare(t->ct.in, &dev, t->ct.rq.msg, t->ct.rq.up);
	if (st == ST_OK)
		st = ingest_prepare(in2, &dev, t->rq2.msg, t->rq2.up);
	if (st == ST_OK) {
		EXPECT(ingest_ready(t->ct.in) == 1 && ingest_ready(in2) == 1);
		job1.ingest = t->ct.in;
		job2.ingest = in2;
		committer_submit(cm, &job1);
		committer_submit(cm, &job2);
		committer_run(cm);
		EXPECT(st1 == st2); /* together, or not at all */
		st = st1;
	}
	ingest_free(in2);
	return st;
}

/* All of it is there, once, and the log verifies. */
static void
all_there(struct trial *t)
{
	struct centre_chain chain;

	EXPECT_OK(centre_chain(t->ct.c, t->h.chain, &chain));
	EXPECT(chain.branches == 2 && chain.held);
	EXPECT(chain.last_seq == ENTRIES);
	court_verify(&t->ct);
}

/* Nothing of it is there: the log is as it was. */
static void
nothing_there(struct trial *t, uint64_t size)
{
	struct centre_chain chain;

	EXPECT(court_size(&t->ct) == size);
	EXPECT_OK(centre_chain(t->ct.c, t->h.chain, &chain));
	EXPECT(chain.branches == 1 && !chain.held);
	EXPECT(chain.last_seq == BEFORE);
}

static void
nth_failing(struct trial *t, unsigned ops, enum fault_kind kind, bool forever)
{
	uint64_t n = 0, size;
	bool hit = true;

	while (hit) {
		enum status st;

		EXPECT(++n < 2000);
		begin(t);
		size = court_size(&t->ct);
		fault_disk_fail(t->disk, ops, n, kind, forever);
		st = send_all(t);
		hit = fault_disk_hit(t->disk);
		fault_disk_fail(t->disk, ops, 0, kind, false);
		if (st == ST_OK) {
			all_there(t);
		} else {
			/* Told in words that mean the disk, and gone. */
			EXPECT(hit);
			EXPECT(st == ST_IO || st == ST_FULL || st == ST_NOMEM ||
			       st == ST_AGAIN || st == ST_CORRUPT);
			if (court_size(&t->ct) == size)
				nothing_there(t, size);
			/* The disk is well again: so is the service. */
			EXPECT_OK(send_all(t));
			all_there(t);
		}
		court_close(&t->ct);
		court_open(&t->ct);
		all_there(t);
		end(t);
	}
	EXPECT(n > 3);
}

static void
test_centre_fault_nth_write_fails(void **state)
{
	nth_failing(*state, FAULT_WRITES, FAULT_IOERR, false);
}

static void
test_centre_fault_disk_full_from_the_nth_write(void **state)
{
	nth_failing(*state, FAULT_WRITE, FAULT_FULL, true);
}

static void
test_centre_fault_nth_read_fails(void **state)
{
	nth_failing(*state, FAULT_READ | FAULT_OPEN, FAULT_IOERR, false);
}

/* A disk that stays full: each request is refused in words, reading goes on,
 * and when there is room again nothing was lost. */
static void
test_centre_fault_full_disk_is_told_and_survived(void **state)
{
	struct trial *t = *state;
	struct centre_reader *r;
	struct centre_entry e;
	uint64_t size;

	begin(t);
	size = court_size(&t->ct);
	fault_disk_capacity(t->disk, 0);
	for (int i = 0; i < 3; i++)
		EXPECT_ST(send_all(t), ST_FULL);
	nothing_there(t, size);
	EXPECT_OK(centre_reader_open(&r, t->ct.c));
	EXPECT_OK(centre_entry(r, size - 1, &e));
	centre_reader_close(r);
	fault_disk_capacity(t->disk, UINT64_MAX);
	EXPECT_OK(send_all(t));
	all_there(t);
	end(t);
}

/* After a cut: the log is that of before, or that of after; after, if it was
 * acknowledged. */
static void
come_back(struct trial *t, bool acked, uint64_t size)
{
	court_open(&t->ct);
	if (acked || court_size(&t->ct) > size)
		all_there(t);
	else
		nothing_there(t, size);
	court_verify(&t->ct);
	EXPECT_OK(send_all(t));
	all_there(t);
	court_close(&t->ct);
}

static void
test_centre_fault_power_cut_at_each_write(void **state)
{
	struct trial *t = *state;
	static const enum fault_after after[] = { FAULT_DROP, FAULT_KEEP,
		FAULT_RANDOM, FAULT_RANDOM };
	uint64_t n = 0;
	bool cut = true;

	while (cut) {
		EXPECT(++n < 2000);
		for (size_t k = 0; k < 4; k++) {
			enum status st;
			uint64_t size;

			begin(t);
			size = court_size(&t->ct);
			fault_disk_cut(t->disk, n);
			st = send_all(t);
			cut = fault_disk_is_cut(t->disk);
			fault_disk_cut(t->disk, 0);
			court_close(&t->ct);
			fault_disk_power(t->disk, after[k], n * 4 + k);
			come_back(t, st == ST_OK, size);
			fault_disk_free(t->disk);
		}
	}
	EXPECT(n > 3);
}

/* Making a court that fails halfway leaves no court, and nothing in the way of
 * the next try. */
static void
test_centre_fault_init_can_be_tried_again(void **state)
{
	struct fault_disk *d;
	uint64_t n = 0;
	bool hit = true;

	(void)state;
	while (hit) {
		struct centre_init what = { .code = "xz0302", .name = "c" };
		char errmsg[CENTRE_ERRMSG_LEN];
		struct court ct = { 0 };
		enum status st;

		EXPECT(++n < 2000);
		d = fault_disk_new();
		tmpdir_make(&ct.dir);
		clock_port_init(&ct.clock);
		hand_request_init(&ct.rq);
		what.dir = ct.dir.path;
		what.port = &ct.clock.port;
		what.vfs = fault_disk_name(d);
		ct.cfg = (struct centre_config){
			.dir = what.dir, .port = what.port, .vfs = what.vfs
		};
		fault_disk_fail(d, FAULT_WRITES, n, FAULT_IOERR, false);
		st = centre_init(&what, &ct.keys, errmsg);
		hit = fault_disk_hit(d);
		fault_disk_fail(d, FAULT_WRITES, 0, FAULT_IOERR, false);
		if (st != ST_OK) {
			EXPECT(hit && errmsg[0] != '\0');
			st = centre_init(&what, &ct.keys, errmsg);
			/* It failed so late that it stands all the same? */
			EXPECT(st == ST_OK || st == ST_CONFLICT);
		}
		court_open(&ct);
		EXPECT(court_size(&ct) == 2);
		court_verify(&ct);
		court_end(&ct);
		fault_disk_free(d);
	}
	EXPECT(n > 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_centre_fault_nth_write_fails),
		T(test_centre_fault_disk_full_from_the_nth_write),
		T(test_centre_fault_nth_read_fails),
		T(test_centre_fault_full_disk_is_told_and_survived),
		T(test_centre_fault_power_cut_at_each_write),
		cmocka_unit_test(test_centre_fault_init_can_be_tried_again),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
