#ifndef ENTRY_JSON_H
#define ENTRY_JSON_H
/*
 * json: strict I-JSON (RFC 7493) in, canonical JSON out.
 *
 * The one reader of JSON in Daybreak, for entries, kinds, rules, maps and
 * requests alike.  It takes one value and nothing else: UTF-8, no BOM, depth
 * at most JSON_DEPTH_MAX, names unique after unescaping, integers within
 * +-(2^53 - 1), no U+0000, lone surrogate or noncharacter, raw or escaped
 * (docs/FORMAT.md, "JSON").  What it refuses it refuses with words and place.
 *
 * The result is a flat tape of nodes over the caller's bytes; nothing is
 * copied, so the bytes must outlive the tape.  Node 0 is the outer value.  In
 * an object each name is a string node with its value node right behind it.
 * A node's subtree ends before node[n].next.
 */
#include "base/buf.h"

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_INT,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_node {
	enum json_type type;
	bool escaped;   /* a string with a backslash in it */
	uint32_t off;   /* of the raw text; a string's without its quotes */
	uint32_t len;   /* of the raw text */
	uint32_t next;  /* the node behind this value and all in it */
	uint32_t count; /* array: values; object: members */
	int64_t num;    /* JSON_INT */
};

struct json {
	struct bytes src;       /* borrowed */
	struct json_node *node; /* owned */
	uint32_t count, cap;
	uint32_t *sorted; /* owned; scratch of the check for duplicate names */
	uint32_t sorted_cap;
	const char *why; /* static words for the last refusal, or NULL */
	uint32_t where;  /* its offset in src */
};

/* How a document may be written. */
enum json_style {
	JSON_LINE,     /* an entry's line: an object, no white space, no byte
			  below 0x20 anywhere */
	JSON_DOCUMENT, /* any value; white space and line breaks between tokens
			*/
};

void json_init(struct json *j);
void json_free(struct json *j);

/*
 * Read `src`, of at most JSON_BYTES_MAX bytes.  The tape's memory is kept from
 * call to call.  ST_INVALID with j->why and j->where; ST_NOMEM.
 */
MUST_CHECK enum status json_parse(
    struct json *j, struct bytes src, enum json_style style);

/* The value of member `name` of object n, or 0 where there is none (or n is
 * no object): 0 is the outer value, which no member can be.  So look at the
 * result before it is handed on as `n`.  Like all readers below, only after a
 * json_parse that gave ST_OK. */
uint32_t json_get(const struct json *j, uint32_t n, const char *name);

/* As json_get, but 0 also where the member is of another type. */
uint32_t json_get_typed(
    const struct json *j, uint32_t n, const char *name, enum json_type type);

/* First child of an array (or name of an object); step with node[i].next. */
uint32_t json_first(const struct json *j, uint32_t n);
uint32_t json_end(const struct json *j, uint32_t n);

/* The string node's text equals s, after unescaping. */
bool json_is(const struct json *j, uint32_t n, const char *s);

/* Raw text of any node; a string's without quotes, still escaped. */
struct bytes json_raw(const struct json *j, uint32_t n);

/* Append a string's text, unescaped. */
void json_text(const struct json *j, uint32_t n, struct buf *out);

/*
 * A string's text as a range: borrowed from src where it has no escape, else
 * appended to `scratch` (and valid until that grows: reserve it first, or copy
 * at once).
 */
struct bytes json_view(const struct json *j, uint32_t n, struct buf *scratch);

/* A string node whose text is exactly 2 * len digits of lower-case hex, decoded
 * to out (len <= SIG_LEN); ST_INVALID for anything else. */
MUST_CHECK enum status json_hex(
    const struct json *j, uint32_t n, uint8_t *out, size_t len);

/* Integer member with default; JSON_INT only. */
int64_t json_int(
    const struct json *j, uint32_t n, const char *name, int64_t def);
/* Boolean member with default. */
bool json_bool(const struct json *j, uint32_t n, const char *name, bool def);

/*
 * The text of string member `name` of object n, as a C string in out[cap].
 * False, and out is "", where it is absent, no string, holds U+0000 (it cannot)
 * or is longer than cap - 1 bytes.
 */
bool json_member_text(
    const struct json *j, uint32_t n, const char *name, char *out, size_t cap);

/* Append `n` and all in it in canonical form (MERGE.md A3): members sorted by
 * the UTF-8 bytes of the unescaped name, least escapes, no white space. */
void json_canon(const struct json *j, uint32_t n, struct buf *out);

/* Writers of canonical pieces.  Text must be json_text_ok. */
void json_put_string(struct buf *out, struct bytes text); /* with quotes */
void json_put_str(struct buf *out, const char *text);
void json_put_int(struct buf *out, int64_t v);
void json_put_hex(struct buf *out, struct bytes raw); /* "..." of hex */

/* True if `text` may stand in a JSON string of ours: UTF-8, no U+0000, no
 * surrogate, no noncharacter. */
bool json_text_ok(struct bytes text);

#endif
