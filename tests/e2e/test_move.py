#!/usr/bin/env python3
"""People are moved by commands while handhelds of their team deliver.

Would catch: a record that joins a scope which another process closes at that
moment, and so comes to nobody; a command that gives up because the log moved.
"""
import json
import shutil
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import Court, Failed, check  # noqa: E402

RECORDS = 25
MOVES_MAX = 400


class Writer(threading.Thread):
    """Writes and delivers, one record at a time, until it is told to stop."""

    def __init__(self, c, home):
        super().__init__(daemon=True)
        self.c, self.home = c, home
        self.recs, self.failed = [], None
        self.enough = threading.Event()

    def run(self):
        try:
            while not self.enough.is_set():
                self.recs.append(self.c.record(self.home, "现金"))
                self.c.sync(self.home)
        except Exception as e:  # told by `end`
            self.failed = e

    def end(self):
        self.enough.set()
        self.join()
        check(self.failed is None, f"{self.home}: {self.failed}")


def lacking(c, home, recs):
    """What a handheld does not have, half a minute later at the latest."""
    for _ in range(60):
        c.sync(home)
        have = {r.get("rec") for r in c.agent(home, "list", "--limit", "1000")}
        lack = [r for r in recs if r not in have]
        if not lack:
            break
        time.sleep(0.5)
    return lack


def story(c):
    c.begin()
    c.enrol("h1", "p001", "张伟", "judge", "甲")
    c.enrol("h2", "p002", "李娜", "clerk", "甲")
    w = Writer(c, "h1")
    w.start()
    moves = 0
    while len(w.recs) < RECORDS and moves < MOVES_MAX and w.is_alive():
        c.admin("people", "--person", "p009", "--name", "王强", "--role",
                "judge", "--team", "乙甲"[moves % 2])
        moves += 1
    w.end()
    c.sync("h1")
    c.caught_up()
    check(len(w.recs) >= RECORDS, f"{len(w.recs)} records in {moves} moves")
    lack = lacking(c, "h2", w.recs)
    check(not lack, f"{len(lack)} of {len(w.recs)} never come: {lack[:3]}")
    c.stop()
    key = c.run("daybreak-server", "vkey", "--dir", c.court,
                lines=False).stdout.strip()
    a = json.loads(c.run("daybreak-audit", "store", c.court, "--key", key,
                         "--json", ok=(1,), lines=False).stdout)
    check(a["damage"] == 0, f"audit: {a}")
    print(f"{moves} moves, {len(w.recs)} records: all come to the team")


def main():
    c = Court(sys.argv[1])
    try:
        story(c)
        shutil.rmtree(c.dir)
        return 0
    except Failed as e:
        print(f"failed: {e}\nkept: {c.dir}")
        return 1
    finally:
        if c.server is not None:
            c.server.kill()


if __name__ == "__main__":
    sys.exit(main())
