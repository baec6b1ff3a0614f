#include "wire/zdict.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "base/embed.h"
#include "base/limits.h"

/*
 * Levels of zstd.  Measured on frames of 50 entries (docs/BENCHMARKS.md).
 */
enum { LEVEL_SMALL = 12, LEVEL_FAST = 3 };

enum { KEEP_BYTES = 256 << 10 };

/* The same in every frame, so it is not sent; and what we put before what
 * came is never a skippable frame or one of an older format. */
enum { MAGIC_LEN = 4 };
static const uint8_t magic[MAGIC_LEN] = { 0x28, 0xb5, 0x2f, 0xfd };

/* One built-in dictionary; prepared forms are made when first needed. */
struct dict {
	uint32_t id;
	struct bytes data; /* static */
	ZSTD_DDict *unpack;
	ZSTD_CDict *pack[2]; /* by effort */
};

struct zdict {
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	struct dict *dict;
	size_t count;
	struct buf frame; /* being unpacked, its magic number put back */
};

static bool
is_dict(const struct embedded_file *f)
{
	return bytes_starts(bytes_str(f->name), "dict/");
}

enum status
zdict_new(struct zdict **out)
{
	struct zdict *z = calloc(1, sizeof(*z));
	size_t count = 0;

	if (z == NULL)
		return ST_NOMEM;
	buf_init(&z->frame, MAGIC_LEN + FRAME_WIRE_BYTES_MAX);
	for (const struct embedded_file *f = embedded_files; f->name; f++)
		count += is_dict(f);
	z->dict = calloc(count + 1, sizeof(*z->dict));
	z->cctx = ZSTD_createCCtx();
	z->dctx = ZSTD_createDCtx();
	if (z->dict == NULL || z->cctx == NULL || z->dctx == NULL) {
		zdict_free(z);
		return ST_NOMEM;
	}
	for (const struct embedded_file *f = embedded_files; f->name; f++) {
		struct dict *d = &z->dict[z->count];

		if (!is_dict(f))
			continue;
		d->data = f->data;
		d->id = ZSTD_getDictID_fromDict(f->data.p, f->data.len);
		assert(d->id != 0);
		z->count++;
	}
	*out = z;
	return ST_OK;
}

void
zdict_free(struct zdict *z)
{
	if (z == NULL)
		return;
	for (size_t i = 0; i < z->count; i++) {
		assert(z->dict != NULL);
		(void)ZSTD_freeDDict(z->dict[i].unpack);
		(void)ZSTD_freeCDict(z->dict[i].pack[ZDICT_SMALL]);
		(void)ZSTD_freeCDict(z->dict[i].pack[ZDICT_FAST]);
	}
	(void)ZSTD_freeCCtx(z->cctx);
	(void)ZSTD_freeDCtx(z->dctx);
	buf_free(&z->frame);
	free(z->dict);
	free(z);
}

uint32_t
zdict_newest(const struct zdict *z)
{
	uint32_t id = 0;

	for (size_t i = 0; i < z->count; i++) {
		if (z->dict[i].id > id)
			id = z->dict[i].id;
	}
	return id;
}

static struct dict *
find(const struct zdict *z, uint32_t id)
{
	for (size_t i = 0; i < z->count; i++) {
		if (z->dict[i].id == id)
			return &z->dict[i];
	}
	return NULL;
}

static enum status
use_pack_dict(struct zdict *z, uint32_t id, enum zdict_effort effort)
{
	int level = effort == ZDICT_SMALL ? LEVEL_SMALL : LEVEL_FAST;
	struct dict *d;

	(void)ZSTD_CCtx_reset(z->cctx, ZSTD_reset_session_and_parameters);
	if (ZSTD_isError(ZSTD_CCtx_setParameter(
		z->cctx, ZSTD_c_compressionLevel, level)))
		return ST_NOMEM;
	if (id == 0)
		return ST_OK;
	d = find(z, id);
	if (d == NULL)
		return ST_ABSENT;
	if (d->pack[effort] == NULL)
		d->pack[effort] =
		    ZSTD_createCDict(d->data.p, d->data.len, level);
	if (d->pack[effort] == NULL ||
	    ZSTD_isError(ZSTD_CCtx_refCDict(z->cctx, d->pack[effort])))
		return ST_NOMEM;
	return ST_OK;
}

enum status
zdict_pack(struct zdict *z, uint32_t id, enum zdict_effort effort,
    struct bytes in, struct buf *out)
{
	enum status st = use_pack_dict(z, id, effort);
	size_t room, n, before = out->len;
	uint8_t *p;

	if (st != ST_OK)
		return st;
	room = ZSTD_compressBound(in.len);
	p = buf_extend(out, room);
	if (p == NULL)
		return out->err;
	/* The other defaults are those that we want: content size and
	 * dictionary id stated, no checksum (links are the check). */
	n = ZSTD_compress2(z->cctx, p, room, in.p, in.len);
	if (ZSTD_isError(n)) {
		/* With room for the worst case only memory can fail. */
		out->len = before;
		return ST_NOMEM;
	}
	assert(n > MAGIC_LEN && memcmp(p, magic, MAGIC_LEN) == 0);
	memmove(p, p + MAGIC_LEN, n - MAGIC_LEN);
	out->len = before + n - MAGIC_LEN;
	return ST_OK;
}

/* The content size that the one frame which `in` must be states. */
static enum status
content_size(struct bytes in, size_t max, size_t *out, const char **why)
{
	unsigned long long size;

	/* zstd itself would take several frames, one behind the other. */
	*why = "zstd: not one frame";
	if (ZSTD_findFrameCompressedSize(in.p, in.len) != in.len)
		return ST_INVALID;
	size = ZSTD_getFrameContentSize(in.p, in.len);
	*why = "zstd: no content size";
	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
		return ST_INVALID;
	*why = "zstd: content too large";
	if (size > max)
		return ST_LIMIT;
	*out = (size_t)size;
	return ST_OK;
}

static enum status
use_unpack_dict(struct zdict *z, uint32_t id, const char **why)
{
	struct dict *d = NULL;

	(void)ZSTD_DCtx_reset(z->dctx, ZSTD_reset_session_and_parameters);
	if (id != 0) {
		d = find(z, id);
		*why = "zstd: unknown dictionary";
		if (d == NULL)
			return ST_ABSENT;
		*why = "out of memory";
		if (d->unpack == NULL)
			d->unpack = ZSTD_createDDict(d->data.p, d->data.len);
		if (d->unpack == NULL ||
		    ZSTD_isError(ZSTD_DCtx_refDDict(z->dctx, d->unpack)))
			return ST_NOMEM;
	}
	return ST_OK;
}

static enum status
unpack(struct zdict *z, struct bytes in, struct buf *out, uint32_t *id,
    const char **why)
{
	size_t size = 0, n, before = out->len;
	uint32_t dict;
	enum status st;
	uint8_t *p;

	st = content_size(in, out->max - before, &size, why);
	if (st != ST_OK)
		return st;
	dict = ZSTD_getDictID_fromFrame(in.p, in.len);
	st = use_unpack_dict(z, dict, why);
	if (st != ST_OK)
		return st;
	p = buf_extend(out, size);
	if (p == NULL) {
		*why = "out of memory";
		return out->err;
	}
	n = ZSTD_decompressDCtx(z->dctx, p, size, in.p, in.len);
	if (ZSTD_isError(n) || n != size) {
		out->len = before;
		*why = "zstd: damaged";
		return ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation
			   ? ST_NOMEM
			   : ST_INVALID;
	}
	*id = dict;
	return ST_OK;
}

enum status
zdict_unpack(struct zdict *z, struct bytes in, struct buf *out, uint32_t *id,
    const char **why)
{
	enum status st;

	buf_reset(&z->frame);
	buf_add(&z->frame, magic, MAGIC_LEN);
	buf_bytes(&z->frame, in);
	*why = z->frame.err == ST_LIMIT ? "zstd: too large" : "out of memory";
	if (z->frame.err != ST_OK)
		return z->frame.err;
	st = unpack(z, buf_view(&z->frame), out, id, why);
	if (z->frame.cap > KEEP_BYTES)
		buf_free(&z->frame);
	return st;
}
