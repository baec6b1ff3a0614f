#ifndef DOMAIN_KIND_H
#define DOMAIN_KIND_H
/*
 * kind: what sorts of record there are, read from data (docs/KINDS.md).
 *
 * A kind is one JSON file: fields with types and words in two languages,
 * lists, a status graph, who signs what, links.  Validation, command line,
 * screens, console, CSV columns and forms are driven by it; no C knows a kind
 * by name.  A bad file is refused with file, place and reason.  Old versions
 * stay loaded for ever: a record is read by the version its `open` names.
 *
 * A field's value is one scalar at one path (MERGE.md A9).  Checking a value
 * has two sides, which never mix (DESIGN, the golden rule): *malformed* input
 * is refused; *doubtful* input (a VIN whose check digit is wrong) is taken and
 * told.  Whether an act was lawful is none of this module's business: rules.h.
 *
 * Threads: a `struct kinds` may be read from many threads once it is filled.
 */
#include "base/buf.h"
#include "domain/words.h"

struct kinds; /* private: the set of all kinds that are known */
struct state; /* domain/state.h */
struct cond;  /* domain/cond.h: a condition, compiled */

#define KIND_TYPES(X)                                                          \
	X(TEXT, "text")             /* one line */                             \
	X(LONG, "long")             /* text with line breaks */                \
	X(INT, "int")               /* JSON integer */                         \
	X(DECIMAL, "decimal")       /* string "-12.5", shortest form */        \
	X(MONEY, "money")           /* string "205.00", not negative */        \
	X(DATE, "date")             /* "2024-02-29" */                         \
	X(DATETIME, "datetime")     /* RFC 3339 with offset, as `at` */        \
	X(DURATION, "duration")     /* JSON integer, seconds */                \
	X(ENUM, "enum")             /* the id of an option */                  \
	X(BOOL, "bool")             /* true, false */                          \
	X(ADDRESS, "address")       /* text */                                 \
	X(LAT, "lat")               /* decimal string, -90..90 */              \
	X(LON, "lon")               /* decimal string, -180..180 */            \
	X(CASE_NO, "case_no")       /* case number of a Chinese court */       \
	X(DOC_NO, "doc_no")         /* any document's number */                \
	X(CITIZEN_ID, "citizen_id") /* 18 digits, GB 11643 */                  \
	X(ORG_CODE, "org_code")     /* unified social credit code, GB 32100 */ \
	X(PHONE, "phone")           /* digits, + - ( ) and spaces */           \
	X(PLATE, "plate")           /* vehicle plate; odd ones are doubtful */ \
	X(VIN, "vin")               /* ISO 3779; odd ones are doubtful */      \
	X(OFFICER, "officer")       /* id of a person of the roster */         \
	X(RECORD, "record")         /* record id */                            \
	X(ITEM, "item")             /* path of an item of this record */       \
	X(SIGNATURE, "signature")   /* id of a `sign` entry */                 \
	X(ATTACHMENT, "attachment") /* SHA-256 of a file, 64 hex */

enum kind_type {
#define KIND_TYPE_ENUM(name, text) KIND_##name,
	KIND_TYPES(KIND_TYPE_ENUM)
#undef KIND_TYPE_ENUM
	    KIND_TYPE_COUNT
};

/* The name that kind files use; static. */
const char *kind_type_name(enum kind_type t);

struct kind_option {
	const char *id, *zh, *en;
};

struct kind_field {
	const char *path; /* from the record, or from its list's item */
	const char *zh, *en;
	const char *help_zh, *help_en; /* "" where there is none */
	enum kind_type type;
	bool required;      /* wanted before the record is finished */
	bool never_default; /* never taken over from another record */
	bool personal;      /* about a person: withheld on request */
	/* Fields of one word are written in an entry of their own, so that a
	 * bundle can withhold them together; "" for none. */
	const char *apart;
	const char *unit;                  /* "CNY", "m" …; "" for none */
	const struct kind_option *options; /* KIND_ENUM */
	size_t option_count;
	int64_t min, max;   /* KIND_INT, KIND_DURATION; INT64_MIN/MAX if none */
	uint32_t bytes_max; /* of text */
	const char *const *refs; /* KIND_ITEM: lists; KIND_RECORD: kinds */
	size_t ref_count;
	const struct cond *when;      /* asked for only then; NULL: always */
	const struct kind_list *list; /* whose item it is of, or NULL */
};

struct kind_list {
	const char *path; /* "items" */
	const char *zh, *en, *help_zh, *help_en;
	uint32_t required; /* items wanted before the record is finished */
	const struct cond *when;
	const char *const *label; /* relative paths of a one-line summary */
	size_t label_count;
	const struct kind_field *fields; /* in the order of the file */
	size_t field_count;
};

/* How fields whose paths begin alike belong together. */
enum kind_group_type {
	KIND_GROUP_PLAIN,
	KIND_GROUP_PERSON, /* has name, capacity */
	KIND_GROUP_ORG,    /* has name, code */
	KIND_GROUP_PARTY, /* person or organisation: has sort, name, capacity */
	KIND_GROUP_POINT, /* has lat, lon, accuracy_m, age_s */
};
struct kind_group {
	const char *path, *zh, *en;
	enum kind_group_type type;
	const struct kind_list *list; /* NULL: of the record */
};

struct kind_status {
	const char *id, *zh, *en;
	const char *const *to; /* steps allowed from here */
	size_t to_count;
	bool finish; /* what is required must stand from here on */
};

/* Who signs what. */
struct kind_sign {
	const char *id, *zh, *en;
	/* A list: each of its items in force signs.  Or a group of fields (or
	 * a name of its own).  The `sign` entry says who signed in its
	 * more.person: an item's path, or this path. */
	const char *who;
	bool each;                /* `who` is a list */
	const char *const *parts; /* paths, in the order shown */
	size_t part_count;
	bool required;
	const struct cond *when; /* in an item's terms if `each` */
};

/* What is to be attached (a photograph of each item …). */
struct kind_attach {
	const char *id, *zh, *en;
	const char *on; /* a path, a list with `each`, or "" */
	bool each;
	bool required;
	const struct cond *when; /* in an item's terms if `each` */
};

/* A printed form that this kind fills. */
struct kind_form {
	const char *id, *zh, *en;
};

struct kind_link {
	const char *word, *zh, *en;
	const char *const *kinds; /* names; none: any kind */
	size_t kind_count;
	/* Lists, and groups of fields, that a record begun with this link takes
	 * over from the other. */
	const char *const *takes;
	size_t take_count;
};

struct kind {
	const char *id;   /* "search@1" */
	const char *name; /* "search" */
	uint32_t version;
	const char *zh, *en, *help_zh, *help_en;
	bool small;  /* urgent, entries of at most HINT_BYTES_MAX as sent */
	bool system; /* written by the centre alone; no field form */
	const char *happened; /* the field that says when it happened, or "" */
	const char *ended;    /* the field that says when it ended, or "" */
	const char *const *label; /* paths of a one-line summary */
	size_t label_count;
	const struct kind_field *fields; /* in the order of the file */
	size_t field_count;
	const struct kind_list *lists;
	size_t list_count;
	const struct kind_group *groups;
	size_t group_count;
	const struct kind_status *status; /* the first is where it begins */
	size_t status_count;
	const struct kind_sign *signs;
	size_t sign_count;
	const struct kind_attach *attaches;
	size_t attach_count;
	const struct kind_link *links;
	size_t link_count;
	const struct kind_form *forms;
	size_t form_count;
	uint8_t sha256[32]; /* of the file's bytes */
};

/* ---- the set */

MUST_CHECK enum status kinds_new(struct kinds **out);
void kinds_free(struct kinds *ks);

/* A new set with every kind that was built in.  ST_NOMEM; ST_INVALID would be
 * our own mistake, held off by a test. */
MUST_CHECK enum status kinds_load_builtin(struct kinds **out);

/*
 * Take one more kind from a file's bytes (copied).  `name` is used in words
 * only.  The same kind@version with the same bytes again is fine.
 * ST_INVALID (kinds_words: file, place, reason), ST_CONFLICT: that version is
 * known with other bytes, ST_LIMIT, ST_NOMEM.  On failure nothing changes.
 */
MUST_CHECK enum status kinds_add(
    struct kinds *ks, const char *name, struct bytes file);

/* Why the last kinds_add refused; valid until the next. */
const struct words *kinds_words(const struct kinds *ks);

/* "search@1"; NULL if not known.  Borrowed from the set. */
const struct kind *kinds_find(const struct kinds *ks, struct bytes id);
/* "search", its highest version; NULL if not known. */
const struct kind *kinds_latest(const struct kinds *ks, struct bytes name);
/* In order of name and version. */
size_t kinds_count(const struct kinds *ks);
const struct kind *kinds_at(const struct kinds *ks, size_t i);

/* ---- looking things up in a kind; NULL if not there */

/* By a whole path: "warrant/no", "items/@<32 hex>/value/amount". */
const struct kind_field *kind_field(const struct kind *k, struct bytes path);
/* By a path inside a list's items: "value/amount".  `l` NULL: the record. */
const struct kind_field *kind_list_field(
    const struct kind *k, const struct kind_list *l, struct bytes path);
const struct kind_list *kind_list(const struct kind *k, struct bytes path);
const struct kind_option *kind_option(
    const struct kind_field *f, struct bytes id);
const struct kind_status *kind_status(const struct kind *k, struct bytes id);
const struct kind_sign *kind_sign(const struct kind *k, struct bytes id);
const struct kind_link *kind_link(const struct kind *k, struct bytes word);
/* True if the graph allows `to` from `from` ("" = before any `advance`). */
bool kind_step_ok(const struct kind *k, struct bytes from, struct bytes to);

/* ---- values */

/*
 * Is `value` (JSON text of one scalar) a value for that field?  null (entered
 * as empty) is one for every field.  ST_OK with `why` empty: yes.  ST_OK with
 * words: taken, but doubtful.  ST_INVALID with words: malformed.  `why` speaks
 * of the field by its label.
 */
MUST_CHECK enum status kind_check(
    const struct kind_field *f, struct bytes value, struct words *why);

/*
 * The same by whole path; ST_ABSENT with words: this kind has no such field
 * (the nearest name is offered).
 */
MUST_CHECK enum status kind_check_path(const struct kind *k, struct bytes path,
    struct bytes value, struct words *why);

/*
 * What a person typed, as JSON text of a scalar that kind_check takes,
 * appended to `out`.  Empty text gives null.  By type:
 *   bool      true false yes no y n 是 否 有 无 1 0 1.0 0.0, any case
 *   int       digits, a sign, "3.0"
 *   money     "1,386,056" "¥205" "205.5元" "3.2万" → "1386056.00" …
 *   decimal   digits with a point, trailing zeros dropped
 *   date      2024-02-29 2024/2/29 2024.2.29 2024年2月29日 20240229
 *   datetime  a date, then [T or space] 5:07[:09[.123]] and Z, ±08:00 or
 *             nothing (then `offset_min` east of UTC); a date alone: 00:00:00
 *   duration  90 (seconds) 1h30m 2d 45min 1小时30分 1天
 *   enum      an option's id, or its label in either language
 *   case_no   half-width brackets become full-width
 *   the rest  the text itself, outer white space cut, full-width digits and
 *             letters of numbers made half-width
 * ST_INVALID with words; a doubtful value gives ST_OK with words.
 */
MUST_CHECK enum status kind_normalise(const struct kind_field *f,
    struct bytes text, int offset_min, struct buf *out, struct words *why);

/* ---- showing */

/* A value (JSON text) for people: option labels, 是/否, times to the minute;
 * withheld and empty ones in words. */
void kind_show(
    const struct kind_field *f, struct bytes value, bool zh, struct buf *out);

/* The one-line summary of a record: the label's values that stand, joined by
 * " · "; the kind's own name where none does. */
void kind_label(
    const struct kind *k, const struct state *st, bool zh, struct buf *out);

/* ---- what is still missing */

typedef enum status (*kind_missing_fn)(
    void *arg, struct bytes path, const char *zh, const char *en);

/*
 * Call `fn` with path and label for every required field (its `when` holding)
 * that has no value, of the record and of each item in force; for each list
 * with too few items; for each required attachment that is not there.  What
 * is only withheld is not missing.  Stops at the first result of `fn` that is
 * not ST_OK, and gives it.
 */
MUST_CHECK enum status kind_missing(const struct kind *k,
    const struct state *st, kind_missing_fn fn, void *arg);

#endif
