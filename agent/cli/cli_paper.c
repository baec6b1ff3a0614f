/* cli_paper: printed forms. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "base/enc.h"
#include "entry/json.h"
#include "pdf/pdf.h"

static int
put_file(struct cli *c, const struct buf *pdf)
{
	char why[512];
	enum status st =
	    port_write_file(port_system(), c->out, buf_view(pdf), true);

	if (st == ST_OK)
		return CLI_DONE;
	(void)snprintf(why, sizeof(why), "%s: %s", c->out, status_text(st));
	return cli_refuse(c, "文件未能写下", why);
}

static int
tell_print(struct cli *c, const char *rec, const uint8_t *id)
{
	char hex[2 * ID_LEN + 1] = "";

	if (id != NULL)
		hex_encode(hex, bytes_of(id, ID_LEN));
	if (c->json) {
		(void)printf("{\"id\":%s%s%s,\"out\":", id != NULL ? "\"" : "",
		    id != NULL ? hex : "null", id != NULL ? "\"" : "");
		struct buf b;

		buf_init(&b, DOC_BYTES_MAX);
		json_put_str(&b, c->out);
		buf_str(&b, ",\"rec\":");
		json_put_str(&b, rec);
		buf_str(&b, "}\n");
		(void)fwrite(b.p, 1, b.len, stdout);
		buf_free(&b);
	} else {
		(void)puts(rec);
		if (id != NULL)
			(void)fprintf(stderr,
			    "已打印并存证 printed and written down %s\n", hex);
		else
			(void)fprintf(stderr,
			    "空白表已写入；补录时用 record --rec %s\n"
			    "blank form written; enter it later with record "
			    "--rec %s\n",
			    rec, rec);
	}
	return CLI_DONE;
}

/* The form that was named, or the only one of the record's kind. */
static const char *
choose_form(struct cli *c, const struct kind *k)
{
	if (c->argc > 1)
		return c->argv[1];
	if (k->form_count == 1)
		return k->forms[0].id;
	(void)cli_refuse(c,
	    k->form_count == 0 ? "该类记录没有表式" : "请指明表式，见 forms",
	    k->form_count == 0 ? "this kind has no form"
			       : "name one of this kind's forms: see `forms`");
	return NULL;
}

static int
run_print(struct cli *c)
{
	char rec[REC_LEN + 1];
	uint8_t id[ID_LEN];
	struct buf pdf;
	const struct kind *k = NULL;
	const char *form = NULL;
	enum status st;
	int rc;

	if (c->out == NULL)
		return cli_refuse(c, "请用 --out 指明文件", "--out is needed");
	if (!c->blank) {
		k = cli_kind_of(c, c->argv[0]);
		form = k != NULL ? choose_form(c, k) : NULL;
		if (form == NULL)
			return CLI_FAILED;
	}
	buf_init(&pdf, PDF_BYTES_MAX);
	st = c->blank ? agent_print_blank(c->agent, c->argv[0], rec, &pdf)
		      : agent_print(c->agent, c->argv[0], form, &pdf, id);
	rc = st == ST_OK ? put_file(c, &pdf) : cli_fail(c, st);
	buf_wipe(&pdf);
	if (rc != CLI_DONE)
		return rc;
	return tell_print(c, c->blank ? rec : c->argv[0], c->blank ? NULL : id);
}

static void
put_form(const struct json *j)
{
	static const char *const names[] = { "form", "kind", "zh", "en" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[256];

		(void)json_member_text(j, 0, names[i], text, sizeof(text));
		(void)printf(i < 2 ? "%-24s" : "%s  ", text);
	}
	(void)putchar('\n');
}

static int
run_forms(struct cli *c)
{
	struct buf b;
	struct json j;
	const char *line, *end;
	enum status st;

	buf_init(&b, DOC_BYTES_MAX);
	st = agent_forms(c->agent, &b);
	if (c->json || st != ST_OK)
		return cli_print(c, st, &b);
	json_init(&j);
	line = buf_cstr(&b);
	for (; line != NULL && (end = strchr(line, '\n')) != NULL;
	     line = end + 1) {
		if (json_parse(&j, bytes_of(line, (size_t)(end - line)),
			JSON_DOCUMENT) == ST_OK)
			put_form(&j);
	}
	json_free(&j);
	buf_free(&b);
	return CLI_DONE;
}

const struct cli_command cli_paper_commands[] = {
	{ "print", 1, CLI_KEYS, run_print,
	    "REC [FORM] --out F.pdf | --blank FORM --out F.pdf", "打印",
	    "print a record's form, or a blank one" },
	{ "forms", 0, CLI_KEYS, run_forms, "", "表式清单",
	    "forms that can be printed" },
	{ NULL, 0, false, NULL, NULL, NULL, NULL },
};
