# SPDX-License-Identifier: MIT
"""Guests under hardware virtualization (type "pvh"), by Debian's xl: the micro-guests of tests/guest/pvh, on both hypervisors."""

import time

import pytest

from dom0 import Guest

from lab import ROOT
from lab.images.cpio import Archive

GUESTS = ROOT / "build" / "guest" / "pvh"
NAMES = sorted(p.stem for p in (ROOT / "tests/guest/pvh").glob("*.c") if p.stem not in ("pvh", "unknown"))
# The guards against faults that this processor does not have are on by force (test_smp.py).
MACHINE = dict(smp=1, mem=2048, hv_append="spec-ctrl=verw,div-scrub")


@pytest.fixture(scope="module", autouse=True)
def payload(lab):
    """The micro-guests go into Domain-0 with the other payloads, as they are built now."""
    archive = Archive(lab / "payload-pvh.cpio")
    for name in (*NAMES, "unknown"):
        path = GUESTS / f"{name}.elf"
        assert path.exists(), "run make guests first"
        archive.copy(f"pvh/{name}", path)
    archive.close()
    MACHINE["payloads"] = ("payload.cpio", "payload-elf.cpio", "payload-pvh.cpio")


def create(dom0, name, words="", kind="pvh", more=()):
    dom0.sh(f"rm -f /var/log/xen/console/guest-{name}.log")
    # With another tsc_mode Debian's Xen intercepts RDTSCP, whose exit QEMU reports with a code that it does not know.
    dom0.write(f"/tmp/{name}.cfg", [f'name="{name}"', f'type="{kind}"', f'kernel="/pvh/{name}"', "vcpus=1", "memory=32",
                                    f'extra="{words}"', 'on_crash="preserve"', 'on_reboot="destroy"', 'tsc_mode="native"', *more])
    return dom0.run(f"xl create /tmp/{name}.cfg", 120)


def test_xl_says_what_there_is(dom0):
    info = dom0.sh("xl info")
    assert "hvm-3.0-x86_64" in info and " hvm " in info and " hap " in info


@pytest.mark.parametrize("name", NAMES)
def test_micro_guest(dom0, name):
    rc, said = create(dom0, name)
    assert rc == 0, said
    deadline = time.monotonic() + 300
    while True:
        log = dom0.sh(f"cat /var/log/xen/console/guest-{name}.log 2>/dev/null; true")
        if "RESULT" in log:
            break
        assert time.monotonic() < deadline and f" {name} " not in dom0.sh("xl list | grep -- ---sc- ; true"), log
        time.sleep(0.5)
    assert "RESULT success" in log, log
    while name in dom0.domains():
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.mark.parametrize("what", ["memory", "fault"])
def test_a_guest_that_breaks_the_rules_ends_alone(dom0, what):
    rc, said = create(dom0, "unknown", f"what={what}")
    assert rc == 0, said
    deadline = time.monotonic() + 120
    while "unknown" in dom0.domains() and "c-" not in dom0.sh("xl list unknown | tail -n 1 | awk '{ print $5 }'")[3:]:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    dom0.run("xl destroy unknown")
    assert list(dom0.domains()) == ["Domain-0"]


def test_the_stock_kernel(dom0):
    """Debian's kernel to its shell, with a console; it says itself what it runs on."""
    dom0.create(Guest("linux", memory=192, more=('type="pvh"', 'tsc_mode="native"')))
    assert "hypervisor" in dom0.guest("linux", "cat /proc/cpuinfo")
    assert dom0.guest("linux", "cat /sys/hypervisor/guest_type") == "PVH"
    dom0.sh("xl destroy linux")
