/* verify_life: a verification begun and ended, and what every sort shares. */
#include <stdlib.h>
#include <string.h>

#include "verify/verify_impl.h"

enum { LINES_MAX = 1 << 30 };

void
verify_done(struct verify *v)
{
	for (size_t i = 0; i < v->descriptor_count; i++)
		free(v->descriptor[i]);
	free(v->descriptor);
	free(v->chain);
	free(v->device);
	free(v->placed);
	free(v->need);
	free(v->hold);
	free(v->hole);
	free(v->hole_said);
	free(v->returned);
	free(v->root);
	for (size_t i = 0; i < v->manifest_count; i++)
		free(v->manifest[i].key);
	free(v->manifest);
	free(v->context);
	free(v->anchor);
	free(v->restore);
	free(v->erased);
	free(v->filled);
	erasures_free(v->orders);
	entry_free(&v->e);
	buf_free(&v->lines);
	buf_free(&v->text);
	if (v->db != NULL)
		db_rollback(v->db);
	db_close(v->db);
	free(v);
}

struct verify *
verify_new(struct verify_report *out, const struct verify_given *given,
    char errmsg[VERIFY_ERRMSG_LEN])
{
	struct verify *v = calloc(1, sizeof(*v));

	errmsg[0] = '\0';
	if (v == NULL)
		return NULL;
	v->r = out;
	v->given = given;
	v->errmsg = errmsg;
	v->next_anchor = UINT64_MAX;
	frontier_init(&v->f);
	entry_init(&v->e);
	buf_init(&v->lines, LINES_MAX);
	buf_init(&v->text, 2 * DESCRIPTOR_FILE_MAX);
	return v;
}

/* ---- what every sort looks at */

bool
verify_wrong_here(
    const struct verify *v, const struct vchain *c, const struct vrow *row)
{
	const struct entry *e = &v->e;

	return memcmp(e->chain, c->id, CHAIN_LEN) != 0 || e->seq != row->seq ||
	       !bytes_eq_str(e->court, v->court) ||
	       (!c->server && (e->verb == DO_HOLD || e->verb == DO_ADMIT)) ||
	       (row->seq == 1 && strcmp(e->dev, c->dev) != 0);
}

void
verify_media(struct verify *v, struct vchain *c, const struct vrow *row)
{
	uint8_t want[HASH_LEN], got[HASH_LEN];
	enum status st;

	if (v->given->media == NULL || v->e.verb != DO_ATTACH ||
	    v->e.body_is != ENTRY_BODY_WHOLE || v->e.on_count != 1 ||
	    json_hex(&v->e.body, entry_value(&v->e, 0), want, HASH_LEN) !=
		ST_OK)
		return;
	st = v->given->media(v->given->media_arg, want, got);
	if (st == ST_ABSENT)
		v->r->media_absent++;
	if (st != ST_OK && st != ST_ABSENT)
		verify_say_at(v, VERIFY_MEDIA, row->place, c, row->seq,
		    "影像文件在，而读不出。",
		    "The file that this entry names is there and cannot be "
		    "read.");
	if (st != ST_OK)
		return;
	v->r->media++;
	if (memcmp(want, got, HASH_LEN) != 0)
		verify_say_at(v, VERIFY_MEDIA, row->place, c, row->seq,
		    "影像文件不是条目所指的：被换过。",
		    "The file is not the one that this entry names: it was "
		    "swapped.");
}

void
verify_keys(struct verify *v)
{
	if (!v->key_named)
		(void)verify_say(v->r, VERIFY_DESCRIPTOR,
		    "所给的日志公钥不是这个法院描述文件里的。",
		    "The key given is in none of this court's descriptors.");
	if (v->given->descriptor.len > 0 && !v->descriptor_pinned)
		(void)verify_say(v->r, VERIFY_DESCRIPTOR,
		    "所给的描述文件不是这个法院的任何一版。",
		    "The descriptor given is no version of this court's.");
}
