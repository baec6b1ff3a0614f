#ifndef SERVER_ADMIN_ADMIN_H
#define SERVER_ADMIN_ADMIN_H
/*
 * admin: the command line of daybreak-server.
 *
 * Exit: 0 done, 1 refused or failed, 2 usage, 3 damage found.  With --json
 * each result is one JSON object on a line.  All commands but init work on a
 * court's folder, also while the daemon runs on it: both commit to one store,
 * one after the other.
 */
#include "server/app/config.h"
#include "server/core/centre.h"
#include "server/roster/feed.h"
#include "server/roster/roster.h"

enum admin_exit {
	ADMIN_DONE = 0,
	ADMIN_FAILED = 1,
	ADMIN_USAGE = 2,
	ADMIN_DAMAGE = 3
};

enum { ADMIN_MANY_MAX = 64, ADMIN_WORDS_MAX = 4 };

struct admin {
	const char *dir;
	bool json, qr, confirm, stolen;
	/* Options by name; NULL where not given. */
	const char *court, *name, *recovery_out, *officer, *role, *unit, *team;
	const char *record, *out, *person, *dev, *reason, *what, *by, *ttl;
	const char *replaces, *store, *recovery_key, *root_key, *from, *to;
	const char *title, *text, *address, *devices_address, *origin, *kept;
	const char *keys, *ground, *law, *finding, *media;
	const char *note[ADMIN_MANY_MAX];
	size_t note_count;
	const char *descriptor[ADMIN_MANY_MAX]; /* files */
	size_t descriptor_count;
	const char *manifest;
	const char *withhold[ADMIN_MANY_MAX];
	size_t withhold_count;
	const char *anchor[ADMIN_MANY_MAX]; /* files */
	size_t anchor_count;
	const char *word[ADMIN_WORDS_MAX]; /* what is no option */
	size_t word_count;
	bool takes_words;
	struct config config;

	/* Open for commands that want it. */
	struct centre *centre;
	struct roster *roster;
	struct feed *feed;

	/* Of evidence. */
	const char *case_no, *until;

	/* Of recover, held, admit and hold. */
	const char *chain, *branch;
	const char *entry[ADMIN_MANY_MAX];
	size_t entry_count;
};

struct admin_command {
	const char *name;
	bool open; /* wants centre, roster and feed */
	int (*run)(struct admin *a);
	const char *usage, *zh, *en;
};

extern const struct admin_command admin_court_commands[];
extern const struct admin_command admin_people_commands[];
extern const struct admin_command admin_upkeep_commands[];
extern const struct admin_command admin_restore_commands[];
extern const struct admin_command admin_export_commands[];
/* These take words besides options. */
extern const struct admin_command admin_decide_commands[];
extern const struct admin_command admin_evidence_commands[];
extern const struct admin_command admin_print_commands[];

/*
 * admin_media: the files that a bundle's entries name, into the folder
 * a->media, each under its digest, copied out as custody_copy does; a file that
 * is there already is left.  What is not stored is counted.  ST_CORRUPT: one is
 * damaged here, the others were copied.
 */
struct admin_media {
	uint64_t copied, there, absent, damaged, bytes;
};
MUST_CHECK enum status admin_media_copy(
    struct admin *a, struct bytes bundle, struct admin_media *out);

/* Say why; gives ADMIN_FAILED. */
int admin_refuse(const struct admin *a, const char *zh, const char *en);
int admin_fail(const struct admin *a, const char *what, enum status st);
/* True if every option named is given; else says which is missing. */
bool admin_needs(const struct admin *a, const char *name, const char *value);
/* True if --role is a role (`token`: one that a token may have); else says
 * which there are. */
bool admin_role_known(const struct admin *a, bool token);
/* Put into the roster what --person, --name, --role, --unit and --team say,
 * over what stands there; the exit code. */
int admin_put_person(struct admin *a);

#endif
