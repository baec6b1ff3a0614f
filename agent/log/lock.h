#ifndef AGENT_LOG_LOCK_H
#define AGENT_LOG_LOCK_H
/*
 * lock: the two locks of a handheld, as a small state machine.
 *
 *              unlock            pin, idle
 *   LOCK_FULL ───────▶ LOCK_OPEN ◀──────▶ LOCK_SCREEN
 *       ▲                  │                   │
 *       └──────────────────┴───────────────────┘
 *         lock; long idle; 5 wrong PINs in a row
 *
 * The *screen lock* hides what is on the screen behind a short PIN; keys stay,
 * syncing and timers go on.  The *full lock* wipes the keys (the caller calls
 * log_lock when told LOCK_FULL).  A PIN is short, so nothing that could verify
 * it is ever on disk: its verifier lives in locked memory and dies with the
 * full lock; after that only a passphrase opens.
 *
 * This module keeps no key of the log and reads no clock: the caller gives
 * monotonic milliseconds.  Threads: one at a time.
 */
#include "base/bytes.h"
#include "base/port.h"
#include "base/status.h"

struct lock; /* private to lock.c */

enum lock_state { LOCK_FULL, LOCK_SCREEN, LOCK_OPEN };

enum {
	LOCK_PIN_MIN = 4, /* bytes */
	LOCK_PIN_MAX = 64,
	LOCK_TRIES = 5 /* wrong PINs in a row that make a full lock */
};

struct lock_config {
	uint64_t screen_idle_ms; /* 0: never by itself */
	uint64_t full_idle_ms;   /* counted from the last touch; 0: never */
};

/* Starts in LOCK_FULL.  ST_NOMEM. */
MUST_CHECK enum status lock_new(struct lock **out, const struct lock_config *c);

/* Wipe and free.  NULL does nothing. */
void lock_free(struct lock *k);

enum lock_state lock_state(const struct lock *k);

/* The log was unlocked with a passphrase: LOCK_OPEN.  In LOCK_SCREEN it opens
 * the screen as well; wrong tries are forgotten. */
void lock_unlocked(struct lock *k, uint64_t now_ms);

/* To LOCK_FULL: the PIN's verifier is wiped. */
void lock_full(struct lock *k);

/* Set the PIN, or change it.  ST_LOCKED unless LOCK_OPEN; ST_INVALID, ST_LIMIT
 * for its length. */
MUST_CHECK enum status lock_pin_set(
    struct lock *k, struct bytes pin, const struct port *port);

/* To LOCK_SCREEN, if it was LOCK_OPEN and a PIN is set; else, as nothing but
 * a passphrase could open it again, to LOCK_FULL.  Returns the state. */
enum lock_state lock_screen(struct lock *k);

/*
 * Try the PIN.  ST_OK: open (or was).  ST_DENIED: wrong, *left tries are left.
 * ST_LOCKED: full lock, by this try or before: wipe the keys.
 */
MUST_CHECK enum status lock_screen_unlock(
    struct lock *k, struct bytes pin, uint64_t now_ms, unsigned *left);

/* The officer did something on the open screen. */
void lock_touch(struct lock *k, uint64_t now_ms);

/* Time passes: lock what has been idle long enough.  Returns the state. */
enum lock_state lock_tick(struct lock *k, uint64_t now_ms);

#endif
