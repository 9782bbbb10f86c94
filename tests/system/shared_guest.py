# SPDX-License-Identifier: MIT
"""g1: a guest of xl's with two vCPUs and a stock kernel, which the tests of a file share.

It has: xvda, a file of Domain-0's through a loop device; xvdb, a block device; xvdc, a file, read-only; eth0 on the bridge.
Tests that need it make it if it is not there, so each runs alone, too.
"""

import time

import pytest

from dom0 import Guest

G1 = Guest("g1", vcpus=2, memory=256, address="10.77.0.2", words="quiet sysrq_always_enabled",
           disks=("format=raw,vdev=xvda,access=rw,target=/data/a.img",
                  "phy:/dev/vda,xvdb,w", "format=raw,vdev=xvdc,access=ro,target=/data/c.img"))


def files(dom0):
    dom0.sh("for f in a c extra; do [ -e /data/$f.img ] || dd if=/dev/urandom of=/data/$f.img bs=1M "
            "count=32 2>/dev/null; done", 120)


@pytest.fixture
def g1(dom0):
    """g1, running."""
    if "g1" not in dom0.domains():
        dom0.destroy_all()
        files(dom0)
        dom0.create(G1)
    return "g1"


def wait_until(dom0, what, timeout=30):
    """Poll a predicate over the list of domains."""
    deadline = time.monotonic() + timeout
    while not what(dom0.domains()):
        assert time.monotonic() < deadline, dom0.sh("xl list")
        time.sleep(0.5)


def disk_keeps(dom0, g1, device, backing):
    dom0.guest(g1, "dd if=/dev/urandom of=/tmp/d bs=1M count=16 2>/dev/null; "
               f"dd if=/tmp/d of=/dev/{device} bs=1M seek=5 conv=fsync 2>/dev/null; "
               "echo 3 >/proc/sys/vm/drop_caches", 180)
    written = dom0.guest(g1, "md5sum </tmp/d")
    assert dom0.guest(g1, f"dd if=/dev/{device} bs=1M skip=5 count=16 2>/dev/null | md5sum", 120) == written
    dom0.sh("sync; echo 3 >/proc/sys/vm/drop_caches")
    if backing.startswith("/dev"):
        dom0.sh(f"blockdev --flushbufs {backing}")
    assert dom0.sh(f"dd if={backing} bs=1M skip=5 count=16 2>/dev/null | md5sum", 120) == written
