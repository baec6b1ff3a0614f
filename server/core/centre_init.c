/* centre_init: a court is made: keys, descriptor 1, the log's first commit. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/ca/ca.h"
#include "server/core/centre_folder.h"
#include "server/core/centre_inner.h"

/* Everything of a court that is being made. */
struct making {
	const struct centre_init *what;
	const struct centre_keys *keys;
	uint8_t log_seed[32], server_seed[32]; /* wiped */
	uint8_t chain[CHAIN_LEN];
	struct ca *ca;
	struct descriptor *d;
	struct buf file; /* the descriptor's */
	uint8_t court_id[HASH_LEN];
	char *errmsg;
};

static enum status
refuse(struct making *mk, enum status st, const char *words)
{
	(void)snprintf(mk->errmsg, CENTRE_ERRMSG_LEN, "%s", words);
	return st;
}

static enum status
put_addresses(struct making *mk, struct descriptor_addresses *out,
    const char *const *url, size_t count)
{
	if (count > DESCRIPTOR_LIST_MAX)
		return refuse(mk, ST_INVALID, "too many addresses");
	out->count = count;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(url[i]);

		if (len > DESCRIPTOR_ADDRESS_MAX)
			return refuse(mk, ST_INVALID, "address too long");
		memcpy(out->url[i], url[i], len + 1);
	}
	return ST_OK;
}

static enum status
put_text(struct making *mk, char *out, size_t max, const char *in)
{
	size_t len = strlen(in);

	if (len == 0 || len > max)
		return refuse(mk, ST_INVALID,
		    "the court's code or name is empty or too long");
	memcpy(out, in, len + 1);
	return ST_OK;
}

static void
public_of(uint8_t out[PUBKEY_LEN], const uint8_t seed[32])
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES];

	(void)crypto_sign_seed_keypair(out, secret, seed);
	sodium_memzero(secret, sizeof(secret));
}

static enum status
fill_descriptor(struct making *mk)
{
	const struct centre_init *w = mk->what;
	struct descriptor *d = mk->d;
	uint8_t log_key[PUBKEY_LEN];
	char origin[NOTE_NAME_MAX + 1];
	struct bytes ca = ca_cert(mk->ca);
	enum status st;

	d->version = 1;
	st = put_text(mk, d->court, DESCRIPTOR_COURT_MAX, w->code);
	if (st == ST_OK)
		st = put_text(mk, d->name, DESCRIPTOR_NAME_MAX, w->name);
	if (st != ST_OK)
		return st;
	memcpy(d->root, mk->keys->root_secret + 32, PUBKEY_LEN);
	(void)crypto_scalarmult_base(d->recovery, mk->keys->recovery_secret);
	public_of(d->server, mk->server_seed);
	public_of(log_key, mk->log_seed);
	if (ca.len > DESCRIPTOR_CA_MAX)
		return refuse(
		    mk, ST_INVALID, "the CA's certificate is too long");
	memcpy(d->ca, ca.p, ca.len);
	d->ca_len = ca.len;
	if (w->origin != NULL)
		(void)snprintf(origin, sizeof(origin), "%s", w->origin);
	else
		(void)snprintf(
		    origin, sizeof(origin), "%s.daybreak/log", w->code);
	st = note_key_make(&d->log, origin, NOTE_ED25519, log_key);
	if (st != ST_OK)
		return refuse(mk, st, "the log's origin will not do");
	st = put_addresses(
	    mk, &d->devices_at, w->devices_at, w->devices_at_count);
	if (st == ST_OK)
		st = put_addresses(
		    mk, &d->public_at, w->public_at, w->public_at_count);
	return st;
}

/* Keys, CA and the signed descriptor, in memory. */
static enum status
make_keys(struct making *mk, struct centre_keys *keys)
{
	const struct port *port = mk->what->port;
	uint8_t seed[32], root[PUBKEY_LEN];
	struct buf line;
	enum status st;

	port_random(port, seed, sizeof(seed));
	(void)crypto_sign_seed_keypair(root, keys->root_secret, seed);
	sodium_memzero(seed, sizeof(seed));
	port_random(port, keys->recovery_secret, 32);
	port_random(port, mk->log_seed, 32);
	port_random(port, mk->server_seed, 32);
	port_random(port, mk->chain, CHAIN_LEN);
	mk->d = calloc(1, sizeof(*mk->d));
	if (mk->d == NULL)
		return ST_NOMEM;
	st = ca_new(&mk->ca, port, mk->what->code);
	if (st == ST_INVALID)
		return refuse(mk, st,
		    "the court's code must be 1 to 40 of A-Z a-z 0-9 . _ -");
	if (st == ST_OK)
		st = fill_descriptor(mk);
	if (st != ST_OK)
		return st;
	buf_init(&line, DESCRIPTOR_BYTES_MAX);
	st = descriptor_format(mk->d, &line);
	if (st == ST_OK) {
		descriptor_digest(mk->court_id, buf_view(&line));
		buf_bytes(&mk->file, buf_view(&line));
		buf_u8(&mk->file, '\n');
		descriptor_sign(buf_view(&line), keys->root_secret, &mk->file);
		st = mk->file.err;
	} else if (st == ST_INVALID) {
		st = refuse(mk, st, "a name or address will not do");
	}
	buf_free(&line);
	return st;
}

static enum status
write_keys(struct making *mk)
{
	const struct port *port = mk->what->port;
	const char *dir = mk->what->dir;
	enum status st;

	st = folder_write_seed(port, dir, FOLDER_LOG_KEY, mk->log_seed);
	if (st == ST_OK)
		st = folder_write_seed(
		    port, dir, FOLDER_SERVER_KEY, mk->server_seed);
	if (st == ST_OK)
		st = folder_write_ca(port, dir, mk->ca);
	return st;
}

/* The store, empty; one that an earlier try left without a court will do. */
static enum status
open_empty(struct making *mk, struct store **out)
{
	char *path = folder_path(mk->what->dir, FOLDER_STORE);
	struct store_config sc = {
		.path = path, .vfs = mk->what->vfs, .create = true
	};
	struct store_head head;
	enum status st;

	if (path == NULL)
		return ST_NOMEM;
	st = store_sqlite_open(out, &sc);
	if (st == ST_CONFLICT) {
		sc.create = false;
		st = store_sqlite_open(out, &sc);
		if (st == ST_OK)
			st = store_head(store_inside(*out), &head);
		if (st == ST_OK && head.size > 0)
			st = ST_CONFLICT;
		if (st == ST_CONFLICT)
			st = refuse(mk, st, "there is a store already");
	}
	free(path);
	return st;
}

/* What the store must hold before anything can be opened; it counts when the
 * first commit stands. */
static enum status
put_facts(void *arg, struct store *s)
{
	const struct making *mk = arg;
	enum status st;

	st = store_put_meta(s, META_COURT, bytes_str(mk->what->code));
	if (st == ST_OK)
		st = store_put_meta(
		    s, META_COURT_ID, bytes_of(mk->court_id, HASH_LEN));
	if (st == ST_OK)
		st = store_put_meta(
		    s, META_DESCRIPTOR_FIRST, buf_view(&mk->file));
	if (st == ST_OK)
		st = store_put_meta(s, META_DESCRIPTOR, buf_view(&mk->file));
	if (st == ST_OK)
		st = store_put_meta(
		    s, META_SERVER_CHAIN, bytes_of(mk->chain, CHAIN_LEN));
	return st;
}

/* Facts in a transaction of their own, and then the first commit: without a
 * commit a store is no court (open_empty). */
static enum status
write_store(struct making *mk)
{
	struct store *s = NULL;
	struct store_head head;
	enum status st = open_empty(mk, &s);

	if (st == ST_OK)
		st = store_begin(s, &head);
	if (st == ST_OK) {
		st = put_facts(mk, s);
		if (st == ST_OK)
			st = store_commit(s);
		else
			store_rollback(s);
	}
	store_close(s);
	return st;
}

static enum status
first_commit(struct making *mk)
{
	const struct bytes on[] = { bytes_str("n"), bytes_str("sha256"),
		bytes_str("file") };
	struct centre_config cfg = { .dir = mk->what->dir,
		.port = mk->what->port,
		.vfs = mk->what->vfs };
	struct server_entry e = {
		.kind = "descriptor@1", .verb = DO_OPEN, .on = on, .on_count = 3
	};
	struct commit_job job = { .entry = &e, .entry_count = 1 };
	struct centre *c = NULL;
	struct buf data;
	enum status st;

	buf_init(&data, 2 * DESCRIPTOR_FILE_MAX);
	buf_str(&data, "[1,");
	json_put_hex(&data, bytes_of(mk->court_id, HASH_LEN));
	buf_u8(&data, ',');
	json_put_string(&data, buf_view(&mk->file));
	buf_u8(&data, ']');
	e.data = buf_view(&data);
	st = data.err;
	if (st == ST_OK)
		st = centre_open_empty(&c, &cfg, mk->errmsg);
	if (st == ST_OK)
		st = committer_wait(centre_committer(c), &job);
	if (st != ST_OK && c != NULL)
		centre_errmsg(c, mk->errmsg);
	centre_close(c);
	buf_free(&data);
	return st;
}

enum status
centre_init(const struct centre_init *what, struct centre_keys *keys,
    char errmsg[CENTRE_ERRMSG_LEN])
{
	struct making mk = { .what = what, .keys = keys, .errmsg = errmsg };
	enum status st;

	errmsg[0] = '\0';
	if (sodium_init() < 0)
		return ST_NOMEM;
	buf_init(&mk.file, DESCRIPTOR_FILE_MAX);
	st = make_keys(&mk, keys);
	if (st == ST_OK) {
		struct store *s = NULL;

		/* Before a key file of a court that is there is touched. */
		folder_make(what->dir);
		st = open_empty(&mk, &s);
		store_close(s);
	}
	if (st == ST_OK)
		st = write_keys(&mk);
	if (st == ST_OK)
		st = write_store(&mk);
	if (st == ST_OK)
		st = first_commit(&mk);
	if (st != ST_OK) {
		sodium_memzero(keys, sizeof(*keys));
		if (errmsg[0] == '\0')
			(void)snprintf(errmsg, CENTRE_ERRMSG_LEN, "%s: %s",
			    what->dir, status_text(st));
	}
	sodium_memzero(mk.log_seed, sizeof(mk.log_seed));
	sodium_memzero(mk.server_seed, sizeof(mk.server_seed));
	ca_close(mk.ca);
	free(mk.d);
	buf_free(&mk.file);
	return st;
}
