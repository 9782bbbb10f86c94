# SPDX-License-Identifier: MIT
"""A program on a pseudo-terminal."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time


class Terminal:
    def __init__(self, words, env, rows=24, columns=120):
        self.text = b""
        self.master, slave = pty.openpty()
        # Kept open, so that what the terminal was set to can be looked at after the program's end.
        self.slave = slave
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(slave, fd)
            os.closerange(3, 256)
            os.execve(words[0], words, env)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, number):
        os.kill(self.pid, number)

    def type(self, data):
        os.write(self.master, data)

    def pump(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.text += os.read(self.master, 65536)

    def expect(self, data, seconds=10):
        """Wait until that was printed; forget all up to its end."""
        end = time.monotonic() + seconds
        while data not in self.text:
            assert time.monotonic() < end, f"{data!r} was not seen in {self.text!r}"
            self.pump(0.1)
        before, _, self.text = self.text.partition(data)
        return before

    def wait_raw(self, raw=True):
        """Until the program has made the terminal raw."""
        end = time.monotonic() + 10
        while bool(termios.tcgetattr(self.slave)[3] & termios.ICANON) == raw:
            assert time.monotonic() < end
            time.sleep(0.02)

    def end(self, seconds=10):
        """The exit status, negative for a signal; the terminal must be as it was."""
        end = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError(f"still runs; said {self.text!r}")
            self.pump(0.05)
        while select.select([self.master], [], [], 0)[0]:
            self.pump(0)
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        assert after == self.before, "the terminal was not put back"
        return os.waitstatus_to_exitcode(status)
