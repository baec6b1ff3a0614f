#include "server/core/restore_inner.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/ca/ca.h"
#include "server/core/centre_folder.h"

enum status
restore_refuse(struct restoring *rs, enum status st, const char *words)
{
	(void)snprintf(rs->errmsg, CENTRE_ERRMSG_LEN, "%s", words);
	return st;
}

/* ---- what the backup says */

static enum status read_chain(struct restoring *rs, struct store_reader *r);

/* Facts of the store that is to go on. */
static enum status
read_facts(struct restoring *rs, struct store_reader *r)
{
	struct buf b;
	enum status st;

	buf_init(&b, DESCRIPTOR_FILE_MAX);
	st = store_meta(r, META_DESCRIPTOR, &b);
	if (st == ST_OK)
		st = descriptor_parse(rs->old, buf_view(&b));
	if (st == ST_ABSENT || st == ST_INVALID)
		st =
		    restore_refuse(rs, ST_CORRUPT, "the backup holds no court");
	if (st == ST_OK) {
		st = store_meta(r, META_HALTED, &rs->halted);
		st = st == ST_ABSENT ? ST_OK : st;
	}
	if (st == ST_OK) {
		st = store_meta(r, META_RESTORES, &rs->restores);
		st = st == ST_ABSENT ? ST_OK : st;
	}
	buf_free(&b);
	return st == ST_OK ? read_chain(rs, r) : st;
}

struct ending {
	const uint8_t *id;
	struct centre_next *out;
	bool found;
};

static enum status
take_ending(void *arg, const struct store_chain *c)
{
	struct ending *e = arg;

	if (c->branch != 0 || memcmp(c->id, e->id, CHAIN_LEN) != 0)
		return ST_OK;
	memcpy(e->out->old_chain, c->id, CHAIN_LEN);
	e->out->old_seq = c->last_seq;
	memcpy(e->out->old_link, c->last_link, HASH_LEN);
	e->found = true;
	return ST_OK;
}

/* Where the server's chain of the old log ends. */
static enum status
read_chain(struct restoring *rs, struct store_reader *r)
{
	struct ending e = { .out = &rs->centre };
	struct buf b;
	enum status st;

	buf_init(&b, CHAIN_LEN);
	st = store_meta(r, META_SERVER_CHAIN, &b);
	if (st == ST_OK && b.len != CHAIN_LEN)
		st = ST_CORRUPT;
	e.id = b.p;
	if (st == ST_OK)
		st = store_chains(r, take_ending, &e);
	if (st == ST_OK && !e.found)
		st = restore_refuse(rs, ST_CORRUPT, "the backup holds no log");
	buf_free(&b);
	return st;
}

static enum status
read_backup(struct restoring *rs)
{
	const struct restore_given *g = rs->g;
	char *path = folder_path(g->dir, FOLDER_STORE);
	struct store_config sc = { .path = path, .vfs = g->vfs };
	struct store *s = NULL;
	struct store_head head;
	enum status st = path == NULL ? ST_NOMEM : ST_OK;

	if (st == ST_OK)
		st = store_sqlite_open(&s, &sc);
	if (st == ST_OK)
		st = store_head(store_inside(s), &head);
	if (st == ST_OK)
		st = read_facts(rs, store_inside(s));
	if (st == ST_OK) {
		rs->done->kept = head.size;
		memcpy(rs->done->old_origin, rs->old->log.name,
		    sizeof(rs->done->old_origin));
	}
	store_close(s);
	free(path);
	return st;
}

/* Two living logs of one court would sign two trees of one size. */
static enum status
not_living(struct restoring *rs)
{
	const struct restore_given *g = rs->g;
	char *dir;
	uint8_t seed[32], pk[PUBKEY_LEN], sk[crypto_sign_SECRETKEYBYTES];
	bool lives;

	if (g->even_living || rs->halted.len > 0)
		return ST_OK;
	dir = restore_backup_folder(g);
	if (dir == NULL)
		return ST_NOMEM;
	lives = folder_read_seed(g->port, dir, FOLDER_LOG_KEY, seed) == ST_OK;
	if (lives) {
		(void)crypto_sign_seed_keypair(pk, sk, seed);
		lives = memcmp(pk, rs->old->log.public_key, PUBKEY_LEN) == 0;
		sodium_memzero(seed, sizeof(seed));
		sodium_memzero(sk, sizeof(sk));
	}
	free(dir);
	if (!lives)
		return ST_OK;
	return restore_refuse(rs, ST_CONFLICT,
	    "that folder holds a court that can go on as it is: its log key is "
	    "there and nothing stopped it. If it is gone for good all the same "
	    "(its newest checkpoint was lost), say --confirm");
}

/* ---- keys and descriptor */

static enum status
put_address(
    struct restoring *rs, struct descriptor_addresses *a, const char *url)
{
	if (url == NULL)
		return ST_OK;
	if (strlen(url) > DESCRIPTOR_ADDRESS_MAX)
		return restore_refuse(
		    rs, ST_INVALID, "the address is too long");
	a->count = 1;
	memcpy(a->url[0], url, strlen(url) + 1);
	return ST_OK;
}

static void
new_key(const struct port *port, uint8_t seed[32], uint8_t pk[PUBKEY_LEN])
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES];

	port_random(port, seed, 32);
	(void)crypto_sign_seed_keypair(pk, sk, seed);
	sodium_memzero(sk, sizeof(sk));
}

/* Server keys of the logs that end are good for nothing behind the backup. */
static enum status
distrust(struct restoring *rs)
{
	struct descriptor *d = rs->next;

	for (size_t i = 0; i <= rs->between_count && rs->g->stolen; i++) {
		const uint8_t *key =
		    i == 0 ? rs->old->server : rs->between[i - 1].d->server;
		char hex[2 * PUBKEY_LEN + 1];
		struct descriptor_distrust *x;

		hex_encode(hex, bytes_of(key, PUBKEY_LEN));
		if (!descriptor_trusts(d, hex, INT64_MAX))
			continue;
		if (d->distrust_count == DESCRIPTOR_DISTRUST_MAX)
			return restore_refuse(
			    rs, ST_LIMIT, "too many distrusted keys");
		x = &d->distrust[d->distrust_count++];
		memcpy(x->key, hex, sizeof(hex));
		x->after = rs->done->kept;
	}
	return ST_OK;
}

static enum status
next_descriptor(struct restoring *rs)
{
	const struct restore_given *g = rs->g;
	const struct descriptor *last = restore_last(rs);
	struct descriptor *d = rs->next;
	uint8_t log_key[PUBKEY_LEN];
	char origin[NOTE_NAME_MAX + 1];
	enum status st;

	if (memcmp(g->root_secret + 32, last->root, PUBKEY_LEN) != 0)
		return restore_refuse(rs, ST_DENIED,
		    "that is not the root key of this court's newest "
		    "descriptor");
	*d = *last;
	d->version++;
	memcpy(d->prev, last->digest, HASH_LEN);
	new_key(g->port, rs->log_seed, log_key);
	new_key(g->port, rs->server_seed, d->server);
	if (g->origin != NULL && strlen(g->origin) <= NOTE_NAME_MAX)
		(void)snprintf(origin, sizeof(origin), "%s", g->origin);
	else
		(void)snprintf(origin, sizeof(origin),
		    "%s.daybreak/log-%" PRIu64, d->court, d->version);
	for (size_t i = 0; i < rs->ended_count; i++) {
		if (strcmp(origin, rs->ended[i].key.name) == 0)
			return restore_refuse(rs, ST_INVALID,
			    "the new log must have another origin than the old "
			    "one");
	}
	st = note_key_make(&d->log, origin, NOTE_ED25519, log_key);
	if (st != ST_OK)
		return restore_refuse(rs, st, "the log's origin will not do");
	st = distrust(rs);
	if (st == ST_OK)
		st = put_address(rs, &d->devices_at, g->devices_at);
	return st == ST_OK ? put_address(rs, &d->public_at, g->public_at) : st;
}

static enum status
sign_descriptor(struct restoring *rs)
{
	struct buf line;
	enum status st;

	buf_init(&line, DESCRIPTOR_BYTES_MAX);
	st = descriptor_format(rs->next, &line);
	if (st == ST_INVALID)
		st = restore_refuse(rs, st, "an address will not do");
	if (st == ST_OK) {
		descriptor_digest(rs->next->digest, buf_view(&line));
		buf_bytes(&rs->file, buf_view(&line));
		buf_u8(&rs->file, '\n');
		descriptor_sign(buf_view(&line), rs->g->root_secret, &rs->file);
		st = rs->file.err;
	}
	buf_free(&line);
	rs->centre.descriptor = buf_view(&rs->file);
	rs->centre.log_seed = rs->log_seed;
	rs->centre.server_seed = rs->server_seed;
	port_random(rs->g->port, rs->centre.chain, CHAIN_LEN);
	memcpy(rs->done->origin, rs->next->log.name, sizeof(rs->done->origin));
	rs->done->version = rs->next->version;
	return st;
}

/* ---- old checkpoints */

/* Of which of the logs that end it is. */
static enum status
open_note(struct restoring *rs, struct bytes note, struct checkpoint *cp,
    size_t *which)
{
	enum status st = ST_INVALID;

	for (size_t i = 0; i < rs->ended_count && st != ST_OK; i++) {
		st = checkpoint_open(cp, note, &rs->ended[i].key);
		*which = i;
		if (st == ST_NOMEM)
			return st;
	}
	return st == ST_OK ? ST_OK
			   : restore_refuse(rs, ST_INVALID,
				 "a checkpoint given is not one of the log in "
				 "the backup, nor of one that a descriptor "
				 "given names");
}

static enum status
take_note(
    struct restoring *rs, struct centre *c, struct bytes note, bool stopped)
{
	struct checkpoint cp;
	uint8_t root[HASH_LEN];
	size_t i = 0;
	enum status st = open_note(rs, note, &cp, &i);

	if (st != ST_OK)
		return st;
	if (i == 0 && cp.size <= rs->done->kept && !stopped) {
		st = tlog_root(centre_tlog(c), cp.size, root);
		if (st == ST_OK && memcmp(root, cp.root, HASH_LEN) != 0)
			st = restore_refuse(rs, ST_CONFLICT,
			    "the backup does not lead to a checkpoint given: "
			    "it is of another tree");
		if (st != ST_OK)
			return st;
	}
	if (rs->best[i].len == 0 || cp.size > rs->best_size[i]) {
		rs->best[i] = note;
		rs->best_size[i] = cp.size;
	}
	if (i == 0)
		rs->done->best = rs->best_size[0];
	return ST_OK;
}

static enum status
take_notes(struct restoring *rs, struct centre *c)
{
	enum status st = ST_OK;

	/* What stopped it may contradict it: that is why it ends. */
	if (rs->halted.len > 0)
		st = take_note(rs, c, buf_view(&rs->halted), true);
	for (size_t i = 0; st == ST_OK && i < rs->g->note_count; i++)
		st = take_note(rs, c, rs->g->note[i], rs->halted.len > 0);
	return st;
}

/* Seeds first, the commit next, and then the seeds take their places. */
static enum status
begin_log(struct restoring *rs)
{
	const struct restore_given *g = rs->g;
	struct centre_config cfg = {
		.dir = g->dir, .port = g->port, .vfs = g->vfs
	};
	struct centre *c = NULL;
	struct bytes ca;
	enum status st;

	st = centre_open_next(&c, &cfg, &rs->centre, rs->errmsg);
	if (st != ST_OK)
		return st;
	ca = ca_cert(centre_ca(c));
	if (ca.len != rs->next->ca_len ||
	    memcmp(ca.p, rs->next->ca, ca.len) != 0)
		st = restore_refuse(rs, ST_DENIED,
		    "the CA given is not the one of the court's descriptor");
	if (st == ST_OK)
		st = take_notes(rs, c);
	if (st == ST_OK)
		st = folder_write_seed(
		    g->port, g->dir, FOLDER_LOG_NEXT, rs->log_seed);
	if (st == ST_OK)
		st = folder_write_seed(
		    g->port, g->dir, FOLDER_SERVER_NEXT, rs->server_seed);
	if (st == ST_OK)
		st = restore_commit(rs, c);
	centre_close(c);
	if (st == ST_OK)
		st = folder_seed_settle(g->port, g->dir, FOLDER_LOG_KEY,
		    FOLDER_LOG_NEXT, rs->log_seed);
	if (st == ST_OK)
		st = folder_seed_settle(g->port, g->dir, FOLDER_SERVER_KEY,
		    FOLDER_SERVER_NEXT, rs->server_seed);
	if (st == ST_OK && g->from != NULL)
		st = restore_unmark(g);
	return st;
}

static enum status
run(struct restoring *rs)
{
	enum status st = ST_OK;

	if (rs->g->from != NULL)
		st = restore_fill_folder(rs);
	else if (restore_file_there(rs->g->dir, FOLDER_RESTORING))
		st = restore_refuse(rs, ST_ABSENT,
		    "a restore into that folder was cut short: run it again "
		    "with --from");
	if (st == ST_OK)
		st = read_backup(rs);
	if (st == ST_OK)
		st = not_living(rs);
	if (st == ST_OK)
		st = restore_read_between(rs);
	if (st == ST_OK) {
		(void)restore_list_ended(rs);
		st = next_descriptor(rs);
	}
	if (st == ST_OK)
		st = sign_descriptor(rs);
	return st == ST_OK ? begin_log(rs) : st;
}

enum status
centre_restore(struct restore_done *out, const struct restore_given *given,
    char errmsg[CENTRE_ERRMSG_LEN])
{
	static const struct restoring none;
	struct restoring rs = none;
	enum status st = ST_NOMEM;

	rs.g = given;
	rs.done = out;
	rs.errmsg = errmsg;

	errmsg[0] = '\0';
	memset(out, 0, sizeof(*out));
	buf_init(&rs.file, DESCRIPTOR_FILE_MAX);
	buf_init(&rs.halted, NOTE_BYTES_MAX);
	buf_init(&rs.restores, (size_t)ENDED_LOGS_MAX * (NOTE_VKEY_MAX + 64));
	rs.old = calloc(1, sizeof(*rs.old));
	rs.next = calloc(1, sizeof(*rs.next));
	if (sodium_init() >= 0 && rs.old != NULL && rs.next != NULL)
		st = run(&rs);
	if (st != ST_OK && errmsg[0] == '\0')
		(void)snprintf(errmsg, CENTRE_ERRMSG_LEN, "%s: %s", given->dir,
		    status_text(st));
	sodium_memzero(rs.log_seed, sizeof(rs.log_seed));
	sodium_memzero(rs.server_seed, sizeof(rs.server_seed));
	buf_free(&rs.file);
	buf_free(&rs.halted);
	buf_free(&rs.restores);
	restore_free_between(&rs);
	free(rs.old);
	free(rs.next);
	return st;
}
