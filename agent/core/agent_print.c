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
#include "entry/chain.h"
#include "form/form.h"
#include "pdf/sheet.h"

enum { QR_MAX = 64 };

/* The record's entries as history gives them, in the order of merge. */
struct pages {
	struct forms *forms; /* NULL: those of the agent */
	const struct form *form;
	struct buf state, history, bytes, pdf;
	struct form_entry *entry;
	size_t count;
	struct state st;
	struct form_input in;
	struct sheet sheet;
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
	sheet_init(&p->sheet);
}

static void
pages_free(struct pages *p)
{
	forms_free(p->forms);
	state_free(&p->st);
	sheet_free(&p->sheet);
	free(p->entry);
	buf_wipe(&p->state);
	buf_wipe(&p->history);
	buf_wipe(&p->bytes);
	buf_wipe(&p->pdf);
}

static enum status
find_form(struct agent *a, struct pages *p, const char *form)
{
	const struct forms *fs = agent_forms_known(a);
	enum status st = ST_OK;

	if (fs == NULL) {
		st = forms_load_builtin(&p->forms, a->kinds);
		fs = p->forms;
	}
	if (st != ST_OK)
		return agent_why(a, st, "表式不能读取", "forms cannot be read");
	p->form = forms_find(fs, bytes_str(form));
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
	return st;
}

/* ---- filling and drawing */

static void
set_input(struct agent *a, struct pages *p, const char *rec, bool blank)
{
	p->in = (struct form_input){ .form = p->form,
		.st = blank ? NULL : &p->st,
		.entries = p->entry,
		.entry_count = p->count,
		.offset_min = a->offset_min,
		.now_ms = (int64_t)port_wall_ms(a->port),
		.court_name = a->desc->name,
		.rec = rec };
}

/* The QR's code of the entry that was just written: the last of its chain. */
static enum status
code_of(struct agent *a, const uint8_t id[ID_LEN], struct paper_code *out)
{
	char dev[DEV_LEN + 1];
	struct log_head head;
	enum status st = log_head(a->log, &head);

	memset(out, 0, sizeof(*out));
	if (st == ST_OK && memcmp(head.link, id, ID_LEN) != 0)
		st = ST_CORRUPT;
	if (st != ST_OK)
		return st;
	memcpy(out->chain, head.chain, CHAIN_LEN);
	out->seq = head.seq;
	memcpy(out->link, head.link, HASH_LEN);
	memcpy(out->sig, head.sig, SIG_LEN);
	chain_dev(dev, log_public_key(a->log));
	(void)snprintf(
	    out->origin, sizeof(out->origin), "%s", a->desc->log.name);
	return sheet_dev(out->dev, dev);
}

static enum status
draw_filled(struct agent *a, struct pages *p, const uint8_t id[ID_LEN])
{
	struct paper_code code;
	enum status st = code_of(a, id, &code);

	if (st == ST_OK)
		st = sheet_draw(&p->sheet, &code, &p->pdf, &a->words);
	return st;
}

static enum status
draw_blank(struct agent *a, struct pages *p, const char *rec, const char *qr)
{
	struct pdf_config c = { .title = form_zh(p->form),
		.court = a->desc->name,
		.foot_qr = bytes_str(qr) };
	struct buf header, words;
	enum status st;

	set_input(a, p, rec, true);
	st = form_fill(&p->sheet.doc, &p->in);
	if (st != ST_OK)
		return st;
	buf_init(&header, 1024);
	buf_printf(&header, "%s　%s　%s", a->desc->name, form_zh(p->form), rec);
	buf_init(&words, 1024);
	buf_printf(&words,
	    "纸质补录　记录编号 %s\n现场手写，字迹清楚；无内容的划“／”，改动处"
	    "由当事人捺印。事后按此编号录入，时间填纸面所写，并附每页照片。\n"
	    "Written by hand. Enter it later under this number, with the time "
	    "on the paper, and attach a photograph of each page.",
	    rec);
	c.header = buf_cstr(&header);
	c.foot_words = buf_cstr(&words);
	c.made_ms = p->in.now_ms;
	st = c.header != NULL && c.foot_words != NULL
		 ? pdf_write(&p->pdf, &p->sheet.doc, &c, &a->words)
		 : ST_NOMEM;
	buf_free(&words);
	buf_free(&header);
	return st;
}

static enum status
fill(struct agent *a, struct pages *p, const char *rec)
{
	uint8_t salt[PAPER_SALT_LEN];

	port_random(a->port, salt, sizeof(salt));
	set_input(a, p, rec, false);
	p->sheet.picture = agent_picture;
	p->sheet.picture_arg = a;
	return sheet_fill(
	    &p->sheet, &p->in, buf_view(&p->state), salt, &a->words);
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
	sheet_more(&p->sheet, &more);
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
		st = fill(a, &p, rec);
	if (st == ST_OK)
		st = write_down(a, &p, rec, id);
	if (st == ST_OK)
		st = draw_filled(a, &p, id);
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
		st = draw_blank(a, &p, rec, qr);
	return finish(a, &p, st, pdf);
}

enum status
agent_forms(struct agent *a, struct buf *out)
{
	const struct forms *fs = agent_forms_known(a);
	struct forms *own = NULL;
	enum status st = ST_OK;

	if (fs == NULL) {
		st = forms_load_builtin(&own, a->kinds);
		fs = own;
	}
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
	forms_free(own);
	return out->err;
}
