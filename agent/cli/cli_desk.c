/* cli_desk: clock codes, and recorders' cards at a desk. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/cli/cli.h"
#include "agent/cli/columns.h"
#include "agent/core/desk.h"
#include "base/enc.h"
#include "entry/json.h"
#include "pdf/qr_text.h"

enum { SHOWN_S = 10, SHOWN_MAX_S = 60, QUIET = 4, RECS_MAX = 64 };

/* ---- clock codes */

static void
put_code_json(const struct agent_clock *k, const char *rec, const char *text,
    uint64_t wall_ms)
{
	char hex[2 * ID_LEN + 1];

	hex_encode(hex, bytes_of(k->entry, ID_LEN));
	(void)printf("{\"code\":\"%s\",\"entry\":\"%s\",\"rec\":\"%s\","
		     "\"wall\":%" PRIu64 "}\n",
	    text, hex, rec, wall_ms);
}

static int
put_code(
    const struct agent_clock *k, const char *text, uint64_t wall_ms, bool clear)
{
	char at[32];
	struct buf b;
	int rc = CLI_DONE;

	buf_init(&b, 65536);
	if (qr_text(text, true, QUIET, &b) != ST_OK)
		rc = CLI_FAILED;
	at_format(at, wall_ms, 480);
	if (rc == CLI_DONE) {
		if (clear)
			(void)fputs("\033[H\033[2J", stdout);
		(void)fwrite(b.p, 1, b.len, stdout);
		(void)printf("%s  %.4s\n请把本屏对准执法记录仪 hold this "
			     "before the recorder\n",
		    at, k->nonce);
	}
	buf_free(&b);
	return rc;
}

/* "10": seconds; 0 where it is none, or too long. */
static unsigned
read_seconds(const char *text)
{
	char *end;
	unsigned long v = text == NULL ? SHOWN_S : strtoul(text, &end, 10);

	if (text != NULL && (*end != '\0' || text[0] < '0' || text[0] > '9'))
		return 0;
	return v <= SHOWN_MAX_S ? (unsigned)v : 0;
}

static int
run_clock_code(struct cli *c)
{
	const struct timespec second = { .tv_sec = 1 };
	unsigned seconds = read_seconds(c->seconds);
	bool clear = !c->json && isatty(STDOUT_FILENO) != 0;
	struct agent_clock k;
	enum status st;
	int rc = CLI_DONE;

	if (seconds == 0)
		return cli_refuse(
		    c, "--for 为 1 至 60 秒", "--for takes 1 to 60 seconds");
	st = agent_clock_begin(c->agent, c->argv[0], &k);
	if (st != ST_OK)
		return cli_fail(c, st);
	for (unsigned i = 0; i < seconds && rc == CLI_DONE; i++) {
		char text[CLOCK_TEXT_MAX + 1];
		uint64_t wall_ms;

		agent_clock_text(c->agent, &k, text, &wall_ms);
		if (c->json)
			put_code_json(&k, c->argv[0], text, wall_ms);
		else
			rc = put_code(&k, text, wall_ms, clear);
		(void)fflush(stdout);
		if (i + 1 < seconds)
			(void)nanosleep(&second, NULL);
	}
	return rc;
}

/* ---- one file, for people */

/* Of ms: "12:30", "1:02:03". */
static void
put_length(int64_t ms)
{
	char text[32] = "";
	int64_t s = ms / 1000;

	if (ms >= 3600000)
		(void)snprintf(text, sizeof(text),
		    "%" PRId64 ":%02" PRId64 ":%02" PRId64, s / 3600,
		    s / 60 % 60, s % 60);
	else if (ms >= 0)
		(void)snprintf(text, sizeof(text), "%" PRId64 ":%02" PRId64,
		    s / 60, s % 60);
	columns_pad(stdout, bytes_str(text), 9);
}

/* What was added to a clock: "+0.2 s", "+8:00:00", "-7 d 0:03:10". */
static void
off_words(char *out, size_t cap, int64_t ms)
{
	int64_t s = (llabs(ms) + 500) / 1000;
	char sign = ms < 0 ? '-' : '+', days[32] = "";

	if (s < 60) {
		(void)snprintf(out, cap, "%+.1f s", (double)ms / 1000);
		return;
	}
	if (s >= 86400)
		(void)snprintf(days, sizeof(days), "%" PRId64 " d ", s / 86400);
	(void)snprintf(out, cap, "%c%s%" PRId64 ":%02" PRId64 ":%02" PRId64,
	    sign, days, s / 3600 % 24, s / 60 % 60, s % 60);
}

static void
put_clock(const struct json *j)
{
	char text[64], line[96], off[64];

	if (!json_member_text(j, 0, "clock", text, sizeof(text)))
		return;
	off_words(off, sizeof(off), json_int(j, 0, "clock_off_ms", 0));
	if (strcmp(text, "unchecked") == 0)
		(void)snprintf(line, sizeof(line), "时钟未核对 unchecked");
	else
		(void)snprintf(line, sizeof(line), "%s %s",
		    strcmp(text, "code") == 0 ? "时钟码 code" : "人工 by hand",
		    off);
	columns_pad(stdout, bytes_str(line), 28);
}

/* While a card is read: whose clock is checked is known at its end. */
static void
put_seen(const struct json *j)
{
	columns_pad(stdout,
	    bytes_str(
		json_int(j, 0, "seen", 0) > 0 ? "拍到时钟码 code seen" : ""),
	    28);
}

static void
put_file(const struct json *j, bool scanning)
{
	char text[8192], at[32] = "";

	(void)json_member_text(j, 0, "digest", text, sizeof(text));
	columns_pad(
	    stdout, bytes_of(text, strlen(text) < 12 ? strlen(text) : 12), 14);
	(void)json_member_text(j, 0, "type", text, sizeof(text));
	columns_pad(stdout, bytes_str(text), 18);
	cli_put_size(json_int(j, 0, "size", -1), 10);
	if (json_member_text(j, 0, "made", text, sizeof(text)) &&
	    strlen(text) >= 19) {
		memcpy(at, text, 10);
		at[10] = ' ';
		memcpy(at + 11, text + 11, 8);
		at[19] = '\0';
	}
	columns_pad(stdout, bytes_str(at), 21);
	put_length(json_int(j, 0, "length_ms", -1));
	if (scanning)
		put_seen(j);
	else
		put_clock(j);
	(void)json_member_text(j, 0, "name", text, sizeof(text));
	columns_put(stdout, bytes_str(text));
	if (json_member_text(j, 0, "recorder", text, sizeof(text))) {
		(void)fputs("  记录仪 recorder ", stdout);
		columns_put(stdout, bytes_str(text));
	}
	if (json_bool(j, 0, "damaged", false))
		(void)fputs("  录像已损坏 damaged", stdout);
	if (json_member_text(j, 0, "made_from", text, sizeof(text)) &&
	    strcmp(text, "file") == 0)
		(void)fputs("  时间取自文件 by the file's time", stdout);
	if (!scanning && json_bool(j, 0, "clock_far", false))
		(void)fputs("  时钟差超过 26 小时，可能翻拍了旧时钟码：须写明记"
			    "录，逐个确认 clock off by more than 26 hours, or "
			    "an old code shown again: confirm it by itself, "
			    "with its records",
		    stdout);
	if (!scanning && json_int(j, 0, "codes", 0) > 0)
		(void)fputs("  有时钟码，但本机没有与它对应的备注：出示它的手"
			    "持机尚未同步，或者不是真的 a clock code of which "
			    "no note is here: its handheld has not synced, or "
			    "it is false",
		    stdout);
	if (json_member_text(j, 0, "reason", text, sizeof(text))) {
		(void)fputs("  不归入 refused: ", stdout);
		columns_put(stdout, bytes_str(text));
	}
	(void)fputc('\n', stdout);
}

static void
put_proposals(const struct json *j)
{
	static const struct {
		const char *as, *words;
	} sure[] = { { "sure", "确定 sure" }, { "likely", "很可能 likely" },
		{ "possible", "可能 possible" } };
	uint32_t n = json_get_typed(j, 0, "proposed", JSON_ARRAY);
	uint32_t had = json_get_typed(j, 0, "attached", JSON_ARRAY);
	char text[8192];

	for (uint32_t i = had == 0 ? 0 : json_first(j, had);
	     i != 0 && i != json_end(j, had); i = j->node[i].next)
		(void)printf("      已归入 attached  %.*s\n",
		    (int)json_raw(j, i).len, (const char *)json_raw(j, i).p);
	for (uint32_t i = n == 0 ? 0 : json_first(j, n);
	     i != 0 && i != json_end(j, n); i = j->node[i].next) {
		(void)fputs("      ", stdout);
		(void)json_member_text(j, i, "as", text, sizeof(text));
		for (size_t w = 0; w < sizeof(sure) / sizeof(sure[0]); w++) {
			if (strcmp(sure[w].as, text) == 0)
				columns_pad(
				    stdout, bytes_str(sure[w].words), 17);
		}
		(void)json_member_text(j, i, "rec", text, sizeof(text));
		(void)printf("%s  ", text);
		(void)json_member_text(j, i, "label", text, sizeof(text));
		columns_put(stdout, bytes_str(text));
		(void)fputc('\n', stdout);
	}
}

/* ---- scan */

static const char *const met_words[DESK_MET_COUNT] = { "已读 read",
	"已读，损坏 damaged", "读过 known", "不是影音 other",
	"不是文件 no file", "读不出 unreadable", "太深 too deep",
	"已拔出 gone" };

/* What a scan is at, on a terminal: one line, written over. */
static void
tell_reading(void *arg, const char *name, uint64_t done, uint64_t size)
{
	(void)arg;
	(void)fputs("\r\033[K", stderr);
	if (done < size || size == 0)
		(void)fprintf(stderr, "读取中 reading %3d %%  ",
		    size == 0 ? 0 : (int)(100.0 * (double)done / (double)size));
	else
		(void)fputs("找时钟码 looking for a code  ", stderr);
	columns_pad(stderr, bytes_str(name), 40);
	(void)fflush(stderr);
}

static void
tell_met(void *arg, enum desk_met met, const char *name, struct bytes doc)
{
	const struct cli *c = arg;
	struct json j;

	if (isatty(STDERR_FILENO) != 0)
		(void)fputs("\r\033[K", stderr);
	if (c->json) {
		struct buf b;

		buf_init(&b, 1 << 16);
		buf_printf(&b, "{\"met\":\"%s\",\"name\":", desk_met_word(met));
		json_put_str(&b, name);
		if (doc.len > 0) {
			buf_str(&b, ",\"file\":");
			buf_bytes(&b, bytes_of(doc.p, doc.len - 1));
		}
		buf_u8(&b, '}');
		if (buf_cstr(&b) != NULL)
			(void)puts((const char *)b.p);
		buf_free(&b);
		return;
	}
	columns_pad(stdout, bytes_str(met_words[met]), 22);
	json_init(&j);
	if (doc.len > 0 && json_parse(&j, doc, JSON_DOCUMENT) == ST_OK) {
		put_file(&j, true);
	} else {
		columns_put(stdout, bytes_str(name));
		(void)fputc('\n', stdout);
	}
	json_free(&j);
}

static void
put_counts(const struct cli *c, const struct desk_counts *n)
{
	if (c->json) {
		(void)printf("{\"bytes\":%" PRIu64 ",\"counts\":{", n->bytes);
		for (int i = 0; i < DESK_MET_COUNT; i++)
			(void)printf("%s\"%s\":%" PRIu64, i > 0 ? "," : "",
			    desk_met_word((enum desk_met)i), n->met[i]);
		(void)puts("}}");
		return;
	}
	for (int i = 0; i < DESK_MET_COUNT; i++) {
		if (n->met[i] > 0)
			(void)fprintf(stderr, "%s %" PRIu64 "  ", met_words[i],
			    n->met[i]);
	}
	(void)fputs("\n", stderr);
}

static int
desk_scan(struct cli *c)
{
	char film[4096];
	struct desk_card card = { .folder = c->argv[1],
		.recorder = c->recorder,
		.filmed_by = c->filmed_by,
		.film = cli_beside("daybreak-film", film, sizeof(film)),
		.reading = isatty(STDERR_FILENO) != 0 ? tell_reading : NULL };
	struct desk_counts n;
	enum status st = agent_desk_scan(c->agent, &card, tell_met, c, &n);

	put_counts(c, &n);
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
}

/* ---- the rest */

static int
desk_list(struct cli *c)
{
	const char *file = c->argc > 1 ? c->argv[1] : NULL;
	struct bytes lines;
	struct json j;
	struct buf b;
	enum status st;

	buf_init(&b, (size_t)256 << 20);
	st = agent_desk_list(c->agent, file, &b);
	if (st != ST_OK || c->json)
		return cli_print(c, st, &b);
	lines = buf_view(&b);
	json_init(&j);
	if (lines.len == 0)
		(void)puts("（没有读过存储卡 no card was read）");
	while (lines.len > 0) {
		const uint8_t *lf = memchr(lines.p, '\n', lines.len);
		size_t len =
		    lf == NULL ? lines.len : (size_t)(lf - lines.p) + 1;

		if (json_parse(&j, bytes_of(lines.p, len), JSON_DOCUMENT) ==
		    ST_OK) {
			put_file(&j, false);
			put_proposals(&j);
		}
		lines.p += len;
		lines.len -= len;
	}
	json_free(&j);
	buf_wipe(&b);
	return CLI_DONE;
}

static int
desk_clock(struct cli *c)
{
	unsigned long long at;
	char *end;
	enum status st;

	if (c->argc < 4)
		return cli_refuse(c, "用法：desk clock FILE 毫秒 时间",
		    "desk clock FILE MILLISECONDS TIME");
	at = strtoull(c->argv[2], &end, 10);
	if (*end != '\0' || c->argv[2][0] < '0' || c->argv[2][0] > '9')
		return cli_refuse(c, "录像中的位置以毫秒计",
		    "the moment in the film is given in milliseconds");
	st = agent_desk_clock(c->agent, c->argv[1], at, c->argv[3]);
	return st == ST_OK ? desk_list(c) : cli_fail(c, st);
}

struct done {
	struct cli *c;
	size_t count, failed;
};

static void
tell_done(void *arg, const char *digest, const char *rec, enum status st,
    const char *id)
{
	struct done *d = arg;

	d->count += st == ST_OK && id != NULL;
	d->failed += st != ST_OK;
	if (st != ST_OK) {
		(void)fprintf(stderr, "%.12s → %s: ", digest, rec);
		(void)cli_fail(d->c, st);
	} else if (d->c->json) {
		(void)printf(
		    "{\"digest\":\"%s\",\"id\":%s%s%s,\"rec\":\"%s\"}\n",
		    digest, id == NULL ? "" : "\"", id == NULL ? "null" : id,
		    id == NULL ? "" : "\"", rec);
	} else {
		(void)printf("%.12s → %s  %s\n", digest, rec,
		    id == NULL ? "已有 there already" : id);
	}
}

static int
desk_confirm(struct cli *c)
{
	struct done d = { .c = c };
	enum status st;

	if (c->all ? c->argc > 1 : c->argc < 2 || c->argc > 2 + RECS_MAX)
		return cli_refuse(c,
		    "用法：desk confirm FILE [REC…]，或 desk confirm --all",
		    "desk confirm FILE [REC…], or desk confirm --all");
	st = agent_desk_confirm(c->agent, c->all ? NULL : c->argv[1],
	    &c->argv[2], c->all ? 0 : (size_t)c->argc - 2, tell_done, &d);
	if (!c->json && d.count > 0)
		(void)fprintf(stderr,
		    "已归入 %zu 处，内容随后上传 attached %zu times; the bytes "
		    "follow\n",
		    d.count, d.count);
	if (st != ST_OK && d.failed > 0)
		return CLI_FAILED; /* each was told */
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
}

static int
desk_refuse(struct cli *c)
{
	enum status st;

	if (c->argc < 2 || c->reason == NULL)
		return cli_refuse(c, "用法：desk refuse FILE --reason 理由",
		    "desk refuse FILE --reason TEXT");
	st = agent_desk_refuse(c->agent, c->argv[1], c->reason);
	return st == ST_OK ? desk_list(c) : cli_fail(c, st);
}

static int
run_desk(struct cli *c)
{
	static const struct {
		const char *word;
		int args_min;
		int (*run)(struct cli *c);
	} what[] = { { "scan", 2, desk_scan }, { "list", 1, desk_list },
		{ "clock", 2, desk_clock }, { "confirm", 1, desk_confirm },
		{ "refuse", 2, desk_refuse } };

	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		if (strcmp(c->argv[0], what[i].word) == 0 &&
		    c->argc >= what[i].args_min)
			return what[i].run(c);
	}
	return cli_refuse(c,
	    "用法：desk scan 文件夹 | list | clock | confirm | refuse",
	    "desk scan FOLDER | list | clock | confirm | refuse");
}

const struct cli_command cli_desk_commands[] = {
	{ "clock-code", 1, CLI_KEYS, run_clock_code, "REC [--for SECONDS]",
	    "出示时钟码，供执法记录仪拍下", "show a clock code to a recorder" },
	{ "desk", 1, CLI_KEYS, run_desk,
	    "scan FOLDER [--recorder NO] [--filmed-by ID] | list [FILE] | "
	    "clock FILE MS TIME | confirm FILE [REC…] | confirm --all | "
	    "refuse FILE --reason R",
	    "读执法记录仪的存储卡，归入记录",
	    "recorders' cards: read, file in records" },
	{ NULL, 0, CLI_NO_KEYS, NULL, NULL, NULL, NULL },
};
