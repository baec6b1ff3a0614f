#include "domain/act_words.h"

#include <string.h>

#include "base/limits.h"

static const struct {
	enum verb verb;
	const char *zh;
} verbs[] = { { DO_OPEN, "建立" }, { DO_SET, "填写" }, { DO_AMEND, "更正" },
	{ DO_ADD, "加一项" }, { DO_DROP, "划去" }, { DO_KEEP, "保留" },
	{ DO_ADVANCE, "推进" }, { DO_LINK, "关联" }, { DO_SIGN, "签名" },
	{ DO_ATTACH, "附件" }, { DO_NOTE, "备注" }, { DO_APPROVE, "批准" },
	{ DO_RELEASE, "解除" }, { DO_VOID, "作废" }, { DO_PRINT, "打印" },
	{ DO_HOLD, "搁置" }, { DO_ADMIT, "准入" } };

const char *
act_verb_zh(enum verb v)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (verbs[i].verb == v)
			return verbs[i].zh;
	}
	return verb_name(v);
}

static const struct {
	const char *word, *words;
} hows[] = { { "signed", "签名 signed" }, { "fingerprint", "捺印 fingerprint" },
	{ "refused", "拒绝签名 refused" }, { "cannot", "不能签名 cannot" },
	{ "left", "已离开 left" } };

const char *
act_how_words(const char *how)
{
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		if (strcmp(hows[i].word, how) == 0)
			return hows[i].words;
	}
	return NULL;
}

/* ---- labels */

static void
both(struct buf *out, const char *zh, const char *en)
{
	buf_printf(out, "%s %s", zh, en);
}

/* The list whose item, or a field of whose item, a path names; its length up
 * to the item's end in *len. */
static const struct kind_list *
list_of_item(const struct kind *k, struct bytes path, size_t *len)
{
	for (size_t i = 0; i < k->list_count; i++) {
		size_t n = strlen(k->lists[i].path);

		if (path.len < n + 2 + 2 * ID_LEN ||
		    memcmp(path.p, k->lists[i].path, n) != 0 ||
		    memcmp(path.p + n, "/@", 2) != 0)
			continue;
		*len = n + 2 + 2 * ID_LEN;
		return &k->lists[i];
	}
	return NULL;
}

static bool
put_group(const struct kind *k, struct bytes path, struct buf *out)
{
	for (size_t i = 0; i < k->group_count; i++) {
		const struct kind_group *g = &k->groups[i];

		if (g->list == NULL && bytes_eq_str(path, g->path)) {
			both(out, g->zh, g->en);
			return true;
		}
	}
	return false;
}

void
act_put_label(const struct kind *k, struct bytes path, struct buf *out)
{
	const struct kind_field *f;
	const struct kind_list *l;
	size_t item = 0;

	if (path.len == 0) {
		both(out, "全记录", "the record");
		return;
	}
	f = k != NULL ? kind_field(k, path) : NULL;
	l = k != NULL ? list_of_item(k, path, &item) : NULL;
	if (f != NULL && l != NULL)
		buf_printf(out, "%s·%s %s: %s", l->zh, f->zh, l->en, f->en);
	else if (f != NULL)
		both(out, f->zh, f->en);
	else if (l != NULL && path.len == item)
		both(out, l->zh, l->en);
	else if (k != NULL && kind_list(k, path) != NULL)
		both(out, kind_list(k, path)->zh, kind_list(k, path)->en);
	else if (k == NULL || !put_group(k, path, out))
		buf_bytes(out, path);
}

/* ---- acts */

static void
gap(struct buf *out)
{
	if (out->len > 0)
		buf_str(out, "  ");
}

static void
put_node(const struct json *j, uint32_t n, struct buf *out)
{
	if (j->node[n].type == JSON_STRING)
		json_text(j, n, out);
	else
		buf_bytes(out, json_raw(j, n));
}

static void
put_member(struct buf *out, const struct json *j, uint32_t of, const char *name,
    const char *words)
{
	uint32_t n = of != 0 ? json_get(j, of, name) : 0;

	if (n == 0 || j->node[n].type == JSON_NULL)
		return;
	gap(out);
	buf_str(out, words);
	put_node(j, n, out);
}

/* Whose signature, how, and who watched: not the many parts that it covers. */
static void
put_sign(
    const struct kind *k, const struct json *j, uint32_t more, struct buf *out)
{
	char form[64] = "", how[32] = "", person[128] = "";
	const struct kind_sign *s;

	(void)json_member_text(j, more, "form", form, sizeof(form));
	(void)json_member_text(j, more, "how", how, sizeof(how));
	(void)json_member_text(j, more, "person", person, sizeof(person));
	s = k != NULL ? kind_sign(k, bytes_str(form)) : NULL;
	if (s != NULL)
		both(out, s->zh, s->en);
	else
		buf_str(out, form);
	if (strcmp(person, form) != 0 &&
	    (s == NULL || strcmp(person, s->who) != 0))
		put_member(out, j, more, "person", "");
	gap(out);
	buf_str(out, act_how_words(how) != NULL ? act_how_words(how) : how);
	put_member(out, j, more, "watched", "在场见证 watched by ");
}

static void
put_attach(const struct json *j, uint32_t data, uint32_t more, struct buf *out)
{
	put_member(out, j, more, "name", "");
	put_member(out, j, more, "type", "");
	put_member(out, j, more, "size", "字节 bytes ");
	put_member(out, j, more, "taken", "摄于 taken ");
	put_member(out, j, more, "made", "");
	if (data == 0 || j->node[data].count == 0)
		return;
	gap(out);
	buf_str(out, "SHA-256 ");
	put_node(j, json_first(j, data), out);
}

/* What an act touches, by label; behind the list of an `add` stand names of
 * fields of its new item. */
static void
put_paths(const struct kind *k, enum verb verb, const struct json *j,
    uint32_t on, struct buf *out)
{
	const struct kind_list *list = NULL;
	const struct kind_field *f;
	struct buf path;
	bool first = true;

	buf_init(&path, ENTRY_BYTES_MAX);
	for (uint32_t n = on != 0 ? json_first(j, on) : 0;
	     on != 0 && n != json_end(j, on); n = j->node[n].next) {
		path.len = 0;
		json_text(j, n, &path);
		buf_str(out, first ? "" : "、");
		f = list != NULL ? kind_list_field(k, list, buf_view(&path))
				 : NULL;
		if (f != NULL)
			both(out, f->zh, f->en);
		else
			act_put_label(k, buf_view(&path), out);
		if (first && verb == DO_ADD && k != NULL)
			list = kind_list(k, buf_view(&path));
		first = false;
	}
	buf_free(&path);
}

static void
put_values(const struct json *j, uint32_t data, struct buf *out)
{
	for (uint32_t n = data != 0 ? json_first(j, data) : 0;
	     data != 0 && n != json_end(j, data); n = j->node[n].next) {
		if (j->node[n].type == JSON_NULL)
			continue;
		gap(out);
		put_node(j, n, out);
	}
}

void
act_put_words(const struct kind *k, enum verb verb, const struct json *j,
    uint32_t on, uint32_t data, uint32_t more, struct buf *out)
{
	bool whole = on != 0 && j->node[on].count == 1 &&
		     json_is(j, json_first(j, on), "");

	if (verb == DO_SIGN && more != 0) {
		put_sign(k, j, more, out);
		return;
	}
	/* A word on the whole record needs no name. */
	if (!whole || (verb != DO_NOTE && verb != DO_ATTACH &&
			  verb != DO_PRINT && verb != DO_VOID))
		put_paths(k, verb, j, on, out);
	switch (verb) {
	case DO_ATTACH:
		put_attach(j, data, more, out);
		break;
	case DO_PRINT:
		put_member(out, j, more, "form", "");
		break;
	case DO_APPROVE:
		gap(out);
		if (data != 0 && j->node[data].count == 1)
			buf_str(
			    out, j->node[json_first(j, data)].type == JSON_TRUE
				     ? "准予 approved"
				     : "不予批准 refused");
		put_member(out, j, more, "number", "");
		break;
	case DO_RELEASE:
		put_member(out, j, more, "number", "");
		break;
	case DO_OPEN:
	case DO_SET:
	case DO_AMEND:
	case DO_ADD:
		break;
	default:
		put_values(j, data, out);
	}
}
