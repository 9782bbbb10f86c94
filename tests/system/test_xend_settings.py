# SPDX-License-Identifier: MIT
"""What xend does with /etc/xen/xend-config.sxp."""

import base64
import gzip

import pytest

from xend import START, XendDom0

from lab import ROOT

KIND = XendDom0
MACHINE = dict(smp=1, mem=1024)


@pytest.fixture
def host(xend):
    yield xend
    xend.sh("rm -f /etc/xen/xend-config.sxp")


def restart(host, text):
    """xend with that file: the status and the output of its start, and what it added to its log."""
    packed = base64.b64encode(gzip.compress(text.encode())).decode()
    host.sh(f"mkdir -p /etc/xen; echo {packed} | base64 -d | gzip -d >/etc/xen/xend-config.sxp")
    host.kill_xend()
    host.sh("while kill -0 $(cat /run/xend/xend.pid) 2>/dev/null; do sleep 0.1; done; rm -f /var/log/xen/xend.log")
    status, said = host.run(START, 60)
    return status, said, host.sh("cat /var/log/xen/xend.log")


def test_the_shipped_file(host):
    status, _, log = restart(host, (ROOT / "toolstack/etc/xend-config.sxp").read_text())
    assert status == 0 and "WARNING" not in log and "ERROR" not in log


def test_keys_that_are_not_honoured_are_named(host):
    status, _, log = restart(host, "(dom0-min-men 100)\n(xend-relocation-server no)\n(logfile /tmp/x)")
    assert status == 0
    assert "xend-config.sxp:1: dom0-min-men: there is no such key, did you mean dom0-min-mem?" in log
    assert "xend-config.sxp:3: logfile is not supported: the log is /var/log/xen/xend.log, and the journal." in log


def test_every_error_is_told_and_xend_does_not_start(host):
    status, _, log = restart(host, "(dom0-min-mem lots)\n(loglevel loud)")
    assert status != 0
    assert "xend-config.sxp:1:15: dom0-min-mem: expected a size" in log
    assert "xend-config.sxp:2:11: loglevel: expected" in log
    assert host.run("xend-call xend.info")[0] != 0
    assert restart(host, "")[0] == 0


def test_the_network_script_runs_first(host):
    host.sh("mkdir -p /etc/xen/scripts; printf '#!/bin/sh\\necho called $*\\necho $* >/tmp/called\\n' "
            ">/etc/xen/scripts/network-test; chmod +x /etc/xen/scripts/network-test; rm -f /tmp/called")
    status, _, log = restart(host, "(network-script 'network-test netdev=eth0')")
    assert status == 0
    host.sh("for i in $(seq 50); do [ -s /tmp/called ] && break; sleep 0.1; done")
    assert host.sh("cat /tmp/called").strip() == "start netdev=eth0"
    assert "INFO network-script: called start netdev=eth0" in host.xend_log()


def test_a_network_script_that_fails_is_told(host):
    assert restart(host, "(network-script none)")[0] == 0
    host.sh("for i in $(seq 50); do grep -q network-script /var/log/xen/xend.log && break; sleep 0.1; done")
    assert "ERROR The network-script /etc/xen/scripts/none" in host.xend_log()
    assert host.ask("xend.info")["version"] == 1
