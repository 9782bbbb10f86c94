# SPDX-License-Identifier: MIT
"""What a person who knows xl types: each of its commands is one of xm's, or xm says why not and what to use instead."""

import re

import pytest

from fake_xend import DOMAIN0, domain, domains
from test_help import complete, names

# All that xl of Debian 12 (xen-utils-4.17) has: the rows of its program's table of commands, and help.
XL = """create config-update list destroy shutdown reboot pci-attach pci-detach pci-list pci-assignable-add pci-assignable-remove
pci-assignable-list pause unpause console vncviewer save migrate restore migrate-receive dump-core cd-insert cd-eject mem-max
mem-set button-press vcpu-list vcpu-pin vcpu-set vm-list info sharing sched-credit sched-credit2 sched-rtds domid domname rename
trigger sysrq debug-keys set-parameters dmesg top network-attach network-list network-detach channel-list block-attach block-list
block-detach vtpm-attach vtpm-list vtpm-detach vkb-attach vkb-list vkb-detach vdispl-attach vdispl-list vdispl-detach vsnd-attach
vsnd-list vsnd-detach uptime claims cpupool-create cpupool-list cpupool-destroy cpupool-rename cpupool-cpu-add cpupool-cpu-remove
cpupool-migrate cpupool-numa-split getenforce setenforce loadpolicy remus devd psr-hwinfo psr-cmt-attach psr-cmt-detach
psr-cmt-show psr-cat-set psr-cat-show psr-mba-set psr-mba-show usbctrl-attach usbctrl-detach usbdev-attach usbdev-detach usb-list
qemu-monitor-command help""".split()
ONLY_XL = sorted(set(XL) - set(names()))


def test_the_list_is_whole():
    assert len(XL) == len(set(XL)) == 93


@pytest.mark.parametrize("command", XL)
def test_each_command_of_xl(xm, xend, command):
    if command in names():
        assert xm.good("help", command).startswith(f"Usage: xm {command}")
        return
    text = xm.misused(command, "g1", "--force", "x")
    assert text.startswith(f"Error: there is no command '{command}': ") and text.count("\n") == 1 and len(text) < 300
    assert xm.misused("help", command) == text == xm.misused(command) == xm.misused(command, "--help")
    assert not xend.requests


@pytest.mark.parametrize("command", ONLY_XL)
def test_what_is_named_instead_is_there(xm, command):
    instead = re.findall(r"`xm ([a-z-]+)", xm.misused(command))
    assert all(name in names() for name in instead)
    assert instead or command in ("devd", "getenforce", "setenforce", "loadpolicy")


def test_help_and_completion_show_only_what_works(xm):
    text = xm.good("help", "--long")
    assert not [c for c in ONLY_XL if re.search(rf"^  {c}( |$)", text, re.M)]
    assert complete(xm, "xm", "usb") == complete(xm, "xm", "psr-") == [""]


def test_parts_of_such_names_are_not_known(xm):
    for word in ("cd", "cd-", "cd-insert cd-eject", "insert", "psr-cat", "devdx", ""):
        text = xm.misused(word)
        assert text.startswith((f"Error: there is no command '{word}'.\n", f"Error: there is no command '{word}';")), word


def test_vm_list(xm, xend):
    xend.answers["domain.list"] = domains(DOMAIN0, domain("g1", 3), domain("the second", 12), domain("down", -1, status=0))
    assert xm.good("vm-list") == ("UUID                                  ID    name\n"
                                  "00000000-0000-4000-8000-000000000003  3     g1\n"
                                  "00000000-0000-4000-8000-00000000000c  12    the_second\n")


def test_claims(xm, xend):
    xend.answers["domain.list"] = domains(DOMAIN0, domain("g1", 3, claimed_kb=131072), domain("down", -1, status=0))
    assert xm.good("claims") == (
        "Name                                      ID   Mem VCPUs      State   Time(s)  Claimed\n"
        "Domain-0                                   0  1024     2     r-----     12.3         0\n"
        "g1                                         3   256     1     -b----      1.5       128\n")
