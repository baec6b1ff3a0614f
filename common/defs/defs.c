#include "defs/defs_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "domain/doc.h"
#include "entry/entry.h"
#include "entry/json.h"

struct defs {
	struct def **list; /* owned, in order of the proposals' places */
	size_t count, cap;
	size_t confirmed;      /* how many */
	struct domain *domain; /* of what was taken so far, or NULL */
};

static const char *const sorts[] = { "kind", "rules", "form", "court" };

const char *
defs_sort_name(enum defs_sort s)
{
	return sorts[s];
}

const char *
defs_state_name(enum defs_state s)
{
	static const char *const names[] = { "pending", "confirmed", "refused",
		"unreadable" };

	return names[s];
}

enum status
defs_sort_of(
    enum defs_sort *out, const char *name, struct bytes file, struct words *why)
{
	/* A form names its kind too, so it is asked first. */
	static const struct {
		const char *member;
		enum defs_sort sort;
	} marks[] = { { "form", DEFS_FORMS }, { "kind", DEFS_KINDS },
		{ "court", DEFS_COURT }, { "rules", DEFS_RULES },
		{ "laws", DEFS_RULES } };
	struct pool pool;
	struct doc d;
	enum status st;

	pool_init(&pool);
	words_clear(why);
	st = doc_open(&d, name, file, &pool, why);
	for (size_t i = 0; st == ST_OK; i++) {
		if (i == sizeof(marks) / sizeof(marks[0])) {
			st = doc_refuse(&d, 0,
			    "不是记录类型、规则、表式或法院参数文件",
			    "not a kind, rules, a form or a court's "
			    "parameters");
			break;
		}
		if (json_get(&d.j, 0, marks[i].member) != 0) {
			*out = marks[i].sort;
			break;
		}
	}
	doc_close(&d);
	pool_free(&pool);
	return st;
}

enum status
defs_new(struct defs **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? ST_OK : ST_NOMEM;
}

static void
def_free(struct def *f)
{
	if (f == NULL)
		return;
	buf_free(&f->file);
	free(f);
}

void
defs_free(struct defs *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->count; i++)
		def_free(d->list[i]);
	free(d->list);
	domain_unref(d->domain);
	free(d);
}

/* ---- reading entries */

/* The value that the entry gives a name, decoded; false if it gives none. */
static bool
text_of(const struct entry *e, const char *name, struct buf *out)
{
	for (size_t i = 0; i < e->on_count; i++) {
		uint32_t n;

		if (!bytes_eq_str(e->on[i], name))
			continue;
		n = entry_value(e, i);
		if (e->body.node[n].type != JSON_STRING)
			return false;
		json_text(&e->body, n, out);
		return out->err == ST_OK;
	}
	return false;
}

/* A short text into a fixed place; false if it is not there or too long, or
 * with *nomem. */
static bool
short_of(
    const struct entry *e, const char *name, char *out, size_t cap, bool *nomem)
{
	struct buf b;
	bool ok;

	buf_init(&b, cap - 1);
	ok = text_of(e, name, &b) && buf_cstr(&b) != NULL;
	if (ok)
		memcpy(out, b.p, b.len + 1);
	*nomem = *nomem || b.err == ST_NOMEM;
	buf_free(&b);
	return ok;
}

static bool
number_of(const struct entry *e, const char *name, uint64_t *out)
{
	for (size_t i = 0; i < e->on_count; i++) {
		uint32_t n = entry_value(e, i);

		if (!bytes_eq_str(e->on[i], name))
			continue;
		if (e->body.node[n].type != JSON_INT || e->body.node[n].num < 0)
			return false;
		*out = (uint64_t)e->body.node[n].num;
		return true;
	}
	return false;
}

static bool
copy_by(char out[DEFS_NAME_MAX + 1], const struct entry *e)
{
	if (e->by.len == 0 || e->by.len > DEFS_NAME_MAX)
		return false;
	memcpy(out, e->by.p, e->by.len);
	out[e->by.len] = '\0';
	return true;
}

/* What a proposal says; false where it makes no sense, or with *nomem. */
static bool
read_open(struct def *f, const struct entry *e, bool *nomem)
{
	char sort[16], hex[2 * HASH_LEN + 1];
	size_t s = 0;

	if (!copy_by(f->by, e) ||
	    !short_of(e, "sort", sort, sizeof(sort), nomem) ||
	    !short_of(e, "name", f->name, sizeof(f->name), nomem) ||
	    !short_of(e, "sha256", hex, sizeof(hex), nomem) ||
	    !number_of(e, "bytes", &f->bytes) || f->bytes > DEFS_FILE_MAX ||
	    hex_decode(f->sha256, HASH_LEN, bytes_str(hex)) != ST_OK)
		return false;
	while (s < 4 && strcmp(sorts[s], sort) != 0)
		s++;
	f->sort = (enum defs_sort)s;
	return s < 4 && text_of(e, "text", &f->file);
}

static enum status
take_open(struct defs *d, const struct entry *e, const uint8_t id[ID_LEN],
    uint64_t place)
{
	struct def *f, **list = d->list;
	bool nomem = false;

	if (d->count == d->cap) {
		size_t cap = d->cap == 0 ? 16 : 2 * d->cap;

		list = realloc(d->list, cap * sizeof(*list));
		if (list == NULL)
			return ST_NOMEM;
		d->list = list;
		d->cap = cap;
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return ST_NOMEM;
	buf_init(&f->file, DEFS_FILE_MAX);
	if (!read_open(f, e, &nomem)) {
		nomem = nomem || f->file.err == ST_NOMEM;
		def_free(f);
		return nomem ? ST_NOMEM : ST_OK;
	}
	memcpy(f->rec, e->rec.p, REC_LEN);
	memcpy(f->id, id, ID_LEN);
	memcpy(f->head, id, ID_LEN);
	f->place = place;
	list[d->count++] = f;
	return ST_OK;
}

static struct def *
find_rec(const struct defs *d, struct bytes rec)
{
	for (size_t i = 0; i < d->count; i++) {
		if (bytes_eq_str(rec, d->list[i]->rec))
			return d->list[i];
	}
	return NULL;
}

/* Is the file all there, and the one that was proposed? */
static bool
is_whole(const struct def *f)
{
	uint8_t hash[HASH_LEN];

	if (f->file.err != ST_OK || f->file.len != f->bytes)
		return false;
	sha256(hash, buf_view(&f->file));
	return memcmp(hash, f->sha256, HASH_LEN) == 0;
}

/* A decision names the proposal.  Whoever proposed may take it back, never put
 * it in force. */
static void
take_decision(
    struct defs *d, struct def *f, const struct entry *e, bool *changed)
{
	char name[2 * ID_LEN + 2] = "@", by[DEFS_NAME_MAX + 1];
	const struct json_node *n = &e->body.node[entry_value(e, 0)];
	bool yes = n->type == JSON_TRUE;

	hex_encode(name + 1, bytes_of(f->id, ID_LEN));
	if (f->state != DEFS_PENDING || !bytes_eq_str(e->on[0], name) ||
	    !copy_by(by, e))
		return;
	if (yes && (strcmp(by, f->by) == 0 || !is_whole(f) ||
		       d->confirmed == DEFS_COUNT_MAX))
		return;
	memcpy(f->decided_by, by, sizeof(by));
	f->state = yes ? DEFS_CONFIRMED : DEFS_REFUSED;
	f->since_ms = (int64_t)e->wall;
	if (!yes)
		return;
	f->decided = ++d->confirmed;
	domain_unref(d->domain);
	d->domain = NULL;
	*changed = true;
}

enum status
defs_take(struct defs *d, const struct entry *e, const uint8_t id[ID_LEN],
    uint64_t place, bool *changed)
{
	bool ignored = false;
	struct def *f;

	if (!bytes_eq_str(e->kind, DEFS_KIND) || e->rec.len != REC_LEN ||
	    e->body_is != ENTRY_BODY_WHOLE)
		return ST_OK;
	f = find_rec(d, e->rec);
	if (f == NULL)
		return e->verb == DO_OPEN ? take_open(d, e, id, place) : ST_OK;
	memcpy(f->head, id, ID_LEN);
	if (e->verb == DO_ADD && f->state == DEFS_PENDING) {
		(void)text_of(e, "text", &f->file);
		return f->file.err == ST_NOMEM ? ST_NOMEM : ST_OK;
	}
	if (e->verb == DO_APPROVE)
		take_decision(d, f, e, changed != NULL ? changed : &ignored);
	return ST_OK;
}

/* ---- telling */

size_t
defs_count(const struct defs *d)
{
	return d->count;
}

void
defs_info(const struct defs *d, size_t i, struct defs_info *out)
{
	const struct def *f = d->list[i];

	*out = (struct defs_info){ .state = f->state,
		.sort = sorts[f->sort],
		.name = f->name,
		.rec = f->rec,
		.place = f->place,
		.by = f->by,
		.decided_by = f->decided_by,
		.since_ms = f->since_ms,
		.why = f->why };
	if (f->state == DEFS_CONFIRMED && f->bad)
		out->state = DEFS_UNREADABLE;
	if (is_whole(f))
		out->file = buf_view(&f->file);
	memcpy(out->id, f->id, ID_LEN);
	memcpy(out->head, f->head, ID_LEN);
}

enum status
defs_find(const struct defs *d, const uint8_t id[ID_LEN], size_t *i)
{
	for (*i = 0; *i < d->count; (*i)++) {
		if (memcmp(d->list[*i]->id, id, ID_LEN) == 0)
			return ST_OK;
	}
	return ST_ABSENT;
}

/* ---- what holds */

static int
by_decision(const void *a, const void *b)
{
	const struct def *const *x = a, *const *y = b;

	return (*x)->decided < (*y)->decided ? -1
					     : (*x)->decided > (*y)->decided;
}

/* Those confirmed, in that order; with room for one more. */
static struct def **
confirmed(const struct defs *d, size_t *count)
{
	struct def **list = calloc(d->confirmed + 1, sizeof(*list));

	*count = 0;
	for (size_t i = 0; list != NULL && i < d->count; i++) {
		if (d->list[i]->state == DEFS_CONFIRMED)
			list[(*count)++] = d->list[i];
	}
	if (*count > 1)
		qsort(list, *count, sizeof(*list), by_decision);
	return list;
}

enum status
defs_domain(struct defs *d, struct domain **out)
{
	size_t count;
	struct def **list;
	enum status st = ST_OK;

	if (d->domain == NULL) {
		list = confirmed(d, &count);
		st = list == NULL ? ST_NOMEM
				  : domain_make_at_all(&d->domain, list, count);
		free(list);
	}
	if (st == ST_OK)
		*out = domain_ref(d->domain);
	return st;
}

/* Beside the new one, the last of the list: is everything as good as it was? */
static enum status
compare(struct def *const *list, size_t count, const bool *was_bad,
    struct words *why)
{
	for (size_t i = count; i-- > 0;) {
		if (!list[i]->bad || (i + 1 < count && was_bad[i]))
			continue;
		*why = list[i]->why;
		return ST_INVALID;
	}
	return ST_OK;
}

static enum status
try_with(struct def **list, size_t count, struct def *f, struct words *why)
{
	bool *was_bad = calloc(count + 1, sizeof(*was_bad));
	struct domain *dom = NULL;
	enum status st = was_bad == NULL ? ST_NOMEM : ST_OK;

	for (size_t i = 0; st == ST_OK && i < count; i++)
		was_bad[i] = list[i]->bad;
	list[count] = f;
	if (st == ST_OK)
		st = domain_make(&dom, list, count + 1);
	if (st == ST_OK)
		st = compare(list, count + 1, was_bad, why);
	else if (st == ST_INVALID)
		words_put(why, "内置规则所用的字段在此版本中没有",
		    "it lacks fields that built-in rules need");
	domain_unref(dom);
	for (size_t i = 0; was_bad != NULL && i < count; i++)
		list[i]->bad = was_bad[i];
	free(was_bad);
	return st;
}

enum status
defs_try(struct defs *d, enum defs_sort sort, const char *name,
    struct bytes file, int64_t since_ms, struct words *why)
{
	struct def f = { .sort = sort, .since_ms = since_ms };
	struct domain *now = NULL;
	struct def **list = NULL;
	size_t count;
	enum status st = defs_domain(d, &now); /* who is bad already */

	words_clear(why);
	buf_init(&f.file, DEFS_FILE_MAX);
	buf_bytes(&f.file, file);
	if (strlen(name) > DEFS_NAME_MAX || f.file.err == ST_LIMIT) {
		words_put(why, "文件过大（至多 256 KiB）或文件名过长",
		    "the file is larger than 256 KiB, or its name too long");
		st = ST_INVALID;
	}
	if (st == ST_OK) {
		memcpy(f.name, name, strlen(name) + 1);
		list = confirmed(d, &count);
		st = list == NULL ? ST_NOMEM : try_with(list, count, &f, why);
	}
	buf_free(&f.file);
	free(list);
	domain_unref(now);
	return st;
}
