#!/usr/bin/env python3
"""A file over a link that is slow, far, lossy, and cut off every few seconds,
with a change of address in the middle.

    test_weak_link.py BIN                      scaled for every day
    test_weak_link.py BIN --full [--tus]       20 MiB at 64 kbit/s: an hour

The link is tests/e2e/tus/weak_link.py.  Where the machine lets us, the handheld
stands in a network namespace of its own, and its address changes for real:
nobody tells the old connection.  --tus: against the tests' own tus server
instead of the centre; no entries are written meanwhile then.
"""
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import support
from support import Failed, check, wait_for
sys.path.insert(0, str(Path(__file__).parent / "tus"))
import tus_server  # noqa: E402
import weak_link  # noqa: E402

NET = "10.77.%d" % (os.getpid() % 250)


def run(*args, ok=True):
    r = subprocess.run(list(map(str, args)), capture_output=True, text=True)
    if ok and r.returncode != 0:
        raise Failed(f"{args}: {r.stderr}")
    return r.returncode == 0


class Namespace:
    """A network namespace joined to ours by a pair of virtual wires."""

    def __init__(self):
        self.name = f"daybreak-{os.getpid()}"
        self.wires = f"dbk{os.getpid() % 10000}"
        self.host, self.there = f"{NET}.1", 2
        self.ok = os.getuid() == 0 and run(
            "ip", "netns", "add", self.name, ok=False)
        if not self.ok:
            self.host = "127.0.0.1"
            return
        try:
            run("ip", "link", "add", self.wires, "type", "veth", "peer",
                "name", "eth0", "netns", self.name)
            run("ip", "addr", "add", f"{NET}.1/24", "dev", self.wires)
            run("ip", "link", "set", self.wires, "up")
            self.inside("ip", "link", "set", "lo", "up")
            self.inside("ip", "link", "set", "eth0", "up")
            self.inside("ip", "addr", "add", f"{NET}.2/24", "dev", "eth0")
        except Failed:
            self.close()
            self.ok, self.host = False, "127.0.0.1"

    def inside(self, *args):
        run("ip", "netns", "exec", self.name, *args)

    def command(self, *args):
        return (["ip", "netns", "exec", self.name] if self.ok else []) + \
            list(map(str, args))

    def move(self):
        """Another address: what was connected is so no more."""
        old, self.there = self.there, self.there + 1
        self.inside("ip", "addr", "del", f"{NET}.{old}/24", "dev", "eth0")
        self.inside("ip", "addr", "add", f"{NET}.{self.there}/24", "dev",
                    "eth0")

    def close(self):
        if self.ok:
            run("ip", "netns", "del", self.name, ok=False)
            run("ip", "link", "del", self.wires, ok=False)
            self.ok = False


class Court(support.Court):
    """Its handhelds dial the weak link."""

    def __init__(self, bin_dir, host):
        super().__init__(bin_dir)
        self.at = (host, support.court.free_port())

    def make_court(self):
        d, c, p = self.ports
        self.admin("init", "--court", "xz0302", "--name", "云龙区人民法院",
                   "--recovery-out", self.dir / "take-away.json",
                   "--address", f"127.0.0.1:{p}",
                   "--devices-address", f"{self.at[0]}:{self.at[1]}")


def go(c, ns, size, scale, tus):
    rtt, cut = 0.6 / scale, 20 / scale
    relay = weak_link.Relay(c.at, ("127.0.0.1", c.ports[0]), 64000 * scale,
                            rtt, 0.05, None)
    c.begin()
    c.agent("a", "enrol", c.code_for("p1"))
    rec = c.record("a", "某处")
    c.sync("a")
    data = random.Random(1).randbytes(size)
    f = c.dir / "video.bin"
    f.write_bytes(data)
    entry = c.agent("a", "attach", rec, f)[-1]["id"]
    server = None
    if tus:
        cert = tus_server.server_cert(c, c.dir / "tus")
        c.stop()
        server = tus_server.Server(c.ports[0], *cert).begin()
    before = dict(relay.carried)
    relay.begin_cuts(cut)
    began = time.monotonic()
    more = [] if tus else ["--sync", "--write", rec, "--every",
                           str(int(10000 / min(scale, 4)))]
    p = subprocess.Popen(
        ns.command(c.bin / "upload_tool", c.dir / "a", "--patient", *more),
        env=c.env, stdout=subprocess.PIPE, text=True)
    moved, last, at = False, {}, began
    for line in p.stdout:
        last = json.loads(line)
        if os.environ.get("DAYBREAK_TRACE"):
            print(round(time.monotonic() - began, 2), line, end="")
        if time.monotonic() - at > 60:
            at = time.monotonic()
            print(f"{at - began:.0f} s: {last['all_taken']} of {size}, cuts "
                  f"{relay.cuts}", file=sys.stderr, flush=True)
        if not moved and last["all_taken"] > size / 2:
            moved = True
            if ns.ok:
                ns.move()
            else:
                relay.cut()
    code = p.wait()
    took = time.monotonic() - began
    carried = relay.carried[True] - before[True]
    got = {"bytes": size, "seconds": round(took, 1),
           "best_seconds": round(size / (8000 * scale), 1),
           "cuts": relay.cuts, "moved": moved, "namespace": ns.ok,
           "given_up": last.get("all_body", 0), "on_the_link": carried,
           "link_over": round(carried / size - 1, 4),
           "notes": last.get("notes", 0), "worst_ms": last.get("worst_ms", 0)}
    if tus:
        got["connections"] = relay.connections
        got["body_at_server"] = server.body_bytes
        got["twice"] = round(server.body_bytes / size - 1, 4)
        arrived = server.stored.get(hashlib.sha256(data).hexdigest()) == data
        server.end()
    else:
        arrived = True
    print(json.dumps(got))
    check(code == 0, f"it did not end well: {last}")
    check(moved, "the address never changed")
    check(arrived, "it did not arrive")
    relay.end_cuts()
    if not tus:
        relay.bytes_s = 1e9
        check_centre(c, entry)
        check(got["notes"] > 2 and got["worst_ms"] < 45000,
              f"entries were held up: {got}")
    # A handshake at each connection, heads, and what was in flight when it was
    # cut: small where a connection lives for 20 seconds.
    check(carried <= size * (1.2 if scale == 1 else 1.4),
          f"too much on the link: {got}")
    if tus:
        check(got["twice"] <= 0.03, f"sent twice: {got}")
    relay.close()


def check_centre(c, entry):
    """The receipt came, proved."""
    def stored():
        c.sync("a")
        for x in c.agent("a", "evidence"):
            if x["entry"] == entry:
                return x["state"] == "stored"
        return False
    wait_for("the receipt", stored)


def main():
    full, tus = "--full" in sys.argv, "--tus" in sys.argv
    ns = Namespace()
    c = Court(sys.argv[1], ns.host)
    good = False
    try:
        if full:
            go(c, ns, 20 << 20, 1, tus)
        else:
            go(c, ns, 1200000, 8, tus)
        if c.server is not None:
            c.stop()
        good = True
    except Failed as e:
        print(f"FAILED: {e}\nkept: {c.dir}")
    finally:
        c.close(keep=not good)
        ns.close()
    os._exit(0 if good else 1)


if __name__ == "__main__":
    main()
