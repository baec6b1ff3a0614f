/*
 * agent_lost: bytes that are gone before the centre had them, or that it never
 * got right, are said in the record (docs/EVIDENCE.md, "Lost"), once for each
 * entry of ours that names them.
 *
 * A loss is often found behind a locked screen, or while files are sent; it is
 * written when an officer is there to write.  What was said stands in the
 * record itself, so nothing has to be remembered beside it.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/core/blobs.h"
#include "base/enc.h"

enum { NAMED_MAX = 64 }; /* entries of ours that name one lost file */

static const char lost[] = "[\"附件内容在本机已损坏或被删，尚未送达中心\"]";
static const char other[] = "[\"中心多次收到的附件内容与哈希值不符\"]";

struct naming {
	const uint8_t *digest;
	size_t count;
	struct {
		uint8_t id[ID_LEN];
		char rec[REC_LEN + 1];
	} at[NAMED_MAX];
};

static enum status
take_naming(void *arg, const struct view_attach *at)
{
	struct naming *n = arg;

	if ((at->flags & VIEW_OWN) == 0 || (at->flags & VIEW_BARE) != 0 ||
	    !at->has_digest || n->count == NAMED_MAX ||
	    memcmp(at->digest, n->digest, HASH_LEN) != 0)
		return ST_OK;
	memcpy(n->at[n->count].id, at->id, ID_LEN);
	memcpy(n->at[n->count++].rec, at->rec, REC_LEN + 1);
	return ST_OK;
}

/* Said of this entry already? */
struct said {
	const char *path;
	bool yes;
};

static enum status
take_note(void *arg, const struct entry *e)
{
	struct said *s = arg;

	if (bytes_eq_str(e->on[0], s->path) && e->more != 0 &&
	    json_get(&e->body, e->more, "lost") != 0)
		s->yes = true;
	return ST_OK;
}

static enum status
say(struct agent *a, const char *rec, const char *path, const char *digest,
    const char *text)
{
	struct bytes on = bytes_str(path);
	struct agent_act act = { .verb = DO_NOTE,
		.on = &on,
		.on_count = 1,
		.data = bytes_str(text) };
	struct agent_edit *edit = malloc(sizeof(*edit));
	uint8_t id[ID_LEN];
	struct buf more;
	enum status st = edit == NULL ? ST_NOMEM : ST_OK;

	buf_init(&more, 256);
	buf_printf(&more, "{\"lost\":\"%s\"}", digest);
	act.more = buf_view(&more);
	if (st == ST_OK)
		st = more.err;
	if (st == ST_OK)
		st = agent_edit_begin(a, rec, edit);
	if (st == ST_OK)
		st = agent_append(a, edit, &act, id);
	buf_free(&more);
	free(edit);
	return st;
}

static enum status
say_one(struct agent *a, const uint8_t digest[HASH_LEN], enum log_blob_state is)
{
	struct naming *n = calloc(1, sizeof(*n));
	char path[2 + 2 * ID_LEN], hex[2 * HASH_LEN + 1];
	enum status st;

	if (n == NULL)
		return ST_NOMEM;
	n->digest = digest;
	hex_encode(hex, bytes_of(digest, HASH_LEN));
	st = view_attachments(a->view, NULL, take_naming, n);
	for (size_t i = 0; st == ST_OK && i < n->count; i++) {
		struct said s = { .path = path };

		path[0] = '@';
		hex_encode(path + 1, bytes_of(n->at[i].id, ID_LEN));
		st = view_notes(a->view, n->at[i].rec, take_note, &s);
		if (st == ST_OK && !s.yes)
			st = say(a, n->at[i].rec, path, hex,
			    is == BLOB_LOST ? lost : other);
	}
	free(n);
	return st;
}

void
blobs_say_lost(struct agent *a)
{
	struct blobs *b = a->blobs;
	enum status st = ST_OK;

	if (b == NULL || a->view == NULL || !a->court.joined ||
	    lock_state(a->lock) != LOCK_OPEN)
		return;
	for (size_t i = 0; st == ST_OK && i < b->count; i++) {
		enum log_blob_state is = b->at[i].row.state;
		uint8_t digest[HASH_LEN];

		if (is != BLOB_LOST && is != BLOB_MISMATCHED)
			continue;
		memcpy(digest, b->at[i].row.digest, HASH_LEN);
		st = say_one(a, digest, is);
	}
	/* A full disk, or a record that takes no more: the next time.  What
	 * stopped is what the officer asked for, never this. */
}
