#include "support/morning.h"

#include <stdio.h>
#include <string.h>

#include "entry/chain.h"
#include "entry/entry.h"
#include "support/expect.h"
#include "support/morning_words.h"

enum { FIELDS_MAX = 32 };

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
put_doc(struct morning *m, struct buf *out)
{
	if (number(m, 2) == 0) {
		PUT(m, out, "（%d）苏", 4, 2023);
		PUT(m, out, "03%02d司", 24, 1);
		PUT(m, out, "%d号", 300, 1);
		return;
	}
	PUT(m, out, "%c", 26, 'A');
	PUT(m, out, "%c", 26, 'A');
	PUT(m, out, "-%d", 90000, 1000);
}

static void
put_letters(struct morning *m, struct buf *out, size_t count)
{
	static const char set[] = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ";

	for (size_t i = 0; i < count; i++)
		buf_u8(out, (uint8_t)set[morning_rand(m, sizeof(set) - 1)]);
}

static void
put_words(struct morning *m, struct buf *out)
{
	int count = 1 + number(m, 3);

	for (int i = 0; i < count; i++)
		buf_str(out, pick(m, morning_text[m->words].word));
}

/* Text of a field by what it is called. */
static void
put_plain(struct morning *m, const struct kind_field *f, struct buf *out)
{
	const struct morning_text *t = &morning_text[m->words];

	if (strstr(f->path, "court") != NULL || strstr(f->path, "unit") != NULL)
		buf_str(out, pick(m, t->unit));
	else if (f->list != NULL && strcmp(f->path, "name") == 0 &&
		 (strcmp(f->list->path, "items") == 0 ||
		     strcmp(f->list->path, "goods") == 0))
		buf_str(out, pick(m, t->object));
	else if (strstr(f->path, "name") != NULL)
		put_name(m, out);
	else
		put_words(m, out);
}

static void
put_figures(struct morning *m, enum kind_type type, struct buf *out)
{
	switch (type) {
	case KIND_DATE:
		PUT(m, out, "20%02d-", 5, 24);
		PUT(m, out, "%02d-", 12, 1);
		PUT(m, out, "%02d", 28, 1);
		break;
	case KIND_MONEY:
		PUT(m, out, "%d.", 90000, 0);
		PUT(m, out, "%d0", 10, 0);
		break;
	case KIND_LAT:
		PUT(m, out, "34.%06d", 200000, 180000);
		break;
	case KIND_LON:
		PUT(m, out, "117.%06d", 300000, 100000);
		break;
	case KIND_DECIMAL:
		PUT(m, out, "%d.", 200, 0);
		PUT(m, out, "%d", 9, 1);
		break;
	case KIND_PHONE:
		PUT(m, out, "1%d", 69, 30);
		PUT(m, out, "%08d", 100000000, 0);
		break;
	case KIND_PLATE:
		PUT(m, out, "苏C%c", 26, 'A');
		PUT(m, out, "%04d", 10000, 0);
		break;
	case KIND_VIN:
		put_letters(m, out, 17);
		break;
	case KIND_ORG_CODE:
		buf_str(out, "913203");
		put_letters(m, out, 12);
		break;
	default:
		fail_msg("morning: no such type");
	}
}

static void
put_text(struct morning *m, const struct kind_field *f, struct buf *out)
{
	const struct morning_text *t = &morning_text[m->words];
	uint8_t hash[HASH_LEN];

	switch (f->type) {
	case KIND_TEXT:
		put_plain(m, f, out);
		break;
	case KIND_LONG:
		put_sentence(m, out);
		break;
	case KIND_ENUM:
		buf_str(out, f->options[morning_rand(m, f->option_count)].id);
		break;
	case KIND_OFFICER:
		buf_str(out, pick(m, t->officer));
		break;
	case KIND_CASE_NO:
		put_case(m, out);
		break;
	case KIND_DOC_NO:
		put_doc(m, out);
		break;
	case KIND_DATETIME:
		put_time(m, out);
		break;
	case KIND_ADDRESS:
		buf_str(out, pick(m, t->street));
		break;
	case KIND_CITIZEN_ID:
		put_citizen(m, out);
		break;
	case KIND_ATTACHMENT:
		morning_bytes(m, hash, sizeof(hash));
		buf_hex(out, bytes_of(hash, sizeof(hash)));
		break;
	default:
		put_figures(m, f->type, out);
	}
}

static void
put_value(struct morning *m, const struct kind_field *f, struct buf *out)
{
	switch (f->type) {
	case KIND_BOOL:
		buf_str(out, number(m, 4) > 0 ? "true" : "false");
		break;
	case KIND_INT:
		PUT(m, out, "%d", 15, 1);
		break;
	case KIND_DURATION:
		PUT(m, out, "%d00", 90, 1);
		break;
	case KIND_RECORD:
	case KIND_ITEM:
	case KIND_SIGNATURE:
		buf_str(out, "null");
		break;
	default:
		buf_u8(out, '"');
		put_text(m, f, out);
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

/* `count` fields as they stand together on a screen, from a random one on. */
static void
add_fields(struct morning *m, struct act *a, const struct kind_field *f,
    size_t have, struct bytes before, size_t count)
{
	size_t from;

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

/* items/@ID/ */
static void
put_item(struct buf *out, const struct morning_record *r, size_t i)
{
	buf_printf(out, "%s/@", r->list->path);
	buf_hex(out, bytes_of(r->item[i], ID_LEN));
	buf_u8(out, '/');
}

static void
make_sign(struct morning *m, struct act *a, const struct morning_record *r)
{
	const struct kind_sign *s =
	    &r->kind->signs[morning_rand(m, r->kind->sign_count)];
	uint8_t shown[HASH_LEN];

	a->verb = DO_SIGN;
	morning_bytes(m, shown, HASH_LEN);
	for (size_t i = 0; i < s->part_count && i < FIELDS_MAX; i++) {
		buf_str(act_name(a), s->parts[i]);
		buf_str(&a->data, "null");
	}
	buf_str(&a->more, "{\"shown\":\"");
	buf_hex(&a->more, bytes_of(shown, HASH_LEN));
	buf_printf(&a->more, "\",\"how\":\"%s\",\"person\":\"%s\"}",
	    number(m, 4) > 0 ? "signed" : "refused", s->who);
}

/* What an officer does next with a record. */
static void
make_act(struct morning *m, struct act *a, struct morning_record *r)
{
	const struct kind *k = r->kind;
	const struct kind_list *l = r->list;
	struct bytes none = { NULL, 0 };
	int what = number(m, 12);

	if (r->steps == 0) {
		a->verb = DO_OPEN;
		add_fields(m, a, k->fields, k->field_count, none,
		    2 + morning_rand(m, 6));
	} else if (l != NULL && r->item_count < 8 && what < 4) {
		a->verb = DO_ADD;
		buf_str(act_name(a), l->path);
		buf_str(&a->data, "null");
		add_fields(m, a, l->fields, l->field_count, none,
		    2 + morning_rand(m, 4));
	} else if (r->item_count > 0 && what < 6) {
		struct buf before;

		buf_init(&before, PATH_BYTES_MAX);
		put_item(&before, r, morning_rand(m, r->item_count));
		add_fields(m, a, l->fields, l->field_count, buf_view(&before),
		    1 + morning_rand(m, 3));
		buf_free(&before);
	} else if (k->sign_count > 0 && what == 6) {
		make_sign(m, a, r);
	} else if (k->status_count > 0 && what == 7) {
		a->verb = DO_ADVANCE;
		buf_str(act_name(a),
		    k->status[morning_rand(m, k->status_count)].id);
		buf_str(&a->data, "null");
	} else if (what == 8) {
		a->verb = DO_AMEND;
		a->reason = pick(m, morning_text[m->words].reason);
		add_fields(m, a, k->fields, k->field_count, none, 1);
	} else {
		add_fields(m, a, k->fields, k->field_count, none,
		    1 + morning_rand(m, 4));
	}
	buf_u8(&a->data, ']');
}

/* Loaded once and kept: a day borrows from it. */
static const struct kind *
find_kind(const char *name)
{
	static struct kinds *kinds;
	const struct kind *k;

	if (kinds == NULL)
		EXPECT_OK(kinds_load_builtin(&kinds));
	k = kinds_latest(kinds, bytes_str(name));
	EXPECT(k != NULL);
	return k;
}

static struct morning_record *
begin_record(struct morning *m)
{
	/* How often a kind comes, and how many entries a record gets. */
	static const struct {
		const char *kind, *list;
		int weight;
		unsigned steps;
	} plan[] = {
		{ "scene", "persons", 2, 7 },
		{ "search", "found", 4, 10 },
		{ "seizure", "items", 4, 14 },
		{ "eviction", "goods", 2, 10 },
		{ "detention", "officers", 1, 9 },
		{ "compel", "breaks", 1, 7 },
		{ "stage", NULL, 2, 1 },
		{ "message", NULL, 2, 1 },
	};
	int weight = number(m, 18);
	size_t i = 0;
	struct morning_record *r;
	uint8_t rnd[10];

	while (weight >= plan[i].weight)
		weight -= plan[i++].weight;
	if (m->record_count == MORNING_RECORDS_MAX) {
		memmove(m->record, m->record + 1,
		    sizeof(m->record) - sizeof(m->record[0]));
		m->record_count--;
	}
	r = &m->record[m->record_count++];
	*r = (struct morning_record){ .kind = find_kind(plan[i].kind),
		.steps_max = plan[i].steps };
	if (plan[i].list != NULL) {
		r->list = kind_list(r->kind, bytes_str(plan[i].list));
		EXPECT(r->list != NULL);
	}
	morning_bytes(m, rnd, sizeof(rnd));
	rec_new(r->rec, m->wall, rnd);
	return r;
}

/* The record that the officer turns to: mostly the one at hand. */
static struct morning_record *
turn_to(struct morning *m)
{
	struct morning_record *r;

	if (m->record_count > 0 && number(m, 8) > 0) {
		r = &m->record[m->record_count - 1];
		if (number(m, 4) == 0)
			r = &m->record[morning_rand(m, m->record_count)];
		if (r->steps < r->steps_max)
			return r;
	}
	return begin_record(m);
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
		.dev = m->seq > 0       ? NULL
		       : m->dev != NULL ? m->dev
					: "abcdefghijklmnopqrstuvwxya",
		.data = buf_view(&a->data),
		.reason = bytes_str(a->reason),
		.more = buf_view(&a->more) };

	for (size_t i = 0; i < a->on_count; i++)
		on[i] = buf_view(&a->on[i]);
	at_format(at, m->wall, 480);
	memcpy(n.chain, m->chain, CHAIN_LEN);
	memcpy(n.boot, m->boot, BOOT_LEN);
	morning_bytes(m, n.salt, SALT_LEN);
	n.has_seen = n.has_seen && !m->no_seen;
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
