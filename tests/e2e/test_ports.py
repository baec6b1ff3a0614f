#!/usr/bin/env python3
"""Runs side by side take no port twice.

Would catch: two courts of two runs on one port, where the one's handhelds meet
the other's server.
"""
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
TAKE = """
import sys
sys.path.insert(0, sys.argv[1])
import court
print(*[court.free_port() for _ in range(200)], flush=True)
sys.stdin.read()
"""


def main():
    runs = [subprocess.Popen([sys.executable, "-c", TAKE, str(SCRIPTS)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True) for _ in range(8)]
    ports = [p for r in runs for p in r.stdout.readline().split()]
    for r in runs:
        r.communicate("")
    if len(ports) != 8 * 200 or len(set(ports)) != len(ports):
        print(f"{len(ports)} ports, {len(set(ports))} different ones")
        return 1
    print("no port twice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
