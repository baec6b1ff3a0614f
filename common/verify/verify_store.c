/* verify_store: every entry in order of place, computed anew from its bytes. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/chain.h"
#include "verify/verify_impl.h"

enum {
	STORE_APP_ID = 0x44427374, /* "DBst" */
	STORE_VERSION = 1,
	CACHE_KIB = 16384
};

/* ---- one row */

static enum status
read_row(struct db_stmt *s, struct vrow *row)
{
	enum status st;

	row->place = db_u64(s, 0);
	row->no = db_u64(s, 1);
	row->seq = db_u64(s, 2);
	row->branch = (uint32_t)db_u64(s, 3);
	row->flags = (uint32_t)db_u64(s, 4);
	row->has_prev = !db_is_null(s, 5);
	st = row->has_prev ? db_copy(s, 5, row->prev, HASH_LEN) : ST_OK;
	if (st == ST_OK)
		st = db_copy(s, 6, row->link, HASH_LEN);
	row->bytes = db_bytes(s, 7);
	return st;
}

/* Link from bytes; the row's own word for it is compared, and then taken, so
 * that one changed byte is one finding. */
static void
check_link(struct verify *v, struct vchain *c, const struct vrow *row,
    const uint8_t base[HASH_LEN], bool sure)
{
	uint8_t digest[HASH_LEN], link[HASH_LEN];

	if ((row->flags & ROW_LOST) == 0)
		entry_digest(digest, row->bytes);
	else if (row->bytes.len == HASH_LEN)
		memcpy(digest, row->bytes.p, HASH_LEN);
	else
		memset(digest, 0, sizeof(digest));
	chain_link(link, base, row->seq, digest);
	if (!sure)
		return;
	if (memcmp(link, row->link, HASH_LEN) == 0) {
		c->has_other = false;
		return;
	}
	if (c->has_other) {
		/* The row before had a wrong link, and right bytes. */
		chain_link(link, c->other_link, row->seq, digest);
		c->has_other = false;
		if (memcmp(link, row->link, HASH_LEN) == 0)
			return;
		chain_link(link, base, row->seq, digest);
	}
	if (row->seq == 1 && row->branch == 0)
		verify_say_at(v, VERIFY_DEVICE, row->place, c, row->seq,
		    "链的第一条不是从这台设备的公钥起的：设备被换，或字节被"
		    "改。",
		    "The chain's first entry does not rest on this device's "
		    "key: the device was swapped, or bytes were changed.");
	else
		verify_say_at(v, VERIFY_CHANGED, row->place, c, row->seq,
		    "字节被改：算出的链值不是记下的。",
		    "Bytes were changed: they do not give the link that was "
		    "logged.");
	memcpy(c->other_link, link, HASH_LEN);
	c->has_other = true;
}

/* A body that is no use: as it came (the row says so), or since. */
static enum status
check_body(struct verify *v, struct vchain *c, const struct vrow *row)
{
	const struct entry *e = &v->e;
	uint8_t hash[HASH_LEN];
	bool there = row->bytes.len > e->head_line.len;

	v->r->blind++;
	if ((row->flags & ROW_BLIND) == 0) {
		verify_say_at(v, VERIFY_CHANGED, row->place, c, row->seq,
		    there ? "正文字节被改：不合头里的哈希值。"
			  : "正文没有了，也没有登记。",
		    there ? "Bytes of the body were changed: it is not the "
			    "one its head names."
			  : "The body is gone, and the row does not say so.");
		return ST_OK;
	}
	if ((row->flags & ROW_ERASED) != 0)
		return verify_erased_row(v, c, row);
	sha256(hash, e->body_line);
	verify_say_at(v, VERIFY_BLIND, row->place, c, row->seq,
	    !there ? "没有正文：登记为来时即缺。"
	    : memcmp(hash, e->body_hash, HASH_LEN) != 0
		? "正文不是头里所指的：登记为来时即如此。"
		: "正文与头相符，但不合格式。",
	    !there ? "No body; the row says that it came without."
	    : memcmp(hash, e->body_hash, HASH_LEN) != 0
		? "Not the body that the head names; the row says that it "
		  "came so."
		: "The body is the one its head names, and breaks a rule.");
	return ST_OK;
}

static void
check_seen(struct verify *v, struct vchain *c, const struct vrow *row)
{
	const struct entry *e = &v->e;
	size_t lo = 0, hi = v->root_count;

	if (!e->has_seen || e->seen_size == 0)
		return;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v->root[mid].size < e->seen_size)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < v->root_count && v->root[lo].size == e->seen_size &&
	    memcmp(v->root[lo].root16, e->seen_root, ID_LEN) == 0)
		return;
	/* Handed in again after a restore: it saw the log that ended. */
	if (v->restore_count > 0 &&
	    e->seen_size > v->restore[v->restore_count - 1].kept)
		return;
	verify_say_at(v, VERIFY_SEEN, row->place, c, row->seq,
	    "设备说它验过的检查点不在这棵树里：设备错，或法院给人看了两本账。",
	    "The device states a checkpoint that this tree never had: it is "
	    "wrong, or was shown another log.");
}

static enum status
read_entry(struct verify *v, struct vchain *c, const struct vrow *row)
{
	enum status st;
	bool bad;

	if ((row->flags & ROW_LOST) != 0) {
		v->r->lost++;
		verify_say_at(v, VERIFY_LOST, row->place, c, row->seq,
		    "内容丢失，只剩摘要。",
		    "Its content is lost; only the digest is left.");
		return ST_OK;
	}
	st = entry_parse(&v->e, row->bytes);
	if (st != ST_OK && st != ST_INVALID)
		return st;
	bad = st == ST_INVALID || verify_wrong_here(v, c, row);
	v->r->malformed += bad;
	if (bad != ((row->flags & ROW_MALFORMED) != 0))
		verify_say_at(v, VERIFY_ROW, row->place, c, row->seq,
		    "合格与否登记得不对。",
		    "The row is wrong about whether the entry is malformed.");
	if (bad)
		return ST_OK;
	if (v->e.body_is == ENTRY_BODY_BLIND) {
		st = check_body(v, c, row);
		if (st != ST_OK)
			return st;
	}
	check_seen(v, c, row);
	if (c->server)
		return verify_server_entry(v, c, row);
	return ST_OK;
}

static enum status
device_entry(struct verify *v, struct vchain *c, const struct vrow *row)
{
	struct vplaced *p;
	enum status st;
	bool effect = (row->flags & (ROW_LOST | ROW_MALFORMED)) == 0;

	v->r->device_entries++;
	v->r->held += (row->flags & ROW_HELD) != 0;
	if (v->server_began)
		verify_say_at(v, VERIFY_ORDER, row->place, c, row->seq,
		    "次序被改：提交里设备的条目在法院的之后。",
		    "Reordered: in a commit a device's entry stands behind "
		    "the court's own.");
	if (effect)
		verify_media(v, c, row);
	st = verify_room(
	    &v->placed, &v->placed_cap, v->placed_count, sizeof(*p));
	if (st != ST_OK)
		return st;
	p = &v->placed[v->placed_count++];
	p->c = c;
	p->seq = row->seq;
	memcpy(p->link, row->link, HASH_LEN);
	p->adrift = v->adrift;
	return effect ? verify_time(v, c, row) : ST_OK;
}

static enum status
in_chain(struct verify *v, struct vchain *c, const struct vrow *row)
{
	uint8_t base[HASH_LEN] = { 0 };
	bool sure;
	enum status st;

	st = verify_base(v, c, row, base, &sure);
	if (st != ST_OK)
		return st;
	check_link(v, c, row, base, sure);
	if (!c->begun || row->seq > c->last_seq) {
		c->begun = true;
		c->last_seq = row->seq;
		c->last_place = row->place;
		memcpy(c->last_link, row->link, HASH_LEN);
	}
	if (c->server != ((row->flags & ROW_SERVER) != 0))
		verify_say_at(v, VERIFY_ROW, row->place, c, row->seq,
		    "是否法院自己的条目登记得不对。",
		    "The row is wrong about whose chain it is.");
	/* Its last commit may have been what named the next key. */
	if (c->server && v->commit_first > v->server_since &&
	    memcmp(c->key, v->descriptor[v->descriptor_count - 1]->server,
		PUBKEY_LEN) != 0)
		verify_say_at(v, VERIFY_DESCRIPTOR, row->place, c, row->seq,
		    "法院已换过的旧公钥签名的条目：不应再有。",
		    "An entry by a key of the court's that another had taken "
		    "the place of.");
	if (c->server) {
		v->r->server_entries++;
		v->server_began = true;
	}
	return ST_OK;
}

static void
missing_places(struct verify *v, const struct vrow *row)
{
	struct verify_finding *f;

	if (row->place < v->next) {
		f = verify_say(v->r, VERIFY_REPLAY, "同一位置有两行。",
		    "Two rows at one place.");
	} else {
		f = verify_say(v->r, VERIFY_GAP, "中间缺位置。",
		    "Places are missing in the middle.");
		verify_data(
		    f, "%" PRIu64 " - %" PRIu64, v->next, row->place - 1);
	}
	f->has_place = true;
	f->place = row->place < v->next ? row->place : v->next;
	v->next = row->place;
	/* What was placed so far cannot be matched to lines any more. */
	v->commit_wrong = true;
}

struct leading {
	struct verify *v;
	const struct vrow *row;
	struct buf held;
};

/* The k-th entry behind the row in its chain. */
static enum status
leading_entry(void *arg, size_t k, struct bytes *out)
{
	struct leading *l = arg;
	struct db_stmt *s;
	enum status st;

	*out = l->row->bytes;
	if (k == 0)
		return ST_OK;
	st = db_query(&s, l->v->db,
	    "SELECT bytes FROM entries WHERE chain = ?1 AND seq = ?2"
	    " AND branch = 0");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, l->row->no);
	db_bind_u64(s, 2, l->row->seq + k);
	st = db_next(s);
	buf_reset(&l->held);
	if (st == ST_OK)
		buf_bytes(&l->held, db_bytes(s, 0));
	db_done(s);
	*out = buf_view(&l->held);
	return st == ST_OK ? l->held.err : st;
}

static enum status
new_server(struct verify *v, struct vchain *c, const struct vrow *row)
{
	struct leading l = { .v = v, .row = row };
	enum status st;

	buf_init(&l.held, ENTRY_BYTES_MAX);
	st = verify_new_server(v, c, row, leading_entry, &l);
	buf_free(&l.held);
	return st == ST_LIMIT ? ST_OK : st;
}

static enum status
one_row(struct verify *v, const struct vrow *row)
{
	struct vchain *c;
	uint8_t leaf[HASH_LEN];
	enum status st = ST_OK;

	if (row->place != v->next)
		missing_places(v, row);
	merkle_leaf(leaf, bytes_of(row->link, HASH_LEN));
	frontier_add(&v->f, leaf);
	v->next++;
	c = verify_chain_of(v, row->no, row->branch);
	if (c == NULL) {
		verify_say_at(v, VERIFY_ROW, row->place, NULL, 0,
		    "条目的链没有登记。", "The entry's chain has no row.");
		v->commit_wrong = true;
	} else {
		st = new_server(v, c, row);
		if (st == ST_OK)
			st = in_chain(v, c, row);
		if (st == ST_OK)
			st = read_entry(v, c, row);
		if (st == ST_OK && !c->server)
			st = device_entry(v, c, row);
	}
	memcpy(v->before, row->link, HASH_LEN);
	v->before_chain = c;
	if (v->f.size == v->next_anchor)
		verify_anchors_at(v);
	return st;
}

/* ---- all of them */

static enum status
scan(struct verify *v)
{
	struct db_stmt *s;
	struct vrow row;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT place, chain, seq, branch, flags, prev, link, bytes"
	    " FROM entries ORDER BY place");
	if (st != ST_OK)
		return st;
	while ((st = db_next(s)) == ST_OK) {
		st = read_row(s, &row);
		if (st == ST_OK)
			st = one_row(v, &row);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	if (st == ST_CORRUPT) {
		struct verify_finding *f =
		    verify_say(v->r, VERIFY_CHANGED, "库文件从此处起读不出。",
			"The store's file cannot be read from here on.");

		f->has_place = true;
		f->place = v->next;
		verify_data(f, "%s", db_errmsg(v->db));
		return ST_OK;
	}
	return st == ST_ABSENT ? ST_OK : st;
}

static enum status
check_head(struct verify *v)
{
	uint8_t root[HASH_LEN] = { 0 };
	uint64_t size = 0;
	struct db_stmt *s;
	enum status st;

	v->r->size = v->f.size;
	frontier_root(&v->f, v->r->root);
	st = db_query(&s, v->db, "SELECT size, root FROM head");
	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK) {
		size = db_u64(s, 0);
		st = db_copy(s, 1, root, HASH_LEN);
	}
	db_done(s);
	if (st != ST_OK && st != ST_ABSENT && st != ST_CORRUPT)
		return st;
	if (size > v->next)
		verify_say_at(v, VERIFY_TAIL, v->next, NULL, 0,
		    "尾部缺失：登记的大小更大。",
		    "The tail is missing: the head row states a larger size.");
	else if (size < v->f.size || memcmp(root, v->r->root, HASH_LEN) != 0)
		verify_say_at(v, VERIFY_ROW, size, NULL, 0,
		    "登记的大小或根不是算出来的。",
		    "The head row's size or root is not the computed one.");
	if (v->f.size > 0 && v->commit_first != v->f.size)
		verify_say_at(v, VERIFY_TAIL, v->next, NULL, 0,
		    "最后一次提交没有结尾：尾部缺失。",
		    "The last commit has no end: the tail is missing.");
	return ST_OK;
}

static enum status
is_store(struct verify *v)
{
	int64_t app = 0, version = 0;
	enum status st;

	st = db_scalar(&app, v->db, "PRAGMA application_id");
	if (st == ST_OK)
		st = db_scalar(&version, v->db, "PRAGMA user_version");
	if (st == ST_OK && app != STORE_APP_ID)
		st = ST_INVALID;
	if (st == ST_OK && version > STORE_VERSION)
		st = ST_NEWER;
	if (st == ST_INVALID)
		(void)snprintf(v->errmsg, VERIFY_ERRMSG_LEN,
		    "不是法院的库 / not a store of a court");
	return st;
}

static enum status
run(struct verify *v)
{
	enum status st = is_store(v);

	if (st == ST_OK)
		st = db_begin_read(v->db);
	if (st == ST_OK)
		st = verify_first(v);
	if (st == ST_OK)
		st = verify_read_chains(v);
	if (st == ST_OK)
		st = verify_read_anchors(v);
	if (st == ST_OK)
		st = scan(v);
	if (st == ST_OK)
		st = check_head(v);
	if (st != ST_OK)
		return st;
	verify_keys(v);
	st = verify_chains_end(v);
	verify_returned_end(v);
	if (st == ST_OK)
		st = verify_distrust(v);
	if (st == ST_OK)
		st = verify_holds_end(v);
	if (st == ST_OK)
		st = verify_erases_end(v);
	if (st == ST_OK)
		st = verify_manifests(v);
	if (st == ST_OK)
		st = verify_anchors_end(v);
	return st;
}

enum status
verify_store(struct verify_report *out, const char *path,
    const struct verify_given *given, char errmsg[VERIFY_ERRMSG_LEN])
{
	struct db_config dc = { .path = path,
		.vfs = given->vfs,
		.readonly = true,
		.busy_ms = 5000,
		.cache_kib = CACHE_KIB };
	struct verify *v = verify_new(out, given, errmsg);
	enum status st;

	if (v == NULL)
		return ST_NOMEM;
	st = db_open(&v->db, &dc);
	if (st == ST_OK)
		st = run(v);
	if (st != ST_OK && errmsg[0] == '\0')
		(void)snprintf(errmsg, VERIFY_ERRMSG_LEN, "%s%s%s",
		    status_text(st), v->db == NULL ? "" : ": ",
		    v->db == NULL ? "" : db_errmsg(v->db));
	verify_done(v);
	return st;
}
