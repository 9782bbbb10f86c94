#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fetch the Debian packages of the lab with apt and unpack them into build/lab/root.

Nothing is installed: the machine that runs the tests needs no Xen of its own. Which versions, and
from where, is apt's own configuration. The kernels are found through Debian's meta packages.
Run with --refresh to look for newer packages; otherwise a second run does nothing.
"""

import os
import re
import shutil
import sys

from lab import LAB
from lab.images import common
from lab.images.common import CALLERS_TREE, DEVICES_TREE, TREE, die, run, say

META_KERNELS = {"stock": "linux-image-amd64", "cloud": "linux-image-cloud-amd64"}
PACKAGES = [
    "xen-hypervisor-4.17-amd64", "xen-utils-4.17", "xen-utils-common", "xenstore-utils",
    "busybox-static", "bash", "util-linux", "grub-xen-bin", "grub-xen-host",
]
# Whose shared libraries the small Domain-0 needs.
WITH_LIBRARIES = ["xen-utils-4.17", "xen-utils-common", "xenstore-utils", "bash", "libgcc-s1"]
STAMP_VERSION = "2"
# Beside the tree: programs that call ours, with what Python needs for them.
CALLERS = ["resource-agents", "ganeti-3.0", "python3-simplejson", "python3-openssl", "python3-bitarray", "python3-cryptography", "python3-cffi-backend"]
# The same of programs that serve disks and networks, with the libraries that a build machine may lack.
DEVICES = ["nbd-client", "nbd-server", "libnl-genl-3-200", "openvswitch-switch", "openvswitch-common",
           "libxdp1", "libbpf1", "libunbound8", "libnuma1", "libcap-ng0", "libevent-2.1-7",
           "iproute2", "libelf1", "libmnl0", "libbsd0", "libmd0", "libcap2"]


def kernel_package(meta):
    """The package that holds the kernel which the meta package stands for today."""
    found = re.findall(r"^\s*\|?Depends: (linux-image-\S+)$", run(["apt-cache", "depends", meta]),
                       re.MULTILINE)
    if not found:
        die(f"apt knows no kernel behind {meta}; run apt-get update")
    return found[0]


def libraries():
    """All library packages in the dependency closure of the tools."""
    out = run(["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests",
               "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"]
              + WITH_LIBRARIES)
    names = set(re.findall(r"^((?:lib|zlib)[a-z0-9.+-]+)$", out, re.MULTILINE))
    # The closure drags in interpreters and service managers, which stay out.
    wanted = re.compile(r"^(lib(xen|c6$|gcc-s1|tinfo|ncurses|yajl|uuid|nl-|bz2|lzma|lzo2|zstd|fdt"
                        r"|json-c)|zlib1g)")
    return sorted(n for n in names if wanted.match(n))


def download(names):
    debs = LAB / "debs"
    shutil.rmtree(debs, ignore_errors=True)
    debs.mkdir(parents=True)
    # apt drops to its own user, which may be unable to write here: say that root is meant.
    run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download"] + names, cwd=debs)
    return sorted(debs.glob("*.deb"))


def fetch_beside(name, packages, tree, what):
    stamp = common.Stamp(f"fetch-{name}", packages)
    if stamp.fresh(tree) and "--refresh" not in sys.argv:
        return
    say(f"fetching programs that {what}")
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for deb in download(packages):
        run(["dpkg-deb", "-x", deb, tree])
    shutil.rmtree(LAB / "debs")
    stamp.write()


def main():
    fetch_system()
    fetch_beside("callers", CALLERS, CALLERS_TREE, "call xm")
    fetch_beside("devices", DEVICES, DEVICES_TREE, "serve disks and networks")


def fetch_system():
    stamp = common.Stamp("fetch", [STAMP_VERSION] + PACKAGES + list(META_KERNELS.values()))
    if stamp.fresh(TREE) and "--refresh" not in sys.argv:
        return
    say("fetching Debian's kernels, Xen and tools")
    if not any(f.name.endswith("_Packages") or f.name.endswith("_Packages.lz4")
               for f in os.scandir("/var/lib/apt/lists")):
        run(["apt-get", "-q", "update"])
    kernels = {kind: kernel_package(meta) for kind, meta in META_KERNELS.items()}
    debs = download(PACKAGES + list(kernels.values()) + libraries())
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.mkdir(parents=True)
    for deb in debs:
        run(["dpkg-deb", "-x", deb, TREE])
    shutil.rmtree(LAB / "debs")
    for kind, package in kernels.items():
        release = package.removeprefix("linux-image-")
        (LAB / f"{kind}.release").write_text(release + "\n")
        shutil.copyfile(TREE / "boot" / f"vmlinuz-{release}", LAB / f"vmlinuz-{kind}")
    stamp.write()


if __name__ == "__main__":
    main()
