#include "support/tmpdir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/expect.h"

enum { SLOTS = 8 };

void
tmpdir_make(struct tmpdir *t)
{
	const char *base = getenv("TMPDIR");
	int n = snprintf(t->path, sizeof(t->path), "%s/daybreak-XXXXXX",
	    base != NULL ? base : "/tmp");

	EXPECT(n > 0 && (size_t)n < sizeof(t->path));
	EXPECT(mkdtemp(t->path) != NULL);
}

static int
remove_one(const char *path, const struct stat *sb, int flag, struct FTW *ftw)
{
	(void)sb;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void
tmpdir_remove(struct tmpdir *t)
{
	EXPECT(nftw(t->path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
	t->path[0] = '\0';
}

const char *
tmpdir_file(const struct tmpdir *t, const char *name)
{
	static _Thread_local char slot[SLOTS][2 * TMPDIR_MAX];
	static _Thread_local unsigned next;
	char *out = slot[next++ % SLOTS];
	int n = snprintf(out, sizeof(slot[0]), "%s/%s", t->path, name);

	EXPECT(n > 0 && (size_t)n < sizeof(slot[0]));
	return out;
}
