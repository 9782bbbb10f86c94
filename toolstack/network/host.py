# SPDX-License-Identifier: MIT
"""What the host's network is like: cards, routes, bridges."""
import ipaddress
import json
import os
import re
import time
from pathlib import Path

from change import Failure, run

NET = Path("/sys/class/net")
PATIENCE = 60  # seconds for the host to get its network back


def ip(*words):
    """What `ip -json' says, as Python's values."""
    return json.loads(run(["ip", "-json", *words]) or "[]")


def check_root():
    """Refuses everybody else before anything is touched."""
    if os.geteuid():
        raise Failure("Only root may change the host's network. Please try again as root.")


def check_name(name):
    """Refuses what Linux does not take as the name of an interface."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}", name):
        raise Failure(f"'{name}' cannot be the name of a bridge: 1 to 15 letters, digits, '.', '_' or '-'.")
    if (NET / name).exists() and not is_bridge(name):
        raise Failure(f"{name} exists, and is not a bridge. Choose another name with --bridge.")


def is_bridge(name):
    """Whether the interface is a bridge."""
    return (NET / name / "bridge").is_dir()


def ports(bridge):
    """The interfaces that lie on the bridge."""
    directory = NET / bridge / "brif"
    return {path.name for path in directory.iterdir()} if directory.is_dir() else set()


def default_interface():
    """The interface with the default route."""
    routes = sorted(ip("route", "show", "default") + ip("-6", "route", "show", "default"),
                    key=lambda route: route.get("metric", 0))
    names = [route["dev"] for route in routes if "dev" in route]
    if not names:
        raise Failure("No interface has the default route. Name the card with --interface, or use --nat.")
    return names[0]


def check_can_join(name):
    """Refuses interfaces that cannot be on a bridge, or are there already."""
    path = NET / name
    if not path.exists():
        raise Failure(f"There is no interface {name}. The host has: {', '.join(sorted(p.name for p in NET.iterdir()))}.")
    if is_bridge(name):
        raise Failure(f"{name} is a bridge already. Write (default-bridge {name}) into /etc/xen/xend-config.sxp, and run "
                      "`service xend restart': guests then join it.")
    if (path / "master").exists():
        raise Failure(f"{name} belongs to {(path / 'master').resolve().name} already.")
    if (path / "wireless").exists() or (path / "phy80211").exists():
        raise Failure(f"{name} is a wireless card, which sends for no address but its own. Use --nat.")
    if (path / "type").read_text().strip() != "1":
        raise Failure(f"{name} is no Ethernet card, and cannot join a bridge. Use --nat.")


def address_of(name):
    """The hardware address of an interface."""
    return (NET / name / "address").read_text().strip()


def _gateway(name):
    """The gateway of the default route over this interface; None if it has none."""
    routes = [route for route in ip("route", "show", "default") if route.get("dev") == name]
    return routes[0].get("gateway") if routes else None


def _has_address(name):
    links = ip("address", "show", "dev", name) if (NET / name).exists() else []
    return any(a.get("scope") == "global" for link in links for a in link.get("addr_info", []))


def network(text):
    """ADDRESS/LENGTH of the host in the guests' own network."""
    try:
        interface = ipaddress.IPv4Interface(text)
    except ValueError as error:
        raise Failure(f"--address={text}: {error}. An address and the length of its network are needed, as 10.55.0.1/24.") from None
    if not 16 <= interface.network.prefixlen <= 29 or interface.ip in (interface.network.network_address,
                                                            interface.network.broadcast_address):
        raise Failure(f"--address={text}: a network of 8 to 65,536 addresses is needed, and one of them for the host, as 10.55.0.1/24.")
    for route in ip("route", "show"):
        if route["dst"] != "default" and interface.network.overlaps(ipaddress.IPv4Network(route["dst"])):
            raise Failure(f"--address={text}: the host reaches {route['dst']} by {route['dev']} already. Choose another network.")
    return interface


class Reach:
    """What the host reaches by its card, and must reach by the bridge afterwards. No card: an address is enough."""

    def __init__(self, interface):
        self.address = not interface or _has_address(interface)
        self.gateway = interface and _gateway(interface)

    def wait(self, bridge):
        """Waits until the bridge has all of it."""
        for _ in range(PATIENCE):
            if is_bridge(bridge) and (_has_address(bridge) or not self.address) and (_gateway(bridge) or not self.gateway):
                return
            time.sleep(1)
        raise Failure(f"The bridge {bridge} did not get the host's network within {PATIENCE} seconds.")
