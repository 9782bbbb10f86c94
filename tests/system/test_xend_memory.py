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
    assert mib - 80 - mib // 32 < own <= mib, f"{own} MiB of {mib}"


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


def settle_vcpus(host, name, count):
    """A vCPU that appears is the guest's to take; one that goes is taken from it."""
    assert host.guest(name, "cd /sys/devices/system/cpu; for i in $(seq 100); do for c in cpu[1-9]*; do echo 1 >$c/online; "
                      f"done 2>/dev/null; [ $(nproc) = {count} ] && break; usleep 200000; done; nproc", 90) == str(count)


@pytest.mark.parametrize("mib", (257, 1025))
def test_odd_sizes(host, mib):
    """Sizes that are no multiple of 2 MiB: made, shrunk, grown, saved and restored."""
    host.make(Guest("odd", memory=mib), timeout=240)
    expect_memory(host, "odd", mib)
    host.guest("odd", "echo marked >/tmp/mark")
    for size in (mib - 63, mib):
        set_memory(host, "odd", size)
        save_and_restore(host, "odd")
        expect_memory(host, "odd", size)


def test_from_256_mib_to_1024_with_more_vcpus_and_back(host):
    """By mem-max, mem-set and vcpu-set of the running guest, which is then saved and restored."""
    config = config_of(Guest("wide", memory=256, maxmem=1024))
    config["maxvcpus"] = 4
    host.sh("rm -f /var/log/xen/console/guest-wide.log")
    host.ask("domain.create", 120, config=config)
    host.wait_guest("wide")
    host.guest("wide", "echo marked >/tmp/mark")
    for mib, vcpus in ((1024, 4), (256, 1)):
        host.ask("memory.max", domain="wide", kb=max(mib, 512) * 1024)
        set_memory(host, "wide", mib)
        host.ask("vcpu.set", domain="wide", count=vcpus)
        settle_vcpus(host, "wide", vcpus)
        save_and_restore(host, "wide")
        expect_memory(host, "wide", mib)
        settle_vcpus(host, "wide", vcpus)


def test_a_ramdisk_of_100_mib_and_a_byte(host):
    size = (100 << 20) + 1
    host.sh("mkdir -p /data/big && cd /data/big && dd if=/dev/urandom of=blob bs=1M count=90 2>/dev/null && "
            "echo blob | cpio -o -H newc 2>/dev/null | cat /guest/initrd - >/data/initrd && "
            f"truncate -s {size} /data/initrd && md5sum </data/big/blob >/data/sum && rm -r /data/big", 120)
    host.make(Guest("ramdisk", memory=512, ramdisk="/data/initrd"), timeout=240)
    assert host.guest("ramdisk", "md5sum </blob", 120) == host.sh("cat /data/sum")
    host.ask("domain.destroy", domain="ramdisk")
    host.sh("rm /data/initrd /data/sum")


def test_a_name_and_a_uuid_of_a_domain_that_somebody_keeps_dying(host):
    """A process maps a page of it: it cannot be freed, and yet another one takes its name and its UUID at once."""
    config = config_of(Guest("kept", memory=96))
    config["uuid"] = "11111111-2222-3333-4444-555555555555"
    number = host.ask("domain.create", 120, config=config)["id"]
    pid = host.sh(f"worker-driver hold {number} >/tmp/held & for i in $(seq 50); do grep -q held /tmp/held && break; usleep 100000; done; "
                  "grep -q held /tmp/held && echo $!")
    host.ask("domain.destroy", domain="kept")
    assert str(number) in host.sh("xl list").replace("(null)", "dying"), "nobody keeps it"
    assert "kept" not in host.all()
    host.sh("rm -f /var/log/xen/console/guest-kept.log")
    again = host.ask("domain.create", 120, config=config)
    assert again["id"] != number
    host.wait_guest("kept")
    assert host.all()["kept"]["uuid"] == config["uuid"]
    # Both ways to name it lead to the one that runs.
    assert host.ask("vcpu.list", domain="kept")["domains"][0]["id"] == again["id"]
    assert host.ask("vcpu.list", domain=config["uuid"])["domains"][0]["id"] == again["id"]
    host.sh(f"kill {pid}")
    deadline = time.monotonic() + 30
    while any(row.split()[1] == str(number) for row in host.sh("xl list").splitlines()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert host.guest("kept", "echo lives") == "lives"
