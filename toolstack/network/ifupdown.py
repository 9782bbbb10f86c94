# SPDX-License-Identifier: MIT
"""The bridge in /etc/network/interfaces (interfaces(5), bridge-utils-interfaces(5))."""
import glob
import re
from pathlib import Path

import host
from change import Failure

INTERFACES = Path("/etc/network/interfaces")
OURS = "/etc/network/interfaces.d/xenolith"
STATE = Path("/run/network/ifstate")
# A bridge without these takes an address of its own making, and drops what guests send in its first half minute.
BRIDGE = "    bridge_ports {ports}\n    bridge_stp off\n    bridge_fd 0\n"


def runs(interface):
    """Whether ifupdown has brought this interface up; without one, whether it runs at all."""
    state = STATE.read_text(encoding="utf-8") if STATE.exists() else ""
    names = {line.split("=")[0] for line in state.splitlines()}
    return interface in names if interface else bool(names)


def _files():
    """The files with stanzas: the main one, and those that it names by source and source-directory."""
    yield INTERFACES
    for line in INTERFACES.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == "source":
            yield from map(Path, sorted(glob.glob(str(INTERFACES.parent / words[1]))))
        elif len(words) == 2 and words[0] == "source-directory":
            yield from (p for p in sorted((INTERFACES.parent / words[1]).iterdir()) if re.fullmatch(r"[\w-]+", p.name))


def move(text, interface, bridge, address):
    """The text of a file in which the bridge has what the interface had, and the interface is its port."""
    out, bridged, ports = [], False, False
    for line in text.splitlines():
        words = line.split()
        if words[:1] and (words[0] == "auto" or words[0].startswith("allow-")) and interface in words[1:]:
            # ifup of the bridge brings its port up.
            others = [word for word in words[1:] if word != interface]
            out += [" ".join([words[0], *others])] if others else []
            out.append(f"auto {bridge}")
            continue
        if words[:2] == ["iface", interface]:
            out.append(re.sub(rf"\b{re.escape(interface)}\b", bridge, line, count=1))
            if not ports:
                out += (BRIDGE.format(ports=interface) + f"    bridge_hw {address}").splitlines()
            bridged = ports = True
            continue
        out.append(line)
    if bridged:
        out += ["", f"iface {interface} inet manual"]
    return "\n".join(out) + "\n", bridged


def _need(program, package):
    if not any(Path(directory, program).exists() for directory in ("/usr/sbin", "/sbin", "/usr/bin", "/bin")):
        raise Failure(f"ifupdown needs {program} for this. Run: apt-get install {package}")


def plan_bridge(change):
    """The stanzas of the card move to the bridge."""
    _need("brctl", "bridge-utils")
    interface, bridge = change.interface, change.bridge
    described = False
    for path in _files():
        old = path.read_text(encoding="utf-8")
        text, found = move(old, interface, bridge, host.address_of(interface))
        described |= found
        # The line `auto' may stand in another file than the stanza.
        if text != old:
            change.write(path, text)
    if not described:
        raise Failure(f"{INTERFACES} says nothing about {interface}, though ifupdown has brought it up.")
    change.before = [["ifdown", interface]]
    change.after = [["ifup", bridge]]
    change.undo_before = [["ifdown", "--force", bridge]]
    change.undo_after = [["ip", "link", "delete", bridge], ["ifup", "--force", interface]]


def plan_nat(change, address):
    """A bridge without ports, with dnsmasq for the guests' addresses and nft for the way out."""
    _need("brctl", "bridge-utils")
    _need("dnsmasq", "dnsmasq-base")
    _need("nft", "nftables")
    bridge, hosts = change.bridge, list(_range(address))
    pid = f"/run/xenolith-{bridge}.pid"
    table = f"xenolith_{re.sub(r'[^A-Za-z0-9]', '_', bridge)}"
    rules = (f"table ip {table} {{ chain postrouting {{ type nat hook postrouting priority 100; "
             f"ip saddr {address.network} ip daddr != {address.network} masquerade; }}; }}")
    change.write(OURS, f"auto {bridge}\niface {bridge} inet static\n    address {address.with_prefixlen}\n"
                 + BRIDGE.format(ports="none") +
                 "    pre-up sysctl -n net.ipv4.ip_forward >/run/xenolith-forward\n"
                 "    post-up sysctl -q -w net.ipv4.ip_forward=1\n"
                 f"    post-up nft '{rules}'\n"
                 f"    post-up dnsmasq --conf-file=/dev/null --pid-file={pid} --bind-interfaces --interface={bridge} "
                 f"--except-interface=lo --dhcp-range={hosts[0]},{hosts[-1]} --dhcp-leasefile=/var/lib/xenolith/{bridge}.leases\n"
                 f"    pre-down kill $(cat {pid}) || true\n"
                 f"    post-down nft delete table ip {table} || true\n"
                 "    post-down sysctl -q -w net.ipv4.ip_forward=$(cat /run/xenolith-forward) || true\n")
    change.after = [["ifup", bridge]]
    change.undo_before = [["ifdown", "--force", bridge]]
    change.undo_after = [["ip", "link", "delete", bridge]]


def _range(address):
    """The addresses that guests may get: all but the host's."""
    below, above = [], []
    for candidate in address.network.hosts():
        (below if candidate < address.ip else above).append(candidate)
    # dnsmasq hands out one range, so it is the longer of the two.
    return max(below, above, key=len)
