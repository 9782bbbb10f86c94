# SPDX-License-Identifier: MIT
"""A PC in QEMU: its command line, and a running one with its monitor.

    with Qemu("name", Pc(image="build/xenolith.elf", append="console=com1")) as machine:
        machine.expect(r"^Xenolith", 10)
"""

import subprocess
from pathlib import Path

from lab.machine import Machine, MachineError
from lab.monitor import Monitor

PROGRAM = "qemu-system-x86_64"
# One instruction is 1 ns of the virtual clock, which jumps over the time in which the processor is
# halted. Nothing of the host's time comes in.
COUNTING = ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1"]
UEFI = "/usr/share/OVMF"  # of package ovmf
NICS = {"virtio": "virtio-net-pci,romfile=", "e1000": "e1000,romfile="}


def version():
    out = subprocess.run([PROGRAM, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return out.splitlines()[0]


def words(pc):
    """The command line, but for the serial port, the monitor and the log."""
    found = [PROGRAM, "-accel", pc.accel, "-cpu", pc.cpu, "-machine", pc.machine, "-m", str(pc.mem),
             "-smp", str(pc.smp), "-display", "none", "-no-reboot", "-nodefaults"]
    if pc.image:
        found += ["-kernel", str(pc.image), "-append", pc.append]
    if pc.modules:
        modules = (f"{file} {more}".strip().replace(",", ",,") for file, more in pc.modules)
        found += ["-initrd", ",".join(modules)]
    if pc.disc:
        found += ["-cdrom", str(pc.disc), "-boot", "d"]
    if pc.uefi:
        found += ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={UEFI}/OVMF_CODE_4M.fd",
                  "-drive", f"if=pflash,unit=1,format=raw,snapshot=on,file={UEFI}/OVMF_VARS_4M.fd"]
    if pc.vga:
        found += ["-vga", pc.vga]
    if pc.counting:
        found += COUNTING
    return found + disk_words(pc) + nic_words(pc) + list(pc.extra)


def disk_words(pc):
    found = []
    if any(disk.interface == "ahci" for disk in pc.disks) and pc.machine != "q35":
        found += ["-device", "ahci,id=ahci"]
    bus = "ide" if pc.machine == "q35" else "ahci"
    on = {True: "on", False: "off"}
    for number, disk in enumerate(pc.disks):
        found += ["-drive", f"if=none,id=disk{number},file={disk.path},format={disk.fmt}"
                  f",readonly={on[disk.readonly]},snapshot={on[disk.snapshot]}"
                  + (",file.locking=off" if disk.shared else "")]
        found += ["-device", f"virtio-blk-pci,drive=disk{number}" if disk.interface == "virtio"
                  else f"ide-hd,drive=disk{number},bus={bus}.{number}"]
    return found


def nic_words(pc):
    found = []
    for number, nic in enumerate(pc.nics):
        backend, mac = f"user,id=net{number}", ""
        if nic.cable:
            here, there = nic.cable
            backend = (f"dgram,id=net{number},local.type=unix,local.path={here}"
                       f",remote.type=unix,remote.path={there}")
            mac = f",mac={nic.mac}"
        found += ["-netdev", backend, "-device", f"{NICS[nic.model]},netdev=net{number}{mac}"]
    return found


class Qemu(Machine):
    emulator = "QEMU"

    def __init__(self, name, pc, log=None):
        super().__init__(name, log)
        self.pc = pc
        self.monitor = None

    def command(self):
        if self.pc.image and not Path(self.pc.image).exists():
            raise MachineError(f"no {self.pc.image}: run make hypervisor and lab/build")
        for number, disk in enumerate(self.pc.disks):
            if disk.mib:
                disk.path = f"{self.directory}/disk{number}.img"
                with open(disk.path, "wb") as file:
                    file.truncate(disk.mib << 20)
        log = [] if "-D" in self.pc.extra else ["-d", "cpu_reset", "-D", self.beside(".cpu.log")]
        monitor = ["-qmp", f"unix:{self.directory}/qmp,server=on,wait=off"]
        return words(self.pc) + ["-serial", "stdio"] + monitor + log

    def start(self):
        super().start()
        self.monitor = Monitor(f"{self.directory}/qmp", self.runs)

    def kill(self):
        if self.monitor:
            self.monitor.close()
        super().kill()

    def end_reason(self):
        """After the end: "guest-shutdown", "guest-reset" (reboot) or "triple-fault"."""
        shutdown = self.monitor.event("SHUTDOWN")
        if not shutdown:
            return super().end_reason()
        reason, log = shutdown["data"]["reason"], self.beside(".cpu.log")
        if reason == "guest-reset" and log.exists() and "Triple fault" in log.read_text():
            return "triple-fault"
        return reason

    def wait_event(self, name, timeout):
        """Until QEMU reports it. Each event is waited for once."""
        event = self.wait(lambda: self.monitor.event(name), timeout, f"event {name}")
        self.monitor.events.remove(event)

    def timeout_evidence(self):
        file = self.beside(".registers")
        file.write_text(self.monitor.command("info registers -a", 3) or "")
        return f" (registers: {file})"
