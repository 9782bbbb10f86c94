#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make the small file systems of the lab.

build/lab/dom0.cpio        Domain-0: busybox, the toolstack, kernel modules; its words are in dom0/init
build/lab/mini.cpio        Domain-0 for bringing a hypervisor up: busybox and the same init, nothing else
build/lab/domu.cpio        a guest: busybox and the two frontends; its words are in domu/init
build/lab/payload.cpio     what Domain-0 starts guests from: /guest/vmlinuz, /guest/initrd; goes after dom0.cpio
build/lab/payload-elf.cpio           the stock kernel unpacked: guests start faster, for tests that start many
build/lab/payload-cloud.cpio, payload-grub.cpio    the other kernels that we try as guests
build/lab/payload-toolstack.cpio     xend, xm and xend-worker, once they are built (make toolstack)
build/lab/payload-devices.cpio       nbd, iproute2, and Xen's scripts for disks and networks that few use
build/lab/payload-ovs.cpio           Open vSwitch
build/lab/payload-driver.cpio        /guest/driver: the file system of a guest that serves others, with backend drivers and xl devd
build/lab/payload-ocf.cpio Pacemaker's agent for Xen, which calls xm
build/lab/payload-qemu.cpio          Debian's QEMU for Xen, and qemu-img: large, for the tests of what it serves
build/lab/xen.elf          Debian's hypervisor, as QEMU's -kernel takes it
"""

import gzip
import lzma
import os
import re
import struct
import sys
from pathlib import Path

from lab import LAB, ROOT
from lab.images import common
from lab.images.common import CALLERS_TREE, DEVICES_TREE, HERE, TREE, die, run, say
from lab.images.cpio import Archive

XEN = "usr/lib/xen-4.17/bin"
XEN_TOOLS = ["xl", "xenstored", "oxenstored", "xenconsoled", "xenconsole", "xen-init-dom0", "libxl-save-helper",
             "xentop", "xenpm", "lsevtchn", "xenwatchdogd", "xenctx", "test-resource", "xen-mfndump",
             "xenstore-control", "xen-diag"]
XENSTORE_TOOLS = ["read", "write", "ls", "list", "rm", "exists", "watch", "chmod"]
SCRIPTS = ["block", "block-common.sh", "vif-bridge", "vif-common.sh", "xen-network-common.sh",
           "xen-hotplug-common.sh", "xen-script-common.sh", "logging.sh", "locking.sh",
           "hotplugpath.sh"]
MORE_SCRIPTS = ["block-nbd", "block-dummy", "vif-route", "vif-nat", "vif-openvswitch"]
DOM0_MODULES = {
    "xen": ["xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs"],
    "backend": ["xen-blkback", "xen-netback", "loop", "bridge"],
    "virtio": ["virtio_pci", "virtio_blk", "virtio_net"],
    "ahci": ["ahci", "sd_mod"],
    "e1000": ["e1000"],
    "ext4": ["ext4"],
    "dm": ["dm-mod"],
}
STOCK_MODULES = {"input": ["evdev"]}
DRIVER_MODULES = {"front": ["xen-blkfront", "xen-netfront"],
                  "back": [*DOM0_MODULES["xen"], *DOM0_MODULES["backend"]]}
DOMU_MODULES = {"front": ["xen-blkfront", "xen-netfront"]}


class Modules:
    """The modules of one kernel, in the order in which insmod can take them."""

    def __init__(self, release, tree=TREE):
        self.release = release
        self.top = tree / "lib/modules" / release
        self.files = {self._key(f.name): f for f in self.top.rglob("*.ko")}
        self.builtin = {self._key(Path(line).name)
                        for line in (self.top / "modules.builtin").read_text().split()}

    @staticmethod
    def _key(name):
        return name.removesuffix(".ko").replace("-", "_")

    def closure(self, names, have=()):
        order = list(have)
        for name in names:
            key = self._key(name)
            if key in order or key in self.builtin:
                continue
            if key not in self.files:
                die(f"kernel {self.release} has no module {name}")
            needs = re.search(rb"\0depends=([^\0]*)\0", b"\0" + self.files[key].read_bytes())
            deps = needs.group(1).decode().split(",") if needs and needs.group(1) else []
            # They ask for their checksum through the crypto layer by name, not by symbol.
            deps += {"ext4": ["crc32c_generic"], "libcrc32c": ["crc32c_generic"], "virtio_net": [], "ahci": []}.get(key, [])
            order = self.closure(deps, order)
            order.append(key)
        return order

    def add(self, archive, groups):
        """Put each group's modules in the archive, and a list /lib/modules/RELEASE/GROUP of paths."""
        for group, names in groups.items():
            lines = []
            for key in self.closure(names):
                path = f"lib/modules/{self.release}/{self.files[key].name}"
                archive.copy(path, self.files[key])
                lines.append("/" + path)
            archive.file(f"lib/modules/{self.release}/{group}.list",
                         "".join(line + "\n" for line in lines).encode())


def add_busybox(archive):
    busybox = TREE / "bin/busybox"
    archive.copy("bin/busybox", busybox)
    for applet in run([busybox, "--list"]).split():
        if applet != "busybox":
            archive.link(f"bin/{applet}", "busybox")
    for name in ("sbin", "usr/bin", "usr/sbin"):
        archive.directory(name)
    for name in ("proc", "sys", "dev", "tmp", "run", "root", "var/log", "etc"):
        archive.directory(name)
    archive.link("var/run", "../run")
    archive.link("var/lock", "../run/lock")
    archive.device("dev/console", 5, 1)
    archive.device("dev/null", 1, 3)


def add_program(archive, path):
    """A dynamically linked program and all libraries that it needs, each found in Debian's tree."""
    todo = [path]
    while todo:
        item = todo.pop()
        archive.copy(str(item), (TREE / item).resolve())
        out = run(["readelf", "-d", "-l", TREE / item])
        for need in re.findall(r"\(NEEDED\).*\[(.*)\]", out):
            name = f"lib/x86_64-linux-gnu/{need}"
            found = [p for p in (name, "usr/" + name) if (TREE / p).exists()]
            if not found:
                die(f"no {need} for {item}: missing from the package list of fetch.py")
            if found[0] not in archive.seen:
                todo.append(found[0])
        loader = re.search(r"interpreter: /(\S+)\]", out)
        if loader:
            archive.copy(loader.group(1), (TREE / loader.group(1)).resolve())


def add_overlay(archive, directory):
    for file in sorted(directory.rglob("*")):
        if file.is_file():
            archive.copy(str(file.relative_to(directory)), file)


def add_xen_scripts(archive):
    """Xen's scripts, with all that they call, and what xl reads."""
    for tool in XENSTORE_TOOLS:
        add_program(archive, f"usr/bin/xenstore-{tool}")
    add_program(archive, "bin/bash")
    add_program(archive, "usr/bin/flock")
    # Cancelling a thread loads this one at run time: xl does so.
    add_program(archive, "lib/x86_64-linux-gnu/libgcc_s.so.1")
    for script in SCRIPTS:
        archive.copy(f"etc/xen/scripts/{script}", TREE / "etc/xen/scripts" / script)
    archive.copy("etc/xen/xl.conf", TREE / "etc/xen/xl.conf")
    archive.copy("etc/xen/oxenstored.conf", TREE / "etc/xen/oxenstored.conf")


def make_dom0(release):
    archive = Archive(LAB / "dom0.cpio")
    add_overlay(archive, HERE / "dom0")
    add_busybox(archive)
    for tool in XEN_TOOLS:
        add_program(archive, f"{XEN}/{tool}")
        archive.link(f"usr/sbin/{tool}", f"/{XEN}/{tool}")
    add_xen_scripts(archive)
    archive.copy("bin/flow", LAB / "flow")
    archive.copy("bin/log-dirty", LAB / "log-dirty")
    archive.copy("bin/dm-linear", LAB / "dm-linear")
    Modules(release).add(archive, DOM0_MODULES)
    archive.close()


def make_mini():
    archive = Archive(LAB / "mini.cpio")
    add_overlay(archive, HERE / "dom0")
    add_busybox(archive)
    archive.close()


def make_domu(releases):
    archive = Archive(LAB / "domu.cpio")
    add_overlay(archive, HERE / "domu")
    archive.copy("lab/agent", HERE / "dom0/lab/agent")
    archive.copy("bin/flow", LAB / "flow")
    archive.copy("bin/log-dirty", LAB / "log-dirty")
    archive.copy("bin/pages", LAB / "pages")
    add_busybox(archive)
    for kind, release in releases.items():
        Modules(release).add(archive, {**DOMU_MODULES, **(STOCK_MODULES if kind == "stock" else {})})
    archive.close()


def make_payload(name, files):
    archive = Archive(LAB / name)
    for inside, outside in files.items():
        archive.copy(inside, outside)
    archive.close()


def add_host_program(archive, inside, path, more=""):
    """A program that was built here, with this system's libraries: they are Debian 12's, too. `more`: where others lie."""
    archive.copy(inside, path)
    for line in run(["ldd", path], env={**os.environ, "LD_LIBRARY_PATH": str(more)}).splitlines():
        library = re.search(r"(/\S+) \(0x", line)
        if library:
            name = library.group(1).removeprefix(str(DEVICES_TREE)).lstrip("/")
            # One place for all: /lib is a link in a whole system, and a directory in the lab's.
            archive.copy(name.removeprefix("usr/"), Path(library.group(1)).resolve())


def make_toolstack():
    """Made anew whenever one of the programs was. TOOLSTACK=toolstack-san takes those of build/toolstack-san/bin, for
    payload-toolstack-san.cpio."""
    variant = os.environ.get("TOOLSTACK", "toolstack")
    built = ROOT / "build" / ("" if variant == "toolstack" else f"{variant}/bin")
    programs = {"usr/sbin/xend": built / "xend", "usr/sbin/xm": built / "xm",
                "usr/lib/xenolith/xend-worker": built / "xend-worker", "usr/lib/xenolith/xend-tls": built / "xend-tls"}
    programs = {inside: path for inside, path in programs.items() if path.exists()}
    if not programs:
        return
    caller = ROOT / "tests/system/tools/xend-call.c"
    driver = ROOT / "tests/system/tools/worker-driver.c"
    hostile = ROOT / "tests/system/tools/hostile-loader.c"
    etc = ROOT / "toolstack/etc"
    output = LAB / f"payload-{variant}.cpio"
    stamp = common.Stamp(variant, [HERE / "initramfs.py", caller, driver, hostile, *programs.values()] + ([etc] if etc.exists() else []))
    if stamp.fresh(output):
        return
    say("packing xend, xm and the worker")
    run(["gcc", "-O2", "-Wall", "-o", LAB / "xend-call", caller])
    run(["gcc", "-O2", "-Wall", "-D_GNU_SOURCE", "-D__XEN_TOOLS__", f"-I{ROOT}/toolstack", "-I/usr/include/json-c",
         "-o", LAB / "worker-driver", driver, *(ROOT / f"build/toolstack/libxenolith-{name}.a" for name in ("config", "hv", "lib")),
         "-ljson-c", "-lxencall", "-lxenforeignmemory", "-lxenstore"])
    run(["gcc", "-O2", "-Wall", "-static", "-o", LAB / "hostile-loader", hostile])
    draft = output.with_suffix(".new")
    archive = Archive(draft)
    for inside, path in programs.items():
        add_host_program(archive, inside, path)
    add_host_program(archive, "usr/bin/xend-call", LAB / "xend-call")
    add_host_program(archive, "usr/bin/worker-driver", LAB / "worker-driver")
    archive.copy("lab/hostile-loader", LAB / "hostile-loader")
    # Cancelling a thread loads this one at run time.
    archive.copy("lib/x86_64-linux-gnu/libgcc_s.so.1", Path("/lib/x86_64-linux-gnu/libgcc_s.so.1").resolve())
    if (etc / "xend.init").exists():
        archive.copy("etc/init.d/xend", etc / "xend.init")
        archive.copy("etc/init.d/xenolith-guests", etc / "xenolith-guests.init")
        archive.copy("usr/sbin/service", etc / "service")
    archive.close()
    draft.rename(output)
    stamp.write()


def make_ocf():
    """The agent and the functions that it reads in."""
    top = CALLERS_TREE / "usr/lib/ocf"
    stamp = common.Stamp("ocf", [HERE / "initramfs.py", top / "resource.d/heartbeat/Xen", top / "lib"])
    if stamp.fresh(LAB / "payload-ocf.cpio"):
        return
    archive = Archive(LAB / "payload-ocf.cpio")
    archive.copy("usr/lib/ocf/resource.d/heartbeat/Xen", top / "resource.d/heartbeat/Xen")
    for file in sorted((top / "lib/heartbeat").iterdir()):
        archive.copy(f"usr/lib/ocf/lib/heartbeat/{file.name}", file)
    archive.close()
    stamp.write()


def add_devices_programs(archive, programs):
    for inside, path in programs.items():
        add_host_program(archive, inside, DEVICES_TREE / path, ":".join(str(DEVICES_TREE / p / "x86_64-linux-gnu") for p in ("usr/lib", "lib")))


def make_devices(release):
    inputs = [HERE / "initramfs.py", LAB / "stamps/fetch-devices", release]
    stamp = common.Stamp("devices", inputs)
    output = LAB / "payload-devices.cpio"
    if stamp.fresh(output, LAB / "payload-ovs.cpio"):
        return
    archive = Archive(output)
    # vif-route wants more of ip than busybox knows.
    add_devices_programs(archive, {"usr/sbin/nbd-client": "sbin/nbd-client", "usr/bin/nbd-server": "bin/nbd-server", "usr/sbin/ip": "bin/ip"})
    for script in MORE_SCRIPTS:
        archive.copy(f"etc/xen/scripts/{script}", TREE / "etc/xen/scripts" / script)
    Modules(release).add(archive, {"nbd": ["nbd"]})
    archive.close()
    make_ovs(release)
    stamp.write()


def make_ovs(release):
    archive = Archive(LAB / "payload-ovs.cpio")
    add_devices_programs(archive, {"usr/sbin/ovs-vswitchd": "usr/lib/openvswitch-switch/ovs-vswitchd", "usr/sbin/ovsdb-server": "usr/sbin/ovsdb-server",
                                   "usr/bin/ovsdb-tool": "usr/bin/ovsdb-tool", "usr/bin/ovs-vsctl": "usr/bin/ovs-vsctl"})
    archive.copy("usr/share/openvswitch/vswitch.ovsschema", DEVICES_TREE / "usr/share/openvswitch/vswitch.ovsschema")
    Modules(release).add(archive, {"ovs": ["openvswitch"]})
    archive.close()


def make_driver(release):
    inputs = [HERE / "initramfs.py", HERE / "driver", HERE / "domu", LAB / "stamps/fetch", release]
    stamp = common.Stamp("driver", inputs)
    if stamp.fresh(LAB / "payload-driver.cpio"):
        return
    archive = Archive(LAB / "driver.cpio")
    add_overlay(archive, HERE / "domu")
    add_overlay(archive, HERE / "driver")
    archive.copy("lab/agent", HERE / "dom0/lab/agent")
    add_busybox(archive)
    add_program(archive, f"{XEN}/xl")
    archive.link("usr/sbin/xl", f"/{XEN}/xl")
    add_xen_scripts(archive)
    Modules(release).add(archive, DRIVER_MODULES)
    archive.close()
    make_payload("payload-driver.cpio", {"guest/driver": LAB / "driver.cpio"})
    stamp.write()


def make_qemu(release):
    """QEMU reads a table of keys even when nobody types. The file server is for images that do not answer."""
    programs = [Path(p) for p in ("/usr/libexec/xen-qemu-system-i386", "/usr/bin/qemu-img")]
    keymaps = Path("/usr/share/qemu/keymaps")
    server = ROOT / "tests/system/tools/slow-fs.c"
    stamp = common.Stamp("qemu", [HERE / "initramfs.py", HERE / "cpio.py", *programs, server, release])
    output = LAB / "payload-qemu.cpio"
    if stamp.fresh(output):
        return
    say("packing QEMU for Xen")
    draft = output.with_suffix(".new")
    archive = Archive(draft)
    for path in programs:
        add_host_program(archive, str(path).lstrip("/"), path)
    for name in ("en-us", "de"):
        archive.copy(f"usr/share/qemu/keymaps/{name}", keymaps / name)
    run(["gcc", "-O2", "-Wall", "-static", "-o", LAB / server.stem, server])
    archive.copy("bin/slow-fs", LAB / server.stem)
    Modules(release).add(archive, {"fuse": ["fuse"]})
    archive.close()
    draft.rename(output)
    stamp.write()


def make_elf_kernel():
    """Unpack the stock kernel's xz payload, and cut the zeros at the end of its last segment: in place
    of 65 MB a loader reads 37. Offsets: the kernel's Documentation/x86/boot.rst, and the ELF standard."""
    image = (LAB / "vmlinuz-stock").read_bytes()
    offset, length = struct.unpack_from("<II", image, 0x248)
    begin = (image[0x1f1] + 1) * 512 + offset
    elf = bytearray(lzma.LZMADecompressor().decompress(image[begin:begin + length]))
    table, = struct.unpack_from("<Q", elf, 0x20)
    size, count = struct.unpack_from("<HH", elf, 0x36)
    headers = [table + i * size for i in range(count)]
    loads = [h for h in headers if struct.unpack_from("<I", elf, h)[0] == 1]
    last = max(loads, key=lambda h: struct.unpack_from("<Q", elf, h + 8)[0])
    start, = struct.unpack_from("<Q", elf, last + 8)
    end = start + struct.unpack_from("<Q", elf, last + 0x20)[0]
    filled = len(bytes(elf[start:end]).rstrip(b"\0"))
    struct.pack_into("<Q", elf, last + 0x20, filled)
    # The section headers follow in the file; some loaders insist on them. What was cut is NOBITS now.
    shift = end - start - filled
    sections, = struct.unpack_from("<Q", elf, 0x28)
    size, count = struct.unpack_from("<HH", elf, 0x3a)
    for header in (sections + i * size for i in range(count)):
        offset, = struct.unpack_from("<Q", elf, header + 0x18)
        if offset >= end:
            struct.pack_into("<Q", elf, header + 0x18, offset - shift)
        elif offset >= start + filled:
            struct.pack_into("<I", elf, header + 4, 8)
    struct.pack_into("<Q", elf, 0x28, sections - shift)
    (LAB / "vmlinux-stock").write_bytes(elf[:start + filled] + elf[end:])


def make_xen():
    with gzip.open(TREE / "boot/xen-4.17-amd64.gz") as packed:
        (LAB / "xen.elf").write_bytes(packed.read())


def main():
    """With the word "basic": only what needs nothing of ours."""
    make_lab()
    if sys.argv[1:] == ["basic"]:
        return
    make_toolstack()
    make_ocf()
    release = (LAB / "stock.release").read_text().strip()
    make_devices(release)
    make_driver(release)
    make_qemu(release)


def make_lab():
    release = {kind: (LAB / f"{kind}.release").read_text().strip() for kind in ("stock", "cloud")}
    tools = [ROOT / "tests/system/tools" / n for n in ("flow.c", "dm-linear.c", "log-dirty.c", "pages.c")]
    sources = [HERE / n for n in ("initramfs.py", "cpio.py", "dom0", "domu")] + tools
    stamp = common.Stamp("initramfs", sources + [release])
    outputs = [LAB / n for n in ("dom0.cpio", "mini.cpio", "domu.cpio", "payload.cpio", "payload-elf.cpio",
                                 "payload-cloud.cpio",
                                 "payload-grub.cpio", "xen.elf")]
    if stamp.fresh(*outputs) and all((LAB / "stamps/fetch").stat().st_mtime
                                     <= o.stat().st_mtime for o in outputs):
        return
    say("making the file systems of Domain-0 and its guests")
    make_xen()
    for tool in tools:
        run(["gcc", "-O2", "-Wall", "-static", "-o", LAB / tool.stem, tool])
    make_dom0(release["stock"])
    make_mini()
    make_domu(release)
    make_payload("payload.cpio", {"guest/vmlinuz": LAB / "vmlinuz-stock",
                                  "guest/initrd": LAB / "domu.cpio"})
    make_elf_kernel()
    make_payload("payload-elf.cpio", {"guest/vmlinux": LAB / "vmlinux-stock"})
    make_payload("payload-cloud.cpio", {"guest/vmlinuz-cloud": LAB / "vmlinuz-cloud"})
    make_payload("payload-grub.cpio",
                 {"guest/grub-xen": TREE / "usr/lib/grub-xen/grub-x86_64-xen.bin"})
    stamp.write()


if __name__ == "__main__":
    main()
