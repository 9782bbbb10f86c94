#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make the disk image of a whole Debian, which tests boot as Domain-0: QEMU loads hypervisor and kernel, without GRUB.

build/lab/debian/disk.img      its root file system, ext4, bootable as root=/dev/vda
build/lab/debian/vmlinuz, initrd.img      its kernel, and an initramfs that mounts that root
build/lab/debian/initrd-toolstack.img     the same, which puts our toolstack into that root before it hands over

Built by mmdebstrap from the Debian archives that this machine's apt knows, without a loop mount: mke2fs
fills the file system. What differs from a plain Debian lies in the directory debian/ beside this
script, and is laid over the root.
"""

import os
import re
import shutil
import sys
import uuid

from lab import LAB, ROOT
from lab.images import common
from lab.images.common import HERE, die, run, say
from lab.images.cpio import Archive
from lab.images.initramfs import Modules, add_busybox

OUT = LAB / "debian"
PACKAGES = [
    "systemd-sysv", "udev", "kmod", "linux-image-amd64", "initramfs-tools",
    "xen-utils-4.17", "xenstore-utils", "iproute2", "iputils-ping", "less", "procps", "bash-completion",
    # What xend, its worker and xm are linked with.
    "libuv1", "libjson-c5", "libnl-3-200", "libnl-route-3-200", "libseccomp2", "libnettle8", "libncursesw6", "liblz4-1", "libgnutls30",
]
SIZE = "3G"
# Nothing here helps a machine that lives for minutes, and each costs seconds under emulation.
MASKED = """
apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
fstrim.timer systemd-tmpfiles-clean.timer systemd-timesyncd.service systemd-networkd.service
systemd-networkd.socket systemd-logind.service getty@tty1.service getty-static.service
xendomains.service
dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount
sys-kernel-config.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount
modprobe@configfs.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service
modprobe@dm_mod.service kmod-static-nodes.service systemd-pstore.service systemd-binfmt.service
systemd-ask-password-console.path systemd-ask-password-wall.path systemd-firstboot.service
systemd-journal-flush.service systemd-machine-id-commit.service systemd-pcrphase.service
systemd-pcrphase-sysinit.service systemd-random-seed.service systemd-repart.service
systemd-sysusers.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
""".split()
OWN_UNITS = ["xenbr0.service"]
# What is needed to reach the root, and no more.
ROOT_MODULES = {"root": ["virtio_pci", "virtio_blk", "ext4"]}


def codename():
    with open("/etc/os-release", encoding="utf-8") as file:
        return re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.MULTILINE).group(1)


def sources():
    """Debian's archives as apt is set up to reach them, one line of sources.list each."""
    form = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)"
    rows = {tuple(line.split("|")) for line in
            run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines()}
    lines = sorted(f"deb {uri} {suite} {component}" for uri, suite, component, origin in rows
                   if origin == "Debian")
    if not lines:
        die("apt knows no Debian archive; run apt-get update")
    return lines


def proxy_options():
    """How apt reaches its archives from here; mmdebstrap starts from an empty configuration."""
    out = run(["apt-config", "dump", "Acquire"])
    return [f"--aptopt={line}" for line in out.splitlines()
            if re.match(r'Acquire::(https?|ftp)::[Pp]roxy\S* "..*";', line)]


def bootstrap(tree):
    shutil.rmtree(tree, ignore_errors=True)
    overlay = HERE / "debian"
    release = ["--customize-hook=rm -f \"$1\"/etc/apt/apt.conf.d/99mmdebstrap"]
    # The list for initramfs-tools must be there before the kernel is configured.
    early = [f"--essential-hook=tar -C '{overlay}' --owner=0 --group=0 -cf - . | tar -C \"$1\" -xf -"]
    late = ["--customize-hook=" + command for command in (
        f"mkdir -p \"$1\"/var/lib/xen/images && cp '{LAB / 'domu.cpio'}' \"$1\"/var/lib/xen/images/guest1.initrd",
        "cp -L \"$1\"/vmlinuz \"$1\"/var/lib/xen/images/guest1.vmlinuz",
        "truncate -s 64M \"$1\"/var/lib/xen/images/guest1.img \"$1\"/var/lib/xen/images/guest2.img",
        "chroot \"$1\" passwd -d root",
        "for u in " + " ".join(MASKED) + "; do ln -sf /dev/null \"$1\"/etc/systemd/system/$u; done",
        "chroot \"$1\" systemctl enable " + " ".join(OWN_UNITS),
        "rm -rf \"$1\"/usr/share/doc/* \"$1\"/usr/share/man/* \"$1\"/usr/share/locale/*",
    )]
    run(["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
         f"--include={','.join(PACKAGES)}", "--aptopt=Apt::Install-Recommends \"false\"",
         *proxy_options(), *early, *late, *release, codename(), str(tree), *sources()])


def settle(tree):
    """What a first boot would do, slowly and each time that it starts from the fresh image."""
    (tree / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
    for name in ("etc/.updated", "var/.updated"):
        (tree / name).touch()
    (tree / "etc/resolv.conf").write_text("nameserver 10.0.2.3\n")     # QEMU's, in its user network


def make_initrd(tree, release):
    """An initramfs that loads three modules and mounts the root. Debian's own, which the image has, too,
    starts udev for that: half a minute on a busy machine that emulates."""
    archive = Archive(OUT / "initrd.img")
    archive.copy("init", HERE / "debian-init")
    add_busybox(archive)
    Modules(release, tree).add(archive, ROOT_MODULES)
    archive.close()


def make_toolstack_initrd():
    """The programs change often and the image takes minutes: they come with the initramfs (debian-init copies them)."""
    etc = ROOT / "toolstack/etc"
    files = {"usr/sbin/xend": ROOT / "build/xend", "usr/sbin/xm": ROOT / "build/xm",
             "usr/lib/xenolith/xend-worker": ROOT / "build/xend-worker", "usr/lib/xenolith/xend-tls": ROOT / "build/xend-tls", "etc/init.d/xend": etc / "xend.init", "etc/init.d/xenolith-guests": etc / "xenolith-guests.init",
             "usr/local/sbin/service": etc / "service", "usr/lib/systemd/system/xend.service": etc / "xend.service",
             "usr/lib/systemd/system/xenolith-guests.service": etc / "xenolith-guests.service",
             "etc/xen/xend-config.sxp": etc / "xend-config.sxp",
             "usr/share/bash-completion/completions/xm": etc / "xm-completion.bash",
             "etc/profile.d/xenolith.sh": etc / "xenolith.profile"}
    files |= {f"usr/lib/xenolith/network/{path.name}": path for path in sorted((ROOT / "toolstack/network").glob("*.py"))}
    stamp = common.Stamp("image-toolstack", [HERE / "image.py", OUT / "initrd.img", *files.values()])
    output = OUT / "initrd-toolstack.img"
    if stamp.fresh(output):
        return
    archive = Archive(OUT / "toolstack.cpio")
    for inside, path in files.items():
        archive.copy(f"toolstack/{inside}", path)
    archive.close()
    output.write_bytes((OUT / "initrd.img").read_bytes() + (OUT / "toolstack.cpio").read_bytes())
    (OUT / "toolstack.cpio").unlink()
    stamp.write()


def main():
    make_image()
    make_toolstack_initrd()


def make_image():
    stamp = common.Stamp("image", [HERE / "image.py", HERE / "debian", HERE / "debian-init", HERE / "cpio.py",
                                   LAB / "domu.cpio", SIZE])
    outputs = [OUT / n for n in ("disk.img", "vmlinuz", "initrd.img")]
    if stamp.fresh(*outputs) and "--refresh" not in sys.argv:
        return
    if os.geteuid():
        die("making the disk image needs root")
    say("making the disk image of Domain-0's Debian (some minutes)")
    OUT.mkdir(parents=True, exist_ok=True)
    tree = OUT / "tree"
    bootstrap(tree)
    settle(tree)
    kernel = (tree / os.readlink(tree / "vmlinuz")).resolve()
    shutil.copyfile(kernel, OUT / "vmlinuz")
    make_initrd(tree, kernel.name.removeprefix("vmlinuz-"))
    (OUT / "disk.img").unlink(missing_ok=True)
    run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-m", "0",
         "-E", "lazy_itable_init=1,lazy_journal_init=1", "-d", tree, OUT / "disk.img", SIZE])
    shutil.rmtree(tree)
    stamp.write()


if __name__ == "__main__":
    main()
