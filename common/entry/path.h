#ifndef ENTRY_PATH_H
#define ENTRY_PATH_H
/*
 * path: how an entry names what it touches (docs/FORMAT.md, "Paths").
 *
 * Names `[a-z][a-z0-9_]{0,39}` joined by '/'; behind a list's name may stand
 * '@' and the 32 hex digits of the `add` that made an item.
 *   field or list   warrant/no   items   items/@ID/value
 *   item            items/@ID
 *   act             @ID
 *   ""              the whole record
 */
#include "base/bytes.h"

enum path_sort {
	PATH_BAD,
	PATH_WHOLE, /* "" */
	PATH_FIELD, /* a field or a list: ends in a name */
	PATH_ITEM,  /* ends in @ID, with a list before it */
	PATH_ACT,   /* @ID alone */
};

enum path_sort path_sort(struct bytes path);

/* A field path with no item in it, as an `add` names its item's fields. */
bool path_is_relative(struct bytes path);

bool path_is_word(struct bytes word); /* [a-z][a-z0-9_]{0,39} */
bool path_is_rec(struct bytes rec);   /* UUIDv7, lower case */
bool path_is_kind(struct bytes kind); /* name@[1-9][0-9]{0,5} */

/* `path` is `part` or lies below it; "" holds everything. */
bool path_within(struct bytes path, struct bytes part);

#endif
