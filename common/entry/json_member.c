#include "entry/json.h"

#include <string.h>

#include "entry/json_scan.h"

/* Without memory of its own: a reader must be able to tell an absent member
 * from a shortage. */
bool
json_member_text(
    const struct json *j, uint32_t n, const char *name, char *out, size_t cap)
{
	uint32_t v = json_get_typed(j, n, name, JSON_STRING);
	const uint8_t *p, *end;
	struct bytes raw;
	size_t len = 0;

	out[0] = '\0';
	if (v == 0 || cap < 2)
		return false;
	raw = json_raw(j, v);
	p = raw.p;
	end = p + raw.len;
	while (p < end) {
		uint8_t ch[4];
		size_t count = 1;

		if (*p == '\\')
			count = json_next_char(ch, &p, end);
		else
			ch[0] = *p++;
		if (count > cap - 1 - len) {
			out[0] = '\0';
			return false;
		}
		memcpy(out + len, ch, count);
		len += count;
	}
	out[len] = '\0';
	return true;
}
