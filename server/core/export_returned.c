/* export_returned: a piece's line, and what proves one without a signature. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/core/export_inner.h"
#include "tlog/merkle.h"
#include "verify/bundle.h"
#include "wire/arena.h"

static enum status
keep(struct arena *mem, struct bytes in, struct bytes *out)
{
	uint8_t *p = arena_take(mem, in.len == 0 ? 1 : in.len, 1);

	if (p == NULL)
		return ST_NOMEM;
	if (in.len > 0)
		memcpy(p, in.p, in.len);
	*out = bytes_of(p, in.len);
	return ST_OK;
}

/* ---- its line */

enum status
export_line_path(
    struct bytes lines, uint64_t index, struct arena *mem, struct bundle_run *r)
{
	size_t count = lines.len / BUNDLE_LINE_LEN;
	uint8_t(*leaf)[HASH_LEN] = calloc(count + 1, HASH_LEN);
	struct merkle_leaves leaves = {
		.leaf = (const uint8_t(*)[HASH_LEN])leaf, .count = count
	};
	struct merkle_proof path;
	enum status st = ST_NOMEM;

	if (leaf == NULL)
		return st;
	for (size_t i = 0; i < count; i++)
		merkle_leaf(leaf[i],
		    bytes_of(lines.p + i * BUNDLE_LINE_LEN, BUNDLE_LINE_LEN));
	st = merkle_prove_inclusion(
	    merkle_read_leaves, &leaves, index, count, &path);
	free(leaf);
	if (st != ST_OK)
		return st;
	r->index = index;
	return keep(mem, bytes_of(path.hash, path.count * HASH_LEN), &r->path);
}

/* ---- its proof */

/* A member of `on` that is this number. */
static bool
is_number(const struct entry *e, size_t i, uint64_t want)
{
	const struct json_node *n = &e->body.node[entry_value(e, i)];

	return n->type == JSON_INT && n->num >= 0 && (uint64_t)n->num == want;
}

/* Is it the `returned@1` of that line?  (dev, chain, first, last …) */
static bool
is_of_line(const struct entry *e, const uint8_t *line)
{
	uint8_t chain[CHAIN_LEN];

	return bytes_eq_str(e->kind, "returned@1") && e->verb == DO_OPEN &&
	       e->body_is == ENTRY_BODY_WHOLE && e->on_count >= 4 &&
	       e->more != 0 && json_get(&e->body, e->more, "prev") == 0 &&
	       json_hex(&e->body, entry_value(e, 1), chain, CHAIN_LEN) ==
		   ST_OK &&
	       memcmp(chain, line + 16, CHAIN_LEN) == 0 &&
	       is_number(e, 2, be64_get(line + 32)) &&
	       is_number(e, 3, be64_get(line + 40));
}

static enum status
take_proof(const struct entry *e, struct arena *mem, struct bundle_run *r)
{
	const struct json *j = &e->body;
	uint32_t note = json_get_typed(j, e->more, "note", JSON_STRING);
	uint32_t list = json_get_typed(j, e->more, "proof", JSON_ARRAY);
	uint8_t path[MERKLE_PROOF_MAX][HASH_LEN];
	int64_t place = json_int(j, e->more, "place", -1);
	size_t count = 0;
	struct buf text;
	enum status st = ST_OK;

	if (note == 0 || list == 0 || place < 0)
		return ST_CORRUPT;
	for (uint32_t n = json_first(j, list); n < json_end(j, list);
	     n = j->node[n].next)
		if (count == MERKLE_PROOF_MAX ||
		    json_hex(j, n, path[count++], HASH_LEN) != ST_OK)
			return ST_CORRUPT;
	buf_init(&text, NOTE_BYTES_MAX);
	json_text(j, note, &text);
	st = text.err;
	if (st == ST_OK)
		st = keep(mem, buf_view(&text), &r->old_note);
	buf_free(&text);
	if (st == ST_OK)
		st = keep(mem, bytes_of(path, count * HASH_LEN), &r->old_path);
	r->old_place = (uint64_t)place;
	r->form = BUNDLE_RETURNED;
	return st;
}

enum status
export_old_proof(struct store_reader *s, const uint8_t *line, uint64_t end,
    struct arena *mem, struct bundle_run *r)
{
	static const uint8_t none[SIG_LEN];
	struct store_entry row;
	struct entry e;
	enum status st = ST_CORRUPT;

	if (memcmp(line + 80, none, SIG_LEN) != 0)
		return ST_OK;
	entry_init(&e);
	/* The centre's own entries end the commit: from its end back. */
	for (uint64_t p = end; p-- > r->place;) {
		st = store_entry(s, p, &row);
		if (st != ST_OK || (row.flags & STORE_SERVER) == 0) {
			st = st == ST_OK ? ST_CORRUPT : st;
			break;
		}
		st = entry_parse(&e, row.bytes);
		if (st == ST_NOMEM)
			break;
		if (st == ST_OK && is_of_line(&e, line)) {
			st = take_proof(&e, mem, r);
			break;
		}
		st = ST_CORRUPT;
	}
	entry_free(&e);
	return st;
}
