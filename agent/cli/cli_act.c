/* cli_act: commands that write something down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/cli/cli.h"
#include "domain/act_words.h"
#include "agent/core/evidence.h"
#include "base/enc.h"

/* What was found before an act, so that only what it changed is told. */
static void
look_before(struct cli *c, const char *rec)
{
	buf_init(&c->before, FRAME_BYTES_MAX);
	if (!c->json && agent_findings(c->agent, rec, &c->before) != ST_OK)
		buf_reset(&c->before);
}

/* Tell of what was written, and of the findings that it brought or ended. */
static int
tell(struct cli *c, const char *rec, const uint8_t id[ID_LEN])
{
	char hex[2 * ID_LEN + 1];
	struct buf b;
	enum status st;

	hex_encode(hex, bytes_of(id, ID_LEN));
	if (!c->json) {
		(void)printf("%s\n", rec);
		(void)fprintf(stderr, "已保存 saved %s\n", hex);
	}
	buf_init(&b, FRAME_BYTES_MAX);
	st = agent_findings(c->agent, rec, &b);
	if (st == ST_OK && c->json && buf_cstr(&b) != NULL)
		(void)printf("{\"findings\":%s,\"id\":\"%s\",\"rec\":\"%s\"}\n",
		    (const char *)b.p, hex, rec);
	else if (st == ST_OK)
		cli_put_changes(
		    stderr, buf_view(&c->before), buf_view(&b), c->en);
	buf_wipe(&b);
	buf_wipe(&c->before);
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
}

/* A page filled in by hand has its record's id printed on it already. */
static int
take_rec(struct cli *c, struct agent_edit *edit)
{
	struct buf b;
	enum status st;

	if (strncmp(c->rec, "DBR1-", 5) == 0)
		c->rec += 5;
	if (!path_is_rec(bytes_str(c->rec)))
		return cli_refuse(c, "这不是记录编号", "this is no record id");
	buf_init(&b, DOC_BYTES_MAX);
	st = agent_state(c->agent, c->rec, &b);
	buf_free(&b);
	if (st != ST_ABSENT)
		return st == ST_OK ? cli_refuse(c, "这条记录已经录入",
					 "this record is there already")
				   : cli_fail(c, st);
	memcpy(edit->rec, c->rec, REC_LEN);
	return CLI_DONE;
}

static int
run_record(struct cli *c)
{
	const struct kind *k =
	    kinds_latest(agent_kinds(c->agent), bytes_str(c->argv[0]));
	struct agent_edit edit;
	struct cli_fields f;
	struct cli_taken *taken = NULL;
	uint8_t id[ID_LEN];
	int rc;

	if (k == NULL || k->system)
		return cli_no_kind(c);
	cli_fields_init(&f);
	rc = cli_fields_read(c, k, NULL, 1, &f);
	if (rc == CLI_DONE)
		rc = cli_take_begin(c, k, &taken);
	if (rc == CLI_DONE)
		cli_take_fields(taken, k, &f);
	if (rc == CLI_DONE) {
		enum status st = agent_edit_begin(c->agent, NULL, &edit);

		rc = st == ST_OK ? CLI_DONE : cli_fail(c, st);
	}
	if (rc == CLI_DONE && c->rec != NULL)
		rc = take_rec(c, &edit);
	if (rc == CLI_DONE)
		rc = cli_fields_append(c, k, &edit, DO_OPEN, NULL, &f, id);
	if (rc == CLI_DONE)
		rc = cli_take_rest(c, taken, k, &edit);
	cli_take_end(taken);
	cli_fields_free(&f);
	return rc == CLI_DONE ? tell(c, edit.rec, id) : rc;
}

/* set, amend and add: fields written into a record that is there. */
static int
write_fields(struct cli *c, enum verb verb, const char *list_path, int from)
{
	const struct kind *k = cli_kind_of(c, c->argv[0]);
	const struct kind_list *list = NULL;
	struct agent_edit edit;
	struct cli_fields f;
	uint8_t id[ID_LEN] = { 0 };
	enum status st;
	int rc;

	if (k == NULL)
		return CLI_FAILED;
	look_before(c, c->argv[0]);
	if (list_path != NULL) {
		list = kind_list(k, bytes_str(list_path));
		if (list == NULL)
			return cli_refuse(c, "该类记录没有此清单",
			    "this kind has no such list");
	}
	cli_fields_init(&f);
	rc = cli_fields_read(c, k, list, from, &f);
	if (rc == CLI_DONE) {
		st = agent_edit_begin(c->agent, c->argv[0], &edit);
		rc = st == ST_OK ? cli_fields_append(
				       c, k, &edit, verb, list_path, &f, id)
				 : cli_fail(c, st);
	}
	cli_fields_free(&f);
	return rc == CLI_DONE ? tell(c, c->argv[0], id) : rc;
}

static int
run_set(struct cli *c)
{
	return write_fields(c, DO_SET, NULL, 1);
}

static int
run_amend(struct cli *c)
{
	if (c->reason == NULL)
		return cli_refuse(c, "更正须写明理由：--reason",
		    "an amendment needs its reason: --reason");
	return write_fields(c, DO_AMEND, NULL, 1);
}

static int
run_add(struct cli *c)
{
	return write_fields(c, DO_ADD, c->argv[1], 2);
}

/* An act on names, without values: drop, keep, advance, void, release … */
static int
act(struct cli *c, enum verb verb, const struct bytes *on, size_t on_count,
    const char *data, const char *more)
{
	struct agent_act a = {
		.verb = verb, .on = on, .on_count = on_count, .at = c->at
	};
	struct agent_edit edit;
	uint8_t id[ID_LEN];
	enum status st;

	a.data = bytes_str(data);
	if (more != NULL)
		a.more = bytes_str(more);
	if (c->reason != NULL)
		a.reason = bytes_str(c->reason);
	look_before(c, c->argv[0]);
	st = agent_edit_begin(c->agent, c->argv[0], &edit);
	if (st == ST_OK)
		st = agent_append(c->agent, &edit, &a, id);
	return st == ST_OK ? tell(c, c->argv[0], id) : cli_fail(c, st);
}

static int
run_drop(struct cli *c)
{
	struct bytes on = bytes_str(c->argv[1]);

	return act(c, DO_DROP, &on, 1, "[null]", NULL);
}

static int
run_keep(struct cli *c)
{
	struct bytes on = bytes_str(c->argv[1]);

	return act(c, DO_KEEP, &on, 1, "[null]", NULL);
}

/* The status that a person means by its id or a label; NULL after saying what
 * there is. */
static const char *
status_meant(struct cli *c, const struct kind *k, const char *text)
{
	struct words why;

	for (size_t i = 0; i < k->status_count; i++) {
		const struct kind_status *s = &k->status[i];

		if (strcmp(s->id, text) == 0 || strcmp(s->zh, text) == 0 ||
		    strcasecmp(s->en, text) == 0)
			return s->id;
	}
	words_clear(&why);
	words_zh(&why, "没有此状态");
	words_en(&why, "no such status");
	for (size_t i = 0; i < k->status_count; i++) {
		const struct kind_status *s = &k->status[i];

		words_zh(&why, "%s%s（%s）", i == 0 ? "；可填 " : "、", s->zh,
		    s->id);
		words_en(&why, "%s%s (%s)", i == 0 ? "; give one of: " : ", ",
		    s->id, s->en);
	}
	(void)cli_refuse(c, why.zh, why.en);
	return NULL;
}

static int
run_advance(struct cli *c)
{
	const struct kind *k = cli_kind_of(c, c->argv[0]);
	const char *to = k == NULL ? NULL : status_meant(c, k, c->argv[1]);
	struct bytes on;

	if (to == NULL)
		return CLI_FAILED;
	on = bytes_str(to);

	return act(c, DO_ADVANCE, &on, 1, "[null]", NULL);
}

static int
run_void(struct cli *c)
{
	struct bytes on = bytes_str("");

	return act(c, DO_VOID, &on, 1, "[null]", NULL);
}

static int
run_link(struct cli *c)
{
	const char *word;
	struct bytes on[2] = { bytes_str(c->argv[1]) };
	int rc = cli_link_word(c, &word);

	if (rc != CLI_DONE)
		return rc;
	on[1] = bytes_str(word);
	return act(c, DO_LINK, on, 2, "[null,null]", NULL);
}

/* more = {"attach": entry, "at_ms": offset}: a point in a recording. */
static int
point_of(struct cli *c, char out[128])
{
	uint8_t id[ID_LEN];
	char *end = NULL;
	unsigned long long ms;

	if (c->attach == NULL && c->at_ms == NULL)
		return CLI_DONE;
	ms = c->at_ms == NULL ? 0 : strtoull(c->at_ms, &end, 10);
	if (c->attach == NULL || c->at_ms == NULL || *end != '\0' ||
	    c->at_ms[0] < '0' || c->at_ms[0] > '9' || ms > 1ull << 40 ||
	    hex_decode(id, ID_LEN, bytes_str(c->attach)) != ST_OK)
		return cli_refuse(c,
		    "指向录像中的一点：--attach 附件编号 --at-ms 毫秒",
		    "a point in a recording: --attach ENTRY --at-ms "
		    "MILLISECONDS");
	(void)snprintf(
	    out, 128, "{\"attach\":\"%s\",\"at_ms\":%llu}", c->attach, ms);
	return CLI_DONE;
}

/* A text, or true / false, on a path. */
static int
run_note(struct cli *c)
{
	struct bytes on = bytes_str(c->on == NULL ? "" : c->on);
	char point[128] = "";
	struct buf b;
	int rc = point_of(c, point);

	if (rc != CLI_DONE)
		return rc;
	buf_init(&b, ENTRY_BYTES_MAX);
	buf_u8(&b, '[');
	json_put_str(&b, c->argv[1]);
	buf_u8(&b, ']');
	rc = buf_cstr(&b) == NULL || !json_text_ok(bytes_str(c->argv[1]))
		 ? cli_refuse(c, "文字过长或含不可用字符",
		       "the text is too long or holds characters that cannot "
		       "stand")
		 : act(c, DO_NOTE, &on, 1, (const char *)b.p,
		       point[0] != '\0' ? point : NULL);
	buf_wipe(&b);
	return rc;
}

/* A note that names the finding which it answers. */
static int
run_answer(struct cli *c)
{
	struct bytes on = bytes_str(""), text = bytes_str(c->argv[2]);
	struct buf data, more;
	int rc = CLI_FAILED;

	if (!json_text_ok(text) || !json_text_ok(bytes_str(c->argv[1])))
		return cli_refuse(c, "文字含不可用字符",
		    "the text holds characters that cannot stand");
	buf_init(&data, ENTRY_BYTES_MAX);
	buf_init(&more, ENTRY_BYTES_MAX);
	buf_u8(&data, '[');
	json_put_str(&data, c->argv[2]);
	buf_u8(&data, ']');
	buf_str(&more, "{\"finding\":");
	json_put_str(&more, c->argv[1]);
	buf_u8(&more, '}');
	if (buf_cstr(&data) != NULL && buf_cstr(&more) != NULL)
		rc = act(c, DO_NOTE, &on, 1, (const char *)data.p,
		    (const char *)more.p);
	else
		rc = cli_fail(c, ST_LIMIT);
	buf_wipe(&data);
	buf_wipe(&more);
	return rc;
}

/* more = {"number": N}, where one is given. */
static int
act_numbered(struct cli *c, enum verb verb, const char *data, int number_at)
{
	struct bytes on = bytes_str(c->argv[1]);
	struct buf b;
	int rc;

	if (c->argc <= number_at)
		return act(c, verb, &on, 1, data, NULL);
	buf_init(&b, ENTRY_BYTES_MAX);
	buf_str(&b, "{\"number\":");
	json_put_str(&b, c->argv[number_at]);
	buf_u8(&b, '}');
	rc = buf_cstr(&b) == NULL
		 ? cli_refuse(c, "文号过长", "the number is too long")
		 : act(c, verb, &on, 1, data, (const char *)b.p);
	buf_free(&b);
	return rc;
}

static int
run_release(struct cli *c)
{
	return act_numbered(c, DO_RELEASE, "[null]", 2);
}

static int
run_approve(struct cli *c)
{
	bool yes = strcmp(c->argv[2], "yes") == 0;

	if (!yes && strcmp(c->argv[2], "no") != 0)
		return cli_refuse(c, "应写 yes 或 no", "say yes or no");
	return act_numbered(c, DO_APPROVE, yes ? "[true]" : "[false]", 3);
}

/* Who signed is named as rules look for them: the signer's own name in the
 * kind, or an item of a list that signs. */
static bool
person_ok(const struct kind *k, const struct cli *c)
{
	const struct kind_sign *s = kind_sign(k, bytes_str(c->argv[1]));
	size_t len = s != NULL ? strlen(s->who) : 0;

	if (s == NULL || c->person == NULL)
		return s == NULL || !s->each;
	if (!s->each)
		return strcmp(c->person, s->who) == 0;
	return strncmp(c->person, s->who, len) == 0 &&
	       path_sort(bytes_str(c->person)) == PATH_ITEM &&
	       strlen(c->person) == len + 2 + 2 * ID_LEN;
}

/* The picture of a signature is attached first, and the sign names it. */
static int
put_picture(struct cli *c, struct buf *more)
{
	uint8_t digest[HASH_LEN];
	enum status st;

	if (c->picture == NULL)
		return CLI_DONE;
	st = agent_attach_picture(c->agent, c->argv[0], c->picture, digest);
	if (st != ST_OK)
		return cli_fail(c, st);
	buf_str(more, ",\"picture\":");
	json_put_hex(more, bytes_of(digest, HASH_LEN));
	return CLI_DONE;
}

/* sign REC WHO HOW: the parts are those that the kind shows to WHO. */
static int
run_sign(struct cli *c)
{
	const struct kind *k = cli_kind_of(c, c->argv[0]);
	const struct kind_sign *s;
	struct bytes on[64], zero = bytes_str("[null");
	struct buf data, more;
	int rc;

	if (k == NULL)
		return CLI_FAILED;
	if (act_how_words(c->argv[2]) == NULL)
		return cli_refuse(c,
		    "签名方式：signed 签名、fingerprint 捺印、refused 拒绝、"
		    "cannot 不能、left 离开",
		    "how: signed, fingerprint, refused, cannot or left");
	if (!person_ok(k, c))
		return cli_refuse(c,
		    "--person 须为在场人等清单中的一项（如 persons/@…），"
		    "不填即为该签名人本身",
		    "--person is an item of a list (persons/@…); left out, it "
		    "is the signer themselves");
	s = kind_sign(k, bytes_str(c->argv[1]));
	if (s == NULL || s->part_count == 0 || s->part_count > 64)
		return cli_refuse(c, "该类记录没有此签名人",
		    "this kind has nobody of that name who signs");
	buf_init(&data, ENTRY_BYTES_MAX);
	buf_init(&more, ENTRY_BYTES_MAX);
	buf_bytes(&data, zero);
	for (size_t i = 0; i < s->part_count; i++) {
		on[i] = bytes_str(s->parts[i]);
		if (i > 0)
			buf_str(&data, ",null");
	}
	buf_u8(&data, ']');
	buf_printf(&more, "{\"form\":\"%s\",\"how\":\"%s\",\"person\":", s->id,
	    c->argv[2]);
	json_put_str(&more, c->person != NULL ? c->person : s->who);
	if (c->watched != NULL) {
		buf_str(&more, ",\"watched\":");
		json_put_str(&more, c->watched);
	}
	rc = put_picture(c, &more);
	buf_u8(&more, '}');
	if (rc == CLI_DONE)
		rc = buf_cstr(&data) == NULL || buf_cstr(&more) == NULL
			 ? cli_refuse(c, "内存不足", "out of memory")
			 : act(c, DO_SIGN, on, s->part_count,
			       (const char *)data.p, (const char *)more.p);
	buf_free(&data);
	buf_free(&more);
	return rc;
}

const struct cli_command cli_act_commands[] = {
	{ "record", 1, CLI_KEYS, run_record,
	    "KIND field=value… [--rec REC] [--scene REC]", "新建记录",
	    "open a record, print its id" },
	{ "set", 2, CLI_KEYS, run_set, "REC field=value…", "填写", "fill in" },
	{ "amend", 2, CLI_KEYS, run_amend, "REC field=value… --reason R",
	    "更正", "amend" },
	{ "add", 2, CLI_KEYS, run_add, "REC LIST field=value…", "加一项",
	    "add an item" },
	{ "drop", 2, CLI_KEYS, run_drop, "REC ITEM --reason R", "划去",
	    "strike out" },
	{ "keep", 2, CLI_KEYS, run_keep, "REC ITEM --reason R", "保留",
	    "keep" },
	{ "sign", 3, CLI_KEYS, run_sign,
	    "REC WHO HOW [--person LIST/@ID] [--watched NAME] [--picture PNG]",
	    "签名", "sign, or note a refusal" },
	{ "advance", 2, CLI_KEYS, run_advance, "REC STATUS", "推进状态",
	    "next status" },
	{ "note", 2, CLI_KEYS, run_note,
	    "REC TEXT [--on PATH] [--attach ENTRY --at-ms MS]", "备注",
	    "note; a point in a recording" },
	{ "answer", 3, CLI_KEYS, run_answer, "REC FINDING TEXT",
	    "说明发现的问题", "answer a finding" },
	{ "approve", 3, CLI_KEYS, run_approve, "REC PATH yes|no [NUMBER]",
	    "批准", "approve or refuse" },
	{ "release", 2, CLI_KEYS, run_release, "REC PATH [NUMBER]", "解除",
	    "release a measure" },
	{ "link", 3, CLI_KEYS, run_link, "REC OTHER WORD --reason R", "关联",
	    "link to another record" },
	{ "void", 1, CLI_KEYS, run_void, "REC --reason R", "作废", "void" },
	{ NULL, 0, CLI_NO_KEYS, NULL, NULL, NULL, NULL },
};
