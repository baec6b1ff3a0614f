#!/usr/bin/env python3
"""What the command line says to an officer.

test_words.py BIN [CASE…]
"""
import json
import re
import subprocess

from support import Court, check, run_cases


def say(c, *args, ok=(0,)):
    """Run the agent for a person; its output, its words."""
    r = c.run("daybreak-agent", "--home", c.dir / "h", *args, ok=ok,
              lines=False)
    return r.stdout, r.stderr


def joined(c):
    c.begin()
    c.agent("h", "enrol", c.code_for("p001"))


def an_act_tells_what_it_changed(c: Court):
    """Catches an officer who is told everything at each touch, or nothing."""
    joined(c)
    out, words = say(c, "record", "search", "started_at=2026-11-24 05:10",
                     "target=现金")
    rec = out.strip()
    first = words.count("\n! ") + words.startswith("! ")
    check(first >= 3 and "未变" not in words, f"a new record: {words}")

    _, words = say(c, "set", rec, "warrant/no=（2026）苏0302搜1号")
    check("已消除 ended" in words, f"what it ended: {words}")
    check("! " not in words, f"nothing new was found: {words}")
    check("另有" in words and "others stand" in words, f"the rest: {words}")

    _, words = say(c, "set", rec, "place/address=建国路1号")
    check("已消除" not in words and "! " not in words, f"no change: {words}")

    out, _ = say(c, "show", rec, "--state")
    check("（2026）苏0302搜1号" in out, "a number is not as the paper has it")


def a_status_is_taken_by_its_label(c: Court):
    """Catches an officer who must know the ids of a file."""
    joined(c)
    rec = say(c, "record", "search", "target=现金")[0].strip()
    for word, want in (("记录完毕", "done"), ("draft", "draft"),
                       ("Recorded", "done")):
        say(c, "advance", rec, word)
        state = json.loads(say(c, "show", rec, "--state")[0])
        check(state["status"][0][1] == want, f"{word}: {state['status']}")
    _, words = say(c, "advance", rec, "nowhere", ok=(1,))
    for want in ("没有此状态", "可填", "done", "draft", "give one of"):
        check(want in words, f"{want} is not said: {words}")


def a_refused_option_says_what_there_is(c: Court):
    """Catches "not one of the options", and nothing else."""
    joined(c)
    _, words = say(c, "record", "detention", "act/earlier=perhaps", ok=(1,))
    for want in ("不是可选项", "可填", "已罚款（fined）", "give one of",
                 "detained (detained)"):
        check(want in words, f"{want} is not said: {words}")


def timers_are_shown(c: Court):
    """Catches a clock that runs and that nobody sees."""
    joined(c)
    check("没有在计时的事项" in say(c, "timers")[0], "no timer runs yet")
    now = say(c, "record", "compel", "arrived_at=2020-01-01 05:00")[0].strip()
    out, _ = say(c, "timers")
    check("已超" in out and "overdue by" in out and now in out, out)
    _, words = say(c, "findings")
    out, _ = say(c, "status")
    check(re.search(r"计时 timers +\d+ 项，最急的已超", out), out)


def a_term_is_told_to_the_minute_and_when_it_is_past(c: Court):
    """Catches milliseconds that nobody reads, and a term that ran out and is
    told like one that runs."""
    joined(c)
    rec = say(c, "record", "search", "target=现金",
              "started_at=2020-01-01 05:10")[0].strip()
    out, _ = say(c, "findings", rec)
    check("（已过期限 was due 2020-01-04 23:59）" in out, out)
    check(".999" not in out, out)
    rec = say(c, "record", "search", "target=现金",
              "started_at=2199-01-01 05:10")[0].strip()
    out, _ = say(c, "findings", rec)
    check("（限期 due 2199-01-04 23:59）" in out, out)


def a_sync_without_files_says_nothing_of_files(c: Court):
    joined(c)
    _, words = say(c, "sync")
    check("附件剩余" not in words, words)


def a_wrong_line_says_what_is_wrong_with_it(c: Court):
    """Catches a page of help that does not say which word was wrong."""
    joined(c)
    for program, line in (("daybreak-agent", ["--home", c.dir / "h"]),
                          ("daybreak-server", [])):
        for more, want in ((["recrd"], "recrd"),
                           (["devices", "--bogus"], "--bogus")):
            if program == "daybreak-server" and len(more) > 1:
                more = more[:1] + ["--dir", c.dir / "court"] + more[1:]
            r = c.run(program, *line, *more, ok=(2,), lines=False)
            check(want in r.stderr and r.stderr.count("\n") < 6, r.stderr)
    r = c.run("daybreak-agent", "--home", c.dir / "mistyped", "list", ok=(2,),
              lines=False)
    check("没有此目录" in r.stderr, r.stderr)
    check(not (c.dir / "mistyped").exists(), "it became a handheld")
    r = c.run("daybreak-agent", "record", "--help", ok=(0,), lines=False)
    check("KIND field=value" in r.stdout, r.stdout)
    for program in ("agent", "server", "audit"):
        r = c.run(f"daybreak-{program}", "--version", lines=False)
        check(re.fullmatch(rf"daybreak-{program} \d+\.\d+\.\d+\n", r.stdout),
              r.stdout)
        r = c.run(f"daybreak-{program}", "--help", lines=False)
        check("--json" in r.stdout and not r.stderr, r.stdout)
    r = c.run("daybreak-server", "run", "--help", ok=(0,), lines=False)
    check("网络线程数" in r.stdout and "--threads" in r.stdout, r.stdout)


def text_without_quotes_is_not_cut(c: Court):
    """Catches a note of which only the first word was written down."""
    joined(c)
    rec = c.record("h", "现金")
    before = c.status("h")["entries"]
    for args in (("note", rec, "家中", "有老人"), ("void", rec, "误记"),
                 ("answer", rec, "search_shown:shown", "已", "出示"),
                 ("drop", rec, "x/@1", "y"), ("sync", "now"),
                 ("status", "please"), ("list", "search")):
        _, words = say(c, *args, ok=(2,))
        check("参数过多" in words and args[-1] in words and args[0] in words,
              f"{args}: {words}")
    check(c.status("h")["entries"] == before, "something was written down")


def each_refusal_has_words_in_both_languages(c: Court):
    """Catches a refusal that says nothing, or says it to half of its readers,
    or not to the program that asked with --json."""
    joined(c)
    nothing = dict(c.env, DAYBREAK_NEW_PIN_FILE=str(c.dir / "none"))
    nowhere = dict(c.env, DAYBREAK_PIN_FILE=str(c.dir / "none"))
    tried = [c.ask("h", "officer", "add", "p002", env=nothing),
             c.ask("other", "enrol", c.code_for("p003"), env=nowhere)]
    watching = subprocess.Popen(
        [str(c.bin / "daybreak-agent"), "--home", str(c.dir / "h"), "--json",
         "sync", "--watch"], env=c.env, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    try:
        # It has the handheld when it says what it did, and keeps it.
        check(watching.stdout.readline() != b"", "nothing was synced")
        tried.append(c.ask("h", "list"))
    finally:
        watching.kill()
        watching.communicate()
    for (code, out, words), en, zh in zip(
            tried, ("no passphrase", "no passphrase", "another program"),
            ("新人员的口令", "没有口令", "另一个程序")):
        check(code == 1 and en in out[-1]["error"] and zh in out[-1]["zh"],
              f"{en}: {code} {out} {words}")
        check(en in words and zh in words, words)


def what_can_be_recorded_is_listed(c: Court):
    """Catches an officer who has to know the fields of a record by heart."""
    joined(c)
    out, _ = say(c, "kinds")
    for want in ("search", "搜查", "detention", "Seizure"):
        check(want in out, out)
    check("definition" not in out and "evidence" not in out, "a kind that "
          "only the centre writes is offered")
    out, _ = say(c, "kinds", "search")
    for want in ("warrant/no", "搜查令号", "院长（president）", "必填 required",
                 "add REC found", "subject", "advance REC STATUS"):
        check(want in out, f"{want}: {out}")
    fields = c.agent("h", "kinds", "search")[0]
    for f in fields["fields"]:
        check(f["zh"] and f["en"] and f["type"], f)
    _, words = say(c, "record", "serch", "a=b", ok=(1,))
    check("kinds" in words, words)


def a_bundle_reads_as_a_record(c: Court):
    """Catches an audit that tells a lawyer paths and nulls; and text that
    moves the cursor of whoever audits."""
    joined(c)
    rec = say(c, "record", "search", "started_at=2026-11-24 05:10",
              "target=现金", "warrant/signer_role=院长")[0].strip()
    say(c, "sign", rec, "subject", "refused", "--watched", "李某")
    say(c, "amend", rec, "target=手机", "--reason", "现场核对")
    say(c, "note", rec, "门\x1b[2J锁")
    say(c, "sync")
    c.admin("export", "--record", rec, "--out", c.dir / "bundle")
    key = c.run("daybreak-server", "vkey", "--dir", c.dir / "court",
                lines=False).stdout.strip()
    out = c.run("daybreak-audit", "bundle", c.dir / "bundle", "--key", key,
                ok=(1,), lines=False).stdout
    for want in ("搜查目的物 Object of search [target] = 手机",
                 "签发人职务 Warrant signed as [warrant/signer_role] = "
                 "院长 (president)",
                 "签名 sign  被搜查人 Person searched  拒绝签名 refused  "
                 "在场见证 watched by 李某  签后有改动 stale"):
        check(want in out, f"{want}\n{out}")
    check("null" not in out and "\x1b" not in out, out)
    out, _ = say(c, "show", rec)
    check("被搜查人 Person searched  拒绝签名 refused" in out, out)
    check("\x1b" not in out, out)


def alarms_can_be_looked_at(c: Court):
    """Catches a command that does not say how it is used."""
    joined(c)
    check("无 none" in say(c, "alarm", "list")[0], "no alarm yet")
    _, words = say(c, "alarm", "answer", "1", ok=(1,))
    check("--reason" in words, words)
    _, words = say(c, "alarm", "answer", "1", "--reason", "查明", ok=(1,))
    check("没有此警报" in words, words)


def records_of_one_scene_share_what_it_holds(c: Court):
    """Catches a search and a seizure in one home that each lack the people
    and notices which stand in the scene; and a debtor taken from elsewhere."""
    c.begin()
    c.agent("h", "enrol", c.code_for("p001"))
    scene = c.agent("h", "record", "scene", "started_at=2026-11-24 05:00",
                    "place/address=建国路1号", "place/lat=34.26",
                    "place/lon=117.2", "told/recording=是")[-1]["rec"]
    c.agent("h", "add", scene, "cases", "case_no=（2026）苏0302执1号",
            "debtor/name=李某")
    c.agent("h", "add", scene, "officers", "officer=p001", "name=张伟")
    c.agent("h", "add", scene, "officers", "officer=p002", "name=王芳")
    c.agent("h", "add", scene, "persons", "sort=grassroots", "name=孙某",
            "phone=13812345678")
    struck = c.agent("h", "add", scene, "persons", "name=误记")[-1]["id"]
    c.agent("h", "drop", scene, f"persons/@{struck}", "--reason", "误记")
    c.agent("h", "add", scene, "notices", "to=adult_family", "name=李母",
            "outcome=came")
    _, _, words = c.ask("h", "add", scene, "officers", "officer=p003")
    check("只印编号" in words, f"an officer without a name: {words}")
    kept = {}
    for kind in ("search", "seizure"):
        kept[kind] = c.agent(
            "h", "record", kind, "started_at=2026-11-24 05:10",
            "place/unit=1203室", "--scene", scene)[-1]
        st = json.loads(c.agent("h", "show", kept[kind]["rec"], "--state",
                                lines=False).stdout)
        values = {p: v[0][1] for p, v in st["fields"].items()}
        check(values["place/address"] == "建国路1号" and
              values["place/unit"] == "1203室", f"{values}")
        names = sorted(v for p, v in values.items() if p.endswith("/name"))
        check(names == ["孙某", "张伟", "李母", "王芳"], f"{kind}: {names}")
        check(not any("debtor" in p or p == "case_no" or "told" in p
                      for p in values), f"taken from elsewhere: {values}")
        rules = [f["finding"]["rule"] for f in c.agent(
            "h", "findings", kept[kind]["rec"], lines=False) and json.loads(
                c.agent("h", "findings", kept[kind]["rec"],
                        lines=False).stdout)]
        check(f"{kind}_notified" not in rules and
              f"{kind}_grassroots" not in rules, f"{kind}: {rules}")
        links = json.dumps(st["links"])
        check("at_scene" in links and scene in links, links)
    # What stands in the scene later changes no other record.
    c.agent("h", "amend", scene, "place/address=建国路2号", "--reason", "误记")
    check("建国路1号" in c.agent("h", "show", kept["search"]["rec"], "--state",
                             lines=False).stdout, "changed from elsewhere")
    for args, want in (
            (("record", "search", "--scene", kept["seizure"]["rec"]),
             "takes nothing over"),
            (("link", kept["search"]["rec"], "led_to",
              kept["seizure"]["rec"]), "the other record's id"),
            (("link", kept["search"]["rec"], kept["seizure"]["rec"], "旁证"),
             "由此作出（led_to）"),
            (("set", kept["search"]["rec"], "debtor/age_range=" + "长" * 30),
             "13 个汉字")):
        code, _, words = c.ask("h", *args)
        check(code == 1 and want in words, f"{args}: {words}")
    c.agent("h", "link", kept["search"]["rec"], kept["seizure"]["rec"],
            "由此作出")


if __name__ == "__main__":
    run_cases([records_of_one_scene_share_what_it_holds,
               an_act_tells_what_it_changed,
               a_status_is_taken_by_its_label,
               a_refused_option_says_what_there_is, timers_are_shown,
               a_wrong_line_says_what_is_wrong_with_it,
               text_without_quotes_is_not_cut,
               each_refusal_has_words_in_both_languages,
               what_can_be_recorded_is_listed,
               a_bundle_reads_as_a_record,
               a_term_is_told_to_the_minute_and_when_it_is_past,
               a_sync_without_files_says_nothing_of_files,
               alarms_can_be_looked_at])
