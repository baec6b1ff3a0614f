#include "server/roster/define.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "server/roster/batch.h"
#include "server/roster/two.h"

struct define {
	struct centre *centre;
	struct roster *roster;
	pthread_mutex_t lock; /* over all below */
	struct centre_reader *reader;
	struct centre_own *own;
	struct entry entry; /* scratch */
	struct defs *defs;
};

enum status
define_open(struct define **out, struct centre *c, struct roster *r)
{
	struct define *d = calloc(1, sizeof(*d));
	enum status st;

	if (d == NULL)
		return ST_NOMEM;
	d->centre = c;
	d->roster = r;
	entry_init(&d->entry);
	if (pthread_mutex_init(&d->lock, NULL) != 0) {
		free(d);
		return ST_NOMEM;
	}
	st = defs_new(&d->defs);
	if (st == ST_OK)
		st = centre_reader_open(&d->reader, c);
	if (st == ST_OK)
		st = centre_own_open(&d->own, c, d->reader);
	if (st != ST_OK) {
		define_close(d);
		return st;
	}
	*out = d;
	return ST_OK;
}

void
define_close(struct define *d)
{
	if (d == NULL)
		return;
	centre_own_close(d->own);
	centre_reader_close(d->reader);
	defs_free(d->defs);
	entry_free(&d->entry);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

static enum status
take(struct define *d, const struct centre_entry *e)
{
	enum status st = entry_parse_head(&d->entry, e->bytes);

	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK || !bytes_eq_str(d->entry.kind, DEFS_KIND))
		return ST_OK;
	st = entry_parse(&d->entry, e->bytes);
	if (st == ST_OK)
		st = defs_take(d->defs, &d->entry, e->link, e->place, NULL);
	return st == ST_INVALID ? ST_OK : st;
}

/* Under the lock. */
static enum status
follow(struct define *d)
{
	uint64_t size = tlog_size(centre_tlog(d->centre));
	struct centre_entry e;
	enum status st = ST_OK;

	while (st == ST_OK) {
		st = centre_own_next(d->own, size, &e);
		if (st == ST_OK)
			st = take(d, &e);
		if (st == ST_OK)
			centre_own_took(d->own);
	}
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
define_domain(struct define *d, struct domain **out)
{
	enum status st;

	(void)pthread_mutex_lock(&d->lock);
	st = follow(d);
	if (st == ST_OK)
		st = defs_domain(d->defs, out);
	(void)pthread_mutex_unlock(&d->lock);
	return st;
}

enum status
define_each(struct define *d, define_fn fn, void *arg)
{
	struct domain *dom = NULL;
	struct defs_info info;
	enum status st;

	(void)pthread_mutex_lock(&d->lock);
	st = follow(d);
	if (st == ST_OK)
		st = defs_domain(d->defs, &dom); /* says what is unreadable */
	for (size_t i = 0; st == ST_OK && i < defs_count(d->defs); i++) {
		defs_info(d->defs, i, &info);
		st = fn(arg, &info);
	}
	(void)pthread_mutex_unlock(&d->lock);
	domain_unref(dom);
	return st;
}

/* ---- proposing */

/* Does a file of these bytes wait, or hold, already? */
static bool
is_there(const struct define *d, struct bytes file)
{
	struct defs_info info;

	for (size_t i = 0; i < defs_count(d->defs); i++) {
		defs_info(d->defs, i, &info);
		if (info.state != DEFS_REFUSED && bytes_eq(info.file, file))
			return true;
	}
	return false;
}

static enum status
may_push(struct define *d, const char *name, struct bytes file, const char *by,
    enum defs_sort *sort, struct words *why)
{
	int64_t now = (int64_t)port_wall_ms(centre_port(d->centre));
	enum status st = two_may(d->roster, by, TWO_DEFINE, why);

	if (st == ST_OK)
		st = defs_sort_of(sort, name, file, why);
	(void)pthread_mutex_lock(&d->lock);
	if (st == ST_OK)
		st = follow(d);
	if (st == ST_OK && is_there(d, file)) {
		words_put(why, "同样的文件已提出或已施行",
		    "the same file waits or is in force already");
		st = ST_CONFLICT;
	}
	if (st == ST_OK)
		st = defs_try(d->defs, *sort, name, file, now, why);
	(void)pthread_mutex_unlock(&d->lock);
	return st;
}

/* The next part of the file as a text: at most DEFS_PART_MAX bytes, and no
 * character cut in two. */
static char *
next_part(struct bytes *rest)
{
	size_t n = rest->len < DEFS_PART_MAX ? rest->len : DEFS_PART_MAX;
	char *text;

	while (n < rest->len && n > 0 && (rest->p[n] & 0xc0) == 0x80)
		n--;
	text = malloc(n + 1);
	if (text == NULL)
		return NULL;
	if (n > 0)
		memcpy(text, rest->p, n);
	text[n] = '\0';
	rest->p += n;
	rest->len -= n;
	return text;
}

static void
put_part(struct batch *b, struct batch_entry *x, struct bytes *rest)
{
	char *text = next_part(rest);

	if (text == NULL)
		b->err = b->err == ST_OK ? ST_NOMEM : b->err;
	else
		batch_text(x, "text", text);
	free(text);
}

static void
put_file(struct batch *b, const char *rec, enum defs_sort sort,
    const char *name, struct bytes file, const char *by)
{
	struct batch_entry *x = batch_add(b, rec, DEFS_KIND, DO_OPEN, by);
	struct bytes rest = file;
	uint8_t hash[HASH_LEN];

	sha256(hash, file);
	batch_text(x, "sort", defs_sort_name(sort));
	batch_text(x, "name", name);
	batch_hex(x, "sha256", bytes_of(hash, HASH_LEN));
	batch_int(x, "bytes", (int64_t)file.len);
	put_part(b, x, &rest);
	while (rest.len > 0 && b->err == ST_OK) {
		x = batch_add(b, rec, DEFS_KIND, DO_ADD, by);
		batch_chained(x);
		batch_name(x, "parts");
		put_part(b, x, &rest);
	}
}

enum status
define_push(struct define *d, const char *name, struct bytes file,
    const char *by, uint8_t id[ID_LEN], struct words *why)
{
	char rec[REC_LEN + 1];
	enum defs_sort sort = DEFS_KINDS;
	struct batch b;
	enum status st = may_push(d, name, file, by, &sort, why);

	if (st != ST_OK)
		return st;
	batch_init(&b);
	centre_new_rec(d->centre, rec);
	put_file(&b, rec, sort, name, file, by);
	st = batch_commit(&b, d->centre, NULL, NULL);
	if (st == ST_OK)
		memcpy(id, b.out[0].id, ID_LEN);
	batch_free(&b);
	return st;
}

/* ---- deciding */

static enum status
may_decide(struct define *d, const struct defs_info *info, bool yes,
    const char *by, struct words *why)
{
	int64_t now = (int64_t)port_wall_ms(centre_port(d->centre));
	enum defs_sort sort = DEFS_KINDS;
	enum status st = ST_OK;

	if (info->state != DEFS_PENDING) {
		words_put(why, "该定义已有决定", "it is decided already");
		return ST_CONFLICT;
	}
	if (!yes)
		return ST_OK;
	if (strcmp(by, info->by) == 0) {
		words_put(why, "提出人不得自己确认：须由另一人确认",
		    "its proposer cannot confirm it: another person must");
		return ST_DENIED;
	}
	st = defs_sort_of(&sort, info->name, info->file, why);
	if (st == ST_OK)
		st = defs_try(d->defs, sort, info->name, info->file, now, why);
	return st;
}

static enum status
look_up(struct define *d, const uint8_t id[ID_LEN], bool yes, const char *by,
    struct words *why, char rec[REC_LEN + 1], uint8_t head[ID_LEN])
{
	struct defs_info info;
	size_t i = 0;
	enum status st = follow(d);

	if (st == ST_OK)
		st = defs_find(d->defs, id, &i);
	if (st == ST_ABSENT)
		words_put(why, "没有此编号的定义",
		    "there is no definition of that id");
	if (st != ST_OK)
		return st;
	defs_info(d->defs, i, &info);
	memcpy(rec, info.rec, REC_LEN + 1);
	memcpy(head, info.head, ID_LEN);
	return may_decide(d, &info, yes, by, why);
}

enum status
define_decide(struct define *d, const uint8_t id[ID_LEN], bool yes,
    const char *by, const char *reason, struct words *why)
{
	struct bytes on;
	char name[2 * ID_LEN + 2] = "@";
	uint8_t after[1][ID_LEN];
	struct server_entry e = { .kind = DEFS_KIND,
		.verb = DO_APPROVE,
		.on_count = 1,
		.data = bytes_str(yes ? "[true]" : "[false]"),
		.by = by,
		.after = (const uint8_t(*)[ID_LEN])after,
		.after_count = 1 };
	struct commit_job job = { .entry = &e, .entry_count = 1 };
	enum status st = two_may(d->roster, by, TWO_DEFINE, why);

	if (st != ST_OK)
		return st;
	(void)pthread_mutex_lock(&d->lock);
	st = look_up(d, id, yes, by, why, e.rec, after[0]);
	(void)pthread_mutex_unlock(&d->lock);
	if (st != ST_OK)
		return st;
	hex_encode(name + 1, bytes_of(id, ID_LEN));
	on = bytes_str(name);
	e.on = &on;
	if (reason != NULL)
		e.reason = bytes_str(reason);
	return committer_wait(centre_committer(d->centre), &job);
}
