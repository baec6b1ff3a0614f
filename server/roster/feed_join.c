/*
 * feed_join: records that joined no scope yet join one (docs/PROTOCOL.md,
 * section 6).
 *
 * Of those who wrote in a record, the first whose team is known decides.  Where
 * none is, the record waits: for a device to be confirmed, a person to get a
 * team, a team to get people.  So it follows from the log alone what is left
 * to do, and a feed that is made anew finds nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "server/roster/batch.h"
#include "server/roster/feed_impl.h"

enum { JOIN_BATCH = 500 };

struct want {
	char rec[REC_LEN + 1];
	uint64_t place; /* where the chain first wrote in it */
	bool later;     /* another chain's word counts */
};

/* The scope that a chain's records join; "" while there is none, or none that
 * is open: nobody follows a closed one, and no record leaves it. */
static enum status
scope_for(
    struct feed *f, const uint8_t chain[CHAIN_LEN], char scope[REC_LEN + 1])
{
	const char *team = feed_team_of(f, chain);
	enum status st = ST_ABSENT;

	if (team[0] != '\0')
		st = roster_team_scope(f->roster, team, scope);
	if (st == ST_OK)
		st = roster_scope_is_open(f->roster, scope);
	if (st == ST_ABSENT)
		scope[0] = '\0';
	return st == ST_ABSENT ? ST_OK : st;
}

/* The chain that asks for something, behind `chain`; ST_ABSENT. */
static enum status
next_chain(struct feed *f, uint8_t chain[CHAIN_LEN], bool first)
{
	struct db_stmt *s;
	enum status st = db_query(&s, f->db,
	    first ? "SELECT min(chain) FROM wants WHERE ?1 IS NOT NULL"
		  : "SELECT min(chain) FROM wants WHERE chain > ?1");

	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(chain, CHAIN_LEN));
	st = db_next(s);
	if (st == ST_OK && db_is_null(s, 0))
		st = ST_ABSENT;
	if (st == ST_OK)
		st = db_copy(s, 0, chain, CHAIN_LEN);
	db_done(s);
	return st;
}

/* What a chain asks for, behind `rec`. */
static enum status
read_wants(struct feed *f, const uint8_t chain[CHAIN_LEN], const char *rec,
    struct want *w, size_t *count)
{
	struct db_stmt *s;
	enum status st;

	*count = 0;
	st = db_query(&s, f->db,
	    "SELECT rec, place FROM wants WHERE chain = ?1 AND rec > ?2"
	    " ORDER BY rec LIMIT ?3");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(chain, CHAIN_LEN));
	db_bind_text(s, 2, bytes_str(rec));
	db_bind_i64(s, 3, JOIN_BATCH);
	while (*count < JOIN_BATCH && (st = db_next(s)) == ST_OK) {
		roster_text(s, 0, w[*count].rec, sizeof(w->rec));
		w[*count].place = db_u64(s, 1);
		w[(*count)++].later = false;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

/* Did another write in it before whose team is known? */
static enum status
look_before(struct feed *f, struct want *w)
{
	char scope[REC_LEN + 1];
	uint8_t chain[CHAIN_LEN];
	struct db_stmt *s;
	enum status st;

	st = db_query(
	    &s, f->db, "SELECT chain FROM wants WHERE rec = ?1 AND place < ?2");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(w->rec));
	db_bind_u64(s, 2, w->place);
	while (!w->later && (st = db_next(s)) == ST_OK) {
		st = db_copy(s, 0, chain, CHAIN_LEN);
		if (st == ST_OK)
			st = scope_for(f, chain, scope);
		if (st != ST_OK)
			break;
		w->later = scope[0] != '\0';
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

/* A scope as it stood when it was chosen. */
struct chosen {
	struct roster *r;
	const char *scope;
	uint8_t head[ID_LEN];
};

/* In the commit: another process may have closed it since. */
static enum status
still_open(void *arg, struct store *s)
{
	const struct chosen *c = arg;
	enum status st = roster_scope_is_open(c->r, c->scope);

	(void)s;
	if (st == ST_ABSENT)
		return ST_CONFLICT;
	return st == ST_OK ? roster_head_stands(c->r, c->scope, c->head) : st;
}

/* One `in` for each, on the scope that the team has now.  ST_CONFLICT: it is
 * not the one that it has any more, or others joined it; nothing was done. */
static enum status
join(struct feed *f, const char *scope, struct want *w, size_t count)
{
	struct chosen c = { .r = f->roster, .scope = scope };
	struct batch b;
	enum status st = roster_head_of(f->roster, scope, c.head);

	batch_init(&b);
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		struct batch_entry *x;

		st = look_before(f, &w[i]);
		if (st != ST_OK || w[i].later)
			continue;
		x = batch_add(&b, scope, "scope@1", DO_LINK, NULL);
		batch_after(x, c.head);
		batch_chained(x);
		batch_name(x, w[i].rec);
		batch_name(x, "in");
	}
	if (st == ST_OK)
		st = batch_commit(&b, f->centre, still_open, &c);
	if (st == ST_OK && b.count > 0)
		f->joined_at = batch_place(&b, b.count - 1) + 1;
	batch_free(&b);
	return st;
}

static enum status
forget(struct feed *f, const struct want *w, size_t count)
{
	enum status st = db_begin(f->db);

	for (size_t i = 0; st == ST_OK && i < count; i++) {
		struct db_stmt *s;

		if (w[i].later)
			continue;
		st = db_query(&s, f->db, "DELETE FROM wants WHERE rec = ?1");
		if (st != ST_OK)
			break;
		db_bind_text(s, 1, bytes_str(w[i].rec));
		st = db_run(s);
	}
	if (st == ST_OK)
		st = db_commit(f->db);
	if (st != ST_OK)
		db_rollback(f->db);
	return st;
}

static enum status
join_chain(struct feed *f, const uint8_t chain[CHAIN_LEN], struct want *w)
{
	char rec[REC_LEN + 1] = "", scope[REC_LEN + 1];
	size_t count = JOIN_BATCH;
	enum status st = ST_OK;

	while (st == ST_OK && count == JOIN_BATCH) {
		/* Each time: a team may have got another one meanwhile. */
		st = scope_for(f, chain, scope);
		if (st != ST_OK || scope[0] == '\0')
			return st;
		st = read_wants(f, chain, rec, w, &count);
		if (st != ST_OK || count == 0)
			return st;
		memcpy(rec, w[count - 1].rec, sizeof(rec));
		st = join(f, scope, w, count);
		/* They wait for the next call, which knows what happened. */
		if (st == ST_CONFLICT) {
			f->wanted = true;
			return ST_OK;
		}
		if (st == ST_OK)
			st = forget(f, w, count);
	}
	return st;
}

/*
 * A record that joined twice (a crash between the commit and forgetting the
 * wish) stands in the scope once: `in` over `in` changes nothing.
 */
enum status
feed_join(struct feed *f)
{
	struct want *w = calloc(JOIN_BATCH, sizeof(*w));
	uint8_t chain[CHAIN_LEN] = { 0 };
	enum status st = w == NULL ? ST_NOMEM : ST_OK;

	for (bool first = true; st == ST_OK; first = false) {
		st = next_chain(f, chain, first);
		if (st == ST_OK)
			st = join_chain(f, chain, w);
	}
	free(w);
	return st == ST_ABSENT ? ST_OK : st;
}
