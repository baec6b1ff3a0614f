#include "agent/blob/blob_hand.h"

static void *
hand_run(void *arg)
{
	struct blob_hand *h = arg;

	(void)pthread_mutex_lock(&h->lock);
	for (;;) {
		while (!h->busy && !h->leave)
			(void)pthread_cond_wait(&h->turn, &h->lock);
		if (!h->busy)
			break;
		(void)pthread_mutex_unlock(&h->lock);
		h->job(h->arg);
		(void)pthread_mutex_lock(&h->lock);
		h->busy = false;
		(void)pthread_cond_signal(&h->turn);
	}
	(void)pthread_mutex_unlock(&h->lock);
	return NULL;
}

void
blob_hand_init(struct blob_hand *h)
{
	*h = (struct blob_hand){ .runs = false };
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_cond_init(&h->turn, NULL);
}

void
blob_hand_wait(struct blob_hand *h)
{
	if (!h->runs)
		return;
	(void)pthread_mutex_lock(&h->lock);
	while (h->busy)
		(void)pthread_cond_wait(&h->turn, &h->lock);
	(void)pthread_mutex_unlock(&h->lock);
}

void
blob_hand_give(struct blob_hand *h, void (*job)(void *arg), void *arg)
{
	if (!h->runs)
		h->runs = pthread_create(&h->thread, NULL, hand_run, h) == 0;
	if (!h->runs) {
		job(arg);
		return;
	}
	blob_hand_wait(h);
	(void)pthread_mutex_lock(&h->lock);
	h->job = job;
	h->arg = arg;
	h->busy = true;
	(void)pthread_cond_signal(&h->turn);
	(void)pthread_mutex_unlock(&h->lock);
}

void
blob_hand_end(struct blob_hand *h)
{
	if (h->runs) {
		blob_hand_wait(h);
		(void)pthread_mutex_lock(&h->lock);
		h->leave = true;
		(void)pthread_cond_signal(&h->turn);
		(void)pthread_mutex_unlock(&h->lock);
		(void)pthread_join(h->thread, NULL);
		h->runs = false;
	}
	(void)pthread_cond_destroy(&h->turn);
	(void)pthread_mutex_destroy(&h->lock);
}
