#ifndef SUPPORT_WIRE_DUMP_H
#define SUPPORT_WIRE_DUMP_H
/*
 * wire_dump: a decoded message as text, a line a field, so that a container
 * kept as a vector says beside it what it says.
 */
#include "wire/sync.h"

/* Pieces must be open. */
void wire_dump_up(const struct sync_up *up, struct buf *out);
void wire_dump_down(const struct sync_down *down, struct buf *out);

#endif
