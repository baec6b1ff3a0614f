#!/usr/bin/env python3
"""kill -9 of either side at any moment, real programs over real TLS.

Would catch: an entry that was said to be saved and is gone, one that was
acknowledged and is not in the log, a file that does not open again, a sync
that doubles what it repeats.
"""
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import demo  # noqa: E402

ROUNDS = int(os.environ.get("DAYBREAK_KILLS", "12"))


def run_killed(d, rng, *args):
    """Run the agent and kill it somewhere in the middle; what it had said."""
    p = subprocess.Popen(
        [str(d.bin / "daybreak-agent"), "--home", str(d.dir / "h1"), "--json",
         *args], env=d.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        out, _ = p.communicate(timeout=rng.uniform(0.01, 0.8))
    except subprocess.TimeoutExpired:
        p.kill()
        out, _ = p.communicate()
    return out.decode()


def main():
    seed = int(os.environ.get("DAYBREAK_SEED", "1"))
    rng = random.Random(seed)
    print(f"seed {seed}; again: DAYBREAK_SEED={seed} {sys.argv[0]} {sys.argv[1]}")
    d = demo.Demo(sys.argv[1], True)
    said = []
    try:
        d.make_court()
        d.start()
        d.token = d.admin("token", "--role", "supervisor",
                          lines=False).stdout.strip()
        d.enrol("h1", "p001", "张伟", "judge", "甲")
        for n in range(ROUNDS):
            for _ in range(2):
                out = run_killed(d, rng, "record", "search",
                                 "started_at=2026-11-24 05:10",
                                 f"target=第{n}轮")
                said += [json.loads(x)["rec"] for x in out.splitlines()
                         if x.startswith("{") and "rec" in json.loads(x)]
            sync = subprocess.Popen(
                [str(d.bin / "daybreak-agent"), "--home", str(d.dir / "h1"),
                 "sync"], env=d.env, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.0, 0.6))
            if n % 2 == 0:
                d.server.kill()
                d.server.wait()
                sync.wait(timeout=120)
                d.start()
            else:
                sync.kill()
                sync.wait()
        d.sync("h1")
        d.agent("h1", "verify")
        s = d.agent("h1", "status")[-1]
        if s["queued"] != 0 or s["alarms"] != 0:
            raise demo.Failed(f"not all came through: {s}")
        d.caught_up()
        page = json.loads(d.api("/api/v1/records?limit=1000"))["records"]
        there = {r["rec"]: r["entries"] for r in page}
        lost = [r for r in said if r not in there]
        if lost:
            raise demo.Failed(f"said to be saved, and not there: {lost}")
        if sum(there.values()) != s["entries"]:
            raise demo.Failed("the centre and the handheld count apart: "
                              f"{sum(there.values())}, {s['entries']}")
        d.stop()
        print(f"{ROUNDS} rounds: {len(said)} records said to be saved, "
              f"{len(there)} there, none twice")
        return 0
    except demo.Failed as e:
        print(f"failed: {e}\nkept: {d.dir}")
        return 1
    finally:
        if d.server is not None:
            d.server.kill()


if __name__ == "__main__":
    sys.exit(main())
