#!/usr/bin/env python3
"""What the compiler cannot hold: layers, lengths, banned calls, marks.

Prints one line for each fault and exits with 1 if there are any.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES, FUNCTION_LINES = 520, 75
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|"
                    r"system|popen|alloca|rand|srand)\s*\(")
# Library code never prints; programs and the command line do.
PRINTS = re.compile(r"\b(printf|puts|putchar|perror|vprintf)\s*\(|"
                    r"\bfprintf\s*\(\s*std(out|err)")
MAY_PRINT = ("_main.c", "agent/cli/", "server/admin/", "server/app/diag")
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)
# Inside common/: who may include whom.
ROOMS = {"base": set(), "db": {"base"}, "crypt": {"base"},
         "entry": {"base"}, "tlog": {"base", "entry"},
         "domain": {"base", "entry"},
         "form": {"base", "entry", "domain"},
         "defs": {"base", "entry", "domain", "form"},
         "pdf": {"base", "domain", "form"},
         "chainfile": {"base", "entry", "crypt", "db"},
         "wire": {"base", "entry", "tlog"},
         "erase": {"base", "entry"},
         "verify": {"base", "entry", "tlog", "db", "erase"}}
# A third-party header stands in few files, so that it can be replaced.
THIRD = {"sqlite3.h": ("common/db/",), "curl/": ("agent/core/uplink",),
         "zstd.h": ("common/wire/",), "zdict.h": ("common/wire/",),
         "uv.h": ("server/net/",), "http_parser.h": ("server/net/",),
         "llhttp.h": ("server/net/",), "qrencode.h": ("server/admin/", "common/pdf/"),
         "pango/": ("common/pdf/",), "cairo": ("common/pdf/",),
         "fontconfig/": ("common/pdf/",),
         "magic.h": ("agent/look/look.c",), "png.h": ("agent/look/look_png.c",),
         "jpeglib.h": ("agent/look/look_jpeg.c",),
         "mbedtls/": ("server/net/", "server/ca/", "common/crypt/"),
         "openssl/": ("common/base/sha.c",),
         "cJSON": ()}

faults = []


def fault(path, line, what):
    faults.append(f"{path.relative_to(ROOT)}:{line}: {what}")


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check_layers(path, text):
    rel = path.relative_to(ROOT).as_posix()
    top = rel.split("/")[0]
    for m in INCLUDE.finditer(text):
        inc, line = m.group(1), line_of(text, m.start())
        if top in ("common", "agent") and inc.startswith("server/") and \
                not rel.startswith("server/"):
            fault(path, line, f"{top} includes {inc}")
        if top in ("common", "server") and inc.startswith("agent/"):
            fault(path, line, f"{top} includes {inc}")
        if top == "common" and inc.startswith(("tests/", "support/")):
            fault(path, line, f"product includes {inc}")
        if top == "common":
            room, want = rel.split("/")[1], inc.split("/")[0]
            if want in ROOMS and want != room and \
                    want not in ROOMS.get(room, set()):
                fault(path, line, f"room {room} includes {inc}")
        for name, where in THIRD.items():
            if inc.startswith(name) and not rel.startswith(where):
                fault(path, line, f"{inc} may be included only in {where}")


def strip(text):
    """Comments and strings blanked, line breaks kept."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group())
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text,
                  flags=re.S)


def check_functions(path, text):
    start = None
    for n, line in enumerate(text.split("\n"), 1):
        if line.startswith("{"):
            start = n
        elif line.startswith("}") and start is not None:
            if n - start > FUNCTION_LINES:
                fault(path, start, f"function of {n - start} lines")
            start = None


def check(path):
    text = path.read_text(encoding="utf-8")
    rel = path.relative_to(ROOT).as_posix()
    code = strip(text)
    if text.count("\n") > FILE_LINES and not rel.startswith("tests/"):
        fault(path, 1, f"{text.count(chr(10))} lines")
    for m in MARKS.finditer(text):
        fault(path, line_of(text, m.start()), m.group())
    if rel.startswith("tests/"):
        return
    check_layers(path, text)
    check_functions(path, code)
    for m in BANNED.finditer(code):
        fault(path, line_of(code, m.start()), f"banned: {m.group()}")
    if not any(w in rel for w in MAY_PRINT):
        for m in PRINTS.finditer(code):
            fault(path, line_of(code, m.start()), f"prints: {m.group()}")


def check_format(files):
    try:
        v = subprocess.run(["clang-format", "--version"], capture_output=True,
                           text=True).stdout
    except FileNotFoundError:
        v = ""
    if " 14." not in v:
        print("format not checked: wants clang-format 14")
        return
    r = subprocess.run(["clang-format", "--dry-run", "--ferror-limit=0", *files],
                       capture_output=True, text=True)
    bad = {}
    for m in re.finditer(r"^(.+?):(\d+):\d+: warning", r.stderr, re.M):
        bad.setdefault(m.group(1), []).append(m.group(2))
    for f, lines in bad.items():
        fault(Path(f), int(lines[0]),
              f"not as clang-format writes it ({len(lines)} places)")


LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def check_links():
    """A page names only pages that are there."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"),
             *(p for p in (ROOT / "tests").rglob("*.md")
               if "node_modules" not in p.parts)]
    for p in pages:
        text = p.read_text(encoding="utf-8")
        for m in LINK.finditer(text):
            if "://" not in m.group(1) and \
                    not (p.parent / m.group(1)).exists():
                fault(p, line_of(text, m.start()), f"no page {m.group(1)}")


def check_spelling():
    """codespell over what people read; tests misspell on purpose."""
    try:
        r = subprocess.run(
            ["codespell", "-q", "3", "-L", "whats", "-S",
             "*.json,*.dict,*/node_modules",
             "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
             "docs", "scripts", "cmake", "common", "agent", "server"],
            cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        print("spelling not checked: wants codespell")
        return
    for m in re.finditer(r"^(\S+?):(\d+): (.+)$", r.stdout, re.M):
        fault(ROOT / m.group(1), m.group(2), m.group(3))


def main():
    files = sorted(p for d in ("common", "agent", "server", "tests")
                   for p in (ROOT / d).rglob("*.[ch]"))
    for p in files:
        check(p)
    check_links()
    check_spelling()
    check_format([str(p) for p in files])
    print("\n".join(faults))
    print(f"{len(files)} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
