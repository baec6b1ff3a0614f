#ifndef TLOG_PROOF_H
#define TLOG_PROOF_H
/*
 * proof: one entry's place in the log, in a file that anyone can check off
 * line (c2sp.org/tlog-proof@v1).
 *
 * The leaf is link(n); `extra` carries link(n-1), so that whoever holds the
 * entry's bytes computes link(n) = SHA-256(0x02 || extra || u64be n || digest)
 * (entry/chain.h) and needs nothing else.  That makes extra good as well:
 * with another one the leaf would be another.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "tlog/merkle.h"
#include "tlog/note.h"

enum {
	/* First line, extra, index, hashes, empty line, note. */
	PROOF_BYTES_MAX = 128 + 64 + MERKLE_PROOF_MAX * 45 + NOTE_BYTES_MAX
};

struct proof {
	bool has_prev;
	uint8_t prev[HASH_LEN]; /* link(n-1), if has_prev */
	uint64_t index;         /* the entry's place */
	struct merkle_proof path;
	struct bytes note; /* the checkpoint, verbatim; borrowed */
};

/* Append the file.  ST_INVALID: an index or a path that no tree has, or a
 * note that is none in length; ST_LIMIT; ST_NOMEM.  On failure *out is as
 * long as before. */
MUST_CHECK enum status proof_format(const struct proof *p, struct buf *out);

/* Read a file; out->note borrows from it.  Nothing is proved yet.
 * ST_INVALID, also for an extra that is not 32 bytes. */
MUST_CHECK enum status proof_parse(struct proof *out, struct bytes file);

/*
 * ST_OK and *out (the checkpoint, which may be NULL) if `log` signed the
 * checkpoint and the path leads from link(n) at the index to its root.
 * ST_DENIED if it does not; else what checkpoint_open says.  Witnesses are
 * the caller's to ask for: cosignature_check over p->note.
 */
MUST_CHECK enum status proof_check(const struct proof *p,
    const uint8_t link[HASH_LEN], const struct note_key *log,
    struct checkpoint *out);

#endif
