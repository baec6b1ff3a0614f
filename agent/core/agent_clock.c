/*
 * agent_clock: what time it is on a handheld, and who vouches for it.
 *
 * The centre's time, learnt by a sync, and the time since boot that has passed
 * since: sure, whatever becomes of the time of day.  After a restart of the
 * machine only its own clock is left, and the centre's entries say what it is
 * not earlier than.
 */
#include <string.h>

#include "agent/core/agent_impl.h"

enum { OLD_BYTES = 8, CLOCK_BYTES = 24 + BOOT_LEN };

enum status
agent_time_take(struct agent *a, uint64_t time_ms)
{
	uint64_t mono = port_mono_ms(a->port);
	int64_t offset = (int64_t)time_ms - (int64_t)port_wall_ms(a->port);
	int64_t change = offset - a->clock_offset_ms, drift;
	uint8_t bytes[CLOCK_BYTES], boot[BOOT_LEN];
	bool same;

	port_boot_id(a->port, boot);
	same = a->has_time && memcmp(a->time_boot, boot, BOOT_LEN) == 0 &&
	       mono >= a->time_mono;
	drift = same ? (int64_t)(time_ms - a->time_ms) -
			   (int64_t)(mono - a->time_mono)
		     : 0;
	/* Not worth a write for the network's own delay. */
	if (a->has_clock && same && change > -2000 && change < 2000 &&
	    drift > -2000 && drift < 2000)
		return ST_OK;
	a->has_clock = a->has_time = true;
	a->clock_offset_ms = offset;
	a->time_ms = time_ms;
	a->time_mono = mono;
	memcpy(a->time_boot, boot, BOOT_LEN);
	be64_put(bytes, (uint64_t)offset);
	be64_put(bytes + 8, time_ms);
	be64_put(bytes + 16, mono);
	memcpy(bytes + 24, boot, BOOT_LEN);
	return log_conf_put(a->log, "clock", bytes_of(bytes, sizeof(bytes)));
}

/* What a sync of an earlier run of the program learnt; or of an earlier version
 * of it, which kept the difference alone. */
void
agent_clock_read(struct agent *a, struct bytes kept)
{
	if (kept.len != OLD_BYTES && kept.len != CLOCK_BYTES)
		return;
	a->has_clock = true;
	a->clock_offset_ms = (int64_t)be64_get(kept.p);
	if (kept.len != CLOCK_BYTES)
		return;
	a->has_time = true;
	a->time_ms = be64_get(kept.p + 8);
	a->time_mono = be64_get(kept.p + 16);
	memcpy(a->time_boot, kept.p + 24, BOOT_LEN);
}

void
agent_now(const struct agent *a, struct view_now *out)
{
	uint64_t floor = view_not_before(a->view);

	memset(out, 0, sizeof(*out));
	out->mono_ms = port_mono_ms(a->port);
	port_boot_id(a->port, out->boot);
	if (a->has_time && memcmp(a->time_boot, out->boot, BOOT_LEN) == 0 &&
	    out->mono_ms >= a->time_mono) {
		out->now_ms = a->time_ms + (out->mono_ms - a->time_mono);
		return;
	}
	out->unsure = true;
	out->now_ms = port_wall_ms(a->port);
	if (out->now_ms < floor)
		out->now_ms = floor;
}
