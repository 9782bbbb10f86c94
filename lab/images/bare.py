#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make a disk with a Debian 12 as its installer leaves one, for tests of the packages: build/lab/bare/disk.img.

GRUB boots it by the BIOS and by UEFI. The root is the second partition; the first is for UEFI. apt's cache in it holds what
our packages depend on, and Debian's Xen, so that no test needs a network. What differs from a plain Debian: the console is
the serial port and logs root in, the initramfs has few modules, and units are off that an emulated machine pays for.
"""

import re
import shutil
import struct
import subprocess
import sys

from lab import LAB, ROOT
from lab.bare import BARE, ESP, ROOT_START, SECTOR, in_chroot
from lab.images import common
from lab.images.common import HERE, die, run, say
from lab.images.image import MASKED, codename, proxy_options, sources

PACKAGES = ["systemd-sysv", "udev", "kmod", "linux-image-amd64", "initramfs-tools", "grub-pc", "grub-efi-amd64-bin",
            "iproute2", "iputils-ping", "ifupdown", "procps", "less", "bash-completion"]
# What xend, its worker and xm are linked with.
LIBRARIES = ["libuv1", "libjson-c5", "libncursesw6", "libseccomp2", "libxencall1", "libxenevtchn1", "libxenforeignmemory1", "libxenstore4"]
# What `xm network-setup --nat` asks for, of which our packages recommend the rest.
NAT = ["nftables"]
STOCK_XEN = ["xen-hypervisor-4.17-amd64", "xen-hypervisor-common"]
MIB = 3072
OVERLAY = HERE / "bare"
INSTALL_GRUB = """
mkdir -p /boot/grub/x86_64-efi
printf '/dev/vda2 / ext4 defaults,noatime 0 1\\n' >/etc/fstab
grub-install --target=i386-pc /dev/vda
cp /usr/lib/grub/x86_64-efi/*.mod /usr/lib/grub/x86_64-efi/*.lst /boot/grub/x86_64-efi
printf 'search --label root --set=root\\nset prefix=($root)/boot/grub\\n' >/tmp/early.cfg
grub-mkimage -O x86_64-efi -c /tmp/early.cfg -p /boot/grub -o /mnt/BOOTX64.EFI part_msdos ext2 search search_label normal
rm /tmp/early.cfg
update-grub
"""
# What the packages are there to switch off.
OURS = {"xendomains.service"}
# Without it nothing loads the module loop when a disk is a file.
NEEDED = {"kmod-static-nodes.service"}
LATE = [
    "echo bare >\"$1\"/etc/hostname",
    "printf '127.0.0.1 localhost bare\\n' >\"$1\"/etc/hosts",
    "chroot \"$1\" passwd -d root",
    "for u in " + " ".join(unit for unit in MASKED if unit not in OURS | NEEDED) + "; do ln -sf /dev/null \"$1\"/etc/systemd/system/$u; done",
    "rm -rf \"$1\"/usr/share/locale/*",
]


def wanted_packages():
    """What our packages depend on, of Debian's."""
    control = (ROOT / "packaging/debian/control").read_text()
    names = set()
    for field in re.findall(r"^(?:Depends|Recommends):(.*?)(?=^\S)", control, re.MULTILINE | re.DOTALL):
        names |= {re.split(r"[ (|:]", word.strip())[0] for word in field.split(",")}
    return sorted(name for name in names if name and "$" not in name and not name.startswith("xenolith") and name != "virt-manager")


def write_partitions(path):
    """A table of the BIOS's kind, with the first sectors left for GRUB's image."""
    total = MIB * 2048
    rows = [(0, 0xEF, *ESP), (0x80, 0x83, ROOT_START, total - ROOT_START)]
    entries = b"".join(struct.pack("<B3xB3xII", flag, kind, start, count) for flag, kind, start, count in rows)
    with open(path, "wb") as file:
        file.truncate(total * SECTOR)
        file.seek(440)
        file.write(b"bare" + b"\0\0" + entries.ljust(64, b"\0") + b"\x55\xaa")


def bootstrap(tree):
    shutil.rmtree(tree, ignore_errors=True)
    early = [f"--essential-hook=tar -C '{OVERLAY}' --owner=0 --group=0 -cf - . | tar -C \"$1\" -xf -"]
    run(["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", f"--include={','.join(PACKAGES)}",
         '--aptopt=Apt::Install-Recommends "false"', *proxy_options(), *early,
         *(f"--customize-hook={command}" for command in LATE), "--customize-hook=rm -f \"$1\"/etc/apt/apt.conf.d/99mmdebstrap",
         codename(), str(tree), *sources()])


def fill_cache(tree):
    """Beside the Debian that is bare: its apt has the packages already."""
    options = [word for option in proxy_options() for word in ("-o", option.removeprefix("--aptopt=").replace('"', "").rstrip(";").replace(" ", "=", 1))]
    shutil.copyfile("/etc/resolv.conf", tree / "etc/resolv.conf")
    run(["chroot", tree, "apt-get", "-q", *options, "update"])
    run(["chroot", tree, "apt-get", "-q", "-y", "--no-install-recommends", "--download-only", *options, "install", *wanted_packages(), *LIBRARIES, *NAT, *STOCK_XEN])


def make_disk(tree, draft):
    write_partitions(draft)
    run(["mformat", "-i", f"{draft}@@{ESP[0] * SECTOR}", "-T", ESP[1], "-F", "-v", "ESP"])
    (tree / "boot/efi").mkdir(exist_ok=True)
    run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-m", "0", "-E", f"offset={ROOT_START * SECTOR},lazy_itable_init=1,lazy_journal_init=1",
         "-d", tree, draft, f"{MIB - ROOT_START // 2048}M"])
    share = draft.with_suffix(".share")
    share.mkdir(exist_ok=True)
    in_chroot(draft, INSTALL_GRUB, share)
    # Not by a mount: not every kernel has vfat.
    for words in (["mmd", "::/EFI", "::/EFI/BOOT"], ["mcopy", share / "BOOTX64.EFI", "::/EFI/BOOT/"]):
        run([words[0], "-i", f"{draft}@@{ESP[0] * SECTOR}", *words[1:]])
    shutil.rmtree(share)


def main():
    stamp = common.Stamp("bare", ["1", HERE / "bare.py", OVERLAY, *wanted_packages()])
    if stamp.fresh(BARE) and "--refresh" not in sys.argv:
        return
    say("making the disk of a bare Debian (some minutes)")
    BARE.parent.mkdir(parents=True, exist_ok=True)
    tree, draft = BARE.parent / "tree", BARE.parent / "draft.img"
    bootstrap(tree)
    fill_cache(tree)
    make_disk(tree, draft)
    shutil.rmtree(tree)
    draft.rename(BARE)
    stamp.write()


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, subprocess.SubprocessError) as error:
        die(str(error))
