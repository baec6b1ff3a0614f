/* agent_leave: a device that left a scope drops what it read there. */
#include <string.h>

#include "agent/core/agent_impl.h"
#include "base/enc.h"

/* The 16 bytes of a record's UUID, which name a scope in a stream. */
static enum status
scope_of(uint8_t out[ID_LEN], const char *rec)
{
	char hex[2 * ID_LEN];
	size_t n = 0;

	for (const char *p = rec; *p != '\0'; p++) {
		if (*p == '-')
			continue;
		if (n == sizeof(hex))
			return ST_INVALID;
		hex[n++] = *p;
	}
	return hex_decode(out, ID_LEN, bytes_of(hex, n));
}

/* The cursor of a closed scope goes, and what was under way of it. */
static enum status
forget_scope(void *arg, const char *rec)
{
	struct agent *a = arg;
	struct agent_pending *p;
	uint8_t scope[ID_LEN];

	if (scope_of(scope, rec) != ST_OK)
		return ST_OK;
	p = agent_pending_of(a, scope);
	if (p != NULL)
		agent_pending_drop(a, p);
	return log_cursor_drop(a->log, scope);
}

enum status
agent_leave(struct agent *a)
{
	struct view_left left;
	enum status st = view_left_find(a->view, &left);

	if (st != ST_OK || left.count == 0)
		return st;
	st = log_batch_begin(a->log);
	if (st == ST_OK) {
		for (size_t i = 0; st == ST_OK && i < left.count; i++)
			st = log_foreign_drop(a->log, left.id[i]);
		if (st == ST_OK)
			st = view_scopes_closed(a->view, forget_scope, a);
		if (st == ST_OK)
			st = log_batch_commit(a->log);
		if (st != ST_OK)
			log_batch_rollback(a->log);
	}
	/* Gone from the disk first: a crash between the two leaves nothing
	 * that the next unlock could show. */
	if (st == ST_OK)
		st = view_let_go(a->view, &left);
	view_left_free(&left);
	return st;
}
