/*
 * Recorders' cards at a desk.  Instead of daybreak-film runs `cat`: what a file
 * of these cards holds is what would be told of it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/core/desk_impl.h"
#include "agent/core/view_desk.h"
#include "base/enc.h"
#include "db/db.h"
#include "domain/footage.h"
#include "domain/state.h"
#include "entry/json.h"
#include "support/bureau.h"
#include "support/expect.h"

#define MINUTE INT64_C(60000)

static struct bureau b;
static struct agent *a;
static struct tmpdir card;
static char rec[REC_LEN + 1];
static int64_t began, ended; /* of the search */

static int64_t
now(void)
{
	return (int64_t)port_wall_ms(&b.ct.clock.port);
}

static void
set(const char *of, enum verb verb, const char *const *on, size_t count,
    const char *data, uint8_t id[ID_LEN])
{
	struct bytes names[4];
	struct agent_act act = { .verb = verb,
		.on = names,
		.on_count = count,
		.data = bytes_str(data) };
	struct agent_edit edit;

	for (size_t i = 0; i < count; i++)
		names[i] = bytes_str(on[i]);
	EXPECT_OK(agent_edit_begin(a, of, &edit));
	EXPECT_OK(agent_append(a, &edit, &act, id));
}

/* A search of twenty minutes that began ten minutes ago, with recorder R-7 worn
 * by p007. */
static int
set_up(void **state)
{
	static const char *const times[] = { "started_at", "ended_at" };
	static const char *const ran[] = { "recorders", "device", "officer" };
	char data[256], from[32], until[32];
	uint8_t id[ID_LEN];

	(void)state;
	bureau_make(&b);
	tmpdir_make(&card);
	a = bureau_join(&b, 0, "p001", "甲");
	bureau_record(a, "search", "target", "[\"现金\"]", rec);
	began = now() / 1000 * 1000 - 10 * MINUTE;
	ended = began + 20 * MINUTE;
	at_format(from, (uint64_t)began, 480);
	at_format(until, (uint64_t)ended, 480);
	(void)snprintf(data, sizeof(data), "[\"%s\",\"%s\"]", from, until);
	set(rec, DO_SET, times, 2, data, id);
	set(rec, DO_ADD, ran, 3, "[null,\"R-7\",\"p007\"]", id);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tmpdir_remove(&card);
	bureau_end(&b);
	return 0;
}

static void
put(const char *name, const char *told)
{
	EXPECT_OK(port_write_file(
	    port_system(), tmpdir_file(&card, name), bytes_str(told), false));
}

/* A film of so many seconds, made then by its recorder's clock; `more` is what
 * else is told. */
static void
put_film(const char *name, int64_t made_ms, int seconds, const char *more)
{
	char told[4096];

	(void)snprintf(told, sizeof(told),
	    "video/mp4\nmade %lld\nlength %d\n%s", (long long)made_ms,
	    seconds * 1000, more);
	put(name, told);
}

static void
no_tell(void *arg, enum desk_met met, const char *name, struct bytes doc)
{
	(void)arg;
	(void)met;
	(void)name;
	(void)doc;
}

/* A folder of the card's, or all of it. */
static struct desk_counts
scan_in(const char *folder, const char *recorder, const char *filmed_by)
{
	struct desk_card c = { .folder = folder,
		.recorder = recorder,
		.filmed_by = filmed_by,
		.film = "/bin/cat" };
	struct desk_counts n;

	EXPECT_OK(agent_desk_scan(a, &c, no_tell, NULL, &n));
	return n;
}

static struct desk_counts
scan(const char *recorder, const char *filmed_by)
{
	return scan_in(card.path, recorder, filmed_by);
}

/* The line of the list about a file; "" if there is none. */
static const char *
line_of(const char *name)
{
	static char line[16384];
	struct buf out;
	const char *at, *from;

	buf_init(&out, 1 << 22);
	EXPECT_OK(agent_desk_list(a, NULL, &out));
	line[0] = '\0';
	for (from = buf_cstr(&out); from != NULL && *from != '\0';) {
		at = strchr(from, '\n');
		EXPECT(at != NULL && (size_t)(at - from) < sizeof(line));
		memcpy(line, from, (size_t)(at - from));
		line[at - from] = '\0';
		if (strstr(line, name) != NULL)
			break;
		line[0] = '\0';
		from = at + 1;
	}
	buf_free(&out);
	return line;
}

static bool
has(const char *name, const char *what)
{
	const char *line = line_of(name);

	if (strstr(line, what) != NULL)
		return true;
	print_error("%s has no %s\n", line, what);
	return false;
}

/* ---- proposals */

/* Catches a film proposed for an act it cannot show, or not for one it can. */
static void
test_desk_a_film_is_proposed_from_five_minutes_before_to_five_after(
    void **state)
{
	(void)state;
	put_film("early.mp4", began - 5 * MINUTE - 60001, 60, "");
	put_film("first.mp4", began - 5 * MINUTE - 60000, 60, "");
	put_film("last.mp4", ended + 5 * MINUTE, 60, "");
	put_film("late.mp4", ended + 5 * MINUTE + 1, 60, "");
	put_film("over.mp4", began - 60 * MINUTE, 3 * 3600, "");
	EXPECT(scan(NULL, NULL).met[DESK_READ] == 5);
	EXPECT(has("early.mp4", "\"proposed\":[]"));
	EXPECT(has("first.mp4", rec));
	EXPECT(has("last.mp4", rec));
	EXPECT(has("late.mp4", "\"proposed\":[]"));
	EXPECT(has("over.mp4", rec));
}

/* Catches "sure" said of what is only likely. */
static void
test_desk_says_how_sure_it_is(void **state)
{
	struct agent_clock k;
	char text[CLOCK_TEXT_MAX + 1], seen[160];
	uint64_t wall;

	(void)state;
	put_film("A.mp4", began, 60, "");
	(void)scan(NULL, NULL);
	EXPECT(has("A.mp4", "\"as\":\"possible\""));
	(void)scan("R-9", "p009");
	EXPECT(has("A.mp4", "\"as\":\"possible\""));
	(void)scan("R-7", NULL);
	EXPECT(has("A.mp4", "\"as\":\"likely\""));
	EXPECT(has("A.mp4", "\"on\":\"recorders/@"));
	(void)scan("R-9", "p001"); /* who wrote in it took part */
	EXPECT(has("A.mp4", "\"as\":\"likely\""));
	EXPECT(has("A.mp4", "\"clock\":\"unchecked\""));
	EXPECT_OK(agent_clock_begin(a, rec, &k));
	agent_clock_text(a, &k, text, &wall);
	(void)snprintf(seen, sizeof(seen), "code 1000 %s\n", text);
	put_film("B.mp4", (int64_t)wall - 1000 - 77, 60, seen);
	(void)scan("R-7", NULL);
	EXPECT(has("B.mp4", "\"as\":\"sure\""));
	EXPECT(has("A.mp4", "\"as\":\"sure\""));
	EXPECT(has("A.mp4", "\"clock_off_ms\":77"));
	/* Of another recorder that clock says nothing. */
	EXPECT(mkdir(tmpdir_file(&card, "other"), 0700) == 0);
	put_film("other/C.mp4", began, 61, "");
	(void)scan_in(tmpdir_file(&card, "other"), "R-8", "p007");
	EXPECT(has("C.mp4", "\"clock\":\"unchecked\""));
}

/* Catches a header that claims years, and so a film proposed for every record
 * since. */
static void
test_desk_believes_no_length_beyond_a_day(void **state)
{
	(void)state;
	put_film("day.mp4", began - 86400000, 86400, "");
	put_film("years.mp4", began - 86400001, 86401, "");
	EXPECT(scan(NULL, NULL).met[DESK_DAMAGED] == 1);
	EXPECT(has("day.mp4", rec));
	EXPECT(has("years.mp4", "\"damaged\":true"));
	EXPECT(has("years.mp4", "\"proposed\":[]"));
	EXPECT(strstr(line_of("years.mp4"), "length_ms") == NULL);
}

struct heard {
	uint64_t readings, last, size;
	size_t seen, unchecked;
};

static void
hear_reading(void *arg, const char *name, uint64_t done, uint64_t size)
{
	struct heard *h = arg;

	EXPECT(strcmp(name, "A.mp4") == 0);
	h->readings++;
	h->last = done;
	h->size = size;
}

static void
hear_met(void *arg, enum desk_met met, const char *name, struct bytes doc)
{
	struct heard *h = arg;
	char line[4096];

	(void)met;
	(void)name;
	EXPECT(doc.len < sizeof(line));
	memcpy(line, doc.p, doc.len);
	line[doc.len] = '\0';
	h->seen += strstr(line, "\"seen\":1") != NULL;
	h->unchecked += strstr(line, "\"clock\"") != NULL;
}

/* Catches a desk that says nothing while a large file is read, or that calls a
 * clock unchecked before it has looked at the card. */
static void
test_desk_says_what_it_is_at(void **state)
{
	struct heard h = { .readings = 0 };
	struct agent_clock k;
	char text[CLOCK_TEXT_MAX + 1], seen[160];
	struct desk_card c = {
		.folder = card.path, .film = "/bin/cat", .reading = hear_reading
	};
	struct desk_counts n;
	uint64_t wall;

	(void)state;
	EXPECT_OK(agent_clock_begin(a, rec, &k));
	agent_clock_text(a, &k, text, &wall);
	(void)snprintf(seen, sizeof(seen), "code 1000 %s\n", text);
	put_film("A.mp4", (int64_t)wall, 60, seen);
	EXPECT_OK(agent_desk_scan(a, &c, hear_met, &h, &n));
	EXPECT(n.met[DESK_READ] == 1 && h.readings == 2);
	EXPECT(h.last == n.bytes && h.size == n.bytes);
	EXPECT(h.seen == 1 && h.unchecked == 0);
	EXPECT(has("A.mp4", "\"clock\":\"code\""));
}

/* ---- clock codes */

static void
put_code(const char *name, int64_t made, const struct agent_clock *k,
    const char *dev, uint64_t wall, uint64_t at)
{
	char seen[200];

	(void)snprintf(seen, sizeof(seen), "code %llu DBK1:%s:%llu:%s\n",
	    (unsigned long long)at, dev == NULL ? k->dev : dev,
	    (unsigned long long)wall, k->nonce);
	for (char *p = strstr(seen, "DBK1"); *p != '\0'; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	put_film(name, made, 60, seen);
}

static uint64_t
note_wall(const struct agent_clock *k)
{
	struct entry e;
	struct buf raw;
	unsigned flags;
	uint64_t wall;

	buf_init(&raw, ENTRY_BYTES_MAX);
	entry_init(&e);
	EXPECT_OK(view_whole(a->view, k->entry, &flags, &raw));
	EXPECT_OK(entry_parse(&e, buf_view(&raw)));
	EXPECT(e.verb == DO_NOTE);
	wall = e.wall;
	entry_free(&e);
	buf_free(&raw);
	return wall;
}

/* Catches an offset by a code that no entry binds: made up, or shown later. */
static void
test_desk_a_code_counts_only_as_its_note_says(void **state)
{
	static const char *const stranger = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct agent_clock k;
	uint64_t wall;

	(void)state;
	EXPECT_OK(agent_clock_begin(a, rec, &k));
	wall = note_wall(&k);
	put_code("good.mp4", began, &k, NULL, wall, 0);
	put_code("end.mp4", began, &k, NULL, wall + CLOCK_SHOWN_MS, 1);
	put_code("before.mp4", began, &k, NULL, wall - 1, 2);
	put_code("after.mp4", began, &k, NULL, wall + CLOCK_SHOWN_MS + 1, 3);
	put_code("dev.mp4", began, &k, stranger, wall, 4);
	k.nonce[0] = k.nonce[0] == 'a' ? 'b' : 'a';
	put_code("nonce.mp4", began, &k, NULL, wall, 5);
	/* Each by itself: a recorder of its own. */
	EXPECT(scan(NULL, NULL).met[DESK_READ] == 6);
	EXPECT(has("good.mp4", "\"codes\":0"));
	EXPECT(has("end.mp4", "\"codes\":0"));
	EXPECT(has("before.mp4", "\"codes\":1"));
	EXPECT(has("after.mp4", "\"codes\":1"));
	EXPECT(has("dev.mp4", "\"codes\":1"));
	EXPECT(has("nonce.mp4", "\"codes\":1"));
}

/* Catches an offset by the worst sighting, by a far one, or by a hand where a
 * code is. */
static void
test_desk_takes_the_nearest_sighting(void **state)
{
	struct agent_clock k, later;
	char seen[400];
	uint64_t wall, wall2;

	(void)state;
	EXPECT_OK(agent_clock_begin(a, rec, &k));
	wall = note_wall(&k);
	/* A code of the same second in three pictures, and the next. */
	(void)snprintf(seen, sizeof(seen),
	    "code 2900 DBK1:%s:%llu:%s\ncode 2200 DBK1:%s:%llu:%s\n"
	    "code 4500 DBK1:%s:%llu:%s\n",
	    k.dev, (unsigned long long)wall, k.nonce, k.dev,
	    (unsigned long long)wall, k.nonce, k.dev,
	    (unsigned long long)(wall + 1000), k.nonce);
	for (char *p = strstr(seen, "DBK1"); p != NULL; p = strstr(p, "DBK1")) {
		for (; *p != '\n'; p++)
			*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	}
	put_film("A.mp4", (int64_t)wall, 60, seen);
	EXPECT(scan("R-7", NULL).met[DESK_READ] == 1);
	EXPECT(has("A.mp4", "\"clock_off_ms\":-2200"));
	/* A battery later the clock is another. */
	b.ct.clock.wall_shift_ms += 60 * MINUTE;
	EXPECT_OK(agent_clock_begin(a, rec, &later));
	wall2 = note_wall(&later);
	put_code("Z.mp4", (int64_t)wall2 + 7000, &later, NULL, wall2, 1000);
	put_film("near-A.mp4", (int64_t)wall + 10 * MINUTE, 9, "");
	put_film("near-Z.mp4", (int64_t)wall2 - 10 * MINUTE, 8, "");
	(void)scan("R-7", NULL);
	EXPECT(has("near-A.mp4", "\"clock_off_ms\":-2200"));
	EXPECT(has("near-Z.mp4", "\"clock_off_ms\":-8000"));
	/* Days later nobody has looked at that clock. */
	put_film("day.mp4", (int64_t)wall2 + 7000 + 86400000, 7, "");
	put_film("days.mp4", (int64_t)wall2 + 7001 + 86400000, 6, "");
	(void)scan("R-7", NULL);
	EXPECT(has("day.mp4", "\"clock_off_ms\":-8000"));
	EXPECT(has("days.mp4", "\"clock\":\"unchecked\""));
	/* A code proves more than a hand, however near. */
	{
		char digest[9];

		(void)snprintf(digest, sizeof(digest), "%.8s",
		    strstr(line_of("near-A.mp4"), "\"digest\":\"") + 10);
		EXPECT_OK(agent_desk_clock(
		    a, digest, 0, "2026-11-24T05:00:00+08:00"));
		EXPECT(has("near-A.mp4", "\"clock\":\"code\""));
		EXPECT(has("near-A.mp4", "\"clock_off_ms\":-2200"));
	}
	/* Somebody's reading counts where no code was seen. */
	EXPECT(mkdir(tmpdir_file(&card, "other"), 0700) == 0);
	put_film("other/H.mp4", began, 30, "");
	(void)scan_in(tmpdir_file(&card, "other"), "R-5", NULL);
	{
		char digest[9], at[32];

		(void)snprintf(digest, sizeof(digest), "%.8s",
		    strstr(line_of("H.mp4"), "\"digest\":\"") + 10);
		at_format(at, (uint64_t)began + 90000, 480);
		EXPECT_OK(agent_desk_clock(a, digest, 30000, at));
		EXPECT(has("H.mp4", "\"clock\":\"hand\""));
		EXPECT(has("H.mp4", "\"clock_off_ms\":60000"));
		EXPECT_ST(agent_desk_clock(a, digest, 30001, at), ST_INVALID);
		EXPECT_ST(agent_desk_clock(a, digest, 1, "5:10"), ST_INVALID);
	}
}

static void
count_done(void *arg, const char *digest, const char *to, enum status st,
    const char *id)
{
	size_t *n = arg;

	(void)digest;
	EXPECT(st == ST_OK && strcmp(to, rec) == 0 && id != NULL);
	(*n)++;
}

/* Catches a code that was kept, and shown to a recorder a week later, by which
 * what is filmed now is attached to last week's act unseen. */
static void
test_desk_a_clock_further_off_than_any_zone_makes_nothing_sure(void **state)
{
	const int64_t most = 26 * 60 * MINUTE;
	const int64_t off[] = { most, most + 1, -most, -most - 1,
		-7 * 24 * 60 * MINUTE };
	const char *recs[1] = { rec };
	struct agent_clock k;
	char digest[9];
	size_t n = 0;
	int64_t wall;

	(void)state;
	EXPECT_OK(agent_clock_begin(a, rec, &k));
	wall = (int64_t)note_wall(&k);
	for (int i = 0; i < 5; i++) {
		char folder[16], name[32];
		bool far = i == 1 || i > 2;

		/* Each in a folder of its own, so of another clock. */
		(void)snprintf(folder, sizeof(folder), "%d", i);
		(void)snprintf(name, sizeof(name), "%d/film-%d.mp4", i, i);
		EXPECT(mkdir(tmpdir_file(&card, folder), 0700) == 0);
		put_code(name, wall - off[i], &k, NULL, (uint64_t)wall, 0);
		(void)scan_in(tmpdir_file(&card, folder), NULL, "p007");
		(void)snprintf(name, sizeof(name), "film-%d.mp4", i);
		EXPECT(has(name, "\"clock\":\"code\""));
		EXPECT(
		    has(name, far ? "\"as\":\"likely\"" : "\"as\":\"sure\""));
		EXPECT((strstr(line_of(name), "\"clock_far\":true") != NULL) ==
		       far);
	}
	EXPECT_OK(agent_desk_confirm(a, NULL, NULL, 0, count_done, &n));
	EXPECT(n == 2);
	/* A person decides, file by file. */
	(void)snprintf(digest, sizeof(digest), "%.8s",
	    strstr(line_of("film-4.mp4"), "\"digest\":\"") + 10);
	EXPECT_ST(
	    agent_desk_confirm(a, digest, NULL, 0, count_done, &n), ST_ABSENT);
	EXPECT_OK(agent_desk_confirm(a, digest, recs, 1, count_done, &n));
	EXPECT(n == 3);
}

/* Catches the recorder's offset put upon a time that is not the recorder's, and
 * a film proposed for what is void. */
static void
test_desk_a_files_time_is_another_clock_and_a_void_record_is_none(void **state)
{
	struct bytes on = bytes_str("");
	struct agent_act act = { .verb = DO_VOID,
		.on = &on,
		.on_count = 1,
		.data = bytes_str("[null]"),
		.reason = bytes_str("误建") };
	struct agent_edit edit;
	struct agent_clock k;
	uint8_t id[ID_LEN];

	(void)state;
	EXPECT_OK(agent_clock_begin(a, rec, &k));
	put_code("A.mp4", began, &k, NULL, note_wall(&k), 0);
	put("F.mp4", "video/mp4\nlength 61000\n");
	(void)scan("R-7", NULL);
	EXPECT(has("A.mp4", "\"clock\":\"code\""));
	EXPECT(has("F.mp4", "\"made_from\":\"file\""));
	EXPECT(has("F.mp4", "\"clock\":\"unchecked\""));
	EXPECT(has("F.mp4", "\"as\":\"likely\""));
	EXPECT_OK(agent_edit_begin(a, rec, &edit));
	EXPECT_OK(agent_append(a, &edit, &act, id));
	EXPECT(has("F.mp4", "\"proposed\":[]"));
}

/* ---- hostile cards */

/* Catches an answer that is believed beyond its form. */
static void
test_desk_believes_daybreak_film_only_as_far_as_its_form(void **state)
{
	char many[8192];
	size_t at;

	(void)state;
	put("1.mp4", "video/mp4 \"x\nmade 5\n");
	put("2.mp4", "video/mp4\nmade -5\nlength 99999999999999999999999\n");
	put("3.mp4", "");
	put("4.mp4",
	    "video/mp4\nmade 12x\ncode 5 DBK1:x:1:y\ncode x\nlength\n");
	put("5.mp4", "x");
	at = (size_t)snprintf(many, sizeof(many), "video/mp4\n");
	for (int i = 0; i < 100; i++)
		at += (size_t)snprintf(many + at, sizeof(many) - at,
		    "code %d DBK1:AAAAAAAAAAAAAAAAAAAAAAAAAA:%d:"
		    "AAAAAAAAAAAAAA%c%c\n",
		    i, i, 'A' + i / 10, 'A' + i % 10);
	put("6.mp4", many);
	(void)scan(NULL, NULL);
	EXPECT(line_of("1.mp4")[0] == '\0');
	EXPECT(has("2.mp4", "\"made_from\":\"file\""));
	EXPECT(has("2.mp4", "\"damaged\":true"));
	EXPECT(line_of("3.mp4")[0] == '\0');
	EXPECT(has("4.mp4", "\"codes\":0"));
	EXPECT(line_of("5.mp4")[0] == '\0');
	EXPECT(has("6.mp4", "\"codes\":4"));
}

struct pull {
	int left;
	uint64_t gone;
};

static void
pull_after(void *arg, enum desk_met met, const char *name, struct bytes doc)
{
	struct pull *p = arg;
	char away[TMPDIR_MAX + 8];

	(void)name;
	(void)doc;
	p->gone += met == DESK_GONE;
	if (--p->left != 0)
		return;
	(void)snprintf(away, sizeof(away), "%s.away", card.path);
	EXPECT(rename(card.path, away) == 0);
	/* What is in it is gone as well. */
	for (int i = 0; i < 20; i++) {
		char f[TMPDIR_MAX + 32];

		(void)snprintf(f, sizeof(f), "%s/%02d.mp4", away, i);
		(void)unlink(f);
	}
}

static void
put_twenty(void)
{
	for (int i = 0; i < 20; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%02d.mp4", i);
		put_film(name, began + i * 1000, 5 + i, "");
	}
}

/* Catches a card pulled out in the middle that takes along what was read, or is
 * read again from its start. */
static void
test_desk_a_card_that_is_pulled_out_is_gone_on_with(void **state)
{
	struct desk_card c = { .folder = card.path, .film = "/bin/cat" };
	struct pull p = { .left = 5 };
	struct desk_counts n;
	char away[TMPDIR_MAX + 8];

	(void)state;
	put_twenty();
	EXPECT_ST(agent_desk_scan(a, &c, pull_after, &p, &n), ST_IO);
	EXPECT(p.gone == 1 && n.met[DESK_GONE] == 1);
	EXPECT(n.met[DESK_READ] == 5);
	EXPECT(strstr(agent_error_en(a), "pulled out") != NULL);
	(void)snprintf(away, sizeof(away), "%s.away", card.path);
	EXPECT(rename(away, card.path) == 0);
	bureau_restart(&b, 0);
	a = b.hand[0].a;
	put_twenty(); /* the files are back, with other times */
	n = scan(NULL, NULL);
	EXPECT(n.met[DESK_READ] == 15 && n.met[DESK_KNOWN] == 5);
	n = scan(NULL, NULL);
	EXPECT(n.met[DESK_KNOWN] == 20 && n.bytes == 0);
}

/* After a restart; every row is sealed under the second data key by then. */
static void
expect_new_key(void)
{
	struct db_config c = { .path = tmpdir_file(&b.hand[0].home, "log.db") };
	struct db *db = NULL;
	int64_t n = 0;

	agent_close(b.hand[0].a);
	EXPECT_OK(db_open(&db, &c));
	EXPECT_OK(db_scalar(&n, db, "SELECT count(*) FROM desk"));
	EXPECT(n == 40); /* a row and a place for each file */
	EXPECT_OK(db_scalar(&n, db,
	    "SELECT count(*) FROM desk WHERE substr(sealed, 2, 4) != "
	    "x'00000002'"));
	EXPECT(n == 0);
	db_close(db);
	bureau_open_hand(&b, 0);
	a = b.hand[0].a;
	EXPECT_OK(agent_unlock(a, NULL, bytes_str(bureau_pass)));
}

/* Catches files lost when a person leaves and keys change, or kept for ever. */
static void
test_desk_rows_outlive_a_change_of_keys_and_not_ninety_days(void **state)
{
	(void)state;
	put_twenty();
	(void)scan("R-7", NULL);
	EXPECT_OK(agent_officer_add(
	    a, "p002", bytes_str("another long enough passphrase")));
	EXPECT_OK(agent_officer_remove(a, "p002"));
	EXPECT(has("07.mp4", "\"recorder\":\"R-7\""));
	expect_new_key();
	a = b.hand[0].a;
	EXPECT(has("07.mp4", "\"recorder\":\"R-7\""));
	EXPECT(scan(NULL, NULL).met[DESK_KNOWN] == 20);
	b.ct.clock.wall_shift_ms += 89 * 24 * 60 * MINUTE;
	EXPECT(unlink(tmpdir_file(&card, "07.mp4")) == 0);
	EXPECT(scan(NULL, NULL).met[DESK_KNOWN] == 19);
	b.ct.clock.wall_shift_ms += 2 * 24 * 60 * MINUTE;
	EXPECT(scan(NULL, NULL).met[DESK_KNOWN] == 19);
	EXPECT(line_of("07.mp4")[0] == '\0');
}

/* ---- clocks on the handheld */

/* Catches a code that a lens or a desk cannot read back. */
static void
test_clock_code_is_what_its_note_says(void **state)
{
	char text[CLOCK_TEXT_MAX + 1], bad[CLOCK_TEXT_MAX + 8];
	struct agent_clock k;
	struct desk_code c;
	uint64_t wall;

	(void)state;
	EXPECT_ST(
	    agent_clock_begin(a, "01890000-0000-7000-8000-000000000000", &k),
	    ST_ABSENT);
	EXPECT_OK(agent_clock_begin(a, rec, &k));
	agent_clock_text(a, &k, text, &wall);
	EXPECT(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:") ==
	       strlen(text));
	EXPECT(desk_code_read(&c, text));
	EXPECT(c.time_ms == wall && strcmp(c.nonce, k.nonce) == 0 &&
	       strcmp(c.dev, k.dev) == 0);
	for (size_t i = 0; i < strlen(text); i++) {
		(void)snprintf(bad, sizeof(bad), "%.*s", (int)i, text);
		EXPECT(!desk_code_read(&c, bad));
	}
	(void)snprintf(bad, sizeof(bad), "%sA", text);
	EXPECT(!desk_code_read(&c, bad));
	EXPECT(!desk_code_read(&c, "DBK1:::"));
}

/* ---- moments, and what is filed */

static enum status
point(const char *of, const char *entry, const char *at)
{
	struct bytes on = bytes_str("");
	char more[128];
	struct agent_act act = { .verb = DO_NOTE,
		.on = &on,
		.on_count = 1,
		.data = bytes_str("[\"开门\"]") };
	struct agent_edit edit;
	uint8_t id[ID_LEN];

	(void)snprintf(
	    more, sizeof(more), "{\"attach\":\"%s\",\"at_ms\":%s}", entry, at);
	act.more = bytes_str(more);
	EXPECT_OK(agent_edit_begin(a, of, &edit));
	return agent_append(a, &edit, &act, id);
}

static char attached[2 * ID_LEN + 1];

static void
take_attached(void *arg, const char *digest, const char *to, enum status st,
    const char *id)
{
	(void)arg;
	(void)digest;
	EXPECT(st == ST_OK && strcmp(to, rec) == 0 && id != NULL);
	memcpy(attached, id, sizeof(attached));
}

/* Catches a point into a film of another record, or behind its end. */
static void
test_a_moment_lies_within_a_recording_of_its_record(void **state)
{
	const char *recs[1] = { rec };
	char other[REC_LEN + 1], digest[9], want[64], at[32];
	struct state s;
	struct buf doc, out;

	(void)state;
	put_film("A.mp4", began, 60, "");
	(void)scan("R-7", "p007");
	(void)snprintf(digest, sizeof(digest), "%.8s",
	    strstr(line_of("A.mp4"), "\"digest\":\"") + 10);
	EXPECT_OK(agent_desk_confirm(a, digest, recs, 1, take_attached, NULL));
	bureau_record(a, "search", "target", "[\"x\"]", other);
	EXPECT_ST(point(other, attached, "5"), ST_INVALID);
	EXPECT_ST(
	    point(rec, "00112233445566778899aabbccddeeff", "5"), ST_INVALID);
	EXPECT_ST(point(rec, "nonsense", "5"), ST_INVALID);
	EXPECT_ST(point(rec, attached, "-1"), ST_INVALID);
	EXPECT_ST(point(rec, attached, "60001"), ST_INVALID);
	EXPECT_OK(point(rec, attached, "60000"));

	buf_init(&doc, 1 << 20);
	buf_init(&out, 1 << 20);
	state_init(&s);
	EXPECT_OK(agent_state(a, rec, &doc));
	EXPECT_OK(state_read(&s, buf_view(&doc)));
	footage_points(&s, 480, &out);
	at_format(at, (uint64_t)began + 60000, 480);
	(void)snprintf(want, sizeof(want), "\"moment\":\"%s\"", at);
	EXPECT(strstr(buf_cstr(&out), want) != NULL);
	EXPECT(strstr(buf_cstr(&out), "\"text\":\"开门\"") != NULL);
	EXPECT(strstr(buf_cstr(&out), "{\"at_ms\":60000,\"attach\"") != NULL);
	state_free(&s);
	buf_free(&doc);
	buf_free(&out);
}

/* Catches a word said at the scene that never reaches its record, or twice. */
static void
test_a_note_of_the_scene_is_filed_once_with_its_words(void **state)
{
	static const char *const unfiled[] = { "unfiled" };
	char scene[REC_LEN + 1], hex[2 * ID_LEN + 1], from[64];
	uint8_t id[ID_LEN], filed[ID_LEN];
	struct buf doc;

	(void)state;
	bureau_record(a, "scene", "place/address", "[\"某小区\"]", scene);
	set(scene, DO_NOTE, unfiled, 1, "[\"门口有两辆车\"]", id);
	hex_encode(hex, bytes_of(id, ID_LEN));
	EXPECT_OK(agent_attach_file(a, rec, hex, "target", filed));
	EXPECT_ST(agent_attach_file(a, rec, hex, NULL, filed), ST_CONFLICT);
	buf_init(&doc, 1 << 20);
	EXPECT_OK(agent_state(a, rec, &doc));
	(void)snprintf(from, sizeof(from), "\"more\":{\"from\":\"%s\"}", hex);
	EXPECT(strstr(buf_cstr(&doc), from) != NULL);
	EXPECT(strstr(buf_cstr(&doc), "门口有两辆车") != NULL);
	/* What is neither note nor attachment is not filed. */
	set(scene, DO_SET, (const char *const[]){ "note" }, 1, "[\"x\"]", id);
	hex_encode(hex, bytes_of(id, ID_LEN));
	EXPECT_ST(agent_attach_file(a, rec, hex, NULL, filed), ST_ABSENT);
	buf_free(&doc);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(
		    test_desk_a_film_is_proposed_from_five_minutes_before_to_five_after),
		CASE(test_desk_says_how_sure_it_is),
		CASE(test_desk_a_code_counts_only_as_its_note_says),
		CASE(test_desk_takes_the_nearest_sighting),
		CASE(
		    test_desk_a_clock_further_off_than_any_zone_makes_nothing_sure),
		CASE(
		    test_desk_a_files_time_is_another_clock_and_a_void_record_is_none),
		CASE(test_desk_believes_no_length_beyond_a_day),
		CASE(test_desk_says_what_it_is_at),
		CASE(test_desk_believes_daybreak_film_only_as_far_as_its_form),
		CASE(test_desk_a_card_that_is_pulled_out_is_gone_on_with),
		CASE(
		    test_desk_rows_outlive_a_change_of_keys_and_not_ninety_days),
		CASE(test_clock_code_is_what_its_note_says),
		CASE(test_a_moment_lies_within_a_recording_of_its_record),
		CASE(test_a_note_of_the_scene_is_filed_once_with_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
