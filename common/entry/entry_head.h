#ifndef ENTRY_ENTRY_HEAD_H
#define ENTRY_ENTRY_HEAD_H
/*
 * entry_head: reading the head line of an entry, for entry.c alone.
 */
#include "entry/entry.h"

/*
 * Read e->head_line into the other members of `e`, which are empty.  ST_OK,
 * with e->why where the head is malformed; ST_NOMEM.
 */
MUST_CHECK enum status entry_read_head(struct entry *e);

#endif
