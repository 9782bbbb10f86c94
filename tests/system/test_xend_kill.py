# SPDX-License-Identifier: MIT
"""xend is killed (SIGKILL) at random moments of its work, and started again. No guest notices; nothing is half there; what was
interrupted can be asked for again. XEND_KILLS says how often (10), SEED which moments."""

import json
import os
import random
import re
import shlex
import time

import pytest

from xend import Guest, XendDom0, XendError, config_of, disk

KIND = XendDom0
MACHINE = dict(smp=1, mem=2048)
KILLS = int(os.environ.get("XEND_KILLS", "10"))
SEED = int(os.environ.get("SEED", "1"))

KEEPER = Guest("keeper", memory=128, address="10.77.0.5", disks=("file:/data/keeper.img,xvda,w",))
VICTIM = Guest("victim", memory=96, address="10.77.0.6", disks=("file:/data/victim.img,xvda,w",), words="quiet panic=1")


class Round:
    """One kind of work: what must hold before, the request, how long it takes at most, and how it is asked for again."""

    def __init__(self, host):
        self.host = host

    def prepare(self):
        pass

    def exists(self):
        return "victim" in self.host.all()

    def remove(self):
        if self.exists():
            self.host.ask("domain.destroy", domain="victim")

    def make(self):
        if not self.exists():
            self.host.make(VICTIM, wait=False)


class Create(Round):
    longest = 3.0
    prepare = Round.remove

    def request(self):
        return "domain.create", {"config": config_of(VICTIM)}

    def again(self):
        self.remove()
        self.make()


class Destroy(Round):
    longest = 2.0
    prepare = Round.make

    def request(self):
        return "domain.destroy", {"domain": "victim"}

    def again(self):
        self.make()
        self.remove()


class Attach(Round):
    longest = 1.5
    kind, element, name = "vbd", disk("file:/data/more.img,xvdb,w"), "xvdb"

    def listed(self):
        devices = self.host.ask("device.list", domain="keeper", **{"class": self.kind})["devices"]
        return [d for d in devices if d["device"] == self.name]

    def prepare(self):
        if self.listed():
            self.host.ask("device.detach", domain="keeper", **{"class": self.kind}, device=self.name)

    def request(self):
        return "device.attach", {"domain": "keeper", "class": self.kind, "config": self.element}

    def again(self):
        self.prepare()
        self.host.ask("device.attach", domain="keeper", **{"class": self.kind}, config=self.element)
        self.prepare()


class AttachInterface(Attach):
    kind, element, name = "vif", {"bridge": "xenbr0"}, "1"


class Detach(Attach):
    def prepare(self):
        if not self.listed():
            self.host.ask("device.attach", domain="keeper", **{"class": self.kind}, config=self.element)

    def request(self):
        return "device.detach", {"domain": "keeper", "class": self.kind, "device": self.name}

    def again(self):
        Attach.prepare(self)


class Save(Round):
    longest = 3.0

    def prepare(self):
        self.host.sh("rm -f /data/victim.save")
        if not self.exists():
            self.host.make(VICTIM)

    def request(self):
        return "domain.save", {"domain": "victim", "path": "/data/victim.save"}

    def again(self):
        """Either it runs, and there is no file, or it is in the file, whole."""
        if self.exists():
            assert self.host.run("test -e /data/victim.save")[0] != 0
            self.host.guest("victim", "echo alive")
            self.host.ask("domain.save", 120, domain="victim", path="/data/victim.save")
        self.host.ask("domain.restore", 120, path="/data/victim.save")
        self.host.guest("victim", "echo alive")
        self.host.sh("rm -f /data/victim.save")


class Reboot(Round):
    """A guest that reboots is there again, whoever was killed in between."""

    longest = 6.0

    def prepare(self):
        self.remove()
        self.host.make(VICTIM)

    def request(self):
        return "domain.reboot", {"domain": "victim", "wait": True}

    def again(self):
        deadline = time.monotonic() + 90
        while self.host.run("/lab/guest-run victim 5 'echo alive'", 30)[0]:
            assert time.monotonic() < deadline, self.host.all()
        self.remove()


WORK = [Create, Destroy, Attach, AttachInterface, Detach, Save, Reboot]


def recovered(host):
    """Wait until the new xend has gone through what it found."""
    deadline = time.monotonic() + 180
    while True:
        domains = host.all()
        if not any("operation" in d for d in domains.values()):
            return domains
        assert time.monotonic() < deadline, domains
        time.sleep(0.2)


def check_nothing_is_half_there(host):
    domains = recovered(host)
    assert all(d["id"] >= 0 for d in domains.values()), domains
    ids = sorted(d["id"] for d in domains.values())
    seen = host.domains()
    assert sorted(domains) == sorted(seen), "xl and xend see the same"
    assert [int(i) for i in sorted(host.sh("xenstore-list /local/domain").split(), key=int)] == ids
    assert len(host.sh("xenstore-list /vm; true").split()) == len(ids) - 1
    assert len(host.sh("ls /var/lib/xend/domains").split()) == len(ids) - 1
    assert host.sh("ps | grep '[x]end-worker'; true") == ""
    assert host.sh("find /var/lib/xend/domains -name '*.json.*'") == ""
    backends = set(host.sh("ls /sys/bus/xen-backend/devices").split())
    known = set()
    for domain in domains.values():
        for kind in ("vbd", "vif"):
            if domain["id"] > 0:
                devices = host.ask("device.list", domain=domain["id"], **{"class": kind})["devices"]
                assert all("config" in d for d in devices), "the record knows each"
                known |= {f"{kind}-{domain['id']}-{d['devid']}" for d in devices}
    assert backends == known
    disks = len([b for b in backends if b.startswith("vbd")])
    assert len(host.sh("losetup -a").splitlines()) == disks
    vifs = len([b for b in backends if b.startswith("vif")])
    assert host.sh("ls /sys/class/net").count("vif") == vifs


def test_killed_at_random_moments(xend):
    host = xend
    random.seed(SEED)
    host.sh("for f in keeper victim more; do dd if=/dev/urandom of=/data/$f.img bs=1M count=4 2>/dev/null; done")
    keeper = host.make(KEEPER)
    host.guest("keeper", "(i=0; while :; do i=$((i+1)); echo $i >/tmp/n.new; mv /tmp/n.new /tmp/n; sleep 1; done) & sleep 1")
    counted = 0
    kinds = [kind for kind in WORK if kind is not Save or "save" in os.environ.get("XEND_KILL_WORK", "save")]
    for number in range(KILLS):
        work = kinds[number % len(kinds)](host)
        work.prepare()
        method, params = work.request()
        delay = random.uniform(0, work.longest)
        host.run(f"(xend-call {method} {shlex.quote(json.dumps(params))} >/tmp/answer 2>&1 &); "
                 f"usleep {int(delay * 1e6)}; kill -9 $(cat /run/xend/xend.pid)")
        host.start_xend()
        try:
            check_nothing_is_half_there(host)
            work.again()
            check_nothing_is_half_there(host)
            assert host.all()["keeper"]["id"] == keeper["id"]
            now = int(host.guest("keeper", "cat /tmp/n"))
            assert now > counted, "it runs"
            counted = now
        except BaseException:
            print(f"kill {number}: {method} after {delay:.3f} s\n{host.xend_log()}")
            raise
    assert host.guest("keeper", "md5sum </dev/xvda") == host.sh("md5sum </data/keeper.img")
    host.destroy_guests()


def test_a_save_that_was_hardly_begun_leaves_no_file(xend):
    """Between the file's first moment and the record's that tells of it, once, nobody knew whose it was."""
    host = xend
    host.destroy_guests()
    host.sh("truncate -s 8M /data/victim.img; rm -f /data/victim.save")
    host.make(VICTIM)
    for delay in range(20, 160, 20):
        host.run("(xend-call domain.save '{\"domain\": \"victim\", \"path\": \"/data/victim.save\"}' >/tmp/answer 2>&1 &); "
                 f"usleep {delay}000; kill -9 $(cat /run/xend/xend.pid)")
        host.start_xend()
        recovered(host)
        assert host.run("test -e /data/victim.save")[0] != 0, delay
        host.guest("victim", "echo alive")
    # What is not an unfinished save is not removed.
    host.sh("echo mine >/data/victim.save")
    with pytest.raises(XendError, match="is not the file of a saved domain"):
        host.ask("domain.save", domain="victim", path="/data/victim.save")
    assert host.sh("cat /data/victim.save") == "mine"
    host.destroy_guests()


@pytest.mark.parametrize("delay", (130, 160, 190, 220, 250, 400, 800))
def test_a_restart_is_seen_by_nobody(xend, delay):
    """The orderly way: a stop in the middle of a create takes the create back first, and soon, wherever it was; one that was done
    stays done. Milliseconds; about 200 after the request its backends begin, which was once waited for in vain."""
    host = xend
    host.destroy_guests()
    host.sh("truncate -s 8M /data/victim.img")
    order = shlex.quote(json.dumps({"config": config_of(VICTIM)}))
    text = host.sh(
        f"(xend-call domain.create {order} >/tmp/answer 2>&1 &); pid=$(cat /run/xend/xend.pid); "
        f"usleep {delay}000; kill $pid; echo; echo at $(cat /proc/uptime); "
        "for i in $(seq 300); do grep -qs 'State:.[A-Y]' /proc/$pid/status || break; usleep 100000; done; echo; echo at $(cat /proc/uptime)",
        120)
    # What the kernel says may come in between.
    begun, ended = (float(seconds) for seconds in re.findall(r"^at ([0-9.]+) ", text, re.M))
    answer = host.sh("cat /tmp/answer")
    if '"result"' in answer:
        assert "victim" in host.domains()
    else:
        assert "victim" not in host.domains()
        # Or it had not come to xend yet.
        assert '"cancelled"' in answer or "hung up" in answer or "No such file" in answer or "refused" in answer, answer
    assert ended - begun < 8
    host.start_xend()
    check_nothing_is_half_there(host)
    host.destroy_guests()
