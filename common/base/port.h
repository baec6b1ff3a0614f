#ifndef BASE_PORT_H
#define BASE_PORT_H
/*
 * port: clock, randomness and small files, behind one struct of functions.
 *
 * Nothing in Daybreak asks the system for the time, for random bytes or for a
 * small file in any other way.  So a test, or a whole city of handhelds in one
 * process, runs on simulated time with repeatable randomness.  Databases go
 * through SQLite, whose own VFS is the place for disk faults there.
 */
#include <stdbool.h>

#include "base/buf.h"
#include "base/limits.h"

struct port {
	void *arg; /* given back to each function; borrowed */

	/* Milliseconds since 1970 UTC by this machine's clock, as it stands. */
	uint64_t (*wall_ms)(void *arg);

	/* Milliseconds since boot; never runs back, sleep counted. */
	uint64_t (*mono_ms)(void *arg);

	/* This boot's id: mono_ms values compare only within one id. */
	void (*boot_id)(void *arg, uint8_t out[BOOT_LEN]);

	/* Fill with unpredictable bytes; cannot fail. */
	void (*random)(void *arg, void *out, size_t len);

	/*
	 * Append the whole file to `out`.  ST_ABSENT if there is none,
	 * ST_LIMIT over the buffer's ceiling, ST_IO.
	 */
	enum status (*read_file)(void *arg, const char *path, struct buf *out);

	/*
	 * Put a file there whole or not at all, durable on return: written
	 * aside, synced, renamed, folder synced.  `secret`: mode 0600, else
	 * 0644.  On failure the old file stands.  ST_FULL, ST_IO.
	 */
	enum status (*write_file)(
	    void *arg, const char *path, struct bytes in, bool secret);

	/* Remove a file, durable on return; one that is not there is fine. */
	enum status (*remove_file)(void *arg, const char *path);

	/*
	 * Give a file, mode 0600, another name in its folder, durable on
	 * return: synced, renamed, folder synced.  ST_CONFLICT if the name is
	 * taken: nothing is ever replaced.  ST_ABSENT, ST_FULL, ST_IO.  NULL:
	 * ST_IO (a test's port need not have it).
	 */
	enum status (*move_file)(void *arg, const char *from, const char *to);

	/*
	 * Bytes that this user may still write where `path` lies.  NULL: not
	 * known (a test's port need not have it).  ST_IO, ST_ABSENT.
	 */
	enum status (*disk_free)(void *arg, const char *path, uint64_t *out);
};

/* The real machine.  Static storage; safe from every thread. */
const struct port *port_system(void);

/* Short cuts. */
uint64_t port_wall_ms(const struct port *p);
uint64_t port_mono_ms(const struct port *p);
void port_boot_id(const struct port *p, uint8_t out[BOOT_LEN]);
void port_random(const struct port *p, void *out, size_t len);
MUST_CHECK enum status port_read_file(
    const struct port *p, const char *path, struct buf *out);
MUST_CHECK enum status port_write_file(
    const struct port *p, const char *path, struct bytes in, bool secret);
MUST_CHECK enum status port_remove_file(const struct port *p, const char *path);
MUST_CHECK enum status port_move_file(
    const struct port *p, const char *from, const char *to);
/* ST_ABSENT also where the port does not know. */
MUST_CHECK enum status port_disk_free(
    const struct port *p, const char *path, uint64_t *out);

#endif
