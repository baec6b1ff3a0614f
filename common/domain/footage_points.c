/* footage_points: acts tied to a moment of a recording. */
#include <string.h>

#include "base/enc.h"
#include "domain/footage.h"
#include "entry/entry.h"

/* The attach that a note points into; NULL: none that stands here. */
static const struct state_act *
attach_of(const struct state *st, const struct state_act *note)
{
	uint32_t n =
	    json_get_typed(&st->tape, note->more, "attach", JSON_STRING);

	for (size_t i = 0; n != 0 && i < st->act_count; i++) {
		const struct state_act *a = &st->acts[i];

		if (bytes_eq_str(a->verb, "attach") &&
		    bytes_eq(a->id, json_raw(&st->tape, n)))
			return a;
	}
	return NULL;
}

static void
put_first(
    const struct state *st, const char *name, uint32_t array, struct buf *out)
{
	buf_printf(out, ",\"%s\":", name);
	if (array != 0 && st->tape.node[array].count > 0)
		json_canon(&st->tape, array + 1, out);
	else
		buf_str(out, "null");
}

static void
put_moment(const struct state *st, const struct state_act *film, int64_t at_ms,
    int offset_min, struct buf *out)
{
	uint32_t n = film->more == 0 ? 0
				     : json_get_typed(&st->tape, film->more,
					   "taken", JSON_STRING);
	int64_t taken;
	char at[32];
	int offset;

	buf_str(out, ",\"moment\":");
	if (n == 0 ||
	    at_parse(&taken, &offset, json_raw(&st->tape, n)) != ST_OK ||
	    taken + at_ms < 0) {
		buf_str(out, "null");
		return;
	}
	at_format(at, (uint64_t)(taken + at_ms), offset_min);
	json_put_str(out, at);
}

void
footage_points(const struct state *st, int offset_min, struct buf *out)
{
	bool any = false;

	buf_u8(out, '[');
	for (size_t i = 0; i < st->act_count; i++) {
		const struct state_act *note = &st->acts[i], *film;
		int64_t at_ms;

		if (!bytes_eq_str(note->verb, "note") ||
		    note->is == STATE_OUT || note->blind || note->more == 0)
			continue;
		at_ms = json_int(&st->tape, note->more, "at_ms", -1);
		film = at_ms < 0 ? NULL : attach_of(st, note);
		if (film == NULL)
			continue;
		buf_printf(out, "%s{\"at_ms\":%lld,\"attach\":", any ? "," : "",
		    (long long)at_ms);
		any = true;
		json_put_string(out, film->id);
		buf_str(out, ",\"by\":");
		json_put_string(out, note->by);
		buf_str(out, ",\"id\":");
		json_put_string(out, note->id);
		put_moment(st, film, at_ms, offset_min, out);
		put_first(st, "on", note->on, out);
		put_first(st, "sha256", film->data, out);
		put_first(st, "text", note->data, out);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
}
