/* api_who: who asks, what they may, and how they are answered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/json.h"
#include "server/app/api_impl.h"
#include "server/net/http.h"
#include "server/roster/role.h"

/* ---- who asks */

/* A role that is not in the table may nothing. */
static bool
api_role_may(const char *word, enum right right)
{
	const struct role *r = role_find(word);

	if (r == NULL || r->token == ROLE_NO_TOKEN)
		return false;
	return right == RIGHT_ANY || r->token == ROLE_RECORDS;
}

struct token {
	bool known;
	char role[32];
	char person[ROSTER_NAME_MAX + 1]; /* whose it is; "" of nobody's */
};

static enum status
take_token(void *arg, const struct store_doc *d)
{
	struct token *t = arg;
	struct json j;
	enum status st;

	json_init(&j);
	st = json_parse(&j, d->doc, JSON_DOCUMENT);
	t->known = st == ST_OK &&
		   json_member_text(&j, 0, "role", t->role, sizeof(t->role));
	if (!t->known ||
	    !json_member_text(&j, 0, "person", t->person, sizeof(t->person)))
		t->person[0] = '\0';
	json_free(&j);
	return st == ST_INVALID ? ST_CORRUPT : st;
}

/* Whose token it is, with the first digits of its hash; false: the request was
 * answered. */
static bool
ask_token(struct worker *w, struct request *rq, struct token *t, char hex[9])
{
	static const char prefix[] = "Bearer "; /* any case: RFC 9110, 11.1 */
	struct bytes auth = request_field(rq, "authorization");
	uint8_t hash[HASH_LEN];
	enum status st = ST_ABSENT;

	if (auth.len >= sizeof(prefix) - 1 && auth.len < 512 &&
	    strncasecmp((const char *)auth.p, prefix, sizeof(prefix) - 1) ==
		0) {
		sha256(hash, bytes_of(auth.p + sizeof(prefix) - 1,
				 auth.len - (sizeof(prefix) - 1)));
		hex_encode(hex, bytes_of(hash, 4));
		st = store_doc(centre_reader_store(w->reader), "token",
		    bytes_of(hash, HASH_LEN), take_token, t);
	}
	if (st != ST_OK && st != ST_ABSENT) {
		app_fail(w, rq, st);
		return false;
	}
	if (!t->known)
		request_error(rq, 401, "unauthorized",
		    "a bearer token is needed", "须持令牌访问", 0);
	return t->known;
}

/* True if the bearer may; else the request was answered. */
bool
api_may_who(struct worker *w, struct request *rq, enum right right,
    char who[API_WHO_MAX])
{
	struct token t = { .known = false };
	char hex[9];

	if (!ask_token(w, rq, &t, hex))
		return false;
	if (!api_role_may(t.role, right)) {
		request_error(rq, 403, "forbidden",
		    "this role reads no records", "此角色不得查看记录内容", 0);
		return false;
	}
	if (t.person[0] != '\0')
		(void)snprintf(who, API_WHO_MAX, "%s", t.person);
	else
		(void)snprintf(who, API_WHO_MAX, "%s#%s", t.role, hex);
	return true;
}

bool
api_may(struct worker *w, struct request *rq, enum right right)
{
	char who[API_WHO_MAX];

	return api_may_who(w, rq, right, who);
}

bool
api_person(
    struct worker *w, struct request *rq, char person[ROSTER_NAME_MAX + 1])
{
	struct token t = { .known = false };
	char hex[9];

	if (!ask_token(w, rq, &t, hex))
		return false;
	if (t.person[0] == '\0' || strcmp(t.role, "supervisor") != 0) {
		request_error(rq, 403, "forbidden",
		    "this needs a supervisor's own token: token --role "
		    "supervisor --person ID",
		    "须持督察员本人的令牌", 0);
		return false;
	}
	memcpy(person, t.person, sizeof(t.person));
	return true;
}

void
api_send_json(struct worker *w, struct request *rq, enum status st)
{
	struct reply re = {
		.status = 200, .type = "application/json", .take = &w->body
	};

	/* Records, people, devices: not for a disk between here and there. */
	re.field[re.field_count++] =
	    (struct reply_field){ "Cache-Control", "no-store" };
	if (st == ST_OK)
		st = w->body.err;
	if (st != ST_OK)
		app_fail(w, rq, st);
	else
		request_reply(rq, &re);
}

bool
api_may_look(struct worker *w, struct request *rq)
{
	return api_may(w, rq, RIGHT_ANY);
}

/* ---- parameters */

static void
is_bad(struct api_query *q, const char *name)
{
	if (q->bad == NULL)
		q->bad = name;
}

/* Note that the list knows this parameter. */
static void
ask(struct api_query *q, const char *name)
{
	for (size_t i = 0; i < q->asked_count; i++) {
		if (strcmp(q->asked[i], name) == 0)
			return;
	}
	if (q->asked_count < API_PARAMETERS_MAX)
		q->asked[q->asked_count++] = name;
}

/* What stands in the query that was not asked for, or a second time: its name
 * in `out`; false: nothing does. */
static bool
find_stray(const struct api_query *q, struct buf *out)
{
	struct bytes rest = q->rq->query;
	bool seen[API_PARAMETERS_MAX] = { false };
	bool stray = false;

	while (rest.len > 0 && !stray) {
		const uint8_t *amp = memchr(rest.p, '&', rest.len), *eq;
		struct bytes name = rest;
		size_t i = 0;

		if (amp != NULL)
			name.len = (size_t)(amp - rest.p);
		rest.p += name.len + (amp != NULL);
		rest.len -= name.len + (amp != NULL);
		eq = name.len == 0 ? NULL : memchr(name.p, '=', name.len);
		if (eq != NULL)
			name.len = (size_t)(eq - name.p);
		if (name.len == 0 && eq == NULL)
			continue;
		buf_reset(out);
		if (http_percent_decode(out, name, true) != ST_OK)
			return true;
		while (i < q->asked_count &&
		       !bytes_eq_str(buf_view(out), q->asked[i]))
			i++;
		stray = i == q->asked_count || seen[i];
		if (!stray)
			seen[i] = true;
	}
	return stray;
}

const char *
api_text(struct api_query *q, const char *name, char out[API_TEXT_MAX + 1])
{
	struct buf b;
	enum status st;

	out[0] = '\0';
	ask(q, name);
	buf_init(&b, API_TEXT_MAX);
	st = request_query(q->rq, &b, name);
	if (st == ST_OK && buf_cstr(&b) != NULL && json_text_ok(buf_view(&b)))
		memcpy(out, b.p, b.len + 1);
	else if (st != ST_ABSENT)
		is_bad(q, name);
	buf_free(&b);
	return out;
}

static bool
given(const struct api_query *q, const char *name)
{
	struct buf b;
	enum status st;

	buf_init(&b, API_TEXT_MAX);
	st = request_query(q->rq, &b, name);
	buf_free(&b);
	return st != ST_ABSENT;
}

uint64_t
api_number(struct api_query *q, const char *name)
{
	char text[API_TEXT_MAX + 1];
	unsigned long long v;
	char *end;

	(void)api_text(q, name, text);
	if (text[0] == '\0')
		return 0;
	v = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v > INT64_MAX) {
		is_bad(q, name);
		return 0;
	}
	return v;
}

uint64_t
api_limit(struct api_query *q)
{
	char text[API_TEXT_MAX + 1];
	uint64_t v = api_number(q, "limit");

	if (v > API_LIMIT_MAX ||
	    (v == 0 && api_text(q, "limit", text)[0] != '\0'))
		is_bad(q, "limit");
	return v;
}

uint64_t
api_time(struct api_query *q, const char *name)
{
	char text[API_TEXT_MAX + 1];
	int64_t ms = 0;
	int offset;

	(void)api_text(q, name, text);
	if (text[0] == '\0')
		return 0;
	if (at_parse(&ms, &offset, bytes_str(text)) == ST_OK && ms >= 0)
		return (uint64_t)ms;
	is_bad(q, name);
	return 0;
}

bool
api_flag(struct api_query *q, const char *name)
{
	char text[API_TEXT_MAX + 1];

	(void)api_text(q, name, text);
	/* One that stands there without a value asks for what cannot be known.
	 */
	if (strcmp(text, "1") != 0 && strcmp(text, "0") != 0 && given(q, name))
		is_bad(q, name);
	return strcmp(text, "1") == 0;
}

void
api_one_of(struct api_query *q, const char *name, const char *value,
    const char *const *words)
{
	bool known = value[0] == '\0';

	for (size_t i = 0; words[i] != NULL; i++)
		known = known || strcmp(words[i], value) == 0;
	if (!known)
		is_bad(q, name);
}

bool
api_query_ok(struct api_query *q)
{
	char en[160];
	struct buf stray;
	bool known;

	buf_init(&stray, HTTP_TARGET_BYTES_MAX);
	known = !find_stray(q, &stray);
	if (q->bad != NULL)
		(void)snprintf(en, sizeof(en),
		    "the parameter %s has a value that cannot be read", q->bad);
	else if (stray.len < 40 && json_text_ok(buf_view(&stray)) &&
		 buf_cstr(&stray) != NULL)
		(void)snprintf(en, sizeof(en),
		    "there is no such parameter here, or it is there twice: %s",
		    (const char *)stray.p);
	else
		(void)snprintf(en, sizeof(en), "no such parameter here");
	buf_free(&stray);
	if (q->bad == NULL && known)
		return true;
	request_error(q->rq, 400, "bad_parameter", en,
	    q->bad != NULL ? "参数有误" : "没有此参数，或重复", 0);
	return false;
}

void
api_put_text(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	json_put_str(b, value);
}
