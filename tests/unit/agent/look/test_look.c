/* look: what sort of file this is, and a small picture; hostile ones too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

#include "agent/look/look.h"
#include "support/expect.h"

/* A JPEG: left half red, right half blue, the top fifth green; with an EXIF
 * orientation where it is not 0. */
static void
make_jpeg(struct buf *out, unsigned w, unsigned h, int orientation, bool scans)
{
	uint8_t exif[32] = "Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0";
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr e;
	unsigned char *p = NULL;
	unsigned long len = 0;
	uint8_t *line = malloc((size_t)w * 3);

	c.err = jpeg_std_error(&e);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &p, &len);
	c.image_width = w;
	c.image_height = h;
	c.input_components = 3;
	c.in_color_space = JCS_RGB;
	jpeg_set_defaults(&c);
	if (scans)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	exif[25] = (uint8_t)orientation;
	if (orientation > 0)
		jpeg_write_marker(&c, JPEG_APP0 + 1, exif, 32);
	for (unsigned y = 0; y < h; y++) {
		JSAMPROW rows[1] = { line };

		for (unsigned x = 0; x < w; x++) {
			line[3 * x] = y >= h / 5 && x < w / 2 ? 255 : 0;
			line[3 * x + 1] = y < h / 5 ? 255 : 0;
			line[3 * x + 2] = y >= h / 5 && x >= w / 2 ? 255 : 0;
		}
		(void)jpeg_write_scanlines(&c, rows, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	buf_add(out, p, len);
	free(p);
	free(line);
}

/* The same picture as PNG. */
static void
make_png(struct buf *out, unsigned w, unsigned h, bool laced)
{
	png_image im = { .version = PNG_IMAGE_VERSION,
		.width = w,
		.height = h,
		.format = PNG_FORMAT_RGBA };
	size_t len = 0;
	uint8_t *rgba = calloc((size_t)w * h, 4);

	(void)laced;
	for (size_t i = 0; i < (size_t)w * h; i++) {
		size_t x = i % w, y = i / w;

		rgba[4 * i] = y >= h / 5 && x < w / 2 ? 255 : 0;
		rgba[4 * i + 1] = y < h / 5 ? 255 : 0;
		rgba[4 * i + 2] = y >= h / 5 && x >= w / 2 ? 255 : 0;
		rgba[4 * i + 3] = 255;
	}
	EXPECT(png_image_write_to_memory(&im, NULL, &len, 0, rgba, 0, NULL));
	EXPECT(png_image_write_to_memory(
	    &im, buf_extend(out, len), &len, 0, rgba, 0, NULL));
	free(rgba);
}

/* The same picture as WebP; with the chunk EXIF where orientation is not 0. */
static void
make_webp(
    struct buf *out, unsigned w, unsigned h, bool lossless, int orientation)
{
	static const uint8_t exif[] =
	    "EXIF\x1a\0\0\0MM\0*\0\0\0\10\0\1\1\22\0\3"
	    "\0\0\0\1\0";
	uint8_t tiff[8 + 26] = { 0 }, *p = NULL,
			 *rgb = malloc((size_t)w * h * 3);
	size_t len, size;

	EXPECT(rgb != NULL);
	for (size_t i = 0; i < (size_t)w * h; i++) {
		size_t x = i % w, y = i / w;

		rgb[3 * i] = y >= h / 5 && x < w / 2 ? 255 : 0;
		rgb[3 * i + 1] = y < h / 5 ? 255 : 0;
		rgb[3 * i + 2] = y >= h / 5 && x >= w / 2 ? 255 : 0;
	}
	len = lossless
		  ? WebPEncodeLosslessRGB(rgb, (int)w, (int)h, (int)w * 3, &p)
		  : WebPEncodeRGB(rgb, (int)w, (int)h, (int)w * 3, 80, &p);
	EXPECT(len > 0);
	buf_add(out, p, len);
	WebPFree(p);
	free(rgb);
	if (orientation == 0)
		return;
	memcpy(tiff, exif, sizeof(exif) - 1);
	tiff[8 + 19] = (uint8_t)orientation;
	buf_add(out, tiff, sizeof(tiff));
	size = out->len - 8; /* RIFF's own length */
	for (size_t i = 0; i < 4; i++)
		out->p[4 + i] = (uint8_t)(size >> 8 * i);
}

struct seen {
	unsigned w, h;
	uint8_t *rgb; /* owned */
};

static struct seen
decoded(const struct buf *thumb)
{
	struct jpeg_decompress_struct c;
	struct jpeg_error_mgr e;
	struct seen s;

	c.err = jpeg_std_error(&e);
	jpeg_create_decompress(&c);
	jpeg_mem_src(&c, thumb->p, (unsigned long)thumb->len);
	EXPECT(jpeg_read_header(&c, TRUE) == JPEG_HEADER_OK);
	c.out_color_space = JCS_RGB;
	(void)jpeg_start_decompress(&c);
	s.w = c.output_width;
	s.h = c.output_height;
	s.rgb = malloc((size_t)s.w * s.h * 3);
	while (c.output_scanline < c.output_height) {
		JSAMPROW rows[1] = { s.rgb +
				     (size_t)c.output_scanline * s.w * 3 };

		(void)jpeg_read_scanlines(&c, rows, 1);
	}
	jpeg_destroy_decompress(&c);
	return s;
}

/* 'r', 'g' or 'b': what stands at a place given in percent. */
static char
colour(const struct seen *s, unsigned x, unsigned y)
{
	const uint8_t *p =
	    s->rgb + ((size_t)(y * s->h / 100) * s->w + x * s->w / 100) * 3;

	return p[0] > 150 ? 'r' : p[1] > 150 ? 'g' : p[2] > 150 ? 'b' : '?';
}

static void
check_picture(const char *type, const struct buf *image, unsigned w, unsigned h)
{
	struct buf thumb;
	struct seen s;

	buf_init(&thumb, LOOK_THUMB_MAX);
	EXPECT_OK(look_thumb(type, buf_view(image), &thumb));
	s = decoded(&thumb);
	assert_int_equal(s.w, w);
	assert_int_equal(s.h, h);
	assert_int_equal(colour(&s, 25, 60), 'r');
	assert_int_equal(colour(&s, 75, 60), 'b');
	assert_int_equal(colour(&s, 50, 8), 'g');
	free(s.rgb);
	buf_free(&thumb);
}

/* Would catch: a picture of another file, out of shape, or with its rows mixed
 * up; and one so large that no entry holds it. */
static void
test_a_small_picture_shows_what_the_image_does(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64 << 20);
	make_jpeg(&b, 4000, 3000, 0, false);
	check_picture("image/jpeg", &b, 160, 120);
	buf_reset(&b);
	make_jpeg(&b, 900, 1600, 0, true);
	check_picture("image/jpeg", &b, 90, 160);
	buf_reset(&b);
	make_png(&b, 1000, 500, false);
	check_picture("image/png", &b, 160, 80);
	buf_reset(&b);
	make_png(&b, 40, 20, false);
	check_picture("image/png", &b, 40, 20);
	for (int lossless = 0; lossless < 2; lossless++) {
		buf_reset(&b);
		make_webp(&b, 2000, 1500, lossless == 1, 0);
		check_picture("image/webp", &b, 160, 120);
		buf_reset(&b);
		make_webp(&b, 41, 20, lossless == 1, 0);
		check_picture("image/webp", &b, 41, 20);
	}
	buf_free(&b);
}

/* Would catch: a photo from a phone held upright, lying on its side. */
static void
test_a_picture_stands_as_exif_says(void **state)
{
	/* Where the green edge is, for each orientation. */
	static const unsigned at[9][2] = { { 50, 8 }, { 50, 8 }, { 50, 8 },
		{ 50, 92 }, { 50, 92 }, { 8, 50 }, { 92, 50 }, { 92, 50 },
		{ 8, 50 } };
	struct buf b, thumb;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_init(&thumb, LOOK_THUMB_MAX);
	for (int o = 1; o <= 8; o++) {
		struct seen s;

		buf_reset(&b);
		buf_reset(&thumb);
		make_jpeg(&b, 640, 480, o, false);
		EXPECT_OK(look_thumb("image/jpeg", buf_view(&b), &thumb));
		s = decoded(&thumb);
		assert_int_equal(s.w, o >= 5 ? 120 : 160);
		assert_int_equal(colour(&s, at[o][0], at[o][1]), 'g');
		free(s.rgb);
		buf_reset(&b);
		buf_reset(&thumb);
		make_webp(&b, 640, 480, false, o);
		EXPECT_OK(look_thumb("image/webp", buf_view(&b), &thumb));
		s = decoded(&thumb);
		assert_int_equal(s.w, o >= 5 ? 120 : 160);
		assert_int_equal(colour(&s, at[o][0], at[o][1]), 'g');
		free(s.rgb);
	}
	buf_free(&thumb);
	buf_free(&b);
}

/* Would catch: a step behind the end of a torn or changed image. */
static void
test_torn_and_changed_images_do_no_harm(void **state)
{
	struct buf b, thumb;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_init(&thumb, LOOK_THUMB_MAX);
	for (int sort = 0; sort < 4; sort++) {
		static const char *const types[4] = { "image/jpeg", "image/png",
			"image/webp", "image/webp" };
		const char *type = types[sort];

		buf_reset(&b);
		if (sort == 0)
			make_jpeg(&b, 60, 50, 6, false);
		else if (sort == 1)
			make_png(&b, 60, 50, false);
		else
			make_webp(&b, 60, 50, sort == 3, 6);
		for (size_t cut = 0; cut < b.len; cut += 3) {
			/* On the heap to its last byte, so that a read behind
			 * it is seen. */
			uint8_t *p = malloc(cut + 1);

			memcpy(p, b.p, cut);
			buf_reset(&thumb);
			(void)!look_thumb(type, bytes_of(p, cut), &thumb);
			free(p);
		}
		for (size_t i = 0; i < b.len; i++) {
			uint8_t was = b.p[i];

			b.p[i] ^= (uint8_t)(1 + i * 7);
			buf_reset(&thumb);
			(void)!look_thumb(type, buf_view(&b), &thumb);
			b.p[i] = was;
		}
	}
	buf_free(&thumb);
	buf_free(&b);
}

/* Would catch: a few bytes that ask for gigabytes. */
static void
test_an_image_that_claims_too_many_pixels_is_left_alone(void **state)
{
	struct buf b, thumb;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_init(&thumb, LOOK_THUMB_MAX);
	make_png(&b, 4, 4, false);
	b.p[16] = 0x7f; /* its width, in IHDR */
	EXPECT_ST(look_thumb("image/png", buf_view(&b), &thumb), ST_INVALID);
	buf_reset(&b);
	make_jpeg(&b, 16, 16, 0, false);
	for (size_t i = 0; i + 9 < b.len; i++) {
		if (b.p[i] == 0xff && b.p[i + 1] == 0xc0)
			memset(b.p + i + 5, 0xff, 4); /* SOF0: both sides */
	}
	EXPECT_ST(look_thumb("image/jpeg", buf_view(&b), &thumb), ST_INVALID);
	buf_reset(&b);
	make_webp(&b, 16, 16, true, 0);
	b.p[21] = b.p[22] = b.p[23] = b.p[24] = 0xff; /* its sides, in VP8L */
	EXPECT_ST(look_thumb("image/webp", buf_view(&b), &thumb), ST_INVALID);
	assert_int_equal(thumb.len, 0);
	buf_free(&thumb);
	buf_free(&b);
}

/* Would catch: a type taken from anything but the content. */
static void
test_types_are_told_by_content(void **state)
{
	static const uint8_t mp4[] = "\0\0\0\x20"
				     "ftypisom\0\0\2\0isomiso2avc1mp41";
	static const uint8_t elf[] = "\x7f"
				     "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\x3e";
	char type[LOOK_TYPE_MAX + 1];
	struct buf b;

	(void)state;
	EXPECT_OK(look_open());
	buf_init(&b, 1 << 20);
	make_jpeg(&b, 16, 16, 0, false);
	look_type(buf_view(&b), type);
	assert_string_equal(type, "image/jpeg");
	buf_reset(&b);
	make_webp(&b, 16, 16, false, 0);
	look_type(buf_view(&b), type);
	assert_string_equal(type, "image/webp");
	look_type(bytes_of(mp4, sizeof(mp4) - 1), type);
	assert_string_equal(type, "video/mp4");
	look_type(bytes_str("现场情况说明：门锁完好。\n"), type);
	assert_string_equal(type, "text/plain");
	look_type(bytes_of(elf, sizeof(elf)), type);
	assert_true(strncmp(type, "image/", 6) != 0);
	look_type(bytes_of(NULL, 0), type);
	assert_string_equal(type, "application/octet-stream");
	look_close();
	look_type(buf_view(&b), type);
	assert_string_equal(type, "application/octet-stream");
	buf_free(&b);
}

/* Would catch: a recorder's transport stream left on the card as if it were no
 * film; text or noise taken for one. */
static void
test_transport_streams_are_films(void **state)
{
	uint8_t b[8 * 192];
	char type[LOOK_TYPE_MAX + 1];

	(void)state;
	EXPECT_OK(look_open());
	memset(b, 0, sizeof(b));
	for (size_t i = 0; i < 8; i++)
		b[i * 188] = 0x47;
	look_type(bytes_of(b, 8 * 188), type);
	assert_string_equal(type, "video/mp2t");
	look_type(bytes_of(b, 7 * 188), type);
	assert_string_equal(type, "application/octet-stream");
	b[3 * 188] = 0x46;
	look_type(bytes_of(b, 8 * 188), type);
	assert_string_equal(type, "application/octet-stream");
	memset(b, 0, sizeof(b));
	for (size_t i = 0; i < 8; i++)
		b[4 + i * 192] = 0x47;
	look_type(bytes_of(b, sizeof(b)), type);
	assert_string_equal(type, "video/mp2t");
	memset(b, 'G', sizeof(b)); /* 0x47 everywhere: text */
	look_type(bytes_of(b, sizeof(b)), type);
	assert_string_equal(type, "text/plain");
	look_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transport_streams_are_films),
		cmocka_unit_test(
		    test_a_small_picture_shows_what_the_image_does),
		cmocka_unit_test(test_a_picture_stands_as_exif_says),
		cmocka_unit_test(test_torn_and_changed_images_do_no_harm),
		cmocka_unit_test(
		    test_an_image_that_claims_too_many_pixels_is_left_alone),
		cmocka_unit_test(test_types_are_told_by_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
