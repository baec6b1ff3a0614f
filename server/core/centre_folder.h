#ifndef SERVER_CORE_CENTRE_FOLDER_H
#define SERVER_CORE_CENTRE_FOLDER_H
/* centre_folder: files and names of a court's folder.  Private to core and
 * upkeep. */
#include "base/port.h"

struct ca;

#define FOLDER_STORE "store.db"
#define FOLDER_KEYS "keys"
#define FOLDER_LOG_KEY "keys/log"
#define FOLDER_SERVER_KEY "keys/server"
/* New seeds beside the old ones, and what marks a folder that is not done yet
 * (docs/PROTOCOL.md, section 9). */
#define FOLDER_LOG_NEXT "keys/log.next"
#define FOLDER_SERVER_NEXT "keys/server.next"
#define FOLDER_RESTORING "restoring"
#define FOLDER_CA_KEY "keys/ca.key"
#define FOLDER_CA_CERT "keys/ca.crt"

/* Rows of the store's meta table (docs/FORMAT.md, "The centre's store"). */
#define META_COURT "court"
#define META_COURT_ID "court_id"
#define META_DESCRIPTOR "descriptor"
#define META_DESCRIPTOR_FIRST "descriptor_first"
#define META_SERVER_CHAIN "server_chain"
#define META_SERVER_OLD "server_old"
#define META_KEPT "kept"
#define META_HALTED "halted"
#define META_RESTORES "restores"

/* dir, or dir/name; the caller's to free.  NULL: out of memory. */
char *folder_path(const char *dir, const char *name);

/* Make the folder and its keys folder, 0700.  What fails here fails again, and
 * is told, when the first file is put there. */
void folder_make(const char *dir);

/* An Ed25519 seed as hex and LF.  ST_ABSENT, ST_CORRUPT. */
MUST_CHECK enum status folder_read_seed(const struct port *port,
    const char *dir, const char *name, uint8_t seed[32]);
MUST_CHECK enum status folder_write_seed(const struct port *port,
    const char *dir, const char *name, const uint8_t seed[32]);

/*
 * The seed of a public key: in `name`, or left in `next` by a restore that was
 * cut short, which then takes its place.  ST_DENIED: neither is of that key;
 * ST_ABSENT, ST_CORRUPT as above.
 */
MUST_CHECK enum status folder_seed_of(const struct port *port, const char *dir,
    const char *name, const char *next, const uint8_t public_key[PUBKEY_LEN],
    uint8_t seed[32]);
/* `next` takes the place of `name`. */
MUST_CHECK enum status folder_seed_settle(const struct port *port,
    const char *dir, const char *name, const char *next,
    const uint8_t seed[32]);

MUST_CHECK enum status folder_read_ca(
    const struct port *port, const char *dir, struct ca **out);
MUST_CHECK enum status folder_write_ca(
    const struct port *port, const char *dir, struct ca *ca);

/* True if a restore into that folder was begun and cut short: what stands
 * there is no court. */
bool folder_is_unfinished(const struct port *port, const char *dir);

#endif
