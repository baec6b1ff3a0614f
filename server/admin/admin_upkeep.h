#ifndef SERVER_ADMIN_ADMIN_UPKEEP_H
#define SERVER_ADMIN_ADMIN_UPKEEP_H
/* admin_upkeep: commands of upkeep that stand in files of their own. */
#include "server/admin/admin.h"
#include "server/evidence/evidence.h"

int admin_recover(struct admin *a); /* admin_recover.c */
int admin_held(struct admin *a);    /* admin_holds.c, as both below */
int admin_admit(struct admin *a);
int admin_hold(struct admin *a);

/* A line for each file of a second copy that the log has purged
 * (admin_evidence.c). */
MUST_CHECK enum status admin_put_left(
    struct admin *a, struct evidence *ev, const char *copy);

int admin_run_returned(struct admin *a); /* admin_returned.c */
#endif
