/* admin_decide: what two people decide: definitions (docs/KINDS.md, 7), and
 * erasing (docs/ERASING.md). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/admin/admin.h"
#include "server/roster/define.h"
#include "server/upkeep/erase_order.h"
#include "server/upkeep/finding_word.h"

/* Refused with the words of whoever refused. */
static int
refuse(const struct admin *a, const char *what, enum status st,
    const struct words *why)
{
	return why->en[0] != '\0' ? admin_refuse(a, why->zh, why->en)
				  : admin_fail(a, what, st);
}

static bool
read_id(const struct admin *a, size_t word, uint8_t id[ID_LEN])
{
	if (a->word_count > word &&
	    hex_decode(id, ID_LEN, bytes_str(a->word[word])) == ST_OK)
		return true;
	(void)admin_refuse(
	    a, "须写明编号（32 位十六进制）", "an id is needed: 32 hex digits");
	return false;
}

static void
put_id(const struct admin *a, const char *what_zh, const char *what_en,
    const uint8_t id[ID_LEN])
{
	char hex[2 * ID_LEN + 1];

	hex_encode(hex, bytes_of(id, ID_LEN));
	if (a->json)
		(void)printf("{\"id\":\"%s\"}\n", hex);
	else
		(void)printf("%s %s\n%s\n", what_zh, what_en, hex);
}

/* ---- definitions */

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static int
push(struct admin *a, struct define *d)
{
	uint8_t id[ID_LEN];
	struct words why;
	struct buf file;
	enum status st;

	if (a->word_count < 2)
		return admin_refuse(a, "须写明文件", "a file is needed");
	buf_init(&file, DOC_BYTES_MAX);
	words_clear(&why);
	st = port_read_file(port_system(), a->word[1], &file);
	if (st != ST_OK)
		words_put(&why, "文件不能读取", a->word[1]);
	else
		st = define_push(
		    d, last_part(a->word[1]), buf_view(&file), a->by, id, &why);
	buf_free(&file);
	if (st != ST_OK)
		return refuse(a, "kinds push", st, &why);
	put_id(a, "已提出，待另一人确认：",
	    "proposed; another person confirms:", id);
	return ADMIN_DONE;
}

static int
decide(struct admin *a, struct define *d, bool yes)
{
	uint8_t id[ID_LEN];
	struct words why;
	enum status st;

	if (!read_id(a, 1, id))
		return ADMIN_USAGE;
	st = define_decide(d, id, yes, a->by, a->reason, &why);
	if (st != ST_OK)
		return refuse(a, "kinds", st, &why);
	put_id(a, yes ? "已确认并施行：" : "已否决：",
	    yes ? "confirmed and in force:" : "refused:", id);
	return ADMIN_DONE;
}

static enum status
put_definition(void *arg, const struct defs_info *f)
{
	const struct admin *a = arg;
	char id[2 * ID_LEN + 1], since[32] = "";
	struct buf b;

	hex_encode(id, bytes_of(f->id, ID_LEN));
	if (f->since_ms > 0)
		at_format(since, (uint64_t)f->since_ms,
		    (int)a->config.utc_offset_min);
	if (!a->json) {
		(void)printf("%s  %-10s %-5s %-24s %s %s %s\n", id,
		    defs_state_name(f->state), f->sort, f->name, f->by,
		    f->decided_by, since);
		if (f->state == DEFS_UNREADABLE)
			(void)printf("    %s\n    %s\n", f->why.zh, f->why.en);
		return ST_OK;
	}
	buf_init(&b, DOC_BYTES_MAX);
	buf_printf(&b, "{\"by\":");
	json_put_str(&b, f->by);
	buf_str(&b, ",\"decided_by\":");
	json_put_str(&b, f->decided_by);
	buf_printf(&b, ",\"id\":\"%s\",\"name\":", id);
	json_put_str(&b, f->name);
	buf_printf(&b, ",\"place\":%llu,\"since\":\"%s\",\"sort\":\"%s\"",
	    (unsigned long long)f->place, since, f->sort);
	buf_printf(&b, ",\"state\":\"%s\",\"why\":", defs_state_name(f->state));
	json_put_str(&b, f->why.en);
	buf_str(&b, ",\"why_zh\":");
	json_put_str(&b, f->why.zh);
	buf_u8(&b, '}');
	if (buf_cstr(&b) != NULL)
		(void)puts((const char *)b.p);
	buf_free(&b);
	return ST_OK;
}

static int
list(struct admin *a, struct define *d)
{
	enum status st = define_each(d, put_definition, a);

	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "kinds", st);
}

static int
run_kinds(struct admin *a)
{
	const char *what = a->word_count > 0 ? a->word[0] : "list";
	struct define *d = NULL;
	enum status st = define_open(&d, a->centre, a->roster);
	int rc;

	if (st != ST_OK)
		return admin_fail(a, "kinds", st);
	if (strcmp(what, "push") == 0)
		rc = push(a, d);
	else if (strcmp(what, "confirm") == 0)
		rc = decide(a, d, true);
	else if (strcmp(what, "refuse") == 0)
		rc = decide(a, d, false);
	else if (strcmp(what, "list") == 0)
		rc = list(a, d);
	else
		rc = admin_refuse(a, "应为 list、push、confirm 或 refuse",
		    "must be list, push, confirm or refuse");
	define_close(d);
	return rc;
}

/* ---- erasing */

static int
propose_erasing(struct admin *a, const struct erase_desk *d)
{
	uint8_t ids[ADMIN_MANY_MAX][ID_LEN], id[ID_LEN];
	struct erase_wish w = { .rec = a->record,
		.id = (const uint8_t(*)[ID_LEN])ids,
		.count = a->entry_count,
		.ground = a->ground,
		.law = a->law,
		.by = a->by };
	struct words why;
	enum status st;

	if (!admin_needs(a, "--record", a->record))
		return ADMIN_USAGE;
	for (size_t i = 0; i < a->entry_count; i++) {
		if (hex_decode(ids[i], ID_LEN, bytes_str(a->entry[i])) != ST_OK)
			return admin_refuse(a, "条目号写法不对",
			    "--entry is an id: 32 hex digits");
	}
	st = erase_propose(d, &w, id, &why);
	if (st != ST_OK)
		return refuse(a, "erase", st, &why);
	put_id(a, "已提出，待另一人确认：",
	    "proposed; another person confirms:", id);
	return ADMIN_DONE;
}

static int
decide_erasing(struct admin *a, const struct erase_desk *d, bool yes)
{
	uint8_t id[ID_LEN];
	struct words why;
	enum status st;

	if (!read_id(a, 1, id))
		return ADMIN_USAGE;
	st = erase_decide(d, id, yes, a->by, a->reason, &why);
	if (st != ST_OK)
		return refuse(a, "erase", st, &why);
	put_id(a, yes ? "已确认，正文已抹去：" : "已否决：",
	    yes ? "confirmed; the bodies are erased:" : "refused:", id);
	return ADMIN_DONE;
}

static int
list_erasing(struct admin *a, const struct erase_desk *d)
{
	struct erasures *s = NULL;
	enum status st = erase_orders(d, &s);

	for (size_t i = 0; st == ST_OK && i < erasures_count(s); i++) {
		const struct erase_order *o = erasures_at(s, i);
		char id[2 * ID_LEN + 1];
		struct buf b;

		hex_encode(id, bytes_of(o->id, ID_LEN));
		if (!a->json) {
			(void)printf("%s  %-8s %s  %zu  %s  %s  %s %s\n", id,
			    erase_state_name(o->state), o->record, o->count,
			    o->law, o->ground, o->by, o->decided_by);
			continue;
		}
		buf_init(&b, DOC_BYTES_MAX);
		erase_order_json(o, &b);
		if (buf_cstr(&b) != NULL)
			(void)puts((const char *)b.p);
		buf_free(&b);
	}
	erasures_free(s);
	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "erase", st);
}

static int
again_erasing(struct admin *a, const struct erase_desk *d)
{
	uint64_t count = 0;
	enum status st = erase_again(d, &count);

	if (st != ST_OK)
		return admin_fail(a, "erase again", st);
	(void)printf("{\"erased\":%llu}\n", (unsigned long long)count);
	return ADMIN_DONE;
}

static int
run_erase(struct admin *a)
{
	const char *what = a->word_count > 0 ? a->word[0] : "list";
	struct erase_desk d = { .centre = a->centre,
		.roster = a->roster,
		.feed = feed_inside(a->feed) };
	enum status st = centre_reader_open(&d.reader, a->centre);
	int rc;

	if (st != ST_OK)
		return admin_fail(a, "erase", st);
	if (strcmp(what, "propose") == 0)
		rc = propose_erasing(a, &d);
	else if (strcmp(what, "confirm") == 0)
		rc = decide_erasing(a, &d, true);
	else if (strcmp(what, "refuse") == 0)
		rc = decide_erasing(a, &d, false);
	else if (strcmp(what, "list") == 0)
		rc = list_erasing(a, &d);
	else if (strcmp(what, "again") == 0)
		rc = again_erasing(a, &d);
	else
		rc = admin_refuse(a,
		    "应为 list、propose、confirm、refuse 或 again",
		    "must be list, propose, confirm, refuse or again");
	centre_reader_close(d.reader);
	return rc;
}

/* ---- findings */

static int
say(struct admin *a, struct fold *f)
{
	struct finding_word w = { .rec = a->record,
		.key = a->finding,
		.what = a->word[0],
		.to = a->to,
		.text = a->reason,
		.by = a->by };
	uint8_t id[ID_LEN];
	struct words why;
	enum status st = finding_say(a->centre, a->roster, f, &w, id, &why);

	if (st != ST_OK)
		return refuse(a, "finding", st, &why);
	put_id(a, "已记入日志：", "logged:", id);
	return ADMIN_DONE;
}

static int
run_finding(struct admin *a)
{
	struct centre_reader *reader = NULL;
	struct define *d = NULL;
	struct domain *dom = NULL;
	struct fold_config fc = { .feed = feed_inside(a->feed),
		.utc_offset_min = (int)a->config.utc_offset_min };
	struct fold *f = NULL;
	int rc = ADMIN_USAGE;
	enum status st;

	if (a->word_count == 0 || !admin_needs(a, "--record", a->record) ||
	    !admin_needs(a, "--finding", a->finding))
		return ADMIN_USAGE;
	st = centre_reader_open(&reader, a->centre);
	if (st == ST_OK)
		st = define_open(&d, a->centre, a->roster);
	if (st == ST_OK)
		st = define_domain(d, &dom);
	if (st == ST_OK) {
		fc.kinds = dom->kinds;
		fc.rules = dom->rules;
		fc.reader = reader;
		st = fold_new(&f, &fc);
	}
	rc = st == ST_OK ? say(a, f) : admin_fail(a, "finding", st);
	fold_free(f);
	domain_unref(dom);
	define_close(d);
	centre_reader_close(reader);
	return rc;
}

const struct admin_command admin_decide_commands[] = {
	{ "finding", true, run_finding,
	    "close|reopen|assign --record REC --finding KEY --reason TEXT --by "
	    "ID [--to ID]",
	    "了结、重开、交办发现的问题",
	    "close a finding, open it again, give it to somebody" },
	{ "erase", true, run_erase,
	    "[list] | propose --record REC --entry ID… --ground T --law T --by "
	    "ID | confirm ID --by ID | refuse ID --by ID | again",
	    "依命令抹去正文", "erase bodies by the word of two people" },
	{ "kinds", true, run_kinds,
	    "[list] | push FILE --by ID | confirm ID --by ID | refuse ID --by "
	    "ID [--reason R]",
	    "记录类型、规则、表式、参数",
	    "kinds, rules, forms, parameters: propose, confirm" },
	{ NULL, false, NULL, NULL, NULL, NULL },
};
