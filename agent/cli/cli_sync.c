/* cli_sync: entries first, then files, entries again in between. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/cli/cli.h"
#include "agent/core/backoff.h"
#include "agent/core/evidence.h"

enum {
	SYNCS_MAX = 100000,
	FAILS_MAX = 6,       /* of the link in a row, then it is left */
	PATIENCE_MS = 15000, /* waits longer than this are left, too */
	BETWEEN_MS = 10000,  /* entries again, while files go up */
	RECEIPT_MS = 500,    /* … and for the receipt of what is whole */
	RECEIPTS_MAX = 20
};

/* All of a run. */
struct sums {
	struct agent_sync_result all;
	uint64_t files, file_bytes, taken, upload_up, upload_down;
	enum status files_st; /* why files were left */
	bool spent;
};

/* The centre keeps what it was sent, but not as usual: what that means, and
 * what the officer is to do. */
static void
tell_standing(const char *word)
{
	static const struct {
		const char *word, *zh, *en;
	} table[] = {
		{ "held",
		    "中心已收存，但暂不采用：本机被吊销，或疑被复制、回退。"
		    "请继续记录，并向中心换领入网码",
		    "kept at the centre but not in force: this device was "
		    "revoked, or copied, or rolled back; go on recording, and "
		    "ask for a new code" },
		{ "refused", "中心不认可本机签名，请报告管理员",
		    "the centre does not accept this device's signature: tell "
		    "the administrator" },
		{ "quota", "本机已吊销，今日上传已达上限，明日再传",
		    "this device was revoked and has used up today's quota: "
		    "the rest can go tomorrow" },
		{ "closed", "中心不再接受本机条目，请换领入网码",
		    "the centre takes no more from this device: ask for a new "
		    "code" },
		{ NULL, NULL, NULL },
	};

	for (size_t i = 0; table[i].word != NULL; i++) {
		if (strcmp(word, table[i].word) == 0)
			(void)fprintf(
			    stderr, "%s\n%s\n", table[i].zh, table[i].en);
	}
}

/* Bounded pieces: go on while there is more to say. */
static enum status
entries(struct cli *c, struct sums *s)
{
	struct agent_sync_result one, *all = &s->all;

	for (int i = 0; i < SYNCS_MAX; i++) {
		enum status st = agent_sync(c->agent, &one);

		if (st != ST_OK)
			return st;
		all->sent += one.sent;
		all->acked = one.acked;
		all->received += one.received;
		all->place = one.place;
		all->bytes_up += one.bytes_up;
		all->bytes_down += one.bytes_down;
		all->alarmed = all->alarmed || one.alarmed;
		all->centre = one.centre;
		if (!one.more)
			break;
	}
	return ST_OK;
}

static void
pause_ms(uint64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

static void
tell_progress(struct cli *c, const struct sums *s)
{
	struct agent_evidence_counts n;

	if (c->json || (s->file_bytes == 0 && s->files == 0))
		return;
	agent_evidence_count(c->agent, &n);
	(void)fprintf(
	    stderr, "\r附件剩余 left %.1f MB   ", (double)n.bytes_left / 1e6);
}

/* One file's step is over: how to go on.  False: no more now. */
static bool
go_on(struct sums *s, enum status st, const struct agent_upload_result *one,
    unsigned *fails)
{
	s->file_bytes += one->body_up;
	s->taken += one->taken;
	s->upload_up += one->bytes_up;
	s->upload_down += one->bytes_down;
	s->files += one->whole;
	s->files_st = st;
	s->spent = one->what == UPLOAD_SPENT;
	if (st == ST_OK && one->what == UPLOAD_MOVED) {
		*fails = one->taken > 0 ? 0 : *fails;
		return true;
	}
	if (one->what != UPLOAD_WAIT || one->wait_ms > PATIENCE_MS ||
	    st == ST_DENIED || ++*fails > FAILS_MAX)
		return false;
	pause_ms(one->wait_ms + 10);
	return true;
}

static enum status
files(struct cli *c, struct sums *s, uint64_t budget)
{
	struct agent_upload_limits l = { .urgent_only = c->urgent };
	struct agent_upload_result one;
	uint64_t synced = port_mono_ms(port_system());
	unsigned fails = 0;
	enum status st;
	bool on;

	do {
		uint64_t now = port_mono_ms(port_system());

		if (now - synced > BETWEEN_MS) {
			st = entries(c, s);
			if (st != ST_OK && st != ST_NET && st != ST_AGAIN)
				return st;
			synced = now;
		}
		l.budget = budget > s->file_bytes ? budget - s->file_bytes : 0;
		st = agent_upload(c->agent, &l, &one);
		on = go_on(s, st, &one, &fails);
		tell_progress(c, s);
	} while (on);
	if (!c->json && s->files + s->file_bytes > 0)
		(void)fputc('\n', stderr);
	/* The receipt of what is whole is worth a moment. */
	for (int i = 0; s->files > 0 && i < RECEIPTS_MAX; i++) {
		struct agent_evidence_counts n;

		st = entries(c, s);
		agent_evidence_count(c->agent, &n);
		if (st != ST_OK || n.waiting == 0)
			break;
		pause_ms(RECEIPT_MS);
	}
	return ST_OK;
}

static void
tell_json(const struct sums *s)
{
	const struct agent_sync_result *all = &s->all;

	(void)printf("{\"acked\":%llu,\"alarmed\":%s,\"bytes_down\":%llu,"
		     "\"bytes_up\":%llu,\"centre\":\"%s\",\"place\":%llu,"
		     "\"received\":%llu,\"sent\":%llu,\"file_bytes\":%llu,"
		     "\"file_bytes_taken\":%llu,\"file_bytes_down\":%llu,"
		     "\"file_bytes_up\":%llu,\"files\":%llu,\"files_left\":"
		     "\"%s\"}\n",
	    (unsigned long long)all->acked, all->alarmed ? "true" : "false",
	    (unsigned long long)all->bytes_down,
	    (unsigned long long)all->bytes_up, all->centre,
	    (unsigned long long)all->place, (unsigned long long)all->received,
	    (unsigned long long)all->sent, (unsigned long long)s->file_bytes,
	    (unsigned long long)s->taken, (unsigned long long)s->upload_down,
	    (unsigned long long)s->upload_up, (unsigned long long)s->files,
	    s->spent ? "SPENT" : status_name(s->files_st));
}

static void
tell(struct cli *c, const struct sums *s)
{
	const struct agent_sync_result *all = &s->all;
	struct agent_evidence_counts n;

	(void)printf("已上传 %llu 条，收到 %llu 条，本机前 %llu 条中心"
		     "已存证  sent %llu, received %llu; our first %llu "
		     "are in the log\n",
	    (unsigned long long)all->sent, (unsigned long long)all->received,
	    (unsigned long long)all->acked, (unsigned long long)all->sent,
	    (unsigned long long)all->received, (unsigned long long)all->acked);
	agent_evidence_count(c->agent, &n);
	if (n.files == 0)
		return;
	(void)printf("附件：中心已存 %llu，待回执 %llu，待上传 %llu（%.1f MB）"
		     "  files: stored %llu, waiting %llu, to go %llu\n",
	    (unsigned long long)n.stored + n.purged,
	    (unsigned long long)n.waiting,
	    (unsigned long long)n.named + n.uploading,
	    (double)n.bytes_left / 1e6, (unsigned long long)n.stored + n.purged,
	    (unsigned long long)n.waiting,
	    (unsigned long long)n.named + n.uploading);
	if (s->files_st != ST_OK)
		(void)fprintf(stderr, "%s\n%s\n", agent_error_zh(c->agent),
		    agent_error_en(c->agent));
	else if (s->spent)
		(void)fprintf(stderr, "流量限额已用完，其余附件稍后再传\n"
				      "the budget is used up; the other files "
				      "wait\n");
}

/* Once; why it failed, and how long the centre wants to be left alone. */
static int
sync_once(struct cli *c, enum status *out, int *retry_after_s)
{
	struct sums s = { .all = { .retry_after_s = -1, .centre = "" } };
	uint64_t budget = UINT64_MAX;
	enum status st;

	if (c->budget != NULL) {
		char *end;

		budget = strtoull(c->budget, &end, 10);
		if (*end != '\0' || c->budget[0] < '0' || c->budget[0] > '9')
			return cli_refuse(c, "--budget 应为字节数",
			    "--budget takes a number of bytes");
	}
	st = entries(c, &s);
	if (st == ST_OK && !c->no_evidence)
		st = files(c, &s, budget);
	*out = st;
	*retry_after_s = s.all.retry_after_s;
	if (st != ST_OK)
		return cli_fail(c, st);
	if (c->json)
		tell_json(&s);
	else
		tell(c, &s);
	if (strcmp(s.all.centre, "taken") != 0)
		tell_standing(s.all.centre);
	return s.all.alarmed
		   ? cli_refuse(c, "警报：中心给出的证明不成立，详见 status",
			 "alarm: what the centre gave does not prove; "
			 "see status")
		   : CLI_DONE;
}

static void
rest_ms(uint64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

enum { WATCH_MS = 60000 };

/*
 * --watch: again and again, until interrupted.  After a failure the waits grow
 * and are random, so that many who lost the centre do not return in step.
 */
int
cli_sync(struct cli *c)
{
	unsigned failures = 0;

	for (;;) {
		enum status st = ST_OK;
		int retry_after_s = -1;
		int rc = sync_once(c, &st, &retry_after_s);

		if (!c->watch || rc == CLI_USAGE)
			return rc;
		if (fflush(stdout) != 0)
			return CLI_FAILED;
		/* Out for good: waiting does not help. */
		if (st == ST_DENIED || st == ST_LOCKED || st == ST_CORRUPT)
			return rc;
		failures = st == ST_OK ? 0 : failures + 1;
		rest_ms(st == ST_OK ? WATCH_MS
				    : backoff_ms(port_system(), failures,
					  retry_after_s));
	}
}
