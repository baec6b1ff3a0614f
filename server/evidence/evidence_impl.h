#ifndef SERVER_EVIDENCE_EVIDENCE_IMPL_H
#define SERVER_EVIDENCE_EVIDENCE_IMPL_H
/* evidence_impl: what the files of this room share; nobody else includes it. */
#include <pthread.h>

#include "db/db.h"
#include "entry/entry.h"
#include "server/core/centre.h"
#include "server/evidence/upload.h"

enum { EV_PATH_MAX = 4096, EV_IDLE_MAX = 64, EV_THREADS_MAX = 64 };

/* Row states of table upload. */
enum ev_row_state {
	ROW_OPEN,
	ROW_DONE,
	ROW_MISMATCHED,
	ROW_EXPIRED,
	ROW_ENDED /* by its device */
};

struct ev_row {
	uint8_t id[UPLOAD_ID_LEN], digest[HASH_LEN];
	char dev[DEV_LEN + 1];
	uint64_t length, got, created, last;
	enum ev_row_state state;
};

/* An upload that was spoken of lately: where its hash stands. */
struct ev_up {
	struct ev_up *next;
	uint8_t id[UPLOAD_ID_LEN];
	unsigned refs;        /* under ev->ups_lock */
	uint64_t used;        /* a clock of uses: the least goes first */
	pthread_mutex_t lock; /* over all below */
	bool known;           /* pos and sha stand */
	int fd;               /* of the part; -1 */
	uint64_t pos, durable, begun_writeback;
	struct sha256_run sha; /* of the first pos bytes */
	struct upload_run *current;
};

struct ev_job {
	struct ev_job *next;
	void (*fn)(struct ev_job *job);
};

struct evidence {
	struct evidence_config cfg;
	char *dir; /* of the evidence, owned */

	pthread_mutex_t lock; /* over db */
	struct db *db;
	uint64_t size;     /* of the log, followed */
	uint64_t whole_at; /* the log's size when this was opened */

	struct centre_reader *reader; /* of the thread that follows */
	struct entry entry;

	pthread_mutex_t ups_lock;
	struct ev_up *ups;
	size_t up_count;
	uint64_t up_clock;

	pthread_mutex_t pool_lock;
	pthread_cond_t pool_wake;
	struct ev_job *first, *last;
	bool stopping;
	pthread_t thread[EV_THREADS_MAX];
	unsigned thread_count;

	uint64_t bytes, running, stored, mismatched, repeated, refused;
};

/* ---- evidence.c */
void ev_submit(struct evidence *ev, struct ev_job *job);
void ev_count(uint64_t *counter, int64_t n);

/* ---- evidence_files.c: paths are at most EV_PATH_MAX bytes, checked when the
 * folder is opened */
void ev_part_path(
    const struct evidence *ev, const uint8_t *id, char out[EV_PATH_MAX]);
void ev_apart_path(
    const struct evidence *ev, const uint8_t *id, char out[EV_PATH_MAX]);
void ev_store_path(
    const struct evidence *ev, const uint8_t *digest, char out[EV_PATH_MAX]);
enum status ev_errno(int err); /* ST_FULL, ST_NOMEM, ST_ABSENT, ST_IO */
MUST_CHECK enum status ev_make_folders(const struct evidence *ev);
/* Size of a stored file; ST_ABSENT. */
MUST_CHECK enum status ev_stored_size(
    const struct evidence *ev, const uint8_t *digest, uint64_t *size);
/* The part becomes the stored file, durable; one that is there stays. */
MUST_CHECK enum status ev_part_to_store(const struct evidence *ev,
    const uint8_t *id, const uint8_t *digest, uint64_t length, bool *was_there);
/* What that comes to for a part that no upload stands behind: a daemon that
 * starts just now sweeps such, and it has to be brought once more. */
static inline enum status
ev_taken(enum status st)
{
	return st == ST_ABSENT ? ST_AGAIN : st;
}
MUST_CHECK enum status ev_part_apart(
    const struct evidence *ev, const uint8_t *id);
MUST_CHECK enum status ev_unlink(const char *path);
/* Hash the first `len` bytes of an open file. */
MUST_CHECK enum status ev_hash_fd(int fd, uint64_t len, struct sha256_run *sha);
MUST_CHECK enum status ev_sync_parent(const char *path);

/* ---- evidence_check.c */

/* Each file of the store: its digest by its name, its path, its name below the
 * evidence folder; `odd` gets names that are none of ours.  `fn` ends it with
 * any result but ST_OK. */
typedef enum status (*ev_file_fn)(
    void *arg, const uint8_t *digest, const char *path, const char *name);
typedef void (*ev_odd_fn)(void *arg, const char *name);
MUST_CHECK enum status ev_each_file(
    struct evidence *ev, ev_file_fn fn, ev_odd_fn odd, void *arg);
/* The same of any folder that is kept so; ST_ABSENT: there is none. */
MUST_CHECK enum status ev_each_in(
    const char *dir, ev_file_fn fn, ev_odd_fn odd, void *arg);

/* ---- evidence_rows.c: take ev->lock themselves */
MUST_CHECK enum status ev_row_find(
    struct evidence *ev, const uint8_t *id, struct ev_row *out);
/* The newest row of a device for these bytes, open or done.  ST_ABSENT. */
MUST_CHECK enum status ev_row_same(struct evidence *ev, const char *dev,
    const uint8_t *digest, uint64_t length, struct ev_row *out);
MUST_CHECK enum status ev_row_put(struct evidence *ev, const struct ev_row *r);
/* With what was said of it. */
MUST_CHECK enum status ev_row_remove(struct evidence *ev, const uint8_t *id);
/* What its maker said of an upload; it takes the place of what was there. */
MUST_CHECK enum status ev_meta_put(
    struct evidence *ev, const uint8_t *id, struct bytes meta);
/* Appended.  ST_ABSENT: nothing was said. */
MUST_CHECK enum status ev_meta_get(
    struct evidence *ev, const uint8_t *id, struct buf *out);
/* Bytes of unfinished uploads of a device; of all its rows if `whole`. */
MUST_CHECK enum status ev_row_sum(struct evidence *ev, const char *dev,
    bool whole, uint64_t *bytes, uint64_t *count);
typedef enum status (*ev_row_fn)(void *arg, const struct ev_row *r);
/* Up to `max` rows of a state with nothing since `before`. */
MUST_CHECK enum status ev_row_old(struct evidence *ev, enum ev_row_state state,
    uint64_t before, struct ev_row *out, size_t max, size_t *count);

/* ---- evidence_log.c: what the log is told */
MUST_CHECK enum status ev_log_stored(struct evidence *ev, const char *dev,
    const uint8_t *digest, uint64_t length);
MUST_CHECK enum status ev_log_mismatched(struct evidence *ev, const char *dev,
    const uint8_t *digest, uint64_t length, const uint8_t *id,
    const uint8_t *got);

/* ---- upload.c */
struct ev_chunk {
	uint8_t *p; /* owned; UPLOAD_CHUNK + what may come at once */
	size_t len;
	bool handed; /* to the disk */
};

struct upload_run {
	struct ev_job job; /* first */
	struct evidence *ev;
	struct upload_ask ask;
	struct upload_calls calls;
	void *arg;
	struct ev_up *up; /* a reference, once begun */
	struct ev_row row;
	uint64_t begun_at; /* offset where this run begins */
	struct buf meta;   /* of CREATE, and what LOOK found */
	struct sha256_run begun_sha;
	struct sha256_run sum256;
	struct sha1_run sum1;
	bool summed; /* a byte was taken into the sum */

	pthread_mutex_t lock; /* over all below; inside up->lock */
	struct ev_chunk chunk[2];
	unsigned fill, drain;
	uint64_t put; /* bytes taken from the network */
	bool begun, busy, waiting, over, finish, drop;
	struct upload_info info;
};
void run_refuse(struct upload_run *run, enum upload_why why, enum status st);
/* Write all that a run has taken, whole buffers or not; up->lock held. */
void run_drain(struct upload_run *run);
/* What was written is durable, and the row says so; up->lock held. */
MUST_CHECK enum status up_durable(
    struct evidence *ev, struct ev_up *up, struct ev_row *row);

/* ---- upload_begin.c */
void run_begin(struct upload_run *run);

/* ---- upload_end.c */
void run_end(struct upload_run *run);
/* The last byte came: up->lock held. */
void up_complete(struct upload_run *run);
/* A table of what is spoken of; a reference each. */
struct ev_up *up_get(struct evidence *ev, const uint8_t *id);
void up_put(struct evidence *ev, struct ev_up *up);
void up_close(struct ev_up *up); /* up->lock held */
void ups_free(struct evidence *ev);

#endif
