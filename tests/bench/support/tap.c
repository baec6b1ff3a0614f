#include "bench/support/tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/expect.h"

struct tap {
	int listen_fd, stop[2]; /* a pipe: closed at the end */
	_Atomic uint16_t to;
	_Atomic uint64_t up, down, connections;
	pthread_t thread;
};

static void
loopback(struct sockaddr_in *sa, uint16_t port)
{
	memset(sa, 0, sizeof(*sa));
	sa->sin_family = AF_INET;
	sa->sin_port = htons(port);
	sa->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* Hand on what has come; false at the end of the stream. */
static bool
hand_on(int from, int to, _Atomic uint64_t *count)
{
	uint8_t chunk[65536];
	ssize_t n = recv(from, chunk, sizeof(chunk), 0);

	/* Counted before it is handed on: who has an answer in hand finds it
	 * in the counts. */
	if (n <= 0)
		return false;
	*count += (uint64_t)n;
	for (ssize_t at = 0, w; at < n; at += w) {
		w = send(to, chunk + at, (size_t)(n - at), MSG_NOSIGNAL);
		if (w <= 0)
			return false;
	}
	return true;
}

/* False when told to stop. */
static bool
serve(struct tap *t, int client)
{
	struct sockaddr_in sa;
	struct pollfd fd[3];
	int one = 1, server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool go_on = true, open;

	EXPECT(server >= 0);
	loopback(&sa, t->to);
	open = connect(server, (struct sockaddr *)&sa, sizeof(sa)) == 0;
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fd[0] = (struct pollfd){ .fd = client, .events = POLLIN };
	fd[1] = (struct pollfd){ .fd = server, .events = POLLIN };
	fd[2] = (struct pollfd){ .fd = t->stop[0], .events = POLLIN };
	while (open && go_on) {
		(void)poll(fd, 3, -1);
		go_on = fd[2].revents == 0;
		if (fd[0].revents != 0)
			open = hand_on(client, server, &t->up);
		if (open && fd[1].revents != 0)
			open = hand_on(server, client, &t->down);
	}
	(void)close(server);
	(void)close(client);
	return go_on;
}

static void *
tap_thread(void *arg)
{
	struct tap *t = arg;
	struct pollfd fd[2] = { { .fd = t->listen_fd, .events = POLLIN },
		{ .fd = t->stop[0], .events = POLLIN } };

	for (;;) {
		int client;

		(void)poll(fd, 2, -1);
		if (fd[1].revents != 0)
			return NULL;
		client = accept(t->listen_fd, NULL, NULL);
		if (client < 0)
			continue;
		t->connections++;
		if (!serve(t, client))
			return NULL;
	}
}

struct tap *
tap_new(uint16_t *port)
{
	struct tap *t = calloc(1, sizeof(*t));
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);

	EXPECT(t != NULL && pipe2(t->stop, O_CLOEXEC) == 0);
	t->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(t->listen_fd >= 0);
	loopback(&sa, 0);
	EXPECT(bind(t->listen_fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	EXPECT(listen(t->listen_fd, 16) == 0);
	EXPECT(getsockname(t->listen_fd, (struct sockaddr *)&sa, &len) == 0);
	*port = ntohs(sa.sin_port);
	EXPECT(pthread_create(&t->thread, NULL, tap_thread, t) == 0);
	return t;
}

void
tap_to(struct tap *t, uint16_t port)
{
	t->to = port;
}

void
tap_free(struct tap *t)
{
	(void)close(t->stop[1]);
	(void)pthread_join(t->thread, NULL);
	(void)close(t->stop[0]);
	(void)close(t->listen_fd);
	free(t);
}

void
tap_counts(struct tap *t, struct tap_counts *out)
{
	out->up = t->up;
	out->down = t->down;
	out->connections = t->connections;
}
