/*
 * verify_recovered: entries from the file of a handheld that was replaced.
 *
 * They were written before, and signed then, but stand behind its revocation.
 * They merge by the court's own key, and only if the log says so (`recovered@1`
 * with *replaced*) and nobody ever doubted that handheld.
 */
#include <stdlib.h>
#include <string.h>

#include "verify/verify_impl.h"

enum status
verify_recovered_entry(struct verify *v, const struct vrow *row)
{
	struct vhole h = { .place = row->place };
	char why[16];
	enum status st;

	/* All else that is recovered is held. */
	if (!verify_text(&v->e, "reason", why, sizeof(why)) ||
	    strcmp(why, "replaced") != 0 ||
	    !verify_hash(&v->e, "chain", h.chain, CHAIN_LEN) ||
	    !verify_num(&v->e, "first", &h.first) ||
	    !verify_num(&v->e, "last", &h.last))
		return ST_OK;
	st = verify_room(
	    &v->recovered, &v->recovered_cap, v->recovered_count, sizeof(h));
	if (st == ST_OK)
		v->recovered[v->recovered_count++] = h;
	return st;
}

bool
verify_was_recovered(const struct verify *v, const struct vhold *n)
{
	if (n->what != VERIFY_REVOKED || v->device[n->c->device - 1].doubted)
		return false;
	for (size_t i = 0; i < v->recovered_count; i++) {
		const struct vhole *r = &v->recovered[i];

		if (memcmp(r->chain, n->c->id, CHAIN_LEN) == 0 &&
		    r->first <= n->seq && n->seq <= r->last &&
		    r->place > n->place)
			return true;
	}
	return false;
}

void
verify_recovered_end(struct verify *v)
{
	free(v->recovered);
	v->recovered = NULL;
	v->recovered_count = v->recovered_cap = 0;
}
