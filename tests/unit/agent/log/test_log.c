#include "support/expect.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "entry/chain.h"
#include "entry/entry.h"
#include "support/log_case.h"
#include "support/tmpdir.h"

static int
start(void **state)
{
	struct log_case *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -1;
	case_init(c);
	*state = c;
	return 0;
}

static int
finish(void **state)
{
	case_free(*state);
	free(*state);
	return 0;
}

/* Catches an entry that is not there after a restart, a link or signature that
 * others would refuse, and a place taken twice or left out. */
static void
test_log_keeps_what_it_said_it_kept(void **state)
{
	uint8_t link[HASH_LEN], digest[HASH_LEN], got[HASH_LEN];
	struct log_case *c = *state;
	struct log_head h;
	struct case_seen seen;
	struct buf b;

	buf_init(&b, ENTRY_BYTES_MAX);
	EXPECT_OK(case_create(c));
	EXPECT_OK(log_head(c->l, &h));
	EXPECT(h.number == 1 && h.seq == 0 && h.unsent_from == 1);
	chain_link0(link, c->court, log_public_key(c->l), h.chain);
	EXPECT_BYTES(bytes_of(h.link, 32), bytes_of(link, 32));
	for (uint64_t n = 1; n <= 30; n++) {
		struct bytes raw = case_entry(&b, n, 200 * n);

		EXPECT_ST(log_append(c->l, n + 1, raw, got), ST_CONFLICT);
		EXPECT_OK(log_append(c->l, n, raw, got));
		EXPECT_ST(log_append(c->l, n, raw, got), ST_CONFLICT);
		entry_digest(digest, raw);
		chain_link(link, link, n, digest);
		EXPECT_BYTES(bytes_of(got, 32), bytes_of(link, 32));
	}
	case_again(c);
	EXPECT_OK(log_head(c->l, &h));
	EXPECT(h.seq == 30 && !h.has_old);
	EXPECT_BYTES(bytes_of(h.link, 32), bytes_of(link, 32));
	EXPECT_OK(
	    chain_verify(h.sig, log_public_key(c->l), h.chain, 30, h.link));
	EXPECT_OK(case_replay(c, &seen));
	EXPECT(seen.whole == 30 && seen.wrong == 0 && seen.damaged == 0);
	EXPECT(seen.found.own == 30 && !seen.found.broken);
	EXPECT_OK(log_check(c->l, &seen.found));
	EXPECT_ST(log_append(c->l, 31, bytes_of(NULL, 0), got), ST_LIMIT);
	buf_free(&b);
}

/* Catches a limit that is off by one at the largest entry. */
static void
test_log_takes_the_largest_entry_and_no_larger(void **state)
{
	static uint8_t big[ENTRY_BYTES_MAX + 1];
	struct log_case *c = *state;
	uint8_t link[HASH_LEN];
	struct log_found found;

	memset(big, 'x', sizeof(big));
	big[100] = '\n';
	EXPECT_OK(case_create(c));
	EXPECT_ST(
	    log_append(c->l, 1, bytes_of(big, sizeof(big)), link), ST_LIMIT);
	EXPECT_OK(log_append(c->l, 1, bytes_of(big, sizeof(big) - 1), link));
	case_again(c);
	EXPECT_OK(log_replay(c->l, NULL, NULL, &found));
	EXPECT(found.own == 1 && found.lost == 0);
}

/* Catches a file that opens for the wrong passphrase, the wrong officer, or
 * after it was locked; and a policy that lets weak ones in. */
static void
test_log_opens_only_for_its_officers(void **state)
{
	struct log_case *c = *state;
	struct log_config strict = c->config;
	uint8_t link[HASH_LEN], sig[SIG_LEN];
	struct log *l = NULL;
	struct log_head h;

	strict.kdf.weak_for_tests = false;
	EXPECT_ST(
	    log_create(&l, &strict, bytes_str("o"), bytes_str(CASE_PASSPHRASE)),
	    ST_INVALID);
	EXPECT_ST(
	    log_create(&l, &c->config, bytes_str("o"), bytes_str("123456789")),
	    ST_INVALID);
	EXPECT_ST(log_open(&l, &c->config), ST_ABSENT);
	EXPECT(l == NULL);
	EXPECT_OK(case_create(c));
	EXPECT_OK(log_officer_add(
	    c->l, bytes_str("second"), bytes_str("another passphrase")));
	EXPECT_ST(log_officer_add(c->l, bytes_str("second"),
		      bytes_str("another passphrase")),
	    ST_CONFLICT);
	EXPECT_OK(case_append(c, 1));
	case_close(c);
	EXPECT_ST(log_create(&l, &c->config, bytes_str(CASE_OFFICER),
		      bytes_str(CASE_PASSPHRASE)),
	    ST_CONFLICT);
	EXPECT_OK(case_open(c));
	EXPECT(!log_is_unlocked(c->l));
	EXPECT_OK(log_head(c->l, &h));
	EXPECT(h.seq == 1);
	EXPECT_ST(log_append(c->l, 2, bytes_str("x"), link), ST_LOCKED);
	EXPECT_ST(log_sign(c->l, sig, bytes_str("x")), ST_LOCKED);
	EXPECT_ST(log_each(c->l, 1, 1, 1, NULL, NULL), ST_LOCKED);
	EXPECT_ST(log_unlock(c->l, bytes_str(CASE_OFFICER),
		      bytes_str("wrong passphrase")),
	    ST_DENIED);
	EXPECT_ST(
	    log_unlock(c->l, bytes_str("nobody"), bytes_str(CASE_PASSPHRASE)),
	    ST_DENIED);
	EXPECT_ST(
	    log_unlock(c->l, bytes_str("second"), bytes_str(CASE_PASSPHRASE)),
	    ST_DENIED);
	EXPECT_ST(log_unlock(c->l, bytes_str(CASE_OFFICER), bytes_of(NULL, 0)),
	    ST_DENIED);
	EXPECT(!log_is_unlocked(c->l));
	EXPECT_OK(log_unlock(
	    c->l, bytes_str("second"), bytes_str("another passphrase")));
	EXPECT_OK(case_append(c, 2));
	/* A wrong try by somebody else does not throw out who is in. */
	EXPECT_ST(log_unlock(c->l, bytes_str(CASE_OFFICER),
		      bytes_str("wrong passphrase")),
	    ST_DENIED);
	EXPECT_OK(case_append(c, 3));
	log_lock(c->l);
	EXPECT_ST(case_append(c, 4), ST_LOCKED);
	EXPECT_OK(case_unlock(c));
	EXPECT_OK(case_append(c, 4));
}

/* Catches a removed officer who still gets in, rows that the others lose with
 * the change of keys, and the last officer locked out. */
static void
test_log_removal_changes_the_keys(void **state)
{
	struct log_case *c = *state;
	struct bytes second = bytes_str("second"), third = bytes_str("third");
	struct bytes phrase = bytes_str("another passphrase");
	struct case_seen seen;

	EXPECT_OK(case_create(c));
	EXPECT_OK(log_officer_add(c->l, second, phrase));
	EXPECT_OK(log_officer_add(c->l, third, phrase));
	case_fill(c, 5);
	EXPECT_OK(log_conf_put(c->l, "people", bytes_str("value")));
	EXPECT_OK(log_officer_remove(c->l, second));
	EXPECT_ST(log_officer_remove(c->l, second), ST_ABSENT);
	case_fill(c, 10);
	EXPECT_OK(log_officer_remove(c->l, bytes_str(CASE_OFFICER)));
	EXPECT_ST(log_officer_remove(c->l, third), ST_CONFLICT);
	case_fill(c, 15);
	EXPECT_OK(case_replay(c, &seen));
	EXPECT(seen.whole == 15);
	case_close(c);
	EXPECT_OK(case_open(c));
	EXPECT_ST(log_unlock(c->l, second, phrase), ST_DENIED);
	EXPECT_ST(case_unlock(c), ST_DENIED);
	EXPECT_OK(log_unlock(c->l, third, phrase));
	EXPECT_OK(case_replay(c, &seen));
	EXPECT(seen.whole == 15 && seen.wrong == 0 && seen.damaged == 0);
	EXPECT_OK(
	    log_officer_passphrase(c->l, third, bytes_str("a new passphrase")));
	EXPECT_ST(
	    log_officer_passphrase(c->l, third, bytes_str("weak")), ST_INVALID);
	case_fill(c, 16);
	case_close(c);
	EXPECT_OK(case_open(c));
	EXPECT_ST(log_unlock(c->l, third, phrase), ST_DENIED);
	EXPECT_OK(log_unlock(c->l, third, bytes_str("a new passphrase")));
	EXPECT_OK(case_replay(c, &seen));
	EXPECT(seen.whole == 16);
}

/* Catches a removed officer who, with an old copy of the file, opens what was
 * written after the removal. */
static void
test_log_old_copy_does_not_open_what_came_later(void **state)
{
	struct bytes second = bytes_str("second");
	struct bytes phrase = bytes_str("another passphrase");
	struct log_case *c = *state, old;
	struct chainfile_found found;
	struct chainfile_config fc;
	struct chainfile *f = NULL;
	struct keyslot_keys keys;
	struct keyslot slot;
	struct buf b;

	EXPECT_OK(case_create(c));
	EXPECT_OK(log_officer_add(c->l, second, phrase));
	case_fill(c, 3);
	case_on(&old, c, fault_disk_after(c->disk, FAULT_KEEP, 0));
	EXPECT_OK(log_officer_remove(c->l, second));
	case_fill(c, 8);
	case_close(c);
	/* The second officer's keys, from the old copy. */
	fc = (struct chainfile_config){
		.path = CASE_PATH, .vfs = old.config.vfs, .port = port_system()
	};
	EXPECT_OK(chainfile_open(&f, &fc));
	buf_init(&b, KEYSLOT_BYTES_MAX);
	EXPECT_OK(chainfile_slot_get(f, 2, &b));
	EXPECT_OK(keyslot_read(&slot, buf_view(&b)));
	EXPECT(keyslot_is_of(&slot, second));
	EXPECT_OK(keyslot_open(&keys, &slot, phrase));
	buf_free(&b);
	chainfile_close(f);
	/* On the new file they open none of the rows. */
	fc.vfs = c->config.vfs;
	EXPECT_OK(chainfile_open(&f, &fc));
	EXPECT_OK(chainfile_unlock(f, &keys));
	EXPECT_OK(chainfile_walk(f, 1, 4, 8, NULL, NULL, &found));
	EXPECT(found.count == 5 && found.lost == 5);
	chainfile_close(f);
	case_free(&old);
}

static enum status
count_whole(void *arg, const struct chainfile_entry *e)
{
	*(uint64_t *)arg += e->is == CHAINFILE_WHOLE;
	return ST_OK;
}

/* Catches a recovery key that cannot read, or that can write as the device. */
static void
test_log_recovery_key_reads_and_cannot_sign(void **state)
{
	uint8_t pub[32], priv[32], other[32], other_priv[32];
	struct log_case *c = *state;
	struct chainfile_config fc = {
		.path = CASE_PATH, .vfs = c->config.vfs, .port = port_system()
	};
	struct chainfile_found found;
	struct chainfile *f = NULL;
	uint64_t whole = 0;
	struct keyslot_keys keys;
	struct keyslot slot;
	struct buf b;

	crypto_box_keypair(pub, priv);
	crypto_box_keypair(other, other_priv);
	EXPECT_OK(case_create(c));
	EXPECT(!log_has_recovery(c->l));
	case_fill(c, 3);
	EXPECT_OK(log_recovery_set(c->l, pub));
	EXPECT_OK(log_recovery_set(c->l, pub));
	case_fill(c, 6);
	case_close(c);
	EXPECT_OK(case_open(c));
	EXPECT(log_has_recovery(c->l));
	case_close(c);
	EXPECT_OK(chainfile_open(&f, &fc));
	EXPECT_ST(chainfile_recover(f, other_priv), ST_DENIED);
	EXPECT_OK(chainfile_recover(f, priv));
	EXPECT_OK(
	    chainfile_walk(f, 1, 1, UINT64_MAX, count_whole, &whole, &found));
	EXPECT(whole == 6 && found.head_ok);
	buf_init(&b, KEYSLOT_BYTES_MAX);
	EXPECT_OK(chainfile_slot_get(f, 2, &b));
	EXPECT_OK(keyslot_read(&slot, buf_view(&b)));
	EXPECT_OK(keyslot_open_recovery(&keys, &slot, priv));
	EXPECT(!keys.has_identity && sodium_is_zero(keys.identity, 32));
	buf_free(&b);
	chainfile_close(f);
	/* A new recovery key shuts the old one out of what comes then. */
	EXPECT_OK(case_open(c));
	EXPECT_OK(case_unlock(c));
	EXPECT_OK(log_recovery_set(c->l, other));
	case_fill(c, 8);
	case_close(c);
	EXPECT_OK(chainfile_open(&f, &fc));
	EXPECT_ST(chainfile_recover(f, priv), ST_DENIED);
	EXPECT_OK(chainfile_recover(f, other_priv));
	EXPECT_OK(chainfile_walk(f, 1, 1, UINT64_MAX, NULL, NULL, &found));
	EXPECT(found.count == 8 && found.lost == 0);
	chainfile_close(f);
}

/* Catches a certificate or key that is gone, or half changed, afterwards. */
static void
test_log_keeps_the_device_identity(void **state)
{
	struct log_item both[] = {
		{ IDENTITY_TLS_KEY, bytes_str("key two") },
		{ IDENTITY_TLS_CERT, bytes_str("certificate two") },
	};
	static uint8_t huge[IDENTITY_ITEM_MAX + 1];
	struct log_item bad[] = { both[0],
		{ IDENTITY_TLS_CERT, bytes_of(huge, sizeof(huge)) } };
	uint8_t pk[PUBKEY_LEN], sig[SIG_LEN];
	struct log_case *c = *state;

	EXPECT_OK(case_create(c));
	memcpy(pk, log_public_key(c->l), PUBKEY_LEN);
	EXPECT_OK(
	    log_identity_set(c->l, IDENTITY_TLS_KEY, bytes_str("key one")));
	EXPECT_ST(log_identity_set_many(c->l, bad, 2), ST_LIMIT);
	EXPECT_BYTES(
	    log_identity_get(c->l, IDENTITY_TLS_KEY), bytes_str("key one"));
	EXPECT_OK(log_identity_set_many(c->l, both, 2));
	case_close(c);
	EXPECT_OK(case_open(c));
	EXPECT_BYTES(
	    bytes_of(log_public_key(c->l), PUBKEY_LEN), bytes_of(pk, 32));
	EXPECT(log_identity_get(c->l, IDENTITY_TLS_KEY).len == 0);
	EXPECT_OK(case_unlock(c));
	EXPECT_BYTES(log_identity_get(c->l, IDENTITY_TLS_KEY), both[0].in);
	EXPECT_BYTES(log_identity_get(c->l, IDENTITY_TLS_CERT), both[1].in);
	EXPECT(log_identity_get(c->l, IDENTITY_TLS_KEY_NEXT).len == 0);
	EXPECT_OK(log_sign(c->l, sig, bytes_str("message")));
	EXPECT(crypto_sign_verify_detached(
		   sig, (const uint8_t *)"message", 7, pk) == 0);
	EXPECT_OK(log_identity_set(c->l, IDENTITY_TLS_CERT, bytes_of(NULL, 0)));
	case_again(c);
	EXPECT(log_identity_get(c->l, IDENTITY_TLS_CERT).len == 0);
}

/* Catches a batch of which half is there, and a head that runs ahead of it. */
static void
test_log_batch_is_all_or_nothing(void **state)
{
	struct log_case *c = *state;
	struct case_seen seen;
	struct log_head h;
	struct buf b;

	EXPECT_OK(case_create(c));
	case_fill(c, 2);
	EXPECT_OK(log_batch_begin(c->l));
	case_fill(c, 7);
	EXPECT_OK(log_conf_put(c->l, "x", bytes_str("y")));
	log_batch_rollback(c->l);
	buf_init(&b, 16);
	EXPECT_ST(log_conf_get(c->l, "x", &b), ST_ABSENT);
	EXPECT_OK(log_head(c->l, &h));
	EXPECT(h.seq == 2);
	EXPECT_OK(log_batch_begin(c->l));
	case_fill(c, 5);
	EXPECT_ST(case_append(c, 9), ST_CONFLICT);
	EXPECT_OK(log_batch_commit(c->l));
	/* Locking in the middle drops what was not committed. */
	EXPECT_OK(log_batch_begin(c->l));
	case_fill(c, 6);
	log_lock(c->l);
	EXPECT_OK(case_unlock(c));
	EXPECT_OK(case_replay(c, &seen));
	EXPECT(seen.whole == 5 && seen.wrong == 0);
	case_fill(c, 6);
	buf_free(&b);
}

/* Catches an old copy of the file, or a fork, that passes for the present. */
static void
test_log_compare_tells_an_old_copy(void **state)
{
	struct log_case *c = *state, copy;
	struct log_head at5, at8, at6;
	enum log_compare how;
	uint8_t nowhere[CHAIN_LEN] = { 1 };

	EXPECT_OK(case_create(c));
	case_fill(c, 5);
	EXPECT_OK(log_head(c->l, &at5));
	case_on(&copy, c, fault_disk_after(c->disk, FAULT_KEEP, 0));
	case_fill(c, 8);
	EXPECT_OK(log_head(c->l, &at8));
	EXPECT_OK(log_compare(c->l, at8.chain, 8, at8.link, &how));
	EXPECT(how == LOG_SAME);
	EXPECT_OK(log_compare(c->l, at5.chain, 5, at5.link, &how));
	EXPECT(how == LOG_AHEAD);
	EXPECT_OK(log_compare(c->l, nowhere, 5, at5.link, &how));
	EXPECT(how == LOG_UNKNOWN);
	EXPECT_OK(case_open(&copy));
	EXPECT_OK(log_compare(copy.l, at8.chain, 8, at8.link, &how));
	EXPECT(how == LOG_BEHIND);
	EXPECT_OK(case_unlock(&copy));
	EXPECT_OK(case_append(&copy, 6));
	EXPECT_OK(log_compare(copy.l, at5.chain, 5, at5.link, &how));
	EXPECT(how == LOG_AHEAD);
	EXPECT_OK(log_head(copy.l, &at6));
	/* The same bytes at the same place under the same key: no fork. */
	EXPECT_OK(log_compare(c->l, at6.chain, 6, at6.link, &how));
	EXPECT(how == LOG_AHEAD);
	EXPECT_OK(log_append(copy.l, 7, bytes_str("another"), at6.link));
	EXPECT_OK(log_compare(c->l, at6.chain, 7, at6.link, &how));
	EXPECT(how == LOG_FORKED);
	case_free(&copy);
}

/* Catches a new chain that forgets the old one, or writes to it. */
static void
test_log_new_chain_names_the_old(void **state)
{
	struct log_case *c = *state;
	struct log_head old, h;
	struct case_seen seen;

	EXPECT_OK(case_create(c));
	case_fill(c, 4);
	EXPECT_OK(log_head(c->l, &old));
	EXPECT_OK(log_chain_new(c->l, c->court));
	for (int round = 0; round < 2; round++) {
		EXPECT_OK(log_head(c->l, &h));
		EXPECT(h.number == 2 && h.seq == 0 && h.has_old);
		EXPECT(h.old_seq == 4);
		EXPECT(memcmp(h.old_chain, old.chain, CHAIN_LEN) == 0);
		EXPECT(memcmp(h.old_link, old.link, HASH_LEN) == 0);
		EXPECT(memcmp(h.chain, old.chain, CHAIN_LEN) != 0);
		case_again(c);
	}
	case_fill(c, 3);
	EXPECT_OK(log_chain(c->l, 1, &h));
	EXPECT(h.seq == 4 && !h.has_old);
	EXPECT(memcmp(h.link, old.link, HASH_LEN) == 0);
	EXPECT_ST(log_chain(c->l, 3, &h), ST_ABSENT);
	EXPECT_OK(case_replay(c, &seen));
	EXPECT(seen.whole == 7);
}

/* Catches two programs writing to one handheld's file, a file that others may
 * read, and a lock that outlives its holder. */
static void
test_log_one_process_has_the_file(void **state)
{
	struct log_case *c = *state;
	struct log_config conf = c->config;
	struct tmpdir dir;
	struct log *l = NULL;
	struct stat sb;
	int up[2], down[2], code;
	char byte = 0;
	pid_t pid;

	tmpdir_make(&dir);
	conf.vfs = NULL;
	conf.path = tmpdir_file(&dir, "log");
	conf.no_reserve = false;
	EXPECT(pipe(up) == 0 && pipe(down) == 0);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0) {
		enum status st = log_create(&l, &conf, bytes_str(CASE_OFFICER),
		    bytes_str(CASE_PASSPHRASE));

		byte = (char)st;
		if (write(up[1], &byte, 1) != 1 || read(down[0], &byte, 1) != 1)
			_exit(2);
		_exit(0); /* as if killed: nothing is closed */
	}
	EXPECT(read(up[0], &byte, 1) == 1 && byte == ST_OK);
	EXPECT(stat(conf.path, &sb) == 0 && (sb.st_mode & 0777) == 0600);
	EXPECT_ST(log_open(&l, &conf), ST_AGAIN);
	EXPECT_ST(log_create(&l, &conf, bytes_str(CASE_OFFICER),
		      bytes_str(CASE_PASSPHRASE)),
	    ST_AGAIN);
	EXPECT(write(down[1], &byte, 1) == 1);
	EXPECT(waitpid(pid, &code, 0) == pid && code == 0);
	EXPECT_OK(log_open(&l, &conf));
	EXPECT_OK(
	    log_unlock(l, bytes_str(CASE_OFFICER), bytes_str(CASE_PASSPHRASE)));
	log_close(l);
	(void)close(up[0]), (void)close(up[1]);
	(void)close(down[0]), (void)close(down[1]);
	tmpdir_remove(&dir);
}

/* Catches content that stays after an ordered purge, and a chain, a digest or
 * a receipt that goes with it. */
static void
test_log_purge_erases_content_only(void **state)
{
	struct log_case *c = *state;
	struct log_head before, after;
	struct case_seen seen;

	EXPECT_OK(case_create(c));
	case_fill(c, 10);
	EXPECT_OK(log_head(c->l, &before));
	EXPECT_OK(log_purge(c->l, 1, 2, 4, true));
	EXPECT_OK(log_purge(c->l, 1, 4, 6, false));
	EXPECT_OK(log_purge(c->l, 1, 9, 99, false));
	case_again(c);
	EXPECT_OK(log_head(c->l, &after));
	EXPECT(after.seq == 10);
	EXPECT(memcmp(before.link, after.link, HASH_LEN) == 0);
	EXPECT_OK(case_replay(c, &seen));
	EXPECT(seen.head == 2 && seen.purged == 5 && seen.whole == 3);
	EXPECT(seen.lost == 0 && seen.damaged == 0 && seen.wrong == 0);
	EXPECT_OK(log_check(c->l, &seen.found));
	case_fill(c, 11);
}

int
main(void)
{
#define AT(f) cmocka_unit_test_setup_teardown(f, start, finish)
	const struct CMUnitTest tests[] = {
		AT(test_log_keeps_what_it_said_it_kept),
		AT(test_log_takes_the_largest_entry_and_no_larger),
		AT(test_log_opens_only_for_its_officers),
		AT(test_log_removal_changes_the_keys),
		AT(test_log_old_copy_does_not_open_what_came_later),
		AT(test_log_recovery_key_reads_and_cannot_sign),
		AT(test_log_keeps_the_device_identity),
		AT(test_log_batch_is_all_or_nothing),
		AT(test_log_compare_tells_an_old_copy),
		AT(test_log_new_chain_names_the_old),
		AT(test_log_one_process_has_the_file),
		AT(test_log_purge_erases_content_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
