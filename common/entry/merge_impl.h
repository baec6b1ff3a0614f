#ifndef ENTRY_MERGE_IMPL_H
#define ENTRY_MERGE_IMPL_H
/*
 * merge_impl: what the files of merge share, and nobody else needs.
 *
 *   merge_mem.c    one arena a run: everything of a fold is let go at once
 *   merge_add.c    an entry's bytes -> struct merge_entry
 *   merge_order.c  copies, parents, the order (C3), what each entry knows (C2)
 *   merge_past.c   "a knows b", and what several know together
 *   merge_cells.c  what counts (C1), who mentions what (B, C5), cells
 *   merge_fold.c   what lives (C4), standings (C6), numbers (C7), heads
 *   merge_sign.c   skeletons (C8)
 *   merge_then.c   what a sign is (C9)
 *   merge_state.c  state bytes
 *   merge_read.c   the small questions of merge.h
 *
 * Words: an entry's *place* is its number in the order, from 0.  A *mention*
 * is one entry's write to a cell, or its touch of an item.  A *view* is the
 * part of the set that a question is asked over: all, or what one entry knows.
 */
#include "entry/merge.h"

/* Above this many numbers, what entries know is walked for, not kept: 32 MiB.
 * Only histories of very many entries on very many sides get there. */
enum { MERGE_PAST_MAX = 8 << 20 };

/* A skeleton or state is not larger than what it was made of; this ceiling
 * only keeps sums of sizes far from overflow. */
enum { MERGE_BYTES_MAX = 1 << 30 };

struct merge_block;
struct merge_arena {
	struct merge_block *block; /* owned: a list, the newest first */
	size_t total;              /* bytes in all blocks */
	size_t want;               /* bytes for the next block at least */
	bool single; /* each allocation a block of its own: for tests */
};

/* Memory for count things of `size` bytes, aligned for any; NULL if there is
 * none.  It lives until merge_arena_reset or _free. */
void *merge_alloc(struct merge_arena *a, size_t count, size_t size);
void merge_arena_reset(struct merge_arena *a);
void merge_arena_free(struct merge_arena *a);

enum merge_rank { RANK_BARE, RANK_BLIND, RANK_WHOLE };

/* One copy of an entry, as it was added. */
struct merge_entry {
	uint8_t id[ID_LEN];
	enum merge_rank rank;
	bool server; /* MERGE_SERVER was said of it */
	enum verb verb;
	uint64_t wall;
	struct bytes head; /* its head line, borrowed */
	struct bytes kind, by, at;
	const uint8_t *after; /* ids, one behind the other */
	size_t after_count;
	/* As `on` states them, but for an `add`: there the paths are whole, the
	 * first that of the item itself. */
	struct bytes *on;
	size_t on_count;
	/* Canonical JSON, one for each of `on`; NULL where blind. */
	struct bytes *value;
	struct bytes more, reason; /* canonical JSON; empty where absent */
	struct bytes withheld;   /* {"withheld":"<body digest>"}, where blind */
	uint8_t shown[HASH_LEN]; /* of a whole sign */
};

enum merge_class { CLASS_FIELD, CLASS_ITEM, CLASS_LINK, CLASS_STATUS };
enum { CLASS_COUNT = CLASS_STATUS + 1 };

enum merge_what { WHAT_WRITE, WHAT_IN, WHAT_OUT, WHAT_TOUCH };

struct merge_mention {
	struct bytes path;
	uint32_t place;
	uint32_t index; /* of the name in `on` */
	enum merge_what what;
};

struct merge_cell {
	struct bytes path;
	uint32_t from, to; /* its mentions, in order */
	/* Over all: how many writes live; they stand in the table's `live` from
	 * `from`, first shown first. */
	uint32_t live;
	bool named; /* over all: any mention at all */
	enum merge_is is;
};

struct merge_table {
	struct merge_mention *mention; /* by path, then place */
	uint32_t *live;                /* numbers of mentions */
	struct merge_cell *cell;       /* by path */
	uint32_t mention_count, cell_count;
};

/* A hold or an admit says of one entry whether it counts. */
struct merge_ruling {
	uint32_t by, of; /* places */
	bool held;
};

struct merge {
	/* What was added: kept from run to run. */
	char rec[REC_LEN + 1];
	uint64_t newest; /* highest `v` met */
	struct entry scratch;
	struct buf text;
	struct merge_arena kept;
	struct merge_entry *added; /* every copy */
	size_t added_count, added_cap;

	/* The fold, made by merge_run; all in `run`. */
	bool done;
	struct merge_arena run;
	uint32_t count;                   /* of entries, each once */
	const struct merge_entry **by_id; /* in order of ids */
	uint32_t *place_of;               /* by number in by_id */
	const struct merge_entry **entry; /* from here on all by place */
	uint32_t *parent_from;            /* [count + 1] into parent */
	uint32_t *parent;                 /* places */
	bool *gap;                        /* it or what it knows misses some */
	bool *fit;                        /* it may count, if it is not held */
	bool *counts;
	uint32_t *number; /* C7: of the item that it adds, else 0 */
	uint8_t (*order_ids)[ID_LEN];
	uint8_t (*heads)[ID_LEN];
	uint8_t (*missing)[ID_LEN];
	size_t head_count, missing_count;

	/* C2: the entries lie in lanes; on a lane each knows the one before.
	 * What an entry knows is then a length for each lane. */
	uint32_t *lane, *rank; /* by place: its lane, its number on it */
	uint32_t *past_len;    /* lanes told of; those beyond: nothing */
	size_t *past_at;       /* where in `past` */
	uint32_t stored;       /* places below this have a past kept */
	uint32_t lane_count;
	uint32_t *lane_from;  /* [lane_count + 1] into lane_place */
	uint32_t *lane_place; /* the places of each lane, in order */
	uint32_t *past;       /* owned: grows apart, kept from run to run */
	size_t past_count, past_cap, past_max;

	struct merge_ruling *ruling; /* in order */
	size_t ruling_count;
	struct merge_table table[CLASS_COUNT];
	uint32_t cell_max; /* mentions in the largest cell */
	size_t conflicts;
};

/* ---- merge_add.c */

/* Of two copies of an entry, the one that counts: below 0 for a. */
int merge_better(const struct merge_entry *a, const struct merge_entry *b);

/* ---- merge_order.c */

MUST_CHECK enum status merge_order_all(struct merge *m);

/* Number in by_id, or m->count. */
uint32_t merge_find(const struct merge *m, const uint8_t id[ID_LEN]);

/* ---- merge_past.c */

/* Lengths of lanes: what one entry, or several together, know. */
struct merge_past {
	const uint32_t *known;
	uint32_t len;
};

/*
 * Memory to ask with: one for each caller, so that a folded merge may be read
 * from several threads.
 */
struct merge_work {
	struct merge_arena arena;
	uint32_t *sum, *view; /* [lane_count] */
	uint32_t *live;       /* [cell_max] */
	uint32_t *outs, *touches;
	bool *counts; /* [count], where there are rulings */
	/* Where not every past is kept: */
	uint64_t *mark, epoch;
	uint32_t *stack;
	/* The sum being made: */
	struct merge_past past;
};

void merge_work_init(struct merge_work *w);
void merge_work_free(struct merge_work *w);
MUST_CHECK enum status merge_work_make(
    struct merge_work *w, const struct merge *m);

/* Lay all entries on lanes and keep what each knows. */
MUST_CHECK enum status merge_past_all(struct merge *m);

/* What the entry at `place` knows; `room` is where to put what is not kept. */
struct merge_past merge_past_of(const struct merge *m, struct merge_work *w,
    uint32_t place, uint32_t *room);

static inline bool
merge_past_has(const struct merge *m, struct merge_past p, uint32_t place)
{
	uint32_t lane = m->lane[place];

	return lane < p.len && p.known[lane] > m->rank[place];
}

/* So many places are known from the first on, without a gap. */
uint32_t merge_past_solid(const struct merge *m, struct merge_past p);

/* What several entries know together: begin, add each. It stands in w->past. */
void merge_sum_begin(struct merge_work *w);
void merge_sum_add(const struct merge *m, struct merge_work *w, uint32_t place);

/* ---- merge_cells.c */

/* What a question is asked over. */
struct merge_view {
	bool all;
	struct merge_past past; /* where not all */
	/* Places below `solid` are all in `past`, those from `before` on are
	 * not: so large a part of a history need not be asked about. */
	uint32_t solid, before;
	const bool *counts; /* by place */
};

static inline bool
merge_view_has(
    const struct merge *m, const struct merge_view *v, uint32_t place)
{
	return v->counts[place] &&
	       (v->all || merge_past_has(m, v->past, place));
}

struct merge_view merge_view_all(const struct merge *m);

/* Exactly what the entry at `place` knows. Borrows w->view and w->counts. */
struct merge_view merge_view_known(
    const struct merge *m, struct merge_work *w, uint32_t place);

/* Find what counts, and every cell with its mentions. */
MUST_CHECK enum status merge_cells_all(struct merge *m);

/* The cell of that path, or NULL. */
const struct merge_cell *merge_cell_at(
    const struct merge_table *t, struct bytes path);

/* ---- merge_fold.c */

/* Settle every cell over all. */
MUST_CHECK enum status merge_fold_all(struct merge *m);

/* C4: numbers of the mentions that live, first shown first; how many. */
uint32_t merge_live(const struct merge *m, struct merge_work *w,
    const struct merge_view *v, const struct merge_table *t,
    const struct merge_cell *c, uint32_t *live);

/* C6, of a cell whose live writes were found. */
enum merge_is merge_stands(const struct merge *m, struct merge_work *w,
    const struct merge_view *v, const struct merge_table *t,
    const struct merge_cell *c, const uint32_t *live, uint32_t live_count);

/* How an act stands over all. */
enum merge_is merge_act_is(const struct merge *m, uint32_t place);

/* Value of a name of an entry: canonical JSON. */
struct bytes merge_value(const struct merge_entry *e, uint32_t index);

/* ---- merge_sign.c */

/*
 * What was asked for before: signers follow each other over the same few sets
 * of parts.  Begin with all zero; merge_shown_free lets go.
 */
struct merge_now; /* one set of parts (merge_then.c) */
enum { MERGE_NOW_MAX = 4 };
struct merge_shown {
	struct merge_now *now[MERGE_NOW_MAX]; /* owned */
	size_t next;                          /* which is let go next */
};
void merge_shown_free(struct merge_shown *s);

MUST_CHECK enum status merge_verdict(const struct merge *m,
    struct merge_work *w, uint32_t place, struct merge_shown *shown,
    const char **out);

/* ---- what merge_sign.c and merge_then.c share */

/* Cells from lo up to hi, in a table. */
struct merge_range {
	uint32_t lo, hi;
};

/* The cells of `parts` in a table, each once, by path. */
struct merge_ranges {
	struct merge_range *range; /* owned */
	size_t count;
};

/* Parts in both tables that a skeleton shows. */
struct merge_scope {
	struct merge_ranges field, item;
};

MUST_CHECK enum status merge_scope_find(struct merge_scope *out,
    const struct merge *m, const struct bytes *parts, size_t count);
void merge_scope_free(struct merge_scope *s);

/* One skeleton being written. */
struct merge_writer {
	const struct merge *m;
	struct merge_work *w;
	const struct merge_view *view;
	struct buf *out;
	bool some; /* a member was written: a comma comes before the next */
};

/* The member of a cell, if the view has it: with the comma before it. */
void merge_put_field(struct merge_writer *wr, const struct merge_cell *c);
void merge_put_item(struct merge_writer *wr, const struct merge_cell *c);

/* What of a skeleton stands behind its cells. */
void merge_put_parts(struct buf *out, struct bytes kind,
    const struct bytes *parts, size_t part_count);

/* ---- merge_state.c */

void merge_put_id(struct buf *out, const uint8_t id[ID_LEN]);
void merge_put_u32(struct buf *out, uint32_t v);
const char *merge_is_name(enum merge_is is);

#endif
