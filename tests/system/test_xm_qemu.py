# SPDX-License-Identifier: MIT
"""What QEMU serves in Domain-0: images in its formats. One process a domain, which outlives xend and ends with its domain."""

import os
import random
import re
import time

import pytest

import xm as xm_module
from xm import Guest, Xm

MACHINE = {**xm_module.MACHINE, "payloads": (*xm_module.MACHINE["payloads"], "payload-qemu.cpio")}
KILLS = int(os.environ.get("XEND_KILLS", "10"))
SEED = int(os.environ.get("SEED", "1"))
APPEARS = "for i in $(seq 100); do [ -e %s ] && exit 0; usleep 100000; done; exit 1"
VANISHES = "for i in $(seq 100); do [ -e %s ] || exit 0; usleep 100000; done; exit 1"
Q1 = Guest("q1", memory=128, disks=("qcow2:/data/q1.qcow2,xvda,w",
                                      "backendtype=qdisk,format=raw,vdev=xvdz,access=rw,target=/data/q1.raw"))
RANDOM = "dd if=/dev/urandom of=/tmp/d bs=64k count=16 2>/dev/null; dd if=/tmp/d of=/dev/%s bs=64k seek=%d conv=fsync 2>/dev/null; md5sum </tmp/d"
READ = "echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/%s bs=64k skip=%d count=16 2>/dev/null | md5sum"


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    yield xm
    if dom0.runs():
        xm.start_xend()
        xm.destroy_all()
        xm.destroy_all()
        assert qemus(dom0) == [], "each ends with its domain"


def qemus(dom0):
    """Process ids."""
    return [int(line.split()[0]) for line in dom0.sh("ps | grep '[x]en-qemu-system'; true").splitlines()]


def image(dom0, name, form="qcow2", size="64M", options=""):
    dom0.sh(f"rm -f /data/{name}; qemu-img create -q -f {form} {options} /data/{name} {size}", 60)
    return f"/data/{name}"


def content(dom0, name, form, skip):
    """The sum of what a guest wrote, as qemu-img sees it."""
    return dom0.sh(f"qemu-img convert -f {form} -O raw /data/{name} /data/raw.img && "
                   "dd if=/data/raw.img bs=64k skip=%d count=16 2>/dev/null | md5sum; rm -f /data/raw.img" % skip, 120)


def writes(dom0, guest, vdev):
    """Random data at 6.25 MiB: its sum, after the guest has read it back from the disk."""
    dom0.guest(guest, APPEARS % f"/dev/{vdev}")
    written = dom0.guest(guest, RANDOM % (vdev, 100))
    assert dom0.guest(guest, READ % (vdev, 100)) == written
    return written


@pytest.fixture
def q1(dom0, xm):
    image(dom0, "q1.qcow2")
    image(dom0, "q1.raw", "raw")
    xm.create(Q1)
    return "q1"


def test_formats(dom0, xm, q1):
    """One guest with a disk of each kind; what it writes is in the image."""
    assert len(qemus(dom0)) == 1
    row = xm.good("block-list q1").splitlines()[1]
    assert re.match(r"51712 0   51712  4 .* /local/domain/0/backend/qdisk/\d+/51712$", row)
    in_raw = writes(dom0, "q1", "xvdz")
    for form, driver in (("qcow2", "qcow2"), ("vhd", "vpc")):
        image(dom0, f"{form}.img", driver)
        xm.good(f"block-attach q1 {form}:/data/{form}.img xvdb w")
        written = writes(dom0, "q1", "xvdb")
        xm.good("block-detach q1 xvdb")
        dom0.guest("q1", VANISHES % "/dev/xvdb")
        assert content(dom0, f"{form}.img", driver, 100) == written, form
    # Debian's QEMU for Xen was built without these.
    for form in ("qed", "qcow"):
        image(dom0, f"{form}.img", form)
        said = xm.fails(f"block-attach q1 {form}:/data/{form}.img xvdb w")
        assert f"QEMU does not take the device xvdb of domain 'q1': " in said and f"'{form}'" in said
    assert len(qemus(dom0)) == 1
    in_qcow2 = writes(dom0, "q1", "xvda")
    xm.good("destroy q1")
    assert content(dom0, "q1.qcow2", "qcow2", 100) == in_qcow2
    assert content(dom0, "q1.raw", "raw", 100) == in_raw
    assert dom0.sh("ls /run/xend/qemu; xenstore-list /local/domain/0/backend/qdisk; true") == ""


def test_save_restore_reboot(dom0, xm, q1):
    written = writes(dom0, "q1", "xvda")
    xm.good("save q1 /data/q1.save", 180)
    assert qemus(dom0) == []
    assert content(dom0, "q1.qcow2", "qcow2", 100) == written
    xm.good("restore /data/q1.save", 180)
    assert dom0.guest("q1", READ % ("xvda", 100)) == written
    before, = qemus(dom0)
    dom0.sh("rm -f /data/q1.save; : >/var/log/xen/console/guest-q1.log")
    xm.good("reboot q1")
    dom0.wait_guest("q1")
    assert dom0.guest("q1", READ % ("xvda", 100)) == written
    after, = qemus(dom0)
    assert after != before


def test_xend_is_killed(dom0, xm, q1):
    """The next xend goes on with the same process, and ends it with the domain."""
    process, = qemus(dom0)
    written = writes(dom0, "q1", "xvda")
    dom0.sh("kill -9 $(cat /run/xend/xend.pid)")
    xm.start_xend()
    assert qemus(dom0) == [process]
    assert dom0.guest("q1", READ % ("xvda", 100)) == written
    image(dom0, "more.qcow2")
    xm.good("block-attach q1 qcow2:/data/more.qcow2 xvdb w")
    assert qemus(dom0) == [process]
    writes(dom0, "q1", "xvdb")
    # Its domain goes while no xend looks.
    dom0.sh("kill -9 $(cat /run/xend/xend.pid); xl destroy q1")
    assert qemus(dom0) == [process]
    xm.start_xend()
    xm.wait(lambda domains: "q1" not in domains)
    assert qemus(dom0) == []


def test_qemu_dies(dom0, xm, q1):
    """The guest gets errors, runs on, and has its disk again by detaching and attaching it."""
    written = writes(dom0, "q1", "xvda")
    dom0.sh(f"kill -9 {qemus(dom0)[0]}")
    # A dead disk has no size, and nothing can be read from it.
    dom0.guest("q1", "for i in $(seq 100); do [ $(cat /sys/block/xvda/size) = 0 ] && exit 0; usleep 100000; done; exit 1")
    assert "6" == xm.good("block-list q1").split("\n")[1].split()[3]
    assert "QEMU of domain q1 has died" in dom0.sh("tail -n 5 /var/log/xen/xend.log")
    assert content(dom0, "q1.qcow2", "qcow2", 100) == written
    xm.good("block-detach --force q1 xvda")
    xm.good("block-attach q1 qcow2:/data/q1.qcow2 xvda w")
    dom0.guest("q1", APPEARS % "/dev/xvda")
    assert dom0.guest("q1", READ % ("xvda", 100)) == written


@pytest.mark.long
def test_qemu_hangs(dom0, xm, q1):
    """It is killed after a while; and its log does not grow without end."""
    written = writes(dom0, "q1", "xvda")
    log, = dom0.sh("ls /var/log/xen/qemu-*.log -t | head -n 1").split()
    dom0.sh(f"dd if=/dev/zero bs=1M count=5 2>/dev/null >>{log}; sleep 6")
    assert int(dom0.sh(f"du -k {log}").split()[0]) < 1024
    dom0.sh(f"kill -STOP {qemus(dom0)[0]}")
    xm.good("destroy q1")
    assert qemus(dom0) == []
    assert "and is killed" in dom0.sh("tail -n 5 /var/log/xen/xend.log")
    assert content(dom0, "q1.qcow2", "qcow2", 100) == written


def test_disks_are_in_use(dom0, xm, q1):
    """Also under another name, after a restart of xend, and what an image lies on."""
    dom0.sh("ln /data/q1.qcow2 /data/again.qcow2; kill -9 $(cat /run/xend/xend.pid)")
    xm.start_xend()
    other = Guest("other", memory=96, disks=("qcow2:/data/again.qcow2,xvda,w",))
    assert "'q1' writes it" in xm.fails(f"create --paused {xm.write(other)}")
    assert "'q1' writes it (as xvda)" in xm.fails("block-attach q1 qcow2:/data/again.qcow2 xvdb w")
    image(dom0, "base.img", "raw")
    image(dom0, "top.qcow2", options="-b base.img -F raw")
    xm.good("block-attach q1 qcow2:/data/top.qcow2 xvdb w")
    writes(dom0, "q1", "xvdb")
    onto_base = Guest("other", memory=96, disks=("file:/data/base.img,xvda,w",))
    said = xm.fails(f"create --paused {xm.write(onto_base)}")
    assert "/data/base.img" in said and "'q1' reads it" in said
    dom0.sh("kill -9 $(cat /run/xend/xend.pid)")
    xm.start_xend()
    assert "'q1' reads it" in xm.fails(f"create --paused {xm.write(onto_base)}")
    # A second image may lie on the same one, but not while that is written.
    image(dom0, "second.qcow2", options="-b base.img -F raw")
    second = Guest("other", memory=96, disks=("qcow2:/data/second.qcow2,xvda,w",))
    xm.good(f"create --paused {xm.write(second)}")
    xm.good("destroy other")
    xm.good("block-detach q1 xvdb")
    xm.good("block-attach q1 file:/data/base.img xvdb w")
    said = xm.fails(f"create --paused {xm.write(second)}")
    assert "of the image on which it lies" in said and "'q1' writes it" in said


@pytest.mark.long
def test_bad_images(dom0, xm, q1):
    """Each is refused at once, with what is wrong; the guest is as it was."""
    dom0.sh("dd if=/dev/zero of=/data/no.img bs=1M count=1 2>/dev/null")
    for form in ("qcow2", "vhd", "qed", "qcow"):
        assert f"no.img is not a usable {form} image" in xm.fails(f"block-attach q1 {form}:/data/no.img xvdb w")
    image(dom0, "base.img", "raw")
    image(dom0, "top.qcow2", options="-b base.img -F raw -o compat=0.10")
    # The first extension of the header is the format of what it lies on.
    dom0.sh("dd if=/dev/zero of=/data/top.qcow2 bs=1 seek=72 count=8 conv=notrunc 2>/dev/null")
    assert "does not say of which format" in xm.fails("block-attach q1 qcow2:/data/top.qcow2 xvdb w")
    dom0.sh("mv /usr/libexec/xen-qemu-system-i386 /usr/libexec/away")
    image(dom0, "more.qcow2")
    assert "package qemu-system-xen" in xm.fails("block-attach q1 qcow2:/data/more.qcow2 xvdb w")
    dom0.sh("mv /usr/libexec/away /usr/libexec/xen-qemu-system-i386")
    assert len(xm.good("block-list q1").splitlines()) == 3


# -- a file server is down

@pytest.fixture
def server(dom0):
    """/far has the files of /data/far, which are images; the server's process."""
    dom0.sh("mkdir -p /data/far /far; insmod $(cat /lib/modules/$(uname -r)/fuse.list) 2>/dev/null; true")
    for name in ("far.qcow2", "more.qcow2"):
        image(dom0, f"far/{name}")
    dom0.sh("truncate -s 16M /data/far/far.raw")
    dom0.sh("slow-fs /data/far /far")
    yield dom0.sh("pidof slow-fs")
    if dom0.runs():
        dom0.sh("for s in CONT USR2; do kill -$s $(pidof slow-fs) 2>/dev/null; done; true")


def unmount(dom0):
    dom0.sh("umount /far; rm -r /data/far")


def test_a_file_server_is_down(dom0, xm, q1, server):
    """Only those who use its files wait for it: xend answers, and other guests start, end and get disks."""
    xm.create(Guest("far", memory=96, disks=("qcow2:/far/far.qcow2,xvda,w", "file:/far/far.raw,xvdb,w")))
    image(dom0, "more.qcow2")
    dom0.sh(f"kill -STOP {server}")
    for _ in range(2):
        begin = time.monotonic()
        xm.good("list", 10)
        assert time.monotonic() - begin < 5
        begin = time.monotonic()
        xm.good("block-attach q1 qcow2:/data/more.qcow2 xvdb w")
        xm.good("block-detach q1 xvdb")
        assert time.monotonic() - begin < 20
        dom0.guest("q1", VANISHES % "/dev/xvdb")
    dom0.sh("truncate -s 16M /data/near.raw")
    xm.create(Guest("near", memory=96, disks=("file:/data/near.raw,xvda,w",)))
    xm.good("destroy near")
    said = xm.fails(f"create --paused {xm.write(Guest('second', memory=96, disks=('qcow2:/far/more.qcow2,xvda,w',)))}")
    assert "/far/more.qcow2" in said and "does not answer" in said
    dom0.sh(f"kill -CONT {server}")
    assert dom0.guest("far", "dd if=/dev/xvda bs=64k count=1 2>/dev/null | wc -c") == "65536"
    # Now it does not answer a write, and nobody can end the process that waits for that. Its images stay in use.
    dom0.sh(f"kill -USR1 {server}")
    dom0.guest("far", "(dd if=/dev/zero of=/dev/xvda bs=64k count=1 conv=fsync >/dev/null 2>&1 &); sleep 2")
    xm.good("destroy far")
    again = xm.write(Guest("second", memory=96, disks=("qcow2:/far/far.qcow2,xvda,w",)))
    assert "has not let go of it" in xm.fails(f"create --paused {again}")
    dom0.sh("kill -9 $(cat /run/xend/xend.pid)")
    xm.start_xend()
    assert "has not let go of it" in xm.fails(f"create --paused {again}")
    dom0.sh(f"kill -USR2 {server}")
    q1_only = f"^{xm.domains()['q1'][0]}[.]"
    dom0.sh(f"(for i in $(seq 100); do ls /run/xend/qemu | grep -qv '{q1_only}' || exit 0; usleep 200000; done; exit 1)")
    assert dom0.sh("xenstore-list /local/domain/0/backend/qdisk").split() == [str(xm.domains()["q1"][0])]
    xm.good(f"create --paused {again}")
    xm.good("destroy second")
    unmount(dom0)


def test_discard(dom0, xm):
    """What a guest discards, the image gives back. As xl, xend says so in xenstore."""
    for name in ("one.raw", "two.raw"):
        image(dom0, name, "raw", "32M")
    disk = "backendtype=qdisk,format=raw,access=rw,vdev={},{},target=/data/{}".format
    xm.create(Guest("d1", memory=128, disks=(disk("xvda", "discard", "one.raw"), disk("xvdb", "no-discard", "two.raw"))))
    for name, number, vdev, given in (("one.raw", 51712, "xvda", "1"), ("two.raw", 51728, "xvdb", "0")):
        back = f"/local/domain/0/backend/qdisk/{xm.domains()['d1'][0]}/{number}"
        assert dom0.sh(f"xenstore-read {back}/discard-enable {back}/direct-io-safe").split() == [given, "0"]
        dom0.guest("d1", f"dd if=/dev/urandom of=/dev/{vdev} bs=1M count=8 conv=fsync 2>/dev/null")
        assert int(dom0.sh(f"du -k /data/{name}").split()[0]) >= 8192
        granularity = dom0.guest("d1", f"cat /sys/block/{vdev}/queue/discard_granularity")
        assert (granularity != "0") == (given == "1"), granularity
    dom0.guest("d1", "blkdiscard /dev/xvda; sync")
    assert int(dom0.sh("sync; du -k /data/one.raw").split()[0]) < 1024
    xm.good("destroy d1")
    # Debian's QEMU for Xen was built without what this needs, under xl too.
    said = xm.fails("create --paused " + xm.write(Guest("d1", memory=96, disks=(disk("xvda", "direct-io-safe", "one.raw"),))))
    assert "QEMU does not take the device xvda of domain 'd1'" in said and ("O_DIRECT" in said or "aio=native" in said)


def test_closed_is_not_let_go(dom0, xm, q1):
    """QEMU says Closed before it closes an image. Until it has, the image is in use, also in the same guest."""
    process, = qemus(dom0)
    state = f"/local/domain/0/backend/qdisk/{xm.domains()['q1'][0]}/51712/state"
    dom0.sh(f"kill -STOP {process}; xenstore-write {state} 6")
    assert "does not let go" in xm.fails("block-detach --force q1 xvda")
    assert "'q1' writes it" in xm.fails("block-attach q1 qcow2:/data/q1.qcow2 xvdb w")
    dom0.sh(f"kill -CONT {process}")
    xm.good("block-detach --force q1 xvda")
    xm.good("block-attach q1 qcow2:/data/q1.qcow2 xvda w")


# -- xend is killed in the middle

VICTIM = Guest("victim", memory=96, disks=("qcow2:/data/victim.qcow2,xvda,w",))


def in_order(dom0, xm, keeper):
    """Nothing is half there: a QEMU for each domain, the keeper's still the same, and no traces of others."""
    xm.wait(lambda domains: '"operation"' not in xm.good("list --json"))
    domains = xm.domains()
    running = {str(number) for name, (number, *_) in domains.items() if number > 0}
    assert len(qemus(dom0)) == len(running), dom0.sh("ps")
    assert set(dom0.sh("ls /run/xend/qemu").split()) == {f"{n}.{kind}" for n in running for kind in ("pid", "qmp")}
    assert set(dom0.sh("xenstore-list /local/domain/0/backend/qdisk").split()) == running
    assert keeper in qemus(dom0)
    listed = [row.split()[0] for row in xm.good("block-list q1").splitlines()[1:]]
    assert listed == sorted(dom0.sh(f"xenstore-list /local/domain/0/backend/qdisk/{domains['q1'][0]}").split(), key=int)
    return domains


def test_xend_is_killed_at_random_moments(dom0, xm, q1):
    random.seed(SEED)
    image(dom0, "victim.qcow2")
    image(dom0, "more.qcow2")
    xm.write(VICTIM)
    keeper, = qemus(dom0)
    written = writes(dom0, "q1", "xvda")
    for number in range(KILLS):
        domains = in_order(dom0, xm, keeper)
        has_more = len(xm.good("block-list q1").splitlines()) == 4
        words, longest = [
            (("destroy victim", 1.5) if "victim" in domains else ("create /root/victim", 4)),
            (("block-detach q1 xvdb", 1.5) if has_more else ("block-attach q1 qcow2:/data/more.qcow2 xvdb w", 1)),
            (("reboot victim", 4) if "victim" in domains else ("create /root/victim", 4)),
        ][number % 3]
        delay = random.uniform(0, longest)
        dom0.run(f"(xm {words} >/tmp/answer 2>&1 &); usleep {int(delay * 1e6)}; kill -9 $(cat /run/xend/xend.pid)")
        xm.start_xend()
        try:
            in_order(dom0, xm, keeper)
        except BaseException:
            print(f"kill {number}: {words} after {delay:.3f} s\n", dom0.sh("tail -n 60 /var/log/xen/xend.log"))
            raise
    assert dom0.guest("q1", READ % ("xvda", 100)) == written
    xm.good("destroy q1")
    assert content(dom0, "q1.qcow2", "qcow2", 100) == written
