/* api_custody: a file's life, as the log tells it (docs/openapi.yaml). */
#include "base/enc.h"
#include "server/app/api_impl.h"
#include "server/evidence/custody.h"

struct steps {
	struct buf *out;
	int utc_offset_min;
	size_t count;
};

static enum status
put_step(void *arg, const struct custody_step *s)
{
	struct steps *k = arg;

	if (k->count++ > 0)
		buf_u8(k->out, ',');
	custody_json(k->out, s, k->utc_offset_min);
	return k->out->err;
}

void
api_custody(struct worker *w, struct request *rq)
{
	struct steps k = { .out = &w->body,
		.utc_offset_min = (int)w->app->cfg.options.utc_offset_min };
	struct evidence_status s;
	uint8_t digest[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	enum status st = ST_ABSENT;

	if (!api_may(w, rq, RIGHT_RECORDS))
		return;
	if (!evidence_is_whole(w->app->evidence)) {
		api_catching_up(rq);
		return;
	}
	buf_reset(&w->body);
	if (hex_decode(digest, HASH_LEN, rq->param[0]) == ST_OK)
		st = evidence_status(w->app->evidence, digest, &s);
	if (st == ST_OK) {
		hex_encode(hex, bytes_of(digest, HASH_LEN));
		buf_printf(&w->body,
		    "{\"sha256\":\"%s\",\"state\":\"%s\",\"steps\":[", hex,
		    evidence_state_word(s.state));
		st = custody_each(
		    w->app->evidence, w->reader, digest, put_step, &k);
		buf_str(&w->body, "]}");
	}
	if (st == ST_OK && k.count == 0)
		st = ST_ABSENT; /* the log says nothing of it */
	api_send_json(w, rq, st);
}
