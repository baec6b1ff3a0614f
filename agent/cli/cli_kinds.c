/* cli_kinds: what can be written down, from the kinds themselves. */
#include <stdio.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/columns.h"
#include "domain/kind.h"
#include "entry/json.h"

enum { NAME_COLUMNS = 26, LABEL_COLUMNS = 30 };

/* The newest version of each kind that people write, in turn. */
static const struct kind *
written_kind(const struct kinds *ks, size_t i)
{
	const struct kind *k = kinds_at(ks, i);
	const struct kind *newest = kinds_latest(ks, bytes_str(k->name));

	return k == newest && !k->system ? k : NULL;
}

/* ---- for people */

static void
put_row(const char *indent, const char *name, const char *zh, const char *en)
{
	char both[256];

	(void)snprintf(both, sizeof(both), "%s %s", zh, en);
	(void)fputs(indent, stdout);
	columns_pad(stdout, bytes_str(name), NAME_COLUMNS);
	(void)putchar(' ');
	columns_put(stdout, bytes_str(both));
}

static void
put_field(const char *indent, const struct kind_field *f)
{
	put_row(indent, f->path, f->zh, f->en);
	(void)printf("  [%s]%s", kind_type_name(f->type),
	    f->required ? "  必填 required" : "");
	if (f->when != NULL)
		(void)fputs("  视情形 in some cases", stdout);
	(void)putchar('\n');
	if (f->option_count == 0)
		return;
	(void)printf("%s    ", indent);
	for (size_t i = 0; i < f->option_count; i++) {
		(void)printf("%s%s（%s）", i > 0 ? " · " : "", f->options[i].zh,
		    f->options[i].id);
	}
	(void)putchar('\n');
}

static void
put_rest(const struct kind *k)
{
	if (k->sign_count > 0)
		(void)puts("\n签名 sign REC WHO signed|refused|…");
	for (size_t i = 0; i < k->sign_count; i++) {
		put_row("  ", k->signs[i].id, k->signs[i].zh, k->signs[i].en);
		(void)puts(k->signs[i].required ? "  必须 required" : "");
	}
	if (k->status_count > 0)
		(void)puts("\n状态 advance REC STATUS");
	for (size_t i = 0; i < k->status_count; i++) {
		const struct kind_status *s = &k->status[i];

		put_row("  ", s->id, s->zh, s->en);
		for (size_t to = 0; to < s->to_count; to++)
			(void)printf("%s%s", to > 0 ? ", " : "  → ", s->to[to]);
		(void)putchar('\n');
	}
	if (k->attach_count > 0)
		(void)puts("\n附件 attach REC FILE");
	for (size_t i = 0; i < k->attach_count; i++) {
		const struct kind_attach *a = &k->attaches[i];

		put_row("  ", a->id, a->zh, a->en);
		(void)puts(a->required ? "  必须 required" : "");
	}
	if (k->link_count > 0)
		(void)puts("\n关联 link REC OTHER WORD --reason R");
	for (size_t i = 0; i < k->link_count; i++) {
		put_row("  ", k->links[i].word, k->links[i].zh, k->links[i].en);
		(void)putchar('\n');
	}
	if (k->form_count > 0)
		(void)puts("\n表式 print REC FORM --out F.pdf");
	for (size_t i = 0; i < k->form_count; i++) {
		put_row("  ", k->forms[i].id, k->forms[i].zh, k->forms[i].en);
		(void)putchar('\n');
	}
}

static void
put_kind(const struct kind *k)
{
	(void)printf("%s %s  %s\n", k->zh, k->en, k->id);
	if (k->help_zh[0] != '\0')
		(void)printf("%s\n%s\n", k->help_zh, k->help_en);
	(void)printf(
	    "\n字段 record %s field=value…, set REC field=value…\n", k->name);
	for (size_t i = 0; i < k->field_count; i++)
		put_field("  ", &k->fields[i]);
	for (size_t i = 0; i < k->list_count; i++) {
		const struct kind_list *l = &k->lists[i];

		(void)printf("\n%s %s  add REC %s field=value…%s\n", l->zh,
		    l->en, l->path, l->required > 0 ? "  必填 required" : "");
		for (size_t f = 0; f < l->field_count; f++)
			put_field("  ", &l->fields[f]);
	}
	put_rest(k);
}

/* ---- as JSON */

static void
json_names(struct buf *b, const char *id, const char *value, const char *zh,
    const char *en)
{
	buf_str(b, "{\"");
	buf_str(b, id);
	buf_str(b, "\":");
	json_put_str(b, value);
	buf_str(b, ",\"zh\":");
	json_put_str(b, zh);
	buf_str(b, ",\"en\":");
	json_put_str(b, en);
}

static void
json_fields(struct buf *b, const struct kind_field *fields, size_t n)
{
	buf_str(b, ",\"fields\":[");
	for (size_t i = 0; i < n; i++) {
		const struct kind_field *f = &fields[i];

		if (i > 0)
			buf_u8(b, ',');
		json_names(b, "path", f->path, f->zh, f->en);
		buf_str(b, ",\"type\":");
		json_put_str(b, kind_type_name(f->type));
		buf_str(b, f->required ? ",\"required\":true,"
				       : ",\"required\":false,");
		buf_str(b, "\"options\":[");
		for (size_t o = 0; o < f->option_count; o++) {
			if (o > 0)
				buf_u8(b, ',');
			json_names(b, "id", f->options[o].id, f->options[o].zh,
			    f->options[o].en);
			buf_u8(b, '}');
		}
		buf_str(b, "]}");
	}
	buf_u8(b, ']');
}

static void
json_kind(struct buf *b, const struct kind *k)
{
	json_names(b, "kind", k->id, k->zh, k->en);
	json_fields(b, k->fields, k->field_count);
	buf_str(b, ",\"lists\":[");
	for (size_t i = 0; i < k->list_count; i++) {
		if (i > 0)
			buf_u8(b, ',');
		json_names(b, "path", k->lists[i].path, k->lists[i].zh,
		    k->lists[i].en);
		json_fields(b, k->lists[i].fields, k->lists[i].field_count);
		buf_u8(b, '}');
	}
	buf_str(b, "],\"signs\":[");
	for (size_t i = 0; i < k->sign_count; i++) {
		if (i > 0)
			buf_u8(b, ',');
		json_names(
		    b, "id", k->signs[i].id, k->signs[i].zh, k->signs[i].en);
		buf_u8(b, '}');
	}
	buf_str(b, "],\"status\":[");
	for (size_t i = 0; i < k->status_count; i++) {
		if (i > 0)
			buf_u8(b, ',');
		json_names(
		    b, "id", k->status[i].id, k->status[i].zh, k->status[i].en);
		buf_u8(b, '}');
	}
	buf_str(b, "]}\n");
}

/* ---- the command */

static int
list_kinds(struct cli *c, const struct kinds *ks)
{
	for (size_t i = 0; i < kinds_count(ks); i++) {
		const struct kind *k = written_kind(ks, i);

		if (k == NULL)
			continue;
		if (c->json) {
			struct buf b;

			buf_init(&b, DOC_BYTES_MAX);
			json_names(&b, "kind", k->id, k->zh, k->en);
			buf_str(&b, "}\n");
			(void)cli_print(c, ST_OK, &b);
		} else {
			put_row("", k->name, k->zh, k->en);
			(void)putchar('\n');
		}
	}
	return CLI_DONE;
}

int
cli_no_kind(struct cli *c)
{
	return cli_refuse(c, "没有此类记录；有哪些见 kinds",
	    "no such kind of record; `kinds` lists those there are");
}

static int
run_kinds(struct cli *c)
{
	const struct kinds *ks = agent_kinds(c->agent);
	const struct kind *k;
	struct buf b;

	if (c->argc == 0)
		return list_kinds(c, ks);
	k = kinds_latest(ks, bytes_str(c->argv[0]));
	if (k == NULL)
		k = kinds_find(ks, bytes_str(c->argv[0]));
	if (k == NULL)
		return cli_no_kind(c);
	if (!c->json) {
		put_kind(k);
		return CLI_DONE;
	}
	buf_init(&b, (size_t)1 << 20);
	json_kind(&b, k);
	return cli_print(c, ST_OK, &b);
}

const struct cli_command cli_kinds_commands[] = {
	{ "kinds", 0, CLI_KEYS, run_kinds, "[KIND]", "可记录的类别及其内容",
	    "what can be recorded, and its fields" },
	{ NULL, 0, CLI_NO_KEYS, NULL, NULL, NULL, NULL },
};
