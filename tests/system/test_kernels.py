# SPDX-License-Identifier: MIT
"""Other kernels as guests. By xl: Debian's cloud kernel, and GRUB's PV image, which loads the guest's own kernel from the
guest's disk. By the worker: kernels packed in every way, and small ones that ask for what Linux does not."""

import subprocess
import time

import pytest
from dom0 import Guest
from packed import BZIMAGES, MICRO_GUESTS, PACKERS, make_payload
from worker import WorkerDom0

from lab import LAB
from lab.pc import Disk

DISK = LAB / "guest-grub.img"
KIND = WorkerDom0
PAYLOADS = ("payload.cpio", "payload-cloud.cpio", "payload-grub.cpio", "payload-toolstack.cpio", "payload-packed.cpio")
MACHINE = dict(smp=1, mem=2048, dom0_mem=1024, payloads=PAYLOADS,
               disks=(Disk(str(DISK), "virtio", readonly=False, snapshot=True),))


def pytest_generate_tests(metafunc):
    """Before the machine starts, make the packed kernels, and the guest's disk: ext2 with a kernel, an initrd and a menu."""
    make_payload(LAB / "payload-packed.cpio")
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


def expect_success(dom0, name):
    """A micro-guest ends by itself, and says by the reason whether all was well."""
    deadline = time.monotonic() + 20
    while "s" not in dom0.domains()[name][3]:
        assert time.monotonic() < deadline, dom0.domains()
        time.sleep(0.2)
    assert "c" not in dom0.domains()[name][3], f"{name} has found a fault"
    dom0.sh(f"xl destroy {name}")


def start_small(dom0, name, kernel, memory=8):
    """The worker's result."""
    return dom0.boot(name, wait=False, kernel=kernel, ramdisk=None, extra=None, memory=memory)[1]


@pytest.mark.parametrize("name", MICRO_GUESTS)
def test_small_kernels_run(dom0, name):
    """One has its notes in a section and wants its symbols; the other has the string that was there before notes."""
    start_small(dom0, name, f"/guest/{name}")
    expect_success(dom0, name)


def test_small_kernels_run_packed_in_every_way(dom0):
    names = [(f"symtab-{packer}", f"/guest/symtab.{packer}") for packer in PACKERS]
    for name, kernel in names:
        result = start_small(dom0, name, kernel)
        assert not result["cached"] and result["guest_os"] == "xenolith-test"
    for name, _ in names:
        expect_success(dom0, name)
    name, kernel = names[0]
    assert start_small(dom0, name, kernel)["cached"]
    expect_success(dom0, name)


@pytest.mark.parametrize("packer", [packer if packer == "lzo" else pytest.param(packer, marks=pytest.mark.long)
                                    for packer in BZIMAGES])
def test_stock_kernel_runs_packed(dom0, packer):
    """And with sizes that are not whole pages, or not whole extents of 2 MiB."""
    dom0.sh(f"cat /guest/initrd /dev/zero | head -c {(100 << 20) + 1} >/data/initrd", 60)
    dom0.boot(packer, kernel=f"/guest/vmlinuz-{packer}", ramdisk="/data/initrd", memory=257)
    dom0.sh(f"xl destroy {packer}; rm /data/initrd")
