/* admin_media: files that go along with an exported record. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/enc.h"
#include "entry/entry.h"
#include "server/admin/admin.h"
#include "server/evidence/custody.h"
#include "verify/bundle.h"

struct going {
	struct admin *a;
	struct evidence *ev;
	struct admin_media *out;
	struct buf digests; /* HASH_LEN each, each once */
};

/* What a bundle shows, and no more: a withheld body names nothing. */
static enum status
add_digest(struct going *g, struct entry *e, struct bytes raw)
{
	uint8_t digest[HASH_LEN];
	enum status st = entry_parse(e, raw);

	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK || e->verb != DO_ATTACH ||
	    e->body_is != ENTRY_BODY_WHOLE || e->on_count != 1 ||
	    json_hex(&e->body, entry_value(e, 0), digest, HASH_LEN) != ST_OK)
		return ST_OK;
	for (size_t at = 0; at < g->digests.len; at += HASH_LEN)
		if (memcmp(g->digests.p + at, digest, HASH_LEN) == 0)
			return ST_OK;
	buf_add(&g->digests, digest, HASH_LEN);
	return g->digests.err;
}

static enum status
find_digests(struct going *g, struct bytes file)
{
	struct bundle b;
	struct entry e;
	enum status st;

	bundle_init(&b);
	entry_init(&e);
	st = bundle_read(&b, file);
	for (size_t i = 0; st == ST_OK && i < b.step_count; i++)
		if (b.step[i].entry.len > 0)
			st = add_digest(g, &e, b.step[i].entry);
	entry_free(&e);
	bundle_free(&b);
	return st;
}

static enum status
copy_one(struct going *g, const uint8_t *digest)
{
	char hex[2 * HASH_LEN + 1], to[4096];
	struct custody_copying how = {
		.to = to, .who = g->a->by, .reason = g->a->reason
	};
	uint64_t bytes = 0;
	enum status st;

	hex_encode(hex, bytes_of(digest, HASH_LEN));
	(void)snprintf(to, sizeof(to), "%s/%s", g->a->media, hex);
	st = custody_copy(g->ev, digest, &how, &bytes);
	g->out->bytes += bytes;
	switch (st) {
	case ST_OK:
		g->out->copied++;
		return ST_OK;
	case ST_CONFLICT:
		g->out->there++;
		return ST_OK;
	case ST_ABSENT:
		g->out->absent++;
		return ST_OK;
	case ST_CORRUPT:
		g->out->damaged++;
		return ST_OK;
	default:
		return st;
	}
}

enum status
admin_media_copy(struct admin *a, struct bytes bundle, struct admin_media *out)
{
	struct evidence_config ec = { .dir = a->dir,
		.centre = a->centre,
		.port = port_system(),
		.memory = true };
	struct going g = { .a = a, .out = out };
	char why[EVIDENCE_ERRMSG_LEN];
	uint64_t done;
	enum status st;

	memset(out, 0, sizeof(*out));
	if (strlen(a->media) + 2 * HASH_LEN + 2 > 4096)
		return ST_LIMIT;
	buf_init(&g.digests, (size_t)BUNDLE_STEPS_MAX * HASH_LEN);
	st = find_digests(&g, bundle);
	if (st == ST_OK && mkdir(a->media, S_IRWXU) != 0 && errno != EEXIST)
		st = errno == ENOENT ? ST_ABSENT : ST_IO;
	if (st == ST_OK)
		st = evidence_open(&g.ev, &ec, why);
	if (st == ST_OK)
		st = evidence_follow(g.ev, 0, &done);
	for (size_t at = 0; st == ST_OK && at < g.digests.len; at += HASH_LEN)
		st = copy_one(&g, g.digests.p + at);
	evidence_close(g.ev);
	buf_free(&g.digests);
	return st == ST_OK && out->damaged > 0 ? ST_CORRUPT : st;
}
