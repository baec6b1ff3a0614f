#ifndef AGENT_VIEW_DESK_H
#define AGENT_VIEW_DESK_H
/*
 * view_desk: what the desk agent asks of the view: when the acts took place
 * that films may belong to, and which clock codes were shown.
 */
#include "agent/core/view.h"
#include "domain/footage.h"

/* A record whose time is known; borrowed until the callback returns. */
struct view_window {
	const char *rec;
	const struct kind *kind;
	struct bytes label; /* its one-line summary, Chinese */
	struct footage_window window;
	const struct state *st;
	const struct rules_entry *entries;
	size_t entry_count;
};
typedef enum status view_window_cb(void *arg, const struct view_window *w);
/* Each that is not void.  The callback must not use the view. */
MUST_CHECK enum status view_windows(
    struct view *v, view_window_cb *cb, void *arg);

/* A note of a clock code (docs/EVIDENCE.md). */
struct view_clock {
	uint8_t id[ID_LEN];
	char nonce[32], dev[DEV_LEN + 1];
	uint64_t wall_ms;
};
typedef enum status view_clock_cb(void *arg, const struct view_clock *c);
MUST_CHECK enum status view_clocks(
    struct view *v, view_clock_cb *cb, void *arg);

#endif
