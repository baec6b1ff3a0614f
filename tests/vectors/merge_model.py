#!/usr/bin/env python3
"""The merge of docs/MERGE.md once more, in plain sets, to hold the C against.

Not part of the product and made to be read, not to be fast: what an entry
knows is a set of ids, every question is asked of all entries again.  It trusts
its input to be what tests/ made: which entries are malformed it is told.

    merge_model.py check FILE     recompute every case; exit 1 on a difference
"""
import hashlib
import json
import sys

# ---- canonical JSON (A3)

SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n",
         "\r": "\\r", "\t": "\\t"}


def canon(v):
    if v is None or isinstance(v, bool):
        return {None: "null", True: "true", False: "false"}[v]
    if isinstance(v, int):
        return str(v)
    if isinstance(v, str):
        return '"' + "".join(
            SHORT.get(c) or (c if c >= " " else f"\\u{ord(c):04x}")
            for c in v) + '"'
    if isinstance(v, (list, tuple)):
        return "[" + ",".join(map(canon, v)) + "]"
    names = sorted(v, key=lambda n: n.encode())
    return "{" + ",".join(canon(n) + ":" + canon(v[n]) for n in names) + "}"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


# ---- entries

RULINGS = ("hold", "admit")
NAMING = ("attach", "note", "approve", "release")
NO_ACT = ("open", "set", "add")
BARE, BLIND, WHOLE = range(3)


class Entry:
    def __init__(self, case):
        """case: id, bytes; bare (malformed or kept out), server."""
        self.id = case["id"]
        head, _, body = case["bytes"].partition("\n")
        self.head = json.loads(head)
        self.after = self.head["after"]
        self.order = (self.head["wall"], self.id)
        self.server = case.get("server", False)
        self.body = None
        if case.get("bare"):
            self.rank = BARE
        elif sha256(body) != self.head["body"] or case.get("blind"):
            self.rank = BLIND
        else:
            self.rank = WHOLE
            self.body = json.loads(body)
        self.do = None if self.rank == BARE else self.head["do"]

    def value(self, index):
        if self.body is None:
            return {"withheld": self.head["body"]}
        return self.body["data"][index]

    def fields(self):
        """(path, index) of what it writes."""
        on = self.head["on"]
        if self.do in ("open", "set", "amend"):
            return [(p, i) for i, p in enumerate(on)]
        if self.do == "add":
            return [(f"{self.item()}/{p}", i) for i, p in enumerate(on) if i]
        return []

    def item(self):
        return f"{self.head['on'][0]}/@{self.id}"

    def items(self):
        """(item or act, in or out)."""
        if self.do == "add":
            return [(self.item(), "in")]
        if self.do in ("drop", "keep"):
            way = {"drop": "out", "keep": "in"}[self.do]
            return [(p, way) for p in self.head["on"]]
        return []

    def touched(self):
        """C5."""
        out = set()
        above = [p for p, _ in self.fields() + self.items()]
        named = self.head["on"] if self.do in NAMING else []
        for path in above + named:
            steps = path.split("/")
            for n in range(1, len(steps) + 1):
                if steps[n - 1].startswith("@") and (
                        n < len(steps) or path in named):
                    out.add("/".join(steps[:n]))
        return out


def fullest(entries):
    have = {}
    for e in entries:
        old = have.get(e.id)
        server = e.server or (old is not None and old.server)
        if old is None or e.rank > old.rank:
            have[e.id] = e
        have[e.id].server = server
    return have


class Fold:
    """Any entries of one record, or those of them that `known` names."""

    def __init__(self, have, past=None, only=None):
        self.all = have
        self.past = past or {}
        if past is None:
            for i in have:
                self.past[i] = self.walk(i)
        self.have = {i: e for i, e in have.items() if only is None or i in only}
        self.order = self.sort()
        self.place = {i: n for n, i in enumerate(self.order)}
        self.counting = self.count()

    def walk(self, i):
        seen, todo = set(), list(self.all[i].after)
        while todo:
            a = todo.pop()
            if a in self.all and a not in seen:
                seen.add(a)
                todo += self.all[a].after
        return seen

    def sort(self):
        """C3."""
        left, out = dict(self.have), []
        while left:
            free = [e for e in left.values()
                    if not any(a in left for a in e.after)]
            e = min(free, key=lambda e: e.order)
            out.append(e.id)
            del left[e.id]
        return out

    def count(self):
        """C1: ids of the entries that count, in order."""
        fit = {i for i, e in self.have.items()
               if e.rank > BARE and (e.do not in RULINGS or e.server)}
        held = set()
        for i in self.order:
            e = self.have[i]
            if i in fit and e.do in RULINGS:
                named = {j for j in e.head["on"]
                         if j in self.have and self.have[j].do not in RULINGS}
                held = held | named if e.do == "hold" else held - named
        return [i for i in self.order if i in fit and i not in held]

    def entries(self):
        return [self.have[i] for i in self.counting]

    def knows(self, a, b):
        return b in self.past[a]

    def live(self, writes):
        """C4; writes: (id, what)."""
        out = [w for w in writes
               if not any(self.knows(o[0], w[0]) for o in writes)]
        return sorted(out, key=lambda w: -self.place[w[0]])

    def cells(self, of):
        """{path: live writes}."""
        out = {}
        for e in self.entries():
            for path, what in of(e):
                out.setdefault(path, []).append((e.id, what))
        return {p: self.live(w) for p, w in out.items()}

    def fields(self):
        return self.cells(Entry.fields)

    def status(self):
        return [list(w) for w in self.cells(
            lambda e: [("", e.head["on"][0])] if e.do == "advance" else []
        ).get("", [])]

    def links(self):
        cells = self.cells(
            lambda e: [tuple(e.head["on"])] if e.do == "link" else [])
        return {rec: [list(w) for w in live] for rec, live in cells.items()}

    def touchers(self):
        out = {}
        for e in self.entries():
            for item in e.touched():
                out.setdefault(item, set()).add(e.id)
        return out

    def standings(self):
        """C6: of every item or act that is written or touched."""
        cells, touchers, out = self.cells(Entry.items), self.touchers(), {}
        for item in set(cells) | set(touchers):
            live = cells.get(item, [])
            outs = [i for i, way in live if way == "out"]
            if not outs:
                out[item] = "in"
            elif len(outs) < len(live) or any(
                    t != o and not self.knows(t, o) and not self.knows(o, t)
                    for o in outs for t in touchers.get(item, ())):
                out[item] = "conflict"
            else:
                out[item] = "out"
        return out

    def numbers(self):
        """C7."""
        adds, out = {}, {}
        for e in self.entries():
            if e.do == "add":
                of = e.head["on"][0]
                adds[of] = out[e.item()] = adds.get(of, 0) + 1
        return out

    def skeleton(self, kind, parts):
        """C8."""
        def shown(path):
            return not path.startswith("@") and any(
                part in ("", path) or path.startswith(part + "/")
                for part in parts)
        return canon({
            "v": 1, "kind": kind, "parts": parts,
            "fields": {p: [list(w) for w in live]
                       for p, live in self.fields().items() if shown(p)},
            "items": {p: way for p, way in self.standings().items()
                      if shown(p)}})

    def known_to(self, i):
        return Fold(self.all, self.past, self.past[i])

    def sign(self, e):
        """C9."""
        if e.body is None:
            return "unknown"
        kind, parts = e.head["kind"], e.head["on"]
        shown = e.body["more"]["shown"]
        now = sha256(self.skeleton(kind, parts))
        before = [self.all[i] for i in self.past[e.id]] + [e]
        if any(a not in self.all for x in before for a in x.after):
            return "ok" if now == shown else "unknown"
        if sha256(self.known_to(e.id).skeleton(kind, parts)) != shown:
            return "mismatch"
        return "ok" if now == shown else "stale"

    def act(self, e, standings):
        act = {k: e.head[k] for k in ("do", "by", "at", "on")}
        act["is"] = standings.get("@" + e.id, "in")
        if e.body is None:
            act["withheld"] = e.head["body"]
        else:
            act.update(data=e.body["data"], more=e.body.get("more"),
                       reason=e.body.get("reason"))
        if e.do == "sign":
            act["sign"] = self.sign(e)
        if e.do == "advance":
            act["from"] = self.known_to(e.id).status()
        return act

    def state(self):
        entries, standings = self.entries(), self.standings()
        numbers = self.numbers()
        acts = {e.id: self.act(e, standings)
                for e in entries if e.do not in NO_ACT}
        return canon({
            "v": 1,
            "rec": next(iter(self.have.values())).head["rec"],
            "kind": sorted({e.head["kind"] for e in entries
                            if e.do not in RULINGS}),
            "fields": {p: [[i, self.have[i].value(n)] for i, n in live]
                       for p, live in self.fields().items()},
            "items": {p: {"n": numbers.get(p, 0), "is": way}
                      for p, way in standings.items()
                      if not p.startswith("@")},
            "status": self.status(),
            "links": self.links(),
            "acts": acts,
            "void": any(a["do"] == "void" and a["is"] != "out"
                        for a in acts.values()),
            "heads": sorted(i for i in self.counting if not any(
                self.knows(o, i) for o in self.counting)),
            "bare": sorted(set(self.have) - set(self.counting)),
            "blind": sorted(e.id for e in entries if e.body is None),
            "missing": sorted({a for e in self.have.values() for a in e.after
                               if a not in self.have}),
        })


def fold(cases):
    return Fold(fullest([Entry(c) for c in cases]))


def answers(case):
    """What a case must come to."""
    f = fold(case["entries"])
    out = {"order": f.order, "state": f.state()}
    if "skeletons" in case:
        out["skeletons"] = []
        for s in case["skeletons"]:
            over = f.known_to(s["of"]) if s.get("of") else f
            text = over.skeleton(s["kind"], s["parts"])
            out["skeletons"].append(dict(s, bytes=text, shown=sha256(text)))
    return out


def check(path):
    with open(path, encoding="utf-8") as f:
        cases = json.load(f)["cases"]
    bad = 0
    for case in cases:
        for name, want in answers(case).items():
            if name in case and case[name] != want:
                bad += 1
                print(f"{case['name']}: {name}\n  there {case[name]}"
                      f"\n  model {want}")
    print(f"{len(cases)} cases, {bad} differences")
    return 1 if bad or not cases else 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "check":
        sys.exit(__doc__)
    sys.exit(check(sys.argv[2]))
