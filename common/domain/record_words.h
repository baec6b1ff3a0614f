#ifndef DOMAIN_RECORD_WORDS_H
#define DOMAIN_RECORD_WORDS_H
/*
 * record_words: a whole record as text for people, by its state bytes: every
 * field with all its values, items struck out, acts and signatures.
 */
#include "domain/kind.h"

/*
 * Append it, a line each, both languages, indented by four.  `kind` is
 * "search@1"; where `ks` is NULL or does not know it, paths stand for labels.
 * No control characters but line feeds come out.  ST_INVALID: not state bytes;
 * ST_NOMEM, ST_LIMIT.
 */
MUST_CHECK enum status record_put_words(const struct kinds *ks,
    const char *kind, struct bytes state, struct buf *out);

#endif
