/* calendar: which days are holidays, from the notices of each year. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "domain/rules_priv.h"

enum { DAYS_MAX = 2000, YEARS_MAX = 200, TEXT_MAX = 400 };

void
calendar_free(struct calendar *c)
{
	free(c->days);
	free(c->years);
	memset(c, 0, sizeof(*c));
}

static enum status
add_days(struct calendar *c, const struct calendar_days *days)
{
	if (c->count == DAYS_MAX)
		return ST_LIMIT;
	if (c->count == c->cap) {
		size_t cap = c->cap == 0 ? 64 : c->cap * 2;
		struct calendar_days *bigger =
		    realloc(c->days, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		c->days = bigger;
		c->cap = cap;
	}
	c->days[c->count++] = *days;
	return ST_OK;
}

static bool
has_year(const struct calendar *c, int64_t year)
{
	for (size_t i = 0; i < c->year_count; i++) {
		if (c->years[i] == year)
			return true;
	}
	return false;
}

static enum status
add_year(struct calendar *c, int64_t year)
{
	if (c->year_count == YEARS_MAX)
		return ST_LIMIT;
	if (c->year_count == c->year_cap) {
		size_t cap = c->year_cap == 0 ? 16 : c->year_cap * 2;
		int *bigger = realloc(c->years, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		c->years = bigger;
		c->year_cap = cap;
	}
	c->years[c->year_count++] = (int)year;
	return ST_OK;
}

/* "2026-02-15/2026-02-23" or one day. */
static bool
read_days(struct calendar_days *out, struct bytes text)
{
	const uint8_t *slash = memchr(text.p, '/', text.len);
	size_t first = slash == NULL ? text.len : (size_t)(slash - text.p);

	if (!when_read_day(&out->from, bytes_of(text.p, first)))
		return false;
	out->to = out->from;
	return slash == NULL ||
	       (when_read_day(
		    &out->to, bytes_of(slash + 1, text.len - first - 1)) &&
		   out->to >= out->from);
}

static enum status
take_days(struct calendar *c, struct doc *d, uint32_t n, const char *name,
    bool off, bool really)
{
	const struct json *j = &d->j;
	struct calendar_days days = { .off = off };
	uint32_t v = 0;
	enum status st = doc_member(d, n, name, JSON_ARRAY, &v);

	for (uint32_t i = v + 1; v != 0 && st == ST_OK && i < j->node[v].next;
	     i = j->node[i].next) {
		if (j->node[i].type != JSON_STRING ||
		    !read_days(&days, json_raw(j, i)))
			return doc_refuse(d, i,
			    "应为日期或起止日期，如 2026-02-15/2026-02-23",
			    "must be a day or days: 2026-02-15/2026-02-23");
		if (really)
			st = add_days(c, &days);
	}
	return st;
}

static enum status
read_year(struct rules *rs, struct doc *d, uint32_t n)
{
	static const char *const names[] = { "year", "source", "off", "on",
		NULL };
	const char *source;
	int64_t year = 0;
	enum status st = doc_only(d, n, names);

	if (st == ST_OK)
		st = doc_int(d, n, "year", 1949, 9999, &year);
	if (st == ST_OK)
		st = doc_text(d, n, "source", TEXT_MAX, NULL, &source);
	if (st == ST_OK && year == 0)
		st = doc_refuse(d, n, "缺少 year", "no year");
	/* The same file again: nothing new. */
	if (st != ST_OK || has_year(&rs->holidays, year))
		return st;
	st = take_days(&rs->holidays, d, n, "off", true, true);
	if (st == ST_OK)
		st = take_days(&rs->holidays, d, n, "on", false, true);
	return st == ST_OK ? add_year(&rs->holidays, year) : st;
}

enum status
rules_read_calendar(struct rules *rs, struct doc *d)
{
	uint32_t v = 0;
	enum status st = doc_member(d, 0, "calendar", JSON_ARRAY, &v);

	for (uint32_t i = v + 1; v != 0 && st == ST_OK && i < d->j.node[v].next;
	     i = d->j.node[i].next)
		st = read_year(rs, d, i);
	return st;
}

enum status
rules_court_calendar(struct rules *rs, struct doc *d, uint32_t n, bool really)
{
	static const char *const names[] = { "off", "on", "weekends", NULL };
	bool weekends = false;
	enum status st = ST_OK;

	if (n != 0) {
		st = doc_only(d, n, names);
		if (st == ST_OK)
			st = doc_bool(d, n, "weekends", &weekends);
	}
	if (really) {
		rs->local.count = 0;
		rs->weekends = weekends;
	}
	if (st == ST_OK && n != 0)
		st = take_days(&rs->local, d, n, "off", true, really);
	if (st == ST_OK && n != 0)
		st = take_days(&rs->local, d, n, "on", false, really);
	return st;
}

/* -1: it says nothing of that day. */
static int
look(const struct calendar *c, int64_t day)
{
	for (size_t i = 0; i < c->count; i++) {
		if (day >= c->days[i].from && day <= c->days[i].to)
			return c->days[i].off;
	}
	return -1;
}

int
rules_holiday(const struct rules *rs, int64_t day)
{
	int64_t year;
	int month, mday, is = look(&rs->local, day);

	if (is < 0)
		is = look(&rs->holidays, day);
	if (is >= 0)
		return is;
	/* 1 January 1970 was a Thursday: 2 and 3 days later is the weekend. */
	if (rs->weekends && ((day % 7 + 7) % 7 == 2 || (day % 7 + 7) % 7 == 3))
		return 1;
	civil_of_day(day, &year, &month, &mday);
	return has_year(&rs->holidays, year) ? 0 : -1;
}
