/*
 * desk_scan: a card is read (docs/EVIDENCE.md).
 *
 * A card is hostile: names of any bytes, links out of it, pipes that never
 * answer, folders in folders, files that end in the middle.  Everything is
 * opened below an open folder, never through a link, never waiting, for reading
 * alone.  One file is in hand at a time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/core/desk_impl.h"
#include "base/enc.h"
#include "base/sha.h"

enum {
	DEPTH_MAX = 16,
	FAILS_MAX = 8, /* in a row: nobody is there any more */
	STEP = 65536,
	SAID_EVERY = 16 << 20 /* bytes of a file between two words on it */
};
#define DAY_MS INT64_C(86400000)

struct scan {
	struct agent *a;
	const struct desk_card *card;
	desk_tell *tell;
	void *arg;
	struct desk_counts *n;
	char *path;      /* owned; of what is in hand, DESK_PATH_MAX */
	size_t root_len; /* of the folder in it */
	DIR *dir[DEPTH_MAX];
	size_t dir_len[DEPTH_MAX]; /* of its path */
	size_t depth;
	unsigned fails;
	struct desk_row *row;  /* owned; scratch */
	struct film_told told; /* scratch */
	struct buf words, doc; /* scratch */
};

static const char *const met_words[DESK_MET_COUNT] = { "read", "damaged",
	"known", "other", "no_file", "unreadable", "too_deep", "gone" };

const char *
desk_met_word(enum desk_met met)
{
	return met_words[met];
}

/* ---- telling */

/* Of what is in hand, on the card, as it can be shown; until the next call. */
static const char *
name_of(struct scan *s)
{
	const char *name = s->path + s->root_len;

	buf_reset(&s->words);
	desk_show_path(&s->words, name[0] == '/' ? name + 1 : name);
	name = buf_cstr(&s->words);
	return name == NULL ? "?" : name;
}

static void
tell(struct scan *s, enum desk_met met, const struct desk_row *row)
{
	s->n->met[met]++;
	s->fails = met == DESK_UNREADABLE ? s->fails + 1 : 0;
	buf_reset(&s->doc);
	if (row != NULL)
		desk_put_line(s->a, NULL, row, &s->doc);
	if (s->doc.err != ST_OK)
		buf_reset(&s->doc); /* a line is whole, or there is none */
	s->tell(s->arg, met, name_of(s), buf_view(&s->doc));
}

static void
say_reading(struct scan *s, uint64_t done, uint64_t size)
{
	if (s->card->reading != NULL)
		s->card->reading(s->arg, name_of(s), done, size);
}

/* ---- one file */

/* `claimed`: its size by the folder. */
static enum status
hash(struct scan *s, int fd, uint64_t claimed, struct sha256_run *sha,
    uint64_t *size)
{
	uint8_t *p = malloc(STEP);
	uint64_t said = 0;
	ssize_t n = 1;

	if (p == NULL)
		return ST_NOMEM;
	*size = 0;
	sha256_begin(sha);
	say_reading(s, 0, claimed);
	while (n > 0) {
		n = read(fd, p, STEP);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n > 0) {
			sha256_more(sha, bytes_of(p, (size_t)n));
			*size += (uint64_t)n;
		}
		if (*size - said >= SAID_EVERY) {
			said = *size;
			say_reading(s, said, claimed);
		}
	}
	free(p);
	say_reading(s, *size, *size);
	return n < 0 ? ST_IO : ST_OK;
}

static void
take_word(char out[DESK_WORD_MAX + 1], const char *word)
{
	if (word != NULL)
		memcpy(out, word, strlen(word) + 1);
}

/* Whose it is, by what was said of the card. */
static void
take_card(struct scan *s, struct desk_row *r)
{
	uint8_t digest[HASH_LEN];

	take_word(r->recorder, s->card->recorder);
	take_word(r->filmed_by, s->card->filmed_by);
	if (r->recorder[0] != '\0') {
		memcpy(r->card, "no:", 3);
		memcpy(r->card + 3, r->recorder, strlen(r->recorder) + 1);
	} else if (r->card[0] == '\0') {
		sha256(digest, bytes_of(s->path, s->root_len));
		hex_encode(r->card, bytes_of(digest, HASH_LEN));
	}
}

static bool
is_media(const char *type)
{
	return strncmp(type, "video/", 6) == 0 ||
	       strncmp(type, "audio/", 6) == 0 ||
	       strncmp(type, "image/", 6) == 0;
}

/* It has the content of a row: where it was read is kept with it. */
static enum status
keep(struct scan *s, struct desk_row *r, enum desk_met met)
{
	uint8_t place[HASH_LEN];
	enum status st;

	take_card(s, r);
	r->seen_ms = (int64_t)port_wall_ms(s->a->port);
	desk_place(r->path, r->size, r->mtime_ms, place);
	st = log_batch_begin(s->a->log);
	if (st != ST_OK)
		return st;
	st = desk_row_put(s->a, r);
	if (st == ST_OK)
		st = log_desk_read_put(s->a->log, place, r->digest);
	if (st == ST_OK)
		st = log_batch_commit(s->a->log);
	else
		log_batch_rollback(s->a->log);
	if (st == ST_OK)
		tell(s, met, r);
	return st;
}

/* Nothing new is said of the card: nothing is to be written. */
static bool
says_the_same(const struct scan *s, const struct desk_row *r)
{
	const struct desk_card *c = s->card;

	return (c->recorder == NULL || strcmp(c->recorder, r->recorder) == 0) &&
	       (c->filmed_by == NULL ||
		   strcmp(c->filmed_by, r->filmed_by) == 0);
}

/* What was read before at this place is not read again. */
static enum status
look_up(struct scan *s, const struct stat *now, int64_t mtime_ms)
{
	uint8_t place[HASH_LEN], digest[HASH_LEN];
	struct desk_row *r = s->row;
	enum status st;

	desk_place(s->path, (uint64_t)now->st_size, mtime_ms, place);
	st = log_desk_read_get(s->a->log, place, digest);
	if (st == ST_OK)
		st = desk_row_get(s->a, digest, r);
	if (st == ST_CORRUPT)
		st = ST_ABSENT;
	if (st != ST_OK)
		return st;
	if (strcmp(r->path, s->path) == 0 && says_the_same(s, r) &&
	    (int64_t)port_wall_ms(s->a->port) - r->seen_ms < DAY_MS) {
		tell(s, DESK_KNOWN, r);
		return ST_OK;
	}
	memcpy(r->path, s->path, strlen(s->path) + 1);
	return keep(s, r, DESK_KNOWN);
}

static enum status
read_new(struct scan *s, int fd, uint64_t claimed, int64_t mtime_ms)
{
	struct desk_row *r = s->row;
	uint8_t digest[HASH_LEN];
	struct sha256_run sha;
	uint64_t size;
	enum status st = hash(s, fd, claimed, &sha, &size);

	if (st == ST_IO) {
		tell(s, DESK_UNREADABLE, NULL);
		return ST_OK;
	}
	if (st != ST_OK)
		return st;
	s->n->bytes += size;
	sha256_end(&sha, digest);
	st = filmer_run(s->card->film, fd, true, &s->told);
	if (st == ST_IO) {
		/* Its own fault, not the card's: it may be made to break. */
		unsigned fails = s->fails;

		tell(s, DESK_UNREADABLE, NULL);
		s->fails = fails;
		return ST_OK;
	}
	if (st == ST_ABSENT)
		return agent_why(s->a, st,
		    "daybreak-film 缺少 libmagic 的数据库（软件包 "
		    "libmagic-mgc）",
		    "daybreak-film has no database of libmagic (package "
		    "libmagic-mgc)");
	if (st != ST_OK)
		return st;
	if (!is_media(s->told.type)) {
		tell(s, DESK_OTHER, NULL);
		return ST_OK;
	}
	/* The same content elsewhere: what was decided of it stands. */
	st = desk_row_get(s->a, digest, r);
	if (st == ST_ABSENT)
		memset(r, 0, sizeof(*r));
	else if (st != ST_OK)
		return st;
	memcpy(r->digest, digest, HASH_LEN);
	memcpy(r->path, s->path, strlen(s->path) + 1);
	r->size = size;
	r->mtime_ms = mtime_ms;
	desk_row_take(r, &s->told);
	return keep(s, r,
	    st == ST_OK  ? DESK_KNOWN
	    : r->damaged ? DESK_DAMAGED
			 : DESK_READ);
}

static int64_t
time_of(const struct stat *now)
{
	return (int64_t)now->st_mtim.tv_sec * 1000 +
	       now->st_mtim.tv_nsec / 1000000;
}

/* Its name is below the folder at `dir`. */
static enum status
one_file(struct scan *s, int dir, const char *name)
{
	int how = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	int fd = openat(dir, name, how | O_NOATIME);
	struct stat now;
	enum status st;

	if (fd < 0 && errno == EPERM) /* only its owner may leave no trace */
		fd = openat(dir, name, how);
	if (fd < 0 || fstat(fd, &now) != 0) {
		tell(s, DESK_UNREADABLE, NULL);
		st = ST_OK;
	} else if (!S_ISREG(now.st_mode)) {
		tell(s, DESK_NO_FILE, NULL);
		st = ST_OK;
	} else {
		st = look_up(s, &now, time_of(&now));
		if (st == ST_ABSENT)
			st = read_new(
			    s, fd, (uint64_t)now.st_size, time_of(&now));
	}
	if (fd >= 0)
		(void)close(fd);
	return st;
}

/* ---- the folders */

/* Put a name behind the path of the innermost folder; false: too long. */
static bool
extend(struct scan *s, const char *name)
{
	size_t at = s->dir_len[s->depth - 1], len = strlen(name);

	if (at + 1 + len > DESK_PATH_MAX) {
		s->path[at] = '\0';
		return false;
	}
	s->path[at] = '/';
	memcpy(s->path + at + 1, name, len + 1);
	return true;
}

static bool
push(struct scan *s, int fd)
{
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	s->dir[s->depth] = d;
	s->dir_len[s->depth++] = strlen(s->path);
	return true;
}

static void
enter(struct scan *s, int dir, const char *name)
{
	if (s->depth == DEPTH_MAX)
		tell(s, DESK_TOO_DEEP, NULL);
	else if (!push(s, openat(dir, name,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)))
		tell(s, DESK_UNREADABLE, NULL);
}

static enum status
one_name(struct scan *s, const char *name)
{
	int dir = dirfd(s->dir[s->depth - 1]);
	struct stat now;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return ST_OK;
	if (!extend(s, name)) {
		tell(s, DESK_TOO_DEEP, NULL);
		return ST_OK;
	}
	if (fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) != 0) {
		tell(s, DESK_UNREADABLE, NULL);
		return ST_OK;
	}
	if (S_ISDIR(now.st_mode)) {
		enter(s, dir, name);
		return ST_OK;
	}
	if (!S_ISREG(now.st_mode)) {
		tell(s, DESK_NO_FILE, NULL);
		return ST_OK;
	}
	return one_file(s, dir, name);
}

/* Somebody took the card, or what it was mounted on. */
static bool
is_gone(struct scan *s)
{
	struct stat open_one, there;
	char last;
	bool gone;

	if (s->fails == 0)
		return false;
	last = s->path[s->root_len];
	s->path[s->root_len] = '\0';
	gone = s->fails >= FAILS_MAX ||
	       fstat(dirfd(s->dir[0]), &open_one) != 0 ||
	       stat(s->path, &there) != 0 || open_one.st_dev != there.st_dev ||
	       open_one.st_ino != there.st_ino;
	s->path[s->root_len] = last;
	return gone;
}

static enum status
walk(struct scan *s)
{
	enum status st = ST_OK;

	while (st == ST_OK && s->depth > 0) {
		const struct dirent *e;

		errno = 0;
		e = readdir(s->dir[s->depth - 1]);
		if (e != NULL) {
			st = one_name(s, e->d_name);
		} else {
			s->path[s->dir_len[s->depth - 1]] = '\0';
			if (errno != 0)
				tell(s, DESK_UNREADABLE, NULL);
		}
		if (st == ST_OK && is_gone(s)) {
			s->path[s->root_len] = '\0';
			tell(s, DESK_GONE, NULL);
			return agent_why(s->a, ST_IO,
			    "存储卡已被取出：已读的都已记下，插回后再扫描即可"
			    "接着读",
			    "the card was pulled out: what was read is kept; "
			    "put it back and scan again");
		}
		if (e == NULL)
			(void)closedir(s->dir[--s->depth]);
	}
	return st;
}

/* ---- all of it */

static bool
word_ok(const char *word)
{
	return word == NULL ||
	       (word[0] != '\0' && strlen(word) <= DESK_WORD_MAX &&
		   json_text_ok(bytes_str(word)));
}

static enum status
open_card(struct scan *s)
{
	struct agent *a = s->a;

	if (!word_ok(s->card->recorder) || !word_ok(s->card->filmed_by))
		return agent_why(a, ST_INVALID, "记录仪编号或人员编号不合格",
		    "the recorder's number or the person is not well formed");
	if (s->card->film == NULL || access(s->card->film, X_OK) != 0)
		return agent_why(a, ST_ABSENT, "缺少程序 daybreak-film",
		    "the program daybreak-film is not there");
	s->path = realpath(s->card->folder, NULL);
	if (s->path != NULL) {
		char *room =
		    realloc(s->path, DESK_PATH_MAX + 1 + strlen(s->path));

		if (room == NULL)
			return ST_NOMEM;
		s->path = room;
		s->root_len = strlen(room);
	}
	s->row = calloc(1, sizeof(*s->row));
	if (s->row == NULL)
		return ST_NOMEM;
	if (s->path == NULL || s->root_len > DESK_PATH_MAX / 2 ||
	    !push(s, open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)))
		return agent_why(
		    a, ST_ABSENT, "没有这个文件夹", "there is no such folder");
	return ST_OK;
}

enum status
agent_desk_scan(struct agent *a, const struct desk_card *card, desk_tell *tell_,
    void *arg, struct desk_counts *out)
{
	struct scan *s = calloc(1, sizeof(*s));
	enum status st = s == NULL ? ST_NOMEM : agent_ready(a);

	memset(out, 0, sizeof(*out));
	if (st != ST_OK) {
		free(s);
		return st;
	}
	s->a = a;
	s->card = card;
	s->tell = tell_;
	s->arg = arg;
	s->n = out;
	buf_init(&s->words, 4 * DESK_PATH_MAX);
	buf_init(&s->doc, LOG_DESK_ROW_MAX * 2);
	st = open_card(s);
	if (st == ST_OK)
		st = desk_tidy(a);
	if (st == ST_OK)
		st = walk(s);
	while (s->depth > 0)
		(void)closedir(s->dir[--s->depth]);
	buf_free(&s->words);
	buf_free(&s->doc);
	free(s->path);
	free(s->row);
	free(s);
	/* Words of this file's own stand already. */
	if (st == ST_FULL)
		return agent_why(a, st, "存储已满：已读的都已记下",
		    "the disk is full: what was read is kept");
	return st == ST_NOMEM ? agent_why(a, st, "出错", status_text(st)) : st;
}
