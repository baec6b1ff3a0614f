/* api: the read API and the metrics, on the console listener. */
#include <string.h>

#include "server/app/app_impl.h"

void
api_routes(struct app *a)
{
	(void)a;
}
