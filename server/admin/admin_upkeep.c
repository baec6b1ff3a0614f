/* admin_upkeep: what keeps a court's folder sound. */
#include <stddef.h>

#include "server/admin/admin.h"

const struct admin_command admin_upkeep_commands[] = {
	{ NULL, false, NULL, NULL, NULL, NULL },
};
