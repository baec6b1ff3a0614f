/* enrol_renew: a device's next certificate, while its last one holds and after
 * it has run out. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "crypt/x509.h"
#include "entry/json.h"
#include "server/app/enrol_impl.h"
#include "wire/join.h"

static enum status
renew(
    struct enrol *e, const char *dev, struct bytes csr, struct enrol_reply *out)
{
	struct x509_info info;
	struct buf cert;
	char *text = NULL;
	enum status st;

	buf_init(&cert, X509_CERT_DER_MAX);
	st = enrol_issue(e, dev, csr, &cert);
	if (st == ST_OK)
		st = x509_cert_info(&info, buf_view(&cert));
	if (st == ST_OK)
		st = roster_renew(e->cfg.roster, dev, info.serial,
		    info.cert_sha256, info.not_before_s * 1000,
		    info.not_after_s * 1000);
	if (st == ST_DENIED || st == ST_ABSENT) {
		buf_free(&cert);
		return enrol_say(out, 403, "revoked",
		    "this device may not renew its certificate",
		    "本机已被吊销，不能续期");
	}
	if (st == ST_OK)
		text = malloc((cert.len + 2) / 3 * 4 + 1);
	if (st == ST_OK && text == NULL)
		st = ST_NOMEM;
	if (st == ST_OK) {
		base64_encode(text, buf_view(&cert));
		out->status = 200;
		buf_printf(out->body, "{\"v\":1,\"cert\":\"%s\"}", text);
		st = out->body->err;
	}
	free(text);
	buf_free(&cert);
	return st == ST_INVALID ? enrol_bad(out) : st;
}

enum status
enrol_renew(struct enrol *e, const char *dev, struct bytes request,
    struct enrol_reply *out)
{
	uint8_t csr[X509_CSR_DER_MAX], key[HASH_LEN];
	struct json j;
	size_t len = 0;
	enum status st;

	json_init(&j);
	st = json_parse(&j, request, JSON_DOCUMENT);
	if (st == ST_OK)
		st = enrol_read_csr(&j, csr, &len, key);
	json_free(&j);
	if (st == ST_OK)
		st = renew(e, dev, bytes_of(csr, len), out);
	return st == ST_INVALID ? enrol_bad(out) : st;
}

/* A free place, or the oldest: who floods this costs others a second try. */
static struct challenge *
challenge_place(struct enrol *e, uint64_t now_ms)
{
	struct challenge *oldest = &e->challenge[0];

	for (size_t i = 0; i < CHALLENGES_MAX; i++) {
		struct challenge *c = &e->challenge[i];

		if (c->dev[0] == '\0' || c->until_ms <= now_ms)
			return c;
		if (c->until_ms < oldest->until_ms)
			oldest = c;
	}
	return oldest;
}

enum status
enrol_challenge(struct enrol *e, struct bytes request, struct enrol_reply *out)
{
	const struct port *port = centre_port(e->cfg.centre);
	uint64_t now = port_wall_ms(port);
	char dev[DEV_LEN + 1];
	struct challenge *c;
	struct json j;
	enum status st;

	json_init(&j);
	st = json_parse(&j, request, JSON_DOCUMENT);
	if (st == ST_OK && (!json_member_text(&j, 0, "dev", dev, sizeof(dev)) ||
			       strlen(dev) != DEV_LEN))
		st = ST_INVALID;
	json_free(&j);
	if (st != ST_OK)
		return st == ST_INVALID ? enrol_bad(out) : st;
	(void)pthread_mutex_lock(&e->lock);
	c = challenge_place(e, now);
	memcpy(c->dev, dev, sizeof(dev));
	c->until_ms = now + CHALLENGE_LIFE_MS;
	port_random(port, c->nonce, sizeof(c->nonce));
	out->status = 200;
	buf_str(out->body, "{\"v\":1,\"nonce\":");
	json_put_hex(out->body, bytes_of(c->nonce, sizeof(c->nonce)));
	buf_printf(out->body, ",\"time\":%llu}", (unsigned long long)now);
	(void)pthread_mutex_unlock(&e->lock);
	return out->body->err;
}

/* Use a challenge up; false if there is none that fits. */
static bool
challenge_take(struct enrol *e, const char *dev, const uint8_t nonce[32])
{
	uint64_t now = port_wall_ms(centre_port(e->cfg.centre));
	bool found = false;

	(void)pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < CHALLENGES_MAX && !found; i++) {
		struct challenge *c = &e->challenge[i];

		found = strcmp(c->dev, dev) == 0 && c->until_ms > now &&
			sodium_memcmp(c->nonce, nonce, 32) == 0;
		if (found)
			c->dev[0] = '\0';
	}
	(void)pthread_mutex_unlock(&e->lock);
	return found;
}

enum status
enrol_renew_expired(
    struct enrol *e, struct bytes request, struct enrol_reply *out)
{
	uint8_t csr[X509_CSR_DER_MAX], key[HASH_LEN], nonce[32], sig[SIG_LEN];
	char dev[DEV_LEN + 1];
	struct roster_device d;
	struct json j;
	size_t len = 0;
	enum status st;

	json_init(&j);
	st = json_parse(&j, request, JSON_DOCUMENT);
	if (st == ST_OK &&
	    (!json_member_text(&j, 0, "dev", dev, sizeof(dev)) ||
		!enrol_read_hex(&j, "nonce", nonce, sizeof(nonce)) ||
		!enrol_read_hex(&j, "sig", sig, sizeof(sig))))
		st = ST_INVALID;
	if (st == ST_OK)
		st = enrol_read_csr(&j, csr, &len, key);
	json_free(&j);
	if (st != ST_OK)
		return st == ST_INVALID ? enrol_bad(out) : st;
	st = roster_device_by_dev(e->cfg.roster, dev, &d);
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	/* Used, too old, or forgotten when the centre started anew: nobody's
	 * fault, and another one helps. */
	if (st == ST_OK && !challenge_take(e, dev, nonce))
		return enrol_say(out, 503, "challenge_gone",
		    "this challenge is used up or too old: ask for another",
		    "该挑战已使用或过期，请重新申请");
	if (st == ST_ABSENT ||
	    join_renew_verify(sig, d.key, nonce, bytes_of(csr, len)) != ST_OK) {
		centre_attempt(e->cfg.centre, "renew_refused", dev, "{}");
		return enrol_say(out, 403, "refused",
		    "the renewal is not signed by this device",
		    "续期请求不是本机签署");
	}
	return renew(e, dev, bytes_of(csr, len), out);
}
