#ifndef AGENT_AGENT_IMPL_H
#define AGENT_AGENT_IMPL_H
/* agent_impl: what the files of agent/core share; nobody else includes it. */
#include "agent/core/agent.h"
#include "agent/core/view.h"
#include "agent/log/lock.h"
#include "agent/log/log.h"
#include "defs/defs.h"
#include "domain/words.h"
#include "erase/erase.h"
#include "tlog/descriptor.h"
#include "tlog/note.h"
#include "wire/sync.h"

enum {
	AGENT_NAME_MAX = 200,
	AGENT_PENDING_MAX = 64 << 20, /* bytes of one record under way */
	AGENT_CHAINS_MAX = 64,        /* own chains that are spoken of */
	AGENT_EVIDENCE_TRIES = 3,     /* at sending a file that did not match */
	AGENT_REPLY_MAX = FRAME_WIRE_BYTES_MAX + 65536
};

/* What the court said when this device joined; sealed. */
struct agent_court {
	bool joined;
	uint8_t court_id[HASH_LEN];
	char person[AGENT_NAME_MAX + 1]; /* whose device it is */
	char name[AGENT_NAME_MAX + 1];
	char role[64], team[AGENT_NAME_MAX + 1];
	char devices[256];   /* host:port of the device listener */
	char public_at[256]; /* and of the public one */
};

/* Entries of a scope whose record has not come whole yet: kept here, never on
 * disk, so that no record is ever half there. */
struct agent_pending {
	uint8_t scope[ID_LEN];
	uint64_t place, sub; /* the cursor behind them */
	struct pending_entry {
		uint64_t place, seq;
		unsigned flags;
		uint8_t chain[CHAIN_LEN], prev[HASH_LEN], digest[HASH_LEN];
		size_t off, len; /* in bytes; len 0: lost at the centre */
		bool ours;       /* it stands in a chain of this file */
		bool unfilled;   /* own and lost, and its table is torn */
	} * entry;
	size_t count, cap;
	struct buf bytes;
	struct buf proved; /* what proved each part of it, sized */
};

struct blobs; /* core/blobs.h */

struct agent {
	char *home;
	char *log_path;
	char *vfs;       /* NULL: the system's */
	char *blobs_dir; /* NULL: no folder, no attachments */
	char *look;      /* daybreak-look; NULL: types are not told */
	char *film;      /* daybreak-film; NULL: lengths are not told */
	const struct port *port;
	const struct agent_uplink *uplink; /* NULL: no network */
	int offset_min;
	bool weak_kdf;

	struct log *log;             /* NULL: not joined yet */
	char by[AGENT_NAME_MAX + 1]; /* who unlocked; "": court.person */
	struct lock *lock;
	const struct kinds *kinds;
	const struct rules *rules;
	/* Where those come from: what was built in (NULL: the caller's), and
	 * what the log says on top of it (NULL: nothing). */
	struct domain *base, *domain;
	const struct kinds *lent_kinds;
	const struct rules *lent_rules;
	bool defs_news; /* definitions have come since they were read */
	struct erasures *erasures; /* orders carried out here; NULL: locked */
	bool erase_news;           /* something is to be erased */
	struct view *view;         /* NULL while locked */
	struct wire_codec *codec;
	struct sync_msg *msg;

	/* Known while unlocked. */
	struct agent_court court;
	bool joined_now;         /* by the last unlock (agent_join_finish) */
	struct descriptor *desc; /* NULL: none */
	struct buf desc_files;   /* the court's descriptors as fetched */
	bool has_tip;            /* the last verified checkpoint … */
	struct checkpoint tip;
	struct buf tip_note;
	bool has_stated; /* … and the one that the chain last stated */
	uint64_t stated_size;
	bool has_clock;
	int64_t clock_offset_ms; /* centre's clock minus ours */
	/* The centre's time as a sync told it, and our time since boot then. */
	bool has_time;
	uint64_t time_ms, time_mono;
	uint8_t time_boot[BOOT_LEN];
	bool want_key;  /* … and for our chain key */
	bool want_note; /* the centre asked for our note */
	uint64_t resend_from[AGENT_CHAINS_MAX]; /* by chain number; 0: none */
	bool has_back; /* … and it is kept on disk: a log ended */
	uint64_t cut_at[AGENT_CHAINS_MAX]; /* a piece ends here; 0: none */
	/* The worst of the last acknowledgements (enum ack_status); kept, so
	 * that a screen can say it after a restart. */
	unsigned standing;
	struct agent_pending *pending;
	size_t pending_count;
	uint64_t kept;         /* places below it are safe at the centre */
	uint64_t kept_files;   /* … and files receipted below this */
	uint64_t alarms;       /* found in this session */
	uint64_t alarms_lost;  /* … that could not even be counted on disk */
	struct buf alarm_text; /* scratch of agent_alarms */
	struct log_found found;

	struct blobs *blobs; /* NULL while locked, or without a folder */

	struct words words; /* why the last call failed */
};

/* Remember why, and give `st` back. */
enum status agent_why(
    struct agent *a, enum status st, const char *zh, const char *en);
/* The same with the words of the log. */
enum status agent_log_why(struct agent *a, enum status st);
/* Make the sealed log, with the first officer's slot. */
MUST_CHECK enum status agent_create_log(
    struct agent *a, struct bytes passphrase);
/* ST_LOCKED with words unless unlocked, joined, and the screen is open. */
MUST_CHECK enum status agent_ready(struct agent *a);
/* The same behind a locked screen: for what goes on there. */
MUST_CHECK enum status agent_keys_ready(struct agent *a);

/* ---- agent_officers.c */

extern const char agent_first_slot[];
/*
 * Open the log and load the court.  Who enrolled the device has the first
 * slot, whatever their id; all others have one of their own.  Whose slot it is
 * stands in `by` of all that is written from now on.  On failure the log may
 * be open: agent_lock.
 */
MUST_CHECK enum status agent_slot_open(
    struct agent *a, const char *officer, struct bytes passphrase);
/* Who writes: the officer whose slot is open.  Valid while unlocked. */
const char *agent_by(const struct agent *a);

/* The screen must not show what the disk does not have: after a batch that was
 * rolled back.  Locked if it fails. */
MUST_CHECK enum status agent_show_again(struct agent *a);

/* ---- what is kept of the court (agent_court.c) */

MUST_CHECK enum status agent_court_load(struct agent *a);
MUST_CHECK enum status agent_court_save(struct agent *a);
/* An entry of the centre that this device's own feed brought, proved: another
 * team or role from now on. */
MUST_CHECK enum status agent_court_follow(
    struct agent *a, const struct entry *e);
void agent_court_forget(struct agent *a);
/*
 * Take the answer of GET /v1/descriptor: every version, checked from the first
 * on.  With `want` non-NULL the last must have that digest.  `court_id`
 * non-NULL and not zero: the first must be that one; else it is set.
 * ST_DENIED with words.
 */
MUST_CHECK enum status agent_descriptor_take(struct agent *a, struct bytes body,
    const uint8_t *want, uint8_t court_id[HASH_LEN], struct descriptor *out);
/* Keep who we are there, and the descriptors that say so. */
MUST_CHECK enum status agent_court_join(
    struct agent *a, struct bytes body, struct descriptor *d);
/* If the certificate is there and only the last step of joining was missed by
 * a crash, take it now. */
MUST_CHECK enum status agent_join_finish(struct agent *a);
MUST_CHECK enum status agent_descriptor_fetch(struct agent *a);
const char *agent_standing_word(const struct agent *a);
/* Keep how the centre takes what this device sends. */
MUST_CHECK enum status agent_standing_take(struct agent *a, unsigned standing);
/* Learn the centre's time; kept where it differs from what was known
 * (agent_clock.c). */
MUST_CHECK enum status agent_time_take(struct agent *a, uint64_t time_ms);
void agent_clock_read(struct agent *a, struct bytes kept);
/* What time findings are judged at; unlocked. */
void agent_now(const struct agent *a, struct view_now *out);
/*
 * The log of this court, present or ended, that signed a note: its key, what
 * the note says, and how many logs came after it.  ST_ABSENT: none.
 */
MUST_CHECK enum status agent_log_of_note(struct agent *a, struct bytes note,
    struct note_key *key, struct checkpoint *cp, unsigned *later);
MUST_CHECK enum status agent_tip_take(
    struct agent *a, const struct checkpoint *c, struct bytes note);

/* ---- kinds and rules of the log (agent_defs.c) */

MUST_CHECK enum status agent_base_open(
    struct agent *a, const struct agent_config *c);
void agent_base_close(struct agent *a);
/* Back to what was built in, as while locked. */
void agent_defs_forget(struct agent *a);
/* Read what the view holds of the log's definitions, and go by it. */
MUST_CHECK enum status agent_defs_load(struct agent *a);
/* A proved entry of the centre's has come: is it one of them? */
void agent_defs_note(struct agent *a, const struct entry *e);
/* Forms that are known; NULL: those built in, with the caller's kinds. */
const struct forms *agent_forms_known(const struct agent *a);

/* ---- bodies that the log orders to be erased (agent_erase.c) */

/* Carry out all orders that the view holds; not within a batch. */
MUST_CHECK enum status agent_erase_run(struct agent *a);
/* A proved entry has come: an order, or a body that one is about? */
void agent_erase_note(
    struct agent *a, const struct entry *e, const uint8_t id[ID_LEN]);

/* ---- keys and certificates (agent_enrol.c, agent_renew.c) */

MUST_CHECK enum status agent_csr_ready(struct agent *a);
MUST_CHECK enum status agent_cert_take(struct agent *a, struct bytes reply);
/* Renew if a third of the validity or less is left. */
MUST_CHECK enum status agent_renew_due(struct agent *a);
/*
 * The centre did not let this device in.  If that is because its certificate
 * ran out by the centre's clock, however ours stands, it is renewed: true, and
 * the request is worth another try.
 */
bool agent_renew_refused(struct agent *a);
/* Where a service is found, host:port; borrowed. */
const char *agent_address(const struct agent *a, enum agent_service what);
MUST_CHECK enum status agent_exchange(struct agent *a, enum agent_service what,
    struct bytes body, struct agent_reply *out);

/* ---- when a log ended (agent_restore.c; docs/PROTOCOL.md, section 9) */

/*
 * Open a note of the court's log.  If it is of a key that we do not know, the
 * court may have begun a new log: fetch the descriptor and look again.
 * ST_DENIED: it is not the court's.
 */
MUST_CHECK enum status agent_note_open(
    struct agent *a, struct bytes note, struct checkpoint *out);
/* Is what we hold the checkpoint of a log that ended? */
bool agent_tip_ended(const struct agent *a);
/*
 * Go over to the log of this first checkpoint: what the old one proved is kept
 * aside, cursors and acknowledged places go back to what is `kept` of it.  All
 * of it or nothing.
 */
MUST_CHECK enum status agent_adopt(struct agent *a, const struct checkpoint *c,
    struct bytes note, uint64_t kept);
/* The first place of an own chain that the present log has not acknowledged. */
uint64_t agent_unsent_from(const struct agent *a, const struct log_head *h);
/* A receipt for `seq` has come. */
MUST_CHECK enum status agent_back_receipt(
    struct agent *a, const struct log_head *h, uint64_t seq);
MUST_CHECK enum status agent_back_load(struct agent *a);
/* A stored receipt: ST_ABSENT if it is of a log that ended. */
MUST_CHECK enum status agent_receipt_counts(struct agent *a, struct bytes file);
/* Append ",\"old_logs\":[…]". */
void agent_old_logs(struct agent *a, struct buf *out);

/* What must be handed in of it (agent_returned.c): collected into a buffer that
 * is made here; kept, within the batch; loaded, the list being the caller's to
 * free; and done. */
MUST_CHECK enum status agent_returned_collect(
    struct agent *a, uint64_t kept, struct buf *out, struct buf *words);
MUST_CHECK enum status agent_returned_keep(
    struct agent *a, const struct buf *collected);
MUST_CHECK enum status agent_returned_load(struct agent *a, struct buf *bytes,
    struct wire_returned **out, size_t *count);
MUST_CHECK enum status agent_returned_done(struct agent *a);

/* The ended log's own words are of no log any more: named when it ends (within
 * the batch), and dropped once they were handed in. */
MUST_CHECK enum status agent_old_words_keep(
    struct agent *a, const struct buf *ids);
/* The log that we stand in has these too (ids, ID_LEN each): they stay. */
MUST_CHECK enum status agent_old_words_spare(struct agent *a, struct bytes ids);
MUST_CHECK enum status agent_old_words_drop(struct agent *a);
/* Make the view anew from what is kept (agent.c). */
MUST_CHECK enum status agent_view_again(struct agent *a);

/* ---- what proved what others wrote (agent_proofs.c; FORMAT.md, `parts`) */

/* Append what proves a part, for agent_proof_keep; nothing where the centre
 * keeps all of it safe. */
MUST_CHECK enum status agent_proof_write(struct agent *a,
    const struct wire_part *p, struct bytes note, struct buf *out);
/* Keep some of them, within a batch; the oldest go where room is short. */
MUST_CHECK enum status agent_proof_keep(struct agent *a, struct bytes proved);
/* Forget those of which the centre keeps all safe. */
MUST_CHECK enum status agent_proof_tidy(struct agent *a);

/* A log ended: all that is kept now is to be handed in; within the batch. */
MUST_CHECK enum status agent_hand_in(struct agent *a, uint64_t kept);

/* Is something to be handed in still? */
bool agent_handing_in(struct agent *a);

/* What a request hands in. */
struct handing {
	struct wire_proved part[PROVED_MAX];
	size_t count;
	struct buf bytes; /* notes, entries, hashes */
	uint64_t at;      /* where the next request goes on … */
	uint8_t pass;     /* … in which pass */
	bool any;         /* something is under way at all */
};
void agent_handing_init(struct handing *h);
void agent_handing_free(struct handing *h);
MUST_CHECK enum status agent_handing_load(struct agent *a, struct handing *h);
/* It was answered: go on behind it.  *more: something is left. */
MUST_CHECK enum status agent_handing_done(
    struct agent *a, const struct handing *h, bool *more);

/* ---- sync (agent_up.c, agent_down.c) */

struct up; /* a request under way */
MUST_CHECK enum status up_new(struct up **out);
void up_free(struct up *u);
/* Gather what is to be said; *left: entries that did not fit. */
MUST_CHECK enum status up_build(
    struct agent *a, struct up *u, struct buf *out, uint64_t *left);
uint64_t up_sent(const struct up *u);
bool up_returned(const struct up *u); /* something of an ended log */
const struct handing *up_handing(const struct up *u);

struct down_result {
	uint64_t received, place;
	bool more, alarmed, progressed;
	bool adopted; /* a new log was taken: ask again at once */
};
MUST_CHECK enum status down_take(
    struct agent *a, struct bytes body, struct down_result *out);
/* Number of our own chain of that id; 0 if it is none (agent_parts.c). */
uint32_t parts_own_chain(struct agent *a, const uint8_t chain[CHAIN_LEN]);
/* Take one part; `c` and `note` are the checkpoint that proves it, NULL if
 * there is none.  What does not prove alarms and is no failure. */
MUST_CHECK enum status parts_take(struct agent *a, const struct wire_part *part,
    const struct checkpoint *c, struct bytes note, struct down_result *out);
struct agent_pending *agent_pending_of(
    struct agent *a, const uint8_t scope[ID_LEN]);
void agent_pending_drop(struct agent *a, struct agent_pending *p);

/* Drop what stood in scopes that this device has left (PROTOCOL.md, 6).  To be
 * called when all that the centre had to say has come: who stays in a team has
 * its new scope by then. */
MUST_CHECK enum status agent_leave(struct agent *a);

/* ---- what the centre keeps safe (agent_kept.c) */

MUST_CHECK enum status agent_kept_load(struct agent *a);
/* Another log begins: what the old one kept says nothing of its places. */
MUST_CHECK enum status agent_kept_reset(struct agent *a);
/* A proved entry of the centre's, at `place`: is it a larger kept size? */
MUST_CHECK enum status agent_kept_take(
    struct agent *a, struct bytes raw, uint64_t place);

/* The PNG of a signature's picture, for pdf_config (agent_filed.c); `arg` is
 * the agent.  ST_ABSENT: its bytes are not here, or are no picture. */
MUST_CHECK enum status agent_picture(
    void *arg, const uint8_t sha256[HASH_LEN], struct buf *png);

/* `more` of a note: where it points into a recording, that is attached to this
 * record and long enough (agent_filed.c).  ST_INVALID with words. */
MUST_CHECK enum status agent_point_check(
    struct agent *a, const char *rec, struct bytes more);

/* Alarms that nobody has answered, and all (agent_alarms.c). */
MUST_CHECK enum status agent_alarms_open(
    struct agent *a, uint64_t *open, uint64_t *all);
/* Something did not prove: keep the evidence, count the alarm. */
void agent_alarm(struct agent *a, const char *why, struct bytes evidence);

#endif
