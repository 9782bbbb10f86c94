# SPDX-License-Identifier: MIT
"""The systems that are measured: what is booted, with which words, and what each of them must say."""

import subprocess

from qemu import ROOT, Qemu, RunFailed, words
from results import parse
from rows import PARTS

LAB = ROOT / "build/lab"
OUT = ROOT / "build/bench"
IMAGES = {"xenolith": ROOT / "build/xenolith.elf", "xen": LAB / "xen.elf"}
# Nothing but where to talk: what a hypervisor does by default is what is measured.
OPTIONS = "com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all noreboot"


def qemu_version():
    out = subprocess.run(["qemu-system-x86_64", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return out.splitlines()[0]


def _run(name, command, timeout):
    """The text of a machine that runs by itself to its BENCH-END, and why it did not get there."""
    failure = ""
    with Qemu(command, OUT / f"{name}.log") as machine:
        try:
            machine.wait(lambda m: "BENCH-END" in m.text or "RESULT " in m.text, timeout)
            if "BENCH-END" not in machine.text:
                failure = machine.text[machine.text.index("RESULT "):].splitlines()[0]
        except RunFailed as error:
            failure = str(error)
        return machine.text, failure


def _hypercalls(hv, image):
    command = words(image, OPTIONS, f"{OUT}/hypercalls.elf", 512)
    text, failure = _run(f"hypercalls-{hv}", command, 120)
    return parse(text, PARTS["hypercalls"], failure)


def measure(hv, image, parts):
    """All figures of these parts on one hypervisor."""
    found = {}
    if "hypercalls" in parts:
        found.update(_hypercalls(hv, image))
    return found
