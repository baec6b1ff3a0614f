#include "wire/join.h"

#include <sodium.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"

static const char prefix[] = "db1-";

enum {
	CODE_RAW = JOIN_SECRET_LEN + HASH_LEN,
	CODE_TEXT = (CODE_RAW * 8 + 4) / 5
};

void
join_code_format(const struct join_code *c, struct buf *out)
{
	uint8_t raw[CODE_RAW];
	char text[(JOIN_ADDRESS_MAX * 8 + 4) / 5 + 1];

	memcpy(raw, c->secret, JOIN_SECRET_LEN);
	memcpy(raw + JOIN_SECRET_LEN, c->descriptor, HASH_LEN);
	base32_encode(text, bytes_of(raw, sizeof(raw)));
	buf_printf(out, "DB1-%s-", text);
	base32_encode(text, bytes_str(c->address));
	buf_str(out, text);
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(text, sizeof(text));
}

/* Lower case, outer white space cut; false if it is too long. */
static bool
tidy(char out[JOIN_CODE_MAX + 1], struct bytes in, size_t *len)
{
	size_t n = 0;

	while (in.len > 0 && in.p[0] <= ' ') {
		in.p++;
		in.len--;
	}
	while (in.len > 0 && in.p[in.len - 1] <= ' ')
		in.len--;
	if (in.len > JOIN_CODE_MAX)
		return false;
	for (; n < in.len; n++)
		out[n] = (char)(in.p[n] >= 'A' && in.p[n] <= 'Z'
				    ? in.p[n] - 'A' + 'a'
				    : in.p[n]);
	out[n] = '\0';
	*len = n;
	return true;
}

bool
join_address_ok(struct bytes address)
{
	size_t colon = address.len;
	unsigned port = 0;

	for (size_t i = 0; i < address.len; i++) {
		if (address.p[i] <= ' ' || address.p[i] >= 0x7f)
			return false;
		if (address.p[i] == ':')
			colon = i;
	}
	if (colon == 0 || colon >= address.len - 1 || address.len - colon > 6 ||
	    address.len > JOIN_ADDRESS_MAX)
		return false;
	for (size_t i = colon + 1; i < address.len; i++) {
		if (address.p[i] < '0' || address.p[i] > '9')
			return false;
		port = port * 10 + (unsigned)(address.p[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

enum status
join_code_parse(struct join_code *out, struct bytes in)
{
	char text[JOIN_CODE_MAX + 1];
	uint8_t raw[CODE_RAW], address[JOIN_ADDRESS_MAX];
	size_t len, rest, address_len;
	const char *at = text + sizeof(prefix) - 1;
	enum status st = ST_INVALID;

	if (!tidy(text, in, &len) || len < sizeof(prefix) - 1 + CODE_TEXT + 2 ||
	    memcmp(text, prefix, sizeof(prefix) - 1) != 0 ||
	    at[CODE_TEXT] != '-')
		goto out;
	rest = len - (sizeof(prefix) - 1) - CODE_TEXT - 1;
	address_len = rest * 5 / 8;
	if (address_len > sizeof(address) ||
	    base32_decode(raw, CODE_RAW, bytes_of(at, CODE_TEXT)) != ST_OK ||
	    base32_decode(address, address_len,
		bytes_of(at + CODE_TEXT + 1, rest)) != ST_OK ||
	    !join_address_ok(bytes_of(address, address_len)))
		goto out;
	memcpy(out->secret, raw, JOIN_SECRET_LEN);
	memcpy(out->descriptor, raw + JOIN_SECRET_LEN, HASH_LEN);
	memcpy(out->address, address, address_len);
	out->address[address_len] = '\0';
	st = ST_OK;
out:
	sodium_memzero(text, sizeof(text));
	sodium_memzero(raw, sizeof(raw));
	return st;
}

void
join_code_hash(uint8_t out[HASH_LEN], const uint8_t secret[JOIN_SECRET_LEN])
{
	sha256(out, bytes_of(secret, JOIN_SECRET_LEN));
}

static const char enrol_purpose[] = "daybreak-enrol/1";
static const char renew_purpose[] = "daybreak-renew/1";

enum { MESSAGE_MAX = sizeof(enrol_purpose) + 3 * HASH_LEN };

/* The purposes go in with their NUL. */
void
join_enrol_message(struct buf *out, const uint8_t code_hash[HASH_LEN],
    const uint8_t csr_hash[HASH_LEN], const uint8_t descriptor[HASH_LEN])
{
	buf_add(out, enrol_purpose, sizeof(enrol_purpose));
	buf_add(out, code_hash, HASH_LEN);
	buf_add(out, csr_hash, HASH_LEN);
	buf_add(out, descriptor, HASH_LEN);
}

void
join_renew_message(
    struct buf *out, const uint8_t nonce[32], const uint8_t csr_hash[HASH_LEN])
{
	buf_add(out, renew_purpose, sizeof(renew_purpose));
	buf_add(out, nonce, 32);
	buf_add(out, csr_hash, HASH_LEN);
}

static size_t
enrol_message(uint8_t out[MESSAGE_MAX], const uint8_t code_hash[HASH_LEN],
    struct bytes csr, const uint8_t descriptor[HASH_LEN])
{
	uint8_t csr_hash[HASH_LEN], *p = out;

	sha256(csr_hash, csr);
	memcpy(p, enrol_purpose, sizeof(enrol_purpose));
	p += sizeof(enrol_purpose);
	memcpy(p, code_hash, HASH_LEN);
	memcpy(p + HASH_LEN, csr_hash, HASH_LEN);
	memcpy(p + 2 * HASH_LEN, descriptor, HASH_LEN);
	return MESSAGE_MAX;
}

static size_t
renew_message(
    uint8_t out[MESSAGE_MAX], const uint8_t nonce[32], struct bytes csr)
{
	uint8_t *p = out;

	memcpy(p, renew_purpose, sizeof(renew_purpose));
	p += sizeof(renew_purpose);
	memcpy(p, nonce, 32);
	sha256(p + 32, csr);
	return sizeof(renew_purpose) + 32 + HASH_LEN;
}

static enum status
verify(const uint8_t sig[SIG_LEN], const uint8_t *msg, size_t len,
    const uint8_t public_key[PUBKEY_LEN])
{
	return crypto_sign_verify_detached(sig, msg, len, public_key) == 0
		   ? ST_OK
		   : ST_DENIED;
}

void
join_enrol_sign(uint8_t sig[SIG_LEN], const uint8_t secret_key[64],
    const uint8_t code_hash[HASH_LEN], struct bytes csr,
    const uint8_t descriptor[HASH_LEN])
{
	uint8_t msg[MESSAGE_MAX];
	size_t len = enrol_message(msg, code_hash, csr, descriptor);

	(void)crypto_sign_detached(sig, NULL, msg, len, secret_key);
}

enum status
join_enrol_verify(const uint8_t sig[SIG_LEN],
    const uint8_t public_key[PUBKEY_LEN], const uint8_t code_hash[HASH_LEN],
    struct bytes csr, const uint8_t descriptor[HASH_LEN])
{
	uint8_t msg[MESSAGE_MAX];
	size_t len = enrol_message(msg, code_hash, csr, descriptor);

	return verify(sig, msg, len, public_key);
}

void
join_renew_sign(uint8_t sig[SIG_LEN], const uint8_t secret_key[64],
    const uint8_t nonce[32], struct bytes csr)
{
	uint8_t msg[MESSAGE_MAX];
	size_t len = renew_message(msg, nonce, csr);

	(void)crypto_sign_detached(sig, NULL, msg, len, secret_key);
}

enum status
join_renew_verify(const uint8_t sig[SIG_LEN],
    const uint8_t public_key[PUBKEY_LEN], const uint8_t nonce[32],
    struct bytes csr)
{
	uint8_t msg[MESSAGE_MAX];
	size_t len = renew_message(msg, nonce, csr);

	return verify(sig, msg, len, public_key);
}
