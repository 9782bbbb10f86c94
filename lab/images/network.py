#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make build/lab/network/tree: a Debian with each of the programs that run a host's network, for lab/container.py.

None of them starts by itself."""

import os
import shutil

from lab import LAB
from lab.images import common
from lab.images.common import HERE, die, run, say
from lab.images.image import codename, proxy_options, sources

TREE = LAB / "network/tree"
PACKAGES = """
systemd systemd-sysv udev dbus procps iproute2 iputils-ping python3 ifupdown isc-dhcp-client bridge-utils network-manager dnsmasq-base
nftables
""".split()
UNITS = ["networking", "systemd-networkd", "NetworkManager", "ModemManager", "wpa_supplicant"]


def make():
    """The tree, which is made if it is missing or of an older kind."""
    stamp = common.Stamp("network", [HERE / "network.py"])
    if stamp.fresh(TREE):
        return TREE
    if os.geteuid():
        die("making a Debian needs root")
    say("making the Debian whose network is set up (a minute or two)")
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.parent.mkdir(parents=True, exist_ok=True)
    disable = f"--customize-hook=chroot \"$1\" systemctl disable --quiet {' '.join(UNITS)} 2>/dev/null || true"
    run(["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", f"--include={','.join(PACKAGES)}",
         "--aptopt=Apt::Install-Recommends \"false\"", *proxy_options(), disable, codename(), str(TREE), *sources()])
    stamp.write()
    return TREE
