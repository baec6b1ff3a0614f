#include "pdf/pdf.h"

#include <fontconfig/fontconfig.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pdf/pdf_priv.h"

static const char family[] = "Noto Serif CJK SC";

const char *
pdf_font(void)
{
	return family;
}

void
pdf_end(void)
{
	pango_cairo_font_map_set_default(NULL);
	cairo_debug_reset_static_data();
	FcFini();
}

/* ---- layouts */

PangoLayout *
pdf_layout(
    struct pdf_run *r, struct bytes text, double size, bool bold, double width)
{
	PangoLayout *l = pango_layout_new(r->context);
	PangoFontDescription *font = pango_font_description_new();
	PangoAttrList *attrs;

	pango_font_description_set_family_static(font, family);
	pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
	if (bold)
		pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
	pango_layout_set_font_description(l, font);
	pango_font_description_free(font);
	pango_layout_set_text(l, (const char *)text.p, (int)text.len);
	pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
	/* A hyphen where a long number breaks would be read as part of it. */
	attrs = pango_attr_list_new();
	pango_attr_list_insert(attrs, pango_attr_insert_hyphens_new(FALSE));
	pango_layout_set_attributes(l, attrs);
	pango_attr_list_unref(attrs);
	if (width > 0)
		pango_layout_set_width(l, (int)(width * PANGO_SCALE));
	return l;
}

double
pdf_height(PangoLayout *l)
{
	int height;

	pango_layout_get_size(l, NULL, &height);
	return (double)height / PANGO_SCALE;
}

/* ---- pages */

static void
put_margin(struct pdf_run *r, const char *text, double y, bool centre)
{
	PangoLayout *l = pdf_layout(r, bytes_str(text), 8.5, false, TEXT_WIDTH);

	pango_layout_set_alignment(
	    l, centre ? PANGO_ALIGN_CENTER : PANGO_ALIGN_LEFT);
	pango_layout_set_ellipsize(l, PANGO_ELLIPSIZE_MIDDLE);
	cairo_move_to(r->cr, MARGIN_SIDE, y);
	pango_cairo_show_layout(r->cr, l);
	g_object_unref(l);
}

/* What stands above and below every page. */
static void
dress_page(struct pdf_run *r)
{
	char foot[64];

	if (!r->draw)
		return;
	if (r->c->header != NULL)
		put_margin(r, r->c->header, MARGIN_TOP - 24, false);
	(void)snprintf(
	    foot, sizeof(foot), "第 %u 页 共 %u 页", r->page, r->pages);
	put_margin(r, foot,
	    r->foot != NULL ? PAGE_HEIGHT - FOOT_BELOW + 3
			    : PAGE_HEIGHT - MARGIN_BOTTOM + 20,
	    true);
	if (r->foot != NULL)
		pdf_put_foot(r);
}

static void
new_page(struct pdf_run *r)
{
	if (r->draw && r->page > 0)
		cairo_show_page(r->cr);
	r->page++;
	r->y = MARGIN_TOP;
	dress_page(r);
}

double
pdf_body(const struct pdf_run *r)
{
	return r->bottom - MARGIN_TOP;
}

void
pdf_need(struct pdf_run *r, double height)
{
	const struct form_line *head = r->head;

	if (r->y + height <= r->bottom)
		return;
	new_page(r);
	if (head == NULL)
		return;
	/* A table that goes on says again what its columns are. */
	r->head = NULL;
	pdf_put_line(r, (size_t)(head - r->doc->line));
	r->head = head;
}

static void
run(struct pdf_run *r)
{
	r->page = 0;
	r->head = NULL;
	new_page(r);
	for (size_t i = 0; i < r->doc->line_count && r->err == ST_OK; i++) {
		const struct form_line *l = &r->doc->line[i];

		if (l->repeat || l->sort != FORM_ROW)
			r->head = NULL;
		pdf_put_line(r, i);
		if (l->repeat)
			r->head = l;
	}
	r->head = NULL;
}

/* ---- the document */

static bool
have_font(PangoContext *context)
{
	PangoFontFamily **list = NULL;
	bool found = false;
	int n = 0;

	pango_context_list_families(context, &list, &n);
	for (int i = 0; i < n && !found; i++)
		found =
		    strcmp(pango_font_family_get_name(list[i]), family) == 0;
	g_free(list);
	return found;
}

static void
no_font(struct words *why)
{
	words_put(why,
	    "没有中文字体 Noto Serif CJK SC，不能打印；请安装软件包 "
	    "fonts-noto-cjk。",
	    "The font Noto Serif CJK SC is not installed; nothing can be "
	    "printed. The package fonts-noto-cjk brings it.");
}

enum status
pdf_ready(struct words *why)
{
	PangoContext *context =
	    pango_font_map_create_context(pango_cairo_font_map_get_default());
	bool there = have_font(context);

	g_object_unref(context);
	words_clear(why);
	if (!there)
		no_font(why);
	return there ? ST_OK : ST_ABSENT;
}

static cairo_status_t
take_bytes(void *arg, const unsigned char *p, unsigned int len)
{
	struct buf *out = arg;

	buf_add(out, p, len);
	return out->err == ST_OK ? CAIRO_STATUS_SUCCESS
				 : CAIRO_STATUS_WRITE_ERROR;
}

static void
set_metadata(cairo_surface_t *surface, const struct pdf_config *c)
{
	time_t t = (time_t)(c->made_ms / 1000);
	struct tm tm;
	char date[32] = "";

	cairo_pdf_surface_set_metadata(
	    surface, CAIRO_PDF_METADATA_TITLE, c->title);
	cairo_pdf_surface_set_metadata(
	    surface, CAIRO_PDF_METADATA_CREATOR, "Daybreak");
	if (gmtime_r(&t, &tm) != NULL &&
	    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		cairo_pdf_surface_set_metadata(
		    surface, CAIRO_PDF_METADATA_CREATE_DATE, date);
}

static enum status
of_cairo(cairo_status_t s, const struct buf *out)
{
	if (s == CAIRO_STATUS_SUCCESS)
		return ST_OK;
	return out->err != ST_OK ? out->err : ST_NOMEM;
}

/* A version-4 code or smaller can be read at a third less. */
static void
set_foot(struct pdf_run *r)
{
	if (r->foot == NULL)
		return;
	r->foot_side = r->foot->width > 33 ? FOOT_SIDE : FOOT_SIDE_SHORT;
	r->bottom = PAGE_HEIGHT - FOOT_BELOW - r->foot_side - FOOT_AIR;
}

static enum status
write_pages(struct buf *out, const struct form_doc *doc,
    const struct pdf_config *c, struct words *why)
{
	cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
	    take_bytes, out, PAGE_WIDTH, PAGE_HEIGHT);
	struct pdf_run r = {
		.doc = doc, .c = c, .bottom = PAGE_HEIGHT - MARGIN_BOTTOM
	};
	enum status st = ST_OK;

	set_metadata(surface, c);
	r.cr = cairo_create(surface);
	r.context = pango_cairo_create_context(r.cr);
	pango_cairo_context_set_resolution(r.context, 72);
	pango_context_set_language(
	    r.context, pango_language_from_string("zh-cn"));
	if (!have_font(r.context)) {
		no_font(why);
		st = ST_ABSENT;
	} else if (c->foot_qr.len > 0 &&
		   (r.foot = pdf_code(c->foot_qr)) == NULL) {
		st = ST_LIMIT;
	} else {
		set_foot(&r);
		run(&r);
		r.pages = r.page;
		r.draw = true;
		if (r.err == ST_OK)
			run(&r);
		st = r.err;
	}
	QRcode_free(r.foot);
	g_object_unref(r.context);
	if (st == ST_OK)
		st = of_cairo(cairo_status(r.cr), out);
	cairo_destroy(r.cr);
	cairo_surface_finish(surface);
	if (st == ST_OK)
		st = of_cairo(cairo_surface_status(surface), out);
	cairo_surface_destroy(surface);
	return st;
}

enum status
pdf_write(struct buf *out, const struct form_doc *doc,
    const struct pdf_config *c, struct words *why)
{
	size_t before = out->len;
	enum status st;

	words_clear(why);
	st = write_pages(out, doc, c, why);
	/* A stream that refused bytes is all that cairo knows of a ceiling. */
	if (st == ST_OK)
		st = out->err;
	if (st != ST_OK)
		out->len = before;
	return st;
}
