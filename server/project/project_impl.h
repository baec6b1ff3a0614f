#ifndef SERVER_PROJECT_PROJECT_IMPL_H
#define SERVER_PROJECT_PROJECT_IMPL_H
/* project_impl: what the files of the projection share. */
#include "db/db.h"
#include "server/project/project.h"

struct project_reader {
	struct project *p;
	struct db *db;
};

struct project {
	struct project_config cfg;
	char *path, *vfs; /* vfs NULL: the system's */
	struct db *db;
	struct centre_reader *scan, *reader;
	struct fold *fold;
	struct project_reader inside;
	struct entry entry; /* scratch */
	uint64_t size;
	uint64_t erased; /* the last fill that took a body away; 0: none since
			    the start, or since it was wiped */
	bool moved;      /* people may be in other teams since the last batch */
	struct touched {
		char rec[REC_LEN + 1];
	} * touched;
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
};

/* project_domain.c: have records judged anew whose kind or rules are not those
 * that they were judged by. */
MUST_CHECK enum status project_rejudge(struct project *p);

/* project_domain.c: what was erased leaves the words of the search, too: their
 * index keeps what was deleted until it is merged. */
MUST_CHECK enum status project_wipe(struct project *p);

/* A record that the batch speaks of; then each of them, folded and put: all of
 * them see one log. */
MUST_CHECK enum status project_touch(struct project *p, struct bytes rec);
MUST_CHECK enum status project_put_touched(struct project *p);
/* Places whose bytes came later, or were taken away (project_fills.c). */
MUST_CHECK enum status project_follow_fills(struct project *p);

/* Write the folded record (project_put.c). */
MUST_CHECK enum status project_put(struct project *p, const char *rec);
/* Index the words of all records put since the last call. */
MUST_CHECK enum status project_put_words(struct project *p);

/* project_facts.c: what the folded record gives to others of its cases, and
 * in which cases it asks. */
MUST_CHECK enum status project_give(struct project *p, const char *rec);
MUST_CHECK enum status project_put_cases(
    struct project *p, int64_t n, const char *rec);
/* For fold_config: what others give; `arg` is the projection's struct db. */
MUST_CHECK enum status project_facts(void *arg, const struct rules *rs,
    const struct facts_record *r, struct facts *out);

/* ---- papers (project_print.c) */

/* A `print` entry of the batch that is read. */
MUST_CHECK enum status project_take_print(
    struct project *p, uint64_t place, const uint8_t link[HASH_LEN]);
/* Write those of the batch. */
MUST_CHECK enum status project_put_prints(struct project *p);
/* Let the public ask for what lies below the public size, if it moved on. */
MUST_CHECK enum status project_publish(struct project *p);

#endif
