#include "tlog/descriptor.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/json.h"
#include "tlog/descriptor_rules.h"
#include "tlog/text.h"

static void
put_addresses(struct buf *out, const struct descriptor_addresses *a)
{
	buf_u8(out, '[');
	for (size_t i = 0; i < a->count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		json_put_str(out, a->url[i]);
	}
	buf_u8(out, ']');
}

static void
put_vkey(struct buf *out, const struct note_key *key)
{
	char vkey[NOTE_VKEY_MAX + 1];

	descriptor_vkey(vkey, key);
	json_put_str(out, vkey);
}

static void
put_key(struct buf *out, const char *name, const uint8_t key[32])
{
	buf_printf(out, ",\"%s\":", name);
	json_put_hex(out, bytes_of(key, 32));
}

static void
put_distrust(struct buf *out, const struct descriptor *d)
{
	buf_str(out, ",\"distrust\":[");
	for (size_t i = 0; i < d->distrust_count; i++) {
		buf_str(out, i > 0 ? ",{\"after\":" : "{\"after\":");
		json_put_int(out, (int64_t)d->distrust[i].after);
		buf_str(out, ",\"key\":");
		json_put_str(out, d->distrust[i].key);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
}

/* The members in canonical order (FORMAT.md, "JSON"). */
static void
put_line(struct buf *out, const struct descriptor *d)
{
	buf_str(out, "{\"addresses\":{\"devices\":");
	put_addresses(out, &d->devices_at);
	buf_str(out, ",\"public\":");
	put_addresses(out, &d->public_at);
	buf_str(out, "},\"ca\":\"");
	text_put_base64(out, bytes_of(d->ca, d->ca_len));
	buf_str(out, "\",\"court\":");
	json_put_str(out, d->court);
	put_distrust(out, d);
	buf_str(out, ",\"format\":\"" DESCRIPTOR_FORMAT "\",\"log\":");
	put_vkey(out, &d->log);
	buf_str(out, ",\"name\":");
	json_put_str(out, d->name);
	if (d->version > 1)
		put_key(out, "prev", d->prev);
	put_key(out, "recovery", d->recovery);
	put_key(out, "root", d->root);
	put_key(out, "server", d->server);
	buf_str(out, ",\"v\":");
	json_put_int(out, (int64_t)d->version);
	buf_str(out, ",\"witnesses\":[");
	for (size_t i = 0; i < d->witness_count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		put_vkey(out, &d->witness[i]);
	}
	buf_str(out, "]}");
}

enum status
descriptor_format(const struct descriptor *d, struct buf *out)
{
	size_t start = out->len;
	enum status st;

	if (!descriptor_ok(d))
		return ST_INVALID;
	put_line(out, d);
	st = out->err;
	if (st == ST_OK && out->len - start > DESCRIPTOR_BYTES_MAX)
		st = ST_LIMIT;
	if (st != ST_OK)
		out->len = start;
	return st;
}

void
descriptor_digest(uint8_t out[HASH_LEN], struct bytes line)
{
	sha256(out, line);
}

/* "daybreak-descriptor/1" NUL, SHA-256(line) */
enum { MESSAGE_LEN = sizeof(DESCRIPTOR_FORMAT) + HASH_LEN };

static void
signed_message(uint8_t out[MESSAGE_LEN], const uint8_t digest[HASH_LEN])
{
	memcpy(out, DESCRIPTOR_FORMAT, sizeof(DESCRIPTOR_FORMAT));
	memcpy(out + sizeof(DESCRIPTOR_FORMAT), digest, HASH_LEN);
}

void
descriptor_sign(
    struct bytes line, const uint8_t root_secret[64], struct buf *out)
{
	uint8_t digest[HASH_LEN], msg[MESSAGE_LEN], sig[SIG_LEN];

	descriptor_digest(digest, line);
	signed_message(msg, digest);
	(void)crypto_sign_detached(sig, NULL, msg, sizeof(msg), root_secret);
	/* libsodium keeps the public key in the second half. */
	buf_hex(out, bytes_of(root_secret + 32, PUBKEY_LEN));
	buf_u8(out, ' ');
	text_put_base64(out, bytes_of(sig, sizeof(sig)));
	buf_u8(out, '\n');
}

/* Copy a string member to out[max + 1]; no NUL can stand in it. */
static enum status
take_text(const struct json *j, uint32_t n, char *out, size_t max)
{
	enum status st = ST_INVALID;
	struct bytes text;
	struct buf scratch;

	if (n == 0 || j->node[n].type != JSON_STRING)
		return ST_INVALID;
	buf_init(&scratch, DESCRIPTOR_BYTES_MAX);
	text = json_view(j, n, &scratch);
	if (scratch.err != ST_OK) {
		st = scratch.err;
	} else if (text.len <= max) {
		if (text.len > 0)
			memcpy(out, text.p, text.len);
		out[text.len] = '\0';
		st = ST_OK;
	}
	buf_free(&scratch);
	return st;
}

static enum status
take_member(
    const struct json *j, uint32_t n, const char *name, char *out, size_t max)
{
	return take_text(j, json_get(j, n, name), out, max);
}

static enum status
take_key(const struct json *j, const char *name, uint8_t out[32])
{
	uint32_t n = json_get_typed(j, 0, name, JSON_STRING);

	if (n == 0)
		return ST_INVALID;
	return hex_decode(out, 32, json_raw(j, n));
}

static enum status
take_vkey(const struct json *j, uint32_t n, struct note_key *out)
{
	char vkey[NOTE_VKEY_MAX + 1];
	enum status st = take_text(j, n, vkey, NOTE_VKEY_MAX);

	return st != ST_OK ? st : note_key_parse(out, bytes_str(vkey));
}

static enum status
take_addresses(
    const struct json *j, const char *name, struct descriptor_addresses *out)
{
	uint32_t list = json_get_typed(j, 0, "addresses", JSON_OBJECT);
	enum status st = ST_OK;

	if (list != 0)
		list = json_get_typed(j, list, name, JSON_ARRAY);
	if (list == 0 || j->node[list].count > DESCRIPTOR_LIST_MAX)
		return ST_INVALID;
	for (uint32_t n = json_first(j, list);
	     st == ST_OK && n < json_end(j, list); n = j->node[n].next)
		st = take_text(
		    j, n, out->url[out->count++], DESCRIPTOR_ADDRESS_MAX);
	return st;
}

static enum status
take_witnesses(const struct json *j, struct descriptor *d)
{
	uint32_t list = json_get_typed(j, 0, "witnesses", JSON_ARRAY);
	enum status st = ST_OK;

	if (list == 0 || j->node[list].count > DESCRIPTOR_LIST_MAX)
		return ST_INVALID;
	for (uint32_t n = json_first(j, list);
	     st == ST_OK && n < json_end(j, list); n = j->node[n].next)
		st = take_vkey(j, n, &d->witness[d->witness_count++]);
	return st;
}

static enum status
take_distrust(const struct json *j, struct descriptor *d)
{
	uint32_t list = json_get_typed(j, 0, "distrust", JSON_ARRAY);
	enum status st = ST_OK;

	if (list == 0 || j->node[list].count > DESCRIPTOR_DISTRUST_MAX)
		return ST_INVALID;
	for (uint32_t n = json_first(j, list);
	     st == ST_OK && n < json_end(j, list); n = j->node[n].next) {
		struct descriptor_distrust *x =
		    &d->distrust[d->distrust_count++];
		int64_t after = json_int(j, n, "after", -1);

		st = take_member(j, n, "key", x->key, NOTE_VKEY_MAX);
		if (after < 0)
			st = ST_INVALID;
		else
			x->after = (uint64_t)after;
	}
	return st;
}

static enum status
take_ca(const struct json *j, struct descriptor *d)
{
	uint32_t n = json_get_typed(j, 0, "ca", JSON_STRING);
	enum status st;

	if (n == 0)
		return ST_INVALID;
	st = base64_decode(d->ca, sizeof(d->ca), &d->ca_len, json_raw(j, n));
	return st == ST_OK ? ST_OK : ST_INVALID;
}

static enum status
take_line(const struct json *j, struct descriptor *d)
{
	int64_t version = json_int(j, 0, "v", 0);
	enum status st;

	if (version < 1)
		return ST_INVALID;
	d->version = (uint64_t)version;
	if (version > 1 && (st = take_key(j, "prev", d->prev)) != ST_OK)
		return st;
	if ((st = take_member(j, 0, "court", d->court, DESCRIPTOR_COURT_MAX)) !=
		ST_OK ||
	    (st = take_member(j, 0, "name", d->name, DESCRIPTOR_NAME_MAX)) !=
		ST_OK ||
	    (st = take_key(j, "root", d->root)) != ST_OK ||
	    (st = take_key(j, "server", d->server)) != ST_OK ||
	    (st = take_key(j, "recovery", d->recovery)) != ST_OK ||
	    (st = take_ca(j, d)) != ST_OK ||
	    (st = take_vkey(j, json_get(j, 0, "log"), &d->log)) != ST_OK ||
	    (st = take_witnesses(j, d)) != ST_OK ||
	    (st = take_addresses(j, "devices", &d->devices_at)) != ST_OK ||
	    (st = take_addresses(j, "public", &d->public_at)) != ST_OK)
		return st;
	return take_distrust(j, d);
}

/* ST_NEWER where a later Daybreak wrote it. */
static enum status
check_format(const struct json *j)
{
	uint32_t n = json_get_typed(j, 0, "format", JSON_STRING);

	if (n == 0)
		return ST_INVALID;
	if (json_is(j, n, DESCRIPTOR_FORMAT))
		return ST_OK;
	return bytes_starts(json_raw(j, n), "daybreak-descriptor/")
		   ? ST_NEWER
		   : ST_INVALID;
}

/* What was read must give the same bytes when written: so there is one
 * spelling, no other member, and no rule that only the writer holds. */
static enum status
parse_line(struct descriptor *d, struct bytes line)
{
	struct buf again;
	struct json j;
	enum status st;

	json_init(&j);
	buf_init(&again, DESCRIPTOR_BYTES_MAX);
	st = json_parse(&j, line, JSON_LINE);
	if (st == ST_OK)
		st = check_format(&j);
	if (st == ST_OK)
		st = take_line(&j, d);
	if (st == ST_OK)
		st = descriptor_format(d, &again);
	if (st == ST_OK && !bytes_eq(buf_view(&again), line))
		st = ST_INVALID;
	descriptor_digest(d->digest, line);
	buf_free(&again);
	json_free(&j);
	return st;
}

static enum status
parse_signature(struct descriptor_signature *out, struct bytes line)
{
	const size_t hex = 2 * (size_t)PUBKEY_LEN;

	if (line.len < hex + 1 || line.p[hex] != ' ' ||
	    hex_decode(out->root, PUBKEY_LEN, bytes_of(line.p, hex)) != ST_OK)
		return ST_INVALID;
	return text_base64(
	    out->sig, SIG_LEN, bytes_of(line.p + hex + 1, line.len - hex - 1));
}

enum status
descriptor_parse(struct descriptor *out, struct bytes file)
{
	struct descriptor *d;
	struct bytes line, sig;
	enum status st;

	if (file.len > DESCRIPTOR_FILE_MAX || !text_line(&file, &line) ||
	    line.len > DESCRIPTOR_BYTES_MAX)
		return ST_INVALID;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ST_NOMEM;
	st = parse_line(d, line);
	while (st == ST_OK && text_line(&file, &sig)) {
		if (d->signature_count == DESCRIPTOR_SIGNATURES_MAX)
			st = ST_INVALID;
		else
			st = parse_signature(
			    &d->signature[d->signature_count++], sig);
	}
	if (st == ST_OK && (file.len > 0 || d->signature_count == 0))
		st = ST_INVALID;
	if (st == ST_OK)
		*out = *d;
	free(d);
	return st;
}

struct bytes
descriptor_line(struct bytes file)
{
	struct bytes line;

	return text_line(&file, &line) ? line : file;
}

/* The signature at that place is by `root`, and good. */
static bool
signed_by(const struct descriptor *d, size_t at, const uint8_t root[PUBKEY_LEN])
{
	uint8_t msg[MESSAGE_LEN];
	const struct descriptor_signature *s = &d->signature[at];

	if (at >= d->signature_count || memcmp(s->root, root, PUBKEY_LEN) != 0)
		return false;
	signed_message(msg, d->digest);
	return crypto_sign_verify_detached(s->sig, msg, sizeof(msg), root) == 0;
}

enum status
descriptor_check_first(const struct descriptor *d)
{
	if (d->version != 1)
		return ST_INVALID;
	if (d->signature_count != 1 || !signed_by(d, 0, d->root))
		return ST_DENIED;
	return ST_OK;
}

/* Every distrust of `prev` still stands, at its size or a smaller one. */
static bool
distrust_kept(const struct descriptor *prev, const struct descriptor *next)
{
	for (size_t i = 0; i < prev->distrust_count; i++) {
		const struct descriptor_distrust *old = &prev->distrust[i];
		const struct descriptor_distrust *now =
		    descriptor_distrust_of(next, old->key);

		if (now == NULL || now->after > old->after)
			return false;
	}
	return true;
}

enum status
descriptor_check_next(
    const struct descriptor *prev, const struct descriptor *next)
{
	bool new_root = memcmp(prev->root, next->root, PUBKEY_LEN) != 0;

	if (next->version != prev->version + 1 ||
	    memcmp(next->prev, prev->digest, HASH_LEN) != 0 ||
	    strcmp(next->court, prev->court) != 0 || !distrust_kept(prev, next))
		return ST_INVALID;
	if (next->signature_count != (new_root ? 2 : 1) ||
	    !signed_by(next, 0, prev->root) ||
	    (new_root && !signed_by(next, 1, next->root)))
		return ST_DENIED;
	return ST_OK;
}

bool
descriptor_trusts(const struct descriptor *d, const char *key, uint64_t size)
{
	const struct descriptor_distrust *x = descriptor_distrust_of(d, key);

	return x == NULL || size <= x->after;
}
