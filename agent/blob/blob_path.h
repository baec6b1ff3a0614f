#ifndef AGENT_BLOB_BLOB_PATH_H
#define AGENT_BLOB_BLOB_PATH_H
/* blob_path: names in the folder of sealed files; for agent/blob alone. */
#include "agent/blob/blob_file.h"

enum { BLOB_PATH_MAX = 4096 };

/* "<dir>/<id in hex><suffix>".  ST_LIMIT. */
MUST_CHECK enum status blob_path(char out[BLOB_PATH_MAX], const char *dir,
    const uint8_t id[BLOB_ID_LEN], const char *suffix);

/* What errno says of a disk. */
enum status blob_errno(void);

/* Make names in the folder durable. */
MUST_CHECK enum status blob_dir_sync(const char *dir);

#endif
