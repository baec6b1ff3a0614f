/*
 * One pass over the bytes, no recursion: `open` holds the containers that are
 * not closed yet, and three steps follow each other as the grammar of RFC 8259
 * allows.  A value is expected (STEP_VALUE), a member name (STEP_NAME), or
 * what may follow a finished value (STEP_BEHIND).
 */
#include "entry/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "entry/json_scan.h"
#include "entry/utf8.h"

enum step { STEP_VALUE, STEP_NAME, STEP_BEHIND, STEP_DONE, STEP_FAILED };

enum {
	NODES_FIRST = 64,
	DIGITS_MAX = 16, /* of 2^53 - 1 */
};

#define NUMBER_MAX ((INT64_C(1) << 53) - 1)

struct scan {
	struct json *j;
	const uint8_t *p, *end;
	bool spaces; /* white space between tokens is allowed */
	unsigned depth;
	uint32_t open[JSON_DEPTH_MAX]; /* nodes of the containers around p */
	enum status st;
};

void
json_init(struct json *j)
{
	*j = (struct json){ .why = NULL };
}

void
json_free(struct json *j)
{
	free(j->node);
	free(j->sorted);
	json_init(j);
}

static enum step
refuse(struct scan *s, const uint8_t *at, const char *why)
{
	s->st = ST_INVALID;
	s->j->why = why;
	s->j->where = (uint32_t)(at - s->j->src.p);
	return STEP_FAILED;
}

static uint32_t
offset(const struct scan *s, const uint8_t *at)
{
	return (uint32_t)(at - s->j->src.p);
}

/* A new node of the tape, or NULL. */
static struct json_node *
add_node(struct scan *s, enum json_type type, const uint8_t *at)
{
	struct json *j = s->j;
	struct json_node *n;

	if (j->count == j->cap) {
		uint32_t cap = j->cap == 0 ? NODES_FIRST : 2 * j->cap;

		n = realloc(j->node, cap * sizeof(*n));
		if (n == NULL) {
			s->st = ST_NOMEM;
			return NULL;
		}
		j->node = n;
		j->cap = cap;
	}
	n = &j->node[j->count++];
	*n = (struct json_node){
		.type = type, .off = offset(s, at), .next = j->count
	};
	return n;
}

/* Pass white space, where it is allowed; false at the end of the bytes. */
static bool
to_token(struct scan *s)
{
	if (s->spaces) {
		while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' ||
					    *s->p == '\n' || *s->p == '\r'))
			s->p++;
	}
	return s->p < s->end;
}

/* Words for a byte that no token may begin with here, else `expected`. */
static enum step
refuse_token(struct scan *s, const char *expected)
{
	if (s->p == s->end)
		return refuse(s, s->p, "ends too early");
	if (*s->p == ' ')
		return refuse(s, s->p, "white space");
	if (*s->p < 0x20)
		return refuse(s, s->p, "control byte or line break");
	return refuse(s, s->p, expected);
}

/* Value of four hex digits at p, or -1. */
static int
hex4(const uint8_t *p, const uint8_t *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		uint8_t c = p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v = v << 4 | (c - 'A' + 10);
		else
			return -1;
	}
	return v;
}

/* Check the escape whose backslash s->p stands on, and pass it. */
static bool
scan_escape(struct scan *s)
{
	const uint8_t *at = s->p;
	int u, low;

	if (s->end - at < 2) {
		(void)refuse(s, s->end, "unterminated string");
		return false;
	}
	if (at[1] != 'u') {
		if (at[1] == 0 || strchr("\"\\/bfnrt", at[1]) == NULL) {
			(void)refuse(s, at, "bad escape");
			return false;
		}
		s->p = at + 2;
		return true;
	}
	u = hex4(at + 2, s->end);
	if (u < 0) {
		(void)refuse(s, at, "bad escape");
		return false;
	}
	s->p = at + 6;
	if (u >= 0xd800 && u < 0xdc00) {
		low = s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u'
			  ? hex4(s->p + 2, s->end)
			  : -1;
		if (low < 0xdc00 || low > 0xdfff) {
			(void)refuse(s, at, "lone surrogate");
			return false;
		}
		u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
		s->p += 6;
	} else if (u >= 0xdc00 && u < 0xe000) {
		(void)refuse(s, at, "lone surrogate");
		return false;
	}
	if (u == 0) {
		(void)refuse(s, at, "U+0000");
		return false;
	}
	if (utf8_is_noncharacter((uint32_t)u)) {
		(void)refuse(s, at, "noncharacter");
		return false;
	}
	return true;
}

#define EVERY(c) (UINT64_C(0x0101010101010101) * (c))

/*
 * Pass plain ASCII, eight bytes at a time: stop at a quote, a backslash, a
 * control byte or a byte of 0x80 and more.  In each byte x of 0x00..0x7f,
 * x - 0x20 borrows into bit 7 below 0x20, and (x ^ c) - 1 does where x is c.
 * A borrow spoils only more significant bytes than the one that stops, so the
 * least significant mark is true; where the first byte is the most significant
 * one, the last step looks at each byte itself.
 */
static const uint8_t *
pass_plain(const uint8_t *p, const uint8_t *end)
{
	while (end - p >= 8) {
		uint64_t w, stop;

		memcpy(&w, p, 8);
		stop = w | (w - EVERY(0x20)) |
		       ((w ^ EVERY((uint64_t)'"')) - EVERY(1)) |
		       ((w ^ EVERY((uint64_t)'\\')) - EVERY(1));
		stop &= EVERY(0x80);
		if (stop != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
			return p + (__builtin_ctzll(stop) >> 3);
#else
			break;
#endif
		}
		p += 8;
	}
	while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* Check the string whose opening quote s->p stands on; add its node. */
static bool
scan_string(struct scan *s)
{
	struct json_node *n = add_node(s, JSON_STRING, s->p + 1);
	const uint8_t *begin = s->p + 1;
	int len;

	if (n == NULL)
		return false;
	s->p = begin;
	for (;;) {
		s->p = pass_plain(s->p, s->end);
		if (s->p == s->end) {
			(void)refuse(s, s->p, "unterminated string");
			return false;
		}
		if (*s->p == '"')
			break;
		if (*s->p == '\\') {
			n->escaped = true;
			if (!scan_escape(s))
				return false;
			continue;
		}
		if (*s->p < 0x20) {
			(void)refuse(s, s->p, "control byte or line break");
			return false;
		}
		do {
			len = utf8_char(s->p, (size_t)(s->end - s->p));
			if (len <= 0) {
				(void)refuse(s, s->p,
				    len == UTF8_BAD ? "not UTF-8"
						    : "noncharacter");
				return false;
			}
			s->p += len;
		} while (s->p < s->end && *s->p >= 0x80);
	}
	n->len = (uint32_t)(s->p - begin);
	s->p++;
	return true;
}

static enum step
scan_number(struct scan *s)
{
	const uint8_t *begin = s->p, *first;
	struct json_node *n;
	int64_t v = 0;
	bool minus = *s->p == '-';

	if (minus)
		s->p++;
	first = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
		if (s->p - first < DIGITS_MAX)
			v = v * 10 + (*s->p - '0');
		s->p++;
	}
	if (s->p == first)
		return refuse_token(s, "no value");
	if (*first == '0' && s->p - first > 1)
		return refuse(s, begin, "leading zero");
	if (s->p < s->end && (*s->p == '.' || *s->p == 'e' || *s->p == 'E'))
		return refuse(s, begin, "not an integer");
	if (s->p - first > DIGITS_MAX || v > NUMBER_MAX)
		return refuse(s, begin, "integer out of range");
	if (minus && v == 0)
		return refuse(s, begin, "minus zero");
	n = add_node(s, JSON_INT, begin);
	if (n == NULL)
		return STEP_FAILED;
	n->len = (uint32_t)(s->p - begin);
	n->num = minus ? -v : v;
	return STEP_BEHIND;
}

static enum step
scan_word(struct scan *s, const char *word, enum json_type type)
{
	struct json_node *n;
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return refuse(s, s->p, "no value");
	n = add_node(s, type, s->p);
	if (n == NULL)
		return STEP_FAILED;
	n->len = (uint32_t)len;
	s->p += len;
	return STEP_BEHIND;
}

/* Close the innermost container, whose last byte s->p stands on. */
static bool
close_container(struct scan *s)
{
	struct json *j = s->j;
	uint32_t at = s->open[--s->depth], twice = 0;
	struct json_node *n = &j->node[at];

	s->p++;
	n->len = offset(s, s->p) - n->off;
	n->next = j->count;
	if (n->type == JSON_ARRAY || n->count < 2)
		return true;
	s->st = json_names_differ(j, at, &twice);
	if (s->st == ST_INVALID)
		(void)refuse(
		    s, j->src.p + j->node[twice].off - 1, "duplicate name");
	return s->st == ST_OK;
}

static enum step
open_container(struct scan *s, enum json_type type)
{
	if (s->depth == JSON_DEPTH_MAX)
		return refuse(s, s->p, "too deep");
	if (add_node(s, type, s->p) == NULL)
		return STEP_FAILED;
	s->open[s->depth++] = s->j->count - 1;
	s->p++;
	if (to_token(s) && *s->p == (type == JSON_OBJECT ? '}' : ']'))
		return close_container(s) ? STEP_BEHIND : STEP_FAILED;
	return type == JSON_OBJECT ? STEP_NAME : STEP_VALUE;
}

static enum step
scan_value(struct scan *s)
{
	struct json_node *in;

	if (!to_token(s))
		return refuse_token(s, "");
	if (s->depth > 0) {
		in = &s->j->node[s->open[s->depth - 1]];
		if (in->type == JSON_ARRAY)
			in->count++;
	}
	switch (*s->p) {
	case '{':
		return open_container(s, JSON_OBJECT);
	case '[':
		return open_container(s, JSON_ARRAY);
	case '"':
		return scan_string(s) ? STEP_BEHIND : STEP_FAILED;
	case 't':
		return scan_word(s, "true", JSON_TRUE);
	case 'f':
		return scan_word(s, "false", JSON_FALSE);
	case 'n':
		return scan_word(s, "null", JSON_NULL);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return scan_number(s);
	default:
		return refuse_token(s, "no value");
	}
}

static enum step
scan_name(struct scan *s)
{
	if (!to_token(s) || *s->p != '"')
		return refuse_token(s, "no member name");
	s->j->node[s->open[s->depth - 1]].count++;
	if (!scan_string(s))
		return STEP_FAILED;
	if (!to_token(s) || *s->p != ':')
		return refuse_token(s, "no colon");
	s->p++;
	return STEP_VALUE;
}

static enum step
scan_behind(struct scan *s)
{
	bool in_object;

	if (s->depth == 0) {
		if (to_token(s))
			return refuse_token(s, "something behind the value");
		return STEP_DONE;
	}
	in_object = s->j->node[s->open[s->depth - 1]].type == JSON_OBJECT;
	if (!to_token(s))
		return refuse_token(s, "");
	if (*s->p == ',') {
		s->p++;
		return in_object ? STEP_NAME : STEP_VALUE;
	}
	if (*s->p != (in_object ? '}' : ']'))
		return refuse_token(s, "no comma");
	return close_container(s) ? STEP_BEHIND : STEP_FAILED;
}

enum status
json_parse(struct json *j, struct bytes src, enum json_style style)
{
	struct scan s = { .j = j, .spaces = style == JSON_DOCUMENT };
	enum step step = STEP_VALUE;

	if (src.len == 0)
		src.p = (const uint8_t *)""; /* not NULL: offsets are taken */
	s.p = src.p;
	s.end = src.p + src.len;
	j->src = src;
	j->count = 0;
	j->why = NULL;
	j->where = 0;
	if (src.len > JSON_BYTES_MAX)
		step = refuse(&s, s.p, "too long");
	else if (src.len == 0)
		step = refuse(&s, s.p, "empty");
	else if (src.len >= 3 && memcmp(src.p, "\xef\xbb\xbf", 3) == 0)
		step = refuse(&s, s.p, "byte order mark");
	else if (style == JSON_LINE && src.p[0] != '{')
		step = refuse_token(&s, "not an object");
	while (step < STEP_DONE) {
		if (step == STEP_VALUE)
			step = scan_value(&s);
		else if (step == STEP_NAME)
			step = scan_name(&s);
		else
			step = scan_behind(&s);
	}
	if (step == STEP_FAILED)
		j->count = 0; /* half a tape must not be read */
	return s.st;
}
