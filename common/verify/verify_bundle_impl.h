#ifndef VERIFY_VERIFY_BUNDLE_IMPL_H
#define VERIFY_VERIFY_BUNDLE_IMPL_H
/*
 * verify_bundle_impl: what the files of verify_bundle share.
 */
#include "verify/bundle.h"
#include "verify/verify_impl.h"

/* A step, computed: its place, its link, what it turned out to be. */
struct vstep {
	uint64_t place, seq;
	uint8_t link[HASH_LEN];
	struct vchain *c;
	struct bytes entry; /* empty: its digest alone */
	bool of_record; /* an entry of the record, below the manifest's size */
	bool context;   /* an entry that the manifest counts as context */
	bool bare;      /* of the record, and malformed */
};

/* A run, judged. */
struct vrun {
	struct vchain *c;
	bool sig_ok;
	bool line_ok; /* a piece's line is in its commit */
	uint64_t end; /* place of its last step */
	/* Of a form-1 run: what its commit@1 says. */
	bool commit_ok;
	uint64_t commit_first, commit_pieces, commit_wall;
	uint8_t commit_root[HASH_LEN];
};

struct vbundle {
	struct verify *v;
	struct bundle b;
	struct vrun *run;   /* owned, as b.run */
	struct vstep *step; /* owned, as b.step */
	struct checkpoint cp;
	bool tree_ok;

	/* Every leaf that is proved: steps and marks, by place. */
	uint64_t *place;           /* owned */
	uint8_t (*leaf)[HASH_LEN]; /* owned */
	size_t leaf_count;

	uint8_t (*sorted)[ID_LEN]; /* owned: the ids listed, sorted */
	size_t id_count;

	struct entry me; /* the manifest, kept for its `more` */
	bool has_manifest;
	struct vmanifest m; /* what it says */

	/* `seen` of entries, to be compared. */
	struct vseen {
		uint64_t size;
		uint8_t root16[ID_LEN];
		size_t step;
	} * seen; /* owned */
	size_t seen_count, seen_cap;
};

/* A finding at a step. */
struct verify_finding *vbundle_say(struct vbundle *vb, enum verify_what what,
    const struct vstep *s, const char *zh, const char *en);

/* The manifest's list has this id. */
bool vbundle_listed(const struct vbundle *vb, const uint8_t *id);

/* ---- verify_bundle_run.c */

/* Forks that the steps show: hold_from of the chains. */
MUST_CHECK enum status vbundle_forks(struct vbundle *vb);
/* Piece lines against commits; and what broken runs come to. */
void vbundle_lines(struct vbundle *vb);
void vbundle_broken(struct vbundle *vb);

/* ---- verify_returned.c */

/* Does the old checkpoint's tree hold the run's last link, whoever signed it;
 * and, once the court's descriptors are read: did a log that ended? */
bool vbundle_old_path(const struct bundle_run *r, const uint8_t link[HASH_LEN]);
MUST_CHECK enum status vbundle_old_notes(struct vbundle *vb);

/* ---- verify_bundle_read.c */

/* The manifest, before all else. */
MUST_CHECK enum status vbundle_manifest(struct vbundle *vb);
/* Entry by entry, in order of place. */
MUST_CHECK enum status vbundle_entries(struct vbundle *vb);

/* ---- verify_bundle_record.c */

/* The record against the manifest, and its state. */
MUST_CHECK enum status vbundle_record(struct vbundle *vb);

#endif
