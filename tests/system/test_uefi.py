# SPDX-License-Identifier: MIT
"""A machine with UEFI and a graphics card: GRUB loads the hypervisor, and Domain-0 has ACPI and a screen."""

import pytest

from lab import ROOT
from lab.grub import make_disc
from lab.pc import Pc
from lab.qemu import Qemu

MACHINE = dict(smp=1, mem=1024)


def run(machine, command):
    machine.send(f"{command}; echo 'END''ED'\n")
    begin = machine.mark
    machine.expect("^ENDED", 60)
    return machine.text[begin:machine.mark]


def test_domain0_has_acpi_and_a_framebuffer(lab, hv, tmp_path):
    if hv != "xenolith":
        pytest.skip("Debian's Xen and UEFI are not what is tested here")
    loaded = Pc(image=ROOT / "build/xenolith.gz", append="com1=115200,8n1 console=com1 loglvl=all noreboot",
                modules=((lab / "vmlinuz-stock", "console=hvc0 quiet lab=shell0"), (lab / "mini.cpio", "")))
    disc = make_disc(tmp_path, loaded, before=("insmod all_video",))
    with Qemu("uefi", Pc(disc=disc, uefi=True, vga="std", **MACHINE)) as machine:
        machine.expect("loaded by GRUB", 120)
        machine.expect("UEFI 2\\.", 30)
        machine.expect("LAB-INIT-REACHED", 120)
        said = run(machine, "dmesg | grep -E 'ACPI: RSDP|efi: EFI|efifb: framebuffer|fb0:|i8042: PNP'")
        assert "ACPI: RSDP 0x" in said
        assert "efi: EFI v2." in said
        assert "efifb: framebuffer at" in said
        assert "fb0: EFI VGA frame buffer device" in said
