#ifndef SUPPORT_COURT_H
#define SUPPORT_COURT_H
/*
 * court: a centre in a folder of its own, for tests that link the server, and
 * the short way from a handheld's request to its acks.
 */
#include <string.h>

#include "server/core/centre.h"
#include "server/core/ingest.h"
#include "support/clock_port.h"
#include "support/expect.h"
#include "support/handheld.h"
#include "support/tmpdir.h"

struct court {
	struct tmpdir dir;
	struct clock_port clock;
	struct centre_config cfg;
	struct centre_keys keys;
	struct centre *c;
	struct ingest *in;
	struct hand_request rq;
};

static inline void
court_open(struct court *ct)
{
	char errmsg[CENTRE_ERRMSG_LEN];

	EXPECT_OK(centre_open(&ct->c, &ct->cfg, errmsg));
	EXPECT_OK(ingest_new(&ct->in, ct->c));
}

static inline void
court_close(struct court *ct)
{
	ingest_free(ct->in);
	centre_close(ct->c);
	ct->in = NULL;
	ct->c = NULL;
}

static inline void
court_make(struct court *ct)
{
	static const char *const at[] = { "https://127.0.0.1:8443" };
	struct centre_init what = { .code = "xz0302",
		.name = "\xe4\xba\x91\xe9\xbe\x99",
		.devices_at = at,
		.devices_at_count = 1,
		.public_at = at,
		.public_at_count = 1 };
	char errmsg[CENTRE_ERRMSG_LEN] = "";

	memset(ct, 0, sizeof(*ct));
	tmpdir_make(&ct->dir);
	clock_port_init(&ct->clock);
	what.dir = ct->dir.path;
	what.port = &ct->clock.port;
	expect_status(centre_init(&what, &ct->keys, errmsg), ST_OK, errmsg,
	    __FILE__, __LINE__);
	ct->cfg.dir = ct->dir.path;
	ct->cfg.port = &ct->clock.port;
	ct->cfg.public_minute = 18 * 60;
	ct->cfg.public_offset_min = 480;
	hand_request_init(&ct->rq);
	court_open(ct);
}

static inline void
court_end(struct court *ct)
{
	court_close(ct);
	hand_request_free(&ct->rq);
	tmpdir_remove(&ct->dir);
}

static inline void
court_handheld(const struct court *ct, struct handheld *h, uint64_t seed)
{
	handheld_init(h, seed, centre_court(ct->c), centre_court_id(ct->c));
}

static inline struct ingest_device
court_device(const struct handheld *h)
{
	struct ingest_device dev = { 0 };

	memcpy(dev.key, h->key, PUBKEY_LEN);
	memcpy(dev.dev, h->dev, sizeof(dev.dev));
	return dev;
}

/* Send what stands in ct->rq as that device; what the commit came to. */
static inline enum status
court_send_as(struct court *ct, const struct ingest_device *dev)
{
	struct commit_job job = { .ingest = ct->in };

	hand_sent(&ct->rq);
	EXPECT_OK(ingest_prepare(ct->in, dev, ct->rq.msg, ct->rq.up));
	hand_request_reset(&ct->rq);
	if (ingest_ready(ct->in) == 0)
		return ST_OK;
	return committer_wait(centre_committer(ct->c), &job);
}

/* Send one piece and give its chain's ack. */
static inline struct ingest_ack
court_send(
    struct court *ct, const struct handheld *h, uint64_t first, uint64_t last)
{
	struct ingest_device dev = court_device(h);
	const struct ingest_ack *ack;
	size_t count;

	(void)hand_piece(&ct->rq, h, first, last);
	EXPECT_OK(court_send_as(ct, &dev));
	ack = ingest_acks(ct->in, &count);
	EXPECT(count == 1);
	return ack[0];
}

static inline uint64_t
court_size(struct court *ct)
{
	return tlog_size(centre_tlog(ct->c));
}

#endif
