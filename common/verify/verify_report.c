/* verify_report: what was found, kept and told. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "verify/verify_impl.h"

static const struct {
	const char *word;
	bool damage;
} whats[] = {
#define VERIFY_ROW(name, word, damage) { word, damage },
	VERIFY_WHATS(VERIFY_ROW)
#undef VERIFY_ROW
};

const char *
verify_word(enum verify_what w)
{
	return whats[w].word;
}

bool
verify_is_damage(enum verify_what w)
{
	return whats[w].damage;
}

void
verify_report_init(struct verify_report *r)
{
	memset(r, 0, sizeof(*r));
}

void
verify_report_free(struct verify_report *r)
{
	if (r == NULL)
		return;
	free(r->finding);
	free(r->state);
	memset(r, 0, sizeof(*r));
}

enum verify_verdict
verify_verdict_of(const struct verify_report *r)
{
	if (r->damage > 0)
		return VERIFY_DAMAGED;
	if (r->bundle)
		return r->proved > r->manifest_place ? VERIFY_PROVED
						     : VERIFY_NOT_ANCHORED;
	return r->proved > 0 ? VERIFY_PROVED : VERIFY_NOT_ANCHORED;
}

enum status
verify_room(void *array, size_t *cap, size_t count, size_t size)
{
	void **p = array;
	size_t want = *cap == 0 ? 64 : *cap * 2;
	void *grown;

	if (count < *cap)
		return ST_OK;
	grown = realloc(*p, want * size);
	if (grown == NULL)
		return ST_NOMEM;
	*p = grown;
	*cap = want;
	return ST_OK;
}

/* Where it can be written to when it is not kept: counted all the same. */
struct verify_finding *
verify_say(struct verify_report *r, enum verify_what what, const char *zh,
    const char *en)
{
	static _Thread_local struct verify_finding spare;
	struct verify_finding *f = &spare;

	if (verify_is_damage(what))
		r->damage++;
	else
		r->notes++;
	if (r->finding == NULL)
		r->finding = calloc(VERIFY_FINDINGS_MAX, sizeof(*f));
	if (r->finding != NULL && r->finding_count < VERIFY_FINDINGS_MAX)
		f = &r->finding[r->finding_count++];
	memset(f, 0, sizeof(*f));
	f->what = what;
	f->zh = zh;
	f->en = en;
	return f;
}

void
verify_say_at(struct verify *v, enum verify_what what, uint64_t place,
    const struct vchain *c, uint64_t seq, const char *zh, const char *en)
{
	struct verify_finding *f = verify_say(v->r, what, zh, en);

	f->has_place = true;
	f->place = place;
	if (c == NULL)
		return;
	f->has_chain = true;
	memcpy(f->chain, c->id, CHAIN_LEN);
	f->seq = seq;
	memcpy(f->dev, c->dev, sizeof(f->dev));
}

void
verify_data(struct verify_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(f->data, sizeof(f->data), fmt, ap);
	va_end(ap);
}

/* ---- members of an entry */

uint32_t
verify_value(const struct entry *e, const char *name)
{
	if (e->body_is != ENTRY_BODY_WHOLE)
		return 0;
	for (size_t i = 0; i < e->on_count; i++)
		if (bytes_eq_str(e->on[i], name))
			return entry_value(e, i);
	return 0;
}

bool
verify_text(const struct entry *e, const char *name, char *out, size_t cap)
{
	uint32_t n = verify_value(e, name);
	struct buf b;
	bool ok;

	out[0] = '\0';
	if (n == 0 || e->body.node[n].type != JSON_STRING)
		return false;
	buf_init(&b, cap - 1);
	json_text(&e->body, n, &b);
	ok = b.err == ST_OK;
	if (ok && b.len > 0)
		memcpy(out, b.p, b.len);
	if (ok)
		out[b.len] = '\0';
	buf_free(&b);
	return ok;
}

bool
verify_num(const struct entry *e, const char *name, uint64_t *out)
{
	uint32_t n = verify_value(e, name);

	if (n == 0 || e->body.node[n].type != JSON_INT ||
	    e->body.node[n].num < 0)
		return false;
	*out = (uint64_t)e->body.node[n].num;
	return true;
}

bool
verify_hash(const struct entry *e, const char *name, uint8_t *out, size_t len)
{
	uint32_t n = verify_value(e, name);

	return n != 0 && json_hex(&e->body, n, out, len) == ST_OK;
}

/* ---- telling */

static const char *
verdict_word(const struct verify_report *r)
{
	switch (verify_verdict_of(r)) {
	case VERIFY_PROVED:
		return "proved";
	case VERIFY_NOT_ANCHORED:
		return "not_anchored";
	default:
		return "damaged";
	}
}

/* Text from outside (file names) need not be UTF-8. */
static void
put_text(struct buf *out, const char *s)
{
	json_put_str(out, json_text_ok(bytes_str(s)) ? s : "?");
}

static void
put_num(struct buf *out, const char *name, uint64_t n)
{
	buf_printf(out, ",\"%s\":%" PRIu64, name, n);
}

static void
put_finding(struct buf *out, const struct verify_finding *f)
{
	buf_printf(out, "{\"what\":\"%s\",\"damage\":%s", verify_word(f->what),
	    verify_is_damage(f->what) ? "true" : "false");
	if (f->has_place)
		put_num(out, "place", f->place);
	if (f->has_chain) {
		buf_str(out, ",\"chain\":");
		json_put_hex(out, bytes_of(f->chain, CHAIN_LEN));
		put_num(out, "seq", f->seq);
	}
	if (f->dev[0] != '\0') {
		buf_str(out, ",\"dev\":");
		put_text(out, f->dev);
	}
	buf_str(out, ",\"zh\":");
	put_text(out, f->zh);
	buf_str(out, ",\"en\":");
	put_text(out, f->en);
	if (f->data[0] != '\0') {
		buf_str(out, ",\"data\":");
		put_text(out, f->data);
	}
	buf_u8(out, '}');
}

void
verify_report_json(const struct verify_report *r, struct buf *out)
{
	buf_printf(out, "{\"verdict\":\"%s\"", verdict_word(r));
	put_num(out, "size", r->size);
	buf_str(out, ",\"root\":");
	json_put_hex(out, bytes_of(r->root, HASH_LEN));
	put_num(out, "proved", r->proved);
	buf_str(out, ",\"by\":[");
	for (size_t i = 0; i < r->by_count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		put_text(out, r->by[i]);
	}
	buf_str(out, "],\"court\":");
	put_text(out, r->court);
	buf_str(out, ",\"court_id\":");
	json_put_hex(out, bytes_of(r->court_id, HASH_LEN));
	put_num(out, "device_entries", r->device_entries);
	put_num(out, "server_entries", r->server_entries);
	put_num(out, "commits", r->commits);
	put_num(out, "pieces", r->pieces);
	put_num(out, "chains", r->chains);
	put_num(out, "devices", r->devices);
	put_num(out, "signatures", r->signatures);
	put_num(out, "held", r->held);
	put_num(out, "malformed", r->malformed);
	put_num(out, "blind", r->blind);
	put_num(out, "lost", r->lost);
	put_num(out, "forks", r->forks);
	put_num(out, "holes", r->holes);
	put_num(out, "returned", r->returned);
	put_num(out, "evidence", r->evidence);
	put_num(out, "manifests", r->manifests);
	put_num(out, "media", r->media);
	put_num(out, "media_absent", r->media_absent);
	if (r->bundle)
		verify_put_bundle(out, r);
	put_num(out, "damage", r->damage);
	put_num(out, "notes", r->notes);
	buf_str(out, ",\"findings\":[");
	for (size_t i = 0; i < r->finding_count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		put_finding(out, &r->finding[i]);
	}
	buf_str(out, "]}\n");
}

/* Names of files go to a terminal: no control characters. */
static void
line_text(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++)
		buf_u8(
		    out, (uint8_t)*s < 0x20 || *s == 0x7f ? '?' : (uint8_t)*s);
}

static void
say_finding(struct buf *out, const struct verify_finding *f)
{
	buf_printf(out, "%s %s", verify_is_damage(f->what) ? "✗" : "·",
	    verify_word(f->what));
	if (f->has_place)
		buf_printf(out, "  位置 place %" PRIu64, f->place);
	if (f->has_chain) {
		buf_str(out, "  链 chain ");
		buf_hex(out, bytes_of(f->chain, CHAIN_LEN));
		buf_printf(out, "  序号 seq %" PRIu64, f->seq);
	}
	if (f->dev[0] != '\0')
		buf_printf(out, "  设备 dev %s", f->dev);
	buf_printf(out, "\n    %s\n    %s\n", f->zh, f->en);
	if (f->data[0] != '\0') {
		buf_str(out, "    ");
		line_text(out, f->data);
		buf_u8(out, '\n');
	}
}

/* A bundle whose anchors end below its manifest. */
static void
say_short(struct buf *out, const struct verify_report *r)
{
	buf_printf(out,
	    "结论：前后一致；外部凭据只到位置 %" PRIu64 "，覆盖 %" PRIu64
	    "/%" PRIu64 " 条，未及导出清单（位置 %" PRIu64
	    "）。\nVerdict: consistent, not anchored: what was given reaches "
	    "to "
	    "place %" PRIu64 ", over %" PRIu64 " of %" PRIu64
	    " entries, and not to the manifest at %" PRIu64 ".\n",
	    r->proved, r->covered, r->count, r->manifest_place, r->proved,
	    r->covered, r->count, r->manifest_place);
}

static void
say_verdict(struct buf *out, const struct verify_report *r)
{
	switch (verify_verdict_of(r)) {
	case VERIFY_DAMAGED:
		buf_printf(out,
		    "结论：有损坏，%" PRIu64 " 处。\nVerdict: DAMAGED, %" PRIu64
		    " finding(s).\n",
		    r->damage, r->damage);
		break;
	case VERIFY_NOT_ANCHORED:
		if (r->proved > 0) {
			say_short(out, r);
			break;
		}
		buf_str(out,
		    "结论：前后一致，但没有外部凭据可对照。\n"
		    "Verdict: consistent, not anchored: nothing from outside "
		    "was given to compare with.\n");
		break;
	case VERIFY_PROVED:
		buf_printf(out,
		    "结论：已证明 %" PRIu64 "/%" PRIu64
		    " 个位置。\nVerdict: proved to %" PRIu64 " of %" PRIu64
		    " places, by:\n",
		    r->proved, r->size, r->proved, r->size);
		for (size_t i = 0; i < r->by_count; i++) {
			buf_str(out, "    ");
			line_text(out, r->by[i]);
			buf_u8(out, '\n');
		}
		break;
	}
}

void
verify_report_text(
    const struct verify_report *r, struct bytes told, struct buf *out)
{
	buf_str(out, "法院 court ");
	line_text(out, r->court);
	buf_str(out, "  ");
	buf_hex(out, bytes_of(r->court_id, HASH_LEN));
	buf_printf(out, "\n位置 places %" PRIu64 "  根 root ", r->size);
	buf_hex(out, bytes_of(r->root, HASH_LEN));
	buf_u8(out, '\n');
	if (r->bundle)
		verify_say_bundle(out, r, told);
	else
		buf_printf(out,
		    "设备条目 device entries %" PRIu64
		    ", 法院条目 court's own %" PRIu64 ", 提交 commits %" PRIu64
		    ", 链 chains %" PRIu64 ", 设备 devices %" PRIu64
		    ",\n验签 signatures %" PRIu64 ", 暂扣 held %" PRIu64
		    ", 不合格 malformed %" PRIu64 ", 无正文 blind %" PRIu64
		    ", 丢失 lost %" PRIu64 "\n",
		    r->device_entries, r->server_entries, r->commits, r->chains,
		    r->devices, r->signatures, r->held, r->malformed, r->blind,
		    r->lost);
	if (r->media + r->media_absent > 0)
		buf_printf(out,
		    "影像文件 files: 已核对 looked at %" PRIu64
		    ", 不在 not there %" PRIu64 "\n",
		    r->media, r->media_absent);
	for (size_t i = 0; i < r->finding_count; i++)
		say_finding(out, &r->finding[i]);
	if (r->damage + r->notes > r->finding_count)
		buf_printf(out, "… 另有 and %" PRIu64 " more\n",
		    r->damage + r->notes - r->finding_count);
	say_verdict(out, r);
}
