#include "server/core/tlog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/tlog_inner.h"

enum { LINKS_AT_ONCE = 1024 };

/* ---- growing */

/* Tiles that `count` more leaves can fill or begin, at most. */
static size_t
tiles_needed(size_t count)
{
	size_t n = 0;

	for (unsigned l = 0; l < TILE_LEVELS; l++) {
		count = count / TILE_WIDTH + 1;
		n += count + 1;
	}
	return n;
}

/* Take the memory that appending may need, so that it cannot fail halfway. */
static enum status
make_room(struct tlog *t, size_t count)
{
	size_t need = tiles_needed(count);

	while (t->spare_count < need) {
		struct xtile *x = calloc(1, sizeof(*x));

		if (x == NULL)
			return ST_NOMEM;
		x->next = t->spare;
		t->spare = x;
		t->spare_count++;
	}
	if (t->fresh_cap - t->fresh_count < need) {
		size_t cap = t->fresh_cap * 2 + need;
		struct xtile **p =
		    realloc(t->fresh, cap * sizeof(struct xtile *));

		if (p == NULL)
			return ST_NOMEM;
		t->fresh = p;
		t->fresh_cap = cap;
	}
	return ST_OK;
}

static struct xtile *
spare_take(struct tlog *t, unsigned level, uint64_t index)
{
	struct xtile *x = t->spare;

	assert(x != NULL);
	t->spare = x->next;
	t->spare_count--;
	x->next = NULL;
	x->level = level;
	x->index = index;
	x->width = 0;
	return x;
}

static void
spare_give(struct tlog *t, struct xtile *x)
{
	if (t->spare_count >= 64) {
		free(x);
		return;
	}
	x->next = t->spare;
	t->spare = x;
	t->spare_count++;
}

/* Append one hash at tile level `level`; a tile that is full gives its root to
 * the level above. */
static void
append_at(struct tlog *t, unsigned level, uint64_t leaves,
    const uint8_t hash[HASH_LEN])
{
	uint8_t up[HASH_LEN];

	memcpy(up, hash, HASH_LEN);
	for (; level < TILE_LEVELS; level++, leaves /= TILE_WIDTH) {
		struct xtile *x = t->edge[level];

		if (x == NULL)
			x = t->edge[level] =
			    spare_take(t, level, leaves / TILE_WIDTH);
		assert(x->index == leaves / TILE_WIDTH);
		assert(x->width == leaves % TILE_WIDTH);
		xtile_add(x, up);
		if (x->width < TILE_WIDTH)
			return;
		memcpy(up, xtile_root(x), HASH_LEN);
		t->fresh[t->fresh_count++] = x;
		t->edge[level] = NULL;
	}
}

enum status
tlog_append(struct tlog *t, const uint8_t (*leaf)[HASH_LEN], size_t count)
{
	enum status st;

	if (count > MERKLE_SIZE_MAX - t->staged)
		return ST_LIMIT;
	(void)pthread_mutex_lock(&t->lock);
	st = make_room(t, count);
	for (size_t i = 0; i < count && st == ST_OK; i++)
		append_at(t, 0, t->staged++, leaf[i]);
	(void)pthread_mutex_unlock(&t->lock);
	return st;
}

static void
frontier_of(const struct tlog *t, uint64_t size, struct frontier *out)
{
	size_t n = 0;

	frontier_init(out);
	out->size = size;
	for (unsigned bit = 64; bit-- > 0;) {
		const struct xtile *x = t->edge[bit / 8];

		if ((size >> bit & 1) == 0)
			continue;
		assert(x != NULL);
		memcpy(out->hash[n++],
		    xtile_node(x, bit % 8,
			((size >> bit) - 1) & (xtile_row(bit % 8) - 1)),
		    HASH_LEN);
	}
}

void
tlog_frontier(struct tlog *t, struct frontier *out)
{
	(void)pthread_mutex_lock(&t->lock);
	frontier_of(t, t->staged, out);
	(void)pthread_mutex_unlock(&t->lock);
}

enum status
tlog_put_tiles(struct tlog *t, struct store *s)
{
	enum status st = ST_OK;

	/* Only the committer touches the list; a full tile never changes. */
	for (size_t i = 0; i < t->fresh_count && st == ST_OK; i++)
		st = store_put_tile(s, t->fresh[i]->level, t->fresh[i]->index,
		    (const uint8_t(*)[HASH_LEN])t->fresh[i]->node);
	return st;
}

void
tlog_publish(struct tlog *t)
{
	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->fresh_count; i++) {
		struct xtile *out = tile_cache_put(t->cache, t->fresh[i]);

		if (out != NULL)
			spare_give(t, out);
	}
	t->fresh_count = 0;
	t->size = t->staged;
	(void)pthread_mutex_unlock(&t->lock);
}

/*
 * The edges of the published size are what they were: nodes are only ever
 * added.  One that was filled since stands among the fresh tiles.
 */
void
tlog_rollback(struct tlog *t)
{
	uint64_t leaves = t->size;

	(void)pthread_mutex_lock(&t->lock);
	for (unsigned l = 0; l < TILE_LEVELS; l++, leaves /= TILE_WIDTH) {
		struct xtile *x = t->edge[l];
		unsigned width = (unsigned)(leaves % TILE_WIDTH);
		uint64_t index = leaves / TILE_WIDTH;

		if (x != NULL && (width == 0 || x->index != index)) {
			spare_give(t, x);
			x = NULL;
		}
		for (size_t i = 0; x == NULL && width > 0 && i < t->fresh_count;
		     i++)
			if (t->fresh[i] != NULL && t->fresh[i]->level == l &&
			    t->fresh[i]->index == index) {
				x = t->fresh[i];
				t->fresh[i] = NULL;
			}
		assert((x != NULL) == (width > 0));
		if (x != NULL)
			x->width = width;
		t->edge[l] = x;
	}
	for (size_t i = 0; i < t->fresh_count; i++)
		if (t->fresh[i] != NULL)
			spare_give(t, t->fresh[i]);
	t->fresh_count = 0;
	t->staged = t->size;
	(void)pthread_mutex_unlock(&t->lock);
}

static bool
root_is(struct tlog *t, const uint8_t root[HASH_LEN])
{
	uint8_t mine[HASH_LEN];
	struct frontier f;

	tlog_frontier(t, &f);
	frontier_root(&f, mine);
	return memcmp(mine, root, HASH_LEN) == 0;
}

enum status
tlog_follow(
    struct tlog *t, struct store_reader *r, const struct store_head *head)
{
	uint8_t(*link)[HASH_LEN];
	enum status st = ST_OK;

	assert(t->staged == t->size);
	if (head->size < t->size)
		return ST_CORRUPT;
	link = calloc(LINKS_AT_ONCE, HASH_LEN);
	if (link == NULL)
		return ST_NOMEM;
	while (t->staged < head->size && st == ST_OK) {
		uint64_t left = head->size - t->staged;
		size_t n = left > LINKS_AT_ONCE ? LINKS_AT_ONCE : (size_t)left;

		st = store_links(r, t->staged, n, link);
		for (size_t i = 0; i < n && st == ST_OK; i++)
			merkle_leaf(link[i], bytes_of(link[i], HASH_LEN));
		if (st == ST_OK)
			st =
			    tlog_append(t, (const uint8_t(*)[HASH_LEN])link, n);
	}
	free(link);
	if (st == ST_OK && !root_is(t, head->root))
		st = ST_CORRUPT;
	if (st == ST_OK)
		tlog_publish(t);
	else
		tlog_rollback(t);
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

/* ---- opening */

/* The hashes of the edge tile at `level`: leaves, or roots of full tiles. */
static enum status
edge_load(struct tlog *t, unsigned level, uint64_t leaves)
{
	uint64_t index = leaves / TILE_WIDTH;
	unsigned width = (unsigned)(leaves % TILE_WIDTH);
	uint8_t hash[HASH_LEN];
	enum status st = ST_OK;
	struct xtile *x;

	if (width == 0)
		return ST_OK;
	x = t->edge[level] = spare_take(t, level, index);
	for (uint64_t i = index * TILE_WIDTH; i < leaves && st == ST_OK; i++) {
		if (level == 0) {
			st = store_links(t->r, i, 1, &hash);
			merkle_leaf(hash, bytes_of(hash, HASH_LEN));
		} else {
			buf_reset(&t->buf);
			st = store_tile(t->r, level - 1, i, &t->buf);
			if (st == ST_OK)
				tile_root(hash, t->buf.p);
		}
		if (st == ST_OK)
			xtile_add(x, hash);
	}
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

static enum status
edges_load(struct tlog *t)
{
	struct store_head head;
	uint64_t leaves;
	enum status st = store_head(t->r, &head);

	if (st == ST_OK)
		st = make_room(t, 0);
	if (st != ST_OK)
		return st;
	leaves = head.size;
	for (unsigned l = 0; l < TILE_LEVELS && st == ST_OK; l++) {
		st = edge_load(t, l, leaves);
		leaves /= TILE_WIDTH;
	}
	if (st != ST_OK)
		return st;
	t->size = t->staged = head.size;
	return root_is(t, head.root) ? ST_OK : ST_CORRUPT;
}

enum status
tlog_open(struct tlog **out, struct store *s)
{
	struct tlog *t = calloc(1, sizeof(*t));
	enum status st;

	if (t == NULL)
		return ST_NOMEM;
	t->s = s;
	buf_init(&t->buf, TILE_WIDTH * (ENTRY_BYTES_MAX + 2));
	(void)pthread_mutex_init(&t->load, NULL);
	(void)pthread_mutex_init(&t->lock, NULL);
	st = tile_cache_new(&t->cache);
	if (st == ST_OK)
		st = store_reader_open(&t->r, s);
	if (st == ST_OK)
		st = edges_load(t);
	if (st != ST_OK) {
		tlog_close(t);
		return st;
	}
	*out = t;
	return ST_OK;
}

void
tlog_close(struct tlog *t)
{
	if (t == NULL)
		return;
	store_reader_close(t->r);
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		free(t->edge[l]);
	for (size_t i = 0; i < t->fresh_count; i++)
		free(t->fresh[i]);
	free(t->fresh);
	while (t->spare != NULL) {
		struct xtile *x = t->spare;

		t->spare = x->next;
		free(x);
	}
	tile_cache_free(t->cache);
	buf_free(&t->buf);
	(void)pthread_mutex_destroy(&t->load);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}
