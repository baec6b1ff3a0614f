#ifndef DOMAIN_COND_PRIV_H
#define DOMAIN_COND_PRIV_H
/*
 * cond_priv: a compiled condition, shared by cond_compile.c and cond_judge.c.
 *
 * A program is a row of steps for a stack of truths.  ATOM pushes one truth;
 * NOT, ALL and ANY take what they combine and push one.  LOOP begins a run
 * over items: the steps up to its END are done once for each item in force, in
 * the item's terms, and END takes the truth of that item.  Loops do not nest.
 */
#include "domain/cond.h"
#include "domain/num.h"

enum {
	COND_STEPS_MAX = 128,
	COND_NEST_MAX = 12,
	COND_WORDS_MAX = 32,
	/* Of more kept values than these only the first are judged; they
	 * disagree long before. */
	KEPT_MAX = 8,
};

enum step_op {
	STEP_ATOM,
	STEP_NOT,
	STEP_ALL,
	STEP_ANY,
	STEP_LOOP,
	STEP_END,
};

enum atom_op {
	ATOM_HAS,
	ATOM_LACKS,
	ATOM_IS,
	ATOM_NUM,
	ATOM_DAYS,
	ATOM_TIME,
	ATOM_CLOCK,
	ATOM_ACT,
	ATOM_SIGNED,
	ATOM_LINKED,
	ATOM_STATUS,
	ATOM_FINISHED,
	ATOM_VOID,
	/* Loops: what END does with the truths of the items. */
	LOOP_SOME,
	LOOP_EVERY,
	LOOP_COUNT,
	LOOP_SUM,
	LOOP_REF,
};

/* A number to compare with. */
struct operand {
	int64_t num; /* where neither of the others is given */
	const struct param *param;
	struct ref ref;
	bool is_ref;
	int64_t plus;                      /* added to ref */
	int64_t percent;                   /* of ref; 0: all of it */
	const struct param *percent_param; /* instead of percent */
};

struct atom {
	enum atom_op op;
	struct ref a, b;
	enum num_op cmp;
	struct operand than;
	const char *const *words; /* LINKED, STATUS, IS (JSON texts) */
	size_t word_count;
	const char *path; /* ACT: on, SIGNED: who, loops: list; "." the item */
	struct span span; /* TIME */
	const struct param *span_param, *from_param, *to_param;
	int from, to;      /* CLOCK: minutes */
	const char *verb;  /* ACT */
	const char *data;  /* ACT: JSON text its first value must be, or NULL */
	const char *names; /* ACT: member of more that must stand, or NULL */
};

struct step {
	enum step_op op;
	uint16_t count;          /* ALL, ANY: truths to take */
	uint16_t end;            /* LOOP: place of its END */
	const struct atom *atom; /* ATOM, LOOP, END */
};

struct cond {
	const struct step *steps;
	size_t count;
};

/* A composite condition whose parts are still being read. */
struct open_part {
	enum step_op op;
	uint32_t next, end; /* nodes of the parts left */
	uint16_t count;     /* parts read */
	uint16_t loop;      /* STEP_LOOP: its place */
	uint32_t at;        /* its node, for words */
};

struct compiler {
	struct doc *d;
	struct cond_scope scope; /* narrowed to a list inside a loop */
	struct cond_scope outer;
	struct step steps[COND_STEPS_MAX];
	size_t count;
	struct open_part open[COND_NEST_MAX];
	size_t depth;
};

/* Shared by the files that judge. */
enum truth cond_judge_atom(const struct atom *a, struct cond_view *v);
/* The number that the i-th value is; false past the last.  *truth: TRUE,
 * FALSE (none can be read), WITHHELD. */
bool cond_number_at(const struct ref *r, const struct cond_view *v, size_t i,
    int64_t *out, enum truth *truth);
/* How x compares with the operand, over its kept values. */
enum truth cond_compare(
    int64_t x, enum num_op op, const struct operand *o, struct cond_view *v);

/* Shared by the files that compile. */
uint32_t cond_nth(const struct json *j, uint32_t n, uint32_t k);
enum status cond_shape(
    struct compiler *c, uint32_t n, uint32_t least, uint32_t most);
enum status cond_read_op(struct compiler *c, uint32_t n, enum num_op *out);
enum status cond_read_operand(
    struct compiler *c, uint32_t n, struct operand *out);
/* Read the atom whose name is node `name`; ST_ABSENT: no atom of that name. */
enum status cond_read_atom(
    struct compiler *c, uint32_t name, struct atom **out);

#endif
