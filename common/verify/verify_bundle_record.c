/* verify_bundle_record: the record against its manifest, and its state. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/merge.h"
#include "verify/verify_bundle_impl.h"

enum { SAY_MAX = 100, STATE_BYTES_MAX = 128 << 20 };

/* ---- the list of ids */

static int
step_cmp(const void *a, const void *b)
{
	const struct vstep *const *x = a, *const *y = b;

	return memcmp((*x)->link, (*y)->link, ID_LEN);
}

struct records {
	const struct vstep **in_order; /* owned: entries of the record */
	const struct vstep **by_id;    /* owned */
	size_t count;
};

static const struct vstep *
find(const struct records *c, const uint8_t *id)
{
	size_t lo = 0, hi = c->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(c->by_id[mid]->link, id, ID_LEN) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->count && memcmp(c->by_id[lo]->link, id, ID_LEN) == 0
		   ? c->by_id[lo]
		   : NULL;
}

/* An id of which the file has no more than a digest stands where? */
static const struct vstep *
digest_of(const struct vbundle *vb, const uint8_t *id)
{
	for (size_t i = 0; i < vb->b.step_count; i++)
		if (memcmp(vb->step[i].link, id, ID_LEN) == 0)
			return &vb->step[i];
	return NULL;
}

static void
say_missing(struct vbundle *vb, const uint8_t *id, uint64_t before, bool tail)
{
	const struct vstep *at = digest_of(vb, id);
	struct verify_finding *f;
	char hex[2 * ID_LEN + 1];

	hex_encode(hex, bytes_of(id, ID_LEN));
	f = verify_say(vb->v->r, tail ? VERIFY_TAIL : VERIFY_GAP,
	    tail ? "尾部缺失：清单最后的条目不在文件里。"
		 : "中间缺条目：清单列了它，文件里没有。",
	    tail ? "The tail is missing: entries at the end of the manifest's "
		   "list are not in the file."
		 : "An entry is missing in the middle: the manifest lists it, "
		   "and the file has it not.");
	f->has_place = true;
	f->place = at == NULL ? before : at->place;
	verify_data(f,
	    at == NULL ? "id %s, behind place %" PRIu64
		       : "id %s, there as its digest alone",
	    hex, before);
}

static void
compare_missing(struct vbundle *vb, const struct records *c)
{
	const uint8_t *ids = vb->b.ids.p;
	size_t last = 0, said = 0;
	uint64_t before = 0;

	for (size_t i = 0; i < vb->id_count; i++)
		if (find(c, ids + i * ID_LEN) != NULL)
			last = i + 1;
	for (size_t i = 0; i < vb->id_count && said < SAY_MAX; i++) {
		const struct vstep *s = find(c, ids + i * ID_LEN);

		if (s != NULL) {
			before = s->place;
			continue;
		}
		say_missing(vb, ids + i * ID_LEN, before, i >= last);
		said++;
	}
}

static void
compare_order(struct vbundle *vb, const struct records *c)
{
	for (size_t i = 0; i < vb->id_count && i < c->count; i++) {
		if (memcmp(c->in_order[i]->link, vb->b.ids.p + i * ID_LEN,
			ID_LEN) == 0)
			continue;
		(void)vbundle_say(vb, VERIFY_ORDER, c->in_order[i],
		    "次序被改：此位置上不是清单所列的条目。",
		    "Reordered: not the entry that the manifest lists at this "
		    "place.");
		return;
	}
}

/* Of what a broken run is made of nothing can be said: it was named. */
static bool
is_broken(const struct vbundle *vb)
{
	for (size_t i = 0; i < vb->b.run_count; i++)
		if (!vb->run[i].sig_ok)
			return true;
	return false;
}

static void
compare_ids(struct vbundle *vb, const struct records *c)
{
	size_t extra = 0, missing = 0;
	bool broken = is_broken(vb);

	for (size_t i = 0; i < vb->id_count; i++)
		missing += find(c, vb->b.ids.p + i * ID_LEN) == NULL;
	for (size_t i = 0; i < c->count; i++) {
		if (vbundle_listed(vb, c->in_order[i]->link))
			continue;
		if (!broken && extra++ < SAY_MAX)
			(void)vbundle_say(vb, VERIFY_MANIFEST, c->in_order[i],
			    "虚假的导出清单：它漏列了这份记录的此条目。",
			    "A false manifest: it leaves out this entry of "
			    "the record.");
		extra += broken;
	}
	if (missing > extra)
		compare_missing(vb, c);
	else if (missing == 0 && extra == 0)
		compare_order(vb, c);
}

static void
root_of(const uint8_t *ids, size_t count, uint8_t out[HASH_LEN])
{
	struct frontier f;
	uint8_t leaf[HASH_LEN];

	frontier_init(&f);
	for (size_t i = 0; i < count; i++) {
		merkle_leaf(leaf, bytes_of(ids + i * ID_LEN, ID_LEN));
		frontier_add(&f, leaf);
	}
	frontier_root(&f, out);
}

static void
say_manifest(struct vbundle *vb, const char *zh, const char *en)
{
	verify_say_at(
	    vb->v, VERIFY_MANIFEST, vb->m.place, vb->m.c, vb->m.seq, zh, en);
}

/* ---- the rest of what the manifest says */

static void
compare_context(struct vbundle *vb)
{
	struct frontier f;
	uint8_t leaf[HASH_LEN], root[HASH_LEN];

	frontier_init(&f);
	for (size_t i = 0; i < vb->b.step_count; i++) {
		if (!vb->step[i].context)
			continue;
		merkle_leaf(leaf, bytes_of(vb->step[i].link, ID_LEN));
		frontier_add(&f, leaf);
	}
	frontier_root(&f, root);
	if (f.size == vb->m.context &&
	    memcmp(root, vb->m.context_root, HASH_LEN) == 0)
		return;
	say_manifest(vb,
	    "旁证不是清单所说的：入网、吊销或描述文件条目被拿掉或换过。",
	    "The context is not the one that the manifest states: an "
	    "enrolment, a revocation or a descriptor was taken out or "
	    "swapped.");
}

static void
compare_counts(struct vbundle *vb, const struct records *c)
{
	struct verify_report *r = vb->v->r;

	for (size_t i = 0; i < c->count; i++)
		r->held +=
		    verify_held_at(vb->v, c->in_order[i]->link, vb->m.size);
	if (r->held != vb->m.held || r->malformed != vb->m.bare)
		say_manifest(vb, "虚假的导出清单：暂扣或不合格的条数不对。",
		    "A false manifest: it counts the held or the malformed "
		    "wrongly.");
}

static void
compare(struct vbundle *vb, const struct records *c)
{
	uint8_t root[HASH_LEN];

	root_of(vb->b.ids.p, vb->id_count, root);
	if (vb->id_count != vb->m.count ||
	    memcmp(root, vb->m.root, HASH_LEN) != 0) {
		say_manifest(vb,
		    "文件里的条目表不是清单所说的：表被改，或清单是假的。",
		    "The file's list of ids is not the one the manifest "
		    "states: it was changed, or the manifest is false.");
		return;
	}
	compare_ids(vb, c);
	if (is_broken(vb))
		return;
	compare_counts(vb, c);
	compare_context(vb);
}

/* ---- state */

static void
say_unknown(struct vbundle *vb, const struct merge *m)
{
	size_t count;
	const uint8_t(*id)[ID_LEN] = merge_missing(m, &count);

	for (size_t i = 0; i < count && i < SAY_MAX; i++) {
		const struct vstep *s = digest_of(vb, id[i]);
		struct verify_finding *f;
		char hex[2 * ID_LEN + 1];

		f = verify_say(vb->v->r, VERIFY_MISSING,
		    "有条目说它知道一条文件里没有的条目：丢失，或被漏掉；只有全"
		    "库审计能分辨。",
		    "An entry says that it knew of one that is not here: lost, "
		    "or left out; only a store audit can tell.");
		hex_encode(hex, bytes_of(id[i], ID_LEN));
		f->has_place = s != NULL;
		f->place = s == NULL ? 0 : s->place;
		verify_data(f, "id %s", hex);
	}
}

static enum status
note_state(struct vbundle *vb, const struct merge *m)
{
	struct verify_report *r = vb->v->r;
	struct bytes word;
	const uint8_t *id;
	struct buf out;
	struct json j;
	enum status st;

	r->conflicts = merge_conflicts(m);
	r->record_void = merge_void(m);
	if (merge_status(m, 0, &id, &word) && word.len < sizeof(r->status))
		memcpy(r->status, word.p, word.len);
	buf_init(&out, STATE_BYTES_MAX);
	st = merge_state(m, &out);
	if (st != ST_OK) {
		buf_free(&out);
		return st;
	}
	r->state = (char *)out.p; /* the report's from now on */
	r->state_len = out.len;
	json_init(&j);
	st = json_parse(&j, buf_view(&out), JSON_LINE);
	if (st == ST_OK) {
		uint32_t kinds = json_get(&j, 0, "kind");
		uint32_t acts = json_get(&j, 0, "acts");

		r->acts = j.node[acts].count;
		if (j.node[kinds].count > 0) {
			struct bytes k = json_raw(&j, json_first(&j, kinds));

			if (k.len < sizeof(r->kind))
				memcpy(r->kind, k.p, k.len);
		}
	}
	json_free(&j);
	return st == ST_NOMEM ? st : ST_OK;
}

static enum status
fold(struct vbundle *vb, const struct records *c)
{
	struct merge *m;
	enum status st = merge_new(&m);

	if (st != ST_OK)
		return st;
	for (size_t i = 0; i < c->count && st == ST_OK; i++) {
		const struct vstep *s = c->in_order[i];
		unsigned flags = s->c->server ? MERGE_SERVER : 0;

		st = merge_add(
		    m, s->link, s->entry, flags | (s->bare ? MERGE_BARE : 0));
		if (st == ST_INVALID)
			st = ST_OK;
	}
	if (st == ST_OK && c->count > 0) {
		st = merge_run(m);
		if (st == ST_OK)
			st = note_state(vb, m);
		if (st == ST_OK && !is_broken(vb))
			say_unknown(vb, m);
		/* Ids that know each other in a circle, or no entry at all:
		 * what that comes from was named. */
		if (st == ST_CORRUPT || st == ST_ABSENT)
			st = ST_OK;
	}
	merge_free(m);
	return st;
}

enum status
vbundle_record(struct vbundle *vb)
{
	struct records c = { 0 };
	size_t room = vb->b.step_count + 1;
	enum status st = ST_NOMEM;

	if (!vb->has_manifest)
		return ST_OK;
	c.in_order = calloc(room, sizeof(const struct vstep *));
	c.by_id = calloc(room, sizeof(const struct vstep *));
	if (c.in_order != NULL && c.by_id != NULL) {
		for (size_t i = 0; i < vb->b.step_count; i++)
			if (vb->step[i].of_record)
				c.in_order[c.count++] = &vb->step[i];
		memcpy(c.by_id, c.in_order, c.count * sizeof(*c.by_id));
		qsort(c.by_id, c.count, sizeof(*c.by_id), step_cmp);
		vb->v->r->count = c.count;
		compare(vb, &c);
		st = fold(vb, &c);
	}
	free(c.in_order);
	free(c.by_id);
	return st;
}
