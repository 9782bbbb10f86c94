# SPDX-License-Identifier: MIT
"""A PC in QEMU that runs a hypervisor with the lab's Domain-0, driven over its serial port.

    with Machine("name", hv="xen") as machine:
        machine.wait_ready()
        rc, output = machine.run("xl info")

The hypervisor's log and Domain-0's console share the serial port. What was seen is always in
build/lab/logs/NAME.log. A hypervisor panic, a Domain-0 panic, a triple fault or an unexpected end of
QEMU raises MachineDied at once instead of waiting for a timeout.
"""

import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAB = Path(os.environ.get("LAB", ROOT / "build" / "lab"))
LOGS = LAB / "logs"

# A line of the hypervisor's own log. It may land in the middle of a line of Domain-0's.
HV_LINE = re.compile(r"\((?:XEN|Xen|XENOLITH|xenolith|HV)\)[^\n]*\n")
FATAL = [
    (re.compile(r"^\((?:XEN|xenolith|HV)\).*\bpanic\b", re.I | re.M), "the hypervisor panicked"),
    (re.compile(r"^(?:xenolith: )?(?:panic|PANIC|FATAL)\b[ :]", re.M), "the hypervisor panicked"),
    (re.compile(r"^\[ *\d+\.\d+\] Kernel panic - not syncing", re.M), "Domain-0's kernel panicked"),
    (re.compile(r"\bDom(?:ain[- ])?0 (?:crashed|has crashed)", re.I), "Domain-0 crashed"),
    (re.compile(r"^\((?:XEN|xenolith)\).*Domain 0 \(vcpu#\d+\) crashed", re.I | re.M), "Domain-0 crashed"),
    (re.compile(r"^LAB-FAILED", re.M), "Domain-0's toolstack did not come up"),
]


class MachineError(Exception):
    """What went wrong, with the end of the serial log."""


class MachineDied(MachineError):
    pass


class MachineTimeout(MachineError):
    pass


@dataclass
class Disk:
    """A disk: a file, or an empty one of `mib` that lives as long as the machine."""

    path: str = ""
    interface: str = "virtio"   # or "ahci"
    mib: int = 0
    fmt: str = "raw"
    readonly: bool = False
    snapshot: bool = False


@dataclass
class Config:
    """What the machine is made of. Sizes are MiB."""

    hv: str = field(default_factory=lambda: os.environ.get("HV", "xenolith"))
    smp: int = 2
    mem: int = 2048
    machine: str = "pc"
    cpu: str = "max,-smap"
    dom0_mem: int = 1024
    dom0_vcpus: int = 0          # 0: as many as there are processors
    stage: str = "agent"         # see lab/images/dom0/init
    payloads: tuple = ("payload.cpio",)
    kernel: str = ""             # Domain-0's, "": Debian's stock kernel
    initrd: str = ""
    dom0_append: str = "quiet"
    hv_append: str = ""
    hv_image: str = ""
    disks: tuple = ()
    nics: tuple = ()             # "virtio" or "e1000", each on QEMU's user network
    extra: tuple = ()            # further words for QEMU
    accel: str = "tcg"


def hypervisor_image(config):
    if config.hv_image:
        return Path(config.hv_image)
    return {"xenolith": ROOT / "build" / "xenolith.elf", "xenolith-debug": ROOT / "build" / "xenolith-debug.elf",
            "xen": LAB / "xen.elf"}[config.hv]


def hypervisor_words(config):
    words = ["com1=115200,8n1", "console=com1", "loglvl=all", "guest_loglvl=all",
             f"dom0_mem={config.dom0_mem}M,max:{config.dom0_mem}M"]
    if config.dom0_vcpus:
        words.append(f"dom0_max_vcpus={config.dom0_vcpus}")
    if config.hv == "xen":
        # The scheduler that issue tests speak to by weight and cap; and no wait before a panic ends.
        words += ["sched=credit", "noreboot"]
    return " ".join(words + ([config.hv_append] if config.hv_append else []))


def joined_initrd(config):
    """One file with all archives of Domain-0: the kernel unpacks them one after the other."""
    if config.initrd:
        return Path(config.initrd)
    if config.stage in ("shell0", "agent0"):
        return LAB / "mini.cpio"
    parts = ["dom0.cpio", *config.payloads]
    name = "+".join(p.removesuffix(".cpio") for p in parts) + ".cpio"
    path = LAB / "joined" / name
    newest = max((LAB / p).stat().st_mtime for p in parts)
    if not path.exists() or path.stat().st_mtime < newest:
        path.parent.mkdir(exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        with open(draft, "wb") as out:
            for part in parts:
                with open(LAB / part, "rb") as source:
                    shutil.copyfileobj(source, out)
        draft.rename(path)
    return path


def qemu_words(config):
    """The command line of QEMU but for the serial port and the monitor."""
    kernel = config.kernel or LAB / "vmlinuz-stock"
    append = f"console=hvc0 lab={config.stage} {config.dom0_append}".strip().replace(",", ",,")
    words = ["qemu-system-x86_64", "-accel", config.accel, "-cpu", config.cpu,
             "-machine", config.machine, "-m", str(config.mem), "-smp", str(config.smp),
             "-display", "none", "-no-reboot", "-nodefaults",
             "-kernel", str(hypervisor_image(config)), "-append", hypervisor_words(config),
             "-initrd", f"{kernel} {append},{joined_initrd(config)}"]
    if any(disk.interface == "ahci" for disk in config.disks) and config.machine != "q35":
        words += ["-device", "ahci,id=ahci"]
    ahci_bus = "ide" if config.machine == "q35" else "ahci"
    for number, disk in enumerate(config.disks):
        words += ["-drive", f"if=none,id=disk{number},file={disk.path},format={disk.fmt}"
                  f",readonly={'on' if disk.readonly else 'off'}"
                  f",snapshot={'on' if disk.snapshot else 'off'}"]
        words += ["-device", f"virtio-blk-pci,drive=disk{number}" if disk.interface == "virtio"
                  else f"ide-hd,drive=disk{number},bus={ahci_bus}.{number}"]
    for number, nic in enumerate(config.nics):
        model = {"virtio": "virtio-net-pci,romfile=", "e1000": "e1000,romfile="}[nic]
        words += ["-netdev", f"user,id=net{number}", "-device", f"{model},netdev=net{number}"]
    return words + list(config.extra)


def die_with_parent():
    """In the new process: no QEMU outlives a test run, however that ends (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Machine:
    def __init__(self, name, **settings):
        self.name = name
        self.config = Config(**settings)
        self.text = ""            # all that the serial port said, without carriage returns
        self.mark = 0             # where expect() goes on reading
        self.process = None
        self.directory = None
        self.monitor = None
        self.echo = None          # where to copy what is seen, too
        self.events = []
        self.started = self.first_output = None
        self.allow_death = False  # set while a test means the machine to end
        self.commands = 0
        self.checked = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    # -- life ------------------------------------------------------------------------------------

    def start(self, extra=()):
        image = hypervisor_image(self.config)
        if not image.exists():
            raise MachineError(f"no {image}: run make hypervisor and lab/build")
        LOGS.mkdir(parents=True, exist_ok=True)
        self.directory = tempfile.mkdtemp(prefix="xl-lab-")
        for number, disk in enumerate(self.config.disks):
            if disk.mib:
                disk.path = f"{self.directory}/disk{number}.img"
                with open(disk.path, "wb") as file:
                    file.truncate(disk.mib << 20)
        self.cpu_log = LOGS / f"{self.name}.cpu.log"
        self.log = open(LOGS / f"{self.name}.log", "wb", buffering=0)
        words = qemu_words(self.config) + ["-serial", "stdio", "-qmp",
                                           f"unix:{self.directory}/qmp,server=on,wait=off"]
        if "-D" not in extra:
            words += ["-d", "cpu_reset", "-D", str(self.cpu_log)]
        words += list(extra)
        (LOGS / f"{self.name}.cmd").write_text("\n".join(words) + "\n")
        self.started = time.monotonic()
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True,
                                        preexec_fn=die_with_parent)
        os.set_blocking(self.process.stdout.fileno(), False)
        self._connect_monitor()

    def _connect_monitor(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                link = socket.socket(socket.AF_UNIX)
                link.connect(f"{self.directory}/qmp")
            except OSError:
                time.sleep(0.02)
                continue
            self.monitor = link
            self.monitor_data = b""
            self._monitor_send("qmp_capabilities")
            return

    def _monitor_send(self, command, **arguments):
        if not self.monitor:
            return
        try:
            self.monitor.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        except OSError:
            pass

    def _monitor_poll(self, seconds=0.0):
        """Read what QEMU reports; keep events; return the replies."""
        replies = []
        while self.monitor and select.select([self.monitor], [], [], seconds)[0]:
            try:
                data = self.monitor.recv(1 << 16)
            except OSError:
                break
            if not data:
                break
            self.monitor_data += data
            *lines, self.monitor_data = self.monitor_data.split(b"\n")
            for line in filter(None, (entry.strip() for entry in lines)):
                message = json.loads(line)
                (self.events if "event" in message else replies).append(message)
            if any("return" in r or "error" in r for r in replies):
                break
        return replies

    def monitor_command(self, line):
        """Run a command of QEMU's human monitor, return its output."""
        self._monitor_poll()
        self._monitor_send("human-monitor-command", **{"command-line": line})
        for reply in self._monitor_poll(3.0):
            if isinstance(reply.get("return"), str):
                return reply["return"].replace("\r", "")
        return ""

    def end_reason(self):
        """After the end: "guest-shutdown", "guest-reset" (reboot) or "triple-fault"."""
        self._monitor_poll()
        for event in self.events:
            if event["event"] == "SHUTDOWN":
                reason = event["data"].get("reason", "?")
                try:
                    if reason == "guest-reset" and "Triple fault" in self.cpu_log.read_text():
                        return "triple-fault"
                except OSError:
                    pass
                return reason
        return f"exit status {self.process.returncode}"

    def wait_end(self, timeout):
        """Wait until QEMU ends by itself; return the reason."""
        self.allow_death = True
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise self._error(MachineTimeout, f"still runs after {timeout} s")
            self._pump(0.2)
            self._monitor_poll()
        self._pump(0)
        return self.end_reason()

    def finish(self, command, timeout):
        """Run a command that ends the machine; return the reason as end_reason() tells it."""
        self.allow_death = True
        self.send(command + "\n")
        return self.wait_end(timeout)

    def kill(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except OSError:
            pass
        if self.monitor:
            self.monitor.close()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.process = None

    # -- the serial port -------------------------------------------------------------------------

    def _pump(self, seconds):
        """Take in what the serial port says within `seconds`; True if there was anything."""
        fd = self.process.stdout.fileno()
        if not select.select([fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return False
        if not data:
            time.sleep(0.02)
            return False
        if self.first_output is None:
            self.first_output = time.monotonic()
        self.log.write(data)
        text = data.decode("latin-1").replace("\r", "")
        self.text += text
        if self.echo:
            self.echo.write(text)
            self.echo.flush()
        return True

    def _check_alive(self):
        begin = max(0, self.checked - 200)
        for pattern, meaning in FATAL:
            if pattern.search(self.text, begin) and not self.allow_death:
                deadline = time.monotonic() + 2
                while time.monotonic() < deadline and self._pump(0.5):
                    pass
                raise self._error(MachineDied, meaning)
        self.checked = self.text.rfind("\n") + 1
        if self.process.poll() is not None and not self.allow_death:
            while self._pump(0):
                pass
            raise self._error(MachineDied, f"QEMU ended: {self.end_reason()}")

    def _error(self, kind, what):
        tail = "\n".join(self.text.splitlines()[-40:])
        return kind(f"{self.name}: {what}\n--- end of {LOGS / (self.name + '.log')}\n{tail}")

    def seconds(self):
        """Since QEMU was started."""
        return time.monotonic() - self.started

    def expect(self, pattern, timeout, start=None):
        """Wait for a regular expression; return the match. Reading goes on after it. What it is in may have come before
        the end of the last command: then `start` is where in the text to look from."""
        if start is not None:
            self.mark = start
        pattern = re.compile(pattern, re.M)
        deadline = time.monotonic() + timeout
        while True:
            match = pattern.search(self.text, self.mark)
            if match:
                self.mark = match.end()
                return match
            self._check_alive()
            if time.monotonic() > deadline:
                raise self._timeout(pattern, timeout)
            self._pump(0.1)

    def _timeout(self, pattern, seconds):
        registers = self.monitor_command("info registers -a")
        (LOGS / f"{self.name}.registers").write_text(registers)
        return self._error(MachineTimeout, f"{pattern.pattern!r} not seen in {seconds} s "
                           f"(registers: {LOGS / self.name}.registers)")

    def send(self, text):
        """Type without waiting."""
        os.write(self.process.stdin.fileno(), text.encode("latin-1"))

    # -- Domain-0 --------------------------------------------------------------------------------

    def wait_ready(self, timeout=120):
        """Wait for the stage's marker, and for the agent if the stage has one."""
        marker = "LAB-INIT-REACHED" if self.config.stage in ("shell0", "agent0") else "LAB-READY"
        self.expect(f"^{marker}.*\n", timeout)
        ready = self.seconds()
        if self.config.stage.startswith("agent"):
            self.expect(r"LAB-AGENT\n", 20)
        return ready

    def expect_end(self, start, timeout):
        """Wait for the line that ends the present command; return its match in what was seen from `start` on without
        the hypervisor's lines, one of which may have come in the middle of it."""
        pattern = re.compile(rf"@@LAB {self.commands} (\d+)@@\n")
        deadline = time.monotonic() + timeout
        while True:
            match = pattern.search(HV_LINE.sub("", self.text[start:]))
            if match:
                self.mark = max(start, self.text.rfind(f"@@LAB {self.commands} "))
                return match
            self._check_alive()
            if time.monotonic() > deadline:
                raise self._timeout(pattern, timeout)
            self._pump(0.1)

    def run(self, command, timeout=60, check=False):
        """Run one line of shell in Domain-0; return its exit status and its output (both streams).

        What is typed is echoed by the terminal, and paced by that: ports have small buffers."""
        command = f"{{ {command}; }} 2>&1"
        assert "\n" not in command and len(command) < 4000
        self.commands += 1
        self._pump(0)
        start = self.mark = len(self.text)
        deadline = time.monotonic() + timeout
        sent = 0
        while sent < len(command):
            self.send(command[sent:sent + 64])
            sent = min(sent + 64, len(command))
            while len(HV_LINE.sub("", self.text[start:])) < sent and time.monotonic() < deadline:
                self._check_alive()
                self._pump(0.05)
        echo_end = sent
        self.send("\n")
        match = self.expect_end(start, max(1, deadline - time.monotonic()))
        output = match.string[echo_end:match.start()].strip("\n")
        rc = int(match.group(1))
        if check and rc:
            raise self._error(MachineError, f"{command}: exit status {rc}\n{output}")
        return rc, output

    def sh(self, command, timeout=60):
        """Run a command that must succeed; return its output."""
        return self.run(command, timeout, check=True)[1]

    def converse(self, command, steps, timeout=60):
        """Run a command that reads the terminal. Each step is (text to type, pattern to wait for);
        the last step must make the command end. Return its exit status and what was seen."""
        self.commands += 1
        self._pump(0)
        start = self.mark = len(self.text)
        self.send(f"{command} </dev/hvc0\n")
        for text, pattern in steps:
            self.send(text)
            if pattern:
                self.expect(pattern, timeout)
        match = self.expect_end(start, timeout)
        return int(match.group(1)), match.string[:match.start()]
