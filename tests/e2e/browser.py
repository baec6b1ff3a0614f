"""A real browser, driven by the W3C WebDriver protocol: Chromium without a
screen.  Python's own library only."""
import base64
import json
import subprocess
import urllib.request

from support import Failed, court, wait_for


class Browser:
    def __init__(self, width=1280, height=900):
        self.port = court.free_port()
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.session = None
        wait_for("chromedriver", self.ready)
        got = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "acceptInsecureCerts": True,
            "goog:chromeOptions": {"args": [
                "--headless=new", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", "--disable-background-networking",
                f"--window-size={width},{height}"]}}}})
        self.session = "/session/" + got["sessionId"]

    def ready(self):
        try:
            return self.call("GET", "/status")["ready"]
        except OSError:
            return False

    def call(self, method, path, body=None):
        rq = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(rq, timeout=120) as r:
                return json.load(r)["value"]
        except urllib.request.HTTPError as e:
            raise Failed(f"{method} {path}: {e.read().decode()[:800]}")

    def say(self, method, path, body=None):
        return self.call(method, self.session + path, body)

    def phone(self, width=390, height=844):
        """What a page sees on a telephone."""
        self.say("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": height,
                       "deviceScaleFactor": 2, "mobile": True}})

    def open(self, url):
        # A new document even where only what stands behind '#' is another.
        self.say("POST", "/url", {"url": "about:blank"})
        self.say("POST", "/url", {"url": url})

    def run(self, script, *args):
        return self.say("POST", "/execute/sync",
                        {"script": script, "args": list(args)})

    def choose(self, name, path):
        """A file for an input of that id."""
        got = self.say("POST", "/element", {"using": "css selector",
                                            "value": f"#{name}"})
        self.say("POST", f"/element/{next(iter(got.values()))}/value",
                 {"text": str(path)})

    def picture(self, path):
        """All of the page."""
        got = self.say("POST", "/goog/cdp/execute", {
            "cmd": "Page.captureScreenshot",
            "params": {"captureBeyondViewport": True}})
        path.write_bytes(base64.b64decode(got["data"]))

    def close(self):
        try:
            if self.session is not None:
                self.call("DELETE", self.session)
        except (Failed, OSError):
            pass
        self.driver.terminate()
        self.driver.wait()
