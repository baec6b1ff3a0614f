#!/usr/bin/env python3
"""Every command of the user guides, and of the README's five minutes, run as it
stands there.

Would catch: a guide that tells people a command which does not work any more,
and two languages that tell different ones.  The blocks marked sh are run one
guide after the other in one shell; only the port numbers are changed.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide"
sys.path.insert(0, str(ROOT / "scripts"))
import court  # noqa: E402

RUN = re.compile(r"^(daybreak-server run .*)&$", re.M)
# The administrator begins and ends: a revoked handheld syncs no more.
ORDER = [("administrator", 0, 2), ("officer", 0, None), ("administrator", -1,
         None), ("supervisor", 0, None), ("administrator", 2, -1)]


def blocks(who, language):
    text = (GUIDE / f"{who}.{language}.md").read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)


def script():
    out = ["set -euo pipefail"]
    for who, first, last in ORDER:
        zh, en = blocks(who, "zh"), blocks(who, "en")
        if zh != en or not zh:
            raise court.Failed(f"{who}: the languages tell other commands")
        out += zh[first:last]
    return "\n".join(out)


def readme():
    """The five minutes by hand, all but set-up and build."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    part = re.search(r"^## Five minutes by hand\n(.*?)^## ", text,
                     re.M | re.S).group(1)
    lines = [x[4:] for x in part.splitlines() if x.startswith("    ")]
    if "scripts/setup.sh" not in lines[0] or "PATH" not in lines[1]:
        raise court.Failed("the README begins otherwise")
    # Consistent, and not anchored: that is 1, as the README says.
    lines = [re.sub("  #.*", "", x) + " || [ $? = 1 ]"
             if x.startswith("daybreak-audit bundle") else x
             for x in lines[2:]]
    return "\n".join(["set -euo pipefail"] + lines)


def run(text):
    """In a folder and on ports of its own; the words of what fails."""
    folder = Path(tempfile.mkdtemp(prefix="daybreak-guide-"))
    ports = {str(p): str(court.free_port()) for p in (7443, 7444, 7445)}
    if not RUN.search(text):
        print("failed: it does not start the server")
        return 1
    # A person waits for the words; here a loop does.
    text = RUN.sub(r"""\1 > run.out 2> run.err & server=$!
trap 'kill $server; wait $server' EXIT
until grep -q ready run.out; do kill -0 $server; sleep 0.1; done""", text)
    text = re.sub("|".join(ports), lambda m: ports[m.group()], text)
    (folder / "pin").write_text(court.PIN + "\n")
    (folder / "guide.sh").write_text(text)
    (folder / "door.jpg").write_bytes(bytes.fromhex(  # a PNG of one pixel
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c49444154789c6360606000000004000160a1a3f50000000049454e44ae"
        "426082"))
    (folder / "card").mkdir()
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                    "testsrc=size=64x64:rate=1", "-t", "9", "-c:v", "mpeg4",
                    "-metadata", "creation_time=2026-11-23T21:11:00Z",
                    str(folder / "card" / "A.mp4")], check=True)
    env = dict(os.environ, DAYBREAK_PIN_FILE=str(folder / "pin"),
               PATH=f"{Path(sys.argv[1]).resolve()}:{os.environ['PATH']}",
               # As in support.py: cairo's own caches.
               LSAN_OPTIONS="print_suppressions=0:suppressions="
                            f"{ROOT}/tests/e2e/lsan.supp",
               DAYBREAK_LISTEN=f"127.0.0.1:{ports['7443']}",
               DAYBREAK_CONSOLE=f"127.0.0.1:{ports['7444']}",
               DAYBREAK_PUBLIC=f"127.0.0.1:{ports['7445']}")
    r = subprocess.run(["bash", "-x", "guide.sh"], cwd=folder, env=env,
                       capture_output=True, text=True)
    if r.returncode != 0:
        print(r.stdout[-4000:], r.stderr[-4000:], f"kept: {folder}", sep="\n")
        return 1
    shutil.rmtree(folder)
    print(f"{text.count(chr(10))} lines: ok")
    return 0


def main():
    try:
        return run(script()) or run(readme())
    except court.Failed as e:
        print(f"failed: {e}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
