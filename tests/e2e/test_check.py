#!/usr/bin/env python3
"""A paper is checked by whoever holds it, in a real browser.

test_check.py BIN [CASE…]        docs/CHECK.md
DAYBREAK_PICTURES=FOLDER keeps pictures of what was seen.
"""
import base64
import hashlib
import http.client
import json
import os
import sqlite3
import ssl
import struct
import subprocess
import sys
from pathlib import Path

from browser import Browser
from paper import pack, scan, unpack
from support import Court, check, openssl, run_cases, wait_for

DAY = 86400
HOUR = "18:00"
LATER = {"hour": HOUR, "state": "later"}


# ---- what a stranger has: a paper, and the public listener


def ask(c, code, **send):
    """GET /v1/check/CODE: status, headers without the date, body."""
    ctx = ssl._create_unverified_context()
    h = http.client.HTTPSConnection("127.0.0.1", c.ports[2], context=ctx,
                                    timeout=60)
    try:
        h.request("GET", "/v1/check/" + code, headers=send)
        r = h.getresponse()
        body = r.read()
        headers = {k.lower(): v for k, v in r.getheaders()
                   if k.lower() != "date"}
        return r.status, headers, body
    finally:
        h.close()


def ask_page(c, path):
    """A page of the public listener."""
    h = http.client.HTTPSConnection(
        "127.0.0.1", c.ports[2], timeout=60,
        context=ssl._create_unverified_context())
    try:
        h.request("GET", path)
        return h.getresponse().read()
    finally:
        h.close()


def id_letters(raw):
    return base64.b32encode(raw[:16]).decode().rstrip("=")


def link_of(code):
    """The link that a code names: behind version, flags, chain, seq."""
    a = unpack(code)[0]
    at = 18
    while a[at] > 0x7f:
        at += 1
    return a[at + 1:at + 33]


def joined(c, *homes):
    c.begin()
    for h in homes or ("h",):
        c.agent(h, "enrol", c.code_for(h))


def record(c, home="h", no=1):
    return c.agent(home, "record", "seizure", "started_at=2026-11-24 05:10",
                   f"case_no=（2026）苏0302执{no}号", "debtor/name=李某")[-1][
                       "rec"]


def printed(c, rec, home="h"):
    """Print, and scan the page; the code."""
    out = c.dir / f"{rec}.pdf"
    c.agent(home, "print", rec, "seizure_inventory", "--out", out)
    return scan(out, c.dir / "page.pgm")


def tomorrow(c, days=1):
    """The public tree has moved on over all that was synced."""
    c.restart(env=c.unlucky(clock_s=days * DAY))
    c.caught_up()


def public(c, code):
    """Wait until the page's index has it; to ask would count."""
    wait_for("the paper to be public", lambda: project(
        c, "SELECT count(*) FROM public_print WHERE id = ?",
        link_of(code)[:16])[0][0])


# ---- in the browser


def page(c):
    return f"https://127.0.0.1:{c.ports[2]}/check"


def verdict(b):
    return b.run("const r = document.getElementById('result');"
                 "return r.hidden ? null : r.dataset.verdict")


def words(b):
    return b.run("return document.body.innerText")


def see(c, b, code, name=None):
    """Bring a code behind the page's own '#'; the verdict."""
    b.open(page(c) + "#" + code)
    got = wait_for("a verdict", lambda: verdict(b) or complaint(b))
    picture(b, name)
    return got


def complaint(b, where="bad"):
    return b.run("const p = document.getElementById(arguments[0]);"
                 "return p.hidden ? null : p.textContent", where)


def picture(b, name):
    folder = os.environ.get("DAYBREAK_PICTURES")
    if folder and name:
        b.picture(Path(folder) / f"{name}.png")


def typed(c, b, **fields):
    b.open(page(c))
    b.run("document.getElementById('by-hand').open = true;"
          "for (const [k, v] of Object.entries(arguments[0]))"
          "  document.getElementById('t-' + k).value = v;"
          "document.querySelector('#typed button').click();", fields)
    return wait_for("a verdict", lambda: verdict(b) or complaint(b, "t-bad"))


# ---- cases


def what_is_not_public_answers_as_what_never_was(c: Court):
    """Catches a page that tells a debtor that a team is out today."""
    joined(c)
    code = printed(c, record(c))
    first, _ = code.split("#")
    unknown = bytearray(unpack(code)[0])
    unknown[30] ^= 1
    never = pack(bytes(unknown), b"x" * 12).split("#")[0]
    asks = [first, never, id_letters(link_of(code)), id_letters(bytes(16))]
    before = [ask(c, x) for x in asks]
    c.sync("h")
    c.caught_up()
    after = [ask(c, x) for x in asks]
    check(json.loads(before[0][2]) == LATER, before[0])
    check(all(x == before[0] for x in before + after),
          f"answers differ: {before + after}")
    # Not only the same bytes: what is asked holds nothing of today.
    rows = wait_for("the print to be followed", lambda: project(
        c, "SELECT count(*) FROM printed")[0][0])
    check(rows == 1, f"printed: {rows}")
    check(project(c, "SELECT count(*) FROM public_print")[0][0] == 0,
          "a print of today is in what the public asks")


def project(c, sql, *args):
    db = sqlite3.connect(f"file:{c.court}/project.db?mode=ro", uri=True,
                         timeout=60)
    try:
        return db.execute(sql, args).fetchall()
    finally:
        db.close()


def a_paper_says_in_a_browser_whether_it_holds(c: Court):
    """Catches each of the page's answers given for another one."""
    joined(c)
    rec = record(c)
    item = c.agent("h", "add", rec, "items", "name=金条", "quantity=2",
                   "value/amount=120000")[-1]
    check("id" in item, item)
    code = printed(c, rec)
    old = printed(c, record(c, no=2))
    amended = record(c, no=3)
    corrected = printed(c, amended)
    c.agent("h", "amend", amended, "debtor/name=李某某", "--reason", "漏字")
    voided = record(c, no=4)
    of_void = printed(c, voided)
    c.agent("h", "void", voided, "--reason", "误建")
    aside = record(c, no=5)
    noted = printed(c, aside)
    c.agent("h", "note", aside, "补拍照片")
    c.agent("h", "amend", aside, "cause=借款", "--reason", "清单上没有此项")
    c.sync("h")
    b = Browser()
    try:
        b.phone()
        check(see(c, b, code, "later") == "later", words(b))
        check(f"今日制作的文书请于 {HOUR} 后在此核验" in words(b), words(b))
        tomorrow(c)
        public(c, noted)
        check(see(c, b, code, "good") == "good", words(b))
        for want in ("已存证，此后无更正", "请与手中纸面逐项核对",
                     "（2026）苏0302执1号", "查封（扣押）财产清单", "1项",
                     "120,000.00元", "云龙区人民法院"):
            check(want in words(b), f"{want} is not there: {words(b)}")
        check(see(c, b, old) == "good", words(b))
        check(see(c, b, noted) == "good", "a note is no correction: " +
              words(b))
        check(see(c, b, corrected, "corrected") == "corrected", words(b))
        check("已存证，其后有更正" in words(b), words(b))
        check(see(c, b, of_void) == "corrected", words(b))
        # What happens today shows tomorrow, not before.
        c.agent("h", "amend", rec, "debtor/name=王某", "--reason", "更正")
        c.sync("h")
        c.caught_up()
        check(see(c, b, code) == "good", "today shows through: " + words(b))
        tomorrow(c, 2)
        wait_for("the correction to be public",
                 lambda: see(c, b, code) == "corrected")
    finally:
        b.close()


def a_forged_paper_is_found_out(c: Court):
    """Catches a forgery of each sort that the page lets pass."""
    joined(c, "h", "other")
    code, second = printed(c, record(c)), printed(c, record(c, no=2))
    c.sync("h")
    tomorrow(c)
    public(c, second)
    a, s = unpack(code)
    a2, s2 = unpack(second)
    seq_end = 18 + next(i for i in range(9) if a[18 + i] < 0x80) + 1
    link, sig = slice(seq_end, seq_end + 32), slice(seq_end + 32, seq_end + 96)
    dev = slice(seq_end + 96, seq_end + 112)

    def changed(raw, where, value):
        return raw[:where.start] + value + raw[where.stop:]

    # His own key, over the very same head, under his own name.
    key = c.dir / "forger.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", key)
    public_key = openssl("pkey", "-in", key, "-pubout", "-outform",
                         "DER")[-32:]
    n, shift = 0, 0
    for x in a[18:seq_end]:
        n |= (x & 0x7f) << shift
        shift += 7
    (c.dir / "m").write_bytes(b"daybreak-head/1\0" + a[2:18] +
                              struct.pack(">Q", n) + a[link])
    forged = openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in",
                     c.dir / "m")
    his_dev = hashlib.sha256(public_key).digest()[:16]
    cases = {
        "another summary": (pack(a, s.replace(b"1", b"9", 1)), "false"),
        "another salt": (pack(a, bytes(10) + s[10:]), "false"),
        "the id of another record": (pack(a2, s), "false"),
        "another record's summary": (pack(a, s2), "false"),
        "another link under the same id": (pack(changed(
            a, link, a[link][:16] + bytes(16)), s), "false"),
        "no signature": (pack(changed(a, sig, bytes(64)), s), "false"),
        "another device's signature": (pack(changed(
            changed(a, sig, forged), dev, his_dev), s), "false"),
        "another device's signature, the right name": (pack(changed(
            a, sig, forged), s), "false"),
        "another device's name": (pack(changed(a, dev, his_dev), s), "false"),
        "another chain": (pack(changed(a, slice(2, 18), bytes(16)), s),
                          "false"),
        "a place that is not its own": (pack(
            b"\1\1" + a[2:dev.stop] + b"\1" + a[dev.stop:], s), "false"),
        "an id that never was": (pack(changed(a, link, os.urandom(32)), s),
                                 "later"),
    }
    b = Browser()
    try:
        for what, (text, want) in cases.items():
            got = see(c, b, text, what.replace(" ", "_")
                      if what == "another summary" else None)
            check(got == want, f"{what}: {got}: {words(b)}")
            if want == "false":
                check("内容与存证不符" in words(b), words(b))
                check("请与手中纸面逐项核对" not in words(b), words(b))
        check(see(c, b, code) == "good", "the true one still holds")
        # An entry that is in the log and no print.
        got = json.loads(ask(c, code.split("#")[0])[2])
        rec = json.loads(got["head"])["rec"]
        ids = [e["id"] for e in c.console(f"/api/v1/records/{rec}/history")[
            "entries"]]
        plain = next(x for x in ids if bytes.fromhex(x) != a[link][:16])
        check(json.loads(ask(c, id_letters(bytes.fromhex(plain)))[2]) ==
              LATER, "an entry that is no print was found")
    finally:
        b.close()


def what_is_typed_is_checked_too(c: Court):
    """Catches a paper that can be checked with a camera alone, and a number
    that vouches for contents nobody compared."""
    joined(c)
    code = printed(c, record(c))
    c.sync("h")
    tomorrow(c)
    public(c, code)
    a, s = unpack(code)
    letters = id_letters(link_of(code))
    groups = " ".join(letters[i:i + 4] for i in range(0, 26, 4))
    salt = base64.b32encode(s[:10]).decode()
    lines = dict(enumerate(s[10:].decode().split("\n")))
    b = Browser()
    try:
        got = typed(c, b, id=groups.lower())
        picture(b, "idonly")
        check(got == "idonly", words(b))
        check("编号已存证，内容未核对" in words(b) and
              "已存证，此后无更正" not in words(b), words(b))
        got = typed(c, b, id=groups, salt=salt, **{
            str(i): x for i, x in lines.items()})
        check(got == "good", words(b))
        got = typed(c, b, id=groups, salt=salt, **{
            str(i): x.replace("执1号", "执9号") for i, x in lines.items()})
        check(got == "false", words(b))
        check("26" in typed(c, b, id="ABC"), words(b))
        b.open(page(c))
        b.run("document.querySelector('#scan button').click()")
        check("DBP1-" in wait_for("a complaint", lambda: complaint(b)),
              words(b))
        picture(b, "ask")
    finally:
        b.close()


def a_photograph_of_the_paper_will_do(c: Court):
    """Catches a page that reads pictures in one browser alone, and a reader
    that sends them away."""
    joined(c)
    rec = record(c)
    code = printed(c, rec)
    c.sync("h")
    tomorrow(c)
    public(c, code)
    photo, other = c.dir / "photo.png", c.dir / "other.png"
    for path, dpi in ((photo, 160), (other, 8)):
        r = subprocess.run(["pdftoppm", "-r", str(dpi), "-png",
                            "-singlefile", str(c.dir / f"{rec}.pdf"),
                            str(path.with_suffix(""))])
        check(r.returncode == 0, "pdftoppm")
    b = Browser()
    try:
        b.phone()
        b.open(page(c))
        offered = wait_for("the page", lambda: b.run(
            "return document.getElementById('court').textContent.trim() &&"
            "  String(!document.getElementById('by-photo').hidden)"))
        reader = json.loads(ask_page(c, "/v1/check"))["reader"]
        picture(b, "offer")
        if not reader:
            print("   built without npm's qr: no picture is read")
            check(offered == "false" or b.run(
                "return 'BarcodeDetector' in window"), "offered in vain")
            return
        check(offered == "true", "a reader, and nothing offered")
        b.choose("photo", photo)
        got = wait_for("a verdict", lambda: verdict(b) or complaint(b))
        check(got == "good", f"{got}: {words(b)}")
        urls = b.run("return performance.getEntriesByType('resource')"
                     ".map((x) => x.name)")
        host = f"https://127.0.0.1:{c.ports[2]}/"
        check(all(x.startswith(host) for x in urls), urls)
        check(any(x.endswith("/qr/decode.js") for x in urls),
              f"not by the reader: {urls}")
        b.open(page(c))
        wait_for("the page", lambda: b.run(
            "return !document.getElementById('by-photo').hidden"))
        b.choose("photo", other)
        got = wait_for("a complaint", lambda: complaint(b))
        check("没有认出二维码" in got, got)
        picture(b, "unread")
    finally:
        b.close()
    check(b"Paul Miller" in ask_page(c, "/qr/LICENSE"), "no licence")


def nothing_of_the_summary_leaves_the_browser(c: Court):
    """Catches a page that needs a third party, or tells the court what stands
    on the paper."""
    joined(c)
    code = printed(c, record(c))
    c.sync("h")
    tomorrow(c)
    public(c, code)
    b = Browser()
    try:
        check(see(c, b, code) == "good", words(b))
        urls = b.run("return performance.getEntriesByType('resource')"
                     ".map((x) => x.name)")
        host = f"https://127.0.0.1:{c.ports[2]}/"
        check(urls and all(x.startswith(host) for x in urls), urls)
        second = code.split("#")[1]
        check(not any(second[:20] in x for x in urls), urls)
        check(b.run("return document.cookie + localStorage.length") == "0",
              "something is kept")
    finally:
        b.close()
    status, headers, body = ask(c, code.split("#")[0])
    text = body.decode()
    check(status == 200 and "李某" not in text and "苏0302执" not in text,
          f"contents: {text}")
    csp = headers["content-security-policy"]
    check("default-src 'none'" in csp and "unsafe" not in csp, csp)
    for name, want in (("x-content-type-options", "nosniff"),
                       ("referrer-policy", "no-referrer"),
                       ("cache-control", "no-store")):
        check(headers.get(name) == want, f"{name}: {headers}")
    check(not c.logged(second[:20]), "the summary came to the court")


def who_asks_too_often_is_told_when_to_come_back(c: Court):
    """Catches a door that can be tried without end."""
    joined(c)
    got = [ask(c, id_letters(os.urandom(16))) for _ in range(40)]
    allowed = [x for x in got if x[0] == 200]
    refused = [x for x in got if x[0] == 429]
    check(30 <= len(allowed) < 40 and len(refused) == 40 - len(allowed),
          [x[0] for x in got])
    check(all(1 <= int(x[1]["retry-after"]) <= 2 for x in refused),
          refused[0])
    # The handhelds go on.
    c.record("h", "一切如常")
    c.sync("h")
    check(ask(c, "nonsense")[0] in (400, 429), "nonsense")


def behind_a_proxy_each_asker_is_counted_apart(c: Court):
    """Catches one asker who shuts the page for all, and one who escapes by
    inventing addresses."""
    c.begin(public_proxy="127.0.0.1")

    def asked(via):
        return ask(c, id_letters(os.urandom(16)), **{"X-Forwarded-For": via})[0]

    first = [asked(f"203.0.113.{i}, 192.0.2.1") for i in range(35)]
    check(429 in first, "made-up addresses count")
    check(asked("192.0.2.2") == 200, "another asker is shut out")
    c.restart()
    check(429 in [asked(f"192.0.2.{i}") for i in range(35)],
          "anybody's header is believed")


def to_look_prints_nothing(c: Court):
    """Catches an entry for each browser that looks ahead, or asks twice."""
    joined(c)
    rec = record(c)
    c.sync("h")
    c.caught_up()
    before = c.has(rec)
    for method in ("GET", "HEAD", "PUT", "OPTIONS"):
        status, body = c.send(method, f"/api/v1/records/{rec}/print/"
                              "seizure_inventory")
        check(status == 405 and b"%PDF" not in body,
              f"{method}: {status} {body[:200]}")
    c.caught_up()
    check(c.has(rec) == before, "a question wrote an entry")


def a_held_print_is_not_vouched_for(c: Court):
    """Catches a lost handheld whose finder prints genuine papers."""
    joined(c)
    code = printed(c, record(c))
    c.revoke(c.status("h")["dev"], "lost")
    c.ask("h", "sync")
    tomorrow(c)
    wait_for("the print to be public", lambda: project(
        c, "SELECT count(*) FROM public_print")[0][0])
    check(json.loads(ask(c, code.split("#")[0])[2]) == LATER,
          "a held print was found")


def the_centre_prints_the_same_and_says_where(c: Court):
    """Catches a paper of the centre that differs from the handheld's, or that
    nobody can check."""
    joined(c)
    c.agent("h", "set", rec := record(c), "debtor/name=李某")
    by_hand = printed(c, rec)
    c.sync("h")
    c.caught_up()
    out = c.dir / "centre.pdf"
    r = c.admin("print", rec, "seizure_inventory", "--out", out, ok=(2,),
                lines=False)
    check("--by" in r.stderr and not out.exists(), r.stderr)
    got = c.admin("print", rec, "seizure_inventory", "--out", out, "--by",
                  "h")[-1]
    by_centre = scan(out, c.dir / "page.pgm")

    def prints():
        # The daemon looks once a second at what other processes committed.
        acts = c.console(f"/api/v1/records/{rec}/state")["acts"]
        return got["id"] in acts and acts
    acts = {k: v for k, v in wait_for("the print to be seen", prints).items()
            if v["do"] == "print"}
    here, there = acts[link_of(by_hand)[:16].hex()], acts[got["id"]]
    check(here["more"]["text"] == there["more"]["text"] and
          here["more"]["summary"] == there["more"]["summary"],
          f"another text: {here} {there}")
    check(there["by"] == "h" and got["id"] == link_of(by_centre)[:16].hex(),
          f"by another: {there}")
    # The same over the API, under the name of whose token it is.
    c.token = c.admin("token", "--role", "commander", "--person", "h")[0]["token"]
    status, pdf = c.send("POST", f"/api/v1/records/{rec}/print/"
                         "seizure_inventory")
    check(status == 200, f"{status} {pdf}")
    (c.dir / "api.pdf").write_bytes(pdf)
    by_api = scan(c.dir / "api.pdf", c.dir / "page.pgm")
    check(by_api not in (by_centre, by_hand), "one entry for two papers")
    for form, want in (("search_record", 409), ("none", 404)):
        got = c.send("POST", f"/api/v1/records/{rec}/print/{form}")[0]
        check(got == want, f"{form}: {got}")
    c.token = c.admin("token", "--role", "admin")[0]["token"]
    got = c.send("POST", f"/api/v1/records/{rec}/print/seizure_inventory")[0]
    check(got == 403, f"who reads no records prints one: {got}")
    # The handheld hears of it, and both see one state.
    c.token = c.admin("token", "--role", "auditor")[0]["token"]
    c.caught_up()
    c.sync("h")
    mine = json.loads(c.agent("h", "show", rec, "--state",
                              lines=False).stdout)
    check(mine == c.console(f"/api/v1/records/{rec}/state"),
          "two states of one record")
    tomorrow(c)
    public(c, by_api)
    for what in (by_hand, by_centre, by_api):
        got = json.loads(ask(c, what.split("#")[0])[2])
        check(got["state"] == "found" and not got["corrected"], got)
    a, s = unpack(by_centre)
    check(a[1] == 1, "the centre's paper states no place")
    at = 18
    while a[at] > 0x7f:
        at += 1
    place = at + 1 + 32 + 64 + 16
    moved = pack(a[:place] + bytes([a[place] ^ 1]) + a[place + 1:], s)
    check(json.loads(ask(c, moved.split("#")[0])[2])["state"] == "false",
          "a paper with another place")


if __name__ == "__main__":
    sys.exit(run_cases([
        what_is_not_public_answers_as_what_never_was,
        a_paper_says_in_a_browser_whether_it_holds,
        a_forged_paper_is_found_out,
        what_is_typed_is_checked_too,
        a_photograph_of_the_paper_will_do,
        nothing_of_the_summary_leaves_the_browser,
        who_asks_too_often_is_told_when_to_come_back,
        behind_a_proxy_each_asker_is_counted_apart,
        to_look_prints_nothing,
        a_held_print_is_not_vouched_for,
        the_centre_prints_the_same_and_says_where]))
