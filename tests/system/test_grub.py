# SPDX-License-Identifier: MIT
"""GRUB loads the hypervisor as it does on a disk: multiboot 2, by the BIOS, from the compressed image."""

import pytest

from lab import ROOT
from lab.grub import make_disc
from lab.pc import Pc
from lab.qemu import Qemu

MACHINE = dict(smp=1, mem=1024)


def test_grub_boots_domain0(lab, hv, tmp_path):
    if hv != "xenolith":
        pytest.skip("Debian's Xen and GRUB are not what is tested here")
    loaded = Pc(image=ROOT / "build/xenolith.gz", append="com1=115200,8n1 console=com1 loglvl=all noreboot",
                modules=((lab / "vmlinuz-stock", "console=hvc0 quiet lab=shell0"), (lab / "mini.cpio", "")))
    with Qemu("grub", Pc(disc=make_disc(tmp_path, loaded), **MACHINE)) as machine:
        machine.expect("loaded by GRUB", 120)
        machine.expect("LAB-INIT-REACHED", 120)
