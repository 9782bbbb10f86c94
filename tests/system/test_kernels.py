# SPDX-License-Identifier: MIT
"""Other kernels as guests, unmodified: Debian's cloud kernel, and GRUB's PV image, which loads the
guest's own kernel from the guest's disk."""

import subprocess

from dom0 import Guest

from lab import LAB
from lab.pc import Disk

DISK = LAB / "guest-grub.img"
MACHINE = dict(smp=1, mem=2048, payloads=("payload.cpio", "payload-cloud.cpio", "payload-grub.cpio"),
               disks=(Disk(str(DISK), "virtio", readonly=False, snapshot=True),))


def pytest_generate_tests(metafunc):
    """Make the guest's disk before the machine starts: ext2 with a kernel, an initrd and a menu."""
    if not DISK.exists() and (LAB / "vmlinuz-stock").exists():
        make_disk()


def make_disk():
    tree = LAB / "grub-disk"
    (tree / "boot/grub").mkdir(parents=True, exist_ok=True)
    (tree / "boot/vmlinuz").write_bytes((LAB / "vmlinuz-stock").read_bytes())
    (tree / "boot/initrd").write_bytes((LAB / "domu.cpio").read_bytes())
    (tree / "boot/grub/grub.cfg").write_text(
        "set timeout=0\nmenuentry guest {\n"
        " linux /boot/vmlinuz console=hvc0 quiet lab=agent from-grub\n initrd /boot/initrd\n}\n")
    draft = DISK.with_suffix(".new")
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-d", tree, draft, "24M"], check=True)
    draft.rename(DISK)


def test_cloud_kernel(dom0):
    dom0.create(Guest("cloud", vcpus=2, kernel="/guest/vmlinuz-cloud"), timeout=180)
    assert dom0.guest("cloud", "uname -r").endswith("-cloud-amd64")
    assert dom0.guest("cloud", "nproc") == "2"
    dom0.sh("xl shutdown -w cloud", 90)


def test_grub_loads_the_guests_own_kernel(dom0):
    dom0.create(Guest("grub", vcpus=2, memory=256, kernel="/guest/grub-xen", ramdisk="",
                      disks=("phy:/dev/vda,xvda,w",)), timeout=240)
    assert "from-grub" in dom0.guest("grub", "cat /proc/cmdline")
    dom0.sh("xl shutdown -w grub", 90)
