/*
 * returned_proved: section 9 of a request, what a log that ended had proved to
 * whoever sends it (docs/PROTOCOL.md, section 9).
 *
 * The proof says that it stood in the old log, and nothing of who wrote it: a
 * device's entry is placed in that device's chain, by whose links alone it can
 * be there; what claims to be the centre's counts as such only by the signature
 * of the centre's chain, and then only against somebody.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sort.h"
#include "entry/chain.h"
#include "entry/entry.h"
#include "erase/erase.h"
#include "server/roster/returned.h"
#include "server/roster/unconfirmed.h"

#define FALSE_ALARM "returned_false"

struct known_chain {
	uint8_t chain[CHAIN_LEN];
	struct ingest_device dev;
};

struct proving {
	struct centre *c;
	struct roster *r;
	struct centre_reader *reader;
	struct ingest *in;
	const struct descriptor *now; /* what the court distrusts */
	const char *from;
	struct entry e;
	const struct wire_proved *part; /* at hand … */
	size_t no;                      /* … as ingest knows it */
	uint32_t *leaf; /* owned: its entries that count, by chain and seq */
	size_t count;
	/* Chains that this request begins. */
	struct known_chain *begun; /* owned */
	size_t begun_count;
	/* Devices that this request's words revoke. */
	char (*out)[DEV_LEN + 1]; /* owned */
	size_t out_count;
};

/* ---- what is false */

static enum status
seen(void *arg, const struct store_doc *d)
{
	(void)arg;
	(void)d;
	return ST_OK;
}

/* Once for each device; every try is counted. */
static enum status
alarm_false(struct proving *p)
{
	struct store_doc d = { .sort = bytes_str(FALSE_ALARM),
		.key = bytes_str(p->from),
		.made = port_wall_ms(centre_port(p->c)),
		.doc = bytes_str("{}") };
	enum status st;

	centre_attempt(p->c, FALSE_ALARM, p->from, "{}");
	st = store_doc(
	    centre_reader_store(p->reader), FALSE_ALARM, d.key, seen, NULL);
	if (st != ST_ABSENT)
		return st;
	st = centre_alarm(p->c, FALSE_ALARM, p->from, "{}");
	return st == ST_OK ? centre_put_doc(p->c, &d) : st;
}

/* ---- the centre's words */

/* What this centre makes anew by itself. */
static bool
is_made_anew(const struct entry *e)
{
	static const char *const kinds[] = { "commit@1", "kept@1", "hole@1",
		"recovered@1", "returned@1", "descriptor@1" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (bytes_eq_str(e->kind, kinds[i]))
			return true;
	return bytes_eq_str(e->kind, "scope@1") && e->verb == DO_LINK;
}

static bool
takes_trust_away(struct bytes word)
{
	static const char *const words[] = { "revoked", "lost", "seized",
		"copied", "replaced" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_eq_str(word, words[i]))
			return true;
	return false;
}

static enum status
mark_out(struct proving *p, const char *dev)
{
	char(*bigger)[DEV_LEN + 1] =
	    realloc(p->out, (p->out_count + 1) * sizeof(*bigger));

	if (bigger == NULL)
		return ST_NOMEM;
	p->out = bigger;
	memcpy(p->out[p->out_count++], dev, DEV_LEN + 1);
	return ST_OK;
}

/* `advance` of a device: again, if it is trusted still. */
static enum status
revocation(struct proving *p, bool is_signed, enum ingest_repeat *repeat,
    uint8_t after[ID_LEN])
{
	char rec[REC_LEN + 1];
	struct roster_device d;
	enum status st;

	if (p->e.rec.len != REC_LEN || p->e.on_count != 1 ||
	    !takes_trust_away(p->e.on[0]))
		return ST_OK;
	memcpy(rec, p->e.rec.p, REC_LEN);
	rec[REC_LEN] = '\0';
	st = roster_device_by_rec(p->r, rec, &d);
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_OK : st;
	if (bytes_eq_str(p->e.on[0], d.standing) ||
	    (d.standing[0] != '\0' && strcmp(d.standing, "replaced") != 0))
		return ST_OK;
	if (!is_signed)
		return returned_tell(p->c, p->reader, d.dev, &p->e, p->from);
	st = roster_head_of(p->r, rec, after);
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_CORRUPT : st;
	*repeat = WORD_REVOKE;
	return mark_out(p, d.dev);
}

/* May its key have been in other hands when the log ended? */
static bool
is_trusted(const struct proving *p, const uint8_t key[PUBKEY_LEN])
{
	char hex[2 * PUBKEY_LEN + 1];

	hex_encode(hex, bytes_of(key, PUBKEY_LEN));
	return descriptor_trusts(p->now, hex, INT64_MAX);
}

static enum status
take_word(struct proving *p, size_t i, const struct centre_chain *chain)
{
	const struct wire_leaf *l = &p->part->leaf[i];
	enum ingest_repeat repeat = WORD_KEEP;
	uint8_t after[ID_LEN] = { 0 };
	bool is_signed;
	enum status st;

	if (l->entry.form == WIRE_LOST)
		return ST_OK; /* a digest says nothing */
	st = entry_parse(&p->e, l->entry.raw);
	if (st == ST_NOMEM)
		return st;
	if (st == ST_OK && memcmp(p->e.chain, l->chain, CHAIN_LEN) == 0 &&
	    p->e.seq == l->seq && chain->server) {
		if (is_made_anew(&p->e))
			return ST_OK;
		is_signed = l->has_sig && is_trusted(p, chain->key) &&
			    chain_verify(l->sig, chain->key, l->chain, l->seq,
				l->link) == ST_OK;
		st = ST_OK;
		if (bytes_eq_str(p->e.kind, "device@1") &&
		    p->e.verb == DO_ADVANCE)
			st = revocation(p, is_signed, &repeat, after);
		else if (is_signed && p->e.verb == DO_HOLD)
			repeat = WORD_HOLD;
		else if (is_signed && bytes_eq_str(p->e.kind, ERASE_KIND))
			repeat = WORD_ERASE;
		if (st != ST_OK)
			return st;
	}
	return ingest_proved_word(p->in, p->no, i, chain->dev, repeat, after);
}

/* ---- devices' entries */

static bool
is_out(const struct proving *p, const char *dev)
{
	for (size_t i = 0; i < p->out_count; i++)
		if (strcmp(p->out[i], dev) == 0)
			return true;
	return false;
}

static enum status
device_of_key(
    struct proving *p, const uint8_t key[PUBKEY_LEN], struct ingest_device *out)
{
	struct roster_device d;
	enum status st = roster_device_by_key(p->r, key, &d);

	memset(out, 0, sizeof(*out));
	memcpy(out->key, key, PUBKEY_LEN);
	chain_dev(out->dev, key);
	if (st == ST_ABSENT)
		out->held = UNCONFIRMED_WHY;
	else if (st == ST_OK && (d.standing[0] != '\0' || is_out(p, out->dev)))
		out->held = "revoked";
	return st == ST_ABSENT ? ST_OK : st;
}

/* A chain that this log has not seen: its first entry names its device, and
 * rests on that device's key. */
static enum status
begin_chain(
    struct proving *p, const struct wire_leaf *l, struct ingest_device *out)
{
	struct known_chain *bigger;
	struct roster_device d;
	uint8_t link0[HASH_LEN];
	enum status st;

	for (size_t i = 0; i < p->begun_count; i++) {
		if (memcmp(p->begun[i].chain, l->chain, CHAIN_LEN) == 0) {
			*out = p->begun[i].dev;
			return ST_OK;
		}
	}
	if (l->seq != 1 || l->entry.form == WIRE_LOST)
		return ST_ABSENT;
	st = entry_parse(&p->e, l->entry.raw);
	if (st == ST_OK)
		st = roster_device_by_dev(p->r, p->e.dev, &d);
	if (st != ST_OK)
		return st == ST_INVALID ? ST_ABSENT : st;
	chain_link0(link0, centre_court_id(p->c), d.key, l->chain);
	if (memcmp(link0, l->prev, HASH_LEN) != 0)
		return ST_ABSENT;
	st = device_of_key(p, d.key, out);
	if (st != ST_OK)
		return st;
	bigger = realloc(p->begun, (p->begun_count + 1) * sizeof(*bigger));
	if (bigger == NULL)
		return ST_NOMEM;
	p->begun = bigger;
	memcpy(p->begun[p->begun_count].chain, l->chain, CHAIN_LEN);
	p->begun[p->begun_count++].dev = *out;
	return ST_OK;
}

/* How many of the entries from `at` on rest each on the one before. */
static size_t
run_of(const struct proving *p, size_t at)
{
	const struct wire_leaf *all = p->part->leaf;
	size_t n = 1;

	while (at + n < p->count) {
		const struct wire_leaf *a = &all[p->leaf[at + n - 1]];
		const struct wire_leaf *b = &all[p->leaf[at + n]];

		if (memcmp(a->chain, b->chain, CHAIN_LEN) != 0 ||
		    b->seq != a->seq + 1 ||
		    memcmp(b->prev, a->link, HASH_LEN) != 0)
			break;
		n++;
	}
	return n;
}

/* Everything of the part at hand that is (`words`) or is not the centre's. */
static enum status
take_part(struct proving *p, bool words)
{
	struct centre_chain chain;
	enum status st = ST_OK;
	size_t n;

	for (size_t at = 0; at < p->count && st == ST_OK; at += n) {
		const struct wire_leaf *l = &p->part->leaf[p->leaf[at]];
		struct ingest_device dev;
		bool nobodys = false;

		n = run_of(p, at);
		memset(&chain, 0, sizeof(chain));
		st = centre_chain(p->c, l->chain, &chain);
		if (st == ST_OK && chain.server != words)
			continue;
		if (st == ST_OK && !words) {
			st = device_of_key(p, chain.key, &dev);
		} else if (st == ST_ABSENT) {
			st = words ? ST_OK : begin_chain(p, l, &dev);
			nobodys = st == ST_ABSENT;
			if (words)
				continue;
		}
		if (st == ST_OK && !words)
			st = ingest_proved_run(
			    p->in, p->no, &dev, p->leaf + at, n);
		if (!words && !nobodys)
			continue;
		st = ST_OK;
		for (size_t i = 0; i < n && st == ST_OK; i++)
			st = take_word(p, p->leaf[at + i], &chain);
	}
	return st;
}

/* ---- a part */

static int
by_place_in_chain(const void *arg, uint32_t a, uint32_t b)
{
	const struct wire_leaf *x = (const struct wire_leaf *)arg + a;
	const struct wire_leaf *y = (const struct wire_leaf *)arg + b;
	int n = memcmp(x->chain, y->chain, CHAIN_LEN);

	if (n != 0)
		return n;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The entries of a part that this log does not have, in order of their chains;
 * what does not prove is told, and leaves none. */
static enum status
open_part(struct proving *p, const struct wire_proved *w, bool first)
{
	uint32_t *tmp;
	uint64_t kept = 0;
	enum status st = ingest_proved(p->in, w, &p->no, &kept);

	p->part = w;
	p->count = 0;
	if (st != ST_OK)
		return st != ST_DENIED ? st : first ? alarm_false(p) : ST_OK;
	free(p->leaf);
	p->leaf = calloc(2 * w->count, sizeof(*p->leaf));
	if (p->leaf == NULL)
		return ST_NOMEM;
	tmp = p->leaf + w->count;
	for (size_t i = 0; i < w->count; i++)
		if (w->leaf[i].has_entry && w->leaf[i].place >= kept)
			p->leaf[p->count++] = (uint32_t)i;
	sort_u32(p->leaf, tmp, p->count, by_place_in_chain, w->leaf);
	return ST_OK;
}

static enum status
read_descriptor(struct centre *c, struct descriptor *out)
{
	struct buf file;
	enum status st;

	buf_init(&file, DESCRIPTOR_FILE_MAX);
	st = centre_descriptor(c, &file);
	if (st == ST_OK)
		st = descriptor_parse(out, buf_view(&file));
	buf_free(&file);
	return st == ST_INVALID ? ST_CORRUPT : st;
}

/* Words first: whom they revoke is held in this very request. */
enum status
returned_proved(struct centre *c, struct roster *r,
    struct centre_reader *reader, struct ingest *in, const struct sync_up *up,
    const char *from)
{
	struct proving p = {
		.c = c, .r = r, .reader = reader, .in = in, .from = from
	};
	struct descriptor *now;
	uint64_t kept;
	enum status st;

	if (up->proved_count == 0 || !centre_restored(c, &kept))
		return ST_OK;
	now = calloc(1, sizeof(*now));
	if (now == NULL)
		return ST_NOMEM;
	st = read_descriptor(c, now);
	p.now = now;
	entry_init(&p.e);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < up->proved_count && st == ST_OK; i++) {
			st = open_part(&p, &up->proved[i], pass == 0);
			if (st == ST_OK)
				st = take_part(&p, pass == 0);
		}
	}
	entry_free(&p.e);
	free(p.leaf);
	free(p.begun);
	free(p.out);
	free(now);
	return st;
}
