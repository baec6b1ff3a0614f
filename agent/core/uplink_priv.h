#ifndef AGENT_UPLINK_PRIV_H
#define AGENT_UPLINK_PRIV_H
/* uplink_priv: what uplink_curl.c and uplink_tus.c share; nobody else. */
#include <curl/curl.h>

#include "agent/core/uplink_curl.h"

#define CENTRE_NAME "centre.daybreak.internal"

enum { ADDRESS_MAX = 280 };

struct uplink_curl {
	CURL *easy;
	struct agent_uplink uplink;
	char *pem_ca, *pem_cert, *pem_key; /* owned; the key is wiped */
};

#define SET(option, value)                                                     \
	(rc = rc != CURLE_OK ? rc : curl_easy_setopt(easy, (option), (value)))

/* Begin a request: address, headers, how long to wait for a link.  The lists
 * are borrowed until it is done. */
CURLcode uplink_set_link(CURL *easy, const char *url, struct curl_slist *to,
    struct curl_slist *headers);
CURLcode uplink_set_tls(struct uplink_curl *u, bool know_ca);

/* Keep these credentials; another identity begins another connection. */
MUST_CHECK enum status uplink_hold(struct uplink_curl *u, struct bytes ca,
    struct bytes cert, struct bytes key);

/* What a TLS failure means to the officer; static, or NULL. */
const char *uplink_tls_words(CURLcode rc);

/* struct agent_uplink's `tus`. */
MUST_CHECK enum status uplink_tus(void *arg, const char *address,
    struct bytes ca, struct bytes cert, struct bytes key,
    const struct agent_tus *rq, struct agent_tus_reply *out);

#endif
