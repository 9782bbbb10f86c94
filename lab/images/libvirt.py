#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make the root of a Domain-0 that libvirt manages: build/lab/libvirt/disk.img.

It is the whole Debian of lab/images/image.py, and boots with the same kernel and initramfs, with Debian's unmodified libvirt,
and virt-install put in as an administrator would put them in. What differs from that lies in the directory libvirt/
beside this script: libvirtd listens on TCP, for the virt-manager of another machine.

/srv/debian is a tree to install Debian from, as a mirror has it, with what the tests start: the installer's kernel and RAM disk.
"""

import shutil
import subprocess
import sys

from lab import LAB
from lab.debian import DEBIAN
from lab.images import common
from lab.images.common import HERE, die, run, say
from lab.images.image import proxy_options

OUT = LAB / "libvirt"
DISK = OUT / "disk.img"
PACKAGES = ["libvirt-daemon-system", "libvirt-daemon-driver-xen", "libvirt-clients", "virtinst", "qemu-system-xen", "grub-xen-host"]
INSTALLER = "debian-installer-12-netboot-amd64"
OVERLAY = HERE / "libvirt"
# In a namespace of mounts of its own, so that nothing is left mounted.
INSTALL = """
set -e
disk=$1 overlay=$2 tree=$3 root=$4; shift 4
mount -t ext4 -o loop,noatime "$disk" "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mv "$root/etc/resolv.conf" "$root/etc/resolv.conf.own"
cp /etc/resolv.conf "$root/etc/resolv.conf"
printf '#!/bin/sh\\nexit 101\\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive
chroot "$root" apt-get -q "$@" update
chroot "$root" apt-get -q -y --no-install-recommends "$@" install $PACKAGES
chroot "$root" apt-get -q clean
rm -rf "$root/usr/sbin/policy-rc.d" "$root"/var/lib/apt/lists/*_* "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
mv "$root/etc/resolv.conf.own" "$root/etc/resolv.conf"
cp -r "$tree" "$root/srv/debian"
(cd "$overlay" && tar --owner=0 --group=0 -cf - .) | tar --no-same-permissions -xf - -C "$root"
chroot "$root" systemctl enable libvirtd-tcp.socket
# The timer of a machine that lives for minutes, and a network that no test uses.
chroot "$root" systemctl mask logrotate.timer
rm -f "$root/etc/libvirt/qemu/networks/autostart/default.xml"
umount "$root/dev" "$root/proc" "$root"
"""


def options():
    return [word for option in proxy_options() for word in ("-o", option.removeprefix("--aptopt=").replace('"', "").rstrip(";").replace(" ", "=", 1))]


def make_tree(directory):
    """The layout of a mirror's dists/bookworm/main/installer-amd64, which virt-install looks for."""
    debs, unpacked = directory / "debs", directory / "unpacked"
    debs.mkdir(parents=True)
    run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", INSTALLER], cwd=debs)
    run(["dpkg-deb", "-x", next(debs.glob("*.deb")), unpacked])
    images = directory / "tree/dists/bookworm/main/installer-amd64/current/images"
    place = images / "netboot/debian-installer/amd64"
    place.mkdir(parents=True)
    for name in ("linux", "initrd.gz"):
        shutil.copyfile(unpacked / "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64" / name, place / name)
    (images / "MANIFEST").write_text("netboot/debian-installer/amd64/linux -- kernel image for the Debian installer\n")
    return directory / "tree"


def main():
    stamp = common.Stamp("libvirt", ["1", HERE / "libvirt.py", OVERLAY, LAB / "stamps/image", *PACKAGES])
    if stamp.fresh(DISK) and "--refresh" not in sys.argv:
        return
    say("making the disk image of a Domain-0 with libvirt (some minutes)")
    work = OUT / "work"
    shutil.rmtree(OUT, ignore_errors=True)
    (work / "root").mkdir(parents=True)
    tree = make_tree(work)
    draft = OUT / "draft.img"
    run(["cp", "--sparse=always", DEBIAN / "disk.img", draft])
    run(["unshare", "--mount", "env", f"PACKAGES={' '.join(PACKAGES)}", "sh", "-c", INSTALL, "sh", draft, OVERLAY, tree, work / "root", *options()])
    shutil.rmtree(work)
    draft.rename(DISK)
    stamp.write()


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        die(str(error))
