#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "form/paper.h"

/* The QR's text and what it commits to (docs/CHECK.md). */

static const uint8_t salt[PAPER_SALT_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
#define SUMMARY "（2026）苏0302执1号\n搜查笔录\n2026年11月24日5时10分\n1项\n"

static struct paper_code
made(bool place)
{
	struct paper_code c = { .seq = 300, .has_place = place };

	for (unsigned i = 0; i < HASH_LEN; i++)
		c.link[i] = (uint8_t)(i + 1);
	memset(c.chain, 0xc1, CHAIN_LEN);
	memset(c.sig, 0x51, SIG_LEN);
	memset(c.dev, 0xde, PAPER_DEV_LEN);
	c.place = place ? 123456 : 0;
	memcpy(c.origin, "xz0302.daybreak/log", 20);
	return c;
}

static void
write_it(const struct paper_code *c, struct buf *out)
{
	buf_reset(out);
	EXPECT_OK(paper_write(out, c, salt, bytes_str(SUMMARY)));
}

/* A of "DBP1-A#B". */
static struct bytes
first_part(const struct buf *b)
{
	const uint8_t *hash = memchr(b->p, '#', b->len);

	assert_non_null(hash);
	return bytes_of(b->p, (size_t)(hash - b->p));
}

/* Catches a code that the centre cannot read, or reads as something else. */
static void
test_paper_code_is_read_as_it_was_written(void **state)
{
	struct paper_code got, want;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (int place = 0; place < 2; place++) {
		struct bytes a;

		want = made(place == 1);
		write_it(&want, &b);
		a = first_part(&b);
		EXPECT(a.len <= PAPER_CODE_MAX);
		EXPECT_OK(paper_read(&got, a));
		assert_memory_equal(&got, &want, sizeof(got));
		/* All of it is of the letters that a QR packs. */
		for (size_t i = 0; i < b.len; i++)
			EXPECT(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-1#",
				   b.p[i]) != NULL);
		/* Typed in small letters it is the same. */
		for (size_t i = 0; i < a.len; i++)
			if (b.p[i] >= 'A' && b.p[i] <= 'Z')
				b.p[i] = (uint8_t)(b.p[i] - 'A' + 'a');
		EXPECT_OK(paper_read(&got, a));
		assert_memory_equal(&got, &want, sizeof(got));
	}
	buf_free(&b);
}

/* Catches a reader that takes half a code, or one with something behind it. */
static void
test_paper_code_cut_or_changed_is_no_code(void **state)
{
	struct paper_code c = made(true), got;
	struct buf b, copy;
	struct bytes a;

	(void)state;
	buf_init(&b, 4096);
	buf_init(&copy, 4096);
	write_it(&c, &b);
	a = first_part(&b);
	/* Cut inside the origin it is another origin, before it nothing. */
	for (size_t n = 0; n < a.len - 30; n++)
		EXPECT_ST(paper_read(&got, bytes_of(a.p, n)), ST_INVALID);
	EXPECT_ST(paper_read(&got, buf_view(&b)), ST_INVALID);
	for (size_t i = 0; i < a.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			buf_reset(&copy);
			buf_bytes(&copy, a);
			copy.p[i] ^= (uint8_t)(1u << bit);
			if (paper_read(&got, buf_view(&copy)) != ST_OK)
				continue;
			/* The case of a letter says nothing. */
			EXPECT((a.p[i] ^ copy.p[i]) == 0x20 ||
			       memcmp(&got, &c, sizeof(c)) != 0);
		}
	}
	buf_free(&b);
	buf_free(&copy);
}

/* Catches a digest that another program cannot compute. */
static void
test_paper_digest_is_the_documents(void **state)
{
	uint8_t got[HASH_LEN], want[HASH_LEN];
	char big[PAPER_SUMMARY_MAX + 2];

	(void)state;
	EXPECT_OK(paper_digest(got, salt, bytes_str("甲\n乙\n\n\n")));
	/* printf 'daybreak-print/1\0\1\2\3\4\5\6\7\10\11\12甲\n乙\n\n\n' |
	 * sha256sum */
	EXPECT_OK(hex_decode(want, HASH_LEN,
	    bytes_str("16a1ce209708ad5f0dd3cc68d4d801d3654020ae7393199dd16ab12b"
		      "40cc689c")));
	assert_memory_equal(got, want, HASH_LEN);
	memset(big, 'a', sizeof(big));
	EXPECT_OK(paper_digest(got, salt, bytes_of(big, PAPER_SUMMARY_MAX)));
	EXPECT_ST(paper_digest(got, salt, bytes_of(big, PAPER_SUMMARY_MAX + 1)),
	    ST_LIMIT);
	EXPECT_ST(paper_digest(got, salt, bytes_of(big, 0)), ST_LIMIT);
}

/* Catches an entry that states something else than the paper. */
static void
test_paper_more_is_canonical(void **state)
{
	struct paper_print p = { .form = "search_record@1",
		.summary = bytes_str("甲\n乙") };
	struct buf b;

	(void)state;
	memset(p.state, 0xab, HASH_LEN);
	memset(p.text, 0xcd, HASH_LEN);
	memcpy(p.salt, salt, sizeof(salt));
	buf_init(&b, 4096);
	paper_more(&b, &p);
	assert_string_equal(buf_cstr(&b),
	    "{\"form\":\"search_record@1\",\"salt\":\"0102030405060708090a\","
	    "\"state\":"
	    "\"abababababababababababababababababababababababababababababababab"
	    "\",\"summary\":\"甲\\n乙\",\"text\":"
	    "\"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
	    "\"}");
	buf_free(&b);
}

/* Catches a strip without the words that the law of this page demands, or
 * whose letters are not those that the page reads. */
static void
test_paper_words_tell_to_type_the_courts_address(void **state)
{
	struct paper_code c = made(false);
	uint8_t id[ID_LEN];
	char letters[64];
	const char *text, *at;
	size_t n = 0;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	paper_words(&b, &c, salt, bytes_str(SUMMARY));
	text = buf_cstr(&b);
	assert_non_null(strstr(text, "请自行输入本院网址"));
	assert_non_null(strstr(text, "摘要：（2026）苏0302执1号　搜查笔录"));
	assert_null(strstr(text, "http"));
	at = strstr(text, "编号 ");
	assert_non_null(at);
	for (at += strlen("编号 "); *at != '\n'; at++)
		if (*at != ' ')
			letters[n++] = *at;
	EXPECT_OK(paper_read_id(id, bytes_of(letters, n)));
	assert_memory_equal(id, c.link, ID_LEN);
	EXPECT_ST(paper_read_id(id, bytes_of(letters, n - 1)), ST_INVALID);
	letters[0] = '1';
	EXPECT_ST(paper_read_id(id, bytes_of(letters, n)), ST_INVALID);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paper_code_is_read_as_it_was_written),
		cmocka_unit_test(test_paper_code_cut_or_changed_is_no_code),
		cmocka_unit_test(test_paper_digest_is_the_documents),
		cmocka_unit_test(test_paper_more_is_canonical),
		cmocka_unit_test(
		    test_paper_words_tell_to_type_the_courts_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
