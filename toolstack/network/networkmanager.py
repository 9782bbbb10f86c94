# SPDX-License-Identifier: MIT
"""The bridge as connections of NetworkManager (nmcli(1), nm-settings-nmcli(5))."""
import shutil

import host
from change import Failure, run

# What the bridge takes over from the card's connection.
SETTINGS = [f"ipv{version}.{key}" for version in (4, 6)
            for key in ("method", "addresses", "gateway", "dns", "dns-search", "routes", "never-default", "ignore-auto-dns")]


def runs(interface):
    """Whether NetworkManager has this interface; without one, whether it runs at all."""
    if not shutil.which("nmcli"):
        return False
    if not interface:
        return run(["nmcli", "-g", "RUNNING", "general"], check=False).strip() == "running"
    # "100 (connected)"; "10 (unmanaged)" is somebody else's.
    return run(["nmcli", "-g", "GENERAL.STATE", "device", "show", interface], check=False).startswith("100")


def _connection(interface):
    """The UUID of the card's active connection."""
    for line in run(["nmcli", "-g", "UUID,DEVICE", "connection", "show", "--active"]).splitlines():
        uuid, device = line.split(":", 1)
        if device == interface:
            return uuid
    raise Failure(f"NetworkManager has no active connection on {interface}.")


def _value(uuid, key):
    return run(["nmcli", "--escape", "no", "-g", key, "connection", "show", uuid]).strip()


def _names(change):
    return f"xenolith-{change.bridge}", f"xenolith-{change.bridge}-port"


def _add(change, *more):
    name, _ = _names(change)
    change.after = [["nmcli", "connection", "add", "type", "bridge", "con-name", name, "ifname", change.bridge,
                     "bridge.stp", "no", "connection.autoconnect-slaves", "1", *more]]
    change.undo_before = [["nmcli", "connection", "delete", name]]
    change.undo_after = [["ip", "link", "delete", change.bridge]]


def plan_bridge(change):
    """The bridge's connection has the addresses of the card's, which does not start by itself any more."""
    old = _connection(change.interface)
    name, port = _names(change)
    settings = [word for key in SETTINGS if (value := _value(old, key)) for word in (key, value)]
    _add(change, "bridge.mac-address", host.address_of(change.interface), *settings)
    change.after += [
        ["nmcli", "connection", "add", "type", "ethernet", "con-name", port, "ifname", change.interface,
         "master", change.bridge, "slave-type", "bridge"],
        ["nmcli", "connection", "modify", old, "connection.autoconnect", "no"],
        ["nmcli", "connection", "up", name]]
    autoconnect = _value(old, "connection.autoconnect")
    change.undo_before.append(["nmcli", "connection", "delete", port])
    change.undo_after += [["nmcli", "connection", "modify", old, "connection.autoconnect", autoconnect],
                          ["nmcli", "connection", "up", old]]


def plan_nat(change, address):
    """NetworkManager hands out the addresses and hides them (ipv4.method shared)."""
    if not shutil.which("dnsmasq"):
        raise Failure("NetworkManager needs dnsmasq to hand out addresses. Run: apt-get install dnsmasq-base")
    name, _ = _names(change)
    _add(change, "ipv4.method", "shared", "ipv4.addresses", address.with_prefixlen, "ipv6.method", "disabled")
    change.after.append(["nmcli", "connection", "up", name])
