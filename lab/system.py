# SPDX-License-Identifier: MIT
"""A PC in QEMU that runs a hypervisor with the lab's Domain-0, driven over its serial port.

    with System("name", hv="xen") as machine:
        machine.wait_ready()
        rc, output = machine.run("xl info")

The hypervisor's log and Domain-0's console share the serial port.
"""

import os
import re
import shutil
from dataclasses import dataclass, field

from lab import LAB, ROOT
from lab.pc import Pc
from lab.qemu import Qemu
from lab.shell import Shell

IMAGES = {"xenolith": ROOT / "build/xenolith.elf", "xenolith-debug": ROOT / "build/xenolith-debug.elf",
          "xen": LAB / "xen.elf"}
FATAL = [
    (re.compile(r"^\((?:XEN|xenolith|HV)\).*\bpanic\b", re.I | re.M), "the hypervisor panicked"),
    (re.compile(r"^(?:xenolith: )?(?:panic|PANIC|FATAL)\b[ :]", re.M), "the hypervisor panicked"),
    (re.compile(r"^\[ *\d+\.\d+\] Kernel panic - not syncing", re.M), "Domain-0's kernel panicked"),
    (re.compile(r"\bDom(?:ain[- ])?0 (?:crashed|has crashed)", re.I), "Domain-0 crashed"),
    (re.compile(r"^\((?:XEN|xenolith)\).*Domain 0 \(vcpu#\d+\) crashed", re.I | re.M), "Domain-0 crashed"),
    (re.compile(r"^LAB-FAILED", re.M), "Domain-0's toolstack did not come up"),
]


@dataclass
class Config(Pc):
    """The machine, and what it boots: `append` and `modules` follow from the other fields."""

    smp: int = 2
    mem: int = 2048
    hv: str = field(default_factory=lambda: os.environ.get("HV", "xenolith"))
    hv_append: str = ""
    dom0_mem: int = 1024
    dom0_vcpus: int = 0          # 0: as many as there are processors
    dom0_append: str = "quiet"
    stage: str = "agent"         # see lab/images/dom0/init
    payloads: tuple = ("payload.cpio",)
    kernel: str = LAB / "vmlinuz-stock"  # Domain-0's
    initrd: str = ""

    def __post_init__(self):
        self.image = self.image or IMAGES[self.hv]
        self.append = " ".join(hypervisor_words(self))
        self.modules = ((self.kernel, f"console=hvc0 sysrq_always_enabled lab={self.stage} {self.dom0_append}".strip()),
                        (self.initrd or joined_initrd(self), ""))


def hypervisor_words(config):
    words = ["com1=115200,8n1", "console=com1", "loglvl=all", "guest_loglvl=all",
             f"dom0_mem={config.dom0_mem}M,max:{config.dom0_mem}M"]
    if config.dom0_vcpus:
        words.append(f"dom0_max_vcpus={config.dom0_vcpus}")
    if config.hv == "xen":
        # The scheduler that tests speak to by weight and cap; and no wait before a panic ends.
        words += ["sched=credit", "noreboot"]
    return words + config.hv_append.split()


def join(path, parts):
    """One file with all archives: the kernel unpacks them one after the other."""
    draft = path.with_suffix(f".{os.getpid()}")
    with open(draft, "wb") as out:
        for part in parts:
            with open(part, "rb") as source:
                shutil.copyfileobj(source, out)
    draft.rename(path)


def joined_initrd(config):
    if config.stage in ("shell0", "agent0"):
        return LAB / "mini.cpio"
    parts = [LAB / name for name in ("dom0.cpio", *config.payloads)]
    path = LAB / "joined" / ("+".join(part.stem for part in parts) + ".cpio")
    if not path.exists() or path.stat().st_mtime < max(part.stat().st_mtime for part in parts):
        path.parent.mkdir(exist_ok=True)
        join(path, parts)
    return path


class System(Shell, Qemu):
    fatal = FATAL

    def __init__(self, name, **settings):
        super().__init__(name, Config(**settings))

    def wait_ready(self, timeout=120):
        """Wait for the stage's marker, and for the agent if the stage has one."""
        marker = "LAB-INIT-REACHED" if self.pc.stage in ("shell0", "agent0") else "LAB-READY"
        self.expect(f"^{marker}.*\n", timeout)
        ready = self.seconds()
        if self.pc.stage.startswith("agent"):
            self.expect(r"LAB-AGENT\n", 20)
        return ready
