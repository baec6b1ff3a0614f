/* admin_upkeep: what keeps a court's folder sound. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/admin/admin_upkeep.h"
#include "server/evidence/evidence.h"
#include "server/upkeep/backup.h"
#include "server/upkeep/check.h"

/* ---- check */

static void
put_fault(void *arg, const struct check_fault *f)
{
	const struct admin *a = arg;
	struct buf b;

	if (!a->json) {
		(void)printf("%s%s: %s", f->notice ? "注意 notice: " : "",
		    check_area_word(f->area), f->where);
		if (f->has_place)
			(void)printf(" 位置 place %" PRIu64, f->place);
		(void)printf("\n  %s\n  %s\n  → %s\n    %s\n", f->zh, f->en,
		    f->do_zh, f->do_en);
		return;
	}
	buf_init(&b, 8192);
	buf_printf(&b, "{\"area\":\"%s\",\"do\":", check_area_word(f->area));
	json_put_str(&b, f->do_en);
	buf_str(&b, ",\"do_zh\":");
	json_put_str(&b, f->do_zh);
	buf_str(&b, ",\"fault\":");
	json_put_str(&b, json_text_ok(bytes_str(f->en)) ? f->en : "?");
	buf_printf(
	    &b, ",\"notice\":%s,\"place\":", f->notice ? "true" : "false");
	if (f->has_place)
		buf_printf(&b, "%" PRIu64, f->place);
	else
		buf_str(&b, "null");
	buf_str(&b, ",\"where\":");
	json_put_str(&b, f->where);
	buf_str(&b, ",\"zh\":");
	json_put_str(&b, f->zh);
	buf_u8(&b, '}');
	if (buf_cstr(&b) != NULL)
		(void)puts((const char *)b.p);
	buf_free(&b);
}

static int
run_check(struct admin *a)
{
	struct check_config cfg = { .dir = a->dir, .port = port_system() };
	struct check_done done;
	enum status st = check_court(&cfg, put_fault, a, &done);

	if (st == ST_ABSENT)
		return admin_refuse(
		    a, "该目录中没有法院", "there is no court in that folder");
	if (st != ST_OK && st != ST_CORRUPT)
		return admin_fail(a, "check", st);
	if (st == ST_CORRUPT && done.n.faults == 0)
		return admin_fail(a, "check", st);
	if (a->json)
		(void)printf("{\"commits\":%" PRIu64 ",\"entries\":%" PRIu64
			     ",\"faults\":%" PRIu64 ",\"files\":%" PRIu64
			     ",\"ok\":%s,\"pieces\":%" PRIu64
			     ",\"tiles\":%" PRIu64 "}\n",
		    done.n.commits, done.n.entries, done.n.faults, done.files,
		    done.n.faults == 0 ? "true" : "false", done.n.pieces,
		    done.n.tiles);
	else
		(void)printf("%" PRIu64 " 条 entries, %" PRIu64
			     " 次提交 commits, %" PRIu64 " 段 pieces, %" PRIu64
			     " 个文件 files: %" PRIu64 " 处有误 faults\n",
		    done.n.entries, done.n.commits, done.n.pieces, done.files,
		    done.n.faults);
	return done.n.faults == 0 ? ADMIN_DONE : ADMIN_DAMAGE;
}

/* ---- backup */

static void
put_done(const struct admin *a, const struct backup_done *d,
    const struct evidence_copied *n)
{
	char root[2 * HASH_LEN + 1], files[256] = "";

	hex_encode(root, bytes_of(d->root, HASH_LEN));
	if (a->media != NULL)
		(void)snprintf(files, sizeof(files),
		    "\"files\":{\"copied\":%" PRIu64 ",\"damaged\":%" PRIu64
		    ",\"kept\":%" PRIu64 ",\"left\":%" PRIu64
		    ",\"missing\":%" PRIu64 ",\"there\":%" PRIu64 "},",
		    n->copied, n->damaged,
		    n->missing + n->damaged > 0 ? 0 : n->size, n->left,
		    n->missing, n->there);
	if (!a->json && a->media != NULL)
		(void)printf("文件 files: 复制 copied %" PRIu64
			     ", 已有 there %" PRIu64 ", 损坏 damaged %" PRIu64
			     ", 有回执而无文件 missing %" PRIu64 "\n",
		    n->copied, n->there, n->damaged, n->missing);
	if (a->json)
		(void)printf("{%s\"kept\":%" PRIu64
			     ",\"raised\":%s,\"root\":\"%s"
			     "\",\"size\":%" PRIu64 ",\"verified\":true}\n",
		    files, d->kept, d->raised ? "true" : "false", root,
		    d->size);
	else
		(void)printf("已备份并核实 backed up and verified: %" PRIu64
			     " 条 entries, 根 root %s\n",
		    d->size, root);
}

/* The court's second copy of files, before the log that has their receipts:
 * what it says is kept is there. */
static enum status
copy_files(struct admin *a, struct evidence **ev, struct evidence_copied *n)
{
	struct evidence_config ec = { .dir = a->dir,
		.centre = a->centre,
		.port = port_system(),
		.memory = true };
	char why[EVIDENCE_ERRMSG_LEN];
	uint64_t done;
	enum status st;

	memset(n, 0, sizeof(*n));
	if (a->media == NULL)
		return ST_OK;
	st = evidence_open(ev, &ec, why);
	if (st == ST_OK)
		st = evidence_follow(*ev, 0, &done);
	if (st == ST_OK)
		st = evidence_copy(*ev, a->media, n);
	if (st == ST_OK && n->left > 0)
		st = admin_put_left(a, *ev, a->media);
	return st;
}

/* Log that they are kept, if all of them are. */
static int
keep_files(
    struct admin *a, struct evidence *ev, const struct evidence_copied *n)
{
	enum status st;

	if (ev == NULL)
		return ADMIN_DONE;
	if (n->damaged > 0 || n->missing > 0) {
		(void)admin_refuse(a,
		    "有文件损坏或不在库中：手持机不得清除附件，请运行 check",
		    "files are damaged or gone here: handhelds are not told "
		    "that they may forget theirs.  Run check");
		return ADMIN_DAMAGE;
	}
	st = evidence_keep(ev, n->size, a->by);
	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "backup", st);
}

static int
run_backup(struct admin *a)
{
	struct backup_config cfg = { .path = a->out, .by = a->by };
	struct evidence *ev = NULL;
	struct evidence_copied n;
	int rc;
	char errmsg[BACKUP_ERRMSG_LEN];
	struct backup_done done;
	enum status st;

	if (!admin_needs(a, "--out", a->out))
		return ADMIN_USAGE;
	/* While it is copied too it is nobody else's to read. */
	(void)umask(077);
	st = copy_files(a, &ev, &n);
	if (st != ST_OK) {
		evidence_close(ev);
		return admin_fail(a, a->media, st);
	}
	st = backup_make(a->centre, &cfg, &done, errmsg);
	if (done.placed)
		put_done(a, &done, &n);
	rc = st == ST_OK ? keep_files(a, ev, &n) : ADMIN_FAILED;
	evidence_close(ev);
	if (st == ST_OK)
		return rc;
	(void)admin_refuse(a,
	    done.placed ? "备份本身完好，但日志未能登记"
			: "备份未成，已备份大小不变",
	    errmsg[0] == '\0' ? status_text(st) : errmsg);
	return st == ST_CORRUPT ? ADMIN_DAMAGE : ADMIN_FAILED;
}

const struct admin_command admin_upkeep_commands[] = {
	{ "check", false, run_check, "", "检查整个目录",
	    "check the whole folder: what is wrong, where, and what to do" },
	{ "backup", true, run_backup, "--out FILE [--media FOLDER] [--by ID]",
	    "备份", "a verified copy of the log, while the server runs" },
	{ "recover", true, admin_recover,
	    "--store FILE --recovery-key FILE --reason "
	    "replaced|lost|seized|copied [--media FOLDER]",
	    "取回手持机数据", "deliver a broken or found handheld's file" },
	{ "held", true, admin_held, "", "暂扣的条目",
	    "list entries that wait to be admitted" },
	{ "admit", true, admin_admit,
	    "--entry ID… | --dev DEV | --chain C [--branch N]  --reason R "
	    "[--by ID]",
	    "准入", "bring held entries into the merge" },
	{ "hold", true, admin_hold,
	    "--record REC --entry ID… --reason R [--by ID]", "暂扣",
	    "keep entries of a record out of the merge" },
	{ NULL, false, NULL, NULL, NULL, NULL },
};
