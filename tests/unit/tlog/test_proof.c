#include "support/expect.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "tlog/proof.h"

#define HEAD "c2sp.org/tlog-proof@v1\n"

enum { LINKS = 13 };

static uint8_t links[LINKS][HASH_LEN], leaves[LINKS][HASH_LEN];
static struct merkle_leaves tree = { leaves, LINKS };
static struct note_key key, witness;
static uint8_t secret[64], witness_secret[64];
static struct buf note;

static int
setup(void **state)
{
	uint8_t seed[32] = { 1 }, pk[PUBKEY_LEN];
	struct checkpoint c = { .origin = "court.example/zx", .size = LINKS };

	(void)state;
	for (size_t i = 0; i < LINKS; i++) {
		memset(links[i], (int)i, HASH_LEN);
		merkle_leaf(leaves[i], bytes_of(links[i], HASH_LEN));
	}
	EXPECT(crypto_sign_seed_keypair(pk, secret, seed) == 0);
	EXPECT_OK(note_key_make(&key, c.origin, NOTE_ED25519, pk));
	seed[0] = 2;
	EXPECT(crypto_sign_seed_keypair(pk, witness_secret, seed) == 0);
	EXPECT_OK(note_key_make(&witness, "w.example", NOTE_COSIGNATURE, pk));
	EXPECT_OK(merkle_root_at(merkle_read_leaves, &tree, LINKS, c.root));
	buf_init(&note, NOTE_BYTES_MAX);
	EXPECT_OK(checkpoint_sign(&c, &key, secret, &note));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_free(&note);
	return 0;
}

static void
make(struct proof *p, uint64_t index)
{
	memset(p, 0, sizeof(*p));
	p->has_prev = true;
	memset(p->prev, 0xab, HASH_LEN);
	p->index = index;
	p->note = buf_view(&note);
	EXPECT_OK(merkle_prove_inclusion(
	    merkle_read_leaves, &tree, index, LINKS, &p->path));
}

/* Catches a proof that is lost on its way through a file, or proves another
 * link or place than its own. */
static void
test_proof_goes_through_a_file_and_proves_one_link(void **state)
{
	struct buf file, cosigned;
	uint64_t when;

	(void)state;
	buf_init(&file, PROOF_BYTES_MAX);
	buf_init(&cosigned, NOTE_BYTES_MAX);
	for (uint64_t i = 0; i < LINKS; i++) {
		struct proof p, back;
		struct checkpoint c;

		make(&p, i);
		p.has_prev = i > 0;
		buf_reset(&file);
		EXPECT_OK(proof_format(&p, &file));
		EXPECT_OK(proof_parse(&back, buf_view(&file)));
		EXPECT(back.has_prev == p.has_prev && back.index == i &&
		       back.path.count == p.path.count);
		if (p.has_prev)
			assert_memory_equal(back.prev, p.prev, HASH_LEN);
		EXPECT_BYTES(back.note, buf_view(&note));
		EXPECT_OK(proof_check(&back, links[i], &key, &c));
		EXPECT(c.size == LINKS);
		for (uint64_t k = 0; k < LINKS; k++) {
			if (k == i)
				continue;
			EXPECT_ST(proof_check(&back, links[k], &key, NULL),
			    ST_DENIED);
			back.index = k;
			EXPECT_ST(proof_check(&back, links[i], &key, NULL),
			    ST_DENIED);
			back.index = i;
		}
		/* Cosigned later, it still proves, and the witness counts. */
		buf_reset(&cosigned);
		EXPECT_OK(cosignature_sign(
		    back.note, &witness, witness_secret, 77, &cosigned));
		back.note = buf_view(&cosigned);
		EXPECT_OK(proof_check(&back, links[i], &key, NULL));
		EXPECT_OK(cosignature_check(back.note, &witness, &when));
		EXPECT(when == 77);
		EXPECT_ST(
		    proof_check(&back, links[i], &witness, NULL), ST_DENIED);
	}
	buf_free(&file);
	buf_free(&cosigned);
}

/* Catches a changed bit that goes unseen: each one is refused when read or
 * when checked; but for those of `extra`, which change what is read. */
static void
test_changed_or_cut_proof_is_refused(void **state)
{
	struct proof p, back;
	struct buf file;
	uint8_t prev[HASH_LEN];

	(void)state;
	buf_init(&file, PROOF_BYTES_MAX);
	make(&p, 5);
	memcpy(prev, p.prev, HASH_LEN);
	EXPECT_OK(proof_format(&p, &file));
	for (size_t bit = 0; bit < file.len * 8; bit++) {
		file.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (proof_parse(&back, buf_view(&file)) == ST_OK &&
		    proof_check(&back, links[5], &key, NULL) == ST_OK) {
			size_t at = strlen(HEAD "extra ");

			if (bit / 8 < at || bit / 8 >= at + 44)
				print_error(
				    "bit %zu of\n%s", bit, buf_cstr(&file));
			EXPECT(bit / 8 >= at && bit / 8 < at + 44);
			EXPECT(memcmp(back.prev, prev, HASH_LEN) != 0);
		}
		file.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < file.len; cut++)
		EXPECT(proof_parse(&back, bytes_of(file.p, cut)) != ST_OK ||
		       proof_check(&back, links[5], &key, NULL) != ST_OK);
	buf_free(&file);
}

/* Catches a reader looser than the specification. */
static void
test_what_is_no_proof_file_is_invalid(void **state)
{
#define HASH "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"
	static const char *const bad[] = { "", "\n", HEAD, HEAD "\n",
		"c2sp.org/tlog-proof@v2\nindex 0\n\nnote\n",
		"c2sp.org/tlog-proof@v1 \nindex 0\n\nnote\n",
		"index 0\n\nnote\n", HEAD "index 0\n", HEAD "index 0\n\n",
		HEAD "index \n\nnote\n", HEAD "index 00\n\nnote\n",
		HEAD "index 01\n\nnote\n", HEAD "index -1\n\nnote\n",
		HEAD "index  1\n\nnote\n", HEAD "index 1 \n\nnote\n",
		HEAD "Index 1\n\nnote\n",
		HEAD "index 9223372036854775807\n\nnote\n",
		HEAD "index 18446744073709551616\n\nnote\n",
		HEAD "index 0\nextra " HASH "\nnote\n",
		HEAD "extra " HASH "extra " HASH "index 0\n\nnote\n",
		HEAD "extra " HASH "\nindex 0\n\nnote\n",
		HEAD "extra\nindex 0\n\nnote\n",
		HEAD "extra \nindex 0\n\nnote\n",
		HEAD "extra AAAA\nindex 0\n\nnote\n", HEAD "extra " HASH,
		HEAD "\nindex 0\n\nnote\n", HEAD "index 0\nAAAA\n\nnote\n",
		HEAD "index 0\n" HASH HASH, HEAD "index 0\n " HASH "\nnote\n",
		HEAD "index 0\r\n\r\nnote\n" };
	struct proof p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (proof_parse(&p, bytes_str(bad[i])) != ST_INVALID)
			print_error("took %s\n", bad[i]);
		EXPECT_ST(proof_parse(&p, bytes_str(bad[i])), ST_INVALID);
	}
	EXPECT_OK(proof_parse(&p, bytes_str(HEAD "index 0\n\nnote\n")));
	EXPECT(!p.has_prev && p.path.count == 0);
	EXPECT_BYTES(p.note, bytes_str("note\n"));
	EXPECT_OK(proof_parse(
	    &p, bytes_str(HEAD "extra " HASH "index 9223372036854775806\n" HASH
			       "\nnote\n")));
	EXPECT(
	    p.has_prev && p.path.count == 1 && p.index == MERKLE_SIZE_MAX - 1);
	EXPECT_ST(proof_check(&p, links[0], &key, NULL), ST_INVALID);
}

/* Catches limits that are off by one: hashes, note, file. */
static void
test_limits_hold_to_the_last_hash(void **state)
{
	static char text[PROOF_BYTES_MAX + 64];
	static uint8_t long_note[NOTE_BYTES_MAX + 1];
	struct proof p;
	struct buf b;
	int n;

	(void)state;
	for (int hashes = 63; hashes <= 65; hashes++) {
		n = snprintf(text, sizeof(text), HEAD "index 0\n");
		for (int i = 0; i < hashes; i++)
			n += snprintf(text + n, sizeof(text) - (size_t)n, HASH);
		n += snprintf(text + n, sizeof(text) - (size_t)n, "\nnote\n");
		EXPECT_ST(proof_parse(&p, bytes_of(text, (size_t)n)),
		    hashes <= MERKLE_PROOF_MAX ? ST_OK : ST_INVALID);
	}
	buf_init(&b, sizeof(text));
	memset(&p, 0, sizeof(p));
	p.has_prev = true;
	p.index = MERKLE_SIZE_MAX - 1;
	p.path.count = MERKLE_PROOF_MAX;
	p.note = bytes_of(long_note, NOTE_BYTES_MAX);
	EXPECT_OK(proof_format(&p, &b));
	EXPECT(b.len <= PROOF_BYTES_MAX);
	EXPECT_OK(proof_parse(&p, buf_view(&b)));
	buf_u8(&b, 0);
	EXPECT_ST(proof_parse(&p, buf_view(&b)), ST_INVALID);
	p.note = bytes_of(long_note, NOTE_BYTES_MAX + 1);
	buf_reset(&b);
	EXPECT_ST(proof_format(&p, &b), ST_INVALID);
	p.note.len = 0;
	EXPECT_ST(proof_format(&p, &b), ST_INVALID);
	p.note.len = 9;
	p.index = MERKLE_SIZE_MAX;
	EXPECT_ST(proof_format(&p, &b), ST_INVALID);
	p.index = 0;
	p.path.count = MERKLE_PROOF_MAX + 1;
	EXPECT_ST(proof_format(&p, &b), ST_INVALID);
	buf_free(&b);
	buf_init(&b, 100);
	make(&p, 3);
	EXPECT_ST(proof_format(&p, &b), ST_LIMIT);
	EXPECT(b.len == 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_proof_goes_through_a_file_and_proves_one_link),
		cmocka_unit_test(test_changed_or_cut_proof_is_refused),
		cmocka_unit_test(test_what_is_no_proof_file_is_invalid),
		cmocka_unit_test(test_limits_hold_to_the_last_hash),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
