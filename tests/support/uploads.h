#ifndef SUPPORT_UPLOADS_H
#define SUPPORT_UPLOADS_H
/*
 * uploads: the centre's room of files over a court in a folder of its own, and
 * requests that bring bytes to it as the network's thread does, one at a time.
 * For tests that link the server.
 */
#include <pthread.h>
#include <stdio.h>

#include "base/sha.h"
#include "server/evidence/custody.h"
#include "server/evidence/upload.h"
#include "support/court.h"

struct uploads {
	struct evidence_config cfg;
	struct evidence *ev;
};

/* Over a court that stands; `threads` as in evidence_config. */
static inline void
uploads_open(struct uploads *u)
{
	char why[EVIDENCE_ERRMSG_LEN];
	uint64_t done;

	expect_status(evidence_open(&u->ev, &u->cfg, why), ST_OK, why, __FILE__,
	    __LINE__);
	EXPECT_OK(evidence_follow(u->ev, 0, &done));
}

static inline void
uploads_begin(struct uploads *u, struct court *ct, unsigned threads)
{
	memset(u, 0, sizeof(*u));
	u->cfg.dir = ct->dir.path;
	u->cfg.centre = ct->c;
	u->cfg.port = &ct->clock.port;
	u->cfg.threads = threads;
	evidence_limits_default(&u->cfg.limits);
	u->cfg.limits.free_min = 0;
	uploads_open(u);
}

/* As a restart would. */
static inline void
uploads_restart(struct uploads *u)
{
	evidence_close(u->ev);
	uploads_open(u);
}

/* `len` bytes that no other seed gives; owned by the caller. */
static inline struct bytes
uploads_bytes(uint64_t seed, size_t len)
{
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	uint8_t *p = test_malloc(len + 1);

	for (size_t i = 0; i < len; i++) {
		x ^= x >> 12;
		x ^= x << 25;
		x ^= x >> 27;
		p[i] = (uint8_t)(x >> 32);
	}
	return bytes_of(p, len);
}

static inline void
uploads_free(struct bytes in)
{
	test_free((void *)(uintptr_t)in.p);
}

/* One request, and what it waits for. */
struct upload_trial {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned calls; /* that came and were not waited for */
	struct upload_info info;
	char meta[UPLOAD_META_MAX + 1];
};

static inline void
uploads_called(void *arg)
{
	struct upload_trial *t = arg;

	(void)pthread_mutex_lock(&t->lock);
	t->calls++;
	(void)pthread_cond_signal(&t->wake);
	(void)pthread_mutex_unlock(&t->lock);
}

static inline void
uploads_keep(struct upload_trial *t, const struct upload_info *info)
{
	t->info = *info;
	(void)snprintf(t->meta, sizeof(t->meta), "%s",
	    info->meta == NULL ? "" : info->meta);
	t->info.meta = t->meta;
}

static inline void
uploads_ended(void *arg, const struct upload_info *info)
{
	uploads_keep(arg, info);
	uploads_called(arg);
}

static inline void
uploads_wait(struct upload_trial *t)
{
	(void)pthread_mutex_lock(&t->lock);
	while (t->calls == 0)
		(void)pthread_cond_wait(&t->wake, &t->lock);
	t->calls--;
	(void)pthread_mutex_unlock(&t->lock);
}

static inline void
upload_trial_init(struct upload_trial *t)
{
	memset(t, 0, sizeof(*t));
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->wake, NULL);
}

static inline void
upload_trial_end(struct upload_trial *t)
{
	(void)pthread_mutex_destroy(&t->lock);
	(void)pthread_cond_destroy(&t->wake);
}

/* Begin; NULL if it was answered at once, or cannot be. */
static inline struct upload_run *
uploads_begin_run(
    struct uploads *u, struct upload_trial *t, const struct upload_ask *ask)
{
	static const struct upload_calls calls = { .ready = uploads_called,
		.room = uploads_called,
		.ended = uploads_ended };
	struct upload_run *run = upload_start(u->ev, ask, &calls, t);
	struct upload_info info;

	if (run == NULL) {
		t->info.why = UPLOAD_FAILED;
		t->info.st = ST_NOMEM;
		return NULL;
	}
	uploads_wait(t);
	upload_info(run, &info);
	if (info.why == UPLOAD_OK && (info.takes || ask->what == UPLOAD_WRITE))
		return run;
	uploads_keep(t, &info);
	upload_drop(run);
	return NULL;
}

/* Bytes of a body; false: it was answered, and the run is over. */
static inline bool
uploads_put(struct upload_run *run, struct upload_trial *t, struct bytes in)
{
	while (in.len > 0) {
		size_t n = in.len < 10000 ? in.len : 10000;
		struct upload_info info;

		switch (upload_put(run, bytes_of(in.p, n))) {
		case UPLOAD_PUT_OK:
			break;
		case UPLOAD_PUT_WAIT:
			uploads_wait(t);
			break;
		case UPLOAD_PUT_ENDED:
			upload_info(run, &info);
			uploads_keep(t, &info);
			upload_drop(run);
			return false;
		}
		in.p += n;
		in.len -= n;
	}
	return true;
}

/* One whole request; what became of it is in t->info. */
static inline void
uploads_ask(struct uploads *u, struct upload_trial *t,
    const struct upload_ask *ask, struct bytes body)
{
	struct upload_run *run = uploads_begin_run(u, t, ask);

	if (run == NULL || !uploads_put(run, t, body))
		return;
	upload_finish(run);
	uploads_wait(t);
}

static inline struct upload_ask
uploads_create(const char *dev, struct bytes whole, const char *meta)
{
	struct upload_ask ask = { .what = UPLOAD_CREATE,
		.length = whole.len,
		.meta = bytes_str(meta) };

	(void)snprintf(ask.dev, sizeof(ask.dev), "%s", dev);
	sha256(ask.digest, whole);
	return ask;
}

static inline struct upload_ask
uploads_at(
    const char *dev, const struct upload_info *where, enum upload_what what)
{
	struct upload_ask ask = { .what = what };

	(void)snprintf(ask.dev, sizeof(ask.dev), "%s", dev);
	memcpy(ask.id, where->id, UPLOAD_ID_LEN);
	return ask;
}

/* Bring all of it, from where it stands, in requests of `piece` bytes; the last
 * answer. */
static inline struct upload_info
uploads_bring(
    struct uploads *u, const char *dev, struct bytes whole, size_t piece)
{
	struct upload_ask ask = uploads_create(dev, whole, "sha256 x");
	struct upload_trial t;
	struct upload_info info;

	upload_trial_init(&t);
	uploads_ask(u, &t, &ask, bytes_of(NULL, 0));
	while (t.info.why == UPLOAD_OK && t.info.offset < whole.len) {
		struct bytes part = bytes_of(
		    whole.p + t.info.offset, whole.len - t.info.offset);

		if (part.len > piece)
			part.len = piece;
		ask = uploads_at(dev, &t.info, UPLOAD_WRITE);
		ask.offset = t.info.offset;
		ask.has_body = true;
		ask.body_len = part.len;
		uploads_ask(u, &t, &ask, part);
	}
	info = t.info;
	info.meta = NULL;
	upload_trial_end(&t);
	return info;
}

/* Is it in the store, whole? */
static inline bool
uploads_is_stored(struct uploads *u, struct bytes whole)
{
	uint8_t digest[HASH_LEN], is[HASH_LEN];
	struct buf path, file;
	bool same;

	sha256(digest, whole);
	buf_init(&path, 4096);
	buf_init(&file, 64 << 20);
	evidence_path(u->ev, digest, &path);
	same =
	    buf_cstr(&path) != NULL &&
	    port_read_file(port_system(), (const char *)path.p, &file) == ST_OK;
	if (same) {
		sha256(is, buf_view(&file));
		same = memcmp(is, digest, HASH_LEN) == 0;
	}
	buf_free(&path);
	buf_free(&file);
	return same;
}

static inline void
uploads_no_fault(void *arg, enum evidence_fault what, const char *name)
{
	/* Nobody names what tests bring. */
	if (what != EVIDENCE_ORPHAN)
		fail_msg("fault %d at %s", (int)what, name);
	(*(uint64_t *)arg)++;
}

/* The store is sound, and holds so many files. */
static inline void
uploads_check(struct uploads *u, uint64_t files)
{
	struct evidence_checked c;
	uint64_t orphans = 0, done;

	EXPECT_OK(evidence_follow(u->ev, 0, &done));
	EXPECT_OK(evidence_check(u->ev, uploads_no_fault, &orphans, &c));
	EXPECT(c.files == files);
}

#endif
