#include "bench/support/centre_proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sha.h"
#include "bench/support/figure.h"
#include "entry/chain.h"
#include "server/ca/ca.h"
#include "server/roster/roster.h"
#include "support/expect.h"

const char bench_court[] = "xz0302";
const char bench_token[] = "bench";

enum { DAY_S = 86400 };

static void
find_bin(struct centre_proc *p)
{
	ssize_t n = readlink("/proc/self/exe", p->bin, sizeof(p->bin) - 1);
	char *slash;

	EXPECT(n > 0);
	p->bin[n] = '\0';
	slash = strrchr(p->bin, '/');
	EXPECT(slash != NULL);
	*slash = '\0';
}

static struct centre *
open_centre(const struct centre_proc *p)
{
	struct centre_config cfg = { .dir = p->court_dir,
		.port = port_system(),
		.public_minute = 18 * 60,
		.public_offset_min = 480 };
	char errmsg[CENTRE_ERRMSG_LEN] = "";
	struct centre *c;

	expect_status(
	    centre_open(&c, &cfg, errmsg), ST_OK, errmsg, __FILE__, __LINE__);
	return c;
}

static void
make_token(struct centre *c)
{
	struct store_doc d = { .sort = bytes_str("token"),
		.doc = bytes_str("{\"role\":\"supervisor\"}") };
	uint8_t hash[HASH_LEN];

	sha256(hash, bytes_str(bench_token));
	d.key = bytes_of(hash, HASH_LEN);
	d.made = port_wall_ms(port_system());
	EXPECT_OK(centre_put_doc(c, &d));
}

void
centre_proc_make(struct centre_proc *p)
{
	static const char *const at[] = { "https://127.0.0.1:8443" };
	struct centre_init what = { .code = bench_court,
		.name = "\xe4\xba\x91\xe9\xbe\x99",
		.devices_at = at,
		.devices_at_count = 1,
		.public_at = at,
		.public_at_count = 1,
		.port = port_system() };
	char errmsg[CENTRE_ERRMSG_LEN] = "";
	struct centre_keys keys;
	struct centre *c;

	memset(p, 0, sizeof(*p));
	EXPECT(sodium_init() >= 0);
	find_bin(p);
	tmpdir_make(&p->dir);
	(void)snprintf(
	    p->court_dir, sizeof(p->court_dir), "%s/court", p->dir.path);
	what.dir = p->court_dir;
	expect_status(centre_init(&what, &keys, errmsg), ST_OK, errmsg,
	    __FILE__, __LINE__);
	sodium_memzero(&keys, sizeof(keys));
	c = open_centre(p);
	memcpy(p->court_id, centre_court_id(c), HASH_LEN);
	p->log = *centre_log_key(c);
	buf_init(&p->ca, X509_CERT_DER_MAX);
	buf_bytes(&p->ca, ca_cert(centre_ca(c)));
	EXPECT_OK(p->ca.err);
	make_token(c);
	centre_close(c);
}

static void
enrol_one(struct centre *c, struct roster *r, struct bench_device *d, size_t n)
{
	uint64_t now = port_wall_ms(port_system()), place;
	struct roster_enrol e = {
		.name = "bench", .role = "judge", .team = ""
	};
	char person[32], code[2 * HASH_LEN + 1];
	struct x509_info info;
	struct buf csr;

	EXPECT(crypto_sign_keypair(d->key, d->secret) == 0);
	chain_dev(d->dev, d->key);
	buf_init(&d->cert, X509_CERT_DER_MAX);
	buf_init(&d->tls_key, X509_KEY_DER_MAX);
	buf_init(&csr, X509_CSR_DER_MAX);
	EXPECT_OK(x509_key_new(&d->tls_key, port_system()));
	EXPECT_OK(x509_csr_new(&csr, buf_view(&d->tls_key), port_system()));
	EXPECT_OK(ca_issue_device(centre_ca(c), &d->cert, e.serial,
	    buf_view(&csr), d->dev, now / 1000 - DAY_S,
	    now / 1000 + 100 * (uint64_t)DAY_S));
	buf_free(&csr);
	EXPECT_OK(x509_cert_info(&info, buf_view(&d->cert)));
	(void)snprintf(person, sizeof(person), "p%05zu", n);
	(void)snprintf(code, sizeof(code), "%064zx", n);
	memcpy(e.key, d->key, PUBKEY_LEN);
	memcpy(e.cert_sha256, info.cert_sha256, HASH_LEN);
	e.person = person;
	e.code = code;
	e.from_ms = info.not_before_s * 1000;
	e.until_ms = info.not_after_s * 1000;
	EXPECT_OK(roster_enrol(r, &e, &place));
}

void
centre_proc_enrol(struct centre_proc *p, struct bench_device *d, size_t count)
{
	struct centre *c = open_centre(p);
	struct roster *r;

	EXPECT_OK(roster_open(&r, c));
	for (size_t i = 0; i < count; i++)
		enrol_one(c, r, &d[i], i);
	centre_close(c);
	roster_close(r);
}

void
bench_device_free(struct bench_device *d)
{
	buf_free(&d->cert);
	buf_wipe(&d->tls_key);
}

/* ---- the process */

static void
run_server(const struct centre_proc *p, int out)
{
	char path[sizeof(p->bin) + 32];
	static const char any[] = "127.0.0.1:0";

	char log[sizeof(p->dir.path) + 32];
	int err;

	(void)snprintf(log, sizeof(log), "%s/server.log", p->dir.path);
	err = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)snprintf(path, sizeof(path), "%s/daybreak-server", p->bin);
	if (err < 0 || dup2(err, STDERR_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0)
		_exit(127);
	(void)execl(path, path, "run", "--dir", p->court_dir, "--listen", any,
	    "--console", any, "--public", any, (char *)NULL);
	_exit(127);
}

double
centre_proc_start(struct centre_proc *p)
{
	double from = wall_us();
	unsigned console = 0, devices = 0, public_port = 0;
	char line[256];
	int fd[2];

	EXPECT(pipe2(fd, O_CLOEXEC) == 0);
	(void)fflush(stdout);
	p->pid = fork();
	EXPECT(p->pid >= 0);
	if (p->pid == 0)
		run_server(p, fd[1]);
	(void)close(fd[1]);
	p->out = fdopen(fd[0], "r");
	EXPECT(p->out != NULL);
	if (fgets(line, sizeof(line), p->out) == NULL ||
	    sscanf(line, "{\"console\":%u,\"devices\":%u,\"public\":%u",
		&console, &devices, &public_port) != 3)
		fail_msg("the server did not start");
	p->console = (uint16_t)console;
	p->devices = (uint16_t)devices;
	p->public_port = (uint16_t)public_port;
	return wall_us() - from;
}

void
centre_proc_stop(struct centre_proc *p)
{
	int how = -1;

	EXPECT(kill(p->pid, SIGTERM) == 0);
	EXPECT(waitpid(p->pid, &how, 0) == p->pid);
	EXPECT(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	(void)fclose(p->out);
	p->pid = 0;
}

void
centre_proc_remove(struct centre_proc *p)
{
	buf_free(&p->ca);
	tmpdir_remove(&p->dir);
}

/* ---- what it uses */

static double
thread_cpu(const struct centre_proc *p, const char *tid, char comm[32])
{
	unsigned long long ns = 0;
	char path[320];
	FILE *f;

	comm[0] = '\0';
	(void)snprintf(
	    path, sizeof(path), "/proc/%d/task/%.32s/comm", (int)p->pid, tid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%31s", comm) != 1)
		comm[0] = '\0';
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%.32s/schedstat",
	    (int)p->pid, tid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	(void)fclose(f);
	return (double)ns / 1000;
}

void
centre_proc_cpu(const struct centre_proc *p, struct centre_cpu *out)
{
	char path[64], comm[32];
	struct dirent *e;
	DIR *d;

	memset(out, 0, sizeof(*out));
	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)p->pid);
	d = opendir(path);
	EXPECT(d != NULL);
	while ((e = readdir(d)) != NULL) {
		double us;

		if (e->d_name[0] == '.')
			continue;
		us = thread_cpu(p, e->d_name, comm);
		if (strcmp(comm, "net") == 0)
			out->net += us;
		else if (strcmp(comm, "work") == 0)
			out->work += us;
		else if (strcmp(comm, "commit") == 0)
			out->commit += us;
		else if (strcmp(comm, "feed") == 0)
			out->feed += us;
		else if (strcmp(comm, "project") == 0)
			out->project += us;
		else
			out->other += us;
	}
	(void)closedir(d);
}

void
centre_proc_cool(const struct centre_proc *p)
{
	struct dirent *e;
	DIR *d = opendir(p->court_dir);

	EXPECT(d != NULL);
	while ((e = readdir(d)) != NULL) {
		int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		(void)fsync(fd);
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		(void)close(fd);
	}
	(void)closedir(d);
}
