/*
 * restore_between: descriptors that other restores of this court were signed
 * into after the backup (docs/PROTOCOL.md, section 9).
 *
 * The root key must never sign two descriptors of one version: whoever knows
 * the one takes the other for a forgery.  So what was signed already is given,
 * checked version by version, and the new one stands behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/core/restore_inner.h"

/* What was given, file by file, in no order. */
struct given {
	struct restoring *rs;
	struct restore_between *list; /* owned, with what is in it */
	size_t count;
};

static enum status
add(struct given *w, struct bytes file)
{
	struct restore_between *b, *bigger;
	enum status st;

	bigger = realloc(w->list, (w->count + 1) * sizeof(*bigger));
	if (bigger == NULL)
		return ST_NOMEM;
	w->list = bigger;
	b = &w->list[w->count];
	memset(b, 0, sizeof(*b));
	buf_init(&b->file, DESCRIPTOR_FILE_MAX);
	buf_bytes(&b->file, file);
	b->d = calloc(1, sizeof(*b->d));
	w->count++;
	if (b->d == NULL || b->file.err != ST_OK)
		return b->d == NULL ? ST_NOMEM : b->file.err;
	st = descriptor_parse(b->d, buf_view(&b->file));
	return st;
}

/* {"v":1,"files":["<base64>", …]}, as GET /v1/descriptor answers. */
static enum status
add_all(struct given *w, struct bytes doc)
{
	struct json j;
	struct buf file;
	uint32_t list = 0;
	enum status st;

	json_init(&j);
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	st = json_parse(&j, doc, JSON_DOCUMENT);
	if (st == ST_OK)
		list = json_get_typed(&j, 0, "files", JSON_ARRAY);
	if (st == ST_OK && list == 0)
		st = ST_INVALID;
	for (uint32_t n = st == ST_OK ? json_first(&j, list) : 0;
	     st == ST_OK && n != json_end(&j, list); n = j.node[n].next) {
		size_t len = 0;
		uint8_t *to;

		buf_reset(&file);
		to = buf_extend(&file, DESCRIPTOR_FILE_MAX);
		if (to == NULL)
			st = file.err;
		else if (j.node[n].type != JSON_STRING || j.node[n].escaped)
			st = ST_INVALID;
		else
			st = base64_decode(
			    to, DESCRIPTOR_FILE_MAX, &len, json_raw(&j, n));
		if (st == ST_OK)
			st = add(w, bytes_of(to, len));
	}
	json_free(&j);
	buf_free(&file);
	return st;
}

static enum status
read_given(struct given *w)
{
	const struct restore_given *g = w->rs->g;
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < g->descriptor_count; i++) {
		st = add_all(w, g->descriptor[i]);
		if (st == ST_INVALID)
			st = add(w, g->descriptor[i]);
	}
	if (st == ST_INVALID || st == ST_NEWER || st == ST_LIMIT)
		st = restore_refuse(w->rs, ST_INVALID,
		    "what was given as a descriptor is none: it is the file of "
		    "one version, or what GET /v1/descriptor answers");
	return st;
}

const struct descriptor *
restore_last(const struct restoring *rs)
{
	return rs->between_count == 0 ? rs->old
				      : rs->between[rs->between_count - 1].d;
}

/* Versions that the backup knows must be as it knows them. */
static enum status
check_known(struct given *w)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct descriptor *d = w->list[i].d;

		if (strcmp(d->court, w->rs->old->court) != 0 ||
		    (d->version == w->rs->old->version &&
			memcmp(d->digest, w->rs->old->digest, HASH_LEN) != 0))
			return restore_refuse(w->rs, ST_CONFLICT,
			    "a descriptor given is of another court than the "
			    "backup");
	}
	return ST_OK;
}

/* The next version behind the last that we have; ST_ABSENT. */
static enum status
take_next(struct given *w)
{
	struct restoring *rs = w->rs;
	const struct descriptor *last = restore_last(rs);
	bool later = false;

	for (size_t i = 0; i < w->count; i++) {
		struct restore_between *b = &w->list[i];
		enum status st;

		later = later || b->d->version > last->version;
		if (b->d->version != last->version + 1)
			continue;
		if (rs->between_count == RESTORE_BETWEEN_MAX)
			return restore_refuse(
			    rs, ST_LIMIT, "too many descriptors");
		st = descriptor_check_next(last, b->d);
		if (st != ST_OK)
			return st == ST_NOMEM
				   ? st
				   : restore_refuse(rs, ST_DENIED,
					 "a descriptor given does not follow "
					 "from the backup's by the root key");
		rs->between[rs->between_count++] = *b;
		memset(b, 0, sizeof(*b));
		*b = w->list[--w->count];
		return ST_OK;
	}
	return later ? restore_refuse(rs, ST_INVALID,
			   "descriptors of the versions between are missing")
		     : ST_ABSENT;
}

static void
free_one(struct restore_between *b)
{
	buf_free(&b->file);
	free(b->d);
}

enum status
restore_read_between(struct restoring *rs)
{
	struct given w = { .rs = rs };
	enum status st = read_given(&w);

	if (st == ST_OK)
		st = check_known(&w);
	while (st == ST_OK)
		st = take_next(&w);
	if (st == ST_ABSENT && rs->between_count == 0 && w.count > 0)
		st = restore_refuse(rs, ST_INVALID,
		    "no descriptor given is newer than the backup's");
	for (size_t i = 0; i < w.count; i++)
		free_one(&w.list[i]);
	free(w.list);
	return st == ST_ABSENT ? ST_OK : st;
}

void
restore_free_between(struct restoring *rs)
{
	for (size_t i = 0; i < rs->between_count; i++)
		free_one(&rs->between[i]);
}

/* ---- the logs that end */

size_t
restore_list_ended(struct restoring *rs)
{
	const struct note_key *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i <= rs->between_count; i++) {
		const struct note_key *key =
		    i == 0 ? &rs->old->log : &rs->between[i - 1].d->log;

		/* A version may change something else. */
		if (last != NULL &&
		    memcmp(last->public_key, key->public_key, PUBKEY_LEN) == 0)
			continue;
		last = key;
		rs->ended[n].key = *key;
		/* What another restore kept is not known here: nothing is
		 * claimed of its log. */
		rs->ended[n].kept = n == 0 ? rs->done->kept : 0;
		n++;
	}
	rs->ended_count = n;
	return n;
}
