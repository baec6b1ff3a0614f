#ifndef SERVER_PROJECT_PRINTED_H
#define SERVER_PROJECT_PRINTED_H
/*
 * printed: what may be said to a stranger of a paper (docs/CHECK.md).
 *
 * Only entries below the public size are looked at.  What comes back says
 * nothing of any value: the entry's head, the digest of its summary, and
 * whether what its form shows was changed since.
 *
 * Threads: one owner; it borrows its readers.
 */
#include "form/form.h"
#include "form/paper.h"
#include "server/project/project.h"

struct printed; /* private */

struct printed_config {
	struct centre *centre;
	struct centre_reader *reader;
	struct project_reader *project;
	struct fold *fold; /* of the same thread */
};

MUST_CHECK enum status printed_new(
    struct printed **out, const struct printed_config *c);
void printed_free(struct printed *p);

enum printed_is {
	PRINTED_LATER, /* not public, held, or never was: all one */
	PRINTED_FALSE, /* public, and the code says otherwise than the log */
	PRINTED_FOUND,
};

struct printed_answer {
	enum printed_is is;
	/* Where PRINTED_FOUND: */
	bool corrected, is_void;
	uint64_t place, received_ms;
	uint8_t prev[HASH_LEN];   /* link of the entry before */
	uint8_t digest[HASH_LEN]; /* of the summary */
	struct bytes head;        /* its line; borrowed until the next ask */
};

/* `forms` as they hold now; `code` NULL: the id alone is known.  ST_AGAIN: the
 * feed is being made anew; ST_IO, ST_NOMEM, ST_CORRUPT. */
MUST_CHECK enum status printed_ask(struct printed *p, const struct forms *forms,
    const uint8_t id[ID_LEN], const struct paper_code *code,
    struct printed_answer *out);

#endif
