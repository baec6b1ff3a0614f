#ifndef AGENT_FILM_FILM_H
#define AGENT_FILM_FILM_H
/*
 * film: what a recording says of itself: when it was made, how long it is, and
 * the clock codes that are seen in it.
 *
 * Recordings are files of strangers, and their decoders the largest there are:
 * what looks into them is a program of its own (daybreak-film, film_main.c),
 * without keys, without files but the one on its standard input, with little
 * memory and time.  Only the containers and codecs of recorders are read
 * (film.c), the rest is a file like any other.
 *
 * Containers and codecs are FFmpeg's, codes in pictures zbar's, types
 * libmagic's (agent/look).
 */
#include "agent/look/look.h"

enum {
	FILM_CODES_MAX = 64,
	FILM_CODE_LEN = 96,         /* of a clock code's text, at most */
	FILM_PIXELS_MAX = 40000000, /* of a picture that is looked at */
	FILM_FIRST_MS = 5 * 60000, /* codes are looked for from the start … */
	FILM_LAST_MS = 60000,      /* … and before the end */
	FILM_CPU_S = 30,           /* spent on looking for codes */
	FILM_ANSWER_MAX =
	    LOOK_TYPE_MAX + 64 + FILM_CODES_MAX * (FILM_CODE_LEN + 24)
};

struct film_code {
	uint64_t at_ms; /* of the picture, from the beginning of the film */
	char text[FILM_CODE_LEN + 1]; /* capitals, digits and ":" */
};

struct film_said {
	char type[LOOK_TYPE_MAX + 1]; /* media type by content */
	bool has_made;
	int64_t made_ms; /* since 1970: when it began, by its own word */
	bool has_length; /* false of what is damaged, and of what is no film */
	uint64_t length_ms;
	size_t count;
	struct film_code code[FILM_CODES_MAX]; /* in order of time */
};

/*
 * Look at the file behind `fd`, which can be sought; look_open before.  Not
 * `codes`: no picture is decoded.  What cannot be told is left out.  ST_NOMEM;
 * ST_IO where it cannot be read.
 */
MUST_CHECK enum status film_read(int fd, bool codes, struct film_said *out);

/* As daybreak-film writes it: TYPE LF, then "made MS" LF and "length MS" LF
 * where they are known, and "code AT_MS TEXT" LF for each. */
void film_write(const struct film_said *said, struct buf *out);

/*
 * From now on this process reads what is open, writes an answer, takes memory
 * that is never run, and ends; every other call into the system fails (EPERM,
 * by a filter of the kernel's that nothing can take off).  A GiB, a minute of
 * CPU, no core.  False: the system does not allow that; nothing is to be read
 * then.
 */
MUST_CHECK bool film_confine(void);

/* ---- shared by the files of this room */

struct AVFrame;
struct film_eye; /* private to film_eye.c */
MUST_CHECK enum status film_eye_new(struct film_eye **out);
void film_eye_free(struct film_eye *e);
/* Take the clock codes of one picture; what has no brightness plane of
 * 8, 10 or 12 bits, or is too large, shows none. */
MUST_CHECK enum status film_eye_look(struct film_eye *e,
    const struct AVFrame *frame, uint64_t at_ms, struct film_said *out);

#endif
