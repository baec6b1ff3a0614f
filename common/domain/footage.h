#ifndef DOMAIN_FOOTAGE_H
#define DOMAIN_FOOTAGE_H
/*
 * footage: what of an act was filmed, by the record's own attachments
 * (docs/KINDS.md, "Film"; docs/EVIDENCE.md, "Recorders' cards").
 *
 * Footage is a video attached to the record whose entry says when it was made
 * (`taken`) and how long it is (`ms`); without a length it shows that moment
 * alone, and what is found is in doubt.  A copy of another file (`of`) shows
 * nothing more, and what was struck out shows nothing.
 */
#include "domain/rules.h"

/* When an act took place, in ms since 1970. */
struct footage_window {
	int64_t from_ms, until_ms; /* equal where its end is not known */
	bool ended;
	bool torn; /* kept values differ: the widest window is given */
};

/*
 * The time within which an act of this kind is to be filmed: between the two
 * fields that a rule's `film` names, else from `happened` to `ended` of the
 * kind.  False where not even its beginning is known to the minute, or is
 * withheld.
 */
bool footage_window(struct footage_window *out, const struct rules *rs,
    const struct kind *k, const struct state *st, int offset_min);

/*
 * Notes that tie an act to a moment of a recording of this record, as a
 * canonical JSON array, appended: [{"at_ms","attach","by","id","moment","on",
 * "sha256","text"} …]; `moment`, when that was, is null where the recording
 * does not say when it was made.
 */
void footage_points(const struct state *st, int offset_min, struct buf *out);

#endif
