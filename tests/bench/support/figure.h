#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H
/*
 * figure: one line of JSON for each thing that was measured, always with the
 * same seven members, and the clocks and medians that all programs share.
 *
 *	{"name":…,"value":…,"unit":…,"baseline":…,"ratio":…,"target":…,"met":…}
 *
 * `baseline` is what the same work costs without us, in the same unit and the
 * same run; `ratio` is value / baseline; `target` says in words what is asked
 * for.  What does not apply is null.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A figure that nothing is asked of. */
void figure(const char *name, double value, const char *unit);

/* `most`: at most that much is asked for; figure_least: at least. */
void figure_most(const char *name, double value, const char *unit, double most);
void figure_least(
    const char *name, double value, const char *unit, double least);

/* Beside a baseline; target NULL: nothing is asked of it. */
void figure_vs(const char *name, double value, const char *unit,
    double baseline, const char *target, bool met);

/* Microseconds: of the wall, of this process's and of this thread's CPU. */
double wall_us(void);
double cpu_us(void);
double thread_us(void);

/* Sorts. */
double median(double *v, size_t count);

/* Is the word among the arguments?  ("--quick": see that it runs.) */
bool has_flag(int argc, char **argv, const char *flag);
/* The n-th argument, from 1, that is no flag, as a number; else `def`. */
uint64_t number_arg(int argc, char **argv, int n, uint64_t def);

/* This process's resident memory now, in bytes. */
uint64_t resident_bytes(void);

#endif
