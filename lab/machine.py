# SPDX-License-Identifier: MIT
"""A machine: an emulator's process, and what its serial port says.

What was seen is always in the machine's log. An unexpected end of the emulator, or a line that says
that the system is lost, raises MachineDied at once instead of waiting for a timeout.
"""

import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from lab import LOGS


class MachineError(Exception):
    """What went wrong, in one line, and the end of the log."""

    @property
    def reason(self):
        return str(self).splitlines()[0]


class MachineDied(MachineError):
    pass


class MachineTimeout(MachineError):
    pass


LIBC = ctypes.CDLL(None)  # loaded here: between fork and exec of a program with threads it might wait for ever


def die_with_parent():
    """In the new process: it does not outlive the thread that started it, however that ends (PR_SET_PDEATHSIG)."""
    LIBC.prctl(1, signal.SIGKILL)


class Machine:
    """`command()` is the emulator's command line. The serial port is its standard input and output."""

    emulator = "the emulator"
    fatal = ()  # (pattern, meaning): what the serial port says when all is lost

    def __init__(self, name, log=None):
        self.name = name
        self.log = Path(log or LOGS / f"{name}.log")
        self.text = ""            # all that the serial port said, without carriage returns
        self.mark = 0             # where expect() goes on reading
        self.process = self.directory = self.out = None
        self.echo = None          # where to copy what is seen, too
        self.started = self.first_output = None
        self.allow_death = False  # set while a test means the machine to end
        self.checked = 0          # how far the text was searched for what is fatal

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_):
        self.kill()

    # -- life

    def command(self):
        """The emulator's words. Its files go into self.directory, which lives as long as the machine."""
        raise NotImplementedError

    def start(self):
        self.directory = tempfile.mkdtemp(prefix="xl-lab-")
        words = [str(word) for word in self.command()]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.beside(".cmd").write_text("\n".join(words) + "\n")
        self.out = open(self.log, "wb", buffering=0)
        self.started = time.monotonic()
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True,
                                        preexec_fn=die_with_parent)
        os.set_blocking(self.process.stdout.fileno(), False)

    def beside(self, suffix):
        """A file beside the log."""
        return self.log.with_suffix(suffix)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            try:
                self.process.stdin.close()
            except OSError:
                pass
        if self.out:
            self.out.close()
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
        self.process = self.out = self.directory = None

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def end_reason(self):
        """After the end: how it came."""
        return f"exit status {self.process.returncode}"

    def wait_end(self, timeout):
        """Wait until the emulator ends by itself; return the reason."""
        self.allow_death = True
        deadline = time.monotonic() + timeout
        while self.runs():
            if time.monotonic() > deadline:
                raise self.error(MachineTimeout, f"still runs after {timeout} s")
            self.pump(0.2)
        while self.pump(0):
            pass
        return self.end_reason()

    def seconds(self):
        """Since the start."""
        return time.monotonic() - self.started

    # -- the serial port

    def send(self, text):
        """Type without waiting."""
        os.write(self.process.stdin.fileno(), text.encode("latin-1"))

    def pump(self, seconds):
        """Take in what the serial port says within `seconds`; True if there was anything."""
        fd = self.process.stdout.fileno()
        if not select.select([fd], [], [], seconds)[0]:
            return False
        data = os.read(fd, 1 << 16)
        if not data:
            time.sleep(min(seconds, 0.02))
            return False
        if self.first_output is None:
            self.first_output = time.monotonic()
        self.out.write(data)
        text = data.decode("latin-1").replace("\r", "")
        self.text += text
        if self.echo:
            self.echo.write(text)
            self.echo.flush()
        return True

    def wait(self, done, timeout, what):
        """Until done() gives something true; return that. `what` names it if it does not come."""
        deadline = time.monotonic() + timeout
        while True:
            found = done()
            if found:
                return found
            self._check_fatal()
            # Nothing is lost: what a process said before its end can be read after it.
            if not self.runs() and not self.pump(0):
                raise self.error(MachineDied, f"{self.emulator} ended: {self.end_reason()}")
            if time.monotonic() > deadline:
                raise self.error(MachineTimeout,
                                 f"no {what} in {timeout:.0f} s{self.timeout_evidence()}")
            self.pump(0.1)

    def expect(self, pattern, timeout, start=None):
        """Wait for a regular expression; return the match. Reading goes on after it. What it is in may
        have come before the end of the last command: then `start` is where in the text to look from."""
        if start is not None:
            self.mark = start
        pattern = re.compile(pattern, re.M)
        match = self.wait(lambda: pattern.search(self.text, self.mark), timeout,
                          repr(pattern.pattern))
        self.mark = match.end()
        return match

    def _check_fatal(self):
        begin = max(0, self.checked - 200)
        for pattern, meaning in self.fatal:
            if pattern.search(self.text, begin) and not self.allow_death:
                deadline = time.monotonic() + 2
                while time.monotonic() < deadline and self.pump(0.5):
                    pass
                raise self.error(MachineDied, meaning)
        self.checked = self.text.rfind("\n") + 1

    def timeout_evidence(self):
        """More words for a timeout: what can still be found out."""
        return ""

    def error(self, kind, what):
        tail = "\n".join(self.text.splitlines()[-40:])
        return kind(f"{self.name}: {what}\n--- end of {self.log}\n{tail}")
