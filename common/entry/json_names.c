#include "entry/json.h"

#include <assert.h>
#include <stdlib.h>

#include "base/sort.h"
#include "entry/json_scan.h"

/* Objects of up to this many members are compared name by name. */
enum { MEMBERS_FEW = 24 };

/* Room to sort `count` names; the second half is the sort's scratch. */
static bool
reserve(struct json *j, uint32_t count)
{
	uint32_t *p;

	if (2 * count <= j->sorted_cap)
		return true;
	p = realloc(j->sorted, 2 * count * sizeof(*p));
	if (p == NULL)
		return false;
	j->sorted = p;
	j->sorted_cap = 2 * count;
	return true;
}

/* Sort the names and look at neighbours. */
static enum status
differ_sorted(struct json *j, uint32_t obj, uint32_t *twice)
{
	uint32_t count = j->node[obj].count, k = 0;

	if (!reserve(j, count))
		return ST_NOMEM;
	for (uint32_t i = obj + 1; i < j->count; i = j->node[i + 1].next)
		j->sorted[k++] = i;
	assert(k == count);
	sort_u32(j->sorted, j->sorted + count, count, json_order_cmp, j);
	for (k = 1; k < count; k++) {
		if (json_order(j, j->sorted[k - 1], j->sorted[k]) == 0) {
			/* The sort is stable: the later one stands behind. */
			*twice = j->sorted[k];
			return ST_INVALID;
		}
	}
	return ST_OK;
}

/*
 * A bit for a name, the same for the same bytes.  The factors tell all member
 * names of a head apart, and those of a body.
 */
static uint64_t
mark(const struct json *j, const struct json_node *n)
{
	const uint8_t *p = j->src.p + n->off;

	if (n->len == 0)
		return 1;
	return UINT64_C(1) << ((n->len + 2u * p[n->len - 1] + 8u * p[0]) & 63);
}

/*
 * Compare each with those before it.  Its mark spares nearly every comparison;
 * behind a name with an escape, whose mark says nothing, all are compared.
 */
static enum status
differ_few(const struct json *j, uint32_t obj, uint32_t *twice)
{
	uint64_t seen = 0, bit;
	bool all = false;

	for (uint32_t i = obj + 1; i < j->count; i = j->node[i + 1].next) {
		const struct json_node *n = &j->node[i];
		bool look;

		bit = mark(j, n);
		all = all || n->escaped;
		look = all || (seen & bit) != 0;
		seen |= bit;
		if (!look)
			continue;
		for (uint32_t k = obj + 1; k < i; k = j->node[k + 1].next) {
			if (json_order(j, k, i) == 0) {
				*twice = i;
				return ST_INVALID;
			}
		}
	}
	return ST_OK;
}

enum status
json_names_differ(struct json *j, uint32_t obj, uint32_t *twice)
{
	return j->node[obj].count <= MEMBERS_FEW ? differ_few(j, obj, twice)
						 : differ_sorted(j, obj, twice);
}
