#ifndef TLOG_DESCRIPTOR_RULES_H
#define TLOG_DESCRIPTOR_RULES_H
/*
 * descriptor_rules: what a descriptor may say, whoever wrote it.  Private to
 * descriptor.c; one place, so that reader and writer hold the same rules.
 */
#include "tlog/descriptor.h"

/* Format of the line, and (with its NUL) the head of what is signed. */
#define DESCRIPTOR_FORMAT "daybreak-descriptor/1"

/* True if every member keeps the rules of FORMAT.md, "Descriptor". */
bool descriptor_ok(const struct descriptor *d);

/* The distrust of that key, or NULL. */
const struct descriptor_distrust *descriptor_distrust_of(
    const struct descriptor *d, const char *key);

/* A vkey as text. */
void descriptor_vkey(char out[NOTE_VKEY_MAX + 1], const struct note_key *key);

#endif
