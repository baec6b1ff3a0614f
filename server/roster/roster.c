#include "server/roster/roster_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"

static const char schema[] =
    "CREATE TABLE head(rec TEXT PRIMARY KEY, id BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE person(id TEXT PRIMARY KEY, rec TEXT NOT NULL,"
    " name TEXT NOT NULL DEFAULT '', role TEXT NOT NULL DEFAULT '',"
    " unit TEXT NOT NULL DEFAULT '', team TEXT NOT NULL DEFAULT '')"
    " WITHOUT ROWID;"
    "CREATE INDEX person_rec ON person(rec);"
    "CREATE INDEX person_team ON person(team);"
    "CREATE TABLE team(rec TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " scope TEXT NOT NULL DEFAULT '') WITHOUT ROWID;"
    "CREATE TABLE scope(rec TEXT PRIMARY KEY, team TEXT NOT NULL,"
    " closed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE TABLE member(person TEXT NOT NULL, scope TEXT NOT NULL,"
    " PRIMARY KEY(person, scope)) WITHOUT ROWID;"
    "CREATE TABLE device(dev TEXT PRIMARY KEY, rec TEXT NOT NULL UNIQUE,"
    " key BLOB NOT NULL UNIQUE, person TEXT NOT NULL, name TEXT NOT NULL,"
    " role TEXT NOT NULL, team TEXT NOT NULL, serial BLOB NOT NULL,"
    " since INTEGER NOT NULL, until INTEGER NOT NULL, code TEXT NOT NULL,"
    " standing TEXT NOT NULL DEFAULT '', place INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    /* All codes that a device joined by: the answer to one may be lost. */
    "CREATE TABLE code(code TEXT PRIMARY KEY, rec TEXT NOT NULL)"
    " WITHOUT ROWID;";

/* What the committer asks for each piece; static words. */
static const struct {
	const char *standing, *why;
} whys[] = {
	{ "revoked", "revoked" },
	{ "lost", "revoked: lost" },
	{ "seized", "revoked: seized" },
	{ "copied", "revoked: copied" },
	{ "replaced", "revoked: replaced" },
};

static const char *
standing_of_key(void *arg, const uint8_t key[PUBKEY_LEN])
{
	struct roster *r = arg;
	struct roster_device d;

	if (roster_device_by_key(r, key, &d) != ST_OK)
		return NULL;
	for (size_t i = 0; i < sizeof(whys) / sizeof(whys[0]); i++) {
		if (strcmp(whys[i].standing, d.standing) == 0)
			return whys[i].why;
	}
	return NULL;
}

static enum status
follow(struct roster *r, uint64_t size)
{
	struct centre_entry e;
	enum status st = ST_OK;

	while (st == ST_OK) {
		st = centre_own_next(r->own, size, &e);
		if (st == ST_OK)
			st = roster_apply(r, &e);
		if (st == ST_OK)
			centre_own_took(r->own);
	}
	return st == ST_ABSENT ? ST_OK : st;
}

/* On the committer's thread, after each commit. */
static void
on_commit(void *arg, uint64_t size)
{
	struct roster *r = arg;

	(void)pthread_mutex_lock(&r->lock);
	r->broken = follow(r, size);
	(void)pthread_mutex_unlock(&r->lock);
}

enum status
roster_open(struct roster **out, struct centre *c)
{
	struct db_config cfg = { .create = true, .sync = DB_SYNC_OFF };
	struct roster *r = calloc(1, sizeof(*r));
	enum status st;

	if (r == NULL)
		return ST_NOMEM;
	r->centre = c;
	entry_init(&r->entry);
	if (pthread_mutex_init(&r->lock, NULL) != 0) {
		free(r);
		return ST_NOMEM;
	}
	st = db_open(&r->db, &cfg);
	if (st == ST_OK)
		st = db_exec(r->db, schema);
	if (st == ST_OK)
		st = centre_reader_open(&r->reader, c);
	if (st == ST_OK)
		st = centre_own_open(&r->own, c, r->reader);
	if (st == ST_OK) {
		centre_observe(c, on_commit, r);
		st = r->broken;
	}
	if (st != ST_OK) {
		roster_close(r);
		return st;
	}
	centre_set_standing(c, standing_of_key, r);
	*out = r;
	return ST_OK;
}

void
roster_close(struct roster *r)
{
	if (r == NULL)
		return;
	centre_own_close(r->own);
	centre_reader_close(r->reader);
	db_close(r->db);
	entry_free(&r->entry);
	free(r->descriptor);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

enum status
roster_commit(struct roster *r, struct server_entry *entries, size_t count)
{
	struct commit_job job = { .entry = entries, .entry_count = count };

	return committer_wait(centre_committer(r->centre), &job);
}

void
roster_text(const struct db_stmt *s, int col, char *out, size_t cap)
{
	struct bytes b = db_bytes(s, col);

	if (b.len >= cap)
		b.len = cap - 1;
	if (b.len > 0)
		memcpy(out, b.p, b.len);
	out[b.len] = '\0';
}

struct bytes
roster_value(const struct entry *e, const char *name)
{
	for (size_t i = 0; i < e->on_count; i++) {
		uint32_t n;

		if (!bytes_eq_str(e->on[i], name))
			continue;
		n = entry_value(e, i);
		if (e->body.node[n].type == JSON_STRING &&
		    !e->body.node[n].escaped)
			return json_raw(&e->body, n);
		break;
	}
	return bytes_str("");
}

enum status
roster_scope_id(uint8_t out[ID_LEN], const char *rec)
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

enum status
roster_head_locked(struct roster *r, const char *rec, uint8_t id[ID_LEN])
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, r->db, "SELECT id FROM head WHERE rec = ?1");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(rec));
	st = db_next(s);
	if (st == ST_OK)
		st = db_copy(s, 0, id, ID_LEN);
	db_done(s);
	return st;
}

enum status
roster_head_of(struct roster *r, const char *rec, uint8_t id[ID_LEN])
{
	enum status st;

	(void)pthread_mutex_lock(&r->lock);
	st = roster_head_locked(r, rec, id);
	(void)pthread_mutex_unlock(&r->lock);
	return st;
}

enum status
roster_head_stands(
    struct roster *r, const char *rec, const uint8_t head[ID_LEN])
{
	uint8_t now[ID_LEN];
	enum status st;

	(void)pthread_mutex_lock(&r->lock);
	st = r->broken; /* then it does not know how things stand */
	if (st == ST_OK)
		st = roster_head_locked(r, rec, now);
	(void)pthread_mutex_unlock(&r->lock);
	if (st == ST_OK && memcmp(now, head, ID_LEN) != 0)
		st = ST_CONFLICT;
	return st;
}
