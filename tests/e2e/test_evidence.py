#!/usr/bin/env python3
"""Files over tus 1.0 against the real daemon: what is right arrives whole and
gets its receipt, what is wrong is refused clearly, and nothing in between is
lost (docs/EVIDENCE.md).

    python3 tests/e2e/test_evidence.py BIN [CASE…]
"""
import base64
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import (CENTRE, Handheld, check, grow_disk,  # noqa: E402
                     run_cases, small_disk, uuid7, wait_for)

BYTES = "application/offset+octet-stream"


class Answer:
    def __init__(self, r):
        self.status, self.headers, self.body = r.status, r.headers, r.read()
        self.offset = int(r.headers.get("Upload-Offset", -1))
        self.word = None
        if self.body.startswith(b"{"):
            self.word = json.loads(self.body)["error"]

    def __str__(self):
        return f"{self.status} {self.word} {dict(self.headers)}"


class Carrier:
    """An enrolled device that speaks tus, on one connection at a time."""

    def __init__(self, court, name, hand=None):
        self.c = court
        self.hand = hand or Handheld(court, name).enrol()
        self.dev = self.hand.dev
        self.h = None

    def connection(self):
        h = http.client.HTTPConnection(CENTRE, timeout=120)
        h.sock = self.hand.connect(self.c.ports[0], self.hand.context())
        return h

    def ask(self, method, path, body=None, **fields):
        """One request; the connection is kept where the server keeps it."""
        head = {"Tus-Resumable": "1.0.0"}
        head.update({k.replace("_", "-"): str(v) for k, v in fields.items()
                     if v is not None})
        head = {k: v for k, v in head.items() if v != ""}
        fresh = self.h is None
        if fresh:
            self.h = self.connection()
        try:
            self.h.request(method, path, body, head)
            a = Answer(self.h.getresponse())
        except (OSError, http.client.HTTPException):
            self.h.close()
            self.h = None
            if fresh:
                raise
            return self.ask(method, path, body, **fields)
        if a.headers.get("Connection") == "close":
            self.h.close()
            self.h = None
        return a

    def create(self, data, length=None, digest=None, body=None, **more):
        digest = digest or hashlib.sha256(data).hexdigest()
        meta = "sha256 " + base64.b64encode(digest.encode()).decode()
        kw = {"Upload_Metadata": meta,
              "Upload_Length": len(data) if length is None else length}
        if body is not None:
            kw["Content_Type"] = BYTES
        kw.update(more)
        return self.ask("POST", "/v1/evidence", body, **kw)

    def patch(self, at, offset, body, **more):
        kw = {"Content_Type": BYTES, "Upload_Offset": offset}
        kw.update(more)
        return self.ask("PATCH", at, body, **kw)

    def head(self, at):
        return self.ask("HEAD", at)

    def send(self, data, chunk=1 << 20):
        """A whole upload; where it stood."""
        a = self.create(data)
        check(a.status == 201, f"create: {a}")
        at, offset = a.headers["Location"], a.offset
        while offset < len(data):
            a = self.patch(at, offset, data[offset:offset + chunk])
            check(a.status == 204, f"patch: {a}")
            offset = a.offset
        return at


def sum_of(data, name="sha256"):
    h = hashlib.new({"sha-256": "sha256"}.get(name, name), data)
    return f"{name} {base64.b64encode(h.digest()).decode()}"


def blob(n, seed=1):
    return random.Random(seed).randbytes(n)


def stored(c, data):
    hexed = hashlib.sha256(data).hexdigest()
    return c.court / "evidence" / "store" / hexed[:2] / hexed


def check_stored(c, data):
    f = stored(c, data)
    check(f.exists(), "it is not in the store")
    check(f.read_bytes() == data, "the store has other bytes")


def receipts(c):
    """(result, digest, dev) of every evidence@1 of the log."""
    out = []
    for (raw,) in c.query("SELECT bytes FROM entries WHERE instr(bytes, "
                          "CAST('\"evidence@1\"' AS BLOB)) ORDER BY place"):
        head, body = raw.split(b"\n", 1)
        head, body = json.loads(head), json.loads(body)
        if head["do"] == "open":
            v = dict(zip(head["on"], body["data"]))
            out.append((v["result"], v["sha256"], v["dev"]))
    return out


def taken(c):
    return c.bytes_taken()


def parts(c):
    return os.listdir(c.court / "evidence" / "part")


# ---- what is right


def a_file_arrives_whole_and_is_receipted(c):
    c.begin()
    d = Carrier(c, "a")
    data = blob(3_000_000)
    a = d.ask("OPTIONS", "/v1/evidence", Tus_Resumable="")
    check(a.status == 204 and a.headers["Tus-Version"] == "1.0.0" and
          "creation-with-upload" in a.headers["Tus-Extension"] and
          a.headers["Tus-Max-Size"] == str(64 << 30) and
          a.headers["Tus-Checksum-Algorithm"] == "sha256,sha-256,sha1",
          f"OPTIONS: {a}")
    a = d.create(data)
    check(a.status == 201 and a.offset == 0 and a.headers["Upload-Expires"],
          f"create: {a}")
    at = a.headers["Location"]
    again = d.create(data)
    check(again.headers["Location"] == at, "a lost answer costs an upload")
    for name in ("sha256", "sha-256", "sha1"):
        a = d.head(at)
        check(a.status == 200 and a.headers["Cache-Control"] == "no-store" and
              a.headers["Upload-Length"] == str(len(data)), f"HEAD: {a}")
        piece = data[a.offset:a.offset + 999_999]
        a2 = d.patch(at, a.offset, piece,
                     Upload_Checksum=sum_of(piece, name))
        check(a2.status == 204 and a2.offset == a.offset + len(piece),
              f"PATCH: {a2}")
    check(not stored(c, data).exists(), "stored before it was whole")
    a = d.patch(at, 2_999_997, data[2_999_997:])
    check(a.status == 204 and a.offset == len(data), f"last PATCH: {a}")
    check_stored(c, data)
    hexed = hashlib.sha256(data).hexdigest()
    check(receipts(c) == [("stored", hexed, d.dev)], f"{receipts(c)}")
    check(parts(c) == [], "a part is left")
    # What is done stays done, and is said again, until it is ended; the file
    # stays all the same.
    check(d.head(at).offset == len(data), "HEAD after the end")
    check(d.ask("DELETE", at).status == 204, "DELETE of what is stored")
    check(d.head(at).status == 410, "HEAD after DELETE")
    check_stored(c, data)
    # Once more by the same device: no second receipt; by another: its own.
    a = d.create(data)
    check(a.status == 201 and a.offset == len(data), f"again: {a}")
    e = Carrier(c, "b")
    a = e.create(data)
    check(a.status == 201 and a.offset == len(data), f"by another: {a}")
    check(sorted(receipts(c)) == sorted([
        ("stored", hexed, d.dev), ("stored", hexed, e.dev)]),
        f"{receipts(c)}")
    # Created with its bytes; an empty one.
    small = blob(5000, 2)
    a = d.create(small, body=small)
    check(a.status == 201 and a.offset == 5000, f"with upload: {a}")
    check_stored(c, small)
    a = d.create(b"")
    check(a.status == 201 and a.offset == 0, f"empty: {a}")
    check_stored(c, b"")
    metrics = c.api("/metrics")
    check(b"daybreak_evidence_stored_total 3" in metrics, metrics)


def tus_must_by_must(c):
    """What tus 1.0 says a server MUST do and no other case shows
    (docs/EVIDENCE.md, "tus 1.0, MUST by MUST")."""
    c.begin()
    d = Carrier(c, "a")
    data = blob(100_000)
    hexed = hashlib.sha256(data).hexdigest()
    # OPTIONS: the version that the client names counts for nothing.
    a = d.ask("OPTIONS", "/v1/evidence", Tus_Resumable="0.2.2")
    check(a.status == 204 and a.headers["Tus-Version"] == "1.0.0" and
          a.headers["Tus-Extension"] == "creation,creation-with-upload,"
          "checksum,expiration,termination", f"OPTIONS: {a}")
    # Upload-Metadata comes back from HEAD, word for word, after a restart too.
    meta = ("is_confidential,sha256 " + base64.b64encode(
        hexed.encode()).decode() + ",filename " + base64.b64encode(
        "搜查 1.jpg".encode()).decode() + ",filetype aW1hZ2UvanBlZw==")
    a = d.create(data, Upload_Metadata=meta)
    at = a.headers["Location"]
    for restart in (False, True):
        if restart:
            c.restart()
            d.h = None
        a = d.head(at)
        check(a.status == 200 and a.headers["Upload-Metadata"] == meta and
              a.headers["Upload-Length"] == str(len(data)) and
              a.headers["Upload-Offset"] == "0" and
              a.headers["Cache-Control"] == "no-store", f"HEAD: {a}")
    # A method that is not supported is not needed.
    a = d.ask("POST", at, data[:10], X_HTTP_Method_Override="PATCH",
              Content_Type=BYTES, Upload_Offset=0)
    check(a.status == 204 and a.offset == 10 and a.headers["Upload-Expires"],
          f"override PATCH: {a}")
    a = d.ask("POST", at, X_HTTP_Method_Override="HEAD")
    check(a.status == 200 and a.offset == 10 and
          a.headers["Upload-Metadata"] == meta, f"override HEAD: {a}")
    a = d.ask("PATCH", at, X_HTTP_Method_Override="HEAD", Upload_Offset=0)
    check(a.status == 200 and a.offset == 10, f"the actual method: {a}")
    # 412, and nothing was done.
    a = d.ask("POST", at, data[10:20], X_HTTP_Method_Override="PATCH",
              Content_Type=BYTES, Upload_Offset=10, Tus_Resumable="0.2.2")
    check(a.status == 412 and a.headers["Tus-Version"] == "1.0.0", f"{a}")
    # A wrong offset, a checksum of an unknown sort, one that does not hold:
    # the upload is as it was.
    check(d.patch(at, 11, data[11:20]).status == 409, "offset")
    check(d.patch(at, 10, data[10:20], Upload_Checksum="crc32 AAAA").status
          == 400, "unknown checksum")
    check(d.patch(at, 10, data[10:20], Upload_Checksum=sum_of(
        b"x", "sha1")).status == 460, "wrong checksum")
    a = d.head(at)
    check(a.offset == 10, f"a refused request changed it: {a}")
    a = d.patch(at, 10, data[10:], Upload_Checksum=sum_of(data[10:], "sha1"))
    check(a.status == 204 and a.offset == len(data), f"the rest: {a}")
    a = d.head(at)
    check(a.offset == len(data) and a.headers["Upload-Metadata"] == meta,
          f"HEAD of what is complete: {a}")
    # A creation with bytes under a checksum that does not hold.
    other = blob(5000, 4)
    a = d.create(other, body=other, Upload_Checksum=sum_of(b"x"))
    check(a.status == 460 and a.word == "checksum", f"{a}")
    a = d.create(other)
    check(a.status == 201 and a.offset == 0, f"nothing of it stays: {a}")
    # Created anew, the newer words count.
    check(d.head(a.headers["Location"]).headers["Upload-Metadata"].startswith(
        "sha256 "), "the newer words")
    # Ended: for ever.
    check(d.ask("DELETE", a.headers["Location"]).status == 204, "DELETE")
    a = d.head(a.headers["Location"])
    check(a.status == 404 and "Upload-Offset" not in a.headers, f"{a}")
    check(d.ask("DELETE", at).status == 204, "DELETE of a complete one")
    for a in (d.head(at), d.patch(at, 0, b"x"), d.ask("DELETE", at)):
        check(a.status == 410 and a.headers["Tus-Resumable"] == "1.0.0",
              f"after DELETE: {a}")
    check_stored(c, data)
    n = len(receipts(c))
    a = d.create(data)
    check(a.status == 201 and a.offset == len(data) and
          a.headers["Location"] != at and len(receipts(c)) == n, f"{a}")
    a = d.create(blob(10), length=(64 << 30) + 1)
    check(a.status == 413, f"above Tus-Max-Size: {a}")


def endings_keep_what_came(c):
    """A connection that breaks, a newer request, a restart: the offset is what
    came, and the upload goes on from there."""
    c.begin()
    d = Carrier(c, "a")
    data = blob(2_000_000)
    at = d.create(data).headers["Location"]
    raw = d.connection()
    raw.putrequest("PATCH", at)
    for k, v in (("Tus-Resumable", "1.0.0"), ("Content-Type", BYTES),
                 ("Upload-Offset", "0"), ("Content-Length", len(data))):
        raw.putheader(k, str(v))
    raw.endheaders()
    raw.send(data[:700_000])
    # The old request still hangs; a newer one takes over and finds all of it.
    wait_for("the bytes", lambda: taken(c) >= 655_360)
    a = d.head(at)
    here = a.offset
    check(655_360 <= here <= 700_000, f"offset {here}")
    # The older one is told.
    try:
        raw.send(data[700_000:900_000])
        b = Answer(raw.getresponse())
        check(b.status == 409 and b.word == "offset", f"the older: {b}")
    except OSError:
        pass  # its connection was ended before it read that
    raw.close()
    a = d.patch(at, here, data[here:1_200_000])
    check(a.offset == 1_200_000, f"{a}")
    # Cut in the middle: what came stays.
    raw = d.connection()
    raw.putrequest("PATCH", at)
    for k, v in (("Tus-Resumable", "1.0.0"), ("Content-Type", BYTES),
                 ("Upload-Offset", "1200000"), ("Content-Length", "800000")):
        raw.putheader(k, str(v))
    raw.endheaders()
    raw.send(data[1_200_000:1_500_000])
    # Our side alone: closing at once would reset it, and what is on the way
    # would be lost on the way.
    raw.sock.shutdown(socket.SHUT_WR)
    wait_for("what came", lambda: taken(c) == 1_500_000)
    raw.close()
    check(d.head(at).offset == 1_500_000, "a cut takes what came")
    c.restart()
    d.h = None
    a = d.head(at)
    check(a.offset == 1_500_000, f"after a restart: {a}")
    a = d.patch(at, 1_500_000, data[1_500_000:])
    check(a.status == 204, f"{a}")
    check_stored(c, data)


def killed_servers_lose_nothing_said(c):
    """kill -9 in a loop while bytes come: no offset that was told is ever
    more than what is there, and the file arrives whole."""
    c.begin()
    d = Carrier(c, "a")
    data = blob(30_000_000)
    rnd = random.Random(3)
    at, said, kills, sent = None, 0, 0, 0
    while True:
        if kills < 8:
            timer = threading.Timer(rnd.uniform(0.005, 0.12), c.server.send_signal,
                                    [signal.SIGKILL])
            timer.start()
            kills += 1
        else:
            timer = None
        try:
            a = d.create(data)
            check(a.status == 201, f"create: {a}")
            check(at in (None, a.headers["Location"]), "another upload")
            at = a.headers["Location"]
            check(a.offset >= said, f"{a.offset} of {said} said")
            said = a.offset
            while said < len(data):
                n = rnd.choice((64 << 10, 1 << 20, 5_000_000))
                sent += n
                a = d.patch(at, said, data[said:said + n])
                check(a.status == 204, f"patch: {a}")
                said = a.offset
            break
        except (OSError, http.client.HTTPException):
            d.h = None
            if timer is not None:
                timer.join()
            c.server.wait()
            c.start()
    if timer is not None:
        timer.cancel()
    check_stored(c, data)
    check(len(receipts(c)) == 1, f"{receipts(c)}")
    check(kills >= 3, "nothing was killed")


def two_devices_bring_the_same_bytes_at_once(c):
    c.begin()
    hands = [Carrier(c, x) for x in ("a", "b", "e")]
    data = blob(4_000_000)
    out = []

    def bring(d):
        out.append(d.send(data, 300_000))
    threads = [threading.Thread(target=bring, args=(d,)) for d in hands]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check(len(out) == 3, "one of them failed")
    check_stored(c, data)
    hexed = hashlib.sha256(data).hexdigest()
    check(sorted(receipts(c)) == sorted(
        ("stored", hexed, d.dev) for d in hands), f"{receipts(c)}")
    check(parts(c) == [], f"left over: {parts(c)}")


def timed(fn):
    began = time.monotonic()
    fn()
    return time.monotonic() - began


def big_uploads_do_not_slow_entries(c):
    """Entries are acknowledged within seconds while four videos come (on a
    machine that does nothing else; else within a dozen of the usual times: four
    senders and the server share its processors), and the server holds at most 256 KiB for each of them."""
    c.begin()
    c.healthy()
    usual = timed(c.healthy)
    before = c.memory()
    stop = threading.Event()
    hands = [Carrier(c, f"v{i}") for i in range(4)]
    began = [0]

    def pour(d, i):
        length = 20 << 30
        a = d.create(b"", length=length, digest="%064x" % i)
        h = d.connection()
        h.putrequest("PATCH", a.headers["Location"])
        for k, v in (("Tus-Resumable", "1.0.0"), ("Content-Type", BYTES),
                     ("Upload-Offset", "0"), ("Content-Length", length)):
            h.putheader(k, str(v))
        h.endheaders()
        piece = blob(1 << 18, i)
        while not stop.is_set():
            h.send(piece)
            began[0] += 1
        h.close()
    threads = [threading.Thread(target=pour, args=(d, i))
               for i, d in enumerate(hands)]
    for t in threads:
        t.start()
    try:
        wait_for("the videos", lambda: began[0] > 200)
        peak = 0
        for _ in range(5):
            took = timed(c.healthy)
            check(took < max(20, 12 * usual),
                  f"an entry took {took:.1f} s, without uploads {usual:.1f}")
            peak = max(peak, c.memory())
        if not any(x in str(c.bin) for x in ("asan", "tsan")):
            check(peak - before < 4 * (256 << 10) + (4 << 20),
                  f"{(peak - before) >> 10} KiB more for four uploads")
    finally:
        stop.set()
        for t in threads:
            t.join()


# ---- what is wrong


def bad_requests_are_refused_clearly(c):
    c.begin(evidence_max_bytes=10_000_000)
    d = Carrier(c, "a")
    data = blob(100_000)

    def refused(a, status, word):
        check(a.status == status and a.word == word, f"{status} {word}: {a}")
        check(a.headers["Tus-Resumable"] == "1.0.0", "no Tus-Resumable")
    good = "sha256 " + base64.b64encode(
        hashlib.sha256(data).hexdigest().encode()).decode()
    refused(d.create(data, Tus_Resumable=""), 412, "tus_version")
    a = d.create(data, Tus_Resumable="0.2.2")
    refused(a, 412, "tus_version")
    check(a.headers["Tus-Version"] == "1.0.0", "412 names no version")
    for meta in ("", "sha256", "sha256 xx", "sha256 " + base64.b64encode(
            b"ab").decode(), "filename aGk=", good + "," + good,
            "sha256 " + base64.b64encode(b"../" * 21 + b"x").decode()):
        refused(d.create(data, Upload_Metadata=meta), 400, "bad_metadata")
    for name in (b"../../etc/passwd", b"a/b", b"..", b"a\\b", b"a\0b"):
        refused(d.create(data, Upload_Metadata=good + ",filename " +
                base64.b64encode(name).decode()), 400, "bad_metadata")
    check(c.logged("refused", "filename holds a path"), "it is not logged")
    for length in ("", "-1", "1e3", "99999999999999999999", "0x10"):
        refused(d.create(data, Upload_Length=length), 400, "bad_metadata")
    refused(d.create(data, Upload_Defer_Length=1), 400, "bad_metadata")
    refused(d.create(data, length=10_000_001), 413, "too_big")
    at = d.create(data, Upload_Metadata=good + ",filename " + base64.b64encode(
        "搜查.mp4".encode()).decode() + ",filetype dGV4dC9odG1s"
    ).headers["Location"]
    refused(d.patch(at, 5, b"x"), 409, "offset")
    refused(d.patch(at, 0, b"x", Content_Type="text/plain"), 415,
            "content_type")
    refused(d.patch(at, "", b"x"), 400, "bad_request")
    refused(d.patch(at, "-1", b"x"), 400, "bad_request")
    refused(d.patch(at, 0, data + b"x"), 413, "too_big")
    check(d.head(at).offset == 0, "a refused request left something")
    refused(d.patch(at, 0, data[:9], Upload_Checksum="md5 AAAA"), 400,
            "checksum_algorithm")
    a = d.patch(at, 0, data[:70_000])
    check(a.offset == 70_000, f"{a}")
    refused(d.patch(at, 70_000, data[70_000:90_000], Upload_Checksum=sum_of(
        b"other")), 460, "checksum")
    check(d.head(at).offset == 70_000, "the request with a wrong sum stays")
    # More than was announced, in chunks without an end.
    h = d.connection()
    h.putrequest("PATCH", at)
    for k, v in (("Tus-Resumable", "1.0.0"), ("Content-Type", BYTES),
                 ("Upload-Offset", "70000"), ("Transfer-Encoding", "chunked")):
        h.putheader(k, v)
    h.endheaders()
    try:
        for _ in range(4000):
            h.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
    except OSError:
        pass
    try:
        a = Answer(h.getresponse())
        check(a.status == 413 and a.word == "too_big", f"endless: {a}")
    except (OSError, http.client.HTTPException):
        check(c.logged('"status":413', "PATCH"), "the endless body went on")
    h.close()
    # Another's, unknown, no id, ways up.
    e = Carrier(c, "b")
    for method, fields in (("HEAD", {}), ("DELETE", {}), ("PATCH", {
            "Content_Type": BYTES, "Upload_Offset": 0})):
        a = e.ask(method, at, **fields)
        check(a.status == 404, f"another's {method}: {a}")
        for path in ("/v1/evidence/" + "0" * 32, "/v1/evidence/xyz",
                     "/v1/evidence/../../store.db",
                     "/v1/evidence/%2e%2e%2fstore.db"):
            a = d.ask(method, path, **fields)
            check(a.status == 404, f"{method} {path}: {a}")
    check(d.ask("PUT", at, b"x").status in (404, 405), "PUT")
    a = d.ask("DELETE", at)
    check(a.status == 204, f"DELETE: {a}")
    check(d.head(at).status == 404 and parts(c) == [], "DELETE left it")
    c.healthy()


def other_bytes_are_kept_apart(c):
    c.begin()
    d = Carrier(c, "a")
    data, other = blob(200_000), blob(200_000, 9)
    at = d.create(data).headers["Location"]
    a = d.patch(at, 0, other)
    check(a.status == 460 and a.word == "digest", f"{a}")
    check(not stored(c, data).exists() and not stored(c, other).exists(),
          "it is in the store")
    apart = list((c.court / "evidence" / "apart").iterdir())
    check(len(apart) == 1 and apart[0].read_bytes() == other, "not apart")
    check(receipts(c) == [("mismatched", hashlib.sha256(data).hexdigest(),
                           d.dev)], f"{receipts(c)}")
    alarm = c.alarms("evidence_mismatched")
    check(len(alarm) == 1 and alarm[0]["dev"] == d.dev, f"{alarm}")
    check(d.head(at).status == 460, "a lost answer is not told again")
    # The handheld sends again, and then it is right.
    again = d.send(data)
    check(again != at, "the spoiled upload goes on")
    check_stored(c, data)


def uploads_expire(c):
    c.begin(evidence_expire_s=2)
    d = Carrier(c, "a")
    data = blob(100_000)
    at = d.create(data).headers["Location"]
    check(d.patch(at, 0, data[:50_000]).offset == 50_000, "patch")
    wait_for("the part to go", lambda: parts(c) == [])
    a = d.patch(at, 50_000, data[50_000:])
    check(a.status == 410 and a.word == "expired", f"{a}")
    check(d.head(at).status == 410, "HEAD of an expired one")
    d.send(data)
    check_stored(c, data)


def revoked_devices_bring_within_a_quota(c):
    c.begin(evidence_deliver_quota=150_000, evidence_quota=400_000)
    d = Carrier(c, "a")
    small, large = blob(100_000), blob(390_000, 2)
    at = d.create(large).headers["Location"]
    check(d.patch(at, 0, large[:350_000]).status == 204, "within")
    a = d.create(small, body=small)
    check(a.status == 429 and a.headers["Retry-After"] == "600" and
          a.word == "quota", f"over the quota: {a}")
    check(d.patch(at, 350_000, large[350_000:]).status == 204, "finishing")
    check(d.create(small, body=small).status == 201, "finished: room again")
    e = Carrier(c, "b")
    c.revoke(e.dev)
    e.h = None
    first = blob(100_000, 5)
    e.send(first)
    check_stored(c, first)
    a = e.create(blob(100_000, 6), body=blob(100_000, 6))
    check(a.status == 429, f"a revoked device's second: {a}")


def full_disks_are_told_and_entries_go_on(c):
    c.begin(evidence_free_min=1 << 50)
    d = Carrier(c, "a")
    a = d.create(blob(1000))
    check(a.status == 507 and a.word == "full" and
          a.headers["Retry-After"] == "300", f"{a}")
    c.healthy()
    c.restart()
    d.h = None
    at = d.create(blob(2_000_000)).headers["Location"]
    c.stop()
    # The file system itself is full for files that grow above 1 MB.
    c.start(env=c.unlucky(full_part=1_000_000))
    d.h = None
    a = d.patch(at, 0, blob(2_000_000))
    check(a.status == 507 and a.word == "full", f"{a}")
    c.healthy()
    here = d.head(at).offset
    check(0 < here <= 1_000_000, f"what fitted does not stay: {here}")
    c.restart()
    d.h = None
    check(d.head(at).offset == here, "it is less after a restart")
    a = d.patch(at, here, blob(2_000_000)[here:])
    check(a.status == 204, f"with room again: {a}")
    check_stored(c, blob(2_000_000))


def really_full_disk_of_the_centre(c):
    """The disk of files alone is full, for real: uploads wait and say why,
    what fitted stays, entries go on, and with room made all go on."""
    c.make_court()
    d = small_disk(c.court / "evidence", 8)
    if d is None:
        print("really_full_disk: mounting is not allowed here: skipped")
        return
    try:
        c.start(evidence_free_min=0)
        one, two = Carrier(c, "a"), Carrier(c, "b")
        first = blob(3_000_000, 60)
        one.send(first)
        large = blob(20_000_000, 61)
        at = one.create(large).headers["Location"]
        a = one.patch(at, 0, large)
        check(a.status == 507 and a.word == "full" and
              a.headers["Retry-After"] == "300", f"a full disk: {a}")
        one.h = None
        here = one.head(at).offset
        check(2_000_000 < here < 6_000_000, f"what fitted: {here}")
        # It stays full: told each time, nothing is lost, entries go on.
        for _ in range(3):
            a = one.patch(at, here, large[here:here + 1_000_000])
            check(a.status == 507, f"{a}")
            one.h = None
            check(one.head(at).offset >= here, "it is less")
            here = one.head(at).offset
            c.healthy()
        a = two.create(blob(700_000, 62), body=blob(700_000, 62))
        check(a.status == 507, f"another's: {a}")
        two.h = None
        check_stored(c, first)
        check(get(c, "/api/v1/evidence/" + hashlib.sha256(
            first).hexdigest()).body == first, "reading")
        check(c.logged("no room for evidence"), "nobody is told")
        c.restart(evidence_free_min=0)
        one.h = two.h = None
        check(one.head(at).offset == here, "less after a restart")
        grow_disk(d, 64)
        a = one.patch(at, here, large[here:])
        check(a.status == 204, f"with room made: {a}")
        two.send(blob(700_000, 62))
        for x in (first, large, blob(700_000, 62)):
            check_stored(c, x)
        check(len(receipts(c)) == 3 and parts(c) == [], f"{receipts(c)}")
        out = c.admin("check")
        check(out[-1]["ok"] and out[-1]["files"] == 3, f"{out}")
    finally:
        c.stop()
        subprocess.run(["umount", str(d)], check=False)


def slow_clients_and_strangers(c):
    c.begin()
    d = Carrier(c, "a")
    data = blob(100_000)
    at = d.create(data).headers["Location"]
    slow = []
    for _ in range(20):
        h = d.connection()
        h.putrequest("PATCH", at)
        for k, v in (("Tus-Resumable", "1.0.0"), ("Content-Type", BYTES),
                     ("Upload-Offset", "0"), ("Content-Length", "100000")):
            h.putheader(k, v)
        h.endheaders()
        slow.append(h)
    d.h = None
    check(d.patch(at, 0, data).status == 204, "held up by who says nothing")
    check_stored(c, data)
    for h in slow:
        h.close()
    # A certificate that is none of ours has no conversation at all.
    stranger = Handheld(c, "x")
    stranger.post("/v1/enrol", b"{}", port=2)
    try:
        s, _, _ = stranger.post("/v1/evidence", b"", ctx=stranger.context(
            False))
        check(False, f"an unknown device got {s}")
    except (OSError, http.client.HTTPException):
        pass
    check(parts(c) == [], "left over")


# ---- what the console shows


def named(c, hand, data, rec=None, case=None, **more):
    """A record that names these bytes, written by a device's own hand."""
    rec = rec or uuid7()
    hexed = hashlib.sha256(data).hexdigest()
    if case is not None:
        hand.push(said(hand, rec, ["case_no"], [case], "open"))
    m = {"size": len(data), "type": "video/mp4", "name": "搜查.mp4"}
    m.update(more)
    status, body, _ = hand.push(said(hand, rec, [""], [hexed], "attach", m))
    check(status == 200, f"sync: {status} {body}")
    c.caught_up()
    return rec


def said(hand, rec, on, values, verb, more=None):
    b = {"salt": os.urandom(16).hex(), "data": values}
    if more is not None:
        b["more"] = more
    body = json.dumps(b, ensure_ascii=False, separators=(",", ":")).encode()
    raw = hand.entry(rec, on=on, do=verb,
                     body=hashlib.sha256(body).hexdigest())
    return raw.split(b"\n", 1)[0] + b"\n" + body


def get(c, path, token=None, **fields):
    ctx = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(
        (c.court / "keys" / "ca.crt").read_bytes()))
    s = socket.create_connection(("127.0.0.1", c.ports[1]), timeout=120)
    h = http.client.HTTPConnection(CENTRE)
    h.sock = ctx.wrap_socket(s, server_hostname=CENTRE)
    head = {"Authorization": f"Bearer {token or c.token}"}
    head.update({k.replace("_", "-"): v for k, v in fields.items()})
    h.request("GET", path, headers=head)
    a = Answer(h.getresponse())
    h.close()
    return a


def notes(c):
    """(text, who) of every note on a file."""
    out = []
    for (raw,) in c.query("SELECT bytes FROM entries WHERE instr(bytes, "
                          "CAST('\"evidence@1\"' AS BLOB)) ORDER BY place"):
        head, body = raw.split(b"\n", 1)
        if json.loads(head)["do"] == "note":
            b = json.loads(body)
            out.append((b["data"][0], b["more"]["who"]))
    return out


def the_console_reads_whole_and_in_ranges(c):
    c.begin()
    d = Carrier(c, "a")
    data = b"\0\0\0\x20ftypisom" + blob(3_000_000)
    hexed = hashlib.sha256(data).hexdigest()
    here = f"/api/v1/evidence/{hexed}"
    rec = named(c, d.hand, data)

    def attachment():
        return c.console(f"/api/v1/records/{rec}")["attachments"][0]
    a = attachment()
    check(a["state"] == "named" and a["sha256"] == hexed and a["percent"] == 0
          and a["more"]["name"] == "搜查.mp4", f"{a}")
    check(get(c, here).status == 404, "read before it came")
    at = d.create(data).headers["Location"]
    d.patch(at, 0, data[:1_000_000])
    a = attachment()
    check(a["state"] == "uploading" and a["percent"] == 33 and
          a["got"] == 1_000_000, f"{a}")
    d.patch(at, 1_000_000, data[1_000_000:])
    a = attachment()
    check(a["state"] == "stored" and a["percent"] == 100, f"{a}")
    a = get(c, here)
    h = a.headers
    check(a.status == 200 and a.body == data, f"whole: {a.status}")
    check(h["ETag"] == f'"{hexed}"' and h["Accept-Ranges"] == "bytes" and
          h["Content-Type"] == "video/mp4" and
          h["X-Content-Type-Options"] == "nosniff" and
          h["Content-Security-Policy"].startswith("sandbox;") and
          h["Content-Disposition"].startswith("inline; filename=") and
          h["Content-Disposition"].endswith(
              "filename*=UTF-8''%E6%90%9C%E6%9F%A5.mp4"), f"{h}")
    size = len(data)
    for asked, first, last in (
            ("bytes=0-0", 0, 0), ("bytes=100-199", 100, 199),
            ("bytes=1000000-", 1_000_000, size - 1),
            ("bytes=-5", size - 5, size - 1),
            ("bytes=2999000-99999999", 2_999_000, size - 1),
            (f"bytes=-{size + 9}", 0, size - 1)):
        a = get(c, here, Range=asked)
        check(a.status == 206 and a.body == data[first:last + 1] and
              a.headers["Content-Range"] == f"bytes {first}-{last}/{size}",
              f"{asked}: {a.status} {a.headers['Content-Range']}")
    for asked in (f"bytes={size}-", "bytes=-0", "bytes=99999999-"):
        a = get(c, here, Range=asked)
        check(a.status == 416 and
              a.headers["Content-Range"] == f"bytes */{size}", f"{asked}: {a}")
    for asked in ("bytes=5-1", "bytes=0-1,4-5", "lines=0-1", "bytes=x"):
        a = get(c, here, Range=asked)
        check(a.status == 200 and len(a.body) == size, f"{asked}: {a.status}")
    a = get(c, here, Range="bytes=0-9", If_Range=f'"{hexed}"')
    check(a.status == 206, "If-Range that holds")
    a = get(c, here, Range="bytes=0-9", If_Range='"other"')
    check(a.status == 200, "If-Range that does not hold")
    a = get(c, here, If_None_Match=f'"{hexed}"')
    check(a.status == 304 and a.body == b"", f"{a}")
    # Read thirty times within the hour, noted once; by another once more.
    check(len(notes(c)) == 1 and notes(c)[0][0] == "viewed" and
          notes(c)[0][1].startswith("supervisor#"), f"{notes(c)}")
    other = c.admin("token", "--role", "auditor")[0]["token"]
    check(get(c, here, other).status == 200, "the auditor")
    check(len(notes(c)) == 2, f"{notes(c)}")
    admin = c.admin("token", "--role", "admin")[0]["token"]
    check(get(c, here, admin).status == 403, "an administrator reads")
    check(get(c, here, "nobody").status == 401, "nobody reads")
    check(get(c, "/api/v1/evidence/" + "0" * 64).status == 404, "none")
    check(get(c, "/api/v1/evidence/xyz").status == 404, "no digest")
    # A type that lies is not believed, nor one that a browser would run.
    for sort, body in (("image/jpeg", b"<script>alert(1)</script>" * 9),
                       ("text/html", b"<html><script>1</script></html>")):
        named(c, d.hand, body, type=sort, name="a.html")
        d.send(body)
        a = get(c, "/api/v1/evidence/" + hashlib.sha256(body).hexdigest())
        check(a.status == 200 and
              a.headers["Content-Type"] == "application/octet-stream" and
              a.headers["Content-Disposition"].startswith("attachment;"),
              f"{sort}: {a.headers}")
    check(c.logged("evidence_type", "image/jpeg"), "the lie is not logged")


def reading_that_cannot_be_noted_is_refused(c):
    """With the disk full a reader is turned away, not let in unseen."""
    full = c.dir / "full"
    c.make_court()
    c.start(env=c.unlucky(full=full))
    d = Carrier(c, "a")
    data = blob(100_000)
    d.send(data)
    here = "/api/v1/evidence/" + hashlib.sha256(data).hexdigest()
    full.touch()
    for _ in range(3):
        a = get(c, here)
        check(a.status == 503, f"read unseen: {a.status}")
    full.unlink()
    check(get(c, here).status == 200, "with room again")
    check(len(notes(c)) == 1, f"{notes(c)}")


def custody_retention_and_check(c):
    """A file's life from the log alone; what a case keeps stays, the rest goes
    by an entry; check tells what is wrong and deletes nothing."""
    c.begin()
    d = Carrier(c, "a")
    files = {x: blob(50_000, i) for i, x in enumerate(
        ("past", "future", "none", "held", "objected", "nobody"))}
    case = {x: f"（2026）苏0302执{i}号" for i, x in enumerate(files)}
    for x, data in files.items():
        if x != "nobody":
            named(c, d.hand, data, case=case[x] if x != "none" else None)
        d.send(data)
    hexes = {x: hashlib.sha256(v).hexdigest() for x, v in files.items()}
    c.admin("evidence", "keep", "--case", case["past"], "--until",
            "2026-01-31", "--by", "sup")
    for x in ("future", "objected", "held"):
        c.admin("evidence", "keep", "--case", case[x], "--until",
                "2031-01-31" if x == "future" else "2026-01-31")
    c.admin("evidence", "hold", "--case", case["held"], "--reason", "诉讼")
    rec = c.admin("evidence", "hold", "--case", case["past"], "--reason",
                  "信访")[0]["rec"]
    objection = uuid7()
    raw = said(d.hand, objection, ["case_no"], [case["objected"]], "open")
    head, body = raw.split(b"\n", 1)
    head = json.loads(head)
    head["kind"] = "objection@1"
    d.hand.push(json.dumps(head, ensure_ascii=False, separators=(
        ",", ":")).encode() + b"\n" + body)
    c.caught_up()

    def judged():
        return {x["sha256"]: x for x in c.admin("evidence", "purge")}
    j = judged()
    check(j[hexes["past"]]["why"] == "legal hold", f"{j}")
    check(j[hexes["future"]]["why"] == "its time is not over", f"{j}")
    check("no case number" in j[hexes["none"]]["why"], f"{j}")
    check("no record" in j[hexes["nobody"]]["why"], f"{j}")
    check("objection" in j[hexes["objected"]]["why"], f"{j}")
    c.admin("evidence", "release", "--record", rec, "--reason", "已答复")
    j = judged()
    check(j[hexes["past"]]["why"] == "may go", f"{j}")
    check(stored(c, files["past"]).exists(), "looking deletes")
    c.admin("evidence", "purge", "--confirm", "--reason", "期满", "--by", "sup")
    for x in files:
        check(stored(c, files[x]).exists() == (x != "past"), f"{x}")
    check(get(c, f"/api/v1/evidence/{hexes['nobody']}").status == 200, "read")
    wait_for("the purge to be known", lambda: get(
        c, f"/api/v1/evidence/{hexes['past']}").status == 410)
    steps = c.admin("evidence", "show", hexes["past"])
    check([s["what"] for s in steps] == ["sealed", "received", "purged"] and
          steps[2]["reason"] == "期满" and steps[0]["dev"] == d.dev,
          f"{steps}")
    steps = c.admin("evidence", "show", hexes["nobody"])
    check([s["what"] for s in steps] == ["received", "viewed"], f"{steps}")
    # The court's second copy has it still: each run says so, by its name.
    second = c.dir / "second"
    (second / hexes["past"][:2]).mkdir(parents=True)
    (second / hexes["past"][:2] / hexes["past"]).write_bytes(files["past"])
    out = c.admin("backup", "--out", c.dir / "b1", "--media", second)
    check(out[0] == {"left": hexes["past"]} and out[-1]["files"]["left"] == 1
          and out[-1]["files"]["missing"] == 0, f"{out}")
    out = c.admin("evidence", "bring", "--from", second)
    check(out[-1]["left"] == 1 and out[-1]["brought"] == 0 and
          not stored(c, files["past"]).exists(), f"{out}")
    # A purged one may be brought again: it is new.
    d.send(files["past"])
    check_stored(c, files["past"])

    def faults():
        out = c.admin("check", ok=(0, 3))
        return sorted((x["area"], x["where"].split("/")[-1], x["fault"])
                      for x in out[:-1])
    check(faults() == [("evidence", hexes["nobody"],
                        "no receipt, or no record names it")], f"{faults()}")
    copy = c.dir / "copy"
    n = c.admin("evidence", "copy", "--out", str(copy))[0]
    check(n["copied"] == 6 and n["damaged"] == 0, f"{n}")
    n = c.admin("evidence", "copy", "--out", str(copy))[0]
    check(n["copied"] == 0 and n["there"] == 6, f"{n}")
    f = stored(c, files["future"])
    spoiled = bytearray(f.read_bytes())
    spoiled[7] ^= 1
    f.write_bytes(spoiled)
    stored(c, files["held"]).unlink()
    (f.parent / "notes.txt").write_text("?")
    got = faults()
    check([x[2] for x in got if x[1] == hexes["future"]] == [
        "its bytes are not those of its name"], f"{got}")
    check([x[2] for x in got if x[1] == hexes["held"]] == [
        "the log has a receipt, and the file is not there"], f"{got}")
    check([x[1] for x in got if "no name of" in x[2]] == ["notes.txt"],
          f"{got}")
    check(f.read_bytes() == spoiled, "check changes what it reads")
    check(get(c, f"/api/v1/evidence/{hexes['held']}").status == 500, "missing")
    # The table is made anew from folder and log.
    c.stop()
    for x in c.court.glob("evidence.db*"):
        x.unlink()
    c.start()
    a = d.ask("HEAD", "/v1/evidence/" + "0" * 32)
    check(a.status == 404, f"{a}")
    n = len(receipts(c))
    check(d.create(files["none"]).offset == 50_000, "it forgot what it has")
    check(len(receipts(c)) == n, "a second receipt for the same device")


def copies_are_noted_and_proved(c):
    """A copy that leaves the centre is in the log before its first byte, is
    the file or nothing, and goes along with an export that the audit checks by
    digest; bodies that are withheld take their files with them."""
    c.begin()
    d = Carrier(c, "a")
    data, other, third = (blob(120_000, i) for i in (50, 51, 52))
    rec = named(c, d.hand, data)
    named(c, d.hand, other, rec)
    named(c, d.hand, third, rec)
    d.send(data)
    d.send(other)
    hexed, hexed2 = (hashlib.sha256(x).hexdigest() for x in (data, other))
    out = c.dir / "for the procuratorate.mp4"
    r = c.admin("evidence", "copy", hexed, "--out", out, "--by", "sup",
                "--reason", "移送检察院")[0]
    check(r == {"bytes": 120_000, "copied": 1, "sha256": hexed}, f"{r}")
    check(out.read_bytes() == data and oct(out.stat().st_mode)[-3:] == "600",
          "the copy")
    steps = c.admin("evidence", "show", hexed)
    check([x["what"] for x in steps] == ["sealed", "received", "copied"] and
          steps[2]["by"] == "sup" and steps[2]["reason"] == "移送检察院",
          f"{steps}")
    here = f"/api/v1/evidence/{hexed}/custody"
    wait_for("the centre to know of it", lambda: len(
        c.console(here)["steps"]) == 3)
    a = c.console(here)
    check(a["sha256"] == hexed and a["state"] == "stored" and
          a["steps"] == steps, f"{a}")
    check(len(notes(c)) == 1, "asking for custody is noted as reading")
    admin = c.admin("token", "--role", "admin")[0]["token"]
    check(get(c, here, admin).status == 403, "an administrator asks")
    check(get(c, "/api/v1/evidence/" + "0" * 64 + "/custody").status == 404,
          "custody of nothing")
    # Refused, and nothing is said or left.
    for args, rc in (((hexed, "--out", out, "--by", "sup"), 1),
                     ((hexed, "--out", c.dir / "x"), 2),
                     (("0" * 64, "--out", c.dir / "x", "--by", "sup"), 1),
                     (("xyz", "--out", c.dir / "x", "--by", "sup"), 1)):
        c.admin("evidence", "copy", *args, ok=(rc,))
    check(out.read_bytes() == data, "written over")
    check(len(notes(c)) == 1 and not (c.dir / "x").exists(), f"{notes(c)}")
    # Damaged here: no copy, and the log says that there was a try.
    f = stored(c, other)
    good = f.read_bytes()
    f.write_bytes(good[:-1] + b"?")
    c.admin("evidence", "copy", hexed2, "--out", c.dir / "x", "--by", "sup",
            ok=(3,))
    check(not list(c.dir.glob("x*")), "a damaged copy is left")
    check(len(notes(c)) == 2, f"{notes(c)}")
    # The whole court's folder, its files among it, by the auditor.
    vkey = c.admin("vkey")[0]["vkey"]
    a = json.loads(c.audit("store", c.court, "--key", vkey, "--json",
                           ok=(3,)).stdout)
    check([x["what"] for x in a["findings"]] == ["media"] and
          a["media"] == 2 and a["media_absent"] == 1, f"{a}")
    f.write_bytes(good)
    # An export with its files.
    bundle, media = c.dir / "bundle", c.dir / "media"
    r = c.admin("export", "--record", rec, "--out", bundle, "--media", media,
                "--by", "sup", "--reason", "律师阅卷")[0]
    check(r["files"] == {"absent": 1, "copied": 2, "damaged": 0, "there": 0},
          f"{r}")
    check({x.name for x in media.iterdir()} == {hexed, hexed2}, "its files")

    def audit(ok):
        return json.loads(c.audit("bundle", bundle, "--key", vkey, "--media",
                                  media, "--json", ok=(ok,)).stdout)
    a = audit(1)
    check(a["media"] == 2 and a["media_absent"] == 1, f"{a}")
    check([x["reason"] for x in c.admin("evidence", "show", hexed2)
           if x["what"] == "copied"] == ["", "律师阅卷"], "why it was copied")
    swapped = bytearray(good)
    swapped[99] ^= 1
    (media / hexed2).write_bytes(swapped)
    a = audit(3)
    check([x["what"] for x in a["findings"]] == ["media"], f"{a}")
    (media / hexed2).unlink()
    a = audit(1)
    check(a["media"] == 1 and a["media_absent"] == 2, f"{a}")
    # Once more: what is there stays, what lacks comes.
    r = c.admin("export", "--record", rec, "--out", bundle, "--media", media,
                "--by", "sup")[0]
    check(r["files"] == {"absent": 1, "copied": 1, "damaged": 0, "there": 1},
          f"{r}")
    entry = [x["id"] for x in c.console(f"/api/v1/records/{rec}")[
        "attachments"] if x["sha256"] == hexed][0]
    less = c.dir / "less"
    r = c.admin("export", "--record", rec, "--out", bundle, "--media", less,
                "--by", "sup", "--withhold", f"{entry}:个人信息")[0]
    check({x.name for x in less.iterdir()} == {hexed2}, "a withheld file went")


CASES = [
    copies_are_noted_and_proved,
    the_console_reads_whole_and_in_ranges,
    reading_that_cannot_be_noted_is_refused, custody_retention_and_check,
    a_file_arrives_whole_and_is_receipted, tus_must_by_must, endings_keep_what_came,
    killed_servers_lose_nothing_said,
    two_devices_bring_the_same_bytes_at_once,
    big_uploads_do_not_slow_entries, bad_requests_are_refused_clearly,
    other_bytes_are_kept_apart, uploads_expire,
    revoked_devices_bring_within_a_quota,
    full_disks_are_told_and_entries_go_on, really_full_disk_of_the_centre,
    slow_clients_and_strangers,
]

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
