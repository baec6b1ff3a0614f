"""A small tus 1.0 server for tests, behind the court's mutual TLS, that can be
told to misbehave.  It takes the place of the centre's listener for devices.

It keeps what came of a request that was cut off, and counts what it was sent.
"""
import base64
import hashlib
import http.server
import os
import socket
import ssl
import struct
import subprocess
import threading

CENTRE = "centre.daybreak.internal"


def server_cert(court, out):
    """A certificate of the court's CA for the centre; PEM of it and its key."""
    crt, key = court.ca_files()
    out.mkdir(exist_ok=True)
    pem, ext = out / "server.pem", out / "ext"
    ext.write_text(f"subjectAltName=DNS:{CENTRE}\n"
                   "extendedKeyUsage=serverAuth\n")

    def run(*args):
        subprocess.run(["openssl", *map(str, args)], check=True,
                       capture_output=True)
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-keyout", out / "server.key", "-subj", f"/CN={CENTRE}",
        "-out", out / "server.csr")
    run("x509", "-req", "-in", out / "server.csr", "-CA", crt, "-CAkey", key,
        "-set_serial", str(int.from_bytes(os.urandom(8), "big") >> 1),
        "-days", "2", "-extfile", ext, "-out", pem)
    return pem, out / "server.key", crt


class Upload:
    def __init__(self, length, digest):
        self.length, self.digest = length, digest
        self.data = bytearray()
        self.owner = None  # the request that may add; a newer one ends it


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port, pem, key, ca, host="127.0.0.1"):
        self.uploads, self.stored = {}, {}
        self.body_bytes = 0          # of files, as they came
        self.requests = []           # (method, what was answered)
        self.cuts = []               # close after so many bytes of a body
        self.answers = []            # [(method, status, headers)]: instead
        self.lose = 0                # answers of PATCH that get lost
        self.lie = None              # offset -> offset, in HEAD and PATCH
        self.spoil = False           # what comes is never what was named
        self.lock = threading.Lock()
        self.ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ctx.load_cert_chain(pem, key)
        self.ctx.load_verify_locations(ca)
        self.ctx.verify_mode = ssl.CERT_REQUIRED
        super().__init__((host, port), Handler)

    def finish_request(self, request, address):
        try:
            request.settimeout(60)
            tls = self.ctx.wrap_socket(request, server_side=True)
        except OSError:
            return
        try:
            super().finish_request(tls, address)
        except OSError:
            pass
        finally:
            tls.close()

    def handle_error(self, request, address):
        pass

    def begin(self):
        self.thread = threading.Thread(target=self.serve_forever,
                                       kwargs={"poll_interval": 0.05})
        self.thread.start()
        return self

    def end(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    # ---- answers

    def answer(self, status, **headers):
        self.server.requests.append((self.command, status))
        self.send_response(status)
        for k, v in {"Tus-Resumable": "1.0.0", **headers}.items():
            if v is not None:
                self.send_header(k.replace("_", "-"), str(v))
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def hang_up(self):
        self.server.requests.append((self.command, 0))
        raw = self.connection
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                       struct.pack("ii", 1, 0))
        self.close_connection = True
        raw.close()

    def told_otherwise(self):
        for i, (method, status, headers) in enumerate(self.server.answers):
            if method == self.command:
                del self.server.answers[i]
                self.skip_body()
                self.answer(status, **headers)
                return True
        return False

    def skip_body(self):
        left = int(self.headers.get("Content-Length", 0))
        while left > 0:
            part = self.rfile.read1(min(left, 65536))
            if not part:
                return
            left -= len(part)
            self.server.body_bytes += len(part)

    # ---- bodies

    def take(self, up):
        """The body, as it comes.  False: it was cut off."""
        left = int(self.headers.get("Content-Length", 0))
        cut = self.server.cuts.pop(0) if left and self.server.cuts else None
        up.owner = self
        while left > 0:
            part = self.rfile.read1(min(left, 16384))
            if not part:
                return False
            left -= len(part)
            with self.server.lock:
                if up.owner is not self:
                    return False
                self.server.body_bytes += len(part)
                up.data += part
            if cut is not None:
                cut -= len(part)
                if cut <= 0:
                    self.hang_up()
                    return False
        return True

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass

    def offset(self, up):
        n = len(up.data)
        return self.server.lie(n) if self.server.lie else n

    def end_of(self, up, **headers):
        """After a body: is it whole, and what it should be?"""
        if len(up.data) == up.length:
            if hashlib.sha256(up.data).hexdigest() != up.digest:
                self.server.uploads = {k: v for k, v in
                                       self.server.uploads.items()
                                       if v is not up}
                return self.answer(460)
            self.server.stored[up.digest] = bytes(up.data)
        if self.command == "PATCH" and self.server.lose > 0:
            self.server.lose -= 1
            return self.hang_up()
        self.answer(201 if self.command == "POST" else 204,
                    Upload_Offset=self.offset(up), **headers)

    # ---- methods

    def find(self):
        up = self.server.uploads.get(self.path.rsplit("/", 1)[-1])
        if up is None:
            self.skip_body()
            self.answer(404)
        return up

    def do_POST(self):
        if self.told_otherwise():
            return
        if self.path != "/v1/evidence":
            # An older centre's sync: there is none here.
            self.skip_body()
            self.answer(503, Retry_After=1)
            return
        meta = dict(x.split(" ") for x in
                    self.headers["Upload-Metadata"].split(","))
        digest = base64.b64decode(meta["sha256"]).decode()
        length = int(self.headers["Upload-Length"])
        for name, up in self.server.uploads.items():
            if up.digest == digest:
                self.skip_body()
                return self.answer(201, Location=f"/v1/evidence/{name}",
                                   Upload_Offset=self.offset(up))
        name = os.urandom(16).hex()
        up = Upload(length, "00" * 32 if self.server.spoil else digest)
        self.server.uploads[name] = up
        if self.take(up):
            self.end_of(up, Location=f"/v1/evidence/{name}")

    def do_HEAD(self):
        if self.told_otherwise():
            return
        up = self.find()
        if up is not None:
            with self.server.lock:
                up.owner = None  # what is said now stays so
            self.answer(200, Upload_Offset=self.offset(up),
                        Upload_Length=up.length, Cache_Control="no-store")

    def do_PATCH(self):
        if self.told_otherwise():
            return
        up = self.find()
        if up is None:
            return
        if int(self.headers["Upload-Offset"]) != len(up.data):
            # At once: whoever has much to send need not send it.
            self.close_connection = True
            return self.answer(409)
        if self.take(up):
            self.end_of(up)
        else:
            self.close_connection = True
