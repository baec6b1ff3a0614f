#!/usr/bin/env python3
"""Every certificate that is not right, on the real programs over real TLS.

Would catch: a door that opens to the wrong key, one that stays shut to the
right one, and a refusal that nobody can explain afterwards.
"""
import sys
import warnings

import support
from support import Failed, Handheld, check, run_cases, wait_for  # noqa: F401


def shown(h, ctx):
    """Try a request with that context: its status, or None if the door stays
    shut."""
    try:
        return h.post("/v1/sync", support.frame(b""), ctx=ctx)[0]
    except (support.ssl.SSLError, ConnectionError,
            support.http.client.HTTPException):
        return None


def lasting(days):
    """How this OpenSSL is told: since 3.4 none ends before it begins."""
    version = support.openssl("version").split()[1].split(b".")
    if days >= 0 or [int(x) for x in version[:2]] < [3, 4]:
        return "-days", days
    return "-not_before", "20200101000000Z", "-not_after", "20200201000000Z"


def made(c, h, ca, dev, days=30, start=None, usage="clientAuth"):
    """A certificate for h's TLS key, made with somebody's CA."""
    csr, out, ext = (h.dir / n for n in ("made.csr", "made.pem", "made.ext"))
    csr.write_bytes(h.csr)
    ext.write_text("basicConstraints=critical,CA:false\n"
                   "keyUsage=critical,digitalSignature\n"
                   f"extendedKeyUsage={usage}\n"
                   f"subjectAltName=critical,URI:urn:daybreak:dev:{dev}\n")
    support.openssl("x509", "-req", "-inform", "DER", "-in", csr, "-CA",
                    ca[0], "-CAkey", ca[1], "-set_serial", "0x77aa00112233445566778899aabbccdd",
                    "-sha256", *lasting(days), "-extfile", ext, "-out", out)
    return h.context(out)


def foreign_ca(c):
    crt, key = c.dir / "foreign.pem", c.dir / "foreign.key"
    support.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", crt, "-days", 30, "-subj",
                    "/CN=another court")
    return crt, key


def refused(c, h, ctx, reason):
    """The door stays shut, and the log says why to who runs the centre."""
    before = len(c.logged(reason))
    status = shown(h, ctx)
    check(status is None, f"{reason}: let in, status {status}")
    wait_for(f"a line of the log: {reason}",
             lambda: len(c.logged(reason)) > before)


def wrong_certificates_stay_outside(c):
    c.begin()
    h = Handheld(c, "p001").enrol()
    check(shown(h, h.context()) == 200, "the right certificate is refused")
    ours = c.ca_files()
    stranger = Handheld(c, "p002")
    refused(c, h, h.context(cert=False), "showed no certificate")
    refused(c, h, made(c, h, foreign_ca(c), h.dev), "not of this court's CA")
    # Stolen CA key: a device that the log does not know stays outside.
    refused(c, stranger, made(c, stranger, ours, stranger.dev),
            "never enrolled")
    refused(c, h, made(c, h, ours, h.dev, usage="serverAuth"),
            "not for clients")
    refused(c, h, made(c, h, ours, "nobody"), "names no device")
    refused(c, h, made(c, h, ours, h.dev, days=-1), "expired")
    # Nothing of it was held against the honest.
    check(shown(h, h.context()) == 200, "the right certificate is refused")
    c.healthy()


def right_certificate_on_a_wrong_device(c):
    """A certificate and its TLS key in another handheld: what that one writes
    is not the device's, and is refused, each with its reason."""
    c.begin()
    owner, thief = Handheld(c, "p001").enrol(), Handheld(c, "p002").enrol()
    owner.push(owner.entry())
    check(owner.acked() == 1, "the owner's entry was not taken")
    mine = thief.cert.read_bytes()
    thief.cert.write_bytes(owner.cert.read_bytes())
    thief.tls_key = owner.tls_key
    # Its own chain, under the other's name.
    raw = thief.append(thief.entry())
    status, _, _ = thief.post("/v1/sync", thief.piece([raw], 1))
    check(status == 200 and thief.acked() == 0,
          "entries of one key were taken under another's certificate")
    # The owner's chain, with the thief's signature.
    nxt = owner.append(owner.entry())
    status, _, _ = thief.post("/v1/sync", owner.piece(
        [nxt], 2, key=thief.key))
    check(status == 200 and owner.acked() == 1,
          "an entry that its owner did not sign was taken")
    thief.post("/healthz", None, method="GET")
    c.stop()
    tried = c.query("SELECT subject, count FROM attempts "
                    "WHERE sort = 'bad_signature'")
    check(tried and tried[0][0] == owner.dev and tried[0][1] >= 2,
          f"the attempts were not logged: {tried}")
    c.start()
    # And the thief under its own name cannot write on the owner's chain.
    thief.cert.write_bytes(mine)
    thief.tls_key = thief.dir / "tls.pem"
    status, _, _ = thief.post("/v1/sync", owner.piece(
        [nxt], 2, key=thief.key))
    check(status == 200 and owner.acked() == 1,
          "a device wrote on another's chain")
    status, _, _ = owner.post("/v1/sync", owner.piece([nxt], 2))
    check(status == 200 and owner.acked() == 2,
          "the owner's own entry is refused afterwards")


def expired_certificate_renews_itself(c):
    """Not only by the handheld's own clock: it may be wrong."""
    c.begin(cert_days=2)
    for home in "h1", "h2":
        c.agent(home, "enrol", c.code_for(home))
        c.sync(home)
    rec = {h: c.record(h, "过期前") for h in ("h1", "h2")}
    days = 9 * 86400
    c.restart(env=c.unlucky(clock_s=days), cert_days=2)
    # Its clock says so: it renews before it asks.
    r = c.ask("h1", "sync", env=c.unlucky(clock_s=days))
    check(r[0] == 0, f"an expired certificate was not renewed: {r[2]}")
    # Its clock stood still: it learns so from the refusal.
    r = c.ask("h2", "sync")
    check(r[0] == 0, f"a clock that stands still locks a device out: {r[2]}")
    check(c.logged("expired", "days ago"), "the refusal was not logged")
    c.all_there(*rec.values())
    for h in rec:
        check(c.status(h)["queued"] == 0, f"{h}: not all came through")


def revoked_device_only_delivers(c):
    c.begin()
    c.agent("h1", "enrol", c.code_for("p001"))
    h = Handheld(c, "p002").enrol()
    c.sync("h1")
    dev = c.status("h1")["dev"]
    check(h.post("/checkpoint", None, method="GET")[0] == 200,
          "a device in good standing reads the checkpoint")
    rec = c.record("h1", "吊销前写下")
    c.revoke(dev, "lost")
    c.revoke(h.dev)
    c.admin("order", "--to", "all", "--text", "集合", lines=False)
    r = c.agent("h1", "sync")[-1]
    check(r["sent"] > 0 and r["received"] == 0,
          f"a revoked device delivers, and is told nothing: {r}")
    s = c.status("h1")
    check(s["queued"] == 0, f"what it delivered was not acknowledged: {s}")
    rows = c.query("SELECT count(*) FROM entries e JOIN chains h ON "
                   "e.chain = h.no WHERE h.id = ?", h.chain)
    check(rows[0][0] == 0, "nothing was sent yet")
    h.push(h.entry())
    check(h.acked() == 1, "a revoked device's entry was not placed")
    for method, path in (("GET", "/checkpoint"), ("GET", "/tile/0/000"),
                         ("POST", "/v1/renew")):
        status, _, _ = h.post(path, None if method == "GET" else "{}",
                              method=method)
        check(status in (403, 404), f"{path}: {status} for a revoked device")
    # Neither way of renewing is open to it.
    status, body, _ = h.post("/v1/renew/challenge",
                             f'{{"v":1,"dev":"{h.dev}"}}', port=2)
    nonce = support.json.loads(body)["nonce"]
    ask = {"v": 1, "dev": h.dev, "nonce": nonce,
           "csr": support.base64.b64encode(h.csr).decode(),
           "sig": h.sign(b"daybreak-renew/1\0" + bytes.fromhex(nonce) +
                         support.sha(h.csr)).hex()}
    status, body, _ = h.post("/v1/renew/expired", support.json.dumps(ask),
                             port=2)
    check(status == 403 and b"revoked" in body, f"renewed: {status} {body}")
    # Placed, and held: no record shows it until somebody admits it.
    c.caught_up()
    check(c.query("SELECT count(*) FROM entries WHERE CAST(bytes AS TEXT) "
                  "LIKE '%\"do\":\"hold\"%'")[0][0] > 0, "it was not held")
    check("吊销前写下" not in c.api(f"/api/v1/records/{rec}/state").decode(),
          "a held entry has its effect")
    c.healthy()


def revoked_means_held_from_the_next_place_on(c):
    """Catches a server that judges by a roster which is a moment behind what
    another process has logged: an honest log that every audit then calls
    damaged."""
    c.begin()
    hands = [Handheld(c, f"p{n}").enrol() for n in range(8)]
    for h in hands:
        h.push(h.entry())
    for what, h in zip(("lost", "seized", "copied", "replaced", "revoked") * 2,
                       hands):
        # Not waited for: what is logged holds.
        c.admin("revoke", "--dev", h.dev, "--reason", "test", "--what", what)
        h.push(h.entry())
        check(h.acked() == 2, f"{what}: not placed")
    c.caught_up()
    held = {e["dev"] for e in c.console("/api/v1/held")["held"]}
    check(held == {h.dev for h in hands},
          f"{len(held)} of {len(hands)} are held")
    c.stop()
    a = support.json.loads(c.audit("store", c.court, "--key",
                           c.admin("vkey")[0]["vkey"], ok=(0, 1, 3)).stdout)
    check(a["damage"] == 0 and a["held"] == len(hands), f"the audit: {a}")


def ticket_of_a_revoked_device_opens_nothing(c):
    c.begin()
    h = Handheld(c, "p001").enrol()
    ctx = h.context()

    def once(session):
        s = h.connect(c.ports[0], ctx, session)
        s.sendall(b"GET /checkpoint HTTP/1.1\r\nHost: x\r\n"
                  b"Connection: close\r\n\r\n")
        got = b""
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
        out = int(got.split()[1]), s.session, s.session_reused
        s.close()
        return out

    status, session, _ = once(None)
    check(status == 200, f"{status} for a device in good standing")
    status, session, again = once(session)
    check(status == 200 and again, "a session is not resumed at all")
    c.revoke(h.dev)
    status, session, again = once(session)
    check(status in (403, 404) and not again,
          f"a revoked device came back by its ticket: {status}, {again}")


def other_protocols_are_turned_away(c):
    c.begin()
    h = Handheld(c, "p001").enrol()
    for port in c.ports:
        s = support.socket.create_connection(("127.0.0.1", port), timeout=120)
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        got = s.recv(65536)
        check(b"HTTP/1.1 200" not in got, f"plain HTTP was served: {got}")
        s.close()

    def talks(port, version, ciphers=None):
        ctx = h.context(cert=port == 0)
        ctx.minimum_version = ctx.maximum_version = version
        if ciphers:
            ctx.set_ciphers(ciphers)
        try:
            s = h.connect(c.ports[port], ctx)
            out = s.version(), s.cipher()[0]
            s.close()
            return out
        except (support.ssl.SSLError, ConnectionError):
            return None

    v = support.ssl.TLSVersion
    for port in range(3):
        check(talks(port, v.TLSv1_3), f"port {port} does not speak TLS 1.3")
        for old in v.TLSv1, v.TLSv1_1:
            check(talks(port, old, "ALL:@SECLEVEL=0") is None,
                  f"port {port} speaks {old}")
        check(talks(port, v.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256") is None,
              f"port {port} takes a suite without an AEAD")
    check(talks(0, v.TLSv1_2) is None, "devices come in by TLS 1.2")
    check("GCM" in talks(1, v.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256")[1],
          "an old browser cannot read the console")
    r = support.subprocess.run(
        ["curl", "-sS", "--max-time", "60", "-o", "/dev/null", "-w",
         "%{http_code}", f"https://127.0.0.1:{c.ports[0]}/v1/sync", "-k"],
        capture_output=True, text=True)
    check(r.returncode != 0, f"curl without a certificate: {r.stdout}")
    c.healthy()


# Old protocols are asked for on purpose.
warnings.simplefilter("ignore", DeprecationWarning)

if __name__ == "__main__":
    sys.exit(run_cases([
        wrong_certificates_stay_outside, right_certificate_on_a_wrong_device,
        expired_certificate_renews_itself, revoked_device_only_delivers,
        revoked_means_held_from_the_next_place_on,
        ticket_of_a_revoked_device_opens_nothing,
        other_protocols_are_turned_away]))
