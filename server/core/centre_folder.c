#include "server/core/centre_folder.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/enc.h"
#include "server/ca/ca.h"

enum { KEY_FILE_MAX = 8192 };

char *
folder_path(const char *dir, const char *name)
{
	size_t d = strlen(dir), n = name == NULL ? 0 : strlen(name);
	char *p = malloc(d + n + 2);

	if (p == NULL)
		return NULL;
	memcpy(p, dir, d + 1);
	if (name != NULL) {
		p[d] = '/';
		memcpy(p + d + 1, name, n + 1);
	}
	return p;
}

void
folder_make(const char *dir)
{
	char *keys = folder_path(dir, FOLDER_KEYS);

	(void)mkdir(dir, 0700);
	if (keys != NULL)
		(void)mkdir(keys, 0700);
	free(keys);
}

static enum status
read_file(
    const struct port *port, const char *dir, const char *name, struct buf *out)
{
	char *path = folder_path(dir, name);
	enum status st;

	if (path == NULL)
		return ST_NOMEM;
	st = port_read_file(port, path, out);
	free(path);
	return st;
}

static enum status
write_file(const struct port *port, const char *dir, const char *name,
    struct bytes in, bool secret)
{
	char *path = folder_path(dir, name);
	enum status st;

	if (path == NULL)
		return ST_NOMEM;
	st = port_write_file(port, path, in, secret);
	free(path);
	return st;
}

enum status
folder_read_seed(const struct port *port, const char *dir, const char *name,
    uint8_t seed[32])
{
	struct buf b;
	enum status st;

	buf_init(&b, KEY_FILE_MAX);
	st = read_file(port, dir, name, &b);
	if (st == ST_OK && (b.len != 65 || b.p[64] != '\n'))
		st = ST_CORRUPT;
	if (st == ST_OK && hex_decode(seed, 32, bytes_of(b.p, 64)) != ST_OK)
		st = ST_CORRUPT;
	buf_wipe(&b);
	return st;
}

enum status
folder_write_seed(const struct port *port, const char *dir, const char *name,
    const uint8_t seed[32])
{
	char line[66];
	enum status st;

	hex_encode(line, bytes_of(seed, 32));
	line[64] = '\n';
	st = write_file(port, dir, name, bytes_of(line, 65), true);
	sodium_memzero(line, sizeof(line));
	return st;
}

static bool
is_seed_of(const uint8_t seed[32], const uint8_t public_key[PUBKEY_LEN])
{
	uint8_t pk[PUBKEY_LEN], sk[crypto_sign_SECRETKEYBYTES];

	(void)crypto_sign_seed_keypair(pk, sk, seed);
	sodium_memzero(sk, sizeof(sk));
	return memcmp(pk, public_key, PUBKEY_LEN) == 0;
}

enum status
folder_seed_settle(const struct port *port, const char *dir, const char *name,
    const char *next, const uint8_t seed[32])
{
	char *path = folder_path(dir, next);
	enum status st = path == NULL ? ST_NOMEM : ST_OK;

	if (st == ST_OK)
		st = folder_write_seed(port, dir, name, seed);
	if (st == ST_OK)
		st = port_remove_file(port, path);
	free(path);
	return st;
}

enum status
folder_seed_of(const struct port *port, const char *dir, const char *name,
    const char *next, const uint8_t public_key[PUBKEY_LEN], uint8_t seed[32])
{
	enum status st = folder_read_seed(port, dir, name, seed), was = st;

	if (st == ST_OK && is_seed_of(seed, public_key))
		return ST_OK;
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	st = folder_read_seed(port, dir, next, seed);
	if (st == ST_ABSENT)
		return was == ST_OK ? ST_DENIED : was;
	if (st == ST_OK && !is_seed_of(seed, public_key))
		st = ST_DENIED;
	/* If it cannot be moved now, it is found again the next time. */
	if (st == ST_OK &&
	    folder_seed_settle(port, dir, name, next, seed) != ST_OK)
		return ST_OK;
	return st;
}

enum status
folder_read_ca(const struct port *port, const char *dir, struct ca **out)
{
	struct buf cert, key;
	enum status st;

	buf_init(&cert, KEY_FILE_MAX);
	buf_init(&key, KEY_FILE_MAX);
	st = read_file(port, dir, FOLDER_CA_CERT, &cert);
	if (st == ST_OK)
		st = read_file(port, dir, FOLDER_CA_KEY, &key);
	if (st == ST_OK) {
		st = ca_open(out, port, buf_view(&cert), buf_view(&key));
		if (st == ST_INVALID || st == ST_CONFLICT)
			st = ST_CORRUPT;
	}
	buf_free(&cert);
	buf_wipe(&key);
	return st;
}

enum status
folder_write_ca(const struct port *port, const char *dir, struct ca *ca)
{
	struct buf key;
	enum status st;

	buf_init(&key, KEY_FILE_MAX);
	st = ca_key(ca, &key);
	if (st == ST_OK)
		st = write_file(port, dir, FOLDER_CA_KEY, buf_view(&key), true);
	if (st == ST_OK)
		st = write_file(port, dir, FOLDER_CA_CERT, ca_cert(ca), false);
	buf_wipe(&key);
	return st;
}

bool
folder_is_unfinished(const struct port *port, const char *dir)
{
	char *path = folder_path(dir, FOLDER_RESTORING);
	enum status st = ST_NOMEM;
	struct buf b;

	buf_init(&b, 1024);
	if (path != NULL)
		st = port_read_file(port, path, &b);
	buf_free(&b);
	free(path);
	return st != ST_ABSENT;
}
