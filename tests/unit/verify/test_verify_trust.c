/* An auditor who believes a key that was replaced, or one that the court says
 * is good for nothing any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "support/expect.h"
#include "support/made_bundle.h"
#include "support/tmpdir.h"
#include "verify/bundle.h"
#include "verify/verify.h"

/* Places: 0 descriptor, 1 commit; 2 enrolment of a, 3 commit; 4-8 a 1-5, 9
 * commit; 10-14 a 6-10, 15 commit: 16 in all. */
enum { EARLY = 10, SIZE = 16 };

struct world {
	struct tmpdir dir;
	char path[512];
	struct made m;
	struct made_chain a;
	struct note_key key;
	uint8_t server[PUBKEY_LEN]; /* the first one */
	char vkey[NOTE_VKEY_MAX + 1];
	struct buf note; /* the first log's, of SIZE */
	struct verify_report r;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -1;
	tmpdir_make(&w->dir);
	(void)snprintf(
	    w->path, sizeof(w->path), "%s", tmpdir_file(&w->dir, "store.db"));
	buf_init(&w->note, NOTE_BYTES_MAX);
	made_store_open(&w->m, w->path, 9);
	w->key = w->m.log;
	memcpy(w->vkey, w->m.vkey, sizeof(w->vkey));
	memcpy(w->server, w->m.server.key, PUBKEY_LEN);
	made_store_device(&w->m, &w->a);
	made_store_enrol(&w->m, &w->a);
	made_store_commit(&w->m);
	for (int i = 0; i < 2; i++) {
		made_store_piece(&w->m, &w->a, 5);
		made_store_commit(&w->m);
	}
	EXPECT(w->m.f.size == SIZE);
	made_store_note(&w->m, &w->note);
	verify_report_init(&w->r);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	made_store_close(&w->m);
	verify_report_free(&w->r);
	buf_free(&w->note);
	tmpdir_remove(&w->dir);
	free(w);
	return 0;
}

static void
audit(struct world *w, bool anchored)
{
	struct verify_anchor a = { .name = "note", .file = buf_view(&w->note) };
	struct verify_given given = {
		.key = w->key, .anchor = &a, .anchor_count = anchored ? 1 : 0
	};
	char why[VERIFY_ERRMSG_LEN] = "";

	made_store_shut(&w->m);
	expect_status(verify_store(&w->r, w->path, &given, why), ST_OK, why,
	    __FILE__, __LINE__);
	for (size_t i = 0; i < w->r.finding_count; i++)
		print_message("  %s: place %llu: %s\n",
		    verify_word(w->r.finding[i].what),
		    (unsigned long long)w->r.finding[i].place,
		    w->r.finding[i].en);
}

static bool
says(const struct world *w, enum verify_what what, uint64_t place)
{
	for (size_t i = 0; i < w->r.finding_count; i++)
		if (w->r.finding[i].what == what &&
		    (!w->r.finding[i].has_place ||
			w->r.finding[i].place == place))
			return true;
	return false;
}

static struct descriptor_distrust
key_after(const uint8_t key[PUBKEY_LEN], uint64_t after)
{
	struct descriptor_distrust x = { .after = after };

	hex_encode(x.key, bytes_of(key, PUBKEY_LEN));
	return x;
}

static void
version(
    struct world *w, bool server, bool log, const struct descriptor_distrust *x)
{
	struct made_version v = { .new_server = server,
		.new_log = log,
		.distrust = x,
		.distrust_count = x != NULL ? 1 : 0 };

	made_store_version(&w->m, &v);
	made_store_commit(&w->m);
}

static void
go_on(struct world *w)
{
	made_store_piece(&w->m, &w->a, 5);
	made_store_commit(&w->m);
}

/* ---- keys that were replaced */

static void
test_another_server_key_is_no_damage(void **state)
{
	struct world *w = *state;

	version(w, true, false, NULL);
	go_on(w);
	audit(w, true);
	EXPECT(w->r.damage == 0 && verify_verdict_of(&w->r) == VERIFY_PROVED);
}

/* Would catch whoever kept the old key going on to write in the court's name,
 * with revocations and admissions of their own. */
static void
test_a_server_key_that_was_replaced_signs_nothing_more(void **state)
{
	struct world *w = *state;

	version(w, true, false, NULL);
	go_on(w);
	made_store_swap_server(&w->m);
	go_on(w);
	audit(w, true);
	EXPECT(verify_verdict_of(&w->r) == VERIFY_DAMAGED);
	EXPECT(says(w, VERIFY_DESCRIPTOR, w->m.f.size - 1));
}

/* ---- keys that are good for nothing */

static void
test_distrust_of_a_server_key_from_now_on_is_no_damage(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = key_after(w->server, SIZE);

	version(w, true, false, &x);
	go_on(w);
	audit(w, true);
	EXPECT(w->r.damage == 0 && verify_verdict_of(&w->r) == VERIFY_PROVED);
}

/* Would catch what a thief wrote with the key before anybody noticed being
 * taken for the court's word. */
static void
test_distrust_of_a_server_key_names_its_first_entry_beyond(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = key_after(w->server, EARLY);

	version(w, true, false, &x);
	go_on(w);
	audit(w, true);
	EXPECT(verify_verdict_of(&w->r) == VERIFY_DAMAGED);
	EXPECT(says(w, VERIFY_DESCRIPTOR, SIZE - 1));
	EXPECT(w->r.damage == 1);
}

/* Would catch a device key that leaked, and whose entries count all the same.
 */
static void
test_distrust_of_a_device_key_wants_its_entries_held(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = key_after(w->a.key, EARLY);

	version(w, false, false, &x);
	audit(w, true);
	EXPECT(verify_verdict_of(&w->r) == VERIFY_DAMAGED);
	for (uint64_t p = EARLY; p < SIZE - 1; p++)
		EXPECT(says(w, VERIFY_REVOKED, p));
	EXPECT(w->r.damage == SIZE - 1 - EARLY);
}

static void
test_distrust_of_a_device_key_behind_its_entries_is_no_damage(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = key_after(w->a.key, SIZE - 1);

	version(w, false, false, &x);
	audit(w, true);
	EXPECT(w->r.damage == 0 && verify_verdict_of(&w->r) == VERIFY_PROVED);
}

static void
test_a_checkpoint_of_a_log_key_while_it_was_good_proves(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = { .after = SIZE };

	memcpy(x.key, w->vkey, strlen(w->vkey) + 1);
	version(w, false, true, &x);
	audit(w, true);
	EXPECT(w->r.damage == 0 && verify_verdict_of(&w->r) == VERIFY_PROVED);
}

/* Would catch a checkpoint that a thief of the log key signed. */
static void
test_a_checkpoint_of_a_distrusted_log_key_proves_nothing(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = { .after = EARLY };

	memcpy(x.key, w->vkey, strlen(w->vkey) + 1);
	version(w, false, true, &x);
	audit(w, true);
	EXPECT(verify_verdict_of(&w->r) == VERIFY_DAMAGED);
	EXPECT(says(w, VERIFY_RECEIPT, 0));
}

/* Would catch a distrust that is taken back by the next version. */
static void
test_a_distrust_that_is_taken_back_is_no_version(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = key_after(w->a.key, SIZE - 1);

	version(w, false, false, &x);
	w->m.desc->distrust_count = 0;
	version(w, false, false, NULL);
	audit(w, true);
	EXPECT(verify_verdict_of(&w->r) == VERIFY_DAMAGED);
	EXPECT(says(w, VERIFY_DESCRIPTOR, w->m.f.size - 2));
}

/* ---- the same of one record, for a stranger */

static void
audit_bundle(struct world *w)
{
	struct verify_given given = { .key = w->m.log };
	struct made_bundle mb = { .hide_count = 0 };
	char why[VERIFY_ERRMSG_LEN] = "";

	buf_init(&mb.file, BUNDLE_BYTES_MAX);
	made_bundle_make(&w->m, &w->a, &mb);
	expect_status(verify_bundle(&w->r, buf_view(&mb.file), &given, why),
	    ST_OK, why, __FILE__, __LINE__);
	buf_free(&mb.file);
	for (size_t i = 0; i < w->r.finding_count; i++)
		print_message("  %s: place %llu: %s\n",
		    verify_word(w->r.finding[i].what),
		    (unsigned long long)w->r.finding[i].place,
		    w->r.finding[i].en);
}

static void
test_bundle_with_distrusted_keys_that_wrote_before_is_sound(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = key_after(w->server, SIZE);

	version(w, true, false, &x);
	x = key_after(w->a.key, SIZE - 1);
	version(w, false, false, &x);
	audit_bundle(w);
	EXPECT(w->r.damage == 0);
}

/* Would catch a stranger being shown what a leaked device key wrote. */
static void
test_bundle_of_a_distrusted_device_key_is_damage(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = key_after(w->a.key, EARLY);

	version(w, false, false, &x);
	audit_bundle(w);
	for (uint64_t p = EARLY; p < SIZE - 1; p++)
		EXPECT(says(w, VERIFY_REVOKED, p));
	EXPECT(w->r.damage == SIZE - 1 - EARLY);
}

static void
test_bundle_of_a_distrusted_server_key_is_damage(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = key_after(w->server, EARLY);

	version(w, true, false, &x);
	audit_bundle(w);
	EXPECT(w->r.damage > 0 && says(w, VERIFY_DESCRIPTOR, SIZE - 1));
}

/* Would catch a bundle under a checkpoint that a thief of the log key signed,
 * and which says so itself. */
static void
test_bundle_of_a_distrusted_log_key_is_damage(void **state)
{
	struct world *w = *state;
	struct descriptor_distrust x = { .after = EARLY };
	struct note_key log = w->m.log;
	uint8_t secret[64];

	memcpy(secret, w->m.log_secret, sizeof(secret));
	memcpy(x.key, w->vkey, strlen(w->vkey) + 1);
	version(w, false, true, &x);
	w->m.log = log;
	memcpy(w->m.log_secret, secret, sizeof(secret));
	audit_bundle(w);
	EXPECT(w->r.damage > 0 && says(w, VERIFY_RECEIPT, 0));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_another_server_key_is_no_damage),
		T(test_a_server_key_that_was_replaced_signs_nothing_more),
		T(test_distrust_of_a_server_key_from_now_on_is_no_damage),
		T(test_distrust_of_a_server_key_names_its_first_entry_beyond),
		T(test_distrust_of_a_device_key_wants_its_entries_held),
		T(test_distrust_of_a_device_key_behind_its_entries_is_no_damage),
		T(test_a_checkpoint_of_a_log_key_while_it_was_good_proves),
		T(test_a_checkpoint_of_a_distrusted_log_key_proves_nothing),
		T(test_a_distrust_that_is_taken_back_is_no_version),
		T(test_bundle_with_distrusted_keys_that_wrote_before_is_sound),
		T(test_bundle_of_a_distrusted_device_key_is_damage),
		T(test_bundle_of_a_distrusted_server_key_is_damage),
		T(test_bundle_of_a_distrusted_log_key_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
