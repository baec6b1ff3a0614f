#include "server/upkeep/recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/upkeep/recover_inner.h"

enum status
recover_say(struct delivery *d, enum status st, const char *zh, const char *en)
{
	(void)snprintf(d->errmsg, RECOVER_ERRMSG_LEN, "%s\n%s", zh, en);
	return st;
}

/* ---- whose chain it is */

static bool
is_reason(const char *word)
{
	static const char *const words[] = { "replaced", "lost", "seized",
		"copied" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

/*
 * A handheld that is in doubt never comes in unheld; and whoever says that one
 * is in doubt says so in the log first, so that it gets nothing from then on.
 */
static enum status
judge(struct delivery *d)
{
	bool merges = strcmp(d->cfg->reason, "replaced") == 0;
	struct roster_device dev;
	enum status st =
	    roster_device_by_key(d->cfg->roster, d->chain.public_key, &dev);

	if (st == ST_ABSENT)
		return recover_say(d, ST_DENIED, "此设备未在本院入网",
		    "its device was never enrolled in this court");
	if (st != ST_OK)
		return recover_say(d, st, "未能查询设备", status_text(st));
	memcpy(d->out->dev, dev.dev, sizeof(d->out->dev));
	if (merges && dev.standing[0] != '\0' &&
	    strcmp(dev.standing, "replaced") != 0)
		return recover_say(d, ST_DENIED,
		    "此设备已登记为丢失、被扣或被复制：请以该原因交付，再由主管"
		    "准入",
		    "this device stands as lost, seized, copied or revoked: "
		    "deliver it with that reason, and admit it afterwards");
	if (!merges && dev.standing[0] == '\0')
		return recover_say(d, ST_DENIED,
		    "此设备仍然有效：请先吊销（revoke --what 原因）",
		    "this device is still trusted: revoke it first "
		    "(revoke --what REASON)");
	memset(&d->dev, 0, sizeof(d->dev));
	memcpy(d->dev.key, d->chain.public_key, PUBKEY_LEN);
	memcpy(d->dev.dev, dev.dev, sizeof(d->dev.dev));
	d->dev.recovered = d->cfg->reason;
	(void)snprintf(
	    d->held, sizeof(d->held), "recovered: %s", d->cfg->reason);
	d->dev.held = merges ? NULL : d->held;
	return ST_OK;
}

/* ---- chains */

static enum status
deliver_chain(struct delivery *d, struct chainfile *f, uint32_t number)
{
	uint64_t last;
	bool certain = true;
	enum status st = chainfile_chain_get(f, number, &d->chain);

	if (st == ST_CORRUPT || st == ST_ABSENT) {
		d->out->damaged++;
		return ST_OK;
	}
	if (st != ST_OK)
		return recover_say(d, st, "未能读取", status_text(st));
	if (memcmp(d->chain.court_id, centre_court_id(d->cfg->centre),
		HASH_LEN) != 0) {
		d->out->foreign++;
		return ST_OK;
	}
	st = judge(d);
	if (st != ST_OK)
		return st;
	d->out->chains++;
	d->count = 0;
	d->hole = false;
	buf_reset(&d->bytes);
	st = chainfile_walk(f, number, 1, UINT64_MAX, recover_take, d, NULL);
	if (st == ST_OK)
		st = recover_end(d);
	if (st == ST_CORRUPT || st == ST_ABSENT) {
		d->out->damaged++;
		return ST_OK;
	}
	if (st == ST_OK)
		st = chainfile_last(f, number, &last, &certain);
	d->out->uncertain = d->out->uncertain || !certain;
	if (st != ST_OK && d->errmsg[0] == '\0')
		return recover_say(d, st, "未能读取", status_text(st));
	return st;
}

static enum status
deliver(struct delivery *d, struct chainfile *f)
{
	uint32_t last = 0;
	enum status st = chainfile_chain_last(f, &last);

	if (st != ST_OK)
		return recover_say(d, st, "读不出其中的链",
		    "its list of chains cannot be read");
	for (uint32_t n = 1; n <= last && st == ST_OK; n++)
		st = deliver_chain(d, f, n);
	if (st == ST_OK && last > 0 && d->out->damaged == last)
		st = recover_say(d, ST_CORRUPT, "任何一条链都读不出",
		    "none of its chains can be read");
	return st;
}

/* ---- the file */

static enum status
open_copy(struct delivery *d, const char *path, struct chainfile **out)
{
	struct chainfile_config cc = { .path = path,
		.port = centre_port(d->cfg->centre),
		.busy_ms = 1000 };
	enum status st = chainfile_open(out, &cc);

	if (st == ST_CONFLICT || st == ST_NEWER)
		return recover_say(d, st, "这不是本系统手持机的文件",
		    "this is no file of a handheld, or of a newer version");
	if (st != ST_OK)
		return recover_say(d, st,
		    "文件首部已损坏，打不开：请交数据恢复机构",
		    "its first page is damaged and it does not open: give the "
		    "disk to a data recovery service");
	st = chainfile_recover(*out, d->cfg->key);
	if (st == ST_DENIED)
		return recover_say(d, st,
		    "恢复密钥不对：须是入网时法院的恢复密钥",
		    "the recovery key does not open it: the court's key of the "
		    "time when it joined is needed");
	if (st != ST_OK)
		return recover_say(d, st, "其中没有完好的恢复密钥槽",
		    "no sound recovery slot is left in it");
	return ST_OK;
}

static enum status
prepare(struct delivery *d)
{
	enum status st = ingest_new(&d->in, d->cfg->centre);

	buf_init(&d->frame, FRAME_WIRE_BYTES_MAX);
	buf_init(&d->bytes, FRAME_BYTES_MAX);
	if (st == ST_OK)
		st = wire_codec_new(&d->codec);
	if (st == ST_OK)
		st = sync_msg_new(&d->msg);
	d->row = calloc(PIECE_ENTRIES_MAX, sizeof(*d->row));
	d->wire = calloc(PIECE_ENTRIES_MAX, sizeof(*d->wire));
	if (st == ST_OK && (d->row == NULL || d->wire == NULL))
		st = ST_NOMEM;
	return st == ST_OK ? st
			   : recover_say(d, st, "内存不足", "out of memory");
}

static void
finish(struct delivery *d)
{
	ingest_free(d->in);
	wire_codec_free(d->codec);
	sync_msg_free(d->msg);
	buf_wipe(&d->frame);
	buf_wipe(&d->bytes);
	free(d->row);
	free(d->wire);
	free(d);
}

enum status
recover_file(const struct recover_config *cfg, struct recovered *out,
    char errmsg[RECOVER_ERRMSG_LEN])
{
	struct committer *cm = centre_committer(cfg->centre);
	struct delivery *d = calloc(1, sizeof(*d));
	struct committer_counters before, after;
	struct chainfile *f = NULL;
	char *copy = NULL;
	enum status st;

	memset(out, 0, sizeof(*out));
	errmsg[0] = '\0';
	if (d == NULL)
		return ST_NOMEM;
	d->cfg = cfg;
	d->out = out;
	d->errmsg = errmsg;
	committer_counters(cm, &before);
	st = is_reason(cfg->reason) ? prepare(d)
				    : recover_say(d, ST_INVALID, "没有此原因",
					  "reasons are replaced, lost, seized "
					  "and copied");
	if (st == ST_OK) {
		st = recover_copy(&copy, cfg->work, cfg->file);
		if (st != ST_OK)
			st =
			    recover_say(d, st, "读不到该文件", status_text(st));
	}
	if (st == ST_OK)
		st = open_copy(d, copy, &f);
	if (st == ST_OK)
		st = deliver(d, f);
	if (st == ST_OK && cfg->blobs != NULL && out->chains > 0)
		st = recover_files(d, f);
	chainfile_close(f);
	if (copy != NULL)
		recover_copy_remove(cfg->work);
	free(copy);
	committer_counters(cm, &after);
	out->added = after.entries - before.entries;
	out->filled = after.filled - before.filled;
	finish(d);
	return st;
}
