#!/usr/bin/env python3
"""Golden vectors of docs/MERGE.md: entries of small records, and their state.

Written from MERGE.md alone and sharing nothing with the C.  Python 3.9 or later,
standard library only.

    make_merge_vectors.py           write merge-v1.json beside this file
    make_merge_vectors.py --check   compare that file with what would be written
"""
import hashlib
import json
import pathlib
import struct
import sys

import merge_model as model

FILE = pathlib.Path(__file__).with_name("merge-v1.json")
REC = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8001"
KIND = "search@2"
ORDER = ("v court chain seq rec kind do on by at wall mono boot after seen dev "
         "old body").split()


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def draw(*parts):
    """16 bytes as hex, from words: the same at every run."""
    return sha(repr(parts).encode())[:16].hex()


def text(v):
    return json.dumps(v, ensure_ascii=False, separators=(",", ":"))


class Chain:
    """A device that writes entries of one record."""

    def __init__(self, name, skew=0):
        self.name, self.skew, self.seq = name, skew, 0
        self.chain = draw("chain", name)
        self.link = sha(b"daybreak-chain/1\0", sha(b"court"),
                        sha(name.encode()), bytes.fromhex(self.chain))

    def write(self, t, do, on, data=None, after=(), reason=None, more=None,
              head=None, raw_head=None, raw_body=None):
        """An entry as a case holds it.  head: members changed; raw_*: lines
        changed by a function, before digest and id are taken of them."""
        self.seq += 1
        body = {"salt": draw("salt", self.name, self.seq),
                "data": data if data is not None else [None] * len(on)}
        if reason is not None:
            body["reason"] = reason
        if more is not None:
            body["more"] = more
        body = text(body)
        if raw_body:
            body = raw_body(body)
        members = {
            "v": 1, "court": "xz0302", "chain": self.chain, "seq": self.seq,
            "rec": REC, "kind": KIND, "do": do, "on": list(on),
            "by": self.name, "at": f"2025-04-01T05:{t // 60:02d}:{t % 60:02d}"
            "+08:00", "wall": 1743454800000 + 1000 * t + self.skew,
            "mono": 1000 * t, "boot": draw("boot", self.name),
            "after": sorted(e["id"] for e in after),
            "body": sha(body.encode()).hex()}
        if self.seq == 1:
            members["dev"] = "a" * 26
        members.update(head or {})
        line = text({k: members[k] for k in ORDER if k in members})
        if raw_head:
            line = raw_head(line)
        self.link = sha(b"\2", self.link, struct.pack(">Q", self.seq),
                        sha(line.encode()))
        return {"id": self.link[:16].hex(), "bytes": line + "\n" + body}


def item(e, where="items"):
    return f"{where}/@{e['id']}"


def act(e):
    return "@" + e["id"]


def blind(e):
    return dict(e, bytes=e["bytes"].split("\n")[0])


def bare(e):
    return dict(e, bare=True)


def server(e):
    return dict(e, server=True)


def shown(entries, parts, kind=KIND):
    return model.sha256(model.fold(entries).skeleton(kind, parts))


def signed(entries, parts):
    return {"shown": shown(entries, parts), "how": "signed"}


CASES = []


def case(name, entries, skeletons=()):
    out = {"name": name, "entries": list(entries)}
    if skeletons:
        out["skeletons"] = [dict(zip(("kind", "parts", "of"), s))
                            for s in skeletons]
    out.update(model.answers(out))
    CASES.append(out)
    return json.loads(out["state"])


def fields():
    a, b, c = Chain("a"), Chain("b", -90000), Chain("c", 5)
    o = a.write(0, "open", ["ground", "warrant/no"], ["一", None])
    x = a.write(1, "set", ["ground"], ["二"], [o])
    y = b.write(2, "set", ["ground", "found"], ["二", 3], [o])
    z = c.write(2, "set", ["ground"], [False], [o])
    case("open alone", [o])
    case("equal values of two are kept apart, a third beside them",
         [o, x, y, z])
    am = a.write(4, "amend", ["ground"], ["三"], [x], reason="误记")
    s = case("an amend settles only what it knew", [o, x, y, z, am])
    assert [v for _, v in s["fields"]["ground"]] == ["三", False, "二"]
    end = b.write(5, "amend", ["ground"], ["末"], [am, y, z], reason="核")
    late = c.write(1, "set", ["ground"], ["迟"], [z])
    case("settled", [o, x, y, z, am, end])
    case("a late one opens it again", [o, x, y, z, am, end, late])
    case("withheld bodies", [o, blind(x), y, z, blind(am), end, blind(late)])
    case("all bodies withheld", map(blind, [o, x, y, z, am, end, late]))
    case("copies: the fuller counts",
         [blind(o), bare(x), o, x, blind(x), y, bare(y), y, bare(z), am])
    case("one is missing", [o, y, z, am, end])
    case("only the last", [end])
    return [o, x, y, z, am]


def items():
    a, b = Chain("a"), Chain("b", 400)
    o = a.write(0, "open", [])
    car = a.write(1, "add", ["items", "name", "value"], [None, "车", 3], [o])
    watch = a.write(2, "add", ["items", "name"], [None, "表"], [car])
    inner = a.write(3, "add", [item(car) + "/renewals", "until"],
                    [None, "2026"], [watch])
    ren = item(inner, item(car) + "/renewals")
    early = b.write(0, "add", ["items"], None, [o],
                    head={"wall": 1743454791000})
    person = b.write(4, "add", ["persons", "name"], [None, "李四"], [o])
    base = [o, car, watch, inner, early, person]
    sk = [(KIND, [p], None) for p in ("", "items", item(car), ren, "persons",
                                      "item", "items/name", item(watch))]
    sk += [(KIND, ["persons", item(car), "items"], None),
           ("seizure@7", [item(watch) + "/name", ""], None),
           (KIND, ["items"], watch["id"]), (KIND, [""], o["id"])]
    case("numbers, nested items", base, sk)
    drop = a.write(5, "drop", [item(car)], None, [inner], reason="重复")
    case("struck out", base + [drop], sk)
    for name, e in (
            ("a set below", b.write(6, "set", [ren + "/until"], ["2027"],
                                    [inner])),
            ("an add inside", b.write(6, "add", [item(car) + "/renewals"],
                                      None, [inner])),
            ("a drop inside", b.write(6, "drop", [ren], None, [inner],
                                      reason="误")),
            ("a photo", b.write(6, "attach", [item(car)], ["0" * 64], [inner],
                                more={"size": 1, "type": "image/jpeg"})),
            ("a note on a field of it", b.write(
                6, "note", [item(car) + "/value"], ["见"], [inner])),
            ("an approval", b.write(6, "approve", [item(car)], [True],
                                    [inner], more={"number": "1"})),
            ("a release", b.write(6, "release", [item(watch), item(car)],
                                  None, [inner])),
            ("a keep", b.write(6, "keep", [item(car)], None, [inner],
                               reason="在"))):
        s = case("struck out beside " + name, base + [drop, e])
        assert s["items"][item(car)]["is"] == "conflict", name
    sign = b.write(7, "sign", [item(car)], None, [inner],
                   more=signed(base[:4], [item(car)]))
    step = b.write(8, "advance", ["closed"], None, [inner])
    s = case("a sign and a step touch nothing", base + [drop, sign, step])
    assert s["items"][item(car)]["is"] == "out"
    note = b.write(9, "note", [item(car)], ["见"], [drop])
    keep = b.write(10, "keep", [item(car)], None, [note], reason="误删")
    case("one who knew leaves it out", base + [drop, note])
    case("keep revives", base + [drop, note, keep])
    two = b.write(11, "drop", [item(car), item(watch)], None, [inner],
                  reason="重复")
    case("two struck it out", base + [drop, two])
    case("struck out, `add` missing", [o, watch, drop, two, early])
    case("struck out, `add` bare", [o, bare(car), watch, drop, inner, early])
    case("struck out, `add` blind", [o, blind(car), watch, drop, inner])


def acts():
    a, b = Chain("a"), Chain("b")
    o = a.write(0, "open", ["ground"], ["一"])
    v = a.write(1, "void", [""], None, [o], reason="误建")
    undo = a.write(2, "drop", [act(v)], None, [v], reason="误点")
    note = b.write(3, "note", [act(v)], ["见"], [v])
    again = b.write(4, "keep", [act(v)], None, [undo, note], reason="真")
    assert case("void", [o, v])["void"]
    assert not case("void undone", [o, v, undo])["void"]
    s = case("void undone beside a note on it", [o, v, undo, note])
    assert s["void"] and s["acts"][v["id"]]["is"] == "conflict"
    assert case("void again", [o, v, undo, note, again])["void"]
    odd = b.write(
        5, "print", [""], None, [again],
        more={"form": "search-form@3", "\uff5e": 1, "\U0001f600": [{"b": 1,
              "a": [None, True]}], "a\nb": "\u007f\\/\"\t\x01", "": {}})
    li = b.write(6, "link", [OTHER, "same_as"], None, [o], reason="同一案")
    lj = a.write(7, "link", [OTHER, "none"], None, [undo])
    lk = a.write(8, "link", [OTHER[:-1] + "2", "led_to"], None, [lj])
    s1 = a.write(9, "advance", ["signed"], None, [o])
    s2 = b.write(9, "advance", ["closed"], None, [o])
    s3 = a.write(10, "advance", ["closed"], None, [s1, s2])
    case("canonical `more`", [o, v, undo, note, again, odd])
    case("links", [o, v, undo, li, lj, lk])
    case("steps beside each other", [o, s1, s2])
    case("a step from two", [o, s1, s2, s3])
    case("a blind step", [o, s1, s2, blind(s3)])
    kind = b.write(11, "set", ["ground"], [1], [o], head={"kind": "compel@1"})
    case("two kinds", [o, kind, s1])
    case("no `open`", [s1, li])


def signs():
    a, b = Chain("a"), Chain("b")
    o = a.write(0, "open", ["ground", "place"], ["一", "西镇"])
    car = a.write(1, "add", ["items", "name"], [None, "车"], [o])
    base = [o, car]

    def sign(t, parts, more=None, after=(car,)):
        return a.write(t, "sign", parts, None, after,
                       more=more or signed(base, parts))
    ok, stale = sign(2, ["place"]), sign(3, ["ground"])
    whole, parts = sign(4, [""]), sign(5, ["place", item(car)])
    order = sign(6, [item(car), "place"])
    wrong = sign(7, ["place"], {"shown": "0" * 64, "how": "refused"})
    signs_ = [ok, stale, whole, parts, order, wrong]
    same = b.write(8, "set", ["ground"], ["一"], [car])
    touch = b.write(9, "note", [item(car)], ["见"], [car])
    drop = b.write(10, "drop", [item(car)], None, [car], reason="重复")
    late = b.write(11, "set", ["place"], ["东镇"], [o, wrong])
    s = case("signed", base + signs_)
    assert [s["acts"][x["id"]]["sign"] for x in signs_] == \
        ["ok"] * 5 + ["mismatch"]
    s = case("an equal value makes it stale", base + signs_ + [same])
    assert [s["acts"][x["id"]]["sign"] for x in signs_] == \
        ["ok", "stale", "stale", "ok", "ok", "mismatch"]
    case("a touch alone changes nothing", base + signs_ + [touch])
    case("struck out later", base + signs_ + [touch, drop])
    s = case("written again later", base + signs_ + [late],
             [(KIND, p, x["id"]) for p in (["place"], [""], ["items"])
              for x in (ok, late)])
    assert [s["acts"][x["id"]]["sign"] for x in signs_] == \
        ["stale", "ok", "stale", "stale", "stale", "mismatch"]
    case("blind", [blind(x) for x in base + signs_])
    s = case("what it knows is missing", [o] + signs_)
    assert s["acts"][ok["id"]]["sign"] == "ok"
    assert s["acts"][whole["id"]]["sign"] == "unknown"
    early = sign(12, ["found"], after=())
    found = b.write(13, "set", ["found"], ["金"], [early])
    case("signed what was empty", base + [early])
    case("signed what was empty, then filled", base + [early, found])


def holds():
    a, b, s, t = Chain("a"), Chain("b"), Chain("server"), Chain("thief")
    o = a.write(0, "open", ["ground"], ["一"])
    x = b.write(1, "set", ["ground"], ["二"], [o])
    y = b.write(2, "add", ["items", "name"], [None, "金"], [x])
    z = a.write(3, "set", ["ground"], ["三"], [x])
    w = a.write(4, "add", ["items"], None, [y, z])
    base = [o, x, y, z, w]
    h = server(s.write(5, "hold", [x["id"], y["id"]], reason="查"))
    more = server(s.write(6, "hold", [w["id"], h["id"]], after=[h]))
    ad = server(s.write(7, "admit", [y["id"], x["id"]], after=[h],
                        reason="清"))
    back = server(s.write(8, "hold", [y["id"]], after=[ad], reason="又"))
    beside = server(s.write(7, "hold", [y["id"]], after=[h]))
    case("before a hold", base)
    st = case("held", base + [h], [(KIND, [""], None), (KIND, [""], w["id"])])
    assert st["bare"] == sorted([x["id"], y["id"]])
    case("a further hold; a hold cannot be held", base + [h, more])
    st = case("admitted", base + [h, ad])
    assert st["bare"] == []
    case("held again", base + [h, ad, back])
    case("the later of two counts", base + [h, ad, beside])
    case("held before it came", [o, z, h])
    case("held by nobody", base + [dict(h, server=False)])
    case("said of one copy", base + [dict(h, server=False), h])
    case("a blind hold holds", base + [blind(h)])
    kind = server(s.write(9, "hold", ["0" * 32], after=[back, beside],
                          head={"kind": "case@1"}))
    case("a hold states no kind", base + [h, ad, back, beside, kind])
    th = t.write(5, "hold", [o["id"]], reason="坏")
    case("a device's hold is bare", base + [th])
    sign = a.write(9, "sign", [""], None, [w],
                   more=signed(base, [""]))
    knew = a.write(10, "sign", [""], None, [w, h],
                   more=signed(base + [h], [""]))
    step = a.write(11, "advance", ["closed"], None, [knew])
    st = case("signed before a hold, and knowing of it",
              base + [h, sign, knew, step])
    assert st["acts"][sign["id"]]["sign"] == "stale"
    assert st["acts"][knew["id"]]["sign"] == "ok"
    st = case("signed before an admit, and knowing of the hold",
              base + [h, sign, knew, step, ad])
    assert st["acts"][sign["id"]]["sign"] == "ok"
    assert st["acts"][knew["id"]]["sign"] == "stale"
    case("all held", [o, server(s.write(12, "hold", [o["id"]]))])


def bytes_():
    """What the bytes may be: spelled in another way, wrong, half."""
    a, b = Chain("a"), Chain("b")
    o = a.write(0, "open", ["ground"], ["一"],
                raw_head=lambda s: s.replace("ground", "gr\\u006fund"))
    p = b.write(1, "set", ["ground", "warrant/no"], ["\u0000x", 1], [o],
                head={"by": "张\"三\\"},
                raw_body=lambda s: s.replace("\\u0000x", "\\u4e8c\\n\\u000b"
                                             "\\/\\ud83d\\ude00"),
                raw_head=lambda s: s.replace("warrant/no", "warrant\\/no"))
    n = b.write(2, "note", [""], ["\t\"\\"], [p], reason="因\u007f")
    case("spelled in another way", [o, p, n])
    f = b.write(3, "set", ["found"], ["金"], [n])
    wrong = dict(f, bytes=f["bytes"].replace("金", "银"))
    case("a wrong body is blind", [o, p, n, wrong])
    case("a wrong body, and the right one", [o, wrong, p, f, n])
    rule = b.write(4, "drop", [act(n)], None, [n])
    case("a body against a rule is blind", [o, p, n, dict(rule, blind=True)])
    bad = b.write(5, "set", ["Found"], ["金"], [n])
    verb = b.write(6, "steal", ["found"], ["金"], [bad])
    new = b.write(7, "set", ["found"], ["金"], [verb], head={"v": 2})
    good = b.write(8, "set", ["found"], ["银"], [new])
    case("malformed heads carry causality", [
        o, p, n, f, bare(bad), bare(verb), bare(new), good])
    case("malformed heads only", [bare(bad), bare(verb)])
    case("a field under an act's name of no item", [o, b.write(
        9, "set", ["items/@" + "f" * 32 + "/name"], ["?"], [o]),
        b.write(10, "keep", ["items/@" + "e" * 32, "@" + "d" * 32], None, [o],
                reason="?")])


def worked():
    """The worked example of docs/MERGE.md: two handhelds, off line."""
    a, b = Chain("a"), Chain("b")
    o = a.write(0, "open", ["ground"], ["隐匿财产"])
    car = a.write(1, "add", ["items", "name"], [None, "车"], [o])
    # Both have seen this much; from here on neither sees the other.
    sign = a.write(2, "sign", ["ground"], None, [car],
                   more=signed([o, car], ["ground"]))
    drop = a.write(3, "drop", [item(car)], None, [sign], reason="重复")
    photo = b.write(3, "attach", [item(car)], ["0" * 64], [car],
                    more={"size": 1, "type": "image/jpeg"})
    ground = b.write(4, "set", ["ground"], ["账簿"], [photo])
    step = a.write(5, "advance", ["signed"], None, [drop])
    six = [o, car, sign, drop, photo, ground, step]
    case("worked example", six)
    end = a.write(9, "keep", [item(car)], None, [ground, step], reason="在")
    case("worked example, settled", six + [end])


def written():
    CASES.clear()
    for make in (fields, items, acts, signs, holds, bytes_, worked):
        make()
    assert len({c["name"] for c in CASES}) == len(CASES)
    return json.dumps({
        "note": "entries of one record, their order and state (docs/MERGE.md)."
        " bare: malformed, or kept out by the caller; server: from a server's"
        " chain; blind: told to the model only. Made by make_merge_vectors.py",
        "cases": CASES}, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if FILE.read_text(encoding="utf-8") == written() else
                 f"{FILE.name} is not what {pathlib.Path(__file__).name} "
                 "writes")
    if sys.argv[1:]:
        sys.exit(__doc__)
    FILE.write_text(written(), encoding="utf-8")
