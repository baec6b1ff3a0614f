#include "pdf/sheet.h"

#include <string.h>

#include "base/enc.h"
#include "base/sha.h"

enum { WORDS_BYTES_MAX = 4096, CODE_BYTES_MAX = 2000, HEADER_MAX = 1024 };

void
sheet_init(struct sheet *s)
{
	memset(s, 0, sizeof(*s));
	form_doc_init(&s->doc);
	buf_init(&s->summary, PAPER_SUMMARY_MAX * 2);
}

void
sheet_free(struct sheet *s)
{
	form_doc_free(&s->doc);
	buf_wipe(&s->summary);
}

enum status
sheet_fill(struct sheet *s, const struct form_input *in, struct bytes state,
    const uint8_t salt[PAPER_SALT_LEN], struct words *why)
{
	/* Before anything is written down: without a font there is no paper. */
	enum status st = pdf_ready(why);

	s->in = in;
	memcpy(s->salt, salt, PAPER_SALT_LEN);
	if (st == ST_OK)
		st = form_fill(&s->doc, in);
	if (st == ST_OK)
		st = form_summary(in, &s->summary);
	if (st != ST_OK)
		return st;
	sha256(s->state, state);
	sha256(s->text, buf_view(&s->doc.text));
	return ST_OK;
}

void
sheet_more(const struct sheet *s, struct buf *out)
{
	struct paper_print p = { .form = form_id(s->in->form),
		.summary = buf_view(&s->summary) };

	memcpy(p.salt, s->salt, PAPER_SALT_LEN);
	memcpy(p.state, s->state, HASH_LEN);
	memcpy(p.text, s->text, HASH_LEN);
	paper_more(out, &p);
}

enum status
sheet_draw(const struct sheet *s, const struct paper_code *code,
    struct buf *out, struct words *why)
{
	struct pdf_config c = { .title = form_zh(s->in->form),
		.picture = s->picture,
		.picture_arg = s->picture_arg,
		.court = s->in->court_name,
		.made_ms = s->in->now_ms };
	struct bytes summary = buf_view(&s->summary);
	struct buf header, words, qr;
	enum status st;

	buf_init(&header, HEADER_MAX);
	buf_init(&words, WORDS_BYTES_MAX);
	buf_init(&qr, CODE_BYTES_MAX);
	buf_printf(&header, "%s　%s　%s", s->in->court_name,
	    form_zh(s->in->form), s->in->rec);
	paper_words(&words, code, s->salt, summary);
	st = paper_write(&qr, code, s->salt, summary);
	c.header = buf_cstr(&header);
	c.foot_words = buf_cstr(&words);
	c.foot_qr = buf_view(&qr);
	if (st == ST_OK && (c.header == NULL || c.foot_words == NULL))
		st = ST_NOMEM;
	if (st == ST_OK)
		st = pdf_write(out, &s->doc, &c, why);
	buf_free(&header);
	buf_free(&words);
	buf_free(&qr);
	return st;
}

enum status
sheet_dev(uint8_t out[PAPER_DEV_LEN], const char dev[DEV_LEN + 1])
{
	return base32_decode(out, PAPER_DEV_LEN, bytes_of(dev, DEV_LEN));
}
