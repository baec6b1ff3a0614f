#include "support/clock_port.h"

static uint64_t
wall_ms(void *arg)
{
	struct clock_port *c = arg;

	return (c->still ? c->still_wall_ms : port_wall_ms(port_system())) +
	       (uint64_t)c->wall_shift_ms;
}

static uint64_t
mono_ms(void *arg)
{
	struct clock_port *c = arg;

	return (c->still ? c->still_mono_ms : port_mono_ms(port_system())) +
	       (uint64_t)c->mono_shift_ms;
}

static void
boot_id(void *arg, uint8_t out[BOOT_LEN])
{
	struct clock_port *c = arg;

	port_boot_id(port_system(), out);
	out[0] ^= (uint8_t)c->boot;
}

void
clock_port_init(struct clock_port *c)
{
	c->port = *port_system();
	c->port.arg = c;
	c->port.wall_ms = wall_ms;
	c->port.mono_ms = mono_ms;
	c->port.boot_id = boot_id;
	c->still_wall_ms = port_wall_ms(port_system());
	c->still_mono_ms = port_mono_ms(port_system());
	c->still = false;
	c->boot = 0;
	c->wall_shift_ms = 0;
	c->mono_shift_ms = 0;
}
