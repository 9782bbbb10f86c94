# SPDX-License-Identifier: MIT
"""Debian's unmodified xl migrates a running PVH guest with a stock kernel, from this host to itself. What the guest writes meanwhile
must arrive: the hypervisor's log of dirty pages says which pages xl has to copy again.

Debian's own Xen cannot do this: it has no log of dirty pages for paravirtualized guests.
"""

import os

import pytest

from dom0 import Guest

MACHINE = dict(smp=2, mem=2048)
pytestmark = pytest.mark.skipif(os.environ.get("HV") == "xen", reason="Debian's Xen cannot log the writes of PV guests")

# xl runs this instead of ssh: the host's name first, then the words of the other xl.
NO_SSH = ("#!/bin/sh", "shift", "exec $*")

# Fills a file with new data, copies it, compares, and counts. What is read back goes through other page tables than what was
# written: a process each, by pipes, in pages that the kernel gives to one after the other.
WRITER = ("(i=0; while :; do i=$((i+1)); dd if=/dev/urandom of=/tmp/a bs=16k count=40 2>/dev/null; cat /tmp/a >/tmp/b; "
          "cmp /tmp/a /tmp/b >>/tmp/bad 2>&1 || echo bad $i >>/tmp/bad; echo $i >/tmp/rounds; done) >/dev/null 2>&1 &")


@pytest.fixture(scope="module")
def no_ssh(shared):
    dom0 = shared.get()
    dom0.write("/root/no-ssh", NO_SSH)
    dom0.sh("chmod +x /root/no-ssh")


def rounds(dom0, name):
    return int(dom0.guest(name, "cat /tmp/rounds"))


@pytest.mark.parametrize("vcpus", (1,))
def test_a_guest_moves_while_it_writes(dom0, no_ssh, vcpus):
    name = f"live{vcpus}"
    dom0.create(Guest(name, vcpus=vcpus, memory=192, more=('type="pvh"', 'tsc_mode="native"')))
    dom0.guest(name, WRITER)
    before = dom0.domains()[name][0]
    text = dom0.sh(f"xl migrate -s /root/no-ssh {name} localhost 2>&1", 300)
    assert "Migration successful" in text, text
    assert dom0.domains()[name][0] > before
    # xenconsoled names its log by the name that the domain had first.
    dom0.sh(f"cd /var/log/xen/console && ln -sf guest-{name}--incoming.log guest-{name}.log")
    first = rounds(dom0, name)
    dom0.guest(name, "sleep 2")
    assert rounds(dom0, name) > first
    assert dom0.guest(name, "cat /tmp/bad") == ""
    dom0.sh(f"xl destroy {name}")
