# SPDX-License-Identifier: MIT
"""Guests that start and end with a host that systemd starts and ends: the units themselves, in a whole Debian over its reboots.

test_xend_host_reboot.py shows with more guests what the units' commands do."""

import os
import subprocess

import pytest
import san

from lab import ROOT
from lab.debian import Debian, make_root

MACHINE = dict(smp=1, mem=2048)
PATIENCE = 600
# A file that is a program, and a plain one.
FIRST = """def file(kind):
    return "/var/lib/xen/images/guest1." + kind
name = "%s" % "first"
kernel, ramdisk = [file(kind) for kind in ("vmlinuz", "initrd")]
extra = "console=hvc0 quiet lab=agent"
memory = 2 * 80
on_xend_stop = "shutdown"
"""
SECOND = """name = "second"
kernel = "/var/lib/xen/images/guest1.vmlinuz"
ramdisk = "/var/lib/xen/images/guest1.initrd"
extra = "console=hvc0 quiet lab=agent"
memory = 160
on_xend_stop = "suspend"
"""
RUNS = "xl list | awk '$1 == \"first\" || $1 == \"second\" {print $1, $2}' | sort"
READY = "systemctl is-active --quiet multi-user.target && xenstore-exists /local"
UP = f"[ $({RUNS} | wc -l) = 2 ]"
# Its kernel has reached the agent as often.
BOOTED = "[ $(grep -c LAB-AGENT /var/log/xen/console/guest-%s.log) = %d ]"


class Host:
    """The same host at each boot."""

    def __init__(self, root, hv):
        self.root, self.hv, self.boots, self.machine = root, hv, 0, None

    def boot(self):
        self.boots += 1
        self.machine = Debian(f"systemd{self.boots}-{self.hv}", root=self.root, **MACHINE)
        self.machine.start()
        self.machine.boot()
        self.wait(READY)
        return self.machine

    def wait(self, condition):
        self.machine.sh(f"for i in $(seq {PATIENCE}); do {condition} && break; sleep 1; done; {condition}", PATIENCE + 60)

    def end(self, command, reason):
        """What its console said meanwhile."""
        start = len(self.machine.text)
        assert self.machine.finish(command, PATIENCE) == reason
        return self.machine.text[start:]


@pytest.fixture
def host(tmp_path):
    subprocess.run([ROOT / "lab/build", "image"], check=True)
    host = Host(make_root(tmp_path / "root.qcow2"), os.environ.get("HV", "xenolith"))
    yield host
    if host.machine:
        host.machine.kill()


@pytest.mark.long
def test_slow_guests_live_and_die_with_a_host_of_systemd(host):
    debian = host.boot()
    debian.sh("mkdir -p /etc/xen/auto")
    san.put(debian, "/etc/xen/auto/first", FIRST)
    san.put(debian, "/etc/xen/auto/second", SECOND)
    debian.sh("systemctl enable xend xenolith-guests && systemctl start xenolith-guests", PATIENCE)
    host.wait(UP)
    host.wait(BOOTED % ("first", 1))
    host.wait(BOOTED % ("second", 1))
    before = debian.sh(RUNS)
    # xend starts anew, by order and by a fault: that touches no guest.
    debian.sh("systemctl restart xend", PATIENCE)
    assert debian.sh(RUNS) == before
    debian.sh("systemctl kill -s KILL xend; sleep 1", PATIENCE)
    host.wait("xm list >/dev/null 2>&1")
    assert debian.sh(RUNS) == before
    assert debian.sh("systemctl is-active xend xenolith-guests").split() == ["active", "active"]
    # The unit's own stop and start.
    debian.sh("systemctl stop xenolith-guests", PATIENCE)
    assert debian.sh(RUNS) == ""
    said = debian.sh("journalctl -o cat -u xenolith-guests")
    assert "Suspending guests: " in said and "Guests ended with the host: 2 of 2." in said, said
    debian.sh("systemctl start xenolith-guests", PATIENCE)
    host.wait(UP)
    host.wait(BOOTED % ("first", 2))
    # The host starts anew.
    said = host.end("systemctl reboot", "guest-reset")
    assert "Guests ended with the host: 2 of 2." in said, said
    debian = host.boot()
    host.wait(UP)
    host.wait("journalctl -o cat -u xenolith-guests | grep -q 'Guests started with the host: \\([0-9]*\\) of \\1'")
    host.wait(BOOTED % ("first", 3))
    # It was resumed: its kernel did not start again.
    debian.sh(BOOTED % ("second", 1))
    said = host.end("systemctl poweroff", "guest-shutdown")
    assert "Suspending guests: " in said and "Guests ended with the host: 2 of 2." in said, said
