#include "agent/core/blobs.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "agent/blob/blob_file.h"
#include "agent/core/evidence.h"
#include "base/enc.h"
#include "entry/chain.h"

static const char *const words[BLOB_STATES] = { "named", "uploading", "waiting",
	"stored", "mismatched", "purged", "lost" };

const char *
blobs_state_word(enum log_blob_state s)
{
	return words[s];
}

void
blobs_free(struct agent *a)
{
	struct blobs *b = a->blobs;

	if (b == NULL)
		return;
	if (b->at != NULL)
		sodium_memzero(b->at, b->cap * sizeof(*b->at));
	free(b->at);
	free(b);
	a->blobs = NULL;
}

struct blob *
blobs_find(const struct agent *a, const uint8_t digest[HASH_LEN])
{
	const struct blobs *b = a->blobs;

	for (size_t i = 0; b != NULL && i < b->count; i++) {
		if (memcmp(b->at[i].row.digest, digest, HASH_LEN) == 0)
			return &b->at[i];
	}
	return NULL;
}

struct blob *
blobs_named_by(const struct agent *a, const uint8_t entry[ID_LEN])
{
	const struct blobs *b = a->blobs;

	for (size_t i = 0; b != NULL && i < b->count; i++) {
		if (memcmp(b->at[i].row.entry, entry, ID_LEN) == 0)
			return &b->at[i];
	}
	return NULL;
}

/* A place for one more; no copy of a key stays behind. */
static struct blob *
push(struct blobs *b)
{
	if (b->count == b->cap) {
		size_t cap = b->cap == 0 ? 16 : b->cap * 2;
		struct blob *bigger = calloc(cap, sizeof(*bigger));

		if (bigger == NULL)
			return NULL;
		if (b->at != NULL) {
			memcpy(bigger, b->at, b->count * sizeof(*bigger));
			sodium_memzero(b->at, b->cap * sizeof(*b->at));
			free(b->at);
		}
		b->at = bigger;
		b->cap = cap;
	}
	memset(&b->at[b->count], 0, sizeof(*b->at));
	return &b->at[b->count++];
}

static enum status
take_row(void *arg, const struct log_blob *row)
{
	struct blobs *b = arg;
	struct blob *blob = push(b);

	if (blob == NULL)
		return ST_NOMEM;
	blob->row = *row;
	return ST_OK;
}

/* Bytes that are to be kept: those of a row that still speaks of them. */
static bool
is_known(void *arg, const uint8_t id[BLOB_ID_LEN])
{
	const struct blobs *b = arg;

	for (size_t i = 0; i < b->count; i++) {
		if (memcmp(b->at[i].row.id, id, BLOB_ID_LEN) == 0)
			return b->at[i].row.state != BLOB_PURGED;
	}
	return false;
}

/* Files that are gone, whoever took them.  What the centre said it has whole
 * waits on for its receipt: asked again, it is stored, or lost then. */
static enum status
miss(struct agent *a)
{
	struct blobs *b = a->blobs;
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < b->count; i++) {
		struct log_blob *r = &b->at[i].row;

		if (r->state == BLOB_PURGED || r->state == BLOB_LOST ||
		    r->state == BLOB_WAITING || blob_there(a->blobs_dir, r->id))
			continue;
		r->state = r->state == BLOB_STORED ? BLOB_PURGED : BLOB_LOST;
		st = log_blob_put(a->log, r);
	}
	return st;
}

enum status
blobs_load(struct agent *a)
{
	uint64_t swept = 0;
	enum status st;

	blobs_free(a);
	if (a->blobs_dir == NULL)
		return ST_OK;
	a->blobs = calloc(1, sizeof(*a->blobs));
	if (a->blobs == NULL)
		return ST_NOMEM;
	st = log_blob_each(a->log, take_row, a->blobs, &a->blobs->lost_rows);
	if (st == ST_OK)
		st = miss(a);
	/* A full disk or a strange folder keeps nobody from working. */
	if (st == ST_FULL || st == ST_IO)
		st = ST_OK;
	if (st == ST_OK && a->blobs->lost_rows == 0 &&
	    blob_sweep(a->blobs_dir, is_known, a->blobs, &swept) == ST_NOMEM)
		st = ST_NOMEM;
	return st;
}

enum status
blobs_take(struct agent *a, const struct log_blob *row)
{
	struct blob *b = blobs_find(a, row->digest);

	if (b == NULL)
		b = push(a->blobs);
	if (b == NULL)
		return ST_NOMEM;
	b->row = *row;
	return ST_OK;
}

enum status
blobs_put(struct agent *a, const struct log_blob *row)
{
	enum status st = log_blob_put(a->log, row);

	return st == ST_OK ? blobs_take(a, row) : st;
}

/* ---- receipts */

struct said {
	uint8_t digest[HASH_LEN];
	bool ours, stored, mismatched;
};

/* The fields of evidence@1, in whatever order they stand. */
static void
read_fields(const struct agent *a, const struct entry *e, struct said *out)
{
	char dev[DEV_LEN + 1];
	bool digest = false;

	chain_dev(dev, log_public_key(a->log));
	for (size_t i = 0; i < e->on_count; i++) {
		uint32_t n = entry_value(e, i);

		if (bytes_eq_str(e->on[i], "sha256"))
			digest = json_hex(&e->body, n, out->digest, HASH_LEN) ==
				 ST_OK;
		else if (bytes_eq_str(e->on[i], "dev"))
			out->ours = json_is(&e->body, n, dev);
		else if (bytes_eq_str(e->on[i], "result")) {
			out->stored = json_is(&e->body, n, "stored");
			out->mismatched = json_is(&e->body, n, "mismatched");
		}
	}
	out->ours = out->ours && digest;
}

static enum status
take_receipt(struct agent *a, const struct said *s, uint64_t place)
{
	struct blob *b = blobs_find(a, s->digest);
	struct log_blob row;
	enum status st;

	if (b == NULL || b->row.state == BLOB_STORED ||
	    b->row.state == BLOB_PURGED)
		return ST_OK;
	row = b->row;
	if (s->stored) {
		row.state = row.state == BLOB_LOST ? BLOB_PURGED : BLOB_STORED;
		row.sent = row.size;
		row.place = place;
	} else if (row.state == BLOB_WAITING) {
		/* Our last request's answer was lost; it said so. */
		row.tries++;
		row.sent = 0;
		row.has_upload = false;
		row.state = row.tries >= AGENT_EVIDENCE_TRIES ? BLOB_MISMATCHED
							      : BLOB_NAMED;
	}
	b->sure = false;
	st = blobs_put(a, &row);
	sodium_memzero(&row, sizeof(row));
	return st;
}

enum status
blobs_receipt(struct agent *a, struct bytes raw, uint64_t place)
{
	struct said s = { .ours = false };
	struct entry e;
	enum status st;

	if (a->blobs == NULL)
		return ST_OK;
	entry_init(&e);
	st = entry_parse(&e, raw);
	if (st == ST_OK && bytes_eq_str(e.kind, "evidence@1") &&
	    e.verb == DO_OPEN && e.body_is == ENTRY_BODY_WHOLE)
		read_fields(a, &e, &s);
	entry_free(&e);
	if (st == ST_NOMEM)
		return st;
	return s.ours && (s.stored || s.mismatched) ? take_receipt(a, &s, place)
						    : ST_OK;
}

enum status
blobs_log_ended(struct agent *a, uint64_t kept)
{
	enum status st = ST_OK;

	for (size_t i = 0;
	     a->blobs != NULL && st == ST_OK && i < a->blobs->count; i++) {
		struct blob *b = &a->blobs->at[i];

		if ((b->row.state != BLOB_STORED || b->row.place < kept) &&
		    b->row.state != BLOB_WAITING)
			continue;
		b->row.state = BLOB_NAMED;
		b->row.place = b->row.sent = 0;
		b->row.has_upload = b->sure = false;
		st = log_blob_put(a->log, &b->row);
	}
	return st;
}

/* ---- shown */

void
agent_evidence_count(const struct agent *a, struct agent_evidence_counts *out)
{
	memset(out, 0, sizeof(*out));
	if (a->blobs == NULL)
		return;
	out->lost = a->blobs->lost_rows;
	for (size_t i = 0; i < a->blobs->count; i++) {
		const struct log_blob *r = &a->blobs->at[i].row;
		uint64_t *const counts[BLOB_STATES] = { &out->named,
			&out->uploading, &out->waiting, &out->stored,
			&out->mismatched, &out->purged, &out->lost };

		out->files++;
		(*counts[r->state])++;
		if (r->state == BLOB_NAMED || r->state == BLOB_UPLOADING)
			out->bytes_left += r->size - r->sent;
	}
}

void
blobs_status(const struct agent *a, struct buf *out)
{
	struct agent_evidence_counts c;

	agent_evidence_count(a, &c);
	buf_printf(out,
	    ",\"evidence\":{\"bytes_left\":%llu,\"files\":%llu,\"lost\":%llu,"
	    "\"mismatched\":%llu,\"named\":%llu,\"purged\":%llu,"
	    "\"stored\":%llu,\"uploading\":%llu,\"waiting\":%llu}",
	    (unsigned long long)c.bytes_left, (unsigned long long)c.files,
	    (unsigned long long)c.lost, (unsigned long long)c.mismatched,
	    (unsigned long long)c.named, (unsigned long long)c.purged,
	    (unsigned long long)c.stored, (unsigned long long)c.uploading,
	    (unsigned long long)c.waiting);
}
