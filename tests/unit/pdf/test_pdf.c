#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "pdf/pdf.h"

/* Real pango, real fonts, real bytes. */

static struct kinds *kinds;
static struct forms *forms;

static int
setup(void **state)
{
	(void)state;
	return kinds_load_builtin(&kinds) == ST_OK &&
		       forms_load_builtin(&forms, kinds) == ST_OK
		   ? 0
		   : 1;
}

static int
teardown(void **state)
{
	(void)state;
	forms_free(forms);
	kinds_free(kinds);
	pdf_end();
	return 0;
}

static bool
holds(const struct buf *b, const char *text)
{
	return memmem(b->p, b->len, text, strlen(text)) != NULL;
}

/* Catches a form that cannot be laid out, and a font that is not embedded. */
static void
test_pdf_each_form_is_a_document_with_its_font(void **state)
{
	struct pdf_config c = {
		.title = "题", .header = "某法院", .made_ms = 1780000000000
	};
	struct form_doc doc;
	struct words why;
	struct buf out;

	(void)state;
	form_doc_init(&doc);
	buf_init(&out, PDF_BYTES_MAX);
	for (size_t i = 0; i < forms_count(forms); i++) {
		struct form_input in = { .form = forms_at(forms, i),
			.offset_min = 480,
			.rec = "R" };

		buf_reset(&out);
		EXPECT_OK(form_fill(&doc, &in));
		EXPECT_OK(pdf_write(&out, &doc, &c, &why));
		EXPECT(out.len > 1000 && memcmp(out.p, "%PDF-", 5) == 0);
		EXPECT(holds(&out, "NotoSerifCJKsc"));
	}
	buf_free(&out);
	form_doc_free(&doc);
}

/* Catches a document that differs though nothing did: its digest would be of
 * no use. */
static void
test_pdf_the_same_record_gives_the_same_bytes(void **state)
{
	struct pdf_config c = { .title = "题", .made_ms = 1780000000000 };
	struct form_input in = { .form = forms_at(forms, 0),
		.offset_min = 480 };
	struct form_doc doc;
	struct words why;
	struct buf a, b;

	(void)state;
	form_doc_init(&doc);
	buf_init(&a, PDF_BYTES_MAX);
	buf_init(&b, PDF_BYTES_MAX);
	EXPECT_OK(form_fill(&doc, &in));
	EXPECT_OK(pdf_write(&a, &doc, &c, &why));
	EXPECT_OK(pdf_write(&b, &doc, &c, &why));
	EXPECT_BYTES(buf_view(&a), buf_view(&b));
	buf_free(&a);
	buf_free(&b);
	form_doc_free(&doc);
}

/* Catches a ceiling or a QR that is passed over in silence, with half a
 * document handed out. */
static void
test_pdf_what_does_not_fit_is_refused_whole(void **state)
{
	static uint8_t much[4000];
	struct pdf_config c = { .title = "题", .made_ms = 0 };
	struct form_input in = { .form = forms_at(forms, 0),
		.offset_min = 480 };
	struct form_doc doc;
	struct words why;
	struct buf out;

	(void)state;
	form_doc_init(&doc);
	EXPECT_OK(form_fill(&doc, &in));
	buf_init(&out, 2000);
	EXPECT_ST(pdf_write(&out, &doc, &c, &why), ST_LIMIT);
	EXPECT(out.len == 0);
	buf_free(&out);
	buf_init(&out, PDF_BYTES_MAX);
	memset(much, 'a', sizeof(much));
	c.foot_qr = bytes_of(much, sizeof(much));
	EXPECT_ST(pdf_write(&out, &doc, &c, &why), ST_LIMIT);
	EXPECT(out.len == 0);
	buf_free(&out);
	form_doc_free(&doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_pdf_each_form_is_a_document_with_its_font),
		cmocka_unit_test(test_pdf_the_same_record_gives_the_same_bytes),
		cmocka_unit_test(test_pdf_what_does_not_fit_is_refused_whole),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
