#!/usr/bin/env python3
"""Forms on paper, read back from the real PDF.

test_paper.py BIN [CASE…]
"""
import hashlib
import json
import re
import subprocess
import sys

from paper import bad_copy, image_of, read_code, unpack
from support import Court, check, run_cases


def text_of(path):
    """The words of a PDF, white space apart."""
    r = subprocess.run(["pdftotext", "-raw", str(path), "-"],
                       capture_output=True, text=True)
    check(r.returncode == 0, f"pdftotext: {r.stderr}")
    return "".join(r.stdout.split())


def joined(c):
    c.begin()
    c.agent("h", "enrol", c.code_for("p001"))


def state(c, rec):
    return json.loads(c.agent("h", "show", rec, "--state",
                              lines=False).stdout)


def record(c):
    return c.agent("h", "record", "search", "started_at=2026-11-24 05:10",
                   "place/address=建国路1号", "target=现金",
                   "debtor/name=李某", "applicant/name=徐州某公司",
                   "subject/name=李某", "warrant/no=（2026）苏0302搜1号"
                   )[-1]["rec"]


def personal_fields_are_all_written(c: Court):
    """Catches fields in entries of their own that are lost behind the open."""
    joined(c)
    fields = state(c, record(c))["fields"]
    for path, want in (("debtor/name", "李某"), ("subject/name", "李某"),
                       ("applicant/name", "徐州某公司"), ("target", "现金")):
        check(path in fields and fields[path][0][1] == want,
              f"{path} is not in the record: {sorted(fields)}")


def a_page_says_what_the_record_says(c: Court):
    """Catches a paper that leaves out a refusal or a correction."""
    joined(c)
    rec = record(c)
    c.agent("h", "sign", rec, "subject", "refused", "--watched", "孙某")
    c.agent("h", "amend", rec, "target=现金、首饰", "--reason", "漏记首饰")
    out = c.dir / "s.pdf"
    before = hashlib.sha256(c.agent("h", "show", rec, "--state", lines=False)
                            .stdout.strip().encode()).hexdigest()
    printed = c.agent("h", "print", rec, "--out", out)[-1]
    text = text_of(out)
    for want in ("搜查笔录", "建国路1号", "拒绝签名", "在场见证：孙某",
                 "签名后所签内容有补正", "原记“现金”，更正为“现金、首饰”",
                 "理由：漏记首饰", "第1页共", rec, "（未记载）",
                 # A document's number as the paper had it.
                 "（2026）苏0302搜1号"):
        check("".join(want.split()) in text, f"{want} is not on the paper")
    # What was printed is written down, and reaches the centre.
    act = state(c, rec)["acts"][printed["id"]]
    check(act["do"] == "print" and act["more"]["state"] == before,
          f"the print entry is of another state: {act}")
    c.sync("h")
    c.all_there(rec)
    got = json.loads(c.api(f"/api/v1/records/{rec}/state"))
    check(printed["id"] in got["acts"], "the centre does not know the print")


def each_page_names_its_entry_in_a_code_that_survives_copying(c: Court):
    """Catches a code that a bad copy loses, or that names another entry."""
    joined(c)
    rec = c.agent("h", "record", "seizure", "started_at=2026-11-24 05:10",
                  "case_no=（2026）苏0302执1234号", "debtor/name=李某")[-1][
                      "rec"]
    for i in range(30):
        c.agent("h", "add", rec, "items", f"name=电视机{i}", "quantity=1",
                "value/amount=1000.50")
    out = c.dir / "i.pdf"
    printed = c.agent("h", "print", rec, "seizure_inventory", "--out",
                      out)[-1]
    check("请自行输入本院网址" in text_of(out), "the words are missing")
    pages = subprocess.run(["pdfinfo", str(out)], capture_output=True,
                           text=True).stdout
    check("Pages:           1\n" not in pages, pages)
    code = read_code(c.dir / "1.pgm", image_of(out))
    check(code.startswith("DBP1-"), f"no code: {code}")
    check(read_code(c.dir / "2.pgm", image_of(out, 2)) == code,
          "page 2 carries another code, or none")
    for seed in range(5):
        check(read_code(c.dir / "copy.pgm",
                        bad_copy(*image_of(out), seed)) == code,
              f"a bad copy ({seed}) cannot be read")
    a, b = unpack(code)
    more = state(c, rec)["acts"][printed["id"]]["more"]
    check(a[19:35].hex() == printed["id"], "the code is of another entry")
    check(b[:10].hex() == more["salt"] and
          b[10:].decode() == more["summary"], f"another summary: {b}")
    check(more["summary"].split("\n") == [
        "（2026）苏0302执1234号", "查封（扣押）财产清单",
        "2026年11月24日5时10分", "30项", "30,015.00元"], more["summary"])


def pages_of(path):
    """The words of each page, white space apart."""
    r = subprocess.run(["pdftotext", "-raw", str(path), "-"],
                       capture_output=True, text=True)
    check(r.returncode == 0, f"pdftotext: {r.stderr}")
    return ["".join(p.split()) for p in r.stdout.split("\f")[:-1]]


def nothing_is_cut_off_however_long(c: Court):
    """Catches a cell that runs out of its page, and a hyphen that a long
    number did not have."""
    joined(c)
    rec = c.agent("h", "record", "report", "order/no=（2026）苏0302执1号")[-1][
        "rec"]
    details = "".join(f"第{i}笔往来款项。" for i in range(400))
    c.agent("h", "add", rec, "assets", "sort=movable", f"details={details}",
            "name=1M8GDM9AXKP0427881M8GDM9AXKP042788", "value=5")
    out = c.dir / "r.pdf"
    c.agent("h", "print", rec, "property_form", "--out", out)
    pages = pages_of(out)
    whole = "".join(pages)
    for i in (0, 133, 266, 399):
        check(f"第{i}笔" in whole, f"{i} is cut off; {len(pages)} pages")
    check("‐" not in whole and "-KP" not in whole, "a hyphen was put in")
    check(len(pages) < 14, f"{len(pages)} pages")
    check(all(f"第{i + 1}页共{len(pages)}页" in p
              for i, p in enumerate(pages)), "a page has no number")


def signatures_never_stand_alone(c: Court):
    """Catches a page of signatures that could be put behind any record."""
    joined(c)
    for rows in range(0, 18, 3):
        rec = c.agent("h", "record", "search",
                      "started_at=2026-11-24 05:10", "read_back/done=是",
                      "narrative=" + "经过" * 20)[-1]["rec"]
        for i in range(rows):
            c.agent("h", "add", rec, "found", f"name=物品{i}", "quantity=1")
        for i in range(4):
            c.agent("h", "add", rec, "officers", f"officer=p{i}",
                    f"name=甲{i}")
        out = c.dir / f"{rows}.pdf"
        c.agent("h", "print", rec, "--out", out)
        for page in pages_of(out):
            if "（未签名）" in page:
                check("以上笔录" in page, f"{rows} rows: {page}")


def each_blank_page_names_its_record(c: Court):
    """Catches a page that is photographed, and belongs to nobody."""
    joined(c)
    for form in ("questioning_record", "talk_record", "seizure_inventory"):
        out = c.dir / f"{form}.pdf"
        rec = c.agent("h", "print", "--blank", form, "--out", out)[-1]["rec"]
        pages = pages_of(out)
        for i, page in enumerate(pages):
            check(rec in page and "纸质补录" in page, page)
            code = read_code(c.dir / "b.pgm", image_of(out, i + 1))
            check(code == "DBR1-" + rec, f"{form}, page {i + 1}: {code}")
        check("未签名" not in "".join(pages), "words of a filled form")


def both_sides_name_officers_alike(c: Court):
    """Catches a paper of the centre that names whom the handheld's does not,
    or the other way round."""
    joined(c)
    rec = c.agent("h", "record", "search", "started_at=2026-11-24 05:10",
                  "target=甲")[-1]["rec"]
    c.agent("h", "add", rec, "officers", "officer=p001")
    c.agent("h", "add", rec, "officers", "officer=p002", "name=王芳")
    c.agent("h", "amend", rec, "target=乙", "--reason", "误记")
    here, there = c.dir / "here.pdf", c.dir / "there.pdf"
    c.agent("h", "print", rec, "--out", here)
    c.sync("h")
    c.caught_up()
    c.admin("print", rec, "search_record", "--out", there, "--by", "p001")
    # What differs is the code at the foot.
    cut = [[re.sub("核验真伪.*?opened\\.", "", p) for p in pages_of(x)]
           for x in (here, there)]
    check(cut[0] == cut[1], f"two papers of one record:\n{cut[0]}\n{cut[1]}")
    check("王芳" in cut[0][0] and "officer" not in "".join(cut[0]),
          f"a name that the record does not hold: {cut[0]}")


def a_form_of_another_kind_is_refused(c: Court):
    """Catches an inventory printed of a search."""
    joined(c)
    rec = record(c)
    code, _, words = c.ask("h", "print", rec, "seizure_record", "--out",
                           c.dir / "x.pdf")
    check(code == 1 and "form" in words, words)
    check(not (c.dir / "x.pdf").exists(), "a file was left behind")


def a_page_filled_by_hand_becomes_its_record(c: Court):
    """Catches two records for one page of paper."""
    joined(c)
    blank = c.agent("h", "print", "--blank", "search_record", "--out",
                    c.dir / "b.pdf")[-1]
    text = text_of(c.dir / "b.pdf")
    check(blank["rec"] in text and "纸质补录" in text, "no number on the page")
    got = c.agent("h", "record", "search", "--rec", "DBR1-" + blank["rec"],
                  "--at", "2026-11-24T05:10:00+08:00", "target=账簿")[-1]
    check(got["rec"] == blank["rec"], f"another record: {got}")
    code, _, words = c.ask("h", "record", "search", "--rec", blank["rec"],
                           "target=再录")
    check(code == 1 and "already" in words, words)
    head = c.agent("h", "export", blank["rec"], "--out", c.dir / "e.jsonl")
    first = json.loads((c.dir / "e.jsonl").read_text().splitlines()[0])
    check(first["entries"][0]["head"]["at"].startswith("2026-11-24T05:10"),
          f"the paper's time is lost: {head}")


def a_signer_is_named_as_the_kind_names_them(c: Court):
    """Catches a signature that no rule and no form ever finds."""
    joined(c)
    rec = record(c)
    code, _, words = c.ask("h", "sign", rec, "subject", "signed", "--person",
                           "被执行人")
    check(code == 1 and "--person" in words, words)


if __name__ == "__main__":
    sys.exit(run_cases([personal_fields_are_all_written,
               a_page_says_what_the_record_says,
               each_page_names_its_entry_in_a_code_that_survives_copying,
               nothing_is_cut_off_however_long,
               signatures_never_stand_alone,
               each_blank_page_names_its_record,
               both_sides_name_officers_alike,
               a_form_of_another_kind_is_refused,
               a_page_filled_by_hand_becomes_its_record,
               a_signer_is_named_as_the_kind_names_them]))
