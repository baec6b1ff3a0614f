/* contacts: when each device was last heard of, since the start. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/app/app_impl.h"

struct contacts {
	pthread_mutex_t lock;
	struct contact *slot; /* open addressing */
	size_t cap, used;
};

enum status
contacts_new(struct contacts **out)
{
	struct contacts *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ST_NOMEM;
	c->cap = 1024;
	c->slot = calloc(c->cap, sizeof(*c->slot));
	if (c->slot == NULL || pthread_mutex_init(&c->lock, NULL) != 0) {
		free(c->slot);
		free(c);
		return ST_NOMEM;
	}
	*out = c;
	return ST_OK;
}

void
contacts_free(struct contacts *c)
{
	if (c == NULL)
		return;
	(void)pthread_mutex_destroy(&c->lock);
	free(c->slot);
	free(c);
}

/* A dev is a digest: its letters are as good as a hash. */
static struct contact *
find(struct contacts *c, const char *dev)
{
	size_t h = 0;

	for (size_t i = 0; dev[i] != '\0'; i++)
		h = h * 33 + (unsigned char)dev[i];
	for (;; h++) {
		struct contact *s = &c->slot[h & (c->cap - 1)];

		if (s->dev[0] == '\0' || strcmp(s->dev, dev) == 0)
			return s;
	}
}

static bool
grow(struct contacts *c)
{
	struct contacts bigger = { .cap = c->cap * 2 };

	if (c->used * 2 < c->cap)
		return true;
	bigger.slot = calloc(bigger.cap, sizeof(*bigger.slot));
	if (bigger.slot == NULL)
		return c->used + 1 < c->cap;
	for (size_t i = 0; i < c->cap; i++) {
		if (c->slot[i].dev[0] != '\0')
			*find(&bigger, c->slot[i].dev) = c->slot[i];
	}
	free(c->slot);
	c->slot = bigger.slot;
	c->cap = bigger.cap;
	return true;
}

void
contacts_note(struct contacts *c, const char *dev, uint64_t now_ms,
    bool has_clock, uint64_t clock_ms)
{
	struct contact *s;

	(void)pthread_mutex_lock(&c->lock);
	if (grow(c)) {
		s = find(c, dev);
		if (s->dev[0] == '\0') {
			memcpy(s->dev, dev, strlen(dev) + 1);
			c->used++;
		}
		s->at_ms = now_ms;
		if (has_clock && clock_ms <= INT64_MAX) {
			s->has_clock = true;
			s->clock_offset_ms =
			    (int64_t)now_ms - (int64_t)clock_ms;
		}
	}
	(void)pthread_mutex_unlock(&c->lock);
}

void
contacts_of(struct contacts *c, const char *dev, struct contact *out)
{
	(void)pthread_mutex_lock(&c->lock);
	*out = *find(c, dev);
	(void)pthread_mutex_unlock(&c->lock);
}
