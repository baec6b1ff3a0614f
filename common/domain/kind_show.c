/*
 * Values as people read them.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "domain/kind_priv.h"
#include "domain/when.h"

static void
put(struct buf *out, bool zh, const char *c, const char *e)
{
	buf_str(out, zh ? c : e);
}

/* "2024-02-29T05:00:09+08:00" to the minute, in the offset it was written. */
static void
show_time(struct bytes t, struct buf *out)
{
	struct when w;
	char text[32];

	if (!when_read(&w, t, 0)) {
		buf_bytes(out, t);
		return;
	}
	when_show(text, &w, w.offset_min);
	buf_str(out, text);
}

static void
show_string(
    const struct kind_field *f, struct bytes t, bool zh, struct buf *out)
{
	const struct kind_option *o;

	if (f->type == KIND_ENUM) {
		o = kind_option(f, t);
		if (o != NULL)
			put(out, zh, o->zh, o->en);
		else
			buf_bytes(out, t);
	} else if (f->type == KIND_DATETIME) {
		show_time(t, out);
	} else {
		buf_bytes(out, t);
	}
}

static void
show_node(
    const struct kind_field *f, const struct json *j, bool zh, struct buf *out)
{
	struct buf text;
	char span[48];

	switch (j->node[0].type) {
	case JSON_NULL:
		put(out, zh, "（空）", "(empty)");
		break;
	case JSON_TRUE:
		put(out, zh, "是", "yes");
		break;
	case JSON_FALSE:
		put(out, zh, "否", "no");
		break;
	case JSON_INT:
		if (f->type == KIND_DURATION) {
			ms_show(span, j->node[0].num * 1000, zh);
			buf_str(out, span);
		} else {
			buf_printf(out, "%lld", (long long)j->node[0].num);
		}
		break;
	case JSON_STRING:
		buf_init(&text, ENTRY_BYTES_MAX);
		json_text(j, 0, &text);
		if (text.err == ST_OK)
			show_string(f, buf_view(&text), zh, out);
		else if (out->err == ST_OK)
			out->err = text.err;
		buf_free(&text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		put(out, zh, "（未提供）", "(withheld)");
		break;
	}
}

void
kind_show(
    const struct kind_field *f, struct bytes value, bool zh, struct buf *out)
{
	struct json j;
	enum status st = ST_INVALID;

	json_init(&j);
	if (value.len <= ENTRY_BYTES_MAX)
		st = json_parse(&j, value, JSON_DOCUMENT);
	if (st == ST_OK)
		show_node(f, &j, zh, out);
	else if (st == ST_NOMEM && out->err == ST_OK)
		out->err = st;
	else
		buf_bytes(out, value);
	json_free(&j);
}
