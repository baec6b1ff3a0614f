/* sim_port: one machine's clock, chance and small files. */
#include "sim/sim.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* splitmix64. */
static uint64_t
next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void
fill(uint64_t *state, void *out, size_t len)
{
	uint8_t *p = out;

	while (len > 0) {
		uint64_t z = next(state);
		size_t n = len < 8 ? len : 8;

		memcpy(p, &z, n);
		p += n;
		len -= n;
	}
}

uint64_t
sim_random(struct sim *s, uint64_t below)
{
	return next(&s->rng) % below;
}

bool
sim_chance(struct sim *s, unsigned percent)
{
	return next(&s->rng) % 100 < percent;
}

/* ---- the port */

static uint64_t
wall_ms(void *arg)
{
	const struct sim_node *n = arg;

	return (uint64_t)((int64_t)n->sim->now_ms + n->shift_ms);
}

static uint64_t
mono_ms(void *arg)
{
	const struct sim_node *n = arg;

	return n->sim->now_ms - n->booted_ms;
}

static void
boot_id(void *arg, uint8_t out[BOOT_LEN])
{
	const struct sim_node *n = arg;

	memcpy(out, n->boot, BOOT_LEN);
}

static void
random_bytes(void *arg, void *out, size_t len)
{
	struct sim_node *n = arg;

	fill(&n->rng, out, len);
}

static enum status
read_file(void *arg, const char *path, struct buf *out)
{
	const struct sim_node *n = arg;
	struct bytes b = fault_disk_file(n->disk, path);

	if (fault_disk_is_cut(n->disk))
		return ST_IO;
	if (b.p == NULL)
		return ST_ABSENT;
	buf_bytes(out, b);
	return out->err;
}

/* Whole or not at all, durable on return: as the port promises. */
static enum status
write_file(void *arg, const char *path, struct bytes in, bool secret)
{
	const struct sim_node *n = arg;

	(void)secret;
	if (fault_disk_is_cut(n->disk))
		return ST_IO;
	fault_disk_put(n->disk, path, in);
	return ST_OK;
}

static enum status
remove_file(void *arg, const char *path)
{
	const struct sim_node *n = arg;

	if (fault_disk_is_cut(n->disk))
		return ST_IO;
	fault_disk_remove(n->disk, path);
	return ST_OK;
}

void
sim_node_boot(struct sim_node *n)
{
	n->booted_ms = n->sim->now_ms;
	fill(&n->rng, n->boot, BOOT_LEN);
}

void
sim_node_init(struct sim_node *n, struct sim *s, uint64_t seed)
{
	n->sim = s;
	n->rng = seed;
	n->shift_ms = 0;
	n->port = (struct port){ .arg = n,
		.wall_ms = wall_ms,
		.mono_ms = mono_ms,
		.boot_id = boot_id,
		.random = random_bytes,
		.read_file = read_file,
		.write_file = write_file,
		.remove_file = remove_file };
	sim_node_boot(n);
}

/* ---- libsodium asks for itself here and there (sealed boxes) */

static uint64_t sodium_state;

static const char *
sodium_name(void)
{
	return "sim";
}

static uint32_t
sodium_word(void)
{
	return (uint32_t)next(&sodium_state);
}

static void
sodium_fill(void *const out, const size_t len)
{
	fill(&sodium_state, out, len);
}

static randombytes_implementation sodium_from_seed = {
	.implementation_name = sodium_name,
	.random = sodium_word,
	.buf = sodium_fill,
};

void
sim_sodium(uint64_t seed)
{
	static bool set;

	if (!set) {
		(void)randombytes_set_implementation(&sodium_from_seed);
		set = true;
	}
	sodium_state = seed;
	if (sodium_init() < 0)
		fail_msg("libsodium");
}

/* ---- words */

void
sim_say(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->trace)
		return;
	fprintf(stderr, "%4u %*s", s->step, 2 * (int)s->depth, "");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
sim_expect_same(
    struct sim *s, const char *what, struct bytes got, struct bytes want)
{
	enum { BEFORE = 100, SHOWN = 260 };
	size_t at = 0, from;

	if (bytes_eq(got, want))
		return;
	while (at < got.len && at < want.len && got.p[at] == want.p[at])
		at++;
	from = at < BEFORE ? 0 : at - BEFORE;
	got = bytes_of(got.p + from, got.len - from);
	want = bytes_of(want.p + from, want.len - from);
	sim_fail(s, __FILE__, __LINE__,
	    "%s, from byte %zu:\n\t%.*s\nshould be\n\t%.*s", what, from,
	    (int)(got.len < SHOWN ? got.len : SHOWN), (const char *)got.p,
	    (int)(want.len < SHOWN ? want.len : SHOWN), (const char *)want.p);
}

void
sim_fail(struct sim *s, const char *file, int line, const char *fmt, ...)
{
	char words[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	fail_msg("%s:%d: seed %llu, step %u: %s", file, line,
	    (unsigned long long)s->seed, s->step, words);
	abort();
}
