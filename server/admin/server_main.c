/* daybreak-server: see admin.h. */
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/secret.h"
#include "entry/json.h"
#include "server/admin/admin.h"

static const struct admin_command *const tables[] = { admin_court_commands,
	admin_people_commands, admin_upkeep_commands, admin_restore_commands,
	admin_export_commands, admin_decide_commands, admin_evidence_commands,
	admin_print_commands };

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

int
admin_refuse(const struct admin *a, const char *zh, const char *en)
{
	if (a->json) {
		struct buf b;

		buf_init(&b, DOC_BYTES_MAX);
		buf_str(&b, "{\"error\":");
		json_put_str(&b, en);
		buf_str(&b, ",\"zh\":");
		json_put_str(&b, zh);
		buf_u8(&b, '}');
		if (buf_cstr(&b) != NULL)
			(void)puts((const char *)b.p);
		buf_free(&b);
	}
	(void)fprintf(stderr, "%s\n%s\n", zh, en);
	return ADMIN_FAILED;
}

int
admin_fail(const struct admin *a, const char *what, enum status st)
{
	char en[1024];

	(void)snprintf(en, sizeof(en), "%s: %s", what, status_text(st));
	(void)admin_refuse(a, "未能完成", en);
	return st == ST_CORRUPT ? ADMIN_DAMAGE : ADMIN_FAILED;
}

bool
admin_needs(const struct admin *a, const char *name, const char *value)
{
	char en[128];

	if (value != NULL && value[0] != '\0')
		return true;
	(void)snprintf(en, sizeof(en), "%s is needed", name);
	(void)admin_refuse(a, "缺少选项", en);
	return false;
}

static void
usage_line(FILE *f, const struct admin_command *c)
{
	(void)fprintf(
	    f, "  %-11s %s\n%14s%s  %s\n", c->name, c->usage, "", c->zh, c->en);
}

static void
usage_options(FILE *f)
{
	(void)fprintf(f, "\nrun 的选项 options of run (D/daybreak.json, "
			 "DAYBREAK_<NAME>, --name):\n");
	for (const struct config_option *o = config_options; o->name; o++) {
		(void)fprintf(f, "  --%-22s ", o->name);
		if (o->number)
			(void)fprintf(f, "[%lld] ", (long long)o->def);
		else if (o->text[0] != '\0')
			(void)fprintf(f, "[%s] ", o->text);
		(void)fprintf(f, "%s  %s\n", o->zh, o->help);
	}
}

static void
usage(FILE *f)
{
	(void)fprintf(f,
	    "daybreak-server %s — 执法记录中心 centre of field records\n\n"
	    "  daybreak-server COMMAND --dir D [--json] …\n\n",
	    DAYBREAK_VERSION);
	for (size_t t = 0; t < TABLES; t++) {
		for (const struct admin_command *c = tables[t]; c->name; c++)
			usage_line(f, c);
	}
	usage_options(f);
	(void)fprintf(f,
	    "\nExit: 0 done, 1 refused or failed, 2 usage, 3 damage found.\n");
}

/* What is wrong with the line; with what may be asked of this command. */
static int
wrong_line(const char *words, const char *what, const struct admin_command *of)
{
	(void)fprintf(stderr, "%s: %s\n", words, what);
	if (of == NULL)
		(void)fprintf(stderr, "用法 usage: daybreak-server --help\n");
	else
		usage_line(stderr, of);
	return ADMIN_USAGE;
}

/* ---- options */

#define OPTION(name, field)                                                    \
	{                                                                      \
		"--" name, offsetof(struct admin, field)                       \
	}

static const struct {
	const char *name;
	size_t at;
} text_options[] = {
    OPTION("chain", chain),
    OPTION("branch", branch),
    OPTION("dir", dir),
    OPTION("court", court),
    OPTION("name", name),
    OPTION("recovery-out", recovery_out),
    OPTION("officer", officer),
    OPTION("role", role),
    OPTION("unit", unit),
    OPTION("team", team),
    OPTION("record", record),
    OPTION("out", out),
    OPTION("person", person),
    OPTION("dev", dev),
    OPTION("reason", reason),
    OPTION("what", what),
    OPTION("by", by),
    OPTION("ttl", ttl),
    OPTION("replaces", replaces),
    OPTION("store", store),
    OPTION("recovery-key", recovery_key),
    OPTION("root-key", root_key),
    OPTION("from", from),
    OPTION("to", to),
    OPTION("title", title),
    OPTION("text", text),
    OPTION("address", address),
    OPTION("devices-address", devices_address),
    OPTION("origin", origin),
    OPTION("kept", kept),
    OPTION("keys", keys),
    OPTION("manifest", manifest),
    OPTION("ground", ground),
    OPTION("law", law),
    OPTION("case", case_no),
    OPTION("until", until),
    OPTION("finding", finding),
    OPTION("media", media),
}, flag_options[] = {
    OPTION("json", json),
    OPTION("qr", qr),
    OPTION("confirm", confirm),
    OPTION("stolen", stolen),
};

/* Options that may stand several times: as take_option, −1: none of them. */
static int
take_many(struct admin *a, const char *arg, const char *value)
{
	const struct {
		const char *name;
		const char **to;
		size_t *count;
	} many[] = {
		{ "--entry", a->entry, &a->entry_count },
		{ "--withhold", a->withhold, &a->withhold_count },
		{ "--note", a->note, &a->note_count },
		{ "--descriptor", a->descriptor, &a->descriptor_count },
		{ "--anchor", a->anchor, &a->anchor_count },
	};

	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		if (strcmp(arg, many[i].name) != 0)
			continue;
		if (*many[i].count == ADMIN_MANY_MAX)
			return 0;
		many[i].to[(*many[i].count)++] = value;
		return 2;
	}
	return -1;
}

/* How many arguments were taken; 0: the line is wrong. */
static int
take_option(struct admin *a, const char *arg, const char *value, char *why)
{
	bool yes = true;
	int took;

	if (strncmp(arg, "--", 2) != 0) {
		if (a->word_count == ADMIN_WORDS_MAX || !a->takes_words)
			return 0;
		a->word[a->word_count++] = arg;
		return 1;
	}

	for (size_t i = 0; i < sizeof(flag_options) / sizeof(flag_options[0]);
	     i++) {
		if (strcmp(arg, flag_options[i].name) == 0) {
			memcpy(
			    (char *)a + flag_options[i].at, &yes, sizeof(yes));
			return 1;
		}
	}
	if (value == NULL)
		return 0;
	took = take_many(a, arg, value);
	if (took >= 0)
		return took;
	for (size_t i = 0; i < sizeof(text_options) / sizeof(text_options[0]);
	     i++) {
		if (strcmp(arg, text_options[i].name) == 0) {
			memcpy((char *)a + text_options[i].at, &value,
			    sizeof(value));
			return 2;
		}
	}
	/* The daemon's own options are looked at last, once D is known. */
	return config_flag(&a->config, arg + 2, value, why) == ST_OK ? 2 : 0;
}

static const char *
find_dir(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--dir") == 0)
			return argv[i + 1];
	}
	return NULL;
}

static const struct admin_command *
find_command(const char *name)
{
	for (size_t t = 0; t < TABLES; t++) {
		for (const struct admin_command *c = tables[t]; c->name; c++) {
			if (strcmp(c->name, name) == 0)
				return c;
		}
	}
	return NULL;
}

/* ---- running a command */

/* In memory: the daemon's own file is not ours to write.  It is a good
 * beginning; what the log has behind it is followed here, so a command decides
 * by all that is logged. */
static enum status
open_feed(struct admin *a, const char *copy)
{
	struct feed_config fc = {
		.copy = copy, .centre = a->centre, .roster = a->roster
	};
	uint64_t done = 0;
	enum status st = feed_open(&a->feed, &fc);

	return st == ST_OK ? feed_follow(a->feed, 0, &done) : st;
}

static enum status
open_court(struct admin *a, char errmsg[CENTRE_ERRMSG_LEN])
{
	struct centre_config cc = { .dir = a->dir,
		.port = port_system(),
		.public_minute = (int)a->config.public_hour * 60,
		.public_offset_min = (int)a->config.utc_offset_min };
	struct buf path;
	enum status st;

	st = centre_open(&a->centre, &cc, errmsg);
	if (st == ST_OK)
		st = roster_open(&a->roster, a->centre);
	if (st != ST_OK)
		return st;
	buf_init(&path, 4096);
	buf_printf(&path, "%s/feed.db", a->dir);
	st = buf_cstr(&path) == NULL ? path.err
				     : open_feed(a, (const char *)path.p);
	buf_free(&path);
	/* Damaged inside: all of the log, then. */
	if (st == ST_CORRUPT) {
		feed_close(a->feed);
		a->feed = NULL;
		st = open_feed(a, NULL);
	}
	return st;
}

static int
run_open(struct admin *a, const struct admin_command *c)
{
	char errmsg[CENTRE_ERRMSG_LEN] = "";
	enum status st = open_court(a, errmsg);
	int rc;

	if (st == ST_OK)
		rc = c->run(a);
	else
		rc = admin_fail(a, errmsg[0] == '\0' ? a->dir : errmsg, st);
	feed_close(a->feed);
	if (a->centre != NULL && centre_flush(a->centre) != ST_OK)
		(void)fprintf(stderr, "counters were not written\n");
	centre_close(a->centre);
	roster_close(a->roster);
	return rc;
}

/* Asked for with --help: of one command, or of all. */
static bool
helped(int argc, char **argv)
{
	const struct admin_command *c = argc > 1 ? find_command(argv[1]) : NULL;
	bool asked = false;

	for (int i = 1; i < argc; i++)
		asked |= strcmp(argv[i], "--help") == 0;
	if (asked && c == NULL)
		usage(stdout);
	else if (asked)
		usage_line(stdout, c);
	if (asked && c != NULL && strcmp(c->name, "run") == 0)
		usage_options(stdout);
	return asked;
}

int
main(int argc, char **argv)
{
	static struct admin a;
	char why[CONFIG_WORDS_MAX] = "";
	const struct admin_command *c;
	int rc;

	if (sodium_init() < 0)
		return ADMIN_FAILED;
	/* The keys of the log and of the CA are not for a core file. */
	if (secret_no_dumps() != ST_OK)
		(void)fprintf(stderr, "注意：未能关闭内存转储\n"
				      "notice: core dumps stay on\n");
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("daybreak-server " DAYBREAK_VERSION);
		return ADMIN_DONE;
	}
	if (helped(argc, argv))
		return ADMIN_DONE;
	if (argc < 2) {
		usage(stderr);
		return ADMIN_USAGE;
	}
	c = find_command(argv[1]);
	if (c == NULL)
		return wrong_line("没有此命令 no such command", argv[1], NULL);
	a.dir = find_dir(argc, argv);
	if (a.dir == NULL)
		return wrong_line("缺少选项 wants the option", "--dir D", c);
	for (const struct admin_command *x = admin_decide_commands; x->name;
	     x++)
		a.takes_words = a.takes_words || x == c;
	a.takes_words = a.takes_words || c == admin_evidence_commands ||
			c == admin_print_commands;
	if (config_load(&a.config, port_system(), a.dir, why) != ST_OK)
		return admin_refuse(&a, "配置有误", why);
	for (int i = 2; i < argc;) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		int took = take_option(&a, argv[i], value, why);

		if (took == 0) {
			if (why[0] != '\0')
				return admin_refuse(&a, "选项有误", why);
			return wrong_line("没有此选项，或缺少它的值 no such "
					  "option, or its value is missing",
			    argv[i], c);
		}
		i += took;
	}
	rc = c->open ? run_open(&a, c) : c->run(&a);
	if (fflush(stdout) != 0)
		rc = ADMIN_FAILED;
	return rc;
}
