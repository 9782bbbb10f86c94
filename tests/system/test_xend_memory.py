# SPDX-License-Identifier: MIT
"""Memory under xend: guests that would have Domain-0 run out of it."""

import os
import sys
import time

import pytest

from machine import ROOT
from xend import Guest, XendDom0, XendError, config_of

sys.path.insert(0, str(ROOT / "scripts/lab"))
from cpio import Archive  # noqa: E402

KIND = XendDom0
MACHINE = dict(smp=1, mem=3072, dom0_mem=1280)


@pytest.fixture(scope="module", autouse=True)
def payload(lab):
    """The micro-guest goes into Domain-0 with the other payloads, as it is built now."""
    path = ROOT / "build/guest/domu_p2m.elf"
    assert path.exists(), "run make guests first"
    archive = Archive(lab / "payload-p2m.cpio")
    archive.copy("guest/p2m", path)
    archive.close()
    toolstack = f"payload-{os.environ.get('TOOLSTACK', 'toolstack')}.cpio"
    MACHINE["payloads"] = ("payload.cpio", "payload-elf.cpio", toolstack, "payload-p2m.cpio")


@pytest.fixture
def host(xend):
    """With no guest of another test."""
    for name, domain in xend.all().items():
        if name != "Domain-0" and domain["id"] > 0:
            xend.ask("domain.destroy", domain=name)
        elif name != "Domain-0":
            xend.ask("domain.delete", domain=name)
    return xend


def test_a_hostile_list_of_frames_costs_domain_0_nothing(host):
    """A guest of 32 MiB crashes with a list that would take 640 MiB of Domain-0, and one that would take 8 GiB."""
    watch = "(while :; do sed -n 's/MemAvailable: *\\([0-9]*\\).*/\\1/p' /proc/meminfo; usleep 20000; done) >/tmp/available & echo $!"
    available = "sed -n 's/MemAvailable: *\\([0-9]*\\).*/\\1/p' /proc/meminfo"
    for pfns in (80 << 20, 1 << 30):
        before = int(host.sh(available))
        pid = host.sh(watch)
        config = config_of(Guest("bad", kernel="/guest/p2m", ramdisk="", memory=32, words=f"pfns={pfns}"))
        config["on_crash"] = "coredump-destroy"
        host.ask("domain.create", 120, config=config)
        deadline = time.monotonic() + 120
        while "bad" in host.all():
            assert time.monotonic() < deadline
            time.sleep(0.5)
        least = int(host.sh(f"kill {pid}; sort -n /tmp/available | head -n 1"))
        assert before - least < 150 * 1024, f"{(before - least) // 1024} MiB were taken"
        assert "no core was written: The domain's list of its memory is damaged (it names more frames than" in host.xend_log()
        assert host.sh("ls /var/lib/xen/dump; dmesg | grep -i 'out of memory'; true") == ""


def test_a_core_that_has_no_room_is_not_begun(host):
    host.make(Guest("full", memory=128))
    host.sh("mkdir -p /mnt/small; mount -t tmpfs -o size=60m small /mnt/small")
    with pytest.raises(XendError) as caught:
        host.ask("domain.dump-core", 180, domain="full", path="/mnt/small/core")
    assert "no space left for the core" in caught.value.message and "are free" in caught.value.message
    assert host.sh("ls /mnt/small; umount /mnt/small") == ""
    assert host.guest("full", "echo alive") == "alive"


def test_who_is_ended_first_when_memory_runs_out(host):
    """xend is last; what it starts is as any other process. (The worker: test_worker.py.)"""
    assert host.sh("cat /proc/$(cat /run/xend/xend.pid)/oom_score_adj") == "-900"
    host.sh("[ -e /data/a.img ] || head -c 1000000 /dev/zero >/data/a.img; "
            "printf '#!/bin/sh\\ncat /proc/self/oom_score_adj >/data/score; exit 1\\n' >/data/loader; chmod +x /data/loader")
    with pytest.raises(XendError):
        host.ask("domain.create", 120, config={
            "name": "booted", "bootloader": "/data/loader", "memory": 64,
            "disk": [{"type": "file", "target": "/data/a.img", "vdev": "xvda", "mode": "w"}]})
    assert host.sh("cat /data/score") == "0"
