#include "support/made_store.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/chain.h"
#include "support/expect.h"
#include "tlog/descriptor.h"
#include "tlog/proof.h"

/* As docs/FORMAT.md, "The centre's store", has it. */
static const char schema[] =
    "PRAGMA application_id=1145205620;PRAGMA user_version=1;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE head(id INTEGER PRIMARY KEY, size INTEGER, root BLOB,"
    " frontier BLOB);"
    "CREATE TABLE chains(no INTEGER, branch INTEGER, id BLOB, key BLOB,"
    " parent INTEGER, base_seq INTEGER, base_link BLOB, last_seq INTEGER,"
    " last_link BLOB, last_place INTEGER, status INTEGER,"
    " PRIMARY KEY(no, branch)) WITHOUT ROWID;"
    "CREATE TABLE entries(place INTEGER PRIMARY KEY, chain INTEGER,"
    " seq INTEGER, branch INTEGER, flags INTEGER, prev BLOB, link BLOB,"
    " bytes BLOB);"
    "CREATE INDEX entries_at ON entries(chain, seq, branch);"
    "CREATE TABLE commits(place INTEGER PRIMARY KEY, first INTEGER,"
    " wall INTEGER, pieces INTEGER, sig BLOB);"
    "CREATE TABLE pieces(place INTEGER, idx INTEGER, line BLOB,"
    " PRIMARY KEY(place, idx)) WITHOUT ROWID;";

static void
fill(struct made *m, void *out, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++) {
		m->rnd = m->rnd * UINT64_C(6364136223846793005) +
			 UINT64_C(1442695040888963407);
		p[i] = (uint8_t)(m->rnd >> 56);
	}
}

static void
new_key(struct made *m, uint8_t key[PUBKEY_LEN], uint8_t secret[64])
{
	uint8_t seed[32];

	fill(m, seed, sizeof(seed));
	EXPECT(crypto_sign_seed_keypair(key, secret, seed) == 0);
}

static void
new_rec(struct made *m, char rec[REC_LEN + 1])
{
	uint8_t rnd[10];

	fill(m, rnd, sizeof(rnd));
	rec_new(rec, m->wall, rnd);
}

static void
new_chain(struct made *m, struct made_chain *c)
{
	memset(c, 0, sizeof(*c));
	new_key(m, c->key, c->secret);
	fill(m, c->id, CHAIN_LEN);
	chain_dev(c->dev, c->key);
	chain_link0(c->link, m->court_id, c->key, c->id);
	memcpy(c->base_link, c->link, HASH_LEN);
	EXPECT(m->chain_count < MADE_CHAINS_MAX);
	m->chain[m->chain_count++] = c;
	c->no = m->chain_count;
	new_rec(m, c->rec);
}

/* ---- rows */

static void
put_row(struct made *m, struct made_chain *c, struct bytes bytes)
{
	uint64_t place = m->f.size;
	uint8_t digest[HASH_LEN], prev[HASH_LEN];
	struct db_stmt *s;

	if (place == m->leaf_cap) {
		m->leaf_cap = m->leaf_cap == 0 ? 1024 : 2 * m->leaf_cap;
		m->leaf = realloc(m->leaf, m->leaf_cap * HASH_LEN);
		m->link = realloc(m->link, m->leaf_cap * HASH_LEN);
		m->prev = realloc(m->prev, m->leaf_cap * HASH_LEN);
		EXPECT(m->leaf != NULL && m->link != NULL && m->prev != NULL);
	}
	memcpy(prev, c->link, HASH_LEN);
	memcpy(m->prev[place], prev, HASH_LEN);
	entry_digest(digest, bytes);
	chain_link(c->link, prev, ++c->seq, digest);
	memcpy(m->link[place], c->link, HASH_LEN);
	merkle_leaf(m->leaf[place], bytes_of(c->link, HASH_LEN));
	frontier_add(&m->f, m->leaf[place]);
	EXPECT_OK(db_query(&s, m->db,
	    "INSERT INTO entries(place, chain, seq, branch, flags, prev, link,"
	    " bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
	db_bind_u64(s, 1, place);
	db_bind_u64(s, 2, c->no);
	db_bind_u64(s, 3, c->seq);
	db_bind_u64(s, 4, c->branch);
	db_bind_u64(s, 5, m->flags | (c == &m->server ? 16 : 0));
	if (place > 0 && memcmp(m->link[place - 1], prev, HASH_LEN) == 0)
		db_bind_null(s, 6);
	else
		db_bind_bytes(s, 6, bytes_of(prev, HASH_LEN));
	db_bind_bytes(s, 7, bytes_of(c->link, HASH_LEN));
	db_bind_bytes(s, 8, bytes);
	EXPECT_OK(db_run(s));
	c->last_place = place;
}

static void
write_entry(struct made *m, struct made_chain *c, struct entry_new *n)
{
	const char *why = "";
	char at[32];

	m->wall += 1000;
	at_format(at, m->wall, 480);
	n->court = "xz0302";
	memcpy(n->chain, c->id, CHAIN_LEN);
	n->seq = c->seq + 1;
	n->by = "daybreak";
	n->at = at;
	n->wall = m->wall;
	n->mono = m->wall % 1000000;
	n->dev = n->seq == 1 ? c->dev : NULL;
	fill(m, n->salt, SALT_LEN);
	buf_reset(&m->entry);
	if (entry_write(n, &m->entry, &why) != ST_OK)
		print_message("entry: %s\n", why);
	EXPECT(m->entry.len > 0);
	put_row(m, c, buf_view(&m->entry));
}

void
made_store_raw(struct made *m, struct made_chain *c, struct bytes raw)
{
	put_row(m, c, raw);
}

void
made_store_server(struct made *m, char rec[REC_LEN + 1], const char *kind,
    enum verb verb, const char *const *on, size_t on_count, const char *data,
    const char *reason)
{
	struct bytes names[16];
	struct entry_new n = { .rec = rec,
		.kind = kind,
		.verb = verb,
		.on = names,
		.on_count = on_count,
		.data = bytes_str(data) };

	EXPECT(on_count <= 16);
	for (size_t i = 0; i < on_count; i++)
		names[i] = bytes_str(on[i]);
	if (reason != NULL)
		n.reason = bytes_str(reason);
	if (m->more != NULL)
		n.more = bytes_str(m->more);
	m->more = NULL;
	if (rec[0] == '\0')
		new_rec(m, rec);
	write_entry(m, &m->server, &n);
}

/* ---- the court */

/* m->desc as a file, signed by the root, and as an entry. */
static void
say_descriptor(struct made *m)
{
	static const char *const on[] = { "n", "sha256", "file" };
	char rec[REC_LEN + 1] = "";
	struct buf line, file, data;

	buf_init(&line, DESCRIPTOR_BYTES_MAX);
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	buf_init(&data, ENTRY_BYTES_MAX);
	EXPECT_OK(descriptor_format(m->desc, &line));
	descriptor_digest(m->desc->digest, buf_view(&line));
	buf_bytes(&file, buf_view(&line));
	buf_u8(&file, '\n');
	descriptor_sign(buf_view(&line), m->root_secret, &file);
	if (m->desc->version == 1) {
		buf_bytes(&m->descriptor, buf_view(&file));
		memcpy(m->court_id, m->desc->digest, HASH_LEN);
		chain_link0(
		    m->server.link, m->court_id, m->server.key, m->server.id);
		memcpy(m->server.base_link, m->server.link, HASH_LEN);
	}
	buf_printf(&data, "[%u,", (unsigned)m->desc->version);
	json_put_hex(&data, bytes_of(m->desc->digest, HASH_LEN));
	buf_u8(&data, ',');
	json_put_string(&data, buf_view(&file));
	buf_u8(&data, ']');
	made_store_server(
	    m, rec, "descriptor@1", DO_OPEN, on, 3, buf_cstr(&data), NULL);
	buf_free(&line);
	buf_free(&file);
	buf_free(&data);
}

static void
new_log(struct made *m, const char *name)
{
	uint8_t log[PUBKEY_LEN];
	struct buf b;

	buf_init(&b, sizeof(m->vkey));
	new_key(m, log, m->log_secret);
	EXPECT_OK(note_key_make(&m->log, name, NOTE_ED25519, log));
	note_key_format(&m->log, &b);
	memcpy(m->vkey, b.p, b.len);
	m->vkey[b.len] = '\0';
	buf_free(&b);
	m->desc->log = m->log;
}

static void
put_descriptor(struct made *m)
{
	struct descriptor *d = m->desc = calloc(1, sizeof(*d));

	EXPECT(d != NULL);
	new_key(m, d->root, m->root_secret);
	new_log(m, "xz0302.daybreak/log");
	d->version = 1;
	(void)snprintf(d->court, sizeof(d->court), "xz0302");
	(void)snprintf(d->name, sizeof(d->name), "徐州");
	memcpy(d->server, m->server.key, PUBKEY_LEN);
	fill(m, d->recovery, PUBKEY_LEN);
	fill(m, d->ca, 64);
	d->ca_len = 64;
	say_descriptor(m);
}

void
made_store_swap_server(struct made *m)
{
	struct made_chain other = m->other_server;

	m->other_server = m->server;
	m->server = other;
}

void
made_store_version(struct made *m, const struct made_version *v)
{
	struct descriptor *d = m->desc;

	d->version++;
	memcpy(d->prev, d->digest, HASH_LEN);
	if (v->new_log)
		new_log(m, "xz0302.daybreak/log-2");
	if (v->new_server) {
		new_chain(m, &m->other_server);
		m->other_server.status = 2;
		made_store_swap_server(m);
		memcpy(d->server, m->server.key, PUBKEY_LEN);
	}
	for (size_t i = 0; i < v->distrust_count; i++)
		d->distrust[d->distrust_count++] = v->distrust[i];
	say_descriptor(m);
}

void
made_store_open(struct made *m, const char *path, uint64_t seed)
{
	struct db_config dc = {
		.path = path, .create = true, .sync = DB_SYNC_OFF
	};

	memset(m, 0, sizeof(*m));
	m->rnd = seed * 2 + 1;
	m->wall = UINT64_C(1743454800000);
	frontier_init(&m->f);
	buf_init(&m->descriptor, DESCRIPTOR_FILE_MAX);
	buf_init(&m->lines, 64 << 20);
	buf_init(&m->entry, ENTRY_BYTES_MAX);
	EXPECT_OK(db_open(&m->db, &dc));
	EXPECT_OK(db_exec(m->db, schema));
	EXPECT_OK(db_begin(m->db));
	new_chain(m, &m->server);
	m->server.status = 2;
	put_descriptor(m);
	made_store_commit(m);
}

static void
put_chain(struct made *m, const struct made_chain *c)
{
	struct db_stmt *s;

	EXPECT_OK(db_query(&s, m->db,
	    "INSERT INTO chains VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
	    " ?10, ?11)"));
	db_bind_u64(s, 1, c->no);
	db_bind_u64(s, 2, c->branch);
	db_bind_bytes(s, 3, bytes_of(c->id, CHAIN_LEN));
	db_bind_bytes(s, 4, bytes_of(c->key, PUBKEY_LEN));
	db_bind_u64(s, 5, c->parent);
	db_bind_u64(s, 6, c->base_seq);
	db_bind_bytes(s, 7, bytes_of(c->base_link, HASH_LEN));
	db_bind_u64(s, 8, c->seq);
	db_bind_bytes(s, 9, bytes_of(c->link, HASH_LEN));
	db_bind_u64(s, 10, c->last_place);
	db_bind_u64(s, 11, c->status);
	EXPECT_OK(db_run(s));
}

void
made_store_shut(struct made *m)
{
	uint8_t root[HASH_LEN];
	struct db_stmt *s;

	if (m->db == NULL)
		return;
	for (size_t i = 0; i < m->chain_count; i++)
		put_chain(m, m->chain[i]);
	frontier_root(&m->f, root);
	EXPECT_OK(
	    db_query(&s, m->db, "INSERT INTO head VALUES(1, ?1, ?2, x'')"));
	db_bind_u64(s, 1, m->f.size);
	db_bind_bytes(s, 2, bytes_of(root, HASH_LEN));
	EXPECT_OK(db_run(s));
	EXPECT_OK(db_commit(m->db));
	db_close(m->db);
	m->db = NULL;
}

void
made_store_close(struct made *m)
{
	made_store_shut(m);
	free(m->leaf);
	free(m->link);
	free(m->prev);
	free(m->desc);
	buf_free(&m->descriptor);
	buf_free(&m->lines);
	buf_free(&m->entry);
}

/* ---- devices */

void
made_store_device(struct made *m, struct made_chain *c)
{
	new_chain(m, c);
}

void
made_store_enrol(struct made *m, struct made_chain *c)
{
	static const char *const on[] = { "dev", "key", "person", "team" };
	char data[256], hex[2 * PUBKEY_LEN + 1];

	hex_encode(hex, bytes_of(c->key, PUBKEY_LEN));
	(void)snprintf(
	    data, sizeof(data), "[\"%s\",\"%s\",\"7001\",\"A\"]", c->dev, hex);
	c->device_rec[0] = '\0';
	made_store_server(
	    m, c->device_rec, "device@1", DO_OPEN, on, 4, data, NULL);
}

void
made_store_revoke(struct made *m, struct made_chain *c, const char *word)
{
	const char *on[] = { word };

	made_store_server(m, c->device_rec, "device@1", DO_ADVANCE, on, 1,
	    "[null]", "lost in the field");
}

void
made_store_entry(struct made *m, struct made_chain *c, enum verb verb,
    const char *on, const char *data)
{
	struct bytes name = bytes_str(on);
	struct entry_new n = { .rec = c->rec,
		.kind = "search@1",
		.verb = verb,
		.on = &name,
		.on_count = 1,
		.data = bytes_str(data) };

	if (c->rec_count++ > 0) {
		n.after = &c->last_id;
		n.after_count = 1;
	}
	write_entry(m, c, &n);
	memcpy(c->last_id, c->link, ID_LEN);
}

void
made_store_line_by(struct made *m, struct made_chain *c, uint64_t first,
    const struct made_chain *signer)
{
	uint8_t head[16 + CHAIN_LEN + 16 + HASH_LEN], sig[SIG_LEN];

	fill(m, head, 16);
	memcpy(head + 16, c->id, CHAIN_LEN);
	be64_put(head + 32, first);
	be64_put(head + 40, c->seq);
	memcpy(head + 48, c->link, HASH_LEN);
	chain_sign(sig, signer->secret, c->id, c->seq, c->link);
	buf_add(&m->lines, head, sizeof(head));
	buf_add(&m->lines, sig, SIG_LEN);
}

void
made_store_line(struct made *m, struct made_chain *c, uint64_t first)
{
	made_store_line_by(m, c, first, c);
}

void
made_store_piece(struct made *m, struct made_chain *c, size_t count)
{
	uint64_t first = c->seq + 1;
	char data[512];

	for (size_t i = 0; i < count; i++) {
		/* About as long as a real one. */
		(void)snprintf(data, sizeof(data),
		    "[\"客厅书桌左侧抽屉内发现一只棕色皮质钱包，内有现金若干，"
		    "当场清点并拍照，见证人在场 %" PRIu64 "\"]",
		    c->seq);
		made_store_entry(m, c, c->rec_count == 0 ? DO_OPEN : DO_SET,
		    "place/note", data);
	}
	made_store_line(m, c, first);
}

void
made_store_fork(
    struct made *m, struct made_chain *b, const struct made_chain *c)
{
	*b = *c;
	EXPECT(m->chain_count < MADE_CHAINS_MAX);
	m->chain[m->chain_count++] = b;
	b->branch = c->branch + 1;
	b->parent = c->branch;
	b->base_seq = c->seq;
	memcpy(b->base_link, c->link, HASH_LEN);
	b->status = 1;
}

void
made_store_hold(struct made *m, const struct made_chain *c)
{
	char hex[2 * ID_LEN + 1], rec[REC_LEN + 1];
	const char *on[] = { hex };

	hex_encode(hex, bytes_of(c->link, ID_LEN));
	memcpy(rec, c->rec, sizeof(rec));
	made_store_server(
	    m, rec, "search@1", DO_HOLD, on, 1, "[null]", "held in a test");
}

void
made_store_manifest(struct made *m, const struct made_chain *c,
    const uint64_t *places, size_t count, int64_t wrong)
{
	static const char *const on[] = { "record", "size", "count", "root",
		"held", "bare" };
	char data[512], hex[2 * HASH_LEN + 1], rec[REC_LEN + 1] = "";
	uint8_t root[HASH_LEN], leaf[HASH_LEN];
	struct frontier f;

	frontier_init(&f);
	for (size_t i = 0; i < count; i++) {
		merkle_leaf(leaf, bytes_of(m->link[places[i]], ID_LEN));
		frontier_add(&f, leaf);
	}
	frontier_root(&f, root);
	hex_encode(hex, bytes_of(root, HASH_LEN));
	(void)snprintf(data, sizeof(data),
	    "[\"%s\",%" PRIu64 ",%" PRId64 ",\"%s\",0,0]", c->rec, m->f.size,
	    (int64_t)count + wrong, hex);
	made_store_server(m, rec, "manifest@1", DO_OPEN, on, 6, data, NULL);
}

/* ---- commits and what the log signs */

void
made_store_commit(struct made *m)
{
	static const char *const on[] = { "first", "pieces", "root" };
	char data[256], hex[2 * HASH_LEN + 1], rec[REC_LEN + 1] = "";
	uint8_t root[HASH_LEN], leaf[HASH_LEN], sig[SIG_LEN];
	uint64_t count = m->lines.len / 144, place;
	struct frontier f;
	struct db_stmt *s;

	frontier_init(&f);
	for (uint64_t i = 0; i < count; i++) {
		merkle_leaf(leaf, bytes_of(m->lines.p + i * 144, 144));
		frontier_add(&f, leaf);
	}
	frontier_root(&f, root);
	hex_encode(hex, bytes_of(root, HASH_LEN));
	(void)snprintf(data, sizeof(data), "[%" PRIu64 ",%" PRIu64 ",\"%s\"]",
	    m->commit_first, count, hex);
	made_store_server(m, rec, "commit@1", DO_OPEN, on, 3, data, NULL);
	place = m->f.size - 1;
	chain_sign(
	    sig, m->server.secret, m->server.id, m->server.seq, m->server.link);
	EXPECT_OK(db_query(
	    &s, m->db, "INSERT INTO commits VALUES(?1, ?2, ?3, ?4, ?5)"));
	db_bind_u64(s, 1, place);
	db_bind_u64(s, 2, m->commit_first);
	db_bind_u64(s, 3, m->wall);
	db_bind_u64(s, 4, count);
	db_bind_bytes(s, 5, bytes_of(sig, SIG_LEN));
	EXPECT_OK(db_run(s));
	for (uint64_t i = 0; i < count; i++) {
		EXPECT_OK(db_query(
		    &s, m->db, "INSERT INTO pieces VALUES(?1, ?2, ?3)"));
		db_bind_u64(s, 1, place);
		db_bind_u64(s, 2, i);
		db_bind_bytes(s, 3, bytes_of(m->lines.p + i * 144, 144));
		EXPECT_OK(db_run(s));
	}
	buf_reset(&m->lines);
	m->commit_first = m->f.size;
}

void
made_store_note_of(struct made *m, uint64_t size, const uint8_t root[HASH_LEN],
    struct buf *out)
{
	struct checkpoint cp = { .size = size };

	memcpy(cp.origin, m->log.name, sizeof(cp.origin));
	memcpy(cp.root, root, HASH_LEN);
	EXPECT_OK(checkpoint_sign(&cp, &m->log, m->log_secret, out));
}

void
made_store_note(struct made *m, struct buf *out)
{
	uint8_t root[HASH_LEN];

	frontier_root(&m->f, root);
	made_store_note_of(m, m->f.size, root, out);
}

void
made_store_receipt(struct made *m, uint64_t place, struct buf *out)
{
	struct merkle_leaves leaves = {
		.leaf = (const uint8_t(*)[HASH_LEN])m->leaf, .count = m->f.size
	};
	struct proof p = { .has_prev = true, .index = place };
	struct buf note;

	buf_init(&note, NOTE_BYTES_MAX);
	made_store_note(m, &note);
	memcpy(p.prev, m->prev[place], HASH_LEN);
	p.note = buf_view(&note);
	EXPECT_OK(merkle_prove_inclusion(
	    merkle_read_leaves, &leaves, place, m->f.size, &p.path));
	EXPECT_OK(proof_format(&p, out));
	buf_free(&note);
}
