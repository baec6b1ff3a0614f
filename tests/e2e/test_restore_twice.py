#!/usr/bin/env python3
"""Restores from one and the same backup, one after the other: real programs.

Would catch: a second restore that a handheld which saw the first takes for a
forgery; one that saw neither, or only the second, left behind; anything
acknowledged by any of the logs that does not come back; an audit that calls
it damage.
"""
import json
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import court  # noqa: E402
from test_restore import World, need, same_states  # noqa: E402

ALL = ("h1", "h2", "h3", "h5")


def descriptor(d, home, name):
    to = d.dir / name
    d.agent(home, "descriptor", "--out", to)
    return to


def receipt(d, home, name):
    to = d.dir / name
    d.agent(home, "receipt", "--out", to)
    return to


def begin_again(d, backup, version, *more):
    d.lose()
    r = d.restore(backup, *more)[0]
    need(r["descriptor"] == version, f"which version? {r}")
    d.start()
    d.console()
    return r


def no_alarm(d, homes, when):
    for h in homes:
        s = d.agent(h, "status")[-1]
        need(s["alarms"] == 0 and s["queued"] == 0, f"{when}: {h}: {s}")
        d.agent(h, "verify")


def story(d):
    d.begin()
    recs = {h: [d.record(h, f"{h} 前")] for h in ALL}
    d.sync_twice(*ALL)
    backup = d.backup("backup")
    for h in ALL:
        recs[h].append(d.record(h, f"{h} 后"))
        d.agent(h, "amend", recs[h][0], "outcome/text=无", "--reason", "笔误")
    d.sync_twice(*ALL)
    before = d.states()
    anchors = [receipt(d, h, f"{h}-r0") for h in ALL]

    # The first: h1 and h5 see it, and write in it.
    begin_again(d, backup, 2)
    recs["h1"].append(d.record("h1", "第一次恢复之后"))
    recs["h5"].append(d.record("h5", "第一次恢复之后"))
    d.sync_twice("h1", "h5")
    d.sync_twice("h1", "h5")
    first = descriptor(d, "h5", "first.json")
    anchors += [receipt(d, h, f"{h}-r1") for h in ("h1", "h5")]
    before.update({r: s for r, s in d.states().items() if r not in before})

    # Lost as well, and only the same backup is there.
    d.restore_refused(backup, first)
    begin_again(d, backup, 3, "--descriptor", first)
    recs["h2"].append(d.record("h2", "第二次恢复之后"))
    d.sync_twice("h1", "h2")
    d.sync_twice("h1", "h2")
    no_alarm(d, ("h1", "h2"), "the second")
    second = descriptor(d, "h2", "second.json")
    anchors += [receipt(d, h, f"{h}-r2") for h in ("h1", "h2")]
    before.update({r: s for r, s in d.states().items() if r not in before})

    # And once more: h1 saw both, h2 the second, h5 the first, h3 neither.
    begin_again(d, backup, 4, "--descriptor", second)
    d.sync_twice(*ALL)
    d.sync_twice(*ALL)
    d.sync_twice(*ALL)
    no_alarm(d, ALL, "the third")
    same_states(d, before, "after the third")
    for h, rec in (("h1", recs["h2"][-1]), ("h2", recs["h1"][-1]),
                   ("h3", recs["h5"][-1]), ("h5", recs["h3"][-1])):
        need(d.shown(h, rec) == before[rec], f"{h} shows {rec} otherwise")
    need(not [x for x in json.loads(d.api("/api/v1/alarms"))["alarms"]
              if x["sort"] in ("returned_false", "fork")], "false alarms")
    newest = [receipt(d, h, f"{h}-r3") for h in ALL]
    d.stop()
    audited(d, anchors, newest)
    exported(d, recs["h2"][-1])
    return backup


def audited(d, anchors, newest):
    args = []
    for a in anchors + newest:
        args += ["--anchor", a]
    a = json.loads(d.audit("store", d.court, "--key", d.vkey(), *args,
                           ok=(0,)).stdout)
    need(a["damage"] == 0, f"the audit says: {a['findings']}")
    text = json.dumps(a)
    need("not come back" not in text, f"something did not come back: {text}")


def exported(d, rec):
    """A bundle brings all three descriptors along, and proves itself."""
    out = d.dir / "bundle"
    d.admin("export", "--record", rec, "--out", out)
    a = json.loads(d.audit("bundle", out, "--key", d.vkey(),
                           ok=(1,)).stdout)
    need(a["damage"] == 0, f"the bundle: {a}")


def untold(d, backup):
    """What --descriptor is for: without it the root signs version 2 anew."""
    home = d.court
    d.court = d.dir / "untold"
    r = d.restore(backup)[0]
    need(r["descriptor"] == 2, str(r))
    d.start()
    d.agent("h5", "sync", ok=(0, 1))
    need(d.agent("h5", "status")[-1]["alarms"] > 0,
         "another version 2 was believed")
    d.server.kill()
    d.server.wait()
    d.server = None
    d.court = home


class Twice(World):
    def restore_refused(self, backup, first):
        """Nothing is made of what does not follow by the root key."""
        doc = json.loads(first.read_text())
        bad = self.dir / "bad.json"
        doc["files"][1] = doc["files"][1][:-8] + "AAAAAAA="
        bad.write_text(json.dumps(doc))
        home = self.court
        self.court = self.dir / "never"
        for args in (("--descriptor", bad), ("--descriptor", backup /
                                             "keys" / "ca.crt")):
            self.restore(backup, *args, ok=(1,))
        self.court = home


def main():
    d = Twice(sys.argv[1], True)
    try:
        backup = story(d)
        untold(d, backup)
        shutil.rmtree(d.dir)
        print("three restores from one backup: all came back, audited")
        return 0
    except court.Failed as e:
        print(f"failed: {e}\nkept: {d.dir}")
        return 1
    finally:
        if d.server is not None:
            d.server.kill()


if __name__ == "__main__":
    sys.exit(main())
