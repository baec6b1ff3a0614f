#ifndef TLOG_DESCRIPTOR_H
#define TLOG_DESCRIPTOR_H
/*
 * descriptor: what makes a court one: its keys, version by version
 * (docs/FORMAT.md, "Descriptor").
 *
 * A descriptor is one canonical JSON line; its file is that line, LF, and one
 * or two signature lines.  Version 1 is signed by its own root key, and the
 * SHA-256 of its line is the court-id, for ever.  Only the root named in
 * version n signs n + 1; a new root signs too.  The root key is off line:
 * whoever holds the server can roll nothing.
 *
 * Version 1 holds nothing that is derived from a chain or the log, so that
 * court-id comes before both.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "tlog/note.h"

enum {
	DESCRIPTOR_BYTES_MAX = 40960, /* the line; every list full fits */
	DESCRIPTOR_FILE_MAX = DESCRIPTOR_BYTES_MAX + 512,
	DESCRIPTOR_COURT_MAX = 64, /* bytes of text */
	DESCRIPTOR_NAME_MAX = 200,
	DESCRIPTOR_CA_MAX = 4096,     /* DER */
	DESCRIPTOR_ADDRESS_MAX = 128, /* bytes of one */
	DESCRIPTOR_LIST_MAX = 16,     /* addresses of a sort; witnesses */
	DESCRIPTOR_DISTRUST_MAX = 64,
	DESCRIPTOR_SIGNATURES_MAX = 2
};

/* "https://host:port" each, the one to try first in front. */
struct descriptor_addresses {
	size_t count;
	char url[DESCRIPTOR_LIST_MAX][DESCRIPTOR_ADDRESS_MAX + 1];
};

/* A key no longer trusted: for nothing that was not in the log when the tree
 * had `after` leaves. */
struct descriptor_distrust {
	char key[NOTE_VKEY_MAX + 1]; /* 64 hex, or a vkey */
	uint64_t after;
};

struct descriptor_signature {
	uint8_t root[PUBKEY_LEN]; /* who says to have signed */
	uint8_t sig[SIG_LEN];
};

/* About 30 KB: keep it on the heap where stacks are small. */
struct descriptor {
	uint64_t version; /* 1, 2, … */
	char court[DESCRIPTOR_COURT_MAX +
		   1]; /* the court's code; never changes */
	char name[DESCRIPTOR_NAME_MAX + 1];
	uint8_t root[PUBKEY_LEN];      /* Ed25519 */
	uint8_t server[PUBKEY_LEN];    /* Ed25519, of the server chain */
	uint8_t recovery[PUBKEY_LEN];  /* X25519 */
	uint8_t ca[DESCRIPTOR_CA_MAX]; /* the CA's certificate, DER */
	size_t ca_len;
	struct note_key log; /* its name is the log's origin */
	struct note_key witness[DESCRIPTOR_LIST_MAX];
	size_t witness_count;
	struct descriptor_addresses devices_at; /* listener for handhelds */
	struct descriptor_addresses public_at;  /* public listener */
	struct descriptor_distrust distrust[DESCRIPTOR_DISTRUST_MAX];
	size_t distrust_count;
	uint8_t prev[HASH_LEN]; /* digest of version - 1; unused in 1 */

	/* Not in the line; set by descriptor_parse. */
	uint8_t digest[HASH_LEN]; /* SHA-256 of the line; version 1: court-id */
	struct descriptor_signature signature[DESCRIPTOR_SIGNATURES_MAX];
	size_t signature_count;
};

/*
 * Append the line, without LF.  ST_INVALID if a member breaks a rule of
 * FORMAT.md (among them: a key that is in force and distrusted); ST_LIMIT;
 * ST_NOMEM.  On failure *out is as long as before.
 */
MUST_CHECK enum status descriptor_format(
    const struct descriptor *d, struct buf *out);

/* SHA-256 of a line (without LF). */
void descriptor_digest(uint8_t out[HASH_LEN], struct bytes line);

/*
 * Append the signature line of a root key (libsodium's 64 bytes) over a line.
 * A file is the line, LF, the signature of the root of the version before (of
 * its own root in version 1), and that of its own root where that is new.
 */
void descriptor_sign(
    struct bytes line, const uint8_t root_secret[64], struct buf *out);

/*
 * Read a file.  Nothing is trusted yet: descriptor_check_first or _next says
 * whether the signatures are good.  ST_INVALID; ST_NEWER for another format;
 * ST_NOMEM.
 */
MUST_CHECK enum status descriptor_parse(
    struct descriptor *out, struct bytes file);

/* The line within a file: what lies before its first LF. */
struct bytes descriptor_line(struct bytes file);

/* ST_OK if it is a version 1, signed by its own root; ST_DENIED if the
 * signature is bad or another's; ST_INVALID if it is no version 1. */
MUST_CHECK enum status descriptor_check_first(const struct descriptor *d);

/*
 * ST_OK if `next` follows `prev`, which the caller trusts.  ST_DENIED: not
 * signed by the root of prev, and by its own if new, and by nobody else.
 * ST_INVALID: not the next version of the same court, another prev, or a
 * distrust taken back (dropped, or its size raised).
 */
MUST_CHECK enum status descriptor_check_next(
    const struct descriptor *prev, const struct descriptor *next);

/* False if the key (64 hex, or a vkey) is distrusted for what was first in
 * the log at a tree of `size` leaves: a checkpoint's size, or place + 1. */
bool descriptor_trusts(
    const struct descriptor *d, const char *key, uint64_t size);

#endif
