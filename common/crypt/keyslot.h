#ifndef CRYPT_KEYSLOT_H
#define CRYPT_KEYSLOT_H
/*
 * keyslot: how a file's two random keys are kept for those who may open it.
 *
 * The *data* key opens rows; the *identity* key opens the device's own keys.
 * An officer's slot gives both for a passphrase.  The court's recovery slot
 * gives the data key alone, for the recovery private key: whoever recovers a
 * handheld can read it, never write as it.
 *
 * Each slot has an X25519 key pair of its own.  The two keys are sealed to its
 * public half (libsodium's crypto_box_seal), so that they can be changed for
 * everybody by one officer, without the others' passphrases; the private half
 * is closed with a key that Argon2id makes of the passphrase, or is the
 * court's.
 *
 *   officer   u8 1 || u8 1 || u32be slot || salt[16] || tag[16]
 *             || u32be memory in KiB || u32be passes || public[32]
 *             || nonce[24] || closed private key[32+16] || box
 *   recovery  u8 1 || u8 2 || u32be slot || public[32] || box
 *   box       sealed to `public`: u8 1 || u32be slot || u32be data key id
 *             || data key[32] || (officer only) identity key[32]
 *
 * `tag` finds the officer's slot without naming the officer: BLAKE2b-128,
 * keyed with the salt, of "daybreak-officer/1\0" || officer.  The private key
 * is closed by XChaCha20-Poly1305 with everything before the nonce, led by
 * "daybreak-slot/1\0", as associated data.  docs/FORMAT.md, "Key slots".
 *
 * Who may have a slot is not told by the slot alone: whoever can write to the
 * file could add one with a public key of their own and wait for the next
 * change of keys.  The caller keeps a list of good slots (keyslot_digest)
 * where only the identity key can write it.
 *
 * Threads: safe; no state.
 */
#include "base/buf.h"
#include "base/port.h"
#include "crypt/seal.h"

enum {
	KEYSLOT_BYTES_MAX = 512,
	KEYSLOT_OFFICER_MAX = 128, /* bytes of an officer's id */
	KEYSLOT_PASSPHRASE_MAX = 1024,
	KEYSLOT_PASSPHRASE_CHARS = 10, /* at least, or … */
	KEYSLOT_PASSPHRASE_WORDS = 5,  /* … at least */
	KEYSLOT_MEM_KIB = 65536,       /* least and default of a product slot */
	KEYSLOT_PASSES = 3,            /* likewise */
	KEYSLOT_MEM_KIB_MAX = 1 << 20,
	KEYSLOT_PASSES_MAX = 64,
	KEYSLOT_BOX_KEY_LEN = 32 /* X25519, either half */
};

/* Both keys.  Keep it in memory of secret_new; wipe copies. */
struct keyslot_keys {
	uint32_t data_id; /* 1, 2, 3 …: which data key this is */
	bool has_identity;
	uint8_t data[SEAL_KEY_LEN];
	uint8_t identity[SEAL_KEY_LEN];
};

/* What Argon2id costs. */
struct keyslot_kdf {
	uint32_t mem_kib, passes; /* 0: the product's */
	bool
	    weak_for_tests; /* take less than the product's least; set by test
			       code only, never from a file or a command line */
};

/*
 * A passphrase has at least 10 characters (UTF-8 code points), or at least 5
 * words (parted by spaces, ASCII or U+3000).  ST_INVALID if not; ST_LIMIT if
 * it is too long.
 */
MUST_CHECK enum status keyslot_passphrase_check(struct bytes passphrase);

/*
 * Append an officer's slot.  Takes the time and memory of one Argon2id.
 * ST_INVALID for a passphrase against the policy, an empty officer, or a cost
 * below the product's (unless weak_for_tests); ST_LIMIT; ST_NOMEM.
 */
MUST_CHECK enum status keyslot_officer(struct buf *out, uint32_t slot,
    struct bytes officer, struct bytes passphrase,
    const struct keyslot_kdf *kdf, const struct keyslot_keys *keys,
    const struct port *port);

/* Append the recovery slot for the court's X25519 recovery public key. */
MUST_CHECK enum status keyslot_recovery(struct buf *out, uint32_t slot,
    const uint8_t public_key[KEYSLOT_BOX_KEY_LEN],
    const struct keyslot_keys *keys, const struct port *port);

enum keyslot_kind { KEYSLOT_OFFICER = 1, KEYSLOT_RECOVERY = 2 };

/* A slot's bytes, read; ranges borrow from them. */
struct keyslot {
	enum keyslot_kind kind;
	uint32_t slot;
	struct bytes fixed; /* all but the box */
	struct bytes box;
	uint8_t public_key[KEYSLOT_BOX_KEY_LEN];
	uint8_t salt[16], tag[16]; /* officer only, as all below */
	uint32_t mem_kib, passes;
	const uint8_t *nonce, *closed;
};

/*
 * Read a slot; nothing is proved yet.  ST_CORRUPT (wrong length, kind, or a
 * cost beyond any that we make), ST_NEWER.
 */
MUST_CHECK enum status keyslot_read(struct keyslot *out, struct bytes slot);

/* True if this is that officer's slot. */
bool keyslot_is_of(const struct keyslot *s, struct bytes officer);

/*
 * Open an officer's slot.  One Argon2id.  ST_DENIED for a wrong passphrase
 * (damage to what is closed looks the same), ST_CORRUPT if the passphrase was
 * right and the box does not open, ST_NOMEM.
 */
MUST_CHECK enum status keyslot_open(
    struct keyslot_keys *out, const struct keyslot *s, struct bytes passphrase);

/* Open the recovery slot; has_identity is false.  ST_DENIED, ST_CORRUPT. */
MUST_CHECK enum status keyslot_open_recovery(struct keyslot_keys *out,
    const struct keyslot *s, const uint8_t private_key[KEYSLOT_BOX_KEY_LEN]);

/* Append the same slot with other keys in its box. */
MUST_CHECK enum status keyslot_rekey(struct buf *out, const struct keyslot *s,
    const struct keyslot_keys *keys, const struct port *port);

/* SHA-256 of all but the box: what a list of good slots holds. */
void keyslot_digest(uint8_t out[HASH_LEN], const struct keyslot *s);

#endif
