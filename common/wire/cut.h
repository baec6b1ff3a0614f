#ifndef WIRE_CUT_H
#define WIRE_CUT_H
/*
 * cut: entries without what the other side can put back (docs/PROTOCOL.md,
 * section 3).
 *
 * An entry's lines hold no byte below 0x20, so those bytes stand for text that
 * is known, computable, or shorter as binary.  Each means one exact text in
 * the state of its run, wherever it stands; so a writer may use it exactly
 * where that text stands, and compares byte for byte before it does.  What it
 * does not recognise goes as it is.
 *
 * This header is private to common/wire: cut.c has what both directions share,
 * cut_write.c and cut_read.c the two directions.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "wire/arena.h"
#include "wire/sync.h"

enum cut_byte {
	CUT_END,       /* 00: the entry ends */
	CUT_PLACE,     /* 01: "chain":"<chain>","seq":<seq> */
	CUT_BODY,      /* 02: "body":"<SHA-256 of the body line>" */
	CUT_AFTER,     /* 03: "after":["<latest of this record in the run>"] */
	CUT_SALT,      /* 04: "salt":"<raw 16>" */
	CUT_BOOT,      /* 05: "boot":"<as before>" */
	CUT_REC,       /* 06: "rec":"<as before>" */
	CUT_UUID,      /* 07: <raw 16> as a UUID */
	CUT_HEX16,     /* 08: <raw 16> as hex */
	CUT_ID,        /* 09: the id k places before in the run; 0: link(n-1) */
	CUT_LF,        /* 0a: itself */
	CUT_HEX32,     /* 0b: <raw 32> as hex */
	CUT_AT,        /* 0c: "at":"<from wall>" */
	CUT_REC_KNOWN, /* 0d: "rec":"<the k-th of the run>" */
	CUT_WALL,      /* 0e: "wall":<n> */
	CUT_MONO,      /* 0f: "mono":<n> */
	CUT_COURT,     /* 10: {"v":1,"court":"<court>", */
	CUT_REC_NEW,   /* 11: "rec":"<raw 16>" */
	CUT_BOOT_NEW,  /* 12: "boot":"<raw 16>" */
	CUT_REC_TIME,  /* 13: "rec":"<near wall, raw 10>", a UUIDv7 */
	CUT_COUNT,
	/* Only as the first byte of an entry: */
	CUT_HEAD = 0x14,          /* a head alone */
	CUT_LOST = 0x15,          /* a digest alone */
	CUT_VERBATIM = 0x16,      /* ctl: length; nothing is substituted */
	CUT_HEAD_VERBATIM = 0x17, /* likewise, a head alone */
};

enum {
	CUT_TEXT_MAX = 96,      /* of what a byte stands for, CUT_COURT apart */
	CUT_OFFSET_FIRST = 480, /* minutes east of UTC: where the courts are */
	CUT_COURT_MAX = 64,     /* bytes of a court's code */
};

#define CUT_NONE UINT32_MAX
/* "seq" and the like are JSON integers (RFC 7493). */
#define CUT_INT_MAX ((UINT64_C(1) << 53) - 1)

/* A record of the run. */
struct cut_rec {
	uint8_t id[ID_LEN];
	uint32_t last; /* index of its latest entry, or CUT_NONE */
};

/* What both ends keep while they go through a run. */
struct cut_run {
	uint8_t court[CUT_COURT_MAX + 32]; /* what CUT_COURT stands for */
	size_t court_len;
	uint32_t index; /* of the entry at hand, from 0 */
	uint64_t wall;  /* of the latest entry that had one; 0 at first */
	uint64_t mono;  /* likewise */
	bool has_mono;
	int offset; /* minutes east of the latest `at` */
	bool has_boot;
	uint8_t boot[BOOT_LEN];
	struct cut_rec *rec; /* in order of first appearance; owned */
	uint32_t rec_count, rec_cap;
	uint32_t rec_now; /* of the latest entry that had one, or CUT_NONE */
	/* The date of `day`, which most entries of a run share. */
	int64_t day;
	char date[10];
};

void cut_run_init(struct cut_run *run);
void cut_run_free(struct cut_run *run);

/* Begin a run of at most `count` entries.  ST_NOMEM. */
MUST_CHECK enum status cut_run_begin(
    struct cut_run *run, const char *court, size_t count);

/* What is known of the entry at hand while it is gone through. */
struct cut_entry {
	const uint8_t *chain;
	uint64_t seq;
	uint32_t used; /* bit for each substitution of which one is allowed */
	uint32_t rec;  /* of run->rec, or CUT_NONE */
	bool has_wall;
	uint64_t wall, wall_step; /* its difference to the run's */
};

/*
 * Note that the entry at hand uses `b`; false if it may not any more: of each
 * group of members (rec, boot, at, ...) an entry has one.
 */
bool cut_use(struct cut_entry *e, enum cut_byte b);

/* State moves, the same in both directions. */
void cut_wall_take(struct cut_run *run, struct cut_entry *e, uint64_t wall);
uint64_t cut_mono_expect(const struct cut_run *run, const struct cut_entry *e);
/* Add a record; false if the run has as many records as entries. */
bool cut_rec_add(struct cut_run *run, const uint8_t id[ID_LEN]);
void cut_rec_take(struct cut_run *run, struct cut_entry *e, uint32_t rec);
/* After each entry, lost ones too. */
void cut_entry_end(struct cut_run *run, const struct cut_entry *e);

/*
 * Texts.  Each writes at most CUT_TEXT_MAX bytes and returns how many.
 */
size_t cut_hex(uint8_t *out, const uint8_t *p, size_t len);
size_t cut_uuid(uint8_t *out, const uint8_t id[ID_LEN]);
/* "name":"<hex>" */
size_t cut_named_hex(
    uint8_t *out, const char *name, const uint8_t *p, size_t len);
/* "name":<n> */
size_t cut_named_uint(uint8_t *out, const char *name, uint64_t n);
size_t cut_place(uint8_t *out, const uint8_t chain[CHAIN_LEN], uint64_t seq);
size_t cut_rec(uint8_t *out, const uint8_t id[ID_LEN]);
/* "after":["<id>"] */
size_t cut_after(uint8_t *out, const uint8_t id[ID_LEN]);
/*
 * "at":"<t at an offset>", as at_format writes it; 0 if t or its local time is
 * not from 1970 to 9998, or the offset a day or more.
 */
size_t cut_at(struct cut_run *run, uint8_t *out, uint64_t t_ms, int64_t offset);

/*
 * The other way round: what stands at the front of `at`, more behind it
 * allowed.  False if it is not there, or spelt in another way than ours.
 */
bool cut_scan_uint(struct bytes at, uint64_t *out); /* to CUT_INT_MAX */
bool cut_scan_hex(uint8_t *out, size_t len, struct bytes at);
bool cut_scan_uuid(uint8_t out[ID_LEN], struct bytes at);

/* The time of a UUIDv7 (RFC 9562): its first 48 bits, and back. */
enum { CUT_REC_REST = 10 };
#define CUT_REC_TIME_MAX ((UINT64_C(1) << 48) - 1)
uint64_t cut_rec_time(const uint8_t id[ID_LEN]);
void cut_rec_of(
    uint8_t id[ID_LEN], uint64_t t_ms, const uint8_t rest[CUT_REC_REST]);

/* Signed differences as varints: 0, -1, 1, -2 ... */
uint64_t zigzag(uint64_t difference);
uint64_t unzigzag(uint64_t v);

/* ---- writing ---- */

struct cut_writer {
	struct buf *ctl, *text, *raw; /* borrowed */
	struct cut_run run;
	uint8_t (*id)[ID_LEN]; /* of the run's entries; owned */
	size_t id_cap;
	const uint8_t *prev; /* link(n-1) of the entry at hand */
	size_t total;        /* bytes of all entries of the message */
};

/* The entry at hand. */
struct cut_line {
	struct cut_writer *w;
	struct cut_entry e;
	struct bytes src;
	bool has_body;
	uint8_t body[HASH_LEN]; /* SHA-256 of the body line */
};

/*
 * What may be left out at position i of the entry: its length and the byte
 * that stands for it, ctl and raw written; 0 if nothing.
 */
size_t cut_try(struct cut_line *l, size_t i, enum cut_byte *b);

void cut_writer_init(struct cut_writer *w);
void cut_writer_free(struct cut_writer *w);
MUST_CHECK enum status cut_write_begin(
    struct cut_writer *w, const char *court, size_t count);

/*
 * Write the next entry of the run and give its link (which may be prev).
 * ST_INVALID, ST_LIMIT; failures of the streams show in their buffers.
 */
MUST_CHECK enum status cut_write(struct cut_writer *w,
    const uint8_t chain[CHAIN_LEN], uint64_t seq, const uint8_t prev[HASH_LEN],
    const struct wire_entry *in, uint8_t link[HASH_LEN]);

/* ---- reading ---- */

/* A place in an entry that rests on a hash. */
struct cut_hole {
	uint32_t at;   /* offset in the entry */
	uint32_t what; /* CUT_HOLE_*, or index in the run of the id */
};
#define CUT_HOLE_BODY (UINT32_MAX - 1)
#define CUT_HOLE_PREV (UINT32_MAX - 2)

/* An entry whose holes are open. */
struct cut_sealed {
	uint8_t *p;
	uint32_t len;
	uint32_t hole_end; /* its holes end before this one */
};

struct cut_reader {
	struct reader *ctl, *text, *raw; /* borrowed */
	struct arena *arena;             /* borrowed; entries stand there */
	struct cut_run run;
	struct cut_entry entry;
	uint8_t *start, *p, *end; /* of the entry at hand, and its room */
	size_t total;             /* bytes of all entries of the message */
	struct cut_hole *hole;    /* of all runs; owned */
	uint32_t hole_count, hole_cap;
	enum status err;
	const char *why;
};

void cut_reader_init(struct cut_reader *r);
void cut_reader_free(struct cut_reader *r);
/* Begin a message. */
void cut_reader_reset(struct cut_reader *r);

MUST_CHECK enum status cut_read_begin(
    struct cut_reader *r, const char *court, size_t count);

/*
 * Read the next entry of the run: form, digest if lost, and the rest sealed.
 * ST_INVALID, ST_LIMIT, ST_NOMEM, with r->why.
 */
MUST_CHECK enum status cut_read(struct cut_reader *r,
    const uint8_t chain[CHAIN_LEN], uint64_t seq, struct wire_entry *out,
    struct cut_sealed *sealed);

/*
 * Of the functions that read: note the first failure, give false; the next
 * number of ctl; put back what a byte stands for, with CUT_TEXT_MAX of room.
 */
bool cut_fail(struct cut_reader *r, enum status st, const char *why);
bool cut_take_ctl(struct cut_reader *r, uint64_t *out);
bool cut_put_back(struct cut_reader *r, enum cut_byte b);

/*
 * Fill the holes of the entry at `index` of its run and compute digest, link
 * and raw.  `id` has the ids of the run's entries before it, and gets its own.
 * `hole` points to its first hole; returns the hole behind its last.
 */
uint32_t cut_open(const struct cut_reader *r, const struct cut_sealed *sealed,
    uint32_t hole, uint8_t (*id)[ID_LEN], uint32_t index, uint64_t seq,
    const uint8_t prev[HASH_LEN], struct wire_entry *out);

#endif
