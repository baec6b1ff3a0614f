/*
 * A form's texts are cut into runs when the file is read, so that every name
 * in them was checked before anything is printed.
 */
#include <string.h>

#include "domain/doc.h"
#include "form/form_priv.h"

enum { PIECES_MAX = 200, PIECE_TEXT_MAX = 4096 };

static enum status
bad_name(struct doc *d, uint32_t n, struct bytes name)
{
	return doc_refuse_text(
	    d, n, "文字中的名称不明", "unknown name in the text", name);
}

static enum status
find_field(struct form_piece *p, struct doc *d, uint32_t n,
    const struct kind *k, const struct kind_list *list, struct bytes name)
{
	if (name.len > 0 && name.p[0] == '/') {
		name = bytes_of(name.p + 1, name.len - 1);
		p->record = true;
		list = NULL;
	}
	p->field = kind_list_field(k, list, name);
	return p->field != NULL ? ST_OK : bad_name(d, n, name);
}

/* What stands behind '?': A|B. */
static enum status
read_choice(struct form_piece *p, struct doc *d, uint32_t n, struct bytes rest)
{
	const uint8_t *bar = memchr(rest.p, '|', rest.len);
	size_t yes;

	if (bar == NULL || p->field->type != KIND_BOOL)
		return doc_refuse(d, n, "选择须为“是/否”字段，写作 ?甲|乙",
		    "a choice is of a yes/no field, written ?A|B");
	yes = (size_t)(bar - rest.p);
	p->sort = PIECE_CHOICE;
	p->text = pool_text(d->pool, bytes_of(rest.p, yes));
	p->no = pool_text(d->pool, bytes_of(bar + 1, rest.len - yes - 1));
	return p->text != NULL && p->no != NULL ? ST_OK : ST_NOMEM;
}

static enum status
read_joined(struct form_piece *p, struct doc *d, uint32_t n,
    const struct kind *k, struct bytes name, size_t star)
{
	struct bytes list = bytes_of(name.p, star);

	p->sort = PIECE_LIST;
	p->list = kind_list(k, list);
	if (p->list == NULL)
		return bad_name(d, n, list);
	return find_field(p, d, n, k, p->list,
	    bytes_of(name.p + star + 1, name.len - star - 1));
}

static const char or_court[] = "|=court";

static bool
ends_with_court(struct bytes name)
{
	size_t n = sizeof(or_court) - 1;

	return name.len > n && memcmp(name.p + name.len - n, or_court, n) == 0;
}

static enum status
read_name(struct form_piece *p, struct doc *d, uint32_t n, const struct kind *k,
    const struct kind_list *list, struct bytes name)
{
	const uint8_t *star = memchr(name.p, '*', name.len);
	const uint8_t *ask = memchr(name.p, '?', name.len);
	enum status st;

	p->text = "";
	if (bytes_eq_str(name, "#") && list != NULL) {
		p->sort = PIECE_NUMBER;
		return ST_OK;
	}
	if (bytes_eq_str(name, "=rec") || bytes_eq_str(name, "=court")) {
		p->sort = name.p[1] == 'r' ? PIECE_REC : PIECE_COURT;
		return ST_OK;
	}
	if (star != NULL && (ask == NULL || star < ask))
		return read_joined(p, d, n, k, name, (size_t)(star - name.p));
	p->sort = PIECE_FIELD;
	if (ask == NULL && ends_with_court(name)) {
		p->court = true;
		name.len -= sizeof(or_court) - 1;
	}
	if (name.len > 1 && name.p[name.len - 1] == '!') {
		p->spare = true;
		name.len--;
	}
	if (ask == NULL)
		return find_field(p, d, n, k, list, name);
	st = find_field(
	    p, d, n, k, list, bytes_of(name.p, (size_t)(ask - name.p)));
	if (st != ST_OK)
		return st;
	return read_choice(
	    p, d, n, bytes_of(ask + 1, name.len - (size_t)(ask - name.p) - 1));
}

static enum status
add_plain(struct form_piece *p, struct doc *d, const char *text, size_t len)
{
	p->sort = PIECE_PLAIN;
	p->text = pool_text(d->pool, bytes_of(text, len));
	return p->text != NULL ? ST_OK : ST_NOMEM;
}

enum status
form_read_text(struct form_text *out, struct doc *d, uint32_t n,
    const struct kind *k, const struct kind_list *list)
{
	struct form_piece *p;
	const char *text, *open, *close;
	size_t cap = 1, count = 0;
	enum status st = doc_string(d, n, PIECE_TEXT_MAX, &text);

	if (st != ST_OK)
		return st;
	for (const char *c = text; *c != '\0'; c++)
		cap += *c == '{' ? 2 : 0;
	if (cap > PIECES_MAX)
		return doc_refuse(d, n, "名称过多", "too many names");
	p = pool_get(d->pool, cap, sizeof(*p));
	if (p == NULL)
		return ST_NOMEM;
	while (st == ST_OK && (open = strchr(text, '{')) != NULL) {
		close = strchr(open, '}');
		if (close == NULL)
			return doc_refuse(
			    d, n, "花括号不成对", "a brace is not closed");
		if (open > text)
			st = add_plain(
			    &p[count++], d, text, (size_t)(open - text));
		if (st == ST_OK)
			st = read_name(&p[count++], d, n, k, list,
			    bytes_of(open + 1, (size_t)(close - open - 1)));
		text = close + 1;
	}
	if (st == ST_OK && *text != '\0')
		st = add_plain(&p[count++], d, text, strlen(text));
	out->piece = p;
	out->count = count;
	return st;
}
