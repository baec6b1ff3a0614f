/* custody: a file's life, from the log alone. */
#include "server/evidence/custody.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/evidence/evidence_impl.h"
#include "server/roster/batch.h"

enum { PLACES_MAX = 10000, HOUR_MS = 3600 * 1000 };

static const char *const words[] = { "sealed", "received", "mismatched",
	"viewed", "copied", "purged", "lost", "made" };
static const char *const words_zh[] = { "封存", "中心接收", "与哈希值不符",
	"查看", "复制", "期满清除", "手持机上已丢失", "拍摄" };

const char *
custody_word(enum custody_what w)
{
	return words[w];
}

const char *
custody_word_zh(enum custody_what w)
{
	return words_zh[w];
}

/* Places of all that the log says of a digest, in order. */
static enum status
places_of(struct evidence *ev, const char *sql, const uint8_t *digest,
    uint64_t *place, size_t max, size_t *count)
{
	struct db_stmt *s;
	enum status st;

	*count = 0;
	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db, sql);
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
		db_bind_u64(s, 2, max);
		while (*count < max && (st = db_next(s)) == ST_OK)
			place[(*count)++] = db_u64(s, 0);
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st == ST_ABSENT ? ST_OK : st;
}

static void
copy_text(struct bytes in, char *out, size_t cap)
{
	size_t len = in.len < cap ? in.len : cap - 1;

	if (len > 0)
		memcpy(out, in.p, len);
	out[len] = '\0';
}

/* Whose handheld wrote it; "" where that cannot be told. */
static enum status
device_of(const struct evidence *ev, const struct centre_entry *ce,
    struct custody_step *s)
{
	struct centre_chain chain;
	enum status st = centre_chain(ev->cfg.centre, ce->chain, &chain);

	if (st == ST_OK)
		memcpy(s->dev, chain.dev, sizeof(s->dev));
	return st == ST_NOMEM ? st : ST_OK;
}

/* What an entry says; ST_ABSENT: nothing of a file's life. */
static enum status
read_step(struct evidence *ev, const struct entry *e,
    const struct centre_entry *ce, struct custody_step *s, struct buf *text)
{
	char word[32];
	uint32_t n;

	s->place = ce->place;
	s->wall = e->wall;
	memcpy(s->id, ce->link, ID_LEN);
	copy_text(e->rec, s->rec, sizeof(s->rec));
	copy_text(e->by, s->by, sizeof(s->by));
	if (e->verb == DO_ATTACH) {
		s->what = CUSTODY_SEALED;
		if (device_of(ev, ce, s) != ST_OK)
			return ST_NOMEM;
		if (e->more != 0)
			json_canon(&e->body, e->more, text);
		s->more = buf_view(text);
		s->on = e->on[0];
		return text->err;
	}
	if (e->verb == DO_OPEN) {
		struct bytes r = { NULL, 0 };

		for (size_t i = 0; i < e->on_count; i++) {
			n = entry_value(e, i);
			buf_reset(text);
			if (e->body.node[n].type == JSON_STRING)
				json_text(&e->body, n, text);
			if (bytes_eq_str(e->on[i], "dev"))
				copy_text(
				    buf_view(text), s->dev, sizeof(s->dev));
			r = bytes_eq_str(e->on[i], "result") ? buf_view(text)
							     : r;
			if (bytes_eq_str(e->on[i], "result"))
				s->what = bytes_eq_str(r, "stored")
					      ? CUSTODY_RECEIVED
					      : CUSTODY_MISMATCHED;
		}
		return text->err;
	}
	if (e->verb == DO_ADVANCE && bytes_eq_str(e->on[0], "purged")) {
		s->what = CUSTODY_PURGED;
		if (e->reason != 0)
			json_text(&e->body, e->reason, text);
		s->reason = buf_view(text);
		return text->err;
	}
	if (e->verb != DO_NOTE)
		return ST_ABSENT;
	if (!bytes_eq_str(e->kind, "evidence@1")) {
		s->what = CUSTODY_LOST;
		s->on = e->on[0];
		return device_of(ev, ce, s);
	}
	json_text(&e->body, entry_value(e, 0), text);
	copy_text(buf_view(text), word, sizeof(word));
	s->what = strcmp(word, "copied") == 0 ? CUSTODY_COPIED : CUSTODY_VIEWED;
	if (e->more == 0)
		return text->err;
	(void)json_member_text(&e->body, e->more, "who", s->by, sizeof(s->by));
	n = json_get_typed(&e->body, e->more, "reason", JSON_STRING);
	buf_reset(text);
	if (n != 0)
		json_text(&e->body, n, text);
	s->reason = buf_view(text);
	return text->err;
}

/* When the `attach` says that the file was made; a step of its own. */
static enum status
give_made(const struct entry *e, const struct custody_step *s, custody_fn fn,
    void *arg)
{
	struct custody_step made = *s;
	char taken[64];
	int64_t ms = 0;
	int offset;

	if (e->more == 0 ||
	    !json_member_text(
		&e->body, e->more, "taken", taken, sizeof(taken)) ||
	    at_parse(&ms, &offset, bytes_str(taken)) != ST_OK || ms < 0)
		return ST_OK;
	made.what = CUSTODY_MADE;
	made.wall = (uint64_t)ms;
	return fn(arg, &made);
}

static enum status
give_step(struct evidence *ev, struct centre_reader *r, uint64_t place,
    custody_fn fn, void *arg)
{
	struct custody_step s = { .place = place };
	struct centre_entry ce;
	struct buf text;
	struct entry e;
	enum status st = centre_entry(r, place, &ce);

	if (st != ST_OK)
		return st;
	entry_init(&e);
	buf_init(&text, ENTRY_BYTES_MAX);
	st = entry_parse(&e, ce.bytes);
	if (st == ST_OK && e.body_is == ENTRY_BODY_WHOLE)
		st = read_step(ev, &e, &ce, &s, &text);
	else if (st != ST_NOMEM)
		st = ST_ABSENT;
	if (st == ST_OK && s.what == CUSTODY_SEALED)
		st = give_made(&e, &s, fn, arg);
	if (st == ST_OK)
		st = fn(arg, &s);
	entry_free(&e);
	buf_free(&text);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
custody_each(struct evidence *ev, struct centre_reader *r,
    const uint8_t digest[HASH_LEN], custody_fn fn, void *arg)
{
	uint64_t *place = calloc(PLACES_MAX, sizeof(*place));
	size_t count = 0;
	enum status st;

	if (place == NULL)
		return ST_NOMEM;
	st = places_of(ev,
	    "SELECT place FROM named WHERE digest = ?1 UNION"
	    " SELECT place FROM custody WHERE digest = ?1"
	    " ORDER BY place LIMIT ?2",
	    digest, place, PLACES_MAX, &count);
	for (size_t i = 0; st == ST_OK && i < count; i++)
		st = give_step(ev, r, place[i], fn, arg);
	free(place);
	return st;
}

enum status
custody_of_record(
    struct evidence *ev, const char *rec, custody_digest_fn fn, void *arg)
{
	uint8_t(*list)[HASH_LEN] = calloc(PLACES_MAX, HASH_LEN);
	struct db_stmt *s;
	size_t count = 0;
	enum status st;

	if (list == NULL)
		return ST_NOMEM;
	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db,
	    "SELECT digest FROM named WHERE rec = ?1 GROUP BY digest"
	    " ORDER BY min(place)");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(rec));
		while (count < PLACES_MAX && (st = db_next(s)) == ST_OK) {
			st = db_copy(s, 0, list[count], HASH_LEN);
			if (st != ST_OK)
				break;
			count++;
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	st = st == ST_ABSENT ? ST_OK : st;
	for (size_t i = 0; st == ST_OK && i < count; i++)
		st = fn(arg, list[i]);
	free(list);
	return st;
}

enum status
custody_named(struct evidence *ev, struct centre_reader *r,
    const uint8_t digest[HASH_LEN], struct custody_named *out)
{
	struct centre_entry ce;
	struct entry e;
	uint64_t place = 0;
	size_t count = 0;
	enum status st;

	memset(out, 0, sizeof(*out));
	st = places_of(ev,
	    "SELECT place FROM named WHERE digest = ?1 ORDER BY place"
	    " LIMIT ?2",
	    digest, &place, 1, &count);
	if (st == ST_OK && count == 0)
		st = ST_ABSENT;
	if (st == ST_OK)
		st = centre_entry(r, place, &ce);
	if (st != ST_OK)
		return st;
	entry_init(&e);
	if (entry_parse(&e, ce.bytes) == ST_OK &&
	    e.body_is == ENTRY_BODY_WHOLE && e.more != 0) {
		if (!json_member_text(
			&e.body, e.more, "type", out->type, sizeof(out->type)))
			out->type[0] = '\0';
		if (!json_member_text(
			&e.body, e.more, "name", out->name, sizeof(out->name)))
			out->name[0] = '\0';
	}
	entry_free(&e);
	return ST_OK;
}

/* ---- notes */

/* The receipt that a note hangs on, unless this reader was noted within the
 * hour (ST_CONFLICT). */
static enum status
find_receipt(struct evidence *ev, const uint8_t *digest, const char *who,
    bool copied, char rec[REC_LEN + 1], uint8_t head[ID_LEN])
{
	uint64_t now = port_wall_ms(ev->cfg.port);
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db,
	    "SELECT r.rec, r.head, coalesce(v.at, 0) FROM receipt r"
	    " LEFT JOIN viewed v ON v.digest = r.digest AND v.who = ?2"
	    " WHERE r.digest = ?1 AND r.mismatched = 0"
	    " ORDER BY r.place LIMIT 1");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
	db_bind_text(s, 2, bytes_str(who));
	st = db_next(s);
	if (st == ST_OK) {
		copy_text(db_bytes(s, 0), rec, REC_LEN + 1);
		st = db_copy(s, 1, head, ID_LEN);
		if (st == ST_OK && !copied && db_u64(s, 2) <= now &&
		    now - db_u64(s, 2) < HOUR_MS)
			st = ST_CONFLICT;
	}
	db_done(s);
	return st;
}

static enum status
remember(struct evidence *ev, const uint8_t *digest, const char *who)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db,
	    "INSERT INTO viewed(digest, who, at) VALUES(?1, ?2, ?3)"
	    " ON CONFLICT(digest, who) DO UPDATE SET at = excluded.at");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
	db_bind_text(s, 2, bytes_str(who));
	db_bind_u64(s, 3, port_wall_ms(ev->cfg.port));
	return db_run(s);
}

/* It could not be logged after all: the next reading tries again. */
static enum status
forget(struct evidence *ev, const uint8_t *digest, const char *who)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(
	    &s, ev->db, "DELETE FROM viewed WHERE digest = ?1 AND who = ?2");
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
		db_bind_text(s, 2, bytes_str(who));
		st = db_run(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st;
}

enum status
custody_note(struct evidence *ev, const uint8_t digest[HASH_LEN], bool copied,
    const char *who, const char *range, const char *reason)
{
	char rec[REC_LEN + 1];
	uint8_t head[ID_LEN];
	struct batch_entry *x;
	struct buf more;
	struct batch b;
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = find_receipt(ev, digest, who, copied, rec, head);
	/* Remembered first: two reads at once are one. */
	if (st == ST_OK)
		st = remember(ev, digest, who);
	(void)pthread_mutex_unlock(&ev->lock);
	if (st != ST_OK)
		return st == ST_CONFLICT ? ST_OK : st;
	buf_init(&more, 4096);
	buf_str(&more, "{\"range\":");
	json_put_str(&more, range);
	if (reason != NULL) {
		buf_str(&more, ",\"reason\":");
		json_put_str(&more, reason);
	}
	buf_str(&more, ",\"who\":");
	json_put_str(&more, who);
	buf_u8(&more, '}');
	batch_init(&b);
	x = batch_add(&b, rec, "evidence@1", DO_NOTE, NULL);
	batch_after(x, head);
	batch_text(x, "", copied ? "copied" : "viewed");
	batch_more(x, buf_view(&more));
	st = more.err;
	if (st == ST_OK)
		st = batch_commit(&b, ev->cfg.centre, NULL, NULL);
	/* What cannot even be forgotten is the table's own trouble, and told
	 * as such. */
	if (st != ST_OK) {
		enum status forgot = forget(ev, digest, who);

		st = forgot == ST_OK ? st : forgot;
	}
	batch_free(&b);
	buf_free(&more);
	return st;
}
