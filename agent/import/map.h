#ifndef AGENT_MAP_H
#define AGENT_MAP_H
/*
 * map: how the columns of a foreign file become fields of a kind
 * (docs/IMPORT.md has the file's format and an example).
 *
 * A map is data: another file needs another map and no C.  Loading refuses a
 * map that is wrong with its place and reason; binding refuses one that names
 * a column the file does not have, or a field the kind does not have.
 */
#include "agent/import/csv.h"
#include "base/limits.h"
#include "domain/kind.h"
#include "domain/words.h"
#include "entry/json.h"

enum { MAP_FIELDS_MAX = 200, MAP_COLUMNS_MAX = 16 };

struct map_field {
	uint32_t node;                  /* its object in the map's document */
	const struct kind_field *field; /* borrowed from the kinds */
	char path[PATH_BYTES_MAX + 1];  /* as the map names it */
	size_t column[MAP_COLUMNS_MAX]; /* in the file's header */
	size_t column_count;            /* 0: a constant */
};

struct map_row_key {
	size_t column[MAP_COLUMNS_MAX];
	size_t count; /* 0: the row itself */
};

struct map {
	struct json doc;
	struct buf file; /* the map's bytes, which doc points into */
	char name[64];
	char zone[64]; /* a POSIX TZ string */
	const struct kind *kind;
	const struct kind_list *list; /* rows are items of it; or NULL */
	struct csv_options csv;
	struct map_row_key key, record; /* record.count 0: a record a row */
	struct map_field at;            /* path "" and count 0: none */
	struct map_field *field, *item; /* owned */
	size_t field_count, item_count;
	struct words words; /* why it was refused */
};

void map_init(struct map *m);
void map_free(struct map *m);

/* Read a map file's bytes (copied).  ST_INVALID with m->words; ST_NOMEM. */
MUST_CHECK enum status map_load(
    struct map *m, const struct kinds *ks, struct bytes file);

/* Find the map's columns in the header row.  ST_INVALID with m->words. */
MUST_CHECK enum status map_bind(struct map *m, const struct csv *header);

/*
 * The value of a field in this row, as JSON text of a scalar that its kind
 * takes, appended to `out` (nothing where the row has none and the map says to
 * leave it).  ST_ABSENT: nothing to write; ST_INVALID with m->words.
 */
MUST_CHECK enum status map_value(struct map *m, const struct map_field *f,
    const struct csv *row, struct buf *out);

/* `at` of this row, RFC 3339; ST_ABSENT where the map or the row has none. */
MUST_CHECK enum status map_at(
    struct map *m, const struct csv *row, char out[40]);

#endif
