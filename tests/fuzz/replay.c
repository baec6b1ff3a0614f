/*
 * replay: run a fuzz target over every file of a folder, once, in the order of
 * their names; for the builds that have no libFuzzer.  An empty folder is a
 * failure: it would guard nothing.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/port.h"
#include "fuzz/fuzz.h"

enum { INPUT_BYTES_MAX = 16 << 20, PATH_MAX_LEN = 4096 };

static int
is_input(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void
replay(const char *folder, const char *name)
{
	char path[PATH_MAX_LEN];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	struct buf in;
	uint8_t *copy;

	CHECK(n > 0 && (size_t)n < sizeof(path));
	buf_init(&in, INPUT_BYTES_MAX);
	CHECK(port_read_file(port_system(), path, &in) == ST_OK);
	/* Of exactly its length, so that a step past the end is seen. */
	copy = malloc(in.len > 0 ? in.len : 1);
	CHECK(copy != NULL);
	if (in.len > 0)
		memcpy(copy, in.p, in.len);
	/* The last name printed is the input that failed. */
	(void)printf("%s\n", name);
	(void)fflush(stdout);
	(void)LLVMFuzzerTestOneInput(copy, in.len);
	free(copy);
	buf_free(&in);
}

int
main(int argc, char **argv)
{
	struct dirent **list = NULL;
	int count;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	count = scandir(argv[1], &list, is_input, alphasort);
	if (count <= 0) {
		(void)fprintf(stderr, "%s: no inputs\n", argv[1]);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		replay(argv[1], list[i]->d_name);
		free(list[i]);
	}
	free(list);
	(void)printf("%d inputs\n", count);
	return 0;
}
