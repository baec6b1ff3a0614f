#include "form/paper.h"

#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/json.h"

enum { VERSION = 1, FLAG_PLACE = 1, RAW_MAX = 350, TEXT_MAX = 1024 };

static const char prefix[] = "DBP1-";

/* Letters that a QR holds in five and a half bits each. */
static void
put_base32(struct buf *out, struct bytes in)
{
	char text[TEXT_MAX];

	if (in.len > TEXT_MAX / 8 * 5 - 1) {
		out->err = out->err == ST_OK ? ST_LIMIT : out->err;
		return;
	}
	base32_encode(text, in);
	for (char *c = text; *c != '\0'; c++)
		buf_u8(out, (uint8_t)(*c >= 'a' ? *c - 'a' + 'A' : *c));
}

/* The one spelling of `len` bytes, in either case. */
static enum status
get_base32(uint8_t *out, size_t max, size_t *len, struct bytes text)
{
	uint8_t lower[TEXT_MAX];

	*len = text.len * 5 / 8;
	if (text.len > sizeof(lower) || *len > max)
		return ST_INVALID;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];

		lower[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
	}
	return base32_decode(out, *len, bytes_of(lower, text.len));
}

static struct bytes
of(const uint8_t *p, size_t len)
{
	return bytes_of(p, len);
}

enum status
paper_write(struct buf *out, const struct paper_code *c,
    const uint8_t salt[PAPER_SALT_LEN], struct bytes summary)
{
	size_t origin = strlen(c->origin);
	struct buf raw;

	if (summary.len == 0 || summary.len > PAPER_SUMMARY_MAX ||
	    origin == 0 || origin > PAPER_ORIGIN_MAX)
		return ST_LIMIT;
	buf_init(&raw, TEXT_MAX);
	buf_u8(&raw, VERSION);
	buf_u8(&raw, c->has_place ? FLAG_PLACE : 0);
	buf_bytes(&raw, of(c->chain, CHAIN_LEN));
	buf_varint(&raw, c->seq);
	buf_bytes(&raw, of(c->link, HASH_LEN));
	buf_bytes(&raw, of(c->sig, SIG_LEN));
	buf_bytes(&raw, of(c->dev, PAPER_DEV_LEN));
	if (c->has_place)
		buf_varint(&raw, c->place);
	buf_add(&raw, c->origin, origin);
	buf_str(out, prefix);
	put_base32(out, buf_view(&raw));
	if (raw.err != ST_OK && out->err == ST_OK)
		out->err = raw.err;
	buf_reset(&raw);
	buf_bytes(&raw, of(salt, PAPER_SALT_LEN));
	buf_bytes(&raw, summary);
	buf_u8(out, '#');
	put_base32(out, buf_view(&raw));
	if (raw.err != ST_OK && out->err == ST_OK)
		out->err = raw.err;
	buf_free(&raw);
	return out->err;
}

enum status
paper_read(struct paper_code *out, struct bytes text)
{
	static const char lower[] = "dbp1-";
	uint8_t raw[RAW_MAX];
	struct reader r;
	uint8_t version, flags;
	size_t len, skip = sizeof(prefix) - 1;

	if (text.len > PAPER_CODE_MAX ||
	    (!bytes_starts(text, prefix) && !bytes_starts(text, lower)))
		return ST_INVALID;
	if (get_base32(raw, sizeof(raw), &len,
		bytes_of(text.p + skip, text.len - skip)) != ST_OK)
		return ST_INVALID;
	memset(out, 0, sizeof(*out));
	reader_init(&r, bytes_of(raw, len));
	version = reader_u8(&r);
	flags = reader_u8(&r);
	reader_copy(&r, out->chain, CHAIN_LEN);
	out->seq = reader_varint(&r);
	reader_copy(&r, out->link, HASH_LEN);
	reader_copy(&r, out->sig, SIG_LEN);
	reader_copy(&r, out->dev, PAPER_DEV_LEN);
	out->has_place = flags == FLAG_PLACE;
	if (out->has_place)
		out->place = reader_varint(&r);
	if (r.bad || version != VERSION || flags > FLAG_PLACE ||
	    out->seq == 0 || r.left == 0 || r.left > PAPER_ORIGIN_MAX ||
	    !json_text_ok(bytes_of(r.p, r.left)))
		return ST_INVALID;
	memcpy(out->origin, r.p, r.left);
	return ST_OK;
}

enum status
paper_read_id(uint8_t out[ID_LEN], struct bytes text)
{
	size_t len;

	if (text.len != PAPER_ID_TEXT)
		return ST_INVALID;
	return get_base32(out, ID_LEN, &len, text);
}

enum status
paper_digest(uint8_t out[HASH_LEN], const uint8_t salt[PAPER_SALT_LEN],
    struct bytes summary)
{
	/* The NUL behind it counts. */
	static const char domain[] = "daybreak-print/1";
	uint8_t m[sizeof(domain) + PAPER_SALT_LEN + PAPER_SUMMARY_MAX];

	if (summary.len == 0 || summary.len > PAPER_SUMMARY_MAX)
		return ST_LIMIT;
	memcpy(m, domain, sizeof(domain));
	memcpy(m + sizeof(domain), salt, PAPER_SALT_LEN);
	memcpy(m + sizeof(domain) + PAPER_SALT_LEN, summary.p, summary.len);
	sha256(out, bytes_of(m, sizeof(domain) + PAPER_SALT_LEN + summary.len));
	return ST_OK;
}

void
paper_more(struct buf *out, const struct paper_print *p)
{
	buf_str(out, "{\"form\":");
	json_put_str(out, p->form);
	buf_str(out, ",\"salt\":");
	json_put_hex(out, of(p->salt, PAPER_SALT_LEN));
	buf_str(out, ",\"state\":");
	json_put_hex(out, of(p->state, HASH_LEN));
	buf_str(out, ",\"summary\":");
	json_put_string(out, p->summary);
	buf_str(out, ",\"text\":");
	json_put_hex(out, of(p->text, HASH_LEN));
	buf_u8(out, '}');
}

/* Groups of four: that much a person keeps in mind from paper to keys. */
static void
put_groups(struct buf *out, struct bytes raw)
{
	char text[64];

	base32_encode(text, raw);
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (i > 0 && i % 4 == 0)
			buf_u8(out, ' ');
		buf_u8(out,
		    (uint8_t)(text[i] >= 'a' ? text[i] - 'a' + 'A' : text[i]));
	}
}

void
paper_words(struct buf *out, const struct paper_code *c,
    const uint8_t salt[PAPER_SALT_LEN], struct bytes summary)
{
	bool some = false;

	buf_str(out, "核验真伪：请自行输入本院网址，打开“文书核验”，扫入左侧码"
		     "或输入下列编号。本码不含网址，扫码后自动打开网页的，不是"
		     "本院文书。\n摘要：");
	for (size_t i = 0; i < summary.len; i++) {
		if (summary.p[i] != '\n') {
			buf_u8(out, summary.p[i]);
			some = true;
		} else if (some) {
			buf_str(out, "　");
			some = false;
		}
	}
	buf_str(out, "\n编号 ");
	put_groups(out, of(c->link, ID_LEN));
	buf_str(out, "\n核对码 ");
	put_groups(out, of(salt, PAPER_SALT_LEN));
	buf_str(out, "\nTo verify: type the court's own web address, never one "
		     "that a code opened.");
}
