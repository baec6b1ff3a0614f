/* agent_court: what a handheld keeps of its court, sealed: who it is there,
 * the descriptors, the last verified checkpoint. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "base/enc.h"

static enum status
read_court(struct agent_court *c, struct bytes doc)
{
	char hex[2 * HASH_LEN + 1];
	struct json j;
	enum status st;

	memset(c, 0, sizeof(*c));
	json_init(&j);
	st = json_parse(&j, doc, JSON_DOCUMENT);
	if (st == ST_OK &&
	    (!json_member_text(&j, 0, "court_id", hex, sizeof(hex)) ||
		hex_decode(c->court_id, HASH_LEN, bytes_str(hex)) != ST_OK ||
		!json_member_text(
		    &j, 0, "person", c->person, sizeof(c->person)) ||
		!json_member_text(&j, 0, "name", c->name, sizeof(c->name)) ||
		!json_member_text(&j, 0, "role", c->role, sizeof(c->role)) ||
		!json_member_text(&j, 0, "team", c->team, sizeof(c->team)) ||
		!json_member_text(
		    &j, 0, "devices", c->devices, sizeof(c->devices)) ||
		!json_member_text(
		    &j, 0, "public", c->public_at, sizeof(c->public_at))))
		st = ST_CORRUPT;
	c->joined = st == ST_OK && json_bool(&j, 0, "joined", false);
	json_free(&j);
	return st == ST_INVALID ? ST_CORRUPT : st;
}

static void
put_text(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	json_put_str(b, value);
}

enum status
agent_court_save(struct agent *a)
{
	const struct agent_court *c = &a->court;
	struct buf b;
	enum status st;

	buf_init(&b, DOC_BYTES_MAX);
	buf_str(&b, "{\"court_id\":");
	json_put_hex(&b, bytes_of(c->court_id, HASH_LEN));
	buf_str(&b, c->joined ? ",\"joined\":true" : ",\"joined\":false");
	put_text(&b, "person", c->person);
	put_text(&b, "name", c->name);
	put_text(&b, "role", c->role);
	put_text(&b, "team", c->team);
	put_text(&b, "devices", c->devices);
	put_text(&b, "public", c->public_at);
	buf_u8(&b, '}');
	st = b.err;
	if (st == ST_OK)
		st = log_conf_put(a->log, "court", buf_view(&b));
	buf_free(&b);
	return st;
}

/* A text of the entry becomes one of ours; true if it is another than before.
 */
static bool
follow_text(const struct entry *e, size_t i, char *out, size_t cap)
{
	uint32_t n = entry_value(e, i);
	struct buf b;
	bool changed = false;

	if (n == 0 || e->body.node[n].type != JSON_STRING)
		return false;
	buf_init(&b, cap - 1);
	json_text(&e->body, n, &b);
	if (buf_cstr(&b) != NULL && strcmp((const char *)b.p, out) != 0) {
		memcpy(out, b.p, b.len + 1);
		changed = true;
	}
	buf_free(&b);
	return changed;
}

enum status
agent_court_follow(struct agent *a, const struct entry *e)
{
	struct agent_court *c = &a->court;
	bool changed = false;

	if (!bytes_eq_str(e->kind, "device@1") || e->verb != DO_SET ||
	    e->body_is != ENTRY_BODY_WHOLE)
		return ST_OK;
	for (size_t i = 0; i < e->on_count; i++) {
		if (bytes_eq_str(e->on[i], "team"))
			changed |= follow_text(e, i, c->team, sizeof(c->team));
		if (bytes_eq_str(e->on[i], "role"))
			changed |= follow_text(e, i, c->role, sizeof(c->role));
	}
	return changed ? agent_court_save(a) : ST_OK;
}

/* ---- descriptors */

/* The i-th file of {"v":1,"files":[base64 …]}, decoded. */
static enum status
file_at(const struct json *j, uint32_t n, struct buf *out)
{
	struct bytes text = json_raw(j, n);
	uint8_t *to;
	size_t len = 0;
	enum status st;

	if (j->node[n].type != JSON_STRING || j->node[n].escaped)
		return ST_INVALID;
	to = buf_extend(out, DESCRIPTOR_FILE_MAX);
	if (to == NULL)
		return out->err;
	st = base64_decode(to, DESCRIPTOR_FILE_MAX, &len, text);
	out->len = len;
	return st;
}

/* Follow every version from the first; the last one is left in *out.  `known`
 * (or NULL) must stand there as it is known. */
static enum status
follow(const struct json *j, const struct descriptor *known,
    uint8_t first[HASH_LEN], struct descriptor *out)
{
	uint32_t files = json_get_typed(j, 0, "files", JSON_ARRAY);
	struct descriptor *next = malloc(sizeof(*next));
	enum status st = next == NULL ? ST_NOMEM : ST_INVALID;
	struct buf b;
	bool any = false;

	buf_init(&b, DESCRIPTOR_FILE_MAX);
	for (uint32_t n = files == 0 ? 0 : json_first(j, files);
	     next != NULL && files != 0 && n != json_end(j, files);
	     n = j->node[n].next) {
		buf_reset(&b);
		st = file_at(j, n, &b);
		if (st == ST_OK)
			st = descriptor_parse(next, buf_view(&b));
		if (st == ST_OK)
			st = any ? descriptor_check_next(out, next)
				 : descriptor_check_first(next);
		if (st != ST_OK)
			break;
		/* The root that we know may have signed another one too: then
		 * somebody is shown another court. */
		if (known != NULL && known->version == next->version &&
		    memcmp(known->digest, next->digest, HASH_LEN) != 0) {
			st = ST_DENIED;
			break;
		}
		if (!any)
			memcpy(first, next->digest, HASH_LEN);
		any = true;
		*out = *next;
	}
	buf_free(&b);
	free(next);
	return st;
}

enum status
agent_descriptor_take(struct agent *a, struct bytes body, const uint8_t *want,
    uint8_t court_id[HASH_LEN], struct descriptor *out)
{
	uint8_t first[HASH_LEN];
	struct json j;
	enum status st;

	json_init(&j);
	st = json_parse(&j, body, JSON_DOCUMENT);
	if (st == ST_OK)
		st = follow(&j, a->desc == out ? NULL : a->desc, first, out);
	json_free(&j);
	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK)
		return agent_why(a, ST_DENIED, "法院描述文件不成立，未采用",
		    "the court's descriptor does not hold; not taken");
	if (want != NULL && memcmp(out->digest, want, HASH_LEN) != 0)
		return agent_why(a, ST_DENIED,
		    "法院描述文件与入网码不符：请索取新的入网码，"
		    "并报告管理员",
		    "the court's descriptor is not the one of the code: ask "
		    "for a new code and tell the administrator");
	if (!sodium_is_zero(court_id, HASH_LEN) &&
	    memcmp(first, court_id, HASH_LEN) != 0)
		return agent_why(a, ST_DENIED, "描述文件属于另一法院",
		    "the descriptor is another court's");
	memcpy(court_id, first, HASH_LEN);
	return ST_OK;
}

enum status
agent_log_of_note(struct agent *a, struct bytes note, struct note_key *key,
    struct checkpoint *cp, unsigned *later)
{
	struct descriptor *d = calloc(1, sizeof(*d));
	struct note_key last = { .name = "" };
	unsigned logs = 0, found = 0;
	enum status st = d == NULL ? ST_NOMEM : ST_OK;
	struct json j;
	struct buf b;
	uint32_t files = 0;

	json_init(&j);
	buf_init(&b, DESCRIPTOR_FILE_MAX);
	if (st == ST_OK)
		st = json_parse(&j, buf_view(&a->desc_files), JSON_DOCUMENT);
	if (st == ST_OK)
		files = json_get_typed(&j, 0, "files", JSON_ARRAY);
	for (uint32_t n = files == 0 ? 0 : json_first(&j, files);
	     st == ST_OK && files != 0 && n != json_end(&j, files);
	     n = j.node[n].next) {
		buf_reset(&b);
		st = file_at(&j, n, &b);
		if (st == ST_OK)
			st = descriptor_parse(d, buf_view(&b));
		if (st != ST_OK ||
		    memcmp(last.public_key, d->log.public_key, PUBKEY_LEN) == 0)
			continue;
		last = d->log;
		logs++;
		if (checkpoint_open(cp, note, &d->log) == ST_OK) {
			*key = d->log;
			found = logs;
		}
	}
	json_free(&j);
	buf_free(&b);
	free(d);
	if (st != ST_OK)
		return st == ST_INVALID ? ST_CORRUPT : st;
	*later = logs - found;
	return found == 0 ? ST_ABSENT : ST_OK;
}

/* Keep the newest descriptor, in memory and sealed. */
static enum status
keep(struct agent *a, struct bytes body, const struct descriptor *d)
{
	enum status st = log_conf_put(a->log, "descriptors", body);

	if (st != ST_OK)
		return agent_log_why(a, st);
	if (a->desc == NULL) {
		a->desc = malloc(sizeof(*a->desc));
		if (a->desc == NULL)
			return ST_NOMEM;
		*a->desc = *d;
	}
	/* Of another log the last checkpoint says nothing any more: it waits
	 * for the first of the new one (agent_restore.c). */
	if (a->has_tip &&
	    memcmp(a->desc->log.public_key, d->log.public_key, PUBKEY_LEN) != 0)
		a->has_tip = false;
	*a->desc = *d;
	buf_reset(&a->desc_files);
	buf_bytes(&a->desc_files, body);
	return a->desc_files.err;
}

enum status
agent_descriptor_fetch(struct agent *a)
{
	struct descriptor *d = calloc(1, sizeof(*d));
	struct agent_reply r = { .retry_after_s = -1 };
	enum status st;

	if (d == NULL)
		return ST_NOMEM;
	buf_init(&r.body, DOC_BYTES_MAX);
	st = agent_exchange(
	    a, SERVICE_DESCRIPTOR, (struct bytes){ NULL, 0 }, &r);
	if (st == ST_OK)
		st = agent_descriptor_take(
		    a, buf_view(&r.body), NULL, a->court.court_id, d);
	if (st == ST_OK && a->desc != NULL && d->version < a->desc->version)
		st = agent_why(a, ST_DENIED, "中心给出了旧的法院描述文件",
		    "the centre gave an older descriptor");
	if (st == ST_OK)
		st = keep(a, buf_view(&r.body), d);
	buf_free(&r.body);
	free(d);
	return st;
}

enum status
agent_court_join(struct agent *a, struct bytes body, struct descriptor *d)
{
	enum status st = keep(a, body, d);

	return st == ST_OK ? agent_court_save(a) : st;
}

/* ---- the last verified checkpoint */

enum status
agent_tip_take(struct agent *a, const struct checkpoint *c, struct bytes note)
{
	enum status st;

	if (a->has_tip && a->tip.size == c->size)
		return ST_OK;
	st = log_conf_put(a->log, "checkpoint", note);
	if (st != ST_OK)
		return agent_log_why(a, st);
	a->tip = *c;
	a->has_tip = true;
	buf_reset(&a->tip_note);
	buf_bytes(&a->tip_note, note);
	return a->tip_note.err;
}

static enum status
load_tip(struct agent *a)
{
	enum status st;

	buf_reset(&a->tip_note);
	st = log_conf_get(a->log, "checkpoint", &a->tip_note);
	if (st == ST_ABSENT || a->desc == NULL)
		return ST_OK;
	if (st != ST_OK)
		return st;
	/* A note of a log key that has since been rolled is kept, but proves
	 * nothing about the new log. */
	st = checkpoint_open(&a->tip, buf_view(&a->tip_note), &a->desc->log);
	a->has_tip = st == ST_OK;
	return ST_OK;
}

enum status
agent_standing_take(struct agent *a, unsigned standing)
{
	uint8_t byte = (uint8_t)standing;

	if (a->standing == standing)
		return ST_OK;
	a->standing = standing;
	return log_conf_put(a->log, "standing", bytes_of(&byte, 1));
}

static enum status
load_standing(struct agent *a)
{
	struct buf b;
	enum status st;

	buf_init(&b, 1);
	st = log_conf_get(a->log, "standing", &b);
	if (st == ST_OK && b.len == 1)
		a->standing = b.p[0];
	buf_free(&b);
	return st == ST_ABSENT || st == ST_LIMIT ? ST_OK : st;
}

static enum status
load_clock(struct agent *a)
{
	struct buf b;
	enum status st;

	buf_init(&b, 64);
	st = log_conf_get(a->log, "clock", &b);
	if (st == ST_OK)
		agent_clock_read(a, buf_view(&b));
	buf_free(&b);
	return st == ST_ABSENT || st == ST_LIMIT ? ST_OK : st;
}

static enum status
load_descriptor(struct agent *a)
{
	enum status st;

	buf_reset(&a->desc_files);
	st = log_conf_get(a->log, "descriptors", &a->desc_files);
	if (st == ST_ABSENT)
		return ST_OK;
	if (st != ST_OK)
		return st;
	if (a->desc == NULL)
		a->desc = malloc(sizeof(*a->desc));
	if (a->desc == NULL)
		return ST_NOMEM;
	st = agent_descriptor_take(
	    a, buf_view(&a->desc_files), NULL, a->court.court_id, a->desc);
	return st == ST_DENIED ? ST_CORRUPT : st;
}

enum status
agent_court_load(struct agent *a)
{
	struct buf b;
	enum status st;

	agent_court_forget(a);
	buf_init(&b, DOC_BYTES_MAX);
	st = log_conf_get(a->log, "court", &b);
	if (st == ST_OK)
		st = read_court(&a->court, buf_view(&b));
	buf_wipe(&b);
	if (st == ST_ABSENT)
		return ST_OK;
	if (st == ST_OK)
		st = load_descriptor(a);
	if (st == ST_OK)
		st = load_tip(a);
	if (st == ST_OK)
		st = load_clock(a);
	if (st == ST_OK)
		st = load_standing(a);
	if (st == ST_OK)
		st = agent_kept_load(a);
	return st == ST_OK ? agent_back_load(a) : st;
}

void
agent_court_forget(struct agent *a)
{
	sodium_memzero(&a->court, sizeof(a->court));
	free(a->desc);
	a->desc = NULL;
	buf_reset(&a->desc_files);
	buf_reset(&a->tip_note);
	a->has_tip = a->has_stated = a->has_clock = a->want_note = false;
	a->has_time = false;
	a->want_key = a->has_back = false;
	memset(a->resend_from, 0, sizeof(a->resend_from));
	a->standing = ACK_TAKEN;
	memset(&a->found, 0, sizeof(a->found));
}
