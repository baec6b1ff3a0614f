/* roster_read: who is who. */
#include <string.h>

#include "server/roster/roster_impl.h"

#define DEVICE_COLUMNS                                                         \
	"SELECT dev, key, person, name, role, team, serial, since, until,"     \
	" code, standing, place FROM device "

static enum status
read_device(const struct db_stmt *s, struct roster_device *d)
{
	enum status st;

	memset(d, 0, sizeof(*d));
	roster_text(s, 0, d->dev, sizeof(d->dev));
	st = db_copy(s, 1, d->key, PUBKEY_LEN);
	if (st == ST_OK)
		st = db_copy(s, 6, d->serial, ROSTER_SERIAL_LEN);
	roster_text(s, 2, d->person, sizeof(d->person));
	roster_text(s, 3, d->name, sizeof(d->name));
	roster_text(s, 4, d->role, sizeof(d->role));
	roster_text(s, 5, d->team, sizeof(d->team));
	d->from_ms = db_u64(s, 7);
	d->until_ms = db_u64(s, 8);
	roster_text(s, 9, d->code, sizeof(d->code));
	roster_text(s, 10, d->standing, sizeof(d->standing));
	d->place = db_u64(s, 11);
	return st;
}

static enum status
one_device(struct roster *r, const char *sql, struct bytes key, bool blob,
    struct roster_device *out)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&r->lock);
	st = db_query(&s, r->db, sql);
	if (st == ST_OK) {
		if (blob)
			db_bind_bytes(s, 1, key);
		else
			db_bind_text(s, 1, key);
		st = db_next(s);
		if (st == ST_OK)
			st = read_device(s, out);
		db_done(s);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return st;
}

enum status
roster_device_by_dev(
    struct roster *r, const char *dev, struct roster_device *out)
{
	return one_device(
	    r, DEVICE_COLUMNS "WHERE dev = ?1", bytes_str(dev), false, out);
}

enum status
roster_device_by_key(
    struct roster *r, const uint8_t key[PUBKEY_LEN], struct roster_device *out)
{
	return one_device(r, DEVICE_COLUMNS "WHERE key = ?1",
	    bytes_of(key, PUBKEY_LEN), true, out);
}

enum status
roster_device_by_code(
    struct roster *r, const char *code_hash, struct roster_device *out)
{
	return one_device(r,
	    DEVICE_COLUMNS "WHERE rec = (SELECT rec FROM code WHERE code = ?1)",
	    bytes_str(code_hash), false, out);
}

enum status
roster_device_by_rec(
    struct roster *r, const char *rec, struct roster_device *out)
{
	return one_device(
	    r, DEVICE_COLUMNS "WHERE rec = ?1", bytes_str(rec), false, out);
}

enum status
roster_devices(struct roster *r, roster_device_fn fn, void *arg)
{
	struct roster_device d;
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&r->lock);
	st = db_query(&s, r->db, DEVICE_COLUMNS "ORDER BY dev");
	if (st == ST_OK) {
		while ((st = db_next(s)) == ST_OK) {
			st = read_device(s, &d);
			if (st == ST_OK)
				st = fn(arg, &d);
			if (st != ST_OK)
				break;
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return st == ST_ABSENT ? ST_OK : st;
}

#define PERSON_COLUMNS "SELECT id, name, role, unit, team FROM person "

static void
read_person(const struct db_stmt *s, struct roster_person *p)
{
	roster_text(s, 0, p->id, sizeof(p->id));
	roster_text(s, 1, p->name, sizeof(p->name));
	roster_text(s, 2, p->role, sizeof(p->role));
	roster_text(s, 3, p->unit, sizeof(p->unit));
	roster_text(s, 4, p->team, sizeof(p->team));
}

enum status
roster_person(struct roster *r, const char *id, struct roster_person *out)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&r->lock);
	st = db_query(&s, r->db, PERSON_COLUMNS "WHERE id = ?1");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(id));
		st = db_next(s);
		if (st == ST_OK)
			read_person(s, out);
		db_done(s);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return st;
}

enum status
roster_people(struct roster *r, roster_person_fn fn, void *arg)
{
	struct roster_person p;
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&r->lock);
	st = db_query(&s, r->db, PERSON_COLUMNS "ORDER BY id");
	if (st == ST_OK) {
		while ((st = db_next(s)) == ST_OK) {
			read_person(s, &p);
			st = fn(arg, &p);
			if (st != ST_OK)
				break;
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
roster_team_scope(struct roster *r, const char *team, char rec[REC_LEN + 1])
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&r->lock);
	st = db_query(&s, r->db,
	    "SELECT scope FROM team WHERE name = ?1 AND scope <> ''");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(team));
		st = db_next(s);
		if (st == ST_OK)
			roster_text(s, 0, rec, REC_LEN + 1);
		db_done(s);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return st;
}

enum status
roster_scope_is_open(struct roster *r, const char *rec)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&r->lock);
	st = db_query(
	    &s, r->db, "SELECT 1 FROM scope WHERE rec = ?1 AND closed = 0");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(rec));
		st = db_next(s);
		db_done(s);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return st;
}

enum status
roster_scopes_of(
    struct roster *r, const char *person, uint8_t (*out)[ID_LEN], size_t *count)
{
	char rec[REC_LEN + 1];
	struct db_stmt *s;
	size_t n = 0;
	enum status st;

	(void)pthread_mutex_lock(&r->lock);
	st = db_query(&s, r->db,
	    "SELECT scope FROM member JOIN scope ON scope.rec = member.scope"
	    " WHERE member.person = ?1 AND scope.closed = 0"
	    " ORDER BY member.scope");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(person));
		while (n < ROSTER_SCOPES_MAX && (st = db_next(s)) == ST_OK) {
			roster_text(s, 0, rec, sizeof(rec));
			if (roster_scope_id(out[n], rec) == ST_OK)
				n++;
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&r->lock);
	*count = n;
	return st == ST_ABSENT ? ST_OK : st;
}

size_t
roster_descriptors(struct roster *r, size_t from, uint64_t *place, size_t max)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&r->lock);
	while (n < max && from + n < r->descriptor_count) {
		place[n] = r->descriptor[from + n];
		n++;
	}
	(void)pthread_mutex_unlock(&r->lock);
	return n;
}

uint64_t
roster_version(struct roster *r)
{
	return __atomic_load_n(&r->version, __ATOMIC_ACQUIRE);
}
