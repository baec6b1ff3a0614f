#ifndef DOMAIN_RULES_H
#define DOMAIN_RULES_H
/*
 * rules: what the law asks of an act, and what is found against it.
 *
 * Rules are data (docs/KINDS.md): a predicate from a small fixed set,
 * parameters, severity, law and article, words in two languages, dates in
 * force.  A finding is a pure function of (state, kind version, rules version,
 * received-at, time): the same on the handheld and at the centre, beside the
 * merge and never in it.  Nothing is refused here; an irregular act was
 * written down, and this says so at once.
 *
 * An act is judged by the rules in force when it happened (the kind's
 * `happened` field, else the `at` of the earliest entry given, else now).  A
 * court may tighten a statutory limit, never loosen it: rules_court refuses.
 *
 * Where a judged field is in conflict and its values disagree about the
 * outcome, the finding stands and says `doubt`; where what is judged is
 * withheld, nothing can be said and nothing is found.
 *
 * Threads: a `struct rules` may be read from many threads once it is filled.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "domain/kind.h"
#include "domain/state.h"

struct rules; /* private: all rules that are known, with parameters */
struct entry; /* entry/entry.h */

enum rules_severity { RULES_NOTICE, RULES_DUE, RULES_WARNING, RULES_GRAVE };

/* "notice", "due", "warning", "grave"; static. */
const char *rules_severity_name(enum rules_severity s);

/* ---- the set */

MUST_CHECK enum status rules_new(struct rules **out);
void rules_free(struct rules *rs);

/* Every rule that was built in, with the parameters of the statutes.  `ks` is
 * borrowed and must outlive the rules: paths are checked against kinds. */
MUST_CHECK enum status rules_load_builtin(
    struct rules **out, const struct kinds *ks);

/*
 * Take the rules of one file (bytes copied).  ST_INVALID with rules_words:
 * file, place, reason.  ST_CONFLICT: a rule of that id and version is known
 * with another meaning, or two versions are in force on one day.
 */
MUST_CHECK enum status rules_add(struct rules *rs, const struct kinds *ks,
    const char *name, struct bytes file);

/*
 * As rules_add, for a file that came later (docs/KINDS.md, section 7): its
 * rules judge acts from `since_ms` on.  A higher version of a rule takes that
 * one's place where both are in force; of a rule of statute it may say no less:
 * ST_INVALID with words.
 */
MUST_CHECK enum status rules_add_since(struct rules *rs, const struct kinds *ks,
    const char *name, struct bytes file, int64_t since_ms);

/*
 * Acts before `since_ms`, or before the day that the court's file names, are
 * judged by `before`, which is taken over (freed with `rs`).
 */
void rules_before(struct rules *rs, struct rules *before, int64_t since_ms);

/* A digest over all that decides what is found of a kind's records, in every
 * time: they are judged anew where it is another. */
void rules_version_for(
    const struct rules *rs, const struct kind *k, uint8_t out[HASH_LEN]);

/*
 * Apply a court's own parameters and switch its local rules on:
 *   {"court":"…","from":"2026-01-01","set":{"RULE":{"PARAM":value}},
 *    "on":["RULE"],"off":["RULE"]}
 * A value looser than the statute's, an unknown rule or parameter, or a
 * statutory rule in `off`: ST_INVALID with words; nothing changes then.
 */
MUST_CHECK enum status rules_court(
    struct rules *rs, const char *name, struct bytes file);

const struct words *rules_words(const struct rules *rs);

/* A digest over all rules and parameters in use, hex: the "rules version"
 * that a finding keeps beside its own rule's version. */
const char *rules_version(const struct rules *rs);

/* One rule as it is listed; all borrowed from the set. */
struct rule_info {
	const char *id;
	uint32_t version;
	enum rules_severity severity;
	const char *zh, *en;                   /* its title */
	const char *law_zh, *law_en, *article; /* of today's text */
	const char *mark; /* "V", "G", "L", or "own": DOMAIN.md */
	bool local, on;
	const char *from, *to; /* dates, "" if open */
};
size_t rules_count(const struct rules *rs);
void rules_info(const struct rules *rs, size_t i, struct rule_info *out);

/* ---- checking */

/* What the state does not tell of an entry, given by who holds it. */
struct rules_entry {
	uint8_t id[ID_LEN];
	const char *verb;      /* static, as verb_name gives */
	struct bytes kind, by; /* borrowed */
	int64_t at_ms;         /* when it happened by the officer's word */
	uint64_t wall_ms, mono_ms;
	uint8_t chain[CHAIN_LEN], boot[BOOT_LEN];
	int64_t received_ms; /* at the centre; RULES_NEVER if not known */
	bool doubt;  /* the caller has its own reason to doubt the clock */
	bool centre; /* on a server chain of this court, by the caller's word */
};
#define RULES_NEVER INT64_MIN

/*
 * Fill from a parsed entry.  False where it cannot be (malformed: leave it
 * out); borrows from `e`.
 */
bool rules_entry_of(struct rules_entry *out, const struct entry *e,
    const uint8_t id[ID_LEN], int64_t received_ms);

/* Something known beside the record that rules may ask for as "~name": the
 * claim, a stop order.  docs/KINDS.md lists the names in use. */
struct rules_fact {
	const char *name;   /* "claim/total" */
	struct bytes value; /* JSON text of a scalar */
};

struct rules_context {
	int64_t now_ms; /* since 1970 UTC */
	/*
	 * Where a timer runs on this machine: its time since boot and which
	 * boot that is.  A timer whose beginning was entered in this boot
	 * runs on that, whatever became of the time of day; any other is
	 * judged by now_ms, and in doubt if `unsure`: nobody from outside
	 * vouches for it.
	 */
	bool has_boot, unsure;
	uint64_t mono_ms;
	uint8_t boot[BOOT_LEN];
	int offset_min; /* the court's zone: 480 in China */
	/* The record's entries, in any order; none is allowed, then rules over
	 * entries find nothing. */
	const struct rules_entry *entries;
	size_t entry_count;
	const struct rules_fact *facts; /* in any order */
	size_t fact_count;
};

struct finding {
	const char *key; /* rule and place: stable while the finding stands */
	const char *rule;
	uint32_t version;
	enum rules_severity severity;
	const char *path; /* what it is about; "" the whole record */
	bool doubt;       /* depends on a conflict that is not settled */
	bool has_due;
	int64_t due_ms;  /* when what is missing falls due */
	bool running;    /* a timer: it is not done yet */
	bool clock;      /* … and the time it was judged at is in doubt */
	int64_t left_ms; /* … until due_ms; below 0: overdue */
	uint32_t stage;  /* how many steps of escalation have passed */
	/* Until when it is to be answered, and how many times that long have
	 * passed since (at most 3); docs/FINDINGS.md. */
	bool has_answer;
	int64_t answer_ms;
	uint32_t late;
	const char *law_zh, *law_en, *article; /* as in force at the time */
	const char *params;  /* JSON object of the parameters used */
	const char *zh, *en; /* what is missing, what to do */
};

/* Findings of one record; memory is kept from call to call.  What they point
 * to lives in `text` and in the rules: until the next call, and no longer than
 * the rules. */
struct findings {
	struct finding *list; /* gravest first, then by key */
	size_t count, cap;
	uint32_t (*at)[4]; /* while they are collected: places in text */
	int64_t next_ms;   /* before this moment time alone changes nothing;
			      INT64_MAX: it never does */
	struct buf text;   /* what the list points into */
};

void findings_init(struct findings *f);
void findings_free(struct findings *f);

/*
 * Judge one record.  `k` is the kind its `open` names.  ST_NOMEM, ST_LIMIT
 * (more than FINDINGS_MAX findings: the gravest are not lost silently, the
 * call fails).  What was in `out` before is forgotten.
 */
enum { FINDINGS_MAX = 4096 };
MUST_CHECK enum status rules_check(struct findings *out, const struct rules *rs,
    const struct kind *k, const struct state *st,
    const struct rules_context *cx);

/* One finding as a canonical JSON object, appended:
 * {"article","clock","doubt","due","en","key","law","params","path","rule",
 *  "severity","stage","version","zh"}; due is RFC 3339 or null. */
void finding_json(const struct finding *f, int offset_min, struct buf *out);
/* The same with what became of it, as member "life"; of one that is gone
 * {"key","life","rule"}.  See life.h. */
struct life;
void finding_json_life(const struct life *l, const struct state *st,
    int offset_min, struct buf *out);

#endif
