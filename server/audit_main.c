/*
 * daybreak-audit: what somebody who does not trust the court can find out
 * alone: off line, with public keys (docs/AUDIT.md).
 *
 * Exit: 0 proved, 1 consistent but not anchored (and nothing else is 1),
 * 2 usage, or something that cannot be read, 3 damage.
 */
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/enc.h"
#include "domain/record_words.h"
#include "base/port.h"
#include "entry/json.h"
#include "verify/verify.h"

enum audit_exit { PROVED = 0, NOT_ANCHORED = 1, UNREADABLE = 2, DAMAGED = 3 };

enum {
	FILES_MAX = 1024,
	WITNESSES_MAX = 64,
	FILE_BYTES_MAX = 64 << 20, /* a bundle */
	OUT_BYTES_MAX = 160 << 20  /* the state of a large record */
};

struct audit {
	const char *command, *arg[2];
	int arg_count;
	const char *vkey, *descriptor, *media, *proof, *store;
	const char *anchor_name[FILES_MAX];
	struct buf anchor_file[FILES_MAX];
	struct verify_anchor anchor[FILES_MAX];
	size_t anchor_count;
	struct note_key witness[WITNESSES_MAX];
	size_t witness_count;
	struct buf descriptor_file;
	struct verify_given given;
	bool json;
};

static const char usage[] =
    "用法 usage:\n"
    "  daybreak-audit store D --key VKEY [--anchor FILE]… [--witness VKEY]…\n"
    "      [--descriptor FILE] [--media DIR] [--all] [--json]\n"
    "  daybreak-audit bundle FILE --key VKEY [--anchor FILE]…\n"
    "      [--witness VKEY]… [--descriptor FILE] [--media DIR] [--json]\n"
    "  daybreak-audit consistency OLD NEW --key VKEY\n"
    "      (--proof FILE | --store D) [--json]\n"
    "D: 法院的文件夹，或备份文件 / a court's folder, or a backup file\n"
    "0 已证明 proved · 1 一致但无外部凭据 consistent, not anchored ·\n"
    "2 用法或读不出 usage, or unreadable · 3 有损坏 damaged\n";

static int
fail(const struct audit *a, const char *what, const char *why)
{
	if (a->json) {
		struct buf b;

		buf_init(&b, 1 << 16);
		buf_str(&b, "{\"verdict\":\"unreadable\",\"what\":");
		json_put_str(&b, json_text_ok(bytes_str(what)) ? what : "?");
		buf_str(&b, ",\"why\":");
		json_put_str(&b, json_text_ok(bytes_str(why)) ? why : "?");
		buf_str(&b, "}\n");
		(void)fwrite(b.p, 1, b.len, stdout);
		buf_free(&b);
	}
	(void)fprintf(stderr, "daybreak-audit: %s: %s\n", what, why);
	return UNREADABLE;
}

/* ---- what was given */

static bool
take_option(struct audit *a, const char *name, const char *value)
{
	if (strcmp(name, "--key") == 0)
		a->vkey = value;
	else if (strcmp(name, "--descriptor") == 0)
		a->descriptor = value;
	else if (strcmp(name, "--media") == 0)
		a->media = value;
	else if (strcmp(name, "--proof") == 0)
		a->proof = value;
	else if (strcmp(name, "--store") == 0)
		a->store = value;
	else if (strcmp(name, "--anchor") == 0 && a->anchor_count < FILES_MAX)
		a->anchor_name[a->anchor_count++] = value;
	else if (strcmp(name, "--witness") == 0 &&
		 a->witness_count < WITNESSES_MAX)
		return note_key_parse(&a->witness[a->witness_count++],
			   bytes_str(value)) == ST_OK;
	else
		return false;
	return true;
}

static bool
take_arguments(struct audit *a, int argc, char **argv)
{
	int want;

	if (argc < 2)
		return false;
	a->command = argv[1];
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			a->json = true;
		else if (strcmp(argv[i], "--all") == 0)
			a->given.all = true;
		else if (strncmp(argv[i], "--", 2) == 0) {
			if (i + 1 == argc ||
			    !take_option(a, argv[i], argv[i + 1]))
				return false;
			i++;
		} else if (a->arg_count < 2)
			a->arg[a->arg_count++] = argv[i];
		else
			return false;
	}
	want = strcmp(a->command, "consistency") == 0 ? 2 : 1;
	return a->arg_count == want && a->vkey != NULL &&
	       note_key_parse(&a->given.key, bytes_str(a->vkey)) == ST_OK &&
	       a->given.key.alg == NOTE_ED25519;
}

static enum status
read_file(struct buf *out, const char *path)
{
	buf_init(out, FILE_BYTES_MAX);
	return port_read_file(port_system(), path, out);
}

/* Anchors, descriptor and witnesses; UNREADABLE with words, or 0. */
static int
read_given(struct audit *a)
{
	enum status st;

	for (size_t i = 0; i < a->anchor_count; i++) {
		st = read_file(&a->anchor_file[i], a->anchor_name[i]);
		if (st != ST_OK)
			return fail(a, a->anchor_name[i], status_text(st));
		a->anchor[i].name = a->anchor_name[i];
		a->anchor[i].file = buf_view(&a->anchor_file[i]);
	}
	if (a->descriptor != NULL) {
		st = read_file(&a->descriptor_file, a->descriptor);
		if (st != ST_OK)
			return fail(a, a->descriptor, status_text(st));
	}
	a->given.anchor = a->anchor;
	a->given.anchor_count = a->anchor_count;
	a->given.witness = a->witness;
	a->given.witness_count = a->witness_count;
	a->given.descriptor = buf_view(&a->descriptor_file);
	return 0;
}

/* ---- commands */

/* The record of a bundle, with the labels of the kinds that are built in. */
static void
put_record(const struct verify_report *r, struct buf *out)
{
	struct kinds *kinds = NULL;

	if (r->state == NULL)
		return;
	if (kinds_load_builtin(&kinds) != ST_OK ||
	    record_put_words(
		kinds, r->kind, bytes_of(r->state, r->state_len), out) != ST_OK)
		(void)fprintf(stderr, "daybreak-audit: the record cannot be "
				      "told in words; --json has it\n");
	kinds_free(kinds);
}

static int
tell(const struct audit *a, const struct verify_report *r)
{
	struct buf out, record;
	int code = UNREADABLE;

	buf_init(&out, OUT_BYTES_MAX);
	buf_init(&record, OUT_BYTES_MAX);
	if (!a->json)
		put_record(r, &record);
	if (a->json)
		verify_report_json(r, &out);
	else
		verify_report_text(r, buf_view(&record), &out);
	buf_free(&record);
	if (out.err != ST_OK || fwrite(out.p, 1, out.len, stdout) != out.len ||
	    fflush(stdout) != 0)
		(void)fprintf(stderr, "daybreak-audit: cannot print\n");
	else
		code = verify_verdict_of(r) == VERIFY_PROVED ? PROVED
		       : verify_verdict_of(r) == VERIFY_NOT_ANCHORED
			   ? NOT_ANCHORED
			   : DAMAGED;
	buf_free(&out);
	return code;
}

/* A court's folder, or a file. */
static void
store_path(char *out, size_t cap, const char *d)
{
	struct stat sb;
	bool folder = stat(d, &sb) == 0 && S_ISDIR(sb.st_mode);

	(void)snprintf(out, cap, folder ? "%s/store.db" : "%s", d);
}

/* The file DIR/<sha256>, or DIR/<first two digits>/<sha256> as a court keeps
 * them, read piece by piece: it may be a film. */
static enum status
media_hash(void *arg, const uint8_t sha256[HASH_LEN], uint8_t got[HASH_LEN])
{
	const char *dir = arg;
	char hex[2 * HASH_LEN + 1], path[4096];
	uint8_t piece[65536];
	crypto_hash_sha256_state h;
	enum status st = ST_OK;
	size_t n;
	FILE *f;

	hex_encode(hex, bytes_of(sha256, HASH_LEN));
	(void)snprintf(path, sizeof(path), "%s/%s", dir, hex);
	f = fopen(path, "rb");
	if (f == NULL && errno == ENOENT) {
		(void)snprintf(path, sizeof(path), "%s/%.2s/%s", dir, hex, hex);
		f = fopen(path, "rb");
	}
	if (f == NULL)
		return errno == ENOENT ? ST_ABSENT : ST_IO;
	(void)crypto_hash_sha256_init(&h);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		(void)crypto_hash_sha256_update(&h, piece, n);
	if (ferror(f))
		st = ST_IO;
	(void)crypto_hash_sha256_final(&h, got);
	(void)fclose(f);
	return st;
}

/* Files that entries name: in --media, or beside a store.  0, or UNREADABLE. */
static int
give_media(struct audit *a, char blobs[4096])
{
	struct stat sb;

	(void)snprintf(blobs, 4096,
	    a->media != NULL ? "%s" : "%s/evidence/store",
	    a->media != NULL ? a->media : a->arg[0]);
	if (stat(blobs, &sb) == 0 && S_ISDIR(sb.st_mode)) {
		a->given.media = media_hash;
		a->given.media_arg = blobs;
	} else if (a->media != NULL) {
		return fail(a, a->media, "not a folder");
	}
	return 0;
}

static int
run_store(struct audit *a)
{
	char path[4096], blobs[4096], errmsg[VERIFY_ERRMSG_LEN];
	struct verify_report r;
	enum status st;
	int code = give_media(a, blobs);

	if (code != 0)
		return code;
	store_path(path, sizeof(path), a->arg[0]);
	verify_report_init(&r);
	st = verify_store(&r, path, &a->given, errmsg);
	code = st == ST_OK ? tell(a, &r) : fail(a, a->arg[0], errmsg);
	verify_report_free(&r);
	return code;
}

static int
run_bundle(struct audit *a)
{
	char blobs[4096], errmsg[VERIFY_ERRMSG_LEN];
	struct verify_report r;
	struct buf file;
	enum status st;
	int code = a->media != NULL ? give_media(a, blobs) : 0;

	if (code != 0)
		return code;
	st = read_file(&file, a->arg[0]);
	if (st != ST_OK)
		return fail(a, a->arg[0], status_text(st));
	verify_report_init(&r);
	st = verify_bundle(&r, buf_view(&file), &a->given, errmsg);
	code = st == ST_OK ? tell(a, &r) : fail(a, a->arg[0], errmsg);
	verify_report_free(&r);
	buf_free(&file);
	return code;
}

/* One hash a line, in base64. */
static enum status
read_proof(struct buf *out, const char *path)
{
	struct buf file;
	enum status st = read_file(&file, path);
	size_t at = 0;

	while (st == ST_OK && at < file.len) {
		const uint8_t *lf = memchr(file.p + at, '\n', file.len - at);
		size_t len =
		    (lf == NULL ? file.len : (size_t)(lf - file.p)) - at;
		uint8_t hash[HASH_LEN];
		size_t got = 0;

		if (len > 0) {
			st = base64_decode(
			    hash, HASH_LEN, &got, bytes_of(file.p + at, len));
			if (st == ST_OK && got != HASH_LEN)
				st = ST_INVALID;
			if (st == ST_OK)
				buf_add(out, hash, HASH_LEN);
		}
		at += len + 1;
	}
	buf_free(&file);
	return st == ST_OK ? out->err : st;
}

/* Both notes, opened; the proof comes from a file or a store. */
static int
find_proof(struct audit *a, const struct buf note[2], struct buf *proof)
{
	struct checkpoint cp[2];
	char path[4096];
	enum status st = ST_OK;

	for (int i = 0; i < 2; i++) {
		st = checkpoint_open(&cp[i], buf_view(&note[i]), &a->given.key);
		if (st == ST_DENIED || st == ST_ABSENT) {
			(void)printf(
			    a->json ? "{\"verdict\":\"damaged\",\"what\":"
				      "\"receipt\",\"note\":%d}\n"
				    : "结论：第 %d 份不是这个日志签名的。\n"
				      "Verdict: FORGED, this note is not "
				      "signed by the log.\n",
			    i + 1);
			return DAMAGED;
		}
		if (st != ST_OK)
			return fail(a, a->arg[i], status_text(st));
	}
	if (cp[0].size > cp[1].size)
		return fail(a, a->arg[0], "larger than the newer one");
	if (cp[0].size == cp[1].size || cp[0].size == 0)
		return 0;
	if (a->proof != NULL) {
		st = read_proof(proof, a->proof);
	} else if (a->store != NULL) {
		store_path(path, sizeof(path), a->store);
		st = verify_store_consistency(
		    path, cp[0].size, cp[1].size, proof);
	} else {
		return fail(a, "consistency", "--proof or --store");
	}
	return st == ST_OK ? 0 : fail(a, "proof", status_text(st));
}

static int
say_consistency(
    const struct audit *a, enum status result, const struct buf note[2])
{
	bool split = result == ST_CONFLICT;
	struct buf out;

	if (result == ST_OK) {
		(void)fputs(a->json
				? "{\"verdict\":\"consistent\"}\n"
				: "结论：新检查点接续旧的。\n"
				  "Verdict: the newer checkpoint extends the "
				  "older.\n",
		    stdout);
		return PROVED;
	}
	buf_init(&out, OUT_BYTES_MAX);
	if (a->json) {
		buf_printf(&out, "{\"verdict\":\"damaged\",\"what\":\"%s\"",
		    split ? "split" : "rebuilt");
		for (int i = 0; i < 2; i++) {
			buf_printf(&out, ",\"%s\":", i == 0 ? "old" : "new");
			json_put_string(&out, buf_view(&note[i]));
		}
		buf_str(&out, "}\n");
	} else {
		buf_str(&out,
		    split ? "结论：分裂视图：同一大小，两个根。\n"
			    "Verdict: SPLIT VIEW: one size, two roots.\n\n"
			  : "结论：所给的证明不能从旧的通到新的：历史被改写，或"
			    "证明不对。\nVerdict: the proof does not lead from "
			    "the older to the newer: history was rewritten, or "
			    "it is no proof of these.\n\n");
		buf_bytes(&out, buf_view(&note[0]));
		buf_u8(&out, '\n');
		buf_bytes(&out, buf_view(&note[1]));
	}
	(void)fwrite(out.p, 1, out.len, stdout);
	buf_free(&out);
	return DAMAGED;
}

static int
run_consistency(struct audit *a)
{
	struct buf note[2], proof;
	enum status result = ST_OK, st = ST_OK;
	int code = 0;

	buf_init(&proof, 64 * HASH_LEN);
	for (int i = 0; i < 2; i++) {
		enum status one = read_file(&note[i], a->arg[i]);

		if (one != ST_OK && code == 0)
			code = fail(a, a->arg[i], status_text(one));
	}
	if (code == 0)
		code = find_proof(a, note, &proof);
	if (code == 0) {
		st = verify_consistency(&result, buf_view(&note[0]),
		    buf_view(&note[1]), &a->given.key, buf_view(&proof));
		code = st == ST_OK ? say_consistency(a, result, note)
				   : fail(a, "consistency", status_text(st));
	}
	buf_free(&note[0]);
	buf_free(&note[1]);
	buf_free(&proof);
	return code;
}

int
main(int argc, char **argv)
{
	struct audit *a;
	int code = 0;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("daybreak-audit " DAYBREAK_VERSION) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	a = calloc(1, sizeof(*a));
	if (a == NULL || sodium_init() < 0) {
		free(a);
		return UNREADABLE;
	}
	if (!take_arguments(a, argc, argv)) {
		(void)fputs(usage, stderr);
		free(a);
		return UNREADABLE;
	}
	code = read_given(a);
	if (code == 0 && strcmp(a->command, "store") == 0)
		code = run_store(a);
	else if (code == 0 && strcmp(a->command, "bundle") == 0)
		code = run_bundle(a);
	else if (code == 0 && strcmp(a->command, "consistency") == 0)
		code = run_consistency(a);
	else if (code == 0) {
		(void)fputs(usage, stderr);
		code = UNREADABLE;
	}
	for (size_t i = 0; i < a->anchor_count; i++)
		buf_free(&a->anchor_file[i]);
	buf_free(&a->descriptor_file);
	free(a);
	return code;
}
