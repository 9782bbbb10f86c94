# SPDX-License-Identifier: MIT
"""Debian's unmodified libvirt in a whole Debian as Domain-0: the machine, and a table of what virsh is asked about a guest.

The emulated processor is Intel's, because libvirt does not start on Debian's Xen with an AMD that QEMU emulates: it then finds no
model of a processor ("Cannot find suitable CPU model"). On ours it starts on either."""

import base64
import os
import re

from lab import LAB
from lab.debian import Debian
from lab.guest_console import GuestConsole
from lab.machine import MachineDied
from lab.pc import Disk, Pc

MACHINE = dict(smp=1, mem=2560, dom0_mem=1152, cpu=Pc.cpu + ",vendor=GenuineIntel")
IMAGES = "/var/lib/xen/images"
# virsh waits for ever if libvirtd does.
PATIENCE = 300
XML = f"""<domain type='xen'>
  <name>NAME</name>
  <memory unit='MiB'>224</memory>
  <currentMemory unit='MiB'>192</currentMemory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='xenpv'>linux</type>
    <kernel>{IMAGES}/guest1.vmlinuz</kernel>
    <initrd>{IMAGES}/guest1.initrd</initrd>
    <cmdline>console=hvc0 quiet lab.ip=10.77.0.2/24</cmdline>
  </os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='phy'/>
      <source file='{IMAGES}/IMAGE.img'/>
      <target dev='xvda' bus='xen'/>
    </disk>
    <interface type='bridge'>
      <mac address='00:16:3e:00:00:02'/>
      <source bridge='xenbr0'/>
    </interface>
    <console type='pty'><target type='xen' port='0'/></console>
  </devices>
</domain>
"""
RUNNING = r"^ \d+ +v1 +running$"
SHUT_OFF = r"^ - +v1 +shut off$"
SAVED = r"^ - +v1 +saved$"
# (words of virsh, exit status, what it says). Of a console that is what the guest answers: there a file marks which boot it is.
VERBS = (
    ("version", 0, r"Running hypervisor: Xen 4\.17"),
    ("nodeinfo", 0, r"CPU\(s\): +1\n"),
    ("capabilities", 0, r"<os_type>xen</os_type>\s+<arch name='x86_64'>"),
    ("define /root/v1.xml", 0, "Domain 'v1' defined"),
    ("list --all", 0, SHUT_OFF),
    ("start v1", 0, "Domain 'v1' started"),
    ("list", 0, RUNNING),
    ("start v1", 1, "Domain is already active"),
    ("console v1", 0, "^fresh$"),
    ("console v1", 0, "^marked$"),
    ("dominfo v1", 0, r"OS Type: +xen\nState: +running\nCPU\(s\): +2\nCPU time: .*\nMax memory: +229376 KiB\nUsed memory: +196608 KiB"),
    ("suspend v1", 0, "suspended"),
    ("domstate v1 --reason", 0, r"paused \(user\)"),
    ("resume v1", 0, "resumed"),
    ("domstate v1", 0, "running"),
    ("setmem v1 160M", 0, ""),
    ("dominfo v1", 0, r"Max memory: +229376 KiB\nUsed memory: +163840 KiB"),
    ("setmaxmem v1 230M", 0, ""),
    ("setvcpus v1 1", 0, ""),
    ("vcpupin v1 0 0", 0, ""),
    ("vcpupin v1", 0, r"^ 0 +0$"),
    ("vcpuinfo v1", 0, r"VCPU: +0\nCPU: +0\n"),
    ("schedinfo v1 weight=512 cap=50", 0, r"weight +: 512\ncap +: 50"),
    ("schedinfo v1 weight=256 cap=0", 0, r"weight +: 256\ncap +: 0"),
    # libvirt's driver for Xen has no such call.
    ("domstats v1", 1, "not supported by the connection driver"),
    ("attach-disk v1 /root/second.img xvdb --live", 0, "attached"),
    ("domblklist v1", 0, r"^ xvdb +/root/second\.img$"),
    ("detach-disk v1 xvdb", 0, "detached"),
    ("attach-interface v1 bridge xenbr0 --mac 00:16:3e:00:00:09", 0, "attached"),
    ("domiflist v1", 0, r"bridge +xenbr0 .*00:16:3e:00:00:09"),
    ("detach-interface v1 bridge --mac 00:16:3e:00:00:09", 0, "detached"),
    ("dump v1 /root/v1.core", 0, "dumped to /root/v1.core"),
    ("list", 0, RUNNING),
    ("save v1 /root/v1.save", 0, "saved to /root/v1.save"),
    ("list --all", 0, SHUT_OFF),
    ("restore /root/v1.save", 0, "Domain restored"),
    ("list", 0, RUNNING),
    ("managedsave v1", 0, "state saved by libvirt"),
    ("list --all --managed-save", 0, SAVED),
    ("start v1", 0, "started"),
    ("list", 0, RUNNING),
    ("autostart v1", 0, "marked as autostarted"),
    ("dominfo v1", 0, r"Autostart: +enable\n"),
    ("autostart v1 --disable", 0, "unmarked"),
    ("console v1", 0, "^marked$"),
    ("reboot v1", 0, "is being rebooted"),
    ("console v1", 0, "^fresh$"),
    ("shutdown v1", 0, "is being shutdown"),
    ("domstate v1 --reason", 0, r"shut off \(shutdown\)"),
    ("start v1 --paused", 0, "started"),
    ("domstate v1", 0, "paused"),
    ("destroy v1", 0, "Domain 'v1' destroyed"),
    ("list --all", 0, SHUT_OFF),
    ("undefine v1", 0, "Domain 'v1' has been undefined"),
    ("dominfo v1", 1, "failed to get domain 'v1'"),
)
GUEST_PROMPT = "GUEST:"
# What a guest's shell is told. The terminal's echo of it is no answer.
MARK = 'if [ -e /tmp/mark ]; then echo mar""ked; else >/tmp/mark; echo fre""sh; fi'


class Host(GuestConsole, Debian):
    """A machine, started, with libvirtd up and the definition of v1 written."""

    def __init__(self, name="libvirt", hv=os.environ.get("HV", "xenolith"), forward=(), disks=()):
        """`forward`: {port of this machine: port of Domain-0}. `disks` come after the one with the root."""
        extra = ("-netdev", ",".join(["user,id=forward", *(f"hostfwd=tcp:127.0.0.1:{here}-10.0.2.15:{there}" for here, there in dict(forward).items())]),
                 "-device", "virtio-net-pci,romfile=,netdev=forward")
        super().__init__(f"{name}-{hv}", disks, root=Disk(LAB / "libvirt/disk.img", snapshot=True), hv=hv, extra=extra, **MACHINE)

    def prepare(self):
        self.boot()
        self.wait_for("xenstore-exists /local", 300)
        self.sh("truncate -s 16M /root/second.img")
        self.write("/root/v1.xml", xml("v1", "guest1"))

    def write(self, path, text):
        """In pieces that the console takes."""
        packed = base64.b64encode(text.encode()).decode()
        self.sh(f"echo {packed} | base64 -d >{path}")

    def wait_for(self, condition, seconds=PATIENCE):
        """virsh takes seconds of an emulated processor: it is not asked all the time."""
        self.sh(f"for i in $(seq {seconds // 3}); do {condition} && break; sleep 3; done; {condition}", 3 * seconds + 60)

    def ask(self, words):
        """Run a verb; return its exit status and what it says. Those that the guest has to act on are done when it has."""
        verb, *names = words.split()
        if verb == "console":
            return self.console(words)
        before = self.sh(f"virsh domid {names[0]}").strip() if verb == "reboot" else ""
        status, said = self.run(f"timeout {PATIENCE} virsh {words} </dev/null", PATIENCE + 60)
        if verb == "reboot" and not status:
            self.wait_for(f'n=$(virsh domid {names[0]}) && [ "$n" -gt {before} ] 2>/dev/null', 2 * PATIENCE)
        if verb == "shutdown" and not status:
            self.wait_for(f"virsh domstate {names[0]} | grep -q 'shut off'")
        return status, said

    def console(self, words):
        return 0, self.tell(words, MARK, r"^(fresh|marked)$")

    def tell(self, words, text, pattern):
        """Type a line into a guest's shell, leave when the pattern is seen; return all that was."""
        self.open_console(f"virsh {words}", GUEST_PROMPT, PATIENCE)
        self.send(text + "\r")
        self.expect(pattern, PATIENCE)
        return self.leave_console(GUEST_PROMPT)

    def check(self):
        """For those who wait for something else: raise if the machine died."""
        self.pump(0)
        self._check_fatal()
        if not self.runs():
            raise self.error(MachineDied, self.end_reason())

    def ask_all(self, rows):
        """[(words, status, what it said)]."""
        return [(words, *self.ask(words)) for words, _, _ in rows]


def xml(name, image):
    return XML.replace("NAME", name).replace("IMAGE", image)


def differences(rows, answers):
    """Those answers that are not as the table says, in words."""
    return "\n".join(f"virsh {words}: {got}, {said!r}; expected {status}, {pattern!r}"
                     for (words, status, pattern), (_, got, said) in zip(rows, answers)
                     if got != status or not re.search(pattern, said, re.MULTILINE))
