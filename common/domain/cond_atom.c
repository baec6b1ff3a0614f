/*
 * Conditions of one step, each read from what stands behind its name.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "domain/cond_priv.h"
#include "entry/entry.h"
#include "entry/path.h"

/* The k-th value of array n; 0 if it has fewer. */
uint32_t
cond_nth(const struct json *j, uint32_t n, uint32_t k)
{
	uint32_t i = n + 1;

	if (j->node[n].type != JSON_ARRAY || k >= j->node[n].count)
		return 0;
	while (k-- > 0)
		i = j->node[i].next;
	return i;
}

enum status
cond_shape(struct compiler *c, uint32_t n, uint32_t least, uint32_t most)
{
	const struct json *j = &c->d->j;

	if (j->node[n].type != JSON_ARRAY || j->node[n].count < least ||
	    j->node[n].count > most)
		return doc_refuse(c->d, n, "参数个数不对",
		    "an array of another length is wanted here");
	return ST_OK;
}

static enum status
param_of(struct compiler *c, uint32_t n, enum param_type type,
    const struct param **out)
{
	*out = params_find(
	    c->scope.params, c->scope.param_count, json_raw(&c->d->j, n));
	if (*out == NULL || (*out)->type != type)
		return doc_refuse_text(c->d, n, "没有此参数，或类型不对",
		    "no such parameter of the type wanted here",
		    json_raw(&c->d->j, n));
	return ST_OK;
}

static bool
is_dollar(const struct json *j, uint32_t n)
{
	return j->node[n].type == JSON_STRING && j->node[n].len > 0 &&
	       json_raw(j, n).p[0] == '$';
}

enum status
cond_read_op(struct compiler *c, uint32_t n, enum num_op *out)
{
	if (c->d->j.node[n].type != JSON_STRING ||
	    !num_op_read(out, json_raw(&c->d->j, n)))
		return doc_refuse(c->d, n, "应为 < <= = != >= > 之一",
		    "must be one of < <= = != >= >");
	return ST_OK;
}

/* An integer, a decimal, "$param", or {"path","plus","percent"}. */
enum status
cond_read_operand(struct compiler *c, uint32_t n, struct operand *out)
{
	static const char *const names[] = { "path", "plus", "percent", NULL };
	const struct json *j = &c->d->j;
	struct operand o = { .num = 0 };
	uint32_t v = 0;
	enum status st;

	if (is_dollar(j, n)) {
		st = param_of(c, n, PARAM_NUM, &o.param);
	} else if (j->node[n].type == JSON_OBJECT) {
		st = doc_only(c->d, n, names);
		v = json_get(j, n, "path");
		if (st == ST_OK && v == 0)
			st = doc_refuse(c->d, n, "缺少 path", "no path");
		if (st == ST_OK)
			st = ref_compile(&o.ref, c->d, v, &c->scope, TYPES_NUM);
		o.is_ref = true;
		o.plus = json_int(j, n, "plus", 0) * NUM_ONE;
		v = json_get(j, n, "percent");
		if (st == ST_OK && v != 0 && is_dollar(j, v))
			st = param_of(c, v, PARAM_NUM, &o.percent_param);
		else if (v != 0)
			o.percent = json_int(j, n, "percent", 0) * NUM_ONE;
	} else {
		st = ST_OK;
		if (!num_read(&o.num, json_raw(j, n)))
			st = doc_refuse(c->d, n, "不是数", "not a number");
	}
	if (st == ST_OK)
		*out = o;
	return st;
}

static enum status
read_has(struct compiler *c, uint32_t n, struct atom *a)
{
	return ref_compile(&a->a, c->d, n, &c->scope, TYPES_ANY);
}

/* A value of `is` must be one that the field can have. */
static enum status
check_is(struct compiler *c, uint32_t n, const struct ref *r)
{
	const struct json *j = &c->d->j;
	bool flag =
	    j->node[n].type == JSON_TRUE || j->node[n].type == JSON_FALSE;

	if (r->sort != REF_SELF && r->sort != REF_RECORD)
		return ST_OK;
	for (size_t i = 0; i < c->scope.kind_count; i++) {
		const struct kind *k = c->scope.kinds[i];
		const struct kind_list *l = NULL;
		const struct kind_field *f;

		if (r->sort == REF_SELF)
			l = kind_list(k, bytes_str(c->scope.list));
		f = kind_list_field(k, l, bytes_str(r->text));
		assert(f != NULL);
		if (flag != (f->type == KIND_BOOL) ||
		    (j->node[n].type == JSON_INT) != (f->type == KIND_INT))
			return doc_refuse(c->d, n, "与字段类型不合",
			    "does not fit the field's type");
		if (f->type == KIND_ENUM &&
		    kind_option(f, json_raw(j, n)) == NULL)
			return doc_refuse_text(c->d, n, "没有此选项",
			    "no such option", json_raw(j, n));
	}
	return ST_OK;
}

/* [ref, value, …]: kept as JSON text, to be compared as bytes. */
static enum status
read_is(struct compiler *c, uint32_t n, struct atom *a)
{
	const struct json *j = &c->d->j;
	const char **words;
	enum status st = cond_shape(c, n, 2, COND_WORDS_MAX);
	uint32_t v = 0;

	if (st == ST_OK)
		st = ref_compile(
		    &a->a, c->d, cond_nth(j, n, 0), &c->scope, TYPES_ANY);
	if (st != ST_OK)
		return st;
	words = pool_get(c->d->pool, j->node[n].count, sizeof(*words));
	if (words == NULL)
		return ST_NOMEM;
	for (uint32_t k = 1; (v = cond_nth(j, n, k)) != 0; k++) {
		struct bytes raw = json_raw(j, v);

		if (j->node[v].type == JSON_STRING)
			raw = bytes_of(raw.p - 1, raw.len + 2);
		else if (j->node[v].type == JSON_ARRAY ||
			 j->node[v].type == JSON_OBJECT)
			return doc_refuse(
			    c->d, v, "应为单个值", "must be a scalar");
		st = check_is(c, v, &a->a);
		if (st != ST_OK)
			return st;
		words[k - 1] = pool_text(c->d->pool, raw);
		if (words[k - 1] == NULL)
			return ST_NOMEM;
	}
	a->words = words;
	a->word_count = j->node[n].count - 1;
	return ST_OK;
}

/* [ref, op, operand] */
static enum status
read_num(struct compiler *c, uint32_t n, struct atom *a)
{
	const struct json *j = &c->d->j;
	enum status st = cond_shape(c, n, 3, 3);

	if (st == ST_OK)
		st = ref_compile(
		    &a->a, c->d, cond_nth(j, n, 0), &c->scope, TYPES_NUM);
	if (st == ST_OK)
		st = cond_read_op(c, cond_nth(j, n, 1), &a->cmp);
	if (st == ST_OK)
		st = cond_read_operand(c, cond_nth(j, n, 2), &a->than);
	return st;
}

/* [from, to, op, operand]: calendar days from..to */
static enum status
read_days(struct compiler *c, uint32_t n, struct atom *a)
{
	const struct json *j = &c->d->j;
	enum status st = cond_shape(c, n, 4, 4);

	if (st == ST_OK)
		st = ref_compile(
		    &a->a, c->d, cond_nth(j, n, 0), &c->scope, TYPES_TIME);
	if (st == ST_OK)
		st = ref_compile(
		    &a->b, c->d, cond_nth(j, n, 1), &c->scope, TYPES_TIME);
	if (st == ST_OK)
		st = cond_read_op(c, cond_nth(j, n, 2), &a->cmp);
	if (st == ST_OK)
		st = cond_read_operand(c, cond_nth(j, n, 3), &a->than);
	return st;
}

/* [a, op, b] or [a, op, b, span]: a op (b + span) */
static enum status
read_time(struct compiler *c, uint32_t n, struct atom *a)
{
	const struct json *j = &c->d->j;
	enum status st = cond_shape(c, n, 3, 4);
	uint32_t v = 0;

	if (st == ST_OK)
		st = ref_compile(
		    &a->a, c->d, cond_nth(j, n, 0), &c->scope, TYPES_TIME);
	if (st == ST_OK)
		st = cond_read_op(c, cond_nth(j, n, 1), &a->cmp);
	if (st == ST_OK)
		st = ref_compile(
		    &a->b, c->d, cond_nth(j, n, 2), &c->scope, TYPES_TIME);
	v = st == ST_OK ? cond_nth(j, n, 3) : 0;
	if (v == 0)
		return st;
	if (is_dollar(j, v))
		return param_of(c, v, PARAM_SPAN, &a->span_param);
	if (j->node[v].type != JSON_STRING ||
	    !span_read(&a->span, json_raw(j, v)))
		return doc_refuse(c->d, v, "不是时长", "not a duration");
	return ST_OK;
}

/* [ref, from, to]: the time of day is in [from, to) */
static enum status
read_clock(struct compiler *c, uint32_t n, struct atom *a)
{
	const struct json *j = &c->d->j;
	enum status st = cond_shape(c, n, 3, 3);

	if (st == ST_OK)
		st = ref_compile(&a->a, c->d, cond_nth(j, n, 0), &c->scope,
		    TYPE_BIT(KIND_DATETIME));
	for (uint32_t k = 1; k <= 2 && st == ST_OK; k++) {
		uint32_t v = cond_nth(j, n, k);
		int minute = -1;
		const struct param *p = NULL;

		if (is_dollar(j, v))
			st = param_of(c, v, PARAM_CLOCK, &p);
		else if (j->node[v].type == JSON_STRING)
			minute = minute_read(json_raw(j, v));
		if (st == ST_OK && p == NULL && minute < 0)
			st = doc_refuse(
			    c->d, v, "不是钟点", "not a time of day");
		*(k == 1 ? &a->from : &a->to) = minute;
		*(k == 1 ? &a->from_param : &a->to_param) = p;
	}
	return st;
}

/* A path as acts name it: of the record, or "." (the item whose turn it is). */
static enum status
read_path(struct compiler *c, uint32_t n, const char **out)
{
	enum status st = doc_string(c->d, n, PATH_BYTES_MAX, out);

	if (st != ST_OK)
		return st;
	if (strcmp(*out, ".") == 0 && c->scope.list == NULL)
		return doc_refuse(
		    c->d, n, "此处没有条目", "there is no item here");
	if (strcmp(*out, ".") != 0 && !path_is_relative(bytes_str(*out)))
		return doc_refuse(c->d, n, "不是路径", "not a path");
	return ST_OK;
}

/* {"do":VERB, "on":PATH, "data":SCALAR, "more":NAME} */
static enum status
read_act(struct compiler *c, uint32_t n, struct atom *a)
{
	static const char *const names[] = { "do", "on", "data", "more", NULL };
	const struct json *j = &c->d->j;
	uint32_t v = 0;
	enum status st = doc_only(c->d, n, names);

	if (st == ST_OK)
		st = doc_text(c->d, n, "do", WORD_BYTES_MAX, NULL, &a->verb);
	if (st != ST_OK)
		return st;
	if (verb_of(bytes_str(a->verb)) == DO_NONE)
		return doc_refuse_text(
		    c->d, n, "没有此动词", "no such verb", bytes_str(a->verb));
	v = json_get(j, n, "on");
	if (v != 0)
		st = read_path(c, v, &a->path);
	v = json_get(j, n, "data");
	if (st == ST_OK && v != 0) {
		struct bytes raw = json_raw(j, v);

		if (j->node[v].type == JSON_STRING)
			raw = bytes_of(raw.p - 1, raw.len + 2);
		a->data = pool_text(c->d->pool, raw);
		if (a->data == NULL)
			st = ST_NOMEM;
	}
	v = json_get(j, n, "more");
	if (st == ST_OK && v != 0)
		st = doc_string(c->d, v, WORD_BYTES_MAX, &a->names);
	return st;
}

static enum status
read_signed(struct compiler *c, uint32_t n, struct atom *a)
{
	return read_path(c, n, &a->path);
}

/* A word, or an array of them. */
static enum status
read_words(struct compiler *c, uint32_t n, struct atom *a)
{
	const struct json *j = &c->d->j;
	bool one = j->node[n].type == JSON_STRING;
	uint32_t count = one ? 1 : j->node[n].count, i = one ? n : n + 1;
	const char **words;
	enum status st;

	if ((!one && j->node[n].type != JSON_ARRAY) || count == 0 ||
	    count > COND_WORDS_MAX)
		return doc_refuse(c->d, n, "应为词或词的数组",
		    "must be a word or an array of words");
	words = pool_get(c->d->pool, count, sizeof(*words));
	if (words == NULL)
		return ST_NOMEM;
	for (uint32_t k = 0; k < count; k++, i = j->node[i].next) {
		st = doc_string(c->d, i, WORD_BYTES_MAX, &words[k]);
		if (st != ST_OK)
			return st;
	}
	a->words = words;
	a->word_count = count;
	return ST_OK;
}

static enum status
read_linked(struct compiler *c, uint32_t n, struct atom *a)
{
	enum status st = read_words(c, n, a);

	for (size_t w = 0; w < a->word_count && st == ST_OK; w++) {
		for (size_t i = 0; i < c->scope.kind_count; i++) {
			if (kind_link(c->scope.kinds[i],
				bytes_str(a->words[w])) == NULL)
				return doc_refuse_text(c->d, n,
				    "该类记录没有此种关联",
				    "a kind of this rule has no such link",
				    bytes_str(a->words[w]));
		}
	}
	return st;
}

static enum status
read_status(struct compiler *c, uint32_t n, struct atom *a)
{
	enum status st = read_words(c, n, a);

	for (size_t w = 0; w < a->word_count && st == ST_OK; w++) {
		for (size_t i = 0; i < c->scope.kind_count; i++) {
			if (kind_status(c->scope.kinds[i],
				bytes_str(a->words[w])) == NULL)
				return doc_refuse_text(c->d, n,
				    "该类记录没有此状态",
				    "a kind of this rule has no such status",
				    bytes_str(a->words[w]));
		}
	}
	return st;
}

static enum status
read_true(struct compiler *c, uint32_t n, struct atom *a)
{
	(void)a;
	if (c->d->j.node[n].type != JSON_TRUE)
		return doc_refuse(c->d, n, "应为 true", "must be true");
	return ST_OK;
}

static const struct {
	const char *name;
	enum atom_op op;
	enum status (*read)(struct compiler *, uint32_t, struct atom *);
} atoms[] = {
	{ "has", ATOM_HAS, read_has },
	{ "lacks", ATOM_LACKS, read_has },
	{ "is", ATOM_IS, read_is },
	{ "num", ATOM_NUM, read_num },
	{ "days", ATOM_DAYS, read_days },
	{ "time", ATOM_TIME, read_time },
	{ "clock", ATOM_CLOCK, read_clock },
	{ "act", ATOM_ACT, read_act },
	{ "signed", ATOM_SIGNED, read_signed },
	{ "linked", ATOM_LINKED, read_linked },
	{ "status", ATOM_STATUS, read_status },
	{ "finished", ATOM_FINISHED, read_true },
	{ "void", ATOM_VOID, read_true },
};

enum status
cond_read_atom(struct compiler *c, uint32_t name, struct atom **out)
{
	for (size_t i = 0; i < sizeof(atoms) / sizeof(atoms[0]); i++) {
		if (!json_is(&c->d->j, name, atoms[i].name))
			continue;
		*out = pool_get(c->d->pool, 1, sizeof(**out));
		if (*out == NULL)
			return ST_NOMEM;
		(*out)->op = atoms[i].op;
		return atoms[i].read(c, name + 1, *out);
	}
	return ST_ABSENT;
}
