#ifndef SERVER_PROJECT_PROJECT_IMPL_H
#define SERVER_PROJECT_PROJECT_IMPL_H
/* project_impl: what the files of the projection share. */
#include "db/db.h"
#include "server/project/project.h"

struct project_reader {
	struct project *p;
	struct db *db;
};

/* A run of bytes in made.text. */
struct made_span {
	size_t off, len;
};

/* What a record's rows will hold (project_make.c).  Memory is kept. */
struct made {
	char rec[REC_LEN + 1];
	bool system; /* of the log's own kinds: no row */
	bool gives;  /* its kind tells others of its cases something */
	/* What it gives: table, case and row, each a line; in which cases it
	 * asks: case and table; from which tables it takes, as bits. */
	struct made_span given, cases;
	uint32_t takes;
	bool is_void;
	uint64_t up_to; /* of the log, what it was folded of: places below */
	struct made_span kind, status, zh, en, person, words;
	uint64_t first, last, entries, conflicts, grave;
	uint64_t findings; /* that hold now */
	int64_t next_ms;   /* INT64_MAX: never */
	struct made_finding {
		struct made_span key, rule, doc, owner;
		int severity;
		enum life_state state;
		int64_t due_ms; /* 0: never */
	} * finding;            /* owned */
	size_t finding_count, finding_cap;
	struct buf text;
};

enum {
	PROJECT_TEAMS = 1024,
	PROJECT_GAVE_BITS = 1 << 16,
	PROJECT_KNOWN = 8192
};

/* A person's team, as of a version of the roster. */
struct team_known {
	uint64_t version; /* plus one; 0: none here */
	char person[ROSTER_NAME_MAX + 1], team[ROSTER_NAME_MAX + 1];
};

struct touched {
	char rec[REC_LEN + 1];
	uint64_t place; /* its last entry that touched it; UINT64_MAX: fold it
			   in any case */
};

/* A record that was put lately, and what of the log it was folded of. */
struct known {
	char rec[REC_LEN + 1];
	uint64_t up_to;
};

struct project {
	struct project_config cfg;
	char *path, *vfs; /* vfs NULL: the system's */
	struct db *db;
	struct centre_reader *scan, *reader;
	struct fold *fold;
	struct made made; /* scratch */
	struct project_pool *pool;
	/* Which tables of which cases changed in the batch under way, as bits
	 * by hash: what was folded before that may have to be folded again. */
	uint64_t gave[PROJECT_GAVE_BITS / 64];
	struct known known[PROJECT_KNOWN]; /* by hash */
	struct project_reader inside;
	struct entry entry; /* scratch */
	uint64_t size;      /* atomic */
	uint64_t erased; /* the last fill that took a body away; 0: none since
			    the start, or since it was wiped */
	bool moved;      /* people may be in other teams since the last batch */
	struct touched *touched;
	size_t touched_count, touched_cap;
	/* Prints of the batch under way (project_print.c). */
	struct print_row {
		uint64_t place;
		uint8_t id[ID_LEN];
	} * print;
	size_t print_count, print_cap;
	bool published;        /* since the start */
	uint64_t published_ms; /* monotonic: when it was last looked at */
	/* Of the store's fills: the last whose record was folded anew.  From
	 * the first again after each start: there are few. */
	uint64_t fill;
	bool counted;         /* `waiting` is known */
	uint64_t waiting;     /* atomic: records whose words are not indexed */
	uint64_t put_waiting; /* more of them in the open transaction */
	struct team_known team[PROJECT_TEAMS];
};

/* project_domain.c: have records judged anew whose kind or rules are not those
 * that they were judged by. */
MUST_CHECK enum status project_rejudge(struct project *p);

/* project_domain.c: what was erased leaves the words of the search, too: their
 * index keeps what was deleted until it is merged. */
MUST_CHECK enum status project_wipe(struct project *p);

/* ---- project_touch.c: records to be folded anew, into p->touched */

/* Of the entries up to `to`; *entries: how many of devices they are. */
MUST_CHECK enum status project_gather(
    struct project *p, uint64_t to, uint64_t *entries);
MUST_CHECK enum status project_touch(
    struct project *p, struct bytes rec, uint64_t place);
/* On which time alone has made something fall due. */
MUST_CHECK enum status project_gather_due(struct project *p, uint64_t now);
/* Sort, and drop repeats, and what is known to be put already. */
void project_each_once(struct project *p);
/* It was put; NULL: forget all, for what was put was rolled back. */
void project_know(struct project *p, const struct made *m);

/* ---- project.c */

/* What was touched, folded and put, and papers of the batch; then the position,
 * where `to` is beyond it.  One transaction. */
MUST_CHECK enum status project_put_batch(
    struct project *p, uint64_t to, uint64_t entries);
/* What was erased leaves the index of words. */
MUST_CHECK enum status project_wipe_words(struct project *p);

/* Places whose bytes came later, or were taken away (project_fills.c). */
MUST_CHECK enum status project_follow_fills(struct project *p);

/* ---- project_make.c */
void made_init(struct made *m);
void made_free(struct made *m);
struct bytes made_text(const struct made *m, struct made_span s);
/* From a fold that has loaded `rec`. */
MUST_CHECK enum status project_make(struct made *m, const struct fold *f,
    const char *rec, const struct project_config *c);

/* ---- project_put.c: write it, in the open transaction */
MUST_CHECK enum status project_put(struct project *p, const struct made *m);

/* ---- project_words.c */
MUST_CHECK enum status project_count_waiting(struct project *p);

/* project_facts.c: what the folded record gives to others of its cases, and
 * in which cases it asks: made, and written. */
MUST_CHECK enum status project_make_facts(struct made *m, const struct fold *f,
    const char *rec, const struct rules *rs);
MUST_CHECK enum status project_give(struct project *p, const struct made *m);
MUST_CHECK enum status project_put_cases(
    struct project *p, int64_t n, const struct made *m);
/* True if something that the record asks for was given in this batch. */
bool project_was_told(const struct project *p, const struct made *m);

/* ---- project_pool.c: records folded by several threads, written by one */

struct project_pool;
/* With no hands the follower folds all of it. */
MUST_CHECK enum status project_pool_new(
    struct project_pool **out, struct project *p, size_t hands);
void project_pool_free(struct project_pool *pool); /* NULL does nothing */

/* The records touched are this batch, judged at `now_ms`; the follower's own
 * fold holds the feed as it was at `up_to`. */
void project_pool_begin(
    struct project_pool *pool, uint64_t now_ms, uint64_t up_to);
/*
 * The i-th of them: i = 0, 1, … without a gap.  *out is borrowed until the next
 * call; *before: it was folded before the records in front of it were written.
 * ST_ABSENT: it has no entries.
 */
MUST_CHECK enum status project_pool_next(
    struct project_pool *pool, size_t i, const struct made **out, bool *before);
/* Nobody folds any more; always, after a begin. */
void project_pool_end(struct project_pool *pool);
/* For fold_config: what others give; `arg` is the projection's struct db. */
MUST_CHECK enum status project_facts(void *arg, const struct rules *rs,
    const struct facts_record *r, struct facts *out);

/* ---- papers (project_print.c) */

/* A `print` entry of the batch that is read. */
MUST_CHECK enum status project_take_print(
    struct project *p, uint64_t place, const uint8_t id[ID_LEN]);
/* Write those of the batch. */
MUST_CHECK enum status project_put_prints(struct project *p);
/* Let the public ask for what lies below the public size, if it moved on. */
MUST_CHECK enum status project_publish(struct project *p);

#endif
