# SPDX-License-Identifier: MIT
"""The systems that are measured: what is booted, with which words, and what each of them must say."""

import re
import shutil
import subprocess

import payload
from qemu import ROOT, Qemu, RunFailed, words
from results import parse
from rows import PARTS

LAB, OUT = ROOT / "build/lab", ROOT / "build/bench"
IMAGES = {"xenolith": ROOT / "build/xenolith.elf", "xen": LAB / "xen.elf"}
# Nothing but where to talk: what a hypervisor does by default is what is measured.
OPTIONS = "com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all noreboot"
MEMORY = 2048
# What bench/profile knows that needs the toolstack, and what each is divided by: operations of xl; rows that a guest does (for the
# transfers of 64 and 16 MiB: their pages).
LIVES = {"create": 1, "create_to_init": 1, "destroy": 1, "save": 1, "restore": 1,
         "net_round_trip": 50, "net_send": 4096, "net_receive": 4096, "disk_write": 16384, "disk_read": 16384}
HV_LINE = re.compile(r"\((?:XEN|HV)\)[^\n]*\n")  # may land in the middle of a line of Domain-0's


def qemu_version():
    out = subprocess.run(["qemu-system-x86_64", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return out.splitlines()[0]


def _run(name, command, timeout):
    """The text of a machine that runs by itself to its BENCH-END, and why it did not get there."""
    failure = ""
    with Qemu(command, OUT / f"{name}.log") as machine:
        try:
            machine.wait(lambda m: re.search(r"^BENCH-END|^RESULT ", m.text, re.M), timeout)
        except RunFailed as error:
            failure = str(error)
        text = HV_LINE.sub("", machine.text)
    said = re.findall(r"^(?:BENCH-FAILED|RESULT (?:failure|error):) ?(.*)", text, re.M)
    return text, "; ".join(filter(None, [failure, *said]))


def _hypercalls(hv, image):
    command = words(image, OPTIONS, f"{OUT}/hypercalls.elf", 512)
    text, failure = _run(f"hypercalls-{hv}", command, 120)
    return parse(text, PARTS["hypercalls"], failure)


def _dom0_command(image, initrd, more):
    kernel = f"{LAB}/vmlinux-stock console=hvc0 quiet rdinit=/bench/ticks bench.mem={MEMORY} {more}"
    return words(image, OPTIONS + " dom0_mem=1024M,max:1024M", f"{kernel},{initrd}", MEMORY)


def dom0_profile_command(image, row, calls):
    """Domain-0 that does one operation between marks; only some need the toolstack."""
    words_ = f"bench=profile bench.row={row} bench.calls={calls}"
    if row in LIVES:
        return _dom0_command(image, payload.make(), "lab=agent " + words_)
    return _dom0_command(image, payload.make_small(), "lab=agent0 " + words_)


def _start(initrd):
    """The TSC when the boot loader starts a hypervisor, or None: what the firmware and the loader took."""
    text, _ = _run("start", _dom0_command(OUT / "start.elf", initrd, "lab=agent bench="), 120)
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
    text, failure = _run(f"domain0-{hv}", _dom0_command(image, initrd, f"lab=agent bench={'+'.join(parts)}"), 900)
    if "boot" in parts:
        text += _boot_line(text, _start(initrd))
    return parse(text, [row for part in parts for row in PARTS[part]], failure)


def _toolstack(hv, image):
    """{key: {"xm": figure, "xl": figure}}: a machine of its own, with xend in it."""
    text, failure = _run(f"toolstack-{hv}", _dom0_command(image, payload.make_toolstack(), "lab=agent bench=toolstack"), 900)
    found = {}
    for row in PARTS["toolstack"]:
        sides = row.sides[:1] if row.alone else row.sides
        found[row.key] = {side: parse(text.replace(f"BENCH {side}.", "BENCH "), [row], failure)[row.key] for side in sides}
    return found


def measure(hv, image, parts):
    """All figures of these parts on one hypervisor: {key: {side: figure}}. The image is copied first: a build may go on meanwhile."""
    kept = OUT / f"hypervisor-{hv}.elf"
    shutil.copyfile(image, kept)
    found = {}
    if "hypercalls" in parts:
        found.update(_hypercalls(hv, kept))
    rest = [part for part in parts if part not in ("hypercalls", "toolstack")]
    if rest:
        found.update(_domain0(hv, kept, rest))
    both = {key: {hv: figure} for key, figure in found.items()}
    # The toolstacks are compared on ours.
    if "toolstack" in parts and hv == "xenolith":
        both.update(_toolstack(hv, kept))
    return both
