#ifndef SERVER_CORE_TLOG_INNER_H
#define SERVER_CORE_TLOG_INNER_H
/* tlog_inner: the tree from within.  Private to the tlog module. */
#include <pthread.h>

#include "server/core/tlog.h"
#include "server/core/tlog_cache.h"

struct tlog {
	struct store *s; /* borrowed */

	pthread_mutex_t load;   /* holds: r, buf.  Taken before `lock` */
	struct store_reader *r; /* owned */
	struct buf buf;

	pthread_mutex_t lock;            /* holds all below */
	uint64_t size;                   /* published */
	uint64_t staged;                 /* >= size; the committer's */
	struct xtile *edge[TILE_LEVELS]; /* owned; not full; NULL: empty */
	struct xtile **fresh; /* owned; filled since the last publish */
	size_t fresh_count, fresh_cap;
	struct xtile *spare; /* owned; a list by `next` */
	size_t spare_count;
	struct tile_cache *cache; /* owned */
};

#endif
