/*
 * interop_ours: our side of the interop test (interop_sumdb.sh).
 *
 *   interop_ours write DIR    checkpoints, a cosigned one, tiles, bundles,
 *                             proofs and a proof file, for theirs to check
 *   interop_ours check DIR    the same, written by theirs
 *
 * Both sides know the leaf data: SHA-256 of u32be n.
 */
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/port.h"
#include "base/sha.h"
#include "tlog/merkle.h"
#include "tlog/note.h"
#include "tlog/proof.h"
#include "tlog/text.h"
#include "tlog/tile.h"

enum { SIZES = 8, PLACE = 777, WITNESS_TIME = 1700000000 };
static const uint64_t sizes[SIZES] = { 1, 2, 255, 256, 257, 1000, 65536,
	66000 };
enum { LAST = 66000 };

static const char *dir;
static uint8_t data[LAST][HASH_LEN], leaf[LAST][HASH_LEN];
static struct merkle_leaves all = { leaf, LAST };

static void
need(bool ok, const char *what, uint64_t n)
{
	if (ok)
		return;
	(void)fprintf(stderr, "ours: %s (%" PRIu64 ")\n", what, n);
	exit(1);
}

static void
make_leaves(void)
{
	for (uint32_t i = 0; i < LAST; i++) {
		uint8_t raw[4];

		be32_put(raw, i);
		sha256(data[i], bytes_of(raw, 4));
		merkle_leaf(leaf[i], bytes_of(data[i], HASH_LEN));
	}
}

/* ---- files */

static void
path_of(char out[512], const char *name)
{
	int n = snprintf(out, 512, "%s/%s", dir, name);

	need(n > 0 && n < 512, name, 0);
}

static void
put_file(const char *name, struct bytes in)
{
	char path[512];
	FILE *f;

	path_of(path, name);
	for (char *p = path + strlen(dir) + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		need(mkdir(path, 0755) == 0 || errno == EEXIST, path, 0);
		*p = '/';
	}
	f = fopen(path, "wb");
	need(
	    f != NULL && fwrite(in.p, 1, in.len, f) == in.len && fclose(f) == 0,
	    path, 0);
}

/* Append the whole file. */
static enum status
get_file(const char *name, struct buf *out)
{
	char path[512];

	path_of(path, name);
	return port_read_file(port_system(), path, out);
}

static enum status
put_tile(void *arg, const struct tile *t, struct bytes in)
{
	struct buf path;

	(void)arg;
	buf_init(&path, TILE_PATH_MAX);
	tile_path(t, &path);
	put_file(buf_cstr(&path), in);
	buf_free(&path);
	return ST_OK;
}

static enum status
get_tile(void *arg, const struct tile *t, struct buf *out)
{
	struct buf path;
	enum status st;

	(void)arg;
	buf_init(&path, TILE_PATH_MAX);
	tile_path(t, &path);
	st = get_file(buf_cstr(&path), out);
	buf_free(&path);
	return st;
}

/* ---- write */

static void
put_proof_line(
    struct buf *out, uint64_t a, uint64_t b, const struct merkle_proof *p)
{
	buf_printf(out, "%" PRIu64 " %" PRIu64, a, b);
	for (size_t i = 0; i < p->count; i++) {
		buf_u8(out, ' ');
		text_put_base64(out, bytes_of(p->hash[i], HASH_LEN));
	}
	buf_u8(out, '\n');
}

static void
write_proofs(merkle_read read, void *arg, uint64_t size, struct buf *inclusion,
    struct buf *consistency)
{
	const uint64_t at[] = { 0, size / 3, size / 2, size - 1 };
	struct merkle_proof p;

	for (size_t i = 0; i < 4; i++) {
		need(
		    merkle_prove_inclusion(read, arg, at[i], size, &p) == ST_OK,
		    "prove inclusion", at[i]);
		put_proof_line(inclusion, at[i], size, &p);
	}
	for (size_t i = 0; i < SIZES && sizes[i] <= size; i++) {
		need(merkle_prove_consistency(read, arg, sizes[i], size, &p) ==
			 ST_OK,
		    "prove consistency", sizes[i]);
		put_proof_line(consistency, sizes[i], size, &p);
	}
}

static void
make_key(struct note_key *key, uint8_t secret[64], const char *name,
    uint8_t alg, const char *file)
{
	uint8_t public_key[PUBKEY_LEN];
	struct buf b;

	need(crypto_sign_keypair(public_key, secret) == 0, "key", 0);
	need(note_key_make(key, name, alg, public_key) == ST_OK, name, 0);
	buf_init(&b, NOTE_VKEY_MAX + 1);
	note_key_format(key, &b);
	buf_u8(&b, '\n');
	put_file(file, buf_view(&b));
	buf_free(&b);
}

static void
write_cosigned(const struct buf *note, merkle_read read, void *arg)
{
	struct note_key witness;
	struct proof p = { .has_prev = true, .index = PLACE };
	uint8_t secret[64];
	struct buf b, file;

	make_key(&witness, secret, "w.example", NOTE_COSIGNATURE, "witness");
	buf_init(&b, NOTE_BYTES_MAX);
	buf_init(&file, PROOF_BYTES_MAX);
	need(cosignature_sign(
		 buf_view(note), &witness, secret, WITNESS_TIME, &b) == ST_OK,
	    "cosign", 0);
	put_file("cosigned", buf_view(&b));
	memcpy(p.prev, data[PLACE - 1], HASH_LEN);
	p.note = buf_view(&b);
	need(merkle_prove_inclusion(read, arg, PLACE, LAST, &p.path) == ST_OK,
	    "prove", PLACE);
	need(proof_format(&p, &file) == ST_OK, "proof file", 0);
	put_file("place.tlog-proof", buf_view(&file));
	buf_free(&b);
	buf_free(&file);
}

static void
write_size(size_t i, const struct note_key *key, const uint8_t secret[64],
    struct buf *inclusion, struct buf *consistency)
{
	uint64_t old = i > 0 ? sizes[i - 1] : 0, size = sizes[i];
	struct checkpoint c = { .origin = "court.example/zx", .size = size };
	struct tile_reader *r;
	char name[64];
	struct buf b;

	need(tile_write_hashes(get_tile, put_tile, NULL, old,
		 (const uint8_t(*)[HASH_LEN])leaf + old, size - old) == ST_OK &&
		 tile_write_links(get_tile, put_tile, NULL, old,
		     (const uint8_t(*)[HASH_LEN])data + old,
		     size - old) == ST_OK,
	    "tiles", size);
	buf_init(&b, NOTE_BYTES_MAX);
	need(merkle_root_at(merkle_read_leaves, &all, size, c.root) == ST_OK &&
		 checkpoint_sign(&c, key, secret, &b) == ST_OK,
	    "checkpoint", size);
	(void)snprintf(name, sizeof(name), "checkpoint.%" PRIu64, size);
	put_file(name, buf_view(&b));
	need(tile_reader_open(&r, get_tile, NULL, size, c.root) == ST_OK,
	    "own tiles", size);
	write_proofs(tile_reader_read, r, size, inclusion, consistency);
	if (size == LAST)
		write_cosigned(&b, tile_reader_read, r);
	tile_reader_close(r);
	buf_free(&b);
}

static void
write_all(void)
{
	struct note_key key;
	uint8_t secret[64];
	struct buf inclusion, consistency;

	make_key(&key, secret, "court.example/zx", NOTE_ED25519, "vkey");
	buf_init(&inclusion, 1 << 20);
	buf_init(&consistency, 1 << 20);
	for (size_t i = 0; i < SIZES; i++)
		write_size(i, &key, secret, &inclusion, &consistency);
	put_file("inclusion", buf_view(&inclusion));
	put_file("consistency", buf_view(&consistency));
	buf_free(&inclusion);
	buf_free(&consistency);
}

/* ---- check */

static void
get_key(struct note_key *key, const char *file)
{
	struct bytes rest, line;
	struct buf b;

	buf_init(&b, NOTE_VKEY_MAX + 1);
	need(get_file(file, &b) == ST_OK, file, 0);
	rest = buf_view(&b);
	need(text_line(&rest, &line) && note_key_parse(key, line) == ST_OK,
	    file, 0);
	buf_free(&b);
}

static struct bytes
next_word(struct bytes *line)
{
	const uint8_t *space =
	    line->len > 0 ? memchr(line->p, ' ', line->len) : NULL;
	size_t len = space != NULL ? (size_t)(space - line->p) : line->len;
	struct bytes word = bytes_of(line->p, len);

	if (space != NULL)
		len++;
	*line = bytes_of(line->p + len, line->len - len);
	return word;
}

static void
parse_proof_line(
    struct bytes line, uint64_t *a, uint64_t *b, struct merkle_proof *p)
{
	need(text_decimal(a, next_word(&line), MERKLE_SIZE_MAX) == ST_OK &&
		 text_decimal(b, next_word(&line), MERKLE_SIZE_MAX) == ST_OK,
	    "proof line", 0);
	p->count = 0;
	while (line.len > 0) {
		need(p->count < MERKLE_PROOF_MAX &&
			 text_base64(p->hash[p->count], HASH_LEN,
			     next_word(&line)) == ST_OK,
		    "proof line", *a);
		p->count++;
	}
}

static size_t
index_of(uint64_t size)
{
	for (size_t i = 0; i < SIZES; i++) {
		if (sizes[i] == size)
			return i;
	}
	need(false, "size", size);
	return 0;
}

/* Lines of "inclusion" or "consistency". */
static size_t
check_lines(const char *file, const uint8_t (*root)[HASH_LEN])
{
	bool inclusion = strcmp(file, "inclusion") == 0;
	struct bytes rest, line;
	size_t count = 0;
	struct buf b;

	buf_init(&b, 1 << 20);
	need(get_file(file, &b) == ST_OK, file, 0);
	rest = buf_view(&b);
	while (text_line(&rest, &line)) {
		struct merkle_proof p;
		uint64_t from, size;
		const uint8_t *to;
		enum status st;

		parse_proof_line(line, &from, &size, &p);
		to = root[index_of(size)];
		if (inclusion) {
			need(from < LAST, "index", from);
			st = merkle_check_inclusion(
			    &p, from, size, leaf[from], to);
		} else {
			st = merkle_check_consistency(
			    &p, from, root[index_of(from)], size, to);
		}
		need(st == ST_OK, file, from);
		count++;
	}
	need(rest.len == 0, file, count);
	buf_free(&b);
	return count;
}

static void
check_size(size_t i, const struct note_key *key, uint8_t root[HASH_LEN])
{
	struct tile_reader *r;
	struct checkpoint c;
	uint8_t hash[HASH_LEN];
	char name[64];
	struct buf b;

	buf_init(&b, NOTE_BYTES_MAX);
	(void)snprintf(name, sizeof(name), "checkpoint.%" PRIu64, sizes[i]);
	need(get_file(name, &b) == ST_OK &&
		 checkpoint_open(&c, buf_view(&b), key) == ST_OK &&
		 c.size == sizes[i],
	    name, 0);
	memcpy(root, c.root, HASH_LEN);
	need(tile_reader_open(&r, get_tile, NULL, c.size, c.root) == ST_OK,
	    "their tiles", c.size);
	for (uint64_t at = 0; at < c.size; at += 64)
		need(tile_reader_read(r, 0, at, hash) == ST_OK &&
			 memcmp(hash, leaf[at], HASH_LEN) == 0,
		    "leaf", at);
	tile_reader_close(r);
	buf_free(&b);
}

static void
check_bundles(void)
{
	for (uint64_t n = 0; n * TILE_WIDTH < LAST; n++) {
		struct tile t = { true, 0, n, TILE_WIDTH };
		uint8_t hash[TILE_WIDTH][HASH_LEN];
		struct buf b;

		if ((n + 1) * TILE_WIDTH > LAST)
			t.width = LAST % TILE_WIDTH;
		buf_init(&b, 1 << 20);
		need(get_tile(NULL, &t, &b) == ST_OK &&
			 tile_bundle_hash(buf_view(&b), t.width, hash) ==
			     ST_OK &&
			 memcmp(hash, leaf[n * TILE_WIDTH],
			     t.width * (size_t)HASH_LEN) == 0,
		    "bundle", n);
		buf_free(&b);
	}
}

static void
check_all(void)
{
	static uint8_t root[SIZES][HASH_LEN];
	struct note_key key, witness;
	struct checkpoint c;
	struct proof p;
	uint64_t when;
	struct buf b;

	get_key(&key, "vkey");
	get_key(&witness, "witness");
	for (size_t i = 0; i < SIZES; i++)
		check_size(i, &key, root[i]);
	check_bundles();
	need(check_lines("inclusion", (const uint8_t(*)[HASH_LEN])root) == 32,
	    "inclusion proofs", 0);
	need(check_lines("consistency", (const uint8_t(*)[HASH_LEN])root) == 36,
	    "consistency proofs", 0);
	buf_init(&b, PROOF_BYTES_MAX);
	need(get_file("cosigned", &b) == ST_OK &&
		 checkpoint_open(&c, buf_view(&b), &key) == ST_OK &&
		 cosignature_check(buf_view(&b), &witness, &when) == ST_OK &&
		 when == WITNESS_TIME,
	    "cosigned", 0);
	buf_reset(&b);
	need(get_file("place.tlog-proof", &b) == ST_OK &&
		 proof_parse(&p, buf_view(&b)) == ST_OK && p.has_prev &&
		 memcmp(p.prev, data[PLACE - 1], HASH_LEN) == 0 &&
		 p.index == PLACE &&
		 proof_check(&p, data[PLACE], &key, &c) == ST_OK,
	    "proof file", 0);
	need(cosignature_check(p.note, &witness, &when) == ST_OK,
	    "cosigned proof file", 0);
	buf_free(&b);
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: %s write|check DIR\n", argv[0]);
		return 2;
	}
	dir = argv[2];
	make_leaves();
	if (strcmp(argv[1], "write") == 0)
		write_all();
	else
		check_all();
	(void)printf("ours: %s done\n", argv[1]);
	return 0;
}
