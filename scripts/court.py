"""A court of real programs in a temporary folder, with its handhelds: what the
demo and the end-to-end tests share.
"""
import csv
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "data"
PIN = "correct horse battery staple dawn"
PORTS = range(20000, 32000)  # below those that connections go out from


class Failed(Exception):
    pass


_held = []  # for as long as this process lives


def free_port():
    """A port that is ours until this process ends, of all that ask this way.

    What the system gives for port 0 is anybody's again the moment that it is
    closed, and servers name their ports before they listen on them.  So each is
    held by a name that the system gives to one process alone (an abstract
    socket, gone with the process), and lies where no connection begins.
    """
    first = (os.getpid() * 7919 + len(_held)) % len(PORTS)
    for n in range(len(PORTS)):
        port = PORTS[(first + n) % len(PORTS)]
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind(f"\0daybreak-port-{port}")
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            continue
        _held.append(name)
        return port
    raise Failed("no port is free")


class Court:
    def __init__(self, bin_dir, quiet):
        self.bin = Path(bin_dir)
        self.quiet = quiet
        self.dir = Path(tempfile.mkdtemp(prefix="daybreak-demo-"))
        self.court = self.dir / "court"
        self.pin = self.dir / "pin"
        self.pin.write_text(PIN + "\n")
        self.env = dict(os.environ, DAYBREAK_PIN_FILE=str(self.pin))
        self.server = None
        self.ports = [free_port() for _ in range(3)]
        self.bytes_up = 0
        self.sent = 0

    def say(self, text):
        if not self.quiet:
            print(f"\033[1m· {text}\033[0m" if sys.stdout.isatty()
                  else f"· {text}", flush=True)

    def run(self, prog, *args, ok=(0,), lines=True):
        r = subprocess.run([str(self.bin / prog), *map(str, args)],
                           env=self.env, capture_output=True, text=True)
        if r.returncode not in ok:
            raise Failed(f"{prog} {' '.join(map(str, args))}: exit "
                         f"{r.returncode}\n{r.stdout[-2000:]}"
                         f"{r.stderr[-2000:]}")
        if not lines:
            return r
        return [json.loads(x) for x in r.stdout.splitlines()
                if x.startswith("{")]

    def agent(self, home, *args, **kw):
        return self.run("daybreak-agent", "--home", self.dir / home, "--json",
                        *args, **kw)

    def admin(self, command, *args, **kw):
        return self.run("daybreak-server", command, "--dir", self.court,
                        "--json", *args, **kw)

    # ---- the centre

    def make_court(self):
        d, c, p = self.ports
        self.admin("init", "--court", "xz0302", "--name", "云龙区人民法院",
                   "--recovery-out", self.dir / "take-away.json",
                   "--address", f"127.0.0.1:{p}",
                   "--devices-address", f"127.0.0.1:{d}")

    def server_args(self):
        d, c, p = self.ports
        return [str(self.bin / "daybreak-server"), "run", "--dir",
                str(self.court), "--listen", f"127.0.0.1:{d}", "--console",
                f"127.0.0.1:{c}", "--public", f"127.0.0.1:{p}"]

    def start(self):
        self.log = open(self.dir / "server.log", "ab")
        self.server = subprocess.Popen(
            self.server_args(), stdout=subprocess.PIPE, stderr=self.log,
            env=self.env)
        line = self.server.stdout.readline()
        if b"ready" not in line:
            raise Failed("the server did not start: " +
                         (self.dir / "server.log").read_text()[-2000:])

    def stop(self):
        if self.server is None:
            return
        self.server.send_signal(signal.SIGTERM)
        try:
            self.server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.server.kill()
            raise Failed("the server did not stop when told")
        if self.server.returncode != 0:
            raise Failed(f"the server ended with {self.server.returncode}")
        self.server = None

    def api(self, path):
        """The console's certificate is the court's own: pinned by its CA."""
        ctx = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(
            (self.court / "keys" / "ca.crt").read_bytes()))
        ctx.check_hostname = False
        rq = urllib.request.Request(
            f"https://127.0.0.1:{self.ports[1]}{path}",
            headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(rq, context=ctx, timeout=60) as r:
            return r.read()

    def caught_up(self):
        for _ in range(600):
            s = json.loads(self.api("/api/v1/summary"))
            if s["position"] >= s["size"]:
                return s
            time.sleep(0.1)
        raise Failed("the projections did not catch up")

    # ---- handhelds

    def enrol(self, home, officer, name, role, team):
        code = self.admin("enrol-code", "--officer", officer, "--name", name,
                          "--role", role, "--team", team)[0]["code"]
        self.agent(home, "enrol", code)

    def sync(self, *homes):
        for h in homes:
            r = self.agent(h, "sync")[-1]
            if r["alarmed"]:
                raise Failed(f"{h}: alarmed: {r}")
            self.bytes_up += r["bytes_up"]
            self.sent += r["sent"]

    def part_of(self, name, first, count):
        """Rows first … first+count of a sample, as a file of its own."""
        with open(DATA / name, newline="", encoding="utf-8") as f:
            rows = list(csv.reader(f))
        out = self.dir / f"{first}-{name}"
        with open(out, "w", newline="", encoding="utf-8") as f:
            csv.writer(f).writerows([rows[0]] + rows[1 + first:1 + first + count])
        return out

    def bring_in(self, home, kind, file, name):
        r = self.agent(home, "import", kind, file, "--map",
                       DATA / "maps" / f"{name}.json")[-1]
        if r["refused"] or r["taken"] != r["rows"]:
            raise Failed(f"{file}: {r}")
        return r

    # ---- proof

    def same_bytes(self):
        """Handheld and centre give the same state of self.record, byte for
        byte."""
        here = self.run("daybreak-agent", "--home", self.dir / "h1", "show",
                        self.record, "--state", lines=False).stdout.strip()
        there = self.api(f"/api/v1/records/{self.record}/state").decode()
        if here != there:
            raise Failed("handheld and centre show different states")

    def audit(self, *args, ok):
        return self.run("daybreak-audit", *args, "--json", ok=ok, lines=False)
