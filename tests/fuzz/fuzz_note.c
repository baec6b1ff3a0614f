/*
 * A key, a checkpoint or a note that is read has one spelling; what can be
 * signed opens again with the same text; a note that opens was signed: the two
 * keys here sign only what this target gives them, and the example of C2SP.
 */
#include <sodium.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "tlog/note.h"
#include "tlog/text.h"

static const char c2sp_vkey[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

static struct note_key log_key, witness, example;
static uint8_t log_secret[64], witness_secret[64];
static struct buf out, again;

static void
make_key(struct note_key *key, uint8_t secret[64], uint8_t seed_byte,
    const char *name, uint8_t alg)
{
	uint8_t seed[32], public_key[PUBKEY_LEN];

	memset(seed, seed_byte, sizeof(seed));
	CHECK(crypto_sign_seed_keypair(public_key, secret, seed) == 0);
	CHECK(note_key_make(key, name, alg, public_key) == ST_OK);
}

static void
check_key(struct bytes in)
{
	struct note_key key;

	if (note_key_parse(&key, in) != ST_OK)
		return;
	buf_reset(&out);
	note_key_format(&key, &out);
	CHECK(bytes_eq(buf_view(&out), in));
}

static void
check_checkpoint(struct bytes in)
{
	struct checkpoint c;

	if (checkpoint_parse(&c, in) != ST_OK)
		return;
	buf_reset(&out);
	checkpoint_format(&c, &out);
	/* Extension lines may follow. */
	CHECK(out.len <= in.len && memcmp(out.p, in.p, out.len) == 0);
}

static void
check_signed(struct bytes in)
{
	struct bytes text;
	enum status st;

	buf_reset(&out);
	st = note_sign(in, &log_key, log_secret, &out);
	CHECK(st == ST_OK || st == ST_INVALID || st == ST_LIMIT);
	if (st != ST_OK)
		return;
	CHECK(text_ok(in) && in.p[in.len - 1] == '\n');
	CHECK(note_open(buf_view(&out), &log_key, &text) == ST_OK);
	CHECK(bytes_eq(text, in));
	out.p[0] ^= 1;
	CHECK(note_open(buf_view(&out), &log_key, &text) != ST_OK);
}

static void
check_cosigned(struct bytes in)
{
	struct checkpoint c;
	uint64_t when = 0;

	buf_reset(&again);
	if (cosignature_sign(in, &witness, witness_secret, in.len, &again) !=
	    ST_OK)
		return;
	CHECK(again.len <= NOTE_BYTES_MAX);
	/* A line of this witness that was there before may be bad. */
	if (cosignature_check(in, &witness, &when) == ST_ABSENT) {
		CHECK(cosignature_check(buf_view(&again), &witness, &when) ==
		      ST_OK);
		CHECK(when == in.len);
	}
	CHECK(checkpoint_open(&c, in, &log_key) ==
	      checkpoint_open(&c, buf_view(&again), &log_key));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size }, text;
	enum status st;

	if (out.max == 0) {
		buf_init(&out, 1 << 20);
		buf_init(&again, 1 << 20);
		make_key(
		    &log_key, log_secret, 1, "court.example/zx", NOTE_ED25519);
		make_key(&witness, witness_secret, 2,
		    "procurator.example/\xe6\xa3\x80", NOTE_COSIGNATURE);
		CHECK(note_key_parse(&example, bytes_str(c2sp_vkey)) == ST_OK);
	}
	st = note_open(in, &example, &text);
	CHECK(st == ST_OK || st == ST_ABSENT || st == ST_DENIED ||
	      st == ST_INVALID);
	if (st == ST_OK)
		CHECK(bytes_eq_str(text, "This is an example message.\n"));
	check_key(in);
	check_checkpoint(in);
	check_signed(in);
	check_cosigned(in);
	return 0;
}
