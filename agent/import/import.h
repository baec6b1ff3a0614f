#ifndef AGENT_IMPORT_H
#define AGENT_IMPORT_H
/*
 * import: rows of a foreign file become records, through a map.
 *
 * Each row is validated by kind; a row that is refused is told with its line
 * and reason, and the rest is taken.  What is written keeps its source row in
 * the body (`more.source`).  Every row has a key (columns that the map names,
 * or the row itself and how many equal ones stood before it), so that an import
 * that was cut off, or is run again, doubles nothing.
 */
#include "agent/core/agent.h"
#include "domain/kind.h"
#include "domain/words.h"

struct import_result {
	uint64_t rows;    /* read, header apart */
	uint64_t taken;   /* written now */
	uint64_t already; /* written by an earlier run */
	uint64_t refused;
	uint64_t records; /* opened now */
	uint64_t entries; /* appended now */
};

struct import_watch {
	void *arg;
	/* A row was refused; `why` is borrowed for the call. */
	void (*refused)(void *arg, uint64_t line, const struct words *why);
	/* A record was opened. */
	void (*opened)(void *arg, const char *rec);
	/* Now and then; `done` of `total` bytes were read. */
	void (*progress)(void *arg, size_t done, size_t total);
};

/*
 * Import `csv` through `map` into an unlocked agent.  `file` is the name that
 * is kept beside each row.  `limit` > 0: stop behind that many rows.  Any
 * function of `watch` may be NULL.  ST_OK though rows were refused (see
 * out->refused); ST_INVALID with *why when map or header cannot be used; else
 * what agent_append gives, rows so far being durable.
 */
MUST_CHECK enum status import_run(struct agent *a, const struct kinds *ks,
    const char *file, struct bytes map, struct bytes csv, uint64_t limit,
    const struct import_watch *watch, struct import_result *out,
    struct words *why);

#endif
