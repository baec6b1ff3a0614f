/* export: the manifest, and what a manifest in the log says. */
#include "server/core/export.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/core/export_inner.h"

enum status
export_refuse(struct export_why *why, enum status st, const char *zh,
    const char *fmt, ...)
{
	va_list ap;

	why->zh = zh;
	va_start(ap, fmt);
	(void)vsnprintf(why->en, sizeof(why->en), fmt, ap);
	va_end(ap);
	return st;
}

/* ---- bodies that are withheld */

static struct picked *
item_of(const struct pick *p, const uint8_t *id)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->item[i].record && memcmp(p->item[i].id, id, ID_LEN) == 0)
			return &p->item[i];
	return NULL;
}

static enum status
mark_withheld(
    struct pick *p, const struct export_withheld *w, struct export_why *why)
{
	struct picked *x = item_of(p, w->id);
	char hex[2 * ID_LEN + 1];

	hex_encode(hex, bytes_of(w->id, ID_LEN));
	if (x == NULL)
		return export_refuse(why, ST_ABSENT, "这份记录没有这条目",
		    "%s is no entry of this record", hex);
	if (w->reason == NULL || w->reason[0] == '\0')
		return export_refuse(why, ST_INVALID, "隐去正文必须写明理由",
		    "no reason given for withholding %s", hex);
	if (strlen(w->reason) > EXPORT_REASON_MAX ||
	    !json_text_ok(bytes_str(w->reason)))
		return export_refuse(why, ST_INVALID,
		    "理由过长或含有不能写入的字符",
		    "the reason for withholding %s is too long, or no UTF-8",
		    hex);
	if (x->withheld)
		return export_refuse(why, ST_INVALID, "同一条目写了两次",
		    "%s is named twice", hex);
	if (x->lacking || x->bare)
		return export_refuse(why, ST_INVALID,
		    "该条目本来就没有可用的正文",
		    "%s has no body that could be withheld", hex);
	x->withheld = true;
	return ST_OK;
}

static int
by_id(const void *a, const void *b)
{
	const struct export_withheld *const *x = a, *const *y = b;

	return memcmp((*x)->id, (*y)->id, ID_LEN);
}

static int
lacking_cmp(const void *a, const void *b)
{
	return memcmp(a, b, ID_LEN);
}

/* Why each body is not there, by id. */
struct reasons {
	const struct export_withheld **with; /* owned: withheld, with reasons */
	size_t with_count;
	uint8_t (*lacking)[ID_LEN]; /* owned: the court has none */
	size_t lacking_count;
	struct export_withheld *erased; /* owned: of the log's orders */
	char (*text)[EXPORT_REASON_MAX + 1];
	size_t erased_count;
};

static void
reasons_free(struct reasons *r)
{
	free(r->with);
	free(r->lacking);
	free(r->erased);
	free(r->text);
}

/* A body that was erased is withheld by the word that ordered it. */
static void
note_erased(struct reasons *r, const struct picked *x, uint64_t order)
{
	struct export_withheld *w = &r->erased[r->erased_count];
	char *text = r->text[r->erased_count++];

	(void)snprintf(text, EXPORT_REASON_MAX + 1,
	    "依日志第 %" PRIu64 " 位的命令抹去 erased by the order at place "
	    "%" PRIu64,
	    order, order);
	memcpy(w->id, x->id, ID_LEN);
	w->reason = text;
	r->with[r->with_count++] = w;
}

static enum status
gather_reasons(
    struct reasons *r, const struct pick *p, const struct export_what *what)
{
	size_t n = p->count + 1;

	r->with = calloc(
	    n + what->withheld_count, sizeof(const struct export_withheld *));
	r->lacking = calloc(n, ID_LEN);
	r->erased = calloc(n, sizeof(*r->erased));
	r->text =
	    calloc(p->orders == NULL ? 1 : p->lacking + 1, sizeof(*r->text));
	if (r->with == NULL || r->lacking == NULL || r->erased == NULL ||
	    r->text == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < what->withheld_count; i++)
		r->with[r->with_count++] = &what->withheld[i];
	for (size_t i = 0; i < p->count; i++) {
		const struct picked *x = &p->item[i];
		uint64_t order = 0;

		if (!x->lacking)
			continue;
		if (p->orders != NULL && erasures_has(p->orders, x->id, &order))
			note_erased(r, x, order);
		else
			memcpy(r->lacking[r->lacking_count++], x->id, ID_LEN);
	}
	if (r->with_count > 1)
		qsort(r->with, r->with_count, sizeof(*r->with), by_id);
	if (r->lacking_count > 1)
		qsort(r->lacking, r->lacking_count, ID_LEN, lacking_cmp);
	return ST_OK;
}

/* {"lacking":[…],"withheld":{…}}, each where there is any, by id. */
static void
put_more(struct buf *out, const struct reasons *r)
{
	if (r->lacking_count == 0 && r->with_count == 0)
		return;
	buf_u8(out, '{');
	for (size_t i = 0; i < r->lacking_count; i++) {
		buf_str(out, i == 0 ? "\"lacking\":[" : ",");
		json_put_hex(out, bytes_of(r->lacking[i], ID_LEN));
	}
	if (r->lacking_count > 0)
		buf_str(out, r->with_count > 0 ? "]," : "]");
	for (size_t i = 0; i < r->with_count; i++) {
		buf_str(out, i == 0 ? "\"withheld\":{" : ",");
		json_put_hex(out, bytes_of(r->with[i]->id, ID_LEN));
		buf_u8(out, ':');
		json_put_str(out, r->with[i]->reason);
	}
	buf_str(out, r->with_count > 0 ? "}}" : "}");
}

static enum status
more_of(struct buf *out, const struct pick *p, const struct export_what *what)
{
	struct reasons r = { .with_count = 0 };
	enum status st = gather_reasons(&r, p, what);

	if (st == ST_OK) {
		put_more(out, &r);
		st = out->err;
	}
	reasons_free(&r);
	return st;
}

/* ---- the manifest */

static enum status
log_manifest(struct centre *c, const struct pick *p,
    const struct export_what *what, uint64_t *place)
{
	const struct bytes on[] = { bytes_str("record"), bytes_str("size"),
		bytes_str("count"), bytes_str("root"), bytes_str("held"),
		bytes_str("bare"), bytes_str("context"),
		bytes_str("context_root") };
	struct server_entry e = { .kind = "manifest@1",
		.verb = DO_OPEN,
		.on = on,
		.on_count = sizeof(on) / sizeof(on[0]),
		.by = what->by };
	struct commit_job job = { .entry = &e, .entry_count = 1 };
	uint8_t root[HASH_LEN], context[HASH_LEN];
	struct buf data, more;
	enum status st;

	pick_roots(p, root, context);
	buf_init(&data, 1024);
	buf_init(&more, ENTRY_BYTES_MAX);
	buf_printf(&data, "[\"%s\",%" PRIu64 ",%" PRIu64 ",", p->rec, p->size,
	    p->entries);
	json_put_hex(&data, bytes_of(root, HASH_LEN));
	buf_printf(&data, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", p->held,
	    p->bare, p->context);
	json_put_hex(&data, bytes_of(context, HASH_LEN));
	buf_u8(&data, ']');
	st = more_of(&more, p, what);
	if (st == ST_OK)
		st = data.err;
	if (st == ST_OK) {
		e.data = buf_view(&data);
		e.more = buf_view(&more);
		st = committer_wait(centre_committer(c), &job);
		*place = e.place;
	}
	buf_free(&data);
	buf_free(&more);
	return st;
}

enum status
export_manifest(struct centre *c, const struct export_what *what,
    uint64_t *place, struct export_why *why)
{
	struct checkpoint cp;
	struct pick p;
	enum status st;

	if (!path_is_rec(bytes_str(what->rec)))
		return export_refuse(why, ST_INVALID, "记录号写法不对",
		    "%.60s is no record id", what->rec);
	/* What other processes committed until now belongs to it. */
	centre_poll(c);
	st = centre_checkpoint(c, NULL, &cp);
	if (st != ST_OK)
		return st;
	pick_init(&p, c, what->rec);
	p.size = cp.size;
	st = pick_run(&p, cp.size);
	if (st == ST_OK && p.entries == 0)
		st = export_refuse(why, ST_ABSENT, "日志里没有这份记录",
		    "the log has no entry of record %s", what->rec);
	for (size_t i = 0; i < what->withheld_count && st == ST_OK; i++)
		st = mark_withheld(&p, &what->withheld[i], why);
	if (st == ST_OK) {
		st = log_manifest(c, &p, what, place);
		if (st == ST_LIMIT || st == ST_INVALID)
			st = export_refuse(why, ST_LIMIT,
			    "理由太多，一份清单写不下",
			    "more reasons and ids than one manifest holds");
	}
	pick_free(&p);
	return st;
}
