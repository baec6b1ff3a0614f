#ifndef DOMAIN_COND_H
#define DOMAIN_COND_H
/*
 * cond: conditions over a record's state, from a small fixed set
 * (docs/KINDS.md, "Conditions").
 *
 * A condition is read from JSON into a short program for a stack of truths: no
 * recursion, no memory taken while judging.  There are four truths, because a
 * field may hold several values or none that may be read:
 *   FALSE, TRUE   every kept value says so
 *   TORN          the field is in conflict and its values disagree
 *   WITHHELD      a value that matters was withheld or erased
 * They combine as in Kleene's logic; where both unknowns meet, WITHHELD wins.
 */
#include "domain/doc.h"
#include "domain/kind.h"
#include "domain/param.h"
#include "domain/state.h"
#include "domain/when.h"

struct rules_fact; /* domain/rules.h */

enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_TORN, TRUTH_WITHHELD };

enum truth truth_not(enum truth a);
enum truth truth_and(enum truth a, enum truth b);
enum truth truth_or(enum truth a, enum truth b);

struct fact_table; /* domain/rules_priv.h */

/* How a fact comes of the rows of a table (docs/KINDS.md, section 3a). */
enum fact_take {
	TAKE_NOTHING, /* the caller gives it */
	TAKE_SUM,
	TAKE_EARLIER,
	TAKE_PEOPLE,
	TAKE_WITHIN,
	TAKE_SENT,
	TAKE_SEEN,
	TAKE_CALENDAR
};

/* A fact's name and type, as rule files declare them. */
struct cond_fact {
	const char *name, *zh, *en;
	enum kind_type type;
	enum fact_take take;
	const struct fact_table *table; /* NULL: of no table */
	const char *of; /* TAKE_PEOPLE: "field" or "LIST/field" of the taker */
};
enum { COND_FACTS_MAX = 32 };

/* What a condition may speak of. */
struct cond_scope {
	const struct kind *const *kinds; /* its paths must exist in each */
	size_t kind_count;
	const char *list; /* in the terms of this list's items, or NULL */
	const struct param *params;
	size_t param_count;
	const struct cond_fact *facts;
	size_t fact_count;
	uint32_t *facts_used; /* a bit for each that is named; or NULL */
};

/* Where a value is read: a field, "/field" from inside an item, "~fact",
 * "now", "happened" (the kind's field of that meaning), "$param" that names a
 * field. */
enum ref_sort {
	REF_SELF,
	REF_RECORD,
	REF_FACT,
	REF_NOW,
	REF_HAPPENED,
	REF_PARAM
};
struct ref {
	enum ref_sort sort;
	const char *text; /* without the mark */
	const struct param *param;
};

/* What is judged, and when. */
struct cond_view {
	const struct state *st;
	const struct kind *kind;
	struct bytes item; /* whose terms; empty: the record's */
	const struct rules_fact *facts;
	size_t fact_count;
	int64_t now_ms;
	int offset_min;
	int64_t next_ms; /* lowered to the next moment that may matter */
};

/* Read one condition from node n.  ST_INVALID: the doc's words say why. */
MUST_CHECK enum status cond_compile(const struct cond **out, struct doc *d,
    uint32_t n, const struct cond_scope *scope);

enum truth cond_judge(const struct cond *c, struct cond_view *v);
/* Has every field a value that it compares?  If not, TRUTH_FALSE may only mean
 * that nobody has said yet. */
bool cond_answered(const struct cond *c, const struct cond_view *v);

/* Types as a set, for ref_compile. */
#define TYPE_BIT(t) (UINT32_C(1) << (t))
#define TYPES_TIME (TYPE_BIT(KIND_DATE) | TYPE_BIT(KIND_DATETIME))
#define TYPES_NUM                                                              \
	(TYPE_BIT(KIND_INT) | TYPE_BIT(KIND_DECIMAL) | TYPE_BIT(KIND_MONEY) |  \
	    TYPE_BIT(KIND_DURATION))
#define TYPES_ANY UINT32_MAX

/* Read a reference from string node n and check it against the scope. */
MUST_CHECK enum status ref_compile(struct ref *out, struct doc *d, uint32_t n,
    const struct cond_scope *scope, uint32_t types);

/* The i-th value that stands there; false past the last. */
bool ref_value(const struct ref *r, const struct cond_view *v, size_t i,
    struct state_value *out);
/* The i-th value as a moment; *truth is TRUE, FALSE (nothing readable) or
 * WITHHELD. */
bool ref_when(const struct ref *r, const struct cond_view *v, size_t i,
    struct when *out, enum truth *truth);
/* The whole path that a reference to a field means; empty if none. */
struct bytes ref_path(
    const struct ref *r, const struct cond_view *v, uint8_t out[256]);

/* `act` names path, or something that path lies below. */
bool act_is_on(
    const struct state *st, const struct state_act *act, struct bytes path);
/* A sign entry in force, whose more.person is `who`, and whose digest was not
 * wrong when it was made. */
bool act_signs(
    const struct state *st, const struct state_act *act, struct bytes who);

#endif
