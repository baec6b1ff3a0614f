#ifndef AGENT_VIEW_H
#define AGENT_VIEW_H
/*
 * view: all entries that this handheld may read, opened, in memory.
 *
 * An in-memory SQLite database, filled by replaying the sealed log on unlock
 * and freed with the keys on lock; nothing of it ever reaches the disk.  It
 * holds own entries and those of colleagues and centre, and answers what a
 * screen asks: records, their states, what was imported.
 *
 * Threads: one owner.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "domain/rules.h"
#include "entry/entry.h"

struct view;

/* Where an entry came from and what is known of it. */
enum view_flags {
	VIEW_SERVER = 1, /* of a server chain: may hold and admit */
	VIEW_BARE = 2,   /* held or malformed: causality only */
	VIEW_OWN = 4,    /* of this device's chains */
};

struct view_entry {
	uint8_t id[ID_LEN];
	struct bytes raw; /* whole, or the head line alone */
	unsigned flags;
	uint64_t place; /* in the tlog; UINT64_MAX: not known */
};
#define VIEW_NO_PLACE UINT64_MAX

/* `ks`, `rs` borrowed; must outlive the view. */
MUST_CHECK enum status view_new(struct view **out, const struct kinds *ks,
    const struct rules *rs, int utc_offset_min);
void view_free(struct view *v);
/* Other kinds and rules from now on; borrowed like the first. */
void view_domain(
    struct view *v, const struct kinds *ks, const struct rules *rs);

/* Entries of the court's own chains whose record is of that kind, in order of
 * place; `fn` ends it with any result but ST_OK. */
typedef enum status (*view_entry_fn)(void *arg, const struct view_entry *e);
MUST_CHECK enum status view_server_entries(
    struct view *v, const char *kind, view_entry_fn fn, void *arg);

/* Between these, many adds go faster; a lone add needs neither. */
MUST_CHECK enum status view_begin(struct view *v);
MUST_CHECK enum status view_end(struct view *v);

/*
 * Take an entry (copied).  One that is there already is completed: a body, a
 * place, a flag that it lacked.  A malformed one is taken as bare if its
 * record can be read, else ST_INVALID.
 */
MUST_CHECK enum status view_add(struct view *v, const struct view_entry *e);

/* The entry that the last view_add read; valid after ST_OK, until the next. */
const struct entry *view_parsed(const struct view *v);

/* An own entry has got its place in the tlog. */
MUST_CHECK enum status view_placed(
    struct view *v, const uint8_t id[ID_LEN], uint64_t place);

/* Of this own chain all up to `seq` is in the log, by a receipt. */
MUST_CHECK enum status view_acked(
    struct view *v, const uint8_t chain[CHAIN_LEN], uint64_t seq);

/* An entry that is there with its body: flags, and its bytes appended.
 * ST_ABSENT: none, or its head alone. */
MUST_CHECK enum status view_whole(
    struct view *v, const uint8_t id[ID_LEN], unsigned *flags, struct buf *out);
/* From now on its head alone is here.  ST_OK too if there is none. */
MUST_CHECK enum status view_blind(struct view *v, const uint8_t id[ID_LEN]);

/* Is the entry there? */
bool view_has(struct view *v, const uint8_t id[ID_LEN]);

/* State bytes of a record.  ST_ABSENT if none of its entries is here. */
MUST_CHECK enum status view_state(
    struct view *v, const char *rec, struct buf *out);

/* What the next entry states as `after` and the kind that the record's `open`
 * names ("" if that has not come).  Of more heads than one entry can name the
 * latest are given.  ST_ABSENT: no such record. */
struct view_heads {
	uint8_t after[AFTER_COUNT_MAX][ID_LEN]; /* sorted */
	size_t count;
	bool partial; /* there are more */
	char kind[64];
};
MUST_CHECK enum status view_heads(
    struct view *v, const char *rec, struct view_heads *out);

/* `shown` of a sign over these parts, as the record stands now. */
MUST_CHECK enum status view_shown(struct view *v, const char *rec,
    struct bytes kind, const struct bytes *parts, size_t part_count,
    uint8_t out[HASH_LEN]);

/* The time that findings are judged at (struct rules_context). */
struct view_now {
	uint64_t now_ms, mono_ms;
	uint8_t boot[BOOT_LEN];
	bool unsure;
};
/* The latest clock of the centre's entries here: it is not earlier.  0: none */
uint64_t view_not_before(const struct view *v);

/* Each as a canonical JSON array, appended; see agent.h. */
MUST_CHECK enum status view_history(
    struct view *v, const char *rec, struct buf *out);
/* Those of a record that ended without a word (domain/past.h), appended. */
MUST_CHECK enum status view_ended(struct view *v, const char *rec,
    const struct view_now *now, struct buf *out);
MUST_CHECK enum status view_findings(struct view *v, const char *rec,
    const struct view_now *now, struct buf *out);
MUST_CHECK enum status view_timers(
    struct view *v, const struct view_now *now, struct buf *out);
MUST_CHECK enum status view_list(
    struct view *v, const char *kind, size_t limit, struct buf *out);

/* {"entries":[…],"rec":"…"}, a line for one record or each. */
MUST_CHECK enum status view_export(
    struct view *v, const char *rec, struct buf *out);

/* An `attach` entry: whose, where, and the digest that it names. */
struct view_attach {
	uint8_t id[ID_LEN];
	char rec[REC_LEN + 1];
	unsigned flags; /* view_flags */
	uint64_t place;
	bool in_log;
	bool has_digest; /* its body is here */
	uint8_t digest[HASH_LEN];
	const struct entry *e; /* borrowed until the callback returns */
};
typedef enum status view_attach_cb(void *arg, const struct view_attach *at);
/* Those of a record, or all (rec NULL), in the order in which they came here.
 * The callback must not use the view. */
MUST_CHECK enum status view_attachments(
    struct view *v, const char *rec, view_attach_cb *cb, void *arg);
/* The one of that id; ST_ABSENT: no such entry.  An entry of another verb is
 * not told. */
MUST_CHECK enum status view_attachment(
    struct view *v, const uint8_t id[ID_LEN], view_attach_cb *cb, void *arg);

/* The notes of a record whose bodies are here, in the order in which they came.
 * The callback must not use the view. */
typedef enum status view_note_cb(void *arg, const struct entry *e);
MUST_CHECK enum status view_notes(
    struct view *v, const char *rec, view_note_cb *cb, void *arg);

/* The record that holds an entry with that more.source.key; ST_ABSENT. */
MUST_CHECK enum status view_imported(
    struct view *v, struct bytes key, char rec[REC_LEN + 1]);

/*
 * What a device that left a scope must let go of: entries of others in records
 * that stand in no open scope of ours any more, and the links that had put
 * them there.  Own entries, and the centre's entries beside them, are not
 * among them.
 */
struct view_left {
	uint8_t (*id)[ID_LEN]; /* owned */
	size_t count, cap;
};
MUST_CHECK enum status view_left_find(struct view *v, struct view_left *out);
void view_left_free(struct view_left *l);
/* They are gone from the disk: take them off the screen. */
MUST_CHECK enum status view_let_go(struct view *v, const struct view_left *l);
/* Scopes that were closed, by their record's id. */
typedef enum status view_scope_cb(void *arg, const char *rec);
MUST_CHECK enum status view_scopes_closed(
    struct view *v, view_scope_cb *fn, void *arg);

struct view_counts {
	uint64_t entries, records, findings, grave;
	uint64_t timers;         /* that run */
	int64_t due_ms, left_ms; /* of the one that is due first */
};
MUST_CHECK enum status view_counts(
    struct view *v, const struct view_now *now, struct view_counts *out);

#endif
