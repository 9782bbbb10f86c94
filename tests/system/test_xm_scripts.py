# SPDX-License-Identifier: MIT
"""Disks that scripts set up: a script of the test's own, which logs its calls and makes a loop device, and Debian's for nbd."""

import time

import pytest

import xm as xm_module
from xm import Guest, Xm, files

MACHINE = {**xm_module.MACHINE, "payloads": (*xm_module.MACHINE["payloads"], "payload-devices.cpio")}
# "params" is the name of an image in /data. A file /tmp/ACTION-hang, -fail or -garbage says what goes wrong.
SCRIPT = r"""#!/bin/sh
name=$(xenstore-read $XENBUS_PATH/params)
echo "$1 $name $# $XENBUS_TYPE $XENBUS_BASE_PATH ${XENBUS_PATH#backend/vbd/} ${0##*/} $script" >>/tmp/script.log
if [ -e /tmp/$1-fail ]; then
	xenstore-write $XENBUS_PATH/hotplug-error "no such resource" $XENBUS_PATH/hotplug-status error
	exit 1
fi
case $1 in
add)
	loop=$(losetup -f)
	losetup $loop /data/$name.img || exit 1
	if [ -e /tmp/add-hang ]; then sleep 200; fi
	if [ -e /tmp/add-garbage ]; then xenstore-write $XENBUS_PATH/physical-device over:there; exit 0; fi
	xenstore-write $XENBUS_PATH/physical-device $(stat -c %t:%T $loop) $XENBUS_PATH/hotplug-status connected
	;;
remove)
	if [ -e /tmp/remove-hang ]; then sleep 200; fi
	for loop in $(losetup -a | grep " /data/$name.img" | cut -d: -f1); do losetup -d $loop; done
	;;
esac
"""
DISK1 = Guest("disk1", memory=192, disks=("drbd:a,xvda,w", "format=raw,vdev=51728,access=rw,script=/root/block-own,target=b"))
# A loop device that nobody has open any more goes a moment later.
NOTHING = ("for i in $(seq 50); do [ -z \"$(losetup -a)$(ls /sys/bus/xen-backend/devices)\" ] && break; usleep 100000; done; "
           "losetup -a; ls /sys/bus/xen-backend/devices; xenstore-ls /local/domain/0/backend/vbd 2>/dev/null; true")


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    files(dom0, "a", "b", "c")
    dom0.write("/tmp/own", SCRIPT.replace("'", "'\\''").splitlines())
    dom0.sh("for f in /etc/xen/scripts/block-drbd /etc/xen/scripts/block-iscsi /root/block-own; do cp /tmp/own $f; chmod +x $f; done; "
            "rm -f /tmp/script.log /tmp/*-hang /tmp/*-fail /tmp/*-garbage")
    yield xm
    dom0.run("rm -f /tmp/*-hang /tmp/*-fail /tmp/*-garbage")
    xm.start_xend()
    xm.destroy_all()
    xm.destroy_all()


def calls(dom0):
    """ACTION NAME of each call of a script, and forget them."""
    lines = dom0.sh("cat /tmp/script.log 2>/dev/null; rm -f /tmp/script.log").splitlines()
    return [" ".join(line.split()[:2]) for line in lines]


def wait_for_disks(xm, *numbers):
    """Until disk1 has these, and xend is through with what the one before it has left."""
    deadline = time.monotonic() + 60
    while [row.split()[0] for row in xm.good("block-list disk1").splitlines()[1:]] != list(numbers):
        assert time.monotonic() < deadline, xm.good("block-list disk1")
        time.sleep(0.5)


def test_disks_of_scripts_through_a_life(dom0, xm):
    xm.create(DISK1)
    number = xm.domains()["disk1"][0]
    assert dom0.sh("cat /tmp/script.log; rm /tmp/script.log").splitlines() == [
        f"add a 1 vbd backend {number}/51712 block-drbd /etc/xen/scripts/block-drbd",
        f"add b 1 vbd backend {number}/51728 block-own /root/block-own"]
    for vdev, name in (("xvda", "a"), ("xvdb", "b")):
        ours, theirs = dom0.sh(f"md5sum </data/{name}.img"), dom0.guest("disk1", f"md5sum </dev/{vdev}", 120)
        assert ours == theirs
    # What the script made is in use, under whatever name.
    other = xm.write(Guest("other", memory=128, disks=("file:/data/a.img,xvda,w",)))
    assert "'disk1' writes it (as xvda)" in xm.fails(f"create --paused {other}")
    # A disk that was given by its number has a name.
    assert [row.split()[0] for row in xm.good("block-list disk1").splitlines()[1:]] == ["51712", "51728"]
    xm.good("block-attach disk1 iscsi:c d2 r")
    dom0.guest("disk1", "for i in $(seq 100); do [ -e /dev/xvdc ] && exit 0; usleep 100000; done; exit 1")
    assert dom0.guest("disk1", "md5sum </dev/xvdc", 120) == dom0.sh("md5sum </data/c.img")
    xm.good("block-detach disk1 xvdc")
    assert calls(dom0) == ["add c", "remove c"]
    assert "'disk1' writes it" in xm.fails("block-attach disk1 drbd:b xvdc w")
    assert calls(dom0) == ["add b", "remove b"]
    xm.good("save disk1 /data/disk1.save", 240)
    assert calls(dom0) == ["remove a", "remove b"]
    assert dom0.sh(NOTHING) == ""
    xm.good("restore /data/disk1.save", 240)
    assert calls(dom0) == ["add a", "add b"]
    dom0.sh("rm /data/disk1.save")
    assert dom0.guest("disk1", "md5sum </dev/xvdb", 120) == dom0.sh("md5sum </data/b.img")
    xm.good("reboot -w disk1", 240)
    dom0.wait_guest("disk1", count=2)
    assert sorted(calls(dom0)) == ["add a", "add b", "remove a", "remove b"]
    xm.good("destroy disk1")
    assert calls(dom0) == ["remove a", "remove b"]
    assert dom0.sh(NOTHING) == ""


def test_a_script_that_fails(dom0, xm):
    config = xm.write(DISK1)
    dom0.sh("touch /tmp/add-fail")
    said = xm.fails(f"create {config}")
    assert "block-drbd add failed: no such resource" in said
    dom0.sh("rm /tmp/add-fail; touch /tmp/add-garbage")
    assert 'wrote "over:there" as physical-device' in xm.fails(f"create {config}")
    dom0.sh("rm /tmp/add-garbage; rm /root/block-own")
    assert "/root/block-own of the disk 51728 of domain 'disk1' cannot be run" in xm.fails(f"create {config}")
    assert dom0.sh(NOTHING) == ""
    assert "disk1" not in xm.domains()


def test_ctrl_c_takes_a_create_back(dom0, xm):
    config = xm.write(DISK1)
    said = dom0.sh(f"touch /tmp/add-hang; set -m; xm create {config} >/tmp/said 2>&1 & p=$!; "
                   "for i in $(seq 300); do losetup -a | grep -q a.img && break; usleep 100000; done; "
                   "kill -INT $p; wait $p; echo $?; rm /tmp/add-hang; cat /tmp/said", 90)
    assert {"130", "disk1: Cancelled: the domain was not created."} <= set(said.splitlines()), said
    assert "disk1" not in xm.domains()
    assert calls(dom0) == ["add a", "remove a"]
    assert dom0.sh(NOTHING) == "" and dom0.sh("ls /var/lib/xend/domains") == ""


def test_xend_is_killed_while_a_script_runs(dom0, xm):
    config = xm.write(DISK1)
    dom0.sh(f"touch /tmp/add-hang; (xm create {config} >/tmp/create.out 2>&1; touch /tmp/create.end) & "
            "for i in $(seq 300); do losetup -a | grep -q a.img && break; usleep 100000; done; kill -9 $(cat /run/xend/xend.pid)", 60)
    dom0.sh("for i in $(seq 300); do [ -e /tmp/create.end ] && break; usleep 100000; done; rm /tmp/create.end /tmp/add-hang")
    xm.start_xend()
    dom0.sh("for i in $(seq 100); do xm list disk1 2>/dev/null || break; usleep 100000; done")
    assert "disk1" not in xm.domains()
    assert calls(dom0) == ["add a", "remove a"]
    assert dom0.sh(NOTHING) == ""
    # A guest that runs goes on, without the disk that was half attached, and a remove is made good.
    xm.create(DISK1)
    dom0.sh("touch /tmp/add-hang; (xm block-attach disk1 iscsi:c xvdc w >/tmp/attach.out 2>&1) & "
            "for i in $(seq 300); do losetup -a | grep -q c.img && break; usleep 100000; done; kill -9 $(cat /run/xend/xend.pid); "
            "rm /tmp/add-hang", 60)
    xm.start_xend()
    wait_for_disks(xm, "51712", "51728")
    assert calls(dom0) == ["add a", "add b", "add c", "remove c"]
    dom0.sh("! losetup -a | grep c.img")
    dom0.sh("touch /tmp/remove-hang; (xm block-detach disk1 xvdb >/tmp/detach.out 2>&1) & "
            "for i in $(seq 300); do grep -q remove /tmp/script.log && break; usleep 100000; done; kill -9 $(cat /run/xend/xend.pid); "
            "rm /tmp/remove-hang", 60)
    xm.start_xend()
    wait_for_disks(xm, "51712")
    assert calls(dom0) == ["remove b", "remove b"]
    assert dom0.guest("disk1", "md5sum </dev/xvda", 120) == dom0.sh("md5sum </data/a.img")
    xm.good("destroy disk1")
    assert dom0.sh(NOTHING) == ""


def test_a_create_that_is_cancelled_while_a_script_runs(dom0, xm):
    config = xm.write(DISK1)
    dom0.sh(f"touch /tmp/add-hang; (xm create {config} >/tmp/create.out 2>&1; touch /tmp/create.end) & "
            "for i in $(seq 300); do losetup -a | grep -q a.img && break; usleep 100000; done; xm destroy disk1; "
            "for i in $(seq 300); do [ -e /tmp/create.end ] && break; usleep 100000; done; rm /tmp/create.end /tmp/add-hang", 90)
    assert calls(dom0) == ["add a", "remove a"]
    assert dom0.sh(NOTHING) == "" and "disk1" not in xm.domains()


def test_nbd_by_the_script_of_debian(dom0, xm):
    dom0.sh("grep -q '^nbd ' /proc/modules || insmod $(cat /lib/modules/$(uname -r)/nbd.list); nbd-server 10809 /data/c.img 2>/dev/null")
    xm.create(Guest("net1", memory=192, disks=("nbd:127.0.0.1:10809,xvda,w",)))
    assert dom0.guest("net1", "md5sum </dev/xvda", 120) == dom0.sh("md5sum </data/c.img")
    xm.good("destroy net1")
    dom0.sh("(for i in $(seq 50); do [ $(cat /sys/block/nbd0/size) = 0 ] && exit 0; usleep 100000; done; exit 1)")
    dom0.run("kill $(cat /var/run/nbd-server.pid)")
