/*
 * upload_tool HOME [option …]: agent_upload alone, step by step, without a
 * centre to sync with.  Prints a JSON line each step that did something.
 *
 *   --steps N    at most so many
 *   --budget N   bytes   --above N   nothing larger
 *   --patient    wait out every pause of up to 15 s
 *   --write REC --every MS --sync   write notes meanwhile and sync them; how
 *                long each took is printed
 *
 * Exit: 0 nothing is left to send, 1 something is.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/core/evidence.h"
#include "agent/core/uplink_curl.h"
#include "entry/json.h"

enum { PAUSES_MAX = 100000, PATIENCE_MS = 15000 };

struct tool {
	struct agent *a;
	unsigned long long steps, budget, above, every_ms;
	const char *rec;
	bool patient, sync;
	uint64_t wrote_ms, unsent_since_ms, body, taken, worst_ms, notes;
};

static uint64_t
now_ms(void)
{
	return port_mono_ms(port_system());
}

static void
pause_ms(uint64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

static bool
read_options(struct tool *t, int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		const char *v = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--patient") == 0)
			t->patient = true;
		else if (strcmp(argv[i], "--sync") == 0)
			t->sync = true;
		else if (strcmp(argv[i], "--steps") == 0)
			t->steps = strtoull(v, NULL, 10), i++;
		else if (strcmp(argv[i], "--budget") == 0)
			t->budget = strtoull(v, NULL, 10), i++;
		else if (strcmp(argv[i], "--above") == 0)
			t->above = strtoull(v, NULL, 10), i++;
		else if (strcmp(argv[i], "--every") == 0)
			t->every_ms = strtoull(v, NULL, 10), i++;
		else if (strcmp(argv[i], "--write") == 0)
			t->rec = v, i++;
		else
			return false;
	}
	return true;
}

static bool
open_agent(struct tool *t, const char *home, struct uplink_curl *uplink)
{
	struct agent_config c = { .home = home,
		.port = port_system(),
		.uplink = uplink_curl_of(uplink),
		.utc_offset_min = 480 };
	const char *file = getenv("DAYBREAK_PIN_FILE");
	struct buf pass;
	bool ok;

	buf_init(&pass, 4096);
	ok = file != NULL &&
	     port_read_file(port_system(), file, &pass) == ST_OK &&
	     agent_open(&t->a, &c) == ST_OK;
	while (ok && pass.len > 0 && pass.p[pass.len - 1] == '\n')
		pass.len--;
	ok = ok && agent_unlock(t->a, NULL, buf_view(&pass)) == ST_OK;
	buf_wipe(&pass);
	return ok;
}

/* A note now and then, and a sync behind each: how long until the centre has
 * acknowledged it? */
static void
write_and_sync(struct tool *t)
{
	static const struct bytes on = { (const uint8_t *)"", 0 };
	struct agent_act act = { .verb = DO_NOTE,
		.on = &on,
		.on_count = 1,
		.data = bytes_str("[\"meanwhile\"]") };
	struct agent_sync_result r;
	struct agent_edit edit;
	uint8_t id[ID_LEN];
	uint64_t now = now_ms();

	if (t->rec != NULL && t->unsent_since_ms == 0 &&
	    now - t->wrote_ms >= t->every_ms &&
	    agent_edit_begin(t->a, t->rec, &edit) == ST_OK &&
	    agent_append(t->a, &edit, &act, id) == ST_OK) {
		t->wrote_ms = t->unsent_since_ms = now;
		t->notes++;
	}
	if (!t->sync || t->unsent_since_ms == 0)
		return;
	if (agent_sync(t->a, &r) == ST_OK) {
		uint64_t took = now_ms() - t->unsent_since_ms;

		t->worst_ms = took > t->worst_ms ? took : t->worst_ms;
		t->unsent_since_ms = 0;
	}
}

static void
tell(const struct tool *t, enum status st, const struct agent_upload_result *r)
{
	(void)printf("{\"status\":\"%s\",\"what\":%d,\"body\":%llu,"
		     "\"taken\":%llu,\"wait_ms\":%llu,\"all_body\":%llu,"
		     "\"all_taken\":%llu,\"notes\":%llu,\"worst_ms\":%llu}\n",
	    status_name(st), (int)r->what, (unsigned long long)r->body_up,
	    (unsigned long long)r->taken, (unsigned long long)r->wait_ms,
	    (unsigned long long)t->body, (unsigned long long)t->taken,
	    (unsigned long long)t->notes, (unsigned long long)t->worst_ms);
	(void)fflush(stdout);
}

static int
run(struct tool *t)
{
	struct agent_upload_result r;
	struct agent_evidence_counts c;

	for (unsigned long long i = 0; i < t->steps; i++) {
		struct agent_upload_limits l = {
			.budget = t->budget > t->body ? t->budget - t->body : 0,
			.above = t->above
		};
		enum status st;

		write_and_sync(t);
		st = agent_upload(t->a, &l, &r);
		t->body += r.body_up;
		t->taken += r.taken;
		tell(t, st, &r);
		if (st == ST_OK && r.what == UPLOAD_MOVED)
			continue;
		if (r.what != UPLOAD_WAIT ||
		    r.wait_ms > (t->patient ? PATIENCE_MS : 2500))
			break;
		pause_ms(r.wait_ms + 5);
	}
	agent_evidence_count(t->a, &c);
	return c.named + c.uploading == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct tool t = {
		.steps = PAUSES_MAX, .budget = UINT64_MAX, .every_ms = 5000
	};
	struct uplink_curl *uplink = NULL;
	int rc = 2;

	if (argc < 2 || sodium_init() < 0 || !read_options(&t, argc, argv) ||
	    uplink_curl_new(&uplink) != ST_OK)
		return 2;
	if (open_agent(&t, argv[1], uplink))
		rc = run(&t);
	else
		(void)fprintf(stderr, "cannot open %s\n", argv[1]);
	agent_close(t.a);
	uplink_curl_free(uplink);
	return rc;
}
