# SPDX-License-Identifier: MIT
"""A whole Debian as Domain-0: what lab/images/image.py makes, booted and at its shell."""

import subprocess

from lab import LAB
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
