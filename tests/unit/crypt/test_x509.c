/*
 * x509: keys, requests and certificates.  Golden vectors were made with
 * OpenSSL 3.0 (req, ec, x509), so that both libraries must agree on the bytes.
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "crypt/x509.h"

static const char openssl_key[] =
    "307702010104208c2a424cd28f0a4d453e4a1c41b290cbe2c8b639a9ba1929fa"
    "f28a68f9ea2963a00a06082a8648ce3d030107a144034200048fdcde21771c8e"
    "8d92141c60e4f8c78563e53489a27702b92905fae63d813e05fa6452dcb4a07c"
    "482e571d0d5f57f89b257e59d47917c94a91fa67a3507cd63c";
static const char openssl_public[] =
    "3059301306072a8648ce3d020106082a8648ce3d030107034200048fdcde2177"
    "1c8e8d92141c60e4f8c78563e53489a27702b92905fae63d813e05fa6452dcb4"
    "a07c482e571d0d5f57f89b257e59d47917c94a91fa67a3507cd63c";
static const char openssl_csr[] =
    "3082011c3081c302010030183116301406035504030c0d6576696c2c204f3d6f"
    "746865723059301306072a8648ce3d020106082a8648ce3d030107034200048f"
    "dcde21771c8e8d92141c60e4f8c78563e53489a27702b92905fae63d813e05fa"
    "6452dcb4a07c482e571d0d5f57f89b257e59d47917c94a91fa67a3507cd63ca0"
    "49304706092a864886f70d01090e313a303830360603551d11042f302d862b75"
    "726e3a646179627265616b3a6465763a61616161616161616161616161616161"
    "61616161616161616161300a06082a8648ce3d040302034800304502200d182b"
    "a8882466f75e10b35ceeaffab98e21598ab1d69bc9035466a3d6c91544022100"
    "872dc41e1b442cf8259ef5da4fe3274c53b628cb241ff0db1aa32c484aba67b6";
static const char openssl_cert[] =
    "308201c230820168a00302010202104102030405060708090a0b0c0d0e0f1030"
    "0a06082a8648ce3d040302300c310a300806035504030c0178301e170d323631"
    "3132343033333630395a170d3237313132343033333630395a300c310a300806"
    "035504030c01783059301306072a8648ce3d020106082a8648ce3d0301070342"
    "00048fdcde21771c8e8d92141c60e4f8c78563e53489a27702b92905fae63d81"
    "3e05fa6452dcb4a07c482e571d0d5f57f89b257e59d47917c94a91fa67a3507c"
    "d63ca381ab3081a8301d0603551d0e04160414ceb65f2444b5c42e8565cbd042"
    "e3e34d576b4bd1301f0603551d23041830168014ceb65f2444b5c42e8565cbd0"
    "42e3e34d576b4bd1300f0603551d130101ff040530030101ff30550603551d11"
    "044e304c8209612e6578616d706c65862b75726e3a646179627265616b3a6465"
    "763a6162636465666768696a6b6c6d6e6f707172737475767778797a86126874"
    "7470733a2f2f782e6578616d706c652f300a06082a8648ce3d04030203480030"
    "45022100c595ab72461391dc9bd6025f1c8ed31c8d955248bceb83225394eefa"
    "f3acec81022052440c10f107fb5ca718201046249e7b924fe78429913249fa6c"
    "c76a29d2b71b";
static const char csr_p384[] =
    "3082010530818b020100300c310a300806035504030c01783076301006072a86"
    "48ce3d020106052b810400220362000471e019eae11e5026166958382aa7083d"
    "42fecc0265358c68d84a936bde28ba775d2e7109c62596fc181d42f22e24d0c4"
    "4510235e89b2a56d7cefa45a1415c9515cfd2238e5d75a12e128b3c06bde83ba"
    "8c6f7d10b89251c7438e30d4178733eda000300a06082a8648ce3d0403020369"
    "003066023100df0dbd8b0b7953ae0abf3545ee6e6b945ae12967246eeb4129c4"
    "96554f60273a546fa3ed6cac76b551bbb73c2aee54f1023100d9f171cfbbc6d1"
    "53a28a0b3f68cb3207c87c2d11c15c82d6eb7183aa89e30b56c4f74e4f0b8226"
    "93d9f5340c27a5221e";
static const char key_p384[] =
    "3081a40201010430df35985b387283840e956821db4f611ecf80e66ed7ea3e77"
    "6578ff830259676ce953e17548eebbdeea036aa2ea686bc8a00706052b810400"
    "22a1640362000471e019eae11e5026166958382aa7083d42fecc0265358c68d8"
    "4a936bde28ba775d2e7109c62596fc181d42f22e24d0c44510235e89b2a56d7c"
    "efa45a1415c9515cfd2238e5d75a12e128b3c06bde83ba8c6f7d10b89251c743"
    "8e30d4178733ed";
static const char csr_sha384[] =
    "3081c7306e020100300c310a300806035504030c01783059301306072a8648ce"
    "3d020106082a8648ce3d030107034200048fdcde21771c8e8d92141c60e4f8c7"
    "8563e53489a27702b92905fae63d813e05fa6452dcb4a07c482e571d0d5f57f8"
    "9b257e59d47917c94a91fa67a3507cd63ca000300a06082a8648ce3d04030303"
    "49003046022100d20191c9b1adf9a693a622b24c30fceef46003ae1aa9a656d0"
    "30cbfa13dccf1e022100a9f5bf080c0d09476d8a5ca599848246b946c047e830"
    "6b3a4e8d9e23b001433c";

/* The bytes of a hex literal; freed by the caller. */
static struct bytes
unhex(const char *text)
{
	size_t len = strlen(text) / 2;
	uint8_t *p = malloc(len);

	assert_non_null(p);
	EXPECT_OK(hex_decode(p, len, bytes_str(text)));
	return (struct bytes){ p, len };
}

static void
drop(struct bytes b)
{
	union {
		const uint8_t *in;
		void *out;
	} u = { b.p };

	free(u.out);
}

/* Would catch a public key that others do not derive from the same key. */
static void
test_public_half_equals_openssl(void **state)
{
	struct bytes key = unhex(openssl_key), want = unhex(openssl_public);
	struct buf out;

	(void)state;
	buf_init(&out, X509_KEY_DER_MAX);
	EXPECT_OK(x509_key_public(&out, key, port_system()));
	EXPECT_BYTES(buf_view(&out), want);
	buf_free(&out);
	drop(key);
	drop(want);
}

/* Would catch a request of OpenSSL's refused, or its names being believed. */
static void
test_request_of_openssl_gives_its_key(void **state)
{
	struct bytes csr = unhex(openssl_csr), want = unhex(openssl_public);
	struct buf out;

	(void)state;
	buf_init(&out, X509_KEY_DER_MAX);
	EXPECT_OK(x509_csr_check(&out, csr));
	EXPECT_BYTES(buf_view(&out), want);
	buf_free(&out);
	drop(csr);
	drop(want);
}

/*
 * Would catch a request accepted without its signature being checked: then
 * anyone could have a certificate made for a key that is not theirs.
 */
static void
test_request_with_any_bit_flipped_is_refused(void **state)
{
	struct bytes csr = unhex(openssl_csr);
	uint8_t *bad = malloc(csr.len);
	struct buf out;

	(void)state;
	assert_non_null(bad);
	buf_init(&out, X509_KEY_DER_MAX);
	for (size_t i = 0; i < csr.len; i++) {
		memcpy(bad, csr.p, csr.len);
		bad[i] ^= (uint8_t)(1u << (i % 8));
		EXPECT_ST(
		    x509_csr_check(&out, bytes_of(bad, csr.len)), ST_INVALID);
		EXPECT(out.len == 0);
	}
	for (size_t len = 0; len < csr.len; len++)
		EXPECT_ST(
		    x509_csr_check(&out, bytes_of(csr.p, len)), ST_INVALID);
	free(bad);
	drop(csr);
}

/* Would catch bytes behind a request, which others might read. */
static void
test_request_with_a_tail_is_refused(void **state)
{
	struct bytes csr = unhex(openssl_csr);
	uint8_t *longer = calloc(1, csr.len + 1);
	struct buf out;

	(void)state;
	assert_non_null(longer);
	memcpy(longer, csr.p, csr.len);
	buf_init(&out, X509_KEY_DER_MAX);
	EXPECT_ST(
	    x509_csr_check(&out, bytes_of(longer, csr.len + 1)), ST_INVALID);
	free(longer);
	drop(csr);
}

/* Would catch another curve or hash being let in through a request. */
static void
test_only_p256_and_sha256_are_taken(void **state)
{
	struct bytes p384 = unhex(csr_p384), sha384 = unhex(csr_sha384);
	struct bytes key = unhex(key_p384);
	uint8_t *huge = calloc(1, X509_CSR_DER_MAX + 1);
	struct buf out;

	(void)state;
	assert_non_null(huge);
	buf_init(&out, X509_CSR_DER_MAX);
	EXPECT_ST(x509_csr_check(&out, p384), ST_INVALID);
	EXPECT_ST(x509_csr_check(&out, sha384), ST_INVALID);
	EXPECT_ST(x509_key_public(&out, key, port_system()), ST_INVALID);
	EXPECT_ST(x509_csr_new(&out, key, port_system()), ST_INVALID);
	EXPECT_ST(x509_csr_check(&out, bytes_of(huge, X509_CSR_DER_MAX + 1)),
	    ST_LIMIT);
	EXPECT_ST(
	    x509_csr_check(&out, bytes_of(huge, X509_CSR_DER_MAX)), ST_INVALID);
	free(huge);
	drop(p384);
	drop(sha384);
	drop(key);
}

/* Would catch a request of ours that our own check refuses. */
static void
test_own_request_is_accepted(void **state)
{
	struct buf key, csr, from_csr, from_key;

	(void)state;
	buf_init(&key, X509_KEY_DER_MAX);
	buf_init(&csr, X509_CSR_DER_MAX);
	buf_init(&from_csr, X509_KEY_DER_MAX);
	buf_init(&from_key, X509_KEY_DER_MAX);
	EXPECT_OK(x509_key_new(&key, port_system()));
	EXPECT_OK(x509_csr_new(&csr, buf_view(&key), port_system()));
	EXPECT_OK(x509_csr_check(&from_csr, buf_view(&csr)));
	EXPECT_OK(x509_key_public(&from_key, buf_view(&key), port_system()));
	EXPECT_BYTES(buf_view(&from_csr), buf_view(&from_key));
	buf_wipe(&key);
	buf_free(&csr);
	buf_free(&from_csr);
	buf_free(&from_key);
}

/* Would catch a date, serial, device or digest read wrongly. */
static void
test_certificate_of_openssl_is_read(void **state)
{
	struct bytes der = unhex(openssl_cert);
	struct x509_info info;
	uint8_t want[HASH_LEN];

	(void)state;
	EXPECT_OK(x509_cert_info(&info, der));
	EXPECT(info.serial[0] == 0x41 && info.serial[15] == 0x10);
	EXPECT(info.not_before_s ==
	       1795491369); /* date -d '2026-11-24 03:36:09Z' +%s */
	EXPECT(info.not_after_s == 1827027369);
	assert_string_equal(info.dev, "abcdefghijklmnopqrstuvwxyz");
	EXPECT_OK(hex_decode(want, HASH_LEN,
	    bytes_str("ab3fa16cd52c86bc4cd185468383fb41690f70e5ee564abc4930bdb7"
		      "49b42e68")));
	EXPECT(memcmp(info.cert_sha256, want, HASH_LEN) == 0);
	EXPECT(x509_cert_signed_by(der, der));
	drop(der);
}

/*
 * Would catch a read past the end, or a changed certificate that still counts
 * as signed.  (Reading alone does not look at signatures.)
 */
static void
test_damaged_certificate_is_never_signed(void **state)
{
	struct bytes der = unhex(openssl_cert);
	uint8_t *bad = malloc(der.len);
	struct x509_info info;

	(void)state;
	assert_non_null(bad);
	for (size_t len = 0; len < der.len; len++) {
		/* A block of exactly that length: a read behind it shows. */
		uint8_t *cut = malloc(len + (len == 0));

		assert_non_null(cut);
		memcpy(cut, der.p, len);
		EXPECT_ST(
		    x509_cert_info(&info, bytes_of(cut, len)), ST_INVALID);
		EXPECT(!x509_cert_signed_by(bytes_of(cut, len), der));
		free(cut);
	}
	for (size_t i = 0; i < der.len; i++) {
		memcpy(bad, der.p, der.len);
		bad[i] ^= (uint8_t)(1u << (i % 8));
		(void)!x509_cert_info(&info, bytes_of(bad, der.len));
		EXPECT(!x509_cert_signed_by(bytes_of(bad, der.len), der));
	}
	free(bad);
	drop(der);
}

/* Would catch PEM that does not come back, or the wrong block being taken. */
static void
test_pem_round_trip(void **state)
{
	struct bytes cert = unhex(openssl_cert), key = unhex(openssl_key);
	struct buf pem, der;

	(void)state;
	buf_init(&pem, 2 * X509_PEM_MAX);
	buf_init(&der, X509_CERT_DER_MAX);
	EXPECT_OK(x509_key_pem(&pem, key));
	EXPECT_OK(x509_cert_pem(&pem, cert));
	EXPECT_OK(x509_pem_decode(&der, buf_view(&pem), "CERTIFICATE"));
	EXPECT_BYTES(buf_view(&der), cert);
	buf_reset(&der);
	EXPECT_OK(x509_pem_decode(&der, buf_view(&pem), "EC PRIVATE KEY"));
	EXPECT_BYTES(buf_view(&der), key);
	buf_reset(&der);
	EXPECT_ST(
	    x509_pem_decode(&der, buf_view(&pem), "PUBLIC KEY"), ST_ABSENT);
	/* A character of the base64 replaced by one that is none. */
	pem.p[60] = '!';
	EXPECT_ST(x509_pem_decode(&der, buf_view(&pem), "EC PRIVATE KEY"),
	    ST_INVALID);
	buf_wipe(&pem);
	buf_free(&der);
	drop(cert);
	drop(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public_half_equals_openssl),
		cmocka_unit_test(test_request_of_openssl_gives_its_key),
		cmocka_unit_test(test_request_with_any_bit_flipped_is_refused),
		cmocka_unit_test(test_request_with_a_tail_is_refused),
		cmocka_unit_test(test_only_p256_and_sha256_are_taken),
		cmocka_unit_test(test_own_request_is_accepted),
		cmocka_unit_test(test_certificate_of_openssl_is_read),
		cmocka_unit_test(test_damaged_certificate_is_never_signed),
		cmocka_unit_test(test_pem_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
