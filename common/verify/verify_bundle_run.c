/* verify_bundle_run: forks, piece lines, and whose fault a broken run is. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "entry/chain.h"
#include "verify/verify_bundle_impl.h"

enum { SIGNERS_MAX = 256 }; /* tried for each broken run */

/* ---- forks: one place in a chain, two links */

struct at {
	const uint8_t *chain, *link;
	uint64_t seq, place;
	size_t run;
	bool base; /* what a run rests on, not an entry of it */
};

static int
at_cmp(const void *a, const void *b)
{
	const struct at *x = a, *y = b;
	int n = memcmp(x->chain, y->chain, CHAIN_LEN);

	if (n != 0)
		return n;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	n = memcmp(x->link, y->link, HASH_LEN);
	if (n != 0)
		return n;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* What runs state whose signature holds; the others are named anyway. */
static size_t
collect(const struct vbundle *vb, struct at *list)
{
	size_t n = 0;

	for (size_t i = 0; i < vb->b.run_count; i++) {
		const struct bundle_run *r = &vb->b.run[i];

		if (!vb->run[i].sig_ok)
			continue;
		if (r->seq > 1)
			list[n++] = (struct at){ r->chain, r->base, r->seq - 1,
				r->place, i, true };
		for (size_t k = 0; k < r->step_count; k++)
			list[n++] =
			    (struct at){ r->chain, vb->step[r->step + k].link,
				    r->seq + k, r->place + k, i, false };
	}
	return n;
}

static void
say_replay(struct vbundle *vb, const struct at *x)
{
	verify_say_at(vb->v, VERIFY_REPLAY, x->place, &vb->v->chain[x->run],
	    x->seq, "重放：同一条目已在前面的位置。",
	    "Replay: the same entry stands at an earlier place.");
}

/* One (chain, seq): list[0 … count).  From the second link on the chain has
 * forked, whichever branch came first. */
static void
judge_seq(struct vbundle *vb, const struct at *list, size_t count)
{
	uint64_t first = UINT64_MAX, second = UINT64_MAX;
	struct vchain *c = NULL;

	for (size_t i = 0; i < count; i++) {
		bool same = i > 0 && memcmp(list[i].link, list[i - 1].link,
					 HASH_LEN) == 0;

		if (same && !list[i].base && !list[i - 1].base)
			say_replay(vb, &list[i]);
		if (same)
			continue; /* its least place was the one before */
		if (list[i].place < first) {
			second = first;
			first = list[i].place;
		} else if (list[i].place < second) {
			second = list[i].place;
		}
	}
	if (second == UINT64_MAX)
		return;
	for (size_t i = 0; i < count; i++)
		if (list[i].place == second)
			c = &vb->v->chain[list[i].run];
	vb->v->r->forks++;
	if (c->hold_from > second)
		c->hold_from = second;
	if (vb->b.run[c - vb->v->chain].form == BUNDLE_OWN)
		verify_say_at(vb->v, VERIFY_REBUILT, second, c, list[0].seq,
		    "法院自己的链分了叉。", "The court's own chain forks.");
}

static int
key_cmp(const void *a, const void *b)
{
	const struct vchain *const *x = a, *const *y = b;

	return memcmp((*x)->key, (*y)->key, PUBKEY_LEN);
}

/* What is known of one chain of a key holds for all that the key signed.
 * verify_time holds what lies behind `hold_from`: that is the place itself. */
static enum status
spread(struct vbundle *vb)
{
	struct verify *v = vb->v;
	struct vchain **by =
	    calloc(v->chain_count + 1, sizeof(struct vchain *));
	uint64_t from = UINT64_MAX;

	if (by == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < v->chain_count; i++)
		by[i] = &v->chain[i];
	qsort(by, v->chain_count, sizeof(struct vchain *), key_cmp);
	for (size_t i = 0, k; i < v->chain_count; i = k) {
		from = UINT64_MAX;
		for (k = i; k < v->chain_count && key_cmp(&by[i], &by[k]) == 0;
		     k++)
			if (by[k]->hold_from < from)
				from = by[k]->hold_from;
		for (size_t n = i; n < k; n++)
			by[n]->hold_from =
			    from == UINT64_MAX || from == 0 ? from : from - 1;
	}
	free(by);
	return ST_OK;
}

enum status
vbundle_forks(struct vbundle *vb)
{
	size_t count, max = vb->b.step_count + vb->b.run_count + 1;
	struct at *list = calloc(max, sizeof(*list));

	if (list == NULL)
		return ST_NOMEM;
	count = collect(vb, list);
	if (count > 0)
		qsort(list, count, sizeof(*list), at_cmp);
	for (size_t i = 0, k; i < count; i = k) {
		for (k = i + 1;
		     k < count && list[k].seq == list[i].seq &&
		     memcmp(list[k].chain, list[i].chain, CHAIN_LEN) == 0;
		     k++)
			;
		judge_seq(vb, list + i, k - i);
	}
	free(list);
	return spread(vb);
}

/* ---- piece lines */

/* The commit that a piece stands in: the first one that ends behind it. */
static const struct vrun *
commit_of(const struct vbundle *vb, size_t i)
{
	for (i++; i < vb->b.run_count; i++)
		if (vb->b.run[i].form == BUNDLE_OWN)
			return &vb->run[i];
	return NULL;
}

static bool
line_in(const struct vbundle *vb, size_t i, const struct vrun *commit)
{
	const struct bundle_run *r = &vb->b.run[i];
	uint64_t before = r->seq - r->first;
	uint8_t line[BUNDLE_LINE_LEN], leaf[HASH_LEN];
	struct merkle_proof path = { .count = r->path.len / HASH_LEN };

	/* Each line before it stands for an entry at least. */
	if (commit == NULL || !commit->commit_ok || before > r->place ||
	    r->place - before < commit->commit_first ||
	    r->place - before - commit->commit_first < r->index)
		return false;
	memcpy(path.hash, r->path.p, r->path.len);
	bundle_line(line, r, vb->step[r->step + r->step_count - 1].link);
	merkle_leaf(leaf, bytes_of(line, sizeof(line)));
	return r->index < commit->commit_pieces &&
	       merkle_check_inclusion(&path, r->index, commit->commit_pieces,
		   leaf, commit->commit_root) == ST_OK;
}

void
vbundle_lines(struct vbundle *vb)
{
	const struct vrun *commit = NULL;
	uint64_t index = 0;
	bool any = false;

	for (size_t i = 0; i < vb->b.run_count; i++) {
		const struct bundle_run *r = &vb->b.run[i];

		if (r->form == BUNDLE_OWN)
			continue;
		if (commit == NULL || commit->end < r->place) {
			commit = commit_of(vb, i);
			any = false;
		}
		vb->run[i].line_ok =
		    line_in(vb, i, commit) && (!any || r->index > index);
		index = r->index;
		any = true;
		if (vb->run[i].line_ok || !vb->run[i].sig_ok)
			continue;
		verify_say_at(vb->v, VERIFY_COMMIT, r->place, vb->run[i].c,
		    r->seq, "段行不是提交时的：它不在提交的根里。",
		    "The piece line is not the one committed: it is not in "
		    "the commit's root.");
		if (commit == NULL)
			return;
	}
}

/* ---- runs whose signature does not hold */

/* Of those enrolled, who did sign it? */
static const struct vdevice *
signer(const struct vbundle *vb, size_t i)
{
	const struct bundle_run *r = &vb->b.run[i];
	const struct vstep *last = &vb->step[r->step + r->step_count - 1];

	for (size_t k = 0; k < vb->v->device_count && k < SIGNERS_MAX; k++)
		if (chain_verify(r->sig, vb->v->device[k].key, r->chain,
			last->seq, last->link) == ST_OK)
			return &vb->v->device[k];
	return NULL;
}

/* The first entry of the run that the list of ids does not have. */
static const struct vstep *
first_changed(const struct vbundle *vb, size_t i)
{
	const struct bundle_run *r = &vb->b.run[i];

	for (size_t k = 0; k < r->step_count; k++) {
		const struct vstep *s = &vb->step[r->step + k];

		if (s->of_record && !vbundle_listed(vb, s->link))
			return s;
	}
	return &vb->step[r->step];
}

static void
say_broken(struct vbundle *vb, size_t i)
{
	const struct bundle_run *r = &vb->b.run[i];
	const struct vstep *last = &vb->step[r->step + r->step_count - 1];
	const struct vdevice *d = signer(vb, i);

	if (d != NULL) {
		verify_data(vbundle_say(vb, VERIFY_DEVICE, &vb->step[r->step],
				"设备被换：这一段是另一台设备签名的。",
				"The device was swapped: another one signed "
				"these entries."),
		    "%s", d->dev);
		return;
	}
	if (vb->tree_ok && (vb->run[i].line_ok || r->form == BUNDLE_OWN)) {
		(void)vbundle_say(vb, VERIFY_REBUILT, last,
		    "链头签名不是该设备的：这条链被重造，或换了设备。",
		    "The head signature is not this device's: the chain was "
		    "rebuilt, or its device swapped.");
		return;
	}
	(void)vbundle_say(vb, VERIFY_CHANGED, first_changed(vb, i),
	    "字节被改：从此条起，这一段不是设备签过、日志收过的。",
	    "Bytes were changed: from this entry on, what stands here is not "
	    "what the device signed and the log took in.");
}

void
vbundle_broken(struct vbundle *vb)
{
	struct verify_report *r = vb->v->r;
	uint64_t before = r->damage;

	for (size_t i = 0; i < vb->b.run_count; i++)
		if (!vb->run[i].sig_ok && r->damage - before < 100)
			say_broken(vb, i);
	if (!vb->tree_ok && r->damage == before)
		(void)verify_say(r, VERIFY_RECEIPT,
		    "伪造的证明：各条目在所说的位置，通不到签名的根。",
		    "A forged proof: from the entries, at the places stated, "
		    "it does not lead to the signed root.");
}
