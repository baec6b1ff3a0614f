/* film: what a recording says of itself; damaged and hostile ones too. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <qrencode.h>

#include "agent/film/film.h"
#include "base/port.h"
#include "support/expect.h"
#include "support/tmpdir.h"

enum { SIDE = 192, DOT = 4, EDGE = 10 };

static struct tmpdir dir;

static int
set_up(void **state)
{
	(void)state;
	tmpdir_make(&dir);
	return look_open() == ST_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	look_close();
	tmpdir_remove(&dir);
	return 0;
}

/* ---- films are made */

struct made {
	const char *name;
	int seconds;               /* a picture each */
	const char *created;       /* NULL: it does not say */
	const char *code;          /* seen in some pictures */
	int from, until;           /* … these */
	const char *encoder;       /* NULL: MPEG-4 */
	int bits;                  /* below the eight of a brightness */
	enum AVPixelFormat format; /* with bits */
};

static void
put_pixel(AVFrame *f, int plane, int x, int y, uint8_t v, int bits)
{
	uint8_t *row = f->data[plane] + y * f->linesize[plane];
	/* The low bits are noise. */
	uint16_t wide =
	    (uint16_t)(v << bits | ((x * 5 + y) & ((1 << bits) - 1)));

	if (bits == 0)
		row[x] = v;
	else
		memcpy(row + 2 * (size_t)x, &wide, sizeof(wide));
}

static void
paint(AVFrame *f, const char *code, int bits)
{
	QRcode *qr = code == NULL ? NULL
				  : QRcode_encodeString(
					code, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

	EXPECT(av_frame_make_writable(f) == 0);
	for (int y = 0; y < SIDE; y++) {
		for (int x = 0; x < SIDE; x++) {
			uint8_t v = (uint8_t)(qr != NULL ? 235 : 60 + x / 4);
			int qx = (x - EDGE) / DOT, qy = (y - EDGE) / DOT;

			if (qr != NULL && x >= EDGE && y >= EDGE &&
			    qx < qr->width && qy < qr->width &&
			    (qr->data[qy * qr->width + qx] & 1) != 0)
				v = 16;
			put_pixel(f, 0, x, y, v, bits);
		}
	}
	for (int p = 1; p < 3; p++) {
		for (int at = 0; at < SIDE / 2 * (SIDE / 2); at++)
			put_pixel(
			    f, p, at % (SIDE / 2), at / (SIDE / 2), 128, bits);
	}
	if (qr != NULL)
		QRcode_free(qr);
}

static void
drain(AVCodecContext *c, AVFormatContext *out, AVPacket *p)
{
	while (avcodec_receive_packet(c, p) == 0) {
		p->duration = 1;
		av_packet_rescale_ts(
		    p, c->time_base, out->streams[0]->time_base);
		p->stream_index = 0;
		EXPECT(av_interleaved_write_frame(out, p) == 0);
	}
}

static const char *
make_film(const struct made *m)
{
	const char *path = tmpdir_file(&dir, m->name);
	const AVCodec *codec = m->encoder == NULL
				   ? avcodec_find_encoder(AV_CODEC_ID_MPEG4)
				   : avcodec_find_encoder_by_name(m->encoder);
	enum AVPixelFormat format =
	    m->bits == 0 ? AV_PIX_FMT_YUV420P : m->format;
	AVCodecContext *c = avcodec_alloc_context3(codec);
	AVFormatContext *out = NULL;
	AVFrame *f = av_frame_alloc();
	AVPacket *p = av_packet_alloc();

	av_log_set_level(AV_LOG_QUIET);
	EXPECT(avformat_alloc_output_context2(&out, NULL, NULL, path) >= 0);
	EXPECT(codec != NULL && avformat_new_stream(out, NULL) != NULL);
	c->width = c->height = f->width = f->height = SIDE;
	c->pix_fmt = format;
	f->format = format;
	c->time_base = (AVRational){ 1, 1 };
	c->gop_size = 1;
	c->bit_rate = 400000;
	if ((out->oformat->flags & AVFMT_GLOBALHEADER) != 0)
		c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	EXPECT(avcodec_open2(c, codec, NULL) == 0);
	EXPECT(
	    avcodec_parameters_from_context(out->streams[0]->codecpar, c) >= 0);
	out->streams[0]->time_base = c->time_base;
	if (m->created != NULL)
		EXPECT(av_dict_set(&out->metadata, "creation_time", m->created,
			   0) >= 0);
	EXPECT(avio_open(&out->pb, path, AVIO_FLAG_WRITE) >= 0);
	EXPECT(avformat_write_header(out, NULL) >= 0);
	EXPECT(av_frame_get_buffer(f, 0) == 0);
	for (int i = 0; i < m->seconds; i++) {
		paint(
		    f, i >= m->from && i < m->until ? m->code : NULL, m->bits);
		f->pts = i;
		EXPECT(avcodec_send_frame(c, f) == 0);
		drain(c, out, p);
	}
	EXPECT(avcodec_send_frame(c, NULL) == 0);
	drain(c, out, p);
	EXPECT(av_write_trailer(out) == 0);
	avio_closep(&out->pb);
	avformat_free_context(out);
	avcodec_free_context(&c);
	av_frame_free(&f);
	av_packet_free(&p);
	return path;
}

static void
read_path(const char *path, struct film_said *said)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	EXPECT(fd >= 0);
	EXPECT_OK(film_read(fd, true, said));
	(void)close(fd);
}

static void
read_bytes(struct bytes in, struct film_said *said)
{
	int fd = memfd_create("film", MFD_CLOEXEC);

	EXPECT(fd >= 0 && write(fd, in.p, in.len) == (ssize_t)in.len &&
	       lseek(fd, 0, SEEK_SET) == 0);
	EXPECT_OK(film_read(fd, true, said));
	(void)close(fd);
}

static const char code[] =
    "DBK1:ABCDEFGHIJKLMNOPQRSTUVWXYZ:1795467600000:ABCDEFGHIJKLMNOP";

/* ---- tests */

/* Catches a moment taken from another picture, a length or time made up. */
static void
test_film_says_when_how_long_and_what_code_it_saw(void **state)
{
	struct made m = { .name = "a.mp4",
		.seconds = 12,
		.created = "2026-11-23T21:00:00.000000Z",
		.code = code,
		.from = 4,
		.until = 7 };
	struct film_said said, times;
	struct buf out;
	int fd;

	(void)state;
	read_path(make_film(&m), &said);
	assert_string_equal(said.type, "video/mp4");
	EXPECT(said.has_made && said.made_ms == 1795467600000);
	EXPECT(said.has_length && said.length_ms == 12000);
	assert_int_equal(said.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(said.code[i].text, code);
		assert_int_equal(said.code[i].at_ms, 4000 + 1000 * i);
	}
	fd = open(make_film(&m), O_RDONLY | O_CLOEXEC);
	EXPECT_OK(film_read(fd, false, &times));
	(void)close(fd);
	EXPECT(times.has_made && times.made_ms == said.made_ms);
	EXPECT(times.has_length && times.length_ms == 12000);
	EXPECT(times.count == 0);
	buf_init(&out, FILM_ANSWER_MAX);
	film_write(&said, &out);
	EXPECT(strstr(buf_cstr(&out), "video/mp4\nmade 1795467600000\n"
				      "length 12000\ncode 4000 DBK1:") != NULL);
	buf_free(&out);

	m = (struct made){ .name = "b.avi", .seconds = 3 };
	read_path(make_film(&m), &said);
	EXPECT(!said.has_made && said.has_length && said.length_ms == 3000);
	EXPECT(said.count == 0);
	/* A clock that was never set says nothing. */
	m = (struct made){
		.name = "c.mp4", .seconds = 3, .created = "1980-01-01T00:00:00Z"
	};
	read_path(make_film(&m), &said);
	EXPECT(!said.has_made);
}

/* Catches a code that is looked for at the beginning alone, or one of somebody
 * else's. */
static void
test_film_looks_at_the_end_too_and_for_our_codes_alone(void **state)
{
	struct made m = { .name = "long.mp4",
		.seconds = 400,
		.code = code,
		.from = 390,
		.until = 400 };
	struct film_said said;

	(void)state;
	read_path(make_film(&m), &said);
	EXPECT(said.count > 0 && said.code[0].at_ms == 390000);
	m = (struct made){ .name = "other.mp4",
		.seconds = 5,
		.code = "https://example.org/DBK1:X",
		.until = 5 };
	read_path(make_film(&m), &said);
	EXPECT(said.has_length && said.count == 0);
	m.name = "lower.mp4";
	m.code = "DBK1:not capitals";
	read_path(make_film(&m), &said);
	EXPECT(said.count == 0);
}

/* Catches a recorder of ten bits a colour in which no code is ever seen. */
static void
test_film_sees_codes_in_pictures_of_ten_and_twelve_bits(void **state)
{
	static const struct {
		enum AVPixelFormat format;
		int bits;
	} deep[] = { { AV_PIX_FMT_YUV420P10, 2 }, { AV_PIX_FMT_YUV422P10, 2 },
		{ AV_PIX_FMT_YUV444P10, 2 }, { AV_PIX_FMT_YUV420P12, 4 },
		{ AV_PIX_FMT_YUV422P12, 4 }, { AV_PIX_FMT_YUV444P12, 4 } };
	struct made m = { .name = "avc10.mp4",
		.seconds = 6,
		.code = code,
		.from = 2,
		.until = 4,
		.encoder = "libx264",
		.bits = 2,
		.format = AV_PIX_FMT_YUV420P10 };
	static struct film_said said;
	struct film_eye *e = NULL;

	(void)state;
	read_path(make_film(&m), &said);
	EXPECT(said.has_length && said.length_ms == 6000);
	assert_int_equal(said.count, 2);
	assert_string_equal(said.code[0].text, code);
	assert_int_equal(said.code[0].at_ms, 2000);

	EXPECT_OK(film_eye_new(&e));
	memset(&said, 0, sizeof(said));
	for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++) {
		AVFrame *f = av_frame_alloc();

		f->width = f->height = SIDE;
		f->format = deep[i].format;
		EXPECT(av_frame_get_buffer(f, 0) == 0);
		paint(f, code, deep[i].bits);
		EXPECT_OK(film_eye_look(e, f, i, &said));
		assert_int_equal(said.count, i + 1);
		assert_string_equal(said.code[i].text, code);
		av_frame_free(&f);
	}
	film_eye_free(e);
}

/* Catches a row read beyond its end, where a picture says that it is narrower
 * than its words are. */
static void
test_film_looks_at_no_row_shorter_than_its_words(void **state)
{
	static struct film_said said;
	uint8_t *rows = malloc((size_t)SIDE * SIDE);
	struct film_eye *e = NULL;
	AVFrame f = {
		.width = SIDE, .height = SIDE, .format = AV_PIX_FMT_YUV420P10
	};

	(void)state;
	EXPECT(rows != NULL);
	memset(rows, 200, (size_t)SIDE * SIDE);
	f.data[0] = rows;
	f.linesize[0] = SIDE;
	EXPECT_OK(film_eye_new(&e));
	EXPECT_OK(film_eye_look(e, &f, 0, &said));
	EXPECT(said.count == 0);
	film_eye_free(e);
	free(rows);
}

/* Catches a film cut off or damaged that crashes, hangs, or says how long it
 * is. */
static void
test_film_cut_off_or_damaged_is_told_as_far_as_it_goes(void **state)
{
	struct made m = { .name = "d.mp4",
		.seconds = 4,
		.created = "2026-11-23T21:00:00Z",
		.code = code,
		.until = 4 };
	struct film_said said;
	struct buf whole;
	uint32_t rnd = 7;

	(void)state;
	buf_init(&whole, 1 << 22);
	EXPECT_OK(port_read_file(port_system(), make_film(&m), &whole));
	for (size_t len = 0; len < whole.len; len += 1 + whole.len / 60) {
		read_bytes(bytes_of(whole.p, len), &said);
		EXPECT(!said.has_length); /* its index stands at the end */
	}
	for (int i = 0; i < 150; i++) {
		size_t at;
		uint8_t was;

		rnd = rnd * 1664525 + 1013904223;
		at = (rnd >> 3) % whole.len;
		was = whole.p[at];
		whole.p[at] ^= (uint8_t)(1u << (rnd & 7));
		read_bytes(buf_view(&whole), &said);
		whole.p[at] = was;
	}
	read_bytes(buf_view(&whole), &said);
	EXPECT(said.has_length && said.count == 4);
	buf_free(&whole);
}

/* Catches a list of other files that is followed, or what is no film and is
 * taken for one. */
static void
test_film_opens_nothing_but_what_it_was_given(void **state)
{
	static const char *const texts[] = { "",
		"#EXTM3U\n#EXTINF:5,\n/etc/passwd\n",
		"ffconcat version 1.0\nfile /etc/passwd\n", "hello\n" };
	struct film_said said;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		read_bytes(bytes_str(texts[i]), &said);
		EXPECT(!said.has_length && !said.has_made && said.count == 0);
		EXPECT(strncmp(said.type, "video/", 6) != 0);
	}
}

/* What a decoder that was taken over would try. */
static int
try_all(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), bad = 0;
	struct film_said said;

	if (!film_confine())
		return 100;
	bad += film_read(fd, true, &said) != ST_OK || said.count != 3;
	(void)close(2);
	bad += open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 2 : 0;
	bad += socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 4 : 0;
	bad += kill(getppid(), 0) == 0 ? 8 : 0;
	bad += fork() >= 0 ? 16 : 0;
	bad += mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED
		   ? 32
		   : 0;
	bad += unlink(path) == 0 ? 64 : 0;
	return bad;
}

/* Catches a film that takes its decoder over and reads, sends, starts or
 * destroys something. */
static void
test_film_is_read_where_nothing_else_can_be_done(void **state)
{
	struct made m = {
		.name = "e.mp4", .seconds = 4, .code = code, .until = 3
	};
	const char *path = make_film(&m);
	int how = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(try_all(path));
	EXPECT(pid > 0 && waitpid(pid, &how, 0) == pid);
	assert_int_equal(how, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_film_says_when_how_long_and_what_code_it_saw),
		cmocka_unit_test(
		    test_film_looks_at_the_end_too_and_for_our_codes_alone),
		cmocka_unit_test(
		    test_film_sees_codes_in_pictures_of_ten_and_twelve_bits),
		cmocka_unit_test(
		    test_film_looks_at_no_row_shorter_than_its_words),
		cmocka_unit_test(
		    test_film_cut_off_or_damaged_is_told_as_far_as_it_goes),
		cmocka_unit_test(
		    test_film_is_read_where_nothing_else_can_be_done),
		cmocka_unit_test(test_film_opens_nothing_but_what_it_was_given),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
