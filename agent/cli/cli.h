#ifndef AGENT_CLI_H
#define AGENT_CLI_H
/*
 * cli: the command line of daybreak-agent.
 *
 * Exit: 0 done, 1 refused or failed, 2 usage, 3 damage found.  With --json
 * each result is one JSON object on a line of standard output; words for
 * people go to standard error.  Passphrases come from the file that
 * DAYBREAK_PIN_FILE names, from standard input, or from a prompt; never from
 * an argument, which other users of the machine could read.
 */
#include <stdio.h>

#include "agent/core/agent.h"
#include "domain/kind.h"

enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_DAMAGE = 3 };

enum { CLI_ARGS_MAX = 512 };

struct cli {
	struct agent *agent;
	const char *home;
	const char *officer; /* --officer, or NULL: the only one */
	bool json;
	const char *argv[CLI_ARGS_MAX]; /* what stands behind the command */
	int argc;
	struct buf before; /* findings before an act */
	/* Options, NULL where not given. */
	const char *reason, *at, *on, *map, *out, *kind, *person, *limit, *days;
	const char *rec, *watched;
	const char *scene, *taken, *place, *of, *made, *picture, *attach,
	    *at_ms, *budget, *recorder, *filmed_by, *seconds;
	bool state, findings, en, blank, urgent, no_evidence, watch, all;
};

/* One command. */
enum cli_keys {
	CLI_NO_KEYS, /* needs none */
	CLI_KEYS,    /* must be unlocked */
	CLI_KEYS_IF, /* says more with a passphrase, but does without */
};
struct cli_command {
	const char *name;
	int args_min; /* what must stand behind it */
	enum cli_keys keys;
	int (*run)(struct cli *c);
	const char *usage; /* arguments */
	const char *zh, *en;
};

/* ---- shared by the commands */

/* Say why the last call on the agent failed; gives CLI_FAILED (or DAMAGE). */
int cli_fail(struct cli *c, enum status st);
/* Refuse in both languages. */
int cli_refuse(struct cli *c, const char *zh, const char *en);
/* Refuse a kind that there is not, and say where they are listed. */
int cli_no_kind(struct cli *c);
/* Print a buffer that holds one result; the buffer is freed. */
int cli_print(struct cli *c, enum status st, struct buf *b);
/* Read a passphrase into `out` (wiped by the caller): from the file that the
 * environment names in `env`, or standard input. */
enum status cli_passphrase(
    const char *prompt, const char *env, struct buf *out);

/* `field=value` arguments as names and values of an act (cli_fields.c). */
struct cli_fields {
	struct bytes on[CLI_ARGS_MAX];
	const struct kind_field *field[CLI_ARGS_MAX];
	size_t value_off[CLI_ARGS_MAX + 1];
	size_t count;
	struct buf values; /* JSON scalars, one behind the other */
};
void cli_fields_init(struct cli_fields *f);
void cli_fields_free(struct cli_fields *f);
/*
 * Read argv[from…]: each `path=text`, normalised by the kind's type.  `list`
 * non-NULL: paths are those of its items.  CLI_DONE, or what it refused.
 */
int cli_fields_read(struct cli *c, const struct kind *k,
    const struct kind_list *list, int from, struct cli_fields *f);
/*
 * Append the fields as entries: those that stand apart in one of their own
 * each.  The first is of `verb` with `lead` (a list's path, or NULL) before
 * its names; the rest are `set` with `prefix` before theirs, which for an
 * item is known only once the `add` has its id.  edit->rec names the record.
 */
int cli_fields_append(struct cli *c, const struct kind *k,
    struct agent_edit *edit, enum verb verb, const char *lead,
    const struct cli_fields *f, uint8_t first[ID_LEN]);

/*
 * A record begun with --scene takes over what the kind's link says
 * (cli_link.c). begin: *out NULL where there is no --scene; else cli_take_end
 * frees it, whatever came back.  fields: into the opening entry, but for those
 * that are given already.  rest: link and items, behind it.
 */
struct cli_taken;
int cli_take_begin(struct cli *c, const struct kind *k, struct cli_taken **out);
void cli_take_fields(
    struct cli_taken *t, const struct kind *k, struct cli_fields *out);
int cli_take_rest(struct cli *c, struct cli_taken *t, const struct kind *k,
    struct agent_edit *edit);
void cli_take_end(struct cli_taken *t);
/* REC OTHER WORD of `link`: the word as it is stored. */
int cli_link_word(struct cli *c, const char **word);

extern const struct cli_command cli_act_commands[];
extern const struct cli_command cli_read_commands[];
extern const struct cli_command cli_join_commands[];
extern const struct cli_command cli_paper_commands[];
extern const struct cli_command cli_evidence_commands[];
extern const struct cli_command cli_kinds_commands[];
extern const struct cli_command cli_desk_commands[];

/* For people, from what the agent gives as JSON: findings (`en`: in English
 * only), a list's lines, a record's state and history. */
void cli_put_findings(FILE *f, struct bytes json, bool en);
/* An array of agent_ended, in words. */
void cli_put_ended(FILE *f, struct bytes json, bool en);
/* Of two lists of a record's findings, before and after: what is new or weighs
 * more, what has ended, and how many others stand. */
void cli_put_changes(FILE *f, struct bytes before, struct bytes after, bool en);
/* What must be done by when (agent_timers), as it stands there. */
void cli_put_timers(FILE *f, struct bytes json, bool en);
void cli_put_list(struct cli *c, struct bytes lines);
/* *k: its kind, borrowed from the agent; NULL where it is not known here. */
MUST_CHECK enum status cli_put_state(
    struct cli *c, struct bytes doc, const struct kind **k);
void cli_put_history(const struct kind *k, struct bytes doc);

/* One alarm of agent_alarms for people. */
struct json;
void cli_put_alarm(const struct json *j, uint32_t n);

/* A program that is installed beside this one, in out[cap]; NULL: none. */
const char *cli_beside(const char *name, char *out, size_t cap);

/* "1.2 MB", to `width` columns. */
void cli_put_size(int64_t size, size_t width);

int cli_status(struct cli *c); /* cli_status.c */
int cli_sync(struct cli *c);   /* cli_sync.c */

/* A record's attachments, or all (rec NULL); `quiet`: with a heading, and
 * nothing where there are none (cli_evidence.c). */
int cli_put_evidence(struct cli *c, const char *rec, bool quiet);

/* The kind that a record's `open` names; NULL after saying why not. */
const struct kind *cli_kind_of(struct cli *c, const char *rec);

#endif
