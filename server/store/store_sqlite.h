#ifndef SERVER_STORE_STORE_SQLITE_H
#define SERVER_STORE_STORE_SQLITE_H
/*
 * store_sqlite: what the files of the SQLite store share; nobody else includes
 * it.  Functions named sq_* are those of struct store_ops.
 */
#include "db/db.h"
#include "server/store/store_ops.h"

/* SQLite's application_id: "DBst". */
#define SQ_APP_ID 0x44427374u

/* A tile's row: level * 2^56 + index. */
#define SQ_TILE_LEVEL ((uint64_t)1 << 56)

struct sq_reader {
	struct store_reader base; /* first */
	struct sq_store *store;   /* borrowed */
	struct db *db;            /* owned */
	struct buf row;           /* bytes of the last entry given */
};

struct sq_store {
	struct store base;     /* first */
	struct sq_reader in;   /* the writer's connection */
	struct db_stmt *entry; /* held open: the insert of entries */
	char *path, *vfs;      /* owned; vfs may be NULL */
	unsigned busy_ms;
	char errmsg[DB_ERRMSG_LEN + 64];
};

static inline struct sq_store *
sq_of(struct store *s)
{
	return (struct sq_store *)(void *)s;
}

static inline struct sq_reader *
sq_reader_of(struct store_reader *r)
{
	return (struct sq_reader *)(void *)r;
}

/* A row of the columns place, chain, seq, branch, flags, prev, link. */
enum status sq_entry_row(struct db_stmt *q, struct store_entry *out);

/* Give an entry that was read the link before it, if its row has none. */
enum status sq_put_prev(struct sq_reader *r, struct store_entry *e);

/* Keep words of the writer's last failure; gives `st` back. */
enum status sq_failed(struct sq_store *s, enum status st);

enum status sq_put_entry(
    struct store *s, const struct store_entry *e, const char *why);
enum status sq_put_chain(struct store *s, const struct store_chain *c);
enum status sq_put_commit(struct store *s, const struct store_commit *c);
enum status sq_put_piece(struct store *s, uint64_t place, uint64_t index,
    const uint8_t line[PIECE_LINE_LEN]);
enum status sq_put_tile(struct store *s, unsigned level, uint64_t index,
    const uint8_t (*hash)[HASH_LEN]);
enum status sq_put_head(struct store *s, const struct frontier *f);
enum status sq_fill(struct store *s, uint64_t place, uint32_t flags,
    struct bytes bytes, const char *why);
enum status sq_erase(struct store *s, uint64_t place);
enum status sq_tidy(struct store *s);
enum status sq_put_meta(struct store *s, const char *name, struct bytes value);
enum status sq_put_alarm(struct store *s, const struct store_alarm *a);
enum status sq_put_attempt(struct store *s, const struct store_attempt *a);
enum status sq_put_doc(struct store *s, const struct store_doc *d);
enum status sq_remove_doc(struct store *s, const char *sort, struct bytes key);
enum status sq_head(struct store_reader *r, struct store_head *out);
enum status sq_frontier(struct store_reader *r, struct frontier *out);
enum status sq_entry(
    struct store_reader *r, uint64_t place, struct store_entry *out);
enum status sq_entry_alone(
    struct store_reader *r, uint64_t place, struct store_entry *out);
enum status sq_entry_head(
    struct store_reader *r, uint64_t place, struct store_entry *out);
enum status sq_find(struct store_reader *r, uint64_t chain, uint64_t seq,
    uint32_t branch, struct store_entry *out);
enum status sq_find_next(struct store_reader *r, uint64_t chain, uint64_t seq,
    uint32_t branch, struct store_entry *out);
enum status sq_why(struct store_reader *r, uint64_t place, struct buf *out);
enum status sq_scan_open(struct store_scan **out, struct store_reader *r,
    uint64_t from, uint64_t to);
enum status sq_links(struct store_reader *r, uint64_t from, size_t count,
    uint8_t (*out)[HASH_LEN]);
enum status sq_chains(struct store_reader *r, store_chain_fn fn, void *arg);
enum status sq_commit_of(
    struct store_reader *r, uint64_t place, struct store_commit *out);
enum status sq_commit_later(struct store_reader *r, uint64_t place,
    uint64_t wall, struct store_commit *out);
enum status sq_pieces(struct store_reader *r, uint64_t place, struct buf *out);
enum status sq_tile(
    struct store_reader *r, unsigned level, uint64_t index, struct buf *out);
enum status sq_meta(struct store_reader *r, const char *name, struct buf *out);
enum status sq_next_fill(struct store_reader *r, uint64_t *no, uint64_t *place);
enum status sq_alarms(
    struct store_reader *r, uint64_t after, store_alarm_fn fn, void *arg);
enum status sq_attempts(
    struct store_reader *r, size_t limit, store_attempt_fn fn, void *arg);
enum status sq_doc(struct store_reader *r, const char *sort, struct bytes key,
    store_doc_fn fn, void *arg);
enum status sq_docs(
    struct store_reader *r, const char *sort, store_doc_fn fn, void *arg);
enum status sq_check(struct store_reader *r, struct buf *why);
enum status sq_backup(struct store_reader *r, const char *path);
enum status sq_scan_next(struct store_scan *sc, struct store_entry *out);
void sq_scan_close(struct store_scan *sc);

#endif
