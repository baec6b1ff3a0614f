#!/usr/bin/env python3
"""kill -9 of either side at any moment, real programs over real TLS.

Would catch: an entry that was said to be saved and is gone, one that was
acknowledged and is not in the log, a file that does not open again, a sync
that doubles what it repeats, an enrolment that can be neither finished nor
begun anew.
"""
import json
import os
import random
import sqlite3
import subprocess
import sys
import time

import support
from support import check, run_cases

ROUNDS = int(os.environ.get("DAYBREAK_KILLS", "8"))
SEED = int(os.environ.get("DAYBREAK_SEED", "1"))


def killed(c, rng, home, most, *args):
    """Run the agent and kill it somewhere in the middle; what it had said,
    and whether it had come to its end by itself."""
    p = subprocess.Popen(
        [str(c.bin / "daybreak-agent"), "--home", str(c.dir / home), "--json",
         *map(str, args)], env=c.env, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    try:
        out, _ = p.communicate(timeout=rng.uniform(0.01, most))
    except subprocess.TimeoutExpired:
        p.kill()
        out, _ = p.communicate()
    return out.decode(), p.returncode == 0


def began(c):
    rng = random.Random(SEED)
    print(f"seed {SEED}; again: DAYBREAK_SEED={SEED}")
    c.begin()
    return rng


def kill_server(c):
    c.server.kill()
    c.server.wait()
    c.server = None


def records_and_syncs(c):
    rng = began(c)
    c.agent("h1", "enrol", c.code_for("p001"))
    said = []
    for n in range(ROUNDS):
        for _ in range(2):
            out, _ = killed(c, rng, "h1", 1.2, "record", "search",
                            "started_at=2026-11-24 05:10",
                            f"target=第{n}轮")
            said += [json.loads(x)["rec"] for x in out.splitlines()
                     if x.startswith("{") and "rec" in json.loads(x)]
        sync = subprocess.Popen(
            [str(c.bin / "daybreak-agent"), "--home", str(c.dir / "h1"),
             "sync"], env=c.env, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.0, 1.2))
        if n % 2 == 0:
            kill_server(c)
            sync.wait()
            c.start()
        else:
            sync.kill()
            sync.wait()
    c.sync("h1")
    c.agent("h1", "verify")
    s = c.status("h1")
    check(s["queued"] == 0 and s["alarms"] == 0, f"not all came through: {s}")
    c.caught_up()
    page = c.console("/api/v1/records?limit=1000")["records"]
    there = {r["rec"]: r["entries"] for r in page}
    lost = [r for r in said if r not in there]
    check(not lost, f"said to be saved, and not there: {lost}")
    check(sum(there.values()) == s["entries"], "the centre and the handheld "
          f"count apart: {sum(there.values())}, {s['entries']}")
    print(f"{len(said)} records said to be saved, {len(there)} there")


def imports(c):
    """Begun again after each kill: every row once."""
    rng = began(c)
    c.agent("h1", "enrol", c.code_for("p001"))
    rows = 2000
    args = ("import", "search", c.part_of("searches.csv", 0, rows), "--map",
            support.court.DATA / "maps" / "searches.json")
    for n in range(ROUNDS):
        killed(c, rng, "h1", 1.6, *args)
    last = c.agent("h1", *args)[-1]
    check(last["taken"] + last["already"] == rows and not last["refused"],
          f"not every row is there: {last}")
    print(f"{last['already']} of {rows} rows were there before the last run")
    c.sync("h1")
    v = c.agent("h1", "verify")[-1]
    check(v["lost"] == 0 and not v["broken"], f"{v}")
    s = c.caught_up()
    check(s["records"] == rows, f"{s['records']} records of {rows} rows")
    check(s["entries"] == v["entries"], f"counted apart: {s}, {v}")


def enrolments(c):
    """Either side is killed while a handheld joins: the same code, the same
    keys, one device in the end."""
    rng = began(c)
    homes = ["h1", "h2", "h3"]
    for home in homes:
        code = c.code_for(home)
        for n in range(ROUNDS // 2):
            killed(c, rng, home, 1.0, "enrol", code)
        join = subprocess.Popen(
            [str(c.bin / "daybreak-agent"), "--home", str(c.dir / home),
             "enrol", code], env=c.env, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.0, 1.0))
        kill_server(c)
        join.wait()
        c.start()
        ended, _, words = c.ask(home, "enrol", code)
        check(ended == 0 or "已入网" in words,
              f"it can neither join nor begin anew: {words}")
    devs = c.console("/api/v1/devices")["devices"]
    check(len(devs) == len(homes), f"{len(homes)} handhelds, {devs}")
    check(not c.alarms("code_reused"), "an honest repeat was an alarm")
    recs = [c.record(h, "入网之后") for h in homes]
    c.sync(*homes)
    c.all_there(*recs)


def starts_of_the_server(c):
    """Killed while it starts, with work of several handhelds just taken."""
    rng = began(c)
    homes = ["h1", "h2", "h3"]
    for h in homes:
        c.agent(h, "enrol", c.code_for(h))
    recs = []
    for n in range(ROUNDS // 2):
        recs += [c.record(h, f"第{n}轮") for h in homes]
        syncs = [subprocess.Popen(
            [str(c.bin / "daybreak-agent"), "--home", str(c.dir / h), "sync"],
            env=c.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for h in homes]
        time.sleep(rng.uniform(0.3, 1.5))
        kill_server(c)
        for s in syncs:
            s.wait()
        for _ in range(3):
            p = subprocess.Popen(c.server_args(), env=c.env,
                                 stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.0, 0.8))
            p.kill()
            p.wait()
        c.start()
    c.sync(*homes)
    c.all_there(*recs)
    for h in homes:
        s = c.status(h)
        check(s["queued"] == 0 and s["alarms"] == 0, f"{h}: {s}")
    vkey = c.admin("vkey")[0]["vkey"]
    c.stop()
    c.audit("store", c.court, "--key", vkey, ok=(1,))


def shows(c, home, rec):
    """Whether a handheld, after a sync, shows a record."""
    c.sync(home)
    return c.ask(home, "show", rec)[0] == 0


def a_start_far_behind(c):
    """The server starts with projections of long ago, is killed in the middle
    of following, and its handhelds do not notice.  (That it stays in the
    middle, somebody else holds the lock of the feed's file.)

    Would catch: a server that listens only when it has followed all; an entry
    not taken meanwhile; a list that does not say what it lacks; a record that
    is told as it was long ago; a handheld that loses what it had.
    """
    began(c)
    c.agent("h1", "enrol", c.code_for("p001"))
    c.agent("h2", "enrol", c.code_for("p002"))
    first = c.record("h1", "很久以前")
    c.sync("h1", "h2")
    c.caught_up()
    c.stop()
    old = {n: (c.court / n).read_bytes() for n in ("feed.db", "project.db")}
    c.start()
    recs = [c.record("h1", f"第{n}件") for n in range(5)]
    c.sync("h1", "h2")
    c.caught_up()
    support.wait_for("a colleague's records", lambda: all(
        shows(c, "h2", r) for r in recs))
    c.stop()
    for name, file in old.items():
        (c.court / name).write_bytes(file)
    lock = sqlite3.connect(c.court / "feed.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    c.start()
    late = c.record("h1", "正在追赶")
    c.sync("h1", "h2")
    kill_server(c)
    c.start()
    check(all(shows(c, "h2", r) for r in [first, *recs]),
          "a handheld lost what it had")
    check(not shows(c, "h2", late), "it is there before the feed knows it")
    page = c.console("/api/v1/records")
    check(page["behind"] > 0 and len(page["records"]) == 1,
          f"a list that does not say what it lacks: {page}")
    check(c.console("/api/v1/findings")["behind"] > 0, "findings likewise")
    check(c.console("/api/v1/held")["behind"] > 0, "what is held likewise")
    for rec in [first, late, *recs]:
        check(c.has(rec) > 0, f"{rec} is in the log and not told")
    try:
        c.api("/api/v1/records/00000000-0000-7000-8000-000000000000")
        raise support.Failed("a record that is nowhere")
    except support.urllib_error as e:
        check(e.code == 404, f"a record that is nowhere: {e.code}")
    lock.execute("ROLLBACK")
    lock.close()
    c.caught_up()
    page = c.console("/api/v1/records")
    check(page["behind"] == 0 and
          {r["rec"] for r in page["records"]} == {first, late, *recs},
          f"not all came: {page}")
    support.wait_for("the last record", lambda: shows(c, "h2", late))
    for h in ("h1", "h2"):
        s = c.status(h)
        check(s["queued"] == 0 and s["alarms"] == 0, f"{h}: {s}")


if __name__ == "__main__":
    sys.exit(run_cases([records_and_syncs, imports, enrolments,
                        starts_of_the_server, a_start_far_behind]))
