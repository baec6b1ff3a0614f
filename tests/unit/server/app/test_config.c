/* The server's options: one table for file, environment and flags. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/app/config.h"
#include "support/expect.h"
#include "support/tmpdir.h"

static void
put_file(const struct tmpdir *t, const char *text)
{
	FILE *f = fopen(tmpdir_file(t, "daybreak.json"), "w");

	EXPECT(f != NULL);
	EXPECT(fputs(text, f) >= 0);
	EXPECT(fclose(f) == 0);
}

static enum status
load(const struct tmpdir *t, struct config *c, char why[CONFIG_WORDS_MAX])
{
	why[0] = '\0';
	return config_load(c, port_system(), t->path, why);
}

/* Would catch: a value from the wrong place. */
static void
flag_over_environment_over_file_over_default(void **state)
{
	struct tmpdir t;
	struct config c;
	char why[CONFIG_WORDS_MAX];

	(void)state;
	tmpdir_make(&t);
	EXPECT_OK(load(&t, &c, why)); /* no file is fine */
	EXPECT(c.workers == 32);
	assert_string_equal(c.listen, "0.0.0.0:7443");
	put_file(&t, "{\"workers\":5,\"listen\":\"1.1.1.1:1\","
		     "\"public\":\"2.2.2.2:2\",\"cert_days\":9}");
	EXPECT_OK(load(&t, &c, why));
	EXPECT(c.workers == 5 && c.cert_days == 9);
	assert_string_equal(c.listen, "1.1.1.1:1");
	assert_string_equal(c.public_listen, "2.2.2.2:2");
	assert_string_equal(c.console, "127.0.0.1:7444");
	EXPECT(setenv("DAYBREAK_WORKERS", "6", 1) == 0);
	EXPECT(setenv("DAYBREAK_LISTEN", "3.3.3.3:3", 1) == 0);
	EXPECT_OK(load(&t, &c, why));
	EXPECT(c.workers == 6 && c.cert_days == 9);
	assert_string_equal(c.listen, "3.3.3.3:3");
	EXPECT_OK(config_flag(&c, "workers", "7", why));
	EXPECT_OK(config_flag(&c, "cert-days", "10", why));
	EXPECT(c.workers == 7 && c.cert_days == 10);
	EXPECT(unsetenv("DAYBREAK_WORKERS") == 0);
	EXPECT(unsetenv("DAYBREAK_LISTEN") == 0);
	tmpdir_remove(&t);
}

/* Would catch: a server that starts with something else than was written. */
static void
bad_values_are_refused_by_name(void **state)
{
	static const struct {
		const char *file, *say;
	} bad[] = {
		{ "{", "daybreak.json" },
		{ "[]", "daybreak.json" },
		{ "7", "daybreak.json" },
		{ "{\"worker\":5}", "worker" },
		{ "{\"workers\":\"5\"}", "workers" },
		{ "{\"workers\":0}", "workers" },
		{ "{\"workers\":513}", "workers" },
		{ "{\"workers\":5.5}", "daybreak.json" },
		{ "{\"listen\":7443}", "listen" },
		{ "{\"workers\":5,\"workers\":6}", "daybreak.json" },
	};
	struct tmpdir t;
	struct config c;
	char why[CONFIG_WORDS_MAX];

	(void)state;
	tmpdir_make(&t);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_file(&t, bad[i].file);
		EXPECT_ST(load(&t, &c, why), ST_INVALID);
		EXPECT(strstr(why, bad[i].say) != NULL);
	}
	put_file(&t, "{}");
	EXPECT(setenv("DAYBREAK_PUBLIC_HOUR", "24", 1) == 0);
	EXPECT_ST(load(&t, &c, why), ST_INVALID);
	EXPECT(strstr(why, "public_hour") != NULL);
	EXPECT(unsetenv("DAYBREAK_PUBLIC_HOUR") == 0);
	EXPECT_OK(load(&t, &c, why));
	EXPECT_ST(config_flag(&c, "workers", "many", why), ST_INVALID);
	EXPECT_ST(config_flag(&c, "workers", "", why), ST_INVALID);
	EXPECT_ST(config_flag(&c, "workers", "5 ", why), ST_INVALID);
	EXPECT_ST(config_flag(&c, "nothing", "5", why), ST_ABSENT);
	EXPECT_ST(config_flag(&c, "", "5", why), ST_ABSENT);
	EXPECT(c.workers == 32);
	tmpdir_remove(&t);
}

/* Would catch: an address that is half read. */
static void
addresses_are_host_and_port(void **state)
{
	static const char *const bad[] = { "", "x", ":1", "h:", "h:65536",
		"h:1x", "h:-1" };
	char host[CONFIG_TEXT_MAX + 1];
	uint16_t port = 1;

	(void)state;
	EXPECT_OK(config_address("127.0.0.1:7443", host, &port));
	EXPECT(port == 7443);
	assert_string_equal(host, "127.0.0.1");
	EXPECT_OK(config_address("[::1]:0", host, &port));
	EXPECT(port == 0);
	assert_string_equal(host, "::1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_ST(config_address(bad[i], host, &port), ST_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flag_over_environment_over_file_over_default),
		cmocka_unit_test(bad_values_are_refused_by_name),
		cmocka_unit_test(addresses_are_host_and_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
