#!/usr/bin/env python3
"""Golden vectors of docs/FORMAT.md: JSON, entries, verbs, chains, times.

Written from FORMAT.md alone and sharing nothing with the C, so that the two check
each other.  Python 3.9 or later, standard library only.

    make_entry_vectors.py           write entry-rules-v1.json beside this file
    make_entry_vectors.py --check   compare that file with what would be written
    make_entry_vectors.py --random COUNT SEED
                                    more generated cases, for test_entry_vectors FILE
"""
import base64
import calendar
import hashlib
import json
import pathlib
import random
import re
import struct
import sys

FILE = pathlib.Path(__file__).with_name("entry-rules-v1.json")
ENTRY_MAX, ON_MAX, AFTER_MAX, DEPTH_MAX, INT_MAX = 65536, 4096, 1024, 16, 2 ** 53 - 1


def sha(data):
    return hashlib.sha256(data).digest()


# ---------------------------------------------------------------- Ed25519 (RFC 8032 section 5.1)

P, L = 2 ** 255 - 19, 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def point_add(a, b):
    """Sum of two points in extended coordinates (X, Y, Z, T)."""
    u, v = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    w, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = v - u, z - w, z + w, v + u
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_mul(k, point):
    out = (0, 1, 1, 0)
    while k:
        if k & 1:
            out = point_add(out, point)
        point, k = point_add(point, point), k >> 1
    return out


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    return x, y, 1, x * y % P


BASE = base_point()


def point_bytes(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def scalar(data):
    return int.from_bytes(data, "little")


class Key:
    def __init__(self, seed):
        h = hashlib.sha512(seed).digest()
        self.seed, self.prefix = seed, h[32:]
        self.a = scalar(h[:32]) & (1 << 254) - 8 | 1 << 254
        self.public = point_bytes(point_mul(self.a, BASE))

    def sign(self, message):
        r = scalar(hashlib.sha512(self.prefix + message).digest()) % L
        big_r = point_bytes(point_mul(r, BASE))
        k = scalar(hashlib.sha512(big_r + self.public + message).digest()) % L
        return big_r + ((r + k * self.a) % L).to_bytes(32, "little")


# ---------------------------------------------------------------- JSON

class Bad(ValueError):
    pass


STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)


def pairs(items):
    if len({k for k, _ in items}) != len(items):
        raise Bad("duplicate name")
    return dict(items)


def whole(text):
    if text == "-0" or abs(int(text[:40])) > INT_MAX or len(text) > 17:
        raise Bad("integer")
    return int(text)


def no(text):
    raise Bad(text)


def check_strings(value):
    todo = [(value, 1)]
    while todo:
        v, depth = todo.pop()
        if isinstance(v, (dict, list)):
            if depth > DEPTH_MAX:
                raise Bad("too deep")
            inner = list(v) + list(v.values()) if isinstance(v, dict) else v
            todo += [(x, depth + 1) for x in inner]
        elif isinstance(v, str):
            for c in map(ord, v):
                if c == 0 or 0xd800 <= c < 0xe000 or 0xfdd0 <= c <= 0xfdef or c & 0xfffe == 0xfffe:
                    raise Bad("character")


def parse_json(data, line):
    """The value of these bytes; raises Bad."""
    try:
        text = data.decode("utf-8")
        if line and (any(c < 0x20 for c in data) or text[:1] != "{"
                     or " " in STRING.sub("", text)):
            raise Bad("not a line")
        if not line:
            if any(c < " " for s in STRING.findall(text) for c in s) or text[:1] == "\ufeff":
                raise Bad("control byte")
            if set(STRING.sub("", text)) & set("\v\f\u00a0\u2028"):
                raise Bad("white space")
        value = json.loads(text, object_pairs_hook=pairs, parse_int=whole, parse_float=no, parse_constant=no)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as e:
        raise Bad(str(e)) from None
    check_strings(value)
    return value


SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quote(s):
    return '"' + "".join(SHORT.get(c, c) if c >= " " or c in SHORT else "\\u%04x" % ord(c) for c in s) + '"'


def text_of(v, ordered):
    """JSON text of a value, members as they come or sorted by their UTF-8 bytes."""
    if isinstance(v, str):
        return quote(v)
    if isinstance(v, dict):
        names = list(v) if ordered else sorted(v, key=lambda s: s.encode())
        return "{" + ",".join(quote(n) + ":" + text_of(v[n], ordered) for n in names) + "}"
    if isinstance(v, (list, tuple)):
        return "[" + ",".join(text_of(x, ordered) for x in v) + "]"
    return {None: "null", True: "true", False: "false"}[v] if v is None or isinstance(v, bool) else str(v)


# ---------------------------------------------------------------- entries

WORD = "[a-z][a-z0-9_]{0,39}"
HEX32, HEX64 = "[0-9a-f]{32}", "[0-9a-f]{64}"
NAMES = f"{WORD}(?:/{WORD})*"
ITEM = f"{NAMES}/@{HEX32}(?:/{NAMES}/@{HEX32})*"
FIELD = f"(?:{ITEM}/)?{NAMES}"
ACT = f"@{HEX32}"
REC = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
AT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,3}))?"
                r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))")


def fits(pattern, v):
    return isinstance(v, str) and re.fullmatch(pattern, v) is not None


def path(pattern):
    return lambda v: isinstance(v, str) and len(v) <= 255 and fits(pattern, v)


is_field, is_relative = path(FIELD), path(NAMES)
is_struck = path(f"{ITEM}|{ACT}")
is_part = path(f"|{FIELD}|{ITEM}")
is_target = path(f"|{FIELD}|{ITEM}|{ACT}")


def is_thing(v):
    return v != "" and is_target(v)


def is_int(v):
    return isinstance(v, int) and not isinstance(v, bool) and v >= 0


def is_text(v):
    return isinstance(v, str) and v != ""


def is_null(v):
    return v is None


def is_scalar(v):
    return not isinstance(v, (list, dict))


def is_bool(v):
    return isinstance(v, bool)


def is_hash(v):
    return fits(HEX64, v)


def is_id(v):
    return fits(HEX32, v)


def at_ms(v):
    """(milliseconds, offset in minutes), or None."""
    m = AT.fullmatch(v) if isinstance(v, str) else None
    if not m:
        return None
    year, month, day, hour, minute, second = map(int, m.group(1, 2, 3, 4, 5, 6))
    if year < 1 or not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        return None
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    offset = 0
    if m[8]:
        if int(m[9]) > 23 or int(m[10]) > 59:
            return None
        offset = (int(m[9]) * 60 + int(m[10])) * (-1 if m[8] == "-" else 1)
    # datetime cannot hold an offset that leads out of its years: count by hand.
    days = sum(366 if calendar.isleap(y) else 365 for y in range(1, year)) if year < 1970 else 0
    if year >= 1970:
        days = calendar.timegm((year, month, day, 0, 0, 0)) // 86400
    else:
        days += sum(calendar.monthrange(year, k)[1] for k in range(1, month)) + day - 1 - 719162
    ms = ((days * 24 + hour) * 60 + minute - offset) * 60000 + second * 1000
    return ms + int((m[7] or "0").ljust(3, "0")), offset


def is_base32(v):
    if not fits("[a-z2-7]{26}", v):
        return False
    raw = base64.b32decode(v.upper() + "=" * 6)
    return base64.b32encode(raw).decode().lower().rstrip("=") == v


def is_after(v):
    return isinstance(v, list) and len(v) <= AFTER_MAX and all(map(is_id, v)) and v == sorted(set(v))


def is_tuple(v, *tests):
    return isinstance(v, list) and len(v) == len(tests) and all(t(x) for t, x in zip(tests, v))


MUST = {
    "v": lambda v: is_int(v) and v == 1, "court": is_text, "chain": is_id,
    "seq": lambda v: is_int(v) and v >= 1, "rec": lambda v: fits(REC, v),
    "kind": lambda v: fits(f"{WORD}@[1-9][0-9]{{0,5}}", v),
    "do": lambda v: isinstance(v, str) and v in VERBS,
    "on": lambda v: isinstance(v, list) and len(v) <= ON_MAX and all(isinstance(x, str) for x in v),
    "by": is_text, "at": lambda v: at_ms(v) is not None, "wall": is_int, "mono": is_int,
    "boot": is_id, "after": is_after, "body": is_hash,
}
MAY = {
    "seen": lambda v: is_tuple(v, is_int, is_id), "dev": is_base32,
    "old": lambda v: is_tuple(v, is_id, is_int, is_hash),
}


class Verb:
    """Tests of the names and of the values; `first`: those of the first ones."""

    def __init__(self, least, most, rest, value, first=(), first_value=None, reason=False):
        self.least, self.most, self.rest, self.first = least, most, rest, first
        self.value, self.first_value, self.reason = value, first_value or value, reason

    def on_ok(self, on):
        tests = list(self.first) + [self.rest] * len(on)
        return self.least <= len(on) <= self.most and all(t(x) for t, x in zip(tests, on))

    def data_ok(self, data):
        return all((self.value if i else self.first_value)(x) for i, x in enumerate(data))


ANY = ON_MAX
VERBS = {
    "open": Verb(0, ANY, is_field, is_scalar),
    "set": Verb(1, ANY, is_field, is_scalar),
    "amend": Verb(1, ANY, is_field, is_scalar, reason=True),
    "add": Verb(1, ANY, is_relative, is_scalar, first=(is_field,), first_value=is_null),
    "drop": Verb(1, ANY, is_struck, is_null, reason=True),
    "keep": Verb(1, ANY, is_struck, is_null, reason=True),
    "advance": Verb(1, 1, lambda v: fits(WORD, v), is_null),
    "link": Verb(2, 2, lambda v: fits(WORD, v), is_null, first=(lambda v: fits(REC, v),)),
    "sign": Verb(1, ANY, is_part, is_null),
    "attach": Verb(1, 1, is_target, is_hash),
    "note": Verb(1, 1, is_target, is_text),
    "approve": Verb(1, 1, is_thing, is_bool),
    "release": Verb(1, ANY, is_part, is_null),
    "void": Verb(1, 1, lambda v: v == "", is_null, reason=True),
    "print": Verb(1, 1, lambda v: v == "", is_null),
    "hold": Verb(1, ANY, is_id, is_null),
    "admit": Verb(1, ANY, is_id, is_null),
}
HOWS = ("signed", "fingerprint", "refused", "cannot", "left")


def head_ok(h):
    tests = dict(MUST, **MAY)
    if any(n not in tests for n in h) or any(n not in h for n in MUST):
        return False
    if not all(tests[n](v) for n, v in h.items()):
        return False
    if (h["seq"] == 1) != ("dev" in h) or ("old" in h and h["seq"] != 1):
        return False
    on, add = h["on"], h["do"] == "add"
    if not VERBS[h["do"]].on_ok(on):
        return False
    if len(set(on[add:])) != len(on[add:]):
        return False
    return not add or all(len(on[0]) + 34 + n <= 255 for n in [0] + [1 + len(x) for x in on[1:]])


def body_ok(h, line):
    try:
        b = parse_json(line, True)
    except Bad:
        return False
    verb = VERBS[h["do"]]
    if set(b) - {"salt", "data", "reason", "more"} or not is_id(b.get("salt")):
        return False
    if not isinstance(b.get("data"), list) or len(b["data"]) != len(h["on"]) or not verb.data_ok(b["data"]):
        return False
    if "reason" in b and not is_text(b["reason"]) or "more" in b and not isinstance(b["more"], dict):
        return False
    if verb.reason and "reason" not in b:
        return False
    more = b.get("more", {})
    return h["do"] != "sign" or is_hash(more.get("shown")) and more.get("how") in HOWS


def judge(raw):
    """Verdict on an entry's bytes, and what a reader tells of it."""
    head, lf, body = raw.partition(b"\n")
    told = {"verdict": "malformed"}
    try:
        h = parse_json(head, True)
    except Bad:
        return told
    if len(head) > ENTRY_MAX - 1:
        return told
    for name in ("chain", "seq", "rec", "wall", "after"):
        if name in h and MUST[name](h[name]):
            told[name] = h[name]
    if not head_ok(h):
        return told
    ok = lf and len(raw) <= ENTRY_MAX and sha(body).hex() == h["body"] and body_ok(h, body)
    return dict(told, verdict="whole" if ok else "blind", do=h["do"], on=h["on"])


def entry(head, body):
    """Bytes of an entry, members as they come; the body's digest filled in where it says None."""
    line = text_of(body, True).encode()
    head = {k: sha(line).hex() if k == "body" and v is None else v for k, v in head.items()}
    return text_of(head, True).encode() + b"\n" + line


# ---------------------------------------------------------------- golden chains

COURT = sha(b"a court")
RECORD = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8051"


def link0(public, chain):
    return sha(b"daybreak-chain/1\0" + COURT + public + chain)


def link_next(link, seq, digest):
    return sha(b"\x02" + link + struct.pack(">Q", seq) + digest)


class Chain:
    def __init__(self, name):
        self.name, self.key = name, Key(sha(name.encode()))
        self.chain, self.boot = sha(b"chain " + name.encode())[:16], sha(b"boot " + name.encode())[:16]
        self.dev = base64.b32encode(sha(self.key.public)[:16]).decode().lower().rstrip("=")
        self.link, self.seq, self.out = link0(self.key.public, self.chain), 0, []

    def write(self, do, on, data, after, reason=None, more=None, **extra):
        self.seq += 1
        head = {
            "v": 1, "court": "xz0302", "chain": self.chain.hex(), "seq": self.seq, "rec": RECORD,
            "kind": "search@2", "do": do, "on": on, "by": "张三", "at": "2025-04-01T05:00:%02d+08:00" % self.seq,
            "wall": 1743454800000 + 1000 * self.seq, "mono": 5000 + self.seq, "boot": self.boot.hex(),
            "after": sorted(after), "body": None, **extra,
        }
        if self.seq == 1:
            head["dev"] = self.dev
        head = {k: head[k] for k in [*MUST, "seen", "dev", "old"] if k in head}
        body = {"salt": sha(b"salt %d " % self.seq + self.name.encode())[:16].hex(), "data": data}
        if reason is not None:
            body["reason"] = reason
        if more is not None:
            body["more"] = more
        raw = entry(head, body)
        assert judge(raw)["verdict"] == "whole", raw
        digest = sha(raw.split(b"\n")[0])
        self.link = link_next(self.link, self.seq, digest)
        signed = b"daybreak-head/1\0" + self.chain + struct.pack(">Q", self.seq) + self.link
        self.out.append({
            "bytes": raw.decode(), "digest": digest.hex(), "link": self.link.hex(), "id": self.link[:16].hex(),
            "signature": self.key.sign(signed).hex(),
        })
        return self.link[:16].hex()

    def told(self):
        return {"name": self.name, "seed": self.key.seed.hex(), "public": self.key.public.hex(), "dev": self.dev,
                "chain": self.chain.hex(), "link0": link0(self.key.public, self.chain).hex(), "entries": self.out}


def chains():
    """Every verb once, escapes, an old chain, checkpoints seen."""
    a, s = Chain("handheld"), Chain("server")
    seen = [7, sha(b"root")[:16].hex()]
    o = a.write("open", ["ground", "place/address"], ["隐匿财产", None], [],
                old=[sha(b"old")[:16].hex(), 41, sha(b"old link").hex()], seen=seen)
    t = a.write("set", ["ground"], ["a\"b\\c/d\b\f\n\r\t\x01\x1f\x7fé😀"], [o])
    c = a.write("amend", ["ground"], [2 ** 53 - 1], [o, t], reason="误记")
    i = a.write("add", ["items", "name", "kept/by"], [None, "车", True], [c], seen=[2 ** 40, seen[1]])
    item = "items/@" + i
    d = a.write("drop", [item], [None], [i], reason="重复")
    k = a.write("keep", [item, "@" + d], [None, None], [d], reason="误删")
    v = a.write("advance", ["signed"], [None], [k])
    n = a.write("link", [OTHER, "same_as"], [None, None], [v])
    g = a.write("sign", ["", "items", item], [None] * 3, [n],
                more={"shown": sha(b"skeleton").hex(), "how": "refused", "person": "李四"})
    p = a.write("attach", [item], [sha(b"a picture").hex()], [g], more={"size": 123456, "type": "image/jpeg"})
    e = a.write("note", ["@" + g], ["被执行人拒绝签名"], [p])
    f = a.write("approve", ["@" + e], [False], [e], more={"number": "（2025）1号"})
    r = a.write("release", [item], [None], [f], more={"number": "（2025）2号"})
    w = a.write("print", [""], [None], [r], more={"form": "search"})
    x = a.write("void", [""], [None], [w], reason="误建")
    h = s.write("hold", sorted([w, x]), [None, None], [], reason="核查")
    s.write("admit", sorted([w, x]), [None, None], [h], reason="已查清")
    return [a.told(), s.told()]


# ---------------------------------------------------------------- right and wrong entries

ODD = ["", "a", "A", "a/b", "a//b", "/", "@", "@" + "0" * 32, "items/@" + "0" * 32, "items/@" + "0" * 32 + "/b",
       "0" * 32, "0" * 64, "F" * 32, RECORD, RECORD.upper(), "search@2", "search@02", "x" * 41, "a" * 40, "é", "\n",
       "2025-02-29T00:00:00Z", "2024-02-29T23:59:59.5-08:00", "same_as", "none", "set", "signed", "left",
       None, True, False, 0, 1, 2, -1, INT_MAX, [], [[]], {}, [1], ["a"], ["a", "a"], ["0" * 32], ["0" * 32, "1" * 32],
       ["1" * 32, "0" * 32], [0, "0" * 32], ["0" * 32, 0, "0" * 64], [None], [None, None], [True], ["text"],
       ["0" * 64], {"shown": "0" * 64, "how": "signed"}, {"shown": "0" * 64, "how": "x"}, {"how": "signed"}]
LINES = [b"{}", b"", b"{\"a\":1}", b"[]", b"{\"salt\":\"" + b"0" * 32 + b"\",\"data\":[]}"]


def base_entry(rng):
    """A right entry of a verb taken by chance, as two dicts."""
    do = rng.choice(list(VERBS))
    names = {"add": ["items", "name"], "drop": ["items/@" + "0" * 32], "keep": ["@" + "1" * 32],
             "advance": ["closed"], "link": [OTHER, "none"], "sign": ["", "a/b"], "attach": ["a"], "note": [""],
             "approve": ["a"], "release": ["items/@" + "2" * 32, "b"], "void": [""], "print": [""],
             "hold": ["0" * 32, "1" * 32], "admit": ["2" * 32]}
    on = names.get(do, ["ground", "place"])
    data = {"attach": ["0" * 64], "note": ["x"], "approve": [True], "add": [None, 1]}
    if do in ("open", "set", "amend"):
        values = [rng.choice(["文", 1, None, False]) for _ in on]
    else:
        values = data.get(do, [None] * len(on))
    seq = rng.choice([1, 2, 77])
    head = {"v": 1, "court": "xz", "chain": "ab" * 16, "seq": seq, "rec": RECORD, "kind": "search@2", "do": do,
            "on": on, "by": "p", "at": "2025-04-01T05:00:01+08:00", "wall": 1743454801000, "mono": 9,
            "boot": "cd" * 16, "after": sorted({"%032x" % rng.randrange(99) for _ in range(rng.randrange(3))}),
            "body": None}
    if rng.random() < .3:
        head["seen"] = [5, "ef" * 16]
    if seq == 1:
        head["dev"] = "a" * 25 + rng.choice("aeimquy4")
        if rng.random() < .5:
            head["old"] = ["ab" * 16, 3, "0" * 64]
    body = {"salt": "12" * 16, "data": values}
    if VERBS[do].reason or rng.random() < .2:
        body["reason"] = "r"
    if do == "sign" or rng.random() < .2:
        body["more"] = {"shown": "0" * 64, "how": rng.choice(HOWS)}
    return head, body


def change(rng, d):
    """One change of one member."""
    name, what = rng.choice(list(d)), rng.randrange(8)
    if what == 0:
        del d[name]
    elif what == 1:
        d[rng.choice(["x", "dev", "old", "seen", "reason", "more", "V", ""])] = rng.choice(ODD)
    elif what == 2 and isinstance(d[name], list):
        d[name] = d[name] + [rng.choice(ODD)]
    elif what == 3 and isinstance(d[name], list) and d[name]:
        i = rng.randrange(len(d[name]))
        d[name] = d[name][:i] + [rng.choice(ODD)] + d[name][i + 1:]
    elif what == 4 and isinstance(d[name], str) and d[name]:
        i = rng.randrange(len(d[name]))
        d[name] = d[name][:i] + rng.choice("0aAf_/@-:. zé") + d[name][i + rng.randrange(2):]
    elif what == 5:
        order = list(d.items())
        rng.shuffle(order)
        d.clear()
        d.update(order)
    else:
        d[name] = rng.choice(ODD)


def escape_some(rng, raw):
    """Spell some letters inside strings as escapes: another text of the same meaning."""
    def one(m):
        s = m.group()
        i = rng.randrange(1, len(s)) if len(s) > 2 else 0
        if i == 0 or i >= len(s) - 1 or "\\" in s or rng.random() < .7:
            return s
        c = ord(s[i])
        if c > 0xffff:
            return s
        return s[:i] + rng.choice(["\\u%04x", "\\u%04X"]) % c + s[i + 1:]
    return STRING.sub(one, raw.decode()).encode()


def case(rng):
    head, body = base_entry(rng)
    for _ in range(rng.choice([0, 1, 1, 1, 2])):
        change(rng, rng.choice([head, head, body]))
    if rng.random() < .15 and "do" in head:
        head["do"] = rng.choice(list(VERBS))
    raw = entry(head, body)
    what = rng.randrange(12)
    if what == 0:
        i = rng.randrange(len(raw))
        raw = raw[:i] + bytes([raw[i] ^ 1 << rng.randrange(8)]) + raw[i + 1:]
    elif what == 1:
        raw = raw[:rng.randrange(len(raw))]
    elif what == 2:
        i = rng.randrange(len(raw))
        raw = raw[:i] + rng.choice([b" ", b"\n", b"\0", b"\xff", b",", b"\\u0000", b"-0", b"1e1"]) + raw[i:]
    elif what == 3:
        line = rng.choice(LINES)
        raw = entry(dict(head, body=sha(line).hex()), {}).split(b"\n")[0] + b"\n" + line
    elif what in (4, 5):
        h, _, b = raw.partition(b"\n")
        b = escape_some(rng, b)
        h = escape_some(rng, h)
        try:
            names = json.loads(h)
            h = h.replace(names["body"].encode(), sha(b).hex().encode()) if is_hash(names.get("body")) else h
        except (ValueError, AttributeError):
            pass
        raw = h + b"\n" + b
    return raw


def plain(raw):
    """Bytes as a member: as text where a strict reader of this file takes it."""
    try:
        check_strings(raw.decode())
        return {"text": raw.decode()}
    except (UnicodeDecodeError, Bad):
        return {"hex": raw.hex()}


def told(raw):
    return {**plain(raw), **judge(raw)}


def cases(count, seed):
    rng = random.Random(seed)
    return [told(case(rng)) for _ in range(count)]


# ---------------------------------------------------------------- JSON texts and times

def json_value(rng, depth):
    kind = rng.randrange(7 if depth < 5 else 5)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice([0, -1, INT_MAX, -INT_MAX, rng.randrange(10 ** 6)])
    if kind < 5:
        return "".join(rng.choice("ab/\"\\\b\f\n\r\t\x01\x1f\x7fé中～\ue000\ufffd😀𐀀") for _ in range(rng.randrange(6)))
    count = rng.choice([0, 1, 2, 3, 30 if depth == 0 else 3])
    if kind == 5:
        return [json_value(rng, depth + 1) for _ in range(count)]
    return {str(json_value(rng, 9))[:6]: json_value(rng, depth + 1) for _ in range(count)}


def canon_cases(count):
    rng, out = random.Random(7), []
    for i in range(count):
        value = json_value(rng, 0)
        spaced = json.dumps(value, ensure_ascii=bool(i % 2), indent=[None, 1][i // 2 % 2])
        out.append({"text": spaced, "canon": text_of(value, False)})
    return out


JSON_TEXTS = [
    '{"a":1}', '{"a":1,"a":1}', '{"a":{"a":1}}', '{"a":"\\u0061","\\u0061":1}', '{"a":1}\n', ' {"a":1}', '{"a":-0}',
    '{"a":0}', '{"a":-1}', '{"a":01}', '{"a":1.0}', '{"a":1E2}', '{"a":9007199254740991}', '{"a":9007199254740992}',
    '{"a":-9007199254740991}', '{"a":123456789012345678901234567890}', '{"a":"\\ud83d\\ude00"}', '{"a":"\\ude00"}',
    '{"a":"\\ud83d"}', '{"a":"\\u0000"}', '{"a":"\\ufffe"}', '{"a":"\\ufffd"}', '{"a":"\\ud83f\\udffe"}',
    '{"a":"\\ud83f\\udffd"}', '{"a":"\\ufdcf\\ufdf0"}', '{"a":"\\ufdef"}', '{"a":"\ufdd0"}', '{"a":"\U0010ffff"}',
    '{"a":"\U0010fffd"}', '{"a":[1,2,]}', '{"a":[]}', '{"a":tru}', '{"a":nulll}', '{"a":"\\/"}', '{"a":"\\v"}',
    '{"a":"\x7f"}', '{"a":"\t"}', '{"a" :1}', '{"a":\u00a01}', "{'a':1}", '{"a":1}}', '{"a":1', '{"":""}',
    "[" * 16 + "]" * 16, "[" * 17 + "]" * 17, '{"a":' * 15 + "[]" + "}" * 15, '{"a":' * 16 + "[]" + "}" * 16,
    "1", "null", '"x"', "", " ", "1 ", "[1 ,2 ]", "[1,\n2]", "\ufeff1", "[1\f]", "1 2", "-", "+1",
]


def json_cases():
    def taken(text, line):
        try:
            parse_json(text.encode(), line)
        except Bad:
            return False
        return True
    return [{**plain(t.encode()), "line": taken(t, True), "document": taken(t, False)} for t in JSON_TEXTS]


def at_cases(count):
    rng, out = random.Random(9), []
    for _ in range(count):
        year = rng.choice([1, 4, 100, 400, 1900, 1969, 1970, 2000, 2024, 2025, 9999, rng.randrange(1, 9999)])
        text = "%04d-%02d-%02dT%02d:%02d:%02d" % (year, rng.choice([1, 2, 2, 3, 12, rng.randrange(14)]),
                                                 rng.choice([1, 28, 29, 30, 31, rng.randrange(33)]),
                                                 rng.randrange(25), rng.randrange(61), rng.randrange(61))
        text += rng.choice(["", "", ".5", ".05", ".005", ".999", ".1234", "."])
        text += rng.choice(["Z", "+08:00", "-03:30", "+00:00", "-00:00", "+23:59", "-23:59", "+24:00", "+01:60", "z", ""])
        out.append({"text": text, "at": at_ms(text)})
    return out


def rec_cases():
    out = []
    for i in range(4):
        wall, rnd = 1743454801000 * (i + 1), bytearray(sha(b"rec %d" % i)[:10])
        raw = bytearray(wall.to_bytes(8, "big")[2:] + rnd)
        raw[6], raw[8] = 0x70 | raw[6] & 15, 0x80 | raw[8] & 63
        h = raw.hex()
        out.append({"wall": wall, "random": rnd.hex(), "rec": "-".join([h[:8], h[8:12], h[12:16], h[16:20], h[20:]])})
    return out


def vectors():
    return {
        "about": "docs/FORMAT.md version 1; made by make_entry_vectors.py, which shares nothing with the C",
        "court_id": COURT.hex(), "chains": chains(), "entries": cases(250, 1), "json": json_cases(),
        "canon": canon_cases(40), "at": at_cases(120), "rec": rec_cases(),
    }


def main(args):
    if args[:1] == ["--random"]:
        json.dump({"entries": cases(int(args[1]), int(args[2]))}, sys.stdout, ensure_ascii=False)
        return 0
    text = json.dumps(vectors(), ensure_ascii=False, indent=0) + "\n"
    if args == ["--check"]:
        same = FILE.read_text(encoding="utf-8") == text
        print(f"{FILE.name}: {'as written' if same else 'differs from what would be written'}")
        return 0 if same else 1
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
