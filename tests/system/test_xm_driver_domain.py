# SPDX-License-Identifier: MIT
"""A guest with backend drivers and Debian's `xl devd` serves another guest's disk and network card."""

import time

import pytest

import xm as xm_module
from xm import Guest, Xm, files

MACHINE = {**xm_module.MACHINE, "payloads": (*xm_module.MACHINE["payloads"], "payload-driver.cpio")}
PINGS = "(for i in $(seq 20); do ping -c 1 -W 1 %s >/dev/null && exit 0; done; exit 1)"
DRIVER = Guest("driver", memory=256, ramdisk="/guest/driver", disks=("file:/data/a.img,xvda,w",))
USER = Guest("user", memory=192, words="quiet lab.ip=10.99.0.2/24", disks=("backend=driver,vdev=xvda,access=rw,target=/dev/xvda",))
USER.more = ('vif=["backend=driver"]',)


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    files(dom0, "a", "b")
    yield xm
    if dom0.runs():
        xm.start_xend()
        xm.destroy_all()


def write(xm):
    xm.dom0.write("/root/user", [line for line in USER.lines() if line != "vif=[]"])
    return "/root/user"


def create_both(dom0, xm):
    """Their ids."""
    xm.create(DRIVER)
    dom0.sh("rm -f /var/log/xen/console/guest-user.log")
    xm.good(f"create {write(xm)}", 120)
    dom0.wait_guest("user")
    return xm.domains()["driver"][0], xm.domains()["user"][0]


def used(dom0):
    """The guest reads its disk and reaches the driver domain."""
    assert dom0.guest("user", "md5sum </dev/xvda", 120) == dom0.sh("md5sum </data/a.img")
    dom0.guest("user", PINGS % "10.99.0.1")


def test_disk_and_card_of_a_driver_domain(dom0, xm):
    driver, user = create_both(dom0, xm)
    used(dom0)
    assert xm.good("block-list user").splitlines()[1].split()[1:3] == [str(driver), "51712"]
    row = xm.good("network-list user").splitlines()[1]
    assert row.split()[1] == str(driver) and row.endswith(f"/local/domain/{driver}/backend/vif/{user}/0")
    # The guest's data goes through: what it writes is in the driver domain's disk.
    dom0.guest("user", "dd if=/dev/zero of=/dev/xvda bs=1M count=1 conv=fsync 2>/dev/null")
    used(dom0)
    # A second disk while it runs: a file there. It comes and goes.
    dom0.guest("driver", "dd if=/dev/urandom of=/root/c.img bs=1M count=4 2>/dev/null")
    xm.good("block-attach user file:/root/c.img xvdb w driver")
    dom0.guest("user", "for i in $(seq 100); do [ -e /dev/xvdb ] && break; usleep 100000; done")
    assert dom0.guest("user", "md5sum </dev/xvdb") == dom0.guest("driver", "md5sum </root/c.img")
    xm.good("block-detach user xvdb")
    assert dom0.guest("driver", "for i in $(seq 50); do [ -z \"$(losetup -a)\" ] && break; usleep 100000; done; losetup -a") == ""
    # xend is killed meanwhile, and the next one finds all as it was.
    dom0.sh("kill -9 $(cat /run/xend/xend.pid)")
    xm.start_xend()
    used(dom0)
    assert len(xm.good("block-list user").splitlines()) == 2
    # A reboot gives all back, and gets it again.
    xm.good("reboot -w user", 240)
    dom0.wait_guest("user", count=2)
    used(dom0)
    xm.good("save user /data/user.save", 240)
    assert dom0.guest("driver", "ls /sys/bus/xen-backend/devices") == ""
    xm.good("restore /data/user.save", 240)
    used(dom0)
    xm.good("destroy user")
    assert dom0.guest("driver", "ls /sys/bus/xen-backend/devices; ls /sys/class/net/xenbr0/brif") == ""
    assert dom0.sh(f"xenstore-ls /local/domain/{driver}/backend 2>/dev/null | grep -c 51712; true") == "0"


def test_what_goes_wrong_in_a_driver_domain(dom0, xm):
    config = write(xm)
    assert "The domain 'driver', which is to serve a disk of domain 'user', does not exist" in xm.fails(f"create {config}")
    driver, user = create_both(dom0, xm)
    said = xm.fails("block-attach user phy:/dev/none xvdb w driver", 120)
    assert "does not serve the device xvdb of domain 'user': its script has found no such block device or file." in said
    used(dom0)
    # Nobody runs the scripts there.
    dom0.guest("driver", "kill $(cat /run/xen/devd.pid)")
    before = time.monotonic()
    assert "Does `xl devd' run?" in xm.fails("network-attach user backend=driver", 180)
    assert time.monotonic() - before < 120
    # The driver domain ends under its user: that is said, nothing hangs, and what is left can be detached and attached anew.
    xm.good("destroy driver")
    assert f"Domain driver ends, which serves the vbd xvda of domain user" in dom0.sh("cat /var/log/xen/xend.log")
    assert xm.good("block-list user").splitlines()[1].split()[1] == str(driver)
    dom0.sh("kill -9 $(cat /run/xend/xend.pid)")
    xm.start_xend()
    xm.good("block-detach --force user xvda")
    xm.create(DRIVER)
    xm.good("block-attach user phy:/dev/xvda xvda w driver")
    dom0.guest("user", "for i in $(seq 100); do [ -e /dev/xvda ] && break; usleep 100000; done")
    assert dom0.guest("user", "md5sum </dev/xvda", 120) == dom0.sh("md5sum </data/a.img")
    xm.good("destroy user")
    xm.good("destroy driver")
    assert dom0.sh("losetup -a; ls /sys/bus/xen-backend/devices") == ""


@pytest.mark.long
def test_driver_domain_and_its_guest_start_and_end_with_the_host(dom0, xm):
    # The guest's file comes first, and cannot start before the driver domain runs and serves.
    xm.dom0.sh("mkdir -p /etc/xen/auto; rm -f /etc/xen/auto/* /var/log/xen/console/guest-user.log")
    xm.dom0.write("/etc/xen/auto/10-user", [line for line in USER.lines() if line != "vif=[]"])
    xm.dom0.write("/etc/xen/auto/20-driver", DRIVER.lines())
    try:
        assert "2 of 2" in xm.good("guests start", 240)
        dom0.wait_guest("user")
        used(dom0)
        dom0.sh("echo MARK >>/var/log/xen/xend.log")
        assert "2 of 2" in xm.good("guests stop", 240)
        ends = dom0.sh("sed -n '/MARK/,$p' /var/log/xen/xend.log | grep -o 'Domain [a-z]* (id [0-9]*) is gone'").splitlines()
        assert [line.split()[1] for line in ends] == ["user", "driver"]
        assert "serves the vbd" not in dom0.sh("sed -n '/MARK/,$p' /var/log/xen/xend.log")
        # The guest was suspended. It goes on once the driver domain, which was shut down, serves it again.
        xm.good("guests start", 240)
        used(dom0)
    finally:
        dom0.sh("rm -f /etc/xen/auto/*")
