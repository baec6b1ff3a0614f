/*
 * Bodies erased by the word of two people: gone at the centre and on every
 * handheld, never to come back, and nobody is deceived about it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/enc.h"
#include "db/db.h"
#include "defs/defs.h"
#include "server/project/fold.h"
#include "server/upkeep/erase_order.h"
#include "support/bureau.h"
#include "support/court_audit.h"
#include "support/court_verify.h"

static const char secret[] = "王小明三二零三零二";

struct world {
	struct bureau b;
	struct domain *dom;
	struct erase_desk d;
	struct words why;
	char rec[REC_LEN + 1];
	uint8_t target[1][ID_LEN]; /* the entry with the secret */
	uint8_t order[ID_LEN];
};

static void
person(struct world *w, const char *id, const char *role)
{
	struct roster_person p = { .team = "" };

	(void)snprintf(p.id, sizeof(p.id), "%s", id);
	(void)snprintf(p.name, sizeof(p.name), "%s", id);
	(void)snprintf(p.role, sizeof(p.role), "%s", role);
	EXPECT_OK(roster_person_put(w->b.roster, &p, "chief",
	    enrol_feed_records, feed_inside(w->b.feed)));
}

static void
set_field(
    struct world *w, const char *path, const char *json, uint8_t id[ID_LEN])
{
	struct bytes on = bytes_str(path);
	struct agent_act act = { .verb = DO_SET,
		.on = &on,
		.on_count = 1,
		.data = bytes_str(json) };
	struct agent_edit edit;

	EXPECT_OK(agent_edit_begin(w->b.hand[0].a, w->rec, &edit));
	EXPECT_OK(agent_append(w->b.hand[0].a, &edit, &act, id));
}

static void
begin(struct world *w)
{
	char json[80];
	uint8_t other[ID_LEN];

	memset(w, 0, sizeof(*w));
	bureau_make(&w->b);
	person(w, "sup-1", "supervisor");
	person(w, "sup-2", "supervisor");
	person(w, "root-1", "admin");
	EXPECT_OK(domain_builtin(&w->dom));
	(void)bureau_join(&w->b, 0, "judge-1", "one");
	(void)bureau_join(&w->b, 1, "judge-2", "one");
	bureau_record(w->b.hand[0].a, "search", "target", "[\"现金\"]", w->rec);
	(void)snprintf(json, sizeof(json), "[\"%s\"]", secret);
	set_field(w, "debtor/name", json, w->target[0]);
	set_field(w, "narrative", "[\"无\"]", other);
	for (int i = 0; i < 3; i++) {
		bureau_sync(&w->b, 0);
		bureau_sync(&w->b, 1);
	}
	w->d.centre = w->b.ct.c;
	w->d.roster = w->b.roster;
	w->d.feed = feed_inside(w->b.feed);
	EXPECT_OK(centre_reader_open(&w->d.reader, w->b.ct.c));
}

static void
end(struct world *w)
{
	centre_reader_close(w->d.reader);
	domain_unref(w->dom);
	bureau_end(&w->b);
}

static enum status
propose(struct world *w, const char *by)
{
	struct erase_wish wish = { .rec = w->rec,
		.id = (const uint8_t(*)[ID_LEN])w->target,
		.count = 1,
		.ground = "错录他人信息",
		.law = "个人信息保护法第四十七条",
		.by = by };

	return erase_propose(&w->d, &wish, w->order, &w->why);
}

static void
erase(struct world *w)
{
	expect_status(
	    propose(w, "sup-1"), ST_OK, w->why.en, __FILE__, __LINE__);
	expect_status(
	    erase_decide(&w->d, w->order, true, "sup-2", NULL, &w->why), ST_OK,
	    w->why.en, __FILE__, __LINE__);
	bureau_follow(&w->b);
}

static void
state_at_centre(struct world *w, struct buf *out)
{
	struct fold_config fc = { .kinds = w->dom->kinds,
		.rules = w->dom->rules,
		.reader = w->d.reader,
		.feed = w->d.feed,
		.utc_offset_min = 480 };
	struct fold *f;

	EXPECT_OK(fold_new(&f, &fc));
	EXPECT_OK(fold_load(f, w->rec, port_wall_ms(&w->b.ct.clock.port)));
	buf_reset(out);
	buf_bytes(out, fold_state_bytes(f));
	fold_free(f);
}

static bool
holds(struct bytes in, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i + len <= in.len; i++)
		if (memcmp(in.p + i, text, len) == 0)
			return true;
	return false;
}

/* Both sides show the same bytes, with the value or without it. */
static void
expect_same(struct world *w, int hand, bool there)
{
	struct buf here, centre;

	buf_init(&here, 1 << 20);
	buf_init(&centre, 1 << 20);
	EXPECT_OK(bureau_state(w->b.hand[hand].a, w->rec, &here));
	state_at_centre(w, &centre);
	EXPECT_BYTES(buf_view(&here), buf_view(&centre));
	EXPECT(holds(buf_view(&here), secret) == there);
	EXPECT(holds(buf_view(&here), "\"withheld\"") == !there);
	buf_free(&here);
	buf_free(&centre);
}

static bool
file_holds(struct world *w, const char *name)
{
	struct buf b;
	bool yes;
	enum status st;

	buf_init(&b, 64 << 20);
	st = port_read_file(port_system(), tmpdir_file(&w->b.ct.dir, name), &b);
	EXPECT(st == ST_OK || st == ST_ABSENT);
	yes = holds(buf_view(&b), secret);
	buf_free(&b);
	return yes;
}

/* Would catch: one person alone, or the wrong one, taking evidence out. */
static void
test_erase_takes_two_people_with_the_right_role(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	EXPECT_ST(propose(&w, "root-1"), ST_DENIED);
	EXPECT_ST(propose(&w, "judge-1"), ST_DENIED);
	EXPECT_OK(propose(&w, "sup-1"));
	EXPECT_ST(erase_decide(&w.d, w.order, true, "sup-1", NULL, &w.why),
	    ST_DENIED);
	EXPECT_ST(erase_decide(&w.d, w.order, true, "root-1", NULL, &w.why),
	    ST_DENIED);
	bureau_follow(&w.b);
	bureau_sync(&w.b, 0);
	expect_same(&w, 0, true);
	EXPECT_OK(
	    erase_decide(&w.d, w.order, false, "sup-2", "理由不足", &w.why));
	EXPECT_ST(erase_decide(&w.d, w.order, true, "sup-2", NULL, &w.why),
	    ST_CONFLICT);
	bureau_sync(&w.b, 0);
	expect_same(&w, 0, true);
	EXPECT(file_holds(&w, "store.db") || file_holds(&w, "store.db-wal"));
	end(&w);
}

/* Would catch: a body left in a corner, and two sides that differ. */
static void
test_erase_is_gone_everywhere_and_the_rest_stands(void **state)
{
	struct world w;
	uint64_t again = 1;

	(void)state;
	begin(&w);
	expect_same(&w, 0, true);
	erase(&w);
	EXPECT(!file_holds(&w, "store.db") && !file_holds(&w, "store.db-wal"));
	bureau_sync(&w.b, 0);
	bureau_sync(&w.b, 1);
	expect_same(&w, 0, false);
	expect_same(&w, 1, false);
	/* From the file alone, with no network. */
	w.b.cut = true;
	bureau_restart(&w.b, 0);
	bureau_restart(&w.b, 1);
	w.b.cut = false;
	expect_same(&w, 0, false);
	expect_same(&w, 1, false);
	/* One that comes later gets heads. */
	(void)bureau_join(&w.b, 2, "judge-3", "one");
	for (int i = 0; i < 3; i++)
		bureau_sync(&w.b, 2);
	expect_same(&w, 2, false);
	/* All else is proved as before. */
	court_verify(&w.b.ct);
	court_audit(&w.b.ct);
	EXPECT_ST(propose(&w, "sup-1"), ST_CONFLICT);
	EXPECT_OK(erase_again(&w.d, &again));
	EXPECT(again == 0);
	end(&w);
}

/* Would catch: a handheld that was away, with the body in its file. */
static void
test_erase_reaches_a_handheld_that_was_away(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	erase(&w);
	/* Not synced: it has what it had, and goes on writing. */
	bureau_restart(&w.b, 1);
	EXPECT_OK(bureau_note(w.b.hand[1].a, w.rec, "[\"仍在写\"]"));
	bureau_sync(&w.b, 1);
	bureau_sync(&w.b, 1);
	expect_same(&w, 1, false);
	bureau_restart(&w.b, 1);
	expect_same(&w, 1, false);
	end(&w);
}

static uint64_t
place_of_target(struct world *w)
{
	struct centre_entry ce;

	for (uint64_t i = 0; i < court_size(&w->b.ct); i++) {
		EXPECT_OK(centre_entry(w->d.reader, i, &ce));
		if (memcmp(ce.link, w->target[0], ID_LEN) == 0)
			return i;
	}
	fail_msg("no such entry");
	return 0;
}

/* Would catch: bytes coming back from whoever kept a copy. */
static void
test_erase_takes_no_bytes_for_an_erased_place(void **state)
{
	struct centre_entry ce;
	struct store_head head;
	struct store *s;
	struct world w;
	struct buf was;
	uint64_t place;

	(void)state;
	begin(&w);
	place = place_of_target(&w);
	buf_init(&was, 1 << 16);
	EXPECT_OK(centre_entry(w.d.reader, place, &ce));
	buf_bytes(&was, ce.bytes);
	erase(&w);
	s = centre_store(w.b.ct.c);
	EXPECT_OK(store_begin(s, &head));
	EXPECT_ST(
	    store_fill(s, place, ce.flags, buf_view(&was), NULL), ST_DENIED);
	store_rollback(s);
	EXPECT_OK(centre_entry(w.d.reader, place, &ce));
	EXPECT(!holds(ce.bytes, "\n") && (ce.flags & STORE_ERASED) != 0);
	buf_free(&was);
	end(&w);
}

/* The same piece comes once more, whole, from its device. */
static void
test_erase_a_device_that_sends_it_again_changes_nothing(void **state)
{
	struct world w;
	struct handheld h;
	struct centre_entry ce;
	struct entry e;
	struct ingest_ack ack;
	char rec[REC_LEN + 1];
	uint64_t place = 0;

	(void)state;
	begin(&w);
	court_handheld(&w.b.ct, &h, 7);
	handheld_write(&h, 3);
	(void)court_send(&w.b.ct, &h, 1, 3);
	bureau_follow(&w.b);
	memcpy(w.target[0], handheld_link(&h, 2), ID_LEN);
	entry_init(&e);
	EXPECT_OK(entry_parse(&e, h.entry[1].raw));
	memcpy(rec, e.rec.p, REC_LEN);
	rec[REC_LEN] = '\0';
	memcpy(w.rec, rec, sizeof(rec));
	entry_free(&e);
	place = place_of_target(&w);
	erase(&w);
	ack = court_send(&w.b.ct, &h, 1, 3);
	EXPECT(ack.seq == 3);
	EXPECT_OK(centre_entry(w.d.reader, place, &ce));
	EXPECT((ce.flags & STORE_ERASED) != 0 && !holds(ce.bytes, "\n"));
	court_verify(&w.b.ct);
	handheld_free(&h);
	end(&w);
}

static struct verify_report
audit(struct world *w, const char *path)
{
	struct verify_given given = { .key = *centre_log_key(w->b.ct.c) };
	char errmsg[VERIFY_ERRMSG_LEN];
	struct verify_report r;

	verify_report_init(&r);
	expect_status(verify_store(&r, path, &given, errmsg), ST_OK, errmsg,
	    __FILE__, __LINE__);
	return r;
}

static size_t
found(const struct verify_report *r, enum verify_what what, uint64_t place)
{
	size_t n = 0;

	for (size_t i = 0; i < r->finding_count; i++)
		n += r->finding[i].what == what && r->finding[i].place == place;
	return n;
}

static void
tamper(const char *path, const char *sql, uint64_t place, struct bytes bytes)
{
	struct db_config dc = { .path = path, .sync = DB_SYNC_FULL };
	struct db_stmt *s;
	struct db *db;

	EXPECT_OK(db_open(&db, &dc));
	EXPECT_OK(db_query(&s, db, sql));
	db_bind_u64(s, 1, place);
	db_bind_bytes(s, 2, bytes);
	EXPECT_OK(db_run(s));
	db_close(db);
}

/* Would catch: an auditor that takes a lawful erasing for damage, or an
 * unlawful one for lawful. */
static void
test_erase_an_audit_tells_an_order_from_a_hole(void **state)
{
	struct world w;
	struct verify_report r;
	struct centre_entry ce;
	struct store_reader *reader;
	struct buf was;
	uint64_t place, other;
	char *path;

	(void)state;
	begin(&w);
	place = place_of_target(&w);
	EXPECT_OK(centre_entry(w.d.reader, place, &ce));
	buf_init(&was, 1 << 16);
	buf_bytes(&was, ce.bytes);
	erase(&w);
	r = audit(&w, tmpdir_file(&w.b.ct.dir, "store.db"));
	EXPECT(r.damage == 0 && found(&r, VERIFY_ERASED, place) == 1);
	verify_report_free(&r);
	/* The next entry of the record, with a flag and no order. */
	other = place + 1;
	path = strdup(tmpdir_file(&w.b.ct.dir, "copy.db"));
	EXPECT_OK(store_reader_open(&reader, centre_store(w.b.ct.c)));
	EXPECT_OK(store_backup(reader, path));
	store_reader_close(reader);
	tamper(path,
	    "UPDATE entries SET flags = flags | 40, bytes = substr(bytes, 1,"
	    " instr(bytes, x'0a') - 1) WHERE place = ?1 AND ?2 IS NOT NULL",
	    other, bytes_str("x"));
	r = audit(&w, path);
	EXPECT(r.damage == 1 && found(&r, VERIFY_CHANGED, other) == 1);
	EXPECT(found(&r, VERIFY_ERASED, place) == 1);
	verify_report_free(&r);
	/* The body is back: no damage, and it is said. */
	tamper(path,
	    "UPDATE entries SET flags = flags & ~40, bytes = ?2"
	    " WHERE place = ?1",
	    place, buf_view(&was));
	r = audit(&w, path);
	EXPECT(found(&r, VERIFY_NOT_ERASED, place) == 1);
	EXPECT(found(&r, VERIFY_ERASED, place) == 0);
	verify_report_free(&r);
	buf_free(&was);
	free(path);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_erase_takes_two_people_with_the_right_role),
		cmocka_unit_test(
		    test_erase_is_gone_everywhere_and_the_rest_stands),
		cmocka_unit_test(test_erase_reaches_a_handheld_that_was_away),
		cmocka_unit_test(test_erase_takes_no_bytes_for_an_erased_place),
		cmocka_unit_test(
		    test_erase_a_device_that_sends_it_again_changes_nothing),
		cmocka_unit_test(
		    test_erase_an_audit_tells_an_order_from_a_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
