/* admin_print: a record on paper, at the centre (docs/FORMS.md). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "pdf/pdf.h"
#include "server/admin/admin.h"
#include "server/project/printer.h"
#include "server/roster/define.h"

/* What a print needs besides the open court. */
struct desk {
	struct define *define;
	struct domain *domain;
	struct centre_reader *reader;
	struct fold *fold;
	struct descriptor *descriptor;
};

static void
desk_close(struct desk *d)
{
	fold_free(d->fold);
	centre_reader_close(d->reader);
	domain_unref(d->domain);
	define_close(d->define);
	free(d->descriptor);
}

static enum status
read_descriptor(struct admin *a, struct desk *d)
{
	struct buf file;
	enum status st;

	d->descriptor = malloc(sizeof(*d->descriptor));
	if (d->descriptor == NULL)
		return ST_NOMEM;
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	st = centre_descriptor(a->centre, &file);
	if (st == ST_OK)
		st = descriptor_parse(d->descriptor, buf_view(&file));
	buf_free(&file);
	return st;
}

static enum status
desk_open(struct admin *a, struct desk *d)
{
	struct fold_config fc = { .feed = feed_inside(a->feed),
		.utc_offset_min = (int)a->config.utc_offset_min };
	enum status st = define_open(&d->define, a->centre, a->roster);

	if (st == ST_OK)
		st = define_domain(d->define, &d->domain);
	if (st == ST_OK)
		st = centre_reader_open(&d->reader, a->centre);
	if (st == ST_OK)
		st = read_descriptor(a, d);
	if (st != ST_OK)
		return st;
	fc.kinds = d->domain->kinds;
	fc.rules = d->domain->rules;
	fc.reader = d->reader;
	return fold_new(&d->fold, &fc);
}

static int
tell(const struct admin *a, const struct printed_sheet *s, size_t bytes)
{
	char hex[2 * ID_LEN + 1];

	hex_encode(hex, bytes_of(s->id, ID_LEN));
	if (a->json)
		(void)printf("{\"bytes\":%zu,\"form\":\"%s\",\"id\":\"%s\","
			     "\"place\":%" PRIu64 ",\"rec\":\"%s\"}\n",
		    bytes, s->form, hex, s->place, a->word[0]);
	else
		(void)printf("已打印并存证 printed and written down %s, "
			     "存证位置 place %" PRIu64 "\n",
		    hex, s->place);
	return ADMIN_DONE;
}

static int
print_it(struct admin *a, struct desk *d, struct buf *pdf)
{
	struct printer p = { .centre = a->centre,
		.reader = d->reader,
		.fold = d->fold,
		.forms = d->domain->forms,
		.court_name = d->descriptor->name,
		.utc_offset_min = (int)a->config.utc_offset_min };
	struct printed_sheet sheet;
	struct words why;
	enum status st;

	st = printer_print(&p, a->word[0], a->word_count > 1 ? a->word[1] : "",
	    a->by, pdf, &sheet, &why);
	if (st != ST_OK)
		return why.en[0] != '\0' ? admin_refuse(a, why.zh, why.en)
					 : admin_fail(a, "print", st);
	st = port_write_file(port_system(), a->out, buf_view(pdf), true);
	return st == ST_OK ? tell(a, &sheet, pdf->len)
			   : admin_fail(a, a->out, st);
}

static int
run_print(struct admin *a)
{
	struct desk d = { .define = NULL };
	struct roster_person who;
	struct buf pdf;
	enum status st;
	int rc;

	if (a->word_count == 0)
		return admin_refuse(a, "须写明记录号", "a record is needed");
	if (!admin_needs(a, "--out", a->out) || !admin_needs(a, "--by", a->by))
		return ADMIN_USAGE;
	if (roster_person(a->roster, a->by, &who) != ST_OK)
		return admin_refuse(a, "名册中没有此人，见 people",
		    "--by is no person of the roster: see `people`");
	buf_init(&pdf, PDF_BYTES_MAX);
	st = desk_open(a, &d);
	rc = st == ST_OK ? print_it(a, &d, &pdf) : admin_fail(a, "print", st);
	buf_wipe(&pdf);
	desk_close(&d);
	pdf_end();
	return rc;
}

const struct admin_command admin_print_commands[] = {
	{ "print", true, run_print, "REC [FORM] --out F.pdf --by ID", "打印",
	    "a record's form on paper; what was printed is logged" },
	{ NULL, false, NULL, NULL, NULL, NULL },
};
