# SPDX-License-Identifier: MIT
"""xm moves guests between two hosts, with a cable between them and a disk that both have."""

import re

import pytest

from xend import XendDom0
from xm import Guest, Xm

from lab.pc import Disk, cable

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


@pytest.mark.long
@pytest.mark.one_processor
def test_a_guest_moves_there_and_back(clean):
    here, there = clean
    here.xm.create(GUEST)    # the first guest of a boot leaves some memory with Domain-0's services
    here.xm.destroy_all()
    traces = [host.traces() for host in clean]
    free = [host.settled_free_memory() for host in clean]
    here.xm.create(GUEST)
    here.guest("mover", "echo number-1 >/tmp/file; echo on-the-disk | dd of=/dev/xvda bs=512 conv=sync,fsync 2>/dev/null")
    before = uptime(here)
    assert here.xm.good(f"migrate --check mover {there.address}") == f"Domain 'mover' can move to {there.address}."
    out = here.xm.good(f"migrate mover {there.address}", 300)
    assert re.search(r"is at 10\.77\.0\.12 now: it took \d+\.\d s, and the domain stood still for \d+\.\d s", out)
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
    there.xm.create(Guest("other", memory=560, disks=GUEST.disks))
    try:
        text = here.xm.fails(f"migrate mover {there.address}")
        assert "/dev/vda" in text and "There is not enough memory" in text
    finally:
        there.xm.destroy_all()
    assert here.guest("mover", "echo alive") == "alive" and list(there.xm.domains()) == ["Domain-0"]


def test_xend_is_killed_on_either_side(clean):
    here, there = clean
    for victim in (here, there):
        if "mover" not in here.xm.domains():
            here.xm.create(GUEST)
        here.sh(f"(xm migrate mover {there.address} >/tmp/out 2>&1 &) ; sleep 4")
        victim.kill_xend()
        victim.start_xend()
        here.xm.wait(lambda d: "mover" in d and d["mover"][3][3] == "-", 120)
        there.xm.wait(lambda d: list(d) == ["Domain-0"], 120)
        assert here.guest("mover", "echo alive") == "alive"
