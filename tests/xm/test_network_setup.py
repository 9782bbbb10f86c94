# SPDX-License-Identifier: MIT
"""`xm network-setup` hands its options to the program that makes the bridge; what that does, tests/system shows."""

import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "toolstack/network"))
import ifupdown  # noqa: E402
import networkd  # noqa: E402


@pytest.fixture
def setup(xm, tmp_path):
    program = tmp_path / "network"
    program.write_text("import sys\nprint(sys.argv[1:])\nsys.exit(1 if '--undo' in sys.argv else 0)\n")
    xm.env["XM_NETWORK_SETUP"] = str(program)
    return lambda *words: xm("network-setup", *words)


def test_options_arrive(setup):
    assert setup("-n", "--nat", "--address=10.1.0.1/24", "-b", "lan").out == "['--bridge', 'lan', '--nat', '--address', '10.1.0.1/24', '--dry-run']\n"


def test_its_status_is_xms(setup):
    assert (setup().status, setup("--undo").status) == (0, 1)


def test_a_missing_program_is_said(xm):
    xm.env["XM_NETWORK_SETUP"] = "/nonexistent/network"
    done = xm("network-setup")
    assert done.status == 1 and done.err.startswith("Error: Cannot set up the network: /nonexistent/network: No such file")


def test_stanzas_move_to_the_bridge():
    text, found = ifupdown.move("""\
# mine
auto lo eth0
iface lo inet loopback

allow-hotplug eth0
iface eth0 inet static
    address 192.0.2.7/24
    up echo $IFACE eth0
iface eth0 inet6 auto
iface eth0.5 inet dhcp
""", "eth0", "xenbr0", "00:11:22:33:44:55")
    assert found and text == """\
# mine
auto lo
auto xenbr0
iface lo inet loopback

auto xenbr0
iface xenbr0 inet static
    bridge_ports eth0
    bridge_stp off
    bridge_fd 0
    bridge_hw 00:11:22:33:44:55
    address 192.0.2.7/24
    up echo $IFACE eth0
iface xenbr0 inet6 auto
iface eth0.5 inet dhcp

iface eth0 inet manual
"""
    assert ifupdown.move("auto eth1\niface eth1 inet dhcp\n", "eth0", "xenbr0", "") == ("auto eth1\niface eth1 inet dhcp\n", False)


def test_what_tunes_the_card_stays_with_it():
    assert networkd.moved("""\
[Match]
Name=eth0
[Link]
MTUBytes=9000
[Network]
DHCP=yes
VLAN=five
[Route]
Destination=198.51.100.0/24
""", "xenbr0") == """\
[Match]
Name=xenbr0
[Network]
DHCP=yes
[Route]
Destination=198.51.100.0/24
"""
