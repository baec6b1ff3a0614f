/*
 * What a handheld costs its officer: one durable append beside bare SQLite
 * committing the same bytes on the same disk, unlock and replay of a full log,
 * memory with it unlocked; and what its syncs weigh, counted on the wire
 * between the real agent and the real daybreak-server.
 *
 *	bench_agent [--quick]
 *
 * Key derivation is apart: slots are made cheap here.  The files stand below
 * $TMPDIR: what the disk does is part of an append.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/core/agent_impl.h"
#include "agent/core/uplink_curl.h"
#include "bench/support/figure.h"
#include "bench/support/officer.h"
#include "bench/support/tap.h"
#include "base/enc.h"
#include "db/db.h"
#include "server/app/enrol.h"
#include "support/expect.h"

enum { ENTRY_MIN = 500, ENTRY_MAX = 700, BATCH = 50, RECS_MAX = 16384 };

#define PASSPHRASE "correct horse battery staple dawn"

static struct {
	struct centre_proc centre;
	struct tap *tap;
	struct uplink_curl *curl;
	struct agent *agent;
	char home[TMPDIR_MAX + 16];
	struct morning m; /* what the officer does, and how long it is */
	uint64_t refused;

	/* Records and acts as the morning names them, and as the agent does.
	 */
	struct known {
		char theirs[REC_LEN + 1];
		struct agent_edit ours;
	} rec[RECS_MAX];
	size_t recs;
	struct {
		char theirs[2 * ID_LEN + 1], ours[2 * ID_LEN + 1];
	} item[RECS_MAX];
	size_t items;
} bn;

/* ---- the day's acts, done by the agent */

static struct known *
known_record(const struct entry *e)
{
	for (size_t i = bn.recs; i-- > 0;) {
		if (bytes_eq_str(e->rec, bn.rec[i].theirs))
			return &bn.rec[i];
	}
	return NULL;
}

/* A name with the items' ids that the agent knows, into `out`; false: it
 * speaks of an act that the agent did not take. */
static bool
put_name(struct bytes name, struct buf *out)
{
	const uint8_t *at = memchr(name.p, '@', name.len);

	if (at == NULL) {
		buf_bytes(out, name);
		return true;
	}
	at++;
	for (size_t i = bn.items; i-- > 0;) {
		if (memcmp(bn.item[i].theirs, at, 2 * (size_t)ID_LEN) != 0)
			continue;
		buf_add(out, name.p, (size_t)(at - name.p));
		buf_str(out, bn.item[i].ours);
		buf_add(out, at + 2 * (size_t)ID_LEN,
		    name.len - (size_t)(at - name.p) - 2 * (size_t)ID_LEN);
		return true;
	}
	return false;
}

static void
keep_item(const uint8_t theirs[ID_LEN], const uint8_t ours[ID_LEN])
{
	EXPECT(bn.items < RECS_MAX);
	hex_encode(bn.item[bn.items].theirs, bytes_of(theirs, ID_LEN));
	hex_encode(bn.item[bn.items].ours, bytes_of(ours, ID_LEN));
	bn.items++;
}

/* The agent puts `shown` in itself. */
static void
put_more(const struct entry *e, struct buf *out)
{
	struct bytes more = { NULL, 0 };
	const char *how;

	if (e->more != 0)
		more = json_raw(&e->body, e->more);
	if (e->verb != DO_SIGN) {
		buf_bytes(out, more);
		return;
	}
	how = memmem(more.p, more.len, "\"how\"", 5);
	EXPECT(how != NULL);
	buf_u8(out, '{');
	buf_add(out, how, more.len - (size_t)((const uint8_t *)how - more.p));
}

/* Do what the morning's entry does; false if the agent will not. */
static bool
act_on(const struct entry *e, const uint8_t theirs[ID_LEN])
{
	static struct agent_edit fresh;
	struct known *k = known_record(e);
	struct bytes on[64];
	struct buf name[64], more, reason, kind;
	struct agent_act act = { .verb = e->verb,
		.on = on,
		.on_count = e->on_count,
		.data = json_raw(&e->body, e->data) };
	bool good = (k != NULL) == (e->verb != DO_OPEN) && e->on_count <= 64;
	char rec[REC_LEN + 1];
	uint8_t id[ID_LEN];

	buf_init(&more, ENTRY_BYTES_MAX);
	buf_init(&reason, ENTRY_BYTES_MAX);
	buf_init(&kind, 64);
	for (size_t i = 0; i < 64; i++)
		buf_init(&name[i], PATH_BYTES_MAX);
	for (size_t i = 0; good && i < e->on_count; i++) {
		good = put_name(e->on[i], &name[i]);
		on[i] = buf_view(&name[i]);
	}
	put_more(e, &more);
	act.more = buf_view(&more);
	if (e->reason != 0)
		json_text(&e->body, e->reason, &reason);
	act.reason = buf_view(&reason);
	if (e->verb == DO_OPEN) {
		const uint8_t *v = memchr(e->kind.p, '@', e->kind.len);

		buf_add(&kind, e->kind.p, (size_t)(v - e->kind.p));
		act.kind = buf_cstr(&kind);
		EXPECT_OK(agent_edit_begin(bn.agent, NULL, &fresh));
	} else if (good) {
		memcpy(rec, k->ours.rec, sizeof(rec));
		EXPECT_OK(agent_edit_begin(bn.agent, rec, &k->ours));
	}
	if (good)
		good = agent_append(bn.agent, k == NULL ? &fresh : &k->ours,
			   &act, id) == ST_OK;
	if (good && k == NULL) {
		EXPECT(bn.recs < RECS_MAX);
		memcpy(bn.rec[bn.recs].theirs, e->rec.p, REC_LEN);
		bn.rec[bn.recs++].ours = fresh;
	}
	if (good && e->verb == DO_ADD)
		keep_item(theirs, id);
	for (size_t i = 0; i < 64; i++)
		buf_free(&name[i]);
	buf_free(&more);
	buf_free(&reason);
	buf_free(&kind);
	return good;
}

/* One more entry on the handheld, of min … max bytes. */
static void
append_one(size_t min, size_t max)
{
	struct buf raw;
	struct entry e;
	bool done = false;

	buf_init(&raw, ENTRY_BYTES_MAX);
	entry_init(&e);
	while (!done) {
		struct morning before = bn.m;

		buf_reset(&raw);
		morning_next(&bn.m, &raw);
		EXPECT_OK(entry_parse(&e, buf_view(&raw)));
		done =
		    raw.len >= min && raw.len <= max && act_on(&e, bn.m.link);
		if (!done) {
			bn.refused += raw.len >= min && raw.len <= max;
			before.rng = bn.m.rng;
			bn.m = before;
		}
	}
	entry_free(&e);
	buf_free(&raw);
}

/* ---- joining */

static void
make_code(struct buf *out)
{
	struct centre_config cfg = { .dir = bn.centre.court_dir,
		.port = port_system(),
		.public_minute = 18 * 60,
		.public_offset_min = 480 };
	struct feed_config fc = { .path = NULL };
	char errmsg[CENTRE_ERRMSG_LEN] = "", address[32];
	struct enrol_code what = { .person = "p1",
		.name = "bench",
		.role = "judge",
		.unit = "",
		.team = "1",
		.address = address,
		.life_ms = 3600000 };
	struct roster *r;
	struct centre *c;
	struct feed *f;
	uint64_t done;

	(void)snprintf(address, sizeof(address), "127.0.0.1:%u",
	    (unsigned)bn.centre.public_port);
	EXPECT_OK(centre_open(&c, &cfg, errmsg));
	EXPECT_OK(roster_open(&r, c));
	fc.centre = c;
	fc.roster = r;
	EXPECT_OK(feed_open(&f, &fc));
	EXPECT_OK(feed_follow(f, 0, &done));
	EXPECT_OK(enrol_code_make(c, r, feed_inside(f), &what, out));
	feed_close(f);
	centre_close(c);
	roster_close(r);
}

static struct agent *
open_agent(const char *home, const struct agent_uplink *uplink)
{
	struct agent_config cfg = { .home = home,
		.port = port_system(),
		.uplink = uplink,
		.utc_offset_min = 480,
		.weak_kdf_for_tests = true };
	struct agent *a;

	EXPECT_OK(agent_open(&a, &cfg));
	return a;
}

static void
sync_once(struct agent_sync_result *r)
{
	enum status st = agent_sync(bn.agent, r);

	expect_status(st, ST_OK, agent_error_en(bn.agent), __FILE__, __LINE__);
	EXPECT(!r->alarmed);
}

/* Until there is nothing more to hear: the court's own entries come down, a
 * team's scope too. */
static void
sync_all(void)
{
	struct agent_sync_result r;

	for (int quiet = 0; quiet < 3;) {
		sync_once(&r);
		quiet = r.received == 0 && !r.more ? quiet + 1 : 0;
		(void)usleep(100000);
	}
}

static void
set_up(void)
{
	char address[32];
	struct buf code;
	uint16_t port;

	bn.tap = tap_new(&port);
	(void)snprintf(
	    address, sizeof(address), "127.0.0.1:%u", (unsigned)port);
	EXPECT(setenv("DAYBREAK_DEVICES_AT", address, 1) == 0);
	centre_proc_make(&bn.centre);
	(void)centre_proc_start(&bn.centre);
	tap_to(bn.tap, bn.centre.devices);
	EXPECT_OK(uplink_curl_new(&bn.curl));
	(void)snprintf(bn.home, sizeof(bn.home), "%s/home", bn.centre.dir.path);
	bn.agent = open_agent(bn.home, uplink_curl_of(bn.curl));
	buf_init(&code, 4096);
	make_code(&code);
	EXPECT_OK(
	    agent_enrol(bn.agent, buf_view(&code), bytes_str(PASSPHRASE)));
	buf_wipe(&code);
	if (!agent_is_unlocked(bn.agent))
		EXPECT_OK(agent_unlock(bn.agent, NULL, bytes_str(PASSPHRASE)));
	morning_init(&bn.m, 4711, MORNING_MEASURE);
	sync_all();
}

/* ---- what a sync weighs */

struct weight {
	double sum, most;
	size_t count;
};

static void
weigh(struct weight *w, double bytes)
{
	w->sum += bytes;
	w->most = bytes > w->most ? bytes : w->most;
	w->count++;
}

/* One sync on the connection that is there already. */
static void
weigh_sync(struct weight *up, struct weight *both)
{
	struct tap_counts was, is;
	struct agent_sync_result r;

	tap_counts(bn.tap, &was);
	sync_once(&r);
	tap_counts(bn.tap, &is);
	EXPECT(is.connections == was.connections);
	if (up != NULL)
		weigh(up, (double)(is.up - was.up));
	if (both != NULL)
		weigh(both, (double)(is.up - was.up + is.down - was.down));
}

static void
say_weight(
    const char *name, const char *what, const struct weight *w, double most)
{
	char label[64];

	(void)snprintf(label, sizeof(label), "agent_%s_mean", name);
	figure_most(label, w->sum / (double)w->count, what, most);
	(void)snprintf(label, sizeof(label), "agent_%s_max", name);
	figure_most(label, w->most, what, most);
}

static void
syncs(int rounds)
{
	struct weight fifty = { 0 }, one = { 0 }, none = { 0 }, up = { 0 };

	for (int i = 0; i < rounds; i++) {
		for (int k = 0; k < BATCH; k++)
			append_one(ENTRY_MIN, ENTRY_MAX);
		weigh_sync(&fifty, NULL);
		sync_all(); /* the scope's own entries come down */
		append_one(ENTRY_MIN, ENTRY_MAX);
		weigh_sync(&one, NULL);
		sync_all();
		weigh_sync(&up, &none);
	}
	say_weight("sync_50_up", "bytes", &fifty, 5500);
	say_weight("sync_1_up", "bytes", &one, 500);
	say_weight("sync_0_both", "bytes", &none, 600);
	figure("agent_sync_0_up", up.sum / (double)up.count, "bytes");
}

/* ---- an append */

static void
open_log(struct log **out, const uint8_t court_id[HASH_LEN])
{
	struct log_config c = { .path = tmpdir_file(&bn.centre.dir, "log.db"),
		.port = port_system(),
		.kdf = { .mem_kib = 64, .passes = 1, .weak_for_tests = true },
		.no_reserve = true };

	EXPECT_OK(
	    log_create(out, &c, bytes_str("officer"), bytes_str(PASSPHRASE)));
	EXPECT_OK(log_chain_new(*out, court_id));
}

static void
bare_append(struct db *d, uint64_t n, struct bytes raw)
{
	struct db_stmt *s;

	EXPECT_OK(db_query(&s, d, "INSERT INTO t(id, bytes) VALUES(?1, ?2)"));
	db_bind_u64(s, 1, n);
	db_bind_bytes(s, 2, raw);
	EXPECT_OK(db_run(s)); /* a transaction of its own */
}

/* Ours and bare in turn, so that both see the same disk; medians. */
static void
appends(size_t count)
{
	struct db_config dc = { .create = true };
	double *ours = calloc(count, sizeof(*ours));
	double *bare = calloc(count, sizeof(*bare));
	double *cpu = calloc(count, sizeof(*cpu));
	double *whole = calloc(count, sizeof(*whole)), us, base;
	struct log *l;
	struct buf raw;
	struct db *d;

	EXPECT(ours != NULL && bare != NULL && whole != NULL && cpu != NULL);
	open_log(&l, bn.centre.court_id);
	dc.path = tmpdir_file(&bn.centre.dir, "append.db");
	EXPECT_OK(db_open(&d, &dc));
	EXPECT_OK(db_exec(
	    d, "CREATE TABLE t(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"));
	buf_init(&raw, ENTRY_BYTES_MAX);
	for (size_t i = 0; i < count; i++) {
		struct morning before = bn.m;
		uint8_t link[HASH_LEN];
		double from;

		buf_reset(&raw);
		morning_next(&bn.m, &raw);
		bn.m = before;
		bn.m.rng++;
		from = wall_us();
		bare_append(d, i, buf_view(&raw));
		bare[i] = wall_us() - from;
		from = wall_us();
		cpu[i] = thread_us();
		EXPECT_OK(log_append(l, i + 1, buf_view(&raw), link));
		cpu[i] = thread_us() - cpu[i];
		ours[i] = wall_us() - from;
		from = wall_us();
		append_one(0, ENTRY_BYTES_MAX);
		whole[i] = wall_us() - from;
	}
	us = median(ours, count);
	base = median(bare, count);
	figure_vs("agent_append", us, "us", base, "<= 1.3 x, or + 100 us",
	    us <= 1.3 * base || us <= base + 100);
	figure("agent_append_cpu", median(cpu, count), "us");
	figure_vs("agent_append_checked_and_shown", median(whole, count), "us",
	    base, NULL, false);
	buf_free(&raw);
	db_close(d);
	log_close(l);
	free(ours);
	free(bare);
	free(whole);
	free(cpu);
}

/* ---- unlock */

/* Fill up to `count` entries, several in one transaction: an officer would
 * take a year. */
static void
fill(uint64_t count)
{
	struct log_head h;

	EXPECT_OK(log_head(bn.agent->log, &h));
	for (uint64_t n = h.seq; n < count;) {
		EXPECT_OK(log_batch_begin(bn.agent->log));
		for (int k = 0; k < 500 && n < count; k++, n++)
			append_one(0, ENTRY_BYTES_MAX);
		EXPECT_OK(log_batch_commit(bn.agent->log));
	}
}

/* How often this thread gave the processor away by itself: waiting for a disk
 * or a lock, not for other programs. */
static double
waited(void)
{
	struct rusage ru;

	EXPECT(getrusage(RUSAGE_THREAD, &ru) == 0);
	return (double)ru.ru_nvcsw;
}

/* In a process of its own, which has done nothing else. */
static int
unlock_main(const char *home, uint64_t count, int rounds)
{
	struct agent *a = open_agent(home, NULL);
	double wall[16], cpu[16], waits[16];
	char name[64];
	uint64_t before;
	struct log_head h;

	before = resident_bytes();
	for (int i = 0; i < rounds; i++) {
		agent_lock(a);
		wall[i] = wall_us();
		waits[i] = waited();
		cpu[i] = thread_us();
		EXPECT_OK(agent_unlock(a, NULL, bytes_str(PASSPHRASE)));
		cpu[i] = (thread_us() - cpu[i]) / 1000;
		waits[i] = waited() - waits[i];
		wall[i] = (wall_us() - wall[i]) / 1000;
		if (i > 0)
			continue;
		EXPECT_OK(log_head(a->log, &h));
		EXPECT(h.seq == count);
		figure_most("agent_memory_unlocked",
		    (double)resident_bytes() / 1048576, "MiB", 48);
		figure("agent_memory_locked", (double)before / 1048576, "MiB");
	}
	(void)snprintf(
	    name, sizeof(name), "agent_unlock_%llu", (unsigned long long)count);
	figure_most(name, median(wall, (size_t)rounds), "ms", 300);
	(void)snprintf(name, sizeof(name), "agent_unlock_%llu_cpu",
	    (unsigned long long)count);
	figure(name, median(cpu, (size_t)rounds), "ms");
	(void)snprintf(name, sizeof(name), "agent_unlock_%llu_waits",
	    (unsigned long long)count);
	figure(name, median(waits, (size_t)rounds), "times");
	agent_close(a);
	return 0;
}

static void
unlocks(char *self, uint64_t count, int rounds)
{
	char n[32], r[32];
	pid_t pid;
	int how;

	(void)snprintf(n, sizeof(n), "%llu", (unsigned long long)count);
	(void)snprintf(r, sizeof(r), "%d", rounds);
	(void)fflush(stdout);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0) {
		(void)execl(
		    self, self, "--unlock", bn.home, n, r, (char *)NULL);
		_exit(127);
	}
	EXPECT(waitpid(pid, &how, 0) == pid);
	EXPECT(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

int
main(int argc, char **argv)
{
	bool quick = has_flag(argc, argv, "--quick");
	uint64_t count = quick ? 300 : 10000;

	if (argc == 5 && strcmp(argv[1], "--unlock") == 0)
		return unlock_main(argv[2], strtoull(argv[3], NULL, 10),
		    (int)strtol(argv[4], NULL, 10));
	set_up();
	syncs(quick ? 1 : 20);
	appends(quick ? 10 : 300);
	fill(count);
	agent_close(bn.agent);
	uplink_curl_free(bn.curl);
	centre_proc_stop(&bn.centre);
	tap_free(bn.tap);
	unlocks(argv[0], count, quick ? 1 : 7);
	if (bn.refused > 0)
		(void)fprintf(stderr, "%llu acts did not suit their kind\n",
		    (unsigned long long)bn.refused);
	centre_proc_remove(&bn.centre);
	return 0;
}
