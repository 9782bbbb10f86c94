# SPDX-License-Identifier: MIT
"""xm moves guests between two hosts, with a cable between them and a disk that both have."""

import re
import time

import pytest

from xend import XendDom0
from xm import Guest, Xm

from lab.pc import Disk, cable

pytestmark = [pytest.mark.long, pytest.mark.one_processor]

GUEST = Guest("mover", memory=128, address="10.77.0.9", disks=("phy:/dev/vda,xvda,w",))
CONFIG = """(xend-relocation-server yes)
(xend-relocation-hosts-allow '^10\\\\.77\\\\.0\\\\.1[0-9]$')
(xend-relocation-paths '/guest /dev/vda')"""


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


@pytest.fixture(scope="module")
def hosts(hv, tmp_path_factory):
    directory = tmp_path_factory.mktemp("migrate")
    disk = Disk(directory / "shared.img", shared=True)
    disk.path.write_bytes(bytes(16 << 20))
    pair = [Host(number, hv, disks=(disk,), nics=(nic,)) for number, nic in enumerate(cable(directory))]
    with pair[0], pair[1]:
        for host in pair:
            host.prepare()
        yield pair


@pytest.fixture
def clean(hosts):
    """Neither has a guest."""
    for host in hosts:
        host.xm.start_xend()
        host.xm.destroy_all()
    return hosts


def uptime(host):
    return float(host.guest("mover", "cat /proc/uptime").split()[0])


def test_a_guest_moves_there_and_back(clean):
    here, there = clean
    for host in clean:    # the first guest of a boot leaves empty directories in xenstore
        host.xm.create(GUEST)
        host.xm.destroy_all()
    traces = [host.traces() for host in clean]
    free = [host.settled_free_memory() for host in clean]
    here.xm.create(GUEST)
    here.guest("mover", "echo number-1 >/tmp/file; echo on-the-disk | dd of=/dev/xvda bs=512 conv=sync,fsync 2>/dev/null")
    before = uptime(here)
    assert here.xm.good(f"migrate --check mover {there.address}") == f"Domain 'mover' can move to {there.address}."
    out = here.xm.good(f"migrate mover {there.address}", 300)
    assert re.search(r"is at 10\.77\.0\.12 now: it took \d+\.\d s, and the domain stood still for \d+\.\d\d s", out)
    assert list(here.xm.domains()) == ["Domain-0"]
    assert uptime(there) > before
    assert there.guest("mover", "cat /tmp/file; head -c 11 /dev/xvda").split() == ["number-1", "on-the-disk"]
    here.sh("ping -c 2 10.77.0.9")
    assert here.traces() == traces[0] and here.settled_free_memory(free[0]) == free[0]
    there.xm.good(f"migrate --live mover {here.address}", 300)
    assert uptime(here) > before
    assert here.guest("mover", "cat /tmp/file") == "number-1"
    assert there.traces() == traces[1] and there.settled_free_memory(free[1]) >= free[1] - 1


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


def runs_alone(hosts):
    """The one host at which the guest runs; None while the other one has something of it still."""
    where = [host for host in hosts if "mover" in host.xm.domains()]
    if len(where) != 1 or where[0].xm.domains()["mover"][3][2:4] != "--":
        return None
    return where[0] if all(len(host.xm.domains()) == 1 for host in hosts if host is not where[0]) else None


def test_xend_is_killed_on_either_side(clean):
    """When exactly depends on how fast the machine is: the guest is at one of the two then, and runs."""
    clean[0].xm.create(GUEST)
    for victim in (0, 1):
        here = runs_alone(clean)
        there = clean[1 - clean.index(here)]
        here.sh(f"(xm migrate mover {there.address} >/tmp/out 2>&1 &) ; sleep 1")
        (here, there)[victim].kill_xend()
        (here, there)[victim].start_xend()
        deadline = time.monotonic() + 120
        while not runs_alone(clean):
            assert time.monotonic() < deadline, [host.xm.good("list") for host in clean]
            time.sleep(0.5)
        assert runs_alone(clean).guest("mover", "echo alive") == "alive"
