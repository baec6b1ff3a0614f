/*
 * The bytes of the input drive a small history: verbs, names, clocks, who
 * knows whom, what is withheld, bare or handed in twice.  The state is the same
 * forwards, backwards with repeats, and folded half by half with hardly any
 * room for pasts.
 *
 * The first byte may ask for ids that are none: a few fixed ones, which collide
 * and know each other in circles, as nobody could write them.
 */
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/merge_impl.h"
#include "fuzz/fuzz.h"

enum { ENTRIES_MAX = 48, NAMES_MAX = 3 };

struct line {
	struct buf raw;
	size_t head_len;
	uint8_t id[ID_LEN];
	bool blind, bare, server;
	char item[PATH_BYTES_MAX + 1]; /* that it adds, or "" */
};

static struct line line[ENTRIES_MAX];
static size_t count;
static struct merge *m;
static struct buf first, again;

/* Bytes of the input; zeroes behind its end. */
struct tape {
	const uint8_t *p;
	size_t left;
};

static uint8_t
next(struct tape *t)
{
	if (t->left == 0)
		return 0;
	t->left--;
	return *t->p++;
}

/* ---- writing a line */

static const char *const fields[] = { "a", "a/b", "ab", "list" };
static const char *const values[] = { "null", "1", "\"\"", "\"\\n\\u00e9\"" };

/* Any path: a field, a list, something in or under an item, an act. */
static void
path_of(struct tape *t, char *out, size_t len)
{
	uint8_t how = next(t);
	const char *field = fields[how & 3];
	size_t of = count > 0 ? next(t) % count : 0;
	char hex[2 * ID_LEN + 1];

	hex_encode(hex, bytes_of(line[of].id, ID_LEN));
	switch (how >> 2 & 7) {
	case 0:
	case 1:
		(void)snprintf(out, len, "%s", field);
		break;
	case 2:
		(void)snprintf(out, len, "%s/@%s", field, hex);
		break;
	case 3:
		(void)snprintf(out, len, "@%s", hex);
		break;
	case 4:
		(void)snprintf(out, len, "%s", line[of].item);
		break;
	case 5:
		(void)snprintf(out, len, "%.200s/%s", line[of].item, field);
		break;
	case 6:
		(void)snprintf(out, len, "%s", hex);
		break;
	default:
		out[0] = '\0';
		break;
	}
}

/* Names that the verb cannot do without. */
static void
suit(enum verb verb, struct tape *t, char name[NAMES_MAX][256], size_t *n)
{
	static const char *const words[] = { "draft", "closed", "none" };

	switch (verb) {
	case DO_ADVANCE:
		(void)snprintf(name[0], 256, "%s", words[next(t) % 3]);
		*n = 1;
		break;
	case DO_LINK:
		(void)snprintf(name[0], 256,
		    "01890a5d-ac96-774b-bcce-b302099a800%c", '0' + next(t) % 3);
		(void)snprintf(name[1], 256, "%s", words[next(t) % 3]);
		*n = 2;
		break;
	case DO_VOID:
	case DO_PRINT:
		name[0][0] = '\0';
		*n = 1;
		break;
	case DO_ADD:
		(void)snprintf(name[1], 256, "%s", fields[next(t) & 3]);
		*n = 1 + (next(t) & 1);
		break;
	case DO_ATTACH:
	case DO_NOTE:
	case DO_APPROVE:
		*n = 1;
		break;
	default:
		break;
	}
}

static const char *
data_of(enum verb verb, struct tape *t)
{
	switch (verb) {
	case DO_OPEN:
	case DO_SET:
	case DO_AMEND:
		return values[next(t) & 3];
	case DO_NOTE:
		return "\"x\"";
	case DO_APPROVE:
		return "true";
	case DO_ATTACH:
		return "\"00000000000000000000000000000000000000000000000000000"
		       "00000000000\"";
	default:
		return "null";
	}
}

static void
put_data(struct buf *out, enum verb verb, size_t n, struct tape *t)
{
	buf_str(out, "[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_str(out, ",");
		buf_str(out, verb == DO_ADD && i > 0 ? values[next(t) & 3]
						     : data_of(verb, t));
	}
	buf_str(out, "]");
}

static size_t
after_of(struct tape *t, uint8_t (*after)[ID_LEN])
{
	uint8_t mask = next(t);
	size_t n = 0;

	/* Of the last eight, those whose bit is set; an unknown one. */
	for (size_t k = 0; k < 8 && k < count; k++) {
		if ((mask >> k & 1) != 0)
			memcpy(after[n++], line[count - 1 - k].id, ID_LEN);
	}
	if (next(t) % 16 == 1) {
		memset(after[n], next(t), ID_LEN);
		n++;
	}
	return n;
}

/* What a sign states: what is to be shown now, or something else. */
static void
put_more(struct buf *out, enum verb verb, const struct bytes *on, size_t n,
    struct tape *t)
{
	uint8_t hash[HASH_LEN] = { 0 };

	if (verb != DO_SIGN)
		return;
	if (next(t) % 4 != 0 && merge_run(m) == ST_OK)
		CHECK(merge_shown(m, bytes_str("k@1"), on, n, hash) == ST_OK);
	buf_str(out, "{\"shown\":");
	json_put_hex(out, bytes_of(hash, HASH_LEN));
	buf_str(out, ",\"how\":\"signed\"}");
}

static enum status
add(struct line *l)
{
	struct bytes raw = buf_view(&l->raw);
	unsigned flags = 0;

	if (l->blind)
		raw.len = l->head_len;
	if (l->bare)
		flags |= MERGE_BARE;
	if (l->server)
		flags |= MERGE_SERVER;
	return merge_add(m, l->id, raw, flags);
}

static void
take(struct tape *t, bool odd)
{
	char name[NAMES_MAX][256];
	struct bytes on[NAMES_MAX];
	uint8_t after[16][ID_LEN], how = next(t), id[HASH_LEN];
	struct line *l = &line[count];
	struct buf data, more;
	const char *why;
	size_t n = 1 + next(t) % NAMES_MAX;
	enum verb verb = (enum verb)(1 + how % (DO_COUNT - 1));

	buf_init(&data, ENTRY_BYTES_MAX);
	buf_init(&more, ENTRY_BYTES_MAX);
	for (size_t i = 0; i < n; i++)
		path_of(t, name[i], sizeof(name[i]));
	suit(verb, t, name, &n);
	for (size_t i = 0; i < n; i++)
		on[i] = bytes_str(name[i]);
	put_data(&data, verb, n, t);
	put_more(&more, verb, on, n, t);
	struct entry_new e = { .court = "c",
		.seq = 2 + count,
		.rec = "01890a5d-ac96-774b-bcce-b302099a8057",
		.kind = next(t) % 8 == 1 ? "l@2" : "k@1",
		.by = "x",
		.at = "2025-04-01T05:00:01Z",
		.verb = verb,
		.on = on,
		.on_count = n,
		.wall = next(t),
		.after = (const uint8_t(*)[ID_LEN])after,
		.after_count = after_of(t, after),
		.data = buf_view(&data),
		.reason = bytes_str("r"),
		.more = buf_view(&more) };
	buf_reset(&l->raw);
	if (entry_write(&e, &l->raw, &why) != ST_OK)
		goto out; /* names that do not suit */
	l->head_len =
	    (size_t)((uint8_t *)memchr(l->raw.p, '\n', l->raw.len) - l->raw.p);
	how = next(t);
	l->blind = how % 8 == 1;
	l->bare = how % 16 == 2;
	l->server = how % 4 != 3;
	if (odd && how % 32 == 4)
		l->raw.p[6] ^= 1; /* the head says another `v`, or nothing */
	sha256(id, bytes_of(l->raw.p, l->head_len));
	if (odd)
		memset(id, how & 7, ID_LEN);
	memcpy(l->id, id, ID_LEN);
	l->item[0] = '\0';
	if (verb == DO_ADD) {
		char hex[2 * ID_LEN + 1];

		hex_encode(hex, bytes_of(l->id, ID_LEN));
		(void)snprintf(
		    l->item, sizeof(l->item), "%.200s/@%s", name[0], hex);
	}
	CHECK(add(l) == ST_OK);
	count++;
out:
	buf_free(&data);
	buf_free(&more);
}

/* ---- folding */

static enum status
fold(struct buf *out)
{
	enum status st = merge_run(m);

	buf_reset(out);
	if (st != ST_OK)
		return st;
	CHECK(merge_state(m, out) == ST_OK);
	return ST_OK;
}

static void
expect_same(enum status st, enum status want)
{
	CHECK(st == want);
	CHECK(bytes_eq(buf_view(&again), buf_view(&first)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tape t = { data, size };
	enum status want;
	bool odd;

	if (m == NULL) {
		CHECK(merge_new(&m) == ST_OK);
		buf_init(&first, JSON_BYTES_MAX);
		buf_init(&again, JSON_BYTES_MAX);
		for (size_t i = 0; i < ENTRIES_MAX; i++)
			buf_init(&line[i].raw, ENTRY_BYTES_MAX);
	}
	merge_reset(m);
	m->past_max = MERGE_PAST_MAX;
	count = 0;
	odd = next(&t) % 4 == 3;
	while (t.left > 0 && count < ENTRIES_MAX)
		take(&t, odd);
	if (count == 0)
		return 0;
	want = fold(&first);
	CHECK(
	    want == ST_OK || want == ST_ABSENT || (odd && want == ST_CORRUPT));

	merge_reset(m);
	for (size_t i = count; i-- > 0;) {
		CHECK(add(&line[i]) == ST_OK);
		if (i % 3 == 0)
			CHECK(add(&line[(i * 7) % count]) == ST_OK);
	}
	expect_same(fold(&again), want);

	merge_reset(m);
	m->past_max = size % 16;
	for (size_t i = 0; i < count; i += 2)
		CHECK(add(&line[i]) == ST_OK);
	(void)fold(&again);
	for (size_t i = 1; i < count; i += 2)
		CHECK(add(&line[i]) == ST_OK);
	expect_same(fold(&again), want);
	return 0;
}
