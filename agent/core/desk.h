#ifndef AGENT_DESK_H
#define AGENT_DESK_H
/*
 * desk: recorders' cards read at a desk (docs/EVIDENCE.md, "Recorders' cards").
 *
 * A card is scanned: what is in each file is kept in the sealed log, the card
 * is never written.  Files are proposed for the records in whose time they were
 * made, and attached only when a person confirms.
 *
 * Threads: as for agent.h.
 */
#include "agent/core/evidence.h"

/* ---- clock codes, on the handheld */

enum { CLOCK_TEXT_MAX = 96, CLOCK_NONCE_LEN = 16, CLOCK_SHOWN_MS = 120000 };

struct agent_clock {
	char nonce[CLOCK_NONCE_LEN + 1]; /* base32, lower case */
	char dev[DEV_LEN + 1];
	uint8_t entry[ID_LEN]; /* the note that names it */
};
/* A showing begins: the note that binds its codes is durable in this record on
 * ST_OK.  As agent_append. */
MUST_CHECK enum status agent_clock_begin(
    struct agent *a, const char *rec, struct agent_clock *out);
/* The code of this moment; to be made anew every second, for at most a minute.
 * *wall_ms: the moment it states. */
void agent_clock_text(const struct agent *a, const struct agent_clock *c,
    char out[CLOCK_TEXT_MAX + 1], uint64_t *wall_ms);

/* ---- cards */

enum desk_met {
	DESK_READ,       /* a recording or picture, new */
	DESK_DAMAGED,    /* the same, and the recording is damaged */
	DESK_KNOWN,      /* read before */
	DESK_OTHER,      /* neither recording nor picture: left */
	DESK_NO_FILE,    /* link, pipe, device …: left */
	DESK_UNREADABLE, /* cannot be read to its end: nothing kept */
	DESK_TOO_DEEP,   /* a folder too deep, or a path too long: left */
	DESK_GONE,       /* the card does not answer any more: the last */
	DESK_MET_COUNT
};
const char *desk_met_word(enum desk_met met); /* "read" …; static */

/* A file is being read: `done` of its `size` bytes.  Once at its beginning,
 * then about every 16 MiB; at the end, while it is looked at for codes. */
typedef void desk_reading(
    void *arg, const char *name, uint64_t done, uint64_t size);

struct desk_card {
	const char *folder;
	const char *recorder,
	    *filmed_by;        /* of all its files; NULL: not known */
	const char *film;      /* the program daybreak-film */
	desk_reading *reading; /* told with the scan's `arg`; or NULL */
};
struct desk_counts {
	uint64_t met[DESK_MET_COUNT];
	uint64_t bytes; /* that were read */
};
/* Told of each file in turn.  `name`: its path on the card as it can be shown;
 * `doc`: what is known of it, as a line of agent_desk_list without proposals
 * and clock, which other files decide, but with "seen": how many clock codes
 * are in it; or empty. */
typedef void desk_tell(
    void *arg, enum desk_met met, const char *name, struct bytes doc);

/*
 * Read a card.  Memory does not depend on what is on it.  ST_OK even where
 * files were left; ST_IO with words when the card was pulled out: what was read
 * is kept.  ST_ABSENT: no such folder, or no daybreak-film; ST_FULL.
 */
MUST_CHECK enum status agent_desk_scan(struct agent *a,
    const struct desk_card *card, desk_tell *tell, void *arg,
    struct desk_counts *out);

/*
 * What is known of files, by the time they were made, as JSON lines:
 * {"attached":[rec …],"clock":"code"|"hand"|"unchecked","clock_off_ms",
 *  "codes","damaged","digest","filmed_by","length_ms","made","made_from":
 *  "recording"|"file","name","proposed":[{"as":"sure"|"likely"|"possible",
 *  "kind","label","on","rec"} …],"reason","recorder","size","state":"open"|
 *  "attached"|"refused","type"}.
 * `made` is corrected by the clock; members that are not known are left out.
 * `codes`: how many clock codes were seen of which no note is here.
 * `file`: the first digits of a digest, or NULL: all.  ST_ABSENT, ST_CONFLICT
 * (several begin so) with words.
 */
MUST_CHECK enum status agent_desk_list(
    struct agent *a, const char *file, struct buf *out);

/* Somebody read a clock in the film: `time` (RFC 3339) at `at_ms` of it. */
MUST_CHECK enum status agent_desk_clock(
    struct agent *a, const char *file, uint64_t at_ms, const char *time);

/* Told of each file and record: ST_OK with `id`, 32 hex, or NULL where it had
 * the file already; else why not stands in the words of the agent. */
typedef void desk_done(void *arg, const char *digest, const char *rec,
    enum status st, const char *id);
/*
 * Attach a file: to these records, or (count 0) to those for which it is surely
 * meant.  The card must be there.  ST_ABSENT with words: nothing is sure, or
 * the card is not there; ST_CONFLICT: its bytes are not those that were read.
 * `file` NULL: every file that was not refused, to what it is surely meant for;
 * one that cannot be attached is told, and the rest goes on.
 */
MUST_CHECK enum status agent_desk_confirm(struct agent *a, const char *file,
    const char *const *recs, size_t count, desk_done *done, void *arg);

/* It belongs to no record; open again with reason NULL. */
MUST_CHECK enum status agent_desk_refuse(
    struct agent *a, const char *file, const char *reason);

#endif
