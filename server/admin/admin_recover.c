/* admin_recover: a broken or found handheld's file comes in. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "crypt/secret.h"
#include "entry/json.h"
#include "server/admin/admin_upkeep.h"
#include "server/upkeep/recover.h"

enum { KEY_FILE_MAX = 4096 };

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
			     ",\"filled\":%" PRIu64 ",\"foreign\":%" PRIu64
			     ",\"held\":%" PRIu64 ",\"holes\":%" PRIu64
			     ",\"lost\":%" PRIu64 ",\"uncertain\":%s"
			     ",\"unplaced\":%" PRIu64 "}\n",
		    r->added, r->bare_ends, r->chains, r->damaged, r->dev,
		    r->entries, r->filled, r->foreign, r->held, r->holes,
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
	if (r->held > 0)
		(void)puts("已暂扣：待主管审核后准入（held、admit）\n"
			   "held until a supervisor admits it: held, admit");
	if (r->uncertain || r->damaged > 0)
		(void)puts("链尾或整条链有损坏：可能还有条目没有读出\n"
			   "an end or a whole chain is damaged: there may have "
			   "been more entries");
}

int
admin_recover(struct admin *a)
{
	struct recover_config cfg = { .centre = a->centre,
		.roster = a->roster,
		.file = a->store,
		.reason = a->reason };
	uint8_t rnd[8], *key;
	char errmsg[RECOVER_ERRMSG_LEN], work[4096], hex[17];
	struct recovered done;
	enum status st;

	if (!admin_needs(a, "--store", a->store) ||
	    !admin_needs(a, "--recovery-key", a->recovery_key) ||
	    !admin_needs(a, "--reason", a->reason))
		return ADMIN_USAGE;
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
	st = recover_file(&cfg, &done, errmsg);
	secret_free(key);
	if (st == ST_OK || done.entries > 0)
		put_recovered(a, &done);
	if (st == ST_OK)
		return ADMIN_DONE;
	(void)admin_refuse(
	    a, "未能取回", errmsg[0] == '\0' ? status_text(st) : errmsg);
	return st == ST_CORRUPT ? ADMIN_DAMAGE : ADMIN_FAILED;
}
