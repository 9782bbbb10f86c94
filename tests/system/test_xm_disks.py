# SPDX-License-Identifier: MIT
"""One disk is never writable twice, whatever it is called and whoever has it: domains of ours, of xl's, Domain-0 itself.

Most domains stay paused: their disks are open all the same."""

import pytest

import xm as xm_module
from xm import Guest, Xm

from lab.pc import Disk

MACHINE = {**xm_module.MACHINE, "disks": (Disk(mib=64), Disk(mib=64))}
UUID = "11111111-2222-3333-4444-555555555555"
LOAD = 'for f in $(cat /lib/modules/$(uname -r)/%s.list); do grep -q "^$(basename $f .ko | tr - _) " /proc/modules || insmod $f; done'
# What a test may leave, in an order in which it can be taken away.
CLEAR = ("xl list | tail -n +3 | while read name id rest; do xl destroy $id; done; for i in 1 2 3; do umount /mnt/inner /mnt/outer; done; "
         "dm-linear -d volume; for l in $(losetup -a | cut -d: -f1); do losetup -d $l; done; swapoff -a; rm -f /data/*")


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    yield xm
    # Managed ones are halted by the first, and deleted by the second.
    xm.destroy_all()
    xm.destroy_all()
    dom0.run(CLEAR + " 2>/dev/null")


@pytest.fixture
def image(dom0, xm):
    dom0.sh("mkdir -p /mnt/inner /mnt/outer; dd if=/dev/zero of=/data/a.img bs=1M count=16 2>/dev/null; mke2fs -F /data/a.img >/dev/null 2>&1")
    dom0.sh(LOAD % "ext4")
    return "/data/a.img"


@pytest.fixture
def partitions(dom0, xm):
    """/dev/vda1 and /dev/vda2."""
    dom0.sh("[ -e /dev/vda2 ] || printf 'n\\np\\n1\\n\\n+24M\\nn\\np\\n2\\n\\n\\nw\\n' | fdisk /dev/vda >/dev/null 2>&1; ls /dev/vda1 /dev/vda2")


def domain(name, *disks, more=()):
    return Guest(name, memory=128, disks=disks, more=more)


def hold(xm, name, *disks, more=()):
    """A domain of ours that has the disks open."""
    xm.good(f"create --paused {xm.write(domain(name, *disks, more=more))}")


def hold_by_xl(dom0, name, *disks, more=()):
    dom0.write(f"/root/{name}.cfg", domain(name, *disks, more=more).lines())
    dom0.sh(f"xl create -p -q /root/{name}.cfg", 120)


def refused(xm, disk, *words):
    """Another domain does not get the disk, and the words say who has it."""
    said = xm.fails(f"create --paused {xm.write(domain('second', disk))}")
    for word in ("cannot be given to domain 'second'", *words):
        assert word in said, said
    assert "second" not in xm.domains()


def given(xm, disk):
    hold(xm, "second", disk)
    xm.good("destroy second")


# -- one file under several names


@pytest.mark.parametrize("other", ("mv /data/a.img /data/b.img", "ln /data/a.img /data/b.img", "ln -s /data/a.img /data/b.img",
                                   "mkdir -p /data/d; mount -o bind /data /data/d; ln -s d/a.img /data/b.img"),
                         ids=("renamed", "hard-link", "symlink", "bind-mount"))
def test_a_file_under_another_name(dom0, xm, image, other):
    hold(xm, "first", f"file:{image},xvda,w")
    dom0.sh(other)
    refused(xm, "file:/data/b.img,xvdb,w", "'first' writes it")
    refused(xm, "file:/data/b.img,xvdb,r", "'first' writes it")
    dom0.run("umount /data/d 2>/dev/null")


def test_a_file_whose_name_another_one_has_now(dom0, xm, image):
    hold(xm, "first", f"file:{image},xvda,w")
    dom0.sh(f"mv {image} /data/b.img; dd if=/dev/zero of={image} bs=1M count=1 2>/dev/null")
    given(xm, f"file:{image},xvda,w")
    refused(xm, "file:/data/b.img,xvda,w", "'first'")


def test_a_name_of_a_running_domain_survives_xend(dom0, xm, image):
    hold(xm, "first", f"file:{image},xvda,w")
    dom0.sh(f"mv {image} /data/b.img; kill -9 $(cat /run/xend/xend.pid)")
    xm.start_xend()
    refused(xm, "file:/data/b.img,xvda,w", "'first' writes it")


def test_a_disk_that_only_the_kernel_knows_of(dom0, xm, image):
    """As after a restart of xenstored."""
    hold(xm, "first", f"file:{image},xvda,w")
    number = xm.domains()["first"][0]
    dom0.sh(f"mv {image} /data/b.img; kill -9 $(cat /run/xend/xend.pid); "
            f"xenstore-rm /local/domain/0/backend/vbd/{number}/51712/physical-device")
    xm.start_xend()
    refused(xm, "file:/data/b.img,xvda,w", "'first' writes it")


# -- modes


def test_modes(dom0, xm, image):
    disk = f"file:{image},xvda"
    hold(xm, "first", f"{disk},r")
    given(xm, f"{disk},r")
    refused(xm, f"{disk},w", "'first' reads it")
    given(xm, f"{disk},w!")
    xm.good("destroy first")
    hold(xm, "first", f"{disk},w!")
    refused(xm, f"{disk},w", "'first' writes it")
    given(xm, f"{disk},w!")
    given(xm, f"{disk},r")
    xm.good("destroy first")
    hold(xm, "first", f"{disk},w")
    refused(xm, f"{disk},w", "'first' writes it")
    refused(xm, f"{disk},r", "'first' writes it")
    xm.good("destroy first")
    given(xm, f"{disk},w")


def test_configure_and_attach_are_held_to_it(dom0, xm, image):
    dom0.sh("cp /data/a.img /data/b.img")
    hold(xm, "first", f"file:{image},xvda,w")
    hold(xm, "second", "file:/data/b.img,xvda,w")
    dom0.sh(f"ln {image} /data/c.img")
    assert "'first' writes it" in xm.fails("block-attach second file:/data/c.img xvdb r")
    before = xm.good("block-list second")
    assert "'first' writes it" in xm.fails("block-configure second file:/data/c.img xvda w")
    assert xm.good("block-list second") == before


def test_two_at_the_same_moment(dom0, xm, image):
    dom0.sh(f"ln {image} /data/b.img")
    for name, path in (("one", "a"), ("two", "b")):
        xm.write(domain(name, f"file:/data/{path}.img,xvda,w"))
    said = dom0.sh("for n in one two; do (xm create --paused /root/$n; echo $?) >/tmp/$n.out 2>&1 & done; wait; cat /tmp/one.out /tmp/two.out", 240)
    assert sorted(line for line in said.splitlines() if line.isdigit()) == ["0", "1"], said
    assert "cannot be given" in said
    assert len(set(xm.domains()) & {"one", "two"}) == 1


# -- Domain-0


def test_a_file_that_domain0_has_mounted(dom0, xm, image):
    dom0.sh(f"mount -t ext4 {image} /mnt/outer")
    refused(xm, f"file:{image},xvda,w", "/mnt/outer")
    refused(xm, f"file:{image},xvda,r", "/mnt/outer")
    given(xm, f"file:{image},xvda,w!")
    dom0.sh(f"umount /mnt/outer; mount -t ext4 -o ro {image} /mnt/outer")
    refused(xm, f"file:{image},xvda,w", "/mnt/outer")
    given(xm, f"file:{image},xvda,r")
    dom0.sh("umount /mnt/outer")
    given(xm, f"file:{image},xvda,w")


def test_a_mount_in_another_namespace(dom0, xm, image):
    dom0.sh(f"(unshare -m sh -c 'mount -t ext4 {image} /mnt/outer; touch /tmp/mounted; sleep 1000' & echo $! >/tmp/namespace); "
            "until [ -e /tmp/mounted ]; do usleep 100000; done; rm /tmp/mounted")
    refused(xm, f"file:{image},xvda,w", "/dev/loop")
    dom0.sh("kill $(cat /tmp/namespace); pkill -f '^sleep 1000'; true")


def test_a_loop_device_that_domain0_made(dom0, xm, image):
    loop = dom0.sh(f"losetup -f {image}; losetup -a | cut -d: -f1")
    refused(xm, f"file:{image},xvda,w", loop)
    refused(xm, f"file:{image},xvda,r", loop)
    # The device itself may be given away; then it is that domain that has the file.
    hold(xm, "first", f"phy:{loop},xvda,w")
    refused(xm, f"file:{image},xvda,w", "'first'")
    dom0.sh(f"losetup -r -f {image}")
    xm.good("destroy first")
    refused(xm, f"phy:{loop},xvda,w", "/dev/loop")
    dom0.sh(f"losetup -d {loop}")
    given(xm, f"file:{image},xvda,r")


def test_swap(dom0, xm, image):
    # A swap file cannot lie in a tmpfs.
    dom0.sh("mke2fs -F /dev/vdb >/dev/null 2>&1; mount -t ext4 /dev/vdb /mnt/outer; dd if=/dev/zero of=/mnt/outer/swap bs=1M count=4 2>/dev/null; "
            "mkswap /mnt/outer/swap >/dev/null; swapon /mnt/outer/swap; ln /mnt/outer/swap /mnt/outer/b.img")
    refused(xm, "file:/mnt/outer/b.img,xvda,w", "swap")
    dom0.sh("swapoff /mnt/outer/swap")
    given(xm, "file:/mnt/outer/b.img,xvda,w")


def test_a_file_that_a_process_writes(dom0, xm, image):
    """As QEMU has an image open for a guest that nobody knows of."""
    dom0.sh(f"sleep 1000 5<>{image} & echo $! >/tmp/writer; mv {image} /data/b.img")
    refused(xm, "file:/data/b.img,xvda,w", "process", dom0.sh("cat /tmp/writer"))
    dom0.sh("kill $(cat /tmp/writer)")
    given(xm, "file:/data/b.img,xvda,w")


# -- disks, their partitions, and what lies on them


def test_a_disk_and_its_partition(dom0, xm, image, partitions):
    hold(xm, "first", "phy:/dev/vda,xvda,w")
    refused(xm, "phy:/dev/vda1,xvda,w", "'first'", "/dev/vda, on which it lies (as xvda)")
    refused(xm, "phy:/dev/vda1,xvda,r", "'first'")
    xm.good("destroy first")
    hold(xm, "first", "phy:/dev/vda1,xvda,w")
    refused(xm, "phy:/dev/vda,xvda,w", "'first'", "/dev/vda1")
    given(xm, "phy:/dev/vda2,xvda,w")


def test_a_disk_whose_partition_is_mounted(dom0, xm, image, partitions):
    dom0.sh("mke2fs -F /dev/vda1 >/dev/null 2>&1; mount -t ext4 /dev/vda1 /mnt/outer")
    refused(xm, "phy:/dev/vda,xvda,w", "/mnt/outer")
    refused(xm, "phy:/dev/vda,xvda,r", "/mnt/outer")
    refused(xm, "phy:/dev/vda1,xvda,r", "/mnt/outer")
    given(xm, "phy:/dev/vda2,xvda,w")
    # A file in it is another disk, as long as nobody else has what is below.
    dom0.sh(f"cp {image} /mnt/outer/c.img")
    given(xm, "file:/mnt/outer/c.img,xvda,w")


def test_a_file_on_a_disk_that_a_domain_writes(dom0, xm, image, partitions):
    dom0.sh(f"mke2fs -F /dev/vda1 >/dev/null 2>&1; mount -t ext4 /dev/vda1 /mnt/outer; cp {image} /mnt/outer/c.img")
    hold(xm, "first", "phy:/dev/vda1,xvda,w!")
    refused(xm, "file:/mnt/outer/c.img,xvda,w", "'first'")


def test_an_image_in_an_image(dom0, xm, image):
    dom0.sh(f"mount -t ext4 {image} /mnt/outer; dd if=/dev/zero of=/mnt/outer/in.img bs=1M count=4 2>/dev/null")
    hold(xm, "first", "file:/mnt/outer/in.img,xvda,w")
    refused(xm, f"file:{image},xvda,r", "'first'")


def test_a_volume_and_the_disk_below(dom0, xm, image, partitions):
    dom0.sh(LOAD % "dm")
    volume = dom0.sh("dm-linear volume /dev/vda1")
    refused(xm, "phy:/dev/vda1,xvda,w", "dm-")
    refused(xm, "phy:/dev/vda,xvda,w", "dm-")
    hold(xm, "first", f"phy:{volume},xvda,w")
    refused(xm, "phy:/dev/vda,xvda,r", "'first'", volume)
    refused(xm, "phy:/dev/vda1,xvda,r", "'first'", volume)
    refused(xm, f"phy:{volume},xvda,w", "'first'")
    given(xm, "phy:/dev/vda2,xvda,w")
    xm.good("destroy first")
    dom0.sh("dm-linear -d volume")
    given(xm, "phy:/dev/vda1,xvda,w")


# -- domains of xl's


def test_a_disk_of_a_domain_of_xl(dom0, xm, image):
    hold_by_xl(dom0, "theirs", "format=raw,vdev=xvda,access=rw,target=/data/a.img")
    dom0.sh("mv /data/a.img /data/b.img")
    refused(xm, "file:/data/b.img,xvda,w", "'theirs' writes it")
    refused(xm, "file:/data/b.img,xvda,r", "'theirs' writes it")


def test_a_disk_that_qemu_serves(dom0, xm, image):
    """The nodes as libxl writes them: this Domain-0 has no QEMU."""
    hold_by_xl(dom0, "theirs")
    number = dom0.domains()["theirs"][0]
    back = f"/local/domain/0/backend/qdisk/{number}/51712"
    dom0.sh(f"ln {image} /data/b.img; xenstore-write {back}/params aio:/data/b.img {back}/mode w {back}/dev xvda {back}/state 4")
    refused(xm, f"file:{image},xvda,w", "'theirs' writes it", "xvda")
    dom0.sh(f"xenstore-write {back}/params qcow2:/data/b.img {back}/mode r")
    refused(xm, f"file:{image},xvda,w", "'theirs' reads it")
    given(xm, f"file:{image},xvda,r")
    dom0.sh(f"xenstore-rm {back}")
    given(xm, f"file:{image},xvda,w")


def test_a_domain_of_xl_with_the_uuid_of_a_halted_one(dom0, xm, image):
    disk, uuid = f"file:{image},xvda,w", f'uuid="{UUID}"'
    xm.good(f"new {xm.write(domain('kept', disk, more=(uuid,)))}")
    hold_by_xl(dom0, "theirs", "format=raw,vdev=xvda,access=rw,target=/data/a.img", more=(uuid,))
    assert xm.domains()["theirs"][0] > 0 and xm.domains()["kept"][0] < 0
    refused(xm, disk, "'theirs' writes it")
    assert "'theirs'" in xm.fails("start kept")
    dom0.sh("xl destroy theirs")
    xm.good("start --paused kept")
    assert xm.domains()["kept"][0] > 0 and "theirs" not in xm.domains()


def test_a_domain_of_xl_with_the_name_of_a_halted_one(dom0, xm, image):
    xm.good(f"new {xm.write(domain('kept', f'file:{image},xvda,w'))}")
    hold_by_xl(dom0, "kept", "format=raw,vdev=xvda,access=rw,target=/data/a.img")
    number = dom0.domains()["kept"][0]
    assert xm.domains()[f"kept-{number}"][0] == number
    refused(xm, f"file:{image},xvda,w", f"'kept-{number}' writes it")
    assert f"kept-{number}" in xm.fails("start kept")
    xm.good("delete kept")
    assert xm.domains()["kept"][0] == number


# -- backends of ours that are in no list of devices


def test_a_backend_that_an_attach_has_left(dom0, xm, image):
    """As of one that was killed: with a state that has the kernel's driver leave it alone."""
    dom0.sh("cp /data/a.img /data/b.img")
    hold(xm, "first", "file:/data/b.img,xvda,w")
    number = xm.domains()["first"][0]
    back = f"/local/domain/0/backend/vbd/{number}/51728"
    # Where xend sees that a driver has a device, or is not through with removing it.
    dom0.sh(f"ls -d /sys/devices/vbd-{number}-51712 /sys/bus/xen-backend/devices/vbd-{number}-51712/driver")
    dom0.sh(f"xenstore-write {back}/params {image} {back}/mode w {back}/dev xvdb {back}/online 1 {back}/state 4")
    refused(xm, f"file:{image},xvda,w", "'first' writes it (as xvdb)")
    dom0.sh(f"xenstore-rm {back}")
    given(xm, f"file:{image},xvda,w")
    xm.good("destroy first")
    dom0.sh(f"! ls -d /sys/devices/vbd-{number}-51712 2>/dev/null; ! xenstore-ls /local/domain/0/backend/vbd/{number} 2>/dev/null")


# -- domains that will go on


def test_a_suspended_domain_finds_its_disk_as_it_was(dom0, xm, image):
    kept = Guest("kept", memory=128, disks=(f"file:{image},xvda,w",))
    xm.good(f"new {xm.write(kept)}")
    dom0.sh("rm -f /var/log/xen/console/guest-kept.log")
    xm.good("start kept")
    dom0.wait_guest("kept")
    xm.good("suspend kept", 240)
    refused(xm, f"file:{image},xvda,w", "'kept'", "suspended")
    given(xm, f"file:{image},xvda,r")
    xm.good("resume kept", 240)
    refused(xm, f"file:{image},xvda,r", "'kept' writes it")
