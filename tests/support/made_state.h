#ifndef SUPPORT_MADE_STATE_H
#define SUPPORT_MADE_STATE_H
/*
 * made_state: state bytes of a record, from a few lines of text, so that a
 * test of kinds and rules says what a record holds and nothing else.
 *
 *   path=JSON           a kept value; the same path again: a conflict
 *   path=withheld       a value whose body is withheld
 *   +list/#1            an item in force; -list/#1 struck out; ?list/#1
 * contested =word               the status ~word               a link to some
 * record (~word>05: to …8005) !verb path|- JSON|- JSON|-    an act: on, its
 * first datum, more;
 *                       verb:ok verb:stale … for a sign, verb:word for the
 *                       status an advance came from
 *   :void  :missing  :blind  :bare
 *
 * #1 .. #9 anywhere stand for '@' and an item's 32 hex digits.
 */
#include "base/buf.h"

/* Append the state bytes; fails the test on a bad line. */
void made_state(const char *kind, const char *spec, struct buf *out);

#endif
