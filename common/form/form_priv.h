#ifndef FORM_FORM_PRIV_H
#define FORM_FORM_PRIV_H
/*
 * form_priv: what the files of form share.
 */
#include "domain/cond.h"
#include "domain/pool.h"
#include "entry/entry.h"
#include "form/form.h"

/* A text, cut into plain runs and what stands in braces. */
enum form_piece_sort {
	PIECE_PLAIN,
	PIECE_FIELD,  /* {path}, {/path} */
	PIECE_CHOICE, /* {path?A|B} */
	PIECE_LIST,   /* {list*path} */
	PIECE_NUMBER, /* {#} */
	PIECE_REC,    /* {=rec} */
	PIECE_COURT,  /* {=court} */
};

struct form_piece {
	enum form_piece_sort sort;
	const char *text; /* plain; or the whole text for yes */
	const char *no;   /* PIECE_CHOICE */
	const struct kind_field *field;
	const struct kind_list *list; /* PIECE_LIST */
	bool spare;  /* nothing is printed where there is no value */
	bool court;  /* where there is no value: the court's name */
	bool record; /* the record's field, though in an item's terms */
};

struct form_text {
	const struct form_piece *piece;
	size_t count;
};

enum form_block_sort {
	BLOCK_TITLE,
	BLOCK_HEAD,
	BLOCK_PARA,
	BLOCK_EACH,
	BLOCK_GRID,
	BLOCK_TABLE,
	BLOCK_SIGNS,
	BLOCK_CORRECTIONS,
	BLOCK_NOTE,
};

enum form_on { ON_ANY, ON_FILLED, ON_BLANK };

struct form_block {
	enum form_block_sort sort;
	enum form_on on;              /* which forms it stands on */
	const struct cond *when;      /* NULL: always */
	const struct kind_list *list; /* BLOCK_EACH, BLOCK_TABLE */
	const struct form_text *text; /* paragraphs, cells of a row or grid */
	size_t text_count;
	const char *const *head; /* BLOCK_TABLE: of each column */
	const uint32_t *width;   /* BLOCK_TABLE, BLOCK_GRID: of each column */
	size_t columns;
	uint32_t rows;  /* of a blank form */
	uint32_t lines; /* of a blank form, behind each paragraph */
	bool right;     /* BLOCK_PARA: at the right margin */
	const struct kind_sign *const *sign; /* BLOCK_SIGNS */
	size_t sign_count;
};

/* Where the lines of the summary come from; NULL: an empty line. */
struct form_sum {
	const struct form_text *case_no, *time;
	const struct kind_list *items;
	const struct kind_field *total; /* of the items; money */
};

struct form {
	const char *id, *name, *zh, *en;
	uint32_t version;
	const struct kind *kind;
	const struct form_block *block;
	size_t block_count;
	struct form_sum sum;
	struct pool pool;
	uint8_t sha256[HASH_LEN];
};

/* Read a form file into *f, whose pool is the caller's to free, whatever comes
 * back.  ST_INVALID with words, ST_NOMEM. */
MUST_CHECK enum status form_read(struct form *f, const struct kinds *ks,
    const char *name, struct bytes file, struct words *why);
/* Node n, a string, in the terms of `list` (NULL: the record's). */
struct doc;
MUST_CHECK enum status form_read_text(struct form_text *out, struct doc *d,
    uint32_t n, const struct kind *k, const struct kind_list *list);

/* Member `summary` of a form file (form_summary.c). */
MUST_CHECK enum status form_read_summary(struct form *f, struct doc *d);

/* ---- filling */

/* Of a value that the record does not have. */
#define FORM_UNRECORDED "（未记载）"

struct form_run {
	struct form_doc *doc;
	const struct form_input *in;
	const struct kind *kind;
	enum status err;
	uint32_t row; /* of a blank table, from 1; 0: none */
};

/* Begin a line; then its cells; each cell's text is appended to doc->text
 * between form_cell_begin and form_cell_end. */
struct form_line *form_line_begin(struct form_run *r, enum form_line_sort sort);
void form_cell_begin(struct form_run *r, uint32_t width, bool label);
void form_cell_end(struct form_run *r);

/* The items of a list in the order of their numbers; owned by the caller, NULL
 * after a failure or where there are none. */
const struct state_item **form_items(
    struct form_run *r, const char *list, size_t *count);

/* A text for the record, or an item of it (path; empty: the record). */
void form_put_text(
    struct form_run *r, const struct form_text *t, const struct state_item *it);
/* One value (JSON text of a scalar) of a field, as it stands on paper; `it`:
 * the item it is of, or NULL. */
void form_put_value(struct form_run *r, const struct kind_field *f,
    const struct state_item *it, struct bytes json);
/* What conditions are judged by; `it` NULL: the record. */
struct cond_view form_view(
    const struct form_run *r, const struct state_item *it);
/* Whether a field has values that are kept; the first, and how many. */
size_t form_kept(struct form_run *r, const struct kind_field *f,
    const struct state_item *it, struct bytes *json);
/* An officer: the id, and before it the name that the record gives beside it;
 * `it`: the item that says so itself, NULL: any. */
void form_put_officer(
    struct form_run *r, struct bytes id, const struct state_item *it);
/* A moment, "2024年3月1日5时10分", or a day. */
void form_put_when(struct form_run *r, struct bytes at, struct buf *out);

void form_fill_signs(struct form_run *r, const struct form_block *b);
void form_fill_corrections(struct form_run *r);

#endif
