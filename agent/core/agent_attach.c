/*
 * agent_attach: a file becomes part of the record (docs/EVIDENCE.md).
 *
 * Order of durability: the sealed file under its name; then, in one
 * transaction, its row (with the key) and the `attach` entry.  A crash before
 * the transaction leaves a file that no row knows, and nothing in the record.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/blob/blob_file.h"
#include "agent/core/blobs.h"
#include "agent/core/evidence.h"
#include "base/enc.h"

enum { NAME_MAX_LEN = 255, THUMB_MAX = 6144 };

struct agent_attach {
	struct agent *a;
	struct blob_writer *w;
	struct agent_edit edit;
	int film; /* borrowed: what can be asked of itself; -1: nothing */
};

static enum status
blob_why(struct agent *a, enum status st)
{
	if (st == ST_FULL)
		return agent_why(a, st, "存储已满：附件未保存，请先清理空间",
		    "the disk is full: the attachment was not saved; make room "
		    "first");
	if (st == ST_LIMIT)
		return agent_why(
		    a, st, "文件过大", "the file is too large to be attached");
	return agent_why(a, st, "附件未能保存", status_text(st));
}

static enum status
begin(struct agent *a, const char *rec, bool bulk, struct agent_attach **out)
{
	struct agent_attach *t;
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	if (a->blobs == NULL)
		return agent_why(a, ST_ABSENT, "本机没有存放附件的文件夹",
		    "this device has no folder for attachments");
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return blob_why(a, ST_NOMEM);
	t->a = a;
	t->film = -1;
	st = agent_edit_begin(a, rec, &t->edit);
	if (st == ST_OK) {
		st = blob_writer_new(&t->w, a->blobs_dir, bulk, a->port);
		if (st != ST_OK)
			st = blob_why(a, st);
	}
	if (st != ST_OK) {
		free(t);
		return st;
	}
	*out = t;
	return ST_OK;
}

enum status
agent_attach_begin(struct agent *a, const char *rec, struct agent_attach **out)
{
	return begin(a, rec, false, out);
}

enum status
agent_attach_write(struct agent_attach *t, struct bytes in)
{
	return blob_writer_add(t->w, in);
}

void
agent_attach_abort(struct agent_attach *t)
{
	if (t == NULL)
		return;
	blob_writer_abort(t->w);
	free(t);
}

/* ---- what is said of it */

/* A number of degrees as it is written: "-33.8688". */
static bool
degrees_ok(const char *s, unsigned most)
{
	size_t i = s[0] == '-', from = i, dots = 0;
	unsigned whole = 0;

	for (; s[i] != '\0'; i++) {
		if (s[i] == '.' && i > from && dots == 0 && s[i + 1] != '\0')
			dots++;
		else if (s[i] < '0' || s[i] > '9')
			return false;
		else if (dots == 0)
			whole = whole * 10 + (unsigned)(s[i] - '0');
		if (i > 16 || whole > 1000)
			return false;
	}
	return i > from && whole <= most;
}

static bool
about_ok(const struct agent_about *b)
{
	uint8_t id[ID_LEN];
	int64_t ms;
	int off;

	if (b->taken != NULL &&
	    at_parse(&ms, &off, bytes_str(b->taken)) != ST_OK)
		return false;
	if ((b->lat == NULL) != (b->lon == NULL) ||
	    (b->lat != NULL &&
		(!degrees_ok(b->lat, 90) || !degrees_ok(b->lon, 180))))
		return false;
	if ((b->recorder != NULL && !json_text_ok(bytes_str(b->recorder))) ||
	    (b->filmed_by != NULL && !json_text_ok(bytes_str(b->filmed_by))))
		return false;
	if ((b->of == NULL) != (b->made == NULL))
		return false;
	return b->of == NULL ||
	       (hex_decode(id, ID_LEN, bytes_str(b->of)) == ST_OK &&
		   (strcmp(b->made, "masked") == 0 ||
		       strcmp(b->made, "cut") == 0 ||
		       strcmp(b->made, "copied") == 0));
}

static void
put_text(struct buf *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buf_printf(out, ",\"%s\":", name);
	json_put_str(out, text);
}

/* The last part of a name, cut at 255 bytes between characters; left out if it
 * is none that can stand in JSON. */
static void
put_name(struct buf *out, const char *name)
{
	const char *slash = name == NULL ? NULL : strrchr(name, '/');
	struct bytes last = bytes_str(slash != NULL  ? slash + 1
				      : name == NULL ? ""
						     : name);

	if (last.len > NAME_MAX_LEN) {
		last.len = NAME_MAX_LEN;
		while (last.len > 0 && (last.p[last.len] & 0xc0) == 0x80)
			last.len--;
	}
	if (last.len == 0 || !json_text_ok(last))
		return;
	buf_str(out, ",\"name\":");
	json_put_string(out, last);
}

static void
put_more(struct buf *out, const struct agent_about *b, const char *type,
    uint64_t size, const struct buf *thumb)
{
	buf_printf(out, "{\"size\":%llu,\"type\":", (unsigned long long)size);
	json_put_str(out, type);
	put_text(out, "taken", b->taken);
	if (b->has_clock_off)
		buf_printf(
		    out, ",\"clock_off_ms\":%lld", (long long)b->clock_off_ms);
	put_text(out, "taken_from",
	    b->taken_from_file   ? "file"
	    : b->taken_from_film ? "recording"
				 : NULL);
	put_text(out, "clock", b->clock);
	if (b->clock != NULL)
		buf_printf(out, ",\"clock_at_ms\":%llu",
		    (unsigned long long)b->clock_at_ms);
	put_text(out, "clock_in", b->clock_in);
	if (b->has_ms)
		buf_printf(out, ",\"ms\":%llu", (unsigned long long)b->ms);
	put_text(out, "recorder", b->recorder);
	put_text(out, "filmed_by", b->filmed_by);
	put_text(out, "lat", b->lat);
	put_text(out, "lon", b->lon);
	if (b->has_fix)
		buf_printf(out, ",\"acc_m\":%llu,\"fix_age_s\":%llu",
		    (unsigned long long)b->acc_m,
		    (unsigned long long)b->fix_age_s);
	put_name(out, b->name);
	put_text(out, "of", b->of);
	put_text(out, "made", b->made);
	if (b->urgent)
		buf_str(out, ",\"urgent\":true");
	if (thumb->len > 0 && thumb->len <= THUMB_MAX) {
		uint8_t *text;

		buf_str(out, ",\"thumb\":\"");
		/* base64_encode ends with a NUL, which the quote overwrites. */
		text = buf_extend(out, (thumb->len + 2) / 3 * 4 + 1);
		if (text != NULL) {
			base64_encode((char *)text, buf_view(thumb));
			out->p[out->len - 1] = '"';
		}
	}
	buf_u8(out, '}');
}

/* ---- saving */

/* Row and entry, together or not at all. */
static enum status
commit(struct agent_attach *t, const struct agent_about *about,
    struct log_blob *row, bool fresh, struct bytes more, uint8_t id[ID_LEN])
{
	struct agent *a = t->a;
	enum status st = agent_batch_begin(a), end;

	if (st != ST_OK)
		return st;
	st = blobs_entry(a, &t->edit, about->on, row->digest, more, id);
	if (st == ST_OK) {
		if (fresh)
			memcpy(row->entry, id, ID_LEN);
		st = log_blob_put(a->log, row);
		if (st != ST_OK)
			st = blob_why(a, st);
	}
	if (st != ST_OK)
		log_batch_rollback(a->log);
	end = st == ST_OK ? agent_batch_end(a) : agent_show_again(a);
	return st == ST_OK ? end : st;
}

/* A row for bytes that are new here, or take the place of lost ones. */
static void
fill_row(struct log_blob *row, const struct agent_attach *t,
    const struct blob_made *made, const char *type)
{
	memset(row, 0, sizeof(*row));
	memcpy(row->id, made->id, BLOB_ID_LEN);
	memcpy(row->key, made->key, SEAL_KEY_LEN);
	memcpy(row->digest, made->digest, HASH_LEN);
	row->size = made->size;
	row->made_ms = port_wall_ms(t->a->port);
	memcpy(row->rec, t->edit.rec, REC_LEN);
	memcpy(row->type, type, strlen(type) + 1);
	row->state = BLOB_NAMED;
}

static bool
bytes_are_here(const struct blob *b)
{
	return b != NULL && b->row.state != BLOB_LOST &&
	       b->row.state != BLOB_PURGED && b->row.state != BLOB_MISMATCHED;
}

static enum status
look(struct agent *a, const struct blob_made *made,
    char type[LOG_BLOB_TYPE_MAX + 1], struct buf *thumb)
{
	struct blob_reader *r = NULL;
	enum status st =
	    blob_reader_open(&r, a->blobs_dir, made->id, made->key, made->size);

	if (st != ST_OK)
		return blob_why(a, st);
	looker_run(a->look, r, made->size, type, thumb);
	blob_reader_close(r);
	return ST_OK;
}

/* The sealed file is there: name it. */
static enum status
name_it(struct agent_attach *t, const struct agent_about *said,
    const struct blob_made *made, uint8_t id[ID_LEN])
{
	struct agent_about about = *said;
	struct blob *there = blobs_find(t->a, made->digest);
	bool fresh = !bytes_are_here(there);
	char type[LOG_BLOB_TYPE_MAX + 1], taken[ATTACH_TAKEN_BYTES];
	struct buf thumb, more;
	struct log_blob row;
	enum status st;

	buf_init(&thumb, THUMB_MAX);
	buf_init(&more, ENTRY_BYTES_MAX);
	if (about.digest != NULL &&
	    memcmp(about.digest, made->digest, HASH_LEN) != 0)
		st = agent_why(t->a, ST_CONFLICT, "文件内容已变，未附上",
		    "the file's bytes are not those that were read before: it "
		    "is not attached");
	else
		st = look(t->a, made, type, &thumb);
	if (st == ST_OK)
		st = attach_ask_film(t->a, t->film, type, &about, taken);
	if (st == ST_OK) {
		if (fresh)
			fill_row(&row, t, made, type);
		else
			row = there->row;
		/* Purged here, kept there: nothing is to be sent again. */
		if (there != NULL && there->row.state == BLOB_PURGED) {
			row.state = BLOB_STORED;
			row.place = there->row.place;
			row.sent = row.size;
		}
		row.urgent = row.urgent || about.urgent;
		put_more(&more, &about, type, made->size, &thumb);
		st = more.err;
	}
	if (st == ST_OK)
		st = commit(t, &about, &row, fresh, buf_view(&more), id);
	/* The list in memory follows the disk. */
	if (st == ST_OK)
		st = blobs_take(t->a, &row);
	if ((st != ST_OK || !fresh) &&
	    blob_remove(t->a->blobs_dir, made->id) == ST_NOMEM)
		st = ST_NOMEM;
	sodium_memzero(&row, sizeof(row));
	buf_free(&thumb);
	buf_free(&more);
	return st;
}

enum status
agent_attach_end(
    struct agent_attach *t, const struct agent_about *about, uint8_t id[ID_LEN])
{
	static const struct agent_about nothing;
	struct agent *a = t->a;
	struct blob_made made;
	enum status st = agent_ready(a);

	about = about == NULL ? &nothing : about;
	if (st == ST_OK && !about_ok(about))
		st = agent_why(a, ST_INVALID, "附件的时间、位置或来源不合格式",
		    "time, place or origin of the attachment are not well "
		    "formed");
	if (st != ST_OK) {
		agent_attach_abort(t);
		return st;
	}
	st = blob_writer_end(t->w, &made);
	t->w = NULL;
	st = st == ST_OK ? name_it(t, about, &made, id) : blob_why(a, st);
	sodium_memzero(&made, sizeof(made));
	free(t);
	return st;
}

enum status
agent_attach_known(struct agent *a, const char *rec,
    const uint8_t digest[HASH_LEN], const struct agent_about *about,
    uint8_t id[ID_LEN])
{
	struct agent_attach t = { .a = a };
	struct buf thumb, more;
	struct log_blob row;
	const struct blob *b;
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	b = a->blobs == NULL ? NULL : blobs_find(a, digest);
	if (b == NULL || b->row.state == BLOB_LOST)
		return agent_why(a, ST_ABSENT, "本机没有这个文件",
		    "no such file on this device");
	if (!about_ok(about))
		return agent_why(a, ST_INVALID,
		    "附件的时间、位置或来源不合格式",
		    "time, place or origin of the attachment are not well "
		    "formed");
	row = b->row;
	buf_init(&thumb, THUMB_MAX);
	buf_init(&more, ENTRY_BYTES_MAX);
	st = agent_edit_begin(a, rec, &t.edit);
	if (st == ST_OK) {
		put_more(&more, about, row.type, row.size, &thumb);
		st = more.err;
	}
	if (st == ST_OK)
		st = commit(&t, about, &row, false, buf_view(&more), id);
	sodium_memzero(&row, sizeof(row));
	buf_free(&more);
	return st;
}

/* ---- all at once */

static enum status
copy_in(struct agent_attach *t, int fd)
{
	uint8_t *p = malloc(BLOB_PIECE);
	enum status st = p == NULL ? ST_NOMEM : ST_OK;
	ssize_t n = 1;

	while (st == ST_OK && n > 0) {
		n = read(fd, p, BLOB_PIECE);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		st = n < 0 ? ST_IO
			   : agent_attach_write(t, bytes_of(p, (size_t)n));
	}
	if (p != NULL)
		sodium_memzero(p, BLOB_PIECE);
	free(p);
	return st;
}

enum status
agent_attach_fd(struct agent *a, const char *rec, int fd,
    const struct agent_about *about, uint8_t id[ID_LEN])
{
	struct agent_attach *t = NULL;
	enum status st = begin(a, rec, true, &t);

	if (st != ST_OK)
		return st;
	if (lseek(fd, 0, SEEK_CUR) == 0)
		t->film = fd;
	st = copy_in(t, fd);
	if (st == ST_OK)
		return agent_attach_end(t, about, id);
	agent_attach_abort(t);
	return st == ST_IO ? agent_why(a, st, "读取文件出错，附件未保存",
				 "the file could not be read to its end; "
				 "nothing was attached")
			   : blob_why(a, st);
}

enum status
agent_attach_path(struct agent *a, const char *rec, const char *path,
    const struct agent_about *about, uint8_t id[ID_LEN])
{
	struct agent_about b = { .on = NULL };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum status st;

	if (about != NULL)
		b = *about;
	if (b.name == NULL)
		b.name = path;
	if (fd < 0)
		return agent_why(a, errno == ENOENT ? ST_ABSENT : ST_IO,
		    "无法打开文件", "the file cannot be opened");
	st = agent_attach_fd(a, rec, fd, &b, id);
	(void)close(fd);
	return st;
}
