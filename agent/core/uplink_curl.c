#include "agent/core/uplink_curl.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/core/uplink_priv.h"
#include "crypt/x509.h"

enum { CONNECT_S = 15, SLOW_S = 60 };

static const struct {
	enum agent_service what;
	const char *path;
	bool post;
} services[] = {
	{ SERVICE_DESCRIPTOR, "/v1/descriptor", false },
	{ SERVICE_ENROL, "/v1/enrol", true },
	{ SERVICE_CHALLENGE, "/v1/renew/challenge", true },
	{ SERVICE_RENEW_EXPIRED, "/v1/renew/expired", true },
	{ SERVICE_SYNC, "/v1/sync", true },
	{ SERVICE_RENEW, "/v1/renew", true },
};

static size_t
take_body(char *p, size_t size, size_t count, void *arg)
{
	struct buf *body = arg;

	buf_add(body, p, size * count);
	return body->err == ST_OK ? size * count : 0;
}

/*
 * What left this side, as curl hands it to TLS: heads and bodies.  Its own
 * sums will not do: CURLINFO_REQUEST_SIZE counts the part of a body that went
 * out with the head in newer versions, and does not in older ones.
 */
static int
count_up(CURL *easy, curl_infotype what, char *p, size_t size, void *arg)
{
	struct agent_reply *out = arg;

	(void)easy;
	(void)p;
	if (what == CURLINFO_HEADER_OUT || what == CURLINFO_DATA_OUT)
		out->bytes_up += size;
	return 0;
}

static void
forget(char **text)
{
	if (*text != NULL)
		sodium_memzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* DER as PEM: what curl takes as a blob with every TLS library. */
typedef enum status (*pem_fn)(struct buf *out, struct bytes der);

/*
 * Keep `*held` equal to the PEM of `der`.  A connection lives as long as its
 * credentials: *changed tells that they are others than last time.
 */
static enum status
hold_pem(char **held, pem_fn pem_of, struct bytes der, bool *changed)
{
	struct buf pem;
	enum status st;

	if (der.len == 0) {
		*changed = *changed || *held != NULL;
		forget(held);
		return ST_OK;
	}
	buf_init(&pem, X509_PEM_MAX);
	st = pem_of(&pem, der);
	if (st == ST_OK && buf_cstr(&pem) == NULL)
		st = pem.err;
	if (st == ST_OK &&
	    (*held == NULL || strcmp(*held, (const char *)pem.p) != 0)) {
		forget(held);
		*held = strdup((const char *)pem.p);
		*changed = true;
		st = *held == NULL ? ST_NOMEM : ST_OK;
	}
	buf_wipe(&pem);
	return st;
}

static CURLcode
set_blob(CURL *easy, CURLoption option, char *pem)
{
	struct curl_blob blob = { .flags = CURL_BLOB_NOCOPY };

	if (pem == NULL)
		return CURLE_OK;
	blob.data = pem;
	blob.len = strlen(pem);
	return curl_easy_setopt(easy, option, &blob);
}

/*
 * What is handed to the system and not sent yet is lost with the connection: so
 * little is.  A link that is gone is noticed within a quarter of a minute,
 * whether something is on its way (user timeout) or an answer is awaited
 * (keep-alive).
 */
static int
tune(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	static const struct {
		int name, value;
	} options[] = { { TCP_NOTSENT_LOWAT, 16384 },
		{ TCP_USER_TIMEOUT, 15000 }, { TCP_KEEPIDLE, 10 },
		{ TCP_KEEPINTVL, 5 }, { TCP_KEEPCNT, 3 } };
	const int on = 1;

	(void)arg;
	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKOPT_OK;
	/* A system that lacks one of them only notices later. */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, IPPROTO_TCP, options[i].name,
		    &options[i].value, sizeof(options[i].value));
	return CURL_SOCKOPT_OK;
}

CURLcode
uplink_set_link(CURL *easy, const char *url, struct curl_slist *to,
    struct curl_slist *headers)
{
	CURLcode rc = CURLE_OK;

	/* Nothing of the last request; its connection stays. */
	curl_easy_reset(easy);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_CONNECT_TO, to);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	/* A slow link is fine, a dead one is not. */
	SET(CURLOPT_LOW_SPEED_LIMIT, 10L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_USERAGENT, (char *)NULL);
	SET(CURLOPT_SOCKOPTFUNCTION, tune);
	return rc;
}

CURLcode
uplink_set_tls(struct uplink_curl *u, bool know_ca)
{
	CURL *easy = u->easy;
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* The key share that is sent first is the one the centre is quickest
	 * at (server/net/tls_conf.c). */
	SET(CURLOPT_SSL_EC_CURVES, "P-256:X25519");
	if (know_ca) {
		SET(CURLOPT_SSL_VERIFYPEER, 1L);
		SET(CURLOPT_SSL_VERIFYHOST, 2L);
		SET(CURLOPT_CAPATH, (char *)NULL);
		SET(CURLOPT_CAINFO, (char *)NULL);
		rc = rc != CURLE_OK
			 ? rc
			 : set_blob(easy, CURLOPT_CAINFO_BLOB, u->pem_ca);
	} else {
		/* Only to fetch the descriptor, which its digest vouches for.
		 */
		SET(CURLOPT_SSL_VERIFYPEER, 0L);
		SET(CURLOPT_SSL_VERIFYHOST, 0L);
	}
	SET(CURLOPT_SSLCERTTYPE, "PEM");
	SET(CURLOPT_SSLKEYTYPE, "PEM");
	if (rc == CURLE_OK)
		rc = set_blob(easy, CURLOPT_SSLCERT_BLOB, u->pem_cert);
	if (rc == CURLE_OK)
		rc = set_blob(easy, CURLOPT_SSLKEY_BLOB, u->pem_key);
	return rc;
}

static CURLcode
set_request(struct uplink_curl *u, const char *url, struct curl_slist *to,
    struct curl_slist *headers, struct bytes body, bool post,
    struct agent_reply *out)
{
	CURL *easy = u->easy;
	CURLcode rc = uplink_set_link(easy, url, to, headers);

	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, &out->body);
	SET(CURLOPT_DEBUGFUNCTION, count_up);
	SET(CURLOPT_DEBUGDATA, out);
	SET(CURLOPT_VERBOSE, 1L); /* to count_up alone, which prints nothing */
	if (post) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
		SET(CURLOPT_POSTFIELDS,
		    body.len > 0 ? (const char *)body.p : "");
	} else {
		SET(CURLOPT_HTTPGET, 1L);
	}
	return rc;
}

/*
 * What a TLS failure means to the officer.  OpenSSL shows a refused client
 * certificate as "bad record mac" or a decryption failure under TLS 1.3.
 */
const char *
uplink_tls_words(CURLcode rc)
{
	switch (rc) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return "the server is not this court's centre";
	case CURLE_SSL_CERTPROBLEM:
		return "this device's certificate cannot be used";
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
		return "the centre did not accept this device's certificate, "
		       "or the connection broke";
	default:
		return NULL;
	}
}

static void
read_figures(CURL *easy, struct agent_reply *out)
{
	curl_off_t n = 0, after = -1;
	long code = 0, header = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	(void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after);
	(void)curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &header);
	out->status = (int)code;
	out->retry_after_s = after > 0 && after < 86400 ? (int)after : -1;
	(void)curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &n);
	out->bytes_down = (uint64_t)header + (uint64_t)n;
}

enum status
uplink_hold(
    struct uplink_curl *u, struct bytes ca, struct bytes cert, struct bytes key)
{
	bool changed = false;
	enum status st;

	st = hold_pem(&u->pem_ca, x509_cert_pem, ca, &changed);
	if (st == ST_OK)
		st = hold_pem(&u->pem_cert, x509_cert_pem, cert, &changed);
	if (st == ST_OK)
		st = hold_pem(&u->pem_key, x509_key_pem, key, &changed);
	if (st != ST_OK || (!changed && u->easy != NULL))
		return st;
	/* Another identity must never ride on an old connection. */
	if (u->easy != NULL)
		curl_easy_cleanup(u->easy);
	u->easy = curl_easy_init();
	return u->easy == NULL ? ST_NOMEM : ST_OK;
}

static enum status
perform(struct uplink_curl *u, size_t service, const char *address,
    bool know_ca, struct bytes body, struct agent_reply *out)
{
	char url[128], to[ADDRESS_MAX + sizeof(CENTRE_NAME) + 16];
	struct curl_slist *connect_to, *headers;
	const char *type = services[service].what == SERVICE_SYNC
			       ? "Content-Type:" /* none: PROTOCOL.md, 2 */
			       : "Content-Type: application/json";
	CURLcode rc;

	(void)snprintf(url, sizeof(url), "https://" CENTRE_NAME "%s",
	    services[service].path);
	(void)snprintf(to, sizeof(to), CENTRE_NAME ":443:%s", address);
	connect_to = curl_slist_append(NULL, to);
	headers = curl_slist_append(NULL, "Expect:");
	if (headers != NULL && curl_slist_append(headers, "Accept:") != NULL)
		(void)curl_slist_append(headers, type);
	rc = connect_to == NULL || headers == NULL
		 ? CURLE_OUT_OF_MEMORY
		 : set_request(u, url, connect_to, headers, body,
		       services[service].post, out);
	if (rc == CURLE_OK)
		rc = uplink_set_tls(u, know_ca);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(u->easy);
	if (rc == CURLE_OK)
		read_figures(u->easy, out);
	else
		out->tls_why = uplink_tls_words(rc);
	/* The lists must not outlive their options. */
	(void)curl_easy_setopt(u->easy, CURLOPT_CONNECT_TO, NULL);
	(void)curl_easy_setopt(u->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(connect_to);
	curl_slist_free_all(headers);
	if (out->body.err == ST_NOMEM || rc == CURLE_OUT_OF_MEMORY)
		return ST_NOMEM;
	if (out->body.err != ST_OK)
		return ST_LIMIT;
	return rc == CURLE_OK ? ST_OK : ST_NET;
}

static enum status
curl_exchange(void *arg, enum agent_service what, const char *address,
    struct bytes ca, struct bytes cert, struct bytes key, struct bytes body,
    struct agent_reply *out)
{
	struct uplink_curl *u = arg;
	size_t service = 0;
	enum status st;

	while (services[service].what != what)
		service++;
	assert(service < sizeof(services) / sizeof(services[0]));
	/* Only the descriptor may be asked of a server not yet known. */
	if (ca.len == 0 && what != SERVICE_DESCRIPTOR)
		return ST_INVALID;
	if (strlen(address) > ADDRESS_MAX)
		return ST_LIMIT;
	out->status = 0;
	out->retry_after_s = -1;
	out->tls_why = NULL;
	out->bytes_up = out->bytes_down = 0;
	st = uplink_hold(u, ca, cert, key);
	if (st != ST_OK)
		return st;
	return perform(u, service, address, ca.len > 0, body, out);
}

enum status
uplink_curl_new(struct uplink_curl **out)
{
	struct uplink_curl *u;

	*out = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return ST_NOMEM;
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return ST_NOMEM;
	u->easy = curl_easy_init();
	if (u->easy == NULL) {
		free(u);
		return ST_NOMEM;
	}
	u->uplink = (struct agent_uplink){
		.arg = u, .exchange = curl_exchange, .tus = uplink_tus
	};
	*out = u;
	return ST_OK;
}

void
uplink_curl_free(struct uplink_curl *u)
{
	if (u == NULL)
		return;
	if (u->easy != NULL)
		curl_easy_cleanup(u->easy);
	forget(&u->pem_ca);
	forget(&u->pem_cert);
	forget(&u->pem_key);
	free(u);
}

const struct agent_uplink *
uplink_curl_of(struct uplink_curl *u)
{
	return &u->uplink;
}
