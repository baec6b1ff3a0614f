#ifndef CRYPT_SECRET_H
#define CRYPT_SECRET_H
/*
 * secret: memory for keys, and a process that leaves no copy of it behind.
 *
 * What secret_new gives stands between guard pages, is kept out of swap and of
 * core dumps where the system allows it, and is wiped when it is freed.  Where
 * the system does not allow it (RLIMIT_MEMLOCK too small), the memory is given
 * all the same: an officer must be able to write down what happens; a program
 * asks secret_locks and says so once.
 *
 * Threads: safe.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* `len` > 0 zero bytes, or NULL when there is no memory. */
void *secret_new(size_t len);

/* Wipe and free.  NULL does nothing. */
void secret_free(void *p);

/* True if this process may lock memory now (mlock of one page works). */
bool secret_locks(void);

/*
 * No core dump of this process and no debugger of the same user from here on
 * (Linux: PR_SET_DUMPABLE 0, RLIMIT_CORE 0).  Programs that hold keys call it
 * first.  ST_IO if the system refused either.
 */
MUST_CHECK enum status secret_no_dumps(void);

#endif
