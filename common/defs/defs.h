#ifndef DEFS_DEFS_H
#define DEFS_DEFS_H
/*
 * defs: kinds, rules, forms and a court's parameters as the log says
 * (docs/KINDS.md, section 7): those that were built in, and on top of them the
 * definitions that one person proposed and another one confirmed.
 *
 * A pure function of the definition entries of the court's own chains, in order
 * of place: whoever holds the same entries, handheld or centre, has the same
 * kinds and rules.  What is confirmed and cannot be read (this program is older
 * than the file) is left out and said, never a reason to stop.
 *
 * Threads: a `struct defs` has one owner.  A `struct domain` is never changed
 * once it is made: any thread may read it while it holds a reference.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "domain/kind.h"
#include "domain/rules.h"
#include "form/form.h"

struct entry; /* entry/entry.h */
struct defs;  /* private: what the log says */

/* The kind of the log's own records that say it. */
#define DEFS_KIND "definition@1"

enum {
	DEFS_FILE_MAX = 256 << 10, /* bytes of a file */
	DEFS_PART_MAX = 24000,     /* of it in one entry */
	DEFS_NAME_MAX = 120,
	DEFS_COUNT_MAX = 1000 /* confirmed ones that a court may have */
};

enum defs_sort { DEFS_KINDS, DEFS_RULES, DEFS_FORMS, DEFS_COURT };
/* "kind", "rules", "form", "court"; static. */
const char *defs_sort_name(enum defs_sort s);
/* What a file is, by its members.  ST_INVALID with words. */
MUST_CHECK enum status defs_sort_of(enum defs_sort *out, const char *name,
    struct bytes file, struct words *why);

/* ---- what holds at one time */

struct domain {
	struct kinds *kinds;
	struct rules *rules;
	struct forms *forms;
	unsigned refs; /* private */
};
/* One more reference; and one less, which frees after the last.  NULL does
 * nothing. */
struct domain *domain_ref(struct domain *d);
void domain_unref(struct domain *d);
/* What was built in alone, with one reference. */
MUST_CHECK enum status domain_builtin(struct domain **out);

/* ---- what the log says */

enum defs_state {
	DEFS_PENDING,   /* proposed: waits for a second person */
	DEFS_CONFIRMED, /* in force */
	DEFS_REFUSED,   /* by a person */
	DEFS_UNREADABLE /* confirmed, and this program cannot take it */
};
const char *defs_state_name(enum defs_state s);

/* One definition as it is listed; borrowed until the next call on the set. */
struct defs_info {
	enum defs_state state;
	const char *sort; /* "kind" … */
	const char *name; /* of the file, as it was pushed */
	const char *rec;
	uint8_t id[ID_LEN];   /* of its proposal, by which it is confirmed */
	uint8_t head[ID_LEN]; /* the record's latest entry */
	uint64_t place;       /* of the proposal */
	const char *by, *decided_by;
	int64_t since_ms;  /* when it was confirmed, by the centre's clock */
	struct bytes file; /* whole; empty where parts are missing */
	struct words why;  /* of one that is unreadable */
};

MUST_CHECK enum status defs_new(struct defs **out);
void defs_free(struct defs *d);

/*
 * Take an entry of kind DEFS_KIND, of a chain of the court's own, in order of
 * place; anything else, and what makes no sense, is passed over.  *changed
 * (may be NULL): something came into force.  ST_NOMEM, ST_LIMIT.
 */
MUST_CHECK enum status defs_take(struct defs *d, const struct entry *e,
    const uint8_t id[ID_LEN], uint64_t place, bool *changed);

size_t defs_count(const struct defs *d);
void defs_info(const struct defs *d, size_t i, struct defs_info *out);
/* By the id of the proposal; ST_ABSENT. */
MUST_CHECK enum status defs_find(
    const struct defs *d, const uint8_t id[ID_LEN], size_t *i);

/* What holds by all that was taken; the caller's reference. */
MUST_CHECK enum status defs_domain(struct defs *d, struct domain **out);

/*
 * Would it hold together with everything confirmed, if it were confirmed at
 * `since_ms`?  ST_INVALID with words: the file is bad, loosens a statute, or
 * something that is in force could not be read beside it.
 */
MUST_CHECK enum status defs_try(struct defs *d, enum defs_sort sort,
    const char *name, struct bytes file, int64_t since_ms, struct words *why);

#endif
