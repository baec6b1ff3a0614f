#include "server/project/printer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/chain.h"
#include "pdf/sheet.h"

/* fontconfig and pango keep state of their own. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

struct job {
	const struct printer *p;
	const char *rec, *by;
	const struct form *form;
	struct form_entry *entry; /* those that count, in order */
	size_t count;
	struct form_input in;
	struct sheet sheet;
	struct paper_code code;
	struct words *why;
};

static enum status
say(struct job *j, enum status st, const char *zh, const char *en)
{
	words_put(j->why, zh, en);
	return st;
}

/* ---- which form */

static enum status
choose_form(struct job *j, const char *name)
{
	const struct kind *k = fold_kind(j->p->fold);

	if (k == NULL)
		return say(j, ST_INVALID, "这条记录的类别不明",
		    "the kind of this record is not known");
	if (name[0] == '\0' && k->form_count != 1)
		return say(j, k->form_count == 0 ? ST_ABSENT : ST_INVALID,
		    k->form_count == 0 ? "该类记录没有表式" : "请指明表式",
		    k->form_count == 0 ? "this kind has no form"
				       : "name one of this kind's forms");
	j->form = forms_find(
	    j->p->forms, bytes_str(name[0] == '\0' ? k->forms[0].id : name));
	if (j->form == NULL)
		return say(j, ST_ABSENT, "没有此表式", "no such form");
	if (strcmp(form_kind(j->form)->id, k->id) != 0)
		return say(j, ST_INVALID, "此表式不属于该类记录",
		    "this form is not of the record's kind");
	return ST_OK;
}

/* ---- the record's entries, for what was corrected */

struct at {
	const uint8_t *id;
	uint32_t row;
};

static int
by_id(const void *a, const void *b)
{
	return memcmp(
	    ((const struct at *)a)->id, ((const struct at *)b)->id, ID_LEN);
}

static bool
is_bare(const struct state *s, const uint8_t id[ID_LEN])
{
	char hex[2 * ID_LEN + 1];
	uint32_t end = s->tape.node[s->bare].next;

	hex_encode(hex, bytes_of(id, ID_LEN));
	for (uint32_t n = s->bare + 1; n < end; n = s->tape.node[n].next) {
		if (json_is(&s->tape, n, hex))
			return true;
	}
	return false;
}

static enum status
take_entries(struct job *j)
{
	struct fold *f = j->p->fold;
	const uint8_t(*order)[ID_LEN];
	size_t rows = fold_count(f), n;
	struct fold_entry *row = calloc(rows + 1, sizeof(*row));
	struct at *at = calloc(rows + 1, sizeof(*at));

	order = merge_order(fold_merge(f), &n);
	j->entry = calloc(n + 1, sizeof(*j->entry));
	if (row == NULL || at == NULL || j->entry == NULL) {
		free(row);
		free(at);
		return ST_NOMEM;
	}
	for (size_t i = 0; i < rows; i++) {
		fold_entry(f, i, &row[i]);
		at[i] = (struct at){ row[i].id, (uint32_t)i };
	}
	qsort(at, rows, sizeof(*at), by_id);
	for (size_t i = 0; i < n; i++) {
		struct at key = { order[i], 0 };
		const struct at *found =
		    bsearch(&key, at, rows, sizeof(*at), by_id);

		if (found == NULL || is_bare(fold_state(f), order[i]))
			continue;
		memcpy(j->entry[j->count].id, order[i], ID_LEN);
		j->entry[j->count++].bytes = row[found->row].raw;
	}
	free(row);
	free(at);
	return ST_OK;
}

static enum status
fill(struct job *j)
{
	const struct port *port = centre_port(j->p->centre);
	uint8_t salt[PAPER_SALT_LEN];

	j->in = (struct form_input){ .form = j->form,
		.st = fold_state(j->p->fold),
		.entries = j->entry,
		.entry_count = j->count,
		.offset_min = j->p->utc_offset_min,
		.now_ms = (int64_t)port_wall_ms(port),
		.court_name = j->p->court_name,
		.rec = j->rec };
	port_random(port, salt, sizeof(salt));
	return sheet_fill(
	    &j->sheet, &j->in, fold_state_bytes(j->p->fold), salt, j->why);
}

/* ---- written down */

static enum status
write_down(struct job *j, struct printed_sheet *out)
{
	static const struct bytes whole = { (const uint8_t *)"", 0 };
	struct server_entry e = { .kind = fold_kind(j->p->fold)->id,
		.verb = DO_PRINT,
		.on = &whole,
		.on_count = 1,
		.data = bytes_str("[null]"),
		.by = j->by };
	struct commit_job job = { .entry = &e, .entry_count = 1 };
	struct buf more;
	enum status st;

	memcpy(e.rec, j->rec, REC_LEN + 1);
	e.after = merge_heads(fold_merge(j->p->fold), &e.after_count);
	/* More heads than an entry can name: with the rest it is concurrent. */
	if (e.after_count > AFTER_COUNT_MAX)
		e.after_count = AFTER_COUNT_MAX;
	buf_init(&more, ENTRY_BYTES_MAX);
	sheet_more(&j->sheet, &more);
	e.more = buf_view(&more);
	st = more.err;
	if (st == ST_OK)
		st = committer_wait(centre_committer(j->p->centre), &job);
	memcpy(out->id, e.id, ID_LEN);
	out->place = e.place;
	buf_free(&more);
	return st;
}

static enum status
code_of(struct job *j, uint64_t place)
{
	struct centre *c = j->p->centre;
	struct paper_code *code = &j->code;
	struct centre_entry e;
	char dev[DEV_LEN + 1];
	enum status st = centre_entry(j->p->reader, place, &e);

	if (st != ST_OK)
		return st;
	memcpy(code->chain, e.chain, CHAIN_LEN);
	code->seq = e.seq;
	memcpy(code->link, e.link, HASH_LEN);
	if (!centre_sign_own(c, e.chain, e.seq, e.link, code->sig))
		return ST_CORRUPT;
	chain_dev(dev, centre_server_key(c));
	code->has_place = true;
	code->place = place;
	(void)snprintf(
	    code->origin, sizeof(code->origin), "%s", centre_log_key(c)->name);
	return sheet_dev(code->dev, dev);
}

static enum status
run(struct job *j, const char *form, struct buf *pdf, struct printed_sheet *out)
{
	uint64_t now = port_wall_ms(centre_port(j->p->centre));
	enum status st = ST_ABSENT;

	if (path_is_rec(bytes_str(j->rec)))
		st = fold_load(j->p->fold, j->rec, now);
	if (st == ST_ABSENT)
		return say(j, st, "没有此记录", "no such record");
	if (st == ST_OK)
		st = choose_form(j, form);
	if (st == ST_OK)
		st = take_entries(j);
	if (st == ST_OK)
		st = fill(j);
	if (st == ST_OK)
		st = write_down(j, out);
	if (st == ST_OK)
		st = code_of(j, out->place);
	if (st == ST_OK) {
		out->form = form_id(j->form);
		st = sheet_draw(&j->sheet, &j->code, pdf, j->why);
	}
	return st;
}

enum status
printer_print(const struct printer *p, const char *rec, const char *form,
    const char *by, struct buf *pdf, struct printed_sheet *out,
    struct words *why)
{
	struct job j = { .p = p, .rec = rec, .by = by, .why = why };
	enum status st;

	words_clear(why);
	memset(out, 0, sizeof(*out));
	sheet_init(&j.sheet);
	(void)pthread_mutex_lock(&one_at_a_time);
	st = run(&j, form, pdf, out);
	(void)pthread_mutex_unlock(&one_at_a_time);
	sheet_free(&j.sheet);
	free(j.entry);
	return st;
}
