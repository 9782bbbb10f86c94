# SPDX-License-Identifier: MIT
"""`xm network-setup` on a Debian in a container, by each of the programs that run a host's network. No hypervisor: whichever
HV says, the same happens."""

import os

import pytest

from lab import ROOT
from lab.container import GATEWAY, Container, Lan
from lab.images import network

pytestmark = pytest.mark.one_processor
SETUP = "python3 /usr/lib/xenolith/network"
LOOPBACK = "auto lo\niface lo inet loopback\n"
# How a Debian says that its card asks for an address, by each program.
DHCP = {
    "ifupdown": {"etc/network/interfaces": LOOPBACK + "source /etc/network/interfaces.d/*\n\nallow-hotplug CARD\niface CARD inet dhcp\n"},
    "systemd-networkd": {"etc/network/interfaces": None, "etc/systemd/network/20-lan.network": "[Match]\nName=CARD\n\n[Network]\nDHCP=yes\n"},
    "NetworkManager": {"etc/network/interfaces": LOOPBACK},
}
STATIC = {
    "ifupdown": {"etc/network/interfaces": LOOPBACK + "auto CARD\niface CARD inet static\n    address 10.66.0.7/24\n    gateway 10.66.0.1\n"},
    "systemd-networkd": {"etc/network/interfaces": None, "etc/systemd/network/20-lan.network":
                         "[Match]\nName=CARD\n\n[Link]\nMTUBytes=1400\n\n[Network]\nAddress=10.66.0.7/24\nGateway=10.66.0.1\n"},
    "NetworkManager": {"etc/network/interfaces": LOOPBACK, "etc/NetworkManager/system-connections/lan.nmconnection":
                       "[connection]\nid=lan\nuuid=7f0e4c1c-6a0b-4c0e-9c2b-0f6d3a1a5c01\ntype=ethernet\ninterface-name=CARD\n\n"
                       "[ipv4]\nmethod=manual\naddress1=10.66.0.7/24,10.66.0.1\n"},
}
MANAGERS = list(DHCP)
UNITS = {"ifupdown": "networking", "systemd-networkd": "systemd-networkd", "NetworkManager": "NetworkManager"}


@pytest.fixture(scope="module")
def tree():
    return network.make()


def host(tree, manager, files, lan, tmp_path):
    """A container whose network this program runs."""
    wants = {f"etc/systemd/system/multi-user.target.wants/{unit}.service": None for unit in UNITS.values()}
    ours = {f"usr/lib/xenolith/network/{path.name}": path.read_text() for path in (ROOT / "toolstack/network").glob("*.py")}
    texts = {path: text and text.replace("CARD", lan.cable) for path, text in files.items()}
    return Container(f"xn{os.getpid()}", tree, lan.cable, {**wants, **ours, **texts}, tmp_path / "console.log")


@pytest.fixture
def lan():
    with Lan(f"{os.getpid()}") as cable:
        yield cable


def settle(machine, manager):
    """Starts the program and waits until the host has its network."""
    machine.run("chmod 600 /etc/NetworkManager/system-connections/* 2>/dev/null")
    machine.run(f"systemctl start {UNITS[manager]}", check=True)
    if manager == "ifupdown":
        # Debian's udev does this for a card that is plugged in.
        machine.run(f"ifup {machine.cable}")
    wait(machine, machine.cable)


def wait(machine, interface):
    seen = machine.run(f"for i in $(seq 60); do ip -4 route show default dev {interface} | grep -q via && exit 0; sleep 1; done; "
                       "ip address; ip route; exit 1")
    assert seen == "", seen


def addresses(machine, interface):
    return machine.run(f"ip -4 -o address show dev {interface} | awk '{{print $4}}'").split()


@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize("kind, files", [("dhcp", DHCP), ("static", STATIC)])
def test_the_card_joins_and_leaves(tree, lan, tmp_path, manager, kind, files):
    with host(tree, manager, files[manager], lan, tmp_path) as machine:
        settle(machine, manager)
        before = addresses(machine, lan.cable)
        # NetworkManager writes the files of its connections anew whenever one changes.
        old = machine.run("cd /etc; find network systemd/network -type f | sort | xargs sha256sum >/run/old; cat /run/old")
        assert len(before) == 1
        assert "xenbr0" in machine.run(f"{SETUP} --dry-run", check=True)
        said = machine.run(SETUP, check=True)
        assert said == f"The bridge xenbr0 is there, by {manager}; {lan.cable} has joined it. `xm network-setup --undo' takes it back.\n"
        # The same address, because the server knows the bridge by the card's.
        assert addresses(machine, "xenbr0") == before and addresses(machine, lan.cable) == []
        assert machine.run("ls /sys/class/net/xenbr0/brif").split() == [lan.cable]
        assert "bytes from" in machine.run(f"ping -c 1 -w 10 {GATEWAY}")
        assert "exists already" in machine.run(SETUP)
        # It stays after a restart of the host's network.
        machine.run(f"systemctl restart {UNITS[manager]}", check=True)
        wait(machine, "xenbr0")
        assert machine.run(f"{SETUP} --undo", check=True) == "The bridge xenbr0 is gone.\n"
        wait(machine, lan.cable)
        assert addresses(machine, lan.cable) == before
        assert "xenbr0" not in machine.run("ip link")
        assert old and machine.run("cd /etc; sha256sum --quiet -c /run/old; find . -name '*xenolith*'") == ""
        assert machine.run(f"{SETUP} --undo") == "Error: Nothing to undo: `xm network-setup' has made no bridge on this host.\n"


GUEST = ("ip netns add g; ip link add v0 type veth peer name v1; ip link set v1 netns g; ip link set v0 master xenbr0 up; "
         "ip -n g link set v1 up; ")


@pytest.mark.parametrize("manager", MANAGERS)
def test_guests_behind_the_host(tree, lan, tmp_path, manager):
    with host(tree, manager, DHCP[manager], lan, tmp_path) as machine:
        settle(machine, manager)
        machine.run(f"{SETUP} --nat", check=True)
        # A namespace plays the guest: it asks for an address, and reaches who does not know its network.
        machine.run(GUEST)
        machine.run("ip netns exec g dhclient -1 -v -sf /bin/true -lf /run/l v1")
        lease = machine.run("cat /run/l")
        assert "fixed-address 10.55.0." in lease and "routers 10.55.0.1" in lease, lease
        machine.run("ip -n g address add 10.55.0.77/24 dev v1; ip -n g route add default via 10.55.0.1", check=True)
        assert "bytes from" in machine.run(f"ip netns exec g ping -c 1 -w 10 {GATEWAY}")
        assert "v0 lie on it" in machine.run(f"{SETUP} --undo")
        machine.run("ip link delete v0")
        machine.run(f"{SETUP} --undo", check=True)
        assert "xenbr0" not in machine.run("ip link") and "10.55" not in machine.run("nft list ruleset")
        assert addresses(machine, lan.cable)


def test_a_bridge_that_brings_no_network_is_taken_back(tree, lan, tmp_path):
    with host(tree, "ifupdown", DHCP["ifupdown"], lan, tmp_path) as machine:
        settle(machine, "ifupdown")
        before = addresses(machine, lan.cable)
        machine.run("mv /usr/sbin/brctl /usr/sbin/brctl.real; printf '#!/bin/sh\\nexit 3\\n' >/usr/sbin/brctl; chmod +x /usr/sbin/brctl")
        said = machine.run(SETUP)
        assert said.startswith("Error: ") and said.endswith("Everything is as it was.\n"), said
        wait(machine, lan.cable)
        assert addresses(machine, lan.cable) == before


def test_a_bridge_that_gets_no_address_is_taken_back(tree, lan, tmp_path):
    """The bridge comes up, but no server of addresses answers it: only the minute's end tells."""
    with host(tree, "systemd-networkd", DHCP["systemd-networkd"], lan, tmp_path) as machine:
        settle(machine, "systemd-networkd")
        before = addresses(machine, lan.cable)
        machine.run("nft 'table bridge deaf { chain c { type filter hook input priority 0; ether type ip drop; }; }'", check=True)
        said = machine.run(SETUP)
        assert said == "Error: The bridge xenbr0 did not get the host's network within 60 seconds. Everything is as it was.\n"
        wait(machine, lan.cable)
        assert addresses(machine, lan.cable) == before and "xenbr0" not in machine.run("ip link")


def test_a_change_that_was_interrupted_is_taken_back(tree, lan, tmp_path):
    with host(tree, "systemd-networkd", DHCP["systemd-networkd"], lan, tmp_path) as machine:
        settle(machine, "systemd-networkd")
        before = addresses(machine, lan.cable)
        machine.run(SETUP, check=True)
        assert machine.run("stat -c %a /var/lib/xenolith/network-setup.json") == "600\n"
        # As if power had failed before the last file was there.
        machine.run("rm /etc/systemd/network/00-xenolith-xenbr0.network", check=True)
        assert machine.run(f"{SETUP} --undo") == "The bridge xenbr0 is gone.\n"
        wait(machine, lan.cable)
        assert addresses(machine, lan.cable) == before


def test_lines_in_other_files_move_too(tree, lan, tmp_path):
    """Debian's installer writes both into one file; people split them."""
    files = {"etc/network/interfaces": LOOPBACK + "auto CARD\nsource /etc/network/interfaces.d/*\n",
             "etc/network/interfaces.d/lan": "iface CARD inet dhcp\n"}
    with host(tree, "ifupdown", files, lan, tmp_path) as machine:
        settle(machine, "ifupdown")
        machine.run(SETUP, check=True)
        assert "auto xenbr0" in machine.run("cat /etc/network/interfaces")
        machine.run("systemctl restart networking", check=True)
        wait(machine, "xenbr0")


def test_a_file_that_somebody_changed_is_not_lost(tree, lan, tmp_path):
    with host(tree, "ifupdown", DHCP["ifupdown"], lan, tmp_path) as machine:
        settle(machine, "ifupdown")
        machine.run(SETUP, check=True)
        machine.run("echo '# mine' >>/etc/network/interfaces")
        assert "somebody has changed /etc/network/interfaces since" in machine.run(f"{SETUP} --undo")
        assert "# mine" in machine.run("cat /etc/network/interfaces") and addresses(machine, "xenbr0")


@pytest.mark.parametrize("words, text", [
    ("--interface nosuch", "There is no interface nosuch."),
    ("--interface lo", "lo is no Ethernet card"),
    ("--bridge bad/name", "cannot be the name of a bridge"),
    ("--nat --address 10.66.0.9/24", "the host reaches 10.66.0.0/24"),
    ("--nat --address 10.55.0.0/24", "a network of 8 to 65,536 addresses is needed"),
    ("--nat --address nonsense", "Expected 4 octets"),
    ("--address 10.55.0.1/24", "--address belongs to --nat"),
])
def test_what_is_refused(refusing, words, text):
    before = refusing.run("ip link; find /etc/network -newer /usr/lib/xenolith")
    said = refusing.run(f"{SETUP} {words}")
    assert said.startswith("Error: ") and text in said
    assert refusing.run("ip link; find /etc/network -newer /usr/lib/xenolith") == before


@pytest.mark.parametrize("words", ["", "--nat", "--undo"])
def test_only_root_changes_the_network(refusing, words):
    said = refusing.run(f"setpriv --reuid 65534 --clear-groups {SETUP} {words}")
    assert said == "Error: Only root may change the host's network. Please try again as root.\n"


@pytest.fixture(scope="module")
def refusing(tree, tmp_path_factory):
    with Lan(f"r{os.getpid()}") as lan:
        with host(tree, "ifupdown", DHCP["ifupdown"], lan, tmp_path_factory.mktemp("refusing")) as machine:
            settle(machine, "ifupdown")
            yield machine
