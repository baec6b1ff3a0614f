/* verify_server: what the log says of keys, devices, holds and holes. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/chain.h"
#include "verify/verify_impl.h"

/* ---- descriptors */

bool
verify_is_server_key(const struct verify *v, const uint8_t *key)
{
	for (size_t i = 0; i < v->descriptor_count; i++)
		if (memcmp(v->descriptor[i]->server, key, PUBKEY_LEN) == 0)
			return true;
	return false;
}

static bool
same_key(const struct note_key *a, const struct note_key *b)
{
	return a->alg == b->alg && a->hash == b->hash &&
	       strcmp(a->name, b->name) == 0 &&
	       memcmp(a->public_key, b->public_key, PUBKEY_LEN) == 0;
}

bool
verify_names_log(const struct verify *v, const struct note_key *key)
{
	for (size_t i = 0; i < v->descriptor_count; i++)
		if (same_key(&v->descriptor[i]->log, key))
			return true;
	return false;
}

/* Take version n if it follows the one before; its keys count from now on. */
enum status
verify_take_descriptor(struct verify *v, struct bytes file, bool *good)
{
	struct descriptor *d = malloc(sizeof(*d));
	struct descriptor *last = v->descriptor_count == 0
				      ? NULL
				      : v->descriptor[v->descriptor_count - 1];
	enum status st;

	*good = false;
	if (d == NULL)
		return ST_NOMEM;
	st = descriptor_parse(d, file);
	if (st == ST_OK)
		st = last == NULL ? descriptor_check_first(d)
				  : descriptor_check_next(last, d);
	if (st == ST_OK)
		st = verify_room(&v->descriptor, &v->descriptor_cap,
		    v->descriptor_count, sizeof(*v->descriptor));
	if (st != ST_OK) {
		free(d);
		return st == ST_NOMEM ? st : ST_OK;
	}
	v->descriptor[v->descriptor_count++] = d;
	if (last != NULL && memcmp(last->server, d->server, PUBKEY_LEN) != 0)
		v->server_since = v->next == 0 ? 0 : v->next - 1;
	for (size_t i = 0; i < v->chain_count; i++)
		v->chain[i].server = v->chain[i].server ||
				     verify_is_server_key(v, v->chain[i].key);
	v->key_named = v->key_named || same_key(&d->log, &v->given->key);
	if (v->given->descriptor.len > 0) {
		uint8_t want[HASH_LEN];

		descriptor_digest(want, descriptor_line(v->given->descriptor));
		if (memcmp(want, d->digest, HASH_LEN) == 0)
			v->descriptor_pinned = true;
	}
	*good = true;
	return ST_OK;
}

/* The file in the entry that was read last. */
enum status
verify_descriptor_file(struct verify *v, struct bytes *file)
{
	uint32_t n = verify_value(&v->e, "file");

	buf_reset(&v->text);
	if (n == 0 || v->e.body.node[n].type != JSON_STRING)
		return ST_INVALID;
	json_text(&v->e.body, n, &v->text);
	*file = buf_view(&v->text);
	return v->text.err == ST_NOMEM ? ST_NOMEM
	       : v->text.err != ST_OK  ? ST_INVALID
				       : ST_OK;
}

/* From `meta`, where place 0 does not tell: what follows is named anyway. */
static enum status
court_from_meta(struct verify *v)
{
	struct db_stmt *s;
	enum status st;

	verify_say_at(v, VERIFY_DESCRIPTOR, 0, NULL, 0,
	    "位置 0 不是法院的首份描述文件。",
	    "Place 0 is not the court's first descriptor.");
	st = db_query(&s, v->db,
	    "SELECT value FROM meta WHERE name = 'descriptor_first'");
	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK) {
		bool good;

		st = verify_take_descriptor(v, db_bytes(s, 0), &good);
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
verify_first_entry(struct verify *v, struct bytes raw, bool *good)
{
	struct bytes file = { 0 };
	enum status st = entry_parse(&v->e, raw);

	*good = false;
	if (st == ST_OK && bytes_eq_str(v->e.kind, "descriptor@1"))
		st = verify_descriptor_file(v, &file);
	else if (st == ST_OK)
		st = ST_INVALID;
	if (st == ST_OK)
		st = verify_take_descriptor(v, file, good);
	return st == ST_INVALID ? ST_OK : st;
}

void
verify_court(struct verify *v)
{
	if (v->descriptor_count > 0) {
		const struct descriptor *d = v->descriptor[0];

		memcpy(v->court_id, d->digest, HASH_LEN);
		memcpy(v->court, d->court, sizeof(v->court));
	}
	memcpy(v->r->court_id, v->court_id, HASH_LEN);
	memcpy(v->r->court, v->court, sizeof(v->r->court));
}

enum status
verify_first(struct verify *v)
{
	struct db_stmt *s;
	bool good = false;
	enum status st;

	st = db_query(&s, v->db, "SELECT bytes FROM entries WHERE place = 0");
	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK)
		st = verify_first_entry(v, db_bytes(s, 0), &good);
	db_done(s);
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	if (!good) {
		st = court_from_meta(v);
		if (st != ST_OK)
			return st;
	}
	verify_court(v);
	return ST_OK;
}

/* ---- devices */

static struct vdevice *
device_by_rec(struct verify *v, struct bytes rec)
{
	for (size_t i = 0; i < v->device_count; i++)
		if (bytes_eq_str(rec, v->device[i].rec))
			return &v->device[i];
	return NULL;
}

static size_t
device_by_key(const struct verify *v, const uint8_t *key)
{
	for (size_t i = 0; i < v->device_count; i++)
		if (memcmp(v->device[i].key, key, PUBKEY_LEN) == 0)
			return i + 1;
	return 0;
}

static enum status
enrol(struct verify *v, struct vchain *c, const struct vrow *row)
{
	char dev[DEV_LEN + 1], named[DEV_LEN + 1];
	uint8_t key[PUBKEY_LEN];
	struct vdevice *d;
	enum status st;

	if (!verify_hash(&v->e, "key", key, PUBKEY_LEN) ||
	    !verify_text(&v->e, "dev", named, sizeof(named))) {
		verify_say_at(v, VERIFY_DEVICE, row->place, c, row->seq,
		    "入网条目没有设备号或公钥。",
		    "An enrolment without a device or key.");
		return ST_OK;
	}
	chain_dev(dev, key);
	if (strcmp(dev, named) != 0)
		verify_say_at(v, VERIFY_DEVICE, row->place, c, row->seq,
		    "入网条目的设备号不是其公钥的。",
		    "The enrolment's device is not the one of its key.");
	if (device_by_key(v, key) != 0)
		return ST_OK; /* the first enrolment of a key counts */
	st = verify_room(
	    &v->device, &v->device_cap, v->device_count, sizeof(*d));
	if (st != ST_OK)
		return st;
	d = &v->device[v->device_count++];
	memset(d, 0, sizeof(*d));
	memcpy(d->key, key, PUBKEY_LEN);
	memcpy(d->dev, dev, sizeof(d->dev));
	memcpy(d->rec, v->e.rec.p, REC_LEN);
	d->from = row->place;
	d->until = UINT64_MAX;
	v->r->devices++;
	return ST_OK;
}

static enum status
apply_device(struct verify *v, struct vchain *c, const struct vrow *row)
{
	struct vdevice *d;
	enum status st;

	if (v->e.verb != DO_OPEN && v->e.verb != DO_ADVANCE)
		return ST_OK;
	st = verify_note_context(v, row, true);
	if (st != ST_OK)
		return st;
	if (v->e.verb == DO_OPEN)
		return enrol(v, c, row);
	if (v->e.on_count != 1 || bytes_eq_str(v->e.on[0], "enrolled"))
		return ST_OK;
	d = device_by_rec(v, v->e.rec);
	if (d != NULL && d->until == UINT64_MAX)
		d->until = row->place;
	if (d != NULL && !bytes_eq_str(v->e.on[0], "replaced"))
		d->doubted = true;
	return ST_OK;
}

/* ---- holds */

static enum status
put_hold(struct vhold **list, size_t *count, size_t *cap, const struct vhold *h)
{
	enum status st = verify_room(list, cap, *count, sizeof(**list));

	if (st == ST_OK)
		(*list)[(*count)++] = *h;
	return st;
}

static enum status
apply_hold(struct verify *v, const struct vrow *row)
{
	struct vhold h = { .place = row->place,
		.admit = v->e.verb == DO_ADMIT };
	enum status st = ST_OK;

	for (size_t i = 0; i < v->e.on_count && st == ST_OK; i++) {
		if (hex_decode(h.id, ID_LEN, v->e.on[i]) == ST_OK)
			st = put_hold(
			    &v->hold, &v->hold_count, &v->hold_cap, &h);
	}
	return st;
}

static int
hold_cmp(const void *a, const void *b)
{
	const struct vhold *x = a, *y = b;
	int n = memcmp(x->id, y->id, ID_LEN);

	if (n != 0)
		return n;
	return x->place < y->place ? -1 : x->place > y->place;
}

static bool
was_held(const struct verify *v, const struct vhold *need)
{
	size_t lo = 0, hi = v->hold_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(v->hold[mid].id, need->id, ID_LEN) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* The first word on it: a hold.  One that came back after a restore may
	 * stand before what it is of. */
	return lo < v->hold_count &&
	       memcmp(v->hold[lo].id, need->id, ID_LEN) == 0 &&
	       !v->hold[lo].admit;
}

static void
say_need(struct verify *v, const struct vhold *n)
{
	switch (n->what) {
	case VERIFY_REVOKED:
		verify_say_at(v, VERIFY_REVOKED, n->place, n->c, n->seq,
		    "设备吊销之后的条目，却没有暂扣。",
		    "An entry after its device's revocation, and not held.");
		break;
	case VERIFY_DEVICE:
		verify_say_at(v, VERIFY_DEVICE, n->place, n->c, n->seq,
		    "设备当时没有入网：设备被换，或链是造的。",
		    "The device was not enrolled then: it was swapped, or "
		    "the chain made up.");
		break;
	default:
		verify_say_at(v, VERIFY_HOLD, n->place, n->c, n->seq,
		    "应暂扣或标为暂扣的条目，日志里没有暂扣它的条目。",
		    "An entry that is held, or had to be, and the log has no "
		    "hold of it.");
		break;
	}
}

enum status
verify_holds_end(struct verify *v)
{
	if (v->hold_count > 0)
		qsort(v->hold, v->hold_count, sizeof(*v->hold), hold_cmp);
	for (size_t i = 0; i < v->need_count; i++)
		if (!was_held(v, &v->need[i]) &&
		    !verify_was_recovered(v, &v->need[i]))
			say_need(v, &v->need[i]);
	verify_recovered_end(v);
	return ST_OK;
}

/*
 * Everything outside its device's time, on a second branch, or behind a fork of
 * its key is held by an entry of the log: an entry of no effect (malformed) and
 * one that lacks need none.
 */
enum status
verify_time(struct verify *v, struct vchain *c, const struct vrow *row)
{
	struct vhold h = { .place = row->place, .c = c, .seq = row->seq };
	bool need = (row->flags & ROW_HELD) != 0;

	h.what = VERIFY_HOLD;
	if (c->device == 0)
		c->device = device_by_key(v, c->key);
	if (c->device == 0 || v->device[c->device - 1].from >= row->place) {
		h.what = VERIFY_DEVICE;
		need = true;
	} else if (v->device[c->device - 1].until < row->place) {
		h.what = VERIFY_REVOKED;
		need = true;
	} else if (c->branch > 0 || c->hold_from < row->place) {
		need = true;
	}
	if (c->branch > 0 && !c->judged) {
		for (size_t i = 0; i < v->chain_count; i++)
			if (memcmp(v->chain[i].key, c->key, PUBKEY_LEN) == 0 &&
			    v->chain[i].hold_from == UINT64_MAX)
				v->chain[i].hold_from = row->place;
		c->judged = true;
	}
	if (!need)
		return ST_OK;
	memcpy(h.id, row->link, ID_LEN);
	return put_hold(&v->need, &v->need_count, &v->need_cap, &h);
}

/* ---- the rest */

static enum status
apply_hole(struct verify *v, const struct vrow *row)
{
	struct vhole h = { .place = row->place };
	enum status st;

	if (!verify_hash(&v->e, "chain", h.chain, CHAIN_LEN) ||
	    !verify_num(&v->e, "first", &h.first) ||
	    !verify_num(&v->e, "last", &h.last))
		return ST_OK;
	st = verify_room(
	    &v->hole_said, &v->hole_said_cap, v->hole_said_count, sizeof(h));
	if (st == ST_OK)
		v->hole_said[v->hole_said_count++] = h;
	return st;
}

enum status
verify_manifest_entry(
    struct verify *v, struct vchain *c, const struct vrow *row)
{
	struct vmanifest *m;
	enum status st;

	st = verify_room(
	    &v->manifest, &v->manifest_cap, v->manifest_count, sizeof(*m));
	if (st != ST_OK)
		return st;
	m = &v->manifest[v->manifest_count];
	memset(m, 0, sizeof(*m));
	m->place = row->place;
	m->seq = row->seq;
	m->c = c;
	if (!verify_text(&v->e, "record", m->rec, sizeof(m->rec)) ||
	    !verify_num(&v->e, "size", &m->size) ||
	    !verify_num(&v->e, "count", &m->count) ||
	    !verify_hash(&v->e, "root", m->root, HASH_LEN) ||
	    m->size > row->place) {
		verify_say_at(v, VERIFY_MANIFEST, row->place, c, row->seq,
		    "导出清单读不出。", "The manifest cannot be read.");
		return ST_OK;
	}
	m->has_context =
	    verify_num(&v->e, "context", &m->context) &&
	    verify_hash(&v->e, "context_root", m->context_root, HASH_LEN);
	(void)verify_num(&v->e, "held", &m->held);
	(void)verify_num(&v->e, "bare", &m->bare);
	v->manifest_count++;
	v->r->manifests++;
	return ST_OK;
}

enum status
verify_server_entry(struct verify *v, struct vchain *c, const struct vrow *row)
{
	const struct entry *e = &v->e;

	if (e->verb == DO_HOLD || e->verb == DO_ADMIT)
		return apply_hold(v, row);
	if (bytes_eq_str(e->kind, "commit@1"))
		return verify_commit(v, c, row);
	if (bytes_eq_str(e->kind, "device@1"))
		return apply_device(v, c, row);
	if (bytes_eq_str(e->kind, ERASE_KIND))
		return verify_erase_entry(v, row);
	if (e->verb != DO_OPEN)
		return ST_OK;
	if (bytes_eq_str(e->kind, "descriptor@1") ||
	    bytes_eq_str(e->kind, "restored@1")) {
		enum status st = verify_note_context(v, row, false);

		if (st != ST_OK)
			return st;
	}
	if (bytes_eq_str(e->kind, "descriptor@1"))
		return verify_descriptor_entry(v, c, row);
	if (bytes_eq_str(e->kind, "recovered@1"))
		return verify_recovered_entry(v, row);
	if (bytes_eq_str(e->kind, "returned@1"))
		return verify_returned_entry(v, c, row);
	if (bytes_eq_str(e->kind, "hole@1"))
		return apply_hole(v, row);
	if (bytes_eq_str(e->kind, "filled@1"))
		return verify_filled_entry(v, row);
	if (bytes_eq_str(e->kind, "manifest@1"))
		return verify_manifest_entry(v, c, row);
	if (bytes_eq_str(e->kind, "restored@1"))
		return verify_restored(v, c, row);
	return ST_OK;
}
