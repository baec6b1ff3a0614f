#include "server/upkeep/backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "verify/verify.h"

struct backup {
	struct centre *c;
	const struct backup_config *cfg;
	struct backup_done *out;
	char *errmsg;
	struct buf partial; /* the copy's name until it is good */
};

static enum status
say(struct backup *b, enum status st, const char *what)
{
	(void)snprintf(b->errmsg, BACKUP_ERRMSG_LEN, "%s: %s: %s", b->cfg->path,
	    what, status_text(st));
	return st;
}

static const char *
partial(struct backup *b)
{
	return (const char *)b->partial.p;
}

/* Is there such a file?  A read of one byte tells. */
static bool
is_there(const struct port *port, const char *path)
{
	struct buf one;
	bool there;

	buf_init(&one, 1);
	there = port_read_file(port, path, &one) != ST_ABSENT;
	buf_free(&one);
	return there;
}

/* A name that no other backup under way has. */
static enum status
name_partial(struct backup *b)
{
	uint8_t rnd[4];
	char hex[9];

	port_random(centre_port(b->c), rnd, sizeof(rnd));
	hex_encode(hex, bytes_of(rnd, sizeof(rnd)));
	buf_printf(&b->partial, "%s.%s.partial", b->cfg->path, hex);
	return buf_cstr(&b->partial) == NULL ? b->partial.err : ST_OK;
}

static enum status
copy(struct backup *b)
{
	struct store_reader *r = NULL;
	enum status st = store_reader_open(&r, centre_store(b->c));

	if (st == ST_OK)
		st = store_backup(r, partial(b));
	store_reader_close(r);
	return st == ST_OK ? st : say(b, st, "copying the store");
}

/* What the auditor found first, in words. */
static enum status
say_damage(struct backup *b, const struct verify_report *r)
{
	const struct verify_finding *f = r->finding;

	for (size_t i = 0; i < r->finding_count; i++) {
		f = &r->finding[i];
		if (verify_is_damage(f->what))
			break;
	}
	if (f != NULL && f->has_place)
		(void)snprintf(b->errmsg, BACKUP_ERRMSG_LEN,
		    "%s: the copy is damaged at place %" PRIu64 ": %s; it was "
		    "removed.  Run check: is the store itself damaged?",
		    b->cfg->path, f->place, f->en);
	else
		(void)snprintf(b->errmsg, BACKUP_ERRMSG_LEN,
		    "%s: the copy is damaged: %s; it was removed.  Run check: "
		    "is the store itself damaged?",
		    b->cfg->path, f == NULL ? "it does not verify" : f->en);
	return ST_CORRUPT;
}

/* Read as someone reads it who does not trust us; and it must be a beginning
 * of the tree that we signed. */
static enum status
verify(struct backup *b, struct verify_report *r)
{
	struct verify_given given = { .key = *centre_log_key(b->c),
		.vfs = b->cfg->vfs };
	char why[VERIFY_ERRMSG_LEN];
	struct checkpoint cp;
	enum status st = verify_store(r, partial(b), &given, why);

	if (st != ST_OK) {
		(void)snprintf(b->errmsg, BACKUP_ERRMSG_LEN,
		    "%s: the copy cannot be read: %s; it was removed",
		    b->cfg->path, why);
		/* Whatever is wrong with it, it is no backup. */
		return st == ST_NOMEM || st == ST_IO ? st : ST_CORRUPT;
	}
	if (r->damage > 0)
		return say_damage(b, r);
	st = centre_checkpoint_at(b->c, r->size, NULL, &cp);
	if (st == ST_OK && memcmp(cp.root, r->root, HASH_LEN) != 0)
		st = ST_CORRUPT;
	if (st == ST_ABSENT)
		st = ST_CORRUPT;
	if (st != ST_OK)
		return say(b, st, "the copy is not of this log");
	b->out->size = r->size;
	memcpy(b->out->root, r->root, HASH_LEN);
	return ST_OK;
}

/* Beside it: the anchor.  Without one the backup is as good. */
static enum status
put_note(struct backup *b)
{
	struct buf note, path;
	enum status st;

	buf_init(&note, NOTE_BYTES_MAX);
	buf_init(&path, b->partial.max);
	buf_printf(&path, "%s.note", b->cfg->path);
	st = centre_checkpoint_at(b->c, b->out->size, &note, NULL);
	if (st == ST_OK && buf_cstr(&path) == NULL)
		st = path.err;
	if (st == ST_OK)
		st = port_write_file(centre_port(b->c), (const char *)path.p,
		    buf_view(&note), true);
	buf_free(&note);
	buf_free(&path);
	return st == ST_OK ? st
			   : say(b, st, "writing its checkpoint beside it");
}

static enum status
keep(struct backup *b)
{
	enum status st =
	    centre_keep(b->c, b->out->size, b->cfg->by, &b->out->raised);

	b->out->kept = centre_kept(b->c);
	return st == ST_OK
		   ? st
		   : say(b, st,
			 "the backup is good and in place, but the log could "
			 "not say so");
}

/* What an open copy leaves beside itself. */
static void
remove_partial(struct backup *b, bool all)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	struct buf path;

	for (size_t i = all ? 0 : 1; i < sizeof(ends) / sizeof(ends[0]); i++) {
		buf_init(&path, b->partial.max);
		buf_printf(&path, "%s%s", partial(b), ends[i]);
		/* What cannot be removed stays a partial file, and its name
		 * says so. */
		if (buf_cstr(&path) == NULL ||
		    port_remove_file(centre_port(b->c), (const char *)path.p) !=
			ST_OK)
			i = sizeof(ends) / sizeof(ends[0]);
		buf_free(&path);
	}
}

/* Take in what others committed, so that our tree reaches as far as the copy
 * does.  A log that is stopped has taken it all in. */
static enum status
catch_up(struct backup *b)
{
	struct commit_job nothing = { 0 };
	enum status st = committer_wait(centre_committer(b->c), &nothing);

	return st == ST_OK || st == ST_LOCKED ? ST_OK
					      : say(b, st, "following the log");
}

static enum status
make(struct backup *b)
{
	struct verify_report report;
	enum status st;

	st = copy(b);
	if (st == ST_OK)
		st = catch_up(b);
	if (st != ST_OK)
		return st;
	verify_report_init(&report);
	st = verify(b, &report);
	verify_report_free(&report);
	if (st != ST_OK)
		return st;
	remove_partial(b, false);
	st = port_move_file(centre_port(b->c), partial(b), b->cfg->path);
	if (st != ST_OK)
		return say(b, st, "giving the copy its name");
	b->out->placed = true;
	st = put_note(b);
	return st == ST_OK ? keep(b) : st;
}

enum status
backup_make(struct centre *c, const struct backup_config *cfg,
    struct backup_done *out, char errmsg[BACKUP_ERRMSG_LEN])
{
	struct backup b = { .c = c, .cfg = cfg, .out = out, .errmsg = errmsg };
	enum status st;

	memset(out, 0, sizeof(*out));
	errmsg[0] = '\0';
	out->kept = centre_kept(c);
	buf_init(&b.partial, 4096);
	st = name_partial(&b);
	if (st == ST_OK && is_there(centre_port(c), cfg->path))
		st = say(&b, ST_CONFLICT, "a backup is never written over");
	else if (st == ST_OK)
		st = make(&b);
	if (st != ST_OK && !out->placed && b.partial.err == ST_OK)
		remove_partial(&b, true);
	buf_free(&b.partial);
	return st;
}
