#!/usr/bin/env python3
"""A court's morning, from an empty folder to a proved store.

Called by scripts/demo.sh once everything is built.  Makes a court in a
temporary folder, enrols four handhelds of two teams, runs a morning off line
on real records (tests/data), syncs, lists what the centre found, audits the
store and a bundle, then tampers with a copy and shows the audit failing.
"""
import argparse
import json
import shutil
import sqlite3
import sys
import time
from pathlib import Path

from court import DATA, Court, Failed

SEARCHES, EVICTIONS, SHARED = 2000, 500, 20


class Demo(Court):
    def morning(self):
        half = SEARCHES // 2
        self.say(f"h1: {half} searches, off line")
        self.bring_in("h1", "search", self.part_of("searches.csv", 0, half),
                      "searches")
        self.say(f"h3: {half} searches, off line")
        self.bring_in("h3", "search",
                      self.part_of("searches.csv", half, half), "searches")
        self.say(f"h2: {EVICTIONS} evictions, off line")
        again = self.part_of("enforcements.csv", 0, EVICTIONS)
        self.bring_in("h2", "eviction", again, "enforcements")
        r = self.agent("h2", "import", "eviction", again, "--map",
                       DATA / "maps" / "enforcements.json")[-1]
        if r["already"] != EVICTIONS or r["entries"] != 0:
            raise Failed(f"an import run again doubled something: {r}")
        self.say("h4: San Diego seizures as itemised inventories, off line")
        r = self.bring_in("h4", "seizure", DATA / "seizures_sandiego.csv",
                          "seizures_sandiego")
        self.records = SEARCHES + EVICTIONS + r["records"]
        self.say("all four sync")
        self.sync("h1", "h2", "h3", "h4", "h1", "h2", "h3", "h4")

    def two_on_one(self):
        """Two handhelds work on the same records, not knowing of each other."""
        recs = [r["rec"] for r in self.agent(
            "h1", "list", "--kind", "search", "--limit", SHARED)]
        self.say(f"h1 and h2 both write into {len(recs)} records, off line")
        for i, rec in enumerate(recs):
            self.agent("h1", "set", rec, f"target=现金 {i}")
            self.agent("h2", "amend", rec, f"target=手机 {i}",
                       "--reason", "现场核对后更正")
        self.say("corrections, a void, refusals to sign")
        own = [r["rec"] for r in self.agent(
            "h1", "list", "--kind", "search", "--limit", SHARED + 10)][SHARED:]
        for rec in own[:5]:
            self.agent("h1", "amend", rec, "outcome/text=未发现财产",
                       "--reason", "笔误")
        self.agent("h1", "void", own[5], "--reason", "误建")
        for rec in own[6:9]:
            self.refuse("h1", rec)
        self.record = recs[0]
        self.sync("h1", "h2", "h1", "h2")

    def refuse(self, home, rec):
        """Whoever was searched refuses to sign: a fact like any other."""
        self.agent(home, "sign", rec, "subject", "refused")

    # ---- proof

    def export(self):
        """One record for a stranger, one body withheld.

        The server goes on serving.  h1 then syncs, so that its receipt is
        later than the manifest, and the file is written again to reach it.
        """
        history = json.loads(self.api(
            f"/api/v1/records/{self.record}/history"))["entries"]
        hide = ([e for e in history if e["head"]["do"] == "set"] or
                history)[0]
        bundle = self.dir / "bundle"
        r = self.admin("export", "--record", self.record, "--out", bundle,
                       "--withhold", f"{hide['id']}:涉及第三人隐私")[-1]
        if r["entries"] != len(history) or r["withheld"] != 1:
            raise Failed(f"export: {r}, history has {len(history)}")
        self.agent("h1", "note", self.record, "已交案卷")
        self.sync("h1")
        self.summary = self.caught_up()
        receipt = self.dir / "receipt"
        self.agent("h1", "receipt", "--out", receipt)
        r = self.admin("export", "--manifest", r["manifest"], "--anchor",
                       receipt, "--out", bundle)[-1]
        self.say(f"record {self.record} exported: {r['entries']} entries, "
                 f"one body withheld, {r['bytes']} bytes")
        return bundle, receipt

    def audit_bundle(self, vkey, bundle, receipt):
        r = json.loads(self.audit("bundle", bundle, "--key", vkey, "--anchor",
                                  receipt, ok=(0,)).stdout)
        b = r["bundle"]
        if b["withheld"] != 1 or '{"withheld":' not in json.dumps(
                b["state"], separators=(",", ":")):
            raise Failed(f"the withheld body does not show: {b}")
        self.say(f"audit of the bundle: proved to {r['proved']} of "
                 f"{r['size']} places by {r['by'][0].split()[0]}; "
                 f"{b['count']} entries, {b['withheld']} withheld, "
                 f"{b['conflicts']} conflicts")

    def tamper_bundle(self, vkey, receipt):
        """Somebody changes one letter of what an officer wrote."""
        bundle = self.dir / "bundle"
        raw = bytearray(bundle.read_bytes())
        at = raw.index("现场核对后更正".encode())
        raw[at:at + 3] = "夜".encode()
        copy = self.dir / "bundle-tampered"
        copy.write_bytes(raw)
        r = json.loads(self.audit("bundle", copy, "--key", vkey, "--anchor",
                                  receipt, ok=(3,)).stdout)
        f = [x for x in r["findings"] if x["damage"]]
        if len(f) != 1 or f[0]["what"] != "changed" or "place" not in f[0]:
            raise Failed(f"the tampered bundle: {f}")
        self.say(f"one letter of it changed in a copy: place {f[0]['place']}: "
                 f"{f[0]['zh']}")

    def prove(self):
        vkey = self.admin("vkey")[0]["vkey"]
        bundle, receipt = self.export()
        self.stop()
        self.audit_bundle(vkey, bundle, receipt)
        r = self.audit("store", self.court, "--key", vkey, "--anchor",
                       receipt, ok=(0,))
        r = json.loads(r.stdout)
        self.say(f"audit of the store: proved to {r['proved']} of "
                 f"{r['size']} places by {r['by'][0].split()[0]}; "
                 f"{r['devices']} devices, {r['chains']} chains, "
                 f"{r['signatures']} signatures verified")
        return vkey, receipt

    def tamper(self, vkey, receipt):
        copy = self.dir / "copy"
        shutil.copytree(self.court, copy)
        db = sqlite3.connect(copy / "store.db")
        place, raw = db.execute(
            "SELECT place, bytes FROM entries WHERE CAST(bytes AS TEXT) LIKE '%search@%' "
            "ORDER BY place LIMIT 1 OFFSET 700").fetchone()
        raw = bytearray(raw)
        at = raw.index(b"\n") + 60
        raw[at] ^= 1
        db.execute("UPDATE entries SET bytes = ? WHERE place = ?",
                   (bytes(raw), place))
        db.commit()
        db.close()
        r = self.audit("store", copy, "--key", vkey, "--anchor", receipt,
                       ok=(3,))
        f = [x for x in json.loads(r.stdout)["findings"] if x["damage"]]
        if len(f) != 1 or f[0].get("place") != place:
            raise Failed(f"the audit failed but did not name the place: {f}")
        self.say(f"one byte of place {place} of the store changed in a copy: "
                 f"place {f[0]['place']}: {f[0]['zh']}")


def run(d, as_json):
    began = time.monotonic()
    d.say(f"a court in {d.dir}")
    d.make_court()
    d.start()
    d.token = d.admin("token", "--role", "supervisor")[0]["token"]
    d.say("four handhelds of two teams join")
    d.enrol("h1", "p001", "张伟", "judge", "甲")
    d.enrol("h2", "p002", "李娜", "clerk", "甲")
    d.enrol("h3", "p003", "王强", "judge", "乙")
    d.enrol("h4", "p004", "刘洋", "police", "乙")
    d.morning()
    d.two_on_one()
    d.caught_up()
    d.say("conflicts, as the centre lists them:")
    page = json.loads(d.api("/api/v1/records?conflicts=1&limit=5"))
    for r in page["records"][:3]:
        d.say(f"   {r['rec']}  {r['conflicts']}  {r['label']}")
    d.say("findings, the gravest first:")
    for f in json.loads(d.api("/api/v1/findings?limit=3"))["findings"]:
        d.say(f"   {f['finding']['severity']}: {f['finding']['zh']}")
    d.same_bytes()
    d.say("handheld and centre show the same bytes")
    vkey, receipt = d.prove()
    d.tamper_bundle(vkey, receipt)
    d.tamper(vkey, receipt)
    s = d.summary
    out = {"entries_in": d.sent, "entries_merged": s["entries"],
           "records": s["records"], "conflicts": s["conflicts"],
           "findings": s["findings"], "bytes_up": d.bytes_up,
           "seconds": round(time.monotonic() - began, 1), "audit": "ok",
           "tampered_audit": "failed"}
    want = {"records": d.records, "entries_merged": d.sent}
    for k, v in want.items():
        if out[k] != v:
            raise Failed(f"{k} is {out[k]}, must be {v}")
    if out["conflicts"] < SHARED or out["findings"] == 0:
        raise Failed(f"too few conflicts or findings: {out}")
    if as_json:
        print(json.dumps(out, separators=(",", ":")))
    else:
        print()
        for k, v in out.items():
            print(f"  {k:16} {v}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True)
    p.add_argument("--json", action="store_true")
    p.add_argument("--keep", action="store_true")
    a = p.parse_args()
    d = Demo(a.bin, False)
    code = 0
    try:
        run(d, a.json)
    except Failed as e:
        print(f"demo failed: {e}", file=sys.stderr)
        code = 1
    finally:
        if d.server is not None:
            d.server.kill()
        if not a.keep and code == 0:
            shutil.rmtree(d.dir)
        else:
            print(f"kept: {d.dir}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
