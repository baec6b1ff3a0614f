/* agent_evidence: attachments seen again: listed, opened, forgotten. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/blob/blob_file.h"
#include "agent/core/blobs.h"
#include "agent/core/evidence.h"
#include "base/enc.h"
#include "base/sha.h"

enum { THUMB_MAX = 6144 };

/* ---- the list */

struct listing {
	struct agent *a;
	struct buf *out;
	struct buf from; /* ids that were filed elsewhere */
};

/* Members of `more` as they stand, in the order of the list. */
static void
put_member(
    struct buf *out, const struct json *j, uint32_t more, const char *name)
{
	uint32_t n = more == 0 ? 0 : json_get(j, more, name);

	if (n == 0)
		return;
	buf_printf(out, ",\"%s\":", name);
	json_canon(j, n, out);
}

/* What is known of its bytes.  Ours without a row were lost with it, unless
 * they are a colleague's that was filed here. */
static void
put_standing(struct buf *out, const struct blob *b, bool ours, bool from)
{
	const char *state = ours && !from ? "lost" : "named";
	uint64_t percent = 0;
	bool here = false;

	if (b != NULL) {
		const struct log_blob *r = &b->row;

		state = blobs_state_word(r->state);
		here = r->state != BLOB_PURGED && r->state != BLOB_LOST;
		percent = r->size == 0 ? (r->state == BLOB_STORED ? 100 : 0)
				       : r->sent * 100 / r->size;
		if (r->state == BLOB_STORED || r->state == BLOB_PURGED)
			percent = 100;
		buf_printf(out, ",\"sent\":%llu,\"tries\":%u",
		    (unsigned long long)r->sent, r->tries);
	}
	buf_printf(out, ",\"here\":%s,\"percent\":%llu,\"state\":\"%s\"",
	    here ? "true" : "false", (unsigned long long)percent, state);
}

/* Of what is said, in this order. */
static const char *const members[] = { "clock", "clock_off_ms", "filmed_by",
	"from", "made", "ms", "name", "of", "recorder", "size", "taken",
	"taken_from", "type" };

static enum status
note_from(void *arg, const struct view_attach *at)
{
	struct listing *l = arg;
	uint8_t id[ID_LEN];
	uint32_t n = !at->has_digest || at->e->more == 0
			 ? 0
			 : json_get_typed(
			       &at->e->body, at->e->more, "from", JSON_STRING);

	if (n != 0 && json_hex(&at->e->body, n, id, ID_LEN) == ST_OK)
		buf_add(&l->from, id, ID_LEN);
	return l->from.err;
}

static bool
is_filed(const struct listing *l, const uint8_t id[ID_LEN])
{
	for (size_t i = 0; i < l->from.len; i += ID_LEN) {
		if (memcmp(l->from.p + i, id, ID_LEN) == 0)
			return true;
	}
	return false;
}

static enum status
put_one(void *arg, const struct view_attach *at)
{
	struct listing *l = arg;
	struct buf *out = l->out;
	const struct entry *e = at->e;
	uint32_t more = at->has_digest ? e->more : 0;
	bool ours = (at->flags & VIEW_OWN) != 0;
	const struct blob *b = at->has_digest ? blobs_find(l->a, at->digest)
					      : blobs_named_by(l->a, at->id);

	if ((at->flags & VIEW_BARE) != 0)
		return ST_OK;
	buf_str(out, "{\"at\":");
	json_put_string(out, e->at);
	buf_str(out, ",\"by\":");
	json_put_string(out, e->by);
	if (at->has_digest || b != NULL) {
		buf_str(out, ",\"digest\":");
		json_put_hex(
		    out, bytes_of(at->has_digest ? at->digest : b->row.digest,
			     HASH_LEN));
	}
	buf_str(out, ",\"entry\":");
	json_put_hex(out, bytes_of(at->id, ID_LEN));
	buf_printf(
	    out, ",\"in_log\":%s,\"on\":", at->in_log ? "true" : "false");
	json_put_string(out, e->on[0]);
	buf_printf(out, ",\"own\":%s,\"rec\":\"%s\"", ours ? "true" : "false",
	    at->rec);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		put_member(out, &e->body, more, members[i]);
	if (is_filed(l, at->id))
		buf_str(out, ",\"filed\":true");
	put_standing(
	    out, b, ours, more != 0 && json_get(&e->body, more, "from") != 0);
	buf_printf(out, ",\"urgent\":%s}\n",
	    b != NULL && b->row.urgent ? "true" : "false");
	return out->err;
}

enum status
agent_evidence(struct agent *a, const char *rec, struct buf *out)
{
	struct listing l = { .a = a, .out = out };
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	buf_init(&l.from, (size_t)16 << 20);
	st = view_attachments(a->view, NULL, note_from, &l);
	if (st == ST_OK)
		st = view_attachments(a->view, rec, put_one, &l);
	buf_free(&l.from);
	return st == ST_OK ? st : agent_why(a, st, "出错", status_text(st));
}

/* ---- one of them */

struct one {
	const struct agent *a;
	bool found;
	uint8_t digest[HASH_LEN];
	struct buf *thumb; /* NULL: not wanted */
};

static enum status
take_one(void *arg, const struct view_attach *at)
{
	struct one *o = arg;
	const struct blob *b = blobs_named_by(o->a, at->id);
	uint32_t n = 0;

	if (!at->has_digest && b == NULL)
		return ST_OK;
	o->found = true;
	memcpy(
	    o->digest, at->has_digest ? at->digest : b->row.digest, HASH_LEN);
	if (o->thumb != NULL && at->has_digest && at->e->more != 0)
		n = json_get_typed(
		    &at->e->body, at->e->more, "thumb", JSON_STRING);
	if (n != 0) {
		uint8_t jpeg[THUMB_MAX];
		size_t len = 0;

		if (base64_decode(jpeg, sizeof(jpeg), &len,
			json_raw(&at->e->body, n)) == ST_OK)
			buf_add(o->thumb, jpeg, len);
	}
	return ST_OK;
}

static enum status
find(struct agent *a, const char *entry, struct one *o)
{
	uint8_t id[ID_LEN];
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	if (hex_decode(id, ID_LEN, bytes_str(entry)) != ST_OK)
		return agent_why(a, ST_INVALID, "附件编号为 32 位十六进制",
		    "an attachment's id has 32 hex digits");
	st = view_attachment(a->view, id, take_one, o);
	if (st == ST_ABSENT || (st == ST_OK && !o->found))
		return agent_why(a, ST_ABSENT, "本机没有这个附件",
		    "no such attachment on this device");
	return st == ST_OK ? st : agent_why(a, st, "出错", status_text(st));
}

enum status
agent_evidence_thumb(struct agent *a, const char *entry, struct buf *out)
{
	struct one o = { .a = a, .thumb = out };
	size_t before = out->len;
	enum status st = find(a, entry, &o);

	if (st == ST_OK && out->len == before)
		return agent_why(a, ST_ABSENT, "这个附件没有缩略图",
		    "this attachment has no thumbnail");
	return st == ST_OK ? out->err : st;
}

/* It cannot be opened any more: said once, and for good. */
static enum status
lose(struct agent *a, struct blob *b)
{
	struct log_blob row = b->row;

	if (row.state != BLOB_STORED && row.state != BLOB_WAITING) {
		row.state = BLOB_LOST;
		if (blobs_put(a, &row) == ST_NOMEM)
			return ST_NOMEM;
		blobs_say_lost(a);
	}
	sodium_memzero(&row, sizeof(row));
	return agent_why(a, ST_CORRUPT, "附件在本机已损坏，无法打开",
	    "the attachment is damaged on this device and cannot be opened");
}

/* Where opened bytes go. */
typedef enum status sink(void *arg, struct bytes in);

static enum status
to_fd(void *arg, struct bytes in)
{
	const int *fd = arg;

	while (in.len > 0) {
		ssize_t n = write(*fd, in.p, in.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ENOSPC || errno == EDQUOT ? ST_FULL
								  : ST_IO;
		in.p += n;
		in.len -= (size_t)n;
	}
	return ST_OK;
}

static enum status
to_buf(void *arg, struct bytes in)
{
	struct buf *out = arg;

	buf_bytes(out, in);
	return out->err;
}

/* All of it, and its digest is that of the record. */
static enum status
pour(const struct log_blob *row, struct blob_reader *r, sink *to, void *arg)
{
	uint8_t *p = malloc(BLOB_CHUNK), digest[HASH_LEN];
	enum status st = p == NULL ? ST_NOMEM : ST_OK;
	struct sha256_run sha;
	uint64_t off = 0;
	size_t got = 0;

	sha256_begin(&sha);
	do {
		if (st == ST_OK)
			st = blob_reader_read(r, off, p, BLOB_CHUNK, &got);
		if (st != ST_OK || got == 0)
			break;
		sha256_more(&sha, bytes_of(p, got));
		off += got;
		st = to(arg, bytes_of(p, got));
	} while (off < row->size);
	sha256_end(&sha, digest);
	if (st == ST_OK && memcmp(digest, row->digest, HASH_LEN) != 0)
		st = ST_CORRUPT;
	if (p != NULL)
		sodium_memzero(p, BLOB_CHUNK);
	free(p);
	return st;
}

static enum status
get(struct agent *a, const uint8_t digest[HASH_LEN], sink *to, void *arg)
{
	struct blob *b = blobs_find(a, digest);
	struct blob_reader *r = NULL;
	enum status st;

	if (b == NULL || b->row.state == BLOB_PURGED)
		return agent_why(a, ST_ABSENT,
		    "附件的内容不在本机（在拍摄它的设备或中心）",
		    "its bytes are not on this device: they are on the one "
		    "that took it, or at the centre");
	st = b->row.state == BLOB_LOST
		 ? ST_CORRUPT
		 : blob_reader_open(
		       &r, a->blobs_dir, b->row.id, b->row.key, b->row.size);
	if (st == ST_OK)
		st = pour(&b->row, r, to, arg);
	blob_reader_close(r);
	if (st == ST_CORRUPT || st == ST_ABSENT)
		return lose(a, b);
	if (st == ST_FULL)
		return agent_why(
		    a, st, "存储已满，未能取出", "the disk is full");
	return st == ST_OK ? st
			   : agent_why(a, st, "未能取出附件", status_text(st));
}

enum status
agent_evidence_get(struct agent *a, const char *entry, int fd)
{
	struct one o = { .a = a };
	enum status st = find(a, entry, &o);

	return st == ST_OK ? get(a, o.digest, to_fd, &fd) : st;
}

enum status
agent_evidence_read(
    struct agent *a, const uint8_t digest[HASH_LEN], struct buf *out)
{
	enum status st = agent_ready(a);

	return st == ST_OK ? get(a, digest, to_buf, out) : st;
}

/* ---- forgetting */

enum status
agent_evidence_purge(struct agent *a, uint64_t before_ms, uint64_t *purged)
{
	uint64_t bad = 0;
	enum status st = agent_ready(a);

	*purged = 0;
	if (st == ST_OK)
		st = agent_log_why(a, log_bad_count(a->log, &bad));
	if (st != ST_OK || a->blobs == NULL)
		return st;
	if (bad > 0 || a->alarms > 0)
		return agent_why(a, ST_DENIED,
		    "有内容未能核实：在查清之前不得清除本机数据",
		    "something did not prove: nothing may be forgotten here "
		    "until that is cleared up");
	for (size_t i = 0; i < a->blobs->count; i++) {
		struct log_blob *r = &a->blobs->at[i].row;

		if (r->state != BLOB_STORED || r->place >= a->kept_files ||
		    r->made_ms >= before_ms)
			continue;
		/* The row first: a file that it does not want is swept. */
		r->state = BLOB_PURGED;
		st = log_blob_put(a->log, r);
		if (st != ST_OK) {
			r->state = BLOB_STORED;
			return agent_log_why(a, st);
		}
		st = blob_remove(a->blobs_dir, r->id);
		if (st != ST_OK)
			return agent_why(
			    a, st, "未能清除附件", status_text(st));
		(*purged)++;
	}
	return ST_OK;
}
