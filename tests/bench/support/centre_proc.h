#ifndef BENCH_CENTRE_PROC_H
#define BENCH_CENTRE_PROC_H
/*
 * centre_proc: a court in a folder of its own, devices enrolled in it, and the
 * real daybreak-server on it as a process of its own, whose CPU can be read by
 * thread.  Any failure ends the program.
 */
#include <stdio.h>
#include <sys/types.h>

#include "base/buf.h"
#include "server/core/centre.h"
#include "support/tmpdir.h"

struct bench_device {
	uint8_t key[PUBKEY_LEN], secret[64];
	char dev[DEV_LEN + 1];
	struct buf cert, tls_key; /* DER */
};

struct centre_proc {
	struct tmpdir dir;
	char court_dir[TMPDIR_MAX + 16];
	char bin[4096]; /* folder of the programs: this one's own */
	uint8_t court_id[HASH_LEN];
	struct note_key log;
	struct buf ca; /* its certificate, DER */
	pid_t pid;
	FILE *out; /* of the server */
	uint16_t devices, console, public_port;
};

extern const char bench_court[]; /* the court's code */
extern const char bench_token[]; /* a bearer token that it takes */

/* Make the court; nothing runs yet.  Below $TMPDIR, or /tmp. */
void centre_proc_make(struct centre_proc *p);

/* Enrol devices, each of a person of its own without a team, whose records
 * therefore go to nobody else.  While no server runs. */
void centre_proc_enrol(
    struct centre_proc *p, struct bench_device *d, size_t count);
void bench_device_free(struct bench_device *d);

/* Start the server and wait until it is ready; microseconds it took. */
double centre_proc_start(struct centre_proc *p);
void centre_proc_stop(struct centre_proc *p); /* wait for its end */
void centre_proc_remove(struct centre_proc *p);

/* CPU of its threads so far, in microseconds. */
struct centre_cpu {
	double net, work, commit, feed, project, other;
};
void centre_proc_cpu(const struct centre_proc *p, struct centre_cpu *out);

/* Forget the pages of all files in its folder, as far as the system lets us:
 * what is read next comes from the disk. */
void centre_proc_cool(const struct centre_proc *p);

#endif
