# SPDX-License-Identifier: MIT
"""The demo, as a person runs it unattended: packages installed on a Debian, GRUB, Domain-0, and guests beside it.

Slow: it boots three stock Debian kernels and one systemd. The first run builds the packages and makes the disk, too, which
takes minutes more. DEMO_SECONDS is the limit, meant for a busy machine that emulates.
"""

import os
import re
import signal
import subprocess

import pytest

from lab import LOGS, ROOT

LIMIT = int(os.environ.get("DEMO_SECONDS", "2400"))
# What the story must hold, in this order.
STORY = [
    r"^ Debian GNU/Linux$",
    r"^ Debian GNU/Linux, with Xen hypervisor$",
    r"^\*Debian GNU/Linux, with Xenolith 0\.\d",
    r"^\(HV\) Xenolith 0\.\d.*$\n^\(HV\) loaded by GRUB ",
    r"^demo: ok: Domain-0's shell after \d+ s$",
    r"^6\.1\.0-\d+-amd64$\n^/dev/vda2 +ext4$",
    r"^xenolith-hypervisor\s+0\.\d",
    r"^control_d$\n^xen$",
    r"^Xenolith runs\.$",
    r"^demo: ok: systemctl --failed",
    r"^xend is stopped$\n^demo: ok: service xend status$",
    r"^Error: Unable to connect to xend: Connection refused\. Is xend running\?$\n^demo: ok: xm list$",
    r"^demo: ok: service xend start$",
    r"^xend is running$",
    r"^Domain-0 +0 ",
    r"^demo: ok: Domain-0 is alone$",
    r"^xen_caps +: xen-3\.0-x86_64",
    r"^demo: ok: xm info$",
    r"^The bridge xenbr0 is there",
    r"^demo: ok: xm doctor$",
    r"^demo: ok: xm create guest1$",
    r"^3 packets transmitted, [123] packets received",
    r"^demo: ok: the guest's console: ",
    r"^Domain-0 +0 [^\n]*\n^guest1 +\d+ +256 +2 ",
    r"^3 packets transmitted, [123] received",
    r"^demo: ok: ping -c 3 guest1$",
    r"^guest1 +\d+ +192 +2 ",
    r"^demo: ok: xm vcpu-list guest1$",
    r"^demo: ok: xm block-list guest1$",
    r"^32768$",
    r"^demo: ok: xm save guest1 /root/guest1\.save$",
    r"^demo: ok: the guest is in its file$",
    r"^demo: ok: xm restore /root/guest1\.save$",
    r"^it went on",
    r"^demo: ok: xm shutdown -w guest1$",
    r"^demo: ok: the guest is gone$",
    r"^Wrote /etc/xen/example\.",
    r"^Started domain example ",
    r"^console=hvc0 break=premount$",
    r"^demo: ok: xm destroy example$",
    r"^demo: ok: power-off ends the machine \(guest-shutdown\)$",
    r"^demo: after \d+ s: all of it worked$",
]


def run_demo(*words):
    """The exit status and what was said. At the limit all of it ends, the emulator, too."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with open(LOGS / f"demo{''.join(words)}.out".replace("--", "-"), "w+", encoding="latin-1") as out, \
            subprocess.Popen([ROOT / "demo", *words], stdin=subprocess.DEVNULL, stdout=out,
                             stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            status = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            status = None
        out.seek(0)
        return status, out.read()


def check_story(*words):
    status, text = run_demo(*words)
    text = text.replace("\r", "")
    end = 0
    for pattern in STORY:
        match = re.compile(pattern, re.M).search(text, end)
        assert match, f"{pattern!r} not seen; exit status {status}\n{text[-4000:]}"
        end = match.end()
    assert status == 0 and "FAILED" not in text


def test_slow_demo_tells_its_story_to_the_end():
    check_story("--batch")


@pytest.mark.long
def test_slow_demo_by_uefi():
    """test_packages.py boots such a disk by UEFI, too."""
    check_story("--batch", "--uefi")
