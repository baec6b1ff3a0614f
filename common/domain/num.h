#ifndef DOMAIN_NUM_H
#define DOMAIN_NUM_H
/*
 * num: numbers for judging, as integers of ten-thousandths.
 *
 * Money has two decimals and counts none beyond four matter to a rule, so no
 * floating point is needed.  What is too large stays at the largest: good
 * enough to say that it is over a limit.
 */
#include "base/bytes.h"

#define NUM_ONE INT64_C(10000)
#define NUM_MAX INT64_C(9000000000000000000)

/* A JSON integer's text, or a decimal (quotes left out); false if neither. */
bool num_read(int64_t *out, struct bytes text);
int64_t num_add(int64_t a, int64_t b);
/* a * percent / 100, `percent` itself in ten-thousandths. */
int64_t num_percent(int64_t a, int64_t percent);
/* Shortest decimal. */
void num_show(char out[32], int64_t v);

enum num_op { NUM_LT, NUM_LE, NUM_EQ, NUM_NE, NUM_GE, NUM_GT };
/* "<" "<=" "=" "!=" ">=" ">"; false for anything else. */
bool num_op_read(enum num_op *out, struct bytes text);
/* c: as of memcmp. */
bool num_op_holds(enum num_op op, int c);

#endif
