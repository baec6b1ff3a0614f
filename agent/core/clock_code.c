/* clock_code: what a handheld shows to a recorder (docs/EVIDENCE.md). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "agent/core/desk.h"
#include "base/enc.h"
#include "entry/chain.h"

enum { NONCE_BYTES = 10 };

enum status
agent_clock_begin(struct agent *a, const char *rec, struct agent_clock *out)
{
	static const char words[] = "[\"出示时钟码 showing a clock code\"]";
	struct bytes on = bytes_str("");
	struct agent_act act = { .verb = DO_NOTE, .on = &on, .on_count = 1 };
	struct agent_edit *edit;
	uint8_t rnd[NONCE_BYTES];
	char more[128];
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	edit = malloc(sizeof(*edit));
	if (edit == NULL)
		return agent_why(a, ST_NOMEM, "出错", status_text(ST_NOMEM));
	port_random(a->port, rnd, sizeof(rnd));
	base32_encode(out->nonce, bytes_of(rnd, sizeof(rnd)));
	chain_dev(out->dev, log_public_key(a->log));
	(void)snprintf(more, sizeof(more), "{\"clock\":\"%s\",\"dev\":\"%s\"}",
	    out->nonce, out->dev);
	act.data = bytes_str(words);
	act.more = bytes_str(more);
	st = agent_edit_begin(a, rec, edit);
	if (st == ST_OK)
		st = agent_append(a, edit, &act, out->entry);
	free(edit);
	return st;
}

void
agent_clock_text(const struct agent *a, const struct agent_clock *c,
    char out[CLOCK_TEXT_MAX + 1], uint64_t *wall_ms)
{
	*wall_ms = port_wall_ms(a->port);
	(void)snprintf(out, CLOCK_TEXT_MAX + 1, "DBK1:%s:%llu:%s", c->dev,
	    (unsigned long long)*wall_ms, c->nonce);
	for (char *p = out; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
}
