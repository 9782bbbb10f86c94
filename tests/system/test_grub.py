# SPDX-License-Identifier: MIT
"""GRUB loads the hypervisor as it does on a disk: multiboot 2, by the BIOS, from the compressed image."""

import selectors
import shutil
import subprocess
import time

import pytest

from machine import LAB, LOGS, ROOT

MENU = """\
set timeout=0
menuentry test {{
	multiboot2 /boot/xenolith.gz placeholder com1=115200,8n1 console=com1 loglvl=all noreboot
	module2 /boot/vmlinuz placeholder console=hvc0 quiet lab=shell0
	module2 /boot/initrd
}}
"""


def read_until(process, text, seconds):
    """Everything that was said up to `text`, or all of it when the time is over."""
    said, end = "", time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while text not in said and time.monotonic() < end:
            if selector.select(1):
                data = process.stdout.read1(65536)
                if not data:
                    break
                said += data.decode("latin-1")
    return said


def test_grub_boots_domain0(lab, hv, tmp_path):
    if hv != "xenolith":
        pytest.skip("Debian's Xen and GRUB are not what is tested here")
    boot = tmp_path / "tree/boot"
    (boot / "grub").mkdir(parents=True)
    (boot / "grub/grub.cfg").write_text(MENU.format())
    for name, source in (("xenolith.gz", ROOT / "build/xenolith.gz"), ("vmlinuz", LAB / "vmlinuz-stock"),
                         ("initrd", LAB / "mini.cpio")):
        shutil.copyfile(source, boot / name)
    image = tmp_path / "grub.iso"
    subprocess.run(["grub-mkrescue", "-o", image, tmp_path / "tree"], check=True, capture_output=True)
    command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max,-smap", "-m", "1024", "-smp", "2", "-display", "none",
               "-monitor", "none", "-serial", "stdio", "-no-reboot", "-boot", "d", "-cdrom", str(image)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        said = read_until(process, "LAB-INIT-REACHED", 240)
        process.kill()
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / "grub.log").write_text(said, encoding="latin-1")
    assert "loaded by GRUB" in said
    assert "LAB-INIT-REACHED" in said, said[-2000:]
