"""What the end-to-end tests share: a court of real programs, looked at from
outside, and a handheld that says what no honest one would.

Each test program is a list of cases, each a function that takes a Court; see
run_cases.  Python's own library only, and openssl for keys.
"""
import base64
import hashlib
import http.client
import json
import os
import shutil
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import time
import traceback
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import court  # noqa: E402
from court import Failed  # noqa: E402,F401

CENTRE = "centre.daybreak.internal"
YEAR = 365 * 86400


def check(true, what):
    """A condition that must hold, with what was seen where it does not."""
    if not true:
        raise Failed(what)


def wait_for(what, condition):
    """Wait for a condition, however slow the machine; what it gave."""
    for _ in range(1200):
        got = condition()
        if got:
            return got
        time.sleep(0.1)
    raise Failed(f"waited in vain for: {what}")


def small_disk(at, mib):
    """A real disk of so many MiB mounted there; None where mounting is not
    allowed.  `umount` it in the end."""
    at.mkdir(exist_ok=True)
    r = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "none",
                        str(at)], capture_output=True)
    return at if r.returncode == 0 else None


def grow_disk(at, mib):
    subprocess.run(["mount", "-o", f"remount,size={mib}m", str(at)],
                   check=True)


def openssl(*args, data=None):
    r = subprocess.run(["openssl", *map(str, args)], input=data,
                       capture_output=True)
    check(r.returncode == 0, f"openssl {args}: {r.stderr.decode()[-800:]}")
    return r.stdout


class Court(court.Court):
    """A court with its server; `luck` are variables of bad_luck.c for it."""

    def __init__(self, bin_dir):
        super().__init__(bin_dir, True)
        self.preload = Path(bin_dir) / "libbad_luck.so"
        self.token = None
        # What is freed is to be seen as freed: memory is measured here.
        self.env["ASAN_OPTIONS"] = "quarantine_size_mb=1:" + self.env.get(
            "ASAN_OPTIONS", "")

        # cairo keeps some of its fonts' caches until the process ends.
        self.env["LSAN_OPTIONS"] = (
            f"print_suppressions=0:suppressions={ROOT}/tests/e2e/lsan.supp")

    def unlucky(self, **luck):
        """The environment of a program with bad luck (see bad_luck.c)."""
        if not self.preload.exists():  # it would be passed over in silence
            raise Failed(f"{self.preload} is not built")
        env = dict(self.env, LD_PRELOAD=str(self.preload))
        env["ASAN_OPTIONS"] = ("verify_asan_link_order=0:" +
                               env.get("ASAN_OPTIONS", ""))
        for k, v in luck.items():
            env["DAYBREAK_TEST_" + k.upper()] = str(v)
        return env

    def start(self, env=None, **options):
        """Start the server: in another environment, with other options."""
        honest = self.env
        self.env = dict(env or honest)
        for k, v in options.items():
            self.env["DAYBREAK_" + k.upper()] = str(v)
        try:
            super().start()
        finally:
            self.env = honest
        if self.token is None:
            self.token = self.admin("token", "--role", "supervisor")[0]["token"]

    def begin(self, **options):
        self.make_court()
        self.start(**options)

    def restart(self, **kw):
        self.stop()
        self.start(**kw)

    def run_env(self, env, prog, *args, **kw):
        honest = self.env
        self.env = env
        try:
            return self.run(prog, *args, **kw)
        finally:
            self.env = honest

    def ask(self, home, *args, env=None, ok=(0, 1, 3)):
        """Run the agent; its exit code, its JSON lines, its words."""
        r = self.run_env(env or self.env, "daybreak-agent", "--home",
                         self.dir / home, "--json", *args, ok=ok, lines=False)
        out = [json.loads(x) for x in r.stdout.splitlines()
               if x.startswith("{")]
        return r.returncode, out, r.stdout + r.stderr

    def record(self, home, target, env=None):
        code, out, words = self.ask(
            home, "record", "search", "started_at=2026-11-24 05:10",
            f"target={target}", env=env)
        check(code == 0 and "rec" in out[-1], f"record: {words}")
        return out[-1]["rec"]

    def status(self, home):
        return self.agent(home, "status")[-1]

    def code_for(self, officer, *more):
        return self.admin("enrol-code", "--officer", officer, "--name",
                          f"officer {officer}", "--role", "judge", "--team",
                          "甲", *more)[0]["code"]

    # ---- what the centre holds, and what it told its supervisors

    def send(self, method, path, body=None):
        """Any method on the console, whatever comes of it: status, body."""
        h = http.client.HTTPSConnection(
            "127.0.0.1", self.ports[1], timeout=60,
            context=ssl._create_unverified_context())
        try:
            h.request(method, path, body,
                      {"Authorization": f"Bearer {self.token}"})
            r = h.getresponse()
            return r.status, r.read()
        finally:
            h.close()

    def console(self, path):
        return json.loads(self.api(path))

    def alarms(self, sort):
        return [a for a in self.console("/api/v1/alarms")["alarms"]
                if a["sort"] == sort]

    def device(self, dev):
        for d in self.console("/api/v1/devices")["devices"]:
            if d["dev"] == dev:
                return d
        return None

    def revoke(self, dev, what="revoked"):
        self.admin("revoke", "--dev", dev, "--reason", "test", "--what", what)
        wait_for("the revocation to be known", lambda: self.device(dev)[
            "standing"] == what)

    def query(self, sql, *args):
        """Read the store beside the running server."""
        db = sqlite3.connect(f"file:{self.court}/store.db?mode=ro", uri=True,
                             timeout=60)
        try:
            return db.execute(sql, args).fetchall()
        finally:
            db.close()

    def logged(self, *words):
        """Lines of the server's log that hold all of these words."""
        text = (self.dir / "server.log").read_text(errors="replace")
        return [x for x in text.splitlines() if all(w in x for w in words)]

    def has(self, rec):
        """How many entries of a record the centre shows."""
        try:
            return len(self.console(f"/api/v1/records/{rec}/history")[
                "entries"])
        except urllib_error as e:
            if e.code == 404:
                return 0
            raise

    def all_there(self, *recs):
        self.caught_up()
        for rec in recs:
            check(self.has(rec) > 0, f"{rec} was acknowledged, and is gone")

    def bytes_taken(self):
        """Bytes of files that the server has written since its start."""
        for x in self.api("/metrics").decode().splitlines():
            if x.startswith("daybreak_evidence_bytes_total "):
                return int(x.split()[1])
        return 0

    def memory(self):
        """Bytes of the server that are in memory now."""
        for x in Path(f"/proc/{self.server.pid}/status").read_text(
        ).splitlines():
            if x.startswith("VmRSS:"):
                return int(x.split()[1]) * 1024
        raise Failed("no VmRSS")

    def healthy(self):
        """Whoever else misbehaves: a good handheld works as ever."""
        if not (self.dir / "good").exists():
            self.agent("good", "enrol", self.code_for("good"))
        rec = self.record("good", "一切如常")
        self.sync("good")
        s = self.status("good")
        check(s["queued"] == 0, f"the good handheld does not get through: {s}")
        return rec

    def ca_files(self):
        """The court's CA as PEM: for whoever stole its key."""
        crt, key = self.dir / "ca.pem", self.dir / "ca.key.pem"
        crt.write_text(ssl.DER_cert_to_PEM_cert(
            (self.court / "keys" / "ca.crt").read_bytes()))
        key.write_bytes(openssl("pkey", "-inform", "DER", "-in",
                                self.court / "keys" / "ca.key"))
        return crt, key

    def close(self, keep):
        if self.server is not None:
            self.server.kill()
            self.server.wait()
        if not keep:
            shutil.rmtree(self.dir)


urllib_error = court.urllib.request.HTTPError


# ---- a handheld of our own making


def varint(n):
    out = bytearray()
    while n > 0x7f:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return varint(n * 2 if n >= 0 else -n * 2 - 1)


def zstd_stored(plain):
    """A zstd frame without its magic, all of it in raw blocks."""
    out = b"\xa0" + struct.pack("<I", len(plain))
    blocks = [plain[i:i + 100000] for i in range(0, len(plain), 100000)]
    for i, b in enumerate(blocks or [b""]):
        last = i + 1 >= len(blocks)
        out += struct.pack("<I", len(b) << 3 | last)[:3] + b
    return out


def frame(ctl, text=b"", raw=b"", packed=None):
    """A container of docs/PROTOCOL.md, section 2."""
    z = packed if packed is not None else zstd_stored(
        varint(len(ctl)) + ctl + text)
    return b"\x01" + varint(len(z)) + z + raw


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


class Handheld:
    """A device in good standing that can be made to say anything."""

    def __init__(self, court, name):
        self.c = court
        self.dir = court.dir / f"hand-{name}"
        self.dir.mkdir()
        self.name = name
        self.key = self.dir / "chain.pem"
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.key)
        self.public = openssl("pkey", "-in", self.key, "-pubout", "-outform",
                              "DER")[-32:]
        self.dev = base64.b32encode(
            sha(self.public)[:16]).decode().lower().rstrip("=")
        self.tls_key = self.dir / "tls.pem"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-out", self.tls_key)
        self.csr = openssl("req", "-new", "-key", self.tls_key, "-subj",
                           "/CN=device", "-outform", "DER")
        self.cert = self.dir / "cert.pem"
        self.chain = os.urandom(16)
        self.seq, self.link, self.links = 0, None, {}

    def sign(self, message, key=None):
        f = self.dir / "message"
        f.write_bytes(message)
        return openssl("pkeyutl", "-sign", "-rawin", "-inkey",
                       key or self.key, "-in", f)

    # ---- requests

    def context(self, cert=True):
        ctx = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(
            (self.c.court / "keys" / "ca.crt").read_bytes()))
        if cert:
            ctx.load_cert_chain(self.cert if cert is True else cert,
                                self.tls_key)
        return ctx

    def connect(self, port, ctx, session=None):
        s = socket.create_connection(("127.0.0.1", port), timeout=120)
        return ctx.wrap_socket(s, server_hostname=CENTRE, session=session)

    def post(self, path, body, port=0, ctx=None, method="POST"):
        """One request; the status, the body, the headers."""
        tls = self.connect(self.c.ports[port], ctx or self.context(port == 0))
        h = http.client.HTTPConnection(CENTRE)
        h.sock = tls
        try:
            h.request(method, path, body)
            r = h.getresponse()
            return r.status, r.read(), r.headers
        finally:
            h.close()

    def enrol_body(self, code, csr=None):
        text = code.split("-")[1]
        raw = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
        hashed = sha(raw[:16])
        self.descriptor = raw[16:]
        sig = self.sign(b"daybreak-enrol/1\0" + hashed +
                        sha(csr or self.csr) + self.descriptor)
        return json.dumps({
            "v": 1, "code": hashed.hex(), "key": self.public.hex(),
            "csr": base64.b64encode(csr or self.csr).decode(),
            "sig": sig.hex()})

    def enrol(self):
        code = self.c.code_for(self.name)
        status, body, _ = self.post("/v1/enrol", self.enrol_body(code),
                                    port=2)
        check(status == 200, f"enrol: {status} {body}")
        der = base64.b64decode(json.loads(body)["cert"])
        self.cert.write_text(ssl.DER_cert_to_PEM_cert(der))
        self.link = sha(b"daybreak-chain/1\0", self.descriptor, self.public,
                        self.chain)
        self.links = {0: self.link}
        return self

    # ---- entries and frames

    def entry(self, rec=None, **head):
        """The bytes of the next entry: a `message` by default."""
        body = json.dumps({"salt": os.urandom(16).hex(), "data": ["甲"]},
                          ensure_ascii=False, separators=(",", ":")).encode()
        h = {"v": 1, "court": "xz0302", "chain": self.chain.hex(),
             "seq": self.seq + 1, "rec": rec or uuid7(), "kind": "search@1",
             "do": "open", "on": ["target"], "by": self.name,
             "at": "2026-11-24T05:10:00+08:00",
             "wall": int(time.time() * 1000), "mono": 1000,
             "boot": "00" * 16, "after": [], "body": sha(body).hex()}
        if self.seq == 0:
            h["dev"] = self.dev
        h.update(head)
        line = json.dumps(h, ensure_ascii=False, separators=(",", ":"))
        return line.encode() + b"\n" + body

    def append(self, raw):
        """Put bytes on the chain; what they are is not looked at."""
        self.seq += 1
        self.link = sha(b"\x02", self.link, struct.pack(">Q", self.seq),
                        sha(raw.split(b"\n", 1)[0]))
        self.links[self.seq] = self.link
        return raw

    def piece(self, raws, first, key=None, sig=None, chain=None):
        """A request with one piece of verbatim entries that ends here."""
        ctl = (varint(1) + varint(1) + varint(first) + varint(len(raws)) +
               varint(0))
        text, chain = b"", chain or self.chain
        for r in raws:
            whole = b"\n" in r
            text += (b"\x16" if whole else b"\x17") + r
            ctl += varint(len(r))
        last = first + len(raws) - 1
        sig = sig or self.sign(b"daybreak-head/1\0" + chain + struct.pack(
            ">Q", last) + self.links[last], key)
        return frame(ctl, text, chain + sig)

    def push(self, *raws, **kw):
        """Append and send; the answer's status and body."""
        first = self.seq + 1
        for r in raws:
            self.append(r)
        return self.post("/v1/sync", self.piece(raws, first, **kw))

    def acked(self):
        """The last place of this chain that the centre has."""
        rows = self.c.query("SELECT last_seq FROM chains WHERE id = ? "
                            "ORDER BY branch LIMIT 1", self.chain)
        return rows[0][0] if rows else 0


def uuid7():
    u = bytearray(struct.pack(">Q", int(time.time() * 1000))[2:] +
                  os.urandom(10))
    u[6] = u[6] & 0x0f | 0x70
    u[8] = u[8] & 0x3f | 0x80
    return str(uuid.UUID(bytes=bytes(u)))


# ---- running


def run_cases(cases):
    """test_x.py BIN [CASE…]: each case on a court of its own."""
    bin_dir, wanted = sys.argv[1], sys.argv[2:]
    failed = 0
    for case in cases:
        if wanted and case.__name__ not in wanted:
            continue
        began = time.monotonic()
        c = Court(bin_dir)
        good = False
        try:
            case(c)
            if c.server is not None:
                c.stop()
            good = True
        except Failed as e:
            print(f"FAILED {case.__name__}: {e}\nkept: {c.dir}")
        except Exception:  # a fault of the test is a failure like any other
            traceback.print_exc()
            print(f"FAILED {case.__name__}; kept: {c.dir}")
        finally:
            c.close(keep=not good)
        failed += not good
        if good:
            print(f"ok {case.__name__} ({time.monotonic() - began:.1f} s)",
                  flush=True)
    # Whoever forgets what this returns does not thereby pass.
    if failed:
        sys.exit(1)
    return 0
