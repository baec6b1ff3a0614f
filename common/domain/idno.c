#include "domain/idno.h"

#include <string.h>

#include "domain/when.h"

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool
idno_citizen(struct bytes text)
{
	static const int weight[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10,
		5, 8, 4, 2 };
	static const char check[] = "10X98765432";
	char date[11];
	int64_t day;
	int sum = 0;

	if (text.len != 18 || text.p[0] == '0')
		return false;
	for (size_t i = 0; i < 17; i++) {
		if (!is_digit(text.p[i]))
			return false;
		sum += (text.p[i] - '0') * weight[i];
	}
	memcpy(date, text.p + 6, 4);
	date[4] = date[7] = '-';
	memcpy(date + 5, text.p + 10, 2);
	memcpy(date + 8, text.p + 12, 2);
	return text.p[17] == (uint8_t)check[sum % 11] &&
	       when_read_day(&day, bytes_of(date, 10));
}

bool
idno_org(struct bytes text)
{
	static const char digits[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	static const int weight[] = { 1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25,
		13, 8, 24, 10, 30, 28 };
	int sum = 0;

	if (text.len != 18)
		return false;
	for (size_t i = 0; i < 18; i++) {
		const char *at = memchr(digits, text.p[i], 31);

		if (at == NULL)
			return false;
		if (i < 17)
			sum += (int)(at - digits) * weight[i];
		else
			sum += (int)(at - digits);
	}
	return sum % 31 == 0;
}

/* A letter's value in the sum of a VIN, or -1. */
static int
vin_value(uint8_t c)
{
	static const char letters[] = "ABCDEFGHJKLMNPRSTUVWXYZ";
	static const char values[] = "12345678123457923456789";
	const char *at;

	if (is_digit(c))
		return c - '0';
	at = c != 0 ? strchr(letters, c) : NULL;
	return at != NULL ? values[at - letters] - '0' : -1;
}

bool
idno_vin(struct bytes text)
{
	static const int weight[] = { 8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5,
		4, 3, 2 };
	int sum = 0, v;

	if (text.len != 17)
		return false;
	for (size_t i = 0; i < 17; i++) {
		v = vin_value(text.p[i]);
		if (v < 0)
			return false;
		sum += v * weight[i];
	}
	return text.p[8] == (uint8_t) "0123456789X"[sum % 11];
}

/* If the text goes on with `s`, pass it. */
static bool
pass(struct bytes *left, const char *s)
{
	size_t len = strlen(s);

	if (left->len < len || memcmp(left->p, s, len) != 0)
		return false;
	left->p += len;
	left->len -= len;
	return true;
}

static bool
pass_one_of(struct bytes *left, const char *const *list)
{
	for (size_t i = 0; list[i] != NULL; i++) {
		if (pass(left, list[i]))
			return true;
	}
	return false;
}

bool
idno_plate(struct bytes text)
{
	static const char *const provinces[] = { "京", "津", "沪", "渝", "冀",
		"豫", "云", "辽", "黑", "湘", "皖", "鲁", "新", "苏", "浙",
		"赣", "鄂", "桂", "甘", "晋", "蒙", "陕", "吉", "闽", "贵",
		"粤", "青", "藏", "川", "宁", "琼", NULL };
	static const char *const last[] = { "挂", "学", "警", "港", "澳",
		NULL };
	size_t n = 0;

	if (!pass_one_of(&text, provinces) || text.len == 0 ||
	    text.p[0] < 'A' || text.p[0] > 'Z')
		return false;
	text.p++;
	text.len--;
	/* I and O are not given out. */
	while (text.len > 0 && n < 6 &&
	       (is_digit(text.p[0]) ||
		   (text.p[0] >= 'A' && text.p[0] <= 'Z' && text.p[0] != 'I' &&
		       text.p[0] != 'O'))) {
		n++;
		text.p++;
		text.len--;
	}
	if (n == 4)
		return pass_one_of(&text, last) && text.len == 0;
	return (n == 5 || n == 6) && text.len == 0;
}

/* How many digits stand at the front; they are passed. */
static size_t
pass_digits(struct bytes *left)
{
	size_t n = 0;

	while (n < left->len && is_digit(left->p[n]))
		n++;
	left->p += n;
	left->len -= n;
	return n;
}

/* How many characters of U+4E00..U+9FFF stand at the front, up to 号 that
 * ends the number; they are passed. */
static size_t
pass_hanzi(struct bytes *left)
{
	size_t n = 0;

	while (left->len >= 3 && left->p[0] >= 0xe4 && left->p[0] <= 0xe9 &&
	       memcmp(left->p, "号", 3) != 0) {
		left->p += 3;
		left->len -= 3;
		n++;
	}
	return n;
}

bool
idno_case(struct bytes text)
{
	static const char *const opens[] = { "（", "(", "〔", "[", NULL };
	static const char *const closes[] = { "）", ")", "〕", "]", NULL };
	struct bytes year;
	size_t n;

	if (!pass_one_of(&text, opens))
		return false;
	year = text;
	if (pass_digits(&text) != 4 ||
	    (memcmp(year.p, "19", 2) != 0 && memcmp(year.p, "20", 2) != 0) ||
	    !pass_one_of(&text, closes))
		return false;
	/* Court (and its number), sort of case, number. */
	n = pass_hanzi(&text);
	if (n == 0 || n > 20)
		return false;
	n = pass_digits(&text);
	if (n == 0 || n > 8)
		return false;
	if (!pass(&text, "号")) {
		if (n > 4)
			return false;
		n = pass_hanzi(&text);
		if (n == 0 || n > 12)
			return false;
		n = pass_digits(&text);
		if (n == 0 || n > 8 || !pass(&text, "号"))
			return false;
	}
	if (text.len == 0)
		return true;
	if (!pass(&text, "之"))
		return false;
	n = pass_digits(&text);
	if (n == 0)
		n = pass_hanzi(&text);
	return n > 0 && n <= 4 && text.len == 0;
}
