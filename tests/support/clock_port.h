#ifndef SUPPORT_CLOCK_PORT_H
#define SUPPORT_CLOCK_PORT_H
/*
 * clock_port: the real machine, but for a wall clock and a time since boot
 * that a test can move, or stop, and a boot that can be another.  Safe from
 * every thread.
 */
#include <stdatomic.h>
#include <stdbool.h>

#include "base/port.h"

struct clock_port {
	struct port port; /* give its address away */
	_Atomic int64_t wall_shift_ms;
	_Atomic int64_t mono_shift_ms;
	/* Both clocks stand where they were at init, but for the shifts. */
	_Atomic bool still;
	uint64_t still_wall_ms, still_mono_ms;
	_Atomic unsigned boot; /* another number: another boot */
};

void clock_port_init(struct clock_port *c);

#endif
