#!/usr/bin/env python3
"""Sealed files of docs/FORMAT.md, made without the C and without libsodium.

Writes blob-v1.json beside this file; with --check says whether it stands so.
XChaCha20-Poly1305 as in draft-irtf-cfrg-xchacha and RFC 8439, slow and plain.
"""
import hashlib
import json
import struct
import sys
from pathlib import Path

CHUNK = 65536
M32 = 0xffffffff


def rounds(x):
    def quarter(a, b, c, d):
        x[a] = x[a] + x[b] & M32
        x[d] ^= x[a]
        x[d] = (x[d] << 16 | x[d] >> 16) & M32
        x[c] = x[c] + x[d] & M32
        x[b] ^= x[c]
        x[b] = (x[b] << 12 | x[b] >> 20) & M32
        x[a] = x[a] + x[b] & M32
        x[d] ^= x[a]
        x[d] = (x[d] << 8 | x[d] >> 24) & M32
        x[c] = x[c] + x[d] & M32
        x[b] ^= x[c]
        x[b] = (x[b] << 7 | x[b] >> 25) & M32
    for _ in range(10):
        quarter(0, 4, 8, 12)
        quarter(1, 5, 9, 13)
        quarter(2, 6, 10, 14)
        quarter(3, 7, 11, 15)
        quarter(0, 5, 10, 15)
        quarter(1, 6, 11, 12)
        quarter(2, 7, 8, 13)
        quarter(3, 4, 9, 14)


def state(key, last):
    return list(struct.unpack("<4I", b"expand 32-byte k") +
                struct.unpack("<8I", key) + struct.unpack("<4I", last))


def block(key, counter, nonce):
    first = state(key, struct.pack("<I", counter) + nonce)
    x = list(first)
    rounds(x)
    return struct.pack("<16I", *(a + b & M32 for a, b in zip(x, first)))


def hchacha(key, nonce16):
    x = state(key, nonce16)
    rounds(x)
    return struct.pack("<8I", *(x[0:4] + x[12:16]))


def poly1305(key, text):
    r = int.from_bytes(key[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    acc = 0
    for i in range(0, len(text), 16):
        acc = (acc + int.from_bytes(text[i:i + 16] + b"\1", "little")) * r
        acc %= (1 << 130) - 5
    acc += int.from_bytes(key[16:], "little")
    return (acc & ((1 << 128) - 1)).to_bytes(16, "little")


def seal(key, nonce, ad, plain):
    key, nonce = hchacha(key, nonce[:16]), b"\0\0\0\0" + nonce[16:]
    stream = b"".join(block(key, 1 + i, nonce)
                      for i in range((len(plain) + 63) // 64))
    out = bytes(a ^ b for a, b in zip(plain, stream))
    pad = b"\0" * (-len(ad) % 16), b"\0" * (-len(out) % 16)
    tag = poly1305(block(key, 0, nonce)[:32],
                   ad + pad[0] + out + pad[1] +
                   struct.pack("<QQ", len(ad), len(out)))
    return out + tag


def blob(key, name, plain):
    head = b"daybreak-blob/1\n" + name
    out, count = [head], max(1, -(-len(plain) // CHUNK))
    for n in range(count):
        nonce = b"\0" * 15 + struct.pack(">QB", n, n + 1 == count)
        out.append(seal(key, nonce, head, plain[n * CHUNK:(n + 1) * CHUNK]))
    return b"".join(out)


def pattern(size):
    return bytes((i * 7 + (i >> 8)) & 0xff for i in range(size))


def main():
    key, name = bytes(range(32)), bytes(range(0xa0, 0xb0))
    cases = []
    for size in (0, 1, 17, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK):
        made = blob(key, name, pattern(size))
        case = {"size": size, "len": len(made),
                "sha256": hashlib.sha256(made).hexdigest()}
        if size < 64:
            case["file"] = made.hex()
        cases.append(case)
    text = json.dumps({"key": key.hex(), "id": name.hex(), "files": cases},
                      indent=1) + "\n"
    path = Path(__file__).with_name("blob-v1.json")
    if "--check" not in sys.argv:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit("blob-v1.json is not what this program writes")


main()
