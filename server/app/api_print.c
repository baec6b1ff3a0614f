/* api_print: a record on paper, for the console (docs/FORMS.md). */
#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "pdf/pdf.h"
#include "server/app/api_impl.h"
#include "server/project/printer.h"

static void
refuse(struct worker *w, struct request *rq, enum status st,
    const struct words *why)
{
	if (why->en[0] == '\0')
		app_fail(w, rq, st);
	else if (st == ST_ABSENT)
		request_error(rq, 404, "not_found", why->en, why->zh, 0);
	else
		request_error(rq, 409, "no_print", why->en, why->zh, 0);
}

static void
send_sheet(
    struct request *rq, const struct printed_sheet *sheet, struct buf *pdf)
{
	struct reply re = {
		.status = 200, .type = "application/pdf", .take = pdf
	};
	char id[2 * ID_LEN + 1], file[128];

	hex_encode(id, bytes_of(sheet->id, ID_LEN));
	(void)snprintf(file, sizeof(file),
	    "attachment; filename=\"%.40s-%s.pdf\"", sheet->form, id);
	re.field[re.field_count++] =
	    (struct reply_field){ "Content-Disposition", file };
	re.field[re.field_count++] =
	    (struct reply_field){ "Cache-Control", "no-store" };
	re.field[re.field_count++] =
	    (struct reply_field){ "Daybreak-Print", id };
	request_reply(rq, &re);
}

void
api_print(struct worker *w, struct request *rq)
{
	struct printer p = { .centre = w->app->centre,
		.reader = w->reader,
		.fold = w->fold,
		.forms = w->domain->forms,
		.court_name = w->app->court_name,
		.utc_offset_min = (int)w->app->cfg.options.utc_offset_min };
	char by[API_WHO_MAX], rec[REC_LEN + 1] = "";
	char form[API_TEXT_MAX + 1] = "";
	struct printed_sheet sheet;
	struct words why;
	struct buf pdf;
	enum status st;

	if (!api_may_who(w, rq, RIGHT_RECORDS, by))
		return;
	if (rq->param[0].len == REC_LEN)
		memcpy(rec, rq->param[0].p, REC_LEN);
	if (rq->param[1].len < sizeof(form))
		memcpy(form, rq->param[1].p, rq->param[1].len);
	buf_init(&pdf, PDF_BYTES_MAX);
	st = printer_print(&p, rec, form, by, &pdf, &sheet, &why);
	if (st == ST_OK)
		send_sheet(rq, &sheet, &pdf);
	else
		refuse(w, rq, st, &why);
	buf_wipe(&pdf);
}
