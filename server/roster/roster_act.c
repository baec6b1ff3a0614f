/* roster_act: changes of the roster, each an entry before it takes effect. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/roster/batch.h"
#include "server/roster/roster_impl.h"

/* ---- devices */

static enum status
free_to_enrol(void *arg, struct store *s)
{
	const struct roster_enrol *e = ((void **)arg)[1];
	struct roster *r = ((void **)arg)[0];
	struct roster_device d;
	enum status st;

	(void)s;
	st = roster_device_by_key(r, e->key, &d);
	if (st == ST_ABSENT)
		st = roster_device_by_code(r, e->code, &d);
	if (st == ST_OK)
		return ST_CONFLICT;
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
roster_enrol(struct roster *r, const struct roster_enrol *e, uint64_t *place)
{
	void *arg[2] = { r, (void *)(uintptr_t)e };
	char dev[DEV_LEN + 1];
	struct batch b;
	struct batch_entry *x;
	enum status st;

	chain_dev(dev, e->key);
	batch_init(&b);
	x = batch_add(&b, "", "device@1", DO_OPEN, e->by);
	batch_text(x, "dev", dev);
	batch_hex(x, "key", bytes_of(e->key, PUBKEY_LEN));
	batch_text(x, "person", e->person);
	batch_text(x, "name", e->name);
	batch_text(x, "role", e->role);
	batch_text(x, "team", e->team);
	batch_hex(x, "cert/serial", bytes_of(e->serial, ROSTER_SERIAL_LEN));
	batch_hex(x, "cert/sha256", bytes_of(e->cert_sha256, HASH_LEN));
	batch_int(x, "cert/from", (int64_t)e->from_ms);
	batch_int(x, "cert/until", (int64_t)e->until_ms);
	batch_text(x, "code", e->code);
	if (e->replaces != NULL) {
		batch_text(x, "replaces", e->replaces);
		batch_text(x, "replaces_reason", e->replaces_reason);
	}
	st = batch_commit(&b, r->centre, free_to_enrol, arg);
	if (st == ST_OK)
		*place = batch_place(&b, 0);
	batch_free(&b);
	return st;
}

/* A device's record and its head. */
static enum status
device_record(struct roster *r, const char *dev, char rec[REC_LEN + 1],
    uint8_t head[ID_LEN], char standing[16])
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&r->lock);
	st = db_query(
	    &s, r->db, "SELECT rec, standing FROM device WHERE dev = ?1");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(dev));
		st = db_next(s);
		if (st == ST_OK) {
			roster_text(s, 0, rec, REC_LEN + 1);
			roster_text(s, 1, standing, 16);
		}
		db_done(s);
	}
	if (st == ST_OK)
		st = roster_head_locked(r, rec, head);
	(void)pthread_mutex_unlock(&r->lock);
	return st;
}

static enum status
code_is_free(void *arg, struct store *s)
{
	const struct roster_enrol *e = ((void **)arg)[1];
	struct roster_device d;
	enum status st = roster_device_by_code(((void **)arg)[0], e->code, &d);

	(void)s;
	if (st == ST_OK)
		return ST_CONFLICT;
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
roster_enrol_again(
    struct roster *r, const struct roster_enrol *e, uint64_t *place)
{
	void *arg[2] = { r, (void *)(uintptr_t)e };
	char rec[REC_LEN + 1], standing[16];
	uint8_t head[ID_LEN];
	struct roster_device d;
	struct batch b;
	struct batch_entry *x;
	enum status st = roster_device_by_key(r, e->key, &d);

	if (st == ST_OK)
		st = device_record(r, d.dev, rec, head, standing);
	if (st != ST_OK)
		return st;
	if (standing[0] != '\0' || strcmp(d.person, e->person) != 0)
		return ST_DENIED;
	batch_init(&b);
	x = batch_add(&b, rec, "device@1", DO_SET, e->by);
	batch_after(x, head);
	batch_hex(x, "cert/serial", bytes_of(e->serial, ROSTER_SERIAL_LEN));
	batch_hex(x, "cert/sha256", bytes_of(e->cert_sha256, HASH_LEN));
	batch_int(x, "cert/from", (int64_t)e->from_ms);
	batch_int(x, "cert/until", (int64_t)e->until_ms);
	batch_text(x, "code", e->code);
	st = batch_commit(&b, r->centre, code_is_free, arg);
	batch_free(&b);
	*place = d.place;
	return st;
}

enum status
roster_renew(struct roster *r, const char *dev,
    const uint8_t serial[ROSTER_SERIAL_LEN],
    const uint8_t cert_sha256[HASH_LEN], uint64_t from_ms, uint64_t until_ms)
{
	char rec[REC_LEN + 1], standing[16];
	uint8_t head[1][ID_LEN];
	struct batch b;
	struct batch_entry *x;
	enum status st;

	st = device_record(r, dev, rec, head[0], standing);
	if (st != ST_OK)
		return st;
	if (standing[0] != '\0')
		return ST_DENIED;
	batch_init(&b);
	x = batch_add(&b, rec, "device@1", DO_SET, NULL);
	batch_after(x, head[0]);
	batch_hex(x, "cert/serial", bytes_of(serial, ROSTER_SERIAL_LEN));
	batch_hex(x, "cert/sha256", bytes_of(cert_sha256, HASH_LEN));
	batch_int(x, "cert/from", (int64_t)from_ms);
	batch_int(x, "cert/until", (int64_t)until_ms);
	st = batch_commit(&b, r->centre, NULL, NULL);
	batch_free(&b);
	return st;
}

enum status
roster_revoke(struct roster *r, const char *dev, const char *what,
    const char *reason, const char *by)
{
	static const char *const words[] = { "revoked", "lost", "seized",
		"copied", "replaced" };
	char rec[REC_LEN + 1], standing[16];
	uint8_t head[ID_LEN];
	struct batch b;
	struct batch_entry *x;
	bool known = false;
	enum status st;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		known = known || strcmp(words[i], what) == 0;
	if (!known || reason == NULL || reason[0] == '\0')
		return ST_INVALID;
	st = device_record(r, dev, rec, head, standing);
	if (st != ST_OK)
		return st;
	if (strcmp(standing, what) == 0)
		return ST_CONFLICT;
	batch_init(&b);
	x = batch_add(&b, rec, "device@1", DO_ADVANCE, by);
	batch_after(x, head);
	batch_name(x, what);
	batch_reason(x, reason);
	st = batch_commit(&b, r->centre, NULL, NULL);
	batch_free(&b);
	return st;
}

/* ---- people and their teams */

/* The record of a team or person; "" if there is none yet. */
static enum status
record_named(struct roster *r, const char *sql, const char *name,
    char rec[REC_LEN + 1], char scope[REC_LEN + 1])
{
	struct db_stmt *s;
	enum status st;

	rec[0] = scope[0] = '\0';
	(void)pthread_mutex_lock(&r->lock);
	st = db_query(&s, r->db, sql);
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(name));
		st = db_next(s);
		if (st == ST_OK) {
			roster_text(s, 0, rec, REC_LEN + 1);
			roster_text(s, 1, scope, REC_LEN + 1);
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return st == ST_ABSENT ? ST_OK : st;
}

struct change {
	struct roster *r;
	struct batch *b;
	const char *by;
	const struct roster_person *p; /* as they will be */
	roster_records records;
	void *records_arg;
	const char *scope; /* the new one under way */

	/* How things stood when it was made up. */
	uint64_t version;
	struct {
		char rec[REC_LEN + 1];
		uint8_t head[ID_LEN];
	} closed[2];
	size_t closed_count;
};

/* In the commit: what it was made up from still holds. */
static enum status
nothing_moved(void *arg, struct store *s)
{
	const struct change *c = arg;
	enum status st = ST_OK;

	(void)s;
	if (roster_version(c->r) != c->version)
		return ST_CONFLICT;
	for (size_t i = 0; st == ST_OK && i < c->closed_count; i++)
		st = roster_head_stands(
		    c->r, c->closed[i].rec, c->closed[i].head);
	return st;
}

static enum status
put_in(void *arg, const char *rec)
{
	struct change *c = arg;
	struct batch_entry *x =
	    batch_add(c->b, c->scope, "scope@1", DO_LINK, c->by);

	batch_chained(x);
	batch_name(x, rec);
	batch_name(x, "in");
	return c->b->err;
}

static void
add_member(struct change *c, const char *person)
{
	struct batch_entry *x =
	    batch_add(c->b, c->scope, "scope@1", DO_ADD, c->by);

	batch_chained(x);
	batch_name(x, "members");
	batch_text(x, "person", person);
}

/* Everyone who is in the team once the change is made. */
static enum status
add_members(struct change *c, const char *team)
{
	char id[ROSTER_NAME_MAX + 1];
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&c->r->lock);
	st = db_query(&s, c->r->db,
	    "SELECT id FROM person WHERE team = ?1 AND id <> ?2 ORDER BY id");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(team));
		db_bind_text(s, 2, bytes_str(c->p->id));
		while ((st = db_next(s)) == ST_OK) {
			roster_text(s, 0, id, sizeof(id));
			add_member(c, id);
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&c->r->lock);
	if (strcmp(c->p->team, team) == 0)
		add_member(c, c->p->id);
	return st == ST_ABSENT ? c->b->err : st;
}

/* Every record of the old scope goes into the new one.  Its head is read
 * before they are: a record that joins it meanwhile moves the head. */
static enum status
close_scope(struct change *c, const char *old)
{
	uint8_t *head = c->closed[c->closed_count].head, id[ID_LEN];
	struct batch_entry *x;
	enum status st = roster_head_of(c->r, old, head);

	if (st == ST_OK)
		st = roster_scope_id(id, old);
	if (st == ST_OK)
		st = c->records(c->records_arg, id, put_in, c);
	if (st != ST_OK)
		return st;
	memcpy(c->closed[c->closed_count++].rec, old, REC_LEN + 1);
	x = batch_add(c->b, old, "scope@1", DO_ADVANCE, c->by);
	batch_after(x, head);
	batch_name(x, "closed");
	return ST_OK;
}

/* A team's people change: a new scope takes the place of the old one. */
static enum status
new_scope(struct change *c, const char *team)
{
	char team_rec[REC_LEN + 1], old[REC_LEN + 1], scope[REC_LEN + 1];
	uint8_t head[ID_LEN];
	struct batch_entry *x;
	enum status st;

	st = record_named(c->r, "SELECT rec, scope FROM team WHERE name = ?1",
	    team, team_rec, old);
	if (st != ST_OK)
		return st;
	centre_new_rec(c->r->centre, scope);
	c->scope = scope;
	x = batch_add(c->b, scope, "scope@1", DO_OPEN, c->by);
	batch_text(x, "sort", "team");
	batch_text(x, "name", team);
	batch_text(x, "team", team);
	st = add_members(c, team);
	if (st == ST_OK && old[0] != '\0')
		st = close_scope(c, old);
	if (st != ST_OK)
		return st;
	if (team_rec[0] == '\0') {
		x = batch_add(c->b, "", "team@1", DO_OPEN, c->by);
		batch_text(x, "name", team);
	} else {
		st = roster_head_of(c->r, team_rec, head);
		x = batch_add(c->b, team_rec, "team@1", DO_SET, c->by);
		batch_after(x, head);
	}
	batch_text(x, "scope", scope);
	return st == ST_OK ? c->b->err : st;
}

static enum status
put_person(struct change *c, const char *rec)
{
	uint8_t head[ID_LEN];
	struct batch_entry *x;
	enum status st = ST_OK;

	if (rec[0] == '\0') {
		x = batch_add(c->b, "", "person@1", DO_OPEN, c->by);
		batch_text(x, "id", c->p->id);
	} else {
		st = roster_head_of(c->r, rec, head);
		x = batch_add(c->b, rec, "person@1", DO_SET, c->by);
		batch_after(x, head);
	}
	batch_text(x, "name", c->p->name);
	batch_text(x, "role", c->p->role);
	batch_text(x, "unit", c->p->unit);
	batch_text(x, "team", c->p->team);
	return st == ST_OK ? c->b->err : st;
}

static bool
same_person(const struct roster_person *a, const struct roster_person *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->role, b->role) == 0 &&
	       strcmp(a->unit, b->unit) == 0 && strcmp(a->team, b->team) == 0;
}

/* Devices that this person carries go along. */
struct carried {
	char dev[16][DEV_LEN + 1];
	const char *person, *team;
	size_t count;
};

static enum status
note_carried(void *arg, const struct roster_device *d)
{
	struct carried *c = arg;

	if (strcmp(d->person, c->person) == 0 &&
	    strcmp(d->team, c->team) != 0 && c->count < 16)
		memcpy(c->dev[c->count++], d->dev, sizeof(d->dev));
	return ST_OK;
}

static enum status
move_devices(struct change *c)
{
	struct carried carried = {
		.person = c->p->id, .team = c->p->team, .count = 0
	};
	enum status st = roster_devices(c->r, note_carried, &carried);

	for (size_t i = 0; st == ST_OK && i < carried.count; i++) {
		char rec[REC_LEN + 1], standing[16];
		uint8_t head[ID_LEN];
		struct batch_entry *x;

		st = device_record(c->r, carried.dev[i], rec, head, standing);
		if (st != ST_OK)
			return st;
		x = batch_add(c->b, rec, "device@1", DO_SET, c->by);
		batch_after(x, head);
		batch_text(x, "team", c->p->team);
	}
	return st;
}

enum status
roster_person_put(struct roster *r, const struct roster_person *p,
    const char *by, roster_records records, void *records_arg)
{
	struct roster_person old = { .id = "" };
	char rec[REC_LEN + 1], unused[REC_LEN + 1];
	struct batch b;
	struct change c = { .r = r,
		.b = &b,
		.by = by,
		.p = p,
		.records = records,
		.records_arg = records_arg,
		.version = roster_version(r) };
	enum status st;

	if (p->id[0] == '\0')
		return ST_INVALID;
	st = roster_person(r, p->id, &old);
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	if (st == ST_OK && same_person(&old, p))
		return ST_OK;
	st = record_named(
	    r, "SELECT rec, '' FROM person WHERE id = ?1", p->id, rec, unused);
	if (st != ST_OK)
		return st;
	batch_init(&b);
	st = put_person(&c, rec);
	if (st == ST_OK && strcmp(old.team, p->team) != 0) {
		if (old.team[0] != '\0')
			st = new_scope(&c, old.team);
		if (st == ST_OK && p->team[0] != '\0')
			st = new_scope(&c, p->team);
		if (st == ST_OK)
			st = move_devices(&c);
	}
	if (st == ST_OK)
		st = batch_commit(&b, r->centre, nothing_moved, &c);
	batch_free(&b);
	return st;
}
