#ifndef AGENT_BLOB_BLOB_FILE_H
#define AGENT_BLOB_BLOB_FILE_H
/*
 * blob_file: the folder of sealed files (crypt/blob.h), written in one pass and
 * read from anywhere.
 *
 * A file is hashed and sealed as it comes, with memory that does not depend on
 * its size; a second thread hashes and a third one writes while this one seals,
 * so that a long video takes the time of the slowest of the three.  It stands
 * as NAME.part until it is whole and synced, then takes its name and the folder
 * is synced: what has a name is complete.  Who ends a write without keeping its
 * name and key elsewhere leaves nothing that could ever be opened; blob_sweep
 * removes that.
 *
 * Threads: one owner for each writer, reader and folder.
 */
#include "base/bytes.h"
#include "base/limits.h"
#include "base/port.h"
#include "crypt/blob.h"

struct blob_writer; /* private */
struct blob_reader; /* private */

enum { BLOB_NAME_LEN = 2 * BLOB_ID_LEN };

/* What is known of a file that was written. */
struct blob_made {
	uint8_t id[BLOB_ID_LEN];
	uint8_t key[SEAL_KEY_LEN]; /* wipe it */
	uint8_t digest[HASH_LEN];  /* SHA-256 of what was written */
	uint64_t size;
};

/*
 * Begin a file in `dir`, which is made if it is not there.  `bulk`: it comes as
 * fast as it is taken (a file that stands already), and is written past the
 * system's page cache where that can be; what a camera writes comes when it
 * comes, and must not wait for a disk that pauses.  ST_FULL, ST_IO, ST_NOMEM.
 */
MUST_CHECK enum status blob_writer_new(struct blob_writer **out,
    const char *dir, bool bulk, const struct port *port);

/* A piece of which the hands that hash and seal make the most: they meet at the
 * end of each.  Smaller and larger ones are as good, and slower. */
enum { BLOB_PIECE = 2 << 20 };

/* Append.  After any result but ST_OK it can only be aborted.  ST_FULL,
 * ST_IO, ST_LIMIT. */
MUST_CHECK enum status blob_writer_add(struct blob_writer *w, struct bytes in);

/* The file is whole: durable under its name on ST_OK.  The writer is freed,
 * and on any other result so is what it wrote. */
MUST_CHECK enum status blob_writer_end(
    struct blob_writer *w, struct blob_made *out);

/* Free, and remove what was written.  NULL does nothing. */
void blob_writer_abort(struct blob_writer *w);

/*
 * Open a file of that id, key and size.  ST_ABSENT: there is none; ST_CORRUPT:
 * it has another length or header; ST_IO, ST_NOMEM.
 */
MUST_CHECK enum status blob_reader_open(struct blob_reader **out,
    const char *dir, const uint8_t id[BLOB_ID_LEN],
    const uint8_t key[SEAL_KEY_LEN], uint64_t size);
void blob_reader_close(struct blob_reader *r); /* NULL does nothing */

/*
 * Copy up to `len` bytes from `off` on; *got is how many, fewer only at the
 * file's end.  ST_CORRUPT: a chunk does not open.
 */
MUST_CHECK enum status blob_reader_read(
    struct blob_reader *r, uint64_t off, uint8_t *out, size_t len, size_t *got);

/* Remove a file; durable.  One that is not there is fine. */
MUST_CHECK enum status blob_remove(
    const char *dir, const uint8_t id[BLOB_ID_LEN]);

/* True if a file of that id is there. */
bool blob_there(const char *dir, const uint8_t id[BLOB_ID_LEN]);

/*
 * Remove what a crash left: *.part, and each name of ours that `known` does not
 * know.  Other files stay.  *swept: how many.  No folder: nothing.
 */
typedef bool blob_known(void *arg, const uint8_t id[BLOB_ID_LEN]);
MUST_CHECK enum status blob_sweep(
    const char *dir, blob_known *known, void *arg, uint64_t *swept);

#endif
