#include "server/ca/ca_san.h"

#include <arpa/inet.h>
#include <string.h>

#include <mbedtls/asn1write.h>
#include <mbedtls/x509.h>

#include "server/ca/ca.h"

void
ca_san_init(struct ca_san *san)
{
	san->used = 0;
}

/* A DNS name: labels of letters, digits and inner hyphens (RFC 1123, 2.1). */
static bool
dns_valid(const char *name)
{
	size_t len = strlen(name), label = 0;

	if (len == 0 || len > CA_NAME_LEN_MAX)
		return false;
	for (size_t i = 0; i <= len; i++) {
		char c = name[i];
		bool edge;

		if (c == '.' || c == '\0') {
			if (label == 0 || label > 63)
				return false;
			label = 0;
			continue;
		}
		edge = label == 0 || name[i + 1] == '.' || name[i + 1] == '\0';
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || (c == '-' && !edge)))
			return false;
		label++;
	}
	return true;
}

/* One GeneralName; its tag is the choice's number. */
static enum status
prepend(struct ca_san *san, int choice, const void *value, size_t len)
{
	unsigned char *p = san->der + sizeof(san->der) - san->used;
	int rc;

	rc = mbedtls_asn1_write_raw_buffer(&p, san->der, value, len);
	if (rc >= 0)
		rc = mbedtls_asn1_write_len(&p, san->der, len);
	if (rc >= 0)
		rc = mbedtls_asn1_write_tag(&p, san->der,
		    (unsigned char)(MBEDTLS_ASN1_CONTEXT_SPECIFIC | choice));
	if (rc < 0)
		return ST_LIMIT;
	san->used = (size_t)(san->der + sizeof(san->der) - p);
	return ST_OK;
}

enum status
ca_san_host(struct ca_san *san, const char *name)
{
	uint8_t ip[16];

	if (inet_pton(AF_INET, name, ip) == 1)
		return prepend(san, MBEDTLS_X509_SAN_IP_ADDRESS, ip, 4);
	if (inet_pton(AF_INET6, name, ip) == 1)
		return prepend(san, MBEDTLS_X509_SAN_IP_ADDRESS, ip, 16);
	if (!dns_valid(name))
		return ST_INVALID;
	return prepend(san, MBEDTLS_X509_SAN_DNS_NAME, name, strlen(name));
}

enum status
ca_san_uri(struct ca_san *san, const char *uri)
{
	return prepend(san, MBEDTLS_X509_SAN_UNIFORM_RESOURCE_IDENTIFIER, uri,
	    strlen(uri));
}

enum status
ca_san_finish(struct bytes *out, struct ca_san *san)
{
	unsigned char *p = san->der + sizeof(san->der) - san->used;

	if (mbedtls_asn1_write_len(&p, san->der, san->used) < 0 ||
	    mbedtls_asn1_write_tag(&p, san->der,
		MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) < 0)
		return ST_LIMIT;
	*out = (struct bytes){ p, (size_t)(san->der + sizeof(san->der) - p) };
	return ST_OK;
}
