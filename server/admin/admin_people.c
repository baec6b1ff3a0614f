/* admin_people: enrolment codes, people, teams, devices, orders. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>

#include "entry/json.h"
#include "pdf/qr_text.h"
#include "server/admin/admin.h"
#include "server/app/enrol.h"
#include "server/roster/batch.h"
#include "server/roster/role.h"
#include "wire/join.h"

static bool
put_qr(const char *text)
{
	struct buf b;
	bool ok;

	buf_init(&b, 65536);
	ok = qr_text(text, true, 2, &b) == ST_OK;
	if (ok)
		(void)fwrite(b.p, 1, b.len, stdout);
	buf_free(&b);
	return ok;
}

/* "90s", "30m", "12h", "7d"; plain digits are seconds. */
static bool
read_life(const char *text, uint64_t *ms)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);
	uint64_t unit = 1000;

	if (end == text || v == 0 || v > 10000000)
		return false;
	if (strcmp(end, "m") == 0)
		unit = 60 * 1000;
	else if (strcmp(end, "h") == 0)
		unit = 3600 * 1000;
	else if (strcmp(end, "d") == 0)
		unit = 24 * 3600 * 1000ull;
	else if (end[0] != '\0' && strcmp(end, "s") != 0)
		return false;
	*ms = v * unit;
	return true;
}

/* host:port of the public listener: given, else the descriptor's. */
static enum status
public_address(struct admin *a, char out[JOIN_ADDRESS_MAX + 1])
{
	static const char scheme[] = "https://";
	struct descriptor *d;
	struct buf file;
	enum status st;

	if (a->address != NULL) {
		if (strlen(a->address) > JOIN_ADDRESS_MAX)
			return ST_LIMIT;
		memcpy(out, a->address, strlen(a->address) + 1);
		return ST_OK;
	}
	d = malloc(sizeof(*d));
	if (d == NULL)
		return ST_NOMEM;
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	st = centre_descriptor(a->centre, &file);
	if (st == ST_OK)
		st = descriptor_parse(d, buf_view(&file));
	if (st == ST_OK &&
	    (d->public_at.count == 0 ||
		strncmp(d->public_at.url[0], scheme, sizeof(scheme) - 1) != 0))
		st = ST_ABSENT;
	if (st == ST_OK)
		(void)snprintf(out, JOIN_ADDRESS_MAX + 1, "%s",
		    d->public_at.url[0] + sizeof(scheme) - 1);
	buf_free(&file);
	free(d);
	return st;
}

/* A role that was mistyped would give no rights, and nobody would be told. */
bool
admin_role_known(const struct admin *a, bool token)
{
	const struct role *role = role_find(a->role);
	struct buf zh, en;

	if (role != NULL && (!token || role->token != ROLE_NO_TOKEN))
		return true;
	buf_init(&zh, 4096);
	buf_init(&en, 4096);
	buf_str(&zh, token ? "没有此角色，或其不得持令牌。可用："
			   : "没有此角色。可用：");
	role_list(&zh, true, token);
	buf_str(&en, token ? "--role: no such role, or none that has a token. "
			     "There are "
			   : "--role: no such role. There are ");
	role_list(&en, false, token);
	if (buf_cstr(&zh) != NULL && buf_cstr(&en) != NULL)
		(void)admin_refuse(a, (const char *)zh.p, (const char *)en.p);
	else
		(void)admin_fail(a, "--role", ST_NOMEM);
	buf_free(&zh);
	buf_free(&en);
	return false;
}

enum { MOVE_TRIES = 64 };

/* Follow the log as far as this process knows it: what the feed then does not
 * know, the roster does not know either. */
static enum status
know_all(struct admin *a)
{
	struct tlog *log = centre_tlog(a->centre);
	uint64_t done;
	enum status st;

	do
		st = feed_follow(a->feed, 0, &done);
	while (st == ST_OK && feed_size(a->feed) < tlog_size(log));
	return st;
}

/* Whom a code replaces is put out when it is used: a name that was mistyped
 * would leave a lost handheld trusted.  After a restore it may be one that the
 * log does not know (yet). */
static bool
may_replace(struct admin *a)
{
	struct roster_device d;
	uint64_t kept;

	return a->replaces == NULL || centre_restored(a->centre, &kept) ||
	       roster_device_by_dev(a->roster, a->replaces, &d) != ST_ABSENT;
}

/* Where people or scopes moved beneath it, nothing was done: once more. */
static enum status
make_code(struct admin *a, const struct enrol_code *w, struct buf *code)
{
	enum status st = ST_CONFLICT;

	for (int i = 0; i < MOVE_TRIES && st == ST_CONFLICT; i++) {
		st = know_all(a);
		if (st == ST_OK)
			st = enrol_code_make(a->centre, a->roster,
			    feed_inside(a->feed), w, code);
	}
	return st == ST_CONFLICT ? ST_AGAIN : st;
}

static int
run_enrol_code(struct admin *a)
{
	char address[JOIN_ADDRESS_MAX + 1] = "";
	struct enrol_code w = { .person = a->officer,
		.name = a->name,
		.role = a->role,
		.unit = a->unit == NULL ? "" : a->unit,
		.team = a->team == NULL ? "" : a->team,
		.replaces = a->replaces,
		.reason = a->reason,
		.address = address,
		.life_ms = 24 * 3600 * 1000,
		.by = a->by };
	struct buf code;
	enum status st;

	if (!admin_needs(a, "--officer", a->officer) ||
	    !admin_needs(a, "--name", a->name) ||
	    !admin_needs(a, "--role", a->role))
		return ADMIN_USAGE;
	if (!admin_role_known(a, false))
		return ADMIN_FAILED;
	if (a->replaces != NULL && !admin_needs(a, "--reason", a->reason))
		return ADMIN_USAGE;
	if (!may_replace(a))
		return admin_refuse(
		    a, "没有要替换的设备", "--replaces: no such device");
	if (a->ttl != NULL && !read_life(a->ttl, &w.life_ms))
		return admin_refuse(
		    a, "有效期写法不对", "--ttl is like 30m, 12h or 7d");
	st = public_address(a, address);
	buf_init(&code, JOIN_CODE_MAX);
	if (st == ST_OK)
		st = make_code(a, &w, &code);
	if (st == ST_OK && buf_cstr(&code) == NULL)
		st = code.err;
	if (st == ST_OK) {
		if (a->json)
			(void)printf(
			    "{\"code\":\"%s\"}\n", (const char *)code.p);
		else
			(void)puts((const char *)code.p);
		if (a->qr && !put_qr((const char *)code.p))
			st = ST_NOMEM;
	}
	buf_wipe(&code);
	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "enrol-code", st);
}

/* ---- people */

static void
put_member(struct buf *b, const char *name, const char *value)
{
	if (b->len > 1)
		buf_u8(b, ',');
	buf_printf(b, "\"%s\":", name);
	json_put_str(b, value);
}

static void
put_line(struct buf *b)
{
	buf_u8(b, '}');
	if (buf_cstr(b) != NULL)
		(void)puts((const char *)b->p);
	buf_free(b);
}

static enum status
put_person_line(void *arg, const struct roster_person *p)
{
	const struct admin *a = arg;
	struct buf b;

	if (!a->json) {
		(void)printf("%-12s %-12s %-12s %-10s %s\n", p->id, p->name,
		    p->role, p->team, p->unit);
		return ST_OK;
	}
	buf_init(&b, 8192);
	buf_u8(&b, '{');
	put_member(&b, "id", p->id);
	put_member(&b, "name", p->name);
	put_member(&b, "role", p->role);
	put_member(&b, "team", p->team);
	put_member(&b, "unit", p->unit);
	put_line(&b);
	return ST_OK;
}

static bool
copy_name(char out[ROSTER_NAME_MAX + 1], const char *text)
{
	if (text == NULL)
		return true;
	if (strlen(text) > ROSTER_NAME_MAX)
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

/* As they are, with what was given.  ST_ABSENT: nobody is there, and what was
 * given makes nobody; ST_LIMIT: a name is too long. */
static enum status
person_given(struct admin *a, struct roster_person *p)
{
	enum status st;

	memset(p, 0, sizeof(*p));
	st = roster_person(a->roster, a->person, p);
	/* An id that was mistyped is not to become somebody else. */
	if (st == ST_ABSENT && a->name != NULL && a->role != NULL)
		st = ST_OK;
	if (st != ST_OK)
		return st;
	if (!copy_name(p->id, a->person) || !copy_name(p->name, a->name) ||
	    !copy_name(p->role, a->role) || !copy_name(p->unit, a->unit) ||
	    !copy_name(p->team, a->team))
		return ST_LIMIT;
	return ST_OK;
}

int
admin_put_person(struct admin *a)
{
	struct roster_person p;
	enum status st = ST_CONFLICT;

	for (int i = 0; i < MOVE_TRIES && st == ST_CONFLICT; i++) {
		st = know_all(a);
		if (st != ST_OK)
			break;
		st = person_given(a, &p);
		if (st == ST_ABSENT)
			return admin_refuse(a,
			    "名册中无此人；新增须写明 --name 和 --role",
			    "nobody of that id is in the roster; to put "
			    "somebody new there, give --name and --role");
		if (st == ST_LIMIT)
			return admin_refuse(
			    a, "名称过长", "a name is too long");
		if (st == ST_OK)
			st = roster_person_put(a->roster, &p, a->by,
			    enrol_feed_records, feed_inside(a->feed));
	}
	if (st == ST_CONFLICT)
		st = ST_AGAIN;
	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "people", st);
}

/* people: list; people --person ID …: put or move one. */
static int
run_people(struct admin *a)
{
	enum status st;

	if (a->person == NULL) {
		st = roster_people(a->roster, put_person_line, a);
		return st == ST_OK ? ADMIN_DONE : admin_fail(a, "people", st);
	}
	if (a->role != NULL && !admin_role_known(a, false))
		return ADMIN_FAILED;
	return admin_put_person(a);
}

/* ---- devices */

static enum status
put_device_line(void *arg, const struct roster_device *d)
{
	const struct admin *a = arg;
	char until[32];
	struct buf b;

	at_format(until, d->until_ms, (int)a->config.utc_offset_min);
	if (!a->json) {
		(void)printf("%s  %-10s %-10s %-8s %s %s\n", d->dev, d->person,
		    d->name, d->team,
		    d->standing[0] == '\0' ? "good" : d->standing, until);
		return ST_OK;
	}
	buf_init(&b, 8192);
	buf_u8(&b, '{');
	put_member(&b, "dev", d->dev);
	put_member(&b, "name", d->name);
	put_member(&b, "person", d->person);
	put_member(&b, "role", d->role);
	put_member(
	    &b, "standing", d->standing[0] == '\0' ? "good" : d->standing);
	put_member(&b, "team", d->team);
	put_member(&b, "until", until);
	put_line(&b);
	return ST_OK;
}

static int
run_devices(struct admin *a)
{
	enum status st = roster_devices(a->roster, put_device_line, a);

	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "devices", st);
}

static int
run_revoke(struct admin *a)
{
	enum status st;

	if (!admin_needs(a, "--dev", a->dev) ||
	    !admin_needs(a, "--reason", a->reason))
		return ADMIN_USAGE;
	st = roster_revoke(a->roster, a->dev,
	    a->what == NULL ? "revoked" : a->what, a->reason, a->by);
	if (st == ST_ABSENT)
		return admin_refuse(a, "没有此设备", "no such device");
	if (st == ST_CONFLICT)
		return admin_refuse(a, "此设备已吊销", "it is revoked already");
	if (st == ST_INVALID)
		return admin_refuse(a, "原因写法不对",
		    "--what is revoked, lost, seized, copied or replaced");
	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "revoke", st);
}

/* ---- orders */

/* ST_OK if somebody is meant; ST_ABSENT if the order would reach nobody. */
static enum status
addressed(struct admin *a)
{
	static const char team[] = "team:";
	struct roster_person p;
	char scope[REC_LEN + 1];

	if (strcmp(a->to, "all") == 0)
		return ST_OK;
	if (strncmp(a->to, team, sizeof(team) - 1) == 0)
		return roster_team_scope(
		    a->roster, a->to + sizeof(team) - 1, scope);
	return roster_person(a->roster, a->to, &p);
}

static int
run_order(struct admin *a)
{
	struct batch b;
	struct batch_entry *x;
	enum status st;

	if (!admin_needs(a, "--to", a->to) ||
	    !admin_needs(a, "--text", a->text))
		return ADMIN_USAGE;
	st = addressed(a);
	if (st == ST_ABSENT)
		return admin_refuse(a, "没有此人或此组，指令无人收到",
		    "no such person or team: nobody would get the order "
		    "(--to PERSON, team:T or all)");
	if (st != ST_OK)
		return admin_fail(a, "order", st);
	batch_init(&b);
	x = batch_add(&b, "", "order@1", DO_OPEN, a->by);
	batch_text(x, "to", a->to);
	batch_text(x, "title", a->title == NULL ? "" : a->title);
	batch_text(x, "text", a->text);
	st = batch_commit(&b, a->centre, NULL, NULL);
	if (st == ST_OK)
		(void)printf("{\"place\":%llu}\n",
		    (unsigned long long)batch_place(&b, 0));
	batch_free(&b);
	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "order", st);
}

const struct admin_command admin_people_commands[] = {
	{ "enrol-code", true, run_enrol_code,
	    "--officer ID --name N --role R [--team T] [--unit U] [--ttl 24h] "
	    "[--replaces DEV --reason R] [--address H:P] [--qr]",
	    "入网码", "a code by which one handheld joins" },
	{ "people", true, run_people,
	    "[--person ID --name N --role R --team T]", "人员与编组",
	    "list people; put or move one" },
	{ "devices", true, run_devices, "", "设备", "list devices" },
	{ "revoke", true, run_revoke,
	    "--dev DEV --reason R [--what revoked|lost|seized|copied|replaced]",
	    "吊销设备", "revoke a device" },
	{ "order", true, run_order,
	    "--to PERSON|team:T|all --text TEXT [--title T]", "指令",
	    "send an order down" },
	{ NULL, false, NULL, NULL, NULL, NULL },
};
