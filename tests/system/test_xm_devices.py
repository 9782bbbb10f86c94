# SPDX-License-Identifier: MIT
"""Disks and network cards of a running guest by xm: what the tables say, what the guest sees, what is refused."""

import json
import re

import pytest

import xm as xm_module
from xm import Guest, Xm, files

MACHINE = xm_module.MACHINE
DEV1 = Guest("dev1", memory=192, address="10.77.0.4", disks=("file:/data/a.img,xvda,w",))
BLOCK_HEADER = "Vdev  BE  handle state evt-ch ring-ref BE-path"
NETWORK_HEADER = "Idx BE  Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path"
APPEARS = "for i in $(seq 100); do [ -e %s ] && exit 0; usleep 100000; done; exit 1"
VANISHES = "for i in $(seq 100); do [ -e %s ] || exit 0; usleep 100000; done; exit 1"


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    return xm


@pytest.fixture
def dev1(dom0, xm):
    """Its ID."""
    if "dev1" not in xm.domains():
        files(dom0, "a", "b", "c")
        xm.create(DEV1)
    return xm.domains()["dev1"][0]


def disks(xm):
    header, *rows = xm.good("block-list dev1").splitlines()
    assert header == BLOCK_HEADER
    return rows


def cards(xm):
    header, *rows = xm.good("network-list dev1").splitlines()
    assert header == NETWORK_HEADER
    return rows


def test_block_list(xm, dev1):
    row, = disks(xm)
    port, ring = row.split()[4:6]
    assert int(port) > 0 and int(ring) > 0
    assert row == f"51712 0   51712  4     {port:6} {ring:8} /local/domain/0/backend/vbd/{dev1}/51712"
    device, = json.loads(xm.good("block-list --json dev1"))
    assert device["device"] == "xvda" and device["config"]["target"] == "/data/a.img"


def test_disk_is_attached_used_and_taken_away(dom0, xm, dev1):
    loops = dom0.sh("losetup -a | wc -l")
    assert xm.good("block-attach dev1 file:/data/b.img xvdb w") == ""
    dom0.guest("dev1", APPEARS % "/dev/xvdb")
    assert [row.split()[0] for row in disks(xm)] == ["51712", "51728"]
    assert dom0.guest("dev1", "md5sum </dev/xvdb", 120) == dom0.sh("md5sum </data/b.img")
    dom0.guest("dev1", "echo written-by-the-guest | dd of=/dev/xvdb bs=512 conv=sync,fsync 2>/dev/null")
    assert "already" in xm.fails("block-attach dev1 file:/data/c.img xvdb w") or "xvdb" in xm.fails(
        "block-attach dev1 file:/data/c.img xvdb w")
    assert xm.good("block-detach dev1 xvdb") == ""
    dom0.guest("dev1", VANISHES % "/dev/xvdb")
    assert len(disks(xm)) == 1
    assert dom0.sh("head -c 20 /data/b.img") == "written-by-the-guest"
    assert dom0.sh("losetup -a | wc -l") == loops


def test_block_device_of_domain0_read_only(dom0, xm, dev1):
    xm.good("block-attach dev1 phy:/dev/vda xvdd r")
    dom0.guest("dev1", APPEARS % "/dev/xvdd")
    assert dom0.guest("dev1", "cat /sys/block/xvdd/ro") == "1"
    xm.good("block-detach dev1 51760")
    dom0.guest("dev1", VANISHES % "/dev/xvdd")


def test_disk_that_somebody_writes_is_refused(dom0, xm, dev1):
    """Twice writable, to the same guest or another one; a mode with ! allows it."""
    for words in ("file:/data/a.img xvdb w", "file:/data/a.img xvdb r"):
        assert "/data/a.img" in xm.fails(f"block-attach dev1 {words}")
    second = Guest("dev2", memory=128, disks=("file:/data/a.img,xvda,w",))
    dom0.write("/root/dev2", second.lines())
    assert "/data/a.img" in xm.fails("create /root/dev2")
    assert len(disks(xm)) == 1 and "dev2" not in xm.domains()
    xm.good("block-attach dev1 file:/data/a.img xvdb w!")
    xm.good("block-detach dev1 xvdb")


@pytest.mark.parametrize("words,what", [("phy:/dev/nothing xvdb w", "/dev/nothing"), ("file:/data/nothing xvdb w", "/data/nothing"),
                                        ("file:/data/b.img what w", "what")])
def test_disk_that_cannot_be(xm, dev1, words, what):
    assert what in xm.fails(f"block-attach dev1 {words}")
    assert len(disks(xm)) == 1


def test_devices_that_are_not_there(xm, dev1):
    assert "xvdz" in xm.fails("block-detach dev1 xvdz")
    assert "7" in xm.fails("network-detach dev1 7")
    assert xm.fails("block-list nobody") == "Error: Domain 'nobody' does not exist."
    assert xm.fails("network-attach nobody") == "Error: Domain 'nobody' does not exist."


def test_block_configure_changes_the_mode(dom0, xm, dev1):
    xm.good("block-attach dev1 file:/data/b.img xvdb w")
    dom0.guest("dev1", APPEARS % "/dev/xvdb")
    xm.good("block-configure dev1 file:/data/b.img xvdb r")
    # A driver that is still looking at the disk does not give it back.
    dom0.guest("dev1", APPEARS % "/dev/xvdb")
    device = json.loads(xm.good("block-list --json dev1"))[1]
    assert device["config"]["mode"] == "r"
    xm.good("block-detach dev1 xvdb")


def test_network_list(xm, dev1):
    row, = cards(xm)
    port, (tx, rx) = row.split()[5], row.split()[6].split("/")
    assert row == f"0   0   00:16:3e:00:00:04 0      4     {port:6} {tx:>5}/{rx:11} /local/domain/0/backend/vif/{dev1}/0"


def test_card_is_attached_used_and_taken_away(dom0, xm, dev1):
    assert xm.good("network-attach dev1 mac=00:16:3e:00:00:77 bridge=xenbr0") == ""
    dom0.guest("dev1", APPEARS % "/sys/class/net/eth1")
    assert dom0.guest("dev1", "cat /sys/class/net/eth1/address") == "00:16:3e:00:00:77"
    assert [row.split()[2] for row in cards(xm)] == ["00:16:3e:00:00:04", "00:16:3e:00:00:77"]
    dom0.sh(f"test -e /sys/class/net/xenbr0/brif/vif{dev1}.1")
    dom0.guest("dev1", "ip addr flush dev eth0; ip addr add 10.77.0.44/24 dev eth1; ip link set eth1 up")
    dom0.sh("for i in $(seq 20); do ping -c 1 -W 1 10.77.0.44 >/dev/null && break; done; ping -c 2 10.77.0.44")
    xm.good("network-detach dev1 00:16:3e:00:00:77")
    dom0.guest("dev1", VANISHES % "/sys/class/net/eth1")
    assert len(cards(xm)) == 1
    assert dom0.sh(f"ls /sys/class/net | grep -c vif{dev1}; true") == "1"


def test_card_with_an_address_that_is_made_up(xm, dev1):
    xm.good("network-attach dev1")
    row = cards(xm)[1]
    assert re.fullmatch(r"00:16:3e(:[0-9a-f]{2}){3}", row.split()[2])
    xm.good("network-detach dev1 1")
    assert "nobridge" in xm.fails("network-attach dev1 bridge=nobridge")
    assert len(cards(xm)) == 1


def test_nothing_stays_after_the_guest(dom0, xm, dev1):
    xm.good("block-attach dev1 file:/data/c.img xvdc w")
    xm.good("destroy dev1")
    assert dom0.sh("losetup -a; ls /sys/bus/xen-backend/devices; ls /sys/class/net | grep vif; true") == ""
