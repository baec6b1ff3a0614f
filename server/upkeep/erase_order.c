#include "server/upkeep/erase_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/roster/two.h"

enum { NAME_LEN = 9 + 2 * ID_LEN + 6 + 1 };

/* ---- what the log has */

enum status
erase_orders(const struct erase_desk *d, struct erasures **out)
{
	uint64_t size = tlog_size(centre_tlog(d->centre));
	struct erasures *s = NULL;
	struct centre_own *own = NULL;
	struct centre_entry ce;
	struct entry e;
	enum status st = erasures_new(&s);

	entry_init(&e);
	if (st == ST_OK)
		st = centre_own_open(&own, d->centre, d->reader);
	while (st == ST_OK) {
		st = centre_own_next(own, size, &ce);
		if (st != ST_OK)
			break;
		st = entry_parse(&e, ce.bytes);
		if (st == ST_OK)
			st = erasures_take(s, &e, ce.link, ce.place, NULL);
		if (st == ST_INVALID)
			st = ST_OK;
		centre_own_took(own);
	}
	centre_own_close(own);
	entry_free(&e);
	if (st != ST_ABSENT) {
		erasures_free(s);
		return st;
	}
	*out = s;
	return ST_OK;
}

/* ---- proposing */

static enum status
look_at(const struct erase_desk *d, const struct erase_wish *w, size_t i,
    uint64_t *place, struct words *why)
{
	char hex[2 * ID_LEN + 1];
	uint32_t flags = 0;
	enum status st = feed_place_of(d->feed, centre_reader_store(d->reader),
	    w->rec, w->id[i], place, &flags);

	hex_encode(hex, bytes_of(w->id[i], ID_LEN));
	if (st == ST_ABSENT) {
		words_zh(why, "该记录没有条目 %s", hex);
		words_en(why, "the record has no entry %s", hex);
	} else if (st == ST_OK && (flags & STORE_SERVER) != 0) {
		words_zh(why, "%s 是法院自己的条目，不得抹去", hex);
		words_en(
		    why, "%s is the court's own and cannot be erased", hex);
		return ST_DENIED;
	} else if (st == ST_OK && (flags & STORE_ERASED) != 0) {
		words_zh(why, "%s 已被抹去", hex);
		words_en(why, "%s is erased already", hex);
		return ST_CONFLICT;
	}
	return st;
}

static enum status
is_complete(const struct erase_wish *w, struct words *why)
{
	if (w->ground == NULL || w->ground[0] == '\0' || w->law == NULL ||
	    w->law[0] == '\0') {
		words_put(why, "须写明理由与法律依据",
		    "a ground and the law must be given");
		return ST_INVALID;
	}
	if (strlen(w->ground) > ERASE_WORDS_MAX ||
	    strlen(w->law) > ERASE_WORDS_MAX || w->count == 0 ||
	    w->count > ERASE_ENTRIES_MAX) {
		words_put(why, "须有 1 至 500 个条目，文字不过长",
		    "1 to 500 entries, and words that are not too long");
		return ST_INVALID;
	}
	return ST_OK;
}

/* Names and values of the proposal; *names owns what `on` points to. */
static enum status
put_wish(const struct erase_desk *d, const struct erase_wish *w,
    struct bytes *on, char *names, struct buf *data, struct words *why)
{
	enum status st = ST_OK;

	on[0] = bytes_str("record");
	on[1] = bytes_str("ground");
	on[2] = bytes_str("law");
	buf_u8(data, '[');
	json_put_str(data, w->rec);
	buf_u8(data, ',');
	json_put_str(data, w->ground);
	buf_u8(data, ',');
	json_put_str(data, w->law);
	for (size_t i = 0; i < w->count && st == ST_OK; i++) {
		char *name = names + i * NAME_LEN;
		uint64_t place = 0;

		st = look_at(d, w, i, &place, why);
		memcpy(name, "entries/@", 9);
		hex_encode(name + 9, bytes_of(w->id[i], ID_LEN));
		memcpy(name + 9 + 2 * ID_LEN, "/place", 7);
		on[3 + i] = bytes_str(name);
		buf_u8(data, ',');
		json_put_int(data, (int64_t)place);
	}
	buf_u8(data, ']');
	return st == ST_OK ? data->err : st;
}

enum status
erase_propose(const struct erase_desk *d, const struct erase_wish *w,
    uint8_t id[ID_LEN], struct words *why)
{
	struct server_entry e = { .kind = ERASE_KIND,
		.verb = DO_OPEN,
		.on_count = 3 + w->count,
		.by = w->by };
	struct commit_job job = { .entry = &e, .entry_count = 1 };
	struct bytes *on = calloc(3 + w->count, sizeof(*on));
	char *names = calloc(w->count + 1, NAME_LEN);
	struct buf data;
	enum status st = two_may(d->roster, w->by, TWO_ERASE, why);

	buf_init(&data, ENTRY_BYTES_MAX);
	if (on == NULL || names == NULL)
		st = ST_NOMEM;
	if (st == ST_OK)
		st = is_complete(w, why);
	if (st == ST_OK)
		st = put_wish(d, w, on, names, &data, why);
	if (st == ST_OK) {
		e.on = on;
		e.data = buf_view(&data);
		st = committer_wait(centre_committer(d->centre), &job);
	}
	if (st == ST_OK)
		memcpy(id, e.id, ID_LEN);
	buf_free(&data);
	free(names);
	free(on);
	return st;
}

/* ---- erasing */

/* One body goes, if that place holds that entry; *done: it did. */
static enum status
erase_one(struct store *s, const struct erase_entry *x, bool *done)
{
	struct store_entry e;
	enum status st = x->place == UINT64_MAX
			     ? ST_ABSENT
			     : store_entry_head(store_inside(s), x->place, &e);

	*done = false;
	if (st == ST_ABSENT ||
	    (st == ST_OK && (memcmp(e.link, x->id, ID_LEN) != 0 ||
				(e.flags & STORE_SERVER) != 0 ||
				(e.flags & STORE_ERASED) != 0)))
		return ST_OK;
	if (st == ST_OK)
		st = store_erase(s, x->place);
	*done = st == ST_OK;
	return st;
}

/* Within the transaction of the confirming entry. */
static enum status
erase_all(void *arg, struct store *s)
{
	const struct erase_order *o = arg;
	enum status st = ST_OK;
	bool done;

	for (size_t i = 0; i < o->count && st == ST_OK; i++)
		st = erase_one(s, &o->entry[i], &done);
	return st;
}

static enum status
may_decide(
    const struct erase_order *o, bool yes, const char *by, struct words *why)
{
	if (o == NULL) {
		words_put(why, "没有此编号的命令", "there is no such order");
		return ST_ABSENT;
	}
	if (o->state != ERASE_PENDING) {
		words_put(why, "该命令已有决定", "it is decided already");
		return ST_CONFLICT;
	}
	if (yes && strcmp(by, o->by) == 0) {
		words_put(why, "提出人不得自己确认：须由另一人确认",
		    "its proposer cannot confirm it: another person must");
		return ST_DENIED;
	}
	return ST_OK;
}

static enum status
log_word(const struct erase_desk *d, const struct erase_order *o, bool yes,
    const char *by, const char *reason)
{
	char name[2 * ID_LEN + 2] = "@";
	struct bytes on;
	uint8_t after[1][ID_LEN];
	struct server_entry e = { .kind = ERASE_KIND,
		.verb = DO_APPROVE,
		.on = &on,
		.on_count = 1,
		.data = bytes_str(yes ? "[true]" : "[false]"),
		.by = by,
		.after = (const uint8_t(*)[ID_LEN])after,
		.after_count = 1 };
	struct commit_job job = { .entry = &e,
		.entry_count = 1,
		.check = yes ? erase_all : NULL,
		.arg = (void *)(uintptr_t)o };
	enum status st;

	hex_encode(name + 1, bytes_of(o->id, ID_LEN));
	on = bytes_str(name);
	memcpy(e.rec, o->rec, sizeof(e.rec));
	memcpy(after[0], o->head, ID_LEN);
	if (reason != NULL)
		e.reason = bytes_str(reason);
	st = committer_wait(centre_committer(d->centre), &job);
	/* What was written over still stands in the log of the database. */
	return st == ST_OK && yes ? store_tidy(centre_store(d->centre)) : st;
}

enum status
erase_decide(const struct erase_desk *d, const uint8_t id[ID_LEN], bool yes,
    const char *by, const char *reason, struct words *why)
{
	struct erasures *s = NULL;
	const struct erase_order *o = NULL;
	enum status st = two_may(d->roster, by, TWO_ERASE, why);

	if (st == ST_OK)
		st = erase_orders(d, &s);
	if (st == ST_OK) {
		o = erasures_find(s, id);
		st = may_decide(o, yes, by, why);
	}
	if (st == ST_OK)
		st = log_word(d, o, yes, by, reason);
	erasures_free(s);
	return st;
}

/* ---- once more */

struct again {
	const struct erasures *orders;
	uint64_t count;
};

static enum status
erase_ordered(void *arg, struct store *s)
{
	struct again *a = arg;
	enum status st = ST_OK;
	bool done;

	a->count = 0;
	for (size_t i = 0; i < erasures_count(a->orders); i++) {
		const struct erase_order *o = erasures_at(a->orders, i);

		for (size_t k = 0;
		     o->state == ERASE_ORDERED && k < o->count && st == ST_OK;
		     k++) {
			st = erase_one(s, &o->entry[k], &done);
			a->count += st == ST_OK && done;
		}
	}
	return st;
}

enum status
erase_again(const struct erase_desk *d, uint64_t *count)
{
	struct erasures *s = NULL;
	struct again a = { .count = 0 };
	struct commit_job job = { .check = erase_ordered, .arg = &a };
	enum status st = erase_orders(d, &s);

	*count = 0;
	a.orders = s;
	if (st == ST_OK && erasures_count(s) > 0)
		st = committer_wait(centre_committer(d->centre), &job);
	if (st == ST_OK && a.count > 0)
		st = store_tidy(centre_store(d->centre));
	erasures_free(s);
	*count = a.count;
	return st;
}

/* ---- telling */

static void
put_text(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	json_put_str(b, value);
}

void
erase_order_json(const struct erase_order *o, struct buf *out)
{
	buf_str(out, "{\"by\":");
	json_put_str(out, o->by);
	put_text(out, "decided_by", o->decided_by);
	buf_str(out, ",\"entries\":[");
	for (size_t i = 0; i < o->count; i++) {
		buf_str(out, i == 0 ? "{\"id\":" : ",{\"id\":");
		json_put_hex(out, bytes_of(o->entry[i].id, ID_LEN));
		if (o->entry[i].place == UINT64_MAX)
			buf_str(out, ",\"place\":null}");
		else
			buf_printf(out, ",\"place\":%llu}",
			    (unsigned long long)o->entry[i].place);
	}
	buf_u8(out, ']');
	put_text(out, "ground", o->ground);
	buf_str(out, ",\"id\":");
	json_put_hex(out, bytes_of(o->id, ID_LEN));
	put_text(out, "law", o->law);
	buf_printf(out, ",\"place\":%llu", (unsigned long long)o->place);
	put_text(out, "record", o->record);
	put_text(out, "state", erase_state_name(o->state));
	buf_u8(out, '}');
}
