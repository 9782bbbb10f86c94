# SPDX-License-Identifier: MIT
"""The parts of a PC, whichever emulator it is made in. Sizes are MiB."""

import socket
import zlib
from dataclasses import dataclass


@dataclass
class Disk:
    """A disk: a file, or an empty one of `mib` that lives as long as the machine."""

    path: str = ""
    interface: str = "virtio"   # or "ahci"
    mib: int = 0
    fmt: str = "raw"
    readonly: bool = False
    snapshot: bool = False
    shared: bool = False        # with other machines, as a disk in a storage network is


@dataclass
class Nic:
    """A network card on the emulator's own network, where 10.0.2.2 answers; or at an end of a cable."""

    model: str = "virtio"       # or "e1000"
    cable: tuple = ()           # two paths of sockets: this end, the other end

    @property
    def mac(self):
        """Two cards at one cable need two addresses."""
        return "52:54:00:" + zlib.crc32(str(self.cable[0]).encode()).to_bytes(4, "big")[1:].hex(":")


def unused_port():
    """A TCP port of this machine that nobody has, to make one of an emulated machine reachable."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cable(directory):
    """Two cards with a cable between them. As at a real one, a machine may start before the other, end
    and come back."""
    ends = f"{directory}/end0", f"{directory}/end1"
    return Nic(cable=ends), Nic(cable=ends[::-1])


@dataclass
class Pc:
    """A PC. It boots `image` (multiboot) with the words `append` and its modules, or a disc."""

    image: str = ""
    append: str = ""
    modules: tuple = ()         # (file, words)
    disc: str = ""
    smp: int = 1
    mem: int = 512
    machine: str = "pc"
    # With SMAP, QEMU's iretq in ring 3 fails.
    cpu: str = "max,-smap"
    accel: str = "tcg"
    uefi: bool = False          # firmware, in place of a BIOS
    vga: str = ""               # a graphics card, as QEMU's -vga names it
    counting: bool = False      # an instruction is a tick of the clock, and two runs agree
    disks: tuple = ()
    nics: tuple = ()
    extra: tuple = ()           # further words for QEMU
