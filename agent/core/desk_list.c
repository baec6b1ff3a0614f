/* desk_list: what the desk knows of files, told; and a file found by name. */
#include <stdlib.h>
#include <string.h>

#include "agent/core/desk_impl.h"
#include "base/enc.h"
#include "entry/json.h"

/* ---- a line */

static size_t
put_attached(
    const struct desk_known *k, const struct desk_row *r, struct buf *out)
{
	size_t n = 0;

	buf_str(out, "{\"attached\":[");
	for (size_t i = 0; k != NULL && i < k->has_count; i++) {
		if (memcmp(k->has[i].digest, r->digest, HASH_LEN) != 0 ||
		    (i > 0 && memcmp(&k->has[i], &k->has[i - 1],
				  sizeof(k->has[i])) == 0))
			continue;
		buf_str(out, n++ > 0 ? "," : "");
		json_put_str(out, k->has[i].rec);
	}
	buf_u8(out, ']');
	return n;
}

static void
put_proposed(
    const struct desk_known *k, const struct desk_row *r, struct buf *out)
{
	static const char *const words[] = { "possible", "likely", "sure" };
	size_t n = 0;

	buf_str(out, ",\"proposed\":[");
	/* The surest first. */
	for (int want = DESK_SURE; want >= DESK_POSSIBLE; want--) {
		for (size_t i = 0; i < k->record_count; i++) {
			const struct desk_record *rec = &k->record[i];
			const char *item;
			enum desk_sure as;

			if (!desk_proposed(k, r, rec, &as, &item) ||
			    (int)as != want || desk_has(k, r->digest, rec->rec))
				continue;
			buf_printf(out, "%s{\"as\":\"%s\",\"kind\":\"%s\"",
			    n++ > 0 ? "," : "", words[as], rec->kind);
			buf_str(out, ",\"label\":");
			json_put_str(out, rec->label);
			buf_printf(out, ",\"on\":\"%s\",\"rec\":\"%s\"}", item,
			    rec->rec);
		}
	}
	buf_u8(out, ']');
}

static void
put_clock(const struct desk_clock *c, struct buf *out)
{
	buf_printf(out, ",\"clock\":\"%s\"",
	    c == NULL ? "unchecked"
	    : c->hand ? "hand"
		      : "code");
	if (c != NULL && desk_clock_is_far(c))
		buf_str(out, ",\"clock_far\":true");
	if (c != NULL)
		buf_printf(out, ",\"clock_off_ms\":%lld", (long long)c->off_ms);
}

static void
put_name(const struct desk_row *r, struct buf *out)
{
	struct buf b;

	buf_init(&b, 4 * DESK_PATH_MAX);
	desk_show_path(&b, r->path);
	if (b.err == ST_OK) {
		buf_str(out, ",\"name\":");
		json_put_string(out, buf_view(&b));
	} else if (out->err == ST_OK) {
		out->err = b.err; /* a line is whole, or there is none */
	}
	buf_free(&b);
}

void
desk_put_line(const struct agent *a, const struct desk_known *k,
    const struct desk_row *r, struct buf *out)
{
	const struct desk_clock *c = k == NULL ? NULL : desk_clock_of(k, r);
	size_t attached = put_attached(k, r, out);
	char at[32];

	if (k == NULL) /* whose clock is checked is known behind the scan */
		buf_printf(out, ",\"seen\":%zu", r->code_count);
	else
		put_clock(c, out);
	if (k != NULL)
		buf_printf(out, ",\"codes\":%zu", desk_unknown_codes(k, r));
	buf_printf(
	    out, ",\"damaged\":%s,\"digest\":", r->damaged ? "true" : "false");
	json_put_hex(out, bytes_of(r->digest, HASH_LEN));
	desk_put_text(out, "filmed_by", r->filmed_by);
	if (r->has_length)
		buf_printf(out, ",\"length_ms\":%llu",
		    (unsigned long long)r->length_ms);
	if (r->has_made) {
		at_format(at,
		    (uint64_t)(r->made_ms + (c == NULL ? 0 : c->off_ms)),
		    a->offset_min);
		desk_put_text(out, "made", at);
		desk_put_text(
		    out, "made_from", r->made_by_file ? "file" : "recording");
	}
	put_name(r, out);
	if (k != NULL)
		put_proposed(k, r, out);
	desk_put_text(out, "reason", r->reason);
	desk_put_text(out, "recorder", r->recorder);
	buf_printf(out, ",\"size\":%llu,\"state\":\"%s\"",
	    (unsigned long long)r->size,
	    attached > 0 ? "attached"
	    : r->refused ? "refused"
			 : "open");
	desk_put_text(out, "type", r->type);
	buf_str(out, "}\n");
}

/* ---- found by the first digits of the digest */

struct seeking {
	const char *digits;
	struct desk_row *row, *out;
	size_t count;
};

static bool
begins(const struct desk_row *r, const char *digits)
{
	char hex[2 * HASH_LEN + 1];

	hex_encode(hex, bytes_of(r->digest, HASH_LEN));
	return strncmp(hex, digits, strlen(digits)) == 0;
}

static enum status
find_one(void *arg, struct bytes doc)
{
	struct seeking *f = arg;
	enum status st = desk_row_read(f->row, doc);

	if (st == ST_OK && begins(f->row, f->digits)) {
		*f->out = *f->row;
		f->count++;
	}
	return st == ST_NOMEM ? st : ST_OK;
}

static bool
digits_ok(const char *s)
{
	size_t len = strlen(s);

	return len >= DESK_FILE_MIN && len <= 2 * HASH_LEN &&
	       strspn(s, "0123456789abcdef") == len;
}

enum status
desk_find(struct agent *a, const char *file, struct desk_row *out)
{
	struct seeking f = { .digits = file, .out = out };
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	if (!digits_ok(file))
		return agent_why(a, ST_INVALID,
		    "文件以哈希值（至少前 8 位）指明",
		    "a file is named by its digest, or the first 8 digits of "
		    "it or more");
	f.row = malloc(sizeof(*f.row));
	st = f.row == NULL ? ST_NOMEM : log_desk_each(a->log, find_one, &f);
	free(f.row);
	if (st != ST_OK)
		return agent_why(a, st, "出错", status_text(st));
	if (f.count == 0)
		return agent_why(a, ST_ABSENT, "没有读过这个文件",
		    "no such file was read at this desk");
	return f.count == 1 ? ST_OK
			    : agent_why(a, ST_CONFLICT,
				  "不止一个文件以此开头，请多写几位",
				  "several files begin so: give more digits");
}

/* ---- all of them, by the time they were made */

struct order {
	struct one {
		int64_t made_ms;
		uint8_t digest[HASH_LEN];
	} * one; /* owned */
	size_t count, cap;
	const char *digits; /* or NULL */
	struct desk_known *k;
	struct desk_row *row; /* owned; scratch */
};

static enum status
take_one(void *arg, struct bytes doc)
{
	struct order *o = arg;
	const struct desk_clock *c;
	enum status st = desk_row_read(o->row, doc);

	if (st != ST_OK || (o->digits != NULL && !begins(o->row, o->digits)))
		return st == ST_NOMEM ? st : ST_OK;
	if (o->count == o->cap) {
		size_t cap = o->cap == 0 ? 64 : o->cap * 2;
		struct one *bigger = realloc(o->one, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		o->one = bigger;
		o->cap = cap;
	}
	c = desk_clock_of(o->k, o->row);
	o->one[o->count].made_ms =
	    o->row->made_ms + (c == NULL ? 0 : c->off_ms);
	memcpy(o->one[o->count++].digest, o->row->digest, HASH_LEN);
	return ST_OK;
}

static int
by_time(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	if (x->made_ms != y->made_ms)
		return x->made_ms < y->made_ms ? -1 : 1;
	return memcmp(x->digest, y->digest, HASH_LEN);
}

static enum status
put_all(struct agent *a, struct order *o, struct buf *out)
{
	enum status st = log_desk_each(a->log, take_one, o);

	if (st == ST_OK && o->count > 1)
		qsort(o->one, o->count, sizeof(*o->one), by_time);
	for (size_t i = 0; st == ST_OK && i < o->count; i++) {
		st = desk_row_get(a, o->one[i].digest, o->row);
		if (st == ST_OK)
			desk_put_line(a, o->k, o->row, out);
		st = st == ST_ABSENT ? ST_OK : st == ST_OK ? out->err : st;
	}
	return st;
}

enum status
agent_desk_list(struct agent *a, const char *file, struct buf *out)
{
	struct desk_known k;
	struct order o = { .digits = file, .k = &k };
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	o.row = malloc(sizeof(*o.row));
	if (o.row == NULL)
		return agent_why(a, ST_NOMEM, "出错", status_text(ST_NOMEM));
	if (file != NULL)
		st = desk_find(a, file, o.row);
	if (st == ST_OK)
		st = desk_known_load(a, &k);
	if (st == ST_OK) {
		st = put_all(a, &o, out);
		desk_known_free(&k);
		if (st != ST_OK)
			st = agent_why(a, st, "出错", status_text(st));
	}
	free(o.one);
	free(o.row);
	return st;
}
