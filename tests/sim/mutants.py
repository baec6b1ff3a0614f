#!/usr/bin/env python3
"""Plants faults in the product, one by one, and shows that the simulation
sees each.

usage: mutants.py BUILD_DIR [word …]

Each fault is a change of a line or two in one file.  The file so changed is
compiled as the build compiles it, and linked before the libraries, where it
takes the place of the right one; then the seeds run until one fails.  With
words, only the faults whose names have one of them.
"""
import json
import os
import shlex
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SEEDS = os.environ.get("DAYBREAK_SEEDS", "120")

# (name, program, file, what stands there, what is put in its place)
FAULTS = [
    ("no fsync at a commit", "test_sim", "common/db/db.c",
     'sync_level[] = { 2, 1, 0 };', 'sync_level[] = { 0, 0, 0 };'),
    ("acknowledged, and never committed", "test_sim",
     "server/core/committer.c",
     "st = store_commit(c->store);",
     "st = t->pieces > 1 ? (store_rollback(c->store), ST_OK)\n"
     "\t\t\t\t    : store_commit(c->store);"),
    ("an entry is left out when sending", "test_sim",
     "agent/core/agent_up.c",
     "uint64_t from = agent_unsent_from(a, &h);",
     "uint64_t from = agent_unsent_from(a, &h);\n\n"
     "\t\tfrom += from % 5 == 2;"),
    ("cursor moved before its record is durable", "test_sim",
     "agent/core/agent_parts.c",
     "\t\tst = log_batch_begin(a->log);\n\tif (st != ST_OK)\n"
     "\t\treturn st;\n\tmemcpy(c.scope, p->scope, ID_LEN);",
     "\t\tst = ST_OK;\n\tmemcpy(c.scope, p->scope, ID_LEN);\n"
     "\tif (st == ST_OK)\n\t\tst = log_cursor_put(a->log, &c);\n"
     "\tif (st == ST_OK)\n\t\tst = log_batch_begin(a->log);\n"
     "\tif (st != ST_OK)\n\t\treturn st;"),
    ("cursor one place too far", "test_sim", "server/roster/feed_read.c",
     "put_step(w, at, at + 1, 0);", "put_step(w, at, at + 2, 0);"),
    ("a record joins a scope without its past", "test_sim",
     "server/roster/feed_read.c",
     "if (record != 0)", "if (record < 0)"),
    ("a torn stream is believed", "test_sim_cases", "server/roster/feed.c",
     ".sync = DB_SYNC_NORMAL", ".sync = DB_SYNC_OFF"),
    ("records wait for their scope for ever after a crash", "test_sim",
     "server/roster/feed.c",
     "f->wanted = true;\n\t*out = f;", "*out = f;"),
    ("a feed made anew writes into the log", "test_sim",
     "server/roster/feed_apply.c",
     "DELETE FROM wants WHERE rec =", "DELETE FROM wants WHERE 'x' ="),
    ("what waited for confirmation never joins its scope", "test_sim_cases",
     "server/roster/feed.c",
     "(f->wanted || f->tried != version)", "f->wanted"),
    ("the centre's words are dropped though the new log has them", "test_sim",
     "agent/core/agent_returned.c",
     "if (is_among(all.p + i, ids))", "if (ids.len == 0)"),
    ("a copy's entries taken for our own", "test_sim",
     "agent/core/agent_parts.c",
     "is == LOG_SAME || is == LOG_AHEAD", "is != LOG_UNKNOWN"),
    ("what was left comes back at the next unlocking", "test_sim",
     "agent/core/agent_leave.c",
     "st = log_foreign_drop(a->log, left.id[i]);", "st = ST_OK;"),
    ("no consistency proof", "test_sim", "server/roster/answer.c",
     "a->up->size < a->tip.size)", "a->up->size > a->tip.size)"),
    ("a receipt for another place", "test_sim", "server/roster/answer.c",
     "r->place = in->place;", "r->place = in->place - 1;"),
    ("a hold is not projected", "test_sim", "server/roster/feed_cache.c",
     "return verb == DO_HOLD ||", "return verb == DO_VOID ||"),
    ("joining that a crash cuts off cannot be taken up", "test_sim_cases",
     "agent/core/agent_enrol.c",
     "if (a->court.joined || a->desc == NULL ||", "if (true ||"),
    ("a replaced handheld stays in after a crash", "test_sim_cases",
     "server/app/enrol_join.c",
     "\t}\n\tif (st == ST_OK)\n\t\tst = put_out_replaced(e, g);",
     "\t\tif (st == ST_OK)\n\t\t\tst = put_out_replaced(e, g);\n\t}"),
]


def command_of(build, path):
    with open(os.path.join(build, "compile_commands.json")) as f:
        for c in json.load(f):
            if os.path.realpath(c["file"]) == os.path.realpath(
                    os.path.join(SOURCE, path)):
                return shlex.split(c["command"]), c["directory"]
    sys.exit(f"{path}: not in compile_commands.json")


def link_of(build, program):
    out = subprocess.run(["ninja", "-C", build, "-t", "commands", program],
                         check=True, capture_output=True, text=True).stdout
    line = out.strip().splitlines()[-1]
    words = shlex.split(line.replace(": && ", "").replace(" && :", ""))
    return words


def compile_fault(build, tmp, path, old, new):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
        text = f.read()
    if text.count(old) != 1:
        sys.exit(f"{path}: stands {text.count(old)} times: {old!r}")
    changed = os.path.join(tmp, "fault.c")
    with open(changed, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))
    words, cwd = command_of(build, path)
    out = os.path.join(tmp, "fault.o")
    words[words.index("-o") + 1] = out
    words[words.index("-c") + 1] = changed
    for flag in ("-MF", "-MT"):
        if flag in words:
            words[words.index(flag) + 1] = os.path.join(tmp, "fault.d")
    subprocess.run(words + ["-Wno-error"], cwd=cwd, check=True)
    return out


def try_fault(build, tmp, name, program, path, old, new):
    obj = compile_fault(build, tmp, path, old, new)
    words = link_of(build, program)
    exe = os.path.join(tmp, program)
    at = words.index("-o")
    words[at + 1] = exe
    words.insert(at, obj)
    subprocess.run(words, cwd=build, check=True)
    env = dict(os.environ, DAYBREAK_SEEDS=SEEDS,
               ASAN_OPTIONS="detect_leaks=0:quarantine_size_mb=8")
    run = subprocess.run([exe], env=env, capture_output=True, text=True,
                         errors="replace")
    said = [line for line in (run.stdout + run.stderr).splitlines()
            if "seed " in line or "ERROR" in line or "expected" in line]
    if run.returncode == 0:
        print(f"NOT SEEN  {name}", flush=True)
        return False
    print(f"seen      {name}\n          {said[0][:150] if said else ''}",
          flush=True)
    return True


def main():
    build, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    bad = 0
    for name, program, path, old, new in FAULTS:
        if words and not any(w in name for w in words):
            continue
        with tempfile.TemporaryDirectory() as tmp:
            bad += not try_fault(build, tmp, name, program, path, old, new)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
