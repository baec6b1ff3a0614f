#!/usr/bin/env python3
"""Every command of the user guides, run as it stands there.

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
import demo  # noqa: E402

RUN = "daybreak-server run --dir court &"
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
            raise demo.Failed(f"{who}: the languages tell other commands")
        out += zh[first:last]
    text = "\n".join(out)
    if RUN not in text:
        raise demo.Failed("no guide starts the server")
    # A person waits for the words; here a loop does.
    return text.replace(RUN, RUN[:-1] + """> run.out 2> run.err & server=$!
trap 'kill $server; wait $server' EXIT
until grep -q ready run.out; do kill -0 $server; sleep 0.1; done""")


def main():
    folder = Path(tempfile.mkdtemp(prefix="daybreak-guide-"))
    ports = {str(p): str(demo.free_port()) for p in (7443, 7444, 7445)}
    try:
        text = re.sub("|".join(ports), lambda m: ports[m.group()], script())
    except demo.Failed as e:
        print(f"failed: {e}")
        return 1
    (folder / "pin").write_text(demo.PIN + "\n")
    (folder / "guide.sh").write_text(text)
    (folder / "door.jpg").write_bytes(bytes.fromhex(  # a PNG of one pixel
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c49444154789c6360606000000004000160a1a3f50000000049454e44ae"
        "426082"))
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
    print(f"{text.count(chr(10))} lines of the guides: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
