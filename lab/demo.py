#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What ./demo does once everything is built: boot a whole Debian under a hypervisor.

lab.demo interactive    hands the terminal over
lab.demo batch          tells the story unattended; exit status 0 only if each step did what it should
"""

import os
import re
import shutil
import signal
import sys

from lab.debian import DEBIAN, PATIENCE, Debian
from lab.images import common
from lab.machine import MachineError
from lab.pc import Nic
from lab.qemu import PROGRAM, words
from lab.system import System

GUEST = "GUEST:"  # how the prompt of guest1's shell begins


def kvm_works():
    """True if /dev/kvm runs our kind of code: some offer the file and then crawl or die.

    The hypervisor must have started its processors and come to Domain-0 within five seconds."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        if not re.search(r"^flags.*\b(svm|vmx|hypervisor)\b", file.read(), re.MULTILINE):
            return False
    probe = System("demo-probe", accel="kvm", cpu="host", smp=1, mem=512, stage="shell0",
                   kernel=DEBIAN / "vmlinuz", initrd=DEBIAN / "initrd.img")
    try:
        with probe:
            probe.allow_death = True
            # The last line before Domain-0. The command line, which comes first, names dom0_mem.
            probe.expect(r"the hypervisor holds", 5)
        return True
    except MachineError:
        return False


def machine(name, more_words=""):
    accelerated = dict(accel="kvm", cpu="host") if kvm_works() else {}
    return Debian(name, nics=(Nic(),), words=more_words, **accelerated)


def interactive():
    pc = machine("demo", "systemd.show_status=auto").pc
    print(f"\ndemo: booting {pc.image.name}, then Debian as Domain-0; "
          f"{'KVM' if pc.accel == 'kvm' else 'software emulation'}: about "
          f"{'ten seconds' if pc.accel == 'kvm' else 'a minute'}. Ctrl-A x ends the emulator.\n", flush=True)
    os.execvp(PROGRAM, [*words(pc), "-serial", "mon:stdio"])


class Story:
    """Runs the commands, prints each with its output, remembers what failed."""

    def __init__(self, machine):
        self.machine = machine
        self.failures = []

    def check(self, holds, what):
        print(f"demo: {'ok' if holds else 'FAILED'}: {what}", flush=True)
        if not holds:
            self.failures.append(what)

    def wait(self, command, timeout=PATIENCE):
        """Until a command succeeds, unseen: what comes next is told when it can be."""
        self.machine.run(f"end=$(($(date +%s) + {timeout})); until {command} >/dev/null 2>&1 || "
                         f"[ $(date +%s) -gt $end ]; do sleep 1; done", timeout + 60)

    def run(self, command, expected="", status=0, timeout=PATIENCE):
        """A command must end with that status and its output hold the pattern."""
        print(f"\nroot@xenolith:~# {command}", flush=True)
        rc, output = self.machine.run(command, timeout)
        # Progress that was shown and taken away again.
        output = re.sub(r"[^\n]*\x1b\[K", "", output)
        print(output, flush=True)
        self.check(rc == status and re.search(expected, output, re.MULTILINE), command)
        return output

    def console(self, steps):
        """Type at the guest's console; the last escape leaves it."""
        print("\nroot@xenolith:~# xm console guest1", flush=True)
        try:
            # The guest may still boot: ask again until its shell answers.
            self.machine.open_console("xm console guest1", GUEST, PATIENCE)
            for text, pattern in steps:
                self.machine.send(text + "\r")
                self.machine.expect(pattern, PATIENCE)
            text = self.machine.leave_console(GUEST)
            print(text, flush=True)
            self.check(True, "the guest's console: " + "; ".join(s[0] for s in steps))
        except MachineError as error:
            self.check(False, f"the guest's console: {error}")
            raise


def batch():
    try:
        with machine("demo-" + os.environ.get("HV", "xenolith")) as debian:
            debian.echo = sys.stdout
            return tell(debian)
    except MachineError as error:
        print(f"\ndemo: FAILED: {error}", flush=True)
        return 1


def tell(machine):
    seconds = machine.boot()
    machine.echo = None
    story = Story(machine)
    print()
    story.check(True, f"Domain-0's shell after {seconds:.0f} s")
    story.wait("systemctl is-active --quiet multi-user.target && xenstore-exists /local")
    story.run("cat /etc/debian_version /sys/hypervisor/type; findmnt -n -o SOURCE,FSTYPE /",
              r"^xen$[^^]*^/dev/vda +ext4$")
    tell_daemon(story)
    tell_guest(story)
    tell_changes(story)
    tell_save(story)
    story.run("xm shutdown -w guest1")
    output = story.run("xm list", r"^Domain-0")
    story.check("guest1" not in output, "the guest is gone")
    print("\nroot@xenolith:~# poweroff", flush=True)
    reason = machine.finish("systemctl poweroff", PATIENCE)
    story.check(reason == "guest-shutdown", f"power-off ends the machine ({reason})")
    failed = len(story.failures)
    verdict = f"{failed} steps FAILED" if failed else "all of it worked"
    print(f"\ndemo: after {machine.seconds():.0f} s: {verdict}", flush=True)
    return 1 if failed else 0


def tell_daemon(story):
    """xend is stopped, then it runs, and Domain-0 is alone."""
    story.run("service xend status", r"^xend is stopped$", status=3)
    story.run("xm list", r"^Error: Unable to connect to xend: Connection refused\. Is xend running\?$", status=1)
    story.run("service xend start")
    story.run("service xend status", r"^xend is running$")
    output = story.run("xm list", r"^Domain-0 +0 ")
    story.check(len(output.splitlines()) == 2, "Domain-0 is alone")
    story.run("xm info", r"^xen_caps +: xen-3.0-x86_64")
    story.run("ip -br address", r"^xenbr0 .*10\.77\.0\.1/24")


def tell_guest(story):
    """A second operating system."""
    story.run("xm create guest1", r"^Started domain guest1 \(id=\d+\)$")
    story.console([("uname -a", r"GNU/Linux"), ("nproc", r"^2$"), ("ping -c 3 10.77.0.1", r"[123] packets received"),
                   ("echo it went on >/tmp/story", GUEST)])
    story.run("xm list", r"^Domain-0 +0 [^\n]*\n^guest1 +\d+ +256 +2 ")
    story.run("ping -c 3 guest1", r"[123] received")


def tell_changes(story):
    """Memory, processors and disks, while it runs."""
    story.run("xm mem-set guest1 192")
    story.wait("xm list guest1 | grep -q ' 192 '")
    story.run("xm list guest1", r"^guest1 +\d+ +192 +2 ")
    story.run("xm vcpu-set guest1 1")
    story.wait("xm vcpu-list guest1 | grep -q -- --p")
    story.run("xm vcpu-list guest1", r"^guest1 +\d+ +1 +- +--p ")
    story.run("truncate -s 16M /root/data.img; xm block-attach guest1 file:/root/data.img xvdb w")
    story.run("xm block-list guest1", r"^51712 .*\n^51728 ")
    story.console([("nproc", r"^1$"), ("cat /sys/block/xvdb/size", r"^32768$")])


def tell_save(story):
    """Into a file and back: what runs in it does not notice."""
    story.run("xm save guest1 /root/guest1.save")
    output = story.run("xm list", r"^Domain-0")
    story.check("guest1" not in output, "the guest is in its file")
    story.run("xm restore /root/guest1.save")
    story.console([("cat /tmp/story", r"^it went on")])


def end_on_signal(number, _):
    """So that what was begun is undone, as after an error."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end_on_signal)
    if sys.argv[1:] == ["batch"]:
        sys.exit(batch())
    if not shutil.which(PROGRAM):
        common.die(f"no {PROGRAM}")
    interactive()
