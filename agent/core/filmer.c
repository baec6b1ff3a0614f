/* filmer: daybreak-film, run on one open file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/core/desk_impl.h"
#include "agent/core/keyless.h"

/* As film_main.c reads it. */
#define FILM_TIMES_ALONE "DAYBREAK_FILM=times"
enum { ANSWER_MAX = 16384, WAIT_MS = 120000, FILM_BLIND = 2 };

static void
unknown(struct film_told *out)
{
	static const char word[] = "application/octet-stream";

	memset(out, 0, sizeof(*out));
	memcpy(out->type, word, sizeof(word));
}

static bool
start(const char *program, int fd, bool codes, int answer[2], pid_t *pid)
{
	bool ok;

	if (pipe2(answer, O_CLOEXEC) != 0)
		return false;
	ok = keyless_start(program, "daybreak-film",
	    codes ? NULL : FILM_TIMES_ALONE, fd, answer[1], pid);
	(void)close(answer[1]);
	if (!ok)
		(void)close(answer[0]);
	return ok;
}

/* All it says; false: too much, or too late. */
static bool
hear(int fd, struct buf *out)
{
	uint64_t end = port_mono_ms(port_system()) + WAIT_MS;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = port_mono_ms(port_system());
		uint8_t part[4096];
		ssize_t n;

		if (now >= end || out->err != ST_OK)
			return false;
		if (poll(&p, 1, (int)(end - now)) <= 0)
			continue;
		n = read(fd, part, sizeof(part));
		if (n == 0)
			return out->err == ST_OK;
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			buf_add(out, part, (size_t)n);
	}
}

/* ---- believed only as far as its form is right */

static bool
take_type(struct film_told *out, const char *line)
{
	size_t len = strlen(line);

	if (len < 3 || len > LOG_BLOB_TYPE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (line[i] <= ' ' || line[i] >= 0x7f || line[i] == '"' ||
		    line[i] == '\\')
			return false;
	}
	memcpy(out->type, line, len + 1);
	return true;
}

static void
take_line(struct film_told *out, const char *line)
{
	struct desk_code *c = &out->code[out->code_count];
	long long ms;
	char *end;

	if (strncmp(line, "made ", 5) == 0) {
		ms = strtoll(line + 5, &end, 10);
		out->has_made = *end == '\0' && ms > 0 && ms < 1LL << 48;
		out->made_ms = ms;
	} else if (strncmp(line, "length ", 7) == 0) {
		ms = strtoll(line + 7, &end, 10);
		out->has_length = *end == '\0' && ms >= 0 && ms < 1LL << 40;
		out->length_ms = (uint64_t)ms;
	} else if (strncmp(line, "code ", 5) == 0 &&
		   out->code_count < DESK_CODES_SEEN_MAX) {
		ms = strtoll(line + 5, &end, 10);
		if (*end == ' ' && ms >= 0 && ms < 1LL << 40 &&
		    desk_code_read(c, end + 1)) {
			c->at_ms = (uint64_t)ms;
			out->code_count++;
		}
	}
}

static void
take(struct film_told *out, char *text)
{
	bool first = true;

	for (char *line = text, *lf; (lf = strchr(line, '\n')) != NULL;
	     line = lf + 1) {
		*lf = '\0';
		if (first && !take_type(out, line))
			return;
		if (!first)
			take_line(out, line);
		first = false;
	}
}

enum status
filmer_run(const char *program, int fd, bool codes, struct film_told *out)
{
	int answer[2], how = 0;
	enum status st;
	struct buf said;
	pid_t pid;
	bool heard;

	unknown(out);
	if (lseek(fd, 0, SEEK_SET) != 0 ||
	    !start(program, fd, codes, answer, &pid))
		return ST_IO;
	buf_init(&said, ANSWER_MAX);
	heard = hear(answer[0], &said);
	(void)close(answer[0]);
	if (!heard)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		continue;
	heard = heard && WIFEXITED(how);
	st = said.err == ST_NOMEM                             ? ST_NOMEM
	     : heard && WEXITSTATUS(how) == FILM_BLIND        ? ST_ABSENT
	     : heard && WEXITSTATUS(how) == 0 && said.len > 0 ? ST_OK
							      : ST_IO;
	buf_u8(&said, '\0');
	if (st == ST_OK && said.err != ST_OK)
		st = said.err;
	if (st == ST_OK)
		take(out, (char *)said.p);
	buf_free(&said);
	return st;
}
