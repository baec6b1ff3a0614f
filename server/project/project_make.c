/*
 * project_make: a folded record becomes what its rows will hold.  Whoever has
 * a fold can do it, on any thread; only writing is the follower's.
 */
#include <stdlib.h>
#include <string.h>

#include "server/project/project_impl.h"

void
made_init(struct made *m)
{
	memset(m, 0, sizeof(*m));
	buf_init(&m->text, (size_t)4 * DOC_BYTES_MAX);
}

void
made_free(struct made *m)
{
	buf_free(&m->text);
	free(m->finding);
}

struct bytes
made_text(const struct made *m, struct made_span s)
{
	return bytes_of(m->text.p + s.off, s.len);
}

/* What was appended to m->text since `from`. */
static struct made_span
span(const struct made *m, size_t from)
{
	return (struct made_span){ .off = from, .len = m->text.len - from };
}

static struct made_span
put(struct made *m, struct bytes text)
{
	size_t from = m->text.len;

	buf_bytes(&m->text, text);
	return span(m, from);
}

/* When it falls due: by its own timer, else its answer; 0: never. */
static int64_t
due_of(const struct life *l)
{
	if (l->f == NULL || l->state == LIFE_CLOSED)
		return 0;
	if (l->f->has_due)
		return l->f->due_ms;
	return l->f->has_answer && l->state == LIFE_OPEN ? l->f->answer_ms : 0;
}

static enum status
make_findings(struct made *m, const struct fold *f, int offset_min)
{
	const struct lives *lives = fold_lives(f);

	if (lives->count > m->finding_cap) {
		struct made_finding *bigger =
		    realloc(m->finding, lives->cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		m->finding = bigger;
		m->finding_cap = lives->cap;
	}
	for (size_t i = 0; i < lives->count; i++) {
		const struct life *from = &lives->list[i];
		struct made_finding *to = &m->finding[m->finding_count++];
		size_t at = m->text.len, rule = 0;

		while (rule < from->key.len && from->key.p[rule] != ':')
			rule++;
		finding_json_life(from, fold_state(f), offset_min, &m->text);
		to->doc = span(m, at);
		to->key = put(m, from->key);
		to->rule = put(m, bytes_of(from->key.p, rule));
		to->owner = put(m, from->owner);
		to->severity = from->f != NULL ? (int)from->f->severity : 0;
		to->state = from->state;
		to->due_ms = due_of(from);
		m->grave += from->f != NULL && from->f->severity == RULES_GRAVE;
		m->findings += from->f != NULL;
	}
	return m->text.err;
}

/* Every text that was entered can be searched for, and the record's id. */
static void
make_words(struct made *m, const struct state *state)
{
	size_t at = m->text.len;

	buf_str(&m->text, m->rec);
	for (size_t i = 0; i < state->field_count; i++) {
		struct state_value v;

		for (size_t k = 0; state_value(state, &state->fields[i], k, &v);
		     k++) {
			if (v.null || v.withheld)
				continue;
			buf_u8(&m->text, ' ');
			buf_bytes(&m->text, v.text);
		}
	}
	m->words = span(m, at);
}

static void
make_labels(
    struct made *m, const struct kind *k, const struct state *state, bool zh)
{
	size_t at = m->text.len;

	if (k != NULL)
		kind_label(k, state, zh, &m->text);
	*(zh ? &m->zh : &m->en) = span(m, at);
}

enum status
project_make(struct made *m, const struct fold *f, const char *rec,
    const struct project_config *c)
{
	const struct state *state = fold_state(f);
	const struct findings *fs = fold_findings(f);
	const struct kind *k = fold_kind(f);
	struct bytes by = fold_by(f);
	enum status st;

	buf_reset(&m->text);
	m->finding_count = 0;
	m->grave = m->findings = 0;
	memcpy(m->rec, rec, REC_LEN + 1);
	m->system = k != NULL && k->system;
	m->kind = put(m, bytes_str(fold_kind_id(f)));
	m->status = put(m, state_status(state));
	m->person = put(m, by.len > ROSTER_NAME_MAX ? bytes_str("") : by);
	make_labels(m, k, state, true);
	make_labels(m, k, state, false);
	fold_times(f, &m->first, &m->last);
	m->entries = fold_count(f);
	m->conflicts = merge_conflicts(fold_merge(f));
	m->is_void = state->is_void;
	m->next_ms = k == NULL ? INT64_MAX : fs->next_ms;
	st = make_findings(m, f, c->utc_offset_min);
	if (st == ST_OK)
		make_words(m, state);
	if (st == ST_OK)
		st = project_make_facts(m, f, rec, c->rules);
	return st == ST_OK ? m->text.err : st;
}
