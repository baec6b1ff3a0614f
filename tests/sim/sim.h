#ifndef SIM_SIM_H
#define SIM_SIM_H
/*
 * sim: a court in one process: its centre and twenty handhelds and more, on
 * simulated time, with seeded chance, disks that lose what was not synced, and
 * a network that loses, repeats, delays and mixes up.
 *
 * Everything but clock, chance, disks and network is the product: agent/core
 * through its C API, the centre's log, roster, streams, enrolment and answers.
 * There are no threads: a request is served within the agent's own call, and
 * other things may happen meanwhile (sim_meanwhile).  The same seed gives the
 * same run.
 *
 *	sim_base_new     once: a court, and handhelds that have joined it
 *	sim_new          a world of its own for one seed, copied from that
 *	sim_step …       what the seed says, checked after each step
 *	sim_quiet        the network whole, until nobody has anything to say
 *	sim_check_end    all agree
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include "agent/core/agent.h"
#include "server/app/enrol.h"
#include "server/core/centre.h"
#include "server/project/project.h"
#include "server/roster/answer.h"
#include "support/fault_vfs.h"
#include "tlog/merkle.h"

enum {
	SIM_AGENTS = 20,     /* that have joined when a world begins */
	SIM_AGENTS_MAX = 28, /* with those that join, and copies */
	SIM_TEAMS = 3,
	SIM_DEPTH_MAX = 3, /* requests under way at once */
	SIM_LATE_MAX = 8,  /* requests that come late */
	SIM_SNAPS_MAX = 2,
	SIM_SCOPES_MAX = 256
};

struct sim;

/* A machine: its clock, its chance, its disk. */
struct sim_node {
	struct port port;
	struct sim *sim;
	struct fault_disk *disk; /* owned */
	uint64_t rng;
	int64_t shift_ms; /* its clock less the true time */
	uint64_t booted_ms;
	uint8_t boot[BOOT_LEN];
};

/* An own entry that was said to be saved. */
struct sim_saved {
	uint8_t id[ID_LEN];
	char rec[REC_LEN + 1];
};

struct sim_agent {
	struct sim_node node;
	struct agent *a; /* NULL: off, or never there */
	struct agent_uplink uplink;
	unsigned number;
	char home[16], person[16];
	unsigned team; /* of its person when it joined */
	unsigned
	    replaces;   /* number of the one whose place it takes, or its own */
	char code[512]; /* it joins with; "": joined */
	char dev[DEV_LEN + 1];
	bool there, busy, offline;
	/* Two files of one identity: what either says is held, and each may
	 * meet what the other did. */
	bool forked;
	bool barred; /* it is refused for good: revoked, and run out */
	/* A stale answer was given to it: it may have raised alarms. */
	bool misled;

	struct sim_saved *saved;
	size_t saved_count, saved_cap;
	uint64_t tip_size;     /* largest checkpoint seen … */
	unsigned log_number;   /* … of the log after so many restores */
	struct buf old_answer; /* an earlier answer, to give again */
	struct buf last_cert;  /* whose key was found to fit */
	uint8_t cert_key[HASH_LEN];

	/* An older image of the disk, to go back to. */
	struct fault_disk *snap;
	size_t snap_saved;
};

/* What the log says, kept apart from the product's own tables. */
struct sim_place {
	uint8_t link[HASH_LEN];
	uint8_t chain[CHAIN_LEN];
	uint32_t flags; /* enum store_flags */
	int rec;        /* number of its record; -1: none that can be read */
	/* `link REC in | none` on a scope's record: that record's number. */
	int target; /* -1: it is no such entry */
	bool in;
};

/* A place of a log that ended, above what was kept of it. */
struct sim_gone {
	uint8_t link[HASH_LEN];
	unsigned holder; /* a handheld that held it, and not its author … */
	bool held;       /* … if there was one */
};

/* A record, and some items that were added to it. */
struct sim_record {
	char rec[REC_LEN + 1];
	uint8_t item[4][ID_LEN];
	unsigned items;
};

struct sim_late {
	struct sim_agent *from;
	enum agent_service what;
	struct buf body;
	char dev[DEV_LEN + 1];
};

struct sim_centre {
	struct sim_node node;
	uint64_t epoch;   /* how often it was opened */
	struct centre *c; /* NULL: down */
	struct roster *roster;
	struct feed *feed;
	struct project *project;
	struct enrol *enrol;
	struct centre_reader *reader;
	struct answer *answer[SIM_DEPTH_MAX];
};

struct sim {
	uint64_t seed, rng, now_ms;
	unsigned step, depth;
	bool calm; /* no more faults: sim_quiet */
	bool
	    only_cuts; /* of the faults, those of the power that were ordered */
	bool trace;
	struct sim_centre centre;
	struct sim_agent agent[SIM_AGENTS_MAX];
	size_t agent_count;
	struct sim_late late[SIM_LATE_MAX];
	size_t late_count;
	struct sim_record *record; /* opened by anybody */
	size_t record_count, record_cap;

	struct sim_place *log;
	uint8_t (*root)[HASH_LEN]; /* root[n]: of the first n places */
	size_t log_count, log_cap;
	char (*name)[REC_LEN + 1]; /* of records, by number */
	int name_count, name_cap;
	struct frontier tree;

	/* A restore: the centre's disk as it was, and what was lost by it. */
	uint8_t root_secret[64];
	struct fault_disk *backup; /* owned */
	size_t backup_size;        /* places that it has */
	unsigned restores;
	struct sim_gone *gone; /* owned */
	size_t gone_count, gone_cap;

	struct {
		uint64_t acts, syncs, crashes, centre_crashes, receipts;
		uint64_t lost, repeated, late, stale, joined;
		uint64_t restores, returned, confirmed, admitted;
	} n;
};

/* ---- sim_port.c: chance, clocks, small files */

uint64_t sim_random(struct sim *s, uint64_t below);
bool sim_chance(struct sim *s, unsigned percent);
void sim_node_init(struct sim_node *n, struct sim *s, uint64_t seed);
/* It starts again: another boot. */
void sim_node_boot(struct sim_node *n);
/* libsodium's own randomness, from now on a function of `seed`. */
void sim_sodium(uint64_t seed);
void sim_say(struct sim *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- sim_centre.c */

void sim_centre_open(struct sim *s);
void sim_centre_close(struct sim *s);
/* `after`: what becomes of what was not synced. */
void sim_centre_crash(struct sim *s, enum fault_after after);
/* Kinds and rules, one set for every world. */
void sim_kinds(const struct kinds **ks, const struct rules **rs);
/* It is stopped, and started again. */
void sim_centre_stop(struct sim *s);
/* If its power went, it comes back. */
void sim_centre_mend(struct sim *s);
/* Projections follow; also what has to join a scope. */
void sim_centre_follow(struct sim *s);
/* Serve one request; the HTTP status, 0: it went down meanwhile. */
int sim_centre_serve(struct sim *s, enum agent_service what, const char *dev,
    struct bytes body, struct buf *out);
/* A code for that person; false if the centre failed. */
bool sim_centre_code(struct sim *s, struct sim_agent *to, const char *replaces,
    const char *reason);
bool sim_centre_move(struct sim *s, struct sim_agent *who, unsigned team);
void sim_centre_revoke(struct sim *s, struct sim_agent *who);

/* ---- sim_net.c */

void sim_uplink(struct sim_agent *a);
void sim_deliver_late(struct sim *s);

/* ---- sim_agent.c */

struct sim_agent *sim_agent_add(struct sim *s, uint64_t seed);
/* Open and unlock; after a crash everything saved must be there. */
void sim_agent_on(struct sim_agent *a);
void sim_agent_off(struct sim_agent *a);
void sim_agent_crash(struct sim_agent *a, enum fault_after after);
void sim_agent_mend(struct sim_agent *a);
void sim_agent_free(struct sim_agent *a);
void sim_agent_act(struct sim_agent *a);
void sim_agent_open(struct sim_agent *a); /* opens a record */
/* One exchange, or joining; ST_OK, and *more as agent_sync says. */
enum status sim_agent_sync(struct sim_agent *a, bool *more, bool *moved);
/* Its device stands well at the centre. */
bool sim_trusted(const struct sim_agent *a);
struct sim_agent *sim_agent_copy(struct sim_agent *a);
void sim_agent_snap(struct sim_agent *a);
void sim_agent_roll_back(struct sim_agent *a);

/* ---- sim_base.c, sim_events.c */

struct sim_base;
struct sim_base *sim_base_new(void);
void sim_base_free(struct sim_base *b);
struct sim *sim_new(const struct sim_base *b, uint64_t seed);
void sim_free(struct sim *s);
void sim_step(struct sim *s);
/* Something else happens while a request is under way. */
void sim_meanwhile(struct sim *s);
void sim_quiet(struct sim *s);

/* ---- sim_restore.c */

/* The centre's disk is copied, and kept@1 says so. */
void sim_back_up(struct sim *s);
/* The centre is lost, and restored from that copy. */
void sim_restore(struct sim *s);
/* A device of a log that ended, which this one does not know; or NULL. */
struct sim_agent *sim_one_that_waits(struct sim *s);
/* It is said whose it is, if it has spoken already. */
void sim_confirm(struct sim_agent *a);
/* Some of what is held is let in. */
void sim_admit(struct sim *s);
/* Its checkpoint is of the log that there is now. */
bool sim_went_over(const struct sim_agent *a);
/* All that others held of ended logs is in this one. */
void sim_check_gone(struct sim *s);

/* ---- sim_check.c, sim_whole.c */

/* Take in what was committed; nothing that stood may have changed. */
void sim_check_log(struct sim *s);
int sim_log_record(const struct sim *s, const char *rec); /* -1: none */
/* An entry of that id has a place. */
bool sim_in_log(const struct sim *s, const uint8_t id[ID_LEN]);
/* Everything in the centre's store, hashed anew. */
void sim_check_centre(struct sim *s);
/* Cheap: checkpoint, receipt, alarms. */
void sim_check_agent(struct sim_agent *a);
/* Dear: all that was saved is there; records are whole; receipts hold. */
void sim_check_agent_whole(struct sim_agent *a);
void sim_check_projections(struct sim *s);
void sim_check_end(struct sim *s);

#define SIM_EXPECT(s, cond, ...)                                               \
	do {                                                                   \
		if (!(cond))                                                   \
			sim_fail((s), __FILE__, __LINE__, __VA_ARGS__);        \
	} while (0)
/* Two texts must be the same; shows where they begin to differ. */
void sim_expect_same(
    struct sim *s, const char *what, struct bytes got, struct bytes want);
void sim_fail(struct sim *s, const char *file, int line, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

#endif
