/* attach_film: what a recording says of itself, where who attached it said
 * nothing (docs/EVIDENCE.md, "Recordings attached by hand"). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/core/blobs.h"
#include "agent/core/desk_impl.h"

static bool
is_recording(const char *type)
{
	return strncmp(type, "video/", 6) == 0 ||
	       strncmp(type, "audio/", 6) == 0;
}

static bool
is_silent(const struct agent_about *b)
{
	return !b->has_ms || (b->taken == NULL && b->of == NULL);
}

/* When it was made is its own word; of a copy, when it was copied, so nothing
 * is said. */
static void
take_made(const struct agent *a, const struct film_told *told,
    struct agent_about *b, char taken[ATTACH_TAKEN_BYTES])
{
	int64_t ms;
	int offset;

	if (!told->has_made || b->taken != NULL || b->of != NULL ||
	    b->has_clock_off)
		return;
	at_format(taken, (uint64_t)told->made_ms, a->offset_min);
	if (at_parse(&ms, &offset, bytes_str(taken)) != ST_OK)
		return;
	b->taken = taken;
	b->taken_from_film = true;
}

enum status
attach_ask_film(const struct agent *a, int fd, const char *type,
    struct agent_about *b, char taken[ATTACH_TAKEN_BYTES])
{
	struct film_told *told;
	enum status st;

	/* What has a digest was read before, at a desk. */
	if (fd < 0 || a->film == NULL || b->digest != NULL ||
	    !is_recording(type) || !is_silent(b))
		return ST_OK;
	told = malloc(sizeof(*told));
	if (told == NULL)
		return ST_NOMEM;
	st = filmer_run(a->film, fd, false, told);
	if (st == ST_OK) {
		if (!b->has_ms && told->has_length &&
		    told->length_ms <= DESK_LENGTH_MAX_MS) {
			b->has_ms = true;
			b->ms = told->length_ms;
		}
		take_made(a, told, b, taken);
	}
	free(told);
	return st == ST_NOMEM ? st : ST_OK;
}
