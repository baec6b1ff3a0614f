/* project_read: lists, page by page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry/entry.h"
#include "entry/json.h"
#include "server/project/project_impl.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

static size_t
page(size_t limit)
{
	if (limit == 0)
		return LIMIT_DEFAULT;
	return limit > LIMIT_MAX ? LIMIT_MAX : limit;
}

static void
put_text(struct buf *out, const char *name, struct bytes text)
{
	buf_printf(out, "\"%s\":", name);
	json_put_string(out, text);
}

static void
put_time(struct buf *out, const char *name, uint64_t ms)
{
	char at[32];

	at_format(at, ms, 480);
	buf_printf(out, ",\"%s\":\"%s\"", name, at);
}

/* n, rec, kind, status, zh, en, opened, changed, team, person, entries,
 * conflicts, findings, grave, void */
static void
put_record(struct buf *out, const struct db_stmt *s)
{
	buf_printf(out, "{\"conflicts\":%llu,\"entries\":%llu",
	    (unsigned long long)db_u64(s, 11),
	    (unsigned long long)db_u64(s, 10));
	put_time(out, "changed", db_u64(s, 7));
	buf_printf(out, ",\"findings\":%llu,\"grave\":%llu,",
	    (unsigned long long)db_u64(s, 12),
	    (unsigned long long)db_u64(s, 13));
	put_text(out, "kind", db_bytes(s, 2));
	buf_u8(out, ',');
	put_text(out, "label", db_bytes(s, 4));
	buf_u8(out, ',');
	put_text(out, "label_en", db_bytes(s, 5));
	put_time(out, "opened", db_u64(s, 6));
	buf_u8(out, ',');
	put_text(out, "person", db_bytes(s, 9));
	buf_u8(out, ',');
	put_text(out, "rec", db_bytes(s, 1));
	buf_u8(out, ',');
	put_text(out, "status", db_bytes(s, 3));
	buf_u8(out, ',');
	put_text(out, "team", db_bytes(s, 8));
	buf_str(
	    out, db_i64(s, 14) != 0 ? ",\"void\":true}" : ",\"void\":false}");
}

/*
 * Text is found by its trigrams; but words of one or two characters, as most
 * Chinese ones are, have none, and FTS5 (SQLite 3.40) then finds nothing
 * instead of looking through all.  The plus keeps it from its index.  What
 * waits for the index is looked through.
 */
static const char list_sql[] =
    "SELECT n, rec, kind, status, zh, en, opened, changed, team, person,"
    " entries, conflicts, findings, grave, void FROM record"
    " WHERE (?1 = '' OR kind = ?1 OR kind LIKE ?1 || '@%')"
    " AND (?2 = '' OR status = ?2) AND (?3 = '' OR team = ?3)"
    " AND (?4 = '' OR person = ?4)"
    " AND (?5 = '' OR ((?13 = 0 AND n IN (SELECT rowid FROM words"
    "  WHERE text LIKE '%' || ?5 || '%') OR ?13 = 1 AND n IN"
    "  (SELECT rowid FROM words WHERE +text LIKE '%' || ?5 || '%'))"
    "  AND n NOT IN (SELECT n FROM waiting)) OR n IN"
    "  (SELECT n FROM waiting WHERE text LIKE '%' || ?5 || '%'))"
    " AND (?6 = 0 OR conflicts > 0) AND (?7 = 0 OR findings > 0)"
    " AND (?8 = 0 OR grave > 0) AND opened >= ?9 AND opened < ?10"
    " AND n < ?11 ORDER BY n DESC LIMIT ?12";

static const char *
or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

/* `after` is the number that the page before ended on. */
static int64_t
after_of(const char *after, int64_t none)
{
	char *end;
	long long v;

	if (after == NULL || after[0] == '\0')
		return none;
	v = strtoll(after, &end, 10);
	return *end == '\0' ? v : none;
}

/* A run of fewer than three characters between the pattern's own signs. */
static bool
has_short_run(const char *q)
{
	size_t run = 0;

	for (; *q != '\0'; q++) {
		if (*q == '%' || *q == '_') {
			if (run > 0 && run < 3)
				return true;
			run = 0;
		} else if (((unsigned char)*q & 0xc0) != 0x80) {
			run++;
		}
	}
	return run < 3;
}

/* How much of the log a list does not know yet stands before it.  Read before
 * the list is: it never claims more than it has. */
static void
put_behind(struct project_reader *r, struct buf *out)
{
	uint64_t at = project_size(r->p);
	uint64_t size = tlog_size(centre_tlog(r->p->cfg.centre));

	buf_printf(out, "{\"behind\":%llu,",
	    (unsigned long long)(size > at ? size - at : 0));
}

enum status
project_records(
    struct project_reader *r, const struct project_query *q, struct buf *out)
{
	size_t limit = page(q->limit), n = 0;
	struct db_stmt *s;
	int64_t last = 0;
	enum status st = db_query(&s, r->db, list_sql);

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(or_empty(q->kind)));
	db_bind_text(s, 2, bytes_str(or_empty(q->status)));
	db_bind_text(s, 3, bytes_str(or_empty(q->team)));
	db_bind_text(s, 4, bytes_str(or_empty(q->person)));
	db_bind_text(s, 5, bytes_str(or_empty(q->q)));
	db_bind_i64(s, 6, q->conflicts);
	db_bind_i64(s, 7, q->findings);
	db_bind_i64(s, 8, q->grave);
	db_bind_u64(s, 9, q->from_ms);
	db_bind_i64(s, 10, q->to_ms == 0 ? INT64_MAX : (int64_t)q->to_ms);
	db_bind_i64(s, 11, after_of(q->after, INT64_MAX));
	db_bind_u64(s, 12, limit);
	db_bind_i64(s, 13, has_short_run(or_empty(q->q)));
	put_behind(r, out);
	buf_str(out, "\"records\":[");
	while ((st = db_next(s)) == ST_OK) {
		if (n++ > 0)
			buf_u8(out, ',');
		put_record(out, s);
		last = db_i64(s, 0);
	}
	db_done(s);
	if (n == limit)
		buf_printf(out, "],\"next\":\"%lld\"}", (long long)last);
	else
		buf_str(out, "],\"next\":null}");
	return st == ST_ABSENT ? out->err : st;
}

enum status
project_findings(struct project_reader *r,
    const struct project_finding_query *q, struct buf *out)
{
	static const char *const names[] = { "notice", "due", "warning",
		"grave" };
	int64_t want = -1, offset = after_of(q->after, 0);
	size_t n = 0, limit = page(q->limit);
	struct db_stmt *s;
	enum status st;

	for (int i = 0; q->severity != NULL && i < 4; i++) {
		if (strcmp(names[i], q->severity) == 0)
			want = i;
	}
	st = db_query(&s, r->db,
	    "SELECT record.rec, record.kind, finding.doc FROM finding"
	    " JOIN record ON record.n = finding.record"
	    " WHERE (?1 < 0 OR severity = ?1) AND (?2 = '' OR rule = ?2)"
	    " AND (?5 = finding.state OR (?5 = '' AND finding.state <> 'gone'))"
	    " AND (?6 = '' OR owner = ?6) AND (?7 = 0 OR due < ?7)"
	    " ORDER BY severity DESC, finding.record DESC, key"
	    " LIMIT ?3 OFFSET ?4");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, want);
	db_bind_text(s, 2, bytes_str(or_empty(q->rule)));
	db_bind_u64(s, 3, limit);
	db_bind_text(s, 5, bytes_str(or_empty(q->state)));
	db_bind_text(s, 6, bytes_str(or_empty(q->owner)));
	db_bind_u64(s, 7, q->due_ms);
	db_bind_i64(s, 4, offset < 0 ? 0 : offset);
	put_behind(r, out);
	buf_str(out, "\"findings\":[");
	while ((st = db_next(s)) == ST_OK) {
		buf_str(out, n++ > 0 ? ",{\"finding\":" : "{\"finding\":");
		buf_bytes(out, db_bytes(s, 2));
		buf_u8(out, ',');
		put_text(out, "kind", db_bytes(s, 1));
		buf_u8(out, ',');
		put_text(out, "rec", db_bytes(s, 0));
		buf_u8(out, '}');
	}
	db_done(s);
	if (n == limit)
		buf_printf(out, "],\"next\":\"%lld\"}",
		    (long long)offset + (long long)n);
	else
		buf_str(out, "],\"next\":null}");
	return st == ST_ABSENT ? out->err : st;
}

enum status
project_sums(struct project_reader *r, struct project_sums *out)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, r->db,
	    "SELECT (SELECT entries FROM pos), count(*),"
	    " coalesce(sum(conflicts), 0), coalesce(sum(findings), 0),"
	    " coalesce(sum(grave), 0), (SELECT size FROM pos) FROM record");
	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK) {
		out->entries = db_u64(s, 0);
		out->records = db_u64(s, 1);
		out->conflicts = db_u64(s, 2);
		out->findings = db_u64(s, 3);
		out->grave = db_u64(s, 4);
		out->position = db_u64(s, 5);
	}
	db_done(s);
	return st;
}
