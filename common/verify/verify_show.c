/* verify_show: a bundle's record, told to people and machines. */
#include <inttypes.h>
#include <string.h>

#include "entry/entry.h"
#include "verify/verify_impl.h"

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

void
verify_put_bundle(struct buf *out, const struct verify_report *r)
{
	buf_str(out, ",\"bundle\":{\"record\":");
	put_text(out, r->rec);
	buf_str(out, ",\"kind\":");
	put_text(out, r->kind);
	buf_str(out, ",\"status\":");
	put_text(out, r->status);
	buf_printf(out, ",\"void\":%s", r->record_void ? "true" : "false");
	put_num(out, "count", r->count);
	put_num(out, "covered", r->covered);
	put_num(out, "withheld", r->withheld);
	put_num(out, "conflicts", r->conflicts);
	put_num(out, "acts", r->acts);
	put_num(out, "manifest_place", r->manifest_place);
	put_num(out, "manifest_size", r->manifest_size);
	put_num(out, "manifest_wall", r->manifest_ms);
	buf_str(out, ",\"manifest_by\":");
	put_text(out, r->manifest_by);
	buf_str(out, ",\"state\":");
	if (r->state == NULL)
		buf_str(out, "null");
	else
		buf_add(out, r->state, r->state_len);
	buf_str(out,
	    ",\"complete\":\"as stated by the court; only a store audit can "
	    "prove it\"}");
}

/* ---- for people */

/* What officers wrote goes to a terminal: no control characters. */
static void
line(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_u8(out,
		    text.p[i] < 0x20 || text.p[i] == 0x7f ? '?' : text.p[i]);
}

static void
word(struct buf *out, const struct json *j, uint32_t n)
{
	struct buf text;

	if (j->node[n].type != JSON_STRING) {
		line(out, json_raw(j, n));
		return;
	}
	buf_init(&text, JSON_BYTES_MAX);
	json_text(j, n, &text);
	line(out, buf_view(&text));
	buf_free(&text);
}

/* [[id, value] …]: one, or several that are in conflict. */
static void
values(struct buf *out, const struct json *j, uint32_t list)
{
	if (j->node[list].count > 1)
		buf_str(out, "冲突 CONFLICT: ");
	for (uint32_t n = json_first(j, list); n < json_end(j, list);
	     n = j->node[n].next) {
		uint32_t id = json_first(j, n);

		if (n != json_first(j, list))
			buf_str(out, " | ");
		word(out, j, j->node[id].next);
	}
	buf_u8(out, '\n');
}

static void
fields(struct buf *out, const struct json *j)
{
	uint32_t all = json_get(j, 0, "fields"), v;

	for (uint32_t n = json_first(j, all); n < json_end(j, all);
	     n = j->node[v].next) {
		v = j->node[n].next;
		buf_str(out, "    ");
		word(out, j, n);
		buf_str(out, " = ");
		values(out, j, v);
	}
}

static void
items(struct buf *out, const struct json *j)
{
	uint32_t all = json_get(j, 0, "items"), v;

	for (uint32_t n = json_first(j, all); n < json_end(j, all);
	     n = j->node[v].next) {
		v = j->node[n].next;
		if (json_is(j, json_get(j, v, "is"), "in"))
			continue;
		buf_str(out, "    ");
		word(out, j, n);
		buf_str(out, ": ");
		word(out, j, json_get(j, v, "is"));
		buf_u8(out, '\n');
	}
}

static void
member(struct buf *out, const struct json *j, uint32_t of, const char *name)
{
	uint32_t n = json_get(j, of, name);

	if (n == 0 || j->node[n].type == JSON_NULL)
		return;
	buf_printf(out, "  %s ", name);
	word(out, j, n);
}

static void
acts(struct buf *out, const struct json *j)
{
	uint32_t all = json_get(j, 0, "acts"), v;

	for (uint32_t n = json_first(j, all); n < json_end(j, all);
	     n = j->node[v].next) {
		v = j->node[n].next;
		buf_str(out, "    ");
		word(out, j, json_get(j, v, "at"));
		buf_u8(out, ' ');
		word(out, j, json_get(j, v, "by"));
		buf_u8(out, ' ');
		word(out, j, json_get(j, v, "do"));
		member(out, j, v, "on");
		member(out, j, v, "data");
		member(out, j, v, "reason");
		member(out, j, v, "sign");
		member(out, j, v, "withheld");
		if (!json_is(j, json_get(j, v, "is"), "in"))
			member(out, j, v, "is");
		buf_u8(out, '\n');
	}
}

static void
say_state(struct buf *out, const struct verify_report *r)
{
	struct json j;

	json_init(&j);
	if (r->state != NULL && json_parse(&j, bytes_of(r->state, r->state_len),
				    JSON_LINE) == ST_OK) {
		buf_str(out, "记录如下 the record as it stands:\n");
		fields(out, &j);
		items(out, &j);
		buf_str(out, "各项行为 acts:\n");
		acts(out, &j);
	}
	json_free(&j);
}

void
verify_say_bundle(struct buf *out, const struct verify_report *r)
{
	char at[32] = "-";

	if (r->manifest_ms > 0)
		at_format(at, r->manifest_ms, 0);
	buf_printf(out, "记录 record %s  %s\n", r->rec, r->kind);
	buf_printf(out, "清单 manifest: 位置 place %" PRIu64 ", %s, 由 by ",
	    r->manifest_place, at);
	line(out, bytes_str(r->manifest_by));
	buf_printf(out,
	    "; 所列截至位置 of what stood below place %" PRIu64 "\n",
	    r->manifest_size);
	buf_printf(out,
	    "%" PRIu64 " 条 entries, 隐去 withheld %" PRIu64
	    ", 暂扣 held %" PRIu64 ", 不合格 malformed %" PRIu64
	    ", 冲突 conflicts %" PRIu64 ", 状态 status %s%s\n",
	    r->count, r->withheld, r->held, r->malformed, r->conflicts,
	    r->status[0] == '\0' ? "-" : r->status,
	    r->record_void ? ", 作废 void" : "");
	say_state(out, r);
	buf_str(out,
	    "完整性以法院陈述为准；只有全库审计才能证明没有缺漏。\n"
	    "Complete as stated by the court; only a store audit can prove "
	    "it.\n");
}
