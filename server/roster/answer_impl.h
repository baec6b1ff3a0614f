#ifndef SERVER_ROSTER_ANSWER_IMPL_H
#define SERVER_ROSTER_ANSWER_IMPL_H
/* answer_impl: what answer.c and answer_parts.c share; nobody else includes
 * it. */
#include "server/core/ingest.h"
#include "server/roster/answer.h"
#include "wire/sync.h"

enum {
	PART_STEPS_MAX = 1000,
	PART_BYTES_MAX = 256 << 10, /* of entries in one answer */
	ANSWER_ROW_BYTES = PART_BYTES_MAX + ENTRY_BYTES_MAX,
	ANSWER_SCOPES_MAX = ROSTER_SCOPES_MAX + 1
};

struct answer {
	struct centre *centre;
	struct roster *roster;
	struct feed *feed;
	struct feed_reader *feed_reader;
	struct centre_reader *reader;
	struct wire_codec *codec;
	struct sync_msg *msg;
	struct ingest *ingest;
	struct commit_job job;
	struct entry parse; /* scratch */
	answer_hint_fn on_hint;
	void *on_hint_arg;

	/* The request under way. */
	struct answer_peer peer;
	struct roster_device device;
	const struct sync_up *up;
	uint32_t dict;
	bool want_note;
	bool want_key;  /* of a device that is not in this log */
	bool other_log; /* it stands at a log that ended, or at none */
	uint64_t kept;  /* … of which this much stands here */
	uint64_t hints_taken;
	struct answer_counters counters;

	/* The answer under way. */
	struct checkpoint tip;
	struct buf note;
	struct wire_ack *ack;
	struct wire_receipt *receipt;
	size_t ack_count, receipt_count, reply_cap;
	struct wire_part part[ANSWER_SCOPES_MAX];
	size_t part_count;
	struct wire_stream_entry *row; /* of all parts */
	size_t *row_off;               /* their bytes */
	size_t row_count, row_left;
	struct buf bytes, proofs;
	size_t proof_off[ANSWER_SCOPES_MAX];
	struct feed_step *step;
	bool more;
};

/*
 * The parts of the request's device: its own stream, then each scope that it
 * follows, until the answer is full; none for who may only deliver.  Wants
 * `tip`; fills part, row, bytes and proofs.
 */
MUST_CHECK enum status answer_put_parts(struct answer *a);

#endif
