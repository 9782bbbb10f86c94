# SPDX-License-Identifier: MIT
"""xm moves a guest over TLS to a host that it knows, and that knows it; strangers get nowhere."""

import pytest
from test_migrate import GUEST, Host, uptime
from xm import Xm

from lab.pc import Disk, cable

pytestmark = [pytest.mark.long, pytest.mark.one_processor]

# The plain server stays off.
CONFIG = """(xend-relocation-ssl-server yes)
(xend-relocation-hosts-allow '^10\\\\.77\\\\.0\\\\.1[0-9]$')
(xend-relocation-paths '/guest /dev/vda')"""
KEYS = "/etc/xen/xmlrpc.key", "/etc/xen/xmlrpc.crt"


class TlsHost(Host):
    def prepare(self):
        self.wait_ready(180)
        self.sh("ip addr flush dev xenbr0; ip link set eth0 up master xenbr0; "
                f"ip addr add {self.address}/24 dev xenbr0; mkdir -p /etc/xen")
        self.write("/etc/xen/xend-config.sxp", CONFIG.replace("'", "'\\''").splitlines())
        self.start_xend()
        self.xm = Xm(self)

    def own(self):
        return self.ask("trust.list")["own"]


@pytest.fixture(scope="module")
def hosts(hv, lab, tmp_path_factory):
    directory = tmp_path_factory.mktemp("migrate-tls")
    disk = Disk(directory / "shared.img", shared=True)
    disk.path.write_bytes(bytes(16 << 20))
    pair = [TlsHost(number, hv, disks=(disk,), nics=(nic,)) for number, nic in enumerate(cable(directory))]
    with pair[0], pair[1]:
        for host in pair:
            host.prepare()
        yield pair


def test_a_guest_moves_over_tls_between_hosts_that_know_each_other(hosts):
    here, there = hosts
    here.xm.create(GUEST)
    order = f"migrate --ssl mover {there.address}"
    before = uptime(here)
    # Nobody knows anybody: the error says what to do.
    text = here.xm.fails(order)
    assert f"certificate of {there.address} is not known here" in text and f"`xm trust {there.address}'" in text
    shown = here.xm.good(f"trust --yes {there.address}")
    assert here.own() in shown and there.own() in shown
    # It knows the other one now, which does not know it.
    text = here.xm.fails(order)
    assert "does not know your host's certificate" in text and here.own() in text
    assert f"{here.address} has asked" in there.xm.good("trust --list")
    # Another certificate than that of the host: a wrong one is refused, too.
    there.xm.good(f"trust --fingerprint {'0' * 64} {here.address}")
    assert "does not know your host's certificate" in here.xm.fails(order)
    there.xm.good(f"trust --yes {here.address}")
    assert here.xm.good(f"migrate --ssl --check mover {there.address}") == f"Domain 'mover' can move to {there.address}."
    assert "is at 10.77.0.12 now" in here.xm.good(order, 300)
    assert uptime(there) > before
    there.xm.good(f"migrate --ssl mover {here.address}", 300)
    assert uptime(here) > before
    for host in hosts:
        assert host.sh("ps | grep '[x]end-tls'; true") == "", "a connection has ended, and its process has not"


def test_another_certificate_in_the_place_of_a_known_one(hosts):
    here, there = hosts
    # The target is installed anew.
    there.sh(f"rm {' '.join(KEYS)}")
    text = here.xm.fails(f"migrate --ssl mover {there.address}")
    assert "shows another certificate than the one that is trusted" in text and "xm trust --remove" in text
    here.xm.good(f"trust --remove {there.address}")
    here.xm.good(f"trust --yes {there.address}")
    assert "can move" in here.xm.good(f"migrate --ssl --check mover {there.address}")


def test_a_certificate_expires(hosts):
    here, there = hosts
    try:
        there.sh("date >/tmp/now; date -s 2060-01-01 >/dev/null")
        text = here.xm.fails(f"migrate --ssl mover {there.address}")
        assert "has expired" in text, text
    finally:
        there.sh("date -s \"$(cat /tmp/now)\" >/dev/null; true")


def test_who_shows_none_or_speaks_no_tls(hosts):
    here, there = hosts
    assert "Connection refused" in here.xm.fails(f"migrate mover {there.address}")  # 8002 is off
    # A plain conversation to the port of TLS; and the reverse does not hang either.
    assert "Error" in here.xm.fails(f"migrate -p 8003 mover {there.address}", 120)
    assert here.guest("mover", "echo alive") == "alive"
