#include "form/form.h"

#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/sha.h"
#include "form/form_priv.h"

enum { FORMS_MAX = 500 };

struct forms {
	struct form **list; /* owned, in order of name and version */
	size_t count;
	struct words why;
};

static void
form_free(struct form *f)
{
	if (f == NULL)
		return;
	pool_free(&f->pool);
	free(f);
}

enum status
forms_new(struct forms **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? ST_OK : ST_NOMEM;
}

void
forms_free(struct forms *fs)
{
	if (fs == NULL)
		return;
	for (size_t i = 0; i < fs->count; i++)
		form_free(fs->list[i]);
	free(fs->list);
	free(fs);
}

const struct words *
forms_words(const struct forms *fs)
{
	return &fs->why;
}

static int
order(const struct form *a, const struct form *b)
{
	int n = strcmp(a->name, b->name);

	if (n != 0)
		return n;
	return a->version < b->version ? -1 : a->version > b->version;
}

static enum status
put(struct forms *fs, struct form *f)
{
	struct form **more;
	size_t at = 0;

	while (at < fs->count && order(fs->list[at], f) < 0)
		at++;
	if (at < fs->count && order(fs->list[at], f) == 0) {
		bool same =
		    memcmp(fs->list[at]->sha256, f->sha256, HASH_LEN) == 0;

		if (!same)
			words_put(&fs->why, "该版本已有不同内容",
			    "this version is known with other contents");
		form_free(f);
		return same ? ST_OK : ST_CONFLICT;
	}
	if (fs->count == FORMS_MAX) {
		form_free(f);
		return ST_LIMIT;
	}
	more = realloc(fs->list, (fs->count + 1) * sizeof(*more));
	if (more == NULL) {
		form_free(f);
		return ST_NOMEM;
	}
	fs->list = more;
	memmove(&more[at + 1], &more[at], (fs->count - at) * sizeof(*more));
	more[at] = f;
	fs->count++;
	return ST_OK;
}

enum status
forms_add(struct forms *fs, const struct kinds *ks, const char *name,
    struct bytes file)
{
	struct form *f = calloc(1, sizeof(*f));
	enum status st;

	if (f == NULL)
		return ST_NOMEM;
	pool_init(&f->pool);
	words_clear(&fs->why);
	sha256(f->sha256, file);
	st = form_read(f, ks, name, file, &fs->why);
	if (st != ST_OK) {
		form_free(f);
		return st;
	}
	return put(fs, f);
}

enum status
forms_load_builtin(struct forms **out, const struct kinds *ks)
{
	struct forms *fs = NULL;
	enum status st = forms_new(&fs);

	for (size_t i = 0; st == ST_OK && embedded_files[i].name != NULL; i++) {
		const struct embedded_file *f = &embedded_files[i];

		if (bytes_starts(bytes_str(f->name), "forms/"))
			st = forms_add(fs, ks, f->name, f->data);
	}
	if (st != ST_OK) {
		forms_free(fs);
		return st;
	}
	*out = fs;
	return ST_OK;
}

size_t
forms_count(const struct forms *fs)
{
	return fs->count;
}

const struct form *
forms_at(const struct forms *fs, size_t i)
{
	return fs->list[i];
}

const struct form *
forms_find(const struct forms *fs, struct bytes id)
{
	const struct form *found = NULL;

	for (size_t i = 0; i < fs->count; i++) {
		const struct form *f = fs->list[i];

		/* In order of version: the last one of a name is the newest. */
		if (bytes_eq_str(id, f->id) || bytes_eq_str(id, f->name))
			found = f;
	}
	return found;
}

const char *
form_id(const struct form *f)
{
	return f->id;
}

const char *
form_name(const struct form *f)
{
	return f->name;
}

const char *
form_zh(const struct form *f)
{
	return f->zh;
}

const char *
form_en(const struct form *f)
{
	return f->en;
}

const struct kind *
form_kind(const struct form *f)
{
	return f->kind;
}
