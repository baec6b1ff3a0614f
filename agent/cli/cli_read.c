/* cli_read: commands that look. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "domain/when.h"
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
		(void)fprintf(f, en ? " (due %s)" : "（限 %s 前 due）", due);
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

static int
run_list(struct cli *c)
{
	size_t limit = SIZE_MAX;
	struct buf b;
	enum status st;

	if (c->limit != NULL) {
		char *end;

		limit = (size_t)strtoul(c->limit, &end, 10);
		if (*end != '\0' || end == c->limit)
			return cli_refuse(
			    c, "--limit 应为数字", "--limit takes a number");
	}
	buf_init(&b, (size_t)256 << 20);
	st = agent_list(c->agent, c->kind, limit, &b);
	if (st != ST_OK || c->json)
		return cli_print(c, st, &b);
	cli_put_list(c, buf_view(&b));
	buf_wipe(&b);
	return CLI_DONE;
}

/* All of a record: its state, what was done, what was found. */
static int
show_whole(struct cli *c, const char *rec)
{
	struct buf b;
	enum status st;

	buf_init(&b, (size_t)64 << 20);
	st = agent_state(c->agent, rec, &b);
	if (st == ST_OK)
		st = cli_put_state(c, buf_view(&b));
	buf_reset(&b);
	if (st == ST_OK)
		st = agent_history(c->agent, rec, &b);
	if (st == ST_OK)
		cli_put_history(buf_view(&b));
	if (st == ST_OK)
		(void)cli_put_evidence(c, rec, true);
	buf_reset(&b);
	if (st == ST_OK)
		st = agent_findings(c->agent, rec, &b);
	if (st == ST_OK) {
		(void)fputc('\n', stdout);
		cli_put_findings(stdout, buf_view(&b), c->en);
	}
	buf_wipe(&b);
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
}

static int
run_show(struct cli *c)
{
	struct buf b;
	enum status st;

	if (!c->state && !c->json)
		return show_whole(c, c->argv[0]);
	buf_init(&b, (size_t)64 << 20);
	if (c->state)
		st = agent_state(c->agent, c->argv[0], &b);
	else
		st = agent_history(c->agent, c->argv[0], &b);
	return cli_print(c, st, &b);
}

static int
run_findings(struct cli *c)
{
	const char *rec = c->argc > 0 ? c->argv[0] : NULL;
	struct buf b;
	enum status st;

	buf_init(&b, (size_t)256 << 20);
	st = agent_findings(c->agent, rec, &b);
	if (st != ST_OK || c->json)
		return cli_print(c, st, &b);
	cli_put_findings(stdout, buf_view(&b), c->en);
	buf_wipe(&b);
	return CLI_DONE;
}

/* What must be done by when, the most urgent first. */
static int
run_timers(struct cli *c)
{
	struct buf b;
	struct json j;
	enum status st;

	buf_init(&b, (size_t)256 << 20);
	st = agent_timers(c->agent, &b);
	if (st != ST_OK || c->json)
		return cli_print(c, st, &b);
	json_init(&j);
	if (json_parse(&j, buf_view(&b), JSON_DOCUMENT) == ST_OK) {
		if (j.node[0].count == 0)
			(void)puts("没有在计时的事项 no timer runs");
		for (uint32_t i = json_first(&j, 0); i != json_end(&j, 0);
		     i = j.node[i].next) {
			(void)printf("%.*s  ", REC_LEN,
			    (const char *)json_raw(&j, json_get(&j, i, "rec"))
				.p);
			put_member(stdout, &j, i, c->en ? "label_en" : "label");
			(void)putchar('\n');
			put_finding(
			    stdout, &j, json_get(&j, i, "finding"), c->en);
			put_left(stdout, &j, i, c->en);
		}
	}
	json_free(&j);
	buf_wipe(&b);
	return CLI_DONE;
}

static void
put_report(struct bytes doc, bool whole)
{
	static const struct {
		const char *name, *words;
	} lines[] = {
		{ "entries",
		    "本机条目，逐条相连并有签名 own entries, linked and "
		    "signed" },
		{ "foreign", "他人条目 entries of others" },
		{ "receipts", "回执，已按日志公钥核验 receipts, checked "
			      "against the log's key" },
		{ "bad_receipts", "不成立的回执 receipts that do not hold" },
		{ "lost", "打不开的条目 entries that do not open" },
		{ "holes", "缺号 places that are gone" },
		{ "mended", "已修复 mended" },
		{ "alarms", "警报 alarms" },
	};
	struct json j;

	json_init(&j);
	if (json_parse(&j, doc, JSON_DOCUMENT) == ST_OK) {
		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
			long long n = json_int(&j, 0, lines[i].name, 0);

			if (n > 0 || i < 3)
				(void)printf("%8lld  %s\n", n, lines[i].words);
		}
	}
	json_free(&j);
	(void)puts(whole ? "完好 all is well" : "有损坏 damage was found");
}

static int
run_verify(struct cli *c)
{
	struct buf b;
	enum status st;
	int rc;

	buf_init(&b, DOC_BYTES_MAX);
	st = agent_verify(c->agent, &b);
	if (b.len > 0 && c->json) {
		(void)fwrite(b.p, 1, b.len, stdout);
		(void)putchar('\n');
	} else if (b.len > 0) {
		put_report(buf_view(&b), st == ST_OK);
	}
	rc = st == ST_OK ? CLI_DONE : cli_fail(c, st);
	buf_wipe(&b);
	return rc;
}

/* Every entry of a record (or of all), a line each, to a file. */
static int
run_export(struct cli *c)
{
	struct buf all;
	enum status st;

	if (c->out == NULL)
		return cli_refuse(
		    c, "写往何处：--out FILE", "where to: --out FILE");
	buf_init(&all, (size_t)1 << 30);
	st = agent_export(c->agent, c->argc > 0 ? c->argv[0] : NULL, &all);
	if (st == ST_OK)
		st = port_write_file(
		    port_system(), c->out, buf_view(&all), true);
	if (st == ST_OK) {
		size_t lines = 0;

		for (size_t i = 0; i < all.len; i++)
			lines += all.p[i] == '\n';
		(void)printf(
		    c->json ? "{\"records\":%zu}\n" : "已导出 exported %zu\n",
		    lines);
	}
	buf_wipe(&all);
	if (st == ST_CONFLICT || st == ST_IO)
		return cli_refuse(c, "文件写不下去，或已存在",
		    "the file cannot be written, or is there already");
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
}

/* Which of the logs that ended; 0 is none. */
static unsigned
log_number(const struct cli *c)
{
	unsigned n = 0;

	for (const char *p = c->argv[0]; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || n > 1000)
			return 0;
		n = n * 10 + (unsigned)(*p - '0');
	}
	return n;
}

/* The newest receipt, for an auditor. */
static int
run_receipt(struct cli *c)
{
	struct buf b;
	enum status st;

	if (c->out == NULL)
		return cli_refuse(
		    c, "写往何处：--out FILE", "where to: --out FILE");
	buf_init(&b, DOC_BYTES_MAX);
	st = c->argc == 0 ? agent_receipt(c->agent, &b)
			  : agent_receipt_old(c->agent, log_number(c), &b);
	if (st != ST_OK) {
		buf_free(&b);
		return cli_fail(c, st);
	}
	st = port_write_file(port_system(), c->out, buf_view(&b), false);
	buf_free(&b);
	return st == ST_OK ? CLI_DONE
			   : cli_refuse(c, "文件写不下去",
				 "the file cannot be written");
}

const struct cli_command cli_read_commands[] = {
	{ "status", 0, CLI_KEYS_IF, cli_status, "", "本机状态",
	    "how this device stands" },
	{ "list", 0, CLI_KEYS, run_list, "[--kind K] [--limit N]", "记录清单",
	    "list records" },
	{ "show", 1, CLI_KEYS, run_show, "REC [--state]", "查看记录",
	    "a record's history or state" },
	{ "findings", 0, CLI_KEYS, run_findings, "[REC] [--en]", "发现的问题",
	    "what was found" },
	{ "timers", 0, CLI_KEYS, run_timers, "[--en]", "在计时的事项",
	    "what must be done by when" },
	{ "receipt", 0, CLI_KEYS, run_receipt, "[N] --out FILE",
	    "导出最新回执（N：第几个已终止的旧日志的）",
	    "the newest receipt, as an auditor's anchor (N: the last one of "
	    "the N-th log that ended)" },
	{ "verify", 0, CLI_KEYS, run_verify, "", "校验本机的链与回执",
	    "check chain, receipts and proofs" },
	{ "export", 0, CLI_KEYS, run_export, "[REC] --out FILE", "导出",
	    "entries as JSON lines" },
	{ NULL, 0, CLI_NO_KEYS, NULL, NULL, NULL, NULL },
};
