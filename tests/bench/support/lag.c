#include "bench/support/lag.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/support/centre_proc.h"
#include "bench/support/figure.h"
#include "support/expect.h"

enum { SAMPLE_MS = 20, SAMPLES_MAX = 100000 };

static struct {
	pthread_t thread;
	_Atomic bool stop;
	struct sample {
		double at_us, size, position, fed, words;
	} sample[SAMPLES_MAX];
	size_t count;
} lag;

static double
metric(const struct buf *b, const char *name)
{
	const char *at = memmem(b->p, b->len, name, strlen(name));

	EXPECT(at != NULL);
	return strtod(at + strlen(name), NULL);
}

static void *
watch(void *arg)
{
	char ask[128];
	struct http_client *c = arg;
	struct timespec pause = { .tv_nsec = SAMPLE_MS * 1000000L };

	(void)snprintf(ask, sizeof(ask),
	    "GET /metrics HTTP/1.1\r\nHost: a\r\n"
	    "Authorization: Bearer %s\r\n\r\n",
	    bench_token);
	while (!lag.stop && lag.count < SAMPLES_MAX) {
		struct sample *s = &lag.sample[lag.count++];
		struct http_answer a;

		EXPECT(http_client_text(c, ask));
		http_client_answer(c, &a, false);
		EXPECT(a.status == 200);
		s->at_us = wall_us();
		s->size = metric(&a.body, "\ndaybreak_log_size ");
		s->position =
		    s->size - metric(&a.body, "\ndaybreak_projection_lag ");
		s->fed = s->size - metric(&a.body, "\ndaybreak_feed_lag ");
		s->words = metric(&a.body, "\ndaybreak_words_waiting ");
		http_answer_free(&a);
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

void
lag_start(struct http_client *console)
{
	EXPECT(pthread_create(&lag.thread, NULL, watch, console) == 0);
}

void
lag_stop(void)
{
	lag.stop = true;
	(void)pthread_join(lag.thread, NULL);
}

size_t
lag_now(void)
{
	return lag.count;
}

double
lag_longest_us(size_t from, bool feed)
{
	double most = 0;

	for (size_t i = from, j = from; i < lag.count; i++) {
		const struct sample *s = &lag.sample[i];
		double position = feed ? s->fed : s->position;

		while (j < i && lag.sample[j].size <= position)
			j++;
		if (s->size > position && s->at_us - lag.sample[j].at_us > most)
			most = s->at_us - lag.sample[j].at_us;
	}
	return most;
}

void
lag_wait(double *lists_us, double *words_us)
{
	struct timespec pause = { .tv_nsec = SAMPLE_MS * 1000000L };
	double begun = wall_us();
	size_t from = lag.count;

	*lists_us = 0;
	for (;;) {
		size_t n = lag.count;
		const struct sample *s = &lag.sample[n < 2 ? 0 : n - 2];

		(void)nanosleep(&pause, NULL);
		if (n < from + 3 || s->position < s->size)
			continue;
		if (*lists_us == 0)
			*lists_us = wall_us() - begun;
		*words_us = wall_us() - begun;
		if (s->words == 0)
			return;
	}
}
