#include "agent/look/look.h"

#include <ctype.h>
#include <magic.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN "application/octet-stream"
enum { TS_SYNC = 0x47, TS_PACKETS = 8 }; /* by chance: 1 of 2^64 */

static magic_t cookie;

enum status
look_open(void)
{
	cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS);
	if (cookie == NULL)
		return ST_NOMEM;
	/* NULL: where the system has it (package libmagic-mgc), or what the
	 * variable MAGIC names. */
	if (magic_load(cookie, NULL) != 0) {
		look_close();
		return ST_ABSENT;
	}
	return ST_OK;
}

void
look_close(void)
{
	if (cookie != NULL)
		magic_close(cookie);
	cookie = NULL;
}

/* type "/" subtype, in the characters that RFC 6838 has for them. */
static bool
type_ok(const char *s)
{
	size_t len = strlen(s), slashes = 0;

	if (len < 3 || len > LOOK_TYPE_MAX || s[0] == '/' || s[len - 1] == '/')
		return false;
	for (size_t i = 0; i < len; i++) {
		slashes += s[i] == '/';
		if (isalnum((unsigned char)s[i]) == 0 &&
		    strchr("!#$&-^_.+/", s[i]) == NULL)
			return false;
	}
	return slashes == 1;
}

/* Packets of `step` bytes, each of them with the sync byte at `at`. */
static bool
has_packets(struct bytes b, size_t at, size_t step)
{
	size_t n = 0;

	for (; n < TS_PACKETS && at < b.len; n++, at += step) {
		if (b.p[at] != TS_SYNC)
			return false;
	}
	return n == TS_PACKETS;
}

/* An MPEG-2 transport stream, which libmagic does not know by its packets
 * (ISO/IEC 13818-1, 2.4.3.2), as recorders write it: from the first byte on;
 * with 4 bytes of time before each packet on some (AVCHD). */
static bool
is_transport_stream(struct bytes b)
{
	return has_packets(b, 0, 188) || has_packets(b, 4, 192);
}

void
look_type(struct bytes begin, char out[LOOK_TYPE_MAX + 1])
{
	const char *said = NULL;

	if (cookie != NULL && begin.len > 0)
		said = magic_buffer(cookie, begin.p, begin.len);
	if (said == NULL || !type_ok(said))
		said = UNKNOWN;
	if (cookie != NULL && strcmp(said, UNKNOWN) == 0 &&
	    is_transport_stream(begin))
		said = "video/mp2t";
	memcpy(out, said, strlen(said) + 1);
}

bool
look_is_image(const char *type)
{
	return strcmp(type, "image/jpeg") == 0 ||
	       strcmp(type, "image/png") == 0 ||
	       strcmp(type, "image/webp") == 0;
}

enum status
look_thumb(const char *type, struct bytes image, struct buf *out)
{
	struct look_small s = { .w = 0 };
	int turned = 1;
	enum status st = ST_INVALID;

	if (strcmp(type, "image/jpeg") == 0)
		st = look_jpeg(image, &s, &turned);
	else if (strcmp(type, "image/png") == 0)
		st = look_png(image, &s);
	else if (strcmp(type, "image/webp") == 0)
		st = look_webp(image, &s, &turned);
	if (st == ST_OK)
		st = look_small_write(&s, turned, out);
	look_small_free(&s);
	return st;
}

/* ---- making it smaller */

enum status
look_small_begin(struct look_small *s, uint32_t w, uint32_t h)
{
	uint32_t side = w > h ? w : h;

	if (w == 0 || h == 0 || side > LOOK_SIDE_MAX ||
	    (uint64_t)w * h > LOOK_PIXELS_MAX)
		return ST_INVALID;
	s->from_w = w;
	s->from_h = h;
	s->w = w;
	s->h = h;
	if (side > LOOK_THUMB_SIDE) {
		s->w = w * LOOK_THUMB_SIDE / side;
		s->h = h * LOOK_THUMB_SIDE / side;
	}
	s->w = s->w == 0 ? 1 : s->w;
	s->h = s->h == 0 ? 1 : s->h;
	s->sum = calloc((size_t)s->w * s->h * 3, sizeof(*s->sum));
	s->count = calloc((size_t)s->w * s->h, sizeof(*s->count));
	return s->sum != NULL && s->count != NULL ? ST_OK : ST_NOMEM;
}

void
look_small_row(struct look_small *s, uint32_t y, const uint8_t *rgb)
{
	uint32_t ty = (uint32_t)((uint64_t)y * s->h / s->from_h);

	for (uint32_t x = 0; x < s->from_w; x++, rgb += 3) {
		size_t at = (size_t)ty * s->w +
			    (size_t)((uint64_t)x * s->w / s->from_w);

		/* 160 of 30,000: no more than 36,000 pixels meet in one. */
		s->sum[at * 3] += rgb[0];
		s->sum[at * 3 + 1] += rgb[1];
		s->sum[at * 3 + 2] += rgb[2];
		s->count[at]++;
	}
}

void
look_small_free(struct look_small *s)
{
	free(s->sum);
	free(s->count);
	free(s->rows);
	s->sum = NULL;
	s->count = NULL;
	s->rows = NULL;
}

/* ---- EXIF: one number of it */

static uint32_t
number(struct bytes b, size_t at, size_t len, bool big)
{
	uint32_t v = 0;

	for (size_t i = 0; i < len; i++)
		v = v << 8 | b.p[at + (big ? i : len - 1 - i)];
	return v;
}

static const uint8_t lead[6] = { 'E', 'x', 'i', 'f', 0, 0 };

/* TIFF: what stands behind the lead. */
static int
orientation(struct bytes b)
{
	size_t at, count;
	bool big;

	if (b.len < 8)
		return 1;
	big = b.p[0] == 'M';
	at = number(b, 4, 4, big);
	if (at > b.len - 2 || b.len - 2 - at < 12)
		return 1;
	count = number(b, at, 2, big);
	for (at += 2; count > 0 && b.len >= 12 && at <= b.len - 12;
	     at += 12, count--) {
		uint32_t v = number(b, at + 8, 2, big);

		if (number(b, at, 2, big) == 0x0112)
			return v >= 1 && v <= 8 ? (int)v : 1;
	}
	return 1;
}

int
look_exif(struct bytes b)
{
	if (b.len < 14 || memcmp(b.p, lead, sizeof(lead)) != 0)
		return 1;
	return orientation(bytes_of(b.p + 6, b.len - 6));
}

int
look_exif_any(struct bytes b)
{
	if (b.len >= sizeof(lead) && memcmp(b.p, lead, sizeof(lead)) == 0)
		return look_exif(b);
	return orientation(b);
}
