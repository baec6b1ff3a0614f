#ifndef BASE_EMBED_H
#define BASE_EMBED_H
/*
 * embed: the data files that were built into the program (kinds, rules,
 * dictionaries), named by their path below common/.
 */
#include "base/bytes.h"

struct embedded_file {
	const char *name; /* such as "kinds/search.json"; NULL ends the table */
	struct bytes data; /* a NUL stands behind it, not counted */
};

extern const struct embedded_file embedded_files[];

/* The file of that name, or NULL. */
const struct embedded_file *embed_find(const char *name);

#endif
