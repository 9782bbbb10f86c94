# SPDX-License-Identifier: MIT
"""What a starting xend does with records of an earlier boot, with numbers that are somebody else's by now, and without xenstored."""

import base64
import json
import time

import pytest

from xend import START, Guest, XendDom0, XendError, config_of, disk

KIND = XendDom0
MACHINE = dict(smp=1, mem=2048)

EARLIER = "01234567-89ab-cdef-0123-456789abcdef"
UUID = "5b3c1f60-0000-4000-8000-0000000000%02x"
THEIRS = Guest("theirs", memory=96, disks=("format=raw,vdev=xvda,access=rw,target=/data/theirs.img",))


@pytest.fixture
def host(xend):
    xend.sh("for f in theirs ours; do [ -e /data/$f.img ] || dd if=/dev/urandom of=/data/$f.img bs=1M count=4 2>/dev/null; done; "
            "rm -f /etc/xen/xend-config.sxp")
    return xend


def write(host, path, text):
    packed = base64.b64encode(text.encode()).decode()
    host.sh(f"mkdir -p $(dirname {path}); : >{path}")
    for at in range(0, len(packed), 2000):
        host.sh(f"echo {packed[at:at + 2000]} | base64 -d >>{path}")


def stop(host):
    host.kill_xend()
    host.sh("while kill -0 $(cat /run/xend/xend.pid) 2>/dev/null; do sleep 0.1; done; rm -f /var/log/xen/xend.log")


def boot_id(host):
    return host.sh("cat /proc/sys/kernel/random/boot_id")


def leave_record(host, guest, uuid, managed=True, **fields):
    """xend is down. A record as it might have left it."""
    config = dict(config_of(guest), uuid=uuid, **fields.pop("config", {}))
    record = {"format": 1, "name": guest.name, "state": "running", "goal": "rest", "domid": -1, "managed": managed,
              "reboot_asked": False, "start_time": 1700000000, "store_mfn": 0, "store_port": 0, "console_mfn": 0,
              "console_port": 0, "devices": [], "config": config}
    record.update(fields)
    write(host, f"/var/lib/xend/domains/{uuid}/config.json", json.dumps(record))


def recovered(host):
    deadline = time.monotonic() + 60
    while True:
        domains = host.all()
        if not any(d.get("operation") == "recover" for d in domains.values()) and "through its records" in host.xend_log():
            return domains
        assert time.monotonic() < deadline, domains
        time.sleep(0.2)


def next_number(host):
    """The number that the next domain gets."""
    host.create(Guest("probe", memory=96), wait=False)
    number = host.domains()["probe"][0]
    host.sh("xl destroy probe")
    return number + 1


def check_theirs(host, number):
    assert host.domains()["theirs"][0] == number
    assert host.guest("theirs", "echo 3 >/proc/sys/vm/drop_caches; md5sum </dev/xvda") == host.sh("md5sum </data/theirs.img")
    assert host.sh(f"xenstore-read /local/domain/{number}/name") == "theirs"


CASES = [("running", "rest", 0), ("building", "rest", 0), ("building", "restart", 0), ("building", "suspended", 3),
         ("saving", "rest", 0), ("saving", "suspended", 0), ("dying", "rest", 0), ("dying", "restart", 0),
         ("dying", "suspended", 3)]


@pytest.mark.parametrize("boot", ("earlier", "this"))
def test_a_guest_with_the_number_or_the_uuid_of_a_record_survives(host, boot):
    """Somebody has made a guest with xl: with a number that records name, and with the UUID that one of them has. One start of
    xend goes through records of all states."""
    stop(host)
    host.sh("rm -rf /var/lib/xend/domains/*")
    uuid = UUID % 0xff
    host.create(Guest("theirs", memory=96, disks=THEIRS.disks, more=(f'uuid="{uuid}"',)))
    number = host.domains()["theirs"][0]
    identity = EARLIER if boot == "earlier" else boot_id(host)
    for index, (state, goal, _) in enumerate(CASES):
        saving = {"saving_to": f"/data/case{index}"} if state == "saving" else {}
        leave_record(host, Guest(f"case{index}"), UUID % index, state=state, goal=goal, domid=number, boot=identity, **saving)
    # Its own number is free: it is long gone.
    leave_record(host, Guest("twin"), uuid, domid=number if boot == "earlier" else number + 1000, boot=identity)
    host.start_xend()
    domains = recovered(host)
    check_theirs(host, number)
    restarted = []
    for index, (state, goal, status) in enumerate(CASES):
        if goal == "restart" and boot == "this":
            # It was rebooting when xend was killed.
            assert domains[f"case{index}"]["id"] > number or host.all()[f"case{index}"]["id"] > number
            restarted.append(f"case{index}")
        else:
            facts = domains[f"case{index}"]
            assert (facts["id"], facts["status"]) == (-1, status), (state, goal, facts)
    for name in restarted:
        host.ask("domain.destroy", domain=name)
    assert domains["twin"]["id"] == -1
    for name in [f"case{index}" for index in range(len(CASES))] + ["twin"]:
        host.ask("domain.delete", domain=name, force=True)
    check_theirs(host, number)
    host.sh("xl destroy theirs")


@pytest.mark.parametrize("boot, state", [("earlier", "running"), ("this", "running"), ("this", "dying"), ("this", "building")])
def test_a_guest_that_gets_the_number_while_xend_recovers_survives(host, boot, state):
    """Recovery waits for a script of the dead domain's interface; meanwhile somebody makes a guest, and it gets that number."""
    write(host, "/etc/xen/scripts/vif-slow", "#!/bin/sh\necho $* >>/tmp/slow-called\n[ $1 = offline ] && sleep 6\nexit 0\n")
    host.sh("chmod +x /etc/xen/scripts/vif-slow; rm -f /tmp/slow-called")
    number = next_number(host)
    stop(host)
    leave_record(host, Guest("old"), UUID % 1, managed=False, state=state, domid=number,
                 boot=EARLIER if boot == "earlier" else boot_id(host),
                 devices=[{"class": "vif", "devid": 0, "config": {"mac": "00:16:3e:00:00:77", "script": "vif-slow"}}])
    host.start_xend()
    host.create(THEIRS)
    assert host.domains()["theirs"][0] == number
    time.sleep(8)
    domains = recovered(host)
    check_theirs(host, number)
    assert "old" not in domains and not domains["theirs"]["ours"]
    if boot == "earlier":
        assert host.run("test -e /tmp/slow-called")[0] != 0, "nothing of it was there to be undone"
    host.sh("xl destroy theirs")


def test_nothing_is_made_before_recovery_is_through(host):
    write(host, "/etc/xen/scripts/network-slow", "#!/bin/sh\nsleep 6\ncut -d' ' -f1 /proc/uptime >/tmp/network-done\n")
    host.sh("chmod +x /etc/xen/scripts/network-slow; rm -f /tmp/network-done")
    stop(host)
    write(host, "/etc/xen/xend-config.sxp", "(network-script network-slow)\n")
    leave_record(host, Guest("old"), UUID % 1, managed=False, domid=7777, boot=boot_id(host))
    host.start_xend()
    # "old" is on its way out: its name and its UUID are free once recovery is through.
    order = json.dumps({"config": dict(config_of(Guest("old", memory=96)), uuid=UUID % 1)})
    write(host, "/tmp/order", order)
    text = host.sh("xend-call domain.create \"$(cat /tmp/order)\"", 120)
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert lines[0]["progress"]["stage"] == "recovery"
    assert "result" in lines[-1], lines[-1]
    log = host.xend_log()
    assert log.index("through its records") < log.index("Domain old runs with id")
    assert host.run("test -e /tmp/network-done")[0] == 0
    host.ask("domain.destroy", domain="old")


def test_a_stop_ends_those_that_wait_for_recovery(host):
    write(host, "/etc/xen/scripts/network-slow", "#!/bin/sh\nsleep 15\n")
    host.sh("chmod +x /etc/xen/scripts/network-slow")
    stop(host)
    write(host, "/etc/xen/xend-config.sxp", "(network-script network-slow)\n")
    host.start_xend()
    write(host, "/tmp/order", json.dumps({"config": config_of(Guest("g", memory=96))}))
    host.sh("(xend-call domain.create \"$(cat /tmp/order)\" >/tmp/answer 2>&1 &); sleep 1; kill $(cat /run/xend/xend.pid); sleep 2")
    assert '"cancelled"' in host.sh("cat /tmp/answer")
    host.sh("while kill -0 $(cat /run/xend/xend.pid) 2>/dev/null; do sleep 0.1; done", 60)
    assert "g" not in host.domains()


def test_after_a_reboot_of_the_host_on_xend_start_says_what_starts(host):
    stop(host)
    wanted = {"on_xend_start": "start"}
    leave_record(host, Guest("wanted", memory=96), UUID % 1, domid=1, boot=EARLIER, config=wanted)
    leave_record(host, Guest("rests", memory=96), UUID % 2, domid=2, boot=EARLIER)
    leave_record(host, Guest("passing", memory=96), UUID % 3, managed=False, domid=3, boot=EARLIER)
    leave_record(host, Guest("rebooting", memory=96), UUID % 4, domid=4, boot=EARLIER, state="dying", goal="restart")
    host.sh("rm -f /run/xend/guests.json")
    host.start_xend()
    recovered(host)
    host.sh("xm guests start", 90)
    domains = host.all()
    assert sorted(domains) == ["Domain-0", "rebooting", "rests", "wanted"]
    assert domains["rests"]["id"] == domains["rebooting"]["id"] == -1
    host.ask("domain.destroy", domain="wanted")
    for name in ("wanted", "rests", "rebooting"):
        host.ask("domain.delete", domain=name)


def test_a_record_that_cannot_be_read_is_not_written_over(host):
    host.ask("domain.new", config=dict(config_of(Guest("kept")), uuid=UUID % 1))
    path = f"/var/lib/xend/domains/{UUID % 1}"
    stop(host)
    host.sh(f"echo image >{path}/memory.save; head -c 100 {path}/config.json >/tmp/half; cp /tmp/half {path}/config.json")
    host.start_xend()
    recovered(host)
    status, text = host.run("xend-call domain.new '" + json.dumps({"config": dict(config_of(Guest("other")), uuid=UUID % 1)}) + "'")
    assert status != 0 and "config.json" in text
    assert host.run(f"cmp /tmp/half {path}/config.json")[0] == 0
    host.sh(f"rm -r {path}")


def test_interfaces_of_an_edited_record_get_addresses(host):
    stop(host)
    leave_record(host, Guest("edited", memory=96), UUID % 1, state="halted", config={"vif": [{"bridge": "xenbr0"}] * 2})
    host.start_xend()
    recovered(host)
    host.ask("domain.start", 120, domain="edited")
    macs = [vif["mac"] for vif in json.loads(host.sh(f"cat /var/lib/xend/domains/{UUID % 1}/config.json"))["config"]["vif"]]
    assert len(set(macs)) == 2 and all(mac.startswith("00:16:3e:") for mac in macs)
    host.ask("domain.destroy", domain="edited")
    host.ask("domain.delete", domain="edited")


def test_a_worker_does_nothing_to_a_domain_with_another_uuid(host):
    made = host.make(Guest("g", memory=96))
    for uuid, works in ((UUID % 1, False), (made["uuid"], True)):
        order = json.dumps({"op": "dump", "domid": made["id"], "fd": 3, "uuid": uuid})
        status, said = host.run(f"echo '{order}' | /usr/lib/xenolith/xend-worker 3>/data/core", 120)
        assert (status == 0) == works, said
        assert works or "is not the one with the UUID" in said
        assert int(host.sh("stat -c %s /data/core")) > 0 if works else host.sh("stat -c %s /data/core") == "0"
    host.ask("domain.destroy", domain="g")
    host.sh("rm /data/core")


def test_a_domain_is_not_destroyed_before_its_record_says_that_its_file_is_whole(host):
    """The next xend would take the file for half, and remove it: then the domain would be in neither place."""
    stop(host)
    host.sh("mount -t tmpfs -o size=128k records /var/lib/xend/domains; rm -f /data/saved")
    host.start_xend()
    host.make(Guest("saved", memory=96))
    host.sh("(xend-call domain.save '{\"domain\":\"saved\",\"path\":\"/data/saved\"}' >/tmp/answer 2>&1 &); for i in $(seq 500); do "
            "grep -q '\"state\":\"saving\"' /var/lib/xend/domains/*/config.json && break; usleep 10000; done; "
            "grep -q '\"state\":\"saving\"' /var/lib/xend/domains/*/config.json; dd if=/dev/zero of=/var/lib/xend/domains/.full bs=1k 2>/dev/null; "
            "for i in $(seq 600); do grep -q '^{\"id\":1,\"[er]' /tmp/answer && break; usleep 100000; done", 120)
    answer = host.sh("cat /tmp/answer; rm /var/lib/xend/domains/.full")
    assert '"error"' in answer and "No space" in answer, answer
    stop(host)
    host.start_xend()
    recovered(host)
    assert host.guest("saved", "echo alive") == "alive"
    assert host.run("test -e /data/saved")[0] != 0
    host.ask("domain.destroy", domain="saved")
    stop(host)
    host.sh("umount /var/lib/xend/domains")
    host.start_xend()


# -- without xenstored


def counted(host):
    count = host.sh("head -n 1 /data/ours.img")
    assert count.startswith("count "), count
    return count


def test_xenstored_ends(host):
    """xend notices at once, says what to do, and leaves everything alone; once xenstored is there again it comes up."""
    made = host.make(Guest("ours", memory=96, disks=("file:/data/ours.img,xvda,w",)))
    # It counts on its disk: what tells of it when xenstore does not even know its name.
    host.guest("ours", "(i=0; while :; do i=$((i+1)); echo count $i | dd of=/dev/xvda conv=sync,fsync 2>/dev/null; sleep 1; done) & sleep 1")
    host.sh("rm -f /var/log/xen/xend.log")
    stop(host)
    host.sh("(xend --foreground; echo $? >/tmp/status) >/dev/null 2>&1 & for i in $(seq 100); do xend-call xend.info >/dev/null 2>&1 && break; usleep 100000; done")
    recovered(host)
    record = host.sh(f"cat /var/lib/xend/domains/{made['uuid']}/config.json")
    host.sh("rm -f /tmp/status; kill -9 $(cat /run/xen/xenstored.pid); for i in $(seq 50); do [ -s /tmp/status ] && break; usleep 100000; done")
    log = host.xend_log()
    assert host.sh("cat /tmp/status") == "69", log
    last = log.splitlines()[-1]
    assert "ERROR" in last and "xenstored" in last and "run on" in last
    # It does not start without, and says so.
    status, said = host.run(START, 60)
    assert status == 69 and "xenstored is not running" in host.xend_log(), said
    # Nothing was undone.
    assert host.sh(f"cat /var/lib/xend/domains/{made['uuid']}/config.json") == record
    assert "ours.img" in host.sh("losetup -a") and host.sh("ls /sys/bus/xen-backend/devices") == f"vbd-{made['id']}-51712"
    # A new xenstored knows nothing of the guest; that is no reason to take the guest's disk away.
    host.sh("rm -f /run/xen/xenstored.pid; xenstored --pid-file /run/xen/xenstored.pid; xen-init-dom0 >/dev/null", 60)
    host.start_xend()
    domains = recovered(host)
    assert domains["ours"]["id"] == made["id"]
    assert "xenstore does not know domain 'ours'" in host.xend_log()
    assert json.loads(host.sh(f"cat /var/lib/xend/domains/{made['uuid']}/config.json"))["devices"] == json.loads(record)["devices"]
    assert "ours.img" in host.sh("losetup -a") and host.sh("ls /sys/bus/xen-backend/devices") == f"vbd-{made['id']}-51712"
    for method, params in (("device.detach", {"class": "vbd", "device": "xvda"}),
                           ("device.detach", {"class": "vbd", "device": "xvda", "force": True}),
                           ("device.attach", {"class": "vbd", "config": disk("file:/data/theirs.img,xvdb,w")}),
                           ("domain.shutdown", {}), ("domain.sysrq", {"key": "h"}), ("domain.save", {"path": "/data/ours.save"}),
                           ("memory.set", {"kb": 80 * 1024}), ("vcpu.set", {"count": 1})):
        with pytest.raises(XendError, match="xenstore does not know domain 'ours'"):
            host.ask(method, domain="ours", **params)
    before = counted(host)
    host.sh(f"for i in $(seq 60); do [ \"$(head -n 1 /data/ours.img)\" != '{before}' ] && break; sleep 1; done", 90)
    assert counted(host) != before


def test_xenstored_hangs(xend):
    """The machine of this file has lost its xenstored: this one gets another."""
    host = xend
    host.sh("kill -STOP $(cat /run/xen/xenstored.pid); "
            "(xend-call device.list '{\"domain\":0,\"class\":\"vbd\"}' >/tmp/answer 2>&1 &); "
            "for i in $(seq 60); do kill -0 $(cat /run/xend/xend.pid) 2>/dev/null || break; sleep 1; done", 180)
    assert host.run("kill -0 $(cat /run/xend/xend.pid)")[0] != 0
    log = host.xend_log()
    assert "has not answered" in log.splitlines()[-1]
    status, said = host.run(START, 90)
    assert status == 69
    host.sh("kill -CONT $(cat /run/xen/xenstored.pid)")
    host.start_xend()
    recovered(host)
