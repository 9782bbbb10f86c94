# SPDX-License-Identifier: MIT
"""GRUB loads the hypervisor as it does on a disk: multiboot 2, by the BIOS, from the compressed image."""

import re
import struct

import pytest

from lab import ROOT
from lab.grub import make_disc
from lab.pc import Pc
from lab.qemu import Qemu
from lab.screen import font_of_vga
from screens import check_boot_screen, check_panic_screen

MACHINE = dict(smp=1, mem=1024)


def disc_of(lab, hv, tmp_path, image=ROOT / "build/xenolith.gz", before=(), after=()):
    if hv != "xenolith":
        pytest.skip("Debian's Xen and GRUB are not what is tested here")
    loaded = Pc(image=image, append="com1=115200,8n1 console=com1,vga loglvl=all noreboot",
                modules=((lab / "vmlinuz-stock", "console=hvc0 quiet lab=shell0"), (lab / "mini.cpio", "")))
    return make_disc(tmp_path, loaded, before, after)


def test_text_screen_shows_boot_and_panic(lab, hv, tmp_path):
    """GRUB itself asks for graphics when it loads the image, so text mode is chosen after that."""
    disc = disc_of(lab, hv, tmp_path, after=("set gfxpayload=text",))
    with Qemu(tmp_path.name, Pc(disc=disc, vga="std", **MACHINE)) as machine:
        machine.expect("image at 0x200000", 120)
        machine.expect("screen: text, 80 columns, 25 rows", 10)
        machine.expect("Domain-0: .*\n", 60)
        machine.monitor.screen(tmp_path / "boot.ppm")
        machine.expect("LAB-INIT-REACHED", 120)
        check_boot_screen(machine, tmp_path / "boot.ppm", font_of_vga(), 80, 9)
        check_panic_screen(machine, tmp_path / "panic.ppm", font_of_vga(), 80, 9)


def test_image_and_trampoline_lie_elsewhere(lab, hv, tmp_path):
    """The image asks for memory above 32 MiB. GRUB takes the page that processors usually start from out of the map."""
    image = (ROOT / "build/xenolith.elf").read_bytes()
    tag = struct.pack("<HHII", 10, 1, 24, 2 << 20)
    assert image[:8192].count(tag) == 1
    high = tmp_path / "xenolith-high.elf"
    high.write_bytes(image.replace(tag, struct.pack("<HHII", 10, 1, 24, 32 << 20)))
    disc = disc_of(lab, hv, tmp_path, image=high, before=("cutmem 32K 40K",))
    with Qemu(tmp_path.name, Pc(disc=disc, smp=2, mem=MACHINE["mem"])) as machine:
        machine.expect("loaded by GRUB", 120)
        machine.expect("LAB-INIT-REACHED", 120)
        text = machine.text
    assert int(re.search(r"image at (0x[0-9a-f]+)", text)[1], 16) >= 32 << 20
    assert "processors start from 0xa000" in text
    assert "2 CPUs are online" in text
