#include "server/roster/two.h"

#include "server/roster/role.h"

enum status
two_may(
    struct roster *r, const char *person, enum two_what what, struct words *why)
{
	const struct role *role;
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
	role = role_find(p.role);
	if (role != NULL && (role->may & what) != 0)
		return ST_OK;
	words_zh(why, "%s 的角色（%s）不得办理此事", p.id, p.role);
	words_en(why, "%s (%s) has no role that may do this", p.id, p.role);
	return ST_DENIED;
}
