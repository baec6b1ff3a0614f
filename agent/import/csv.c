#include "agent/import/csv.h"

#include <assert.h>
#include <string.h>

#include "entry/json.h"

void
csv_init(struct csv *c, struct bytes in, struct csv_options opt)
{
	memset(c, 0, sizeof(*c));
	c->opt = opt;
	c->in = in;
	c->line = 1;
	buf_init(&c->text, CSV_ROW_BYTES_MAX);
	if (bytes_starts(in, "\xef\xbb\xbf"))
		c->at = 3;
}

void
csv_free(struct csv *c)
{
	buf_free(&c->text);
}

static bool
is_break(uint8_t b)
{
	return b == '\n' || b == '\r';
}

/* Step over one line break, if one stands here. */
static void
skip_break(struct csv *c)
{
	if (c->at < c->in.len && c->in.p[c->at] == '\r')
		c->at++;
	if (c->at < c->in.len && c->in.p[c->at] == '\n')
		c->at++;
}

/* Bad row: go on behind the line on which it turned bad. */
static enum status
give_up(struct csv *c, const char *why)
{
	while (c->at < c->in.len && !is_break(c->in.p[c->at]))
		c->at++;
	skip_break(c);
	c->line++;
	c->why = why;
	return ST_INVALID;
}

/* A quoted field, the opening quote already taken.  NULL, or why not. */
static const char *
quoted(struct csv *c)
{
	for (;;) {
		const uint8_t *p = c->in.p + c->at;
		size_t left = c->in.len - c->at;
		size_t n = 0;

		while (n < left && p[n] != '"') {
			if (p[n] == '\n')
				c->line++;
			n++;
		}
		buf_add(&c->text, p, n);
		c->at += n;
		if (n == left)
			return "a quoted field has no closing quote";
		c->at++;
		if (c->at < c->in.len && c->in.p[c->at] == '"') {
			buf_u8(&c->text, '"');
			c->at++;
			continue;
		}
		if (c->at == c->in.len || is_break(c->in.p[c->at]) ||
		    c->in.p[c->at] == (uint8_t)c->opt.separator)
			return NULL;
		return "something stands behind a closing quote";
	}
}

static const char *
plain(struct csv *c)
{
	const uint8_t *p = c->in.p + c->at;
	size_t left = c->in.len - c->at, n = 0;

	while (n < left && p[n] != (uint8_t)c->opt.separator && !is_break(p[n]))
		n++;
	buf_add(&c->text, p, n);
	c->at += n;
	return NULL;
}

static const char *
next_field(struct csv *c)
{
	if (c->opt.quotes && c->at < c->in.len && c->in.p[c->at] == '"') {
		c->at++;
		return quoted(c);
	}
	return plain(c);
}

/* The fields of one row, up to its line break. */
static enum status
read_fields(struct csv *c)
{
	for (;;) {
		const char *why;

		if (c->count == CSV_COLUMNS_MAX)
			return give_up(c, "too many fields");
		c->start[c->count] = c->text.len;
		why = next_field(c);
		if (why != NULL)
			return give_up(c, why);
		if (c->text.err == ST_NOMEM)
			return ST_NOMEM;
		if (c->text.err != ST_OK)
			return give_up(c, "the row is too long");
		c->count++;
		c->start[c->count] = c->text.len;
		if (c->at == c->in.len || is_break(c->in.p[c->at]))
			return ST_OK;
		c->at++;
	}
}

enum status
csv_next(struct csv *c)
{
	size_t begin;
	enum status st;

	while (c->at < c->in.len && is_break(c->in.p[c->at])) {
		skip_break(c);
		c->line++;
	}
	c->why = NULL;
	c->count = 0;
	buf_reset(&c->text);
	if (c->at == c->in.len)
		return ST_ABSENT;
	c->row_line = c->line;
	begin = c->at;
	st = read_fields(c);
	if (st != ST_OK)
		return st;
	c->raw = bytes_of(c->in.p + begin, c->at - begin);
	skip_break(c);
	c->line++;
	if (c->opt.loose_ends && c->count > 1 &&
	    c->start[c->count] == c->start[c->count - 1])
		c->count--;
	if (!json_text_ok(buf_view(&c->text))) {
		c->why = "not UTF-8, or a character that no record may hold";
		return ST_INVALID;
	}
	return ST_OK;
}

struct bytes
csv_field(const struct csv *c, size_t i)
{
	/* Where all fields are empty, there may be no text at all. */
	if (i >= c->count || c->text.len == 0)
		return (struct bytes){ NULL, 0 };
	return bytes_of(c->text.p + c->start[i], c->start[i + 1] - c->start[i]);
}
