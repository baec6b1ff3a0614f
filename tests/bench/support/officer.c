#include "bench/support/officer.h"

#include <stdlib.h>
#include <string.h>

#include "entry/chain.h"
#include "support/expect.h"

void
officers_enrol(struct centre_proc *p, struct officer *officer, size_t count)
{
	struct bench_device *id = calloc(count, sizeof(*id));

	EXPECT(id != NULL);
	centre_proc_enrol(p, id, count);
	for (size_t i = 0; i < count; i++) {
		struct officer *o = &officer[i];

		o->id = id[i];
		morning_init(&o->m, 1000 + i, MORNING_MEASURE);
		o->m.court = bench_court;
		o->m.dev = o->id.dev;
		o->m.no_seen = true;
		chain_link0(o->m.link, p->court_id, o->id.key, o->m.chain);
	}
	free(id);
}

void
officer_free(struct officer *o)
{
	bench_device_free(&o->id);
}

void
officer_write(struct officer *o, struct officer_piece *out)
{
	struct wire_piece *p = &out->piece;
	size_t end[OFFICER_PIECE], at = 0;

	memset(p, 0, sizeof(*p));
	memset(out->entry, 0, sizeof(out->entry));
	if (out->bytes.p == NULL)
		buf_init(&out->bytes, OFFICER_PIECE * (size_t)ENTRY_BYTES_MAX);
	buf_reset(&out->bytes);
	p->entry = out->entry;
	p->count = OFFICER_PIECE;
	p->first = o->m.seq + 1;
	memcpy(p->chain, o->m.chain, CHAIN_LEN);
	memcpy(p->base, o->m.link, HASH_LEN);
	for (size_t i = 0; i < OFFICER_PIECE; i++) {
		morning_next(&o->m, &out->bytes);
		end[i] = out->bytes.len;
	}
	for (size_t i = 0; i < OFFICER_PIECE; at = end[i++])
		out->entry[i].raw = bytes_of(out->bytes.p + at, end[i] - at);
	memcpy(out->link, o->m.link, HASH_LEN);
	chain_sign(p->sig, o->id.secret, p->chain, o->m.seq, o->m.link);
}

void
officer_piece_free(struct officer_piece *p)
{
	buf_free(&p->bytes);
}
