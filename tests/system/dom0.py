# SPDX-License-Identifier: MIT
"""What tests do in Domain-0: guests, their consoles, counts of what the hypervisor holds."""

import re
import time
from dataclasses import dataclass

from lab import LAB
from lab.machine import MachineError
from lab.pc import Pc
from lab.system import System

ESCAPE = "\x1d"     # ends xl console


@dataclass
class Guest:
    """What goes into a guest's configuration file. Memory is MiB."""

    name: str
    vcpus: int = 1
    memory: int = 192
    maxmem: int = 0
    kernel: str = "/guest/vmlinux"
    ramdisk: str = "/guest/initrd"
    address: str = ""
    stage: str = "agent"
    disks: tuple = ()
    words: str = "quiet"
    more: tuple = ()         # further lines of the file
    ready: str = "LAB-AGENT"  # what its console says when it is up

    def lines(self):
        extra = f"console=hvc0 lab={self.stage} {self.words}"
        vifs = ""
        if self.address:
            extra += f" lab.ip={self.address}/24"
            last = int(self.address.rsplit(".", 1)[1])
            vifs = f'"mac=00:16:3e:00:00:{last:02x},bridge=xenbr0"'
        lines = [f'name="{self.name}"', f'kernel="{self.kernel}"', f"vcpus={self.vcpus}",
                 f"memory={self.memory}", f"maxmem={self.maxmem or self.memory}",
                 f'extra="{extra}"', f"vif=[{vifs}]",
                 "disk=[" + ",".join(f'"{d}"' for d in self.disks) + "]"]
        if self.ramdisk:
            lines.append(f'ramdisk="{self.ramdisk}"')
        return lines + list(self.more)


class Dom0(System):
    """A machine whose tests speak of guests. Boots with an unpacked kernel: that saves seconds."""

    def __init__(self, name, **settings):
        # Without ERMS Linux copies and clears eight bytes a step, not one, which an emulator is slow at. The demo has it.
        settings.setdefault("cpu", Pc.cpu + ",-erms,-fsrm")
        settings.setdefault("kernel", LAB / "vmlinux-stock")
        settings.setdefault("payloads", ("payload.cpio", "payload-elf.cpio"))
        super().__init__(name, **settings)

    def evidence(self):
        """What one would look at first after a failed test, as much as the machine can still tell, and the error if it
        does not answer (else None)."""
        try:
            return self.run("uptime; xl list; ps | grep -v ' \\['; dmesg | tail -n 20; "
                            "tail -n 20 /var/log/xen/xl-*.log /var/log/xen/xend.log", 30)[1], None
        except MachineError as error:
            return f"Domain-0 does not answer: {error.reason}\n{self._blocked_tasks()}", error

    def _blocked_tasks(self):
        """What its kernel says of all tasks: hvc consoles take Ctrl-O for the SysRq key."""
        start, end = len(self.text), time.monotonic() + 10
        if not self.runs():
            return "QEMU has ended"
        self.send("\x0ft")
        while time.monotonic() < end:
            self.pump(0.5)
        return self.text[start:]

    # -- guests

    def write(self, path, lines):
        quoted = " ".join(f"'{line}'" for line in lines)
        self.sh(f"printf '%s\\n' {quoted} >{path}")

    def create(self, guest, wait=True, timeout=120):
        self.sh(f"rm -f /var/log/xen/console/guest-{guest.name}.log")
        self.write(f"/root/{guest.name}.cfg", guest.lines())
        self.sh(f"xl create -q /root/{guest.name}.cfg", timeout)
        if wait:
            self.wait_guest(guest.name, guest.ready, timeout)

    def wait_guest(self, name, text="LAB-AGENT", timeout=120, count=1):
        self.sh(f"/lab/guest-wait {name} {timeout} '{text}' {count}", timeout + 30)

    def guest(self, name, command, timeout=60):
        """Run a command in a guest; it must succeed; return its output."""
        return self.sh(f"/lab/guest-run {name} {timeout} '{command}'", timeout + 30)

    def console(self, name):
        """All that the guest's console said."""
        return self.sh(f"tr -d '\\r' </var/log/xen/console/guest-{name}.log | sed 's/^/| /'")

    def domains(self):
        """Name to (id, MiB, vCPUs, state, seconds), from xl list."""
        found = {}
        for line in self.sh("xl list").splitlines()[1:]:
            words = line.split()
            if len(words) >= 6:
                found[words[0]] = (int(words[1]), int(words[2]), int(words[3]), words[4],
                                   float(words[5]))
        return found

    def destroy_all(self):
        for name in self.domains():
            if name != "Domain-0":
                self.run(f"xl destroy {name}")

    # -- counts

    def info(self, key):
        return int(re.search(rf"^{key} *: (\d+)", self.sh("xl info"), re.M).group(1))

    def settled_free_memory(self, expected=None, timeout=30):
        """MiB that the hypervisor has free, once that stops changing (or is as expected)."""
        deadline = time.monotonic() + timeout
        before = None
        while time.monotonic() < deadline:
            now = self.info("free_memory")
            if now == expected or (expected is None and now == before):
                return now
            before = now
            time.sleep(0.5)
        return before

    def cpu_seconds(self):
        return {name: values[4] for name, values in self.domains().items()}
