# SPDX-License-Identifier: MIT
"""A whole Debian as Domain-0: what lab/images/image.py makes, booted and at its shell."""

import subprocess
import time

from lab import LAB
from lab.machine import MachineError
from lab.pc import Disk
from lab.system import System

DEBIAN = LAB / "debian"
PROMPT = r"root@xenolith:~# "
# Seconds. A busy machine that emulates may be ten times slower than an idle one; a hypervisor or a
# Domain-0 that dies is noticed at once, whatever these say.
PATIENCE = 300
BOOT_PATIENCE = 900


def make_root(path):
    """A disk for Debian's `root` that begins as the image and keeps what is done to it: hosts that boot again have one."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", DEBIAN / "disk.img", path], check=True)
    return Disk(path, fmt="qcow2")


class Debian(System):
    def __init__(self, name, disks=(), words="", root=Disk(DEBIAN / "disk.img", snapshot=True), **settings):
        """`disks` come after the one with the root, which forgets what is done to it, if nothing else is given: each run
        starts from a clean one, however the last one ended."""
        super().__init__(name, stage="", kernel=DEBIAN / "vmlinuz", initrd=DEBIAN / "initrd-toolstack.img",
                         dom0_append=f"root=/dev/vda quiet loglevel=3 net.ifnames=0 {words}",
                         disks=(root, *disks), **settings)

    def boot(self):
        """Until it takes commands; return after how many seconds its prompt came."""
        self.expect(PROMPT, BOOT_PATIENCE)
        seconds = self.seconds()
        self.send("exec /bin/sh /usr/local/sbin/lab-agent\n")
        self.expect(r"LAB-AGENT\n", PATIENCE)
        return seconds

    def open_console(self, command, prompt, timeout):
        """Run a command that joins a guest's console; knock until the guest's shell answers."""
        self.console_start = self.begin_command()
        self.send(f"{command} </dev/hvc0\n")
        deadline = time.monotonic() + timeout
        while True:
            self.send("\r")
            try:
                return self.expect(prompt, 5)
            except MachineError:
                if time.monotonic() > deadline or not self.runs():
                    raise

    def leave_console(self, prompt):
        """Return what was seen there, without the command's echo and the empty prompts of our knocking."""
        self.send("\x1d")
        match = self.expect_end(self.console_start, PATIENCE)
        seen = match.string[:match.start()].replace("\x1b[6n", "")
        lines = [line for line in seen.splitlines()[1:] if line.strip()]
        return "\n".join(line for line, after in zip(lines, lines[1:] + [""])
                         if not (line == after and line.startswith(prompt)))
