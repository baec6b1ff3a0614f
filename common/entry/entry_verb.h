#ifndef ENTRY_ENTRY_VERB_H
#define ENTRY_ENTRY_VERB_H
/*
 * entry_verb: the table of verbs (docs/FORMAT.md, "Verbs"), for entry.c alone:
 * what may stand in `on`, what in `data`, and what a verb cannot do without.
 */
#include "entry/entry.h"

/*
 * The names of `on` are such as the verb allows, as many as it wants, and none
 * stands twice.  ST_INVALID with static words in *why; ST_NOMEM.
 */
MUST_CHECK enum status verb_check_on(
    enum verb v, const struct bytes *on, size_t count, const char **why);

/*
 * The values of `data` (an array of as many as `on`), `reason` and `more` are
 * such as the verb allows; 0 where a member is absent.  NULL, or static words.
 */
const char *verb_check_body(enum verb v, const struct json *body, uint32_t data,
    uint32_t reason, uint32_t more);

#endif
