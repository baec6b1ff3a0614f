/* What tus 1.0 says of a request's header fields, MUST by MUST
 * (docs/EVIDENCE.md, "tus 1.0, MUST by MUST"). */
#include "server/app/tus_head.h"

#include <stdio.h>
#include <string.h>

#include "support/expect.h"

/* "sha256 " and base64 of 64 digits 'a'. */
#define DIGEST                                                                 \
	"sha256 YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"                  \
	"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYQ=="
#define ID "0123456789abcdef0123456789abcdef"
#define OCTETS "application/offset+octet-stream"

static struct tus_fields
create(const char *meta)
{
	return (struct tus_fields){ .method = bytes_str("POST"),
		.length = bytes_str("100"),
		.metadata = bytes_str(meta) };
}

static struct tus_fields
at(const char *method, const char *override)
{
	return (struct tus_fields){ .method = bytes_str(method),
		.override = bytes_str(override),
		.has_id = true,
		.id = bytes_str(ID),
		.offset = bytes_str("7"),
		.content_length = bytes_str("3"),
		.content_type = bytes_str(OCTETS) };
}

static void
refused(struct tus_fields f, unsigned status, const char *word)
{
	struct upload_ask ask;
	struct tus_refusal why = { 0 };

	EXPECT(!tus_head_read(&ask, &f, &why));
	EXPECT(why.status == status && strcmp(why.word, word) == 0);
	EXPECT(why.en[0] != '\0' && why.zh[0] != '\0');
}

static struct upload_ask
taken(struct tus_fields f)
{
	struct upload_ask ask;
	struct tus_refusal why = { 0 };

	if (!tus_head_read(&ask, &f, &why))
		fail_msg("refused: %s", why.en);
	return ask;
}

/* Catches a creation whose length, digest or words are not those given. */
static void
test_tus_creation_is_read(void **state)
{
	static const char meta[] = "is_confidential,filename aGk=," DIGEST;
	struct tus_fields f = create(meta);
	struct upload_ask ask = taken(f);

	(void)state;
	EXPECT(ask.what == UPLOAD_CREATE && ask.length == 100);
	EXPECT(!ask.has_body && ask.body_len == 0);
	for (size_t i = 0; i < HASH_LEN; i++)
		EXPECT(ask.digest[i] == 0xaa);
	/* Word for word: HEAD gives it back. */
	EXPECT(bytes_eq_str(ask.meta, meta));
	f.length = bytes_str("0");
	EXPECT(taken(f).length == 0);
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[6] = { "", "-1", "1e3", "0x10",
			"9999999999999999999", "1 " };

		f.length = bytes_str(bad[i]);
		refused(f, 400, "bad_metadata");
	}
	f = create(DIGEST);
	f.defer_length = bytes_str("1");
	refused(f, 400, "bad_metadata");
}

/* Catches keys that are none, stand twice or smuggle, and values that are not
 * base64. */
static void
test_tus_metadata_is_what_the_protocol_says(void **state)
{
	char many[8 * TUS_META_PAIRS + 256] = DIGEST;
	static char longer[TUS_META_MAX + 2];

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		static const char *const bad[12] = { "", ",",
			"a YQ==", "sha256", DIGEST ",a x", DIGEST ",a YQ",
			DIGEST "," DIGEST, "a," DIGEST ",a",
			DIGEST ",k\tx YQ==", DIGEST ",\xe6\x90\x9c YQ==",
			DIGEST ",,b", "sha256 YWI=" };

		refused(create(bad[i]), 400, "bad_metadata");
	}
	for (size_t i = 0; i < 4; i++) {
		/* "a/b", "..", "a\b", "a\0b" */
		static const char *const ways[4] = { "YS9i", "Li4=", "YVxi",
			"YQBi" };
		char text[256];

		(void)snprintf(
		    text, sizeof(text), DIGEST ",filename %s", ways[i]);
		refused(create(text), 400, "bad_metadata");
	}
	for (int i = 1; i < TUS_META_PAIRS; i++)
		(void)snprintf(many + strlen(many), 8, ",k%d", i);
	(void)taken(create(many));
	(void)snprintf(many + strlen(many), 8, ",last");
	refused(create(many), 400, "bad_metadata");
	memset(longer, 'k', sizeof(longer) - 1);
	memcpy(longer, DIGEST ",", sizeof(DIGEST));
	refused(create(longer), 400, "bad_metadata");
	longer[TUS_META_MAX] = '\0';
	(void)taken(create(longer));
}

/* Catches an override that is passed over, and an actual method that still
 * counts. */
static void
test_tus_override_is_the_method(void **state)
{
	struct tus_fields f = create(DIGEST);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		static const char *const methods[4] = { "POST", "GET", "PATCH",
			"DELETE" };

		EXPECT(taken(at(methods[i], "PATCH")).what == UPLOAD_WRITE);
		EXPECT(taken(at(methods[i], "DELETE")).what == UPLOAD_REMOVE);
		EXPECT(taken(at(methods[i], "HEAD")).what == UPLOAD_LOOK);
		refused(at(methods[i], "PUT"), 405, "method_not_allowed");
		refused(at(methods[i], "patch"), 405, "method_not_allowed");
	}
	EXPECT(taken(at("PATCH", "")).what == UPLOAD_WRITE);
	EXPECT(taken(at("PATCH", "")).offset == 7);
	EXPECT(taken(at("DELETE", "")).what == UPLOAD_REMOVE);
	EXPECT(taken(at("GET", "")).what == UPLOAD_LOOK);
	refused(at("POST", ""), 405, "method_not_allowed");
	f.override = bytes_str("PATCH");
	refused(f, 405, "method_not_allowed");
	f.method = bytes_str("GET");
	f.override = bytes_str("POST");
	EXPECT(taken(f).what == UPLOAD_CREATE);
}

/* Catches bytes under another type, a length that is no number, an id that is
 * a way to somewhere. */
static void
test_tus_writes_are_read(void **state)
{
	struct tus_fields f = at("PATCH", "");

	(void)state;
	EXPECT(taken(f).body_len == 3 && taken(f).has_body);
	f.content_type = bytes_str("application/octet-stream");
	refused(f, 415, "content_type");
	f = at("PATCH", "");
	f.offset.len = 0;
	refused(f, 400, "bad_request");
	f = at("PATCH", "");
	f.transfer_encoding = bytes_str("chunked");
	EXPECT(taken(f).body_len == UINT64_MAX);
	/* A creation with bytes is under the same rule; one without is not. */
	f = create(DIGEST);
	f.content_length = bytes_str("5");
	refused(f, 415, "content_type");
	f.content_type = bytes_str(OCTETS);
	EXPECT(taken(f).has_body);
	for (size_t i = 0; i < 4; i++) {
		static const char *const ids[4] = { "", "xyz", "../../store.db",
			ID "00" };

		f = at("PATCH", "");
		f.id = bytes_str(ids[i]);
		refused(f, 404, "not_found");
	}
}

/* Catches a checksum that is not compared: of another name, length or form. */
static void
test_tus_checksums_are_read(void **state)
{
	struct tus_fields f = at("PATCH", "");

	(void)state;
	EXPECT(taken(f).sum == UPLOAD_SUM_NONE);
	f.checksum = bytes_str("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=");
	EXPECT(taken(f).sum == UPLOAD_SUM_SHA1);
	EXPECT(taken(f).sum_value[0] == 0x2a);
	f.checksum =
	    bytes_str("sha-256 YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=");
	EXPECT(taken(f).sum == UPLOAD_SUM_SHA256);
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[6] = { "md5 AAAA", "sha1",
			"sha1 AAAA", "sha1 ???", "SHA1 Kq5sNclPz7QV2+lfQIuc6R7",
			"sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=" };

		f.checksum = bytes_str(bad[i]);
		refused(f, 400, "checksum_algorithm");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tus_creation_is_read),
		cmocka_unit_test(test_tus_metadata_is_what_the_protocol_says),
		cmocka_unit_test(test_tus_override_is_the_method),
		cmocka_unit_test(test_tus_writes_are_read),
		cmocka_unit_test(test_tus_checksums_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
