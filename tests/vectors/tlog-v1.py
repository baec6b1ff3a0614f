#!/usr/bin/env python3
"""Makes tlog-v1.json: the formats of docs/FORMAT.md, "Tree" to "Descriptor",
written once more in another language, from the text alone.

Run by hand when a new version of a format gets vectors of its own; what
tlog-v1.json holds decodes for ever.  Needs Python's `cryptography` (Ed25519).

    python3 tests/vectors/tlog-v1.py > tests/vectors/tlog-v1.json
"""
import base64
import hashlib
import json
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import \
    Ed25519PrivateKey


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64(raw):
    return base64.b64encode(raw).decode()


# ---- tree

def leaf(data):
    return sha(b"\0", data)


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(leaves):
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha(b"\1", mth(leaves[:k]), mth(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return path(m, leaves[:k]) + [mth(leaves[k:])]
    return path(m - k, leaves[k:]) + [mth(leaves[:k])]


def subproof(m, leaves, whole):
    n = len(leaves)
    if m == n:
        return [] if whole else [mth(leaves)]
    k = split(n)
    if m <= k:
        return subproof(m, leaves[:k], whole) + [mth(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [mth(leaves[:k])]


def many(places, leaves, lo=0):
    hi = lo + len(leaves)
    if not any(lo <= p < hi for p in places):
        return [mth(leaves)]
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return many(places, leaves[:k], lo) + many(places, leaves[k:], lo + k)


def hexes(hashes):
    return [h.hex() for h in hashes]


def tree():
    leaves = [leaf(sha(bytes([n]))) for n in range(20)]
    pairs = [(0, 1), (0, 8), (5, 7), (6, 7), (19, 20)]
    grown = [(0, 5), (1, 1), (3, 7), (4, 7), (6, 8), (7, 20), (16, 20)]
    sets = [(1, [0]), (8, [3]), (7, [0, 1, 2, 3, 4, 5, 6]), (7, [0, 6]),
            (20, [2, 3, 11, 19]), (20, [16]), (13, [12])]
    return {
        "leaf_data": "SHA-256 of the one byte n, for n = 0 ...",
        "roots": hexes(mth(leaves[:n]) for n in range(21)),
        "inclusion": [{"leaf": m, "size": n, "proof": hexes(
            path(m, leaves[:n]))} for m, n in pairs],
        "consistency": [{"old": m, "size": n, "proof": hexes(
            subproof(m, leaves[:n], True) if m else [])} for m, n in grown],
        "many": [{"size": n, "places": p, "proof": hexes(
            many(p, leaves[:n]))} for n, p in sets],
    }


# ---- notes

class Key:
    def __init__(self, seed, name=None, alg=1):
        self.secret = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self.secret.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.seed, self.name, self.alg = seed, name, alg

    def id(self):
        return sha(self.name.encode(), b"\n", bytes([self.alg]),
                   self.public)[:4]

    def vkey(self):
        return f"{self.name}+{self.id().hex()}+" + \
            b64(bytes([self.alg]) + self.public)

    def line(self, text, time=None):
        if self.alg == 4:
            signed = f"cosignature/v1\ntime {time}\n".encode() + text
            sig = struct.pack(">Q", time) + self.secret.sign(signed)
        else:
            sig = self.secret.sign(text)
        return f"— {self.name} {b64(self.id() + sig)}\n".encode()


LOG = Key(1, "court.example/zx")
WITNESS = Key(2, "procurator.example/检", 4)
C2SP = {
    "vkey": "example.com/foo+530d903a+"
            "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "text": "This is an example message.\n",
    "note": "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJ"
            "Gh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwH"
            "jG1Yu72IneyaQM=\n",
}


def checkpoint(size, root):
    text = f"{LOG.name}\n{size}\n{b64(root)}\n".encode()
    return text, text + b"\n" + LOG.line(text)


def notes():
    root = sha(b"root")
    text, note = checkpoint(20852163, root)
    return {
        "c2sp": C2SP,
        "log": {"seed": "01" * 32, "name": LOG.name, "vkey": LOG.vkey()},
        "witness": {"seed": "02" * 32, "name": WITNESS.name,
                    "vkey": WITNESS.vkey(), "time": 1679315147},
        "size": 20852163, "root": root.hex(), "text": text.decode(),
        "note": note.decode(),
        "cosigned": (note + WITNESS.line(text, 1679315147)).decode(),
    }


# ---- proof files: entry `seq` of a chain, at place 11 of 20

def proof():
    prev, digest, seq, place = sha(b"prev"), sha(b"digest"), 7, 11
    link = sha(b"\2", prev, struct.pack(">Q", seq), digest)
    leaves = [leaf(sha(bytes([n]))) for n in range(20)]
    leaves[place] = leaf(link)
    _, note = checkpoint(20, mth(leaves))
    lines = ["c2sp.org/tlog-proof@v1", f"extra {b64(prev)}", f"index {place}"]
    lines += [b64(h) for h in path(place, leaves)] + ["", note.decode()]
    return {"prev": prev.hex(), "digest": digest.hex(), "seq": seq,
            "link": link.hex(), "place": place, "file": "\n".join(lines)}


# ---- tiles: which ones growth writes, and what they hold

def tile_path(level, index, width):
    groups = f"{index:03d}" if index < 1000 else ""
    if not groups:
        text = str(index)
        text = text.zfill(-(-len(text) // 3) * 3)
        parts = [text[i:i + 3] for i in range(0, len(text), 3)]
        groups = "/".join(["x" + p for p in parts[:-1]] + parts[-1:])
    return f"tile/{level}/{groups}" + (f".p/{width}" if width < 256 else "")


def tiles_of(leaves):
    out, row, level = {}, leaves, 0
    while row:
        for i in range(0, len(row), 256):
            part = row[i:i + 256]
            out[tile_path(level, i // 256, len(part))] = b"".join(part)
        row = [mth(row[i:i + 256]) for i in range(0, len(row) - 255, 256)]
        level += 1
    return out


def tiles():
    links = [sha(struct.pack(">I", n)) for n in range(66000)]
    leaves = [leaf(link) for link in links]
    return {
        "leaf_data": "SHA-256 of u32be n, for n = 0 ...",
        "trees": [{"size": n, "tiles": {p: sha(t).hex() for p, t in
                                        tiles_of(leaves[:n]).items()
                                        if n < 1000 or "/0/" not in p}}
                  for n in (1, 256, 257, 700, 66000)],
        "bundle": {"path": "tile/entries/001.p/3", "data": "".join(
            "0020" + link.hex() for link in links[256:259])},
        "paths": [[level, str(index), width, tile_path(level, index, width)]
                  for level, index, width in (
                      (0, 0, 256), (0, 999, 1), (0, 1000, 256),
                      (0, 1234067, 256), (3, 1000000, 17),
                      (0, 36028797018963967, 255), (7, 0, 127))],
    }


# ---- descriptors: 1, then 2 with a new server key, then 3 with a new root

def descriptor_file(members, keys):
    line = json.dumps(members, ensure_ascii=False, sort_keys=True,
                      separators=(",", ":")).encode()
    out = line + b"\n"
    for k in keys:
        sig = k.secret.sign(b"daybreak-descriptor/1\0" + sha(line))
        out += f"{k.public.hex()} {b64(sig)}\n".encode()
    return out.decode(), sha(line).hex()


def descriptors():
    roots, server, log = (Key(3), Key(4)), (Key(5), Key(6)), \
        (LOG, Key(7, LOG.name))
    one = {
        "format": "daybreak-descriptor/1", "v": 1, "court": "zx-0101",
        "name": "示例县\"法院\" / Example", "root": roots[0].public.hex(),
        "server": server[0].public.hex(), "recovery": "33" * 32,
        "ca": b64(b"\x30\x82" + bytes(range(256))), "log": log[0].vkey(),
        "witnesses": [], "distrust": [],
        "addresses": {"devices": [], "public": []},
    }
    file1, digest1 = descriptor_file(one, [roots[0]])
    two = {**one, "v": 2, "prev": digest1,
           "server": server[1].public.hex(), "witnesses": [WITNESS.vkey()],
           "addresses": {"devices": ["https://10.1.2.3:8443"],
                         "public": ["https://court.example:443",
                                    "https://[2001:db8::1]:443"]},
           "distrust": [{"key": server[0].public.hex(), "after": 4711}]}
    file2, digest2 = descriptor_file(two, [roots[0]])
    three = {**two, "v": 3, "prev": digest2, "root": roots[1].public.hex(),
             "log": log[1].vkey(), "distrust": two["distrust"] + [
                 {"key": log[0].vkey(), "after": 9007199254740991}]}
    file3, digest3 = descriptor_file(three, roots)
    return [{"file": f, "digest": d} for f, d in (
        (file1, digest1), (file2, digest2), (file3, digest3))]


print(json.dumps({"tree": tree(), "notes": notes(), "proof": proof(),
                  "tiles": tiles(), "descriptors": descriptors()},
                 ensure_ascii=False, indent=1))
