#ifndef SUPPORT_BUREAU_H
#define SUPPORT_BUREAU_H
/*
 * bureau: a centre and real handhelds in one process, without sockets: each
 * request of an agent goes into the functions that the daemon's routes call.
 * For tests that link agent and server.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/core/agent.h"
#include "crypt/x509.h"
#include "server/app/enrol.h"
#include "server/roster/answer.h"
#include "server/roster/feed.h"
#include "server/roster/roster.h"
#include "support/court.h"

enum { BUREAU_HANDS = 8 };

struct bureau;
struct bureau_hand {
	struct bureau *b;
	struct agent *a;
	struct agent_uplink uplink;
	struct tmpdir home;
};

struct bureau {
	struct court ct;
	struct roster *roster;
	struct feed *feed;
	struct enrol *enrol;
	struct answer *answer;
	struct centre_reader *reader;
	struct bureau_hand hand[BUREAU_HANDS];
	bool cut;   /* no network */
	bool still; /* nobody follows the log */
};

static const char bureau_pass[] = "correct horse battery staple dawn";

/* The feed goes after the log until there is nothing more: joining scopes
 * writes entries of its own. */
static inline void
bureau_follow(struct bureau *b)
{
	uint64_t done = 1;

	while (done > 0 && !b->still)
		EXPECT_OK(feed_follow(b->feed, 0, &done));
}

/* As if the server had started with a feed that has to be made anew: nothing of
 * the log is followed yet. */
static inline void
bureau_feed_anew(struct bureau *b)
{
	struct feed_config fc = { .centre = b->ct.c, .roster = b->roster };

	answer_free(b->answer);
	feed_close(b->feed);
	EXPECT_OK(feed_open(&b->feed, &fc));
	EXPECT_OK(answer_new(&b->answer, b->ct.c, b->roster, b->feed));
	b->still = true;
}

static inline enum status
bureau_exchange(void *arg, enum agent_service what, const char *address,
    struct bytes ca, struct bytes cert, struct bytes key, struct bytes body,
    struct agent_reply *out)
{
	struct bureau_hand *h = arg;
	struct bureau *b = h->b;
	struct enrol_reply r = { .body = &out->body };
	struct answer_peer peer = { .deliver = false };
	struct x509_info info;
	const char *why = "";
	enum status st;

	(void)address;
	(void)ca;
	(void)key;
	if (b->cut)
		return ST_NET;
	out->status = 200;
	if (what == SERVICE_DESCRIPTOR)
		return enrol_descriptor(b->enrol, b->reader, &out->body);
	if (what == SERVICE_ENROL) {
		st = enrol_join(b->enrol, body, &r);
		out->status = (int)r.status;
		bureau_follow(b);
		return st;
	}
	if (what == SERVICE_CHALLENGE || what == SERVICE_RENEW_EXPIRED) {
		st = what == SERVICE_CHALLENGE
			 ? enrol_challenge(b->enrol, body, &r)
			 : enrol_renew_expired(b->enrol, body, &r);
		out->status = (int)r.status;
		return st;
	}
	EXPECT_OK(x509_cert_info(&info, cert));
	memcpy(peer.dev, info.dev, sizeof(peer.dev));
	if (what == SERVICE_RENEW) {
		st = enrol_renew(b->enrol, peer.dev, body, &r);
		out->status = (int)r.status;
		return st;
	}
	st = answer_whole(b->answer, &peer, body, &out->body, &why);
	if (st == ST_DENIED)
		out->status = 403;
	else
		EXPECT_ST(st, ST_OK);
	bureau_follow(b);
	return ST_OK;
}

static inline void
bureau_open_hand(struct bureau *b, int i)
{
	struct bureau_hand *h = &b->hand[i];
	struct agent_config c = { .home = h->home.path,
		.port = &b->ct.clock.port,
		.uplink = &h->uplink,
		.utc_offset_min = 480,
		.weak_kdf_for_tests = true };

	h->b = b;
	h->uplink.arg = h;
	h->uplink.exchange = bureau_exchange;
	EXPECT_OK(agent_open(&h->a, &c));
}

/* Close and open again, as a restart would. */
static inline void
bureau_restart(struct bureau *b, int i)
{
	agent_close(b->hand[i].a);
	bureau_open_hand(b, i);
	EXPECT_OK(agent_unlock(b->hand[i].a, NULL, bytes_str(bureau_pass)));
}

/* Put a person on the roster, or into another team ("" for none). */
static inline void
bureau_move(struct bureau *b, const char *person, const char *team)
{
	struct roster_person p = { .role = "judge" };

	(void)snprintf(p.id, sizeof(p.id), "%s", person);
	(void)snprintf(p.name, sizeof(p.name), "%s", person);
	(void)snprintf(p.team, sizeof(p.team), "%s", team);
	EXPECT_OK(roster_person_put(
	    b->roster, &p, "chief", enrol_feed_records, feed_inside(b->feed)));
	bureau_follow(b);
}

/* The i-th handheld joins, carried by that person of that team. */
static inline struct agent *
bureau_join(struct bureau *b, int i, const char *person, const char *team)
{
	struct enrol_code w = { .person = person,
		.name = person,
		.role = "judge",
		.unit = "",
		.team = team,
		.address = "127.0.0.1:7445",
		.life_ms = 3600000,
		.by = "chief" };
	struct buf code;

	buf_init(&code, 4096);
	EXPECT_OK(enrol_code_make(
	    b->ct.c, b->roster, feed_inside(b->feed), &w, &code));
	bureau_follow(b);
	tmpdir_make(&b->hand[i].home);
	bureau_open_hand(b, i);
	EXPECT_OK(
	    agent_enrol(b->hand[i].a, buf_view(&code), bytes_str(bureau_pass)));
	buf_free(&code);
	return b->hand[i].a;
}

/* What runs on the centre of b->ct. */
static inline void
bureau_open(struct bureau *b)
{
	struct feed_config fc = { .path = NULL };
	struct enrol_config ec = { .cert_days = 30,
		.devices_at = "127.0.0.1:7443" };

	EXPECT_OK(roster_open(&b->roster, b->ct.c));
	fc.centre = b->ct.c;
	fc.roster = b->roster;
	EXPECT_OK(feed_open(&b->feed, &fc));
	bureau_follow(b);
	ec.centre = b->ct.c;
	ec.roster = b->roster;
	EXPECT_OK(enrol_new(&b->enrol, &ec));
	EXPECT_OK(answer_new(&b->answer, b->ct.c, b->roster, b->feed));
	EXPECT_OK(centre_reader_open(&b->reader, b->ct.c));
}

static inline void
bureau_make(struct bureau *b)
{
	memset(b, 0, sizeof(*b));
	court_make(&b->ct);
	bureau_open(b);
}

static inline void
bureau_close(struct bureau *b)
{
	centre_reader_close(b->reader);
	answer_free(b->answer);
	enrol_free(b->enrol);
	feed_close(b->feed);
	court_close(&b->ct);
	roster_close(b->roster);
}

static inline void
bureau_end(struct bureau *b)
{
	for (int i = 0; i < BUREAU_HANDS; i++) {
		struct bureau_hand *h = &b->hand[i];

		if (h->a == NULL)
			continue;
		agent_close(h->a);
		tmpdir_remove(&h->home);
	}
	bureau_close(b);
	hand_request_free(&b->ct.rq);
	tmpdir_remove(&b->ct.dir);
}

/* Sync until there is nothing more to say; nothing may alarm. */
static inline void
bureau_sync(struct bureau *b, int i)
{
	struct agent_sync_result r;

	do {
		enum status st = agent_sync(b->hand[i].a, &r);

		expect_status(st, ST_OK, agent_error_en(b->hand[i].a), __FILE__,
		    __LINE__);
		EXPECT(!r.alarmed);
	} while (r.more);
}

/* Open a record of a kind with one field; its id goes into rec. */
static inline void
bureau_record(struct agent *a, const char *kind, const char *path,
    const char *json, char rec[REC_LEN + 1])
{
	struct bytes on = bytes_str(path);
	struct agent_act act = { .kind = kind,
		.verb = DO_OPEN,
		.on = &on,
		.on_count = 1,
		.data = bytes_str(json) };
	struct agent_edit edit;
	uint8_t id[ID_LEN];

	EXPECT_OK(agent_edit_begin(a, NULL, &edit));
	EXPECT_OK(agent_append(a, &edit, &act, id));
	memcpy(rec, edit.rec, REC_LEN + 1);
}

/* A note on a record: the simplest act there is. */
static inline enum status
bureau_note(struct agent *a, const char *rec, const char *json)
{
	struct bytes on = bytes_str("");
	struct agent_act act = { .verb = DO_NOTE,
		.on = &on,
		.on_count = 1,
		.data = bytes_str(json) };
	struct agent_edit edit;
	uint8_t id[ID_LEN];
	enum status st = agent_edit_begin(a, rec, &edit);

	return st == ST_OK ? agent_append(a, &edit, &act, id) : st;
}

/* State bytes of a record on a handheld; ST_ABSENT if it shows none. */
static inline enum status
bureau_state(struct agent *a, const char *rec, struct buf *out)
{
	buf_reset(out);
	return agent_state(a, rec, out);
}

#endif
