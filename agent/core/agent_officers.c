/* Who may open this device, who has opened it, and its locks. */
#include <string.h>

#include "agent/core/agent_impl.h"
#include "agent/log/log_blob.h"
#include "agent/log/log_desk.h"
#include "entry/json.h"

/* Of the officer who enrolled the device; its name tells nothing. */
const char agent_first_slot[] = "first";

enum status
agent_slot_open(struct agent *a, const char *officer, struct bytes passphrase)
{
	bool other = officer != NULL && strcmp(officer, agent_first_slot) != 0;
	enum status st;

	a->by[0] = '\0';
	if (other && strlen(officer) > AGENT_NAME_MAX)
		return ST_DENIED;
	st = log_unlock(
	    a->log, bytes_str(other ? officer : agent_first_slot), passphrase);
	if (st == ST_OK && other)
		memcpy(a->by, officer, strlen(officer) + 1);
	if (st == ST_DENIED && other) {
		st =
		    log_unlock(a->log, bytes_str(agent_first_slot), passphrase);
		if (st == ST_OK)
			st = agent_court_load(a);
		if (st == ST_OK && strcmp(a->court.person, officer) != 0)
			st = ST_DENIED;
	} else if (st == ST_OK) {
		st = agent_court_load(a);
	}
	return st;
}

const char *
agent_by(const struct agent *a)
{
	return a->by[0] != '\0' ? a->by : a->court.person;
}

/* ---- screen lock and officers */

enum status
agent_screen_pin(struct agent *a, struct bytes pin)
{
	enum status st = agent_ready(a);

	if (st == ST_OK)
		st = lock_pin_set(a->lock, pin, a->port);
	if (st == ST_INVALID || st == ST_LIMIT)
		return agent_why(a, st, "屏幕密码须为 4 至 64 个字符",
		    "a screen PIN has 4 to 64 characters");
	return st;
}

void
agent_screen_lock(struct agent *a)
{
	if (lock_screen(a->lock) == LOCK_FULL)
		agent_lock(a);
}

enum status
agent_screen_unlock(struct agent *a, struct bytes pin)
{
	unsigned left = 0;
	enum status st;

	st = lock_screen_unlock(a->lock, pin, port_mono_ms(a->port), &left);
	if (st == ST_LOCKED) {
		agent_lock(a);
		return agent_why(a, st, "已完全锁定，请输入口令",
		    "fully locked: the passphrase is needed");
	}
	if (st == ST_DENIED) {
		words_clear(&a->words);
		words_zh(&a->words, "屏幕密码不对，还可试 %u 次", left);
		words_en(&a->words, "wrong PIN; tries left: %u", left);
	}
	return st;
}

void
agent_touch(struct agent *a)
{
	lock_touch(a->lock, port_mono_ms(a->port));
}

enum agent_locked
agent_tick(struct agent *a)
{
	if (a->view == NULL)
		return AGENT_LOCKED;
	switch (lock_tick(a->lock, port_mono_ms(a->port))) {
	case LOCK_OPEN:
		return AGENT_OPEN;
	case LOCK_SCREEN:
		return AGENT_SCREEN_LOCKED;
	case LOCK_FULL:
		break;
	}
	agent_lock(a);
	return AGENT_LOCKED;
}

static struct bytes
slot_of(const struct agent *a, const char *officer)
{
	return bytes_str(
	    strcmp(officer, a->court.person) == 0 ? agent_first_slot : officer);
}

enum status
agent_officer_add(struct agent *a, const char *officer, struct bytes passphrase)
{
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	if (officer[0] == '\0' || strlen(officer) > AGENT_NAME_MAX ||
	    !json_text_ok(bytes_str(officer)))
		return agent_why(a, ST_INVALID, "人员编号不能为空、过长",
		    "an officer's id is neither empty nor that long");
	/* Whoever had that slot would write in the enroller's name. */
	if (strcmp(officer, agent_first_slot) == 0)
		return agent_why(a, ST_INVALID,
		    "此编号为系统保留，请用名册中的编号",
		    "that id is kept for the device's own use; take the "
		    "roster's");
	st = log_officer_add(a->log, slot_of(a, officer), passphrase);
	if (st == ST_CONFLICT)
		return agent_why(
		    a, st, "此人员已在本机", "this officer has a slot already");
	return agent_log_why(a, st);
}

enum status
agent_officer_remove(struct agent *a, const char *officer)
{
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	st = log_officer_remove(a->log, slot_of(a, officer));
	if (st == ST_ABSENT)
		return agent_why(
		    a, st, "本机无此人员", "no such officer on this device");
	if (st == ST_CONFLICT)
		return agent_why(a, st, "不能移除最后一名人员",
		    "the last officer cannot be removed");
	/* Keys of files go under the new data key at once; where that fails
	 * they still open by the old one. */
	if (st == ST_OK && (log_blob_reseal(a->log) == ST_NOMEM ||
			       log_desk_reseal(a->log) == ST_NOMEM))
		st = ST_NOMEM;
	return agent_log_why(a, st);
}
