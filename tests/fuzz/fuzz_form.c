/*
 * A form file that is taken fills, blank and from a record, says the same twice
 * and sums it up; what is refused comes with words and leaves nothing behind.
 */
#include <string.h>

#include "domain/state.h"
#include "form/form.h"
#include "form/paper.h"
#include "fuzz/fuzz.h"

/* A record with something of everything: conflicts, items in and out, a
 * withheld value, signatures. */
static const char record[] =
    "{\"acts\":{},\"bare\":[],\"blind\":[],\"fields\":{\"found/@0123456789"
    "abcdef0123456789abcdef/name\":[[\"0123456789abcdef0123456789ab"
    "cdef\",\"金条\"]],\"found/@14affdaa17ebb7a65bc57073257321cb/name\":"
    "[[\"0123456789abcdef0123456789abcdef\",\"银\"]],\"opening/forced\":"
    "[[\"0123456789abcdef0123456789abcdef\",true]],\"persons/@012345"
    "6789abcdef0123456789abcdef/name\":[[\"0123456789abcdef01234567"
    "89abcdef\",\"李某\"]],\"shown/warrant\":[[\"0123456789abcdef01234567"
    "89abcdef\",true],[\"14affdaa17ebb7a65bc57073257321cb\",false]],"
    "\"started_at\":[[\"0123456789abcdef0123456789abcdef\",\"2026-11-2"
    "4T05:10:00+08:00\"]],\"target\":[[\"0123456789abcdef0123456789ab"
    "cdef\",\"a\"],[\"14affdaa17ebb7a65bc57073257321cb\",\"b\"]],\"warran"
    "t/no\":[[\"0123456789abcdef0123456789abcdef\",{\"withheld\":\"x\"}]"
    "]},\"heads\":[],\"items\":{\"found/@0123456789abcdef0123456789abc"
    "def\":{\"is\":\"in\",\"n\":1},\"found/@14affdaa17ebb7a65bc5707325732"
    "1cb\":{\"is\":\"out\",\"n\":2},\"persons/@0123456789abcdef0123456789"
    "abcdef\":{\"is\":\"in\",\"n\":1}},\"kind\":[\"search@1\"],\"links\":{},\"m"
    "issing\":[],\"rec\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"sta"
    "tus\":[],\"v\":1,\"void\":false}";

static struct kinds *kinds;

static void
fill(const struct form *f, const struct state *st)
{
	struct form_input in = { .form = f,
		.st = st,
		.offset_min = 480,
		.now_ms = 1780000000000,
		.court_name = "C",
		.rec = "R" };
	struct form_doc a, b;
	struct buf sum;
	struct bytes part[4];
	enum status got;

	form_doc_init(&a);
	form_doc_init(&b);
	got = form_fill(&a, &in);
	CHECK(got == ST_OK || got == ST_LIMIT);
	CHECK(form_fill(&b, &in) == got);
	CHECK(a.text.len == b.text.len && a.line_count == b.line_count);
	if (got == ST_OK && a.text.len > 0)
		CHECK(memcmp(a.text.p, b.text.p, a.text.len) == 0);
	for (size_t i = 0; got == ST_OK && i < a.line_count; i++) {
		const struct form_line *l = &a.line[i];

		CHECK(l->cell_count > 0 &&
		      l->cell + l->cell_count <= a.cell_count);
		CHECK(st == NULL || (!l->open && l->lines == 0));
		for (uint32_t c = 0; c < l->cell_count; c++)
			CHECK(form_doc_text(&a, &a.cell[l->cell + c]).len <=
			      a.text.len);
	}
	buf_init(&sum, PAPER_SUMMARY_MAX * 4);
	if (st != NULL) {
		CHECK(form_summary(&in, &sum) == ST_OK);
		CHECK(sum.len <= PAPER_SUMMARY_MAX * 2);
	}
	buf_free(&sum);
	(void)form_parts(f, part, 4);
	(void)form_shows(f, bytes_str("target"));
	form_doc_free(&a);
	form_doc_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct forms *fs = NULL;
	struct state st;
	struct bytes in = { data, size };
	enum status got;

	if (kinds == NULL)
		CHECK(kinds_load_builtin(&kinds) == ST_OK);
	CHECK(forms_new(&fs) == ST_OK);
	got = forms_add(fs, kinds, "f", in);
	CHECK(got == ST_OK || got == ST_INVALID);
	if (got == ST_OK) {
		const struct form *f = forms_at(fs, 0);

		CHECK(forms_find(fs, bytes_str(form_id(f))) == f);
		CHECK(forms_add(fs, kinds, "f", in) == ST_OK &&
		      forms_count(fs) == 1);
		fill(f, NULL);
		state_init(&st);
		CHECK(state_read(&st, bytes_str(record)) == ST_OK);
		/* Whoever prints looks that form and record are of one kind. */
		if (strcmp(form_kind(f)->id, "search@1") == 0)
			fill(f, &st);
		state_free(&st);
	} else {
		CHECK(forms_count(fs) == 0);
		CHECK(forms_words(fs)->zh[0] != '\0' &&
		      forms_words(fs)->en[0] != '\0');
	}
	forms_free(fs);
	return 0;
}
