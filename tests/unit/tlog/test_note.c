#include "support/expect.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "tlog/merkle.h"
#include "tlog/note.h"

/* The example of c2sp.org/signed-note. */
static const char c2sp_vkey[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
static const char c2sp_note[] =
    "This is an example message.\n"
    "\n"
    "\xe2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON"
    "ncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/* The example of c2sp.org/tlog-cosignature (its keys are not published). */
static const char c2sp_cosigned[] =
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "\xe2\x80\x94 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZni"
    "Mp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "\xe2\x80\x94 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/z"
    "XcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

static struct note_key log_key, other_key, witness_key, witness2_key;
static uint8_t log_secret[64], other_secret[64], witness_secret[64],
    witness2_secret[64];
static struct checkpoint head = { "court.example/zx", 20852163, { 1, 2, 3 } };

static void
make_key(struct note_key *key, uint8_t secret[64], const char *name,
    uint8_t alg, uint8_t seed_byte)
{
	uint8_t seed[32], public_key[PUBKEY_LEN];

	memset(seed, seed_byte, sizeof(seed));
	EXPECT(crypto_sign_seed_keypair(public_key, secret, seed) == 0);
	EXPECT_OK(note_key_make(key, name, alg, public_key));
}

static int
setup(void **state)
{
	(void)state;
	make_key(&log_key, log_secret, "court.example/zx", NOTE_ED25519, 1);
	make_key(&other_key, other_secret, "court.example/zx", NOTE_ED25519, 2);
	make_key(&witness_key, witness_secret, "procurator.example/w1",
	    NOTE_COSIGNATURE, 3);
	make_key(&witness2_key, witness2_secret, "upper.example/w",
	    NOTE_COSIGNATURE, 4);
	return 0;
}

static enum status
open_str(const char *note)
{
	struct bytes text;

	return note_open(bytes_str(note), &log_key, &text);
}

/* Catches a wrong key id, message or line form: the specification's own
 * example must open, and no changed bit of it may. */
static void
test_c2sp_example_opens_and_nothing_near_it(void **state)
{
	struct note_key key;
	struct bytes text;
	struct buf vkey;
	char note[sizeof(c2sp_note)];
	size_t len = strlen(c2sp_note);

	(void)state;
	EXPECT_OK(note_key_parse(&key, bytes_str(c2sp_vkey)));
	assert_string_equal(key.name, "example.com/foo");
	EXPECT(key.hash == 0x530d903a && key.alg == NOTE_ED25519);
	buf_init(&vkey, NOTE_VKEY_MAX);
	note_key_format(&key, &vkey);
	EXPECT_BYTES(buf_view(&vkey), bytes_str(c2sp_vkey));
	buf_free(&vkey);

	EXPECT_OK(note_open(bytes_str(c2sp_note), &key, &text));
	EXPECT_BYTES(text, bytes_str("This is an example message.\n"));
	for (size_t bit = 0; bit < len * 8; bit++) {
		memcpy(note, c2sp_note, sizeof(note));
		note[bit / 8] = (char)(note[bit / 8] ^ 1 << bit % 8);
		EXPECT(note_open(bytes_of(note, len), &key, &text) != ST_OK);
	}
	for (size_t cut = 0; cut < len; cut++)
		EXPECT(
		    note_open(bytes_of(c2sp_note, cut), &key, &text) != ST_OK);
}

/* Catches a reader that stumbles over signatures it cannot check: they are
 * passed over, as C2SP orders. */
static void
test_unknown_signatures_are_passed_over(void **state)
{
	struct checkpoint c;
	uint64_t time_s = 7;

	(void)state;
	EXPECT_ST(open_str(c2sp_note), ST_ABSENT);
	EXPECT_ST(open_str(c2sp_cosigned), ST_ABSENT);
	EXPECT_ST(
	    cosignature_check(bytes_str(c2sp_cosigned), &witness_key, &time_s),
	    ST_ABSENT);
	EXPECT(time_s == 7);
	/* A signature of 2,420 bytes (ML-DSA-44) beside ours. */
	{
		static uint8_t big[4 + 8 + 2420];
		static char text[4 * sizeof(big)];
		struct buf b;

		buf_init(&b, NOTE_BYTES_MAX);
		EXPECT_OK(checkpoint_sign(&head, &log_key, log_secret, &b));
		base64_encode(text, bytes_of(big, sizeof(big)));
		buf_printf(&b, "\xe2\x80\x94 pq.example %s\n", text);
		EXPECT_OK(checkpoint_open(&c, buf_view(&b), &log_key));
		buf_free(&b);
	}
}

/* Catches a signer and a reader that disagree, a wrong verdict for a note of
 * another key, and a checkpoint taken under another log's name. */
static void
test_checkpoint_opens_under_its_own_key_only(void **state)
{
	struct checkpoint c, before;
	struct note_key renamed;
	struct buf b;

	(void)state;
	buf_init(&b, NOTE_BYTES_MAX);
	EXPECT_OK(checkpoint_sign(&head, &log_key, log_secret, &b));
	EXPECT_OK(checkpoint_open(&c, buf_view(&b), &log_key));
	assert_string_equal(c.origin, head.origin);
	EXPECT(c.size == head.size);
	assert_memory_equal(c.root, head.root, HASH_LEN);

	before = c;
	EXPECT_ST(checkpoint_open(&c, buf_view(&b), &other_key), ST_ABSENT);
	EXPECT_ST(checkpoint_open(&c, buf_view(&b), &witness_key), ST_DENIED);
	/* Same name and id, another key: known, hence judged, hence bad. */
	renamed = other_key;
	renamed.hash = log_key.hash;
	EXPECT_ST(checkpoint_open(&c, buf_view(&b), &renamed), ST_DENIED);
	assert_memory_equal(&c, &before, sizeof(c));

	/* A log may not sign for another origin, nor be believed if it does. */
	EXPECT_OK(note_key_make(
	    &renamed, "other.example", NOTE_ED25519, log_key.public_key));
	EXPECT_ST(checkpoint_sign(&head, &renamed, log_secret, &b), ST_INVALID);
	buf_reset(&b);
	{
		struct buf text;

		buf_init(&text, 1000);
		checkpoint_format(&head, &text);
		EXPECT_OK(note_sign(buf_view(&text), &renamed, log_secret, &b));
		buf_free(&text);
	}
	EXPECT_ST(checkpoint_open(&c, buf_view(&b), &renamed), ST_DENIED);
	buf_free(&b);
}

/* Catches one good signature covering for a bad one of the same key. */
static void
test_bad_signature_beside_a_good_one_spoils_the_note(void **state)
{
	struct buf good, b;
	struct bytes text;
	size_t line;

	(void)state;
	buf_init(&good, NOTE_BYTES_MAX);
	buf_init(&b, NOTE_BYTES_MAX);
	EXPECT_OK(note_sign(bytes_str("one\n"), &log_key, log_secret, &good));
	line = strlen("one\n\n");

	/* The line twice is fine; with a line over another text it is not,
	 * whichever stands first. */
	buf_bytes(&b, buf_view(&good));
	buf_add(&b, good.p + line, good.len - line);
	EXPECT_OK(note_open(buf_view(&b), &log_key, &text));
	for (int first = 0; first < 2; first++) {
		struct buf other;

		buf_init(&other, NOTE_BYTES_MAX);
		EXPECT_OK(note_sign(
		    bytes_str("two\n"), &log_key, log_secret, &other));
		buf_reset(&b);
		buf_bytes(&b, first ? buf_view(&other) : buf_view(&good));
		if (first)
			memcpy(b.p, "one", 3);
		buf_add(&b, (first ? good.p : other.p) + line, good.len - line);
		EXPECT_ST(note_open(buf_view(&b), &log_key, &text), ST_DENIED);
		buf_free(&other);
	}
	buf_free(&good);
	buf_free(&b);
}

/* Catches a parser looser than the specification. */
static void
test_what_is_no_note_is_invalid(void **state)
{
#define SIG "\xe2\x80\x94 a.example AAAAAAA="
	static const char *const bad[] = {
		"",
		"\n",
		"\n\n",
		"text\n",
		"text\n\n",
		SIG "\n",                  /* no text */
		"\n" SIG "\n",             /* an empty line, no text */
		"text\n" SIG "\n",         /* no empty line */
		"text\n\n" SIG,            /* no LF at the end */
		"text\n\n" SIG "\n\n",     /* an empty line at the end */
		"text\n\n" SIG "\nmore\n", /* a line that is no signature */
		"text\n\nmore\n" SIG "\n",
		"text\r\n\n" SIG "\n", /* control characters */
		"te\txt\n\n" SIG "\n",
		"te\x1fxt\n\n" SIG "\n",
		"te\xffxt\n\n" SIG "\n",          /* not UTF-8 */
		"te\xc0\xafxt\n\n" SIG "\n",      /* overlong */
		"te\xed\xa0\x80xt\n\n" SIG "\n",  /* a surrogate */
		"text\n\n- a.example AAAAAAA=\n", /* a plain dash */
		"text\n\n\xe2\x80\x94"
		"a.example AAAAAAA=\n",
		"text\n\n\xe2\x80\x94  AAAAAAA=\n",          /* no name */
		"text\n\n\xe2\x80\x94 a.example\n",          /* no signature */
		"text\n\n\xe2\x80\x94 a.example \n",         /* an empty one */
		"text\n\n\xe2\x80\x94 a.example AAAA\n",     /* three bytes */
		"text\n\n\xe2\x80\x94 a.example AAAAAA==\n", /* a bare id */
		"text\n\n\xe2\x80\x94 a.example AAAAAAA\n",  /* no padding */
		"text\n\n\xe2\x80\x94 a.example AAAAAAB=\n", /* stray bits */
		"text\n\n\xe2\x80\x94 a.example AAAAAAA= \n",
		"text\n\n\xe2\x80\x94 a b AAAAAAA=\n", /* a space in the name */
		"text\n\n\xe2\x80\x94 a+b AAAAAAA=\n",
		"text\n\n\xe2\x80\x94 a\xc2\xa0"
		"b AAAAAAA=\n",
		"text\n\n\xe2\x80\x94 a\xe3\x80\x80"
		"b AAAAAAA=\n",
	};
	struct bytes text;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (open_str(bad[i]) != ST_INVALID)
			print_error("case %zu: %s\n", i, bad[i]);
		EXPECT_ST(open_str(bad[i]), ST_INVALID);
	}
	EXPECT_ST(open_str("text\n\n" SIG "\n"), ST_ABSENT);
	EXPECT_ST(open_str("\n\n" SIG "\n"), ST_ABSENT);
	EXPECT_ST(open_str("a\n\nb\n\n" SIG "\n" SIG "\n"), ST_ABSENT);
	/* A NUL is a control character like any other. */
	EXPECT_ST(note_open(bytes_of("t\0t\n\n" SIG "\n", 5 + strlen(SIG) + 1),
		      &log_key, &text),
	    ST_INVALID);
}

/* Catches an empty line in the text being taken for the end of it: a signer
 * could then make two readers see two texts. */
static void
test_text_ends_at_the_last_empty_line(void **state)
{
	static const char tricky[] = "one\n\n" SIG "\n\ntwo\n";
	struct bytes text;
	struct buf b;

	(void)state;
	buf_init(&b, NOTE_BYTES_MAX);
	EXPECT_OK(note_sign(bytes_str(tricky), &log_key, log_secret, &b));
	EXPECT_OK(note_open(buf_view(&b), &log_key, &text));
	EXPECT_BYTES(text, bytes_str(tricky));
	buf_free(&b);
}

/* Catches limits that are off by one: signatures, bytes, name. */
static void
test_limits_hold_to_the_last_byte(void **state)
{
	static char text[NOTE_BYTES_MAX + 1];
	char name[NOTE_NAME_MAX + 2];
	struct note_key key;
	struct bytes got;
	struct buf b, once;
	size_t over;

	(void)state;
	buf_init(&b, 2 * NOTE_BYTES_MAX);
	buf_init(&once, NOTE_BYTES_MAX);
	EXPECT_OK(note_sign(bytes_str("text\n"), &log_key, log_secret, &once));
	buf_bytes(&b, buf_view(&once));
	for (int n = 1; n < NOTE_SIGNATURES_MAX; n++)
		buf_str(&b, SIG "\n");
	EXPECT_OK(note_open(buf_view(&b), &log_key, &got));
	buf_str(&b, SIG "\n");
	EXPECT_ST(note_open(buf_view(&b), &log_key, &got), ST_INVALID);

	memset(text, 'x', sizeof(text));
	over = once.len - strlen("text\n");
	text[NOTE_BYTES_MAX - over - 1] = '\n';
	buf_reset(&b);
	buf_str(&b, "kept");
	EXPECT_OK(note_sign(
	    bytes_of(text, NOTE_BYTES_MAX - over), &log_key, log_secret, &b));
	EXPECT(b.len == 4 + NOTE_BYTES_MAX);
	EXPECT_OK(note_open(bytes_of(b.p + 4, b.len - 4), &log_key, &got));
	b.len = 4;
	text[NOTE_BYTES_MAX - over - 1] = 'x';
	text[NOTE_BYTES_MAX - over] = '\n';
	EXPECT_ST(note_sign(bytes_of(text, NOTE_BYTES_MAX - over + 1), &log_key,
		      log_secret, &b),
	    ST_LIMIT);
	EXPECT_BYTES(buf_view(&b), bytes_str("kept"));

	memset(name, 'n', sizeof(name));
	name[NOTE_NAME_MAX + 1] = '\0';
	EXPECT_ST(note_key_make(&key, name, 1, log_key.public_key), ST_INVALID);
	name[NOTE_NAME_MAX] = '\0';
	EXPECT_OK(note_key_make(&key, name, 1, log_key.public_key));
	buf_reset(&b);
	note_key_format(&key, &b);
	EXPECT(b.len == NOTE_VKEY_MAX);
	EXPECT_OK(note_key_parse(&key, buf_view(&b)));
	buf_free(&b);
	buf_free(&once);
}

/* Catches text being signed that no reader would take. */
static void
test_signing_refuses_what_is_no_note_text(void **state)
{
	static const char *const bad[] = { "", "no LF", "tab\t\n", "\xff\n" };
	struct buf b;

	(void)state;
	buf_init(&b, NOTE_BYTES_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_ST(
		    note_sign(bytes_str(bad[i]), &log_key, log_secret, &b),
		    ST_INVALID);
	EXPECT_ST(note_sign(bytes_str("x\n"), &log_key, other_secret, &b),
	    ST_INVALID);
	EXPECT_ST(note_sign(bytes_str("x\n"), &witness_key, witness_secret, &b),
	    ST_INVALID);
	EXPECT(b.len == 0);
	buf_free(&b);
}

/* Catches a verifier key that is taken with a wrong id, name or type. */
static void
test_bad_vkeys_are_refused(void **state)
{
	static const char *const bad[] = { "", "+", "++", "a", "a+530d903a",
		"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903b+"
		"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/fop+530d903a+"
		"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530D903A+"
		"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903+"
		"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+"
		"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2l",
		"example.com/foo+530d903a+"
		"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAAAA",
		"example.com/foo+530d903a+"
		"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
		"example.com/ foo+530d903a+"
		"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k" };
	uint8_t public_key[PUBKEY_LEN] = { 9 };
	struct note_key key;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_ST(note_key_parse(&key, bytes_str(bad[i])), ST_INVALID);
	for (size_t cut = 0; cut < strlen(c2sp_vkey); cut++)
		EXPECT_ST(
		    note_key_parse(&key, bytes_of(c2sp_vkey, cut)), ST_INVALID);
	EXPECT_ST(note_key_make(&key, "", 1, public_key), ST_INVALID);
	EXPECT_ST(note_key_make(&key, "a b", 1, public_key), ST_INVALID);
	EXPECT_ST(note_key_make(&key, "a+b", 1, public_key), ST_INVALID);
	EXPECT_ST(note_key_make(&key, "a\n", 1, public_key), ST_INVALID);
	EXPECT_ST(note_key_make(&key, "a", 2, public_key), ST_INVALID);
	EXPECT_ST(note_key_make(&key, "a", 6, public_key), ST_INVALID);
}

/* Catches a checkpoint with two spellings, or one that is none. */
static void
test_checkpoint_text_has_one_spelling(void **state)
{
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	static const char *const bad[] = { "", "o\n", "o\n1\n", "o\n1\n\n",
		"\n1\n" ROOT, "o\n01\n" ROOT, "o\n\n" ROOT, "o\n-1\n" ROOT,
		"o\n+1\n" ROOT, "o\n1 \n" ROOT, "o\n0x1\n" ROOT,
		"o\n9223372036854775808\n" ROOT,
		"o\n18446744073709551616\n" ROOT,
		"o\n99999999999999999999999\n" ROOT,
		"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
		"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
		"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jx\n",
		"o\n1\n" ROOT "\n", "o\n1\n" ROOT "ext\n\next\n",
		"o\n1\n" ROOT "ext", "o\r\n1\n" ROOT };
	struct checkpoint c;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_ST(checkpoint_parse(&c, bytes_str(bad[i])), ST_INVALID);
	EXPECT_OK(checkpoint_parse(
	    &c, bytes_str("o\n9223372036854775807\n" ROOT "ext\nmore\n")));
	EXPECT(c.size == MERKLE_SIZE_MAX);
	EXPECT_OK(checkpoint_parse(&c, bytes_str("o p\n0\n" ROOT)));
	EXPECT(c.size == 0);
	buf_init(&b, 1000);
	checkpoint_format(&c, &b);
	EXPECT_BYTES(buf_view(&b), bytes_str("o p\n0\n" ROOT));
	buf_free(&b);
}

/* Catches a witness believed for a time, a head or a name that it did not
 * sign. */
static void
test_cosignature_covers_time_and_whole_text(void **state)
{
	struct buf note, one, two;
	struct checkpoint c;
	uint64_t when = 0;
	size_t line;

	(void)state;
	buf_init(&note, NOTE_BYTES_MAX);
	buf_init(&one, NOTE_BYTES_MAX);
	buf_init(&two, NOTE_BYTES_MAX);
	EXPECT_OK(checkpoint_sign(&head, &log_key, log_secret, &note));
	EXPECT_OK(cosignature_sign(
	    buf_view(&note), &witness_key, witness_secret, 1679315147, &one));
	EXPECT_OK(cosignature_sign(
	    buf_view(&one), &witness2_key, witness2_secret, 1679315148, &two));
	EXPECT_OK(cosignature_check(buf_view(&two), &witness_key, &when));
	EXPECT(when == 1679315147);
	EXPECT_OK(cosignature_check(buf_view(&two), &witness2_key, &when));
	EXPECT(when == 1679315148);
	EXPECT_OK(checkpoint_open(&c, buf_view(&two), &log_key));
	EXPECT_ST(
	    cosignature_check(buf_view(&note), &witness_key, &when), ST_ABSENT);
	EXPECT_ST(
	    cosignature_check(buf_view(&two), &log_key, &when), ST_DENIED);

	/* Every bit of the text and of the witness's line. */
	line = note.len;
	for (size_t bit = 0; bit < one.len * 8; bit++) {
		if (bit ==
		    8 * (size_t)(strchr((char *)one.p, '\n') - (char *)one.p))
			bit = line * 8;
		one.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		EXPECT(cosignature_check(buf_view(&one), &witness_key, &when) !=
		       ST_OK);
		one.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	EXPECT(when == 1679315148);

	/* A time that C2SP does not allow, under a good signature. */
	{
		uint8_t raw[4 + 8 + SIG_LEN];
		char text[sizeof(raw) * 2];
		struct buf msg;

		buf_init(&msg, NOTE_BYTES_MAX);
		buf_str(&msg, "cosignature/v1\ntime 9223372036854775808\n");
		checkpoint_format(&head, &msg);
		be32_put(raw, witness_key.hash);
		be64_put(raw + 4, (uint64_t)1 << 63);
		EXPECT(crypto_sign_detached(raw + 12, NULL, msg.p, msg.len,
			   witness_secret) == 0);
		base64_encode(text, bytes_of(raw, sizeof(raw)));
		buf_reset(&two);
		buf_bytes(&two, buf_view(&note));
		buf_printf(
		    &two, "\xe2\x80\x94 %s %s\n", witness_key.name, text);
		EXPECT_ST(
		    cosignature_check(buf_view(&two), &witness_key, &when),
		    ST_DENIED);
		buf_free(&msg);
	}

	/* Signed again later: the latest time is told. */
	buf_reset(&two);
	EXPECT_OK(cosignature_sign(
	    buf_view(&one), &witness_key, witness_secret, 1700000000, &two));
	EXPECT_OK(cosignature_check(buf_view(&two), &witness_key, &when));
	EXPECT(when == 1700000000);
	buf_free(&note);
	buf_free(&one);
	buf_free(&two);
}

/* Catches a cosignature over what is no checkpoint, or by the wrong key. */
static void
test_cosignature_sign_refuses_what_it_should(void **state)
{
	struct buf note, out;
	size_t line = 0;
	enum status st;
	uint64_t when;

	(void)state;
	buf_init(&note, 2 * NOTE_BYTES_MAX);
	buf_init(&out, 2 * NOTE_BYTES_MAX);
	EXPECT_OK(note_sign(bytes_str("hello\n"), &log_key, log_secret, &note));
	EXPECT_ST(cosignature_sign(
		      buf_view(&note), &witness_key, witness_secret, 1, &out),
	    ST_INVALID);
	EXPECT_ST(cosignature_check(buf_view(&note), &witness_key, &when),
	    ST_INVALID);
	buf_reset(&note);
	EXPECT_OK(checkpoint_sign(&head, &log_key, log_secret, &note));
	EXPECT_ST(
	    cosignature_sign(buf_view(&note), &log_key, log_secret, 1, &out),
	    ST_INVALID);
	EXPECT_ST(cosignature_sign(
		      buf_view(&note), &witness_key, witness2_secret, 1, &out),
	    ST_INVALID);
	EXPECT_ST(cosignature_sign(buf_view(&note), &witness_key,
		      witness_secret, (uint64_t)INT64_MAX + 1, &out),
	    ST_INVALID);
	/* Until one line more would not fit: then nothing is written. */
	while ((st = cosignature_sign(buf_view(&note), &witness_key,
		    witness_secret, 1, &out)) == ST_OK) {
		line = out.len - note.len;
		buf_reset(&note);
		buf_bytes(&note, buf_view(&out));
		buf_reset(&out);
	}
	EXPECT_ST(st, ST_LIMIT);
	EXPECT(out.len == 0 && out.err == ST_OK);
	EXPECT(note.len > 99 * line || note.len + line > NOTE_BYTES_MAX);
	EXPECT_OK(cosignature_check(buf_view(&note), &witness_key, &when));
	buf_free(&note);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_c2sp_example_opens_and_nothing_near_it),
		cmocka_unit_test(test_unknown_signatures_are_passed_over),
		cmocka_unit_test(test_checkpoint_opens_under_its_own_key_only),
		cmocka_unit_test(
		    test_bad_signature_beside_a_good_one_spoils_the_note),
		cmocka_unit_test(test_what_is_no_note_is_invalid),
		cmocka_unit_test(test_text_ends_at_the_last_empty_line),
		cmocka_unit_test(test_limits_hold_to_the_last_byte),
		cmocka_unit_test(test_signing_refuses_what_is_no_note_text),
		cmocka_unit_test(test_bad_vkeys_are_refused),
		cmocka_unit_test(test_checkpoint_text_has_one_spelling),
		cmocka_unit_test(test_cosignature_covers_time_and_whole_text),
		cmocka_unit_test(test_cosignature_sign_refuses_what_it_should),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
