#include "domain/doc.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

enum { PLACE_MAX = 160, DOC_TEXT_MAX = 4096 };

enum status
doc_open(struct doc *d, const char *name, struct bytes file, struct pool *pool,
    struct words *why)
{
	enum status st;
	unsigned line = 1;

	d->name = name;
	d->pool = pool;
	d->why = why;
	json_init(&d->j);
	words_clear(why);
	if (file.len > DOC_BYTES_MAX) {
		words_zh(why, "%s：文件过大", name);
		words_en(why, "%s: the file is too large", name);
		return ST_INVALID;
	}
	st = json_parse(&d->j, file, JSON_DOCUMENT);
	if (st != ST_INVALID)
		return st;
	for (size_t i = 0; i < d->j.where && i < file.len; i++)
		line += file.p[i] == '\n';
	words_zh(why, "%s:%u：不是合格的 JSON（%s）", name, line, d->j.why);
	words_en(why, "%s:%u: not valid JSON: %s", name, line, d->j.why);
	return ST_INVALID;
}

void
doc_close(struct doc *d)
{
	json_free(&d->j);
}

/* Where in the file node n stands, as fields[3].type. */
static void
place_of(const struct json *j, uint32_t n, char out[PLACE_MAX])
{
	size_t len = 0;
	uint32_t at = 0;

	out[0] = '\0';
	while (at != n && len < PLACE_MAX - 1) {
		bool object = j->node[at].type == JSON_OBJECT;
		uint32_t i = at + 1, index = 0, name = 0;
		int w;

		for (; i < j->node[at].next; i = j->node[i].next, index++) {
			if (object)
				name = i++;
			if (name == n || n < j->node[i].next)
				break;
		}
		if (object)
			w = snprintf(out + len, PLACE_MAX - len, "%s%.*s",
			    len > 0 ? "." : "", (int)j->node[name].len,
			    (const char *)json_raw(j, name).p);
		else
			w = snprintf(out + len, PLACE_MAX - len, "[%u]", index);
		len += w > 0 ? (size_t)w : 0;
		if (name == n && object)
			break;
		at = i;
	}
}

enum status
doc_refuse_text(struct doc *d, uint32_t n, const char *zh, const char *en,
    struct bytes text)
{
	char place[PLACE_MAX], quote[256];
	unsigned line = 1;
	const char *colon;

	place_of(&d->j, n, place);
	words_quote(quote, text);
	for (uint32_t i = 0; i < d->j.node[n].off; i++)
		line += d->j.src.p[i] == '\n';
	words_clear(d->why);
	colon = place[0] != '\0' ? ": " : "";
	words_zh(d->why, "%s:%u: %s%s%s", d->name, line, place, colon, zh);
	words_en(d->why, "%s:%u: %s%s%s", d->name, line, place, colon, en);
	if (text.len > 0) {
		words_zh(d->why, "：“%s”", quote);
		words_en(d->why, ": \"%s\"", quote);
	}
	return ST_INVALID;
}

enum status
doc_refuse(struct doc *d, uint32_t n, const char *zh, const char *en)
{
	return doc_refuse_text(d, n, zh, en, bytes_str(""));
}

enum status
doc_only(struct doc *d, uint32_t n, const char *const *names)
{
	const struct json *j = &d->j;

	if (j->node[n].type != JSON_OBJECT)
		return doc_refuse(d, n, "应为对象", "must be an object");
	for (uint32_t i = n + 1; i < j->node[n].next; i = j->node[i + 1].next) {
		size_t k = 0;

		while (names[k] != NULL && !json_is(j, i, names[k]))
			k++;
		if (names[k] == NULL)
			return doc_refuse_text(d, i, "不认识的成员",
			    "unknown member", json_raw(j, i));
	}
	return ST_OK;
}

enum status
doc_string(struct doc *d, uint32_t n, size_t max, const char **out)
{
	struct buf scratch;
	struct bytes text;
	enum status st;

	if (d->j.node[n].type != JSON_STRING)
		return doc_refuse(d, n, "应为文本", "must be text");
	buf_init(&scratch, DOC_TEXT_MAX);
	text = json_view(&d->j, n, &scratch);
	st = scratch.err;
	if (st == ST_LIMIT || text.len > max)
		st = doc_refuse(d, n, "文本过长", "the text is too long");
	else if (st == ST_OK && text.len == 0)
		st = doc_refuse(d, n, "不得为空", "must not be empty");
	if (st == ST_OK) {
		*out = pool_text(d->pool, text);
		if (*out == NULL)
			st = ST_NOMEM;
	}
	buf_free(&scratch);
	return st;
}

enum status
doc_text(struct doc *d, uint32_t n, const char *name, size_t max,
    const char *def, const char **out)
{
	uint32_t v = json_get(&d->j, n, name);

	if (v != 0)
		return doc_string(d, v, max, out);
	if (def == NULL)
		return doc_refuse_text(
		    d, n, "缺少成员", "member missing", bytes_str(name));
	*out = def;
	return ST_OK;
}

enum status
doc_bool(struct doc *d, uint32_t n, const char *name, bool *out)
{
	uint32_t v = json_get(&d->j, n, name);

	if (v == 0)
		return ST_OK;
	if (d->j.node[v].type != JSON_TRUE && d->j.node[v].type != JSON_FALSE)
		return doc_refuse(
		    d, v, "应为 true 或 false", "must be true or false");
	*out = d->j.node[v].type == JSON_TRUE;
	return ST_OK;
}

enum status
doc_int(struct doc *d, uint32_t n, const char *name, int64_t lo, int64_t hi,
    int64_t *out)
{
	uint32_t v = json_get(&d->j, n, name);

	if (v == 0)
		return ST_OK;
	if (d->j.node[v].type != JSON_INT)
		return doc_refuse(d, v, "应为整数", "must be an integer");
	if (d->j.node[v].num < lo || d->j.node[v].num > hi)
		return doc_refuse(d, v, "超出范围", "out of range");
	*out = d->j.node[v].num;
	return ST_OK;
}

enum status
doc_member(struct doc *d, uint32_t n, const char *name, enum json_type type,
    uint32_t *out)
{
	uint32_t v = json_get(&d->j, n, name);

	if (v != 0 && d->j.node[v].type != type)
		return type == JSON_ARRAY
			   ? doc_refuse(d, v, "应为数组", "must be an array")
			   : doc_refuse(d, v, "类型不对", "of the wrong type");
	*out = v;
	return ST_OK;
}

enum status
doc_texts(struct doc *d, uint32_t n, const char *name, size_t max,
    const char *const **out, size_t *count)
{
	const char **list;
	uint32_t v = 0;
	size_t k = 0;
	enum status st = doc_member(d, n, name, JSON_ARRAY, &v);

	*out = NULL;
	*count = 0;
	if (st != ST_OK || v == 0)
		return st;
	if (d->j.node[v].count > max)
		return doc_refuse(d, v, "过多", "too many");
	list = pool_get(d->pool, d->j.node[v].count, sizeof(*list));
	if (list == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; i < d->j.node[v].next; i = d->j.node[i].next) {
		st = doc_string(d, i, PATH_BYTES_MAX, &list[k++]);
		if (st != ST_OK)
			return st;
	}
	*out = list;
	*count = k;
	return ST_OK;
}
