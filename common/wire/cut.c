#include "wire/cut.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/entry.h"

enum {
	DAY_MS = 86400000,
	MINUTE_MS = 60000,
};
/* 9999-01-01T00:00:00Z: no offset reaches the year 10000 from below it. */
#define AT_END_MS INT64_C(253370764800000)

void
cut_run_init(struct cut_run *run)
{
	*run = (struct cut_run){ .rec_now = CUT_NONE, .day = -1 };
}

void
cut_run_free(struct cut_run *run)
{
	free(run->rec);
	cut_run_init(run);
}

enum status
cut_run_begin(struct cut_run *run, const char *court, size_t count)
{
	static const char before[] = "{\"v\":1,\"court\":\"", after[] = "\",";
	size_t len = strlen(court);
	struct cut_rec *rec = run->rec;
	uint32_t cap = run->rec_cap;
	uint8_t *p;

	assert(len <= CUT_COURT_MAX && count < CUT_HOLE_PREV);
	if (count > cap) {
		rec = realloc(rec, count * sizeof(*rec));
		if (rec == NULL)
			return ST_NOMEM;
		cap = (uint32_t)count;
	}
	*run = (struct cut_run){
		.rec = rec,
		.rec_cap = cap,
		.rec_now = CUT_NONE,
		.offset = CUT_OFFSET_FIRST,
		.day = -1,
	};
	p = run->court;
	memcpy(p, before, sizeof(before) - 1);
	p += sizeof(before) - 1;
	memcpy(p, court, len);
	p += len;
	memcpy(p, after, sizeof(after) - 1);
	p += sizeof(after) - 1;
	run->court_len = (size_t)(p - run->court);
	return ST_OK;
}

bool
cut_use(struct cut_entry *e, enum cut_byte b)
{
	static const uint32_t group[CUT_COUNT] = {
		[CUT_PLACE] = 1u << CUT_PLACE,
		[CUT_BODY] = 1u << CUT_BODY,
		[CUT_AFTER] = 1u << CUT_AFTER,
		[CUT_SALT] = 1u << CUT_SALT,
		[CUT_BOOT] = 1u << CUT_BOOT,
		[CUT_REC] = 1u << CUT_REC,
		[CUT_LF] = 1u << CUT_LF,
		[CUT_AT] = 1u << CUT_AT,
		[CUT_REC_KNOWN] = 1u << CUT_REC,
		[CUT_WALL] = 1u << CUT_WALL,
		[CUT_MONO] = 1u << CUT_MONO,
		[CUT_COURT] = 1u << CUT_COURT,
		[CUT_REC_NEW] = 1u << CUT_REC,
		[CUT_BOOT_NEW] = 1u << CUT_BOOT,
		[CUT_REC_TIME] = 1u << CUT_REC,
	};

	assert(b < CUT_COUNT);
	if ((e->used & group[b]) != 0)
		return false;
	e->used |= group[b];
	return true;
}

void
cut_wall_take(struct cut_run *run, struct cut_entry *e, uint64_t wall)
{
	assert(!e->has_wall);
	e->has_wall = true;
	e->wall = wall;
	e->wall_step = wall - run->wall;
	run->wall = wall;
}

uint64_t
cut_mono_expect(const struct cut_run *run, const struct cut_entry *e)
{
	/* The two clocks of a device advance together. */
	return run->has_mono ? run->mono + e->wall_step : 0;
}

bool
cut_rec_add(struct cut_run *run, const uint8_t id[ID_LEN])
{
	if (run->rec_count == run->rec_cap)
		return false;
	memcpy(run->rec[run->rec_count].id, id, ID_LEN);
	run->rec[run->rec_count].last = CUT_NONE;
	run->rec_count++;
	return true;
}

void
cut_rec_take(struct cut_run *run, struct cut_entry *e, uint32_t rec)
{
	assert(rec < run->rec_count);
	e->rec = rec;
	run->rec_now = rec;
}

void
cut_entry_end(struct cut_run *run, const struct cut_entry *e)
{
	if (e->rec != CUT_NONE)
		run->rec[e->rec].last = run->index;
	run->index++;
}

size_t
cut_hex(uint8_t *out, const uint8_t *p, size_t len)
{
	static const uint8_t digit[16] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digit[p[i] >> 4];
		out[2 * i + 1] = digit[p[i] & 15];
	}
	return 2 * len;
}

size_t
cut_uuid(uint8_t *out, const uint8_t id[ID_LEN])
{
	uint8_t *p = out;

	p += cut_hex(p, id, 4);
	for (size_t i = 4; i < 10; i += 2) {
		*p++ = '-';
		p += cut_hex(p, id + i, 2);
	}
	*p++ = '-';
	p += cut_hex(p, id + 10, 6);
	return (size_t)(p - out);
}

uint64_t
cut_rec_time(const uint8_t id[ID_LEN])
{
	return be64_get(id) >> 16;
}

void
cut_rec_of(uint8_t id[ID_LEN], uint64_t t_ms, const uint8_t rest[CUT_REC_REST])
{
	assert(t_ms <= CUT_REC_TIME_MAX);
	be64_put(id, t_ms << 16);
	memcpy(id + ID_LEN - CUT_REC_REST, rest, CUT_REC_REST);
}

/* "name": */
static size_t
put_name(uint8_t *out, const char *name)
{
	size_t len = strlen(name);

	out[0] = '"';
	memcpy(out + 1, name, len);
	out[len + 1] = '"';
	out[len + 2] = ':';
	return len + 3;
}

size_t
cut_named_hex(uint8_t *out, const char *name, const uint8_t *p, size_t len)
{
	size_t n = put_name(out, name);

	out[n++] = '"';
	n += cut_hex(out + n, p, len);
	out[n++] = '"';
	return n;
}

static size_t
put_uint(uint8_t *out, uint64_t v)
{
	uint8_t text[20];
	size_t n = sizeof(text);

	do {
		text[--n] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	memcpy(out, text + n, sizeof(text) - n);
	return sizeof(text) - n;
}

size_t
cut_named_uint(uint8_t *out, const char *name, uint64_t n)
{
	size_t len = put_name(out, name);

	return len + put_uint(out + len, n);
}

size_t
cut_place(uint8_t *out, const uint8_t chain[CHAIN_LEN], uint64_t seq)
{
	size_t n = cut_named_hex(out, "chain", chain, CHAIN_LEN);

	out[n++] = ',';
	return n + cut_named_uint(out + n, "seq", seq);
}

size_t
cut_rec(uint8_t *out, const uint8_t id[ID_LEN])
{
	size_t n = put_name(out, "rec");

	out[n++] = '"';
	n += cut_uuid(out + n, id);
	out[n++] = '"';
	return n;
}

size_t
cut_after(uint8_t *out, const uint8_t id[ID_LEN])
{
	size_t n = put_name(out, "after");

	out[n++] = '[';
	out[n++] = '"';
	n += cut_hex(out + n, id, ID_LEN);
	out[n++] = '"';
	out[n++] = ']';
	return n;
}

static uint8_t *
put_two(uint8_t *p, int64_t v)
{
	p[0] = (uint8_t)('0' + v / 10);
	p[1] = (uint8_t)('0' + v % 10);
	return p + 2;
}

size_t
cut_at(struct cut_run *run, uint8_t *out, uint64_t t_ms, int64_t offset)
{
	int64_t local, day, ms, east = offset < 0 ? -offset : offset;
	uint8_t *p = out;
	char text[32];

	if (t_ms >= (uint64_t)AT_END_MS || offset <= -1440 || offset >= 1440)
		return 0;
	local = (int64_t)t_ms + offset * MINUTE_MS;
	if (local < 0 || local >= AT_END_MS)
		return 0;
	day = local / DAY_MS;
	ms = local % DAY_MS;
	if (day != run->day) {
		at_format(text, (uint64_t)(day * DAY_MS), 0);
		memcpy(run->date, text, sizeof(run->date));
		run->day = day;
	}
	memcpy(p, "\"at\":\"", 6);
	p += 6;
	memcpy(p, run->date, sizeof(run->date));
	p += sizeof(run->date);
	*p++ = 'T';
	p = put_two(p, ms / 3600000);
	*p++ = ':';
	p = put_two(p, ms / MINUTE_MS % 60);
	*p++ = ':';
	p = put_two(p, ms / 1000 % 60);
	if (ms % 1000 != 0) {
		*p++ = '.';
		*p++ = (uint8_t)('0' + ms % 1000 / 100);
		p = put_two(p, ms % 100);
	}
	if (offset == 0) {
		*p++ = 'Z';
	} else {
		*p++ = offset < 0 ? '-' : '+';
		p = put_two(p, east / 60);
		*p++ = ':';
		p = put_two(p, east % 60);
	}
	*p++ = '"';
	return (size_t)(p - out);
}

uint64_t
zigzag(uint64_t difference)
{
	return difference << 1 ^ (uint64_t) - (difference >> 63);
}

uint64_t
unzigzag(uint64_t v)
{
	return v >> 1 ^ (uint64_t) - (v & 1);
}

bool
cut_scan_uint(struct bytes at, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = 0;

	while (n < at.len && n < 17 && at.p[n] >= '0' && at.p[n] <= '9')
		v = v * 10 + (uint64_t)(at.p[n++] - '0');
	if (n == 0 || n == 17 || v > CUT_INT_MAX)
		return false;
	*out = v;
	return true;
}

bool
cut_scan_hex(uint8_t *out, size_t len, struct bytes at)
{
	return at.len >= 2 * len &&
	       hex_decode(out, len, bytes_of(at.p, 2 * len)) == ST_OK;
}

bool
cut_scan_uuid(uint8_t out[ID_LEN], struct bytes at)
{
	static const uint8_t from[] = { 0, 9, 14, 19, 24 };
	static const uint8_t len[] = { 4, 2, 2, 2, 6 };

	if (at.len < REC_LEN)
		return false;
	for (size_t i = 0; i < sizeof(from); i++) {
		if (i > 0 && at.p[from[i] - 1] != '-')
			return false;
		if (hex_decode(out, len[i],
			bytes_of(at.p + from[i], 2 * (size_t)len[i])) != ST_OK)
			return false;
		out += len[i];
	}
	return true;
}
