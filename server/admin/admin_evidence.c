/* admin_evidence: files at the centre: what there is, whose it was, how long it
 * is kept. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/entry.h"
#include "entry/json.h"
#include "entry/path.h"
#include "server/admin/admin_upkeep.h"
#include "server/evidence/custody.h"
#include "server/evidence/retention.h"

struct work {
	struct admin *a;
	struct evidence *ev;
	struct centre_reader *reader;
	struct feed_reader *feed; /* borrowed */
	struct kinds *kinds;
	struct rules *rules;
	struct fold *fold;
	size_t count;
	bool doing; /* purge: for good */
};

static enum status
work_open(struct work *w, struct admin *a)
{
	struct evidence_config ec = { .dir = a->dir,
		.centre = a->centre,
		.port = port_system(),
		.memory = true };
	struct fold_config fc;
	char why[EVIDENCE_ERRMSG_LEN];
	uint64_t done;
	enum status st;

	memset(w, 0, sizeof(*w));
	w->a = a;
	st = evidence_open(&w->ev, &ec, why);
	if (st == ST_OK)
		st = evidence_follow(w->ev, 0, &done);
	if (st == ST_OK)
		st = centre_reader_open(&w->reader, a->centre);
	if (st == ST_OK)
		st = kinds_load_builtin(&w->kinds);
	if (st == ST_OK)
		st = rules_load_builtin(&w->rules, w->kinds);
	fc = (struct fold_config){ .kinds = w->kinds,
		.rules = w->rules,
		.reader = w->reader,
		.feed = feed_inside(a->feed),
		.utc_offset_min = (int)a->config.utc_offset_min };
	return st == ST_OK ? fold_new(&w->fold, &fc) : st;
}

static void
work_close(struct work *w)
{
	fold_free(w->fold);
	rules_free(w->rules);
	kinds_free(w->kinds);
	centre_reader_close(w->reader);
	evidence_close(w->ev);
}

/* A word of the command line that must be there. */
static bool
needs_word(const struct admin *a, size_t i, const char *what)
{
	if (a->word_count > i)
		return true;
	(void)fprintf(stderr, "缺少 missing: %s\n", what);
	return false;
}

static bool
read_digest(const struct admin *a, const char *text, uint8_t out[HASH_LEN])
{
	if (hex_decode(out, HASH_LEN, bytes_str(text)) == ST_OK)
		return true;
	(void)admin_refuse(a, "哈希值写法不对", "a SHA-256 is 64 hex digits");
	return false;
}

static void
put_line(struct buf *b)
{
	if (buf_cstr(b) != NULL)
		(void)puts((const char *)b->p);
	buf_free(b);
}

/* ---- list */

static enum status
put_file(void *arg, const uint8_t digest[HASH_LEN])
{
	struct work *w = arg;
	struct custody_named n;
	struct evidence_status s;
	char hex[2 * HASH_LEN + 1];
	struct buf b;
	enum status st = evidence_status(w->ev, digest, &s);

	if (st == ST_OK)
		st = custody_named(w->ev, w->reader, digest, &n);
	if (st != ST_OK)
		return st;
	w->count++;
	hex_encode(hex, bytes_of(digest, HASH_LEN));
	buf_init(&b, 4096);
	if (w->a->json) {
		buf_str(&b, "{\"name\":");
		json_put_str(&b, n.name);
		buf_printf(&b,
		    ",\"sha256\":\"%s\",\"size\":%" PRIu64
		    ",\"state\":\"%s\",\"type\":",
		    hex, s.size, evidence_state_word(s.state));
		json_put_str(&b, n.type);
		buf_u8(&b, '}');
	} else {
		buf_printf(&b, "%s  %s  %s  %s", hex,
		    evidence_state_word(s.state), n.type, n.name);
	}
	put_line(&b);
	return ST_OK;
}

static int
list(struct work *w)
{
	enum status st;

	if (!needs_word(w->a, 1, "REC"))
		return ADMIN_USAGE;
	if (!path_is_rec(bytes_str(w->a->word[1])))
		return admin_refuse(
		    w->a, "记录号写法不对", "that is no record's id");
	st = custody_of_record(w->ev, w->a->word[1], put_file, w);
	return st == ST_OK ? ADMIN_DONE : admin_fail(w->a, "evidence", st);
}

/* ---- show */

static enum status
put_step(void *arg, const struct custody_step *s)
{
	struct work *w = arg;
	int offset = (int)w->a->config.utc_offset_min;
	char at[32];
	struct buf b;

	w->count++;
	buf_init(&b, 2 * ENTRY_BYTES_MAX);
	if (w->a->json) {
		custody_json(&b, s, offset);
	} else {
		at_format(at, s->wall, offset);
		buf_printf(&b, "%s  %s %s  位置 place %" PRIu64 "  %s %s%s%s",
		    at, custody_word_zh(s->what), custody_word(s->what),
		    s->place, s->by, s->dev, s->reason.len > 0 ? "  " : "", "");
		buf_bytes(&b, s->reason);
	}
	put_line(&b);
	return ST_OK;
}

static int
show(struct work *w)
{
	uint8_t digest[HASH_LEN];
	enum status st;

	if (!needs_word(w->a, 1, "DIGEST"))
		return ADMIN_USAGE;
	if (!read_digest(w->a, w->a->word[1], digest))
		return ADMIN_FAILED;
	st = custody_each(w->ev, w->reader, digest, put_step, w);
	if (st == ST_OK && w->count == 0)
		return admin_refuse(w->a, "日志中没有此文件",
		    "the log says nothing of that file");
	return st == ST_OK ? ADMIN_DONE : admin_fail(w->a, "evidence", st);
}

/* ---- keep, hold, release */

static void
put_rec(const struct admin *a, const char *rec)
{
	if (a->json)
		(void)printf("{\"rec\":\"%s\"}\n", rec);
	else
		(void)printf("已登记 logged: %s\n", rec);
}

static int
keep(struct work *w)
{
	const struct admin *a = w->a;
	char rec[REC_LEN + 1], text[64];
	int64_t ms = 0;
	int offset;
	enum status st;

	if (!admin_needs(a, "--case", a->case_no) ||
	    !admin_needs(a, "--until", a->until))
		return ADMIN_USAGE;
	/* A day alone is its end, in the court's zone. */
	if (strlen(a->until) == 10) {
		int off = (int)a->config.utc_offset_min;

		(void)snprintf(text, sizeof(text), "%sT23:59:59%c%02d:%02d",
		    a->until, off < 0 ? '-' : '+', abs(off) / 60,
		    abs(off) % 60);
	} else {
		(void)snprintf(text, sizeof(text), "%.60s", a->until);
	}
	if (at_parse(&ms, &offset, bytes_str(text)) != ST_OK || ms < 0)
		return admin_refuse(a, "日期写法不对",
		    "--until is a day, 2031-06-30, or a time with offset");
	st = retention_keep(w->ev, a->case_no, (uint64_t)ms, a->by, rec);
	if (st != ST_OK)
		return admin_fail(a, "evidence keep", st);
	put_rec(a, rec);
	return ADMIN_DONE;
}

static int
hold(struct work *w)
{
	const struct admin *a = w->a;
	char rec[REC_LEN + 1];
	enum status st;

	if (!admin_needs(a, "--case", a->case_no) ||
	    !admin_needs(a, "--reason", a->reason))
		return ADMIN_USAGE;
	st = retention_hold(w->ev, a->case_no, a->reason, a->by, rec);
	if (st != ST_OK)
		return admin_fail(a, "evidence hold", st);
	put_rec(a, rec);
	return ADMIN_DONE;
}

static int
release(struct work *w)
{
	const struct admin *a = w->a;
	enum status st;

	if (!admin_needs(a, "--record", a->record) ||
	    !admin_needs(a, "--reason", a->reason))
		return ADMIN_USAGE;
	st = retention_release(w->ev, a->record, a->reason, a->by);
	if (st == ST_ABSENT || st == ST_CONFLICT)
		return admin_refuse(a, "没有这项冻结，或已解除",
		    "there is no such hold, or it is released already");
	if (st != ST_OK)
		return admin_fail(a, "evidence release", st);
	put_rec(a, a->record);
	return ADMIN_DONE;
}

/* ---- purge */

static enum status
put_judged(void *arg, const uint8_t digest[HASH_LEN], enum retention_why why,
    const char *case_no)
{
	struct work *w = arg;
	const struct admin *a = w->a;
	char hex[2 * HASH_LEN + 1];
	bool gone = false;
	struct buf b;
	enum status st = ST_OK;

	hex_encode(hex, bytes_of(digest, HASH_LEN));
	if (why == RETENTION_MAY_GO && w->doing) {
		st = retention_purge(w->ev, w->fold, digest, a->reason, a->by);
		gone = st == ST_OK;
	}
	if (st != ST_OK)
		return st;
	w->count += why == RETENTION_MAY_GO;
	buf_init(&b, 4096);
	if (a->json) {
		buf_str(&b, "{\"case\":");
		json_put_str(&b, case_no);
		buf_printf(&b,
		    ",\"purged\":%s,\"sha256\":\"%s\",\"why\":\"%s\""
		    ",\"zh\":\"%s\"}",
		    gone ? "true" : "false", hex, retention_word(why),
		    retention_word_zh(why));
	} else {
		buf_printf(&b, "%s  %s %s  %s%s", hex, retention_word_zh(why),
		    retention_word(why), case_no,
		    gone ? "  已清除 purged" : "");
	}
	put_line(&b);
	return ST_OK;
}

/* Without --confirm it says what would go, and why the rest stays. */
static int
purge(struct work *w)
{
	enum status st;

	w->doing = w->a->confirm;
	if (w->doing && !admin_needs(w->a, "--reason", w->a->reason))
		return ADMIN_USAGE;
	st = retention_each(w->ev, w->fold, put_judged, w);
	if (st != ST_OK)
		return admin_fail(w->a, "evidence purge", st);
	if (!w->doing && !w->a->json)
		(void)printf("可清除 may go: %zu；加 --confirm --reason R 执行 "
			     "to do it\n",
		    w->count);
	return ADMIN_DONE;
}

/* ---- copy */

/* What was deleted here lies in that copy still. */
static enum status
put_left(void *arg, const uint8_t digest[HASH_LEN])
{
	const struct admin *a = arg;
	char hex[2 * HASH_LEN + 1];

	hex_encode(hex, bytes_of(digest, HASH_LEN));
	if (a->json)
		(void)printf("{\"left\":\"%s\"}\n", hex);
	else
		(void)printf(
		    "%s  已按期清除，请在另存处删除 purged by the log: "
		    "delete it there too\n",
		    hex);
	return ST_OK;
}

enum status
admin_put_left(struct admin *a, struct evidence *ev, const char *copy)
{
	return evidence_left(ev, copy, put_left, a);
}

/* One file, for somebody: the log says it first. */
static int
copy_one(struct work *w, const char *hex)
{
	const struct admin *a = w->a;
	struct custody_copying how = {
		.to = a->out, .who = a->by, .reason = a->reason
	};
	uint8_t digest[HASH_LEN];
	uint64_t bytes;
	enum status st;

	if (!read_digest(a, hex, digest))
		return ADMIN_FAILED;
	if (!admin_needs(a, "--by", a->by))
		return ADMIN_USAGE;
	st = custody_copy(w->ev, digest, &how, &bytes);
	if (st == ST_ABSENT)
		return admin_refuse(a,
		    "中心没有此文件（evidence show 可查去向）",
		    "that file is not stored here: evidence show says what "
		    "became of it");
	if (st == ST_CONFLICT)
		return admin_refuse(a, "该文件名已有文件，不覆盖",
		    "something stands under that name; it is not overwritten");
	if (st == ST_CORRUPT)
		(void)admin_refuse(a, "文件在中心已损坏，未复制：请运行 check",
		    "the file is damaged here and was not copied: run check");
	else if (st != ST_OK)
		return admin_fail(a, "evidence copy", st);
	if (st != ST_OK)
		return ADMIN_DAMAGE;
	if (a->json)
		(void)printf("{\"bytes\":%" PRIu64
			     ",\"copied\":1,\"sha256\":\"%s\"}\n",
		    bytes, hex);
	else
		(void)printf(
		    "已复制，哈希值相符，日志已记 copied, its digest is "
		    "right, and logged: %" PRIu64 " bytes\n",
		    bytes);
	return ADMIN_DONE;
}

static int
copy(struct work *w)
{
	struct evidence_copied n;
	enum status st;

	if (!admin_needs(w->a, "--out", w->a->out))
		return ADMIN_USAGE;
	if (w->a->word_count > 1)
		return copy_one(w, w->a->word[1]);
	st = evidence_copy(w->ev, w->a->out, &n);
	if (st == ST_OK && n.left > 0)
		st = admin_put_left(w->a, w->ev, w->a->out);
	if (w->a->json)
		(void)printf("{\"bytes\":%" PRIu64 ",\"copied\":%" PRIu64
			     ",\"damaged\":%" PRIu64 ",\"left\":%" PRIu64
			     ",\"there\":%" PRIu64 "}\n",
		    n.bytes, n.copied, n.damaged, n.left, n.there);
	else
		(void)printf("复制 copied %" PRIu64 " 个 files, 已有 there "
			     "%" PRIu64 ", 损坏未复制 damaged %" PRIu64 "\n",
		    n.copied, n.there, n.damaged);
	if (st != ST_OK)
		return admin_fail(w->a, "evidence copy", st);
	return n.damaged > 0 ? ADMIN_DAMAGE : ADMIN_DONE;
}

/* ---- bring */

static int
bring(struct work *w)
{
	const struct admin *a = w->a;
	struct evidence_copied n;
	enum status st;

	if (!admin_needs(a, "--from", a->from))
		return ADMIN_USAGE;
	st = evidence_bring(w->ev, a->from, &n);
	if (st == ST_OK && n.left > 0)
		st = admin_put_left(w->a, w->ev, a->from);
	if (st == ST_ABSENT)
		return admin_refuse(a, "没有这个文件夹", "no such folder");
	if (a->json)
		(void)printf("{\"brought\":%" PRIu64 ",\"bytes\":%" PRIu64
			     ",\"damaged\":%" PRIu64 ",\"left\":%" PRIu64
			     ",\"there\":%" PRIu64 "}\n",
		    n.copied, n.bytes, n.damaged, n.left, n.there);
	else
		(void)printf("取回 brought %" PRIu64 " 个 files, 已有 there "
			     "%" PRIu64 ", 损坏未取 damaged %" PRIu64 "\n",
		    n.copied, n.there, n.damaged);
	if (st != ST_OK)
		return admin_fail(a, "evidence bring", st);
	return n.damaged > 0 ? ADMIN_DAMAGE : ADMIN_DONE;
}

static const struct {
	const char *word;
	int (*run)(struct work *w);
} actions[] = {
	{ "list", list },
	{ "show", show },
	{ "keep", keep },
	{ "hold", hold },
	{ "release", release },
	{ "purge", purge },
	{ "copy", copy },
	{ "bring", bring },
};

static int
run_evidence(struct admin *a)
{
	struct work w;
	enum status st;
	int rc = ADMIN_USAGE;

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (a->word_count == 0 ||
		    strcmp(a->word[0], actions[i].word) != 0)
			continue;
		st = work_open(&w, a);
		rc = st == ST_OK ? actions[i].run(&w)
				 : admin_fail(a, "evidence", st);
		work_close(&w);
		return rc;
	}
	(void)fprintf(stderr, "evidence list | show | keep | hold | release | "
			      "purge | copy | bring\n");
	return rc;
}

const struct admin_command admin_evidence_commands[] = {
	{ "evidence", true, run_evidence,
	    "list REC | show SHA256 | keep --case NO --until DAY | hold --case "
	    "NO --reason R | release --record REC --reason R | purge "
	    "[--confirm --reason R] | copy SHA256 --out FILE --by ID "
	    "[--reason R] | copy --out DIR | bring --from DIR  "
	    "[--by ID]",
	    "证据文件", "files: what there is, their custody, how long kept" },
	{ NULL, false, NULL, NULL, NULL, NULL },
};
