#include "tlog/note.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/utf8.h"
#include "tlog/merkle.h"
#include "tlog/text.h"

static const char dash[] = "\xe2\x80\x94 "; /* U+2014 and a space */

enum {
	KEY_ID_LEN = 4,
	COSIGNATURE_LEN = 8 + SIG_LEN, /* u64be time || signature */
	SIGNATURE_RAW_MAX = NOTE_BYTES_MAX / 4 * 3
};

/* One "— name base64" line; name is borrowed. */
struct signature {
	struct bytes name;
	uint32_t hash;
	size_t len; /* of raw, which goes on behind the key id */
	uint8_t raw[SIGNATURE_RAW_MAX];
};

/* Unicode White_Space, as the Go implementation of notes has it. */
static bool
is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 ||
	       c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	       c == 0x3000;
}

static bool
name_ok(struct bytes name)
{
	size_t at = 0;

	if (name.len == 0 || name.len > NOTE_NAME_MAX || !text_ok(name))
		return false;
	while (at < name.len) {
		int len = utf8_char(name.p + at, name.len - at);
		uint32_t c = utf8_decode(name.p + at, len);

		if (c == '+' || is_space(c))
			return false;
		at += (size_t)len;
	}
	return true;
}

static uint32_t
key_id(struct bytes name, uint8_t alg, const uint8_t public_key[PUBKEY_LEN])
{
	const uint8_t between[2] = { '\n', alg };
	const struct bytes in[3] = { name, bytes_of(between, 2),
		bytes_of(public_key, PUBKEY_LEN) };
	uint8_t hash[HASH_LEN];

	sha256_many(hash, in, 3);
	return be32_get(hash);
}

static enum status
key_make(struct note_key *out, struct bytes name, uint8_t alg,
    const uint8_t public_key[PUBKEY_LEN])
{
	if (!name_ok(name) || (alg != NOTE_ED25519 && alg != NOTE_COSIGNATURE))
		return ST_INVALID;
	memset(out, 0, sizeof(*out));
	memcpy(out->name, name.p, name.len);
	out->hash = key_id(name, alg, public_key);
	out->alg = alg;
	memcpy(out->public_key, public_key, PUBKEY_LEN);
	return ST_OK;
}

enum status
note_key_make(struct note_key *out, const char *name, uint8_t alg,
    const uint8_t public_key[PUBKEY_LEN])
{
	return key_make(out, bytes_str(name), alg, public_key);
}

enum status
note_key_parse(struct note_key *out, struct bytes vkey)
{
	uint8_t id[KEY_ID_LEN], key[1 + PUBKEY_LEN];
	struct bytes name, rest;
	const uint8_t *plus;
	struct note_key k;

	if (vkey.len == 0 || vkey.len > NOTE_VKEY_MAX)
		return ST_INVALID;
	plus = memchr(vkey.p, '+', vkey.len);
	if (plus == NULL)
		return ST_INVALID;
	name = bytes_of(vkey.p, (size_t)(plus - vkey.p));
	rest = bytes_of(plus + 1, vkey.len - name.len - 1);
	if (rest.len < 9 || rest.p[8] != '+' ||
	    hex_decode(id, sizeof(id), bytes_of(rest.p, 8)) != ST_OK ||
	    text_base64(key, sizeof(key), bytes_of(rest.p + 9, rest.len - 9)) !=
		ST_OK ||
	    key_make(&k, name, key[0], key + 1) != ST_OK ||
	    k.hash != be32_get(id))
		return ST_INVALID;
	*out = k;
	return ST_OK;
}

void
note_key_format(const struct note_key *k, struct buf *out)
{
	uint8_t key[1 + PUBKEY_LEN];

	key[0] = k->alg;
	memcpy(key + 1, k->public_key, PUBKEY_LEN);
	buf_printf(out, "%s+%08" PRIx32 "+", k->name, k->hash);
	text_put_base64(out, bytes_of(key, sizeof(key)));
}

/* True if the bytes can be the text of a note. */
static bool
note_text_ok(struct bytes text)
{
	return text.len > 0 && text.p[text.len - 1] == '\n' && text_ok(text);
}

/* Divide at the last empty line: text with its LF, signature lines. */
static enum status
note_split(struct bytes note, struct bytes *text, struct bytes *lines)
{
	size_t at;

	if (note.len < 2 || note.len > NOTE_BYTES_MAX || !note_text_ok(note))
		return ST_INVALID;
	at = note.len - 1;
	while (at > 0 && (note.p[at] != '\n' || note.p[at - 1] != '\n'))
		at--;
	if (at == 0 || at == note.len - 1)
		return ST_INVALID;
	*text = bytes_of(note.p, at);
	*lines = bytes_of(note.p + at + 1, note.len - at - 1);
	return ST_OK;
}

static enum status
signature_parse(struct signature *out, struct bytes line)
{
	const size_t skip = strlen(dash);
	const uint8_t *space;
	size_t len;

	if (!bytes_starts(line, dash))
		return ST_INVALID;
	line = bytes_of(line.p + skip, line.len - skip);
	space = line.len == 0 ? NULL : memchr(line.p, ' ', line.len);
	if (space == NULL)
		return ST_INVALID;
	out->name = bytes_of(line.p, (size_t)(space - line.p));
	line = bytes_of(space + 1, line.len - out->name.len - 1);
	if (!name_ok(out->name) ||
	    base64_decode(out->raw, sizeof(out->raw), &len, line) != ST_OK ||
	    len <= KEY_ID_LEN)
		return ST_INVALID;
	out->hash = be32_get(out->raw);
	out->len = len - KEY_ID_LEN;
	memmove(out->raw, out->raw + KEY_ID_LEN, out->len);
	return ST_OK;
}

/* ST_OK, ST_DENIED, ST_NOMEM; `sig` has the length that the type wants. */
typedef enum status (*signature_verify)(const struct note_key *key,
    struct bytes text, const uint8_t *sig, uint64_t *time_s);

static enum status
verify_plain(const struct note_key *key, struct bytes text, const uint8_t *sig,
    uint64_t *time_s)
{
	(void)time_s;
	if (crypto_sign_verify_detached(
		sig, text.p, text.len, key->public_key) != 0)
		return ST_DENIED;
	return ST_OK;
}

/* What a witness signs. */
static void
cosigned_message(struct buf *out, struct bytes text, uint64_t time_s)
{
	buf_printf(out, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
	buf_bytes(out, text);
}

static enum status
verify_cosignature(const struct note_key *key, struct bytes text,
    const uint8_t *sig, uint64_t *time_s)
{
	uint64_t when = be64_get(sig);
	struct buf msg;
	enum status st;

	if (when > INT64_MAX)
		return ST_DENIED;
	buf_init(&msg, NOTE_BYTES_MAX + 64);
	cosigned_message(&msg, text, when);
	st = msg.err;
	if (st == ST_OK)
		st = verify_plain(key, buf_view(&msg), sig + 8, NULL);
	if (st == ST_OK && when > *time_s)
		*time_s = when;
	buf_free(&msg);
	return st;
}

/*
 * Read the whole note, then judge the lines of `key`.  A line that is no
 * signature line spoils the note, wherever it stands, and so does (C2SP: the
 * client SHOULD reject) a bad signature of a known key.
 */
static enum status
note_verify(struct bytes note, const struct note_key *key, size_t sig_len,
    signature_verify verify, struct bytes *text, uint64_t *time_s)
{
	struct bytes body, lines, line;
	enum status verdict = ST_ABSENT, st;
	uint64_t when = 0;
	size_t count = 0;

	st = note_split(note, &body, &lines);
	if (st != ST_OK)
		return st;
	while (text_line(&lines, &line)) {
		struct signature s;

		st = signature_parse(&s, line);
		if (st != ST_OK || ++count > NOTE_SIGNATURES_MAX)
			return ST_INVALID;
		if (s.hash != key->hash || !bytes_eq_str(s.name, key->name))
			continue;
		st = s.len != sig_len ? ST_DENIED
				      : verify(key, body, s.raw, &when);
		if (st != ST_OK && st != ST_DENIED)
			return st;
		if (verdict != ST_DENIED)
			verdict = st;
	}
	if (verdict != ST_OK)
		return verdict;
	*text = body;
	*time_s = when;
	return ST_OK;
}

enum status
note_open(struct bytes note, const struct note_key *key, struct bytes *text)
{
	uint64_t time_s;

	if (key->alg != NOTE_ED25519)
		return ST_DENIED;
	return note_verify(note, key, SIG_LEN, verify_plain, text, &time_s);
}

/* Append "— name base64(id || sig)" LF. */
static void
put_signature(struct buf *out, const struct note_key *key, struct bytes sig)
{
	uint8_t raw[KEY_ID_LEN + COSIGNATURE_LEN];

	assert(sig.len <= COSIGNATURE_LEN);
	be32_put(raw, key->hash);
	memcpy(raw + KEY_ID_LEN, sig.p, sig.len);
	buf_printf(out, "%s%s ", dash, key->name);
	text_put_base64(out, bytes_of(raw, KEY_ID_LEN + sig.len));
	buf_u8(out, '\n');
}

/* Close an append that began at `start`: all of it, or nothing. */
static enum status
finish(struct buf *out, size_t start)
{
	enum status st = out->err;

	if (st == ST_OK && out->len - start > NOTE_BYTES_MAX)
		st = ST_LIMIT;
	if (st != ST_OK)
		out->len = start;
	return st;
}

static bool
key_is(const struct note_key *key, uint8_t alg, const uint8_t secret_key[64])
{
	/* libsodium keeps the public key in the second half. */
	return key->alg == alg &&
	       memcmp(key->public_key, secret_key + 32, PUBKEY_LEN) == 0;
}

enum status
note_sign(struct bytes text, const struct note_key *key,
    const uint8_t secret_key[64], struct buf *out)
{
	uint8_t sig[SIG_LEN];
	size_t start = out->len;

	if (!note_text_ok(text) || !key_is(key, NOTE_ED25519, secret_key))
		return ST_INVALID;
	if (text.len > NOTE_BYTES_MAX)
		return ST_LIMIT;
	(void)crypto_sign_detached(sig, NULL, text.p, text.len, secret_key);
	buf_bytes(out, text);
	buf_u8(out, '\n');
	put_signature(out, key, bytes_of(sig, sizeof(sig)));
	return finish(out, start);
}

void
checkpoint_format(const struct checkpoint *c, struct buf *out)
{
	assert(c->origin[0] != '\0' && c->size <= MERKLE_SIZE_MAX);
	buf_printf(out, "%s\n%" PRIu64 "\n", c->origin, c->size);
	text_put_base64(out, bytes_of(c->root, HASH_LEN));
	buf_u8(out, '\n');
}

enum status
checkpoint_parse(struct checkpoint *out, struct bytes text)
{
	struct bytes origin, size, root, line;
	struct checkpoint c = { 0 };

	if (text.len > NOTE_BYTES_MAX || !note_text_ok(text) ||
	    !text_line(&text, &origin) || !text_line(&text, &size) ||
	    !text_line(&text, &root))
		return ST_INVALID;
	if (origin.len == 0 || origin.len > NOTE_NAME_MAX ||
	    text_decimal(&c.size, size, MERKLE_SIZE_MAX) != ST_OK ||
	    text_base64(c.root, HASH_LEN, root) != ST_OK)
		return ST_INVALID;
	while (text_line(&text, &line)) {
		if (line.len == 0)
			return ST_INVALID;
	}
	memcpy(c.origin, origin.p, origin.len);
	*out = c;
	return ST_OK;
}

enum status
checkpoint_sign(const struct checkpoint *c, const struct note_key *key,
    const uint8_t secret_key[64], struct buf *out)
{
	struct buf text;
	enum status st;

	if (strcmp(c->origin, key->name) != 0)
		return ST_INVALID;
	buf_init(&text, NOTE_BYTES_MAX);
	checkpoint_format(c, &text);
	st = text.err;
	if (st == ST_OK)
		st = note_sign(buf_view(&text), key, secret_key, out);
	buf_free(&text);
	return st;
}

enum status
checkpoint_open(
    struct checkpoint *out, struct bytes note, const struct note_key *key)
{
	struct checkpoint c;
	struct bytes text;
	enum status st;

	st = note_open(note, key, &text);
	if (st == ST_OK)
		st = checkpoint_parse(&c, text);
	if (st != ST_OK)
		return st;
	if (strcmp(c.origin, key->name) != 0)
		return ST_DENIED;
	*out = c;
	return ST_OK;
}

enum status
cosignature_check(
    struct bytes note, const struct note_key *witness, uint64_t *time_s)
{
	struct checkpoint c;
	struct bytes text, lines;
	enum status st;

	st = note_split(note, &text, &lines);
	if (st == ST_OK)
		st = checkpoint_parse(&c, text);
	if (st != ST_OK)
		return st;
	if (witness->alg != NOTE_COSIGNATURE)
		return ST_DENIED;
	return note_verify(
	    note, witness, COSIGNATURE_LEN, verify_cosignature, &text, time_s);
}

/* ST_OK if `lines` are signature lines and one more may join them. */
static enum status
room_for_signature(struct bytes lines)
{
	struct bytes line;
	size_t count = 0;

	while (text_line(&lines, &line)) {
		struct signature s;

		if (signature_parse(&s, line) != ST_OK)
			return ST_INVALID;
		count++;
	}
	return count < NOTE_SIGNATURES_MAX ? ST_OK : ST_LIMIT;
}

enum status
cosignature_sign(struct bytes note, const struct note_key *witness,
    const uint8_t secret_key[64], uint64_t time_s, struct buf *out)
{
	uint8_t sig[COSIGNATURE_LEN];
	size_t start = out->len;
	struct checkpoint c;
	struct bytes text, lines;
	struct buf msg;
	enum status st;

	st = note_split(note, &text, &lines);
	if (st == ST_OK)
		st = checkpoint_parse(&c, text);
	if (st == ST_OK)
		st = room_for_signature(lines);
	if (st != ST_OK)
		return st;
	if (time_s > INT64_MAX ||
	    !key_is(witness, NOTE_COSIGNATURE, secret_key))
		return ST_INVALID;
	buf_init(&msg, NOTE_BYTES_MAX + 64);
	cosigned_message(&msg, text, time_s);
	st = msg.err;
	if (st == ST_OK) {
		be64_put(sig, time_s);
		(void)crypto_sign_detached(
		    sig + 8, NULL, msg.p, msg.len, secret_key);
		buf_bytes(out, note);
		put_signature(out, witness, bytes_of(sig, sizeof(sig)));
		st = finish(out, start);
	}
	buf_free(&msg);
	return st;
}
