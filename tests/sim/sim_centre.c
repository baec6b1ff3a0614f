/* sim_centre: the centre without its threads and its TLS. */
#include "sim/sim.h"

#include <stdio.h>
#include <string.h>

#include "support/expect.h"

static const char address[] = "127.0.0.1:8443";
static const char *const team_name[SIM_TEAMS] = { "north", "east", "south" };

/* Kinds and rules do not change: one set for every world. */
static struct kinds *kinds;
static struct rules *rules;

void
sim_kinds(const struct kinds **ks, const struct rules **rs)
{
	if (kinds == NULL) {
		EXPECT_OK(kinds_load_builtin(&kinds));
		EXPECT_OK(rules_load_builtin(&rules, kinds));
	}
	*ks = kinds;
	*rs = rules;
}

/* ---- life */

static void
close_all(struct sim_centre *c)
{
	for (size_t i = 0; i < SIM_DEPTH_MAX; i++) {
		answer_free(c->answer[i]);
		c->answer[i] = NULL;
	}
	centre_reader_close(c->reader);
	enrol_free(c->enrol);
	project_close(c->project);
	feed_close(c->feed);
	centre_close(c->c);
	roster_close(c->roster);
	c->reader = NULL;
	c->enrol = NULL;
	c->project = NULL;
	c->feed = NULL;
	c->c = NULL;
	c->roster = NULL;
}

void
sim_centre_close(struct sim *s)
{
	close_all(&s->centre);
}

static enum status
open_projections(struct sim_centre *c)
{
	struct feed_config fc = { .path = "/centre/feed.db",
		.vfs = fault_disk_name(c->node.disk),
		.centre = c->c,
		.roster = c->roster };
	struct project_config pc = { .path = "/centre/project.db",
		.vfs = fault_disk_name(c->node.disk),
		.centre = c->c,
		.roster = c->roster,
		.utc_offset_min = 480 };
	/* Not followed: the daemon listens at once, too. */
	enum status st = feed_open(&c->feed, &fc);

	pc.feed = c->feed;
	sim_kinds(&pc.kinds, &pc.rules);
	if (st == ST_OK) {
		pc.feed_reader = feed_inside(c->feed);
		st = project_open(&c->project, &pc);
	}
	return st;
}

static enum status
open_all(struct sim *s)
{
	struct sim_centre *c = &s->centre;
	struct centre_config cc = { .dir = "/centre",
		.port = &c->node.port,
		.vfs = fault_disk_name(c->node.disk),
		.public_minute = 18 * 60,
		.public_offset_min = 480 };
	struct enrol_config ec = { .cert_days = 365, .devices_at = address };
	char why[CENTRE_ERRMSG_LEN] = "";
	enum status st = centre_open(&c->c, &cc, why);

	if (st == ST_OK)
		st = roster_open(&c->roster, c->c);
	if (st == ST_OK)
		st = open_projections(c);
	ec.centre = c->c;
	ec.roster = c->roster;
	if (st == ST_OK)
		st = enrol_new(&c->enrol, &ec);
	if (st == ST_OK)
		st = centre_reader_open(&c->reader, c->c);
	for (size_t i = 0; st == ST_OK && i < SIM_DEPTH_MAX; i++)
		st = answer_new(&c->answer[i], c->c, c->roster, c->feed);
	if (st != ST_OK && !fault_disk_is_cut(c->node.disk))
		sim_fail(s, __FILE__, __LINE__, "the centre cannot open: %s %s",
		    status_text(st), why);
	return st;
}

void
sim_centre_open(struct sim *s)
{
	struct sim_centre *c = &s->centre;

	/* The power may go while it opens, and again: each time it gets
	 * further, or begins anew. */
	for (;;) {
		c->epoch++;
		sim_node_boot(&c->node);
		if (open_all(s) == ST_OK)
			break;
		close_all(c);
		fault_disk_power(
		    c->node.disk, FAULT_RANDOM, sim_random(s, UINT64_MAX));
	}
	sim_check_log(s);
}

/* What waits in the queue dies with the process; here each job has to be told,
 * since its memory is an answer's. */
static void
drop_queue(struct sim_centre *c)
{
	fault_disk_cut(c->node.disk, 1);
	committer_run(centre_committer(c->c));
}

void
sim_centre_crash(struct sim *s, enum fault_after after)
{
	struct sim_centre *c = &s->centre;

	s->n.centre_crashes++;
	sim_say(s, "centre crashes%s", after == FAULT_KEEP ? " (killed)" : "");
	drop_queue(c);
	close_all(c);
	fault_disk_power(c->node.disk, after, sim_random(s, UINT64_MAX));
	/* Sometimes the projections have to be made anew, while work goes on.
	 */
	if (sim_random(s, 4) == 0) {
		fault_disk_remove(c->node.disk, "/centre/feed.db");
		fault_disk_remove(c->node.disk, "/centre/feed.db-wal");
		fault_disk_remove(c->node.disk, "/centre/project.db");
		fault_disk_remove(c->node.disk, "/centre/project.db-wal");
	}
	sim_centre_open(s);
}

void
sim_centre_stop(struct sim *s)
{
	struct sim_centre *c = &s->centre;

	if (fault_disk_is_cut(c->node.disk))
		return;
	sim_say(s, "the centre is stopped, and started again");
	committer_run(centre_committer(c->c)); /* what waits is done */
	close_all(c);
	sim_centre_open(s);
}

void
sim_centre_mend(struct sim *s)
{
	struct sim_centre *c = &s->centre;
	static const enum fault_after how[] = { FAULT_DROP, FAULT_KEEP,
		FAULT_RANDOM, FAULT_RANDOM };

	if (fault_disk_is_cut(c->node.disk))
		sim_centre_crash(s, how[sim_random(s, 4)]);
}

/* A failure that no fault explains is ours. */
static void
excuse(struct sim *s, enum status st, const char *what)
{
	SIM_EXPECT(s, st == ST_OK || fault_disk_is_cut(s->centre.node.disk),
	    "%s: %s", what, status_text(st));
}

void
sim_centre_follow(struct sim *s)
{
	struct sim_centre *c = &s->centre;
	uint64_t done;
	enum status st = feed_follow(c->feed, 0, &done);

	/* What was put into a scope on the way is followed too. */
	if (st == ST_OK)
		st = feed_follow(c->feed, 0, &done);
	if (st == ST_OK)
		st = project_follow(c->project, 0, &done);
	excuse(s, st, "following the log");
}

/* ---- requests */

struct flag {
	bool done;
	enum status st;
};

static void
job_done(void *arg, enum status st)
{
	struct flag *f = arg;

	f->done = true;
	f->st = st;
}

static int
http_of(enum status st)
{
	switch (st) {
	case ST_OK:
		return 200;
	case ST_DENIED:
		return 403;
	case ST_INVALID:
		return 400;
	case ST_LIMIT:
		return 413;
	case ST_NEWER:
		return 426;
	case ST_AGAIN:
	case ST_FULL:
	case ST_LOCKED:
		return 503;
	default:
		return 500;
	}
}

/* Between taking a request in and committing it, others come in: then one
 * transaction has them all. */
static int
serve_sync(struct sim *s, const char *dev, struct bytes body, struct buf *out)
{
	struct sim_centre *c = &s->centre;
	struct answer *a = c->answer[s->depth - 1];
	struct answer_peer peer = { .deliver = false };
	struct roster_device d;
	struct commit_job *job;
	struct flag f = { false, ST_OK };
	uint64_t epoch = c->epoch;
	const char *why = "";
	enum status st = roster_device_by_dev(c->roster, dev, &d);

	/* One of our CA that a restored log does not know may deliver. */
	if (st == ST_ABSENT && s->restores > 0)
		peer.deliver = true;
	else if (st != ST_OK)
		return 0; /* the handshake fails */
	else
		peer.deliver = d.standing[0] != '\0';
	memcpy(peer.dev, dev, sizeof(peer.dev));
	st = answer_begin(a, &peer, body, &why);
	job = st == ST_OK ? answer_job(a) : NULL;
	if (job != NULL) {
		job->done = job_done;
		job->arg = &f;
		committer_submit(centre_committer(c->c), job);
		sim_meanwhile(s);
		if (c->epoch != epoch)
			return 0;
		if (!f.done)
			committer_run(centre_committer(c->c));
		SIM_EXPECT(s, f.done, "a job is left in the queue");
		st = f.st;
	}
	if (st == ST_OK)
		st = answer_finish(a, out);
	if (st != ST_OK)
		excuse(s, st == ST_DENIED ? ST_OK : st,
		    why[0] == '\0' ? "serving a sync" : why);
	return http_of(st);
}

int
sim_centre_serve(struct sim *s, enum agent_service what, const char *dev,
    struct bytes body, struct buf *out)
{
	struct sim_centre *c = &s->centre;
	struct enrol_reply r = { .body = out };
	struct roster_device d;
	enum status st = ST_OK;

	switch (what) {
	case SERVICE_SYNC:
		return serve_sync(s, dev, body, out);
	case SERVICE_DESCRIPTOR:
		st = enrol_descriptor(c->enrol, c->reader, out);
		r.status = 200;
		break;
	case SERVICE_ENROL:
		st = enrol_join(c->enrol, body, &r);
		break;
	case SERVICE_CHALLENGE:
		st = enrol_challenge(c->enrol, body, &r);
		break;
	case SERVICE_RENEW_EXPIRED:
		st = enrol_renew_expired(c->enrol, body, &r);
		break;
	case SERVICE_RENEW:
		if (roster_device_by_dev(c->roster, dev, &d) != ST_OK)
			return 0;
		if (d.standing[0] != '\0')
			return 403;
		st = enrol_renew(c->enrol, dev, body, &r);
		break;
	}
	excuse(s, st, "serving");
	return st == ST_OK ? (int)r.status : http_of(st);
}

/* ---- what administrators do */

bool
sim_centre_code(struct sim *s, struct sim_agent *to, const char *replaces,
    const char *reason)
{
	struct sim_centre *c = &s->centre;
	struct enrol_code what = { .person = to->person,
		.name = to->person,
		.role = "officer",
		.unit = "",
		.team = team_name[to->team],
		.replaces = replaces,
		.reason = reason,
		.address = address,
		.life_ms = 100ull * 365 * 86400 * 1000,
		.by = "admin" };
	struct buf b;
	enum status st;

	sim_centre_follow(s);
	buf_init(&b, sizeof(to->code) - 1);
	st = fault_disk_is_cut(c->node.disk)
		 ? ST_IO
		 : enrol_code_make(
		       c->c, c->roster, feed_inside(c->feed), &what, &b);
	excuse(s, st, "making a code");
	if (st == ST_OK) {
		memcpy(to->code, b.p, b.len);
		to->code[b.len] = '\0';
	}
	buf_free(&b);
	return st == ST_OK;
}

bool
sim_centre_move(struct sim *s, struct sim_agent *who, unsigned team)
{
	struct sim_centre *c = &s->centre;
	struct roster_person p;
	enum status st;

	sim_centre_follow(s);
	if (fault_disk_is_cut(c->node.disk))
		return false;
	st = roster_person(c->roster, who->person, &p);
	if (st == ST_OK) {
		(void)snprintf(p.team, sizeof(p.team), "%s", team_name[team]);
		st = roster_person_put(c->roster, &p, "admin",
		    enrol_feed_records, feed_inside(c->feed));
	}
	excuse(s, st, "moving a person");
	return st == ST_OK;
}

void
sim_centre_revoke(struct sim *s, struct sim_agent *who)
{
	struct sim_centre *c = &s->centre;
	enum status st = roster_revoke(
	    c->roster, who->dev, "lost", "left in a car", "admin");

	excuse(s, st == ST_CONFLICT || st == ST_ABSENT ? ST_OK : st,
	    "revoking a device");
}
