/* metrics: what is counted, for Prometheus (text format 0.0.4). */
#include "server/app/app_impl.h"

static void
put(struct buf *b, const char *name, const char *type, const char *help,
    uint64_t value)
{
	buf_printf(b,
	    "# HELP daybreak_%s %s\n# TYPE daybreak_%s %s\n"
	    "daybreak_%s %llu\n",
	    name, help, name, type, name, (unsigned long long)value);
}

static void
put_committer(struct buf *b, struct committer *c)
{
	struct committer_counters n;

	committer_counters(c, &n);
	put(b, "commits_total", "counter", "Transactions.", n.commits);
	put(b, "entries_total", "counter", "Entries committed.", n.entries);
	put(b, "pieces_total", "counter", "Pieces committed.", n.pieces);
	put(b, "commit_failures_total", "counter",
	    "Transactions that did not stand.", n.failures);
	put(b, "forks_total", "counter", "Forks of chains seen.", n.forks);
	put(b, "malformed_total", "counter", "Malformed entries.", n.malformed);
	put(b, "commit_queue", "gauge", "Jobs waiting.", n.waiting);
	put(b, "commit_milliseconds_total", "counter",
	    "Time spent in transactions.", n.commit_ms);
}

static void
put_net(struct buf *b, const struct net *net)
{
	struct net_counters n;

	net_counters(net, &n);
	put(b, "connections", "gauge", "Connections open.", n.conns_open);
	put(b, "connections_total", "counter", "Connections accepted.",
	    n.conns_accepted);
	put(b, "handshakes_full_total", "counter", "Full handshakes.",
	    n.handshakes_full);
	put(b, "handshakes_resumed_total", "counter", "Resumed handshakes.",
	    n.handshakes_resumed);
	put(b, "handshakes_failed_total", "counter", "Failed handshakes.",
	    n.handshakes_failed);
	put(b, "requests_total", "counter", "Requests.", n.requests);
	put(b, "timeouts_total", "counter", "Connections cut for slowness.",
	    n.timeouts);
	put(b, "bytes_in_total", "counter", "Bytes received.", n.bytes_in);
	put(b, "bytes_out_total", "counter", "Bytes sent.", n.bytes_out);
}

static void
put_evidence(struct buf *b, struct evidence *ev)
{
	struct evidence_counters n;

	evidence_counters(ev, &n);
	put(b, "evidence_bytes_total", "counter", "Bytes of files taken in.",
	    n.bytes);
	put(b, "evidence_uploads", "gauge", "Requests that bring files now.",
	    n.running);
	put(b, "evidence_stored_total", "counter", "Files that came whole.",
	    n.stored);
	put(b, "evidence_repeated_total", "counter",
	    "Files that were there already.", n.repeated);
	put(b, "evidence_mismatched_total", "counter",
	    "Files that were not what they were named for.", n.mismatched);
	put(b, "evidence_refused_total", "counter",
	    "Uploads refused for want of room or over a quota.", n.refused);
	put(b, "evidence_lag", "gauge",
	    "Entries that the evidence table is behind.", n.behind);
}

void
work_metrics(struct worker *w, struct request *rq)
{
	struct app *a = w->app;
	struct buf *b = &w->body;
	uint64_t fed = feed_size(a->feed);
	uint64_t size = tlog_size(centre_tlog(a->centre));
	struct reply re = {
		.status = 200, .type = "text/plain; version=0.0.4", .take = b
	};

	/* How fast the log grows tells that teams are out. */
	if (!api_may_look(w, rq))
		return;
	buf_reset(b);
	put_committer(b, centre_committer(a->centre));
	put_net(b, a->net);
	put_evidence(b, a->evidence);
	put(b, "syncs_total", "counter", "Sync requests answered.",
	    __atomic_load_n(&a->syncs, __ATOMIC_RELAXED));
	put(b, "entries_up_total", "counter", "Entries received.",
	    __atomic_load_n(&a->entries_up, __ATOMIC_RELAXED));
	put(b, "entries_down_total", "counter", "Entries sent down.",
	    __atomic_load_n(&a->entries_down, __ATOMIC_RELAXED));
	put(b, "hints_total", "counter", "Hints taken.",
	    __atomic_load_n(&a->hints, __ATOMIC_RELAXED));
	put(b, "log_size", "gauge", "Entries in the log.", size);
	put(b, "feed_lag", "gauge", "Entries that the feed is behind.",
	    size > fed ? size - fed : 0);
	put(b, "projection_lag", "gauge",
	    "Entries that the projection is behind.", work_behind(a));
	put(b, "words_waiting", "gauge",
	    "Records whose words searches look through one by one.",
	    project_waiting(a->project));
	put(b, "halted", "gauge", "1 if the log needs restore.",
	    centre_halted(a->centre));
	put(b, "uptime_seconds", "gauge", "Since the start.",
	    (port_wall_ms(a->cfg.port) - a->started_ms) / 1000);
	if (b->err != ST_OK)
		app_fail(w, rq, b->err);
	else
		request_reply(rq, &re);
}
