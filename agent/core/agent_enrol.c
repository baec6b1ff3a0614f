/* agent_enrol: joining a court with a code (docs/PROTOCOL.md, section 7). */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/blobs.h"
#include "base/enc.h"
#include "base/sha.h"
#include "crypt/x509.h"
#include "entry/chain.h"
#include "wire/join.h"

/* The host:port of "https://host:port". */
static const char *
bare_address(const char *url)
{
	static const char scheme[] = "https://";

	return strncmp(url, scheme, sizeof(scheme) - 1) == 0
		   ? url + sizeof(scheme) - 1
		   : url;
}

/* Where a service is found: by the descriptor, else by what the code said. */
const char *
agent_address(const struct agent *a, enum agent_service what)
{
	bool device = what == SERVICE_SYNC || what == SERVICE_RENEW;

	if (device && a->court.devices[0] != '\0')
		return a->court.devices;
	if (device && a->desc != NULL && a->desc->devices_at.count > 0)
		return bare_address(a->desc->devices_at.url[0]);
	return a->court.public_at;
}

/* The centre says why, in words for whoever reads them here. */
static bool
centre_words(struct agent *a, struct bytes body)
{
	char en[512], zh[512];
	struct json j;
	bool ok;

	json_init(&j);
	ok = json_parse(&j, body, JSON_DOCUMENT) == ST_OK &&
	     json_member_text(&j, 0, "message", en, sizeof(en)) &&
	     json_member_text(&j, 0, "zh", zh, sizeof(zh)) && en[0] != '\0' &&
	     zh[0] != '\0';
	json_free(&j);
	if (ok) {
		words_clear(&a->words);
		words_put(&a->words, zh, en);
	}
	return ok;
}

static enum status
refused(struct agent *a, const struct agent_reply *r)
{
	if (r->status == 401 || r->status == 403)
		return agent_why(a, ST_DENIED, "中心拒绝了本机",
		    "the centre refused this device");
	if (r->status == 409)
		return agent_why(a, ST_DENIED, "入网码已被另一台设备使用",
		    "the code was used by another device");
	if (r->status == 410)
		return agent_why(a, ST_DENIED, "入网码已过期，请索取新码",
		    "the code has expired: ask for a new one");
	if (r->status == 429 || r->status == 503)
		return agent_why(a, ST_AGAIN, "中心繁忙，稍后再试",
		    "the centre is busy: try later");
	return agent_why(a, ST_NET, "中心未能处理请求",
	    "the centre could not serve the request");
}

enum status
agent_exchange(struct agent *a, enum agent_service what, struct bytes body,
    struct agent_reply *out)
{
	struct bytes ca = { NULL, 0 }, cert = { NULL, 0 }, key = { NULL, 0 };
	enum status st;

	if (a->uplink == NULL)
		return agent_why(a, ST_NET, "没有网络", "no network");
	if (a->desc != NULL && what != SERVICE_DESCRIPTOR)
		ca = bytes_of(a->desc->ca, a->desc->ca_len);
	if (what == SERVICE_SYNC || what == SERVICE_RENEW) {
		cert = log_identity_get(a->log, IDENTITY_TLS_CERT);
		key = log_identity_get(a->log, IDENTITY_TLS_KEY);
	}
	st = a->uplink->exchange(a->uplink->arg, what, agent_address(a, what),
	    ca, cert, key, body, out);
	if (st == ST_NET && out->tls_why != NULL)
		return agent_why(a, st,
		    "连接未被接受：中心不认可本机证书，或连接中断",
		    out->tls_why);
	if (st == ST_NET)
		return agent_why(a, st, "连不上中心，记录已保存在本机",
		    "the centre cannot be reached; what was recorded is safe "
		    "here");
	if (st != ST_OK)
		return agent_why(a, st, "通信出错", status_text(st));
	if (out->status == 200)
		return ST_OK;
	st = refused(a, out);
	/* Only from a centre that is known to be ours. */
	if (ca.len > 0)
		(void)centre_words(a, buf_view(&out->body));
	return st;
}

/* A key and its request, kept before the first attempt: whatever answer is
 * lost is asked for again with the same ones. */
enum status
agent_csr_ready(struct agent *a)
{
	struct log_item items[2] = { { .item = IDENTITY_TLS_KEY_NEXT },
		{ .item = IDENTITY_TLS_CSR_NEXT } };
	struct buf key, csr;
	enum status st;

	if (log_identity_get(a->log, IDENTITY_TLS_CSR_NEXT).len > 0)
		return ST_OK;
	buf_init(&key, X509_KEY_DER_MAX);
	buf_init(&csr, X509_CSR_DER_MAX);
	st = x509_key_new(&key, a->port);
	if (st == ST_OK)
		st = x509_csr_new(&csr, buf_view(&key), a->port);
	if (st == ST_OK) {
		items[0].in = buf_view(&key);
		items[1].in = buf_view(&csr);
		st = log_identity_set_many(a->log, items, 2);
	}
	buf_wipe(&key);
	buf_free(&csr);
	return st == ST_OK ? st : agent_log_why(a, st);
}

/* Does the certificate name this device, carry our new key, and come from the
 * court's CA? */
static bool
cert_is_ours(struct agent *a, struct bytes cert)
{
	char dev[DEV_LEN + 1];
	uint8_t hash[HASH_LEN];
	struct x509_info info;
	struct buf pub;
	bool same;

	chain_dev(dev, log_public_key(a->log));
	if (x509_cert_info(&info, cert) != ST_OK ||
	    strcmp(info.dev, dev) != 0 ||
	    !x509_cert_signed_by(cert, bytes_of(a->desc->ca, a->desc->ca_len)))
		return false;
	buf_init(&pub, X509_KEY_DER_MAX);
	same = x509_key_public(&pub,
		   log_identity_get(a->log, IDENTITY_TLS_KEY_NEXT),
		   a->port) == ST_OK;
	if (same) {
		sha256(hash, buf_view(&pub));
		same = memcmp(hash, info.key_sha256, HASH_LEN) == 0;
	}
	buf_free(&pub);
	return same;
}

/* "cert" of an answer becomes the certificate, with the key made for it. */
enum status
agent_cert_take(struct agent *a, struct bytes reply)
{
	uint8_t der[X509_CERT_DER_MAX], key[X509_KEY_DER_MAX];
	struct bytes next = log_identity_get(a->log, IDENTITY_TLS_KEY_NEXT);
	struct json j;
	uint32_t n;
	size_t len = 0;
	enum status st;

	json_init(&j);
	st = json_parse(&j, reply, JSON_DOCUMENT);
	n = st == ST_OK ? json_get_typed(&j, 0, "cert", JSON_STRING) : 0;
	if (n == 0 ||
	    base64_decode(der, sizeof(der), &len, json_raw(&j, n)) != ST_OK ||
	    next.len == 0 || next.len > sizeof(key) ||
	    !cert_is_ours(a, bytes_of(der, len)))
		st = agent_why(a, ST_DENIED, "中心给出的证书不属于本机",
		    "the certificate is not for this device");
	json_free(&j);
	if (st == ST_OK) {
		/* Setting one item may move the others: copy first. */
		struct log_item items[4] = { { IDENTITY_TLS_KEY,
						 { key, next.len } },
			{ IDENTITY_TLS_CERT, { der, len } },
			{ IDENTITY_TLS_KEY_NEXT, { NULL, 0 } },
			{ IDENTITY_TLS_CSR_NEXT, { NULL, 0 } } };

		memcpy(key, next.p, next.len);
		st = log_identity_set_many(a->log, items, 4);
		if (st != ST_OK)
			st = agent_log_why(a, st);
	}
	sodium_memzero(key, sizeof(key));
	return st;
}

/* ---- enrolment */

static enum status
enrol_request(struct agent *a, const uint8_t code_hash[HASH_LEN],
    const uint8_t descriptor[HASH_LEN], struct buf *out)
{
	struct bytes csr = log_identity_get(a->log, IDENTITY_TLS_CSR_NEXT);
	char csr64[X509_CSR_DER_MAX * 4 / 3 + 8];
	uint8_t message[18 + 3 * HASH_LEN], csr_hash[HASH_LEN], sig[SIG_LEN];
	struct buf m;
	enum status st;

	if (csr.len == 0 || csr.len > X509_CSR_DER_MAX)
		return ST_CORRUPT;
	base64_encode(csr64, csr);
	sha256(csr_hash, csr);
	buf_init(&m, sizeof(message));
	join_enrol_message(&m, code_hash, csr_hash, descriptor);
	st = m.err != ST_OK ? m.err : log_sign(a->log, sig, buf_view(&m));
	buf_free(&m);
	if (st != ST_OK)
		return st;
	buf_str(out, "{\"v\":1,\"code\":");
	json_put_hex(out, bytes_of(code_hash, HASH_LEN));
	buf_printf(out, ",\"csr\":\"%s\",\"key\":", csr64);
	json_put_hex(out, bytes_of(log_public_key(a->log), PUBKEY_LEN));
	buf_str(out, ",\"sig\":");
	json_put_hex(out, bytes_of(sig, SIG_LEN));
	buf_u8(out, '}');
	return out->err;
}

/* Who we are there, from the enrolment's answer. */
static enum status
read_answer(struct agent *a, struct bytes body)
{
	struct agent_court *c = &a->court;
	struct json j;
	enum status st;

	json_init(&j);
	st = json_parse(&j, body, JSON_DOCUMENT);
	if (st == ST_OK &&
	    (!json_member_text(&j, 0, "person", c->person, sizeof(c->person)) ||
		!json_member_text(&j, 0, "name", c->name, sizeof(c->name)) ||
		!json_member_text(&j, 0, "role", c->role, sizeof(c->role)) ||
		!json_member_text(&j, 0, "team", c->team, sizeof(c->team)) ||
		!json_member_text(
		    &j, 0, "devices", c->devices, sizeof(c->devices)) ||
		!join_address_ok(bytes_str(c->devices))))
		st = ST_INVALID;
	json_free(&j);
	if (st == ST_INVALID)
		return agent_why(a, st, "中心的答复无法理解",
		    "the centre's answer cannot be read");
	return st;
}

/* Get and check the descriptor that the code names. */
static enum status
fetch_for_code(struct agent *a, const struct join_code *code)
{
	struct agent_reply r = { .retry_after_s = -1 };
	struct descriptor *d = malloc(sizeof(*d));
	enum status st;

	if (d == NULL)
		return ST_NOMEM;
	memcpy(a->court.public_at, code->address, sizeof(code->address));
	buf_init(&r.body, DOC_BYTES_MAX);
	st = agent_exchange(
	    a, SERVICE_DESCRIPTOR, (struct bytes){ NULL, 0 }, &r);
	if (st == ST_OK)
		st = agent_descriptor_take(a, buf_view(&r.body),
		    code->descriptor, a->court.court_id, d);
	if (st == ST_OK)
		st = agent_court_join(a, buf_view(&r.body), d);
	buf_free(&r.body);
	free(d);
	return st;
}

enum status
agent_join_finish(struct agent *a)
{
	enum status st;

	if (a->court.joined || a->desc == NULL ||
	    log_identity_get(a->log, IDENTITY_TLS_CERT).len == 0)
		return ST_OK;
	a->court.joined = true;
	st = agent_court_save(a);
	return st == ST_OK ? st : agent_log_why(a, st);
}

/*
 * Each step may be the last before a crash.  The certificate, which uses up the
 * key it was asked for with, comes last but one: without it the same request is
 * sent again, and with it nothing more is needed of the centre.
 */
static enum status
finish(struct agent *a, struct bytes body)
{
	struct log_head head;
	enum status st = log_recovery_set(a->log, a->desc->recovery);

	if (st == ST_OK) {
		st = log_head(a->log, &head); /* an earlier try's */
		if (st == ST_ABSENT)
			st = log_chain_new(a->log, a->court.court_id);
	}
	if (st == ST_OK)
		st = agent_court_save(a);
	if (st != ST_OK)
		return agent_log_why(a, st);
	st = agent_cert_take(a, body);
	return st == ST_OK ? agent_join_finish(a) : st;
}

static enum status
enrol_online(struct agent *a, const struct join_code *code)
{
	struct agent_reply r = { .retry_after_s = -1 };
	uint8_t code_hash[HASH_LEN];
	struct buf body;
	enum status st;

	st = fetch_for_code(a, code);
	if (st == ST_OK)
		st = agent_csr_ready(a);
	if (st != ST_OK)
		return st;
	join_code_hash(code_hash, code->secret);
	buf_init(&body, DOC_BYTES_MAX);
	buf_init(&r.body, DOC_BYTES_MAX);
	st = enrol_request(a, code_hash, code->descriptor, &body);
	if (st == ST_OK)
		st = agent_exchange(a, SERVICE_ENROL, buf_view(&body), &r);
	if (st == ST_OK)
		st = read_answer(a, buf_view(&r.body));
	if (st == ST_OK)
		st = finish(a, buf_view(&r.body));
	buf_free(&body);
	buf_free(&r.body);
	return st;
}

enum status
agent_enrol(struct agent *a, struct bytes code_text, struct bytes passphrase)
{
	struct join_code code;
	enum status st;

	if (join_code_parse(&code, code_text) != ST_OK)
		return agent_why(
		    a, ST_INVALID, "这不是入网码", "this is no enrolment code");
	if (a->log == NULL) {
		st = agent_create_log(a, passphrase);
		if (st == ST_INVALID)
			st = agent_log_why(a, st);
		else if (st != ST_OK)
			st = agent_why(
			    a, st, "无法建立本机存储", status_text(st));
		else
			st = view_new(
			    &a->view, a->kinds, a->rules, a->offset_min);
		if (st == ST_OK)
			st = blobs_load(a);
	} else {
		st = agent_unlock(a, NULL, passphrase);
	}
	if (st == ST_OK && a->court.joined && a->joined_now) {
		a->joined_now = false;
		sodium_memzero(&code, sizeof(code));
		return ST_OK;
	}
	if (st == ST_OK && a->court.joined)
		st = agent_why(a, ST_CONFLICT, "本机已入网",
		    "this device is enrolled already");
	if (st == ST_OK)
		st = enrol_online(a, &code);
	if (st == ST_OK)
		lock_unlocked(a->lock, port_mono_ms(a->port));
	sodium_memzero(&code, sizeof(code));
	return st;
}
