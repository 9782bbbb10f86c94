# SPDX-License-Identifier: MIT
"""What Debian's unmodified virsh does to paravirtualized guests (virsh.py has the table), and that xm and libvirt see each other's."""

import re
import subprocess

import pytest
import virsh

from lab import ROOT
from lab.pc import Disk

MACHINE = virsh.MACHINE
IMAGES = virsh.IMAGES
CFG = f"""name="NAME"
kernel="{IMAGES}/guest1.vmlinuz"
ramdisk="{IMAGES}/guest1.initrd"
extra="console=hvc0 quiet lab=agent"
memory=128
disk=["file:{IMAGES}/IMAGE.img,xvda,w"]
"""


def cfg(name, image):
    return CFG.replace("NAME", name).replace("IMAGE", image)


def make_qcow2(path):
    """An empty image of 16 MiB, in a file of whole MiB: a disk of the machine, whose contents it copies into a file."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "16M"], check=True)
    subprocess.run(["truncate", "-s", "1M", path], check=True)
    return path


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    subprocess.run([ROOT / "lab/build", "libvirt"], check=True)
    with virsh.Host(disks=(Disk(make_qcow2(tmp_path_factory.mktemp("libvirt") / "image"), snapshot=True),)) as machine:
        machine.prepare()
        machine.sh("service xend start", 120)
        yield machine


@pytest.fixture
def v1(debian):
    """Running."""
    debian.run("virsh define /root/v1.xml; virsh start v1", 180)
    yield "v1"
    debian.run("virsh destroy v1", 120)


def test_verbs(debian):
    debian.sh(f"(timeout 1800 virsh event --all --loop --timestamp >/root/events 2>&1 </dev/null &) ; timeout {virsh.PATIENCE} virsh list", 180)
    wrong = virsh.differences(virsh.VERBS, debian.ask_all(virsh.VERBS))
    assert not wrong, wrong
    events = debian.sh("pkill -INT -x virsh; cat /root/events")
    for event in ("Defined Added", "Started Booted", "Suspended Paused", "Resumed Unpaused", "Stopped Saved", "Started Restored", "Stopped Shutdown",
                  "Stopped Destroyed", "Undefined Removed"):
        assert f"'lifecycle' for domain 'v1': {event}" in events, event


def test_xm_handles_the_guests_of_libvirt(debian, v1):
    number = debian.sh("virsh domid v1").strip()
    debian.wait_for("xm list v1 | grep -q '^v1  *[0-9]*  *[0-9]*  *2 '")  # its kernel starts the second processor
    assert re.search(rf"^v1 +{number} +\d+ +2 +[r-][b-]----", debian.sh("xm list v1"), re.MULTILINE)
    assert "51712" in debian.sh("xm block-list v1") and "00:16:3e:00:00:02" in debian.sh("xm network-list v1")
    debian.sh("xm pause v1; xl list v1 | grep -- --p; xm unpause v1; xm mem-set v1 170; xm vcpu-pin v1 0 0")
    # Its disk is in use.
    debian.write("/root/x1", cfg("x1", "guest1"))
    status, said = debian.run("xm create /root/x1", 120)
    assert status == 1 and f"{IMAGES}/guest1.img" in said and "v1" in said, said
    # So is its name.
    debian.write("/root/x2", cfg("v1", "guest2"))
    status, said = debian.run("xm create /root/x2", 120)
    assert status == 1 and "v1" in said, said
    debian.sh("xm destroy v1", 120)
    debian.wait_for("virsh domstate v1 | grep -q 'shut off'")
    assert "v1" not in debian.sh("xm list")


def test_libvirt_leaves_the_guests_of_xm_alone(debian):
    """libvirt 9.0 lists the guests that it made, whoever made the others: xl or xm."""
    debian.write("/root/x1", cfg("x1", "guest2"))
    debian.sh("xm create /root/x1", 120)
    assert "x1" not in debian.sh("virsh list --all")
    debian.write("/root/x1.xml", virsh.xml("x1", "guest1"))
    status, said = debian.run("virsh create /root/x1.xml", 180)
    assert status == 1, said
    assert re.search(r"^x1 +\d+ +128 +1 ", debian.sh("xm list"), re.MULTILINE)
    debian.sh("xm destroy x1", 120)


def backend(machine, name, disk):
    """The state in which Domain-0 has a disk of a guest; "" if it has no such disk."""
    return machine.sh(f"(xenstore-read $(xenstore-read /local/domain/$(virsh domid {name})/device/vbd/{disk}/backend)/state) 2>/dev/null || true", 120).strip()


@pytest.mark.long
def test_qcow2(debian):
    """A QEMU of the guest's own serves it. Debian's QEMU of Domain-0 serves Domain-0 only, so a guest that began without one gets none."""
    debian.sh("for n in 1 2; do dd if=/dev/vdb of=/root/q$n.qcow2 bs=1M 2>/dev/null; done")
    text = re.sub("<interface .*</interface>", "", virsh.xml("v1", "guest1"), flags=re.DOTALL)
    disk = "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/root/q1.qcow2'/><target dev='xvdb' bus='xen'/></disk>"
    attach = "virsh attach-disk v1 /root/q2.qcow2 xvdc --driver qemu --subdriver qcow2 --live"
    try:
        debian.write("/root/q.xml", text.replace("<console ", disk + "<console "))
        debian.sh("virsh create /root/q.xml", virsh.PATIENCE)
        debian.tell("console v1", "cat /sys/block/xvdb/size", "^32768$")
        debian.sh(attach, virsh.PATIENCE)
        debian.tell("console v1", "cat /sys/block/xvdc/size", "^32768$")
        assert (backend(debian, "v1", 51728), backend(debian, "v1", 51744)) == ("4", "4")
        debian.sh("virsh detach-disk v1 xvdc && virsh destroy v1", virsh.PATIENCE)

        debian.write("/root/q.xml", text)
        debian.sh("virsh create /root/q.xml", virsh.PATIENCE)
        status, said = debian.run(attach, virsh.PATIENCE)
        assert status == 1 and "libxenlight failed to attach disk 'xvdc'" in said, said
        assert "xvdc" not in debian.sh("virsh domblklist v1", virsh.PATIENCE) and backend(debian, "v1", 51744) == ""
    finally:
        debian.run("virsh destroy v1", virsh.PATIENCE)


@pytest.mark.long
def test_two_jobs_on_one_guest(debian, v1):
    """What comes while a guest is saved is refused, before or after it is saved, and nothing is lost."""
    debian.tell("console v1", virsh.MARK, "^(fresh|marked)$")
    said = debian.sh("(virsh save v1 /root/two.save; echo saved $?) >/root/two.out 2>&1 </dev/null & until [ -s /root/two.save ]; do sleep 0.2; done; "
                     "for verb in 'reboot v1' 'setmem v1 170M' 'attach-disk v1 /root/second.img xvdb --live' 'destroy v1'; do virsh $verb </dev/null; echo $?; done; "
                     "wait; cat /root/two.out", 4 * virsh.PATIENCE)
    assert re.findall(r"^\d$", said, re.MULTILINE) == ["1"] * 4 and "\nsaved 0" in said, said
    debian.sh("virsh restore /root/two.save", virsh.PATIENCE)
    debian.tell("console v1", virsh.MARK, "^marked$")
