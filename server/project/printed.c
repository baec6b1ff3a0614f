#include "server/project/printed.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/chain.h"
#include "entry/json.h"

enum { PARTS_MAX_SHOWN = 1024, SKELETON_MAX = 64 << 20, FORM_ID_MAX = 64 };

struct printed {
	struct printed_config cfg;
	const struct forms *forms; /* borrowed for an ask */
	struct entry entry;
	struct buf raw;  /* the entry's own bytes */
	struct buf text; /* its summary */
	struct buf then, now, was, is;
	struct json j;
	struct bytes part[PARTS_MAX_SHOWN];
};

enum status
printed_new(struct printed **out, const struct printed_config *c)
{
	struct printed *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ST_NOMEM;
	p->cfg = *c;
	entry_init(&p->entry);
	json_init(&p->j);
	buf_init(&p->raw, ENTRY_BYTES_MAX);
	buf_init(&p->text, ENTRY_BYTES_MAX);
	buf_init(&p->then, SKELETON_MAX);
	buf_init(&p->now, SKELETON_MAX);
	buf_init(&p->was, SKELETON_MAX);
	buf_init(&p->is, SKELETON_MAX);
	*out = p;
	return ST_OK;
}

void
printed_free(struct printed *p)
{
	if (p == NULL)
		return;
	entry_free(&p->entry);
	json_free(&p->j);
	buf_free(&p->raw);
	buf_free(&p->text);
	buf_free(&p->then);
	buf_free(&p->now);
	buf_free(&p->was);
	buf_free(&p->is);
	free(p);
}

/* ---- the entry itself */

/* A hostile handheld writes what it likes: without a summary that could have
 * stood on a paper it is no print that anybody can ask for. */
static bool
read_summary(struct printed *p, uint8_t digest[HASH_LEN])
{
	const struct entry *e = &p->entry;
	uint8_t salt[PAPER_SALT_LEN];
	uint32_t n;

	if (e->body_is != ENTRY_BODY_WHOLE || e->verb != DO_PRINT ||
	    e->more == 0 || e->rec.len != REC_LEN)
		return false;
	n = json_get_typed(&e->body, e->more, "salt", JSON_STRING);
	if (n == 0 || json_hex(&e->body, n, salt, sizeof(salt)) != ST_OK)
		return false;
	n = json_get_typed(&e->body, e->more, "summary", JSON_STRING);
	if (n == 0)
		return false;
	buf_reset(&p->text);
	json_text(&e->body, n, &p->text);
	return p->text.err == ST_OK &&
	       paper_digest(digest, salt, buf_view(&p->text)) == ST_OK;
}

/* Is the code on the paper that of the entry which the log has? */
static bool
code_fits(struct printed *p, const struct paper_code *code,
    const struct centre_entry *ce)
{
	struct centre_chain chain;
	char dev[DEV_LEN + 1], stated[DEV_LEN + 1];

	if (memcmp(code->chain, ce->chain, CHAIN_LEN) != 0 ||
	    code->seq != ce->seq ||
	    memcmp(code->link, ce->link, HASH_LEN) != 0 ||
	    (code->has_place && code->place != ce->place) ||
	    centre_chain(p->cfg.centre, ce->chain, &chain) != ST_OK)
		return false;
	chain_dev(dev, chain.key);
	base32_encode(stated, bytes_of(code->dev, PAPER_DEV_LEN));
	return strcmp(dev, stated) == 0 &&
	       chain_verify(code->sig, chain.key, code->chain, code->seq,
		   code->link) == ST_OK;
}

/* ---- was it corrected? */

/* The members of one object of a skeleton that the form shows. */
static void
put_shown(
    struct printed *p, const char *name, const struct form *f, struct buf *out)
{
	uint32_t n = json_get_typed(&p->j, 0, name, JSON_OBJECT);

	for (uint32_t i = n == 0 ? 0 : json_first(&p->j, n);
	     n != 0 && i < json_end(&p->j, n); i = p->j.node[i + 1].next) {
		struct bytes path = json_raw(&p->j, i);

		if (f != NULL && !form_shows(f, path))
			continue;
		buf_bytes(out, path);
		buf_u8(out, '\n');
		json_canon(&p->j, i + 1, out);
		buf_u8(out, '\n');
	}
}

static enum status
narrow(struct printed *p, const struct buf *skeleton, const struct form *f,
    struct buf *out)
{
	enum status st = json_parse(&p->j, buf_view(skeleton), JSON_DOCUMENT);

	buf_reset(out);
	if (st != ST_OK)
		return st == ST_INVALID ? ST_CORRUPT : st;
	put_shown(p, "fields", f, out);
	buf_u8(out, '\n');
	put_shown(p, "items", f, out);
	return out->err;
}

/* The form that was printed; NULL: one that is not known here, so that every
 * part of the record counts. */
static const struct form *
form_of(struct printed *p)
{
	char id[FORM_ID_MAX + 1];

	if (!json_member_text(
		&p->entry.body, p->entry.more, "form", id, sizeof(id)))
		return NULL;
	return forms_find(p->forms, bytes_str(id));
}

static enum status
compare(struct printed *p, const uint8_t id[ID_LEN], bool *differ)
{
	const struct merge *m = fold_merge(p->cfg.fold);
	const struct form *f = form_of(p);
	size_t parts = 1;
	enum status st;

	p->part[0] = bytes_str("");
	if (f != NULL)
		parts = form_parts(f, p->part, PARTS_MAX_SHOWN);
	if (parts > PARTS_MAX_SHOWN)
		return ST_LIMIT;
	buf_reset(&p->then);
	buf_reset(&p->now);
	st = merge_skeleton_known(
	    m, id, p->entry.kind, p->part, parts, &p->then);
	if (st == ST_OK)
		st = merge_skeleton(m, p->entry.kind, p->part, parts, &p->now);
	if (st == ST_OK)
		st = narrow(p, &p->then, f, &p->was);
	if (st == ST_OK)
		st = narrow(p, &p->now, f, &p->is);
	if (st == ST_OK)
		*differ = !bytes_eq(buf_view(&p->was), buf_view(&p->is));
	return st;
}

static enum status
judge(struct printed *p, const uint8_t id[ID_LEN], uint64_t bound,
    struct printed_answer *out)
{
	char rec[REC_LEN + 1], act[2 * ID_LEN + 2] = "@";
	const struct merge *m;
	enum status st;

	memcpy(rec, p->entry.rec.p, REC_LEN);
	rec[REC_LEN] = '\0';
	st = fold_load_below(p->cfg.fold, rec, bound);
	if (st != ST_OK)
		return st;
	m = fold_merge(p->cfg.fold);
	hex_encode(act + 1, bytes_of(id, ID_LEN));
	/* Held, or kept out of the merge: as if it were not there. */
	if (merge_standing(m, bytes_str(act)) == MERGE_UNKNOWN) {
		out->is = PRINTED_LATER;
		return ST_OK;
	}
	out->is_void = merge_void(m);
	st = compare(p, id, &out->corrected);
	out->corrected = out->corrected || out->is_void;
	return st;
}

enum status
printed_ask(struct printed *p, const struct forms *forms,
    const uint8_t id[ID_LEN], const struct paper_code *code,
    struct printed_answer *out)
{
	struct centre_entry ce;
	uint64_t bound = 0;
	enum status st;

	memset(out, 0, sizeof(*out));
	p->forms = forms;
	st = project_printed(p->cfg.project, id, &out->place, &bound);
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_OK : st;
	st = centre_entry(p->cfg.reader, out->place, &ce);
	if (st != ST_OK)
		return st;
	buf_reset(&p->raw);
	buf_bytes(&p->raw, ce.bytes);
	st = p->raw.err;
	if (st == ST_OK)
		st = entry_parse(&p->entry, buf_view(&p->raw));
	if (st == ST_INVALID || (st == ST_OK && !read_summary(p, out->digest)))
		return ST_OK;
	if (st != ST_OK)
		return st;
	out->is = PRINTED_FOUND;
	out->received_ms = ce.received_ms;
	memcpy(out->prev, ce.prev, HASH_LEN);
	out->head = p->entry.head_line;
	if (code != NULL && !code_fits(p, code, &ce)) {
		out->is = PRINTED_FALSE;
		return ST_OK;
	}
	return judge(p, id, bound, out);
}
