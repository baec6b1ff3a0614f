#ifndef SUPPORT_MERGE_ORACLE_H
#define SUPPORT_MERGE_ORACLE_H
/*
 * merge_oracle: the fold of docs/MERGE.md once more, by another road.
 *
 * It walks `after` for every question, looks at every entry for every path and
 * keeps nothing; it shares no line with common/entry/merge*.c.  Slow, and made
 * to be held beside the text.
 */
#include "entry/entry.h"

/* What an entry says of one path. */
struct oracle_claim {
	char sort;    /* 'f' field, 'i' item or act, 's' status, 'l' link */
	char *path;   /* owned */
	size_t index; /* of the name in `on` */
	bool out;     /* 'i' */
};

/* An entry that was read once, to be asked of often. */
struct oracle_entry {
	uint8_t id[ID_LEN];
	char hex[2 * ID_LEN + 1];
	struct buf raw; /* its own copy */
	struct entry e;
	bool malformed;
	struct oracle_claim *claim; /* owned */
	size_t claim_count;
};

void oracle_entry_read(
    struct oracle_entry *oe, const uint8_t id[ID_LEN], struct bytes raw);
void oracle_entry_free(struct oracle_entry *oe);

enum oracle_copy { COPY_BARE, COPY_BLIND, COPY_WHOLE };

/* One entry of a set; no id twice. */
struct oracle_in {
	const struct oracle_entry *of;
	enum oracle_copy copy;
	bool server;
};

/* The state bytes of a set, appended. */
void oracle_state(const struct oracle_in *in, size_t count, struct buf *out);

/* The skeleton of one set of parts, appended. */
void oracle_skeleton(const struct oracle_in *in, size_t count,
    struct bytes kind, const struct bytes *parts, size_t part_count,
    struct buf *out);

/* Numbers of `in`, in order (C3). */
void oracle_order(const struct oracle_in *in, size_t count, size_t *order);

/* in[a] knows in[b]. */
bool oracle_knows(const struct oracle_in *in, size_t count, size_t a, size_t b);

#endif
