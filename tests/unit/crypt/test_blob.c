/* blob: sealed chunks open in their own place, of their own file, or not. */
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "crypt/blob.h"
#include "support/expect.h"
#include "support/vectors.h"

enum { LARGEST = 3 * BLOB_CHUNK };

static uint8_t key[SEAL_KEY_LEN], head[BLOB_HEAD_LEN];

static void
pattern(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(i * 7 + (i >> 8));
}

/* The whole sealed file, its length in *len; the caller frees. */
static uint8_t *
sealed_file(size_t size, size_t *len)
{
	uint8_t *plain = malloc(size + 1);
	uint8_t *out = malloc(blob_sealed_size(size));
	uint64_t count = blob_chunks(size);

	pattern(plain, size);
	memcpy(out, head, sizeof(head));
	for (uint64_t n = 0; n < count; n++)
		blob_seal(out + blob_chunk_at(n), key, head, n, n + 1 == count,
		    bytes_of(plain + n * BLOB_CHUNK, blob_chunk_len(size, n)));
	free(plain);
	*len = blob_sealed_size(size);
	return out;
}

/* Open all of it as a reader would; the size that opened, or SIZE_MAX. */
static size_t
opened(const uint8_t *file, size_t len)
{
	uint8_t chunk[BLOB_CHUNK], id[BLOB_ID_LEN];
	uint64_t size;

	if (blob_plain_size(&size, len) != ST_OK ||
	    blob_head_read(id, file) != ST_OK)
		return SIZE_MAX;
	for (uint64_t n = 0; n < blob_chunks(size); n++) {
		if (blob_open(chunk, key, file, n, n + 1 == blob_chunks(size),
			bytes_of(file + blob_chunk_at(n),
			    blob_chunk_len(size, n) + SEAL_TAG_LEN)) != ST_OK)
			return SIZE_MAX;
	}
	return (size_t)size;
}

static int
set_up(void **state)
{
	uint8_t id[BLOB_ID_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(id); i++)
		id[i] = (uint8_t)(0xa0 + i);
	blob_head(head, id);
	return 0;
}

/* Would catch: another nonce, header or cutting into chunks than the page has;
 * the vectors were made by a program that shares nothing with this one. */
static void
test_files_are_the_bytes_of_the_format(void **state)
{
	struct vectors v;
	uint32_t files;
	struct buf want;

	(void)state;
	vectors_open(&v, "blob-v1.json");
	buf_init(&want, 4096);
	files = vectors_get(&v, 0, "files");
	for (uint32_t i = json_first(&v.j, files); i != json_end(&v.j, files);
	     i = v.j.node[i].next) {
		uint32_t n = vectors_get(&v, i, "size");
		size_t size = (size_t)v.j.node[n].num, len = 0;
		uint8_t *file = sealed_file(size, &len), got[HASH_LEN];

		sha256(got, bytes_of(file, len));
		vectors_hex(&v, i, "sha256", &want);
		EXPECT_BYTES(bytes_of(got, HASH_LEN), buf_view(&want));
		if (size < 64) {
			vectors_hex(&v, i, "file", &want);
			EXPECT_BYTES(bytes_of(file, len), buf_view(&want));
		}
		assert_int_equal(opened(file, len), size);
		free(file);
	}
	buf_free(&want);
	vectors_close(&v);
}

/* Would catch: a length from which another size is told than was sealed. */
static void
test_a_length_tells_one_size_or_none(void **state)
{
	uint64_t got, next = 0;

	(void)state;
	for (uint64_t len = 0; len < blob_sealed_size(LARGEST); len++) {
		if (blob_plain_size(&got, len) != ST_OK)
			continue;
		assert_int_equal(got, next++);
		assert_int_equal(blob_sealed_size(got), len);
	}
	assert_int_equal(next, LARGEST);
	EXPECT_OK(blob_plain_size(&got, blob_sealed_size(BLOB_SIZE_MAX)));
	EXPECT_ST(blob_plain_size(&got, blob_sealed_size(BLOB_SIZE_MAX) + 1),
	    ST_CORRUPT);
	EXPECT_ST(blob_plain_size(&got, UINT64_MAX), ST_CORRUPT);
}

/* Would catch: a file that was cut off, wherever, and still reads as whole. */
static void
test_a_file_cut_off_anywhere_does_not_open(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, BLOB_CHUNK, BLOB_CHUNK + 5,
		2 * BLOB_CHUNK };

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t len, step = sizes[s] < 1000 ? 1 : 997;
		uint8_t *file = sealed_file(sizes[s], &len);

		for (size_t cut = 0; cut < len; cut += step)
			assert_true(opened(file, cut) == SIZE_MAX);
		/* … at the end of a chunk above all. */
		for (uint64_t n = 0; n < blob_chunks(sizes[s]); n++)
			assert_true(opened(file, blob_chunk_at(n)) == SIZE_MAX);
		free(file);
	}
}

/* Would catch: chunks in another order, doubled, or of another file. */
static void
test_a_chunk_opens_in_its_own_place_alone(void **state)
{
	uint8_t other_head[BLOB_HEAD_LEN], chunk[BLOB_CHUNK];
	size_t len;
	uint8_t *file = sealed_file(LARGEST, &len), *swapped = malloc(len);
	struct bytes second =
	    bytes_of(file + blob_chunk_at(1), BLOB_SEALED_CHUNK);

	(void)state;
	for (uint64_t a = 0; a < 3; a++) {
		for (uint64_t b = 0; b < 3; b++) {
			memcpy(swapped, file, len);
			memcpy(swapped + blob_chunk_at(a),
			    file + blob_chunk_at(b), BLOB_SEALED_CHUNK);
			assert_true(
			    (opened(swapped, len) == LARGEST) == (a == b));
		}
	}
	memcpy(other_head, head, sizeof(head));
	other_head[BLOB_HEAD_LEN - 1] ^= 1;
	EXPECT_OK(blob_open(chunk, key, head, 1, false, second));
	EXPECT_ST(
	    blob_open(chunk, key, other_head, 1, false, second), ST_CORRUPT);
	EXPECT_ST(blob_open(chunk, key, head, 1, true, second), ST_CORRUPT);
	EXPECT_ST(blob_open(chunk, key, head, 1ull << 56 | 1, false, second),
	    ST_CORRUPT);
	free(swapped);
	free(file);
}

/* Would catch: a bit that nothing vouches for. */
static void
test_every_flipped_bit_is_seen(void **state)
{
	size_t len;
	uint8_t *file = sealed_file(100, &len);

	(void)state;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(opened(file, len) == SIZE_MAX);
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(file);
	file = sealed_file(BLOB_CHUNK + 1, &len);
	for (size_t i = 0; i < len; i += 251) {
		file[i] ^= 0x80;
		assert_true(opened(file, len) == SIZE_MAX);
		file[i] ^= 0x80;
	}
	assert_int_equal(opened(file, len), BLOB_CHUNK + 1);
	free(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_are_the_bytes_of_the_format),
		cmocka_unit_test(test_a_length_tells_one_size_or_none),
		cmocka_unit_test(test_a_file_cut_off_anywhere_does_not_open),
		cmocka_unit_test(test_a_chunk_opens_in_its_own_place_alone),
		cmocka_unit_test(test_every_flipped_bit_is_seen),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
