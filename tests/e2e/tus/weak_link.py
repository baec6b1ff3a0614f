"""A weak link, in user space: a relay that carries so many bits a second, after
a delay, as TCP would over a path that loses packets, and is cut off now and
then.  (netem would do it in the kernel, where there is one with netem.)

What is on its way when it is cut is gone.  It takes no more than the link
carries, so that a sender learns the link's pace as it would from a radio.
"""
import collections
import random
import socket
import struct
import threading
import time

SEGMENT = 1400
QUEUE = 6 * SEGMENT  # that wait before the link, as in a modem


class Link:
    """One direction of one connection."""

    def __init__(self, relay, src, dst, up):
        self.relay, self.src, self.dst, self.up = relay, src, dst, up
        self.queue = collections.deque()  # (arrives, has left, bytes)
        self.held = 0
        self.free_at = self.last_at = 0.0
        self.cond = threading.Condition()
        self.over = False
        for f in (self.take, self.give):
            threading.Thread(target=f, daemon=True).start()

    def take(self):
        r = self.relay
        try:
            while True:
                with self.cond:
                    while self.held > QUEUE + r.bytes_s * r.rtt_s / 2:
                        self.cond.wait()
                part = self.src.recv(SEGMENT)
                if not part:
                    break
                now = time.monotonic()
                start = max(now, self.free_at)
                self.free_at = start + len(part) / r.bytes_s
                at = self.free_at + r.rtt_s / 2
                while r.chance.random() < r.loss:
                    at += r.rtt_s  # sent once more
                self.last_at = max(at, self.last_at)
                with self.cond:
                    self.queue.append((self.last_at, self.free_at, part))
                    self.held += len(part)
                    self.cond.notify_all()
                # Do not read ahead of the link.
                ahead = self.free_at - now - QUEUE / r.bytes_s
                if ahead > 0:
                    time.sleep(ahead)
        except OSError:
            pass
        with self.cond:
            self.over = True
            self.cond.notify_all()

    def give(self):
        r = self.relay
        try:
            while True:
                with self.cond:
                    while not self.queue and not self.over:
                        self.cond.wait()
                    if not self.queue:
                        break
                    at, left, part = self.queue.popleft()
                wait = at - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                r.count(self.up, len(part))
                self.dst.sendall(part)
                with self.cond:
                    self.held -= len(part)
                    self.cond.notify_all()
            self.dst.shutdown(socket.SHUT_WR)
        except OSError:
            # What had left was on the air, and is lost.
            now = time.monotonic()
            with self.cond:
                for _, left, part in self.queue:
                    r.count(self.up, len(part) if left <= now else 0)
            r.cut_pair(self.src, self.dst)


class Relay:
    def __init__(self, listen, to, bit_s, rtt_s, loss, cut_s, seed=1):
        self.to, self.bytes_s, self.rtt_s = to, bit_s / 8, rtt_s
        self.loss = loss
        self.chance = random.Random(seed)
        self.carried = {True: 0, False: 0}
        self.cuts = self.connections = 0
        self.enough = threading.Event()
        self.cutter = None
        self.lock = threading.Lock()
        self.pairs = []
        self.down = False
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # The window that is told to the sender: no more than is needed.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.sock.bind(listen)
        self.sock.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()
        if cut_s:
            self.begin_cuts(cut_s)

    def count(self, up, n):
        with self.lock:
            self.carried[up] += n

    def accept(self):
        while True:
            try:
                a, _ = self.sock.accept()
            except OSError:
                return
            if self.down:
                self.reset(a)
                continue
            try:
                b = socket.create_connection(self.to)
            except OSError:
                self.reset(a)
                continue
            for s in (a, b):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
                self.pairs.append((a, b))
            Link(self, a, b, True)
            Link(self, b, a, False)

    @staticmethod
    def reset(s):
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        s.close()

    def cut_pair(self, *socks):
        for s in socks:
            self.reset(s)

    def cut(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
            self.cuts += bool(pairs)
        for pair in pairs:
            self.cut_pair(*pair)

    def begin_cuts(self, every_s):
        def go():
            while not self.enough.wait(every_s):
                self.cut()
        self.cutter = threading.Thread(target=go, daemon=True)
        self.cutter.start()

    def end_cuts(self):
        """None is under way or to come when this returns."""
        self.enough.set()
        if self.cutter:
            self.cutter.join()

    def close(self):
        self.end_cuts()
        self.sock.close()
        self.cut()
