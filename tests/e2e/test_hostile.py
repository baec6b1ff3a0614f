#!/usr/bin/env python3
"""A device in good standing, or nobody at all, says what it likes.

Would catch: a request that crashes the centre, grows its memory, blocks the
queue of others, is half taken, or is answered by words that help nobody.
"""
import os
import random
import select
import ssl
import struct
import sys
import threading

import support
from support import (Handheld, check, frame, run_cases, sha, varint,
                     wait_for)

MIB = 1 << 20


def attempts(c, sort):
    """How often that was tried: written with the next commit, or at the
    end."""
    rows = c.query("SELECT sum(count) FROM attempts WHERE sort = ?", sort)
    return rows[0][0] or 0


def bad_frames_are_refused_whole(c):
    seed = int(os.environ.get("DAYBREAK_SEED", "1"))
    rng = random.Random(seed)
    c.begin()
    h = Handheld(c, "p001").enrol()
    check(h.push(h.entry())[0] == 200, "a good frame is refused")
    raws = [h.append(h.entry()) for _ in range(3)]
    good = h.piece(raws, 2)
    size = len(good)
    bad, kept = 0, 0

    def try_one(body, what):
        nonlocal bad, kept
        status, answer, _ = h.post("/v1/sync", body)
        check(status in (200, 400, 413, 426), f"{what}: {status} {answer}")
        if status != 200:
            bad += 1
            words = support.json.loads(answer)
            check(words["error"] in ("bad_frame", "too_big", "newer") and
                  words["zh"] and words["message"], f"{what}: {words}")
        else:
            # It was a frame all the same: its piece did not hold, or it was
            # the very one (a flipped bit in what nobody reads).
            kept += 1
        # All, none, or up to a byte of a body, which no signature covers.
        check(h.acked() in (1, 4), f"{what}: half of it was taken")

    for n in sorted(rng.sample(range(size), 30)):
        try_one(good[:n], f"cut at {n} (seed {seed})")
    for _ in range(60):
        at = rng.randrange(size * 8)
        flipped = bytearray(good)
        flipped[at // 8] ^= 1 << at % 8
        try_one(bytes(flipped), f"bit {at} turned (seed {seed})")
    for n in (0, 1, 7, 100, 5000):
        try_one(rng.randbytes(n), f"{n} random bytes (seed {seed})")
    try_one(b"\x02" + good[1:], "a version to come")
    try_one(frame(varint(99)), "a section nobody knows")
    check(bad > 35, f"only {bad} were refused, {kept} passed")
    # Whatever came before, the same frame goes through afterwards, and what
    # stands there is what was written.
    check(h.post("/v1/sync", good)[0] == 200 and h.acked() == 4,
          "the good frame is refused afterwards")
    there = c.query("SELECT e.bytes FROM entries e JOIN chains h ON e.chain = "
                    "h.no WHERE h.id = ? AND e.seq > 1 ORDER BY e.seq",
                    h.chain)
    check([x[0] for x in there] == raws, "not what was written stands there")
    c.healthy()
    check(attempts(c, "bad_frame") >= bad - 5,
          f"{attempts(c, 'bad_frame')} of {bad} attempts are in the log")


def bombs_cost_nothing(c):
    """Frames that say they are small and unpack to gigabytes."""
    c.begin()
    h = Handheld(c, "p001").enrol()
    c.healthy()
    rle = struct.pack("<I", (128 << 10) << 3 | 1 << 1)[:3] + b"A"
    end = struct.pack("<I", 1)[:3]

    def bomb(stated, blocks):
        return (b"\xa0" + struct.pack("<I", stated) + rle * blocks + end)

    bombs = [bomb(stated, 400000) for stated in
             (1000, 4 * MIB - 1, 4 * MIB + 1, (1 << 32) - 1)]
    bombs.append(b"\x00" + b"\x88" + rle * 400000 + end)  # no size stated
    # Honest about 4 MiB, of which each byte stands for much more.
    before = c.memory()
    for _ in range(4):
        for b in bombs:
            status, answer, _ = h.post("/v1/sync", frame(b"", packed=b))
            check(status in (400, 413), f"a bomb: {status} {answer}")
    refs = varint(1) + varint(1) + varint(1) + varint(1) + varint(0)
    text = b"{" + b"\x0b" * 1000 + b"\n{}\x00"
    status, _, _ = h.post("/v1/sync", frame(refs, text, os.urandom(200)))
    check(status == 400, f"more is referred to than is there: {status}")
    status, answer, _ = h.post("/v1/sync", b"\x01" * (2 * MIB + 1))
    check(status == 413, f"a body over the limit: {status} {answer}")
    grown = c.memory() - before
    check(grown < 96 * MIB, f"{grown >> 20} MiB more after 20 bombs")
    c.healthy()


def broken_json_is_kept_and_harms_nobody(c):
    """DESIGN section 2: what another scanner would let through.  Under a good
    signature it gets its place like any other, and has no effect."""
    c.begin()
    h = Handheld(c, "p001").enrol()
    rec = support.uuid7()
    check(h.push(h.entry(rec))[0] == 200, "a good entry is refused")

    def mend(old, new):
        raw = h.entry(rec)
        check(old in raw, f"no {old} in an entry")
        return raw.replace(old, new, 1)

    def heads():
        yield "a name twice", mend(b'"v":1,', b'"v":1,"v":1,')
        yield "a name twice, escaped", mend(b'"v":1,', b'"v":1,"\\u0076":1,')
        yield "01", mend(b'"v":1,', b'"v":01,')
        yield "1.0", mend(b'"mono":1000', b'"mono":1000.0')
        yield "1e3", mend(b'"mono":1000', b'"mono":1e3')
        yield "-0", mend(b'"mono":1000', b'"mono":-0')
        yield "2^53", mend(b'"mono":1000', b'"mono":9007199254740992')
        yield "bad UTF-8", mend(b'"by":"p001"', b'"by":"p\xc3\x28"')
        yield "overlong", mend(b'"by":"p001"', b'"by":"p\xc0\xae"')
        yield "U+0000", mend(b'"by":"p001"', b'"by":"p\\u0000"')
        yield "a lone surrogate", mend(b'"by":"p001"', b'"by":"\\ud800"')
        yield "a noncharacter", mend(b'"by":"p001"', b'"by":"\\uffff"')
        yield "behind the value", mend(b'"}\n', b'"}x\n')
        yield "white space", mend(b'"v":1,', b'"v": 1,')
        yield "a BOM", b"\xef\xbb\xbf" + h.entry(rec)
        yield "too deep", mend(b'"after":[]', b'"after":' + b"[" * 17 +
                               b"]" * 17)
        yield "an unknown member", mend(b'"v":1,', b'"v":1,"w":1,')
        yield "another place", h.entry(rec, seq=h.seq + 2)
        yield "another court", h.entry(rec, court="other")
        yield "another chain", h.entry(rec, chain="ab" * 16)
        yield "no JSON at all", b"\xff\x01\x02\x00\n\x00"
        yield "nothing but a line end", b"\n"

    for what, raw in heads():
        status, answer, _ = h.push(raw)
        check(status == 200 and h.acked() == h.seq,
              f"{what}: it blocks the queue: {status} {answer[:200]}")
        flags = c.query("SELECT e.flags, e.bytes FROM entries e JOIN chains h "
                        "ON e.chain = h.no WHERE h.id = ? AND e.seq = ?",
                        h.chain, h.seq)
        check(flags[0][1] == raw, f"{what}: other bytes were kept")
        why = c.query("SELECT why FROM reasons r JOIN entries e ON r.place = "
                      "e.place JOIN chains h ON e.chain = h.no WHERE h.id = ?"
                      " AND e.seq = ?", h.chain, h.seq)
        check(why and why[0][0], f"{what}: nobody is told why it is bare")
    # A body of that sort makes its entry blind, not more.
    raw = h.entry(rec).split(b"\n")[0] + b'\n{"data":[1],"data":[2]}'
    check(h.push(raw)[0] == 200 and h.acked() == h.seq, "a body blocks")
    check(h.push(h.entry())[0] == 200 and h.acked() == h.seq,
          "a good entry behind them all is refused")
    c.caught_up()
    state = c.console(f"/api/v1/records/{rec}/state")
    check([v[1] for v in state["fields"]["target"]
           if isinstance(v[1], str)] == ["甲"],
          f"a malformed entry has an effect: {state['fields']}")
    # What joins by JSON is read as strictly.
    code = c.code_for("p002")
    body = Handheld(c, "p002").enrol_body(code).replace(" ", "")
    for what, text in (
            ("twice", body.replace('"v":1,', '"v":1,"v":1,')),
            ("trailing", body + "x"), ("01", body.replace('"v":1', '"v":01')),
            ("cut", body[:-5]), ("empty", ""), ("an array", "[]"),
            ("deep", "[" * 20000), ("U+0000", body.replace("key", "k\0y"))):
        status, answer, _ = h.post("/v1/enrol", text, port=2)
        check(status == 400 and b"zh" in answer, f"{what}: {status} {answer}")
    check(h.post("/v1/enrol", "x" * 40000, port=2)[0] == 413, "too large")
    check(c.healthy(), "")


def codes_are_good_once(c):
    c.begin()
    first, second = Handheld(c, "p001"), Handheld(c, "p002")
    code = c.code_for("p001")
    a = first.post("/v1/enrol", first.enrol_body(code), port=2)
    b = first.post("/v1/enrol", first.enrol_body(code), port=2)
    check(a[0] == b[0] == 200 and a[1] == b[1],
          "asked again with the same keys, another answer came")
    status, body, _ = second.post("/v1/enrol", second.enrol_body(code),
                                  port=2)
    check(status == 409 and b"code_used" in body, f"{status} {body}")
    check([x["dev"] for x in c.alarms("code_reused")] == [second.dev],
          "supervisors were not told")
    # As an officer sees it, on a second handheld.
    r = c.ask("h1", "enrol", code)
    check(r[0] == 1 and "已被另一台设备使用" in r[2], r[2])
    check(c.device(second.dev) is None, "a used code made a second device")
    # A code that ran out, by the server's clock.
    code = c.code_for("p003", "--ttl", "1h")
    unknown = "DB1-" + support.base64.b32encode(
        os.urandom(16) + support.base64.b32decode(
            code.split("-")[1].upper() + "=" * (-len(code.split("-")[1]) % 8)
        )[16:]).decode().lower().rstrip("=") + "-" + code.split("-")[2]
    r = c.ask("h2", "enrol", unknown)
    check(r[0] == 1 and "入网码" in r[2], r[2])
    c.restart(env=c.unlucky(clock_s=7200))
    r = c.ask("h2", "enrol", code)
    check(r[0] == 1 and "入网码已过期" in r[2] and "ask for a new one" in r[2],
          r[2])
    r = c.ask("h2", "enrol", c.code_for("p003", "--ttl", "9h"))
    check(r[0] == 0, f"a new code does not help: {r[2]}")
    c.stop()
    check(attempts(c, "code_unknown") > 0, "a guess was not logged")
    c.start()


def hang(c, h, count):
    """Clients that never come to an end; their sockets."""
    held = []
    plain = support.socket
    for i in range(count):
        sort = i % 6
        port = c.ports[0 if sort < 4 else 2]
        s = plain.create_connection(("127.0.0.1", port), timeout=120)
        if sort == 1:  # half a handshake
            s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        elif sort == 2:  # a body that does not come
            s = h.context().wrap_socket(s, server_hostname=support.CENTRE)
            s.sendall(b"POST /v1/sync HTTP/1.1\r\nHost: x\r\n"
                      b"Content-Length: 100000\r\n\r\nab")
        elif sort == 3:  # many requests, and no answer is read
            s.setsockopt(plain.SOL_SOCKET, plain.SO_RCVBUF, 4096)
            s = h.context().wrap_socket(s, server_hostname=support.CENTRE)
            s.sendall(b"GET /checkpoint HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        elif sort == 5:  # a head that does not end
            s = h.context(cert=False).wrap_socket(
                s, server_hostname=support.CENTRE)
            s.sendall(b"GET /v1/descriptor HTTP/1.1\r\nX: ")
        held.append(s)
    return held


def drip(held, stop):
    """Endless: a byte now and then keeps each of them alive."""
    while not stop.wait(0.5):
        for s in list(held):
            if isinstance(s, ssl.SSLSocket):
                try:
                    s.sendall(b"x")
                except OSError:
                    pass


def hanging(held):
    """Those that the centre has not cut yet."""
    poll = select.poll()
    for s in held:
        poll.register(s, select.POLLRDHUP)
    gone = {fd for fd, _ in poll.poll(0)}
    return [s for s in held if s.fileno() not in gone]


def slow_clients_hold_up_nobody(c):
    c.begin()
    h = Handheld(c, "slow").enrol()
    good = Handheld(c, "p001").enrol()
    c.healthy()
    before = c.memory()
    held = hang(c, h, 240)
    stop = threading.Event()
    t = threading.Thread(target=drip, args=(held, stop))
    t.start()
    try:
        wait_for("the hanging clients to be connected", lambda: int(
            c.api("/metrics").decode().split("\ndaybreak_connections ")[1]
            .split()[0]) >= 60)
        # While they hang, every sync of the good comes to its end.  Who was
        # cut meanwhile comes back: there are never fewer than 120.
        for n in range(1, 31):
            if len(hanging(held)) < 120:
                held += hang(c, h, 120)
            status, _, _ = good.push(good.entry())
            check(status == 200 and good.acked() == n,
                  f"sync {n} beside slow clients: {status}")
        for _ in range(3):
            c.healthy()
        grown = c.memory() - before
        check(grown < 128 * MIB, f"{grown >> 20} MiB for slow clients")
    finally:
        stop.set()
        t.join()
        for s in held:
            s.close()
    c.healthy()


def nobody_reads_what_is_not_his(c):
    """Paths and tokens: the right status, and nothing told."""
    c.begin()
    h = Handheld(c, "p001").enrol()
    for port, method, path, want in (
            (0, "GET", "/api/v1/records", 404), (0, "GET", "/metrics", 404),
            (0, "GET", "/v1/sync", 405), (0, "POST", "/v1/enrol", 404),
            (2, "POST", "/v1/sync", 404), (2, "GET", "/metrics", 404),
            (2, "GET", "/../keys/log", 404), (2, "GET", "/%00", 404),
            (2, "GET", "/tile/entries/000", 404),
            (2, "GET", "/tile/0/999", 404), (2, "GET", "/tile/0/../0", 404),
            (1, "GET", "/api/v1/records", 401), (1, "GET", "/metrics", 401),
            (1, "GET", "/checkpoint", 401), (1, "GET", "/tile/0/000", 401)):
        status, body, _ = h.post(path, None, port=port, method=method)
        check(status == want or (want == 404 and status == 400),
              f"{method} {path} on {port}: {status}, not {want}: {body[:99]}")
        check(b"seed" not in body and b"SQLITE" not in body, body)
    # The public sees a tree that moves on once a day; who holds a token, and
    # devices, see the newest.
    h.push(h.entry())
    size = {p: int(h.post("/checkpoint", None, port=p, method="GET")[1]
                   .split(b"\n")[1]) for p in (0, 2)}
    size[1] = int(c.api("/checkpoint").split(b"\n")[1])
    check(size[2] < size[0] == size[1], f"sizes shown: {size}")


def a_stolen_key_shows_itself(c):
    """Who has a handheld's key and writes beside its chain, so that no fork
    ever shows it; who claims another's chain; who says another's call for
    help."""
    c.begin()
    a, b = Handheld(c, "p001").enrol(), Handheld(c, "p002").enrol()
    a.push(a.entry())
    a.push(a.entry())
    own = b.push(b.entry())
    check(own[0] == 200 and not c.alarms("second_chain"), f"one chain: {own}")
    chain, seq, links = b.chain, b.seq, dict(b.links)

    # Another's chain, gone on with and begun anew: nothing of it is placed.
    b.chain, b.seq, b.links = a.chain, a.seq, dict(a.links)
    b.link = b.links[b.seq]
    b.push(b.entry())
    check(a.acked() == 2, "another's chain was gone on with")
    b.seq, b.link = 0, sha(b"daybreak-chain/1\0", b.descriptor, b.public,
                           a.chain)
    b.links = {0: b.link}
    b.push(b.entry())
    check(a.acked() == 2 and len(c.query(
        "SELECT 1 FROM chains WHERE id = ?", a.chain)) == 1,
        "another's chain was begun anew")

    # A hint that the other signed, said by this one, and by the right one.
    e = a.entry(kind="stage@1", on=["stage"])
    at = a.seq + 1
    link = sha(b"\x02", a.link, struct.pack(">Q", at),
               sha(e.split(b"\n", 1)[0]))
    hint = frame(varint(2) + varint(1) + varint(at) + varint(len(e)),
                 b"\x16" + e, a.chain + a.link + a.sign(
                     b"daybreak-head/1\0" + a.chain + struct.pack(">Q", at) +
                     link))

    def board():
        return c.console("/api/v1/hints")["hints"]

    b.post("/v1/sync", hint)
    check(board() == [], "another's hint was taken")
    for _ in range(2):
        a.post("/v1/sync", hint)
        check([x["seq"] for x in board()] == [at], f"the board: {board()}")
    a.push(e)
    a.post("/v1/sync", hint)
    check(board() == [], "a hint came back behind its place")

    # A second chain of the same key.
    b.chain, b.seq = os.urandom(16), 0
    b.link = sha(b"daybreak-chain/1\0", b.descriptor, b.public, b.chain)
    b.links = {0: b.link}
    b.push(b.entry())
    b.push(b.entry())
    told = c.alarms("second_chain")
    check(len(told) == 1 and told[0]["dev"] == b.dev and
          told[0]["doc"]["chain"] == b.chain.hex(), f"alarms: {told}")
    b.chain, b.seq, b.links = chain, seq, links
    b.link = links[seq]
    b.push(b.entry())
    check(len(c.alarms("second_chain")) == 1, "told again and again")
    c.healthy()


if __name__ == "__main__":
    sys.exit(run_cases([
        bad_frames_are_refused_whole, bombs_cost_nothing,
        broken_json_is_kept_and_harms_nobody, codes_are_good_once,
        slow_clients_hold_up_nobody, nobody_reads_what_is_not_his,
        a_stolen_key_shows_itself]))
