/*
 * What follows the log costs, on one thread with nothing else about: the feed
 * (which entries belong to which record and scope), the projections (state,
 * findings) of records as officers write them, then the index of their words.
 *
 *	bench_project [--quick] [ENTRIES [HANDS]]
 *
 * With HANDS, so many more threads fold for the following one; all of theirs
 * is told then.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/support/figure.h"
#include "bench/support/inside.h"
#include "server/project/project.h"
#include "support/expect.h"

enum { DEVICES = 100, INDEX_STEP = 5000 };

int
main(int argc, char **argv)
{
	bool quick = has_flag(argc, argv, "--quick");
	uint64_t entries = number_arg(argc, argv, 1, quick ? 500 : 50000);
	struct inside in;
	struct feed_config fc = { .path = NULL };
	struct project_config pc = { .path = NULL };
	struct project_sums sums = { 0 };
	struct feed_reader *fr;
	struct feed *feed;
	struct project *project;
	struct kinds *kinds;
	struct rules *rules;
	uint64_t done = 0;
	double us, own, all, wall;

	inside_open(&in, quick ? 5 : DEVICES);
	while (in.entries < entries)
		inside_round(&in, in.officers, NULL, NULL);
	fc.path = tmpdir_file(&in.proc.dir, "feed.db");
	fc.centre = in.centre;
	fc.roster = in.roster;
	EXPECT_OK(feed_open(&feed, &fc));
	us = thread_us();
	EXPECT_OK(feed_follow(feed, 0, &done));
	us = thread_us() - us;
	all = us;
	figure("project_feed", us / (double)in.entries, "us/entry");
	EXPECT_OK(kinds_load_builtin(&kinds));
	EXPECT_OK(rules_load_builtin(&rules, kinds));
	EXPECT_OK(feed_reader_open(&fr, feed));
	pc.path = tmpdir_file(&in.proc.dir, "project.db");
	pc.centre = in.centre;
	pc.feed = feed;
	pc.roster = in.roster;
	pc.feed_reader = fr;
	pc.kinds = kinds;
	pc.rules = rules;
	pc.utc_offset_min = 480;
	pc.hands = number_arg(argc, argv, 2, 0);
	EXPECT_OK(project_open(&project, &pc));
	us = cpu_us();
	own = thread_us();
	wall = wall_us();
	EXPECT_OK(project_follow(project, UINT64_MAX, &done));
	wall = wall_us() - wall;
	own = thread_us() - own;
	us = cpu_us() - us;
	figure("project_records", us / (double)in.entries, "us/entry");
	figure("project_records_writer", own / (double)in.entries, "us/entry");
	figure("project_records_wall", wall / (double)in.entries, "us/entry");
	all += us;
	us = thread_us();
	while (project_waiting(project) > 0)
		EXPECT_OK(project_index(project, INDEX_STEP));
	us = thread_us() - us;
	figure("project_words", us / (double)in.entries, "us/entry");
	figure_most(
	    "project_all", (all + us) / (double)in.entries, "us/entry", 150);
	EXPECT_OK(project_sums(project_inside(project), &sums));
	EXPECT(sums.entries == in.entries);
	figure("project_entries_a_record",
	    (double)sums.entries / (double)sums.records, "entries");
	figure("project_findings_a_record",
	    (double)sums.findings / (double)sums.records, "findings");
	project_close(project);
	feed_reader_close(fr);
	feed_close(feed);
	rules_free(rules);
	kinds_free(kinds);
	inside_close(&in);
	return 0;
}
