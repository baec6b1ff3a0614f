/* cli: what all commands share (cli.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agent/cli/cli.h"
#include "entry/json.h"

int
cli_refuse(struct cli *c, const char *zh, const char *en)
{
	if (c->json) {
		struct buf b;

		buf_init(&b, DOC_BYTES_MAX);
		buf_str(&b, "{\"error\":");
		json_put_str(&b, en);
		buf_str(&b, ",\"zh\":");
		json_put_str(&b, zh);
		buf_u8(&b, '}');
		if (buf_cstr(&b) != NULL)
			(void)puts((const char *)b.p);
		buf_free(&b);
	}
	(void)fprintf(stderr, "%s\n%s\n", zh, en);
	return CLI_FAILED;
}

int
cli_fail(struct cli *c, enum status st)
{
	(void)cli_refuse(c, agent_error_zh(c->agent), agent_error_en(c->agent));
	return st == ST_CORRUPT ? CLI_DAMAGE : CLI_FAILED;
}

int
cli_print(struct cli *c, enum status st, struct buf *b)
{
	int rc = CLI_DONE;

	if (st == ST_OK)
		st = b->err;
	if (st != ST_OK) {
		rc = cli_fail(c, st);
	} else if (b->len > 0) {
		(void)fwrite(b->p, 1, b->len, stdout);
		if (b->p[b->len - 1] != '\n')
			(void)putchar('\n');
	}
	buf_wipe(b);
	return rc;
}

/* One line from `f`, without its line break, never echoed. */
static enum status
read_line(FILE *f, struct buf *out)
{
	int ch;

	while ((ch = getc(f)) != EOF && ch != '\n')
		buf_u8(out, (uint8_t)ch);
	if (ch == EOF && out->len == 0)
		return ST_ABSENT;
	if (out->len > 0 && out->p[out->len - 1] == '\r')
		out->len--;
	return out->err;
}

enum status
cli_passphrase(const char *prompt, const char *env, struct buf *out)
{
	const char *file = getenv(env);
	struct termios old, quiet;
	enum status st;
	FILE *f = stdin;
	bool hidden = false;

	if (file != NULL) {
		f = fopen(file, "re");
		if (f == NULL)
			return ST_ABSENT;
	} else if (isatty(STDIN_FILENO) != 0) {
		(void)fprintf(stderr, "%s", prompt);
		hidden = tcgetattr(STDIN_FILENO, &old) == 0;
		if (hidden) {
			quiet = old;
			quiet.c_lflag &= (tcflag_t)~ECHO;
			(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
		}
	}
	/* Unbuffered: what stdio keeps could not be wiped. */
	(void)setvbuf(f, NULL, _IONBF, 0);
	st = read_line(f, out);
	if (hidden) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		(void)fprintf(stderr, "\n");
	}
	if (file != NULL)
		(void)fclose(f);
	return st;
}

const struct kind *
cli_kind_of(struct cli *c, const char *rec)
{
	struct agent_edit edit;
	const struct kind *k = NULL;
	enum status st = agent_edit_begin(c->agent, rec, &edit);

	if (st != ST_OK) {
		(void)cli_fail(c, st);
		return NULL;
	}
	k = kinds_find(agent_kinds(c->agent), bytes_str(edit.kind));
	if (k == NULL)
		(void)cli_refuse(c, "这条记录的类别尚未到达本机",
		    "the kind of this record is not known on this device");
	return k;
}
