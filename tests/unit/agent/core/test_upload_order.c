/* upload: what goes first, how much at a time, and which address of an upload
 * is believed. */
#include <stdio.h>
#include <string.h>

#include "agent/core/upload.h"
#include "support/expect.h"

static struct log_blob
row(const char *type, uint64_t size, bool urgent, const char *rec, uint64_t ms)
{
	struct log_blob r = { .size = size, .made_ms = ms, .urgent = urgent };

	(void)snprintf(r.type, sizeof(r.type), "%s", type);
	(void)snprintf(r.rec, sizeof(r.rec), "%s", rec);
	return r;
}

/* Would catch: a photo behind a video, an old day before the new one, and two
 * files that each go before the other. */
static void
test_files_go_in_one_order(void **state)
{
	static const char old[] = "0197a0f0-0000-7000-8000-000000000000";
	static const char new[] = "0197a0f1-0000-7000-8000-000000000000";
	struct log_blob in_order[] = {
		row("video/mp4", 9, true, old, 1),
		row("image/jpeg", 1 << 30, false, new, 5),
		row("audio/ogg", UPLOAD_AUDIO_BYTES, false, new, 4),
		row("image/png", 1, false, old, 9),
		row("application/pdf", 1, false, new, 1),
		row("audio/ogg", UPLOAD_AUDIO_BYTES + 1, false, old, 1),
		row("video/mp4", 1, false, new, 2),
		row("video/mp4", 1, false, new, 1),
		row("video/mp4", 1, false, old, 9),
	};
	size_t n = sizeof(in_order) / sizeof(in_order[0]);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++)
			assert_int_equal(
			    upload_before(&in_order[i], &in_order[k]), i < k);
	}
}

/* Would catch: a centre (or who sits in its place) that sends us elsewhere. */
static void
test_only_this_centres_uploads_are_believed(void **state)
{
	static const char *const wrong[] = { "", "/", "/v1/evidence/",
		"/v1/evidence/00112233445566778899aabbccddeef",
		"/v1/evidence/00112233445566778899aabbccddeeff0",
		"/v1/evidence/00112233445566778899aabbccddeeff/",
		"/v1/evidence/00112233445566778899AABBCCDDEEFF",
		"/v1/evidence/../sync/00112233445566778899aabbccddeeff",
		"/v1/sync/00112233445566778899aabbccddeeff",
		"v1/evidence/00112233445566778899aabbccddeeff",
		"//evil/v1/evidence/00112233445566778899aabbccddeeff",
		"https://evil/v1/evidence/00112233445566778899aabbccddeeff",
		"https://centre.daybreak.internal.evil/v1/evidence/"
		"00112233445566778899aabbccddeeff",
		"https://centre.daybreak.internal@evil/v1/evidence/"
		"00112233445566778899aabbccddeeff",
		"http://centre.daybreak.internal/v1/evidence/"
		"00112233445566778899aabbccddeeff" };
	static const char *const right[] = {
		"/v1/evidence/00112233445566778899aabbccddeeff",
		"https://centre.daybreak.internal/v1/evidence/"
		"00112233445566778899aabbccddeeff",
		"https://centre.daybreak.internal:443/v1/evidence/"
		"00112233445566778899aabbccddeeff"
	};
	uint8_t id[LOG_BLOB_UPLOAD_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(upload_location(wrong[i], id));
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		assert_true(upload_location(right[i], id));
		assert_int_equal(id[1], 0x11);
		assert_int_equal(id[15], 0xff);
	}
}

/* Would catch: a piece that a slow link carries for minutes, while entries
 * wait; or one so small that a fast one idles. */
static void
test_a_piece_is_what_the_link_takes_in_seconds(void **state)
{
	struct blobs all = { .rate = 0 };

	(void)state;
	assert_int_equal(upload_piece(&all), UPLOAD_PIECE_FIRST);
	all.rate = 1;
	assert_int_equal(upload_piece(&all), UPLOAD_PIECE_LEAST);
	all.rate = 8000; /* 64 kbit/s */
	assert_int_equal(upload_piece(&all), 8000 * UPLOAD_PIECE_S);
	all.rate = 1u << 30;
	assert_int_equal(upload_piece(&all), UPLOAD_PIECE_MOST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_go_in_one_order),
		cmocka_unit_test(test_only_this_centres_uploads_are_believed),
		cmocka_unit_test(
		    test_a_piece_is_what_the_link_takes_in_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
