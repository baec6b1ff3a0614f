#include "domain/num.h"

#include <stdio.h>

bool
num_read(int64_t *out, struct bytes text)
{
	size_t i = 0, decimals = 0, digits = 0;
	bool minus = text.len > 0 && text.p[0] == '-', point = false;
	int64_t v = 0;

	for (i = minus; i < text.len; i++) {
		uint8_t c = text.p[i];

		if (c == '.' && !point && digits > 0) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9')
			return false;
		digits++;
		if (point && ++decimals > 4)
			continue;
		v = v > (NUM_MAX - 9) / 10 ? NUM_MAX : v * 10 + (c - '0');
	}
	if (digits == 0 || (point && decimals == 0))
		return false;
	for (i = decimals; i < 4; i++)
		v = v > NUM_MAX / 10 ? NUM_MAX : v * 10;
	*out = minus ? -v : v;
	return true;
}

int64_t
num_add(int64_t a, int64_t b)
{
	int64_t r;

	if (__builtin_add_overflow(a, b, &r) || r > NUM_MAX || r < -NUM_MAX)
		return a > 0 ? NUM_MAX : -NUM_MAX;
	return r;
}

int64_t
num_percent(int64_t a, int64_t percent)
{
	int64_t whole, part;

	/* Split, so that the product of the large part stays exact. */
	if (__builtin_mul_overflow(a / (100 * NUM_ONE), percent, &whole))
		return (a < 0) == (percent < 0) ? NUM_MAX : -NUM_MAX;
	if (__builtin_mul_overflow(a % (100 * NUM_ONE), percent, &part))
		return (a < 0) == (percent < 0) ? NUM_MAX : -NUM_MAX;
	return num_add(whole, part / (100 * NUM_ONE));
}

void
num_show(char out[32], int64_t v)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	unsigned frac = (unsigned)(u % (uint64_t)NUM_ONE);
	int n = snprintf(out, 32, "%s%llu", v < 0 ? "-" : "",
	    (unsigned long long)(u / (uint64_t)NUM_ONE));

	if (frac == 0 || n < 0)
		return;
	n += snprintf(out + n, 32 - (size_t)n, ".%04u", frac);
	while (out[n - 1] == '0')
		out[--n] = '\0';
}

bool
num_op_read(enum num_op *out, struct bytes text)
{
	static const char *const names[] = { "<", "<=", "=", "!=", ">=", ">" };

	for (int i = NUM_LT; i <= NUM_GT; i++) {
		if (bytes_eq_str(text, names[i])) {
			*out = (enum num_op)i;
			return true;
		}
	}
	return false;
}

bool
num_op_holds(enum num_op op, int c)
{
	switch (op) {
	case NUM_LT:
		return c < 0;
	case NUM_LE:
		return c <= 0;
	case NUM_EQ:
		return c == 0;
	case NUM_NE:
		return c != 0;
	case NUM_GE:
		return c >= 0;
	case NUM_GT:
		break;
	}
	return c > 0;
}
