/* sim_net: what a network may do to a request and its answer. */
#include "sim/sim.h"

#include <string.h>

#include "base/sha.h"
#include "crypt/x509.h"
#include "support/expect.h"

static bool
faults(const struct sim *s)
{
	return !s->calm && !s->only_cuts;
}

/*
 * The handshake: a certificate that reads, fits its key, and holds today.
 * False: refused.  Who it names goes to `dev`.
 */
static bool
shake_hands(struct sim_agent *a, struct bytes cert, struct bytes key,
    char dev[DEV_LEN + 1])
{
	struct sim *s = a->node.sim;
	uint64_t now_s = port_wall_ms(&s->centre.node.port) / 1000;
	struct x509_info info;
	uint8_t hash[HASH_LEN];
	struct buf pub;

	SIM_EXPECT(s, x509_cert_info(&info, cert) == ST_OK,
	    "agent %u shows a certificate that cannot be read", a->number);
	memcpy(dev, info.dev, DEV_LEN + 1);
	sha256(hash, key);
	if (!bytes_eq(buf_view(&a->last_cert), cert) ||
	    memcmp(hash, a->cert_key, HASH_LEN) != 0) {
		buf_reset(&a->last_cert);
		buf_bytes(&a->last_cert, cert);
		memcpy(a->cert_key, hash, HASH_LEN);
		buf_init(&pub, X509_KEY_DER_MAX);
		EXPECT_OK(x509_key_public(&pub, key, &a->node.port));
		sha256(hash, buf_view(&pub));
		buf_free(&pub);
		SIM_EXPECT(s, memcmp(hash, info.key_sha256, HASH_LEN) == 0,
		    "agent %u's key does not fit its certificate", a->number);
	}
	return now_s <= info.not_after_s && now_s >= info.not_before_s;
}

/* Keep a copy of the request, to come once more later. */
static void
keep_late(struct sim_agent *a, enum agent_service what, const char *dev,
    struct bytes body)
{
	struct sim *s = a->node.sim;
	struct sim_late *l;

	if (s->late_count == SIM_LATE_MAX)
		return;
	l = &s->late[s->late_count++];
	l->from = a;
	l->what = what;
	memcpy(l->dev, dev, sizeof(l->dev));
	buf_init(&l->body, FRAME_WIRE_BYTES_MAX);
	buf_bytes(&l->body, body);
	s->n.late++;
}

static int
serve(struct sim *s, enum agent_service what, const char *dev,
    struct bytes body, struct buf *out)
{
	uint64_t epoch = s->centre.epoch;
	int status;

	s->depth++;
	status = sim_centre_serve(s, what, dev, body, out);
	s->depth--;
	/* Did the power go while it worked?  Then nobody hears the answer. */
	if (s->centre.epoch == epoch &&
	    fault_disk_is_cut(s->centre.node.disk) && s->depth == 0)
		sim_centre_mend(s);
	return s->centre.epoch == epoch ? status : 0;
}

void
sim_deliver_late(struct sim *s)
{
	struct sim_late l;
	struct buf out;
	size_t i;

	if (s->late_count == 0 || s->depth >= SIM_DEPTH_MAX)
		return;
	i = (size_t)sim_random(s, s->late_count);
	l = s->late[i];
	s->late[i] = s->late[--s->late_count];
	sim_say(s, "a request of agent %u comes late", l.from->number);
	buf_init(&out, 16 << 20);
	(void)serve(s, l.what, l.dev, buf_view(&l.body), &out);
	buf_free(&out);
	buf_free(&l.body);
}

/* An answer on its way: kept for later, lost, or taken for an older one.
 * False: nothing arrives. */
static bool
come_back(struct sim_agent *a, enum agent_service what, struct buf *body)
{
	struct sim *s = a->node.sim;
	struct buf kept;

	if (!faults(s))
		return true;
	if (sim_chance(s, 8)) {
		s->n.lost++;
		sim_say(s, "its answer is lost");
		return false;
	}
	if (what != SERVICE_SYNC || !sim_chance(s, 40))
		return true;
	buf_init(&kept, 16 << 20);
	buf_bytes(&kept, buf_view(body));
	if (a->old_answer.len > 0 && sim_chance(s, 12)) {
		s->n.stale++;
		sim_say(s, "it gets an older answer");
		a->misled = true;
		buf_reset(body);
		buf_bytes(body, buf_view(&a->old_answer));
	}
	buf_free(&a->old_answer);
	a->old_answer = kept;
	return true;
}

/* The request comes once more; either answer may be the one that arrives.  A
 * nonce serves once, so of its answers the first. */
static void
come_twice(struct sim *s, enum agent_service what, const char *dev,
    struct bytes body, struct agent_reply *out)
{
	struct buf again;
	int status;

	s->n.repeated++;
	sim_say(s, "its request comes twice");
	buf_init(&again, 16 << 20);
	status = serve(s, what, dev, body, &again);
	if (what != SERVICE_RENEW_EXPIRED && sim_chance(s, 50)) {
		struct buf first = out->body;

		out->body = again;
		out->status = status;
		again = first;
	}
	buf_free(&again);
}

static enum status
exchange(void *arg, enum agent_service what, const char *address,
    struct bytes ca, struct bytes cert, struct bytes key, struct bytes body,
    struct agent_reply *out)
{
	struct sim_agent *a = arg;
	struct sim *s = a->node.sim;
	char dev[DEV_LEN + 1] = "";

	(void)address;
	(void)ca;
	out->bytes_up = body.len;
	if (a->offline || s->depth >= SIM_DEPTH_MAX)
		return ST_NET;
	if ((what == SERVICE_SYNC || what == SERVICE_RENEW) &&
	    !shake_hands(a, cert, key, dev)) {
		out->tls_why = "the certificate does not hold today";
		return ST_NET;
	}
	if (faults(s) && sim_chance(s, 8)) {
		s->n.lost++;
		sim_say(s, "its request is lost");
		if (sim_chance(s, 50))
			keep_late(a, what, dev, body);
		return ST_NET;
	}
	out->status = serve(s, what, dev, body, &out->body);
	if (faults(s) && out->status != 0 && sim_chance(s, 6)) {
		come_twice(s, what, dev, body, out);
	} else if (faults(s) && sim_chance(s, 4)) {
		keep_late(a, what, dev, body);
	}
	sim_meanwhile(s);
	if (out->status == 0 || !come_back(a, what, &out->body))
		return ST_NET;
	out->bytes_down = out->body.len;
	return ST_OK;
}

void
sim_uplink(struct sim_agent *a)
{
	a->uplink = (struct agent_uplink){ .arg = a, .exchange = exchange };
}
