#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What ./demo does once everything is built: boot the disk of lab/images/demo.py by GRUB.

lab.demo interactive bios|uefi    hands the terminal over
lab.demo batch bios|uefi          tells the story unattended; exit status 0 only if each step did what it should

HV=xen boots Debian's own hypervisor of the same disk.
"""

import os
import re
import shutil
import signal
import sys

from lab.bare import Installed
from lab.debian import BOOT_PATIENCE, PATIENCE
from lab.guest_console import GuestConsole
from lab.images import common
from lab.images.demo import DISK, HYPERVISOR, STOCK_SERIAL
from lab.machine import MachineError
from lab.pc import Disk, Nic, Pc
from lab.qemu import PROGRAM, Qemu, words
from lab.system import IMAGES, System

HV = os.environ.get("HV", "xenolith")
GUEST = "GUEST:"  # how the prompt of guest1's shell begins
# The story's machine has room for guest1, guest2 and the example.
MEMORY = 2560
SHOWN_LINES = 25


def kvm_works():
    """True if /dev/kvm runs our kind of code: some offer the file and then crawl or die.

    The hypervisor must have started its processors and come to Domain-0 within five seconds."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        if not re.search(r"^flags.*\b(svm|vmx|hypervisor)\b", file.read(), re.MULTILINE):
            return False
    probe = System("demo-probe", accel="kvm", cpu="host", smp=1, mem=512, stage="shell0",
                   image=HYPERVISOR if HV == "xenolith" else IMAGES[HV])
    try:
        with probe:
            probe.allow_death = True
            # The last line before Domain-0. The command line, which comes first, names dom0_mem.
            probe.expect(r"the hypervisor holds", 5)
        return True
    except MachineError:
        return False


class Host(GuestConsole, Installed):
    """The PC. Its disk forgets what is done to it: each run starts from a clean one, however the last one ended."""

    def __init__(self, name, firmware):
        accelerated = dict(accel="kvm", cpu="host") if kvm_works() else {}
        Qemu.__init__(self, name, Pc(disks=(Disk(DISK, snapshot=True),), nics=(Nic(),), smp=2, mem=MEMORY, uefi=firmware == "uefi",
                                     extra=("-smbios", f"type=1,serial={STOCK_SERIAL}") if HV == "xen" else (), **accelerated))


def interactive(firmware):
    pc = Host("demo", firmware).pc
    print(f"\ndemo: booting {DISK.name} by {'UEFI' if pc.uefi else 'the BIOS'} and GRUB; "
          f"{'KVM' if pc.accel == 'kvm' else 'software emulation'}: about "
          f"{'twenty seconds' if pc.accel == 'kvm' else 'two minutes'}. Ctrl-A x ends the emulator.\n", flush=True)
    os.execvp(PROGRAM, [*words(pc), "-serial", "mon:stdio"])


def shortened(text):
    """The end of what a console showed, if that is long: a kernel's boot."""
    lines = text.splitlines()
    return text if len(lines) <= SHOWN_LINES else "\n".join(["[...]", *lines[-SHOWN_LINES:]])


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

    def console(self, command, prompt, steps):
        """Type at a guest's console, which the command joins; the last escape leaves it."""
        print(f"\nroot@xenolith:~# {command}", flush=True)
        try:
            # The guest may still boot: ask again until its shell answers.
            self.machine.open_console(command, prompt, PATIENCE)
            for text, pattern in steps:
                self.machine.send(text + "\r")
                self.machine.expect(pattern, PATIENCE)
            text = self.machine.leave_console(prompt)
            print(shortened(text), flush=True)
            self.check(True, "the guest's console: " + "; ".join(s[0] for s in steps))
        except MachineError as error:
            self.check(False, f"the guest's console: {error}")
            raise


def batch(firmware):
    try:
        with Host(f"demo-{HV}-{firmware}", firmware) as host:
            return tell(host)
    except MachineError as error:
        print(f"\ndemo: FAILED: {error}", flush=True)
        return 1


def boot(host):
    """Show GRUB's menu, then what hypervisor and kernel say; return after how many seconds Domain-0's shell came."""
    first = host.expect(r"\((?:HV|XEN)\) ", BOOT_PATIENCE)
    screen = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "\n", host.text[:first.start()])
    print("GRUB's menu:")
    for title in dict.fromkeys(re.findall(r"[* ]Debian GNU/Linux(?:, with Xen[^\s|]*[^|\n]*?(?= *[|\n]))?", screen)):
        print(title)
    print(host.text[first.start():], end="")
    host.echo = sys.stdout
    host.boot()
    host.echo = None
    return host.seconds()


def tell(host):
    story = Story(host)
    seconds = boot(host)
    print()
    story.check(True, f"Domain-0's shell after {seconds:.0f} s")
    story.wait("systemctl is-system-running | grep -E 'running|degraded'")
    tell_host(story)
    tell_daemon(story)
    tell_guest(story)
    tell_changes(story)
    tell_save(story)
    story.run("xm shutdown -w guest1")
    output = story.run("xm list", r"^Domain-0")
    story.check("guest1" not in output, "the guest is gone")
    tell_example(story)
    print("\nroot@xenolith:~# poweroff", flush=True)
    reason = host.finish("systemctl poweroff", PATIENCE)
    story.check(reason == "guest-shutdown", f"power-off ends the machine ({reason})")
    failed = len(story.failures)
    verdict = f"{failed} steps FAILED" if failed else "all of it worked"
    print(f"\ndemo: after {host.seconds():.0f} s: {verdict}", flush=True)
    return 1 if failed else 0


def tell_host(story):
    """A Debian with our packages, under a hypervisor."""
    story.run("cat /etc/debian_version; uname -r; findmnt -n -o SOURCE,FSTYPE /", r"^12\.[^^]*^/dev/vda2 +ext4$")
    story.run("dpkg-query -W 'xenolith*'", r"^xenolith\s+\d[^^]*^xenolith-hypervisor\s+\d[^^]*^xenolith-utils\s+\d")
    story.run("cat /proc/xen/capabilities /sys/hypervisor/type", r"^control_d$[^^]*^xen$")
    story.run("xenolith status", *((r"^Xenolith runs\.$",) if HV == "xenolith" else (r"^Another hypervisor runs\.$", 3)))
    story.run("systemctl --failed --no-legend | cat", r"\A\Z")


def tell_daemon(story):
    """xend is stopped, then it runs, and Domain-0 is alone."""
    story.run("service xend status", r"^xend is stopped$", status=3)
    story.run("xm list", r"^Error: Unable to connect to xend: Connection refused\. Is xend running\?$", status=1)
    story.run("service xend start")
    story.run("service xend status", r"^xend is running$")
    output = story.run("xm list", r"^Domain-0 +0 ")
    story.check(len(output.splitlines()) == 2, "Domain-0 is alone")
    story.run("xm info", r"^xen_caps +: xen-3.0-x86_64")
    story.run("xm network-setup --nat --address=10.77.0.1/24", r"^The bridge xenbr0 is there")
    story.run("ip -br address", r"^xenbr0 .*10\.77\.0\.1/24")
    story.run("xm doctor", r"^ok +bridge +xenbr0 is there")
    story.run("virsh list", r"^ 0 +Domain-0 +running$")


def tell_guest(story):
    """A second operating system."""
    story.run("xm create guest1", r"^Started domain guest1 \(id=\d+\)$")
    story.console("xm console guest1", GUEST,
                  [("uname -a", r"GNU/Linux"), ("nproc", r"^2$"), ("ping -c 3 10.77.0.1", r"[123] packets received"),
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
    story.console("xm console guest1", GUEST, [("nproc", r"^1$"), ("cat /sys/block/xvdb/size", r"^32768$")])


def tell_save(story):
    """Into a file and back: what runs in it does not notice."""
    story.run("xm save guest1 /root/guest1.save")
    output = story.run("xm list", r"^Domain-0")
    story.check("guest1" not in output, "the guest is in its file")
    story.run("xm restore /root/guest1.save")
    story.console("xm console guest1", GUEST, [("cat /tmp/story", r"^it went on")])


def tell_example(story):
    """What a person has who has no guest yet: Domain-0's own kernel and RAM disk."""
    story.run("xm create --example", r"^Wrote /etc/xen/example\.")
    story.run("xm create example", r"^Started domain example ")
    story.console("xm console example", r"\(initramfs\)", [("cat /proc/cmdline", r"break=premount")])
    story.run("xm destroy example")


def end_on_signal(number, _):
    """So that what was begun is undone, as after an error."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end_on_signal)
    mode, by = sys.argv[1:]
    if mode == "batch":
        sys.exit(batch(by))
    if not shutil.which(PROGRAM):
        common.die(f"no {PROGRAM}")
    interactive(by)
