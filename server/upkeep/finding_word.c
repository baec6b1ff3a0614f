#include "server/upkeep/finding_word.h"

#include <string.h>

#include "entry/json.h"
#include "server/roster/two.h"

enum { WORD_TEXT_MAX = 2000 };

static const struct life *
life_of(const struct fold *f, const char *key)
{
	const struct lives *l = fold_lives(f);

	for (size_t i = 0; i < l->count; i++) {
		if (bytes_eq_str(l->list[i].key, key))
			return &l->list[i];
	}
	return NULL;
}

static enum status
is_sensible(struct roster *r, const struct finding_word *w, struct words *why)
{
	struct roster_person p;
	bool assign = strcmp(w->what, "assign") == 0;
	enum status st = ST_OK;

	if (!assign && strcmp(w->what, "close") != 0 &&
	    strcmp(w->what, "reopen") != 0) {
		words_put(why, "应为 close、reopen 或 assign",
		    "must be close, reopen or assign");
		return ST_INVALID;
	}
	if (w->text == NULL || w->text[0] == '\0' ||
	    strlen(w->text) > WORD_TEXT_MAX ||
	    !json_text_ok(bytes_str(w->text))) {
		words_put(why, "须写明理由", "a reason must be given");
		return ST_INVALID;
	}
	if (assign)
		st = w->to == NULL ? ST_ABSENT : roster_person(r, w->to, &p);
	if (st == ST_ABSENT)
		words_put(why, "交办对象须在人员名册中",
		    "whom it is given to must be on the roster");
	return st;
}

/* The record as it stands, and the finding in it. */
static enum status
look_up(struct centre *c, struct fold *f, const struct finding_word *w,
    const struct life **out, struct words *why)
{
	enum status st = ST_ABSENT;

	if (path_is_rec(bytes_str(w->rec)))
		st = fold_load(f, w->rec, port_wall_ms(centre_port(c)));
	if (st == ST_ABSENT)
		words_put(why, "没有此记录", "there is no such record");
	if (st != ST_OK)
		return st;
	*out = life_of(f, w->key);
	if (*out == NULL || (*out)->f == NULL) {
		words_put(why, "该记录现在没有这个问题",
		    "the record has no such finding now");
		return ST_ABSENT;
	}
	if (fold_wrote(f, bytes_str(w->by))) {
		words_put(why, "本人参与的记录，不得由本人办理：须由他人办理",
		    "who wrote the record does not close its findings: "
		    "another person must");
		return ST_DENIED;
	}
	return ST_OK;
}

static void
put_more(
    struct buf *more, const struct finding_word *w, const struct finding *f)
{
	char said[LIFE_SAID_LEN + 1];

	life_said(f, said);
	buf_str(more, "{\"do\":");
	json_put_str(more, w->what);
	buf_str(more, ",\"finding\":");
	json_put_str(more, w->key);
	buf_printf(more, ",\"said\":\"%s\"", said);
	if (strcmp(w->what, "assign") == 0) {
		buf_str(more, ",\"to\":");
		json_put_str(more, w->to);
	}
	buf_u8(more, '}');
}

/* Behind all that the record has: so the word knows what it speaks of. */
static enum status
log_it(struct centre *c, struct fold *f, const struct finding_word *w,
    struct buf *data, struct buf *more, uint8_t id[ID_LEN])
{
	struct bytes on = bytes_str("");
	struct server_entry e = { .kind = fold_kind_id(f),
		.verb = DO_NOTE,
		.on = &on,
		.on_count = 1,
		.data = buf_view(data),
		.more = buf_view(more),
		.by = w->by };
	struct commit_job job = { .entry = &e, .entry_count = 1 };
	enum status st;

	memcpy(e.rec, w->rec, REC_LEN + 1);
	e.after = merge_heads(fold_merge(f), &e.after_count);
	if (e.after_count > AFTER_COUNT_MAX)
		e.after_count = AFTER_COUNT_MAX;
	st = committer_wait(centre_committer(c), &job);
	if (st == ST_OK)
		memcpy(id, e.id, ID_LEN);
	return st;
}

enum status
finding_say(struct centre *c, struct roster *r, struct fold *f,
    const struct finding_word *w, uint8_t id[ID_LEN], struct words *why)
{
	const struct life *l = NULL;
	struct buf data, more;
	enum status st = two_may(r, w->by, TWO_FINDING, why);

	buf_init(&data, ENTRY_BYTES_MAX / 2);
	buf_init(&more, ENTRY_BYTES_MAX / 4);
	if (st == ST_OK)
		st = is_sensible(r, w, why);
	if (st == ST_OK)
		st = look_up(c, f, w, &l, why);
	if (st == ST_OK) {
		buf_u8(&data, '[');
		json_put_str(&data, w->text);
		buf_u8(&data, ']');
		put_more(&more, w, l->f);
		st = data.err != ST_OK ? data.err : more.err;
	}
	if (st == ST_OK)
		st = log_it(c, f, w, &data, &more, id);
	buf_free(&data);
	buf_free(&more);
	return st;
}
