/* admin_restore: a new log after one that lost a signed checkpoint
 * (docs/PROTOCOL.md, section 9). */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/admin/admin_upkeep.h"
#include "server/core/restore.h"
#include "server/roster/unconfirmed.h"

enum { ROOT_SECRET_LEN = 64, URL_MAX = 300 };

/* The root key out of the file that `init` gave to take away. */
static enum status
read_root(const char *path, uint8_t root[ROOT_SECRET_LEN])
{
	struct json j;
	struct buf b;
	uint32_t n;
	enum status st;

	json_init(&j);
	buf_init(&b, DOC_BYTES_MAX);
	st = port_read_file(port_system(), path, &b);
	if (st == ST_OK)
		st = json_parse(&j, buf_view(&b), JSON_DOCUMENT);
	if (st == ST_OK) {
		n = json_get_typed(&j, 0, "root", JSON_STRING);
		if (n == 0 ||
		    hex_decode(root, ROOT_SECRET_LEN, json_raw(&j, n)) != ST_OK)
			st = ST_INVALID;
	}
	json_free(&j);
	buf_wipe(&b);
	return st;
}

static const char *
url_of(char out[URL_MAX], const char *address)
{
	if (address == NULL)
		return NULL;
	(void)snprintf(out, URL_MAX, "https://%s", address);
	return out;
}

static void
say_done(const struct admin *a, const struct restore_done *d)
{
	struct buf b;

	buf_init(&b, DOC_BYTES_MAX);
	buf_printf(&b, "{\"restored\":true,\"kept\":%" PRIu64, d->kept);
	buf_printf(&b, ",\"best\":%" PRIu64 ",\"descriptor\":%" PRIu64, d->best,
	    d->version);
	buf_str(&b, ",\"origin\":");
	json_put_str(&b, d->origin);
	buf_str(&b, ",\"old_origin\":");
	json_put_str(&b, d->old_origin);
	buf_u8(&b, '}');
	if (a->json && buf_cstr(&b) != NULL)
		(void)puts((const char *)b.p);
	buf_free(&b);
	(void)fprintf(stderr,
	    "新日志已从备份的 %" PRIu64
	    " 条起建立（旧日志最好的检查点：%" PRIu64
	    "）。\n请启动服务：各手持机同步时自会认得新日志，并把备份之后的条目"
	    "补交上来。\n备份之后的吊销、人员与入网请核对："
	    "见 docs/OPERATIONS.md。\n"
	    "A new log begins on the %" PRIu64 " entries of the backup (best "
	    "checkpoint known of the old one: %" PRIu64 ").\n"
	    "Start the server: handhelds learn of it when they sync, and hand "
	    "in again what came after the backup.\nRevocations, people and "
	    "enrolments after the backup want a look: docs/OPERATIONS.md.\n",
	    d->kept, d->best, d->kept, d->best);
}

static int
restore_with(struct admin *a, const uint8_t *root, const struct bytes *note,
    const struct bytes *descriptor)
{
	char devices[URL_MAX], pub[URL_MAX], errmsg[CENTRE_ERRMSG_LEN];
	bool in_place = a->from == NULL || strcmp(a->from, a->dir) == 0;
	struct restore_given g = { .dir = a->dir,
		.from = in_place ? NULL : a->from,
		.keys = a->keys,
		.root_secret = root,
		.note = note,
		.note_count = a->note_count,
		.descriptor = descriptor,
		.descriptor_count = a->descriptor_count,
		.origin = a->origin,
		.by = a->by,
		.stolen = a->stolen,
		.even_living = a->confirm,
		.port = port_system() };
	struct restore_done done;
	enum status st;

	g.devices_at = url_of(devices, a->devices_address);
	g.public_at = url_of(pub, a->address);
	st = centre_restore(&done, &g, errmsg);
	if (st == ST_OK) {
		say_done(a, &done);
		return ADMIN_DONE;
	}
	(void)admin_refuse(a, "未能恢复", errmsg);
	return st == ST_CORRUPT ? ADMIN_DAMAGE : ADMIN_FAILED;
}

/* Files into buffers, which are the caller's to free either way. */
static int
read_files(struct admin *a, const char *const *name, size_t count, size_t max,
    struct buf *file, struct bytes *out)
{
	int rc = ADMIN_DONE;

	for (size_t i = 0; i < count; i++)
		buf_init(&file[i], max);
	for (size_t i = 0; i < count && rc == ADMIN_DONE; i++) {
		enum status st =
		    port_read_file(port_system(), name[i], &file[i]);

		out[i] = buf_view(&file[i]);
		if (st != ST_OK)
			rc = admin_fail(a, name[i], st);
	}
	return rc;
}

static void
free_files(struct buf *file, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_free(&file[i]);
}

enum { DESCRIPTORS_DOC_MAX = 4 << 20 }; /* what GET /v1/descriptor answers */

static int
run_restore(struct admin *a)
{
	uint8_t root[ROOT_SECRET_LEN];
	struct bytes note[RESTORE_NOTES_MAX], desc[RESTORE_DESCRIPTORS_MAX];
	struct buf notes[RESTORE_NOTES_MAX], descs[RESTORE_DESCRIPTORS_MAX];
	int rc;
	enum status st;

	if (!admin_needs(a, "--root-key", a->root_key))
		return ADMIN_USAGE;
	if (a->note_count > RESTORE_NOTES_MAX)
		return admin_refuse(a, "--note 过多", "too many --note");
	if (a->descriptor_count > RESTORE_DESCRIPTORS_MAX)
		return admin_refuse(
		    a, "--descriptor 过多", "too many --descriptor");
	rc = read_files(a, a->note, a->note_count, NOTE_BYTES_MAX, notes, note);
	if (rc != ADMIN_DONE) {
		free_files(notes, a->note_count);
		return rc;
	}
	rc = read_files(a, a->descriptor, a->descriptor_count,
	    DESCRIPTORS_DOC_MAX, descs, desc);
	st = rc == ADMIN_DONE ? read_root(a->root_key, root) : ST_OK;
	if (st != ST_OK)
		rc = admin_fail(a, a->root_key, st);
	if (rc == ADMIN_DONE)
		rc = restore_with(a, root, note, desc);
	sodium_memzero(root, sizeof(root));
	free_files(notes, a->note_count);
	free_files(descs, a->descriptor_count);
	return rc;
}

/* ---- confirm */

static enum status
put_unconfirmed(void *arg, const struct store_doc *d)
{
	const struct admin *a = arg;
	char first[32];

	at_format(first, d->made, (int)a->config.utc_offset_min);
	if (a->json)
		(void)printf("{\"dev\":\"%.*s\",\"since\":\"%s\"}\n",
		    (int)d->key.len, (const char *)d->key.p, first);
	else
		(void)printf("%.*s  %s\n", (int)d->key.len,
		    (const char *)d->key.p, first);
	return ST_OK;
}

/* Who joined after the backup may stand in no roster; who does stays as they
 * are. */
static int
put_unknown(struct admin *a)
{
	struct roster_person p = { .id = "" };
	enum status st = roster_person(a->roster, a->person, &p);

	if (st == ST_ABSENT)
		return admin_put_person(a);
	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "confirm", st);
}

/* Without --dev: who waits. */
static int
run_confirm(struct admin *a)
{
	struct roster_enrol e = { .person = a->person,
		.name = a->name,
		.role = a->role,
		.team = a->team == NULL ? "" : a->team,
		.by = a->by };
	enum status st;
	int rc;

	if (a->dev == NULL) {
		struct centre_reader *r = NULL;

		st = centre_reader_open(&r, a->centre);
		if (st == ST_OK)
			st = unconfirmed_each(r, put_unconfirmed, a);
		centre_reader_close(r);
		return st == ST_OK ? ADMIN_DONE : admin_fail(a, "confirm", st);
	}
	if (!admin_needs(a, "--person", a->person) ||
	    !admin_needs(a, "--name", a->name) ||
	    !admin_needs(a, "--role", a->role))
		return ADMIN_USAGE;
	if (!admin_role_known(a, false))
		return ADMIN_FAILED;
	st = unconfirmed_confirm(a->centre, a->roster, a->dev, &e);
	if (st == ST_ABSENT)
		return admin_refuse(a, "没有这样的待确认手持机：它要先同步一次",
		    "no such device waits for confirmation: it must sync once "
		    "first");
	if (st == ST_CONFLICT)
		return admin_refuse(
		    a, "该手持机已在册", "that device is in the log already");
	if (st != ST_OK)
		return admin_fail(a, "confirm", st);
	rc = put_unknown(a);
	if (rc == ADMIN_DONE && a->json)
		(void)puts("{\"confirmed\":true}");
	return rc;
}

const struct admin_command admin_restore_commands[] = {
	{ "restore", false, run_restore,
	    "--root-key TAKE-AWAY.json [--from BACKUP] [--keys FOLDER] "
	    "[--note FILE]… [--descriptor FILE]… [--stolen] "
	    "[--confirm]",
	    "日志丢了签过名的检查点之后，从备份建立新日志",
	    "begin a new log on a backup (or, halted, in place) after a signed "
	    "checkpoint was lost" },
	{ "confirm", true, run_confirm,
	    "[--dev DEV --person ID --name N --role R [--team T]]",
	    "确认恢复之后仍未在册的手持机；不带选项则列出",
	    "take a device that joined after the backup into the log again; "
	    "without options: who waits" },
	{ "returned", true, admin_run_returned, "",
	    "恢复以前的日志里的命令，由手持机带回，等人重做",
	    "what handhelds brought back of the log before a restore, for you "
	    "to repeat" },
	{ NULL, false, NULL, NULL, NULL, NULL },
};
