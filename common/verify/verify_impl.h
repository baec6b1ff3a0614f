#ifndef VERIFY_VERIFY_IMPL_H
#define VERIFY_VERIFY_IMPL_H
/*
 * verify_impl: what the files of verify share; nobody else includes it.
 */
#include "db/db.h"
#include "entry/entry.h"
#include "erase/erase.h"
#include "tlog/descriptor.h"
#include "tlog/merkle.h"
#include "tlog/proof.h"
#include "verify/verify.h"

/* As the store's rows have them (docs/FORMAT.md, "The centre's store"). */
enum {
	ROW_MALFORMED = 1,
	ROW_HELD = 2,
	ROW_LOST = 4,
	ROW_BLIND = 8,
	ROW_SERVER = 16,
	ROW_ERASED = 32,
	LINE_LEN = 144 /* a piece line */
};

/* A device as `device@1` entries tell of it. */
struct vdevice {
	char rec[REC_LEN + 1];
	char dev[DEV_LEN + 1];
	uint8_t key[PUBKEY_LEN];
	uint64_t from;  /* place of its enrolment */
	uint64_t until; /* place of its revocation; UINT64_MAX: none */
	bool doubted;   /* revoked for something else than a replacement */
};

/* One branch of a chain, as its row says, and as its entries do. */
struct vchain {
	uint64_t no;
	uint32_t branch, parent;
	uint8_t id[CHAIN_LEN];
	uint8_t key[PUBKEY_LEN];
	char dev[DEV_LEN + 1];
	uint64_t base_seq;
	uint8_t base_link[HASH_LEN];
	uint64_t row_last_seq, row_last_place;
	uint8_t row_last_link[HASH_LEN];

	bool begun, judged; /* `judged`: its device was looked for */
	bool server;        /* its key is a descriptor's server key */
	uint8_t link0[HASH_LEN];
	uint64_t last_seq, last_place;
	uint8_t last_link[HASH_LEN];
	/* The row before was wrong: what its bytes give, if not what it says */
	bool has_other;
	uint8_t other_link[HASH_LEN];
	uint64_t hold_from; /* a fork was seen: all further is to be held */
	size_t device;      /* index + 1; 0: none */
	/* The newest signature over it. */
	bool has_sig;
	uint64_t sig_seq, sig_place;
	uint8_t sig_link[HASH_LEN], sig[SIG_LEN];
	/* Where others brought what it lacks; last 0: nowhere. */
	uint64_t returned_first, returned_last;
};

/* One row of entries. */
struct vrow {
	uint64_t place, no, seq;
	uint32_t branch, flags;
	bool has_prev;
	uint8_t prev[HASH_LEN], link[HASH_LEN];
	struct bytes bytes;
};

/* An entry of a device in the commit that is being read. */
struct vplaced {
	struct vchain *c;
	uint64_t seq;
	uint8_t link[HASH_LEN];
	bool adrift; /* what it rests on is not there: only a proof will do */
};

/* An id that must be (or was) held. */
struct vhold {
	uint8_t id[ID_LEN];
	uint64_t place;
	const struct vchain *c; /* of what needs it */
	uint64_t seq;
	enum verify_what what;
	bool admit; /* the logged word is `admit` */
};

/* Places of a chain that did not come. */
struct vhole {
	uint8_t chain[CHAIN_LEN];
	uint64_t first, last, place;
	const struct vchain *c;
};

/* A place that was lost, and whose bytes came later. */
struct vfilled {
	uint64_t place, at; /* `at`: of the entry that says so */
};

/* A body that its row says was erased. */
struct verased {
	uint8_t id[ID_LEN];
	uint64_t place, seq;
	const struct vchain *c;
};

/* A returned@1 of this commit. */
struct vreturned {
	uint8_t chain[CHAIN_LEN];
	uint64_t first, last, place;
	uint64_t old_place, size; /* in the tree of the log that ended … */
	uint8_t root[HASH_LEN];
	struct merkle_proof path;
	bool used;
};

struct vroot {
	uint64_t size;
	uint8_t root16[ID_LEN];
};

struct vmanifest {
	uint64_t place, seq, size, count, held, bare;
	uint8_t root[HASH_LEN];
	char rec[REC_LEN + 1];
	const struct vchain *c;
	bool has_context;
	uint64_t context;
	uint8_t context_root[HASH_LEN];
	/* Found in the second reading. */
	struct frontier f;
	uint64_t got_held, got_bare;
	uint64_t later; /* entries that were lost when it was made */
	uint8_t (*key)[PUBKEY_LEN]; /* owned: whose entries it has */
	size_t key_count, key_cap;
};

/* An entry that manifests count as context, of those whom it concerns. */
struct vcontext {
	uint64_t place;
	uint8_t id[ID_LEN];
	char rec[REC_LEN + 1]; /* of a device's record, else "" */
	bool has_key;          /* an enrolment: of this key */
	uint8_t key[PUBKEY_LEN];
};

/* A log that ended, as `restored@1` tells of it. */
struct vrestore {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t kept, place;
	uint64_t begins; /* where the log that it begins has its first place */
	uint64_t best;   /* size of the largest old checkpoint known; 0: none */
};

/* An anchor, read. */
struct vanchor {
	const struct verify_anchor *from;
	bool is_proof;
	struct proof proof;
	struct bytes note;
	struct checkpoint cp;
	bool bad;     /* said already; no more to do */
	bool guessed; /* by a key that no descriptor named yet */
	struct note_key by;
	bool done; /* its size was reached */
	bool matches;
	uint8_t store_root[HASH_LEN]; /* ours at its size */
};

struct verify {
	struct verify_report *r;
	const struct verify_given *given;
	struct db *db;
	struct db_stmt *scan;
	char *errmsg;

	char court[DESCRIPTOR_COURT_MAX + 1];
	uint8_t court_id[HASH_LEN];
	struct descriptor **descriptor; /* owned, version by version */
	size_t descriptor_count, descriptor_cap;
	bool key_named, descriptor_pinned;
	uint64_t server_since; /* place of what named the newest server key */

	struct vchain *chain; /* owned, by (no, branch) */
	size_t chain_count;
	struct vchain *last_chain;

	struct vdevice *device; /* owned */
	size_t device_count, device_cap;
	struct vplaced *placed; /* owned: of this commit */
	size_t placed_count, placed_cap;
	uint64_t commit_first;
	bool commit_wrong;         /* said already */
	bool server_began;         /* a server entry stood in this commit */
	struct vhold *need, *hold; /* owned */
	size_t need_count, need_cap, hold_count, hold_cap;
	struct vhole *hole, *hole_said; /* owned */
	size_t hole_count, hole_cap, hole_said_count, hole_said_cap;
	struct vhole *recovered; /* owned: of replaced devices */
	size_t recovered_count, recovered_cap;
	struct vreturned *returned; /* owned: of this commit */
	size_t returned_count, returned_cap;
	bool adrift;        /* the row at hand */
	struct vroot *root; /* owned, at the end of each commit */
	size_t root_count, root_cap;
	struct vmanifest *manifest; /* owned */
	size_t manifest_count, manifest_cap;
	struct vcontext *context; /* owned, by place */
	size_t context_count, context_cap;
	struct vanchor *anchor;   /* owned, one for each given */
	uint64_t next_anchor;     /* the least size not reached yet */
	struct vrestore *restore; /* owned, in order of place */
	size_t restore_count, restore_cap;
	size_t taken_ahead; /* descriptors of entries that are yet to come */
	struct vfilled *filled; /* owned, in order of `at` */
	size_t filled_count, filled_cap;
	struct erasures *orders; /* owned: to erase; NULL: none */
	struct verased *erased;  /* owned, by place */
	size_t erased_count, erased_cap;

	struct vbundle *bundle; /* NULL: a store */

	struct frontier f;
	uint64_t next; /* place expected */
	bool before_wrong;
	uint8_t before[HASH_LEN]; /* link at the place before */
	const struct vchain *before_chain;
	uint64_t before_seq, last_commit;
	struct entry e;
	struct buf lines, text;
};

/* Begin and end a verification of whatever sort. */
struct verify *verify_new(struct verify_report *out,
    const struct verify_given *given, char errmsg[VERIFY_ERRMSG_LEN]);
void verify_done(struct verify *v);

/* The key and descriptor given are this court's. */
void verify_keys(struct verify *v);
/* `v->e` can be read, and is malformed at its place all the same. */
bool verify_wrong_here(
    const struct verify *v, const struct vchain *c, const struct vrow *row);
/* The file that an `attach` (`v->e`) names. */
void verify_media(struct verify *v, struct vchain *c, const struct vrow *row);

/* Grow *array (owned, of `size` bytes an element). */
MUST_CHECK enum status verify_room(
    void *array, size_t *cap, size_t count, size_t size);

/* Put a finding down.  `c` may be NULL; `zh` and `en` are static. */
struct verify_finding *verify_say(struct verify_report *r,
    enum verify_what what, const char *zh, const char *en);
void verify_say_at(struct verify *v, enum verify_what what, uint64_t place,
    const struct vchain *c, uint64_t seq, const char *zh, const char *en);
void verify_data(struct verify_finding *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Member `name` of `on`: its node in e->body, or 0. */
uint32_t verify_value(const struct entry *e, const char *name);
bool verify_text(
    const struct entry *e, const char *name, char *out, size_t cap);
bool verify_num(const struct entry *e, const char *name, uint64_t *out);
bool verify_hash(
    const struct entry *e, const char *name, uint8_t *out, size_t len);

/* ---- verify_chain.c */

MUST_CHECK enum status verify_read_chains(struct verify *v);
struct vchain *verify_chain_of(struct verify *v, uint64_t no, uint32_t branch);
/* What the entry rests on.  *sure: it is known; else row->link is taken. */
MUST_CHECK enum status verify_base(struct verify *v, struct vchain *c,
    const struct vrow *row, uint8_t base[HASH_LEN], bool *sure);
/* Behind the last entry: holes, chains' rows, last signatures. */
MUST_CHECK enum status verify_chains_end(struct verify *v);

/* ---- verify_recovered.c */

/* Entry `v->e`, a recovered@1. */
MUST_CHECK enum status verify_recovered_entry(
    struct verify *v, const struct vrow *row);
/* Need it not be held, since the log says where it came from? */
bool verify_was_recovered(const struct verify *v, const struct vhold *need);
void verify_recovered_end(struct verify *v);

/* ---- verify_returned.c */

/* Entry `v->e`, a returned@1. */
MUST_CHECK enum status verify_returned_entry(
    struct verify *v, struct vchain *c, const struct vrow *row);
/* A line without a signature: does one of this commit prove it? */
bool verify_returned_line(struct verify *v, struct vchain *c, uint64_t first,
    uint64_t last, const uint8_t link[HASH_LEN]);
/* The commit ends: all of them had their line. */
void verify_returned_commit(struct verify *v, struct vchain *c);
/* Behind verify_chains_end. */
void verify_returned_end(struct verify *v);

/* ---- verify_trust.c */

/* `v->e` is a descriptor@1. */
MUST_CHECK enum status verify_descriptor_entry(
    struct verify *v, struct vchain *c, const struct vrow *row);
/* What the newest descriptor says of keys that are good for nothing after some
 * size: chains and anchors.  Before holds and anchors are judged. */
MUST_CHECK enum status verify_distrust(struct verify *v);

/* ---- verify_commit.c */

/* The entry `v->e`, a commit@1, ends a commit at `row`. */
MUST_CHECK enum status verify_commit(
    struct verify *v, struct vchain *c, const struct vrow *row);

/* ---- verify_server.c */

/* The first descriptor and the court-id, before anything else. */
MUST_CHECK enum status verify_first(struct verify *v);
/* The same from the entry at place 0; and what it says of the court. */
MUST_CHECK enum status verify_first_entry(
    struct verify *v, struct bytes raw, bool *good);
void verify_court(struct verify *v);
/* Entry `v->e`, a manifest, is put down. */
MUST_CHECK enum status verify_manifest_entry(
    struct verify *v, struct vchain *c, const struct vrow *row);
/* Whole entry `v->e` of a server chain. */
MUST_CHECK enum status verify_server_entry(
    struct verify *v, struct vchain *c, const struct vrow *row);
/* Is the device of this chain in its time at `place`? */
MUST_CHECK enum status verify_time(
    struct verify *v, struct vchain *c, const struct vrow *row);
MUST_CHECK enum status verify_holds_end(struct verify *v);
bool verify_is_server_key(const struct verify *v, const uint8_t *key);
/* Is it the log of some version of the descriptor? */
bool verify_names_log(const struct verify *v, const struct note_key *key);

/* The text `file` of the entry that was read last; and version n + 1 taken, if
 * it follows: *good. */
MUST_CHECK enum status verify_descriptor_file(
    struct verify *v, struct bytes *file);
MUST_CHECK enum status verify_take_descriptor(
    struct verify *v, struct bytes file, bool *good);

/* ---- verify_restored.c */

/* Entry number k behind one that is looked at (from 0: that one) in its chain;
 * ST_ABSENT. */
typedef enum status (*verify_next_fn)(void *arg, size_t k, struct bytes *out);
/* If `row` begins a new server chain by descriptors, of which the last names
 * its key: take those. */
MUST_CHECK enum status verify_new_server(struct verify *v, struct vchain *c,
    const struct vrow *row, verify_next_fn next, void *arg);
/* `v->e` is a restored@1. */
MUST_CHECK enum status verify_restored(
    struct verify *v, struct vchain *c, const struct vrow *row);
/* The restore that ended this log, or NULL. */
const struct vrestore *verify_ended(const struct verify *v, const char *origin);
/* An anchor of that log, beyond what was kept of it. */
MUST_CHECK enum status verify_old_anchor(
    struct verify *v, struct vanchor *a, const struct vrestore *r);
void verify_restores_end(struct verify *v);

/* ---- verify_erase.c */

/* `v->e` is of kind erase@1, on a chain of the court's own. */
MUST_CHECK enum status verify_erase_entry(
    struct verify *v, const struct vrow *row);
/* `v->e` is a filled@1. */
MUST_CHECK enum status verify_filled_entry(
    struct verify *v, const struct vrow *row);
/* The log says that this place was lost until some place at or above `size`. */
bool verify_lacked_at(const struct verify *v, uint64_t place, uint64_t size);
/* The row says that its body was erased; judged at the end. */
MUST_CHECK enum status verify_erased_row(
    struct verify *v, const struct vchain *c, const struct vrow *row);
MUST_CHECK enum status verify_erases_end(struct verify *v);

/* ---- verify_anchor.c */

MUST_CHECK enum status verify_read_anchors(struct verify *v);
/* The tree has v->f.size leaves now: compare. */
void verify_anchors_at(struct verify *v);
/* Of a bundle: its tree had this root at that size. */
void verify_anchors_root(
    struct verify *v, uint64_t size, const uint8_t root[HASH_LEN]);
MUST_CHECK enum status verify_anchors_end(struct verify *v);

/* ---- verify_bundle.c */

/* The link at a place and what it rests on, if the bundle has that entry.
 * ST_ABSENT. */
MUST_CHECK enum status verify_bundle_links(const struct verify *v,
    uint64_t place, uint8_t link[HASH_LEN], uint8_t prev[HASH_LEN]);

/* ---- verify_show.c */

void verify_put_bundle(struct buf *out, const struct verify_report *r);
void verify_say_bundle(
    struct buf *out, const struct verify_report *r, struct bytes told);

/* ---- verify_manifest.c */

MUST_CHECK enum status verify_manifests(struct verify *v);
/* Entry `v->e` of the court is context: of a descriptor, a restore, a device
 * (`device`: enrolled, or in another state). */
MUST_CHECK enum status verify_note_context(
    struct verify *v, const struct vrow *row, bool device);
/* The last word that the log had on an id at a size is `hold`.  Behind
 * verify_holds_end. */
bool verify_held_at(const struct verify *v, const uint8_t *id, uint64_t size);

#endif
