/* merkle_past: roots of earlier sizes, out of a multi-inclusion proof. */
#include <assert.h>
#include <string.h>

#include "tlog/merkle.h"

enum { STACK_MAX = 64 + 2 };

struct past {
	struct frontier f; /* what lies left of the walk */
	struct reader r;
	const uint64_t *sizes;
	size_t size_count, at; /* the next size that was asked for */
	uint8_t (*roots)[HASH_LEN];
	bool *known;
};

/* The largest power of two below n; n > 1. */
static uint64_t
half_of(uint64_t n)
{
	return (uint64_t)1 << (63 - (unsigned)__builtin_clzll(n - 1));
}

/* Put a perfect subtree of 2^level leaves behind; it is aligned there. */
static void
add_subtree(struct frontier *f, unsigned level, const uint8_t in[HASH_LEN])
{
	unsigned at = (unsigned)__builtin_popcountll(f->size);
	uint8_t hash[HASH_LEN];

	assert((f->size & (((uint64_t)1 << level) - 1)) == 0);
	memcpy(hash, in, HASH_LEN);
	for (uint64_t rest = f->size >> level; (rest & 1) != 0; rest >>= 1) {
		at--;
		merkle_node(hash, f->hash[at], hash);
	}
	memcpy(f->hash[at], hash, HASH_LEN);
	f->size += (uint64_t)1 << level;
}

static void
note_size(struct past *p)
{
	for (; p->at < p->size_count && p->sizes[p->at] <= p->f.size; p->at++) {
		p->known[p->at] = p->sizes[p->at] == p->f.size;
		if (p->known[p->at])
			frontier_root(&p->f, p->roots[p->at]);
	}
}

void
merkle_past_roots(struct bytes proof, const uint64_t *places,
    const uint8_t (*leaves)[HASH_LEN], size_t count, uint64_t size,
    const uint64_t *sizes, size_t size_count, uint8_t (*roots)[HASH_LEN],
    bool *known)
{
	struct past p = { .sizes = sizes,
		.size_count = size_count,
		.roots = roots,
		.known = known };
	struct {
		uint64_t lo, hi;
	} stack[STACK_MAX];
	size_t depth = 0, next = 0;
	uint8_t hash[HASH_LEN];

	memset(known, 0, size_count * sizeof(*known));
	reader_init(&p.r, proof);
	note_size(&p);
	stack[depth].lo = 0;
	stack[depth++].hi = size;
	while (depth > 0) {
		uint64_t lo = stack[--depth].lo, hi = stack[depth].hi, n;

		n = hi - lo;
		if (next < count && places[next] < hi && n > 1) {
			uint64_t mid = lo + half_of(n);

			assert(depth + 2 <= STACK_MAX);
			stack[depth].lo = mid;
			stack[depth++].hi = hi;
			stack[depth].lo = lo;
			stack[depth++].hi = mid;
			continue;
		}
		if (next < count && places[next] < hi)
			memcpy(hash, leaves[next++], HASH_LEN);
		else
			reader_copy(&p.r, hash, HASH_LEN);
		/* All but the right edge is perfect: the walk ends there. */
		if ((n & (n - 1)) != 0)
			return;
		add_subtree(&p.f, (unsigned)__builtin_ctzll(n), hash);
		note_size(&p);
	}
}
