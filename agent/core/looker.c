/* looker: daybreak-look, run on the opened bytes of one file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/blob/blob_file.h"
#include "agent/core/blobs.h"
#include "agent/core/keyless.h"

enum {
	ANSWER_MAX = 8192,
	WAIT_MS = 20000, /* for all of it */
	GIVE_MAX = 33 << 20,
	STEP = 65536
};

static void
unknown(char type[LOG_BLOB_TYPE_MAX + 1])
{
	static const char word[] = "application/octet-stream";

	memcpy(type, word, sizeof(word));
}

static uint64_t
now_ms(void)
{
	return port_mono_ms(port_system());
}

/* Wait until the socket is ready for `what`; false after the end. */
static bool
ready(int fd, short what, uint64_t end_ms)
{
	struct pollfd p = { .fd = fd, .events = what };
	uint64_t now = now_ms();
	int n;

	if (now >= end_ms)
		return false;
	n = poll(&p, 1, (int)(end_ms - now));
	return n > 0 || (n < 0 && errno == EINTR);
}

/* Give it the file until it has seen enough. */
static void
give(int fd, struct blob_reader *r, uint64_t size, uint64_t end_ms)
{
	uint8_t *chunk = malloc(STEP);
	uint64_t off = 0;
	size_t got = 0, done = 0;

	while (
	    chunk != NULL && (done < got || (off < size && off < GIVE_MAX))) {
		ssize_t n;

		if (done == got) {
			if (blob_reader_read(r, off, chunk, STEP, &got) !=
				ST_OK ||
			    got == 0)
				break;
			off += got;
			done = 0;
		}
		if (!ready(fd, POLLOUT, end_ms))
			break;
		n = send(
		    fd, chunk + done, got - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			break; /* it has seen enough, or is gone */
		done += n > 0 ? (size_t)n : 0;
	}
	if (chunk != NULL)
		memset(chunk, 0, STEP);
	free(chunk);
	(void)shutdown(fd, SHUT_WR);
}

static bool
hear(int fd, struct buf *out, uint64_t end_ms)
{
	for (;;) {
		uint8_t part[4096];
		ssize_t n;

		if (!ready(fd, POLLIN, end_ms))
			return false;
		n = recv(fd, part, sizeof(part), MSG_DONTWAIT);
		if (n == 0)
			return out->err == ST_OK;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return errno == ECONNRESET && out->len > 0;
		if (n > 0)
			buf_add(out, part, (size_t)n);
		if (out->err != ST_OK)
			return false;
	}
}

static bool
start(const char *program, int fds[2], pid_t *pid)
{
	bool ok;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return false;
	ok = keyless_start(program, "daybreak-look", NULL, fds[1], fds[1], pid);
	(void)close(fds[1]);
	if (!ok)
		(void)close(fds[0]);
	return ok;
}

/* "type LF jpeg": believed only as far as its form is right. */
static void
take(struct bytes in, char type[LOG_BLOB_TYPE_MAX + 1], struct buf *thumb)
{
	const uint8_t *lf = memchr(in.p, '\n', in.len);
	size_t len = lf == NULL ? 0 : (size_t)(lf - in.p);

	if (len < 3 || len > LOG_BLOB_TYPE_MAX)
		return;
	for (size_t i = 0; i < len; i++) {
		if (in.p[i] <= ' ' || in.p[i] >= 0x7f || in.p[i] == '"' ||
		    in.p[i] == '\\')
			return;
	}
	memcpy(type, in.p, len);
	type[len] = '\0';
	in = bytes_of(lf + 1, in.len - len - 1);
	if (in.len > 3 && memcmp(in.p, "\xff\xd8\xff", 3) == 0)
		buf_bytes(thumb, in);
}

void
looker_run(const char *program, struct blob_reader *r, uint64_t size,
    char type[LOG_BLOB_TYPE_MAX + 1], struct buf *thumb)
{
	uint64_t end_ms = now_ms() + WAIT_MS;
	int fds[2], how = 0;
	struct buf answer;
	pid_t pid;
	bool heard;

	unknown(type);
	if (program == NULL || !start(program, fds, &pid))
		return;
	buf_init(&answer, ANSWER_MAX);
	give(fds[0], r, size, end_ms);
	heard = hear(fds[0], &answer, end_ms);
	(void)close(fds[0]);
	if (!heard)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		continue;
	if (heard && WIFEXITED(how) && WEXITSTATUS(how) == 0 && answer.len > 0)
		take(buf_view(&answer), type, thumb);
	buf_free(&answer);
}
