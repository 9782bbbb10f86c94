# SPDX-License-Identifier: MIT
"""Debian's pygrub takes a guest's kernel out of its disk, in a whole Debian as Domain-0.

Slow: it boots a stock Debian with systemd, and a guest with a stock kernel.
"""

import base64
import os
import subprocess

import pytest

from lab import LAB, ROOT
from lab.debian import Debian
from lab.pc import Disk

MACHINE = dict(smp=1)

MENU = """set default="0"
set timeout=5
menuentry 'Debian GNU/Linux' --class debian {
	linux /boot/vmlinuz root=/dev/xvda ro console=hvc0 lab=agent from-pygrub
	initrd /boot/initrd.img
}
menuentry 'Debian GNU/Linux, the second' --class debian {
	linux /boot/vmlinuz root=/dev/xvda ro console=hvc0 lab=agent the-second-entry
	initrd /boot/initrd.img
}
"""

# A person at a terminal: waits for the menu, chooses, and leaves the guest's console when it is up.
PERSON = r"""
import os, pty, select, sys, time
keys = sys.argv[1].encode().decode("unicode_escape").encode()
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("xm", ["xm", "create", "-c", "/root/grub"])
seen, end = b"", time.monotonic() + 400
def see(text):
    global seen
    while text not in seen:
        if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit("no %r in %r" % (text, seen))
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            sys.exit("ended before %r: %r" % (text, seen))
see(b"Will boot selected entry in")
os.write(terminal, keys)
see(b"Started domain grub")
see(b"LAB-AGENT")
os.write(terminal, b"\x1d")
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def make_disk(directory):
    """A file system as a guest has it: kernel, RAM disk, and GRUB's menu."""
    boot = directory / "root/boot"
    (boot / "grub").mkdir(parents=True)
    (boot / "vmlinuz").write_bytes((LAB / "vmlinuz-stock").read_bytes())
    (boot / "initrd.img").write_bytes((LAB / "domu.cpio").read_bytes())
    (boot / "grub/grub.cfg").write_text(MENU)
    disk = directory / "guest.img"
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-d", directory / "root", disk, "64M"], check=True)
    return disk


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    subprocess.run([ROOT / "lab/build", "image"], check=True)
    guest = make_disk(tmp_path_factory.mktemp("pygrub"))
    disks = Disk(guest, snapshot=True), Disk(mib=8)
    with Debian(f"pygrub-{os.environ.get('HV', 'xenolith')}", disks, **MACHINE) as machine:
        machine.boot()
        machine.sh("for i in $(seq 300); do xenstore-exists /local && break; sleep 1; done; service xend start", 400)
        yield machine


def write(machine, name, disk):
    machine.sh(f"printf '%s\\n' 'name=\"{name}\"' 'bootloader=\"pygrub\"' 'memory=192' 'disk=[\"{disk},xvda,w\"]' >/root/{name}")


def test_slow_pygrub_boots_a_guest_from_its_disk(debian):
    write(debian, "grub", "phy:/dev/vdb")
    assert "Started domain grub" in debian.sh("xm create /root/grub", 300)
    log = "/var/log/xen/console/guest-grub.log"
    debian.sh(f"for i in $(seq 300); do grep -q LAB-AGENT {log} && break; sleep 1; done; grep -q LAB-AGENT {log}", 400)
    debian.sh(f"grep 'Command line: root=/dev/xvda ro console=hvc0 lab=agent from-pygrub' {log}")
    debian.sh("xm destroy grub")
    # The same as a file.
    debian.sh("dd if=/dev/vdb of=/root/guest.img bs=1M 2>/dev/null; chmod 600 /root/guest.img", 300)
    write(debian, "grub", "file:/root/guest.img")
    assert "Started domain grub" in debian.sh("xm create -p /root/grub", 300)
    debian.sh("xm destroy grub")


@pytest.mark.parametrize("keys, words", ((r"\x1b[B\r", "the-second-entry"), ("", "from-pygrub")))
def test_slow_pygrub_shows_its_menu(debian, keys, words):
    """The second entry by the keys of a terminal; the first, when the time is over that the menu gives."""
    write(debian, "grub", "phy:/dev/vdb")
    debian.sh(f"echo {base64.b64encode(PERSON.encode()).decode()} | base64 -d >/root/person")
    seen = debian.sh(f"python3 /root/person '{keys}'", 450)
    assert "Debian GNU/Linux, the second" in seen
    debian.sh(f"grep 'Command line: root=/dev/xvda ro console=hvc0 lab=agent {words}' /var/log/xen/console/guest-grub.log; xm destroy grub")


def test_slow_pygrub_says_why_it_finds_nothing(debian):
    write(debian, "empty", "phy:/dev/vdc")
    status, said = debian.run("xm create /root/empty", 300)
    assert status == 1
    assert "pygrub finds no kernel in /dev/vdc (status 1). It said: RuntimeError: Unable to find partition containing kernel" in said
    assert debian.sh("ls /run/xend/boot 2>/dev/null; grep -c tmpfs.*/output /proc/mounts; true").split() == ["0"]


RACK = """import os
def check(name, text):
    number = int(text)
    if number not in range(1, 9):
        raise ValueError("the rack has 8")
    return number
xm_vars.var("number", use="Number of the guest.", check=check)
xm_vars.check()
name = "rack-%d" % number
bootloader = "pygrub"
memory = 64 * len(os.listdir("/proc/self/task")) + 128
disk = ["phy:/dev/vd%s,xvd%s,%s" % (c, d, m) for c, d, m in (("b", "a", "w"), ("c", "b", "r"))]
"""


def test_slow_file_that_is_a_program(debian):
    """Debian's own Python and kernel: the limits, which are the kernel's, let a file run, and keep it from the network."""
    debian.sh(f"echo {base64.b64encode(RACK.encode()).decode()} | base64 -d >/root/rack")
    status, said = debian.run("xm create /root/rack number=9", 60)
    assert status == 1 and "/root/rack:8:1: error: number=9 is not accepted: the rack has 8" in said
    assert "Started domain rack-3" in debian.sh("xm create -p /root/rack number=3", 300)
    assert "192" in debian.sh("xm list rack-3").split()
    debian.sh("xm destroy rack-3")
    status, said = debian.run("(cat /root/rack; echo 'import socket; socket.create_connection((\"127.0.0.1\", 22))') >/root/net; "
                              "xm create /root/net number=3", 60)
    assert status == 1 and "a domain's file has no network" in said
