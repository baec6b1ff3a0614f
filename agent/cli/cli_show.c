/* cli_show: records for people: a list, and one with all that is known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/columns.h"
#include "domain/act_words.h"
#include "domain/footage.h"
#include "domain/state.h"
#include "entry/entry.h"
#include "entry/json.h"

/* A string member as text; "" where it is absent or too long. */
static const char *
member(const struct json *j, uint32_t n, const char *name, char out[512])
{
	(void)json_member_text(j, n, name, out, 512);
	return out;
}

/* "2026-11-24T05:10:09.123+08:00" as "11-24 05:10". */
static void
put_when(const char *at)
{
	char text[12] = "";

	if (strlen(at) >= 16) {
		memcpy(text, at + 5, 5);
		text[5] = ' ';
		memcpy(text + 6, at + 11, 5);
		text[11] = '\0';
	}
	columns_pad(stdout, bytes_str(text), 13);
}

static void
put_text(const char *text, size_t width)
{
	columns_pad(stdout, bytes_str(text), width);
}

/* ---- list */

enum { KIND_WIDTH = 14, LABEL_WIDTH = 40, STATUS_WIDTH = 12 };

static void
list_head(void)
{
	put_text("时间 time", 13);
	put_text("类别 kind", KIND_WIDTH);
	put_text("摘要 summary", LABEL_WIDTH);
	put_text("状态 status", STATUS_WIDTH);
	(void)fputs("编号 record\n", stdout);
}

static void
list_line(struct cli *c, const struct json *j)
{
	char at[512], kind[512], label[512], status[512], rec[512];
	const struct kind *k = kinds_find(
	    agent_kinds(c->agent), bytes_str(member(j, 0, "kind", kind)));
	const struct kind_status *s;

	(void)member(j, 0, "status", status);
	s = k == NULL ? NULL : kind_status(k, bytes_str(status));
	put_when(member(j, 0, "at", at));
	put_text(k == NULL ? kind : c->en ? k->en : k->zh, KIND_WIDTH - 1);
	(void)fputc(' ', stdout);
	put_text(
	    member(j, 0, c->en ? "label_en" : "label", label), LABEL_WIDTH - 1);
	(void)fputc(' ', stdout);
	if (json_bool(j, 0, "void", false))
		put_text(c->en ? "void" : "作废", STATUS_WIDTH);
	else
		put_text(s == NULL ? status
			 : c->en   ? s->en
				   : s->zh,
		    STATUS_WIDTH);
	(void)printf("%s\n", member(j, 0, "rec", rec));
}

void
cli_put_list(struct cli *c, struct bytes lines)
{
	struct json j;
	size_t count = 0;

	json_init(&j);
	list_head();
	while (lines.len > 0) {
		const uint8_t *lf = memchr(lines.p, '\n', lines.len);
		size_t n = lf == NULL ? lines.len : (size_t)(lf - lines.p);

		if (json_parse(&j, bytes_of(lines.p, n), JSON_DOCUMENT) ==
		    ST_OK) {
			list_line(c, &j);
			count++;
		}
		n += lf != NULL;
		lines.p += n;
		lines.len -= n;
	}
	if (count == 0)
		(void)puts("（没有记录 no records）");
	json_free(&j);
}

/* ---- one record: its fields */

enum { FIELD_WIDTH = 28 };

static void
put_value(struct cli *c, const struct kind_field *f, struct bytes json)
{
	struct buf b;

	buf_init(&b, ENTRY_BYTES_MAX);
	if (f != NULL)
		kind_show(f, json, !c->en, &b);
	else
		buf_bytes(&b, json);
	columns_put(stdout, buf_view(&b));
	buf_wipe(&b);
}

static void
put_field(struct cli *c, const struct state *s, const struct state_field *f,
    const struct kind_field *kf, const char *indent)
{
	struct state_value v;

	(void)fputs(indent, stdout);
	if (kf != NULL)
		put_text(c->en ? kf->en : kf->zh, FIELD_WIDTH - strlen(indent));
	else
		columns_pad(stdout, f->path, FIELD_WIDTH - strlen(indent));
	for (size_t i = 0; state_value(s, f, i, &v); i++) {
		if (i > 0)
			(void)fputs(" ≠ ", stdout);
		put_value(c, kf, v.json);
	}
	if (f->count > 1)
		(void)fputs("   ← 不一致，请核定 conflict: settle it", stdout);
	(void)fputc('\n', stdout);
}

/* Fields of the record itself, in the order of the kind; then those that the
 * kind does not know. */
static void
put_fields(struct cli *c, const struct kind *k, const struct state *s)
{
	for (size_t i = 0; i < k->field_count; i++) {
		const struct state_field *f =
		    state_field(s, bytes_str(k->fields[i].path));

		if (f != NULL)
			put_field(c, s, f, &k->fields[i], "");
	}
	for (size_t i = 0; i < s->field_count; i++) {
		if (kind_field(k, s->fields[i].path) == NULL)
			put_field(c, s, &s->fields[i], NULL, "");
	}
}

static void
put_item_fields(struct cli *c, const struct kind *k, const struct state *s,
    const struct state_item *it)
{
	for (size_t i = 0; i < s->field_count; i++) {
		const struct state_field *f = &s->fields[i];

		if (f->path.len > it->path.len + 1 &&
		    memcmp(f->path.p, it->path.p, it->path.len) == 0 &&
		    f->path.p[it->path.len] == '/')
			put_field(c, s, f, kind_field(k, f->path), "     ");
	}
}

static const char *
standing(enum state_is is)
{
	if (is == STATE_OUT)
		return "  已划去 struck out";
	return is == STATE_CONFLICT ? "  ← 去留不一致 conflict: settle it" : "";
}

static void
put_lists(struct cli *c, const struct kind *k, const struct state *s)
{
	for (size_t l = 0; l < k->list_count; l++) {
		const struct kind_list *list = &k->lists[l];
		size_t first = 0, end = 0;

		state_items(s, bytes_str(list->path), &first, &end);
		if (first == end)
			continue;
		(void)printf("\n%s %s\n", list->zh, list->en);
		for (size_t i = first; i < end; i++) {
			const struct state_item *it = &s->items[i];

			if (!bytes_eq_str(it->list, list->path))
				continue;
			(void)printf("  %u. %.*s%s\n", it->n, (int)it->path.len,
			    (const char *)it->path.p, standing(it->is));
			put_item_fields(c, k, s, it);
		}
	}
}

/* ---- one record: what was done */

static void
put_verb(enum verb verb)
{
	char text[64];

	(void)snprintf(
	    text, sizeof(text), "%s %s", act_verb_zh(verb), verb_name(verb));
	put_text(text, 16);
}

enum { PATHS_COLUMNS = 60 };

/* What an act touches, and what was said with it. */
static void
put_what(
    const struct kind *k, enum verb verb, const struct json *j, uint32_t entry)
{
	uint32_t head = json_get(j, entry, "head");
	uint32_t body = json_get_typed(j, entry, "body", JSON_OBJECT);
	uint32_t on = json_get_typed(j, head, "on", JSON_ARRAY);
	uint32_t data =
	    body == 0 ? 0 : json_get_typed(j, body, "data", JSON_ARRAY);
	uint32_t more =
	    body == 0 ? 0 : json_get_typed(j, body, "more", JSON_OBJECT);
	char text[512];
	struct buf b;

	buf_init(&b, (size_t)2 * ENTRY_BYTES_MAX);
	act_put_words(k, verb, j, on, data, more, &b);
	if (verb == DO_OPEN || verb == DO_SET || verb == DO_ADD)
		columns_pad(stdout, buf_view(&b), PATHS_COLUMNS);
	else
		columns_put(stdout, buf_view(&b));
	buf_wipe(&b);
	if (body != 0 &&
	    json_member_text(j, body, "reason", text, sizeof(text))) {
		(void)fputs("  理由 reason: ", stdout);
		columns_put(stdout, bytes_str(text));
	}
}

static void
put_act(const struct kind *k, const struct json *j, uint32_t entry)
{
	uint32_t head = json_get_typed(j, entry, "head", JSON_OBJECT);
	uint32_t place = json_get(j, entry, "place");
	char text[512];
	enum verb verb;

	if (head == 0)
		return;
	put_when(member(j, head, "at", text));
	put_text(member(j, head, "by", text), 10);
	verb = verb_of(bytes_str(member(j, head, "do", text)));
	put_verb(verb);
	if (place != 0 && j->node[place].type == JSON_INT)
		(void)snprintf(
		    text, sizeof(text), "#%lld", (long long)j->node[place].num);
	else if (json_bool(j, entry, "in_log", false))
		(void)snprintf(text, sizeof(text), "已存证 in log");
	else
		(void)snprintf(text, sizeof(text), "待上传 queued");
	put_text(text, 15);
	if (json_bool(j, entry, "bare", false))
		(void)fputs("[待核 held] ", stdout);
	put_what(k, verb, j, entry);
	(void)fputc('\n', stdout);
}

void
cli_put_history(const struct kind *k, struct bytes doc)
{
	struct json j;

	json_init(&j);
	if (json_parse(&j, doc, JSON_DOCUMENT) == ST_OK &&
	    j.node[0].type == JSON_ARRAY) {
		(void)puts("\n经过 history（# 为中心日志中的位次 place in the "
			   "central log）");
		for (uint32_t i = json_first(&j, 0); i != json_end(&j, 0);
		     i = j.node[i].next)
			put_act(k, &j, i);
	}
	json_free(&j);
}

/* ---- one record */

static void
put_head(struct cli *c, const struct kind *k, const struct state *s)
{
	const struct kind_status *st;
	struct buf label;

	buf_init(&label, DOC_BYTES_MAX);
	kind_label(k, s, !c->en, &label);
	(void)printf("%s %s · ", k->zh, k->en);
	columns_put(stdout, buf_view(&label));
	(void)printf("\n%.*s\n", (int)s->rec.len, (const char *)s->rec.p);
	buf_free(&label);
	st = kind_status(k, state_status(s));
	if (st != NULL)
		(void)printf("状态 status: %s %s\n", st->zh, st->en);
	if (s->is_void)
		(void)puts("已作废 void");
	if (s->missing != 0 && s->tape.node[s->missing].count > 0)
		(void)puts("还有条目未到本机，内容为暂时的 some entries have "
			   "not come yet: provisional");
	(void)fputc('\n', stdout);
}

/* Moments of recordings that acts are tied to. */
static void
put_points(const struct state *s)
{
	char text[512];
	struct json j;
	struct buf b;

	buf_init(&b, (size_t)16 << 20);
	footage_points(s, 480, &b);
	json_init(&j);
	if (b.err == ST_OK && b.len > 2 &&
	    json_parse(&j, buf_view(&b), JSON_DOCUMENT) == ST_OK) {
		(void)puts("\n录像中的时点 moments in recordings");
		for (uint32_t i = json_first(&j, 0); i != json_end(&j, 0);
		     i = j.node[i].next) {
			int64_t s_in = json_int(&j, i, "at_ms", 0) / 1000;

			put_text(member(&j, i, "moment", text), 26);
			(void)printf("%.8s… %lld:%02lld  ",
			    member(&j, i, "attach", text),
			    (long long)(s_in / 60), (long long)(s_in % 60));
			columns_put(
			    stdout, bytes_str(member(&j, i, "on", text)));
			(void)fputs("  ", stdout);
			columns_put(
			    stdout, bytes_str(member(&j, i, "text", text)));
			(void)fputc('\n', stdout);
		}
	}
	json_free(&j);
	buf_wipe(&b);
}

enum status
cli_put_state(struct cli *c, struct bytes doc, const struct kind **kind)
{
	const struct kind *k = NULL;
	struct state s;
	enum status st;

	state_init(&s);
	st = state_read(&s, doc);
	if (st == ST_OK && s.kinds != 0 && s.tape.node[s.kinds].count > 0) {
		char id[64];
		struct buf b;

		buf_init(&b, sizeof(id) - 1);
		json_text(&s.tape, json_first(&s.tape, s.kinds), &b);
		k = kinds_find(agent_kinds(c->agent), buf_view(&b));
		buf_free(&b);
	}
	if (st == ST_OK && k == NULL) {
		/* A kind that is newer than this program: as it stands. */
		(void)fwrite(doc.p, 1, doc.len, stdout);
		(void)fputc('\n', stdout);
	} else if (st == ST_OK) {
		put_head(c, k, &s);
		put_fields(c, k, &s);
		put_lists(c, k, &s);
		put_points(&s);
	}
	state_free(&s);
	*kind = k;
	return st;
}
