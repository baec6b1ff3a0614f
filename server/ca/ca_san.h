#ifndef SERVER_CA_CA_SAN_H
#define SERVER_CA_CA_SAN_H
/*
 * ca_san: the value of a subject alternative name extension (RFC 5280,
 * 4.2.1.6), built back to front as DER is.
 */
#include "base/bytes.h"
#include "base/status.h"

enum { CA_SAN_BYTES_MAX = 3072 };

struct ca_san {
	uint8_t der[CA_SAN_BYTES_MAX];
	size_t used; /* bytes at the end of `der` */
};

void ca_san_init(struct ca_san *san);

/*
 * Put a name in front of those already there: an IPv4 or IPv6 address in text
 * stands as an address, all else must be a DNS name (RFC 1123, 2.1).
 * ST_INVALID, ST_LIMIT.
 */
MUST_CHECK enum status ca_san_host(struct ca_san *san, const char *name);

/* The same for a URI, taken as it is. */
MUST_CHECK enum status ca_san_uri(struct ca_san *san, const char *uri);

/* Close it; *out points into `san`.  ST_LIMIT. */
MUST_CHECK enum status ca_san_finish(struct bytes *out, struct ca_san *san);

#endif
