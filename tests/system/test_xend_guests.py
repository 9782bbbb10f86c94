# SPDX-License-Identifier: MIT
"""Domains that xl made, domains that xend keeps, saved ones; and that nothing is left of any number of them."""

import base64
import json
import os
import struct
import time

import pytest

from xend import Guest, XendDom0, XendError, config_of

KIND = XendDom0
MACHINE = dict(smp=1, mem=2560, dom0_mem=1280)
CYCLES = int(os.environ.get("CYCLES", "4"))


@pytest.fixture
def host(xend):
    xend.sh("[ -e /data/a.img ] || dd if=/dev/urandom of=/data/a.img bs=1M count=8 2>/dev/null")
    return xend


def refused(host, code, method, **params):
    with pytest.raises(XendError) as caught:
        host.ask(method, **params)
    assert caught.value.code == code, caught.value
    return caught.value.message


# -- others' domains


def test_a_guest_of_xl_is_listed_changed_and_destroyed(host):
    host.create(Guest("theirs", vcpus=2, disks=("format=raw,vdev=xvda,access=rw,target=/data/a.img",), address="10.77.0.8"))
    facts = host.all()["theirs"]
    assert not facts["ours"] and facts["memory_kb"] == 192 * 1024 and facts["vcpus"] == 2
    host.ask("domain.pause", domain="theirs")
    assert host.domains()["theirs"][3][2] == "p"
    host.ask("domain.unpause", domain="theirs")
    host.ask("memory.set", domain="theirs", kb=160 * 1024)
    host.ask("vcpu.pin", domain="theirs", vcpu="all", cpus="0")
    assert len(host.ask("device.list", domain="theirs", **{"class": "vbd"})["devices"]) == 1
    config = config_of(Guest("ours", disks=("file:/data/a.img,xvda,w",)))
    assert "'theirs' writes it" in refused(host, "in-use", "domain.create", config=config)
    host.kill_xend()
    host.start_xend()
    assert "theirs" in host.all()
    host.guest("theirs", "echo alive")
    host.ask("domain.destroy", domain="theirs")
    assert "theirs" not in host.domains() and "theirs" not in host.all()
    assert host.sh("losetup -a; ls /sys/bus/xen-backend/devices") == ""


def test_a_guest_of_xl_shuts_down_and_disappears(host):
    host.create(Guest("theirs"))
    assert host.ask("domain.shutdown", 120, domain="theirs", wait=True) == {"reason": "poweroff"}
    assert list(host.all()) == ["Domain-0"]


def test_a_guest_of_ours_that_xl_destroys_is_cleared_away(host):
    host.make(Guest("ours", disks=("file:/data/a.img,xvda,w",)))
    host.run("xl destroy ours", 60)
    deadline = time.monotonic() + 30
    while "ours" in host.all():
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert host.sh("losetup -a; ls /sys/bus/xen-backend/devices; ls /var/lib/xend/domains") == ""


# -- kept and saved ones


def test_a_managed_domain_lives_and_rests(host):
    made = host.ask("domain.new", config=config_of(Guest("kept")))
    assert host.all()["kept"]["status"] == 0
    host.sh("rm -f /var/log/xen/console/guest-kept.log")
    started = host.ask("domain.start", 120, domain="kept")
    assert started["uuid"] == made["uuid"]
    host.wait_guest("kept")
    refused(host, "wrong-state", "domain.start", domain="kept")
    refused(host, "wrong-state", "domain.delete", domain="kept")
    host.ask("domain.shutdown", 120, domain="kept", wait=True)
    assert host.all()["kept"]["id"] == -1
    host.ask("domain.delete", domain="kept")


def test_a_managed_domain_is_suspended_and_resumed(host):
    host.ask("domain.new", config=config_of(Guest("kept")))
    host.sh("rm -f /var/log/xen/console/guest-kept.log")
    host.ask("domain.start", 120, domain="kept")
    host.wait_guest("kept")
    host.guest("kept", "echo 7 >/tmp/seven")
    host.ask("domain.suspend", 180, domain="kept")
    assert host.all()["kept"]["status"] == 3 and "kept" not in host.domains()
    host.kill_xend()
    host.start_xend()
    host.ask("domain.resume", 180, domain="kept")
    assert host.guest("kept", "cat /tmp/seven") == "7"
    host.ask("domain.destroy", domain="kept")
    host.ask("domain.delete", domain="kept")
    assert host.sh("ls /var/lib/xend/domains") == ""


def test_save_and_restore(host):
    host.make(Guest("saved", vcpus=2, memory=160, disks=("file:/data/a.img,xvda,w",), address="10.77.0.9"))
    host.guest("saved", "dd if=/dev/urandom of=/tmp/keep bs=1M count=4 2>/dev/null")
    kept = host.guest("saved", "md5sum </tmp/keep")
    host.ask("domain.save", 180, domain="saved", path="/data/saved")
    assert "saved" not in host.domains() and host.sh("losetup -a") == ""
    host.ask("domain.restore", 180, path="/data/saved")
    assert host.guest("saved", "md5sum </tmp/keep") == kept
    assert host.guest("saved", "cat /sys/devices/system/cpu/online") == "0-1"
    assert host.guest("saved", "md5sum </dev/xvda") == host.sh("md5sum </data/a.img")
    host.sh("for i in $(seq 30); do ping -c 1 -W 1 10.77.0.9 >/dev/null && break; done; ping -c 2 10.77.0.9", 60)
    refused(host, "exists", "domain.restore", path="/data/saved")
    # A file of a saved domain is replaced, anything else is not.
    refused(host, "exists", "domain.save", domain="saved", path="/data/a.img")
    old = host.sh("md5sum </data/saved")
    host.ask("domain.save", 180, domain="saved", path="/data/saved")
    assert host.sh("md5sum </data/saved") != old and host.sh("ls /data/saved*") == "/data/saved"
    host.sh("rm /data/saved")


def test_a_core_holds_the_memory(host):
    host.make(Guest("dumped", memory=96))
    host.guest("dumped", "echo in-the-core-$((40 + 2)) >/tmp/x; cat /tmp/x")
    assert host.ask("domain.dump-core", 180, domain="dumped", path="/data/core")["path"] == "/data/core"
    assert host.sh("head -c 4 /data/core | xxd -p") == "7f454c46"
    assert 90 << 20 < int(host.sh("stat -c %s /data/core")) < 110 << 20
    assert int(host.sh("grep -c in-the-core-42 /data/core")) >= 1
    refused(host, "exists", "domain.dump-core", domain="dumped", path="/data/core")
    assert host.guest("dumped", "echo alive") == "alive"
    host.ask("domain.destroy", domain="dumped")
    host.sh("rm /data/core")


def test_a_full_disk_while_saving_leaves_the_guest_running(host):
    host.make(Guest("full", memory=128))
    host.sh("mkdir -p /mnt/small; mount -t tmpfs -o size=20m small /mnt/small")
    assert "no space" in refused(host, "build", "domain.save", domain="full", path="/mnt/small/full").lower()
    assert host.sh("ls /mnt/small") == ""
    assert host.guest("full", "echo alive") == "alive"
    host.sh("umount /mnt/small")
    host.ask("domain.destroy", domain="full")


def test_what_is_no_saved_domain_is_refused(host):
    host.sh("head -c 100000 /dev/urandom >/data/noise; : >/data/empty; printf 'XENOLITH\\1\\0\\0\\0\\5\\0\\0\\0{}xyz\\0\\0\\0' >/data/bad")
    for name in ("noise", "empty", "bad"):
        refused(host, "build", "domain.restore", path=f"/data/{name}")
    assert list(host.all()) == ["Domain-0"]


def put(host, path, data):
    host.sh(f"echo {base64.b64encode(data).decode()} | base64 -d >{path}")


def test_a_file_of_a_stranger_runs_and_opens_nothing(host):
    host.sh("printf '#!/bin/sh\\ntouch /data/was-run\\n' >/data/loader; chmod 755 /data/loader; rm -f /data/was-run")
    config = json.dumps({"name": "strange", "uuid": "6b3c7a10-2f4e-4d7a-9f0e-0123456789ab", "bootloader": "/data/loader", "memory": 64,
                         "disk": [{"type": "file", "target": "/etc/shadow", "vdev": "xvda", "mode": "r"}],
                         "vif": [{"mac": "00:16:3e:00:00:01", "script": "/data/script"}]}).encode()
    padding = bytes(-len(config) % 8)
    put(host, "/data/strange", b"XENOLITH" + struct.pack("<II", 2, len(config)) + bytes(32) + config + padding)
    put(host, "/data/old", b"XENOLITH" + struct.pack("<II", 1, len(config)) + config + padding)
    for name in ("strange", "old"):
        said = refused(host, "failed", "domain.restore", path=f"/data/{name}")
        assert said.startswith(f"/data/{name} was not saved by this host, or was changed since. Domain 'strange' in it would use of this "
                               "host: up to 64 MiB of memory, the bootloader /data/loader, the disk /etc/shadow, the script /data/script")
        assert "`xm restore --trust'" in said
    assert list(host.all()) == ["Domain-0"]
    assert host.sh("losetup -a; ls /var/lib/xend/domains; ls /data/was-run 2>/dev/null; true") == ""


def test_a_file_that_was_changed_needs_trust(host):
    host.make(Guest("moved", memory=96))
    host.guest("moved", "echo 7 >/tmp/seven")
    host.ask("domain.save", 180, domain="moved", path="/data/moved")
    offset = base64.b64decode(host.sh("head -c 1024 /data/moved | base64")).index(b"quiet")
    host.sh(f"printf loud. | dd of=/data/moved bs=1 seek={offset} conv=notrunc 2>/dev/null")
    assert "the kernel /guest/vmlinux, the ramdisk /guest/initrd" in refused(host, "failed", "domain.restore", path="/data/moved")
    host.ask("domain.restore", 180, path="/data/moved", trust=True)
    assert host.guest("moved", "cat /tmp/seven") == "7"
    host.ask("domain.destroy", domain="moved")
    # What a host's administrator may say for all such files.
    host.sh("mkdir -p /etc/xen; echo '(restore-foreign-files yes)' >/etc/xen/xend-config.sxp")
    host.kill_xend()
    host.start_xend()
    host.ask("domain.restore", 180, path="/data/moved")
    assert host.guest("moved", "cat /tmp/seven") == "7"
    host.ask("domain.destroy", domain="moved")
    host.sh("rm /data/moved /etc/xen/xend-config.sxp")
    host.kill_xend()
    host.start_xend()


def test_a_bootloader_gives_kernel_and_words(host):
    host.sh("tar -cf /data/boot.img -C /guest vmlinux initrd; printf '#!/bin/sh\\ntar -xf /disk -C /output || exit 1\\n"
            "echo kernel /output/vmlinux; echo ramdisk /output/initrd; "
            "echo args console=hvc0 lab=agent from-the-loader \"$@\"\\n' >/data/loader; chmod +x /data/loader", 120)
    config = {"name": "booted", "bootloader": "/data/loader", "bootargs": ["--entry=1"], "memory": 128,
              "disk": [{"type": "file", "target": "/data/boot.img", "vdev": "xvda", "mode": "w"}]}
    host.sh("rm -f /var/log/xen/console/guest-booted.log")
    host.ask("domain.create", 120, config=config)
    host.wait_guest("booted")
    words = host.guest("booted", "cat /proc/cmdline")
    assert words.endswith("from-the-loader --entry=1 --quiet --output-format=simple --output-directory=/output /disk")
    host.ask("domain.destroy", domain="booted")
    host.sh("rm /data/boot.img")


# -- leaks


def counts(host):
    pid = "$(cat /run/xend/xend.pid)"
    return {**host.traces(),
            "descriptors": host.sh(f"ls /proc/{pid}/fd | wc -l"),
            "ports": host.sh("lsevtchn 0 | wc -l"),
            "free": host.settled_free_memory()}


def test_cycles_leak_nothing(host):
    guest = Guest("cycle", memory=96, disks=("file:/data/a.img,xvda,w",), address="10.77.0.10")
    rss = "awk '/VmRSS/ {print $2}' /proc/$(cat /run/xend/xend.pid)/status"

    def cycle():
        host.make(guest)
        host.ask("domain.save", 180, domain="cycle", path="/data/cycle")
        host.ask("domain.restore", 180, path="/data/cycle")
        host.ask("domain.destroy", domain="cycle")
        host.sh("rm /data/cycle")

    for _ in range(2):
        cycle()
    before, memory = counts(host), int(host.sh(rss))
    for _ in range(CYCLES):
        cycle()
    assert counts(host) == before
    assert int(host.sh(rss)) < memory + 512
