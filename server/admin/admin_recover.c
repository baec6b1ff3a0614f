/* admin_recover: a broken or found handheld's file comes in. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/enc.h"
#include "crypt/secret.h"
#include "entry/json.h"
#include "server/admin/admin_upkeep.h"
#include "server/upkeep/recover.h"

enum { KEY_FILE_MAX = 4096, PATH_LEN = 4096 };

/* The file that `init` gave to take away, or the key alone as hex and LF. */
static enum status
parse_key(struct bytes in, uint8_t key[RECOVER_KEY_LEN])
{
	struct json j;
	uint32_t n = 0;
	enum status st;

	if (in.len == 2 * RECOVER_KEY_LEN + 1 && in.p[in.len - 1] == '\n')
		in.len--;
	if (in.len == 2 * RECOVER_KEY_LEN)
		return hex_decode(key, RECOVER_KEY_LEN, in);
	json_init(&j);
	st = json_parse(&j, in, JSON_DOCUMENT);
	if (st == ST_OK)
		n = json_get(&j, 0, "recovery");
	if (st == ST_OK)
		st =
		    n == 0 ? ST_INVALID : json_hex(&j, n, key, RECOVER_KEY_LEN);
	json_free(&j);
	return st;
}

static enum status
read_key(const char *path, uint8_t key[RECOVER_KEY_LEN])
{
	struct buf file;
	enum status st;

	buf_init(&file, KEY_FILE_MAX);
	st = port_read_file(port_system(), path, &file);
	if (st == ST_OK)
		st = parse_key(buf_view(&file), key);
	buf_wipe(&file);
	return st;
}

static void
put_recovered(const struct admin *a, const struct recovered *r)
{
	if (a->json) {
		(void)printf("{\"added\":%" PRIu64 ",\"bare_ends\":%" PRIu64
			     ",\"chains\":%" PRIu64 ",\"damaged\":%" PRIu64
			     ",\"dev\":\"%s\",\"entries\":%" PRIu64
			     ",\"files\":%" PRIu64 ",\"files_absent\":%" PRIu64
			     ",\"files_bad\":%" PRIu64
			     ",\"files_there\":%" PRIu64 ",\"filled\":%" PRIu64
			     ",\"foreign\":%" PRIu64 ",\"held\":%" PRIu64
			     ",\"holes\":%" PRIu64 ",\"lost\":%" PRIu64
			     ",\"uncertain\":%s"
			     ",\"unplaced\":%" PRIu64 "}\n",
		    r->added, r->bare_ends, r->chains, r->damaged, r->dev,
		    r->entries, r->files, r->files_absent, r->files_bad,
		    r->files_there, r->filled, r->foreign, r->held, r->holes,
		    r->lost, r->uncertain ? "true" : "false", r->unplaced);
		return;
	}
	(void)printf("设备 device %s: 交付 delivered %" PRIu64
		     " 条 entries, 日志新增 new in the log %" PRIu64
		     ", 补上 filled %" PRIu64 "\n"
		     "只剩摘要 digest alone %" PRIu64 ", 缺失 gone %" PRIu64
		     ", 无签名覆盖 not signed %" PRIu64 "\n",
	    r->dev, r->entries, r->added, r->filled, r->lost, r->holes,
	    r->bare_ends + r->unplaced);
	if (r->files + r->files_there + r->files_absent + r->files_bad > 0)
		(void)printf("文件 files: 取回 came %" PRIu64
			     ", 已有 there %" PRIu64 ", 不在 gone %" PRIu64
			     ", 打不开 damaged %" PRIu64 "\n",
		    r->files, r->files_there, r->files_absent, r->files_bad);
	if (r->held > 0)
		(void)puts("已暂扣：待主管审核后准入（held、admit）\n"
			   "held until a supervisor admits it: held, admit");
	if (r->uncertain || r->damaged > 0)
		(void)puts("链尾或整条链有损坏：可能还有条目没有读出\n"
			   "an end or a whole chain is damaged: there may have "
			   "been more entries");
}

/* The folder of sealed files: named, or beside the store as on the handheld.
 * False: it was refused. */
static bool
find_blobs(struct admin *a, char out[PATH_LEN], const char **blobs)
{
	const char *slash = strrchr(a->store, '/');
	struct stat sb;

	*blobs = NULL;
	(void)snprintf(out, PATH_LEN, "%.*s%s",
	    slash == NULL ? 0 : (int)(slash - a->store + 1), a->store, "blobs");
	if (a->media != NULL)
		(void)snprintf(out, PATH_LEN, "%s", a->media);
	if (stat(out, &sb) == 0 && S_ISDIR(sb.st_mode))
		*blobs = out;
	if (a->media == NULL || *blobs != NULL)
		return true;
	(void)admin_refuse(a, "--media 不是文件夹", "--media is no folder");
	return false;
}

/* Entries, and files if there is a folder of them. */
static enum status
recover_all(struct admin *a, struct recover_config *cfg, struct recovered *done,
    char errmsg[RECOVER_ERRMSG_LEN])
{
	struct evidence_config ec = { .dir = a->dir,
		.centre = a->centre,
		.port = port_system(),
		.memory = true };
	enum status st = ST_OK;

	memset(done, 0, sizeof(*done));
	errmsg[0] = '\0';
	if (cfg->blobs != NULL)
		st = evidence_open(&cfg->evidence, &ec, errmsg);
	if (st == ST_OK)
		st = recover_file(cfg, done, errmsg);
	evidence_close(cfg->evidence);
	return st;
}

int
admin_recover(struct admin *a)
{
	struct recover_config cfg = { .centre = a->centre,
		.roster = a->roster,
		.file = a->store,
		.reason = a->reason };
	uint8_t rnd[8], *key;
	char errmsg[RECOVER_ERRMSG_LEN], work[PATH_LEN], hex[17];
	char blobs[PATH_LEN];
	struct recovered done;
	enum status st;

	if (!admin_needs(a, "--store", a->store) ||
	    !admin_needs(a, "--recovery-key", a->recovery_key) ||
	    !admin_needs(a, "--reason", a->reason))
		return ADMIN_USAGE;
	if (!find_blobs(a, blobs, &cfg.blobs))
		return ADMIN_FAILED;
	key = secret_new(RECOVER_KEY_LEN);
	if (key == NULL)
		return admin_fail(a, "recover", ST_NOMEM);
	st = read_key(a->recovery_key, key);
	if (st != ST_OK) {
		secret_free(key);
		return admin_refuse(a, "读不出恢复密钥",
		    "--recovery-key is the file that init gave to take away, "
		    "or the key as 64 hex digits");
	}
	port_random(port_system(), rnd, sizeof(rnd));
	hex_encode(hex, bytes_of(rnd, sizeof(rnd)));
	(void)snprintf(work, sizeof(work), "%s/recover.%s", a->dir, hex);
	cfg.key = key;
	cfg.work = work;
	st = recover_all(a, &cfg, &done, errmsg);
	secret_free(key);
	if (st == ST_OK || done.entries > 0)
		put_recovered(a, &done);
	if (st == ST_OK)
		return ADMIN_DONE;
	(void)admin_refuse(
	    a, "未能取回", errmsg[0] == '\0' ? status_text(st) : errmsg);
	return st == ST_CORRUPT ? ADMIN_DAMAGE : ADMIN_FAILED;
}
