/*
 * verify_returned: pieces that came without their device's signature, by the
 * proof of a log that ended (docs/PROTOCOL.md, sections 8 and 9).
 *
 * The proof is in the log beside them: the old checkpoint and what leads from
 * the piece's last link, which holds all before it, to that.  So they stand on
 * the old log's word, and the report says so unless their device signed later.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/chain.h"
#include "verify/verify_bundle_impl.h"

static const struct note_key *
ended_key(const struct verify *v, const char *origin)
{
	if (verify_ended(v, origin) == NULL)
		return NULL;
	for (size_t i = 0; i < v->descriptor_count; i++)
		if (strcmp(v->descriptor[i]->log.name, origin) == 0)
			return &v->descriptor[i]->log;
	return NULL;
}

/* `proof` of `more`: hashes. */
static bool
read_path(const struct json *j, uint32_t more, struct merkle_proof *out)
{
	uint32_t list = json_get_typed(j, more, "proof", JSON_ARRAY);

	out->count = 0;
	if (list == 0)
		return false;
	for (uint32_t n = json_first(j, list); n < json_end(j, list);
	     n = j->node[n].next) {
		if (out->count == MERKLE_PROOF_MAX ||
		    j->node[n].type != JSON_STRING ||
		    json_hex(j, n, out->hash[out->count], HASH_LEN) != ST_OK)
			return false;
		out->count++;
	}
	return true;
}

/* The old checkpoint, by its log's key; ST_DENIED: it is none. */
static enum status
read_note(struct verify *v, uint32_t more, const struct vreturned *r,
    const char *origin, struct checkpoint *cp)
{
	const struct note_key *key = ended_key(v, origin);
	uint32_t n = json_get_typed(&v->e.body, more, "note", JSON_STRING);
	enum status st;

	if (key == NULL || n == 0)
		return ST_DENIED;
	buf_reset(&v->text);
	json_text(&v->e.body, n, &v->text);
	if (v->text.err != ST_OK)
		return v->text.err == ST_NOMEM ? ST_NOMEM : ST_DENIED;
	st = checkpoint_open(cp, buf_view(&v->text), key);
	if (st == ST_NOMEM)
		return st;
	return st == ST_OK && cp->size == r->size &&
		       r->old_place >= verify_ended(v, origin)->kept
		   ? ST_OK
		   : ST_DENIED;
}

/* What it says; ST_DENIED: not what one is. */
static enum status
read_returned(struct verify *v, struct vreturned *r)
{
	char origin[NOTE_NAME_MAX + 1];
	uint32_t more = v->e.more;
	struct checkpoint cp;
	int64_t place;
	enum status st;

	if (more == 0 || !verify_hash(&v->e, "chain", r->chain, CHAIN_LEN) ||
	    !verify_num(&v->e, "first", &r->first) ||
	    !verify_num(&v->e, "last", &r->last) ||
	    !verify_num(&v->e, "size", &r->size) ||
	    !verify_text(&v->e, "origin", origin, sizeof(origin)) ||
	    !read_path(&v->e.body, more, &r->path))
		return ST_DENIED;
	place = json_int(&v->e.body, more, "place", -1);
	if (place < 0)
		return ST_DENIED;
	r->old_place = (uint64_t)place;
	st = read_note(v, more, r, origin, &cp);
	if (st == ST_OK)
		memcpy(r->root, cp.root, HASH_LEN);
	return st;
}

static bool
leads(const struct vreturned *r, const uint8_t link[HASH_LEN])
{
	uint8_t leaf[HASH_LEN];

	merkle_leaf(leaf, bytes_of(link, HASH_LEN));
	return merkle_check_inclusion(
		   &r->path, r->old_place, r->size, leaf, r->root) == ST_OK;
}

/* Evidence: the entry is in it, or was too long for that. */
static enum status
evidence_proves(struct verify *v, const struct vreturned *r, bool *good)
{
	const struct json *j = &v->e.body;
	uint32_t n = json_get_typed(j, v->e.more, "entry", JSON_STRING);
	uint32_t p = json_get_typed(j, v->e.more, "prev", JSON_STRING);
	uint8_t prev[HASH_LEN], digest[HASH_LEN], link[HASH_LEN];
	uint8_t *raw;
	size_t len = 0;

	*good = n == 0;
	if (n == 0)
		return ST_OK;
	raw = malloc(ENTRY_BYTES_MAX);
	if (raw == NULL)
		return ST_NOMEM;
	if (json_hex(j, p, prev, HASH_LEN) == ST_OK &&
	    base64_decode(raw, ENTRY_BYTES_MAX, &len, json_raw(j, n)) ==
		ST_OK &&
	    r->first == r->last && len > 0) {
		entry_digest(digest, bytes_of(raw, len));
		chain_link(link, prev, r->last, digest);
		*good = leads(r, link);
	}
	free(raw);
	return ST_OK;
}

enum status
verify_returned_entry(
    struct verify *v, struct vchain *c, const struct vrow *row)
{
	struct vreturned r = { .place = row->place };
	bool good = true;
	enum status st = read_returned(v, &r);

	if (st == ST_OK &&
	    json_get_typed(&v->e.body, v->e.more, "prev", JSON_STRING) != 0) {
		st = evidence_proves(v, &r, &good);
		v->r->evidence += st == ST_OK && good;
	} else if (st == ST_OK) {
		st = verify_room(&v->returned, &v->returned_cap,
		    v->returned_count, sizeof(r));
		if (st == ST_OK)
			v->returned[v->returned_count++] = r;
	}
	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK || !good)
		verify_say_at(v, VERIFY_RECEIPT, row->place, c, row->seq,
		    "补交条目所附的证明，不是旧日志的。",
		    "What a returned entry is said to be proved by is no proof "
		    "of a log that ended.");
	return ST_OK;
}

bool
verify_returned_line(struct verify *v, struct vchain *c, uint64_t first,
    uint64_t last, const uint8_t link[HASH_LEN])
{
	for (size_t i = 0; i < v->returned_count; i++) {
		struct vreturned *r = &v->returned[i];

		if (r->used || memcmp(r->chain, c->id, CHAIN_LEN) != 0 ||
		    r->first != first || r->last != last || !leads(r, link))
			continue;
		r->used = true;
		v->r->returned += last - first + 1;
		if (c->returned_last == 0 || first < c->returned_first)
			c->returned_first = first;
		if (last > c->returned_last)
			c->returned_last = last;
		return true;
	}
	return false;
}

void
verify_returned_commit(struct verify *v, struct vchain *c)
{
	for (size_t i = 0; i < v->returned_count; i++)
		if (!v->returned[i].used && !v->commit_wrong)
			verify_say_at(v, VERIFY_COMMIT, v->returned[i].place, c,
			    0, "日志说有补交的一段，提交里却没有。",
			    "The log says that a piece was returned, and its "
			    "commit has none.");
	v->returned_count = 0;
}

void
verify_returned_end(struct verify *v)
{
	for (size_t i = 0; i < v->chain_count; i++) {
		struct vchain *c = &v->chain[i];
		struct verify_finding *f;
		bool apart = false;

		for (size_t k = 0; k < v->hole_count; k++)
			apart = apart || v->hole[k].c == c;
		if (c->returned_last == 0 ||
		    (!apart && c->sig_seq > c->returned_last))
			continue;
		f = verify_say(v->r, VERIFY_RETURNED,
		    "这条链上有别人代交的条目：由恢复以前的日志证明，没有设备"
		    "自己后来的签名。",
		    "Entries of this chain were brought by others: the log "
		    "before the restore proves them, and no later signature of "
		    "their device does.");
		f->has_chain = true;
		memcpy(f->chain, c->id, CHAIN_LEN);
		memcpy(f->dev, c->dev, sizeof(f->dev));
		f->seq = c->returned_first;
		verify_data(f, "seq %" PRIu64 " - %" PRIu64, c->returned_first,
		    c->returned_last);
	}
}

/* ---- in a bundle */

/* The text of a note, whoever signed it. */
static struct bytes
note_text(struct bytes note)
{
	for (size_t i = note.len; i-- > 1;)
		if (note.p[i] == '\n' && note.p[i - 1] == '\n')
			return bytes_of(note.p, i);
	return bytes_of(note.p, 0);
}

bool
vbundle_old_path(const struct bundle_run *r, const uint8_t link[HASH_LEN])
{
	static const uint8_t none[SIG_LEN];
	struct merkle_proof path = { .count = r->old_path.len / HASH_LEN };
	struct checkpoint cp;
	uint8_t leaf[HASH_LEN];

	if (memcmp(r->sig, none, SIG_LEN) != 0 ||
	    checkpoint_parse(&cp, note_text(r->old_note)) != ST_OK)
		return false;
	memcpy(path.hash, r->old_path.p, r->old_path.len);
	merkle_leaf(leaf, bytes_of(link, HASH_LEN));
	return merkle_check_inclusion(
		   &path, r->old_place, cp.size, leaf, cp.root) == ST_OK;
}

static void
say_run(struct vbundle *vb, size_t i, enum verify_what what, const char *zh,
    const char *en)
{
	const struct bundle_run *r = &vb->b.run[i];

	verify_say_at(vb->v, what, r->place, vb->run[i].c, r->seq, zh, en);
}

enum status
vbundle_old_notes(struct vbundle *vb)
{
	for (size_t i = 0; i < vb->b.run_count; i++) {
		const struct bundle_run *r = &vb->b.run[i];
		const struct note_key *key;
		struct checkpoint cp;
		enum status st;

		if (r->form != BUNDLE_RETURNED || !vb->run[i].sig_ok)
			continue;
		st = checkpoint_parse(&cp, note_text(r->old_note));
		key = st == ST_OK ? ended_key(vb->v, cp.origin) : NULL;
		st = key == NULL ? ST_DENIED
				 : checkpoint_open(&cp, r->old_note, key);
		if (st == ST_NOMEM)
			return st;
		vb->v->r->returned += st == ST_OK ? r->step_count : 0;
		if (st == ST_OK)
			say_run(vb, i, VERIFY_RETURNED,
			    "由别人代交的一段：恢复以前的日志证明，没有设备自己"
			    "的签名。",
			    "Entries that others brought: the log before the "
			    "restore proves them, and no signature of their "
			    "device does.");
		else
			say_run(vb, i, VERIFY_RECEIPT,
			    "代交的一段所附的证明，不是旧日志签名的。",
			    "What returned entries are said to be proved by is "
			    "not signed by a log that ended.");
	}
	return ST_OK;
}
