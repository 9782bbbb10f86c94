# SPDX-License-Identifier: MIT
"""Guests come and go; what the hypervisor and Domain-0 hold is at the end what it was at the start."""

import os
import random

import pytest

from dom0 import Guest

from lab import ROOT
from lab.images.cpio import Archive

MACHINE = dict(smp=1, mem=2048)
CYCLES = int(os.environ.get("GUEST_CYCLES", "16"))  # in which each kind of guest comes
IDLE = ROOT / "build/bench/idle.elf"


@pytest.fixture(scope="module", autouse=True)
def payload(lab):
    assert IDLE.exists(), "run make bench-programs first"
    archive = Archive(lab / "payload-idle.cpio")
    archive.copy("guest/idle", IDLE)
    archive.close()
    MACHINE["payloads"] = ("payload.cpio", "payload-elf.cpio", "payload-idle.cpio")


def counts(dom0):
    """Everything that a forgotten guest would leave a trace in."""
    return {
        "domains": dom0.sh("xl list | wc -l"),
        "loops": dom0.sh("losetup -a | wc -l"),
        "vifs": dom0.sh("ls /sys/class/net | sort | tr '\\n' ' '"),
        "store": dom0.sh("xenstore-ls /local | wc -l; xenstore-ls /vm | grep -c '^[^ ]'; "
                         "xenstore-ls /libxl | grep -c '^[^ ]'; true"),
        "ports": dom0.sh("lsevtchn 0 | wc -l"),
        "processes": dom0.sh("ps | grep -c '[x]l create'; true"),
    }


def test_create_and_destroy_leave_nothing_behind(dom0):
    """Every second guest is destroyed at some moment of its start, the others when they are up. Some are Linux systems, and some
    of those have a disk and an interface, which is what takes most of the time here."""
    random.seed(1)
    dom0.sh("dd if=/dev/zero of=/data/d.img bs=1M count=8 2>/dev/null")
    rich = Guest("cycle", vcpus=2, memory=192, address="10.77.0.9",
                 disks=("format=raw,vdev=xvda,access=rw,target=/data/d.img",))
    plain = Guest("cycle", memory=128)
    small = Guest("cycle", memory=16, kernel="/guest/idle", ramdisk="", ready="BENCH-END")
    # The first guest makes Domain-0 balloon, load and cache: it does not count.
    dom0.create(rich)
    dom0.sh("xl destroy cycle")
    free, before = dom0.settled_free_memory(), counts(dom0)
    for cycle in range(CYCLES):
        guest, boot = {0: (rich, 0), 1: (rich, 4.0)}.get(cycle % 16, (plain, 1.5) if cycle % 8 == 5 else (small, 0.1))
        dom0.create(guest, wait=cycle % 2 == 0)
        if cycle % 2:
            dom0.sh(f"usleep {int(random.uniform(0, boot) * 1e6)}")
        dom0.sh("xl destroy cycle")
    assert dom0.settled_free_memory(free) == free
    assert counts(dom0) == before
