#ifndef SUPPORT_ENTRIES_H
#define SUPPORT_ENTRIES_H
/*
 * entries: entries put together member by member, right ones and wrong ones.
 * The writer of the product refuses to write what tests want to see refused,
 * so that these lines are made apart from it.
 */
#include "entry/entry.h"

enum { DRAFT_MEMBERS_MAX = 32 };

/* Members in their order; value is JSON text. All borrowed. */
struct draft_member {
	const char *name, *value;
};

struct draft {
	struct draft_member head[DRAFT_MEMBERS_MAX];
	size_t head_count;
	struct draft_member body[DRAFT_MEMBERS_MAX];
	size_t body_count;
};

/* A right entry: the second of its chain, a `set` of one field. */
void draft_init(struct draft *d);

/* Change a member, add it behind the rest, or leave it out (value NULL). */
void draft_head(struct draft *d, const char *name, const char *value);
void draft_body(struct draft *d, const char *name, const char *value);

/* Add a member once more. */
void draft_head_again(struct draft *d, const char *name, const char *value);

/* The verb with on and data; the rest stays. */
void draft_verb(
    struct draft *d, const char *verb, const char *on, const char *data);

/* Write the entry onto `out`, which is reset.  Unless the head has a `body` of
 * its own it is the digest of the body line. */
void draft_write(const struct draft *d, struct buf *out);

/* A draft, its bytes, and what was read from them. */
struct trial {
	struct draft d;
	struct buf b;
	struct entry e;
};

void trial_init(struct trial *t);
void trial_free(struct trial *t);

/* Write and read the draft; the test ends unless the verdict and its words are
 * these.  `what` is for the failure's message. */
void trial_whole(struct trial *t, const char *what);
void trial_blind(struct trial *t, const char *what, const char *why);
void trial_malformed(struct trial *t, const char *what, const char *why);

#define DRAFT_ID "00112233445566778899aabbccddeeff"
#define DRAFT_REC "01890a5d-ac96-774b-bcce-b302099a8057"
#define DRAFT_HASH                                                             \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DRAFT_DEV "abcdefghijklmnopqrstuvwxya"

#endif
