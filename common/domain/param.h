#ifndef DOMAIN_PARAM_H
#define DOMAIN_PARAM_H
/*
 * param: a number, length of time, time of day or field that a rule names as
 * "$name", and that a court may tighten but never loosen.
 */
#include "domain/doc.h"
#include "domain/when.h"

enum param_type { PARAM_NUM, PARAM_SPAN, PARAM_CLOCK, PARAM_PATH };

/* Which way a court may move it. */
enum param_way {
	PARAM_FREE, /* not set by statute */
	PARAM_LESS, /* a smaller value is tighter */
	PARAM_MORE, /* a larger value is tighter */
};

struct param_value {
	int64_t num; /* PARAM_NUM: ten-thousandths */
	struct span span;
	int minute;
	const char *path;
	const char *text; /* as the file has it */
	bool integer;     /* the file has it as a JSON integer */
};

struct param {
	const char *name;
	enum param_type type;
	enum param_way way;
	struct param_value value;   /* in use */
	struct param_value statute; /* as the rule file has it */
	const char *const *choices; /* PARAM_PATH */
	size_t choice_count;
};

/* Read {"NAME":{"type","value","tighten","choices"} …} at node n; none if n
 * is 0. */
MUST_CHECK enum status params_read(
    struct doc *d, uint32_t n, struct param **out, size_t *count);

/* Give it the value at node n of a court's file; refused if looser than the
 * statute. */
MUST_CHECK enum status param_set(struct param *p, struct doc *d, uint32_t n);

/* Does `p`, of a later version of a rule, bind at least as much as `old`? */
bool param_as_tight(const struct param *p, const struct param *old);

/* "$limit" → the parameter, or NULL. */
const struct param *params_find(
    const struct param *list, size_t count, struct bytes dollar_name);

/* For people. */
void param_show(char out[64], const struct param *p, bool zh);

#endif
