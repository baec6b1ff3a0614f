#include "agent/log/keyring.h"

#include <string.h>

#include "agent/log/keyring_inner.h"
#include "crypt/secret.h"
#include "db/db.h"

/* What a change of keys does to one slot, or nothing. */
struct change {
	uint32_t slot;      /* 0: to none */
	struct bytes fixed; /* its new bytes; empty: it is removed */
};

/* ---- slots */

enum status
keyring_slot_read(
    struct chainfile *f, uint32_t slot, struct buf *b, struct keyslot *out)
{
	enum status st;

	buf_reset(b);
	st = chainfile_slot_get(f, slot, b);
	if (st == ST_OK)
		st = keyslot_read(out, buf_view(b));
	if (st == ST_OK && out->slot != slot)
		st = ST_CORRUPT;
	return st;
}

bool
keyring_is_good(const struct keyring *k, const struct keyslot *s)
{
	uint8_t digest[HASH_LEN];

	keyslot_digest(digest, s);
	for (uint32_t i = 0; i < k->count; i++)
		if (k->slot[i].slot == s->slot &&
		    memcmp(k->slot[i].digest, digest, HASH_LEN) == 0)
			return true;
	return false;
}

/* The lowest number that no good slot has. */
static enum status
free_slot(const struct keyring *k, uint32_t *out)
{
	for (uint32_t n = 1; n <= CHAINFILE_SLOTS_MAX; n++) {
		bool taken = false;

		for (uint32_t i = 0; i < k->count; i++)
			taken = taken || k->slot[i].slot == n;
		if (!taken) {
			*out = n;
			return ST_OK;
		}
	}
	return ST_LIMIT;
}

/*
 * The good slot of an officer; with `officer` empty, the recovery slot.  Its
 * bytes are in `b`.  *officers counts the good slots of officers.  ST_ABSENT.
 */
static enum status
find_good(struct keyring *k, struct chainfile *f, struct bytes officer,
    struct buf *b, struct keyslot *out, uint32_t *officers)
{
	enum status found = ST_ABSENT;
	struct keyslot s;
	uint32_t slot = 0;

	*officers = 0;
	for (uint32_t i = 0; i < k->count; i++) {
		enum status st = keyring_slot_read(f, k->slot[i].slot, b, &s);

		if (st == ST_IO || st == ST_NOMEM)
			return st;
		if (st != ST_OK || !keyring_is_good(k, &s))
			continue;
		*officers += s.kind == KEYSLOT_OFFICER;
		if (officer.len > 0 ? keyslot_is_of(&s, officer)
				    : s.kind == KEYSLOT_RECOVERY) {
			found = ST_OK;
			slot = s.slot;
		}
	}
	return found == ST_OK ? keyring_slot_read(f, slot, b, out) : found;
}

void
keyring_ring_set(struct keyring *k, uint32_t slot, const struct keyslot *s)
{
	struct keyring_slot *at = NULL;

	for (uint32_t i = 0; i < k->count && at == NULL; i++)
		if (k->slot[i].slot == slot)
			at = &k->slot[i];
	if (s == NULL) {
		if (at != NULL)
			*at = k->slot[--k->count];
		return;
	}
	if (at == NULL)
		at = &k->slot[k->count++];
	at->slot = slot;
	keyslot_digest(at->digest, s);
}

/* ---- changes */

/* Write one slot of the ring under new keys, as `c` wants it. */
static enum status
rekey_slot(struct keyring *k, struct chainfile *f, const struct port *port,
    uint32_t slot, const struct change *c, const struct keyslot_keys *next)
{
	struct buf old, new;
	struct keyslot s;
	enum status st;

	buf_init(&old, KEYSLOT_BYTES_MAX);
	buf_init(&new, KEYSLOT_BYTES_MAX);
	st = keyring_slot_read(f, slot, &old, &s);
	if (st == ST_OK && !keyring_is_good(k, &s))
		st = ST_CORRUPT;
	/* A slot that cannot be read opens for nobody: it is left out. */
	if (st == ST_ABSENT || st == ST_CORRUPT || st == ST_NEWER) {
		keyring_ring_set(k, slot, NULL);
		st = chainfile_slot_drop(f, slot);
	} else if (st == ST_OK && slot == c->slot && c->fixed.len == 0) {
		keyring_ring_set(k, slot, NULL);
		st = chainfile_slot_drop(f, slot);
	} else if (st == ST_OK) {
		st = keyslot_rekey(&new, &s, next, port);
		if (st == ST_OK)
			st = chainfile_slot_put(f, slot, buf_view(&new));
	}
	buf_free(&old);
	buf_free(&new);
	return st;
}

static enum status
rekey_write(struct keyring *k, struct chainfile *f, const struct port *port,
    const struct change *c, const struct keyslot_keys *next)
{
	uint32_t slots[CHAINFILE_SLOTS_MAX], count = k->count;
	enum status st = ST_OK;
	struct keyslot s;

	for (uint32_t i = 0; i < count; i++)
		slots[i] = k->slot[i].slot;
	for (uint32_t i = 0; i < count && st == ST_OK; i++)
		if (slots[i] != c->slot || c->fixed.len == 0)
			st = rekey_slot(k, f, port, slots[i], c, next);
	if (st == ST_OK && c->slot != 0 && c->fixed.len > 0) {
		st = keyslot_read(&s, c->fixed);
		if (st == ST_OK)
			st = chainfile_slot_put(f, c->slot, c->fixed);
		if (st == ST_OK)
			keyring_ring_set(k, c->slot, &s);
	}
	if (st == ST_OK)
		st = chainfile_rekey(f, next);
	if (st == ST_OK)
		st = keyring_id_put(f, port, next, k->identity);
	if (st == ST_OK)
		st = keyring_ring_put(k, f, port, next, k->secrets->tag);
	return st;
}

/* New keys of both sorts, in locked memory. */
static enum status
next_keys(
    const struct keyring *k, const struct port *port, struct keyslot_keys **out)
{
	struct keyslot_keys *next = secret_new(sizeof(*next));

	if (next == NULL)
		return ST_NOMEM;
	next->data_id = k->secrets->keys.data_id + 1;
	next->has_identity = true;
	port_random(port, next->data, SEAL_KEY_LEN);
	port_random(port, next->identity, SEAL_KEY_LEN);
	*out = next;
	return ST_OK;
}

/* Change the keys for all good slots, with `c` done to one of them. */
static enum status
rekey(struct keyring *k, struct chainfile *f, const struct port *port,
    const struct change *c, const struct keyslot_keys *next)
{
	struct db *d = chainfile_db(f);
	struct keyring before = *k;
	enum status st = db_begin(d);
	bool emptied;

	if (st != ST_OK)
		return st;
	st = rekey_write(k, f, port, c, next);
	if (st == ST_OK)
		st = db_commit(d);
	else
		db_rollback(d);
	if (st != ST_OK) {
		*k = before;
		return st;
	}
	st = chainfile_unlock(f, next);
	if (st != ST_OK) {
		/* It is done; only this memory cannot follow. */
		keyring_lock(k, f);
		return st;
	}
	k->secrets->keys = *next;
	/* What was overwritten in the file still stands in the WAL.  Where it
	 * cannot be emptied now, log_tidy or the closing of the file does. */
	emptied = db_checkpoint(d, true) == ST_OK;
	(void)emptied;
	return ST_OK;
}

/* Write one more slot under the present keys. */
static enum status
add_slot(struct keyring *k, struct chainfile *f, const struct port *port,
    uint32_t slot, struct bytes bytes)
{
	struct db *d = chainfile_db(f);
	struct keyring before = *k;
	struct keyslot s;
	enum status st = keyslot_read(&s, bytes);

	if (st == ST_OK)
		st = db_begin(d);
	if (st != ST_OK)
		return st;
	keyring_ring_set(k, slot, &s);
	st = chainfile_slot_put(f, slot, bytes);
	if (st == ST_OK)
		st = keyring_ring_put(
		    k, f, port, &k->secrets->keys, k->secrets->tag);
	if (st == ST_OK)
		st = db_commit(d);
	else
		db_rollback(d);
	if (st != ST_OK)
		*k = before;
	return st;
}

enum status
keyring_add(struct keyring *k, struct chainfile *f, const struct port *port,
    struct bytes officer, struct bytes passphrase,
    const struct keyslot_kdf *kdf)
{
	uint32_t officers, slot;
	struct keyslot s;
	enum status st;
	struct buf b;

	if (officer.len == 0)
		return ST_INVALID;
	buf_init(&b, KEYSLOT_BYTES_MAX);
	st = find_good(k, f, officer, &b, &s, &officers);
	st = st == ST_OK ? ST_CONFLICT : st == ST_ABSENT ? ST_OK : st;
	if (st == ST_OK)
		st = free_slot(k, &slot);
	buf_reset(&b);
	if (st == ST_OK)
		st = keyslot_officer(&b, slot, officer, passphrase, kdf,
		    &k->secrets->keys, port);
	if (st == ST_OK)
		st = add_slot(k, f, port, slot, buf_view(&b));
	buf_free(&b);
	return st;
}

enum status
keyring_passphrase(struct keyring *k, struct chainfile *f,
    const struct port *port, struct bytes officer, struct bytes passphrase,
    const struct keyslot_kdf *kdf)
{
	struct keyslot_keys *next = NULL;
	struct change c = { 0 };
	uint32_t officers;
	struct keyslot s;
	enum status st;
	struct buf b;

	if (officer.len == 0)
		return ST_ABSENT;
	buf_init(&b, KEYSLOT_BYTES_MAX);
	st = find_good(k, f, officer, &b, &s, &officers);
	if (st == ST_OK) {
		c.slot = s.slot;
		st = next_keys(k, port, &next);
	}
	buf_reset(&b);
	if (st == ST_OK)
		st = keyslot_officer(
		    &b, c.slot, officer, passphrase, kdf, next, port);
	if (st == ST_OK) {
		c.fixed = buf_view(&b);
		st = rekey(k, f, port, &c, next);
	}
	secret_free(next);
	buf_free(&b);
	return st;
}

enum status
keyring_remove(struct keyring *k, struct chainfile *f, const struct port *port,
    struct bytes officer)
{
	struct keyslot_keys *next = NULL;
	struct change c = { 0 };
	uint32_t officers;
	struct keyslot s;
	enum status st;
	struct buf b;

	if (officer.len == 0)
		return ST_ABSENT;
	buf_init(&b, KEYSLOT_BYTES_MAX);
	st = find_good(k, f, officer, &b, &s, &officers);
	if (st == ST_OK && officers < 2)
		st = ST_CONFLICT;
	if (st == ST_OK)
		st = next_keys(k, port, &next);
	if (st == ST_OK) {
		c.slot = s.slot;
		st = rekey(k, f, port, &c, next);
	}
	secret_free(next);
	buf_free(&b);
	return st;
}

enum status
keyring_recovery(struct keyring *k, struct chainfile *f,
    const struct port *port, const uint8_t public_key[KEYSLOT_BOX_KEY_LEN])
{
	struct keyslot_keys *next = NULL;
	struct change c = { 0 };
	uint32_t officers, slot;
	struct keyslot s;
	enum status st;
	struct buf b;
	bool there;

	buf_init(&b, KEYSLOT_BYTES_MAX);
	st = find_good(k, f, bytes_of(NULL, 0), &b, &s, &officers);
	there = st == ST_OK;
	if (there &&
	    memcmp(s.public_key, public_key, sizeof(s.public_key)) == 0)
		goto out;
	if (there) {
		slot = s.slot;
		st = next_keys(k, port, &next);
	} else if (st == ST_ABSENT) {
		st = free_slot(k, &slot);
	}
	buf_reset(&b);
	if (st == ST_OK)
		st = keyslot_recovery(&b, slot, public_key,
		    there ? next : &k->secrets->keys, port);
	if (st == ST_OK && there) {
		c.slot = slot;
		c.fixed = buf_view(&b);
		st = rekey(k, f, port, &c, next);
	} else if (st == ST_OK) {
		st = add_slot(k, f, port, slot, buf_view(&b));
	}
out:
	k->has_recovery = k->has_recovery || st == ST_OK;
	secret_free(next);
	buf_free(&b);
	return st;
}

enum status
keyring_identity_put(struct keyring *k, struct chainfile *f,
    const struct port *port, const struct identity *id)
{
	struct db *d = chainfile_db(f);
	enum status st = db_begin(d);

	if (st != ST_OK)
		return st;
	st = keyring_id_put(f, port, &k->secrets->keys, id);
	if (st == ST_OK)
		return db_commit(d);
	db_rollback(d);
	return st;
}
