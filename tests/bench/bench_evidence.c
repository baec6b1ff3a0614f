/*
 * Files: one upload of N MiB (256) in one PATCH over loopback under mutual TLS
 * into the real daybreak-server, from the first byte sent to the answer that
 * says it is stored and logged; and the memory of 32 running uploads.
 *
 * Beside it in the same run, each alone and before every round: mbedTLS
 * decrypting that many bytes in records as its client writes them (4 KiB
 * here; a handheld's are of 16), SHA-256 over them, and the
 * disk taking them (written in pieces of 64 KiB, synced at the end) in the
 * court's own folder.  The limit that they set together is their times added
 * up: 1 / (1/tls + 1/sha + 1/disk).  The client encrypts in this process on
 * the same machine, which is not taken off.  The same once more in CPU time,
 * which a busy machine does not change: the server's, all threads, beside the
 * three added up.
 *
 *	bench_evidence [--quick] [MIB]
 */
#include <fcntl.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/sha.h"
#include "bench/support/centre_proc.h"
#include "bench/support/figure.h"
#include "support/expect.h"
#include "support/http_client.h"
#include "support/pki.h"

enum {
	PIECE = 64 << 10,
	RECORD = 16 << 10,
	ROUNDS_MAX = 5,
	UPLOADS = 32,
	RUNNING_BYTES = 4 << 20
};

static struct centre_proc centre;
static struct bench_device device[UPLOADS];
static uint8_t *data; /* one MiB, repeated with its number in front */
static size_t mib;
static double alone_us; /* CPU of the three, of the last round */

/* ---- the three alone, MiB a second */

struct wire {
	struct buf up, down;
	size_t up_at, down_at;
};

static int
put(struct buf *b, const unsigned char *p, size_t len)
{
	buf_add(b, p, len);
	EXPECT_OK(b->err);
	return (int)len;
}

static int
take(struct buf *b, size_t *at, unsigned char *p, size_t len)
{
	if (*at == b->len) {
		buf_reset(b);
		*at = 0;
		return MBEDTLS_ERR_SSL_WANT_READ;
	}
	if (len > b->len - *at)
		len = b->len - *at;
	memcpy(p, b->p + *at, len);
	*at += len;
	return (int)len;
}

static int
client_send(void *arg, const unsigned char *p, size_t len)
{
	struct wire *w = arg;

	if (w->up_at == w->up.len) {
		buf_reset(&w->up);
		w->up_at = 0;
	}
	return put(&w->up, p, len);
}

static int
client_recv(void *arg, unsigned char *p, size_t len)
{
	struct wire *w = arg;

	return take(&w->down, &w->down_at, p, len);
}

static int
server_send(void *w, const unsigned char *p, size_t len)
{
	return put(&((struct wire *)w)->down, p, len);
}

static int
server_recv(void *arg, unsigned char *p, size_t len)
{
	struct wire *w = arg;

	return take(&w->up, &w->up_at, p, len);
}

struct bare {
	mbedtls_ssl_config conf;
	mbedtls_ssl_context ssl;
	mbedtls_x509_crt cert, ca;
	mbedtls_pk_context key;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
};

static void
bare_init(struct bare *b, struct pki *pki, struct wire *w)
{
	mbedtls_ssl_config_init(&b->conf);
	mbedtls_ssl_init(&b->ssl);
	mbedtls_x509_crt_init(&b->cert);
	mbedtls_x509_crt_init(&b->ca);
	mbedtls_pk_init(&b->key);
	mbedtls_entropy_init(&b->entropy);
	mbedtls_ctr_drbg_init(&b->drbg);
	EXPECT(mbedtls_ctr_drbg_seed(
		   &b->drbg, mbedtls_entropy_func, &b->entropy, NULL, 0) == 0);
	EXPECT(mbedtls_x509_crt_parse_der(
		   &b->cert, pki->server_cert.p, pki->server_cert.len) == 0);
	EXPECT(mbedtls_x509_crt_parse_der(
		   &b->ca, ca_cert(pki->ca).p, ca_cert(pki->ca).len) == 0);
	EXPECT(mbedtls_pk_parse_key(&b->key, pki->server_key.p,
		   pki->server_key.len, NULL, 0, mbedtls_ctr_drbg_random,
		   &b->drbg) == 0);
	EXPECT(
	    mbedtls_ssl_config_defaults(&b->conf, MBEDTLS_SSL_IS_SERVER,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0);
	mbedtls_ssl_conf_rng(&b->conf, mbedtls_ctr_drbg_random, &b->drbg);
	mbedtls_ssl_conf_authmode(&b->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_ca_chain(&b->conf, &b->ca, NULL);
	EXPECT(mbedtls_ssl_conf_own_cert(&b->conf, &b->cert, &b->key) == 0);
	EXPECT(mbedtls_ssl_setup(&b->ssl, &b->conf) == 0);
	mbedtls_ssl_set_bio(&b->ssl, w, server_send, server_recv, NULL);
}

static void
bare_free(struct bare *b)
{
	mbedtls_ssl_free(&b->ssl);
	mbedtls_ssl_config_free(&b->conf);
	mbedtls_x509_crt_free(&b->cert);
	mbedtls_x509_crt_free(&b->ca);
	mbedtls_pk_free(&b->key);
	mbedtls_ctr_drbg_free(&b->drbg);
	mbedtls_entropy_free(&b->entropy);
}

/* One MiB in, decrypted; microseconds of the server's side. */
static double
decrypt_one(struct bare *b, struct tls_peer *client)
{
	static uint8_t out[RECORD];
	size_t sent = 0, got = 0;
	double begun, cpu;

	while (sent < 1 << 20) {
		int n = tls_peer_write(client, data + sent, (1 << 20) - sent);

		EXPECT(n > 0);
		sent += (size_t)n;
	}
	begun = wall_us();
	cpu = thread_us();
	while (got < 1 << 20) {
		int n = mbedtls_ssl_read(&b->ssl, out, sizeof(out));

		EXPECT(n > 0);
		got += (size_t)n;
	}
	alone_us += thread_us() - cpu;
	return wall_us() - begun;
}

static double
rate_tls(void)
{
	struct tls_peer_settings s;
	struct tls_peer_conf conf;
	struct tls_peer client;
	struct pki_leaf leaf;
	struct wire w = { .up_at = 0 };
	struct pki pki;
	struct bare b;
	double us = 0;
	int done = -1;

	buf_init(&w.up, 4 << 20);
	buf_init(&w.down, 1 << 20);
	pki_open(&pki, port_system());
	pki_leaf_new(&leaf, &pki, PKI_GOOD, 1);
	s = (struct tls_peer_settings){ .ca_der = ca_cert(pki.ca),
		.cert_der = buf_view(&leaf.cert),
		.key_der = buf_view(&leaf.key) };
	tls_peer_conf_init(&conf, &s);
	bare_init(&b, &pki, &w);
	tls_peer_init(&client, &conf, client_send, client_recv, &w, NULL);
	for (int i = 0; i < 10 && done != 0; i++) {
		EXPECT(tls_peer_handshake(&client) >= 0);
		done = mbedtls_ssl_handshake(&b.ssl);
	}
	EXPECT(done == 0);
	for (size_t i = 0; i < mib; i++)
		us += decrypt_one(&b, &client);
	tls_peer_free(&client);
	bare_free(&b);
	tls_peer_conf_free(&conf);
	pki_leaf_free(&leaf);
	pki_close(&pki);
	buf_free(&w.up);
	buf_free(&w.down);
	return (double)mib * 1e6 / us;
}

/* The i-th MiB of the file: no two are alike. */
static const uint8_t *
piece_of(size_t i, size_t round)
{
	memcpy(data, &i, sizeof(i));
	memcpy(data + sizeof(i), &round, sizeof(round));
	return data;
}

static double
rate_sha(size_t round, uint8_t digest[HASH_LEN])
{
	struct sha256_run r;
	double begun = wall_us(), cpu = thread_us();

	sha256_begin(&r);
	for (size_t i = 0; i < mib; i++)
		for (size_t at = 0; at < 1 << 20; at += PIECE)
			sha256_more(
			    &r, bytes_of(piece_of(i, round) + at, PIECE));
	sha256_end(&r, digest);
	alone_us += thread_us() - cpu;
	return (double)mib * 1e6 / (wall_us() - begun);
}

static double
rate_disk(size_t round)
{
	char path[TMPDIR_MAX + 64];
	double begun, us, cpu = thread_us();
	int fd;

	(void)snprintf(path, sizeof(path), "%s/bare", centre.court_dir);
	begun = wall_us();
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	EXPECT(fd >= 0);
	for (size_t i = 0; i < mib; i++)
		for (size_t at = 0; at < 1 << 20; at += PIECE)
			EXPECT(
			    write(fd, piece_of(i, round) + at, PIECE) == PIECE);
	EXPECT(fsync(fd) == 0);
	us = wall_us() - begun;
	alone_us += thread_us() - cpu;
	(void)close(fd);
	EXPECT(unlink(path) == 0);
	return (double)mib * 1e6 / us;
}

/* ---- uploads */

static void
client_of(const struct bench_device *d, struct tls_peer_conf *conf,
    struct http_client *http)
{
	struct tls_peer_settings s = { .ca_der = buf_view(&centre.ca),
		.cert_der = buf_view(&d->cert),
		.key_der = buf_view(&d->tls_key) };

	tls_peer_conf_init(conf, &s);
	EXPECT(http_client_open_tls(http, centre.devices, conf, NULL));
}

/* Create; the path where it goes on. */
static void
create(struct http_client *http, uint64_t length,
    const uint8_t digest[HASH_LEN], char at[64])
{
	char hex[2 * HASH_LEN + 1], meta[128], text[512];
	struct http_answer a;
	const char *here;

	hex_encode(hex, bytes_of(digest, HASH_LEN));
	base64_encode(meta, bytes_str(hex));
	(void)snprintf(text, sizeof(text),
	    "POST /v1/evidence HTTP/1.1\r\nHost: c\r\nTus-Resumable: 1.0.0\r\n"
	    "Upload-Length: %llu\r\nUpload-Metadata: sha256 %s\r\n"
	    "Content-Length: 0\r\n\r\n",
	    (unsigned long long)length, meta);
	EXPECT(http_client_text(http, text));
	http_client_answer(http, &a, false);
	EXPECT(a.status == 201);
	here = strstr(a.head, "Location: ");
	EXPECT(here != NULL);
	(void)snprintf(at, 64, "%.45s", here + 10);
	http_answer_free(&a);
}

static void
begin_patch(struct http_client *http, const char *at, uint64_t length)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
	    "PATCH %s HTTP/1.1\r\nHost: c\r\nTus-Resumable: 1.0.0\r\n"
	    "Content-Type: application/offset+octet-stream\r\n"
	    "Upload-Offset: 0\r\nContent-Length: %llu\r\n\r\n",
	    at, (unsigned long long)length);
	EXPECT(http_client_text(http, text));
}

static double
rate_upload(size_t round, const uint8_t digest[HASH_LEN])
{
	struct tls_peer_conf conf;
	struct http_client http;
	struct http_answer a;
	char at[64];
	double begun, us;

	client_of(&device[0], &conf, &http);
	create(&http, (uint64_t)mib << 20, digest, at);
	begun = wall_us();
	begin_patch(&http, at, (uint64_t)mib << 20);
	for (size_t i = 0; i < mib; i++)
		EXPECT(http_client_send(&http, piece_of(i, round), 1 << 20));
	http_client_answer(&http, &a, false);
	us = wall_us() - begun;
	EXPECT(a.status == 204);
	http_answer_free(&a);
	http_client_close(&http);
	tls_peer_conf_free(&conf);
	return (double)mib * 1e6 / us;
}

static double
server_us(void)
{
	struct centre_cpu c;

	centre_proc_cpu(&centre, &c);
	return c.net + c.work + c.commit + c.feed + c.project + c.other;
}

static uint64_t
server_memory(void)
{
	char path[64];
	unsigned long size = 0, pages = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)centre.pid);
	f = fopen(path, "r");
	EXPECT(f != NULL && fscanf(f, "%lu %lu", &size, &pages) == 2);
	(void)fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What each of many uploads costs that are in their middle. */
static double
memory(void)
{
	static struct tls_peer_conf conf[UPLOADS];
	static struct http_client http[UPLOADS];
	uint8_t digest[HASH_LEN];
	uint64_t before = server_memory(), after = 0;
	char at[64];

	for (size_t i = 0; i < UPLOADS; i++) {
		sha256(digest, bytes_of((uint8_t *)&i, sizeof(i)));
		client_of(&device[i], &conf[i], &http[i]);
		create(&http[i], (uint64_t)1 << 30, digest, at);
		begin_patch(&http[i], at, (uint64_t)1 << 30);
	}
	for (size_t n = 0; n < RUNNING_BYTES; n += 1 << 20)
		for (size_t i = 0; i < UPLOADS; i++)
			EXPECT(http_client_send(&http[i], data, 1 << 20));
	/* The most that is seen while and after the last of it is taken. */
	for (int i = 0; i < 200; i++) {
		uint64_t now = server_memory();

		after = now > after ? now : after;
		(void)usleep(1000);
	}
	for (size_t i = 0; i < UPLOADS; i++) {
		http_client_close(&http[i]);
		tls_peer_conf_free(&conf[i]);
	}
	return after < before ? 0 : (double)(after - before) / UPLOADS / 1024;
}

int
main(int argc, char **argv)
{
	double tls[ROUNDS_MAX], sha[ROUNDS_MAX], disk[ROUNDS_MAX];
	double up[ROUNDS_MAX], limit[ROUNDS_MAX];
	double cpu[ROUNDS_MAX], alone[ROUNDS_MAX];
	bool quick = has_flag(argc, argv, "--quick");
	size_t rounds = quick ? 1 : ROUNDS_MAX;
	uint8_t digest[HASH_LEN];

	mib = (size_t)number_arg(argc, argv, 1, quick ? 8 : 256);
	data = malloc(1 << 20);
	EXPECT(data != NULL);
	for (size_t i = 0; i < 1 << 20; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 7);
	centre_proc_make(&centre);
	centre_proc_enrol(&centre, device, UPLOADS);
	(void)centre_proc_start(&centre);
	figure_most("evidence_memory_an_upload", memory(), "KiB", 256);
	for (size_t i = 0; i < rounds; i++) {
		alone_us = 0;
		tls[i] = rate_tls();
		sha[i] = rate_sha(i, digest);
		disk[i] = rate_disk(i);
		limit[i] = 1 / (1 / tls[i] + 1 / sha[i] + 1 / disk[i]);
		alone[i] = alone_us / (double)mib;
		cpu[i] = server_us();
		up[i] = rate_upload(i, digest);
		cpu[i] = (server_us() - cpu[i]) / (double)mib;
	}
	figure("evidence_tls_alone", median(tls, rounds), "MiB/s");
	figure("evidence_sha256_alone", median(sha, rounds), "MiB/s");
	figure("evidence_disk_alone", median(disk, rounds), "MiB/s");
	figure_vs("evidence_upload", median(up, rounds), "MiB/s",
	    median(limit, rounds), ">= 0.7 x",
	    median(up, rounds) >= 0.7 * median(limit, rounds));
	figure_vs("evidence_upload_cpu", median(cpu, rounds), "us/MiB",
	    median(alone, rounds), "<= 1.43 x",
	    median(cpu, rounds) <= median(alone, rounds) / 0.7);
	centre_proc_stop(&centre);
	centre_proc_remove(&centre);
	for (size_t i = 0; i < UPLOADS; i++)
		bench_device_free(&device[i]);
	free(data);
	return 0;
}
