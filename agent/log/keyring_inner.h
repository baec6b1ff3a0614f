#ifndef AGENT_LOG_KEYRING_INNER_H
#define AGENT_LOG_KEYRING_INNER_H
/* keyring_inner: what keyring.c and keyring_change.c share; nobody else. */
#include "agent/log/keyring.h"

/* A slot's bytes into `b`, read into *out.  ST_ABSENT where there is none. */
MUST_CHECK enum status keyring_slot_read(
    struct chainfile *f, uint32_t slot, struct buf *b, struct keyslot *out);

/* True if the ring vouches for that slot. */
bool keyring_is_good(const struct keyring *k, const struct keyslot *s);

/* Put a slot into the ring in memory, or (s NULL) take it out. */
void keyring_ring_set(
    struct keyring *k, uint32_t slot, const struct keyslot *s);

/* Write the ring, or the identity, sealed under these keys; the caller has
 * the transaction. */
MUST_CHECK enum status keyring_ring_put(const struct keyring *k,
    struct chainfile *f, const struct port *port,
    const struct keyslot_keys *keys, const uint8_t tag[SEAL_KEY_LEN]);
MUST_CHECK enum status keyring_id_put(struct chainfile *f,
    const struct port *port, const struct keyslot_keys *keys,
    const struct identity *id);

#endif
