#include "agent/core/blobs.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/enc.h"
#include "entry/chain.h"

enum status
agent_why(struct agent *a, enum status st, const char *zh, const char *en)
{
	words_clear(&a->words);
	words_put(&a->words, zh, en);
	return st;
}

enum status
agent_log_why(struct agent *a, enum status st)
{
	switch (st) {
	case ST_OK:
		return st;
	case ST_FULL:
		return agent_why(a, st, "存储已满：未保存，请先同步或清理空间",
		    "the disk is full: not saved; sync or make room first");
	case ST_DENIED:
		return agent_why(
		    a, st, "人员或口令不对", "wrong officer or passphrase");
	case ST_INVALID:
		return agent_why(a, st, "口令须有 10 个字符或 5 个词以上",
		    "a passphrase needs 10 characters or 5 words");
	case ST_LOCKED:
		return agent_why(a, st, "已锁定", "locked");
	default:
		return agent_why(a, st, "本机存储出错",
		    log_errmsg(a->log)[0] != '\0' ? log_errmsg(a->log)
						  : status_text(st));
	}
}

enum status
agent_keys_ready(struct agent *a)
{
	if (a->log == NULL)
		return agent_why(a, ST_LOCKED, "尚未入网：先用入网码 enrol",
		    "not enrolled yet: enrol with a code first");
	if (a->view == NULL)
		return agent_why(a, ST_LOCKED, "已锁定，请输入口令",
		    "locked: unlock with a passphrase first");
	if (!a->court.joined)
		return agent_why(a, ST_LOCKED, "入网尚未完成：请再次 enrol",
		    "enrolment is not finished: enrol again with the same "
		    "code");
	return ST_OK;
}

enum status
agent_ready(struct agent *a)
{
	enum status st = agent_keys_ready(a);

	if (st == ST_OK && lock_state(a->lock) == LOCK_SCREEN)
		return agent_why(a, ST_LOCKED, "屏幕已锁定，请输入屏幕密码",
		    "the screen is locked: enter the PIN");
	return st;
}

const char *
agent_error_en(const struct agent *a)
{
	return a->words.en;
}

const char *
agent_error_zh(const struct agent *a)
{
	return a->words.zh;
}

const struct kinds *
agent_kinds(const struct agent *a)
{
	return a->kinds;
}

static struct log_config
log_config_of(const struct agent *a)
{
	struct log_config c = {
		.path = a->log_path, .vfs = a->vfs, .port = a->port
	};

	if (a->weak_kdf) {
		c.kdf = (struct keyslot_kdf){
			.mem_kib = 64, .passes = 1, .weak_for_tests = true
		};
		c.no_reserve = true;
	}
	return c;
}

/* home/log.db, the folder made if it is not there. */
static enum status
set_paths(struct agent *a, const char *home, const char *vfs)
{
	size_t len = strlen(home) + sizeof("/log.db");

	if (vfs != NULL) {
		a->vfs = strdup(vfs);
		if (a->vfs == NULL)
			return ST_NOMEM;
	}
	a->home = strdup(home);
	a->log_path = malloc(len);
	if (a->home == NULL || a->log_path == NULL)
		return ST_NOMEM;
	(void)snprintf(a->log_path, len, "%s/log.db", home);
	if (vfs == NULL) {
		a->blobs_dir = malloc(len);
		if (a->blobs_dir == NULL)
			return ST_NOMEM;
		(void)snprintf(a->blobs_dir, len, "%s/blobs", home);
	}
	if (vfs == NULL && mkdir(home, 0700) != 0 && errno != EEXIST)
		return ST_IO;
	return ST_OK;
}

enum status
agent_open(struct agent **out, const struct agent_config *c)
{
	struct lock_config locks = { .screen_idle_ms = 5 * 60 * 1000,
		.full_idle_ms = 4 * 3600 * 1000 };
	struct log_config lc;
	struct agent *a;
	enum status st;

	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return ST_NOMEM;
	a->port = c->port;
	a->uplink = c->uplink;
	a->offset_min = c->utc_offset_min;
	a->weak_kdf = c->weak_kdf_for_tests;
	buf_init(&a->desc_files, DOC_BYTES_MAX);
	buf_init(&a->tip_note, NOTE_BYTES_MAX);
	st = set_paths(a, c->home, c->vfs);
	if (st == ST_OK && c->look != NULL) {
		a->look = strdup(c->look);
		st = a->look == NULL ? ST_NOMEM : ST_OK;
	}
	if (st == ST_OK && c->film != NULL) {
		a->film = strdup(c->film);
		st = a->film == NULL ? ST_NOMEM : ST_OK;
	}
	if (st == ST_OK)
		st = lock_new(&a->lock, &locks);
	if (st == ST_OK)
		st = agent_base_open(a, c);
	if (st == ST_OK)
		st = wire_codec_new(&a->codec);
	if (st == ST_OK)
		st = sync_msg_new(&a->msg);
	if (st == ST_OK) {
		lc = log_config_of(a);
		st = log_open(&a->log, &lc);
		if (st == ST_ABSENT)
			st = ST_OK;
	}
	if (st != ST_OK) {
		agent_close(a);
		return st;
	}
	*out = a;
	return ST_OK;
}

void
agent_close(struct agent *a)
{
	if (a == NULL)
		return;
	agent_lock(a);
	log_close(a->log);
	lock_free(a->lock);
	sync_msg_free(a->msg);
	wire_codec_free(a->codec);
	agent_base_close(a);
	buf_free(&a->desc_files);
	buf_free(&a->tip_note);
	free(a->home);
	free(a->log_path);
	free(a->vfs);
	free(a->blobs_dir);
	free(a->look);
	free(a->film);
	free(a);
}

void
agent_lock(struct agent *a)
{
	while (a->pending_count > 0)
		agent_pending_drop(a, &a->pending[0]);
	free(a->pending);
	a->pending = NULL;
	view_free(a->view);
	a->view = NULL;
	agent_defs_forget(a);
	erasures_free(a->erasures);
	a->erasures = NULL;
	blobs_free(a);
	agent_court_forget(a);
	a->by[0] = '\0';
	if (a->log != NULL)
		log_lock(a->log);
	if (a->lock != NULL)
		lock_full(a->lock);
}

bool
agent_is_unlocked(const struct agent *a)
{
	return a->view != NULL;
}

/* One entry of the log goes into the view. */
static enum status
replay_one(void *arg, const struct log_entry *le)
{
	struct agent *a = arg;
	struct view_entry e = { .raw = le->e.raw,
		.flags = le->own ? VIEW_OWN : 0,
		.place = le->own ? VIEW_NO_PLACE : le->place };
	const struct entry *parsed;
	enum status st;

	if ((le->e.is != CHAINFILE_WHOLE && le->e.is != CHAINFILE_HEAD) ||
	    !le->e.has_link)
		return ST_OK;
	memcpy(e.id, le->e.link, ID_LEN);
	if (!le->own && (le->flags & STREAM_SERVER) != 0)
		e.flags |= VIEW_SERVER;
	if (!le->own && (le->flags & STREAM_BARE) != 0)
		e.flags |= VIEW_BARE;
	st = view_add(a->view, &e);
	if (st == ST_INVALID)
		return ST_OK; /* kept and sent, but no record can show it */
	parsed = view_parsed(a->view);
	if (st == ST_OK && le->own && parsed->has_seen) {
		a->has_stated = true;
		a->stated_size = parsed->seen_size;
	}
	return st;
}

/* Where a receipt says that our own entries are in the log. */
static enum status
show_acked(struct agent *a)
{
	struct log_head h;
	enum status st = ST_OK;

	for (uint32_t n = 1; log_chain(a->log, n, &h) == ST_OK; n++) {
		if (h.unsent_from > 1)
			st = view_acked(a->view, h.chain, h.unsent_from - 1);
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

static enum status
replay(struct agent *a)
{
	enum status st;

	agent_defs_forget(a);
	st = view_new(&a->view, a->kinds, a->rules, a->offset_min);
	if (st == ST_OK)
		st = view_begin(a->view);
	if (st == ST_OK)
		st = log_replay(a->log, replay_one, a, &a->found);
	if (st == ST_OK)
		st = view_end(a->view);
	if (st == ST_OK)
		st = agent_defs_load(a);
	if (st == ST_OK)
		st = agent_erase_run(a);
	return st == ST_OK ? show_acked(a) : st;
}

enum status
agent_view_again(struct agent *a)
{
	struct view *was = a->view;
	enum status st;

	a->view = NULL;
	st = replay(a);
	if (st == ST_OK) {
		view_free(was);
		return ST_OK;
	}
	view_free(a->view);
	a->view = was;
	return st;
}

enum status
agent_batch_begin(struct agent *a)
{
	enum status st = agent_ready(a);

	return st == ST_OK ? agent_log_why(a, log_batch_begin(a->log)) : st;
}

enum status
agent_show_again(struct agent *a)
{
	enum status st;

	view_free(a->view);
	a->view = NULL;
	a->has_stated = false;
	st = replay(a);
	if (st != ST_OK)
		agent_lock(a);
	return st;
}

enum status
agent_batch_end(struct agent *a)
{
	enum status st = log_batch_commit(a->log), again;

	if (st == ST_OK)
		return st;
	log_batch_rollback(a->log);
	st = agent_log_why(a, st);
	again = agent_show_again(a);
	return again == ST_NOMEM ? again : st;
}

/* A head that cannot be trusted, or none: a chain is begun before the first
 * append; the new one names the old. */
static enum status
chain_ready(struct agent *a)
{
	struct log_head head;
	enum status st = log_head(a->log, &head);

	if (st == ST_OK && !a->found.broken)
		return ST_OK;
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	return log_chain_new(a->log, a->court.court_id);
}

enum status
agent_unlock(struct agent *a, const char *officer, struct bytes passphrase)
{
	enum status st;

	if (a->log == NULL)
		return agent_ready(a);
	if (a->view != NULL)
		agent_lock(a);
	st = agent_slot_open(a, officer, passphrase);
	if (st == ST_OK) {
		a->joined_now = !a->court.joined;
		st = agent_join_finish(a);
		a->joined_now = a->joined_now && a->court.joined;
	}
	if (st == ST_OK)
		st = replay(a);
	if (st == ST_OK)
		st = blobs_load(a);
	if (st == ST_OK && a->court.joined)
		st = chain_ready(a);
	if (st != ST_OK) {
		enum status why = agent_log_why(a, st);

		agent_lock(a);
		return why;
	}
	lock_unlocked(a->lock, port_mono_ms(a->port));
	blobs_say_lost(a);
	return ST_OK;
}

enum status
agent_create_log(struct agent *a, struct bytes passphrase)
{
	struct log_config lc = log_config_of(a);

	return log_create(
	    &a->log, &lc, bytes_str(agent_first_slot), passphrase);
}
