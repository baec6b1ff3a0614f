#include "agent/log/log.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/log/log_inner.h"

enum status
log_fail(struct log *l, enum status st, const char *what)
{
	const char *more = st == ST_IO || st == ST_FULL || st == ST_CORRUPT
			       ? db_errmsg(l->db)
			       : "";

	/* The next write rebuilds what can be rebuilt. */
	l->mend_due = l->mend_due || st == ST_CORRUPT;
	(void)snprintf(l->errmsg, sizeof(l->errmsg), "%s: %s%s%s", what,
	    status_text(st), more[0] == '\0' ? "" : ": ", more);
	return st;
}

const char *
log_errmsg(const struct log *l)
{
	return l->errmsg;
}

/* ---- life */

static enum status
copy_path(struct log *l, const struct log_config *c)
{
	size_t len;

	/* A reserve stands beside a file of the system's, nowhere else. */
	if (c->vfs != NULL)
		return ST_OK;
	len = strlen(c->path) + 1;
	l->path = malloc(len);
	if (l->path == NULL)
		return ST_NOMEM;
	memcpy(l->path, c->path, len);
	return ST_OK;
}

static enum status
open_file(struct log **out, const struct log_config *c, bool create)
{
	struct chainfile_config fc = { .path = c->path,
		.vfs = c->vfs,
		.port = c->port,
		.create = create,
		.busy_ms = c->busy_ms };
	struct log *l = calloc(1, sizeof(*l));
	enum status st;

	assert(c->path != NULL && c->port != NULL);
	if (l == NULL)
		return ST_NOMEM;
	l->port = c->port;
	l->kdf = c->kdf;
	l->no_reserve = c->no_reserve;
	buf_init(&l->row, CHAINFILE_ROW_MAX);
	buf_init(&l->sealed, LOG_CONF_MAX + 4096);
	buf_init(&l->name, 256);
	st = copy_path(l, c);
	if (st == ST_OK)
		st = chainfile_open(&l->f, &fc);
	if (st == ST_OK) {
		l->db = chainfile_db(l->f);
		st = keyring_load(&l->ring, l->f);
	}
	if (st != ST_OK) {
		log_close(l);
		return st;
	}
	*out = l;
	return ST_OK;
}

enum status
log_create(struct log **out, const struct log_config *c, struct bytes officer,
    struct bytes passphrase)
{
	struct log *l = NULL;
	bool taken = false;
	enum status st = open_file(&l, c, true);

	if (st != ST_OK)
		return st;
	/* A file without a slot is one whose making was cut off. */
	st = keyring_has_slots(l->f, &taken);
	if (st == ST_OK && taken)
		st = ST_CONFLICT;
	if (st == ST_OK)
		st = keyring_create(
		    &l->ring, l->f, l->port, officer, passphrase, &l->kdf);
	if (st != ST_OK) {
		log_close(l);
		return st;
	}
	log_reserve_put(l);
	*out = l;
	return ST_OK;
}

enum status
log_open(struct log **out, const struct log_config *c)
{
	struct log *l = NULL;
	bool taken = false;
	enum status st = open_file(&l, c, false);

	if (st == ST_OK)
		st = keyring_has_slots(l->f, &taken);
	if (st == ST_OK && !taken)
		st = ST_ABSENT;
	if (st == ST_OK)
		st = log_mend(l, false);
	if (st == ST_OK)
		st = log_end_load(l);
	if (st != ST_OK) {
		log_close(l);
		return st;
	}
	*out = l;
	return ST_OK;
}

void
log_close(struct log *l)
{
	if (l == NULL)
		return;
	if (l->f != NULL)
		log_lock(l);
	chainfile_close(l->f);
	buf_wipe(&l->row);
	buf_free(&l->sealed);
	buf_wipe(&l->name);
	free(l->path);
	free(l);
}

/* ---- locks and officers */

enum status
log_unlock(struct log *l, struct bytes officer, struct bytes passphrase)
{
	enum status st;

	log_batch_rollback(l);
	st = keyring_unlock(&l->ring, l->f, officer, passphrase);
	if (st != ST_OK)
		return log_fail(l, st, "unlock");
	st = log_end_load(l);
	if (st != ST_OK) {
		log_lock(l);
		return log_fail(l, st, "unlock");
	}
	return ST_OK;
}

void
log_lock(struct log *l)
{
	log_batch_rollback(l);
	keyring_lock(&l->ring, l->f);
	buf_wipe(&l->row);
	buf_wipe(&l->name);
}

bool
log_is_unlocked(const struct log *l)
{
	return l->ring.secrets != NULL;
}

enum status
log_officer_add(struct log *l, struct bytes officer, struct bytes passphrase)
{
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	assert(!l->in_batch);
	st = keyring_add(&l->ring, l->f, l->port, officer, passphrase, &l->kdf);
	return st == ST_OK ? st : log_fail(l, st, "adding an officer");
}

enum status
log_officer_passphrase(
    struct log *l, struct bytes officer, struct bytes passphrase)
{
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	assert(!l->in_batch);
	st = keyring_passphrase(
	    &l->ring, l->f, l->port, officer, passphrase, &l->kdf);
	return st == ST_OK ? st : log_fail(l, st, "changing a passphrase");
}

enum status
log_officer_remove(struct log *l, struct bytes officer)
{
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	assert(!l->in_batch);
	st = keyring_remove(&l->ring, l->f, l->port, officer);
	return st == ST_OK ? st : log_fail(l, st, "removing an officer");
}

enum status
log_recovery_set(struct log *l, const uint8_t public_key[KEYSLOT_BOX_KEY_LEN])
{
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	assert(!l->in_batch);
	st = keyring_recovery(&l->ring, l->f, l->port, public_key);
	return st == ST_OK ? st : log_fail(l, st, "setting the recovery key");
}

bool
log_has_recovery(const struct log *l)
{
	return l->ring.has_recovery;
}

/* ---- identity */

const uint8_t *
log_public_key(const struct log *l)
{
	return l->ring.public_key;
}

struct bytes
log_identity_get(const struct log *l, enum identity_item item)
{
	if (l->ring.identity == NULL)
		return bytes_of(NULL, 0);
	return identity_get(l->ring.identity, item);
}

/* A second identity with the same contents. */
static enum status
identity_copy(struct identity **out, const struct identity *id)
{
	enum status st;
	struct buf b;

	buf_init(&b, IDENTITY_BYTES_MAX);
	st = identity_encode(id, &b);
	if (st == ST_OK)
		st = identity_decode(out, buf_view(&b));
	buf_wipe(&b);
	return st;
}

enum status
log_identity_set_many(struct log *l, const struct log_item *items, size_t count)
{
	struct identity *next = NULL;
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	assert(!l->in_batch);
	/* Changed in a copy, which takes its place once it is durable. */
	st = identity_copy(&next, l->ring.identity);
	for (size_t i = 0; i < count && st == ST_OK; i++)
		st = identity_set(next, items[i].item, items[i].in);
	if (st == ST_OK)
		st = keyring_identity_put(&l->ring, l->f, l->port, next);
	if (st != ST_OK) {
		identity_free(next);
		return log_fail(l, st, "keeping the device's keys");
	}
	identity_free(l->ring.identity);
	l->ring.identity = next;
	return ST_OK;
}

enum status
log_identity_set(struct log *l, enum identity_item item, struct bytes in)
{
	const struct log_item one = { .item = item, .in = in };

	return log_identity_set_many(l, &one, 1);
}

enum status
log_sign(struct log *l, uint8_t sig[SIG_LEN], struct bytes message)
{
	/* A signature over a chain's head is an append's alone. */
	assert(!bytes_starts(message, "daybreak-head/"));
	if (!log_is_unlocked(l))
		return ST_LOCKED;
	identity_sign(sig, l->ring.identity, message);
	return ST_OK;
}

/* ---- what the other files write with */

static enum status
begin(struct log *l)
{
	enum status st = ST_OK;

	if (l->mend_due) {
		l->mend_due = false;
		st = log_mend(l, true);
	}
	return st == ST_OK ? db_begin(l->db) : st;
}

enum status
log_write_begin(struct log *l)
{
	if (!log_is_unlocked(l))
		return ST_LOCKED;
	if (l->in_batch)
		return l->batch_bad;
	return begin(l);
}

enum status
log_write_end(struct log *l, enum status st)
{
	if (l->in_batch) {
		/* These are found before anything is written. */
		bool clean = st == ST_OK || st == ST_ABSENT ||
			     st == ST_INVALID || st == ST_LIMIT ||
			     st == ST_LOCKED;

		if (!clean && l->batch_bad == ST_OK)
			l->batch_bad = st;
		return st;
	}
	if (st == ST_OK)
		return db_commit(l->db);
	db_rollback(l->db);
	return st;
}

enum status
log_batch_begin(struct log *l)
{
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	assert(!l->in_batch);
	st = begin(l);
	if (st != ST_OK)
		return log_fail(l, st, "beginning a batch");
	l->in_batch = true;
	l->batch_bad = ST_OK;
	l->batch_end = l->end;
	return ST_OK;
}

enum status
log_batch_commit(struct log *l)
{
	enum status st = l->batch_bad;

	assert(l->in_batch);
	if (st != ST_OK) {
		log_batch_rollback(l);
		return log_fail(l, st, "a spoiled batch");
	}
	st = db_commit(l->db);
	if (st != ST_OK) {
		log_batch_rollback(l);
		return log_fail(l, st, "committing a batch");
	}
	l->in_batch = false;
	return ST_OK;
}

void
log_batch_rollback(struct log *l)
{
	if (!l->in_batch)
		return;
	db_rollback(l->db);
	l->in_batch = false;
	l->batch_bad = ST_OK;
	l->end = l->batch_end;
}

enum status
log_seal(struct log *l, const char *table, const uint8_t *chain, uint64_t row,
    struct bytes plain)
{
	struct seal_place at = chainfile_place(table, chain, row);

	buf_reset(&l->sealed);
	return chainfile_seal(l->f, &l->sealed, &at, plain);
}

enum status
log_unseal(struct log *l, struct db_stmt *s, int col, const char *table,
    const uint8_t *chain, uint64_t row, struct buf *out)
{
	struct seal_place at = chainfile_place(table, chain, row);

	return chainfile_unseal(l->f, out, &at, db_bytes(s, col));
}

void
log_tag(const struct log *l, uint8_t tag[ID_LEN], const char *what,
    struct bytes value)
{
	crypto_generichash_state h;

	(void)crypto_generichash_init(
	    &h, l->ring.secrets->tag, SEAL_KEY_LEN, ID_LEN);
	(void)crypto_generichash_update(
	    &h, (const uint8_t *)what, strlen(what) + 1);
	(void)crypto_generichash_update(&h, value.p, value.len);
	(void)crypto_generichash_final(&h, tag, ID_LEN);
}
