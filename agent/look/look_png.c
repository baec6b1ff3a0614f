/* look_png: PNG in, by rows; an interlaced one is held whole. */
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "agent/look/look.h"

struct source {
	struct bytes left;
};

static void
take(png_structp p, png_bytep out, size_t len)
{
	struct source *s = png_get_io_ptr(p);

	if (s->left.len < len)
		png_error(p, "cut off");
	memcpy(out, s->left.p, len);
	s->left.p += len;
	s->left.len -= len;
}

static void
say_nothing(png_structp p, png_const_charp words)
{
	(void)p;
	(void)words;
}

static void
give_up(png_structp p, png_const_charp words)
{
	(void)words;
	png_longjmp(p, 1);
}

/* Whatever it is: 8 bits, RGB, over white. */
static void
as_rgb(png_structp p, png_infop info)
{
	png_color_16 white = {
		.red = 255, .green = 255, .blue = 255, .gray = 255
	};

	png_set_expand(p);
	png_set_scale_16(p);
	png_set_gray_to_rgb(p);
	png_set_background(p, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
	(void)png_set_interlace_handling(p);
	png_read_update_info(p, info);
}

/* Rows come in the order of the picture, but for an interlaced one. */
static enum status
rows(png_structp p, png_infop info, struct look_small *s)
{
	size_t line = png_get_rowbytes(p, info);
	uint32_t h = s->from_h;
	bool laced = png_get_interlace_type(p, info) != PNG_INTERLACE_NONE;
	size_t count = laced ? h : 1;

	if (line != (size_t)s->from_w * 3 ||
	    (laced && (uint64_t)s->from_w * h > LOOK_PIXELS_HELD))
		return ST_INVALID;
	s->rows = calloc(count, line);
	if (s->rows == NULL)
		return ST_NOMEM;
	for (int pass = 0; laced && pass < 7; pass++) {
		for (uint32_t y = 0; y < h; y++)
			png_read_row(p, s->rows + y * line, NULL);
	}
	for (uint32_t y = 0; y < h; y++) {
		if (!laced)
			png_read_row(p, s->rows, NULL);
		look_small_row(s, y, s->rows + (laced ? y * line : 0));
	}
	return ST_OK;
}

enum status
look_png(struct bytes image, struct look_small *s)
{
	struct source source = { image };
	volatile enum status st = ST_INVALID;
	png_infop info = NULL;
	png_structp p = png_create_read_struct(
	    PNG_LIBPNG_VER_STRING, NULL, give_up, say_nothing);

	if (p == NULL)
		return ST_NOMEM;
	info = png_create_info_struct(p);
	if (info == NULL) {
		png_destroy_read_struct(&p, NULL, NULL);
		return ST_NOMEM;
	}
	if (setjmp(png_jmpbuf(p)) == 0) {
		png_set_user_limits(p, LOOK_SIDE_MAX, LOOK_SIDE_MAX);
		png_set_chunk_malloc_max(p, 8 << 20);
		png_set_read_fn(p, &source, take);
		png_read_info(p, info);
		st = look_small_begin(s, png_get_image_width(p, info),
		    png_get_image_height(p, info));
		if (st == ST_OK) {
			as_rgb(p, info);
			st = rows(p, info, s);
		}
	} else {
		st = ST_INVALID;
	}
	png_destroy_read_struct(&p, &info, NULL);
	return st;
}
