# SPDX-License-Identifier: MIT
"""Guests that go on in place after a suspend, though their kernels' notes lack SUSPEND_CANCEL: to them it looks like a restore."""

import os
import struct
import time

import pytest

from xend import Guest, XendDom0, XendError, config_of, disk

from lab import LAB, ROOT
from lab.images.cpio import Archive

KIND = XendDom0
MACHINE = dict(smp=1, mem=2048)
XEN = os.environ.get("HV") == "xen"
SUSPEND_CANCEL = 14
AFRESH = "goes on as if it had been restored"
OLD = Guest("old", vcpus=2, memory=192, kernel="/guest/old", address="10.77.0.12", disks=("file:/data/a.img,xvda,w",))


def without_note(kernel):
    """A kernel whose note says that it cannot go on after a suspend that was given up."""
    note = struct.pack("<III4sI", 4, 4, SUSPEND_CANCEL, b"Xen\0", 1)
    assert kernel.count(note) == 1
    return kernel.replace(note, note[:-4] + bytes(4))


@pytest.fixture(scope="module", autouse=True)
def payload(lab):
    path = ROOT / "build/guest/domu_resume.elf"
    assert path.exists(), "run make guests first"
    archive = Archive(lab / "payload-resume.cpio")
    archive.copy("guest/resume", path)
    archive.file("guest/old", without_note((LAB / "vmlinux-stock").read_bytes()))
    archive.close()
    toolstack = f"payload-{os.environ.get('TOOLSTACK', 'toolstack')}.cpio"
    MACHINE["payloads"] = ("payload.cpio", "payload-elf.cpio", toolstack, "payload-resume.cpio")


@pytest.fixture
def host(xend):
    xend.destroy_guests()
    xend.sh("for f in a b; do [ -e /data/$f.img ] || dd if=/dev/urandom of=/data/$f.img bs=1M count=8 2>/dev/null; done; rm -f /data/saved")
    return xend


def wait(host, what, timeout=60):
    deadline = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < deadline, host.xend_log()
        time.sleep(0.3)



def said(host, name):
    return [line[2:] for line in host.console(name).splitlines() if line != "| "]


def count(host):
    return int(host.sh(f"grep -c '{AFRESH}' /var/log/xen/xend.log; true"))


def test_what_such_a_kernel_finds(host):
    """A micro-guest looks: ports, virtual interrupts, vCPUs and start info are those of a restore. Its file says what it is, so
    it is the same once it has been restored from it."""
    before = count(host)
    host.sh("rm -f /var/log/xen/console/guest-resume.log")
    guest = Guest("resume", vcpus=2, memory=32, kernel="/guest/resume", ramdisk="", words=f"rounds=4 restored=3 own_info={int(not XEN)}")
    host.ask("domain.create", config=config_of(guest))
    for turn in (1, 2):
        host.wait_guest("resume", f"suspends for time {turn}")
        wait(host, lambda: host.all()["resume"]["state"][3] == "s")
        host.ask("domain.save", 120, domain="resume", path="/data/saved", **{"continue": True})
        assert count(host) == before + turn
    host.wait_guest("resume", "suspends for time 3")
    host.ask("domain.save", 120, domain="resume", path="/data/saved")
    host.ask("domain.restore", 120, path="/data/saved")
    host.wait_guest("resume", "suspends for time 4")
    host.ask("domain.save", 120, domain="resume", path="/data/saved", **{"continue": True})
    assert count(host) == before + 3
    wait(host, lambda: "resume" not in host.all())
    assert said(host, "resume") == [f"suspends for time {turn}" for turn in (1, 2, 3, 4)] + ["all 4 rounds are through"]


@pytest.mark.skipif(XEN, reason="there a vCPU cannot register its vcpu_info a second time, and Linux panics")
class TestStock:
    def start(self, host):
        host.make(OLD)
        host.ask("device.attach", domain="old", **{"class": "vbd"}, config=disk("file:/data/b.img,xvdb,r"))
        host.guest("old", "for i in $(seq 50); do [ -b /dev/xvdb ] && break; usleep 100000; done; echo marked >/tmp/mark")

    def lives(self, host):
        assert host.guest("old", "cat /tmp/mark; nproc") == "marked\n2"
        for device, file in (("xvda", "a"), ("xvdb", "b")):
            host.guest("old", "echo 3 >/proc/sys/vm/drop_caches")
            assert host.guest("old", f"md5sum </dev/{device}") == host.sh(f"sync; md5sum </data/{file}.img")
        host.guest("old", "dd if=/dev/urandom of=/dev/xvda bs=1M count=1 conv=fsync 2>/dev/null")
        host.sh("for i in $(seq 30); do ping -c 1 -W 1 10.77.0.12 >/dev/null && break; done; ping -c 2 10.77.0.12", 60)
        assert host.sh("losetup -a | wc -l") == "2"

    def test_after_save_and_go_on(self, host):
        before = count(host)
        self.start(host)
        for turn in (1, 2):
            host.ask("domain.save", 120, domain="old", path="/data/saved", **{"continue": True})
            self.lives(host)
            assert count(host) == before + turn

    def test_after_a_save_that_fails(self, host):
        self.start(host)
        before = count(host)
        host.sh("mkdir -p /mnt/small; mount -t tmpfs -o size=10m small /mnt/small")
        with pytest.raises(XendError) as failed:
            host.ask("domain.save", 120, domain="old", path="/mnt/small/file")
        assert "no space left" in failed.value.message
        host.sh("umount /mnt/small")
        self.lives(host)
        assert count(host) == before + 1

    def test_when_xend_is_killed_midway(self, host):
        """When the old devices are gone already: the record still has them."""
        host.write("/tmp/stuck-worker", ["#!/bin/sh", "read -r order",
                                         "case $order in *\\\"resume\\\"*) touch /tmp/stuck; sleep 1000 ;; esac",
                                         'echo "$order" | /usr/lib/xenolith/xend-worker'])
        host.sh("chmod +x /tmp/stuck-worker; rm -f /tmp/stuck")
        host.kill_xend()
        host.sh("XEND_WORKER=/tmp/stuck-worker xend --daemon", 60)
        self.start(host)
        before = count(host)
        host.sh("xend-call domain.save '{\"domain\":\"old\",\"path\":\"/data/saved\",\"continue\":true}' >/dev/null 2>&1 & "
                "for i in $(seq 300); do [ -e /tmp/stuck ] && break; usleep 100000; done; [ -e /tmp/stuck ]", 60)
        host.kill_xend()
        host.start_xend()
        wait(host, lambda: count(host) == before + 1)
        self.lives(host)
        assert host.sh("ls /data/saved 2>/dev/null; true") == "", "nobody was told of it"

    def test_a_kernel_with_the_note_goes_on_the_fast_way(self, host):
        before = count(host)
        host.make(Guest("new", memory=128))
        host.ask("domain.save", 120, domain="new", path="/data/saved", **{"continue": True})
        assert host.guest("new", "echo lives") == "lives"
        assert count(host) == before
