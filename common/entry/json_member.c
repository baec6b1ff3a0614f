#include <string.h>

#include "entry/json.h"

bool
json_member_text(
    const struct json *j, uint32_t n, const char *name, char *out, size_t cap)
{
	uint32_t v = json_get_typed(j, n, name, JSON_STRING);
	struct buf b;
	bool ok;

	out[0] = '\0';
	if (v == 0 || cap < 2)
		return false;
	buf_init(&b, cap - 1);
	json_text(j, v, &b);
	ok = b.err == ST_OK;
	if (ok && b.len > 0)
		memcpy(out, b.p, b.len);
	out[ok ? b.len : 0] = '\0';
	buf_wipe(&b);
	return ok;
}
