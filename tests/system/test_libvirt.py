# SPDX-License-Identifier: MIT
"""Debian's unmodified libvirt in a whole Debian as Domain-0: what virsh does to paravirtualized guests, and that xm and libvirt
see each other's.

The emulated processor is Intel's, because libvirt does not start on Debian's Xen with an AMD that QEMU emulates: it then finds no
model of a processor ("Cannot find suitable CPU model"). On ours it starts on either."""

import base64
import os
import re
import subprocess

import pytest

from lab import LAB, ROOT
from lab.debian import Debian
from lab.pc import Disk, Pc

MACHINE = dict(smp=1, mem=2560, dom0_mem=1152, cpu=Pc.cpu + ",vendor=GenuineIntel")
IMAGES = "/var/lib/xen/images"
# virsh waits for ever if libvirtd does.
PATIENCE = 120
XML = f"""<domain type='xen'>
  <name>NAME</name>
  <memory unit='MiB'>224</memory>
  <currentMemory unit='MiB'>192</currentMemory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='xenpv'>linux</type>
    <kernel>{IMAGES}/guest1.vmlinuz</kernel>
    <initrd>{IMAGES}/guest1.initrd</initrd>
    <cmdline>console=hvc0 quiet lab=agent lab.ip=10.77.0.2/24</cmdline>
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
CFG = f"""name="NAME"
kernel="{IMAGES}/guest1.vmlinuz"
ramdisk="{IMAGES}/guest1.initrd"
extra="console=hvc0 quiet lab=agent"
memory=128
disk=["file:{IMAGES}/IMAGE.img,xvda,w"]
"""
RUNNING = r"^ \d+ +v1 +running$"
SHUT_OFF = r"^ - +v1 +shut off$"
SAVED = r"^ - +v1 +saved$"
# (words of virsh, exit status, what it says).
VERBS = (
    ("version", 0, r"Running hypervisor: Xen 4\.17"),
    ("nodeinfo", 0, r"CPU\(s\): +1\n"),
    ("capabilities", 0, r"<os_type>xen</os_type>\s+<arch name='x86_64'>"),
    ("define /root/v1.xml", 0, "Domain 'v1' defined"),
    ("list --all", 0, SHUT_OFF),
    ("start v1", 0, "Domain 'v1' started"),
    ("list", 0, RUNNING),
    ("start v1", 1, "Domain is already active"),
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
)
LAST_VERBS = (
    ("destroy v1", 0, "Domain 'v1' destroyed"),
    ("list --all", 0, SHUT_OFF),
    ("undefine v1", 0, "Domain 'v1' has been undefined"),
    ("dominfo v1", 1, "failed to get domain 'v1'"),
)


def write(machine, path, text):
    """In pieces that the console takes."""
    packed = base64.b64encode(text.encode()).decode()
    machine.sh(f"echo {packed} | base64 -d >{path}")


def wait(machine, condition, seconds=PATIENCE):
    machine.sh(f"for i in $(seq {seconds}); do {condition} && break; sleep 1; done; {condition}", seconds + 60)


def xml(name, image):
    return XML.replace("NAME", name).replace("IMAGE", image)


def cfg(name, image):
    return CFG.replace("NAME", name).replace("IMAGE", image)


@pytest.fixture(scope="module")
def debian():
    subprocess.run([ROOT / "lab/build", "libvirt"], check=True)
    with Debian(f"libvirt-{os.environ.get('HV', 'xenolith')}", root=Disk(LAB / "libvirt/disk.img", snapshot=True), **MACHINE) as machine:
        machine.boot()
        wait(machine, "xenstore-exists /local", 300)
        machine.sh("service xend start; truncate -s 16M /root/second.img", 120)
        write(machine, "/root/v1.xml", xml("v1", "guest1"))
        yield machine


def run_verbs(machine, rows):
    """All that differ, at once."""
    wrong = []
    for words, status, pattern in rows:
        got, said = machine.run(f"timeout {PATIENCE} virsh {words} </dev/null", PATIENCE + 60)
        if got != status or not re.search(pattern, said, re.MULTILINE):
            wrong.append(f"virsh {words}: {got}, {said!r}; expected {status}, {pattern!r}")
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def v1(debian):
    """Running."""
    debian.run("virsh define /root/v1.xml; virsh start v1", 180)
    yield "v1"
    debian.run("virsh destroy v1", 120)


def test_verbs(debian):
    debian.sh(f"(timeout 900 virsh event --all --loop --timestamp >/root/events 2>&1 </dev/null &) ; timeout {PATIENCE} virsh list", 180)
    run_verbs(debian, VERBS)
    run_verbs(debian, LAST_VERBS)
    events = debian.sh("pkill -INT -x virsh; cat /root/events")
    for event in ("Defined Added", "Started Booted", "Suspended Paused", "Resumed Unpaused", "Stopped Saved", "Started Restored", "Stopped Destroyed",
                  "Undefined Removed"):
        assert f"'lifecycle' for domain 'v1': {event}" in events, event


def test_xm_handles_the_guests_of_libvirt(debian, v1):
    number = debian.sh("virsh domid v1").strip()
    wait(debian, "xm list v1 | grep -q '^v1  *[0-9]*  *[0-9]*  *2 '")  # its kernel starts the second processor
    assert re.search(rf"^v1 +{number} +\d+ +2 +[r-][b-]----", debian.sh("xm list v1"), re.MULTILINE)
    assert "51712" in debian.sh("xm block-list v1") and "00:16:3e:00:00:02" in debian.sh("xm network-list v1")
    debian.sh("xm pause v1; xl list v1 | grep -- --p; xm unpause v1; xm mem-set v1 170; xm vcpu-pin v1 0 0")
    # Its disk is in use.
    write(debian, "/root/x1", cfg("x1", "guest1"))
    status, said = debian.run("xm create /root/x1", 120)
    assert status == 1 and f"{IMAGES}/guest1.img" in said and "v1" in said, said
    # So is its name.
    write(debian, "/root/x2", cfg("v1", "guest2"))
    status, said = debian.run("xm create /root/x2", 120)
    assert status == 1 and "v1" in said, said
    debian.sh("xm destroy v1", 120)
    wait(debian, "virsh domstate v1 | grep -q 'shut off'")
    assert "v1" not in debian.sh("xm list")


def test_libvirt_leaves_the_guests_of_xm_alone(debian):
    """libvirt 9.0 lists the guests that it made, whoever made the others: xl or xm."""
    write(debian, "/root/x1", cfg("x1", "guest2"))
    debian.sh("xm create /root/x1", 120)
    assert "x1" not in debian.sh("virsh list --all")
    write(debian, "/root/x1.xml", xml("x1", "guest1"))
    status, said = debian.run("virsh create /root/x1.xml", 180)
    assert status == 1, said
    assert re.search(r"^x1 +\d+ +128 +1 ", debian.sh("xm list"), re.MULTILINE)
    debian.sh("xm destroy x1", 120)
