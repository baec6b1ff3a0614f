#ifndef AGENT_LOG_KEYRING_H
#define AGENT_LOG_KEYRING_H
/*
 * keyring: who may open the file, and the keys while it is open.
 *
 * The file holds slots (crypt/keyslot.h), the device's identity sealed by the
 * identity key, and beside it the *ring*, sealed by the identity key too:
 *
 *   u8 1 || u32be data key id || SHA-256("daybreak-data-key/1\0" || data key)
 *   || tag key[32] || u16be count || count x (u32be slot || digest[32])
 *
 * The ring says which slots are good (keyslot_digest) and which data key is the
 * present one: a slot that somebody has put into the file, or an old one put
 * back, is not in it and gets no new keys.
 *
 * Keys change together: a new data key and a new identity key, sealed to every
 * good slot that stays, in one transaction.
 */
#include "chainfile/chainfile.h"
#include "crypt/identity.h"
#include "crypt/keyslot.h"

/* Locked memory. */
struct keyring_secrets {
	struct keyslot_keys keys;
	uint8_t tag[SEAL_KEY_LEN]; /* for log_tag; never changes */
};

struct keyring_slot {
	uint32_t slot;
	uint8_t digest[HASH_LEN];
};

struct keyring {
	struct keyring_secrets *secrets; /* NULL: locked */
	struct identity *identity;       /* NULL: locked */
	uint32_t count;
	struct keyring_slot slot[CHAINFILE_SLOTS_MAX];
	bool has_recovery; /* known while locked, too; as the file says */
	bool has_public;
	uint8_t public_key[PUBKEY_LEN];
};

/* Read what can be read without keys. */
MUST_CHECK enum status keyring_load(struct keyring *k, struct chainfile *f);

/* True if the file has any slot. */
MUST_CHECK enum status keyring_has_slots(struct chainfile *f, bool *out);

/* Make keys, identity and the first slot, and write them: a transaction of
 * its own.  Unlocked afterwards. */
MUST_CHECK enum status keyring_create(struct keyring *k, struct chainfile *f,
    const struct port *port, struct bytes officer, struct bytes passphrase,
    const struct keyslot_kdf *kdf);

/* ST_DENIED, ST_CORRUPT; see log_unlock. */
MUST_CHECK enum status keyring_unlock(struct keyring *k, struct chainfile *f,
    struct bytes officer, struct bytes passphrase);

/* Wipe all keys, the file's too. */
void keyring_lock(struct keyring *k, struct chainfile *f);

/* See log_officer_add, _passphrase, _remove, log_recovery_set. */
MUST_CHECK enum status keyring_add(struct keyring *k, struct chainfile *f,
    const struct port *port, struct bytes officer, struct bytes passphrase,
    const struct keyslot_kdf *kdf);
MUST_CHECK enum status keyring_passphrase(struct keyring *k,
    struct chainfile *f, const struct port *port, struct bytes officer,
    struct bytes passphrase, const struct keyslot_kdf *kdf);
MUST_CHECK enum status keyring_remove(struct keyring *k, struct chainfile *f,
    const struct port *port, struct bytes officer);
MUST_CHECK enum status keyring_recovery(struct keyring *k, struct chainfile *f,
    const struct port *port, const uint8_t public_key[KEYSLOT_BOX_KEY_LEN]);

/* Write another identity (the same device's) in place of this one. */
MUST_CHECK enum status keyring_identity_put(struct keyring *k,
    struct chainfile *f, const struct port *port, const struct identity *id);

#endif
