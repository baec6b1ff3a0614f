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

void
verify_say_bundle(
    struct buf *out, const struct verify_report *r, struct bytes told)
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
	buf_bytes(out, told);
	buf_str(out,
	    "完整性以法院陈述为准；只有全库审计才能证明没有缺漏。\n"
	    "Complete as stated by the court; only a store audit can prove "
	    "it.\n");
}
