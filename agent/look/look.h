#ifndef AGENT_LOOK_LOOK_H
#define AGENT_LOOK_LOOK_H
/*
 * look: what sort of file this is, and a small picture of an image.
 *
 * Files of strangers are hostile: what looks into them is a program of its own
 * (daybreak-look), without keys, without files, with little memory and time
 * (look_main.c).  It reads the file on standard input, as far as it needs it,
 * and writes the media type, LF, and the JPEG of the small picture if there is
 * one, on standard output.
 *
 * Types are libmagic's, by content; pictures by libjpeg, libpng and libwebp.
 */
#include "base/buf.h"

enum {
	LOOK_TYPE_MAX = 127,
	LOOK_TYPE_BYTES = 1 << 20,   /* read to tell the type */
	LOOK_IMAGE_BYTES = 32 << 20, /* of an image, at most */
	LOOK_THUMB_MAX = 6144,       /* bytes of the small picture */
	LOOK_THUMB_SIDE = 160,       /* pixels */
	LOOK_SIDE_MAX = 30000,       /* pixels of an image's side */
	LOOK_PIXELS_MAX = 120000000, /* of an image; */
	LOOK_PIXELS_HELD = 16000000, /* of one that must be held whole */
	LOOK_ANSWER_MAX = LOOK_TYPE_MAX + 1 + LOOK_THUMB_MAX
};

/* Load libmagic's database, while files may still be opened.  ST_ABSENT:
 * there is none; then every type is application/octet-stream. */
MUST_CHECK enum status look_open(void);
void look_close(void);

/* The media type of what begins with these bytes; always a valid one. */
void look_type(struct bytes begin, char out[LOOK_TYPE_MAX + 1]);

/* True if look_thumb can do something with that type. */
bool look_is_image(const char *type);

/* A JPEG of at most LOOK_THUMB_MAX bytes, appended.  ST_INVALID: not an image
 * that can be read, or too large. */
MUST_CHECK enum status look_thumb(
    const char *type, struct bytes image, struct buf *out);

/* ---- shared by the files of this room */

/* A picture being made smaller, row by row: the mean of what falls into each
 * of its pixels. */
struct look_small {
	uint32_t from_w, from_h, w, h;
	uint32_t *sum;   /* owned; w * h * 3 */
	uint32_t *count; /* owned; w * h */
	uint8_t *rows;   /* owned; the decoder's, freed here if it jumps */
};
MUST_CHECK enum status look_small_begin(
    struct look_small *s, uint32_t w, uint32_t h);
void look_small_row(struct look_small *s, uint32_t y, const uint8_t *rgb);
void look_small_free(struct look_small *s);

/* Turned as EXIF says (1 to 8), then written as JPEG within the limit. */
MUST_CHECK enum status look_small_write(
    const struct look_small *s, int orientation, struct buf *out);

MUST_CHECK enum status look_jpeg(
    struct bytes image, struct look_small *s, int *orientation);
MUST_CHECK enum status look_png(struct bytes image, struct look_small *s);
MUST_CHECK enum status look_webp(
    struct bytes image, struct look_small *s, int *orientation);

/* Orientation in an APP1 marker's bytes, 1 where it says none; and the same of
 * EXIF that may come without the marker's lead. */
int look_exif(struct bytes app1);
int look_exif_any(struct bytes exif);

#endif
