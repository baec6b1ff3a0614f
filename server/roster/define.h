#ifndef SERVER_ROSTER_DEFINE_H
#define SERVER_ROSTER_DEFINE_H
/*
 * define: kinds, rules, forms and the court's parameters as the log has them,
 * and how new ones get in: proposed by one person, confirmed by another one
 * (docs/KINDS.md, section 7).
 *
 * A file is looked at by the loader itself, beside everything in force, before
 * it is logged and once more before it is confirmed: a bad one gets no entry.
 *
 * Threads: any; one lock inside.  What changes something waits for a commit.
 */
#include "defs/defs.h"
#include "server/core/centre.h"
#include "server/roster/roster.h"

struct define;

/* `c`, `r` borrowed. */
MUST_CHECK enum status define_open(
    struct define **out, struct centre *c, struct roster *r);
void define_close(struct define *d);

/* What holds by the log as it stands now; the caller's reference. */
MUST_CHECK enum status define_domain(struct define *d, struct domain **out);

/* All definitions in order of place; `fn` ends it with any result but
 * ST_OK. */
typedef enum status (*define_fn)(void *arg, const struct defs_info *info);
MUST_CHECK enum status define_each(struct define *d, define_fn fn, void *arg);

/*
 * Propose a file.  ST_DENIED (who may not) and ST_INVALID (the file) with
 * words; ST_CONFLICT with words: the same waits already, or is in force.
 */
MUST_CHECK enum status define_push(struct define *d, const char *name,
    struct bytes file, const char *by, uint8_t id[ID_LEN], struct words *why);

/*
 * Confirm or refuse what was proposed.  ST_ABSENT, ST_CONFLICT (it is decided
 * already), ST_DENIED (its proposer cannot confirm it, or who may not),
 * ST_INVALID (it no longer holds), all with words.
 */
MUST_CHECK enum status define_decide(struct define *d, const uint8_t id[ID_LEN],
    bool yes, const char *by, const char *reason, struct words *why);

#endif
