# SPDX-License-Identifier: MIT
"""Cluster managers that call xm: Ganeti's way of reading it, and Pacemaker's agent for Xen as Debian has it, unmodified."""

import pytest

import ganeti
import xm as xm_module
from xm import Guest, Xm, changed

MACHINE = {**xm_module.MACHINE, "payloads": (*xm_module.MACHINE["payloads"], "payload-ocf.cpio")}
GUEST = Guest("cl1", vcpus=2, memory=160)
AGENT = "/usr/lib/ocf/resource.d/heartbeat/Xen"
# Of the agent's protocol (ocf-returncodes).
SUCCESS, GENERIC_ERROR, NOT_INSTALLED, NOT_RUNNING = 0, 1, 5, 7


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    return xm


def agent(dom0, action, timeout=180, **parameters):
    """Run it as Pacemaker does; its exit status and what it said. It takes xl if it finds one, so there is none."""
    values = {"xmfile": "/etc/xen/cl1", "shutdown_timeout": "60", "CRM_meta_timeout": "90000", **parameters}
    words = " ".join(f"OCF_RESKEY_{key}={value}" for key, value in values.items())
    dom0.sh("mkdir -p /var/run/resource-agents /run/ocf; [ ! -e /usr/sbin/xl ] || mv /usr/sbin/xl /usr/sbin/xl.away")
    try:
        return dom0.run(f"OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=cl1 HA_LOGFACILITY=none HA_debug=0 {words} "
                        f"bash {AGENT} {action} </dev/null", timeout)
    finally:
        dom0.sh("mv /usr/sbin/xl.away /usr/sbin/xl")


def test_ganeti_reads_the_list(dom0, xm):
    xm.destroy_all()
    xm.create(GUEST)
    found = ganeti.read_list(xm.good("list"))
    assert found["Domain-0"][0] == 0 and found["cl1"][1:4] == (160, 2, "running")
    xm.good("pause cl1")
    assert ganeti.read_list(xm.good("list"))["cl1"][3] == "running"
    xm.good("unpause cl1")
    # A reboot is seen by another ID.
    before = found["cl1"][0]
    xm.good("reboot cl1", 120)
    xm.wait(lambda d: d.get("cl1", (before,))[0] != before, 120)
    assert ganeti.read_list(xm.good("list"))["cl1"][0] > before
    xm.good("destroy cl1")


def test_ganeti_reads_the_info(xm):
    info = ganeti.read_info(xm.good("info"))
    assert info["cpu_total"] == 1 and info["cpu_sockets"] >= 1 and info["memory_total"] > info["memory_free"] > 0
    assert (info["major"], info["minor"]) >= (4, 0)


def test_pacemaker_starts_monitors_and_stops(dom0, xm):
    xm.destroy_all()
    dom0.sh("mkdir -p /etc/xen")
    xm.write(GUEST, "/etc/xen/cl1")
    assert agent(dom0, "monitor", CRM_meta_interval="0")[0] == NOT_RUNNING
    status, text = agent(dom0, "start")
    assert status == SUCCESS, text
    number = xm.domains()["cl1"][0]
    assert agent(dom0, "start")[0] == SUCCESS and xm.domains()["cl1"][0] == number
    dom0.wait_guest("cl1")
    assert agent(dom0, "monitor", CRM_meta_interval="10000")[0] == SUCCESS
    assert agent(dom0, "status")[0] == SUCCESS
    xm.good("pause cl1")
    assert agent(dom0, "monitor", CRM_meta_interval="10000")[0] == SUCCESS
    xm.good("unpause cl1")
    status, text = agent(dom0, "stop")
    assert status == SUCCESS, text
    assert "cl1" not in xm.domains()
    assert agent(dom0, "monitor", CRM_meta_interval="0")[0] == NOT_RUNNING
    assert agent(dom0, "stop")[0] == SUCCESS


def test_pacemaker_with_a_name_of_its_own_and_at_once(dom0, xm):
    """name="N" behind the file; a timeout of 0 destroys."""
    xm.destroy_all()
    xm.write(GUEST, "/etc/xen/cl1")
    status, text = agent(dom0, "start", name="web-7")
    assert status == SUCCESS, text
    assert "web-7" in xm.domains()
    assert agent(dom0, "stop", name="web-7", shutdown_timeout="0")[0] == SUCCESS
    assert "web-7" not in xm.domains()


def test_pacemaker_is_told_of_failures(dom0, xm):
    xm.destroy_all()
    dom0.write("/etc/xen/cl1", changed(GUEST, 'kernel="/no/kernel"'))
    assert agent(dom0, "start")[0] == GENERIC_ERROR
    assert agent(dom0, "start", xmfile="/etc/xen/nothing", name="cl1")[0] == NOT_INSTALLED
    xm.write(GUEST, "/etc/xen/cl1")
    status, text = agent(dom0, "migrate_to", CRM_meta_migrate_target="other")
    assert status == GENERIC_ERROR, text
