# SPDX-License-Identifier: MIT
"""A machine with UEFI and a graphics card: GRUB loads the hypervisor, Domain-0 has ACPI and a
screen, and the hypervisor shows its own lines and a panic there."""

import pytest

from lab import ROOT
from lab.grub import make_disc
from lab.pc import Pc
from lab.qemu import Qemu
from lab.screen import font_of_hypervisor
from screens import check_boot_screen, check_panic_screen

MACHINE = dict(smp=1, mem=1024)


def run(machine, command):
    machine.send(f"{command}; echo 'END''ED'\n")
    begin = machine.mark
    machine.expect("^ENDED", 60)
    return machine.text[begin:machine.mark]


def test_acpi_and_a_framebuffer(lab, hv, tmp_path):
    if hv != "xenolith":
        pytest.skip("Debian's Xen and UEFI are not what is tested here")
    loaded = Pc(image=ROOT / "build/xenolith.gz", append="com1=115200,8n1 console=com1,vga loglvl=all noreboot",
                modules=((lab / "vmlinuz-stock", "console=hvc0 quiet lab=shell0"), (lab / "mini.cpio", "")))
    disc = make_disc(tmp_path, loaded, before=("insmod all_video",))
    with Qemu("uefi", Pc(disc=disc, uefi=True, vga="std", **MACHINE)) as machine:
        machine.expect("loaded by GRUB", 120)
        machine.expect("UEFI 2\\.", 30)
        machine.expect("Domain-0: .*\n", 60)
        machine.monitor.screen(tmp_path / "boot.ppm")
        machine.expect("LAB-INIT-REACHED", 120)
        font = font_of_hypervisor(ROOT / "build/hv/gen/screen_font.h")
        check_boot_screen(machine, tmp_path / "boot.ppm", font, 100)
        said = run(machine, "dmesg | grep -E 'ACPI: RSDP|efi: EFI|efifb: framebuffer|fb0:|i8042: PNP'")
        assert "ACPI: RSDP 0x" in said
        assert "efi: EFI v2." in said
        assert "efifb: framebuffer at" in said
        assert "fb0: EFI VGA frame buffer device" in said
        check_panic_screen(machine, tmp_path / "panic.ppm", font, 100)
