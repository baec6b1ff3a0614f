#ifndef BENCH_LAG_H
#define BENCH_LAG_H
/*
 * lag: how far what follows the log is behind it, as the server's own metrics
 * say: asked for on a thread of its own, 50 times a second.  One at a time in
 * a process.
 */
#include <stdbool.h>
#include <stddef.h>

#include "support/http_client.h"

/* Ask on that connection from now on; it is the thread's until lag_stop. */
void lag_start(struct http_client *console);
void lag_stop(void);

/* How many samples there are: a mark for lag_longest_us. */
size_t lag_now(void);

/* The longest that an entry waited among the samples from the i-th on: from
 * when the log was first seen longer than a position to when what follows it
 * still stood there.  `feed`: the feed's position, else that of the lists. */
double lag_longest_us(size_t from, bool feed);

/* Wait until the lists have followed all, and the words are indexed; what that
 * took. */
void lag_wait(double *lists_us, double *words_us);

#endif
