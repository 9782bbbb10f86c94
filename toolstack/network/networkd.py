# SPDX-License-Identifier: MIT
"""The bridge in /etc/systemd/network (systemd.netdev(5), systemd.network(5))."""
from pathlib import Path

import host
from change import Failure

DIRECTORY = Path("/etc/systemd/network")
LINKS = Path("/run/systemd/netif/links")
# networkd takes the first file that matches a link, by the order of the names.
PREFIX = "00-xenolith"


def _state(interface):
    """What networkd says of a link: its file KEY=VALUE in /run, as a dictionary."""
    index = (host.NET / interface / "ifindex").read_text().strip()
    try:
        lines = (LINKS / index).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def runs(interface):
    """Whether networkd has configured this interface; without one, whether it runs at all."""
    if not interface:
        return LINKS.is_dir() and any("NETWORK_FILE=" in p.read_text(encoding="utf-8") for p in LINKS.iterdir())
    return "NETWORK_FILE" in _state(interface)


def moved(text, bridge):
    """The text of a .network file for the bridge: as for the card, but for what names or tunes the card."""
    out, section = [f"[Match]\nName={bridge}"], None
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("["):
            section = bare
        if section in ("[Match]", "[Link]"):
            continue
        if section == "[Network]" and bare.split("=", 1)[0].strip() in ("Bridge", "VLAN", "Bond"):
            continue
        out.append(line)
    return "\n".join(out) + "\n"


def _netdev(change, more=""):
    change.write(DIRECTORY / f"{PREFIX}-{change.bridge}.netdev",
                 f"[NetDev]\nName={change.bridge}\nKind=bridge\n{more}\n[Bridge]\nSTP=no\nForwardDelaySec=0\n")


def _commands(change):
    reload = [["networkctl", "reload"]]
    change.after = list(reload)
    change.undo_after = [["ip", "link", "delete", change.bridge], *reload]
    if change.interface:
        change.after.append(["networkctl", "reconfigure", change.interface])
        change.undo_after.append(["networkctl", "reconfigure", change.interface])


def plan_bridge(change):
    """The card's .network file becomes the bridge's, and the card a port."""
    source = Path(_state(change.interface)["NETWORK_FILE"])
    if source.name < f"{PREFIX}-port.network":
        raise Failure(f"{source} comes before any file that could make {change.interface} a port of a bridge. Rename it to "
                      f"10-{source.name}, run `networkctl reload', and try again.")
    drop_ins = [more for directory in ("/etc", "/run", "/usr/lib") for more in
                Path(directory, "systemd/network", f"{source.name}.d").glob("*.conf")]
    if drop_ins:
        raise Failure(f"{drop_ins[0]} changes {source}, and the bridge would not have that. Move its lines into "
                      f"{source}, run `networkctl reload', and try again.")
    _netdev(change, f"MACAddress={host.address_of(change.interface)}\n")
    change.write(DIRECTORY / f"{PREFIX}-port.network",
                 f"[Match]\nName={change.interface}\n\n[Network]\nBridge={change.bridge}\n")
    change.write(DIRECTORY / f"{PREFIX}-{change.bridge}.network", moved(source.read_text(encoding="utf-8"), change.bridge),
                 like=source)
    _commands(change)


def plan_nat(change, address):
    """A bridge without ports, whose addresses networkd hands out and hides."""
    _netdev(change)
    change.write(DIRECTORY / f"{PREFIX}-{change.bridge}.network",
                 f"[Match]\nName={change.bridge}\n\n[Network]\nAddress={address.with_prefixlen}\nConfigureWithoutCarrier=yes\n"
                 "IPMasquerade=ipv4\nDHCPServer=yes\n")
    _commands(change)
