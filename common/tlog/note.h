#ifndef TLOG_NOTE_H
#define TLOG_NOTE_H
/*
 * note: signed notes and checkpoints (C2SP signed-note, tlog-checkpoint).
 *
 * A key name is the log's origin.  Signature lines of keys we do not know are
 * kept and passed over; one good signature by the wanted key is needed.
 */
#include "base/buf.h"
#include "base/limits.h"

enum { NOTE_NAME_MAX = 200, NOTE_BYTES_MAX = 16384 };

/* A verifier key: "name+hash8+base64(0x01 || Ed25519 public key)". */
struct note_key {
	char name[NOTE_NAME_MAX + 1];
	uint32_t hash; /* key id */
	uint8_t alg;   /* 1 Ed25519, 4 cosignature/v1 */
	uint8_t public_key[PUBKEY_LEN];
};

struct checkpoint {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size;
	uint8_t root[HASH_LEN];
};

MUST_CHECK enum status note_key_make(struct note_key *out, const char *name,
    uint8_t alg, const uint8_t public_key[PUBKEY_LEN]);
MUST_CHECK enum status note_key_parse(struct note_key *out, struct bytes vkey);
void note_key_format(const struct note_key *k, struct buf *out);

/* Append note = text (ending in LF), an empty line, one signature line. */
MUST_CHECK enum status note_sign(struct bytes text, const struct note_key *key,
    const uint8_t secret_key[64], struct buf *out);

/* ST_OK and *text (borrowed, with its last LF) if `key` signed it well;
 * ST_ABSENT if it carries no signature of that key; ST_DENIED if a bad one;
 * ST_INVALID if it is no note. */
MUST_CHECK enum status note_open(
    struct bytes note, const struct note_key *key, struct bytes *text);

void checkpoint_format(const struct checkpoint *c, struct buf *out);
MUST_CHECK enum status checkpoint_parse(
    struct checkpoint *out, struct bytes text);

/* Sign / open in one step; open also wants origin == key->name. */
MUST_CHECK enum status checkpoint_sign(const struct checkpoint *c,
    const struct note_key *key, const uint8_t secret_key[64], struct buf *out);
MUST_CHECK enum status checkpoint_open(
    struct checkpoint *out, struct bytes note, const struct note_key *key);

/* A witness's cosignature/v1 over a checkpoint note: *time_s is its time. */
MUST_CHECK enum status cosignature_check(
    struct bytes note, const struct note_key *witness, uint64_t *time_s);

#endif
