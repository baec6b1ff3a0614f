/*
 * A descriptor that is read is written again to the same line, is what its
 * own rules allow, and, signed by our root, follows or does not follow the
 * version before in one of the ways that the header names.
 */
#include <sodium.h>
#include <string.h>

#include "base/enc.h"
#include "fuzz/fuzz.h"
#include "tlog/descriptor.h"

static struct descriptor *d, *again;
static struct buf line, file;
static uint8_t secret[64];

static void
check_parsed(struct bytes in)
{
	enum status st;
	char hex[2 * PUBKEY_LEN + 1];

	buf_reset(&line);
	CHECK(descriptor_format(d, &line) == ST_OK);
	CHECK(bytes_eq(buf_view(&line), descriptor_line(in)));
	CHECK(d->signature_count >= 1 && d->signature_count <= 2);
	CHECK(d->version >= 1 && d->ca_len > 0);
	hex_encode(hex, bytes_of(d->server, PUBKEY_LEN));
	CHECK(descriptor_trusts(d, hex, UINT64_MAX));
	for (size_t i = 0; i < d->distrust_count; i++)
		CHECK(!descriptor_trusts(d, d->distrust[i].key, UINT64_MAX));
	st = descriptor_check_first(d);
	CHECK(st == ST_OK || st == ST_DENIED || st == ST_INVALID);
	CHECK(descriptor_check_next(d, d) == ST_INVALID);

	/* The same line under our own signature. */
	buf_reset(&file);
	buf_bytes(&file, buf_view(&line));
	buf_u8(&file, '\n');
	descriptor_sign(buf_view(&line), secret, &file);
	CHECK(descriptor_parse(again, buf_view(&file)) == ST_OK);
	CHECK(memcmp(again->digest, d->digest, HASH_LEN) == 0);
	if (d->version == 1)
		CHECK((descriptor_check_first(again) == ST_OK) ==
		      (memcmp(d->root, secret + 32, PUBKEY_LEN) == 0));
	again->version++;
	memcpy(again->prev, d->digest, HASH_LEN);
	st = descriptor_check_next(d, again);
	CHECK((st == ST_OK) == (memcmp(d->root, secret + 32, PUBKEY_LEN) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	enum status st;

	if (d == NULL) {
		uint8_t seed[32], public_key[PUBKEY_LEN];

		/* The first root of tests/vectors/tlog-v1.json. */
		memset(seed, 3, sizeof(seed));
		CHECK(crypto_sign_seed_keypair(public_key, secret, seed) == 0);
		buf_init(&line, 1 << 20);
		buf_init(&file, 1 << 20);
		d = calloc(1, sizeof(*d));
		again = calloc(1, sizeof(*again));
		CHECK(d != NULL && again != NULL);
	}
	st = descriptor_parse(d, in);
	CHECK(st == ST_OK || st == ST_INVALID || st == ST_NEWER);
	if (st == ST_OK)
		check_parsed(in);
	/* Without its signature lines a line is worth trying as well. */
	buf_reset(&file);
	buf_bytes(&file, descriptor_line(in));
	buf_u8(&file, '\n');
	descriptor_sign(descriptor_line(in), secret, &file);
	if (st != ST_OK && size < DESCRIPTOR_BYTES_MAX &&
	    descriptor_parse(d, buf_view(&file)) == ST_OK) {
		struct buf copy = file;

		buf_init(&file, 1 << 20);
		check_parsed(buf_view(&copy));
		buf_free(&copy);
	}
	return 0;
}
