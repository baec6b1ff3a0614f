#include "support/clock_port.h"

static uint64_t
wall_ms(void *arg)
{
	struct clock_port *c = arg;

	return port_wall_ms(port_system()) + (uint64_t)c->wall_shift_ms;
}

static uint64_t
mono_ms(void *arg)
{
	struct clock_port *c = arg;

	return port_mono_ms(port_system()) + (uint64_t)c->mono_shift_ms;
}

void
clock_port_init(struct clock_port *c)
{
	c->port = *port_system();
	c->port.arg = c;
	c->port.wall_ms = wall_ms;
	c->port.mono_ms = mono_ms;
	c->wall_shift_ms = 0;
	c->mono_shift_ms = 0;
}
