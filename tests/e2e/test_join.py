#!/usr/bin/env python3
"""Joining over a line that loses the answer, until the code has expired.

Would catch: a handheld that is in the log and can never join, and one that
another officer's code lets in.
"""
import json
import shutil
import socket
import sqlite3
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import Court, Failed, check  # noqa: E402


class LossyLine:
    """Relays to the public listener; once something holds, whatever comes
    back is lost, and the line is cut."""

    def __init__(self, port):
        self.to = port
        self.lost = 0
        self.cut_when = lambda: False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.to))
            for a, b, down in ((here, there, False), (there, here, True)):
                threading.Thread(target=self.pump, args=(a, b, down),
                                 daemon=True).start()

    def pump(self, a, b, down):
        try:
            while data := a.recv(65536):
                if down and self.cut_when():
                    self.lost += 1
                    break
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def devices(c):
    """As the log has them, read beside the running server."""
    with sqlite3.connect(f"file:{c.court / 'store.db'}?mode=ro",
                         uri=True) as db:
        return db.execute(
            "SELECT count(*) FROM entries WHERE flags & 16 AND"
            " instr(CAST(bytes AS TEXT), '\"device@1\",\"do\":\"open\"')"
        ).fetchone()[0]


def code_for(c, line, officer, *more):
    return c.admin("enrol-code", "--officer", officer, "--name", officer,
                   "--role", "judge", "--team", "甲", "--address",
                   f"127.0.0.1:{line.port}", *more)[0]["code"]


def expire_codes(c):
    db = sqlite3.connect(c.court / "store.db", timeout=30)
    db.execute("UPDATE docs SET until = 1 WHERE sort = 'code'")
    db.commit()
    db.close()


def story(c):
    c.begin()
    line = LossyLine(c.ports[2])
    code = code_for(c, line, "p001")
    line.cut_when = lambda: devices(c) == 1
    c.agent("h1", "enrol", code, ok=(1,))
    line.cut_when = lambda: False
    check(line.lost > 0 and devices(c) == 1, "the answer was not lost")
    dev = c.admin("devices")[0]["dev"]
    expire_codes(c)
    c.agent("h1", "enrol", code, ok=(1,))
    # Somebody else's code is no way in.
    c.agent("h1", "enrol", code_for(c, line, "p002"), ok=(1,))
    # Whoever looks at the list may take it for a handheld to be replaced.
    again = code_for(c, line, "p001", "--replaces", dev, "--reason", "没收到")
    c.agent("h1", "enrol", again)
    have = c.admin("devices")
    check(len(have) == 1 and have[0]["dev"] == dev and
          have[0]["standing"] == "good", f"devices: {have}")
    rec = [r["rec"] for r in c.agent("h1", "record", "search", "target=现金")
           if "rec" in r][0]
    for _ in range(3):
        c.sync("h1")
        time.sleep(0.5)
    c.caught_up()
    check(rec in c.api("/api/v1/records").decode(), "it delivers nothing")
    # The code is used: another handheld is told so.
    c.agent("h2", "enrol", again, ok=(1,))
    told = json.loads(c.api("/api/v1/alarms"))["alarms"]
    check([a["sort"] for a in told] == ["code_reused"], f"alarms: {told}")
    c.stop()
    key = c.run("daybreak-server", "vkey", "--dir", c.court,
                lines=False).stdout.strip()
    a = json.loads(c.run("daybreak-audit", "store", c.court, "--key", key,
                         "--json", ok=(1,), lines=False).stdout)
    check(a["damage"] == 0, f"audit: {a}")


def main():
    c = Court(sys.argv[1])
    try:
        story(c)
        shutil.rmtree(c.dir)
        print("the lost answer strands nobody")
        return 0
    except Failed as e:
        print(f"failed: {e}\nkept: {c.dir}")
        return 1
    finally:
        if c.server is not None:
            c.server.kill()


if __name__ == "__main__":
    sys.exit(main())
