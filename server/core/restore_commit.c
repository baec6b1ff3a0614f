/* restore_commit: the one commit that ends logs and begins another. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/core/centre_folder.h"
#include "server/core/restore_inner.h"

/* Facts of the store, in the transaction that logs why. */
static enum status
put_facts(void *arg, struct store *s)
{
	struct restoring *rs = arg;
	uint8_t old[CHAIN_LEN + 8 + HASH_LEN];
	size_t before = rs->restores.len;
	enum status st;

	memcpy(old, rs->centre.old_chain, CHAIN_LEN);
	be64_put(old + CHAIN_LEN, rs->centre.old_seq);
	memcpy(old + CHAIN_LEN + 8, rs->centre.old_link, HASH_LEN);
	for (size_t i = 0; i < rs->ended_count; i++)
		ended_log_line(&rs->restores, &rs->ended[i],
		    rs->entry[rs->entry_restored + i].place);
	st = rs->restores.err;
	if (st == ST_OK)
		st = store_put_meta(s, META_RESTORES, buf_view(&rs->restores));
	rs->restores.len = before; /* it may be asked again */
	if (st == ST_OK)
		st = store_put_meta(s, META_DESCRIPTOR, buf_view(&rs->file));
	if (st == ST_OK)
		st = store_put_meta(s, META_SERVER_CHAIN,
		    bytes_of(rs->centre.chain, CHAIN_LEN));
	if (st == ST_OK)
		st = store_put_meta(
		    s, META_SERVER_OLD, bytes_of(old, sizeof(old)));
	if (st == ST_OK)
		st = store_put_meta(s, META_HALTED, (struct bytes){ NULL, 0 });
	return st;
}

enum { COMMIT_MAX = RESTORE_BETWEEN_MAX + 1 + RESTORE_ENDED_MAX };

/* The commit's entries, and their data one behind the other. */
struct laid {
	struct server_entry e[COMMIT_MAX];
	size_t at[COMMIT_MAX + 1]; /* where in `data` each begins */
	size_t count;
	struct buf data;
};

static void
lay_descriptor(struct laid *l, const struct descriptor *d, struct bytes file)
{
	static const struct bytes on[] = { { (const uint8_t *)"n", 1 },
		{ (const uint8_t *)"sha256", 6 },
		{ (const uint8_t *)"file", 4 } };

	l->e[l->count] = (struct server_entry){
		.kind = "descriptor@1", .verb = DO_OPEN, .on = on, .on_count = 3
	};
	buf_printf(&l->data, "[%" PRIu64 ",", d->version);
	json_put_hex(&l->data, bytes_of(d->digest, HASH_LEN));
	buf_u8(&l->data, ',');
	json_put_string(&l->data, file);
	buf_u8(&l->data, ']');
	l->at[++l->count] = l->data.len;
}

static void
lay_restored(struct laid *l, const struct ended_log *e, struct bytes best)
{
	static const struct bytes on[] = { { (const uint8_t *)"origin", 6 },
		{ (const uint8_t *)"note", 4 },
		{ (const uint8_t *)"kept", 4 } };

	l->e[l->count] = (struct server_entry){
		.kind = "restored@1", .verb = DO_OPEN, .on = on, .on_count = 3
	};
	buf_u8(&l->data, '[');
	json_put_str(&l->data, e->key.name);
	buf_u8(&l->data, ',');
	json_put_string(&l->data, best);
	buf_printf(&l->data, ",%" PRIu64 "]", e->kept);
	l->at[++l->count] = l->data.len;
}

enum status
restore_commit(struct restoring *rs, struct centre *c)
{
	struct laid *l = calloc(1, sizeof(*l));
	struct commit_job job = { .check = put_facts, .arg = rs };
	enum status st;

	if (l == NULL)
		return ST_NOMEM;
	buf_init(&l->data, (size_t)COMMIT_MAX * 2 * DESCRIPTOR_FILE_MAX);
	for (size_t i = 0; i < rs->between_count; i++)
		lay_descriptor(
		    l, rs->between[i].d, buf_view(&rs->between[i].file));
	lay_descriptor(l, rs->next, buf_view(&rs->file));
	rs->entry_restored = l->count;
	for (size_t i = 0; i < rs->ended_count; i++)
		lay_restored(l, &rs->ended[i], rs->best[i]);
	for (size_t i = 0; i < l->count; i++) {
		l->e[i].by = rs->g->by;
		l->e[i].data =
		    bytes_of(l->data.p + l->at[i], l->at[i + 1] - l->at[i]);
	}
	rs->entry = job.entry = l->e;
	job.entry_count = l->count;
	st = l->data.err;
	if (st == ST_OK)
		st = committer_wait(centre_committer(c), &job);
	if (st != ST_OK)
		centre_errmsg(c, rs->errmsg);
	rs->entry = NULL;
	buf_free(&l->data);
	free(l);
	return st;
}
