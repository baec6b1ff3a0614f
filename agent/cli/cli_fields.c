/* cli_fields: `field=value` arguments become entries. */
#include <stdio.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "base/enc.h"

void
cli_fields_init(struct cli_fields *f)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->values, DOC_BYTES_MAX);
}

void
cli_fields_free(struct cli_fields *f)
{
	buf_wipe(&f->values);
}

static const struct kind_field *
find_field(
    const struct kind *k, const struct kind_list *list, struct bytes path)
{
	return list != NULL ? kind_list_field(k, list, path)
			    : kind_field(k, path);
}

static int
unknown_field(struct cli *c, const struct kind *k, const struct kind_list *list,
    struct bytes path)
{
	struct words why;
	char shown[256];

	words_clear(&why);
	if (list == NULL &&
	    kind_check_path(k, path, bytes_str("null"), &why) == ST_ABSENT)
		return cli_refuse(c, why.zh, why.en);
	words_quote(shown, path);
	words_clear(&why);
	words_zh(&why, "“%s”不是该清单的字段", shown);
	words_en(&why, "\"%s\" is no field of this list", shown);
	return cli_refuse(c, why.zh, why.en);
}

/* Papers name an officer by what the record says beside the id. */
static void
hint_of_name(const struct kind *k, const struct kind_list *list,
    const struct cli_fields *f)
{
	const struct kind_field *name =
	    list != NULL ? kind_list_field(k, list, bytes_str("name")) : NULL;
	bool officer = false, named = false;

	for (size_t i = 0; name != NULL && i < f->count; i++) {
		officer = officer || f->field[i]->type == KIND_OFFICER;
		named = named || f->field[i] == name;
	}
	if (officer && !named)
		(void)fprintf(stderr,
		    "没有写姓名（name=）：文书上只印编号\n"
		    "no name (name=): papers will show the id alone\n");
}

int
cli_fields_read(struct cli *c, const struct kind *k,
    const struct kind_list *list, int from, struct cli_fields *f)
{
	for (int i = from; i < c->argc; i++) {
		const char *eq = strchr(c->argv[i], '=');
		struct words why;
		struct bytes path;
		enum status st;

		if (eq == NULL)
			return cli_refuse(
			    c, "应写作 字段=值", "write it as field=value");
		path = bytes_of(c->argv[i], (size_t)(eq - c->argv[i]));
		f->on[f->count] = path;
		f->field[f->count] = find_field(k, list, path);
		if (f->field[f->count] == NULL)
			return unknown_field(c, k, list, path);
		f->value_off[f->count] = f->values.len;
		words_clear(&why);
		st = kind_normalise(f->field[f->count], bytes_str(eq + 1), 480,
		    &f->values, &why);
		if (st == ST_INVALID)
			return cli_refuse(c, why.zh, why.en);
		if (st != ST_OK || f->values.err != ST_OK)
			return cli_refuse(c, status_text(st), status_text(st));
		/* Doubtful is taken, and said. */
		if (why.zh[0] != '\0')
			(void)fprintf(stderr, "%s\n%s\n", why.zh, why.en);
		f->count++;
		f->value_off[f->count] = f->values.len;
	}
	hint_of_name(k, list, f);
	return CLI_DONE;
}

/* Has an earlier field the same `apart`? */
static bool
apart_seen(const struct cli_fields *f, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(f->field[k]->apart, f->field[i]->apart) == 0)
			return true;
	}
	return false;
}

struct act_parts {
	struct bytes on[CLI_ARGS_MAX + 1];
	size_t on_count;
	struct buf paths, data;
};

/* Names and values of the fields of one `apart`, `prefix` before each. */
static enum status
collect(const struct cli_fields *f, const char *apart, const char *lead,
    const char *prefix, struct act_parts *p)
{
	size_t off[CLI_ARGS_MAX + 1] = { 0 };

	p->on_count = 0;
	buf_reset(&p->paths);
	buf_reset(&p->data);
	buf_u8(&p->data, '[');
	if (lead != NULL) {
		p->on[p->on_count++] = bytes_str(lead);
		buf_str(&p->data, "null");
	}
	for (size_t i = 0; i < f->count; i++) {
		if (strcmp(f->field[i]->apart, apart) != 0)
			continue;
		if (p->on_count > 0)
			buf_u8(&p->data, ',');
		buf_add(&p->data, f->values.p + f->value_off[i],
		    f->value_off[i + 1] - f->value_off[i]);
		off[p->on_count] = p->paths.len;
		buf_str(&p->paths, prefix);
		buf_bytes(&p->paths, f->on[i]);
		p->on[p->on_count].len = p->paths.len - off[p->on_count];
		p->on_count++;
	}
	buf_u8(&p->data, ']');
	/* Only now does the buffer of paths stand still. */
	for (size_t i = lead != NULL ? 1 : 0; i < p->on_count; i++)
		p->on[i].p = p->paths.p + off[i];
	return p->paths.err != ST_OK ? p->paths.err : p->data.err;
}

static enum status
append_one(struct cli *c, const struct kind *k, struct agent_edit *edit,
    enum verb verb, const struct act_parts *p, uint8_t id[ID_LEN])
{
	struct agent_act act = { .kind = k->name,
		.verb = verb,
		.on = p->on,
		.on_count = p->on_count,
		.data = buf_view(&p->data),
		.at = c->at };

	if (c->reason != NULL)
		act.reason = bytes_str(c->reason);
	return agent_append(c->agent, edit, &act, id);
}

int
cli_fields_append(struct cli *c, const struct kind *k, struct agent_edit *edit,
    enum verb verb, const char *lead, const struct cli_fields *f,
    uint8_t first[ID_LEN])
{
	char prefix[PATH_BYTES_MAX + 1] = "", hex[2 * ID_LEN + 1];
	struct act_parts p = { .on_count = 0 };
	uint8_t id[ID_LEN];
	enum status st;
	bool opens = verb == DO_OPEN || verb == DO_ADD;

	buf_init(&p.paths, ENTRY_BYTES_MAX);
	buf_init(&p.data, ENTRY_BYTES_MAX);
	st = collect(f, "", lead, "", &p);
	if (st == ST_OK && (opens || p.on_count > 0))
		st = append_one(c, k, edit, verb, &p, first);
	if (st == ST_OK && lead != NULL) {
		hex_encode(hex, bytes_of(first, ID_LEN));
		(void)snprintf(prefix, sizeof(prefix), "%s/@%s/", lead, hex);
	}
	for (size_t i = 0; st == ST_OK && i < f->count; i++) {
		if (f->field[i]->apart[0] == '\0' || apart_seen(f, i))
			continue;
		/* What opened the record is known to the entries behind it. */
		if (opens)
			st = agent_edit_begin(c->agent, edit->rec, edit);
		if (st == ST_OK)
			st = collect(f, f->field[i]->apart, NULL, prefix, &p);
		if (st == ST_OK)
			st = append_one(
			    c, k, edit, opens ? DO_SET : verb, &p, id);
	}
	buf_wipe(&p.paths);
	buf_wipe(&p.data);
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
}
