# SPDX-License-Identifier: MIT
"""A switch with a cable to each of some machines, and a client at it that is none of them: a network namespace of this
host's. The switch can be told to lose everything, at once or from the first frame on that has some bytes in it.

    with Switch(directory, 2, "10.77.0.20/24") as switch:
        machines = [Dom0(..., nics=(nic,)) for nic in switch.nics]
        switch.client("import ...")     # a process in the client's namespace
"""

import collections
import contextlib
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import threading

from lab import ROOT
from lab.pc import Nic

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
FRAME_MAX = 70000
QUEUE_MAX = 2000    # frames


class Switch:
    def __init__(self, directory, ports, address):
        self.ends = [(f"{directory}/machine{n}", f"{directory}/switch{n}") for n in range(ports)]
        self.nics = [Nic(cable=end) for end in self.ends]
        self.address = address
        self.bytes = 0              # that went between machines
        self.cut_at_bytes = None    # cut as soon as `bytes` is so much
        self.cut_at_text = None     # cut when a frame has these bytes; it is lost, too
        self.is_cut = threading.Event()
        self.ending = False

    def __enter__(self):
        # Whoever holds its input open keeps the namespace; the tap is made in it and handed over.
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            self.holder = subprocess.Popen(["unshare", "--net", sys.executable, "-m", "lab.switch", str(there.fileno()), self.address],
                                           cwd=ROOT, stdin=subprocess.PIPE, pass_fds=(there.fileno(),))
        with here:
            _, fds, _, _ = socket.recv_fds(here, 1, 1)
        assert fds, "the client's namespace could not be made"
        self.tap = fds[0]
        self.sockets = []
        self.queues = [collections.deque() for _ in self.ends]
        for _, path in self.ends:
            port = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            port.bind(path)
            port.setblocking(False)
            port.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            self.sockets.append(port)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        self.thread.join()
        self.holder.stdin.close()
        self.holder.wait()
        os.close(self.tap)
        for port in self.sockets:
            port.close()

    def client(self, *words):
        """A process in the client's namespace, with pipes."""
        return subprocess.Popen(["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *words], cwd=ROOT, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)

    # -- the cables

    def cut(self):
        self.is_cut.set()

    def mend(self):
        self.cut_at_bytes = self.cut_at_text = None
        self.is_cut.clear()

    def _lost(self, frame, between):
        if between:
            self.bytes += len(frame)
        if (self.cut_at_text and self.cut_at_text in frame) or (self.cut_at_bytes is not None and self.bytes >= self.cut_at_bytes):
            self.is_cut.set()
        return self.is_cut.is_set()

    def _flush(self, number):
        """Sends what waits for a machine: it takes only a few frames at a time. False: there is more."""
        queue = self.queues[number]
        while queue:
            try:
                self.sockets[number].sendto(queue[0], self.ends[number][0])
            except BlockingIOError:
                return False
            except OSError:  # the machine is off
                pass
            queue.popleft()
        return True

    def _send(self, frame, source):
        for number, queue in enumerate(self.queues):
            if number != source and len(queue) < QUEUE_MAX:
                queue.append(frame)
                self._flush(number)
        if source is not None:
            with contextlib.suppress(OSError):
                os.write(self.tap, frame)

    def _run(self):
        poll = select.poll()
        for fd in [port.fileno() for port in self.sockets] + [self.tap]:
            poll.register(fd, select.POLLIN)
        number_of = {port.fileno(): number for number, port in enumerate(self.sockets)}
        while not self.ending:
            busy = not all([self._flush(number) for number in range(len(self.queues))])
            for fd, _ in poll.poll(1 if busy else 200):
                source = number_of.get(fd)
                for _ in range(64):  # then the others
                    try:
                        frame = self.sockets[source].recv(FRAME_MAX) if source is not None else os.read(fd, FRAME_MAX)
                    except OSError:
                        break
                    if not self._lost(frame, source is not None):
                        self._send(frame, source)


def hold(fd, address):
    """In the client's namespace."""
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", b"client", IFF_TAP | IFF_NO_PI))
    for words in (("addr", "add", address, "dev", "client"), ("link", "set", "client", "up"), ("link", "set", "lo", "up")):
        subprocess.run(["ip", *words], check=True)
    with socket.socket(fileno=fd) as parent:
        socket.send_fds(parent, [b"x"], [tap])
    sys.stdin.read()


if __name__ == "__main__":
    hold(int(sys.argv[1]), sys.argv[2])
