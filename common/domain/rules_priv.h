#ifndef DOMAIN_RULES_PRIV_H
#define DOMAIN_RULES_PRIV_H
/*
 * rules_priv: what the files of rules share.
 */
#include "domain/cond.h"
#include "domain/doc.h"
#include "domain/param.h"
#include "domain/rules.h"

enum {
	RULE_REFS_MAX = 4,
	RULE_STAGES_MAX = 6,
	RULE_LAWS_MAX = 8,
	RULE_KINDS_MAX = 60,
};

/* What a rule looks through: the record, each item in force of a list, or one
 * of the fixed sets that are not fields ("@conflict" …). */
#define RULE_SETS(X)                                                           \
	X(CONFLICT, "@conflict") /* fields, items, acts, status, links */      \
	X(STALE, "@stale")       /* signatures: what was signed has changed */ \
	X(MISMATCH, "@mismatch") /* signatures: over other bytes */            \
	X(UNSIGNED, "@unsigned") /* who must sign and has no sign entry */     \
	X(REQUIRED, "@required") /* required and not there */                  \
	X(VALUE, "@value")       /* values malformed or doubtful */            \
	X(STRAY, "@stray")       /* paths that the kind does not have */       \
	X(STEP, "@step")         /* steps that the status graph lacks */       \
	X(REOPENED, "@reopened") /* a second open */                           \
	X(KIND, "@kind")         /* entries that state another kind */         \
	X(AFTER_VOID, "@after_void")                                           \
	X(LOST, "@lost")         /* attachments whose bytes are lost */        \
	X(CLOSING, "@closing")   /* closing a finding, by who may not */       \
	X(LATE, "@late")         /* written long after it happened: one */     \
	X(CLOCK, "@clock")       /* clock in doubt: one */                     \
	X(UNFILMED, "@unfilmed") /* an act of which there is no film: one */   \
	X(FILM_GAP, "@film_gap") /* times within it that were not: one */      \
	X(MISSING, "@missing")   /* entries that are not here yet: one */      \
	X(BLIND, "@blind")       /* bodies withheld, erased or wrong: one */   \
	X(BARE, "@bare")         /* malformed or held entries: one */

enum rule_over {
	OVER_RECORD,
	OVER_LIST,
#define RULE_SET_ENUM(name, text) OVER_##name,
	RULE_SETS(RULE_SET_ENUM)
#undef RULE_SET_ENUM
	    OVER_COUNT
};

struct law {
	const char *key, *zh, *en;
};

struct rule_law {
	const struct law *law;
	const char *article;
	int64_t from, to; /* days; the text in force then */
};

/* A length of time, written out or a parameter. */
struct rule_span {
	struct span span;
	const struct param *param;
};

struct rule_timer {
	struct ref from[RULE_REFS_MAX]; /* the first that stands counts */
	size_t from_count;
	struct rule_span within;
	struct ref done[RULE_REFS_MAX];
	size_t done_count;
	const struct cond *stop; /* no longer runs; NULL: only `done` ends it */
	bool has_early;
	struct rule_span early; /* shown only so long before it is due */
	struct span stages[RULE_STAGES_MAX]; /* before due, or after `from` */
	size_t stage_count;
	bool stages_after; /* counted from `from` */
};

/* Between which fields an act of that kind is to be filmed (footage.h). */
struct rule_film {
	const char *kind, *from, *until;
};

enum { FACT_FIELDS_MAX = 4 };

/* What records of some kinds give to others of their case. */
struct fact_table {
	const char *name;
	uint8_t sha256[32];       /* of its text */
	const char *const *kinds; /* names */
	size_t kind_count;
	const char *list, *sum; /* NULL: no amount */
	const struct cond *where;
	const char *case_path; /* NULL: the set's */
	bool all, people;
	const char *to;          /* whom it is addressed to; NULL: nobody */
	const char *const *seen; /* steps that say that a person has it */
	size_t seen_count;       /* 0: no steps count */
	const char *ended; /* the centre's step that ends it; "" for none */
	struct ref person[FACT_FIELDS_MAX], unless[FACT_FIELDS_MAX];
	size_t person_count, unless_count;
	bool has_window;
	struct ref from, until;
};

/* Days off and days worked, both included. */
struct calendar_days {
	int64_t from, to;
	bool off;
};
struct calendar {
	struct calendar_days *days; /* owned */
	size_t count, cap;
	int *years; /* owned; those that a notice was given for */
	size_t year_count, year_cap;
};

struct rule {
	const char *id, *zh, *en, *mark;
	uint32_t version;
	enum rules_severity severity;
	bool local, on;
	const char *const *kinds; /* names; none: every kind of the field */
	size_t kind_count;
	struct rule_law laws[RULE_LAWS_MAX];
	size_t law_count;
	int64_t from, to; /* days, both included */
	const char *from_text, *to_text;
	struct param *params;
	size_t param_count;
	enum rule_over over;
	const char *list; /* OVER_LIST */
	const char *at;   /* what the finding is about, in the same terms */
	const struct cond *when, *must;
	bool has_timer;
	struct rule_timer timer;
	struct rule_film *films; /* of the sets over film */
	size_t film_count;
	const char *say_zh, *say_en;
	const char *due_zh, *due_en; /* while a timer runs; "" if no timer */
	uint32_t facts;              /* that it asks for, as bits */
	uint8_t sha256[32];          /* of its text in the file */
	uint8_t shape[32]; /* of what decides in it, parameters aside */
	int64_t since_ms;  /* acts before are not judged by it; INT64_MIN */
	const struct rule *next; /* takes its place once in force, or NULL */
	char *params_json;       /* in use; owned by the set */
};

struct rule_file {
	struct pool pool; /* of everything its rules, laws and facts say */
	struct rule *rules;
	size_t rule_count;
	struct rule_file *next;
};

struct rules {
	struct rule_file *files; /* owned */
	struct rule **list;      /* by id, then from */
	size_t count;
	struct law *laws; /* owned, of fixed size: rules point into it */
	size_t law_count;
	struct cond_fact *facts; /* likewise */
	size_t fact_count;
	struct fact_table *tables; /* owned, of fixed size */
	size_t table_count;
	const char *case_path;    /* "case_no"; "" if no file says */
	uint8_t facts_sha256[32]; /* over the texts of tables and facts */
	uint8_t told_sha256[32];  /* and holidays: all that decides of facts */
	struct calendar holidays, local; /* the notices; the court's own days */
	bool weekends;
	struct pool court;  /* texts of the court's parameters */
	int64_t court_from; /* the day they name; INT64_MIN: none */
	/* What judged before, and until when; owned; NULL: nothing else did. */
	struct rules *before;
	int64_t since_ms;
	char version[65];
	struct words why;
};

/*
 * Read a rule file: its laws and facts go into the set at once, its rules into
 * f->rules if `all`.  The caller takes laws and facts back if this or what
 * follows fails.
 */
MUST_CHECK enum status rule_file_read(struct rule_file *f, struct rules *rs,
    const struct kinds *ks, const char *name, struct bytes file, bool all);
MUST_CHECK enum status rules_read_laws(struct rules *rs, struct doc *d);
/* After its parameters were set: as a finding keeps them … */
MUST_CHECK enum status rule_write_params(struct rule *r);
/* … and after anything in the set was. */
MUST_CHECK enum status rules_write_version(struct rules *rs);
/* rules_next.c: may `r` follow `old`, an earlier version of it?  Words if not.
 */
MUST_CHECK enum status rule_may_follow(struct rules *rs, const struct rule *old,
    const struct rule *r, const char *name);
/* Which set judges an act of that day and moment. */
const struct rules *rules_of_time(
    const struct rules *rs, int64_t day, int64_t ms);
/* Neither too early nor too late for it, and none that follows is in force. */
bool rule_in_force(const struct rule *r, int64_t day, int64_t ms);
const struct law *law_find(const struct rules *rs, const char *key);
/* The rule is for this kind. */
bool rule_is_for(const struct rule *r, const struct kind *k);

/* All that decides what facts come to is part of the rules' version: a table's
 * or fact's text that was taken. */
void rules_mix(struct rules *rs, struct bytes text);
/* Tables of a file (facts_read.c). */
MUST_CHECK enum status rules_read_tables(
    struct rules *rs, const struct kinds *ks, struct doc *d);
/* "from", "take", "of" of a fact at object n. */
MUST_CHECK enum status rules_read_take(
    struct rules *rs, struct doc *d, uint32_t n, struct cond_fact *f);

/* ---- film (footage.c) */

/* `film` of the rule at object n, whose kinds these are. */
MUST_CHECK enum status rule_read_film(
    struct doc *d, uint32_t n, const struct kind *const *kinds, struct rule *r);

/* ---- holidays (calendar.c) */

/* The notices of a file; the court's own days at node n (0: none, and what an
 * earlier file of the court said is undone). */
MUST_CHECK enum status rules_read_calendar(struct rules *rs, struct doc *d);
MUST_CHECK enum status rules_court_calendar(
    struct rules *rs, struct doc *d, uint32_t n, bool really);
void calendar_free(struct calendar *c);
/* 1 a holiday, 0 none, -1 not known. */
int rules_holiday(const struct rules *rs, int64_t day);

/* ---- while checking one record */

struct check {
	struct findings *out;
	const struct rules *rs;
	const struct kind *kind;
	const struct state *st;
	const struct rules_context *cx;
	struct cond_view view;
	int64_t day; /* when it happened: whose rules apply */
	int64_t ms;  /* … to the moment, as far as it is known */
	struct buf scratch;
};

/* What one finding says beside its rule. */
struct found {
	struct bytes path;
	bool doubt, pending, has_due, running, clock;
	int64_t now_ms; /* when a timer was judged */
	int64_t due_ms;
	const struct when *since; /* where a timer began; may be NULL */
	uint32_t stage;
	const char *what_zh, *what_en; /* "" if nothing */
	size_t count;
};

MUST_CHECK enum status check_add(
    struct check *c, const struct rule *r, const struct found *f);
/* One of the fixed sets. */
MUST_CHECK enum status check_set(struct check *c, const struct rule *r);
/* Sets over entries and over what the state says of whole entries. */
MUST_CHECK enum status check_entries(struct check *c, const struct rule *r);

/* Sets over film. */
MUST_CHECK enum status check_footage(struct check *c, const struct rule *r);

/* A path in words: 清单第3项 · 价值.  `out` is a buffer of its own. */
void check_path_words(
    const struct check *c, struct bytes path, bool zh, struct buf *out);

/* Whether a template's {names} can all be filled. */
MUST_CHECK enum status rule_template_ok(struct doc *d, uint32_t n,
    const struct rule *r, const struct cond_scope *scope, const char *text);

#endif
