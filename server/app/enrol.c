#include "server/app/enrol.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "crypt/x509.h"
#include "entry/chain.h"
#include "entry/json.h"
#include "server/app/enrol_impl.h"
#include "wire/join.h"

enum status
enrol_new(struct enrol **out, const struct enrol_config *c)
{
	struct enrol *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return ST_NOMEM;
	if (pthread_mutex_init(&e->lock, NULL) != 0) {
		free(e);
		return ST_NOMEM;
	}
	e->cfg = *c;
	*out = e;
	return ST_OK;
}

void
enrol_free(struct enrol *e)
{
	if (e == NULL)
		return;
	(void)pthread_mutex_destroy(&e->lock);
	sodium_memzero(e, sizeof(*e));
	free(e);
}

enum status
enrol_say(struct enrol_reply *out, unsigned status, const char *word,
    const char *en, const char *zh)
{
	out->status = status;
	buf_reset(out->body);
	buf_printf(out->body, "{\"error\":\"%s\",\"message\":", word);
	json_put_str(out->body, en);
	buf_str(out->body, ",\"zh\":");
	json_put_str(out->body, zh);
	buf_u8(out->body, '}');
	return out->body->err;
}

enum status
enrol_bad(struct enrol_reply *out)
{
	return enrol_say(out, 400, "bad_request", "the request cannot be read",
	    "请求无法理解");
}

/* ---- read by joining and by renewal */

bool
enrol_read_hex(const struct json *j, const char *name, uint8_t *out, size_t len)
{
	uint32_t n = json_get_typed(j, 0, name, JSON_STRING);

	return n != 0 && hex_decode(out, len, json_raw(j, n)) == ST_OK;
}

enum status
enrol_read_csr(
    const struct json *j, uint8_t *csr, size_t *csr_len, uint8_t key[HASH_LEN])
{
	uint32_t n = json_get_typed(j, 0, "csr", JSON_STRING);
	struct buf pub;
	enum status st;

	if (n == 0 || base64_decode(csr, X509_CSR_DER_MAX, csr_len,
			  json_raw(j, n)) != ST_OK)
		return ST_INVALID;
	buf_init(&pub, X509_KEY_DER_MAX);
	st = x509_csr_check(&pub, bytes_of(csr, *csr_len));
	if (st == ST_OK)
		sha256(key, buf_view(&pub));
	buf_free(&pub);
	return st == ST_OK || st == ST_NOMEM ? st : ST_INVALID;
}

enum status
enrol_issue(
    struct enrol *e, const char *dev, struct bytes csr, struct buf *cert)
{
	uint64_t now_s = port_wall_ms(centre_port(e->cfg.centre)) / 1000;
	uint8_t serial[X509_SERIAL_LEN];

	return ca_issue_device(centre_ca(e->cfg.centre), cert, serial, csr, dev,
	    now_s - 3600, now_s + (uint64_t)e->cfg.cert_days * 86400);
}

/* ---- GET /v1/descriptor */

static enum status
put_file(struct buf *body, struct bytes file, bool *first)
{
	size_t cap = (file.len + 2) / 3 * 4 + 1;
	char *text = malloc(cap);

	if (text == NULL)
		return ST_NOMEM;
	base64_encode(text, file);
	buf_str(body, *first ? "\"" : ",\"");
	buf_str(body, text);
	buf_u8(body, '"');
	*first = false;
	free(text);
	return body->err;
}

/* The file that a descriptor@1 entry holds; nothing for other entries. */
static enum status
put_entry_file(struct buf *body, struct bytes raw, bool *first)
{
	struct entry e;
	struct buf file;
	enum status st;

	entry_init(&e);
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	st = entry_parse(&e, raw);
	if (st == ST_OK && bytes_eq_str(e.kind, "descriptor@1") &&
	    e.body_is == ENTRY_BODY_WHOLE) {
		for (size_t i = 0; i < e.on_count; i++) {
			if (bytes_eq_str(e.on[i], "file"))
				json_text(&e.body, entry_value(&e, i), &file);
		}
		st = file.err;
		if (st == ST_OK && file.len > 0)
			st = put_file(body, buf_view(&file), first);
	}
	entry_free(&e);
	buf_free(&file);
	return st == ST_INVALID ? ST_OK : st;
}

enum status
enrol_descriptor(struct enrol *e, struct centre_reader *cr, struct buf *body)
{
	enum { SOME = 64 };
	uint64_t place[SOME];
	struct centre_entry ce;
	size_t from = 0, n = SOME;
	bool first = true;
	enum status st = ST_OK;

	buf_str(body, "{\"v\":1,\"files\":[");
	for (; st == ST_OK && n == SOME; from += n) {
		n = roster_descriptors(e->cfg.roster, from, place, SOME);
		for (size_t i = 0; st == ST_OK && i < n; i++) {
			st = centre_entry(cr, place[i], &ce);
			if (st == ST_OK)
				st = put_entry_file(body, ce.bytes, &first);
		}
	}
	buf_str(body, "]}");
	return st == ST_OK ? body->err : st;
}

/* ---- codes */

enum status
enrol_feed_records(
    void *feed_reader, const uint8_t scope[ID_LEN], roster_rec_fn fn, void *arg)
{
	return feed_records_of(feed_reader, scope, fn, arg);
}

static bool
fits(const char *s, bool must)
{
	return (s[0] != '\0' || !must) && strlen(s) <= ROSTER_NAME_MAX &&
	       json_text_ok(bytes_str(s));
}

static void
put_pair(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	json_put_str(b, value == NULL ? "" : value);
}

/* Keep the code by its hash alone: who reads the store cannot enrol. */
static enum status
keep_code(
    struct centre *c, const struct enrol_code *w, const uint8_t hash[HASH_LEN])
{
	struct store_doc doc = { .sort = bytes_str("code") };
	struct buf b;
	enum status st;

	buf_init(&b, 8192);
	buf_str(&b, "{\"v\":1");
	put_pair(&b, "person", w->person);
	put_pair(&b, "name", w->name);
	put_pair(&b, "role", w->role);
	put_pair(&b, "team", w->team);
	put_pair(&b, "replaces", w->replaces);
	put_pair(&b, "reason", w->reason);
	put_pair(&b, "by", w->by);
	buf_u8(&b, '}');
	doc.key = bytes_of(hash, HASH_LEN);
	doc.made = port_wall_ms(centre_port(c));
	doc.until = doc.made + w->life_ms;
	doc.doc = buf_view(&b);
	st = b.err == ST_OK ? centre_put_doc(c, &doc) : b.err;
	buf_free(&b);
	return st;
}

static enum status
put_on_roster(
    struct roster *r, struct feed_reader *fr, const struct enrol_code *w)
{
	struct roster_person p;

	memset(&p, 0, sizeof(p));
	memcpy(p.id, w->person, strlen(w->person));
	memcpy(p.name, w->name, strlen(w->name));
	memcpy(p.role, w->role, strlen(w->role));
	memcpy(p.unit, w->unit, strlen(w->unit));
	memcpy(p.team, w->team, strlen(w->team));
	return roster_person_put(r, &p, w->by, enrol_feed_records, fr);
}

enum status
enrol_code_make(struct centre *c, struct roster *r, struct feed_reader *fr,
    const struct enrol_code *w, struct buf *out)
{
	uint8_t hash[HASH_LEN];
	struct join_code code;
	struct buf file;
	enum status st;

	if (!fits(w->person, true) || !fits(w->name, true) ||
	    !fits(w->role, true) || !fits(w->unit, false) ||
	    !fits(w->team, false) || !join_address_ok(bytes_str(w->address)))
		return ST_INVALID;
	st = put_on_roster(r, fr, w);
	if (st != ST_OK)
		return st;
	memset(&code, 0, sizeof(code));
	port_random(centre_port(c), code.secret, sizeof(code.secret));
	memcpy(code.address, w->address, strlen(w->address) + 1);
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	st = centre_descriptor(c, &file);
	if (st == ST_OK) {
		descriptor_digest(
		    code.descriptor, descriptor_line(buf_view(&file)));
		join_code_hash(hash, code.secret);
		st = keep_code(c, w, hash);
	}
	if (st == ST_OK) {
		join_code_format(&code, out);
		st = out->err;
	}
	buf_free(&file);
	sodium_memzero(&code, sizeof(code));
	return st;
}
