#ifndef DOMAIN_KIND_PRIV_H
#define DOMAIN_KIND_PRIV_H
/*
 * kind_priv: what the files of kind share.
 */
#include "domain/pool.h"
#include "domain/kind.h"
#include "entry/json.h"

enum kind_is { KIND_GOOD, KIND_DOUBTFUL, KIND_BAD };

/* Node n of j as a value for a field.  `scratch` is used for escaped text;
 * words only where the value is not good, and only if `why` is given. */
enum kind_is kind_judge_node(const struct kind_field *f, const struct json *j,
    uint32_t n, struct buf *scratch, struct words *why);

/* A kind in a set, with what it owns. */
struct kind_held {
	struct kind kind; /* what the callers see */
	struct pool pool;
	/* The same as in kind, while they are still being filled. */
	struct kind_field *fields;
	struct kind_list *lists;
	struct kind_field **list_fields;
	/* Fields in order of path, to be found by halving: the record's, and
	 * those of each list in the order of kind.lists. */
	const struct kind_field **sorted;
	const struct kind_field ***list_sorted;
};

/* Read a kind file into *held, whose pool is the caller's to free, whatever
 * comes back.  ST_INVALID with words, ST_NOMEM. */
MUST_CHECK enum status kind_read(struct kind_held *held, const char *name,
    struct bytes file, struct words *why);

/* The parts of a kind, as kind_read's files share them. */
struct doc;
MUST_CHECK enum status kind_read_parts(struct doc *d, struct kind_held *h);
/* The condition that is member "when" of node n, in the terms of `list`'s items
 * or the record's (NULL); *out is left alone where there is none. */
struct cond;
MUST_CHECK enum status kind_read_when(struct doc *d, uint32_t n,
    const struct kind *k, const char *list, const struct cond **out);
/* Conditions of fields and lists, and what names fields: label, happened,
 * references. */
MUST_CHECK enum status kind_read_uses(struct doc *d, struct kind_held *h);
/* Some field, list or group of the record lies at or below `part`. */
bool kind_has_part(const struct kind *k, struct bytes part);

#endif
