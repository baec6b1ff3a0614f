#include "bench/support/figure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NO, YES, UNASKED };

/* Three digits behind the point where they say something. */
static void
put_number(const char *name, double v)
{
	if (isnan(v))
		printf(",\"%s\":null", name);
	else if (fabs(v) >= 1000)
		printf(",\"%s\":%.0f", name, v);
	else
		printf(",\"%s\":%.3f", name, v);
}

static void
put(const char *name, double value, const char *unit, double baseline,
    const char *target, int met)
{
	printf("{\"name\":\"%s\"", name);
	put_number("value", value);
	printf(",\"unit\":\"%s\"", unit);
	put_number("baseline", baseline);
	put_number("ratio", baseline > 0 ? value / baseline : (double)NAN);
	if (target != NULL)
		printf(",\"target\":\"%s\",\"met\":%s}\n", target,
		    met == YES ? "true" : "false");
	else
		printf(",\"target\":null,\"met\":null}\n");
	(void)fflush(stdout);
}

void
figure(const char *name, double value, const char *unit)
{
	put(name, value, unit, (double)NAN, NULL, UNASKED);
}

void
figure_most(const char *name, double value, const char *unit, double most)
{
	char target[64];

	(void)snprintf(target, sizeof(target), "<= %g", most);
	put(name, value, unit, (double)NAN, target, value <= most ? YES : NO);
}

void
figure_least(const char *name, double value, const char *unit, double least)
{
	char target[64];

	(void)snprintf(target, sizeof(target), ">= %.0f", least);
	put(name, value, unit, (double)NAN, target, value >= least ? YES : NO);
}

void
figure_vs(const char *name, double value, const char *unit, double baseline,
    const char *target, bool met)
{
	put(name, value, unit, baseline, target, met ? YES : NO);
}

static double
clock_us(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

double
wall_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

double
cpu_us(void)
{
	return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

double
thread_us(void)
{
	return clock_us(CLOCK_THREAD_CPUTIME_ID);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double
median(double *v, size_t count)
{
	qsort(v, count, sizeof(*v), by_value);
	return v[count / 2];
}

bool
has_flag(int argc, char **argv, const char *flag)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], flag) == 0)
			return true;
	}
	return false;
}

uint64_t
number_arg(int argc, char **argv, int n, uint64_t def)
{
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-' && --n == 0)
			return strtoull(argv[i], NULL, 10);
	}
	return def;
}

uint64_t
resident_bytes(void)
{
	unsigned long pages = 0, all = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%lu %lu", &all, &pages) != 2)
		pages = 0;
	if (f != NULL)
		(void)fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
