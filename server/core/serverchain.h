#ifndef SERVER_CORE_SERVERCHAIN_H
#define SERVER_CORE_SERVERCHAIN_H
/*
 * serverchain: the centre's own chain, written entry by entry.
 *
 * It is a chain like any device's, on the key that the descriptor names.  The
 * committer writes entries behind the last one; they count when its
 * transaction has committed and never were when it has not.
 *
 * Threads: the committer alone.
 */
#include "base/port.h"
#include "server/core/committer.h"

struct serverchain; /* private */

struct serverchain_config {
	const struct port *port;
	const char *court; /* its code; borrowed, like the port */
	const uint8_t *court_id;
	uint8_t seed[32]; /* of the Ed25519 key; wiped by the caller */
	uint8_t chain[CHAIN_LEN];
	/* The chain before, after a restore. */
	bool has_old;
	uint8_t old_chain[CHAIN_LEN];
	uint64_t old_seq;
	uint8_t old_link[HASH_LEN];
};

/* Starts before the first entry; serverchain_at moves it on. */
MUST_CHECK enum status serverchain_new(
    struct serverchain **out, const struct serverchain_config *c);
void serverchain_free(struct serverchain *sc); /* wipes the key */

/* What is committed: seq and link of the last entry. */
void serverchain_at(
    struct serverchain *sc, uint64_t seq, const uint8_t link[HASH_LEN]);

const uint8_t *serverchain_id(const struct serverchain *sc);  /* CHAIN_LEN */
const uint8_t *serverchain_key(const struct serverchain *sc); /* PUBKEY_LEN */
const uint8_t *serverchain_link0(const struct serverchain *sc);

/* One entry that was written and is not committed yet. */
struct server_row {
	size_t off, len; /* of its bytes, in serverchain_bytes */
	uint64_t seq;
	uint8_t prev[HASH_LEN], link[HASH_LEN];
};

/*
 * Write `e` at `wall` behind the last one and name it in e->id; a record that
 * has no name yet gets one.  ST_INVALID (serverchain_why), ST_LIMIT, ST_NOMEM:
 * nothing was written.
 */
MUST_CHECK enum status serverchain_write(
    struct serverchain *sc, struct server_entry *e, uint64_t wall);

/* What was written since the last publish or rollback. */
size_t serverchain_count(const struct serverchain *sc);
const struct server_row *serverchain_row(
    const struct serverchain *sc, size_t i);
struct bytes serverchain_bytes(const struct serverchain *sc, size_t i);

/* Take back all but the first `count` of them. */
void serverchain_cut(struct serverchain *sc, size_t count);

/* Sign the head as it stands with what was written. */
void serverchain_sign(struct serverchain *sc, uint8_t sig[SIG_LEN]);

/* Sign any place of the chain; from any thread. */
void serverchain_sign_at(const struct serverchain *sc, uint64_t seq,
    const uint8_t link[HASH_LEN], uint8_t sig[SIG_LEN]);

void serverchain_publish(struct serverchain *sc);
void serverchain_rollback(struct serverchain *sc);

/* Why the last write was refused; static words. */
const char *serverchain_why(const struct serverchain *sc);

#endif
