/* cli_read: commands that look. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "entry/json.h"

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
	const struct kind *k = NULL;
	struct buf b;
	enum status st;

	buf_init(&b, (size_t)64 << 20);
	st = agent_state(c->agent, rec, &b);
	if (st == ST_OK)
		st = cli_put_state(c, buf_view(&b), &k);
	buf_reset(&b);
	if (st == ST_OK)
		st = agent_history(c->agent, rec, &b);
	if (st == ST_OK)
		cli_put_history(k, buf_view(&b));
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

/* What was found while the record rested, and is found no longer. */
static int
run_ended(struct cli *c)
{
	struct buf b;
	enum status st;

	buf_init(&b, (size_t)64 << 20);
	st = agent_ended(c->agent, c->argv[0], &b);
	if (st != ST_OK || c->json)
		return cli_print(c, st, &b);
	cli_put_ended(stdout, buf_view(&b), c->en);
	buf_wipe(&b);
	return CLI_DONE;
}

/* What must be done by when, the most urgent first. */
static int
run_timers(struct cli *c)
{
	struct buf b;
	enum status st;

	buf_init(&b, (size_t)256 << 20);
	st = agent_timers(c->agent, &b);
	if (st != ST_OK || c->json)
		return cli_print(c, st, &b);
	cli_put_timers(stdout, buf_view(&b), c->en);
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

/* What `st` was given for, into the file that --out names. */
static int
write_out(struct cli *c, enum status st, const struct buf *b)
{
	if (st != ST_OK)
		return cli_fail(c, st);
	st = port_write_file(port_system(), c->out, buf_view(b), false);
	return st == ST_OK ? CLI_DONE
			   : cli_refuse(c, "文件写不下去",
				 "the file cannot be written");
}

/* The newest receipt, for an auditor. */
static int
run_receipt(struct cli *c)
{
	struct buf b;
	enum status st;
	int rc;

	if (c->out == NULL)
		return cli_refuse(
		    c, "写往何处：--out FILE", "where to: --out FILE");
	buf_init(&b, DOC_BYTES_MAX);
	st = c->argc == 0 ? agent_receipt(c->agent, &b)
			  : agent_receipt_old(c->agent, log_number(c), &b);
	rc = write_out(c, st, &b);
	buf_free(&b);
	return rc;
}

static int
run_descriptor(struct cli *c)
{
	struct buf b;
	int rc;

	if (c->out == NULL)
		return cli_refuse(
		    c, "写往何处：--out FILE", "where to: --out FILE");
	buf_init(&b, DOC_BYTES_MAX);
	rc = write_out(c, agent_descriptors(c->agent, &b), &b);
	buf_free(&b);
	return rc;
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
	{ "ended", 1, CLI_KEYS, run_ended, "REC [--en]", "已消除的问题",
	    "what was found for an hour or more, and is found no longer" },
	{ "timers", 0, CLI_KEYS, run_timers, "[--en]", "在计时的事项",
	    "what must be done by when" },
	{ "receipt", 0, CLI_KEYS, run_receipt, "[N] --out FILE",
	    "导出最新回执（N：第几个已终止的旧日志的）",
	    "the newest receipt, as an auditor's anchor (N: the last one of "
	    "the N-th log that ended)" },
	{ "descriptor", 0, CLI_KEYS, run_descriptor, "--out FILE",
	    "导出本机所知的法院描述文件（恢复用）",
	    "the court's descriptors as this device knows them, for a "
	    "restore" },
	{ "verify", 0, CLI_KEYS, run_verify, "", "校验本机的链与回执",
	    "check chain, receipts and proofs" },
	{ "export", 0, CLI_KEYS, run_export, "[REC] --out FILE", "导出",
	    "entries as JSON lines" },
	{ NULL, 0, CLI_NO_KEYS, NULL, NULL, NULL, NULL },
};
