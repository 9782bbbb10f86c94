# SPDX-License-Identifier: MIT
"""xm moves guests between two hosts that run them, with a client beside both and a disk that both have.

MOVES: how often a guest goes there and back in the long test."""

import json
import os
import re
import sys
import time

import pytest

from xend import XendDom0
from xm import Guest, Xm

from lab.pc import Disk
from lab.switch import Switch

pytestmark = [pytest.mark.long, pytest.mark.one_processor]

MOVES = int(os.environ.get("MOVES", "5"))
GUEST = Guest("mover", memory=128, vcpus=2, address="10.77.0.9", disks=("phy:/dev/vda,xvda,w",))
CONFIG = """(xend-relocation-server yes)
(xend-relocation-hosts-allow '^10\\\\.77\\\\.0\\\\.1[0-9]$')
(xend-relocation-paths '/guest /dev/vda')"""
# Numbered lines for whoever connects.
LINES = ("(i=0; while :; do echo $i; i=$((i+1)); usleep 20000; done) | nc -l -p 7000 >/dev/null 2>&1 &")


class Host(XendDom0):
    """One of the two. Its bridge has the cable."""

    def __init__(self, number, hv, **settings):
        super().__init__(f"migrate{number}-{hv}", smp=1, mem=1792, dom0_mem=1024, **settings)
        self.address = f"10.77.0.{11 + number}"

    def prepare(self):
        self.wait_ready(180)
        self.sh("ip addr flush dev xenbr0; ip link set eth0 up master xenbr0; "
                f"ip addr add {self.address}/24 dev xenbr0; mkdir -p /etc/xen")
        self.write("/etc/xen/xend-config.sxp", CONFIG.replace("'", "'\\''").splitlines())
        self.start_xend()
        self.xm = Xm(self)


class Onlooker:
    """A client beside the hosts (onlooker.py)."""

    def __init__(self, switch):
        self.process = switch.client(sys.executable, os.path.join(os.path.dirname(__file__), "onlooker.py"), "10.77.0.9", "7000")
        assert self.process.stdout.readline() == "connected\n"

    def end(self):
        return json.loads(self.process.communicate("\n", 60)[0])


@pytest.fixture(scope="module")
def switch(tmp_path_factory):
    with Switch(tmp_path_factory.mktemp("switch"), 2, "10.77.0.20/24") as found:
        yield found


@pytest.fixture(scope="module")
def hosts(lab, hv, switch, tmp_path_factory):
    disk = Disk(tmp_path_factory.mktemp("migrate") / "shared.img", shared=True)
    disk.path.write_bytes(bytes(16 << 20))
    pair = [Host(number, hv, disks=(disk,), nics=(nic,)) for number, nic in enumerate(switch.nics)]
    with pair[0], pair[1]:
        for host in pair:
            host.prepare()
        # The first guest of a boot leaves empty directories in xenstore.
        for host in pair:
            host.xm.create(GUEST)
            host.xm.destroy_all()
        yield pair


@pytest.fixture
def clean(hosts, switch):
    """Neither has a guest."""
    switch.mend()
    for host in hosts:
        host.xm.start_xend()
        host.xm.destroy_all()
    return hosts


def uptime(host):
    return float(host.guest("mover", "cat /proc/uptime").split()[0])


def settle(hosts, timeout=150):
    """Until one host has the guest, and runs it, and the other one has nothing of it. That host, and the other."""
    deadline = time.monotonic() + timeout
    while True:
        where = [host for host in hosts if "mover" in host.xm.domains()]
        if (len(where) == 1 and where[0].xm.domains()["mover"][3][2:4] == "--"
                and all(len(host.xm.domains()) == 1 for host in hosts if host is not where[0])):
            assert where[0].guest("mover", "echo alive") == "alive"
            return where[0], hosts[1 - hosts.index(where[0])]
        assert time.monotonic() < deadline, [host.xm("list") for host in hosts]
        time.sleep(0.5)


def there_and_back(hosts, switch, times):
    traces = [host.traces() for host in hosts]
    free = [host.settled_free_memory() for host in hosts]
    here, there = hosts
    here.xm.create(GUEST)
    sums = "echo 3 >/proc/sys/vm/drop_caches; md5sum /dev/xvda"
    here.guest("mover", "echo number-1 >/tmp/file; dd if=/dev/urandom of=/dev/xvda bs=64k count=64 conv=fsync 2>/dev/null; " + LINES)
    disk = here.guest("mover", sums)
    onlooker = Onlooker(switch)
    assert here.xm.good(f"migrate --check mover {there.address}") == f"Domain 'mover' can move to {there.address}."
    for _ in range(2 * times):
        before = uptime(here)
        out = here.xm.good(f"migrate mover {there.address}", 300)
        print(out)
        assert re.search(r"is at 10\.77\.0\.1[12] now: it took \d+\.\d s, and the domain stood still for \d+\.\d\d s", out)
        if here.pc.hv == "xen":
            assert "It stood still all the time: " in out
        else:
            assert re.search(r"^\d+ rounds sent \d+\.\d MB, the last one \d+\.\d MB", out, re.M)
        assert list(here.xm.domains()) == ["Domain-0"]
        assert uptime(there) > before
        clock = [int(text) for text in (there.sh("date +%s"), there.guest("mover", "date +%s"), there.sh("date +%s"))]
        assert clock[0] - 60 <= clock[1] <= clock[2] + 60    # the hosts' own differ by some seconds
        assert there.guest("mover", "cat /tmp/file; " + sums).split("\n") == ["number-1", disk]
        here, there = there, here
    seen = onlooker.end()
    print(seen)
    assert seen["open"] and seen["wrong"] == 0 and seen["lines"] > 10 and seen["answers"] > 10
    here.xm.destroy_all()
    assert [host.traces() for host in hosts] == traces
    assert all(host.settled_free_memory(before) >= before - 1 for host, before in zip(hosts, free))


def test_a_guest_moves_there_and_back(clean, switch):
    there_and_back(clean, switch, 1)


def test_a_guest_moves_there_and_back_often(clean, switch):
    there_and_back(clean, switch, MOVES)


def test_what_is_missing_is_named_at_once(clean):
    here, there = clean
    here.xm.create(GUEST)
    there.xm.create(GUEST)    # has the name and the disk
    try:
        text = here.xm.fails(f"migrate mover {there.address}")
        assert len(text.splitlines()) == 3 and "It has a domain 'mover' already." in text and "The disk /dev/vda" in text
    finally:
        there.xm.destroy_all()
    assert here.guest("mover", "echo alive") == "alive" and list(there.xm.domains()) == ["Domain-0"]


# -- a guest that writes

def is_unharmed(host):
    """The writer goes on, and has found no wrong page."""
    first = host.guest("mover", "cat /tmp/passes")
    deadline = time.monotonic() + 60
    while host.guest("mover", "cat /tmp/passes") == first:
        assert time.monotonic() < deadline, first
        time.sleep(1)
    assert "wrong" not in host.guest("mover", "cat /tmp/passes")
    assert host.xm.good("sched-credit -d mover").split()[-1] == "0"    # no cap
    return True


@pytest.fixture
def writer(clean, hv):
    if hv == "xen":
        pytest.skip("Debian's Xen cannot log what PV guests write: there is nothing to slow or to give up")
    clean[0].xm.create(GUEST)
    clean[0].guest("mover", "pages 24 /tmp/passes >/dev/null 2>&1 & sleep 1")
    return clean


def test_a_guest_that_writes_too_fast_is_slowed(writer):
    here, there = writer
    status, out, err = here.xm(f"migrate --json --rate 200 mover {there.address}", 400)
    assert status == 0, err
    report = json.loads(out)
    numbers = [json.loads(line)["numbers"] for line in err.splitlines() if '"numbers"' in line]
    print(report, numbers[-1])
    assert report["live"] and report["rounds"] > 2 and report["percent"] < 100
    assert min(n["percent"] for n in numbers) == report["percent"] and numbers[-1]["last"]
    assert is_unharmed(there)


def test_a_move_is_given_up_in_time_or_cancelled(writer):
    here, there = writer
    text = here.xm.fails(f"migrate --no-throttle --downtime 0 --timeout 3 --rate 100 mover {there.address}", 300)
    assert "was not sent in time: it writes " in text
    assert is_unharmed(here)
    here.sh(f"(xm migrate --rate 20 mover {there.address} >/tmp/out 2>&1; echo $? >>/tmp/out) & sleep 3")
    assert here.xm.good("migrate-cancel mover") == ""
    assert here.sh("sleep 1; cat /tmp/out").split("\n") == [
        "Error: Moving domain 'mover' was cancelled: it goes on here.", "1"]
    assert here.xm.fails("migrate-cancel mover") == "Error: Domain 'mover' is not being moved from here."
    assert is_unharmed(here) and settle(writer)[0] is here


# -- faults

def test_xend_is_killed_on_either_side(clean):
    """When exactly depends on how fast the machine is: the guest is at one of the two then, and runs."""
    clean[0].xm.create(GUEST)
    clean[0].guest("mover", "pages 24 /tmp/passes >/dev/null 2>&1 & sleep 1")
    for victim in (0, 1):
        here, there = settle(clean)
        here.sh(f"(xm migrate --rate 100 mover {there.address} >/tmp/out 2>&1 &) ; sleep 4")
        (here, there)[victim].kill_xend()
        (here, there)[victim].start_xend()
        assert is_unharmed(settle(clean)[0])


# The line is lost, and all that comes after it.
CUTS = {"first round": None, "received": b'"received"', "go": b'"say":"go"', "arrived": b'"arrived"', "closed": b'"closed"',
        "runs": b'"runs"'}


@pytest.mark.parametrize("cut", CUTS)
def test_the_network_fails_in_the_middle(clean, switch, cut):
    here, there = clean
    here.xm.create(GUEST)
    if CUTS[cut]:
        switch.cut_at_text = CUTS[cut]
    else:
        switch.cut_at_bytes = switch.bytes + (20 << 20)
    status, _, err = here.xm(f"migrate mover {there.address}", 400)
    assert switch.is_cut.is_set() and status == 1, err
    print(err)
    if cut in ("go", "arrived"):
        assert "`xm list' shows what became of it" in err
        status, _, err = here.xm("list")
        assert status == 0 and "waits between two hosts: it was handed over to" in err
    switch.mend()
    where = settle(clean)[0]
    if cut in ("first round", "received"):
        assert where is here
    elif cut in ("go", "arrived", "closed", "runs"):
        assert where is there


def test_the_same_guest_is_moved_twice_at_once(clean):
    here, there = clean
    here.xm.create(GUEST)
    here.sh(f"(xm migrate --rate 200 mover {there.address} >/tmp/out 2>&1; echo $? >>/tmp/out) & sleep 1")
    status, _, err = here.xm(f"migrate mover {there.address}", 400)
    assert status == 1, err
    assert settle(clean)[0] is there
    assert here.sh("sleep 1; tail -n 1 /tmp/out") == "0"


def test_the_target_has_too_little_memory(clean):
    here, there = clean
    here.xm.create(GUEST)
    there.xm.create(Guest("big", memory=there.settled_free_memory() - 40))
    text = here.xm.fails(f"migrate mover {there.address}")
    assert "memory" in text
    assert here.guest("mover", "echo alive") == "alive" and sorted(there.xm.domains()) == ["Domain-0", "big"]


# -- loads

LOADS = {
    "memory": "pages 32 /tmp/passes >/dev/null 2>&1 &",
    "processes": "(i=0; while :; do i=$((i+1)); /bin/true; echo $i >/tmp/count; done) >/dev/null 2>&1 &",
    "disk": ("(i=0; while :; do i=$((i+1)); dd if=/dev/urandom of=/tmp/a bs=64k count=16 2>/dev/null; "
             "dd if=/tmp/a of=/dev/xvda conv=fsync 2>/dev/null; echo 3 >/proc/sys/vm/drop_caches; "
             "head -c 1048576 /dev/xvda | cmp - /tmp/a >>/tmp/bad 2>&1 || echo bad >>/tmp/bad; echo $i >/tmp/count; done) >/dev/null 2>&1 &"),
    "hot-plug": ("(i=0; while :; do i=$((i+1)); echo 0 >/sys/devices/system/cpu/cpu1/online; echo 1 >/sys/devices/system/cpu/cpu1/online; "
                 "echo $((90 + i % 3 * 15))M >/sys/devices/system/xen_memory/xen_memory0/target_kb 2>/dev/null; "
                 "echo $(((90 + i % 3 * 15) * 1024)) >/sys/devices/system/xen_memory/xen_memory0/target_kb; echo $i >/tmp/count; "
                 "usleep 200000; done) >/dev/null 2>&1 &"),
}


def counts_on(host, file):
    first = host.guest("mover", f"cat {file}")
    deadline = time.monotonic() + 90
    while host.guest("mover", f"cat {file}") in (first, ""):
        assert time.monotonic() < deadline, first
        time.sleep(1)
    return True


@pytest.mark.parametrize("load", LOADS)
def test_a_guest_moves_under_load(clean, load):
    here, there = clean
    here.xm.create(GUEST)
    here.guest("mover", LOADS[load] + " sleep 3")
    file = "/tmp/passes" if load == "memory" else "/tmp/count"
    for _ in range(2):
        assert counts_on(here, file)
        print(here.xm.good(f"migrate mover {there.address}", 400))
        assert counts_on(there, file)
        here, there = there, here
    assert here.guest("mover", "cat /tmp/bad 2>/dev/null; grep wrong /tmp/passes 2>/dev/null; true") == ""


def test_four_guests_move_at_once(clean):
    here, there = clean
    guests = [Guest(f"mover{n}", memory=96) for n in range(4)]
    for guest in guests:
        here.xm.create(guest)
        here.guest(guest.name, "pages 8 /tmp/passes >/dev/null 2>&1 &")
    here.sh(f"for n in 0 1 2 3; do (xm migrate mover$n {there.address} >/tmp/out$n 2>&1; echo $? >>/tmp/out$n) & done; wait", 600)
    assert here.sh("for n in 0 1 2 3; do tail -n 1 /tmp/out$n; done").split() == ["0"] * 4, here.sh("cat /tmp/out?")
    assert list(here.xm.domains()) == ["Domain-0"]
    for guest in guests:
        assert there.guest(guest.name, "grep -c wrong /tmp/passes; true") == "0"


def test_a_guest_of_four_processors_and_half_a_gigabyte_moves(clean):
    here, there = clean
    guest = Guest("mover", memory=512, vcpus=4, address="10.77.0.9", disks=("phy:/dev/vda,xvda,w",))
    here.xm.create(guest)
    here.guest("mover", "for n in 1 2 3 4; do pages 16 /tmp/passes$n >/dev/null 2>&1 & done; sleep 5")
    print(here.xm.good(f"migrate mover {there.address}", 600))
    assert counts_on(there, "/tmp/passes1") and there.guest("mover", "cat /tmp/passes? | grep -c wrong; nproc; true").split() == ["0", "4"]
