/* enrol_join: codes become devices, requests become certificates. */
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

/* A request to join, read. */
struct joining {
	uint8_t code[HASH_LEN]; /* SHA-256 of the secret */
	char code_hex[2 * HASH_LEN + 1];
	uint8_t key[PUBKEY_LEN];
	char dev[DEV_LEN + 1];
	uint8_t sig[SIG_LEN];
	uint8_t csr[X509_CSR_DER_MAX];
	size_t csr_len;
	uint8_t csr_key[HASH_LEN]; /* SHA-256 of the key in it */

	/* What the code says. */
	bool known, expired;
	char person[ROSTER_NAME_MAX + 1], name[ROSTER_NAME_MAX + 1];
	char role[ROSTER_NAME_MAX + 1], team[ROSTER_NAME_MAX + 1];
	char replaces[DEV_LEN + 1], reason[ROSTER_NAME_MAX + 1];
	char by[ROSTER_NAME_MAX + 1];
	uint64_t now_ms;

	/* The certificate that was made for it. */
	uint8_t cert[X509_CERT_DER_MAX];
	size_t cert_len;
	struct x509_info info;
};

static enum status
read_joining(struct joining *g, struct bytes request)
{
	struct json j;
	enum status st;

	json_init(&j);
	st = json_parse(&j, request, JSON_DOCUMENT);
	if (st == ST_OK && (json_int(&j, 0, "v", 0) != 1 ||
			       !enrol_read_hex(&j, "code", g->code, HASH_LEN) ||
			       !enrol_read_hex(&j, "key", g->key, PUBKEY_LEN) ||
			       !enrol_read_hex(&j, "sig", g->sig, SIG_LEN)))
		st = ST_INVALID;
	if (st == ST_OK)
		st = enrol_read_csr(&j, g->csr, &g->csr_len, g->csr_key);
	json_free(&j);
	if (st == ST_OK) {
		chain_dev(g->dev, g->key);
		hex_encode(g->code_hex, bytes_of(g->code, HASH_LEN));
	}
	return st;
}

/* What the code says: called with its row. */
static enum status
take_code(void *arg, const struct store_doc *d)
{
	struct joining *g = arg;
	struct json j;
	enum status st;

	json_init(&j);
	st = json_parse(&j, d->doc, JSON_DOCUMENT);
	if (st == ST_OK) {
		g->known =
		    json_member_text(
			&j, 0, "person", g->person, sizeof(g->person)) &&
		    json_member_text(&j, 0, "name", g->name, sizeof(g->name)) &&
		    json_member_text(&j, 0, "role", g->role, sizeof(g->role)) &&
		    json_member_text(&j, 0, "team", g->team, sizeof(g->team));
		(void)json_member_text(
		    &j, 0, "replaces", g->replaces, sizeof(g->replaces));
		(void)json_member_text(
		    &j, 0, "reason", g->reason, sizeof(g->reason));
		(void)json_member_text(&j, 0, "by", g->by, sizeof(g->by));
		g->expired = d->until != 0 && d->until <= g->now_ms;
	}
	json_free(&j);
	return st == ST_INVALID ? ST_CORRUPT : st;
}

/* The certificate that was kept for this code and key. */
static enum status
take_issued(void *arg, const struct store_doc *d)
{
	struct joining *g = arg;
	struct json j;
	uint32_t n;
	enum status st;

	json_init(&j);
	st = json_parse(&j, d->doc, JSON_DOCUMENT);
	n = st == ST_OK ? json_get_typed(&j, 0, "cert", JSON_STRING) : 0;
	if (n != 0)
		st = base64_decode(
		    g->cert, sizeof(g->cert), &g->cert_len, json_raw(&j, n));
	json_free(&j);
	return st;
}

static enum status
with_reader(struct enrol *e, const char *sort, struct bytes key,
    store_doc_fn fn, void *arg)
{
	struct store_reader *r = NULL;
	enum status st = store_reader_open(&r, centre_store(e->cfg.centre));

	if (st == ST_OK)
		st = store_doc(r, sort, key, fn, arg);
	store_reader_close(r);
	return st == ST_ABSENT ? ST_OK : st;
}

/* Key of the kept certificate: the code and the device. */
static void
issued_key(const struct joining *g, uint8_t out[HASH_LEN])
{
	struct bytes part[] = { bytes_of(g->code, HASH_LEN),
		bytes_of(g->key, PUBKEY_LEN) };

	sha256_many(out, part, 2);
}

/* Make the certificate and keep it, before the enrolment is logged: a crash
 * in between leaves the same one to be given. */
static enum status
make_cert(struct enrol *e, struct joining *g)
{
	struct store_doc doc = { .sort = bytes_str("issued") };
	uint8_t key[HASH_LEN];
	struct buf cert, b;
	char *text;
	enum status st;

	issued_key(g, key);
	st = with_reader(e, "issued", bytes_of(key, HASH_LEN), take_issued, g);
	if (st != ST_OK || g->cert_len > 0)
		return st;
	buf_init(&cert, X509_CERT_DER_MAX);
	buf_init(&b, X509_PEM_MAX * 2);
	st = enrol_issue(e, g->dev, bytes_of(g->csr, g->csr_len), &cert);
	text = st == ST_OK ? malloc((cert.len + 2) / 3 * 4 + 1) : NULL;
	if (st == ST_OK && text == NULL)
		st = ST_NOMEM;
	if (st == ST_OK) {
		base64_encode(text, buf_view(&cert));
		buf_printf(&b, "{\"cert\":\"%s\"}", text);
		doc.key = bytes_of(key, HASH_LEN);
		doc.made = g->now_ms;
		doc.doc = buf_view(&b);
		st = b.err == ST_OK ? centre_put_doc(e->cfg.centre, &doc)
				    : b.err;
	}
	if (st == ST_OK) {
		memcpy(g->cert, cert.p, cert.len);
		g->cert_len = cert.len;
	}
	free(text);
	buf_free(&cert);
	buf_free(&b);
	return st;
}

static enum status
log_device(struct enrol *e, struct joining *g, uint64_t *place)
{
	struct roster_enrol r = { .person = g->person,
		.name = g->name,
		.role = g->role,
		.team = g->team,
		.code = g->code_hex,
		.by = g->by[0] == '\0' ? NULL : g->by };
	enum status st;

	memcpy(r.key, g->key, PUBKEY_LEN);
	memcpy(r.serial, g->info.serial, ROSTER_SERIAL_LEN);
	memcpy(r.cert_sha256, g->info.cert_sha256, HASH_LEN);
	r.from_ms = g->info.not_before_s * 1000;
	r.until_ms = g->info.not_after_s * 1000;
	if (g->replaces[0] != '\0') {
		r.replaces = g->replaces;
		r.replaces_reason = g->reason;
	}
	/* It joined by another code, and never heard so: the answer was lost,
	 * and that code has expired meanwhile. */
	st = roster_enrol_again(e->cfg.roster, &r, place);
	return st == ST_ABSENT ? roster_enrol(e->cfg.roster, &r, place) : st;
}

/* The device that this one takes the place of is out from now on.  Asked for
 * again with each answer: the centre may have gone down in between. */
static enum status
put_out_replaced(struct enrol *e, const struct joining *g)
{
	enum status st;

	/* Its own name: whoever made the code saw one that had never come. */
	if (g->replaces[0] == '\0' || strcmp(g->replaces, g->dev) == 0)
		return ST_OK;
	st = roster_revoke(e->cfg.roster, g->replaces, "replaced",
	    g->reason[0] == '\0' ? "replaced" : g->reason,
	    g->by[0] == '\0' ? NULL : g->by);
	return st == ST_CONFLICT || st == ST_ABSENT ? ST_OK : st;
}

static enum status
say_joined(struct enrol *e, const struct joining *g, uint64_t place,
    struct enrol_reply *out)
{
	char *text = malloc((g->cert_len + 2) / 3 * 4 + 1);

	if (text == NULL)
		return ST_NOMEM;
	base64_encode(text, bytes_of(g->cert, g->cert_len));
	out->status = 200;
	buf_printf(
	    out->body, "{\"v\":1,\"dev\":\"%s\",\"cert\":\"%s\"", g->dev, text);
	free(text);
	buf_str(out->body, ",\"person\":");
	json_put_str(out->body, g->person);
	buf_str(out->body, ",\"name\":");
	json_put_str(out->body, g->name);
	buf_str(out->body, ",\"role\":");
	json_put_str(out->body, g->role);
	buf_str(out->body, ",\"team\":");
	json_put_str(out->body, g->team);
	buf_str(out->body, ",\"devices\":");
	json_put_str(out->body, e->cfg.devices_at);
	buf_printf(out->body, ",\"place\":%llu}", (unsigned long long)place);
	return out->body->err;
}

/* Is it fit to join?  0: yes; else the answer is filled. */
static unsigned
judge(struct enrol *e, struct joining *g, struct enrol_reply *out,
    enum status *st)
{
	uint8_t digest[HASH_LEN];
	struct buf file;

	buf_init(&file, DESCRIPTOR_FILE_MAX);
	*st = centre_descriptor(e->cfg.centre, &file);
	if (*st == ST_OK)
		descriptor_digest(digest, descriptor_line(buf_view(&file)));
	buf_free(&file);
	if (*st != ST_OK)
		return 500;
	if (!g->known) {
		centre_attempt(e->cfg.centre, "code_unknown", g->dev, "{}");
		*st = enrol_say(out, 403, "code_unknown",
		    "this code is not known", "入网码无效");
		return 403;
	}
	if (g->expired) {
		*st = enrol_say(out, 410, "code_expired",
		    "this code has expired: ask for a new one",
		    "入网码已过期，请索取新码");
		return 410;
	}
	if (join_enrol_verify(g->sig, g->key, g->code,
		bytes_of(g->csr, g->csr_len), digest) != ST_OK) {
		centre_attempt(e->cfg.centre, "enrol_signature", g->dev, "{}");
		*st = enrol_say(out, 403, "bad_signature",
		    "the request is not signed by the key it names",
		    "请求签名不成立");
		return 403;
	}
	return 0;
}

static enum status
code_used(struct enrol *e, const struct joining *g, struct enrol_reply *out)
{
	struct buf b;
	enum status st;

	buf_init(&b, 4096);
	buf_printf(&b, "{\"code\":\"%s\",\"dev\":\"%s\"}", g->code_hex, g->dev);
	st = buf_cstr(&b) == NULL ? b.err
				  : centre_alarm(e->cfg.centre, "code_reused",
					g->dev, (const char *)b.p);
	buf_free(&b);
	if (st != ST_OK)
		return st;
	return enrol_say(out, 409, "code_used",
	    "this code was used by another device; supervisors were told",
	    "入网码已被另一台设备使用，已报告督察");
}

/* A device of the log with the code of another person, or one that is out. */
static enum status
not_its_own(struct enrol *e, const struct joining *g, struct enrol_reply *out)
{
	centre_attempt(e->cfg.centre, "code_of_another", g->dev, "{}");
	return enrol_say(out, 403, "not_its_code",
	    "this device has joined for somebody else, or is revoked",
	    "本机已为他人入网，或已被吊销");
}

static enum status
join(struct enrol *e, struct joining *g, struct enrol_reply *out)
{
	struct roster_device d;
	uint64_t place = 0;
	enum status st, made;

	st = roster_device_by_code(e->cfg.roster, g->code_hex, &d);
	if (st == ST_OK && memcmp(d.key, g->key, PUBKEY_LEN) != 0)
		return code_used(e, g, out);
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	if (st == ST_OK)
		place = d.place;
	made = make_cert(e, g);
	if (made == ST_OK)
		made = x509_cert_info(&g->info, bytes_of(g->cert, g->cert_len));
	if (made != ST_OK)
		return made == ST_INVALID ? ST_CORRUPT : made;
	if (memcmp(g->info.key_sha256, g->csr_key, HASH_LEN) != 0)
		return code_used(e, g, out);
	if (st == ST_ABSENT) {
		st = log_device(e, g, &place);
		if (st == ST_CONFLICT)
			return code_used(e, g, out);
		if (st == ST_DENIED)
			return not_its_own(e, g, out);
	}
	if (st == ST_OK)
		st = put_out_replaced(e, g);
	if (st != ST_OK)
		return st;
	return say_joined(e, g, place, out);
}

enum status
enrol_join(struct enrol *e, struct bytes request, struct enrol_reply *out)
{
	struct joining *g = calloc(1, sizeof(*g));
	enum status st;

	if (g == NULL)
		return ST_NOMEM;
	st = read_joining(g, request);
	if (st == ST_INVALID) {
		st = enrol_bad(out);
		goto out;
	}
	g->now_ms = port_wall_ms(centre_port(e->cfg.centre));
	if (st == ST_OK)
		st = with_reader(
		    e, "code", bytes_of(g->code, HASH_LEN), take_code, g);
	if (st == ST_OK && judge(e, g, out, &st) == 0)
		st = join(e, g, out);
out:
	sodium_memzero(g, sizeof(*g));
	free(g);
	return st;
}
