/*
 * Requests and certificates from strangers: whatever is taken is ours in form,
 * read twice alike, and small; nothing is signed by a key that it does not
 * name.  The first byte says what the rest is taken for.
 */
#include <string.h>

#include "crypt/x509.h"
#include "fuzz/fuzz.h"

static void
try_request(struct bytes in)
{
	struct buf key, again;
	enum status st;

	buf_init(&key, X509_KEY_DER_MAX);
	buf_init(&again, X509_KEY_DER_MAX);
	st = x509_csr_check(&key, in);
	CHECK((st == ST_OK) == (key.len > 0));
	CHECK(st == ST_OK || st == ST_INVALID || st == ST_LIMIT);
	if (st == ST_OK) {
		CHECK(key.len == 91); /* a P-256 SubjectPublicKeyInfo */
		CHECK(x509_csr_check(&again, in) == ST_OK);
		CHECK(bytes_eq(buf_view(&key), buf_view(&again)));
	}
	buf_free(&key);
	buf_free(&again);
}

static void
try_certificate(struct bytes in)
{
	struct x509_info info;
	enum status st = x509_cert_info(&info, in);

	CHECK(st == ST_OK || st == ST_INVALID || st == ST_LIMIT);
	if (st == ST_OK)
		CHECK(strlen(info.dev) == 0 || strlen(info.dev) == DEV_LEN);
	(void)x509_cert_signed_by(in, in);
}

static void
try_pem(struct bytes in)
{
	struct buf der;
	enum status st;

	buf_init(&der, X509_PEM_MAX);
	st = x509_pem_decode(&der, in, "CERTIFICATE");
	CHECK((st == ST_OK) || der.len == 0);
	buf_free(&der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in;

	if (size < 1)
		return 0;
	in = (struct bytes){ data + 1, size - 1 };
	switch (data[0] % 3) {
	case 0:
		try_request(in);
		break;
	case 1:
		try_certificate(in);
		break;
	default:
		try_pem(in);
		break;
	}
	return 0;
}
