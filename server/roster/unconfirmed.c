#include "server/roster/unconfirmed.h"

#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/chain.h"
#include "entry/json.h"

static bool
is_key_of(const uint8_t key[PUBKEY_LEN], const char *dev)
{
	char name[DEV_LEN + 1];

	chain_dev(name, key);
	return strcmp(name, dev) == 0;
}

/* {"key":"<hex>"} */
static enum status
read_doc(void *arg, const struct store_doc *d)
{
	struct json j;
	uint32_t n;
	enum status st;

	json_init(&j);
	st = json_parse(&j, d->doc, JSON_DOCUMENT);
	if (st == ST_OK) {
		n = json_get_typed(&j, 0, "key", JSON_STRING);
		if (n == 0 ||
		    hex_decode(arg, PUBKEY_LEN, json_raw(&j, n)) != ST_OK)
			st = ST_CORRUPT;
	}
	json_free(&j);
	return st == ST_INVALID ? ST_CORRUPT : st;
}

static enum status
kept_key(struct centre_reader *r, const char *dev, uint8_t key[PUBKEY_LEN])
{
	enum status st = store_doc(centre_reader_store(r), UNCONFIRMED_SORT,
	    bytes_str(dev), read_doc, key);

	return st == ST_OK && !is_key_of(key, dev) ? ST_CORRUPT : st;
}

static enum status
keep_key(struct centre *c, const char *dev, const uint8_t key[PUBKEY_LEN])
{
	struct store_doc d = { .sort = bytes_str(UNCONFIRMED_SORT),
		.key = bytes_str(dev),
		.made = port_wall_ms(centre_port(c)) };
	struct buf b;
	enum status st;

	buf_init(&b, 256);
	buf_str(&b, "{\"key\":");
	json_put_hex(&b, bytes_of(key, PUBKEY_LEN));
	buf_u8(&b, '}');
	d.doc = buf_view(&b);
	st = b.err;
	if (st == ST_OK)
		st = centre_alarm(c, "unconfirmed", dev, "{}");
	if (st == ST_OK)
		st = centre_put_doc(c, &d);
	buf_free(&b);
	return st;
}

enum status
unconfirmed_device(struct centre *c, struct centre_reader *r,
    const struct sync_up *up, const char *dev, struct roster_device *out)
{
	enum status st;

	memset(out, 0, sizeof(*out));
	memcpy(out->dev, dev, strlen(dev) + 1);
	st = kept_key(r, dev, out->key);
	if (st != ST_ABSENT || !up->has_key)
		return st;
	if (!is_key_of(up->key, dev)) {
		centre_attempt(c, "not_its_key", dev, "{}");
		return ST_ABSENT;
	}
	memcpy(out->key, up->key, PUBKEY_LEN);
	return keep_key(c, dev, out->key);
}

enum status
unconfirmed_each(struct centre_reader *r, store_doc_fn fn, void *arg)
{
	return store_docs(centre_reader_store(r), UNCONFIRMED_SORT, fn, arg);
}

/* An enrolment has the hash of a code; this one came by none. */
static void
name_code(char out[2 * HASH_LEN + 1], const char *dev)
{
	uint8_t hash[HASH_LEN];
	struct buf b;

	buf_init(&b, 128);
	buf_str(&b, "confirmed ");
	buf_str(&b, dev);
	sha256(hash, buf_view(&b));
	hex_encode(out, bytes_of(hash, HASH_LEN));
	buf_free(&b);
}

enum status
unconfirmed_confirm(
    struct centre *c, struct roster *r, const char *dev, struct roster_enrol *e)
{
	char code[2 * HASH_LEN + 1];
	struct centre_reader *rd = NULL;
	uint64_t place;
	enum status st = centre_reader_open(&rd, c);

	if (st == ST_OK)
		st = kept_key(rd, dev, e->key);
	centre_reader_close(rd);
	if (st != ST_OK)
		return st;
	name_code(code, dev);
	e->code = code;
	st = roster_enrol(r, e, &place);
	if (st != ST_OK)
		return st;
	/* What is in the log is confirmed, whether or not this row goes. */
	st = centre_remove_doc(c, UNCONFIRMED_SORT, bytes_str(dev));
	return st == ST_ABSENT ? ST_OK : st;
}
