#include "server/roster/two.h"

#include <string.h>

static const struct {
	const char *role;
	unsigned may; /* enum two_what */
} roles[] = {
	{ "admin", TWO_DEFINE },
	{ "security", TWO_DEFINE | TWO_ERASE },
	{ "president", TWO_DEFINE | TWO_ERASE | TWO_FINDING },
	{ "supervisor", TWO_ERASE | TWO_FINDING },
};

enum status
two_may(
    struct roster *r, const char *person, enum two_what what, struct words *why)
{
	struct roster_person p;
	enum status st =
	    person == NULL ? ST_ABSENT : roster_person(r, person, &p);

	words_clear(why);
	if (st == ST_ABSENT) {
		words_put(why, "须用 --by 写明人员编号，且其在人员名册中",
		    "--by must name a person of the roster");
		return ST_DENIED;
	}
	if (st != ST_OK)
		return st;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(roles[i].role, p.role) == 0 &&
		    (roles[i].may & what) != 0)
			return ST_OK;
	}
	words_zh(why, "%s 的角色（%s）不得办理此事", p.id, p.role);
	words_en(why, "%s (%s) has no role that may do this", p.id, p.role);
	return ST_DENIED;
}
