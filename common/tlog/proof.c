#include "tlog/proof.h"

#include <inttypes.h>
#include <string.h>

#include "tlog/text.h"

static const char magic[] = "c2sp.org/tlog-proof@v1";
static const char extra[] = "extra ", place[] = "index ";

static bool
proof_ok(const struct proof *p)
{
	return p->index < MERKLE_SIZE_MAX &&
	       p->path.count <= MERKLE_PROOF_MAX && p->note.len > 0 &&
	       p->note.len <= NOTE_BYTES_MAX;
}

enum status
proof_format(const struct proof *p, struct buf *out)
{
	size_t start = out->len;

	if (!proof_ok(p))
		return ST_INVALID;
	buf_printf(out, "%s\n", magic);
	if (p->has_prev) {
		buf_str(out, extra);
		text_put_base64(out, bytes_of(p->prev, HASH_LEN));
		buf_u8(out, '\n');
	}
	buf_printf(out, "%s%" PRIu64 "\n", place, p->index);
	for (size_t i = 0; i < p->path.count; i++) {
		text_put_base64(out, bytes_of(p->path.hash[i], HASH_LEN));
		buf_u8(out, '\n');
	}
	buf_u8(out, '\n');
	buf_bytes(out, p->note);
	if (out->err != ST_OK)
		out->len = start;
	return out->err;
}

/* What follows `word` in a line that begins with it. */
static struct bytes
after(struct bytes line, const char *word)
{
	size_t len = strlen(word);

	return bytes_of(line.p + len, line.len - len);
}

enum status
proof_parse(struct proof *out, struct bytes file)
{
	struct proof p = { 0 };
	struct bytes line;

	if (file.len > PROOF_BYTES_MAX || !text_line(&file, &line) ||
	    !bytes_eq_str(line, magic) || !text_line(&file, &line))
		return ST_INVALID;
	if (bytes_starts(line, extra)) {
		p.has_prev = true;
		if (text_base64(p.prev, HASH_LEN, after(line, extra)) !=
			ST_OK ||
		    !text_line(&file, &line))
			return ST_INVALID;
	}
	if (!bytes_starts(line, place) ||
	    text_decimal(&p.index, after(line, place), MERKLE_SIZE_MAX) !=
		ST_OK)
		return ST_INVALID;
	for (;;) {
		if (!text_line(&file, &line))
			return ST_INVALID;
		if (line.len == 0)
			break;
		if (p.path.count == MERKLE_PROOF_MAX ||
		    text_base64(p.path.hash[p.path.count], HASH_LEN, line) !=
			ST_OK)
			return ST_INVALID;
		p.path.count++;
	}
	p.note = file;
	if (!proof_ok(&p))
		return ST_INVALID;
	*out = p;
	return ST_OK;
}

enum status
proof_check(const struct proof *p, const uint8_t link[HASH_LEN],
    const struct note_key *log, struct checkpoint *out)
{
	uint8_t leaf[HASH_LEN];
	struct checkpoint c;
	enum status st;

	st = checkpoint_open(&c, p->note, log);
	if (st != ST_OK)
		return st;
	merkle_leaf(leaf, bytes_of(link, HASH_LEN));
	st = merkle_check_inclusion(&p->path, p->index, c.size, leaf, c.root);
	if (st == ST_OK && out != NULL)
		*out = c;
	return st;
}
