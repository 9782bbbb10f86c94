# SPDX-License-Identifier: MIT
"""A Debian with systemd in a container (systemd-nspawn): what needs services of a host, but no hypervisor. Its root forgets
what is done to it. It lies on a network of its own, with a server of addresses: a namespace that this file makes."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from lab.machine import MachineError

GATEWAY = "10.66.0.1"
PATIENCE = 180


class Lan:
    """A network namespace with dnsmasq, and one end of a cable for a container."""

    def __init__(self, name):
        self.namespace, self.cable = f"lab-{name}", f"c{os.getpid() % 100000}"
        self.directory = tempfile.mkdtemp(prefix="xl-lab-lan-")
        self.server = None

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True)

    def within(self, *words, **more):
        return subprocess.run(["ip", "netns", "exec", self.namespace, *words], capture_output=True, text=True, check=False, **more)

    def __enter__(self):
        self.ip("netns", "add", self.namespace)
        try:
            self.ip("link", "add", self.cable, "type", "veth", "peer", "name", "up0", "netns", self.namespace)
            for words in (["address", "add", f"{GATEWAY}/24", "dev", "up0"], ["link", "set", "up0", "up"], ["link", "set", "lo", "up"]):
                self.ip("-n", self.namespace, *words)
            self.server = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root",
                 "--bind-interfaces", "--interface=up0", "--port=0", "--dhcp-range=10.66.0.50,10.66.0.99,1h", f"--pid-file={self.directory}/pid",
                 f"--dhcp-leasefile={self.directory}/leases"], stdin=subprocess.DEVNULL)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.server:
            self.server.terminate()
            self.server.wait()
        subprocess.run(["ip", "netns", "delete", self.namespace], check=False)
        shutil.rmtree(self.directory)


class Container:
    """`tree` is its root. `files` are written into it before it starts: path -> text; None removes one."""

    def __init__(self, name, tree, cable, files, log):
        self.name, self.tree, self.cable, self.files = name, Path(tree), cable, files
        self.log, self.overlay, self.nspawn, self.init = Path(log), None, None, None

    def __enter__(self):
        self.overlay = Path(tempfile.mkdtemp(prefix="xl-lab-root-"))
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.overlay], check=True)
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        for part in ("upper", "work", "root"):
            (self.overlay / part).mkdir()
        root = self.overlay / "root"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={self.tree},upperdir={self.overlay}/upper,"
                        f"workdir={self.overlay}/work", root], check=True)
        for path, text in self.files.items():
            file = root / path
            file.unlink(missing_ok=True)
            if text is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        with open(self.log, "w", encoding="utf-8") as log:
            # No registration: there may be no machined, and nothing must be left with it.
            self.nspawn = subprocess.Popen(["systemd-nspawn", "--quiet", f"--directory={root}", "--register=no", "--keep-unit", "--console=pipe",
                                            f"--machine={self.name}", "--private-network", "--boot"],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self._wait(self._find_init, "start")
        # By hand: nspawn moves only what the udev of this machine knows.
        subprocess.run(["ip", "link", "set", self.cable, "netns", str(self.init)], check=True)
        self._wait(lambda: self.run("systemctl is-system-running").strip() in ("running", "degraded"), "come up")

    def _find_init(self):
        children = Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text(encoding="ascii").split()
        self.init = int(children[0]) if children else None
        return self.init

    def _wait(self, condition, what):
        for _ in range(PATIENCE):
            if self.nspawn.poll() is not None:
                raise MachineError(f"{self.name} ended instead: {self.log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
            if condition():
                return
            time.sleep(1)
        raise MachineError(f"{self.name} did not {what}: {self.log.read_text(encoding='utf-8', errors='replace')[-2000:]}")

    def run(self, command, check=False):
        """What a shell command in it prints."""
        done = subprocess.run(["nsenter", "-t", str(self.init), "-a", "/bin/sh", "-c", command], stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        if check and done.returncode:
            raise MachineError(f"{self.name}: {command}: {done.stdout}")
        return done.stdout

    def __exit__(self, *_):
        if self.nspawn:
            self.nspawn.send_signal(signal.SIGTERM)
            try:
                self.nspawn.wait(30)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
        for mount in (self.overlay / "root", self.overlay):
            subprocess.run(["umount", "-l", mount], check=False, stderr=subprocess.DEVNULL)
        self.overlay.rmdir()
