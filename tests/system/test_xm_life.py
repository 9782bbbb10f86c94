# SPDX-License-Identifier: MIT
"""The life of domains by xm: create, shut down, reboot, save, restore, and those that xend keeps."""

import json
import re
import time

import pytest

import xm as xm_module
from xm import Guest, Xm, changed

MACHINE = xm_module.MACHINE
GUEST = Guest("life", vcpus=1, memory=192, address="10.77.0.3")


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    return xm


@pytest.fixture
def none(xm):
    """No guest at all."""
    xm.destroy_all()
    return xm


@pytest.fixture
def guest(xm):
    """One that runs, and its ID."""
    if "life" not in xm.domains() or xm.domains()["life"][0] < 0:
        xm.destroy_all()
        xm.create(GUEST)
    return xm.domains()["life"][0]


def test_create_and_destroy(dom0, none):
    xm = none
    before = dom0.settled_free_memory()
    out = xm.create(GUEST)
    number = xm.domains()["life"][0]
    assert out == f'Using config file "/root/life".\nStarted domain life (id={number})'
    assert dom0.guest("life", "cat /sys/hypervisor/type") == "xen"
    dom0.sh("ping -c 2 10.77.0.3")
    assert xm.good("destroy life") == ""
    assert list(xm.domains()) == ["Domain-0"]
    assert xm.fails("destroy life") == "Error: Domain 'life' does not exist."
    assert dom0.settled_free_memory(before) == before


def test_create_from_etc_xen_with_overrides_by_a_stock_kernel(dom0, none):
    xm = none
    dom0.sh("mkdir -p /etc/xen")
    xm.write(Guest("stock", kernel="/guest/vmlinuz"), "/etc/xen/stock")
    out = xm.good("create stock name=other memory=160 vcpus=2", 180)
    assert out.startswith('Using config file "/etc/xen/stock".\nStarted domain other (id=')
    dom0.wait_guest("other")
    assert xm.domains()["other"][1:3] == (160, 2)
    assert dom0.guest("other", "nproc") == "2"
    xm.good("destroy other")
    assert xm.good("create -q stock name=quiet") == ""
    xm.good("destroy quiet")


def test_create_paused(dom0, none):
    xm = none
    xm.create(GUEST, wait=False, options="-p")
    assert xm.domains()["life"][3:] == ("--p---", 0.0)
    assert "    (status 1)" in xm.good("list -l life").splitlines()
    time.sleep(1)
    assert xm.domains()["life"][4] == 0.0
    xm.good("unpause life")
    dom0.wait_guest("life")


def test_create_dry_run(none):
    xm = none
    path = xm.write(GUEST)
    assert "    (name life)" in xm.good(f"create -n {path}").splitlines()
    assert list(xm.domains()) == ["Domain-0"]


def test_create_with_console(dom0, none):
    xm = none
    xm.write(GUEST)
    status, text = dom0.converse("xm create -c /root/life", [
        ("", r"Started domain life"), ("", r"LAB-AGENT"), ("echo here-$((6 * 7))\r", r"here-42"), (xm_module.ESCAPE, "")], 120)
    assert status == 0, text
    assert "life" in xm.domains()


def test_create_what_cannot_be(dom0, guest, xm):
    assert "life" in xm.fails("create /root/life")           # the name is taken
    for change, words in (('kernel="/no/kernel"', "/no/kernel"), ('kernel="/etc/profile"', "/etc/profile"),
                          ("memory=999999", "MiB"), ('disk=["phy:/dev/nothing,xvda,w"]', "/dev/nothing"),
                          ('vif=["bridge=nobridge"]', "nobridge"), ('ramdisk="/no/ramdisk"', "/no/ramdisk")):
        dom0.write("/root/bad", changed(GUEST, 'name="bad"', "maxmem=999999", change))
        text = xm.fails("create /root/bad")
        assert words in text.replace("kB", "MiB"), text
        assert set(xm.domains()) == {"Domain-0", "life"}
    dom0.write("/root/bad", ["memry=5", *GUEST.lines()])
    status, _, err = xm("create --strict /root/bad")
    assert status == 1 and re.search(r"^/root/bad:1:1: error: .*memory", err, re.M)
    status, _, err = xm("create -n /root/bad")
    assert status == 0 and re.search(r"^/root/bad:1:1: warning: .*memory", err, re.M)


def test_pause_and_unpause(xm, guest):
    xm.good("pause life")
    assert xm.domains()["life"][3] == "--p---"
    before = xm.domains()["life"][4]
    time.sleep(2)
    assert xm.domains()["life"][4] == before
    xm.good("unpause life")
    xm.wait(lambda d: d["life"][3][2] == "-")


def test_rename(xm, guest):
    xm.good("rename life elsewhere")
    assert xm.domains()["elsewhere"][0] == guest and "life" not in xm.domains()
    assert xm.fails("rename elsewhere Domain-0")
    xm.good("rename elsewhere life")
    assert xm.domains()["life"][0] == guest


def test_shutdown_and_wait(xm, guest):
    xm.good("shutdown -w life", 120)
    assert list(xm.domains()) == ["Domain-0"]


def test_shutdown_of_all(dom0, none):
    xm = none
    xm.create(GUEST)
    xm.create(Guest("second", memory=128))
    out = xm.good("shutdown -a -w", 180).splitlines()
    assert sorted(out[:2]) == ["Domain life terminated", "Domain second terminated"] and out[2] == "All domains terminated"
    assert list(xm.domains()) == ["Domain-0"]


def test_reboot_has_a_new_id_and_less_time(dom0, xm, guest):
    xm.good("reboot -w life", 180)
    dom0.wait_guest("life", count=2)
    assert xm.domains()["life"][0] > guest


def test_power_off_from_inside(dom0, xm, guest):
    dom0.run("/lab/guest-run life 5 'poweroff -f'")
    xm.wait(lambda d: "life" not in d)


def test_reset(dom0, none):
    xm = none
    xm.create(GUEST)
    number = xm.domains()["life"][0]
    xm.good("reset life", 120)
    dom0.wait_guest("life", count=2)
    assert xm.domains()["life"][0] > number


def test_save_and_restore(dom0, xm, guest):
    dom0.guest("life", "echo kept >/tmp/state")
    assert xm.good("save life /data/life.save", 180) == ""
    assert list(xm.domains()) == ["Domain-0"]
    assert xm.good("restore /data/life.save", 180) == ""
    assert xm.domains()["life"][0] > guest
    assert dom0.guest("life", "cat /tmp/state") == "kept"
    dom0.sh("ping -c 2 10.77.0.3; rm /data/life.save")


def test_save_and_go_on_then_restore_paused(dom0, xm, guest):
    dom0.guest("life", "echo before >/tmp/state")
    xm.good("save -c life /data/check.save", 180)
    assert xm.domains()["life"][0] == guest
    assert dom0.guest("life", "echo after >/tmp/state; echo goes on") == "goes on"
    assert xm.fails("restore /data/check.save")               # the name is taken
    xm.good("destroy life")
    xm.good("restore -p /data/check.save", 180)
    assert xm.domains()["life"][3] == "--p---"
    xm.good("unpause life")
    assert dom0.guest("life", "cat /tmp/state") == "before"
    dom0.sh("rm /data/check.save")


def test_ctrl_c_takes_a_save_back(dom0, xm, guest):
    """As soon as the guest is asked to suspend. (With job control, a background job does not ignore SIGINT.)"""
    for path, word in (("/data/cut", "save life /data/cut"), ("/data/cut", "save -c life /data/cut")):
        said = dom0.sh(f"set -m; xm {word} >/tmp/said 2>&1 & p=$!; for i in $(seq 500); do [ -e {path} ] && break; usleep 10000; "
                       "done; kill -INT $p; wait $p; echo $?; cat /tmp/said", 90)
        assert said.splitlines()[-2:] == ["130", "life: Cancelled: the domain was not saved, and goes on."], said
        assert dom0.guest("life", "echo lives") == "lives"
        assert xm.domains()["life"][0] == guest
        assert dom0.sh("ls /data/cut* 2>/dev/null; true") == ""
    # It can be saved afterwards.
    xm.good("save -c life /data/cut", 180)
    dom0.sh("rm /data/cut")


def test_save_where_it_cannot_be(dom0, xm, guest):
    assert "/no/where" in xm.fails("save life /no/where/file")
    assert xm.domains()["life"][0] == guest
    assert dom0.guest("life", "echo lives") == "lives"
    dom0.sh("head -c 100000 /dev/urandom >/data/junk")
    assert "/data/junk" in xm.fails("restore /data/junk")
    assert "/data/nothing" in xm.fails("restore /data/nothing")


def test_dump_core(dom0, xm, guest):
    assert xm.good("dump-core life /data/core", 120) == "The memory of domain 'life' is in /data/core"
    assert dom0.sh("head -c 4 /data/core | tail -c 3") == "ELF"
    assert int(dom0.sh("stat -c %s /data/core")) > 180 << 20
    assert xm.domains()["life"][0] == guest and dom0.guest("life", "echo lives") == "lives"
    dom0.sh("rm /data/core")


def test_trigger(xm, guest):
    """A PV guest knows none; what xend says must be an answer, not a crash."""
    status, _, err = xm("trigger life nmi")
    assert status == 0 or (status == 1 and err.startswith("Error: "))
    xm.wait(lambda d: "life" in d)


def test_managed_domain(dom0, none):
    xm = none
    path = xm.write(GUEST)
    assert xm.good(f"new {path}") == 'Using config file "/root/life".\nDomain life is known to xend now'
    assert xm.domains()["life"][0] == -1
    assert [line.split()[0] for line in xm.good("list --state=halted").splitlines()[1:]] == ["life"]
    assert xm.good("domstate life") == "halted" and "    (status 0)" in xm.good("list -l life").splitlines()
    dom0.sh("rm /root/life")
    xm.good("start life", 120)
    dom0.wait_guest("life")
    assert xm.domains()["life"][0] > 0
    assert xm.fails("delete life")
    dom0.guest("life", "echo kept >/tmp/state")
    xm.good("suspend life", 180)
    assert xm.good("domstate life") == "suspended" and xm.domains()["life"][0] == -1
    assert [line.split()[0] for line in xm.good("list --state=suspended").splitlines()[1:]] == ["life"]
    assert "its saved memory would be lost" in xm.fails("delete life")
    xm.good("resume life", 180)
    assert dom0.guest("life", "cat /tmp/state") == "kept"
    xm.good("shutdown -w life", 120)
    xm.wait(lambda d: d["life"][0] == -1)
    xm.good("start -p life", 120)
    assert xm.domains()["life"][3] == "--p---"
    for words in ("suspend life", "save life /data/x"):
        begin = time.monotonic()
        assert "is paused" in xm.fails(words)
        assert time.monotonic() - begin < 30
    assert xm.domains()["life"][3] == "--p---"
    dom0.sh("test ! -e /data/x")
    xm.good("destroy life")
    assert xm.domains()["life"][0] == -1
    xm.good("delete life")
    assert list(xm.domains()) == ["Domain-0"]
    assert xm.fails("start life") == "Error: Domain 'life' does not exist."


def test_domain_0_is_left_alone(xm):
    for words in ("destroy 0", "pause Domain-0", "save 0 /data/x", "reboot 0", "shutdown Domain-0", "rename 0 x", "suspend 0"):
        assert xm.fails(words)
    assert xm.domains()["Domain-0"][3] == "r-----"


def test_guests_of_xl_are_managed_too(dom0, none):
    xm = none
    dom0.create(GUEST)
    number = xm.domains()["life"][0]
    assert xm.good("domid life") == str(number)
    xm.good("pause life")
    assert dom0.domains()["life"][3][2] == "p"
    xm.good("unpause life")
    xm.good("mem-set life 160")
    xm.wait(lambda d: d["life"][1] == 160)
    assert json.loads(xm.good("list --json life"))[0]["ours"] is False
    xm.good("destroy life")
    assert "life" not in dom0.domains() and list(xm.domains()) == ["Domain-0"]


def test_guests_of_xm_are_seen_by_xl(dom0, xm, guest):
    assert dom0.domains()["life"][0] == guest
    dom0.sh("xl pause life")
    assert xm.domains()["life"][3] == "--p---"
    dom0.sh("xl unpause life")
    dom0.sh("xl destroy life")
    xm.wait(lambda d: "life" not in d)
