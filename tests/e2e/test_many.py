#!/usr/bin/env python3
"""Many at once: handhelds sync, people join, the console reads, all together.

Would catch: a data race anywhere between network threads, committer, workers
and projections (scripts/test.sh runs this under ThreadSanitizer too, where a
race ends the server with an error), an answer that shows what is not yet
durable, a sync that loses or doubles something in the crowd.
"""
import json
import os
import random
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import court  # noqa: E402

HANDHELDS = int(os.environ.get("DAYBREAK_HANDHELDS", "6"))
ROWS, ROUNDS = 25, 3
PATHS = ("/api/v1/summary", "/api/v1/records?limit=50", "/metrics",
         "/api/v1/findings?limit=20", "/api/v1/devices", "/api/v1/tlog",
         "/api/v1/alarms", "/checkpoint", "/healthz", "/api/v1/records?conflicts=1")


class Crowd:
    """Threads whose first failure is raised again where they are joined."""

    def __init__(self):
        self.threads, self.failed = [], []

    def go(self, what, *args):
        def run():
            try:
                what(*args)
            except Exception as e:  # told by join
                self.failed.append(e)
        t = threading.Thread(target=run)
        self.threads.append(t)
        t.start()

    def join(self):
        for t in self.threads:
            t.join()
        if self.failed:
            raise self.failed[0]


def read_until(d, over, rng):
    """Sizes only grow; nothing is shown above the size it was shown at."""
    size = 0
    while not over.is_set():
        body = d.api(rng.choice(PATHS))
        if body.startswith(b'{"') and b'"position"' in body:
            s = json.loads(body)
            if s["position"] > s["size"] or s["size"] < size:
                raise court.Failed(f"went back, or ahead of itself: {s}")
            size = s["size"]


def work(d, home, first):
    for n in range(ROUNDS):
        d.bring_in(home, "search",
                   d.part_of("searches.csv", first + n * ROWS, ROWS),
                   "searches")
        # A centre that says "not now" is asked again; never an alarm.
        for _ in range(20):
            r = d.agent(home, "sync", ok=(0, 1))[-1]
            if r.get("alarmed"):
                raise court.Failed(f"{home}: alarmed: {r}")
            s = d.agent(home, "status")[-1]
            if s["queued"] == 0:
                break
        else:
            raise court.Failed(f"{home}: still queued: {s}")


def keeps_keys_in(d):
    """The keys of the log are never for a core file."""
    for line in Path(f"/proc/{d.server.pid}/limits").read_text().splitlines():
        if line.startswith("Max core file size") and line.split()[4:6] != \
                ["0", "0"]:
            raise court.Failed(f"the server would leave a core file: {line}")


def says_what_went_up(d):
    """`bytes_up` is what the centre got: bodies, and a head for each."""
    d.enrol("counts", "p900", "某计", "judge", "甲")
    d.bring_in("counts", "search", d.part_of("searches.csv", 0, 900),
               "searches")
    dev = d.agent("counts", "status")[-1]["dev"]
    said = d.agent("counts", "sync")[-1]["bytes_up"]
    lines = [json.loads(x) for x in
             (d.dir / "server.log").read_text().splitlines()
             if x.startswith("{")]
    bodies = [x["in"] for x in lines if x.get("dev") == dev
              and x.get("path") == "/v1/sync"]
    if not bodies or max(bodies) < 1 << 16:
        raise court.Failed(f"no request of a size that matters: {bodies}")
    if not 0 < said - sum(bodies) <= 300 * len(bodies):
        raise court.Failed(f"bytes_up {said}, but the centre got {bodies}")


def proves(d):
    """The store, stopped, is proved by a receipt."""
    vkey = d.admin("vkey")[0]["vkey"]
    receipt = d.dir / "receipt"
    d.agent("h1", "receipt", "--out", receipt)
    d.stop()
    d.audit("store", d.court, "--key", vkey, "--anchor", receipt, ok=(0,))


def main():
    seed = int(os.environ.get("DAYBREAK_SEED", "1"))
    print(f"seed {seed}; again: DAYBREAK_SEED={seed} {sys.argv[0]} {sys.argv[1]}")
    d = court.Court(sys.argv[1], True)
    try:
        d.make_court()
        d.start()
        keeps_keys_in(d)
        d.token = d.admin("token", "--role", "supervisor")[0]["token"]
        over, readers, workers = threading.Event(), Crowd(), Crowd()
        for n in range(2):
            readers.go(read_until, d, over, random.Random(seed + n))
        try:
            for n in range(HANDHELDS):
                d.enrol(f"h{n}", f"p{n:03}", f"某{n}", "judge", "甲乙"[n % 2])
                workers.go(work, d, f"h{n}", n * ROWS * ROUNDS)
            workers.join()
        finally:
            over.set()
            readers.join()
        s = d.caught_up()
        want = HANDHELDS * ROWS * ROUNDS
        if s["records"] != want:
            raise court.Failed(f"{s['records']} records, must be {want}")
        says_what_went_up(d)
        d.record = d.agent("h1", "list", "--kind", "search", "--limit",
                           1)[0]["rec"]
        d.same_bytes()
        proves(d)
        print(f"{HANDHELDS} handhelds, {s['entries']} entries: ok")
        return 0
    except court.Failed as e:
        print(f"failed: {e}\nkept: {d.dir}")
        return 1
    finally:
        if d.server is not None:
            d.server.kill()


if __name__ == "__main__":
    sys.exit(main())
