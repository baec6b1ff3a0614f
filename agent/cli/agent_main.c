/* daybreak-agent: see cli.h. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/cli/cli.h"
#include "agent/cli/columns.h"
#include "agent/core/uplink_curl.h"
#include "crypt/secret.h"
#include "pdf/pdf.h"

static const struct cli_command *const tables[] = { cli_join_commands,
	cli_act_commands, cli_evidence_commands, cli_desk_commands,
	cli_read_commands, cli_kinds_commands, cli_paper_commands };

enum {
	TABLES = sizeof(tables) / sizeof(tables[0]),
	PASSPHRASE_MAX = 1024,
	PATH_BYTES = 4096,
	USAGE_WIDTH = 46
};

static void
usage_line(FILE *f, const struct cli_command *c)
{
	(void)fprintf(f, "  %-10s ", c->name);
	if (columns_of(bytes_str(c->usage)) > USAGE_WIDTH)
		(void)fprintf(f, "%s\n%*s", c->usage, 13 + USAGE_WIDTH, "");
	else
		columns_pad(f, bytes_str(c->usage), USAGE_WIDTH);
	(void)fprintf(f, " %s  %s\n", c->zh, c->en);
}

static void
usage(FILE *f)
{
	(void)fprintf(f,
	    "daybreak-agent %s — 现场执法记录 field record of court "
	    "enforcement\n\n"
	    "  daybreak-agent --home H [--officer ID] [--json] COMMAND …\n\n",
	    DAYBREAK_VERSION);
	for (size_t t = 0; t < TABLES; t++) {
		for (const struct cli_command *c = tables[t]; c->name; c++)
			usage_line(f, c);
	}
	(void)fprintf(f,
	    "\n口令取自 DAYBREAK_PIN_FILE "
	    "所指文件、标准输入或提示，绝不取自参数。\n"
	    "The passphrase comes from the file that DAYBREAK_PIN_FILE names, "
	    "standard input\nor a prompt, never from an argument; that of "
	    "`officer add` from DAYBREAK_NEW_PIN_FILE.\n"
	    "Exit: 0 done, 1 refused or failed, 2 usage, 3 damage found.\n");
}

/* What is wrong with the line, and where what there is can be read. */
static void
wrong_line(const char *zh, const char *en, const char *what)
{
	(void)fprintf(stderr, "%s %s: ", zh, en);
	columns_put(stderr, bytes_str(what));
	(void)fprintf(stderr, "\n用法 usage: daybreak-agent --help\n");
}

/* ---- options */

static const struct {
	const char *name;
	size_t at; /* where in struct cli */
} text_options[] = {
    {"--home", offsetof(struct cli, home)},
    {"--officer", offsetof(struct cli, officer)},
    {"--reason", offsetof(struct cli, reason)},
    {"--at", offsetof(struct cli, at)},
    {"--on", offsetof(struct cli, on)},
    {"--map", offsetof(struct cli, map)},
    {"--out", offsetof(struct cli, out)},
    {"--kind", offsetof(struct cli, kind)},
    {"--person", offsetof(struct cli, person)},
    {"--limit", offsetof(struct cli, limit)},
    {"--days", offsetof(struct cli, days)},
    {"--rec", offsetof(struct cli, rec)},
    {"--watched", offsetof(struct cli, watched)},
    {"--scene", offsetof(struct cli, scene)},
    {"--taken", offsetof(struct cli, taken)},
    {"--place", offsetof(struct cli, place)},
    {"--of", offsetof(struct cli, of)},
    {"--made", offsetof(struct cli, made)},
    {"--picture", offsetof(struct cli, picture)},
    {"--attach", offsetof(struct cli, attach)},
    {"--at-ms", offsetof(struct cli, at_ms)},
    {"--budget", offsetof(struct cli, budget)},
    {"--recorder", offsetof(struct cli, recorder)},
    {"--filmed-by", offsetof(struct cli, filmed_by)},
    {"--for", offsetof(struct cli, seconds)},
}, flag_options[] = {
    {"--json", offsetof(struct cli, json)},
    {"--state", offsetof(struct cli, state)},
    {"--findings", offsetof(struct cli, findings)},
    {"--en", offsetof(struct cli, en)},
    {"--blank", offsetof(struct cli, blank)},
    {"--urgent", offsetof(struct cli, urgent)},
    {"--no-evidence", offsetof(struct cli, no_evidence)},
    {"--watch", offsetof(struct cli, watch)},
    {"--all", offsetof(struct cli, all)},
};

enum {
	TEXT_OPTIONS = sizeof(text_options) / sizeof(text_options[0]),
	FLAG_OPTIONS = sizeof(flag_options) / sizeof(flag_options[0])
};

/* 1: an option and its value, 0: a flag, -1: neither, -2: value missing. */
static int
take_option(struct cli *c, const char *arg, const char *next)
{
	for (size_t i = 0; i < TEXT_OPTIONS; i++) {
		if (strcmp(arg, text_options[i].name) != 0)
			continue;
		if (next == NULL)
			return -2;
		memcpy((char *)c + text_options[i].at, &next, sizeof(next));
		return 1;
	}
	for (size_t i = 0; i < FLAG_OPTIONS; i++) {
		bool yes = true;

		if (strcmp(arg, flag_options[i].name) != 0)
			continue;
		memcpy((char *)c + flag_options[i].at, &yes, sizeof(yes));
		return 0;
	}
	return -1;
}

/* Options and arguments, and the command's name (NULL: none); false after
 * saying what is wrong. */
static bool
read_arguments(struct cli *c, int argc, char **argv, const char **name)
{
	bool plain = false;

	*name = NULL;
	for (int i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		int took = -1;

		if (!plain && strcmp(argv[i], "--") == 0) {
			plain = true;
			continue;
		}
		if (!plain)
			took = take_option(c, argv[i], next);
		if (took == -2) {
			wrong_line("选项缺少内容", "wants a value", argv[i]);
			return false;
		}
		if (took == 1)
			i++;
		if (took >= 0)
			continue;
		if (!plain && strncmp(argv[i], "--", 2) == 0) {
			wrong_line("没有此选项", "no such option", argv[i]);
			return false;
		}
		if (*name == NULL)
			*name = argv[i];
		else if (c->argc < CLI_ARGS_MAX)
			c->argv[c->argc++] = argv[i];
		else {
			wrong_line("参数过多", "too many arguments", argv[i]);
			return false;
		}
	}
	return true;
}

/*
 * What may stand behind a command, at most; as much as there is behind those
 * that are not named.  A text that was not quoted must not be cut to its first
 * word: what an officer wrote down is kept whole or refused.
 */
static int
args_max(const char *name)
{
	static const struct {
		const char *name;
		int max;
	} few[] = { { "enrol", 1 }, { "sync", 0 }, { "import", 2 },
		{ "officer", 2 }, { "purge", 0 }, { "alarm", 2 }, { "lock", 0 },
		{ "drop", 2 }, { "keep", 2 }, { "sign", 3 }, { "advance", 2 },
		{ "note", 2 }, { "answer", 3 }, { "approve", 4 },
		{ "release", 3 }, { "link", 3 }, { "void", 1 }, { "attach", 2 },
		{ "file", 2 }, { "evidence", 3 }, { "clock-code", 1 },
		{ "status", 0 }, { "list", 0 }, { "show", 1 },
		{ "findings", 1 }, { "ended", 1 }, { "timers", 0 },
		{ "receipt", 1 }, { "descriptor", 0 }, { "verify", 0 },
		{ "export", 1 }, { "kinds", 1 }, { "print", 2 },
		{ "forms", 0 } };

	for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++) {
		if (strcmp(few[i].name, name) == 0)
			return few[i].max;
	}
	return CLI_ARGS_MAX;
}

static const struct cli_command *
find_command(const char *name)
{
	for (size_t t = 0; t < TABLES; t++) {
		for (const struct cli_command *c = tables[t]; c->name; c++) {
			if (strcmp(c->name, name) == 0)
				return c;
		}
	}
	return NULL;
}

/* Asked for with --help: of one command, or of all. */
static bool
helped(int argc, char **argv)
{
	const struct cli_command *of = NULL;
	bool asked = false;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		asked |= strcmp(argv[i], "--help") == 0;
		of = of == NULL ? find_command(argv[i]) : of;
	}
	if (asked && of != NULL)
		usage_line(stdout, of);
	else if (asked)
		usage(stdout);
	return asked;
}

/* What the line asks for; NULL after saying what is wrong with it. */
static const struct cli_command *
read_command(struct cli *c, int argc, char **argv)
{
	const struct cli_command *command;
	const char *name;

	if (argc < 2) {
		usage(stderr);
		return NULL;
	}
	if (!read_arguments(c, argc, argv, &name))
		return NULL;
	command = name != NULL ? find_command(name) : NULL;
	if (command == NULL) {
		wrong_line(
		    "没有此命令", "no such command", name != NULL ? name : "");
		return NULL;
	}
	if (c->home == NULL) {
		wrong_line("缺少选项", "wants the option", "--home H");
		return NULL;
	}
	/* A name that was mistyped is not to become a new handheld. */
	if (strcmp(name, "enrol") != 0 && access(c->home, F_OK) != 0) {
		wrong_line("没有此目录（尚未入网？）",
		    "no such folder (not enrolled yet?)", c->home);
		return NULL;
	}
	if (c->argc < command->args_min) {
		(void)fprintf(stderr, "参数不足 more is needed:\n");
		usage_line(stderr, command);
		return NULL;
	}
	if (c->argc > args_max(name)) {
		wrong_line("参数过多（文字请加引号）",
		    "too many arguments (put text in quotes)",
		    c->argv[args_max(name)]);
		usage_line(stderr, command);
		return NULL;
	}
	return command;
}

static int
run_unlocked(struct cli *c, const struct cli_command *command)
{
	struct buf pass;
	enum status st;

	buf_init(&pass, PASSPHRASE_MAX);
	st = cli_passphrase("口令 passphrase: ", "DAYBREAK_PIN_FILE", &pass);
	if ((st == ST_ABSENT || pass.len == 0) &&
	    command->keys == CLI_KEYS_IF) {
		buf_wipe(&pass);
		return command->run(c);
	}
	if (st == ST_OK)
		st = agent_unlock(c->agent, c->officer, buf_view(&pass));
	else
		(void)cli_refuse(c, "没有口令", "no passphrase was given");
	buf_wipe(&pass);
	if (st == ST_ABSENT)
		return CLI_FAILED;
	return st == ST_OK ? command->run(c) : cli_fail(c, st);
}

const char *
cli_beside(const char *name, char *out, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", out, cap - 1);
	size_t len = strlen(name);
	char *slash;

	if (n <= 0)
		return NULL;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL || (size_t)(slash - out) + len + 2 > cap)
		return NULL;
	memcpy(slash + 1, name, len + 1);
	return access(out, X_OK) == 0 ? out : NULL;
}

static void
not_opened(struct cli *c, enum status st)
{
	const char *zh = st == ST_AGAIN ? "另一个程序正在使用本机数据"
			 : st == ST_CORRUPT ? "本机数据已损坏"
			 : st == ST_FULL    ? "存储已满"
					    : "本机数据打不开";
	char en[PATH_BYTES + 64];

	(void)snprintf(en, sizeof(en), "%s: %s", c->home,
	    st == ST_AGAIN ? "another program is using it" : status_text(st));
	(void)cli_refuse(c, zh, en);
}

static int
run(struct cli *c, const struct cli_command *command)
{
	char look[PATH_BYTES], film[PATH_BYTES];
	struct uplink_curl *uplink = NULL;
	struct agent_config config = { .home = c->home,
		.port = port_system(),
		.utc_offset_min = 480,
		.look = cli_beside("daybreak-look", look, sizeof(look)),
		.film = cli_beside("daybreak-film", film, sizeof(film)) };
	enum status st;
	int rc;

	st = uplink_curl_new(&uplink);
	if (st == ST_OK) {
		config.uplink = uplink_curl_of(uplink);
		st = agent_open(&c->agent, &config);
	}
	if (st != ST_OK) {
		not_opened(c, st);
		uplink_curl_free(uplink);
		return st == ST_CORRUPT ? CLI_DAMAGE : CLI_FAILED;
	}
	rc = command->keys != CLI_NO_KEYS ? run_unlocked(c, command)
					  : command->run(c);
	agent_close(c->agent);
	pdf_end();
	uplink_curl_free(uplink);
	return rc;
}

/*
 * No copy of a key outside this process.  Where the system does not allow it,
 * what happens on the spot must be written down all the same: said, not
 * refused.
 */
static void
keep_keys_in(void)
{
	if (secret_no_dumps() != ST_OK || !secret_locks())
		(void)fprintf(stderr,
		    "注意：本机不允许程序锁定内存，密钥可能落入交换区\n"
		    "notice: this system lets no memory be locked (ulimit -l); "
		    "keys may reach its swap\n");
}

int
main(int argc, char **argv)
{
	static struct cli c;
	const struct cli_command *command;
	int rc;

	if (sodium_init() < 0)
		return CLI_FAILED;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("daybreak-agent " DAYBREAK_VERSION);
		return CLI_DONE;
	}
	if (helped(argc, argv))
		return CLI_DONE;
	command = read_command(&c, argc, argv);
	if (command == NULL)
		return CLI_USAGE;
	keep_keys_in();
	rc = run(&c, command);
	if (fflush(stdout) != 0)
		rc = CLI_FAILED;
	return rc;
}
