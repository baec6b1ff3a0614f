#ifndef FUZZ_FUZZ_OWN_H
#define FUZZ_FUZZ_OWN_H
/*
 * fuzz_own: entries of the court's own chain out of any bytes, whole where the
 * format lets them be, so that what stands in them is looked at and not only
 * that a digest does not fit.
 *
 *	entry = verb ‖ record ‖ by ‖ count ‖ names, each ended by 0x01 ‖ data,
 *	        ended by 0x00
 *
 * A name "@." stands for "@" and the id of entry 0, "@/" of entry 1, and so on.
 */
#include <string.h>

#include "base/enc.h"
#include "entry/entry.h"
#include "fuzz/fuzz.h"

enum { OWN_NAMES = 12, OWN_ENTRIES = 64 };

struct own {
	const uint8_t *p;
	size_t left, count; /* entries so far */
	struct buf raw;
	struct entry e;
};

static inline void
own_id(uint8_t id[ID_LEN], size_t i)
{
	memset(id, 0x5a, ID_LEN);
	id[0] = (uint8_t)i;
}

static inline uint8_t
own_byte(struct own *o)
{
	if (o->left == 0)
		return 0;
	o->left--;
	return *o->p++;
}

/* Up to a byte, which is taken too. */
static inline struct bytes
own_until(struct own *o, int end)
{
	const uint8_t *q = o->left == 0 ? NULL : memchr(o->p, end, o->left);
	size_t len = q == NULL ? o->left : (size_t)(q - o->p);
	struct bytes b = { o->p, len };

	o->p += len + (q != NULL);
	o->left -= len + (q != NULL);
	return b;
}

/* The next one is in o->e, under the id of its number; false: no more. */
static inline bool
own_next(struct own *o, const char *kind, uint8_t id[ID_LEN])
{
	static const enum verb verbs[] = { DO_OPEN, DO_APPROVE, DO_ADD,
		DO_SET };
	static const char *const people[] = { "a", "b", "c", "daybreak" };
	static char at_id[OWN_NAMES][2 * ID_LEN + 2];

	while (o->left > 0 && o->count < OWN_ENTRIES) {
		struct bytes on[OWN_NAMES];
		char rec[REC_LEN + 1];
		uint8_t rnd[10] = { 1 }, ref[ID_LEN];
		struct entry_new n = { .court = "c",
			.seq = 2,
			.rec = rec,
			.kind = kind,
			.at = "2026-01-01T08:00:00+08:00",
			.wall = 1767225600000 + o->count,
			.on = on };
		const char *why = "";

		n.verb = verbs[own_byte(o) % 4];
		rnd[9] = own_byte(o) % 4;
		rec_new(rec, 1767225600000, rnd);
		n.by = people[own_byte(o) % 4];
		n.on_count = own_byte(o) % (OWN_NAMES + 1);
		for (size_t i = 0; i < n.on_count; i++) {
			on[i] = own_until(o, 0x01);
			if (on[i].len != 2 || on[i].p[0] != '@')
				continue;
			own_id(ref, (size_t)(on[i].p[1] - '.'));
			at_id[i][0] = '@';
			hex_encode(at_id[i] + 1, bytes_of(ref, ID_LEN));
			on[i] = bytes_str(at_id[i]);
		}
		n.data = own_until(o, 0x00);
		own_id(id, o->count++);
		buf_reset(&o->raw);
		if (entry_write(&n, &o->raw, &why) == ST_OK &&
		    entry_parse(&o->e, buf_view(&o->raw)) == ST_OK)
			return true;
	}
	return false;
}

static inline void
own_begin(struct own *o, const uint8_t *data, size_t size)
{
	memset(o, 0, sizeof(*o));
	o->p = data;
	o->left = size;
	buf_init(&o->raw, ENTRY_BYTES_MAX);
	entry_init(&o->e);
}

static inline void
own_end(struct own *o)
{
	buf_free(&o->raw);
	entry_free(&o->e);
}

#endif
