#ifndef TLOG_NOTE_H
#define TLOG_NOTE_H
/*
 * note: signed notes, checkpoints and cosignatures as C2SP has them
 * (c2sp.org/signed-note, /tlog-checkpoint, /tlog-cosignature), Ed25519 alone.
 *
 * A key name is the log's origin.  Signature lines of keys we do not know are
 * kept and passed over; one good signature by the wanted key is needed, and
 * no bad one of that key may stand beside it.
 *
 * Stricter than C2SP: a note is at most NOTE_BYTES_MAX, holds no Unicode
 * noncharacter, its base64 has one spelling, and tree sizes end at
 * MERKLE_SIZE_MAX.
 */
#include "base/buf.h"
#include "base/limits.h"

enum {
	NOTE_NAME_MAX = 200,
	NOTE_BYTES_MAX = 16384,
	NOTE_SIGNATURES_MAX = 100,
	NOTE_VKEY_MAX = NOTE_NAME_MAX + 1 + 8 + 1 + 44 /* "name+hash+base64" */
};

/* Signature types of C2SP signed-note that we take. */
enum { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4 };

/* A verifier key: "name+hash8+base64(alg || Ed25519 public key)". */
struct note_key {
	char name[NOTE_NAME_MAX + 1]; /* UTF-8, no spaces, no '+' */
	uint32_t hash;                /* key id */
	uint8_t alg;                  /* NOTE_ED25519 or NOTE_COSIGNATURE */
	uint8_t public_key[PUBKEY_LEN];
};

struct checkpoint {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size; /* leaves in the tree */
	uint8_t root[HASH_LEN];
};

/* key id = SHA-256(name || LF || alg || public key)[:4].  ST_INVALID: a name
 * that is empty, too long, not UTF-8, or holds a space or '+'; another alg. */
MUST_CHECK enum status note_key_make(struct note_key *out, const char *name,
    uint8_t alg, const uint8_t public_key[PUBKEY_LEN]);

/* ST_INVALID also where the stated key id is not that of name and key. */
MUST_CHECK enum status note_key_parse(struct note_key *out, struct bytes vkey);
void note_key_format(const struct note_key *k, struct buf *out);

/*
 * Append note = text, an empty line, one signature line.  ST_INVALID: `text`
 * is no note text (UTF-8 ending in LF, no control characters), `key` is no
 * NOTE_ED25519 key or not that of secret_key (libsodium's 64 bytes);
 * ST_LIMIT; ST_NOMEM.  On failure *out is as long as before.
 */
MUST_CHECK enum status note_sign(struct bytes text, const struct note_key *key,
    const uint8_t secret_key[64], struct buf *out);

/* ST_OK and *text (borrowed, with its last LF) if `key` signed it well;
 * ST_ABSENT if it carries no signature of that key; ST_DENIED if a bad one
 * (or the key is for cosignatures); ST_INVALID if it is no note. */
MUST_CHECK enum status note_open(
    struct bytes note, const struct note_key *key, struct bytes *text);

/* The three lines of a checkpoint, no extension line.  The origin is not
 * empty. */
void checkpoint_format(const struct checkpoint *c, struct buf *out);

/* Note text to checkpoint; extension lines are passed over.  ST_INVALID. */
MUST_CHECK enum status checkpoint_parse(
    struct checkpoint *out, struct bytes text);

/* Sign / open in one step; results as above.  Open also wants origin ==
 * key->name, else ST_DENIED; sign likewise, else ST_INVALID. */
MUST_CHECK enum status checkpoint_sign(const struct checkpoint *c,
    const struct note_key *key, const uint8_t secret_key[64], struct buf *out);
MUST_CHECK enum status checkpoint_open(
    struct checkpoint *out, struct bytes note, const struct note_key *key);

/*
 * A witness's cosignature/v1 over a checkpoint note: *time_s is when, in
 * seconds since 1970 (the latest, if it signed more than once).  ST_ABSENT if
 * the witness did not sign; ST_DENIED if it signed badly (or the key is no
 * NOTE_COSIGNATURE key); ST_INVALID if it is no checkpoint note; ST_NOMEM.
 * The log's own signature is not looked at: checkpoint_open does that.
 */
MUST_CHECK enum status cosignature_check(
    struct bytes note, const struct note_key *witness, uint64_t *time_s);

/*
 * Append the checkpoint note with one cosignature line more.  ST_INVALID: no
 * checkpoint note, a time over 2^63 - 1, or the wrong key; ST_LIMIT: too long,
 * or too many signatures; ST_NOMEM.  On failure *out is as long as before.
 */
MUST_CHECK enum status cosignature_sign(struct bytes note,
    const struct note_key *witness, const uint8_t secret_key[64],
    uint64_t time_s, struct buf *out);

#endif
