#include "entry/path.h"

#include <string.h>

#include "base/limits.h"

enum { ITEM_LEN = 1 + 2 * ID_LEN, VERSION_DIGITS_MAX = 6 };

static bool
is_lower(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

/* '@' and the 32 hex digits of an id. */
static bool
is_item(struct bytes step)
{
	if (step.len != ITEM_LEN || step.p[0] != '@')
		return false;
	for (size_t i = 1; i < step.len; i++) {
		if (!is_hex(step.p[i]))
			return false;
	}
	return true;
}

bool
path_is_word(struct bytes word)
{
	if (word.len == 0 || word.len > WORD_BYTES_MAX || !is_lower(word.p[0]))
		return false;
	for (size_t i = 1; i < word.len; i++) {
		uint8_t c = word.p[i];

		if (!is_lower(c) && !is_digit(c) && c != '_')
			return false;
	}
	return true;
}

/* The range up to the next '/', or the rest; *left then begins behind it. */
static struct bytes
next_step(struct bytes *left, bool *last)
{
	const uint8_t *slash = memchr(left->p, '/', left->len);
	struct bytes step = *left;

	*last = slash == NULL;
	if (slash != NULL) {
		step.len = (size_t)(slash - left->p);
		left->p = slash + 1;
		left->len -= step.len + 1;
	}
	return step;
}

enum path_sort
path_sort(struct bytes path)
{
	bool after_word = false, last = false, item;
	struct bytes step;

	if (path.len == 0)
		return PATH_WHOLE;
	if (path.len > PATH_BYTES_MAX)
		return PATH_BAD;
	if (is_item(path))
		return PATH_ACT;
	do {
		/* A '/' at the end leaves nothing to look at. */
		if (path.len == 0)
			return PATH_BAD;
		step = next_step(&path, &last);
		item = is_item(step);
		if (item ? !after_word : !path_is_word(step))
			return PATH_BAD;
		after_word = !item;
	} while (!last);
	return after_word ? PATH_FIELD : PATH_ITEM;
}

bool
path_is_relative(struct bytes path)
{
	return path_sort(path) == PATH_FIELD &&
	       memchr(path.p, '@', path.len) == NULL;
}

bool
path_is_rec(struct bytes rec)
{
	if (rec.len != REC_LEN)
		return false;
	for (size_t i = 0; i < rec.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? rec.p[i] != '-' : !is_hex(rec.p[i]))
			return false;
	}
	return rec.p[14] == '7' && strchr("89ab", rec.p[19]) != NULL;
}

bool
path_is_kind(struct bytes kind)
{
	const uint8_t *at;
	size_t name, digits;

	if (kind.len == 0)
		return false;
	at = memchr(kind.p, '@', kind.len);
	if (at == NULL)
		return false;
	name = (size_t)(at - kind.p);
	digits = kind.len - name - 1;
	if (!path_is_word((struct bytes){ kind.p, name }) || digits == 0 ||
	    digits > VERSION_DIGITS_MAX || at[1] == '0')
		return false;
	for (size_t i = 1; i <= digits; i++) {
		if (!is_digit(at[i]))
			return false;
	}
	return true;
}

bool
path_within(struct bytes path, struct bytes part)
{
	if (part.len == 0)
		return true;
	if (path.len < part.len || memcmp(path.p, part.p, part.len) != 0)
		return false;
	return path.len == part.len || path.p[part.len] == '/';
}
