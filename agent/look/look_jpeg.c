/* look_jpeg: JPEG in, by rows and scaled down on the way; JPEG out. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* libjpeg wants stdio first. */
#include <jpeglib.h>

#include "agent/look/look.h"

struct guard {
	struct jpeg_error_mgr mgr; /* first: libjpeg gives us its address */
	jmp_buf back;
};

static void
give_up(j_common_ptr c)
{
	struct guard *g = (struct guard *)c->err;

	longjmp(g->back, 1);
}

static void
say_nothing(j_common_ptr c)
{
	(void)c;
}

/* Warnings are for corrupt data: a torn photo still has a small picture. */
static void
count_warning(j_common_ptr c, int level)
{
	if (level < 0)
		c->err->num_warnings++;
}

static struct jpeg_error_mgr *
guarded(struct guard *g)
{
	struct jpeg_error_mgr *m = jpeg_std_error(&g->mgr);

	m->error_exit = give_up;
	m->output_message = say_nothing;
	m->emit_message = count_warning;
	return m;
}

static int
orientation_of(const struct jpeg_decompress_struct *c)
{
	const struct jpeg_marker_struct *m;

	for (m = c->marker_list; m != NULL; m = m->next) {
		if (m->marker == JPEG_APP0 + 1)
			return look_exif(bytes_of(m->data, m->data_length));
	}
	return 1;
}

/* The largest step down that still leaves both sides large enough. */
static void
scale(struct jpeg_decompress_struct *c)
{
	unsigned side =
	    c->image_width > c->image_height ? c->image_width : c->image_height;

	c->scale_num = 1;
	c->scale_denom = 1;
	while (c->scale_denom < 8 &&
	       side / (c->scale_denom * 2) >= LOOK_THUMB_SIDE)
		c->scale_denom *= 2;
}

static enum status
decode(struct jpeg_decompress_struct *c, struct look_small *s)
{
	enum status st;

	if ((uint64_t)c->image_width * c->image_height > LOOK_PIXELS_MAX ||
	    c->image_width > LOOK_SIDE_MAX || c->image_height > LOOK_SIDE_MAX)
		return ST_INVALID;
	/* A progressive one keeps all its coefficients in memory. */
	if (jpeg_has_multiple_scans(c) &&
	    (uint64_t)c->image_width * c->image_height > 2 * LOOK_PIXELS_HELD)
		return ST_INVALID;
	c->out_color_space = JCS_RGB;
	c->dct_method = JDCT_ISLOW;
	scale(c);
	(void)jpeg_start_decompress(c);
	st = look_small_begin(s, c->output_width, c->output_height);
	if (st != ST_OK)
		return st;
	s->rows = malloc((size_t)c->output_width * 3);
	if (s->rows == NULL)
		return ST_NOMEM;
	while (c->output_scanline < c->output_height) {
		uint32_t y = c->output_scanline;
		JSAMPROW rows[1] = { s->rows };

		if (jpeg_read_scanlines(c, rows, 1) == 1)
			look_small_row(s, y, s->rows);
	}
	return ST_OK;
}

enum status
look_jpeg(struct bytes image, struct look_small *s, int *orientation)
{
	struct jpeg_decompress_struct c;
	struct guard g;
	volatile enum status st = ST_INVALID;

	c.err = guarded(&g);
	if (setjmp(g.back) != 0) {
		jpeg_destroy_decompress(&c);
		return ST_INVALID;
	}
	jpeg_create_decompress(&c);
	c.mem->max_memory_to_use = 64L << 20;
	jpeg_mem_src(&c, image.p, (unsigned long)image.len);
	jpeg_save_markers(&c, JPEG_APP0 + 1, 0xffff);
	if (jpeg_read_header(&c, TRUE) == JPEG_HEADER_OK) {
		*orientation = orientation_of(&c);
		st = decode(&c, s);
	}
	jpeg_destroy_decompress(&c);
	return st;
}

/* ---- writing */

/* Pixel of the picture as it is to be seen. */
static void
pixel(const struct look_small *s, int o, uint32_t x, uint32_t y, uint8_t out[3])
{
	uint32_t mx = s->w - 1, my = s->h - 1, fx = x, fy = y;
	size_t at;

	switch (o) {
	case 2:
		fx = mx - x;
		break;
	case 3:
		fx = mx - x;
		fy = my - y;
		break;
	case 4:
		fy = my - y;
		break;
	case 5:
		fx = y;
		fy = x;
		break;
	case 6:
		fx = y;
		fy = my - x;
		break;
	case 7:
		fx = mx - y;
		fy = my - x;
		break;
	case 8:
		fx = mx - y;
		fy = x;
		break;
	default:
		break;
	}
	at = (size_t)fy * s->w + fx;
	for (size_t i = 0; i < 3; i++) {
		out[i] = 255;
		if (s->count[at] > 0)
			out[i] = (uint8_t)(s->sum[at * 3 + i] / s->count[at]);
	}
}

static enum status
encode(const struct look_small *s, int o, int quality, unsigned char **out,
    unsigned long *len)
{
	uint32_t w = o >= 5 ? s->h : s->w, h = o >= 5 ? s->w : s->h;
	uint8_t line[LOOK_THUMB_SIDE * 3];
	struct jpeg_compress_struct c;
	struct guard g;

	c.err = guarded(&g);
	if (setjmp(g.back) != 0) {
		jpeg_destroy_compress(&c);
		return ST_INVALID;
	}
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, out, len);
	c.image_width = w;
	c.image_height = h;
	c.input_components = 3;
	c.in_color_space = JCS_RGB;
	jpeg_set_defaults(&c);
	jpeg_set_quality(&c, quality, TRUE);
	c.optimize_coding = TRUE;
	jpeg_start_compress(&c, TRUE);
	for (uint32_t y = 0; y < h; y++) {
		JSAMPROW rows[1] = { line };

		for (uint32_t x = 0; x < w; x++)
			pixel(s, o, x, y, line + (size_t)x * 3);
		(void)jpeg_write_scanlines(&c, rows, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	return ST_OK;
}

enum status
look_small_write(const struct look_small *s, int orientation, struct buf *out)
{
	static const int qualities[] = { 75, 60, 45, 30, 15 };
	enum status st = ST_INVALID;

	for (size_t i = 0; i < sizeof(qualities) / sizeof(qualities[0]); i++) {
		unsigned char *p = NULL;
		unsigned long len = 0;

		st = encode(s, orientation, qualities[i], &p, &len);
		if (st == ST_OK && len <= LOOK_THUMB_MAX) {
			buf_add(out, p, len);
			free(p);
			return out->err;
		}
		free(p);
		if (st != ST_OK)
			return st;
	}
	return ST_INVALID;
}
