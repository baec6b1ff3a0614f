/* agent_renew: the certificate's successor, while it holds and after it has
 * run out (docs/PROTOCOL.md, section 7). */
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "base/enc.h"
#include "base/sha.h"
#include "crypt/x509.h"
#include "entry/chain.h"
#include "wire/join.h"

enum { NONCE_LEN = 32 };

/* Now, by the centre's clock as last heard. */
static uint64_t
centre_now_s(const struct agent *a)
{
	uint64_t now = port_wall_ms(a->port);

	if (a->has_clock)
		now = (uint64_t)((int64_t)now + a->clock_offset_ms);
	return now / 1000;
}

/* Before its time, too: it was issued while the centre's clock was ahead. */
static bool
holds_now(const struct agent *a, const struct x509_info *info)
{
	uint64_t now_s = centre_now_s(a);

	return now_s >= info->not_before_s && now_s <= info->not_after_s;
}

static enum status
own_cert(struct agent *a, struct x509_info *info)
{
	enum status st =
	    x509_cert_info(info, log_identity_get(a->log, IDENTITY_TLS_CERT));

	if (st == ST_NOMEM)
		return agent_why(a, st, "内存不足", "out of memory");
	if (st != ST_OK)
		return agent_why(a, ST_CORRUPT, "本机证书无法读取",
		    "this device's certificate cannot be read");
	return ST_OK;
}

static enum status
renew_body(struct agent *a, const char *more, struct buf *out)
{
	struct bytes csr = log_identity_get(a->log, IDENTITY_TLS_CSR_NEXT);
	char csr64[X509_CSR_DER_MAX * 4 / 3 + 8];

	if (csr.len == 0 || csr.len > X509_CSR_DER_MAX)
		return ST_CORRUPT;
	base64_encode(csr64, csr);
	buf_printf(out, "{\"v\":1,\"csr\":\"%s\"%s}", csr64, more);
	return out->err;
}

/* What a challenge's answer says: the nonce, and what time it is there. */
static enum status
read_challenge(struct agent *a, struct bytes body, uint8_t nonce[NONCE_LEN])
{
	struct json j;
	uint32_t n, t;
	enum status st;

	json_init(&j);
	st = json_parse(&j, body, JSON_DOCUMENT);
	if (st == ST_OK) {
		n = json_get_typed(&j, 0, "nonce", JSON_STRING);
		t = json_get_typed(&j, 0, "time", JSON_INT);
		st = n == 0 ? ST_INVALID
			    : hex_decode(nonce, NONCE_LEN, json_raw(&j, n));
		if (st == ST_OK && t != 0 && j.node[t].num >= 0)
			st = agent_time_take(a, (uint64_t)j.node[t].num);
	}
	json_free(&j);
	if (st == ST_INVALID)
		return agent_why(a, ST_NET, "中心的答复无法理解",
		    "the centre's answer cannot be read");
	return st;
}

static enum status
challenge(struct agent *a, const char *dev, uint8_t nonce[NONCE_LEN])
{
	struct agent_reply r = { .retry_after_s = -1 };
	struct buf body;
	enum status st;

	buf_init(&body, 256);
	buf_init(&r.body, DOC_BYTES_MAX);
	buf_printf(&body, "{\"v\":1,\"dev\":\"%s\"}", dev);
	st = agent_exchange(a, SERVICE_CHALLENGE, buf_view(&body), &r);
	if (st == ST_OK)
		st = read_challenge(a, buf_view(&r.body), nonce);
	buf_free(&body);
	buf_free(&r.body);
	return st;
}

/* Signed by the chain key, which is what the log knows of this device. */
static enum status
expired_body(struct agent *a, const char *dev, const uint8_t nonce[NONCE_LEN],
    struct buf *out)
{
	struct bytes csr = log_identity_get(a->log, IDENTITY_TLS_CSR_NEXT);
	uint8_t csr_hash[HASH_LEN], sig[SIG_LEN];
	char nonce_hex[2 * NONCE_LEN + 1], sig_hex[2 * SIG_LEN + 1];
	struct buf m, more;
	enum status st;

	sha256(csr_hash, csr);
	buf_init(&m, 256);
	buf_init(&more, 512);
	join_renew_message(&m, nonce, csr_hash);
	st = m.err != ST_OK ? m.err : log_sign(a->log, sig, buf_view(&m));
	if (st == ST_OK) {
		hex_encode(nonce_hex, bytes_of(nonce, NONCE_LEN));
		hex_encode(sig_hex, bytes_of(sig, SIG_LEN));
		buf_printf(&more,
		    ",\"dev\":\"%s\",\"nonce\":\"%s\",\"sig\":\"%s\"", dev,
		    nonce_hex, sig_hex);
		st = buf_cstr(&more) == NULL
			 ? more.err
			 : renew_body(a, (const char *)more.p, out);
	}
	buf_free(&m);
	buf_free(&more);
	return st;
}

static enum status
ask_for_cert(struct agent *a, enum agent_service how, struct bytes body)
{
	struct agent_reply r = { .retry_after_s = -1 };
	enum status st;

	buf_init(&r.body, DOC_BYTES_MAX);
	st = agent_exchange(a, how, body, &r);
	if (st == ST_OK)
		st = agent_cert_take(a, buf_view(&r.body));
	buf_free(&r.body);
	return st;
}

/*
 * An expired certificate renews on the public listener.  The challenge tells
 * the centre's time, by which alone it is judged: *renewed stays false if the
 * certificate holds there.
 */
static enum status
renew_expired(struct agent *a, bool *renewed)
{
	struct x509_info info;
	uint8_t nonce[NONCE_LEN];
	char dev[DEV_LEN + 1];
	struct buf body;
	enum status st;

	*renewed = false;
	chain_dev(dev, log_public_key(a->log));
	st = own_cert(a, &info);
	if (st == ST_OK)
		st = challenge(a, dev, nonce);
	if (st != ST_OK || holds_now(a, &info))
		return st;
	st = agent_csr_ready(a);
	if (st != ST_OK)
		return st;
	buf_init(&body, DOC_BYTES_MAX);
	st = expired_body(a, dev, nonce, &body);
	if (st == ST_OK)
		st = ask_for_cert(a, SERVICE_RENEW_EXPIRED, buf_view(&body));
	buf_free(&body);
	*renewed = st == ST_OK;
	return st;
}

enum status
agent_renew_due(struct agent *a)
{
	uint64_t now_s = centre_now_s(a);
	struct x509_info info;
	struct buf body;
	bool renewed;
	enum status st = own_cert(a, &info);

	if (st != ST_OK)
		return st;
	if (!holds_now(a, &info))
		return renew_expired(a, &renewed);
	if ((info.not_after_s - now_s) * 3 >
	    info.not_after_s - info.not_before_s)
		return ST_OK;
	st = agent_csr_ready(a);
	if (st != ST_OK)
		return st;
	buf_init(&body, DOC_BYTES_MAX);
	st = renew_body(a, "", &body);
	/* While it is still valid, a failed renewal keeps nobody from syncing.
	 */
	if (st == ST_OK)
		(void)ask_for_cert(a, SERVICE_RENEW, buf_view(&body));
	buf_free(&body);
	return ST_OK;
}

bool
agent_renew_refused(struct agent *a)
{
	struct words why = a->words;
	bool renewed = false;

	if (renew_expired(a, &renewed) == ST_OK && !renewed)
		a->words = why;
	return renewed;
}
