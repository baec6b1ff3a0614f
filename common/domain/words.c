#include "domain/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { QUOTE_CHARS = 60 };

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
	size_t len = 0, chars = 0;

	for (size_t i = 0; i < text.len && len < 250; i++) {
		uint8_t c = text.p[i];

		if ((c & 0xc0) != 0x80 && ++chars > QUOTE_CHARS)
			break;
		out[len++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	cut(out, len);
}
