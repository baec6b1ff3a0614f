#include "base/enc.h"

#include <sodium.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char b32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

void
hex_encode(char *out, struct bytes in)
{
	for (size_t i = 0; i < in.len; i++) {
		*out++ = hex_digits[in.p[i] >> 4];
		*out++ = hex_digits[in.p[i] & 15];
	}
	*out = '\0';
}

/* 1 + the digit's value; 0: none. */
static const uint8_t hex_values[256] = { ['0'] = 1,
	['1'] = 2,
	['2'] = 3,
	['3'] = 4,
	['4'] = 5,
	['5'] = 6,
	['6'] = 7,
	['7'] = 8,
	['8'] = 9,
	['9'] = 10,
	['a'] = 11,
	['b'] = 12,
	['c'] = 13,
	['d'] = 14,
	['e'] = 15,
	['f'] = 16 };

enum status
hex_decode(uint8_t *out, size_t len, struct bytes in)
{
	if (in.len != 2 * len)
		return ST_INVALID;
	for (size_t i = 0; i < len; i++) {
		unsigned hi = hex_values[in.p[2 * i]];
		unsigned lo = hex_values[in.p[2 * i + 1]];

		if (hi == 0 || lo == 0)
			return ST_INVALID;
		out[i] = (uint8_t)((hi - 1) << 4 | (lo - 1));
	}
	return ST_OK;
}

void
base32_encode(char *out, struct bytes in)
{
	uint32_t acc = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < in.len; i++) {
		acc = acc << 8 | in.p[i];
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			*out++ = b32_digits[acc >> bits & 31];
		}
	}
	if (bits > 0)
		*out++ = b32_digits[acc << (5 - bits) & 31];
	*out = '\0';
}

static int
b32_value(uint8_t c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

enum status
base32_decode(uint8_t *out, size_t len, struct bytes in)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t n = 0;

	if (in.len != (len * 8 + 4) / 5)
		return ST_INVALID;
	for (size_t i = 0; i < in.len; i++) {
		int v = b32_value(in.p[i]);

		if (v < 0)
			return ST_INVALID;
		acc = acc << 5 | (uint32_t)v;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (uint8_t)(acc >> bits);
		}
	}
	/* Bits behind the last byte must be zero: one spelling only. */
	if ((acc & ((1u << bits) - 1)) != 0)
		return ST_INVALID;
	return ST_OK;
}

void
base64_encode(char *out, struct bytes in)
{
	size_t cap =
	    sodium_base64_encoded_len(in.len, sodium_base64_VARIANT_ORIGINAL);

	(void)sodium_bin2base64(
	    out, cap, in.p, in.len, sodium_base64_VARIANT_ORIGINAL);
}

enum status
base64_decode(uint8_t *out, size_t max, size_t *len, struct bytes in)
{
	const char *end = NULL;
	size_t pad = 0;

	if (in.len % 4 != 0)
		return ST_INVALID;
	while (pad < 2 && pad < in.len && in.p[in.len - 1 - pad] == '=')
		pad++;
	/* libsodium 1.0.18 reads every byte from 0x80 up as '/'. */
	for (size_t i = 0; i < in.len; i++) {
		if (in.p[i] >= 0x80)
			return ST_INVALID;
	}
	if (in.len / 4 * 3 - pad > max)
		return ST_LIMIT;
	if (in.len == 0) {
		*len = 0;
		return ST_OK;
	}
	if (sodium_base642bin(out, max, (const char *)in.p, in.len, NULL, len,
		&end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    end != (const char *)in.p + in.len)
		return ST_INVALID;
	return ST_OK;
}
