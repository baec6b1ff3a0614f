/* verify_consistency: does one checkpoint lead to another? */
#include <string.h>

#include "db/db.h"
#include "tlog/merkle.h"
#include "verify/verify.h"

enum status
verify_consistency(enum status *out, struct bytes older, struct bytes newer,
    const struct note_key *key, struct bytes proof)
{
	struct merkle_proof p = { 0 };
	struct checkpoint a, b;
	enum status st;

	st = checkpoint_open(&a, older, key);
	if (st == ST_OK)
		st = checkpoint_open(&b, newer, key);
	if (st != ST_OK)
		return st;
	if (a.size > b.size || proof.len % HASH_LEN != 0 ||
	    proof.len / HASH_LEN > MERKLE_PROOF_MAX)
		return ST_INVALID;
	if (a.size == b.size) {
		*out =
		    memcmp(a.root, b.root, HASH_LEN) == 0 ? ST_OK : ST_CONFLICT;
		return ST_OK;
	}
	p.count = proof.len / HASH_LEN;
	if (p.count > 0)
		memcpy(p.hash, proof.p, proof.len);
	*out = merkle_check_consistency(&p, a.size, a.root, b.size, b.root);
	return ST_OK;
}

/* Links of one aligned subtree, hashed together. */
static enum status
read_subtree(void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN])
{
	struct db *d = arg;
	uint64_t count = (uint64_t)1 << level, from = index << level;
	struct frontier f;
	struct db_stmt *s;
	enum status st;

	frontier_init(&f);
	st = db_query(&s, d,
	    "SELECT link FROM entries WHERE place >= ?1 AND place < ?2"
	    " ORDER BY place");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, from);
	db_bind_u64(s, 2, from + count);
	while ((st = db_next(s)) == ST_OK) {
		uint8_t link[HASH_LEN], leaf[HASH_LEN];

		st = db_copy(s, 0, link, HASH_LEN);
		if (st != ST_OK)
			break;
		merkle_leaf(leaf, bytes_of(link, HASH_LEN));
		frontier_add(&f, leaf);
	}
	db_done(s);
	if (st == ST_ABSENT)
		st = f.size == count ? ST_OK : ST_ABSENT;
	if (st == ST_OK)
		frontier_root(&f, out);
	return st;
}

enum status
verify_store_consistency(
    const char *path, uint64_t old_size, uint64_t new_size, struct buf *out)
{
	struct db_config dc = {
		.path = path, .readonly = true, .busy_ms = 5000
	};
	struct merkle_proof p;
	struct db *d = NULL;
	enum status st;

	if (old_size > new_size || new_size > INT64_MAX)
		return ST_INVALID;
	st = db_open(&d, &dc);
	if (st != ST_OK)
		return st;
	st = db_begin_read(d);
	if (st == ST_OK)
		st = merkle_prove_consistency(
		    read_subtree, d, old_size, new_size, &p);
	if (st == ST_ABSENT)
		st = ST_INVALID;
	if (st == ST_OK)
		buf_add(out, p.hash, p.count * HASH_LEN);
	db_rollback(d);
	db_close(d);
	return st == ST_OK ? out->err : st;
}
