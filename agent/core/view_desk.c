/* view_desk: what the desk agent asks of the view. */
#include <string.h>

#include "agent/core/view_desk.h"
#include "agent/core/view_impl.h"

struct asking {
	view_window_cb *cb;
	void *arg;
};

static enum status
tell_window(
    struct asking *q, const struct view_loaded *l, struct view_window *w)
{
	struct view_judged judged;
	struct buf label;
	enum status st = view_judged_of(l, &judged);

	buf_init(&label, ENTRY_BYTES_MAX);
	if (st == ST_OK) {
		kind_label(w->kind, w->st, true, &label);
		w->label = buf_view(&label);
		w->entries = judged.entry;
		w->entry_count = judged.count;
		st = label.err == ST_NOMEM ? ST_NOMEM : q->cb(q->arg, w);
	}
	buf_free(&label);
	view_judged_free(&judged);
	return st;
}

static enum status
one_record(
    struct view *v, const char *rec, const char *kind, uint64_t wall, void *arg)
{
	struct view_window w = { .rec = rec,
		.kind = kinds_find(v->kinds, bytes_str(kind)),
		.st = &v->state };
	struct view_loaded l;
	enum status st;

	(void)wall;
	if (w.kind == NULL || w.kind->happened[0] == '\0')
		return ST_OK;
	st = view_load(v, rec, &l);
	if (st != ST_OK)
		return st;
	buf_reset(&v->bytes);
	st = merge_state(l.merge, &v->bytes);
	if (st == ST_OK)
		st = v->bytes.err;
	if (st == ST_OK)
		st = state_read(&v->state, buf_view(&v->bytes));
	if (st == ST_OK && !v->state.is_void &&
	    footage_window(
		&w.window, v->rules, w.kind, &v->state, v->offset_min))
		st = tell_window(arg, &l, &w);
	view_loaded_free(&l);
	return st;
}

enum status
view_windows(struct view *v, view_window_cb *cb, void *arg)
{
	struct asking q = { cb, arg };

	return view_each_record(v, NULL, SIZE_MAX, one_record, &q);
}

/* The row that stands: {"clock":nonce,"dev":dev} of a note, or nothing. */
static enum status
tell_note(struct view *v, struct db_stmt *s, view_clock_cb *cb, void *arg)
{
	struct view_clock c;
	const struct entry *e = &v->entry;
	enum status st = entry_parse(&v->entry, db_bytes(s, 1));

	if (st != ST_OK || e->verb != DO_NOTE ||
	    e->body_is != ENTRY_BODY_WHOLE || e->more == 0 ||
	    !json_member_text(
		&e->body, e->more, "clock", c.nonce, sizeof(c.nonce)) ||
	    !json_member_text(&e->body, e->more, "dev", c.dev, sizeof(c.dev)))
		return st == ST_NOMEM ? st : ST_OK;
	c.wall_ms = e->wall;
	st = db_copy(s, 0, c.id, ID_LEN);
	return st == ST_OK ? cb(arg, &c) : st;
}

enum status
view_clocks(struct view *v, view_clock_cb *cb, void *arg)
{
	struct db_stmt *s;
	enum status st = db_query(&s, v->db,
	    "SELECT id, bytes FROM entry WHERE flags & ?1 = 0 AND "
	    "instr(bytes, CAST('\"clock\":\"' AS BLOB)) > 0");

	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, VIEW_BARE);
	while ((st = db_next(s)) == ST_OK) {
		st = tell_note(v, s, cb, arg);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}
