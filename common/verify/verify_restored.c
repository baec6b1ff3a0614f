/*
 * verify_restored: a log that ended, and the one that began on what was left
 * of it (docs/PROTOCOL.md, section 9).
 *
 * Below `kept` its leaves stand where they stood, so its checkpoints up to
 * there must be of this tree.  What it signed beyond is not this tree's to
 * prove; what it owed must have come back, and is named if it has not.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify/verify_impl.h"

/* ---- the first entry of a new server chain */

/* Other restores may lie between: each brought a descriptor of its own. */
enum { LEADING_MAX = 16 };

/* The descriptor in one of the chain's leading entries; ST_INVALID: none. */
static enum status
leading_file(struct verify *v, verify_next_fn next, void *arg, size_t k,
    struct bytes *file)
{
	struct bytes raw = { NULL, 0 };
	enum status st = next(arg, k, &raw);

	if (st == ST_OK)
		st = entry_parse(&v->e, raw);
	if (st == ST_OK &&
	    (v->e.verb != DO_OPEN || !bytes_eq_str(v->e.kind, "descriptor@1")))
		st = ST_INVALID;
	if (st == ST_OK)
		st = verify_descriptor_file(v, file);
	return st == ST_ABSENT ? ST_INVALID : st;
}

enum status
verify_new_server(struct verify *v, struct vchain *c, const struct vrow *row,
    verify_next_fn next, void *arg)
{
	struct descriptor *d;
	struct bytes file;
	size_t count = 0;
	bool named = false, good = true;
	enum status st = ST_OK;

	if (c->server || c->begun || row->seq != 1 || c->branch != 0 ||
	    row->place == 0 || (row->flags & ROW_SERVER) == 0)
		return ST_OK;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ST_NOMEM;
	/* The last must name this very chain's key: the root says whose it
	 * is. */
	while (st == ST_OK && !named && count < LEADING_MAX) {
		st = leading_file(v, next, arg, count++, &file);
		if (st == ST_OK)
			st = descriptor_parse(d, file);
		named =
		    st == ST_OK && memcmp(d->server, c->key, PUBKEY_LEN) == 0;
	}
	free(d);
	for (size_t k = 0; st == ST_OK && named && good && k < count; k++) {
		st = leading_file(v, next, arg, k, &file);
		if (st == ST_OK)
			st = verify_take_descriptor(v, file, &good);
		v->taken_ahead += st == ST_OK && good;
	}
	return st == ST_NOMEM || st == ST_IO ? st : ST_OK;
}

/* ---- restored@1 */

const struct vrestore *
verify_ended(const struct verify *v, const char *origin)
{
	for (size_t i = 0; i < v->restore_count; i++)
		if (strcmp(v->restore[i].origin, origin) == 0)
			return &v->restore[i];
	return NULL;
}

static const struct note_key *
log_key_of(const struct verify *v, const char *origin)
{
	for (size_t i = 0; i < v->descriptor_count; i++)
		if (strcmp(v->descriptor[i]->log.name, origin) == 0)
			return &v->descriptor[i]->log;
	return NULL;
}

/* The best old checkpoint that the court knew of. */
static enum status
take_note(struct verify *v, struct vchain *c, const struct vrow *row,
    struct vrestore *r)
{
	const struct note_key *key = log_key_of(v, r->origin);
	uint32_t n = verify_value(&v->e, "note");
	struct checkpoint cp;
	enum status st = ST_DENIED;

	if (n != 0 && json_is(&v->e.body, n, ""))
		return ST_OK;
	buf_reset(&v->text);
	if (n != 0 && v->e.body.node[n].type == JSON_STRING)
		json_text(&v->e.body, n, &v->text);
	if (v->text.err == ST_NOMEM)
		return ST_NOMEM;
	if (key != NULL)
		st = checkpoint_open(&cp, buf_view(&v->text), key);
	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK) {
		verify_say_at(v, VERIFY_RECEIPT, row->place, c, row->seq,
		    "恢复条目里的旧检查点不是旧日志签的。",
		    "The old checkpoint in the restore's entry is not signed "
		    "by the old log.");
		return ST_OK;
	}
	r->best = cp.size;
	for (size_t i = 0; i < v->root_count; i++)
		if (v->root[i].size == cp.size && cp.size <= r->kept &&
		    memcmp(v->root[i].root16, cp.root, ID_LEN) != 0)
			verify_say_at(v, VERIFY_SPLIT, row->place, c, row->seq,
			    "旧日志签过同一大小的另一棵树：分裂视图。",
			    "The old log signed another tree of that size: a "
			    "split view.");
	return ST_OK;
}

enum status
verify_restored(struct verify *v, struct vchain *c, const struct vrow *row)
{
	/* A bundle has no commits: it stands among the first of its chain. */
	uint64_t begins = v->bundle == NULL       ? v->commit_first
			  : row->seq > row->place ? 0
						  : row->place - (row->seq - 1);
	bool first;
	struct vrestore *r;
	enum status st;

	st = verify_room(
	    &v->restore, &v->restore_cap, v->restore_count, sizeof(*r));
	if (st != ST_OK)
		return st;
	r = &v->restore[v->restore_count];
	memset(r, 0, sizeof(*r));
	r->place = row->place;
	r->begins = begins;
	/* Of a log that another restore began it is not known how far it was
	 * the same: nothing is claimed. */
	first = v->restore_count == 0 || r[-1].begins != begins;
	if (!verify_text(&v->e, "origin", r->origin, sizeof(r->origin)) ||
	    !verify_num(&v->e, "kept", &r->kept) ||
	    r->kept != (first ? begins : 0) ||
	    log_key_of(v, r->origin) == NULL) {
		verify_say_at(v, VERIFY_COMMIT, row->place, c, row->seq,
		    "恢复条目不成立：旧日志或保留的大小不对。",
		    "The restore's entry does not hold: not a log of this "
		    "court, or not where the new one begins.");
		return ST_OK;
	}
	v->restore_count++;
	return take_note(v, c, row, r);
}

/* ---- what the old log owed */

/* The entry that rests on `prev` and that the receipt proves. */
static enum status
find_owed(struct verify *v, const struct vanchor *a, uint64_t from, bool *found,
    uint64_t *place)
{
	uint8_t link[HASH_LEN], prev[HASH_LEN], leaf[HASH_LEN];
	struct db_stmt *s;
	enum status st;

	*found = false;
	if (v->db == NULL)
		return ST_OK;
	st = db_query(&s, v->db,
	    "SELECT e.place, e.link, coalesce(e.prev,"
	    " (SELECT link FROM entries WHERE place = e.place - 1))"
	    " FROM entries e WHERE e.place >= ?1 ORDER BY e.place");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, from);
	while (!*found && (st = db_next(s)) == ST_OK) {
		if (db_copy(s, 1, link, HASH_LEN) != ST_OK ||
		    db_copy(s, 2, prev, HASH_LEN) != ST_OK)
			continue;
		if (a->proof.has_prev &&
		    memcmp(prev, a->proof.prev, HASH_LEN) != 0)
			continue;
		merkle_leaf(leaf, bytes_of(link, HASH_LEN));
		*found = merkle_check_inclusion(&a->proof.path, a->proof.index,
			     a->cp.size, leaf, a->cp.root) == ST_OK;
		*place = db_u64(s, 0);
	}
	db_done(s);
	return st == ST_ABSENT || st == ST_CORRUPT ? ST_OK : st;
}

static enum status
receipt_beyond(
    struct verify *v, const struct vanchor *a, const struct vrestore *r)
{
	uint64_t place = 0;
	struct verify_finding *f;
	bool found;
	enum status st = find_owed(
	    v, a, a->proof.index < r->kept ? 0 : r->kept, &found, &place);

	if (st != ST_OK)
		return st;
	if (!found) {
		f = verify_say(v->r,
		    a->proof.index < r->kept ? VERIFY_SPLIT : VERIFY_OLD_LOG,
		    "恢复以前的日志签收过的条目，还没有补交回来。",
		    "An entry that the log before the restore gave a receipt "
		    "for has not come back.");
		f->has_place = true;
		f->place = a->proof.index;
		verify_data(f, "%.200s: old place %" PRIu64, a->from->name,
		    a->proof.index);
		return ST_OK;
	}
	f = verify_say(v->r, VERIFY_OLD_LOG,
	    "恢复以前的日志签收过的条目，已经补交在此位置。",
	    "An entry that the log before the restore gave a receipt for "
	    "stands at this place again.");
	f->has_place = true;
	f->place = place;
	verify_data(
	    f, "%.200s: old place %" PRIu64, a->from->name, a->proof.index);
	return ST_OK;
}

enum status
verify_old_anchor(struct verify *v, struct vanchor *a, const struct vrestore *r)
{
	if (a->is_proof)
		return receipt_beyond(v, a, r);
	verify_data(
	    verify_say(v->r, VERIFY_OLD_LOG,
		"恢复以前的日志的检查点，超过了保留下来的位置。",
		"A checkpoint of the log before the restore, beyond what was "
		"kept."),
	    "%.200s: %" PRIu64 " > %" PRIu64, a->from->name, a->cp.size,
	    r->kept);
	return ST_OK;
}

/* Every audit says what the restore is known to have lost sight of. */
void
verify_restores_end(struct verify *v)
{
	for (size_t i = 0; i < v->restore_count; i++) {
		struct vrestore *r = &v->restore[i];
		struct verify_finding *f;

		for (size_t k = 0; k < v->given->anchor_count; k++) {
			const struct vanchor *a = &v->anchor[k];

			if (!a->bad && a->cp.size > r->best &&
			    strcmp(a->cp.origin, r->origin) == 0)
				r->best = a->cp.size;
		}
		if (r->best <= r->kept)
			continue;
		f = verify_say(v->r, VERIFY_OLD_LOG,
		    "恢复以前的日志在这些位置有过条目；其中设备的已补交的在新位"
		    "置，其余（至少每次提交自己的条目）缺失。",
		    "The log before the restore had these places: what devices "
		    "handed in again stands at new ones, the rest (the "
		    "commits' "
		    "own entries at least) is missing.");
		f->has_place = true;
		f->place = r->kept;
		verify_data(f, "%.200s: %" PRIu64 " - %" PRIu64, r->origin,
		    r->kept, r->best - 1);
	}
}
