# SPDX-License-Identifier: MIT
"""The systems that are measured: what is booted, with which words, and what each of them must say."""

import re
import shutil
from collections import namedtuple

import payload
from results import parse
from rows import PARTS, TOOLS

from lab import LAB, ROOT
from lab.machine import MachineError
from lab.pc import Pc
from lab.qemu import Qemu
from lab.shell import HV_LINE

OUT = ROOT / "build/bench"
IMAGES = {"xenolith": ROOT / "build/xenolith.elf", "xen": LAB / "xen.elf"}
# Nothing but where to talk: what a hypervisor does by default is what is measured.
OPTIONS = "com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all noreboot"
MEMORY = 2048
# For many guests: how many, and MiB of the machine and of Domain-0.
DENSITY, DENSITY_MEMORY, DENSITY_DOM0 = 300, 6144, 2048
# The first is the one that Debian starts; the other one is written in C.
XENSTOREDS = ("oxenstored", "xenstored")
Density = namedtuple("Density", "guests xenstored tools", defaults=(DENSITY, XENSTOREDS[0], TOOLS))
# Fast strings: each repetition is counted as an instruction, so that with them (rep movsb) a copy would count for 4,096 a
# page and drown everything else; without them Linux copies 8 bytes at a time.
CPU = Pc.cpu + ",-erms,-fsrm"
# What bench/profile knows that needs the toolstack, and what each is divided by: operations of xl; rows that a guest does (for the
# transfers of 64 and 16 MiB: their pages).
LIVES = {"create": 1, "create_to_init": 1, "destroy": 1, "save": 1, "restore": 1,
         "net_round_trip": 50, "net_send": 4096, "net_receive": 4096, "disk_write": 16384, "disk_read": 16384}


def counting_pc(image, words, modules, mem):
    """What is measured: one processor, whose TSC runs at 1 GHz of the virtual clock. A difference of two readings is a number
    of instructions (if nothing waited) or of virtual nanoseconds (if something did), as long as nobody types."""
    return Pc(image=image, append=words, modules=modules, mem=mem, cpu=CPU, counting=True)


def _run(name, pc, timeout):
    """The text of a machine that runs by itself to its BENCH-END, and why it did not get there."""
    failure = ""
    with Qemu(name, pc, OUT / f"{name}.log") as machine:
        try:
            machine.expect(r"^BENCH-END|^RESULT ", timeout)
        except MachineError as error:
            failure = f"{error.reason}: see {machine.log}"
        text = HV_LINE.sub("", machine.text)
    said = re.findall(r"^(?:BENCH-FAILED|RESULT (?:failure|error):) ?(.*)", text, re.M)
    return text, "; ".join(filter(None, [failure, *said]))


def _hypercalls(hv, image):
    pc = counting_pc(image, OPTIONS, ((OUT / "hypercalls.elf", ""),), 512)
    text, failure = _run(f"hypercalls-{hv}", pc, 120)
    return parse(text, PARTS["hypercalls"], failure)


def _dom0_pc(image, initrd, more, mem=MEMORY, dom0_mem=1024):
    kernel = LAB / "vmlinux-stock", f"console=hvc0 quiet rdinit=/bench/ticks bench.mem={mem} {more}"
    return counting_pc(image, OPTIONS + f" dom0_mem={dom0_mem}M,max:{dom0_mem}M", (kernel, (initrd, "")), mem)


def dom0_profile_pc(image, row, calls):
    """Domain-0 that does one operation between marks; only some need the toolstack."""
    words_ = f"bench=profile bench.row={row} bench.calls={calls}"
    if row in LIVES:
        return _dom0_pc(image, payload.make(), "lab=agent " + words_)
    return _dom0_pc(image, payload.make_small(), "lab=agent0 " + words_)


def _start(initrd):
    """The TSC when the boot loader starts a hypervisor, or None: what the firmware and the loader took."""
    text, _ = _run("start", _dom0_pc(OUT / "start.elf", initrd, "lab=agent bench="), 120)
    found = re.search(r"BENCH-START ([0-9a-f]{16})", text)
    return int(found.group(1), 16) if found else None


def _boot_line(text, start):
    """As the other figures are said: from the hypervisor's first instruction to Domain-0's first program."""
    first = re.search(r"^BENCH-FIRST (\d+)$", text, re.M)
    if not first or start is None:
        return ""
    return f"\nBENCH boot {(int(first.group(1)) - start) // 1000} us 1x1\n"


def _domain0(hv, image, parts):
    initrd = payload.make()
    text, failure = _run(f"domain0-{hv}", _dom0_pc(image, initrd, f"lab=agent bench={'+'.join(parts)}"), 900)
    if "boot" in parts:
        text += _boot_line(text, _start(initrd))
    return parse(text, [row for part in parts for row in PARTS[part]], failure)


def _toolstack(hv, image):
    """{key: {"xm": figure, "xl": figure}}: a machine of its own, with xend in it."""
    text, failure = _run(f"toolstack-{hv}", _dom0_pc(image, payload.make_toolstack(), "lab=agent bench=toolstack"), 900)
    found = {}
    for row in PARTS["toolstack"]:
        sides = row.sides[:1] if row.alone else row.sides
        found[row.key] = {side: parse(text.replace(f"BENCH {side}.", "BENCH "), [row], failure)[row.key] for side in sides}
    return found


def _density(hv, image, density):
    """{key: {"xm": figure, "xl": figure}}: a machine for each toolstack, which makes so many guests."""
    found = {row.key: {} for row in PARTS["density"]}
    for tool in density.tools:
        words = f"lab=agent lab.xenstored={density.xenstored} bench=density bench.tool={tool} bench.count={density.guests}"
        pc = _dom0_pc(image, payload.make_toolstack(), words, DENSITY_MEMORY, DENSITY_DOM0)
        text, failure = _run(f"density-{hv}-{tool}-{density.xenstored}-{density.guests}", pc, 7200)
        rows = [row for row in PARTS["density"] if tool in (row.sides[:1] if row.alone else row.sides)]
        for key, figure in parse(text.replace(f"BENCH {tool}.", "BENCH "), rows, failure).items():
            found[key][tool] = figure
    return found


def measure(hv, image, parts, density=Density()):
    """All figures of these parts on one hypervisor: {key: {side: figure}}. The image is copied first: a build may go on meanwhile."""
    kept = OUT / f"hypervisor-{hv}.elf"
    shutil.copyfile(image, kept)
    found = {}
    if "hypercalls" in parts:
        found.update(_hypercalls(hv, kept))
    rest = [part for part in parts if part not in ("hypercalls", "toolstack", "density")]
    if rest:
        found.update(_domain0(hv, kept, rest))
    both = {key: {hv: figure} for key, figure in found.items()}
    # The toolstacks are compared on ours.
    if "toolstack" in parts and hv == "xenolith":
        both.update(_toolstack(hv, kept))
    if "density" in parts and hv == "xenolith":
        both.update(_density(hv, kept, density))
    return both
