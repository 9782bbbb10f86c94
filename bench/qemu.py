# SPDX-License-Identifier: MIT
"""One machine in QEMU that counts: one processor, one instruction a tick, and two runs that agree.

Under -icount shift=0 the virtual clock goes on by 1 ns with each instruction, and with sleep=off it jumps over the time
in which the processor is halted. The TSC runs at 1 GHz of that clock, so a difference of two readings is a number of
instructions (if nothing waited) or of virtual nanoseconds (if something did). Nothing of the host's time comes in, as
long as nobody types: what is measured runs by itself and only talks.
"""

import ctypes
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# SMAP: QEMU's iretq in ring 3 fails with it. Fast strings: each repetition is counted as an instruction, so that with them
# (rep movsb) a copy would count for 4,096 a page and drown everything else; without them Linux copies 8 bytes at a time.
CPU = "max,-smap,-erms,-fsrm"
COUNTING = ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1", "-smp", "1"]


class RunFailed(Exception):
    """A run that gave no result, with the reason in one sentence."""


def _die_with_parent():
    """In the new process: no QEMU outlives the harness, however that ends (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def words(image, append, initrd, mem):
    """QEMU's command line but for ports. `initrd` is QEMU's: files split by commas, each with its words behind it."""
    return ["qemu-system-x86_64", "-accel", "tcg", "-cpu", CPU, "-m", str(mem), "-display", "none",
            "-nodefaults", "-no-reboot", "-kernel", str(image), "-append", append, "-initrd", initrd, *COUNTING]


class Qemu:
    """A running machine. `text` is what its serial port said."""

    def __init__(self, command, log):
        self.log, self.command = Path(log), list(map(str, command))
        self.text = ""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="bench-")
        path = f"{self.directory.name}/qmp"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.out = open(self.log, "wb", buffering=0)
        self.process = subprocess.Popen(
            self.command + ["-serial", "stdio", "-qmp", f"unix:{path},server=on,wait=off"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=_die_with_parent)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.events, self.replies, self.monitor_data = [], [], b""
        self.monitor = self._connect(path)
        self.selector.register(self.monitor, selectors.EVENT_READ)
        self._send("qmp_capabilities")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.monitor.close()
        self.out.close()
        self.directory.cleanup()

    def _connect(self, path):
        for _ in range(200):
            link = socket.socket(socket.AF_UNIX)
            try:
                link.connect(path)
                return link
            except OSError:
                link.close()
                time.sleep(0.05)
        self.process.kill()
        raise RunFailed(f"QEMU does not start: {self.process.stdout.read() or 'it says nothing'}")

    def _send(self, command, **arguments):
        self.monitor.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())

    def pump(self, seconds=0.2):
        """Take in what there is; False when QEMU has ended and nothing is left."""
        for key, _ in self.selector.select(seconds):
            if key.fileobj is self.monitor:
                self._take_monitor()
                continue
            data = self.process.stdout.read(1 << 16)
            if not data:
                self.selector.unregister(self.process.stdout)
                return False
            self.out.write(data)
            self.text += data.decode("latin-1").replace("\r", "")
        return self.process.poll() is None

    def _take_monitor(self):
        data = self.monitor.recv(1 << 16)
        if not data:
            self.selector.unregister(self.monitor)
            return
        *lines, self.monitor_data = (self.monitor_data + data).split(b"\n")
        for line in filter(None, map(bytes.strip, lines)):
            message = json.loads(line)
            (self.events if "event" in message else self.replies).append(message)

    def monitor_command(self, line, timeout=10):
        """Run a command of QEMU's human monitor; return what it says."""
        self.replies.clear()
        self._send("human-monitor-command", **{"command-line": line})
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self.pump(0.1):
            for reply in self.replies:
                if isinstance(reply.get("return"), str):
                    return reply["return"].strip()
        raise RunFailed(f"QEMU's monitor does not answer to {line!r}")

    def wait(self, done, timeout):
        """Until done(self) is true. `timeout` is seconds of the host's time: it guards against a hang, no more."""
        deadline = time.monotonic() + timeout
        while not done(self):
            if not self.pump():
                if done(self):
                    return
                raise RunFailed(f"QEMU ended with status {self.process.poll()} before the end: see {self.log}")
            if time.monotonic() > deadline:
                raise RunFailed(f"no end after {timeout} s: see {self.log}")

    def wait_event(self, name, timeout):
        """Until QEMU reports it; a program that says that it has failed ends the wait, too."""
        def failed():
            return re.search(r"^(BENCH-FAILED.*|RESULT (?:error|failure).*|.*Kernel panic.*)\n", self.text, re.M)

        def happened(_):
            return any(e["event"] == name for e in self.events) or failed()

        self.wait(happened, timeout)
        if failed() and not any(e["event"] == name for e in self.events):
            raise RunFailed(failed().group(1))
        self.events.clear()

    def resume(self):
        self._send("cont")
