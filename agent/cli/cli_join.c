/* cli_join: joining a court, syncing, officers, importing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/core/evidence.h"
#include "agent/import/import.h"
#include "entry/json.h"

enum { PASSPHRASE_MAX = 1024 };

static int
run_enrol(struct cli *c)
{
	struct buf pass;
	enum status st;

	buf_init(&pass, PASSPHRASE_MAX);
	st =
	    cli_passphrase("设置口令（10 个字符或 5 个词以上）new passphrase: ",
		"DAYBREAK_PIN_FILE", &pass);
	if (st != ST_OK) {
		buf_wipe(&pass);
		return cli_refuse(c, "没有口令", "no passphrase was given");
	}
	st = agent_enrol(c->agent, bytes_str(c->argv[0]), buf_view(&pass));
	buf_wipe(&pass);
	if (st != ST_OK)
		return cli_fail(c, st);
	(void)puts(c->json ? "{\"enrolled\":true}" : "已入网 enrolled");
	return CLI_DONE;
}

static int
run_lock(struct cli *c)
{
	agent_lock(c->agent);
	(void)puts(c->json ? "{\"locked\":true}" : "已锁定 locked");
	return CLI_DONE;
}

static int
run_officer(struct cli *c)
{
	struct buf pass;
	enum status st;

	if (strcmp(c->argv[0], "remove") == 0) {
		st = agent_officer_remove(c->agent, c->argv[1]);
		return st == ST_OK ? CLI_DONE : cli_fail(c, st);
	}
	if (strcmp(c->argv[0], "add") != 0)
		return cli_refuse(c, "应写 add 或 remove", "say add or remove");
	buf_init(&pass, PASSPHRASE_MAX);
	st = cli_passphrase("新人员的口令 passphrase of the new officer: ",
	    "DAYBREAK_NEW_PIN_FILE", &pass);
	if (st != ST_OK) {
		buf_wipe(&pass);
		return cli_refuse(c,
		    "没有新人员的口令（DAYBREAK_NEW_PIN_FILE "
		    "所指文件或标准输入）",
		    "no passphrase of the new officer: the file that "
		    "DAYBREAK_NEW_PIN_FILE names, or standard input");
	}
	st = agent_officer_add(c->agent, c->argv[1], buf_view(&pass));
	buf_wipe(&pass);
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
}

/* ---- import */

static void
tell_refused(void *arg, uint64_t line, const struct words *why)
{
	struct cli *c = arg;
	struct buf b;

	if (!c->json) {
		(void)fprintf(stderr, "第 %llu 行 line %llu: %s  %s\n",
		    (unsigned long long)line, (unsigned long long)line, why->zh,
		    why->en);
		return;
	}
	buf_init(&b, DOC_BYTES_MAX);
	buf_printf(&b, "{\"line\":%llu,\"refused\":", (unsigned long long)line);
	json_put_str(&b, why->en);
	buf_str(&b, ",\"zh\":");
	json_put_str(&b, why->zh);
	buf_u8(&b, '}');
	if (buf_cstr(&b) != NULL)
		(void)puts((const char *)b.p);
	buf_free(&b);
}

static void
tell_progress(void *arg, size_t done, size_t total)
{
	const struct cli *c = arg;

	if (!c->json && total > 0)
		(void)fprintf(stderr, "\r%3zu %%", done * 100 / total);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static int
import_files(struct cli *c, struct bytes map, struct bytes csv)
{
	struct import_watch watch = {
		.arg = c, .refused = tell_refused, .progress = tell_progress
	};
	struct import_result r;
	struct words why;
	uint64_t limit = c->limit == NULL ? 0 : strtoull(c->limit, NULL, 10);
	enum status st;

	st = import_run(c->agent, agent_kinds(c->agent), base_name(c->argv[1]),
	    map, csv, limit, &watch, &r, &why);
	if (!c->json)
		(void)fprintf(stderr, "\r     \r");
	if (st == ST_INVALID)
		return cli_refuse(c, why.zh, why.en);
	(void)printf(
	    c->json
		? "{\"already\":%llu,\"entries\":%llu,\"records\":%llu,"
		  "\"refused\":%llu,\"rows\":%llu,\"taken\":%llu}\n"
		: "已有 already %llu · 条目 entries %llu · 记录 records %llu · "
		  "拒绝 refused %llu · 行 rows %llu · 导入 taken %llu\n",
	    (unsigned long long)r.already, (unsigned long long)r.entries,
	    (unsigned long long)r.records, (unsigned long long)r.refused,
	    (unsigned long long)r.rows, (unsigned long long)r.taken);
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
}

static int
run_import(struct cli *c)
{
	const struct port *p = port_system();
	struct buf map, csv;
	int rc;

	if (c->map == NULL)
		return cli_refuse(c, "须给出 --map MAP.json",
		    "an import needs --map MAP.json");
	buf_init(&map, DOC_BYTES_MAX);
	buf_init(&csv, (size_t)1 << 30);
	if (port_read_file(p, c->map, &map) != ST_OK)
		rc = cli_refuse(c, "无法读取映射文件", "cannot read the map");
	else if (port_read_file(p, c->argv[1], &csv) != ST_OK)
		rc = cli_refuse(
		    c, "无法读取 CSV 文件", "cannot read the CSV file");
	else
		rc = import_files(c, buf_view(&map), buf_view(&csv));
	buf_free(&map);
	buf_free(&csv);
	return rc;
}

/* ---- purge */

enum { PURGE_DAYS = 30, DAY_MS = 24 * 60 * 60 * 1000 };

static int
run_purge(struct cli *c)
{
	uint64_t days = PURGE_DAYS, now = port_wall_ms(port_system());
	uint64_t purged = 0, files = 0, age;
	enum status st;

	if (c->days != NULL) {
		char *end;

		days = strtoull(c->days, &end, 10);
		if (*end != '\0' || end == c->days || days > 36500)
			return cli_refuse(
			    c, "--days 应为天数", "--days takes a number");
	}
	age = days * DAY_MS;
	st = agent_purge(c->agent, now > age ? now - age : 0, &purged);
	if (st != ST_OK)
		return cli_fail(c, st);
	st = agent_evidence_purge(c->agent, now > age ? now - age : 0, &files);
	if (st != ST_OK)
		return cli_fail(c, st);
	(void)printf(c->json ? "{\"files\":%llu,\"purged\":%llu}\n"
			     : "已清除 forgotten: 附件 files %llu · 条目内容 "
			       "entries %llu\n",
	    (unsigned long long)files, (unsigned long long)purged);
	return CLI_DONE;
}

/* ---- alarms */

static int
list_alarms(struct cli *c)
{
	struct buf b;
	struct json j;
	enum status st;

	buf_init(&b, DOC_BYTES_MAX);
	st = agent_alarms(c->agent, &b);
	if (st != ST_OK || c->json)
		return cli_print(c, st, &b);
	json_init(&j);
	if (json_parse(&j, buf_view(&b), JSON_DOCUMENT) == ST_OK) {
		if (j.node[0].count == 0)
			(void)puts("无 none");
		for (uint32_t i = json_first(&j, 0); i != json_end(&j, 0);
		     i = j.node[i].next)
			cli_put_alarm(&j, i);
	}
	json_free(&j);
	buf_wipe(&b);
	return CLI_DONE;
}

static int
run_alarm(struct cli *c)
{
	char *end = NULL;
	uint64_t id;
	enum status st;

	if (strcmp(c->argv[0], "list") == 0)
		return list_alarms(c);
	if (strcmp(c->argv[0], "answer") != 0 || c->argc < 2)
		return cli_refuse(c, "应写 list，或 answer 编号 --reason 结论",
		    "say list, or answer ID --reason R");
	id = strtoull(c->argv[1], &end, 10);
	if (*end != '\0' || end == c->argv[1])
		return cli_refuse(
		    c, "编号应为数字", "an alarm's number is wanted");
	if (c->reason == NULL)
		return cli_refuse(c, "须写明查清的结果：--reason",
		    "say what was found out: --reason");
	st = agent_alarm_answer(c->agent, id, bytes_str(c->reason));
	if (st != ST_OK)
		return cli_fail(c, st);
	if (c->json)
		(void)printf("{\"answered\":%llu}\n", (unsigned long long)id);
	else
		(void)puts("已记下 written down");
	return CLI_DONE;
}

const struct cli_command cli_join_commands[] = {
	{ "enrol", 1, CLI_NO_KEYS, run_enrol, "CODE", "入网", "join a court" },
	{ "sync", 0, CLI_KEYS, cli_sync,
	    "[--no-evidence] [--budget BYTES] [--urgent] [--watch]", "同步",
	    "sync with the centre; files after entries; --watch: on and on" },
	{ "import", 2, CLI_KEYS, run_import, "KIND FILE.csv --map MAP.json",
	    "导入", "import rows" },
	{ "officer", 2, CLI_KEYS, run_officer, "add|remove ID", "本机人员",
	    "officers of this device" },
	{ "purge", 0, CLI_KEYS, run_purge, "[--days N]", "清除已备份的旧内容",
	    "forget old content that the centre keeps safe" },
	{ "alarm", 1, CLI_KEYS, run_alarm, "list | answer ID --reason R",
	    "警报与查清的结论", "alarms, and what was found out about them" },
	{ "lock", 0, CLI_NO_KEYS, run_lock, "", "锁定", "wipe keys" },
	{ NULL, 0, CLI_NO_KEYS, NULL, NULL, NULL, NULL },
};
