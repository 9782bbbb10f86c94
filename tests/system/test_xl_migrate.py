# SPDX-License-Identifier: MIT
"""Debian's unmodified xl moves a running guest between two hosts, there and back, and compares every page at its new place.

Debian's own Xen cannot do this: it has no log of dirty pages for paravirtualized guests.
"""

import os

import pytest

from dom0 import Dom0, Guest

from lab.pc import Disk, cable

pytestmark = [pytest.mark.long, pytest.mark.one_processor, pytest.mark.skipif(os.environ.get("HV") == "xen", reason="Debian's Xen cannot log the writes of PV guests")]

GUEST = Guest("mover", vcpus=2, memory=128, address="10.77.0.9", disks=("phy:/dev/vda,xvda,w",))
PORT = 7000
# xl runs this instead of ssh, with the host's name and the words of the other xl, which the other host knows without being told.
CONNECT = ("#!/bin/bash", f"exec 3<>/dev/tcp/$1/{PORT}", "dd bs=64k <&3 2>/dev/null &", "dd bs=64k >&3 2>/dev/null", "wait")
# -vv: its libxc says what it compares.
RECEIVE = ("#!/bin/sh", "exec xl -vv migrate-receive 2>>/root/receive.log")
# Fills a file with new data, copies it, compares, counts.
WRITER = ("(i=0; while :; do i=$((i+1)); dd if=/dev/urandom of=/tmp/a bs=16k count=40 2>/dev/null; cat /tmp/a >/tmp/b; "
          "cmp /tmp/a /tmp/b >>/tmp/bad 2>&1 || echo bad $i >>/tmp/bad; echo $i >/tmp/rounds; done) >/dev/null 2>&1 &")
# The same for a disk, past the cache.
READER = ("dd if=/dev/urandom of=/tmp/d bs=64k count=32 2>/dev/null; dd if=/tmp/d of=/dev/xvda bs=64k conv=fsync 2>/dev/null; "
          "(while :; do dd if=/dev/xvda bs=64k count=32 iflag=direct 2>/dev/null | cmp - /tmp/d >>/tmp/bad 2>&1 || echo disk >>/tmp/bad; "
          "done) >/dev/null 2>&1 &")


class Host(Dom0):
    """One of the two. Its bridge has the cable."""

    def __init__(self, number, hv, **settings):
        super().__init__(f"xl-migrate{number}-{hv}", smp=1, mem=1792, dom0_mem=1024, **settings)
        self.address = f"10.77.0.{11 + number}"

    def prepare(self):
        self.wait_ready(180)
        self.write("/root/connect", CONNECT)
        self.write("/root/receive", RECEIVE)
        self.sh("ip addr flush dev xenbr0; ip link set eth0 up master xenbr0; "
                f"ip addr add {self.address}/24 dev xenbr0; chmod +x /root/connect /root/receive; "
                # No frame to all hosts, which would come into the guest's memory.
                "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; "
                f"(nc -ll -p {PORT} -e /root/receive >/dev/null 2>&1 &)")

    def left(self):
        """What a guest that has gone would leave a trace in."""
        return {"domains": sorted(self.domains()), "interfaces": self.sh("ls /sys/class/net | sort | tr '\\n' ' '"),
                "backends": self.sh("ls /sys/bus/xen-backend/devices"),
                "store": self.sh("xenstore-ls /local/domain | grep '^[0-9]'; xenstore-ls /vm | grep '^[^ ]'; true"),
                "xl": self.sh("ps | grep '[x]l migrate\\|[x]l create'; true")}


@pytest.fixture(scope="module")
def hosts(hv, lab, tmp_path_factory):
    directory = tmp_path_factory.mktemp("xl-migrate")
    disk = Disk(directory / "shared.img", shared=True)
    disk.path.write_bytes(bytes(16 << 20))
    pair = [Host(number, hv, disks=(disk,), nics=(nic,)) for number, nic in enumerate(cable(directory))]
    with pair[0], pair[1]:
        for host in pair:
            host.prepare()
        for host, other in (pair, pair[::-1]):
            host.sh(f"arp -s {other.address} {other.sh('cat /sys/class/net/xenbr0/address')}")
        yield pair


def move(here, there, how=""):
    there.sh("rm -f /root/receive.log")
    text = here.sh(f"xl migrate {how} -s /root/connect mover {there.address} 2>&1", 400)
    assert "Migration successful" in text, text
    # xenconsoled names its log by the name that the domain had first.
    there.sh("cd /var/log/xen/console && ln -sf guest-mover--incoming.log guest-mover.log")


def rounds(host):
    return int(host.guest("mover", "cat /tmp/rounds"))


def move_and_look(here, there, how=""):
    uptime = float(here.guest("mover", "cat /proc/uptime").split()[0])
    move(here, there, how)
    first = rounds(there)
    there.guest("mover", "sleep 2")
    assert rounds(there) > first
    assert there.guest("mover", "cat /tmp/bad; nproc") == "2"
    assert float(there.guest("mover", "cat /proc/uptime").split()[0]) > uptime
    for host in (here, there):
        host.sh("ping -c 2 10.77.0.9")


def test_a_guest_moves_there_and_back_while_it_writes(hosts):
    here, there = hosts
    for host in hosts:    # the first guest of a boot leaves empty directories in xenstore
        host.create(GUEST)
        host.sh("xl destroy mover")
    before, free = [host.left() for host in hosts], [host.settled_free_memory() for host in hosts]
    here.create(GUEST)
    here.guest("mover", WRITER)
    # Every page is sent again when the guest stands still, and compared. Nothing may write to it then: what a backend reads
    # for the guest, and frames from the network, reach its memory also after it has stopped.
    move_and_look(here, there, "--debug")
    log = there.sh("cat /root/receive.log")
    assert "Verify mode enabled" in log and "verify pfn" not in log, log
    assert here.left() == before[0] and here.settled_free_memory(free[0]) == free[0]
    there.guest("mover", READER)
    move_and_look(there, here)
    assert there.left() == before[1] and there.settled_free_memory(free[1]) == free[1]
    here.sh("xl destroy mover")
