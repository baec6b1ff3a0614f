/* Catches a merge that forgets to look whether it got memory, leaks on the way
 * out, or gives half a fold. */
#include "support/expect.h"

#include "entry/merge.h"
#include "entry/merge_impl.h"
#include "support/fault_alloc.h"
#include "support/merge_world.h"

struct job {
	struct world w;
	size_t past_max;
	bool single;      /* every piece of memory is asked for by itself */
	struct buf state; /* of the first run to the end */
};

static enum status
add_all(struct merge *m, struct world *w, size_t from, size_t to)
{
	enum status st = ST_OK;

	for (size_t i = from; st == ST_OK && i < to; i++) {
		const struct oracle_entry *oe = &w->entry[i];
		struct bytes raw =
		    i % 5 == 3 ? oe->e.head_line : buf_view(&oe->raw);
		unsigned flags =
		    w->device[i] == WORLD_SERVER ? MERGE_SERVER : 0;

		st = merge_add(m, oe->id, raw, flags);
	}
	return st;
}

/* Everything that merge does and that allocates. */
static enum status
fold(void *arg)
{
	struct job *job = arg;
	struct bytes parts[] = { bytes_str("items"), bytes_str("ground") };
	uint8_t shown[HASH_LEN];
	struct merge *m = NULL;
	struct buf state, skeleton;
	enum status st;
	bool knows;

	buf_init(&state, JSON_BYTES_MAX);
	buf_init(&skeleton, JSON_BYTES_MAX);
	st = merge_new(&m);
	if (st != ST_OK)
		goto out;
	m->past_max = job->past_max;
	m->kept.single = m->run.single = job->single;
	st = add_all(m, &job->w, 0, job->w.count / 2);
	if (st == ST_OK)
		st = merge_run(m);
	if (st == ST_OK)
		st = add_all(m, &job->w, job->w.count / 3, job->w.count);
	if (st == ST_OK)
		st = merge_run(m);
	if (st == ST_OK)
		st = merge_state(m, &state);
	if (st == ST_OK)
		st = merge_skeleton_known(m, job->w.entry[0].id,
		    bytes_str("search@2"), parts, 2, &skeleton);
	if (st == ST_OK)
		st = merge_shown(m, bytes_str("search@2"), parts, 2, shown);
	if (st == ST_OK)
		st = merge_knows(m, job->w.count - 1, 0, &knows);
	if (st != ST_OK)
		goto out;
	if (job->state.len == 0)
		buf_bytes(&job->state, buf_view(&state));
	EXPECT_OK(job->state.err);
	EXPECT_BYTES(buf_view(&state), buf_view(&job->state));
out:
	merge_free(m);
	buf_free(&state);
	buf_free(&skeleton);
	return st;
}

static void
fail_each(uint64_t seed, size_t past_max, bool single)
{
	static struct job job;

	job.past_max = past_max;
	job.single = single;
	buf_init(&job.state, JSON_BYTES_MAX);
	world_make(&job.w, seed, 28);
	/* The state is kept at the first run, which must not count that. */
	EXPECT_OK(fold(&job));
	EXPECT(fault_alloc_each(fold, &job) > 20);
	world_free(&job.w);
	buf_free(&job.state);
}

static void
test_merge_nomem_every_allocation(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		fail_each(seed, MERGE_PAST_MAX, false);
		fail_each(seed, 20, false); /* the rest is walked for */
	}
	fail_each(3, MERGE_PAST_MAX, true);
	fail_each(5, 20, true);
}

struct again {
	struct world w;
	struct merge *m;
	struct buf want;
};

static enum status
state_of(struct merge *m, struct buf *out)
{
	enum status st = merge_run(m);

	buf_reset(out);
	return st == ST_OK ? merge_state(m, out) : st;
}

/* A failure leaves a merge that can be asked again. */
static void
test_merge_nomem_then_again(void **state)
{
	static struct again a;
	struct buf got;

	(void)state;
	buf_init(&got, JSON_BYTES_MAX);
	buf_init(&a.want, JSON_BYTES_MAX);
	world_make(&a.w, 7, 28);
	EXPECT_OK(merge_new(&a.m));
	EXPECT_OK(add_all(a.m, &a.w, 0, a.w.count));
	EXPECT_OK(state_of(a.m, &a.want));
	for (size_t n = 1;; n++) {
		enum status st;
		bool hit;

		merge_free(a.m);
		EXPECT_OK(merge_new(&a.m));
		fault_alloc_once(n);
		st = add_all(a.m, &a.w, 0, a.w.count);
		if (st == ST_OK)
			st = state_of(a.m, &got);
		hit = fault_alloc_off();
		if (!hit)
			break;
		EXPECT_ST(st, ST_NOMEM);
		/* What was taken is still there; the rest is given once more.
		 */
		EXPECT_OK(add_all(a.m, &a.w, 0, a.w.count));
		EXPECT_OK(state_of(a.m, &got));
		EXPECT_BYTES(buf_view(&got), buf_view(&a.want));
	}
	merge_free(a.m);
	world_free(&a.w);
	buf_free(&got);
	buf_free(&a.want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge_nomem_every_allocation),
		cmocka_unit_test(test_merge_nomem_then_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
