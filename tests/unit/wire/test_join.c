#include "support/expect.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

#include "wire/join.h"

static void
sample(struct join_code *c)
{
	for (size_t i = 0; i < JOIN_SECRET_LEN; i++)
		c->secret[i] = (uint8_t)(i * 7 + 1);
	for (size_t i = 0; i < HASH_LEN; i++)
		c->descriptor[i] = (uint8_t)(200 - i);
	memcpy(c->address, "10.0.0.5:8443", sizeof("10.0.0.5:8443"));
}

/* Catches a code that does not come back as it was, or only in one case. */
static void
test_join_code_comes_back_whole(void **state)
{
	struct join_code c, back;
	struct buf b;

	(void)state;
	sample(&c);
	buf_init(&b, JOIN_CODE_MAX);
	buf_str(&b, " \n");
	join_code_format(&c, &b);
	buf_str(&b, "\r\n");
	EXPECT_OK(join_code_parse(&back, buf_view(&b)));
	EXPECT(memcmp(c.secret, back.secret, sizeof(c.secret)) == 0);
	EXPECT(memcmp(c.descriptor, back.descriptor, HASH_LEN) == 0);
	assert_string_equal(c.address, back.address);
	for (size_t i = 0; i < b.len; i++)
		b.p[i] = (uint8_t)toupper(b.p[i]);
	EXPECT_OK(join_code_parse(&back, buf_view(&b)));
	buf_free(&b);
}

/* Catches a cut or altered code that is taken for another address. */
static void
test_join_code_cut_or_foreign_is_refused(void **state)
{
	struct join_code c, back;
	struct buf b;

	(void)state;
	sample(&c);
	buf_init(&b, JOIN_CODE_MAX);
	join_code_format(&c, &b);
	for (size_t n = 0; n + 8 < b.len; n++)
		EXPECT_ST(join_code_parse(&back, bytes_of(b.p, n)), ST_INVALID);
	b.p[0] = 'x';
	EXPECT_ST(join_code_parse(&back, buf_view(&b)), ST_INVALID);
	EXPECT(!join_address_ok(bytes_str("host")));
	EXPECT(!join_address_ok(bytes_str("host:")));
	EXPECT(!join_address_ok(bytes_str(":80")));
	EXPECT(!join_address_ok(bytes_str("host:0")));
	EXPECT(!join_address_ok(bytes_str("host:65536")));
	EXPECT(!join_address_ok(bytes_str("ho st:80")));
	EXPECT(join_address_ok(bytes_str("[::1]:65535")));
	buf_free(&b);
}

/* Catches a signature that covers less than it should. */
static void
test_join_signatures_cover_every_part(void **state)
{
	uint8_t pk[32], sk[64], sig[SIG_LEN], code[HASH_LEN] = { 1 };
	uint8_t desc[HASH_LEN] = { 2 };
	struct bytes csr = bytes_str("csr"), other = bytes_str("csR");

	(void)state;
	EXPECT(crypto_sign_keypair(pk, sk) == 0);
	join_enrol_sign(sig, sk, code, csr, desc);
	EXPECT_OK(join_enrol_verify(sig, pk, code, csr, desc));
	EXPECT_ST(join_enrol_verify(sig, pk, desc, csr, desc), ST_DENIED);
	EXPECT_ST(join_enrol_verify(sig, pk, code, other, desc), ST_DENIED);
	EXPECT_ST(join_enrol_verify(sig, pk, code, csr, code), ST_DENIED);
	EXPECT_ST(join_renew_verify(sig, pk, code, csr), ST_DENIED);
	join_renew_sign(sig, sk, code, csr);
	EXPECT_OK(join_renew_verify(sig, pk, code, csr));
	EXPECT_ST(join_renew_verify(sig, pk, desc, csr), ST_DENIED);
	sig[0] ^= 1;
	EXPECT_ST(join_renew_verify(sig, pk, code, csr), ST_DENIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join_code_comes_back_whole),
		cmocka_unit_test(test_join_code_cut_or_foreign_is_refused),
		cmocka_unit_test(test_join_signatures_cover_every_part),
	};

	return sodium_init() < 0 ? 1
				 : cmocka_run_group_tests(tests, NULL, NULL);
}
