#include "crypt/keyslot.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/sha.h"
#include "crypt/secret.h"

enum {
	VERSION = 1,
	SALT = crypto_pwhash_argon2id_SALTBYTES,
	TAG = 16,
	PUB = KEYSLOT_BOX_KEY_LEN,
	CLOSED = PUB + SEAL_TAG_LEN,
	OFFICER_HEAD = 1 + 1 + 4 + SALT + TAG + 4 + 4 + PUB,
	OFFICER_FIXED = OFFICER_HEAD + SEAL_NONCE_LEN + CLOSED,
	RECOVERY_FIXED = 1 + 1 + 4 + PUB,
	PAYLOAD_DATA = 1 + 4 + 4 + SEAL_KEY_LEN,
	PAYLOAD_BOTH = PAYLOAD_DATA + SEAL_KEY_LEN,
	BOX_OVERHEAD = crypto_box_SEALBYTES
};

_Static_assert(SALT == sizeof(((struct keyslot *)0)->salt), "salt");
_Static_assert(PUB == crypto_box_PUBLICKEYBYTES, "public key");
_Static_assert(PUB == crypto_box_SECRETKEYBYTES, "private key");
_Static_assert(
    OFFICER_FIXED + PAYLOAD_BOTH + BOX_OVERHEAD <= KEYSLOT_BYTES_MAX, "max");

static bool
is_space(const uint8_t *p, size_t left, size_t *len)
{
	*len = 1;
	if (*p == ' ')
		return true;
	if (left >= 3 && memcmp(p, "\xe3\x80\x80", 3) == 0) {
		*len = 3;
		return true;
	}
	return false;
}

enum status
keyslot_passphrase_check(struct bytes p)
{
	size_t chars = 0, words = 0, len;
	bool in_word = false;

	if (p.len > KEYSLOT_PASSPHRASE_MAX)
		return ST_LIMIT;
	for (size_t i = 0; i < p.len; i += len) {
		bool space = is_space(p.p + i, p.len - i, &len);

		/* Every byte but a continuation begins a character. */
		if (space || (p.p[i] & 0xc0) != 0x80)
			chars++;
		if (!space && !in_word)
			words++;
		in_word = !space;
	}
	return chars >= KEYSLOT_PASSPHRASE_CHARS ||
		       words >= KEYSLOT_PASSPHRASE_WORDS
		   ? ST_OK
		   : ST_INVALID;
}

static void
officer_tag(uint8_t out[TAG], const uint8_t salt[SALT], struct bytes officer)
{
	static const char format[] = "daybreak-officer/1";
	crypto_generichash_state h;

	(void)crypto_generichash_init(&h, salt, SALT, TAG);
	(void)crypto_generichash_update(
	    &h, (const uint8_t *)format, sizeof(format));
	(void)crypto_generichash_update(&h, officer.p, officer.len);
	(void)crypto_generichash_final(&h, out, TAG);
}

/* The key that closes an officer's private key. */
static enum status
derive(uint8_t out[SEAL_KEY_LEN], struct bytes passphrase,
    const uint8_t salt[SALT], uint32_t mem_kib, uint32_t passes)
{
	if (crypto_pwhash_argon2id(out, SEAL_KEY_LEN,
		(const char *)passphrase.p, passphrase.len, salt, passes,
		(size_t)mem_kib * 1024,
		crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
		return ST_NOMEM;
	return ST_OK;
}

/* Associated data of a closed private key. */
static size_t
make_ad(uint8_t ad[16 + OFFICER_HEAD], const uint8_t head[OFFICER_HEAD])
{
	static const char format[] = "daybreak-slot/1";

	_Static_assert(sizeof(format) == 16, "format");
	memcpy(ad, format, sizeof(format));
	memcpy(ad + sizeof(format), head, OFFICER_HEAD);
	return sizeof(format) + OFFICER_HEAD;
}

/*
 * Append the two keys, sealed to `pub`.  The bytes are those of libsodium's
 * crypto_box_seal; written out here because its one-time key must come from
 * the port.
 */
static enum status
add_box(struct buf *out, const uint8_t pub[PUB], uint32_t slot, bool both,
    const struct keyslot_keys *keys, const struct port *port)
{
	uint8_t seed[crypto_box_SEEDBYTES], secret[PUB];
	uint8_t nonce[crypto_box_NONCEBYTES], payload[PAYLOAD_BOTH];
	size_t len = both ? PAYLOAD_BOTH : PAYLOAD_DATA;
	crypto_generichash_state h;
	enum status st = ST_OK;
	uint8_t *p;

	p = buf_extend(out, len + BOX_OVERHEAD);
	if (p == NULL)
		return out->err;
	payload[0] = VERSION;
	be32_put(payload + 1, slot);
	be32_put(payload + 5, keys->data_id);
	memcpy(payload + 9, keys->data, SEAL_KEY_LEN);
	memcpy(payload + PAYLOAD_DATA, keys->identity, SEAL_KEY_LEN);
	port_random(port, seed, sizeof(seed));
	(void)crypto_box_seed_keypair(p, secret, seed);
	(void)crypto_generichash_init(&h, NULL, 0, sizeof(nonce));
	(void)crypto_generichash_update(&h, p, PUB);
	(void)crypto_generichash_update(&h, pub, PUB);
	(void)crypto_generichash_final(&h, nonce, sizeof(nonce));
	/* Refuses a public key of small order: it would hide nothing. */
	if (crypto_box_easy(p + PUB, payload, len, nonce, pub, secret) != 0) {
		out->len -= len + BOX_OVERHEAD;
		st = ST_INVALID;
	}
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(payload, sizeof(payload));
	return st;
}

static enum status
kdf_check(struct keyslot_kdf *out, const struct keyslot_kdf *want)
{
	struct keyslot_kdf k = *want;

	if (k.mem_kib == 0)
		k.mem_kib = KEYSLOT_MEM_KIB;
	if (k.passes == 0)
		k.passes = KEYSLOT_PASSES;
	if (k.mem_kib > KEYSLOT_MEM_KIB_MAX || k.passes > KEYSLOT_PASSES_MAX)
		return ST_LIMIT;
	if (k.mem_kib < 8) /* Argon2id's own least */
		return ST_INVALID;
	if (!k.weak_for_tests &&
	    (k.mem_kib < KEYSLOT_MEM_KIB || k.passes < KEYSLOT_PASSES))
		return ST_INVALID;
	*out = k;
	return ST_OK;
}

/* Append all of an officer's slot but the box. */
static enum status
add_officer(struct buf *out, uint32_t slot, struct bytes officer,
    struct bytes passphrase, const struct keyslot_kdf *k,
    const struct port *port)
{
	uint8_t key[SEAL_KEY_LEN], seed[crypto_box_SEEDBYTES], secret[PUB];
	uint8_t salt[SALT], ad[16 + OFFICER_HEAD], *p;
	enum status st;
	size_t ad_len;

	port_random(port, salt, sizeof(salt));
	st = derive(key, passphrase, salt, k->mem_kib, k->passes);
	if (st != ST_OK)
		return st;
	p = buf_extend(out, OFFICER_FIXED);
	if (p == NULL) {
		sodium_memzero(key, sizeof(key));
		return out->err;
	}
	p[0] = VERSION;
	p[1] = KEYSLOT_OFFICER;
	be32_put(p + 2, slot);
	memcpy(p + 6, salt, SALT);
	officer_tag(p + 6 + SALT, salt, officer);
	be32_put(p + 6 + SALT + TAG, k->mem_kib);
	be32_put(p + 10 + SALT + TAG, k->passes);
	port_random(port, seed, sizeof(seed));
	(void)crypto_box_seed_keypair(p + OFFICER_HEAD - PUB, secret, seed);
	port_random(port, p + OFFICER_HEAD, SEAL_NONCE_LEN);
	ad_len = make_ad(ad, p);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
	    p + OFFICER_HEAD + SEAL_NONCE_LEN, NULL, secret, PUB, ad, ad_len,
	    NULL, p + OFFICER_HEAD, key);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(secret, sizeof(secret));
	return ST_OK;
}

enum status
keyslot_officer(struct buf *out, uint32_t slot, struct bytes officer,
    struct bytes passphrase, const struct keyslot_kdf *kdf,
    const struct keyslot_keys *keys, const struct port *port)
{
	size_t before = out->len;
	uint8_t pub[PUB];
	struct keyslot_kdf k;
	enum status st;

	assert(keys->has_identity);
	if (officer.len == 0)
		return ST_INVALID;
	if (officer.len > KEYSLOT_OFFICER_MAX)
		return ST_LIMIT;
	st = keyslot_passphrase_check(passphrase);
	if (st == ST_OK)
		st = kdf_check(&k, kdf);
	if (st == ST_OK)
		st = add_officer(out, slot, officer, passphrase, &k, port);
	if (st == ST_OK) {
		/* A copy: the buffer moves as it grows. */
		memcpy(pub, out->p + before + OFFICER_HEAD - PUB, PUB);
		st = add_box(out, pub, slot, true, keys, port);
	}
	if (st != ST_OK)
		out->len = before;
	return st;
}

enum status
keyslot_recovery(struct buf *out, uint32_t slot, const uint8_t pub[PUB],
    const struct keyslot_keys *keys, const struct port *port)
{
	size_t before = out->len;
	enum status st;

	buf_u8(out, VERSION);
	buf_u8(out, KEYSLOT_RECOVERY);
	buf_u32(out, slot);
	buf_add(out, pub, PUB);
	st = out->err;
	if (st == ST_OK)
		st = add_box(out, pub, slot, false, keys, port);
	if (st != ST_OK)
		out->len = before;
	return st;
}

static void
read_officer(struct keyslot *k, const uint8_t *p)
{
	memcpy(k->salt, p + 6, SALT);
	memcpy(k->tag, p + 6 + SALT, TAG);
	k->mem_kib = be32_get(p + 6 + SALT + TAG);
	k->passes = be32_get(p + 10 + SALT + TAG);
	k->nonce = p + OFFICER_HEAD;
	k->closed = p + OFFICER_HEAD + SEAL_NONCE_LEN;
}

enum status
keyslot_read(struct keyslot *out, struct bytes slot)
{
	struct keyslot k = { 0 };
	size_t fixed, payload;

	if (slot.len < 6)
		return ST_CORRUPT;
	if (slot.p[0] != VERSION)
		return ST_NEWER;
	if (slot.p[1] == KEYSLOT_OFFICER) {
		k.kind = KEYSLOT_OFFICER;
		fixed = OFFICER_FIXED;
		payload = PAYLOAD_BOTH;
	} else if (slot.p[1] == KEYSLOT_RECOVERY) {
		k.kind = KEYSLOT_RECOVERY;
		fixed = RECOVERY_FIXED;
		payload = PAYLOAD_DATA;
	} else {
		return ST_CORRUPT;
	}
	if (slot.len != fixed + payload + BOX_OVERHEAD)
		return ST_CORRUPT;
	k.slot = be32_get(slot.p + 2);
	k.fixed = bytes_of(slot.p, fixed);
	k.box = bytes_of(slot.p + fixed, slot.len - fixed);
	if (k.kind == KEYSLOT_OFFICER) {
		read_officer(&k, slot.p);
		memcpy(k.public_key, slot.p + OFFICER_HEAD - PUB, PUB);
		if (k.mem_kib < 8 || k.mem_kib > KEYSLOT_MEM_KIB_MAX ||
		    k.passes < 1 || k.passes > KEYSLOT_PASSES_MAX)
			return ST_CORRUPT;
	} else {
		memcpy(k.public_key, slot.p + RECOVERY_FIXED - PUB, PUB);
	}
	*out = k;
	return ST_OK;
}

bool
keyslot_is_of(const struct keyslot *s, struct bytes officer)
{
	uint8_t tag[TAG];

	if (s->kind != KEYSLOT_OFFICER)
		return false;
	officer_tag(tag, s->salt, officer);
	return sodium_memcmp(tag, s->tag, TAG) == 0;
}

/* Open a slot's box with its private key. */
static enum status
open_box(struct keyslot_keys *out, const struct keyslot *s,
    const uint8_t private_key[PUB])
{
	bool both = s->kind == KEYSLOT_OFFICER;
	uint8_t payload[PAYLOAD_BOTH];
	enum status st = ST_OK;

	if (crypto_box_seal_open(
		payload, s->box.p, s->box.len, s->public_key, private_key) != 0)
		return ST_CORRUPT;
	if (payload[0] != VERSION)
		st = ST_NEWER;
	else if (be32_get(payload + 1) != s->slot)
		st = ST_CORRUPT;
	if (st == ST_OK) {
		out->data_id = be32_get(payload + 5);
		out->has_identity = both;
		memcpy(out->data, payload + 9, SEAL_KEY_LEN);
		memset(out->identity, 0, SEAL_KEY_LEN);
		if (both)
			memcpy(out->identity, payload + PAYLOAD_DATA,
			    SEAL_KEY_LEN);
	}
	sodium_memzero(payload, sizeof(payload));
	return st;
}

enum status
keyslot_open(
    struct keyslot_keys *out, const struct keyslot *s, struct bytes passphrase)
{
	uint8_t key[SEAL_KEY_LEN], private_key[PUB], ad[16 + OFFICER_HEAD];
	enum status st;
	size_t ad_len;

	assert(s->kind == KEYSLOT_OFFICER);
	if (passphrase.len == 0 || passphrase.len > KEYSLOT_PASSPHRASE_MAX)
		return ST_DENIED;
	st = derive(key, passphrase, s->salt, s->mem_kib, s->passes);
	if (st != ST_OK)
		return st;
	ad_len = make_ad(ad, s->fixed.p);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(private_key, NULL, NULL,
		s->closed, CLOSED, ad, ad_len, s->nonce, key) != 0)
		st = ST_DENIED;
	else
		st = open_box(out, s, private_key);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(private_key, sizeof(private_key));
	return st;
}

enum status
keyslot_open_recovery(struct keyslot_keys *out, const struct keyslot *s,
    const uint8_t private_key[PUB])
{
	uint8_t pub[PUB];

	assert(s->kind == KEYSLOT_RECOVERY);
	if (crypto_scalarmult_base(pub, private_key) != 0 ||
	    sodium_memcmp(pub, s->public_key, PUB) != 0)
		return ST_DENIED;
	return open_box(out, s, private_key);
}

enum status
keyslot_rekey(struct buf *out, const struct keyslot *s,
    const struct keyslot_keys *keys, const struct port *port)
{
	size_t before = out->len;
	enum status st;

	assert(s->kind != KEYSLOT_OFFICER || keys->has_identity);
	buf_bytes(out, s->fixed);
	st = out->err;
	if (st == ST_OK)
		st = add_box(out, s->public_key, s->slot,
		    s->kind == KEYSLOT_OFFICER, keys, port);
	if (st != ST_OK)
		out->len = before;
	return st;
}

void
keyslot_digest(uint8_t out[HASH_LEN], const struct keyslot *s)
{
	sha256(out, s->fixed);
}
