#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make the disk that ./demo boots: build/lab/demo/disk.img, and the hypervisor out of our package beside it.

It is the bare Debian of lab/images/bare.py, on which apt has installed our packages of build/packages, and Debian's own
hypervisor beside them. Put in by hand are the names and the network of this machine, and two guests to start: the files
of the directory demo/ beside this script, and guest1 and guest2 of debian/. xend does not start by itself: starting it
belongs to the story.
"""

import gzip
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import LAB, ROOT
from lab.bare import BARE, in_chroot
from lab.images import common
from lab.images.bare import STOCK_XEN
from lab.images.common import HERE, die, run, say

OUT = LAB / "demo"
DISK = OUT / "disk.img"
HYPERVISOR = OUT / "xenolith.elf"
PACKAGES = ROOT / "build/packages"
OVERLAY = HERE / "demo"
GUESTS = ["guest1", "guest2"]
# What our packages recommend and a host uses, and what the bridge behind the host's address needs.
BESIDE = ["bash-completion", "bridge-utils", "dnsmasq-base", "iputils-ping", "nftables", "qemu-system-xen", "qemu-utils", "grub-xen-host"]
# The serial number by which GRUB is told which hypervisor to boot: that of QEMU's -smbios type=1,serial=...
STOCK_SERIAL = "stock-xen"
INSTALL = f"""
cp -r /mnt/overlay/. /
apt-get install -y -q --no-install-recommends /mnt/*.deb {' '.join(STOCK_XEN)} {' '.join(BESIDE)}
apt-get clean
mkdir -p /var/lib/xen/images
cp /mnt/vmlinuz /var/lib/xen/images/guest1.vmlinuz
cp /mnt/initrd /var/lib/xen/images/guest1.initrd
for guest in {' '.join(GUESTS)}; do
    cp /mnt/$guest /etc/xen/$guest
    truncate -s 64M /var/lib/xen/images/$guest.img
done
systemctl disable xend.service xenolith-guests.service
cp /boot/grub/grub.cfg /mnt/grub.cfg
"""
# 41_custom of GRUB's own reads this file at the end of the menu. GRUB by UEFI reads no compressed image without gzio.
CHOOSE = """\
insmod gzio
insmod smbios
smbios --type 1 --get-string 7 --set serial
if [ "$serial" = "{serial}" ]; then
	set default="{entry}"
fi
"""


def stock_entry(menu):
    """The path in GRUB's menu of the entry that boots Debian's hypervisor: the ids of submenus and entry, with > between."""
    path = []
    for line in menu.splitlines():
        opened = re.match(r"\s*(?:submenu|menuentry) .*\$menuentry_id_option '([^']*)'", line)
        if opened:
            path.append(opened[1])
        elif re.match(r"\s*multiboot2?\s+/boot/xen-[^ ]*\.gz", line):
            return ">".join(path)
        elif re.match(r"\s*}", line) and path:
            path.pop()
    raise AssertionError("GRUB's menu has no entry for Debian's hypervisor")


def fill(share, debs):
    """What the system on the disk sees as /mnt."""
    shutil.copytree(OVERLAY, share / "overlay")
    for deb in debs:
        shutil.copy(deb, share)
    for guest in GUESTS:
        shutil.copy(HERE / "debian/etc/xen" / guest, share)
    shutil.copyfile(LAB / "vmlinuz-stock", share / "vmlinuz")
    shutil.copyfile(LAB / "domu.cpio", share / "initrd")


def make_disk(draft, debs):
    run(["cp", "--sparse=always", BARE, draft])
    with tempfile.TemporaryDirectory(dir=OUT) as share:
        share = Path(share)
        # apt reads packages as a user of its own.
        share.chmod(0o755)
        fill(share, debs)
        in_chroot(draft, INSTALL, share)
        choose = CHOOSE.format(serial=STOCK_SERIAL, entry=stock_entry((share / "grub.cfg").read_text()))
        (share / "custom.cfg").write_text(choose)
        in_chroot(draft, "cp /mnt/custom.cfg /boot/grub/; grub-script-check /boot/grub/custom.cfg", share)


def unpack_hypervisor(debs):
    deb = next(deb for deb in debs if deb.name.startswith("xenolith-hypervisor_"))
    with tempfile.TemporaryDirectory(dir=OUT) as tree:
        run(["dpkg-deb", "-x", deb, tree])
        HYPERVISOR.write_bytes(gzip.decompress(next(Path(tree).glob("boot/xenolith-*.gz")).read_bytes()))


def main():
    debs = sorted(PACKAGES.glob("*.deb"))
    if not debs:
        die(f"no packages in {PACKAGES}: run make deb")
    stamp = common.Stamp("demo", [HERE / "demo.py", OVERLAY, *(HERE / "debian/etc/xen" / guest for guest in GUESTS),
                                  LAB / "stamps/bare", LAB / "domu.cpio", *debs])
    if stamp.fresh(DISK, HYPERVISOR) and "--refresh" not in sys.argv:
        return
    say("installing the packages on a disk with Debian (a minute or two)")
    OUT.mkdir(parents=True, exist_ok=True)
    draft = OUT / "draft.img"
    make_disk(draft, debs)
    unpack_hypervisor(debs)
    draft.rename(DISK)
    stamp.write()


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, subprocess.SubprocessError) as error:
        die(str(error))
