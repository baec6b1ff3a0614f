/*
 * A code that is read is written again to the same letters, but for their
 * case; an id likewise.
 */
#include <string.h>

#include "form/paper.h"
#include "fuzz/fuzz.h"

static uint8_t
capital(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t salt[PAPER_SALT_LEN] = { 1 };
	static struct buf out;
	struct paper_code c;
	uint8_t id[ID_LEN];

	if (out.max == 0)
		buf_init(&out, 4096);
	if (paper_read_id(id, bytes_of(data, size)) == ST_OK)
		CHECK(size == PAPER_ID_TEXT);
	if (paper_read(&c, bytes_of(data, size)) != ST_OK)
		return 0;
	buf_reset(&out);
	CHECK(paper_write(&out, &c, salt, bytes_str("x")) == ST_OK);
	CHECK(out.len > size && out.p[size] == '#');
	for (size_t i = 0; i < size; i++)
		CHECK(out.p[i] == capital(data[i]));
	return 0;
}
