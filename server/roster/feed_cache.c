/*
 * feed_cache: what following has at hand without asking its database again:
 * numbers of records, teams of chains, and which record each of the latest
 * entries is of, for who follows the feed.
 */
#include <stdlib.h>
#include <string.h>

#include "server/roster/feed_impl.h"

/* ---- records */

/* Ids are random in their last digits. */
static struct feed_known *
known_of(struct feed *f, struct bytes rec)
{
	uint32_t h = 2166136261u;

	for (size_t i = REC_LEN - 8; i < REC_LEN; i++)
		h = (h ^ rec.p[i]) * 16777619u;
	return &f->known[(h >> 8) % FEED_KNOWN];
}

struct feed_known *
feed_known(struct feed *f, struct bytes rec)
{
	struct feed_known *k = known_of(f, rec);

	return k->n != 0 && memcmp(k->rec, rec.p, REC_LEN) == 0 ? k : NULL;
}

struct feed_known *
feed_know(struct feed *f, struct bytes rec, int64_t n, bool joined)
{
	struct feed_known *k = known_of(f, rec);

	memcpy(k->rec, rec.p, REC_LEN);
	k->n = n;
	k->scoped = k->joined = joined;
	memset(k->asked, 0, CHAIN_LEN);
	return k;
}

void
feed_forget(struct feed *f)
{
	memset(f->known, 0, sizeof(f->known));
}

/* ---- teams */

static void
ask_team(
    struct feed *f, const uint8_t id[CHAIN_LEN], char team[ROSTER_NAME_MAX + 1])
{
	struct centre_chain chain;
	struct roster_device d;
	struct roster_person p;

	team[0] = '\0';
	if (centre_chain(f->centre, id, &chain) != ST_OK ||
	    roster_device_by_key(f->roster, chain.key, &d) != ST_OK)
		return;
	memcpy(team,
	    roster_person(f->roster, d.person, &p) == ST_OK ? p.team : d.team,
	    ROSTER_NAME_MAX + 1);
}

const char *
feed_team_of(struct feed *f, const uint8_t chain[CHAIN_LEN])
{
	struct feed_team *t = &f->team[chain[CHAIN_LEN - 1] % FEED_TEAMS];
	/* Before it is asked: what changes meanwhile makes it old. */
	uint64_t version = roster_version(f->roster);

	if (!t->used || t->version != version ||
	    memcmp(t->chain, chain, CHAIN_LEN) != 0) {
		ask_team(f, chain, t->team);
		memcpy(t->chain, chain, CHAIN_LEN);
		t->version = version;
		t->used = true;
	}
	return t->team;
}

/* ---- the latest entries */

bool
feed_of_a_record(enum verb verb)
{
	return verb == DO_HOLD || verb == DO_ADMIT || verb == DO_PRINT ||
	       verb == DO_NOTE;
}

void
feed_say_begin(struct feed *f)
{
	f->saying_count = 0;
}

void
feed_say(struct feed *f, const struct centre_entry *ce, struct bytes rec,
    enum verb verb, enum feed_said_is is, struct bytes kind)
{
	struct feed_said *s;

	/* More than the ring holds: whoever needs them reads the log. */
	if (f->saying_count == FEED_SAID)
		return;
	s = &f->saying[f->saying_count++];
	s->place = ce->place;
	s->is = is;
	s->print = verb == DO_PRINT;
	memcpy(s->id, ce->link, ID_LEN);
	memcpy(s->rec, rec.p, REC_LEN);
	if (kind.len > FEED_SAID_KIND_MAX)
		kind.len = 0;
	if (kind.len > 0)
		memcpy(s->kind, kind.p, kind.len);
	s->kind[kind.len] = '\0';
}

void
feed_say_end(struct feed *f, uint64_t from, uint64_t to)
{
	(void)pthread_mutex_lock(&f->said_lock);
	if (f->said_to != from || f->saying_count == FEED_SAID) {
		f->said_from = from;
		f->said_first = f->said_count = 0;
	}
	for (size_t i = 0; i < f->saying_count; i++) {
		if (f->said_count == FEED_SAID) {
			f->said_from = f->said[f->said_first].place + 1;
			f->said_first = (f->said_first + 1) % FEED_SAID;
			f->said_count--;
		}
		f->said[(f->said_first + f->said_count++) % FEED_SAID] =
		    f->saying[i];
	}
	if (f->saying_count == FEED_SAID)
		f->said_from = to; /* not all of them were noted */
	f->said_to = to;
	(void)pthread_mutex_unlock(&f->said_lock);
}

static const struct feed_said *
said_at(const struct feed *f, size_t i)
{
	return &f->said[(f->said_first + i) % FEED_SAID];
}

/* The first of them at or behind a place. */
static size_t
said_from(const struct feed *f, uint64_t place)
{
	size_t lo = 0, hi = f->said_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (said_at(f, mid)->place < place)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
feed_said(struct feed *f, uint64_t from, uint64_t to, feed_said_fn fn,
    void *arg, enum status *st)
{
	bool covered;

	*st = ST_OK;
	(void)pthread_mutex_lock(&f->said_lock);
	covered = from >= f->said_from && to <= f->said_to;
	for (size_t i = covered ? said_from(f, from) : f->said_count;
	     *st == ST_OK && i < f->said_count && said_at(f, i)->place < to;
	     i++)
		*st = fn(arg, said_at(f, i));
	(void)pthread_mutex_unlock(&f->said_lock);
	return covered;
}
