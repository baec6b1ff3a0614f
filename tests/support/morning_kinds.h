#ifndef SUPPORT_MORNING_KINDS_H
#define SUPPORT_MORNING_KINDS_H
/* What `morning` writes into: fields of kinds, as common/kinds has them. */
#include <stddef.h>

enum morning_type {
	MORNING_SENTENCE,
	MORNING_NAME,
	MORNING_OFFICER,
	MORNING_CASE,
	MORNING_DOC,
	MORNING_TIME,
	MORNING_DATE,
	MORNING_MONEY,
	MORNING_ENUM,
	MORNING_BOOL,
	MORNING_ADDRESS,
	MORNING_LAT,
	MORNING_LON,
	MORNING_INT,
	MORNING_PHONE,
	MORNING_CITIZEN,
	MORNING_PLATE,
	MORNING_OBJECT,
	MORNING_UNIT,
};

struct morning_field {
	const char *path; /* NULL ends a list */
	enum morning_type type;
	const char *options; /* MORNING_ENUM: words parted by spaces */
};

struct morning_kind {
	const char *id; /* "search@1" */
	const struct morning_field *field;
	const char *list; /* or NULL */
	const struct morning_field *item;
	const char *status; /* words parted by spaces */
	const char *part;   /* what is signed */
	unsigned weight;    /* how often */
	unsigned steps;     /* entries of a record, about */
};

extern const struct morning_kind morning_kinds[]; /* id NULL ends it */

#endif
