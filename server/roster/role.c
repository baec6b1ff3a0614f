#include "server/roster/role.h"

#include <string.h>

#include "server/roster/two.h"

/*
 * Administrators of systems and of security keep machines, people and keys;
 * what teams wrote is none of theirs.  The administrator of audit reads all and
 * changes nothing.
 */
static const struct role roles[] = {
	{ "judge", "员额法官", "judge", ROLE_NO_TOKEN, 0 },
	{ "assistant", "法官助理", "judge's assistant", ROLE_NO_TOKEN, 0 },
	{ "officer", "执行员", "enforcement officer", ROLE_NO_TOKEN, 0 },
	{ "clerk", "书记员", "clerk", ROLE_NO_TOKEN, 0 },
	{ "police", "司法警察", "judicial police", ROLE_NO_TOKEN, 0 },
	{ "president", "院长", "court president", ROLE_NO_TOKEN,
	    TWO_DEFINE | TWO_ERASE | TWO_FINDING },
	{ "commander", "值班指挥长", "duty commander", ROLE_RECORDS, 0 },
	{ "supervisor", "督察员", "supervisor", ROLE_RECORDS,
	    TWO_ERASE | TWO_FINDING },
	{ "adjudicator", "执行裁判庭", "adjudication division", ROLE_NO_TOKEN,
	    0 },
	{ "admin", "系统管理员", "administrator of systems", ROLE_FIGURES,
	    TWO_DEFINE },
	{ "security", "安全管理员", "administrator of security", ROLE_FIGURES,
	    TWO_DEFINE | TWO_ERASE },
	{ "auditor", "审计管理员", "administrator of audit", ROLE_RECORDS, 0 },
};

enum { ROLES = sizeof(roles) / sizeof(roles[0]) };

const struct role *
role_find(const char *word)
{
	for (size_t i = 0; i < ROLES; i++) {
		if (strcmp(roles[i].word, word) == 0)
			return &roles[i];
	}
	return NULL;
}

void
role_list(struct buf *b, bool zh, bool tokens)
{
	bool any = false;

	for (size_t i = 0; i < ROLES; i++) {
		const struct role *r = &roles[i];

		if (tokens && r->token == ROLE_NO_TOKEN)
			continue;
		if (any)
			buf_str(b, zh ? "、" : ", ");
		buf_printf(
		    b, zh ? "%s %s" : "%s (%s)", r->word, zh ? r->zh : r->en);
		any = true;
	}
}
