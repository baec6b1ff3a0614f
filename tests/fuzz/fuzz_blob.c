/*
 * A sealed file with bytes changed, cut off or put behind: the first byte says
 * how large it was, then, four bytes each, what is spoiled.  What is read from
 * any place is what was written there, or nothing.
 */
#include <string.h>

#include "crypt/blob.h"
#include "fuzz/fuzz.h"

enum { LARGEST = 2 * BLOB_CHUNK + 700 };

static const size_t sizes[] = { 0, 1, 699, BLOB_CHUNK, BLOB_CHUNK + 1,
	2 * BLOB_CHUNK, LARGEST };
static uint8_t key[SEAL_KEY_LEN], head[BLOB_HEAD_LEN], plain[LARGEST];
static uint8_t file[LARGEST + BLOB_HEAD_LEN + 4 * SEAL_TAG_LEN + 65536];
static uint8_t chunk[BLOB_CHUNK];

static size_t
seal(size_t size)
{
	static const uint8_t id[BLOB_ID_LEN] = { 1 };
	uint64_t count = blob_chunks(size);

	for (size_t i = 0; i < size; i++)
		plain[i] = (uint8_t)(i * 13 + (i >> 8));
	blob_head(head, id);
	memcpy(file, head, sizeof(head));
	for (uint64_t n = 0; n < count; n++)
		blob_seal(file + blob_chunk_at(n), key, head, n, n + 1 == count,
		    bytes_of(plain + n * BLOB_CHUNK, blob_chunk_len(size, n)));
	return blob_sealed_size(size);
}

/* Every chunk that opens is the one that was sealed there. */
static void
check(size_t len, size_t was)
{
	uint8_t id[BLOB_ID_LEN];
	uint64_t size;

	if (blob_plain_size(&size, len) != ST_OK ||
	    blob_head_read(id, file) != ST_OK)
		return;
	for (uint64_t n = 0; n < blob_chunks(size); n++) {
		bool last = n + 1 == blob_chunks(size);
		size_t want = blob_chunk_len(size, n);

		if (blob_open(chunk, key, file, n, last,
			bytes_of(file + blob_chunk_at(n),
			    want + SEAL_TAG_LEN)) != ST_OK)
			continue;
		CHECK(n < blob_chunks(was));
		CHECK(last == (n + 1 == blob_chunks(was)));
		CHECK(want == blob_chunk_len(was, n));
		CHECK(memcmp(chunk, plain + n * BLOB_CHUNK, want) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r;
	size_t was, len;

	reader_init(&r, bytes_of(data, size));
	was = sizes[reader_u8(&r) % (sizeof(sizes) / sizeof(sizes[0]))];
	len = seal(was);
	for (int i = 0; i < 8 && r.left >= 4; i++) {
		size_t at = (size_t)(reader_u16(&r) * 7u + reader_u8(&r)) % len;
		uint8_t how = reader_u8(&r);

		if (how == 0)
			len = at > BLOB_HEAD_LEN ? at : BLOB_HEAD_LEN;
		else if (how == 255)
			len = len + 999 < sizeof(file) ? len + 999 : len;
		else
			file[at] ^= how;
	}
	check(len, was);
	return 0;
}
