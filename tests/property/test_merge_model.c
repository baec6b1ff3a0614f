/*
 * Catches a fold that is not that of docs/MERGE.md, as a program in another
 * language read it: generated histories, whole and in part, go to
 * tests/vectors/merge_model.py with the state bytes that we made of them.
 * Skipped without python3.
 *
 *   DAYBREAK_SEEDS=n   histories (150 if it is not set)
 *   DAYBREAK_SEED=s    the first one's seed (100,001)
 */
#include "support/expect.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/enc.h"
#include "entry/merge.h"
#include "support/merge_world.h"
#include "support/tmpdir.h"

extern char **environ;

static struct merge *m;
static struct world w;

static uint64_t
number_from(const char *name, uint64_t def)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : def;
}

static void
put_member(struct buf *out, const char *name, struct bytes text)
{
	buf_str(out, ",");
	json_put_str(out, name);
	buf_str(out, ":");
	json_put_string(out, text);
}

/* Hand one entry to the merge and to the file. */
static void
hand_in(size_t i, bool blind, bool bare, struct buf *out)
{
	const struct oracle_entry *oe = &w.entry[i];
	struct bytes raw = blind ? oe->e.head_line : buf_view(&oe->raw);
	bool server = w.device[i] == WORLD_SERVER;
	unsigned flags = (server ? MERGE_SERVER : 0) | (bare ? MERGE_BARE : 0);

	EXPECT_OK(merge_add(m, oe->id, raw, flags));
	buf_printf(out, "{\"server\":%s,\"bare\":%s", server ? "true" : "false",
	    bare || oe->malformed ? "true" : "false");
	put_member(out, "id", bytes_str(oe->hex));
	put_member(out, "bytes", raw);
	buf_str(out, "}");
}

static void
put_order(struct buf *out)
{
	size_t count;
	const uint8_t(*ids)[ID_LEN] = merge_order(m, &count);

	buf_str(out, ",\"order\":[");
	for (size_t k = 0; k < count; k++) {
		if (k > 0)
			buf_str(out, ",");
		json_put_hex(out, bytes_of(ids[k], ID_LEN));
	}
	buf_str(out, "]");
}

/* A case of the file: the history, or most of it with less of some. */
static void
put_case(uint64_t seed, bool part, struct buf *out)
{
	struct buf state;
	size_t taken = 0;

	buf_init(&state, JSON_BYTES_MAX);
	merge_reset(m);
	buf_printf(out, "{\"name\":\"seed %llu%s\",\"entries\":[",
	    (unsigned long long)seed, part ? ", part" : "");
	for (size_t i = 0; i < w.count; i++) {
		bool blind = part && world_one_in(&w, 5);
		bool bare = part && world_one_in(&w, 8);

		if (part && i > 0 && world_one_in(&w, 8))
			continue;
		if (taken++ > 0)
			buf_str(out, ",");
		hand_in(i, blind, bare, out);
	}
	EXPECT_OK(merge_run(m));
	EXPECT_OK(merge_state(m, &state));
	buf_str(out, "]");
	put_order(out);
	put_member(out, "state", buf_view(&state));
	buf_str(out, "}");
	buf_free(&state);
}

static void
write_file(const char *path, const struct buf *text)
{
	FILE *f = fopen(path, "wb");

	EXPECT(f != NULL);
	EXPECT_OK(text->err);
	EXPECT(fwrite(text->p, 1, text->len, f) == text->len);
	EXPECT(fclose(f) == 0);
}

/* The program's exit code; 127 where there is no python3. */
static int
ask_model(char *path)
{
	char python[] = "python3", flag[] = "-B", check[] = "check";
	char script[] = TEST_VECTORS_DIR "/merge_model.py";
	char *argv[] = { python, flag, script, check, path, NULL };
	int wait = 0;
	pid_t pid;

	if (posix_spawnp(&pid, python, NULL, NULL, argv, environ) != 0)
		return 127;
	EXPECT(waitpid(pid, &wait, 0) == pid);
	EXPECT(WIFEXITED(wait));
	return WEXITSTATUS(wait);
}

static void
test_merge_agrees_with_the_model(void **state)
{
	uint64_t first = number_from("DAYBREAK_SEED", 100001);
	uint64_t count = number_from("DAYBREAK_SEEDS", 150);
	struct tmpdir dir;
	char path[512];
	struct buf out;
	int code;

	(void)state;
	EXPECT(count > 0);
	tmpdir_make(&dir);
	EXPECT_OK(merge_new(&m));
	buf_init(&out, 1 << 30);
	buf_str(&out, "{\"cases\":[");
	for (uint64_t k = 0; k < count; k++) {
		world_make(&w, first + k, 40);
		for (int part = 0; part < 3; part++) {
			if (k > 0 || part > 0)
				buf_str(&out, ",\n");
			put_case(first + k, part > 0, &out);
		}
		world_free(&w);
	}
	buf_str(&out, "]}\n");
	(void)snprintf(path, sizeof(path), "%s/cases.json", dir.path);
	write_file(path, &out);
	code = ask_model(path);
	buf_free(&out);
	merge_free(m);
	tmpdir_remove(&dir);
	if (code == 127) {
		print_message("no python3: not compared with the model\n");
		skip();
	}
	EXPECT(code == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge_agrees_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
