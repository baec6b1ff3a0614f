#ifndef SUPPORT_CLOCK_PORT_H
#define SUPPORT_CLOCK_PORT_H
/*
 * clock_port: the real machine, but for a wall clock and a time since boot
 * that a test can move.  Safe from every thread.
 */
#include <stdatomic.h>

#include "base/port.h"

struct clock_port {
	struct port port; /* give its address away */
	_Atomic int64_t wall_shift_ms;
	_Atomic int64_t mono_shift_ms;
};

void clock_port_init(struct clock_port *c);

#endif
