#include "tlog/merkle.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/sha.h"

/* An interval [lo, hi) of leaves that the multi-proof walk has yet to see, or
 * (`join`) two finished halves to hash together. */
struct span {
	uint64_t lo, hi;
	bool join;
};

/* Each step down the tree leaves at most a join and a right half behind, and
 * a tree of MERKLE_SIZE_MAX leaves is 63 steps deep. */
enum { SPANS_MAX = 2 * 64 + 2, HASHES_MAX = 64 + 2 };

void
merkle_leaf(uint8_t out[HASH_LEN], struct bytes data)
{
	static const uint8_t prefix = 0x00;
	const struct bytes in[2] = { { &prefix, 1 }, data };

	sha256_many(out, in, 2);
}

void
merkle_node(uint8_t out[HASH_LEN], const uint8_t left[HASH_LEN],
    const uint8_t right[HASH_LEN])
{
	uint8_t in[1 + 2 * HASH_LEN];

	in[0] = 0x01;
	memcpy(in + 1, left, HASH_LEN);
	memcpy(in + 1 + HASH_LEN, right, HASH_LEN);
	sha256(out, bytes_of(in, sizeof(in)));
}

static unsigned
bits_set(uint64_t v)
{
	return (unsigned)__builtin_popcountll(v);
}

/* The place of the highest 1 bit of v. */
static unsigned
top_bit(uint64_t v)
{
	assert(v != 0);
	return 63 - (unsigned)__builtin_clzll(v);
}

/* The largest power of two below n; n > 1. */
static uint64_t
split(uint64_t n)
{
	return (uint64_t)1 << top_bit(n - 1);
}

void
frontier_init(struct frontier *f)
{
	f->size = 0;
}

void
frontier_add(struct frontier *f, const uint8_t leaf[HASH_LEN])
{
	unsigned at = bits_set(f->size);
	uint8_t hash[HASH_LEN];

	assert(f->size < MERKLE_SIZE_MAX);
	memcpy(hash, leaf, HASH_LEN);
	for (uint64_t rest = f->size; (rest & 1) != 0; rest >>= 1) {
		at--;
		merkle_node(hash, f->hash[at], hash);
	}
	memcpy(f->hash[at], hash, HASH_LEN);
	f->size++;
}

/* Hash `count` subtrees, largest first, into the root above them. */
static void
fold(const uint8_t (*hash)[HASH_LEN], size_t count, uint8_t out[HASH_LEN])
{
	assert(count > 0);
	memcpy(out, hash[count - 1], HASH_LEN);
	while (--count > 0)
		merkle_node(out, hash[count - 1], out);
}

void
frontier_root(const struct frontier *f, uint8_t out[HASH_LEN])
{
	if (f->size == 0)
		sha256(out, bytes_of(NULL, 0));
	else
		fold(f->hash, bits_set(f->size), out);
}

enum status
merkle_read_leaves(
    void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN])
{
	const struct merkle_leaves *l = arg;
	struct frontier f;
	uint64_t first, count;

	assert(level < 64);
	count = (uint64_t)1 << level;
	if (index > UINT64_MAX >> level)
		return ST_ABSENT;
	first = index << level;
	if (first > l->count || count > l->count - first)
		return ST_ABSENT;
	frontier_init(&f);
	for (uint64_t i = 0; i < count; i++)
		frontier_add(&f, l->leaf[first + i]);
	frontier_root(&f, out);
	return ST_OK;
}

/* The roots of the perfect subtrees that make up leaves [lo, hi), largest
 * first.  lo is a multiple of the power of two at or above hi - lo. */
static enum status
read_parts(merkle_read read, void *arg, uint64_t lo, uint64_t hi,
    uint8_t part[64][HASH_LEN], size_t *count)
{
	*count = 0;
	while (lo < hi) {
		unsigned level = top_bit(hi - lo);
		enum status st = read(arg, level, lo >> level, part[*count]);

		if (st != ST_OK)
			return st;
		(*count)++;
		lo += (uint64_t)1 << level;
	}
	return ST_OK;
}

/* The hash of leaves [lo, hi), a node of some tree. */
static enum status
read_span(merkle_read read, void *arg, uint64_t lo, uint64_t hi,
    uint8_t out[HASH_LEN])
{
	uint8_t part[64][HASH_LEN];
	size_t count;
	enum status st;

	assert(lo < hi);
	st = read_parts(read, arg, lo, hi, part, &count);
	if (st == ST_OK)
		fold(part, count, out);
	return st;
}

enum status
merkle_frontier_at(
    merkle_read read, void *arg, uint64_t size, struct frontier *out)
{
	struct frontier f;
	size_t count;
	enum status st;

	if (size > MERKLE_SIZE_MAX)
		return ST_INVALID;
	st = read_parts(read, arg, 0, size, f.hash, &count);
	if (st != ST_OK)
		return st;
	assert(count == bits_set(size));
	out->size = size;
	for (size_t i = 0; i < count; i++)
		memcpy(out->hash[i], f.hash[i], HASH_LEN);
	return ST_OK;
}

enum status
merkle_root_at(
    merkle_read read, void *arg, uint64_t size, uint8_t out[HASH_LEN])
{
	struct frontier f;
	enum status st = merkle_frontier_at(read, arg, size, &f);

	if (st == ST_OK)
		frontier_root(&f, out);
	return st;
}

/*
 * An inclusion proof has two parts.  Up to the level `inner` the way from the
 * leaf and the way from the last leaf of the tree are apart: a sibling each
 * level.  Above, the leaf's way is the tree's right edge, and only the 1 bits
 * of the index have a sibling, to the left.
 */
static unsigned
inner_levels(uint64_t index, uint64_t size)
{
	uint64_t apart = index ^ (size - 1);

	return apart == 0 ? 0 : top_bit(apart) + 1;
}

enum status
merkle_prove_inclusion(merkle_read read, void *arg, uint64_t index,
    uint64_t size, struct merkle_proof *out)
{
	struct merkle_proof p = { 0 };
	unsigned inner;

	if (index >= size || size > MERKLE_SIZE_MAX)
		return ST_INVALID;
	inner = inner_levels(index, size);
	for (unsigned level = 0; level < 64; level++) {
		uint64_t node = index >> level;
		uint64_t last = (size - 1) >> level;
		enum status st;

		if ((node & 1) != 0)
			st = read(arg, level, node - 1, p.hash[p.count]);
		else if (level >= inner)
			continue;
		else if (node + 1 < last)
			st = read(arg, level, node + 1, p.hash[p.count]);
		else
			st = read_span(
			    read, arg, last << level, size, p.hash[p.count]);
		if (st != ST_OK)
			return st;
		p.count++;
	}
	*out = p;
	return ST_OK;
}

enum status
merkle_check_inclusion(const struct merkle_proof *p, uint64_t index,
    uint64_t size, const uint8_t leaf[HASH_LEN], const uint8_t root[HASH_LEN])
{
	uint8_t hash[HASH_LEN];
	unsigned inner;
	size_t next = 0;

	if (index >= size || size > MERKLE_SIZE_MAX)
		return ST_DENIED;
	inner = inner_levels(index, size);
	if (p->count != inner + bits_set(index >> inner))
		return ST_DENIED;
	memcpy(hash, leaf, HASH_LEN);
	for (unsigned level = 0; level < 64; level++) {
		if ((index >> level & 1) != 0)
			merkle_node(hash, p->hash[next++], hash);
		else if (level < inner)
			merkle_node(hash, hash, p->hash[next++]);
	}
	assert(next == p->count);
	return memcmp(hash, root, HASH_LEN) == 0 ? ST_OK : ST_DENIED;
}

enum status
merkle_prove_consistency(merkle_read read, void *arg, uint64_t old_size,
    uint64_t size, struct merkle_proof *out)
{
	struct merkle_proof down = { 0 };
	uint64_t lo = 0, hi = size;
	bool known = true; /* the verifier holds the hash of [lo, old_size) */
	enum status st;

	if (old_size > size || size > MERKLE_SIZE_MAX)
		return ST_INVALID;
	/* Walk down to the last node of the old tree; what is left aside on
	 * the way is the proof, from its end. */
	while (old_size != 0 && old_size != hi) {
		uint64_t mid = lo + split(hi - lo);

		if (old_size <= mid) {
			st = read_span(
			    read, arg, mid, hi, down.hash[down.count]);
			hi = mid;
		} else {
			st = read_span(
			    read, arg, lo, mid, down.hash[down.count]);
			lo = mid;
			known = false;
		}
		if (st != ST_OK)
			return st;
		down.count++;
	}
	if (!known) {
		assert(down.count < MERKLE_PROOF_MAX);
		st = read_span(read, arg, lo, hi, down.hash[down.count]);
		if (st != ST_OK)
			return st;
		down.count++;
	}
	out->count = down.count;
	for (size_t i = 0; i < down.count; i++)
		memcpy(out->hash[i], down.hash[down.count - 1 - i], HASH_LEN);
	return ST_OK;
}

/* RFC 9162, section 2.1.4.2, 0 < old_size < size: the proofs of RFC 6962 are
 * the same, only described better there. */
static enum status
check_growth(const struct merkle_proof *p, uint64_t old_size,
    const uint8_t old_root[HASH_LEN], uint64_t size,
    const uint8_t root[HASH_LEN])
{
	uint8_t was[HASH_LEN], is[HASH_LEN];
	uint64_t node = old_size - 1, last = size - 1;
	size_t next = 0;

	while ((node & 1) != 0) {
		node >>= 1;
		last >>= 1;
	}
	if (node == 0) {
		/* The old tree is perfect: its root is where the way begins. */
		memcpy(was, old_root, HASH_LEN);
	} else {
		if (p->count == 0)
			return ST_DENIED;
		memcpy(was, p->hash[next++], HASH_LEN);
	}
	memcpy(is, was, HASH_LEN);
	for (; next < p->count; next++) {
		const uint8_t *c = p->hash[next];

		if (last == 0)
			return ST_DENIED;
		if ((node & 1) != 0 || node == last) {
			merkle_node(was, c, was);
			merkle_node(is, c, is);
			while ((node & 1) == 0 && node != 0) {
				node >>= 1;
				last >>= 1;
			}
		} else {
			merkle_node(is, is, c);
		}
		node >>= 1;
		last >>= 1;
	}
	if (last != 0 || memcmp(was, old_root, HASH_LEN) != 0 ||
	    memcmp(is, root, HASH_LEN) != 0)
		return ST_DENIED;
	return ST_OK;
}

enum status
merkle_check_consistency(const struct merkle_proof *p, uint64_t old_size,
    const uint8_t old_root[HASH_LEN], uint64_t size,
    const uint8_t root[HASH_LEN])
{
	if (old_size > size || size > MERKLE_SIZE_MAX ||
	    p->count > MERKLE_PROOF_MAX)
		return ST_DENIED;
	if (old_size == 0)
		return p->count == 0 ? ST_OK : ST_DENIED;
	if (old_size < size)
		return check_growth(p, old_size, old_root, size, root);
	if (p->count != 0 || memcmp(old_root, root, HASH_LEN) != 0)
		return ST_DENIED;
	return ST_OK;
}

static bool
places_ok(const uint64_t *places, size_t count, uint64_t size)
{
	if (size > MERKLE_SIZE_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (places[i] >= size || (i > 0 && places[i] <= places[i - 1]))
			return false;
	}
	return count > 0;
}

/* Push the two halves of s, the left on top. */
static void
push_halves(struct span *stack, size_t *depth, struct span s)
{
	uint64_t mid = s.lo + split(s.hi - s.lo);

	assert(*depth + 2 <= SPANS_MAX);
	stack[(*depth)++] = (struct span){ mid, s.hi, false };
	stack[(*depth)++] = (struct span){ s.lo, mid, false };
}

enum status
merkle_prove_many(merkle_read read, void *arg, const uint64_t *places,
    size_t count, uint64_t size, struct buf *out)
{
	struct span stack[SPANS_MAX];
	size_t depth = 0, next = 0, start = out->len;
	enum status st;

	if (!places_ok(places, count, size))
		return ST_INVALID;
	stack[depth++] = (struct span){ 0, size, false };
	while (depth > 0) {
		struct span s = stack[--depth];
		uint8_t hash[HASH_LEN];

		if (next == count || places[next] >= s.hi) {
			st = read_span(read, arg, s.lo, s.hi, hash);
			if (st == ST_OK) {
				buf_add(out, hash, HASH_LEN);
				st = out->err;
			}
			if (st != ST_OK) {
				out->len = start;
				return st;
			}
		} else if (s.hi - s.lo == 1) {
			next++;
		} else {
			push_halves(stack, &depth, s);
		}
	}
	return ST_OK;
}

/* What stands on the verifier's stack. */
struct node {
	uint8_t hash[HASH_LEN];
	bool above; /* the leaf asked for lies below it */
};

/*
 * The verifier's walk.  With `out`, what stands beside the way up from leaf
 * `of` is its inclusion proof, the leaf's sibling first, as joins come.
 */
static enum status
walk_many(struct bytes proof, const uint64_t *places,
    const uint8_t (*leaves)[HASH_LEN], size_t count, uint64_t size,
    uint8_t root[HASH_LEN], size_t of, struct merkle_proof *out)
{
	struct span stack[SPANS_MAX];
	struct node node[HASHES_MAX];
	size_t depth = 0, nodes = 0, next = 0;
	struct reader r;

	reader_init(&r, proof);
	stack[depth++] = (struct span){ 0, size, false };
	while (depth > 0) {
		struct span s = stack[--depth];

		if (s.join) {
			struct node *b = &node[--nodes], *a = b - 1;

			assert(nodes >= 1);
			if (out != NULL && (a->above || b->above)) {
				assert(out->count < MERKLE_PROOF_MAX);
				memcpy(out->hash[out->count++],
				    a->above ? b->hash : a->hash, HASH_LEN);
			}
			merkle_node(a->hash, a->hash, b->hash);
			a->above = a->above || b->above;
			continue;
		}
		assert(nodes < HASHES_MAX);
		if (next == count || places[next] >= s.hi) {
			node[nodes].above = false;
			reader_copy(&r, node[nodes++].hash, HASH_LEN);
			if (r.bad)
				return ST_DENIED;
		} else if (s.hi - s.lo == 1) {
			node[nodes].above = next == of;
			memcpy(node[nodes++].hash, leaves[next++], HASH_LEN);
		} else {
			stack[depth++] = (struct span){ .join = true };
			push_halves(stack, &depth, s);
		}
	}
	assert(nodes == 1 && next == count);
	memcpy(root, node[0].hash, HASH_LEN);
	return reader_done(&r) ? ST_OK : ST_DENIED;
}

enum status
merkle_check_many(struct bytes proof, const uint64_t *places,
    const uint8_t (*leaves)[HASH_LEN], size_t count, uint64_t size,
    const uint8_t root[HASH_LEN])
{
	uint8_t got[HASH_LEN];
	enum status st;

	if (!places_ok(places, count, size))
		return ST_DENIED;
	st = walk_many(proof, places, leaves, count, size, got, SIZE_MAX, NULL);
	return st == ST_OK && memcmp(got, root, HASH_LEN) != 0 ? ST_DENIED : st;
}

enum status
merkle_one_of_many(struct bytes proof, const uint64_t *places,
    const uint8_t (*leaves)[HASH_LEN], size_t count, uint64_t size, size_t of,
    struct merkle_proof *out)
{
	uint8_t root[HASH_LEN];

	out->count = 0;
	if (!places_ok(places, count, size) || of >= count)
		return ST_DENIED;
	return walk_many(proof, places, leaves, count, size, root, of, out);
}
