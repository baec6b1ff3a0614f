#ifndef SERVER_ROSTER_ROLE_H
#define SERVER_ROSTER_ROLE_H
/*
 * role: who may be what at a court, and what the server lets each of them.
 *
 * The one table: the roster, two-person decisions and tokens all look here.  A
 * word that is not in it has no rights anywhere, so a command takes none.  The
 * log may hold others, of older versions; they load, and may nothing.
 */
#include "base/buf.h"

enum role_token {
	ROLE_NO_TOKEN,
	ROLE_FIGURES, /* devices, log and figures; no record contents */
	ROLE_RECORDS  /* reads everything */
};

struct role {
	const char *word, *zh, *en;
	enum role_token token; /* of a bearer of this role */
	unsigned may;          /* enum two_what */
};

/* Static; NULL: there is none. */
const struct role *role_find(const char *word);

/* "judge 员额法官、…" if `zh`, else "judge (judge), …": all, or those that may
 * have a token. */
void role_list(struct buf *b, bool zh, bool tokens);

#endif
