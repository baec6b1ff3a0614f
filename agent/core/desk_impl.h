#ifndef AGENT_DESK_IMPL_H
#define AGENT_DESK_IMPL_H
/* desk_impl: what the files of the desk agent share, and attach_film.c, which
 * asks the same program; nobody else includes it. */
#include "agent/core/agent_impl.h"
#include "agent/core/desk.h"
#include "agent/log/log_blob.h"
#include "agent/log/log_desk.h"

enum {
	DESK_PATH_MAX = 2000, /* bytes of a file's whole path */
	DESK_WORD_MAX = 120,  /* of a recorder's number, of a person */
	DESK_REASON_MAX = 600,
	DESK_CODES_MAX = 4,       /* kept of a film: one of each showing */
	DESK_FILE_MIN = 8,        /* hex digits that name a file */
	DESK_SLACK_MS = 300000,   /* a film is proposed so long around an act */
	DESK_REACH_MS = 86400000, /* a clock that was checked holds so long */
	DESK_LENGTH_MAX_MS = 86400000, /* no recording is longer */
	/* The zones of the world are 26 hours apart: a clock that is further
	 * off was lost, or the code was kept. */
	DESK_FAR_MS = 93600000,
	DESK_CODES_SEEN_MAX = 64 /* that daybreak-film tells of one film */
};

/* A clock code as it was seen. */
struct desk_code {
	uint64_t at_ms;   /* in the film */
	uint64_t time_ms; /* that it states */
	char dev[DEV_LEN + 1], nonce[CLOCK_NONCE_LEN + 1];
};

/* What is known of a file: a row of the table `desk`, as JSON. */
struct desk_row {
	uint8_t digest[HASH_LEN];
	char path[DESK_PATH_MAX + 1]; /* where it was read last; any bytes */
	uint64_t size;
	int64_t mtime_ms;
	char type[LOG_BLOB_TYPE_MAX + 1];
	int64_t made_ms; /* by the recorder's clock */
	bool has_made, made_by_file;
	bool has_length, damaged;
	uint64_t length_ms;
	/* Of one recorder, so of one clock: its number, or of the folder. */
	char card[2 * HASH_LEN + 1 + DESK_WORD_MAX];
	char recorder[DESK_WORD_MAX + 1], filmed_by[DESK_WORD_MAX + 1];
	struct desk_code code[DESK_CODES_MAX];
	size_t code_count;
	bool has_hand; /* a clock was read in it */
	uint64_t hand_at_ms;
	int64_t hand_time_ms;
	bool refused;
	char reason[DESK_REASON_MAX + 1];
	int64_t seen_ms; /* wall clock: read, attached or refused last */
};

MUST_CHECK enum status desk_row_put(struct agent *a, const struct desk_row *r);
/* ST_INVALID: not such a row. */
MUST_CHECK enum status desk_row_read(struct desk_row *out, struct bytes doc);
MUST_CHECK enum status desk_row_get(
    struct agent *a, const uint8_t digest[HASH_LEN], struct desk_row *out);
struct film_told;
/* What the film says of itself; where it does not say when it was made, by its
 * file's time. */
void desk_row_take(struct desk_row *r, const struct film_told *told);
/* Forget what was not seen, attached or refused for 90 days. */
MUST_CHECK enum status desk_tidy(struct agent *a);
/* What finds a file that was read: docs/FORMAT.md, table `desk`. */
void desk_place(
    const char *path, uint64_t size, int64_t mtime_ms, uint8_t out[HASH_LEN]);
/* A path as it can be shown: what is no text as %XX. */
void desk_show_path(struct buf *out, const char *path);
/* "DBK1:…" taken apart; false if it is none. */
bool desk_code_read(struct desk_code *out, const char *text);

/* ---- filmer.c: daybreak-film, run on an open file */

struct film_told {
	char type[LOG_BLOB_TYPE_MAX + 1];
	bool has_made, has_length;
	int64_t made_ms;
	uint64_t length_ms;
	struct desk_code code[DESK_CODES_SEEN_MAX];
	size_t code_count;
};
/* `fd` is read from its beginning; `codes`: pictures are looked into.  ST_IO:
 * it gave no answer, in good time; ST_ABSENT: it has no database of types, so
 * it can tell nothing. */
MUST_CHECK enum status filmer_run(
    const char *program, int fd, bool codes, struct film_told *out);

/* ---- desk_match.c */

enum desk_sure { DESK_POSSIBLE, DESK_LIKELY, DESK_SURE };

/* The clock of one recorder at one time. */
struct desk_clock {
	char card[sizeof(((struct desk_row *)0)->card)];
	int64_t made_ms; /* of the film in which it was seen */
	bool by_file;    /* … by its file's time */
	int64_t off_ms;
	bool hand;
	uint8_t entry[ID_LEN], digest[HASH_LEN]; /* of the note; of the film */
	uint64_t at_ms;
};

struct desk_record {
	char rec[REC_LEN + 1], kind[48];
	char *label; /* owned */
	int64_t from_ms, until_ms;
	size_t name, name_count; /* in struct desk_known's names */
};
struct desk_name {
	bool recorder; /* else a person */
	char text[DESK_WORD_MAX + 1];
	char item[PATH_BYTES_MAX + 1]; /* of a recorder: its path */
};

/* All that files are matched with; loaded once for many. */
struct desk_known {
	struct desk_clock *clock; /* owned */
	size_t clock_count, clock_cap;
	struct desk_record *record; /* owned */
	size_t record_count, record_cap;
	struct desk_name *name; /* owned */
	size_t name_count, name_cap;
	struct view_clock *note; /* owned */
	size_t note_count, note_cap;
	struct desk_has { /* owned; who has which file, by digest */
		uint8_t digest[HASH_LEN];
		char rec[REC_LEN + 1];
	} * has;
	size_t has_count, has_cap;
};
MUST_CHECK enum status desk_known_load(struct agent *a, struct desk_known *out);
void desk_known_free(struct desk_known *k);

/* The clock that holds for a file; NULL: unchecked. */
const struct desk_clock *desk_clock_of(
    const struct desk_known *k, const struct desk_row *r);
/* Off by more than a wrong zone can be: nothing is sure by it. */
bool desk_clock_is_far(const struct desk_clock *c);
/* Is it proposed for this record, and as what?  *item: the path of its recorder
 * there, or "". */
bool desk_proposed(const struct desk_known *k, const struct desk_row *r,
    const struct desk_record *rec, enum desk_sure *as, const char **item);
bool desk_has(const struct desk_known *k, const uint8_t digest[HASH_LEN],
    const char *rec);
/* Codes seen of which no note is here. */
size_t desk_unknown_codes(const struct desk_known *k, const struct desk_row *r);

/* ---- desk_row.c */

/* `,"name":"text"`; nothing where the text is empty. */
void desk_put_text(struct buf *out, const char *name, const char *text);

/* ---- desk_list.c */

/* The one file whose digest begins so: ST_INVALID, ST_ABSENT, ST_CONFLICT with
 * words. */
MUST_CHECK enum status desk_find(
    struct agent *a, const char *file, struct desk_row *out);
/* A line of agent_desk_list; `k` NULL: nothing is proposed. */
void desk_put_line(const struct agent *a, const struct desk_known *k,
    const struct desk_row *r, struct buf *out);

#endif
