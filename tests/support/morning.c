#include "support/morning.h"

#include <stdio.h>
#include <string.h>

#include "entry/chain.h"
#include "entry/entry.h"
#include "support/expect.h"
#include "support/morning_kinds.h"
#include "support/morning_words.h"

enum { FIELDS_MAX = 16 };

/* 2026-03-01T04:30:00 by the clock of Xuzhou. */
#define MORNING_START_MS UINT64_C(1772310600000)

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t
next64(struct morning *m)
{
	uint64_t z = m->rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t
morning_rand(struct morning *m, uint64_t below)
{
	return next64(m) % below;
}

void
morning_bytes(struct morning *m, void *out, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)next64(m);
}

static int
number(struct morning *m, int below)
{
	return (int)morning_rand(m, (uint64_t)below);
}

static const char *
pick(struct morning *m, morning_list list)
{
	size_t n = 0;

	while (list[n] != NULL)
		n++;
	return list[morning_rand(m, n)];
}

/* One of the words of a list parted by spaces. */
static struct bytes
pick_word(struct morning *m, const char *words)
{
	struct bytes word[32];
	size_t n = 0;

	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		EXPECT(n < 32);
		word[n++] = bytes_of(words, len);
		words += len + (words[len] == ' ');
	}
	return word[morning_rand(m, n)];
}

void
morning_init(struct morning *m, uint64_t seed, enum morning_words words)
{
	*m = (struct morning){ .rng = seed, .words = words };
	m->court = pick(m, morning_text[words].court);
	m->by = pick(m, morning_text[words].officer);
	morning_bytes(m, m->chain, CHAIN_LEN);
	morning_bytes(m, m->boot, BOOT_LEN);
	morning_bytes(m, m->link, HASH_LEN);
	m->wall = MORNING_START_MS + morning_rand(m, 7776000000);
	m->mono = 60000 + morning_rand(m, 400000000);
}

/*
 * One drawn number in a format.  Each call draws once: the order in which C
 * evaluates arguments is the compiler's.
 */
#define PUT(m, out, fmt, below, plus)                                          \
	buf_printf((out), fmt, (plus) + number((m), (below)))

/* A sentence or two, with a figure in it now and then. */
static void
put_sentence(struct morning *m, struct buf *out)
{
	const struct morning_text *t = &morning_text[m->words];
	int words = 3 + number(m, 9);

	/* Half of it is stock phrases, half is said once. */
	if (number(m, 2) == 0)
		buf_str(out, pick(m, t->sentence));
	else
		for (int i = 0; i < words; i++)
			buf_str(out, pick(m, t->word));
	if (number(m, 4) == 0) {
		buf_str(out, pick(m, t->object));
		PUT(m, out, "%d", 40, 2);
	}
}

static void
put_case(struct morning *m, struct buf *out)
{
	PUT(m, out, "（%d）苏", 4, 2023);
	PUT(m, out, "03%02d执", 24, 1);
	if (number(m, 4) == 0)
		buf_str(out, "恢");
	PUT(m, out, "%d号", 9000, 1);
}

static void
put_citizen(struct morning *m, struct buf *out)
{
	PUT(m, out, "3203%02d19", 20, 2);
	PUT(m, out, "%02d", 50, 50);
	PUT(m, out, "%02d", 12, 1);
	PUT(m, out, "%02d", 28, 1);
	PUT(m, out, "%04d", 10000, 0);
}

static void
put_time(struct morning *m, struct buf *out)
{
	uint64_t ago = 60000 * morning_rand(m, 40);
	char at[32];

	at_format(at, m->wall / 60000 * 60000 - ago, 480);
	buf_str(out, at);
}

static void
put_name(struct morning *m, struct buf *out)
{
	buf_str(out, pick(m, morning_text[m->words].surname));
	buf_str(out, pick(m, morning_text[m->words].given));
}

static void
put_number(struct morning *m, enum morning_type type, struct buf *out)
{
	switch (type) {
	case MORNING_DOC:
		PUT(m, out, "%c", 26, 'A');
		PUT(m, out, "%c", 26, 'A');
		PUT(m, out, "-%d", 90000, 1000);
		break;
	case MORNING_DATE:
		PUT(m, out, "20%02d-", 5, 24);
		PUT(m, out, "%02d-", 12, 1);
		PUT(m, out, "%02d", 28, 1);
		break;
	case MORNING_MONEY:
		PUT(m, out, "%d.", 90000, 0);
		PUT(m, out, "%d0", 10, 0);
		break;
	case MORNING_LAT:
		PUT(m, out, "34.%06d", 200000, 180000);
		break;
	case MORNING_LON:
		PUT(m, out, "117.%06d", 300000, 100000);
		break;
	case MORNING_PHONE:
		PUT(m, out, "1%d", 69, 30);
		PUT(m, out, "%08d", 100000000, 0);
		break;
	case MORNING_PLATE:
		PUT(m, out, "苏C%c", 26, 'A');
		PUT(m, out, "%04d", 10000, 0);
		break;
	default:
		fail_msg("no such type");
	}
}

static void
put_text(struct morning *m, enum morning_type type, struct buf *out)
{
	const struct morning_text *t = &morning_text[m->words];

	switch (type) {
	case MORNING_SENTENCE:
		put_sentence(m, out);
		break;
	case MORNING_NAME:
		put_name(m, out);
		break;
	case MORNING_OFFICER:
		buf_str(out, pick(m, t->officer));
		break;
	case MORNING_CASE:
		put_case(m, out);
		break;
	case MORNING_TIME:
		put_time(m, out);
		break;
	case MORNING_ADDRESS:
		buf_str(out, pick(m, t->street));
		break;
	case MORNING_CITIZEN:
		put_citizen(m, out);
		break;
	case MORNING_OBJECT:
		buf_str(out, pick(m, t->object));
		break;
	case MORNING_UNIT:
		buf_str(out, pick(m, t->unit));
		break;
	default:
		put_number(m, type, out);
	}
}

static void
put_value(struct morning *m, const struct morning_field *f, struct buf *out)
{
	if (f->type == MORNING_BOOL) {
		buf_str(out, number(m, 4) > 0 ? "true" : "false");
	} else if (f->type == MORNING_INT) {
		PUT(m, out, "%d", 30, 1);
	} else {
		buf_u8(out, '"');
		if (f->type == MORNING_ENUM)
			buf_bytes(out, pick_word(m, f->options));
		else
			put_text(m, f->type, out);
		buf_u8(out, '"');
	}
}

/* What one entry says, being put together. */
struct act {
	enum verb verb;
	struct buf on[FIELDS_MAX];
	size_t on_count;
	struct buf data, more;
	const char *reason;
};

static void
act_init(struct act *a, enum verb verb)
{
	*a = (struct act){ .verb = verb, .reason = "" };
	for (size_t i = 0; i < FIELDS_MAX; i++)
		buf_init(&a->on[i], PATH_BYTES_MAX);
	buf_init(&a->data, ENTRY_BYTES_MAX);
	buf_init(&a->more, ENTRY_BYTES_MAX);
	buf_u8(&a->data, '[');
}

static void
act_free(struct act *a)
{
	for (size_t i = 0; i < FIELDS_MAX; i++)
		buf_free(&a->on[i]);
	buf_free(&a->data);
	buf_free(&a->more);
}

/* Begin the next name; its value is to follow in `data`. */
static struct buf *
act_name(struct act *a)
{
	EXPECT(a->on_count < FIELDS_MAX);
	if (a->on_count > 0)
		buf_u8(&a->data, ',');
	return &a->on[a->on_count++];
}

/* `count` fields in the order of the kind, from a random one on. */
static void
add_fields(struct morning *m, struct act *a, const struct morning_field *f,
    struct bytes before, size_t count)
{
	size_t have = 0, from;

	while (f[have].path != NULL)
		have++;
	if (count > have)
		count = have;
	from = morning_rand(m, have - count + 1);
	for (size_t i = 0; i < count; i++) {
		struct buf *name = act_name(a);

		buf_bytes(name, before);
		buf_str(name, f[from + i].path);
		put_value(m, &f[from + i], &a->data);
	}
}

/* items/@ID, with what comes behind it. */
static void
put_item(struct buf *out, const struct morning_record *r, size_t i,
    const char *behind)
{
	buf_printf(out, "%s/@", r->kind->list);
	buf_hex(out, bytes_of(r->item[i], ID_LEN));
	buf_str(out, behind);
}

static void
make_sign(struct morning *m, struct act *a, const struct morning_record *r)
{
	uint8_t shown[HASH_LEN];

	a->verb = DO_SIGN;
	morning_bytes(m, shown, HASH_LEN);
	buf_str(act_name(a), r->kind->part);
	buf_str(&a->data, "null");
	buf_str(&a->more, "{\"shown\":\"");
	buf_hex(&a->more, bytes_of(shown, HASH_LEN));
	buf_printf(&a->more, "\",\"how\":\"%s\",\"person\":\"",
	    number(m, 4) > 0 ? "signed" : "refused");
	put_name(m, &a->more);
	buf_str(&a->more, "\"}");
}

/* What an officer does next with a record. */
static void
make_act(struct morning *m, struct act *a, struct morning_record *r)
{
	const struct morning_kind *k = r->kind;
	size_t item = r->item_count == 0 ? 0 : morning_rand(m, r->item_count);
	struct buf before;
	int what = number(m, 12);

	buf_init(&before, PATH_BYTES_MAX);
	if (r->steps == 0) {
		a->verb = DO_OPEN;
		add_fields(
		    m, a, k->field, buf_view(&before), 3 + morning_rand(m, 6));
	} else if (k->list != NULL && r->item_count < 8 && what < 4) {
		a->verb = DO_ADD;
		buf_str(act_name(a), k->list);
		buf_str(&a->data, "null");
		add_fields(
		    m, a, k->item, buf_view(&before), 2 + morning_rand(m, 4));
	} else if (r->item_count > 0 && what < 6) {
		put_item(&before, r, item, "/");
		add_fields(
		    m, a, k->item, buf_view(&before), 1 + morning_rand(m, 3));
	} else if (k->part != NULL && what == 6) {
		make_sign(m, a, r);
	} else if (what == 7) {
		a->verb = DO_ADVANCE;
		buf_bytes(act_name(a), pick_word(m, k->status));
		buf_str(&a->data, "null");
	} else if (what == 8) {
		a->verb = DO_AMEND;
		a->reason = pick(m, morning_text[m->words].reason);
		add_fields(m, a, k->field, buf_view(&before), 1);
	} else {
		add_fields(
		    m, a, k->field, buf_view(&before), 1 + morning_rand(m, 4));
	}
	buf_u8(&a->data, ']');
	buf_free(&before);
}

/* The record that the officer turns to: mostly the one at hand. */
static struct morning_record *
turn_to(struct morning *m)
{
	const struct morning_kind *k = morning_kinds;
	struct morning_record *r;
	uint8_t rnd[10];
	int weight = number(m, 18);

	if (m->record_count > 0 && number(m, 8) > 0) {
		r = &m->record[m->record_count - 1];
		if (number(m, 4) == 0)
			r = &m->record[morning_rand(m, m->record_count)];
		if (r->steps < r->kind->steps)
			return r;
	}
	while (weight >= (int)k->weight)
		weight -= (int)(k++)->weight;
	EXPECT(k->id != NULL);
	if (m->record_count == MORNING_RECORDS_MAX) {
		memmove(m->record, m->record + 1,
		    sizeof(m->record) - sizeof(m->record[0]));
		m->record_count--;
	}
	r = &m->record[m->record_count++];
	*r = (struct morning_record){ .kind = k };
	morning_bytes(m, rnd, sizeof(rnd));
	rec_new(r->rec, m->wall, rnd);
	return r;
}

static void
pass_time(struct morning *m)
{
	uint64_t step = 3000 + morning_rand(m, 90000);

	m->wall += step;
	/* The clock of the day drifts a little and is set now and then. */
	m->mono += step + morning_rand(m, 3);
	if (number(m, 200) == 0)
		m->wall -= 2000;
	if (number(m, 300) == 0) {
		morning_bytes(m, m->boot, BOOT_LEN);
		m->mono = 20000 + morning_rand(m, 30000);
	}
}

/* Where the entry stands, and what it says, in the bytes of an entry. */
static void
write_act(struct morning *m, struct morning_record *r, const struct act *a,
    struct buf *out)
{
	struct bytes on[FIELDS_MAX];
	char at[32];
	const char *why = "";
	struct entry_new n = { .court = m->court,
		.seq = m->seq + 1,
		.rec = r->rec,
		.kind = r->kind->id,
		.by = m->by,
		.at = at,
		.verb = a->verb,
		.on = on,
		.on_count = a->on_count,
		.wall = m->wall,
		.mono = m->mono,
		.after = (const uint8_t(*)[ID_LEN]) & r->last,
		.after_count = r->steps > 0,
		.has_seen = number(m, 40) == 0,
		.dev = m->seq == 0 ? "abcdefghijklmnopqrstuvwxya" : NULL,
		.data = buf_view(&a->data),
		.reason = bytes_str(a->reason),
		.more = buf_view(&a->more) };

	for (size_t i = 0; i < a->on_count; i++)
		on[i] = buf_view(&a->on[i]);
	at_format(at, m->wall, 480);
	memcpy(n.chain, m->chain, CHAIN_LEN);
	memcpy(n.boot, m->boot, BOOT_LEN);
	morning_bytes(m, n.salt, SALT_LEN);
	n.seen_size = 1000 + morning_rand(m, 5000000);
	morning_bytes(m, n.seen_root, ID_LEN);
	if (entry_write(&n, out, &why) != ST_OK)
		fail_msg("morning: %s", why);
}

void
morning_next(struct morning *m, struct buf *out)
{
	struct morning_record *r = turn_to(m);
	uint8_t digest[HASH_LEN];
	size_t from = out->len;
	struct act a;

	pass_time(m);
	act_init(&a, DO_SET);
	make_act(m, &a, r);
	write_act(m, r, &a, out);
	m->seq++;
	entry_digest(digest, bytes_of(out->p + from, out->len - from));
	chain_link(m->link, m->link, m->seq, digest);
	memcpy(r->last, m->link, ID_LEN);
	if (a.verb == DO_ADD)
		memcpy(r->item[r->item_count++], m->link, ID_LEN);
	r->steps++;
	act_free(&a);
}
