/* cli_read: commands that look. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
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

void
cli_put_findings(FILE *f, struct bytes json, bool en)
{
	struct json j;

	json_init(&j);
	if (json_parse(&j, json, JSON_DOCUMENT) == ST_OK &&
	    j.node[0].type == JSON_ARRAY) {
		for (uint32_t i = json_first(&j, 0); i != json_end(&j, 0);
		     i = j.node[i].next) {
			uint32_t n = json_get(&j, i, "finding");

			(void)fputs("! ", f);
			put_member(f, &j, n, "severity");
			(void)fputs("  ", f);
			put_member(f, &j, n, en ? "en" : "zh");
			(void)fputs("  (", f);
			put_member(f, &j,
			    json_get_typed(&j, n, "law", JSON_OBJECT),
			    en ? "en" : "zh");
			(void)fputs(" ", f);
			put_member(f, &j, n, "article");
			(void)fputs(")\n", f);
		}
	}
	json_free(&j);
}

static int
run_status(struct cli *c)
{
	struct buf b;
	enum status st;

	buf_init(&b, DOC_BYTES_MAX);
	st = agent_status(c->agent, &b);
	return cli_print(c, st, &b);
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
	return cli_print(c, st, &b);
}

static int
run_show(struct cli *c)
{
	struct buf b;
	enum status st;

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

static int
run_verify(struct cli *c)
{
	struct buf b;
	enum status st;

	buf_init(&b, DOC_BYTES_MAX);
	st = agent_verify(c->agent, &b);
	if (st == ST_CORRUPT && b.len > 0) {
		(void)fwrite(b.p, 1, b.len, stdout);
		(void)putchar('\n');
	}
	return cli_print(c, st, &b);
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
	buf_wipe(&all);
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
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
	st = agent_receipt(c->agent, &b);
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
	{ "status", 0, true, run_status, "", "本机状态",
	    "how this device stands" },
	{ "list", 0, true, run_list, "[--kind K] [--limit N]", "记录清单",
	    "list records" },
	{ "show", 1, true, run_show, "REC [--state]", "查看记录",
	    "a record's history or state" },
	{ "findings", 0, true, run_findings, "[REC] [--en]", "发现的问题",
	    "what was found" },
	{ "receipt", 0, true, run_receipt, "--out FILE", "导出最新回执",
	    "the newest receipt, as an auditor's anchor" },
	{ "verify", 0, true, run_verify, "", "校验本机的链与回执",
	    "check chain, receipts and proofs" },
	{ "export", 0, true, run_export, "[REC] --out FILE", "导出",
	    "entries as JSON lines" },
	{ NULL, 0, false, NULL, NULL, NULL, NULL },
};
