#ifndef AGENT_UPLINK_CURL_H
#define AGENT_UPLINK_CURL_H
/*
 * uplink_curl: the agent's way to the centre, by libcurl over TLS 1.3.
 *
 * A connection is kept from call to call.  The server is verified by the
 * court's CA alone, under the name centre.daybreak.internal, whatever address
 * is dialled; nothing switches that off.  The one exception is fetching the
 * descriptor before the CA is known: what comes back is checked against the
 * digest in the enrolment code, and no secret is sent.
 */
#include "agent/core/agent.h"

struct uplink_curl; /* private */

MUST_CHECK enum status uplink_curl_new(struct uplink_curl **out);
void uplink_curl_free(struct uplink_curl *u);

/* What agent_config takes; borrowed from `u`. */
const struct agent_uplink *uplink_curl_of(struct uplink_curl *u);

#endif
