/* agent_write: acts become entries. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "entry/chain.h"

enum status
agent_edit_begin(struct agent *a, const char *rec, struct agent_edit *out)
{
	struct view_heads *heads;
	char asked[REC_LEN + 2];
	uint8_t rnd[10];
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	/* `rec` may be that of `out` itself, as it stood before. */
	(void)snprintf(asked, sizeof(asked), "%s", rec != NULL ? rec : "");
	memset(out, 0, sizeof(*out));
	if (rec == NULL) {
		port_random(a->port, rnd, sizeof(rnd));
		rec_new(out->rec, port_wall_ms(a->port), rnd);
		return ST_OK;
	}
	if (!path_is_rec(bytes_str(asked)))
		return agent_why(
		    a, ST_INVALID, "这不是记录编号", "this is no record id");
	memcpy(out->rec, asked, REC_LEN);
	heads = malloc(sizeof(*heads));
	st = heads == NULL ? ST_NOMEM : view_heads(a->view, asked, heads);
	if (st == ST_OK) {
		memcpy(out->after, heads->after, heads->count * ID_LEN);
		out->after_count = heads->count;
		out->partial = heads->partial;
		memcpy(out->kind, heads->kind, sizeof(out->kind));
	}
	free(heads);
	if (st == ST_ABSENT)
		return agent_why(
		    a, st, "本机没有这条记录", "no such record on this device");
	return st == ST_OK ? st : agent_why(a, st, "出错", status_text(st));
}

/* One value against its field: malformed input is refused; what is only
 * irregular is written, and found. */
static enum status
check_value(struct agent *a, const struct kind *k, struct bytes path,
    struct bytes value)
{
	struct words why;
	enum status st;

	words_clear(&why);
	st = kind_check_path(k, path, value, &why);
	if (st == ST_INVALID || st == ST_ABSENT) {
		a->words = why;
		return ST_INVALID;
	}
	return st;
}

/* Whole path of the i-th name of an `add`: LIST/@…/NAME, any id will do. */
static enum status
item_path(const struct agent_act *act, size_t i, struct buf *out)
{
	static const char some_id[] = "/@00000000000000000000000000000000/";

	buf_reset(out);
	buf_bytes(out, act->on[0]);
	buf_str(out, some_id);
	buf_bytes(out, act->on[i]);
	return out->err;
}

static bool
writes_fields(enum verb v)
{
	return v == DO_OPEN || v == DO_SET || v == DO_AMEND || v == DO_ADD;
}

static enum status
check_values(struct agent *a, const struct kind *k, const struct agent_act *act)
{
	struct json j;
	struct buf path;
	uint32_t n;
	size_t i = 0;
	enum status st;

	if (act->verb == DO_ADD && act->on_count > 0 &&
	    kind_list(k, act->on[0]) == NULL)
		return agent_why(a, ST_INVALID, "该类记录没有此清单",
		    "this kind has no such list");
	json_init(&j);
	buf_init(&path, 2 * PATH_BYTES_MAX + 64);
	st = json_parse(&j, act->data, JSON_DOCUMENT);
	if (st == ST_INVALID ||
	    (st == ST_OK && (j.node[0].type != JSON_ARRAY ||
				j.node[0].count != act->on_count)))
		st = agent_why(a, ST_INVALID, "数据与字段数不符",
		    "as many values as names are needed");
	for (n = 1; st == ST_OK && i < act->on_count; i++, n = j.node[n].next) {
		struct bytes p = act->on[i], v = json_raw(&j, n);

		if (act->verb == DO_ADD && i == 0)
			continue;
		if (act->verb == DO_ADD) {
			st = item_path(act, i, &path);
			p = buf_view(&path);
		}
		if (j.node[n].type == JSON_STRING)
			v = bytes_of(v.p - 1, v.len + 2); /* with quotes */
		if (st == ST_OK)
			st = check_value(a, k, p, v);
	}
	buf_free(&path);
	json_free(&j);
	return st;
}

/* `more` of a sign: `shown` is the digest of what the officer's screen shows;
 * only the device can say it, so it is put in here. */
static enum status
sign_more(struct agent *a, const struct agent_edit *edit,
    const struct agent_act *act, struct buf *out)
{
	uint8_t shown[HASH_LEN];
	enum status st;

	if (act->more.len < 2 || act->more.p[0] != '{')
		return agent_why(a, ST_INVALID, "签名缺少方式",
		    "a signature needs its `how`");
	st = view_shown(a->view, edit->rec, bytes_str(edit->kind), act->on,
	    act->on_count, shown);
	if (st != ST_OK)
		return st;
	buf_str(out, "{\"shown\":");
	json_put_hex(out, bytes_of(shown, HASH_LEN));
	if (act->more.len > 2)
		buf_u8(out, ',');
	buf_add(out, act->more.p + 1, act->more.len - 1);
	return out->err;
}

/* What is signed must be what stands: entries that came since the edit began
 * would be signed unseen. */
static enum status
check_sign_view(struct agent *a, const struct agent_edit *edit)
{
	struct agent_edit now;
	enum status st = agent_edit_begin(a, edit->rec, &now);

	if (st != ST_OK)
		return st;
	/* `shown` is the fold of what the entry knows, and it could not state
	 * that it knows all that is on the screen. */
	if (now.partial)
		return agent_why(a, ST_LIMIT,
		    "并行修改过多，暂不能签：请先在此记录上写一条备注",
		    "too many concurrent edits to sign: add a note to this "
		    "record first");
	if (now.after_count != edit->after_count ||
	    memcmp(now.after, edit->after, now.after_count * ID_LEN) != 0)
		return agent_why(a, ST_AGAIN, "记录刚有变化，请重新核对后再签",
		    "the record has changed: show it again before signing");
	return ST_OK;
}

static void
fill_head(struct agent *a, const struct log_head *head,
    const struct agent_edit *edit, const struct agent_act *act,
    struct entry_new *n)
{
	memset(n, 0, sizeof(*n));
	n->court = a->desc->court;
	memcpy(n->chain, head->chain, CHAIN_LEN);
	n->seq = head->seq + 1;
	n->rec = edit->rec;
	n->by = agent_by(a);
	n->verb = act->verb;
	n->on = act->on;
	n->on_count = act->on_count;
	n->wall = port_wall_ms(a->port);
	n->mono = port_mono_ms(a->port);
	port_boot_id(a->port, n->boot);
	n->after = (const uint8_t(*)[ID_LEN])edit->after;
	n->after_count = edit->after_count;
	if (a->has_tip && (!a->has_stated || a->stated_size != a->tip.size)) {
		n->has_seen = true;
		n->seen_size = a->tip.size;
		memcpy(n->seen_root, a->tip.root, ID_LEN);
	}
	if (n->seq == 1 && head->has_old) {
		n->has_old = true;
		memcpy(n->old_chain, head->old_chain, CHAIN_LEN);
		n->old_seq = head->old_seq;
		memcpy(n->old_link, head->old_link, HASH_LEN);
	}
	port_random(a->port, n->salt, SALT_LEN);
	n->data = act->data;
	n->reason = act->reason;
	n->more = act->more;
}

/* Sealed, linked, signed, durable; then shown. */
static enum status
put_entry(struct agent *a, const struct entry_new *n, struct bytes raw,
    uint8_t id[ID_LEN])
{
	struct view_entry e = {
		.raw = raw, .flags = VIEW_OWN, .place = VIEW_NO_PLACE
	};
	uint8_t link[HASH_LEN];
	enum status st = log_append(a->log, n->seq, raw, link);

	if (st != ST_OK)
		return agent_log_why(a, st);
	if (n->has_seen) {
		a->has_stated = true;
		a->stated_size = n->seen_size;
	}
	memcpy(id, link, ID_LEN);
	memcpy(e.id, link, ID_LEN);
	/* It is safe on disk whatever the view says, so it is never told as
	 * failed: it would be written twice.  The view is made of the disk
	 * again; if memory lacks for that, too, by the next unlock. */
	st = view_add(a->view, &e);
	if (st != ST_OK && agent_show_again(a) != ST_OK)
		a->has_stated = false;
	return ST_OK;
}

static enum status
kind_of_act(struct agent *a, struct agent_edit *edit,
    const struct agent_act *act, const struct kind **out)
{
	if (act->verb == DO_OPEN && edit->kind[0] == '\0') {
		*out = act->kind == NULL
			   ? NULL
			   : kinds_latest(a->kinds, bytes_str(act->kind));
		if (*out == NULL || (*out)->system ||
		    strlen((*out)->id) >= sizeof(edit->kind))
			return agent_why(a, ST_INVALID, "没有此类记录",
			    "no such kind of record");
		memcpy(edit->kind, (*out)->id, strlen((*out)->id) + 1);
		return ST_OK;
	}
	*out = kinds_find(a->kinds, bytes_str(edit->kind));
	if (*out == NULL)
		return agent_why(a, ST_INVALID, "这条记录的类别本机不认识",
		    "the kind of this record is not known here");
	return ST_OK;
}

enum status
agent_append(struct agent *a, struct agent_edit *edit,
    const struct agent_act *act, uint8_t id[ID_LEN])
{
	const struct kind *k = NULL;
	const char *why = NULL;
	struct log_head head;
	struct entry_new n;
	struct buf raw, more;
	char at[32], dev[DEV_LEN + 1];
	enum status st = agent_ready(a);

	if (st == ST_OK)
		st = kind_of_act(a, edit, act, &k);
	if (st == ST_OK && writes_fields(act->verb))
		st = check_values(a, k, act);
	if (st == ST_OK && act->verb == DO_NOTE && act->more.len > 0)
		st = agent_point_check(a, edit->rec, act->more);
	if (st == ST_OK && act->verb == DO_SIGN)
		st = check_sign_view(a, edit);
	if (st != ST_OK)
		return st;
	st = log_head(a->log, &head);
	if (st != ST_OK)
		return agent_log_why(a, st);
	fill_head(a, &head, edit, act, &n);
	n.kind = edit->kind;
	at_format(at, n.wall, a->offset_min);
	n.at = act->at == NULL ? at : act->at;
	chain_dev(dev, log_public_key(a->log));
	n.dev = n.seq == 1 ? dev : NULL;
	buf_init(&raw, ENTRY_BYTES_MAX);
	buf_init(&more, ENTRY_BYTES_MAX);
	if (act->verb == DO_SIGN) {
		st = sign_more(a, edit, act, &more);
		n.more = buf_view(&more);
	}
	if (st == ST_OK)
		st = entry_write(&n, &raw, &why);
	if (st == ST_INVALID && why != NULL)
		st = agent_why(a, st, "内容不合格式", why);
	if (st == ST_LIMIT)
		st = agent_why(a, st, "内容过长（一条至多 64 KiB）",
		    "too long: an entry holds at most 64 KiB");
	if (st == ST_OK)
		st = put_entry(a, &n, buf_view(&raw), id);
	buf_wipe(&raw);
	buf_wipe(&more);
	return st;
}
