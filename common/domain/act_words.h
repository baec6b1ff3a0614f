#ifndef DOMAIN_ACT_WORDS_H
#define DOMAIN_ACT_WORDS_H
/*
 * act_words: what was done, as people read it: Chinese first, English beside
 * it.  For histories on a handheld and for the auditor, who reads records of
 * kinds that this program may not know: whatever has no label is shown as it
 * stands.
 */
#include "domain/kind.h"
#include "entry/entry.h"
#include "entry/json.h"

/* "更正"; the verb's own name where it has no word.  Static. */
const char *act_verb_zh(enum verb v);

/* "拒绝签名 refused" of a sign's `how`; NULL for another.  Static. */
const char *act_how_words(const char *how);

/*
 * The label of what a path names, "搜查令号 Warrant number": a field, a field
 * of an item, a list, an item, a group; "全记录 the record" for "".  `k` NULL,
 * or nothing by that name: the path itself.
 */
void act_put_label(const struct kind *k, struct bytes path, struct buf *out);

/*
 * One line of what an act touches and says: `on`, `data` and `more` are nodes
 * of `j`, 0 where absent.  Values of fields are left out: they stand in the
 * record.  Text is given as it was written, control characters too: whoever
 * shows it on a terminal takes them out.
 */
void act_put_words(const struct kind *k, enum verb verb, const struct json *j,
    uint32_t on, uint32_t data, uint32_t more, struct buf *out);

#endif
