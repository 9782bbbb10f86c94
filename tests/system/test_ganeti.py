# SPDX-License-Identifier: MIT
"""Ganeti 3.0's own classes for Xen, unmodified, with our xm and a fake xend: what they ask for, and that they understand each answer.
No machine is needed."""

import json
import os
import subprocess
import sys

import pytest

from lab import LAB, ROOT

sys.path.insert(0, str(ROOT / "tests/xm"))
from fake_xend import DOMAIN0, FakeXend, domain, domains  # noqa: E402

INFO = {"nr_cpus": 4, "nr_nodes": 1, "cores_per_socket": 2, "threads_per_core": 1, "total_memory": 4096, "free_memory": 1000,
        "xen_major": 4, "xen_minor": 17}
G1 = domain("g1.lab", 3, memory_kb=512 << 10, vcpus=2)
RUNNING, SHUTDOWN = "running", "shutdown"


class Node:
    """A process of ganeti_node.py."""

    def __init__(self, directory):
        self.xend = FakeXend(directory / "xend.sock")
        self.xend.answers.update({"host.info": INFO, "domain.list": domains(DOMAIN0, G1)})
        self.own = directory / "own"
        for place in (self.own, directory / "bin"):
            place.mkdir()
        (directory / "bin/xm").symlink_to(ROOT / "build/xm")
        env = {**os.environ, "PATH": f"{directory}/bin:{os.environ['PATH']}", "XEND_SOCKET": self.xend.path}
        self.process = subprocess.Popen([sys.executable, ROOT / "tests/system/ganeti_node.py", LAB / "callers", self.own],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def step(self, *words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        good, result = json.loads(self.process.stdout.readline())
        assert good, result
        return result

    def asked(self, method):
        return [params for name, params in self.xend.requests if name == method]


@pytest.fixture
def node(lab, tmp_path):
    node = Node(tmp_path)
    yield node
    node.process.stdin.close()
    node.process.wait()
    node.xend.close()


def test_the_node(node):
    assert node.step("verify") is None
    info = node.step("node")
    assert (info["memory_total"], info["memory_free"], info["memory_dom0"], info["cpu_total"], info["cpu_sockets"]) == (4096, 1000, 1024, 4, 2)
    assert info["memory_hv"] == 4096 - 1000 - 1024 - 512


def test_the_instances(node):
    name, number, mib, vcpus, state, seconds = node.step("list")[0]
    assert (name, number, mib, vcpus, seconds) == ("g1.lab", 3, 512, 2, 1.5)
    assert node.step("running") == ["g1.lab"]
    node.xend.answers["domain.list"] = domains(DOMAIN0, {**G1, "state": "---s--"})
    assert node.step("running") == [] and node.step("list")[0][4] != state


@pytest.mark.parametrize("letters", ["r-----", "-b----", "------", "--p---", "---s--", "--ps--", "-----d", "--p--d", "---s-d", "----c-"])
def test_every_state_is_known(node, letters):
    node.xend.answers["domain.list"] = domains(DOMAIN0, {**G1, "state": letters})
    assert bool(node.step("list")) == ("c" not in letters)


def test_a_managed_guest_that_does_not_run_is_refused(node):
    """Its row has no ID, as it had with the original xm: the guide says so."""
    node.xend.answers["domain.list"] = domains(DOMAIN0, domain("off", -1, status=0, state="------"))
    with pytest.raises(AssertionError, match="Can't parse instance list"):
        node.step("list")


def test_start_reads_the_file_that_it_writes(node):
    node.xend.answers["domain.create"] = {"id": 3, "name": "g1.lab"}
    node.step("start", "g1.lab", "/var/run/ganeti/instance-disks/g1.lab:0")
    config = node.asked("domain.create")[0]["config"]
    assert (config["name"], config["memory"], config["vcpus"], config["on_poweroff"]) == ("g1.lab", 512, 2, "preserve")
    assert config["cpus"] == "0,1"
    assert config["disk"][0]["target"] == "/var/run/ganeti/instance-disks/g1.lab:0" and config["disk"][0]["vdev"] == "sda"
    assert (config["vif"][0]["mac"], config["vif"][0]["bridge"]) == ("aa:00:00:11:22:33", "xenbr0")


def test_stop_waits_and_then_destroys_what_is_kept(node):
    def shutdown(params):
        node.xend.answers["domain.list"] = domains(DOMAIN0, {**G1, "state": "---s--"})
        return {}

    node.xend.answers["domain.shutdown"] = shutdown
    node.step("stop", "g1.lab")
    assert node.asked("domain.shutdown")[0]["wait"] is True
    assert len(node.asked("domain.destroy")) == 1


def test_reboot_is_seen_by_another_id(node):
    def reboot(params):
        node.xend.answers["domain.list"] = domains(DOMAIN0, {**G1, "id": 4})
        return {}

    node.xend.answers["domain.reboot"] = reboot
    node.step("reboot", "g1.lab")
    assert len(node.asked("domain.reboot")) == 1


def test_memory(node):
    (node.own / "g1.lab").write_text("memory = 512\n")
    node.step("memory", "g1.lab", 300)
    assert "memory = 300" in (node.own / "g1.lab").read_text()
    asked = [params for method, params in node.xend.requests if method not in ("domain.list", "host.info")]
    assert asked and asked[0]["domain"] == "g1.lab"
