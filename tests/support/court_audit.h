#ifndef SUPPORT_COURT_AUDIT_H
#define SUPPORT_COURT_AUDIT_H
/*
 * court_audit: does an auditor find the court's store sound?  He shares no code
 * with the centre but what is in common/.
 */
#include <inttypes.h>
#include <stdio.h>

#include "support/court.h"
#include "verify/verify.h"

/* Damage found in the store at `path`; said on standard error. */
static inline uint64_t
court_audit_file(const struct court *ct, const char *path, const char *vfs)
{
	struct verify_given given = { .key = *centre_log_key(ct->c),
		.vfs = vfs };
	char errmsg[VERIFY_ERRMSG_LEN];
	struct verify_report r;
	uint64_t damage;

	verify_report_init(&r);
	expect_status(verify_store(&r, path, &given, errmsg), ST_OK, errmsg,
	    __FILE__, __LINE__);
	for (size_t i = 0; i < r.finding_count; i++)
		if (verify_is_damage(r.finding[i].what))
			fprintf(stderr, "audit: place %" PRIu64 ": %s %s\n",
			    r.finding[i].place, r.finding[i].en,
			    r.finding[i].data);
	damage = r.damage;
	verify_report_free(&r);
	return damage;
}

static inline void
court_audit(const struct court *ct)
{
	EXPECT(court_audit_file(
		   ct, tmpdir_file(&ct->dir, "store.db"), ct->cfg.vfs) == 0);
}

#endif
