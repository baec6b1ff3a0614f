#include "crypt/identity.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "crypt/secret.h"

enum { VERSION = 1, SEED = crypto_sign_SEEDBYTES };

_Static_assert(PUBKEY_LEN == crypto_sign_PUBLICKEYBYTES, "public key");
_Static_assert(SIG_LEN == crypto_sign_BYTES, "signature");

/* The struct itself is memory of secret_new, as is each item. */
struct identity {
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	uint8_t public[PUBKEY_LEN];
	uint8_t seed[SEED];
	uint8_t *item[IDENTITY_ITEMS_END]; /* owned; NULL where empty */
	size_t len[IDENTITY_ITEMS_END];
};

static enum status
from_seed(struct identity **out, const uint8_t seed[SEED])
{
	struct identity *id = secret_new(sizeof(*id));

	if (id == NULL)
		return ST_NOMEM;
	memcpy(id->seed, seed, SEED);
	(void)crypto_sign_seed_keypair(id->public, id->secret, seed);
	*out = id;
	return ST_OK;
}

enum status
identity_new(struct identity **out, const struct port *port)
{
	uint8_t seed[SEED];
	enum status st;

	port_random(port, seed, sizeof(seed));
	st = from_seed(out, seed);
	sodium_memzero(seed, sizeof(seed));
	return st;
}

void
identity_free(struct identity *id)
{
	if (id == NULL)
		return;
	for (size_t i = 0; i < IDENTITY_ITEMS_END; i++)
		secret_free(id->item[i]);
	secret_free(id);
}

const uint8_t *
identity_public_key(const struct identity *id)
{
	return id->public;
}

const uint8_t *
identity_secret_key(const struct identity *id)
{
	return id->secret;
}

void
identity_sign(
    uint8_t sig[SIG_LEN], const struct identity *id, struct bytes message)
{
	(void)crypto_sign_detached(
	    sig, NULL, message.p, message.len, id->secret);
}

struct bytes
identity_get(const struct identity *id, enum identity_item item)
{
	return bytes_of(id->item[item], id->len[item]);
}

enum status
identity_set(struct identity *id, enum identity_item item, struct bytes in)
{
	uint8_t *p = NULL;

	assert(item > 0 && item < IDENTITY_ITEMS_END);
	if (in.len > IDENTITY_ITEM_MAX)
		return ST_LIMIT;
	if (in.len > 0) {
		p = secret_new(in.len);
		if (p == NULL)
			return ST_NOMEM;
		memcpy(p, in.p, in.len);
	}
	secret_free(id->item[item]);
	id->item[item] = p;
	id->len[item] = in.len;
	return ST_OK;
}

enum status
identity_encode(const struct identity *id, struct buf *out)
{
	uint8_t count = 0;

	for (size_t i = 1; i < IDENTITY_ITEMS_END; i++)
		count = (uint8_t)(count + (id->len[i] > 0));
	buf_u8(out, VERSION);
	buf_add(out, id->seed, SEED);
	buf_u8(out, count);
	for (size_t i = 1; i < IDENTITY_ITEMS_END; i++) {
		if (id->len[i] == 0)
			continue;
		buf_u8(out, (uint8_t)i);
		buf_u32(out, (uint32_t)id->len[i]);
		buf_add(out, id->item[i], id->len[i]);
	}
	return out->err;
}

static enum status
decode_items(struct identity *id, struct reader *r)
{
	unsigned count = reader_u8(r), last = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned item = reader_u8(r);
		uint32_t len = reader_u32(r);
		enum status st;

		if (r->bad || item <= last || item >= IDENTITY_ITEMS_END ||
		    len == 0 || len > IDENTITY_ITEM_MAX)
			return ST_CORRUPT;
		last = item;
		st = identity_set(
		    id, (enum identity_item)item, reader_take(r, len));
		if (r->bad)
			return ST_CORRUPT;
		if (st != ST_OK)
			return st;
	}
	return reader_done(r) ? ST_OK : ST_CORRUPT;
}

enum status
identity_decode(struct identity **out, struct bytes in)
{
	struct identity *id = NULL;
	struct bytes seed;
	struct reader r;
	enum status st;

	if (in.len > IDENTITY_BYTES_MAX)
		return ST_CORRUPT;
	reader_init(&r, in);
	if (in.len > 0 && reader_u8(&r) != VERSION)
		return ST_NEWER;
	seed = reader_take(&r, SEED);
	if (r.bad)
		return ST_CORRUPT;
	st = from_seed(&id, seed.p);
	if (st == ST_OK)
		st = decode_items(id, &r);
	if (st == ST_OK) {
		*out = id;
		id = NULL;
	}
	identity_free(id);
	return st;
}
