/* custody_json: a step in a file's life, for programs. */
#include <inttypes.h>

#include "base/enc.h"
#include "entry/entry.h"
#include "entry/json.h"
#include "server/evidence/custody.h"

void
custody_json(struct buf *out, const struct custody_step *s, int utc_offset_min)
{
	char at[32], id[2 * ID_LEN + 1];

	hex_encode(id, bytes_of(s->id, ID_LEN));
	at_format(at, s->wall, utc_offset_min);
	buf_printf(out, "{\"at\":\"%s\",\"by\":", at);
	json_put_str(out, s->by);
	buf_printf(out, ",\"dev\":\"%s\",\"id\":\"%s\",\"more\":", s->dev, id);
	if (s->more.len > 0)
		buf_bytes(out, s->more);
	else
		buf_str(out, "null");
	buf_str(out, ",\"on\":");
	json_put_string(out, s->on);
	buf_printf(out, ",\"place\":%" PRIu64 ",\"reason\":", s->place);
	json_put_string(out, s->reason);
	buf_printf(out, ",\"rec\":\"%s\",\"what\":\"%s\",\"zh\":", s->rec,
	    custody_word(s->what));
	json_put_str(out, custody_word_zh(s->what));
	buf_u8(out, '}');
}
