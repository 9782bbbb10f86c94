# SPDX-License-Identifier: MIT
"""GRUB loads the hypervisor as it does on a disk: multiboot 2, by the BIOS, from the compressed image."""

import re
import struct

import pytest

from lab import ROOT
from lab.grub import make_disc
from lab.pc import Pc
from lab.qemu import Qemu

MACHINE = dict(smp=1, mem=1024)


def boot(lab, hv, tmp_path, image=ROOT / "build/xenolith.gz", smp=1, before=()):
    """Boot Domain-0 by GRUB; return what the serial port said."""
    if hv != "xenolith":
        pytest.skip("Debian's Xen and GRUB are not what is tested here")
    loaded = Pc(image=image, append="com1=115200,8n1 console=com1 loglvl=all noreboot",
                modules=((lab / "vmlinuz-stock", "console=hvc0 quiet lab=shell0"), (lab / "mini.cpio", "")))
    disc = make_disc(tmp_path, loaded, before)
    with Qemu(tmp_path.name, Pc(disc=disc, smp=smp, mem=MACHINE["mem"])) as machine:
        machine.expect("loaded by GRUB", 120)
        machine.expect("LAB-INIT-REACHED", 120)
        return machine.text


def test_grub_boots_domain0(lab, hv, tmp_path):
    assert "image at 0x200000" in boot(lab, hv, tmp_path)


def test_image_and_trampoline_lie_elsewhere(lab, hv, tmp_path):
    """The image asks for memory above 32 MiB. GRUB takes the page that processors usually start from out of the map."""
    image = (ROOT / "build/xenolith.elf").read_bytes()
    tag = struct.pack("<HHII", 10, 1, 24, 2 << 20)
    assert image[:8192].count(tag) == 1
    high = tmp_path / "xenolith-high.elf"
    high.write_bytes(image.replace(tag, struct.pack("<HHII", 10, 1, 24, 32 << 20)))
    text = boot(lab, hv, tmp_path, image=high, smp=2, before=("cutmem 32K 40K",))
    assert int(re.search(r"image at (0x[0-9a-f]+)", text)[1], 16) >= 32 << 20
    assert "processors start from 0xa000" in text
    assert "2 CPUs are online" in text
