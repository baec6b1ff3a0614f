#ifndef WIRE_SYNC_H
#define WIRE_SYNC_H
/*
 * sync: what `POST /v1/sync` says, both ways, as structs (docs/PROTOCOL.md,
 * sections 2 to 5).
 *
 * Encoding appends a whole container to a buffer.  Decoding checks every
 * length and count against base/limits.h before it is used, puts back what the
 * writer cut out, and owns all it made: ranges in the structs live until the
 * message is freed or decoded anew.
 *
 * What was cut out of an entry may be the id of an entry before it, so bytes,
 * digests and links come together, each hashed once: a reader gives all three.
 * Where the wire states link(n-1) (hints, streams, returned entries) they stand
 * after decoding.  A piece rests on a link that its reader knows and the wire
 * leaves out, so its entries are *sealed* until sync_piece_open() is told it.
 * With a wrong base the bytes may differ from those that were sent; then the
 * links do too, and the head signature fails: checking that is the caller's.
 *
 * Threads: a codec and a message serve one thread at a time.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "tlog/merkle.h"

/*
 * Compression contexts, prepared dictionaries and work buffers; make one for
 * each thread.  Memory is taken when first needed: about 1 MiB, more while a
 * large frame is encoded.  ST_NOMEM.
 */
struct wire_codec;
MUST_CHECK enum status wire_codec_new(struct wire_codec **out);
void wire_codec_free(struct wire_codec *c);
/* Id of the newest built-in dictionary; 0 if none is built in. */
uint32_t wire_dict_newest(const struct wire_codec *c);

enum wire_form {
	WIRE_WHOLE = 0,
	WIRE_HEAD = 1, /* body withheld, purged or erased: no LF */
	WIRE_LOST = 2, /* only the digest */
};

/* An entry on its way: 1 to ENTRY_BYTES_MAX bytes of any value. */
struct wire_entry {
	enum wire_form form;
	struct bytes raw; /* bytes of the entry, exactly; empty if lost */
	uint8_t digest[HASH_LEN]; /* decoded: always; encoding: if lost */
	uint8_t link[HASH_LEN];   /* decoded: link(n); encoding: not read */
};

struct wire_piece {
	uint8_t chain[CHAIN_LEN];
	uint64_t first; /* first .. first + count - 1 lie in 1 .. 2^53 - 1 */
	bool has_base;  /* base is stated on the wire */
	bool hole;      /* what lies before `first` is gone for good */
	bool sealed;    /* decoded, and not opened yet */
	/* link(first-1).  Encoding: always given, the writer needs it too.
	 * Decoded: as stated, then as opened with. */
	uint8_t base[HASH_LEN];
	struct wire_entry *entry; /* sealed: form, and digest if lost; no raw */
	size_t count;
	uint8_t sig[SIG_LEN]; /* head signature of the last entry */
};

struct wire_hint {
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	uint8_t prev[HASH_LEN];
	struct wire_entry entry;
	uint8_t sig[SIG_LEN];
};

struct wire_cursor {
	uint8_t scope[ID_LEN];
	uint64_t place, sub;
};

struct wire_returned {
	uint64_t place; /* in the old log */
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	uint8_t prev[HASH_LEN];
	struct wire_entry entry;
	uint8_t sig[SIG_LEN];
};

/* A place of a log that ended, as one of its parts proved it. */
struct wire_leaf {
	uint64_t place;
	bool has_entry;         /* else its link alone */
	bool has_sig;           /* of the centre's chain; with an entry */
	uint8_t link[HASH_LEN]; /* encoding: read only without an entry */
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	uint8_t prev[HASH_LEN];
	struct wire_entry entry;
	uint8_t sig[SIG_LEN]; /* head signature over this very entry */
};

struct wire_proved {
	struct bytes note;      /* the checkpoint that it was proved by */
	struct wire_leaf *leaf; /* at most ANSWER_ENTRIES_MAX in all parts */
	size_t count;
	struct bytes proof; /* multi-inclusion: HASH_LEN each */
};

/* A request. */
struct sync_up {
	struct wire_piece *piece;
	size_t piece_count;
	struct wire_hint *hint;
	size_t hint_count;
	struct wire_cursor *cursor;
	size_t cursor_count;
	bool has_checkpoint;
	uint64_t size;
	uint8_t root16[ID_LEN];
	struct bytes note; /* empty: none */
	struct wire_returned *returned;
	size_t returned_count;
	bool has_clock;
	uint64_t clock_ms; /* the device's clock as it sent this */
	bool has_key;      /* asked for by WANT_KEY */
	uint8_t key[PUBKEY_LEN];
	struct wire_proved *proved;
	size_t proved_count;
};

enum ack_status {
	ACK_TAKEN = 0,
	ACK_GAP = 1,
	ACK_HELD = 2,
	ACK_REFUSED = 3,
	ACK_QUOTA = 4,
	ACK_LATER = 5,
	ACK_CLOSED = 6,
	ACK_CUT = 7, /* send again, in pieces of which one ends at seq */
};

struct wire_ack {
	uint8_t chain[CHAIN_LEN];
	enum ack_status status;
	uint64_t seq;
};

struct wire_receipt {
	uint8_t chain[CHAIN_LEN];
	uint64_t seq, place;
	struct merkle_proof proof;
};

enum wire_stream_flags {
	STREAM_BARE = 1,
	STREAM_SERVER = 4,
	STREAM_SIGNED = 16, /* of the centre's chain, with its signature */
};

struct wire_stream_entry {
	uint64_t place;
	unsigned flags;
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	uint8_t prev[HASH_LEN];
	struct wire_entry entry;
	uint8_t sig[SIG_LEN]; /* with STREAM_SIGNED */
};

struct wire_part {
	uint8_t scope[ID_LEN];
	uint64_t place, sub; /* the new cursor */
	bool more;
	struct wire_stream_entry *entry; /* ascending place */
	size_t count;
	struct bytes proof; /* multi-inclusion: HASH_LEN each */
};

enum wire_want { WANT_NOTE = 1, WANT_RETURNED = 2, WANT_KEY = 4 };

/* An answer. */
struct sync_down {
	struct wire_ack *ack;
	size_t ack_count;
	struct bytes note; /* checkpoint; empty: none */
	struct merkle_proof consistency;
	struct wire_receipt *receipt;
	size_t receipt_count;
	struct wire_part *part; /* at most ANSWER_ENTRIES_MAX entries in all */
	size_t part_count;
	bool has_time;
	uint64_t time_ms;
	unsigned want;
	uint64_t kept;
	bool has_hints;
	uint64_t hints_taken;
};

/*
 * Append the container.  `court` is the court's code, known to both sides.
 * All ranges are borrowed for the call; nothing is appended on failure.
 * ST_LIMIT: a count over its limit, entries of more than FRAME_BYTES_MAX
 * together, or a container over FRAME_WIRE_BYTES_MAX.  ST_INVALID: an entry
 * that is empty or too long, a head alone with an LF in it, entries of one
 * part that are not in order.  ST_ABSENT: no such dictionary.  ST_NOMEM.
 */
MUST_CHECK enum status sync_up_encode(struct wire_codec *c, uint32_t dict,
    const char *court, const struct sync_up *m, struct buf *out);
MUST_CHECK enum status sync_down_encode(struct wire_codec *c, uint32_t dict,
    const char *court, const struct sync_down *m, struct buf *out);

/*
 * A decoded message and its memory, which is kept for the next one as long as
 * it is small, and wiped when given back.
 */
struct sync_msg;
MUST_CHECK enum status sync_msg_new(struct sync_msg **out);
void sync_msg_free(struct sync_msg *m);

/*
 * Decode.  *out is owned by `m`; it and *dict, the dictionary that was used,
 * are set on ST_OK only, and what `m` held before is gone in any case.  *why
 * gets static words on failure.
 * ST_INVALID, ST_LIMIT, ST_NEWER (an unknown section, status, flag or version),
 * ST_ABSENT (unknown dictionary), ST_NOMEM.
 * Bounded before anything is allocated for it: sizes by FRAME_WIRE_BYTES_MAX
 * and FRAME_BYTES_MAX, each count by its limit and by the bytes that are left.
 */
MUST_CHECK enum status sync_up_decode(struct wire_codec *c, struct sync_msg *m,
    const char *court, struct bytes in, const struct sync_up **out,
    uint32_t *dict, const char **why);
MUST_CHECK enum status sync_down_decode(struct wire_codec *c,
    struct sync_msg *m, const char *court, struct bytes in,
    const struct sync_down **out, uint32_t *dict, const char **why);

/*
 * Open a piece: put back what its entries left out, given base = link(first-1),
 * and compute their digests and links.  Cannot fail: decoding checked and
 * allocated all of it.  May be called again with another base (a chain with
 * two branches); ranges of the last opening then change in place.
 */
void sync_piece_open(
    struct sync_msg *m, size_t piece, const uint8_t base[HASH_LEN]);

#endif
