#include "bench/support/inside.h"

#include <string.h>

#include "bench/support/figure.h"
#include "support/expect.h"

static void
open_centre(struct inside *in)
{
	struct centre_config cfg = { .dir = in->proc.court_dir,
		.port = port_system(),
		.public_minute = 18 * 60,
		.public_offset_min = 480 };
	char errmsg[CENTRE_ERRMSG_LEN] = "";

	expect_status(centre_open(&in->centre, &cfg, errmsg), ST_OK, errmsg,
	    __FILE__, __LINE__);
	EXPECT_OK(roster_open(&in->roster, in->centre));
}

void
inside_open(struct inside *in, size_t officers)
{
	memset(in, 0, sizeof(*in));
	EXPECT(officers <= INSIDE_OFFICERS_MAX);
	in->officers = officers;
	centre_proc_make(&in->proc);
	officers_enrol(&in->proc, in->officer, officers);
	open_centre(in);
	EXPECT_OK(wire_codec_new(&in->codec));
	for (size_t i = 0; i < officers; i++) {
		EXPECT_OK(sync_msg_new(&in->msg[i]));
		EXPECT_OK(ingest_new(&in->ingest[i], in->centre));
	}
}

void
inside_stop(struct inside *in)
{
	for (size_t i = 0; i < in->officers; i++)
		ingest_free(in->ingest[i]);
	centre_close(in->centre);
	roster_close(in->roster);
	in->centre = NULL;
}

void
inside_close(struct inside *in)
{
	if (in->centre != NULL)
		inside_stop(in);
	for (size_t i = 0; i < in->officers; i++) {
		sync_msg_free(in->msg[i]);
		officer_piece_free(&in->piece[i]);
		officer_free(&in->officer[i]);
	}
	wire_codec_free(in->codec);
	centre_proc_remove(&in->proc);
}

static void
begin(struct inside_cost *c)
{
	if (c == NULL)
		return;
	c->wall -= wall_us();
	c->cpu -= cpu_us();
}

static void
end(struct inside_cost *c)
{
	if (c == NULL)
		return;
	c->wall += wall_us();
	c->cpu += cpu_us();
}

static const struct sync_up *
write_and_decode(struct inside *in, size_t i, struct buf *wire)
{
	struct sync_up up = { .piece = &in->piece[i].piece, .piece_count = 1 };
	const struct sync_up *got;
	const char *why = "";
	uint32_t dict;

	officer_write(&in->officer[i], &in->piece[i]);
	buf_reset(wire);
	EXPECT_OK(sync_up_encode(in->codec, 0, bench_court, &up, wire));
	EXPECT_OK(sync_up_decode(in->codec, in->msg[i], bench_court,
	    buf_view(wire), &got, &dict, &why));
	return got;
}

static void
check_acks(const struct inside *in, size_t i)
{
	size_t n;
	const struct ingest_ack *a = ingest_acks(in->ingest[i], &n);

	EXPECT(n == 1 && a[0].status == ACK_TAKEN);
	EXPECT(a[0].seq == in->officer[i].m.seq);
}

void
inside_round(struct inside *in, size_t at_once, struct inside_cost *prepare,
    struct inside_cost *commit)
{
	static struct commit_job job[INSIDE_OFFICERS_MAX];
	const struct sync_up *up[INSIDE_OFFICERS_MAX];
	struct committer *cm = centre_committer(in->centre);
	struct buf wire;

	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	for (size_t i = 0; i < in->officers; i++)
		up[i] = write_and_decode(in, i, &wire);
	buf_free(&wire);
	for (size_t from = 0, to; from < in->officers; from = to) {
		to = from + at_once < in->officers ? from + at_once
						   : in->officers;
		begin(prepare);
		for (size_t i = from; i < to; i++) {
			struct ingest_device dev = { 0 };

			memcpy(dev.key, in->officer[i].id.key, PUBKEY_LEN);
			memcpy(dev.dev, in->officer[i].id.dev, sizeof(dev.dev));
			EXPECT_OK(ingest_prepare(
			    in->ingest[i], &dev, in->msg[i], up[i]));
			EXPECT(ingest_ready(in->ingest[i]) == 1);
		}
		end(prepare);
		begin(commit);
		for (size_t i = from; i < to; i++) {
			job[i] = (struct commit_job){ .ingest = in->ingest[i] };
			committer_submit(cm, &job[i]);
		}
		committer_run(cm);
		end(commit);
		for (size_t i = from; i < to; i++)
			check_acks(in, i);
	}
	in->entries += in->officers * OFFICER_PIECE;
}
