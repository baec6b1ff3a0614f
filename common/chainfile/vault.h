#ifndef CHAINFILE_VAULT_H
#define CHAINFILE_VAULT_H
/*
 * vault: the few small rows without which a whole file is lost: key slots, old
 * data keys, the identity, the chains' names.  Each is kept twice, in tables
 * (`vault`, `vault_copy`) that share no page, each copy with a checksum, so
 * that no single torn page takes the keys of a morning's entries with it.
 *
 * What stands in a row is sealed or public already; the checksum is against
 * rot, not against people.
 */
#include "base/buf.h"
#include "db/db.h"

enum { VAULT_NAME_MAX = 32, VAULT_BYTES_MAX = 64 << 10, VAULT_SUM_LEN = 8 };

/* SQL that makes the tables. */
#define VAULT_SCHEMA                                                           \
	"CREATE TABLE vault (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) "     \
	"STRICT, WITHOUT ROWID;"                                               \
	"CREATE TABLE vault_copy (name TEXT PRIMARY KEY, bytes BLOB NOT "      \
	"NULL) STRICT, WITHOUT ROWID;"

/* Write both copies; the caller has the transaction.  Results as SQLite. */
MUST_CHECK enum status vault_put(
    struct db *d, const char *name, struct bytes in);

/*
 * Append the first copy whose checksum holds.  ST_ABSENT if neither table has
 * it; ST_CORRUPT if one may have had it and no good copy is left.
 */
MUST_CHECK enum status vault_get(
    struct db *d, const char *name, struct buf *out);

/* Remove both; the space is overwritten.  Not there is fine. */
MUST_CHECK enum status vault_drop(struct db *d, const char *name);

#endif
