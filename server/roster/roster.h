#ifndef SERVER_ROSTER_ROSTER_H
#define SERVER_ROSTER_ROSTER_H
/*
 * roster: people, teams, scopes and devices, as the log says (docs/PROTOCOL.md,
 * sections 6 to 8).
 *
 * A projection of the log's own records in memory: what is asked here was
 * committed before, and what is changed here is an entry first.  It follows
 * the log on the committer's thread, so that a revocation is known before the
 * next piece is judged.
 *
 * Threads: any; one lock inside.  Functions that change something wait for a
 * commit and so must not be called on the committer's thread.
 */
#include "base/buf.h"
#include "base/limits.h"

struct centre;
struct roster;

enum {
	ROSTER_NAME_MAX = 200, /* bytes of a name or id */
	ROSTER_SERIAL_LEN = 16,
	ROSTER_SCOPES_MAX = 64 /* of one person */
};

/* Build from the whole log, then follow it.  `c` borrowed. */
MUST_CHECK enum status roster_open(struct roster **out, struct centre *c);
/* The centre must have stopped committing. */
void roster_close(struct roster *r);

/* ---- devices */

struct roster_device {
	char dev[DEV_LEN + 1];
	uint8_t key[PUBKEY_LEN];
	char person[ROSTER_NAME_MAX + 1], name[ROSTER_NAME_MAX + 1];
	char role[ROSTER_NAME_MAX + 1], team[ROSTER_NAME_MAX + 1];
	uint8_t serial[ROSTER_SERIAL_LEN];
	uint64_t from_ms, until_ms;  /* of its certificate */
	char code[2 * HASH_LEN + 1]; /* SHA-256 of the code it came by, hex */
	char standing[16]; /* "" good; else revoked, lost, seized … */
	uint64_t place;    /* of its enrolment */
};

/* ST_ABSENT: not enrolled here. */
MUST_CHECK enum status roster_device_by_dev(
    struct roster *r, const char *dev, struct roster_device *out);
MUST_CHECK enum status roster_device_by_key(
    struct roster *r, const uint8_t key[PUBKEY_LEN], struct roster_device *out);
MUST_CHECK enum status roster_device_by_code(
    struct roster *r, const char *code_hash, struct roster_device *out);

/* By the record of its enrolment. */
MUST_CHECK enum status roster_device_by_rec(
    struct roster *r, const char *rec, struct roster_device *out);

typedef enum status (*roster_device_fn)(
    void *arg, const struct roster_device *d);
/* In order of dev; `fn` ends it with any result but ST_OK. */
MUST_CHECK enum status roster_devices(
    struct roster *r, roster_device_fn fn, void *arg);

struct roster_enrol {
	uint8_t key[PUBKEY_LEN];
	const char *person, *name, *role, *team;
	uint8_t serial[ROSTER_SERIAL_LEN];
	uint8_t cert_sha256[HASH_LEN];
	uint64_t from_ms, until_ms;
	const char *code;                       /* hex SHA-256 */
	const char *replaces, *replaces_reason; /* or NULL */
	const char *by;
};
/* Log an enrolment; *place is its own.  ST_CONFLICT: key or code is taken. */
MUST_CHECK enum status roster_enrol(
    struct roster *r, const struct roster_enrol *e, uint64_t *place);
/*
 * A device that is in the log and never heard so comes with another code of its
 * own person: `e` as for an enrolment; key, certificate, code and by count.
 * Its certificate is renewed, and the code is used.  ST_ABSENT: it is not in
 * the log; ST_DENIED: another person's, or out; ST_CONFLICT: the code is taken.
 */
MUST_CHECK enum status roster_enrol_again(
    struct roster *r, const struct roster_enrol *e, uint64_t *place);
MUST_CHECK enum status roster_renew(struct roster *r, const char *dev,
    const uint8_t serial[ROSTER_SERIAL_LEN],
    const uint8_t cert_sha256[HASH_LEN], uint64_t from_ms, uint64_t until_ms);
/* `what`: revoked, lost, seized, copied or replaced.  ST_INVALID, ST_ABSENT,
 * ST_CONFLICT if it is out already. */
MUST_CHECK enum status roster_revoke(struct roster *r, const char *dev,
    const char *what, const char *reason, const char *by);

/* ---- people, teams, scopes */

struct roster_person {
	char id[ROSTER_NAME_MAX + 1], name[ROSTER_NAME_MAX + 1];
	char role[ROSTER_NAME_MAX + 1], unit[ROSTER_NAME_MAX + 1];
	char team[ROSTER_NAME_MAX + 1];
};
MUST_CHECK enum status roster_person(
    struct roster *r, const char *id, struct roster_person *out);
typedef enum status (*roster_person_fn)(
    void *arg, const struct roster_person *p);
MUST_CHECK enum status roster_people(
    struct roster *r, roster_person_fn fn, void *arg);

/*
 * Put a person where `p` says.  If the team's people change by it, each team
 * concerned gets a new scope with the people it has now and every record of
 * the old one, and the old one is closed; all in one commit.  `records` gives
 * the records of a scope (feed.h).  Nothing is logged if nothing changes.
 *
 * ST_CONFLICT: another process changed people, teams, devices or one of those
 * scopes since this one looked, and nothing was logged.  Follow the feed to the
 * end of the log, and ask again.  `records` must know what this roster knows: a
 * record that joined the old scope unseen would stay in it for ever.
 */
typedef enum status (*roster_rec_fn)(void *arg, const char *rec);
typedef enum status (*roster_records)(
    void *arg, const uint8_t scope[ID_LEN], roster_rec_fn fn, void *fn_arg);
MUST_CHECK enum status roster_person_put(struct roster *r,
    const struct roster_person *p, const char *by, roster_records records,
    void *records_arg);

/* The present scope of a team: its record's id.  ST_ABSENT. */
MUST_CHECK enum status roster_team_scope(
    struct roster *r, const char *team, char rec[REC_LEN + 1]);
/* Open scopes that a person is in; as many as there are, at most
 * ROSTER_SCOPES_MAX. */
MUST_CHECK enum status roster_scopes_of(struct roster *r, const char *person,
    uint8_t (*out)[ID_LEN], size_t *count);
/* ST_OK if it is a scope and not closed; ST_ABSENT. */
MUST_CHECK enum status roster_scope_is_open(struct roster *r, const char *rec);
/* The 16 bytes of a record's UUID. */
MUST_CHECK enum status roster_scope_id(uint8_t out[ID_LEN], const char *rec);

/* Places of the court's descriptors from the first version on, behind the first
 * `from` of them; at most `max`.  Gives how many. */
size_t roster_descriptors(
    struct roster *r, size_t from, uint64_t *place, size_t max);

/* Another number whenever people, teams or devices may have changed. */
uint64_t roster_version(struct roster *r);

/* The latest entry of one of the log's own records: what the next entry there
 * states as `after`.  ST_ABSENT. */
MUST_CHECK enum status roster_head_of(
    struct roster *r, const char *rec, uint8_t id[ID_LEN]);
/*
 * Inside a commit's check (struct commit_job): is `head` still the latest entry
 * of that record?  ST_CONFLICT: not any more; else what the roster failed with.
 * It knows what stands in the log then, not what an earlier job of the same
 * transaction says: in one process one thread moves records and people.
 */
MUST_CHECK enum status roster_head_stands(
    struct roster *r, const char *rec, const uint8_t head[ID_LEN]);

#endif
