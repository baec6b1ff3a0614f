#ifndef SERVER_PROJECT_PRINTER_H
#define SERVER_PROJECT_PRINTER_H
/*
 * printer: a record on paper, at the centre (docs/FORMS.md).
 *
 * The same steps as on a handheld: what is printed is written down first, as a
 * `print` entry on the court's own chain, and the QR on the page names it, with
 * its place.
 *
 * Threads: any; one print at a time in the process.
 */
#include "form/form.h"
#include "server/project/fold.h"

struct printer {
	struct centre *centre; /* all borrowed */
	struct centre_reader *reader;
	struct fold *fold; /* of the caller's thread */
	const struct forms *forms;
	const char *court_name;
	int utc_offset_min;
};

struct printed_sheet {
	uint8_t id[ID_LEN]; /* of the print entry */
	uint64_t place;
	const char *form; /* its id; borrowed from the forms */
};

/*
 * Print record `rec` by `form` ("" : the only one of its kind) for `by`; the
 * document is appended to `pdf`.  ST_ABSENT: no such record, no such form, or
 * no font; ST_INVALID: a form of another kind, or several and none named;
 * ST_AGAIN: the feed is behind; ST_LOCKED: the log is stopped; with words.
 * After a failure that came behind the entry (ST_NOMEM, ST_LIMIT) it stands.
 */
MUST_CHECK enum status printer_print(const struct printer *p, const char *rec,
    const char *form, const char *by, struct buf *pdf,
    struct printed_sheet *out, struct words *why);

#endif
