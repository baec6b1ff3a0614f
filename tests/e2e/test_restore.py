#!/usr/bin/env python3
"""A server is lost, and restored from an old backup: real programs, real TLS.

Would catch: anything acknowledged that does not come back, a state that is
another afterwards, an alarm for an honest restore, none for a forged one, an
audit that takes a restore for damage or hides what it lost.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import court  # noqa: E402

HOMES = ("h1", "h2", "h3")  # and h4, which joins after the backup


def need(what, words):
    if not what:
        raise court.Failed(words)


class World(court.Court):
    def begin(self):
        self.make_court()
        self.start()
        self.console()
        self.enrol("h1", "p001", "张伟", "judge", "甲")
        self.enrol("h2", "p002", "李娜", "clerk", "甲")
        self.enrol("h3", "p003", "王强", "judge", "乙")
        self.enrol("h5", "p005", "陈静", "clerk", "乙")  # to be revoked
        self.enrol("h6", "p006", "周敏", "clerk", "甲")  # lost with the server

    def console(self):
        self.token = self.admin("token", "--role", "supervisor")[0]["token"]

    def record(self, home, text):
        return [r["rec"] for r in self.agent(
            home, "record", "search", "started_at=2026-11-24 05:10",
            f"target={text}") if "rec" in r][0]

    def sync_all(self, *homes):
        """Until none of them has anything more to say or to hear."""
        for h in homes:
            for _ in range(50):
                r = self.agent(h, "sync")[-1]
                need(not r["alarmed"], f"{h}: alarmed: {r}")
                s = self.agent(h, "status")[-1]
                if s["queued"] == 0 and r["received"] == 0 and r["sent"] == 0:
                    break
            else:
                raise court.Failed(f"{h}: never done: {r} {s}")

    def sync_twice(self, *homes):
        self.sync_all(*homes)
        self.caught_up()
        time.sleep(1.5)  # records join scopes behind the log
        self.caught_up()
        self.sync_all(*homes)

    def states(self):
        self.caught_up()
        page = json.loads(self.api("/api/v1/records?limit=1000"))["records"]
        return {r["rec"]: self.api(f"/api/v1/records/{r['rec']}/state")
                for r in page}

    def shown(self, home, rec):
        return self.run("daybreak-agent", "--home", self.dir / home, "show",
                        rec, "--state", lines=False).stdout.strip().encode()

    def backup(self, name):
        to = self.dir / name
        (to / "keys").mkdir(parents=True)
        with sqlite3.connect(self.court / "store.db") as a:
            with sqlite3.connect(to / "store.db") as b:
                a.backup(b)
        for k in ("ca.key", "ca.crt"):
            shutil.copy(self.court / "keys" / k, to / "keys" / k)
        return to

    def lose(self):
        self.server.kill()
        self.server.wait()
        self.server = None
        lost = self.dir / f"lost-{time.monotonic_ns()}"
        self.court.rename(lost)
        return lost

    def restore(self, backup, *more, ok=(0,)):
        return self.admin("restore", "--from", backup, "--root-key",
                          self.dir / "take-away.json", *more, ok=ok)

    def vkey(self, court=None):
        return self.run("daybreak-server", "vkey", "--dir",
                        court or self.court, lines=False).stdout.strip()


def same_states(d, before, when):
    after = d.states()
    lost = [r for r in before if r not in after]
    need(not lost, f"{when}: records that did not come back: {lost}")
    for rec, state in before.items():
        need(after[rec] == state,
             f"{when}: {rec} is another:\n{state}\n{after[rec]}")


def joined_late(d, rec):
    """It is taken, held, and a device again once somebody answers for it."""
    d.sync_all("h4")
    s = d.agent("h4", "status")[-1]
    need(s["alarms"] == 0 and s["queued"] == 0 and s["centre"] == "held",
         f"h4: {s}")
    d.caught_up()
    waiting = d.admin("confirm")
    need([w["dev"] for w in waiting] == [s["dev"]], f"who waits: {waiting}")
    need("备份之后入网" not in d.api(f"/api/v1/records/{rec}/state").decode(),
         "what was held has effect")
    d.admin("confirm", "--dev", s["dev"], "--person", "p004", "--name",
            "刘洋", "--role", "police", "--team", "乙")
    need(d.admin("confirm") == [], "it waits still")
    d.admin("confirm", "--dev", s["dev"], "--person", "p004", "--name", "x",
            "--role", "police", ok=(1,))
    time.sleep(1.5)  # the daemon follows other processes once a second
    after = d.record("h4", "确认之后")
    d.sync_all("h4")
    need(d.agent("h4", "status")[-1]["centre"] == "taken", "held still")
    d.caught_up()
    need("确认之后" in d.api(f"/api/v1/records/{after}/state").decode(),
         "confirmed, and still held")
    people = [p for p in d.admin("people") if p["id"] == "p004"]
    need([(p["role"], p["team"]) for p in people] == [("police", "乙")],
         f"confirmed, and in no team: {people}")
    d.sync_all("h3")
    need(any(r["rec"] == after for r in d.agent("h3", "list")),
         "the team does not get what its new colleague wrote")


def honest(d):
    d.begin()
    recs = {h: [d.record(h, f"{h} 前 {i}") for i in range(3)] for h in HOMES}
    d.sync_twice(*HOMES)
    backup = d.backup("backup")
    for h in HOMES:
        recs[h] += [d.record(h, f"{h} 后 {i}") for i in range(3)]
        d.agent(h, "amend", recs[h][0], "outcome/text=未发现财产", "--reason",
                "笔误")
    burnt = d.record("h6", "与服务器一同烧毁")
    d.agent("h6", "amend", burnt, "outcome/text=现场已清", "--reason", "补记")
    d.sync_twice("h6", *HOMES)
    before = d.states()
    need(burnt in before, "h6 did not deliver")
    shutil.rmtree(d.dir / "h6")
    # One that is revoked after the backup: everybody hears of it.
    revoked = d.agent("h5", "status")[-1]["dev"]
    d.admin("revoke", "--dev", revoked, "--what", "lost", "--reason", "遗失")
    time.sleep(1.5)
    d.sync_all("h1")
    # A handheld that the backup will not know.
    d.enrol("h4", "p004", "刘洋", "police", "乙")
    late = d.record("h4", "备份之后入网")
    d.sync_all("h4")
    receipts = {}
    for h in HOMES:
        receipts[h] = d.dir / f"{h}-receipt"
        d.agent(h, "receipt", "--out", receipts[h])
    shared = recs["h1"][4]
    need(d.shown("h2", shared) == before[shared], "h2 lacks a shared record")
    entries = {h: d.agent(h, "status")[-1]["entries"] for h in HOMES}

    lost = d.lose()
    r = d.restore(backup)[0]
    need(r["restored"] and r["kept"] > 0 and r["descriptor"] == 2, str(r))
    d.restore(backup, ok=(1,))  # a court stands there now
    d.start()
    d.console()
    d.sync_twice(*HOMES)
    d.sync_twice(*HOMES)
    same_states(d, before, "after the restore")
    for h in HOMES:
        s = d.agent(h, "status")[-1]
        need(s["alarms"] == 0, f"{h}: an alarm for an honest restore: {s}")
        need(s["queued"] == 0 and s["entries"] == entries[h], f"{h}: {s}")
        need(s["old_logs"][0]["origin"] == r["old_origin"] and
             s["old_logs"][0]["then"] == r["origin"], f"{h}: {s}")
        d.agent(h, "verify")
        old = d.dir / f"{h}-old-receipt"
        d.agent(h, "receipt", "1", "--out", old)
        need(old.read_bytes() == receipts[h].read_bytes(),
             f"{h}: the old receipt is not kept as it was")
        new = d.dir / f"{h}-new-receipt"
        d.agent(h, "receipt", "--out", new)
        need(r["origin"].encode() in new.read_bytes(), f"{h}: no new receipt")
    told = [x for x in json.loads(d.api("/api/v1/alarms"))["alarms"]
            if x["sort"] in ("revoked_before", "returned_false")]
    need(not told, f"alarms for what was proved: {told}")
    again = [x for x in d.admin("devices") if x["dev"] == revoked]
    need(again[0]["standing"] == "lost", f"not revoked again: {again}")
    words = d.admin("returned")
    need(any(w["kind"] == "device@1" and w["do"] == "advance" and
             "lost" in w["values"] for w in words), f"no evidence: {words}")
    joined_late(d, late)
    for h, rec in (("h1", shared), ("h2", shared), ("h3", recs["h3"][4])):
        need(d.shown(h, rec) == before[rec], f"{h} shows {rec} otherwise")

    d.stop()
    new_key = d.vkey()
    anchors = []
    for h in HOMES:
        anchors += ["--anchor", d.dir / f"{h}-new-receipt"]
        anchors += ["--anchor", receipts[h]]
    a = json.loads(d.audit("store", d.court, "--key", new_key, *anchors,
                           ok=(0,)).stdout)
    back = [f for f in a["findings"] if f["what"] == "old_log"]
    need(a["damage"] == 0 and len(back) == 4, f"the audit says: {a}")
    need(a["returned"] >= 2 and any(f["what"] == "returned"
                                    for f in a["findings"]),
         f"whose word is it? {a}")
    need(any(f["place"] == r["kept"] for f in back), str(back))
    # A receipt whose entry did not come back is named: the backup alone,
    # restored once more beside it, holds none of it.
    home = d.court
    d.court = d.dir / "bare"
    d.restore(backup)
    b = json.loads(d.audit("store", d.court, "--key", d.vkey(), "--anchor",
                           receipts["h1"], ok=(1,)).stdout)
    need("not come back" in json.dumps(b), f"nothing is missing? {b}")
    d.court = home
    print("restored: all came back, states are the same, audited")
    return lost, before


def twice(d, before):
    """Lost once more; this time a handheld is two logs behind."""
    d.start()
    d.console()
    backup = d.backup("backup2")
    more = d.record("h1", "第二次之前")
    d.sync_twice("h1", "h2")
    before = d.states()
    d.lose()
    r = d.restore(backup)[0]
    need(r["descriptor"] == 3, str(r))
    d.start()
    d.console()
    d.sync_twice(*HOMES)
    d.sync_twice(*HOMES)
    same_states(d, before, "after the second restore")
    need(d.shown("h2", more) == before[more], "h2 shows it otherwise")
    for h in HOMES:
        s = d.agent(h, "status")[-1]
        need(s["alarms"] == 0 and len(s["old_logs"]) >= 1, f"{h}: {s}")
    d.stop()
    d.audit("store", d.court, "--key", d.vkey(), ok=(1,))
    print("restored twice")


def killed(d, backup):
    """kill -9 in the middle of a restore, again and again, then one whole."""
    home = d.court
    d.court = d.dir / "killed"
    args = [str(d.bin / "daybreak-server"), "restore", "--dir", str(d.court),
            "--from", str(backup), "--root-key", str(d.dir / "take-away.json")]
    cut = 0
    for n in range(25):
        p = subprocess.Popen(args, env=d.env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        try:
            p.wait(timeout=0.02 * (n + 1))
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            cut += 1
        done = d.run("daybreak-server", "vkey", "--dir", d.court, ok=(0, 1),
                     lines=False).returncode == 0
        need(not (d.court / "restoring").exists() or not done,
             "a restore that was cut short serves")
        if done:
            break
    else:
        d.restore(backup)
    d.audit("store", d.court, "--key", d.vkey(), ok=(1,))
    d.court = home
    print(f"killed {cut} times, then done")


def forged(d):
    """A court that no root of ours signed, behind the same address and CA."""
    d.start()
    d.console()
    d.sync_all("h1")
    d.server.kill()
    d.server.wait()
    keys = json.loads((d.dir / "take-away.json").read_text())
    other = d.dir / "other"
    other.mkdir()
    d.run("daybreak-server", "init", "--dir", other / "court", "--court",
          "xz0302", "--name", "x", "--recovery-out", other / "keys.json")
    real = d.court
    d.court = d.dir / "forged"
    backup = d.dir / "backup"
    need(d.run("daybreak-server", "restore", "--dir", d.court, "--from",
               backup, "--root-key", other / "keys.json", "--json",
               ok=(1,)) is not None, "another root key was taken")
    # So it is made by hand: signed by nobody that the handheld knows.
    d.court = d.dir / "forged2"
    d.restore(backup)
    db = sqlite3.connect(d.court / "store.db")
    place, raw = db.execute(
        "SELECT place, bytes FROM entries WHERE CAST(bytes AS TEXT) LIKE "
        "'%descriptor@1%' ORDER BY place DESC LIMIT 1").fetchone()
    raw = bytearray(raw)
    at = raw.rindex(keys["root"][64:].encode()) + 70
    raw[at] = ord("A") if raw[at] != ord("A") else ord("B")
    db.execute("UPDATE entries SET bytes = ? WHERE place = ?",
               (bytes(raw), place))
    db.commit()
    db.close()
    d.start()
    r = d.agent("h1", "sync", ok=(0, 1))[-1]
    s = d.agent("h1", "status")[-1]
    need(s["alarms"] > 0 and len(s.get("old_logs", [])) == 2,
         f"no alarm for a forged restore: {r} {s}")
    d.server.kill()
    d.server.wait()
    d.server = None
    d.court = real
    print("a forged restore alarms")


def main():
    d = World(sys.argv[1], True)
    try:
        _, before = honest(d)
        if os.environ.get("FAST"): return 0
        killed(d, d.dir / "backup")
        twice(d, before)
        forged(d)
        shutil.rmtree(d.dir)
        return 0
    except court.Failed as e:
        print(f"failed: {e}\nkept: {d.dir}")
        return 1
    finally:
        if d.server is not None:
            d.server.kill()


if __name__ == "__main__":
    sys.exit(main())
