#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H
/*
 * agent: Daybreak on a handheld, as a C API that a screen can sit on.
 *
 * One `struct agent` is one handheld: a folder with the sealed log in it.
 * Open, unlock, then append and query; sync when there is a network.  An
 * append that returned ST_OK is durable.  Nothing here prints, waits for a
 * terminal, or starts a thread; agent_sync blocks for one exchange and may be
 * run on a thread of the caller's, one call at a time for one agent.
 *
 * Text that comes out is UTF-8.  JSON that comes out is canonical.  Words for
 * the last failure, in Chinese and English, are kept in the handle.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "base/port.h"
#include "entry/entry.h"

struct agent; /* private to agent/core */
struct kinds; /* domain/kind.h */
struct rules; /* domain/rules.h */

/* How the agent reaches the centre.  The real one is uplink_curl; a test or
 * the simulation gives its own. */
enum agent_service {
	SERVICE_DESCRIPTOR, /* GET, public, certificate not yet known */
	SERVICE_ENROL,      /* POST, public, under the court's CA */
	SERVICE_CHALLENGE,
	SERVICE_RENEW_EXPIRED,
	SERVICE_SYNC, /* POST, mutual TLS */
	SERVICE_RENEW,
};
struct agent_reply {
	int status;          /* HTTP status */
	int retry_after_s;   /* -1 where the server stated none */
	struct buf body;     /* owned by the caller of exchange */
	const char *tls_why; /* static words for a TLS refusal, or NULL */
	uint64_t bytes_up, bytes_down; /* headers and body */
};
/* One request of tus 1.0 (docs/EVIDENCE.md, "To the centre"). */
enum tus_what { TUS_CREATE, TUS_HEAD, TUS_PATCH };
struct agent_tus {
	enum tus_what what;
	const char *upload;   /* the last part of its address; not to create */
	uint64_t length;      /* of the file; to create */
	const char *metadata; /* Upload-Metadata; to create */
	uint64_t offset;      /* of the body in the file */
	uint64_t body_len;    /* 0: none */
	/* Give the next `len` or fewer bytes of the body, at `at` in it; *got
	 * is how many.  Anything but ST_OK ends the request. */
	enum status (*read)(
	    void *arg, uint64_t at, uint8_t *out, size_t len, size_t *got);
	void *read_arg;
};
struct agent_tus_reply {
	int status;        /* HTTP status */
	int retry_after_s; /* -1 where the server stated none */
	bool tus;          /* it speaks tus 1.0 */
	bool has_offset, has_length;
	uint64_t offset, length;
	char location[256];  /* as stated; "" */
	uint64_t body_up;    /* bytes of the body handed over */
	uint64_t took_ms;    /* from the first byte of the body to the answer */
	const char *tls_why; /* static words for a TLS refusal, or NULL */
	enum status read_st; /* what `read` failed with */
	uint64_t bytes_up, bytes_down;
};

struct agent_uplink {
	void *arg;
	/*
	 * One exchange.  `address` is host:port; `ca`, `cert` DER or empty;
	 * `key` a private key (SEC 1 DER) or empty.  ST_OK with any HTTP
	 * status, ST_NET when no answer came.
	 */
	enum status (*exchange)(void *arg, enum agent_service what,
	    const char *address, struct bytes ca, struct bytes cert,
	    struct bytes key, struct bytes body, struct agent_reply *out);
	/* One request about a file, under mutual TLS; results as above.  NULL:
	 * this uplink sends no files. */
	enum status (*tus)(void *arg, const char *address, struct bytes ca,
	    struct bytes cert, struct bytes key, const struct agent_tus *rq,
	    struct agent_tus_reply *out);
};

struct agent_config {
	const char *home; /* folder; made if absent */
	/* SQLite VFS of the log; NULL: the system's.  With one, `home` is only
	 * the beginning of names there, and no folder of the system's. */
	const char *vfs;
	const struct port *port;
	const struct agent_uplink *uplink; /* NULL: no network */
	int utc_offset_min;                /* for `at`; 480 in China */
	/* The program daybreak-look, which tells what is in an attached file;
	 * NULL: nothing does, types are application/octet-stream. */
	const char *look;
	/* The program daybreak-film, which tells how long an attached recording
	 * is and when it was made; NULL: nothing is said of that. */
	const char *film;
	/* Borrowed, for many agents in one process; NULL: those built in. */
	const struct kinds *kinds;
	const struct rules *rules;
	bool weak_kdf_for_tests; /* cheap Argon2id; never set by the CLI */
};

MUST_CHECK enum status agent_open(
    struct agent **out, const struct agent_config *c);
void agent_close(struct agent *a);

/* The kinds that this handheld knows; borrowed until the next unlock, lock or
 * sync: the court's log may bring new ones. */
const struct kinds *agent_kinds(const struct agent *a);

/* Words for the last failure; never NULL; valid until the next call. */
const char *agent_error_en(const struct agent *a);
const char *agent_error_zh(const struct agent *a);

/* ---- joining and locks */

/*
 * Enrol with a code (PROTOCOL.md §7): keys are made and kept sealed before the
 * first request, so that a lost answer is asked for again with the same keys.
 * The first officer's slot is made with `passphrase`.  ST_DENIED: code refused;
 * ST_NET: try again, same call.
 */
MUST_CHECK enum status agent_enrol(
    struct agent *a, struct bytes code, struct bytes passphrase);
/*
 * Open it for an officer who has a slot; NULL: whoever enrolled the device, who
 * may also be named by their id.  That officer's id is `by` of all that is
 * written until the next lock.  ST_DENIED: no such officer or a wrong
 * passphrase, which are not told apart.
 */
MUST_CHECK enum status agent_unlock(
    struct agent *a, const char *officer, struct bytes passphrase);
void agent_lock(struct agent *a); /* full lock: keys wiped */
bool agent_is_unlocked(const struct agent *a);
/*
 * The screen lock: what is on the device is neither shown nor written until
 * the PIN was given; keys stay, agent_sync and agent_verify go on.  Without a
 * PIN it is a full lock, as are five wrong PINs in a row.
 */
MUST_CHECK enum status agent_screen_pin(struct agent *a, struct bytes pin);
void agent_screen_lock(struct agent *a);
MUST_CHECK enum status agent_screen_unlock(struct agent *a, struct bytes pin);
/* The officer did something: the idle time begins anew. */
void agent_touch(struct agent *a);
/* Time passes: to be called every few seconds.  5 minutes without a touch lock
 * the screen, 4 hours everything. */
enum agent_locked { AGENT_LOCKED, AGENT_SCREEN_LOCKED, AGENT_OPEN };
enum agent_locked agent_tick(struct agent *a);
/*
 * One more officer, by the id that the roster has for them, with a passphrase
 * of their own; or one less, whose slot is overwritten while all keys change.
 * ST_CONFLICT: has a slot already; is the last.  ST_ABSENT, ST_INVALID.
 */
MUST_CHECK enum status agent_officer_add(
    struct agent *a, const char *officer, struct bytes passphrase);
MUST_CHECK enum status agent_officer_remove(
    struct agent *a, const char *officer);

/* ---- writing */

/*
 * Begin an edit of `rec`: remembers the record's heads as they are on the
 * screen now; what is appended in this edit states them as `after`.  An edit
 * of no record (rec NULL) opens a new one.
 */
struct agent_edit {
	char rec[REC_LEN + 1];
	char kind[64]; /* "search@1", of the record's open; "" for a new one */
	uint8_t after[AFTER_COUNT_MAX][ID_LEN];
	size_t after_count;
	/* The record has more heads than one entry can name: what is written
	 * knows of the latest only, and stays concurrent with the rest (each
	 * entry brings them down by 1,023).  Nothing can be signed so. */
	bool partial;
};
MUST_CHECK enum status agent_edit_begin(
    struct agent *a, const char *rec, struct agent_edit *out);

struct agent_act {
	const char *
	    kind; /* "search"; the version is the newest known; only for open */
	enum verb verb;
	const struct bytes *on;
	size_t on_count;
	struct bytes data;   /* JSON array as long as `on` */
	struct bytes reason; /* text */
	struct bytes more;   /* JSON object */
	const char *at;      /* RFC 3339, or NULL: now */
};

/*
 * Append one act; durable on ST_OK.  *id is its id.  Data is validated by kind
 * (ST_INVALID with words) but an irregular act is written and found, never
 * refused.  A `sign` gets `shown` put in here.  ST_FULL, ST_LOCKED, ST_IO.
 */
MUST_CHECK enum status agent_append(struct agent *a, struct agent_edit *edit,
    const struct agent_act *act, uint8_t id[ID_LEN]);

/*
 * Between these, appends are durable together, at the end: for an import, not
 * for an officer's hand.  If the end fails, none of them is there, and nothing
 * of them is shown.  A full lock in between drops them.
 */
MUST_CHECK enum status agent_batch_begin(struct agent *a);
MUST_CHECK enum status agent_batch_end(struct agent *a);

/* ---- reading */

/* State bytes of a record (MERGE.md).  ST_ABSENT. */
MUST_CHECK enum status agent_state(
    struct agent *a, const char *rec, struct buf *out);
/* The entries of a record as a JSON array, in order: id, head, body; `in_log`,
 * and `place` where its number is known; own, bare. */
MUST_CHECK enum status agent_history(
    struct agent *a, const char *rec, struct buf *out);
/* Findings of a record that stood while it rested and ended without a word, as
 * a JSON array (domain/past.h). */
MUST_CHECK enum status agent_ended(
    struct agent *a, const char *rec, struct buf *out);
/* Findings of a record, or of all (rec NULL), as a JSON array. */
MUST_CHECK enum status agent_findings(
    struct agent *a, const char *rec, struct buf *out);
/*
 * Timers that run: what must be done by when, the most urgent first; a JSON
 * array of {"finding","kind","label","label_en","left_ms","rec"}.  left_ms
 * below 0: overdue.  They run on time since boot where they were entered in
 * this boot; else by the clock, and finding.clock says whether that is in
 * doubt.  Works behind a locked screen.
 */
MUST_CHECK enum status agent_timers(struct agent *a, struct buf *out);
/* Records, newest first, as JSON lines: {"rec","kind","label","status",…}. */
MUST_CHECK enum status agent_list(
    struct agent *a, const char *kind, size_t limit, struct buf *out);
/* {"entries","queued","oldest_queued_ms","receipt","proof","clock_offset_ms",
 *  "findings","disk_free","alarms",…}; works locked, with less in it. */
MUST_CHECK enum status agent_status(struct agent *a, struct buf *out);
/* The record that holds an entry whose more.source.key is `key`; ST_ABSENT. */
MUST_CHECK enum status agent_imported(
    struct agent *a, struct bytes key, char rec[REC_LEN + 1]);
/* Every entry of a record, or of all (rec NULL), a JSON line each: the objects
 * of agent_history with their record. */
MUST_CHECK enum status agent_export(
    struct agent *a, const char *rec, struct buf *out);
/* The newest receipt of the open chain: a tlog-proof file, which an auditor
 * takes as an anchor.  ST_ABSENT: none yet. */
MUST_CHECK enum status agent_receipt(struct agent *a, struct buf *out);
/* The last receipt that a log which ended gave for the open chain of that time
 * (PROTOCOL.md §9): `log` counts from 1, the oldest.  ST_ABSENT. */
MUST_CHECK enum status agent_receipt_old(
    struct agent *a, unsigned log, struct buf *out);
/* Every version of the court's descriptor that this device knows, oldest first,
 * as GET /v1/descriptor gave them (PROTOCOL.md §7): what a second restore from
 * one backup wants to see.  ST_ABSENT: not joined yet. */
MUST_CHECK enum status agent_descriptors(struct agent *a, struct buf *out);
/* Verify own chain, stored receipts and proofs; JSON report.  ST_CORRUPT. */
MUST_CHECK enum status agent_verify(struct agent *a, struct buf *report);

/*
 * Forget the bodies of own entries written before `before_ms` (ms since 1970):
 * only such as have a proved receipt and a place below the centre's kept size,
 * and none at all while an alarm is not answered (ST_DENIED).  Heads, digests,
 * links and receipts stay; values then show as withheld, after the next unlock.
 * *purged: how many.
 */
MUST_CHECK enum status agent_purge(
    struct agent *a, uint64_t before_ms, uint64_t *purged);
/*
 * Alarms, what failed to prove, as a JSON array of
 * {"answer":null|{"at","by","reason"},"at","bytes","en","id","zh"}.  One is
 * answered once, with what was found out, and never deleted; purge waits until
 * all are.  Number 0 stands for those beyond what is kept, which were only
 * counted.  ST_ABSENT, ST_CONFLICT: answered already.
 */
MUST_CHECK enum status agent_alarms(struct agent *a, struct buf *out);
MUST_CHECK enum status agent_alarm_answer(
    struct agent *a, uint64_t id, struct bytes reason);
/* ---- paper (docs/FORMS.md) */

/*
 * Print a record: its form filled from what stands now, as PDF, appended to
 * `pdf` (ceiling PDF_BYTES_MAX of pdf/pdf.h or less).  A `print` entry with
 * the digests is durable before this returns; *id is its id.  ST_ABSENT: no
 * such record, no such form, or no Chinese font; ST_INVALID: a form of another
 * kind.
 */
MUST_CHECK enum status agent_print(struct agent *a, const char *rec,
    const char *form, struct buf *pdf, uint8_t id[ID_LEN]);
/* A blank form for paper, with the QR of a new record's id, which is put into
 * `rec`: the page is entered later as that record.  No entry is written. */
MUST_CHECK enum status agent_print_blank(
    struct agent *a, const char *form, char rec[REC_LEN + 1], struct buf *pdf);
/* Forms, a JSON line each: {"en","form","kind","zh"}. */
MUST_CHECK enum status agent_forms(struct agent *a, struct buf *out);

/* ---- sync */

struct agent_sync_result {
	uint64_t sent, acked, received, place;
	uint64_t bytes_up, bytes_down;
	bool more;         /* another sync is worth it at once */
	bool alarmed;      /* something failed to prove; see status */
	int retry_after_s; /* -1, or wait this long */
	/* How the centre takes what we send: "taken", or "held" (both branches
	 * of a copied device have places, supervisors know: go on recording),
	 * "gap" "refused" "quota" "later" "closed".  Static. */
	const char *centre;
};
/* One exchange.  ST_NET, ST_AGAIN (retry later), ST_DENIED (not accepted). */
MUST_CHECK enum status agent_sync(
    struct agent *a, struct agent_sync_result *out);

#endif
