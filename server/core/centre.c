#include "server/core/centre.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "crypt/secret.h"
#include "server/ca/ca.h"
#include "server/core/centre_folder.h"
#include "server/core/centre_inner.h"

/* ---- opening */

static enum status
meta_exact(struct store_reader *r, const char *name, void *out, size_t len)
{
	enum status st;
	struct buf b;

	buf_init(&b, 1024);
	st = store_meta(r, name, &b);
	if (st == ST_OK && b.len != len)
		st = ST_CORRUPT;
	if (st == ST_OK)
		memcpy(out, b.p, len);
	buf_free(&b);
	return st;
}

/*
 * Another process may have restored the court under us: then our log ended,
 * and one more checkpoint under its name would be of a tree that it never had.
 */
static enum status
check_superseded(struct centre *c)
{
	struct descriptor *d;
	enum status st;

	if (c->note.len == 0)
		return ST_OK; /* not open yet: open_keys looks */
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ST_NOMEM;
	st = descriptor_parse(d, buf_view(&c->descriptor));
	if (st == ST_OK &&
	    memcmp(d->log.public_key, c->log_key.public_key, PUBKEY_LEN) != 0) {
		(void)pthread_mutex_lock(&c->lock);
		c->halted = c->superseded = true;
		(void)pthread_mutex_unlock(&c->lock);
	}
	free(d);
	return st == ST_INVALID ? ST_CORRUPT : st;
}

/* What may change while it is open: descriptor, kept size, a halt. */
static enum status
load_facts(struct centre *c, struct store_reader *r)
{
	struct buf descriptor, halted;
	uint8_t kept[8] = { 0 };
	enum status st = centre_ended_load(c, r);

	buf_init(&descriptor, DESCRIPTOR_FILE_MAX);
	buf_init(&halted, NOTE_BYTES_MAX);
	if (st == ST_OK)
		st = store_meta(r, META_DESCRIPTOR, &descriptor);
	if (st == ST_OK) {
		st = meta_exact(r, META_KEPT, kept, sizeof(kept));
		st = st == ST_ABSENT ? ST_OK : st;
	}
	if (st == ST_OK) {
		st = store_meta(r, META_HALTED, &halted);
		st = st == ST_ABSENT ? ST_OK : st;
	}
	if (st == ST_OK) {
		struct buf old;

		(void)pthread_mutex_lock(&c->lock);
		old = c->descriptor;
		c->descriptor = descriptor;
		descriptor = old;
		c->kept = be64_get(kept);
		c->halted = c->halted || halted.len > 0;
		(void)pthread_mutex_unlock(&c->lock);
	}
	buf_free(&descriptor);
	buf_free(&halted);
	return st == ST_OK ? check_superseded(c) : st;
}

/* Where the server's own chain ends. */
static void
follow_chain(struct centre *c)
{
	struct chain_view v;

	if (chains_get(c->chains, serverchain_id(c->sc), &v))
		serverchain_at(
		    c->sc, v.branch[0].last_seq, v.branch[0].last_link);
}

enum status
centre_follow(
    struct centre *c, struct store_reader *r, const struct store_head *head)
{
	uint8_t root[HASH_LEN];
	enum status st;

	if (head->size == tlog_size(c->tlog)) {
		st = tlog_root(c->tlog, head->size, root);
		if (st == ST_OK && memcmp(root, head->root, HASH_LEN) != 0)
			st = ST_CORRUPT;
		return st;
	}
	/* Chains first: who reads an entry looks its chain up, so they must
	 * never be older than the tree.  If the tree then fails, the next try
	 * loads both again. */
	st = chains_load(c->chains, r);
	if (st == ST_OK)
		st = tlog_follow(c->tlog, r, head);
	if (st == ST_OK)
		st = load_facts(c, r);
	if (st == ST_OK)
		follow_chain(c);
	return st;
}

static enum status
sign_it(struct centre *c, const struct store_head *head)
{
	struct checkpoint cp = { .size = head->size };
	struct buf note, old;
	enum status st;

	memcpy(cp.origin, c->log_key.name, sizeof(cp.origin));
	memcpy(cp.root, head->root, HASH_LEN);
	buf_init(&note, NOTE_BYTES_MAX);
	st = checkpoint_sign(&cp, &c->log_key, c->log_secret, &note);
	if (st != ST_OK) {
		buf_free(&note);
		return st;
	}
	(void)pthread_mutex_lock(&c->lock);
	old = c->note;
	c->note = note;
	c->head = cp;
	(void)pthread_mutex_unlock(&c->lock);
	buf_free(&old);
	return ST_OK;
}

enum status
centre_sign_head(struct centre *c)
{
	struct store_reader *r = store_inside(c->store);
	struct store_head head;
	enum status st = store_head(r, &head);

	if (st == ST_OK)
		st = centre_follow(c, r, &head);
	if (st == ST_OK && c->superseded)
		st = ST_LOCKED;
	if (st != ST_OK)
		return st;
	if (c->note.len > 0 && c->head.size == head.size)
		return ST_OK;
	st = sign_it(c, &head);
	for (size_t i = 0; i < c->observer_count && st == ST_OK; i++)
		c->observer[i].fn(c->observer[i].arg, head.size);
	return st;
}

static enum status
open_store(struct centre *c, const char *vfs)
{
	struct store_config sc = { .vfs = vfs };
	char *path = folder_path(c->dir, FOLDER_STORE);
	enum status st;

	if (path == NULL)
		return ST_NOMEM;
	sc.path = path;
	st = store_sqlite_open(&c->store, &sc);
	free(path);
	return st;
}

/* The tree; tiles that are missing are made anew once. */
static enum status
open_tlog(struct centre *c)
{
	struct store_head head;
	enum status st = tlog_open(&c->tlog, c->store);

	if (st != ST_CORRUPT)
		return st;
	st = store_begin(c->store, &head);
	if (st != ST_OK)
		return st;
	st = tlog_repair(c->store);
	if (st == ST_OK)
		st = store_commit(c->store);
	else
		store_rollback(c->store);
	return st == ST_OK ? tlog_open(&c->tlog, c->store) : st;
}

/* The seed of a key that the descriptor names. */
static enum status
read_seed(const struct centre *c, const char *name, const char *next,
    const uint8_t *given, const uint8_t public_key[PUBKEY_LEN],
    uint8_t seed[32])
{
	if (given == NULL)
		return folder_seed_of(
		    c->port, c->dir, name, next, public_key, seed);
	memcpy(seed, given, 32);
	return ST_OK;
}

static enum status
open_serverchain(struct centre *c, const uint8_t public_key[PUBKEY_LEN])
{
	struct store_reader *r = store_inside(c->store);
	struct serverchain_config sc = {
		.port = c->port, .court = c->court, .court_id = c->court_id
	};
	uint8_t old[CHAIN_LEN + 8 + HASH_LEN];
	enum status st;

	st = meta_exact(r, META_SERVER_CHAIN, sc.chain, CHAIN_LEN);
	if (st != ST_OK)
		return st;
	st = meta_exact(r, META_SERVER_OLD, old, sizeof(old));
	if (st == ST_OK) {
		sc.has_old = true;
		memcpy(sc.old_chain, old, CHAIN_LEN);
		sc.old_seq = be64_get(old + CHAIN_LEN);
		memcpy(sc.old_link, old + CHAIN_LEN + 8, HASH_LEN);
	}
	if (c->next != NULL) {
		sc.has_old = true;
		memcpy(sc.chain, c->next->chain, CHAIN_LEN);
		memcpy(sc.old_chain, c->next->old_chain, CHAIN_LEN);
		sc.old_seq = c->next->old_seq;
		memcpy(sc.old_link, c->next->old_link, HASH_LEN);
	}
	if (st == ST_OK || st == ST_ABSENT)
		st = read_seed(c, FOLDER_SERVER_KEY, FOLDER_SERVER_NEXT,
		    c->next != NULL ? c->next->server_seed : NULL, public_key,
		    sc.seed);
	if (st == ST_OK)
		st = serverchain_new(&c->sc, &sc);
	sodium_memzero(sc.seed, sizeof(sc.seed));
	return st;
}

/* Keys must be those that the descriptor names. */
static enum status
open_keys(struct centre *c)
{
	struct descriptor *d = calloc(1, sizeof(*d));
	uint8_t seed[32], public_key[PUBKEY_LEN];
	enum status st;

	if (d == NULL)
		return ST_NOMEM;
	st = descriptor_parse(d, buf_view(&c->descriptor));
	if (st == ST_INVALID)
		st = ST_CORRUPT;
	c->log_secret = secret_new(crypto_sign_SECRETKEYBYTES);
	if (st == ST_OK && c->log_secret == NULL)
		st = ST_NOMEM;
	if (st == ST_OK)
		st = read_seed(c, FOLDER_LOG_KEY, FOLDER_LOG_NEXT,
		    c->next != NULL ? c->next->log_seed : NULL,
		    d->log.public_key, seed);
	if (st == ST_OK) {
		(void)crypto_sign_seed_keypair(public_key, c->log_secret, seed);
		sodium_memzero(seed, sizeof(seed));
		c->log_key = d->log;
		if (memcmp(public_key, d->log.public_key, PUBKEY_LEN) != 0)
			st = ST_DENIED;
	}
	if (st == ST_OK)
		st = open_serverchain(c, d->server);
	if (st == ST_OK &&
	    memcmp(serverchain_key(c->sc), d->server, PUBKEY_LEN) != 0)
		st = ST_DENIED;
	if (st == ST_OK)
		st = folder_read_ca(c->port, c->dir, &c->ca);
	free(d);
	return st;
}

static enum status
open_contents(struct centre *c)
{
	struct store_reader *r = store_inside(c->store);
	struct buf code;
	enum status st;

	buf_init(&code, DESCRIPTOR_COURT_MAX);
	st = store_meta(r, META_COURT, &code);
	if (st == ST_OK)
		memcpy(c->court, code.p, code.len);
	buf_free(&code);
	if (st == ST_OK)
		st = meta_exact(r, META_COURT_ID, c->court_id, HASH_LEN);
	if (st == ST_OK)
		st = store_meta(r, META_DESCRIPTOR_FIRST, &c->descriptor_first);
	if (st == ST_OK)
		st = load_facts(c, r);
	if (st == ST_OK && c->next != NULL) {
		buf_reset(&c->descriptor);
		buf_bytes(&c->descriptor, c->next->descriptor);
		st = c->descriptor.err;
		c->halted = false;
	}
	if (st == ST_OK)
		st = open_keys(c);
	if (st == ST_OK)
		st = chains_new(&c->chains, c->port);
	if (st == ST_OK)
		st = store_reader_open(&c->look, c->store);
	if (st == ST_OK)
		st = open_tlog(c);
	/* Another process may have committed in between: chains and facts that
	 * are newer than the tree are followed up to, older ones would stay. */
	if (st == ST_OK)
		st = chains_load(c->chains, r);
	if (st == ST_OK && c->next == NULL)
		st = load_facts(c, r);
	if (st == ST_OK)
		st = committer_new(&c->committer, c);
	if (st != ST_OK)
		return st;
	follow_chain(c);
	return centre_sign_head(c);
}

enum status
centre_open_next(struct centre **out, const struct centre_config *cfg,
    const struct centre_next *next, char errmsg[CENTRE_ERRMSG_LEN])
{
	struct centre *c = calloc(1, sizeof(*c));
	enum status st;

	errmsg[0] = '\0';
	if (c == NULL || sodium_init() < 0) {
		free(c);
		return ST_NOMEM;
	}
	c->port = cfg->port;
	c->next = next;
	c->awaited_old = true;
	c->public_minute = cfg->public_minute;
	c->public_offset_min = cfg->public_offset_min;
	buf_init(&c->note, NOTE_BYTES_MAX);
	buf_init(&c->descriptor, DESCRIPTOR_FILE_MAX);
	buf_init(&c->descriptor_first, DESCRIPTOR_FILE_MAX);
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_mutex_init(&c->look_lock, NULL);
	c->dir = folder_path(cfg->dir, NULL);
	st = c->dir == NULL ? ST_NOMEM : open_store(c, cfg->vfs);
	if (st == ST_OK)
		st = open_contents(c);
	c->next = NULL;
	if (st != ST_OK) {
		(void)snprintf(errmsg, CENTRE_ERRMSG_LEN,
		    "%s: cannot open the court: %s", cfg->dir, status_text(st));
		centre_close(c);
		return st;
	}
	*out = c;
	return ST_OK;
}

enum status
centre_open_empty(struct centre **out, const struct centre_config *cfg,
    char errmsg[CENTRE_ERRMSG_LEN])
{
	return centre_open_next(out, cfg, NULL, errmsg);
}

enum status
centre_open(struct centre **out, const struct centre_config *cfg,
    char errmsg[CENTRE_ERRMSG_LEN])
{
	struct centre *c;
	enum status st;

	if (folder_is_unfinished(cfg->port, cfg->dir)) {
		(void)snprintf(errmsg, CENTRE_ERRMSG_LEN,
		    "%s: a restore into it was cut short: run it again",
		    cfg->dir);
		return ST_ABSENT;
	}
	st = centre_open_empty(&c, cfg, errmsg);
	if (st != ST_OK)
		return st;
	if (c->head.size == 0) {
		(void)snprintf(errmsg, CENTRE_ERRMSG_LEN,
		    "%s: the court was never finished", cfg->dir);
		centre_close(c);
		return ST_ABSENT;
	}
	*out = c;
	return ST_OK;
}

void
centre_close(struct centre *c)
{
	if (c == NULL)
		return;
	if (c->committer != NULL)
		committer_stop(c->committer);
	committer_free(c->committer);
	tlog_close(c->tlog);
	serverchain_free(c->sc);
	chains_free(c->chains);
	store_reader_close(c->look);
	store_close(c->store);
	ca_close(c->ca);
	secret_free(c->log_secret);
	buf_free(&c->note);
	buf_free(&c->descriptor);
	buf_free(&c->descriptor_first);
	free(c->attempt);
	free(c->ended);
	free(c->awaited);
	free(c->dir);
	(void)pthread_mutex_destroy(&c->lock);
	(void)pthread_mutex_destroy(&c->look_lock);
	free(c);
}

/* ---- following */

void
centre_observe(struct centre *c, centre_observer fn, void *arg)
{
	assert(c->observer_count < CENTRE_OBSERVERS_MAX);
	c->observer[c->observer_count++] =
	    (struct centre_observing){ .fn = fn, .arg = arg };
	fn(arg, c->head.size);
}

void
centre_set_standing(struct centre *c, centre_standing fn, void *arg)
{
	c->standing = fn;
	c->standing_arg = arg;
}

/* A job of nothing: the committer looks at the head row, and follows. */
static void
poll_done(void *arg, enum status st)
{
	(void)st; /* the next poll tries again */
	free(arg);
}

void
centre_poll(struct centre *c)
{
	struct commit_job *job;
	struct store_head head;
	enum status st;

	(void)pthread_mutex_lock(&c->look_lock);
	st = store_head(c->look, &head);
	(void)pthread_mutex_unlock(&c->look_lock);
	if (st != ST_OK || head.size == tlog_size(c->tlog))
		return;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return;
	job->done = poll_done;
	job->arg = job;
	committer_submit(c->committer, job);
}
