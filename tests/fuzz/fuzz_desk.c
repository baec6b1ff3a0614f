/*
 * What the desk reads back: its own rows, and clock codes out of films.  What
 * is taken can be written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/core/desk_impl.h"
#include "entry/json.h"
#include "fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct desk_row row;
	struct desk_code c;
	char *text = malloc(size + 1);
	struct buf shown;

	CHECK(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (desk_code_read(&c, text))
		CHECK(strlen(c.dev) == DEV_LEN &&
		      strlen(c.nonce) == CLOCK_NONCE_LEN);
	if (desk_row_read(&row, bytes_of(data, size)) == ST_OK) {
		CHECK(row.code_count <= DESK_CODES_MAX);
		CHECK(strlen(row.path) <= DESK_PATH_MAX);
		buf_init(&shown, 4 * DESK_PATH_MAX);
		desk_show_path(&shown, row.path);
		CHECK(shown.err == ST_OK);
		CHECK(json_text_ok(buf_view(&shown)));
		buf_free(&shown);
	}
	free(text);
	return 0;
}
