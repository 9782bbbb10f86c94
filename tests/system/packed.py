# SPDX-License-Identifier: MIT
"""Kernels in other forms: packed as a whole by other programs, and bzImages whose kernel they packed."""

import struct
import subprocess

from lab import LAB, ROOT
from lab.images.cpio import Archive

PACKERS = {"bzip2": ["bzip2", "-1"], "gzip": ["gzip", "-1"], "lz4": ["lz4", "-q", "-c"], "lz4-legacy": ["lz4", "-q", "-l", "-c"],
           "lzma": ["xz", "--format=lzma", "-0"], "lzo": ["lzop", "-1"], "xz": ["xz", "-0"], "zstd": ["zstd", "-q", "-1"]}
# Linux's build offers more: xz is what the stock kernel has.
BZIMAGES = ("bzip2", "lzma", "lzo")
MICRO_GUESTS = ("symtab", "xen_guest")


def pack(data, packer):
    return subprocess.run(PACKERS[packer], input=data, stdout=subprocess.PIPE, check=True).stdout


def bzimage(image, kernel, packer):
    """The bzImage with that kernel in it. Offsets: the kernel's Documentation/arch/x86/boot.rst. Linux's build appends the
    unpacked size to what these packers make."""
    offset, = struct.unpack_from("<I", image, 0x248)
    payload = pack(kernel, packer) + struct.pack("<I", len(kernel))
    image = bytearray(image[:(image[0x1f1] + 1) * 512 + offset])
    struct.pack_into("<I", image, 0x24c, len(payload))
    return bytes(image) + payload


def make_payload(path):
    """/guest/vmlinuz-PACKER; /guest/NAME and /guest/NAME.PACKER for each micro-guest."""
    micro = {name: ROOT / f"build/guest/{name}.elf" for name in MICRO_GUESTS}
    sources = [LAB / "vmlinuz-stock", LAB / "vmlinux-stock", *micro.values()]
    for source in sources:
        assert source.exists(), f"{source} is missing: run make guests and lab/build first"
    if path.exists() and all(source.stat().st_mtime < path.stat().st_mtime for source in sources):
        return
    draft = path.with_suffix(".new")
    archive = Archive(draft)
    kernel = (LAB / "vmlinux-stock").read_bytes()
    for packer in BZIMAGES:
        archive.file(f"guest/vmlinuz-{packer}", bzimage((LAB / "vmlinuz-stock").read_bytes(), kernel, packer))
    for name, elf in micro.items():
        archive.copy(f"guest/{name}", elf)
        for packer in PACKERS:
            archive.file(f"guest/{name}.{packer}", pack(elf.read_bytes(), packer))
    archive.close()
    draft.rename(path)
