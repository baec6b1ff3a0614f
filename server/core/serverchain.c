#include "server/core/serverchain.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "entry/chain.h"

enum {
	/* One transaction's worth; a job that needs more is refused. */
	BYTES_MAX = 256 << 20
};

struct serverchain {
	const struct port *port;
	const char *court;
	uint8_t id[CHAIN_LEN];
	uint8_t key[PUBKEY_LEN];
	uint8_t *secret; /* owned, guarded: 64 bytes */
	char dev[DEV_LEN + 1];
	uint8_t link0[HASH_LEN];
	bool has_old;
	uint8_t old_chain[CHAIN_LEN];
	uint64_t old_seq;
	uint8_t old_link[HASH_LEN];

	uint64_t seq; /* committed */
	uint8_t link[HASH_LEN];

	struct server_row *row; /* owned: written since */
	size_t count, cap;
	struct buf bytes;
	const char *why;
};

enum status
serverchain_new(struct serverchain **out, const struct serverchain_config *c)
{
	struct serverchain *sc = calloc(1, sizeof(*sc));

	if (sc == NULL)
		return ST_NOMEM;
	sc->secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);
	if (sc->secret == NULL) {
		free(sc);
		return ST_NOMEM;
	}
	(void)crypto_sign_seed_keypair(sc->key, sc->secret, c->seed);
	sc->port = c->port;
	sc->court = c->court;
	memcpy(sc->id, c->chain, CHAIN_LEN);
	chain_dev(sc->dev, sc->key);
	chain_link0(sc->link0, c->court_id, sc->key, sc->id);
	sc->has_old = c->has_old;
	memcpy(sc->old_chain, c->old_chain, CHAIN_LEN);
	sc->old_seq = c->old_seq;
	memcpy(sc->old_link, c->old_link, HASH_LEN);
	memcpy(sc->link, sc->link0, HASH_LEN);
	buf_init(&sc->bytes, BYTES_MAX);
	sc->why = "";
	*out = sc;
	return ST_OK;
}

void
serverchain_free(struct serverchain *sc)
{
	if (sc == NULL)
		return;
	sodium_free(sc->secret);
	free(sc->row);
	buf_free(&sc->bytes);
	free(sc);
}

void
serverchain_at(
    struct serverchain *sc, uint64_t seq, const uint8_t link[HASH_LEN])
{
	assert(sc->count == 0);
	sc->seq = seq;
	memcpy(sc->link, link, HASH_LEN);
}

const uint8_t *
serverchain_id(const struct serverchain *sc)
{
	return sc->id;
}

const uint8_t *
serverchain_key(const struct serverchain *sc)
{
	return sc->key;
}

const uint8_t *
serverchain_link0(const struct serverchain *sc)
{
	return sc->link0;
}

/* ---- writing */

static void
tip(const struct serverchain *sc, uint64_t *seq, uint8_t link[HASH_LEN])
{
	if (sc->count == 0) {
		*seq = sc->seq;
		memcpy(link, sc->link, HASH_LEN);
	} else {
		*seq = sc->row[sc->count - 1].seq;
		memcpy(link, sc->row[sc->count - 1].link, HASH_LEN);
	}
}

static enum status
row_room(struct serverchain *sc)
{
	size_t cap = sc->cap == 0 ? 16 : sc->cap * 2;
	struct server_row *p;

	if (sc->count < sc->cap)
		return ST_OK;
	p = realloc(sc->row, cap * sizeof(*p));
	if (p == NULL)
		return ST_NOMEM;
	sc->row = p;
	sc->cap = cap;
	return ST_OK;
}

static void
first_of_chain(const struct serverchain *sc, struct entry_new *n)
{
	n->dev = sc->dev;
	n->has_old = sc->has_old;
	memcpy(n->old_chain, sc->old_chain, CHAIN_LEN);
	n->old_seq = sc->old_seq;
	memcpy(n->old_link, sc->old_link, HASH_LEN);
}

enum status
serverchain_write(struct serverchain *sc, struct server_entry *e, uint64_t wall)
{
	char at[32], rec[REC_LEN + 1];
	uint8_t digest[HASH_LEN], rnd[10];
	struct entry_new n = { .court = sc->court, .kind = e->kind };
	struct server_row row = { .off = sc->bytes.len };
	enum status st = row_room(sc);

	if (st != ST_OK)
		return st;
	memcpy(rec, e->rec, sizeof(rec));
	if (rec[0] == '\0') {
		port_random(sc->port, rnd, sizeof(rnd));
		rec_new(rec, wall, rnd);
	}
	at_format(at, wall, 0);
	tip(sc, &row.seq, row.prev);
	row.seq++;
	memcpy(n.chain, sc->id, CHAIN_LEN);
	n.seq = row.seq;
	n.rec = rec;
	n.by = e->by == NULL ? "daybreak" : e->by;
	n.at = at;
	n.verb = e->verb;
	n.on = e->on;
	n.on_count = e->on_count;
	n.wall = wall;
	n.mono = port_mono_ms(sc->port);
	port_boot_id(sc->port, n.boot);
	n.after = e->after;
	n.after_count = e->after_count;
	port_random(sc->port, n.salt, sizeof(n.salt));
	n.data = e->data;
	n.reason = e->reason;
	n.more = e->more;
	if (row.seq == 1)
		first_of_chain(sc, &n);
	st = entry_write(&n, &sc->bytes, &sc->why);
	if (st != ST_OK)
		return st;
	row.len = sc->bytes.len - row.off;
	entry_digest(digest, bytes_of(sc->bytes.p + row.off, row.len));
	chain_link(row.link, row.prev, row.seq, digest);
	memcpy(e->rec, rec, sizeof(rec));
	memcpy(e->id, row.link, ID_LEN);
	sc->row[sc->count++] = row;
	return ST_OK;
}

size_t
serverchain_count(const struct serverchain *sc)
{
	return sc->count;
}

const struct server_row *
serverchain_row(const struct serverchain *sc, size_t i)
{
	assert(i < sc->count);
	return &sc->row[i];
}

struct bytes
serverchain_bytes(const struct serverchain *sc, size_t i)
{
	assert(i < sc->count);
	return bytes_of(sc->bytes.p + sc->row[i].off, sc->row[i].len);
}

void
serverchain_cut(struct serverchain *sc, size_t count)
{
	if (count >= sc->count)
		return;
	sc->bytes.len = sc->row[count].off;
	sc->count = count;
}

void
serverchain_sign(struct serverchain *sc, uint8_t sig[SIG_LEN])
{
	uint8_t link[HASH_LEN];
	uint64_t seq;

	tip(sc, &seq, link);
	chain_sign(sig, sc->secret, sc->id, seq, link);
}

void
serverchain_sign_at(const struct serverchain *sc, uint64_t seq,
    const uint8_t link[HASH_LEN], uint8_t sig[SIG_LEN])
{
	chain_sign(sig, sc->secret, sc->id, seq, link);
}

void
serverchain_publish(struct serverchain *sc)
{
	tip(sc, &sc->seq, sc->link);
	serverchain_rollback(sc);
}

void
serverchain_rollback(struct serverchain *sc)
{
	sc->count = 0;
	buf_reset(&sc->bytes);
}

const char *
serverchain_why(const struct serverchain *sc)
{
	return sc->why == NULL ? "" : sc->why;
}
