/*
 * A handheld's file with bytes changed in it (three of the input a change:
 * where, what; a last one cuts it): it opens or is refused, a walk through its
 * chain ends, and a place that is said to be whole has the bytes that were
 * written there and no others.
 */
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "agent/log/log.h"
#include "chainfile/chainfile.h"
#include "fuzz/fuzz.h"

enum { PLACES = 8, FILE_MAX = 1 << 20, TEXT_MAX = 200 };

static struct {
	bool made;
	char path[64];
	uint8_t private_key[KEYSLOT_BOX_KEY_LEN];
	struct buf file; /* as it was closed */
} base;

static struct bytes
entry(char text[TEXT_MAX], uint64_t n)
{
	int len =
	    snprintf(text, TEXT_MAX, "{\"n\":%llu}\n{\"salt\":\"%0100u\"}",
		(unsigned long long)n, (unsigned)n);

	CHECK(len > 0 && len < TEXT_MAX);
	return (struct bytes){ (const uint8_t *)text, (size_t)len };
}

static void
clean(void)
{
	char side[80];

	(void)unlink(base.path);
	(void)snprintf(side, sizeof(side), "%s-wal", base.path);
	(void)unlink(side);
	(void)snprintf(side, sizeof(side), "%s-shm", base.path);
	(void)unlink(side);
}

static void
make_base(void)
{
	uint8_t public_key[32], link[HASH_LEN], court[HASH_LEN] = { 7 };
	struct log_config c = { .path = base.path,
		.port = port_system(),
		.kdf = { .mem_kib = 8, .passes = 1, .weak_for_tests = true },
		.no_reserve = true };
	struct log *l = NULL;
	char text[TEXT_MAX];

	CHECK(sodium_init() >= 0);
	(void)snprintf(base.path, sizeof(base.path), "/tmp/fuzz-chainfile-%ld",
	    (long)getpid());
	clean();
	CHECK(crypto_box_keypair(public_key, base.private_key) == 0);
	CHECK(log_create(&l, &c, bytes_str("p001"),
		  bytes_str("correct horse battery")) == ST_OK);
	CHECK(log_recovery_set(l, public_key) == ST_OK);
	CHECK(log_chain_new(l, court) == ST_OK);
	for (uint64_t n = 1; n <= PLACES; n++)
		CHECK(log_append(l, n, entry(text, n), link) == ST_OK);
	log_close(l);
	buf_init(&base.file, FILE_MAX);
	CHECK(port_read_file(port_system(), base.path, &base.file) == ST_OK);
	base.made = true;
	(void)atexit(clean);
}

/* Not by the port, which waits for the disk. */
static void
put_file(struct bytes in)
{
	FILE *f = fopen(base.path, "wbe");

	CHECK(f != NULL && fwrite(in.p, 1, in.len, f) == in.len);
	CHECK(fclose(f) == 0);
}

static enum status
see(void *arg, const struct chainfile_entry *e)
{
	char text[TEXT_MAX];

	CHECK(e->seq >= 1 && ++*(uint64_t *)arg <= 1000000);
	if (e->is == CHAINFILE_WHOLE)
		CHECK(
		    e->seq <= PLACES && bytes_eq(e->raw, entry(text, e->seq)));
	return ST_OK;
}

static void
walk(void)
{
	struct chainfile_config fc = { .path = base.path,
		.port = port_system() };
	struct chainfile *f = NULL;
	struct chainfile_found found;
	uint64_t seen = 0;
	uint32_t last;

	if (chainfile_open(&f, &fc) != ST_OK)
		return;
	if (chainfile_recover(f, base.private_key) == ST_OK &&
	    chainfile_chain_last(f, &last) == ST_OK) {
		for (uint32_t n = 1; n <= last && n <= 3; n++) {
			enum status st =
			    chainfile_walk(f, n, 1, 64, see, &seen, &found);

			CHECK(st != ST_OK || found.count <= 64);
		}
	}
	chainfile_close(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b;

	if (!base.made)
		make_base();
	buf_init(&b, FILE_MAX);
	buf_bytes(&b, buf_view(&base.file));
	CHECK(b.err == ST_OK);
	for (; size >= 3; data += 3, size -= 3) {
		size_t at = ((size_t)data[0] << 8 | data[1]) * 7 % b.len;

		b.p[at] ^= data[2];
	}
	if (size == 1)
		b.len = b.len * data[0] / 255;
	clean();
	put_file(buf_view(&b));
	buf_free(&b);
	walk();
	return 0;
}
