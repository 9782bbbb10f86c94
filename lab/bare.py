# SPDX-License-Identifier: MIT
"""A disk as Debian's installer leaves one: Debian 12 that GRUB boots, by the BIOS or by UEFI, and nothing of ours.
lab/images/bare.py makes it. Here it is worked on (`in_chroot`), and booted:

    with Installed("name", disk) as machine:
        machine.boot()
        machine.sh("xm list")
"""

import re
import subprocess
import tempfile
from pathlib import Path

from lab import LAB
from lab.debian import BOOT_PATIENCE, PATIENCE
from lab.pc import Disk, Pc
from lab.qemu import Qemu
from lab.shell import Shell
from lab.system import FATAL

BARE = LAB / "bare" / "disk.img"
SECTOR = 512
# Where the partitions begin and how long they are, in sectors. GRUB's own image lies before the first.
ESP = (2048, 131072)
ROOT_START = ESP[0] + ESP[1]
LAB_IMAGES = Path(__file__).resolve().parent / "images"
PROMPT = r"root@\w+:~# "
ENTER = LAB_IMAGES / "enter-disk"


def in_chroot(disk, script, share="", timeout=900, check=True):
    """Run a shell script as root in the system on the disk, which is /dev/vda there; return (status, output). It sees the
    directory `share` as /mnt, and no network."""
    with tempfile.TemporaryDirectory(prefix="xl-bare-") as directory:
        words = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", ENTER, disk, directory, share]
        done = subprocess.run([str(word) for word in words], input=script, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout, check=False)
    if check and done.returncode:
        raise AssertionError(f"exit status {done.returncode} of:\n{script}\n---\n{done.stdout[-6000:]}")
    return done.returncode, done.stdout


class Installed(Shell, Qemu):
    """A PC that boots a disk by its firmware. The disk keeps what is done to it."""

    fatal = FATAL

    def __init__(self, name, disk, **settings):
        settings = {"smp": 1, "mem": 1536, **settings}
        super().__init__(name, Pc(disks=(Disk(disk),), **settings))

    def boot(self):
        """Until it takes commands; return what GRUB's menu showed."""
        self.expect(PROMPT, BOOT_PATIENCE)
        menu = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.text)
        self.send("exec /bin/sh /usr/local/sbin/lab-agent\n")
        self.expect(r"LAB-AGENT\n", PATIENCE)
        return menu
