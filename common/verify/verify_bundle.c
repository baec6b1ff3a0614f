/* verify_bundle: one exported record, computed anew from the file's bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry/chain.h"
#include "verify/verify_bundle_impl.h"

struct verify_finding *
vbundle_say(struct vbundle *vb, enum verify_what what, const struct vstep *s,
    const char *zh, const char *en)
{
	struct verify_finding *f = verify_say(vb->v->r, what, zh, en);

	f->has_place = f->has_chain = true;
	f->place = s->place;
	f->seq = s->seq;
	memcpy(f->chain, s->c->id, CHAIN_LEN);
	memcpy(f->dev, s->c->dev, sizeof(f->dev));
	return f;
}

static int
id_cmp(const void *a, const void *b)
{
	return memcmp(a, b, ID_LEN);
}

bool
vbundle_listed(const struct vbundle *vb, const uint8_t *id)
{
	return bsearch(id, vb->sorted, vb->id_count, ID_LEN, id_cmp) != NULL;
}

/* ---- reading the file */

/* What breaks the format is damage with the offset named; what is no bundle at
 * all is not read. */
static enum status
say_unread(struct vbundle *vb, enum status st, bool *stop)
{
	struct verify_finding *f;

	if (st == ST_INVALID)
		(void)snprintf(vb->v->errmsg, VERIFY_ERRMSG_LEN,
		    "不是导出件 / not a bundle");
	if (st == ST_NEWER)
		(void)snprintf(vb->v->errmsg, VERIFY_ERRMSG_LEN,
		    "较新版本的导出件 / a bundle of a newer version");
	if (st != ST_CORRUPT)
		return st;
	f = vb->b.cut
		? verify_say(vb->v->r, VERIFY_TAIL, "文件被截断：尾部缺失。",
		      "The file is cut short: its tail is missing.")
		: verify_say(vb->v->r, VERIFY_FORMAT,
		      "文件不合格式：字节被改。",
		      "The file breaks its format: bytes were changed.");
	verify_data(f, "byte %zu: %s", vb->b.where, vb->b.why);
	*stop = true;
	return ST_OK;
}

/* The log's own signature and no other: every byte of the note counts. */
static enum status
open_checkpoint(struct vbundle *vb, bool *stop)
{
	static const uint8_t dash[] = { '\n', 0xe2, 0x80, 0x94, ' ' };
	struct verify *v = vb->v;
	size_t lines = 0;
	enum status st;

	st = checkpoint_open(&vb->cp, vb->b.note, &v->given->key);
	if (st == ST_NOMEM)
		return st;
	for (size_t i = 0; i + sizeof(dash) <= vb->b.note.len; i++)
		lines += memcmp(vb->b.note.p + i, dash, sizeof(dash)) == 0;
	if (st == ST_OK && lines == 1) {
		v->r->size = vb->cp.size;
		memcpy(v->r->root, vb->cp.root, HASH_LEN);
		return ST_OK;
	}
	*stop = true;
	if (st == ST_OK)
		(void)verify_say(v->r, VERIFY_FORMAT, "检查点里有别的签名行。",
		    "The checkpoint carries other signature lines.");
	else
		(void)verify_say(v->r, VERIFY_RECEIPT,
		    "检查点不是所给公钥的日志签名的：伪造，或被改。",
		    "The checkpoint is not signed by the log of the key given: "
		    "forged, or changed.");
	return ST_OK;
}

static enum status
make_room(struct vbundle *vb)
{
	const struct bundle *b = &vb->b;
	size_t leaves = b->step_count + b->mark_count + 1;

	vb->run = calloc(b->run_count + 1, sizeof(*vb->run));
	vb->step = calloc(b->step_count + 1, sizeof(*vb->step));
	vb->place = calloc(leaves, sizeof(*vb->place));
	vb->leaf = calloc(leaves, sizeof(*vb->leaf));
	vb->id_count = b->ids.len / ID_LEN;
	vb->sorted = calloc(vb->id_count + 1, ID_LEN);
	vb->v->chain = calloc(b->run_count + 1, sizeof(*vb->v->chain));
	if (vb->sorted == NULL || vb->run == NULL || vb->step == NULL ||
	    vb->place == NULL || vb->leaf == NULL || vb->v->chain == NULL)
		return ST_NOMEM;
	vb->v->chain_count = b->run_count;
	if (vb->id_count > 0) {
		memcpy(vb->sorted, b->ids.p, b->ids.len);
		qsort(vb->sorted, vb->id_count, ID_LEN, id_cmp);
	}
	return ST_OK;
}

/* Is run i the same row of entries as an earlier one? */
static bool
repeats(const struct bundle *b, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (b->run[k].seq == b->run[i].seq &&
		    memcmp(b->run[k].chain, b->run[i].chain, CHAIN_LEN) == 0 &&
		    memcmp(b->run[k].base, b->run[i].base, HASH_LEN) == 0)
			return true;
	return false;
}

/* Runs and marks ascend below the tree's size, and do not overlap. */
static void
check_shape(struct vbundle *vb, bool *stop)
{
	const struct bundle *b = &vb->b;
	struct verify_finding *f = NULL;
	uint64_t next = 0, at = 0;

	for (size_t i = 0; i < b->run_count && f == NULL; i++) {
		at = b->run[i].place;
		if (at < next && repeats(b, i))
			f = verify_say(vb->v->r, VERIFY_REPLAY,
			    "重放：同一段条目出现两次。",
			    "Replay: the same entries stand there twice.");
		else if (at < next)
			f = verify_say(vb->v->r, VERIFY_ORDER,
			    "次序被改：条目不按位置排列。",
			    "Reordered: entries do not stand in order of "
			    "place.");
		else if (at >= vb->cp.size ||
			 b->run[i].step_count > vb->cp.size - at)
			f = verify_say(vb->v->r, VERIFY_RECEIPT,
			    "条目的位置超出检查点的树。",
			    "An entry's place lies outside the checkpoint's "
			    "tree.");
		next = at + b->run[i].step_count;
	}
	if (b->run_count == 0)
		f = verify_say(vb->v->r, VERIFY_FORMAT, "没有任何条目。",
		    "There are no entries.");
	if (f == NULL)
		return;
	f->has_place = true;
	f->place = at;
	*stop = true;
}

/* Steps and marks together, by place; false: two at one place, or above. */
static bool
merge_places(struct vbundle *vb)
{
	const struct bundle *b = &vb->b;
	size_t s = 0, m = 0, n = 0;

	while (s < b->step_count || m < b->mark_count) {
		bool mark =
		    s == b->step_count ||
		    (m < b->mark_count && b->mark[m].place < vb->step[s].place);
		const uint8_t *link = mark ? b->mark[m].link : vb->step[s].link;

		vb->place[n] = mark ? b->mark[m].place : vb->step[s].place;
		merkle_leaf(vb->leaf[n], bytes_of(link, HASH_LEN));
		if ((n > 0 && vb->place[n] <= vb->place[n - 1]) ||
		    vb->place[n] >= vb->cp.size)
			return false;
		n++;
		if (mark)
			m++;
		else
			s++;
	}
	vb->leaf_count = n;
	return true;
}

static void
begin_chain(struct vchain *c, const struct bundle_run *r)
{
	memcpy(c->id, r->chain, CHAIN_LEN);
	memcpy(c->key, r->key, PUBKEY_LEN);
	chain_dev(c->dev, r->key);
	c->hold_from = UINT64_MAX;
}

/* Links of all steps, signatures, and the tree over them. */
static void
compute(struct vbundle *vb)
{
	const struct bundle *b = &vb->b;

	for (size_t i = 0; i < b->run_count; i++) {
		const struct bundle_run *r = &b->run[i];
		const uint8_t *prev = r->base;

		begin_chain(&vb->v->chain[i], r);
		vb->run[i].c = &vb->v->chain[i];
		vb->run[i].end = r->place + r->step_count - 1;
		for (size_t k = 0; k < r->step_count; k++) {
			const struct bundle_step *bs = &b->step[r->step + k];
			struct vstep *s = &vb->step[r->step + k];
			uint8_t digest[HASH_LEN];

			s->place = r->place + k;
			s->seq = r->seq + k;
			s->c = vb->run[i].c;
			s->entry = bs->entry;
			if (bs->entry.len > 0)
				entry_digest(digest, bs->entry);
			else
				memcpy(digest, bs->digest, HASH_LEN);
			chain_link(s->link, prev, s->seq, digest);
			prev = s->link;
		}
		if (r->form == BUNDLE_RETURNED) {
			vb->run[i].sig_ok = vbundle_old_path(r, prev);
			continue;
		}
		vb->v->r->signatures++;
		vb->run[i].sig_ok =
		    chain_verify(r->sig, r->key, r->chain,
			r->seq + r->step_count - 1, prev) == ST_OK;
	}
	vb->tree_ok = merge_places(vb) &&
		      merkle_check_many(b->proof, vb->place,
			  (const uint8_t(*)[HASH_LEN])vb->leaf, vb->leaf_count,
			  vb->cp.size, vb->cp.root) == ST_OK;
}

enum status
verify_bundle_links(const struct verify *v, uint64_t place,
    uint8_t link[HASH_LEN], uint8_t prev[HASH_LEN])
{
	const struct bundle *b = &v->bundle->b;

	for (size_t i = 0; i < b->run_count; i++) {
		const struct bundle_run *r = &b->run[i];
		size_t k;

		if (place < r->place || place - r->place >= r->step_count)
			continue;
		k = r->step + (size_t)(place - r->place);
		memcpy(link, v->bundle->step[k].link, HASH_LEN);
		memcpy(prev,
		    k == r->step ? r->base : v->bundle->step[k - 1].link,
		    HASH_LEN);
		return ST_OK;
	}
	return ST_ABSENT;
}

/* ---- what came from outside */

static int
size_cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Everybody's root of a size that the file gives: anchors, and `seen`. */
static void
compare_roots(struct vbundle *vb, const uint64_t *size, size_t count,
    const uint8_t (*root)[HASH_LEN], const bool *known)
{
	for (size_t i = 0; i < count; i++)
		if (known[i])
			verify_anchors_root(vb->v, size[i], root[i]);
	verify_anchors_root(vb->v, vb->cp.size, vb->cp.root);
	for (size_t k = 0; k < vb->seen_count; k++) {
		const struct vseen *s = &vb->seen[k];
		const uint64_t *at =
		    bsearch(&s->size, size, count, sizeof(*size), size_cmp);

		if (at == NULL || !known[at - size] ||
		    memcmp(root[at - size], s->root16, ID_LEN) == 0)
			continue;
		(void)vbundle_say(vb, VERIFY_SEEN, &vb->step[s->step],
		    "设备说它验过的检查点不在这棵树里：设备错，或法院给人看了"
		    "两本账。",
		    "The device states a checkpoint that this tree never had: "
		    "it is wrong, or was shown another log.");
	}
}

static enum status
outside(struct vbundle *vb)
{
	struct verify *v = vb->v;
	size_t n = 0, max = vb->seen_count + v->given->anchor_count + 1;
	uint64_t *size = calloc(max, sizeof(*size));
	uint8_t(*root)[HASH_LEN] = calloc(max, sizeof(*root));
	bool *known = calloc(max, sizeof(*known));
	enum status st = ST_NOMEM;

	if (size != NULL && root != NULL && known != NULL) {
		for (size_t i = 0; i < vb->seen_count; i++)
			size[n++] = vb->seen[i].size;
		for (size_t i = 0; i < v->given->anchor_count; i++)
			if (!v->anchor[i].bad)
				size[n++] = v->anchor[i].cp.size;
		qsort(size, n, sizeof(*size), size_cmp);
		if (vb->tree_ok)
			merkle_past_roots(vb->b.proof, vb->place,
			    (const uint8_t(*)[HASH_LEN])vb->leaf,
			    vb->leaf_count, vb->cp.size, size, n, root, known);
		if (vb->tree_ok)
			compare_roots(vb, size, n,
			    (const uint8_t(*)[HASH_LEN])root, known);
		st = verify_anchors_end(v);
	}
	free(size);
	free(root);
	free(known);
	for (size_t i = 0; i < vb->b.step_count; i++)
		v->r->covered +=
		    vb->step[i].of_record && vb->step[i].place < v->r->proved;
	return st;
}

/* ---- all of it */

static enum status
run(struct vbundle *vb, struct bytes file)
{
	struct verify *v = vb->v;
	bool stop = false;
	enum status st = bundle_read(&vb->b, file);

	v->r->bundle = true;
	if (st != ST_OK)
		return say_unread(vb, st, &stop);
	st = open_checkpoint(vb, &stop);
	if (st == ST_OK && !stop)
		check_shape(vb, &stop);
	if (st != ST_OK || stop)
		return st;
	st = make_room(vb);
	if (st != ST_OK)
		return st;
	compute(vb);
	st = vbundle_forks(vb);
	if (st == ST_OK)
		st = vbundle_manifest(vb);
	if (st == ST_OK)
		st = vbundle_entries(vb);
	if (st == ST_OK)
		st = vbundle_old_notes(vb);
	if (st != ST_OK)
		return st;
	verify_keys(v);
	vbundle_lines(vb);
	vbundle_broken(vb);
	st = verify_read_anchors(v);
	if (st == ST_OK)
		st = verify_distrust(v);
	if (st == ST_OK)
		st = verify_holds_end(v);
	if (st == ST_OK)
		st = vbundle_record(vb);
	return st == ST_OK ? outside(vb) : st;
}

enum status
verify_bundle(struct verify_report *out, struct bytes file,
    const struct verify_given *given, char errmsg[VERIFY_ERRMSG_LEN])
{
	struct verify *v = verify_new(out, given, errmsg);
	struct vbundle *vb = calloc(1, sizeof(*vb));
	enum status st = ST_NOMEM;

	if (v != NULL && vb != NULL) {
		vb->v = v;
		v->bundle = vb;
		bundle_init(&vb->b);
		entry_init(&vb->me);
		st = run(vb, file);
		entry_free(&vb->me);
		bundle_free(&vb->b);
		free(vb->run);
		free(vb->step);
		free(vb->place);
		free(vb->leaf);
		free(vb->seen);
		free(vb->sorted);
	}
	if (st != ST_OK && errmsg[0] == '\0')
		(void)snprintf(
		    errmsg, VERIFY_ERRMSG_LEN, "%s", status_text(st));
	free(vb);
	if (v != NULL)
		verify_done(v);
	return st;
}
