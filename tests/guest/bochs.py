# SPDX-License-Identifier: MIT
"""A PC in Bochs, which has what QEMU's emulation lacks: SMAP that works with paravirtualized guests, x2APIC, a timer with
TSC deadlines (the Intel model). It is slow, so the few micro-guests that these matter for run in it. It boots by GRUB."""

import pathlib
import shutil
import subprocess
import time

MODELS = {"bochs-intel": "corei7_skylake_x", "bochs-amd": "ryzen"}

MENU = """\
set timeout=0
menuentry test {{
	multiboot2 /boot/xenolith.gz placeholder {words}
	module2 /boot/guest.elf
}}
"""

# clock: the TSC runs at `ips`. vbe: GRUB triple-faults with it. Sound: the mixer's thread overruns a buffer without a device.
SETTINGS = """\
display_library: rfb, options="timeout=0"
config_interface: textconfig
plugin_ctrl: unmapped=1, biosdev=1, serial=1
memory: guest=512, host=512
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
boot: cdrom
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=boot.iso, status=inserted
pci: enabled=1, chipset=i440fx
vga: extension=none, update_freq=1
cpu: model={model}, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
clock: sync=none, time0=1795387000
com1: enabled=1, mode=file, dev=serial.log
sound: driver=dummy, waveoutdrv=dummy
speaker: enabled=0
panic: action=report
log: bochs.log
"""


def prepare(directory, bed, hypervisor, guest, words):
    """Everything that Bochs reads: the disc to boot, its settings, the one command for its debugger."""
    boot = directory / "tree/boot"
    (boot / "grub").mkdir(parents=True)
    shutil.copyfile(hypervisor, boot / "xenolith.gz")
    shutil.copyfile(guest, boot / "guest.elf")
    (boot / "grub/grub.cfg").write_text(MENU.format(words=words))
    subprocess.run(["grub-mkrescue", "-o", directory / "boot.iso", directory / "tree"], check=True, capture_output=True)
    (directory / "settings").write_text(SETTINGS.format(model=MODELS[bed]))
    (directory / "rc").write_text("c\n")


def run(directory, until, seconds):
    """Runs it until the serial port has said what `until` (a pattern) matches to the end of its line; what it said."""
    serial = pathlib.Path(directory) / "serial.log"
    deadline = time.monotonic() + seconds
    said = ""
    with subprocess.Popen(["bochs-bin", "-q", "-f", "settings", "-rc", "rc"], cwd=directory, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.5)
            said = serial.read_text(errors="replace").replace("\r", "") if serial.exists() else ""
            found = until.search(said)
            if found and "\n" in said[found.end():]:
                break
        process.kill()
    return said
