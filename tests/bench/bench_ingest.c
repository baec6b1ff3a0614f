/*
 * What the centre's heart does a second, without the network: decoded requests
 * of 50 entries from 100 devices → verified → durable and in the tree, against
 * bare SQLite inserting the same bytes in transactions of 500 in the same run.
 *
 *	bench_ingest [ENTRIES [PRELOADED]]
 *
 * With PRELOADED entries (2,000,000 in the issue) already in the store the same
 * is measured once more, against itself on an empty one.  The files stand
 * below $TMPDIR: what the disk does is part of the figure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "db/db.h"
#include "support/court.h"

enum { DEVICES = 100, PIECE = 50, TEXT = 190, BARE_ROWS = 500 };

struct load {
	struct court ct;
	struct handheld h[DEVICES];
	struct hand_request rq[DEVICES];
	struct ingest *in[DEVICES];
	struct db *bare;
	uint64_t bare_next;
};

struct cost {
	double wall_s, cpu_s;
	uint64_t entries, bytes;
};

static struct load ld;

static double
wall_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
cpu_now(void)
{
	struct rusage r;

	(void)getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void
cost_begin(struct cost *c)
{
	c->wall_s -= wall_now();
	c->cpu_s -= cpu_now();
}

static void
cost_end(struct cost *c)
{
	c->wall_s += wall_now();
	c->cpu_s += cpu_now();
}

static void
open_load(void)
{
	struct db_config dc = { .create = true };

	court_make(&ld.ct);
	for (size_t i = 0; i < DEVICES; i++) {
		court_handheld(&ld.ct, &ld.h[i], 1000 + i);
		ld.h[i].text_len = TEXT;
		hand_request_init(&ld.rq[i]);
		EXPECT_OK(ingest_new(&ld.in[i], ld.ct.c));
	}
	dc.path = tmpdir_file(&ld.ct.dir, "bare.db");
	EXPECT_OK(db_open(&ld.bare, &dc));
	EXPECT_OK(db_exec(ld.bare,
	    "CREATE TABLE t(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"));
	ld.bare_next = 0;
}

static void
close_load(void)
{
	for (size_t i = 0; i < DEVICES; i++) {
		ingest_free(ld.in[i]);
		hand_request_free(&ld.rq[i]);
		handheld_free(&ld.h[i]);
	}
	db_close(ld.bare);
	court_end(&ld.ct);
}

/* The next piece of each device, written and decoded: not measured. */
static void
write_round(void)
{
	for (size_t i = 0; i < DEVICES; i++) {
		struct handheld *h = &ld.h[i];

		handheld_write(h, PIECE);
		(void)hand_piece(&ld.rq[i], h, h->count - PIECE + 1, h->count);
		hand_sent(&ld.rq[i]);
		hand_request_reset(&ld.rq[i]);
	}
}

/* `at_once` requests in each transaction. */
static void
ingest_round(size_t at_once, struct cost *prepare, struct cost *commit)
{
	static struct commit_job job[DEVICES];
	struct committer *cm = centre_committer(ld.ct.c);

	for (size_t from = 0; from < DEVICES; from += at_once) {
		cost_begin(prepare);
		for (size_t i = from; i < from + at_once; i++) {
			struct ingest_device dev = court_device(&ld.h[i]);

			EXPECT_OK(ingest_prepare(
			    ld.in[i], &dev, ld.rq[i].msg, ld.rq[i].up));
			EXPECT(ingest_ready(ld.in[i]) == 1);
		}
		cost_end(prepare);
		cost_begin(commit);
		for (size_t i = from; i < from + at_once; i++) {
			job[i] = (struct commit_job){ .ingest = ld.in[i] };
			committer_submit(cm, &job[i]);
		}
		committer_run(cm);
		cost_end(commit);
		for (size_t i = from; i < from + at_once; i++) {
			size_t n;
			const struct ingest_ack *a = ingest_acks(ld.in[i], &n);

			EXPECT(n == 1 && a[0].status == ACK_TAKEN);
			EXPECT(a[0].seq == ld.h[i].count);
		}
	}
	prepare->entries += DEVICES * PIECE;
	commit->entries += DEVICES * PIECE;
}

static void
bare_round(struct cost *c)
{
	size_t rows = 0;

	cost_begin(c);
	for (size_t i = 0; i < DEVICES; i++)
		for (size_t k = 0; k < PIECE; k++) {
			const struct handheld *h = &ld.h[i];
			struct bytes raw = h->entry[h->count - PIECE + k].raw;
			struct db_stmt *s;

			if (rows % BARE_ROWS == 0)
				EXPECT_OK(db_begin(ld.bare));
			EXPECT_OK(db_query(&s, ld.bare,
			    "INSERT INTO t(id, bytes) VALUES(?1, ?2)"));
			db_bind_u64(s, 1, ld.bare_next++);
			db_bind_bytes(s, 2, raw);
			EXPECT_OK(db_run(s));
			c->bytes += raw.len;
			if (++rows % BARE_ROWS == 0)
				EXPECT_OK(db_commit(ld.bare));
		}
	cost_end(c);
	c->entries += rows;
}

/* Only links and counts are wanted of what was sent. */
static void
forget_bytes(void)
{
	for (size_t i = 0; i < DEVICES; i++) {
		struct handheld *h = &ld.h[i];

		for (size_t k = h->count - PIECE; k < h->count; k++) {
			free((void *)(uintptr_t)h->entry[k].raw.p);
			h->entry[k].raw = bytes_of(NULL, 0);
		}
	}
}

static void
figure(const char *name, double value, const char *unit, double baseline,
    double target, bool met)
{
	printf("{\"name\":\"%s\",\"value\":%.2f,\"unit\":\"%s\","
	       "\"baseline\":%.2f,\"ratio\":%.3f,\"target\":%.2f,"
	       "\"met\":%s}\n",
	    name, value, unit, baseline, baseline > 0 ? value / baseline : 0.0,
	    target, met ? "true" : "false");
	(void)fflush(stdout);
}

/* Measure `entries` entries with `at_once` requests a transaction; gives
 * entries a second from decoded to durable. */
static double
measure(const char *name, uint64_t entries, size_t at_once)
{
	struct cost prepare = { 0 }, commit = { 0 }, bare = { 0 };
	double rate, base, us;
	char label[96];

	while (commit.entries < entries) {
		write_round();
		ingest_round(at_once, &prepare, &commit);
		bare_round(&bare);
		forget_bytes();
	}
	rate = (double)commit.entries / (prepare.wall_s + commit.wall_s);
	base = (double)bare.entries / bare.wall_s;
	us = (prepare.cpu_s + commit.cpu_s) * 1e6 / (double)commit.entries;
	(void)snprintf(label, sizeof(label), "%s_rate", name);
	figure(label, rate, "entries/s", base, 0.5 * base,
	    rate >= 40000 || rate >= 0.5 * base);
	(void)snprintf(label, sizeof(label), "%s_cpu", name);
	figure(label, us, "us/entry", bare.cpu_s * 1e6 / (double)bare.entries,
	    15.0, us <= 15.0);
	(void)snprintf(label, sizeof(label), "%s_prepare_cpu", name);
	figure(label, prepare.cpu_s * 1e6 / (double)prepare.entries, "us/entry",
	    0, 0, true);
	(void)snprintf(label, sizeof(label), "%s_commit_cpu", name);
	figure(label, commit.cpu_s * 1e6 / (double)commit.entries, "us/entry",
	    0, 0, true);
	fprintf(stderr, "%s: %.0f bytes an entry\n", name,
	    (double)bare.bytes / (double)bare.entries);
	return rate;
}

static void
preload(uint64_t entries)
{
	struct cost a = { 0 }, b = { 0 };

	while (b.entries < entries) {
		write_round();
		ingest_round(DEVICES, &a, &b);
		forget_bytes();
		if (b.entries % 200000 == 0)
			fprintf(stderr, "preloaded %llu\n",
			    (unsigned long long)b.entries);
	}
}

int
main(int argc, char **argv)
{
	uint64_t entries = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
	uint64_t before = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	double empty, full;

	open_load();
	empty = measure("ingest_core", entries, 10);
	(void)measure("ingest_core_large", entries, DEVICES);
	if (before > 0) {
		preload(before);
		full = measure("ingest_core_full", entries, 10);
		figure("ingest_core_full_vs_empty", full, "entries/s", empty,
		    0.8 * empty, full >= 0.8 * empty);
	}
	close_load();
	return 0;
}
