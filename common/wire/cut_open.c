#include <string.h>

#include "base/sha.h"
#include "entry/chain.h"
#include "wire/cut.h"

uint32_t
cut_open(const struct cut_reader *r, const struct cut_sealed *sealed,
    uint32_t hole, uint8_t (*id)[ID_LEN], uint32_t index, uint64_t seq,
    const uint8_t prev[HASH_LEN], struct wire_entry *out)
{
	uint8_t *p = sealed->p, hash[HASH_LEN];
	const uint8_t *lf;
	size_t head;

	for (uint32_t i = hole; i < sealed->hole_end; i++) {
		const struct cut_hole *h = &r->hole[i];

		if (h->what != CUT_HOLE_BODY)
			(void)cut_hex(p + h->at,
			    h->what == CUT_HOLE_PREV ? prev : id[h->what],
			    ID_LEN);
	}
	if (out->form != WIRE_LOST) {
		lf = memchr(p, '\n', sealed->len);
		head = lf == NULL ? sealed->len : (size_t)(lf - p);
		/* The body rests on ids, the head on the body. */
		for (uint32_t i = hole; i < sealed->hole_end; i++) {
			if (r->hole[i].what != CUT_HOLE_BODY)
				continue;
			sha256(hash,
			    bytes_of(p + head + 1, sealed->len - head - 1));
			(void)cut_hex(p + r->hole[i].at, hash, HASH_LEN);
		}
		sha256(out->digest, bytes_of(p, head));
		out->raw = bytes_of(p, sealed->len);
	}
	chain_link(out->link, prev, seq, out->digest);
	memcpy(id[index], out->link, ID_LEN);
	return sealed->hole_end;
}
