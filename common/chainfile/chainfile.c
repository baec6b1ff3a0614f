#include "chainfile/chainfile.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chainfile/chainfile_inner.h"
#include "chainfile/vault.h"
#include "crypt/secret.h"

/* docs/FORMAT.md, "Sealed log on the handheld".  A step never changes once a
 * file was written by it. */
static const char *const schema[] = {
	VAULT_SCHEMA
	"CREATE TABLE public (name TEXT PRIMARY KEY, value BLOB NOT NULL) "
	"STRICT;"
	"CREATE TABLE others (row INTEGER PRIMARY KEY AUTOINCREMENT, tag BLOB "
	"NOT NULL UNIQUE, sealed BLOB NOT NULL) STRICT;"
	"CREATE TABLE receipt (number INTEGER NOT NULL, seq INTEGER NOT NULL, "
	"sealed BLOB NOT NULL, PRIMARY KEY (number, seq)) STRICT;"
	"CREATE TABLE cursor (tag BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL) "
	"STRICT;"
	"CREATE TABLE bad (row INTEGER PRIMARY KEY, sealed BLOB NOT NULL) "
	"STRICT;"
	"CREATE TABLE conf (tag BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL) "
	"STRICT;",
	"CREATE TABLE blobs (tag BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL) "
	"STRICT;",
	"CREATE TABLE desk (tag BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL) "
	"STRICT;",
};

/* SQLite would make the file readable for everybody. */
static enum status
make_private(const struct chainfile_config *c)
{
	struct db_config probe = { .path = c->path, .busy_ms = c->busy_ms };
	struct db *d = NULL;
	enum status st;

	if (c->path == NULL || c->vfs != NULL)
		return ST_OK;
	st = db_open(&d, &probe);
	db_close(d);
	if (st != ST_ABSENT)
		return st;
	return port_write_file(c->port, c->path, bytes_of(NULL, 0), true);
}

enum status
chainfile_open(struct chainfile **out, const struct chainfile_config *c)
{
	struct db_config conf = { .path = c->path,
		.vfs = c->vfs,
		.create = c->create,
		.exclusive = true,
		.secure_delete = true,
		.sync = DB_SYNC_FULL,
		.busy_ms = c->busy_ms };
	struct chainfile *f = calloc(1, sizeof(*f));
	enum status st = ST_OK;

	if (f == NULL)
		return ST_NOMEM;
	f->port = c->port;
	if (c->create)
		st = make_private(c);
	if (st == ST_OK)
		st = db_open(&f->db, &conf);
	if (st == ST_OK)
		st = db_migrate(f->db, CHAINFILE_APP_ID, schema,
		    sizeof(schema) / sizeof(schema[0]));
	if (st != ST_OK) {
		chainfile_close(f);
		return st;
	}
	*out = f;
	return ST_OK;
}

void
chainfile_close(struct chainfile *f)
{
	if (f == NULL)
		return;
	chainfile_lock(f);
	db_close(f->db);
	free(f);
}

struct db *
chainfile_db(struct chainfile *f)
{
	return f->db;
}

/* ---- keys */

struct seal_place
chainfile_place(const char *table, const uint8_t *chain, uint64_t row)
{
	struct seal_place at = { .table = table, .row = row };

	if (chain != NULL)
		memcpy(at.chain, chain, CHAIN_LEN);
	return at;
}

static const char *
numbered(char name[VAULT_NAME_MAX + 1], const char *what, uint32_t n)
{
	(void)snprintf(name, VAULT_NAME_MAX + 1, "%s/%u", what, n);
	return name;
}

/* An old data key, kept sealed under the present one. */
static enum status
load_old_key(struct chainfile *f, struct chainfile_key *key, uint32_t id)
{
	struct seal_place at = chainfile_place("key", NULL, id);
	const uint8_t *present = key[f->data_id - 1].key;
	char name[VAULT_NAME_MAX + 1];
	struct buf sealed, plain;
	enum status st;

	buf_init(&sealed, 1024);
	buf_init(&plain, 1024);
	st = vault_get(f->db, numbered(name, "key", id), &sealed);
	if (st == ST_OK)
		st = seal_open(&plain, present, &at, buf_view(&sealed));
	if (st == ST_OK && plain.len != SEAL_KEY_LEN)
		st = ST_CORRUPT;
	if (st == ST_OK) {
		memcpy(key[id - 1].key, plain.p, SEAL_KEY_LEN);
		key[id - 1].have = 1;
	}
	buf_wipe(&plain);
	buf_free(&sealed);
	return st;
}

enum status
chainfile_unlock(struct chainfile *f, const struct keyslot_keys *keys)
{
	struct chainfile_key *key;
	uint32_t lost = 0;

	if (keys->data_id < 1 || keys->data_id > CHAINFILE_KEYS_MAX)
		return ST_CORRUPT;
	key = secret_new(keys->data_id * sizeof(*key));
	if (key == NULL)
		return ST_NOMEM;
	f->data_id = keys->data_id;
	memcpy(key[keys->data_id - 1].key, keys->data, SEAL_KEY_LEN);
	key[keys->data_id - 1].have = 1;
	for (uint32_t id = 1; id < keys->data_id; id++) {
		enum status st = load_old_key(f, key, id);

		if (st == ST_IO || st == ST_NOMEM) {
			secret_free(key);
			return st;
		}
		lost += st != ST_OK;
	}
	secret_free(f->key);
	f->key = key;
	f->keys_lost = lost;
	return ST_OK;
}

void
chainfile_lock(struct chainfile *f)
{
	secret_free(f->key);
	f->key = NULL;
	f->data_id = 0;
}

bool
chainfile_is_unlocked(const struct chainfile *f)
{
	return f->key != NULL;
}

uint32_t
chainfile_keys_lost(const struct chainfile *f)
{
	return f->keys_lost;
}

enum status
chainfile_rekey(struct chainfile *f, const struct keyslot_keys *next)
{
	char name[VAULT_NAME_MAX + 1];
	enum status st = ST_OK;
	struct buf sealed;

	if (f->key == NULL)
		return ST_LOCKED;
	if (f->data_id >= CHAINFILE_KEYS_MAX)
		return ST_LIMIT;
	assert(next->data_id == f->data_id + 1);
	buf_init(&sealed, 1024);
	for (uint32_t id = 1; id <= f->data_id && st == ST_OK; id++) {
		struct seal_place at = chainfile_place("key", NULL, id);

		if (!f->key[id - 1].have)
			continue;
		buf_reset(&sealed);
		st = seal_row(&sealed, next->data, next->data_id, &at,
		    bytes_of(f->key[id - 1].key, SEAL_KEY_LEN), f->port);
		if (st == ST_OK)
			st = vault_put(f->db, numbered(name, "key", id),
			    buf_view(&sealed));
	}
	buf_free(&sealed);
	return st;
}

enum status
chainfile_seal(struct chainfile *f, struct buf *out,
    const struct seal_place *at, struct bytes plain)
{
	if (f->key == NULL)
		return ST_LOCKED;
	return seal_row(
	    out, f->key[f->data_id - 1].key, f->data_id, at, plain, f->port);
}

enum status
chainfile_unseal(struct chainfile *f, struct buf *out,
    const struct seal_place *at, struct bytes sealed)
{
	enum status st;
	uint32_t id;

	if (f->key == NULL)
		return ST_LOCKED;
	st = seal_key_id(&id, sealed);
	if (st != ST_OK)
		return st;
	if (id < 1 || id > f->data_id || !f->key[id - 1].have)
		return ST_CORRUPT;
	return seal_open(out, f->key[id - 1].key, at, sealed);
}

/* ---- slots */

enum status
chainfile_slot_get(struct chainfile *f, uint32_t slot, struct buf *out)
{
	char name[VAULT_NAME_MAX + 1];

	return vault_get(f->db, numbered(name, "slot", slot), out);
}

enum status
chainfile_slot_put(struct chainfile *f, uint32_t slot, struct bytes in)
{
	char name[VAULT_NAME_MAX + 1];

	assert(slot >= 1 && slot <= CHAINFILE_SLOTS_MAX);
	return vault_put(f->db, numbered(name, "slot", slot), in);
}

enum status
chainfile_slot_drop(struct chainfile *f, uint32_t slot)
{
	char name[VAULT_NAME_MAX + 1];

	return vault_drop(f->db, numbered(name, "slot", slot));
}

/* Try one slot; ST_ABSENT if it is not a recovery slot. */
static enum status
recover_slot(struct chainfile *f, uint32_t slot, struct keyslot_keys *keys,
    const uint8_t private_key[KEYSLOT_BOX_KEY_LEN])
{
	struct keyslot k;
	enum status st;
	struct buf b;

	buf_init(&b, KEYSLOT_BYTES_MAX);
	st = chainfile_slot_get(f, slot, &b);
	if (st == ST_OK)
		st = keyslot_read(&k, buf_view(&b));
	if (st == ST_OK)
		st = k.kind == KEYSLOT_RECOVERY
			 ? keyslot_open_recovery(keys, &k, private_key)
			 : ST_ABSENT;
	buf_free(&b);
	return st;
}

enum status
chainfile_recover(
    struct chainfile *f, const uint8_t private_key[KEYSLOT_BOX_KEY_LEN])
{
	struct keyslot_keys *keys = secret_new(sizeof(*keys));
	enum status st = ST_ABSENT, worst = ST_ABSENT;

	if (keys == NULL)
		return ST_NOMEM;
	for (uint32_t slot = 1; slot <= CHAINFILE_SLOTS_MAX; slot++) {
		st = recover_slot(f, slot, keys, private_key);
		if (st == ST_OK || st == ST_IO || st == ST_NOMEM)
			break;
		if (worst == ST_ABSENT || st == ST_DENIED)
			worst = st;
	}
	if (st == ST_OK)
		st = chainfile_unlock(f, keys);
	else if (st != ST_IO && st != ST_NOMEM)
		st = worst;
	secret_free(keys);
	return st;
}
