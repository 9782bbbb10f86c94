# SPDX-License-Identifier: MIT
"""A PC in Bochs, which has what QEMU's emulation lacks: SMAP that works with paravirtualized guests,
x2APIC, a timer with TSC deadlines (the Intel model). It is slow, so only the few micro-guests that
these matter for run in it. It boots by GRUB."""

import shlex
from pathlib import Path

from lab.grub import make_disc
from lab.machine import Machine

MODELS = {"bochs-intel": "corei7_skylake_x", "bochs-amd": "ryzen"}

# clock: the TSC runs at `ips`. vbe: GRUB triple-faults with it. Sound: without a device the mixer's
# thread overruns a buffer. rfb: two that start in the same moment both bind port 5900, and one of them then cannot listen;
# so each has a network of its own.
SETTINGS = """\
display_library: rfb, options="timeout=0"
config_interface: textconfig
plugin_ctrl: unmapped=1, biosdev=1, serial=1
memory: guest={mem}, host={mem}
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
boot: cdrom
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=boot.iso, status=inserted
pci: enabled=1, chipset=i440fx
vga: extension=none, update_freq=1
cpu: model={model}, count={smp}, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
clock: sync=none, time0=1795387000
com1: enabled=1, mode=file, dev=/dev/fd/3
sound: driver=dummy, waveoutdrv=dummy
speaker: enabled=0
panic: action=report
log: bochs.log
"""


class Bochs(Machine):
    """Takes from a Pc: the image, its words and modules, memory, processors. Nobody can type."""

    emulator = "Bochs"

    def __init__(self, name, pc, model, log=None):
        super().__init__(name, log)
        self.pc, self.model = pc, model

    def command(self):
        directory = Path(self.directory)
        make_disc(directory, self.pc)
        settings = SETTINGS.format(model=MODELS[self.model], mem=self.pc.mem, smp=self.pc.smp)
        (directory / "settings").write_text(settings)
        (directory / "rc").write_text("c\n")  # for its debugger: continue
        return ["sh", "-c", f"cd {shlex.quote(self.directory)} && "
                "exec unshare --net bochs-bin -q -f settings -rc rc 3>&1 >/dev/null 2>&1 </dev/null"]
