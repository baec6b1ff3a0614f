#ifndef SERVER_ADMIN_ADMIN_UPKEEP_H
#define SERVER_ADMIN_ADMIN_UPKEEP_H
/* admin_upkeep: commands of upkeep that stand in files of their own. */
#include "server/admin/admin.h"

int admin_recover(struct admin *a); /* admin_recover.c */
int admin_held(struct admin *a);    /* admin_holds.c, as both below */
int admin_admit(struct admin *a);
int admin_hold(struct admin *a);

int admin_run_returned(struct admin *a); /* admin_returned.c */
#endif
