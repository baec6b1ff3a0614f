/*
 * Conditions that are made of conditions, and the program they become.  The
 * parts that are still being read stand on a stack of our own, so that a file
 * cannot make us recurse.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "domain/cond_priv.h"

static enum status
emit(struct compiler *c, uint32_t n, struct step s)
{
	if (c->count == COND_STEPS_MAX)
		return doc_refuse(c->d, n, "条件过长", "condition too long");
	c->steps[c->count++] = s;
	return ST_OK;
}

static const struct {
	const char *name;
	enum atom_op op;
} loops[] = {
	{ "some", LOOP_SOME },
	{ "every", LOOP_EVERY },
	{ "count", LOOP_COUNT },
	{ "sum", LOOP_SUM },
	{ "ref", LOOP_REF },
};

/* The list that a loop runs over exists in every kind; the scope is narrowed
 * to it until the loop's END. */
static enum status
enter_list(struct compiler *c, uint32_t n, const char *list)
{
	for (size_t i = 0; i < c->scope.kind_count; i++) {
		if (kind_list(c->scope.kinds[i], bytes_str(list)) == NULL)
			return doc_refuse_text(c->d, n, "该类记录没有此清单",
			    "a kind of this rule has no such list",
			    bytes_str(list));
	}
	c->outer = c->scope;
	c->scope.list = list;
	return ST_OK;
}

/* The list that an item field refers to: the first of its `items`. */
static const char *
list_of_ref(const struct compiler *c, const struct ref *r)
{
	const struct kind *k = c->scope.kinds[0];
	const struct kind_list *l = NULL;
	const struct kind_field *f;

	if (r->sort == REF_SELF)
		l = kind_list(k, bytes_str(c->scope.list));
	f = kind_list_field(k, l, bytes_str(r->text));
	assert(f != NULL && f->ref_count > 0);
	return f->refs[0];
}

/* {"of":LIST,"where":C,"field":F,"op":OP,"than":OPERAND} */
static enum status
read_counted(struct compiler *c, uint32_t n, struct atom *a, uint32_t *body)
{
	static const char *const names[] = { "of", "where", "field", "op",
		"than", NULL };
	const struct json *j = &c->d->j;
	uint32_t v = 0;
	enum status st = doc_only(c->d, n, names);

	if (st == ST_OK)
		st = doc_text(c->d, n, "of", PATH_BYTES_MAX, NULL, &a->path);
	if (st == ST_OK) {
		v = json_get(j, n, "op");
		st = v != 0 ? cond_read_op(c, v, &a->cmp)
			    : doc_refuse(c->d, n, "缺少 op", "no op");
	}
	if (st == ST_OK) {
		v = json_get(j, n, "than");
		st = v != 0 ? cond_read_operand(c, v, &a->than)
			    : doc_refuse(c->d, n, "缺少 than", "no than");
	}
	if (st == ST_OK)
		st = enter_list(c, n, a->path);
	if (st != ST_OK)
		return st;
	v = json_get(j, n, "field");
	if ((v != 0) != (a->op == LOOP_SUM))
		return doc_refuse(c->d, n, "sum 须有 field，count 不可有",
		    "sum needs a field, count has none");
	if (v != 0)
		st = ref_compile(&a->a, c->d, v, &c->scope, TYPES_NUM);
	*body = json_get(j, n, "where");
	return st;
}

/* Begin a loop: its step, and its body as an open part. */
static enum status
begin_loop(struct compiler *c, uint32_t n, enum atom_op op)
{
	const struct json *j = &c->d->j;
	struct atom *a = pool_get(c->d->pool, 1, sizeof(*a));
	struct open_part *p = &c->open[c->depth];
	uint32_t body = 0;
	enum status st;

	if (a == NULL)
		return ST_NOMEM;
	a->op = op;
	for (size_t i = 0; i < c->depth; i++) {
		if (c->open[i].op == STEP_LOOP)
			return doc_refuse(c->d, n, "清单条件不可嵌套",
			    "conditions over items do not nest");
	}
	if (op == LOOP_COUNT || op == LOOP_SUM) {
		st = read_counted(c, n, a, &body);
	} else {
		st = cond_shape(c, n, 2, 2);
		if (st == ST_OK && op == LOOP_REF)
			st = ref_compile(&a->a, c->d, cond_nth(j, n, 0),
			    &c->scope, TYPE_BIT(KIND_ITEM));
		else if (st == ST_OK)
			st = doc_string(
			    c->d, cond_nth(j, n, 0), PATH_BYTES_MAX, &a->path);
		if (st == ST_OK && op == LOOP_REF)
			a->path = list_of_ref(c, &a->a);
		if (st == ST_OK)
			st = enter_list(c, n, a->path);
		body = st == ST_OK ? cond_nth(j, n, 1) : 0;
	}
	if (st != ST_OK)
		return st;
	*p = (struct open_part){ .op = STEP_LOOP,
		.next = body,
		.end = body != 0 ? j->node[body].next : 0,
		.loop = (uint16_t)c->count,
		.at = n };
	c->depth++;
	return emit(c, n, (struct step){ .op = STEP_LOOP, .atom = a });
}

/* All parts of the innermost composite are read: its closing step. */
static enum status
close_part(struct compiler *c)
{
	struct open_part *p = &c->open[--c->depth];
	struct step s = { .op = p->op, .count = p->count };

	if (p->op == STEP_LOOP) {
		s.op = STEP_END;
		s.atom = c->steps[p->loop].atom;
		s.count = p->count; /* 0: no body, every item counts */
		c->steps[p->loop].end = (uint16_t)c->count;
		c->scope = c->outer;
	}
	return emit(c, p->at, s);
}

static enum status
begin_part(struct compiler *c, uint32_t n, enum step_op op)
{
	const struct json *j = &c->d->j;
	struct open_part p = {
		.op = op, .next = n, .end = j->node[n].next, .at = n
	};

	if (op != STEP_NOT) {
		if (j->node[n].type != JSON_ARRAY || j->node[n].count == 0 ||
		    j->node[n].count > COND_WORDS_MAX)
			return doc_refuse(c->d, n, "应为条件的数组",
			    "must be an array of conditions");
		p.next = n + 1;
	}
	c->open[c->depth++] = p;
	return ST_OK;
}

/* One condition: an object with one member, whose name says which. */
static enum status
begin(struct compiler *c, uint32_t n)
{
	const struct json *j = &c->d->j;
	uint32_t name = n + 1;
	struct atom *a;
	enum status st;

	if (j->node[n].type != JSON_OBJECT || j->node[n].count != 1)
		return doc_refuse(c->d, n, "条件应为只有一个成员的对象",
		    "a condition is an object of one member");
	if (c->depth == COND_NEST_MAX)
		return doc_refuse(c->d, n, "条件嵌套过深", "nested too deep");
	if (json_is(j, name, "all"))
		return begin_part(c, name + 1, STEP_ALL);
	if (json_is(j, name, "any"))
		return begin_part(c, name + 1, STEP_ANY);
	if (json_is(j, name, "not"))
		return begin_part(c, name + 1, STEP_NOT);
	st = cond_read_atom(c, name, &a);
	if (st == ST_OK)
		return emit(c, n, (struct step){ .op = STEP_ATOM, .atom = a });
	if (st != ST_ABSENT)
		return st;
	for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		if (json_is(j, name, loops[i].name))
			return begin_loop(c, name + 1, loops[i].op);
	}
	return doc_refuse_text(
	    c->d, name, "没有此种条件", "no such condition", json_raw(j, name));
}

static enum status
finish(const struct compiler *c, const struct cond **out)
{
	struct cond *r = pool_get(c->d->pool, 1, sizeof(*r));
	struct step *s = pool_get(c->d->pool, c->count, sizeof(*s));

	if (r == NULL || s == NULL)
		return ST_NOMEM;
	memcpy(s, c->steps, c->count * sizeof(*s));
	r->steps = s;
	r->count = c->count;
	*out = r;
	return ST_OK;
}

enum status
cond_compile(const struct cond **out, struct doc *d, uint32_t n,
    const struct cond_scope *scope)
{
	struct compiler c = { .d = d, .scope = *scope };
	enum status st = begin(&c, n);

	while (st == ST_OK && c.depth > 0) {
		struct open_part *p = &c.open[c.depth - 1];
		uint32_t at = p->next;

		if (at >= p->end) {
			st = close_part(&c);
			continue;
		}
		p->next = d->j.node[at].next;
		p->count++;
		st = begin(&c, at);
	}
	return st == ST_OK ? finish(&c, out) : st;
}
