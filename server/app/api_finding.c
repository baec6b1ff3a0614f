/* api_finding: what a supervisor says of a finding (docs/FINDINGS.md). */
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/app/api_impl.h"
#include "server/upkeep/finding_word.h"

enum { TEXT_MAX = 2400, KEY_MAX = 620 };

/* The request's members; all are texts. */
struct wish {
	char finding[KEY_MAX], what[16], to[ROSTER_NAME_MAX + 1];
	char text[TEXT_MAX];
};

static enum status
read_wish(struct bytes body, struct wish *x)
{
	struct json j;
	enum status st;

	json_init(&j);
	st = json_parse(&j, body, JSON_DOCUMENT);
	if (st == ST_OK &&
	    (!json_member_text(
		 &j, 0, "finding", x->finding, sizeof(x->finding)) ||
		!json_member_text(&j, 0, "do", x->what, sizeof(x->what)) ||
		!json_member_text(&j, 0, "text", x->text, sizeof(x->text))))
		st = ST_INVALID;
	if (st != ST_OK || !json_member_text(&j, 0, "to", x->to, sizeof(x->to)))
		x->to[0] = '\0';
	json_free(&j);
	return st;
}

static void
refuse(struct worker *w, struct request *rq, enum status st,
    const struct words *why)
{
	if (why->en[0] == '\0')
		app_fail(w, rq, st);
	else if (st == ST_DENIED)
		request_error(rq, 403, "forbidden", why->en, why->zh, 0);
	else if (st == ST_ABSENT)
		request_error(rq, 404, "not_found", why->en, why->zh, 0);
	else
		request_error(rq, 400, "bad_request", why->en, why->zh, 0);
}

void
api_finding(struct worker *w, struct request *rq)
{
	char person[ROSTER_NAME_MAX + 1], rec[REC_LEN + 1] = "";
	struct finding_word word = { .by = person, .rec = rec };
	struct wish x;
	struct words why;
	uint8_t id[ID_LEN];
	enum status st;

	if (!api_person(w, rq, person))
		return;
	if (read_wish(rq->body, &x) != ST_OK) {
		request_error(rq, 400, "bad_request",
		    "the body is {finding, do, text[, to]}", "请求内容有误", 0);
		return;
	}
	if (rq->param[0].len == REC_LEN)
		memcpy(rec, rq->param[0].p, REC_LEN);
	word.key = x.finding;
	word.what = x.what;
	word.text = x.text;
	word.to = x.to[0] == '\0' ? NULL : x.to;
	words_clear(&why);
	st = finding_say(
	    w->app->centre, w->app->roster, w->fold, &word, id, &why);
	if (st != ST_OK) {
		refuse(w, rq, st, &why);
		return;
	}
	buf_reset(&w->body);
	buf_str(&w->body, "{\"id\":");
	json_put_hex(&w->body, bytes_of(id, ID_LEN));
	buf_u8(&w->body, '}');
	api_send_json(w, rq, ST_OK);
}
