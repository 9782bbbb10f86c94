# SPDX-License-Identifier: MIT
"""Files that never answer, a full disk, and a xend that is killed while a guest is paused: nothing is lost, and nobody waits."""

import time

import pytest

from xend import Guest, XendDom0, XendError, config_of

KIND = XendDom0
MACHINE = dict(smp=1, mem=2048)

GUEST = Guest("g", memory=96, disks=("file:/data/robust.img,xvda,w",), words="quiet panic=1")
RECORDS = "/var/lib/xend/domains"


@pytest.fixture
def guest(xend):
    """One guest for all tests; a test that needs another says so."""
    if "g" not in xend.all():
        xend.sh("[ -e /data/robust.img ] || dd if=/dev/zero of=/data/robust.img bs=1M count=4 2>/dev/null")
        xend.make(GUEST)
    return xend


def wait_until(what, seconds=30):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("method, params", [("domain.restore", {"path": "/tmp/fifo"}),
                                            ("domain.restore", {"path": "/dev/hvc0"}),
                                            ("domain.dump-core", {"domain": "g", "path": "/tmp/fifo"}),
                                            ("domain.save", {"domain": "g", "path": "/tmp/fifo"})])
def test_a_fifo_makes_nobody_wait(guest, method, params):
    guest.sh("rm -f /tmp/fifo; mkfifo /tmp/fifo")
    with pytest.raises(XendError) as e:
        guest.ask(method, 10, **params)
    assert params["path"] in e.value.message
    assert guest.all()["g"]["id"] > 0


def test_a_script_that_is_a_fifo_is_refused(guest):
    guest.sh("rm -f /tmp/fifo; mkfifo -m 755 /tmp/fifo")
    with pytest.raises(XendError) as e:
        guest.ask("device.attach", 20, domain="g", **{"class": "vif"}, config={"bridge": "xenbr0", "script": "/tmp/fifo"})
    assert "/tmp/fifo" in e.value.message


def fill(host):
    """A small file system for the records, and no room in it."""
    host.sh(f"cp -a {RECORDS} /tmp/records; mount -t tmpfs -o size=256k none {RECORDS}; cp -a /tmp/records/. {RECORDS}/; "
            f"dd if=/dev/zero of={RECORDS}/.full bs=4k 2>/dev/null; true")


def give_room(host):
    host.sh(f"rm -f {RECORDS}/.full")


def test_a_full_disk_loses_no_guest(guest):
    fill(guest)
    try:
        for method in ("domain.destroy", "domain.reset"):
            with pytest.raises(XendError) as e:
                guest.ask(method, domain="g")
            assert "left as it is" in e.value.message and "No space left" in e.value.message
        with pytest.raises(XendError, match="keeps its name"):
            guest.ask("domain.rename", domain="g", name="other")
        assert guest.guest("g", "echo alive")
        with pytest.raises(XendError, match="No space left"):
            guest.ask("domain.new", config=config_of(Guest("never")))
        # A guest that reboots waits for room.
        before = guest.all()["g"]["id"]
        guest.ask("domain.reboot", domain="g")
        wait_until(lambda: "left as it is" in guest.xend_log().split("rebooted")[-1] and "rebooted" in guest.xend_log())
        assert guest.all()["g"]["id"] == before
    finally:
        give_room(guest)
    wait_until(lambda: guest.all()["g"]["id"] > before and "operation" not in guest.all()["g"])
    guest.wait_guest("g", GUEST.ready, 60)
    assert "never" not in guest.all()
    # The record is true again, as a new xend shows.
    guest.kill_xend()
    guest.start_xend()
    assert guest.guest("g", "echo alive")
    guest.kill_xend()
    guest.sh(f"cp -a {RECORDS}/. /tmp/records/; umount {RECORDS}; cp -a /tmp/records/. {RECORDS}/; rm -rf /tmp/records")
    guest.start_xend()
    assert guest.all()["g"]["id"] > before


def test_a_guest_that_was_paused_for_a_dump_runs_on(guest):
    """The worker takes its time, and xend is killed meanwhile."""
    guest.sh("printf '#!/bin/sh\\nsleep 20\\n' >/tmp/slow-worker; chmod +x /tmp/slow-worker")
    guest.kill_xend()
    guest.sh("XEND_WORKER=/tmp/slow-worker xend --daemon", 60)
    guest.sh("(xend-call domain.dump-core '{\"domain\":\"g\",\"path\":\"/tmp/g.core\"}' >/dev/null 2>&1 &)")
    wait_until(lambda: guest.all()["g"]["state"][2] == "p")
    guest.kill_xend()
    guest.start_xend()
    wait_until(lambda: guest.all()["g"]["state"][2] == "-")
    assert guest.guest("g", "echo alive")
    # A pause that somebody asked for stays.
    guest.ask("domain.pause", domain="g")
    guest.kill_xend()
    guest.start_xend()
    time.sleep(1)
    assert guest.all()["g"]["state"][2] == "p"
    guest.ask("domain.unpause", domain="g")
    guest.sh("rm -f /tmp/g.core")


def test_a_corpse_is_kept_once(guest):
    """A xend that starts again does not take the corpse of rename-restart for a guest that has just crashed."""
    crashes = dict(config_of(Guest("c", memory=96)), on_crash="rename-restart")
    old = guest.ask("domain.create", 120, config=crashes)["id"]
    guest.wait_guest("c", Guest("c").ready, 120)
    # As if it had run for long: one that crashes at once is left down.
    guest.sh("date -s @$(($(date +%s) + 100))")
    guest.run("/lab/guest-run c 2 'echo c >/proc/sysrq-trigger'", 30)
    wait_until(lambda: guest.all().get("c", {}).get("id", -1) > old and "operation" not in guest.all()["c"], 60)
    corpse = f"c-{old}"
    assert guest.all()[corpse]["id"] == old
    guest.kill_xend()
    guest.start_xend()
    time.sleep(2)
    assert sorted(name for name in guest.all() if name.startswith("c")) == ["c", corpse]
    for name in ("c", corpse):
        guest.ask("domain.destroy", domain=name)


def test_a_low_limit_of_open_files_is_raised(guest):
    guest.kill_xend()
    guest.sh("(ulimit -n 24; xend --daemon)", 60)
    assert "131072" in guest.sh("grep 'open files' /proc/$(cat /run/xend/xend.pid)/limits")
    for index in range(3):
        guest.make(Guest(f"many{index}", memory=96), wait=False)
    assert guest.guest("g", "echo alive")
    for index in range(3):
        guest.ask("domain.destroy", domain=f"many{index}")

def ask_in_background(host, name, method, params):
    host.sh(f"((xend-call {method} '{params}' >/tmp/answer-{name} 2>&1; echo status $? >>/tmp/answer-{name}) >/dev/null 2>&1 &)")


@pytest.mark.long
def test_four_saves_while_one_guest_powers_off(guest):
    names = [f"s{index}" for index in range(4)]
    guest.sh("rm -f /data/s?.save /tmp/answer-*")
    for name in names:
        guest.make(Guest(name, memory=96, words="quiet panic=1"))
    for name in names:
        ask_in_background(guest, name, "domain.save", f'{{"domain":"{name}","path":"/data/{name}.save"}}')
    guest.run("/lab/guest-run s3 2 'poweroff -f'", 30)
    wait_until(lambda: guest.sh("cat /tmp/answer-* | grep -c '^status' || true") == "4", 120)
    for name in names:
        saved = '"result"' in guest.sh(f"cat /tmp/answer-{name}")
        assert saved == (guest.run(f"test -e /data/{name}.save")[0] == 0), guest.sh(f"cat /tmp/answer-{name}")
        assert saved or name == "s3", guest.sh(f"cat /tmp/answer-{name}")
        if saved:
            guest.ask("domain.restore", 60, path=f"/data/{name}.save")
            # The guest that was about to power off does so now.
            if name != "s3":
                assert guest.guest(name, "echo alive")
                guest.ask("domain.destroy", domain=name)
    wait_until(lambda: not [name for name in guest.all() if name.startswith("s")], 60)
    guest.sh("rm -f /data/s?.save")


@pytest.mark.long
def test_a_console_ends_with_its_guest_that_reboots(guest):
    before = guest.all()["g"]["id"]
    guest.sh("rm -f /tmp/keys; mkfifo /tmp/keys; (sleep 120 >/tmp/keys 2>/dev/null &); "
             "((xm console g </tmp/keys >/tmp/console 2>&1; echo status $? >>/tmp/console) >/dev/null 2>&1 &)")
    time.sleep(2)
    guest.ask("domain.reboot", 120, domain="g", wait=True)
    assert guest.all()["g"]["id"] > before
    wait_until(lambda: "status 0" in guest.sh("cat /tmp/console"))
    guest.wait_guest("g", GUEST.ready, 60)
    assert guest.guest("g", "echo alive")


@pytest.mark.long
def test_all_output_of_a_guest_arrives(guest):
    """More than a megabyte, in letters of several bytes, which writes to the ring split anywhere."""
    lines = 100000
    # In the guest's background: the tools of the lab need not carry a megabyte.
    guest.guest("g", f"(sleep 2; seq 1 {lines} | sed \"s/$/-$(printf \"\\303\\274\\342\\230\\203\")/\" >/dev/hvc0) >/dev/null 2>&1 &")
    # The log may turn over.
    log = "cat /var/log/xen/console/guest-g.log.1 /var/log/xen/console/guest-g.log 2>/dev/null | tr -d '\\r'"
    tail = "-$(printf '\\303\\274\\342\\230\\203')"
    wait_until(lambda: guest.run(f"{log} | tail -c 4000 | grep -q \"^{lines}{tail}$\"", 60)[0] == 0, 240)
    found = guest.sh(f"{log} | grep \"^[0-9]*{tail}$\" | cut -d- -f1 | sort -n | uniq | wc -l", 120)
    assert int(found) == lines
