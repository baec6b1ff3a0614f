/*
 * A file becomes evidence on a handheld: hashed and sealed in one pass, beside
 * hashing alone and sealing alone of the same bytes in the same run; and the
 * memory that it takes, whatever its size.  One JSON line a figure.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/blob/blob_file.h"
#include "base/sha.h"
#include "bench/support/figure.h"
#include "support/expect.h"
#include "support/tmpdir.h"

enum { SPAN = BLOB_PIECE, RUNS = 3, LOOK = 8 };

static uint64_t mib = 1024;
static uint8_t *span;

static double
hash_alone(void)
{
	uint8_t digest[HASH_LEN];
	struct sha256_run sha;
	double began = wall_us();

	sha256_begin(&sha);
	for (uint64_t i = 0; i < mib * (1 << 20) / SPAN; i++)
		sha256_more(&sha, bytes_of(span, SPAN));
	sha256_end(&sha, digest);
	return wall_us() - began;
}

static double
seal_alone(uint8_t *out)
{
	uint8_t key[SEAL_KEY_LEN] = { 1 }, head[BLOB_HEAD_LEN] = { 2 };
	double began = wall_us();

	for (uint64_t i = 0; i < mib * ((1 << 20) / BLOB_CHUNK); i++)
		blob_seal(out, key, head, i, false,
		    bytes_of(span + i % (SPAN / BLOB_CHUNK) * BLOB_CHUNK,
			BLOB_CHUNK));
	return wall_us() - began;
}

/* As blob_seal, and written: what the disk adds to it. */
static double
write_alone(const char *path, const uint8_t *sealed)
{
	FILE *f = fopen(path, "we");
	double began = wall_us();

	assert_non_null(f);
	for (uint64_t i = 0; i < mib * ((1 << 20) / BLOB_CHUNK); i++)
		EXPECT(fwrite(sealed, 1, BLOB_SEALED_CHUNK, f) ==
		       BLOB_SEALED_CHUNK);
	EXPECT(fflush(f) == 0);
	began = wall_us() - began;
	(void)fclose(f);
	(void)remove(path);
	return began;
}

/* One pass, up to its last byte written; how long the disk then takes to be
 * sure of it is the disk's. */
struct pass {
	double us, cpu_us; /* on the wall; of all threads together */
	double owner_us;   /* CPU of the thread that seals */
};

static struct pass
both(const char *dir, uint64_t *memory)
{
	uint64_t before = resident_bytes(), now;
	struct blob_writer *w = NULL;
	double began = wall_us(), cpu = cpu_us(), own = thread_us();
	struct pass p;

	EXPECT_OK(blob_writer_new(&w, dir, true, port_system()));
	for (uint64_t i = 0; i < mib * (1 << 20) / SPAN; i++) {
		EXPECT_OK(blob_writer_add(w, bytes_of(span, SPAN)));
		now = i % LOOK == 0 ? resident_bytes() : before;
		if (now > before && now - before > *memory)
			*memory = now - before;
	}
	p.us = wall_us() - began;
	p.owner_us = thread_us() - own;
	p.cpu_us = cpu_us() - cpu;
	blob_writer_abort(w);
	return p;
}

int
main(int argc, char **argv)
{
	double hash[RUNS], seal[RUNS], one[RUNS], disk[RUNS], slower, rate;
	double cpu[RUNS], owner[RUNS], alone[RUNS], n;
	uint64_t memory = 0;
	struct tmpdir t;
	uint8_t *out;

	if (sodium_init() < 0)
		return 1;
	if (has_flag(argc, argv, "--quick"))
		mib = 16;
	mib = number_arg(argc, argv, 1, mib);
	span = malloc(SPAN);
	out = malloc(BLOB_SEALED_CHUNK);
	if (span == NULL || out == NULL)
		return 1;
	randombytes_buf(span, SPAN);
	tmpdir_make(&t);
	for (int i = 0; i < RUNS; i++) {
		double us = cpu_us();
		struct pass p;

		hash[i] = hash_alone();
		seal[i] = seal_alone(out);
		alone[i] = cpu_us() - us;
		disk[i] = write_alone(tmpdir_file(&t, "plain"), out);
		p = both(tmpdir_file(&t, "blobs"), &memory);
		one[i] = p.us;
		cpu[i] = p.cpu_us;
		owner[i] = p.owner_us;
	}
	n = (double)mib;
	rate = (double)mib * 1000000;
	figure("evidence_hash_alone", rate / median(hash, RUNS), "MiB/s");
	figure("evidence_seal_alone", rate / median(seal, RUNS), "MiB/s");
	figure("evidence_write_alone", rate / median(disk, RUNS), "MiB/s");
	slower = median(hash, RUNS) > median(seal, RUNS) ? median(hash, RUNS)
							 : median(seal, RUNS);
	figure_vs("evidence_hash_and_seal", rate / median(one, RUNS), "MiB/s",
	    rate / slower, ">= 0.8 of the slower of the two alone",
	    median(one, RUNS) * 0.8 <= slower);
	figure_vs("evidence_hash_and_seal_cpu", median(cpu, RUNS) / n, "us/MiB",
	    median(alone, RUNS) / n, NULL, true);
	figure("evidence_hash_and_seal_cpu_owner", median(owner, RUNS) / n,
	    "us/MiB");
	figure_most(
	    "evidence_memory_of_a_file", (double)memory / 1048576, "MiB", 16);
	tmpdir_remove(&t);
	free(out);
	free(span);
	return 0;
}
