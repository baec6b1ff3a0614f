#include "agent/log/keyring.h"

#include <sodium.h>
#include <string.h>

#include "agent/log/keyring_inner.h"
#include "base/sha.h"
#include "chainfile/vault.h"
#include "crypt/secret.h"
#include "db/db.h"

enum { RING_VERSION = 1, RING_MAX = 16 << 10 };

/* ---- sealed by the identity key */

static enum status
put_sealed(struct chainfile *f, const struct port *port, const char *name,
    const struct keyslot_keys *keys, struct bytes plain)
{
	struct seal_place at = chainfile_place(name, NULL, 0);
	struct buf sealed;
	enum status st;

	buf_init(&sealed, VAULT_BYTES_MAX);
	st = seal_row(&sealed, keys->identity, keys->data_id, &at, plain, port);
	if (st == ST_OK)
		st = vault_put(chainfile_db(f), name, buf_view(&sealed));
	buf_free(&sealed);
	return st;
}

static enum status
get_sealed(struct chainfile *f, const char *name,
    const struct keyslot_keys *keys, struct buf *plain)
{
	struct seal_place at = chainfile_place(name, NULL, 0);
	struct buf sealed;
	enum status st;

	buf_init(&sealed, VAULT_BYTES_MAX);
	st = vault_get(chainfile_db(f), name, &sealed);
	if (st == ST_OK)
		st = seal_open(plain, keys->identity, &at, buf_view(&sealed));
	buf_free(&sealed);
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

static void
data_digest(uint8_t out[HASH_LEN], const struct keyslot_keys *keys)
{
	static const char format[] = "daybreak-data-key/1";
	struct bytes part[] = { bytes_of(format, sizeof(format)),
		bytes_of(keys->data, SEAL_KEY_LEN) };

	sha256_many(out, part, 2);
}

enum status
keyring_ring_put(const struct keyring *k, struct chainfile *f,
    const struct port *port, const struct keyslot_keys *keys,
    const uint8_t tag[SEAL_KEY_LEN])
{
	uint8_t digest[HASH_LEN];
	enum status st;
	struct buf b;

	buf_init(&b, RING_MAX);
	data_digest(digest, keys);
	buf_u8(&b, RING_VERSION);
	buf_u32(&b, keys->data_id);
	buf_add(&b, digest, HASH_LEN);
	buf_add(&b, tag, SEAL_KEY_LEN);
	buf_u16(&b, (uint16_t)k->count);
	for (uint32_t i = 0; i < k->count; i++) {
		buf_u32(&b, k->slot[i].slot);
		buf_add(&b, k->slot[i].digest, HASH_LEN);
	}
	st = b.err;
	if (st == ST_OK)
		st = put_sealed(f, port, "ring", keys, buf_view(&b));
	buf_wipe(&b);
	return st;
}

static enum status
ring_read(struct keyring *k, struct keyring_secrets *s, struct bytes in)
{
	uint8_t want[HASH_LEN], digest[HASH_LEN];
	struct reader r;
	uint32_t id;

	reader_init(&r, in);
	if (reader_u8(&r) != RING_VERSION)
		return r.bad ? ST_CORRUPT : ST_NEWER;
	id = reader_u32(&r);
	reader_copy(&r, digest, HASH_LEN);
	reader_copy(&r, s->tag, SEAL_KEY_LEN);
	k->count = reader_u16(&r);
	if (r.bad || k->count > CHAINFILE_SLOTS_MAX)
		return ST_CORRUPT;
	for (uint32_t i = 0; i < k->count; i++) {
		k->slot[i].slot = reader_u32(&r);
		reader_copy(&r, k->slot[i].digest, HASH_LEN);
	}
	data_digest(want, &s->keys);
	if (!reader_done(&r) || id != s->keys.data_id ||
	    memcmp(want, digest, HASH_LEN) != 0)
		return ST_CORRUPT;
	return ST_OK;
}

enum status
keyring_id_put(struct chainfile *f, const struct port *port,
    const struct keyslot_keys *keys, const struct identity *id)
{
	enum status st;
	struct buf b;

	buf_init(&b, IDENTITY_BYTES_MAX);
	st = identity_encode(id, &b);
	if (st == ST_OK)
		st = put_sealed(f, port, "identity", keys, buf_view(&b));
	buf_wipe(&b);
	return st;
}

static enum status
identity_get_sealed(
    struct chainfile *f, const struct keyslot_keys *keys, struct identity **out)
{
	enum status st;
	struct buf b;

	buf_init(&b, IDENTITY_BYTES_MAX);
	st = get_sealed(f, "identity", keys, &b);
	if (st == ST_OK)
		st = identity_decode(out, buf_view(&b));
	buf_wipe(&b);
	return st;
}

/* ---- life */

enum status
keyring_has_slots(struct chainfile *f, bool *out)
{
	struct buf b;

	buf_init(&b, KEYSLOT_BYTES_MAX);
	*out = false;
	for (uint32_t n = 1; n <= CHAINFILE_SLOTS_MAX && !*out; n++) {
		enum status st = chainfile_slot_get(f, n, &b);

		if (st == ST_IO || st == ST_NOMEM) {
			buf_free(&b);
			return st;
		}
		*out = st != ST_ABSENT;
	}
	buf_free(&b);
	return ST_OK;
}

enum status
keyring_load(struct keyring *k, struct chainfile *f)
{
	enum status st = ST_OK;
	struct keyslot s;
	struct buf b;

	buf_init(&b, KEYSLOT_BYTES_MAX);
	k->has_recovery = false;
	for (uint32_t n = 1; n <= CHAINFILE_SLOTS_MAX; n++) {
		st = keyring_slot_read(f, n, &b, &s);
		if (st == ST_IO || st == ST_NOMEM)
			break;
		if (st == ST_OK && s.kind == KEYSLOT_RECOVERY)
			k->has_recovery = true;
		st = ST_OK;
	}
	buf_reset(&b);
	if (st == ST_OK)
		st = vault_get(chainfile_db(f), "device", &b);
	if (st == ST_OK && b.len == PUBKEY_LEN) {
		memcpy(k->public_key, b.p, PUBKEY_LEN);
		k->has_public = true;
	}
	buf_free(&b);
	return st == ST_IO || st == ST_NOMEM ? st : ST_OK;
}

void
keyring_lock(struct keyring *k, struct chainfile *f)
{
	chainfile_lock(f);
	identity_free(k->identity);
	k->identity = NULL;
	secret_free(k->secrets);
	k->secrets = NULL;
	k->count = 0;
}

static enum status
create_write(struct keyring *k, struct chainfile *f, const struct port *port,
    struct bytes slot)
{
	struct db *d = chainfile_db(f);
	enum status st = db_begin(d);

	if (st != ST_OK)
		return st;
	st = chainfile_slot_put(f, 1, slot);
	if (st == ST_OK)
		st = keyring_id_put(f, port, &k->secrets->keys, k->identity);
	if (st == ST_OK)
		st = keyring_ring_put(
		    k, f, port, &k->secrets->keys, k->secrets->tag);
	if (st == ST_OK)
		st =
		    vault_put(d, "device", bytes_of(k->public_key, PUBKEY_LEN));
	if (st == ST_OK)
		return db_commit(d);
	db_rollback(d);
	return st;
}

enum status
keyring_create(struct keyring *k, struct chainfile *f, const struct port *port,
    struct bytes officer, struct bytes passphrase,
    const struct keyslot_kdf *kdf)
{
	struct keyslot s;
	enum status st = ST_NOMEM;
	struct buf b;

	buf_init(&b, KEYSLOT_BYTES_MAX);
	k->secrets = secret_new(sizeof(*k->secrets));
	if (k->secrets == NULL)
		goto out;
	k->secrets->keys.data_id = 1;
	k->secrets->keys.has_identity = true;
	port_random(port, k->secrets->keys.data, SEAL_KEY_LEN);
	port_random(port, k->secrets->keys.identity, SEAL_KEY_LEN);
	port_random(port, k->secrets->tag, SEAL_KEY_LEN);
	st = keyslot_officer(
	    &b, 1, officer, passphrase, kdf, &k->secrets->keys, port);
	if (st == ST_OK)
		st = keyslot_read(&s, buf_view(&b));
	if (st == ST_OK)
		st = identity_new(&k->identity, port);
	if (st != ST_OK)
		goto out;
	memcpy(k->public_key, identity_public_key(k->identity), PUBKEY_LEN);
	k->count = 0;
	keyring_ring_set(k, 1, &s);
	st = chainfile_unlock(f, &k->secrets->keys);
	if (st == ST_OK)
		st = create_write(k, f, port, buf_view(&b));
	k->has_public = st == ST_OK;
out:
	if (st != ST_OK)
		keyring_lock(k, f);
	buf_free(&b);
	return st;
}

/*
 * The slot that an officer's passphrase opens.  Several slots may carry the
 * officer's tag if somebody put one there: each is tried.
 */
static enum status
open_slot(struct chainfile *f, struct bytes officer, struct bytes passphrase,
    struct keyslot_keys *keys, struct keyslot *out, struct buf *b)
{
	enum status st, result = ST_DENIED;
	bool tried = false;
	struct keyslot s;

	for (uint32_t n = 1; n <= CHAINFILE_SLOTS_MAX; n++) {
		st = keyring_slot_read(f, n, b, &s);
		if (st == ST_IO || st == ST_NOMEM)
			return st;
		if (st != ST_OK || !keyslot_is_of(&s, officer))
			continue;
		tried = true;
		st = keyslot_open(keys, &s, passphrase);
		if (st == ST_OK)
			*out = s;
		if (st == ST_OK || st == ST_NOMEM)
			return st;
		result = st == ST_DENIED ? result : st;
	}
	/* An unknown officer takes as long as a wrong passphrase. */
	for (uint32_t n = 1; n <= CHAINFILE_SLOTS_MAX && !tried; n++) {
		st = keyring_slot_read(f, n, b, &s);
		if (st != ST_OK || s.kind != KEYSLOT_OFFICER)
			continue;
		tried = true;
		st = keyslot_open(keys, &s, passphrase);
		sodium_memzero(keys, sizeof(*keys));
		if (st == ST_NOMEM)
			return st;
	}
	return result;
}

/* Open all that the keys open, into `fresh`. */
static enum status
unlock_with(
    struct keyring *fresh, struct chainfile *f, const struct keyslot *slot)
{
	struct keyslot_keys *keys = &fresh->secrets->keys;
	struct buf plain;
	enum status st;

	buf_init(&plain, RING_MAX);
	st = get_sealed(f, "ring", keys, &plain);
	if (st == ST_OK)
		st = ring_read(fresh, fresh->secrets, buf_view(&plain));
	buf_wipe(&plain);
	if (st == ST_OK && !keyring_is_good(fresh, slot))
		st = ST_CORRUPT;
	if (st == ST_OK)
		st = identity_get_sealed(f, keys, &fresh->identity);
	if (st == ST_OK)
		st = chainfile_unlock(f, keys);
	return st;
}

enum status
keyring_unlock(struct keyring *k, struct chainfile *f, struct bytes officer,
    struct bytes passphrase)
{
	struct keyring fresh = { .has_recovery = k->has_recovery };
	struct keyslot slot;
	enum status st;
	struct buf b;

	fresh.secrets = secret_new(sizeof(*fresh.secrets));
	if (fresh.secrets == NULL)
		return ST_NOMEM;
	buf_init(&b, KEYSLOT_BYTES_MAX);
	st = open_slot(f, officer, passphrase, &fresh.secrets->keys, &slot, &b);
	if (st == ST_OK)
		st = unlock_with(&fresh, f, &slot);
	buf_free(&b);
	if (st != ST_OK) {
		/* Whoever was in stays in. */
		identity_free(fresh.identity);
		secret_free(fresh.secrets);
		return st;
	}
	identity_free(k->identity);
	secret_free(k->secrets);
	*k = fresh;
	memcpy(k->public_key, identity_public_key(k->identity), PUBKEY_LEN);
	k->has_public = true;
	return ST_OK;
}
