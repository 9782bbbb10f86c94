# SPDX-License-Identifier: MIT
"""xend is killed (SIGKILL) at random moments while QEMU, scripts and another domain serve disks, and while guests start with the
host. After each kill nothing is lost, none is there twice, and nothing is left behind. XEND_KILLS says how often (5), SEED which
moments."""

import os
import random
import time

import pytest
import san
from test_xend_kill import recovered

import xm as xm_module
from xend import XendDom0
from xm import Guest, Xm

KIND = XendDom0
MACHINE = {**xm_module.MACHINE, "payloads": (*xm_module.MACHINE["payloads"], "payload-qemu.cpio", "payload-driver.cpio")}
KILLS = int(os.environ.get("XEND_KILLS", "5"))
# These take long: with few kills only the first kinds come, one for each way of serving, and autostart.
KILLS = KILLS if KILLS > 10 else 5
SEED = int(os.environ.get("SEED", "1"))

DRIVER = Guest("driver", memory=160, ramdisk="/guest/driver")
KEEPER = Guest("keeper", memory=128, disks=("qcow2:/data/keeper.qcow2,xvda,w", "drbd:keeper,xvdb,w",
                                            "backend=driver,vdev=xvdc,access=rw,target=/root/keeper.img"))
VICTIM = Guest("victim", memory=96, words="quiet panic=1",
               disks=("qcow2:/data/victim.qcow2,xvda,w", "drbd:victim,xvdb,w", "backend=driver,vdev=xvdc,access=rw,target=/root/victim.img"))
AUTO = [Guest(f"auto{i}", memory=88, disks=(f"drbd:auto{i},xvda,w",)) for i in (1, 2)]
# What the keeper reads in its disks, and where a locked file of the scripts would be.
SUMS = "for d in xvda xvdb xvdc; do for i in $(seq 100); do [ -e /dev/$d ] && break; usleep 100000; done; md5sum </dev/$d; done"
LOCKS = "for f in $(find /run/san.lock /run/xen-hotplug /var/run/xen-hotplug -type f 2>/dev/null); do flock -n $f true || echo $f; done"


class Work:
    """One kind: what must hold before, what is asked for, within what time the kill comes, and how it is asked for again."""

    longest = 4.0

    def __init__(self, dom0, xm):
        self.dom0, self.xm = dom0, xm

    def is_there(self):
        return "victim" in self.xm.domains()

    def remove(self):
        if self.is_there():
            self.xm.good("destroy victim")

    def make(self):
        if not self.is_there():
            self.xm.create(VICTIM)

    def prepare(self):
        self.make()

    def settle(self):
        """Wait for what goes on by itself after the kill."""

    def again(self):
        """It is there or not, and can be destroyed and made."""
        self.remove()


class Create(Work):
    words = "create -q /root/victim"
    longest = 5.0

    def prepare(self):
        self.remove()


class Destroy(Work):
    words = "destroy victim"
    longest = 3.0


class Reboot(Work):
    """A guest that reboots is there again."""

    words = "reboot -w victim"
    longest = 9.0

    def again(self):
        deadline = time.monotonic() + 120
        while self.dom0.run("/lab/guest-run victim 5 'echo alive'", 30)[0]:
            assert time.monotonic() < deadline, self.dom0.xend_log()


class Save(Work):
    """Either it runs, and there is no file, or it is in the file, whole."""

    words = "save victim /data/victim.save"

    def prepare(self):
        self.dom0.sh("rm -f /data/victim.save")
        self.make()

    def again(self):
        if self.is_there():
            assert self.dom0.run("test -e /data/victim.save")[0] != 0
        else:
            self.xm.good("restore /data/victim.save", 180)
        self.dom0.guest("victim", "echo alive")
        self.dom0.sh("rm -f /data/victim.save")


class Switch(Work):
    """A disk of the keeper comes, or goes if it is there."""

    longest = 2.0
    devid = "51824"

    def prepare(self):
        self.words = "block-detach keeper xvdh" if self.has() else f"block-attach keeper {self.disk}"

    def has(self):
        return self.devid in [row.split()[0] for row in self.xm.good("block-list keeper").splitlines()[1:]]

    def again(self):
        if self.has():
            self.xm.good("block-detach keeper xvdh")
        else:
            self.xm.good(f"block-attach keeper {self.disk}")
        if random.random() < 0.5 and self.has():
            self.xm.good("block-detach keeper xvdh")


class SwitchQemu(Switch):
    disk = "qcow2:/data/more.qcow2 xvdh w"


class SwitchScript(Switch):
    disk = "drbd:more xvdh w"


class SwitchServed(Switch):
    disk = "file:/root/more.img xvdh w driver"


class StartWithHost(Work):
    """Both guests come up, once, whoever was killed in between."""

    words = "guests start"
    longest = 6.0

    def prepare(self):
        self.remove()
        for guest in AUTO:
            self.xm.dom0.run(f"xm destroy {guest.name}")
        # As after the host's boot.
        self.dom0.sh("kill -9 $(cat /run/xend/xend.pid); rm -f /run/xend/guests.json")
        self.dom0.start_xend()
        recovered(self.dom0)

    def settle(self):
        # The command that was killed with xend, or had not reached it, goes on with the next one, as the unit's does.
        self.dom0.sh("for i in $(seq 600); do [ -e /tmp/asked ] && break; usleep 100000; done", 120)

    def again(self):
        # Or it is given again.
        self.dom0.sh("xm guests start", 120)
        for guest in AUTO:
            assert self.xm.domains()[guest.name][0] > 0
            self.dom0.wait_guest(guest.name, count=1)
            self.dom0.sh(f"rm /var/log/xen/console/guest-{guest.name}.log")
            self.xm.good(f"destroy {guest.name}")


# The first of each way of serving; what was asked for is the third word of a failure.
WORK = [Create, SwitchQemu, SwitchScript, SwitchServed, StartWithHost, Reboot, Save, Destroy]


def check_nothing_is_half_there(dom0, driver, leaving=""):
    """`leaving`: a disk of the driver domain that may be gone there, though xend lists it: it can be detached again."""
    domains = recovered(dom0)
    assert all(d["id"] >= 0 for d in domains.values()), domains
    ids = sorted(d["id"] for d in domains.values())
    assert len(ids) == len(set(ids)) and sorted(domains) == sorted(dom0.domains()), "xl and xend see the same"
    assert sorted(int(i) for i in dom0.sh("xenstore-list /local/domain").split()) == ids
    assert len(dom0.sh("xenstore-list /vm; true").split()) == len(dom0.sh("ls /var/lib/xend/domains").split()) == len(ids) - 1
    assert dom0.sh("ps | grep -E '[x]end-worker|[/]etc/xen/scripts'; find /var/lib/xend/domains -name '*.json.*'; " + LOCKS) == ""
    known, with_qemu = {}, set()
    for domain in domains.values():
        for kind in ("vbd", "vif"):
            if domain["id"] > 0:
                devices = dom0.ask("device.list", domain=domain["id"], **{"class": kind})["devices"]
                assert all("config" in d for d in devices), "the record knows each"
                known.update({d["backend_path"]: d for d in devices})
    if leaving in known and dom0.run(f"xenstore-exists {leaving}")[0]:
        del known[leaving]
    qemus = {path.split("/")[6] for path in known if "/backend/qdisk/" in path}
    assert set(dom0.sh("xenstore-ls -f /local/domain/0/backend /local/domain/%d/backend | sed -n 's,/frontend-id = .*,,p'" % driver).split()) == set(known)
    assert len(dom0.sh("ps | grep '[x]en-qemu-system'; true").splitlines()) == len(qemus)
    assert set(dom0.sh("ls /run/xend/qemu").split()) == {f"{n}.{kind}" for n in qemus for kind in ("pid", "qmp")}
    # The kernel has an object for each backend's nodes, QEMU's too: KIND-DOMAIN-DEVICE.
    ours, theirs = ({"-".join(p.split("/")[5:]) for p in known if p.startswith(f"/local/domain/{n}/")} for n in (0, driver))
    assert set(dom0.sh("ls /sys/bus/xen-backend/devices").split()) == ours
    assert len(dom0.sh("losetup -a").splitlines()) == len([name for name in ours if name.startswith("vbd")]), dom0.sh("losetup -a")
    assert set(dom0.guest("driver", "ls /sys/bus/xen-backend/devices").split()) == theirs
    assert dom0.guest("driver", f"for i in $(seq 30); do n=$(losetup -a | wc -l); [ $n = {len(theirs)} ] && break; usleep 100000; done; echo $n") == str(len(theirs))
    return domains


@pytest.fixture
def driver(xend):
    """The number of the domain that serves; and all images are there."""
    dom0, names = xend, ("keeper", "victim", "more")
    san.install(dom0, "drbd")
    dom0.sh("cd /data; for f in keeper victim more auto1 auto2; do dd if=/dev/urandom of=san/$f bs=256k count=1 2>/dev/null; "
            "qemu-img convert -f raw -O qcow2 san/$f $f.qcow2; done; mkdir -p /etc/xen/auto", 120)
    xm = Xm(dom0)
    xm.create(DRIVER)
    dom0.guest("driver", f"for f in {' '.join(names)}; do dd if=/dev/urandom of=/root/$f.img bs=256k count=1 2>/dev/null; done")
    for guest in AUTO:
        xm.write(guest, f"/etc/xen/auto/{guest.name}")
    yield xm.domains()["driver"][0]
    if dom0.runs():
        xm.start_xend()
        for name in ("victim", "keeper", "driver"):
            dom0.run(f"xm destroy {name}")


def test_killed_at_random_moments(xend, driver):
    dom0, xm = xend, Xm(xend)
    random.seed(SEED)
    xm.create(KEEPER)
    keeper = dom0.all()["keeper"]["id"]
    sums = dom0.guest("keeper", SUMS, 120)
    dom0.guest("keeper", "(i=0; while :; do i=$((i+1)); echo $i >/tmp/n.new; mv /tmp/n.new /tmp/n; sleep 1; done) & sleep 1")
    assert dom0.sh("md5sum </data/san/keeper; true") in sums.splitlines()[1]
    counted = 0
    xm.write(VICTIM)
    for number in range(KILLS):
        work = WORK[number % len(WORK)](dom0, xm)
        work.prepare()
        delay = random.uniform(0, work.longest)
        dom0.run(f"rm -f /tmp/asked; (xm {work.words} >/tmp/answer 2>&1; touch /tmp/asked) & usleep {int(delay * 1e6)}; kill -9 $(cat /run/xend/xend.pid)")
        dom0.start_xend()
        try:
            work.settle()
            check_nothing_is_half_there(dom0, driver, f"/local/domain/{driver}/backend/vbd/{keeper}/{Switch.devid}")
            work.again()
            domains = check_nothing_is_half_there(dom0, driver)
            assert (domains["keeper"]["id"], domains["driver"]["id"]) == (keeper, driver)
            now = int(dom0.guest("keeper", "cat /tmp/n"))
            assert now > counted, "it runs"
            counted = now
            assert dom0.guest("keeper", "echo 3 >/proc/sys/vm/drop_caches; " + SUMS, 120) == sums
        except BaseException:
            print(f"kill {number}, SEED={SEED}: xm {work.words} after {delay:.3f} s\n{dom0.xend_log()}")
            raise


# -- and xenstored

SHOWN = Guest("shown", memory=96, more=('vfb=["vnc=1"]',))
# It writes its count on the disk of the script only if the other two disks answered.
COUNTS = ("(i=0; while :; do i=$((i+1)); echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/xvdc of=/dev/null bs=4k count=1 && "
          "echo count $i | dd of=/dev/xvda conv=sync,fsync && echo count $i | dd of=/dev/xvdb conv=sync,fsync; sleep 1; done) 2>/dev/null & sleep 1")
GOES_ON = "n=$(head -n 1 /data/san/keeper); for i in $(seq 60); do [ \"$(head -n 1 /data/san/keeper)\" != \"$n\" ] && break; sleep 1; done; " \
          "head -n 1 /data/san/keeper; [ \"$(head -n 1 /data/san/keeper)\" != \"$n\" ]"


def test_xenstored_is_killed(xend, driver):
    """All disks go on without it, and with a new one that knows nothing; what can be done is done, and the rest is said. Last
    of the file: its machine does not get over that."""
    dom0, xm = xend, Xm(xend)
    if "keeper" not in xm.domains():
        xm.create(KEEPER)
    xm.create(SHOWN)
    dom0.guest("keeper", COUNTS)
    qemus = dom0.sh("pidof xen-qemu-system-i386")
    assert len(qemus.split()) == 2
    dom0.sh("kill -9 $(cat /run/xen/xenstored.pid); for i in $(seq 100); do kill -0 $(cat /run/xend/xend.pid) 2>/dev/null || break; usleep 100000; done")
    last = dom0.xend_log().splitlines()[-1]
    assert "ERROR xenstored has ended: xend ends. Domains run on" in last and "restart the host" in last
    assert xm.fails("list") == xm_module.DOWN
    assert dom0.sh(GOES_ON, 90).startswith("count ")
    dom0.sh("rm -f /run/xen/xenstored.pid; xenstored --pid-file /run/xen/xenstored.pid; xen-init-dom0 >/dev/null", 60)
    xm.start_xend()
    assert {"keeper", "shown", "driver"} <= set(xm.domains())
    for name in ("keeper", "shown", "driver"):
        assert f"xenstore does not know domain '{name}'" in dom0.xend_log()
    assert dom0.sh("pidof xen-qemu-system-i386") == qemus
    for words in ("shutdown keeper", "mem-set keeper 100", "block-detach keeper xvda", "block-detach --force keeper xvdc", "save keeper /data/keeper.save"):
        assert "xenstore does not know domain 'keeper'" in xm.fails(words)
    assert dom0.sh(GOES_ON, 90).startswith("count ")
    # Its disk is not given away; a disk cannot be served to a new guest, but one without starts; and what is not wanted ends.
    for disk, said in (("drbd:keeper,xvda,w", "'keeper' writes it (as xvdb)"), ("qcow2:/data/keeper.qcow2,xvda,w", "cannot be given to domain"),
                       ("file:/data/san/more,xvda,w", "If xenstored was started anew, Domain-0 serves no new device until the host is restarted.")):
        assert said in xm.fails(f"create -q {xm.write(Guest('new', memory=96, disks=(disk,)))}")
    xm.create(Guest("new", memory=96))
    xm.good("destroy new")
    for words in ("pause keeper", "unpause keeper", "vcpu-pin keeper 0 0", "destroy shown"):
        xm.good(words)
    assert dom0.sh("pidof xen-qemu-system-i386") in qemus.split()
    assert dom0.sh(GOES_ON, 90).startswith("count ")
    dom0.kill()
