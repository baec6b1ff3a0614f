#include "support/entries.h"

#include <string.h>

#include "base/sha.h"
#include "support/expect.h"

static void
put(struct draft_member *m, size_t *count, const char *name, const char *value)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(m[i].name, name) != 0)
			continue;
		if (value != NULL) {
			m[i].value = value;
			return;
		}
		memmove(m + i, m + i + 1, (*count - i - 1) * sizeof(*m));
		--*count;
		return;
	}
	if (value == NULL)
		return;
	EXPECT(*count < DRAFT_MEMBERS_MAX);
	m[(*count)++] = (struct draft_member){ name, value };
}

void
draft_head(struct draft *d, const char *name, const char *value)
{
	put(d->head, &d->head_count, name, value);
}

void
draft_body(struct draft *d, const char *name, const char *value)
{
	put(d->body, &d->body_count, name, value);
}

void
draft_head_again(struct draft *d, const char *name, const char *value)
{
	EXPECT(d->head_count < DRAFT_MEMBERS_MAX);
	d->head[d->head_count++] = (struct draft_member){ name, value };
}

void
draft_verb(struct draft *d, const char *verb, const char *on, const char *data)
{
	draft_head(d, "do", verb);
	draft_head(d, "on", on);
	draft_body(d, "data", data);
}

void
draft_init(struct draft *d)
{
	static const struct draft_member head[] = {
		{ "v", "1" },
		{ "court", "\"xz0302\"" },
		{ "chain", "\"" DRAFT_ID "\"" },
		{ "seq", "2" },
		{ "rec", "\"" DRAFT_REC "\"" },
		{ "kind", "\"search@2\"" },
		{ "do", "\"set\"" },
		{ "on", "[\"warrant/no\"]" },
		{ "by", "\"officer\"" },
		{ "at", "\"2025-04-01T05:00:01+08:00\"" },
		{ "wall", "1743454801000" },
		{ "mono", "12" },
		{ "boot", "\"" DRAFT_ID "\"" },
		{ "after", "[\"" DRAFT_ID "\"]" },
	};

	memset(d, 0, sizeof(*d));
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		draft_head(d, head[i].name, head[i].value);
	draft_body(d, "salt", "\"" DRAFT_ID "\"");
	draft_body(d, "data", "[\"12\"]");
}

static void
put_members(struct buf *b, const struct draft_member *m, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_printf(b, "%s\"%s\":", i > 0 ? "," : "", m[i].name);
		buf_str(b, m[i].value);
	}
}

void
draft_write(const struct draft *d, struct buf *out)
{
	struct buf body;
	uint8_t hash[HASH_LEN];
	bool has_body = false;

	buf_init(&body, 4 * ENTRY_BYTES_MAX);
	buf_str(&body, "{");
	put_members(&body, d->body, d->body_count);
	buf_str(&body, "}");
	sha256(hash, buf_view(&body));
	buf_reset(out);
	buf_str(out, "{");
	put_members(out, d->head, d->head_count);
	for (size_t i = 0; i < d->head_count; i++)
		has_body = has_body || strcmp(d->head[i].name, "body") == 0;
	if (!has_body) {
		buf_str(out, ",\"body\":");
		json_put_hex(out, bytes_of(hash, HASH_LEN));
	}
	buf_str(out, "}\n");
	buf_bytes(out, buf_view(&body));
	EXPECT_OK(body.err);
	EXPECT_OK(out->err);
	buf_free(&body);
}

void
trial_init(struct trial *t)
{
	entry_init(&t->e);
	buf_init(&t->b, 4 * ENTRY_BYTES_MAX);
	draft_init(&t->d);
}

void
trial_free(struct trial *t)
{
	entry_free(&t->e);
	buf_free(&t->b);
}

void
trial_whole(struct trial *t, const char *what)
{
	enum status st;

	draft_write(&t->d, &t->b);
	st = entry_parse(&t->e, buf_view(&t->b));
	if (st != ST_OK)
		fail_msg("%s: %s: %s", what, status_text(st), t->e.why);
	if (t->e.body_is != ENTRY_BODY_WHOLE)
		fail_msg("%s: %s", what, t->e.body_why);
	EXPECT(t->e.why == NULL && t->e.body_why == NULL);
}

void
trial_blind(struct trial *t, const char *what, const char *why)
{
	enum status st;

	draft_write(&t->d, &t->b);
	st = entry_parse(&t->e, buf_view(&t->b));
	if (st != ST_OK)
		fail_msg("%s: %s: %s", what, status_text(st), t->e.why);
	if (t->e.body_is != ENTRY_BODY_BLIND || strcmp(t->e.body_why, why) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", what,
		    t->e.body_why == NULL ? "whole" : t->e.body_why, why);
	EXPECT(t->e.data == 0 && t->e.reason == 0 && t->e.more == 0);
	EXPECT(t->e.causal && t->e.verb != DO_NONE);
}

void
trial_malformed(struct trial *t, const char *what, const char *why)
{
	enum status st;

	draft_write(&t->d, &t->b);
	st = entry_parse(&t->e, buf_view(&t->b));
	if (st != ST_INVALID)
		fail_msg("%s: %s, not \"%s\"", what, status_text(st), why);
	if (strcmp(t->e.why, why) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", what, t->e.why, why);
	EXPECT(
	    t->e.verb == DO_NONE && t->e.on_count == 0 && t->e.dev[0] == '\0');
	EXPECT(t->e.court.len == 0 && t->e.kind.len == 0 && t->e.by.len == 0);
	EXPECT(t->e.body_is == ENTRY_BODY_BLIND && t->e.data == 0);
	/* It is the head alone that decides. */
	st = entry_parse(&t->e, t->e.head_line);
	EXPECT(st == ST_INVALID && strcmp(t->e.why, why) == 0);
}
