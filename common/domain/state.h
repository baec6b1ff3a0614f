#ifndef DOMAIN_STATE_H
#define DOMAIN_STATE_H
/*
 * state: a record's state bytes (MERGE.md, "State") opened for reading.
 *
 * The bytes are canonical, so paths stand in order and are found by halving.
 * Nothing is copied: the bytes must outlive the state.  Memory is kept from
 * read to read, so that one `struct state` serves a whole replay.
 */
#include "base/buf.h"
#include "entry/json.h"

enum state_is { STATE_IN, STATE_OUT, STATE_CONFLICT };
enum state_sign {
	STATE_NO_SIGN,
	STATE_SIGN_OK,
	STATE_SIGN_STALE,
	STATE_SIGN_MISMATCH,
	STATE_SIGN_UNKNOWN,
};

/* One kept value; `id` names the entry it came from. */
struct state_value {
	struct bytes id;   /* 32 hex */
	uint32_t node;     /* in struct state's tape */
	struct bytes json; /* JSON text of the scalar, or the withheld object */
	struct bytes text; /* of a string without escapes, else as `json` */
	bool null;         /* entered as empty */
	bool withheld;
};

struct state_field {
	struct bytes path;
	uint32_t node; /* [[id, value] …] */
	uint32_t count;
};

struct state_item {
	struct bytes path; /* items/@ID */
	struct bytes list; /* items */
	uint32_t n;        /* the number shown; 0: its `add` is missing */
	enum state_is is;
};

struct state_act {
	struct bytes id; /* 32 hex */
	uint32_t node;   /* the act's object */
	struct bytes verb, by, at;
	uint32_t on, data, more; /* nodes; 0 where absent or null */
	enum state_is is;
	enum state_sign sign;
	bool blind; /* withheld or erased */
};

struct state {
	struct json tape;
	struct state_field *fields; /* by path */
	size_t field_count, field_cap;
	struct state_item *items; /* by path */
	size_t item_count, item_cap;
	struct state_act *acts; /* by id */
	size_t act_count, act_cap;
	uint32_t kinds, status, links, bare, blind, missing; /* nodes */
	struct bytes rec;
	bool is_void;
};

void state_init(struct state *st);
void state_free(struct state *st);

/* ST_INVALID: not state bytes; ST_NOMEM. */
MUST_CHECK enum status state_read(struct state *st, struct bytes bytes);

/* NULL if nothing was ever written there. */
const struct state_field *state_field(
    const struct state *st, struct bytes path);
/* The i-th kept value of a field, the one shown first at 0; false past the
 * last. */
bool state_value(const struct state *st, const struct state_field *f, size_t i,
    struct state_value *out);
/* The value shown first; false if there is none, or it is null. */
bool state_first(
    const struct state *st, struct bytes path, struct state_value *out);
/* NULL if there is no such item. */
const struct state_item *state_item(const struct state *st, struct bytes path);
/* Where the items of a list begin and end among st->items.  Items of lists
 * inside these items stand between them: their `list` is another. */
void state_items(
    const struct state *st, struct bytes list, size_t *first, size_t *end);
/* The status shown first; "" before the first `advance`. */
struct bytes state_status(const struct state *st);

#endif
