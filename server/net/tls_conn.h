#ifndef SERVER_NET_TLS_CONN_H
#define SERVER_NET_TLS_CONN_H
/*
 * tls_conn: one TLS connection, server side, as a pure state machine.
 *
 * No socket inside: ciphertext is fed in and taken out, plaintext is read and
 * written, and the caller moves the bytes.  So it can be tested byte by byte
 * and driven by any loop.
 *
 *     feed ──▶ [ input ] ──▶ step/read ──▶ plaintext
 *     take ◀── [ output ] ◀── write/close ◀── plaintext
 *
 * What is buffered is bounded: input by TLS_INPUT_MAX (the caller stops
 * feeding when tls_conn_feed says ST_LIMIT, which it never does if each feed
 * is followed by reading until TLS_WANT), output by TLS_OUTPUT_HIGH and one
 * record.  An idle connection holds neither buffer.
 *
 * States: handshake → open → closing (we sent close_notify) and/or ended (the
 * peer did) ; failed from any of them, for good.  After a failure there may
 * still be output: the alert.
 *
 * Threads: one owner.
 */
#include "server/net/tls_conf.h"

enum {
	TLS_INPUT_MAX = 256 << 10,
	TLS_OUTPUT_HIGH = 64 << 10, /* writes stop being taken above that */
	TLS_RECORD_MAX = 16384      /* plaintext in one record, RFC 8446 5.1 */
};

struct tls_conn; /* private to tls_conn.c */

enum tls_result {
	TLS_OK,    /* handshake done; or bytes were read */
	TLS_WANT,  /* needs more ciphertext */
	TLS_ENDED, /* the peer's close_notify: no more plaintext comes */
	TLS_FAILED /* see tls_conn_reason */
};

/*
 * A new connection that waits for its client.  `conf` is borrowed and must
 * outlive it.  ST_NOMEM.
 */
MUST_CHECK enum status tls_conn_new(
    struct tls_conn **out, struct tls_conf *conf);

/* Free, wiping what it holds.  Freeing NULL does nothing. */
void tls_conn_free(struct tls_conn *c);

/* Ciphertext from the network; copied.  ST_LIMIT, ST_NOMEM: cut it. */
MUST_CHECK enum status tls_conn_feed(struct tls_conn *c, struct bytes in);

/*
 * Go on with the handshake as far as the input allows.  TLS_OK once it is
 * done, for ever after; TLS_WANT; TLS_FAILED.
 */
enum tls_result tls_conn_handshake(struct tls_conn *c);

/*
 * Read up to `max` (> 0) bytes of plaintext.  TLS_OK: *len > 0 bytes were put
 * in `out`; any other result puts none.  Does the handshake first if need be.
 */
enum tls_result tls_conn_read(
    struct tls_conn *c, uint8_t *out, size_t max, size_t *len);

/* True if plaintext or undecrypted input is still held. */
bool tls_conn_pending(const struct tls_conn *c);

/*
 * Encrypt as much of `in` as the output's high-water mark allows; *taken says
 * how much, 0 when it is full.  Only after the handshake.  ST_NET when the
 * connection has failed or is closing, ST_NOMEM.
 */
MUST_CHECK enum status tls_conn_write(
    struct tls_conn *c, size_t *taken, struct bytes in);

/* Queue close_notify, once; nothing may be written after it. */
void tls_conn_close(struct tls_conn *c);

/* Ciphertext that waits to be sent; 0 if none. */
size_t tls_conn_output_len(const struct tls_conn *c);

/*
 * Move all waiting ciphertext to the caller, who frees it by buf_free.
 * `out` must be empty.
 */
void tls_conn_take(struct tls_conn *c, struct buf *out);

/* Who is there; meaningful once the handshake is done.  Borrowed. */
const struct peer *tls_conn_peer(const struct tls_conn *c);

/*
 * Whether a device that was let in may go on: its certificate has not run out
 * since, and `identity` still trusts it.  NULL, or words for the log.  Always
 * NULL for any other peer.
 */
const char *tls_conn_lapsed(const struct tls_conn *c);

/* As negotiated, such as "TLSv1.3"; "" before. */
const char *tls_conn_version(const struct tls_conn *c);

/*
 * Why it failed, in words for the operator's log: the true reason, where the
 * peer may only see a general alert.  "" if it did not.  Borrowed.
 */
const char *tls_conn_reason(const struct tls_conn *c);

#endif
