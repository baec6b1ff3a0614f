/*
 * The daemon puts records into a team's scope while another process, with its
 * own handle on the store, moves people and so closes that scope.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/bureau.h"
#include "support/court_audit.h"

struct world {
	struct bureau b;
	char rec[REC_LEN + 1]; /* written while the other was at it */

	/* The other process. */
	struct centre *c;
	struct roster *r;
	struct feed *f;
	void (*meanwhile)(struct world *w); /* once, as it reads its records */
};

static void
other_follow(struct world *w)
{
	uint64_t done = 1;

	while (done > 0)
		EXPECT_OK(feed_follow(w->f, 0, &done));
}

static struct world *
begin(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct feed_config fc = { .path = NULL };
	char errmsg[CENTRE_ERRMSG_LEN] = "";

	EXPECT(w != NULL);
	bureau_make(&w->b);
	(void)bureau_join(&w->b, 0, "p001", "jia");
	bureau_record(w->b.hand[0].a, "search", "target", "[\"a\"]", w->rec);
	bureau_sync(&w->b, 0);
	expect_status(centre_open(&w->c, &w->b.ct.cfg, errmsg), ST_OK, errmsg,
	    __FILE__, __LINE__);
	EXPECT_OK(roster_open(&w->r, w->c));
	fc.centre = w->c;
	fc.roster = w->r;
	EXPECT_OK(feed_open(&w->f, &fc));
	other_follow(w);
	return w;
}

static void
end(struct world *w)
{
	feed_close(w->f);
	centre_close(w->c);
	roster_close(w->r);
	court_audit(&w->b.ct);
	bureau_end(&w->b);
	free(w);
}

static void
write_record(struct world *w)
{
	bureau_record(w->b.hand[0].a, "search", "target", "[\"b\"]", w->rec);
	bureau_sync(&w->b, 0);
}

static enum status
records(void *arg, const uint8_t scope[ID_LEN], roster_rec_fn fn, void *fn_arg)
{
	struct world *w = arg;
	enum status st =
	    enrol_feed_records(feed_inside(w->f), scope, fn, fn_arg);

	if (w->meanwhile != NULL) {
		w->meanwhile(w);
		w->meanwhile = NULL;
	}
	return st;
}

/* In the other process. */
static enum status
move(struct world *w, const char *person, const char *team)
{
	struct roster_person p = { .role = "judge" };

	(void)snprintf(p.id, sizeof(p.id), "%s", person);
	(void)snprintf(p.name, sizeof(p.name), "%s", person);
	(void)snprintf(p.team, sizeof(p.team), "%s", team);
	return roster_person_put(w->r, &p, "chief", records, w);
}

struct sought {
	const char *rec;
	size_t times, all;
};

static enum status
seek(void *arg, const char *rec)
{
	struct sought *s = arg;

	s->all++;
	s->times += strcmp(rec, s->rec) == 0;
	return ST_OK;
}

static struct sought
find(struct feed *f, const char *scope, const char *rec)
{
	struct sought s = { .rec = rec };
	uint8_t id[ID_LEN];

	EXPECT_OK(roster_scope_id(id, scope));
	EXPECT_OK(feed_records_of(feed_inside(f), id, seek, &s));
	return s;
}

/* Would catch an `in` on a scope that was closed since the roster was last
 * looked at: nobody would ever be sent the record. */
static void
test_a_record_does_not_join_a_scope_that_another_process_closed(void **state)
{
	struct world *w = begin();
	char old[REC_LEN + 1], now[REC_LEN + 1];

	(void)state;
	EXPECT_OK(roster_team_scope(w->b.roster, "jia", old));
	w->b.still = true;
	write_record(w);
	EXPECT_OK(move(w, "p002", "jia"));
	w->b.still = false;
	bureau_follow(&w->b);
	EXPECT_OK(roster_team_scope(w->b.roster, "jia", now));
	EXPECT(strcmp(old, now) != 0);
	EXPECT(find(w->b.feed, old, w->rec).times == 0);
	EXPECT(find(w->b.feed, now, w->rec).times == 1);
	EXPECT(find(w->b.feed, now, w->rec).all == 2);
	end(w);
}

/* Would catch a scope that is closed with the records that were in it a moment
 * ago: the one that joined since would be in no open scope. */
static void
test_a_scope_is_not_closed_without_what_joined_it_meanwhile(void **state)
{
	struct world *w = begin();
	char now[REC_LEN + 1];

	(void)state;
	w->meanwhile = write_record;
	EXPECT_ST(move(w, "p002", "jia"), ST_CONFLICT);
	other_follow(w);
	EXPECT_OK(move(w, "p002", "jia"));
	other_follow(w);
	EXPECT_OK(roster_team_scope(w->r, "jia", now));
	EXPECT(find(w->f, now, w->rec).times == 1);
	EXPECT(find(w->f, now, w->rec).all == 2);
	end(w);
}

static void
move_p003(struct world *w)
{
	bureau_move(&w->b, "p003", "jia");
}

static bool
is_in(struct world *w, const char *person, const char *scope)
{
	uint8_t in[ROSTER_SCOPES_MAX][ID_LEN], id[ID_LEN];
	size_t count;

	EXPECT_OK(roster_scope_id(id, scope));
	EXPECT_OK(roster_scopes_of(w->r, person, in, &count));
	return count == 1 && memcmp(in[0], id, ID_LEN) == 0;
}

/* Would catch two who change one team at a time: the later scope would lack
 * whom the earlier one took in. */
static void
test_two_who_change_a_team_at_once_both_have_their_way(void **state)
{
	struct world *w = begin();
	char now[REC_LEN + 1];

	(void)state;
	w->meanwhile = move_p003;
	EXPECT_ST(move(w, "p002", "jia"), ST_CONFLICT);
	other_follow(w);
	EXPECT_OK(move(w, "p002", "jia"));
	EXPECT_OK(roster_team_scope(w->r, "jia", now));
	EXPECT(is_in(w, "p001", now) && is_in(w, "p002", now));
	EXPECT(is_in(w, "p003", now));
	end(w);
}

static void
found_yi(struct world *w)
{
	bureau_move(&w->b, "p003", "yi");
}

/* Would catch a team that two people found at a time, each with a scope. */
static void
test_two_who_found_a_team_at_once_found_one(void **state)
{
	struct world *w = begin();
	char now[REC_LEN + 1];

	(void)state;
	w->meanwhile = found_yi;
	EXPECT_ST(move(w, "p001", "yi"), ST_CONFLICT);
	other_follow(w);
	EXPECT_OK(move(w, "p001", "yi"));
	EXPECT_OK(roster_team_scope(w->r, "yi", now));
	EXPECT(is_in(w, "p001", now) && is_in(w, "p003", now));
	end(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_a_record_does_not_join_a_scope_that_another_process_closed),
		cmocka_unit_test(
		    test_a_scope_is_not_closed_without_what_joined_it_meanwhile),
		cmocka_unit_test(
		    test_two_who_change_a_team_at_once_both_have_their_way),
		cmocka_unit_test(test_two_who_found_a_team_at_once_found_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
