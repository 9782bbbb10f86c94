# SPDX-License-Identifier: MIT
"""Debian's unmodified virt-install makes paravirtualized guests: of a disk that has a system, and out of a tree to install from."""

import re
import subprocess

import pytest
import virsh

from lab import LAB, ROOT
from lab.pc import Disk

MACHINE = virsh.MACHINE
INSTALL = "virt-install --connect xen:///system --paravirt --vcpus 1 --network none --graphics none --osinfo debian11"
PATIENCE = 600
# A name of Domain-0's own loopback: a server there stands for a mirror.
TREE = "http://127.0.0.1:8000/debian/dists/bookworm/main/installer-amd64/"
MENU = """set default="0"
set timeout=1
menuentry 'Debian GNU/Linux' {
	linux /boot/vmlinuz console=hvc0 from-its-disk
	initrd /boot/initrd.img
}
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
def host(tmp_path_factory):
    subprocess.run([ROOT / "lab/build", "libvirt"], check=True)
    disk = make_disk(tmp_path_factory.mktemp("virt-install"))
    with virsh.Host("virt-install", disks=(Disk(disk, snapshot=True),)) as machine:
        machine.prepare()
        yield machine


def install(host, name, words, pattern):
    """Until the console, which virt-install joins, shows the pattern; then leave it."""
    start = host.begin_command()
    host.send(f"{INSTALL} --name {name} {words} </dev/hvc0\n")
    ended = re.compile(rf"{pattern}|@@LAB {host.commands} \d+@@")
    seen = host.expect(ended.pattern, PATIENCE)
    assert not seen[0].startswith("@@LAB"), host.seen(start)[-3000:] + host.sh(
        "tail -n 40 /var/log/libvirt/libxl/libxl-driver.log; tail -n 20 /var/log/xen/bootloader.*; journalctl -u libvirtd --no-pager -n 20")
    host.pump(1)
    host.send("\x1d")
    host.expect_end(start, PATIENCE)


def test_slow_virt_install_imports_a_disk(host):
    """libvirt has pygrub find the kernel of a guest that names none."""
    host.sh("dd if=/dev/vdb of=/var/lib/libvirt/images/d1.img bs=1M 2>&1", PATIENCE)
    install(host, "d1", "--memory 192 --import --disk /var/lib/libvirt/images/d1.img", virsh.GUEST_PROMPT)
    said = host.tell("console d1", "cat /proc/cmdline; cat /sys/block/xvda/size", r"^131072$")
    assert re.search(r"^console=hvc0 from-its-disk$", said, re.MULTILINE), said
    assert re.search(r"^ \d+ +d1 +running$", host.sh("virsh list", virsh.PATIENCE), re.MULTILINE)
    host.sh("virsh destroy d1 && virsh undefine d1", virsh.PATIENCE)


@pytest.mark.long
def test_slow_virt_install_begins_an_installation(host):
    """Out of a tree as Debian's mirrors have it, by HTTP, to the installer's first page."""
    host.sh("(cd /srv && exec setsid python3 -m http.server --bind 127.0.0.1 8000 </dev/null >/root/http.log 2>&1 &)")
    install(host, "i1", f"--memory 640 --location {TREE} --disk /root/second.img --extra-args 'console=hvc0 quiet'",
            "Low memory mode|Select a language")
    assert re.search(r'"GET /debian/dists/bookworm/main/installer-amd64/\S*/initrd.gz \S+ 200', host.sh("cat /root/http.log"))
    assert re.search(r"^ \d+ +i1 +running$", host.sh("virsh list", virsh.PATIENCE), re.MULTILINE)
    host.sh("virsh destroy i1 && virsh undefine i1", virsh.PATIENCE)
