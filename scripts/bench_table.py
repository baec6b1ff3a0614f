#!/usr/bin/env python3
"""Lines of figures, as the benchmarks print them, made into a table.

    bench_table.py table|markdown|check < lines

table: for a terminal.  markdown: for docs/BENCHMARKS.md, with the machine.
check: nothing but a fault if a line is not of the one form (ctest).
"""
import json
import os
import sys

MEMBERS = ["name", "value", "unit", "baseline", "ratio", "target", "met"]


def read(lines):
    figures = []
    for n, line in enumerate(lines, 1):
        f = json.loads(line)
        good = (list(f) == MEMBERS and isinstance(f["name"], str)
                and isinstance(f["value"], (int, float))
                and isinstance(f["unit"], str)
                and all(f[k] is None or isinstance(f[k], (int, float))
                        for k in ("baseline", "ratio"))
                and (f["baseline"] is None) == (f["ratio"] is None)
                and (f["target"] is None) == (f["met"] is None)
                and (f["met"] is None or isinstance(f["met"], bool)))
        if not good:
            raise ValueError(f"line {n} is no figure: {line}")
        figures.append(f)
    names = [f["name"] for f in figures]
    if not figures or len(set(names)) != len(names):
        raise ValueError("no figures, or one name twice")
    return figures


def number(v):
    if v is None:
        return ""
    if abs(v) >= 1000:
        return f"{v:,.0f}"
    return f"{v:.3g}"


def machine():
    cpu = "?"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    flags = open("/proc/cpuinfo", encoding="utf-8").read()
    return (f"{os.cpu_count()} × {cpu}, {memory:.0f} GiB, SHA instructions: "
            f"{'yes' if ' sha_ni ' in flags else 'no'}; Linux "
            f"{os.uname().release.split('-')[0]}; load "
            f"{os.getloadavg()[0]:.1f} at the end")


def row(f):
    met = {None: "", True: "yes", False: "**no**"}[f["met"]]
    return [f["name"], number(f["value"]), f["unit"], number(f["baseline"]),
            number(f["ratio"]), (f["target"] or "").replace("<=", "≤")
            .replace(">=", "≥").replace(" x", " ×"), met]


def main():
    form = sys.argv[1] if len(sys.argv) > 1 else ""
    if form not in ("table", "markdown", "check"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        figures = read(sys.stdin)
    except ValueError as e:
        print(f"bench: {e}", file=sys.stderr)
        return 1
    rows = [MEMBERS] + [row(f) for f in figures]
    if form == "markdown":
        print(f"{machine()}.\n")
        print("| figure | value | unit | baseline | ratio | target | met |")
        print("|---|--:|---|--:|--:|---|---|")
        for r in rows[1:]:
            print("| " + " | ".join(r) + " |")
    elif form == "table":
        wide = [max(len(r[i]) for r in rows) for i in range(7)]
        for r in rows:
            print("  ".join(c.rjust(w) if i in (1, 3, 4) else c.ljust(w)
                            for i, (c, w) in enumerate(zip(r, wide))).rstrip()
                  .replace("**", ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
