/* cli_status: how this device stands, for people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/columns.h"
#include "domain/when.h"
#include "domain/words.h"
#include "entry/json.h"

enum { LABEL_WIDTH = 18 };

/* "标签 label      中文  English"; the words are used up. */
static void
line(const char *label, struct words *w)
{
	columns_pad(stdout, bytes_str(label), LABEL_WIDTH);
	columns_put(stdout, bytes_str(w->zh));
	if (w->en[0] != '\0') {
		(void)fputs("  ", stdout);
		columns_put(stdout, bytes_str(w->en));
	}
	(void)fputc('\n', stdout);
	words_clear(w);
}

/* A string member in one line of its own. */
static void
text_line(
    const struct json *j, const char *label, const char *name, struct words *w)
{
	char text[512];

	if (!json_member_text(j, 0, name, text, sizeof(text)) ||
	    text[0] == '\0')
		return;
	words_zh(w, "%s", text);
	line(label, w);
}

static void
size_text(int64_t bytes, char out[32])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 1024 && u + 1 < sizeof(units) / sizeof(units[0])) {
		v /= 1024;
		u++;
	}
	(void)snprintf(out, 32, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
}

static void
queue_line(const struct json *j, struct words *w)
{
	long long n = json_int(j, 0, "queued", 0);
	int64_t age = json_int(j, 0, "oldest_queued_ms", -1);
	char zh[48], en[48];

	if (n == 0) {
		words_put(w, "没有待上传的条目", "nothing waits to be sent");
	} else if (age < 0) {
		words_zh(w, "%lld 条", n);
		words_en(w, "%lld wait to be sent", n);
	} else {
		ms_show(zh, age, true);
		ms_show(en, age, false);
		words_zh(w, "%lld 条，最早的已等 %s", n, zh);
		words_en(w, "%lld, the oldest for %s", n, en);
	}
	line("待上传 queued", w);
}

/* Files, where there are any: what is safe, what is to go, what needs eyes. */
static void
files_line(const struct json *j, struct words *w)
{
	uint32_t e = json_get_typed(j, 0, "evidence", JSON_OBJECT);
	long long safe, go, bad;
	double left;

	if (e == 0 ||
	    (json_int(j, e, "files", 0) == 0 && json_int(j, e, "lost", 0) == 0))
		return;
	safe = json_int(j, e, "stored", 0) + json_int(j, e, "purged", 0);
	go = json_int(j, e, "named", 0) + json_int(j, e, "uploading", 0);
	bad = json_int(j, e, "lost", 0) + json_int(j, e, "mismatched", 0);
	left = (double)json_int(j, e, "bytes_left", 0) / 1e6;
	words_zh(w, "中心已存 %lld，待回执 %lld，待上传 %lld（%.1f MB）", safe,
	    (long long)json_int(j, e, "waiting", 0), go, left);
	words_en(w, "stored %lld, waiting %lld, to go %lld (%.1f MB)", safe,
	    (long long)json_int(j, e, "waiting", 0), go, left);
	if (bad > 0) {
		words_zh(w, "；%lld 个已坏或不符，请看 evidence", bad);
		words_en(w, "; %lld lost or mismatched, see evidence", bad);
	}
	line("附件 files", w);
}

static void
receipt_line(const struct json *j, struct words *w)
{
	uint32_t r = json_get_typed(j, 0, "receipt", JSON_OBJECT);

	if (r == 0) {
		words_put(w, "尚无：中心还没有签收", "none yet");
	} else {
		long long seq = json_int(j, r, "seq", 0);
		long long place = json_int(j, r, "place", 0);

		words_zh(w, "本机第 %lld 条止，中心已存证（第 %lld 位）", seq,
		    place);
		words_en(w, "up to our entry %lld, at place %lld of the log",
		    seq, place);
	}
	line("回执 receipt", w);
}

static void
proof_line(const struct json *j, struct words *w)
{
	uint32_t p = json_get_typed(j, 0, "proof", JSON_OBJECT);
	char root[80];

	if (p == 0 || !json_member_text(j, p, "root", root, sizeof(root))) {
		words_put(w, "尚无检查点", "no checkpoint yet");
	} else {
		long long size = json_int(j, p, "size", 0);

		words_zh(w, "已验证至 %lld 条，根 %.16s…", size, root);
		words_en(
		    w, "verified up to size %lld, root %.16s…", size, root);
	}
	line("证明 proof", w);
}

static void
clock_line(const struct json *j, struct words *w)
{
	uint32_t n = json_get_typed(j, 0, "clock_offset_ms", JSON_INT);
	int64_t ms = n == 0 ? 0 : j->node[n].num;
	int64_t off = ms < 0 ? -ms : ms;
	char zh[48], en[48];

	ms_show(zh, off, true);
	ms_show(en, off, false);
	if (n == 0) {
		words_put(w, "未知：尚未同步", "not known before a sync");
	} else if (off < 2000) {
		words_put(w, "与中心一致", "as the centre's");
	} else {
		words_zh(w, "比中心%s %s", ms > 0 ? "慢" : "快", zh);
		words_en(w, "%s %s the centre's", en,
		    ms > 0 ? "behind" : "ahead of");
	}
	line("时钟 clock", w);
}

static void
disk_line(const struct json *j, struct words *w)
{
	uint32_t d = json_get_typed(j, 0, "disk", JSON_OBJECT);
	char file[32], left[32];

	if (d == 0)
		return;
	size_text(json_int(j, d, "file", 0), file);
	if (json_get_typed(j, d, "free", JSON_INT) == 0)
		(void)snprintf(left, sizeof(left), "?");
	else
		size_text(json_int(j, d, "free", 0), left);
	words_zh(w, "已用 %s，剩余 %s", file, left);
	words_en(w, "%s used, %s free", file, left);
	if (json_bool(j, d, "reserve_spent", false))
		words_put(w, "：空间已满，正用最后的预留，请立即同步并清理",
		    ": full; the last reserve is in use: sync and make room "
		    "now");
	else if (json_bool(j, d, "low", false))
		words_put(w, "：空间不足，请清理", ": low, make room");
	line("磁盘 disk", w);
}

static void
timers_line(const struct json *j, struct words *w)
{
	uint32_t t = json_get_typed(j, 0, "timers", JSON_OBJECT);
	long long n = t == 0 ? 0 : json_int(j, t, "running", 0);
	int64_t ms = n == 0 ? 0 : json_int(j, t, "left_ms", 0);
	char zh[48], en[48];

	ms_show(zh, ms < 0 ? -ms : ms, true);
	ms_show(en, ms < 0 ? -ms : ms, false);
	if (n == 0) {
		words_put(w, "无", "none");
	} else {
		words_zh(w,
		    ms < 0 ? "%lld 项，最急的已超 %s"
			   : "%lld 项，最急的还剩 %s",
		    n, zh);
		words_en(w,
		    ms < 0 ? "%lld, the first overdue by %s"
			   : "%lld, the first with %s left",
		    n, en);
	}
	line("计时 timers", w);
}

static void
counts(const struct json *j, struct words *w)
{
	long long records = json_int(j, 0, "records", 0);
	long long own = json_int(j, 0, "entries", 0);
	long long found = json_int(j, 0, "findings", 0);
	long long grave = json_int(j, 0, "grave", 0);
	long long alarms = json_int(j, 0, "alarms", 0);
	long long open = json_int(j, 0, "alarms_open", 0);

	words_zh(w, "%lld 条", own);
	words_en(w, "%lld of this device", own);
	line("条目 entries", w);
	if (json_bool(j, 0, "locked", false)) {
		words_put(w, "已锁定：给出口令可见更多",
		    "locked: with the passphrase there is more to see");
		line("锁 lock", w);
		return;
	}
	words_zh(w, "%lld 份", records);
	words_en(w, "%lld on this device", records);
	line("记录 records", w);
	words_zh(w, "%lld 项，其中严重 %lld 项", found, grave);
	words_en(w, "%lld, %lld of them grave", found, grave);
	line("问题 findings", w);
	timers_line(j, w);
	if (open > 0) {
		words_zh(w,
		    "%lld 件待查清：中心给出的证明曾不成立，请报告督察（alarm "
		    "list）",
		    open);
		words_en(w,
		    "%lld not answered: something did not prove; tell a "
		    "supervisor (alarm list)",
		    open);
	} else if (alarms > 0) {
		words_zh(w, "%lld 件，均已查清", alarms);
		words_en(w, "%lld, all answered", alarms);
	} else {
		words_put(w, "无", "none");
	}
	line("警报 alarms", w);
}

/* How the centre took what was sent last. */
static const struct {
	const char *word, *zh, *en;
} centre_words[] = {
	{ "gap", "中心在等更早的条目，会自动补发",
	    "it waits for earlier entries; they are sent again" },
	{ "held", "本机的条目被搁置待核，请照常记录",
	    "our entries are held for a supervisor; go on recording" },
	{ "refused", "中心拒绝了本机的签名，请报告",
	    "it refused our signature: tell a supervisor" },
	{ "quota", "今日上传已到限额", "today's quota is used up" },
	{ "later", "中心繁忙，其余稍后再传", "busy: the rest later" },
	{ "closed", "本机须重新入网", "this device must be enrolled anew" },
};

static void
centre_line(const struct json *j, struct words *w)
{
	char text[32];

	if (!json_member_text(j, 0, "centre", text, sizeof(text)))
		return;
	for (size_t i = 0; i < sizeof(centre_words) / sizeof(centre_words[0]);
	     i++) {
		if (strcmp(text, centre_words[i].word) == 0) {
			words_put(w, centre_words[i].zh, centre_words[i].en);
			line("中心 centre", w);
		}
	}
}

static void
put_status(struct bytes doc)
{
	struct words w;
	struct json j;

	words_clear(&w);
	json_init(&j);
	if (json_parse(&j, doc, JSON_DOCUMENT) != ST_OK ||
	    !json_bool(&j, 0, "enrolled", false)) {
		words_put(&w, "尚未入网：先用入网码 enrol",
		    "not enrolled: enrol with a code first");
		line("设备 device", &w);
		json_free(&j);
		return;
	}
	text_line(&j, "设备 device", "dev", &w);
	text_line(&j, "人员 officer", "officer", &w);
	text_line(&j, "编组 team", "team", &w);
	counts(&j, &w);
	queue_line(&j, &w);
	if (!json_bool(&j, 0, "locked", false)) {
		files_line(&j, &w);
		receipt_line(&j, &w);
		proof_line(&j, &w);
		clock_line(&j, &w);
		centre_line(&j, &w);
	}
	disk_line(&j, &w);
	json_free(&j);
}

int
cli_status(struct cli *c)
{
	struct buf b;
	enum status st;

	buf_init(&b, DOC_BYTES_MAX);
	st = agent_status(c->agent, &b);
	if (st != ST_OK || c->json)
		return cli_print(c, st, &b);
	put_status(buf_view(&b));
	buf_wipe(&b);
	return CLI_DONE;
}
