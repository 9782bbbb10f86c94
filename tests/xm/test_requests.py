# SPDX-License-Identifier: MIT
"""What each command asks of xend."""

import pytest

from fake_xend import DOMAIN0, Refusal, domain, domains

REQUESTS = [
    (("destroy", "g1"), "domain.destroy", {"domain": "g1"}),
    (("pause", "g1"), "domain.pause", {"domain": "g1"}),
    (("unpause", "3"), "domain.unpause", {"domain": "3"}),
    (("save", "g1", "/a/b"), "domain.save", {"domain": "g1", "path": "/a/b", "continue": False}),
    (("save", "-c", "g1", "/a/b"), "domain.save", {"domain": "g1", "path": "/a/b", "continue": True}),
    (("restore", "/a/b"), "domain.restore", {"path": "/a/b", "paused": False}),
    (("restore", "-p", "/a/b"), "domain.restore", {"path": "/a/b", "paused": True}),
    (("restore", "--trust", "/a/b"), "domain.restore", {"path": "/a/b", "paused": False, "trust": True}),
    (("migrate", "g1", "h2"), "domain.migrate", {"domain": "g1", "host": "h2"}),
    (("migrate", "--check", "g1", "h2"), "domain.migrate", {"domain": "g1", "host": "h2", "check": True}),
    (("migrate", "-l", "-p", "8010", "g1", "h2"), "domain.migrate", {"domain": "g1", "host": "h2", "port": 8010, "live": True}),
    (("migrate", "--no-live", "g1", "h2"), "domain.migrate", {"domain": "g1", "host": "h2", "live": False}),
    (("migrate", "--downtime", "0", "--timeout", "60", "--rate", "500", "--no-throttle", "g1", "h2"), "domain.migrate",
     {"domain": "g1", "host": "h2", "downtime_ms": 0, "timeout": 60, "rate": 500, "throttle": False}),
    (("migrate-cancel", "g1"), "domain.migrate-cancel", {"domain": "g1"}),
    (("migrate", "--ssl", "g1", "h2"), "domain.migrate", {"domain": "g1", "host": "h2", "ssl": True}),
    (("trust", "-f", "a" * 64, "h2"), "trust.add", {"host": "h2", "fingerprint": "a" * 64}),
    (("trust", "--remove", "h2"), "trust.remove", {"host": "h2"}),
    (("migrate-keep", "g1"), "domain.migrate-keep", {"domain": "g1"}),
    (("rename", "g1", "g2"), "domain.rename", {"domain": "g1", "name": "g2"}),
    (("sysrq", "g1", "s"), "domain.sysrq", {"domain": "g1", "key": "s"}),
    (("trigger", "g1", "power"), "domain.trigger", {"domain": "g1", "trigger": "power", "vcpu": 0}),
    (("trigger", "g1", "NMI", "3"), "domain.trigger", {"domain": "g1", "trigger": "nmi", "vcpu": 3}),
    (("reset", "g1"), "domain.reset", {"domain": "g1"}),
    (("shutdown", "g1"), "domain.shutdown", {"domain": "g1", "wait": False}),
    (("shutdown", "-w", "g1"), "domain.shutdown", {"domain": "g1", "wait": True}),
    (("shutdown", "-R", "g1"), "domain.reboot", {"domain": "g1", "wait": False}),
    (("reboot", "g1"), "domain.reboot", {"domain": "g1", "wait": False}),
    (("reboot", "--wait", "g1"), "domain.reboot", {"domain": "g1", "wait": True}),
    (("start", "g1"), "domain.start", {"domain": "g1", "paused": False}),
    (("start", "-p", "g1"), "domain.start", {"domain": "g1", "paused": True}),
    (("suspend", "g1"), "domain.suspend", {"domain": "g1"}),
    (("resume", "g1"), "domain.resume", {"domain": "g1", "paused": False}),
    (("delete", "g1"), "domain.delete", {"domain": "g1"}),
    (("delete", "-f", "g1"), "domain.delete", {"domain": "g1", "force": True}),
    (("mem-set", "g1", "128"), "memory.set", {"domain": "g1", "kb": 131072}),
    (("mem-set", "g1", "1g"), "memory.set", {"domain": "g1", "kb": 1048576}),
    (("mem-set", "g1", "2048K"), "memory.set", {"domain": "g1", "kb": 2048}),
    (("mem-set", "g1", "64M"), "memory.set", {"domain": "g1", "kb": 65536}),
    (("mem-max", "g1", "512"), "memory.max", {"domain": "g1", "kb": 524288}),
    (("vcpu-set", "g1", "2"), "vcpu.set", {"domain": "g1", "count": 2}),
    (("vcpu-pin", "g1", "0", "1"), "vcpu.pin", {"domain": "g1", "vcpu": 0, "cpus": "1"}),
    (("vcpu-pin", "g1", "all", "0-3,5,^1"), "vcpu.pin", {"domain": "g1", "vcpu": "all", "cpus": "0-3,5,^1"}),
    (("vcpu-pin", "g1", "1", "all"), "vcpu.pin", {"domain": "g1", "vcpu": 1, "cpus": "all"}),
    (("sched-credit", "-d", "g1"), "sched.get", {"domain": "g1"}),
    (("sched-credit", "-d", "g1", "-w", "512"), "sched.set", {"domain": "g1", "weight": 512}),
    (("sched-credit", "-d", "g1", "-c", "0"), "sched.set", {"domain": "g1", "cap": 0}),
    (("sched-credit", "--domain=g1", "--weight=1", "--cap=250"), "sched.set", {"domain": "g1", "weight": 1, "cap": 250}),
    (("dmesg",), "host.dmesg", {"clear": False}),
    (("dmesg", "-c"), "host.dmesg", {"clear": True}),
    (("debug-keys", "qr"), "host.debug-keys", {"keys": "qr"}),
    (("log", "-n", "5"), "xend.log", {"lines": 5}),
    (("block-list", "g1"), "device.list", {"domain": "g1", "class": "vbd"}),
    (("network-list", "g1"), "device.list", {"domain": "g1", "class": "vif"}),
    (("block-detach", "g1", "xvdb"), "device.detach", {"domain": "g1", "class": "vbd", "device": "xvdb", "force": False}),
    (("block-detach", "-f", "g1", "51728"), "device.detach", {"domain": "g1", "class": "vbd", "device": "51728", "force": True}),
    (("network-detach", "g1", "0"), "device.detach", {"domain": "g1", "class": "vif", "device": "0", "force": False}),
]


@pytest.mark.parametrize("words,method,params", REQUESTS, ids=[" ".join(r[0]) for r in REQUESTS])
def test_request(xm, xend, words, method, params):
    xm.good(*words)
    assert xend.requests == [(method, params)]


def test_paths_are_made_absolute(xm, xend):
    xm.good("save", "g1", "here")
    xm.good("restore", "sub/there")
    assert [r[1]["path"] for r in xend.requests] == [f"{xm.directory}/here", f"{xm.directory}/sub/there"]


def test_dump_core_has_a_default_file(xm, xend):
    xend.answers["domain.dump-core"] = lambda params: {"path": params["path"]}
    assert xm.good("dump-core", "g1").startswith("The memory of domain 'g1' is in /var/lib/xen/dump/20")
    assert xend.requests[0][1]["path"].endswith("-g1.core")
    xm.good("dump-core", "-LC", "g1", "/x/y")
    assert xend.requests[1][1] == {"domain": "g1", "path": "/x/y", "live": True, "crash": True}


def test_block_attach(xm, xend):
    xm.good("block-attach", "g1", "phy:/dev/vg/a", "xvdb", "w")
    method, params = xend.requests[0]
    assert method == "device.attach" and params["domain"] == "g1" and params["class"] == "vbd"
    config = params["config"]
    assert (config["type"], config["target"], config["vdev"], config["mode"]) == ("phy", "/dev/vg/a", "xvdb", "w")


def test_block_configure(xm, xend):
    xm.good("block-configure", "g1", "file:/a.iso", "xvdc", "r", "0")
    method, params = xend.requests[0]
    assert method == "device.configure"
    assert (params["config"]["type"], params["config"]["target"], params["config"]["mode"]) == ("file", "/a.iso", "r")
    assert params["config"]["backend"] == "0"


@pytest.mark.parametrize("words", [("phy:/dev/a", "nonsense", "w"), ("phy:/dev/a", "xvdb", "q"), ("relative", "xvdb", "w")])
def test_block_attach_of_nonsense_names_it(xm, xend, words):
    text = xm.fails("block-attach", "g1", *words)
    assert text.startswith("Error: Domain 'g1', disk ") and not xend.requests


def test_network_attach(xm, xend):
    xm.good("network-attach", "g1")
    xm.good("network-attach", "g1", "bridge=xenbr1", "mac=00:16:3E:00:00:07")
    assert xend.requests[0][0] == "device.attach" and xend.requests[0][1]["class"] == "vif"
    config = xend.requests[1][1]["config"]
    assert (config["bridge"], config["mac"]) == ("xenbr1", "00:16:3e:00:00:07")


def test_network_attach_of_nonsense_names_it(xm, xend):
    text = xm.fails("network-attach", "g1", "mac=zz")
    assert text.startswith("Error: Domain 'g1', network card: ") and "zz" in text and not xend.requests


def test_shutdown_of_all_spares_domain0_and_what_does_not_run(xm, xend):
    xend.answers["domain.list"] = domains(DOMAIN0, domain("a", 1), domain("b", 2), domain("off", -1, status=0))
    assert xm.good("shutdown", "-a") == ""
    assert sorted(p["domain"] for m, p in xend.requests if m == "domain.shutdown") == ["a", "b"]


def test_shutdown_of_all_with_waiting_says_who_is_gone(xm, xend):
    xend.answers["domain.list"] = domains(DOMAIN0, domain("a", 1), domain("b", 2))
    xend.answers["domain.shutdown"] = {"reason": "poweroff"}
    out = xm.good("shutdown", "-a", "-w").splitlines()
    assert sorted(out[:2]) == ["Domain a terminated", "Domain b terminated"] and out[2] == "All domains terminated"
    assert all(p["wait"] for m, p in xend.requests if m == "domain.shutdown")


def test_shutdown_of_all_where_there_are_many(xm, xend):
    """More than xend takes clients at once."""
    xend.answers["domain.list"] = domains(DOMAIN0, *[domain(f"g{i}", i) for i in range(1, 301)])
    xend.answers["domain.shutdown"] = {"reason": "poweroff"}
    assert len(xm.good("shutdown", "-aw").splitlines()) == 301


def test_shutdown_goes_on_after_a_failure(xm, xend):
    def answer(params):
        if params["domain"] == "a":
            raise Refusal("busy", "Domain 'a' is being saved.")
        return {"reason": "poweroff"}
    xend.answers["domain.shutdown"] = answer
    done = xm("shutdown", "-w", "a", "b")
    assert (done.status, done.out, done.err) == (1, "Domain b terminated\n", "Error: Domain 'a' is being saved.\n")


def test_a_warning_of_xend_is_said_and_the_command_succeeds(xm, xend):
    xend.answers["memory.set"] = {"warning": "Domain 'g1' is asked to do with 10 MiB."}
    done = xm("mem-set", "g1", "10")
    assert (done.status, done.out, done.err) == (0, "", "Warning: Domain 'g1' is asked to do with 10 MiB.\n")


LIST = {"own": "0" * 64, "hosts": [{"host": "h2", "fingerprint": "2" * 64}], "asked": [{"host": "h3", "fingerprint": "3" * 64}]}


def test_the_trusted_hosts(xm, xend):
    xend.answers["trust.list"] = LIST
    assert xm.good("trust", "--list").splitlines() == [
        f"{'Fingerprint':64}  Host", f"{'0' * 64}  this host", f"{'2' * 64}  h2", f"{'3' * 64}  h3 has asked, and is not trusted"]


def test_a_host_is_trusted_only_after_a_yes(xm, xend):
    xend.answers.update({"trust.list": LIST, "trust.look": {"own": "0" * 64, "fingerprint": "9" * 64}, "trust.add": {}})
    text = xm.fails("trust", "h9")
    assert "nobody is there to compare" in text and all(method != "trust.add" for method, _ in xend.requests)
    out = xm.good("trust", "--yes", "h9")
    assert "0" * 64 in out and "9" * 64 in out
    assert xend.requests[-1] == ("trust.add", {"host": "h9", "fingerprint": "9" * 64})
    # One that has asked need not take domains itself.
    xm.good("trust", "--yes", "h3")
    assert xend.requests[-1] == ("trust.add", {"host": "h3", "fingerprint": "3" * 64})


def test_evacuate_moves_what_writes_most_last_and_tries_the_next_host(xm, xend):
    rates = {"a": 30, "b": 10, "c": 20}

    def migrate(params):
        if params["host"] == "h2" and params["domain"] == "c":
            raise Refusal("wrong-state", "Domain 'c' cannot go to h2.")
        return {"downtime_ms": 50}
    xend.answers["domain.list"] = domains(DOMAIN0, *[domain(name, i + 1) for i, name in enumerate(rates)], domain("off", -1, status=0))
    xend.answers["domain.write-rate"] = lambda params: {"write_rate": rates[params["domain"]]}
    xend.answers["domain.migrate"] = migrate
    done = xm("evacuate", "-n", "1", "h1", "h2")
    moves = [(p["domain"], p["host"]) for m, p in xend.requests if m == "domain.migrate"]
    assert moves == [("b", "h1"), ("c", "h2"), ("c", "h1"), ("a", "h1")]
    assert (done.status, done.err) == (0, "Error: Domain 'c' cannot go to h2.\n")
    assert done.out.splitlines()[-1] == "No domain is left here: 3 have moved."


def test_evacuate_says_what_is_left(xm, xend):
    xend.answers["domain.list"] = domains(DOMAIN0, domain("a", 1))
    xend.answers["domain.write-rate"] = Refusal("unsupported", "No.")
    xend.answers["domain.migrate"] = Refusal("failed", "Cannot connect.")
    done = xm("evacuate", "h1", "h2")
    assert (done.status, done.err) == (1, "Error: Cannot connect.\n" * 2 + "Error: 1 domains are still here.\n")
