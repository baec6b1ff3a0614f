#include "tlog/descriptor_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "tlog/text.h"

enum { JSON_INT_BITS = 53, VERSION_MAX = 1000000 };

void
descriptor_vkey(char out[NOTE_VKEY_MAX + 1], const struct note_key *key)
{
	uint8_t raw[1 + PUBKEY_LEN];
	char text[44 + 1];

	raw[0] = key->alg;
	memcpy(raw + 1, key->public_key, PUBKEY_LEN);
	base64_encode(text, bytes_of(raw, sizeof(raw)));
	(void)snprintf(out, NOTE_VKEY_MAX + 1, "%.*s+%08" PRIx32 "+%s",
	    (int)NOTE_NAME_MAX, key->name, key->hash, text);
}

/* Not empty, UTF-8, on one line. */
static bool
label_ok(const char *text)
{
	return text[0] != '\0' && text_ok(bytes_str(text)) &&
	       strchr(text, '\n') == NULL;
}

/* The key's id is that of its name and key, and it is of that type. */
static bool
vkey_ok(const struct note_key *key, uint8_t alg)
{
	struct note_key made;

	return key->alg == alg &&
	       note_key_make(&made, key->name, alg, key->public_key) == ST_OK &&
	       made.hash == key->hash;
}

/* "https://" host ":" port; a host is a DNS name, an IPv4 address, or an IPv6
 * address in brackets.  No path, no user: nothing a client could misread. */
static bool
address_ok(const char *url)
{
	static const char scheme[] = "https://";
	const char *host = url + strlen(scheme), *port;
	uint64_t number;

	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return false;
	port = strrchr(host, ':');
	if (port == NULL || port == host ||
	    text_decimal(&number, bytes_str(port + 1), UINT16_MAX) != ST_OK ||
	    number == 0)
		return false;
	if (host[0] == '[') {
		size_t len = strspn(host + 1, "0123456789abcdef:.");

		return len > 0 && host[1 + len] == ']' &&
		       host + 2 + len == port;
	}
	return host + strspn(host, "abcdefghijklmnopqrstuvwxyz"
				   "0123456789.-") ==
	       port;
}

static bool
addresses_ok(const struct descriptor_addresses *a)
{
	if (a->count > DESCRIPTOR_LIST_MAX)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!address_ok(a->url[i]))
			return false;
	}
	return true;
}

static bool
distrust_ok(const struct descriptor *d, size_t at)
{
	const struct descriptor_distrust *x = &d->distrust[at];
	uint8_t raw[PUBKEY_LEN];
	struct note_key key;

	if (x->after >> JSON_INT_BITS != 0 ||
	    descriptor_distrust_of(d, x->key) != x)
		return false;
	return hex_decode(raw, sizeof(raw), bytes_str(x->key)) == ST_OK ||
	       note_key_parse(&key, bytes_str(x->key)) == ST_OK;
}

const struct descriptor_distrust *
descriptor_distrust_of(const struct descriptor *d, const char *key)
{
	for (size_t i = 0; i < d->distrust_count; i++) {
		if (strcmp(d->distrust[i].key, key) == 0)
			return &d->distrust[i];
	}
	return NULL;
}

static bool
hex_distrusted(const struct descriptor *d, const uint8_t key[PUBKEY_LEN])
{
	char hex[2 * PUBKEY_LEN + 1];

	hex_encode(hex, bytes_of(key, PUBKEY_LEN));
	return descriptor_distrust_of(d, hex) != NULL;
}

static bool
vkey_distrusted(const struct descriptor *d, const struct note_key *key)
{
	char vkey[NOTE_VKEY_MAX + 1];

	descriptor_vkey(vkey, key);
	return descriptor_distrust_of(d, vkey) != NULL;
}

static bool
witnesses_ok(const struct descriptor *d)
{
	if (d->witness_count > DESCRIPTOR_LIST_MAX)
		return false;
	for (size_t i = 0; i < d->witness_count; i++) {
		if (!vkey_ok(&d->witness[i], NOTE_COSIGNATURE) ||
		    vkey_distrusted(d, &d->witness[i]))
			return false;
		/* One witness counts once, whatever names it goes by: v1
		 * cosignatures do not cover the name. */
		for (size_t k = 0; k < i; k++) {
			if (memcmp(d->witness[k].public_key,
				d->witness[i].public_key, PUBKEY_LEN) == 0)
				return false;
		}
	}
	return true;
}

/* The root is kept off line; a key on line must not be it by mistake. */
static bool
keys_apart(const struct descriptor *d)
{
	return memcmp(d->root, d->server, PUBKEY_LEN) != 0 &&
	       memcmp(d->root, d->log.public_key, PUBKEY_LEN) != 0 &&
	       memcmp(d->server, d->log.public_key, PUBKEY_LEN) != 0;
}

bool
descriptor_ok(const struct descriptor *d)
{
	if (d->version < 1 || d->version > VERSION_MAX || !label_ok(d->court) ||
	    !label_ok(d->name) || d->ca_len == 0 ||
	    d->ca_len > DESCRIPTOR_CA_MAX || !vkey_ok(&d->log, NOTE_ED25519) ||
	    !addresses_ok(&d->devices_at) || !addresses_ok(&d->public_at) ||
	    d->distrust_count > DESCRIPTOR_DISTRUST_MAX)
		return false;
	for (size_t i = 0; i < d->distrust_count; i++) {
		if (!distrust_ok(d, i))
			return false;
	}
	return keys_apart(d) && witnesses_ok(d) &&
	       !vkey_distrusted(d, &d->log) && !hex_distrusted(d, d->root) &&
	       !hex_distrusted(d, d->server) && !hex_distrusted(d, d->recovery);
}
