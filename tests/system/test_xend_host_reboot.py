# SPDX-License-Identifier: MIT
"""Guests start and end with the host: the commands of xenolith-guests.service, on a Domain-0 whose /var/lib/xend and /etc/xen
are on a disk, over a reboot of the host, with xend killed in the middle of both."""

import re
import subprocess
import time

import pytest

from xend import Guest, XendDom0

from lab import ROOT
from lab.pc import Disk

UNIT = (ROOT / "toolstack/etc/xenolith-guests.service").read_text()
SHUTDOWN, SUSPEND = 'on_xend_stop="shutdown"', 'on_xend_stop="suspend"'
START = 'on_xend_start="start"'
EXT4 = "for f in $(cat /lib/modules/$(uname -r)/ext4.list); do insmod $f 2>/dev/null; done; "
KILL = "kill -9 $(cat /run/xend/xend.pid); usleep 300000; xend --daemon"

# Name to what its file says, how xend knows it, and what is expected after the reboot.
GUESTS = {
    "auto-shut": ((SHUTDOWN,), "auto", "booted"),
    "auto-rest": ((SUSPEND,), "auto", "resumed"),
    "kept-start": ((SHUTDOWN, START), "new", "booted"),
    "kept-rest": ((SUSPEND,), "new", "resumed"),
    "kept-down": ((SHUTDOWN,), "new", "down"),
    "passing": ((), "create", "resumed"),
}


def command(key):
    """What the unit runs; a '-' before it is systemd's."""
    return re.search(rf"^{key}=-?(.*)$", UNIT, re.M).group(1)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    path = tmp_path_factory.mktemp("reboot") / "disk.img"
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", path, "900M"], check=True)
    return path


class Hosts:
    """One host, booted again and again. A boot ends as a power cut does: what is not on the disk is gone."""

    def __init__(self, lab, hv, disk):
        self.lab, self.hv, self.disk, self.boots, self.machine = lab, hv, disk, 0, None

    def boot(self):
        self.end()
        self.boots += 1
        self.machine = XendDom0(f"reboot{self.boots}-{self.hv}", smp=1, mem=2048, disks=(Disk(self.disk),))
        self.machine.start()
        self.machine.wait_ready(180)
        self.machine.sh(EXT4 + "mkdir -p /disk && mount -t ext4 /dev/vda /disk && mkdir -p /disk/xend /disk/auto /var/lib/xend /etc/xen/auto && "
                        "mount -o bind /disk/xend /var/lib/xend && mount -o bind /disk/auto /etc/xen/auto")
        self.machine.sh("[ ! -e /disk/settings ] || cp /disk/settings /etc/xen/xend-config.sxp")
        self.machine.start_xend()
        return self.machine

    def end(self):
        if self.machine:
            self.machine.run("sync")
            self.machine.kill()
        self.machine = None


@pytest.fixture(scope="module")
def hosts(lab, hv, disk):
    hosts = Hosts(lab, hv, disk)
    yield hosts
    hosts.end()


def in_background(host, words):
    host.sh(f"rm -f /tmp/done; ({words} >/tmp/said 2>&1; echo $? >/tmp/done) & true")


def ended(host, timeout=240):
    host.sh(f"for i in $(seq {timeout * 2}); do [ -s /tmp/done ] && break; usleep 500000; done", timeout + 30)
    return host.sh("cat /tmp/done"), host.sh("cat /tmp/said")


def running(host):
    return {name: facts["id"] for name, facts in host.all().items() if facts["id"] > 0}


@pytest.mark.one_processor
def test_guests_start_with_the_host_though_xend_is_killed(hosts):
    host = hosts.boot()
    for name, (more, kind, _) in GUESTS.items():
        lines = Guest(name, memory=96, more=more).lines()
        host.write(f"/disk/auto/{name}" if kind == "auto" else f"/root/{name}", lines)
        if kind == "new":
            host.sh(f"xm new -q /root/{name}")
    # One whose start takes long is destroyed meanwhile: that concerns no other.
    host.sh("mkdir -p /etc/xen/scripts; printf '#!/bin/sh\\n[ $1 = online ] && sleep 20\\nexit 0\\n' >/etc/xen/scripts/vif-slow; "
            "chmod +x /etc/xen/scripts/vif-slow")
    slow = [line for line in Guest("slow", memory=96).lines() if not line.startswith("vif")]
    host.write("/disk/auto/00-slow", slow + ['vif=["script=vif-slow,bridge=xenbr0"]'])
    in_background(host, command("ExecStart"))
    host.sh("for i in $(seq 100); do xm list slow >/dev/null 2>&1 && break; usleep 100000; done")
    for _ in range(2):
        time.sleep(1.5)
        host.sh(KILL, 60)
    host.sh("for i in $(seq 300); do xm list slow 2>/dev/null && break; usleep 100000; done; sleep 1; xm destroy slow", 90)
    status, said = ended(host)
    assert "Starting guests: " in said and "Guests started with the host: 3 of 4." in said, said
    assert status == "1" and "Error: guest slow: " in said, "what did not start is said"
    assert sorted(running(host)) == ["auto-rest", "auto-shut", "kept-start"]
    # It was asked for by hand, and is not in /etc/xen/auto.
    host.sh("xm start kept-rest; xm start kept-down; xm create -q /root/passing; rm /disk/auto/00-slow", 180)
    for name in GUESTS:
        host.wait_guest(name)


@pytest.mark.one_processor
def test_a_restart_of_xend_touches_no_guest_and_a_second_start_none(hosts):
    host, before = hosts.machine, running(hosts.machine)
    assert sorted(before) == sorted(GUESTS)
    host.sh("service xend restart", 60)
    assert running(host) == before
    # One that has ended since is not started again: that was done once in this boot.
    host.ask("domain.shutdown", 90, domain="auto-shut", wait=True)
    status, said = host.run(command("ExecStart"), 60)
    assert status == 1 and said == "Error: guest slow: It was destroyed before it ran.\nGuests started with the host: 3 of 4. Failed: slow (see `xm guests status')."
    del before["auto-shut"]
    assert running(host) == before
    host.sh("xm create -q /etc/xen/auto/auto-shut", 90)
    host.wait_guest("auto-shut", count=1)


@pytest.mark.one_processor
def test_guests_end_with_the_host_though_xend_is_killed(hosts):
    host = hosts.machine
    for name in GUESTS:
        host.guest(name, "touch /root/mark")
    in_background(host, command("ExecStop"))
    for _ in range(2):
        time.sleep(1.2)
        host.sh(KILL, 60)
    status, said = ended(host)
    assert status == "0" and "Guests ended with the host: 6 of 6." in said, said
    assert "Suspending guests: " in said and re.search(r"Shutting down guests: .*\(\d+ s left\)", said), said
    assert running(host) == {}
    states = {name: facts["status"] for name, facts in host.all().items() if name != "Domain-0"}
    assert states == {"auto-rest": 3, "kept-rest": 3, "passing": 3, "kept-start": 0, "kept-down": 0}


@pytest.mark.one_processor
def test_each_comes_back_as_it_should_after_the_hosts_reboot(hosts):
    host = hosts.boot()
    assert running(host) == {}, "xend's own start touches nothing"
    in_background(host, command("ExecStart"))
    time.sleep(2)
    host.sh(KILL, 60)
    status, said = ended(host)
    assert status == "0" and "Resuming guests: " in said, said
    ids = running(host)
    assert sorted(ids) == sorted(name for name, (_, _, expected) in GUESTS.items() if expected != "down")
    assert sorted(host.domains()) == sorted([*ids, "Domain-0"]), "none is there twice"
    for name, (_, _, expected) in GUESTS.items():
        if expected == "booted":
            host.wait_guest(name)
        if expected != "down":
            assert (host.guest(name, "ls /root") == "mark") == (expected == "resumed"), name
    assert host.all()["kept-down"]["status"] == 0


@pytest.mark.one_processor
def test_a_guest_that_does_not_obey_is_said_and_destroyed_or_left(hosts):
    host = hosts.machine
    host.sh("printf '(guests-shutdown-timeout 3)\\n(guests-stop shutdown)\\n(guests-late leave)\\n' >/etc/xen/xend-config.sxp; service xend restart", 60)
    for name in running(host):
        if name != "passing":
            host.ask("domain.destroy", domain=name)
    host.ask("domain.pause", domain="passing")
    host.make(Guest("deaf", memory=96))
    host.guest("deaf", "rm -f /sbin/poweroff /bin/poweroff /sbin/halt; ln -sf /bin/true /sbin/poweroff")
    status, said = host.run(command("ExecStop"), 60)
    assert status == 1 and "Error: guest deaf: It did not shut down within 3 s, and is left running." in said, said
    assert "Error: guest passing: It is paused, so it cannot shut down, and is left running." in said
    assert sorted(running(host)) == ["deaf", "passing"]
    host.sh("sed -i s/leave/destroy/ /etc/xen/xend-config.sxp; service xend restart", 60)
    status, said = host.run(command("ExecStop"), 60)
    assert status == 1 and "did not shut down within 3 s, and was destroyed" in said, said
    assert running(host) == {}
