#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What ./demo does once everything is built: boot the Debian of build/lab/debian under a hypervisor.

lab.demo interactive    hands the terminal over
lab.demo batch          tells the story unattended; exit status 0 only if each step did what it should
"""

import os
import re
import shutil
import signal
import sys
import time

from lab import LAB, ROOT
from lab.images import common

sys.path.insert(0, str(ROOT / "tests/system"))
from machine import Config, Disk, Machine, MachineError, hypervisor_image, qemu_words  # noqa: E402

DEBIAN = LAB / "debian"
PROMPT = r"root@xenolith:~# "
# Seconds. A busy machine that emulates may be ten times slower than an idle one; a hypervisor or a
# Domain-0 that dies is noticed at once, whatever these say.
PATIENCE = 300
BOOT_PATIENCE = 900


def kvm_works():
    """True if /dev/kvm runs our kind of code: some offer the file and then crawl or die.

    The hypervisor must have started its processors and come to Domain-0 within five seconds."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        if not re.search(r"^flags.*\b(svm|vmx|hypervisor)\b", file.read(), re.MULTILINE):
            return False
    probe = Machine("demo-probe", accel="kvm", cpu="host", smp=1, mem=512, stage="shell0",
                    kernel=str(DEBIAN / "vmlinuz"), initrd=str(DEBIAN / "initrd.img"))
    try:
        probe.start()
        probe.allow_death = True
        # The last line before Domain-0. The command line, which comes first, names dom0_mem.
        probe.expect(r"the hypervisor holds", 5)
        return True
    except MachineError:
        return False
    finally:
        probe.kill()


def settings():
    accelerated = kvm_works()
    return dict(
        smp=2, mem=2048, dom0_mem=1024, stage="", payloads=(), kernel=str(DEBIAN / "vmlinuz"),
        initrd=str(DEBIAN / "initrd-toolstack.img"), nics=("virtio",),
        dom0_append="root=/dev/vda quiet loglevel=3 net.ifnames=0",
        accel="kvm" if accelerated else "tcg", cpu="host" if accelerated else "max,-smap",
        # What is done to the disk is forgotten: each run starts from a clean one, however the last one ended.
        disks=(Disk(str(DEBIAN / "disk.img"), "virtio", snapshot=True),))


def interactive():
    config = Config(**settings())
    config.dom0_append += " systemd.show_status=auto"
    print(f"\ndemo: booting {hypervisor_image(config).name}, then Debian as Domain-0; "
          f"{'KVM' if config.accel == 'kvm' else 'software emulation'}: about "
          f"{'ten seconds' if config.accel == 'kvm' else 'a minute'}. Ctrl-A x ends the emulator.\n")
    words = qemu_words(config) + ["-serial", "mon:stdio"]
    os.execvp(words[0], words)


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
            self.machine.send_console("xm console guest1", "GUEST:", PATIENCE)
            for text, pattern in steps:
                self.machine.send(text + "\r")
                self.machine.expect(pattern, PATIENCE)
            text = self.machine.leave_console()
            print(text, flush=True)
            self.check(True, "the guest's console: " + "; ".join(s[0] for s in steps))
        except MachineError as error:
            self.check(False, f"the guest's console: {error}")
            raise


class DemoMachine(Machine):
    def boot(self):
        self.expect(PROMPT, BOOT_PATIENCE)
        seconds = self.seconds()
        self.send("exec /bin/sh /usr/local/sbin/lab-agent\n")
        self.expect(r"LAB-AGENT\n", PATIENCE)
        return seconds

    def send_console(self, command, prompt, timeout):
        self.commands += 1
        self.console_start = self.mark = len(self.text)
        self.send(f"{command} </dev/hvc0\n")
        deadline = time.monotonic() + timeout
        while True:
            self.send("\r")
            try:
                return self.expect(prompt, 5)
            except MachineError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise

    def leave_console(self):
        self.send("\x1d")
        match = self.expect_end(self.console_start, PATIENCE)
        seen = match.string[:match.start()].replace("\x1b[6n", "")
        # Without the echo of the command, and the empty prompts of our knocking.
        lines = [line for line in seen.splitlines()[1:] if line.strip()]
        kept = [line for line, after in zip(lines, lines[1:] + [""])
                if not (line == after and line.startswith("GUEST:"))]
        return "\n".join(kept)


def batch():
    name = "demo-" + os.environ.get("HV", "xenolith")
    try:
        machine = DemoMachine(name, **settings())
        machine.echo = sys.stdout
        with machine:
            return tell(machine)
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
                   ("echo it went on >/tmp/story", r"GUEST:")])
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
    if not shutil.which("qemu-system-x86_64"):
        common.die("no qemu-system-x86_64")
    interactive()
