#ifndef ENTRY_ENTRY_H
#define ENTRY_ENTRY_H
/*
 * entry: one act, written once: `head LF body`, two lines of I-JSON.
 *
 * The bytes as first written are the entry.  They are hashed, stored and sent
 * as they are and never written again from their meaning.  This module reads
 * them (every check of docs/FORMAT.md, A and B) and writes new ones.
 *
 * Results of reading, which the caller must tell apart:
 *   whole      head and body are right
 *   blind      the head is right; the body is absent, erased, too long, does
 *              not hash to head.body, or breaks a rule: its values are unknown
 *   malformed  the head breaks a rule (ST_INVALID): it keeps its place in
 *              chain and log, gives causality if it can be read that far,
 *              and has no effect
 * Whether an entry is malformed depends on its head line alone: a withheld or
 * damaged body never changes it.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "entry/json.h"
#include "entry/path.h"

#define ENTRY_VERBS(X)                                                         \
	X(OPEN, "open")                                                        \
	X(SET, "set")                                                          \
	X(AMEND, "amend")                                                      \
	X(ADD, "add")                                                          \
	X(DROP, "drop")                                                        \
	X(KEEP, "keep")                                                        \
	X(ADVANCE, "advance")                                                  \
	X(LINK, "link")                                                        \
	X(SIGN, "sign")                                                        \
	X(ATTACH, "attach")                                                    \
	X(NOTE, "note")                                                        \
	X(APPROVE, "approve")                                                  \
	X(RELEASE, "release")                                                  \
	X(VOID, "void")                                                        \
	X(PRINT, "print")                                                      \
	X(HOLD, "hold")                                                        \
	X(ADMIT, "admit")

enum verb {
	DO_NONE,
#define ENTRY_VERB_ENUM(name, text) DO_##name,
	ENTRY_VERBS(ENTRY_VERB_ENUM)
#undef ENTRY_VERB_ENUM
	    DO_COUNT
};

const char *verb_name(enum verb v);   /* static; "" for DO_NONE */
enum verb verb_of(struct bytes name); /* DO_NONE for what is no verb */
bool verb_needs_reason(enum verb v);  /* a body without one is blind */

enum entry_body {
	ENTRY_BODY_WHOLE,
	ENTRY_BODY_BLIND,
};

/*
 * A read entry.  All ranges borrow from the entry's bytes, or from `text`
 * where a string had escapes; both must outlive the use.
 */
struct entry {
	struct bytes raw;       /* head, LF, body; or the head alone */
	struct bytes head_line; /* up to the first LF */
	struct bytes body_line; /* behind it; empty where absent */

	uint64_t v; /* as stated, 0 where unreadable; more than 1 is malformed
		       to us, and made by a newer version */
	/* rec, wall and after were read: the entry gives causality.  Always
	 * so where it is not malformed. */
	bool causal;
	struct bytes court, kind, by, at, rec; /* unescaped */
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	enum verb verb;
	uint64_t wall, mono;
	uint8_t boot[BOOT_LEN];
	uint8_t body_hash[HASH_LEN];

	struct bytes *on; /* owned; unescaped paths, words or ids */
	size_t on_count, on_cap;
	uint8_t (*after)[ID_LEN]; /* owned; sorted */
	size_t after_count, after_cap;

	bool has_seen;
	uint64_t seen_size;
	uint8_t seen_root[ID_LEN];

	char dev[DEV_LEN + 1]; /* "" but at seq 1 */
	bool has_old;
	uint8_t old_chain[CHAIN_LEN];
	uint64_t old_seq;
	uint8_t old_link[HASH_LEN];

	enum entry_body body_is;
	const char *body_why; /* static words for blind, or NULL */
	/* Body nodes, valid where ENTRY_BODY_WHOLE; 0 where absent. */
	struct json head, body;
	uint32_t data, reason, more;
	struct buf text; /* unescaped strings */

	const char *why; /* static words for the last refusal */
};

void entry_init(struct entry *e);
void entry_free(struct entry *e);

/*
 * Read an entry's bytes: two lines, or the head line alone (then blind).
 * Memory is kept from call to call.  ST_INVALID with e->why: malformed; then
 * the lines, v, chain, seq, rec, wall and after stand where they could be read
 * (e->verb == DO_NONE and zeroes else).  ST_NOMEM: nothing but raw stands.
 */
MUST_CHECK enum status entry_parse(struct entry *e, struct bytes raw);

/* The same of the head line alone, whatever stands behind it: blind, for half
 * the price. */
MUST_CHECK enum status entry_parse_head(struct entry *e, struct bytes raw);

/*
 * Only which record an entry is of, and what it does there: *rec borrows from
 * raw or from e, empty if it cannot be read; *verb DO_NONE then or if it is
 * malformed.  `sound`: these bytes were read before and were not malformed, so
 * that nothing has to be checked again and, nearly always, nothing parsed.
 * ST_NOMEM.
 */
MUST_CHECK enum status entry_glance(struct entry *e, struct bytes raw,
    bool sound, struct bytes *rec, enum verb *verb);

/* The i-th value of data: node in e->body.  Only where whole, i < on_count. */
uint32_t entry_value(const struct entry *e, size_t i);

/* SHA-256 of the bytes before the first LF, or of all of them. */
void entry_digest(uint8_t out[HASH_LEN], struct bytes raw);

/*
 * Writing.  `data` and `more` are JSON text without white space (data: an array
 * of scalars as long as `on`; more: an object or empty); `reason` is plain text
 * or empty, escaped here.  Members stand in the order of A6; the body's are
 * salt, data, reason, more.  The result is read by entry_parse before it is
 * returned: what we write we can read.
 */
struct entry_new {
	const char *court;
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	const char *rec, *kind, *by, *at;
	enum verb verb;
	const struct bytes *on;
	size_t on_count;
	uint64_t wall, mono;
	uint8_t boot[BOOT_LEN];
	const uint8_t (*after)[ID_LEN]; /* sorted here */
	size_t after_count;
	bool has_seen;
	uint64_t seen_size;
	uint8_t seen_root[ID_LEN];
	const char *dev; /* at seq 1, else NULL */
	bool has_old;
	uint8_t old_chain[CHAIN_LEN];
	uint64_t old_seq;
	uint8_t old_link[HASH_LEN];
	uint8_t salt[SALT_LEN];
	struct bytes data, reason, more;
};

/*
 * Append the entry to `out`, which is left as it was on failure: ST_INVALID
 * with static words in *why, ST_LIMIT when over ENTRY_BYTES_MAX or the ceiling
 * of `out`, ST_NOMEM.
 */
MUST_CHECK enum status entry_write(
    const struct entry_new *n, struct buf *out, const char **why);

/* UUIDv7 (RFC 9562 section 5.7): 48 bits of `wall` (ms), and 74 of the random
 * bits in `rnd`. */
void rec_new(char out[REC_LEN + 1], uint64_t wall, const uint8_t rnd[10]);

/*
 * RFC 3339 of `wall_ms` at an offset in minutes east of UTC, of less than a
 * day: "2025-04-01T05:00:01.250+08:00"; no fraction where it is zero, "Z" for
 * offset 0.  A clock beyond the year 9999 gives its last millisecond.
 */
void at_format(char out[32], uint64_t wall_ms, int offset_min);

/* Milliseconds since 1970 of a valid `at` (A6), before 1970 below zero; and its
 * offset in minutes east of UTC.  ST_INVALID. */
MUST_CHECK enum status at_parse(
    int64_t *out_ms, int *out_offset_min, struct bytes at);

#endif
