/* verify_anchor: what came from outside, held against the tree. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/chain.h"
#include "tlog/text.h"
#include "verify/verify_impl.h"

static void
refuse(struct verify *v, struct vanchor *a, enum verify_what what,
    const char *zh, const char *en)
{
	verify_data(verify_say(v->r, what, zh, en), "%s", a->from->name);
	a->bad = true;
}

/* By this key? */
static enum status
open_by(struct vanchor *a, const struct note_key *key)
{
	enum status st = checkpoint_open(&a->cp, a->note, key);

	if (st == ST_OK)
		a->by = *key;
	return st;
}

/*
 * By a key of a later version, which the entries have yet to show: what `meta`
 * says of it is only a guess, and held against them at the end.
 */
static enum status
open_guessed(struct verify *v, struct vanchor *a)
{
	struct descriptor *d = calloc(1, sizeof(*d));
	struct note_key key;
	struct db_stmt *s;
	enum status st, opened = ST_ABSENT;

	if (v->db == NULL) { /* a bundle brings its descriptors along */
		free(d);
		return ST_ABSENT;
	}
	if (d == NULL)
		return ST_NOMEM;
	st = db_query(&s, v->db,
	    "SELECT name = 'descriptor', value FROM meta"
	    " WHERE name IN ('descriptor', 'restores')");
	while (
	    st == ST_OK && opened == ST_ABSENT && (st = db_next(s)) == ST_OK) {
		struct bytes in = db_bytes(s, 1), line;

		if (db_u64(s, 0) == 1) {
			if (descriptor_parse(d, in) == ST_OK)
				opened = open_by(a, &d->log);
			continue;
		}
		while (opened == ST_ABSENT && text_line(&in, &line)) {
			const uint8_t *sp = memchr(line.p, ' ', line.len);

			if (sp != NULL &&
			    note_key_parse(&key,
				bytes_of(line.p, (size_t)(sp - line.p))) ==
				ST_OK)
				opened = open_by(a, &key);
		}
	}
	db_done(s);
	free(d);
	a->guessed = opened == ST_OK;
	return st == ST_OK || st == ST_ABSENT ? opened : st;
}

/* By the key given, or by one that the court's descriptors name. */
static enum status
open_note(struct verify *v, struct vanchor *a)
{
	enum status st = open_by(a, &v->given->key);

	for (size_t i = 0; i < v->descriptor_count && st == ST_ABSENT; i++)
		st = open_by(a, &v->descriptor[i]->log);
	return st == ST_ABSENT ? open_guessed(v, a) : st;
}

static enum status
read_anchor(struct verify *v, struct vanchor *a)
{
	struct bytes file = a->from->file;
	enum status st = ST_OK;

	a->note = file;
	a->is_proof = bytes_starts(file, "c2sp.org/tlog-proof@");
	if (a->is_proof)
		st = proof_parse(&a->proof, file);
	if (st == ST_OK && a->is_proof)
		a->note = a->proof.note;
	if (st == ST_OK)
		st = open_note(v, a);
	switch (st) {
	case ST_OK:
		break;
	case ST_ABSENT:
	case ST_DENIED:
		refuse(v, a, VERIFY_RECEIPT, "伪造的凭据：不是这个日志签名的。",
		    "Forged: not signed by this log.");
		return ST_OK;
	case ST_INVALID:
	case ST_LIMIT:
		(void)snprintf(v->errmsg, VERIFY_ERRMSG_LEN,
		    "%.200s: 读不出 / neither a note nor a proof file",
		    a->from->name);
		return ST_INVALID;
	default:
		return st;
	}
	if (a->is_proof && a->proof.index >= a->cp.size)
		refuse(v, a, VERIFY_RECEIPT, "伪造的凭据：位置超出树。",
		    "Forged: its place lies outside its tree.");
	return ST_OK;
}

/* Two of them alone can show a split. */
static void
compare_pairs(struct verify *v)
{
	size_t n = v->given->anchor_count;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			const struct vanchor *a = &v->anchor[i];
			const struct vanchor *b = &v->anchor[k];

			if (a->bad || b->bad || a->cp.size != b->cp.size ||
			    strcmp(a->cp.origin, b->cp.origin) != 0 ||
			    memcmp(a->cp.root, b->cp.root, HASH_LEN) == 0)
				continue;
			verify_data(
			    verify_say(v->r, VERIFY_SPLIT,
				"分裂视图：日志对同一大小签了两个根。",
				"Split view: the log signed two roots of one "
				"size."),
			    "%s | %s | size %" PRIu64, a->from->name,
			    b->from->name, a->cp.size);
		}
	}
}

static void
next_anchor(struct verify *v)
{
	v->next_anchor = UINT64_MAX;
	for (size_t i = 0; i < v->given->anchor_count; i++) {
		const struct vanchor *a = &v->anchor[i];

		if (!a->bad && !a->done && a->cp.size < v->next_anchor)
			v->next_anchor = a->cp.size;
	}
}

enum status
verify_read_anchors(struct verify *v)
{
	size_t n = v->given->anchor_count;
	enum status st = ST_OK;

	v->anchor = calloc(n == 0 ? 1 : n, sizeof(*v->anchor));
	if (v->anchor == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < n && st == ST_OK; i++) {
		v->anchor[i].from = &v->given->anchor[i];
		st = read_anchor(v, &v->anchor[i]);
		/* A tree of no leaves proves nothing and contradicts none. */
		if (st == ST_OK && !v->anchor[i].bad &&
		    v->anchor[i].cp.size == 0)
			v->anchor[i].done = true;
	}
	if (st != ST_OK)
		return st;
	compare_pairs(v);
	next_anchor(v);
	return ST_OK;
}

void
verify_anchors_root(
    struct verify *v, uint64_t size, const uint8_t root[HASH_LEN])
{
	for (size_t i = 0; i < v->given->anchor_count; i++) {
		struct vanchor *a = &v->anchor[i];

		if (a->bad || a->done || a->cp.size != size)
			continue;
		a->done = true;
		memcpy(a->store_root, root, HASH_LEN);
		a->matches = memcmp(root, a->cp.root, HASH_LEN) == 0;
	}
	next_anchor(v);
}

void
verify_anchors_at(struct verify *v)
{
	uint8_t root[HASH_LEN];

	frontier_root(&v->f, root);
	verify_anchors_root(v, v->f.size, root);
}

/* ---- at the end */

/* The link at a place, and what it rests on as the row before it says. */
static enum status
links_at(struct verify *v, uint64_t place, uint8_t link[HASH_LEN],
    uint8_t prev[HASH_LEN])
{
	struct db_stmt *s;
	enum status st;

	if (v->bundle != NULL)
		return verify_bundle_links(v, place, link, prev);
	st = db_query(&s, v->db,
	    "SELECT e.link, coalesce(e.prev,"
	    " (SELECT link FROM entries WHERE place = ?1 - 1))"
	    " FROM entries e WHERE e.place = ?1");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, place);
	st = db_next(s);
	if (st == ST_OK)
		st = db_copy(s, 0, link, HASH_LEN);
	if (st == ST_OK)
		st = db_copy(s, 1, prev, HASH_LEN);
	db_done(s);
	return st;
}

/* A receipt whose checkpoint is right: it must speak of the entry there. */
static enum status
check_receipt(struct verify *v, struct vanchor *a)
{
	uint8_t link[HASH_LEN], prev[HASH_LEN], leaf[HASH_LEN];
	enum status st = links_at(v, a->proof.index, link, prev);

	if (st == ST_ABSENT || st == ST_CORRUPT)
		return ST_OK; /* named already */
	if (st != ST_OK)
		return st;
	merkle_leaf(leaf, bytes_of(link, HASH_LEN));
	if (merkle_check_inclusion(&a->proof.path, a->proof.index, a->cp.size,
		leaf, a->cp.root) != ST_OK ||
	    (a->proof.has_prev && memcmp(a->proof.prev, prev, HASH_LEN) != 0)) {
		refuse(v, a, VERIFY_RECEIPT,
		    "伪造的凭据：它的证明不通向此位置的条目。",
		    "Forged: its proof does not lead to the entry at its "
		    "place.");
		v->r->finding[v->r->finding_count - 1].has_place = true;
		v->r->finding[v->r->finding_count - 1].place = a->proof.index;
	}
	return ST_OK;
}

static void
say_other(struct verify *v, const struct vanchor *a, enum verify_what what,
    uint64_t place, const char *zh, const char *en)
{
	struct verify_finding *f = verify_say(v->r, what, zh, en);
	char signed_root[2 * HASH_LEN + 1], ours[2 * HASH_LEN + 1];

	hex_encode(signed_root, bytes_of(a->cp.root, HASH_LEN));
	hex_encode(ours, bytes_of(a->store_root, HASH_LEN));
	f->has_place = true;
	f->place = place;
	verify_data(f, "%.150s: size %" PRIu64 ", signed %s, here %s",
	    a->from->name, a->cp.size, signed_root, a->done ? ours : "-");
}

/* What the log signed is not this tree. */
static enum status
say_differs(struct verify *v, const struct vanchor *a)
{
	uint8_t link[HASH_LEN], prev[HASH_LEN], leaf[HASH_LEN];
	enum status st = ST_ABSENT;

	if (a->is_proof)
		st = links_at(v, a->proof.index, link, prev);
	if (st == ST_OK)
		merkle_leaf(leaf, bytes_of(link, HASH_LEN));
	if (st == ST_OK &&
	    merkle_check_inclusion(&a->proof.path, a->proof.index, a->cp.size,
		leaf, a->cp.root) != ST_OK) {
		say_other(v, a, VERIFY_SPLIT, a->proof.index,
		    "日志签收过此位置的另一条目：历史被改写，或分裂视图。",
		    "The log gave a receipt for another entry at this place: "
		    "history was rewritten, or a split view.");
		return ST_OK;
	}
	if (st != ST_OK && st != ST_ABSENT && st != ST_CORRUPT)
		return st;
	say_other(v, a, VERIFY_SPLIT, a->cp.size - 1,
	    "日志签过的是另一棵树：历史被改写，或分裂视图。",
	    "The log signed another tree of this size: history was "
	    "rewritten, or a split view.");
	return ST_OK;
}

/* A bundle has few of the tree's earlier roots, and none of its later. */
static enum status
say_apart(struct verify *v, struct vanchor *a)
{
	enum status st = a->is_proof ? check_receipt(v, a) : ST_OK;

	if (st != ST_OK || a->bad)
		return st;
	verify_data(verify_say(v->r, VERIFY_APART,
			"此凭据的树与本导出件无法对照；请法院以 --manifest 与 "
			"--anchor 重新导出。",
			"This anchor's tree cannot be compared with the "
			"bundle's: ask for an export with --manifest and "
			"--anchor."),
	    "%.150s: size %" PRIu64, a->from->name, a->cp.size);
	return ST_OK;
}

static void
proved_by(struct verify *v, const char *sort, const char *name, uint64_t size)
{
	struct verify_report *r = v->r;

	if (size > r->proved)
		r->proved = size;
	if (r->by_count == VERIFY_BY_MAX)
		return;
	(void)snprintf(r->by[r->by_count++], sizeof(r->by[0]),
	    "%s %.100s (%" PRIu64 ")", sort, name, size);
}

/* Who else saw the same tree. */
static enum status
check_witnesses(struct verify *v, struct vanchor *a, bool *signed_it)
{
	for (size_t i = 0; i < v->given->witness_count; i++) {
		const struct note_key *w = &v->given->witness[i];
		uint64_t time;
		enum status st = cosignature_check(a->note, w, &time);

		if (st == ST_NOMEM)
			return st;
		if (st == ST_DENIED)
			refuse(v, a, VERIFY_RECEIPT, "伪造的见证签名。",
			    "A forged cosignature.");
		if (st != ST_OK)
			continue;
		signed_it[i] = true;
		proved_by(v, "witness", w->name, a->cp.size);
	}
	return ST_OK;
}

static enum status
judge(struct verify *v, struct vanchor *a, bool *signed_it)
{
	const struct vrestore *ended;
	enum status st = ST_OK;

	if (a->bad || a->cp.size == 0)
		return ST_OK;
	if (a->guessed && !verify_names_log(v, &a->by)) {
		refuse(v, a, VERIFY_RECEIPT, "伪造的凭据：不是这个日志签名的。",
		    "Forged: not signed by this log.");
		return ST_OK;
	}
	ended = verify_ended(v, a->cp.origin);
	if (ended != NULL && a->cp.size > ended->kept)
		return verify_old_anchor(v, a, ended);
	if (!a->done && v->bundle != NULL)
		return say_apart(v, a);
	if (!a->done) {
		say_other(v, a, VERIFY_TAIL, v->f.size,
		    "尾部缺失：日志签过更大的树。",
		    "The tail is missing: the log signed a larger tree.");
		return ST_OK;
	}
	if (!a->matches)
		return say_differs(v, a);
	if (a->is_proof)
		st = check_receipt(v, a);
	if (st == ST_OK && !a->bad)
		st = check_witnesses(v, a, signed_it);
	if (st == ST_OK && !a->bad)
		proved_by(v, a->is_proof ? "receipt" : "checkpoint",
		    a->from->name, a->cp.size);
	return st;
}

enum status
verify_anchors_end(struct verify *v)
{
	size_t n = v->given->witness_count;
	bool *signed_it = calloc(n == 0 ? 1 : n, sizeof(*signed_it));
	enum status st = ST_OK;

	if (signed_it == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < v->given->anchor_count && st == ST_OK; i++)
		st = judge(v, &v->anchor[i], signed_it);
	verify_restores_end(v);
	for (size_t i = 0; i < n && st == ST_OK; i++)
		if (!signed_it[i])
			verify_data(verify_say(v->r, VERIFY_WITNESS,
					"此见证人没有在任何所给的凭据上签名。",
					"This witness signed none of what was "
					"given."),
			    "%s", v->given->witness[i].name);
	free(signed_it);
	return st;
}
