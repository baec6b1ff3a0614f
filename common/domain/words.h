#ifndef DOMAIN_WORDS_H
#define DOMAIN_WORDS_H
/*
 * words: one message in the two languages of every screen, Chinese first.
 *
 * Fixed memory, cut at a character's end when too long, never NULL: a refusal
 * must be explained even when memory is short.
 */
#include "base/bytes.h"

enum { WORDS_MAX = 384 };

struct words {
	char zh[WORDS_MAX]; /* UTF-8, NUL-terminated */
	char en[WORDS_MAX];
};

/* Empty both. */
void words_clear(struct words *w);

/*
 * Append to one language, as printf does.  What does not fit is cut at the end
 * of a character.
 */
void words_zh(struct words *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void words_en(struct words *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Both at once, from plain text. */
void words_put(struct words *w, const char *zh, const char *en);

/*
 * Text from outside made fit for a message: at most 60 characters, controls
 * and what is not UTF-8 shown as '?', NUL-terminated in out.
 */
void words_quote(char out[256], struct bytes text);

#endif
