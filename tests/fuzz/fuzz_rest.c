/*
 * Bytes at rest on a handheld (the first byte says which): key slots, a sealed
 * row, what stood in it, the device's identity, an enrolment code.  Nothing
 * opens that was not made with the key; what is read is written the same.
 */
#include <string.h>

#include "chainfile/chainfile.h"
#include "crypt/identity.h"
#include "crypt/keyslot.h"
#include "fuzz/fuzz.h"
#include "wire/join.h"

static void
check_slot(struct bytes in)
{
	static const uint8_t key[KEYSLOT_BOX_KEY_LEN] = { 1 };
	struct keyslot s;
	struct keyslot_keys keys;
	uint8_t digest[HASH_LEN];
	enum status st = keyslot_read(&s, in);

	CHECK(st == ST_OK || st == ST_CORRUPT || st == ST_NEWER);
	if (st != ST_OK)
		return;
	CHECK(s.fixed.len + s.box.len == in.len);
	keyslot_digest(digest, &s);
	if (s.kind == KEYSLOT_RECOVERY)
		CHECK(keyslot_open_recovery(&keys, &s, key) != ST_OK);
	else
		(void)keyslot_is_of(&s, bytes_str("p001"));
}

static void
check_row(struct bytes in)
{
	static const uint8_t key[SEAL_KEY_LEN] = { 1 };
	struct seal_place at = { .table = "entry", .row = 1 };
	struct buf out;
	uint32_t id;

	buf_init(&out, CHAINFILE_ROW_MAX);
	CHECK(seal_open(&out, key, &at, in) != ST_OK && out.len == 0);
	CHECK(seal_key_id(&id, in) != ST_NOMEM);
	buf_free(&out);
}

static void
check_inner(struct bytes in)
{
	struct chainfile_row r;
	struct buf out;

	buf_init(&out, CHAINFILE_ROW_MAX);
	if (chainfile_row_read(&r, in) == ST_OK) {
		chainfile_row_write(&out, &r);
		CHECK(bytes_eq(buf_view(&out), in) || out.err == ST_LIMIT);
	}
	buf_free(&out);
}

static void
check_identity(struct bytes in)
{
	struct identity *id = NULL;
	struct buf out;
	enum status st = identity_decode(&id, in);

	CHECK(st == ST_OK || st == ST_CORRUPT || st == ST_NEWER);
	buf_init(&out, IDENTITY_BYTES_MAX);
	if (st == ST_OK) {
		CHECK(identity_encode(id, &out) == ST_OK);
		CHECK(bytes_eq(buf_view(&out), in));
	} else {
		CHECK(id == NULL);
	}
	identity_free(id);
	buf_free(&out);
}

static void
check_code(struct bytes in)
{
	struct join_code c, again;
	struct buf out;

	if (join_code_parse(&c, in) != ST_OK)
		return;
	buf_init(&out, JOIN_CODE_MAX + 64);
	CHECK(join_address_ok(bytes_str(c.address)));
	join_code_format(&c, &out);
	CHECK(join_code_parse(&again, buf_view(&out)) == ST_OK);
	CHECK(memcmp(&c, &again, sizeof(c.secret) + sizeof(c.descriptor)) == 0);
	CHECK(strcmp(c.address, again.address) == 0);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in;

	if (size == 0)
		return 0;
	in = (struct bytes){ data + 1, size - 1 };
	switch (data[0] % 5) {
	case 0:
		check_slot(in);
		break;
	case 1:
		check_row(in);
		break;
	case 2:
		check_inner(in);
		break;
	case 3:
		check_identity(in);
		break;
	default:
		check_code(in);
		break;
	}
	return 0;
}
