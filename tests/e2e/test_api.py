#!/usr/bin/env python3
"""The read API as its users meet it: real programs over real TLS.

Would catch: a token or a role that opens what it must not, a parameter that is
passed over, a handheld and a centre that show different bytes, a device list
that forgets, a descriptor that is not given, options that take effect from the
wrong place, log lines that are no JSON.
"""
import base64
import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import court  # noqa: E402


def must(ok, what):
    if not ok:
        raise court.Failed(what)


def trusting(d):
    ctx = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(
        (d.court / "keys" / "ca.crt").read_bytes()))
    ctx.check_hostname = False
    return ctx


def get(d, path, token=None, port=1, scheme="Bearer"):
    """Status and body."""
    rq = urllib.request.Request(f"https://127.0.0.1:{d.ports[port]}{path}")
    if token is not None:
        rq.add_header("Authorization", f"{scheme} {token}")
    try:
        with urllib.request.urlopen(rq, context=trusting(d), timeout=60) as r:
            return r.status, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def tokens_and_roles(d, rec):
    closed = ["/api/v1/records", f"/api/v1/records/{rec}",
              f"/api/v1/records/{rec}/state",
              f"/api/v1/records/{rec}/history", "/api/v1/findings",
              "/api/v1/hints"]
    opened = ["/api/v1/devices", "/api/v1/tlog", "/api/v1/alarms",
              "/api/v1/summary", "/metrics", "/checkpoint", "/tile/0/000.p/1"]
    size = d.caught_up()["size"]
    opened[-1] = f"/tile/0/000.p/{size}"
    for port in (1, 2):
        must(get(d, f"/tile/0/000.p/{size + 1}", d.token, port)[0] == 404,
             "a tile that is not there yet")
    tokens = {r: d.admin("token", "--role", r)[0]["token"]
              for r in ("supervisor", "commander", "auditor", "admin",
                        "security")}
    for path in closed + opened:
        for bad in (None, "", "0" * 64, tokens["supervisor"][:-1],
                    tokens["supervisor"] + "0"):
            status, body = get(d, path, bad)
            must(status == 401, f"{path} with token {bad}: {status}")
            must(rec.encode() not in body, f"{path}: told something")
        for role in ("supervisor", "commander", "auditor"):
            must(get(d, path, tokens[role])[0] == 200, f"{path} for {role}")
        for role in ("admin", "security"):
            status, body = get(d, path, tokens[role])
            want = 403 if path in closed else 200
            must(status == want, f"{path} for {role}: {status}")
            must("现金".encode() not in body, f"{path}: contents for {role}")
    for scheme, want in (("bearer", 200), ("BEARER", 200), ("Basic", 401),
                         ("Bearer:", 401), ("", 401)):
        status = get(d, "/api/v1/tlog", tokens["auditor"], scheme=scheme)[0]
        must(status == want, f"the scheme {scheme}: {status}")
    r = d.admin("token", "--role", "anybody", ok=(1,), lines=False)
    must("anybody" not in r.stdout and "督察员" in r.stderr
         and "supervisor (supervisor)" in r.stderr and "judge" not in r.stderr,
         "a role that is not there")
    must("auditor" in d.admin("token", "--role", "judge", ok=(1,))[-1]["error"],
         "a role that has no token")
    must(get(d, "/healthz")[0] == 200, "health wants no token")
    return tokens["supervisor"]


def headers(d, rec, token):
    """What is told is kept in no cache, and who is refused is told what for."""
    def ask(path, *tokens):
        c = http.client.HTTPSConnection("127.0.0.1", d.ports[1], timeout=60,
                                        context=trusting(d))
        c.putrequest("GET", path)
        for t in tokens:
            c.putheader("Authorization", f"Bearer {t}")
        c.endheaders()
        r = c.getresponse()
        r.read()
        c.close()
        return r

    paths = ["records", f"records/{rec}", f"records/{rec}/state",
             f"records/{rec}/history", f"records/{rec}/ended", "findings",
             "hints", "devices", "tlog", "alarms", "held", "summary"]
    for path in paths:
        path = f"/api/v1/{path}"
        r = ask(path, token)
        must(r.status == 200 and r.headers["Cache-Control"] == "no-store",
             f"{path}: {r.status} {r.headers}")
        for tokens in (), ("0" * 64,):
            r = ask(path, *tokens)
            must(r.status == 401 and r.headers["WWW-Authenticate"] == "Bearer",
                 f"{path}: {r.status} {r.headers}")
        for tokens in (token, token), (token, "0" * 64), ("0" * 64, token):
            must(ask(path, *tokens).status == 400, f"{path}: two tokens")


def parameters(d, token):
    for bad in ("limit=x", "limit=-1", "from=yesterday", "grave=yes",
                "after=abc", "kind=" + "k" * 300, "to=2026-13-01T00:00:00Z"):
        status, body = get(d, f"/api/v1/records?{bad}", token)
        must(status == 400 and bad.split("=")[0] in json.loads(body)["message"],
             f"{bad}: {status} {body}")
    # A list that seems filtered and is not would mislead.
    for path in ("records?limit=0", "records?limit=1001", "records?conflict=1",
                 "records?team=x&team=%E7%94%B2", "records?grave",
                 "findings?limit=0", "findings?severty=grave",
                 "findings?kind=search", "held?limit=0", "held?limit=1001",
                 "held?person=p001", "hints?teams=x", "alarms?before=1"):
        status, body = get(d, f"/api/v1/{path}", token)
        name = path.split("?")[1].split("=")[0]
        must(status == 400 and name in json.loads(body)["message"],
             f"{path}: {status} {body}")
    must(get(d, "/api/v1/findings?severity=bad", token)[0] == 400, "severity")
    must(get(d, "/api/v1/alarms?after=x", token)[0] == 400, "after")
    seen, after = [], ""
    while True:
        page = json.loads(get(d, f"/api/v1/records?limit=2{after}", token)[1])
        seen += [r["rec"] for r in page["records"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    must(len(seen) == len(set(seen)) == 5, f"pages: {seen}")
    for query, count in (("kind=search", 4), ("kind=seizure", 1),
                         ("team=%E7%94%B2", 5), ("team=x", 0),
                         ("person=p001", 5), ("q=%E7%8E%B0%E9%87%91", 4),
                         ("from=2099-01-01T00:00:00Z", 0),
                         ("conflicts=1", 0), ("grave=1", 4)):
        page = json.loads(get(d, f"/api/v1/records?{query}", token)[1])
        must(len(page["records"]) == count,
             f"{query}: {len(page['records'])}, not {count}")


def described(name):
    """The members of a schema in docs/openapi.yaml."""
    text = (court.ROOT / "docs" / "openapi.yaml").read_text()
    body = re.search(rf"^    {name}:\n((?:      .*\n)+)", text, re.M)[1]
    return set(re.findall(r"^        (\w+): \{", body, re.M))


def members(d, token):
    """What is described is what comes, member by member."""
    row = json.loads(get(d, "/api/v1/records", token)[1])["records"][0]
    must(row.keys() == described("RecordRow"),
         f"RecordRow: {row.keys() ^ described('RecordRow')}")
    found = json.loads(get(d, "/api/v1/findings", token)[1])["findings"]
    for f in [x["finding"] for x in found] + json.loads(
            get(d, f"/api/v1/records/{row['rec']}", token)[1])["findings"]:
        must(f.keys() == described("Finding"),
             f"Finding: {f.keys() ^ described('Finding')}")
        for word in ("state", "owner", "due", "late", "answer", "answers",
                     "closed", "reopened"):
            must(word in f["life"], f"{word}: {f['life']}")


def one_record(d, rec, token):
    here = d.run("daybreak-agent", "--home", d.dir / "h1", "show", rec,
                 "--state", lines=False).stdout.rstrip("\n")
    status, there = get(d, f"/api/v1/records/{rec}/state", token)
    must(status == 200 and here.encode() == there, "state bytes differ")
    whole = json.loads(get(d, f"/api/v1/records/{rec}", token)[1])
    must(whole["kind"] == "search@1" and whole["findings"]
         and json.loads(there) == whole["state"], "one record")
    hist = json.loads(get(d, f"/api/v1/records/{rec}/history", token)[1])
    must([e["head"]["do"] for e in hist["entries"]] == ["open", "note"],
         "history")
    other = rec[:-1] + ("1" if rec[-1] == "0" else "0")
    for path in (f"/api/v1/records/{other}/state", "/api/v1/records/x",
                 "/api/v1/records/../tlog", "/api/v1/nothing"):
        must(get(d, path, token)[0] in (400, 404), path)


def administration(d):
    """Each result is an object; nobody is made by a slip of the hand, and no
    order goes to nobody."""
    key = d.run("daybreak-server", "vkey", "--dir", d.court,
                lines=False).stdout.strip()
    must(d.admin("vkey") == [{"vkey": key}], "vkey")
    bare = d.run("daybreak-server", "token", "--dir", d.court, "--role",
                 "auditor", lines=False).stdout.strip()
    must(len(bare) == len(d.admin("token", "--role", "auditor")[0]["token"])
         == 64, f"a token for a shell: {bare}")
    size = d.caught_up()["size"]
    for args in (("order", "--to", "p00l", "--text", "集合"),
                 ("order", "--to", "team:丙", "--text", "集合"),
                 ("order", "--to", "ALL", "--text", "集合"),
                 ("people", "--person", "p00l", "--team", "乙"),
                 ("people", "--person", "p00l", "--name", "张伟")):
        said = d.admin(*args, ok=(1,))[-1]
        must(said["error"] and said["zh"], f"{args}: {said}")
    # A role that was mistyped gives no rights: it is never logged.
    for role in ("jugde", "Judge", "法官", "supervisor "):
        for args in (("people", "--person", "p001"),
                     ("people", "--person", "p008", "--name", "王芳"),
                     ("enrol-code", "--officer", "p008", "--name", "王芳"),
                     ("confirm", "--dev", "nodev", "--person", "p008",
                      "--name", "王芳")):
            said = d.admin(*args, "--role", role, ok=(1,))[-1]
            must("judge (judge)" in said["error"]
                 and "judge 员额法官" in said["zh"], f"{args}, {role}: {said}")
    code = ("enrol-code", "--officer", "p009", "--name", "王芳", "--role",
            "judge", "--replaces")
    must(d.admin(*code, "nodev", "--reason", "丢失", ok=(1,))[-1]["zh"],
         "a code that replaces nothing")
    dev = d.admin("devices")[0]["dev"]
    d.admin(*code, dev, ok=(2,))
    must(d.caught_up()["size"] == size, "something was logged")
    for to in ("p001", "team:甲", "all"):
        must("place" in d.admin("order", "--to", to, "--text", "集合")[-1], to)


def devices(d, token, restarted):
    dev = json.loads(get(d, "/api/v1/devices", token)[1])["devices"][0]
    must(dev["last_contact"] is not None and dev["standing"] == "good", dev)
    must(dev["chains"][0]["seq"] == dev["entries"] == 6, dev)
    if restarted:
        must(dev["clock_offset_ms"] is None, dev)
    else:
        must(abs(dev["clock_offset_ms"]) < 60000, dev)


def descriptor(d):
    status, body = get(d, "/v1/descriptor", port=2)
    doc = json.loads(body)
    must(status == 200 and doc["v"] == 1 and len(doc["files"]) == 1, doc)
    first = base64.b64decode(doc["files"][0])
    must("云龙区人民法院".encode() in first, "the descriptor's first version")


def options(d):
    """A bad option ends the start with words, wherever it stands."""
    conf = d.court / "daybreak.json"

    def tried(env, *flags):
        return subprocess.run(
            [str(d.bin / "daybreak-server"), "run", "--dir", str(d.court),
             *flags], env=dict(os.environ, **env), capture_output=True,
            text=True, timeout=120)

    for env, flags, file, word in (
            ({}, (), "{", "daybreak.json"), ({}, (), '{"wrkers":1}', "wrkers"),
            ({"DAYBREAK_WORKERS": "0"}, (), "{}", "workers"),
            ({}, ("--workers", "x"), "{}", "workers"),
            ({}, ("--nothing", "x"), "{}", "--nothing"),
            ({}, ("x", "y"), "{}", "x"),
            ({}, ("--devices_at", "nowhere"), "{}", "devices_at"),
            ({"DAYBREAK_DEVICES_AT": "host:0"}, (), "{}", "devices_at"),
            ({}, (), '{"public_proxy":"proxy.example"}', "public_proxy"),
            ({}, ("--listen", "nowhere"), "{}", "nowhere")):
        conf.write_text(file)
        r = tried(env, *flags)
        must(r.returncode in (1, 2) and word in r.stderr, f"{word}: {r}")
    conf.unlink()
    for bad in ("--address", "nowhere"), ("--devices-address", "host:"):
        said = d.run("daybreak-server", "init", "--dir", d.dir / "none",
                     "--court", "x", "--name", "x", "--json", *bad, ok=(1,))
        must("host:port" in said[-1]["error"] and
             not (d.dir / "none").exists(), f"{bad}: {said}")


def main():
    d = court.Court(sys.argv[1], True)
    try:
        d.make_court()
        d.start()
        d.enrol("h1", "p001", "张伟", "judge", "甲")
        recs = [d.agent("h1", "record", "search", "target=现金")[-1]["rec"]
                for _ in range(4)]
        d.agent("h1", "record", "seizure", "inventory_no=1")
        d.agent("h1", "note", recs[0], "家中有老人")
        d.sync("h1")
        d.token = d.admin("token", "--role", "supervisor")[0]["token"]
        d.caught_up()
        token = tokens_and_roles(d, recs[0])
        headers(d, recs[0], token)
        parameters(d, token)
        one_record(d, recs[0], token)
        members(d, token)
        devices(d, token, False)
        descriptor(d)
        administration(d)
        d.stop()
        d.start()
        devices(d, token, True)
        d.stop()
        lines = (d.dir / "server.log").read_text().splitlines()
        must(lines and all({"at", "level", "event"} <= json.loads(x).keys()
                           for x in lines), "log lines")
        options(d)
        print("tokens, roles, parameters, record, devices, descriptor, "
              "options: as they must be")
        return 0
    except court.Failed as e:
        print(f"failed: {e}\nkept: {d.dir}")
        return 1
    finally:
        if d.server is not None:
            d.server.kill()


if __name__ == "__main__":
    sys.exit(main())
