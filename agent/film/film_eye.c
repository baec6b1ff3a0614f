/* film_eye: the clock codes in one picture. */
#include <stdlib.h>
#include <string.h>

#include <libavutil/frame.h>
#include <libavutil/pixfmt.h>
#include <zbar.h>

#include "agent/film/film.h"

struct film_eye {
	zbar_image_scanner_t *scanner; /* owned */
	uint8_t *grey;                 /* owned */
	size_t cap;
};

enum status
film_eye_new(struct film_eye **out)
{
	struct film_eye *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return ST_NOMEM;
	e->scanner = zbar_image_scanner_create();
	if (e->scanner == NULL ||
	    zbar_image_scanner_set_config(
		e->scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0) != 0 ||
	    zbar_image_scanner_set_config(
		e->scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1) != 0) {
		film_eye_free(e);
		return ST_NOMEM;
	}
	*out = e;
	return ST_OK;
}

void
film_eye_free(struct film_eye *e)
{
	if (e == NULL)
		return;
	if (e->scanner != NULL)
		zbar_image_scanner_destroy(e->scanner);
	free(e->grey);
	free(e);
}

/* Of a format whose first plane is brightness: how many bits of it stand below
 * the eight highest.  0: it is bytes; more: words of 16 bits, as this machine
 * has them; -1: another format. */
static int
bits_below(int format)
{
	static const struct {
		enum AVPixelFormat format;
		int bits;
	} known[] = { { AV_PIX_FMT_YUV420P, 0 }, { AV_PIX_FMT_YUVJ420P, 0 },
		{ AV_PIX_FMT_YUV422P, 0 }, { AV_PIX_FMT_YUVJ422P, 0 },
		{ AV_PIX_FMT_YUV444P, 0 }, { AV_PIX_FMT_YUVJ444P, 0 },
		{ AV_PIX_FMT_YUV411P, 0 }, { AV_PIX_FMT_NV12, 0 },
		{ AV_PIX_FMT_NV21, 0 }, { AV_PIX_FMT_GRAY8, 0 },
		{ AV_PIX_FMT_YUV420P10, 2 }, { AV_PIX_FMT_YUV422P10, 2 },
		{ AV_PIX_FMT_YUV444P10, 2 }, { AV_PIX_FMT_GRAY10, 2 },
		{ AV_PIX_FMT_YUV420P12, 4 }, { AV_PIX_FMT_YUV422P12, 4 },
		{ AV_PIX_FMT_YUV444P12, 4 }, { AV_PIX_FMT_GRAY12, 4 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (format == (int)known[i].format)
			return known[i].bits;
	}
	return -1;
}

/* A row of a picture, a byte a pixel. */
static void
take_row(uint8_t *out, const uint8_t *row, size_t w, int bits)
{
	if (bits == 0) {
		memcpy(out, row, w);
		return;
	}
	for (size_t x = 0; x < w; x++) {
		uint16_t v;

		memcpy(&v, row + x * sizeof(v), sizeof(v));
		out[x] = (uint8_t)(v >> bits);
	}
}

/* "DBK1:" and what may stand in a code. */
static bool
is_code(const char *s)
{
	size_t len = strlen(s);

	if (len < 6 || len > FILM_CODE_LEN || memcmp(s, "DBK1:", 5) != 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((s[i] < 'A' || s[i] > 'Z') && (s[i] < '0' || s[i] > '9') &&
		    s[i] != ':')
			return false;
	}
	return true;
}

static void
take(struct film_said *out, const char *text, uint64_t at_ms)
{
	struct film_code *c = &out->code[out->count];

	if (out->count == FILM_CODES_MAX || !is_code(text))
		return;
	c->at_ms = at_ms;
	memcpy(c->text, text, strlen(text) + 1);
	out->count++;
}

static enum status
scan(struct film_eye *e, unsigned w, unsigned h, uint64_t at_ms,
    struct film_said *out)
{
	zbar_image_t *image = zbar_image_create();
	const zbar_symbol_t *s;

	if (image == NULL)
		return ST_NOMEM;
	zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
	zbar_image_set_size(image, w, h);
	zbar_image_set_data(image, e->grey, (unsigned long)w * h, NULL);
	if (zbar_scan_image(e->scanner, image) > 0) {
		for (s = zbar_image_first_symbol(image); s != NULL;
		     s = zbar_symbol_next(s))
			take(out, zbar_symbol_get_data(s), at_ms);
	}
	zbar_image_destroy(image);
	return ST_OK;
}

enum status
film_eye_look(struct film_eye *e, const struct AVFrame *frame, uint64_t at_ms,
    struct film_said *out)
{
	size_t w = frame->width > 0 ? (size_t)frame->width : 0;
	size_t h = frame->height > 0 ? (size_t)frame->height : 0;
	int bits = bits_below(frame->format);

	if (bits < 0 || w < 16 || h < 16 || w > FILM_PIXELS_MAX / h ||
	    frame->linesize[0] < frame->width * (bits == 0 ? 1 : 2))
		return ST_OK;
	if (w * h > e->cap) {
		free(e->grey);
		e->cap = 0;
		e->grey = malloc(w * h);
		if (e->grey == NULL)
			return ST_NOMEM;
		e->cap = w * h;
	}
	for (size_t y = 0; y < h; y++)
		take_row(e->grey + y * w,
		    frame->data[0] + y * (size_t)frame->linesize[0], w, bits);
	return scan(e, (unsigned)w, (unsigned)h, at_ms, out);
}
