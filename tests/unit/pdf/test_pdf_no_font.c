#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdf/pdf.h"

/* Catches a machine without Chinese fonts that prints pages of boxes. */
static void
test_pdf_without_the_font_says_which_package_brings_it(void **state)
{
	struct pdf_config c = { .title = "题", .made_ms = 0 };
	struct form_input in = { .offset_min = 480 };
	struct kinds *kinds = NULL;
	struct forms *forms = NULL;
	struct form_doc doc;
	struct words why;
	struct buf out;

	(void)state;
	EXPECT_OK(kinds_load_builtin(&kinds));
	EXPECT_OK(forms_load_builtin(&forms, kinds));
	in.form = forms_at(forms, 0);
	form_doc_init(&doc);
	buf_init(&out, PDF_BYTES_MAX);
	EXPECT_OK(form_fill(&doc, &in));
	EXPECT_ST(pdf_write(&out, &doc, &c, &why), ST_ABSENT);
	EXPECT(strstr(why.zh, "fonts-noto-cjk") != NULL);
	EXPECT(strstr(why.en, "fonts-noto-cjk") != NULL);
	EXPECT(out.len == 0);
	buf_free(&out);
	form_doc_free(&doc);
	forms_free(forms);
	kinds_free(kinds);
	pdf_end();
}

int
main(void)
{
	static const char empty[] =
	    "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM "
	    "\"fonts.dtd\"><fontconfig></fontconfig>";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_pdf_without_the_font_says_which_package_brings_it),
	};
	char dir[] = "/tmp/daybreak-nofont-XXXXXX", path[64];
	FILE *f;
	int rc;

	/* Before fontconfig is first asked, in a process of its own. */
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/fonts.conf", dir);
	f = fopen(path, "w");
	if (f == NULL || fputs(empty, f) < 0 || fclose(f) != 0)
		return 1;
	(void)setenv("FONTCONFIG_FILE", path, 1);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)remove(path);
	(void)remove(dir);
	return rc;
}
