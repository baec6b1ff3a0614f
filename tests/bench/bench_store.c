/*
 * A store that has grown: ingest into an empty one and into one of 2,000,000
 * entries, without the network; the server's start on it, first with all that
 * follows the log made anew, then from cold files; the audit of all of it.
 *
 *	bench_store [--quick] [ENTRIES]
 *
 * Ingest stands beside bare SQLite inserting the same bytes in transactions of
 * 500.  The files stand below $TMPDIR: what the disk does is part of it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/support/figure.h"
#include "bench/support/inside.h"
#include "db/db.h"
#include "support/expect.h"

enum { BARE_ROWS = 500, AT_ONCE = 10 };

static struct inside in;
static struct db *bare;
static uint64_t bare_next;

static void
bare_open(void)
{
	struct db_config dc = { .create = true,
		.path = tmpdir_file(&in.proc.dir, "bare.db") };

	EXPECT_OK(db_open(&bare, &dc));
	EXPECT_OK(db_exec(bare,
	    "CREATE TABLE t(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"));
}

/* The bytes of the last round. */
static double
bare_round(void)
{
	double from = wall_us();

	for (size_t i = 0; i < in.officers; i++) {
		for (size_t k = 0; k < OFFICER_PIECE; k++) {
			struct db_stmt *s;

			if (bare_next % BARE_ROWS == 0)
				EXPECT_OK(db_begin(bare));
			EXPECT_OK(db_query(&s, bare,
			    "INSERT INTO t(id, bytes) VALUES(?1, ?2)"));
			db_bind_u64(s, 1, bare_next++);
			db_bind_bytes(s, 2, in.piece[i].entry[k].raw);
			EXPECT_OK(db_run(s));
			if (bare_next % BARE_ROWS == 0)
				EXPECT_OK(db_commit(bare));
		}
	}
	return wall_us() - from;
}

/* Entries a second, from decoded to durable and in the tree. */
static double
measure(const char *name, uint64_t entries, double *cpu)
{
	struct inside_cost prepare = { 0 }, commit = { 0 };
	double bare_us = 0, n, rate, base;
	uint64_t begun = in.entries;
	char label[64];

	while (in.entries < begun + entries) {
		inside_round(&in, AT_ONCE, &prepare, &commit);
		bare_us += bare_round();
	}
	n = (double)(in.entries - begun);
	rate = n * 1e6 / (prepare.wall + commit.wall);
	base = n * 1e6 / bare_us;
	*cpu = (prepare.cpu + commit.cpu) / n;
	(void)snprintf(label, sizeof(label), "%s_rate", name);
	figure_vs(label, rate, "entries/s", base, ">= 40000, or >= 0.5 x",
	    rate >= 40000 || rate >= 0.5 * base);
	(void)snprintf(label, sizeof(label), "%s_cpu_prepare", name);
	figure(label, prepare.cpu / n, "us/entry");
	(void)snprintf(label, sizeof(label), "%s_cpu_commit", name);
	figure(label, commit.cpu / n, "us/entry");
	return rate;
}

static void
starts(void)
{
	char label[64];
	double us;

	us = centre_proc_start(&in.proc);
	(void)snprintf(label, sizeof(label), "store_first_start_%llu",
	    (unsigned long long)in.entries);
	figure(label, us / 1e6, "s");
	centre_proc_stop(&in.proc);
	centre_proc_cool(&in.proc);
	us = centre_proc_start(&in.proc);
	(void)snprintf(label, sizeof(label), "store_cold_start_%llu",
	    (unsigned long long)in.entries);
	figure(label, us / 1e6, "s");
	centre_proc_stop(&in.proc);
	us = centre_proc_start(&in.proc);
	(void)snprintf(label, sizeof(label), "store_warm_start_%llu",
	    (unsigned long long)in.entries);
	figure(label, us / 1e6, "s");
	centre_proc_stop(&in.proc);
}

static void
audit(void)
{
	char path[sizeof(in.proc.bin) + 32];
	struct buf vkey;
	struct rusage ru;
	double cpu;
	pid_t pid;
	int how;

	buf_init(&vkey, 1024);
	note_key_format(&in.proc.log, &vkey);
	EXPECT(buf_cstr(&vkey) != NULL);
	(void)snprintf(path, sizeof(path), "%s/daybreak-audit", in.proc.bin);
	(void)fflush(stdout);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		(void)execl(path, path, "store", in.proc.court_dir, "--key",
		    (const char *)vkey.p, (char *)NULL);
		_exit(127);
	}
	EXPECT(wait4(pid, &how, 0, &ru) == pid);
	/* Whole, and nothing from outside to anchor it by. */
	EXPECT(WIFEXITED(how) && WEXITSTATUS(how) == 1);
	cpu = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	      (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
	figure_least(
	    "store_audit", (double)in.entries / cpu, "entries/s a core", 80000);
	buf_free(&vkey);
}

int
main(int argc, char **argv)
{
	bool quick = has_flag(argc, argv, "--quick");
	uint64_t before = number_arg(argc, argv, 1, quick ? 500 : 2000000);
	uint64_t some = quick ? 250 : 100000, said = 0;
	double empty, full, empty_cpu, full_cpu;

	inside_open(&in, quick ? 5 : INSIDE_OFFICERS_MAX);
	bare_open();
	empty = measure("store_ingest_empty", some, &empty_cpu);
	while (in.entries < before) {
		inside_round(&in, in.officers, NULL, NULL);
		if (in.entries / 250000 > said) {
			said = in.entries / 250000;
			(void)fprintf(stderr, "%llu entries in the store\n",
			    (unsigned long long)in.entries);
		}
	}
	full = measure("store_ingest_full", some, &full_cpu);
	figure_vs("store_ingest_full_vs_empty", full, "entries/s", empty,
	    ">= 0.8 x", full >= 0.8 * empty);
	figure_vs("store_ingest_full_vs_empty_cpu", full_cpu, "us/entry",
	    empty_cpu, NULL, false);
	db_close(bare);
	inside_stop(&in);
	starts();
	audit();
	inside_close(&in);
	return 0;
}
