#ifndef SERVER_NET_ADDRS_H
#define SERVER_NET_ADDRS_H
/*
 * addrs: how many connections each client address has open.
 *
 * An IPv4 address counts by itself, an IPv6 one by its first 64 bits: a whole
 * such network is one subscriber's (RFC 6177).  The table has a fixed size and
 * a keyed hash, so nobody can fill one place of it.
 *
 * Threads: every function may be called from any thread.
 */
#include <sys/socket.h>

#include "base/port.h"

enum { ADDR_KEY_LEN = 16, ADDR_TEXT_LEN = 46 };

struct addrs; /* private to addrs.c */

/* For at most `max` connections at once.  ST_NOMEM. */
MUST_CHECK enum status addrs_new(
    struct addrs **out, const struct port *port, size_t max);
void addrs_free(struct addrs *a);

/*
 * Count one more for that key, unless it has `per_addr_max` or the table is
 * full: then false, and nothing was counted.
 */
bool addrs_enter(
    struct addrs *a, const uint8_t key[ADDR_KEY_LEN], unsigned per_addr_max);

/* Take back one that was entered. */
void addrs_leave(struct addrs *a, const uint8_t key[ADDR_KEY_LEN]);

/* The key of an address, and the address as text (IPv4 in IPv6 as IPv4). */
void addrs_key(uint8_t key[ADDR_KEY_LEN], char text[ADDR_TEXT_LEN],
    const struct sockaddr *sa);

#endif
