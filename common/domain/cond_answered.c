/*
 * Whether a condition was answered: where a field that it compares has no
 * value, that it does not hold says nothing yet.
 */
#include "domain/cond_priv.h"

static bool
has_value(const struct ref *r, const struct cond_view *v)
{
	struct state_value value;

	if (r->sort != REF_SELF && r->sort != REF_RECORD)
		return true;
	return r->text == NULL || ref_value(r, v, 0, &value);
}

static bool
compares(enum atom_op op)
{
	return op == ATOM_IS || op == ATOM_NUM || op == ATOM_DAYS ||
	       op == ATOM_TIME || op == ATOM_CLOCK;
}

bool
cond_answered(const struct cond *c, const struct cond_view *v)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct step *s = &c->steps[i];

		/* Items are asked one by one; none is an answer too. */
		if (s->op == STEP_LOOP)
			i = s->end;
		else if (s->op == STEP_ATOM && compares(s->atom->op) &&
			 !has_value(&s->atom->a, v))
			return false;
	}
	return true;
}
