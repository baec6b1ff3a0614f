/*
 * Who must sign, and how they did.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "domain/words.h"
#include "form/form_priv.h"

/* ---- signatures */

static struct bytes
member(const struct state *st, const struct state_act *a, const char *name)
{
	uint32_t n = a->more == 0 ? 0
				  : json_get_typed(
					&st->tape, a->more, name, JSON_STRING);

	return n != 0 ? json_raw(&st->tape, n) : bytes_of(NULL, 0);
}

/* The name of who must sign: the group's name field, or the item's label. */
static void
put_name(
    struct form_run *r, const struct kind_sign *s, const struct state_item *it)
{
	struct form_piece piece = { .sort = PIECE_FIELD, .text = "" };
	struct form_text text = { .piece = &piece, .count = 1 };
	const struct kind_list *list = kind_list(r->kind, bytes_str(s->who));
	char path[PATH_BYTES_MAX + 1];

	buf_str(&r->doc->text, s->zh);
	if (it != NULL && list != NULL) {
		piece.field = kind_list_field(r->kind, list, bytes_str("name"));
		if (piece.field == NULL && list->label_count > 0)
			piece.field = kind_list_field(
			    r->kind, list, bytes_str(list->label[0]));
	} else if (it == NULL && list == NULL) {
		(void)snprintf(path, sizeof(path), "%s/name", s->who);
		piece.field = kind_field(r->kind, bytes_str(path));
	}
	if (piece.field == NULL || r->doc->blank)
		return;
	buf_str(&r->doc->text, " ");
	form_put_text(r, &text, it);
}

static void
put_how(struct form_run *r, const struct state_act *a)
{
	static const struct {
		const char *how, *zh;
	} hows[] = { { "signed", "（已签名）" },
		{ "fingerprint", "（已捺印）" }, { "refused", "拒绝签名" },
		{ "cannot", "不能签名" }, { "left", "已离场，未签名" } };
	const struct state *st = r->in->st;
	struct buf *out = &r->doc->text;
	struct bytes how = member(st, a, "how"),
		     watched = member(st, a, "watched");

	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		if (bytes_eq_str(how, hows[i].how))
			buf_str(out, hows[i].zh);
	}
	if (how.len == 0)
		buf_str(out, "（签名内容未提供）");
	if (watched.len > 0) {
		buf_str(out, "，在场见证：");
		buf_bytes(out, watched);
	}
	buf_str(out, "　");
	form_put_when(r, a->at, out);
	if (a->sign == STATE_SIGN_STALE)
		buf_str(out, "（签名后所签内容有补正，见文末）");
	else if (a->sign == STATE_SIGN_MISMATCH)
		buf_str(out, "（签名与当时所示内容不符）");
	else if (a->sign == STATE_SIGN_UNKNOWN)
		buf_str(out, "（部分内容未提供，不能核对）");
}

static void
put_signer(
    struct form_run *r, const struct kind_sign *s, const struct state_item *it)
{
	const struct state *st = r->in->st;
	struct bytes who = it != NULL ? it->path : bytes_str(s->who);
	struct form_line *l = form_line_begin(r, FORM_SIGN);
	size_t n = 0;

	form_cell_begin(r, 2, true);
	put_name(r, s, it);
	form_cell_end(r);
	form_cell_begin(r, 5, false);
	for (size_t i = 0; !r->doc->blank && i < st->act_count; i++) {
		const struct state_act *a = &st->acts[i];
		struct bytes pic;

		if (a->sign == STATE_NO_SIGN || a->is == STATE_OUT ||
		    !bytes_eq(member(st, a, "person"), who))
			continue;
		pic = member(st, a, "picture");
		l->picture = pic.len == 2 * HASH_LEN &&
			     hex_decode(l->sha256, HASH_LEN, pic) == ST_OK;
		buf_str(&r->doc->text, n++ > 0 ? "；" : "");
		put_how(r, a);
	}
	if (n == 0 && !r->doc->blank)
		buf_str(&r->doc->text, "（未签名）");
	form_cell_end(r);
}

static void
put_signers(struct form_run *r, const struct kind_sign *s)
{
	const struct state_item **items;
	size_t count;

	if (!s->each) {
		put_signer(r, s, NULL);
		return;
	}
	if (r->doc->blank) {
		for (int i = 0; i < 2; i++)
			put_signer(r, s, NULL);
		return;
	}
	items = form_items(r, s->who, &count);
	for (size_t i = 0; i < count; i++) {
		if (items[i]->is != STATE_OUT)
			put_signer(r, s, items[i]);
	}
	free(items);
}

void
form_fill_signs(struct form_run *r, const struct form_block *b)
{
	for (size_t i = 0; i < b->sign_count && r->err == ST_OK; i++)
		put_signers(r, b->sign[i]);
}
