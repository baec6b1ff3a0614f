/*
 * Kinds, rules and parameters that two people put into the log: on both sides,
 * from the moment they are confirmed, and for acts from then on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/enc.h"
#include "server/project/project.h"
#include "server/roster/define.h"
#include "support/bureau.h"

static const char drone[] =
    "{\"kind\":\"drone@1\",\"zh\":\"无人机勘查\",\"en\":\"Drone survey\","
    "\"happened\":\"flown_at\",\"label\":[\"note\"],\"fields\":["
    "{\"path\":\"flown_at\",\"type\":\"datetime\",\"zh\":\"起飞时间\","
    "\"en\":\"Took off at\"},"
    "{\"path\":\"permit\",\"type\":\"doc_no\",\"zh\":\"许可号\","
    "\"en\":\"Permit\"},"
    "{\"path\":\"note\",\"type\":\"text\",\"zh\":\"备注\","
    "\"en\":\"Note\"}]}";
static const char drone2[] =
    "{\"kind\":\"drone@2\",\"zh\":\"无人机勘查\",\"en\":\"Drone survey\","
    "\"happened\":\"flown_at\",\"fields\":["
    "{\"path\":\"flown_at\",\"type\":\"datetime\",\"zh\":\"起飞时间\","
    "\"en\":\"Took off at\"},"
    "{\"path\":\"permit\",\"type\":\"doc_no\",\"zh\":\"许可号\","
    "\"en\":\"Permit\"}]}";
/* A second version that has lost what a rule needs. */
static const char drone3[] =
    "{\"kind\":\"drone@3\",\"zh\":\"无人机勘查\",\"en\":\"Drone survey\","
    "\"fields\":[{\"path\":\"other\",\"type\":\"text\",\"zh\":\"其他\","
    "\"en\":\"Other\"}]}";
static const char permit[] =
    "{\"laws\":{\"air\":{\"zh\":\"航空条例\",\"en\":\"Air rules\"}},"
    "\"rules\":[{\"id\":\"drone_permit\",\"version\":1,"
    "\"kinds\":[\"drone\"],\"zh\":\"许可\",\"en\":\"Permit\","
    "\"severity\":\"grave\",\"mark\":\"L\","
    "\"law\":[{\"law\":\"air\",\"article\":\"7\"}],"
    "\"must\":{\"has\":\"permit\"},"
    "\"say\":{\"zh\":\"没有许可。\",\"en\":\"No permit.\"}}]}";

struct world {
	struct bureau b;
	struct define *d;
	struct project *p;
	struct domain *dom;
	struct words why;
	uint8_t id[ID_LEN];
};

static void
person(struct world *w, const char *id, const char *role)
{
	struct roster_person p = { .team = "" };

	(void)snprintf(p.id, sizeof(p.id), "%s", id);
	(void)snprintf(p.name, sizeof(p.name), "%s", id);
	(void)snprintf(p.role, sizeof(p.role), "%s", role);
	EXPECT_OK(roster_person_put(w->b.roster, &p, "chief",
	    enrol_feed_records, feed_inside(w->b.feed)));
}

static void
begin(struct world *w)
{
	struct project_config pc = { .path = NULL, .utc_offset_min = 480 };

	memset(w, 0, sizeof(*w));
	bureau_make(&w->b);
	person(w, "root-1", "admin");
	person(w, "root-2", "security");
	person(w, "judge-1", "judge");
	EXPECT_OK(define_open(&w->d, w->b.ct.c, w->b.roster));
	EXPECT_OK(define_domain(w->d, &w->dom));
	pc.centre = w->b.ct.c;
	pc.feed = w->b.feed;
	pc.feed_reader = feed_inside(w->b.feed);
	pc.kinds = w->dom->kinds;
	pc.rules = w->dom->rules;
	EXPECT_OK(project_open(&w->p, &pc));
}

static void
end(struct world *w)
{
	project_close(w->p);
	domain_unref(w->dom);
	define_close(w->d);
	bureau_end(&w->b);
}

/* What the daemon's follower does. */
static void
follow(struct world *w)
{
	struct domain *now = NULL;
	uint64_t done = 1;

	bureau_follow(&w->b);
	EXPECT_OK(define_domain(w->d, &now));
	if (now != w->dom)
		EXPECT_OK(project_domain(w->p, now->kinds, now->rules));
	domain_unref(w->dom);
	w->dom = now;
	EXPECT_OK(project_follow(w->p, 0, &done));
}

static void
put(struct world *w, const char *name, const char *file)
{
	expect_status(
	    define_push(w->d, name, bytes_str(file), "root-1", w->id, &w->why),
	    ST_OK, w->why.en, __FILE__, __LINE__);
	expect_status(define_decide(w->d, w->id, true, "root-2", NULL, &w->why),
	    ST_OK, w->why.en, __FILE__, __LINE__);
	follow(w);
}

static void
append(struct agent *a, char rec[REC_LEN + 1], const char *kind, size_t count,
    const char *const *paths, const char *data)
{
	struct bytes on[4];
	struct agent_act act = { .kind = kind,
		.verb = DO_OPEN,
		.on = on,
		.on_count = count,
		.data = bytes_str(data) };
	struct agent_edit edit;
	uint8_t id[ID_LEN];

	for (size_t i = 0; i < count; i++)
		on[i] = bytes_str(paths[i]);
	EXPECT_OK(agent_edit_begin(a, NULL, &edit));
	expect_status(agent_append(a, &edit, &act, id), ST_OK,
	    agent_error_en(a), __FILE__, __LINE__);
	memcpy(rec, edit.rec, REC_LEN + 1);
}

/* Findings of a rule among all that a side has of the record. */
static size_t
count_of(struct bytes json, const char *rule)
{
	char mark[64];
	size_t n = 0, len;

	(void)snprintf(mark, sizeof(mark), "\"rule\":\"%s\"", rule);
	len = strlen(mark);
	for (size_t i = 0; i + len <= json.len; i++)
		n += memcmp(json.p + i, mark, len) == 0;
	return n;
}

static size_t
at_hand(struct world *w, int i, const char *rec, const char *rule)
{
	struct buf b;
	size_t n;

	buf_init(&b, 1 << 20);
	EXPECT_OK(agent_findings(w->b.hand[i].a, rec, &b));
	n = count_of(buf_view(&b), rule);
	buf_free(&b);
	return n;
}

static size_t
at_centre(struct world *w, const char *rule)
{
	struct buf b;
	size_t n;

	buf_init(&b, 1 << 20);
	EXPECT_OK(project_findings(project_inside(w->p),
	    &(struct project_finding_query){ .rule = rule }, &b));
	n = count_of(buf_view(&b), rule);
	buf_free(&b);
	return n;
}

/* Would catch: one person alone changing what is recorded and judged. */
static void
test_define_takes_two_people_with_the_right_role(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	EXPECT_ST(define_push(w.d, "drone.json", bytes_str(drone), "judge-1",
		      w.id, &w.why),
	    ST_DENIED);
	EXPECT_ST(define_push(w.d, "drone.json", bytes_str(drone), "nobody",
		      w.id, &w.why),
	    ST_DENIED);
	EXPECT_OK(define_push(
	    w.d, "drone.json", bytes_str(drone), "root-1", w.id, &w.why));
	follow(&w);
	EXPECT(kinds_find(w.dom->kinds, bytes_str("drone@1")) == NULL);
	EXPECT_ST(define_push(w.d, "again.json", bytes_str(drone), "root-2",
		      w.id, &w.why),
	    ST_CONFLICT);
	EXPECT_ST(
	    define_decide(w.d, w.id, true, "root-1", NULL, &w.why), ST_DENIED);
	EXPECT(strstr(w.why.zh, "提出人") != NULL);
	EXPECT_ST(
	    define_decide(w.d, w.id, true, "judge-1", NULL, &w.why), ST_DENIED);
	EXPECT_OK(define_decide(w.d, w.id, true, "root-2", NULL, &w.why));
	EXPECT_ST(define_decide(w.d, w.id, false, "root-2", NULL, &w.why),
	    ST_CONFLICT);
	follow(&w);
	EXPECT(kinds_find(w.dom->kinds, bytes_str("drone@1")) != NULL);
	end(&w);
}

/* Would catch: an `approve` written past the command, by the proposer, being
 * believed by whoever reads the log. */
static void
test_define_readers_take_no_proposers_word(void **state)
{
	struct world w;
	char text[2 * ID_LEN + 2] = "@";
	struct bytes name;
	struct centre_reader *r;
	struct centre_entry ce;
	struct entry p;
	struct server_entry e = { .kind = DEFS_KIND,
		.verb = DO_APPROVE,
		.on_count = 1,
		.data = bytes_str("[true]"),
		.by = "root-1" };
	struct commit_job job = { .entry = &e, .entry_count = 1 };
	struct agent *a;

	(void)state;
	begin(&w);
	a = bureau_join(&w.b, 0, "judge-1", "one");
	EXPECT_OK(define_push(
	    w.d, "drone.json", bytes_str(drone), "root-1", w.id, &w.why));
	hex_encode(text + 1, bytes_of(w.id, ID_LEN));
	name = bytes_str(text);
	e.on = &name;
	/* The record is that of the proposal. */
	EXPECT_OK(centre_reader_open(&r, w.b.ct.c));
	entry_init(&p);
	for (uint64_t i = court_size(&w.b.ct); i-- > 0 && e.rec[0] == '\0';) {
		EXPECT_OK(centre_entry(r, i, &ce));
		if (memcmp(ce.link, w.id, ID_LEN) != 0)
			continue;
		EXPECT_OK(entry_parse(&p, ce.bytes));
		memcpy(e.rec, p.rec.p, REC_LEN);
	}
	entry_free(&p);
	centre_reader_close(r);
	EXPECT(e.rec[0] != '\0');
	EXPECT_OK(committer_wait(centre_committer(w.b.ct.c), &job));
	follow(&w);
	bureau_sync(&w.b, 0);
	EXPECT(kinds_find(w.dom->kinds, bytes_str("drone@1")) == NULL);
	EXPECT(kinds_find(agent_kinds(a), bytes_str("drone@1")) == NULL);
	end(&w);
}

/* Would catch: a kind that one side does not know, or forgets. */
static void
test_define_a_kind_works_on_both_sides_and_after_a_restart(void **state)
{
	static const char *const paths[] = { "note" };
	struct world w;
	struct agent *a;
	struct buf here, there;
	char rec[REC_LEN + 1];

	(void)state;
	begin(&w);
	a = bureau_join(&w.b, 0, "judge-1", "one");
	(void)bureau_join(&w.b, 1, "judge-2", "one");
	EXPECT_OK(define_push(
	    w.d, "drone.json", bytes_str(drone), "root-1", w.id, &w.why));
	bureau_follow(&w.b);
	bureau_sync(&w.b, 0);
	EXPECT(kinds_find(agent_kinds(a), bytes_str("drone@1")) == NULL);
	EXPECT_OK(define_decide(w.d, w.id, true, "root-2", NULL, &w.why));
	follow(&w);
	bureau_sync(&w.b, 0);
	bureau_sync(&w.b, 1);
	EXPECT(kinds_find(agent_kinds(a), bytes_str("drone@1")) != NULL);
	/* From the sealed log alone. */
	w.b.cut = true;
	bureau_restart(&w.b, 0);
	a = w.b.hand[0].a;
	EXPECT(kinds_find(agent_kinds(a), bytes_str("drone@1")) != NULL);
	append(a, rec, "drone", 1, paths, "[\"低空\"]");
	w.b.cut = false;
	bureau_sync(&w.b, 0);
	follow(&w);
	bureau_sync(&w.b, 1);
	buf_init(&here, 1 << 20);
	buf_init(&there, 1 << 20);
	EXPECT_OK(bureau_state(a, rec, &here));
	EXPECT_OK(bureau_state(w.b.hand[1].a, rec, &there));
	EXPECT(bytes_eq(buf_view(&here), buf_view(&there)));
	buf_free(&here);
	buf_free(&there);
	/* An old version is read for ever; a new record takes the newest. */
	put(&w, "drone2.json", drone2);
	bureau_sync(&w.b, 0);
	EXPECT(kinds_find(agent_kinds(a), bytes_str("drone@1")) != NULL);
	EXPECT(kinds_latest(agent_kinds(a), bytes_str("drone")) ==
	       kinds_find(agent_kinds(a), bytes_str("drone@2")));
	/* Locked: nothing of the court's is known. */
	agent_lock(a);
	EXPECT(kinds_find(agent_kinds(a), bytes_str("drone@1")) == NULL);
	end(&w);
}

/* Would catch: a file that no handheld can read getting an entry, and a court
 * that loosens the law. */
static void
test_define_refuses_bad_files_before_they_are_logged(void **state)
{
	static const struct {
		const char *file, *words;
	} bad[] = {
		{ "{", "" },
		{ "{\"neither\":1}", "not a kind" },
		{ "{\"kind\":\"drone@1\",\"zh\":\"x\",\"en\":\"x\","
		  "\"feilds\":[]}",
		    "feilds" },
		{ "{\"court\":\"xz\",\"set\":{\"detention_days\":"
		  "{\"limit\":30}}}",
		    "" },
		{ "{\"court\":\"xz\",\"off\":[\"search_warrant\"]}", "" },
		{ drone3, "" },
	};
	struct world w;
	uint64_t size;

	(void)state;
	begin(&w);
	put(&w, "drone.json", drone);
	put(&w, "permit.json", permit);
	size = court_size(&w.b.ct);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_ST(define_push(w.d, "bad.json", bytes_str(bad[i].file),
			      "root-1", w.id, &w.why),
		    ST_INVALID);
		EXPECT(w.why.zh[0] != '\0' && w.why.en[0] != '\0');
		if (strstr(w.why.en, bad[i].words) == NULL)
			fail_msg("%zu: %s", i, w.why.en);
	}
	EXPECT(court_size(&w.b.ct) == size);
	end(&w);
}

/* Would catch: judging what was done yesterday by what was decided today. */
static void
test_define_a_rule_judges_acts_from_its_confirmation_on(void **state)
{
	static const char *const paths[] = { "flown_at", "note" };
	char before[REC_LEN + 1], after[REC_LEN + 1], data[96], at[40];
	struct world w;
	struct agent *a;

	(void)state;
	begin(&w);
	a = bureau_join(&w.b, 0, "judge-1", "one");
	put(&w, "drone.json", drone);
	bureau_sync(&w.b, 0);
	at_format(at, port_wall_ms(&w.b.ct.clock.port), 480);
	(void)snprintf(data, sizeof(data), "[\"%s\",\"a\"]", at);
	append(a, before, "drone", 2, paths, data);
	bureau_sync(&w.b, 0);
	w.b.ct.clock.wall_shift_ms += 60000;
	put(&w, "permit.json", permit);
	w.b.ct.clock.wall_shift_ms += 60000;
	at_format(at, port_wall_ms(&w.b.ct.clock.port), 480);
	(void)snprintf(data, sizeof(data), "[\"%s\",\"b\"]", at);
	append(a, after, "drone", 2, paths, data);
	bureau_sync(&w.b, 0);
	bureau_sync(&w.b, 0);
	follow(&w);
	EXPECT(at_hand(&w, 0, before, "drone_permit") == 0);
	EXPECT(at_hand(&w, 0, after, "drone_permit") == 1);
	EXPECT(at_centre(&w, "drone_permit") == 1);
	end(&w);
}

/* Would catch: records that came before their kind staying unjudged. */
static void
test_define_what_came_before_its_kind_is_judged_when_it_comes(void **state)
{
	static const char *const paths[] = { "note" };
	struct project *second;
	char rec[REC_LEN + 1];
	struct project_config pc = { .utc_offset_min = 480 };
	struct domain *builtin = NULL;
	struct tmpdir dir;
	char path[600];
	struct world w;
	uint64_t done = 0;
	struct agent *a;
	struct buf b;

	(void)state;
	begin(&w);
	a = bureau_join(&w.b, 0, "judge-1", "one");
	put(&w, "drone.json", drone);
	bureau_sync(&w.b, 0);
	append(a, rec, "drone", 1, paths, "[\"低空\"]");
	bureau_sync(&w.b, 0);
	follow(&w);
	/* A projection that has not heard of the kind, and starts again. */
	tmpdir_make(&dir);
	(void)snprintf(path, sizeof(path), "%s/project.db", dir.path);
	EXPECT_OK(domain_builtin(&builtin));
	pc.path = path;
	pc.centre = w.b.ct.c;
	pc.feed = w.b.feed;
	pc.feed_reader = feed_inside(w.b.feed);
	pc.kinds = builtin->kinds;
	pc.rules = builtin->rules;
	EXPECT_OK(project_open(&second, &pc));
	EXPECT_OK(project_follow(second, 0, &done));
	project_close(second);
	pc.kinds = w.dom->kinds;
	pc.rules = w.dom->rules;
	EXPECT_OK(project_open(&second, &pc));
	EXPECT_OK(project_follow(second, 0, &done));
	buf_init(&b, 1 << 20);
	EXPECT_OK(project_records(project_inside(second),
	    &(struct project_query){ .kind = "drone@1" }, &b));
	if (buf_cstr(&b) == NULL || strstr((char *)b.p, "低空") == NULL)
		fail_msg("no label: %s", (char *)b.p);
	buf_free(&b);
	project_close(second);
	domain_unref(builtin);
	tmpdir_remove(&dir);
	end(&w);
}

/* Would catch: a new version of a rule of statute that asks for less. */
static void
test_define_a_rule_of_statute_is_never_loosened(void **state)
{
	static const char head[] =
	    "{\"rules\":[{\"id\":\"detention_days\",\"version\":2,"
	    "\"kinds\":[\"detention\"],\"zh\":\"期限\",\"en\":\"Days\","
	    "\"law\":[{\"law\":\"cpl2023\",\"article\":\"118(2)\"}],"
	    "\"at\":\"days\",\"say\":{\"zh\":\"过长\",\"en\":\"Too long\"},";
	static const struct {
		const char *rest;
		enum status st;
	} cases[] = {
		/* More days. */
		{ "\"severity\":\"grave\",\"mark\":\"V\",\"params\":{\"limit\":"
		  "{\"type\":\"num\",\"value\":20,\"tighten\":\"less\"}},"
		  "\"when\":{\"has\":\"days\"},\"must\":{\"all\":[{\"num\":"
		  "[\"days\",\"<=\",\"$limit\"]},{\"num\":[\"days\",\">=\",1]}]"
		  "}"
		  "}]}",
		    ST_INVALID },
		/* The same days, and weighing less. */
		{ "\"severity\":\"notice\",\"mark\":\"V\",\"params\":{"
		  "\"limit\":"
		  "{\"type\":\"num\",\"value\":15,\"tighten\":\"less\"}},"
		  "\"when\":{\"has\":\"days\"},\"must\":{\"all\":[{\"num\":"
		  "[\"days\",\"<=\",\"$limit\"]},{\"num\":[\"days\",\">=\",1]}]"
		  "}"
		  "}]}",
		    ST_INVALID },
		/* Another condition. */
		{ "\"severity\":\"grave\",\"mark\":\"V\",\"params\":{\"limit\":"
		  "{\"type\":\"num\",\"value\":15,\"tighten\":\"less\"}},"
		  "\"when\":{\"has\":\"days\"},\"must\":{\"num\":"
		  "[\"days\",\"!=\",\"$limit\"]}}]}",
		    ST_INVALID },
		/* Fewer days: a court may. */
		{ "\"severity\":\"grave\",\"mark\":\"V\",\"params\":{\"limit\":"
		  "{\"type\":\"num\",\"value\":10,\"tighten\":\"less\"}},"
		  "\"when\":{\"has\":\"days\"},\"must\":{\"all\":[{\"num\":"
		  "[\"days\",\"<=\",\"$limit\"]},{\"num\":[\"days\",\">=\",1]}]"
		  "}"
		  "}]}",
		    ST_OK },
	};
	struct world w;
	struct buf b;

	(void)state;
	begin(&w);
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&b);
		buf_str(&b, head);
		buf_str(&b, cases[i].rest);
		expect_status(define_push(w.d, "days.json", buf_view(&b),
				  "root-1", w.id, &w.why),
		    cases[i].st, w.why.en, __FILE__, __LINE__);
	}
	buf_free(&b);
	end(&w);
}

/* Would catch: parameters of today for acts of yesterday, and two sides that
 * judge by different ones. */
static void
test_define_parameters_hold_for_acts_from_then_on(void **state)
{
	static const char *const paths[] = { "days", "taken_at" };
	static const char tight[] =
	    "{\"court\":\"xz0302\",\"set\":{\"detention_days\":"
	    "{\"limit\":10}}}";
	char before[REC_LEN + 1], after[REC_LEN + 1], data[96], at[40];
	struct world w;
	struct agent *a;

	(void)state;
	begin(&w);
	a = bureau_join(&w.b, 0, "judge-1", "one");
	at_format(at, port_wall_ms(&w.b.ct.clock.port), 480);
	(void)snprintf(data, sizeof(data), "[12,\"%s\"]", at);
	append(a, before, "detention", 2, paths, data);
	bureau_sync(&w.b, 0);
	w.b.ct.clock.wall_shift_ms += 60000;
	put(&w, "court.json", tight);
	bureau_sync(&w.b, 0);
	w.b.ct.clock.wall_shift_ms += 60000;
	at_format(at, port_wall_ms(&w.b.ct.clock.port), 480);
	(void)snprintf(data, sizeof(data), "[12,\"%s\"]", at);
	append(a, after, "detention", 2, paths, data);
	bureau_sync(&w.b, 0);
	follow(&w);
	EXPECT(at_hand(&w, 0, before, "detention_days") == 0);
	EXPECT(at_hand(&w, 0, after, "detention_days") == 1);
	EXPECT(at_centre(&w, "detention_days") == 1);
	bureau_restart(&w.b, 0);
	EXPECT(at_hand(&w, 0, before, "detention_days") == 0);
	EXPECT(at_hand(&w, 0, after, "detention_days") == 1);
	end(&w);
}

/* Would catch: a file cut wrongly where it is larger than an entry. */
static void
test_define_a_large_file_comes_in_parts(void **state)
{
	struct world w;
	struct agent *a;
	struct buf b;

	(void)state;
	begin(&w);
	a = bureau_join(&w.b, 0, "judge-1", "one");
	buf_init(&b, 1 << 20);
	buf_str(&b, "{\"kind\":\"big@1\",\"zh\":\"大\",\"en\":\"Big\","
		    "\"fields\":[");
	for (int i = 0; i < 150; i++) {
		buf_printf(&b,
		    "%s{\"path\":\"f%d\",\"type\":\"text\",\"zh\":\"字段\","
		    "\"en\":\"Field %d\",\"help_en\":\"long\","
		    "\"help_zh\":\"",
		    i == 0 ? "" : ",", i, i);
		for (int k = 0; k < 120; k++)
			buf_str(&b, "说");
		buf_str(&b, "\"}");
	}
	buf_str(&b, "]}");
	EXPECT(b.len > 2 * DEFS_PART_MAX && buf_cstr(&b) != NULL);
	put(&w, "big.json", (const char *)b.p);
	buf_free(&b);
	bureau_sync(&w.b, 0);
	EXPECT(kinds_find(agent_kinds(a), bytes_str("big@1")) != NULL);
	bureau_restart(&w.b, 0);
	EXPECT(
	    kinds_find(agent_kinds(w.b.hand[0].a), bytes_str("big@1")) != NULL);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_define_takes_two_people_with_the_right_role),
		cmocka_unit_test(test_define_readers_take_no_proposers_word),
		cmocka_unit_test(
		    test_define_a_kind_works_on_both_sides_and_after_a_restart),
		cmocka_unit_test(
		    test_define_refuses_bad_files_before_they_are_logged),
		cmocka_unit_test(
		    test_define_a_rule_judges_acts_from_its_confirmation_on),
		cmocka_unit_test(
		    test_define_what_came_before_its_kind_is_judged_when_it_comes),
		cmocka_unit_test(
		    test_define_a_rule_of_statute_is_never_loosened),
		cmocka_unit_test(
		    test_define_parameters_hold_for_acts_from_then_on),
		cmocka_unit_test(test_define_a_large_file_comes_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
