#include "support/tile_store.h"

#include <stdlib.h>
#include <string.h>

#include "support/expect.h"

void
tile_store_init(struct tile_store *s)
{
	*s = (struct tile_store){ .fail_after = -1 };
}

void
tile_store_free(struct tile_store *s)
{
	free(s->tile);
	tile_store_init(s);
}

struct stored_tile *
tile_store_find(struct tile_store *s, const struct tile *t)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct tile *o = &s->tile[i].t;

		if (o->entries == t->entries && o->level == t->level &&
		    o->index == t->index && o->width == t->width)
			return &s->tile[i];
	}
	return NULL;
}

static bool
fails(struct tile_store *s)
{
	if (s->fail_after < 0)
		return false;
	return s->fail_after-- == 0;
}

enum status
tile_store_fetch(void *arg, const struct tile *t, struct buf *out)
{
	struct tile_store *s = arg;
	struct stored_tile *found = tile_store_find(s, t);

	if (fails(s))
		return ST_IO;
	if (found == NULL)
		return ST_ABSENT;
	buf_add(out, found->data, found->len);
	return ST_OK;
}

enum status
tile_store_write(void *arg, const struct tile *t, struct bytes in)
{
	struct tile_store *s = arg;
	struct stored_tile *at = tile_store_find(s, t);
	struct buf path;

	if (fails(s))
		return ST_IO;
	s->writes++;
	EXPECT(in.len == t->width * (t->entries ? 34u : 32u));
	if (at != NULL) {
		EXPECT(
		    in.len == at->len && memcmp(in.p, at->data, in.len) == 0);
		return ST_OK;
	}
	if (s->count == s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->tile = realloc(s->tile, s->cap * sizeof(s->tile[0]));
		EXPECT(s->tile != NULL);
	}
	at = &s->tile[s->count++];
	at->t = *t;
	at->len = in.len;
	memcpy(at->data, in.p, in.len);
	buf_init(&path, TILE_PATH_MAX - 1);
	tile_path(t, &path);
	memcpy(at->path, buf_cstr(&path), path.len + 1);
	buf_free(&path);
	return ST_OK;
}
