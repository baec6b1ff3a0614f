#include "tlog/tile.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tlog/merkle.h"
#include "tlog/text.h"

/* True if a tree can have such a tile at all. */
static bool
tile_ok(const struct tile *t)
{
	return (!t->entries || t->level == 0) && t->width >= 1 &&
	       t->width <= TILE_WIDTH && tile_within(t, MERKLE_SIZE_MAX);
}

bool
tile_within(const struct tile *t, uint64_t size)
{
	uint64_t hashes; /* whole ones, at that level */

	if (t->level >= TILE_LEVELS)
		return false;
	hashes = size >> 8 * t->level;
	return t->width <= hashes &&
	       t->index <= (hashes - t->width) / TILE_WIDTH;
}

void
tile_path(const struct tile *t, struct buf *out)
{
	uint64_t unit = 1;

	assert(tile_ok(t));
	if (t->entries)
		buf_str(out, "tile/entries/");
	else
		buf_printf(out, "tile/%u/", t->level);
	while (t->index / unit >= 1000)
		unit *= 1000;
	for (; unit > 1; unit /= 1000)
		buf_printf(out, "x%03" PRIu64 "/", t->index / unit % 1000);
	buf_printf(out, "%03" PRIu64, t->index % 1000);
	if (t->width < TILE_WIDTH)
		buf_printf(out, ".p/%u", t->width);
}

static void
skip(struct bytes *in, size_t len)
{
	*in = bytes_of(in->p + len, in->len - len);
}

/* Take three digits. */
static enum status
take_group(struct bytes *in, uint64_t *out)
{
	if (in->len < 3)
		return ST_INVALID;
	*out = 0;
	for (size_t i = 0; i < 3; i++) {
		if (in->p[i] < '0' || in->p[i] > '9')
			return ST_INVALID;
		*out = *out * 10 + (uint64_t)(in->p[i] - '0');
	}
	skip(in, 3);
	return ST_OK;
}

/* Take "x001/x234/067": no first group of zeroes before another. */
static enum status
take_index(struct bytes *in, uint64_t *out)
{
	uint64_t v = 0, group;
	bool first = true;

	while (bytes_starts(*in, "x")) {
		skip(in, 1);
		if (take_group(in, &group) != ST_OK || (first && group == 0) ||
		    v > MERKLE_SIZE_MAX / 1000000 || !bytes_starts(*in, "/"))
			return ST_INVALID;
		skip(in, 1);
		v = v * 1000 + group;
		first = false;
	}
	if (take_group(in, &group) != ST_OK)
		return ST_INVALID;
	*out = v * 1000 + group;
	return ST_OK;
}

enum status
tile_path_parse(struct tile *out, struct bytes path)
{
	static const char entries[] = "tile/entries/", hashes[] = "tile/";
	struct tile t = { .width = TILE_WIDTH };
	uint64_t width;

	if (path.len > TILE_PATH_MAX)
		return ST_INVALID;
	if (bytes_starts(path, entries)) {
		t.entries = true;
		skip(&path, strlen(entries));
	} else {
		/* Levels of possible trees have one digit. */
		if (!bytes_starts(path, hashes) ||
		    path.len < strlen(hashes) + 2)
			return ST_INVALID;
		skip(&path, strlen(hashes));
		if (path.p[0] < '0' || path.p[0] > '9' || path.p[1] != '/')
			return ST_INVALID;
		t.level = (unsigned)(path.p[0] - '0');
		skip(&path, 2);
	}
	if (take_index(&path, &t.index) != ST_OK)
		return ST_INVALID;
	if (path.len > 0) {
		if (!bytes_starts(path, ".p/"))
			return ST_INVALID;
		skip(&path, 3);
		if (text_decimal(&width, path, TILE_WIDTH - 1) != ST_OK)
			return ST_INVALID;
		t.width = (unsigned)width;
	}
	if (!tile_ok(&t))
		return ST_INVALID;
	*out = t;
	return ST_OK;
}

void
tile_root(uint8_t out[HASH_LEN], const uint8_t hash[TILE_BYTES_MAX])
{
	struct frontier f;

	frontier_init(&f);
	for (size_t i = 0; i < TILE_WIDTH; i++)
		frontier_add(&f, hash + i * HASH_LEN);
	frontier_root(&f, out);
}

void
tile_bundle_add(struct buf *out, struct bytes entry)
{
	assert(entry.len <= TILE_ENTRY_BYTES_MAX);
	buf_u16(out, (uint16_t)entry.len);
	buf_bytes(out, entry);
}

enum status
tile_bundle_hash(struct bytes bundle, unsigned width, uint8_t (*out)[HASH_LEN])
{
	struct reader r;

	reader_init(&r, bundle);
	for (unsigned i = 0; i < width; i++) {
		struct bytes entry = reader_take(&r, reader_u16(&r));

		if (r.bad)
			return ST_INVALID;
		merkle_leaf(out[i], entry);
	}
	return reader_done(&r) ? ST_OK : ST_INVALID;
}

/* One row of tiles being written, from a first hash or entry on. */
struct row {
	tile_fetch fetch;
	tile_write write;
	void *arg;
	struct tile t;  /* the tile being filled; width = what it has */
	size_t unit;    /* bytes of a hash or an entry */
	struct buf in;  /* its contents */
	struct buf *up; /* roots of the tiles filled; NULL for bundles */
};

/* Begin where a row of `have` hashes ends: fetch its partial tile. */
static enum status
row_begin(struct row *row, uint64_t have)
{
	size_t len;
	enum status st;

	row->t.index = have / TILE_WIDTH;
	row->t.width = (unsigned)(have % TILE_WIDTH);
	buf_init(&row->in, TILE_WIDTH * row->unit);
	if (row->t.width == 0)
		return ST_OK;
	st = row->fetch(row->arg, &row->t, &row->in);
	if (row->in.err != ST_OK)
		return row->in.err == ST_LIMIT ? ST_CORRUPT : row->in.err;
	if (st != ST_OK)
		return st;
	len = row->t.width * row->unit;
	if (row->in.len < len)
		return ST_CORRUPT;
	row->in.len = len;
	return ST_OK;
}

static enum status
row_write(struct row *row)
{
	uint8_t root[HASH_LEN];
	enum status st;

	if (row->in.err != ST_OK)
		return row->in.err;
	st = row->write(row->arg, &row->t, buf_view(&row->in));
	if (st != ST_OK || row->t.width < TILE_WIDTH)
		return st;
	if (row->up != NULL) {
		tile_root(root, row->in.p);
		buf_add(row->up, root, HASH_LEN);
		st = row->up->err;
	}
	row->t.index++;
	row->t.width = 0;
	buf_reset(&row->in);
	return st;
}

/* Add `count` hashes (or links, as entries), writing each tile that fills and
 * the last one as far as it got. */
static enum status
row_add(struct row *row, const uint8_t *hash, size_t count)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < count; i++) {
		struct bytes one = bytes_of(hash + i * HASH_LEN, HASH_LEN);

		if (row->t.entries)
			tile_bundle_add(&row->in, one);
		else
			buf_bytes(&row->in, one);
		row->t.width++;
		if (row->t.width == TILE_WIDTH)
			st = row_write(row);
	}
	if (st == ST_OK && row->t.width > 0)
		st = row_write(row);
	return st;
}

enum status
tile_write_hashes(tile_fetch fetch, tile_write write, void *arg,
    uint64_t old_size, const uint8_t (*leaf)[HASH_LEN], size_t count)
{
	struct buf roots[2]; /* of the level below and of this one, in turn */
	const uint8_t *hash = count > 0 ? leaf[0] : NULL;
	uint64_t have = old_size;
	enum status st = ST_OK;

	if (old_size > MERKLE_SIZE_MAX || count > MERKLE_SIZE_MAX - old_size)
		return ST_INVALID;
	buf_init(&roots[0], (count / TILE_WIDTH + 1) * HASH_LEN);
	buf_init(&roots[1], (count / TILE_WIDTH + 1) * HASH_LEN);
	for (unsigned level = 0; st == ST_OK && count > 0; level++) {
		struct row row = { .fetch = fetch,
			.write = write,
			.arg = arg,
			.t.level = level,
			.unit = HASH_LEN,
			.up = &roots[level % 2] };

		assert(level < TILE_LEVELS);
		buf_reset(row.up);
		st = row_begin(&row, have);
		if (st == ST_OK)
			st = row_add(&row, hash, count);
		buf_free(&row.in);
		have /= TILE_WIDTH;
		hash = row.up->p;
		count = row.up->len / HASH_LEN;
	}
	buf_free(&roots[0]);
	buf_free(&roots[1]);
	return st;
}

enum status
tile_write_links(tile_fetch fetch, tile_write write, void *arg,
    uint64_t old_size, const uint8_t (*link)[HASH_LEN], size_t count)
{
	struct row row = { .fetch = fetch,
		.write = write,
		.arg = arg,
		.t.entries = true,
		.unit = 2 + HASH_LEN };
	enum status st;

	if (old_size > MERKLE_SIZE_MAX || count > MERKLE_SIZE_MAX - old_size)
		return ST_INVALID;
	if (count == 0)
		return ST_OK;
	st = row_begin(&row, old_size);
	if (st == ST_OK)
		st = row_add(&row, link[0], count);
	buf_free(&row.in);
	return st;
}
