#ifndef SUPPORT_FAULT_FILE_H
#define SUPPORT_FAULT_FILE_H
/*
 * fault_file: make the n-th operation of our own code on a file fail.  For
 * code that writes files itself, beside SQLite (which has support/fault_vfs).
 *
 * A program that wants it is linked with FAULT_FILE_WRAPS of tests/
 * CMakeLists.txt, so that open, write, pwrite, read, pread, fsync, fdatasync,
 * ftruncate, link, rename, unlink, mkdir and opendir of what is linked
 * statically come here.  A write that fails has written its first half.
 *
 * Threads: any.
 */
#include <stdbool.h>

/* The n-th from now (n from 1) fails with that errno, once or, with `forever`,
 * that and every later one. */
void fault_file_fail(unsigned n, int err, bool forever);

/* From now on none fails; true if one did since fault_file_fail. */
bool fault_file_off(void);

/* Was the last that failed an fsync or fdatasync? */
bool fault_file_was_sync(void);

#endif
