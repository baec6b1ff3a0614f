/* sim_whole: dear checks: nothing lost, nothing half there, all agree. */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "support/expect.h"

/* Which places a handheld must have by its streams' positions, and whose they
 * are. */
struct wants {
	struct sim *s;
	bool *place; /* must be there */
	bool *in;    /* records in the scope under way */
};

/* What a scope's stream has said below `upto`, told by the log alone. */
static void
want_scope(struct wants *w, const uint8_t scope[ID_LEN], uint64_t upto)
{
	struct sim *s = w->s;
	uint8_t id[ID_LEN];
	int number = -1;

	for (int i = 0; i < s->name_count; i++) {
		if (roster_scope_id(id, s->name[i]) == ST_OK &&
		    memcmp(id, scope, ID_LEN) == 0)
			number = i;
	}
	if (number < 0)
		return;
	memset(w->in, 0, (size_t)s->name_count * sizeof(*w->in));
	for (uint64_t p = 0; p < upto && p < s->log_count; p++) {
		const struct sim_place *at = &s->log[p];

		if (at->rec >= 0 && w->in[at->rec])
			w->place[p] = true;
		if (at->target < 0 || at->rec != number)
			continue;
		for (uint64_t q = 0; q < p && at->in && !w->in[at->target]; q++)
			w->place[q] =
			    w->place[q] || s->log[q].rec == at->target;
		w->in[at->target] = at->in;
	}
}

static enum status
want_cursor(void *arg, const struct log_cursor *c)
{
	want_scope(arg, c->scope, c->place);
	return ST_OK;
}

static bool
is_own(struct sim_agent *a, const uint8_t chain[CHAIN_LEN])
{
	struct log_head h;

	for (uint32_t n = 1; log_chain(a->a->log, n, &h) == ST_OK; n++) {
		if (memcmp(h.chain, chain, CHAIN_LEN) == 0)
			return true;
	}
	return false;
}

/* Each colleague's record is there whole, up to where its stream stands, or
 * not at all. */
static void
check_records_whole(struct sim_agent *a)
{
	struct sim *s = a->node.sim;
	struct wants w = { .s = s,
		.place = calloc(s->log_count + 1, sizeof(bool)),
		.in = calloc((size_t)s->name_count + 1, sizeof(bool)) };

	EXPECT(w.place != NULL && w.in != NULL);
	if (s->restores > 0 && !sim_went_over(a)) {
		free(w.place);
		free(w.in);
		return; /* its streams are of the log that ended */
	}
	EXPECT_OK(log_cursor_each(a->a->log, want_cursor, &w));
	for (size_t p = 0; p < s->log_count; p++) {
		const struct sim_place *at = &s->log[p];
		bool has = view_has(a->a->view, at->link);

		SIM_EXPECT(s, has || !w.place[p],
		    "agent %u lacks place %zu of record %s, which its stream "
		    "has passed",
		    a->number, p, s->name[at->rec]);
		SIM_EXPECT(s,
		    !has || w.place[p] || s->restores > 0 ||
			(at->flags & STORE_SERVER) != 0 || is_own(a, at->chain),
		    "agent %u shows place %zu of record %s, which no stream "
		    "of its has brought whole",
		    a->number, p, s->name[at->rec]);
	}
	free(w.place);
	free(w.in);
}

void
sim_check_agent_whole(struct sim_agent *a)
{
	struct sim *s = a->node.sim;

	if (a->a == NULL || a->a->view == NULL || a->code[0] != '\0' ||
	    fault_disk_is_cut(a->node.disk) ||
	    fault_disk_is_cut(s->centre.node.disk))
		return;
	for (size_t i = 0; i < a->saved_count; i++)
		SIM_EXPECT(s, view_has(a->a->view, a->saved[i].id),
		    "agent %u lost entry %zu of record %s, which was saved",
		    a->number, i, a->saved[i].rec);
	sim_check_agent(a);
	check_records_whole(a);
}

/* ---- the centre's projections against a fold from scratch */

static int
by_bytes(const void *x, const void *y)
{
	const struct bytes *a = x, *b = y;
	int c = memcmp(a->p, b->p, a->len < b->len ? a->len : b->len);

	return c != 0 ? c : (a->len > b->len) - (a->len < b->len);
}

/* The objects of a list in an order of their own: which came first within a
 * batch depends on where the batch began. */
static void
sort_list(struct buf *list)
{
	struct bytes *item = calloc(list->len + 1, sizeof(*item));
	size_t count = 0, from = 0, depth = 0;
	struct buf out;

	EXPECT(item != NULL);
	for (size_t i = 0; i < list->len; i++) {
		if (list->p[i] == '{' && ++depth == 2)
			from = i;
		if (list->p[i] == '}' && depth-- == 2)
			item[count++] = bytes_of(list->p + from, i + 1 - from);
	}
	if (count > 1)
		qsort(item, count, sizeof(*item), by_bytes);
	buf_init(&out, 16 << 20);
	for (size_t i = 0; i < count; i++) {
		buf_bytes(&out, item[i]);
		buf_u8(&out, '\n');
	}
	EXPECT_OK(out.err);
	free(item);
	buf_free(list);
	*list = out;
}

static void
compare_lists(struct sim *s, struct project_reader *x, struct project_reader *y)
{
	struct project_finding_query fq = { .limit = 1000 };
	struct project_query q = { .limit = 1000 };
	struct buf a, b;

	buf_init(&a, 16 << 20);
	buf_init(&b, 16 << 20);
	EXPECT_OK(project_records(x, &q, &a));
	EXPECT_OK(project_records(y, &q, &b));
	sort_list(&a);
	sort_list(&b);
	sim_expect_same(s, "records as projected", buf_view(&a), buf_view(&b));
	buf_free(&a);
	buf_free(&b);
	buf_init(&a, 16 << 20);
	buf_init(&b, 16 << 20);
	EXPECT_OK(project_findings(x, &fq, &a));
	EXPECT_OK(project_findings(y, &fq, &b));
	sort_list(&a);
	sort_list(&b);
	sim_expect_same(s, "findings as projected", buf_view(&a), buf_view(&b));
	buf_free(&a);
	buf_free(&b);
}

/* The whole stream of a scope, step by step, by two feeds. */
static void
compare_scope(struct sim *s, const uint8_t scope[ID_LEN], struct feed_reader *x,
    struct feed_reader *y)
{
	enum { MAX = 4096 };
	struct feed_step *p = calloc(MAX, sizeof(*p));
	struct feed_step *q = calloc(MAX, sizeof(*q));
	uint64_t size_p, size_q;
	size_t n = 0, m = 0;
	bool end_p, end_q;

	EXPECT(p != NULL && q != NULL);
	EXPECT_OK(feed_scope(x, scope, 0, 0, p, MAX, &n, &end_p, &size_p));
	EXPECT_OK(feed_scope(y, scope, 0, 0, q, MAX, &m, &end_q, &size_q));
	SIM_EXPECT(s, n == m && end_p == end_q && size_p == size_q,
	    "a stream of %zu steps has %zu from scratch", n, m);
	for (size_t i = 0; i < n; i++)
		SIM_EXPECT(s,
		    p[i].place == q[i].place &&
			p[i].next_place == q[i].next_place &&
			p[i].next_sub == q[i].next_sub,
		    "step %zu of a stream is another from scratch", i);
	free(p);
	free(q);
}

void
sim_check_projections(struct sim *s)
{
	struct sim_centre *c = &s->centre;
	struct feed_config fc = { .centre = c->c, .roster = c->roster };
	struct project_config pc = {
		.centre = c->c, .roster = c->roster, .utc_offset_min = 480
	};
	struct feed *feed;
	struct project *project;
	uint64_t done, size;
	uint8_t id[ID_LEN];

	fault_disk_cut(c->node.disk, 0);
	sim_centre_follow(s);
	size = tlog_size(centre_tlog(c->c));
	sim_kinds(&pc.kinds, &pc.rules);
	EXPECT_OK(feed_open(&feed, &fc));
	EXPECT_OK(feed_follow(feed, 0, &done));
	SIM_EXPECT(s, tlog_size(centre_tlog(c->c)) == size,
	    "a projection made anew wrote into the log");
	pc.feed = feed;
	pc.feed_reader = feed_inside(feed);
	EXPECT_OK(project_open(&project, &pc));
	EXPECT_OK(project_follow(project, 0, &done));
	compare_lists(s, project_inside(c->project), project_inside(project));
	sim_check_log(s);
	for (size_t p = 0; p < s->log_count; p++) {
		if (s->log[p].target < 0)
			continue;
		EXPECT_OK(roster_scope_id(id, s->name[s->log[p].rec]));
		compare_scope(s, id, feed_inside(c->feed), feed_inside(feed));
	}
	project_close(project);
	feed_close(feed);
}

/* ---- the end: all agree */

bool
sim_in_log(const struct sim *s, const uint8_t id[ID_LEN])
{
	for (size_t p = 0; p < s->log_count; p++) {
		if (memcmp(s->log[p].link, id, ID_LEN) == 0)
			return true;
	}
	return false;
}

static void
check_delivered(struct sim_agent *a)
{
	struct sim *s = a->node.sim;
	struct log_head h;
	struct buf report;

	if (a->barred)
		return;
	for (uint32_t n = 1; log_chain(a->a->log, n, &h) == ST_OK; n++)
		SIM_EXPECT(s, h.unsent_from == h.seq + 1,
		    "agent %u: chain %u is delivered up to %llu of %llu",
		    a->number, n, (unsigned long long)h.unsent_from - 1,
		    (unsigned long long)h.seq);
	for (size_t i = 0; i < a->saved_count; i++)
		SIM_EXPECT(s, sim_in_log(s, a->saved[i].id),
		    "agent %u: entry %zu never came into the log", a->number,
		    i);
	buf_init(&report, 1 << 20);
	SIM_EXPECT(s, agent_verify(a->a, &report) == ST_OK,
	    "agent %u does not verify: %.*s", a->number, (int)report.len,
	    (const char *)report.p);
	buf_free(&report);
}

/* Records that one handheld must show as the centre does. */
struct same {
	struct sim_agent *a;
	struct fold *fold;
};

static enum status
same_state(void *arg, const char *rec)
{
	struct same *x = arg;
	struct sim *s = x->a->node.sim;
	char what[96];
	struct buf b;

	EXPECT_OK(fold_load(x->fold, rec, s->now_ms));
	buf_init(&b, 1 << 20);
	SIM_EXPECT(s, agent_state(x->a->a, rec, &b) == ST_OK,
	    "agent %u has no record %s", x->a->number, rec);
	(void)snprintf(
	    what, sizeof(what), "record %s at agent %u", rec, x->a->number);
	sim_expect_same(s, what, buf_view(&b), fold_state_bytes(x->fold));
	buf_free(&b);
	return ST_OK;
}

static void
check_same(struct sim_agent *a, struct fold *fold)
{
	struct sim *s = a->node.sim;
	struct same x = { .a = a, .fold = fold };
	uint8_t scope[ROSTER_SCOPES_MAX][ID_LEN];
	size_t count = 0;

	if (!sim_trusted(a))
		return; /* it hears of nothing any more */
	EXPECT_OK(roster_scopes_of(s->centre.roster, a->person, scope, &count));
	for (size_t i = 0; i < count; i++)
		EXPECT_OK(feed_records_of(
		    feed_inside(s->centre.feed), scope[i], same_state, &x));
}

void
sim_check_end(struct sim *s)
{
	struct fold_config fc = { .reader = s->centre.reader,
		.feed = feed_inside(s->centre.feed),
		.utc_offset_min = 480 };
	struct fold *fold;

	sim_kinds(&fc.kinds, &fc.rules);
	EXPECT_OK(fold_new(&fold, &fc));
	for (size_t i = 0; i < s->agent_count; i++) {
		struct sim_agent *a = &s->agent[i];

		if (!a->there)
			continue;
		SIM_EXPECT(
		    s, a->code[0] == '\0', "agent %u never joined", a->number);
		sim_check_agent_whole(a);
		check_delivered(a);
		check_same(a, fold);
	}
	fold_free(fold);
	sim_check_gone(s);
	sim_check_projections(s);
	sim_check_centre(s);
}
