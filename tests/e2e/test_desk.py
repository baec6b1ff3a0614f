#!/usr/bin/env python3
"""Recorders' cards read at a desk, with real films: what is told of them, what
is proposed, what is attached, and what the centre finds (docs/EVIDENCE.md).

    python3 tests/e2e/test_desk.py BIN [CASE…]
"""
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import Court, check, run_cases, wait_for  # noqa: E402

CHINA = timezone(timedelta(hours=8))
DAYS = 2  # so long ago the morning was: cards must have been read since
SIDE, DOT = 320, 6


def rfc(ms):
    t = datetime.fromtimestamp(ms // 1000, CHINA)
    return t.strftime("%Y-%m-%dT%H:%M:%S") + (
        f".{ms % 1000:03d}" if ms % 1000 else "") + "+08:00"


def picture(lines):
    """The frame that a lens sees of a QR in half blocks."""
    rows = []
    for line in lines:
        rows.append([0 if ch in " ▄" else 255 for ch in line])
        rows.append([0 if ch in " ▀" else 255 for ch in line])
    grey = bytearray([90]) * (SIDE * SIDE)
    for y, row in enumerate(rows):
        for x, v in enumerate(row):
            for dy in range(DOT):
                at = (20 + y * DOT + dy) * SIDE + 20 + x * DOT
                grey[at:at + DOT] = bytes([v]) * DOT
    return bytes(grey)


def film(path, made_ms, seconds, seen=None, at=(), how=()):
    """A film of a frame a second; `seen` is in the frames `at`."""
    blank = bytes((x + y) % 200 for y in range(SIDE) for x in range(SIDE))
    frames = b"".join(seen if seen and i in at else blank
                      for i in range(seconds))
    r = subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray",
         "-s", f"{SIDE}x{SIDE}", "-r", "1", "-i", "-", "-pix_fmt", "yuv420p",
         "-c:v", "mpeg4", "-q:v", "3", "-g", "1", *how, "-metadata",
         "creation_time=" + datetime.fromtimestamp(
             made_ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
         str(path)], input=frames, capture_output=True)
    check(r.returncode == 0, f"ffmpeg: {r.stderr.decode()}")
    return path


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def tree(folder):
    """All that must not change of a card."""
    out = {}
    for top, dirs, files in os.walk(os.fsencode(folder)):
        for name in dirs + files:
            p = os.path.join(top, name)
            s = os.lstat(p)
            out[p] = (s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
    return out


class Morning:
    """A search of two days ago: the handheld of p001, a desk in its team."""

    def __init__(self, c):
        self.c = c
        c.begin()
        c.enrol("h", "p001", "张伟", "judge", "甲")
        c.enrol("d", "p002", "王芳", "clerk", "甲")
        self.then = c.unlucky(clock_s=-DAYS * 86400)
        self.rec = self.told("record", "search", "target=现金",
                             "place/address=建国路1号")[-1]["rec"]
        self.code = c.run_env(
            self.then, "daybreak-agent", "--home", c.dir / "h", "clock-code",
            self.rec, "--for", "1", lines=False).stdout.splitlines()
        qr = [x for x in self.code if x and x[0] in "█▀▄ "]
        self.seen = picture(qr)
        self.shown = round(datetime.fromisoformat(
            re.search(r"\S+\+08:00", "\n".join(self.code))[0]).timestamp() *
            1000)
        self.began = self.shown + 3000
        self.told("set", self.rec, f"started_at={rfc(self.began)}",
                  f"ended_at={rfc(self.began + 180000)}")
        self.item = "recorders/@" + self.told(
            "add", self.rec, "recorders", "device=R-07", "officer=p001",
            f"on_at={rfc(self.began)}")[-1]["id"]
        c.sync("h", "d")
        c.sync("d")

    def told(self, *args, home="h"):
        code, out, words = self.c.ask(home, *args, env=self.then)
        check(code == 0, f"{args}: {words}")
        return out

    def desk(self, *args, ok=0, env=None):
        code, out, words = self.c.ask("d", "desk", *args, env=env)
        check(code == ok, f"desk {args}: {code} {words}")
        return out

    def listed(self, path=None):
        files = {f["digest"]: f for f in self.desk("list")}
        return files if path is None else files[digest(path)]

    def findings(self):
        r = self.c.console(f"/api/v1/records/{self.rec}")
        return {f["key"]: f for f in r["findings"] if "zh" in f}

    def upload(self):
        for _ in range(6):
            self.c.agent("d", "sync")


def a_morning_is_filed(c: Court):
    """Catches films that go to no record, or to a wrong one; an offset taken
    from nowhere; a finding that cries before, or is silent after."""
    m = Morning(c)
    keys = wait_for("the centre to miss the film", lambda: {
        k for k in m.findings() if k.startswith("footage_missing")})
    check(keys == {"footage_missing:"}, f"{keys}")
    card = c.dir / "card"
    (card / "DCIM").mkdir(parents=True)
    hours = 8 * 3600000  # it writes local time, and says it is UTC
    a = film(card / "DCIM/A.mp4", m.began - 5000 - hours, 65, m.seen,
             (2, 3, 4))
    b = film(card / "DCIM/B.mp4", m.began + 130000 - hours, 65)
    before = tree(card)

    out = m.desk("scan", card, "--recorder", "R-07", "--filmed-by", "p001")
    check(out[-1]["counts"]["read"] == 2, f"{out[-1]}")
    f = m.listed(a)
    check(f["clock"] == "code" and abs(f["clock_off_ms"] - hours) < 1000,
          f"the clock: {f}")
    check(f["length_ms"] == 65000 and f["type"] == "video/mp4", f"{f}")
    for path in (a, b):
        p = m.listed(path)["proposed"]
        check(len(p) == 1 and p[0]["as"] == "sure" and p[0]["rec"] == m.rec
              and p[0]["on"] == m.item, f"proposed: {p}")
    check(not c.console(f"/api/v1/records/{m.rec}")["attachments"],
          "attached without anybody's word")

    done = m.desk("confirm", "--all")
    check(len(done) == 2 and all(d["id"] for d in done), f"{done}")
    check(tree(card) == before, "the card was written")
    m.upload()
    r = wait_for("both films at the centre", lambda: (
        lambda r: r if len(r["attachments"]) == 2 and all(
            x.get("state") == "stored" for x in r["attachments"]) else None)(
                c.console(f"/api/v1/records/{m.rec}")))
    by = {x["sha256"]: x for x in r["attachments"]}
    of_a, of_b = by[digest(a)], by[digest(b)]
    check(of_a["on"] == [m.item], f"on: {of_a['on']}")
    check(of_a["more"]["recorder"] == "R-07" and
          of_a["more"]["filmed_by"] == "p001", f"who filmed: {of_a['more']}")
    check(of_a["more"]["taken"][:17] == rfc(m.began - 5000)[:17] and
          of_a["more"]["ms"] == 65000, f"when: {of_a['more']}")
    note = of_a["more"]["clock"]
    check(of_a["more"]["clock_at_ms"] == 2000 and
          "clock_in" not in of_a["more"], f"the proof: {of_a['more']}")
    check(of_b["more"]["clock"] == note and
          of_b["more"]["clock_in"] == digest(a), f"{of_b['more']}")
    state = json.loads(c.api(f"/api/v1/records/{m.rec}/state"))
    shown = state["acts"][note]["more"]["clock"]
    dots = subprocess.run(["zbarimg", "-q", "--raw", "-"], input=b"P5 %d %d 255 "
                          % (SIDE, SIDE) + m.seen, capture_output=True)
    check(dots.stdout.decode().strip().split(":")[3].lower() == shown,
          "the note names another nonce than the screen showed")

    gap = wait_for("the gap to be found",
                   lambda: m.findings().get("footage_gap:"))
    check("footage_missing:" not in m.findings(), "still missing")
    check("1分钟10秒" in gap["zh"] and "(1 min 10 s)" in gap["en"],
          f"the gap: {gap['en']}")
    here = [f["finding"] for f in m.desk_findings() if
            f["finding"].get("rule") == "footage_gap"]
    check(here and here[0]["en"] == gap["en"], f"at the desk: {here}")

    # A moment of it is tied to the act, and shown on both sides.
    m.desk_note(of_a["id"], 61000)
    c.sync("d")
    point = wait_for("the moment", lambda: c.console(
        f"/api/v1/records/{m.rec}")["points"])[0]
    check(point["attach"] == of_a["id"] and point["text"] == "开门" and
          point["moment"][:19] == rfc(m.began + 56000)[:19], f"{point}")
    words = c.run("daybreak-agent", "--home", c.dir / "d", "show", m.rec,
                  lines=False).stdout
    check("录像中的时点" in words and "1:01" in words, words)
    check(c.ask("d", "note", m.rec, "开门", "--attach", of_a["id"],
                "--at-ms", "65001")[0] == 1, "a moment behind the end")

    # The other recorder's card covers it; its clock was never shown.
    other = c.dir / "other"
    other.mkdir()
    x = film(other / "X.mp4", m.began + 50000, 90)
    m.desk("scan", other, "--recorder", "R-08")
    f = m.listed(x)
    check(f["clock"] == "unchecked" and
          [p["as"] for p in f["proposed"]] == ["possible"], f"{f}")
    out = m.desk("confirm", digest(x)[:8], ok=1)
    check("surely" in out[-1]["error"], f"{out}")
    m.desk("confirm", digest(x)[:8], m.rec)
    m.upload()
    wait_for("the gap to be covered",
             lambda: "footage_gap:" not in m.findings())


def a_card_read_twice_doubles_nothing(c: Court):
    """Catches a second reading that attaches, uploads or lists twice; a file
    that changed between reading and confirming; a refused one that comes
    back."""
    m = Morning(c)
    card = c.dir / "card"
    card.mkdir()
    a = film(card / "A.mp4", m.began, 30)
    b = film(card / "B.mp4", m.began + 40000, 20)
    (card / "COPY.mp4").write_bytes(a.read_bytes())
    who = ("--filmed-by", "p001")
    m.desk("scan", card, *who)
    check(len(m.listed()) == 2, f"{m.listed().keys()}")
    check(m.listed(a)["proposed"][0]["as"] == "likely", f"{m.listed(a)}")
    m.desk("confirm", digest(a), m.rec)
    entries = c.status("d")["entries"]
    out = m.desk("scan", card, *who)
    check(out[-1]["counts"]["known"] == 3 and out[-1]["bytes"] == 0,
          f"read again: {out[-1]}")
    out = m.desk("confirm", digest(a), m.rec)
    check(out[-1]["id"] is None, f"attached twice: {out}")
    check(c.status("d")["entries"] == entries, "an entry was written")
    check(m.listed(a)["state"] == "attached" and
          m.listed(a)["attached"] == [m.rec], f"{m.listed(a)}")

    m.desk("refuse", digest(b)[:10], "--reason", "误拍")
    m.desk("scan", card)
    f = m.listed(b)
    check(f["state"] == "refused" and f["reason"] == "误拍", f"{f}")
    m.desk("clock", digest(b)[:10], "0", rfc(m.began + 40000))
    check(m.listed(b)["clock"] == "hand", f"{m.listed(b)}")
    check(m.desk("confirm", "--all") == [], "a refused file was attached")

    whole = b.read_bytes()
    b.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    out = m.desk("confirm", digest_of(whole), m.rec, ok=1)
    check("not those that were read" in out[-1]["error"], f"{out}")
    b.unlink()
    out = m.desk("confirm", digest_of(whole), m.rec, ok=1)
    check("card" in out[-1]["error"], f"{out}")
    c.sync("d")
    r = c.console(f"/api/v1/records/{m.rec}")
    check(len(r["attachments"]) == 1, f"{r['attachments']}")


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


def what_is_on_a_card_is_told_one_by_one(c: Court):
    """Catches a scan that ends at the first thing it does not like, follows a
    link out of the card, waits for a pipe for ever, or writes."""
    m = Morning(c)
    card = c.dir / "card"
    card.mkdir()
    good = film(card / "good.mp4", m.began, 10)
    cut = card / "cut.mp4"
    cut.write_bytes(good.read_bytes()[:5000])
    odd = os.path.join(os.fsencode(card), b"\xff\xfeA.avi")
    film(c.dir / "odd.avi", 0, 8)
    os.rename(c.dir / "odd.avi", odd)
    os.utime(odd, (m.began // 1000 + 8, m.began // 1000 + 8))
    stream = film(card / "stream.ts", 0, 9)
    os.utime(stream, (m.began // 1000 + 9, m.began // 1000 + 9))
    (card / "..mp4").write_bytes(b"")
    (card / "index.txt").write_text("A.mp4\n")
    (card / "io-error.mp4").write_bytes(good.read_bytes() + b"x")
    os.symlink("/etc/passwd", card / "link.mp4")
    os.symlink(c.dir, card / "folder")
    os.mkfifo(card / "pipe.mp4")
    sock = socket.socket(socket.AF_UNIX)
    home = os.getcwd()
    os.chdir(card)
    sock.bind("socket.mp4")
    os.chdir(home)
    deep = card
    for _ in range(20):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "deep.mp4").write_bytes(good.read_bytes() + b"y")
    before = tree(card)

    env = c.unlucky(unreadable="io-error")
    out = m.desk("scan", card, "--filmed-by", "p001", env=env)
    met = {}
    for x in out[:-1]:
        met.setdefault(x["met"], set()).add(x["name"])
    want = {"read": {"good.mp4", "%FF%FEA.avi", "stream.ts"}, "damaged": {"cut.mp4"},
            "other": {"..mp4", "index.txt"}, "unreadable": {"io-error.mp4"},
            "no_file": {"link.mp4", "folder", "pipe.mp4", "socket.mp4"},
            "too_deep": {"d" + "/d" * 15}}
    check(met == want, f"{met}")
    check(tree(card) == before, "the card was written")
    f = next(x["file"] for x in out if x["name"] == "%FF%FEA.avi")
    check(f["made_from"] == "file" and f["length_ms"] == 8000 and
          f["made"][:19] == rfc(m.began)[:19], f"by the file's time: {f}")
    check(m.listed(cut)["damaged"] is True, "not said to be damaged")
    f = m.listed(stream)
    check(f["type"] == "video/mp2t" and f["length_ms"] == 9000 and
          f["made"][:19] == rfc(m.began)[:19], f"a transport stream: {f}")
    f = next(x["file"] for x in out if x["name"] == "%FF%FEA.avi")
    done = m.desk("confirm", f["digest"], m.rec)
    check(done[-1]["id"], f"{done}")
    c.sync("d")
    more = c.console(f"/api/v1/records/{m.rec}")["attachments"][0]["more"]
    check("name" not in more and more["taken_from"] == "file", f"{more}")
    # What could not be read then is read the next time.
    out = m.desk("scan", card)
    check(out[-1]["counts"]["read"] == 1 and out[-1]["counts"]["known"] == 4,
          f"{out[-1]}")
    for words in (["scan", card / "nothing"], ["confirm", "12"],
                  ["confirm", "00000000"], ["clock", f["digest"], "99000",
                                            rfc(m.began)],
                  ["refuse", f["digest"]], ["scan"], ["burn", "x"]):
        m.desk(*words, ok=1)


def a_full_disk_at_the_desk_loses_nothing(c: Court):
    """Catches a film named in a record whose bytes found no room, or a scan
    that forgets what it read."""
    m = Morning(c)
    card = c.dir / "card"
    card.mkdir()
    a = film(card / "A.mp4", m.began, 30)
    m.desk("scan", card, "--filmed-by", "p001")
    full = c.dir / "full"
    full.touch()
    env = c.unlucky(full=full)
    out = m.desk("confirm", digest(a), m.rec, ok=1, env=env)
    check("full" in out[-1]["error"], f"{out}")
    film(card / "B.mp4", m.began + 40000, 5)
    out = m.desk("scan", card, ok=1, env=env)
    check("full" in out[-1]["error"], f"{out}")
    full.unlink()
    check(m.listed(a)["attached"] == [], "named without its bytes")
    m.desk("scan", card)
    check(len(m.listed()) == 2, "the rest was not read")
    m.desk("confirm", digest(a), m.rec)
    m.upload()
    r = c.console(f"/api/v1/records/{m.rec}")
    check([x["state"] for x in r["attachments"]] == ["stored"], f"{r}")


def a_desk_that_is_killed_goes_on_where_it_was(c: Court):
    """Catches a scan that begins anew, or doubles, after kill -9."""
    m = Morning(c)
    card = c.dir / "card"
    card.mkdir()
    films = [film(card / f"{i:02d}.mp4", m.began + i * 1000, 3 + i)
             for i in range(12)]
    p = subprocess.Popen(
        [c.bin / "daybreak-agent", "--home", c.dir / "d", "--json", "desk",
         "scan", card], env=c.env, stdout=subprocess.PIPE, text=True)
    for _ in range(4):
        check('"met":"read"' in p.stdout.readline(), "nothing was read")
    p.kill()
    p.wait()
    out = m.desk("scan", card)
    counts = out[-1]["counts"]
    check(counts["read"] + counts["known"] == 12 and counts["known"] >= 4,
          f"{counts}")
    check(set(m.listed()) == {digest(f) for f in films}, "not each once")


def a_film_attached_by_hand_is_footage(c: Court):
    """Catches a recording attached without the desk that covers nothing of its
    act, or that silences what is missing."""
    m = Morning(c)

    def found():
        return {f["finding"].get("rule") for f in m.desk_findings()}

    check("footage_missing" in found(), "nothing is missing")
    card = c.dir / "card"
    card.mkdir()
    half = film(card / "half.mp4", m.began, 90)
    rest = film(card / "rest.mp4", m.began + 89000, 95, m.seen, (2,))
    for path in (half, rest):
        code, _, words = c.ask("d", "attach", m.rec, path)
        check(code == 0, words)
        code, out, words = c.ask("d", "evidence", m.rec)
        check(code == 0, words)
        e = next(x for x in out if x["name"] == path.name)
        check(e["taken_from"] == "recording" and
              e["ms"] == (90000 if path == half else 95000), f"{e}")
        rules = found()
        check("footage_missing" not in rules and
              ("footage_gap" in rules) == (path == half), f"{rules}")
    e = next(x for x in out if x["name"] == "half.mp4")
    check(e["taken"][:19] == rfc(m.began)[:19] and "clock_off_ms" not in e,
          f"{e}")


def desk_findings(m):
    code, out, words = m.c.ask("d", "findings", m.rec)
    check(code in (0, 1), words)
    line = next(x for x in words.splitlines() if x.startswith("["))
    return json.loads(line)


def desk_note(m, attach, at_ms):
    code, _, words = m.c.ask("d", "note", m.rec, "开门", "--attach", attach,
                             "--at-ms", str(at_ms))
    check(code == 0, words)


Morning.desk_findings = desk_findings
Morning.desk_note = desk_note

if __name__ == "__main__":
    sys.exit(run_cases([a_morning_is_filed, a_card_read_twice_doubles_nothing,
                        what_is_on_a_card_is_told_one_by_one,
                        a_film_attached_by_hand_is_footage,
                        a_full_disk_at_the_desk_loses_nothing,
                        a_desk_that_is_killed_goes_on_where_it_was]))
