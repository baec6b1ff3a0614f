/*
 * The network load: 100 devices on warm connections under mutual TLS send
 * pieces of 50 entries to the real daybreak-server, each the next as soon as
 * the last is acknowledged.  Every answer is checked afterwards as an agent
 * would: the log's signature, the ack, the inclusion of the piece's last link;
 * so "acknowledged" means durable and in the tree.
 *
 * Beside it in the same run, half before and half after: bare SQLite inserting
 * the same bytes in transactions of 500 on the same disk.  Requests are made,
 * signed and compressed, before the clock starts, so that the load is TLS
 * alone.  The devices have no colleagues: nothing but receipts goes down.
 *
 * Then the same devices send as many again at the rate that is asked for, and
 * no faster: how far behind are lists then?
 *
 *	bench_load [--quick] [ENTRIES [RATE]]
 *
 * The files stand below $TMPDIR: what the disk does is part of the figure.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/support/figure.h"
#include "bench/support/lag.h"
#include "bench/support/load.h"
#include "db/db.h"
#include "support/expect.h"

enum {
	BARE_ROWS = 500,
	RATE = 40000, /* entries a second */
	STEADY_SECONDS = 5
};

static struct load ld;
static size_t burst; /* turns sent as fast as they are taken */
static struct db *bare_db;
static uint64_t bare_next;

/* ---- the same bytes without us */

static void
bare_open(void)
{
	struct db_config dc = { .create = true,
		.path = tmpdir_file(&ld.centre.dir, "bare.db") };

	EXPECT_OK(db_open(&bare_db, &dc));
	EXPECT_OK(db_exec(bare_db,
	    "CREATE TABLE t(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"));
}

/* Before the load and after it, half each: both see the same disk. */
static double
bare_half(size_t from, size_t until)
{
	double begun = wall_us();
	size_t rows = 0;

	for (size_t k = from; k < until; k++) {
		for (size_t i = 0; i < ld.clients; i++) {
			const struct load_turn *t = &ld.client[i].turn[k];

			for (size_t j = 0; j < OFFICER_PIECE; j++) {
				struct db_stmt *s;

				if (rows++ % BARE_ROWS == 0)
					EXPECT_OK(db_begin(bare_db));
				EXPECT_OK(db_query(&s, bare_db,
				    "INSERT INTO t(id, bytes) VALUES(?1, ?2)"));
				db_bind_u64(s, 1, bare_next++);
				db_bind_bytes(s, 2, t->sent.entry[j].raw);
				EXPECT_OK(db_run(s));
				if (rows % BARE_ROWS == 0)
					EXPECT_OK(db_commit(bare_db));
			}
		}
	}
	if (rows % BARE_ROWS != 0)
		EXPECT_OK(db_commit(bare_db));
	return wall_us() - begun;
}

/* What was measured of the burst, and of the steady load behind it. */
struct measured {
	struct centre_cpu was, loaded, end;
	double us, own_us, lag_us, feed_lag_us, lists_us, words_us;
	double bare_us, rate, steady_us, steady_rate;
};

static void
say(const struct measured *m)
{
	double n = (double)(ld.clients * burst * OFFICER_PIECE), bytes = 0;
	const struct centre_cpu *was = &m->was, *ld_ = &m->loaded, *e = &m->end;
	double rate = n * 1e6 / m->us, bare = n * 1e6 / m->bare_us;
	double us = ld_->net - was->net + ld_->work - was->work + ld_->commit -
		    was->commit + ld_->other - was->other;

	for (size_t i = 0; i < ld.clients; i++)
		for (size_t k = 0; k < burst; k++)
			bytes += (double)ld.client[i].turn[k].sent.bytes.len;
	figure("load_entry_bytes", bytes / n, "bytes");
	figure_vs("load_ingest_rate", rate, "entries/s", bare,
	    ">= 40000, or >= 0.5 x", rate >= 40000 || rate >= 0.5 * bare);
	figure_most("load_ingest_cpu", us / n, "us/entry", 30);
	figure("load_ingest_cpu_net", (ld_->net - was->net) / n, "us/entry");
	figure("load_ingest_cpu_work", (ld_->work - was->work) / n, "us/entry");
	figure("load_ingest_cpu_commit", (ld_->commit - was->commit) / n,
	    "us/entry");
	figure("load_generator_cpu", m->own_us / n, "us/entry");
	figure("load_feed_cpu", (e->feed - was->feed) / n, "us/entry");
	figure_most("load_projection_cpu",
	    (e->feed - was->feed + e->project - was->project) / n, "us/entry",
	    150);
	figure("load_feed_lag", m->feed_lag_us / 1e6, "s");
	figure_most("load_projection_lag", m->lag_us / 1e6, "s", 1);
	figure("load_lists_after", m->lists_us / 1e6, "s");
	figure("load_words_after", m->words_us / 1e6, "s");
	figure("steady_rate", m->steady_rate, "entries/s");
	figure_most("steady_projection_lag", m->steady_us / 1e6, "s", 1);
}

static double
bare_turns(size_t from, size_t until)
{
	return from < until ? bare_half(from, until) : 0;
}

static void
measure(struct measured *m, double rate)
{
	size_t from;
	double us, ignored;

	centre_proc_cpu(&ld.centre, &m->was);
	m->bare_us = bare_turns(0, burst / 2);
	us = cpu_us();
	m->us = wall_us();
	load_run(&ld, burst, 0);
	m->us = wall_us() - m->us;
	m->own_us = cpu_us() - us;
	centre_proc_cpu(&ld.centre, &m->loaded);
	lag_wait(&m->lists_us, &m->words_us);
	centre_proc_cpu(&ld.centre, &m->end);
	m->lag_us = lag_longest_us(0, false);
	m->feed_lag_us = lag_longest_us(0, true);
	m->bare_us += bare_turns(burst / 2, burst);
	from = lag_now();
	us = wall_us();
	load_run(&ld, ld.turns, rate);
	m->steady_rate =
	    (double)((ld.turns - burst) * ld.clients * OFFICER_PIECE) * 1e6 /
	    (wall_us() - us);
	lag_wait(&ignored, &ignored);
	m->steady_us = lag_longest_us(from, false);
}

int
main(int argc, char **argv)
{
	bool quick = has_flag(argc, argv, "--quick");
	uint64_t entries = number_arg(argc, argv, 1, quick ? 400 : 200000);
	uint64_t rate = number_arg(argc, argv, 2, quick ? 1000 : RATE);
	struct tls_peer_settings s = { .ca_der = { NULL, 0 } };
	struct tls_peer_conf console_conf;
	struct http_client console;
	struct measured m = { .us = 0 };
	size_t round;

	ld.clients = quick ? 2 : LOAD_CLIENTS_MAX;
	round = ld.clients * OFFICER_PIECE;
	burst = (entries + round - 1) / round;
	ld.turns = burst + (quick ? 2 : rate * STEADY_SECONDS / round);
	load_open(&ld);
	bare_open();
	s.ca_der = buf_view(&ld.centre.ca);
	tls_peer_conf_init(&console_conf, &s);
	EXPECT(http_client_open_tls(
	    &console, ld.centre.console, &console_conf, NULL));
	lag_start(&console);
	measure(&m, (double)rate);
	lag_stop();
	http_client_close(&console);
	tls_peer_conf_free(&console_conf);
	centre_proc_stop(&ld.centre);
	load_check(&ld);
	say(&m);
	db_close(bare_db);
	load_close(&ld);
	return 0;
}
