/*
 * The centre that runs out of memory at any place while it serves a request:
 * it says so, holds back nothing and half-applies nothing, and the same request
 * succeeds when it comes again.
 */
#include "support/bureau.h"
#include "support/court_verify.h"
#include "support/fault_alloc.h"

/* Every early allocation, of later ones one in so many. */
enum { NEARER = 12 };

/* A request of the handheld, as it would have gone over the line. */
struct caught {
	struct bureau_hand *h;
	struct buf body;
	struct answer_peer peer;
};

static enum status catch (void *arg, enum agent_service what,
    const char *address, struct bytes ca, struct bytes cert, struct bytes key,
    struct bytes body, struct agent_reply *out) {
	struct caught *c = arg; struct x509_info info;

	(void)what; (void)address; (void)ca; (void)key; (void)out;
	buf_reset(&c->body); buf_bytes(&c->body, body);
	if (cert.len > 0){ EXPECT_OK(x509_cert_info(&info, cert));
			   memcpy(c->peer.dev, info.dev, sizeof(c->peer.dev)); }
return ST_NET;
}

static void
fail_at(size_t n)
{
	if (n % 2 == 0)
		fault_alloc_after(n);
	else
		fault_alloc_once(n);
}

/* Catches a sync that is half taken, kills the centre, or is lost after it
 * was acknowledged. */
static void
test_sync_at_a_centre_short_of_memory(void **state)
{
	struct bureau b;
	struct agent *a;
	struct caught c = { .h = &b.hand[0] };
	struct agent_uplink honest;
	char rec[REC_LEN + 1];

	(void)state;
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "jia");
	buf_init(&c.body, 1 << 20);
	honest = b.hand[0].uplink;
	bureau_record(a, "search", "target", "[\"first\"]", rec);
	bureau_sync(&b, 0);
	for (size_t n = 1;; n += 1 + n / NEARER) {
		struct agent_sync_result r;
		const char *why = "";
		enum status st;
		struct buf out;
		bool hit;

		EXPECT_OK(bureau_note(a, rec, "[\"more\"]"));
		b.hand[0].uplink.arg = &c;
		b.hand[0].uplink.exchange = catch;
		EXPECT_ST(agent_sync(a, &r), ST_NET);
		b.hand[0].uplink = honest;
		buf_init(&out, 1 << 20);
		fail_at(n);
		st = answer_whole(
		    b.answer, &c.peer, buf_view(&c.body), &out, &why);
		hit = fault_alloc_off();
		if (st != ST_OK && (!hit || st != ST_NOMEM))
			fail_msg("allocation %zu fails: %s: %s", n,
			    status_name(st), why);
		buf_free(&out);
		/* Sent again, it is taken, whatever became of it before. */
		bureau_follow(&b);
		bureau_sync(&b, 0);
		if (!hit)
			break;
		EXPECT(n < 100000);
	}
	court_verify(&b.ct);
	buf_free(&c.body);
	bureau_end(&b);
}

/* An enrolment that meets a shortage first, and comes again. */
struct joining {
	struct bureau_hand *h;
	struct agent_uplink honest;
	size_t n;
	bool hit;
};

static enum status
join_twice(void *arg, enum agent_service what, const char *address,
    struct bytes ca, struct bytes cert, struct bytes key, struct bytes body,
    struct agent_reply *out)
{
	struct joining *j = arg;

	if (what == SERVICE_ENROL) {
		struct enrol_reply r = { .status = 0 };
		struct buf scrap;
		enum status st;

		buf_init(&scrap, 1 << 20);
		r.body = &scrap;
		fail_at(j->n);
		st = enrol_join(j->h->b->enrol, body, &r);
		j->hit = fault_alloc_off();
		if (st != ST_OK && (!j->hit || st != ST_NOMEM))
			fail_msg(
			    "allocation %zu fails: %s", j->n, status_name(st));
		/* It never blames the device for it. */
		if (st == ST_OK && r.status != 200)
			fail_msg(
			    "allocation %zu fails: answer %u", j->n, r.status);
		buf_free(&scrap);
		bureau_follow(j->h->b);
	}
	return j->honest.exchange(
	    j->honest.arg, what, address, ca, cert, key, body, out);
}

static enum status
count_device(void *arg, const struct roster_device *d)
{
	size_t *count = arg;

	(void)d;
	(*count)++;
	return ST_OK;
}

/* Catches an enrolment that strands its device, or makes two of it. */
static void
test_enrolment_at_a_centre_short_of_memory(void **state)
{
	struct enrol_code w = { .person = "p001",
		.name = "p001",
		.role = "judge",
		.unit = "",
		.team = "jia",
		.address = "127.0.0.1:7445",
		.life_ms = 3600000,
		.by = "chief" };
	size_t joined = 0, count;
	struct bureau b;

	(void)state;
	bureau_make(&b);
	for (size_t n = 1;; n += 1 + n / NEARER) {
		struct bureau_hand *h = &b.hand[0];
		struct joining j = { .h = h, .n = n };
		struct buf code;

		buf_init(&code, 4096);
		EXPECT_OK(enrol_code_make(
		    b.ct.c, b.roster, feed_inside(b.feed), &w, &code));
		bureau_follow(&b);
		tmpdir_make(&h->home);
		bureau_open_hand(&b, 0);
		j.honest = h->uplink;
		h->uplink.arg = &j;
		h->uplink.exchange = join_twice;
		EXPECT_OK(
		    agent_enrol(h->a, buf_view(&code), bytes_str(bureau_pass)));
		joined++;
		count = 0;
		EXPECT_OK(roster_devices(b.roster, count_device, &count));
		EXPECT(count == joined);
		agent_close(h->a);
		h->a = NULL;
		tmpdir_remove(&h->home);
		buf_free(&code);
		if (!j.hit)
			break;
		EXPECT(n < 100000);
	}
	court_verify(&b.ct);
	bureau_end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sync_at_a_centre_short_of_memory),
		cmocka_unit_test(test_enrolment_at_a_centre_short_of_memory),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
