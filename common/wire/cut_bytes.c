#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/cut.h"

/*
 * What each byte of enum cut_byte stands for, put back.  Every function has
 * CUT_TEXT_MAX bytes of room.
 */

static bool
add_hole(struct cut_reader *r, uint32_t what)
{
	struct cut_hole *hole;
	uint32_t cap;

	if (r->hole_count == r->hole_cap) {
		cap = r->hole_cap == 0 ? 256 : 2 * r->hole_cap;
		hole = realloc(r->hole, cap * sizeof(*hole));
		if (hole == NULL)
			return cut_fail(r, ST_NOMEM, "out of memory");
		r->hole = hole;
		r->hole_cap = cap;
	}
	r->hole[r->hole_count++] =
	    (struct cut_hole){ (uint32_t)(r->p - r->start), what };
	return true;
}

/* Sixteen or 32 bytes of raw. */
static const uint8_t *
take_raw(struct cut_reader *r, size_t len)
{
	struct bytes b = reader_take(r->raw, len);

	if (b.len != len) {
		(void)cut_fail(r, ST_INVALID, "entry: no more binary values");
		return NULL;
	}
	return b.p;
}

static bool
read_place(struct cut_reader *r)
{
	r->p += cut_place(r->p, r->entry.chain, r->entry.seq);
	return true;
}

/* A text around 2 * len hex digits that are filled in later. */
static bool
put_hole(struct cut_reader *r, uint32_t what, size_t from, size_t len)
{
	r->p += from;
	if (!add_hole(r, what))
		return false;
	memset(r->p, '0', 2 * len);
	r->p += len * 2;
	return true;
}

static bool
read_body(struct cut_reader *r)
{
	if ((r->entry.used & 1u << CUT_LF) != 0)
		return cut_fail(
		    r, ST_INVALID, "entry: body line with its hash");
	memcpy(r->p, "\"body\":\"", 8);
	if (!put_hole(r, CUT_HOLE_BODY, 8, HASH_LEN))
		return false;
	*r->p++ = '"';
	return true;
}

static bool
read_after(struct cut_reader *r)
{
	uint32_t last = CUT_NONE;

	if (r->entry.rec != CUT_NONE)
		last = r->run.rec[r->entry.rec].last;
	if (last == CUT_NONE)
		return cut_fail(r, ST_INVALID, "entry: after nothing");
	memcpy(r->p, "\"after\":[\"", 10);
	if (!put_hole(r, last, 10, ID_LEN))
		return false;
	*r->p++ = '"';
	*r->p++ = ']';
	return true;
}

static bool
read_salt(struct cut_reader *r)
{
	const uint8_t *salt = take_raw(r, SALT_LEN);

	if (salt == NULL)
		return false;
	r->p += cut_named_hex(r->p, "salt", salt, SALT_LEN);
	return true;
}

static bool
read_boot(struct cut_reader *r)
{
	if (!r->run.has_boot)
		return cut_fail(r, ST_INVALID, "entry: no boot before it");
	r->p += cut_named_hex(r->p, "boot", r->run.boot, BOOT_LEN);
	return true;
}

static bool
read_boot_new(struct cut_reader *r)
{
	const uint8_t *boot = take_raw(r, BOOT_LEN);

	if (boot == NULL)
		return false;
	memcpy(r->run.boot, boot, BOOT_LEN);
	r->run.has_boot = true;
	return read_boot(r);
}

static bool
put_rec(struct cut_reader *r, uint32_t rec)
{
	cut_rec_take(&r->run, &r->entry, rec);
	r->p += cut_rec(r->p, r->run.rec[rec].id);
	return true;
}

static bool
read_rec(struct cut_reader *r)
{
	if (r->run.rec_now == CUT_NONE)
		return cut_fail(r, ST_INVALID, "entry: no record before it");
	return put_rec(r, r->run.rec_now);
}

static bool
read_rec_known(struct cut_reader *r)
{
	uint64_t k;

	if (!cut_take_ctl(r, &k))
		return false;
	if (k >= r->run.rec_count)
		return cut_fail(
		    r, ST_INVALID, "entry: no such record before it");
	return put_rec(r, (uint32_t)k);
}

static bool
put_rec_new(struct cut_reader *r, const uint8_t id[ID_LEN])
{
	bool added = cut_rec_add(&r->run, id);

	assert(added); /* one record an entry */
	return put_rec(r, r->run.rec_count - 1);
}

static bool
read_rec_new(struct cut_reader *r)
{
	const uint8_t *id = take_raw(r, ID_LEN);

	return id != NULL && put_rec_new(r, id);
}

/* The wall of the entry at hand, from ctl unless it was read already. */
static bool
take_wall(struct cut_reader *r)
{
	uint64_t step, wall;

	if (r->entry.has_wall)
		return true;
	if (!cut_take_ctl(r, &step))
		return false;
	wall = r->run.wall + unzigzag(step);
	if (wall > CUT_INT_MAX)
		return cut_fail(r, ST_INVALID, "entry: wall out of range");
	cut_wall_take(&r->run, &r->entry, wall);
	return true;
}

static bool
read_rec_time(struct cut_reader *r)
{
	uint8_t id[ID_LEN];
	const uint8_t *rest;
	uint64_t before, t;

	if (!take_wall(r) || !cut_take_ctl(r, &before))
		return false;
	t = r->entry.wall - unzigzag(before);
	if (t > CUT_REC_TIME_MAX)
		return cut_fail(r, ST_INVALID, "entry: rec out of range");
	rest = take_raw(r, CUT_REC_REST);
	if (rest == NULL)
		return false;
	cut_rec_of(id, t, rest);
	return put_rec_new(r, id);
}

static bool
read_uuid(struct cut_reader *r)
{
	const uint8_t *id = take_raw(r, ID_LEN);

	if (id == NULL)
		return false;
	r->p += cut_uuid(r->p, id);
	return true;
}

static bool
read_hex16(struct cut_reader *r)
{
	const uint8_t *p = take_raw(r, ID_LEN);

	if (p == NULL)
		return false;
	r->p += cut_hex(r->p, p, ID_LEN);
	return true;
}

static bool
read_hex32(struct cut_reader *r)
{
	const uint8_t *p = take_raw(r, HASH_LEN);

	if (p == NULL)
		return false;
	r->p += cut_hex(r->p, p, HASH_LEN);
	return true;
}

static bool
read_id(struct cut_reader *r)
{
	uint64_t k;

	if (!cut_take_ctl(r, &k))
		return false;
	if (k > r->run.index)
		return cut_fail(
		    r, ST_INVALID, "entry: no entry so far before it");
	return put_hole(
	    r, k == 0 ? CUT_HOLE_PREV : r->run.index - (uint32_t)k, 0, ID_LEN);
}

static bool
read_lf(struct cut_reader *r)
{
	*r->p++ = '\n';
	return true;
}

static bool
read_at(struct cut_reader *r)
{
	uint64_t step, before;
	int64_t offset;
	size_t n;

	if (!take_wall(r) || !cut_take_ctl(r, &step) ||
	    !cut_take_ctl(r, &before))
		return false;
	offset = (int64_t)((uint64_t)r->run.offset + unzigzag(step));
	n = cut_at(&r->run, r->p, r->entry.wall - unzigzag(before), offset);
	if (n == 0)
		return cut_fail(r, ST_INVALID, "entry: at out of range");
	r->run.offset = (int)offset;
	r->p += n;
	return true;
}

static bool
read_wall(struct cut_reader *r)
{
	if (!take_wall(r))
		return false;
	r->p += cut_named_uint(r->p, "wall", r->entry.wall);
	return true;
}

static bool
read_mono(struct cut_reader *r)
{
	uint64_t step, mono;

	if (!cut_take_ctl(r, &step))
		return false;
	mono = cut_mono_expect(&r->run, &r->entry) + unzigzag(step);
	if (mono > CUT_INT_MAX)
		return cut_fail(r, ST_INVALID, "entry: mono out of range");
	r->run.mono = mono;
	r->run.has_mono = true;
	r->p += cut_named_uint(r->p, "mono", mono);
	return true;
}

static bool
read_court(struct cut_reader *r)
{
	memcpy(r->p, r->run.court, r->run.court_len);
	r->p += r->run.court_len;
	return true;
}

/* Each has CUT_TEXT_MAX bytes of room. */
typedef bool (*cut_read_fn)(struct cut_reader *r);
static const cut_read_fn cut_read_byte[CUT_COUNT] = {
	[CUT_PLACE] = read_place,
	[CUT_BODY] = read_body,
	[CUT_AFTER] = read_after,
	[CUT_SALT] = read_salt,
	[CUT_BOOT] = read_boot,
	[CUT_REC] = read_rec,
	[CUT_UUID] = read_uuid,
	[CUT_HEX16] = read_hex16,
	[CUT_ID] = read_id,
	[CUT_LF] = read_lf,
	[CUT_HEX32] = read_hex32,
	[CUT_AT] = read_at,
	[CUT_REC_KNOWN] = read_rec_known,
	[CUT_WALL] = read_wall,
	[CUT_MONO] = read_mono,
	[CUT_COURT] = read_court,
	[CUT_REC_NEW] = read_rec_new,
	[CUT_BOOT_NEW] = read_boot_new,
	[CUT_REC_TIME] = read_rec_time,
};

_Static_assert(CUT_TEXT_MAX >= CUT_COURT_MAX + 32, "room for the court");

bool
cut_put_back(struct cut_reader *r, enum cut_byte b)
{
	assert(b < CUT_COUNT && cut_read_byte[b] != NULL);
	assert((size_t)(r->end - r->p) >= CUT_TEXT_MAX);
	return cut_read_byte[b](r);
}
