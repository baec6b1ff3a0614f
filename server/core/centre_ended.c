/* centre_ended: logs of this court that ended in a restore. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/centre_folder.h"
#include "server/core/centre_inner.h"
#include "tlog/text.h"

enum { LINE_MAX_LEN = NOTE_VKEY_MAX + 64 };

void
ended_log_line(struct buf *out, const struct ended_log *e, uint64_t place)
{
	note_key_format(&e->key, out);
	buf_printf(out, " %" PRIu64 " %" PRIu64 "\n", e->kept, place);
}

/* The next word of a line. */
static struct bytes
take_word(struct bytes *line)
{
	const uint8_t *sp =
	    line->len == 0 ? NULL : memchr(line->p, ' ', line->len);
	struct bytes word = *line;

	if (sp == NULL) {
		*line = (struct bytes){ NULL, 0 };
		return word;
	}
	word.len = (size_t)(sp - line->p);
	*line = bytes_of(sp + 1, line->len - word.len - 1);
	return word;
}

/* "<vkey> <kept> <place>", without its LF. */
static enum status
read_line(struct ended_log *out, struct bytes line)
{
	uint64_t place;
	enum status st = note_key_parse(&out->key, take_word(&line));

	if (st == ST_OK)
		st = text_decimal(&out->kept, take_word(&line), INT64_MAX);
	if (st == ST_OK)
		st = text_decimal(&place, line, INT64_MAX);
	return st == ST_INVALID ? ST_CORRUPT : st;
}

static enum status
read_all(struct ended_log *list, size_t *count, struct bytes in)
{
	struct bytes line;
	enum status st = ST_OK;

	*count = 0;
	while (st == ST_OK && text_line(&in, &line))
		st = *count == ENDED_LOGS_MAX
			 ? ST_CORRUPT
			 : read_line(&list[(*count)++], line);
	return st == ST_OK && in.len > 0 ? ST_CORRUPT : st;
}

enum status
centre_ended_load(struct centre *c, struct store_reader *r)
{
	struct ended_log *list = calloc(ENDED_LOGS_MAX, sizeof(*list)), *old;
	size_t count = 0;
	enum status st;
	struct buf b;

	if (list == NULL)
		return ST_NOMEM;
	buf_init(&b, (size_t)ENDED_LOGS_MAX * LINE_MAX_LEN);
	st = store_meta(r, META_RESTORES, &b);
	if (st == ST_ABSENT)
		st = ST_OK;
	if (st == ST_OK)
		st = read_all(list, &count, buf_view(&b));
	buf_free(&b);
	if (st != ST_OK) {
		free(list);
		return st;
	}
	(void)pthread_mutex_lock(&c->lock);
	old = c->ended;
	c->ended = list;
	c->ended_count = count;
	(void)pthread_mutex_unlock(&c->lock);
	free(old);
	return ST_OK;
}

bool
centre_restored(struct centre *c, uint64_t *kept)
{
	bool any;

	(void)pthread_mutex_lock(&c->lock);
	any = c->ended_count > 0;
	*kept = any ? c->ended[c->ended_count - 1].kept : 0;
	(void)pthread_mutex_unlock(&c->lock);
	return any;
}

uint64_t
centre_ended_kept(struct centre *c)
{
	uint64_t kept = 0;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->ended_count; i++)
		kept = c->ended[i].kept > kept ? c->ended[i].kept : kept;
	(void)pthread_mutex_unlock(&c->lock);
	return kept;
}

bool
centre_ended_note(
    struct centre *c, struct bytes note, struct checkpoint *cp, uint64_t *kept)
{
	bool found = false;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->ended_count && !found; i++) {
		found = checkpoint_open(cp, note, &c->ended[i].key) == ST_OK;
		*kept = c->ended[i].kept;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}
