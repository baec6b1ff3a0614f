/* facts_case: which cases a record is of, when it was and who wrote it. */
#include <string.h>

#include "domain/facts_priv.h"
#include "entry/path.h"

/* ---- cases */

/* The next letter of a case number made comparable: the letter's length in
 * `text`, and what it becomes in out[4]; *n: how many bytes that is. */
static size_t
fold_letter(struct bytes text, uint8_t out[4], size_t *n)
{
	static const struct {
		const char *from;
		char to; /* 0: left out */
	} signs[] = { { "〔", '(' }, { "〕", ')' }, { "［", '(' },
		{ "］", ')' }, { "【", '(' }, { "】", ')' }, { "　", 0 },
		{ "[", '(' }, { "]", ')' }, { " ", 0 }, { "\t", 0 } };
	const uint8_t *p = text.p;
	size_t len = 1;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (!bytes_starts(text, signs[i].from))
			continue;
		out[0] = (uint8_t)signs[i].to;
		*n = signs[i].to != 0;
		return strlen(signs[i].from);
	}
	/* U+FF01 … U+FF5E are ASCII at full width. */
	if (text.len >= 3 && p[0] == 0xef &&
	    ((p[1] == 0xbc && p[2] >= 0x81) ||
		(p[1] == 0xbd && p[2] <= 0x9e))) {
		out[0] = (uint8_t)(p[1] == 0xbc ? p[2] - 0x81 + 0x21
						: p[2] - 0x80 + 0x60);
		*n = 1;
		return 3;
	}
	if (p[0] >= 0x80)
		len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (len > text.len)
		len = text.len;
	memcpy(out, p, len);
	*n = len;
	return len;
}

void
facts_plain(struct bytes text, struct buf *out)
{
	while (text.len > 0) {
		uint8_t letter[4];
		size_t n, used = fold_letter(text, letter, &n);

		buf_add(out, letter, n);
		text = bytes_of(text.p + used, text.len - used);
	}
}

bool
facts_key(struct fact_key *out, struct bytes text)
{
	size_t len = 0;

	while (text.len > 0) {
		uint8_t letter[4];
		size_t n, used = fold_letter(text, letter, &n);

		if (len + n >= sizeof(out->text))
			return false;
		memcpy(out->text + len, letter, n);
		len += n;
		text = bytes_of(text.p + used, text.len - used);
	}
	out->text[len] = '\0';
	return strstr(out->text, "号") != NULL;
}

/* Every kept value of one field. */
static void
add_keys(struct fact_keys *k, const struct state *st, struct bytes path)
{
	const struct state_field *f = state_field(st, path);
	struct state_value v;

	for (size_t i = 0; state_value(st, f, i, &v); i++) {
		struct fact_key *to = &k->list[k->count];
		bool known = false;

		if (k->count == FACT_KEYS_MAX)
			return;
		if (v.null || v.withheld || !facts_key(to, v.text))
			continue;
		for (size_t o = 0; o < k->count; o++)
			known = known || strcmp(k->list[o].text, to->text) == 0;
		k->count += !known;
	}
}

void
facts_keys_at(
    struct fact_keys *k, const struct facts_record *r, const char *path)
{
	const char *slash = strchr(path, '/');
	size_t i, end;
	struct bytes list;

	if (kind_field(r->kind, bytes_str(path)) != NULL || slash == NULL) {
		add_keys(k, r->st, bytes_str(path));
		return;
	}
	list = bytes_of(path, (size_t)(slash - path));
	state_items(r->st, list, &i, &end);
	for (; i < end; i++) {
		const struct state_item *it = &r->st->items[i];
		uint8_t whole[PATH_BYTES_MAX];
		size_t tail = strlen(slash);

		if (it->is == STATE_OUT || !bytes_eq(it->list, list) ||
		    it->path.len + tail > sizeof(whole))
			continue;
		memcpy(whole, it->path.p, it->path.len);
		memcpy(whole + it->path.len, slash, tail);
		add_keys(k, r->st, bytes_of(whole, it->path.len + tail));
	}
}

size_t
facts_cases(const struct rules *rs, const struct facts_record *r,
    struct fact_key out[FACT_KEYS_MAX])
{
	struct fact_keys k = { .count = 0 };

	if (rs->case_path[0] != '\0')
		facts_keys_at(&k, r, rs->case_path);
	memcpy(out, k.list, k.count * sizeof(*out));
	return k.count;
}

/* ---- what a record says of itself */

bool
facts_by_centre(const struct facts_record *r)
{
	for (size_t i = 0; i < r->entry_count; i++) {
		if (r->entries[i].centre &&
		    strcmp(r->entries[i].verb, "open") == 0)
			return true;
	}
	return false;
}

struct bytes
facts_writer(const struct facts_record *r, size_t i)
{
	static const char *const verbs[] = { "open", "set", "add", "amend" };
	const struct rules_entry *e = &r->entries[i];

	for (size_t v = 0; v < sizeof(verbs) / sizeof(verbs[0]); v++) {
		if (!e->centre && strcmp(e->verb, verbs[v]) == 0)
			return e->by;
	}
	return bytes_of(NULL, 0);
}

int64_t
facts_at(const struct facts_record *r)
{
	struct state_value v;
	struct when w;
	int64_t ms = INT64_MAX;

	if (r->kind->happened[0] != '\0' &&
	    state_first(r->st, bytes_str(r->kind->happened), &v) &&
	    !v.withheld && when_read(&w, v.text, r->offset_min))
		return w.ms;
	for (size_t i = 0; i < r->entry_count; i++) {
		if (r->entries[i].at_ms < ms)
			ms = r->entries[i].at_ms;
	}
	return ms == INT64_MAX ? INT64_MIN : ms;
}

bool
facts_table_of(const struct fact_table *t, const struct kind *k)
{
	for (size_t i = 0; i < t->kind_count; i++) {
		if (strcmp(t->kinds[i], k->name) == 0)
			return true;
	}
	return false;
}

bool
facts_gives(const struct rules *rs, const struct kind *k)
{
	for (size_t i = 0; i < rs->table_count; i++) {
		if (facts_table_of(&rs->tables[i], k))
			return true;
	}
	return false;
}

bool
facts_gives_all(const struct rules *rs, const struct kind *k)
{
	for (size_t i = 0; i < rs->table_count; i++) {
		if (rs->tables[i].all && facts_table_of(&rs->tables[i], k))
			return true;
	}
	return false;
}

const char *
facts_table_name(const struct rules *rs, unsigned i)
{
	return i < rs->table_count ? rs->tables[i].name : NULL;
}
