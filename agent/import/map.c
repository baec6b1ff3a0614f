#include "agent/import/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/import/when.h"

void
map_init(struct map *m)
{
	memset(m, 0, sizeof(*m));
	json_init(&m->doc);
	buf_init(&m->file, DOC_BYTES_MAX);
}

void
map_free(struct map *m)
{
	json_free(&m->doc);
	buf_free(&m->file);
	free(m->field);
	free(m->item);
	map_init(m);
}

/* Refuse, with the place in the map and the reason. */
static enum status
refuse(struct map *m, const char *place, const char *zh, const char *en)
{
	words_clear(&m->words);
	words_zh(&m->words, "映射文件 %s：%s", place, zh);
	words_en(&m->words, "map file, %s: %s", place, en);
	return ST_INVALID;
}

/* One row of `fields`, `item` or `at`, its names checked against the kind. */
static enum status
load_field(struct map *m, uint32_t n, const struct kind_list *list,
    struct map_field *out)
{
	memset(out, 0, sizeof(*out));
	out->node = n;
	if (!json_member_text(&m->doc, n, "path", out->path, sizeof(out->path)))
		return refuse(m, "fields", "缺少 path", "a row has no path");
	out->field = kind_list_field(m->kind, list, bytes_str(out->path));
	if (out->field == NULL)
		return refuse(m, out->path, "该类记录没有此字段",
		    "this kind has no such field");
	if (json_get(&m->doc, n, "column") == 0 &&
	    json_get(&m->doc, n, "columns") == 0 &&
	    json_get(&m->doc, n, "value") == 0)
		return refuse(m, out->path, "缺少 column、columns 或 value",
		    "no column, columns or value");
	return ST_OK;
}

static enum status
load_fields(struct map *m, const char *name, const struct kind_list *list,
    struct map_field **out, size_t *count)
{
	uint32_t a = json_get_typed(&m->doc, 0, name, JSON_ARRAY);
	uint32_t n;
	size_t i = 0;

	if (a == 0)
		return ST_OK;
	if (m->doc.node[a].count > MAP_FIELDS_MAX)
		return refuse(m, name, "字段过多", "too many fields");
	*out = calloc(m->doc.node[a].count + 1, sizeof(**out));
	if (*out == NULL)
		return ST_NOMEM;
	for (n = json_first(&m->doc, a); n != json_end(&m->doc, a);
	     n = m->doc.node[n].next) {
		enum status st = load_field(m, n, list, &(*out)[i++]);

		if (st != ST_OK)
			return st;
	}
	*count = i;
	return ST_OK;
}

static enum status
load_csv(struct map *m)
{
	char sep[8] = ",";

	if (json_get(&m->doc, 0, "separator") != 0 &&
	    (!json_member_text(&m->doc, 0, "separator", sep, sizeof(sep)) ||
		strlen(sep) != 1 || sep[0] == '"' || sep[0] == '\n'))
		return refuse(m, "separator", "应为一个字符", "one character");
	m->csv.separator = sep[0];
	m->csv.quotes = json_bool(&m->doc, 0, "quotes", true);
	m->csv.loose_ends = json_bool(&m->doc, 0, "loose_ends", false);
	if (!json_member_text(&m->doc, 0, "zone", m->zone, sizeof(m->zone)))
		memcpy(m->zone, "CST-8", sizeof("CST-8"));
	return ST_OK;
}

static enum status
load_kind(struct map *m, const struct kinds *ks)
{
	char text[64];

	if (json_int(&m->doc, 0, "map", 0) != 1)
		return refuse(m, "map", "应为 1", "must be 1");
	if (!json_member_text(&m->doc, 0, "name", m->name, sizeof(m->name)) ||
	    m->name[0] == '\0')
		return refuse(m, "name", "缺少名称", "no name");
	if (!json_member_text(&m->doc, 0, "kind", text, sizeof(text)))
		return refuse(m, "kind", "缺少记录类别", "no kind");
	m->kind = kinds_latest(ks, bytes_str(text));
	if (m->kind == NULL || m->kind->system)
		return refuse(m, "kind", "没有此类记录", "no such kind");
	if (json_get(&m->doc, 0, "list") == 0)
		return ST_OK;
	if (!json_member_text(&m->doc, 0, "list", text, sizeof(text)))
		return refuse(m, "list", "应为文字", "must be text");
	m->list = kind_list(m->kind, bytes_str(text));
	if (m->list == NULL)
		return refuse(m, "list", "该类记录没有此清单",
		    "this kind has no such list");
	return ST_OK;
}

enum status
map_load(struct map *m, const struct kinds *ks, struct bytes file)
{
	enum status st;

	buf_bytes(&m->file, file);
	if (m->file.err != ST_OK)
		return m->file.err;
	st = json_parse(&m->doc, buf_view(&m->file), JSON_DOCUMENT);
	if (st == ST_INVALID)
		return refuse(m, "JSON", m->doc.why, m->doc.why);
	if (st == ST_OK)
		st = load_kind(m, ks);
	if (st == ST_OK)
		st = load_csv(m);
	if (st == ST_OK)
		st = load_fields(m, "fields", NULL, &m->field, &m->field_count);
	if (st == ST_OK)
		st = load_fields(m, "item", m->list, &m->item, &m->item_count);
	if (st != ST_OK)
		return st;
	if ((m->item_count > 0) != (m->list != NULL))
		return refuse(m, "item", "item 与 list 须同时出现",
		    "item and list go together");
	m->at.node = json_get_typed(&m->doc, 0, "at", JSON_OBJECT);
	return ST_OK;
}

/* ---- binding to a header row */

static enum status
bind_column(struct map *m, const struct csv *header, uint32_t n, size_t *column,
    size_t *count)
{
	char text[512];
	struct buf b;

	if (*count == MAP_COLUMNS_MAX)
		return refuse(m, "columns", "列过多", "too many columns");
	buf_init(&b, sizeof(text) - 1);
	json_text(&m->doc, n, &b);
	for (size_t i = 0; i < header->count; i++) {
		if (bytes_eq(csv_field(header, i), buf_view(&b))) {
			column[(*count)++] = i;
			buf_free(&b);
			return ST_OK;
		}
	}
	words_quote(text, buf_view(&b));
	buf_free(&b);
	return refuse(m, text, "文件中没有此列", "the file has no such column");
}

/* One column by name, or an array of names. */
static enum status
bind_columns(struct map *m, const struct csv *header, uint32_t n,
    size_t *column, size_t *count)
{
	const struct json *j = &m->doc;
	enum status st = ST_OK;

	*count = 0;
	if (n == 0)
		return ST_OK;
	if (j->node[n].type == JSON_STRING)
		return bind_column(m, header, n, column, count);
	if (j->node[n].type != JSON_ARRAY)
		return refuse(
		    m, "column", "应为列名", "must be a column's name");
	for (uint32_t i = json_first(j, n); st == ST_OK && i != json_end(j, n);
	     i = j->node[i].next) {
		if (j->node[i].type != JSON_STRING)
			return refuse(m, "columns", "应为列名",
			    "must be names of columns");
		st = bind_column(m, header, i, column, count);
	}
	return st;
}

static enum status
bind_field(struct map *m, const struct csv *header, struct map_field *f)
{
	uint32_t n = json_get(&m->doc, f->node, "column");

	if (n == 0)
		n = json_get(&m->doc, f->node, "columns");
	return bind_columns(m, header, n, f->column, &f->column_count);
}

enum status
map_bind(struct map *m, const struct csv *header)
{
	enum status st;

	st = bind_columns(m, header, json_get(&m->doc, 0, "key"), m->key.column,
	    &m->key.count);
	if (st == ST_OK)
		st = bind_columns(m, header, json_get(&m->doc, 0, "record"),
		    m->record.column, &m->record.count);
	if (st == ST_OK && m->at.node != 0)
		st = bind_field(m, header, &m->at);
	for (size_t i = 0; st == ST_OK && i < m->field_count; i++)
		st = bind_field(m, header, &m->field[i]);
	for (size_t i = 0; st == ST_OK && i < m->item_count; i++)
		st = bind_field(m, header, &m->item[i]);
	return st;
}

/* ---- values of a row */

/* The text of a field in this row: its columns, joined where it has several,
 * empty ones left out. */
static void
row_text(struct map *m, const struct map_field *f, const struct csv *row,
    struct buf *out)
{
	char join[32];

	if (!json_member_text(&m->doc, f->node, "join", join, sizeof(join)))
		memcpy(join, " ", 2);
	for (size_t i = 0; i < f->column_count; i++) {
		struct bytes b = csv_field(row, f->column[i]);

		while (b.len > 0 && b.p[b.len - 1] == ' ')
			b.len--;
		if (b.len == 0)
			continue;
		if (out->len > 0)
			buf_str(out, join);
		buf_bytes(out, b);
	}
}

/* The member of object `n` whose name is `text`; 0 if there is none. */
static uint32_t
member_named(const struct json *j, uint32_t n, struct bytes text)
{
	for (uint32_t i = json_first(j, n); i != json_end(j, n);
	     i = j->node[i + 1].next) {
		struct buf b;
		bool same;

		buf_init(&b, DOC_BYTES_MAX);
		same = bytes_eq(json_view(j, i, &b), text);
		buf_free(&b);
		if (same)
			return i + 1;
	}
	return 0;
}

static enum status
no_value(struct map *m, const struct map_field *f, struct bytes text,
    const char *zh, const char *en)
{
	char shown[256];

	words_quote(shown, text);
	words_clear(&m->words);
	words_zh(&m->words, "%s：“%s”%s", f->path, shown, zh);
	words_en(&m->words, "%s: \"%s\" %s", f->path, shown, en);
	return ST_INVALID;
}

/* Try each pattern of `formats`. */
static enum status
read_when(struct map *m, const struct map_field *f, struct bytes text,
    struct when *out)
{
	const struct json *j = &m->doc;
	uint32_t a = json_get_typed(j, f->node, "formats", JSON_ARRAY);

	for (uint32_t i = json_first(j, a); a != 0 && i != json_end(j, a);
	     i = j->node[i].next) {
		struct buf b;
		enum status st;

		buf_init(&b, DOC_BYTES_MAX);
		st = when_parse(out, text, json_view(j, i, &b));
		buf_free(&b);
		if (st == ST_OK)
			return when_in_zone(out, m->zone);
	}
	return no_value(m, f, text, "不是所列任何格式的日期",
	    "is a date in none of the listed formats");
}

static enum status
typed(struct map *m, const struct map_field *f, struct bytes text,
    struct buf *out)
{
	struct words why;
	enum status st;

	words_clear(&why);
	st = kind_normalise(f->field, text, 480, out, &why);
	if (st == ST_INVALID)
		m->words = why;
	return st;
}

/* A value given by the map itself: a table's entry, or a constant. */
static enum status
given(struct map *m, const struct map_field *f, uint32_t n, struct buf *out)
{
	const struct json *j = &m->doc;
	struct words why;
	struct buf b;
	enum status st;

	if (j->node[n].type == JSON_NULL)
		return ST_ABSENT;
	buf_init(&b, ENTRY_BYTES_MAX);
	json_canon(j, n, &b);
	words_clear(&why);
	st = b.err != ST_OK ? b.err : kind_check(f->field, buf_view(&b), &why);
	if (st == ST_OK)
		buf_bytes(out, buf_view(&b));
	else if (st == ST_INVALID)
		m->words = why;
	buf_free(&b);
	return st == ST_OK ? out->err : st;
}

static enum status
value_of_text(struct map *m, const struct map_field *f, struct bytes text,
    struct buf *out)
{
	const struct json *j = &m->doc;
	uint32_t table = json_get_typed(j, f->node, "values", JSON_OBJECT);
	uint32_t n = table == 0 ? 0 : member_named(j, table, text);

	if (n != 0)
		return given(m, f, n, out);
	if (text.len == 0)
		return ST_ABSENT;
	if (table != 0) {
		n = json_get(j, f->node, "other");
		if (n != 0)
			return given(m, f, n, out);
		return no_value(
		    m, f, text, "不在映射表中", "is not in the map's table");
	}
	if (json_get(j, f->node, "formats") != 0) {
		struct when w;
		char iso[40];
		enum status st = read_when(m, f, text, &w);

		if (st != ST_OK)
			return st;
		if (f->field->type == KIND_DATE)
			when_date(&w, iso);
		else
			when_datetime(&w, iso);
		return typed(m, f, bytes_str(iso), out);
	}
	return typed(m, f, text, out);
}

enum status
map_value(struct map *m, const struct map_field *f, const struct csv *row,
    struct buf *out)
{
	struct buf text;
	enum status st;

	if (f->column_count == 0)
		return given(m, f, json_get(&m->doc, f->node, "value"), out);
	buf_init(&text, CSV_ROW_BYTES_MAX);
	row_text(m, f, row, &text);
	st = text.err != ST_OK ? text.err
			       : value_of_text(m, f, buf_view(&text), out);
	buf_free(&text);
	return st == ST_OK && out->err != ST_OK ? out->err : st;
}

enum status
map_at(struct map *m, const struct csv *row, char out[40])
{
	struct buf text;
	struct when w;
	enum status st;

	if (m->at.node == 0)
		return ST_ABSENT;
	buf_init(&text, CSV_ROW_BYTES_MAX);
	row_text(m, &m->at, row, &text);
	if (text.err != ST_OK)
		st = text.err;
	else if (text.len == 0)
		st = ST_ABSENT;
	else
		st = read_when(m, &m->at, buf_view(&text), &w);
	buf_free(&text);
	if (st == ST_OK)
		when_datetime(&w, out);
	return st;
}
