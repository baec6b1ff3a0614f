#ifndef CHAINFILE_CHAINFILE_INNER_H
#define CHAINFILE_CHAINFILE_INNER_H
/* chainfile_inner: what the files of this room share; nobody else. */
#include "chainfile/chainfile.h"
#include "db/db.h"

struct chainfile_key {
	uint8_t have;
	uint8_t key[SEAL_KEY_LEN];
};

struct chainfile {
	struct db *db;             /* owned */
	const struct port *port;   /* borrowed */
	struct chainfile_key *key; /* locked memory; [id - 1]; NULL: locked */
	uint32_t data_id; /* the present data key; keys that `key` has */
	uint32_t keys_lost;
};

/*
 * A statement on a chain's own table: `before`, the chain's number, `after`.
 * As db_query.
 */
MUST_CHECK enum status chainfile_query(struct db_stmt **out,
    struct chainfile *f, const char *before, uint32_t number,
    const char *after);

#endif
