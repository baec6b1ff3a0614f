/*
 * agent_print: a record on paper, off line (docs/FORMS.md).
 *
 * What is printed is written down: a `print` entry with the digests of the
 * state and of the text.  The entry is durable before the caller gets the
 * document, so that no paper leaves the device unrecorded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "base/enc.h"
#include "base/sha.h"
#include "form/form.h"
#include "pdf/pdf.h"

enum { SUMMARY_MAX = 600, QR_MAX = 64 };

/* The record's entries as history gives them, in the order of merge. */
struct pages {
	struct forms *forms;
	const struct form *form;
	struct buf state, history, bytes, pdf;
	struct form_entry *entry;
	size_t count;
	struct state st;
	struct form_doc doc;
	bool filled; /* from a record; else a blank form */
	uint8_t state_digest[HASH_LEN], text_digest[HASH_LEN];
};

static void
pages_init(struct pages *p)
{
	memset(p, 0, sizeof(*p));
	buf_init(&p->state, AGENT_PENDING_MAX);
	buf_init(&p->history, AGENT_PENDING_MAX);
	buf_init(&p->bytes, AGENT_PENDING_MAX);
	buf_init(&p->pdf, PDF_BYTES_MAX);
	state_init(&p->st);
	form_doc_init(&p->doc);
}

static void
pages_free(struct pages *p)
{
	forms_free(p->forms);
	state_free(&p->st);
	form_doc_free(&p->doc);
	free(p->entry);
	buf_wipe(&p->state);
	buf_wipe(&p->history);
	buf_wipe(&p->bytes);
	buf_wipe(&p->pdf);
}

static enum status
find_form(struct agent *a, struct pages *p, const char *form)
{
	enum status st = forms_load_builtin(&p->forms, a->kinds);

	if (st != ST_OK)
		return agent_why(a, st, "表式不能读取", "forms cannot be read");
	p->form = forms_find(p->forms, bytes_str(form));
	if (p->form == NULL)
		return agent_why(a, ST_ABSENT, "没有此表式", "no such form");
	return ST_OK;
}

/* ---- a record's entries */

/* Head, LF and body as they were written: history puts both lines in as they
 * stand. */
static enum status
take_entry(struct pages *p, const struct json *j, uint32_t n)
{
	uint32_t head = json_get_typed(j, n, "head", JSON_OBJECT);
	uint32_t body = json_get_typed(j, n, "body", JSON_OBJECT);
	struct form_entry *e = &p->entry[p->count];

	if (head == 0 || json_bool(j, n, "bare", false))
		return ST_OK;
	if (json_hex(j, json_get(j, n, "id"), e->id, ID_LEN) != ST_OK)
		return ST_CORRUPT;
	e->bytes.len = p->bytes.len; /* its offset until all are there */
	buf_bytes(&p->bytes, json_raw(j, head));
	if (body != 0) {
		buf_u8(&p->bytes, '\n');
		buf_bytes(&p->bytes, json_raw(j, body));
	}
	p->count++;
	return p->bytes.err;
}

static enum status
take_entries(struct pages *p)
{
	struct json j;
	enum status st;

	json_init(&j);
	st = json_parse(&j, buf_view(&p->history), JSON_DOCUMENT);
	if (st == ST_OK) {
		p->entry = calloc(j.node[0].count > 0 ? j.node[0].count : 1,
		    sizeof(*p->entry));
		st = p->entry != NULL ? ST_OK : ST_NOMEM;
	}
	for (uint32_t n = 1; st == ST_OK && n < j.node[0].next;
	     n = j.node[n].next)
		st = take_entry(p, &j, n);
	for (size_t i = 0; st == ST_OK && i < p->count; i++) {
		size_t off = p->entry[i].bytes.len;
		size_t end =
		    i + 1 < p->count ? p->entry[i + 1].bytes.len : p->bytes.len;

		p->entry[i].bytes = bytes_of(p->bytes.p + off, end - off);
	}
	json_free(&j);
	return st;
}

static enum status
load_record(struct agent *a, struct pages *p, const char *rec)
{
	enum status st = agent_state(a, rec, &p->state);

	if (st == ST_OK)
		st = agent_history(a, rec, &p->history);
	if (st == ST_OK)
		st = take_entries(p);
	if (st == ST_OK)
		st = state_read(&p->st, buf_view(&p->state));
	if (st == ST_OK)
		sha256(p->state_digest, buf_view(&p->state));
	p->filled = st == ST_OK;
	return st;
}

/* ---- filling and drawing */

static void
officer_name(void *arg, struct bytes id, struct buf *out)
{
	const struct agent *a = arg;

	if (bytes_eq_str(id, a->court.person))
		buf_str(out, a->court.name);
}

static enum status
draw(struct agent *a, struct pages *p, const char *rec, struct bytes qr,
    const char *qr_words)
{
	struct form_input in = { .form = p->form,
		.st = p->filled ? &p->st : NULL,
		.entries = p->entry,
		.entry_count = p->count,
		.offset_min = a->offset_min,
		.now_ms = (int64_t)port_wall_ms(a->port),
		.court_name = a->desc->name,
		.rec = rec,
		.officer = officer_name,
		.officer_arg = a };
	struct buf header;
	struct pdf_config c = { .title = form_zh(p->form),
		.made_ms = in.now_ms,
		.qr = qr,
		.qr_words = qr_words };
	enum status st = form_fill(&p->doc, &in);

	if (st != ST_OK)
		return st;
	sha256(p->text_digest, buf_view(&p->doc.text));
	buf_init(&header, 1024);
	buf_printf(&header, "%s　%s　%s", a->desc->name, form_zh(p->form), rec);
	c.header = buf_cstr(&header);
	st = pdf_write(&p->pdf, &p->doc, &c, &a->words);
	buf_free(&header);
	return st;
}

/* What a stranger compares with the paper: kept short. */
static void
put_summary(struct agent *a, struct pages *p, struct buf *out)
{
	struct buf label;

	(void)a;
	buf_init(&label, SUMMARY_MAX * 4);
	kind_label(form_kind(p->form), &p->st, true, &label);
	if (label.len > SUMMARY_MAX)
		label.len = 0;
	buf_str(out, "{\"form\":");
	json_put_str(out, form_id(p->form));
	buf_str(out, ",\"state\":");
	json_put_hex(out, bytes_of(p->state_digest, HASH_LEN));
	buf_str(out, ",\"summary\":");
	json_put_string(out, buf_view(&label));
	buf_str(out, ",\"text\":");
	json_put_hex(out, bytes_of(p->text_digest, HASH_LEN));
	buf_u8(out, '}');
	buf_free(&label);
}

static enum status
write_down(
    struct agent *a, struct pages *p, const char *rec, uint8_t id[ID_LEN])
{
	static const struct bytes whole = { (const uint8_t *)"", 0 };
	struct agent_act act = { .verb = DO_PRINT,
		.on = &whole,
		.on_count = 1,
		.data = bytes_str("[null]") };
	struct agent_edit *edit = malloc(sizeof(*edit));
	struct buf more;
	enum status st;

	if (edit == NULL)
		return ST_NOMEM;
	buf_init(&more, 8192);
	put_summary(a, p, &more);
	st = agent_edit_begin(a, rec, edit);
	act.more = buf_view(&more);
	if (st == ST_OK)
		st = more.err;
	if (st == ST_OK)
		st = agent_append(a, edit, &act, id);
	buf_free(&more);
	free(edit);
	return st;
}

static enum status
finish(struct agent *a, struct pages *p, enum status st, struct buf *pdf)
{
	if (st == ST_OK) {
		buf_bytes(pdf, buf_view(&p->pdf));
		st = pdf->err;
	}
	if (st == ST_NOMEM || st == ST_LIMIT || st == ST_CORRUPT)
		st = agent_why(a, st, "打印未能完成", status_text(st));
	pages_free(p);
	return st;
}

enum status
agent_print(struct agent *a, const char *rec, const char *form, struct buf *pdf,
    uint8_t id[ID_LEN])
{
	struct pages p;
	const char *kind;
	struct bytes stated;
	uint32_t n;
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	pages_init(&p);
	st = find_form(a, &p, form);
	if (st == ST_OK)
		st = load_record(a, &p, rec);
	if (st == ST_OK) {
		kind = form_kind(p.form)->id;
		n = p.st.kinds + 1;
		stated = p.st.tape.node[p.st.kinds].count > 0
			     ? json_raw(&p.st.tape, n)
			     : bytes_of(NULL, 0);
		if (!bytes_eq_str(stated, kind))
			st = agent_why(a, ST_INVALID, "此表式不属于该类记录",
			    "this form is not of the record's kind");
	}
	if (st == ST_OK)
		st = draw(a, &p, rec, bytes_of(NULL, 0), NULL);
	if (st == ST_OK)
		st = write_down(a, &p, rec, id);
	return finish(a, &p, st, pdf);
}

enum status
agent_print_blank(
    struct agent *a, const char *form, char rec[REC_LEN + 1], struct buf *pdf)
{
	struct pages p;
	uint8_t rnd[10];
	char qr[QR_MAX];
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	pages_init(&p);
	port_random(a->port, rnd, sizeof(rnd));
	rec_new(rec, port_wall_ms(a->port), rnd);
	(void)snprintf(qr, sizeof(qr), "DBR1-%s", rec);
	st = find_form(a, &p, form);
	if (st == ST_OK)
		st = draw(a, &p, rec, bytes_str(qr),
		    "纸质补录：事后用 record --rec 录入上方编号的记录，--at "
		    "填写"
		    "纸面时间，并附本页照片。\nEnter this page later as the "
		    "record numbered above, with the time on the paper, and "
		    "attach its photograph.");
	return finish(a, &p, st, pdf);
}

enum status
agent_forms(struct agent *a, struct buf *out)
{
	struct forms *fs = NULL;
	enum status st = forms_load_builtin(&fs, a->kinds);

	if (st != ST_OK)
		return agent_why(a, st, "表式不能读取", "forms cannot be read");
	for (size_t i = 0; i < forms_count(fs); i++) {
		const struct form *f = forms_at(fs, i);

		buf_str(out, "{\"en\":");
		json_put_str(out, form_en(f));
		buf_str(out, ",\"form\":");
		json_put_str(out, form_id(f));
		buf_str(out, ",\"kind\":");
		json_put_str(out, form_kind(f)->id);
		buf_str(out, ",\"zh\":");
		json_put_str(out, form_zh(f));
		buf_str(out, "}\n");
	}
	forms_free(fs);
	return out->err;
}
