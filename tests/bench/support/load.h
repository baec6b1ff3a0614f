#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H
/*
 * load: devices on warm connections under mutual TLS that send pieces of
 * OFFICER_PIECE entries to the real daybreak-server.  Requests are made, signed
 * and compressed, before any clock starts; every answer is kept, and checked
 * afterwards as an agent would.
 */
#include "bench/support/officer.h"
#include "support/http_client.h"

enum { LOAD_CLIENTS_MAX = 100 };

/* One request, and what came of it. */
struct load_turn {
	struct buf request, answer;
	struct officer_piece sent; /* its bytes are for bare SQLite too */
	uint64_t last;
};

struct load_client {
	struct officer officer;
	struct tls_peer_conf conf;
	struct http_client http;
	uint64_t size; /* the checkpoint it knows */
	uint8_t root[HASH_LEN];
	struct load_turn *turn;
	size_t next; /* to be sent */
};

struct load {
	struct centre_proc centre;
	struct load_client client[LOAD_CLIENTS_MAX];
	size_t clients, turns; /* of each, all that are made */
	struct wire_codec *codec;
	struct sync_msg *msg;
};

/* A court, its server, and ld->clients devices that have joined it, each with
 * ld->turns requests made. */
void load_open(struct load *ld);
/* The server is stopped by who calls this, before. */
void load_close(struct load *ld);

/* All clients send their turns up to `until`; rate 0: each the next as soon as
 * it is answered, else so many entries a second of all of them. */
void load_run(struct load *ld, size_t until, double rate);

/* Each answer: the log's signature, the ack, the inclusion of the piece's last
 * link, consistency with what the client knew. */
void load_check(struct load *ld);

#endif
