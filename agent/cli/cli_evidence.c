/* cli_evidence: attaching files, and seeing where they are. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/cli/cli.h"
#include "agent/cli/columns.h"
#include "agent/core/evidence.h"
#include "base/enc.h"
#include "entry/json.h"

static const struct {
	const char *word, *zh;
} states[] = { { "named", "待上传 named" }, { "uploading", "上传中 uploading" },
	{ "waiting", "已传完，待回执 waiting" },
	{ "stored", "中心已存 stored" },
	{ "mismatched", "内容不符 mismatched" },
	{ "purged", "中心已存，本机已清 purged" },
	{ "lost", "本机已坏 lost" } };

static const char *
state_zh(const char *word)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i].word, word) == 0)
			return states[i].zh;
	}
	return "?";
}

/* ---- writing */

static int
tell_saved(struct cli *c, const char *rec, const uint8_t id[ID_LEN])
{
	char hex[2 * ID_LEN + 1];

	hex_encode(hex, bytes_of(id, ID_LEN));
	if (c->json) {
		(void)printf("{\"id\":\"%s\",\"rec\":\"%s\"}\n", hex, rec);
	} else {
		(void)printf("%s\n", hex);
		(void)fprintf(
		    stderr, "已保存，内容随后上传 saved; its bytes follow\n");
	}
	return CLI_DONE;
}

/* "LAT,LON[,METRES]": split in place; false if it has another form. */
static bool
read_place(char *text, struct agent_about *b)
{
	char *lon = strchr(text, ','), *acc, *end;

	if (lon == NULL)
		return false;
	*lon++ = '\0';
	acc = strchr(lon, ',');
	if (acc != NULL) {
		*acc++ = '\0';
		b->acc_m = strtoull(acc, &end, 10);
		b->has_fix = true;
		if (*end != '\0' || end == acc || b->acc_m > 1000000)
			return false;
	}
	b->lat = text;
	b->lon = lon;
	return true;
}

static int
run_attach(struct cli *c)
{
	const char *rec = c->scene != NULL ? c->scene : c->argv[0];
	const char *file = c->argv[c->scene != NULL ? 0 : 1];
	struct agent_about b = { .on = c->scene != NULL ? "unfiled" : c->on,
		.taken = c->taken,
		.of = c->of,
		.made = c->made,
		.urgent = c->urgent };
	char place[64] = "";
	uint8_t id[ID_LEN];
	enum status st;

	if (c->argc < (c->scene != NULL ? 1 : 2))
		return cli_refuse(c,
		    "用法：attach REC FILE，或 attach --scene REC FILE",
		    "attach REC FILE, or attach --scene REC FILE");
	if (c->place != NULL && (snprintf(place, sizeof(place), "%s",
				     c->place) >= (int)sizeof(place) ||
				    !read_place(place, &b)))
		return cli_refuse(c, "--place 应为 纬度,经度[,误差米数]",
		    "--place takes LAT,LON[,METRES]");
	st = agent_attach_path(c->agent, rec, file, &b, id);
	return st == ST_OK ? tell_saved(c, rec, id) : cli_fail(c, st);
}

static int
run_file(struct cli *c)
{
	uint8_t id[ID_LEN];
	enum status st =
	    agent_attach_file(c->agent, c->argv[0], c->argv[1], c->on, id);

	return st == ST_OK ? tell_saved(c, c->argv[0], id) : cli_fail(c, st);
}

/* ---- seeing */

void
cli_put_size(int64_t size, size_t width)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double shown = (double)size;
	size_t u = 0;
	char text[32] = "?";

	while (shown >= 1000 && u < 4) {
		shown /= 1000;
		u++;
	}
	if (size >= 0)
		(void)snprintf(text, sizeof(text),
		    u == 0 ? "%.0f %s" : "%.1f %s", shown, units[u]);
	columns_pad(stdout, bytes_str(text), width);
}

static void
put_line(const struct json *j, bool with_rec)
{
	char text[512], state[32];

	columns_pad(stdout,
	    bytes_str(json_member_text(j, 0, "entry", text, sizeof(text))
			  ? text
			  : "?"),
	    34);
	(void)json_member_text(j, 0, "type", text, sizeof(text));
	columns_pad(stdout, bytes_str(text), 26);
	cli_put_size(json_int(j, 0, "size", -1), 10);
	(void)json_member_text(j, 0, "state", state, sizeof(state));
	if (strcmp(state, "uploading") == 0)
		(void)snprintf(text, sizeof(text),
		    "上传中 uploading %" PRId64 " %%",
		    json_int(j, 0, "percent", 0));
	else
		(void)snprintf(text, sizeof(text), "%s", state_zh(state));
	columns_pad(stdout, bytes_str(text), 28);
	(void)json_member_text(j, 0, "name", text, sizeof(text));
	columns_put(stdout, bytes_str(text));
	if (json_member_text(j, 0, "on", text, sizeof(text)) &&
	    strcmp(text, "unfiled") == 0)
		(void)fputs(json_bool(j, 0, "filed", false)
				? "  已归档 filed"
				: "  待归档 unfiled",
		    stdout);
	if (json_member_text(j, 0, "recorder", text, sizeof(text)))
		(void)printf("  记录仪 recorder %s", text);
	if (json_int(j, 0, "ms", -1) >= 0)
		(void)printf("  %" PRId64 " s", json_int(j, 0, "ms", 0) / 1000);
	if (json_member_text(j, 0, "from", text, sizeof(text)))
		(void)printf("  归档自 filed from %.8s…", text);
	if (json_member_text(j, 0, "made", text, sizeof(text)))
		(void)printf("  %s", text);
	if (json_bool(j, 0, "urgent", false))
		(void)fputs("  加急 urgent", stdout);
	if (with_rec && json_member_text(j, 0, "rec", text, sizeof(text)))
		(void)printf("  %s", text);
	(void)fputc('\n', stdout);
}

int
cli_put_evidence(struct cli *c, const char *rec, bool quiet)
{
	struct bytes lines;
	struct json j;
	struct buf b;
	size_t count = 0;
	enum status st;

	buf_init(&b, (size_t)256 << 20);
	st = agent_evidence(c->agent, rec, &b);
	if (st != ST_OK || (c->json && !quiet))
		return cli_print(c, st, &b);
	json_init(&j);
	lines = buf_view(&b);
	if (quiet && lines.len > 0)
		(void)puts("\n附件 attachments");
	while (lines.len > 0) {
		const uint8_t *lf = memchr(lines.p, '\n', lines.len);
		size_t n = lf == NULL ? lines.len : (size_t)(lf - lines.p);

		if (json_parse(&j, bytes_of(lines.p, n), JSON_DOCUMENT) ==
		    ST_OK) {
			put_line(&j, rec == NULL);
			count++;
		}
		n += lf != NULL;
		lines.p += n;
		lines.len -= n;
	}
	if (count == 0 && !quiet)
		(void)puts("（没有附件 no attachments）");
	json_free(&j);
	buf_wipe(&b);
	return CLI_DONE;
}

/* evidence get ENTRY OUT: into a new file, or none. */
static int
get(struct cli *c, const char *entry, const char *out)
{
	enum status st;
	int fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST
			   ? cli_refuse(c, "该文件已存在，不覆盖",
				 "that file is there already; it is not "
				 "overwritten")
			   : cli_refuse(c, "无法建立该文件",
				 "that file cannot be made");
	st = agent_evidence_get(c->agent, entry, fd);
	if (st == ST_OK && fsync(fd) != 0 && errno != EINVAL)
		st = ST_IO;
	if (close(fd) != 0 && st == ST_OK)
		st = ST_IO;
	if (st != ST_OK) {
		(void)unlink(out);
		return cli_fail(c, st);
	}
	if (c->json)
		(void)printf("{\"got\":true}\n");
	else
		(void)fprintf(stderr,
		    "已取出，哈希值相符 taken out; its digest is right\n");
	return CLI_DONE;
}

static int
run_evidence(struct cli *c)
{
	if (c->argc > 0 && strcmp(c->argv[0], "get") == 0)
		return c->argc == 3
			   ? get(c, c->argv[1], c->argv[2])
			   : cli_refuse(c, "用法：evidence get ENTRY OUT",
				 "evidence get ENTRY OUT");
	return cli_put_evidence(c, c->argc > 0 ? c->argv[0] : NULL, false);
}

const struct cli_command cli_evidence_commands[] = {
	{ "attach", 1, CLI_KEYS, run_attach,
	    "REC FILE [--on PATH] [--taken T] [--place LAT,LON[,M]] [--urgent] "
	    "[--of ENTRY --made masked|cut|copied] | --scene REC FILE",
	    "附上照片、录像、录音", "attach a file" },
	{ "file", 2, CLI_KEYS, run_file, "REC ENTRY [--on PATH]",
	    "把先拍的归入记录", "file in a record what was taken before it" },
	{ "evidence", 0, CLI_KEYS, run_evidence, "[REC] | get ENTRY OUT",
	    "附件及其上传情况；取出",
	    "attachments and where they are; take one out" },
	{ NULL, 0, CLI_NO_KEYS, NULL, NULL, NULL, NULL },
};
