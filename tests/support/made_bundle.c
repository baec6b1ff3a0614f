#include "support/made_bundle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "support/expect.h"
#include "verify/bundle.h"

struct row {
	uint64_t place, no, seq;
	uint32_t flags;
	struct bytes bytes; /* owned */
	bool record, context;
};

struct rows {
	struct row *row;
	uint64_t count, size; /* the manifest's size */
};

static bool
one_of(const uint64_t *list, size_t count, uint64_t place, size_t *at)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == place) {
			*at = i;
			return true;
		}
	return false;
}

static bool
names(const struct row *r, const char *text)
{
	const uint8_t *lf = memchr(r->bytes.p, '\n', r->bytes.len);
	size_t n = strlen(text);
	size_t len = lf == NULL ? r->bytes.len : (size_t)(lf - r->bytes.p);

	for (size_t i = 0; i + n <= len; i++)
		if (memcmp(r->bytes.p + i, text, n) == 0)
			return true;
	return false;
}

/* Of a device that writes in the record of `c`. */
static bool
of_writer(struct made *m, const struct made_chain *c, const struct row *r)
{
	for (size_t i = 0; i < m->chain_count; i++)
		if (strcmp(m->chain[i]->rec, c->rec) == 0 &&
		    m->chain[i]->device_rec[0] != '\0' &&
		    names(r, m->chain[i]->device_rec))
			return true;
	return false;
}

static void
read_rows(struct made *m, const struct made_chain *c, struct rows *rs,
    const struct made_bundle *b)
{
	struct db_stmt *s;
	char rec[REC_LEN + 16];
	size_t at;

	(void)snprintf(rec, sizeof(rec), "\"rec\":\"%s\"", c->rec);
	rs->row = calloc(m->f.size + 1, sizeof(*rs->row));
	EXPECT(rs->row != NULL);
	rs->count = 0;
	EXPECT_OK(db_query(&s, m->db,
	    "SELECT place, chain, seq, flags, bytes FROM entries"
	    " ORDER BY place"));
	while (db_next(s) == ST_OK) {
		struct row *r = &rs->row[rs->count++];
		struct bytes raw = db_bytes(s, 4);
		uint8_t *p = malloc(raw.len + 1);
		bool court;

		EXPECT(p != NULL);
		memcpy(p, raw.p, raw.len);
		r->place = db_u64(s, 0);
		r->no = db_u64(s, 1);
		r->seq = db_u64(s, 2);
		r->flags = (uint32_t)db_u64(s, 3);
		r->bytes = bytes_of(p, raw.len);
		court = (r->flags & 16) != 0;
		if (one_of(b->hide, b->hide_count, r->place, &at) ||
		    (r->flags & 4) != 0)
			continue;
		r->record = r->place < rs->size && names(r, rec);
		r->context = court && r->place < rs->size &&
			     (names(r, "\"descriptor@1\"") ||
				 (names(r, "\"device@1\"") &&
				     (names(r, "\"do\":\"open\"") ||
					 names(r, "\"do\":\"advance\"")) &&
				     of_writer(m, c, r)));
	}
	db_done(s);
}

static void
free_rows(struct rows *rs)
{
	for (uint64_t i = 0; i < rs->count; i++)
		free((void *)(uintptr_t)rs->row[i].bytes.p);
	free(rs->row);
}

static struct made_chain *
chain_of(struct made *m, uint64_t no)
{
	for (size_t i = 0; i < m->chain_count; i++)
		if (m->chain[i]->no == no)
			return m->chain[i];
	fail_msg("no chain");
	return NULL;
}

/* ---- the manifest */

static uint64_t
root_hex(struct made *m, const struct rows *rs, bool context, char *hex)
{
	struct frontier f;
	uint8_t leaf[HASH_LEN], root[HASH_LEN];

	frontier_init(&f);
	for (uint64_t i = 0; i < rs->count; i++) {
		if (context ? !rs->row[i].context : !rs->row[i].record)
			continue;
		merkle_leaf(leaf, bytes_of(m->link[i], ID_LEN));
		frontier_add(&f, leaf);
	}
	frontier_root(&f, root);
	hex_encode(hex, bytes_of(root, HASH_LEN));
	return f.size;
}

static void
put_manifest(struct made *m, const struct made_chain *c, struct made_bundle *b,
    const struct rows *rs)
{
	static const char *const on[] = { "record", "size", "count", "root",
		"held", "bare", "context", "context_root" };
	char hex[2][2 * HASH_LEN + 1], rec[REC_LEN + 1] = "";
	uint64_t n = root_hex(m, rs, false, hex[0]);
	uint64_t k = root_hex(m, rs, true, hex[1]);
	struct buf data, more;

	buf_init(&data, ENTRY_BYTES_MAX);
	buf_init(&more, ENTRY_BYTES_MAX);
	buf_printf(&data,
	    "[\"%s\",%" PRIu64 ",%" PRIu64 ",\"%s\",%" PRId64 ",%" PRId64
	    ",%" PRIu64 ",\"%s\"]",
	    c->rec, rs->size, n, hex[0], (int64_t)b->held + b->held_off,
	    (int64_t)b->bare + b->bare_off, k, hex[1]);
	for (size_t i = 0; i < b->withhold_count; i++) {
		if (b->reason[i] == NULL)
			continue;
		buf_str(&more, more.len == 0 ? "{\"withheld\":{\"" : ",\"");
		buf_hex(&more, bytes_of(m->link[b->withhold[i]], ID_LEN));
		buf_printf(&more, "\":\"%s\"", b->reason[i]);
	}
	if (more.len > 0)
		buf_str(&more, "}}");
	if (more.len > 0)
		m->more = buf_cstr(&more);
	b->manifest = m->f.size;
	made_store_server(
	    m, rec, "manifest@1", DO_OPEN, on, 8, buf_cstr(&data), NULL);
	made_store_commit(m);
	buf_free(&data);
	buf_free(&more);
}

/* ---- the file */

struct making {
	struct made *m;
	struct made_bundle *b;
	struct rows rs;
	struct bundle out;
	struct buf paths[64];
	size_t path_count;
};

static bool
wanted(const struct making *k, uint64_t place)
{
	return k->rs.row[place].record || k->rs.row[place].context ||
	       place == k->b->manifest;
}

static void
put_run(struct making *k, uint64_t from, uint64_t to, bool own)
{
	struct made_chain *c = chain_of(k->m, k->rs.row[from].no);
	struct bundle_run *r = bundle_add_run(&k->out);
	size_t at;

	EXPECT(r != NULL);
	r->form = own ? BUNDLE_OWN : BUNDLE_PIECE;
	memcpy(r->chain, c->id, CHAIN_LEN);
	memcpy(r->key, c->key, PUBKEY_LEN);
	r->place = from;
	r->seq = k->rs.row[from].seq;
	memcpy(r->base, k->m->prev[from], HASH_LEN);
	r->step = k->out.step_count;
	for (uint64_t p = from; p <= to; p++) {
		struct bundle_step *s = bundle_add_step(&k->out);
		const struct row *w = &k->rs.row[p];
		const uint8_t *lf = memchr(w->bytes.p, '\n', w->bytes.len);

		EXPECT(s != NULL);
		if ((w->flags & 4) != 0) {
			memcpy(s->digest, w->bytes.p, HASH_LEN);
			continue;
		}
		entry_digest(s->digest, w->bytes);
		if (!wanted(k, p) && !(own && p == to))
			continue;
		s->entry = w->bytes;
		if ((w->flags & 1) != 0 ||
		    one_of(k->b->withhold, k->b->withhold_count, p, &at))
			s->entry.len = lf == NULL ? w->bytes.len
						  : (size_t)(lf - w->bytes.p);
	}
	r->step_count = k->out.step_count - r->step;
}

/* Line `i` of `lines`, whose entries begin at place `at`. */
static void
put_line(struct making *k, const struct buf *lines, uint64_t i)
{
	struct bundle_run *r = &k->out.run[k->out.run_count - 1];
	const uint8_t *line = lines->p + i * BUNDLE_LINE_LEN;
	uint64_t count = lines->len / BUNDLE_LINE_LEN;
	uint8_t(*leaf)[HASH_LEN] = calloc(count, HASH_LEN);
	struct merkle_leaves leaves = {
		.leaf = (const uint8_t(*)[HASH_LEN])leaf, .count = count
	};
	struct buf *path = &k->paths[k->path_count++];
	struct merkle_proof p;

	EXPECT(leaf != NULL && k->path_count <= 64);
	for (uint64_t n = 0; n < count; n++)
		merkle_leaf(leaf[n],
		    bytes_of(lines->p + n * BUNDLE_LINE_LEN, BUNDLE_LINE_LEN));
	EXPECT_OK(
	    merkle_prove_inclusion(merkle_read_leaves, &leaves, i, count, &p));
	buf_init(path, 64 * HASH_LEN);
	buf_add(path, p.hash, p.count * HASH_LEN);
	r->path = buf_view(path);
	r->index = i;
	memcpy(r->salt, line, BUNDLE_LINE_SALT);
	r->first = be64_get(line + 32);
	memcpy(r->sig, line + 80, SIG_LEN);
	free(leaf);
}

static bool
first_wanted(const struct making *k, uint64_t from, uint64_t to, uint64_t *at)
{
	for (*at = from; *at < to; (*at)++)
		if (wanted(k, *at))
			return true;
	return false;
}

static void
put_commit(struct making *k, uint64_t first, uint64_t place,
    const uint8_t sig[SIG_LEN])
{
	struct db_stmt *s;
	struct buf lines;
	uint64_t at = first, from;

	buf_init(&lines, 1 << 20);
	EXPECT_OK(db_query(&s, k->m->db,
	    "SELECT line FROM pieces WHERE place = ?1 ORDER BY idx"));
	db_bind_u64(s, 1, place);
	while (db_next(s) == ST_OK)
		buf_bytes(&lines, db_bytes(s, 0));
	db_done(s);
	for (uint64_t i = 0; i < lines.len / BUNDLE_LINE_LEN; i++) {
		const uint8_t *line = lines.p + i * BUNDLE_LINE_LEN;
		uint64_t end =
		    at + be64_get(line + 40) - be64_get(line + 32) + 1;

		if (first_wanted(k, at, end, &from)) {
			put_run(k, from, end - 1, false);
			put_line(k, &lines, i);
		}
		at = end;
	}
	if (!first_wanted(k, at, place, &from))
		from = place;
	put_run(k, from, place, true);
	memcpy(k->out.run[k->out.run_count - 1].sig, sig, SIG_LEN);
	buf_free(&lines);
}

static void
put_commits(struct making *k)
{
	struct db_stmt *s;
	uint64_t at;

	EXPECT_OK(db_query(&s, k->m->db,
	    "SELECT first, place, sig FROM commits ORDER BY place"));
	while (db_next(s) == ST_OK) {
		uint64_t first = db_u64(s, 0), place = db_u64(s, 1);
		uint8_t sig[SIG_LEN];

		EXPECT_OK(db_copy(s, 2, sig, SIG_LEN));
		if (first_wanted(k, first, place, &at))
			put_commit(k, first, place, sig);
	}
	db_done(s);
}

static void
put_rest(struct making *k, struct buf *ids, struct buf *proof, struct buf *note)
{
	uint64_t *place = calloc(k->rs.count + 1, sizeof(*place));
	struct merkle_leaves leaves = {
		.leaf = (const uint8_t(*)[HASH_LEN])k->m->leaf,
		.count = k->m->f.size
	};
	uint8_t *in = calloc(k->rs.count + 1, 1);
	size_t n = 0, at;

	EXPECT(place != NULL && in != NULL);
	for (size_t i = 0; i < k->out.run_count; i++)
		for (size_t s = 0; s < k->out.run[i].step_count; s++)
			in[k->out.run[i].place + s] = 1;
	for (uint64_t p = 0; p < k->rs.count; p++) {
		struct bundle_mark *mark;

		if (k->rs.row[p].record)
			buf_add(ids, k->m->link[p], ID_LEN);
		if (!in[p] &&
		    one_of(k->b->size, k->b->size_count, p + 1, &at)) {
			in[p] = 1;
			mark = bundle_add_mark(&k->out);
			mark->place = p;
			memcpy(mark->link, k->m->link[p], HASH_LEN);
		}
		if (in[p])
			place[n++] = p;
	}
	made_store_note(k->m, note);
	EXPECT_OK(merkle_prove_many(
	    merkle_read_leaves, &leaves, place, n, k->m->f.size, proof));
	free(place);
	free(in);
}

void
made_bundle_again(
    struct made *m, const struct made_chain *c, struct made_bundle *b)
{
	struct making k = { .m = m, .b = b };
	struct buf ids, proof, note;

	buf_init(&ids, 1 << 20);
	buf_init(&proof, 1 << 20);
	buf_init(&note, NOTE_BYTES_MAX);
	bundle_init(&k.out);
	k.rs.size = b->manifest;
	read_rows(m, c, &k.rs, b);
	put_commits(&k);
	put_rest(&k, &ids, &proof, &note);
	k.out.note = buf_view(&note);
	k.out.manifest = b->manifest;
	k.out.ids = buf_view(&ids);
	k.out.proof = buf_view(&proof);
	buf_free(&b->file);
	buf_init(&b->file, BUNDLE_BYTES_MAX);
	EXPECT_OK(bundle_write(&k.out, &b->file));
	for (size_t i = 0; i < k.path_count; i++)
		buf_free(&k.paths[i]);
	bundle_free(&k.out);
	free_rows(&k.rs);
	buf_free(&ids);
	buf_free(&proof);
	buf_free(&note);
}

void
made_bundle_make(
    struct made *m, const struct made_chain *c, struct made_bundle *b)
{
	struct rows rs = { .size = m->f.size };

	read_rows(m, c, &rs, b);
	put_manifest(m, c, b, &rs);
	free_rows(&rs);
	made_bundle_again(m, c, b);
}
