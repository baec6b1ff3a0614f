/*
 * agent_upload: bytes of attached files to the centre, by tus 1.0, one step at
 * a time (docs/EVIDENCE.md, "To the centre").
 *
 * A step picks the file that is to go first, learns where it stands if that is
 * not sure (create, or HEAD), and sends one piece.  What the centre says is
 * believed only as far as it does no harm: it may make us send bytes again, but
 * a file is `stored` only when an entry of its log, proved, says so.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "agent/blob/blob_file.h"
#include "agent/core/upload.h"
#include "base/enc.h"

/* ---- which goes first */

static bool
starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

unsigned
upload_class(const struct log_blob *r)
{
	if (r->urgent)
		return 0;
	if (starts(r->type, "image/") ||
	    (starts(r->type, "audio/") && r->size <= UPLOAD_AUDIO_BYTES))
		return 1;
	return starts(r->type, "video/") ? 3 : 2;
}

/* A record's id begins with the time at which it was opened. */
bool
upload_before(const struct log_blob *x, const struct log_blob *y)
{
	unsigned cx = upload_class(x), cy = upload_class(y);
	int rec;

	if (cx != cy)
		return cx < cy;
	rec = strcmp(x->rec, y->rec);
	if (rec != 0)
		return rec > 0;
	if (x->made_ms != y->made_ms)
		return x->made_ms > y->made_ms;
	return memcmp(x->digest, y->digest, HASH_LEN) < 0;
}

/* A receipt comes by itself; one that was lost on its way is asked for after a
 * while, across restarts. */
static bool
receipt_is_late(const struct agent *a, const struct log_blob *r)
{
	uint64_t wall = port_wall_ms(a->port);

	return wall < r->place || wall - r->place >= UPLOAD_RECEIPT_MS;
}

static struct blob *
pick(struct agent *a, const struct agent_upload_limits *l, uint64_t now,
    struct agent_upload_result *out)
{
	struct blob *best = NULL;

	for (size_t i = 0; i < a->blobs->count; i++) {
		struct blob *b = &a->blobs->at[i];
		const struct log_blob *r = &b->row;

		if (r->state > BLOB_WAITING || (l->urgent_only && !r->urgent))
			continue;
		if (r->state == BLOB_WAITING &&
		    (b->after_ms > now || !receipt_is_late(a, r)))
			continue;
		if (b->after_ms > now) {
			if (out->what != UPLOAD_WAIT ||
			    b->after_ms - now < out->wait_ms)
				out->wait_ms = b->after_ms - now;
			out->what = UPLOAD_WAIT;
			continue;
		}
		if (r->state != BLOB_WAITING && r->size > 0 &&
		    (l->budget == 0 || (l->above > 0 && r->size > l->above))) {
			if (out->what == UPLOAD_IDLE)
				out->what = UPLOAD_SPENT;
			continue;
		}
		if (best == NULL || upload_before(r, &best->row))
			best = b;
	}
	return best;
}

/* ---- one file */

static enum status
save(struct step *s)
{
	enum status st = log_blob_put(s->a->log, &s->b->row);

	return st == ST_OK ? st : agent_log_why(s->a, st);
}

/* The centre has this much, so it says. */
static enum status
take_offset(struct step *s, uint64_t offset)
{
	struct log_blob *r = &s->b->row;

	if (offset > r->sent)
		s->out->taken += offset - r->sent;
	r->sent = offset;
	r->state = offset == r->size ? BLOB_WAITING : BLOB_UPLOADING;
	s->b->sure = true;
	if (r->state == BLOB_WAITING) {
		s->out->whole = true;
		s->b->fails = 0;
		r->place = port_wall_ms(s->a->port);
	}
	return save(s);
}

static enum status
tus(struct step *s, const struct agent_tus *rq, struct agent_tus_reply *reply)
{
	struct agent *a = s->a;
	struct bytes ca = bytes_of(a->desc->ca, a->desc->ca_len);
	enum status st =
	    a->uplink->tus(a->uplink->arg, agent_address(a, SERVICE_SYNC), ca,
		log_identity_get(a->log, IDENTITY_TLS_CERT),
		log_identity_get(a->log, IDENTITY_TLS_KEY), rq, reply);

	s->out->bytes_up += reply->bytes_up;
	s->out->bytes_down += reply->bytes_down;
	s->out->body_up += reply->body_up;
	return st;
}

/* The last 32 digits of "/v1/evidence/<32 hex>", which may stand behind the
 * centre's own name and nothing else. */
bool
upload_location(const char *said, uint8_t id[LOG_BLOB_UPLOAD_LEN])
{
	static const char host[] = "https://centre.daybreak.internal";
	static const char path[] = "/v1/evidence/";

	if (starts(said, host)) {
		said += sizeof(host) - 1;
		if (*said == ':')
			said += 1 + strspn(said + 1, "0123456789");
	}
	if (!starts(said, path))
		return false;
	said += sizeof(path) - 1;
	return hex_decode(id, LOG_BLOB_UPLOAD_LEN, bytes_str(said)) == ST_OK;
}

/* Bytes of the file that is being sent. */
struct body {
	struct blob_reader *r;
	uint64_t from;
};

static enum status
read_body(void *arg, uint64_t at, uint8_t *out, size_t len, size_t *got)
{
	struct body *b = arg;

	return blob_reader_read(b->r, b->from + at, out, len, got);
}

static enum status
open_body(struct step *s, struct body *body)
{
	const struct log_blob *r = &s->b->row;

	return blob_reader_open(
	    &body->r, s->a->blobs_dir, r->id, r->key, r->size);
}

/* The file cannot be read here any more. */
static enum status
lost(struct step *s)
{
	s->b->row.state = BLOB_LOST;
	return save(s);
}

/* `metadata`: the digest, and the type, which is not believed there. */
static void
put_metadata(const struct log_blob *r, char out[UPLOAD_METADATA_MAX])
{
	char hex[2 * HASH_LEN + 1], digest[128], type[256];

	hex_encode(hex, bytes_of(r->digest, HASH_LEN));
	base64_encode(digest, bytes_str(hex));
	base64_encode(type, bytes_str(r->type));
	(void)snprintf(out, UPLOAD_METADATA_MAX, "sha256 %s%s%s", digest,
	    type[0] == '\0' ? "" : ",filetype ", type);
}

/* POST; a small file goes with it. */
static enum status
create(struct step *s)
{
	struct log_blob *r = &s->b->row;
	char metadata[UPLOAD_METADATA_MAX];
	struct agent_tus rq = { .what = TUS_CREATE,
		.length = r->size,
		.metadata = metadata,
		.read = read_body };
	struct agent_tus_reply reply;
	struct body body = { .r = NULL };
	uint8_t id[LOG_BLOB_UPLOAD_LEN];
	enum status st = ST_OK;

	put_metadata(r, metadata);
	if (r->size > 0 && r->size <= UPLOAD_SMALL && r->size <= s->piece &&
	    r->state == BLOB_NAMED) {
		st = open_body(s, &body);
		if (st == ST_CORRUPT || st == ST_ABSENT)
			return lost(s);
		rq.body_len = r->size;
		rq.read_arg = &body;
	}
	if (st == ST_OK)
		st = tus(s, &rq, &reply);
	blob_reader_close(body.r);
	if (st == ST_NET && reply.read_st == ST_CORRUPT)
		return lost(s);
	if (st != ST_OK)
		return upload_failed(s, st, &reply);
	if (reply.status != 201 || !reply.tus)
		return upload_refused(s, &reply);
	if (!upload_location(reply.location, id) ||
	    (reply.has_offset && reply.offset > r->size))
		return upload_strange(s);
	memcpy(r->upload, id, sizeof(id));
	r->has_upload = true;
	if (reply.has_offset)
		return take_offset(s, reply.offset);
	/* A server that says nothing has nothing, unless it was given some. */
	s->b->sure = rq.body_len == 0;
	r->sent = 0;
	if (r->size == 0)
		return take_offset(s, 0);
	return save(s);
}

static void
name_of(const struct log_blob *r, char out[2 * LOG_BLOB_UPLOAD_LEN + 1])
{
	hex_encode(out, bytes_of(r->upload, LOG_BLOB_UPLOAD_LEN));
}

static enum status
ask(struct step *s)
{
	struct log_blob *r = &s->b->row;
	char name[2 * LOG_BLOB_UPLOAD_LEN + 1];
	struct agent_tus rq = { .what = TUS_HEAD, .upload = name };
	struct agent_tus_reply reply;
	enum status st;

	name_of(r, name);
	st = tus(s, &rq, &reply);
	if (st != ST_OK)
		return upload_failed(s, st, &reply);
	if ((reply.status != 200 && reply.status != 204) || !reply.tus)
		return upload_refused(s, &reply);
	/* Fewer than it had said: it lost some, and gets them again.  More than
	 * there are, or of another length: it means another file. */
	if (!reply.has_offset || reply.offset > r->size ||
	    (reply.has_length && reply.length != r->size))
		return upload_strange(s);
	/* A link that is cut off again and again, and still gets on, is no
	 * reason to wait longer each time. */
	if (reply.offset > r->sent) {
		s->b->fails = 0;
		s->a->blobs->fails = 0;
	}
	return take_offset(s, reply.offset);
}

/* How the link does: the next piece takes some seconds. */
static void
learn_rate(struct step *s, const struct agent_tus_reply *reply)
{
	struct blobs *all = s->a->blobs;
	uint64_t ms = reply->took_ms > 0 ? reply->took_ms : 1, rate;

	if (reply->body_up < UPLOAD_PIECE_LEAST / 2)
		return;
	rate = reply->body_up * 1000 / ms;
	/* Not more than fourfold at a time: a buffer somewhere swallows much
	 * at once. */
	if (all->rate > 0 && rate > all->rate * 4)
		rate = all->rate * 4;
	all->rate = rate > 0 ? rate : 1;
}

uint64_t
upload_piece(const struct blobs *all)
{
	uint64_t n = all->rate * UPLOAD_PIECE_S;

	if (all->rate == 0)
		return UPLOAD_PIECE_FIRST;
	if (n > UPLOAD_PIECE_MOST)
		return UPLOAD_PIECE_MOST;
	return n < UPLOAD_PIECE_LEAST ? UPLOAD_PIECE_LEAST : n;
}

static enum status
send_piece(struct step *s)
{
	struct log_blob *r = &s->b->row;
	char name[2 * LOG_BLOB_UPLOAD_LEN + 1];
	struct body body = { .from = r->sent };
	struct agent_tus rq = { .what = TUS_PATCH,
		.upload = name,
		.offset = r->sent,
		.read = read_body,
		.read_arg = &body };
	struct agent_tus_reply reply;
	enum status st = open_body(s, &body);

	if (st == ST_CORRUPT || st == ST_ABSENT)
		return lost(s);
	if (st != ST_OK)
		return agent_why(s->a, st, "读取附件出错", status_text(st));
	name_of(r, name);
	rq.body_len = r->size - r->sent;
	if (rq.body_len > s->piece)
		rq.body_len = s->piece;
	st = tus(s, &rq, &reply);
	blob_reader_close(body.r);
	if (st == ST_NET && reply.read_st == ST_CORRUPT)
		return lost(s);
	if (st != ST_OK)
		return upload_failed(s, st, &reply);
	if ((reply.status != 204 && reply.status != 200) || !reply.tus)
		return upload_refused(s, &reply);
	/* It has more than it was given, or lost some while we spoke. */
	if (!reply.has_offset || reply.offset > rq.offset + rq.body_len ||
	    reply.offset < rq.offset)
		return upload_strange(s);
	if (reply.offset == rq.offset) {
		reply.status = 409; /* it took nothing */
		return upload_refused(s, &reply);
	}
	learn_rate(s, &reply);
	s->b->fails = 0;
	s->a->blobs->fails = 0;
	return take_offset(s, reply.offset);
}

static enum status
step(struct step *s)
{
	struct log_blob *r = &s->b->row;
	enum status st = ST_OK;

	/* Waiting for a receipt too long: the creation is answered with where
	 * it stands, and a receipt for this device. */
	if (r->state == BLOB_WAITING)
		r->has_upload = false;
	if (!r->has_upload)
		st = create(s);
	else if (!s->b->sure)
		st = ask(s);
	else
		return send_piece(s);
	/* What is known now allows a piece in the same step. */
	if (st == ST_OK && s->b->sure && r->has_upload &&
	    r->state == BLOB_UPLOADING && s->b->after_ms <= s->now)
		st = send_piece(s);
	return st;
}

enum status
agent_upload(struct agent *a, const struct agent_upload_limits *limits,
    struct agent_upload_result *out)
{
	struct step s = { .a = a, .out = out };
	enum status st = agent_keys_ready(a);

	memset(out, 0, sizeof(*out));
	if (st != ST_OK)
		return st;
	if (a->uplink == NULL || a->uplink->tus == NULL)
		return agent_why(a, ST_NET, "没有网络", "no network");
	if (a->blobs == NULL || a->desc == NULL)
		return ST_OK;
	s.now = port_mono_ms(a->port);
	s.b = pick(a, limits, s.now, out);
	if (s.b == NULL)
		return ST_OK;
	if (a->blobs->after_ms > s.now) {
		out->what = UPLOAD_WAIT;
		out->wait_ms = a->blobs->after_ms - s.now;
		return ST_OK;
	}
	out->what = UPLOAD_MOVED;
	out->wait_ms = 0;
	memcpy(out->digest, s.b->row.digest, HASH_LEN);
	s.piece = upload_piece(a->blobs);
	if (s.piece > limits->budget)
		s.piece = limits->budget;
	return step(&s);
}
