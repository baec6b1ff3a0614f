#ifndef SERVER_UPKEEP_RECOVER_INNER_H
#define SERVER_UPKEEP_RECOVER_INNER_H
/* recover_inner: what the files of recover share; nobody else includes it. */
#include "chainfile/chainfile.h"
#include "server/core/ingest.h"
#include "server/upkeep/recover.h"

/* One entry on its way. */
struct recover_row {
	enum wire_form form;
	size_t off, len; /* in bytes */
	uint8_t digest[HASH_LEN], link[HASH_LEN], sig[SIG_LEN];
	bool has_sig;
};

/* A chain on its way, piece by piece. */
struct delivery {
	const struct recover_config *cfg;
	struct recovered *out;
	char *errmsg;
	struct chainfile_chain chain;
	struct ingest_device dev;
	char held[32]; /* what dev.held says */

	struct ingest *in;
	struct wire_codec *codec;
	struct sync_msg *msg;
	struct buf frame;
	struct wire_entry *wire; /* owned; PIECE_ENTRIES_MAX */

	/* The piece that grows: rows from place `first` on, over `base`. */
	struct recover_row *row; /* owned; PIECE_ENTRIES_MAX */
	size_t count;
	struct buf bytes;
	uint64_t first;
	uint8_t base[HASH_LEN];
	bool hole; /* what lies before it cannot be had */
};

enum status recover_say(
    struct delivery *d, enum status st, const char *zh, const char *en);

/* chainfile_walk's callback; `arg` is a delivery. */
enum status recover_take(void *arg, const struct chainfile_entry *e);

/* The chain has ended: what is left goes out. */
MUST_CHECK enum status recover_end(struct delivery *d);

/* ---- recover_files.c: attached files, after the entries that name them */
MUST_CHECK enum status recover_files(struct delivery *d, struct chainfile *f);

/*
 * Copy a SQLite file, and its WAL if there is one, into the folder `work`,
 * which is made (0700), as "file".  *path is the copy's, owned by the caller.
 * ST_ABSENT, ST_DENIED, ST_INVALID (no file), ST_FULL, ST_IO, ST_NOMEM.
 */
MUST_CHECK enum status recover_copy(
    char **path, const char *work, const char *file);
/* Remove the folder and the copy in it. */
void recover_copy_remove(const char *work);

#endif
