/* desk_act: what a person decides of a file: its clock, its records, or none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/core/blobs.h"
#include "agent/core/desk_impl.h"
#include "base/enc.h"
#include "entry/json.h"

/* Change one row: found, changed by `fn`, kept. */
typedef enum status change_fn(
    struct agent *a, struct desk_row *r, const void *arg);

static enum status
change(struct agent *a, const char *file, change_fn *fn, const void *arg)
{
	struct desk_row *r = malloc(sizeof(*r));
	enum status st =
	    r == NULL ? agent_why(a, ST_NOMEM, "出错", status_text(ST_NOMEM))
		      : desk_find(a, file, r);

	if (st == ST_OK)
		st = fn(a, r, arg);
	if (st == ST_OK) {
		r->seen_ms = (int64_t)port_wall_ms(a->port);
		st = desk_row_put(a, r);
		if (st != ST_OK)
			st = agent_log_why(a, st);
	}
	free(r);
	return st;
}

/* ---- its clock */

struct hand {
	uint64_t at_ms;
	const char *time;
};

static enum status
set_hand(struct agent *a, struct desk_row *r, const void *arg)
{
	const struct hand *h = arg;
	int offset;

	if (at_parse(&r->hand_time_ms, &offset, bytes_str(h->time)) != ST_OK ||
	    r->hand_time_ms < 0)
		return agent_why(a, ST_INVALID,
		    "时间应写作 2026-11-24T05:10:00+08:00",
		    "the time is to be written 2026-11-24T05:10:00+08:00");
	if (!r->has_made)
		return agent_why(a, ST_INVALID, "这个文件没有自己的时间",
		    "this file has no time of its own that could be off");
	if (h->at_ms > (r->has_length ? r->length_ms : UINT64_C(1) << 40))
		return agent_why(a, ST_INVALID, "录像没有这么长",
		    "the recording is not that long");
	r->has_hand = true;
	r->hand_at_ms = h->at_ms;
	return ST_OK;
}

enum status
agent_desk_clock(
    struct agent *a, const char *file, uint64_t at_ms, const char *time)
{
	const struct hand h = { at_ms, time };

	return change(a, file, set_hand, &h);
}

/* ---- no record's */

static enum status
set_refused(struct agent *a, struct desk_row *r, const void *arg)
{
	const char *reason = arg;

	if (reason != NULL &&
	    (reason[0] == '\0' || strlen(reason) > DESK_REASON_MAX ||
		!json_text_ok(bytes_str(reason))))
		return agent_why(a, ST_INVALID, "理由为空、过长或含不可用字符",
		    "the reason is empty, too long, or holds characters that "
		    "cannot stand");
	r->refused = reason != NULL;
	memset(r->reason, 0, sizeof(r->reason));
	if (reason != NULL)
		memcpy(r->reason, reason, strlen(reason));
	return ST_OK;
}

enum status
agent_desk_refuse(struct agent *a, const char *file, const char *reason)
{
	return change(a, file, set_refused, reason);
}

/* ---- attached */

struct confirming {
	struct agent *a;
	struct desk_known k;
	struct desk_row row;
	struct agent_about about;
	char taken[32], clock[2 * ID_LEN + 1], clock_in[2 * HASH_LEN + 1];
	desk_done *done;
	void *arg;
	bool all; /* what is attached already goes without saying */
};

/* What its entry says of it. */
static void
say(struct confirming *c, const char *item)
{
	const struct desk_row *r = &c->row;
	const struct desk_clock *clock = desk_clock_of(&c->k, r);
	struct agent_about *b = &c->about;

	*b = (struct agent_about){ .name = r->path, .digest = r->digest };
	b->on = item[0] == '\0' ? NULL : item;
	b->has_ms = r->has_length;
	b->ms = r->length_ms;
	b->recorder = r->recorder[0] == '\0' ? NULL : r->recorder;
	b->filmed_by = r->filmed_by[0] == '\0' ? NULL : r->filmed_by;
	if (!r->has_made)
		return;
	at_format(c->taken,
	    (uint64_t)(r->made_ms + (clock == NULL ? 0 : clock->off_ms)),
	    c->a->offset_min);
	b->taken = c->taken;
	b->taken_from_file = r->made_by_file;
	if (clock == NULL)
		return;
	b->has_clock_off = true;
	b->clock_off_ms = clock->off_ms;
	if (clock->hand)
		return;
	hex_encode(c->clock, bytes_of(clock->entry, ID_LEN));
	b->clock = c->clock;
	b->clock_at_ms = clock->at_ms;
	if (memcmp(clock->digest, r->digest, HASH_LEN) == 0)
		return;
	hex_encode(c->clock_in, bytes_of(clock->digest, HASH_LEN));
	b->clock_in = c->clock_in;
}

static enum status
read_in(struct confirming *c, const char *rec, uint8_t id[ID_LEN])
{
	struct stat now;
	int fd = open(c->row.path,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	enum status st = ST_ABSENT;

	if (fd >= 0 && fstat(fd, &now) == 0 && S_ISREG(now.st_mode))
		st = agent_attach_fd(c->a, rec, fd, &c->about, id);
	else
		st = agent_why(c->a, ST_ABSENT,
		    "读不到原文件：请插回存储卡，或重新扫描",
		    "the file is not where it was read: put the card back, or "
		    "scan again");
	if (fd >= 0)
		(void)close(fd);
	return st;
}

static enum status
attach(struct confirming *c, const char *rec, const char *item)
{
	const struct blob *b = blobs_find(c->a, c->row.digest);
	char digest[2 * HASH_LEN + 1], hex[2 * ID_LEN + 1];
	bool had = desk_has(&c->k, c->row.digest, rec);
	uint8_t id[ID_LEN] = { 0 };
	enum status st = ST_OK;

	hex_encode(digest, bytes_of(c->row.digest, HASH_LEN));
	if (!had) {
		say(c, item);
		st = b != NULL && b->row.state != BLOB_LOST &&
			     b->row.state != BLOB_MISMATCHED
			 ? agent_attach_known(
			       c->a, rec, c->row.digest, &c->about, id)
			 : read_in(c, rec, id);
	}
	hex_encode(hex, bytes_of(id, ID_LEN));
	c->done(c->arg, digest, rec, st, had || st != ST_OK ? NULL : hex);
	return st;
}

/* The path of its recorder in that record, or "". */
static const char *
item_in(const struct confirming *c, const char *rec)
{
	const char *item = "";
	enum desk_sure as;

	for (size_t i = 0; i < c->k.record_count; i++) {
		if (strcmp(c->k.record[i].rec, rec) == 0)
			(void)desk_proposed(
			    &c->k, &c->row, &c->k.record[i], &as, &item);
	}
	return item;
}

/* *count: for how many records it is surely meant. */
static enum status
attach_sure(struct confirming *c, size_t *count)
{
	enum status st = ST_OK;

	*count = 0;
	for (size_t i = 0; st == ST_OK && i < c->k.record_count; i++) {
		const char *item;
		enum desk_sure as;

		if (!desk_proposed(
			&c->k, &c->row, &c->k.record[i], &as, &item) ||
		    as != DESK_SURE)
			continue;
		(*count)++;
		if (!c->all ||
		    !desk_has(&c->k, c->row.digest, c->k.record[i].rec))
			st = attach(c, c->k.record[i].rec, item);
	}
	return st;
}

static enum status
confirm_one(struct confirming *c, const char *const *recs, size_t count)
{
	size_t sure = 0;
	enum status st = ST_OK;

	if (count == 0) {
		st = attach_sure(c, &sure);
		if (st == ST_OK && sure == 0)
			return agent_why(c->a, ST_ABSENT,
			    "没有可确定归入的记录，请写明记录编号",
			    "it is surely meant for no record: name the "
			    "records");
	}
	for (size_t i = 0; st == ST_OK && i < count; i++)
		st = attach(c, recs[i], item_in(c, recs[i]));
	return st;
}

static enum status
note_digest(void *arg, struct bytes doc)
{
	struct buf *digests = arg;
	struct desk_row *r = malloc(sizeof(*r));
	enum status st = r == NULL ? ST_NOMEM : desk_row_read(r, doc);

	if (st == ST_OK && !r->refused) {
		buf_add(digests, r->digest, HASH_LEN);
		st = digests->err;
	}
	free(r);
	return st == ST_INVALID ? ST_OK : st;
}

/* Of this file alone: the next may be all right. */
static bool
is_its_own(enum status st)
{
	return st == ST_ABSENT || st == ST_CONFLICT || st == ST_IO ||
	       st == ST_CORRUPT;
}

static enum status
confirm_all(struct confirming *c)
{
	struct buf digests;
	size_t left = 0, sure;
	enum status st;

	buf_init(&digests, (size_t)64 << 20);
	st = log_desk_each(c->a->log, note_digest, &digests);
	if (st != ST_OK)
		st = agent_why(c->a, st, "出错", status_text(st));
	for (size_t i = 0; st == ST_OK && i < digests.len; i += HASH_LEN) {
		st = desk_row_get(c->a, digests.p + i, &c->row);
		if (st == ST_OK)
			st = attach_sure(c, &sure);
		if (is_its_own(st)) {
			left++;
			st = ST_OK;
		}
	}
	buf_free(&digests);
	return st == ST_OK && left > 0
		   ? agent_why(c->a, ST_IO, "有文件未能附上",
			 "some files could not be attached")
		   : st;
}

enum status
agent_desk_confirm(struct agent *a, const char *file, const char *const *recs,
    size_t count, desk_done *done, void *arg)
{
	struct confirming *c = calloc(1, sizeof(*c));
	enum status st =
	    c == NULL ? agent_why(a, ST_NOMEM, "出错", status_text(ST_NOMEM))
		      : agent_ready(a);

	if (st == ST_OK && file != NULL)
		st = desk_find(a, file, &c->row);
	if (st == ST_OK)
		st = desk_known_load(a, &c->k);
	if (st != ST_OK) {
		free(c);
		return st;
	}
	c->a = a;
	c->done = done;
	c->arg = arg;
	c->all = file == NULL;
	st = file == NULL ? confirm_all(c) : confirm_one(c, recs, count);
	desk_known_free(&c->k);
	free(c);
	return st;
}
