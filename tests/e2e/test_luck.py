#!/usr/bin/env python3
"""Bad luck on the real programs: clocks, disks, copies, lost answers, old
backups.

Would catch: a thing that was said to be saved and is gone, a handheld that is
locked out or lies still after its luck has turned, trouble of which the right
person hears nothing.
"""
import csv
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading

import support
from support import YEAR, Handheld, check, run_cases, wait_for


def enrol(c, *homes):
    for h in homes:
        c.agent(h, "enrol", c.code_for(h))


def clocks_years_off_lose_nothing(c):
    c.begin()
    recs = []
    for home, off in ("past", -25 * YEAR), ("future", 30 * YEAR):
        wrong = c.unlucky(clock_s=off)
        r = c.ask(home, "enrol", c.code_for(home), env=wrong)
        check(r[0] == 0, f"{home}: cannot enrol: {r[2]}")
        recs.append(c.record(home, "时钟有误", env=wrong))
        for _ in range(2):
            r = c.ask(home, "sync", env=wrong)
            check(r[0] == 0, f"{home}: cannot sync: {r[2]}")
        s = c.ask(home, "status", env=wrong)[1][-1]
        check(s["queued"] == 0 and abs(s["clock_offset_ms"] + off * 1000) <
              3600000, f"{home}: the officer is not told of the clock: {s}")
        # Put right on the road: still one chain, nothing doubled.
        recs.append(c.record(home, "时钟已更正"))
        c.sync(home)
        r = c.agent(home, "verify")
        check(r[-1]["lost"] == 0 and not r[-1]["broken"], f"{home}: {r}")
    c.all_there(*recs)
    renewed = c.query("SELECT count(*) FROM entries WHERE CAST(bytes AS TEXT)"
                      " LIKE '%\"do\":\"set\",\"on\":[\"cert/serial\"%'")
    check(renewed[0][0] == 0, "a wrong clock made it renew for nothing")


def a_wrong_clock_at_the_centre_passes(c):
    c.begin()
    enrol(c, "h1", "h2")
    c.sync("h1", "h2")
    recs = [c.record(h, "中心时钟有误") for h in ("h1", "h2")]
    # Years ahead: every certificate has run out, and is renewed.
    c.restart(env=c.unlucky(clock_s=20 * YEAR))
    check(c.ask("h1", "sync")[0] == 0, "h1 does not get through")
    # Years behind: whoever runs the centre reads why nobody comes in.
    c.restart(env=c.unlucky(clock_s=-20 * YEAR))
    r = c.ask("h2", "sync")
    check(r[0] in (0, 1), f"h2: {r[2]}")
    check(c.logged("this server's clock is wrong"), "the log says no word")
    # Right again: nobody is left outside with a certificate of the future.
    c.restart()
    for h in "h1", "h2":
        r = c.ask(h, "sync")
        check(r[0] == 0, f"{h} stays locked out: {r[2]}")
        check(c.status(h)["queued"] == 0, f"{h}: not all came through")
    c.all_there(*recs)
    c.healthy()


class Cut:
    """A line that breaks off once the request has gone through, `cuts` times:
    the answer is lost, and the work is done."""

    def __init__(self, port, cuts):
        self.port, self.cuts, self.lost = port, cuts, 0
        self.listen = socket.create_server(("127.0.0.1", 0))
        self.at = self.listen.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            a, _ = self.listen.accept()
            b = socket.create_connection(("127.0.0.1", self.port))
            state = {"sent": 0}
            for args in ((a, b, state, True), (b, a, state, False)):
                threading.Thread(target=self.move, args=args,
                                 daemon=True).start()

    def move(self, src, dst, state, up):
        while True:
            try:
                data = src.recv(65536)
                if not up and state["sent"] > 600 and self.cuts > 0:
                    # The answer to a POST has come this far.
                    self.cuts -= 1
                    self.lost += 1
                    data = b""
                if data:
                    dst.sendall(data)
            except OSError:
                data = b""
            if up:
                state["sent"] += len(data)
            if not data:
                for s in src, dst:
                    try:
                        s.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
                return


def lost_answer_to_enrolment_strands_nobody(c):
    c.begin()
    line = Cut(c.ports[2], 2)
    code = c.code_for("p001", "--address", f"127.0.0.1:{line.at}")
    tries = 0
    while c.ask("h1", "enrol", code)[0] != 0:
        tries += 1
        check(tries < 20, "the same code does not let it in")
    check(line.lost == 2, f"{line.lost} answers were lost, not 2")
    devs = c.console("/api/v1/devices")["devices"]
    check(len(devs) == 1, f"one handheld joined, and there are {len(devs)}")
    check(not c.alarms("code_reused"), "an honest second try was an alarm")
    rec = c.record("h1", "答复丢失之后")
    c.sync("h1")
    c.all_there(rec)


def copied_handheld_forks_in_the_open(c):
    c.begin()
    enrol(c, "h1")
    before = c.record("h1", "复制前")
    c.sync("h1")
    shutil.copytree(c.dir / "h1", c.dir / "copy")
    real, fake = c.record("h1", "原机"), c.record("copy", "复制机")
    c.sync("h1")
    r = c.ask("copy", "sync")
    check(r[0] in (0, 1), f"the copy's sync ended badly: {r}")
    # Both branches have places, the later one is held.
    c.all_there(before, real, fake)
    check([a["dev"] for a in c.alarms("fork")] == [c.status("h1")["dev"]],
          f"supervisors hear of it once: {c.console('/api/v1/alarms')}")
    text = c.api(f"/api/v1/records/{real}/state").decode()
    check("原机" in text, "the first branch lost its effect")
    text = c.api(f"/api/v1/records/{fake}/state").decode()
    check("复制机" not in text, "the later branch has an effect")
    check(r[1][-1]["centre"] == "held" and "暂不采用" in r[2] and
          c.status("copy")["centre"] == "held",
          f"the officer with the copy is not told: {r[2]}")
    # Whichever of the two is the officer's: recording goes on.
    more = [c.record("h1", "继续"), c.record("copy", "继续")]
    for home in "h1", "copy":
        r = c.ask(home, "sync")
        check(r[0] in (0, 1), f"{home}: {r}")
        s = c.status(home)
        check(s["queued"] == 0, f"{home}: entries are not taken: {s}")
    c.all_there(*more)
    # Enrolled again with new keys, it merges as before.
    dev = c.status("h1")["dev"]
    c.agent("h9", "enrol", c.code_for("h1", "--replaces", dev, "--reason",
                                      "手机被复制"))
    new = c.record("h9", "新机")
    c.sync("h9")
    c.all_there(new)
    check("新机" in c.api(f"/api/v1/records/{new}/state").decode(),
          "what the new handheld writes is held")
    check(c.device(dev)["standing"] == "replaced", "the old one is still in")
    c.healthy()


def edit(path, sql, *args):
    db = sqlite3.connect(path, timeout=60)
    rows = db.execute(sql, args).fetchall()
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return rows


def rotten_rows_are_told_and_the_chain_goes_on(c):
    c.begin()
    enrol(c, "h1")
    c.sync("h1")
    recs = [c.record("h1", f"第{n}条") for n in range(5)]
    db = c.dir / "h1" / "log.db"
    (seq, good), = edit(db, "SELECT seq, sealed FROM entry_1 ORDER BY seq "
                        "LIMIT 1 OFFSET 2")
    edit(db, "UPDATE entry_1 SET sealed = ? WHERE seq = ?",
         good[:-1] + bytes([good[-1] ^ 1]), seq)
    s = c.status("h1")
    check(s["entries"] == 5 and s["lost"] == 1, f"the officer sees: {s}")
    code, out, words = c.ask("h1", "verify")
    check(code == 3 and out[0]["lost"] == 1, f"verify says nothing: {words}")
    c.record("h1", "损坏之后")
    r = c.ask("h1", "sync")
    check(r[0] in (0, 1) and c.status("h1")["queued"] == 0,
          f"one lost row blocks the queue: {r}")
    lost = c.query("SELECT e.seq FROM entries e JOIN chains h ON e.chain = "
                   "h.no WHERE length(e.bytes) = 32 AND h.last_seq = 6")
    check(lost == [(seq,)], f"not told as lost: {lost}")
    check([a["dev"] for a in c.alarms("lost")] == [s["dev"]],
          "supervisors hear nothing")
    c.all_there(*(recs[:2] + recs[3:]))
    check(c.has(recs[2]) == 0, "the lost entry cannot be there yet")


def spoil(path, table, key):
    """Turn a bit in a sealed row, as rot does."""
    (n, sealed), = edit(path, f"SELECT {key}, sealed FROM {table} "
                        f"ORDER BY {key} DESC LIMIT 1 OFFSET 1")
    edit(path, f"UPDATE {table} SET sealed = ? WHERE {key} = ?",
         sealed[:9] + bytes([sealed[9] ^ 64]) + sealed[10:], n)


def lost_rows_come_back_from_the_centre(c):
    c.begin()
    enrol(c, "h1", "h2")
    own = [c.record("h1", f"第{n}条") for n in range(3)]
    other = [c.record("h2", f"同事{n}") for n in range(3)]
    c.sync("h1", "h2")
    db = c.dir / "h1" / "log.db"
    wait_for("the colleague's records", lambda: c.sync("h1") or
             len(c.agent("h1", "list", "--kind", "search")) == 6)
    spoil(db, "entry_1", "seq")
    spoil(db, "others", "row")
    code, out, words = c.ask("h1", "verify")
    check(code == 3 and out[0]["lost"] == 1 and out[0]["foreign_lost"] == 1,
          f"verify says nothing: {words}")
    c.sync("h1")
    v = c.agent("h1", "verify")[-1]
    check(v["lost"] == 0 and v["foreign_lost"] == 0, f"not mended: {v}")
    there = {r["rec"] for r in c.agent("h1", "list", "--kind", "search")}
    check(there == set(own + other), "not all are shown again")
    for n in range(2):
        down = c.agent("h1", "sync")[-1]["bytes_down"]
    check(down < 1000, f"it asks for everything each time: {down} bytes")


def torn_page_leaves_the_rest(c):
    c.begin()
    enrol(c, "h1")
    c.sync("h1")
    recs = [c.record("h1", f"第{n}条") for n in range(12)]
    c.sync("h1")
    more = c.record("h1", "撕裂前")
    db = c.dir / "h1" / "log.db"
    page = edit(db, "SELECT pageno, pgoffset, pgsize FROM dbstat "
                "WHERE name = 'entry_1' AND pagetype = 'leaf' "
                "ORDER BY pageno LIMIT 1") if has_dbstat() else None
    if page is None:
        print("torn_page: this sqlite3 has no dbstat; any page is torn")
        page = [(0, 5 * 4096, 4096)]
    with open(db, "r+b") as f:
        f.seek(page[0][1])
        f.write(os.urandom(page[0][2] // 2))
    code, _, words = c.ask("h1", "verify")
    check(code == 3, f"verify does not see it: {code} {words}")
    after = c.record("h1", "撕裂后")
    r = c.ask("h1", "sync")
    check(r[0] in (0, 1), f"cannot sync any more: {r}")
    check(c.status("h1")["queued"] == 0, f"the queue is blocked: {r}")
    c.all_there(*recs, after)
    c.caught_up()
    told = c.has(more) or c.query(
        "SELECT count(*) FROM entries WHERE length(bytes) = 32")[0][0] or \
        c.query("SELECT count(*) FROM entries WHERE CAST(bytes AS TEXT) LIKE "
                "'%hole@1%'")[0][0]
    check(told, "an entry is neither there nor told as lost")


def has_dbstat():
    try:
        sqlite3.connect(":memory:").execute("SELECT * FROM dbstat")
        return True
    except sqlite3.OperationalError:
        return False


def full_disk_of_a_handheld_says_so(c):
    c.begin()
    enrol(c, "h1")
    full = c.dir / "full"
    env = c.unlucky(full=full)
    recs = [c.record("h1", "满之前", env=env)]
    full.touch()
    refused = 0
    for n in range(3):
        code, out, words = c.ask("h1", "record", "search",
                                 "started_at=2026-11-24 05:10",
                                 f"target=满{n}", env=env)
        if code == 0:
            recs.append(out[-1]["rec"])
        else:
            refused += 1
            check("存储已满" in words and "disk is full" in words,
                  f"not told in words: {words}")
    check(refused > 0, "the disk was not full at all")
    s = c.ask("h1", "status", env=env)
    check(s[0] == 0, f"it cannot even be looked at: {s[2]}")
    s = c.ask("h1", "list", env=env)
    check([r["rec"] for r in s[1]][::-1] == recs or
          sorted(r["rec"] for r in s[1]) == sorted(recs),
          f"not what was said to be saved: {s[2]}")
    # What is there can leave: that is what makes room.
    r = c.ask("h1", "sync", env=env)
    c.all_there(*recs)
    full.unlink()
    recs.append(c.record("h1", "又有空间", env=env))
    c.sync("h1")
    check(c.status("h1")["queued"] == 0, "not all came through")
    v = c.agent("h1", "verify")[-1]
    check(v["entries"] == len(recs), f"half of a refused one is there: {v}")
    c.all_there(*recs)


def nth_write_of_a_handheld_fails(c):
    """A disk that dies at its n-th write or sync, and is well again at the
    next start: for each n, while a record is written and while it syncs."""
    c.begin()
    enrol(c, "h1")
    c.sync("h1")
    said, tried = [], 0
    for what in "record", "sync":
        n, through = 1, False
        while not through:
            env = c.unlucky(fail=n)
            if what == "record":
                tried += 1
                code, out, words = c.ask(
                    "h1", "record", "search", "started_at=2026-11-24 05:10",
                    f"target={n}", env=env)
                if code == 0:
                    said.append(out[-1]["rec"])
            else:
                said.append(c.record("h1", f"待传{n}"))
                tried += 1
                code, out, words = c.ask("h1", "sync", env=env)
            through = code == 0
            check(through or "error" in words and "出错" in words or
                  "存储" in words, f"{what} {n}: not told: {words}")
            check(n < 400, f"{what} never gets through")
            n += 1 + n // 3
    s = c.status("h1")
    check(len(said) <= s["entries"] <= tried and s["alarms"] == 0,
          f"{len(said)} said to be saved, {tried} tried: {s}")
    v = c.agent("h1", "verify")[-1]
    check(not v["broken"] and v["lost"] == 0, f"half of one is there: {v}")
    c.sync("h1")
    c.all_there(*said)


def many_rows(c):
    """More rows than what is kept back for a full disk holds."""
    with open(c.part_of("searches.csv", 0, 2000), newline="") as f:
        head, *rows = csv.reader(f)
    at = head.index("Policing operation")
    out = c.dir / "many.csv"
    with open(out, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(head)
        for n in range(4):
            w.writerows(r[:at] + [f"operation {n}"] + r[at + 1:] for r in rows)
    return out, 4 * len(rows)


def really_full_disk_of_a_handheld(c):
    d = support.small_disk(c.dir / "h1", 40)
    if d is None:
        print("really_full_disk: mounting is not allowed here: skipped")
        return
    try:
        c.begin()
        enrol(c, "h1")
        c.sync("h1")
        recs = []
        with open(d / "holiday.mp4", "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"\0" * 65536)
            except OSError:
                pass
        # What was kept back for that hour is there,
        recs.append(c.record("h1", "已满"))
        s = c.status("h1")
        check(s["disk"]["reserve_spent"] and s["disk"]["low"],
              f"the screen has no reason to shout: {s}")
        # and comes to an end: said so, with nothing half there.
        rows, count = many_rows(c)
        args = ("import", "search", rows, "--map",
                support.court.DATA / "maps" / "searches.json")
        code, out, words = c.ask("h1", *args)
        check(code == 1 and "存储已满" in words, f"not told: {words[-600:]}")
        taken = [r for r in out if "taken" in r][-1]["taken"]
        check(c.status("h1")["entries"] >= 1 + taken, "taken, and not there")
        c.ask("h1", "verify", ok=(0,))
        (d / "holiday.mp4").unlink()
        again = c.agent("h1", *args)[-1]
        check(again["taken"] + again["already"] == count and
              again["already"] >= taken, f"{taken}, then {again}")
        recs.append(c.record("h1", "又有空间"))
        c.sync("h1")
        check(c.status("h1")["queued"] == 0, "not all came through")
        c.agent("h1", "verify")
        c.all_there(*recs)
        check(c.caught_up()["records"] == count + len(recs), "rows doubled")
    finally:
        subprocess.run(["umount", str(d)], check=False)


def full_disk_of_the_centre_passes(c):
    full = c.dir / "full"
    env = c.unlucky(full=full)
    c.make_court()
    c.start(env=env)
    enrol(c, "h1")
    h = Handheld(c, "p002").enrol()
    c.sync("h1")
    rec = c.record("h1", "中心已满")
    size = c.console("/api/v1/tlog")["size"]
    full.touch()
    raw = h.append(h.entry())
    status, body, headers = h.post("/v1/sync", h.piece([raw], 1))
    check(status == 503 and int(headers["Retry-After"]) > 0 and
          b"zh" in body, f"{status} {body} {headers}")
    code, _, words = c.ask("h1", "sync")
    check(code == 1 and "稍后再试" in words, f"the officer hears: {words}")
    check(c.status("h1")["queued"] == 1, "it was taken for acknowledged")
    check(c.console("/api/v1/tlog")["size"] == size, "the log grew")
    check(c.logged("full") or c.logged("disk"), "the log says no word of it")
    full.unlink()
    status, _, _ = h.post("/v1/sync", h.piece([raw], 1))
    check(status == 200 and h.acked() == 1, "not taken when there is room")
    c.sync("h1")
    c.all_there(rec)
    # Full from the start: it starts, or says why it does not.
    c.stop()
    full.touch()
    try:
        c.start(env=env)
        c.server.send_signal(signal.SIGTERM)
        c.server.wait()
    except support.Failed as e:
        check("full" in str(e), f"it does not say why: {e}")
    c.server = None
    full.unlink()
    c.start()
    c.all_there(rec)
    c.healthy()


def set_back_centre_stops_and_says_so(c):
    c.begin()
    enrol(c, "h1", "h2")
    recs = [c.record("h1", "备份前")]
    c.sync("h1", "h2")
    c.stop()
    shutil.copytree(c.court, c.dir / "backup")
    c.start()
    recs.append(c.record("h1", "备份后"))
    c.sync("h1")
    c.stop()
    shutil.rmtree(c.court)
    shutil.copytree(c.dir / "backup", c.court)
    c.start()
    # Who has seen the longer log brings its checkpoint.
    code, _, words = c.ask("h1", "sync")
    check(code == 1 and "恢复" in words, f"the officer hears: {words}")
    check(c.alarms("split"), "supervisors hear nothing")
    status, body = 0, b""
    h = Handheld(c, "px")
    for port in 1, 2:
        status, body, _ = h.post("/healthz", None, port=port, method="GET")
        check(status == 503 and b"restore" in body, f"{status} {body}")
    check(c.console("/api/v1/tlog")["halted"], "/api/v1/tlog does not say so")
    check("daybreak_halted 1" in c.api("/metrics").decode(), "metrics")
    # Nothing more is committed, for anybody; nothing is lost meanwhile.
    size = c.console("/api/v1/tlog")["size"]
    recs.append(c.record("h2", "停止之后"))
    code, _, words = c.ask("h2", "sync")
    check(code == 1 and "恢复" in words, f"the officer hears: {words}")
    check(c.status("h2")["queued"] == 1, "it was taken for acknowledged")
    check(c.console("/api/v1/tlog")["size"] == size, "the log grew")
    # It does not forget by being started again.
    c.restart()
    check(h.post("/healthz", None, port=2, method="GET")[0] == 503,
          "a start clears the halt")
    for home in "h1", "h2":
        v = c.agent(home, "verify")[-1]
        check(v["lost"] == 0 and v["bad_receipts"] == 0, f"{home}: {v}")


if __name__ == "__main__":
    sys.exit(run_cases([
        clocks_years_off_lose_nothing, a_wrong_clock_at_the_centre_passes,
        lost_answer_to_enrolment_strands_nobody,
        copied_handheld_forks_in_the_open,
        rotten_rows_are_told_and_the_chain_goes_on,
        lost_rows_come_back_from_the_centre, torn_page_leaves_the_rest,
        nth_write_of_a_handheld_fails,
        full_disk_of_a_handheld_says_so, really_full_disk_of_a_handheld,
        full_disk_of_the_centre_passes, set_back_centre_stops_and_says_so]))
