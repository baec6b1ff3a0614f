/* retention: entries that say how long, and the judgement of what may go. */
#include "server/evidence/retention.h"

#include <stdlib.h>
#include <string.h>

#include "server/evidence/custody.h"
#include "server/evidence/evidence_impl.h"
#include "server/roster/batch.h"

enum { FILES_MAX = 1 << 20, RECS_MAX = 4096 };

static const char *const why_en[] = { "may go", "no record names it",
	"a record that names it has no case number", "its case has no date",
	"its time is not over", "legal hold", "an objection is open" };
static const char *const why_zh[] = { "可以清除", "没有记录引用",
	"引用它的记录没有案号", "所属案件未定保管期", "保管期未满", "冻结清除",
	"异议未办结" };

const char *
retention_word(enum retention_why w)
{
	return why_en[w];
}

const char *
retention_word_zh(enum retention_why w)
{
	return why_zh[w];
}

/* ---- entries */

static enum status
commit(struct evidence *ev, struct batch *b, char rec[REC_LEN + 1])
{
	enum status st = batch_commit(b, ev->cfg.centre, NULL, NULL);

	if (st == ST_OK)
		memcpy(rec, b->out[0].rec, REC_LEN + 1);
	batch_free(b);
	return st;
}

enum status
retention_keep(struct evidence *ev, const char *case_no, uint64_t until_ms,
    const char *by, char rec[REC_LEN + 1])
{
	struct batch_entry *x;
	struct batch b;

	batch_init(&b);
	x = batch_add(&b, "", "retention@1", DO_OPEN, by);
	batch_text(x, "case", case_no);
	batch_int(x, "until", (int64_t)until_ms);
	return commit(ev, &b, rec);
}

enum status
retention_hold(struct evidence *ev, const char *case_no, const char *reason,
    const char *by, char rec[REC_LEN + 1])
{
	struct batch_entry *x;
	struct batch b;

	batch_init(&b);
	x = batch_add(&b, "", "retention@1", DO_OPEN, by);
	batch_text(x, "case", case_no);
	batch_bool(x, "hold", true);
	batch_reason(x, reason);
	return commit(ev, &b, rec);
}

enum status
retention_release(
    struct evidence *ev, const char *rec, const char *reason, const char *by)
{
	char same[REC_LEN + 1];
	uint8_t head[ID_LEN];
	struct batch_entry *x;
	struct db_stmt *s;
	struct batch b;
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db,
	    "SELECT hold, released, head FROM retention WHERE rec = ?1");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(rec));
		st = db_next(s);
		if (st == ST_OK && (db_i64(s, 0) == 0 || db_i64(s, 1) != 0))
			st = ST_CONFLICT;
		if (st == ST_OK)
			st = db_copy(s, 2, head, ID_LEN);
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	if (st != ST_OK)
		return st;
	batch_init(&b);
	x = batch_add(&b, rec, "retention@1", DO_ADVANCE, by);
	batch_after(x, head);
	batch_name(x, "released");
	batch_reason(x, reason);
	return commit(ev, &b, same);
}

/* ---- judgement */

/* What one case says; the latest date counts. */
static enum status
judge_case(struct evidence *ev, const char *case_no, enum retention_why *why)
{
	uint64_t now = port_wall_ms(ev->cfg.port);
	struct db_stmt *s;
	enum status st;

	*why = RETENTION_NO_DATE;
	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db,
	    "SELECT until, hold, released FROM retention WHERE case_no = ?1"
	    " ORDER BY place");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(case_no));
		while ((st = db_next(s)) == ST_OK) {
			if (*why == RETENTION_HELD)
				continue;
			if (db_i64(s, 1) != 0 && db_i64(s, 2) == 0)
				*why = RETENTION_HELD;
			else if (!db_is_null(s, 0))
				*why = db_u64(s, 0) < now ? RETENTION_MAY_GO
							  : RETENTION_NOT_YET;
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st == ST_ABSENT ? ST_OK : st;
}

/* Records of a query with one text column, each a row of `out`. */
static enum status
read_recs(struct evidence *ev, const char *sql, const uint8_t *digest,
    char (*out)[REC_LEN + 1], size_t *count)
{
	struct db_stmt *s;
	enum status st;

	*count = 0;
	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db, sql);
	if (st == ST_OK) {
		if (digest != NULL)
			db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
		while ((st = db_next(s)) == ST_OK) {
			struct bytes rec = db_bytes(s, 0);

			/* More than can be looked at: then nothing goes. */
			if (*count == RECS_MAX) {
				st = ST_LIMIT;
				break;
			}
			if (rec.len != REC_LEN)
				continue;
			memcpy(out[*count], rec.p, REC_LEN);
			out[(*count)++][REC_LEN] = '\0';
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st == ST_ABSENT ? ST_OK : st;
}

/* The i-th case number that a loaded record has; false past the last. */
static bool
case_of(struct fold *fold, size_t i, char out[RETENTION_CASE_MAX + 1])
{
	const struct state *s = fold_state(fold);
	const struct state_field *f = state_field(s, bytes_str("case_no"));
	struct state_value v;

	out[0] = '\0';
	if (f == NULL || !state_value(s, f, i, &v))
		return false;
	if (!v.null && !v.withheld && v.text.len <= RETENTION_CASE_MAX) {
		memcpy(out, v.text.p, v.text.len);
		out[v.text.len] = '\0';
	}
	return true;
}

/* Is an objection not decided yet?  One that cannot be read is. */
static bool
is_open(struct fold *fold)
{
	const struct state *s = fold_state(fold);
	struct bytes status = state_status(s);

	return !s->is_void && !bytes_eq_str(status, "decided") &&
	       !bytes_eq_str(status, "closed");
}

struct judge {
	struct evidence *ev;
	struct fold *fold;
	char (*rec)[REC_LEN + 1]; /* owned: RECS_MAX rows */
	/* Cases with an open objection, LF behind each. */
	struct buf objected;
};

static enum status
find_objections(struct judge *j)
{
	char name[RETENTION_CASE_MAX + 1];
	size_t count = 0;
	enum status st =
	    read_recs(j->ev, "SELECT rec FROM objection", NULL, j->rec, &count);

	for (size_t i = 0; st == ST_OK && i < count; i++) {
		st = fold_load(
		    j->fold, j->rec[i], port_wall_ms(j->ev->cfg.port));
		if (st == ST_ABSENT)
			st = ST_OK;
		else if (st == ST_OK && is_open(j->fold))
			for (size_t k = 0; case_of(j->fold, k, name); k++)
				buf_printf(&j->objected, "\n%s\n", name);
	}
	return st == ST_OK ? j->objected.err : st;
}

static enum status
judge_open(struct judge *j, struct evidence *ev, struct fold *fold)
{
	memset(j, 0, sizeof(*j));
	j->ev = ev;
	j->fold = fold;
	buf_init(&j->objected, 4 << 20);
	j->rec = calloc(RECS_MAX, sizeof(*j->rec));
	return j->rec == NULL ? ST_NOMEM : find_objections(j);
}

static void
judge_close(struct judge *j)
{
	free(j->rec);
	buf_free(&j->objected);
}

static bool
is_objected(struct judge *j, const char *case_no)
{
	char line[RETENTION_CASE_MAX + 3];
	const char *all = buf_cstr(&j->objected);
	size_t len = strlen(case_no);

	line[0] = '\n';
	memcpy(line + 1, case_no, len);
	line[len + 1] = '\n';
	line[len + 2] = '\0';
	return all != NULL && strstr(all, line) != NULL;
}

/* One record that names the file. */
static enum status
judge_record(struct judge *j, const char *rec, enum retention_why *why,
    char case_no[RETENTION_CASE_MAX + 1])
{
	bool any = false;
	enum status st = fold_load(j->fold, rec, port_wall_ms(j->ev->cfg.port));

	*why = RETENTION_NO_CASE;
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_OK : st;
	for (size_t i = 0; case_of(j->fold, i, case_no); i++) {
		if (case_no[0] == '\0')
			continue;
		any = true;
		if (is_objected(j, case_no)) {
			*why = RETENTION_OBJECTION;
			return ST_OK;
		}
		st = judge_case(j->ev, case_no, why);
		if (st != ST_OK || *why != RETENTION_MAY_GO)
			return st;
	}
	if (!any)
		*why = RETENTION_NO_CASE;
	return ST_OK;
}

static enum status
judge_file(struct judge *j, const uint8_t *digest, enum retention_why *why,
    char case_no[RETENTION_CASE_MAX + 1])
{
	size_t count = 0;
	enum status st =
	    read_recs(j->ev, "SELECT DISTINCT rec FROM named WHERE digest = ?1",
		digest, j->rec, &count);

	case_no[0] = '\0';
	*why = RETENTION_NO_RECORD;
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		st = judge_record(j, j->rec[i], why, case_no);
		if (*why != RETENTION_MAY_GO)
			break;
	}
	return st;
}

/* Every digest with a good receipt, in order. */
static enum status
read_stored(struct evidence *ev, struct buf *out)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db,
	    "SELECT DISTINCT digest FROM receipt WHERE mismatched = 0"
	    " ORDER BY digest");
	if (st == ST_OK) {
		while ((st = db_next(s)) == ST_OK)
			buf_bytes(out, db_bytes(s, 0));
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	st = st == ST_ABSENT ? ST_OK : st;
	return st == ST_OK ? out->err : st;
}

enum status
retention_each(
    struct evidence *ev, struct fold *fold, retention_fn fn, void *arg)
{
	char case_no[RETENTION_CASE_MAX + 1];
	enum retention_why why;
	struct buf all;
	struct judge j;
	enum status st;

	buf_init(&all, (size_t)FILES_MAX * HASH_LEN);
	st = judge_open(&j, ev, fold);
	if (st == ST_OK)
		st = read_stored(ev, &all);
	for (size_t at = 0; st == ST_OK && at + HASH_LEN <= all.len;
	     at += HASH_LEN) {
		uint64_t size;

		if (ev_stored_size(ev, all.p + at, &size) != ST_OK)
			continue;
		st = judge_file(&j, all.p + at, &why, case_no);
		if (st == ST_OK)
			st = fn(arg, all.p + at, why, case_no);
	}
	judge_close(&j);
	buf_free(&all);
	return st;
}

/* ---- purging */

/* One `advance purged` for each receipt that stands. */
static enum status
log_purge(struct evidence *ev, const uint8_t *digest, const char *reason,
    const char *by)
{
	struct db_stmt *s;
	struct batch b;
	enum status st;

	batch_init(&b);
	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db,
	    "SELECT rec, head FROM receipt WHERE digest = ?1"
	    " AND mismatched = 0 AND purged = 0 ORDER BY place");
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
		while ((st = db_next(s)) == ST_OK) {
			struct bytes r = db_bytes(s, 0);
			char rec[REC_LEN + 1] = "";
			uint8_t head[ID_LEN];
			struct batch_entry *x;

			if (r.len != REC_LEN)
				continue;
			memcpy(rec, r.p, REC_LEN);
			st = db_copy(s, 1, head, ID_LEN);
			if (st != ST_OK)
				break;
			x = batch_add(&b, rec, "evidence@1", DO_ADVANCE, by);
			batch_after(x, head);
			batch_name(x, "purged");
			batch_reason(x, reason);
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	if (st == ST_ABSENT)
		st = batch_commit(&b, ev->cfg.centre, NULL, NULL);
	batch_free(&b);
	return st;
}

enum status
retention_purge(struct evidence *ev, struct fold *fold,
    const uint8_t digest[HASH_LEN], const char *reason, const char *by)
{
	char case_no[RETENTION_CASE_MAX + 1], path[EV_PATH_MAX];
	enum retention_why why;
	struct judge j;
	uint64_t done;
	enum status st = judge_open(&j, ev, fold);

	if (st == ST_OK)
		st = judge_file(&j, digest, &why, case_no);
	judge_close(&j);
	if (st == ST_OK && why != RETENTION_MAY_GO)
		st = ST_DENIED;
	if (st == ST_OK)
		st = log_purge(ev, digest, reason, by);
	if (st == ST_OK)
		st = evidence_follow(ev, 0, &done);
	ev_store_path(ev, digest, path);
	return st == ST_OK ? ev_unlink(path) : st;
}
