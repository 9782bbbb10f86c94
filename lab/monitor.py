# SPDX-License-Identifier: MIT
"""QEMU's monitor (QMP): commands, and the events that QEMU reports."""

import json
import select
import socket
import time


class Monitor:
    def __init__(self, path, runs):
        """Connect to the socket that QEMU makes, while runs() says that it has not ended."""
        self.link, self.data, self.events, self.replies = None, b"", [], []
        deadline = time.monotonic() + 10
        while self.link is None and runs() and time.monotonic() < deadline:
            link = socket.socket(socket.AF_UNIX)
            try:
                link.connect(path)
                self.link = link
            except OSError:
                link.close()
                time.sleep(0.02)
        self.send("qmp_capabilities")

    def close(self):
        if self.link:
            self.link.close()

    def send(self, command, **arguments):
        """Without waiting for the reply. To a QEMU that has ended it does nothing."""
        try:
            if self.link:
                self.link.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        except OSError:
            pass

    def poll(self, seconds=0.0):
        """Take in what QEMU says within `seconds`; False when there was nothing."""
        if not self.link or not select.select([self.link], [], [], seconds)[0]:
            return False
        try:
            data = self.link.recv(1 << 16)
        except OSError:
            data = b""
        *lines, self.data = (self.data + data).split(b"\n")
        for line in filter(None, map(bytes.strip, lines)):
            message = json.loads(line)
            (self.events if "event" in message else self.replies).append(message)
        return bool(data)

    def event(self, name):
        """The first event of that name, if it has come."""
        while self.poll():
            pass
        return next((event for event in self.events if event["event"] == name), None)

    def command(self, line, timeout=10):
        """Run a command of QEMU's human monitor; return what it says, None if nothing comes."""
        while self.poll():
            pass
        self.replies.clear()
        self.send("human-monitor-command", **{"command-line": line})
        deadline = time.monotonic() + timeout
        while self.poll(max(0, deadline - time.monotonic())):
            for reply in self.replies:
                if isinstance(reply.get("return"), str):
                    return reply["return"].replace("\r", "")
        return None

    def screen(self, path, timeout=10):
        """What the screen shows, as a file: binary PPM."""
        if self.command(f"screendump {path}", timeout) is None:
            raise OSError("QEMU makes no picture of the screen")
