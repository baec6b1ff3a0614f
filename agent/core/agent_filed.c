/* agent_filed: entries that name bytes which are here already: an unfiled
 * attachment filed later, the picture of a signature. */
#include <stdlib.h>
#include <string.h>

#include "agent/core/blobs.h"
#include "agent/core/evidence.h"
#include "base/enc.h"
#include "base/sha.h"

enum status
blobs_entry(struct agent *a, struct agent_edit *edit, const char *on,
    const uint8_t digest[HASH_LEN], struct bytes more, uint8_t id[ID_LEN])
{
	struct bytes path = bytes_str(on == NULL ? "" : on);
	struct agent_act act = {
		.verb = DO_ATTACH, .on = &path, .on_count = 1, .more = more
	};
	struct buf data;
	enum status st;

	buf_init(&data, 128);
	buf_u8(&data, '[');
	json_put_hex(&data, bytes_of(digest, HASH_LEN));
	buf_u8(&data, ']');
	act.data = buf_view(&data);
	st = data.err != ST_OK ? data.err : agent_append(a, edit, &act, id);
	buf_free(&data);
	return st;
}

struct filing {
	struct buf more;
	const char *from;
	bool found;
	uint8_t digest[HASH_LEN];
};

/* What was said of it then, but for where it stood. */
static enum status
take_filed(void *arg, const struct view_attach *at)
{
	struct filing *f = arg;
	const struct json *j = &at->e->body;
	uint32_t more = at->has_digest ? at->e->more : 0;

	if (!at->has_digest)
		return ST_OK;
	f->found = true;
	memcpy(f->digest, at->digest, HASH_LEN);
	buf_printf(&f->more, "{\"from\":\"%s\"", f->from);
	for (uint32_t n = more == 0 ? 0 : json_first(j, more);
	     n != 0 && n != json_end(j, more); n = j->node[n + 1].next) {
		if (json_is(j, n, "from"))
			continue;
		buf_str(&f->more, ",\"");
		buf_bytes(&f->more, json_raw(j, n));
		buf_str(&f->more, "\":");
		if (j->node[n + 1].type == JSON_STRING)
			buf_u8(&f->more, '"');
		buf_bytes(&f->more, json_raw(j, n + 1));
		if (j->node[n + 1].type == JSON_STRING)
			buf_u8(&f->more, '"');
	}
	buf_u8(&f->more, '}');
	return f->more.err;
}

enum status
agent_attach_file(struct agent *a, const char *rec, const char *entry,
    const char *on, uint8_t id[ID_LEN])
{
	struct filing f = { .from = entry };
	struct agent_edit *edit = malloc(sizeof(*edit));
	uint8_t from[ID_LEN];
	enum status st = edit == NULL ? ST_NOMEM : agent_ready(a);

	buf_init(&f.more, ENTRY_BYTES_MAX);
	if (st == ST_OK && hex_decode(from, ID_LEN, bytes_str(entry)) != ST_OK)
		st = agent_why(a, ST_INVALID, "附件编号为 32 位十六进制",
		    "an attachment's id has 32 hex digits");
	if (st == ST_OK)
		st = agent_edit_begin(a, rec, edit);
	if (st == ST_OK) {
		st = view_attachment(a->view, from, take_filed, &f);
		if (st == ST_ABSENT || (st == ST_OK && !f.found))
			st = agent_why(a, ST_ABSENT, "本机没有这个附件",
			    "no such attachment on this device");
	}
	if (st == ST_OK)
		st = blobs_entry(a, edit, on, f.digest, buf_view(&f.more), id);
	buf_free(&f.more);
	free(edit);
	return st;
}

/* ---- pictures of signatures */

enum { PICTURE_MAX = 1 << 20 };

enum status
agent_attach_picture(struct agent *a, const char *rec, const char *path,
    uint8_t digest[HASH_LEN])
{
	static const uint8_t png[8] = { 0x89, 'P', 'N', 'G', 13, 10, 26, 10 };
	struct agent_about about = { .name = path };
	struct agent_attach *t = NULL;
	uint8_t id[ID_LEN];
	struct buf b;
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	buf_init(&b, PICTURE_MAX);
	st = port_read_file(a->port, path, &b);
	if (st == ST_ABSENT || st == ST_IO)
		st = agent_why(
		    a, st, "无法读取签名图片", "the picture cannot be read");
	else if (st == ST_LIMIT ||
		 (st == ST_OK && (b.len < sizeof(png) ||
				     memcmp(b.p, png, sizeof(png)) != 0)))
		st = agent_why(a, ST_INVALID, "签名图片须为 1 MiB 以内的 PNG",
		    "the picture of a signature is a PNG of at most 1 MiB");
	if (st == ST_OK)
		st = agent_attach_begin(a, rec, &t);
	if (st == ST_OK) {
		sha256(digest, buf_view(&b));
		st = agent_attach_write(t, buf_view(&b));
		if (st == ST_OK)
			st = agent_attach_end(t, &about, id);
		else
			agent_attach_abort(t);
	}
	buf_wipe(&b);
	return st;
}

/* What the signature names, for paper. */
enum status
agent_picture(void *arg, const uint8_t sha[HASH_LEN], struct buf *png)
{
	struct agent *a = arg;
	const struct blob *b = blobs_find(a, sha);
	enum status st;

	if (b == NULL || b->row.size > PICTURE_MAX ||
	    strcmp(b->row.type, "image/png") != 0)
		return ST_ABSENT;
	st = agent_evidence_read(a, sha, png);
	return st == ST_NOMEM ? st : st == ST_OK ? ST_OK : ST_ABSENT;
}
