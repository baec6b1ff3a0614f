#ifndef SUPPORT_TMPDIR_H
#define SUPPORT_TMPDIR_H
/*
 * tmpdir: a folder of a test's own, gone with all that is in it afterwards.
 */

enum { TMPDIR_MAX = 256 };

struct tmpdir {
	char path[TMPDIR_MAX];
};

/* Below $TMPDIR, or /tmp.  Any failure ends the test. */
void tmpdir_make(struct tmpdir *t);

/* Remove it and everything below. */
void tmpdir_remove(struct tmpdir *t);

/* "<path>/<name>" in static storage of a few slots: valid for the next seven
 * calls. */
const char *tmpdir_file(const struct tmpdir *t, const char *name);

#endif
