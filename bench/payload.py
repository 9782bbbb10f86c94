# SPDX-License-Identifier: MIT
"""Domain-0's file system for measuring: the lab's, and behind it an archive that adds the benchmark's programs and
replaces the lab's agent by the script that measures (the kernel unpacks the archives one after the other)."""

from lab import LAB, ROOT
from lab.images.cpio import Archive
from lab.system import join

BENCH, OUT = ROOT / "bench", ROOT / "build/bench"
LINUX = ("ticks", "process", "network", "disk")


def _guest_initrd():
    archive = Archive(OUT / "domu.cpio")
    archive.copy("lab/agent", BENCH / "domu/agent")
    for name in LINUX:
        archive.copy(f"bench/{name}", OUT / "linux" / name)
    archive.close()
    join(OUT / "guest-initrd", [LAB / "domu.cpio", OUT / "domu.cpio"])


def make_small():
    """Domain-0 with no toolstack, for bench/profile."""
    archive = Archive(OUT / "small.cpio")
    archive.copy("lab/agent", BENCH / "dom0/agent")
    archive.copy("bench/process", OUT / "linux/process")
    archive.copy("bench/ticks", OUT / "linux/ticks")
    archive.close()
    join(OUT / "dom0-small.cpio", [LAB / "mini.cpio", OUT / "small.cpio"])
    return OUT / "dom0-small.cpio"


def make():
    """Domain-0 with the toolstack and all that it starts."""
    _guest_initrd()
    archive = Archive(OUT / "bench.cpio")
    archive.copy("lab/agent", BENCH / "dom0/agent")
    for name in (*LINUX, "kept"):
        archive.copy(f"bench/{name}", OUT / "linux" / name)
    for name in ("hypercalls", "pair", "idle"):
        archive.copy(f"bench/{name}.elf", OUT / f"{name}.elf")
    archive.copy("bench/guest-initrd", OUT / "guest-initrd")
    archive.close()
    join(OUT / "dom0.cpio", [LAB / "dom0.cpio", LAB / "payload-elf.cpio", OUT / "bench.cpio"])
    return OUT / "dom0.cpio"


def make_toolstack():
    """The same with xend and xm in it, and with the compressed kernel."""
    join(OUT / "dom0-toolstack.cpio", [make(), LAB / "payload.cpio", LAB / "payload-toolstack.cpio", OUT / "bench.cpio"])
    return OUT / "dom0-toolstack.cpio"
