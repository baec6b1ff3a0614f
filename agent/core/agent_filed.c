/* agent_filed: entries that name bytes which are here already: an unfiled
 * attachment filed later, the picture of a signature. */
#include <stdlib.h>
#include <string.h>

#include "agent/core/blobs.h"
#include "agent/core/evidence.h"
#include "base/enc.h"
#include "base/sha.h"
#include "domain/state.h"

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
	struct buf more, data;
	const char *from; /* 32 hex */
	enum verb verb;
	uint8_t digest[HASH_LEN];
	bool found, filed; /* filed: in this record already */
};

/* A member's text as it stood there. */
static void
put_raw(struct buf *out, const struct json *j, uint32_t n)
{
	bool text = j->node[n].type == JSON_STRING;

	buf_str(out, text ? "\"" : "");
	buf_bytes(out, json_raw(j, n));
	buf_str(out, text ? "\"" : "");
}

/* What was said of it then, but for where it stood. */
static enum status
take_entry(struct filing *f, const struct entry *e)
{
	const struct json *j = &e->body;

	if (e->body_is != ENTRY_BODY_WHOLE || e->on_count != 1 ||
	    (e->verb != DO_ATTACH && e->verb != DO_NOTE))
		return ST_OK;
	if (e->verb == DO_ATTACH &&
	    json_hex(j, entry_value(e, 0), f->digest, HASH_LEN) != ST_OK)
		return ST_OK;
	f->found = true;
	f->verb = e->verb;
	buf_u8(&f->data, '[');
	put_raw(&f->data, j, entry_value(e, 0));
	buf_u8(&f->data, ']');
	buf_printf(&f->more, "{\"from\":\"%s\"", f->from);
	for (uint32_t n = e->more == 0 ? 0 : json_first(j, e->more);
	     n != 0 && n != json_end(j, e->more); n = j->node[n + 1].next) {
		if (json_is(j, n, "from"))
			continue;
		buf_str(&f->more, ",\"");
		buf_bytes(&f->more, json_raw(j, n));
		buf_str(&f->more, "\":");
		put_raw(&f->more, j, n + 1);
	}
	buf_u8(&f->more, '}');
	return f->data.err != ST_OK ? f->data.err : f->more.err;
}

/* The entry of that id, of whatever record. */
static enum status
find_entry(struct agent *a, const uint8_t id[ID_LEN], struct filing *f)
{
	struct entry *e = malloc(sizeof(*e));
	struct buf raw;
	unsigned flags;
	enum status st = e == NULL ? ST_NOMEM : ST_OK;

	buf_init(&raw, ENTRY_BYTES_MAX);
	if (e != NULL)
		entry_init(e);
	if (st == ST_OK)
		st = view_whole(a->view, id, &flags, &raw);
	if (st == ST_OK)
		st = entry_parse(e, buf_view(&raw));
	if (st == ST_OK && (flags & VIEW_BARE) == 0)
		st = take_entry(f, e);
	if (e != NULL)
		entry_free(e);
	free(e);
	buf_wipe(&raw);
	return st == ST_INVALID ? ST_ABSENT : st;
}

/* Does the record hold an act filed from there? */
static enum status
look_for_filed(struct agent *a, const char *rec, struct filing *f)
{
	struct state s;
	struct buf doc;
	enum status st;

	state_init(&s);
	buf_init(&doc, (size_t)64 << 20);
	st = agent_state(a, rec, &doc);
	if (st == ST_OK)
		st = state_read(&s, buf_view(&doc));
	for (size_t i = 0; st == ST_OK && i < s.act_count; i++) {
		uint32_t n = s.acts[i].more == 0
				 ? 0
				 : json_get_typed(&s.tape, s.acts[i].more,
				       "from", JSON_STRING);

		f->filed =
		    f->filed || (n != 0 && json_is(&s.tape, n, f->from) &&
				    s.acts[i].is != STATE_OUT);
	}
	state_free(&s);
	buf_wipe(&doc);
	return st;
}

static enum status
file_it(struct agent *a, const char *rec, const char *on, struct filing *f,
    uint8_t id[ID_LEN])
{
	struct agent_edit *edit = malloc(sizeof(*edit));
	struct bytes path = bytes_str(on == NULL ? "" : on);
	struct agent_act act = { .verb = DO_NOTE,
		.on = &path,
		.on_count = 1,
		.data = buf_view(&f->data),
		.more = buf_view(&f->more) };
	enum status st =
	    edit == NULL ? ST_NOMEM : agent_edit_begin(a, rec, edit);

	if (st == ST_OK)
		st = f->verb == DO_NOTE ? agent_append(a, edit, &act, id)
					: blobs_entry(a, edit, on, f->digest,
					      buf_view(&f->more), id);
	free(edit);
	return st;
}

enum status
agent_attach_file(struct agent *a, const char *rec, const char *entry,
    const char *on, uint8_t id[ID_LEN])
{
	struct filing f = { .from = entry };
	uint8_t from[ID_LEN];
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	if (hex_decode(from, ID_LEN, bytes_str(entry)) != ST_OK)
		return agent_why(a, ST_INVALID, "附件编号为 32 位十六进制",
		    "an attachment's id has 32 hex digits");
	buf_init(&f.more, ENTRY_BYTES_MAX);
	buf_init(&f.data, ENTRY_BYTES_MAX);
	st = find_entry(a, from, &f);
	if (st == ST_ABSENT || (st == ST_OK && !f.found))
		st = agent_why(a, ST_ABSENT, "本机没有这个附件或备注",
		    "no such attachment or note on this device");
	if (st == ST_OK)
		st = look_for_filed(a, rec, &f);
	if (st == ST_OK && f.filed)
		st = agent_why(a, ST_CONFLICT, "已归入这条记录",
		    "it is filed in this record already");
	if (st == ST_OK)
		st = file_it(a, rec, on, &f, id);
	buf_wipe(&f.more);
	buf_wipe(&f.data);
	return st;
}

/* ---- a moment of a recording */

struct pointing {
	const char *rec;
	bool found;
	int64_t ms; /* how long it is; below 0: not known */
};

static enum status
take_recording(void *arg, const struct view_attach *at)
{
	struct pointing *p = arg;

	if (strcmp(at->rec, p->rec) != 0)
		return ST_OK;
	p->found = true;
	if (at->has_digest && at->e->more != 0)
		p->ms = json_int(&at->e->body, at->e->more, "ms", -1);
	return ST_OK;
}

enum status
agent_point_check(struct agent *a, const char *rec, struct bytes more)
{
	struct pointing p = { .rec = rec, .ms = -1 };
	uint8_t id[ID_LEN];
	struct json j;
	int64_t at = -1;
	enum status st;

	json_init(&j);
	st = json_parse(&j, more, JSON_DOCUMENT);
	if (st == ST_OK && json_get(&j, 0, "at_ms") != 0) {
		uint32_t n = json_get_typed(&j, 0, "attach", JSON_STRING);

		at = json_int(&j, 0, "at_ms", -1);
		st = n == 0 ? ST_INVALID : json_hex(&j, n, id, ID_LEN);
		if (st == ST_OK)
			st = view_attachment(a->view, id, take_recording, &p);
		if (st == ST_ABSENT)
			st = ST_OK;
		if (st == ST_OK && (!p.found || at < 0))
			st = ST_INVALID;
	}
	json_free(&j);
	if (st == ST_INVALID)
		return agent_why(a, st, "所指录像不在这条记录中",
		    "the recording that is meant is not attached to this "
		    "record");
	if (st == ST_OK && p.ms >= 0 && at > p.ms)
		return agent_why(a, ST_INVALID, "录像没有这么长",
		    "the recording is not that long");
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
