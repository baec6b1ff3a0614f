/* evidence_log: receipts: what came is said in the log before its bringer is
 * told (docs/EVIDENCE.md, "At the centre"). */
#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "server/evidence/evidence_impl.h"
#include "server/roster/batch.h"

/* Has this device its receipt for these bytes, by the log or by us just now? */
static enum status
has_receipt(struct evidence *ev, const char *dev, const uint8_t *digest)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db,
	    "SELECT 1 FROM receipt WHERE digest = ?1 AND dev = ?2"
	    " AND mismatched = 0 AND purged = 0");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
	db_bind_text(s, 2, bytes_str(dev));
	st = db_next(s);
	db_done(s);
	return st;
}

/* What will be followed once more; known now, so that none is given twice. */
static enum status
remember(struct evidence *ev, const struct server_entry *e, const char *dev,
    const uint8_t *digest, uint64_t length, bool mismatched)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db,
	    "INSERT OR IGNORE INTO receipt(rec, place, digest, dev, size,"
	    " mismatched, wall, purged, head)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(e->rec));
	db_bind_u64(s, 2, e->place);
	db_bind_bytes(s, 3, bytes_of(digest, HASH_LEN));
	db_bind_text(s, 4, bytes_str(dev));
	db_bind_u64(s, 5, length);
	db_bind_i64(s, 6, mismatched);
	db_bind_u64(s, 7, port_wall_ms(ev->cfg.port));
	db_bind_bytes(s, 8, bytes_of(e->id, ID_LEN));
	return db_run(s);
}

static enum status
put_receipt(struct evidence *ev, const char *dev, const uint8_t *digest,
    uint64_t length, const uint8_t *got)
{
	struct batch b;
	struct batch_entry *x;
	enum status st;

	batch_init(&b);
	x = batch_add(&b, "", "evidence@1", DO_OPEN, NULL);
	batch_hex(x, "sha256", bytes_of(digest, HASH_LEN));
	batch_int(x, "size", (int64_t)length);
	batch_text(x, "dev", dev);
	batch_text(x, "result", got == NULL ? "stored" : "mismatched");
	if (got != NULL)
		batch_hex(x, "got", bytes_of(got, HASH_LEN));
	st = batch_commit(&b, ev->cfg.centre, NULL, NULL);
	if (st == ST_OK) {
		(void)pthread_mutex_lock(&ev->lock);
		st = remember(ev, &b.out[0], dev, digest, length, got != NULL);
		(void)pthread_mutex_unlock(&ev->lock);
	}
	batch_free(&b);
	return st;
}

enum status
ev_log_stored(struct evidence *ev, const char *dev, const uint8_t *digest,
    uint64_t length)
{
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = has_receipt(ev, dev, digest);
	(void)pthread_mutex_unlock(&ev->lock);
	if (st != ST_ABSENT)
		return st;
	return put_receipt(ev, dev, digest, length, NULL);
}

enum status
evidence_keep(struct evidence *ev, uint64_t size, const char *by)
{
	struct batch b;
	struct batch_entry *x;
	enum status st;

	batch_init(&b);
	x = batch_add(&b, "", "kept@1", DO_OPEN, by);
	batch_int(x, "files", (int64_t)size);
	st = batch_commit(&b, ev->cfg.centre, NULL, NULL);
	batch_free(&b);
	return st;
}

enum status
ev_log_mismatched(struct evidence *ev, const char *dev, const uint8_t *digest,
    uint64_t length, const uint8_t *id, const uint8_t *got)
{
	char want[2 * HASH_LEN + 1], is[2 * HASH_LEN + 1];
	char file[2 * UPLOAD_ID_LEN + 1], doc[512];
	enum status st = put_receipt(ev, dev, digest, length, got);

	if (st != ST_OK)
		return st;
	hex_encode(want, bytes_of(digest, HASH_LEN));
	hex_encode(is, bytes_of(got, HASH_LEN));
	hex_encode(file, bytes_of(id, UPLOAD_ID_LEN));
	(void)snprintf(doc, sizeof(doc),
	    "{\"sha256\":\"%s\",\"got\":\"%s\",\"apart\":\"%s\"}", want, is,
	    file);
	return centre_alarm(ev->cfg.centre, "evidence_mismatched", dev, doc);
}
