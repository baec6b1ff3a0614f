/* verify_bundle_read: the manifest first, then entry by entry. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/chain.h"
#include "verify/verify_bundle_impl.h"

static struct vrow
row_of(const struct vstep *s)
{
	struct vrow row = {
		.place = s->place, .seq = s->seq, .bytes = s->entry
	};

	memcpy(row.link, s->link, HASH_LEN);
	return row;
}

/* ---- the manifest */

static const struct vstep *
step_at(const struct vbundle *vb, uint64_t place)
{
	for (size_t i = 0; i < vb->b.step_count; i++)
		if (vb->step[i].place == place)
			return &vb->step[i];
	return NULL;
}

enum status
vbundle_manifest(struct vbundle *vb)
{
	const struct vstep *s = step_at(vb, vb->b.manifest);
	struct verify *v = vb->v;
	struct vrow row;
	enum status st;

	if (s == NULL || s->entry.len == 0) {
		verify_say_at(v, VERIFY_MANIFEST, vb->b.manifest, NULL, 0,
		    "导出清单不在文件里。", "The manifest is not in the file.");
		return ST_OK;
	}
	row = row_of(s);
	st = entry_parse(&v->e, s->entry);
	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK || !bytes_eq_str(v->e.kind, "manifest@1") ||
	    v->e.verb != DO_OPEN) {
		(void)vbundle_say(vb, VERIFY_MANIFEST, s, "导出清单读不出。",
		    "The manifest cannot be read.");
		return ST_OK;
	}
	st = verify_manifest_entry(v, s->c, &row);
	if (st != ST_OK || v->manifest_count == 0)
		return st;
	vb->m = v->manifest[0];
	if (!vb->m.has_context)
		(void)vbundle_say(vb, VERIFY_MANIFEST, s,
		    "导出清单没有写明旁证。",
		    "The manifest states no context.");
	vb->has_manifest = true;
	memcpy(v->r->rec, vb->m.rec, sizeof(v->r->rec));
	v->r->manifest_place = s->place;
	v->r->manifest_size = vb->m.size;
	if (v->e.by.len < sizeof(v->r->manifest_by))
		memcpy(v->r->manifest_by, v->e.by.p, v->e.by.len);
	return entry_parse(&vb->me, s->entry);
}

/* ---- bodies */

/* The reason for which this id's body is withheld, in `out`; or lacking. */
static bool
kept_back(const struct vbundle *vb, const uint8_t *id, struct buf *out)
{
	const struct json *j = &vb->me.body;
	uint32_t list;
	char hex[2 * ID_LEN + 1];

	if (!vb->has_manifest || vb->me.more == 0)
		return false;
	hex_encode(hex, bytes_of(id, ID_LEN));
	list = json_get_typed(j, vb->me.more, "withheld", JSON_OBJECT);
	if (list != 0)
		list = json_get_typed(j, list, hex, JSON_STRING);
	if (list != 0 && json_raw(j, list).len > 0) {
		json_text(j, list, out);
		return true;
	}
	return false;
}

static bool
lacking(const struct vbundle *vb, const uint8_t *id)
{
	const struct json *j = &vb->me.body;
	uint32_t list, n;
	char hex[2 * ID_LEN + 1];

	if (!vb->has_manifest || vb->me.more == 0)
		return false;
	hex_encode(hex, bytes_of(id, ID_LEN));
	list = json_get_typed(j, vb->me.more, "lacking", JSON_ARRAY);
	if (list == 0)
		return false;
	for (n = json_first(j, list); n < json_end(j, list);
	     n = j->node[n].next)
		if (json_is(j, n, hex))
			return true;
	return false;
}

static void
say_withheld(struct vbundle *vb, const struct vstep *s, struct buf *reason)
{
	struct verify_report *r = vb->v->r;

	r->withheld++;
	verify_data(
	    vbundle_say(vb, VERIFY_WITHHELD, s, "正文隐去，理由如下。",
		"Its body is withheld from this copy; the reason follows."),
	    "%s", buf_cstr(reason) == NULL ? "" : (const char *)reason->p);
}

/* `vb->v->e` is blind: is that how it came, and does the manifest say so? */
static void
check_body(struct vbundle *vb, const struct vstep *s)
{
	const struct entry *e = &vb->v->e;
	bool there = s->entry.len > e->head_line.len;
	uint8_t hash[HASH_LEN];
	struct buf reason;

	if (there) {
		sha256(hash, e->body_line);
		if (memcmp(hash, e->body_hash, HASH_LEN) == 0) {
			vb->v->r->blind++;
			(void)vbundle_say(vb, VERIFY_BLIND, s,
			    "正文与头相符，但不合格式。",
			    "The body is the one its head names, and breaks "
			    "a rule.");
			return;
		}
		(void)vbundle_say(vb, VERIFY_CHANGED, s,
		    "正文字节被改：不合头里的哈希值。",
		    "Bytes of the body were changed: it is not the one its "
		    "head names.");
		return;
	}
	buf_init(&reason, ENTRY_BYTES_MAX);
	if (s->of_record && kept_back(vb, s->link, &reason)) {
		say_withheld(vb, s, &reason);
	} else if (s->of_record && lacking(vb, s->link)) {
		vb->v->r->blind++;
		(void)vbundle_say(vb, VERIFY_BLIND, s,
		    "没有正文：清单说法院也没有。",
		    "No body: the manifest says that the court has none.");
	} else {
		(void)vbundle_say(vb, VERIFY_CHANGED, s,
		    "正文被拿掉，清单里没有说明。",
		    "The body was taken out, and the manifest does not say "
		    "so.");
	}
	buf_free(&reason);
}

/* ---- entries of the court */

static void
read_commit(struct vbundle *vb, size_t i, const struct vstep *s)
{
	const struct entry *e = &vb->v->e;
	struct vrun *w = &vb->run[i];
	uint64_t before = 0;

	w->commit_ok = verify_num(e, "first", &w->commit_first) &&
		       verify_num(e, "pieces", &w->commit_pieces) &&
		       verify_hash(e, "root", w->commit_root, HASH_LEN);
	w->commit_wall = e->wall;
	for (size_t k = i; k > 0 && before == 0; k--)
		if (vb->b.run[k - 1].form == BUNDLE_OWN)
			before = vb->run[k - 1].end + 1;
	if (!w->commit_ok || w->commit_first > vb->b.run[i].place ||
	    w->commit_first < before)
		(void)vbundle_say(vb, VERIFY_COMMIT, s,
		    "提交条目与它所结束的提交不符。",
		    "The commit entry does not fit the commit that it ends.");
	vb->v->r->commits++;
}

/* What a bundle may hold of the court's entries beside the record's. */
static enum status
court_entry(struct vbundle *vb, size_t i, struct vstep *s, bool *used)
{
	struct verify *v = vb->v;
	const struct entry *e = &v->e;
	struct vrow row = row_of(s);
	bool open = e->verb == DO_OPEN;

	v->r->server_entries++;
	if (bytes_eq_str(e->kind, "commit@1")) {
		bool last = vb->b.run[i].form == BUNDLE_OWN &&
			    s->place == vb->run[i].end;

		if (last)
			read_commit(vb, i, s);
		*used = *used || last;
		return ST_OK;
	}
	if (bytes_eq_str(e->kind, "manifest@1")) {
		*used = *used || s->place == vb->b.manifest;
		return ST_OK;
	}
	if (open ? bytes_eq_str(e->kind, "descriptor@1") ||
		       bytes_eq_str(e->kind, "restored@1") ||
		       bytes_eq_str(e->kind, "device@1")
		 : e->verb == DO_ADVANCE && bytes_eq_str(e->kind, "device@1")) {
		s->context = s->place < vb->m.size;
		*used = true;
		return verify_server_entry(v, s->c, &row);
	}
	if (s->of_record && (e->verb == DO_HOLD || e->verb == DO_ADMIT))
		return verify_server_entry(v, s->c, &row);
	return ST_OK;
}

/* ---- entry by entry */

static enum status
note_seen(struct vbundle *vb, size_t step)
{
	const struct entry *e = &vb->v->e;
	enum status st;

	if (!e->has_seen || e->seen_size == 0)
		return ST_OK;
	st = verify_room(
	    &vb->seen, &vb->seen_cap, vb->seen_count, sizeof(*vb->seen));
	if (st != ST_OK)
		return st;
	vb->seen[vb->seen_count].size = e->seen_size;
	vb->seen[vb->seen_count].step = step;
	memcpy(vb->seen[vb->seen_count++].root16, e->seen_root, ID_LEN);
	return ST_OK;
}

static void
say_unneeded(struct vbundle *vb, const struct vstep *s)
{
	(void)vbundle_say(vb, VERIFY_FORMAT, s,
	    "此条目既不属于这份记录，也不是所需的旁证。",
	    "This entry is neither of the record nor needed to prove it.");
}

/* A head that breaks a rule, here or everywhere: causality at most. */
static void
malformed(struct vbundle *vb, struct vstep *s)
{
	if (!s->of_record) {
		say_unneeded(vb, s);
		return;
	}
	s->bare = true;
	vb->v->r->malformed++;
	if (s->entry.len > vb->v->e.head_line.len)
		(void)vbundle_say(vb, VERIFY_FORMAT, s, "不合格条目只应有头。",
		    "Of a malformed entry only the head line may stand here.");
}

static enum status
one_entry(struct vbundle *vb, size_t i, size_t at)
{
	struct verify *v = vb->v;
	struct vstep *s = &vb->step[at];
	struct vrow row = row_of(s);
	enum status st = entry_parse(&v->e, s->entry);
	bool bad = st == ST_INVALID, used;

	if (st != ST_OK && !bad)
		return st;
	s->of_record = vb->has_manifest && s->place < vb->m.size &&
		       path_is_rec(v->e.rec) &&
		       bytes_eq_str(v->e.rec, vb->m.rec);
	if (bad || verify_wrong_here(v, s->c, &row)) {
		malformed(vb, s);
		return ST_OK;
	}
	if (v->e.body_is == ENTRY_BODY_BLIND)
		check_body(vb, s);
	used = s->of_record;
	if (s->of_record) {
		verify_media(v, s->c, &row);
		st = note_seen(vb, at);
		if (st == ST_OK && !s->c->server) {
			v->r->device_entries++;
			st = verify_time(v, s->c, &row);
		}
	}
	if (st == ST_OK && s->c->server)
		st = court_entry(vb, i, s, &used);
	if (st == ST_OK && !used)
		say_unneeded(vb, s);
	return st;
}

static void
begin_run(struct vbundle *vb, size_t i)
{
	const struct bundle_run *r = &vb->b.run[i];
	struct vchain *c = vb->run[i].c;

	chain_link0(c->link0, vb->v->court_id, c->key, c->id);
	c->server = verify_is_server_key(vb->v, c->key);
	if (r->seq == 1 && memcmp(r->base, c->link0, HASH_LEN) != 0 &&
	    vb->run[i].sig_ok)
		verify_say_at(vb->v, VERIFY_DEVICE, r->place, c, 1,
		    "链的第一条不是从这台设备的公钥起的：设备被换。",
		    "The chain's first entry does not rest on this device's "
		    "key: the device was swapped.");
	if (r->form == BUNDLE_OWN && !c->server)
		verify_say_at(vb->v, VERIFY_DESCRIPTOR, r->place, c, r->seq,
		    "法院自己的条目，不是描述文件里的公钥签名的。",
		    "Entries of the court's own that no key in its descriptors "
		    "signed.");
}

struct leading {
	const struct vbundle *vb;
	size_t run;
};

static enum status
leading_entry(void *arg, size_t k, struct bytes *out)
{
	const struct leading *l = arg;
	const struct bundle_run *r = &l->vb->b.run[l->run];

	if (k >= r->step_count || l->vb->step[r->step + k].entry.len == 0)
		return ST_ABSENT;
	*out = l->vb->step[r->step + k].entry;
	return ST_OK;
}

/* After a restore the court's chain is another: its first entries say whose. */
static enum status
new_chain(struct vbundle *vb, size_t i)
{
	const struct vstep *s = &vb->step[vb->b.run[i].step];
	struct leading l = { .vb = vb, .run = i };
	struct vrow row = row_of(s);

	row.flags = ROW_SERVER;
	return s->entry.len == 0 ? ST_OK
				 : verify_new_server(vb->v, vb->run[i].c, &row,
				       leading_entry, &l);
}

static enum status
court_first(struct vbundle *vb)
{
	bool good = false;
	enum status st = ST_OK;

	if (vb->step[0].place == 0 && vb->step[0].entry.len > 0)
		st = verify_first_entry(vb->v, vb->step[0].entry, &good);
	if (st != ST_OK)
		return st;
	if (!good)
		verify_say_at(vb->v, VERIFY_DESCRIPTOR, 0, NULL, 0,
		    "位置 0 不是法院的首份描述文件。",
		    "Place 0 is not the court's first descriptor.");
	verify_court(vb->v);
	return ST_OK;
}

enum status
vbundle_entries(struct vbundle *vb)
{
	struct verify *v = vb->v;
	enum status st = court_first(vb);

	for (size_t i = 0; i < vb->b.run_count && st == ST_OK; i++) {
		const struct bundle_run *r = &vb->b.run[i];

		if (r->form == BUNDLE_OWN && r->seq == 1)
			st = new_chain(vb, i);
		if (st != ST_OK)
			break;
		begin_run(vb, i);
		for (size_t k = r->step;
		     k < r->step + r->step_count && st == ST_OK; k++)
			if (vb->step[k].entry.len > 0)
				st = one_entry(vb, i, k);
		if (st == ST_OK && r->form == BUNDLE_OWN &&
		    !vb->run[i].commit_ok)
			verify_say_at(v, VERIFY_COMMIT, vb->run[i].end,
			    vb->run[i].c, r->seq + r->step_count - 1,
			    "这一段没有以提交条目结束。",
			    "These entries do not end with a commit.");
		if (vb->b.manifest >= r->place &&
		    vb->b.manifest <= vb->run[i].end) {
			v->r->manifest_ms = vb->run[i].commit_wall;
			if (vb->has_manifest && !vb->run[i].c->server)
				verify_say_at(v, VERIFY_MANIFEST,
				    vb->b.manifest, vb->run[i].c, 0,
				    "导出清单不是法院的条目。",
				    "The manifest is no entry of the court.");
		}
	}
	return st;
}
