/* verify_commit: what a commit says of itself, and what its pieces signed. */
#include <inttypes.h>
#include <string.h>

#include "entry/chain.h"
#include "verify/verify_impl.h"

/* A piece line, read (docs/PROTOCOL.md, section 8). */
struct line {
	const uint8_t *chain, *link, *sig;
	uint64_t first, last;
};

static void
line_read(struct line *l, const uint8_t raw[LINE_LEN])
{
	l->chain = raw + 16;
	l->first = be64_get(raw + 32);
	l->last = be64_get(raw + 40);
	l->link = raw + 48;
	l->sig = raw + 80;
}

static enum status
read_lines(
    struct verify *v, uint64_t place, uint8_t root[HASH_LEN], uint64_t *count)
{
	struct frontier f;
	struct db_stmt *s;
	enum status st;

	buf_reset(&v->lines);
	frontier_init(&f);
	st = db_query(&s, v->db,
	    "SELECT idx, line FROM pieces WHERE place = ?1 ORDER BY idx");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, place);
	while ((st = db_next(s)) == ST_OK) {
		uint8_t line[LINE_LEN], leaf[HASH_LEN];

		st = db_copy(s, 1, line, sizeof(line));
		if (st != ST_OK)
			break;
		merkle_leaf(leaf, bytes_of(line, sizeof(line)));
		frontier_add(&f, leaf);
		buf_add(&v->lines, line, sizeof(line));
		if (v->lines.err != ST_OK)
			break;
	}
	db_done(s);
	if (st != ST_ABSENT)
		return st == ST_OK ? v->lines.err : st;
	frontier_root(&f, root);
	*count = f.size;
	return ST_OK;
}

static bool
is_unsigned(const struct line *l)
{
	static const uint8_t none[SIG_LEN];

	return memcmp(l->sig, none, SIG_LEN) == 0;
}

static void
say(struct verify *v, enum verify_what what, uint64_t place,
    const struct vchain *c, uint64_t seq, const char *zh, const char *en)
{
	if (!v->commit_wrong)
		verify_say_at(v, what, place, c, seq, zh, en);
	v->commit_wrong = true;
}

/* What a line without a signature stands on. */
static void
note_unsigned(
    struct verify *v, struct vchain *c, const struct line *l, uint64_t place)
{
	if (!verify_returned_line(v, c, l->first, l->last, l->link))
		verify_say_at(v, VERIFY_REBUILT, place, c, l->last,
		    "这一段没有签名，也没有旧日志的证明。",
		    "This piece has no signature, and no proof of a log that "
		    "ended.");
}

/* Keep the signature that reaches furthest; --all: verify each. */
static void
note_signature(
    struct verify *v, struct vchain *c, const struct line *l, uint64_t place)
{
	if (v->given->all) {
		v->r->signatures++;
		if (chain_verify(l->sig, c->key, c->id, l->last, l->link) !=
		    ST_OK)
			verify_say_at(v, VERIFY_REBUILT, place, c, l->last,
			    "这一段的链头签名不是该设备的。",
			    "The head signature of this piece is not the "
			    "device's.");
	}
	if (c->has_sig && c->sig_seq >= l->last)
		return;
	c->has_sig = true;
	c->sig_seq = l->last;
	c->sig_place = place;
	memcpy(c->sig_link, l->link, HASH_LEN);
	memcpy(c->sig, l->sig, SIG_LEN);
}

/* Do the entries from placed[at] on stand as the line says?  *at moves on. */
static void
match_line(struct verify *v, const struct line *l, size_t *at)
{
	uint64_t seq = l->first;

	if (l->first == 0 || l->last < l->first)
		say(v, VERIFY_COMMIT, v->commit_first + *at, NULL, 0,
		    "段行的序号不对。", "A piece line's numbers are wrong.");
	while (seq <= l->last && !v->commit_wrong) {
		const struct vplaced *p;
		uint64_t place = v->commit_first + *at;

		if (*at == v->placed_count) {
			say(v, VERIFY_GAP, place, NULL, 0,
			    "提交里缺条目：段行所列的没有在位。",
			    "Entries of this commit are missing: its piece "
			    "lines name more.");
			return;
		}
		p = &v->placed[*at];
		if (memcmp(p->c->id, l->chain, CHAIN_LEN) != 0 ||
		    p->seq != seq) {
			say(v, VERIFY_ORDER, place, p->c, p->seq,
			    "次序被改：此位置上不是段行所列的条目。",
			    "Reordered: not the entry that the piece line "
			    "puts at this place.");
			return;
		}
		(*at)++;
		if (p->adrift && !is_unsigned(l))
			say(v, VERIFY_ORDER, place, p->c, p->seq,
			    "次序被改：条目前面的不在，而这一段不是补交的。",
			    "Reordered: what the entry rests on is not there, "
			    "and the piece was not returned.");
		if (seq == l->last) {
			if (memcmp(p->link, l->link, HASH_LEN) != 0)
				say(v, VERIFY_REBUILT, place, p->c, seq,
				    "链被重造：此处的链值不是设备签过的。",
				    "The chain was rebuilt: its link here is "
				    "not the one the device signed.");
			else if (is_unsigned(l))
				note_unsigned(v, p->c, l, place);
			else
				note_signature(v, p->c, l, place);
			return;
		}
		seq++;
	}
}

static void
match_lines(struct verify *v, const struct vrow *row)
{
	size_t at = 0;

	for (size_t off = 0; off < v->lines.len && !v->commit_wrong;
	     off += LINE_LEN) {
		struct line l;

		line_read(&l, v->lines.p + off);
		match_line(v, &l, &at);
	}
	if (at < v->placed_count)
		say(v, VERIFY_COMMIT, v->commit_first + at, v->placed[at].c,
		    v->placed[at].seq,
		    "条目不在提交的任何一段里：没有签名带来它。",
		    "The entry is in no piece of its commit: no signature "
		    "brought it.");
	(void)row;
}

/* The row of `commits`: times and the server chain's head signature. */
static enum status
check_row(struct verify *v, struct vchain *c, const struct vrow *row,
    uint64_t first, uint64_t pieces)
{
	uint8_t sig[SIG_LEN] = { 0 };
	struct db_stmt *s;
	bool fits = false;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT first, wall, pieces, sig FROM commits WHERE place = ?1");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, row->place);
	st = db_next(s);
	if (st == ST_OK) {
		fits = db_u64(s, 0) == first && db_u64(s, 1) == v->e.wall &&
		       db_u64(s, 2) == pieces;
		st = db_copy(s, 3, sig, SIG_LEN);
	}
	db_done(s);
	if (st != ST_OK && st != ST_ABSENT && st != ST_CORRUPT)
		return st;
	if (!fits || st != ST_OK) {
		verify_say_at(v, VERIFY_ROW, row->place, c, row->seq,
		    "提交的登记与提交条目不符。",
		    "The commit's row is not what its entry says.");
		return ST_OK;
	}
	note_signature(v, c,
	    &(struct line){ .link = row->link,
		.sig = sig,
		.first = row->seq,
		.last = row->seq },
	    row->place);
	return ST_OK;
}

static enum status
note_root(struct verify *v)
{
	uint8_t root[HASH_LEN];
	enum status st;

	st = verify_room(
	    &v->root, &v->root_cap, v->root_count, sizeof(*v->root));
	if (st != ST_OK)
		return st;
	frontier_root(&v->f, root);
	v->root[v->root_count].size = v->f.size;
	memcpy(v->root[v->root_count++].root16, root, ID_LEN);
	return ST_OK;
}

enum status
verify_commit(struct verify *v, struct vchain *c, const struct vrow *row)
{
	uint8_t root[HASH_LEN], said[HASH_LEN];
	uint64_t first = 0, pieces = 0, count = 0;
	enum status st;

	st = read_lines(v, row->place, root, &count);
	if (st != ST_OK)
		return st;
	v->r->commits++;
	v->r->pieces += count;
	if (!verify_num(&v->e, "first", &first) ||
	    !verify_num(&v->e, "pieces", &pieces) ||
	    !verify_hash(&v->e, "root", said, HASH_LEN))
		say(v, VERIFY_COMMIT, row->place, c, row->seq,
		    "提交条目读不出。", "The commit entry cannot be read.");
	else if (first != v->commit_first)
		say(v, VERIFY_COMMIT, row->place, c, row->seq,
		    "提交的起点不是上一次提交之后。",
		    "The commit does not begin behind the one before it.");
	else if (pieces != count || memcmp(root, said, HASH_LEN) != 0)
		say(v, VERIFY_COMMIT, row->place, c, row->seq,
		    "段行不是提交时的：根不符。",
		    "The piece lines are not those committed: another root.");
	match_lines(v, row);
	verify_returned_commit(v, c);
	st = check_row(v, c, row, first, pieces);
	if (st == ST_OK)
		st = note_root(v);
	v->placed_count = 0;
	v->commit_first = row->place + 1;
	v->last_commit = row->place;
	v->commit_wrong = v->server_began = false;
	return st;
}
