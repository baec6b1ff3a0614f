/* Catches a fold whose bytes are not those of docs/MERGE.md: every case was
 * worked out by another program, in another language. */
#include "support/expect.h"

#include <string.h>

#include "base/enc.h"
#include "entry/merge.h"
#include "support/vectors.h"

/* A case that is being folded: its entries' bytes must outlive the merge. */
struct folded {
	struct merge *m;
	struct buf text[64];
	size_t count;
};

static void
folded_free(struct folded *f)
{
	merge_free(f->m);
	for (size_t i = 0; i < f->count; i++)
		buf_free(&f->text[i]);
}

static void
read_id(struct vectors *v, uint32_t n, const char *name, uint8_t id[ID_LEN])
{
	EXPECT_OK(hex_decode(id, ID_LEN, vectors_str(v, n, name)));
}

static void
add(struct folded *f, struct vectors *v, uint32_t n)
{
	struct buf *text;
	uint8_t id[ID_LEN];
	unsigned flags = 0;

	EXPECT(f->count < sizeof(f->text) / sizeof(*f->text));
	text = &f->text[f->count++];
	buf_init(text, ENTRY_BYTES_MAX);
	buf_bytes(text, vectors_str(v, n, "bytes"));
	EXPECT_OK(text->err);
	if (json_bool(&v->j, n, "bare", false))
		flags |= MERGE_BARE;
	if (json_bool(&v->j, n, "server", false))
		flags |= MERGE_SERVER;
	read_id(v, n, "id", id);
	EXPECT_OK(merge_add(f->m, id, buf_view(text), flags));
}

static void
expect_order(const struct folded *f, struct vectors *v, uint32_t n)
{
	size_t count, i = 0;
	const uint8_t(*order)[ID_LEN] = merge_order(f->m, &count);

	EXPECT(count == v->j.node[n].count);
	for (uint32_t k = json_first(&v->j, n); k < json_end(&v->j, n);
	     k = v->j.node[k].next) {
		char hex[2 * ID_LEN + 1];

		hex_encode(hex, bytes_of(order[i++], ID_LEN));
		EXPECT(json_is(&v->j, k, hex));
	}
}

/* One skeleton over all, or over what `of` knows. */
static void
expect_skeleton(const struct folded *f, struct vectors *v, uint32_t n)
{
	uint32_t parts = vectors_get(v, n, "parts");
	struct bytes part[8], kind;
	uint8_t hash[HASH_LEN], id[ID_LEN];
	char hex[2 * HASH_LEN + 1];
	struct buf out, name;
	size_t count = 0;
	uint32_t of;

	buf_init(&out, ENTRY_BYTES_MAX);
	buf_init(&name, ENTRY_BYTES_MAX);
	kind = json_raw(&v->j, vectors_get(v, n, "kind"));
	for (uint32_t k = json_first(&v->j, parts); k < json_end(&v->j, parts);
	     k = v->j.node[k].next) {
		EXPECT(count < 8);
		part[count++] = json_raw(&v->j, k);
	}
	of = json_get_typed(&v->j, n, "of", JSON_STRING);
	if (of != 0) {
		read_id(v, n, "of", id);
		EXPECT_OK(
		    merge_skeleton_known(f->m, id, kind, part, count, &out));
	} else {
		EXPECT_OK(merge_skeleton(f->m, kind, part, count, &out));
		EXPECT_OK(merge_shown(f->m, kind, part, count, hash));
		hex_encode(hex, bytes_of(hash, HASH_LEN));
		EXPECT_BYTES(bytes_str(hex), vectors_str(v, n, "shown"));
	}
	EXPECT_BYTES(buf_view(&out), vectors_str(v, n, "bytes"));
	buf_free(&out);
	buf_free(&name);
}

static void
expect_case(struct folded *f, struct vectors *v, uint32_t n)
{
	uint32_t skeletons = json_get(&v->j, n, "skeletons");
	struct buf state;

	buf_init(&state, JSON_BYTES_MAX);
	EXPECT_OK(merge_run(f->m));
	expect_order(f, v, vectors_get(v, n, "order"));
	EXPECT_OK(merge_state(f->m, &state));
	EXPECT_BYTES(buf_view(&state), vectors_str(v, n, "state"));
	if (skeletons != 0) {
		for (uint32_t k = json_first(&v->j, skeletons);
		     k < json_end(&v->j, skeletons); k = v->j.node[k].next)
			expect_skeleton(f, v, k);
	}
	buf_free(&state);
}

static void
test_merge_vectors_states_and_skeletons(void **state)
{
	struct vectors v;
	uint32_t cases;
	size_t done = 0;

	(void)state;
	vectors_open(&v, "merge-v1.json");
	cases = vectors_get(&v, 0, "cases");
	for (uint32_t n = json_first(&v.j, cases); n < json_end(&v.j, cases);
	     n = v.j.node[n].next) {
		struct folded f = { .count = 0 };
		uint32_t entries = vectors_get(&v, n, "entries");
		struct bytes name = vectors_str(&v, n, "name");

		print_message("%.*s\n", (int)name.len, (const char *)name.p);
		EXPECT_OK(merge_new(&f.m));
		for (uint32_t k = json_first(&v.j, entries);
		     k < json_end(&v.j, entries); k = v.j.node[k].next)
			add(&f, &v, k);
		expect_case(&f, &v, n);
		folded_free(&f);
		done++;
	}
	EXPECT(done == v.j.node[cases].count && done > 50);
	vectors_close(&v);
}

/* The entry of that name among the chains of entry-v1.json. */
static uint32_t
find_named(struct vectors *v, uint32_t name)
{
	uint32_t chains = vectors_get(v, 0, "chains");

	for (uint32_t c = json_first(&v->j, chains);
	     c < json_end(&v->j, chains); c = v->j.node[c].next) {
		uint32_t entries = vectors_get(v, c, "entries");

		for (uint32_t n = json_first(&v->j, entries);
		     n < json_end(&v->j, entries); n = v->j.node[n].next) {
			if (bytes_eq(json_raw(&v->j, name),
				json_raw(&v->j, vectors_get(v, n, "name"))))
				return n;
		}
	}
	fail_msg("no such entry");
	return 0;
}

static void
fold_named(struct folded *f, struct vectors *v, const char *name)
{
	uint32_t n = vectors_get(v, vectors_get(v, 0, "states"), name);
	uint32_t order = vectors_get(v, n, "order");
	struct buf state;

	EXPECT_OK(merge_new(&f->m));
	for (uint32_t k = json_first(&v->j, order); k < json_end(&v->j, order);
	     k = v->j.node[k].next)
		add(f, v, find_named(v, k));
	buf_init(&state, JSON_BYTES_MAX);
	EXPECT_OK(merge_run(f->m));
	EXPECT_OK(merge_state(f->m, &state));
	EXPECT_BYTES(buf_view(&state), vectors_str(v, n, "state"));
	buf_free(&state);
}

/*
 * The first trial's vectors, made by others.  Their other states hold a branch
 * by another form of `hold` than docs/FORMAT.md has now.
 */
static void
test_merge_vectors_of_the_first_trial(void **state)
{
	struct folded gap = { .count = 0 }, base = { .count = 0 };
	uint32_t skeletons;
	struct vectors v;
	size_t done = 0;

	(void)state;
	vectors_open(&v, "entry-v1.json");
	fold_named(&gap, &v, "`car` missing, sign unknown");
	fold_named(&base, &v, "before the conflicts");
	skeletons = vectors_get(&v, 0, "skeletons");
	for (uint32_t n = json_first(&v.j, skeletons);
	     n < json_end(&v.j, skeletons); n = v.j.node[n].next) {
		struct bytes part[4];
		uint32_t parts = vectors_get(&v, n, "parts");
		uint8_t hash[HASH_LEN];
		char hex[2 * HASH_LEN + 1];
		size_t count = 0;

		if (!json_is(&v.j, vectors_get(&v, n, "over"),
			"before the conflicts"))
			continue;
		for (uint32_t k = json_first(&v.j, parts);
		     k < json_end(&v.j, parts); k = v.j.node[k].next)
			part[count++] = json_raw(&v.j, k);
		EXPECT_OK(merge_shown(
		    base.m, bytes_str("search@2"), part, count, hash));
		hex_encode(hex, bytes_of(hash, HASH_LEN));
		EXPECT_BYTES(bytes_str(hex), vectors_str(&v, n, "shown"));
		done++;
	}
	EXPECT(done == 6);
	folded_free(&gap);
	folded_free(&base);
	vectors_close(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge_vectors_states_and_skeletons),
		cmocka_unit_test(test_merge_vectors_of_the_first_trial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
