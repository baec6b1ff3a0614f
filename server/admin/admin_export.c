/* admin_export: one record, with what proves it, into a file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/admin/admin.h"
#include "server/core/export.h"
#include "tlog/proof.h"
#include "verify/bundle.h"

enum { PLACE_TEXT_MAX = 19, FILE_NAME_MAX = 4096 };

/* ---- what was asked for */

/* "ENTRY:REASON": the text is cut in two. */
static bool
read_withhold(const char *text, struct export_withheld *out)
{
	const char *colon = strchr(text, ':');

	if (colon == NULL ||
	    hex_decode(out->id, ID_LEN,
		bytes_of(text, (size_t)(colon - text))) != ST_OK)
		return false;
	out->reason = colon + 1;
	return true;
}

static bool
read_place(const char *text, uint64_t *out)
{
	char *end;

	if (strlen(text) == 0 || strlen(text) > PLACE_TEXT_MAX ||
	    strspn(text, "0123456789") != strlen(text))
		return false;
	*out = strtoull(text, &end, 10);
	return *end == '\0';
}

/* The size of the tree that somebody's checkpoint or receipt speaks of; only
 * of this log, for it is written into the file that it can be reached. */
static enum status
anchor_size(const struct admin *a, const char *path, uint64_t *out)
{
	struct checkpoint cp;
	struct proof proof;
	struct bytes note;
	struct buf file;
	enum status st;

	buf_init(&file, PROOF_BYTES_MAX);
	st = port_read_file(port_system(), path, &file);
	note = buf_view(&file);
	if (st == ST_OK && bytes_starts(note, "c2sp.org/tlog-proof@")) {
		st = proof_parse(&proof, note);
		note = proof.note;
	}
	if (st == ST_OK)
		st = checkpoint_open(&cp, note, centre_log_key(a->centre));
	if (st == ST_OK)
		*out = cp.size;
	buf_free(&file);
	return st;
}

static int
read_anchors(const struct admin *a, uint64_t *size)
{
	char en[512];

	for (size_t i = 0; i < a->anchor_count; i++) {
		enum status st = anchor_size(a, a->anchor[i], &size[i]);

		if (st == ST_OK)
			continue;
		(void)snprintf(en, sizeof(en), "%.300s: %s", a->anchor[i],
		    st == ST_ABSENT || st == ST_DENIED
			? "not there, or not signed by this log"
			: status_text(st));
		return admin_refuse(a, "凭据不能用", en);
	}
	return ADMIN_DONE;
}

/* ---- doing it */

static int
refuse(const struct admin *a, enum status st, const struct export_why *why)
{
	if (why->zh != NULL)
		return admin_refuse(a, why->zh, why->en);
	return admin_fail(a, "export", st);
}

static int
log_one(const struct admin *a, uint64_t *place)
{
	struct export_withheld withheld[ADMIN_MANY_MAX];
	struct export_what what = { .rec = a->record,
		.by = a->by,
		.withheld = withheld,
		.withheld_count = a->withhold_count };
	struct export_why why = { 0 };
	enum status st;

	for (size_t i = 0; i < a->withhold_count; i++) {
		if (read_withhold(a->withhold[i], &withheld[i]))
			continue;
		return admin_refuse(a, "隐去的写法是 条目号:理由",
		    "--withhold is ENTRY:REASON, the entry's id being 32 hex "
		    "digits");
	}
	st = export_manifest(a->centre, &what, place, &why);
	return st == ST_OK ? ADMIN_DONE : refuse(a, st, &why);
}

static int
tell(const struct admin *a, const struct export_done *d, size_t bytes,
    const struct admin_media *m)
{
	struct buf b;

	if (!a->json && a->media != NULL)
		(void)printf("文件 files: 已复制 copied %" PRIu64
			     ", 已在 there %" PRIu64
			     ", 中心没有 not stored here %" PRIu64
			     ", 损坏 damaged %" PRIu64 "\n",
		    m->copied, m->there, m->absent, m->damaged);
	if (!a->json) {
		(void)printf("记录 record %s: %" PRIu64 " 条 entries, "
			     "隐去 withheld %" PRIu64 ", 清单 manifest %" PRIu64
			     ", 检查点 checkpoint %" PRIu64 ", %zu bytes\n",
		    d->rec, d->entries, d->withheld, d->manifest, d->size,
		    bytes);
		return ADMIN_DONE;
	}
	buf_init(&b, 2 * FILE_NAME_MAX);
	buf_printf(&b,
	    "{\"bare\":%" PRIu64 ",\"bytes\":%zu,\"entries\":%" PRIu64, d->bare,
	    bytes, d->entries);
	if (a->media != NULL)
		buf_printf(&b,
		    ",\"files\":{\"absent\":%" PRIu64 ",\"copied\":%" PRIu64
		    ",\"damaged\":%" PRIu64 ",\"there\":%" PRIu64 "}",
		    m->absent, m->copied, m->damaged, m->there);
	buf_printf(&b,
	    ",\"held\":%" PRIu64 ",\"lacking\":%" PRIu64
	    ",\"manifest\":%" PRIu64 ",\"record\":\"%s\",\"size\":%" PRIu64
	    ",\"withheld\":%" PRIu64 "}",
	    d->held, d->lacking, d->manifest, d->rec, d->size, d->withheld);
	if (buf_cstr(&b) != NULL)
		(void)puts((const char *)b.p);
	buf_free(&b);
	return ADMIN_DONE;
}

static int
run_export(struct admin *a)
{
	uint64_t size[ADMIN_MANY_MAX], place = 0;
	struct admin_media media = { .copied = 0 };
	struct export_why why = { 0 };
	struct export_done done;
	struct buf file;
	enum status st;
	int rc;

	if (!admin_needs(a, "--out", a->out) ||
	    (a->media != NULL && !admin_needs(a, "--by", a->by)))
		return ADMIN_USAGE;
	if (a->manifest == NULL && !admin_needs(a, "--record", a->record))
		return ADMIN_USAGE;
	if (a->manifest != NULL &&
	    (a->record != NULL || a->withhold_count > 0 ||
		!read_place(a->manifest, &place)))
		return admin_refuse(a, "--manifest 是已有清单的位置，单独使用",
		    "--manifest is the place of a manifest that is in the log, "
		    "and stands without --record and --withhold");
	rc = read_anchors(a, size);
	if (rc == ADMIN_DONE && a->manifest == NULL)
		rc = log_one(a, &place);
	if (rc != ADMIN_DONE)
		return rc;
	buf_init(&file, BUNDLE_BYTES_MAX);
	st = export_bundle(
	    a->centre, place, size, a->anchor_count, &file, &done, &why);
	if (st == ST_OK)
		st = port_write_file(
		    port_system(), a->out, buf_view(&file), true);
	/* Files come last: the bundle is good without them. */
	if (st == ST_OK && a->media != NULL) {
		st = admin_media_copy(a, buf_view(&file), &media);
		if (st != ST_OK && st != ST_CORRUPT) {
			buf_free(&file);
			return admin_fail(a, a->media, st);
		}
	}
	rc = st == ST_OK || st == ST_CORRUPT ? tell(a, &done, file.len, &media)
					     : refuse(a, st, &why);
	if (rc == ADMIN_DONE && media.damaged > 0)
		rc = ADMIN_DAMAGE;
	buf_free(&file);
	return rc;
}

const struct admin_command admin_export_commands[] = {
	{ "export", true, run_export,
	    "--record REC --out FILE [--withhold ENTRY:REASON]… "
	    "[--anchor FILE]… | --manifest PLACE --out FILE [--anchor FILE]…  "
	    "[--media FOLDER --by ID [--reason R]]",
	    "导出一份记录及其证明",
	    "one record with its proof, for daybreak-audit bundle" },
	{ NULL, false, NULL, NULL, NULL, NULL },
};
