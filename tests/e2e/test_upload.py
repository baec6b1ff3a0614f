#!/usr/bin/env python3
"""The real agent uploads files to tus servers that are not ours: a small one
that misbehaves on demand, and tus's own reference server (tests/e2e/tus).

    test_upload.py BIN [CASE…]

There is no centre here: the agent's court stands still, its listener for
devices is taken over.  So no receipt comes, and what is whole waits for one.
"""
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from support import Failed, check, run_cases, wait_for
sys.path.insert(0, str(Path(__file__).parent / "tus"))
import tus_server  # noqa: E402


class Scene:
    """A handheld with a record, and a tus server where its centre was."""

    def __init__(self, c, **kw):
        self.c = c
        c.begin()
        c.agent("a", "enrol", c.code_for("p1"))
        self.rec = c.record("a", "某处")
        c.sync("a")
        self.cert = tus_server.server_cert(c, c.dir / "tus")
        c.stop()
        self.s = None
        self.serve(**kw)

    def serve(self, old=None):
        self.s = tus_server.Server(self.c.ports[0], *self.cert).begin()
        if old is not None:
            self.s.uploads, self.s.stored = old.uploads, old.stored
        return self.s

    def attach(self, name, data, *more):
        f = self.c.dir / name
        f.write_bytes(data)
        return self.c.agent("a", "attach", self.rec, f, *more)[-1]["id"]

    def upload(self, *more, ok=(0, 1)):
        """What a person does: sync; there is no centre, so entries fail, and
        files are sent by a program of the tests (upload_tool)."""
        r = self.c.run("upload_tool", self.c.dir / "a", *more, ok=ok,
                       lines=False)
        return r.stdout

    def state(self, entry):
        for x in self.c.agent("a", "evidence"):
            if x["entry"] == entry:
                return x
        raise Failed(f"{entry} is not listed")

    def end(self):
        self.s.end()


def some(size, seed):
    return random.Random(seed).randbytes(size)


def sha(data):
    return hashlib.sha256(data).hexdigest()


def files_arrive_whole(c):
    """Would catch: bytes changed, doubled or left out, at the edges of pieces;
    a file of no bytes; types and sizes that are not what was said."""
    t = Scene(c)
    all_ = [some(n, n) for n in (0, 1, 65535, 65536, 65537, 1000000)]
    ids = [t.attach(f"f{i}", x) for i, x in enumerate(all_)]
    t.upload(ok=(0,))
    for data, entry in zip(all_, ids):
        check(t.s.stored.get(sha(data)) == data if data else True,
              f"{len(data)} bytes did not arrive")
        check(t.state(entry)["state"] == "waiting", str(t.state(entry)))
    check(t.s.body_bytes == sum(map(len, all_)), "bytes sent twice")
    t.end()


def what_the_centre_has_is_not_lost(c):
    """Would catch: a file that is called lost, in the record and for good,
    while the centre has it and only its receipt is on the way."""
    t = Scene(c)
    data = some(80000, 17)
    entry = t.attach("f", data)
    t.upload(ok=(0,))
    check(t.s.stored.get(sha(data)) == data, "it did not arrive")
    for f in (c.dir / "a" / "blobs").iterdir():
        f.unlink()
    for _ in range(2):
        check(t.state(entry)["state"] == "waiting", str(t.state(entry)))
    code, _, words = c.ask("a", "evidence", "get", entry, c.dir / "out")
    check(code != 0 and not (c.dir / "out").exists(), words)
    check(t.state(entry)["state"] == "waiting", str(t.state(entry)))
    found = c.agent("a", "findings", t.rec, lines=False).stdout
    check("evidence_lost" not in found, found)
    t.end()


def goes_on_where_it_stopped(c):
    """Would catch: a file begun anew after a cut, a lost answer, a restart of
    the server or of the handheld."""
    t = Scene(c)
    data = some(3000000, 1)
    entry = t.attach("video.bin", data)
    t.s.cuts = [50000, 200000, 1, 300000]
    t.s.lose = 2
    t.upload("--steps", "4")
    was = t.state(entry)
    check(was["state"] == "uploading", str(was))
    old = t.s
    t.end()
    t.serve(old)
    t.upload(ok=(0,))
    check(t.s.stored.get(sha(data)) == data, "it did not arrive")
    sent = old.body_bytes + t.s.body_bytes
    check(sent <= len(data) * 1.03 + 65536, f"{sent} bytes for {len(data)}")
    t.end()


def a_killed_handheld_goes_on(c):
    """Would catch: an upload that a kill -9 throws back, or a row that says
    more than is true."""
    t = Scene(c)
    data = some(6000000, 2)
    t.attach("video.bin", data)
    chance = random.Random(7)
    for _ in range(12):
        p = subprocess.Popen([str(c.bin / "upload_tool"), str(c.dir / "a")],
                             env=c.env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.05, 0.9))
        p.send_signal(signal.SIGKILL)
        p.wait()
    t.upload(ok=(0,))
    check(t.s.stored.get(sha(data)) == data, "it did not arrive")
    check(t.s.body_bytes <= len(data) * 1.03 + 12 * 65536,
          f"{t.s.body_bytes} bytes for {len(data)}")
    t.end()


def a_kept_connection_that_died_shifts_nothing(c):
    """Would catch: the first 64 KiB of a body left out, and what follows sent in
    their place, where curl begins again on a new connection."""
    t = Scene(c)
    honest = c.env
    for n in range(1, 10):
        data, before = some(400000, 100 + n), t.s.body_bytes
        t.attach("f", data)
        c.env = c.unlucky(break_send=n)
        t.upload("--patient")
        c.env = honest
        t.upload("--patient")
        sent = t.s.body_bytes - before
        check(t.s.stored.get(sha(data)) == data, f"{n}: it did not arrive")
        # Other bytes are refused whole, and all is sent once more.
        check(sent == len(data), f"{n}: {sent} bytes came for {len(data)}")
    t.end()


def what_a_server_may_answer(c):
    """Would catch: a refusal that ends an upload for good, or one that is
    repeated without a pause."""
    t = Scene(c)
    for method, status, headers, sent_twice in (
            ("HEAD", 404, {}, 1), ("PATCH", 404, {}, 1),
            ("PATCH", 409, {}, 1), ("PATCH", 410, {}, 1),
            ("PATCH", 423, {}, 1), ("PATCH", 500, {}, 1),
            ("PATCH", 502, {"Tus_Resumable": None}, 1),
            ("POST", 500, {}, 0), ("POST", 503, {"Retry_After": 1}, 0),
            ("PATCH", 503, {"Retry_After": 1}, 1),
            ("PATCH", 429, {"Retry_After": 1}, 1),
            ("PATCH", 204, {"Upload_Offset": 10 ** 9}, 1),
            ("PATCH", 204, {"Upload_Offset": "abc"}, 1),
            ("PATCH", 204, {}, 1), ("PATCH", 204, {"Upload_Offset": 0}, 1),
            ("POST", 201, {"Location": "https://elsewhere/x"}, 0),
            ("POST", 201, {"Location": "/v1/sync"}, 0),
            ("POST", 201, {"Location": "/v1/evidence/../sync"}, 0),
            ("POST", 201, {}, 0)):
        data = os.urandom(200000)
        t.attach("f", data)
        before = t.s.body_bytes
        t.s.answers = [(method, status, headers)]
        if method == "HEAD":
            t.s.cuts = [30000]
        words = f"{method} {status} {headers}"
        t.upload("--patient", ok=(0,))
        check(t.s.stored.get(sha(data)) == data, f"{words}: not there")
        check(not t.s.answers, f"{words}: was not asked for")
        twice = t.s.body_bytes - before - len(data)
        check(0 <= twice <= sent_twice * 65536, f"{words}: {twice} twice")
    t.end()


def refusals_that_last(c):
    """Would catch: asking again and again for what will not be given."""
    t = Scene(c)
    for i, (method, status) in enumerate((("POST", 413), ("POST", 412),
                                          ("POST", 507), ("POST", 403),
                                          ("POST", 404))):
        entry = t.attach(f"f{i}", os.urandom(1000))
        t.s.answers = [(method, status, {})] * 50
        n = len(t.s.requests)
        out = t.upload()
        asked = len(t.s.requests) - n
        # Each refusal puts this file off, or all of them: there are up to
        # i + 1 that wait.
        check(1 <= asked <= i + 1, f"{status}: asked {asked} times: {out}")
        check(t.state(entry)["state"] == "named", f"{status}")
    t.s.answers = []
    t.upload(ok=(0,))
    check(len(t.s.stored) == 5, "they did not go in the end")
    t.end()


def a_server_that_lies_loses_nothing(c):
    """Would catch: trust in an offset; it may cost bytes, never the file."""
    t = Scene(c)
    data = some(500000, 3)
    t.attach("f", data)
    t.s.lie = lambda n: n + 5           # says more than it has
    t.upload("--steps", "12")
    t.s.lie = lambda n: max(0, n - 5)   # … and less
    t.upload("--steps", "12")
    t.s.lie = lambda n: 10 ** 12        # … and nonsense
    t.upload("--steps", "6")
    t.s.lie = None
    t.upload("--patient", ok=(0,))
    check(t.s.stored.get(sha(data)) == data, "it did not arrive")
    t.end()


def other_bytes_are_sent_again_three_times(c):
    """Would catch: a loop over a file that the centre never gets right."""
    t = Scene(c)
    data = some(100000, 4)
    entry = t.attach("f", data)

    t.s.spoil = True
    t.upload("--patient")
    got = t.state(entry)
    check(got["state"] == "mismatched" and got["tries"] == 3, str(got))
    check(t.s.body_bytes == 3 * len(data), f"{t.s.body_bytes}")
    # Said in the record, once, and a finding there.
    for _ in range(2):
        found = c.agent("a", "findings", t.rec, lines=False).stdout
        check(f"evidence_lost:@{entry}" in found, found)
    acts = json.loads(c.run("daybreak-agent", "--home", c.dir / "a", "--json",
                            "show", t.rec, "--state",
                            lines=False).stdout)["acts"].values()
    notes = [x["more"] for x in acts if x["do"] == "note"]
    check(notes == [{"lost": sha(data)}], f"{notes}")
    t.end()


def what_goes_first(c):
    """Would catch: a video that holds up a photo, or what is urgent."""
    t = Scene(c)
    png = bytes.fromhex("89504e470d0a1a0a0000000d494844520000000100000001080"
                        "2000000907753de0000000c49444154789c6360606000000004"
                        "000160a1a3f50000000049454e44ae426082")
    mp4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"
    made = [("video", mp4 + some(300000, 5), ()),
            ("photo-1", png + b"1", ()),
            ("papers", b"%PDF-1.7\n" + some(1000, 6), ()),
            ("video-2", mp4 + some(200000, 7), ("--urgent",)),
            ("photo-2", png + b"2", ())]
    for name, data, more in made:
        t.attach(name, data, *more)
    order = []
    put = dict.__setitem__

    class Seeing(dict):
        def __setitem__(self, k, v):
            order.append(k)
            put(self, k, v)
    t.s.stored = Seeing()
    t.upload(ok=(0,))
    names = {sha(d): n for n, d, _ in made}
    got = [names[x] for x in order]
    check(got == ["video-2", "photo-2", "photo-1", "papers", "video"],
          str(got))
    t.end()


def a_budget_is_kept(c):
    """Would catch: a metered link that is used beyond what was allowed."""
    t = Scene(c)
    entry = t.attach("f", some(400000, 8))
    t.upload("--budget", "150000")
    check(t.s.body_bytes == 150000, f"{t.s.body_bytes} of 150000")
    check(t.state(entry)["sent"] == 150000, str(t.state(entry)))
    t.upload("--above", "300000")
    check(t.s.body_bytes == 150000, "too large, and sent")
    t.upload(ok=(0,))
    check(t.s.body_bytes == 400000, "the rest did not go")
    t.end()


def tus_own_server_takes_them(c):
    """Would catch: a client that only our own servers understand.  Against
    @tus/server of tests/e2e/tus, killed in the middle."""
    here = Path(__file__).parent / "tus"
    if not (here / "node_modules" / "@tus" / "server").is_dir():
        check("DAYBREAK_WHOLE" not in os.environ, "tus's server is not there")
        print("NOT RUN: tus's server is not installed (npm ci, tests/e2e/tus)")
        return
    t = Scene(c)
    t.end()
    folder = c.dir / "uploads"

    def start():
        p = subprocess.Popen(
            ["node", str(here / "reference.js"), str(c.ports[0]), str(folder),
             *map(str, t.cert)], stdout=subprocess.PIPE, text=True)
        check(p.stdout.readline() == "ready\n", "tus's server does not start")
        return p
    p = start()
    try:
        all_ = [some(n, n) for n in (0, 1, 65537, 30000000)]
        for i, x in enumerate(all_):
            t.attach(f"f{i}", x)
        t.upload("--steps", "9")
        p.kill()
        p.wait()
        t.upload()
        p = start()
        t.upload("--patient", ok=(0,))
    finally:
        p.kill()
        p.wait()
    there = {sha(f.read_bytes()) for f in folder.iterdir()
             if f.suffix != ".json"}
    for x in all_:
        check(sha(x) in there, f"{len(x)} bytes did not arrive")


CASES = [files_arrive_whole, what_the_centre_has_is_not_lost, goes_on_where_it_stopped,
         a_killed_handheld_goes_on,
         a_kept_connection_that_died_shifts_nothing, what_a_server_may_answer,
         refusals_that_last, a_server_that_lies_loses_nothing,
         other_bytes_are_sent_again_three_times, what_goes_first,
         a_budget_is_kept, tus_own_server_takes_them]

if __name__ == "__main__":
    sys.exit(run_cases(CASES))
