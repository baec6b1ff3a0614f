#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H
/*
 * frame: the container of docs/PROTOCOL.md, section 2: three streams, two of
 * them packed.  Private to common/wire and its tests.
 */
#include "base/buf.h"
#include "wire/cut.h"
#include "wire/zdict.h"

enum { FRAME_VERSION = 1 };

struct wire_codec {
	struct zdict *z;
	/* Of the message that is being written. */
	struct buf ctl, text, raw, plain, packed;
	struct cut_writer cut;
};

/* Begin a message: empty streams. */
void frame_begin(struct wire_codec *c);

/*
 * Append the container of the codec's streams; nothing on failure.  ST_LIMIT,
 * ST_ABSENT, ST_NOMEM.
 */
MUST_CHECK enum status frame_pack(struct wire_codec *c, uint32_t dict,
    enum zdict_effort effort, struct buf *out);

struct frame {
	struct reader ctl, text, raw; /* ctl and text lie in `plain` */
	uint32_t dict;
};

/* Open a container; plain is emptied first and filled.  ST_INVALID, ST_LIMIT,
 * ST_NEWER, ST_ABSENT, ST_NOMEM. */
MUST_CHECK enum status frame_unpack(struct wire_codec *c, struct bytes in,
    struct buf *plain, struct frame *out, const char **why);

/*
 * Step to the next section: its tag, greater than *tag and at most tag_max; at
 * the end *more is false, and nothing is left over.  ST_INVALID, ST_NEWER.
 */
MUST_CHECK enum status frame_section(struct frame *f, uint64_t *tag,
    uint64_t tag_max, bool *more, const char **why);

/*
 * A count from ctl of things that take at least a byte each.  ST_LIMIT over
 * max, ST_INVALID if fewer bytes are left.
 */
MUST_CHECK enum status frame_count(
    struct frame *f, size_t max, size_t *out, const char **why);

/* Something was read past the end of a stream. */
bool frame_bad(const struct frame *f);

#endif
