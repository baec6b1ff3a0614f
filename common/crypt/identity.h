#ifndef CRYPT_IDENTITY_H
#define CRYPT_IDENTITY_H
/*
 * identity: who this device is: its chain key, and its TLS key and certificate.
 *
 * The chain key is Ed25519 and lives as long as the device's enrolment.  The
 * TLS parts are bytes whose meaning others know (DER).  All of it is held in
 * locked memory and stored only sealed by the identity key, which officers'
 * slots hold and the court's recovery slot does not.
 *
 *   bytes = u8 1 || Ed25519 seed[32] || u8 count || count x
 *           (u8 item || u32be length || bytes), items ascending
 *
 * Threads: one at a time.
 */
#include "base/buf.h"
#include "base/port.h"

struct identity; /* private to identity.c */

/* Numbers stand in the file: never change one. */
enum identity_item {
	IDENTITY_TLS_KEY = 1,  /* private key, DER */
	IDENTITY_TLS_CERT = 2, /* the certificate that goes with it */
	/* Made for an enrolment or a renewal under way: kept until the answer
	 * is there, so that a lost answer is asked for with the same key. */
	IDENTITY_TLS_KEY_NEXT = 3,
	IDENTITY_TLS_CSR_NEXT = 4,
	IDENTITY_ITEMS_END
};

enum {
	IDENTITY_ITEM_MAX = 8192, /* bytes of one item */
	IDENTITY_BYTES_MAX = 40000
};

/* A new device: a new chain key, no items.  ST_NOMEM. */
MUST_CHECK enum status identity_new(
    struct identity **out, const struct port *port);

/* Wipe and free.  NULL does nothing. */
void identity_free(struct identity *id);

/* The chain key's public half; borrowed for the identity's life. */
const uint8_t *identity_public_key(const struct identity *id);

/* The chain key as libsodium's 64 bytes, for chain_sign; borrowed, likewise. */
const uint8_t *identity_secret_key(const struct identity *id);

/* Ed25519 over `message` by the chain key. */
void identity_sign(
    uint8_t sig[SIG_LEN], const struct identity *id, struct bytes message);

/* An item; empty if it is not there.  Borrowed until it is set or freed. */
struct bytes identity_get(const struct identity *id, enum identity_item item);

/* Set an item to a copy of `in`; empty removes it.  ST_LIMIT, ST_NOMEM. */
MUST_CHECK enum status identity_set(
    struct identity *id, enum identity_item item, struct bytes in);

/* Append the bytes.  The caller seals them and wipes the buffer. */
MUST_CHECK enum status identity_encode(
    const struct identity *id, struct buf *out);

/* Read them.  ST_CORRUPT, ST_NEWER, ST_NOMEM. */
MUST_CHECK enum status identity_decode(struct identity **out, struct bytes in);

#endif
