#ifndef AGENT_BLOB_BLOB_HAND_H
#define AGENT_BLOB_BLOB_HAND_H
/*
 * blob_hand: another pair of hands: one job at a time, done on a thread of its
 * own while its owner goes on.  The thread begins with the first job; where
 * there is none to be had, jobs are done at once by who gives them.
 *
 * Threads: one owner.
 */
#include <pthread.h>
#include <stdbool.h>

struct blob_hand {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	bool runs, busy, leave;
	void (*job)(void *arg);
	void *arg;
};

void blob_hand_init(struct blob_hand *h);

/* Wait for the job before, then have this one done.  What it uses is its own
 * until blob_hand_wait, or the next give, returns. */
void blob_hand_give(struct blob_hand *h, void (*job)(void *arg), void *arg);

/* Until the last job is done. */
void blob_hand_wait(struct blob_hand *h);

/* The same, and the thread ends. */
void blob_hand_end(struct blob_hand *h);

#endif
