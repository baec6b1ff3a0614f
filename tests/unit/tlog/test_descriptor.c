#include "support/expect.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "tlog/descriptor.h"

/* Roots to sign with: 0 is that of version 1, 1 another, 2 a stranger's. */
static uint8_t secret[3][64], public_key[3][PUBKEY_LEN];
static struct descriptor *first, *d, *e; /* d and e: to work on */

static void
make_vkey(struct note_key *out, const char *name, uint8_t alg, uint8_t seed)
{
	uint8_t seeds[32], pk[PUBKEY_LEN], sk[64];

	memset(seeds, seed, sizeof(seeds));
	EXPECT(crypto_sign_seed_keypair(pk, sk, seeds) == 0);
	EXPECT_OK(note_key_make(out, name, alg, pk));
}

static int
setup(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 3; i++) {
		uint8_t seed[32];

		memset(seed, 0x10 + i, sizeof(seed));
		EXPECT(crypto_sign_seed_keypair(
			   public_key[i], secret[i], seed) == 0);
	}
	first = calloc(1, sizeof(*first));
	d = calloc(1, sizeof(*d));
	e = calloc(1, sizeof(*e));
	first->version = 1;
	strcpy(first->court, "zx-0101");
	strcpy(first->name, "\xe5\x8e\xbf\xe6\xb3\x95\xe9\x99\xa2 \"court\"");
	memcpy(first->root, public_key[0], PUBKEY_LEN);
	memset(first->server, 0x22, PUBKEY_LEN);
	memset(first->recovery, 0x33, PUBKEY_LEN);
	memset(first->ca, 0x30, 600);
	first->ca_len = 600;
	make_vkey(&first->log, "court.example/zx", NOTE_ED25519, 5);
	make_vkey(
	    &first->witness[0], "procurator.example/w", NOTE_COSIGNATURE, 6);
	first->witness_count = 1;
	first->devices_at.count = 1;
	strcpy(first->devices_at.url[0], "https://10.0.0.1:8443");
	first->public_at.count = 2;
	strcpy(first->public_at.url[0], "https://court.example:443");
	strcpy(first->public_at.url[1], "https://[2001:db8::1]:443");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(first);
	free(d);
	free(e);
	return 0;
}

/* A file of x, signed by the roots named by `signers` (such as "01"). */
static void
make_file(struct buf *out, const struct descriptor *x, const char *signers)
{
	struct buf line;

	buf_init(&line, DESCRIPTOR_BYTES_MAX);
	EXPECT_OK(descriptor_format(x, &line));
	buf_reset(out);
	buf_bytes(out, buf_view(&line));
	buf_u8(out, '\n');
	for (; *signers != '\0'; signers++)
		descriptor_sign(buf_view(&line), secret[*signers - '0'], out);
	EXPECT_OK(out->err);
	buf_free(&line);
}

static void
parse_made(
    struct descriptor *out, const struct descriptor *x, const char *signers)
{
	struct buf file;

	buf_init(&file, DESCRIPTOR_FILE_MAX);
	make_file(&file, x, signers);
	EXPECT_OK(descriptor_parse(out, buf_view(&file)));
	buf_free(&file);
}

/* The version after `first` (parsed into d), to be changed by the test. */
static void
make_second(struct descriptor *out)
{
	parse_made(d, first, "0");
	EXPECT_OK(descriptor_check_first(d));
	*out = *d;
	out->version = 2;
	memcpy(out->prev, d->digest, HASH_LEN);
}

/* What check_next says of `next` after d, signed by `signers`. */
static enum status
succession(const struct descriptor *next, const char *signers)
{
	struct descriptor *parsed = calloc(1, sizeof(*parsed));
	enum status st;

	parse_made(parsed, next, signers);
	st = descriptor_check_next(d, parsed);
	free(parsed);
	return st;
}

/* Catches a member lost or changed on the way through a file, and a digest
 * over anything but the line. */
static void
test_descriptor_comes_back_as_written(void **state)
{
	struct buf file, line;
	uint8_t digest[HASH_LEN];

	(void)state;
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	buf_init(&line, DESCRIPTOR_BYTES_MAX);
	make_file(&file, first, "0");
	EXPECT_OK(descriptor_parse(d, buf_view(&file)));
	EXPECT_OK(descriptor_check_first(d));
	EXPECT(d->signature_count == 1 && d->distrust_count == 0);
	EXPECT_OK(descriptor_format(d, &line));
	EXPECT_BYTES(buf_view(&line), descriptor_line(buf_view(&file)));
	descriptor_digest(digest, buf_view(&line));
	assert_memory_equal(digest, d->digest, HASH_LEN);
	assert_string_equal(d->court, first->court);
	assert_string_equal(d->name, first->name);
	assert_memory_equal(d->root, first->root, PUBKEY_LEN);
	assert_memory_equal(d->server, first->server, PUBKEY_LEN);
	assert_memory_equal(d->recovery, first->recovery, PUBKEY_LEN);
	EXPECT_BYTES(
	    bytes_of(d->ca, d->ca_len), bytes_of(first->ca, first->ca_len));
	assert_memory_equal(&d->log, &first->log, sizeof(d->log));
	assert_memory_equal(&d->witness[0], &first->witness[0], sizeof(d->log));
	EXPECT(d->witness_count == 1);
	assert_memory_equal(
	    &d->devices_at, &first->devices_at, sizeof(d->devices_at));
	assert_memory_equal(
	    &d->public_at, &first->public_at, sizeof(d->public_at));
	buf_free(&file);
	buf_free(&line);
}

/* Catches a line that is taken in more than one spelling: the writer and the
 * canonical form of FORMAT.md must give the same bytes. */
static void
test_line_is_canonical_json(void **state)
{
	struct buf line, canon;
	struct json j;

	(void)state;
	buf_init(&line, DESCRIPTOR_BYTES_MAX);
	buf_init(&canon, DESCRIPTOR_BYTES_MAX);
	json_init(&j);
	make_second(e);
	e->distrust_count = 2;
	memset(e->distrust[0].key, 'a', 64);
	e->distrust[0].after = 7;
	strcpy(e->distrust[1].key,
	    "example.com/foo+530d903a+"
	    "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
	EXPECT_OK(descriptor_format(e, &line));
	EXPECT_OK(json_parse(&j, buf_view(&line), JSON_LINE));
	json_canon(&j, 0, &canon);
	EXPECT_BYTES(buf_view(&line), buf_view(&canon));
	json_free(&j);
	buf_free(&line);
	buf_free(&canon);
}

/* Catches a changed bit, a cut or an addition that goes unseen. */
static void
test_changed_or_cut_file_is_refused(void **state)
{
	struct buf file;

	(void)state;
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	make_file(&file, first, "0");
	for (size_t bit = 0; bit < file.len * 8; bit++) {
		file.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		EXPECT(descriptor_parse(d, buf_view(&file)) != ST_OK ||
		       descriptor_check_first(d) != ST_OK);
		file.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < file.len; cut++)
		EXPECT_ST(
		    descriptor_parse(d, bytes_of(file.p, cut)), ST_INVALID);
	EXPECT_OK(descriptor_parse(d, buf_view(&file)));
	buf_u8(&file, '\n');
	EXPECT_ST(descriptor_parse(d, buf_view(&file)), ST_INVALID);
	buf_free(&file);
}

/* Replace the first `from` of a good line by `to`, sign that, parse it. */
static enum status
parse_with(const char *from, const char *to)
{
	struct buf line, file;
	char *at;
	enum status st;

	buf_init(&line, DESCRIPTOR_BYTES_MAX);
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	EXPECT_OK(descriptor_format(first, &line));
	at = strstr(buf_cstr(&line), from);
	EXPECT(at != NULL);
	buf_add(&file, line.p, (size_t)(at - (char *)line.p));
	buf_str(&file, to);
	buf_str(&file, at + strlen(from));
	buf_reset(&line);
	buf_bytes(&line, buf_view(&file));
	buf_u8(&file, '\n');
	descriptor_sign(buf_view(&line), secret[0], &file);
	st = descriptor_parse(d, buf_view(&file));
	buf_free(&line);
	buf_free(&file);
	return st;
}

/* Catches a reader looser than the writer: other members, spellings, types,
 * kinds of key, and addresses that a client could misread. */
static void
test_what_no_writer_writes_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "{\"addresses\"", "{ \"addresses\"" },
		{ "{\"addresses\"", "{\"a\":1,\"addresses\"" },
		{ "\"witnesses\"", "\"x\":null,\"witnesses\"" },
		{ "\"v\":1", "\"v\":2" }, /* a second one has a prev */
		{ "\"v\":1", "\"v\":0" },
		{ "\"v\":1", "\"v\":\"1\"" },
		{ "\"v\":1", "\"v\":1000001" },
		{ ",\"v\":1", "" },
		{ "\"v\":1", "\"prev\":\"00\",\"v\":1" },
		{ "\"court\":\"zx-0101\"", "\"court\":\"\"" },
		{ "\"court\":\"zx-0101\"", "\"court\":\"zx\\u002d0101\"" },
		{ "\"court\":\"zx-0101\"", "\"court\":\"zx\\n\"" },
		{ "\"court\":\"zx-0101\"", "\"court\":7" },
		{ "\"recovery\":\"3", "\"recovery\":\"G" },
		{ "\"server\":\"22", "\"server\":\"" },
		{ "\"ca\":\"M", "\"ca\":\"*" },
		{ "court.example/zx+", "court.example/zy+" },
		{ "https://10.0.0.1:8443", "http://10.0.0.1:8443" },
		{ "https://10.0.0.1:8443", "https://10.0.0.1" },
		{ "https://10.0.0.1:8443", "https://10.0.0.1:0" },
		{ "https://10.0.0.1:8443", "https://10.0.0.1:65536" },
		{ "https://10.0.0.1:8443", "https://10.0.0.1:08443" },
		{ "https://10.0.0.1:8443", "https://:8443" },
		{ "https://10.0.0.1:8443", "https://a@10.0.0.1:8443" },
		{ "https://10.0.0.1:8443", "https://10.0.0.1/x:8443" },
		{ "https://10.0.0.1:8443", "https://10.0.0.1:8443/" },
		{ "https://10.0.0.1:8443", "https://10.0.0.1 :8443" },
		{ "https://10.0.0.1:8443", "https://[::1:8443" },
		{ "https://10.0.0.1:8443", "https://::1:8443" },
		{ "https://10.0.0.1:8443", "https://[]:8443" },
		{ "https://10.0.0.1:8443", "" },
		{ "\"distrust\":[]", "\"distrust\":[{\"after\":1}]" },
		{ "\"distrust\":[]",
		    "\"distrust\":[{\"after\":1,\"key\":\"aa\"}]" },
		{ "\"distrust\":[]", "\"distrust\":{}" },
		{ "\"format\":\"daybreak-descriptor/1\"",
		    "\"format\":\"other/1\"" },
	};

	(void)state;
	EXPECT_OK(parse_with("\"v\":1", "\"v\":1"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse_with(bad[i][0], bad[i][1]) != ST_INVALID)
			print_error("took %s\n", bad[i][1]);
		EXPECT_ST(parse_with(bad[i][0], bad[i][1]), ST_INVALID);
	}
	EXPECT_ST(parse_with("daybreak-descriptor/1", "daybreak-descriptor/2"),
	    ST_NEWER);
}

/* Catches rules that the writer does not hold: a witness key as the log's, a
 * root that is on line, one witness under two names. */
static void
test_writer_refuses_what_breaks_a_rule(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, DESCRIPTOR_BYTES_MAX);
	*d = *first;
	d->log.alg = NOTE_COSIGNATURE;
	EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	*d = *first;
	d->log.hash++;
	EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	*d = *first;
	d->witness[0].alg = NOTE_ED25519;
	EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	*d = *first;
	memcpy(d->server, d->root, PUBKEY_LEN);
	EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	*d = *first;
	memcpy(d->server, d->log.public_key, PUBKEY_LEN);
	EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	*d = *first;
	memcpy(d->root, d->log.public_key, PUBKEY_LEN);
	EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	*d = *first;
	make_vkey(&d->witness[1], "same.example", NOTE_COSIGNATURE, 6);
	d->witness_count = 2;
	EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	make_vkey(&d->witness[1], "other.example", NOTE_COSIGNATURE, 7);
	EXPECT_OK(descriptor_format(d, &out));
	buf_reset(&out);
	note_key_format(&d->witness[1], &out);
	strcpy(d->distrust[0].key, buf_cstr(&out));
	d->distrust_count = 1;
	buf_reset(&out);
	EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	d->witness_count = 1;
	EXPECT_OK(descriptor_format(d, &out));
	for (int i = 0; i < 3; i++) {
		*d = *first;
		d->distrust_count = 1;
		hex_encode(d->distrust[0].key, bytes_of(i == 0   ? d->root
							: i == 1 ? d->recovery
								 : d->server,
						   PUBKEY_LEN));
		EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	}
	*d = *first;
	d->ca_len = 0;
	EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	*d = *first;
	d->version = 0;
	EXPECT_ST(descriptor_format(d, &out), ST_INVALID);
	buf_free(&out);
}

/* Catches a first version that its own root did not sign, or that was signed
 * by others besides. */
static void
test_first_is_signed_by_its_own_root_alone(void **state)
{
	(void)state;
	parse_made(d, first, "0");
	EXPECT_OK(descriptor_check_first(d));
	parse_made(d, first, "1");
	EXPECT_ST(descriptor_check_first(d), ST_DENIED);
	parse_made(d, first, "01");
	EXPECT_ST(descriptor_check_first(d), ST_DENIED);
	/* A stranger's signature under the root's name. */
	parse_made(d, first, "2");
	memcpy(d->signature[0].root, d->root, PUBKEY_LEN);
	EXPECT_ST(descriptor_check_first(d), ST_DENIED);
	make_second(e);
	parse_made(d, e, "0");
	EXPECT_ST(descriptor_check_first(d), ST_INVALID);
}

/* Catches a next version taken from any but the root of the one before, or a
 * new root that did not sign for itself. */
static void
test_only_the_root_before_signs_the_next(void **state)
{
	(void)state;
	make_second(e);
	memset(e->server, 0x44, PUBKEY_LEN);
	EXPECT_OK(succession(e, "0"));
	EXPECT_ST(succession(e, "1"), ST_DENIED);
	EXPECT_ST(succession(e, "2"), ST_DENIED);
	EXPECT_ST(succession(e, "00"), ST_DENIED);
	EXPECT_ST(succession(e, "01"), ST_DENIED);

	memcpy(e->root, public_key[1], PUBKEY_LEN);
	EXPECT_OK(succession(e, "01"));
	EXPECT_ST(succession(e, "0"), ST_DENIED);
	EXPECT_ST(succession(e, "1"), ST_DENIED);
	EXPECT_ST(succession(e, "10"), ST_DENIED);
	EXPECT_ST(succession(e, "02"), ST_DENIED);
	EXPECT_ST(succession(e, "21"), ST_DENIED);

	/* Three versions on, the old root is nobody any more. */
	parse_made(d, e, "01");
	*e = *d;
	e->version = 3;
	memcpy(e->prev, d->digest, HASH_LEN);
	EXPECT_OK(succession(e, "1"));
	EXPECT_ST(succession(e, "0"), ST_DENIED);
}

/* Catches a version skipped, repeated, or grafted on another court. */
static void
test_next_must_follow_this_very_version(void **state)
{
	(void)state;
	make_second(e);
	e->version = 3;
	EXPECT_ST(succession(e, "0"), ST_INVALID);
	make_second(e);
	e->prev[31] ^= 1;
	EXPECT_ST(succession(e, "0"), ST_INVALID);
	make_second(e);
	strcpy(e->court, "zx-0102");
	EXPECT_ST(succession(e, "0"), ST_INVALID);
	make_second(e);
	e->version = 1;
	EXPECT_ST(succession(e, "0"), ST_INVALID);
	make_second(e);
	strcpy(e->name, "another name is fine");
	EXPECT_OK(succession(e, "0"));
}

/* Catches a lost key that is trusted again, or still in force. */
static void
test_distrust_is_never_taken_back(void **state)
{
	struct buf out, vkey;
	char hex[65];

	(void)state;
	buf_init(&out, DESCRIPTOR_BYTES_MAX);
	buf_init(&vkey, NOTE_VKEY_MAX);
	make_second(e);
	hex_encode(hex, bytes_of(e->server, PUBKEY_LEN));
	note_key_format(&e->log, &vkey);
	e->distrust_count = 2;
	strcpy(e->distrust[0].key, hex);
	e->distrust[0].after = 1000;
	strcpy(e->distrust[1].key, buf_cstr(&vkey));
	e->distrust[1].after = 2000;
	EXPECT_ST(descriptor_format(e, &out), ST_INVALID);
	memset(e->server, 0x44, PUBKEY_LEN);
	EXPECT_ST(descriptor_format(e, &out), ST_INVALID);
	make_vkey(&e->log, "court.example/zx", NOTE_ED25519, 9);
	EXPECT_OK(succession(e, "0"));

	/* Taken as d, it binds the third version. */
	parse_made(d, e, "0");
	EXPECT(descriptor_trusts(d, hex, 1000));
	EXPECT(!descriptor_trusts(d, hex, 1001));
	EXPECT(!descriptor_trusts(d, buf_cstr(&vkey), 2001));
	EXPECT(descriptor_trusts(d, "another", UINT64_MAX));
	e->version = 3;
	memcpy(e->prev, d->digest, HASH_LEN);
	EXPECT_OK(succession(e, "0"));
	e->distrust[0].after = 1001;
	EXPECT_ST(succession(e, "0"), ST_INVALID);
	e->distrust[0].after = 999;
	EXPECT_OK(succession(e, "0"));
	e->distrust[0] = e->distrust[1];
	EXPECT_ST(descriptor_format(e, &out), ST_INVALID); /* twice */
	e->distrust_count = 1;
	EXPECT_ST(succession(e, "0"), ST_INVALID);
	e->distrust[0].after = (uint64_t)1 << 53;
	EXPECT_ST(descriptor_format(e, &out), ST_INVALID);
	buf_free(&out);
	buf_free(&vkey);
}

/* Catches a list or a text longer than what a reader has room for, and a
 * descriptor with every list full that does not come back. */
static void
test_limits_hold(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 2 * DESCRIPTOR_BYTES_MAX);
	*e = *first;
	memset(e->court, 'c', DESCRIPTOR_COURT_MAX);
	memset(e->name, 'n', DESCRIPTOR_NAME_MAX);
	e->ca_len = DESCRIPTOR_CA_MAX;
	e->devices_at.count = e->public_at.count = DESCRIPTOR_LIST_MAX;
	e->witness_count = DESCRIPTOR_LIST_MAX;
	for (uint8_t i = 0; i < DESCRIPTOR_LIST_MAX; i++) {
		memset(e->devices_at.url[i], 'a', DESCRIPTOR_ADDRESS_MAX);
		memcpy(e->devices_at.url[i], "https://", 8);
		memcpy(e->devices_at.url[i] + DESCRIPTOR_ADDRESS_MAX - 4,
		    ":443", 4);
		memcpy(e->public_at.url[i], e->devices_at.url[i],
		    DESCRIPTOR_ADDRESS_MAX);
		make_vkey(
		    &e->witness[i], "w", NOTE_COSIGNATURE, (uint8_t)(100 + i));
	}
	e->distrust_count = DESCRIPTOR_DISTRUST_MAX;
	for (uint8_t i = 0; i < DESCRIPTOR_DISTRUST_MAX; i++) {
		uint8_t key[PUBKEY_LEN] = { i };

		hex_encode(e->distrust[i].key, bytes_of(key, PUBKEY_LEN));
	}
	e->name[DESCRIPTOR_NAME_MAX] = '\0';
	parse_made(d, e, "0");
	EXPECT(d->distrust_count == DESCRIPTOR_DISTRUST_MAX);
	assert_memory_equal(
	    &d->devices_at, &e->devices_at, sizeof(d->devices_at));
	assert_memory_equal(d->witness, e->witness, sizeof(d->witness));

	/* Every text as long as it may be, and as long when escaped. */
	memset(e->court, '"', DESCRIPTOR_COURT_MAX);
	memset(e->name, '\\', DESCRIPTOR_NAME_MAX);
	for (uint8_t i = 0; i < DESCRIPTOR_DISTRUST_MAX; i++) {
		char name[NOTE_NAME_MAX + 1] = { 0 };
		struct note_key key;
		struct buf vkey;

		memset(name, 'n', NOTE_NAME_MAX);
		make_vkey(&key, name, NOTE_ED25519, (uint8_t)(150 + i));
		buf_init(&vkey, NOTE_VKEY_MAX);
		note_key_format(&key, &vkey);
		strcpy(e->distrust[i].key, buf_cstr(&vkey));
		e->distrust[i].after = ((uint64_t)1 << 53) - 1;
		buf_free(&vkey);
	}
	for (uint8_t i = 0; i < DESCRIPTOR_LIST_MAX; i++) {
		char name[NOTE_NAME_MAX + 1] = { 0 };

		memset(name, 'w', NOTE_NAME_MAX);
		make_vkey(
		    &e->witness[i], name, NOTE_COSIGNATURE, (uint8_t)(100 + i));
	}
	parse_made(d, e, "0");
	EXPECT_OK(descriptor_check_first(d));

	*e = *first;
	e->distrust_count = DESCRIPTOR_DISTRUST_MAX + 1;
	EXPECT_ST(descriptor_format(e, &out), ST_INVALID);
	*e = *first;
	e->witness_count = DESCRIPTOR_LIST_MAX + 1;
	EXPECT_ST(descriptor_format(e, &out), ST_INVALID);
	*e = *first;
	e->ca_len = DESCRIPTOR_CA_MAX + 1;
	EXPECT_ST(descriptor_format(e, &out), ST_INVALID);
	*e = *first;
	e->devices_at.count = DESCRIPTOR_LIST_MAX + 1;
	EXPECT_ST(descriptor_format(e, &out), ST_INVALID);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptor_comes_back_as_written),
		cmocka_unit_test(test_line_is_canonical_json),
		cmocka_unit_test(test_changed_or_cut_file_is_refused),
		cmocka_unit_test(test_what_no_writer_writes_is_refused),
		cmocka_unit_test(test_writer_refuses_what_breaks_a_rule),
		cmocka_unit_test(test_first_is_signed_by_its_own_root_alone),
		cmocka_unit_test(test_only_the_root_before_signs_the_next),
		cmocka_unit_test(test_next_must_follow_this_very_version),
		cmocka_unit_test(test_distrust_is_never_taken_back),
		cmocka_unit_test(test_limits_hold),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
