#include "domain/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "entry/utf8.h"

enum { QUOTE_CHARS = 60 /* of 4 bytes: 240 */ };

void
words_clear(struct words *w)
{
	w->zh[0] = '\0';
	w->en[0] = '\0';
}

/* Cut back to the end of the last whole character. */
static void
cut(char *text, size_t len)
{
	size_t at = len;

	while (at > 0 && ((uint8_t)text[at - 1] & 0xc0) == 0x80)
		at--;
	if (at > 0 && (uint8_t)text[at - 1] >= 0xc0) {
		uint8_t lead = (uint8_t)text[at - 1];
		size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

		if (len - (at - 1) < want)
			len = at - 1;
	}
	text[len] = '\0';
}

static void __attribute__((format(printf, 2, 0)))
append(char *text, const char *fmt, va_list ap)
{
	size_t have = strlen(text), room = WORDS_MAX - have;
	int n = vsnprintf(text + have, room, fmt, ap);

	if (n < 0)
		text[have] = '\0';
	else if ((size_t)n >= room)
		cut(text, WORDS_MAX - 1);
}

void
words_zh(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(w->zh, fmt, ap);
	va_end(ap);
}

void
words_en(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(w->en, fmt, ap);
	va_end(ap);
}

void
words_put(struct words *w, const char *zh, const char *en)
{
	words_zh(w, "%s", zh);
	words_en(w, "%s", en);
}

void
words_quote(char out[256], struct bytes text)
{
	size_t len = 0, i = 0;

	for (int chars = 0; i < text.len && chars < QUOTE_CHARS; chars++) {
		int n = utf8_char(text.p + i, text.len - i);
		bool plain =
		    n > 1 || (n == 1 && text.p[i] >= 0x20 && text.p[i] != 0x7f);

		if (n <= 0)
			n = 1; /* a byte that is no character's */
		if (plain) {
			memcpy(out + len, text.p + i, (size_t)n);
			len += (size_t)n;
		} else {
			out[len++] = '?';
		}
		i += (size_t)n;
	}
	out[len] = '\0';
}
