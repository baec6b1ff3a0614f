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
	bool is_void;
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

enum { PROJECT_TEAMS = 1024 };

/* A person's team, as of a version of the roster. */
struct team_known {
	uint64_t version; /* plus one; 0: none here */
	char person[ROSTER_NAME_MAX + 1], team[ROSTER_NAME_MAX + 1];
};

struct project {
	struct project_config cfg;
	char *path, *vfs; /* vfs NULL: the system's */
	struct db *db;
	struct centre_reader *scan, *reader;
	struct fold *fold;
	struct made made; /* scratch */
	struct project_reader inside;
	struct entry entry; /* scratch */
	uint64_t size;      /* atomic */
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
MUST_CHECK enum status project_touch(struct project *p, struct bytes rec);
/* On which time alone has made something fall due. */
MUST_CHECK enum status project_gather_due(struct project *p, uint64_t now);
/* Sort, and drop repeats. */
void project_each_once(struct project *p);

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
MUST_CHECK enum status project_make(
    struct made *m, const struct fold *f, const char *rec, int offset_min);

/* ---- project_put.c: write it, in the open transaction */
MUST_CHECK enum status project_put(struct project *p, const struct made *m);

/* ---- project_words.c */
MUST_CHECK enum status project_count_waiting(struct project *p);

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
    struct project *p, uint64_t place, const uint8_t id[ID_LEN]);
/* Write those of the batch. */
MUST_CHECK enum status project_put_prints(struct project *p);
/* Let the public ask for what lies below the public size, if it moved on. */
MUST_CHECK enum status project_publish(struct project *p);

#endif
