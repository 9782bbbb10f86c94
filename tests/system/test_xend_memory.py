# SPDX-License-Identifier: MIT
"""Memory under xend: sizes that outlive saving and suspending, and guests that would have Domain-0 run out of it."""

import os
import re
import time

import pytest

from xend import Guest, XendDom0, XendError, config_of

from lab import ROOT
from lab.images.cpio import Archive

KIND = XendDom0
MACHINE = dict(smp=1, mem=3072, dom0_mem=1280)
TOTAL = "sed -n \"s/MemTotal: *\\([0-9]*\\).*/\\1/p\" /proc/meminfo"


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
            xend.ask("domain.delete", domain=name, force=True)
    return xend


def set_memory(host, name, mib):
    host.ask("memory.set", domain=name, kb=mib * 1024)
    expect_memory(host, name, mib)


def expect_memory(host, name, mib):
    """It has so much, and believes so: its kernel keeps some for itself, as at its start."""
    deadline = time.monotonic() + 30
    while host.all()[name]["memory_kb"] != mib * 1024:
        assert time.monotonic() < deadline, host.all()[name]
        time.sleep(0.3)
    own = int(host.guest(name, TOTAL)) // 1024
    assert mib - 60 < own <= mib, f"{own} MiB of {mib}"


def suspend_and_resume(host, name):
    host.ask("domain.suspend", 180, domain=name)
    assert name not in host.domains()
    host.ask("domain.resume", 180, domain=name)
    assert host.guest(name, "cat /tmp/mark") == "marked"


def save_and_restore(host, name):
    host.ask("domain.save", 180, domain=name, path="/data/saved")
    assert name not in host.domains()
    host.ask("domain.restore", 180, path="/data/saved")
    host.sh("rm /data/saved")
    assert host.guest(name, "cat /tmp/mark") == "marked"


def test_memory_set_above_its_start_survives_suspend(host):
    host.ask("domain.new", config=config_of(Guest("kept", memory=256, maxmem=512)))
    host.sh("rm -f /var/log/xen/console/guest-kept.log")
    host.ask("domain.start", 120, domain="kept")
    host.wait_guest("kept")
    host.guest("kept", "echo marked >/tmp/mark")
    set_memory(host, "kept", 400)
    suspend_and_resume(host, "kept")
    expect_memory(host, "kept", 400)
    suspend_and_resume(host, "kept")
    set_memory(host, "kept", 128)
    suspend_and_resume(host, "kept")
    expect_memory(host, "kept", 128)
    set_memory(host, "kept", 512)
    suspend_and_resume(host, "kept")
    expect_memory(host, "kept", 512)
    # Its configuration is as it was.
    host.ask("domain.shutdown", 120, domain="kept", wait=True)
    host.sh("rm -f /var/log/xen/console/guest-kept.log")
    host.ask("domain.start", 120, domain="kept")
    host.wait_guest("kept")
    expect_memory(host, "kept", 256)


def test_memory_and_vcpus_that_were_set_survive_save(host):
    config = config_of(Guest("saved", memory=192, maxmem=384))
    config["maxvcpus"] = 3
    host.sh("rm -f /var/log/xen/console/guest-saved.log")
    host.ask("domain.create", 120, config=config)
    host.wait_guest("saved")
    host.guest("saved", "echo marked >/tmp/mark")
    # A vCPU that appears is the guest's to take; one that goes is taken from it.
    settle = ("cd /sys/devices/system/cpu; for i in $(seq 50); do for c in 1 2; do "
              "echo 1 >cpu$c/online; done 2>/dev/null; [ $(nproc) = %d ] && break; usleep 200000; done; nproc")
    for mib, vcpus in ((300, 3), (128, 2), (384, 3)):
        set_memory(host, "saved", mib)
        host.ask("vcpu.set", domain="saved", count=vcpus)
        assert host.guest("saved", settle % vcpus) == str(vcpus)
        save_and_restore(host, "saved")
        expect_memory(host, "saved", mib)
        time.sleep(2)
        assert host.guest("saved", "nproc") == str(vcpus)


def test_a_create_that_fails_gives_domain_0_its_memory_back(host):
    """Its kernel is none, which shows only once the memory for it was taken from Domain-0."""
    target = "xenstore-read /local/domain/0/memory/target"
    before = host.all()["Domain-0"]["memory_kb"]
    host.ask("memory.set", domain=0, kb=before)
    free = host.ask("host.info")["free_memory"]
    host.sh("head -c 100000 /dev/zero >/tmp/nokernel")
    with pytest.raises(XendError) as refused:
        host.ask("domain.create", 120, config={"name": "nokernel", "kernel": "/tmp/nokernel", "memory": free + 100})
    assert "nokernel" in str(refused.value)
    assert int(host.sh(target)) == before
    log = host.sh("tail -5 /var/log/xen/xend.log")
    assert "Domain-0 gives" in log and "MiB back" in log, log
    deadline = time.monotonic() + 90
    while host.all()["Domain-0"]["memory_kb"] < before - 4096:
        assert time.monotonic() < deadline, host.all()["Domain-0"]
        time.sleep(0.5)


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
        assert re.search(r"no core was written: .*: The domain's list of its memory is damaged \(it names more frames than",
                         host.xend_log())
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
    host.sh("printf '#!/bin/sh\\ncat /proc/self/oom_score_adj >/data/score; exit 1\\n' >/data/script; chmod +x /data/script")
    config = config_of(Guest("scripted", memory=96, address="10.77.0.7"))
    config["vif"][0]["script"] = "/data/script"
    with pytest.raises(XendError) as caught:
        host.ask("domain.create", 120, config=config)
    assert "/data/script" in caught.value.message
    assert host.sh("cat /data/score") == "0"
