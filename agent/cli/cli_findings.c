/* cli_findings: findings, timers and alarms as people read them. */
#include <stdio.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "base/port.h"
#include "domain/when.h"
#include "entry/entry.h"
#include "entry/json.h"

/* Text of a string member, "" where it is absent. */
static void
put_member(FILE *f, const struct json *j, uint32_t n, const char *name)
{
	uint32_t v = json_get_typed(j, n, name, JSON_STRING);
	struct buf b;

	if (v == 0)
		return;
	buf_init(&b, DOC_BYTES_MAX);
	json_text(j, v, &b);
	if (b.err == ST_OK && b.len > 0)
		(void)fwrite(b.p, 1, b.len, f);
	buf_free(&b);
}

static const struct {
	const char *word, *zh;
} severities[] = { { "notice", "提示" }, { "due", "待办" },
	{ "warning", "警告" }, { "grave", "严重" } };

static void
put_article(FILE *f, const struct json *j, uint32_t n)
{
	char text[512];

	if (json_member_text(j, n, "article", text, sizeof(text)) &&
	    text[0] != '\0')
		(void)fprintf(f, " %s", text);
}

/* "2026-11-27T23:59:59.999+08:00" to the minute, and whether it is past. */
static void
put_due(FILE *f, const char *due, bool en)
{
	int64_t ms = 0;
	int zone = 0;
	bool past = at_parse(&ms, &zone, bytes_str(due)) == ST_OK &&
		    ms < (int64_t)port_wall_ms(port_system());

	if (en)
		(void)fputs(past ? " (was due " : " (due ", f);
	else
		(void)fputs(past ? "（已过期限 was due " : "（限期 due ", f);
	(void)fprintf(f, "%.10s", due);
	if (strlen(due) > 16)
		(void)fprintf(f, " %.5s", due + 11);
	(void)fputs(en ? ")" : "）", f);
}

/* By which it is answered, and how it stands. */
static void
put_life(FILE *f, const struct json *j, uint32_t n, bool en)
{
	static const char *const states[][2] = { { "open", "待说明" },
		{ "answered", "已说明" }, { "closed", "已了结" },
		{ "gone", "已不存在" } };
	uint32_t life = json_get_typed(j, n, "life", JSON_OBJECT);
	char word[32] = "", due[64];

	if (life == 0)
		return;
	(void)fputs("    [", f);
	put_member(f, j, n, "key");
	(void)fputs("] ", f);
	(void)json_member_text(j, life, "state", word, sizeof(word));
	for (size_t i = 0; !en && i < 4; i++) {
		if (strcmp(states[i][0], word) == 0)
			(void)fprintf(f, "%s ", states[i][1]);
	}
	(void)fputs(word, f);
	if (strcmp(word, "open") == 0 &&
	    json_member_text(j, life, "due", due, sizeof(due)))
		put_due(f, due, en);
	(void)fputc('\n', f);
}

/* 还剩 2小时 2 h left; 已超 …: of the object around a finding. */
static void
put_left(FILE *f, const struct json *j, uint32_t around, bool en)
{
	uint32_t n = json_get_typed(j, around, "left_ms", JSON_INT);
	uint32_t finding = json_get(j, around, "finding");
	char zh[48], text[48];
	int64_t ms;

	if (n == 0)
		return;
	ms = j->node[n].num;
	ms_show(zh, ms < 0 ? -ms : ms, true);
	ms_show(text, ms < 0 ? -ms : ms, false);
	(void)fputs("    ", f);
	if (!en)
		(void)fprintf(f, ms < 0 ? "已超 %s  " : "还剩 %s  ", zh);
	(void)fprintf(f, ms < 0 ? "overdue by %s" : "%s left", text);
	if (json_bool(j, finding, "clock", false))
		(void)fputs(
		    en ? "  (time in doubt)" : "  时间存疑 time in doubt", f);
	(void)fputc('\n', f);
}

static void
put_finding(FILE *f, const struct json *j, uint32_t n, bool en)
{
	uint32_t law = json_get_typed(j, n, "law", JSON_OBJECT);
	char word[32];

	/* Gone: only what was said of it is left. */
	if (law == 0) {
		put_life(f, j, n, en);
		return;
	}

	(void)json_member_text(j, n, "severity", word, sizeof(word));
	(void)fputs("! ", f);
	for (size_t i = 0; !en && i < 4; i++) {
		if (strcmp(severities[i].word, word) == 0)
			(void)fprintf(f, "%s ", severities[i].zh);
	}
	(void)fprintf(f, "%s  ", word);
	if (!en) {
		put_member(f, j, n, "zh");
		(void)fputs("（", f);
		put_member(f, j, law, "zh");
		put_article(f, j, n);
		(void)fputs("）\n    ", f);
	}
	put_member(f, j, n, "en");
	(void)fputs(" (", f);
	put_member(f, j, law, "en");
	put_article(f, j, n);
	(void)fputs(")\n", f);
	put_life(f, j, n, en);
}

void
cli_put_findings(FILE *f, struct bytes json, bool en)
{
	struct json j;

	json_init(&j);
	if (json_parse(&j, json, JSON_DOCUMENT) == ST_OK &&
	    j.node[0].type == JSON_ARRAY) {
		for (uint32_t i = json_first(&j, 0); i != json_end(&j, 0);
		     i = j.node[i].next) {
			put_finding(f, &j, json_get(&j, i, "finding"), en);
			put_left(f, &j, i, en);
		}
	}
	json_free(&j);
}

/* A moment as written, to the minute: "2026-11-24 05:10". */
static void
put_minute(FILE *f, const struct json *j, uint32_t n, const char *name)
{
	char at[40];

	(void)json_member_text(j, n, name, at, sizeof(at));
	if (strlen(at) >= 16) {
		at[10] = ' ';
		at[16] = '\0';
	}
	(void)fputs(at, f);
}

static void
put_one_ended(FILE *f, const struct json *j, uint32_t n, bool en)
{
	uint32_t finding = json_get(j, n, "finding");
	uint32_t ended = json_get_typed(j, n, "ended", JSON_OBJECT);

	if (finding == 0) {
		(void)fputs(
		    en ? "not looked at from " : "此后未查 not looked at from ",
		    f);
		put_minute(f, j, n, "unread");
		(void)fputc('\n', f);
		return;
	}
	(void)fputs("- ", f);
	put_member(f, j, finding, en ? "en" : "zh");
	(void)fputs("\n    [", f);
	put_member(f, j, finding, "key");
	(void)fputs(en ? "] stood at " : "] 曾存续 stood at ", f);
	put_minute(f, j, n, "stood");
	if (ended != 0) {
		(void)fputs(en ? ", ended " : "，消除 ended ", f);
		put_minute(f, j, ended, "at");
		(void)fputs(en ? " by " : "，记录人 by ", f);
		put_member(f, j, ended, "by");
	}
	(void)fputc('\n', f);
}

void
cli_put_ended(FILE *f, struct bytes json, bool en)
{
	struct json j;

	json_init(&j);
	if (json_parse(&j, json, JSON_DOCUMENT) == ST_OK &&
	    j.node[0].type == JSON_ARRAY) {
		for (uint32_t i = json_first(&j, 0); i != json_end(&j, 0);
		     i = j.node[i].next)
			put_one_ended(f, &j, i, en);
	}
	json_free(&j);
}

/* The finding of the same key in the other list; 0: none. */
static uint32_t
same_finding(const struct json *in, const struct json *j, uint32_t finding)
{
	struct bytes key = json_raw(j, json_get(j, finding, "key"));

	for (uint32_t i = json_first(in, 0);
	     in->count > 0 && in->node[0].type == JSON_ARRAY &&
	     i != json_end(in, 0);
	     i = in->node[i].next) {
		uint32_t f = json_get(in, i, "finding");

		/* One that is gone has no severity any more. */
		if (json_get(in, f, "severity") == 0)
			continue;
		if (bytes_eq(json_raw(in, json_get(in, f, "key")), key))
			return f;
	}
	return 0;
}

static bool
says_the_same(
    const struct json *a, uint32_t x, const struct json *b, uint32_t y)
{
	static const char *const names[] = { "severity", "stage", "doubt" };

	for (size_t i = 0; i < 3; i++) {
		if (!bytes_eq(json_raw(a, json_get(a, x, names[i])),
			json_raw(b, json_get(b, y, names[i]))))
			return false;
	}
	return true;
}

void
cli_put_changes(FILE *f, struct bytes before, struct bytes after, bool en)
{
	struct json was, now;
	unsigned stand = 0;

	json_init(&was);
	json_init(&now);
	if (before.len == 0)
		before = bytes_str("[]");
	if (json_parse(&was, before, JSON_DOCUMENT) != ST_OK ||
	    json_parse(&now, after, JSON_DOCUMENT) != ST_OK)
		goto out;
	for (uint32_t i = json_first(&now, 0); i != json_end(&now, 0);
	     i = now.node[i].next) {
		uint32_t n = json_get(&now, i, "finding");
		uint32_t old = same_finding(&was, &now, n);

		if (json_get(&now, n, "severity") == 0)
			continue;
		if (old != 0 && says_the_same(&was, old, &now, n)) {
			stand++;
			continue;
		}
		put_finding(f, &now, n, en);
		put_left(f, &now, i, en);
	}
	for (uint32_t i = json_first(&was, 0); i != json_end(&was, 0);
	     i = was.node[i].next) {
		uint32_t n = json_get(&was, i, "finding");

		if (json_get(&was, n, "severity") == 0 ||
		    same_finding(&now, &was, n) != 0)
			continue;
		(void)fputs(en ? "ended: " : "已消除 ended: ", f);
		put_member(f, &was, n, en ? "en" : "zh");
		(void)fputc('\n', f);
	}
	if (stand > 0)
		(void)fprintf(f,
		    en ? "%u others stand: findings\n"
		       : "另有 %u 项未变，见 findings  others stand\n",
		    stand);
out:
	json_free(&was);
	json_free(&now);
}

void
cli_put_timers(FILE *f, struct bytes json, bool en)
{
	struct json j;

	json_init(&j);
	if (json_parse(&j, json, JSON_DOCUMENT) == ST_OK) {
		if (j.node[0].count == 0)
			(void)fputs("没有在计时的事项 no timer runs\n", f);
		for (uint32_t i = json_first(&j, 0); i != json_end(&j, 0);
		     i = j.node[i].next) {
			(void)fprintf(f, "%.*s  ", REC_LEN,
			    (const char *)json_raw(&j, json_get(&j, i, "rec"))
				.p);
			put_member(f, &j, i, en ? "label_en" : "label");
			(void)fputc('\n', f);
			put_finding(f, &j, json_get(&j, i, "finding"), en);
			put_left(f, &j, i, en);
		}
	}
	json_free(&j);
}

void
cli_put_alarm(const struct json *j, uint32_t n)
{
	uint32_t answer = json_get_typed(j, n, "answer", JSON_OBJECT);

	(void)printf("%lld  ", (long long)json_int(j, n, "id", 0));
	put_member(stdout, j, n, "at");
	(void)fputs("  ", stdout);
	put_member(stdout, j, n, "zh");
	(void)fputs("  ", stdout);
	put_member(stdout, j, n, "en");
	(void)fputs("\n    ", stdout);
	if (answer == 0) {
		(void)puts("待查清 not answered yet");
		return;
	}
	(void)fputs("结论 answered ", stdout);
	put_member(stdout, j, answer, "at");
	(void)fputs("  ", stdout);
	put_member(stdout, j, answer, "by");
	(void)fputs("  ", stdout);
	put_member(stdout, j, answer, "reason");
	(void)fputc('\n', stdout);
}
