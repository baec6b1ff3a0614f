#!/usr/bin/env python3
"""tus-js-client, as it comes from npm, uploads to the real centre.

    python3 tests/e2e/test_tusjs.py BIN [CASE…]
"""
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import ROOT, check, run_cases, wait_for  # noqa: E402
from test_evidence import (Carrier, blob, check_stored, hashlib,  # noqa: E402
                           parts, receipts, sum_of)

HERE = ROOT / "tests" / "interop" / "tusjs"


def upload(c, d, data, **more):
    f = c.dir / "upload.bin"
    f.write_bytes(data)
    ca, _ = c.ca_files()
    ask = {"endpoint": f"https://127.0.0.1:{c.ports[0]}/v1/evidence",
           "key": str(d.hand.tls_key), "cert": str(d.hand.cert),
           "ca": str(ca), "file": str(f),
           "meta": {"sha256": hashlib.sha256(data).hexdigest(),
                    "filename": "现场.mp4", "filetype": "video/mp4"}}
    ask.update(more)
    r = subprocess.run(["node", HERE / "upload.mjs"], text=True,
                       input=json.dumps(ask), capture_output=True,
                       timeout=300)
    check(r.returncode == 0 and r.stdout, f"node: {r.stderr[-2000:]}")
    return json.loads(r.stdout)


def one_request_for_a_whole_file(c):
    c.begin()
    d = Carrier(c, "a")
    data = blob(20_000_000)
    r = upload(c, d, data)
    check(r.get("done") and r["patches"] == ["0"], f"{r}")
    check_stored(c, data)
    check(len(receipts(c)) == 1, f"{receipts(c)}")
    # In chunks, and with its bytes in the creation.
    small = blob(300_000, 2)
    r = upload(c, d, small, chunk=65536)
    check(r.get("done") and len(r["patches"]) == 5, f"{r}")
    check_stored(c, small)
    other = blob(100_000, 3)
    r = upload(c, d, other, during=True)
    check(r.get("done") and r["patches"] == [], f"{r}")
    check_stored(c, other)
    r = upload(c, d, b"")
    check(r.get("done"), f"{r}")


def aborted_and_resumed(c):
    c.begin()
    d = Carrier(c, "a")
    data = blob(30_000_000)
    r = upload(c, d, data, abort_at=8_000_000)
    check(r.get("aborted") and r["url"], f"{r}")
    path = "/" + r["url"].split("/", 3)[3]
    here = wait_for("what came", lambda: d.head(path).offset)
    c.restart()
    d.h = None
    again = upload(c, d, data, url=r["url"])
    check(again.get("done") and again["patches"] == [str(here)],
          f"{here}: {again}")
    check_stored(c, data)
    # Terminated: nothing is left.
    r = upload(c, d, blob(30_000_000, 4), abort_at=2_000_000, terminate=True)
    check(r.get("aborted"), f"{r}")
    wait_for("the part to go", lambda: parts(c) == [])


def wrong_checksums_and_digests(c):
    c.begin()
    d = Carrier(c, "a")
    data = blob(500_000)
    r = upload(c, d, data, checksum=sum_of(b"other"))
    check(r["status"] == 460 and '"checksum"' in r["body"], f"{r}")
    path = "/" + r["url"].split("/", 3)[3]
    check(d.head(path).offset == 0, "it stays")
    r = upload(c, d, data, url=r["url"], checksum=sum_of(data, "sha1"))
    check(r.get("done"), f"{r}")
    check_stored(c, data)
    r = upload(c, d, blob(1000, 7), meta={"sha256": "0" * 64})
    check(r["status"] == 460 and '"digest"' in r["body"], f"{r}")
    r = upload(c, d, data, meta={"filename": "x"})
    check(r["status"] == 400 and '"bad_metadata"' in r["body"], f"{r}")


if __name__ == "__main__":
    sys.exit(run_cases([one_request_for_a_whole_file, aborted_and_resumed,
                        wrong_checksums_and_digests]))
