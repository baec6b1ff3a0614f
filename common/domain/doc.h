#ifndef DOMAIN_DOC_H
#define DOMAIN_DOC_H
/*
 * doc: a data file (kind, rules) being read, and refused with file, line,
 * place and reason.
 *
 * Readers take a member by name from an object.  Texts are copied into the
 * pool.  Each gives ST_OK, ST_INVALID (the words say where and why) or
 * ST_NOMEM.  Names that nobody reads are refused too: a misspelt member must
 * not be silently without effect.
 */
#include "domain/pool.h"
#include "domain/words.h"
#include "entry/json.h"

struct doc {
	const char *name; /* of the file, borrowed */
	struct json j;
	struct pool *pool; /* borrowed */
	struct words *why; /* borrowed */
};

/* Read the file's JSON.  Close it always. */
MUST_CHECK enum status doc_open(struct doc *d, const char *name,
    struct bytes file, struct pool *pool, struct words *why);
void doc_close(struct doc *d);

/* Say why node n is refused; gives ST_INVALID. */
MUST_CHECK enum status doc_refuse(
    struct doc *d, uint32_t n, const char *zh, const char *en);
/* As doc_refuse, the text in question put behind the reason. */
MUST_CHECK enum status doc_refuse_text(struct doc *d, uint32_t n,
    const char *zh, const char *en, struct bytes text);

/* Node n is an object, and every name in it is one of `names` (NULL ends). */
MUST_CHECK enum status doc_only(
    struct doc *d, uint32_t n, const char *const *names);

/* A string of 1..max bytes; where the member is absent: `def`, or refused if
 * that is NULL. */
MUST_CHECK enum status doc_text(struct doc *d, uint32_t n, const char *name,
    size_t max, const char *def, const char **out);
MUST_CHECK enum status doc_bool(
    struct doc *d, uint32_t n, const char *name, bool *out);
/* An integer of lo..hi; unchanged where absent. */
MUST_CHECK enum status doc_int(struct doc *d, uint32_t n, const char *name,
    int64_t lo, int64_t hi, int64_t *out);
/* The member's node, of that type; 0 where absent. */
MUST_CHECK enum status doc_member(struct doc *d, uint32_t n, const char *name,
    enum json_type type, uint32_t *out);
/* An array of at most `max` strings, each not empty; none where absent. */
MUST_CHECK enum status doc_texts(struct doc *d, uint32_t n, const char *name,
    size_t max, const char *const **out, size_t *count);
/* A string node's text in the pool. */
MUST_CHECK enum status doc_string(
    struct doc *d, uint32_t n, size_t max, const char **out);

#endif
