#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H
/*
 * limits: every ceiling that Daybreak holds, in one place.
 *
 * A length that comes from outside is compared with one of these before it is
 * used.  Tests try limit - 1, limit and limit + 1.  docs/FORMAT.md and
 * docs/PROTOCOL.md state the ones that a second implementation must share.
 */

enum {
	HASH_LEN = 32, /* SHA-256 */
	ID_LEN = 16,   /* an entry's id: the first bytes of its link */
	SIG_LEN = 64,  /* Ed25519 */
	PUBKEY_LEN = 32,
	CHAIN_LEN = 16,
	BOOT_LEN = 16,
	SALT_LEN = 16,
	REC_LEN = 36, /* UUID as text */
	DEV_LEN = 26, /* base32 text of 16 bytes */

	ENTRY_BYTES_MAX = 65536, /* head, LF, body */
	JSON_DEPTH_MAX = 16,
	JSON_BYTES_MAX = 16 << 20, /* one JSON text of any sort */
	PATH_BYTES_MAX = 255,
	WORD_BYTES_MAX = 40,
	ON_COUNT_MAX = 4096,    /* names in one head: bounded by its bytes */
	AFTER_COUNT_MAX = 1024, /* ids in one head */
	HINT_BYTES_MAX = 256,   /* on the wire */
	HINT_RAW_MAX = 1024,    /* of its entry, as written */

	PIECE_ENTRIES_MAX = 1000,
	FRAME_PIECES_MAX = 64,
	FRAME_BYTES_MAX = 4 << 20,      /* after decompression, either way */
	FRAME_WIRE_BYTES_MAX = 2 << 20, /* as sent, either way */
	CURSORS_MAX = 256,
	HINTS_MAX = 32,
	RETURNED_MAX = 1000, /* entries of others in one request */
	PROVED_MAX = 16,     /* parts of an ended log in one request */
	ACKS_MAX = 256,      /* and receipts, in one answer */
	PARTS_MAX = 256,
	ANSWER_ENTRIES_MAX = 4096, /* of all parts of an answer together */
	DOC_BYTES_MAX = 4 << 20    /* a kind, rule, map or config file */
};

#endif
