#ifndef FORM_FORM_H
#define FORM_FORM_H
/*
 * form: printed forms as data (docs/FORMS.md).
 *
 * A form file names one kind and says what stands on the paper.  Reading
 * checks every name in it against the kind; filling gives a `struct form_doc`,
 * lines of text that know nothing of fonts, from a record's state, or a blank
 * one for paper.  Nothing is made to look better than it is: what was not
 * recorded says so, a conflict shows every value, what changed after a
 * signature stands at the end.
 *
 * Names of officers are those that stand in the record beside their ids: what
 * is printed depends on nothing that a record does not hold.
 *
 * Threads: a `struct forms` may be read from many threads once it is filled.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "domain/kind.h"
#include "domain/state.h"

struct forms; /* private: the set of all forms that are known */
struct form;  /* private: one of them, owned by its set */

/* Every form that was built in; `ks` is borrowed and must outlive it.
 * ST_NOMEM; ST_INVALID would be our own mistake, held off by a test. */
MUST_CHECK enum status forms_load_builtin(
    struct forms **out, const struct kinds *ks);
MUST_CHECK enum status forms_new(struct forms **out);
void forms_free(struct forms *fs);

/*
 * Take one more form from a file's bytes (copied).  ST_INVALID (forms_words:
 * file, place, reason), ST_CONFLICT: that version is known with other bytes,
 * ST_NOMEM.  On failure nothing changes.
 */
MUST_CHECK enum status forms_add(struct forms *fs, const struct kinds *ks,
    const char *name, struct bytes file);
const struct words *forms_words(const struct forms *fs);

size_t forms_count(const struct forms *fs);
const struct form *forms_at(const struct forms *fs, size_t i);
/* "search_record" (its highest version) or "search_record@1"; NULL. */
const struct form *forms_find(const struct forms *fs, struct bytes id);

const char *form_id(const struct form *f);   /* "search_record@1" */
const char *form_name(const struct form *f); /* "search_record" */
const char *form_zh(const struct form *f);
const char *form_en(const struct form *f);
const struct kind *form_kind(const struct form *f);

/* ---- a filled form */

enum form_line_sort {
	FORM_TITLE,
	FORM_HEAD,
	FORM_PARA,
	FORM_ROW,  /* of a table or grid, with borders */
	FORM_SIGN, /* who, and how; perhaps a picture */
	FORM_NOTE, /* small print */
};

/* A run of text, in struct form_doc's `text`. */
struct form_cell {
	uint32_t off, len;
	uint32_t width; /* relative to the other cells of the row */
	bool label;     /* printed as a label: centred, grey ground */
};

struct form_line {
	enum form_line_sort sort;
	uint32_t cell, cell_count; /* in struct form_doc's `cell` */
	bool repeat; /* head of a table: again on each page that it covers */
	bool struck; /* struck out */
	bool right;  /* a paragraph at the right margin */
	/* Of a blank form: its end is a place to write, to the margin; and so
	 * many ruled lines follow. */
	bool open;
	uint32_t lines;
	bool picture; /* `sha256` names the picture of a signature */
	uint8_t sha256[HASH_LEN];
};

struct form_doc {
	struct buf text;        /* UTF-8, one run behind the other */
	struct form_line *line; /* owned */
	size_t line_count, line_cap;
	struct form_cell *cell; /* owned */
	size_t cell_count, cell_cap;
	bool blank;
};

void form_doc_init(struct form_doc *d);
void form_doc_free(struct form_doc *d);
struct bytes form_doc_text(const struct form_doc *d, const struct form_cell *c);

/* One of the record's entries. */
struct form_entry {
	uint8_t id[ID_LEN];
	struct bytes bytes;
};

struct form_input {
	const struct form *form;
	const struct state *st; /* NULL: a blank form */
	/* The record's entries that count, in the order of merge, for what was
	 * corrected. */
	const struct form_entry *entries;
	size_t entry_count;
	int offset_min; /* the court's zone */
	int64_t now_ms; /* for conditions */
	const char *court_name, *rec;
};

/*
 * Append the summary that is printed beside the QR (docs/CHECK.md): five lines,
 * LF between, of at most PAPER_SUMMARY_MAX bytes.  `in` as for form_fill, of a
 * record.  ST_NOMEM.
 */
MUST_CHECK enum status form_summary(
    const struct form_input *in, struct buf *out);

/*
 * What the form shows, as parts of a skeleton (MERGE.md C8): paths of fields
 * and lists, borrowed from the form's kind; a part may stand twice.  Not more
 * than `max`; the number that there are.
 */
size_t form_parts(const struct form *f, struct bytes *out, size_t max);
/* True if a cell of the skeleton of these parts is shown: of a list the form
 * names some fields only. */
bool form_shows(const struct form *f, struct bytes path);

/* Fill `out` (forgetting what was in it).  ST_NOMEM, ST_LIMIT: more than
 * FORM_TEXT_MAX bytes or FORM_LINES_MAX lines. */
enum { FORM_TEXT_MAX = 8 << 20, FORM_LINES_MAX = 100000 };
MUST_CHECK enum status form_fill(
    struct form_doc *out, const struct form_input *in);

#endif
