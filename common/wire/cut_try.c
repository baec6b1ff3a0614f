#include <assert.h>
#include <string.h>

#include "entry/entry.h"
#include "wire/cut.h"

/*
 * The writer goes through the bytes of an entry and, where something that has
 * a substitution may begin, tries it: reads the numbers, writes down what the
 * reader would put back, and compares.  Only where the two are the same is
 * anything left out.  So an entry that is not as ours are, or not JSON at all,
 * costs bytes and nothing else.
 */

/* What the reader would put back stands at `at`. */
static bool
stands(struct bytes at, const uint8_t *text, size_t len)
{
	return len > 0 && at.len >= len && memcmp(at.p, text, len) == 0;
}

static struct bytes
skip(struct bytes at, size_t n)
{
	return bytes_of(at.p + n, at.len - n);
}

static size_t
try_place(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	uint8_t text[CUT_TEXT_MAX];
	size_t n = cut_place(text, l->e.chain, l->e.seq);

	if (!stands(at, text, n) || !cut_use(&l->e, CUT_PLACE))
		return 0;
	*b = CUT_PLACE;
	return n;
}

static size_t
try_body(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	uint8_t text[CUT_TEXT_MAX];
	size_t n = cut_named_hex(text, "body", l->body, HASH_LEN);

	/* Behind the LF it would have to hold its own hash. */
	if (!l->has_body || (l->e.used & 1u << CUT_LF) != 0 ||
	    !stands(at, text, n) || !cut_use(&l->e, CUT_BODY))
		return 0;
	*b = CUT_BODY;
	return n;
}

/* The number behind the first "wall": of the entry. */
static bool
find_wall(const struct cut_line *l, uint64_t *out)
{
	static const char name[] = "\"wall\":";
	const uint8_t *p = memmem(l->src.p, l->src.len, name, sizeof(name) - 1);

	if (p == NULL)
		return false;
	p += sizeof(name) - 1;
	return cut_scan_uint(
	    bytes_of(p, (size_t)(l->src.p + l->src.len - p)), out);
}

/* The wall of the entry at hand, to ctl unless it went there already. */
static void
put_wall(struct cut_line *l, uint64_t wall)
{
	if (l->e.has_wall)
		return;
	cut_wall_take(&l->w->run, &l->e, wall);
	buf_varint(l->w->ctl, zigzag(l->e.wall_step));
}

static size_t
try_boot(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	struct cut_run *run = &l->w->run;
	uint8_t text[CUT_TEXT_MAX], boot[BOOT_LEN];
	size_t n;

	if (at.len < 8 || !cut_scan_hex(boot, BOOT_LEN, skip(at, 8)))
		return 0;
	n = cut_named_hex(text, "boot", boot, BOOT_LEN);
	if (!stands(at, text, n) || !cut_use(&l->e, CUT_BOOT))
		return 0;
	if (run->has_boot && memcmp(run->boot, boot, BOOT_LEN) == 0) {
		*b = CUT_BOOT;
		return n;
	}
	run->has_boot = true;
	memcpy(run->boot, boot, BOOT_LEN);
	buf_add(l->w->raw, boot, BOOT_LEN);
	*b = CUT_BOOT_NEW;
	return n;
}

/* "after" of one id, where that is the record's latest entry in the run. */
static size_t
try_after(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	struct cut_writer *w = l->w;
	uint8_t text[CUT_TEXT_MAX];
	uint32_t last;
	size_t n;

	if (l->e.rec == CUT_NONE)
		return 0;
	last = w->run.rec[l->e.rec].last;
	if (last == CUT_NONE)
		return 0;
	n = cut_after(text, w->id[last]);
	if (!stands(at, text, n) || !cut_use(&l->e, CUT_AFTER))
		return 0;
	*b = CUT_AFTER;
	return n;
}

static size_t
try_at(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	struct cut_writer *w = l->w;
	uint8_t text[CUT_TEXT_MAX];
	const uint8_t *end;
	uint64_t wall = l->e.wall;
	int64_t t;
	int offset;
	size_t n;

	if (at.len < 6 || memcmp(at.p, "\"at\":\"", 6) != 0 ||
	    (!l->e.has_wall && !find_wall(l, &wall)))
		return 0;
	at = skip(at, 6);
	end = at.len == 0 ? NULL : memchr(at.p, '"', at.len);
	if (end == NULL ||
	    at_parse(&t, &offset, bytes_of(at.p, (size_t)(end - at.p))) !=
		ST_OK ||
	    t < 0)
		return 0;
	n = cut_at(&w->run, text, (uint64_t)t, offset);
	at = bytes_of(at.p - 6, at.len + 6);
	if (!stands(at, text, n) || !cut_use(&l->e, CUT_AT))
		return 0;
	put_wall(l, wall);
	buf_varint(w->ctl, zigzag((uint64_t)(offset - w->run.offset)));
	buf_varint(w->ctl, zigzag(wall - (uint64_t)t));
	w->run.offset = offset;
	*b = CUT_AT;
	return n;
}

static size_t
try_wall(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	uint8_t text[CUT_TEXT_MAX];
	uint64_t wall;
	size_t n;

	if (at.len < 7 || !cut_scan_uint(skip(at, 7), &wall) ||
	    (l->e.has_wall && l->e.wall != wall))
		return 0;
	n = cut_named_uint(text, "wall", wall);
	if (!stands(at, text, n) || !cut_use(&l->e, CUT_WALL))
		return 0;
	put_wall(l, wall);
	*b = CUT_WALL;
	return n;
}

static size_t
try_mono(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	struct cut_run *run = &l->w->run;
	uint8_t text[CUT_TEXT_MAX];
	uint64_t mono;
	size_t n;

	if (at.len < 7 || !cut_scan_uint(skip(at, 7), &mono))
		return 0;
	n = cut_named_uint(text, "mono", mono);
	if (!stands(at, text, n) || !cut_use(&l->e, CUT_MONO))
		return 0;
	buf_varint(l->w->ctl, zigzag(mono - cut_mono_expect(run, &l->e)));
	run->mono = mono;
	run->has_mono = true;
	*b = CUT_MONO;
	return n;
}

static size_t
try_salt(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	uint8_t text[CUT_TEXT_MAX], salt[SALT_LEN];
	size_t n;

	if (at.len < 8 || !cut_scan_hex(salt, SALT_LEN, skip(at, 8)))
		return 0;
	n = cut_named_hex(text, "salt", salt, SALT_LEN);
	if (!stands(at, text, n) || !cut_use(&l->e, CUT_SALT))
		return 0;
	buf_add(l->w->raw, salt, SALT_LEN);
	*b = CUT_SALT;
	return n;
}

/* A record that is new in the run: most were made not long before. */
static enum cut_byte
put_rec_new(struct cut_line *l, const uint8_t id[ID_LEN])
{
	/* As a varint of five bytes: beyond it there is nothing to gain. */
	const uint64_t far = UINT64_C(1) << 35;
	uint64_t wall = l->e.wall, before;

	if (!l->e.has_wall && !find_wall(l, &wall)) {
		buf_add(l->w->raw, id, ID_LEN);
		return CUT_REC_NEW;
	}
	before = zigzag(wall - cut_rec_time(id));
	if (before >= far) {
		buf_add(l->w->raw, id, ID_LEN);
		return CUT_REC_NEW;
	}
	put_wall(l, wall);
	buf_varint(l->w->ctl, before);
	buf_add(l->w->raw, id + ID_LEN - CUT_REC_REST, CUT_REC_REST);
	return CUT_REC_TIME;
}

static size_t
try_rec(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	struct cut_run *run = &l->w->run;
	uint8_t text[CUT_TEXT_MAX], id[ID_LEN];
	uint32_t i = run->rec_count;
	size_t n;

	if (at.len < 7 || !cut_scan_uuid(id, skip(at, 7)))
		return 0;
	n = cut_rec(text, id);
	if (!stands(at, text, n) || !cut_use(&l->e, CUT_REC))
		return 0;
	while (i > 0 && memcmp(run->rec[i - 1].id, id, ID_LEN) != 0)
		i--;
	if (i == 0) {
		/* One record an entry: there is always room. */
		bool added = cut_rec_add(run, id);

		assert(added);
		*b = put_rec_new(l, id);
		i = run->rec_count;
	} else if (i - 1 == run->rec_now) {
		*b = CUT_REC;
	} else {
		buf_varint(l->w->ctl, i - 1);
		*b = CUT_REC_KNOWN;
	}
	cut_rec_take(run, &l->e, i - 1);
	return n;
}

/* How many places back the entry of this id stands; 0 for link(n-1). */
static bool
find_id(const struct cut_writer *w, const uint8_t id[ID_LEN], uint32_t *k)
{
	if (memcmp(w->prev, id, ID_LEN) == 0) {
		*k = 0;
		return true;
	}
	for (uint32_t i = w->run.index; i > 0; i--) {
		if (memcmp(w->id[i - 1], id, ID_LEN) == 0) {
			*k = w->run.index - (i - 1);
			return true;
		}
	}
	return false;
}

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Any other binary value written as hex: 16 bytes, 32 bytes, a UUID. */
static size_t
try_hex(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	uint8_t raw[HASH_LEN];
	size_t run = 0;
	uint32_t k;

	while (run < at.len && run <= 2 * HASH_LEN && is_hex(at.p[run]))
		run++;
	if (run == 8 && cut_scan_uuid(raw, at)) {
		buf_add(l->w->raw, raw, ID_LEN);
		*b = CUT_UUID;
		return REC_LEN;
	}
	if (run == 2 * HASH_LEN && cut_scan_hex(raw, HASH_LEN, at)) {
		buf_add(l->w->raw, raw, HASH_LEN);
		*b = CUT_HEX32;
		return run;
	}
	if (run != 2 * ID_LEN || !cut_scan_hex(raw, ID_LEN, at))
		return 0;
	if (find_id(l->w, raw, &k)) {
		buf_varint(l->w->ctl, k);
		*b = CUT_ID;
	} else {
		buf_add(l->w->raw, raw, ID_LEN);
		*b = CUT_HEX16;
	}
	return run;
}

static size_t
try_court(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	const struct cut_run *run = &l->w->run;

	if (!stands(at, run->court, run->court_len) ||
	    !cut_use(&l->e, CUT_COURT))
		return 0;
	*b = CUT_COURT;
	return run->court_len;
}

static size_t
try_name(struct cut_line *l, struct bytes at, enum cut_byte *b)
{
	if (at.len < 3)
		return 0;
	switch (at.p[1]) {
	case 'a':
		return at.p[2] == 't' ? try_at(l, at, b) : try_after(l, at, b);
	case 'b':
		return at.len > 3 && at.p[3] == 'd' ? try_body(l, at, b)
						    : try_boot(l, at, b);
	case 'c':
		return try_place(l, at, b);
	case 'm':
		return try_mono(l, at, b);
	case 'r':
		return try_rec(l, at, b);
	case 's':
		return try_salt(l, at, b);
	case 'w':
		return try_wall(l, at, b);
	default:
		return 0;
	}
}

size_t
cut_try(struct cut_line *l, size_t i, enum cut_byte *b)
{
	struct bytes at = skip(l->src, i);
	uint8_t c = at.p[0];

	if (c == '"')
		return try_name(l, at, b);
	if (c == '{')
		return try_court(l, at, b);
	if (is_hex(c) && (i == 0 || !is_hex(at.p[-1])))
		return try_hex(l, at, b);
	return 0;
}
