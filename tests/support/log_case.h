#ifndef SUPPORT_LOG_CASE_H
#define SUPPORT_LOG_CASE_H
/*
 * log_case: a sealed log on a disk of a test's own, with cheap keys, and
 * entries to put into it.
 */
#include "agent/log/log.h"
#include "support/fault_vfs.h"

#define CASE_OFFICER "officer-4711"
#define CASE_PASSPHRASE "correct horse battery"
#define CASE_PATH "/log"

struct log_case {
	struct fault_disk *disk; /* owned */
	struct log_config config;
	struct log *l; /* owned; NULL while closed */
	uint8_t court[HASH_LEN];
};

/* A new disk with nothing on it. */
void case_init(struct log_case *c);
/* Close, free the disk. */
void case_free(struct log_case *c);

/* The status of each step; c->l is set on ST_OK. */
enum status case_create(struct log_case *c); /* with a first chain */
enum status case_open(struct log_case *c);
enum status case_unlock(struct log_case *c);
void case_close(struct log_case *c);

/* Close, open, unlock: each must work. */
void case_again(struct log_case *c);

/* The same on another disk, which is taken over; `c` stays as it is. */
void case_on(
    struct log_case *out, const struct log_case *c, struct fault_disk *disk);

/* Two lines, about `len` bytes, told apart by `n`; in them words that must
 * never be readable on disk: case_words. */
struct bytes case_entry(struct buf *out, uint64_t n, size_t len);
extern const char *const case_words[];

/* Append entries until the chain has `count`; each must work. */
void case_fill(struct log_case *c, uint64_t count);
enum status case_append(struct log_case *c, uint64_t n);

/* What a replay showed, place by place. */
struct case_seen {
	uint64_t whole, head, purged, lost, hole, others;
	uint64_t damaged;    /* places with damage bits */
	uint64_t wrong;      /* whole, but not the bytes case_entry made */
	uint64_t first_lost; /* seq; 0: none */
	struct log_found found;
};
enum status case_replay(struct log_case *c, struct case_seen *out);

#endif
