#include "server/upkeep/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "db/db.h"
#include "server/core/centre_folder.h"
#include "server/evidence/evidence.h"
#include "verify/verify.h"

/* ---- what to do */

#define TODO_RESTORE_ZH                                                                     \
	"停止服务，原样保存整个目录，用最近一次已核实的备份恢复" \
	"（OPERATIONS，“损坏”）。"
#define TODO_RESTORE_EN                                                        \
	"Stop the server, keep the whole folder as it is, and restore from "   \
	"the last verified backup (OPERATIONS, \"Damage\")."
#define TODO_KEYS_ZH "从离线保管的副本放回该文件（OPERATIONS，“密钥”）。"
#define TODO_KEYS_EN                                                           \
	"Put the file back from the copy kept off line (OPERATIONS, "          \
	"\"Keys\")."
#define TODO_MODE_ZH "收回权限：chmod 600（目录 700）；若他人读过，更换该密钥。"
#define TODO_MODE_EN                                                           \
	"Take the permission away: chmod 600 (700 for the folder); if "        \
	"somebody may have read it, roll that key."
#define TODO_PROJECTION_ZH "停止服务，删除该文件，再启动：会重新生成。"
#define TODO_PROJECTION_EN                                                     \
	"Stop the server, remove the file and start again: it is made anew."

static const char *const area_words[] = { "keys", "store", "log", "projections",
	"evidence" };

const char *
check_area_word(enum check_area a)
{
	return area_words[a];
}

enum { TOLD_MAX = 4096 };

struct check {
	const struct check_config *cfg;
	check_fn fn;
	void *arg;
	struct check_done *out;
	uint64_t *place; /* owned: where centre_check found a fault */
	size_t place_count, place_cap;
};

static void
tell(struct check *k, const struct check_fault *f)
{
	if (f->notice)
		k->out->notices++;
	else
		k->out->n.faults++;
	k->fn(k->arg, f);
}

static void
tell_key(struct check *k, const char *where, const char *zh, const char *en,
    bool mode)
{
	struct check_fault f = { .area = CHECK_KEYS,
		.where = where,
		.zh = zh,
		.en = en,
		.do_zh = mode ? TODO_MODE_ZH : TODO_KEYS_ZH,
		.do_en = mode ? TODO_MODE_EN : TODO_KEYS_EN };

	tell(k, &f);
}

/* ---- keys */

static enum status
check_mode(struct check *k, const char *name, bool secret)
{
	char *path = folder_path(k->cfg->dir, name);
	struct stat sb;
	mode_t others = S_IRWXG | S_IRWXO;

	if (path == NULL)
		return ST_NOMEM;
	if (stat(path, &sb) != 0)
		tell_key(k, name, "文件不在或读不到",
		    "not there, or not readable", false);
	else if (secret && (sb.st_mode & others) != 0)
		tell_key(k, name, "本机其他用户可以访问",
		    "other users of this machine can reach it", true);
	free(path);
	return ST_OK;
}

static enum status
check_keys(struct check *k)
{
	static const struct {
		const char *name;
		bool secret;
	} files[] = {
		{ FOLDER_KEYS, true },
		{ FOLDER_LOG_KEY, true },
		{ FOLDER_SERVER_KEY, true },
		{ FOLDER_CA_KEY, true },
		{ FOLDER_CA_CERT, false },
	};
	enum status st = ST_OK;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (st == ST_OK)
			st = check_mode(k, files[i].name, files[i].secret);
	}
	return st;
}

/* ---- the store */

static void
store_fault(void *arg, uint64_t place, const char *words)
{
	struct check *k = arg;
	struct check_fault f = { .area = CHECK_STORE,
		.has_place = place != UINT64_MAX,
		.place = place,
		.where = FOLDER_STORE,
		.zh = "存储内容有误",
		.en = words,
		.do_zh = TODO_RESTORE_ZH,
		.do_en = TODO_RESTORE_EN };

	if (f.has_place && k->place_count == k->place_cap &&
	    k->place_count < TOLD_MAX) {
		size_t cap = k->place_cap == 0 ? 64 : 2 * k->place_cap;
		uint64_t *p = realloc(k->place, cap * sizeof(*p));

		if (p != NULL) {
			k->place = p;
			k->place_cap = cap;
		}
	}
	/* One that is not remembered may be told twice. */
	if (f.has_place && k->place_count < k->place_cap)
		k->place[k->place_count++] = place;
	tell(k, &f);
}

static bool
told(const struct check *k, uint64_t place)
{
	for (size_t i = 0; i < k->place_count; i++) {
		if (k->place[i] == place)
			return true;
	}
	return false;
}

/* Why it does not open.  The log itself is read all the same. */
static void
tell_closed(struct check *k, enum status st)
{
	struct check_fault f = { .area = CHECK_STORE,
		.where = FOLDER_STORE,
		.zh = "法院打不开",
		.en = "the court cannot be opened",
		.do_zh = TODO_RESTORE_ZH,
		.do_en = TODO_RESTORE_EN };

	if (st == ST_DENIED) {
		f.area = CHECK_KEYS;
		f.where = FOLDER_KEYS;
		f.zh = "密钥不是描述文件所列的";
		f.en = "the keys are not those that the descriptor names";
		f.do_zh = TODO_KEYS_ZH;
		f.do_en = TODO_KEYS_EN;
	}
	tell(k, &f);
}

/* ---- evidence */

static const struct {
	const char *zh, *en, *do_zh, *do_en;
} file_words[] = {
	[EVIDENCE_GONE] = { "有回执而文件不在",
	    "the log has a receipt, and the file is not there",
	    "从证据副本放回该文件；若无副本，请送达的设备重新上传。",
	    "Put the file back from the copy of the evidence; where there is "
	    "none, have a device that has it send it again." },
	[EVIDENCE_DAMAGED] = { "内容与名称（哈希值）不符",
	    "its bytes are not those of its name",
	    "先查磁盘；留存损坏的文件，再从证据副本换上好的。",
	    "Look for the disk's fault first; keep the damaged file aside and "
	    "put the good one from the copy in its place." },
	[EVIDENCE_ORPHAN] = { "没有回执，或没有记录引用",
	    "no receipt, or no record names it",
	    "无须处理：引用它的记录可能还没到。",
	    "Nothing: the entry that names it may yet come." },
	[EVIDENCE_LEFT] = { "日志说已清除而文件还在",
	    "the log says purged, and it is still there",
	    "再运行一次 evidence purge --confirm。",
	    "Run evidence purge --confirm once more." },
	[EVIDENCE_STRANGER] = { "不是证据文件的名称",
	    "no name of a piece of evidence", "查明是谁放进来的，再移走。",
	    "Find out who put it there, then move it away." },
	[EVIDENCE_UNREADABLE] = { "读不出", "cannot be read",
	    "先查磁盘，再从证据副本放回。",
	    "Look for the disk's fault, then put it back from the copy." },
};

static void
file_fault(void *arg, enum evidence_fault what, const char *name)
{
	struct check *k = arg;
	struct check_fault f = { .area = CHECK_EVIDENCE,
		.where = name,
		.zh = file_words[what].zh,
		.en = file_words[what].en,
		.do_zh = file_words[what].do_zh,
		.do_en = file_words[what].do_en,
		.notice = what == EVIDENCE_ORPHAN };

	tell(k, &f);
}

static enum status
check_evidence(struct check *k, struct centre *c)
{
	struct evidence_config ec = { .dir = k->cfg->dir,
		.centre = c,
		.port = k->cfg->port,
		.memory = true };
	struct evidence_checked n = { 0, 0 };
	char why[EVIDENCE_ERRMSG_LEN];
	struct evidence *ev = NULL;
	uint64_t done;
	enum status st = evidence_open(&ev, &ec, why);

	if (st == ST_OK)
		st = evidence_follow(ev, 0, &done);
	if (st == ST_OK)
		st = evidence_check(ev, file_fault, k, &n);
	evidence_close(ev);
	k->out->files = n.files;
	k->out->file_bytes = n.bytes;
	/* A log that cannot be followed was told of already. */
	return st == ST_CORRUPT && k->out->n.faults > 0 ? ST_OK : st;
}

static enum status
check_centre(struct check *k, uint64_t *size, struct note_key *key)
{
	struct centre_config cc = {
		.dir = k->cfg->dir, .port = k->cfg->port, .vfs = k->cfg->vfs
	};
	char errmsg[CENTRE_ERRMSG_LEN];
	struct centre_checked n = { 0 };
	struct centre *c = NULL;
	uint64_t keys = k->out->n.faults;
	enum status st = centre_open(&c, &cc, errmsg);

	if (st == ST_CORRUPT || st == ST_DENIED || st == ST_CONFLICT ||
	    (st == ST_ABSENT && keys > 0)) {
		tell_closed(k, st);
		return ST_OK;
	}
	if (st != ST_OK)
		return st;
	k->out->opened = true;
	*size = tlog_size(centre_tlog(c));
	*key = *centre_log_key(c);
	st = centre_check(c, store_fault, k, &n);
	n.faults = k->out->n.faults;
	k->out->n = n;
	/* On a disk that a test makes up there are no files. */
	if ((st == ST_OK || st == ST_CORRUPT) && k->cfg->vfs == NULL) {
		enum status files = check_evidence(k, c);

		st = files == ST_OK ? st : files;
	}
	centre_close(c);
	return st == ST_CORRUPT ? ST_OK : st;
}

/* ---- the log, by those who do not trust the code above */

/* The log's key as the store's own descriptor has it, where the court does not
 * open. */
static enum status
key_of_store(struct check *k, const char *path, struct note_key *key)
{
	struct db_config dc = { .path = path,
		.vfs = k->cfg->vfs,
		.readonly = true,
		.busy_ms = 5000 };
	struct descriptor *d = calloc(1, sizeof(*d));
	struct db_stmt *s;
	struct db *db = NULL;
	enum status st = d == NULL ? ST_NOMEM : db_open(&db, &dc);

	if (st == ST_OK)
		st = db_query(
		    &s, db, "SELECT value FROM meta WHERE name = 'descriptor'");
	if (st == ST_OK) {
		st = db_next(s);
		if (st == ST_OK)
			st = descriptor_parse(d, db_bytes(s, 0));
		if (st == ST_OK)
			*key = d->log;
		db_done(s);
	}
	db_close(db);
	free(d);
	return st;
}

static void
tell_found(struct check *k, const struct verify_report *r)
{
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct verify_finding *v = &r->finding[i];
		struct check_fault f = { .area = CHECK_LOG,
			.has_place = v->has_place,
			.place = v->place,
			.where = FOLDER_STORE,
			.zh = v->zh,
			.en = v->en,
			.do_zh = TODO_RESTORE_ZH,
			.do_en = TODO_RESTORE_EN };

		if (verify_is_damage(v->what) &&
		    !(v->has_place && told(k, v->place)))
			tell(k, &f);
	}
}

static enum status
check_log(struct check *k, struct note_key *key)
{
	struct verify_given given = { .vfs = k->cfg->vfs };
	char *path = folder_path(k->cfg->dir, FOLDER_STORE);
	char why[VERIFY_ERRMSG_LEN];
	struct verify_report r;
	enum status st = path == NULL ? ST_NOMEM : ST_OK;

	if (st == ST_OK && !k->out->opened)
		st = key_of_store(k, path, key);
	if (st == ST_OK) {
		given.key = *key;
		verify_report_init(&r);
		st = verify_store(&r, path, &given, why);
		if (st == ST_OK)
			tell_found(k, &r);
		if (st == ST_OK && !k->out->opened)
			k->out->n.entries = r.size;
		verify_report_free(&r);
	}
	free(path);
	/* Beyond reading, and that was said. */
	if (st == ST_CORRUPT || st == ST_INVALID || st == ST_ABSENT)
		st = k->out->n.faults > 0 ? ST_OK : st;
	return st;
}

/* ---- projections */

/* Where a projection stands; false where there is none. */
static bool
position(struct check *k, const char *name, uint64_t *at, enum status *why)
{
	char *path = folder_path(k->cfg->dir, name);
	struct db_config dc = {
		.path = path, .readonly = true, .busy_ms = 5000
	};
	struct db *db = NULL;
	int64_t size = 0;
	enum status st = path == NULL ? ST_NOMEM : db_open(&db, &dc);

	if (st == ST_OK)
		st = db_scalar(&size, db, "SELECT size FROM pos");
	db_close(db);
	free(path);
	*at = (uint64_t)size;
	*why = st;
	return st != ST_ABSENT;
}

static const char *const projections[] = { "feed.db", "project.db" };

enum { PROJECTIONS = sizeof(projections) / sizeof(projections[0]) };

struct positions {
	uint64_t at[PROJECTIONS];
	bool there[PROJECTIONS];
	enum status st[PROJECTIONS];
};

static void
check_projections(struct check *k, const struct positions *p, uint64_t size)
{
	struct check_fault f = { .area = CHECK_PROJECTIONS,
		.do_zh = TODO_PROJECTION_ZH,
		.do_en = TODO_PROJECTION_EN };

	for (size_t i = 0; i < PROJECTIONS; i++) {
		f.where = projections[i];
		if (!p->there[i] || p->st[i] == ST_AGAIN)
			continue;
		if (p->st[i] != ST_OK) {
			f.zh = "读不出";
			f.en = "cannot be read";
			tell(k, &f);
		} else if (k->out->opened && p->at[i] > size) {
			f.zh = "比日志还超前：它属于另一份日志";
			f.en = "ahead of the log: it is of another one";
			tell(k, &f);
		}
	}
}

enum status
check_court(const struct check_config *cfg, check_fn fn, void *arg,
    struct check_done *out)
{
	struct check k = { .cfg = cfg, .fn = fn, .arg = arg, .out = out };
	struct note_key key;
	struct positions p;
	uint64_t size = 0;
	char *store = folder_path(cfg->dir, FOLDER_STORE);
	struct stat sb;
	enum status st = store == NULL ? ST_NOMEM : ST_OK;

	memset(out, 0, sizeof(*out));
	memset(&key, 0, sizeof(key));
	if (st == ST_OK && cfg->vfs == NULL && stat(store, &sb) != 0)
		st = errno == ENOENT || errno == ENOTDIR ? ST_ABSENT : ST_IO;
	free(store);
	/* First, so that they cannot pass the size read after them. */
	for (size_t i = 0; st == ST_OK && i < PROJECTIONS; i++)
		p.there[i] = position(&k, projections[i], &p.at[i], &p.st[i]);
	if (st == ST_OK)
		st = check_keys(&k);
	if (st == ST_OK)
		st = check_centre(&k, &size, &key);
	if (st == ST_OK)
		st = check_log(&k, &key);
	if (st == ST_OK)
		check_projections(&k, &p, size);
	free(k.place);
	if (st == ST_OK && out->n.faults > 0)
		st = ST_CORRUPT;
	return st;
}
