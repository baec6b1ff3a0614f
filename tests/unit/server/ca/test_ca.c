/*
 * ca: what the court's CA signs, checked by OpenSSL's own verifier as well as
 * by ours.  Where no openssl program is installed those checks are skipped.
 */
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sha.h"
#include "server/ca/ca.h"

static const char dev[] = "abcdefghijklmnopqrstuvwxyz";
static const uint64_t year_2026 = 1767225600, year_2028 = 1830297600;

/* Run a command in a folder; its exit status, output kept in `out`. */
static int
run(char *out, size_t out_len, const char *command)
{
	size_t n;
	FILE *f;
	int st;

	f = popen(command, "r");
	assert_non_null(f);
	n = fread(out, 1, out_len - 1, f);
	out[n] = '\0';
	st = pclose(f);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static void
write_pem(const char *dir, const char *name, struct bytes der)
{
	char path[256];
	struct buf pem;

	buf_init(&pem, X509_PEM_MAX);
	EXPECT_OK(x509_cert_pem(&pem, der));
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	EXPECT_OK(port_write_file(port_system(), path, buf_view(&pem), false));
	buf_free(&pem);
}

static struct ca *
new_ca(const char *court)
{
	struct ca *ca = NULL;

	EXPECT_OK(ca_new(&ca, port_system(), court));
	assert_non_null(ca);
	return ca;
}

static void
new_csr(struct buf *csr)
{
	struct buf key;

	buf_init(&key, X509_KEY_DER_MAX);
	buf_init(csr, X509_CSR_DER_MAX);
	EXPECT_OK(x509_key_new(&key, port_system()));
	EXPECT_OK(x509_csr_new(csr, buf_view(&key), port_system()));
	buf_wipe(&key);
}

/* Would catch a certificate that another implementation does not accept. */
static void
test_openssl_accepts_what_the_ca_signs(void **state)
{
	const char *names[] = { "centre.daybreak.internal", "10.0.0.7",
		"fd00::1", "localhost" };
	char dir[] = "/tmp/daybreak-ca-XXXXXX", cmd[1024], out[8192];
	struct ca *ca = new_ca("hz-01");
	struct buf cert, key, csr;
	uint8_t serial[X509_SERIAL_LEN];

	(void)state;
	if (run(out, sizeof(out), "openssl version 2>/dev/null") != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	write_pem(dir, "ca.pem", ca_cert(ca));
	buf_init(&cert, X509_CERT_DER_MAX);
	buf_init(&key, X509_KEY_DER_MAX);
	EXPECT_OK(ca_issue_server(ca, &cert, &key, names, 4));
	write_pem(dir, "server.pem", buf_view(&cert));
	buf_reset(&cert);
	new_csr(&csr);
	EXPECT_OK(ca_issue_device(
	    ca, &cert, serial, buf_view(&csr), dev, year_2026, year_2028));
	write_pem(dir, "device.pem", buf_view(&cert));

	/* At time 1, and in the year 9999: a clock that stands is no fault. */
	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && for t in 1 1900000000 253402300000; do "
	    "openssl verify -x509_strict -attime $t -purpose sslserver "
	    "-verify_hostname centre.daybreak.internal -CAfile ca.pem "
	    "server.pem && openssl verify -attime $t -verify_ip fd00::1 "
	    "-CAfile ca.pem server.pem || exit 1; done 2>&1",
	    dir);
	if (run(out, sizeof(out), cmd) != 0)
		fail_msg("%s", out);
	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && openssl verify -x509_strict -attime 1800000000 -purpose "
	    "sslclient -CAfile ca.pem device.pem 2>&1",
	    dir);
	if (run(out, sizeof(out), cmd) != 0)
		fail_msg("%s", out);
	/* Neither may stand in for the other, nor after its date. */
	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && { ! openssl verify -purpose sslclient -CAfile ca.pem "
	    "server.pem && ! openssl verify -attime 1800000000 -purpose "
	    "sslserver -CAfile ca.pem device.pem && ! openssl verify -attime "
	    "1830297601 -CAfile ca.pem device.pem",
	    dir);
	(void)snprintf(cmd + strlen(cmd), sizeof(cmd) - strlen(cmd),
	    "; } >/dev/null 2>&1");
	EXPECT(run(out, sizeof(out), cmd) == 0);
	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && openssl x509 -noout -text -in device.pem", dir);
	EXPECT(run(out, sizeof(out), cmd) == 0);
	assert_non_null(
	    strstr(out, "URI:urn:daybreak:dev:abcdefghijklmnopqrstuvwxyz"));
	assert_non_null(strstr(out, "TLS Web Client Authentication"));
	assert_non_null(strstr(out, "CA:FALSE"));
	/* OpenSSL of Debian 12 and of Debian 13. */
	EXPECT(
	    strstr(out, "O = hz-01") != NULL || strstr(out, "O=hz-01") != NULL);

	(void)snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	EXPECT(run(out, sizeof(out), cmd) == 0);
	buf_free(&cert);
	buf_wipe(&key);
	buf_free(&csr);
	ca_close(ca);
}

/* Would catch a certificate that says other than what the caller asked. */
static void
test_device_certificate_says_what_was_asked(void **state)
{
	struct ca *ca = new_ca("hz-01"), *other = new_ca("hz-01");
	uint8_t serial[X509_SERIAL_LEN];
	struct buf cert, csr, public;
	struct x509_info info;
	uint8_t hash[HASH_LEN];

	(void)state;
	new_csr(&csr);
	buf_init(&cert, X509_CERT_DER_MAX);
	buf_init(&public, X509_KEY_DER_MAX);
	EXPECT_OK(ca_issue_device(
	    ca, &cert, serial, buf_view(&csr), dev, year_2026, year_2028));
	EXPECT_OK(x509_cert_info(&info, buf_view(&cert)));
	assert_string_equal(info.dev, dev);
	EXPECT(info.not_before_s == year_2026);
	EXPECT(info.not_after_s == year_2028);
	EXPECT(memcmp(info.serial, serial, X509_SERIAL_LEN) == 0);
	EXPECT_OK(x509_csr_check(&public, buf_view(&csr)));
	sha256(hash, buf_view(&public));
	EXPECT(memcmp(info.key_sha256, hash, HASH_LEN) == 0);
	EXPECT(x509_cert_signed_by(buf_view(&cert), ca_cert(ca)));
	EXPECT(!x509_cert_signed_by(buf_view(&cert), ca_cert(other)));
	/* What it signed cannot sign. */
	EXPECT(!x509_cert_signed_by(buf_view(&cert), buf_view(&cert)));
	buf_free(&cert);
	buf_free(&csr);
	buf_free(&public);
	ca_close(ca);
	ca_close(other);
}

/* Would catch two certificates with one serial, or one of another length. */
static void
test_serials_are_sixteen_bytes_and_differ(void **state)
{
	uint8_t seen[32][X509_SERIAL_LEN];
	struct ca *ca = new_ca("c");
	struct x509_info info;
	struct buf cert, csr;

	(void)state;
	new_csr(&csr);
	buf_init(&cert, X509_CERT_DER_MAX);
	for (size_t i = 0; i < 32; i++) {
		buf_reset(&cert);
		EXPECT_OK(ca_issue_device(ca, &cert, seen[i], buf_view(&csr),
		    dev, year_2026, year_2028));
		EXPECT_OK(x509_cert_info(&info, buf_view(&cert)));
		for (size_t j = 0; j < i; j++)
			EXPECT(memcmp(seen[i], seen[j], X509_SERIAL_LEN) != 0);
	}
	buf_free(&cert);
	buf_free(&csr);
	ca_close(ca);
}

/* Would catch a CA that is another one after a restart. */
static void
test_reopened_ca_is_the_same(void **state)
{
	struct ca *ca = new_ca("court.7"), *again = NULL, *other = new_ca("x");
	uint8_t serial[X509_SERIAL_LEN];
	struct buf key, cert, csr;

	(void)state;
	buf_init(&key, X509_KEY_DER_MAX);
	buf_init(&cert, X509_CERT_DER_MAX);
	new_csr(&csr);
	EXPECT_OK(ca_key(ca, &key));
	EXPECT_OK(ca_open(&again, port_system(), ca_cert(ca), buf_view(&key)));
	EXPECT_BYTES(ca_cert(again), ca_cert(ca));
	EXPECT_OK(ca_issue_device(
	    again, &cert, serial, buf_view(&csr), dev, year_2026, year_2028));
	EXPECT(x509_cert_signed_by(buf_view(&cert), ca_cert(ca)));
	ca_close(again);
	again = NULL;

	/* Another's key, a device's certificate, garbage. */
	EXPECT_ST(
	    ca_open(&again, port_system(), ca_cert(other), buf_view(&key)),
	    ST_CONFLICT);
	EXPECT_ST(
	    ca_open(&again, port_system(), buf_view(&cert), buf_view(&key)),
	    ST_CONFLICT);
	EXPECT_ST(
	    ca_open(&again, port_system(), bytes_str("x"), buf_view(&key)),
	    ST_INVALID);
	EXPECT_ST(ca_open(&again, port_system(), ca_cert(ca), bytes_str("x")),
	    ST_INVALID);
	EXPECT(again == NULL);
	buf_wipe(&key);
	buf_free(&cert);
	buf_free(&csr);
	ca_close(ca);
	ca_close(other);
}

/* Would catch input that goes into a certificate unchecked. */
static void
test_bad_names_and_dates_are_refused(void **state)
{
	static const char *const bad_hosts[] = { "", ".", "a..b", "-a", "a-",
		"a.-b", "a b", "a,b", "x/y", "ü", "a.b.", "*.example",
		("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "a"
		 "aa") };
	static const char *const bad_devs[] = { "", "abcdefghijklmnopqrstuvwxy",
		"abcdefghijklmnopqrstuvwxyz2", "abcdefghijklmnopqrstuvwxy1",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklm,O=x.nopqrstu" };
	uint8_t serial[X509_SERIAL_LEN];
	struct ca *ca = new_ca("c"), *none = NULL;
	struct buf cert, key, csr;

	(void)state;
	EXPECT_ST(ca_new(&none, port_system(), ""), ST_INVALID);
	EXPECT_ST(ca_new(&none, port_system(), "a,O=b"), ST_INVALID);
	EXPECT_ST(ca_new(&none, port_system(),
		      "12345678901234567890123456789012345678901"),
	    ST_INVALID);
	EXPECT(none == NULL);
	buf_init(&cert, X509_CERT_DER_MAX);
	buf_init(&key, X509_KEY_DER_MAX);
	new_csr(&csr);
	for (size_t i = 0; i < sizeof(bad_hosts) / sizeof(*bad_hosts); i++) {
		const char *names[] = { "good.example", bad_hosts[i] };

		EXPECT_ST(
		    ca_issue_server(ca, &cert, &key, names, 2), ST_INVALID);
	}
	for (size_t i = 0; i < sizeof(bad_devs) / sizeof(*bad_devs); i++)
		EXPECT_ST(ca_issue_device(ca, &cert, serial, buf_view(&csr),
			      bad_devs[i], 1, 2),
		    ST_INVALID);
	EXPECT_ST(ca_issue_device(ca, &cert, serial, buf_view(&csr), dev, 2, 2),
	    ST_INVALID);
	EXPECT_ST(ca_issue_device(
		      ca, &cert, serial, buf_view(&csr), dev, 1, 253402300800),
	    ST_INVALID);
	EXPECT_OK(ca_issue_device(
	    ca, &cert, serial, buf_view(&csr), dev, 1, 253402300799));
	EXPECT_ST(
	    ca_issue_device(ca, &cert, serial, bytes_str("no"), dev, 1, 2),
	    ST_INVALID);
	EXPECT(key.len == 0);
	buf_free(&cert);
	buf_free(&csr);
	ca_close(ca);
}

/* Would catch a list of long names that does not fit, or overruns. */
static void
test_many_long_names_fit_or_say_limit(void **state)
{
	char name[CA_NAME_LEN_MAX + 1];
	const char *names[CA_NAMES_MAX + 1];
	struct ca *ca = new_ca("c");
	enum status st;
	struct buf cert, key;

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t i = 49; i < CA_NAME_LEN_MAX; i += 50)
		name[i] = '.';
	name[CA_NAME_LEN_MAX] = '\0';
	for (size_t i = 0; i <= CA_NAMES_MAX; i++)
		names[i] = name;
	buf_init(&cert, X509_CERT_DER_MAX);
	buf_init(&key, X509_KEY_DER_MAX);
	EXPECT_ST(ca_issue_server(ca, &cert, &key, names, CA_NAMES_MAX + 1),
	    ST_INVALID);
	EXPECT_ST(ca_issue_server(ca, &cert, &key, names, 0), ST_INVALID);
	for (size_t n = 1; n <= CA_NAMES_MAX; n++) {
		buf_reset(&cert);
		buf_reset(&key);
		st = ca_issue_server(ca, &cert, &key, names, n);
		EXPECT(st == ST_OK || st == ST_LIMIT);
		if (n <= 8)
			EXPECT_OK(st);
		EXPECT((st == ST_OK) == (cert.len > 0));
	}
	buf_free(&cert);
	buf_wipe(&key);
	ca_close(ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_accepts_what_the_ca_signs),
		cmocka_unit_test(test_device_certificate_says_what_was_asked),
		cmocka_unit_test(test_serials_are_sixteen_bytes_and_differ),
		cmocka_unit_test(test_reopened_ca_is_the_same),
		cmocka_unit_test(test_bad_names_and_dates_are_refused),
		cmocka_unit_test(test_many_long_names_fit_or_say_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
