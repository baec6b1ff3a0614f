#!/usr/bin/env python3
"""Backup, check, recover, held and admit: the real programs, the server up.

Would catch: a backup that counts and cannot be restored from, one that a kill
leaves under its name half done, a kept size above what is safe, a broken
handheld whose entries are lost, doubled or merged unseen, a held branch that
cannot be admitted, or that handhelds see otherwise than the centre.
"""
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time

import support
from support import check, run_cases, wait_for

SEED = int(os.environ.get("DAYBREAK_SEED", "1"))
KILLS = int(os.environ.get("DAYBREAK_KILLS", "8"))


def tlog(c):
    return c.console("/api/v1/tlog")


def vkey(c):
    return c.admin("vkey")[0]["vkey"]


def audit(c, store, key, ok, *more):
    return c.run("daybreak-audit", "store", store, "--key", key, "--json",
                 *more, ok=ok, lines=False).stdout


def audit_live(c):
    """The store as the auditor sees it while the server runs: not anchored
    (1) is fine, damage (3) is not."""
    audit(c, c.court, vkey(c), (0, 1))


def followed(c):
    """What other processes committed is known to the server."""
    db = sqlite3.connect(c.court / "store.db")
    size = db.execute("SELECT size FROM head").fetchone()[0]
    db.close()
    support.wait_for("the server to follow",
                     lambda: tlog(c)["size"] >= size)
    c.caught_up()


def enrol_two(c):
    c.enrol("h1", "p001", "张伟", "judge", "甲")
    c.enrol("h2", "p002", "李娜", "clerk", "甲")


def backup_under_load_with_kills(c):
    rng = random.Random(SEED)
    c.begin()
    enrol_two(c)
    for i in range(3):
        c.bring_in("h1", "search", c.part_of("searches.csv", 60 * i, 60),
                   "searches")
        c.sync("h1")
    key = vkey(c)
    began = time.monotonic()
    c.admin("backup", "--out", c.dir / "first.db")
    long = time.monotonic() - began
    load = subprocess.Popen(
        [sys.executable, "-c", LOAD, str(c.bin), str(c.dir / "h2")],
        env=c.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    whole = 0
    try:
        for i in range(KILLS):
            out = c.dir / f"killed-{i}.db"
            p = subprocess.Popen(
                [str(c.bin / "daybreak-server"), "backup", "--dir",
                 str(c.court), "--out", str(out)], env=c.env,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                p.wait(timeout=rng.uniform(0.02, long))
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
            if out.exists():
                whole += 1
                audit(c, out, key, (0, 1))
        sizes = set()
        for f in [c.dir / "first.db", *c.dir.glob("killed-*.db")]:
            db = sqlite3.connect(f)
            sizes.add(db.execute("SELECT size FROM head").fetchone()[0])
            db.close()
        # The server looks once a second what other processes have logged.
        support.wait_for("the server to know of the first backup",
                         lambda: tlog(c)["kept"] > 0)
        check(tlog(c)["kept"] in sizes, f"kept {tlog(c)} of {sizes}")
        out = c.dir / "good.db"
        r = c.admin("backup", "--out", out)[-1]
        check(r["verified"] and r["raised"] and r["kept"] == r["size"], r)
    finally:
        load.kill()
        load.wait()
    audit(c, out, key, (0,), "--anchor", str(out) + ".note")
    support.wait_for("the server to know", lambda: tlog(c)["kept"] ==
                     r["size"])
    r = c.admin("backup", "--out", out, ok=(1,))
    check("error" in r[-1], f"written over: {r}")
    print(f"  {KILLS} killed, {whole} of them too late")
    c.healthy()


LOAD = """
import subprocess, sys
n = 0
while True:
    for a in (["record", "search", "started_at=2026-11-24 05:10",
               f"target={n}"], ["sync"]):
        subprocess.run([sys.argv[1] + "/daybreak-agent", "--home",
                        sys.argv[2], *a], stdout=subprocess.DEVNULL)
    n += 1
"""


def backup_on_a_failing_disk(c):
    """Every write from the n-th on fails, for n in turn."""
    c.begin()
    enrol_two(c)
    c.bring_in("h1", "search", c.part_of("searches.csv", 0, 40), "searches")
    c.sync("h1")
    key = vkey(c)
    n, failed = 1, 0
    while True:
        out = c.dir / f"n{n}.db"
        before = tlog(c)["kept"]
        r = c.run_env(c.unlucky(fail=n), "daybreak-server", "backup", "--dir",
                      c.court, "--json", "--out", out, ok=(0, 1, 3),
                      lines=False)
        if r.returncode == 0:
            break
        failed += 1
        if out.exists():  # only the word of it could not be written
            check('"verified":true' in r.stdout, r.stdout + r.stderr)
            audit(c, out, key, (0, 1))
        else:
            check("{" in r.stdout and "error" in r.stdout,
                  r.stdout + r.stderr)
        check(tlog(c)["kept"] == before, f"{n}: kept was raised")
        n += max(1, n // 3)
    check(failed > 3, f"only {failed} failures")
    audit(c, out, key, (0, 1))
    support.wait_for("the kept size", lambda: tlog(c)["kept"] > 0)
    check(c.admin("check")[-1]["ok"], "check")
    print(f"  {failed} failing disks, clean from write {n} on")


def torn_backup_is_found(c):
    c.begin()
    enrol_two(c)
    c.bring_in("h1", "search", c.part_of("searches.csv", 0, 120), "searches")
    c.sync("h1")
    out = c.dir / "b.db"
    c.admin("backup", "--out", out)
    key = vkey(c)
    raw = bytearray(out.read_bytes())
    rng = random.Random(SEED)
    pages = len(raw) // 4096
    found = 0
    for page in rng.sample(range(1, pages), 12):
        torn = bytearray(raw)
        torn[page * 4096:page * 4096 + 2048] = rng.randbytes(2048)
        folder = c.dir / f"torn-{page}"
        shutil.copytree(c.court / "keys", folder / "keys")
        (folder / "store.db").write_bytes(torn)
        r = c.run("daybreak-server", "check", "--dir", folder, "--json",
                  ok=(0, 1, 3), lines=False)
        a = c.run("daybreak-audit", "store", folder, "--key", key, "--json",
                  ok=(0, 1, 2, 3), lines=False)
        # A page that nobody reads (free, or an alarm's) is no damage to it.
        if a.returncode in (2, 3):
            check(r.returncode == 3, f"page {page}: {r.stdout}{r.stderr}")
        found += r.returncode == 3
        for line in r.stdout.splitlines():
            fault = json.loads(line)
            check("ok" in fault or (fault["do"] and fault["where"]) or
                  "error" in fault, line)
        shutil.rmtree(folder)
    check(found >= 6, f"only {found} of 12 torn pages were found")
    print(f"  {found} of 12 torn pages found")


def check_says_what_to_do(c):
    c.begin()
    enrol_two(c)
    c.record("h1", "现金")
    c.sync("h1")
    c.caught_up()
    r = c.admin("check")[-1]
    check(r["ok"] and r["faults"] == 0 and r["entries"] > 5, r)
    key = c.court / "keys" / "ca.key"
    key.chmod(0o644)
    r = c.admin("check", ok=(3,))
    check(len(r) == 2 and r[0]["area"] == "keys" and r[0]["do"], r)
    key.chmod(0o600)
    db = sqlite3.connect(c.court / "store.db")
    raw = db.execute("SELECT bytes FROM entries WHERE place = 3").fetchone()
    raw = bytearray(raw[0])
    raw[20] ^= 1
    db.execute("UPDATE entries SET bytes = ? WHERE place = 3", (bytes(raw),))
    db.commit()
    db.close()
    r = c.admin("check", ok=(3,))
    check(any(f.get("place") == 3 for f in r), r)
    r = c.admin("backup", "--out", c.dir / "b.db", ok=(3,))
    check("place 3" in r[-1]["error"] and not (c.dir / "b.db").exists(), r)
    check(tlog(c)["kept"] == 0, "kept was raised")


def records_there(c, *recs):
    followed(c)
    return [r for r in recs if c.has(r)]


def recover(c, home, reason, ok=(0,)):
    return c.admin("recover", "--store", c.dir / home / "log.db",
                   "--recovery-key", c.dir / "take-away.json", "--reason",
                   reason, ok=ok)[-1]


def dev_of(c, home):
    return c.status(home)["dev"]


def recover_of_a_broken_handheld(c):
    """Half is synced, half only on the handheld; its disk goes bad."""
    c.begin()
    enrol_two(c)
    synced = [c.record("h1", f"已传 {i}") for i in range(6)]
    c.sync("h1")
    more = c.bring_in("h1", "search", c.part_of("searches.csv", 0, 80),
                      "searches")["records"]
    late = [c.record("h1", f"未传 {i}") for i in range(6)]
    entries = c.status("h1")["entries"]
    dev = dev_of(c, "h1")
    file = c.dir / "h1" / "log.db"
    sound = file.read_bytes()
    rng = random.Random(SEED)
    raw = bytearray(sound)
    pages = len(raw) // 4096
    for page in rng.sample(range(pages // 3, pages), 4):
        raw[page * 4096:(page + 1) * 4096] = rng.randbytes(4096)
    file.write_bytes(raw)
    for end in "-wal", "-shm":
        check(not file.with_name("log.db" + end).exists(), "a WAL is left")
    # A successor, which makes the old one *replaced*.
    code = c.admin("enrol-code", "--officer", "p001", "--name", "张伟",
                   "--role", "judge", "--team", "甲", "--replaces", dev,
                   "--reason", "摔坏")[0]["code"]
    c.agent("h1b", "enrol", code)
    r = recover(c, "h1", "replaced")
    check(r["dev"] == dev and r["held"] == 0, r)
    check(r["entries"] + r["holes"] + r["bare_ends"] <= entries, r)
    check(records_there(c, *synced) == synced, "what was synced is gone")
    audit_live(c)
    size = tlog(c)["size"]
    again = recover(c, "h1", "replaced")
    check(again["added"] == 0, f"delivered twice: {again}")
    # The sound copy of the same disk gives what the torn one lacked.
    file.write_bytes(sound)
    r = recover(c, "h1", "replaced")
    check(r["entries"] == entries and r["lost"] == 0, r)
    # What fills a lost place takes none of its own to wait for.
    wait_for("all to come",
             lambda: records_there(c, *synced, *late) == synced + late)
    # Places that were filled have no size that could be waited for.
    support.wait_for("all records to be listed", lambda: len(c.console(
        "/api/v1/records?limit=1000")["records"]) == more + 12)
    check(c.console("/api/v1/held")["held"] == [], "held")
    check(c.admin("check")[-1]["ok"], "check")
    audit_live(c)
    check(recover(c, "h1", "replaced")["added"] == 0, "delivered twice")
    # The successor sees them: its team's records.
    for _ in range(5):
        c.sync("h1b")
    mine = {x["rec"] for x in c.agent("h1b", "list", "--limit", "1000")}
    check(set(late) <= mine, "the successor does not see its records")
    # No command says again what was said: a record joins its scope once.
    c.admin("devices")
    check(size <= tlog(c)["size"], "the log shrank")
    size = tlog(c)["size"]
    c.admin("devices")
    followed(c)
    check(tlog(c)["size"] == size, "a command that only reads has written")


def recover_brings_the_files_too(c):
    """A broken handheld's photos: one arrived, one in part, one never, one is
    damaged, one is gone.  Whatever opens comes in, once, by its digest."""
    c.begin()
    enrol_two(c)
    rec = c.record("h1", "有照片")
    rng = random.Random(SEED)
    data = {x: rng.randbytes(n) for x, n in (
        ("arrived", 90_000), ("part", 400_000), ("never", 200_001),
        ("empty", 0), ("damaged", 150_000), ("gone", 70_000))}

    def attach(*names):
        for x in names:
            f = c.dir / x
            f.write_bytes(data[x])
            c.agent("h1", "attach", rec, f)
    attach("arrived")
    wait_for("the first", lambda: c.agent("h1", "sync")[-1] and any(
        x["state"] == "stored" for x in c.agent("h1", "evidence", rec)))
    attach("part")
    c.agent("h1", "sync", "--budget", "100000")
    attach("never", "empty", "damaged", "gone")
    dev = dev_of(c, "h1")
    for f in (c.dir / "h1" / "blobs").iterdir():
        if f.stat().st_size == 70_000 + 32 + 2 * 16:
            f.unlink()
        elif f.stat().st_size == 150_000 + 32 + 3 * 16:
            raw = bytearray(f.read_bytes())
            raw[100_000] ^= 1
            f.write_bytes(raw)
    code = c.admin("enrol-code", "--officer", "p001", "--name", "张伟",
                   "--role", "judge", "--team", "甲", "--replaces", dev,
                   "--reason", "摔坏")[0]["code"]
    c.agent("h1b", "enrol", code)
    r = recover(c, "h1", "replaced")
    check((r["files"], r["files_there"], r["files_bad"], r["files_absent"])
          == (3, 1, 1, 1), r)
    r = recover(c, "h1", "replaced")
    check((r["files"], r["files_there"], r["added"]) == (0, 4, 0), r)
    followed(c)

    def states():
        return {x["more"]["name"]: x["state"] for x in c.console(
            f"/api/v1/records/{rec}")["attachments"]}
    wait_for("the server to follow", lambda: states()["never"] == "stored")
    check(states() == {"arrived": "stored", "part": "stored", "never":
                       "stored", "empty": "stored", "damaged": "named",
                       "gone": "named"}, f"{states()}")
    store = c.court / "evidence" / "store"
    for x in ("arrived", "part", "never", "empty"):
        h = hashlib.sha256(data[x]).hexdigest()
        check((store / h[:2] / h).read_bytes() == data[x], x)
        steps = c.admin("evidence", "show", h)
        check([(s["what"], s["dev"]) for s in steps] == [
            ("sealed", dev), ("received", dev)], f"{x}: {steps}")
    check([x for x in c.admin("check") if x.get("area") == "evidence"] == [],
          "check")
    audit_live(c)
    # From a copy of the disk whose folder lies elsewhere.
    os.rename(c.dir / "h1" / "blobs", c.dir / "elsewhere")
    r = recover(c, "h1", "replaced")
    check(r["files"] + r["files_there"] == 0, r)
    r = c.admin("recover", "--store", c.dir / "h1" / "log.db",
                "--recovery-key", c.dir / "take-away.json", "--reason",
                "replaced", "--media", c.dir / "elsewhere")[-1]
    check(r["files_there"] == 4, r)
    c.admin("recover", "--store", c.dir / "h1" / "log.db", "--recovery-key",
            c.dir / "take-away.json", "--reason", "replaced", "--media",
            c.dir / "nowhere", ok=(1,))


def recover_of_a_copied_handheld(c):
    """A copy is found that went its own way: held, looked at, admitted."""
    c.begin()
    enrol_two(c)
    shared = c.record("h1", "共同")
    c.sync("h1", "h2", "h1", "h2")
    shutil.copytree(c.dir / "h1", c.dir / "copy")
    own = c.record("h1", "本机")
    c.sync("h1")
    other = c.record("copy", "副本")
    c.agent("copy", "amend", shared, "target=副本改", "--reason", "核对")
    dev = dev_of(c, "h1")
    r = c.admin("recover", "--store", c.dir / "copy" / "log.db",
                "--recovery-key", c.dir / "take-away.json", "--reason",
                "copied", ok=(1,))
    check("revoke" in r[-1]["error"], r)
    c.admin("revoke", "--dev", dev, "--what", "copied", "--reason", "发现副本")
    check("error" in recover(c, "copy", "replaced", ok=(1,)), "merged unseen")
    r = recover(c, "copy", "copied")
    check(r["held"] > 0, r)
    check(recover(c, "copy", "copied")["added"] == 0, "delivered twice")
    followed(c)
    held = c.console("/api/v1/held?limit=1")
    check(len(held["held"]) == 1 and held["next"], held)
    rest = c.console("/api/v1/held?after=" + held["next"])
    held = held["held"] + rest["held"]
    check(len(held) == 2 and {x["rec"] for x in held} == {shared, other},
          held)
    check(all(x["dev"] == dev and x["branch"] == 1 for x in held), held)
    check([x["id"] for x in c.admin("held")] == [x["id"] for x in held],
          "the command lists otherwise")
    state = c.console(f"/api/v1/records/{shared}/state")
    check(state["fields"]["target"][0][1] == "共同" and state["bare"], state)
    c.sync("h2")
    same(c, "h2", shared)
    audit_live(c)
    r = c.admin("admit", "--entry", "0" * 32, "--reason", "x", ok=(1,))
    check("error" in r[-1], r)
    c.admin("admit", "--chain", held[0]["chain"], "--branch", "1", "--reason",
            "本人确认", "--by", "s001")
    followed(c)
    check(c.console("/api/v1/held")["held"] == [], "still held")
    state = c.console(f"/api/v1/records/{shared}/state")
    check(state["fields"]["target"][0][1] == "副本改" and not state["bare"],
          state)
    c.sync("h2", "h2")
    same(c, "h2", shared)
    # And out of the merge again.
    c.admin("hold", "--record", shared, "--entry", held_of(held, shared),
            "--reason", "有疑", "--by", "s001")
    followed(c)
    c.sync("h2", "h2")
    same(c, "h2", shared)
    state = c.console(f"/api/v1/records/{shared}/state")
    check(state["fields"]["target"][0][1] == "共同", state)
    check(records_there(c, own, other) == [own, other], "a record is gone")
    check(c.admin("check")[-1]["ok"], "check")
    audit_live(c)


def purge_waits_for_a_backup(c):
    """A handheld forgets only what the log says is kept, and then little."""
    c.begin()
    enrol_two(c)
    rec = c.record("h1", "要忘的话")
    c.sync("h1", "h1")
    check(c.status("h1")["kept"] == 0, "kept before any backup")
    check(c.agent("h1", "purge", "--days", "0")[-1]["purged"] == 0,
          "forgotten before any backup")
    size = c.admin("backup", "--out", c.dir / "b.db")[-1]["size"]
    followed(c)
    late = c.record("h1", "备份之后")
    c.sync("h1", "h1")
    check(c.status("h1")["kept"] == size, c.status("h1"))
    entries = c.status("h1")["entries"]
    check(c.agent("h1", "purge")[-1]["purged"] == 0, "younger than 30 days")
    check(c.agent("h1", "purge", "--days", "0")[-1]["purged"] == entries - 1,
          "not all that is kept was forgotten, or more")
    check(c.agent("h1", "purge", "--days", "0")[-1]["purged"] == 0, "twice")
    state = c.agent("h1", "show", rec, "--state")[-1]
    check("withheld" in state["fields"]["target"][0][1], state)
    state = c.agent("h1", "show", late, "--state")[-1]
    check(state["fields"]["target"][0][1] == "备份之后", state)
    c.agent("h1", "verify")
    c.record("h1", "又一条")
    c.sync("h1", "h1")
    check(c.status("h1")["alarms"] == 0, "alarms")
    followed(c)
    there = c.console(f"/api/v1/records/{rec}/state")
    check(there["fields"]["target"][0][1] == "要忘的话", there)
    raw = (c.dir / "h1" / "log.db").read_bytes()
    check("要忘的话".encode() not in raw, "readable on disk")


def held_of(held, rec):
    return next(x["id"] for x in held if x["rec"] == rec)


def same(c, home, rec):
    """Handheld and centre give the same state, byte for byte."""
    here = c.run("daybreak-agent", "--home", c.dir / home, "show", rec,
                 "--state", lines=False).stdout.strip()
    there = c.api(f"/api/v1/records/{rec}/state").decode()
    check(here == there, f"{home}: {here}\ncentre: {there}")


if __name__ == "__main__":
    print(f"seed {SEED}; again: DAYBREAK_SEED={SEED} {' '.join(sys.argv)}")
    sys.exit(run_cases([
        check_says_what_to_do, recover_of_a_broken_handheld,
        recover_brings_the_files_too,
        recover_of_a_copied_handheld, purge_waits_for_a_backup, torn_backup_is_found,
        backup_on_a_failing_disk, backup_under_load_with_kills]))
