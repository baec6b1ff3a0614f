/* look_webp: WebP in; the library makes it small while it decodes, so that a
 * large one is not held whole, but for lossless ones. */
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

#include "agent/look/look.h"

enum { LOSSLESS = 2 /* WebPBitstreamFeatures.format */ };

static uint32_t
le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/* The chunk EXIF of a RIFF file, if there is one. */
static int
orientation_of(struct bytes b)
{
	if (b.len < 12)
		return 1;
	b = bytes_of(b.p + 12, b.len - 12);
	while (b.len >= 8) {
		uint32_t len = le32(b.p + 4);
		struct bytes in;

		if (len > b.len - 8)
			return 1;
		in = bytes_of(b.p + 8, len);
		if (memcmp(b.p, "EXIF", 4) == 0)
			return look_exif_any(in);
		/* Padded to an even length. */
		len += len & 1;
		if (len > b.len - 8)
			return 1;
		b = bytes_of(b.p + 8 + len, b.len - 8 - len);
	}
	return 1;
}

/* Over white, row by row; the size is that of the small picture already. */
static void
put_rows(const uint8_t *rgba, struct look_small *s)
{
	for (uint32_t y = 0; y < s->h; y++) {
		for (uint32_t x = 0; x < s->w; x++) {
			const uint8_t *p = rgba + ((size_t)y * s->w + x) * 4;
			uint32_t a = p[3];

			for (size_t k = 0; k < 3; k++)
				s->rows[(size_t)x * 3 + k] =
				    (uint8_t)((p[k] * a + 255 * (255 - a)) /
					      255);
		}
		look_small_row(s, y, s->rows);
	}
}

static enum status
decode(struct bytes image, WebPDecoderConfig *c, struct look_small *s)
{
	uint8_t *rgba = calloc((size_t)s->w * s->h, 4);
	enum status st = ST_INVALID;

	if (rgba == NULL)
		return ST_NOMEM;
	s->rows = calloc(s->w, 3);
	c->options.use_scaling = 1;
	c->options.scaled_width = (int)s->w;
	c->options.scaled_height = (int)s->h;
	c->output.colorspace = MODE_RGBA;
	c->output.is_external_memory = 1;
	c->output.u.RGBA.rgba = rgba;
	c->output.u.RGBA.stride = (int)(s->w * 4);
	c->output.u.RGBA.size = (size_t)s->w * s->h * 4;
	if (s->rows == NULL)
		st = ST_NOMEM;
	else if (WebPDecode(image.p, image.len, c) == VP8_STATUS_OK)
		st = ST_OK;
	if (st == ST_OK) {
		s->from_w = s->w;
		s->from_h = s->h;
		put_rows(rgba, s);
	}
	WebPFreeDecBuffer(&c->output);
	free(rgba);
	return st;
}

enum status
look_webp(struct bytes image, struct look_small *s, int *orientation)
{
	WebPDecoderConfig c;
	uint64_t pixels;
	enum status st;

	if (WebPInitDecoderConfig(&c) == 0 ||
	    WebPGetFeatures(image.p, image.len, &c.input) != VP8_STATUS_OK ||
	    c.input.width <= 0 || c.input.height <= 0)
		return ST_INVALID;
	pixels = (uint64_t)c.input.width * (uint64_t)c.input.height;
	/* A film of pictures has its frames elsewhere: none is shown. */
	if (c.input.has_animation != 0 ||
	    (c.input.format == LOSSLESS && pixels > LOOK_PIXELS_HELD))
		return ST_INVALID;
	st = look_small_begin(
	    s, (uint32_t)c.input.width, (uint32_t)c.input.height);
	if (st == ST_OK)
		st = decode(image, &c, s);
	*orientation = orientation_of(image);
	return st;
}
