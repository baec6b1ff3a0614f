/* Chinese and Latin text in the columns of a terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/columns.h"
#include "support/expect.h"

static void
padded(const char *text, size_t width, const char *want)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);

	EXPECT(f != NULL);
	columns_pad(f, bytes_str(text), width);
	EXPECT(fclose(f) == 0);
	assert_string_equal(out, want);
	free(out);
}

/* Would catch: tables that do not line up once a character takes two columns,
 * or one that is cut in its middle. */
static void
chinese_takes_two_columns(void **state)
{
	(void)state;
	EXPECT(columns_of(bytes_str("搜查 a，")) == 8);
	EXPECT(columns_of(bytes_str("")) == 0);
	padded("搜查", 6, "搜查  ");
	padded("搜查", 4, "搜查");
	padded("搜查令", 5, "搜查…");
	padded("搜查令", 4, "搜… ");
	padded("abc", 2, "a…");
}

/* Would catch: a note from another device that colours the screen, moves the
 * cursor, or hides what stands before it. */
static void
text_cannot_steer_the_terminal(void **state)
{
	(void)state;
	padded("a\x1b[2Jb\r\nc", 12, "a?[2Jb??c   ");
	padded("\xc2\x9b"
	       "31m",
	    5, "?31m ");
	/* A name that is turned around, or has what nobody sees. */
	padded("a\xe2\x80\xae"
	       "4pm.exe",
	    10, "a?4pm.exe ");
	padded("A\xe2\x80\x8b\xef\xbb\xbf"
	       "B",
	    5, "A??B ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chinese_takes_two_columns),
		cmocka_unit_test(text_cannot_steer_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
