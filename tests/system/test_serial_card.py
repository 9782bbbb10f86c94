# SPDX-License-Identifier: MIT
"""A PC without a serial port of its own, whose console is on a PCI card: all is read from that card and typed there."""

from dom0 import Dom0

MACHINE = dict(smp=1, mem=1024)


class WithCard(Dom0):
    def command(self):
        found = super().command()
        at = found.index("-serial")
        return found[:at] + ["-chardev", "stdio,id=card", "-device", "pci-serial,chardev=card"] + found[at + 2:]


def test_console_on_a_card(lab, hv):
    with WithCard("serial-card", dom0_mem=512, hv_append="com1=115200,8n1,pci", **MACHINE) as dom0:
        dom0.expect(r"^\((HV|XEN)\) ", 120)
        dom0.wait_ready(240)
        assert dom0.domains()["Domain-0"][1] == 512
        # Its kernel sees the card and leaves it to the hypervisor.
        assert dom0.sh("grep -il '^0x0700' /sys/bus/pci/devices/*/class | wc -l") == "1"
        assert dom0.sh("dmesg | grep -c 'ttyS[0-9] at I/O' | cat") == "0"
        assert dom0.finish("poweroff -f", 60) == "guest-shutdown"
