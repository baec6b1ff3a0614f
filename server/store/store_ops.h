#ifndef SERVER_STORE_STORE_OPS_H
#define SERVER_STORE_STORE_OPS_H
/*
 * store_ops: what an implementation of store.h fills in.
 *
 * Each function means what its namesake store_* in store.h says.  An
 * implementation's own struct begins with a struct store (store_reader,
 * store_scan), which it points at its table.  Only store.c and implementations
 * include this.
 */
#include "server/store/store.h"

struct store {
	const struct store_ops *ops;
};

struct store_reader {
	const struct store_ops *ops;
};

struct store_scan {
	const struct store_ops *ops;
};

struct store_ops {
	/* life */
	void (*close)(struct store *s);
	const char *(*errmsg)(const struct store *s);

	/* the writer */
	enum status (*begin)(struct store *s, struct store_head *head);
	enum status (*commit)(struct store *s);
	enum status (*put_entry)(
	    struct store *s, const struct store_entry *e, const char *why);
	enum status (*put_chain)(struct store *s, const struct store_chain *c);
	enum status (*put_commit)(
	    struct store *s, const struct store_commit *c);
	enum status (*put_piece)(struct store *s, uint64_t place,
	    uint64_t index, const uint8_t line[PIECE_LINE_LEN]);
	enum status (*put_tile)(struct store *s, unsigned level, uint64_t index,
	    const uint8_t (*hash)[HASH_LEN]);
	enum status (*put_head)(struct store *s, const struct frontier *f);
	enum status (*fill)(struct store *s, uint64_t place, uint32_t flags,
	    struct bytes bytes, const char *why);
	enum status (*erase)(struct store *s, uint64_t place);
	enum status (*tidy)(struct store *s);
	enum status (*put_meta)(
	    struct store *s, const char *name, struct bytes value);
	enum status (*put_alarm)(struct store *s, const struct store_alarm *a);
	enum status (*put_attempt)(
	    struct store *s, const struct store_attempt *a);
	enum status (*put_doc)(struct store *s, const struct store_doc *d);
	enum status (*remove_doc)(
	    struct store *s, const char *sort, struct bytes key);
	enum status (*reader_open)(struct store_reader **out, struct store *s);
	void (*rollback)(struct store *s);
	struct store_reader *(*inside)(struct store *s);

	/* readers */
	void (*reader_close)(struct store_reader *r);
	enum status (*hold)(struct store_reader *r);
	void (*release)(struct store_reader *r);
	enum status (*head)(struct store_reader *r, struct store_head *out);
	enum status (*frontier)(struct store_reader *r, struct frontier *out);
	enum status (*entry)(
	    struct store_reader *r, uint64_t place, struct store_entry *out);
	enum status (*entry_alone)(
	    struct store_reader *r, uint64_t place, struct store_entry *out);
	enum status (*entry_head)(
	    struct store_reader *r, uint64_t place, struct store_entry *out);
	enum status (*find)(struct store_reader *r, uint64_t chain,
	    uint64_t seq, uint32_t branch, struct store_entry *out);
	enum status (*find_next)(struct store_reader *r, uint64_t chain,
	    uint64_t seq, uint32_t branch, struct store_entry *out);
	enum status (*why)(
	    struct store_reader *r, uint64_t place, struct buf *out);
	enum status (*scan_open)(struct store_scan **out,
	    struct store_reader *r, uint64_t from, uint64_t to);
	enum status (*links)(struct store_reader *r, uint64_t from,
	    size_t count, uint8_t (*out)[HASH_LEN]);
	enum status (*chains)(
	    struct store_reader *r, store_chain_fn fn, void *arg);
	enum status (*commit_of)(
	    struct store_reader *r, uint64_t place, struct store_commit *out);
	enum status (*commit_later)(struct store_reader *r, uint64_t place,
	    uint64_t wall, struct store_commit *out);
	enum status (*pieces)(
	    struct store_reader *r, uint64_t place, struct buf *out);
	enum status (*tile)(struct store_reader *r, unsigned level,
	    uint64_t index, struct buf *out);
	enum status (*meta)(
	    struct store_reader *r, const char *name, struct buf *out);
	enum status (*next_fill)(
	    struct store_reader *r, uint64_t *no, uint64_t *place);
	enum status (*alarms)(struct store_reader *r, uint64_t after,
	    store_alarm_fn fn, void *arg);
	enum status (*attempts)(struct store_reader *r, size_t limit,
	    store_attempt_fn fn, void *arg);
	enum status (*doc)(struct store_reader *r, const char *sort,
	    struct bytes key, store_doc_fn fn, void *arg);
	enum status (*docs)(struct store_reader *r, const char *sort,
	    store_doc_fn fn, void *arg);
	enum status (*check)(struct store_reader *r, struct buf *why);
	enum status (*backup)(struct store_reader *r, const char *path);

	/* scans */
	enum status (*scan_next)(
	    struct store_scan *sc, struct store_entry *out);
	void (*scan_close)(struct store_scan *sc);
};

#endif
