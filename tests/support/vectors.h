#ifndef SUPPORT_VECTORS_H
#define SUPPORT_VECTORS_H
/*
 * vectors: a JSON file below tests/vectors, read whole.  Any failure ends the
 * test.
 */
#include "entry/json.h"

struct vectors {
	struct buf text;
	struct json j;
	struct buf scratch; /* of vectors_str: reset at each call */
};

void vectors_open(struct vectors *v, const char *name);
void vectors_open_path(struct vectors *v, const char *path);
void vectors_close(struct vectors *v);

/* A member that must be there. */
uint32_t vectors_get(const struct vectors *v, uint32_t n, const char *name);

/* A string member's text, unescaped; valid until the next call. */
struct bytes vectors_str(struct vectors *v, uint32_t n, const char *name);

/* A string member of hex, decoded onto `out`, which is reset. */
void vectors_hex(
    struct vectors *v, uint32_t n, const char *name, struct buf *out);

/* A string node's hex, decoded onto `out`, which is reset. */
void vectors_node_hex(const struct vectors *v, uint32_t n, struct buf *out);

#endif
