#include "chainfile/chainfile.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "chainfile/chainfile_inner.h"
#include "chainfile/vault.h"
#include "entry/chain.h"

enum {
	ROW_VERSION = 1,
	CHAIN_ROW = CHAIN_LEN + HASH_LEN + PUBKEY_LEN,
	SQL_MAX = 160
};

enum status
chainfile_query(struct db_stmt **out, struct chainfile *f, const char *before,
    uint32_t number, const char *after)
{
	char text[SQL_MAX];
	int n = snprintf(text, sizeof(text), "%s%u%s", before, number, after);

	assert(n > 0 && n < SQL_MAX);
	return db_query(out, f->db, text);
}

/* ---- chains */

static const char *
chain_name(char name[VAULT_NAME_MAX + 1], uint32_t number)
{
	(void)snprintf(name, VAULT_NAME_MAX + 1, "chain/%u", number);
	return name;
}

enum status
chainfile_chain_get(
    struct chainfile *f, uint32_t number, struct chainfile_chain *out)
{
	struct chainfile_chain c = { .number = number };
	char name[VAULT_NAME_MAX + 1];
	enum status st;
	struct buf b;

	buf_init(&b, VAULT_BYTES_MAX);
	st = vault_get(f->db, chain_name(name, number), &b);
	if (st == ST_OK && b.len != CHAIN_ROW)
		st = ST_CORRUPT;
	if (st == ST_OK) {
		memcpy(c.chain, b.p, CHAIN_LEN);
		memcpy(c.court_id, b.p + CHAIN_LEN, HASH_LEN);
		memcpy(c.public_key, b.p + CHAIN_LEN + HASH_LEN, PUBKEY_LEN);
		chain_link0(c.link0, c.court_id, c.public_key, c.chain);
		*out = c;
	}
	buf_free(&b);
	return st;
}

enum status
chainfile_chain_find(struct chainfile *f, const uint8_t chain[CHAIN_LEN],
    struct chainfile_chain *out)
{
	uint32_t last;
	enum status st = chainfile_chain_last(f, &last);

	if (st != ST_OK)
		return st;
	/* From the newest: that is the one asked for. */
	for (uint32_t n = last; n >= 1; n--) {
		struct chainfile_chain c;

		st = chainfile_chain_get(f, n, &c);
		if (st != ST_OK)
			return st;
		if (memcmp(c.chain, chain, CHAIN_LEN) == 0) {
			*out = c;
			return ST_OK;
		}
	}
	return ST_ABSENT;
}

enum status
chainfile_chain_last(struct chainfile *f, uint32_t *out)
{
	/* The tables themselves are the count: no row to lose. */
	int64_t n;
	enum status st = db_scalar(&n, f->db,
	    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND "
	    "name GLOB 'spine_[0-9]*'");

	if (st != ST_OK)
		return st;
	if (n < 0 || n > CHAINFILE_CHAINS_MAX)
		return ST_CORRUPT;
	*out = (uint32_t)n;
	return ST_OK;
}

enum status
chainfile_chain_add(struct chainfile *f, struct chainfile_chain *c)
{
	char name[VAULT_NAME_MAX + 1], sql[400];
	uint8_t row[CHAIN_ROW];
	uint32_t last;
	enum status st = chainfile_chain_last(f, &last);

	assert(db_in_transaction(f->db));
	if (st != ST_OK)
		return st;
	if (last >= CHAINFILE_CHAINS_MAX)
		return ST_LIMIT;
	c->number = last + 1;
	memcpy(row, c->chain, CHAIN_LEN);
	memcpy(row + CHAIN_LEN, c->court_id, HASH_LEN);
	memcpy(row + CHAIN_LEN + HASH_LEN, c->public_key, PUBKEY_LEN);
	chain_link0(c->link0, c->court_id, c->public_key, c->chain);
	st = vault_put(
	    f->db, chain_name(name, c->number), bytes_of(row, sizeof(row)));
	if (st != ST_OK)
		return st;
	(void)snprintf(sql, sizeof(sql),
	    "CREATE TABLE entry_%u (seq INTEGER PRIMARY KEY, sealed BLOB NOT "
	    "NULL) STRICT; CREATE TABLE spine_%u (seq INTEGER PRIMARY KEY, "
	    "digest BLOB NOT NULL, link BLOB NOT NULL, sig BLOB NOT NULL) "
	    "STRICT",
	    c->number, c->number);
	return db_exec(f->db, sql);
}

/* ---- places */

enum status
chainfile_spine_get(struct chainfile *f, uint32_t number, uint64_t seq,
    struct chainfile_spine *out)
{
	struct chainfile_spine sp;
	struct db_stmt *s;
	enum status st = chainfile_query(&s, f,
	    "SELECT digest, link, sig FROM spine_", number, " WHERE seq = ?1");

	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, seq);
	st = db_next(s);
	if (st == ST_OK)
		st = db_copy(s, 0, sp.digest, HASH_LEN);
	if (st == ST_OK)
		st = db_copy(s, 1, sp.link, HASH_LEN);
	if (st == ST_OK)
		st = db_copy(s, 2, sp.sig, SIG_LEN);
	db_done(s);
	if (st == ST_OK)
		*out = sp;
	return st;
}

enum status
chainfile_spine_put(struct chainfile *f, uint32_t number, uint64_t seq,
    const struct chainfile_spine *in, bool replace)
{
	struct db_stmt *s;
	enum status st = chainfile_query(&s, f,
	    replace ? "INSERT OR REPLACE INTO spine_" : "INSERT INTO spine_",
	    number, " VALUES (?1, ?2, ?3, ?4)");

	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, seq);
	db_bind_bytes(s, 2, bytes_of(in->digest, HASH_LEN));
	db_bind_bytes(s, 3, bytes_of(in->link, HASH_LEN));
	db_bind_bytes(s, 4, bytes_of(in->sig, SIG_LEN));
	return db_run(s);
}

enum status
chainfile_entry_put(struct chainfile *f, const struct chainfile_chain *c,
    uint64_t seq, struct bytes row, bool replace)
{
	struct seal_place at = chainfile_place("entry", c->chain, seq);
	struct db_stmt *s;
	struct buf sealed;
	enum status st;

	buf_init(&sealed, CHAINFILE_ROW_MAX);
	st = chainfile_seal(f, &sealed, &at, row);
	if (st == ST_OK)
		st = chainfile_query(&s, f,
		    replace ? "INSERT OR REPLACE INTO entry_"
			    : "INSERT INTO entry_",
		    c->number, " VALUES (?1, ?2)");
	if (st == ST_OK) {
		db_bind_u64(s, 1, seq);
		db_bind_bytes(s, 2, buf_view(&sealed));
		st = db_run(s);
	}
	buf_free(&sealed);
	return st;
}

/* ---- the row's own bytes */

void
chainfile_row_write(struct buf *out, const struct chainfile_row *r)
{
	buf_u8(out, ROW_VERSION);
	buf_u8(out, r->form);
	buf_add(out, r->prev, HASH_LEN);
	buf_add(out, r->sig, SIG_LEN);
	buf_bytes(out, r->raw);
}

enum status
chainfile_row_read(struct chainfile_row *out, struct bytes in)
{
	struct chainfile_row row;
	struct reader r;

	reader_init(&r, in);
	if (reader_u8(&r) != ROW_VERSION)
		return r.bad ? ST_CORRUPT : ST_NEWER;
	row.form = reader_u8(&r);
	reader_copy(&r, row.prev, HASH_LEN);
	reader_copy(&r, row.sig, SIG_LEN);
	row.raw = bytes_of(r.p, r.left);
	if (r.bad || row.form > CHAINFILE_FORM_PURGED ||
	    row.raw.len > ENTRY_BYTES_MAX ||
	    (row.form == CHAINFILE_FORM_PURGED && row.raw.len != HASH_LEN))
		return ST_CORRUPT;
	*out = row;
	return ST_OK;
}
