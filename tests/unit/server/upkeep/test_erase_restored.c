/*
 * An order to erase that was given after the backup: the log that knew it is
 * gone, the backup has the body, and it must not come back and stay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/core/agent_impl.h"
#include "base/enc.h"
#include "server/core/centre_inner.h"
#include "server/core/restore.h"
#include "server/upkeep/erase_order.h"
#include "support/bureau.h"
#include "support/court_audit.h"
#include "support/court_verify.h"

enum { HANDS = 3 };
static const char secret[] = "320302199001011234";

struct world {
	struct bureau b;
	char rec[REC_LEN + 1];
	/* Before the backup, and after it. */
	uint8_t target[2][ID_LEN];
	uint8_t order[ID_LEN];
	char backup[300], dir[300];
};

static void
person(struct world *w, const char *id)
{
	struct roster_person p = { .role = "supervisor" };

	(void)snprintf(p.id, sizeof(p.id), "%s", id);
	(void)snprintf(p.name, sizeof(p.name), "%s", id);
	EXPECT_OK(roster_person_put(w->b.roster, &p, "chief",
	    enrol_feed_records, feed_inside(w->b.feed)));
}

static void
set_field(struct world *w, const char *path, uint8_t id[ID_LEN])
{
	char json[64];
	struct bytes on = bytes_str(path);
	struct agent_act act = { .verb = DO_SET, .on = &on, .on_count = 1 };
	struct agent_edit edit;

	(void)snprintf(json, sizeof(json), "[\"%s\"]", secret);
	act.data = bytes_str(json);
	EXPECT_OK(agent_edit_begin(w->b.hand[0].a, w->rec, &edit));
	EXPECT_OK(agent_append(w->b.hand[0].a, &edit, &act, id));
}

static void
sync_all(struct world *w)
{
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < HANDS; i++)
			bureau_sync(&w->b, i);
}

static void
erase(struct world *w)
{
	struct erase_desk d = { .centre = w->b.ct.c,
		.roster = w->b.roster,
		.reader = w->b.reader,
		.feed = feed_inside(w->b.feed) };
	struct erase_wish wish = { .rec = w->rec,
		.id = (const uint8_t(*)[ID_LEN])w->target,
		.count = 2,
		.ground = "错录他人信息",
		.law = "个人信息保护法第四十七条",
		.by = "sup-1" };
	struct words why;

	EXPECT_OK(erase_propose(&d, &wish, w->order, &why));
	EXPECT_OK(erase_decide(&d, w->order, true, "sup-2", NULL, &why));
	bureau_follow(&w->b);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct store_reader *r;

	if (w == NULL)
		return -1;
	bureau_make(&w->b);
	person(w, "sup-1");
	person(w, "sup-2");
	for (int i = 0; i < HANDS; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "judge-%d", i);
		/* The last is of another team: it hears of orders alone. */
		(void)bureau_join(&w->b, i, id, i < 2 ? "one" : "two");
	}
	bureau_record(w->b.hand[0].a, "search", "target", "[\"现金\"]", w->rec);
	set_field(w, "debtor/name", w->target[0]);
	sync_all(w);
	(void)snprintf(
	    w->backup, sizeof(w->backup), "%s/backup.db", w->b.ct.dir.path);
	(void)snprintf(w->dir, sizeof(w->dir), "%s/new", w->b.ct.dir.path);
	EXPECT_OK(store_reader_open(&r, centre_store(w->b.ct.c)));
	EXPECT_OK(store_backup(r, w->backup));
	store_reader_close(r);
	set_field(w, "narrative", w->target[1]);
	sync_all(w);
	erase(w);
	/* Hands 1 and 2 hear of it; the author does not. */
	for (int k = 0; k < 2; k++) {
		bureau_sync(&w->b, 1);
		bureau_sync(&w->b, 2);
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

static void
restore_as(struct world *w, bool stolen)
{
	struct restore_given g = { .dir = w->dir,
		.from = w->backup,
		.keys = w->b.ct.cfg.dir,
		.root_secret = w->b.ct.keys.root_secret,
		.port = w->b.ct.cfg.port,
		.stolen = stolen,
		.even_living = true };
	struct restore_done done;
	char why[CENTRE_ERRMSG_LEN] = "";

	bureau_close(&w->b);
	expect_status(
	    centre_restore(&done, &g, why), ST_OK, why, __FILE__, __LINE__);
	w->b.ct.cfg.dir = w->dir;
	court_open(&w->b.ct);
	bureau_open(&w->b);
}

static void
restore(struct world *w)
{
	restore_as(w, false);
}

/* ---- looking */

static bool
holds(struct bytes in)
{
	return in.len > 0 &&
	       memmem(in.p, in.len, secret, sizeof(secret) - 1) != NULL;
}

/* How many bodies with the secret the centre has. */
static size_t
bodies(struct world *w)
{
	struct centre_entry ce;
	size_t n = 0;

	for (uint64_t p = 0; p < court_size(&w->b.ct); p++) {
		EXPECT_OK(centre_entry(w->b.reader, p, &ce));
		n += (ce.flags & STORE_SERVER) == 0 && holds(ce.bytes);
	}
	return n;
}

static bool
file_holds(const char *dir, const char *name)
{
	char path[400];
	struct buf b;
	bool yes;
	enum status st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	buf_init(&b, 64 << 20);
	st = port_read_file(port_system(), path, &b);
	EXPECT(st == ST_OK || st == ST_ABSENT);
	yes = holds(buf_view(&b));
	buf_free(&b);
	return yes;
}

static bool
hand_holds(struct world *w, int i)
{
	struct buf b;
	bool yes;

	buf_init(&b, 1 << 20);
	EXPECT((bureau_state(w->b.hand[i].a, w->rec, &b) == ST_OK) == (i < 2));
	yes = holds(buf_view(&b));
	buf_free(&b);
	return yes;
}

static size_t
words(struct world *w, enum verb verb)
{
	struct centre_entry ce;
	struct entry e;
	size_t n = 0;

	entry_init(&e);
	for (uint64_t p = 0; p < court_size(&w->b.ct); p++) {
		EXPECT_OK(centre_entry(w->b.reader, p, &ce));
		if ((ce.flags & STORE_SERVER) != 0 &&
		    entry_parse(&e, ce.bytes) == ST_OK)
			n += bytes_eq_str(e.kind, ERASE_KIND) && e.verb == verb;
	}
	entry_free(&e);
	return n;
}

static enum status
count_alarm(void *arg, const struct store_alarm *a)
{
	*(size_t *)arg += bytes_eq_str(a->sort, "erase_returned");
	return ST_OK;
}

static size_t
alarms(struct world *w)
{
	struct store_reader *r;
	size_t n = 0;

	EXPECT_OK(store_reader_open(&r, centre_store(w->b.ct.c)));
	EXPECT_OK(store_alarms(r, 0, count_alarm, &n));
	store_reader_close(r);
	return n;
}

static void
audit(struct world *w)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/store.db", w->dir);
	EXPECT(court_audit_file(&w->b.ct, path, w->b.ct.cfg.vfs) == 0);
}

/* Ordered once, gone on all sides, and an auditor finds no fault. */
static void
gone(struct world *w)
{
	EXPECT(words(w, DO_OPEN) == 1 && words(w, DO_APPROVE) == 1);
	EXPECT(alarms(w) == 1);
	EXPECT(bodies(w) == 0);
	EXPECT(!file_holds(w->dir, "store.db"));
	EXPECT(!file_holds(w->dir, "store.db-wal"));
	for (int i = 0; i < HANDS; i++)
		EXPECT(!hand_holds(w, i));
	court_verify(&w->b.ct);
	audit(w);
}

/* A word's signature in what a handheld kept as proof is another one. */
static void
spoil(struct world *w, int hand, enum verb verb)
{
	struct log *log = w->b.hand[hand].a->log;
	struct centre_entry ce;
	struct entry e;
	size_t spoilt = 0;

	entry_init(&e);
	for (uint64_t p = 0; p < court_size(&w->b.ct); p++) {
		EXPECT_OK(centre_entry(w->b.reader, p, &ce));
		if ((ce.flags & STORE_SERVER) == 0 ||
		    entry_parse(&e, ce.bytes) != ST_OK ||
		    !bytes_eq_str(e.kind, ERASE_KIND) || e.verb != verb)
			continue;
		for (unsigned n = 0; n < 200; n++) {
			char name[32];
			uint8_t *at;
			struct buf b;

			buf_init(&b, LOG_CONF_MAX);
			(void)snprintf(name, sizeof(name), "part/%u", n);
			at = log_conf_get(log, name, &b) != ST_OK
				 ? NULL
				 : memmem(b.p, b.len, ce.link, HASH_LEN);
			if (at != NULL) {
				EXPECT(at[HASH_LEN] == 1);
				at[HASH_LEN + 9] ^= 1;
				EXPECT_OK(
				    log_conf_put(log, name, buf_view(&b)));
				spoilt++;
			}
			buf_free(&b);
		}
	}
	entry_free(&e);
	EXPECT(spoilt == 1);
}

/* ---- */

/* Would catch a body that the backup brings back, and one that a handheld which
 * never heard of the order delivers once more. */
static void
test_an_order_comes_back_before_the_entry(void **state)
{
	struct world *w = *state;

	restore(w);
	EXPECT(bodies(w) == 1);
	bureau_sync(&w->b, 1);
	EXPECT(words(w, DO_APPROVE) == 1 && bodies(w) == 0);
	sync_all(w);
	gone(w);
	/* Nobody's hand-in says it again, nor does a restart forget it. */
	sync_all(w);
	gone(w);
}

/* Would catch the order finding only what the backup had. */
static void
test_an_order_comes_back_behind_the_entry(void **state)
{
	struct world *w = *state;

	restore(w);
	for (int k = 0; k < 2; k++)
		bureau_sync(&w->b, 0);
	EXPECT(bodies(w) == 2);
	sync_all(w);
	gone(w);
}

static void
awaited(struct world *w, bool restart)
{
	restore(w);
	bureau_sync(&w->b, 2);
	EXPECT(words(w, DO_APPROVE) == 1 && bodies(w) == 0);
	if (restart) {
		bureau_close(&w->b);
		court_open(&w->b.ct);
		bureau_open(&w->b);
	}
	/* The author brings it whole. */
	bureau_sync(&w->b, 0);
	EXPECT(bodies(w) == 0);
	sync_all(w);
	gone(w);
}

/* Would catch an entry that comes only after its order, and stays. */
static void
test_a_body_goes_as_it_comes(void **state)
{
	awaited(*state, false);
}

/* Would catch what is awaited being forgotten with the process. */
static void
test_what_is_awaited_outlives_a_restart(void **state)
{
	awaited(*state, true);
}

/* Would catch bodies destroyed on the word of whoever can bring a line: not
 * signed by the old centre's chain, it is evidence and no more.  The same word
 * from another hand, signed, is carried out. */
static void
test_an_order_counts_only_by_the_old_centres_signature(void **state)
{
	struct world *w = *state;

	spoil(w, 1, DO_OPEN);
	restore(w);
	for (int k = 0; k < 3; k++)
		bureau_sync(&w->b, 1);
	bureau_sync(&w->b, 0);
	bureau_sync(&w->b, 0);
	EXPECT(words(w, DO_OPEN) == 0 && words(w, DO_APPROVE) == 0);
	EXPECT(bodies(w) > 0 && alarms(w) == 0);
	court_verify(&w->b.ct);
	sync_all(w); /* hand 2 has both as they were */
	gone(w);
}

/* Would catch one person's proposal being enough. */
static void
test_a_proposal_alone_erases_nothing(void **state)
{
	struct world *w = *state;

	spoil(w, 1, DO_APPROVE);
	spoil(w, 2, DO_APPROVE);
	restore(w);
	sync_all(w);
	EXPECT(words(w, DO_OPEN) == 0 && bodies(w) == 2);
	court_verify(&w->b.ct);
	audit(w);
}

/* Would catch whoever stole the old server destroying evidence with its keys:
 * then its words are there to be read, and people order again. */
static void
test_an_order_of_a_stolen_server_erases_nothing(void **state)
{
	struct world *w = *state;

	restore_as(w, true);
	sync_all(w);
	EXPECT(words(w, DO_OPEN) == 0 && bodies(w) == 2);
	EXPECT(alarms(w) == 0);
	court_verify(&w->b.ct);
	audit(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_an_order_comes_back_before_the_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_an_order_comes_back_behind_the_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_body_goes_as_it_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_what_is_awaited_outlives_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_an_order_counts_only_by_the_old_centres_signature,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_an_order_of_a_stolen_server_erases_nothing, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_proposal_alone_erases_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
