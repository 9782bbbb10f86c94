# SPDX-License-Identifier: MIT
"""Network interfaces: on bridges without a script, by Debian's scripts, names, limits, queues; and many attaches and detaches."""

import os

import pytest

import xm as xm_module
from xm import Guest, Xm, files

MACHINE = {**xm_module.MACHINE, "payloads": (*xm_module.MACHINE["payloads"], "payload-devices.cpio", "payload-ovs.cpio")}
CYCLES = int(os.environ.get("CYCLES", "500"))
PINGS = "(for i in $(seq 20); do ping -c 1 -W 1 %s >/dev/null && exit 0; done; exit 1)"


def guest(name, address, vif, **more):
    """A guest whose vif is the text; Guest's own is for one with a MAC and xenbr0."""
    it = Guest(name, memory=192, words=f"quiet lab.ip={address}/24", **more)
    it.more = (f'vif=["{vif}"]',)
    return it


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    yield xm
    if dom0.runs():
        xm.destroy_all()


def write(xm, it):
    xm.dom0.write(f"/root/{it.name}", [line for line in it.lines() if line != "vif=[]"])
    return f"/root/{it.name}"


def create(xm, it):
    xm.dom0.sh(f"rm -f /var/log/xen/console/guest-{it.name}.log")
    xm.good(f"create {write(xm, it)}", 120)
    xm.dom0.wait_guest(it.name)
    return xm.domains()[it.name][0]


def test_a_bridge_without_a_script(dom0, xm):
    """The script is away; the name that the guest's interface gets is its own."""
    dom0.sh("mv /etc/xen/scripts/vif-bridge /tmp; ip link set xenbr0 mtu 1400")
    try:
        number = create(xm, guest("net1", "10.77.0.21", "vifname=web"))
        assert dom0.sh("cat /sys/class/net/web/mtu /sys/class/net/web/address").split() == ["1400", "fe:ff:ff:ff:ff:ff"]
        dom0.sh("test -e /sys/class/net/xenbr0/brif/web")
        assert dom0.sh(f"xenstore-read /local/domain/{number}/device/vif/0/mtu") == "1400"
        dom0.sh(PINGS % "10.77.0.21")
        # The name is taken now: for another guest, by a script too, and of an interface of the host.
        for vif in ("vifname=web", "vifname=web,script=/tmp/vif-bridge"):
            assert "cannot be named web: that of domain 'net1' has this name" in xm.fails(f"create {write(xm, guest('net2', '10.77.0.22', vif))}")
        assert "Domain-0 has an interface of this name" in xm.fails("network-attach net1 vifname=xenbr0")
        dom0.sh(PINGS % "10.77.0.21")
        xm.good("reboot -w net1", 240)
        dom0.wait_guest("net1", count=2)
        dom0.sh(PINGS % "10.77.0.21")
        xm.good("destroy net1")
        assert dom0.sh("ls /sys/class/net/xenbr0/brif") == ""
    finally:
        dom0.run("mv /tmp/vif-bridge /etc/xen/scripts; ip link set xenbr0 mtu 1500")


def test_without_the_default_bridge(dom0, xm):
    """It is no other one's turn: the first by name would be docker0."""
    dom0.sh("brctl addbr docker0; ip link set xenbr0 down; ip link set xenbr0 name other0")
    try:
        said = xm.fails(f"create {write(xm, guest('net1', '10.77.0.21', ''))}")
        assert "names no bridge, and the default, xenbr0, does not exist" in said and "default-bridge" in said
        dom0.sh("ip link set other0 name eth7")
        # network-bridge once named a host's bridges so.
        xm.good(f"create --paused {write(xm, guest('net1', '10.77.0.21', 'bridge=xenbr7'))}")
        number = xm.domains()["net1"][0]
        dom0.sh(f"test -e /sys/class/net/eth7/brif/vif{number}.0")
        assert dom0.sh("ls /sys/class/net/docker0/brif") == ""
    finally:
        xm.destroy_all()
        dom0.run("brctl delbr docker0; ip link set eth7 down; ip link set other0 name xenbr0; ip link set eth7 name xenbr0; ip link set xenbr0 up")


def test_scripts_of_debian(dom0, xm):
    """vif-bridge, when somebody asks for it, and vif-route: the guest is reached over a route of its own."""
    log = "tail -n 30 /var/log/xen/xen-hotplug.log /var/log/messages"
    number = create(xm, guest("net1", "10.77.0.21", "script=vif-bridge,bridge=xenbr0"))
    dom0.sh(f"test -e /sys/class/net/xenbr0/brif/vif{number}.0 || {{ {log}; false; }}")
    dom0.sh(PINGS % "10.77.0.21")
    xm.good("destroy net1")
    dom0.sh("mkdir -p /etc/xen/scripts/vif-post.d; echo 'echo \"$command $dev\" >>/tmp/hook.log' >/etc/xen/scripts/vif-post.d/own.hook; "
            "chmod +x /etc/xen/scripts/vif-post.d/own.hook")
    number = create(xm, guest("net1", "10.77.0.21", ""))
    dom0.sh("rm -r /etc/xen/scripts/vif-post.d")
    assert dom0.sh("cat /tmp/hook.log; rm /tmp/hook.log") == f"online vif{number}.0"
    xm.good("destroy net1")
    number = create(xm, guest("net1", "10.88.0.2", "script=vif-route,ip=10.88.0.2,gatewaydev=xenbr0"))
    assert "10.88.0.2" in dom0.sh(f"ip route show dev vif{number}.0")
    dom0.guest("net1", "ip route add 10.77.0.1 dev eth0; ip route add default via 10.77.0.1")
    dom0.sh(PINGS % "10.88.0.2")
    xm.good("destroy net1")
    assert dom0.sh("ip route | grep 10.88 || true") == ""
    # One that fails leaves nothing.
    said = xm.fails(f"create {write(xm, guest('net1', '10.88.0.2', 'script=vif-route,ip=10.88.0.2,gatewaydev=none0'))}")
    assert "vif-route online failed" in said
    assert dom0.sh("ls /sys/class/net | grep vif || true") == "" and "net1" not in xm.domains()


def test_vif_nat(dom0, xm):
    """Debian's vif-nat: a net for the card alone, with Domain-0 as its router; and, without ip=, an address by the domain's number."""
    number = create(xm, guest("net1", "10.88.0.2", "script=vif-nat,ip=10.88.0.2"))
    assert "10.88.0.129" in dom0.sh(f"ip addr show dev vif{number}.0") and "10.88.0.2" in dom0.sh(f"ip route show dev vif{number}.0")
    dom0.guest("net1", "ip route add default via 10.88.0.129")
    dom0.sh(PINGS % "10.88.0.2")
    # Beyond the router, as soon as that forwards.
    create(xm, guest("net2", "10.77.0.22", "bridge=xenbr0"))
    dom0.guest("net2", "ip route add default via 10.77.0.1")
    dom0.sh("echo 1 >/proc/sys/net/ipv4/ip_forward")
    dom0.guest("net1", PINGS % "10.77.0.22")
    for name in ("net1", "net2"):
        xm.good(f"destroy {name}")
    assert dom0.sh("echo 0 >/proc/sys/net/ipv4/ip_forward; ip route | grep 10.88 || true") == ""
    number = create(xm, guest("net1", "10.0.0.1", "script=vif-nat"))
    dom0.guest("net1", f"ip addr flush dev eth0; ip addr add 10.0.{number}.1/24 dev eth0")
    dom0.sh(PINGS % f"10.0.{number}.1")


def test_open_vswitch(dom0, xm):
    """By Debian's script: a VLAN, trunks, and data."""
    dom0.sh("for f in $(cat /lib/modules/$(uname -r)/ovs.list); do grep -q \"^$(basename $f .ko | tr - _) \" /proc/modules || insmod $f; done; "
            "mkdir -p /etc/openvswitch /var/run/openvswitch /var/log/openvswitch; "
            "ovsdb-tool create /etc/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema && "
            "ovsdb-server /etc/openvswitch/conf.db --remote=punix:/var/run/openvswitch/db.sock --detach --pidfile && "
            "ovs-vsctl --no-wait init && ovs-vswitchd --detach --pidfile && ovs-vsctl --timeout=30 add-br ovsbr0 && "
            "ip addr add 10.66.0.1/24 dev ovsbr0 && ip link set ovsbr0 up", 120)
    number = create(xm, guest("net1", "10.66.0.2", "script=vif-openvswitch,bridge=ovsbr0"))
    dom0.sh(PINGS % "10.66.0.2")
    assert "net1" in dom0.sh(f"ovs-vsctl get interface vif{number}.0 external-ids:xen-vm-name")
    xm.good("network-attach net1 script=vif-openvswitch bridge=ovsbr0.20:30:40")
    assert dom0.sh(f"ovs-vsctl get port vif{number}.1 tag; ovs-vsctl get port vif{number}.1 trunks").split("\n") == ["20", "[30, 40]"]
    assert "No valid bridge was specified" in xm.fails("network-attach net1 script=vif-openvswitch bridge=ovsbr0.x")
    xm.good("destroy net1")
    assert dom0.sh("ovs-vsctl list-ports ovsbr0") == ""
    dom0.sh("ovs-vsctl del-br ovsbr0; kill $(cat /var/run/openvswitch/*.pid); rm -r /etc/openvswitch")


def test_rate_and_queues(dom0, xm):
    """50 KB/s, and a queue for each vCPU."""
    dom0.sh("echo 2 >/sys/module/xen_netback/parameters/max_queues")
    number = create(xm, guest("net1", "10.77.0.21", "rate=50KB/s,mtu=1300", vcpus=2))
    back = f"/local/domain/0/backend/vif/{number}/0"
    assert dom0.sh(f"xenstore-read {back}/rate {back}/mtu {back}/multi-queue-num-queues 2>/dev/null; "
                   f"cat /sys/class/net/vif{number}.0/mtu").split()[:2] == ["2500,50000", "1300"]
    assert dom0.guest("net1", "ls /sys/class/net/eth0/queues").split() == ["rx-0", "rx-1", "tx-0", "tx-1"]
    seconds = {}
    for what in ("limited", "free"):
        dom0.sh(f"(sleep 90 | nc -l -p 5001 >/tmp/{what} &)")
        before = float(dom0.sh("cut -d' ' -f1 /proc/uptime"))
        dom0.guest("net1", "usleep 300000; dd if=/dev/zero bs=1000 count=400 2>/dev/null | nc 10.77.0.1 5001", 90)
        dom0.sh(f"(for i in $(seq 600); do [ $(wc -c </tmp/{what}) = 400000 ] && exit 0; usleep 100000; done; exit 1)", 90)
        seconds[what] = float(dom0.sh("cut -d' ' -f1 /proc/uptime")) - before
        if what == "limited":
            xm.good("network-detach net1 0")
            xm.good("network-attach net1")
            dom0.guest("net1", "for i in $(seq 100); do [ -d /sys/class/net/eth0 ] && break; usleep 100000; done; "
                       "ip addr add 10.77.0.21/24 dev eth0; ip link set eth0 up")
            dom0.sh(PINGS % "10.77.0.21")
    assert seconds["limited"] > 6 > seconds["free"], seconds
    dom0.sh("echo 1 >/sys/module/xen_netback/parameters/max_queues")


def test_detached_while_it_connects(dom0, xm):
    """The drivers are in the middle of it: xen-netback puts its own state over the order to close. And what comes next under
    the same name is taken."""
    files(dom0, "a", "b")
    xm.create(Guest("hasty", memory=192, disks=("file:/data/a.img,xvda,w",)))
    for _ in range(4):
        dom0.sh("xm network-attach hasty && xm network-detach hasty 0 && "
                "xm block-attach hasty file:/data/b.img xvdb w && xm block-detach hasty xvdb", 120)
    xm.good("network-attach hasty")
    xm.good("block-attach hasty file:/data/b.img xvdb w")
    dom0.guest("hasty", "for i in $(seq 100); do [ -d /sys/class/net/eth0 -a -b /dev/xvdb ] && exit 0; usleep 100000; done; exit 1")


def held(dom0):
    """What a leak would show in: of xend, of xenstored, of Domain-0's kernel, of the hypervisor."""
    number = dom0.domains()["cycle1"][0]
    return {
        "descriptors": dom0.sh("for f in /run/xend/xend.pid /run/xen/xenstored.pid; do ls /proc/$(cat $f)/fd | wc -l; done"),
        "nodes": int(dom0.sh("xenstore-ls -f / | wc -l")),
        "loops": dom0.sh("losetup -a"),
        "interfaces": dom0.sh("ls /sys/class/net"),
        "backends": dom0.sh("ls /sys/bus/xen-backend/devices"),
        "processes": dom0.sh("ps | grep -c '[x]en[d-]'; true"),
        "ports": dom0.sh(f"lsevtchn 0 | wc -l; lsevtchn {number} | wc -l"),
    }


def resident(dom0, name):
    """KiB of a program that its pid file names."""
    return int(dom0.sh(f"grep VmRSS: /proc/$(cat /run/{name}.pid)/status").split()[1])


@pytest.mark.parametrize("cycles", (10, pytest.param(CYCLES, marks=pytest.mark.long)))
def test_attach_and_detach(dom0, xm, cycles):
    """No id, node, descriptor or interface is left by any; a failed one in between changes nothing."""
    files(dom0, "a", "b")
    # Linux's xen-netfront loses 1 MiB of the guest's memory with each interface that goes, on any hypervisor.
    xm.create(Guest("cycle1", memory=192 + 5 * cycles // 4, address="10.77.0.31", disks=("file:/data/a.img,xvda,w",)))
    one = ("xm block-attach cycle1 file:/data/b.img xvdb w && xm network-attach cycle1 mac=00:16:3e:00:01:01 && "
           "! xm block-attach cycle1 file:/data/a.img xvdc w 2>/dev/null && xm block-detach cycle1 xvdb && xm network-detach cycle1 00:16:3e:00:01:01 "
           "|| { echo FAILED; xm block-list cycle1; xm network-list cycle1; false; }")
    dom0.sh(one, 120)
    before, free, memory = held(dom0), dom0.settled_free_memory(), resident(dom0, "xend/xend")
    for _ in range(0, cycles, 10):
        dom0.sh(f"(for i in 1 2 3 4 5 6 7 8 9 10; do {one} || exit 1; done)", 600)
    assert held(dom0) == before
    assert dom0.settled_free_memory(free) == free, "memory of the hypervisor's"
    grown = resident(dom0, "xend/xend") - memory
    print(f"xend grew by {grown} KiB")
    assert grown < 4096
    assert [row.split()[0] for row in xm.good("network-list cycle1").splitlines()[1:]] == ["0"]
    dom0.sh(PINGS % "10.77.0.31")
