/*
 * Recordings of strangers: whatever they are, an answer within its limit.  The
 * libraries that read them are fuzzed elsewhere: this is for what we do around
 * them.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "agent/film/film.h"
#include "fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct film_said said;
	static bool open;
	int fd = memfd_create("film", MFD_CLOEXEC);
	struct buf out;

	open = open || look_open() == ST_OK;
	CHECK(open && fd >= 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(film_read(fd, true, &said) == ST_OK);
	buf_init(&out, FILM_ANSWER_MAX);
	film_write(&said, &out);
	CHECK(out.err == ST_OK && out.len > 0);
	buf_free(&out);
	(void)close(fd);
	return 0;
}
