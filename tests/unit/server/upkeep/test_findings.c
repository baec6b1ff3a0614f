/*
 * What becomes of a finding: answered in the field, closed by somebody else at
 * the centre, overdue, gone: on both sides the same, and none disappears.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "defs/defs.h"
#include "entry/json.h"
#include "server/project/project.h"
#include "server/upkeep/finding_word.h"
#include "support/bureau.h"

static const char rule[] = "search_warrant_no";

struct world {
	struct bureau b;
	struct domain *dom;
	struct centre_reader *reader;
	struct fold *fold;
	struct project *p;
	struct words why;
	char rec[REC_LEN + 1], key[600];
	uint8_t id[ID_LEN];
};

static void
person(struct world *w, const char *id, const char *role)
{
	struct roster_person p = { .team = "" };

	if (strncmp(id, "judge", 5) == 0)
		(void)snprintf(p.team, sizeof(p.team), "one");
	(void)snprintf(p.id, sizeof(p.id), "%s", id);
	(void)snprintf(p.name, sizeof(p.name), "%s", id);
	(void)snprintf(p.role, sizeof(p.role), "%s", role);
	EXPECT_OK(roster_person_put(w->b.roster, &p, "chief",
	    enrol_feed_records, feed_inside(w->b.feed)));
}

/* The finding of that rule among a record's; its life's state, "" if none. */
static void
read_life(struct bytes list, const char *of, const char *member, char *out,
    size_t cap, char key[600])
{
	struct json j;

	out[0] = '\0';
	json_init(&j);
	EXPECT_OK(json_parse(&j, list, JSON_DOCUMENT));
	for (uint32_t n = 1; n < j.node[0].next; n = j.node[n].next) {
		uint32_t f = json_get_typed(&j, n, "finding", JSON_OBJECT);
		uint32_t life;
		char name[64] = "";

		(void)json_member_text(&j, f, "rule", name, sizeof(name));
		if (strcmp(name, of) != 0)
			continue;
		life = json_get_typed(&j, f, "life", JSON_OBJECT);
		(void)json_member_text(&j, life, member, out, cap);
		if (key != NULL)
			(void)json_member_text(&j, f, "key", key, 600);
	}
	json_free(&j);
}

static void
at_hand(struct world *w, int i, const char *of, const char *member, char *out,
    size_t cap)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	EXPECT_OK(agent_findings(w->b.hand[i].a, w->rec, &b));
	read_life(buf_view(&b), of, member, out, cap, NULL);
	buf_free(&b);
}

static void
follow(struct world *w)
{
	uint64_t done = 1;

	bureau_follow(&w->b);
	EXPECT_OK(project_follow(w->p, 0, &done));
}

static void
begin(struct world *w)
{
	struct fold_config fc = { .utc_offset_min = 480 };
	struct project_config pc = { .utc_offset_min = 480 };
	char state[32];
	struct buf b;

	memset(w, 0, sizeof(*w));
	bureau_make(&w->b);
	person(w, "sup-1", "supervisor");
	EXPECT_OK(domain_builtin(&w->dom));
	EXPECT_OK(centre_reader_open(&w->reader, w->b.ct.c));
	fc.kinds = pc.kinds = w->dom->kinds;
	fc.rules = pc.rules = w->dom->rules;
	fc.reader = w->reader;
	fc.feed = feed_inside(w->b.feed);
	EXPECT_OK(fold_new(&w->fold, &fc));
	pc.centre = w->b.ct.c;
	pc.feed = w->b.feed;
	pc.feed_reader = feed_inside(w->b.feed);
	EXPECT_OK(project_open(&w->p, &pc));
	(void)bureau_join(&w->b, 0, "judge-1", "one");
	(void)bureau_join(&w->b, 1, "judge-2", "one");
	bureau_record(w->b.hand[0].a, "search", "target", "[\"现金\"]", w->rec);
	bureau_sync(&w->b, 0);
	bureau_sync(&w->b, 0);
	bureau_sync(&w->b, 1);
	follow(w);
	buf_init(&b, 1 << 20);
	EXPECT_OK(agent_findings(w->b.hand[0].a, w->rec, &b));
	read_life(buf_view(&b), rule, "state", state, sizeof(state), w->key);
	buf_free(&b);
	EXPECT(strcmp(state, "open") == 0);
}

static void
end(struct world *w)
{
	project_close(w->p);
	fold_free(w->fold);
	centre_reader_close(w->reader);
	domain_unref(w->dom);
	bureau_end(&w->b);
}

/* Both sides' findings of the record, to the byte. */
static void
expect_same(struct world *w, int hand)
{
	struct buf here, there;
	const struct lives *l;

	bureau_sync(&w->b, hand);
	bureau_sync(&w->b, hand);
	follow(w);
	buf_init(&here, 1 << 20);
	buf_init(&there, 1 << 20);
	EXPECT_OK(agent_findings(w->b.hand[hand].a, w->rec, &here));
	EXPECT_OK(
	    fold_load(w->fold, w->rec, port_wall_ms(&w->b.ct.clock.port)));
	l = fold_lives(w->fold);
	buf_u8(&there, '[');
	for (size_t i = 0; i < l->count; i++) {
		buf_str(&there, i == 0 ? "{\"finding\":" : ",{\"finding\":");
		finding_json_life(
		    &l->list[i], fold_state(w->fold), 480, &there);
		buf_printf(&there, ",\"kind\":\"\",\"rec\":\"%s\"}", w->rec);
	}
	buf_u8(&there, ']');
	EXPECT_BYTES(buf_view(&here), buf_view(&there));
	buf_free(&here);
	buf_free(&there);
}

static void
expect_state(struct world *w, const char *of, const char *want)
{
	char state[32];

	expect_same(w, 0);
	expect_same(w, 1);
	at_hand(w, 0, of, "state", state, sizeof(state));
	if (strcmp(state, want) != 0)
		fail_msg("%s is %s and not %s", of, state, want);
}

static enum status
note(struct world *w, int hand, const char *text, const char *what)
{
	struct bytes on = bytes_str("");
	struct agent_act act = { .verb = DO_NOTE, .on = &on, .on_count = 1 };
	struct agent_edit edit;
	char data[200], more[800];
	enum status st;

	(void)snprintf(data, sizeof(data), "[\"%s\"]", text);
	if (what == NULL)
		(void)snprintf(
		    more, sizeof(more), "{\"finding\":\"%s\"}", w->key);
	else
		(void)snprintf(more, sizeof(more),
		    "{\"do\":\"%s\",\"finding\":\"%s\"}", what, w->key);
	act.data = bytes_str(data);
	act.more = bytes_str(more);
	st = agent_edit_begin(w->b.hand[hand].a, w->rec, &edit);
	return st == ST_OK ? agent_append(w->b.hand[hand].a, &edit, &act, w->id)
			   : st;
}

static enum status
say(struct world *w, const char *what, const char *to, const char *by)
{
	struct finding_word word = { .rec = w->rec,
		.key = w->key,
		.what = what,
		.to = to,
		.text = "已核实",
		.by = by };
	enum status st =
	    finding_say(w->b.ct.c, w->b.roster, w->fold, &word, w->id, &w->why);

	follow(w);
	return st;
}

static size_t
listed(struct world *w, const struct project_finding_query *q)
{
	static const char mark[] = "\"finding\":{";
	struct buf b;
	size_t n = 0;

	buf_init(&b, 1 << 20);
	EXPECT_OK(project_findings(project_inside(w->p), q, &b));
	for (size_t i = 0; i + sizeof(mark) - 1 <= b.len; i++)
		n += memcmp(b.p + i, mark, sizeof(mark) - 1) == 0;
	buf_free(&b);
	return n;
}

#define LISTED(w, ...)                                                         \
	listed((w), &(struct project_finding_query){ __VA_ARGS__ })

/* Would catch: an answer or a closing that one side alone knows of. */
static void
test_findings_are_answered_in_the_field_and_closed_at_the_centre(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	EXPECT_OK(note(&w, 0, "搜查令后补", NULL));
	expect_state(&w, rule, "answered");
	EXPECT_OK(say(&w, "close", NULL, "sup-1"));
	expect_state(&w, rule, "closed");
	bureau_restart(&w.b, 0);
	expect_state(&w, rule, "closed");
	EXPECT(LISTED(&w, .rule = rule, .state = "closed") == 1);
	EXPECT(LISTED(&w, .rule = rule, .state = "open") == 0);
	/* Still there: a closed finding is a finding. */
	EXPECT(LISTED(&w, .rule = rule) == 1);
	EXPECT_OK(say(&w, "reopen", NULL, "sup-1"));
	expect_state(&w, rule, "open");
	end(&w);
}

/* Would catch: whoever was found against closing it, by whatever way. */
static void
test_findings_are_not_closed_by_who_was_found_against(void **state)
{
	char data[800], out[32];
	struct bytes on = bytes_str("");
	struct world w;
	struct server_entry e = { .kind = "search@1",
		.verb = DO_NOTE,
		.on = &on,
		.on_count = 1,
		.data = bytes_str("[\"无事\"]"),
		.by = "judge-1" };
	struct commit_job job = { .entry = &e, .entry_count = 1 };

	(void)state;
	begin(&w);
	/* At the centre: refused, with words. */
	person(&w, "judge-1", "supervisor");
	EXPECT_ST(say(&w, "close", NULL, "judge-1"), ST_DENIED);
	EXPECT(strstr(w.why.zh, "他人") != NULL);
	EXPECT_ST(say(&w, "close", NULL, "judge-2"), ST_DENIED);
	/* In the field: written down, of no effect, and found. */
	EXPECT_OK(note(&w, 0, "无事", "close"));
	expect_state(&w, rule, "open");
	at_hand(&w, 0, "finding_closed", "state", out, sizeof(out));
	EXPECT(strcmp(out, "open") == 0);
	/* Past the command, on the court's own chain: the same. */
	(void)snprintf(
	    data, sizeof(data), "{\"do\":\"close\",\"finding\":\"%s\"}", w.key);
	e.more = bytes_str(data);
	memcpy(e.rec, w.rec, sizeof(e.rec));
	EXPECT_OK(committer_wait(centre_committer(w.b.ct.c), &job));
	follow(&w);
	expect_state(&w, rule, "open");
	EXPECT(LISTED(&w, .rule = "finding_closed") == 2);
	end(&w);
}

/* Would catch: a finding that is gone without a trace of what was said. */
static void
test_findings_that_end_stay_with_their_record(void **state)
{
	struct bytes on = bytes_str("warrant/no");
	struct agent_act act = { .verb = DO_SET,
		.on = &on,
		.on_count = 1,
		.data = bytes_str("[\"（2026）苏0302搜1号\"]") };
	struct agent_edit edit;
	struct world w;

	(void)state;
	begin(&w);
	EXPECT_OK(note(&w, 0, "漏填", NULL));
	bureau_sync(&w.b, 0);
	EXPECT_OK(agent_edit_begin(w.b.hand[0].a, w.rec, &edit));
	EXPECT_OK(agent_append(w.b.hand[0].a, &edit, &act, w.id));
	expect_state(&w, rule, "gone");
	EXPECT(LISTED(&w, .rule = rule) == 0);
	EXPECT(LISTED(&w, .rule = rule, .state = "gone") == 1);
	EXPECT_ST(say(&w, "close", NULL, "sup-1"), ST_ABSENT);
	end(&w);
}

/* Would catch: an owner, or a due date, that nobody can ask for. */
static void
test_findings_have_an_owner_and_fall_due(void **state)
{
	char out[64];
	struct world w;
	uint64_t now;

	(void)state;
	begin(&w);
	now = port_wall_ms(&w.b.ct.clock.port);
	at_hand(&w, 0, rule, "owner", out, sizeof(out));
	EXPECT(strcmp(out, "judge-1") == 0);
	EXPECT(LISTED(&w, .rule = rule, .owner = "judge-1") == 1);
	EXPECT(LISTED(&w, .rule = rule, .due_ms = now + 86400000) == 0);
	EXPECT(LISTED(&w, .rule = rule, .due_ms = now + 5 * 86400000ull) == 1);
	EXPECT_ST(say(&w, "assign", "nobody", "sup-1"), ST_ABSENT);
	EXPECT_OK(say(&w, "assign", "judge-2", "sup-1"));
	expect_state(&w, rule, "open");
	at_hand(&w, 1, rule, "owner", out, sizeof(out));
	EXPECT(strcmp(out, "judge-2") == 0);
	EXPECT(LISTED(&w, .rule = rule, .owner = "judge-1") == 0);
	/* Four days on, and seven: it weighs more and more. */
	for (uint32_t level = 1; level <= 2; level++) {
		const struct lives *l;

		w.b.ct.clock.wall_shift_ms += 86400000ll * (level == 1 ? 4 : 3);
		follow(&w);
		EXPECT_OK(
		    fold_load(w.fold, w.rec, port_wall_ms(&w.b.ct.clock.port)));
		l = fold_lives(w.fold);
		for (size_t i = 0; i < l->count; i++)
			if (bytes_eq_str(l->list[i].key, w.key))
				EXPECT(l->list[i].f->late == level);
	}
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_findings_are_answered_in_the_field_and_closed_at_the_centre),
		cmocka_unit_test(
		    test_findings_are_not_closed_by_who_was_found_against),
		cmocka_unit_test(test_findings_that_end_stay_with_their_record),
		cmocka_unit_test(test_findings_have_an_owner_and_fall_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
