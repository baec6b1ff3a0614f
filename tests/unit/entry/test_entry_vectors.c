/*
 * Vectors that were made by a program apart (tests/vectors).  With a file as
 * argument, as make_entry_vectors.py --random prints it: its entries alone.
 */
#include "support/expect.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "entry/chain.h"
#include "entry/entry.h"
#include "support/vectors.h"

static struct vectors v;
static struct buf raw, hex;

static int
open_vectors(void **state)
{
	(void)state;
	vectors_open(&v, "entry-rules-v1.json");
	buf_init(&raw, DOC_BYTES_MAX);
	buf_init(&hex, DOC_BYTES_MAX);
	return 0;
}

static int
close_vectors(void **state)
{
	(void)state;
	buf_free(&raw);
	buf_free(&hex);
	vectors_close(&v);
	return 0;
}

#define EACH(i, list)                                                          \
	(uint32_t i = json_first(&v.j, list); i < json_end(&v.j, list);        \
	    i = v.j.node[i].next)

/* The bytes of a case: its `text`, or its `hex` decoded. */
static struct bytes
bytes_of_case(uint32_t n)
{
	uint32_t text = json_get(&v.j, n, "text");

	if (text == 0) {
		vectors_hex(&v, n, "hex", &raw);
	} else {
		buf_reset(&raw);
		json_text(&v.j, text, &raw);
	}
	EXPECT_OK(raw.err);
	return buf_view(&raw);
}

static bool
hex_is(uint32_t n, const char *name, const uint8_t *got, size_t len)
{
	vectors_hex(&v, n, name, &hex);
	return bytes_eq(buf_view(&hex), bytes_of(got, len));
}

/* The array of strings at node n is what was read into `on`. */
static bool
on_is(uint32_t n, const struct entry *e)
{
	struct buf text;
	size_t i = 0;

	if (v.j.node[n].count != e->on_count)
		return false;
	buf_init(&text, ENTRY_BYTES_MAX);
	for
		EACH(k, n)
		{
			buf_reset(&text);
			json_text(&v.j, k, &text);
			if (!bytes_eq(buf_view(&text), e->on[i++]))
				break;
		}
	buf_free(&text);
	return i == e->on_count;
}

static bool
after_is(uint32_t n, const struct entry *e)
{
	uint8_t id[ID_LEN];
	size_t i = 0;

	if (n == 0)
		return e->after_count == 0;
	if (v.j.node[n].count != e->after_count)
		return false;
	for
		EACH(k, n)
		{
			if (json_hex(&v.j, k, id, ID_LEN) != ST_OK ||
			    memcmp(id, e->after[i++], ID_LEN) != 0)
				return false;
		}
	return true;
}

static const char *
verdict(const struct entry *e, enum status st)
{
	if (st == ST_INVALID)
		return "malformed";
	EXPECT_OK(st);
	return e->body_is == ENTRY_BODY_WHOLE ? "whole" : "blind";
}

/* What was read of an entry is what the case says; words, or NULL. */
static const char *
differs(uint32_t n, const struct entry *e, enum status st)
{
	uint32_t chain = json_get(&v.j, n, "chain");
	uint32_t rec = json_get(&v.j, n, "rec");
	uint32_t after = json_get(&v.j, n, "after");
	uint32_t on = json_get(&v.j, n, "on");
	static const uint8_t zero[CHAIN_LEN];
	bool causal = rec != 0 && after != 0 && json_get(&v.j, n, "wall") != 0;

	if (!json_is(&v.j, vectors_get(&v, n, "verdict"), verdict(e, st)))
		return "verdict";
	if (e->seq != (uint64_t)json_int(&v.j, n, "seq", 0))
		return "seq";
	if (e->wall != (uint64_t)json_int(&v.j, n, "wall", 0))
		return "wall";
	if (chain == 0 ? memcmp(e->chain, zero, CHAIN_LEN) != 0
		       : !hex_is(n, "chain", e->chain, CHAIN_LEN))
		return "chain";
	if (rec == 0 ? e->rec.len != 0 : !bytes_eq(e->rec, json_raw(&v.j, rec)))
		return "rec";
	if (e->causal != causal || !after_is(after, e))
		return "after";
	if (st == ST_INVALID)
		return e->on_count == 0 ? NULL : "on";
	if (!json_is(&v.j, vectors_get(&v, n, "do"), verb_name(e->verb)))
		return "do";
	return on_is(on, e) ? NULL : "on";
}

static size_t
run_entries(void)
{
	uint32_t list = vectors_get(&v, 0, "entries");
	struct entry e;
	size_t count = 0;

	entry_init(&e);
	for
		EACH(n, list)
		{
			struct bytes in = bytes_of_case(n);
			enum status st = entry_parse(&e, in);
			const char *what = differs(n, &e, st);

			if (what != NULL)
				fail_msg("%s: %s (%s): %.*s", what,
				    verdict(&e, st),
				    st == ST_INVALID ? e.why : e.body_why,
				    (int)in.len, (const char *)in.p);
			count++;
		}
	entry_free(&e);
	return count;
}

/* Catches a verdict, or a member read, that is not the other program's. */
static void
test_vectors_entries_right_and_wrong(void **state)
{
	(void)state;
	assert_int_equal(run_entries(), 250);
}

/* Write the entry again from what was read of it: the same bytes. */
static void
expect_written_alike(const struct entry *e)
{
	struct entry_new n = { .court = "xz0302",
		.seq = e->seq,
		.verb = e->verb,
		.on = e->on,
		.on_count = e->on_count,
		.wall = e->wall,
		.mono = e->mono,
		.after = (const uint8_t(*)[ID_LEN])e->after,
		.after_count = e->after_count,
		.has_seen = e->has_seen,
		.seen_size = e->seen_size,
		.dev = e->dev[0] != '\0' ? e->dev : NULL,
		.has_old = e->has_old,
		.old_seq = e->old_seq,
		.by = "\xe5\xbc\xa0\xe4\xb8\x89",
		.kind = "search@2",
		.data = json_raw(&e->body, e->data) };
	char rec[REC_LEN + 1], at[64];
	struct buf reason, out;
	const char *why = NULL;

	EXPECT(e->rec.len == REC_LEN && e->at.len < sizeof(at));
	memcpy(rec, e->rec.p, REC_LEN);
	rec[REC_LEN] = '\0';
	memcpy(at, e->at.p, e->at.len);
	at[e->at.len] = '\0';
	n.rec = rec;
	n.at = at;
	memcpy(n.chain, e->chain, CHAIN_LEN);
	memcpy(n.boot, e->boot, BOOT_LEN);
	memcpy(n.seen_root, e->seen_root, ID_LEN);
	memcpy(n.old_chain, e->old_chain, CHAIN_LEN);
	memcpy(n.old_link, e->old_link, HASH_LEN);
	EXPECT_OK(json_hex(
	    &e->body, json_get(&e->body, 0, "salt"), n.salt, SALT_LEN));
	buf_init(&reason, ENTRY_BYTES_MAX);
	buf_init(&out, ENTRY_BYTES_MAX);
	if (e->reason != 0)
		json_text(&e->body, e->reason, &reason);
	n.reason = buf_view(&reason);
	if (e->more != 0)
		n.more = json_raw(&e->body, e->more);
	EXPECT_OK(entry_write(&n, &out, &why));
	EXPECT_BYTES(buf_view(&out), e->raw);
	buf_free(&reason);
	buf_free(&out);
}

/* One chain from its seed to its last signature; bit v of *verbs for each verb
 * seen. */
static void
follow(uint32_t n, const uint8_t court[HASH_LEN], uint32_t *verbs)
{
	uint8_t pub[PUBKEY_LEN], sec[64], chain[CHAIN_LEN], link[HASH_LEN];
	uint8_t digest[HASH_LEN], sig[SIG_LEN];
	uint32_t list = vectors_get(&v, n, "entries");
	char dev[DEV_LEN + 1];
	struct entry e;
	uint64_t seq = 0;

	vectors_hex(&v, n, "seed", &hex);
	EXPECT(hex.len == 32 && crypto_sign_seed_keypair(pub, sec, hex.p) == 0);
	EXPECT(hex_is(n, "public", pub, PUBKEY_LEN));
	chain_dev(dev, pub);
	EXPECT_BYTES(bytes_str(dev), vectors_str(&v, n, "dev"));
	vectors_hex(&v, n, "chain", &hex);
	EXPECT(hex.len == CHAIN_LEN);
	memcpy(chain, hex.p, CHAIN_LEN);
	chain_link0(link, court, pub, chain);
	EXPECT(hex_is(n, "link0", link, HASH_LEN));
	entry_init(&e);
	for
		EACH(k, list)
		{
			struct bytes in = vectors_str(&v, k, "bytes");

			EXPECT_OK(entry_parse(&e, in));
			EXPECT(e.body_is == ENTRY_BODY_WHOLE && e.seq == ++seq);
			EXPECT(memcmp(e.chain, chain, CHAIN_LEN) == 0);
			EXPECT(strcmp(e.dev, seq == 1 ? dev : "") == 0);
			*verbs |= UINT32_C(1) << e.verb;
			expect_written_alike(&e);
			entry_digest(digest, in);
			EXPECT(hex_is(k, "digest", digest, HASH_LEN));
			chain_link(link, link, seq, digest);
			EXPECT(hex_is(k, "link", link, HASH_LEN));
			EXPECT(hex_is(k, "id", link, ID_LEN));
			chain_sign(sig, sec, chain, seq, link);
			EXPECT(hex_is(k, "signature", sig, SIG_LEN));
			EXPECT_OK(chain_verify(sig, pub, chain, seq, link));
		}
	entry_free(&e);
}

/* Catches bytes, links, ids or signatures that are not the format's, for every
 * verb; and a writer whose bytes are not those of the other writer. */
static void
test_vectors_chains_with_every_verb(void **state)
{
	uint32_t list = vectors_get(&v, 0, "chains"), verbs = 0;
	uint8_t court[HASH_LEN];

	(void)state;
	vectors_hex(&v, 0, "court_id", &hex);
	EXPECT(hex.len == HASH_LEN);
	memcpy(court, hex.p, HASH_LEN);
	for
		EACH(n, list)
	follow(n, court, &verbs);
	assert_int_equal(verbs, (UINT32_C(1) << DO_COUNT) - 2);
}

/* Catches JSON that is taken or refused otherwise, as a line or document. */
static void
test_vectors_json(void **state)
{
	uint32_t list = vectors_get(&v, 0, "json");
	struct json j;
	size_t count = 0;

	(void)state;
	json_init(&j);
	for
		EACH(n, list)
		{
			struct bytes in = bytes_of_case(n);
			bool line = json_parse(&j, in, JSON_LINE) == ST_OK;
			bool doc = json_parse(&j, in, JSON_DOCUMENT) == ST_OK;

			if (line != json_bool(&v.j, n, "line", !line) ||
			    doc != json_bool(&v.j, n, "document", !doc))
				fail_msg("line %d, document %d: %.*s", line,
				    doc, (int)in.len, (const char *)in.p);
			count++;
		}
	assert_int_equal(count, 60);
	json_free(&j);
}

/* Catches a canonical form that is not the other program's. */
static void
test_vectors_canon(void **state)
{
	uint32_t list = vectors_get(&v, 0, "canon");
	struct json j;
	struct buf out;
	size_t count = 0;

	(void)state;
	json_init(&j);
	buf_init(&out, DOC_BYTES_MAX);
	for
		EACH(n, list)
		{
			EXPECT_OK(
			    json_parse(&j, bytes_of_case(n), JSON_DOCUMENT));
			buf_reset(&out);
			json_canon(&j, 0, &out);
			EXPECT_BYTES(
			    buf_view(&out), vectors_str(&v, n, "canon"));
			count++;
		}
	assert_int_equal(count, 40);
	buf_free(&out);
	json_free(&j);
}

/* Catches a time that is read, or refused, otherwise. */
static void
test_vectors_at(void **state)
{
	uint32_t list = vectors_get(&v, 0, "at");
	size_t count = 0;

	(void)state;
	for
		EACH(n, list)
		{
			uint32_t at = vectors_get(&v, n, "at");
			struct bytes text = vectors_str(&v, n, "text");
			int64_t ms = 0;
			int offset = 0;
			bool ok = at_parse(&ms, &offset, text) == ST_OK;

			if (ok != (v.j.node[at].type == JSON_ARRAY) ||
			    (ok && (ms != v.j.node[at + 1].num ||
				       offset != v.j.node[at + 2].num)))
				fail_msg("%.*s: %lld %d", (int)text.len,
				    (const char *)text.p, (long long)ms,
				    offset);
			count++;
		}
	assert_int_equal(count, 120);
}

/* Catches a record id that is put together otherwise. */
static void
test_vectors_rec(void **state)
{
	uint32_t list = vectors_get(&v, 0, "rec");
	char rec[REC_LEN + 1];

	(void)state;
	EXPECT(v.j.node[list].count == 4);
	for
		EACH(n, list)
		{
			vectors_hex(&v, n, "random", &hex);
			EXPECT(hex.len == 10);
			rec_new(
			    rec, (uint64_t)json_int(&v.j, n, "wall", 0), hex.p);
			EXPECT_BYTES(bytes_str(rec), vectors_str(&v, n, "rec"));
		}
}

/* The entries of a file of the caller's choice. */
static void
test_vectors_of_file(void **state)
{
	(void)state;
	(void)printf("%zu entries\n", run_entries());
}

static const char *path;

static int
open_file(void **state)
{
	(void)state;
	vectors_open_path(&v, path);
	buf_init(&raw, DOC_BYTES_MAX);
	buf_init(&hex, DOC_BYTES_MAX);
	return 0;
}

#define T(name)                                                                \
	cmocka_unit_test_setup_teardown(name, open_vectors, close_vectors)

int
main(int argc, char **argv)
{
	const struct CMUnitTest of_file[] = {
		cmocka_unit_test_setup_teardown(
		    test_vectors_of_file, open_file, close_vectors),
	};
	const struct CMUnitTest tests[] = {
		T(test_vectors_entries_right_and_wrong),
		T(test_vectors_chains_with_every_verb),
		T(test_vectors_json),
		T(test_vectors_canon),
		T(test_vectors_at),
		T(test_vectors_rec),
	};

	if (argc > 1) {
		path = argv[1];
		return cmocka_run_group_tests(of_file, NULL, NULL);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
