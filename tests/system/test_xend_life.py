# SPDX-License-Identifier: MIT
"""Life of domains under xend: one guest with a disk and an interface, and all that is done to it."""

import json
import os
import re
import time

import pytest

from xend import Guest, XendDom0, XendError, config_of, disk

from lab import ROOT
from lab.images.cpio import Archive

KIND = XendDom0
# Debian's own xenstored; the other tests have that of Xen's sources.
MACHINE = dict(smp=1, mem=2048, dom0_append="quiet lab.xenstored=oxenstored")
G1 = Guest("g1", vcpus=2, memory=192, address="10.77.0.5", words="quiet sysrq_always_enabled",
           disks=("file:/data/a.img,xvda,w",))


@pytest.fixture(scope="module", autouse=True)
def payload(lab):
    """The micro-guest goes into Domain-0 with the other payloads, as it is built now."""
    path = ROOT / "build/guest/domu_end.elf"
    assert path.exists(), "run make guests first"
    archive = Archive(lab / "payload-end.cpio")
    archive.copy("guest/end", path)
    archive.close()
    toolstack = f"payload-{os.environ.get('TOOLSTACK', 'toolstack')}.cpio"
    MACHINE["payloads"] = ("payload.cpio", "payload-elf.cpio", toolstack, "payload-end.cpio")


@pytest.fixture
def host(xend):
    xend.sh("for f in a b; do [ -e /data/$f.img ] || dd if=/dev/urandom of=/data/$f.img bs=1M count=8 2>/dev/null; done")
    return xend


@pytest.fixture
def g1(host):
    if "g1" not in host.all():
        host.make(G1)
    return "g1"


def refused(host, code, method, **params):
    with pytest.raises(XendError) as caught:
        host.ask(method, **params)
    assert caught.value.code == code, caught.value
    assert caught.value.message.endswith("."), "a sentence"
    return caught.value.message


def ping(host, address="10.77.0.5"):
    host.sh(f"for i in $(seq 30); do ping -c 1 -W 1 {address} >/dev/null && break; done; ping -c 2 {address}", 60)


def test_nothing_runs_at_first(host):
    assert list(host.all()) == ["Domain-0"]
    assert host.ask("xend.info")["version"] == 1


def test_create_with_disk_and_interface(host, g1):
    assert host.guest(g1, "md5sum </dev/xvda") == host.sh("md5sum </data/a.img")
    assert host.guest(g1, "nproc") == "2"
    ping(host)
    facts = host.all()[g1]
    assert facts["ours"] and not facts["managed"] and facts["memory_kb"] == 192 * 1024
    assert re.fullmatch("[r-][b-]----", facts["state"]) and facts["status"] == 2


def test_xl_shows_it(host, g1):
    assert host.domains()[g1][1:3] == (192, 2)


def test_data_written_to_the_disk_arrives(host, g1):
    host.guest(g1, "dd if=/dev/urandom of=/tmp/d bs=1M count=2 2>/dev/null; dd if=/tmp/d of=/dev/xvda bs=1M conv=fsync 2>/dev/null")
    assert host.guest(g1, "md5sum </tmp/d") == host.sh("head -c 2097152 /data/a.img | md5sum")


def test_devices_are_listed(host, g1):
    vbd, = host.ask("device.list", domain=g1, **{"class": "vbd"})["devices"]
    assert (vbd["devid"], vbd["device"], vbd["state"]) == (51712, "xvda", 4) and vbd["ring_ref"] >= 0
    vif, = host.ask("device.list", domain=g1, **{"class": "vif"})["devices"]
    assert (vif["devid"], vif["mac"], vif["state"]) == (0, "00:16:3e:00:00:05", 4) and vif["tx_ring_ref"] >= 0


def test_disk_is_attached_and_detached(host, g1):
    host.ask("device.attach", domain=g1, **{"class": "vbd"}, config=disk("file:/data/b.img,xvdb,r"))
    host.guest(g1, "for i in $(seq 50); do [ -b /dev/xvdb ] && break; usleep 100000; done")
    assert host.guest(g1, "md5sum </dev/xvdb; cat /sys/block/xvdb/ro").split()[::2] == [
        host.sh("md5sum </data/b.img").split()[0], "1"]
    refused(host, "exists", "device.attach", domain=g1, **{"class": "vbd"}, config=disk("file:/data/b.img,xvdb,r"))
    host.ask("device.detach", domain=g1, **{"class": "vbd"}, device="xvdb")
    assert "b.img" not in host.sh("losetup -a")
    refused(host, "no-such-device", "device.detach", domain=g1, **{"class": "vbd"}, device="xvdb")


def test_a_disk_changes_its_mode(host, g1):
    host.ask("device.attach", domain=g1, **{"class": "vbd"}, config=disk("file:/data/b.img,xvdb,r"))
    host.guest(g1, "for i in $(seq 50); do [ -b /dev/xvdb ] && break; usleep 100000; done")
    host.ask("device.configure", domain=g1, **{"class": "vbd"}, config=disk("file:/data/b.img,xvdb,w"))
    host.guest(g1, "for i in $(seq 50); do grep -q 0 /sys/block/xvdb/ro && break; usleep 100000; done; grep 0 /sys/block/xvdb/ro")
    host.ask("device.detach", domain=g1, **{"class": "vbd"}, device="xvdb")


def test_interface_is_attached_and_detached(host, g1):
    added = host.ask("device.attach", domain=g1, **{"class": "vif"}, config={"bridge": "xenbr0"})
    assert added["devid"] == 1
    host.guest(g1, "for i in $(seq 50); do [ -d /sys/class/net/eth1 ] && break; usleep 100000; done; "
               "ip addr add 10.77.0.6/24 dev eth1 && ip link set eth1 up")
    host.ask("device.detach", domain=g1, **{"class": "vif"}, device="1")
    assert re.findall(r"vif\d+\.\d+", host.sh("ls /sys/class/net"))[1:] == []


def test_a_disk_is_not_writable_twice(host, g1):
    for mode in "rw":
        other = config_of(Guest("other", disks=(f"file:/data/a.img,xvda,{mode}",)))
        assert "'g1' writes it" in refused(host, "in-use", "domain.create", config=other)
    assert "other" not in host.all()


def test_pause_stops_and_unpause_continues(host, g1):
    host.guest(g1, "while :; do :; done & echo $! >/tmp/spin")
    host.ask("domain.pause", domain=g1)
    facts = host.all()[g1]
    assert facts["state"][2] == "p" and facts["status"] == 1
    time.sleep(1)
    assert host.all()[g1]["cpu_ns"] == facts["cpu_ns"]
    host.ask("domain.unpause", domain=g1)
    time.sleep(1.5)
    assert host.all()[g1]["cpu_ns"] > facts["cpu_ns"] + 200_000_000
    host.guest(g1, "kill $(cat /tmp/spin)")


def test_memory_goes_down_and_up(host, g1):
    for mib in (128, 192):
        host.ask("memory.set", domain=g1, kb=mib * 1024)
        deadline = time.monotonic() + 30
        while host.all()[g1]["memory_kb"] != mib * 1024:
            assert time.monotonic() < deadline
            time.sleep(0.3)
    assert "maxmem" in refused(host, "bad-params", "memory.set", domain=g1, kb=1 << 20)


def test_vcpus_go_down_and_up(host, g1):
    online = "for i in $(seq 100); do [ $(cat /sys/devices/system/cpu/online) = %s ] && exit 0; usleep 100000; done; exit 1"
    host.ask("vcpu.set", domain=g1, count=1)
    host.guest(g1, online % "0")
    rows = host.ask("vcpu.list", domain=g1)["domains"][0]["vcpus"]
    assert [(r["state"], r["cpu"]) for r in rows][1] == ("--p", -1)
    host.ask("vcpu.set", domain=g1, count=2)
    host.guest(g1, "for i in $(seq 50); do echo 1 >/sys/devices/system/cpu/cpu1/online && break; usleep 100000; done")
    host.guest(g1, online % "0-1")
    refused(host, "bad-params", "vcpu.set", domain=g1, count=3)


def test_pin_and_shares(host, g1):
    # One processor is all of them here: test_xm_query.py pins where there are two.
    host.ask("vcpu.pin", domain=g1, vcpu=1, cpus="0")
    host.ask("vcpu.pin", domain=g1, vcpu="all", cpus="all")
    assert host.ask("vcpu.list", domain=g1)["domains"][0]["vcpus"][1]["affinity"] == "any cpu"
    refused(host, "bad-params", "vcpu.pin", domain=g1, vcpu=7, cpus="0")
    host.ask("sched.set", domain=g1, weight=512, cap=50)
    assert host.ask("sched.get", domain=g1)["domains"] == [
        {"name": g1, "id": host.all()[g1]["id"], "weight": 512, "cap": 50}]
    host.ask("sched.set", domain=g1, weight=256, cap=0)


def test_sysrq_arrives(host, g1):
    host.ask("domain.sysrq", domain=g1, key="h")
    host.wait_guest(g1, "sysrq: HELP", 20)


def test_rename(host, g1):
    host.ask("domain.rename", domain=g1, name="other")
    assert "other" in host.domains() and "g1" not in host.all()
    refused(host, "exists", "domain.rename", domain="other", name="Domain-0")
    host.ask("domain.rename", domain="other", name="g1")
    assert "g1" in host.domains()


def test_console_carries_bytes_both_ways(host, g1):
    request = json.dumps({"version": 1, "id": 1, "method": "console.open", "params": {"domain": g1, "scrollback": True}})
    until = "for i in $(seq 300); do grep -q {} /tmp/shown && break; usleep 100000; done"
    host.sh(f"(echo '{request}'; {until.format('result')}; echo; echo 'echo con-$((40 + 2))'; {until.format('con-42')}) "
            "| timeout 90 xend-call --raw >/tmp/shown; true", 120)
    shown = host.sh("cat /tmp/shown")
    assert '"result":{"id"' in shown and "con-42" in shown
    assert "GUEST-READY" in shown, "what it said before"


def test_top_sample_counts(host, g1):
    sample = host.ask("top.sample")
    mine = next(d for d in sample["domains"] if d["name"] == g1)
    assert len(mine["vcpus"]) == 2 and mine["net"][0]["tx_packets"] > 0 and mine["disk"][0]["reads"] > 0


def test_what_a_guest_may_write_in_xenstore_is_not_believed(host):
    """Its frontends lead elsewhere, hold no numbers, and there are some that nobody made."""
    host.make(Guest("liar", disks=("file:/data/b.img,xvda,w",)))
    front = f"/local/domain/{host.all()['liar']['id']}/device"
    host.sh(f"xenstore-write -- {front}/vbd/51712/backend /local/domain/0/name {front}/vbd/51712/backend-id 7 "
            f"{front}/vbd/51712/ring-ref -99999999999999999999 {front}/vbd/51712/event-channel 4x "
            f"{front}/vbd/51999/backend /local/domain/0/backend {front}/vif/a/backend /vm")
    vbd, = host.ask("device.list", domain="liar", **{"class": "vbd"})["devices"]
    assert (vbd["devid"], vbd["ring_ref"], vbd["event_channel"]) == (51712, -1, -1)
    host.ask("domain.destroy", domain="liar")
    assert host.sh("xenstore-read /local/domain/0/name") == "Domain-0"
    assert host.sh("losetup -a") == "" or "b.img" not in host.sh("losetup -a")


def test_a_guest_that_floods_its_console_is_slowed(host):
    host.make(Guest("flood"))
    host.run("/lab/guest-run flood 1 '(yes flooding-the-console &) ; true'")
    for _ in range(5):
        assert host.ask("xend.info", 5)["version"] == 1
    size = int(host.sh("cat /var/log/xen/console/guest-flood.log* | wc -c"))
    assert size < 3 << 20, "the log and the one before it"
    host.ask("domain.destroy", domain="flood")


def test_reboot_makes_a_new_domain_with_the_same_devices(host, g1):
    before = host.all()[g1]
    ready = int(host.sh("grep -c LAB-AGENT /var/log/xen/console/guest-g1.log"))
    assert host.ask("domain.reboot", 120, domain=g1, wait=True)["id"] != before["id"]
    host.wait_guest(g1, "LAB-AGENT", 120, ready + 1)
    assert host.all()[g1]["uuid"] == before["uuid"]
    assert host.guest(g1, "md5sum </dev/xvda") == host.sh("md5sum </data/a.img")
    ping(host)


def test_shutdown_leaves_nothing(host, g1):
    assert host.ask("domain.shutdown", 120, domain=g1, wait=True) == {"reason": "poweroff"}
    assert list(host.all()) == ["Domain-0"]
    assert host.traces() == {
        "domains": ["Domain-0"], "loops": "", "interfaces": host.sh("cd /sys/class/net; echo lo xenbr0") + " ",
        "backends": "", "store": "0 = \"\"", "records": "", "workers": ""}


def test_a_guest_that_reboots_by_itself_too_soon_is_left_down(host):
    host.make(Guest("hasty"))
    host.run("/lab/guest-run hasty 5 'reboot -f'")
    deadline = time.monotonic() + 60
    while host.all()["hasty"]["id"] != -1:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    facts = host.all()["hasty"]
    assert facts["status"] == 0 and "less than 60 s" in facts["reason"]
    assert "hasty" not in host.domains()
    host.ask("domain.delete", domain="hasty")
    assert "hasty" not in host.all()


def test_a_crashed_guest_is_destroyed_or_preserved(host):
    for action, left in (("destroy", False), ("preserve", True)):
        guest = Guest("crash")
        config = config_of(guest)
        config["on_crash"] = action
        host.sh("rm -f /var/log/xen/console/guest-crash.log")
        host.ask("domain.create", 120, config=config)
        host.wait_guest("crash")
        host.run("/lab/guest-run crash 3 'echo c >/proc/sysrq-trigger'")
        deadline = time.monotonic() + 60
        while True:
            facts = host.all().get("crash")
            if (facts is not None and facts["status"] == 5) if left else facts is None:
                break
            assert time.monotonic() < deadline, facts
            time.sleep(0.5)
    host.ask("domain.destroy", domain="crash")


ENDS = {"poweroff": 0, "reboot": 1, "crash": 3, "watchdog": 4}


def start_ending(host, how, action, after=0):
    """A small guest that ends so, after some seconds."""
    config = config_of(Guest(f"by-{how}", memory=32, kernel="/guest/end", ramdisk="", words=f"reason={ENDS[how]} after={after}"))
    config[f"on_{how}"] = action
    host.ask("domain.create", config=config)


def wait_for(host, what):
    deadline = time.monotonic() + 300
    while not what(host.all()):
        assert time.monotonic() < deadline, (host.all(), host.xend_log())
        time.sleep(0.5)


def cores(host, how):
    """How many cores there are, which must be whole."""
    rows = host.sh(f"for f in /var/lib/xen/dump/*-by-{how}.*.core; do [ -e $f ] && stat -c %s $f && head -c 4 $f | tail -c 3 && echo; done; true").split()
    assert all(int(size) > 32 << 20 for size in rows[::2]) and set(rows[1::2]) <= {"ELF"}
    return len(rows) // 2


def test_each_way_to_end_with_a_core(host):
    """Destroyed after a core; restarted after a core, and left down when that is too soon."""
    host.sh("rm -rf /var/lib/xen/dump")
    for how in ENDS:
        start_ending(host, how, "coredump-destroy")
        wait_for(host, lambda domains: f"by-{how}" not in domains)
        assert cores(host, how) == 1
        host.sh("rm -rf /var/lib/xen/dump")
    for how in ENDS:
        start_ending(host, how, "coredump-restart", after=40)
    first = {how: host.all()[f"by-{how}"]["id"] for how in ENDS}
    host.sh("date -s @$(($(date +%s) + 120)) >/dev/null")
    wait_for(host, lambda domains: all(domains[f"by-{how}"]["id"] == -1 for how in ENDS))
    for how in ENDS:
        assert first[how] > 0 and "less than 60 s" in host.all()[f"by-{how}"]["reason"]
        assert cores(host, how) == 2, "of its first life, and of its second"
        host.ask("domain.delete", domain=f"by-{how}")
    host.sh("rm -r /var/lib/xen/dump; date -s @$(($(date +%s) - 120)) >/dev/null")


def test_a_watchdog_that_is_not_fed(host):
    """on_watchdog says what becomes of the guest, or on_crash."""
    start_ending(host, "watchdog", "preserve")
    wait_for(host, lambda domains: domains["by-watchdog"]["state"][3] == "s")
    assert "was stopped by its watchdog: preserve" in host.xend_log()
    host.ask("domain.destroy", domain="by-watchdog")
    config = config_of(Guest("by-watchdog", memory=32, kernel="/guest/end", ramdisk="", words="reason=4"))
    config["on_crash"] = "destroy"
    config["on_poweroff"] = config["on_reboot"] = "preserve"
    host.ask("domain.create", config=config)
    wait_for(host, lambda domains: "by-watchdog" not in domains)
    assert "was stopped by its watchdog: destroy" in host.xend_log()


def test_a_crash_loop_is_noticed_though_its_dumps_take_long(host):
    """The worker puts the clock forward while it dumps, as if that took two minutes. They are no uptime."""
    host.write("/tmp/slow-worker", ["#!/bin/sh", "read -r order",
                                    "case $order in *\\\"dump\\\"*) date -s @$(($(date +%s) + 120)) >/dev/null ;; esac",
                                    'echo "$order" | /usr/lib/xenolith/xend-worker'])
    host.sh("chmod +x /tmp/slow-worker; rm -rf /var/lib/xen/dump")
    host.kill_xend()
    host.sh("XEND_WORKER=/tmp/slow-worker xend --daemon", 60)
    config = config_of(Guest("loop", memory=96))
    config["on_crash"] = "coredump-restart"
    host.sh("rm -f /var/log/xen/console/guest-loop.log")
    host.ask("domain.create", 120, config=config)
    host.wait_guest("loop")
    host.run("/lab/guest-run loop 3 'echo c >/proc/sysrq-trigger'")
    deadline = time.monotonic() + 60
    while host.all()["loop"]["id"] != -1:
        assert time.monotonic() < deadline and "runs with id" not in host.xend_log().split("loop (id", 1)[-1], host.xend_log()
        time.sleep(0.5)
    assert "less than 60 s" in host.all()["loop"]["reason"]
    assert host.sh("ls /var/lib/xen/dump | wc -l") == "1"
    host.ask("domain.delete", domain="loop")
    host.kill_xend()
    host.sh("rm -r /var/lib/xen/dump; date -s @$(($(date +%s) - 120)) >/dev/null")
    host.start_xend()


def test_a_kernel_that_is_none_costs_an_error(host):
    host.sh("head -c 100000 /dev/urandom >/data/noise")
    config = config_of(Guest("noise", kernel="/data/noise", disks=("file:/data/a.img,xvda,w",)))
    message = refused(host, "build", "domain.create", config=config)
    assert "/data/noise" in message
    assert list(host.all()) == ["Domain-0"] and host.sh("losetup -a") == ""


def test_a_bridge_or_file_that_is_missing_is_named(host):
    config = config_of(Guest("g", address="10.77.0.9"))
    config["vif"][0]["bridge"] = "nobr"
    assert "nobr" in refused(host, "failed", "domain.create", config=config)
    config = config_of(Guest("g", disks=("file:/data/none.img,xvda,w",)))
    assert "/data/none.img" in refused(host, "failed", "domain.create", config=config)
    assert list(host.all()) == ["Domain-0"]


def test_too_little_memory_is_one_clear_sentence(host):
    config = config_of(Guest("huge", memory=100000))
    message = refused(host, "no-memory", "domain.create", config=config)
    assert re.search(r"\d+ MiB are needed, \d+ MiB are free", message)
    assert list(host.all()) == ["Domain-0"]


def test_domain_0_gives_memory_when_it_is_needed(host):
    free, dom0 = host.info("free_memory"), host.all()["Domain-0"]["memory_kb"]
    host.make(Guest("big", memory=free + 100), timeout=240)
    assert host.all()["Domain-0"]["memory_kb"] < dom0 - 90 * 1024
    host.ask("domain.destroy", domain="big")


def test_a_fault_in_xend_is_the_last_line_of_its_log(host):
    """A daemon has no terminal on which libc or the kernel could say it. The next xend goes on."""
    host.sh("kill -ABRT $(cat /run/xend/xend.pid); while kill -0 $(cat /run/xend/xend.pid) 2>/dev/null; do usleep 100000; done", 30)
    assert host.xend_log().splitlines()[-1].startswith("ERROR xend ends by signal 6, from process ")
    host.start_xend()
    assert "Domain-0" in host.all()
