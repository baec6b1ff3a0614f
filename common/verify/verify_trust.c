/* verify_trust: descriptors as entries of the log, and the keys that the court
 * says are good for nothing any more (FORMAT.md, "Descriptor", `distrust`). */
#include <inttypes.h>
#include <string.h>

#include "base/enc.h"
#include "verify/verify_bundle_impl.h"

enum status
verify_descriptor_entry(
    struct verify *v, struct vchain *c, const struct vrow *row)
{
	uint8_t said[HASH_LEN];
	struct bytes file;
	const struct descriptor *d;
	bool good = false;
	uint64_t n = 0;
	enum status st;

	st = verify_descriptor_file(v, &file);
	if (st == ST_NOMEM)
		return st;
	/* Version 1 is taken already, and what began this chain. */
	if (st == ST_OK && row->place > 0 && v->taken_ahead == 0)
		st = verify_take_descriptor(v, file, &good);
	if (st == ST_NOMEM)
		return st;
	if (row->place == 0 || v->taken_ahead > 0)
		good = v->descriptor_count > 0;
	if (v->taken_ahead == 0)
		v->taken_ahead = 1; /* the newest is the one meant */
	d = good ? v->descriptor[v->descriptor_count - v->taken_ahead] : NULL;
	v->taken_ahead--;
	if (good && verify_num(&v->e, "n", &n) && n == d->version &&
	    verify_hash(&v->e, "sha256", said, HASH_LEN) &&
	    memcmp(said, d->digest, HASH_LEN) == 0)
		return ST_OK;
	verify_say_at(v, VERIFY_DESCRIPTOR, row->place, c, row->seq,
	    "法院描述文件不接上一版，或签名不对。",
	    "The descriptor does not follow the version before it, or is "
	    "not signed by its root key.");
	return ST_OK;
}

/* Entries of a device's chain from `after` on must be held by now; the centre's
 * own cannot be. */
static enum status
judge_rows(struct verify *v, struct vchain *c, uint64_t after)
{
	struct vhold h = { .c = c, .what = VERIFY_REVOKED };
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT place, seq, link FROM entries WHERE chain = ?1 AND "
	    "branch = ?2 AND place >= ?3 AND flags & 5 = 0 ORDER BY place");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, c->no);
	db_bind_u64(s, 2, c->branch);
	db_bind_u64(s, 3, after);
	while ((st = db_next(s)) == ST_OK) {
		uint8_t link[HASH_LEN];

		h.place = db_u64(s, 0);
		h.seq = db_u64(s, 1);
		if (c->server) {
			verify_say_at(v, VERIFY_DESCRIPTOR, h.place, c, h.seq,
			    "法院公钥已被宣布不可信，此后的条目无效。",
			    "An entry by a key of the court's that it says is "
			    "good for nothing by then.");
			st = ST_ABSENT;
			break;
		}
		st = db_copy(s, 2, link, HASH_LEN);
		memcpy(h.id, link, ID_LEN);
		if (st == ST_OK)
			st = verify_room(
			    &v->need, &v->need_cap, v->need_count, sizeof(h));
		if (st != ST_OK)
			break;
		v->need[v->need_count++] = h;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

static enum status
judge_chains(struct verify *v, const struct descriptor_distrust *x)
{
	char hex[2 * PUBKEY_LEN + 1];
	enum status st = ST_OK;

	for (size_t i = 0; i < v->chain_count && st == ST_OK; i++) {
		struct vchain *c = &v->chain[i];

		hex_encode(hex, bytes_of(c->key, PUBKEY_LEN));
		if (strcmp(hex, x->key) == 0 && c->begun &&
		    c->last_place >= x->after)
			st = judge_rows(v, c, x->after);
	}
	return st;
}

/* The same, of what a bundle brings; of one run. */
static enum status
judge_run(struct verify *v, size_t i, uint64_t after)
{
	const struct bundle_run *r = &v->bundle->b.run[i];
	struct vchain *c = v->bundle->run[i].c;
	enum status st = ST_OK;

	for (size_t k = 0; k < r->step_count && st == ST_OK; k++) {
		const struct vstep *s = &v->bundle->step[r->step + k];
		struct vhold h = { .c = c,
			.what = VERIFY_REVOKED,
			.place = s->place,
			.seq = s->seq };

		if (s->place < after || s->entry.len == 0)
			continue;
		if (c->server) {
			verify_say_at(v, VERIFY_DESCRIPTOR, s->place, c, s->seq,
			    "法院公钥已被宣布不可信，此后的条目无效。",
			    "An entry by a key of the court's that it says is "
			    "good for nothing by then.");
			return ST_OK;
		}
		if (!s->of_record || s->bare)
			continue;
		memcpy(h.id, s->link, ID_LEN);
		st = verify_room(
		    &v->need, &v->need_cap, v->need_count, sizeof(h));
		if (st == ST_OK)
			v->need[v->need_count++] = h;
	}
	return st;
}

static enum status
judge_steps(struct verify *v, const struct descriptor_distrust *x)
{
	char hex[2 * PUBKEY_LEN + 1];
	enum status st = ST_OK;

	for (size_t i = 0; i < v->bundle->b.run_count && st == ST_OK; i++) {
		hex_encode(hex, bytes_of(v->bundle->run[i].c->key, PUBKEY_LEN));
		if (strcmp(hex, x->key) == 0)
			st = judge_run(v, i, x->after);
	}
	return st;
}

/* A checkpoint that such a log key signed beyond that size proves nothing. */
static enum status
judge_anchors(struct verify *v, const struct descriptor_distrust *x)
{
	struct buf vkey;
	enum status st = ST_OK;

	buf_init(&vkey, NOTE_VKEY_MAX + 1);
	for (size_t i = 0; i < v->given->anchor_count && st == ST_OK; i++) {
		struct vanchor *a = &v->anchor[i];

		if (a->bad || a->cp.size <= x->after)
			continue;
		buf_reset(&vkey);
		note_key_format(&a->by, &vkey);
		st = vkey.err;
		if (st != ST_OK || !bytes_eq_str(buf_view(&vkey), x->key))
			continue;
		a->bad = true;
		verify_data(verify_say(v->r, VERIFY_RECEIPT,
				"凭据由法院已宣布不可信的公钥签名。",
				"Signed by a key that the court says was good "
				"for nothing by then."),
		    "%.200s: size %" PRIu64, a->from->name, a->cp.size);
	}
	buf_free(&vkey);
	return st;
}

/* What the bundle itself rests on. */
static enum status
judge_checkpoint(struct verify *v, const struct descriptor_distrust *x)
{
	struct buf vkey;
	enum status st;

	if (v->bundle == NULL || v->bundle->cp.size <= x->after)
		return ST_OK;
	buf_init(&vkey, NOTE_VKEY_MAX + 1);
	note_key_format(&v->given->key, &vkey);
	st = vkey.err;
	if (st == ST_OK && bytes_eq_str(buf_view(&vkey), x->key))
		verify_data(
		    verify_say(v->r, VERIFY_RECEIPT,
			"导出件的检查点由法院已宣布不可信的公钥签名。",
			"The bundle's checkpoint is signed by a key that "
			"the court says was good for nothing by then."),
		    "size %" PRIu64, v->bundle->cp.size);
	buf_free(&vkey);
	return st;
}

enum status
verify_distrust(struct verify *v)
{
	const struct descriptor *d;
	enum status st = ST_OK;

	if (v->descriptor_count == 0)
		return ST_OK;
	d = v->descriptor[v->descriptor_count - 1];
	for (size_t i = 0; i < d->distrust_count && st == ST_OK; i++) {
		st = v->bundle != NULL ? judge_steps(v, &d->distrust[i])
				       : judge_chains(v, &d->distrust[i]);
		if (st == ST_OK)
			st = judge_checkpoint(v, &d->distrust[i]);
		if (st == ST_OK)
			st = judge_anchors(v, &d->distrust[i]);
	}
	return st;
}
