#include "crypt/seal.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

enum { VERSION = 1, AD_MAX = 15 + 1 + SEAL_TABLE_MAX + CHAIN_LEN + 8 + 4 };

_Static_assert(
    SEAL_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(
    SEAL_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(
    SEAL_TAG_LEN == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

/* The associated data; returns its length. */
static size_t
make_ad(uint8_t ad[AD_MAX], const struct seal_place *at, uint32_t key_id)
{
	static const char format[] = "daybreak-row/1"; /* its NUL counts */
	size_t len = strlen(at->table), n = 0;

	assert(len >= 1 && len <= SEAL_TABLE_MAX);
	memcpy(ad, format, sizeof(format));
	n += sizeof(format);
	ad[n++] = (uint8_t)len;
	memcpy(ad + n, at->table, len);
	n += len;
	memcpy(ad + n, at->chain, CHAIN_LEN);
	n += CHAIN_LEN;
	be64_put(ad + n, at->row);
	n += 8;
	be32_put(ad + n, key_id);
	return n + 4;
}

enum status
seal_row(struct buf *out, const uint8_t key[SEAL_KEY_LEN], uint32_t key_id,
    const struct seal_place *at, struct bytes plain, const struct port *port)
{
	uint8_t ad[AD_MAX], *p;
	size_t ad_len = make_ad(ad, at, key_id);

	if (out->err != ST_OK)
		return out->err;
	if (plain.len > out->max)
		return ST_LIMIT;
	p = buf_extend(out, plain.len + SEAL_OVERHEAD);
	if (p == NULL)
		return out->err;
	p[0] = VERSION;
	be32_put(p + 1, key_id);
	port_random(port, p + 5, SEAL_NONCE_LEN);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(p + 5 + SEAL_NONCE_LEN,
	    NULL, plain.p, plain.len, ad, ad_len, NULL, p + 5, key);
	return ST_OK;
}

enum status
seal_key_id(uint32_t *out, struct bytes sealed)
{
	if (sealed.len < SEAL_OVERHEAD)
		return ST_CORRUPT;
	if (sealed.p[0] != VERSION)
		return ST_NEWER;
	*out = be32_get(sealed.p + 1);
	return ST_OK;
}

enum status
seal_open(struct buf *out, const uint8_t key[SEAL_KEY_LEN],
    const struct seal_place *at, struct bytes sealed)
{
	size_t before = out->len, ad_len, len;
	uint8_t ad[AD_MAX], *p;
	enum status st;
	uint32_t id;

	if (out->err != ST_OK)
		return out->err;
	st = seal_key_id(&id, sealed);
	if (st != ST_OK)
		return st;
	ad_len = make_ad(ad, at, id);
	len = sealed.len - SEAL_OVERHEAD;
	p = buf_extend(out, len);
	if (p == NULL)
		return out->err;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(p, NULL, NULL,
		sealed.p + 5 + SEAL_NONCE_LEN, len + SEAL_TAG_LEN, ad, ad_len,
		sealed.p + 5, key) != 0) {
		out->len = before;
		return ST_CORRUPT;
	}
	return ST_OK;
}
