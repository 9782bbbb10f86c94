# SPDX-License-Identifier: MIT
"""What Debian's unmodified virsh does to paravirtualized guests (virsh.py has the table), and that xm and libvirt see each other's."""

import re
import subprocess

import pytest
import virsh

from lab import ROOT

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


@pytest.fixture(scope="module")
def debian():
    subprocess.run([ROOT / "lab/build", "libvirt"], check=True)
    with virsh.Host() as machine:
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
