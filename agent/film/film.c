/* film: the recording as FFmpeg reads it. */
#include "agent/film/film.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/parseutils.h>

/* What recorders write; nothing of all else that FFmpeg knows is tried. */
static const char formats[] =
    "mov,avi,matroska,mpegts,mpeg,asf,wav,mp3,aac,ogg,flac,amr";
static const char codecs[] =
    "h264,hevc,mpeg4,mjpeg,mpeg2video,h263,vp8,vp9,msmpeg4v3,wmv2";

enum { IO_BYTES = 65536, US_PER_MS = 1000 };
#define MADE_LEAST INT64_C(946684800000) /* the year 2000: no clock was set */

struct film {
	int fd;
	AVIOContext *io;       /* owned */
	AVFormatContext *in;   /* owned */
	AVCodecContext *codec; /* owned */
	AVPacket *packet;      /* owned */
	AVFrame *frame;        /* owned */
	struct film_eye *eye;  /* owned */
	int video;             /* number of its stream, or below 0 */
};

/* ---- the file */

static int
give(void *arg, uint8_t *out, int len)
{
	const struct film *f = arg;
	ssize_t n;

	do {
		n = read(f->fd, out, (size_t)len);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? (int)n : n == 0 ? AVERROR_EOF : AVERROR(errno);
}

static int64_t
seek(void *arg, int64_t off, int whence)
{
	const struct film *f = arg;
	struct stat s;

	if (whence == AVSEEK_SIZE)
		return fstat(f->fd, &s) == 0 ? (int64_t)s.st_size
					     : AVERROR(errno);
	off = lseek(f->fd, off, whence & ~AVSEEK_FORCE);
	return off < 0 ? AVERROR(errno) : off;
}

static void
film_close(struct film *f)
{
	film_eye_free(f->eye);
	av_frame_free(&f->frame);
	av_packet_free(&f->packet);
	avcodec_free_context(&f->codec);
	avformat_close_input(&f->in);
	if (f->io != NULL)
		av_freep(&f->io->buffer);
	avio_context_free(&f->io);
}

/* False: it is no recording that can be read. */
static bool
film_open(struct film *f)
{
	AVDictionary *options = NULL;
	uint8_t *bytes = av_malloc(IO_BYTES);
	int rc;

	if (bytes == NULL)
		return false;
	f->io = avio_alloc_context(bytes, IO_BYTES, 0, f, give, NULL, seek);
	f->in = avformat_alloc_context();
	if (f->io == NULL || f->in == NULL) {
		if (f->io == NULL)
			av_free(bytes);
		return false;
	}
	f->in->pb = f->io;
	f->in->flags |= AVFMT_FLAG_CUSTOM_IO;
	if (av_dict_set(&options, "format_whitelist", formats, 0) < 0 ||
	    av_dict_set(&options, "codec_whitelist", codecs, 0) < 0) {
		av_dict_free(&options);
		return false;
	}
	/* On failure it frees f->in and clears it. */
	rc = avformat_open_input(&f->in, NULL, NULL, &options);
	av_dict_free(&options);
	return rc == 0 && avformat_find_stream_info(f->in, NULL) >= 0;
}

/* ---- what it says of itself */

/* A time with its zone; without one it could be any. */
static bool
read_time(const AVDictionary *tags, const char *name, int64_t *ms)
{
	const AVDictionaryEntry *e = av_dict_get(tags, name, NULL, 0);
	size_t len = e == NULL ? 0 : strlen(e->value);
	int64_t us;

	if (len < 20 ||
	    (e->value[len - 1] != 'Z' &&
		strpbrk(e->value + 19, "+-") == NULL) ||
	    av_parse_time(&us, e->value, 0) < 0)
		return false;
	*ms = us / US_PER_MS;
	return *ms >= MADE_LEAST;
}

static void
read_tags(const struct film *f, struct film_said *out)
{
	const AVDictionary *tags = f->in->metadata;

	out->has_made =
	    read_time(
		tags, "com.apple.quicktime.creationdate", &out->made_ms) ||
	    read_time(tags, "creation_time", &out->made_ms) ||
	    (f->video >= 0 && read_time(f->in->streams[f->video]->metadata,
				  "creation_time", &out->made_ms));
	if (f->in->duration != AV_NOPTS_VALUE && f->in->duration > 0) {
		out->has_length = true;
		out->length_ms = (uint64_t)f->in->duration / US_PER_MS;
	}
}

/* ---- the pictures */

static bool
open_codec(struct film *f)
{
	const AVCodecParameters *p = f->in->streams[f->video]->codecpar;
	const AVCodec *c = avcodec_find_decoder(p->codec_id);

	if (c == NULL)
		return false;
	f->codec = avcodec_alloc_context3(c);
	f->packet = av_packet_alloc();
	f->frame = av_frame_alloc();
	if (f->codec == NULL || f->packet == NULL || f->frame == NULL ||
	    avcodec_parameters_to_context(f->codec, p) < 0)
		return false;
	/* Pictures that stand by themselves, one every second or two, are
	 * enough: the handheld shows its code for longer. */
	f->codec->skip_frame = AVDISCARD_NONKEY;
	f->codec->thread_count = 1;
	f->codec->max_pixels = FILM_PIXELS_MAX;
	return avcodec_open2(f->codec, c, NULL) == 0 &&
	       film_eye_new(&f->eye) == ST_OK;
}

static uint64_t
frame_ms(const struct film *f)
{
	const AVStream *s = f->in->streams[f->video];
	int64_t start =
	    f->in->start_time == AV_NOPTS_VALUE ? 0 : f->in->start_time;
	int64_t us = f->frame->best_effort_timestamp;

	if (us == AV_NOPTS_VALUE)
		return 0;
	us = av_rescale_q(us, s->time_base, AV_TIME_BASE_Q) - start;
	return us > 0 ? (uint64_t)us / US_PER_MS : 0;
}

static bool
is_spent(void)
{
	return clock() / CLOCKS_PER_SEC >= FILM_CPU_S;
}

/* All pictures that the packet at hand (NULL: the end) gave.  False: enough. */
static bool
look(struct film *f, const AVPacket *packet, uint64_t until_ms,
    struct film_said *out)
{
	if (avcodec_send_packet(f->codec, packet) < 0)
		return !is_spent(); /* damaged: the next may be whole */
	while (avcodec_receive_frame(f->codec, f->frame) == 0) {
		uint64_t at = frame_ms(f);

		if (at > until_ms || is_spent() ||
		    film_eye_look(f->eye, f->frame, at, out) != ST_OK)
			return false;
		av_frame_unref(f->frame);
	}
	return true;
}

/* From where it stands to `until_ms`. */
static void
watch(struct film *f, uint64_t until_ms, struct film_said *out)
{
	bool more = true;

	while (more && out->count < FILM_CODES_MAX) {
		if (av_read_frame(f->in, f->packet) < 0) {
			(void)look(f, NULL, until_ms, out);
			return;
		}
		if (f->packet->stream_index == f->video &&
		    (f->packet->flags & AV_PKT_FLAG_KEY) != 0)
			more = look(f, f->packet, until_ms, out);
		else
			more = !is_spent();
		av_packet_unref(f->packet);
	}
}

static void
look_for_codes(struct film *f, struct film_said *out)
{
	uint64_t last = out->has_length && out->length_ms > FILM_LAST_MS
			    ? out->length_ms - FILM_LAST_MS
			    : 0;
	int64_t start =
	    f->in->start_time == AV_NOPTS_VALUE ? 0 : f->in->start_time;

	watch(f, FILM_FIRST_MS, out);
	if (last <= FILM_FIRST_MS || out->count > 0 || is_spent() ||
	    av_seek_frame(f->in, -1, start + (int64_t)last * US_PER_MS,
		AVSEEK_FLAG_BACKWARD) < 0)
		return;
	avcodec_flush_buffers(f->codec);
	watch(f, UINT64_MAX, out);
}

/* ---- all of it */

static bool
may_be_recording(const char *type)
{
	return strncmp(type, "video/", 6) == 0 ||
	       strncmp(type, "audio/", 6) == 0;
}

static enum status
tell_type(int fd, struct film_said *out)
{
	struct buf begin;
	enum status st = ST_OK;

	buf_init(&begin, LOOK_TYPE_BYTES);
	while (begin.len < LOOK_TYPE_BYTES) {
		size_t was = begin.len, step = LOOK_TYPE_BYTES - was;
		uint8_t *p =
		    buf_extend(&begin, step < IO_BYTES ? step : IO_BYTES);
		ssize_t n = p == NULL ? 0 : read(fd, p, begin.len - was);

		begin.len = was + (n > 0 ? (size_t)n : 0);
		st = p == NULL ? ST_NOMEM : n < 0 ? ST_IO : ST_OK;
		if (n <= 0)
			break;
	}
	if (st == ST_OK)
		look_type(buf_view(&begin), out->type);
	buf_free(&begin);
	return st;
}

enum status
film_read(int fd, bool codes, struct film_said *out)
{
	struct film f = { .fd = fd, .video = -1 };
	enum status st;

	memset(out, 0, sizeof(*out));
	st = tell_type(fd, out);
	if (st != ST_OK || !may_be_recording(out->type))
		return st;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return ST_IO;
	av_log_set_level(AV_LOG_QUIET);
	if (film_open(&f)) {
		f.video = av_find_best_stream(
		    f.in, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
		read_tags(&f, out);
		if (codes && f.video >= 0 && open_codec(&f))
			look_for_codes(&f, out);
	}
	film_close(&f);
	return ST_OK;
}

void
film_write(const struct film_said *said, struct buf *out)
{
	buf_printf(out, "%s\n", said->type);
	if (said->has_made)
		buf_printf(out, "made %lld\n", (long long)said->made_ms);
	if (said->has_length)
		buf_printf(
		    out, "length %llu\n", (unsigned long long)said->length_ms);
	for (size_t i = 0; i < said->count; i++)
		buf_printf(out, "code %llu %s\n",
		    (unsigned long long)said->code[i].at_ms,
		    said->code[i].text);
}
