# SPDX-License-Identifier: MIT
"""xm in Domain-0: runs of it, its tables, guests that it makes."""

import shlex
import time

from dom0 import ESCAPE, Guest  # noqa: F401  (tests take them from here, too)

from lab.pc import Disk

MACHINE = dict(smp=1, mem=3072, dom0_mem=1536, disks=(Disk(mib=64),),
               payloads=("payload.cpio", "payload-elf.cpio", "payload-toolstack.cpio"))
DOWN = "Error: Unable to connect to xend: Connection refused. Is xend running?"
LIST_HEADER = "Name                                      ID   Mem VCPUs      State   Time(s)"

# What it wrote to stdout, a line that nothing else says, what it wrote to stderr.
RUN = "xm_run() { xm \"$@\" >/tmp/xm.out 2>/tmp/xm.err </dev/null; r=$?; cat /tmp/xm.out; echo @@ERR@@; cat /tmp/xm.err; return $r; }"


class Xm:
    def __init__(self, dom0):
        self.dom0 = dom0
        dom0.sh(RUN)

    def __call__(self, words, timeout=120):
        """Exit status, stdout, stderr. The words go through the shell."""
        status, text = self.dom0.run(f"xm_run {words}", timeout)
        out, _, err = text.partition("@@ERR@@")
        return status, out.strip("\n"), err.strip("\n")

    def good(self, words, timeout=120):
        """What it printed; it must succeed and complain of nothing."""
        status, out, err = self(words, timeout)
        assert (status, err) == (0, ""), f"xm {words}: {status}, {err!r}, {out!r}"
        return out

    def fails(self, words, timeout=120):
        """What it said; it must exit 1."""
        status, out, err = self(words, timeout)
        assert status == 1 and err.startswith("Error: "), f"xm {words}: {status}, {err!r}, {out!r}"
        return err

    def domains(self):
        """Name to (id, MiB, vCPUs, state, seconds)."""
        found = {}
        for line in self.good("list").splitlines()[1:]:
            words = line.split()
            if len(words) == 4:  # It does not run.
                words = [words[0], "-1", *words[1:3], "", words[3]]
            name, number, memory, vcpus, state, seconds = words
            found[name] = (int(number), int(memory), int(vcpus), state, float(seconds))
        return found

    def wait(self, what, timeout=60):
        """Until a predicate over domains() holds."""
        deadline = time.monotonic() + timeout
        while not what(self.domains()):
            assert time.monotonic() < deadline, self.good("list")
            time.sleep(0.5)

    # -- xend and guests

    def start_xend(self):
        if self.dom0.run("xm list")[0] != 0:
            self.dom0.sh("xend --daemon", 60)

    def stop_xend(self):
        self.dom0.sh("kill $(cat /run/xend/xend.pid); for i in $(seq 100); do xm list >/dev/null 2>&1 || break; usleep 100000; done")

    def write(self, guest, path=None):
        path = path or f"/root/{guest.name}"
        self.dom0.write(path, guest.lines())
        return path

    def create(self, guest, wait=True, options="", timeout=180):
        """`xm create` of its file, and until its console says that it is up. What xm printed."""
        self.dom0.sh(f"rm -f /var/log/xen/console/guest-{guest.name}.log")
        out = self.good(f"create {options} {self.write(guest)}", timeout)
        if wait:
            self.dom0.wait_guest(guest.name, guest.ready, timeout)
        return out

    def destroy_all(self):
        for name, (number, *_) in self.domains().items():
            if number > 0:
                self.dom0.run(f"xm destroy {shlex.quote(name)}")
            elif number < 0:
                self.dom0.run(f"xm delete --force {shlex.quote(name)}")


def changed(guest, *changes):
    """The lines of a guest's file with others in place of those of the same keys."""
    keys = {change.split("=")[0] for change in changes}
    return [line for line in guest.lines() if line.split("=")[0] not in keys] + list(changes)


def files(dom0, *names):
    """Files of 32 MiB with random content, for disks."""
    for name in names:
        dom0.sh(f"[ -e /data/{name}.img ] || dd if=/dev/urandom of=/data/{name}.img bs=1M count=32 2>/dev/null", 120)
