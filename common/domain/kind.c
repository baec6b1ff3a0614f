#include "domain/kind.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/limits.h"
#include "domain/kind_priv.h"
#include "entry/path.h"

enum { KINDS_MAX = 1000, ITEM_TAIL = 1 + 2 * ID_LEN /* "@" and an id */ };

struct kinds {
	struct kind_held **list; /* owned, in order of name and version */
	size_t count;
	struct words why;
};

static void
held_free(struct kind_held *h)
{
	if (h == NULL)
		return;
	pool_free(&h->pool);
	free(h);
}

enum status
kinds_new(struct kinds **out)
{
	struct kinds *ks = calloc(1, sizeof(*ks));

	if (ks == NULL)
		return ST_NOMEM;
	*out = ks;
	return ST_OK;
}

void
kinds_free(struct kinds *ks)
{
	if (ks == NULL)
		return;
	for (size_t i = 0; i < ks->count; i++)
		held_free(ks->list[i]);
	free(ks->list);
	free(ks);
}

const struct words *
kinds_words(const struct kinds *ks)
{
	return &ks->why;
}

/* Order by name, then version. */
static int
order(const struct kind *k, const char *name, uint32_t version)
{
	int c = strcmp(k->name, name);

	if (c != 0)
		return c;
	return k->version < version ? -1 : k->version > version;
}

/* The first place whose kind is not before (name, version). */
static size_t
place(const struct kinds *ks, const char *name, uint32_t version)
{
	size_t lo = 0, hi = ks->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (order(&ks->list[mid]->kind, name, version) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Put a kind that was read into its place.  Takes *held over on ST_OK, unless
 * the same was known already. */
static enum status
put(struct kinds *ks, struct kind_held **held, const char *name)
{
	const struct kind *k = &(*held)->kind;
	size_t at = place(ks, k->name, k->version);
	struct kind_held **list;

	if (at < ks->count &&
	    order(&ks->list[at]->kind, k->name, k->version) == 0) {
		if (memcmp(ks->list[at]->kind.sha256, k->sha256, HASH_LEN) == 0)
			return ST_OK;
		words_zh(&ks->why, "%s：%s 已有，内容不同：修改须用新版本号",
		    name, k->id);
		words_en(&ks->why,
		    "%s: %s is known with another content: a change needs a "
		    "new version",
		    name, k->id);
		return ST_CONFLICT;
	}
	if (ks->count == KINDS_MAX)
		return ST_LIMIT;
	list = realloc(ks->list, (ks->count + 1) * sizeof(*list));
	if (list == NULL)
		return ST_NOMEM;
	ks->list = list;
	memmove(list + at + 1, list + at, (ks->count - at) * sizeof(*list));
	list[at] = *held;
	*held = NULL;
	ks->count++;
	return ST_OK;
}

enum status
kinds_add(struct kinds *ks, const char *name, struct bytes file)
{
	struct kind_held *h = calloc(1, sizeof(*h));
	enum status st;

	words_clear(&ks->why);
	if (h == NULL)
		return ST_NOMEM;
	pool_init(&h->pool);
	st = kind_read(h, name, file, &ks->why);
	if (st == ST_OK)
		st = put(ks, &h, name);
	held_free(h);
	return st;
}

enum status
kinds_load_builtin(struct kinds **out)
{
	struct kinds *ks = NULL;
	enum status st = kinds_new(&ks);

	for (size_t i = 0; st == ST_OK && embedded_files[i].name != NULL; i++) {
		const struct embedded_file *f = &embedded_files[i];

		if (bytes_starts(bytes_str(f->name), "kinds/"))
			st = kinds_add(ks, f->name, f->data);
	}
	if (st != ST_OK) {
		kinds_free(ks);
		return st;
	}
	*out = ks;
	return ST_OK;
}

/* The name of "name@version", and the version; false if it is not that. */
static bool
split_id(struct bytes id, char name[WORD_BYTES_MAX + 1], uint32_t *version)
{
	size_t len = 0;

	if (!path_is_kind(id))
		return false;
	while (id.p[len] != '@')
		len++;
	memcpy(name, id.p, len);
	name[len] = '\0';
	*version = 0;
	for (size_t i = len + 1; i < id.len; i++)
		*version = *version * 10 + (uint32_t)(id.p[i] - '0');
	return true;
}

const struct kind *
kinds_find(const struct kinds *ks, struct bytes id)
{
	char name[WORD_BYTES_MAX + 1];
	uint32_t version;
	size_t at;

	if (!split_id(id, name, &version))
		return NULL;
	at = place(ks, name, version);
	if (at == ks->count || order(&ks->list[at]->kind, name, version) != 0)
		return NULL;
	return &ks->list[at]->kind;
}

const struct kind *
kinds_latest(const struct kinds *ks, struct bytes name)
{
	char text[WORD_BYTES_MAX + 1];
	size_t at;

	if (!path_is_word(name))
		return NULL;
	memcpy(text, name.p, name.len);
	text[name.len] = '\0';
	at = place(ks, text, UINT32_MAX);
	if (at == 0 || strcmp(ks->list[at - 1]->kind.name, text) != 0)
		return NULL;
	return &ks->list[at - 1]->kind;
}

size_t
kinds_count(const struct kinds *ks)
{
	return ks->count;
}

const struct kind *
kinds_at(const struct kinds *ks, size_t i)
{
	assert(i < ks->count);
	return &ks->list[i]->kind;
}

/* ---- inside one kind */

/* Every kind that callers see is the first member of a kind_held. */
static const struct kind_held *
held_of(const struct kind *k)
{
	return (const struct kind_held *)k;
}

static const struct kind_field *
find(const struct kind_field *const *sorted, size_t count, struct bytes path)
{
	size_t lo = 0, hi = count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = bytes_cmp(bytes_str(sorted[mid]->path), path);

		if (c == 0)
			return sorted[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct kind_field *
kind_list_field(
    const struct kind *k, const struct kind_list *l, struct bytes path)
{
	const struct kind_held *h = held_of(k);

	if (l == NULL)
		return find(h->sorted, k->field_count, path);
	return find(h->list_sorted[l - k->lists], l->field_count, path);
}

const struct kind_field *
kind_field(const struct kind *k, struct bytes path)
{
	const uint8_t *at = path.len > 0 ? memchr(path.p, '@', path.len) : NULL;
	const struct kind_list *l;
	size_t before;

	if (at == NULL)
		return kind_list_field(k, NULL, path);
	before = (size_t)(at - path.p);
	if (before < 2 || path.len < before + ITEM_TAIL + 2 ||
	    path_sort(path) != PATH_FIELD)
		return NULL;
	l = kind_list(k, bytes_of(path.p, before - 1));
	if (l == NULL)
		return NULL;
	before += ITEM_TAIL + 1;
	return kind_list_field(
	    k, l, bytes_of(path.p + before, path.len - before));
}

const struct kind_list *
kind_list(const struct kind *k, struct bytes path)
{
	for (size_t i = 0; i < k->list_count; i++) {
		if (bytes_eq_str(path, k->lists[i].path))
			return &k->lists[i];
	}
	return NULL;
}

const struct kind_option *
kind_option(const struct kind_field *f, struct bytes id)
{
	for (size_t i = 0; i < f->option_count; i++) {
		if (bytes_eq_str(id, f->options[i].id))
			return &f->options[i];
	}
	return NULL;
}

const struct kind_status *
kind_status(const struct kind *k, struct bytes id)
{
	for (size_t i = 0; i < k->status_count; i++) {
		if (bytes_eq_str(id, k->status[i].id))
			return &k->status[i];
	}
	return NULL;
}

const struct kind_sign *
kind_sign(const struct kind *k, struct bytes id)
{
	for (size_t i = 0; i < k->sign_count; i++) {
		if (bytes_eq_str(id, k->signs[i].id))
			return &k->signs[i];
	}
	return NULL;
}

const struct kind_link *
kind_link(const struct kind *k, struct bytes word)
{
	for (size_t i = 0; i < k->link_count; i++) {
		if (bytes_eq_str(word, k->links[i].word))
			return &k->links[i];
	}
	return NULL;
}

bool
kind_step_ok(const struct kind *k, struct bytes from, struct bytes to)
{
	const struct kind_status *s;

	if (k->status_count == 0)
		return false;
	s = from.len > 0 ? kind_status(k, from) : &k->status[0];
	if (s == NULL)
		return false;
	/* Saying where it begins is no step. */
	if (from.len == 0 && bytes_eq_str(to, s->id))
		return true;
	for (size_t i = 0; i < s->to_count; i++) {
		if (bytes_eq_str(to, s->to[i]))
			return true;
	}
	return false;
}
