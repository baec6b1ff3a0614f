/*
 * A centre that is killed with -9 while it commits, again and again: what it
 * acknowledged is there, in its place, and the log verifies.
 *
 * DAYBREAK_KILL_ROUNDS: how often (8).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/court.h"
#include "support/court_verify.h"

enum { ENTRIES = 4000, PIECE = 7 };

/* What the child tells after each acknowledged piece. */
struct told {
	uint64_t seq, place;
	uint8_t link[HASH_LEN];
};

static void
child(struct court *ct, const struct handheld *h, int out)
{
	struct centre_chain chain;
	uint64_t next = 1;

	court_open(ct);
	EXPECT_OK(committer_start(centre_committer(ct->c)));
	if (centre_chain(ct->c, h->chain, &chain) == ST_OK)
		next = chain.last_seq + 1;
	while (next + PIECE - 1 <= ENTRIES) {
		struct ingest_ack a = court_send(ct, h, next, next + PIECE - 1);
		struct told t = { .seq = a.seq, .place = a.place };

		EXPECT(a.status == ACK_TAKEN && a.has_place);
		memcpy(t.link, a.link, HASH_LEN);
		EXPECT(write(out, &t, sizeof(t)) == (ssize_t)sizeof(t));
		next = a.seq + 1;
	}
	(void)pause(); /* all sent: wait for the end */
}

static void
wait_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

/* One life of the child; what it told last is in *last. */
static void
live_and_die(
    struct court *ct, const struct handheld *h, long ms, struct told *last)
{
	struct told t;
	int fd[2], status;
	pid_t pid;

	EXPECT(pipe(fd) == 0);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0) {
		(void)close(fd[0]);
		child(ct, h, fd[1]);
		_exit(0);
	}
	(void)close(fd[1]);
	wait_ms(ms);
	EXPECT(kill(pid, SIGKILL) == 0);
	EXPECT(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (read(fd[0], &t, sizeof(t)) == (ssize_t)sizeof(t))
		*last = t;
	(void)close(fd[0]);
}

static void
test_centre_killed_loses_nothing_acknowledged(void **state)
{
	const char *env = getenv("DAYBREAK_KILL_ROUNDS");
	long rounds = env == NULL ? 8 : strtol(env, NULL, 10);
	struct court *ct = calloc(1, sizeof(*ct));
	struct told last = { 0 };
	struct handheld h;

	(void)state;
	EXPECT(ct != NULL);
	court_make(ct);
	court_handheld(ct, &h, 1);
	handheld_write(&h, ENTRIES);
	court_close(ct);
	for (long i = 0; i < rounds; i++) {
		struct centre_reader *r;
		struct centre_entry e;

		live_and_die(ct, &h, 60 + i * 37 % 200, &last);
		court_open(ct);
		court_verify(ct);
		if (last.seq > 0) {
			EXPECT_OK(centre_reader_open(&r, ct->c));
			EXPECT_OK(centre_entry(r, last.place, &e));
			EXPECT(e.seq == last.seq);
			EXPECT(memcmp(e.link, last.link, HASH_LEN) == 0);
			EXPECT_BYTES(e.bytes, h.entry[last.seq - 1].raw);
			centre_reader_close(r);
		}
		court_close(ct);
	}
	EXPECT(last.seq > 0);
	court_open(ct);
	handheld_free(&h);
	court_end(ct);
	free(ct);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_centre_killed_loses_nothing_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
