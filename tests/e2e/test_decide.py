#!/usr/bin/env python3
"""What two people decide, with the real programs.

test_decide.py BIN [CASE…]
"""
import json
import os
import sys
import ssl
import subprocess
import urllib.error
import urllib.request

from support import Court, check, run_cases, wait_for

DRONE = {
    "kind": "drone@1", "zh": "无人机勘查", "en": "Drone survey",
    "happened": "flown_at", "label": ["pilot/name", "area"],
    "groups": [{"path": "pilot", "type": "person", "zh": "飞手",
                "en": "Pilot"}],
    "fields": [
        {"path": "flown_at", "type": "datetime", "zh": "起飞时间",
         "en": "Took off at", "required": True},
        {"path": "area", "type": "text", "zh": "区域", "en": "Area"},
        {"path": "permit", "type": "doc_no", "zh": "许可号",
         "en": "Permit"},
        {"path": "pilot/name", "type": "text", "zh": "飞手姓名",
         "en": "Pilot: name"},
        {"path": "pilot/capacity", "type": "text", "zh": "飞手身份",
         "en": "Pilot: capacity"}],
    "lists": [{"path": "shots", "zh": "航片", "en": "Shots", "fields": [
        {"path": "caption", "type": "text", "zh": "说明",
         "en": "Caption"}]}],
    "status": [{"id": "draft", "zh": "草稿", "en": "draft", "to": ["done"]},
               {"id": "done", "zh": "完成", "en": "done", "to": [],
                "finish": True}],
    "forms": [{"id": "drone_record", "zh": "勘查笔录",
               "en": "survey record"}]}
FORM = {
    "form": "drone_record@1", "kind": "drone@1", "zh": "勘查笔录",
    "en": "Survey record", "blocks": [
        {"title": "无 人 机 勘 查 笔 录"},
        {"grid": [["起飞时间", "{flown_at}", "飞手", "{pilot/name}"],
                  ["区域", "{area}", "许可号", "{permit}"]],
         "widths": [2, 4, 2, 4]},
        {"corrections": True}]}
RULES = {
    "laws": {"air": {"zh": "航空条例（示例）", "en": "Air rules"}},
    "rules": [{
        "id": "drone_permit", "version": 1, "kinds": ["drone"],
        "zh": "许可", "en": "Permit", "severity": "grave", "mark": "L",
        "law": [{"law": "air", "article": "7"}], "at": "permit",
        "must": {"has": "permit"},
        "say": {"zh": "没有飞行许可。", "en": "Flown with no permit."}}]}


def two_administrators(c):
    for who, role in (("root-1", "admin"), ("root-2", "security"),
                      ("sup-1", "supervisor"), ("sup-2", "supervisor")):
        c.admin("people", "--person", who, "--name", who, "--role", role)


def file_of(c, name, what):
    path = c.dir / name
    path.write_text(json.dumps(what, ensure_ascii=False))
    return path


def put(c, name, what):
    """Proposed by one, confirmed by another; its id."""
    one = c.admin("kinds", "push", file_of(c, name, what), "--by",
                  "root-1")[0]["id"]
    c.admin("kinds", "confirm", one, "--by", "root-2")
    return one


def refused(c, *args):
    r = c.run("daybreak-server", *args, "--dir", c.court, "--json", ok=(1,),
              lines=False)
    return r.stderr


def a_new_kind_needs_no_new_program(c: Court):
    """Catches a kind that is not recorded, merged, judged, exported or printed
    as those built in."""
    c.begin()
    two_administrators(c)
    c.agent("h", "enrol", c.code_for("p001"))
    c.agent("g", "enrol", c.code_for("p002"))
    for home in ("h", "g"):
        code, _, words = c.ask(home, "record", "drone", "area=北坡")
        check(code != 0, f"a kind that nobody has heard of: {words}")
    one = c.admin("kinds", "push", file_of(c, "drone.json", DRONE), "--by",
                  "root-1")[0]["id"]
    c.sync("h")
    code, _, words = c.ask("h", "record", "drone", "area=北坡")
    check(code != 0, f"in force with one person's word: {words}")
    words = refused(c, "kinds", "confirm", one, "--by", "root-1")
    check("another person" in words and "提出人" in words, words)
    c.admin("kinds", "confirm", one, "--by", "root-2")
    put(c, "drone_rules.json", RULES)
    put(c, "drone_record.json", FORM)
    listed = c.admin("kinds")
    check([(x["sort"], x["state"]) for x in listed] ==
          [("kind", "confirmed"), ("rules", "confirmed"),
           ("form", "confirmed")], f"{listed}")
    # The server takes in what other programs wrote once a second.
    for home in ("h", "g"):
        wait_for("the last of them at the handheld", lambda: (
            c.sync(home), "drone_record" in c.agent(
                home, "forms", lines=False).stdout)[1])
    rec = c.agent("h", "record", "drone", "flown_at=2036-11-24 05:10",
                  "area=北坡", "pilot/name=赵某")[-1]["rec"]
    found = c.agent("h", "findings", rec, lines=False).stdout
    check("drone_permit" in found, f"not found: {found}")
    c.agent("h", "add", rec, "shots", "caption=屋顶")
    c.sync("h")
    c.all_there(rec)
    wait_for("the record at the other handheld", lambda: (
        c.sync("g"), c.ask("g", "show", rec)[0] == 0)[1])
    # Neither knows of the other.
    c.agent("g", "amend", rec, "area=南坡", "--reason", "写错")
    c.agent("h", "amend", rec, "area=东坡", "--reason", "写错")
    for home in ("h", "g", "h"):
        c.sync(home)
    states = [c.agent(x, "show", rec, "--state", lines=False).stdout.strip()
              for x in ("h", "g")]
    there = f"/api/v1/records/{rec}/state"
    wait_for("the centre's state", lambda: json.loads(c.api(there)) ==
             json.loads(states[0]))
    check(states[0] == states[1] and
          len(json.loads(states[0])["fields"]["area"]) == 2, states)
    got = wait_for("the list of the kind", lambda: c.console(
        "/api/v1/records?kind=drone@1")["records"])
    check("赵某" in json.dumps(got, ensure_ascii=False), f"no label: {got}")
    found = wait_for("the finding", lambda: c.console(
        "/api/v1/findings?rule=drone_permit")["findings"])
    check("许可" in json.dumps(found, ensure_ascii=False), f"{found}")
    # From the store, by a server that starts anew.
    c.restart()
    wait_for("the list after a restart", lambda: c.console(
        "/api/v1/records?kind=drone@1")["records"])
    out = c.dir / "d.pdf"
    c.agent("h", "print", rec, "--out", out)
    text = "".join(subprocess.run(
        ["pdftotext", "-raw", str(out), "-"], capture_output=True,
        text=True).stdout.split())
    check("无人机勘查笔录" in text and "赵某" in text, text)
    c.sync("h")
    c.all_there(rec)
    bundle = c.dir / "d.bundle"
    c.admin("export", "--record", rec, "--reason", "法院调卷", "--out", bundle)
    vkey = c.admin("vkey")[0]["vkey"]
    r = c.run("daybreak-audit", "bundle", bundle, "--key", vkey, ok=(0, 1),
              lines=False)
    check(rec in r.stdout, r.stdout)


def a_bad_file_gets_no_entry(c: Court):
    """Catches a file that is looked at only once it is everywhere."""
    c.begin()
    two_administrators(c)
    before = len(c.admin("kinds"))
    bad = dict(DRONE, feilds=[])
    words = refused(c, "kinds", "push", file_of(c, "bad.json", bad), "--by",
                    "root-1")
    check("bad.json" in words and "feilds" in words, words)
    loose = {"court": "xz0302", "set": {"detention_days": {"limit": 20}}}
    words = refused(c, "kinds", "push", file_of(c, "court.json", loose),
                    "--by", "root-1")
    check("looser" in words and "放宽" in words, words)
    words = refused(c, "kinds", "push", file_of(c, "drone.json", DRONE),
                    "--by", "sup-1")
    check("role" in words, words)
    check(len(c.admin("kinds")) == before, "something was logged")


SECRET = "王小明三二零三零二"


def bytes_of(c, *names):
    return b"".join(p.read_bytes() for n in names for p in c.court.glob(n))


def what_two_order_erased_is_gone(c: Court):
    """Catches a body left at the centre or on a handheld, and an audit that
    cannot tell an order from a hole."""
    c.begin()
    two_administrators(c)
    for home, who in (("h", "p001"), ("g", "p002")):
        c.agent(home, "enrol", c.code_for(who))
    rec = c.agent("h", "record", "search", "target=现金",
                  f"debtor/name={SECRET}")[-1]["rec"]
    c.sync("h")
    c.all_there(rec)
    there = f"/api/v1/records/{rec}"
    wait_for("the colleague's copy", lambda: (
        c.sync("g"), c.ask("g", "show", rec)[0] == 0)[1])
    check(SECRET.encode() in bytes_of(c, "store.db*"), "not in the store")
    history = json.loads(c.api(there + "/history"))["entries"]
    mine = [e["id"] for e in history if SECRET in json.dumps(
        e, ensure_ascii=False)]
    check(len(mine) == 1, f"{history}")
    c.agent("h", "lock")
    wish = ("erase", "propose", "--record", rec, "--entry", mine[0],
            "--ground", "错录他人信息", "--law", "个人信息保护法第四十七条")
    words = refused(c, *wish, "--by", "root-1")
    check("role" in words, words)
    order = c.admin(*wish, "--by", "sup-1")[0]["id"]
    words = refused(c, "erase", "confirm", order, "--by", "sup-1")
    check("another person" in words, words)
    c.admin("erase", "confirm", order, "--by", "sup-2")
    listed = c.admin("erase")
    check(listed[0]["state"] == "ordered" and
          listed[0]["decided_by"] == "sup-2", f"{listed}")
    # Both sides the same, also where the handheld was away.
    for home in ("h", "g"):
        wait_for("the order at the handheld", lambda: (
            c.sync(home), SECRET not in c.agent(
                home, "show", rec, "--state", lines=False).stdout)[1])
    wait_for("the centre's state", lambda: json.loads(
        c.api(there + "/state")) == json.loads(c.agent(
            "h", "show", rec, "--state", lines=False).stdout))
    check("withheld" in c.api(there + "/state").decode(), "not withheld")
    found = wait_for("the search to forget", lambda: not c.console(
        "/api/v1/records?q=" + "%E7%8E%8B%E5%B0%8F%E6%98%8E")["records"])
    check(found, "still found by its words")
    c.stop()
    left = bytes_of(c, "store.db*", "project.db*", "feed.db*")
    check(SECRET.encode() not in left, "left in a file of the court")
    # One that joins later, and an auditor.
    c.start()
    c.agent("k", "enrol", c.code_for("p003"))
    wait_for("the record at the newcomer", lambda: (
        c.sync("k"), c.ask("k", "show", rec)[0] == 0)[1])
    check(SECRET not in c.agent("k", "show", rec, "--state",
                                lines=False).stdout, "the newcomer has it")
    vkey = c.admin("vkey")[0]["vkey"]
    r = c.run("daybreak-audit", "store", c.court, "--key", vkey, ok=(0, 1),
              lines=False)
    check("erased" in r.stdout, r.stdout)
    bundle = c.dir / "e.bundle"
    c.admin("export", "--record", rec, "--reason", "法院调卷", "--out", bundle)
    r = c.run("daybreak-audit", "bundle", bundle, "--key", vkey, ok=(0, 1),
              lines=False)
    check("erased by the order" in r.stdout, r.stdout)


def post(c, path, body, token):
    """What the console answers: its status, and its JSON."""
    ctx = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(
        (c.court / "keys" / "ca.crt").read_bytes()))
    ctx.check_hostname = False
    rq = urllib.request.Request(
        f"https://127.0.0.1:{c.ports[1]}{path}", method="POST",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(rq, context=ctx, timeout=60) as r:
            return r.status, json.loads(r.read())
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


def a_command_stands_on_the_log_whatever_the_feed_is(c: Court):
    """Catches a command that decides by a feed of the server's that is behind,
    or fails where that is damaged or gone; or writes in it."""
    c.begin()
    two_administrators(c)
    c.agent("h", "enrol", c.code_for("p001"))

    def close(rec, finding):
        c.admin("finding", "close", "--record", rec, "--finding", finding,
                "--reason", "已核实", "--by", "sup-1")

    def record():
        rec = c.record("h", "现金")
        c.sync("h")
        c.all_there(rec)
        return rec

    feed = c.court / "feed.db"
    first = record()
    close(first, "search_shown:shown")
    c.stop()
    behind = feed.read_bytes()
    close(first, "search_warrant_no:warrant/no")
    check(feed.read_bytes() == behind, "the command wrote in it")
    c.start()
    second = record()
    third = record()
    c.stop()
    whole = feed.read_bytes()
    check(whole != behind, "nothing was followed")
    feed.write_bytes(behind)
    close(second, "search_shown:shown")
    feed.write_bytes(whole[:8192] + os.urandom(len(whole) - 8192))
    close(second, "search_warrant_no:warrant/no")
    feed.unlink()
    close(third, "search_shown:shown")
    check(not feed.exists(), "the command made it")
    c.start()
    wait_for("all of them closed", lambda: len(c.console(
        "/api/v1/findings?state=closed")["findings"]) == 5)


def a_finding_is_closed_by_somebody_else(c: Court):
    """Catches a finding closed with a token of nobody's, by who wrote the
    record, or unseen by the other side."""
    c.begin()
    two_administrators(c)
    c.agent("h", "enrol", c.code_for("p001"))
    rec = c.record("h", "现金")
    c.agent("h", "answer", rec, "search_shown:shown", "漏记")
    c.sync("h")
    c.all_there(rec)
    own = c.admin("token", "--role", "supervisor", "--person", "sup-1")[0]["token"]
    path = f"/api/v1/records/{rec}/findings"
    wish = {"finding": "search_shown:shown", "do": "close", "text": "已核实"}
    for token, body, want in ((c.token, wish, 403),
                              (own, dict(wish, finding="x:y"), 404),
                              (own, {"do": "close"}, 400),
                              (own, dict(wish, text=""), 400),
                              (own, wish, 200)):
        status, words = post(c, path, body, token)
        check(status == want, f"{body}: {status} {words}")
    got = wait_for("the closing in the list", lambda: c.console(
        "/api/v1/findings?state=closed")["findings"])
    life = got[0]["finding"]["life"]
    check(life["closed"]["by"] == "sup-1" and
          life["answer"]["by"] == "p001", f"{life}")
    wait_for("the closing at the handheld", lambda: (
        c.sync("h"), "已了结" in c.run(
            "daybreak-agent", "--home", c.dir / "h", "findings", rec,
            lines=False).stdout)[1])
    c.admin("people", "--person", "p001", "--role", "supervisor")
    words = refused(c, "finding", "close", "--record", rec, "--finding",
                    "search_warrant_no:warrant/no", "--reason", "无事",
                    "--by", "p001")
    check("another person" in words, words)


def what_was_mended_hours_later_is_listed(c: Court):
    """Catches a warrant's number that came hours after the search, and no
    trace that it lacked; and two sides that tell it otherwise."""
    c.begin()
    c.agent("h", "enrol", c.code_for("p001"))
    rec = c.record("h", "隐匿的现金")
    c.agent("h", "set", rec, "shown/warrant=是", "shown/work_id=是")
    c.sync("h")
    check(c.agent("h", "ended", rec, lines=False).stdout.strip() == "[]",
          "work on a draft is listed")
    later = c.unlucky(clock_s=3 * 3600)
    code, _, words = c.ask("h", "set", rec, "warrant/no=（2026）搜1号",
                           env=later)
    check(code == 0, words)
    mine = json.loads(c.agent("h", "ended", rec, lines=False).stdout)
    keys = [x["finding"]["key"] for x in mine]
    check("search_warrant_no:warrant/no" in keys and not any(
        k.startswith("search_shown") for k in keys), f"{mine}")
    it = mine[keys.index("search_warrant_no:warrant/no")]
    check(it["ended"]["by"] == "p001" and it["ended"]["at"] > it["stood"] and
          it["finding"]["severity"] == "grave", f"{it}")
    told = c.run("daybreak-agent", "--home", c.dir / "h", "ended", rec,
                 lines=False).stdout
    check("没有搜查令号" in told and "消除 ended" in told, told)
    c.ask("h", "sync", env=later)
    c.caught_up()
    there = c.console(f"/api/v1/records/{rec}/ended")["ended"]
    check([x for x in there if x["finding"]["rule"] != "late"] == mine,
          f"the centre tells it otherwise:\n{there}\n{mine}")
    # Answered, it is listed with its answer, and here no more.
    c.agent("h", "answer", rec, "search_warrant_no:warrant/no", "令在车上")
    check(c.agent("h", "ended", rec, lines=False).stdout.find(
        "search_warrant_no") < 0, "told twice")


if __name__ == "__main__":
    sys.exit(run_cases([
        a_command_stands_on_the_log_whatever_the_feed_is,
        a_new_kind_needs_no_new_program, a_bad_file_gets_no_entry,
        what_two_order_erased_is_gone, a_finding_is_closed_by_somebody_else,
        what_was_mended_hours_later_is_listed]))
