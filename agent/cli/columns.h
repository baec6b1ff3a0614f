#ifndef AGENT_COLUMNS_H
#define AGENT_COLUMNS_H
/*
 * columns: text in columns on a terminal, where a Chinese character takes two.
 */
#include <stdio.h>

#include "base/buf.h"

/* Columns that UTF-8 text takes: 2 for East Asian wide and full-width
 * characters, 0 for combining marks, else 1. */
size_t columns_of(struct bytes text);

/* Text for a terminal: bytes below 0x20 and 0x7f, which could move the cursor
 * or colour the screen, shown as '?'. */
void columns_put(FILE *f, struct bytes text);

/* The same, padded with spaces to `width` columns; longer text is cut, and
 * ends in "…". */
void columns_pad(FILE *f, struct bytes text, size_t width);

#endif
